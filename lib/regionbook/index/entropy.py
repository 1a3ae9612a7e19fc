"""Entropy-weight index (熵值法, 熵权法)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ..shown import Part, Shown
from ._checks import keys, numbers, one_of, show, signs


@dataclass(frozen=True, repr=False)
class EntropyIndex(Shown):
    """What :func:`entropy_index` returns.

    Attributes
    ----------
    score : Series; Σ_j w_j z_ij, one value a row of the raw data
    weights, entropy, redundancy : Series or DataFrame
        w_j, e_j and 1 − e_j by indicator; a DataFrame with one row a group when `weights` was a key.
    normalised : DataFrame; z_ij, directions and zero handling applied
    row_weights : DataFrame; the w_j that each row's score uses; equal rows unless weights differ by group
    dimensions : Series or None; dimension of each indicator, as given
    """

    score: pd.Series
    weights: pd.Series | pd.DataFrame
    entropy: pd.Series | pd.DataFrame
    redundancy: pd.Series | pd.DataFrame
    normalised: pd.DataFrame
    row_weights: pd.DataFrame
    dimensions: pd.Series | None = None

    def _dimensions(self) -> pd.Series:
        if self.dimensions is None:
            raise ValueError("no dimensions were given; call entropy_index(…, dimensions=…)")
        return self.dimensions

    @property
    def dimension_weights(self) -> pd.Series | pd.DataFrame:
        """Σ w_j over the indicators of each dimension (a DataFrame, one row a group, if weights differ)."""
        by_row = self.weights.T.groupby(self._dimensions(), sort=False).sum()
        return by_row.T if isinstance(self.weights, pd.DataFrame) else by_row

    @property
    def dimension_scores(self) -> pd.DataFrame:
        """Σ w_j z_ij over the indicators of each dimension; the columns add up to the score."""
        parts = self.normalised * self.row_weights
        return parts.T.groupby(self._dimensions(), sort=False).sum().T

    def _shown(self) -> list[Part]:
        if isinstance(self.weights, pd.DataFrame):
            return [(100 * self.weights).round(4)]
        table = pd.DataFrame({"entropy": self.entropy, "weight, %": 100 * self.weights})
        if self.dimensions is not None:
            table.insert(0, "dimension", self.dimensions)
        return [table.round(4)]


def _entropy(z: np.ndarray) -> np.ndarray:
    """e_j of one block of rows; 0 ln 0 = 0, and a column without variation is spread evenly: e = 1."""
    total = z.sum(axis=0)
    share = np.divide(z, total, out=np.full_like(z, 1 / len(z)), where=total > 0)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    e = -(share * logs).sum(axis=0) / np.log(len(z))
    return np.where(z.max(axis=0) == z.min(axis=0), 1.0, e)


def entropy_index(
    raw: pd.DataFrame,
    directions: int | Mapping[str, int] = 1,
    *,
    normalise: str | pd.Series = "pooled",
    weights: str | pd.Series = "pooled",
    zeros: Literal["limit", "shift", "compress"] = "limit",
    shift: float = 1e-4,
    dimensions: Mapping[str, str] | pd.Series | None = None,
) -> EntropyIndex:
    r"""Entropy-weighted composite of n indicators over m rows.

    .. math::
        z_{ij} = \frac{x_{ij}-\min_j}{\max_j-\min_j} \;\text{or}\; \frac{\max_j-x_{ij}}{\max_j-\min_j},\quad
        p_{ij} = \frac{z_{ij}}{\sum_i z_{ij}},\quad
        e_j = -\frac{1}{\ln m}\sum_i p_{ij}\ln p_{ij},\quad
        w_j = \frac{1-e_j}{\sum_k (1-e_k)},\quad S_i = \sum_j w_j z_{ij}

    Range and weights are invariant to the unit of an indicator, not to its logarithm or one extreme row.

    Parameters
    ----------
    raw : DataFrame, rows × indicators; numbers in any unit; an index (unit, year) for a panel
    directions : +1, -1 or mapping; -1: more is worse; what a mapping leaves out is positive
    normalise : "pooled", index level or Series; rows of minimum and maximum: all, or by key (``"year"``)
    weights : "pooled", index level or Series; rows of the entropy: one set of weights, or one a group
    zeros : "limit", "shift" or "compress"
        Min–max scaling makes at least one zero in each column. ``"limit"``: 0 ln 0 = 0, z unchanged.
        ``"shift"``: z + shift, in the score too. ``"compress"``: (1 − shift) z + shift.
    shift : float; in the unit of z; the larger, the more alike the weights
    dimensions : mapping or Series, optional; of every indicator, for the scores by dimension

    Returns
    -------
    EntropyIndex

    Raises
    ------
    TypeError, ValueError: cells that are no finite numbers, unknown names, constant columns, a group of one row

    References
    ----------
    Equations (1)–(7) of 王娟娟 (2025); Shannon (1948) for the entropy.

    Examples
    --------
    >>> raw = pd.DataFrame({"patents": [0, 1, 3, 9], "smoke": [5.0, 4, 2, 1]}, index=list("ABCD"))
    >>> index = entropy_index(raw, {"smoke": -1})
    >>> index.weights.round(3).to_dict()
    {'patents': 0.591, 'smoke': 0.409}
    >>> index.score.round(3).to_dict()
    {'A': 0.0, 'B': 0.168, 'C': 0.504, 'D': 1.0}
    """
    one_of(("limit", "shift", "compress"), zeros=zeros)
    if not 0 < shift < np.inf or (zeros == "compress" and shift >= 1):
        raise ValueError(f"shift={shift!r} must be positive and finite (below 1 for zeros='compress')")
    x = numbers(raw, "raw")
    sign = signs(directions, x.columns)
    if dimensions is not None:
        placed = pd.Series(dimensions, name="dimension")
        unplaced = x.columns.difference(placed.dropna().index)
        if len(unplaced):
            raise ValueError(f"dimensions does not place the indicators {list(unplaced)}")
        dimensions = placed.reindex(x.columns)
    scaling, blocks = _groups(normalise, x.index, "normalise"), _groups(weights, x.index, "weights")
    z = _scaled(x, sign, scaling)
    if zeros != "limit":
        z = (z if zeros == "shift" else (1 - shift) * z) + shift

    codes, groups = pd.factorize(blocks.to_numpy(), sort=True)
    e = np.vstack([_entropy(z[codes == g]) for g in range(len(groups))])
    d = 1 - e
    if (d.sum(axis=1) < 1e-14).any():
        raise ValueError("no indicator varies, so that there is nothing to weigh")
    w = d / d.sum(axis=1, keepdims=True)

    def by_indicator(values: np.ndarray, name: str) -> pd.Series | pd.DataFrame:
        if blocks.name == _POOLED:
            return pd.Series(values[0], index=x.columns, name=name)
        return pd.DataFrame(values, index=pd.Index(groups, name=blocks.name), columns=x.columns)

    return EntropyIndex(
        score=pd.Series((z * w[codes]).sum(axis=1), index=x.index, name="score"),
        weights=by_indicator(w, "weight"),
        entropy=by_indicator(e, "entropy"),
        redundancy=by_indicator(d, "redundancy"),
        normalised=pd.DataFrame(z, index=x.index, columns=x.columns),
        row_weights=pd.DataFrame(w[codes], index=x.index, columns=x.columns),
        dimensions=dimensions,
    )


_POOLED = ("all rows",)


def _groups(choice: str | pd.Series, index: pd.Index, what: str) -> pd.Series:
    """Group of each row; pooled, all are in one."""
    if isinstance(choice, str) and choice == "pooled":
        key = pd.Series("pooled", index=index, name=_POOLED)
    else:
        key = keys(choice, index, what)
    size = key.groupby(key.to_numpy()).size()
    if size.min() < 2:
        raise ValueError(
            f"{what}: group {show(size.idxmin())} has a single row; range and entropy (ln 1 = 0) need at least two"
        )
    return key


def _scaled(x: pd.DataFrame, sign: pd.Series, scaling: pd.Series) -> np.ndarray:
    """z between 0 and 1, over the rows of each group."""
    oriented = (x * sign).to_numpy()
    codes, groups = pd.factorize(scaling.to_numpy())
    rows = [oriented[codes == g] for g in range(len(groups))]
    low, high = np.array([r.min(axis=0) for r in rows]), np.array([r.max(axis=0) for r in rows])
    span = high - low
    flat = np.argwhere(span == 0)
    if len(flat):
        g, j = flat[0]
        where = "" if scaling.name == _POOLED else f" within {scaling.name or 'group'} {show(groups[g])}"
        raise ValueError(
            f"indicator {x.columns[j]!r} is constant{where} ({oriented[codes == g][0, j] * sign.iloc[j]:g}), "
            f"{len(flat)} such case(s) in all; drop it"
        )
    return (oriented - low[codes]) / span[codes]
