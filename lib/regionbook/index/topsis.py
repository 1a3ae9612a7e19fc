"""Closeness to the best row and distance from the worst (TOPSIS, 优劣解距离法), with entropy or given weights."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..shown import Part, Shown
from ._checks import numbers, signs
from .entropy import entropy_index


@dataclass(frozen=True, repr=False)
class TopsisIndex(Shown):
    """What :func:`topsis_index` returns.

    Attributes
    ----------
    score : Series; closeness C, between 0 (worst in every indicator) and 1 (best in every indicator)
    weights : Series; w by indicator; they add to one
    distances : DataFrame; `best` D⁺ and `worst` D⁻ of each row
    normalised : DataFrame; z, between 0 and 1, directions applied
    """

    score: pd.Series
    weights: pd.Series
    distances: pd.DataFrame
    normalised: pd.DataFrame

    def _shown(self) -> list[Part]:
        return [(100 * self.weights).rename("weight, %").to_frame().round(4)]


def topsis_index(
    raw: pd.DataFrame,
    directions: int | Mapping[str, int] = 1,
    *,
    weights: Mapping[str, float] | pd.Series | None = None,
) -> TopsisIndex:
    r"""TOPSIS closeness of n indicators over m rows, min-max scaled over all rows.

    .. math::
        D_i^{+} = \sqrt{\sum_j w_j^2 (1 - z_{ij})^2},\quad D_i^{-} = \sqrt{\sum_j w_j^2 z_{ij}^2},\quad
        C_i = \frac{D_i^{-}}{D_i^{+} + D_i^{-}}

    Weights stand before the square: twice the weight counts four times. Other programmes scale each column by its length
    instead of its range; the scores then differ.

    Parameters
    ----------
    raw : DataFrame, rows × indicators
    directions : +1, -1 or mapping; as :func:`entropy_index`
    weights : mapping, optional; by indicator, positive, brought to a sum of one; else entropy weights

    Returns
    -------
    TopsisIndex

    Raises
    ------
    TypeError, ValueError: as :func:`entropy_index`; weights that are absent or not positive

    References
    ----------
    Hwang and Yoon (1981), Multiple Attribute Decision Making.

    Examples
    --------
    >>> raw = pd.DataFrame({"patents": [0, 1, 3, 9], "smoke": [5.0, 4, 2, 1]}, index=list("ABCD"))
    >>> topsis_index(raw, {"smoke": -1}, weights={"patents": 1, "smoke": 1}).score.round(3).to_dict()
    {'A': 0.0, 'B': 0.19, 'C': 0.535, 'D': 1.0}
    """
    x = numbers(raw, "raw")
    sign = signs(directions, x.columns)
    entropy = entropy_index(x, sign.to_dict())
    z = entropy.normalised
    if weights is None:
        w = entropy.weights
    else:
        given = pd.Series(weights, dtype=float)
        odd = given.index.symmetric_difference(x.columns)
        if len(odd):
            raise ValueError(f"weights and indicators differ in {list(odd)}; give one weight an indicator")
        if not (given > 0).all() or not np.isfinite(given).all():
            raise ValueError(
                f"weights must be positive and finite; got {given[~(given > 0)].to_dict() or dict(given)}"
            )
        w = (given / given.sum())[x.columns].rename("weight")
    far = pd.DataFrame({"best": np.sqrt(((1 - z) ** 2) @ w**2), "worst": np.sqrt((z**2) @ w**2)})
    return TopsisIndex((far["worst"] / far.sum(axis=1)).rename("score"), w, far, z)
