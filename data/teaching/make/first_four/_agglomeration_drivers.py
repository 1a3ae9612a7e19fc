"""Treatment and controls of `industry-agglomeration`, drawn so that the printed standard errors can come out.

A printed standard error fixes how much a regressor moves apart from everything else in its regression. The sizes
below (`NET`, `LINK`, `COMMON`) were computed from the errors of Table 3, columns 3 and 4, and from the difference of the two
columns, which says how far the yearly means of each regressor move with the common trend of the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from first_four._agglomeration_targets import (
    CONTROLS,
    FE_DF,
    GRID,
    around_city,
    cities,
    lag,
    printed,
)
from first_four._calibrate import Array, Squares, Targets, match, zscore

WITHIN = 1.2
"""Sum of squares of the outcome around the cities' means; the largest that leaves room for the printed error of
``unemployed``, whose own variation Table 2 limits."""
R2_FE = 0.3664
SIGMA2 = (1 - R2_FE) * WITHIN / FE_DF
"""Residual variance of Table 3, column 4."""
NET = {
    "agglomeration": 325.4,
    "develop": 4745.5,
    "unemployed": 0.22664,
    "finance": 190.13,
    "human": 37502.0,
    "traffic": 1.2344,
    "support": 1.0931,
}
"""Sum of squares of each regressor net of city and year effects."""
LINK = {
    "develop": 29.42,
    "unemployed": 0.0,
    "finance": 10.61,
    "human": 89.19,
    "traffic": 0.0,
    "support": 0.2032,
}
"""Cross products of agglomeration with the controls net of city and year effects; the controls are unrelated there."""
COMMON = {
    "agglomeration": -4.208,
    "develop": 49.61,
    "unemployed": -0.021,
    "finance": 11.29,
    "human": 50.41,
    "traffic": -0.0122,
    "support": -0.2923,
}
"""Movement of the yearly means along the common path (signed root of the sum of squares).

`NET`, `LINK` and `COMMON` solve the equations that Table 3 sets: coefficients, errors and R-squared of columns 3 and 4
and R-squared of column 1, all within rounding.
"""
LINK_BETWEEN = {
    "develop": 0.44,
    "unemployed": 0.05,
    "finance": 0.33,
    "human": 0.54,
    "traffic": 0.10,
    "support": 0.05,
}
"""Correlations of the cities' means of agglomeration with those of the controls."""
DRIFT = 0.10
"""Share of the net variation of agglomeration that distance to Hangzhou x trend drives."""


@dataclass(frozen=True)
class Process:
    """Parameters of the data-generating process (what ``truth.json`` tells).

    Attributes
    ----------
    beta : float
        Effect on the outcome of agglomeration, average over the variation that the instrument moves.
    theta : float
        Effect of the neighbours' average agglomeration.
    rho : float
        Dependence on the neighbours' average outcome, row-standardised contiguity.
    noise_share : float
        Share of misclassified digital jobs in the variation of the measured quotient net of city, year, controls and
        instrument; it pulls least squares towards zero and leaves 2SLS alone.
    heterogeneity : float
        Change of the effect, as a share of it, with one standard deviation of the six grouping variables' common
        score.
    controls : tuple
        Coefficients of the six controls in the outcome.
    noise_persistence : float
        First-order autocorrelation of the error.
    """

    beta: float = 0.022
    theta: float = -0.0075
    rho: float = -0.21
    noise_share: float = 0.55
    heterogeneity: float = 0.75
    controls: tuple[float, ...] = (-0.0020, -0.0124, 0.0011, 0.0007, 0.0027, 0.2621)
    noise_persistence: float = 0.3


def path() -> Array:
    """Shape of the common trend over the years, mean 0 and standard deviation 1: steeper in the middle years."""
    t = np.linspace(-1, 1, GRID.periods)
    return zscore(t + 0.15 * np.sin(np.pi * t))


def smooth(values: Array, strength: float = 0.5) -> Array:
    """Mix a city variable with its neighbours' average."""
    return zscore(values + strength * 2 * lag(values))


def _noise(rng: np.random.Generator, skew: float, persistence: float = 0.3) -> Array:
    """Idiosyncratic part, skewed to the right, net of city and year."""
    g = GRID.ar1(rng, persistence)
    return GRID.within(np.expm1(skew * g) / skew if skew else g)


def unit_parts(rng: np.random.Generator) -> dict[str, Array]:
    """Lasting differences between cities behind the controls."""
    frame = cities()
    size, rich = frame["size"].to_numpy(), frame["rich"].to_numpy()
    n = lambda: rng.standard_normal(GRID.units)  # noqa: E731
    capital = (frame["code"].to_numpy() % 10000 <= 100).astype(float)
    return {
        "develop": 0.9 * rich + 0.15 * n(),
        "unemployed": n(),
        "finance": np.exp(0.5 * zscore(0.5 * rich + 1.2 * capital + 0.8 * n())),
        "human": np.exp(1.15 * zscore(0.7 * size + 1.2 * capital + 0.3 * n())),
        "traffic": np.exp(0.45 * zscore(0.6 * np.log(frame["area_km2"].to_numpy()) + 0.3 * size + 0.5 * n())),
        "support": -0.2 * rich + 0.3 * smooth(n()) + n(),
    }


CAP = {
    "develop": 15.2,
    "unemployed": 0.085,
    "finance": 6.5,
    "human": 112.0,
    "traffic": 0.10,
    "support": 0.345,
}
"""Bound of all values but the largest, which Table 2 prints."""
SKEW = {"develop": 0.0, "unemployed": 0.9, "finance": 0.5, "human": 0.3, "traffic": 0.6, "support": 0.0}


def _bounds(draft: Array, moments: tuple[float, float, float, float], cap: float) -> tuple[Array, Array]:
    """Printed range, with one value pinned to either end and a little room for all others."""
    low, high = moments[2:]
    lower, upper = np.full(GRID.size, low), np.full(GRID.size, cap)
    top, bottom = draft.argmax(), draft.argmin()
    lower[top] = upper[top] = high
    lower[bottom] = upper[bottom] = low
    return lower, upper


def _yearly(targets: Targets, name: str, mean: float) -> None:
    """Add the yearly means as targets: the common path, scaled (the tenth follows from the mean)."""
    year = np.arange(GRID.size) % GRID.periods
    for t, value in enumerate(mean + COMMON[name] / np.sqrt(GRID.size) * path()):
        if t:
            targets.add(f"{name} {2013 + t}", (year == t) / GRID.units, value)


def _scaled(values: Array, sum_of_squares: float) -> Array:
    return values * np.sqrt(sum_of_squares / (values @ values))


def _pull(
    name: str,
    parts: tuple[Array, Array],
    explained: float,
    cap: float,
    targets: Targets,
    regressors: Array,
    draft: Array,
) -> Array:
    """Pull one regressor to Table 2's moments, its yearly means and its net variation."""
    moments = printed().moments[name]
    mean, sd = moments[:2]
    total = (GRID.size - 1) * sd**2
    around = NET[name] + explained + COMMON[name] ** 2
    _yearly(targets, name, mean)
    trend = COMMON[name] / np.sqrt(GRID.size) * np.tile(path(), GRID.units)
    lasting, passing = parts
    return match(
        GRID,
        np.zeros(GRID.size),
        np.array([_scaled(lasting, total - around), trend, _scaled(passing, NET[name] + explained)]),
        np.ones(GRID.size),
        targets,
        _bounds(draft, moments, cap),
        mean,
        Squares(total, around, NET[name]),
        regressors,
        gain=(0.6, 0.5, 0.5),
        tolerance=1e-4,
    ).values


def matched_controls(rng: np.random.Generator) -> dict[str, Array]:
    """The six controls with the printed moments and the variation that the printed errors ask for."""
    units, out = unit_parts(rng), {}
    others = GRID.within(rng.standard_normal((GRID.size, 1)))
    for k in CONTROLS:
        U = GRID.expand(zscore(units[k]))
        level = GRID.expand(np.sqrt(np.maximum(units[k], 0.05) / units[k].mean())) if k == "human" else 1.0
        e = GRID.within(_noise(rng, SKEW[k]) * level)
        t = Targets()
        for i, row in enumerate(others.T):
            t.add(f"{k} and {i}", row, 0.0)
        draft = _scaled(U, printed().moments[k][1] ** 2 * GRID.size - NET[k]) + _scaled(e, NET[k])
        if k in (
            "unemployed",
            "traffic",
        ):  # the slip that Table 2 shows: 24 standard deviations above the mean
            spot = int(rng.choice(np.flatnonzero(GRID.expand(cities()["size"].to_numpy()) < 0)))
            draft[spot] = draft.max() + 1
        out[k] = _pull(k, (U, e), 0.0, CAP[k], t, others, draft)
        others = np.column_stack([others, GRID.within(out[k])])
    return out


def matched_agglomeration(rng: np.random.Generator, levels: dict[str, Array]) -> Array:
    """Location quotient with the printed moments; its links to the controls are those that Table 3 implies."""
    sd, frame = printed().moments["agglomeration"][1], cities()
    C = np.column_stack([levels[k] for k in CONTROLS])
    Cw, Cb = GRID.within(C), C - around_city(C)
    net = NET["agglomeration"]
    drift = GRID.within(-GRID.expand(zscore(frame["km"].to_numpy())) * GRID.trend)
    e = _scaled(_noise(rng, 0.5), (1 - DRIFT) * net) + _scaled(drift, DRIFT * net)
    link = np.array([LINK[k] for k in CONTROLS])
    explained = float(link @ np.linalg.solve(Cw.T @ Cw, link))
    lasting = (GRID.size - 1) * sd**2 - net - explained - COMMON["agglomeration"] ** 2
    capital = (frame["code"].to_numpy() % 10000 <= 100).astype(float)
    U = 0.35 * frame["size"] + 0.7 * capital + 0.6 * smooth(rng.standard_normal(GRID.units))
    U += 1.5 * frame["city"].isin(["Beijing", "Shanghai", "Shenzhen", "Hangzhou"])
    U = np.exp(0.5 * zscore(U.to_numpy() + 0.5 * rng.standard_normal(GRID.units)))
    U = GRID.expand(zscore(U))
    t = Targets()
    for j, k in enumerate(CONTROLS):
        t.add(f"within link {k}", Cw[:, j], link[j])
        row = Cb[:, j] - Cb[:, j].mean()
        t.add(f"between link {k}", row, LINK_BETWEEN[k] * np.sqrt((row @ row) * lasting))
    draft = _scaled(U, lasting) + e
    return _pull("agglomeration", (U, e), explained, 5.5, t, Cw, draft)
