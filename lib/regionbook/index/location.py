"""Location quotient (区位熵)."""

from typing import Literal

import pandas as pd

from ._checks import keys, one_of, refuse, series, show


def location_quotient(
    part: pd.Series,
    whole: pd.Series,
    *,
    by: str | pd.Series | None = None,
    weight: Literal["total", "mean"] = "total",
) -> pd.Series:
    r"""A unit's share of a part in its whole, relative to that of all units.

    .. math::
        LQ_{it} = \frac{F_{it}/K_{it}}{\sum_i F_{it} / \sum_i K_{it}} \;(\text{"total"}), \qquad
        LQ_{it} = \frac{F_{it}/K_{it}}{N_t^{-1}\sum_i F_{it}/K_{it}} \;(\text{"mean"})

    Weighted by K, the first averages exactly 1 in every group; the plain mean of the second is 1.

    Parameters
    ----------
    part, whole : Series with the same index; F and K in the same unit; K positive, F not negative
    by : index level or Series, optional; reference group, as a rule ``"year"``; without it all rows together
    weight : "total" or "mean"; compare with the share in the total, or the mean of the units' shares

    Returns
    -------
    Series

    Raises
    ------
    TypeError, ValueError: different indices, missing or infinite values, K ≤ 0, F < 0, a group without any F

    References
    ----------
    Equation (3) of 汤凯 et al. (2026).

    Examples
    --------
    >>> rd, budget = pd.Series([1.0, 3, 6], list("ABC")), pd.Series([10.0, 20, 20], list("ABC"))
    >>> location_quotient(rd, budget).round(3).to_dict()
    {'A': 0.5, 'B': 0.75, 'C': 1.5}
    """
    f, k = series(part, "part"), series(whole, "whole")
    if not f.index.equals(k.index):
        raise ValueError("part and whole have different indices; align them (whole.reindex(part.index))")
    one_of(("total", "mean"), weight=weight)
    refuse(k, k <= 0, "whole must be positive")
    refuse(f, f < 0, "part must not be negative")
    key = pd.Series(0, index=f.index) if by is None else keys(by, f.index, "by")
    group = key.to_numpy()
    share = f / k
    if weight == "total":
        reference = f.groupby(group).transform("sum") / k.groupby(group).transform("sum")
    else:
        reference = share.groupby(group).transform("mean")
    empty = (reference == 0).to_numpy()
    if empty.any():
        raise ValueError(f"part is zero in every row of group {show(group[empty][0])}: no share to compare")
    return (share / reference).rename("location_quotient")
