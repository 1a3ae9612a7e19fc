"""How often tests reject a true hypothesis when pairs share units: a Monte Carlo study."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special


def dyadic_draws(
    units: int, years: int, draws: int, shared: float, persistence: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw regressor and error of :func:`dyadic_size`, which has the process.

    Parameters
    ----------
    units, years, draws : int
    shared, persistence : float
        Share of the variance that belongs to the units, and its correlation from year to year.
    rng : numpy Generator

    Returns
    -------
    first, second : ndarray, P
        Units of each pair.
    x, e : ndarray, draws × years × P
    """
    first, second = np.triu_indices(units, 1)

    def variable() -> np.ndarray:
        city = rng.standard_normal((draws, years, units))
        for t in range(1, years):
            city[:, t] = persistence * city[:, t - 1] + np.sqrt(1 - persistence**2) * city[:, t]
        own = rng.standard_normal((draws, years, len(first)))
        return np.sqrt(shared / 2) * (city[..., first] + city[..., second]) + np.sqrt(1 - shared) * own

    return first, second, variable(), variable()


def dyadic_size(
    units: int = 20,
    *,
    years: int = 10,
    draws: int = 400,
    shared: float = 0.5,
    persistence: float = 0.5,
    level: float = 0.05,
    seed: int,
) -> pd.DataFrame:
    r"""How often a true β = 0 is rejected, by kind of standard error, when pairs share units.

    Balanced panels of all pairs of `units` × `years`, y = ε with pair and year effects swept out; regressor and error
    of the pair {a, b} are both

    .. math:: \sqrt{s/2}\,(c_{at} + c_{bt}) + \sqrt{1-s}\,\eta_{abt}

    with independent c (of a unit, AR(1) with `persistence`) and η: with s = `shared` = 0 nothing is shared.
    t tests as `dyadic_panel` makes them, the same small-sample factors and degrees of freedom.

    Parameters
    ----------
    units, years, draws : int
    shared, persistence, level : float
    seed : int

    Returns
    -------
    DataFrame
        By kind ("pair", "two-way", "dyadic"): `rejected` at `level`; `covered`, the share of 1 − `level` intervals that
        hold the true value; `se_over_sd`, the mean standard error over the standard deviation of the estimates;
        `negative`, the share of draws whose variance comes out negative (set to zero, so rejected).

    Raises
    ------
    ValueError
        Fewer than 4 units, 2 years or 2 draws; shares outside [0, 1].

    References
    ----------
    Aronow, Samii and Assenova (2015), Political Analysis 23, section 4, for such a study.

    Examples
    --------
    >>> dyadic_size(40, years=5, draws=100, seed=1)["rejected"].to_dict()
    {'pair': 0.37, 'two-way': 0.16, 'dyadic': 0.07}
    """
    if units < 4 or years < 2 or draws < 2:
        raise ValueError(f"units={units}, years={years}, draws={draws}: at least 4, 2 and 2 are needed")
    if not (0 <= shared <= 1 and 0 <= persistence < 1 and 0 < level < 1):
        raise ValueError("shared must lie in [0, 1], persistence in [0, 1), level in (0, 1)")
    rng = np.random.default_rng(seed)
    pairs = units * (units - 1) // 2
    n = pairs * years
    at_once = max(1, min(draws, 2_000_000 // n))
    b_all, v_all = [], []
    for start in range(0, draws, at_once):
        first, second, *both = dyadic_draws(
            units, years, min(at_once, draws - start), shared, persistence, rng
        )
        x, y = (
            v
            - v.mean(axis=1, keepdims=True)
            - v.mean(axis=2, keepdims=True)
            + v.mean(axis=(1, 2), keepdims=True)
            for v in both
        )
        xx = np.einsum("rtp,rtp->r", x, x)
        b = np.einsum("rtp,rtp->r", x, y) / xx
        scores = np.einsum("rtp,rtp->rp", x, y - b[:, None, None] * x)
        a_sums, b_sums = (scores @ np.eye(units)[code] for code in (first, second))
        inner = (scores**2).sum(axis=1)
        m = {
            "pair": inner,
            "two-way": (a_sums**2).sum(axis=1) + (b_sums**2).sum(axis=1) - inner,
            "dyadic": ((a_sums + b_sums) ** 2).sum(axis=1) - inner,
        }
        b_all.append(b)
        v_all.append(np.stack(list(m.values())) / xx**2)
    estimates, raw = np.concatenate(b_all), np.concatenate(v_all, axis=1)
    groups = np.array([pairs, units - 1, units])
    few = groups / (groups - 1)
    few[2] = units * (units - 1) / ((units - 2) * (units - 3))
    factor = few * (n - 1) / (n - 1 - years)
    se = np.sqrt(np.maximum(raw * factor[:, None], 0))
    rejected = (np.abs(estimates) >= special.stdtrit(groups - 1, 1 - level / 2)[:, None] * se).mean(axis=1)
    return pd.DataFrame(
        {
            "rejected": rejected,
            "covered": 1 - rejected,
            "se_over_sd": se.mean(axis=1) / estimates.std(ddof=1),
            "negative": (raw < 0).mean(axis=1),
        },
        index=pd.Index(list(m), name="vcov"),
    )
