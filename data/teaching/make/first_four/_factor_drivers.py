"""Structural draw of `factor-innovation`: sector output, factor innovation, controls and the outcome."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from first_four._calibrate import Array, marginal, residual, zscore
from first_four._factor_fit import TAL_MINIMUM
from first_four._factor_targets import (
    CONTROLS,
    FULL,
    ID,
    SAMPLE,
    SHORT,
    YEARS,
    Printed,
    combine,
    printed,
    provinces,
)

SHAPE = {
    "ID1": (0.218, -0.022, -0.267, 0.250),
    "ID2": (0.110, -0.110, -0.182, -0.005),
    "ID3": (0.067, 0.132, -0.131, -0.246),
}
"""Spread, growth, convergence and late growth added to the logarithm of a sector's output."""
FLOOR = {"LI": 0.0020, "KI": 0.0045, "TI": 0.0006}
"""Least score of a part: even the smallest province has some investment growth."""


@dataclass(frozen=True)
class Process:
    """Parameters of the process.

    The total effect of a part of FI on the outcome is its direct effect plus ``mediator * first_stage``. ``boom`` is the
    share that local booms make up in the noise of the mediator and of the outcome.
    """

    direct: tuple[float, float, float] = (1.554, 0.466, -0.068)
    first_stage: tuple[float, float, float] = (0.132, 0.267, 0.353)
    mediator: float = 0.217
    controls: tuple[float, float, float, float] = (0.020, -0.034, -0.059, -0.058)
    first_stage_controls: tuple[float, float, float, float] = (-0.385, -0.060, 0.071, 0.103)
    regional: dict[str, float] = field(
        default_factory=lambda: {"East": 0.0, "Central": 0.03, "West": 0.13, "Northeast": 0.25}
    )
    noise: float = 0.014
    persistence: float = 0.5
    policy_effect: float = 0.12
    boom: float = 0.0


def gdp_path() -> Array:
    """Output of the provinces, 100 million yuan, 31 x 21: geometric between 2003, 2013 and 2023."""
    f = np.log(provinces()[["gdp_2003", "gdp_2013", "gdp_2023"]].to_numpy(float))
    t = np.arange(21)
    early = f[:, :1] + (f[:, 1:2] - f[:, :1]) * t[None] / 10
    late = f[:, 1:2] + (f[:, 2:] - f[:, 1:2]) * (t[None] - 10) / 10
    return np.exp(np.where(t < 10, early, late))


def sector_output(rng: np.random.Generator) -> dict[str, Array]:
    """Value added of the three sectors, 100 million yuan, 651 province-years."""
    f, gdp = provinces(), gdp_path().ravel() * np.exp(0.012 * FULL.ar1(rng, 0.8))
    back = np.tile(2023 - YEARS, 31)
    p = FULL.expand(f["primary"].to_numpy() / 100)
    primary = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + 0.036 * back + 0.03 * FULL.ar1(rng, 0.8))))
    s = FULL.expand((f["secondary"] / (100 - f["primary"])).to_numpy())
    shift = np.where(back > 10, 0.36 + 0.006 * (back - 10), 0.036 * back)
    second = 1 / (1 + np.exp(-(np.log(s / (1 - s)) + shift + 0.03 * FULL.ar1(rng, 0.8))))
    rest = (1 - primary) * gdp
    out = {"ID1": primary * gdp, "ID2": rest * second, "ID3": rest * (1 - second)}
    # a smooth change of shape, the same for all seeds, that brings the entropy weights near the printed ones
    t, total = (YEARS - 2013) / 10, FULL.by_unit(gdp)
    for k, (spread, growth, converge, late) in SHAPE.items():
        log = np.log(FULL.by_unit(out[k]))
        own = (log.mean(1) - log.mean())[:, None]
        out[k] = np.exp(log + spread * own + growth * t + converge * own * t + late * np.maximum(t, 0))
    for name in f["region4"].unique():
        here = (f["region4"] == name).to_numpy()
        scale = total[here].sum(0) / sum(x[here].sum(0) for x in out.values())
        for k in ID:
            out[k][here] *= scale
    return {k: x.ravel() for k, x in out.items()}


def mediators(
    output: dict[str, Array], goal: Printed
) -> tuple[dict[str, Array], dict[str, tuple[float, float]]]:
    """Partial scores of ID from sector output, and (least output, output per unit of score)."""
    value, unit = {}, {}
    for k in ID:
        x = output[k]
        per = (x.max() - x.min()) / goal.whole[k]
        value[k], unit[k] = (x - x.min()) / per, (float(x.min()), float(per))
    return value, unit


def factor_innovation(rng: np.random.Generator) -> dict[str, Array]:
    """LI, KI and TI of all 651 province-years: output to a power, science, persistent noise."""
    g, science = np.log(gdp_path()), provinces()["science"].to_numpy()
    total = {}
    # (power of output between, power over time, science, unit noise, passing noise, mean 2013-2023)
    plan = {
        "LI": (0.66, 0.72, 0.20, 0.10, 0.03, 0.039),
        "KI": (0.88, 1.05, 0.25, 0.10, 0.04, 0.034),
        "TI": (1.15, 0.95, 0.36, 0.15, 0.06, 0.088),
    }
    for k, (power, growth, load, unit, passing, mean) in plan.items():
        centre = g.mean(1, keepdims=True)
        path = power * centre + growth * (g - centre) + load * science[:, None]
        path = path.ravel() + FULL.expand(unit * rng.standard_normal(31)) + passing * FULL.ar1(rng, 0.7)
        x, floor = np.exp(path), FLOOR[k]
        x = floor + x * (mean - floor) / x[SAMPLE].mean()
        cap = printed().whole[k] * 0.92
        total[k] = x / (1 + (x / cap) ** 8) ** 0.125
    return total


def controls(rng: np.random.Generator) -> dict[str, Array]:
    """TAL (per cent), BASE, GAP (income ratio), GOV of all 651 province-years; the moments hold in 2013-2023."""
    f, m = provinces(), printed().moments
    science, size = f["science"].to_numpy(), zscore(np.log(f["gdp_2013"].to_numpy()))
    rich = zscore(np.log(f["gdp_2013"].to_numpy()) * 0.3 + science)
    t, capital = FULL.standard_trend, f["code"].isin([110000, 310000, 120000]).to_numpy(float)
    west = (f["region4"] == "West").to_numpy(float)
    score = {
        "TAL": 1.2 * FULL.expand(zscore(science + 0.5 * capital)) + 0.45 * t,
        "BASE": FULL.expand(-0.9 * size + 0.3 * rng.standard_normal(31)) + 0.9 * t,
        "GAP": FULL.expand(0.9 * west - 0.35 * rich + 0.45 * rng.standard_normal(31)) - 0.55 * t,
        "GOV": FULL.expand(-1.2 * size + 0.25 * rng.standard_normal(31)) + 0.05 * t,
    }
    passing = {"TAL": 0.35, "BASE": 0.35, "GAP": 0.12, "GOV": 0.12}
    bend = {"TAL": 0.15, "BASE": 0.0, "GAP": 0.0, "GOV": 0.25}
    out = {}
    for k, s in score.items():
        s = s + passing[k] * FULL.ar1(rng, 0.7)
        mean, sd, low, high = m[k]
        low = TAL_MINIMUM if k == "TAL" else low
        inside = marginal(s[SAMPLE], mean, sd, low, high, bend[k])
        order = np.argsort(s[SAMPLE])
        x = np.interp(s, s[SAMPLE][order], inside[order])
        x[SAMPLE] = inside
        below = s < s[SAMPLE].min()
        x[below] = low * np.exp(0.5 * (s[below] - s[SAMPLE].min())) if k != "GAP" else low
        above = s > s[SAMPLE].max()
        x[above] = high * (1 + 0.1 * (s[above] - s[SAMPLE].max()))
        out[k] = x
    return out


def as_used(levels: dict[str, Array]) -> dict[str, Array]:
    """TAL and GAP scaled to [0, 1] as in equations (1) and (2) over 2013-2023, the others as they are."""
    tal, gap = levels["TAL"], levels["GAP"]
    t, g = tal[SAMPLE], gap[SAMPLE]
    return levels | {
        "TAL": (tal - t.min()) / (t.max() - t.min()),
        "GAP": (g.max() - gap) / (g.max() - g.min()),
    }


def local_boom(rng: np.random.Generator, q: Process, v: dict[str, Array]) -> Array:
    """A cause of unit variance that makes up the share ``q.boom`` of what FI and the controls leave of the mediator."""
    within = {k: SHORT.within(combine(v, k)[SAMPLE]) for k in ("ID", "FI", *CONTROLS)}
    left = residual(within.pop("ID"), np.column_stack(list(within.values())))
    boom = FULL.ar1(rng, q.persistence)
    boom[SAMPLE] = np.sqrt(q.boom) * zscore(left) + np.sqrt(1 - q.boom) * boom[SAMPLE]
    return boom


def outcome(
    rng: np.random.Generator,
    q: Process,
    v: dict[str, Array],
    goal: Printed,
    boom: Array | None = None,
    treated: Array | None = None,
) -> tuple[Array, Array]:
    """RCD of all 651 province-years from the process, and which provinces the fictional policy treats.

    Province effects rise with output and science. The policy of 2013 raises RCD by a factor; where ``treated`` is not
    given it is assigned by lot, among the assignments with parallel trends.
    """
    f = provinces()
    region = FULL.expand(f["region4"].map(q.regional).to_numpy(float))
    fi = v["LI"] + v["KI"] + v["TI"]
    y = sum(b * v[k] for b, k in zip(q.direct, ("LI", "KI", "TI"), strict=True)) + region * fi
    y = y + q.mediator * (v["ID1"] + v["ID2"] + v["ID3"])
    y = y + sum(b * v[k] for b, k in zip(q.controls, CONTROLS, strict=True))
    noise = FULL.ar1(rng, q.persistence)
    if boom is not None:
        noise = np.sqrt(q.boom) * boom + np.sqrt(1 - q.boom) * noise
    y = y + q.noise * noise
    table = FULL.by_unit(y)
    level = np.where(YEARS < 2013, 0.07 + 0.0118 * (YEARS - 2003), 0.195 + 0.0115 * (YEARS - 2013))
    table = table - table.mean(0) + level
    # what the province effects must add so that the printed mean, spread and lists come out
    now = table[:, 10:].mean(1)
    rank = 0.5 * zscore(np.log(f["gdp_2013"].to_numpy())) + 0.35 * f["science"].to_numpy()
    listed = sum(f["name_en"].isin(goal.above["RCD", year]).to_numpy(float) for year in (2013, 2023)) / 2
    want = np.clip(zscore(rank + 1.5 * listed + 0.25 * rng.standard_normal(31)), -1.45, 1.9)
    table = table + (0.253 + 0.092 * zscore(want) - now)[:, None]
    shrink = np.where(YEARS < 2013, 0.32 + 0.06 * (YEARS - 2003), 1.0)
    table = level + (table - level) * shrink
    table = np.maximum(table, 0.02)
    log = np.log(table)
    lots = np.argsort(rng.random((600, 31)), axis=1) < 10
    slope, change = log[:, :10] @ (np.arange(10) - 4.5) / 82.5, log[:, 10:].mean(1) - log[:, :10].mean(1)
    apart = [
        10 * abs(slope[t].mean() - slope[~t].mean()) + abs(change[t].mean() - change[~t].mean()) for t in lots
    ]
    treated = lots[int(np.argmin(apart))] if treated is None else treated
    table = table * np.exp(q.policy_effect * (treated - 10 / 31))[:, None] ** (YEARS >= 2013)
    return table.ravel(), treated
