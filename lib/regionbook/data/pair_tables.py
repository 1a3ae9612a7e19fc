"""The panel of city pairs: its raw tables, shipped or your own, and how it is built from them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook import pairs
from regionbook.data.checking import checked
from regionbook.data.errors import DataError, DataWarning, count, near_words, some
from regionbook.data.figures import each, known
from regionbook.data.files import read
from regionbook.data.schema import ALWAYS, TABLES, columns, indexed, known_table, teaching_file
from regionbook.data.worlds import in_world
from regionbook.paths import data_file

_CITY_COLUMNS = {"cities": (), "years": (), "citations": ("citing", "cited"), "rail": ("city",), "imports": ("city",),
                 "extreme": ("a", "b")}  # fmt: skip


def raw_tables(slug: str, folder: Path | None = None) -> dict[str, pd.DataFrame]:
    """Return all raw tables of a panel of pairs, by name: the shipped ones, or those that a simulator wrote to a folder."""
    if known(slug) not in TABLES:
        known_table(slug, "")
    return {name: raw_table(slug, name, folder) for name in TABLES[slug]}


def raw_table(slug: str, name: str, folder: Path | None = None) -> pd.DataFrame:
    if folder is None:
        there = data_file("teaching", f"{slug}.{name}.csv").exists()
        path = teaching_file(slug, f".{name}.csv" if there else f".{name}.parquet")
    else:
        path = folder / f"{slug}.{name}.csv"
        path = path if path.exists() else path.with_suffix(".parquet")
    if path.suffix == ".parquet":
        return _labelled(pd.read_parquet(path), slug, name)
    kinds = {"int": "int64", "float": "float64", "str": str}
    types: dict[Any, Any] = {r.column: kinds[r.dtype] for r in each(columns(slug, name))}
    frame = pd.read_csv(path, dtype=types)
    keys = [k for k in TABLES[slug][name] if name in ("cities", "years")]
    return _labelled(
        indexed(frame, keys) if len(keys) == 2 else frame.set_index(keys) if keys else frame, slug, name
    )


def _labelled(frame: pd.DataFrame, slug: str, name: str, source: str = "shipped") -> pd.DataFrame:
    frame.attrs = {"slug": slug, "table": name, "simulated": source == "shipped", "source": source}
    return frame


def pair_panel(
    tables: Mapping[str, pd.DataFrame] | None = None, light: str = "light", slug: str = "knowledge-flows"
) -> pd.DataFrame:
    """Build the panel of city pairs from its raw tables, on a grid of pairs and years.

    For every outcome year both cities of a pair are ranked by light per head one year earlier; the less developed one
    is L, the more developed one H. ``Bal`` is light per head of L over that of H in the outcome year; everything on
    the right-hand side is that of the year before, oriented by these roles.

    Parameters
    ----------
    tables
        ``cities``, ``years``, ``citations`` and, where there are any, ``rail``, ``imports``, ``extreme``, as `load`
        returns them; left out, the shipped ones.
    light
        Column of ``years`` with the sum of night lights; ``"light_rival"`` is the world without any effect.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``pair`` (0, 1, … in the order of ``numpy.triu_indices``) and outcome ``year``, pair by pair, with
        every pair in every year; columns as in ``columns("knowledge-flows")``, as far as the tables allow.

    Raises
    ------
    ValueError
        If ``years`` has no column ``light``.
    """
    shipped = tables is None
    tables = raw_tables(slug) if tables is None else tables
    if light not in tables["years"]:
        raise ValueError(
            f"the table of city-years has no column {light!r}; it has {', '.join(tables['years'])}"
        )
    grid, outcome = pairs.build(tables, light)
    panel = pairs.frame(grid, outcome, tables["cities"].index)
    panel.attrs = {"slug": slug, "simulated": shipped, "source": "shipped" if shipped else "tables"}
    return panel


def load_pairs(
    slug: str,
    source: Any,
    table: str | None,
    required: Iterable[str] | None,
    allow_gaps: bool,
    world: str | None = None,
) -> pd.DataFrame:
    if table is not None:
        known_table(slug, table)
    if source is None:
        if required is not None or allow_gaps:
            raise ValueError("`required` and `allow_gaps` are for your own data: pass `source` as well.")
        if table is not None:
            return _in_world(raw_table(slug, table), slug, world)
        if world is None:
            return pair_panel(slug=slug)
        tables = {name: _in_world(raw, slug, world) for name, raw in raw_tables(slug).items()}
        panel = pair_panel(tables, slug=slug)
        panel.attrs = {"slug": slug, "simulated": True, "source": "shipped", "world": world}
        return panel
    if allow_gaps:
        raise ValueError(
            "Pairs need every city in every year: complete the city-years or leave the cities out."
        )
    own, where = _own_tables(slug, source, required)
    if table is not None:
        if table not in own:
            raise ValueError(f"your data have no table {table!r}; they have {', '.join(own)}")
        return own[table]
    panel = pair_panel(own)
    panel.attrs = {"slug": slug, "simulated": False, "source": where}
    return panel


def _in_world(frame: pd.DataFrame, slug: str, world: str | None) -> pd.DataFrame:
    """A raw table as it is in a rival world."""
    return frame if world is None else in_world(frame, slug, world, frame.attrs["table"])


def _sources(slug: str, source: Any) -> tuple[dict[str, Any], str]:
    """Name of the table -> file or data frame."""
    names = list(TABLES[slug])
    if isinstance(source, Mapping):
        for name in source:
            known_table(slug, name, beside=False)
        return dict(source), "your tables"
    if isinstance(source, (tuple, list)) and len(source) == 2:
        return {"years": source[0], "citations": source[1]}, "your tables"
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        found = {}
        for name in names:
            files = [
                Path(source) / f"{start}{name}{ending}"
                for start in ("", f"{slug}.")
                for ending in (".csv", ".parquet", ".xlsx", ".dta")
            ]
            there = [f for f in files if f.exists()]
            if len(there) > 1:
                raise DataError(
                    str(source), [f"more than one file for {name}: {', '.join(f.name for f in there)}"]
                )
            if there:
                found[name] = there[0]
        return found, str(source)
    raise ValueError(
        "A panel of pairs needs the city-years and the citations: pass source=(years, citations), a dictionary "
        f"{{{', '.join(repr(n) + ': …' for n in names[:3])}}}, or a folder with {', '.join(n + '.csv' for n in names[:3])}."
    )


def _own_tables(
    slug: str, source: Any, required: Iterable[str] | None
) -> tuple[dict[str, pd.DataFrame], str]:
    """The user's raw tables, each held to its schema, then to the others."""
    given, where = _sources(slug, source)
    lacking = [n for n in ("years", "citations") if n not in given]
    if lacking:
        raise DataError(
            where, [f"table {n} missing: rb.columns({slug!r}, {n!r}) lists its columns" for n in lacking]
        )
    if required is not None:
        required = [required] if isinstance(required, str) else list(required)
        known = {c for name in given for c in columns(slug, name)["column"]}
        if unknown := [c for c in required if c not in known]:
            raise ValueError(
                f"`required` names {unknown}, which are columns of none of your tables ({', '.join(given)})"
                + near_words(unknown, known)
                + "; rb.columns lists them all."
            )
    raws, places, problems = {}, {}, []
    for name, one in given.items():
        raw, file, place = read(
            one.reset_index() if isinstance(one, pd.DataFrame) and one.index.names != [None] else one
        )
        schema = columns(slug, name).set_index("column")
        wanted = None
        if required is not None:
            wanted = [c for c in schema.index if c in (*required, *ALWAYS[slug].get(name, ()))]
        try:
            raws[name] = checked(raw, schema, file, place, wanted, False, TABLES[slug][name])
        except DataError as error:
            problems += [f"{name} ({error.where}): {p}" for p in error.problems]
        places[name] = (file, place)
    if "years" in raws:
        names = (raws["cities"] if "cities" in raws else raws["years"])["city"].drop_duplicates()
        for name, frame in raws.items():
            file, place = places[name]
            for column in ("city",) if name == "years" else _CITY_COLUMNS[name]:
                stray = (~frame[column].isin(names)).to_numpy().nonzero()[0].tolist()
                if stray:
                    cells = [f"{place(i)}: {frame[column].iloc[i]!r}" for i in stray]
                    problems.append(
                        f"{name} ({file}): column {column}: {count(len(cells), 'cell')} with a city that the table of "
                        f"{'cities' if 'cities' in raws else 'city-years'} does not have ({some(cells)})"
                    )
        absent = sorted(set(names) - set(raws["years"]["city"]))
        if absent:
            problems.append(
                f"years: {count(len(absent), 'city')} without any row ({some(absent)})".replace(
                    "citys", "cities"
                )
            )
    if "citations" in raws:
        frame, (file, place) = raws["citations"], places["citations"]
        inside = (frame["citing"] == frame["cited"]).to_numpy().nonzero()[0].tolist()
        if inside:
            cells = [f"{place(i)}: {frame['citing'].iloc[i]}" for i in inside]
            problems.append(
                f"citations ({file}): {count(len(cells), 'row')} within one city ({some(cells)}): leave them out"
            )
        part = (frame["citations"] % 1 != 0).to_numpy().nonzero()[0].tolist()
        if part:
            cells = [f"{place(i)}: {frame['citations'].iloc[i]:g}" for i in part]
            problems.append(
                f"citations ({file}): column citations: {count(len(cells), 'value')} not a whole number "
                f"({some(cells)}): give counts"
            )
        if "years" in raws:
            calendar = raws["years"]["year"].drop_duplicates().sort_values().tolist()
            if sum(y <= pairs.LAST_YEAR for y in calendar) < 2:
                problems.append(
                    f"years: {some([str(y) for y in calendar])} only: pairs need at least two years up to {pairs.LAST_YEAR}"
                )
            void = [str(y) for y in calendar[:-1] if y < pairs.LAST_YEAR and y not in set(frame["year"])]
            if void:
                problems.append(
                    f"citations ({file}): no row at all for {some(void)}: add them (a pair without a row counts as "
                    "zero), or leave these city-years out"
                )
    if problems:
        raise DataError(where, problems)
    if late := [str(y) for y in calendar if y > pairs.LAST_YEAR]:
        warnings.warn(
            f"{where}: the panel of pairs ends with {pairs.LAST_YEAR}, as the paper's; {some(late)} not used.",
            DataWarning,
            stacklevel=4,
        )
    return _shaped(slug, raws, {k: v[0] for k, v in places.items()}), where


def _shaped(slug: str, raws: dict[str, pd.DataFrame], files: dict[str, str]) -> dict[str, pd.DataFrame]:
    """Checked tables with the index and the categories of the shipped ones."""
    years = raws["years"]
    if "cities" in raws:
        cities = raws["cities"]
        cities = (cities.sort_values("code", kind="stable") if "code" in cities else cities).set_index("city")
    else:
        cities = pd.DataFrame(index=pd.Index(years["city"].drop_duplicates(), name="city"))
    names = pd.CategoricalDtype(cities.index)
    order = years.assign(city=years["city"].astype(names)).sort_values(["city", "year"], kind="stable")
    calendar = pd.Index(order["year"].drop_duplicates().sort_values(), name="year")
    index = pd.MultiIndex.from_product([cities.index, calendar], names=["city", "year"])
    out = {"cities": cities, "years": order.drop(columns=["city", "year"]).set_axis(index)}
    for name in ("citations", "rail", "imports", "extreme"):
        if name in raws:
            out[name] = raws[name].astype(
                {c: names for c in _CITY_COLUMNS[name] if name in ("citations", "extreme")}
            )
    return {k: _labelled(v, slug, k, files.get(k, files["years"])) for k, v in out.items()}
