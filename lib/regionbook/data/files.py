"""Read the user's own file, whatever its kind."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.data.errors import DataError, DataWarning, Place
from regionbook.data.schema import UNITS

KINDS = "a .csv, .xlsx, .dta or .parquet file, or a data frame read by pandas"


def read(source: str | Path | pd.DataFrame) -> tuple[pd.DataFrame, str, Place]:
    """The table as it stands in the file, the name of the file, and how a row of it is found again."""
    if isinstance(source, pd.DataFrame):
        return source.reset_index(_keys(source)).reset_index(drop=True), "data frame", Place("position", 0)
    if not isinstance(source, (str, Path)):
        raise ValueError(f"`source` is a {type(source).__name__}: give the path of {KINDS}.")
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"No file {path} (looked in {Path.cwd()}).")
    ending = path.suffix.lower()
    if ending == ".csv":
        return _read_csv(path), path.name, Place("row", 2)
    if ending == ".xlsx":
        sheets: dict[str, pd.DataFrame] = _opened(
            path, lambda: pd.read_excel(path, sheet_name=None, dtype=object, keep_default_na=False)
        )
        filled = {name: sheet for name, sheet in sheets.items() if len(sheet.columns)}
        if len(filled) != 1:
            found = f"has {len(filled)} filled sheets ({', '.join(filled) or 'none'})"
            mend = "keep one, or read the sheet with pandas and pass the data frame"
            raise DataError(path.name, [f"{found}: {mend}"])
        return next(iter(filled.values())), path.name, Place("row", 2)
    if ending == ".dta":
        return _opened(path, lambda: pd.read_stata(path)), path.name, Place("observation", 1)
    if ending == ".parquet":
        frame = _opened(path, lambda: pd.read_parquet(path))
        return frame.reset_index(_keys(frame)), path.name, Place("row", 1)
    raise ValueError(f"Cannot read {path.name}: give {KINDS}.")


def _keys(frame: pd.DataFrame) -> list[str]:
    return [n for n in frame.index.names if n in (*UNITS, "year")]


def _opened(path: Path, read: Callable[[], Any]) -> Any:
    """What ``read`` gives; if the file is of another kind than its name says, a `DataError` (readers raise anything)."""
    try:
        return read()
    except PermissionError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        mend = "open it in its program and save it anew, or as CSV UTF-8"
        raise DataError(path.name, [f"cannot be read as {path.suffix} ({reason}): {mend}"]) from error


def _read_csv(path: Path) -> pd.DataFrame:
    how: dict[str, Any] = {"keep_default_na": False, "skip_blank_lines": False, "index_col": False}
    encoding = "utf-8-sig"
    try:
        path.read_text(encoding=encoding)
    except UnicodeDecodeError:
        encoding = "gb18030"
        warnings.warn(f"{path.name} is not UTF-8; it was read as GB18030.", DataWarning, stacklevel=4)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            frame = pd.read_csv(path, encoding=encoding, dtype=str, **how)
    except UnicodeDecodeError as error:
        raise DataError(path.name, ["is neither UTF-8 nor GB18030 text: save it as 'CSV UTF-8'"]) from error
    except pd.errors.EmptyDataError as error:
        raise DataError(path.name, ["is empty"]) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(path.name, [f"is no regular table: {error}"]) from error
    if len(frame.columns) == 1 and re.search(r"[;\t|]", str(frame.columns[0])):
        header = f"its header is one cell, {frame.columns[0]!r}"
        raise DataError(path.name, [f"{header}: separate the columns by commas"])
    return frame
