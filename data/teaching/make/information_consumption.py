"""information-consumption (Cai and Xia 2025): 290 cities x 2003-2023, a staggered pilot, 31 printed columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from engine import Grid, Move, Paper, as_seen, frame, own_column, paths, write_worlds
from engine.rows import Rows

from regionbook.papers import information_consumption as paper
from regionbook.papers.declare import Column
from regionbook.papers.information_consumption import CONTROLS, OUTCOMES, PATENTS
from regionbook.paths import data_file

YEARS = np.arange(2003, 2024)
SHAPE = (290, len(YEARS))
LEADS = [f"lead{k}" for k in (2, 3, 4, 5)]
OTHER = ("broadband", "smart_city")
RICH = (
    "深圳市 北京市 上海市 广州市 苏州市 杭州市 东莞市 南京市 成都市 武汉市 宁波市 天津市 佛山市 重庆市 西安市 无锡市 青岛市 合肥市 "
    "长沙市 厦门市 郑州市 济南市 珠海市 常州市 温州市 福州市 中山市 惠州市 大连市 沈阳市"
)
BIG = (
    "重庆市 上海市 北京市 成都市 南阳市 周口市 阜阳市 临沂市 保定市 徐州市 石家庄市 赣州市 天津市 郑州市 邯郸市 菏泽市 商丘市 "
    "哈尔滨市 广州市 西安市 武汉市 毕节市 驻马店市 潍坊市"
)
CAPITALS = "武汉市 郑州市 长沙市 合肥市"  # pilots in any draw: without them the centre has no large pilot
MIDDLE = "温州市 杭州市 青岛市 合肥市 南京市 长沙市 沈阳市 苏州市 福州市 济南市 宁波市 大连市"

# ------------------------------------------------------------------------------------------------------- targets
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
    "finance": Move(size=0.05, decimals=2),
    "digital": Move(0, 1, size=0.1, decimals=5),
    "information": Move(0, 1, decimals=5, cap=1.5),
}


def own(v: Grid, truth: dict[str, Any], printed: Any) -> list[Rows]:
    """Not printed: logs and Poisson see what the truth has them see, leads are flat, paths the story's."""
    data, rows, simple = frame(v), [], f"reform + {' + '.join(CONTROLS)} | city + year"
    for y in OUTCOMES:
        for part in ("region == 'Central'", "size_class == 1"):  # whose printed columns are free
            log = Column("own", f"log {y}, {part}", f"log({y}) ~ {simple}", errors="HC1", sample=part)
            aims = {"reform": (as_seen(log, data, f"shift_{y}")["reform"], 0.03)}
            rows.append(own_column(log, data, aims, "the truth as logs see it"))
        for more, what in (
            ([], "the truth as logs see it"),
            (list(OTHER), "the same beside the other policies"),
        ):
            rhs = f"reform + {' + '.join([*more, *CONTROLS])} | city + year"
            log = Column("own", f"log {y}{' +' * len(more[:1])}", f"log({y}) ~ {rhs}", errors="HC1")
            seen = as_seen(log, data, f"shift_{y}")
            rows.append(own_column(log, data, {k: (seen[k], 0.02) for k in ("reform", *more)}, what))
        poisson = Column("own", f"Poisson {y}", f"{y} ~ {rhs}", estimator="poisson", errors="HC1")
        rows.append(own_column(poisson, data, {"reform": (seen["reform"], 0.03)}, "the same by Poisson"))
        if truth["leads_flat"]:
            leads = f"{y} ~ reform + {' + '.join([*LEADS, *CONTROLS])} | city + year"
            flat = "figure 1 shows no difference before the pilots"
            column = Column("own", f"leads {y}", leads, errors="HC1")
            rows.append(own_column(column, data, dict.fromkeys(LEADS, (0.0, 0.02)), flat))
    return rows + list(paths(v, OUTCOMES, SHAPE[1]))


# ------------------------------------------------------------------------------------- raw columns to variables
def right(d: Any) -> dict[str, Any]:
    """Treatment, its leads, other policies, controls and groups from raw columns."""
    v = paper.policies(d) | paper.controls(d)
    until = np.where(v["pilot_year"] > 0, v["pilot_year"] - d["year"], 99)
    return v | {k: (until == int(k[4:])) * 1 for k in LEADS}


def prepare(d: pd.DataFrame) -> pd.DataFrame:
    """The paper's variables, and the leads."""
    return paper.prepare(d.set_index(["city", "year"])).reset_index().assign(**right(d))


def raw(v: Grid) -> pd.DataFrame:
    """What is shipped: the raw columns of the kept cells."""
    d = frame(v)
    for y, name in PATENTS.items():
        d[name] = (1e4 * d[y]).round()
    digital = d["utility_granted"] + d["invention_granted"]
    d["patents_granted"] = np.maximum((d["research"] * d["population"]).round(), digital)
    d["new_firms"], d["finance_index"] = (10 * d["start"] * d["population"]).round(), d["finance"]
    d["it_staff"] = (1e4 * d["information"] * d["employment"]).round()
    there = d["digital"].notna()
    z = _indicators(d.loc[there, ["digital", "noise1", "noise2"]].to_numpy())
    for (name, (mean, sd, digits)), x in zip(INDICATORS.items(), z.T, strict=True):
        d.loc[there, name] = ((mean + sd * x) * d.loc[there, "population"]).round(digits)
    d = d.loc[d["quantity"].notna(), list(DICTIONARY)].reset_index(drop=True)
    whole = [k for k in d.select_dtypes("number") if d[k].notna().all() and (d[k] % 1 == 0).all()]
    return d.astype(dict.fromkeys(whole, int))


def _indicators(x: np.ndarray) -> np.ndarray:
    """Three standardised indicators whose first principal component is the first column of x exactly; the others are noise."""
    n = len(x)
    q = np.linalg.qr(np.column_stack([np.ones(n), x]))[0][:, 2:] * np.sqrt(
        n
    )  # beside the index, uncorrelated
    plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt(
        [[2], [6]]
    )  # at right angles to the sum of the three
    d = (x[:, :1] - x[:, 0].mean()) / x[:, 0].std()
    return 0.93 * d + np.sqrt(1 - 0.93**2) * np.sqrt(1.5) * q @ plane


INDICATORS = {
    "broadband_users": (0.22, 0.066, 2),
    "mobile_users": (0.95, 0.26, 2),
    "telecom_revenue": (950, 280, 0),
}
"""Raw indicators of the composite: mean and standard deviation per head, digits."""


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
    rng: np.random.Generator,
    effect: float = 0.42,
    ripening: float = 3.0,
    trend_gap: float = 0.0,
    leads_flat: bool = True,
    broadband: float = 0.06,
) -> tuple[Grid, dict[str, Any]]:
    """City size and growth, pilots chosen on size, an effect that grows with exposure and with the city's standing.

    Parameters
    ----------
    effect, ripening
        Long-run log points of quantity (quality has 1.2 times as many), and years after which 63 % of them are there.
    trend_gap
        Log points a year by which a city one step larger grows faster, pilot or not.
    leads_flat
        Whether level differences before the pilots are held at nought, as figure 1 has them.
    broadband
        Log points that broadband demonstration cities gain; smart cities gain nothing.
    """
    u, (n, T), t = cities(), SHAPE, np.arange(SHAPE[1])
    muni, region = (u["level"] == "municipality").to_numpy(), u["region3"].to_numpy()
    s = rng.normal(size=n) * 0.7 + u["region3"].map({"East": 0.6, "Central": 0.0, "West": -0.4}).to_numpy()
    _ranked(s, u["name_zh"], RICH.split(), 3.0, 1.3, 0.6)
    pop = rng.normal(size=n) * 0.55 + 0.12 * s
    _ranked(pop, u["name_zh"], MIDDLE.split(), 0.9, 0.5, 1.0)
    _ranked(pop, u["name_zh"], BIG.split(), 2.4, 1.5, 0.5)
    pop = pop[:, None] + (0.004 * (s + 0.3)[:, None]) * (t - 10) + ar1(rng, 0.9, 0.12)
    # 104 areas, of which two are counties of their city: 102 cities; demonstration cities picked among them on merit
    merit = 0.85 * s + 0.9 * rng.logistic(size=n) + 9 * u["name_zh"].isin(CAPITALS.split()).to_numpy()
    order = np.argsort(-merit)
    pilot, batch = order[:102], np.zeros(n, int)
    batch[pilot] = rng.permutation(np.repeat([1, 2], [68, 34]))
    batch[order[102:104]] = 2
    demo = np.zeros(n, bool)
    demo[pilot[np.argsort(-(s[pilot] + 0.5 * rng.normal(size=102)))[:22]]] = True
    keep = _absent(rng, s, region, muni)
    o = np.sort(pop[keep])[::-1]  # population: order kept, class counts as printed
    cuts = [(o[a - 1] + o[a]) / 2 for a in (236, 1892, 5246)]
    lnpop = np.interp(pop, [pop.min(), *cuts[::-1], pop.max()], np.log([20, 100, 500, 1000, 3400]))
    shock, z, extra = ar1(rng, 0.8), s[:, None], rng.spawn(1)[0]
    c = {"population": np.floor(100 * np.exp(lnpop)) / 100}  # rounded down: no city crosses a class
    c["gdp"] = np.exp(0.05 + 0.24 * z + np.cumsum(0.11 - 0.00225 * t) - 0.11 + 0.16 * shock) * c["population"]
    c["gdp"] = np.round(c["gdp"], 2)
    fiscal = np.clip(0.10 + 0.005 * t - 0.02 * z + ar1(rng, 0.8, 0.03), 0.03, 0.9)
    c["fiscal_exp"] = np.round(fiscal * c["gdp"], 2)
    share = np.clip(0.44 + 0.03 * z - 0.004 * t + ar1(rng, 0.8, 0.05), 0.05, 0.85)
    c["employment"] = np.exp(-2.3 + 0.25 * z + 0.02 * t + ar1(extra, 0.9, 0.15)) * c["population"]
    c["employment"] = np.round(c["employment"], 2)
    c["secondary_employment"] = np.round(share * c["employment"], 2)
    c["students"] = np.round(np.exp(9.6 + 0.9 * z + 0.045 * t + ar1(rng, 0.8, 0.15)))
    urban = 1 / (1 + np.exp(1.0 - 0.6 * z - 0.02 * t - ar1(extra, 0.95, 0.3)))
    c["urban_population"] = np.round(urban * c["population"], 2)
    c = {a: np.where(keep, b, np.nan).ravel() for a, b in c.items()}

    def wide(x: Any) -> np.ndarray:
        return np.repeat(np.asarray(x), T)

    c |= {"code": wide(u["code"]), "city": wide(u["name_en"]), "city_zh": wide(u["name_zh"])}
    c |= {"province": wide(u["province_en"]), "region": wide(region), "year": np.tile(YEARS, n)}
    c |= {"municipality": wide(muni) * 1, "batch": wide(batch)}
    c |= {
        "county_only": wide(np.isin(np.arange(n), order[102:104])) * 1,
        "demonstration_year": wide(demo * 2015),
    }
    c |= {f"{k}_year": wide(x) for k, x in zip(OTHER, _other_policies(extra, s), strict=True)}
    c |= right(c)
    # outcomes: level x growth x effect; populous cities follow the common path closely, small ones scatter
    start = c["pilot_year"].reshape(SHAPE)
    after = np.where(start > 0, np.maximum(YEARS - start + 1, 0), 0)
    lift = effect * (1 - np.exp(-after / ripening))
    factors = {"East": 1.15, "Central": 1.25, "West": 0.9, "demonstration city or municipality": 1.3}
    lift = lift * np.array([factors[r] for r in region])[:, None]
    lift = lift * np.where(muni | demo, factors["demonstration city or municipality"], 1.0)[:, None]
    path = np.interp(t, [0, 7, 11, 17, 20], [-2.6, -1.6, -1.0, 0, -0.25])
    path2 = np.interp(t, [0, 7, 11, 15, 16, 17, 20], [-2.4, -1.6, -0.9, -0.15, -0.25, -0.05, 0.1])
    calm = np.interp(lnpop, [5.0, 6.3, 7.2], [1.3, 0.95, 0.6]) * np.where(z > 1.6, 0.8, 1.0)
    apart = trend_gap * (t - 10) * z + broadband * c["broadband"].reshape(SHAPE)
    e1, e2 = ar1(rng, 0.75, 0.62) * calm, ar1(rng, 0.75, 0.25) * calm
    base = -3.15 + 0.95 * z + 0.22 * shock + 0.25 * (lnpop - 5.8) + apart
    y = {"quantity": np.exp(base + path + e1 + lift)}
    y["quality"] = np.exp(base + 0.1 + 0.12 * z + 0.35 * muni[:, None] + path2 + 0.5 * e1 + e2 + 1.2 * lift)
    y["quantity_grant"] = 0.93 * y["quantity"] * np.exp(ar1(rng, 0.7, 0.12))
    y["quality_grant"] = 0.4 * y["quality"] * np.exp(ar1(rng, 0.7, 0.2))
    y |= _mediators(rng, z, t, 1 - np.exp(-after / 2.0), keep)
    y |= {"noise1": ar1(extra, 0.9), "noise2": ar1(extra, 0.9)}
    for k, times in zip(OUTCOMES, (1, 1.2), strict=True):
        y |= {f"lift_{k}": times * lift, f"shift_{k}": times * lift + apart}
    c |= {a: np.where(keep, b, np.nan).ravel() for a, b in y.items()}
    c["matched"], matched = match(c)
    truth = {
        "process": "log(quantity) and log(quality) = city + year + size's trend + effect(years since the pilot) "
        "+ broadband + error; smart cities, and the two cities of which only a county is a pilot, gain nothing",
        "log_effect": {"quantity": effect, "quality": 1.2 * effect},
        "ripening": ripening,
        "factors": factors,
        "trend_gap": trend_gap,
        "leads_flat": leads_flat,
        "other_policies": {"broadband": broadband, "smart_city": 0.0},
    }
    return c, truth | matched


def _other_policies(rng: np.random.Generator, s: np.ndarray) -> list[np.ndarray]:
    """First years of two overlapping programmes, 0 = never: chosen on size too, one more so than the other."""
    out = []
    for pull, years, sizes in (
        (0.8, (2014, 2015, 2016), (38, 38, 36)),
        (0.5, (2012, 2013, 2014), (45, 50, 40)),
    ):
        first, chosen = np.zeros(len(s), int), np.argsort(-(pull * s + 0.9 * rng.logistic(size=len(s))))
        first[chosen[: sum(sizes)]] = rng.permutation(np.repeat(years, sizes))
        out.append(first)
    return out


def after(v: Grid) -> dict[str, Any]:
    """Effects in units of the outcomes, on the treated cells that are there: overall, and by years since the pilot."""
    there = (v["reform"] == 1) & np.isfinite(v["quantity"])
    since, out = (v["year"] - v["pilot_year"])[there], {}
    for k in OUTCOMES:
        lift = pd.DataFrame({"log": v[f"lift_{k}"][there]})
        lift["level"] = v[k][there] * (1 - np.exp(-lift["log"]))
        out[k] = {m: {"mean": lift[m].mean()} | lift[m].groupby(since).mean().to_dict() for m in lift}
    return {"effect_on_the_treated": out}


def _mediators(
    rng: np.random.Generator, z: np.ndarray, t: np.ndarray, exposure: np.ndarray, keep: np.ndarray
) -> Grid:
    """Five channels, each with its own years and its printed number of cells."""
    late = t - 8
    c = {
        "research": np.exp(0.2 + 0.8 * z + 0.13 * t + 0.15 * exposure + ar1(rng, 0.7, 0.35)),
        "start": np.exp(-0.6 + 0.3 * z + 0.06 * t + 0.08 * exposure + ar1(rng, 0.7, 0.4)),
        "finance": 45 + 14.5 * late + 6 * z + 1.3 * exposure + ar1(rng, 0.7, 4.5),
        "digital": np.exp(-2.1 + 0.2 * z + 0.05 * late + 0.06 * exposure + ar1(rng, 0.7, 0.125)),
        "information": np.exp(-4.1 + 0.15 * z + 0.25 * exposure + ar1(rng, 0.6, 0.35)),
    }
    sizes = (("start", 2003, 2023, 4916), ("finance", 2011, 2023, 3074), ("digital", 2011, 2023, 3081))
    for name, first, last, size in (*sizes, ("information", 2003, 2020, 4367)):
        inside = keep & (first <= YEARS) & (last >= YEARS)
        cells = np.flatnonzero(inside.ravel())
        c[name] = np.where(inside, np.maximum(c[name], 1e-4), np.nan)
        c[name].ravel()[rng.choice(cells, len(cells) - size, replace=False)] = np.nan
    low, high = np.nanmin(c["digital"]), np.nanmax(c["digital"])
    return c | {"digital": (c["digital"] - low) / (high - low)}


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


FOLLOWS = {
    "quantity_grant": lambda v, now: v["quantity_grant"] * now["quantity"] / v["quantity"],
    "quality_grant": lambda v, now: v["quality_grant"] * now["quality"] / v["quality"],
    "research": lambda v, now: np.maximum(
        v["research"], 1.5e4 * (now["quantity_grant"] + now["quality_grant"]) / v["population"]
    ),
}
"""Grants follow applications, and all patents contain the digital ones."""
WORLDS = {
    "no-effect": {"effect": 0.0, "leads_flat": False},
    "diverging": {"effect": 0.15, "trend_gap": 0.015, "leads_flat": False},
    "dynamic": {"effect": 1.2, "ripening": 10.0},
}
_year = "first year; 0 = never; simulated, not the real list"
DICTIONARY = {
    "code": ("six-digit code of the city", "城市代码", "", "key", 100000, 999999, "", "GB/T 2260; as in data/geo/units.csv"),
    "city": ("city", "城市", "", "key", "", "", "", "unique English name as in data/geo/units.csv"),
    "city_zh": ("city (Chinese)", "城市（中文）", "", "key", "", "", "", ""),
    "province": ("province", "省份", "", "group", "", "", "", ""),
    "region": ("region: East, Central, West", "东中西部", "", "group", "", "", "", "region3 of data/geo/units.csv"),
    "year": ("year", "年份", "", "key", 1978, 2100, "", "5,479 of 290 x 21 city-years are there"),
    "municipality": ("municipality under the central government", "直辖市", "1 = yes", "group", 0, 1, "", ""),
    "batch": ("batch of the information consumption pilots", "信息消费试点批次", "0, 1, 2", "policy", 0, 2, "",
              "1: announced in December 2013, counts from 2014 (68 areas); 2: December 2014, from 2015 (36); 0: never; simulated, not the real list"),
    "county_only": ("the pilot is only a county or district of the city", "仅县（区）为试点", "1 = yes", "policy", 0, 1, "",
                    "two areas of batch 2; our coding leaves them out of reform, so that 102 of the 104 areas are treated cities"),
    "demonstration_year": ("information consumption demonstration city", "信息消费示范城市", "year", "policy", 0, 2100, "",
                           f"{_year}; 22 pilot cities, picked on merit; demonstrate is 1 from this year on"),
    "broadband_year": ("broadband demonstration city", "宽带中国示范城市", "year", "policy", 0, 2100, "", _year),
    "smart_city_year": ("smart-city pilot", "智慧城市试点", "year", "policy", 0, 2100, "", _year),
    "matched": ("in our matched sample", "匹配样本", "1 = yes", "group", 0, 1, "",
                "pooled logit of ever being a pilot on the five controls, nearest neighbours with replacement, trimmed to the printed 4,822 (truth file)"),
    "population": ("registered population at year end", "年末户籍人口", "10,000 persons", "total", 0.01, "", "",
                   "whole prefecture; its logarithm is lnpop; size classes at 100, 500 and 1,000"),
    "urban_population": ("residents of the built-up area", "城区常住人口", "10,000 persons", "total", 0, "", "", "what the official size classes of 2014 use"),
    "gdp": ("gross regional product", "地区生产总值", "100 million yuan", "total", 0.01, "", "", "gdp/population is pgdp, in 10,000 yuan a head"),
    "fiscal_exp": ("local fiscal expenditure", "地方财政支出", "100 million yuan", "total", 0, "", "", "fiscal_exp/gdp is fiscal"),
    "employment": ("employed persons in urban units", "从业人员数", "10,000 persons", "total", 0.01, "", "", ""),
    "secondary_employment": ("of these in the secondary sector", "第二产业从业人员数", "10,000 persons", "total", 0, "", "", "over employment: structure"),
    "students": ("students enrolled in higher education", "普通高等学校在校学生数", "persons", "total", 1, "", "", "its logarithm is lnstudents"),
    "utility_applied": ("digital utility-model applications", "数字实用新型专利申请量", "patents", "outcome", 0, "", "", "quantity is this over 10,000"),
    "invention_applied": ("digital invention applications", "数字发明专利申请量", "patents", "outcome", 0, "", "", "quality is this over 10,000"),
    "utility_granted": ("digital utility models granted", "数字实用新型专利授权量", "patents", "outcome", 0, "", "", "quantity_grant is this over 10,000"),
    "invention_granted": ("digital inventions granted", "数字发明专利授权量", "patents", "outcome", 0, "", "", "quality_grant is this over 10,000"),
    "patents_granted": ("all patents granted", "专利授权量", "patents", "channel", 0, "", "", "over population: research, per 10,000 persons; contains the digital ones"),
    "new_firms": ("firms founded in the year", "新注册企业数", "firms", "channel optional", 0, "", "", "over 10 x population: start, per 1,000 persons"),
    "finance_index": ("digital inclusive finance index", "数字普惠金融指数", "index points", "channel optional", 0, "", "", "from 2011; finance"),
    "broadband_users": ("broadband subscribers", "互联网宽带接入用户数", "10,000 users", "channel optional", 0, "", "",
                        "from 2011; first principal component of the three per head, scaled to 0-1, is digital; the paper prints no recipe"),
    "mobile_users": ("mobile telephone subscribers", "移动电话用户数", "10,000 users", "channel optional", 0, "", "", "from 2011; as broadband_users"),
    "telecom_revenue": ("telecommunications revenue", "电信业务收入", "10,000 yuan", "channel optional", 0, "", "", "from 2011; as broadband_users"),
    "it_staff": ("employed in information transmission, computer services and software", "信息传输、计算机服务和软件业从业人员数",
                 "persons", "channel optional", 0, "", "", "until 2020; over 10,000 x employment: information"),
}  # fmt: skip
PAPER = Paper(
    "information-consumption",
    ("city", "year"),
    paper.TABLES,
    story,
    MOVES,
    follows=FOLLOWS,
    free=FREE,
    own=own,
    panel=raw,
    prepare=prepare,
    after=after,
    worlds=WORLDS,
    dictionary=DICTIONARY,
)
SEED = 0
"""Of the shipped files."""
write = partial(write_worlds, PAPER, SEED)
"""Write the panel, its dictionary, its rival worlds and their truths into a folder."""
