"""Treatment and controls of `industry-agglomeration`, drawn so that the printed standard errors can come out.

A printed standard error fixes how much a regressor moves apart from everything else in its regression. The sizes
below (`NET`, `COMMON`) were computed from the errors of Table 3, columns 3 and 4, and from the difference of the two
columns, which says how far the yearly means of each regressor move with the common trend of the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regionbook.simulate._agglomeration_targets import (
    CONTROLS,
    FE_DF,
    GRID,
    around_city,
    cities,
    lag,
    printed,
)
from regionbook.simulate._calibrate import Array, Squares, Targets, match, soft_floor, zscore

WITHIN = 1.2
"""Sum of squares of the outcome around the cities' means; the largest that leaves room for the printed error of
``unemployed``, whose own variation Table 2 limits."""
R2_FE = 0.3664
SIGMA2 = (1 - R2_FE) * WITHIN / FE_DF
"""Residual variance of Table 3, column 4."""
ERRORS = dict(zip(CONTROLS, (0.00027, 0.0366, 0.00134, 0.0001, 0.0157, 0.0167), strict=True))
"""Errors of the controls in column 4, at more digits than are printed."""
NET = {k: SIGMA2 / e**2 for k, e in ERRORS.items()}
"""Sum of squares of each control net of city and year effects."""
COMMON = {
    "develop": 52.0,
    "unemployed": -0.06,
    "finance": 11.0,
    "human": 42.0,
    "traffic": 0.10,
    "support": -0.33,
}
"""Movement of the yearly means (signed root of the sum of squares)."""
AGGLOMERATION_ERROR = 0.00098
SUPPORT_LINK = 3.6
"""Cross product of agglomeration and support net of city and year; with it column 1 has the printed R-squared."""
LINK_BETWEEN = {
    "develop": 0.40,
    "unemployed": 0.05,
    "finance": 0.30,
    "human": 0.50,
    "traffic": 0.10,
    "support": 0.05,
}
"""Correlations of the cities' means of agglomeration with those of the controls."""


@dataclass(frozen=True)
class Process:
    """Parameters of the data-generating process (what ``truth.json`` tells).

    Attributes
    ----------
    beta : float
        Effect on the outcome of agglomeration, average over city-years.
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

    beta: float = 0.018
    theta: float = -0.0075
    rho: float = -0.21
    noise_share: float = 0.45
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
        "human": np.exp(1.15 * zscore(0.7 * size + 1.1 * capital + 0.4 * n())),
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


def matched_controls(rng: np.random.Generator) -> dict[str, Array]:
    """The six controls with the printed moments and the variation that the printed errors ask for."""
    p, units, out = printed().moments, unit_parts(rng), {}
    trend = np.tile(path(), GRID.units)
    others = np.zeros((GRID.size, 0))
    for k in CONTROLS:
        mean, sd, low, high = p[k]
        U = GRID.expand(zscore(units[k]))
        level = GRID.expand(np.sqrt(np.maximum(units[k], 0.05) / units[k].mean())) if k == "human" else 1.0
        e = GRID.within(_noise(rng, SKEW[k]) * level)
        if k == "finance":
            e = e + 0.25 * GRID.within(others[:, 0]) / others[:, 0].std()
        total, net = (GRID.size - 1) * sd**2, NET[k]
        around = net + COMMON[k] ** 2 + (0.07 * net if k == "finance" else 0.0)
        scale = lambda v, ss: v * np.sqrt(ss / (v @ v))  # noqa: E731
        parts = np.array(
            [scale(U, total - around), scale(np.sign(COMMON[k]) * trend, COMMON[k] ** 2), scale(e, net)]
        )
        draft = parts.sum(0)
        if k in (
            "unemployed",
            "traffic",
        ):  # the slip that Table 2 shows: 24 standard deviations above the mean
            spot = int(rng.choice(np.flatnonzero(GRID.expand(cities()["size"].to_numpy()) < 0)))
            draft[spot] = draft.max() + 1
        X = others if others.shape[1] else GRID.within(rng.standard_normal((GRID.size, 1)))
        t = Targets()
        t.add("mean", np.full(GRID.size, 1 / GRID.size), mean)
        m = match(
            GRID,
            np.zeros(GRID.size),
            parts,
            np.ones(GRID.size),
            t,
            _bounds(draft, p[k], CAP[k]),
            mean,
            Squares(total, around, net),
            X,
            gain=(0.6, 0.5, 0.5),
            tolerance=1e-3,
        )
        out[k] = m.values
        others = np.column_stack([others, GRID.within(m.values)])
    return out


def matched_agglomeration(rng: np.random.Generator, levels: dict[str, Array]) -> Array:
    """Location quotient with the printed moments; its links to the controls are those that Table 3 implies."""
    mean, sd, low, high = printed().moments["agglomeration"]
    frame = cities()
    C = np.column_stack([levels[k] for k in CONTROLS])
    Cw = GRID.within(C)
    Cb = C - around_city(C)
    km = frame["km"].to_numpy()
    net = SIGMA2 / AGGLOMERATION_ERROR**2
    drift = GRID.within(-GRID.expand(zscore(km)) * GRID.trend)
    e = GRID.within(_noise(rng, 0.5))
    e = e * np.sqrt(0.97 * net / (e @ e)) + drift * np.sqrt(0.03 * net / (drift @ drift))
    total = (GRID.size - 1) * sd**2
    common = -5.8
    link = np.array([0, 0, 0, 0, 0, SUPPORT_LINK])
    explained = float(link @ np.linalg.solve(Cw.T @ Cw, link))
    around = net + explained + common**2
    capital = (frame["code"].to_numpy() % 10000 <= 100).astype(float)
    U = 0.35 * frame["size"] + 0.7 * capital + 0.6 * smooth(rng.standard_normal(GRID.units))
    U = np.exp(0.5 * zscore(U.to_numpy() + 0.5 * rng.standard_normal(GRID.units)))
    U = GRID.expand(zscore(U))
    trend = np.tile(path(), GRID.units)
    scale = lambda v, ss: v * np.sqrt(ss / (v @ v))  # noqa: E731
    parts = np.array([scale(U, total - around), scale(-trend, common**2), e])
    t = Targets()
    for j, k in enumerate(CONTROLS):
        t.add(f"within link {k}", Cw[:, j], link[j])
        row = Cb[:, j] - Cb[:, j].mean()
        t.add(f"between link {k}", row, LINK_BETWEEN[k] * np.sqrt((row @ row) * (total - around)))
    draft = parts.sum(0)
    m = match(
        GRID,
        np.zeros(GRID.size),
        parts,
        np.ones(GRID.size),
        t,
        _bounds(draft, (mean, sd, low, high), 5.5),
        mean,
        Squares(total, around, net),
        Cw,
        gain=(0.6, 0.5, 0.5),
        tolerance=1e-3,
    )
    return m.values


# ------------------------------------------------------------------------------------------- the process alone
def drawn_controls(rng: np.random.Generator) -> dict[str, Array]:
    """The six controls with about the printed moments, nothing pulled to anything."""
    p, units, out = printed().moments, unit_parts(rng), {}
    trend = np.tile(path(), GRID.units)
    for k in CONTROLS:
        mean, sd, low, _ = p[k]
        e, U = _noise(rng, SKEW[k]), GRID.expand(zscore(units[k]))
        between = np.sqrt(max(sd**2 - (NET[k] + COMMON[k] ** 2) / GRID.size, 0.1 * sd**2))
        x = (
            mean
            + between * U
            + COMMON[k] / np.sqrt(GRID.size) * trend
            + np.sqrt(NET[k] / GRID.size) * zscore(e)
        )
        out[k] = np.minimum(soft_floor(x, low, 0.1 * mean), CAP[k])
    return out


def drawn_agglomeration(
    rng: np.random.Generator, levels: dict[str, Array], process: Process
) -> tuple[Array, Array]:
    """Measured quotient and true agglomeration as the process makes them: measured = true + misclassified jobs."""
    mean, sd = printed().moments["agglomeration"][:2]
    size, km = cities()["size"].to_numpy(), cities()["km"].to_numpy()
    U = GRID.expand(zscore(np.exp(0.5 * zscore(0.5 * size + smooth(rng.standard_normal(GRID.units))))))
    net = SIGMA2 / AGGLOMERATION_ERROR**2 / GRID.size
    drift = zscore(GRID.within(-GRID.expand(zscore(km)) * GRID.trend))
    true = mean + 0.44 * U + np.sqrt(0.03 * net) * drift - 0.1 * sd * np.tile(path(), GRID.units)
    true = true + np.sqrt(0.97 * net * (1 - process.noise_share)) * zscore(_noise(rng, 0.4))
    jobs = np.sqrt(0.97 * net * process.noise_share) * zscore(_noise(rng, 0.4))
    measured = soft_floor(true + jobs, 0.01, 0.08)
    return measured, true
