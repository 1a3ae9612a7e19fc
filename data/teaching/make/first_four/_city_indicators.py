"""The 25 indicators of `city-innovation`, and the economy behind them.

Each indicator is drawn from a score and bent until its redundancy gives the printed entropy weight. Then all are
raked: an observation's indicators move by one factor until the entropy index equals the simulated outcome, while the
bends are renewed, so that weights and index hold together. Raw totals are built last, in such a way that the ratios
which a student computes from them are the simulated ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from first_four._calibrate import (
    Array,
    Raked,
    minmax,
    rake,
    redundancy,
    tilt_to,
    zscore,
)
from first_four._city_targets import GRID, cities, printed, to_primate

S0 = 1.95
"""Sum of the 25 redundancies at the start; not printed, pinned by the mean of the index."""


@dataclass(frozen=True)
class Indicator:
    """How one of the 25 indicators is drawn.

    ``low`` and ``high`` are the raw extremes, ``loads`` the loadings of its score on (log outcome, development, log
    digit, city noise, passing noise), ``give`` says how much it follows the correction that makes the index equal
    the outcome (0: computed or drawn beforehand).
    """

    symbol: str
    low: float = 0.0
    high: float = 0.0
    decimals: int = 0
    loads: tuple[float, float, float, float, float] | None = None
    give: float = 1.0


INDICATORS = (
    Indicator("edu_share", 8, 32, 3, (0.2, 0.3, 0.0, 0.7, 0.7), 0.3),
    Indicator("sci_share", 0.05, 16, 3, (0.6, 0.3, 0.1, 0.5, 0.4), 0.6),
    Indicator("sci_staff", 90, 760000, 0, (0.8, 0.2, 0.0, 0.4, 0.3)),
    Indicator("fdi_firms", 0, 9800, 0, (0.9, 0.0, 0.1, 0.4, 0.3)),
    Indicator("fdi_usd", 0, 3100000, 0, (0.8, 0.2, 0.0, 0.4, 0.4)),
    Indicator("colleges", 0, 94, 0, (0.7, 0.2, 0.0, 0.6, 0.1), 0.4),
    Indicator("teachers", 0, 71000, 0, (0.7, 0.2, 0.0, 0.5, 0.1), 0.4),
    Indicator("students", 0, 1300000, 0, (0.7, 0.2, 0.0, 0.5, 0.2), 0.4),
    Indicator("papers", 0, 99000, 0, (0.8, 0.0, 0.1, 0.5, 0.3)),
    Indicator("pat_apply", 20, 280000, 0, (0.8, 0.0, 0.5, 0.2, 0.2)),
    Indicator("tech_market", 0, 70000000, 0, (0.8, 0.0, 0.4, 0.4, 0.4)),
    Indicator("trademarks", 0, 320, 0, (0.8, 0.1, 0.0, 0.5, 0.3), 0.7),
    Indicator("pat_grant", 10, 199000, 0, (0.8, 0.0, 0.5, 0.2, 0.2)),
    Indicator("st_trade_pc", 0, 32000, 3, (0.7, 0.2, 0.3, 0.5, 0.5)),
    Indicator("green", give=0),
    Indicator("gdp_pc", give=0),
    Indicator("tertiary", 31, 84, 2, (0.6, 0.3, 0.0, 0.6, 0.3), 0.3),
    Indicator("library_pm", 20000, 12000000, 0, (0.7, 0.4, 0.0, 0.5, 0.4), 0.8),
    Indicator("internet", 90, 9800, 3, (0.6, 0.5, 0.0, 0.4, 0.4), 0.5),
    Indicator("telecom", 30000, 24000000, 0, (0.8, 0.2, 0.1, 0.4, 0.3)),
    Indicator("urban", 30, 100, 2, (0.5, 0.6, 0.0, 0.5, 0.1), 0.3),
    Indicator("coupling", give=0),
    Indicator("gdp_pc_ratio", give=0),
    Indicator("edusci_ratio", give=0),
    Indicator("hc_ratio", give=0),
)
SYMBOLS = [k.symbol for k in INDICATORS]
AT = {k: i for i, k in enumerate(SYMBOLS)}
DRAWN = np.array([i for i, k in enumerate(INDICATORS) if k.loads])
GIVE, LOW = np.array([k.give for k in INDICATORS]), np.array([k.low for k in INDICATORS])
SPAN = np.array([k.high - k.low for k in INDICATORS])
WAVE = 1.5
"""Strength of a wave that the light indicators share.

It makes them move together without the index, so that the principal-component index of Table 5 depends on digit about
as much as the printed one.
"""


def coupling(grants: Array, growth: Array) -> Array:
    """Coupling degree in per cent of min-max scaled patents granted (u) and GDP growth (v), 200 sqrt(uv)/(u+v)."""
    u, v = minmax(grants), minmax(growth)
    return 200 * np.sqrt(u * v) / (u + v)


def draw_indicators(
    rng: np.random.Generator, y: Array, digit: Array, gov: Array, population: Array, gdp: Array
) -> tuple[dict[str, Array], Raked]:
    """Raw columns behind the 25 indicators: printed weights, and an entropy index that equals ``y``.

    Parameters
    ----------
    y, digit, gov, population, gdp : arrays
        Outcome, applications in 10,000, fiscal share in tenths of GDP, 10,000 persons, 10,000 yuan.

    Returns
    -------
    raw, raked
        Raw columns by name; how the raking ended.
    """
    gdp_pc = gdp / population
    before = _beforehand(rng)
    score = _scores(rng, y, digit, gdp_pc)
    x = np.full((GRID.size, len(SYMBOLS)), 0.1)
    x[:, AT["green"]], x[:, AT["gdp_pc"]] = minmax(before["green"]), minmax(gdp_pc)
    x[:, AT["gdp_pc_ratio"]], x[:, AT["hc_ratio"]] = (
        minmax(to_primate(gdp_pc)),
        minmax(to_primate(before["hc"])),
    )
    x[:, DRAWN] = tilt_to(score[:, DRAWN], printed().weights[DRAWN] * S0)
    shape, raked = _fit(x, y, digit, before.pop("pace"), gov * gdp_pc)
    growth = np.round(8.6 + 3.4 * zscore(shape), 2)

    fiscal = np.round(gov / 10 * gdp)
    raw = {INDICATORS[i].symbol: np.round(LOW[i] + SPAN[i] * x[:, i], INDICATORS[i].decimals) for i in DRAWN}
    raw["fiscal_exp"] = fiscal
    raw["edu_exp"] = np.round(raw.pop("edu_share") / 100 * fiscal)
    raw["sci_exp"] = np.round(raw.pop("sci_share") / 100 * fiscal)
    raw["st_trade"] = np.round(raw.pop("st_trade_pc") * population)
    raw["library_books"] = np.round(raw.pop("library_pm") * population / 100)
    raw["internet_users"] = np.round(raw.pop("internet") * population)
    return raw | before | {"gdp_growth": growth}, raked


def _beforehand(rng: np.random.Generator) -> dict[str, Array]:
    """Pace of growth, greenery and schooling.

    Greenery and schooling hardly vary, and yet have a weight: in each, one city-year carries a slipped decimal point.
    Without such a cell the printed weights 0.0213 and 0.0095 per cent could not come from pooled min-max scaling.
    """
    normal, primate = rng.standard_normal, GRID.expand(cities()["primate"].to_numpy())
    pace = -1.3 * GRID.standard_trend + GRID.ar1(rng, 0.5) + 0.5 * GRID.expand(normal(GRID.units))
    pace = 0.35 + 0.65 * minmax(pace)
    pace[int(np.flatnonzero(cities()["city"] == "Wuhan")[0]) * 14 + 12] = (
        0.0  # the deepest fall: Wuhan in 2020
    )
    green = 40 + 1.5 * GRID.standard_trend + 2 * GRID.expand(normal(GRID.units)) + 1.5 * GRID.ar1(rng, 0.6)
    green[rng.integers(GRID.size)] = 0.4
    relative = np.where(primate == 1, 1.0, 0.93 + 0.035 * GRID.expand(normal(GRID.units)))
    schooling = 9.6 * relative * (1 + 0.02 * GRID.standard_trend) + 0.15 * GRID.ar1(rng, 0.5)
    schooling[rng.choice(np.flatnonzero(primate == 0))] /= 10
    return {"pace": pace, "green": np.round(green, 2), "hc": np.round(schooling, 2)}


def _scores(rng: np.random.Generator, y: Array, digit: Array, gdp_pc: Array) -> Array:
    """Latent score of every drawn indicator, one column each."""
    ly, dev, dig = zscore(np.log(y)), zscore(np.log(gdp_pc)), zscore(np.log(0.002 + digit))
    capital = cities()["code"].to_numpy() % 10000 <= 100  # municipalities and provincial capitals
    learned = rng.standard_normal(GRID.units) + 1.5 * capital
    filed = rng.standard_normal(GRID.units)
    common = WAVE * GRID.ar1(rng, 0.6) + 2.0 * GRID.standard_trend
    score = np.zeros((GRID.size, len(SYMBOLS)))
    for i in DRAWN:
        one = INDICATORS[i]
        city = rng.standard_normal(GRID.units)
        if one.symbol in ("colleges", "teachers", "students", "papers"):
            city = 0.8 * learned + 0.6 * city
        if one.symbol.startswith("pat_"):
            city = filed
        a, b, c, d, e = one.loads or (0, 0, 0, 0, 0)
        score[:, i] = zscore(
            a * ly + b * dev + c * dig + d * GRID.expand(zscore(city)) + e * GRID.ar1(rng, 0.5)
        )
        if one.give < 1:
            score[:, i] += common
    return score


def _fit(x: Array, y: Array, digit: Array, pace: Array, spending: Array) -> tuple[Array, Raked]:
    """Rake the scaled indicators ``x`` in place onto the outcome ``y``; scaled GDP growth comes back.

    The coupling value and the ratio of spending to the primate city are computed from other columns in every round;
    their redundancies are steered by the shape of growth and by the education share. Patent applications never fall
    below the digital ones.
    """
    weights = printed().weights
    computed = np.array([AT["coupling"], AT["edusci_ratio"]])
    edu, sci, grants, apply = (AT[k] for k in ("edu_share", "sci_share", "pat_grant", "pat_apply"))
    least = (1.05e4 * digit - LOW[apply]) / SPAN[apply]
    bend = 1.0

    def compute(x: Array) -> None:
        x[:, apply] = np.clip(np.maximum(x[:, apply], least), 0, 1)
        x[:, computed[0]] = minmax(coupling(x[:, grants], pace**bend))
        shares = LOW[edu] + SPAN[edu] * x[:, edu] + LOW[sci] + SPAN[sci] * x[:, sci]
        x[:, computed[1]] = minmax(to_primate(shares * spending))

    def steer(x: Array, total: float) -> None:
        nonlocal bend
        heavy = np.sqrt(redundancy(x[:, computed]) / (weights[computed] * total))
        bend = float(np.clip(bend * np.clip(heavy[0], 0.8, 1.25), 0.4, 4.0))
        lean = np.clip(-0.5 * np.log(heavy[1]), -0.1, 0.1)
        x[:, edu] = minmax(x[:, edu] * np.exp(lean * zscore(np.log(0.02 + x[:, computed[1]]))))

    result = rake(x, y, weights, GIVE, S0, compute, steer)
    return pace**bend, result


def draw_economy(rng: np.random.Generator, density: Array) -> dict[str, Array]:
    """Population, GDP per head and GDP; the spread within clusters gives the weight of the ratio to the primate."""
    frame = cities()
    rich = zscore(np.log((frame["gdp"] / frame["population"]).to_numpy()))
    common = pd.Series(rich).groupby(frame["cluster"]).transform("mean").to_numpy()
    own, moves = rich - common, GRID.ar1(rng, 0.7)
    w = printed().weights
    target = S0 * w[[AT["gdp_pc"], AT["gdp_pc_ratio"]]]

    def draw(spread: float) -> Array:
        score = GRID.expand(1.1 * common + spread * own) + 0.9 * GRID.standard_trend + 0.12 * moves
        x = tilt_to(score[:, None], target[:1])[:, 0]
        return np.round(14000 + (206000 - 14000) * x)

    def gap(spread: float) -> float:
        return float(redundancy(minmax(to_primate(draw(spread)))[:, None])[0] - target[1])

    gdp_pc = draw(brentq(gap, 0.05, 1.2, xtol=5e-3) if gap(0.05) * gap(1.2) < 0 else 0.3)
    area = GRID.expand(frame["area_km2"].to_numpy())
    population = np.round(density * area / 1000, 2)
    return {"population": population, "area": area, "gdp": np.round(gdp_pc * population)}
