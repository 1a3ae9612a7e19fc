"""Read the columns of a panel and sweep fixed effects and controls out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from ..index._checks import numbers, show


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
    out, _ = pd.factorize(frame[name].to_numpy())
    if (out < 0).any():
        raise ValueError(f"{what} {name!r} is missing in row {show(frame.index[out < 0][0])}")
    return out


def nested(inner: np.ndarray, outer: np.ndarray) -> bool:
    """Whether each group of `inner` lies within one group of `outer`."""
    return len(np.unique(np.stack([inner, outer]), axis=1).T) == inner.max() + 1


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


@dataclass(frozen=True)
class Partialled:
    """Columns after exogenous variables and fixed effects, and what the small-sample terms need."""

    columns: np.ndarray
    norms: np.ndarray
    absorbed: int
    clusters: np.ndarray | None

    @property
    def n(self) -> int:
        return len(self.columns)

    @property
    def groups(self) -> int:
        return 0 if self.clusters is None else int(self.clusters.max()) + 1

    def covariance(self, z: np.ndarray, e: np.ndarray, f: np.ndarray, cov: str) -> np.ndarray:
        """N⁻¹ Σ (z e)(z f)' over observations or cluster sums; iid: (e'f/N)(z'z/N)."""
        if cov == "iid":
            return (e @ f / self.n) * (z.T @ z / self.n)
        a, b = z * e[:, None], z * f[:, None]
        if self.clusters is not None:
            sums = sparse.csr_array((np.ones(self.n), (self.clusters, np.arange(self.n))))
            a, b = sums @ a, sums @ b
        return a.T @ b / self.n

    def correction(self, instruments: int) -> float:
        """What multiplies a covariance: N/(N−L−A), or clustered G/(G−1)·(N−1)/(N−L−A)."""
        free = self.n - instruments - self.absorbed
        return self.groups / (self.groups - 1) * (self.n - 1) / free if self.groups else self.n / free


def partial_out(
    data: pd.DataFrame,
    columns: Sequence[str],
    exog: Sequence[str],
    absorb: Sequence[str],
    cov: str,
    clusters: str | None,
) -> Partialled:
    """Residuals of `columns` on `exog` and the effects in `absorb`; see `kleibergen_paap` for the names."""
    if cov not in ("iid", "robust", "cluster"):
        raise ValueError(f"cov={cov!r} is not one of 'iid', 'robust', 'cluster'")
    if (cov == "cluster") != (clusters is not None):
        raise ValueError("cov='cluster' and clusters=… belong together: give both or neither")
    frame = flat(data)
    columns, exog = known(frame, columns, "endog and instruments"), known(frame, exog, "exog")
    absorb = known(frame, absorb, "absorb")
    both = columns + exog
    if len(set(both)) < len(both):
        raise ValueError(f"a name is used twice among endog, instruments and exog: {both}")
    values = numbers(frame[both], "data").to_numpy()
    effects = [codes(frame, name, "absorb") for name in absorb]
    group = None if clusters is None else codes(frame, clusters, "clusters")
    if group is not None and group.max() == 0:
        raise ValueError(f"clusters {clusters!r} has one group; at least two are needed")
    n = len(frame)
    swept = Sweep(effects, n)
    absorbed = swept.rank
    if group is not None:
        absorbed = Sweep([e for e in effects if not nested(e, group)], n).rank
    free = n - swept.rank - len(both) + 1
    if free <= 0:
        raise ValueError(
            f"{n} rows are too few for {len(both) - 1} regressors and {swept.rank} fixed effects"
        )
    residuals = swept(values)
    k = len(columns)
    norms = np.linalg.norm(values, axis=0)
    q = orthonormal(residuals[:, k:], norms[k:], exog)
    out = residuals[:, :k] - q @ (q.T @ residuals[:, :k])
    return Partialled(out, norms[:k], absorbed + len(exog), group)
