"""energy-carbon (Du 2025): 30 provinces x 2003-2022, raw columns from which ratios, intensities and their identities follow.

Nothing is fitted: the paper prints importances only, of a model on data that we do not have. Sizes of provinces are rounded
general knowledge, a starting point; effects on energy intensity are set by us. In the rival world the paper's columns are
the same to the last digit, and the cause behind them is another: see `heavy`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from engine import Grid, Paper, frame, write_worlds

from regionbook.geo import units
from regionbook.papers import energy_carbon as paper
from regionbook.papers.redraw import ar1

YEARS = np.arange(2003, 2023)
NAMES = "Beijing Tianjin Hebei Shanxi|Inner Mongolia|Liaoning Jilin Heilongjiang Shanghai Jiangsu Zhejiang Anhui Fujian Jiangxi Shandong Henan Hubei Hunan Guangdong Guangxi Hainan Chongqing Sichuan Guizhou Yunnan Shaanxi Gansu Qinghai Ningxia Xinjiang"  # fmt: skip
NAMES = [n for part in NAMES.split("|") for n in ([part] if " M" in part else part.split())]
N, T = len(NAMES), len(YEARS)
SHAPE = (N, T)

# ------------------------------------------------------------------------------------------------------- skeleton
PEOPLE = "1456 1011 6769 3314 2380 4210 2704 3815 1711 7406 4680 6410 3488 4254 9125 9667 6002 6663 7954 4857 811 3130 8700 3870 4376 3690 2603 534 580 1934"
GROWN = "1.5 1.35 1.1 1.05 1.01 1 .87 .81 1.45 1.15 1.4 .955 1.2 1.06 1.11 1.02 .97 .99 1.59 1.04 1.27 1.03 .96 1 1.07 1.07 .96 1.11 1.26 1.34"
HEAD = "3.5 2.6 1.05 .74 .9 1.4 .95 1.16 3.9 1.68 2 .65 1.5 .67 1.37 .76 .9 .75 1.7 .6 .86 .73 .64 .36 .57 .65 .53 .73 .77 .97"
INTENSITY = "1.2 1.3 2.2 3.4 2.9 2.1 1.9 1.7 1.05 .95 .95 1.4 .95 1.15 1.25 1.45 1.7 1.4 .85 1.25 .9 1.4 1.6 3.8 1.8 1.6 2.5 3 4.6 2.3"
FACTOR = "1.7 2 2.7 3.2 3.1 2.4 2.5 2.5 1.8 2.2 2 2.6 1.9 2.3 2.5 2.6 1.9 2 1.7 1.9 2.1 2 1.5 2.2 1.6 2.6 2.1 1.4 3 2.6"
SECONDARY = "30 50 51 50 46 48 42 48 46 54 51 41 45 42 53 48 42 39 47 38 25 43 38 40 43 47 44 45 47 42"
URBAN = "79 73 34 39 45 56 52 53 80 47 53 32 45 34 42 27 42 34 62 29 45 42 30 25 27 36 27 38 37 35"
FISCAL = "82 70 52 44 31 52 35 40 85 76 78 44 70 43 71 44 48 40 80 44 50 45 42 40 38 43 29 20 29 35"
"""By province in 2003: residents (10,000) and their growth to 2022, GDP per head (10,000 yuan), energy use (t of coal over
10,000 yuan), t of CO2 over t of coal, shares in per cent: rounded general knowledge. Everything gets noise."""


def row(text: str) -> np.ndarray:
    """Numbers of a row of the skeleton, one a province."""
    return np.array(text.split(), float)[:, None]


def story(rng: np.random.Generator, common_cause: bool = False) -> tuple[Grid, dict[str, Any]]:
    """All columns in the order of causation; `common_cause`: heavy industry stands behind credit and intensity."""
    t = np.arange(T)[None]
    time = t / (T - 1)

    def own(size: float, persistence: float = 0.85) -> np.ndarray:
        return size * ar1(rng, SHAPE, persistence)

    def fixed(size: float) -> np.ndarray:
        return size * rng.standard_normal((N, 1))

    people = row(PEOPLE) * row(GROWN) ** time * np.exp(own(0.004))
    rate = 0.118 - 0.0035 * t - 0.012 * np.log(row(HEAD)) + fixed(0.006)
    per_head = row(HEAD) * np.exp(np.cumsum(rate, 1) - rate[:, :1] + own(0.02))
    prices = np.exp(np.cumsum(np.r_[0, 0.045 * np.ones(8), 0.02 * np.ones(11)])[None] + own(0.01))
    real = per_head * people
    rich = np.log(per_head)
    secondary = np.clip(row(SECONDARY) + 12 * time - 24 * np.maximum(time - 0.42, 0) + own(2.2), 15, 62)
    urban = np.clip(row(URBAN) + (78 - row(URBAN)) * 0.62 * time + own(0.8), 20, 91)
    fiscal = np.clip(row(FISCAL) - 8 * time + own(3.0), 8, 97)
    dirty = np.log(row(INTENSITY)) - np.log(row(INTENSITY)).mean()

    # what drives credit and intensity together: beyond the bend of the secondary share both rise
    bend = np.maximum(secondary - paper.BEND, 0)
    credit = 50 + 8 * dirty + 1.3 * bend - 6 * time + own(3.2, 0.7)
    patents = np.exp(np.log(700) + 0.75 * np.log(people / 4000) + 1.25 * np.log(row(HEAD)) - 0.9 * dirty + 0.165 * t + own(0.2))  # fmt: skip
    shock = own(0.05, 0.7)
    effects = paper.EFFECTS
    pulled = effects["green_credit"] * credit + effects["bend"] * bend + effects["gdp_pc"] * rich
    fall = np.log(row(INTENSITY)) - pulled[:, :1] - 0.034 * t
    intensity = np.exp(fall + pulled + shock)
    energy = intensity * real
    factor = row(FACTOR) * np.exp(-0.10 * time + 0.004 * (secondary - row(SECONDARY)) + own(0.08))
    power = energy * np.exp(np.log(0.097) + 0.026 * t + fixed(0.2) + own(0.05))
    spending = real * prices * np.exp(np.log(0.155) + 0.35 * time - 0.25 * rich + fixed(0.15) + own(0.04))
    fixed_investment = (
        real * prices * np.exp(np.log(0.42) + 0.6 * np.sin(2.6 * time) + fixed(0.12) + own(0.05))
    )
    green = np.clip(
        7.5 + fixed(1.2) + 2.5 * np.sin(3 * time + fixed(0.6)) + rng.normal(0, 1.3, SHAPE), 1.5, 25
    )
    interest = real * prices * np.exp(np.log(0.011) + fixed(0.2) + own(0.08))
    nominal = real * prices
    heavy, apart = 38 + 6 * dirty + own(2.5, 0.7), np.random.default_rng(rng.integers(2**32))
    if common_cause:
        heavy = behind(credit, shock, apart)
    u = units("province").reset_index().set_index("name_en")
    flat = {
        "population": np.round(people, 1),
        "urban_population": np.round(people * urban / 100, 1),
        "gdp": np.round(nominal, 2),
        "gdp_real": np.round(real, 2),
        "secondary_value_added": np.round(nominal * secondary / 100, 2),
        "fiscal_revenue": np.round(spending * fiscal / 100, 2),
        "fiscal_expenditure": np.round(spending, 2),
        "environmental_expenditure": np.round(nominal * np.exp(np.log(0.006) - 0.3 * rich + 0.9 * time + fixed(0.3) + own(0.12)), 3),
        "treatment_industrial": np.round(nominal * np.exp(np.log(0.0016) + 0.35 * dirty - 1.5 * time + fixed(0.2) + rng.normal(0, 0.3, SHAPE)), 3),
        "treatment_total": np.round(nominal * np.exp(np.log(0.0125) + 0.15 * dirty - 0.3 * time + fixed(0.25) + own(0.18)), 3),
        "fixed_investment": np.round(fixed_investment, 2),
        "fixed_investment_green": np.round(fixed_investment * green / 100, 2),
        "interest_six": np.round(interest * credit / 100, 3),
        "interest_industry": np.round(interest, 3),
        "patents": np.round(patents).astype(int),
        "electricity": np.round(power, 2),
        "energy": np.round(energy, 2),
        "co2": np.round(energy * factor / 100, 3),
        "heavy_share": np.round(heavy, 2),
    }  # fmt: skip
    keys = {
        "code": np.repeat(u.loc[NAMES, "code"].astype(int), T),
        "province": np.repeat(NAMES, T),
        "province_zh": np.repeat(u.loc[NAMES, "name_zh"], T),
        "region": np.repeat(u.loc[NAMES, "region4"], T),
        "year": np.tile(YEARS, N),
    }
    columns = {k: np.asarray(v) for k, v in keys.items()} | {k: v.ravel() for k, v in flat.items()}
    true = dict.fromkeys(paper.DRIVERS, 0.0) | effects
    if common_cause:
        true["green_credit"] = 0.0
    return columns, {
        "process": "ln(energy / real GDP) = province + year + sum of effects x drivers + shock; bend = what the secondary "
        f"share exceeds {paper.BEND} by; credit rises with the bend too; gdp_pc in logarithms"
        + ("; in place of credit, heavy_share drives credit and intensity" if common_cause else ""),
        "effects": true,
        "heavy_share": effects["green_credit"] / LIFT if common_cause else 0.0,
    }


LIFT = 0.9
"""Points of heavy industry's share that go with a point of credit's."""


def behind(credit: np.ndarray, shock: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A share of heavy industry that can be the cause of both: given it, credit says nothing of intensity.

    h = (b credit + s shock + noise) LIFT / b with var(noise) = s (1 - s) var(shock) makes what is left of the shock,
    b credit + shock - b h / LIFT, unrelated to what is left of credit; b is the effect that credit seems to have.
    """
    b, s = paper.EFFECTS["green_credit"], 0.7

    def inside(x: np.ndarray) -> np.ndarray:
        return x - x.mean(1, keepdims=True) - x.mean(0) + x.mean()

    noise = inside(rng.standard_normal(SHAPE))
    c, e = inside(credit), inside(shock)
    e = e - c * (c * e).sum() / (c * c).sum()  # exact in the draw: no chance correlation
    for x in (c, e):
        noise = noise - x * (x * noise).sum() / (x * x).sum()
    noise *= np.sqrt(s * (1 - s) * (e**2).mean() / (noise**2).mean())
    return 38 + (b * (credit - credit.mean()) + s * e + noise) * LIFT / b


def panel(v: Grid) -> pd.DataFrame:
    """What is shipped."""
    return frame(v)[list(DICTIONARY)]


def prepare(d: pd.DataFrame) -> pd.DataFrame:
    """The paper's variables."""
    return paper.prepare(d.set_index(["province", "year"])).reset_index()


MONEY = "100 million yuan"
DICTIONARY = {
    "code": ("six-digit code of the province", "省级代码", "", "key", 100000, 999999, "", "GB/T 2260; as in data/geo/units.csv"),
    "province": ("province", "省份", "", "key", "", "", "", "unique English name as in data/geo/units.csv; 30, without Tibet, as energy tables have them"),
    "province_zh": ("province (Chinese)", "省份（中文）", "", "key", "", "", "", ""),
    "region": ("region: east, central, west, northeast", "四大地区", "", "group", "", "", "", ""),
    "year": ("year", "年份", "", "key", 1978, 2100, "", ""),
    "population": ("residents at year end", "年末常住人口", "10,000 persons", "total", 1, "", "", ""),
    "urban_population": ("urban residents", "城镇人口", "10,000 persons", "total", 0, "", "", ""),
    "gdp": ("gross regional product", "地区生产总值", MONEY, "total", 0.01, "", "", "current prices"),
    "gdp_real": ("the same at prices of 2003", "不变价地区生产总值", MONEY, "total", 0.01, "", "", "the paper names no prices; ratios to it are our choice"),
    "secondary_value_added": ("value added of the secondary sector", "第二产业增加值", MONEY, "total", 0, "", "", "current prices"),
    "fiscal_revenue": ("fiscal revenue", "一般公共预算收入", MONEY, "total", 0, "", "", "current prices"),
    "fiscal_expenditure": ("fiscal expenditure", "一般公共预算支出", MONEY, "total", 0, "", "", "current prices"),
    "environmental_expenditure": ("fiscal expenditure on environmental protection", "节能环保支出", MONEY, "total", 0, "", "", "current prices; really a budget item since 2007 only"),
    "treatment_industrial": ("completed investment in treating industrial pollution", "工业污染治理完成投资", MONEY, "total", 0, "", "", "current prices"),
    "treatment_total": ("investment in treating pollution", "环境污染治理投资", MONEY, "total", 0, "", "", "current prices; really published by province until about 2017"),
    "fixed_investment": ("investment in fixed assets", "固定资产投资", MONEY, "total", 0.01, "", "", "current prices"),
    "fixed_investment_green": ("of it in water conservancy, environment and public facilities", "水利、环境和公共设施管理业固定资产投资", MONEY, "total", 0, "", "", "current prices"),
    "interest_six": ("interest expenditure of the six energy-intensive industries", "六大高耗能工业利息支出", MONEY, "total", 0, "", "", "current prices"),
    "interest_industry": ("interest expenditure of all industry", "工业利息支出", MONEY, "total", 0.001, "", "", "current prices; the paper does not print the denominator"),
    "patents": ("patents granted", "专利申请授权数", "count", "feature", 0, "", "patents granted", ""),
    "electricity": ("electricity consumption", "电力消费量", "100 million kWh", "feature", 0.01, "", "electricity consumption", ""),
    "energy": ("energy consumption", "能源消费量", "10,000 t of standard coal", "target", 0.01, "", "energy consumption", ""),
    "co2": ("apparent CO2 emissions", "表观二氧化碳排放总量", "million t", "target", 0.001, "", "apparent CO2 emissions", "printed as tonnes; the size of the printed gains fits million tonnes"),
    "heavy_share": ("share of the six energy-intensive industries in industrial assets", "六大高耗能行业资产占比", "%", "control, optional", 0, 100, "", "not in the paper, made by us: what tells the worlds apart"),
}  # fmt: skip
PAPER = Paper(
    "energy-carbon",
    ("province", "year"),
    paper.TABLES,
    story,
    {},
    panel=panel,
    prepare=prepare,
    worlds={"heavy-industry": {"common_cause": True}},
    dictionary=DICTIONARY,
)
SEED = 0
write = partial(write_worlds, PAPER, SEED)
"""Write the panel, its dictionary, its rival world and their truths into a folder."""
