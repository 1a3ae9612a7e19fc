"""yangtze-openness (Liu and Yeerken 2025): 11 provinces x 1993-2022, trade, registered investment, GDP, people, prices."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from engine import Cell, Grid, Paper, Told, frame, write_worlds
from engine.rows import Rows
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from regionbook.data import published
from regionbook.geo import units
from regionbook.papers import yangtze_openness as paper
from regionbook.papers.redraw import ar1

YEARS = np.arange(1993, 2023)
NAMES = ["Shanghai", "Jiangsu", "Zhejiang", "Anhui", "Jiangxi", "Hubei", "Hunan", "Chongqing", "Sichuan", "Guizhou", "Yunnan"]  # fmt: skip
REACH = np.repeat(paper.REACHES, (4, 3, 4))
PRINTED = published("yangtze-openness")
SHAPE = (len(NAMES), len(YEARS))

# ------------------------------------------------------------------------------------------------------- skeleton
GDP = {1993: "0.15 0.30 0.19 0.11 0.072 0.14 0.125 0.060 0.15 0.042 0.078", 2022: "4.4 12.2 7.7 4.5 3.2 5.4 4.9 2.9 5.7 2.0 2.9"}  # fmt: skip
PEOPLE = {1993: "1380 6970 4330 5900 3970 5650 6250 2950 8100 3400 3890", 2022: "2480 8510 6570 6130 4530 5840 6600 3210 8370 3860 4690"}  # fmt: skip
PRICES = (
    "19 13 6.5 1.6 -.9 -1.3 2 2 .6 2.6 6.7 3.8 3.9 7.5 7.5 -.2 6.7 7.8 2.3 2.2 1 0 1.4 4.2 3.5 1.3 .5 4.6 2"
)
RATES = "5.76 8.62 8.35 8.31 8.29 8.28 8.28 8.28 8.28 8.28 8.28 8.28 8.19 7.97 7.6 6.95 6.83 6.77 6.46 6.31 6.19 6.14 6.23 6.64 6.75 6.62 6.9 6.9 6.45 6.73"
"""GDP in trillion yuan, people in ten thousand, rise of prices in per cent, yuan a dollar: rounded general knowledge, a
starting point only; GDP and people get noise, nothing here is anybody's series."""
EARLY = {1994: 0.062, 1995: 0.088, 1996: 0.125, 1997: 0.121, 1998: 0.118, 1999: 0.116}
"""Belt's index between the first two printed years: it falls in 1997-1999, as the text says; the sizes are our choice."""
SHARE = {1993: 0.52, 2000: 0.53, 2001: 0.47, 2008: 0.42, 2015: 0.47, 2016: 0.53, 2022: 0.632}
"""Investment's share of T + I in the belt: above a half to 2000, below from 2001 to 2015, above from 2016."""
OFFSET = "0.55 -0.15 -0.45 0.5 0.2 0.1 0.2 0 0 0.4 0.3"
"""Log-odds by which a province's share differs."""
LATE = "0 0 0 0.9 0.5 0.5 0.8 0.3 0.4 1.2 1.2"
"""What is added by 2022: the late jumps inland are registered funds."""


def row(text: str) -> np.ndarray:
    """Numbers of a row of the skeleton."""
    return np.array(text.split(), float)


def wide(values: pd.Series) -> np.ndarray:
    """Provinces x years."""
    return values.to_numpy().reshape(SHAPE)


def printed(table: str, column: str, name: str) -> float:
    """A printed number of other.csv."""
    o = PRINTED.other
    return float(
        o[(o["table"] == table) & (o["column"] == column) & o["row"].str.contains(name)]["value"].iloc[0]
    )


def knots() -> tuple[list[int], np.ndarray]:
    """The printed years, and Table 1 in them."""
    years = [1993, 2000, 2005, 2010, 2014, 2022]
    return years, np.array([[printed("1", str(y), f" {n}$") for y in years] for n in NAMES])


def paths(rng: np.random.Generator) -> np.ndarray:
    """Z: smooth in logs through Table 1, with own noise, falls of the belt in the printed years, gains of its stages and the
    printed dispersion of 1998. Chongqing is a copy of Sichuan until 2000, as in Table 1."""
    years, table = knots()
    smooth = PchipInterpolator(years, np.log(table), axis=1)(YEARS)
    own = 0.05 * ar1(rng, SHAPE, 0.6)
    away = np.min([np.abs(YEARS - y) for y in years], axis=0) > 0
    last = printed("text 三1", "average annual growth 2001-2008", "stage 2"), printed("text 三1", "average annual growth 2009-2016", "stage 3")  # fmt: skip
    mean = table.mean(axis=0)
    goal = EARLY | {2008: mean[1] + 8 * last[0] / 100}
    goal[2016] = goal[2008] + 8 * last[1] / 100
    goal |= {2009: 0.94 * goal[2008], 2015: 1.035 * goal[2016]}
    log = smooth + own * away
    largest = printed("text 三3", "1998", "variation")
    for y, goal_of in {1998: largest, 1999: largest - 0.02}.items():
        log[:, y - YEARS[0]] = spread_to(log[:, y - YEARS[0]], goal_of)
    z = np.exp(log)
    for y, value in goal.items():
        z[:, y - YEARS[0]] *= value / z[:, y - YEARS[0]].mean()
    same = YEARS <= 2000
    z[NAMES.index("Chongqing"), same] = z[NAMES.index("Sichuan"), same]
    return z


def spread_to(log: np.ndarray, goal: float) -> np.ndarray:
    """Logs stretched until their values have a coefficient of variation, at the same mean."""
    turn, level = log - log.mean(), np.exp(log).mean()

    def wider(k: float) -> np.ndarray:
        z = np.exp(k * turn)
        return level * z / z.mean()

    return np.log(wider(brentq(lambda k: paper.dispersion(pd.Series(wider(k))) - goal, 0.5, 2)))


def shares(rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
    """Investment's share of T + I: the belt's path, offsets of the provinces; its two ends give the printed gains of T and I."""
    years = np.array(list(SHARE))
    common = PchipInterpolator(years, [np.log(s / (1 - s)) for s in SHARE.values()])(YEARS)
    late = np.clip((YEARS - 2014) / 8, 0, 1)
    own = row(OFFSET)[:, None] + row(LATE)[:, None] * late + 0.05 * ar1(rng, SHAPE, 0.8)
    logit = common + own
    ends = {y: np.interp(y, years, list(SHARE.values())) for y in YEARS}
    gain = 29 * printed("text 三1", "average annual growth 1993-2022", "investment openness") / 100
    ends[2022] = (ends[1993] * 2 * z[:, 0].mean() + gain) / (2 * z[:, -1].mean())
    for k, y in enumerate(YEARS):  # the belt's share, weighed by Z, is the path's

        def off(c: float, k: int = k, y: int = int(y)) -> float:
            s = 1 / (1 + np.exp(-(logit[:, k] + c)))
            return float((s * z[:, k]).sum() / z[:, k].sum() - ends[y])

        logit[:, k] += brentq(off, -5, 5)
    return 1 / (1 + np.exp(-logit))


def levels(rng: np.random.Generator, ends: dict[int, str], noise: float) -> np.ndarray:
    """A quantity that grows smoothly between two years, with noise in its growth."""
    a, b = (np.log(row(x))[:, None] for x in ends.values())
    walk = np.cumsum(noise * rng.standard_normal(SHAPE), axis=1)
    t = np.linspace(0, 1, SHAPE[1])
    return np.exp(a + (b - a) * t + walk - walk[:, -1:] * t - walk[:, :1] * (1 - t))


def story(rng: np.random.Generator, arrived: float = 1.0) -> tuple[Grid, dict[str, Any]]:
    """All columns. `arrived` is the share of the funds registered inland after 2014 that came."""
    u = units("province").reset_index().set_index("name_en")
    prices = np.exp(np.cumsum(np.r_[0, row(PRICES)]) / 100)
    nominal = levels(rng, GDP, 0.015)
    path = np.log(prices) - np.log(prices[-1]) * np.linspace(0, 1, SHAPE[1])
    gdp = np.round(nominal * np.exp(path), 4)
    z = paths(rng)
    share = shares(rng, z)
    trade, stock = (np.sqrt(2 * z * s * gdp) for s in (1 - share, share))
    at = pd.MultiIndex.from_product([NAMES, YEARS], names=["province", "year"])
    registered, reach = pd.Series(stock.ravel(), at), pd.Series(np.repeat(REACH, SHAPE[1]), at)
    columns = {
        "code": np.repeat(u.loc[NAMES, "code"].astype(int), SHAPE[1]),
        "province": np.repeat(NAMES, SHAPE[1]),
        "province_zh": np.repeat(u.loc[NAMES, "name_zh"], SHAPE[1]),
        "year": np.tile(YEARS, SHAPE[0]),
        "reach": reach.to_numpy(),
        "part_of_sichuan": np.outer(np.array(NAMES) == "Chongqing", YEARS < 1997).ravel().astype(int),
        "trade": np.round(trade, 6).ravel(),
        "fdi_registered": np.round(stock, 6).ravel(),
        "fdi_inflow": paper.inflows(registered, reach, arrived, rng).round(6).to_numpy(),
        "gdp": gdp.ravel(),
        "population": np.round(levels(rng, PEOPLE, 0.004)).astype(int).ravel(),
        "price_level": np.tile(np.round(prices, 4), SHAPE[0]),
        "exchange_rate": np.tile(row(RATES), SHAPE[0]),
    }
    return {k: np.asarray(v) for k, v in columns.items()}, {
        "process": "Z through Table 1; T and I by a path of shares; trade = sqrt(T GDP), registered stock = sqrt(I GDP); inflows "
        "are what perpetual inventory needs for the stock that arrived, read with an error of 3 per cent",
        "share_arrived": arrived,
        "loss": paper.LOSS,
    }


def own(v: Grid, truth: dict[str, Any], printed: Any) -> list[Rows]:
    """Table 1 and the text, judged from the file; what the paper contradicts is left out."""
    gone = {(r.table, r.column, r.term) for r in printed.inconsistent.itertuples()}
    gone.add(("text 三2", "annual change 1993-2022", "上海 Shanghai"))  # Table 1 again
    kinds: dict[bool, list[Any]] = {True: [], False: []}
    for r in printed.other.itertuples():
        if np.isfinite(r.value) and (r.table, r.column, r.row) not in gone:
            kinds[r.table == "1"].append(r)
    return [
        Told(
            lambda v, rows=rows: _values(v, rows),
            [r.value for r in rows],
            np.array([0.0005 if exact else 0.05 * abs(r.value) for r in rows]) * 1.02 / 3,
            [Cell(r.table, r.column, r.row, "other", r.value) for r in rows],
        )
        for exact, rows in kinds.items()
    ]


def _values(v: Grid, rows: list[Any]) -> list[float]:
    text = paper.in_text(frame(v).set_index(["province", "year"]))
    return [text[r.table, r.column, r.row] for r in rows]


def panel(v: Grid) -> pd.DataFrame:
    """What is shipped."""
    return frame(v)[list(DICTIONARY)]


def prepare(d: pd.DataFrame) -> pd.DataFrame:
    """The paper's variables."""
    return paper.prepare(d.set_index(["province", "year"])).reset_index()


DICTIONARY = {
    "code": ("six-digit code of the province", "省级代码", "", "key", 100000, 999999, "", "GB/T 2260; as in data/geo/units.csv"),
    "province": ("province", "省份", "", "key", "", "", "", "unique English name as in data/geo/units.csv; down the river"),
    "province_zh": ("province (Chinese)", "省份（中文）", "", "key", "", "", "", ""),
    "year": ("year", "年份", "", "key", 1993, 2022, "", ""),
    "reach": ("reach of the river: lower, middle, upper", "下游、中游、上游", "", "group", "", "", "", "4, 3 and 4 provinces, as the paper has them"),
    "part_of_sichuan": ("1 before Chongqing was a municipality", "重庆直辖前", "", "group", 0, 1, "", "the paper prints the same index for Chongqing and Sichuan in 1993 and 2000"),
    "trade": ("imports and exports", "进出口总额", "trillion yuan", "indicator", 0, "", "X", "current prices; T = X²/GDP"),
    "fdi_registered": ("registered total investment of foreign-invested enterprises", "外商投资企业投资总额", "trillion yuan", "indicator", 0, "", "F", "a stock, current prices; I = F²/GDP"),
    "fdi_inflow": ("foreign investment that arrived in the year", "实际使用外资", "trillion yuan", "control", 0, "", "", "not in the paper; what tells the worlds apart"),
    "gdp": ("gross regional product", "地区生产总值", "trillion yuan", "total", 0.001, "", "GDP", "current prices; our choice, after rounded general knowledge"),
    "population": ("residents at year end", "年末常住人口", "10,000 persons", "total", 1, "", "", "our choice, after rounded general knowledge"),
    "price_level": ("price level, 1993 = 1", "价格水平", "", "control", 0.5, 10, "", "one for all provinces; our choice"),
    "exchange_rate": ("yuan a dollar", "汇率", "yuan", "control", 1, 10, "", "yearly means, rounded general knowledge"),
}  # fmt: skip
PAPER = Paper(
    "yangtze-openness",
    ("province", "year"),
    paper.TABLES,
    story,
    {},
    own=own,
    panel=panel,
    prepare=prepare,
    worlds={"paper-funds": {"arrived": 0.25}},
    dictionary=DICTIONARY,
)
SEED = 0
write = partial(write_worlds, PAPER, SEED)
"""Write the panel, its dictionary, its rival worlds and their truths into a folder."""
