"""The figures of the papers as printed."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.data.errors import DataError, did_you_mean
from regionbook.paths import data_file

NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
FIGURES: dict[str, dict[str, Any]] = json.loads(
    data_file("published", "schema.json").read_text(encoding="utf-8")
)
"""Kind of file -> its columns, which of them are numbers (strict: nothing else), the key, and what is allowed."""


@dataclass(frozen=True)
class Published:
    """The figures of one paper as printed.

    Every number column ``c`` holds floats and has a twin ``c_text`` with the print itself, so that the number
    of printed decimals is known; a cell that is not a number (``yes``, a label) is NaN with its text kept.
    """

    slug: str
    citation: dict[str, str]
    """Authors, year, title (Chinese and English), journal, pages."""
    estimates: pd.DataFrame
    fit: pd.DataFrame
    descriptives: pd.DataFrame
    indicators: pd.DataFrame
    other: pd.DataFrame
    inconsistent: pd.DataFrame
    """Figures that the paper itself contradicts: file, table, column, term (or patterns with ``*``), reason."""
    not_computable: pd.DataFrame
    """Figures for which nothing can be computed."""

    def __repr__(self) -> str:
        c = self.citation
        sizes = ", ".join(f"{name} {len(getattr(self, name))}" for name in FIGURES)
        return f"Published({self.slug!r}: {c['authors_en']} {c['year']}; rows: {sizes})"

    def _repr_html_(self) -> str:
        c = {k: escape(v) for k, v in self.citation.items()}
        pages = f", {c['pages']}" if c["pages"] else ""
        title = f"<b>{c['title_zh']}</b> <i>{c['title_en']}</i>"
        return f"<p>{c['authors_zh']} ({c['authors_en']}), {c['year']}. {title}. {c['journal']}{pages}.</p>"


@cache
def _papers() -> pd.DataFrame:
    path = data_file("published", "papers.csv")
    return pd.read_csv(path, dtype=str, keep_default_na=False).set_index("slug")


def papers() -> pd.DataFrame:
    """Return the list of papers: one row a slug, with authors, year, titles, journal, pages.

    Examples
    --------
    >>> papers().loc["city-innovation", "authors_en"]
    'Tang Kai, Cai Xiaopei, Wang Haijie'
    """
    return _papers().copy()


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows of a frame as named tuples, without the index."""
    return iter(frame.itertuples(index=False))


def groups(frame: pd.DataFrame, by: str | list[str]) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Key and rows of each group, in order of appearance."""
    return iter(frame.groupby(by, sort=False))


def known(slug: str) -> str:
    slugs = list(_papers().index)
    if slug not in slugs:
        raise ValueError(f"Unknown paper {slug!r}.{did_you_mean(slug, slugs)} There are: {', '.join(slugs)}.")
    return slug


def is_number(text: pd.Series) -> pd.Series:
    return text.str.fullmatch(NUMBER).fillna(False).astype(bool)


def read_published(path: Path, kind: str) -> pd.DataFrame:
    """Read one file of printed figures and hold it to the schema of its kind, such as ``estimates`` or ``fit``.

    A file that does not exist gives an empty frame with the right columns; a DataError names row (header = row 1) and
    column of each cell that breaks the schema.
    """
    wanted = FIGURES[kind]["columns"].split()
    if not path.exists():
        frame = pd.DataFrame({c: pd.Series(dtype=str) for c in wanted})
    else:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    where = f"{path.parent.name}/{path.name}"
    if list(frame.columns) != wanted:
        raise DataError(where, [f"columns are {list(frame.columns)}, expected {wanted}"])
    return checked_figures(frame, kind, where)


def checked_figures(frame: pd.DataFrame, kind: str, where: str) -> pd.DataFrame:
    """The figures with their numbers as floats beside the print; a DataError names row and column of what is wrong."""
    rule = FIGURES[kind]
    problems: list[str] = []
    for column, allowed in rule.get("allowed", {}).items():
        bad = frame.loc[~frame[column].isin(allowed), column]
        what = f"is none of {sorted(allowed)}"
        problems += [f"row {i + 2}, column {column}: {v!r} {what}" for i, v in bad.items()]
    for column in rule["numbers"] if rule["strict"] else ():
        bad = frame.loc[~is_number(frame[column]) & frame[column].ne(""), column]
        problems += [f"row {i + 2}, column {column}: {v!r} is not a number" for i, v in bad.items()]
    if rule["key"]:
        twice, names = frame[frame.duplicated(rule["key"])], ", ".join(rule["key"])
        again = zip(twice.index, twice[rule["key"]].itertuples(index=False, name=None), strict=True)
        problems += [f"row {i + 2}, columns {names}: {v} stands there before" for i, v in again]
    if kind == "estimates":
        bare = frame.index[frame["paren"].ne("") & frame["paren_kind"].eq("")]
        problems += [f"row {i + 2}, column paren_kind: empty beside a number in brackets" for i in bare]
    if problems:
        raise DataError(where, problems)

    for column in rule["numbers"]:
        text = frame[column].copy()
        frame[column] = pd.to_numeric(text.where(is_number(text)))
        frame[f"{column}_text"] = text
    return frame


@cache
def _published(slug: str) -> dict[str, pd.DataFrame]:
    return {kind: read_published(data_file("published", slug, f"{kind}.csv"), kind) for kind in FIGURES}


def published(slug: str) -> Published:
    """Return the figures of a paper exactly as printed; ``slug`` is its name, for example ``"city-innovation"``.

    Raises
    ------
    ValueError
        Unknown slug; the message lists all of them.
    DataError
        A file breaks its schema; the message names file, row and column.

    Examples
    --------
    >>> import regionbook as rb
    >>> p = rb.published("city-innovation")
    >>> row = p.estimates.query("table == '3' and column == '2' and term == 'digit'").iloc[0]
    >>> row["estimate_text"], row["paren_text"], row["stars"]
    ('0.0999', '0.0020', '***')
    """
    frames = {kind: frame.copy() for kind, frame in _published(known(slug)).items()}
    return Published(slug=slug, citation={str(k): str(v) for k, v in _papers().loc[slug].items()}, **frames)


def decimals(text: str) -> int:
    """Number of decimals of a printed number.

    >>> decimals("0.0999"), decimals("-12.30"), decimals("2744")
    (4, 2, 0)
    """
    mantissa = re.split("[eE]", text)[0]
    return len(mantissa.partition(".")[2])
