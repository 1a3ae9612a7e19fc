"""Command ``grade``: a table of points for handed-in notebooks."""

import contextlib
import csv
import re
import tempfile
from pathlib import Path

import nbformat

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import record
from regionbook.exercises.grade import Grade, grade
from regionbook.paths import ROOT


def submissions(files: list[str]) -> list[Path]:
    """The notebooks that ``files`` name; a folder means all below it. An error if one is not there, or there is none."""
    found: list[Path] = []
    for name in files:
        path = Path(name)
        if path.is_dir():
            found += sorted(p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
        elif path.suffix == ".ipynb" and path.is_file():
            found.append(path)
        else:
            here = "not a notebook (.ipynb) and not a folder" if path.exists() else f"not in {Path.cwd()}"
            raise nbs.LessonError(f"{name}: {here}")
    if not found:
        raise nbs.LessonError(f"no notebooks in {', '.join(files)}")
    return found


def solution_of(nb: object, path: Path, exercise: str | None, root: Path = ROOT) -> Path:
    """The solution that a submission belongs to: named, or the one that shares most of its graded cells.

    An error if there is none, or two fit equally well.
    """
    solutions = [p for p in nbs.sources(root) if p.is_relative_to(root / "solutions")]
    if exercise:
        chosen = [p for p in nbs.select([exercise], root) if p in solutions]
        if len(chosen) != 1:
            raise nbs.LessonError(f"--exercise {exercise}: {len(chosen)} solutions are called so")
        return chosen[0]
    ids = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells} - {None}  # type: ignore[attr-defined]
    its = {p: set(re.findall(r'grade_id"?: "?([\w.-]+)', p.read_text(encoding="utf-8"))) for p in solutions}
    shared = {p: len(ids & own) for p, own in its.items()}
    best = [p for p in solutions if shared[p] and shared[p] == max(shared.values())]
    same_name = [p for p in best if p.stem in path.stem]
    if not best:
        raise nbs.LessonError(
            f"{path.name} has no cell of any exercise: is it a lesson, or did a program drop the cells' metadata? "
            "Ask for the sheet as it was handed out, filled in in JupyterLab"
        )
    for fitting in (same_name, best):
        if len(fitting) == 1:
            return fitting[0]
    raise nbs.LessonError(f"{path.name}: cannot tell which exercise it is; say --exercise CHAPTER/N-name")


def main(files: list[str], table: str | None, exercise: str | None, timeout: int) -> int:
    """Grade and print; return how many notebooks could not be graded.

    The table is written anew after every notebook, so that nothing is lost if grading is stopped. An error if a file is
    missing, ``exercise`` means no solution, ``timeout`` is no time or the table cannot be written.
    """
    if timeout < 1:
        raise nbs.LessonError(f"--timeout {timeout}: give the seconds that a cell may take, at least 1")
    paths = submissions(files)
    if exercise:
        solution_of(nbformat.v4.new_notebook(), paths[0], exercise)  # says at once if there is none
    rows: list[tuple[Path, str, Grade]] = []
    failed: list[tuple[Path, str]] = []
    if table:
        _write(table, rows, failed)  # before hours of work: can it be written?
    for number, path in enumerate(paths, 1):
        print(f"[{number}/{len(paths)}] {path}", flush=True)
        try:
            nb = read(path)
            md = solution_of(nb, path, exercise)
            _ready(nb, md)
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                rows.append((path, nbs.label(md), grade(nb, nbs.read_text(md), Path(folder), timeout)))
        except Exception as error:  # one student's file must not cost the others their points
            known = isinstance(error, (nbs.LessonError, ValueError))
            failed.append((path, str(error) if known else f"{type(error).__name__}: {error}"))
            print(f"  not graded: {failed[-1][1]}")
        if table:
            _write(table, rows, failed)
    print()
    print(f"{'points':>11}  {'by hand':>7}  {'student':12}  file")
    for path, _, g in rows:
        by_hand, most = (sum(g.maximum[name] for name in names) for names in (g.by_hand, g.maximum))
        print(f"{g.total:>5g}/{most:<5g}  {by_hand:>7g}  {g.student or '(shared)':12}  {path}")
        for note in g.notes:
            print(f"{'':21}- {note}")
    for path, why in failed:
        print(f"{'not graded':>11}  {'':7}  {'':12}  {path}\n{'':21}- {why}")
    if table:
        print(f"\nwritten: {table}")
    return len(failed)


def _ready(nb: nbformat.NotebookNode, md: Path) -> None:
    """Record the keys of the student's panel beforehand: inside a cell it would count against the cell's time."""
    found = re.search(r"""^student = ["'](\w+)["']""", "\n".join(c.source for c in nb.cells), re.M)
    if found and lessons.keys_of(md):
        with contextlib.suppress(ValueError, record.RecordError):  # told where the check stands
            record.recorded(md, found[1])


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook in a file, or an error in words for who handed it in."""
    try:
        nb, what = nbformat.read(path, as_version=4), "it has no cells"
    except OSError as error:
        raise nbs.LessonError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except Exception:  # nbformat lets through what its parts raise
        nb, what = None, "its content is not a notebook's" if path.stat().st_size else "it is empty"
    if nb is None or not nb.cells:
        ask = "open it in JupyterLab; if that fails, ask for the file again"
        raise nbs.LessonError(f"{path.name} is no notebook ({what}): {ask}")
    return nb


def _write(name: str, rows: list[tuple[Path, str, Grade]], failed: list[tuple[Path, str]]) -> None:
    """One row a cell: easy to pivot, and the same columns whatever the exercise; one for a file without points."""
    lines = [["file", "exercise", "student", "cell", "points", "maximum", "notes"]]
    for path, exercise, g in rows:
        loose = [n for n in g.notes if not any(_about(n, cell) for cell in g.maximum)]
        for k, (cell, maximum) in enumerate(g.maximum.items()):
            points = "" if g.points[cell] is None else f"{g.points[cell]:g}"
            notes = [n for n in g.notes if _about(n, cell)] or (["read"] if not points else [])
            notes += [] if k else loose  # what belongs to no graded cell stands in the file's first row
            lines.append([str(path), exercise, g.student, cell, points, f"{maximum:g}", "; ".join(notes)])
    lines += [[str(path), "", "", "", "", "", f"not graded: {why}"] for path, why in failed]
    try:
        # the mark makes Excel read it as UTF-8
        with Path(name).open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file).writerows(lines)
    except OSError as error:
        why = f"{error.strerror or error}): is its folder there, is it open in a spreadsheet?"
        raise nbs.LessonError(f"--csv {name} cannot be written ({why}") from error


def _about(note: str, cell: str) -> bool:
    """Whether a note speaks of that cell: ``cell: …`` or ``cell 'cell' was deleted``."""
    return note.startswith((f"{cell}: ", f"cell {cell!r} "))
