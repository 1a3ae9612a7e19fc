"""Read the columns of a panel and sweep fixed effects and controls out of them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..index._checks import show


def flat(data: pd.DataFrame) -> pd.DataFrame:
    """`data` with its named index levels as columns too (the rows keep their labels)."""
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"data must be a pandas DataFrame, got {type(data).__name__}")
    names = [str(name) for name in data.index.names if name is not None and name not in data.columns]
    levels = {name: data.index.get_level_values(name) for name in names}
    return data.assign(**levels) if levels else data


def known(frame: pd.DataFrame, names: Sequence[str], what: str) -> list[str]:
    """`names` as a list, refused when one of them is neither a column nor an index level."""
    if isinstance(names, str):
        raise TypeError(f"{what} must be a list of names, got the string {names!r}; write [{names!r}]")
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise ValueError(f"{what}: {absent} found neither among the columns nor the index levels of data")
    return list(names)


def codes(frame: pd.DataFrame, name: str, what: str) -> np.ndarray:
    """0, 1, 2, … for the groups of the column or index level `name`."""
    known(frame, [name], what)
    out, labels = pd.factorize(frame[name].to_numpy())
    if (out < 0).any():
        raise ValueError(f"{what} {name!r} is missing in row {show(frame.index[out < 0][0])}")
    one_kind(labels, f"{what} {name!r}")
    return out


def one_kind(labels: Iterable[Any], what: str) -> None:
    """Refuse labels of which some are text and some are not: "1" and 1 would be two groups."""
    if not pd.api.types.is_object_dtype(labels):
        return
    text = {isinstance(label, str): label for label in labels}
    if len(text) == 2:
        raise TypeError(f"{what} mixes text ({text[True]!r}) and numbers ({show(text[False])}): use one type")


def nested(inner: np.ndarray, outer: np.ndarray) -> bool:
    """Whether each group of `inner` lies within one group of `outer`."""
    return len(np.unique(np.stack([inner, outer]), axis=1).T) == inner.max() + 1


def clusters_of(frame: pd.DataFrame, name: str, what: str) -> np.ndarray:
    """`codes` of at least two groups."""
    out = codes(frame, name, what)
    if out.max() == 0:
        raise ValueError(f"{what} {name!r} has one group; at least two are needed")
    return out


def between_0_and_1(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level={level!r} must lie between 0 and 1, for example 0.95")


def rank_outside(effects: Sequence[np.ndarray], group: np.ndarray | None, n: int) -> int:
    """Rank of the effects, constant included, without those nested in the clusters `group`."""
    return Sweep([e for e in effects if group is None or not nested(e, group)], n).rank


class Sweep:
    """Residuals after fixed effects: the largest by group means, the others as dummies.

    Exact, also for unbalanced panels; meant for at most some hundred levels beside the largest effect.
    Without any effect the overall mean is taken out. `rank` counts the effects, the constant included.
    """

    def __init__(self, effects: Sequence[np.ndarray], n: int) -> None:
        ordered = sorted(effects, key=lambda e: -e.max()) or [np.zeros(n, dtype=int)]
        self.first = ordered[0]
        self.sums = sparse.csr_array((np.ones(n), (self.first, np.arange(n))))
        self.counts = np.asarray(self.sums.sum(axis=1)).ravel()
        self.basis = np.empty((n, 0))
        if len(ordered) > 1:
            dummies = np.hstack([np.eye(e.max() + 1)[e] for e in ordered[1:]])
            u, s, _ = np.linalg.svd(self._means_out(dummies), full_matrices=False)
            self.basis = u[:, s > 1e-10 * np.sqrt(n)]
        self.rank = len(self.counts) + self.basis.shape[1]

    def _means_out(self, x: np.ndarray) -> np.ndarray:
        return x - (self.sums @ x / self.counts[:, None])[self.first]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = self._means_out(x)
        return x - self.basis @ (self.basis.T @ x)


def orthonormal(swept: np.ndarray, norms: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Orthonormal basis of `swept`, refused if a column keeps nothing of its norm before the sweep."""
    q, r = np.linalg.qr(swept)
    lost = np.abs(np.diag(r)) <= 1e-9 * norms
    if lost.any():
        raise ValueError(
            f"{names[int(lost.argmax())]!r} is constant or collinear with the fixed effects and the columns "
            f"before it ({', '.join(names)}); leave it out"
        )
    return q
