"""What grading says about one handed-in sheet, and the folder that keeps it: one JSON file a sheet."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
"""Stands in each file; a file of another format is graded again."""


@dataclass(frozen=True)
class Result:
    """One handed-in sheet, graded or not.

    Attributes
    ----------
    file
        Path of the sheet as it was delivered, relative to what was named on the command line; inside a zip
        ``archive.zip/inner/path.ipynb``. It tells one sheet from another in a folder of results.
    folder
        Label of who handed it in, as the delivery has it: the folder of the sheet, or the part of the file's name that
        a learning platform wrote before it; empty if the delivery says nothing.
    student
        Student number that the sheet states, in its one spelling; empty: the shared panel.
    exercise
        Label of the exercise, such as ``"01-city-innovation/2-regressions"``; empty if the sheet was not graded.
    points, maximum
        By graded cell (``grade_id``), in the order of the sheet; None where a person has to read the answer.
    notes
        What happened besides, as (cell, text); the cell is empty where a note belongs to the whole sheet.
    failed
        Why the sheet was not graded, in words; empty if it was.
    answers, code
        Fingerprints by cell: of the plain answer that the cell handed to ``rb.check`` (by test cell), and of the code
        that the student wrote, without comments and blanks (by answer cell). Equal marks mean equal content.
    seconds
        Wall time of grading.
    source
        SHA-256 of the file that was handed in.
    version
        Version of the library and state of the solution that the sheet was judged by.
    """

    file: str
    folder: str = ""
    student: str = ""
    exercise: str = ""
    points: Mapping[str, float | None] = field(default_factory=dict)
    maximum: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()
    failed: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    source: str = ""
    version: str = ""

    @property
    def total(self) -> float:
        """Points given by the machine."""
        return sum(p for p in self.points.values() if p is not None)

    @property
    def by_hand(self) -> list[str]:
        """Cells that a person has to read."""
        return [cell for cell, p in self.points.items() if p is None]

    def to_json(self) -> str:
        """The result as the text of a JSON file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """The result that `to_json` wrote; a ValueError if the text is none."""
        try:
            stored: dict[str, Any] = dict(json.loads(text))
            if stored.pop("format", None) != FORMAT:
                raise ValueError(f"its format is not {FORMAT}")
            return cls(**{**stored, "notes": tuple((cell, said) for cell, said in stored["notes"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"this is no result of `grade` ({error}); grade the sheet again") from None


def name_of(file: str) -> str:
    """Name of the file that keeps a sheet's result: readable, the same each time, different for each ``file``."""
    stem = re.sub(r"[^\w-]+", "-", Path(file).with_suffix("").as_posix()).strip("-")[-60:]
    return f"{stem}-{hashlib.sha256(file.encode('utf-8', 'replace')).hexdigest()[:10]}.json"


def write(result: Result, folder: Path) -> Path:
    """Keep a result in the folder, by replacing: who reads meanwhile sees the old or the new one, never half."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / name_of(result.file)
    draft = place.with_suffix(f".{os.getpid()}.part")
    draft.write_text(result.to_json(), encoding="utf-8", errors="backslashreplace")  # file names of any bytes
    draft.replace(place)
    return place


def read(file: str, folder: Path) -> Result | None:
    """The kept result of a sheet, None if there is none that can be read."""
    try:
        return Result.from_json((folder / name_of(file)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_all(folder: Path) -> list[Result]:
    """All results of a folder, by file.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If a file of it is no result, with its name.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder of results at {folder}: `workbook.py grade` writes one")
    found = []
    for place in sorted(folder.glob("*.json")):
        try:
            found.append(Result.from_json(place.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ValueError(f"{place}: {error}") from error
    return sorted(found, key=lambda result: result.file)
