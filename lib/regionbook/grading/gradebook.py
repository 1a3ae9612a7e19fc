"""Points for the gradebooks of Moodle and Canvas; what is held back, or waits for a reader, stays out.

What the files need is read from the importers themselves: Moodle's ``mod/assign/feedback/offline/importgradeslib.php``
and ``mod/assign/feedback/file/importziplib.php``, Canvas's ``lib/gradebook_importer.rb``.
"""

import re
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path

from regionbook.grading.points import Class, Row, shown, tame, write_csv
from regionbook.grading.roster import HEADS, ListError, read_table, student_number

GRADE = ("grade", "成绩", "分数")
MOST = ("maximum grade", "最高分", "最高成绩", "满分")
FEEDBACK = ("feedback comments", "反馈评论", "评语", "反馈意见")
WHO = {head for what in ("number", "name", "id", "email") for head in HEADS[what]}


def finder(group: Class) -> Callable[[list[str]], Row | None]:
    """A function from cells that describe a person to the row that is meant: by number, login, address, else name."""
    known: dict[str, list[Row]] = {}
    for row in group.rows:
        who = row.student
        marks = {who.number, who.id.casefold(), who.email.casefold(), _sorted(who.name)}
        for mark in marks - {""}:
            known.setdefault(mark, []).append(row)

    def find(cells: list[str]) -> Row | None:
        for cell in cells:
            marks = [cell.casefold(), _sorted(cell)]
            if re.fullmatch(r"[0-9A-Za-z]{1,32}", cell):
                marks.insert(0, student_number(cell))
            some = next((known[mark] for mark in marks if mark in known), [])
            if len(some) == 1:
                return some[0]
        return None

    return find


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.casefold())


def _sorted(name: str) -> str:
    return "".join(sorted(_words(name)))


def ready(row: Row) -> bool:
    """Whether a student's points may go out: something was handed in, nothing held back, nothing left to read."""
    return bool(row.sheets) and not row.to_read() and (row.paid or not row.held)


def moodle_import(group: Class, file: Path) -> int:
    """A file for *Grades → Import → CSV file* of Moodle: a line a student, a column an exercise; how many lines.

    Map *Email address* (or *ID number*) to the user, and each exercise to its grade item or to a new one.
    """
    rows = [["ID number", "Email address", *group.maxima]]
    for row in filter(ready, group.rows):
        got = [shown(row.counted(name)) for name in group.maxima]
        rows.append([row.student.number, tame(row.student.email), *got])
    write_csv(file, rows, "utf-8")
    return len(rows) - 1


def moodle_worksheet(group: Class, worksheet: Path, to: Path, pages: dict[str, Path]) -> list[str]:
    """Fill in an assignment's offline grading worksheet, and pack the feedback pages as Moodle takes them back.

    ``worksheet`` is what Moodle gave at *Download grading worksheet*; its lines stay as they are, but for grade and
    feedback. ``pages`` are feedback pages by the row's key; the folder ``to`` gets ``moodle-grades.csv`` and
    ``moodle-feedback.zip``. Returned is what a lecturer should know: lines without points, and a scaling to the
    assignment's maximum. A `ListError` says if the file is no such worksheet.
    """
    rows = read_table(worksheet)
    head = [cell.casefold() for cell in rows[0]] if rows else []
    places = [next((head.index(h) for h in some if h in head), -1) for some in (GRADE, MOST, FEEDBACK)]
    grade, most, feedback = places
    if grade < 0 or not re.search(r"\d$", rows[1][0] if len(rows) > 1 and rows[1] else ""):
        raise ListError(
            f"{worksheet}, line 1: this is no grading worksheet of Moodle (it begins with a column of participants, and "
            f"has one called Grade); in the assignment choose Download grading worksheet. There are: {', '.join(head)}"
        )
    find, told, scales = finder(group), [], set()
    known: dict[str, Row] = {}  # by participant, from folder names: names in the file may be hidden
    for person in group.rows:
        for sheet in person.sheets.values():
            if numbered := re.search(r"_(\d+)_assignsubmission_", sheet.file):
                known[numbered[1]] = person
    with zipfile.ZipFile(to / "moodle-feedback.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for row in filter(any, rows[1:]):
            row += [""] * (len(head) - len(row))
            participant = re.findall(r"\d*$", row[0])[0]
            who = known.get(participant) or find([row[k] for k, name in enumerate(head) if name in WHO])
            if who is None or not ready(who):
                told.append(f"{' '.join(row[:2])}: {'no points yet' if who else 'nobody of this class'}")
                continue
            limit = (_float(row[most]) if most >= 0 else 0.0) or group.most
            if limit != group.most:
                scales.add(f"points of {group.most:g} are scaled to the assignment's {limit:g}")
            row[grade] = f"{group.total(who) * limit / group.most:.5g}"
            lines = [f"{name}: {who.points(name):g} / {group.maximum(name):g}" for name in who.sheets]
            if feedback >= 0:
                row[feedback] = "<br>".join(map(escape, lines))
            folder = f"{'-'.join(_words(row[1])) or 'student'}_{participant}_assignfeedback_file"
            packed.write(pages[who.key], f"{folder}/feedback.html")
    write_csv(to / "moodle-grades.csv", rows, "utf-8")
    return [*sorted(scales), *told]


def _float(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return 0.0


def canvas(group: Class, file: Path, export: Path | None = None) -> list[str]:
    """A gradebook file for Canvas: the student columns, a line *Points Possible*, a column an exercise.

    Canvas takes its students by ID, else by SIS user or login ID, else by name; ``export``, the gradebook that Canvas
    exported, gives the IDs, and the ID of an assignment that has an exercise's name. Who has no points stays out:
    an empty field would take away a score that is there.

    Returned is who of the export stays without points. A `ListError` says if it is no such gradebook.
    """
    students = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    titles, told = list(group.maxima), []
    lines: list[tuple[list[str], Row]] = []
    if export:
        rows = read_table(export)
        head = rows[0] if rows else []
        if "Section" not in head or "Student" not in head[0] or "ID" not in head[1]:
            raise ListError(
                f"{export}, line 1: this is no gradebook of Canvas (Student, ID, …, Section); in Grades choose Export"
            )
        students = head[: head.index("Section") + 1]
        titles = [next((h for h in head if re.fullmatch(rf"{re.escape(t)} \(\d+\)", h)), t) for t in titles]
        find = finder(group)
        for cells in filter(any, rows[1:]):
            if "Points Possible" in cells[0] or not any(cells[1 : len(students)]):
                continue  # lines about the assignments
            known = ("SIS User ID", "SIS Login ID", "Student")
            who = find([cells[students.index(head)] for head in known if head in students])
            if who and ready(who):
                lines.append((cells[: len(students)], who))
            else:
                told.append(f"{cells[0]}: {'no points yet' if who else 'nobody of this class'}")
    else:
        for row in filter(ready, group.rows):
            person = row.student
            lines.append(([tame(person.name), "", person.number, tame(person.id or person.email), ""], row))
    table = [students + titles, ["    Points Possible", *[""] * (len(students) - 1)]]
    table[1] += [f"{group.maximum(name):g}" for name in group.maxima]
    table += [cells + [shown(row.counted(name)) for name in group.maxima] for cells, row in lines]
    write_csv(file, table, "utf-8")
    return told
