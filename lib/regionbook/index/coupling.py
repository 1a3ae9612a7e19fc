"""Coupling coordination degree (耦合协调度)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ._checks import numbers, places, show


def coupling_coordination(
    subsystems: pd.DataFrame,
    weights: Sequence[float] | Mapping | pd.Series | None = None,
) -> pd.DataFrame:
    r"""Coupling C, joint development T and coordination D of k subsystems scored in [0, 1].

    .. math::
        C = \left[\frac{\prod_j U_j}{(\sum_j U_j / k)^k}\right]^{1/k}, \qquad
        T = \sum_j a_j U_j, \qquad D = \sqrt{C\,T}

    C is one for any U_1 = … = U_k, however low.

    Parameters
    ----------
    subsystems : DataFrame, rows × subsystems; at least two columns, values in [0, 1]
    weights : sequence, Series or mapping, optional; a_j, adding up to 1, by column; equal without

    Returns
    -------
    DataFrame; columns `coupling`, `development`, `coordination`

    Raises
    ------
    TypeError, ValueError: missing values, values outside [0, 1], a row of zeros (C is 0/0), wrong weights

    References
    ----------
    王淑佳 et al. (2021), 国内耦合协调度模型的误区及修正, 自然资源学报 36(3), on this form and others.

    Examples
    --------
    >>> u = pd.DataFrame({"digital": [0.2, 0.5], "real": [0.8, 0.5]})
    >>> coupling_coordination(u).round(3).to_dict("list")
    {'coupling': [0.8, 1.0], 'development': [0.5, 0.5], 'coordination': [0.632, 0.707]}
    """
    u = numbers(subsystems, "subsystems")
    k = u.shape[1]
    if k < 2:
        raise ValueError("coupling needs at least two subsystems (columns), got one")
    outside = (u < 0) | (u > 1)
    if outside.to_numpy().any():
        raise ValueError(f"subsystem scores must lie in [0, 1]: {places(outside)}; normalise them first")
    nothing = (u == 0).all(axis=1)
    if nothing.any():
        row = show(u.index[nothing.to_numpy()][0])
        raise ValueError(f"row {row} is zero in every subsystem: C is 0/0 there")
    if isinstance(weights, (pd.Series, Mapping)):
        weights = pd.Series(weights).reindex(u.columns)
    a = np.full(k, 1 / k) if weights is None else np.asarray(weights, dtype=float)
    if a.shape != (k,) or not (a >= 0).all() or abs(a.sum() - 1) > 1e-9:
        raise ValueError(f"weights must be {k} numbers ≥ 0 that add up to 1, got {weights!r}")
    v = u.to_numpy()
    c = (v / v.mean(axis=1, keepdims=True)).prod(axis=1) ** (1 / k)
    t = v @ a
    return pd.DataFrame({"coupling": c, "development": t, "coordination": np.sqrt(c * t)}, index=u.index)
