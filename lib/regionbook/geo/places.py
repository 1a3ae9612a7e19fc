"""Real units: codes, names, regions, clusters, ports, boundaries, distances."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from regionbook.paths import data_file

if TYPE_CHECKING:
    import geopandas as gpd


Level = Literal["city", "province"]
Place: TypeAlias = str | int
Places: TypeAlias = Iterable[Place] | pd.DataFrame
ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m"
"""Equal-area projection of the maps; project your own layers to it before drawing on a map's axes."""
EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the WGS 84 ellipsoid."""


def _geo(name: str) -> pd.DataFrame:
    return pd.read_csv(data_file("geo", name), dtype={"code": str}, keep_default_na=False)


@cache
def unit_table() -> pd.DataFrame:
    table = _geo("units.csv").set_index("code")
    in_parts = table.level.isin(["province", "autonomous region"])
    table["is_city"] = ~in_parts | (table.index == "710000")  # Taiwan is mapped as one unit
    table["is_province"] = table.index.str.endswith("0000")
    return table


def units(level: Level | None = None) -> pd.DataFrame:
    """Administrative units, as of about 2020.

    Parameters
    ----------
    level
        ``"city"``: the 370 units that cover the country at city level. ``"province"``: the 34 of province level.
        None: all 397; municipalities, Hong Kong, Macao and Taiwan are both.

    Returns
    -------
    DataFrame
        Indexed by `code`; columns `name_zh`, `name_en` (unique), `level`, `province`, `province_en`,
        `region4` (East, Central, West, Northeast), `region3` (East, Central, West), `north_south`, `lon`,
        `lat` (government seat, degrees), `area_km2` (inside the mapped boundary).

    Examples
    --------
    >>> len(units("city")), len(units("province"))
    (370, 34)
    >>> units().loc["330100", ["name_en", "province_en", "region4"]].tolist()
    ['Hangzhou', 'Zhejiang', 'East']
    """
    table = unit_table()
    if level is not None:
        table = table[table[f"is_{check_level(level)}"]]
    return table.drop(columns=["is_city", "is_province"])


def membership() -> pd.DataFrame:
    """The 196 cities in 19 urban clusters of 汤凯 2026, with stage and structure of each cluster.

    Which city belongs where is a reconstruction from the cluster plans, see ``data/README.md``.

    Returns
    -------
    DataFrame
        Indexed by `code`; columns `city`, `city_zh`, `province`, `cluster`, `cluster_zh`, `stage` (1 optimise
        and upgrade, 2 grow and strengthen, 3 cultivate: a larger code is a lower stage), `structure` (1
        polycentric, 0 monocentric), `certainty` (high, medium, low) and `note`.

    Examples
    --------
    >>> membership().groupby("stage").cluster.nunique().to_dict()
    {1: 5, 2: 5, 3: 9}
    """
    return _geo("membership.csv").set_index("code")


def ports() -> pd.DataFrame:
    """The 25 main sea ports of the mainland and Hainan, one point at the main deep-water terminal of each.

    Indexed by `port_en`; columns `port_zh`, `code` (of the city), `lon`, `lat`, `note` (the terminal).
    """
    return _geo("ports.csv").set_index("port_en")


@cache
def _boundaries(level: Level) -> gpd.GeoDataFrame:
    import geopandas as gpd

    shapes = gpd.read_file(data_file("geo", "boundaries.geojson"))[["code", "geometry"]].set_crs(4326)
    if level == "province":
        shapes["code"] = shapes.code.str[:2] + "0000"
        shapes = shapes.dissolve("code", method="coverage").reset_index()
    table = units(level).reset_index()
    return gpd.GeoDataFrame(table.merge(shapes, on="code", validate="1:1"), crs=4326).set_index("code")


def boundaries(level: Level = "city") -> gpd.GeoDataFrame:
    """Simplified boundaries, for maps and neighbours.

    Parameters
    ----------
    level : ``"city"`` (370 polygons) or ``"province"`` (34, the cities dissolved)

    Returns
    -------
    GeoDataFrame; by `code`, columns of `units` and `geometry` (EPSG:4326); neighbours touch, others do not
    """
    return _boundaries(check_level(level)).copy()


def maritime() -> gpd.GeoDataFrame:
    """The dashed line in the South China Sea that maps made in China print (one row, EPSG:4326)."""
    import geopandas as gpd

    return gpd.read_file(data_file("geo", "maritime.geojson")).set_crs(4326)


def check_level(level: str) -> Level:
    if level == "city" or level == "province":
        return level  # type: ignore[return-value]
    raise ValueError(f'level must be "city" or "province", not {level!r}.')


KINDS = "(?:壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区|省|市|地区|盟)$"


@cache
def _lookup(level: Level | None) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Names and codes that stand for one unit, and short Chinese names with all units that they may mean."""
    table = units(level)
    exact = {str(key): str(code) for column in ("name_en", "name_zh") for code, key in table[column].items()}
    exact |= {code: code for code in table.index}
    short: dict[str, list[str]] = {}
    for code, name in table.name_zh.items():
        short.setdefault(re.sub(KINDS, "", name), []).append(str(code))
    return exact, short


def codes(places: Iterable[Place], level: Level | None = None) -> list[str]:
    """Six-digit codes of places given by code or name.

    Parameters
    ----------
    places : codes (text or whole numbers), English names, Chinese names, Chinese names without their kind
    level : search cities or provinces only. None: both.

    Returns
    -------
    list of str; one code a place, in the order given

    Raises
    ------
    ValueError: if a place is not known, or a short Chinese name means two units; the closest names are listed

    Examples
    --------
    >>> codes(["Hangzhou", "苏州", 310000])
    ['330100', '320500', '310000']
    """
    if isinstance(places, str):
        raise ValueError(f"places must be a list, not the single text {places!r}: write [{places!r}].")
    if level is not None:
        check_level(level)
    out = []
    for i, place in enumerate(places):
        found = meant(place, level)
        if len(found) != 1:
            raise ValueError(_unknown(place, i, found, level))
        out.append(found[0])
    return out


def clean(place: object) -> str:
    """A place as text without what cannot be seen: half-width, no blanks around, whole floats as codes."""
    if isinstance(place, float) and place.is_integer():
        place = int(place)
    if not isinstance(place, (str, int, np.integer)):
        return ""
    text = unicodedata.normalize("NFKC", re.sub(r"^(\d{6})\.0$", r"\1", str(place)))
    return "".join(c for c in text if unicodedata.category(c) != "Cf").strip()


def meant(place: object, level: Level | None = None) -> list[str]:
    """Codes of the units that a place may mean: one if it is known, none if not."""
    exact, short = _lookup(level)
    key = clean(place)
    return [exact[key]] if key in exact else short.get(key, [])


@cache
def _retired() -> dict[str, Any]:
    """Code or name of a unit that there is no more -> its row of retired.csv."""
    table = pd.read_csv(data_file("geo", "retired.csv"), dtype=str, keep_default_na=False)
    rows = sorted(table.itertuples(index=False), key=lambda row: int(row.year))
    short = {re.sub(KINDS, "", row.name_zh): row for row in rows}
    return short | {str(key): row for row in rows for key in (row.code, row.name_zh, row.name_en) if key}


def became(place: object) -> tuple[str, str]:
    """What became of a unit that there is no more, and its code of today if it is the same place; empty for any other."""
    row = _retired().get(clean(place))
    if row is None or meant(place):
        return "", ""
    same = row.how in ("was renamed", "became the city")
    return row.became if same else "", f"{row.name_zh} {row.how} {say(row.became.split())} in {row.year}"


def say(some: Iterable[str]) -> str:
    table = unit_table()
    return ", ".join(f"{table.name_en[c]} {table.name_zh[c]} ({c})" for c in some)


def _unknown(place: object, position: int, found: list[str], level: Level | None) -> str:
    scope = {"city": "city-level unit", "province": "province", None: "unit"}[level]

    shown = repr(place) if len(repr(place)) < 60 else f"{repr(place)[:60]}…"
    start = f"{shown} (place {position + 1} of the list) "
    if found:
        return f"{start}means more than one {scope}: {say(found)}. Use a code or a full name."
    if level is not None:
        other: Level = "province" if level == "city" else "city"
        if there := meant(place, other):
            return f'{start}is not a {scope}. For {say(there)} use level="{other}".'
    if history := became(place)[1]:
        return f"{start}is not on the map of about 2020: {history}."
    exact, text = _lookup(level)[0], clean(place)[:40]
    if text.isdigit():
        near = [c for c in (text[:4] + "00", text[:2] + "0000") if c in exact]
    else:
        near = [n for n in exact if n.lower().startswith(text.lower()) and text]
        near += difflib.get_close_matches(text, exact, n=4, cutoff=0.5)
    close = list(dict.fromkeys(exact[n] for n in near))[:4]
    hint = f"Closest: {say(close)}." if close else "Nothing comes close."
    return f"{start}is not a known {scope}. {hint} geo.units() lists all codes and names."


def points_of(places: Places) -> pd.DataFrame:
    """Frame with `lon`, `lat`, indexed by the labels given."""
    if isinstance(places, pd.DataFrame):
        if not {"lon", "lat"} <= set(places.columns):
            raise ValueError(f"places needs lon and lat (degrees); it has {list(places.columns)}.")
        points = places[["lon", "lat"]].astype(float)
        wrong = points[~(points.lon.between(-180, 180) & points.lat.between(-90, 90))]
        if len(wrong):
            first = f"{wrong.index[0]!r}: {wrong.iloc[0].to_dict()}"
            raise ValueError(f"lon or lat is missing or not in degrees at {first}.")
    else:
        labels = places if isinstance(places, pd.Index) else list(places)
        keys = pd.Series(codes(labels), pd.Index(labels))
        points = unit_table().loc[keys, ["lon", "lat"]].set_axis(keys.index, axis=0)
        if not keys.index.has_duplicates and keys.duplicated().any():
            again = keys[keys.duplicated(keep=False)]
            one, two = again.index[again == again.iloc[0]][:2]
            raise ValueError(f"{one!r} and {two!r} are the same place, {say(again[:1])}: give it once.")
    if points.index.has_duplicates:
        twice = points.index[points.index.duplicated()][0]
        raise ValueError(f"{twice!r} is in the list of places more than once.")
    if points.empty:
        raise ValueError("The list of places is empty.")
    return points


def haversine(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Any:
    lon1, lat1, lon2, lat2 = (np.radians(np.asarray(v, dtype=float)) for v in (lon1, lat1, lon2, lat2))
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(h, 1.0)))


def distances(places: Places, to: Places | None = None) -> pd.DataFrame:
    r"""Matrix of great-circle distances in km between government seats, on a sphere of radius 6371.0088 km.

    .. math:: d = 2R\arcsin\sqrt{\sin^2(\Delta\phi/2) + \cos\phi_1\cos\phi_2\sin^2(\Delta\lambda/2)}

    At most 0.4 % off the distance on the ellipsoid.

    Parameters
    ----------
    places : codes or names, or a frame with columns `lon` and `lat` in degrees for points of your own
    to : the same for the columns. None: `places` again.

    Returns
    -------
    DataFrame; len(places) × len(to), labelled as given

    Raises
    ------
    ValueError: if a place is unknown, given twice, or has no coordinates in range

    Examples
    --------
    >>> distances(["Beijing", "Shanghai"], ["Hangzhou"]).round().astype(int).Hangzhou.tolist()
    [1128, 163]
    """
    a = points_of(places)
    b = a if to is None else points_of(to)
    km = haversine(a.lon.to_numpy()[:, None], a.lat.to_numpy()[:, None], b.lon.to_numpy(), b.lat.to_numpy())
    return pd.DataFrame(km, index=a.index, columns=b.index)


def port_distance(places: Places, to: pd.DataFrame | None = None) -> pd.DataFrame:
    """Nearest main sea port of each place.

    Small values depend on the terminal that stands for a port (Shanghai 19 km, Tianjin 49); ranks do not.

    Parameters
    ----------
    places : as in `distances`, with the same errors
    to : frame of ports with `lon` and `lat`; None: `ports()`

    Returns
    -------
    DataFrame; indexed as `places`; columns `port` (index of the ports' frame) and `km`
    """
    km = distances(places, ports() if to is None else to)
    return pd.DataFrame({"port": km.idxmin(axis=1), "km": km.min(axis=1)})
