"""From cities to pairs of cities: the dyadic panel of `knowledge-flows`, built on a grid of pairs and years.

Every variable of a pair is an array with one row a pair and one column a year, so that nothing is sorted, merged or
looped over pairs. Row `i` is the pair ``(a[i], b[i])`` with ``a < b`` in the order of the cities; the two roles, less
developed `L` and more developed `H`, are set anew in every year from the ranking one year earlier.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]
Grid = dict[str, np.ndarray]

CLASSES = tuple("abcdefgh")
"""Sections of the International Patent Classification; columns ``patents_a`` ... ``patents_h`` of the city-year table."""
SEVEN = np.array([0.2, 0.5, 1, 3, 5, 10]) * 1e6
"""Bounds of the seven size classes of 2014, permanent urban residents."""
FOUR = np.array([0.2, 0.5, 1]) * 1e6
"""Bounds of the four older size classes, applied to the whole prefecture (see the cautions of the paper's chapter)."""
LAST_YEAR = 2019
"""Last outcome year: the series of lights runs on to 2020, the paper stops before the pandemic."""


def pairs(n: int) -> tuple[Ints, Ints]:
    """Both cities of the n(n-1)/2 unordered pairs, as rows of the table of cities.

    >>> [x.tolist() for x in pairs(3)]
    [[0, 0, 1], [1, 2, 2]]
    """
    a, b = np.triu_indices(n, 1)
    return a.astype(np.int16), b.astype(np.int16)


def pair_number(first: Ints, second: Ints, n: int) -> Ints:
    """Row of the pair of two cities in `pairs`, whichever of them comes first.

    >>> pair_number(np.array([2, 0]), np.array([1, 2]), 3).tolist()
    [2, 1]
    """
    low = np.minimum(first, second).astype(np.int64)
    high = np.maximum(first, second).astype(np.int64)
    return low * (2 * n - low - 1) // 2 + high - low - 1


def place_of(names: pd.Series, cities: pd.Index, table: str = "citations") -> Ints:
    """Rows of cities in their table."""
    same = isinstance(names.dtype, pd.CategoricalDtype) and names.cat.categories.equals(cities)
    out = names.cat.codes.to_numpy() if same else cities.get_indexer(names.astype(object))
    if (out < 0).any():
        stray = names[out < 0].iloc[0]
        raise ValueError(f"table {table!r} has {stray!r}, which the table of cities does not have")
    return out.astype(np.int64)


def wide(table: pd.DataFrame, column: str) -> Array:
    """A column of a table of city-years, city by city, as an array (city, year)."""
    return table[column].to_numpy(float).reshape(table.index.get_level_values(0).nunique(), -1)


def by_city_and_year(years: pd.DataFrame, cities: pd.Index) -> tuple[pd.DataFrame, Ints]:
    """The table of city-years in the order of the cities, every city in every year, and these years, rising."""
    calendar = np.sort(years.index.get_level_values("year").unique())
    full = pd.MultiIndex.from_product([cities, calendar], names=["city", "year"])
    if not years.index.is_unique:
        raise ValueError(f"table 'years' has {years.index[years.index.duplicated()][0]} more than once")
    if len(absent := full.difference(years.index)) or len(years) > len(full):
        what = f"lacks {absent[0]}" if len(absent) else "has cities that the table of cities does not have"
        raise ValueError(f"table 'years' {what}: it needs each city of that table in each year, and no other")
    return years.reindex(full), calendar


def orient(y: Array, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Less and more developed city of each pair in each outcome year, by `y` one year earlier (ties: `a` is less)."""
    ahead = y[a, :-1] > y[b, :-1]
    return np.where(ahead, b[:, None], a[:, None]), np.where(ahead, a[:, None], b[:, None])


def counts(citations: pd.DataFrame, cities: pd.Index, years: Ints) -> tuple[Ints, Ints]:
    """Citations by `a` of `b` and by `b` of `a`, arrays (pair, year); what is not in the table is zero."""
    n, years = len(cities), np.asarray(years)
    out = np.zeros((2, n * (n - 1) // 2, len(years)), np.int32)
    year = citations["year"].to_numpy(np.int64) - years[0]
    use = (year >= 0) & (year < len(years))
    citing, cited = (place_of(citations[k], cities)[use] for k in ("citing", "cited"))
    place = pair_number(citing, cited, n) * len(years) + year[use] + (citing > cited) * out[0].size
    out.reshape(-1)[place] = citations["citations"].to_numpy()[use]
    return out[0], out[1]


def similarity(patents: Array, a: Ints, b: Ints) -> np.ndarray:
    """Cosine of two cities' patents by class, array (pair, year) of single precision; NaN without patents.

    `patents` is an array (city, year, class).
    """
    length = np.sqrt((patents**2).sum(2, keepdims=True))
    share = np.divide(patents, length, out=np.full_like(patents, np.nan), where=length > 0)
    out = np.empty((len(a), patents.shape[1]), np.float32)
    for t in range(patents.shape[1]):
        out[:, t] = (share[:, t] @ share[:, t].T)[a, b]
    return np.minimum(out, np.float32(1))


def link_years(rail: pd.DataFrame, cities: pd.Index) -> Array:
    """Year from which two cities lie on one line in operation, array (city, city); infinite without a line."""
    out = np.full((len(cities), len(cities)), np.inf)
    for _, line in rail.groupby("line", observed=True):
        at = place_of(line["city"], cities, "rail")
        opened = line["opened"].to_numpy(float)
        block = np.ix_(at, at)
        out[block] = np.minimum(out[block], np.maximum.outer(opened, opened))
    return out


def theil(imports: pd.DataFrame) -> pd.Series:
    """Theil index of each city's imports of each product over the countries that it buys from.

    .. math:: T_{cp} = \\frac1n \\sum_j \\frac{x_j}{\\bar x} \\ln \\frac{x_j}{\\bar x}
    """
    by = [imports["city"], imports["hs2"]]
    ratio = imports["value"] / imports.groupby(by, observed=True)["value"].transform("mean")
    return (ratio * np.log(ratio)).groupby(by, observed=True).mean().rename("theil")


def diversity(imports: pd.DataFrame, cities: pd.DataFrame) -> pd.DataFrame:
    """Inverse of the mean Theil index of each city, and the mean of that over the other cities of its province.

    Both are missing for a city without imports, the second also where no other city of the province has any.
    """
    own = 1 / theil(imports).groupby("city", observed=True).mean().reindex(cities.index)
    own = own.where(np.isfinite(own))
    by = own.groupby(cities["province"])
    others = by.transform("count") - own.notna()
    rest = (by.transform("sum") - own.fillna(0)) / others.where(others > 0)
    return pd.DataFrame({"own": own, "province": rest.where(own.notna())})


def build(
    tables: Mapping[str, pd.DataFrame],
    light: str = "light",
    *,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> tuple[Grid, Ints]:
    """The variables of all pairs: a dictionary of arrays (pair, year) or (pair,), and the outcome years.

    ``tables`` are ``cities``, ``years``, ``citations`` and, where there are any, ``rail``, ``imports``, ``extreme``; what
    needs a table or a column that is not there is left out. ``light`` is the column of ``years`` with the sum of night
    lights. ``arrays``, for simulations, holds both counts (2, pair, year) as ``flows`` in place of the citations.
    """
    cities = tables["cities"]
    years, calendar = by_city_and_year(tables["years"], cities.index)
    tables = {**tables, "years": years}
    calendar = calendar[calendar <= LAST_YEAR]
    size, now = len(calendar), np.arange(len(calendar) - 1)
    outcome = calendar[1:]
    a, b = pairs(len(cities))

    def series(column: str) -> Array:
        return wide(years, column)[:, :size]

    y = series(light) / series("population")
    L, H = orient(y, a, b)
    a_is_less = L == a[:, None]
    g: Grid = {"a": a, "b": b, "L": L, "H": H}
    g["extreme"] = np.zeros(L.shape, bool)
    if "extreme" in tables:
        listed = tables["extreme"]
        one, two = (place_of(listed[k], cities.index, "extreme") for k in ("a", "b"))
        g["extreme"][pair_number(one, two, len(cities)), listed["year"].to_numpy() - outcome[0]] = True
    g["Bal"] = y[L, now + 1] / y[H, now + 1]
    ab, ba = arrays["flows"] if arrays else counts(tables["citations"], cities.index, calendar[:-1])
    g["DKF_HtoL"] = np.where(a_is_less, ab, ba)  # the less developed city cites the more developed one
    g["DKF_LtoH"] = np.where(a_is_less, ba, ab)
    if "rail" in tables:
        linked = link_years(tables["rail"], cities.index)[a, b]
        g["HSR"] = (linked[:, None] <= calendar[:-1]).astype(np.int8)
    if {f"patents_{k}" for k in CLASSES} <= set(years):
        patents = np.stack([series(f"patents_{k}")[:, :-1] for k in CLASSES], 2)
        g["TS"] = similarity(patents, a, b)
    if "ipr_city" in years:
        ipr = series("ipr_city").astype(np.int8)
        g["IPP"] = ipr[a, :-1] + ipr[b, :-1]
    g |= moderators(tables, L, H, series, y, now)
    national = (g["DKF_HtoL"].sum(0, dtype=np.int64) - g["DKF_LtoH"].sum(0, dtype=np.int64)).astype(float)
    for name, column in (("IV_tel", "telephones_1984"), ("IV_telegraph", "telegraph_1907")):
        if column in cities:
            z = cities[column].to_numpy(float)
            product = z[a] * z[b]
            g[name] = ((product / np.nansum(product))[:, None] * national).astype(np.float32)
    return g, outcome


_GAPS = (
    ("Gap_k", "loans_2000", True, 1),
    ("Gap_k_assets", "assets_2000", True, 1),
    ("Gap_l", "illiteracy_2000", False, -1),
    ("Gap_l_schooling", "schooling_2000", False, 1),
    ("Gap_d", "internet_2000", False, 1),
    ("Gap_d_percap", "internet_2000", True, 1),
)
"""Ratio of the less to the more developed city: name, column, whether per head of 2000, sign."""


def moderators(tables, L, H, series, y, now) -> Grid:  # type: ignore[no-untyped-def]
    """What the paper interacts with the net flow, oriented by the roles."""
    cities, years = tables["cities"], tables["years"]
    a, b = pairs(len(cities))
    g: Grid = {}

    def column(name: str) -> Array:
        return cities[name].to_numpy(float)

    for name, raw in (("Compat_kno", "digital_firms"), ("Compat_kno_capital", "firm_capital")):
        if raw in years:
            v = series(raw)
            v = np.log(v, out=np.full_like(v, np.nan), where=v > 0)
            g[name] = v[L, now].astype(np.float32)
    if "imports" in tables:
        d = diversity(tables["imports"], cities)
        g["Compat_dem"] = d["own"].to_numpy(float)[L].astype(np.float32)
        g["Compat_dem_province"] = d["province"].to_numpy(float)[L].astype(np.float32)
    for name, raw, per_head, sign in _GAPS:
        if raw in cities and (not per_head or "population_2000" in cities):
            v = column(raw) / (column("population_2000") if per_head else 1)
            g[name] = (sign * v[L] / v[H]).astype(np.float32)
    if "region" in cities:
        east = (cities["region"] == "East").to_numpy()
        g["East_East"] = (east[a] & east[b]).astype(np.int8)
        g["West_West"] = (~east[a] & ~east[b]).astype(np.int8)
        g["East_West"] = (east[a] ^ east[b]).astype(np.int8)
        g["East_dev"] = np.where(g["East_West"][:, None] == 1, east[H], np.nan).astype(np.float32)
    for name, raw, bounds in (("Gap_scale", "urban_2000", SEVEN), ("Gap_scale4", "population_2000", FOUR)):
        if raw in cities:
            scale = np.digitize(column(raw), bounds).astype(np.int8)
            g[name] = scale[H] - scale[L]
    for name, v in (("Gap_light", y[:, 1:].mean(1)), ("Gap_light_2000", y[:, 0])):
        quarter = np.searchsorted(np.quantile(v, [0.25, 0.75]), v)
        g[name] = ((quarter[L] == 0) & (quarter[H] == 2)).astype(np.int8)
    return g


def frame(g: Grid, outcome: Ints, cities: pd.Index) -> pd.DataFrame:
    """The grid as a table indexed by pair and year, pair by pair, in types that take little memory."""
    size, years = len(g["a"]), len(outcome)

    def flat(v: np.ndarray) -> np.ndarray:
        return np.broadcast_to(v if v.ndim == 2 else v[:, None], (size, years)).ravel()

    codes = np.repeat(np.arange(size, dtype=np.int32), years), np.tile(np.arange(years, dtype=np.int8), size)
    levels = pd.RangeIndex(size), pd.Index(outcome)
    index = pd.MultiIndex(levels, codes, names=["pair", "year"], verify_integrity=False)
    names, new = pd.CategoricalDtype(cities), {k: flat(v) for k, v in g.items()}
    new |= {k: pd.Categorical.from_codes(new[k].astype(np.int16), dtype=names) for k in ("a", "b", "L", "H")}
    return pd.DataFrame(new, index=index, copy=False)
