"""ai-innovation (Zhao and Yang 2025): 271 cities x 2011-2022, balanced, 28 printed columns, four printed thresholds."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from engine import Cell, Grid, Move, Numbers, Paper, as_seen, frame, own_column, paths, write_worlds
from engine.rows import Rows
from engine.solver import System, solve
from information_consumption import BIG, MIDDLE, RICH, _ranked
from scipy.optimize import brentq, least_squares

from regionbook.data import published
from regionbook.models.threshold import _Panel, _Search
from regionbook.papers import ai_innovation as paper
from regionbook.papers.ai_innovation import CONTROLS, CUTS, NAMES, WINSORISED, regimes, winsorised
from regionbook.papers.declare import Column
from regionbook.papers.estimation import estimate
from regionbook.paths import data_file

SHAPE, YEARS, CELLS = (271, 12), np.arange(2011, 2023), 271 * 12
MOMENTS = published("ai-innovation").descriptives.set_index("variable")

# ------------------------------------------------------------------------------------------------------- targets
FREE = {
    ("3", "2"): "winsorised at quantiles, which would move with the columns: reproduced, not imposed",
    (
        "4",
        "1",
        "R2",
    ): "hangs on how far AI follows the instrument and the controls; the coefficient is imposed",
    ("4", "2", "AI", "std_error"): "smaller than that of least squares, which 2SLS cannot have",
    ("4", "3"): "Table 2 (6) again",
    ("6", "1"): "Table 2 (6) again",
    ("6", "3", "AI"): "total less direct effect is the product of two slopes, which are imposed",
    ("6", "5", "AI"): "as column 3",
}


def bounds(name: str) -> tuple[float, float]:
    """Printed minimum and maximum; counts are logarithms of whole numbers."""
    if name == "inn1":
        return np.log(75), np.log(161_000)
    low, high = MOMENTS.loc[NAMES.get(name, name.capitalize()), ["min", "max"]]
    return (
        (np.log(np.round(np.exp(low))), np.log(np.round(np.exp(high))))
        if name in ("inn", "ai")
        else (low, high)
    )


def whole(x: np.ndarray) -> np.ndarray:
    """Logarithms of whole numbers."""
    return np.log(np.round(np.exp(x)))


def at_cuts(name: str, digits: int) -> Any:
    """Rounds, and puts the nearest value on each printed threshold: a search finds values that are there."""

    def rounded(x: np.ndarray) -> np.ndarray:
        x = np.round(x, digits)
        for cut in CUTS[name]:
            x[np.argmin(np.abs(x - cut))] = cut
        return x

    return rounded


MOVES = {
    "inn": Move(*bounds("inn"), size=0.25, smooth=0.92, rough=0.03, decimals=whole),
    "inn1": Move(*bounds("inn1"), size=0.25, smooth=0.8, rough=0.1, decimals=whole),
    "va": Move(*bounds("va"), smooth=0.8, rough=0.1, decimals=at_cuts("va", 6)),
    "ind": Move(*bounds("ind"), smooth=0.8, rough=0.1, decimals=at_cuts("ind", 6)),
    "iv": Move(0.02, 0.98, size=0.25, smooth=0.8, rough=0.1, decimals=6),
}


class Unshipped:
    """Rows on a column that is not in the file, and so cannot be judged from it."""

    def __init__(self, rows: Rows) -> None:
        self.cells: list[Cell] = []
        self.aim, self.tol, self.uses, self.values, self.pull = (
            rows.aim,
            rows.tol,
            rows.uses,
            rows.values,
            rows.pull,
        )


TRUE = Column("own", "true", f"inn ~ true_ai + {' + '.join(CONTROLS)} | city + year", errors={"CRV1": "city"})


def own(v: Grid, truth: dict[str, Any], printed: Any) -> list[Rows]:
    """Table 1 of what moves; a regression on true AI finds what the truth has it find."""
    data = frame(v)
    seen = as_seen(TRUE, data, "lift")["true_ai"]
    out: list[Rows] = [Unshipped(own_column(TRUE, data, {"true_ai": (seen, 0.02)}))]
    for name in ("inn", "va", "ind"):
        at = NAMES.get(name, "Inn")
        aim = MOMENTS.loc[at, ["mean", "sd"]].to_numpy(float)
        cells = [Cell("1", k, at, k, a) for k, a in zip(("mean", "sd"), aim, strict=True)]
        out.append(Numbers(name, ["mean", "sd"], aim, [0.002, 0.002], cells))
    return out + list(paths(v, ["inn"], SHAPE[1], 0.01))


# ----------------------------------------------------------------------------------- the search finds the printed cuts
class Cuts:
    """Cutting planes: rows that a rival set of thresholds has a larger sum of squares than the printed one, by `margin` s2."""

    def __init__(self, v: Grid, margin: float = 0.6) -> None:
        X = np.column_stack([v[k] for k in CONTROLS])
        self.searches, self.margin, self.pairs = {}, margin, []
        for by in CUTS:
            panel = _Panel(v["inn"][:, None], X, v["ai"][:, None], v[by], *SHAPE, False, CONTROLS, ["ai"])
            self.searches[by] = _Search(panel, 0.01, CELLS - SHAPE[0])
        # thresholds as they occur
        self.cuts = {
            by: [float(v[by][np.argmin(np.abs(v[by] - c))]) for c in cuts] for by, cuts in CUTS.items()
        }
        self.cells: list[Cell] = []
        self.uses = frozenset(["inn"])

    def residual(self, by: str, cuts: tuple[float, ...], y: np.ndarray) -> np.ndarray:
        """Of the model with these thresholds, unit effects."""
        s = self.searches[by]
        Q = self.bases.setdefault(
            (by, cuts), np.linalg.qr(s.panel.within(np.hstack([s.panel.x, s.split(cuts)])))[0]
        )
        e = s.panel.within(y[:, None]).ravel()
        return e - Q @ (Q.T @ e)

    bases: dict[Any, np.ndarray] = {}

    def extend(self, y: np.ndarray, most: int = 4) -> int:
        """Add the rivals that are too good; their number."""
        found = 0
        for by, s in self.searches.items():
            cuts = self.cuts[by]
            first = min(cuts, key=lambda c: float((self.residual(by, (c,), y) ** 2).sum()))
            for kept, cut in [
                ([], first),
                *(([o for o in cuts if o != c], c) for c in cuts if len(cuts) > 1),
            ]:
                Q, inverse = s.beside(kept)
                e = s.panel.within(y[:, None])
                gain = s.falls(e - Q @ (Q.T @ e), inverse).ravel()
                lack = gain - gain[np.argmin(np.abs(s.values - cut))] + self.margin * self.unit(y)
                lack[np.abs(s.values - cut) < 1e-9] = -1
                for j in np.argsort(-lack)[:most]:
                    pair = (by, tuple(sorted([*kept, s.values[j]])), tuple(sorted([*kept, cut])))
                    if lack[j] > 0 and pair not in self.pairs:
                        self.pairs.append(pair)
                    found += lack[j] > 0.7 * self.margin * self.unit(y)
        self.aim, self.tol = np.full(len(self.pairs), 1.5 * self.margin), np.full(len(self.pairs), 0.1)
        return found

    def unit(self, y: np.ndarray) -> float:
        """s2 of the model with the printed thresholds of AI."""
        return float((self.residual("ai", tuple(self.cuts["ai"]), y) ** 2).sum()) / (CELLS - SHAPE[0])

    def values(self, v: Grid) -> np.ndarray:
        """Sums of squares of rivals less those of the printed thresholds, in s2; large ones count as enough."""
        return self.pull(v, self.uses)[0]

    def pull(self, v: Grid, moving: frozenset[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Values and derivatives."""
        y, s2 = v["inn"], self.unit(v["inn"])
        both = [(self.residual(by, rival, y), self.residual(by, cut, y)) for by, rival, cut in self.pairs]
        x = np.array([a @ a - b @ b for a, b in both]) / s2
        g = np.array([2 * (a - b) for a, b in both]).reshape(len(both), -1) / s2
        enough = x > self.aim
        return np.where(enough, self.aim, x), {"inn": np.where(enough[:, None], 0.0, g)}


def polish(v: Grid, rows: list[Rows]) -> Grid:
    """Regimes of the final columns; then patents once more, until every search finds the printed thresholds."""
    v = v | regimes(v)
    cuts = Cuts(v)
    Cuts.bases = {}
    for _ in range(30):
        if cuts.extend(v["inn"]) == 0:
            break
        system = System(PAPER, v, ["inn"], [*rows, cuts])
        solve(system, 6)
        v = v | {"inn": whole(system.columns(system.z)["inn"])}
    return v


# -------------------------------------------------------------------------------------------------------- story
def ar1(rng: np.random.Generator, rho: float, rows: int = SHAPE[0]) -> np.ndarray:
    """First-order autoregressions of unit variance."""
    e = rng.normal(size=(rows, SHAPE[1]))
    for t in range(1, SHAPE[1]):
        e[:, t] = rho * e[:, t - 1] + np.sqrt(1 - rho**2) * e[:, t]
    return e


def bounded(score: np.ndarray, mean: float, sd: float, low: float, high: float) -> np.ndarray:
    """Increasing map of a score between bounds, with this mean and standard deviation; the extremes lie on the bounds."""
    g = (score - score.mean()) / score.std()

    def shape(p: np.ndarray) -> np.ndarray:
        x = low + (high - low) / (1 + np.exp(-(p[0] + np.exp(p[1]) * g)))
        x[np.unravel_index(g.argmin(), g.shape)], x[np.unravel_index(g.argmax(), g.shape)] = low, high
        return x

    start = [np.log((mean - low) / (high - mean)), 0.0]
    fit = least_squares(lambda p: [(shape(p).mean() - mean) / sd, shape(p).std(ddof=1) / sd - 1], start)
    return shape(fit.x)


def cities() -> pd.DataFrame:
    """The 271: of the west neither Tibet, Qinghai and Xinjiang, nor the ten largest by area; no province has a single city."""
    u = pd.read_csv(data_file("geo", "units.csv"))
    u = u[u["level"].isin(["municipality", "prefecture-level city"])]
    u = u[~u["name_zh"].isin(["三沙市", "儋州市", "毕节市", "铜仁市", "克拉玛依市"])]
    u = u[~u["province_en"].isin(["Tibet", "Qinghai", "Xinjiang"])]
    west = u[u["region3"].eq("West") & u["level"].ne("municipality")]
    return u.drop(west["area_km2"].nlargest(10).index).reset_index(drop=True)


def score(x: np.ndarray, high: int) -> np.ndarray:
    """An index of 0 to 100 in the order of x, skewed so that `high` values lie above its mean."""
    z = np.argsort(np.argsort(x.ravel())) / (x.size - 1)
    cut = (np.sort(z)[-high] + np.sort(z)[-high - 1]) / 2
    power = brentq(lambda p: np.mean(z**p) - cut**p, 0.2, 8)
    return np.round(5 + 90 * z**power, 4)


STEPS = (0.033, -0.019)
"""Printed differences of the slopes at the two thresholds of AI; at those of the mediators nothing happens."""


def story(
    rng: np.random.Generator,
    effect: float = 1.0,
    register_error: bool = True,
    direct: float = 0.0,
    smooth: bool = False,
) -> tuple[Grid, dict[str, Any]]:
    """AI spreads from large cities; the register counts firms with an error that passes; patents answer to true AI.

    Parameters
    ----------
    effect
        Elasticity of patents with respect to true AI; 0.65 times in the east, 0.85 in the centre, 0.1 times in the west.
    register_error
        Whether what the register adds to a smooth path is error (least squares is biased towards zero) or real.
    direct
        Log points by which patents answer to internet penetration itself: the instrument is then not excluded.
    smooth
        Whether the effect changes gradually with AI, rather than at 39 and 484 firms. In both it does not hang on va and ind:
        without effects of years their thresholds are found all the same.
    """
    u, (n, T) = cities(), SHAPE
    t = ((np.arange(T) - 5.5) / 3.45)[None, :]
    region, muni = u["region3"].to_numpy(), (u["level"] == "municipality").to_numpy()
    prov, names = pd.factorize(u["province_en"])
    s = 0.8 * rng.normal(size=n) + u["region3"].map({"East": 0.5, "Central": 0.0, "West": -0.4}).to_numpy()
    _ranked(s, u["name_zh"], RICH.split(), 3.0, 1.3, 0.6)
    lnpop = rng.normal(size=n) * 0.45 + 0.12 * s
    _ranked(lnpop, u["name_zh"], MIDDLE.split(), 0.9, 0.5, 1.0)
    _ranked(lnpop, u["name_zh"], BIG.split(), 2.2, 1.3, 0.5)
    lnpop = lnpop[:, None] + 0.004 * (np.arange(T) - 5.5) * np.clip(s, -1, 2)[:, None]
    s = ((s - s.mean()) / s.std())[:, None]

    def part(a: float) -> np.ndarray:
        return a * s + np.sqrt(1 - a * a) * rng.normal(size=(n, 1))

    def fit(name: str, x: np.ndarray) -> np.ndarray:
        return bounded(x, *MOMENTS.loc[NAMES[name], ["mean", "sd"]], *bounds(name))

    def placed(name: str, x: np.ndarray, sd: float) -> np.ndarray:
        """Between cities scaled to a standard deviation, within them as it is; the extremes on the bounds, whole counts."""
        m = x.mean(axis=1, keepdims=True)
        m, e = m - x.mean(), x - m
        x = MOMENTS.loc["Inn", "mean"] + e + m * np.sqrt((sd**2 - e.var()) / m.var())
        low, high = bounds(name)
        x = np.clip(x, low, high)
        x.flat[x.argmin()], x.flat[x.argmax()] = low, high
        return np.clip(whole(x), low, high)

    grow = 0.5 * s + rng.normal(size=(n, 1))  # cities differ in how fast AI spreads
    shock = ar1(rng, 0.6, len(names))[prov]
    star = 1.60 * part(0.93) + 0.50 * t + 0.085 * grow * t + 0.055 * shock + 0.08 * ar1(rng, 0.7)
    error = 0.19 * rng.normal(size=(n, 1)) * t + 0.10 * ar1(rng, 0.7) * np.where(YEARS > 2019, 2.2, 0.8)
    c = {"ai": np.clip(whole(fit("ai", star + error)), *bounds("ai"))}
    star = c["ai"] - error
    c["eco"] = fit("eco", part(0.6) + 0.65 * t + 0.50 * ar1(rng, 0.9) + 0.03 * star)
    c["huc"] = fit("huc", part(0.5) + 0.40 * t + 1.00 * ar1(rng, 0.9))
    c["fis"] = fit("fis", part(0.75) - 0.35 * t + 0.50 * ar1(rng, 0.9))
    c["gov"] = fit("gov", -part(0.6) + 0.35 * t + 0.50 * ar1(rng, 0.9) - 0.1 * c["eco"])
    # education and science are part of the budget
    c["edu"] = fit("edu", lnpop + c["eco"] + 0.9 * np.log(c["gov"]) + 0.22 * ar1(rng, 0.9))
    net = 0.42 + 0.029 * (star - star.mean()) + 0.06 * part(0.5) + 0.08 * t
    c["iv"] = np.clip(net + 0.0095 * rng.normal(size=(n, 1)) * t + 0.012 * ar1(rng, 0.5), 0.03, 0.97)
    drift = 0.35 * rng.normal(size=(n, 1)) * t
    c["va"] = fit("va", 1.3 * part(0.7) + 0.75 * t + 0.20 * star + 0.40 * ar1(rng, 0.8) + drift)
    c["ind"] = fit("ind", part(0.5) + 0.45 * t + 0.45 * star + 0.55 * ar1(rng, 0.8) + drift)
    for k in ("va", "ind", *CONTROLS):
        c[k] = np.round(c[k], 6)
    for k in ("va", "ind"):
        c[k] = at_cuts(k, 6)(c[k].ravel()).reshape(SHAPE)
    true = star if register_error else c["ai"]
    factors = {"East": 0.65, "Central": 0.85, "West": 0.1}
    slope = effect * np.array([factors[r] for r in region])[:, None]
    apart = true - true.mean(axis=0)  # what all cities share is the years' own
    lift = slope * apart
    for cut, step in zip(CUTS["ai"], STEPS, strict=True):
        x = (c["ai"] - cut) / 0.6
        lift = lift + step * true * (1 / (1 + np.exp(-x)) if smooth else x > 1e-9)
    c["true_ai"], c["lift"] = true, lift
    noise = 0.10 * ar1(rng, 0.9) + 0.08 * shock + 0.22 * rng.normal(size=(n, 1)) * t
    noise = noise + 0.15 * rng.normal(size=(n, 1)) * (YEARS < 2015)
    year = 0.78 * (np.arange(T) / 11) ** 0.8 + 0.27 * true.mean(axis=0)
    b = dict(zip(["va", "ind", *CONTROLS], (0.05, 0.0, 0.24, 0.047, 0.23, 0.39, 0.87), strict=True))
    inn = 0.6 * part(0.9) + lift + year + sum(x * c[k] for k, x in b.items()) + direct * c["iv"] + noise
    c["inn"] = placed("inn", inn, MOMENTS.loc["Inn", "sd"])
    filed = c["inn"] + 0.43 + 0.12 * ar1(rng, 0.6) - 0.06 * apart
    c["inn1"] = np.clip(whole(filed), *bounds("inn1"))
    extra = {
        "lnpop": lnpop,
        "farm": ar1(rng, 0.9),
        "science": ar1(rng, 0.8),
        "absent": ar1(rng, 0.9, len(names))[prov],
    }
    for k, high in (("data", 1534), ("infra", 1270)):
        raw = (
            0.8 * (c["ai"] - c["ai"].mean()) / c["ai"].std()
            + 0.7 * rng.normal(size=(n, 1))
            + 0.3 * ar1(rng, 0.5)
        )
        extra[f"{k}_score"] = score(raw, high)
    v = {
        k: np.asarray(x, float).ravel()
        for k, x in (c | extra).items()
        if k not in ("data_score", "infra_score")
    }
    v |= {k: extra[k] for k in ("data_score", "infra_score")}

    def wide(x: Any) -> np.ndarray:
        return np.repeat(np.asarray(x), T)

    v |= {"code": wide(u["code"]), "city": wide(u["name_en"]), "city_zh": wide(u["name_zh"])}
    v |= {"province": wide(u["province_en"]), "region": wide(region), "year": np.tile(YEARS, n)}
    v |= {"municipality": wide(muni) * 1, "land_area": wide(u["area_km2"])}
    v |= {f"{k}_high": (v[f"{k}_score"] > v[f"{k}_score"].mean()) * 1 for k in ("data", "infra")}
    v |= regimes(v) | {f"{k}_w": winsorised(pd.Series(v[k])).to_numpy() for k in WINSORISED}
    truth = {
        "process": "log(patents granted) = city + year + effect x log(true AI firms) + steps at thresholds (or gradual changes) "
        "+ va + ind + controls + direct x internet penetration + error",
        "elasticity": effect,
        "factors": factors,
        "register_error": "the number of AI firms holds an error that passes, twice as large from 2020 on"
        if register_error
        else "none",
        "direct_effect_of_the_instrument": direct,
        "thresholds": [] if smooth else [39, 484],
        "steps": list(STEPS),
        "coefficients": b,
    }
    return v, truth


def after(v: Grid) -> dict[str, Any]:
    """What a regression of the final patents on true AI finds."""
    found = estimate(TRUE, frame(v).set_index(["city", "year"])).set_index("term").loc["true_ai"]
    return {"regression_on_true_ai": {k: found[k] for k in ("estimate", "std_error")}}


# ------------------------------------------------------------------------------------------ variables to raw columns
def raw(v: Grid) -> pd.DataFrame:
    """What is shipped: raw columns that give the variables."""
    d = frame(v)
    d["patents_granted"], d["patents_applied"], d["ai_firms"] = (
        np.exp(d[k]).round() for k in ("inn", "inn1", "ai")
    )
    share = np.exp(d["edu"] - d["eco"] - d["lnpop"]) / d["gov"]  # of education and science in the budget
    d["population"] = (np.exp(d["lnpop"]) * share.mean() / 0.17).round(2)
    d["gdp"] = (np.exp(d["eco"]) * d["population"]).round()
    low, high = np.maximum(2.02 - d["ind"], 0.005), np.minimum((3 - d["ind"]) / 2 - 0.05, 0.45)
    farm = low + (high - low) / (1 + np.exp(0.6 + 1.1 * (d["eco"] - d["eco"].mean()) - 0.4 * d["farm"]))
    d["primary"], d["tertiary"] = (farm * d["gdp"]).round(), ((d["ind"] - 2 + farm) * d["gdp"]).round()
    d["secondary"] = d["gdp"] - d["primary"] - d["tertiary"]
    d["students"] = (np.exp(d["huc"]) * d["population"]).round()
    d["fiscal_exp"] = (d["gov"] * d["gdp"]).round()
    d["fiscal_rev"] = (d["fis"] * d["fiscal_exp"]).round()
    both = np.exp(d["edu"]).round()
    d["science_exp"] = (
        both * 0.08 * np.exp(0.4 * d["science"] + 0.25 * (d["eco"] - d["eco"].mean()))
    ).round()
    d["education_exp"] = both - d["science_exp"]
    place = [d["province"], d["year"]]
    listed = np.exp(d["va"]).groupby(place).transform("sum")
    single = d["municipality"] == 1
    rest = np.where(
        single, 1.0, 1.03 + 0.03 / (1 + np.exp(-d["absent"]))
    )  # cities of the province that are not here
    d["ecommerce_province"] = (listed * rest).round()
    parcels = np.exp(0.25 * (d["year"] - 2011)) * listed / 400  # 10,000 parcels; dearer ones early
    d["express_province"] = (parcels * rest).round(2)
    exact = np.exp(d["va"]) / d["ecommerce_province"] * d["express_province"]
    d["express"] = np.where(single, d["express_province"], exact.round(4))
    d["internet_users"] = (d["iv"] * d["population"]).round(4)
    d = d[list(DICTIONARY)]
    kept = [k for k in d.select_dtypes("number") if (d[k] % 1 == 0).all()]
    return d.astype(dict.fromkeys(kept, int))


def prepare(d: pd.DataFrame) -> pd.DataFrame:
    """The paper's variables."""
    return paper.prepare(d.set_index(["city", "year"])).reset_index()


WORLDS = {
    "smooth": {"smooth": True},
    "exclusion": {"effect": 0.40, "register_error": False, "direct": 2.0},
}
_money = "10,000 yuan"
DICTIONARY = {
    "code": ("six-digit code of the city", "城市代码", "", "key", 100000, 999999, "", "GB/T 2260; as in data/geo/units.csv"),
    "city": ("city", "城市", "", "key", "", "", "", "unique English name as in data/geo/units.csv"),
    "city_zh": ("city (Chinese)", "城市（中文）", "", "key", "", "", "", ""),
    "province": ("province", "省份", "", "group", "", "", "", "no province but the municipalities has a single city"),
    "region": ("region: East, Central, West", "东中西部", "", "group", "", "", "", "100, 100 and 71 cities as printed; which western ones are absent is our choice"),
    "year": ("year", "年份", "", "key", 1978, 2100, "", ""),
    "municipality": ("municipality under the central government", "直辖市", "1 = yes", "group", 0, 1, "", ""),
    "land_area": ("administrative area", "行政区域土地面积", "km²", "total", 1, "", "", "real, measured on the map; the other reading of Eco"),
    "patents_granted": ("patents granted", "专利授权量", "patents", "outcome", 1, "", "", "its logarithm is inn; the paper does not say which kind"),
    "patents_applied": ("patent applications", "专利申请量", "patents", "outcome", 1, "", "", "its logarithm is inn1; mean and spread are not printed"),
    "ai_firms": ("AI firms", "人工智能企业数量", "firms", "treatment", 1, "", "", "its logarithm is ai; whether a stock or entries the paper does not say"),
    "ecommerce_province": ("e-commerce of the province", "省级电子商务交易额", _money, "channel", 1, "", "", "listed cities and others; unit is our choice"),
    "express": ("parcels of the city", "快递业务量", "10,000 pieces", "channel", 0.0001, "", "", "over those of the province: weight of va; a municipality's is 1"),
    "express_province": ("parcels of the province", "全省快递业务量", "10,000 pieces", "channel", 0.01, "", "", "more than the listed cities': some are not in the sample"),
    "primary": ("value added of the primary sector", "第一产业增加值", _money, "total", 0, "", "", "ind is 1, 2 and 3 times the three shares"),
    "secondary": ("value added of the secondary sector", "第二产业增加值", _money, "total", 0, "", "", ""),
    "tertiary": ("value added of the tertiary sector", "第三产业增加值", _money, "total", 0, "", "", "the factor 3 is lost in print"),
    "gdp": ("gross regional product", "地区生产总值", _money, "total", 1, "", "", "sum of the three; over population, in logarithms: eco"),
    "population": ("residents at year end", "年末常住人口", "10,000 persons", "total", 0.01, "", "", "our choice, such that science and education fit the budget"),
    "students": ("enrolled students", "在校学生数", "persons", "total", 1, "", "", "per 10,000 residents, in logarithms: huc"),
    "education_exp": ("education expenditure", "教育支出", _money, "total", 0, "", "", "logarithm of the sum with science: edu"),
    "science_exp": ("science and technology expenditure", "科学技术支出", _money, "total", 0, "", "", ""),
    "fiscal_rev": ("general fiscal revenue", "一般公共预算收入", _money, "total", 0, "", "", "over expenditure: fis"),
    "fiscal_exp": ("general fiscal expenditure", "一般公共预算支出", _money, "total", 1, "", "", "over GDP: gov"),
    "internet_users": ("internet users", "互联网用户数", "10,000 persons", "instrument", 0, "", "", "over population: iv; the paper gives neither unit nor spread"),
    "data_score": ("data factor", "数据要素", "0-100", "group", 0, 100, "", "invented index: the paper does not define it; high: above the panel's mean"),
    "infra_score": ("digital infrastructure", "数字基础设施", "0-100", "group", 0, 100, "", "as data_score"),
}  # fmt: skip
PAPER = Paper(
    "ai-innovation",
    ("city", "year"),
    paper.TABLES,
    story,
    MOVES,
    controls=[NAMES[k] for k in CONTROLS],
    free=FREE,
    constants=[("2", str(k)) for k in range(1, 7)],
    own=own,
    polish=polish,
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
