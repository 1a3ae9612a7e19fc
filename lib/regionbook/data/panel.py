"""`load`: a paper's panel, the shipped one or your own."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from regionbook import registry
from regionbook.data.checking import checked, meant_as_numbers
from regionbook.data.errors import DataError
from regionbook.data.figures import known
from regionbook.data.files import read
from regionbook.data.raw import load_beside, load_built, read_shipped
from regionbook.data.schema import columns, indexed, keys_of, teaching_file
from regionbook.data.watching import warn_units
from regionbook.data.worlds import in_world


def load(
    slug: str | None = None,
    source: Any = None,
    world: str | None = None,
    *,
    table: str | None = None,
    required: Iterable[str] | None = None,
    allow_gaps: bool = False,
) -> pd.DataFrame:
    """Return a paper's panel, indexed by ``city`` (or ``province``) and ``year``.

    A panel of city pairs is built from several raw tables and indexed by ``pair`` and ``year``; see `pair_panel`.

    Without ``source`` this is the shipped teaching panel: **simulated data, not evidence**. With ``source``
    it is your own file, held to the same schema (`columns`); nothing is dropped, filled or converted silently.

    Parameters
    ----------
    slug
        Name of the paper, for example ``"city-innovation"``. None: a panel of your own that belongs to no paper; it
        needs ``city`` (or ``province``) and ``year``, and has any other columns.
    source
        Your data: a ``.csv`` (UTF-8 or GB18030), ``.xlsx``, ``.dta`` or ``.parquet`` file, or a data frame.
        One row a unit and year. Columns that the schema does not know are kept: numbers if every filled cell is one,
        text otherwise, whatever the format. For a panel of pairs: a dictionary of
        such files by name of the table, the two files of city-years and citations, or a folder that holds them.
    world
        A rival world (`worlds`) in place of the shipped panel: another truth, the same printed tables.
    table
        Of a panel of pairs: one raw table instead of the panel. Of `free-trade-zones`: ``"nation"``, a larger panel.
    required
        Your file needs only these columns (besides unit and ``year``); by default every column of the
        dictionary is needed. Columns that are there are checked either way.
    allow_gaps
        Accept a panel in which some cities lack some years.

    Returns
    -------
    pandas.DataFrame
        Sorted by administrative code (where there is a column ``code``) and year. ``.attrs`` holds ``slug``,
        ``simulated`` (True or False), ``source`` and, of a rival world, ``world``.

    Raises
    ------
    ValueError
        Unknown slug or world, or a world beside your own data.
    DataError
        Your file does not fit; all problems are listed at once, with row (header = row 1), column and value.

    Examples
    --------
    >>> import regionbook as rb
    >>> panel = rb.load("city-innovation")
    >>> panel.index.names, panel.attrs["simulated"]
    (FrozenList(['city', 'year']), True)
    """
    if world is not None and source is not None:
        what = f"`world` ({world!r}) is for the shipped panel, `source` for your own data"
        raise ValueError(f"{what}: leave one of them out.")
    if source is None and (required is not None or allow_gaps):
        raise ValueError("`required` and `allow_gaps` are for your own data: pass `source` as well.")
    if slug is None:
        return _own(source, world, table, required, allow_gaps)
    if registry.handed_in(known(slug), "PANEL"):
        return load_built(slug, source, table, required, allow_gaps, world)
    if table is not None:
        return load_beside(slug, table, source, world)
    schema = columns(slug).set_index("column")
    if source is None:
        frame, where = read_shipped(teaching_file(slug, ".csv"), schema["dtype"]), "shipped"
    else:
        raw, where, place = read(source, schema)
        frame = checked(raw, schema, where, place, required, allow_gaps)
        warn_units(frame, schema, slug)
    panel = indexed(frame, keys_of(schema.index))
    panel.attrs = {"slug": slug, "simulated": source is None, "source": where}
    return panel if world is None else in_world(panel, slug, world)


def _own(
    source: Any, world: str | None, table: str | None, required: Iterable[str] | None, allow_gaps: bool
) -> pd.DataFrame:
    """A panel of no paper: units, years and places are checked, other columns get the types that their cells have."""
    if source is None or world is not None or table is not None:
        raise ValueError("Give the paper's name as `slug`, or your own file as `source` alone.")
    schema = _key_rows("city")
    raw, where, place = read(source, schema)
    if "city" not in raw and "province" in raw:
        schema = _key_rows("province")
    needed = [*keys_of(schema.index), *(required or ())]
    if absent := [c for c in needed if c not in raw]:
        there = ", ".join(map(str, raw.columns[:12])) + (", …" if raw.shape[1] > 12 else "")
        raise DataError(where, [f"no column {', '.join(absent)}; there are {there}: rename yours"])
    faulty = [c for c in raw if c not in schema.index and meant_as_numbers(raw[c])]
    as_numbers = pd.DataFrame({"dtype": "float", "role": "own", "unit": ""}, index=faulty)
    schema = pd.concat([schema, as_numbers.reindex(columns=schema.columns)])
    schema = schema.fillna({"label_en": "", "label_zh": ""})
    filled = [c for c in needed if c in schema.index]  # a column of numbers with a hole is in it
    frame = checked(raw, schema, where, place, filled, allow_gaps)[list(raw.columns)]
    panel = indexed(frame, keys_of(schema.index))
    panel.attrs = {"slug": None, "simulated": False, "source": where}
    return panel


def _key_rows(unit: str) -> pd.DataFrame:
    """What the dictionaries of all papers say of a unit and its year."""
    names = ["code", unit, f"{unit}_zh", "year"]
    rows = pd.DataFrame("", names, ["label_en", "label_zh", "unit"])
    rows = rows.assign(role="key", dtype=["int", "str", "str", "int"])
    return rows.assign(minimum=[100_000, np.nan, np.nan, 1978], maximum=[999_999, np.nan, np.nan, 2100])
