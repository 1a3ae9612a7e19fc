"""Real administrative units of China: codes, names, regions, clusters, distances, neighbours and maps.

A *place* is named by its six-digit code (``"330100"``), its English name (``"Hangzhou"``), its Chinese name
(``"杭州市"``) or the Chinese name without its kind (``"杭州"``). Weights are `libpysal.graph.Graph` objects, which
`esda` and `spreg` both take; they keep the order and the labels that you gave. What the files hold and where
they come from stands in ``data/README.md``.

Examples
--------
>>> great_circle("Beijing", "杭州市")  # doctest: +ELLIPSIS
1127...
>>> contiguity(["Shanghai", "Zhoushan", "Jiaxing"]).cardinalities.to_dict()
{'Shanghai': 2, 'Zhoushan': 1, 'Jiaxing': 1}
"""

from __future__ import annotations

import difflib
import re
import textwrap
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from regionbook import look
from regionbook.paths import data_file

if TYPE_CHECKING:
    import geopandas as gpd
    from libpysal.graph import Graph
    from matplotlib.axes import Axes

Level = Literal["city", "province"]
Place: TypeAlias = str | int
Places: TypeAlias = Iterable[Place] | pd.DataFrame

ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m"
"""Equal-area projection of the maps; project your own layers to it before drawing on a map's axes."""

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the WGS 84 ellipsoid."""


# ---------------------------------------------------------------------------------- tables


@cache
def _units() -> pd.DataFrame:
    table = pd.read_csv(data_file("geo", "units.csv"), dtype={"code": str}, keep_default_na=False)
    table = table.set_index("code")
    in_parts = table.level.isin(["province", "autonomous region"])
    table["is_city"] = ~in_parts | (table.index == "710000")  # Taiwan is mapped as one unit
    table["is_province"] = table.index.str.endswith("0000")
    return table


def units(level: Level | None = None) -> pd.DataFrame:
    """Administrative units, as of about 2020.

    Parameters
    ----------
    level
        ``"city"``: the 370 units that cover the country at city level (4 municipalities, 293 prefecture-level
        cities, 40 prefectures, autonomous prefectures and leagues, 30 county-level units directly under a
        province, Hong Kong, Macao, Taiwan). ``"province"``: the 34 of province level. None: all 397;
        municipalities, Hong Kong, Macao and Taiwan are both.

    Returns
    -------
    DataFrame
        Indexed by `code`; columns `name_zh`, `name_en` (unique), `level`, `province`, `province_en`,
        `region4` (East, Central, West, Northeast), `region3` (East, Central, West), `north_south`, `lon`,
        `lat` (government seat, degrees), `area_km2` (inside the mapped boundary).

    Raises
    ------
    ValueError
        If `level` is none of these.

    Examples
    --------
    >>> len(units("city")), len(units("province"))
    (370, 34)
    >>> units().loc["330100", ["name_en", "province_en", "region4"]].tolist()
    ['Hangzhou', 'Zhejiang', 'East']
    """
    table = _units()
    if level is not None:
        table = table[table[f"is_{_level(level)}"]]
    return table.drop(columns=["is_city", "is_province"])


def membership() -> pd.DataFrame:
    """The 196 cities in 19 urban clusters of 汤凯 2026, with stage and structure of each cluster.

    The paper names clusters, not cities: which city belongs where is a reconstruction from the cluster plans,
    with every judgement call in ``data/README.md``. Stage and structure are the paper's.

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
    path = data_file("geo", "membership.csv")
    return pd.read_csv(path, dtype={"code": str}, keep_default_na=False).set_index("code")


def ports() -> pd.DataFrame:
    """The 25 main sea ports of the mainland and Hainan, one point at the main deep-water terminal of each.

    Returns
    -------
    DataFrame
        Indexed by `port_en`; columns `port_zh`, `code` (of the city), `lon`, `lat`, `note` (the terminal).

    Examples
    --------
    >>> ports().loc["Tianjin", "port_zh"]
    '天津港'
    """
    path = data_file("geo", "ports.csv")
    return pd.read_csv(path, dtype={"code": str}, keep_default_na=False).set_index("port_en")


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
    level
        ``"city"`` (370 polygons) or ``"province"`` (34, the cities dissolved).

    Returns
    -------
    GeoDataFrame
        Indexed by `code`, the columns of `units` and `geometry`, in degrees (EPSG:4326). Every pair of
        neighbours of the unsimplified source is kept, and no other pair touches.

    Raises
    ------
    ValueError
        If `level` is neither.

    Examples
    --------
    >>> boundaries("province").shape[0]
    34
    """
    return _boundaries(_level(level)).copy()


def maritime() -> gpd.GeoDataFrame:
    """The dashed line in the South China Sea that maps made in China print (one row, EPSG:4326).

    Examples
    --------
    >>> len(maritime())
    1
    """
    import geopandas as gpd

    return gpd.read_file(data_file("geo", "maritime.geojson")).set_crs(4326)


# ---------------------------------------------------------------------------------- places


def _level(level: str) -> Level:
    if level == "city" or level == "province":
        return level  # type: ignore[return-value]
    raise ValueError(f'level must be "city" or "province", not {level!r}.')


_KINDS = "(?:壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区|省|市|地区|盟)$"


@cache
def _lookup(level: Level | None) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Names and codes that stand for one unit, and short Chinese names with all units that they may mean."""
    table = units(level)
    exact = {str(key): str(code) for column in ("name_en", "name_zh") for code, key in table[column].items()}
    exact |= {code: code for code in table.index}
    short: dict[str, list[str]] = {}
    for code, name in table.name_zh.items():
        short.setdefault(re.sub(_KINDS, "", name), []).append(str(code))
    return exact, short


def codes(places: Iterable[Place], level: Level | None = None) -> list[str]:
    """Six-digit codes of places given by code or name.

    Parameters
    ----------
    places
        Codes (text or whole numbers), English names, Chinese names, Chinese names without their kind.
    level
        Search cities or provinces only. None: both.

    Returns
    -------
    list of str
        One code a place, in the order given.

    Raises
    ------
    ValueError
        If a place is not known, or a short Chinese name means two units; the closest names are listed.

    Examples
    --------
    >>> codes(["Hangzhou", "苏州", 310000])
    ['330100', '320500', '310000']
    """
    if isinstance(places, str):
        raise ValueError(f"places must be a list, not the single text {places!r}: write [{places!r}].")
    exact, short = _lookup(_level(level) if level is not None else None)
    out = []
    for i, place in enumerate(places):
        key = str(place) if isinstance(place, (str, int, np.integer)) else ""
        found = [exact[key]] if key in exact else short.get(key, [])
        if len(found) != 1:
            raise ValueError(_unknown(place, i, found, level))
        out.append(found[0])
    return out


def _unknown(place: object, position: int, found: list[str], level: Level | None) -> str:
    table = _units()
    scope = {"city": "city-level unit", "province": "province", None: "unit"}[level]
    say = lambda some: ", ".join(f"{table.name_en[c]} {table.name_zh[c]} ({c})" for c in some)  # noqa: E731
    start = f"{place!r} (place {position + 1} of the list) "
    if found:
        return f"{start}means more than one {scope}: {say(found)}. Use a code or a full name."
    if level is not None:
        other: Level = "province" if level == "city" else "city"
        exact, short = _lookup(other)
        if meant := [exact[str(place)]] if str(place) in exact else short.get(str(place)):
            return f'{start}is not a {scope}. For {say(meant)} use level="{other}".'
    exact, text = _lookup(level)[0], str(place)
    if text.isdigit():
        near = [c for c in (text[:4] + "00", text[:2] + "0000") if c in exact]
    else:
        near = [n for n in exact if n.lower().startswith(text.lower()) and text]
        near += difflib.get_close_matches(text, exact, n=4, cutoff=0.5)
    close = list(dict.fromkeys(exact[n] for n in near))[:4]
    hint = f"Closest: {say(close)}." if close else "Nothing comes close."
    return f"{start}is not a known {scope}. {hint} geo.units() lists all codes and names."


def _points(places: Places) -> pd.DataFrame:
    """Frame with `lon`, `lat`, indexed by the labels given."""
    if isinstance(places, pd.DataFrame):
        if not {"lon", "lat"} <= set(places.columns):
            raise ValueError(
                f"A frame of places needs the columns lon and lat (degrees); it has {list(places.columns)}."
            )
        points = places[["lon", "lat"]].astype(float)
        wrong = points[~(points.lon.between(-180, 180) & points.lat.between(-90, 90))]
        if len(wrong):
            raise ValueError(
                f"lon or lat is missing or not in degrees at {wrong.index[0]!r}: {wrong.iloc[0].to_dict()}."
            )
    else:
        labels = places if isinstance(places, pd.Index) else list(places)
        points = _units().loc[codes(labels), ["lon", "lat"]].set_axis(pd.Index(labels), axis=0)
    if points.index.has_duplicates:
        raise ValueError(
            f"{points.index[points.index.duplicated()][0]!r} is in the list of places more than once."
        )
    if points.empty:
        raise ValueError("The list of places is empty.")
    return points


# ------------------------------------------------------------------------------- distances


def _haversine(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Any:
    lon1, lat1, lon2, lat2 = (np.radians(np.asarray(v, dtype=float)) for v in (lon1, lat1, lon2, lat2))
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(h, 1.0)))


def great_circle(a: Place, b: Place) -> float:
    r"""Great-circle distance between the government seats of two places, in km.

    The haversine formula on a sphere of radius :math:`R` = 6371.0088 km,

    .. math:: d = 2R\arcsin\sqrt{\sin^2(\Delta\phi/2) + \cos\phi_1\cos\phi_2\sin^2(\Delta\lambda/2)},

    at most 0.4 % off the distance on the ellipsoid.

    Parameters
    ----------
    a, b
        Code or name.

    Raises
    ------
    ValueError
        If a place is not known.

    Examples
    --------
    >>> round(great_circle("Shanghai", "Hangzhou"))
    163
    """
    return float(distances([a], [b]).to_numpy()[0, 0])


def distances(places: Places, to: Places | None = None) -> pd.DataFrame:
    """Matrix of great-circle distances in km between government seats.

    Parameters
    ----------
    places
        Codes or names, or a frame with columns `lon` and `lat` in degrees for points of your own.
    to
        The same for the columns. None: `places` again.

    Returns
    -------
    DataFrame
        len(places) × len(to), labelled as given.

    Raises
    ------
    ValueError
        If a place is unknown, given twice, or has no coordinates in range.

    Examples
    --------
    >>> distances(["Beijing", "Shanghai"], ["Hangzhou"]).round().astype(int).Hangzhou.tolist()
    [1128, 163]
    """
    a = _points(places)
    b = a if to is None else _points(to)
    km = _haversine(a.lon.to_numpy()[:, None], a.lat.to_numpy()[:, None], b.lon.to_numpy(), b.lat.to_numpy())
    return pd.DataFrame(km, index=a.index, columns=b.index)


def port_distance(places: Places, to: pd.DataFrame | None = None) -> pd.DataFrame:
    """Nearest main sea port of each place.

    Small values depend on the terminal that stands for a port (Shanghai 19 km, Tianjin 49); ranks do not.

    Parameters
    ----------
    places
        As in `distances`.
    to
        Frame of ports with `lon` and `lat`; None: `ports()`.

    Returns
    -------
    DataFrame
        Indexed as `places`; columns `port` (index of the ports' frame) and `km`.

    Raises
    ------
    ValueError
        As in `distances`.

    Examples
    --------
    >>> port_distance(["Beijing"]).port.item()
    'Tianjin'
    """
    km = distances(places, ports() if to is None else to)
    return pd.DataFrame({"port": km.idxmin(axis=1), "km": km.min(axis=1)})


# --------------------------------------------------------------------------------- weights


def _graph(labels: pd.Index, matrix: np.ndarray) -> Graph:
    """Graph from a dense matrix with zero diagonal, in the order of labels; a row of zeros is an isolate."""
    from libpysal.graph import Graph

    matrix = matrix.copy()
    alone = ~matrix.any(axis=1)
    i, j = np.nonzero(matrix)
    i, j = np.append(i, np.flatnonzero(alone)), np.append(j, np.flatnonzero(alone))
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    return Graph.from_arrays(labels[i], labels[j], matrix[i, j])


def contiguity(
    places: Iterable[Place], isolates: Literal["error", "nearest", "keep"] | Mapping[Place, Place] = "error"
) -> Graph:
    r"""Neighbours that share a border, as binary weights :math:`w_{ij} = 1`.

    Queen and rook contiguity are the same here: no two units meet in a single point.

    Parameters
    ----------
    places
        Codes or names, all of city level or all of province level. Only borders among these count.
    isolates
        What to do with a place without a neighbour: ``"error"`` names them and stops; ``"keep"`` leaves their
        rows zero; ``"nearest"`` links each to the place with the nearest seat, both ways; a mapping links
        each place to the one you say, both ways (the usual ``{"Hainan": "Guangdong"}`` for provinces).

    Returns
    -------
    libpysal.graph.Graph
        Symmetric; ids are the places as given, in that order. ``.transform("r")`` makes rows add to 1.

    Raises
    ------
    ValueError
        For an unknown or repeated place, a mix of levels, an isolate that `isolates` does not settle.

    Examples
    --------
    >>> w = contiguity(units("province").index[:31], isolates={"海南": "广东"})
    >>> w.n, int(w.adjacency.sum()) // 2, w.isolates.tolist()
    (31, 69, [])
    """
    points = _points(places if isinstance(places, pd.Index) else list(places))
    keys = codes(points.index)
    table = _units().loc[keys]
    if not (table.is_city.all() or table.is_province.all()):
        some = table.name_en[~table.is_city].iloc[0]
        raise ValueError(f"places mixes provinces ({some}) with cities: give one level only.")
    shapes = boundaries("city" if table.is_city.all() else "province").geometry.loc[keys]
    i, j = shapes.sindex.query(shapes, predicate="intersects")
    matrix = np.zeros((len(keys), len(keys)))
    matrix[i, j] = 1.0
    np.fill_diagonal(matrix, 0.0)

    alone = np.flatnonzero(~matrix.any(axis=1))
    if isinstance(isolates, Mapping):
        name = _units().name_en
        for a, b in zip(codes(isolates), codes(isolates.values()), strict=True):
            if a not in keys or b not in keys:
                raise ValueError(f"isolates links {name[a]} to {name[b]}, but one of them is not in places.")
            matrix[keys.index(a), keys.index(b)] = matrix[keys.index(b), keys.index(a)] = 1.0
    elif isolates == "nearest" and len(keys) > 1:
        km = distances(points).to_numpy(copy=True)
        np.fill_diagonal(km, np.inf)
        near = km[alone].argmin(axis=1)
        matrix[alone, near] = matrix[near, alone] = 1.0
    elif isolates not in ("error", "nearest", "keep"):
        raise ValueError(f'isolates must be "error", "nearest", "keep" or a mapping, not {isolates!r}.')
    left = table.name_en.to_numpy()[~matrix.any(axis=1)].tolist()
    if left and isolates != "keep":
        raise ValueError(
            f"No neighbour among the {len(keys)} places: {', '.join(left)}. "
            'Choose isolates="nearest", "keep" (rows of zeros) or a mapping such as {"Hainan": "Guangdong"}.'
        )
    return _graph(points.index, matrix)


def knn(places: Places, k: int) -> Graph:
    r"""The `k` nearest places by great-circle distance, as binary weights; not symmetric in general.

    Parameters
    ----------
    places
        As in `distances`.
    k
        Number of neighbours, from 1 to the number of places less one. Ties go to the place that stands first.

    Returns
    -------
    libpysal.graph.Graph
        Ids are the places as given, in that order.

    Raises
    ------
    ValueError
        If `k` is out of range, and as in `distances`.

    Examples
    --------
    >>> knn(["Beijing", "Shanghai", "Hangzhou"], 1)["Beijing"].index.tolist()
    ['Shanghai']
    """
    km = distances(places)
    n = len(km)
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= n - 1:
        raise ValueError(
            f"k must be a whole number from 1 to {n - 1} (the number of places less one), not {k!r}."
        )
    far = km.to_numpy(copy=True)
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, :k]
    matrix = np.zeros((n, n))
    np.put_along_axis(matrix, near, 1.0, axis=1)
    return _graph(km.index, matrix)


def inverse_distance(
    places: Places,
    power: float = 1.0,
    *,
    cutoff_km: float | None = None,
    zero: Literal["error"] | float = "error",
) -> Graph:
    r"""Weights that fall with distance: :math:`w_{ij} = d_{ij}^{-p}` for :math:`i \ne j`, :math:`d` in km.

    Parameters
    ----------
    places
        As in `distances`.
    power
        :math:`p` > 0.
    cutoff_km
        Weights of pairs farther apart are zero. None: no cut-off.
    zero
        What to do with two places at one point: ``"error"``, or a distance in km to put in place of zero.

    Returns
    -------
    libpysal.graph.Graph
        Symmetric, not standardised; ids are the places as given, in that order.

    Raises
    ------
    ValueError
        If `power`, `cutoff_km` or `zero` is not positive, if two places are at one point and `zero` is
        ``"error"``, and as in `distances`.

    Examples
    --------
    >>> w = inverse_distance(["Shanghai", "Hangzhou"])
    >>> round(1 / w["Shanghai"]["Hangzhou"])
    163
    """
    for name, value in (("power", power), ("cutoff_km", cutoff_km), ("zero", zero)):
        if value is not None and value != "error" and not (isinstance(value, (int, float)) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {value!r}.")
    frame = distances(places)
    km = frame.to_numpy(copy=True)
    same = (km == 0) & ~np.eye(len(km), dtype=bool)
    if same.any() and zero == "error":
        a, b = frame.index[np.argwhere(same)[0]]
        raise ValueError(
            f"{a!r} and {b!r} are at one point, so the inverse has no value: give zero= a distance in km."
        )
    km[same] = zero if zero != "error" else 0.0
    np.fill_diagonal(km, np.inf)
    weight = km**-power
    if cutoff_km is not None:
        weight[km > cutoff_km] = 0.0
    return _graph(frame.index, weight)


# ------------------------------------------------------------------------------------ maps

_MAIN = (-2.72e6, 2.58e6, 1.78e6, 5.97e6)  # frame of the main map in metres, ending south of Hainan
_SOUTH = (0.15e6, 2.2e6, 0.3e6, 2.75e6)  # frame of the inset
_CORNER = (
    1.90e6,
    1.79e6,
    0.67e6,
    0.80e6,
)  # place of the inset in the main frame: left, bottom, width, height
_DRAWN_M = 4000.0  # tolerance of the drawn outlines, about half a pixel of a page-wide map


@cache
def _map_layers(level: Level) -> tuple[pd.Index, list[Any], list[np.ndarray], list[np.ndarray]]:
    """Codes and filled paths of the units, lines of the provinces and of the South China Sea, in ALBERS."""
    import shapely
    from matplotlib.path import Path

    shapes = boundaries("city").geometry.to_crs(ALBERS)
    shapes[:] = shapely.coverage_simplify(shapes.values, _DRAWN_M)
    provinces = (
        shapes.to_frame("geometry").dissolve(shapes.index.str[:2] + "0000", method="coverage").geometry
    )
    if level == "province":
        shapes = provinces
    paths = []
    for polygon in shapely.orient_polygons(
        shapes.values
    ):  # holes must turn against their outline to stay empty
        rings = shapely.get_rings(shapely.get_parts(polygon))
        paths.append(Path.make_compound_path(*(Path(shapely.get_coordinates(r), closed=True) for r in rings)))
    lines = [shapely.get_coordinates(r) for r in shapely.get_rings(shapely.get_parts(provinces.values))]
    sea = [shapely.get_coordinates(p) for p in shapely.get_parts(maritime().geometry.to_crs(ALBERS).values)]
    return shapes.index, paths, lines, sea


def _group_lines(groups: pd.Series, level: Level) -> list[np.ndarray]:
    """Outlines of groups of places in ALBERS."""
    import shapely

    shapes = boundaries(level).geometry.to_crs(ALBERS)
    shapes[:] = shapely.coverage_simplify(shapes.values, _DRAWN_M)
    groups = groups.set_axis(pd.Index(codes(groups.index, level)), axis=0).dropna()
    merged = (
        shapes.loc[groups.index].to_frame("geometry").dissolve(groups.to_numpy(), method="coverage").geometry
    )
    return [shapely.get_coordinates(r) for r in shapely.get_rings(shapely.get_parts(merged.values))]


def choropleth(
    values: pd.Series | pd.DataFrame,
    *,
    level: Level = "city",
    title: str | None = None,
    label: str | None = None,
    scheme: str = "quantiles",
    k: int = 5,
    bins: Sequence[float] | None = None,
    colors: str | Sequence[str] | None = None,
    labels: Literal["en", "zh"] | None = None,
    which: int | Literal["outlines"] | Iterable[Place] = 8,
    outlines: pd.Series | None = None,
    inset: bool = True,
    ax: Axes | None = None,
) -> Axes | np.ndarray:
    """Map of the whole country with places coloured by value.

    Parameters
    ----------
    values
        Series indexed by code or name (`codes`). Missing values and places not in the index are drawn as "no
        data". Text, true/false or categorical values are drawn as categories. A DataFrame gives one map a
        column, with one classification and one legend for all.
    level
        ``"city"`` or ``"province"``.
    title
        What the reader should see. For a DataFrame it stands over all maps, and the columns' names over each.
    label
        Heading of the legend: the variable and its unit.
    scheme
        Any classifier of `mapclassify` by name (``"quantiles"``, ``"equalinterval"``, ``"fisherjenks"``, …),
        or ``"categories"`` for codes that are numbers.
    k
        Number of classes; fewer when there are fewer different values.
    bins
        Upper bounds of the classes, rising, the last at or above the largest value; takes the place of
        `scheme`, `k`.
    colors
        Name of a matplotlib colour map for classes (default light to dark, readable in grey), or a list of
        colours, one a class or category.
    labels
        Language of place names on the map; None writes none.
    which
        What to name: a number (that many of the largest values), a list of places, or ``"outlines"`` (the
        groups). A name that finds no room is left out.
    outlines
        Group of each place, indexed like `values`; groups (say, clusters) get a dark outline.
    inset
        Draw the South China Sea in a corner.
    ax
        Axes to draw on (a Series only); None makes a figure, 7 inches wide.

    Returns
    -------
    Axes, or an array of them for a DataFrame
        In the projection `ALBERS`: layers of your own need ``.to_crs(rb.geo.ALBERS)``.

    Raises
    ------
    ValueError
        For an unknown or repeated place, infinite or no values, bins that do not rise or do not reach the
        largest value, an unknown scheme, more categories than colours, or a bad option.

    Notes
    -----
    Stored in a notebook, a map 7 inches wide has 120–150 kB, and 30–40 kB after quantising to 64 colours;
    four maps in one figure have 50 kB then. Store maps quantised, and never as SVG.

    Examples
    --------
    >>> ax = choropleth(units("city").lat, title="Latitude", label="degrees north", k=4)
    >>> [t.get_text() for t in ax.get_legend().get_texts()][-1]
    '37.9–52.3'
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    _check_options(values, labels, ax)
    frame = values.to_frame() if isinstance(values, pd.Series) else values
    frame = frame.set_axis(pd.Index(codes(frame.index, _level(level))), axis=0)
    if frame.index.has_duplicates:
        name = _units().name_en[frame.index[frame.index.duplicated()][0]]
        raise ValueError(
            f"values has more than one row for {name}: aggregate or select first (one year, say)."
        )
    classes, names, palette = _classify(frame, scheme, k, bins, colors)
    groups = _group_lines(outlines, level) if outlines is not None else []

    font = look.font()
    if isinstance(values, pd.Series):
        axes = np.array(
            [ax if ax is not None else plt.figure(figsize=(7, 5.4), layout="constrained").add_subplot()]
        )
    else:
        n = frame.shape[1]
        across = n if n <= 3 else 2 if n == 4 else 3
        down = -(-n // across)
        width = {1: 7.0, 2: 3.8}.get(across, 3.3)
        size = (across * width, down * width * 0.86 + 0.75)
        figure, grid = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
        axes = grid.ravel()
        for spare in axes[n:]:
            spare.set_axis_off()
        if title:
            figure.suptitle(
                title, x=0.01, ha="left", fontsize=plt.rcParams["axes.titlesize"], fontfamily=font
            )

    number = classes.reindex(_map_layers(level)[0])
    for column, one in zip(frame.columns, axes, strict=False):
        _draw(one, level, number[column].map(dict(enumerate(palette))), groups, inset)
        if isinstance(values, pd.Series):
            one.set_title(title or "", fontfamily=font)
        else:
            one.set_title(str(column), loc="center", fontsize=10, fontfamily=font)
    if number.isna().any(axis=None):
        names, palette = [*names, "无数据" if labels == "zh" else "no data"], [*palette, look.NO_DATA]
    patch: dict[str, Any] = {"edgecolor": "#999999", "linewidth": 0.4}
    handles = [Patch(facecolor=c, label=n, **patch) for c, n in zip(palette, names, strict=True)]
    text = {"prop": {"family": font, "size": 8}, "title_fontproperties": {"family": font, "size": 8.5}}
    if isinstance(values, pd.Series):
        legend = axes[0].legend(handles=handles, title=label, loc="lower left", frameon=False, **text)
        legend._legend_box.align = "left"
    else:
        figure.legend(
            handles=handles,
            title=label,
            loc="outside lower center",
            ncols=len(handles),
            frameon=False,
            **text,
        )
    if labels is not None:
        for column, one in zip(frame.columns, axes, strict=False):
            _write_names(one, *_labels(frame[column], which, labels, level, outlines))
    return axes[0] if isinstance(values, pd.Series) else axes[: frame.shape[1]]


def _check_options(values: object, labels: object, ax: object) -> None:
    if not isinstance(values, (pd.Series, pd.DataFrame)):
        kind = type(values).__name__
        raise ValueError(f"values must be a pandas Series or DataFrame indexed by code or name, not {kind}.")
    if isinstance(values, pd.DataFrame) and ax is not None:
        raise ValueError("ax takes one map: give a Series, or leave ax out for a DataFrame.")
    if isinstance(values.index, pd.MultiIndex):
        raise ValueError(
            f"values is indexed by {list(values.index.names)}: select a year, or unstack it into columns."
        )
    if labels not in (None, "en", "zh"):
        raise ValueError(f'labels must be None, "en" or "zh", not {labels!r}.')


def _classify(
    frame: pd.DataFrame, scheme: str, k: int, bins: Sequence[float] | None, colors: str | Sequence[str] | None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Class number of every cell (NaN for no data), names and colours of the classes."""
    import matplotlib as mpl

    is_number, is_truth = pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype
    numeric = all(is_number(kind) and not is_truth(kind) for kind in frame.dtypes)
    if scheme == "categories" or not numeric:
        stacked: Any = frame.stack() if frame.shape[1] > 1 else frame.iloc[:, 0]
        order = list(pd.Categorical(stacked.dropna()).categories)
        palette = list(look.PALETTE if colors is None or isinstance(colors, str) else colors)
        if not 1 <= len(order) <= len(palette):
            raise ValueError(
                f"{len(order)} categories but {len(palette)} colours: group the categories, or pass a list."
            )
        rank = {value: i for i, value in enumerate(order)}
        names = [f"{v:g}" if isinstance(v, float) else str(v) for v in order]
        return frame.apply(lambda c: c.map(rank).astype(float)), names, palette[: len(order)]

    known = frame.to_numpy(dtype=float)
    known = known[~np.isnan(known)]
    if known.size == 0 or np.isinf(known).any():
        raise ValueError(
            "values has no number to draw."
            if known.size == 0
            else "values has infinite numbers: drop them first."
        )
    edges = _edges(known, scheme, k, bins)
    classes = frame.apply(lambda c: pd.Series(np.searchsorted(edges, c), c.index).where(c.notna()))
    if colors is None or isinstance(colors, str):
        ramp = mpl.colormaps[colors or look.SEQUENTIAL](np.linspace(0.25, 1.0, len(edges)))
        palette = [mpl.colors.to_hex(c) for c in ramp]
    else:
        palette = list(colors)
        if len(palette) != len(edges):
            raise ValueError(f"{len(palette)} colours for {len(edges)} classes: give one colour a class.")
    return classes, _interval_names([known.min(), *edges]), palette


def _edges(known: np.ndarray, scheme: str, k: int, bins: Sequence[float] | None) -> np.ndarray:
    """Upper bounds of the classes; a value belongs to the first class whose bound it does not exceed."""
    if bins is not None:
        edges = np.asarray(bins, dtype=float)
        if edges.ndim != 1 or edges.size == 0 or (np.diff(edges) <= 0).any() or edges[-1] < known.max():
            raise ValueError(
                f"bins must rise and end at or above the largest value, {known.max():g}; given {list(bins)}."
            )
        return edges
    if not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"k must be a positive whole number, not {k!r}.")
    k = min(int(k), len(np.unique(known)))
    if k == 1:
        return np.array([known.max()])
    if scheme.lower() == "quantiles":  # mapclassify.Quantiles, without the seconds that importing it takes
        return np.unique(np.quantile(known, np.linspace(0, 1, k + 1)[1:]))
    import mapclassify

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Numba not installed")  # a few hundred values need none
            found = mapclassify.classify(known, scheme, k=k)
    except ValueError as error:
        raise ValueError(
            f"scheme {scheme!r} is not known: use a name such as 'quantiles' or 'fisherjenks'."
        ) from error
    edges = np.unique(found.bins)
    return np.append(edges[edges < known.max()], known.max())


def _interval_names(edges: Sequence[float]) -> list[str]:
    """Ranges such as 0.02–0.05, with just enough decimals to tell neighbouring bounds apart.

    >>> _interval_names([0, 2, 5]), _interval_names([-2, -1, 0])
    (['0–2', '2–5'], ['-2 to -1', '-1 to 0'])
    """
    gaps = np.diff(edges)
    gap = gaps[gaps > 0].min() if (gaps > 0).any() else abs(edges[0]) or 1.0
    whole = all(float(e).is_integer() for e in edges)
    decimals = 0 if whole else max(0, 1 - int(np.floor(np.log10(gap))))
    text = [f"{e:,.{decimals}f}" for e in edges]
    dash = " to " if min(edges) < 0 else "–"  # −0.6–−0.3 is hard to read
    return [a if a == b else f"{a}{dash}{b}" for a, b in pairwise(text)]


def _draw(ax: Axes, level: Level, colour: pd.Series, groups: list[np.ndarray], inset: bool) -> None:
    """Draw one map; places without a colour are grey and have no outline of their own."""
    from matplotlib.collections import LineCollection, PathCollection

    _, paths, lines, sea = _map_layers(level)
    face, edge = colour.fillna(look.NO_DATA), colour.where(colour.isna(), "white").fillna(look.NO_DATA)

    def paint(on: Axes, frame: tuple[float, float, float, float], scale: float) -> None:
        for layer in (
            PathCollection(paths, facecolors=face, edgecolors=edge, linewidths=0.3 * scale),
            LineCollection(lines, colors="#888888", linewidths=0.5 * scale),
            LineCollection(groups, colors="#222222", linewidths=1.0 * scale),
            LineCollection(sea, colors="#444444", linewidths=1.0),
        ):
            layer.set_in_layout(False)
            on.add_collection(layer, autolim=False)
        on.set(xlim=frame[:2], ylim=frame[2:], aspect="equal", xticks=[], yticks=[])
        on.grid(False)

    paint(ax, _MAIN, 1.0)
    ax.spines[:].set_visible(False)
    ax.set_facecolor("none")
    if inset:
        corner = ax.inset_axes(_CORNER, transform=ax.transData)
        paint(corner, _SOUTH, 0.6)
        corner.spines[:].set(visible=True, color="#777777", linewidth=0.5)
        corner.set_facecolor("white")


def _labels(
    values: pd.Series,
    which: int | str | Iterable[Place],
    language: str,
    level: Level,
    outlines: pd.Series | None,
) -> tuple[list[str], np.ndarray, bool]:
    """Names to write, where (n × 2, in ALBERS), and whether a dot marks the spot (seats) or not (areas)."""
    import geopandas as gpd

    shapes = boundaries(level).geometry
    if isinstance(which, str):
        if which != "outlines" or outlines is None:
            raise ValueError(
                f'which must be a number, a list of places, or "outlines" with outlines given; not {which!r}.'
            )
        groups = outlines.set_axis(pd.Index(codes(outlines.index, level)), axis=0).dropna()
        areas = (
            shapes.loc[groups.index]
            .to_frame("geometry")
            .dissolve(groups.to_numpy(), method="coverage")
            .geometry
        )
        return (
            [str(g) for g in areas.index],
            areas.to_crs(ALBERS).representative_point().get_coordinates().to_numpy(),
            False,
        )
    if isinstance(which, (int, np.integer)):
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            raise ValueError("which must be a list of places when the values are categories.")
        chosen = values.dropna().nlargest(int(which)).index.to_list()
    else:
        chosen = codes(which, level)
    table = _units().loc[chosen]
    if language == "zh":
        names = table.name_zh.str.replace(_KINDS, "", regex=True)
    else:
        names = table.name_en.str.replace(r" \(.*\)", "", regex=True)
    if level == "province":
        spots = shapes.loc[chosen].to_crs(ALBERS).representative_point()
    else:
        spots = gpd.GeoSeries(gpd.points_from_xy(table.lon, table.lat), crs=4326).to_crs(ALBERS)
    return names.to_list(), spots.get_coordinates().to_numpy(), level == "city"


def _write_names(ax: Axes, names: list[str], spots: np.ndarray, dots: bool) -> None:
    """Write each name in the first free place around its spot; a name that finds none is left out."""
    from matplotlib.patheffects import withStroke
    from matplotlib.transforms import Bbox

    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    frame = ax.get_window_extent(renderer)
    taken = [a.get_window_extent(renderer) for a in (ax.get_legend(), *ax.child_axes) if a is not None]
    pixels = figure.dpi / 72  # in one point
    metres = float(np.ptp(ax.get_xlim())) / frame.width * pixels
    around = [(1, 0.35), (-1, 0.35), (1, -0.35), (-1, -0.35), (0, 1), (0, -1)]
    rings = (4, 10, 18, 28)  # points
    if not dots:  # an area's name stands on it if it can, else above or below
        around, rings = [(0, -1), (0, 1), *around[:4]], (0, 10, 18, 28)
    offsets = [(r * dx, r * dy) for r in rings for dx, dy in around]

    for name, spot in zip(names, spots, strict=True):
        text = ax.annotate(
            name if dots else textwrap.fill(name, 16),
            spot,
            (0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            multialignment="center",
            linespacing=1.0,
            fontsize=7.5,
            fontfamily=look.font(),
            path_effects=[withStroke(linewidth=2, foreground="white")],
            snap=False,  # else characters of straight strokes only (营口) are pulled apart to whole pixels
            zorder=10,
        )
        size = text.get_window_extent(renderer).padded(1)
        for dx, dy in offsets:  # the text's centre moves by the offset and half its size
            half_x = np.sign(dx) * size.width / 2
            half_y = 0 if dx else np.sign(dy) * size.height / 2
            box = size.translated(dx * pixels + half_x, dy * pixels + half_y)
            inside = Bbox.intersection(box, frame)
            if inside is None or not np.allclose(inside.extents, box.extents):
                continue
            if not any(box.overlaps(other) for other in taken):
                break
        else:
            text.remove()
            continue
        text.set_position((dx + half_x / pixels, dy + half_y / pixels))
        taken.append(box)
        if dots:
            ax.scatter(spot[0], spot[1], s=6, color="#222222", edgecolor="white", linewidth=0.4, zorder=9)
        if max(abs(dx), abs(dy)) > 4:  # a thin line from the name to its spot
            ends = [spot[0], spot[0] + dx * metres], [spot[1], spot[1] + dy * metres]
            ax.plot(*ends, color="#222222", linewidth=0.5, linestyle="-", zorder=8)
