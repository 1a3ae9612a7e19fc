"""Points for the gradebooks of Moodle and Canvas; what is held back, or waits for a reader, stays out.

What the files need is read from the importers themselves: Moodle's ``mod/assign/feedback/offline/importgradeslib.php``
and ``mod/assign/feedback/file/importziplib.php``, Canvas's ``lib/gradebook_importer.rb``.
"""

import re
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path

from regionbook.grading.points import Class, Row, tame, write_csv
from regionbook.grading.roster import ListError, read_table, student_number

GRADE = ("grade", "成绩", "分数")
MOST = ("maximum grade", "最高分", "最高成绩", "满分")
FEEDBACK = ("feedback comments", "反馈评论", "评语", "反馈意见")
WHO = (
    "email address",
    "id number",
    "full name",
    "username",
    "电子邮件地址",
    "电子邮件",
    "学号",
    "全名",
    "用户名",
    "name",
    "姓名",
)
LIMIT = 1e-9


def finder(group: Class) -> Callable[[list[str]], Row | None]:
    """A function from cells that describe a person to the row that is meant: by number, login, address, else name."""
    known: dict[str, list[Row]] = {}
    for row in group.rows:
        who = row.student
        for mark in {
            who.number,
            who.id.casefold(),
            who.email.casefold(),
            "".join(sorted(_words(who.name))),
        } - {""}:
            known.setdefault(mark, []).append(row)

    def find(cells: list[str]) -> Row | None:
        for cell in cells:
            marks = [cell.casefold(), "".join(sorted(_words(cell)))]
            if re.fullmatch(r"\s*\w+\s*", cell) and cell.isascii():
                marks.insert(0, student_number(cell[:32].replace("_", "")))
            some = next((known[mark] for mark in marks if mark in known), [])
            if len(some) == 1:
                return some[0]
        return None

    return find


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.casefold())


def ready(row: Row, group: Class) -> bool:
    """Whether a student's points may go out: something was handed in, nothing held back, nothing left to read."""
    return bool(row.sheets) and not row.to_read() and (row.paid or not row.held)


def moodle_import(group: Class, file: Path) -> int:
    """A file for *Grades → Import → CSV file* of Moodle: a line a student, a column an exercise; how many lines.

    Map *Email address* (or *ID number*) to the user, and each exercise to its grade item or to a new one.
    """
    rows = [["ID number", "Email address", *group.maxima]]
    for row in filter(lambda row: ready(row, group), group.rows):
        got = ["" if (p := row.counted(name)) is None else f"{p:g}" for name in group.maxima]
        rows.append([tame(row.student.number), tame(row.student.email), *got])
    write_csv(file, rows, "utf-8")
    return len(rows) - 1


def moodle_worksheet(group: Class, worksheet: Path, to: Path, pages: dict[str, Path]) -> list[str]:
    """Fill in an assignment's offline grading worksheet, and pack the feedback pages as Moodle takes them back.

    Parameters
    ----------
    group, pages
        The class and its feedback pages, by the row's key.
    worksheet
        CSV that Moodle gave at *Download grading worksheet*. Its lines are kept as they are, but for grade and feedback.
    to
        Folder for ``moodle-grades.csv`` and ``moodle-feedback.zip``.

    Returns
    -------
    list of str
        What a lecturer should know: lines without points, and how they were scaled to the assignment's maximum.

    Raises
    ------
    ListError
        If the file is no such worksheet.
    """
    rows = read_table(worksheet)
    head = [cell.casefold() for cell in rows[0]] if rows else []
    grade, most, feedback = (
        next((head.index(h) for h in some if h in head), -1) for some in (GRADE, MOST, FEEDBACK)
    )
    if grade < 0 or not re.search(r"\d$", rows[1][0] if len(rows) > 1 and rows[1] else ""):
        raise ListError(
            f"{worksheet}, line 1: this is no grading worksheet of Moodle (it begins with a column of participants, and "
            f"has one called Grade); in the assignment choose Download grading worksheet. There are: {', '.join(head)}"
        )
    find, told, scales = finder(group), [], set()
    with zipfile.ZipFile(to / "moodle-feedback.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for row in filter(any, rows[1:]):
            who = find([row[k] for k, name in enumerate(head) if name in WHO and k < len(row)])
            if who is None or not ready(who, group):
                told.append(
                    f"{' '.join(row[:2])}: {'nobody of this class' if who is None else 'no points yet'}"
                )
                continue
            points, out_of = group.total(who), group.most
            if most >= 0 and (limit := _float(row[most])) and abs(limit - out_of) > LIMIT:
                scales.add(f"points of {out_of:g} are scaled to the assignment's {limit:g}")
                points *= limit / out_of
            row[grade] = f"{points:.5g}"
            lines = [f"{name}: {who.points(name):g} / {group.maximum(name):g}" for name in who.sheets]
            if feedback >= 0:
                row[feedback] = "<br>".join(map(escape, lines))
            folder = f"{'-'.join(_words(row[1])) or 'student'}_{re.findall(r'[0-9]+$', row[0])[0]}_assignfeedback_file"
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

    Returns
    -------
    list of str
        Who of the export stays without points.

    Raises
    ------
    ListError
        If ``export`` is no such gradebook.
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
            who = find(
                [cells[k] for k, h in enumerate(students) if h in ("SIS User ID", "SIS Login ID", "Student")]
            )
            if who and ready(who, group):
                lines.append((cells[: len(students)], who))
            else:
                told.append(f"{cells[0]}: {'no points yet' if who else 'nobody of this class'}")
    else:
        people = [row for row in group.rows if ready(row, group)]
        lines = [
            ([tame(p.name), "", p.number, p.id or p.email, ""], row) for row in people for p in [row.student]
        ]
    possible = [
        "    Points Possible",
        *[""] * (len(students) - 1),
        *(f"{group.maximum(t):g}" for t in group.maxima),
    ]
    table = [
        cells + ["" if (p := row.counted(t)) is None else f"{p:g}" for t in group.maxima]
        for cells, row in lines
    ]
    write_csv(file, [students + titles, possible, *table], "utf-8")
    return told
