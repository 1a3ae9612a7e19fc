"""Answers to ``exercises/04-knowledge-flows/2-lights``: zonal sums, projections, georeferencing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook import geo
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal

SLUG = "knowledge-flows"
LESSON = f"{SLUG}/2-lights"


def _cities(panel: pd.DataFrame) -> pd.DataFrame:
    cities = personal(SLUG, panel.attrs.get("student", ""), table="cities")
    return cities.set_axis(cities.index.astype(str), axis=0)


def _year(panel: pd.DataFrame, year: int) -> pd.DataFrame:
    at = panel.xs(year, level="year")
    return at.set_axis(at.index.astype(str), axis=0).loc[_cities(panel).index]


# ---------------------------------------------------------------------------------- 1 and 2, zonal sums

WEST, SOUTH, EAST, NORTH, STEP = 114.5, 34.0, 123.0, 39.0, 0.1
"""The grid of the sheet: 50 rows, 85 columns."""
LON = WEST + (np.arange(85) + 0.5) * STEP
LAT = (NORTH - (np.arange(50) + 0.5) * STEP)[:, None]
GROUND = (6371 * np.radians(STEP)) ** 2 * np.cos(np.radians(LAT)) * np.ones(85)


def _here(panel: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    here = _cities(panel).query("province == 'Shandong'")
    return here, geo.boundaries("city").loc[here["code"].astype(str)].reset_index(drop=True)


def _blobs(panel: pd.DataFrame, column: str, width: float) -> np.ndarray:
    here, total = _here(panel)[0], _year(panel, 2019)[column]
    made = np.zeros((50, 85))
    for name, lon, lat in zip(here.index, here["lon"], here["lat"], strict=True):
        blob = np.exp(-((LON - lon) ** 2 + (LAT - lat) ** 2) / (2 * width**2))
        made += total[name] * blob / blob.sum()
    return made


def _shares(panel: pd.DataFrame, values: np.ndarray) -> pd.Series:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource
    from pyproj import CRS

    here, borders = _here(panel)
    source = NumPyRasterSource(values, WEST, SOUTH, EAST, NORTH, srs_wkt=CRS("EPSG:4326").to_wkt())
    sums: Any = exact_extract(source, borders, "sum", output="pandas")
    return pd.Series(sums["sum"].to_numpy(), here.index)


def _centres(panel: pd.DataFrame, values: np.ndarray, touched: bool = False) -> pd.Series:
    from rasterio.features import rasterize
    from rasterio.transform import from_origin

    here, borders = _here(panel)
    shapes = zip(borders.geometry, range(1, len(here) + 1), strict=True)
    grid = from_origin(WEST, NORTH, STEP, STEP)
    zone = rasterize(shapes, values.shape, transform=grid, dtype="int32", all_touched=touched)
    return pd.Series(np.bincount(zone.ravel(), values.ravel(), len(here) + 1)[1:], here.index)


def _light(panel: pd.DataFrame) -> np.ndarray:
    """Light of each pixel: brightness times ground."""
    return _blobs(panel, "light", 0.15)


def _people(panel: pd.DataFrame) -> np.ndarray:
    return _blobs(panel, "population", 0.30)


@answer(
    f"{LESSON}/per-head",
    decimals=5,
    unit="light per person",
    hint="sum brightness × ground over each city, sum persons over each city, divide.",
    mistakes={
        "brightness was added up as it is; it is light per km² and has to meet the ground of its pixel first.": lambda p: (
            _shares(p, _light(p) / GROUND) / _shares(p, _people(p))
        ),
        "persons are counts: they are not multiplied by the ground.": lambda p: (
            _shares(p, _light(p)) / _shares(p, _people(p) * GROUND)
        ),
        "these are from the table of cities; sum the pixels.": lambda p: (
            _year(p, 2019).eval("light / population").loc[_here(p)[0].index]
        ),
    },
)
def per_head(panel: pd.DataFrame) -> pd.Series:
    """Light per head of the cities of Shandong, exact shares of pixels."""
    return _shares(panel, _light(panel)) / _shares(panel, _people(panel))


def _differs(centre: pd.Series, exact: pd.Series) -> pd.Series:
    return 100 * (centre / exact - 1)


@answer(
    f"{LESSON}/centres",
    decimals=1,
    unit="%",
    hint="100 × (light by centres ÷ light by exact shares − 1); light is brightness × ground in both.",
    mistakes={
        "all_touched gives a pixel to a city that it only touches; leave it out.": lambda p: _differs(
            _centres(p, _light(p), touched=True), _shares(p, _light(p))
        ),
        "the comparison is the other way round: centres relative to exact shares.": lambda p: _differs(
            _shares(p, _light(p)), _centres(p, _light(p))
        ),
        "these are persons; light is asked for.": lambda p: _differs(
            _centres(p, _people(p)), _shares(p, _people(p))
        ),
    },
)
def centres(panel: pd.DataFrame) -> pd.Series:
    """Difference of light by pixel centres from exact shares, per cent."""
    return _differs(_centres(panel, _light(panel)), _shares(panel, _light(panel)))


# ---------------------------------------------------------------------------------- 3, projections


def _factors(panel: pd.DataFrame) -> dict[str, np.ndarray]:
    from pyproj import Proj

    cities = _cities(panel)
    lon, lat = cities["lon"].to_numpy(), cities["lat"].to_numpy()
    areal = {
        name: np.asarray(Proj(crs).get_factors(lon, lat).areal_scale)
        for name, crs in {"Lambert": "ESRI:102027", "Albers": "ESRI:102025"}.items()
    }
    return {"degrees": 1 / np.cos(np.radians(lat)), **areal}


def _swapped(panel: pd.DataFrame, factors: dict[str, np.ndarray], scale: float = 100) -> pd.Series:
    y = _year(panel, 2019).eval("light / population").to_numpy()
    a, b = np.triu_indices(len(y), 1)
    poorer = y[a] < y[b]
    return pd.Series(
        {name: scale * np.mean(((y * f)[a] < (y * f)[b]) != poorer) for name, f in factors.items()}
    )


@answer(
    f"{LESSON}/swapped",
    decimals=2,
    unit="% of the pairs",
    hint="for each pair compare which city is smaller before and after multiplying; mean over 43,660 pairs, times 100.",
    mistakes={
        "the scale of lengths was used; an area goes with areal_scale.": lambda p: _swapped(
            p, {k: np.sqrt(f) for k, f in _factors(p).items()}
        ),
        "light was divided by the factor; adding up pixels multiplies by it.": lambda p: _swapped(
            p, {k: 1 / f for k, f in _factors(p).items()}
        ),
    },
)
def swapped(panel: pd.DataFrame) -> pd.Series:
    """Per cent of pairs whose poorer city changes, by way of adding up brightness."""
    return _swapped(panel, _factors(panel))


# ---------------------------------------------------------------------------------- 4, control points

NAMES = [
    "Beijing",
    "Harbin",
    "Dalian",
    "Shanghai",
    "Guangzhou",
    "Kunming",
    "Chengdu",
    "Lanzhou",
    "Wuhan",
    "Urumqi",
    "Xi'an",
    "Hohhot",
]
PIXELS = np.array(
    [
        [1627, 1830, 1796, 1891, 1705, 1303, 1312, 1274, 1662, 762, 1449, 1482],
        [382, 56, 370, 664, 1083, 1085, 849, 621, 767, 333, 665, 385],
    ]
).T
GROUND_KM = np.array(
    [
        [1641, 2175, 2058, 2283, 1765, 745, 800, 723, 1692, -537, 1165, 1271],
        [1208, 1999, 1224, 480, -524, -495, 101, 653, 251, 1260, 536, 1221],
    ]
).T
"""The table of the sheet."""


def _distances(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Residual distances, and those of each point when the others make the transformation (km)."""
    u, v = PIXELS.T / 1000
    x = np.column_stack([u**i * v**j for i in range(order + 1) for j in range(order + 1 - i)])
    hat = x @ np.linalg.pinv(x)
    residual = np.hypot(*(GROUND_KM - hat @ GROUND_KM).T)
    return residual, residual / (1 - np.diag(hat))


def _rms(divisor: Any) -> dict[str, float]:
    return {
        name: float(np.sqrt((_distances(order)[0] ** 2).sum() / divisor(order)))
        for name, order in {"affine": 1, "second order": 2}.items()
    }


@answer(
    f"{LESSON}/fit",
    decimals=1,
    unit="km",
    hint="distance = √(ΔX² + ΔY²) of each point; root of the mean of its square over the 12 points.",
    mistakes={
        "you averaged over 24 coordinates; the distances of 12 points are asked for.": lambda: _rms(
            lambda order: 24
        ),
        "you divided by degrees of freedom; divide by the 12 points.": lambda: _rms(
            lambda order: 12 - (order + 1) * (order + 2) / 2
        ),
    },
)
def fit() -> dict[str, float]:
    """Root mean square of the residual distances, two transformations."""
    return _rms(lambda order: 12)


@answer(
    f"{LESSON}/wrong-point",
    options=NAMES,
    hint="leave out one point at a time, fit the other eleven, predict the one left out: which is missed most?",
    mistakes={"that is the largest residual; an innocent.": lambda: NAMES[_distances(2)[0].argmax()]},
)
def wrong_point() -> str:
    """The control point that is wrong."""
    return NAMES[int(_distances(2)[1].argmax())]


# ---------------------------------------------------------------------------------- 5, blooming


def _spread(panel: pd.DataFrame, lost: float = 0.1, receiver: bool = False, ddof: int = 1) -> pd.Series:
    codes = _cities(panel)["code"].astype(str)
    touches = geo.contiguity(codes, isolates="keep").sparse.toarray() > 0
    n = touches.sum(axis=1)
    gone = np.where(n > 0, lost, 0.0)
    share = gone[:, None] * touches / np.maximum(n, 1)[:, None]
    out = {}
    for year in (2000, 2019):
        at = _year(panel, year)
        light = at["light"].to_numpy()
        seen = (1 - gone) * light + (share if receiver else share.T) @ light
        for name, amount in {"true": light, "seen": seen}.items():
            out[f"{name} {year}"] = np.log(amount / at["population"].to_numpy()).std(ddof=ddof)
    return pd.Series(out)


@answer(
    f"{LESSON}/blooming",
    decimals=3,
    hint="each city keeps nine tenths and gives a tenth divided by the number of its neighbours to each of them.",
    mistakes={
        "each city gets a tenth of its neighbours' mean here; it should give a tenth of its own away.": lambda p: (
            _spread(p, receiver=True)
        ),
        "np.std divides by n; use .std() of a series.": lambda p: _spread(p, ddof=0),
    },
)
def blooming(panel: pd.DataFrame) -> pd.Series:
    """Standard deviation of log light per head, true and seen."""
    return _spread(panel)
