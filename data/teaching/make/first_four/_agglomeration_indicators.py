"""The 16 indicators of `industry-agglomeration`, and the economy, government and jobs behind the panel.

The paper prints no weights, so `WEIGHTS` is a choice of ours: heavy for what few cities have (green patents, trading
of rights), light for what all have (wages, internet). The drawn indicators are bent until they have these weights
and are raked until the entropy index of all 16 equals the simulated outcome. Science and education spending are not
drawn: they add up to the control ``support`` times the budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from first_four._agglomeration_drivers import path, smooth
from first_four._agglomeration_targets import GRID, cities
from first_four._calibrate import (
    Array,
    CalibrationError,
    entropy_weights,
    minmax,
    redundancy,
    tilt_to,
    zscore,
)


@dataclass(frozen=True)
class Indicator:
    """Raw extremes, decimals, weight (per cent, before the fixed three) and loadings on log outcome, year, city noise,
    passing noise."""

    symbol: str
    low: float
    high: float
    decimals: int
    weight: float
    loads: tuple[float, float, float, float]


DRAWN = (
    Indicator("emerging_staff", 0, 1_450_000, 0, 14.0, (0.8, 0.1, 0.6, 0.3)),
    Indicator("sci_staff", 150, 820_000, 0, 10.0, (0.8, 0.1, 0.6, 0.2)),
    Indicator("wage", 31_500, 218_000, 0, 1.6, (0.5, 0.9, 0.4, 0.2)),
    Indicator("consumption", 9_200, 54_500, 0, 1.6, (0.5, 0.9, 0.4, 0.2)),
    Indicator("telecom", 45_000, 26_000_000, 0, 7.0, (0.8, 0.3, 0.4, 0.3)),
    Indicator("ai_share", 0, 4.2, 3, 6.0, (0.7, 0.6, 0.5, 0.3)),
    Indicator("robots", 0.5, 620, 2, 8.0, (0.7, 0.7, 0.6, 0.2)),
    Indicator("pollution_inv", 600, 5_400_000, 0, 9.0, (0.8, 0.0, 0.5, 0.6)),
    Indicator("eco_trade", 0, 260_000, 0, 15.0, (0.8, 0.4, 0.7, 0.5)),
    Indicator("green_inv", 0, 24_000, 0, 12.0, (0.9, 0.2, 0.4, 0.2)),
    Indicator("green_util", 0, 19_000, 0, 9.0, (0.9, 0.2, 0.4, 0.2)),
    Indicator("broadband", 2.5, 1_260, 2, 4.0, (0.8, 0.5, 0.4, 0.1)),
    Indicator("penetration", 4.0, 96.0, 2, 1.8, (0.5, 0.9, 0.5, 0.2)),
)
FIXED = ("waste_rate", "sci_exp", "edu_exp")
S0 = 2.6
"""Sum of the redundancies of the drawn indicators at the start; the mean of the index pins it."""


def draw_economy(rng: np.random.Generator, levels: dict[str, Array]) -> dict[str, Array]:
    """Totals from which a student computes the controls: population, GDP, loans, students, unemployed, budget."""
    base = np.log(cities()["population"].to_numpy())
    growth = 0.004 * rng.standard_normal(GRID.units) + 0.002 * zscore(base)
    population = np.exp(base[:, None] + growth[:, None] * np.arange(-4.5, 5)).ravel()
    population = np.round(population, 2)
    gdp = np.round(levels["develop"] * population * 1e4)
    rich = zscore(np.log(levels["develop"]))
    share = 0.19 * np.exp(
        -0.30 * rich + 0.25 * GRID.expand(rng.standard_normal(GRID.units)) + 0.06 * GRID.ar1(rng, 0.5)
    )
    fiscal = np.round(share * gdp)
    both = np.round(levels["support"] * fiscal)
    tilt = -2.9 + 0.45 * rich + 0.4 * GRID.expand(rng.standard_normal(GRID.units)) + 0.1 * GRID.ar1(rng, 0.5)
    sci = np.round(both / (1 + np.exp(-tilt)))
    worse = (
        0.5 * GRID.expand(rng.standard_normal(GRID.units)) + 0.4 * GRID.ar1(rng, 0.6) - 0.6 * path_of_years()
    )
    waste = 100 - 3.5 * np.exp(0.8 * worse)
    waste[waste.argmin()] = 21.5
    return {
        "population": population,
        "gdp": gdp,
        "loans": np.round(levels["finance"] * gdp),
        "students": np.round(levels["human"] * 1e4),
        "jobless": np.round(levels["unemployed"] * population * 1e4),
        "motorway": np.round(levels["traffic"] * 1e4, 1),
        "fiscal_exp": fiscal,
        "sci_exp": sci,
        "edu_exp": both - sci,
        "waste_rate": np.round(np.clip(waste, 21.5, 100.0), 2),
    }


def path_of_years() -> Array:
    """The common path, repeated for every city."""
    return np.tile(path(), GRID.units)


def draw_groups(rng: np.random.Generator, economy: dict[str, Array]) -> dict[str, Array]:
    """Grouping variables of the six splits: word counts of reports, provincial indices, government against market.

    They share a common leaning. Marketisation and integration are made for provinces, as in their sources.
    """
    frame = cities()
    province = frame["province_en"].astype("category").cat.codes.to_numpy()
    normal = rng.standard_normal
    n = int(province.max()) + 1
    east = (frame["region4"] == "East").to_numpy(float)
    lean = zscore(
        0.4 * smooth(normal(GRID.units))
        + 0.9 * east
        + 0.2 * frame["rich"].to_numpy()
        + 0.3 * normal(n)[province]
    )
    lean_of = np.bincount(province, lean) / np.bincount(province)
    trend = path_of_years()
    g = lambda: GRID.expand(zscore(0.9 * lean + normal(GRID.units)))  # noqa: E731

    def by_province(load: float) -> Array:
        lasting = zscore(load * zscore(lean_of) + 0.4 * normal(n))
        passing = 0.15 * normal((n, GRID.periods))
        return GRID.expand(lasting[province]) + passing[province].ravel()

    ratio = economy["fiscal_exp"] / economy["gdp"]
    private = (
        economy["population"] * 1e4 * np.exp(-1.75 + 0.28 * g() + 0.28 * trend + 0.06 * GRID.ar1(rng, 0.5))
    )
    staff = (
        economy["population"]
        * 1e4
        * np.exp(-3.95 + 0.22 * GRID.expand(normal(GRID.units)) + 0.03 * GRID.ar1(rng, 0.5))
    )
    words = rng.poisson(np.exp(2.6 + 0.45 * g() + 0.55 * trend))
    nqpf = rng.poisson(np.exp(2.2 + 0.40 * g() + 0.25 * trend))
    return {
        "digital_words": words.astype(float),
        "nqpf_words": nqpf.astype(float),
        "market": np.round(7.6 + 1.5 * by_province(1.0) + 0.7 * trend, 3),
        "integration": np.round(3.1 + 0.55 * by_province(1.0) + 0.4 * trend, 4),
        "fiscal_share": ratio,
        "staff_share": np.round(staff) / np.round(private),
        "gov_staff": np.round(staff),
        "private_staff": np.round(private),
    }


def least_index(economy: dict[str, Array]) -> Array:
    """What the three fixed indicators alone contribute to the index, with some room for the others."""
    x = np.column_stack([minmax(economy[k]) for k in FIXED])
    return 1.5 * x @ (redundancy(x) / (S0 + redundancy(x).sum()))


def draw_indicators(
    rng: np.random.Generator,
    y: Array,
    economy: dict[str, Array],
    tolerance: float = 2e-4,
    live: int = 60,
    rounds: int = 120,
) -> tuple[dict[str, Array], dict[str, float]]:
    """Raw columns of the drawn indicators such that the entropy index of all 16 equals ``y``.

    A round multiplies the drawn indicators of an observation by the factor that closes its gap to first order, scales
    to [0, 1] again and, in the first ``live`` rounds, restores the redundancies by a power.

    Raises
    ------
    CalibrationError
        If the index and ``y`` stay more than ``tolerance`` apart.
    """
    weight = np.array([k.weight for k in DRAWN])
    weight = weight / weight.sum()
    ly, trend = zscore(np.log(y)), path_of_years()
    score = []
    for k in DRAWN:
        a, b, c, d = k.loads
        city = zscore(rng.standard_normal(GRID.units))
        score.append(zscore(a * ly + b * trend + c * GRID.expand(city) + d * GRID.ar1(rng, 0.5)))
    S = S0
    fixed = np.column_stack([minmax(economy[k]) for k in FIXED])
    x = np.column_stack([tilt_to(np.column_stack(score), weight * S), fixed])
    m = len(DRAWN)
    for turn in range(rounds):
        now = entropy_weights(x)
        gap = y - x @ now
        if turn > live and np.abs(gap).max() < 3e-5:
            break
        capped = (x[:, :m] > 1 - 1e-12) & (gap > 0)[:, None]
        step = np.clip(gap / (np.where(capped, 0, x[:, :m]) @ now[:m] + 1e-12), -0.7, 0.7)
        x[:, :m] = minmax(x[:, :m] * np.exp(step[:, None]))
        if turn < live:
            S *= np.exp(-0.5 * step.mean())
            x[:, :m] **= np.clip(np.sqrt(weight * S / redundancy(x[:, :m])), 0.7, 1.4)
    if np.abs(gap).max() > tolerance:
        raise CalibrationError(
            f"the index of the indicators stays {np.abs(gap).max():.1e} away from the outcome"
        )
    raw = {k.symbol: np.round(k.low + (k.high - k.low) * x[:, i], k.decimals) for i, k in enumerate(DRAWN)}
    log = {
        "sum_of_redundancies": float(redundancy(x).sum()),
        "rounds": turn + 1,
    }
    return raw, log | {"largest_gap": float(np.abs(gap).max())}


def draw_jobs(rng: np.random.Generator, agglomeration: Array) -> dict[str, Array]:
    """Digital and all employment whose location quotient is ``agglomeration``.

    Weighted by employment the quotient averages one in every year; the weights of cities are tilted towards those
    with a high quotient until it does.
    """
    base = (
        np.log(cities()["population"].to_numpy() * 1e4)
        + np.log(0.12)
        + 0.25 * rng.standard_normal(GRID.units)
    )
    base = base + 0.25 * cities()["size"].to_numpy()
    employment = np.exp(
        base[:, None] + 0.02 * np.arange(GRID.periods) + 0.02 * GRID.by_unit(GRID.ar1(rng, 0.5))
    )
    q = GRID.by_unit(agglomeration)
    lean = np.tanh(zscore(q.mean(1)))[:, None]
    now = np.clip(q - 1, -1, 1.5)

    def excess(weights: Array, quotient: Array) -> float:
        return float((weights * quotient).sum() / weights.sum()) - 1

    lasting = brentq(lambda k: excess(employment * np.exp(k * lean), q), -6, 6)
    employment = employment * np.exp(lasting * lean)
    for t in range(GRID.periods):
        w, x, v = employment[:, t], q[:, t], now[:, t]
        passing = brentq(lambda k, w=w, x=x, v=v: excess(w * np.exp(k * v), x), -6, 6)
        employment[:, t] = w * np.exp(passing * v)
    staff = employment
    staff = np.round(staff)
    share = 0.022 + 0.0009 * np.arange(GRID.periods)
    digital = np.round(q * staff * share)
    return {"employment": staff.ravel(), "digital_staff": digital.ravel()}


def draw_sectors(
    rng: np.random.Generator, economy: dict[str, Array], channels: dict[str, Array]
) -> dict[str, Array]:
    """Value added and workers of three sectors that give the tertiary ratio and the labour productivity."""
    gdp, ratio = economy["gdp"], channels["tertiary_ratio"]
    poor = -zscore(np.log(gdp / economy["population"])) + 0.5 * GRID.expand(rng.standard_normal(GRID.units))
    third = np.round(gdp * ratio / (1 + ratio))
    first = np.round((gdp - third) * (0.03 + 0.5 / (1 + np.exp(1.3 - 1.1 * zscore(poor)))))
    added = np.column_stack([first, gdp - third - first, third])
    relative = np.array([0.3, 1.25, 1.0]) * np.exp(0.15 * GRID.expand(rng.standard_normal((GRID.units, 3))))
    share = added / gdp[:, None]
    level = channels["productivity"] / (relative * share).sum(1)
    workers = np.round(added / 1e4 / (relative * level[:, None]), 4)
    names = ("1", "2", "3")
    out = {f"output_{k}": added[:, i] for i, k in enumerate(names)}
    return out | {f"workers_{k}": workers[:, i] for i, k in enumerate(names)}
