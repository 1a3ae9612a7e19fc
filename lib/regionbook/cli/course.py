"""Commands of a course: ``report`` (class results), ``nbgrader`` (a course folder)."""

from pathlib import Path

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import record
from regionbook.grading import gradebook, points, results, roster
from regionbook.grading.feedback import write_feedback
from regionbook.grading.nbgrader import export
from regionbook.grading.report import mistakes_of
from regionbook.grading.report import report as page_of
from regionbook.paths import ROOT


def report(
    folder: str,
    roster_file: str | None,
    to: str,
    shared: bool = False,
    moodle: str | None = None,
    canvas: str | None = None,
    root: Path = ROOT,
) -> int:
    """Write the class's tables, its page, feedback for each student and gradebook files; 0 if all went well.

    Points by hand are taken from ``points.csv`` of the folder ``to``, if a lecturer has filled it in.
    """
    out = Path(to)
    try:
        students = roster.read_roster(Path(roster_file)) if roster_file else []

        def personal(exercise: str) -> bool:
            text = _solution(exercise, root).read_text(encoding="utf-8")
            return not shared and bool(record.STUDENT.search(text))

        group = points.gather(results.read_all(Path(folder)), students, personal)
        if not group.rows:
            raise nbs.LessonError(f"{folder}: no graded sheet in it: {len(group.failed)} could not be graded")
        if (filled := out / "points.csv").exists():
            points.read_hand(group, filled)
        points.write_points(group, out)
        pages = write_feedback(group, out / "feedback")
        mistakes = {name: mistakes_of(nbs.read_text(_solution(name, root))) for name in group.maxima}
        nbs.write(page_of(group, mistakes, pages), out / "report.html")
        told = [f"{gradebook.moodle_import(group, out / 'moodle.csv')} students in moodle.csv"]
        if moodle:
            told += gradebook.moodle_worksheet(group, Path(moodle), out, pages)
        told += gradebook.canvas(group, out / "canvas.csv", Path(canvas) if canvas else None)
    except ValueError as error:
        raise nbs.LessonError(str(error)) from error
    there = [row for row in group.rows if row.sheets]
    waiting = sum(row.to_read() > 0 for row in there)
    held = sum(bool(row.held) and not row.paid for row in there)
    left = len(group.failed)
    print(f"{len(group.rows)} students, {len(there)} handed in, {held} held back, {left} files not graded")
    print(*told, sep="\n")
    if waiting:
        print(f"{waiting} wait for a reader: fill in the columns 'by hand' of {filled} and report again")
    print(f"written to {out}: report.html, points.csv, points-by-cell.csv, feedback/, moodle.csv, canvas.csv")
    return 0


def _solution(exercise: str, root: Path) -> Path:
    """The solution that a result speaks of; an error if there is none here."""
    md = root / "solutions" / f"{exercise}.md"
    if not md.exists():
        raise nbs.LessonError(f"no solution {exercise!r} here: results of another edition; grade again")
    return md


def nbgrader(names: list[str], to: str, root: Path = ROOT) -> int:
    """Write a course folder that nbgrader's commands take as it is."""
    named = nbs.select(names, root) if names else nbs.sources(root)
    sheets = [md for md in named if lessons.exercise_of(md, root)]
    if not sheets:
        raise nbs.LessonError(f"no exercise sheet among: {', '.join(names)}")
    course = {f"{md.parent.name}-{md.stem}": nbs.canonical(nbs.read_text(md), md.stem) for md in sheets}
    try:
        made = export(course, Path(to))
    except ValueError as error:
        raise nbs.LessonError(str(error)) from error
    print(
        f"{len(made)} assignments in {to}; go there for nbgrader autograde, generate_feedback, export, or a hub's exchange"
    )
    return 0
