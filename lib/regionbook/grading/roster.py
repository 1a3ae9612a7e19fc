"""The class list: whose panel is whose, and who handed a sheet in."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from regionbook.exercises.personal import student_number
from regionbook.grading.results import Result

HEADS = {
    "number": ("number", "student number", "student", "id number", "student id", "学号", "学生号", "sis user id"),
    "name": ("name", "full name", "student name", "姓名", "学生姓名", "全名"),
    "id": ("id", "login", "login id", "user", "username", "sis login id", "账号", "用户名"),
    "email": ("email", "e-mail", "mail", "email address", "邮箱", "电子邮箱", "电子邮件", "邮件地址", "电子邮件地址"),
    "first": ("first name", "given name", "名"),
    "last": ("last name", "surname", "family name", "姓"),
}  # fmt: skip
"""Headings of a class list, in small letters, by what stands below them."""


class ListError(ValueError):
    """A list that cannot be read as one, in words: file, line, what was expected, what to do."""


@dataclass(frozen=True)
class Student:
    """One line of the class list; ``number`` in its one spelling, the rest as written."""

    number: str
    name: str = ""
    id: str = ""
    email: str = ""

    @property
    def label(self) -> str:
        """Name and number, to be read."""
        return f"{self.name} ({self.number})" if self.name and self.number else self.name or self.number


def read_table(file: Path) -> list[list[str]]:
    """Rows of a CSV (UTF-8, else GB 18030; comma, semicolon or tab) or Excel file as texts; empty rows stay, as lines.

    A `ListError` if the file is not there or holds no text.
    """
    try:
        if file.suffix.lower() in (".xlsx", ".xlsm"):
            import pandas as pd

            return pd.read_excel(file, header=None, dtype=str).fillna("").to_numpy().tolist()
        raw = file.read_bytes()
    except (OSError, ValueError) as error:
        raise ListError(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:  # a spreadsheet of a Chinese Windows
        text = raw.decode("gb18030", "replace")
    if "\0" in text or "�" in text:
        raise ListError(f"{file}: cannot be read as a table of text; save it as CSV (UTF-8)")
    mark = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        return [list(map(str.strip, row)) for row in rows]
    except csv.Error as error:
        raise ListError(f"{file}: cannot be read as a table of text ({error})") from None


def columns(head: list[str]) -> dict[str, int]:
    """Places of the known columns of a class list."""
    words = [unicodedata.normalize("NFKC", cell).strip().casefold() for cell in head]
    found = {what: [words.index(name) for name in names if name in words] for what, names in HEADS.items()}
    return {what: places[0] for what, places in found.items() if places}


def read_roster(file: Path) -> list[Student]:
    """The class list: one line a student, below headings in English or Chinese; numbers alone need no heading.

    Raises
    ------
    ListError
        With file and line, if there is no column of numbers, a number is none or stands twice.

    Examples
    --------
    A file ``students.csv`` of the lines ``name,学号,email`` and ``Li Lei,20260001,lilei@example.edu``.
    """
    rows = [(line, row) for line, row in enumerate(read_table(file), 1) if any(row)]
    place = columns(rows[0][1]) if rows else {}
    place.setdefault("number", place.get("id", -1))
    if place["number"] < 0:
        if rows and len(rows[0][1]) > 1:
            raise ListError(
                f"{file}, line {rows[0][0]}: no heading says where the student numbers stand. Name the column "
                f"number or 学号 (and, if you like, name, id, email); there are: {', '.join(rows[0][1])}"
            )
        place["number"] = 0
        rows = rows[not any(map(str.isdigit, rows[0][1][0])) :] if rows else rows
    else:
        rows = rows[1:]
    found: dict[str, tuple[int, Student]] = {}
    for line, row in rows:
        said = {what: row[at] if at < len(row) else "" for what, at in place.items()}
        try:
            number = student_number(re.sub(r"\.0+$", "", said["number"]))
        except ValueError as error:
            cut = re.fullmatch(r"[\d.,]+E\+?\d+", said["number"], re.I)
            why = f"a spreadsheet has rounded {said['number']}: format the column as text, write the numbers anew"
            raise ListError(f"{file}, line {line}: {why if cut else error}") from error
        if not number:
            raise ListError(f"{file}, line {line}: no student number in column {place['number'] + 1}")
        if number in found:
            raise ListError(f"{file}, line {line}: number {number} stands in line {found[number][0]} already")
        name = said.get("name") or f"{said.get('first', '')} {said.get('last', '')}".strip()
        found[number] = line, Student(number, name, said.get("id", ""), said.get("email", ""))
    if not found:
        raise ListError(f"{file}: no student number in it; write one a line, below the word number (or 学号)")
    return [student for _, student in found.values()]


def owner(result: Result, roster: list[Student]) -> Student | None:
    """Who handed a sheet in, by what the delivery says: number, login or address, else the name; None if it is silent.

    The label of the delivery counts before the file's name. Two students in one label: None.
    """
    for said in (result.folder, result.file):
        text = unicodedata.normalize("NFKC", said).casefold()
        joined = re.sub(r"[\W_\d]+", "", text)
        sure = [s for s in roster if _in(s.number, text) or _in(s.id, text) or _in(s.email, text)]
        for some in (sure, [s for s in roster if any(name in joined for name in _spellings(s.name))]):
            longest = max((len(s.name) for s in some), default=0)
            if len(some) > 1 and some is not sure:  # Wang Li is not Wang Lihua
                some = [s for s in some if len(s.name) == longest]
            if len(some) == 1:
                return some[0]
            if some:
                return None
    return None


def _in(mark: str, text: str) -> bool:
    """Whether a number, login or address stands in a text by itself; "sheet (1)" is no number."""
    alone = rf"(?<![0-9a-z])0*{re.escape(mark.casefold())}(?![0-9a-z])"
    return len(mark) > 2 and bool(re.search(alone, text))


def _spellings(name: str) -> list[str]:
    """A name without blanks, both ways round; too short a one tells nobody."""
    words = re.findall(r"[^\W_\d]+", unicodedata.normalize("NFKC", name).casefold())
    both = {"".join(words), "".join(words[1:] + words[:1]), "".join(words[-1:] + words[:-1])}
    return [one for one in both if len(one) > (1 if not one.isascii() else 3)]
