"""What describes a teaching panel: its dictionary, its notice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from regionbook import registry
from regionbook.data.errors import Place, did_you_mean
from regionbook.data.figures import known, papers
from regionbook.paths import data_file

UNITS = ("city", "province")
"""Names that the column of the unit may have."""

Frames: TypeAlias = dict[str, pd.DataFrame]
Places: TypeAlias = dict[str, tuple[str, Place]]
"""Of each of the user's tables: its file, and how a row of it is found again."""


@dataclass(frozen=True)
class RawTables:
    """How the panel of a paper is built from raw tables; ``papers/<slug>.py`` hands it in as ``PANEL``."""

    tables: dict[str, list[str]]  # name of each table that the panel is built from -> columns that name a row
    needed: dict[str, str]  # tables without which there is no panel -> what they hold, in words
    problems: Callable[[Frames, Places], list[str]]
    """What is wrong between the tables of a user, each of which fits its own schema."""
    shape: Callable[[Frames, str], Frames]  # gives them index and categories of the shipped ones
    build: Callable[..., pd.DataFrame]
    beside: tuple[str, ...] = ()  # tables that a lesson reads and from which no panel is built
    always: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Table -> columns without which there is no panel, whatever is `required`."""
    indexed: tuple[str, ...] = ()  # tables that come indexed by their key


def declared(slug: str) -> RawTables:
    """What the paper hands in; an error if its panel is one table."""
    found = registry.handed_in(known(slug), "PANEL")
    if found is None:
        raise ValueError(f"The panel of {slug!r} is one table: leave `table` out.")
    return found


def keys_of(schema: Iterable[str]) -> list[str]:
    """The two columns that index a panel: its unit (city or province, or a series of one) and the year."""
    return [next(u for u in ("series", *UNITS) if u in schema), "year"]


def teaching_file(slug: str, ending: str) -> Path:
    path = data_file("teaching", f"{known(slug)}{ending}")
    if not path.exists():
        ready = sorted(p.name.removesuffix(ending) for p in path.parent.glob(f"*{ending}"))
        said = f"No teaching panel for {slug!r} yet: {path.name} is not in {path.parent}."
        raise FileNotFoundError(f"{said} Ready: {', '.join(ready) or 'none'}.")
    return path


def beside(slug: str) -> dict[str, list[str]]:
    """Tables beside a panel that is one table -> their keys; ``papers/<slug>.py`` hands them in as ``BESIDE``."""
    return registry.handed_in(known(slug), "BESIDE") or {}


def known_table(slug: str, table: str, all_of_them: bool = True) -> str:
    """The name of one of a paper's raw tables, or of a table beside them."""
    ready = list(beside(slug))
    if not ready:
        paper = declared(slug)
        ready = [*paper.tables, *(paper.beside if all_of_them else ())]
    if table not in ready:
        hint = did_you_mean(table, ready)
        raise ValueError(f"{slug!r} has no table {table!r}.{hint} Its tables are: {', '.join(ready)}.")
    return table


def columns(slug: str, table: str | None = None) -> pd.DataFrame:
    """Return the data dictionary of a teaching panel, which is also the schema of your own file.

    One row a column of the panel (or of one ``table`` of several from which it is built): column, label_en, label_zh, unit,
    role, dtype, minimum, maximum, published (the printed variable or indicator that it stands for), note.
    """
    part = "" if table is None else f".{known_table(slug, table)}"
    frame = pd.read_csv(teaching_file(slug, f"{part}.columns.csv"), dtype=str, keep_default_na=False)
    for bound in ("minimum", "maximum"):
        frame[bound] = pd.to_numeric(frame[bound])
    return frame


@dataclass(frozen=True)
class Notice:
    """The standard notice on simulated data; shown by a notebook as a box."""

    slug: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return (
            '<div style="border-left:4px solid #b35900;padding:.4em .8em;background:#fff6e5;color:#222">'
            f"<b>Simulated data, not evidence.</b> {escape(self.text.partition('. ')[2])}</div>"
        )


def notice(slug: str) -> Notice:
    """Return the notice that every lesson shows before it uses a teaching panel."""
    c = papers().loc[known(slug)]
    authors = c["authors_en"] if len(c["authors_en"]) < 80 else "The authors"
    return Notice(
        slug,
        f"Simulated data, not evidence. {authors} ({c['year']}) used data that cannot be shared. "
        "The panel here is drawn by computer on the real units and years and pulled to the printed figures. "
        "It teaches the method; no number computed from it says anything about a real place. Do not cite it.",
    )


def indexed(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Index by unit and year, units in the order of their codes (an index that `.loc` can slice)."""
    order = frame.sort_values("code", kind="stable") if "code" in frame else frame
    unit = keys[0]
    places = pd.Index(order[unit].drop_duplicates(), name=unit)
    years = pd.Index(frame["year"].drop_duplicates().sort_values(), name="year")
    codes = [places.get_indexer(frame[unit]), years.get_indexer(frame["year"])]
    index = pd.MultiIndex(levels=[places, years], codes=codes, names=keys)
    position = pd.Series(codes[0] * len(years) + codes[1]).argsort(kind="stable")
    return frame.drop(columns=keys).set_axis(index).iloc[position]
