"""Nearest neighbours on a score with ties shared, and the balance that they reach."""

import numpy as np
import pandas as pd

from ..index._checks import numbers, series, show

TIE = 1e-9
"""Distances closer than this are one: equal covariates give equal scores up to rounding."""


def _sides(treated: pd.Series, index: pd.Index) -> np.ndarray:
    """`treated` as booleans in the order of `index`."""
    if not isinstance(treated, pd.Series):
        raise TypeError(f"treated must be a pandas Series, got {type(treated).__name__}")
    if not index.is_unique:
        raise ValueError(f"row {show(index[index.duplicated()][0])} is there more than once")
    if not treated.index.equals(index):
        raise ValueError("treated has another index than the scores (the covariates)")
    if not treated.isin([0, 1]).all():
        wrong = treated[~treated.isin([0, 1])]
        raise ValueError(f"treated must be 0 or 1, it is {show(wrong.iloc[0])} in row {show(wrong.index[0])}")
    out = treated.to_numpy() == 1
    if out.all() or not out.any():
        raise ValueError("treated and untreated rows are both needed")
    return out


def match_nearest(
    score: pd.Series, treated: pd.Series, *, neighbours: int = 1, caliper: float | None = None
) -> pd.Series:
    r"""Weights that make the untreated comparable: for each treated row its nearest, with replacement.

    Rows with equal covariates have equal scores, and which of them a routine calls the nearest is chance (of the
    order of the rows, or of a tree). Here rows tied for the last place share it.

    .. math:: \widehat{ATT} = \frac{\sum_{D=1} w_i y_i}{\sum_{D=1} w_i} - \frac{\sum_{D=0} w_i y_i}{\sum_{D=0} w_i}

    Parameters
    ----------
    score : Series (n,); propensity score, or its logit
    treated : Series (n,), 0 and 1, same index
    neighbours : int
    caliper : float, optional
        Largest distance, in units of `score` (often 0.2 of its standard deviation). A treated row without
        anybody that near gets no weight, and the estimate is one for the others.

    Returns
    -------
    Series (n,); treated rows: 1 if matched, else 0; the untreated rows' weights add up to the number matched

    Raises
    ------
    TypeError, ValueError: missing values, text, another index, too few untreated, nobody within the caliper

    References
    ----------
    Abadie and Imbens (2006), Econometrica 74. R's `MatchIt` breaks ties one way or another.

    Examples
    --------
    >>> score = pd.Series([0.5, 0.4, 0.4, 0.9])
    >>> match_nearest(score, pd.Series([1, 0, 0, 0])).to_list()
    [1.0, 0.5, 0.5, 0.0]
    """
    values = series(score, "score")
    side = _sides(treated, values.index)
    p = values.to_numpy()
    if not 1 <= neighbours <= (~side).sum():
        raise ValueError(f"neighbours={neighbours!r} must be 1 to {(~side).sum()}, the untreated rows")
    if caliper is not None and not caliper > 0:
        raise ValueError(f"caliper={caliper!r} must be positive")
    weights, controls = np.zeros(len(p)), np.flatnonzero(~side)
    for i in np.flatnonzero(side):
        gap = np.abs(p[controls] - p[i])
        near = len(gap) if caliper is None else int((gap <= caliper).sum())
        k = min(neighbours, near)
        if k == 0:
            continue
        last = np.partition(gap, k - 1)[k - 1]
        nearer, tied = gap < last - TIE, np.abs(gap - last) <= TIE
        weights[i] = 1
        weights[controls] += (nearer + tied * (k - nearer.sum()) / tied.sum()) / k
    if not weights[side].any():
        raise ValueError(f"no treated row has an untreated one within caliper={caliper!r}")
    return pd.Series(weights, index=values.index, name="weight")


def balance(covariates: pd.DataFrame, treated: pd.Series, weights: pd.Series | None = None) -> pd.DataFrame:
    r"""Standardised mean differences of treated and untreated rows, before and after matching or weighting.

    .. math:: SMD = (\bar x_1 - \bar x_0)/s_1

    s is the treated rows' standard deviation **before** matching (√(p(1 − p)) for a column of zeros and ones), so
    that a difference cannot shrink because its yardstick has grown. Below 0.1 is usually called balanced.

    Parameters
    ----------
    covariates : DataFrame (n × k)
    treated : Series (n,), 0 and 1, same index
    weights : Series (n,), optional; not negative, same index; of :func:`match_nearest`, say

    Returns
    -------
    DataFrame (k rows)
        Means `treated`, `control` and `smd`; with weights also `treated_after`, `control_after`, `smd_after`.

    Raises
    ------
    TypeError, ValueError: missing values, text, another index, a constant covariate, impossible weights

    References
    ----------
    Stuart (2010), Statistical Science 25; R's `MatchIt` has the same numbers.

    Examples
    --------
    >>> x = pd.DataFrame({"size": [3.0, 5.0, 1.0, 2.0]})
    >>> balance(x, pd.Series([1, 1, 0, 0]), pd.Series([1, 1, 0, 2])).round(2).loc["size"].to_list()
    [4.0, 1.5, 1.77, 4.0, 2.0, 1.41]
    """
    values = numbers(covariates, "covariates")
    side = _sides(treated, values.index)
    inside = values[side]
    binary = values.isin([0, 1]).all()
    share = inside.mean().where(binary, 0)
    scale = inside.std().where(~binary, np.sqrt(share * (1 - share)))
    if (scale == 0).any():
        raise ValueError(f"{scale.index[scale == 0][0]!r} does not vary among the treated rows; leave it out")

    def means(w: pd.Series, after: str) -> dict[str, pd.Series]:
        first, second = (values[s].mul(w[s], axis=0).sum() / w[s].sum() for s in (side, ~side))
        return {f"treated{after}": first, f"control{after}": second, f"smd{after}": (first - second) / scale}

    table = means(pd.Series(1.0, index=values.index), "")
    if weights is not None:
        w = series(weights, "weights")
        if not w.index.equals(values.index):
            raise ValueError("weights have another index than the covariates")
        if (w < 0).any() or w[side].sum() == 0 or w[~side].sum() == 0:
            raise ValueError("weights must not be negative, and some must be left in each group")
        table |= means(w, "_after")
    return pd.DataFrame(table)
