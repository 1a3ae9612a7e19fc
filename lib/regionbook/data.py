"""Load what the workbook ships: printed figures, teaching panels, their truth, and the user's own file."""

from __future__ import annotations

import difflib
import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook import pairs
from regionbook.paths import data_file

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "."}
_SHOWN = 5  # places named for one kind of problem; the rest is counted


class DataError(ValueError):
    """A file does not fit its schema; the message lists every kind of problem with its places."""

    def __init__(self, where: str, problems: Sequence[str]):
        self.where = where
        self.problems = tuple(problems)
        kinds = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        super().__init__(f"{where}: {kinds}.\n" + "\n".join(f"  - {p}" for p in problems))


class DataWarning(UserWarning):
    """Something in a file is unusual but was not changed."""


# ---------------------------------------------------------------------------------------------------
# Published figures
# ---------------------------------------------------------------------------------------------------

_TABLES: dict[str, dict[str, Any]] = {
    "estimates": {
        "columns": "table panel column column_label sample outcome term estimate paren paren_kind stars note",
        "numbers": ["estimate", "paren"],
        "strict": True,
        "allowed": {"stars": {"", "*", "**", "***"}, "paren_kind": {"", "se", "t", "z", "p"}},
        "key": ["table", "panel", "column", "outcome", "term"],
    },
    "fit": {
        "columns": "table panel column stat value p_value note",
        "numbers": ["value", "p_value"],
        "strict": False,
        "key": ["table", "panel", "column", "stat"],
    },
    "descriptives": {
        "columns": "table variable label_zh label_en role n mean sd min max note",
        "numbers": ["n", "mean", "sd", "min", "max"],
        "strict": True,
        "key": ["table", "variable"],
    },
    "indicators": {
        "columns": "index dimension subdimension indicator_zh indicator_en symbol unit direction weight_pct "
        "period note",
        "numbers": ["weight_pct"],
        "strict": True,
        "allowed": {"direction": {"", "+", "-"}},
        "key": ["index", "dimension", "subdimension", "indicator_zh", "symbol", "period"],
    },
    "other": {
        "columns": "table row column value unit note",
        "numbers": ["value"],
        "strict": False,
        "key": None,  # lists: one row may hold several labels of one place
    },
    "inconsistent": {
        "columns": "file table column term reason",
        "numbers": [],
        "strict": True,
        "key": ["file", "table", "column", "term"],
    },
}


@dataclass(frozen=True)
class Published:
    """The figures of one paper as printed.

    Every number column ``c`` holds floats and has a twin ``c_text`` with the print itself, so that the number
    of printed decimals is known; a cell that is not a number (``yes``, a label) is NaN with its text kept.

    Attributes
    ----------
    slug : str
    citation : dict of str
        Authors, year, title (Chinese and English), journal, pages.
    estimates, fit, descriptives, indicators, other : pandas.DataFrame
        One row a printed coefficient, fit statistic, described variable, index indicator, other figure.
    inconsistent : pandas.DataFrame
        Printed figures that the paper itself contradicts: file, table, column, term, reason.
    """

    slug: str
    citation: dict[str, str]
    estimates: pd.DataFrame
    fit: pd.DataFrame
    descriptives: pd.DataFrame
    indicators: pd.DataFrame
    other: pd.DataFrame
    inconsistent: pd.DataFrame

    def __repr__(self) -> str:
        c = self.citation
        sizes = ", ".join(f"{name} {len(getattr(self, name))}" for name in _TABLES)
        return f"Published({self.slug!r}: {c['authors_en']} {c['year']}; rows: {sizes})"

    def _repr_html_(self) -> str:
        c = {k: escape(v) for k, v in self.citation.items()}
        pages = f", {c['pages']}" if c["pages"] else ""
        return (
            f"<p>{c['authors_zh']} ({c['authors_en']}), {c['year']}. <b>{c['title_zh']}</b> "
            f"<i>{c['title_en']}</i>. {c['journal']}{pages}.</p>"
        )


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


def _known(slug: str) -> str:
    slugs = list(_papers().index)
    if slug not in slugs:
        near = difflib.get_close_matches(str(slug), slugs, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown paper {slug!r}.{hint} The papers are: {', '.join(slugs)}.")
    return slug


def _is_number(text: pd.Series) -> pd.Series:
    return text.str.fullmatch(NUMBER).fillna(False).astype(bool)


def read_published(path: Path, kind: str) -> pd.DataFrame:
    """Read one file of printed figures and hold it to the schema of its kind.

    Parameters
    ----------
    path
        A CSV file; if it does not exist an empty frame with the right columns is returned.
    kind
        ``estimates``, ``fit``, ``descriptives``, ``indicators``, ``other`` or ``inconsistent``.

    Raises
    ------
    DataError
        Names file, row (header = row 1) and column of each cell that breaks the schema.
    """
    rule = _TABLES[kind]
    wanted = rule["columns"].split()
    if not path.exists():
        frame = pd.DataFrame({c: pd.Series(dtype=str) for c in wanted})
    else:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    where = f"{path.parent.name}/{path.name}"
    if list(frame.columns) != wanted:
        raise DataError(where, [f"columns are {list(frame.columns)}, expected {wanted}"])

    problems: list[str] = []
    for column, allowed in rule.get("allowed", {}).items():
        bad = frame.loc[~frame[column].isin(allowed), column]
        problems += [
            f"row {i + 2}, column {column}: {v!r} is none of {sorted(allowed)}" for i, v in bad.items()
        ]
    for column in rule["numbers"]:
        number = _is_number(frame[column])
        if rule["strict"]:
            bad = frame.loc[~number & frame[column].ne(""), column]
            problems += [f"row {i + 2}, column {column}: {v!r} is not a number" for i, v in bad.items()]
    if rule["key"]:
        twice = frame.loc[frame.duplicated(rule["key"]), rule["key"]]
        problems += [
            f"row {i + 2}, columns {', '.join(rule['key'])}: {tuple(v)} stands there before"
            for i, v in zip(twice.index, twice.itertuples(index=False), strict=True)
        ]
    if kind == "estimates":
        bare = frame.index[frame["paren"].ne("") & frame["paren_kind"].eq("")]
        problems += [f"row {i + 2}, column paren_kind: empty beside a number in brackets" for i in bare]
    if problems:
        raise DataError(where, problems)

    for column in rule["numbers"]:
        text = frame[column].copy()
        frame[column] = pd.to_numeric(text.where(_is_number(text)))
        frame[f"{column}_text"] = text
    return frame


@cache
def _published(slug: str) -> dict[str, pd.DataFrame]:
    return {kind: read_published(data_file("published", slug, f"{kind}.csv"), kind) for kind in _TABLES}


def published(slug: str) -> Published:
    """Return the figures of a paper exactly as printed.

    Parameters
    ----------
    slug
        Name of the paper, for example ``"city-innovation"``.

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
    frames = {kind: frame.copy() for kind, frame in _published(_known(slug)).items()}
    return Published(slug=slug, citation={str(k): str(v) for k, v in _papers().loc[slug].items()}, **frames)


def decimals(text: str) -> int:
    """Number of decimals of a printed number.

    >>> decimals("0.0999"), decimals("-12.30"), decimals("2744")
    (4, 2, 0)
    """
    mantissa = re.split("[eE]", text)[0]
    return len(mantissa.partition(".")[2])


# ---------------------------------------------------------------------------------------------------
# Teaching panels and the user's own data
# ---------------------------------------------------------------------------------------------------

UNITS = ("city", "province")
"""Names that the column of the unit may have."""


def _keys(schema: Iterable[str]) -> list[str]:
    """The two columns that index a panel: its unit (city or province) and the year."""
    return [next(u for u in UNITS if u in schema), "year"]


def _teaching(slug: str, ending: str) -> Path:
    path = data_file("teaching", f"{_known(slug)}{ending}")
    if not path.exists():
        ready = sorted(p.name.removesuffix(ending) for p in path.parent.glob(f"*{ending}"))
        raise FileNotFoundError(
            f"No teaching panel for {slug!r} yet: {path.name} is not in {path.parent}. "
            f"Ready: {', '.join(ready) or 'none'}."
        )
    return path


def columns(slug: str, table: str | None = None) -> pd.DataFrame:
    """Return the data dictionary of a teaching panel, which is also the schema of your own file.

    Parameters
    ----------
    slug
        Name of the paper.
    table
        For a paper whose panel is built from several raw tables (`TABLES`), the name of one; left out, the panel.

    Returns
    -------
    pandas.DataFrame
        One row a column: column, label_en, label_zh, unit, role, dtype, minimum, maximum, published, note.
        ``published`` names the printed row (variable or indicator) that the column stands for.
    """
    part = "" if table is None else f".{_known_table(slug, table)}"
    frame = pd.read_csv(_teaching(slug, f"{part}.columns.csv"), dtype=str, keep_default_na=False)
    for bound in ("minimum", "maximum"):
        frame[bound] = pd.to_numeric(frame[bound])
    return frame


def truth(slug: str) -> dict[str, Any]:
    """Return the parameters of the process that made a teaching panel, as a dictionary."""
    return json.loads(_teaching(slug, ".truth.json").read_text(encoding="utf-8"))


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
    c = _papers().loc[_known(slug)]
    authors = c["authors_en"] if len(c["authors_en"]) < 80 else "The authors"
    return Notice(
        slug,
        f"Simulated data, not evidence. {authors} ({c['year']}) used data that cannot be shared. "
        "The panel here is drawn by computer on the real units and years and pulled to the printed figures. "
        "It teaches the method; no number computed from it says anything about a real place. Do not cite it.",
    )


def load(
    slug: str,
    source: Any = None,
    *,
    table: str | None = None,
    required: Iterable[str] | None = None,
    allow_gaps: bool = False,
) -> pd.DataFrame:
    """Return a paper's panel, indexed by ``city`` (or ``province``) and ``year``.

    A panel of city pairs (`knowledge-flows`) is built from several raw tables and indexed by ``pair`` and ``year``; see
    `pair_panel`.

    Without ``source`` this is the shipped teaching panel: **simulated data, not evidence**. With ``source``
    it is your own file, held to the same schema (`columns`); nothing is dropped, filled or converted silently.

    Parameters
    ----------
    slug
        Name of the paper, for example ``"city-innovation"``.
    source
        Your data: a ``.csv`` (UTF-8 or GB18030), ``.xlsx``, ``.dta`` or ``.parquet`` file, or a data frame.
        One row a unit and year. Columns that the schema does not know are kept. For a panel of pairs: a dictionary of
        such files by name of the table, the two files of city-years and citations, or a folder that holds them.
    table
        Of a panel of pairs: one raw table (`TABLES`) instead of the panel.
    required
        Your file needs only these columns (besides unit and ``year``); by default every column of the
        dictionary is needed. Columns that are there are checked either way.
    allow_gaps
        Accept a panel in which some cities lack some years.

    Returns
    -------
    pandas.DataFrame
        Sorted by administrative code (where there is a column ``code``) and year. ``.attrs`` holds ``slug``,
        ``simulated`` (True or False) and ``source``.

    Raises
    ------
    ValueError
        Unknown slug.
    DataError
        Your file does not fit; all problems are listed at once, with row (header = row 1), column and value.

    Examples
    --------
    >>> import regionbook as rb
    >>> panel = rb.load("city-innovation")
    >>> panel.index.names, panel.attrs["simulated"]
    (FrozenList(['city', 'year']), True)
    """
    if _known(slug) in TABLES:
        return _load_pairs(slug, source, table, required, allow_gaps)
    if table is not None:
        _known_table(slug, table)
    schema = columns(slug).set_index("column")
    if source is None:
        if required is not None or allow_gaps:
            raise ValueError("`required` and `allow_gaps` are for your own data: pass `source` as well.")
        kinds = {"int": "int64", "float": "float64", "str": str}
        dtypes: dict[Any, Any] = {c: kinds.get(k, k) for c, k in schema["dtype"].items()}
        frame = pd.read_csv(_teaching(slug, ".csv"), dtype=dtypes)
        where = "shipped"
    else:
        raw, where, place = _read(source)
        frame = _checked(raw, schema, where, place, required, allow_gaps)
        _warn_units(frame, schema, slug)
    panel = _indexed(frame, _keys(schema.index))
    panel.attrs = {"slug": slug, "simulated": source is None, "source": where}
    return panel


def _indexed(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Index by unit and year, units in the order of their codes (an index that `.loc` can slice)."""
    order = frame.sort_values("code", kind="stable") if "code" in frame else frame
    unit = keys[0]
    places = pd.Index(order[unit].drop_duplicates(), name=unit)
    years = pd.Index(frame["year"].drop_duplicates().sort_values(), name="year")
    codes = [places.get_indexer(frame[unit]), years.get_indexer(frame["year"])]
    index = pd.MultiIndex(levels=[places, years], codes=codes, names=keys)
    position = pd.Series(codes[0] * len(years) + codes[1]).argsort(kind="stable")
    return frame.drop(columns=keys).set_axis(index).iloc[position]


@dataclass(frozen=True)
class _Place:
    """How a user finds row number i (from 0) of the file again."""

    word: str
    first: int

    def __call__(self, i: int) -> str:
        return f"{self.word} {i + self.first}"


def _read(source: str | Path | pd.DataFrame) -> tuple[pd.DataFrame, str, _Place]:
    if isinstance(source, pd.DataFrame):
        named = [n for n in source.index.names if n in (*UNITS, "year")]
        return source.reset_index(named).reset_index(drop=True), "data frame", _Place("position", 0)
    if not isinstance(source, (str, Path)):
        raise ValueError(
            f"`source` is a {type(source).__name__}: give the path of a .csv, .xlsx, .dta or .parquet file, or a "
            "data frame read by pandas."
        )
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"No file {path} (looked in {Path.cwd()}).")
    ending = path.suffix.lower()
    if ending == ".csv":
        return _read_csv(path), path.name, _Place("row", 2)
    if ending == ".xlsx":
        sheets: dict[str, pd.DataFrame] = _opened(
            path, lambda: pd.read_excel(path, sheet_name=None, dtype=object, keep_default_na=False)
        )
        filled = {name: sheet for name, sheet in sheets.items() if len(sheet.columns)}
        if len(filled) != 1:
            raise DataError(
                path.name,
                [
                    f"has {len(filled)} filled sheets ({', '.join(filled) or 'none'}): keep one, or read the sheet "
                    "with pandas and pass the data frame"
                ],
            )
        return next(iter(filled.values())), path.name, _Place("row", 2)
    if ending == ".dta":
        return _opened(path, lambda: pd.read_stata(path)), path.name, _Place("observation", 1)
    if ending == ".parquet":
        frame = _opened(path, lambda: pd.read_parquet(path))
        return (
            frame.reset_index([n for n in frame.index.names if n in (*UNITS, "year")]),
            path.name,
            _Place("row", 1),
        )
    raise ValueError(
        f"Cannot read {path.name}: give a .csv, .xlsx, .dta or .parquet file, or a data frame read by pandas."
    )


def _opened(path: Path, read: Callable[[], Any]) -> Any:
    """What ``read`` gives; if the file is of another kind than its name says, a `DataError` (readers raise anything)."""
    try:
        return read()
    except PermissionError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise DataError(
            path.name,
            [
                f"cannot be read as {path.suffix} ({reason}): open it in its program and save it anew, or as CSV UTF-8"
            ],
        ) from error


def _read_csv(path: Path) -> pd.DataFrame:
    how: dict[str, Any] = {
        "dtype": str,
        "keep_default_na": False,
        "skip_blank_lines": False,
        "index_col": False,
    }
    encoding = "utf-8-sig"
    try:
        path.read_text(encoding=encoding)
    except UnicodeDecodeError:
        encoding = "gb18030"
        warnings.warn(f"{path.name} is not UTF-8; it was read as GB18030.", DataWarning, stacklevel=4)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            frame = pd.read_csv(path, encoding=encoding, **how)
    except UnicodeDecodeError as error:
        raise DataError(path.name, ["is neither UTF-8 nor GB18030 text: save it as 'CSV UTF-8'"]) from error
    except pd.errors.EmptyDataError as error:
        raise DataError(path.name, ["is empty"]) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(path.name, [f"is no regular table: {error}"]) from error
    if len(frame.columns) == 1 and re.search(r"[;\t|]", str(frame.columns[0])):
        raise DataError(
            path.name, [f"its header is one cell, {frame.columns[0]!r}: separate the columns by commas"]
        )
    return frame


def _some(places: Sequence[str]) -> str:
    more = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f", and {more} more" if more > 0 else "")


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _suggest(name: str, label: pd.Series, given: Sequence[str]) -> str:
    """Columns of the file that may be the missing one: near in spelling, or equal to its label."""
    low = {g.strip().lower(): g for g in reversed(given)}
    words = [name.lower(), label["label_en"].lower(), label["label_zh"].lower()]
    near = [low[w] for w in words if w in low]
    near = near or [low[m] for m in difflib.get_close_matches(name.lower(), low, n=2, cutoff=0.75)]
    near = near or sorted((g for w, g in low.items() if len(name) > 2 and name.lower() in w), key=len)
    return f" (yours: {' or '.join(repr(n) for n in near[:3])}?)" if near else ""


def _near_words(unknown: Iterable[Any], known: Iterable[str]) -> str:
    """For each unknown name the known ones that it may mean."""
    near = {u: difflib.get_close_matches(str(u), list(known), n=2) for u in unknown}
    return "".join(f" ({u!r}: {' or '.join(map(repr, n))}?)" for u, n in near.items() if n)


def _unit(unit: str) -> str:
    """A unit after a number; in brackets where it begins with a number itself ("10,000 yuan")."""
    return f" ({unit})" if unit[:1].isdigit() else f" {unit}" if unit else ""


def _cell(value: Any) -> str:
    return repr(value.item() if hasattr(value, "item") else value)


def _as_number(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Floats and a mask of the cells that are filled but not a number."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.astype(float)
        return values, values.abs().eq(float("inf"))
    text = column.map(lambda v: "" if v is None or v is pd.NA or v != v else str(v).strip()).astype(str)
    number = _is_number(text)
    return pd.to_numeric(text.where(number)), ~number & ~text.isin(MISSING)


def _checked(
    raw: pd.DataFrame,
    schema: pd.DataFrame,
    where: str,
    place: _Place,
    required: Iterable[str] | None,
    allow_gaps: bool,
    keys: list[str] | None = None,
) -> pd.DataFrame:
    """Hold a user's table to the schema; raise one DataError with everything that is wrong."""
    problems: list[str] = []
    raw = raw.rename(columns=str)
    given = list(raw.columns)
    twice = sorted({c for c in given if given.count(c) > 1})
    if twice:
        raise DataError(where, [f"column {c!r} stands there {given.count(c)} times" for c in twice])
    if raw.empty:
        raise DataError(where, ["has a header but no rows"])

    given_keys = keys is not None
    keys = _keys(schema.index) if keys is None else keys
    needed = list(schema.index[~schema["role"].str.contains("optional")])
    if required is not None:
        required = [required] if isinstance(required, str) else list(required)
        unknown = [c for c in required if c not in schema.index]
        if unknown:
            raise ValueError(
                f"`required` names {unknown}, which are no columns of the dictionary"
                + _near_words(unknown, schema.index)
                + "; rb.columns lists them all."
            )
        needed = keys + [c for c in required if c not in keys]
    missing = [c for c in needed if c not in given]
    if missing:
        spare = [g for g in given if g not in schema.index]
        listed = [
            f"{c} — {schema.at[c, 'label_en']!s} [{str(schema.at[c, 'unit']) or 'text'}]"
            + _suggest(c, schema.loc[c], spare)
            for c in missing
        ]
        rest = f"; and {', '.join(missing[12:])}" if len(missing) > 12 else ""
        hint = "" if required is not None else ". If you need fewer columns name them in `required`"
        if len(set(spare) & set(schema["label_zh"])) > 2:
            hint += (
                ". Your headings are the dictionary's Chinese labels: read the file with pandas, "
                "`.rename(columns=dict(zip(c['label_zh'], c['column'])))` with c = rb.columns(...), and pass the frame"
            )
        elif len(missing) == len(needed):
            hint += f". No heading is known; yours are {_some([repr(g) for g in given])}: the header has to be row 1"
        problems.append(f"{_count(len(missing), 'column')} missing: {'; '.join(listed[:12])}{rest}{hint}")

    frame = raw.copy()
    for name in schema.index.intersection(raw.columns, sort=False):
        rule = schema.loc[name]
        column = raw[name]
        if rule["dtype"] == "str":
            text = column.map(lambda v: "" if v is None or v is pd.NA or v != v else str(v)).astype(str)
            empty = text.str.strip().isin(MISSING)
            loose = text.ne(text.str.strip()) & ~empty
            if loose.any():
                cells = [f"{place(i)}: {text.iloc[i]!r}" for i in loose.to_numpy().nonzero()[0].tolist()]
                problems.append(f"column {name}: blanks around the text ({_some(cells)}): remove them")
            frame[name] = text
        else:
            values, bad = _as_number(column)
            empty = values.isna() & ~bad
            code = (
                rule["dtype"].startswith("int") and rule["maximum"] == rule["maximum"]
            )  # amounts may have decimals
            fraction = (values % 1 != 0) & values.notna() if code else bad & False
            for mask, fault in ((bad, "not a number"), (fraction, "not a whole number")):
                if mask.any():
                    cells = [
                        f"{place(i)}: {_cell(column.iloc[i])}" for i in mask.to_numpy().nonzero()[0].tolist()
                    ]
                    hint = (
                        "; write numbers without thousands separators or units"
                        if fault == "not a number" and column[mask].astype(str).str.contains(r"\d").any()
                        else ""
                    )
                    if name == "year":
                        hint = "; write the year as a whole number such as 2015"
                    problems.append(
                        f"column {name}: {_count(len(cells), 'cell')} {fault} ({_some(cells)}){hint}"
                    )
            unit = _unit(rule["unit"])
            for bound, mask in (("minimum", values < rule["minimum"]), ("maximum", values > rule["maximum"])):
                if mask.any():
                    cells = [f"{place(i)}: {values.iloc[i]:g}" for i in mask.to_numpy().nonzero()[0].tolist()]
                    problems.append(
                        f"column {name}: {_count(len(cells), 'value')} beyond the {bound} of "
                        f"{rule[bound]:g}{unit} ({_some(cells)}); "
                        + (f"allowed: {rule['unit']}" if rule["unit"] == "1 = yes" else "is the unit right?")
                    )
            frame[name] = values
            if rule["dtype"].startswith("int") and not bad.any() and (values % 1 == 0).all():
                frame[name] = values.astype("int64")
        if empty.any():
            cells = [place(i) for i in empty.to_numpy().nonzero()[0].tolist()]
            found = f"column {name}: {_count(len(cells), 'cell')} empty ({_some(cells)})"
            if name in needed:
                names = name in keys or required is not None
                problems.append(
                    f"{found}: fill {'it' if len(cells) == 1 else 'them'} in"
                    + ("" if names else ", or name only the columns that you need in `required`")
                )
            else:
                warnings.warn(f"{where}: {found}; kept as missing.", DataWarning, stacklevel=3)

    if set(keys) <= set(given) and ("year" not in keys or pd.api.types.is_integer_dtype(frame["year"])):
        panel = len(keys) == 2 and keys[1] == "year"
        unsure = any(p.startswith(f"column {keys[0]}:") for p in problems)  # then gaps are only its echo
        problems += _grid_problems(frame, place, allow_gaps or unsure or not panel, keys, of_pairs=given_keys)
    if problems:
        raise DataError(where, problems)
    known = [c for c in schema.index if c in frame]
    return frame[known + [c for c in frame if c not in known]]


def _grid_problems(
    frame: pd.DataFrame, place: _Place, allow_gaps: bool, keys: list[str], of_pairs: bool = False
) -> list[str]:
    """Unit-years that stand there twice, and those that are not there; a panel of pairs needs them all."""
    problems, unit = [], keys[0]
    again = frame.duplicated(keys)
    if again.any():
        cells = [
            f"{place(i)}: {' '.join(str(frame[k].iloc[i]) for k in keys)}"
            for i in again.to_numpy().nonzero()[0].tolist()
        ]
        problems.append(
            f"{_count(len(cells), '-'.join(keys))} there more than once ({_some(cells)}): keep one row of each"
        )
    if not allow_gaps:
        there = pd.MultiIndex.from_frame(frame[keys])
        years = range(int(frame["year"].min()), int(frame["year"].max()) + 1)
        full = pd.MultiIndex.from_product([frame[unit].unique(), years])
        gaps = full.difference(there, sort=False).to_frame(index=False, name=keys)
        if len(gaps):
            by_unit = gaps.groupby(unit, sort=False)["year"].agg(lambda y: " ".join(map(str, y)))
            cells = [f"{one} {years_}" for one, years_ in by_unit.items()]
            problems.append(
                f"{_count(len(gaps), f'{unit}-year')} absent ({_some(cells)}): complete the panel{',' if not of_pairs else ' or'} leave "
                f"the {'cities' if unit == 'city' else 'provinces'} out{'' if of_pairs else ', or pass allow_gaps=True'}"
            )
    return problems


def _warn_units(frame: pd.DataFrame, schema: pd.DataFrame, slug: str) -> None:
    """Point at columns whose typical value is more than thirty times ours, or less than a thirtieth: units slip by
    a hundred and more, and own data differ from the teaching panel besides."""
    shipped = pd.read_csv(_teaching(slug, ".csv"))
    for name in schema.index.intersection(frame.columns, sort=False):
        unit = str(schema.at[name, "unit"])
        if name in (*UNITS, "year") or not unit or schema.at[name, "dtype"] == "str":
            continue
        ours, yours = shipped[name].median(), frame[name].median()
        if ours > 0 and yours > 0 and not 1 / 30 < yours / ours < 30:
            warnings.warn(
                f"Column {name}: your median is {yours:.4g}, the teaching panel's {ours:.4g}{_unit(unit)}. "
                f"Check that yours is in {unit}; nothing was changed.",
                DataWarning,
                stacklevel=3,
            )


# ---------------------------------------------------------------------------------------------------
# Pairs of cities
# ---------------------------------------------------------------------------------------------------

TABLES: dict[str, dict[str, list[str]]] = {
    "knowledge-flows": {
        "cities": ["city"],
        "years": ["city", "year"],
        "citations": ["citing", "cited", "year"],
        "rail": ["line", "city"],
        "imports": ["city", "country", "hs2"],
        "extreme": ["a", "b", "year"],
    }
}
"""Papers whose panel is one of pairs, their raw tables, and the columns that name a row of each."""

BESIDE: dict[str, dict[str, list[str]]] = {
    "knowledge-flows": {
        "patents": ["patent"],
        "firms": ["firm"],
        "links": ["citing", "cited", "publication"],
    }
}
"""Tables that a lesson reads and from which no panel is built: labelled texts of invented patents, firms, single
citations."""

ALWAYS: dict[str, dict[str, tuple[str, ...]]] = {
    "knowledge-flows": {"years": ("light", "population"), "citations": ("citations",)}
}
"""Columns without which there is no panel of pairs, whatever is `required`."""

_CITY_COLUMNS = {"cities": (), "years": (), "citations": ("citing", "cited"), "rail": ("city",), "imports": ("city",),
                 "extreme": ("a", "b")}  # fmt: skip


def _known_table(slug: str, table: str, beside: bool = True) -> str:
    ready = [*TABLES.get(_known(slug), {}), *(BESIDE.get(slug, {}) if beside else ())]
    if not ready:
        raise ValueError(f"The panel of {slug!r} is one table: leave `table` out.")
    if table not in ready:
        near = difflib.get_close_matches(str(table), ready, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{slug!r} has no table {table!r}.{hint} Its raw tables are: {', '.join(ready)}.")
    return table


def raw_tables(slug: str, folder: Path | None = None) -> dict[str, pd.DataFrame]:
    """Return all raw tables of a panel of pairs, by name: the shipped ones, or those that a simulator wrote to a folder."""
    if _known(slug) not in TABLES:
        _known_table(slug, "")
    return {name: _raw_table(slug, name, folder) for name in TABLES[slug]}


def _raw_table(slug: str, name: str, folder: Path | None = None) -> pd.DataFrame:
    if folder is None:
        there = data_file("teaching", f"{slug}.{name}.csv").exists()
        path = _teaching(slug, f".{name}.csv" if there else f".{name}.parquet")
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
        _indexed(frame, keys) if len(keys) == 2 else frame.set_index(keys) if keys else frame, slug, name
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


def _load_pairs(
    slug: str, source: Any, table: str | None, required: Iterable[str] | None, allow_gaps: bool
) -> pd.DataFrame:
    if table is not None:
        _known_table(slug, table)
    if source is None:
        if required is not None or allow_gaps:
            raise ValueError("`required` and `allow_gaps` are for your own data: pass `source` as well.")
        return pair_panel() if table is None else _raw_table(slug, table)
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


def _sources(slug: str, source: Any) -> tuple[dict[str, Any], str]:
    """Name of the table -> file or data frame."""
    names = list(TABLES[slug])
    if isinstance(source, Mapping):
        for name in source:
            _known_table(slug, name, beside=False)
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
                + _near_words(unknown, known)
                + "; rb.columns lists them all."
            )
    raws, places, problems = {}, {}, []
    for name, one in given.items():
        raw, file, place = _read(
            one.reset_index() if isinstance(one, pd.DataFrame) and one.index.names != [None] else one
        )
        schema = columns(slug, name).set_index("column")
        wanted = None
        if required is not None:
            wanted = [c for c in schema.index if c in (*required, *ALWAYS[slug].get(name, ()))]
        try:
            raws[name] = _checked(raw, schema, file, place, wanted, False, TABLES[slug][name])
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
                        f"{name} ({file}): column {column}: {_count(len(cells), 'cell')} with a city that the table of "
                        f"{'cities' if 'cities' in raws else 'city-years'} does not have ({_some(cells)})"
                    )
        absent = sorted(set(names) - set(raws["years"]["city"]))
        if absent:
            problems.append(
                f"years: {_count(len(absent), 'city')} without any row ({_some(absent)})".replace(
                    "citys", "cities"
                )
            )
    if "citations" in raws:
        frame, (file, place) = raws["citations"], places["citations"]
        inside = (frame["citing"] == frame["cited"]).to_numpy().nonzero()[0].tolist()
        if inside:
            cells = [f"{place(i)}: {frame['citing'].iloc[i]}" for i in inside]
            problems.append(
                f"citations ({file}): {_count(len(cells), 'row')} within one city ({_some(cells)}): leave them out"
            )
        part = (frame["citations"] % 1 != 0).to_numpy().nonzero()[0].tolist()
        if part:
            cells = [f"{place(i)}: {frame['citations'].iloc[i]:g}" for i in part]
            problems.append(
                f"citations ({file}): column citations: {_count(len(cells), 'value')} not a whole number "
                f"({_some(cells)}): give counts"
            )
        if "years" in raws:
            calendar = raws["years"]["year"].drop_duplicates().sort_values().tolist()
            if sum(y <= pairs.LAST_YEAR for y in calendar) < 2:
                problems.append(
                    f"years: {_some([str(y) for y in calendar])} only: pairs need at least two years up to {pairs.LAST_YEAR}"
                )
            void = [str(y) for y in calendar[:-1] if y < pairs.LAST_YEAR and y not in set(frame["year"])]
            if void:
                problems.append(
                    f"citations ({file}): no row at all for {_some(void)}: add them (a pair without a row counts as "
                    "zero), or leave these city-years out"
                )
    if problems:
        raise DataError(where, problems)
    if late := [str(y) for y in calendar if y > pairs.LAST_YEAR]:
        warnings.warn(
            f"{where}: the panel of pairs ends with {pairs.LAST_YEAR}, as the paper's; {_some(late)} not used.",
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
