"""The raw tables of `knowledge-flows`: what they hold, what must hold between them, how the panel comes from them."""

import warnings
from collections.abc import Iterator, Mapping

import pandas as pd

from regionbook.data.errors import DataWarning, count, places_of, some
from regionbook.data.schema import Frames, Places, RawTables
from regionbook.papers import _knowledge_pairs as pairs

_CITIES = {"years": ("city",), "citations": ("citing", "cited"), "rail": ("city",), "imports": ("city",)}
_CITIES |= {"extreme": ("a", "b")}
"""Table -> columns that hold names of cities."""


def _build(tables: Mapping[str, pd.DataFrame], light: str = "light") -> pd.DataFrame:
    if light not in tables["years"]:
        raise ValueError(f"the city-years have no column {light!r}; they have {', '.join(tables['years'])}")
    grid, outcome = pairs.build(tables, light)
    return pairs.frame(grid, outcome, tables["cities"].index)


def _problems(raws: Frames, places: Places) -> list[str]:
    """What is wrong between the tables."""
    problems = list(_stray_cities(raws, places)) if "years" in raws else []
    if "citations" in raws:
        problems += _citation_problems(raws["citations"], places)
        if "years" in raws:
            problems += _calendar_problems(raws["years"], raws["citations"], places["citations"][0])
    return problems


def _stray_cities(raws: Frames, places: Places) -> Iterator[str]:
    """Cities that another table does not have."""
    names = raws.get("cities", raws["years"])["city"].drop_duplicates()
    first = "cities" if "cities" in raws else "city-years"
    for name, frame in raws.items():
        file, place = places[name]
        for column in _CITIES.get(name, ()):
            if cells := places_of(~frame[column].isin(names), place, frame[column]):
                yield (
                    f"{name} ({file}): column {column}: {count(len(cells), 'cell')} with a city that the table of "
                    f"{first} does not have ({some(cells)})"
                )
    if absent := sorted(set(names) - set(raws["years"]["city"])):
        yield f"years: {count(len(absent), 'city', 'cities')} without any row ({some(absent)})"


def _citation_problems(frame: pd.DataFrame, places: Places) -> Iterator[str]:
    """Citations within a city, and counts that are none."""
    file, place = places["citations"]
    if inside := places_of(frame["citing"] == frame["cited"], place, frame["citing"], str):
        yield f"citations ({file}): {count(len(inside), 'row')} within one city ({some(inside)}): leave them out"
    if part := places_of(frame["citations"] % 1 != 0, place, frame["citations"], "{:g}".format):
        said = f"{count(len(part), 'value')} not a whole number ({some(part)})"
        yield f"citations ({file}): column citations: {said}: give counts"


def _calendar_problems(years: pd.DataFrame, citations: pd.DataFrame, file: str) -> Iterator[str]:
    """Too few years, and years without a citation."""
    calendar, last = _calendar(years), pairs.LAST_YEAR
    if sum(y <= last for y in calendar) < 2:
        yield f"years: {some(list(map(str, calendar)))} only: pairs need at least two years up to {last}"
    if void := [str(y) for y in calendar[:-1] if y < last and y not in set(citations["year"])]:
        yield (
            f"citations ({file}): no row at all for {some(void)}: add them (a pair without a row counts as "
            "zero), or leave these city-years out"
        )


def _calendar(years: pd.DataFrame) -> list[int]:
    return years["year"].drop_duplicates().sort_values().tolist()


def _shape(raws: Frames, where: str) -> Frames:
    """Checked tables with the index and the categories of the shipped ones."""
    years = raws["years"]
    if late := [str(y) for y in _calendar(years) if y > pairs.LAST_YEAR]:
        warnings.warn(
            f"{where}: the panel of pairs ends with {pairs.LAST_YEAR}, as the paper's; {some(late)} not used.",
            DataWarning,
            stacklevel=5,
        )
    if "cities" in raws:
        cities = raws["cities"]
        cities = (cities.sort_values("code", kind="stable") if "code" in cities else cities).set_index("city")
    else:
        cities = pd.DataFrame(index=pd.Index(years["city"].drop_duplicates(), name="city"))
    names = pd.CategoricalDtype(cities.index)
    order = years.assign(city=years["city"].astype(names)).sort_values(["city", "year"], kind="stable")
    calendar = pd.Index(_calendar(order), name="year")
    index = pd.MultiIndex.from_product([cities.index, calendar], names=["city", "year"])
    out = {"cities": cities, "years": order.drop(columns=["city", "year"]).set_axis(index)}
    for name in ("citations", "rail", "imports", "extreme"):
        if name in raws:
            pairs_of = _CITIES[name] if name in ("citations", "extreme") else ()
            out[name] = raws[name].astype(dict.fromkeys(pairs_of, names))
    return out


PANEL = RawTables(
    tables={
        "cities": ["city"],
        "years": ["city", "year"],
        "citations": ["citing", "cited", "year"],
        "rail": ["line", "city"],
        "imports": ["city", "country", "hs2"],
        "extreme": ["a", "b", "year"],
    },
    needed={"years": "city-years", "citations": "citations"},
    beside=("patents", "firms", "links"),  # labelled texts of invented patents, firms, single citations
    always={"years": ("light", "population"), "citations": ("citations",)},
    indexed=("cities", "years"),
    problems=_problems,
    shape=_shape,
    build=_build,
)
