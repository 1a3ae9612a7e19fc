"""A class: sheets by student, points held back with the reason, and the tables that a lecturer fills in."""

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from regionbook.grading.results import Result
from regionbook.grading.roster import ListError, Student, owner, read_table

YES, NO = {"yes", "y", "x", "1", "true", "是", "对"}, {"", "no", "n", "0", "false", "否"}
Personal = Callable[[str], bool]
FIXED = ("student", "name", "id", "email", "total", "of", "to read", "held back", "pay held", "why held")


@dataclass
class Row:
    """One student of the class: sheets by exercise (None: not handed in), and why points are held back."""

    student: Student
    sheets: dict[str, Result] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    hand: dict[tuple[str, str], float] = field(default_factory=dict)
    paid: bool = False
    """Whether the lecturer pays what is held back."""

    @property
    def key(self) -> str:
        """What tells the row from others in a table: the number, else the name of the delivery."""
        return self.student.number or self.student.name

    @property
    def label(self) -> str:
        """Who it is, to be read."""
        return self.student.label or self.key

    def points(self, exercise: str) -> float | None:
        """Machine's and hand points of a sheet, also if held back; None if none was handed in."""
        if exercise not in self.sheets:
            return None
        return self.sheets[exercise].total + sum(p for at, p in self.hand.items() if at[0] == exercise)

    def counted(self, exercise: str) -> float | None:
        """Points that count: None where they are held back."""
        return self.points(exercise) if self.paid or not self.held.get(exercise) else None

    def to_read(self) -> float:
        """Points that wait for a reader."""
        open_cells = {(name, cell) for name, sheet in self.sheets.items() for cell in sheet.by_hand}
        return sum(self.sheets[name].maximum[cell] for name, cell in open_cells - set(self.hand))

    def got(self, exercise: str, cell: str) -> float | None:
        """Points of one cell, None where a person has yet to read it."""
        return self.hand.get((exercise, cell), self.sheets[exercise].points.get(cell))


@dataclass
class Class:
    """All rows, the maximum of each exercise by cell, sheets that could not be graded, and look-alikes."""

    rows: list[Row]
    maxima: dict[str, dict[str, float]]
    by_hand: dict[str, list[str]]
    failed: list[Result]
    alike: list[str]

    def maximum(self, exercise: str) -> float:
        """Points of an exercise."""
        return sum(self.maxima[exercise].values())

    def total(self, row: Row) -> float:
        """Points of a student that count."""
        return sum(row.counted(name) or 0.0 for name in self.maxima)

    @property
    def most(self) -> float:
        """Points of all exercises."""
        return sum(map(self.maximum, self.maxima))


def gather(results: Iterable[Result], roster: list[Student], personal: Personal = lambda name: True) -> Class:
    """Sheets by student; what speaks against paying a sheet is said and its points are held back.

    Without a ``roster`` who stated one number is one student, and only doubled numbers are held back; with one, rows are
    in its order, then who is in none. ``personal``: whether students work on panels of their own in an exercise.
    """
    results = list(results)
    graded = [r for r in results if r.exercise and not r.failed]
    known = {student.number: student for student in roster}
    rows = {student.number: Row(student) for student in roster}
    owners = {id(r): owner(r, roster) for r in graded}
    files: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for r in graded:
        found = owners[id(r)]
        who = found or known.get(r.student) or Student("" if roster else r.student, _label(r))
        row = rows.setdefault(who.number or who.name, Row(who))
        files[row.key, r.exercise].append(r)
        why = _against(r, found, known, personal(r.exercise)) if roster else []
        if r.student and personal(r.exercise):
            twice = [o for o in graded if o is not r and (o.exercise, o.student) == (r.exercise, r.student)]
            if others := ", ".join(_label(o) for o in twice if found is None or owners[id(o)] != found):
                said = f"{r.exercise}: number {r.student} is stated by {others} too"
                (row.notes if found and found.number == r.student else why).append(said)
        if why:
            row.held.setdefault(r.exercise, []).extend(why)
        if r.exercise not in row.sheets or r.total > row.sheets[r.exercise].total:
            row.sheets[r.exercise] = r
    for (key, exercise), some in files.items():
        if len({r.source for r in some}) > 1:
            some_files = ", ".join(r.file for r in some)
            said = f"{exercise}: {len(some)} files, the better one is shown: {some_files}"
            rows[key].held.setdefault(exercise, []).append(said)
    maxima: dict[str, dict[str, float]] = {}
    by_hand: dict[str, list[str]] = {}
    for r in sorted(graded, key=lambda r: r.exercise):
        maxima.setdefault(r.exercise, {}).update(r.maximum)
        hand = by_hand.setdefault(r.exercise, [])
        hand += [cell for cell in r.by_hand if cell not in hand]
    whose = {id(sheet): row.label for row in rows.values() for sheet in row.sheets.values()}
    failed = [r for r in results if r.failed]
    return Class(list(rows.values()), maxima, by_hand, failed, alike(graded, whose, personal))


def _label(r: Result) -> str:
    return r.folder or r.file


def _against(r: Result, found: Student | None, known: dict[str, Student], personal: bool) -> list[str]:
    """What speaks against paying a sheet: whose it is, and of whose panel."""
    whose = known[r.student].label if r.student in known else f"{r.student}, who is nobody in the roster"
    if found is None and r.student not in known:
        return [f"{r.exercise}: neither its number nor the delivery names one of the roster"]
    if found is None or not personal or found.number == r.student:
        return []
    if not r.student:
        return [f"{r.exercise}: no number in the sheet, so it is of the panel that all share"]
    return [f"{r.exercise}: the panel of {whose}, not of {found.number}"]


def alike(results: list[Result], names: dict[int, str], personal: Personal) -> list[str]:
    """Pairs of sheets for a person's eye: equal answers on different panels, and code that is equal cell for cell.

    What many students share says nothing: a fingerprint counts if few have it (three, or a tenth of the class).
    """
    found = []
    for exercise in sorted({r.exercise for r in results}):
        sheets = [r for r in results if r.exercise == exercise and id(r) in names]
        for what in ("answers", "code"):
            count: dict[tuple[str, str], int] = defaultdict(int)
            for r in sheets:
                for pair in _marks(r, what):
                    count[pair] += 1
            rare = {pair for pair, n in count.items() if n <= max(3, len(sheets) // 10)}
            for one, two in combinations(sheets, 2):
                if names[id(one)] == names[id(two)]:
                    continue
                mine, other = _marks(one, what), _marks(two, what)
                same, least = sorted(cell for cell, _ in rare & mine & other), min(len(mine), len(other))
                both = f"{exercise}: {names[id(one)]} and {names[id(two)]}"
                if len(same) < 2:
                    continue
                if what == "answers" and one.student != two.student and personal(exercise):
                    found.append(f"{both}: equal answers on different panels in {', '.join(same)}")
                if what == "code" and len(same) >= least / 2:
                    cells = ", ".join(same)
                    found.append(f"{both}: {len(same)} of {least} answer cells have the same code ({cells})")
    return found


def _marks(r: Result, what: str) -> set[tuple[str, str]]:
    """Fingerprints by cell, of answers those that were given: a task left out is equal for all who left it out."""
    if what == "code":
        return set(r.code.items())
    judged = {at for at, text in r.notes if text.startswith(("NotYet", "AssertionError"))}
    return {(cell, mark) for cell, mark in r.answers.items() if r.points.get(cell) or cell in judged}


# ---------------------------------------------------------------------------------------------------------- tables


def tame(text: str) -> str:
    """A text for a spreadsheet and a terminal: one line, no control or direction characters, no formula."""
    text = re.sub(r"\s", " ", str(text))
    text = " ".join("".join(c for c in text if unicodedata.category(c)[0] != "C").split())
    # at its start, and where the Excel of another country cuts
    return re.sub(r"((?:^|;)[\s\"']*)(?=[=+\-@|%＝＋－＠])", r"\1'", text)


def shown(value: float | None) -> str:
    """Points for a table."""
    return "" if value is None else f"{round(value, 4):g}"


def loose(sheet: Result) -> list[str]:
    """Notes that belong to no graded cell, with the cell that they are about."""
    return [f"{at}: {text}" if at else text for at, text in sheet.notes if at not in sheet.maximum]


def hand_head(exercise: str, cell: str, maximum: float) -> str:
    """Heading of the column in which a lecturer writes the points of a cell."""
    return f"{exercise} : {cell} by hand /{maximum:g}"


def write_points(group: Class, folder: Path) -> None:
    """``points.csv``, one row a student, and ``points-by-cell.csv``, one row a cell with its notes."""
    wide = [list(FIXED)]
    for name in group.maxima:
        wide[0] += [f"{name} /{group.maximum(name):g}"]
        wide[0] += [hand_head(name, cell, group.maxima[name][cell]) for cell in group.by_hand[name]]
    long = [["student", "name", "exercise", "cell", "points", "maximum", "by hand", "file", "notes"]]
    for row in group.rows:
        who, held = row.student, sum(row.points(name) or 0 for name in row.held)
        why = "; ".join([w for some in row.held.values() for w in some] + row.notes)
        paid = "yes" if row.paid else ""
        line = [*map(tame, (row.key, who.name, who.id, who.email))]
        line += [shown(group.total(row)), shown(group.most)]
        line += [shown(row.to_read()), shown(held) if row.held and not row.paid else "", paid, tame(why)]
        for name in group.maxima:
            line += [shown(row.counted(name))]
            line += [shown(row.hand.get((name, cell))) for cell in group.by_hand[name]]
        wide.append(line)
        for name, sheet in row.sheets.items():
            for k, (cell, most) in enumerate(sheet.maximum.items()):
                said = [text for at, text in sheet.notes if at == cell] + (loose(sheet) if not k else [])
                start = [tame(row.key), tame(who.name), name, tame(cell)]
                start += [shown(row.got(name, cell)), shown(most)]
                by_hand = "yes" if cell in sheet.by_hand else ""
                long.append([*start, by_hand, tame(sheet.file), tame("; ".join(said))])
    for r in group.failed:
        why = tame(f"not graded: {r.failed}")
        long.append([tame(_label(r)), "", r.exercise, "", "", "", "", tame(r.file), why])
    write_csv(folder / "points.csv", wide)
    write_csv(folder / "points-by-cell.csv", long)


def write_csv(file: Path, rows: Iterable[Iterable[str]], mark: str = "utf-8-sig") -> None:
    """Write a table by replacing the file; the mark makes Excel read it as UTF-8. A `ListError` if it is in use."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.part")
        with draft.open("w", newline="", encoding=mark) as out:
            csv.writer(out).writerows(rows)
        draft.replace(file)
    except OSError as error:
        why = f"{error.strerror or error}): is it open in a spreadsheet?"
        raise ListError(f"{file} cannot be written ({why}") from error


def read_hand(group: Class, file: Path) -> None:
    """Take over what a lecturer wrote into ``points.csv``: points by hand, and whether held points are paid.

    Raises
    ------
    ListError
        With line and column of each fault: a student or column that is not of this class, no number, over the maximum.
    """
    table = [[cell.removeprefix("'") for cell in row] for row in read_table(file)]
    cells_of = [(name, cell) for name in group.maxima for cell in group.by_hand[name]]
    heads = {hand_head(name, cell, group.maxima[name][cell]): (name, cell) for name, cell in cells_of}
    rows = {tame(row.key).removeprefix("'"): row for row in group.rows}
    rows |= {key.lstrip("0"): row for key, row in rows.items() if key.lstrip("0")}
    faults = []
    if not table or "student" not in table[0]:
        raise ListError(f"{file}, line 1: no column is called student; is it the points.csv of `report`?")
    at = table[0].index("student")
    for line, cells in enumerate(table[1:], 2):
        said = {head: text for head, text in zip(table[0], cells, strict=False) if text and head}
        mine = {head: text for head, text in said.items() if " by hand /" in head or head == "pay held"}
        row = rows.get(cells[at].lstrip("0") or cells[at]) if at < len(cells) else None
        if mine and row is None:
            who = said.get("student", "no student")
            faults.append(f"line {line}: {who!r} is nobody among these results or the roster")
            continue
        for head, text in mine.items():
            try:
                _take(row, head, text, heads, group)  # type: ignore[arg-type]
            except ValueError as error:
                faults.append(f"line {line}, column {head!r}: {error}")
    if faults:
        more = f" (and {len(faults) - 10} more)" if len(faults) > 10 else ""
        raise ListError(f"{file}: nothing was written. " + "; ".join(faults[:10]) + more)


def _take(row: Row, head: str, text: str, heads: dict[str, tuple[str, str]], group: Class) -> None:
    """One filled-in field; a ValueError says what is wrong with it."""
    if head == "pay held":
        if text.casefold() not in YES | NO:
            raise ValueError(f"{text!r}: write yes to pay what is held back, or nothing")
        row.paid = text.casefold() in YES
        return
    if head not in heads:
        raise ValueError("no such cell among these results; was the heading changed, or are sheets missing?")
    exercise, cell = heads[head]
    most = group.maxima[exercise][cell]
    number = re.sub(r"^(\d+),(\d+)$", r"\1.\2", unicodedata.normalize("NFKC", text))
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", number):
        raise ValueError(f"{text!r} is not a number of points: write digits, such as 2 or 2.5, or nothing")
    if float(number) > most:
        raise ValueError(f"{text} is over the maximum, {most:g}")
    if cell in row.sheets.get(exercise, Result("")).by_hand:
        row.hand[exercise, cell] = float(number)
    elif float(number):
        raise ValueError(f"{row.key} handed in nothing here that a person has to read")
