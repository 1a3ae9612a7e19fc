"""information-consumption (Cai and Xia 2025): 290 cities x 2003-2023, a staggered pilot, 31 printed columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from engine import Grid, Move, Paper, as_seen, frame, own_column, paths
from engine.rows import Rows

from regionbook.papers.declare import Column, declaring
from regionbook.paths import data_file

YEARS = np.arange(2003, 2024)
SHAPE = (290, len(YEARS))
CONTROLS = ["pgdp", "fiscal", "lnpop", "structure", "lnstudents"]
OUTCOMES = ("quantity", "quality")
MEDIATORS = ("research", "start", "finance", "digital", "information")
LEADS = [f"lead{k}" for k in (2, 3, 4, 5)]
RICH = (
    "深圳市 北京市 上海市 广州市 苏州市 杭州市 东莞市 南京市 成都市 武汉市 宁波市 天津市 佛山市 重庆市 西安市 无锡市 青岛市 合肥市 "
    "长沙市 厦门市 郑州市 济南市 珠海市 常州市 温州市 福州市 中山市 惠州市 大连市 沈阳市"
)
BIG = (
    "重庆市 上海市 北京市 成都市 南阳市 周口市 阜阳市 临沂市 保定市 徐州市 石家庄市 赣州市 天津市 郑州市 邯郸市 菏泽市 商丘市 "
    "哈尔滨市 广州市 西安市 武汉市 毕节市 驻马店市 潍坊市"
)

# ------------------------------------------------------------------------------------------------------- tables
_of = declaring(CONTROLS, errors="HC1")
_effects = " | city + year"


def _both(table: str, columns: Sequence[str], right: str, **more: Any) -> list[Column]:
    """The same column for quantity and quality."""
    return [_of(table, c, f"{y} ~ {right}{_effects}", **more) for c, y in zip(columns, OUTCOMES, strict=True)]


TABLES = [
    *_both("1", "13", "reform"),
    *_both("1", "24", "reform + {X}"),
    *[_of("2", c, f"{y}_grant ~ reform + {{X}}{_effects}") for c, y in zip("12", OUTCOMES, strict=True)],
    *_both("2", "34", "demonstrate + {X}"),
    *_both("2", "56", "reform + {X}", sample="municipality == 0"),
    *_both("3", "13", "reform", sample="matched == 1"),
    *_both("3", "24", "reform + {X}", sample="matched == 1"),
    *[_of("4", str(i + 1), f"{y} ~ reform + {{X}}{_effects}") for i, y in enumerate(MEDIATORS)],
    *[c for at, r in zip(("14", "25", "36"), ("East", "Central", "West"), strict=True)
      for c in _both("5", at, "reform + {X}", sample=f"region == '{r}'")],
    *[c for at, size in zip(("14", "25", "36"), (3, 2, 1), strict=True)
      for c in _both("6", at, "reform + {X}", sample=f"size_class == {size}")],
]  # fmt: skip
FREE = {
    ("3",): "the matched sample: a robustness table",
    ("5", "2"): "the centre: a sub-sample",
    ("5", "5"): "the centre: a sub-sample",
    ("6", "3"): "large cities: a sub-sample",
    ("6", "6"): "large cities: a sub-sample",
}
_patents = {"lower": 0, "decimals": 4, "cap": 2.0}
MOVES = {
    "quantity": Move(size=0.30, smooth=0.95, **_patents),
    "quality": Move(size=0.30, smooth=0.95, **_patents),
    "quantity_grant": Move(**_patents),
    "quality_grant": Move(**_patents),
    "research": Move(0, decimals=3, cap=1.5),
    "start": Move(0, decimals=4, cap=1.5),
    "finance": Move(size=0.05, decimals=3),
    "digital": Move(0, 1, size=0.1, decimals=5),
    "information": Move(0, 1, decimals=5, cap=1.5),
}


def own(v: Grid, truth: dict[str, Any], printed: Any) -> list[Rows]:
    """Not printed: the effect in logs and in a Poisson regression is the true one, leads are flat, paths the story's."""
    data, right = frame(v), f"reform + {' + '.join(CONTROLS)}{_effects}"
    leads = f"reform + {' + '.join([*LEADS, *CONTROLS])}{_effects}"
    flat = "figure 1 shows no difference before the pilots"
    rows: list[Rows] = []
    for y in OUTCOMES:
        log = Column("own", f"log {y}", f"log({y}) ~ {right}", errors="HC1")
        effect = as_seen(log, data, f"lift_{y}")
        rows.append(
            own_column(
                log, data, {"reform": (effect, 0.02)}, "the true effect as least squares on logs sees it"
            )
        )
        poisson = Column("own", f"Poisson {y}", f"{y} ~ {right}", estimator="poisson", errors="HC1")
        rows.append(own_column(poisson, data, {"reform": (effect, 0.03)}, "the same by Poisson"))
        if truth["trend_gap"] == 0:
            column = Column("own", f"leads {y}", f"{y} ~ {leads}", errors="HC1")
            rows.append(own_column(column, data, dict.fromkeys(LEADS, (0.0, 0.02)), flat))
    return rows + list(paths(v, OUTCOMES, SHAPE[1]))


# -------------------------------------------------------------------------------------------------------- story
def ar1(rng: np.random.Generator, rho: float, sd: float = 1.0) -> np.ndarray:
    """First-order autoregression within cities."""
    e = rng.normal(size=SHAPE) * sd
    for t in range(1, SHAPE[1]):
        e[:, t] = rho * e[:, t - 1] + np.sqrt(1 - rho**2) * e[:, t]
    return e


def cities() -> pd.DataFrame:
    """The 290 cities: all of prefecture level but two without statistics and five of Tibet."""
    u = pd.read_csv(data_file("geo", "units.csv"))
    u = u[u["level"].isin(["municipality", "prefecture-level city"])]
    tibet = u["province"].str.startswith("西藏") & ~u["name_zh"].str.startswith("拉萨")
    return u[~tibet & ~u["name_zh"].isin(["三沙市", "儋州市"])].reset_index(drop=True)


def _ranked(
    x: np.ndarray, names: pd.Series, first: Sequence[str], top: float, step: float, power: float
) -> None:
    """Put named cities at the top, in their order."""
    for r, name in enumerate(first):
        x[names == name] = top - step * (r / len(first)) ** power


def _absent(rng: np.random.Generator, s: np.ndarray, region: np.ndarray, muni: np.ndarray) -> np.ndarray:
    """Kept cells: absent ones by region as printed, more of them early and in small cities; five of the municipalities."""
    n, T = SHAPE
    keep, t = np.ones((n, T), bool), np.arange(T)
    gone = rng.choice(4 * T, 5, replace=False)
    keep[np.flatnonzero(muni)[gone // T], gone % T] = False
    for name, size in (("East", 120), ("Central", 163), ("West", 328)):
        rows = np.flatnonzero((region == name) & ~muni)
        p = np.exp(-0.8 * s[rows])[:, None] * np.exp(-0.12 * t)
        left = size - (~keep[region == name]).sum()
        cells = rng.choice(p.size, left, replace=False, p=(p / p.sum()).ravel())
        keep[rows[cells // T], cells % T] = False
    return keep


def story(
    rng: np.random.Generator, effect: float = 0.42, trend_gap: float = 0.0
) -> tuple[Grid, dict[str, Any]]:
    """City size and growth, pilots chosen on size, an effect that grows with exposure and with the city's standing.

    Parameters
    ----------
    effect
        Long-run log points of quantity; quality has 1.2 times as many.
    trend_gap
        Log points a year by which a city one step larger grows faster, pilot or not.
    """
    u, (n, T), t = cities(), SHAPE, np.arange(SHAPE[1])
    muni, region = (u["level"] == "municipality").to_numpy(), u["region3"].to_numpy()
    s = rng.normal(size=n) * 0.7 + u["region3"].map({"East": 0.6, "Central": 0.0, "West": -0.4}).to_numpy()
    _ranked(s, u["name_zh"], RICH.split(), 3.0, 1.3, 0.6)
    pop = rng.normal(size=n) * 0.55 + 0.12 * s
    _ranked(pop, u["name_zh"], BIG.split(), 2.4, 1.5, 0.5)
    pop = pop[:, None] + (0.004 * (s + 0.3)[:, None]) * (t - 10) + ar1(rng, 0.9, 0.12)
    # 104 areas, 102 of them cities of the sample; demonstration cities picked among them on merit
    pilot = np.argsort(-(0.85 * s + 0.9 * rng.logistic(size=n)))[:102]
    g = np.full(n, np.inf)
    g[pilot] = rng.permutation(np.repeat([2014, 2015], [68, 34]))
    k = YEARS[None, :] - g[:, None]  # -inf for cities never treated
    treated, after = k >= 0, np.where(k >= 0, k, -1.0) + 1
    demo = np.zeros(n, bool)
    demo[pilot[np.argsort(-(s[pilot] + 0.5 * rng.normal(size=102)))[:22]]] = True
    keep = _absent(rng, s, region, muni)
    o = np.sort(pop[keep])[::-1]  # population: order kept, class counts as printed
    cuts = [(o[a - 1] + o[a]) / 2 for a in (236, 1892, 5246)]
    lnpop = np.interp(pop, [pop.min(), *cuts[::-1], pop.max()], np.log([20, 100, 500, 1000, 3400]))
    shock, z = ar1(rng, 0.8), s[:, None]
    c = {
        "pgdp": np.exp(0.05 + 0.24 * z + np.cumsum(0.11 - 0.00225 * t) - 0.11 + 0.16 * shock),
        "fiscal": np.clip(0.10 + 0.005 * t - 0.02 * z + ar1(rng, 0.8, 0.03), 0.03, 0.9),
        "lnpop": lnpop,
        "structure": np.clip(0.44 + 0.03 * z - 0.004 * t + ar1(rng, 0.8, 0.05), 0.05, 0.85),
        "lnstudents": 9.6 + 0.9 * z + 0.045 * t + ar1(rng, 0.8, 0.15),
    }
    # outcomes: level x growth x effect; populous cities follow the common path closely, small ones scatter
    lift = effect * (1 - np.exp(-after / 3.0))
    lift = lift * np.where(region == "East", 1.15, 0.9)[:, None] * np.where(muni | demo, 1.3, 1.0)[:, None]
    path = np.interp(t, [0, 7, 11, 17, 20], [-2.6, -1.6, -1.0, 0, -0.25])
    path2 = np.interp(t, [0, 7, 11, 15, 16, 17, 20], [-2.4, -1.6, -0.9, -0.15, -0.25, -0.05, 0.1])
    calm = np.interp(lnpop, [5.0, 6.3, 7.2], [1.3, 0.95, 0.6]) * np.where(z > 1.6, 0.8, 1.0)
    apart = trend_gap * (t - 10) * z
    e1, e2 = ar1(rng, 0.75, 0.62) * calm, ar1(rng, 0.75, 0.25) * calm
    base = -3.15 + 0.95 * z + 0.22 * shock + 0.25 * (lnpop - 5.8) + apart
    c["quantity"] = np.exp(base + path + e1 + lift)
    c["quality"] = np.exp(base + 0.1 + 0.12 * z + 0.35 * muni[:, None] + path2 + 0.5 * e1 + e2 + 1.2 * lift)
    c["quantity_grant"] = c["quantity"] * np.exp(ar1(rng, 0.7, 0.15))
    c["quality_grant"] = 0.4 * c["quality"] * np.exp(ar1(rng, 0.7, 0.2))
    c |= _mediators(rng, z, t, 1 - np.exp(-after / 2.0), keep)
    c |= {"lift_quantity": lift, "lift_quality": 1.2 * lift}
    c = {a: np.where(keep, b, np.nan).ravel() for a, b in c.items()}

    def wide(x: Any) -> np.ndarray:
        return np.repeat(np.asarray(x), T)

    c |= {"code": wide(u["code"]), "city": wide(u["name_en"]), "city_zh": wide(u["name_zh"])}
    c |= {"province": wide(u["province_en"]), "region": wide(region), "year": np.tile(YEARS, n)}
    c |= {"municipality": wide(muni) * 1, "pilot_year": wide(np.where(np.isfinite(g), g, 0).astype(int))}
    c |= {"reform": treated.ravel() * 1, "demonstrate": (demo[:, None] & (YEARS >= 2015)).ravel() * 1}
    c["size_class"] = np.digitize(np.exp(lnpop.ravel()), [100, 500, 1000])
    for j, name in enumerate(LEADS):
        c[name] = (k.ravel() == -(j + 2)) * 1
    for name, digits in zip(CONTROLS, (4, 5, 5, 5, 5), strict=True):
        c[name] = np.round(c[name], digits)
    c["matched"], matched = match(c)
    there = treated & keep
    truth = {
        "effect": "quantity and quality rise by a factor that grows with years since the pilot",
        "log_effect": effect,
        "trend_gap": trend_gap,
        "mean_log_lift": {"quantity": float(lift[there].mean()), "quality": float(1.2 * lift[there].mean())},
    }
    return c, truth | matched


def _mediators(
    rng: np.random.Generator, z: np.ndarray, t: np.ndarray, exposure: np.ndarray, keep: np.ndarray
) -> Grid:
    """Five channels, each with its own years and its printed number of cells."""
    late = t - 8
    c = {
        "research": np.exp(0.2 + 0.8 * z + 0.13 * t + 0.15 * exposure + ar1(rng, 0.7, 0.35)),
        "start": np.exp(-0.6 + 0.3 * z + 0.06 * t + 0.08 * exposure + ar1(rng, 0.7, 0.4)),
        "finance": 45 + 14.5 * late + 6 * z + 1.3 * exposure + ar1(rng, 0.7, 4.5),
        "digital": np.clip(
            np.exp(-2.1 + 0.2 * z + 0.05 * late + 0.06 * exposure + ar1(rng, 0.7, 0.14)), 0.001, 0.98
        ),
        "information": np.exp(-4.1 + 0.15 * z + 0.25 * exposure + ar1(rng, 0.6, 0.35)),
    }
    sizes = (("start", 2003, 2023, 4916), ("finance", 2011, 2023, 3074), ("digital", 2011, 2023, 3081))
    for name, first, last, size in (*sizes, ("information", 2003, 2020, 4367)):
        inside = keep & (first <= YEARS) & (last >= YEARS)
        cells = np.flatnonzero(inside.ravel())
        c[name] = np.where(inside, np.maximum(c[name], 1e-4), np.nan)
        c[name].ravel()[rng.choice(cells, len(cells) - size, replace=False)] = np.nan
    return c


def match(c: Grid, want: int = 4822) -> tuple[np.ndarray, dict[str, int]]:
    """Pooled logit on the controls, k nearest neighbours with replacement; the last cells trimmed to the printed N."""
    import statsmodels.api as sm

    rows = np.flatnonzero(np.isfinite(c["pgdp"]))
    X = sm.add_constant(np.column_stack([c[k][rows] for k in CONTROLS]))
    tr = c["pilot_year"][rows] > 0
    score = X @ sm.Logit(tr * 1.0, X).fit(disp=0).params
    order = np.argsort(score[~tr])
    pool = score[~tr][order]
    at = np.searchsorted(pool, score[tr])

    def used(k: int) -> np.ndarray:
        hit = np.zeros(len(pool), bool)
        for v, j in zip(score[tr], at, strict=True):
            a, b = max(0, j - k), min(len(pool), j + k)
            hit[a + np.argsort(np.abs(pool[a:b] - v))[:k]] = True
        return hit

    k, hit = min(((k, used(k)) for k in range(1, 20)), key=lambda p: abs(p[1].sum() + tr.sum() - want))
    raw = int(hit.sum() + tr.sum())
    spare = raw - want
    pool_at = np.flatnonzero(hit if spare > 0 else ~hit)
    far = np.argsort(-np.sign(spare) * np.abs(pool[pool_at] - np.median(score[tr])))
    hit[pool_at[far[: abs(spare)]]] = spare < 0
    out = np.zeros(len(c["pgdp"]), int)
    out[rows[tr]], out[rows[~tr][order[hit]]] = 1, 1
    return out, {"matching_neighbours": k, "matched_before_trimming": raw}


WORLDS = {"no-effect": {"effect": 0.0, "trend_gap": 0.02}}
PAPER = Paper(
    "information-consumption", ("city", "year"), TABLES, story, MOVES, free=FREE, own=own, worlds=WORLDS
)
