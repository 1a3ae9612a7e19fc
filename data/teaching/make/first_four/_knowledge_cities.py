"""The cities of `knowledge-flows`: real places, simulated light, knowledge, endowments, rail lines and imports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from regionbook.paths import data_file

Array = npt.NDArray[np.float64]
YEARS = np.arange(2000, 2021)
T = len(YEARS)
CLASSES = 8
LEFT_OUT = ("Sansha",)
"""Founded in 2012, hardly any residents: with it there would be 297 cities of prefecture level and above (2019)."""


@dataclass(frozen=True)
class Process:
    """Parameters of the city-level process.

    Attributes
    ----------
    theta : float
        Causal effect: log light per head of a city one year after its mean net inflow of knowledge, over all partners
        and in log points, rises by one.
    siphon : float
        Rail: log light per head that the brightest cities gain and the darkest lose when their line opens.
    sd_place, sd_shock, persistence, noise : float
        Standard deviation of the lasting differences within a region; of the persistent shock (first-order
        autoregression) and of the noise of a year in log light per head.
    firms_lag4 : float
        Effect of the log of a city's inflow, four years later, on the log of its new digital firms.
    burst : float
        Standard deviation of one year's swings in how much a city cites.
    old_networks : float
        How much more dark cities with many telegraph offices come to cite until 2019: the source of the instruments.
    behind, reversion, rival_start : float
        Some cities are behind at first and come to cite more, by ``behind (1 - reversion^t)`` times their lag. In the
        rival world, and only there, their light returns too, from ``-rival_start reversion^t``, whatever the flows do.
    """

    theta: float = 0.30
    siphon: float = 0.10
    sd_place: float = 0.62
    sd_shock: float = 0.16
    persistence: float = 0.80
    noise: float = 0.03
    firms_lag4: float = 0.30
    rival_start: float = 0.7
    behind: float = 0.45
    reversion: float = 0.85
    burst: float = 0.12
    old_networks: float = 3.5
    east_2000: float = 2.4
    central_2000: float = 1.2
    east_2019: float = 1.4
    central_2019: float = 1.0


@cache
def _units() -> pd.DataFrame:
    u = pd.read_csv(data_file("geo", "units.csv"))
    u = u[u["level"].isin(["municipality", "prefecture-level city"]) & ~u["name_en"].isin(LEFT_OUT)]
    rough = pd.read_csv(data_file("teaching", "city-innovation.skeleton.csv")).set_index("code")
    u = u.merge(rough[["population", "gdp", "digital"]], left_on="code", right_index=True, how="left")
    return u.sort_values("code").reset_index(drop=True)


def units() -> pd.DataFrame:
    """296 cities: the municipalities and prefecture-level cities of ``units.csv`` without Sansha, and rough sizes."""
    return _units().copy()


def distances() -> Array:
    """Great-circle distances in km, array (city, city)."""
    u = units()
    lon, lat = np.radians(u["lon"].to_numpy()), np.radians(u["lat"].to_numpy())
    h = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return 2 * 6371 * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


SMALL = {"Tibet": 0.35, "Qinghai": 0.8, "Xinjiang": 0.9, "Inner Mongolia": 1.7, "Ningxia": 1.2, "Hainan": 0.9,
         "Heilongjiang": 2.2, "Jilin": 2.3, "Gansu": 2.0}  # fmt: skip
"""Million inhabitants of a typical city where the rough list has none; elsewhere 3.2."""


def places(r: np.random.Generator, q: Process) -> dict[str, Array]:
    """What lasts: population of 2000, light per head, technology level, urban share."""
    u = units()
    n = len(u)
    typical = u["province_en"].map(SMALL).fillna(3.2).to_numpy()
    people = np.where(u["population"].notna(), u["population"].to_numpy() / 100 * 0.93, typical)
    people = people * np.exp(np.where(u["population"].notna(), 0.03, 0.45) * r.standard_normal(n))
    rich = np.log((u["gdp"] / u["population"]).to_numpy())
    region = u["region3"].to_numpy()
    z = np.empty(n)
    for k in ("East", "Central", "West"):
        here = region == k
        known = here & np.isfinite(rich)
        score = np.where(known, (rich - rich[known].mean()) / rich[known].std(), 0)
        own = r.standard_normal(n)
        one = np.where(known, 0.75 * score + 0.66 * own, own)[here]
        z[here] = (one - one.mean()) / one.std()
    place = q.sd_place * z
    level = place + np.select([region == "East", region == "Central"], [0.55, -0.2], -0.35)
    size = np.log(people) - np.log(people).mean()
    lead = u["digital"].fillna(0).to_numpy()
    base = 0.9 * size + 0.9 * level + 0.75 * r.standard_normal(n)
    base = np.where(lead > 0, np.maximum(base, 1.2 + 0.5 * np.log(1 + lead / 0.05)), base)
    urban = 1 / (
        1 + np.exp(-(-0.95 + 0.55 * place + 0.45 * (region == "East") + 0.35 * r.standard_normal(n)))
    )
    urban = np.where(u["level"].to_numpy() == "municipality", np.maximum(urban, 0.45), urban)
    return {
        "population_2000": np.round(people * 1e6),
        "urban_2000": np.round(people * urban * 1e6),
        "place": place,
        "level": level,
        "base": base - base.mean(),
        "behind": r.standard_normal(n),
    }


def knowledge(r: np.random.Generator, base: Array, q: Process) -> dict[str, Array]:
    """Log digital knowledge stock, log patenting, bursts of citing, and the technology mix (city, year, class)."""
    n = len(base)
    drift = np.cumsum(r.normal(0, 0.10, (n, T)), 1)
    t = np.arange(T)
    stock = base[:, None] + 0.17 * t + drift
    patents = 0.9 * base[:, None] + 0.13 * t + 0.7 * drift + np.cumsum(r.normal(0, 0.10, (n, T)), 1)
    first, last = (r.dirichlet(np.full(CLASSES, 0.8), n) for _ in range(2))
    w = np.linspace(0, 0.5, T)[:, None]
    mix = (1 - w) * first[:, None] + w * last[:, None]
    return {"stock": stock, "patents": patents, "mix": mix, "burst": r.normal(0, q.burst, (n, T))}


def patent_counts(r: np.random.Generator, log_patents: Array, mix: Array, empty: int) -> Array:
    """Patents by class, array (city, year, class); ``empty`` city-years before 2019 have none at all."""
    noise = log_patents + r.normal(0, 0.15, log_patents.shape)
    floor = np.sort(noise[:, :19], axis=None)[empty - 1 : empty + 1].mean()
    total = np.floor(np.exp(np.minimum(noise - floor, 13))).astype(np.int64)
    total[:, -1] = total[:, -1] * 0.6  # the last year is not yet published in full
    mix = np.clip(mix, 1e-9, None)
    share = mix / mix.sum(2, keepdims=True)
    return r.multinomial(total, share).astype(float)


CORRIDORS: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
    ("Beijing-Shenzhen", (("Beijing", 2012), ("Shijiazhuang", 2012), ("Zhengzhou", 2012), ("Wuhan", 2009),
                          ("Changsha", 2009), ("Guangzhou", 2009), ("Shenzhen", 2011))),
    ("Beijing-Shanghai", (("Beijing", 2008), ("Tianjin", 2008), ("Jinan", 2011), ("Xuzhou", 2011), ("Nanjing", 2010),
                          ("Shanghai", 2010))),
    ("Beijing-Harbin", (("Beijing", 2013), ("Qinhuangdao", 2013), ("Shenyang", 2012), ("Changchun", 2012),
                        ("Harbin", 2012))),
    ("Shenyang-Dalian", (("Shenyang", 2012), ("Dalian", 2012))),
    ("Shanghai-Kunming", (("Shanghai", 2010), ("Hangzhou", 2010), ("Nanchang", 2014), ("Changsha", 2014),
                          ("Guiyang", 2015), ("Kunming", 2016))),
    ("Xuzhou-Urumqi", (("Xuzhou", 2016), ("Zhengzhou", 2010), ("Xi'an", 2010), ("Lanzhou", 2017), ("Xining", 2014),
                       ("Urumqi", 2014))),
    ("Qingdao-Taiyuan", (("Qingdao", 2008), ("Jinan", 2008), ("Shijiazhuang", 2009), ("Taiyuan", 2009))),
    ("Shanghai-Chengdu", (("Shanghai", 2010), ("Nanjing", 2008), ("Hefei", 2008), ("Wuhan", 2009), ("Chongqing", 2013),
                          ("Chengdu", 2012))),
    ("Hangzhou-Shenzhen", (("Hangzhou", 2009), ("Ningbo", 2009), ("Wenzhou", 2009), ("Fuzhou (Fujian)", 2009), ("Xiamen", 2010),
                           ("Shenzhen", 2013))),
    ("Guangzhou-Kunming", (("Guangzhou", 2014), ("Nanning", 2014), ("Kunming", 2016))),
    ("Xi'an-Chengdu", (("Xi'an", 2017), ("Chengdu", 2014), ("Mianyang", 2014))),
    ("Guiyang-Guangzhou", (("Guiyang", 2014), ("Guilin", 2014), ("Guangzhou", 2014))),
    ("Hefei-Fuzhou", (("Hefei", 2015), ("Huangshan", 2015), ("Fuzhou (Fujian)", 2015))),
    ("Datong-Xi'an", (("Datong", 2018), ("Taiyuan", 2014), ("Xi'an", 2014))),
    ("Changchun-Jilin", (("Changchun", 2010), ("Jilin City", 2010))),
    ("Harbin-Qiqihar", (("Harbin", 2015), ("Qiqihar", 2015))),
    ("Nanning-Guilin", (("Nanning", 2013), ("Liuzhou", 2013), ("Guilin", 2013), ("Changsha", 2013))),
    ("Zhengzhou-Hefei", (("Zhengzhou", 2019), ("Fuyang", 2019), ("Hefei", 2019), ("Hangzhou", 2019))),
)  # fmt: skip
"""Corridors after real ones, with rough years: hubs and the year from which the section before them is open."""


def rail(r: np.random.Generator, km: float = 50.0) -> pd.DataFrame:
    """Lines, stops and years of opening: the cities near the straight line between two hubs of a corridor."""
    u = units()
    names = u["name_en"].tolist()
    x = np.c_[u["lon"] * np.cos(np.radians(34)), u["lat"]] * 111.0
    delay = r.choice([0, 0, 0, 1, 2], len(u))
    rows: list[tuple[str, int, str, int]] = []
    for line, hubs in CORRIDORS:
        at: dict[str, tuple[float, int]] = {}
        for k, ((one, y1), (two, y2)) in enumerate(zip(hubs, hubs[1:], strict=False)):
            p, d = x[names.index(one)], x[names.index(two)] - x[names.index(one)]
            along = (x - p) @ d / (d @ d)
            off = np.hypot(*(x - p - along[:, None] * d).T)
            for i in np.flatnonzero((along > 0.02) & (along < 0.98) & (off < km)):
                at.setdefault(names[i], (k + along[i], max(y1, y2) + int(delay[i])))
            at[one], at[two] = (float(k), y1), (k + 1.0, y2)
        stops = sorted(at.items(), key=lambda item: item[1][0])
        rows += [(line, i + 1, city, opened) for i, (city, (_, opened)) in enumerate(stops)]
    return pd.DataFrame(rows, columns=["line", "stop", "city", "opened"])


COUNTRIES = (
    "Japan",
    "Korea",
    "United States",
    "Germany",
    "Taiwan, China",
    "Australia",
    "Singapore",
    "Italy",
    "Russia",
)
PRODUCTS = (10, 27, 28, 29, 30, 39, 40, 44, 48, 52, 54, 70, 72, 74, 76, 84, 85, 87, 90, 94)


def imports(
    r: np.random.Generator, size: Array, absent: npt.NDArray[np.bool_], diversity: Array
) -> pd.DataFrame:
    """Imports of 2000 by city, country and HS chapter; positive partners only, some products with a single one."""
    u = units()
    rows = []
    spread = np.sqrt(2 / diversity)
    for i, city in enumerate(u["name_en"]):
        if absent[i]:
            continue
        k = int(np.clip(r.poisson(7 + 1.5 * size[i]), 3, len(PRODUCTS)))
        for product in np.sort(r.choice(PRODUCTS, k, replace=False)):
            m = int(r.choice([1, 2, 3, 5, 7, 9], p=[0.05, 0.05, 0.1, 0.2, 0.3, 0.3]))
            value = np.exp(5 + 0.8 * size[i] + spread[i] * 1.6 * r.standard_normal(m) + r.normal(0, 1))
            where = np.sort(r.choice(len(COUNTRIES), m, replace=False))
            rows += [(city, COUNTRIES[j], int(product), v) for j, v in zip(where, value, strict=True)]
    out = pd.DataFrame(rows, columns=["city", "country", "hs2", "value"])
    return out.assign(value=np.maximum(out["value"].round(1), 0.1))
