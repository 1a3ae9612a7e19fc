"""Panels that are built from several raw tables, shipped or your own."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook import registry
from regionbook.data.checking import checked
from regionbook.data.errors import DataError, near_words
from regionbook.data.files import read
from regionbook.data.schema import (
    Frames,
    Places,
    beside,
    columns,
    declared,
    indexed,
    known_table,
    teaching_file,
)
from regionbook.data.worlds import in_world
from regionbook.paths import data_file


def raw_tables(slug: str, folder: Path | None = None) -> Frames:
    """Return all raw tables of a panel, by name: the shipped ones, or those that a generator wrote to a folder.

    A ValueError if the paper is unknown, or its panel is one table.
    """
    return {name: raw_table(slug, name, folder) for name in declared(slug).tables}


def read_shipped(path: Path, dtypes: pd.Series) -> pd.DataFrame:
    """A shipped CSV file with the types of its dictionary."""
    return pd.read_csv(path, dtype={c: {"int": "int64"}.get(kind, kind) for c, kind in dtypes.items()})


def raw_table(slug: str, name: str, folder: Path | None = None) -> pd.DataFrame:
    """One raw table, or one that stands beside the panel, with the types of its dictionary."""
    if folder is None:
        there = data_file("teaching", f"{slug}.{name}.csv").exists()
        path = teaching_file(slug, f".{name}.csv" if there else f".{name}.parquet")
    else:
        path = folder / f"{slug}.{name}.csv"
        path = path if path.exists() else path.with_suffix(".parquet")
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = read_shipped(path, columns(slug, name).set_index("column")["dtype"])
    paper = declared(slug)
    keys = paper.tables[name] if name in paper.indexed else []
    frame = indexed(frame, keys) if len(keys) == 2 else frame.set_index(keys) if keys else frame
    return labelled(frame, slug, name)


def labelled(frame: pd.DataFrame, slug: str, name: str, source: str = "shipped") -> pd.DataFrame:
    """The table with what `load` says of it in ``.attrs``."""
    frame.attrs = {"slug": slug, "table": name, "simulated": source == "shipped", "source": source}
    return frame


def pair_panel(
    tables: Mapping[str, pd.DataFrame] | None = None, slug: str | None = None, **options: Any
) -> pd.DataFrame:
    """Build a panel of city pairs from its raw tables, on a grid of pairs and years.

    For every outcome year both cities of a pair are ranked by light per head one year earlier; the less developed one
    is L, the more developed one H. ``Bal`` is light per head of L over that of H in the outcome year; everything on
    the right-hand side is that of the year before, oriented by these roles.

    Parameters
    ----------
    tables, slug
        Raw tables by name, as `load` and `raw_tables` return them, and the paper; left out, the shipped ones.
    options
        ``light="light_rival"``: another column of ``years`` with the sum of night lights, here that of the world
        without any effect; a ValueError if there is none.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``pair`` (0, 1, … in the order of ``numpy.triu_indices``) and outcome ``year``, pair by pair, with
        every pair in every year; columns as in ``columns(slug)``, as far as the tables allow.
    """
    slug = slug or next(s for s in registry.papers() if registry.handed_in(s, "PANEL"))
    shipped = tables is None
    panel = declared(slug).build(raw_tables(slug) if tables is None else tables, **options)
    panel.attrs = {"slug": slug, "simulated": shipped, "source": "shipped" if shipped else "tables"}
    return panel


def load_built(
    slug: str,
    source: Any,
    table: str | None,
    required: Iterable[str] | None,
    allow_gaps: bool,
    world: str | None = None,
) -> pd.DataFrame:
    """`load` for a paper whose panel is built from several tables."""
    if table is not None:
        known_table(slug, table)
    if source is None:
        if table is not None:
            return _in_world(raw_table(slug, table), slug, world)
        if world is None:
            return pair_panel(slug=slug)
        tables = {name: _in_world(raw, slug, world) for name, raw in raw_tables(slug).items()}
        panel = pair_panel(tables, slug)
        panel.attrs = {"slug": slug, "simulated": True, "source": "shipped", "world": world}
        return panel
    if allow_gaps:
        whole = f"The panel of {slug!r} needs every unit in every year"
        raise ValueError(f"{whole}: complete the tables or leave units out.")
    own, where = _own_tables(slug, source, required)
    if table is not None:
        if table not in own:
            raise ValueError(f"your data have no table {table!r}; they have {', '.join(own)}")
        return own[table]
    panel = pair_panel(own, slug)
    panel.attrs = {"slug": slug, "simulated": False, "source": where}
    return panel


def load_beside(slug: str, table: str, source: Any = None, world: str | None = None) -> pd.DataFrame:
    """A table that a paper ships beside a panel that is one table (``BESIDE``)."""
    known_table(slug, table)
    if source is not None or world is not None:
        raise ValueError(f"{table!r} stands beside the panel of {slug!r}: leave `source` and `world` out.")
    frame = pd.read_parquet(teaching_file(slug, f".{table}.parquet"))
    return labelled(indexed(frame, beside(slug)[table]), slug, table)


def _in_world(frame: pd.DataFrame, slug: str, world: str | None) -> pd.DataFrame:
    """A raw table as it is in a rival world."""
    return frame if world is None else in_world(frame, slug, world, frame.attrs["table"])


def _sources(slug: str, source: Any) -> tuple[dict[str, Any], str]:
    """Name of the table -> file or data frame."""
    paper = declared(slug)
    needed = list(paper.needed)
    if isinstance(source, Mapping):
        for name in source:
            known_table(slug, name, all_of_them=False)
        return dict(source), "your tables"
    if isinstance(source, (tuple, list)) and len(source) == len(needed):
        return dict(zip(needed, source, strict=True)), "your tables"
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        return _in_folder(slug, Path(source)), str(source)
    names = list(paper.tables)[:3]
    raise ValueError(
        f"The panel of {slug!r} needs the {' and the '.join(paper.needed.values())}: pass "
        f"source=({', '.join(needed)}), a dictionary {{{', '.join(repr(n) + ': …' for n in names)}}}, or a folder "
        f"with {', '.join(n + '.csv' for n in names)}."
    )


def _in_folder(slug: str, folder: Path) -> dict[str, Path]:
    """The user's files by name of their table, with or without the slug in front."""
    found = {}
    for name in declared(slug).tables:
        endings = (".csv", ".parquet", ".xlsx", ".dta")
        files = [folder / f"{start}{name}{end}" for start in ("", f"{slug}.") for end in endings]
        there = [f for f in files if f.exists()]
        if len(there) > 1:
            several = ", ".join(f.name for f in there)
            raise DataError(str(folder), [f"more than one file for {name}: {several}"])
        if there:
            found[name] = there[0]
    return found


def _own_tables(slug: str, source: Any, required: Iterable[str] | None) -> tuple[Frames, str]:
    """The user's raw tables, each held to its schema, then to the others."""
    paper = declared(slug)
    given, where = _sources(slug, source)
    lacking = [n for n in paper.needed if n not in given]
    if lacking:
        there = "table {1} missing: rb.columns({0!r}, {1!r}) lists its columns"
        raise DataError(where, [there.format(slug, name) for name in lacking])
    if required is not None:
        required = [required] if isinstance(required, str) else list(required)
        _check_required(required, slug, given)
    raws: Frames = {}
    places: Places = {}
    problems = []
    for name, one in given.items():
        schema = columns(slug, name).set_index("column")
        raw, file, place = read(one, schema)
        wanted = None
        if required is not None:
            wanted = [c for c in schema.index if c in (*required, *paper.always.get(name, ()))]
        try:
            raws[name] = checked(raw, schema, file, place, wanted, False, paper.tables[name])
        except DataError as error:
            problems += [f"{name} ({error.where}): {p}" for p in error.problems]
        places[name] = (file, place)
    problems += paper.problems(raws, places)
    if problems:
        raise DataError(where, problems)
    files = {name: file for name, (file, _) in places.items()}
    made = paper.shape(raws, where)
    return {k: labelled(v, slug, k, files.get(k, "your tables")) for k, v in made.items()}, where


def _check_required(required: list[str], slug: str, given: Iterable[str]) -> None:
    known_columns = {c for name in given for c in columns(slug, name)["column"]}
    if unknown := [c for c in required if c not in known_columns]:
        said = f"{unknown}, columns of none of your tables ({', '.join(given)}){near_words(unknown, known_columns)}"
        raise ValueError(f"`required` names {said}; rb.columns lists them all.")
