"""Read the user's own file, whatever its kind, cell by cell as it stands there; `checking` converts."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.data.errors import DataError, DataWarning, Place, cell, count, some
from regionbook.data.figures import is_number

KINDS = "a .csv, .xlsx, .dta or .parquet file, or a data frame read by pandas"
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read(source: str | Path | pd.DataFrame, schema: pd.DataFrame) -> tuple[pd.DataFrame, str, Place]:
    """The table as it stands in the file, the name of the file, and how a row of it is found again."""
    if isinstance(source, pd.DataFrame):
        return _levels_out(source, "data frame"), "data frame", Place("position", 0)
    if not isinstance(source, (str, Path)):
        raise ValueError(f"`source` is a {type(source).__name__}: give the path of {KINDS}.")
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"No file {path} (looked in {Path.cwd()}).")
    ending = path.suffix.lower()
    if ending == ".csv":
        return read_csv(path), path.name, Place("row", 2)
    if ending == ".xlsx":
        return _table(_opened(path, lambda: _xlsx_rows(path)), path.name), path.name, Place("row", 2)
    if ending == ".dta":
        return _opened(path, lambda: _stata(path, schema)), path.name, Place("observation", 1)
    if ending == ".parquet":
        frame = _opened(path, lambda: pd.read_parquet(path))
        return _levels_out(frame, path.name), path.name, Place("row", 1)
    raise ValueError(f"Cannot read {path.name}: give {KINDS}.")


def _levels_out(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Named levels of the index as columns; a name in both places has to mean the same."""
    names = [n for n in frame.index.names if n is not None]
    for name in set(names) & set(frame.columns):
        level, column = frame.index.get_level_values(name), frame[name]
        if isinstance(column, pd.Series) and list(level) != list(column):
            raise DataError(
                where, [f"{name!r} is in the index and among the columns, and they differ: drop one"]
            )
    return frame.reset_index([n for n in names if n not in frame.columns]).reset_index(drop=True)


def _opened(path: Path, read: Callable[[], Any]) -> Any:
    """What ``read`` gives; if the file is of another kind than its name says, a `DataError` (readers raise anything)."""
    try:
        return read()
    except (PermissionError, DataError):
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0].partition(". ")[0][:200]
        mend = "open it in its program and save it anew, or as CSV UTF-8"
        raise DataError(path.name, [f"cannot be read as {path.suffix} ({reason}): {mend}"]) from error


def _table(rows: Sequence[Sequence[Any]], where: str) -> pd.DataFrame:
    """Rows below their headings, which may be empty or stand there twice; columns without any cell go."""
    head = ["" if h is None else str(h).strip("\ufeff\u200b \t\xa0") for h in rows[0]]
    frame = pd.DataFrame(list(rows[1:]), columns=range(len(head)), dtype=object)
    blank = [i for i, h in enumerate(head) if not h and frame[i].isin(["", None]).all()]
    names = [h or f"column {i + 1}" for i, h in enumerate(head)]
    return frame.set_axis(names, axis=1).iloc[:, [i for i in range(len(head)) if i not in blank]]


# --- CSV ---------------------------------------------------------------------------------------------


def _is_chinese(text: str) -> bool:
    """Whether text read as GB18030 was written so: nearly all of it is in the old, small set of characters.

    Latin-1 and Big5 read as GB18030 give rare characters throughout.
    """
    wide = {c for c in text if c > "\x7f"}
    return sum(bool(c.encode("gb2312", "ignore")) for c in wide) >= 0.9 * len(wide)


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for encoding, fits in (("utf-16", data[:2] in (b"\xff\xfe", b"\xfe\xff")), ("gb18030", True)):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if fits and (encoding == "utf-16" or _is_chinese(text)):
            said = f"{where} is not UTF-8; it was read as {encoding.upper()}."
            warnings.warn(said, DataWarning, stacklevel=6)
            return text
    raise DataError(where, ["is neither UTF-8 nor GB18030 text: save it as 'CSV UTF-8'"])


def read_csv(path: Path) -> pd.DataFrame:
    """Cells of a CSV file as text, below its headings."""
    return _table(_csv_rows(path), path.name)


def _csv_rows(path: Path) -> list[list[str]]:
    text = _decoded(path.read_bytes(), path.name)
    if not text.strip():
        raise DataError(path.name, ["is empty"])
    first = text.partition("\n")[0].strip()
    if first.lower().startswith("sep="):
        note = f"row 1 is {first!r}, a note of Excel: delete it, separate the columns by commas"
        raise DataError(path.name, [note])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        mend = "a quotation mark too many or too few?"
        raise DataError(path.name, [f"is no regular table: row {len(rows) + 1}: {error}; {mend}"]) from error
    n = len(rows[0])
    if n == 1 and (marks := [m for m in _SEPARATORS if m in rows[0][0]]):
        header = f"its header is one cell, {cell(rows[0][0])}, with {_SEPARATORS[marks[0]]} (row 1)"
        mend = "separate the columns by commas, write decimals with a point"
        raise DataError(path.name, [f"{header}: {mend}"])
    rows = [r[:n] + [""] * (n - len(r)) if len(r) <= 1 or not any(r[n:]) and len(r) > n else r for r in rows]
    problems = []
    if uneven := [f"row {i}: {count(len(r), 'cell')}" for i, r in enumerate(rows, 1) if len(r) != n]:
        hint = "is there a comma in a number or a name? Write numbers without, or quote the cell"
        problems.append(f"is no regular table: the header has {count(n, 'cell')}, but {some(uneven)}; {hint}")
    if runs := [f"row {i}" for i, r in enumerate(rows, 1) for c in r if "\n" in c and "," in c]:
        problems.append(f"a cell runs over several lines ({some(runs)}): a quotation mark too many?")
    if problems:
        raise DataError(path.name, problems)
    return rows


# --- Excel -------------------------------------------------------------------------------------------


def _xlsx_rows(path: Path) -> list[list[Any]]:
    """Cells of the one filled sheet: error values as text, formulas that were never calculated as their own text."""

    def sheets(values: bool) -> dict[str, list[list[Any]]]:
        book = load_workbook(path, read_only=True, data_only=values)
        found = {}
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = [list(row) for row in sheet.iter_rows(values_only=True)]
            width = max((i + 1 for row in rows for i, c in enumerate(row) if c is not None), default=0)
            while rows and all(c is None for c in rows[-1]):
                rows.pop()
            if width:
                found[sheet.title] = [(row + [None] * width)[:width] for row in rows]
        book.close()
        return found

    from openpyxl import load_workbook

    filled = sheets(values=True)
    if len(filled) != 1:
        found = f"has {len(filled)} filled sheets ({', '.join(filled) or 'none'})"
        mend = "keep one, or read the sheet with pandas and pass the data frame"
        raise DataError(path.name, [f"{found}: {mend}"])
    name, rows = next(iter(filled.items()))
    if any(c is None for row in rows for c in row):
        typed = sheets(values=False)[name]
        for row, other in zip(rows, typed, strict=False):
            row[:] = [str(o) if c is None and o is not None else c for c, o in zip(row, other, strict=False)]
    return rows


# --- Stata -------------------------------------------------------------------------------------------


def regarbled(text: str) -> str:
    """Chinese text of which each byte was taken for a letter (º¼ÖÝ), put right; any other text as it is."""
    try:
        right = text.encode("cp1252" if re.search("[€-™]", text) else "latin-1").decode("gb18030")
    except UnicodeError:
        return text
    return right if right != text and _is_chinese(right) else text


def _stata(path: Path, schema: pd.DataFrame) -> pd.DataFrame:
    """Values as pandas gives them, but known numbers as they are stored where a date or labels stand before them."""
    frame = pd.read_stata(path)
    numbers = [c for c in frame if c in schema.index and schema.at[c, "dtype"] != "str"]
    dressed = [c for c in numbers if not pd.api.types.is_numeric_dtype(frame[c]) and frame[c].dtype != object]
    if dressed:
        stored = pd.read_stata(path, convert_categoricals=False, convert_dates=False)
    for name in dressed:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            labels = frame[name].cat.categories.astype(str)
            if not is_number(pd.Series(labels, dtype=str)).all():
                shown = some([repr(v) for v in labels])
                said = f"{path.name}: column {name}: its numbers were read, not their labels ({shown})."
                warnings.warn(said, DataWarning, stacklevel=6)
                frame[name] = stored[name]
        elif (stored[name].dropna() == frame[name].dropna().dt.year).all():  # %ty: the number is the year
            frame[name] = stored[name]
    texts = frame.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]
    for name in texts:
        old = frame[name].astype(object)
        new = old.map(lambda v: regarbled(v) if isinstance(v, str) else v)
        if (changed := old.notna() & (new != old)).any():
            said = f"{cell(old[changed].iloc[0])} was read as {cell(new[changed].iloc[0])}"
            words = f"{path.name}: column {name} holds GB18030 text: {said}."
            warnings.warn(words, DataWarning, stacklevel=6)
            frame[name] = new
    return frame
