"""Command ``grade``: a table of points for handed-in notebooks."""

from __future__ import annotations

import csv
import re
import tempfile
from pathlib import Path

import nbformat

from regionbook.cli import notebooks as nbs
from regionbook.exercises.grade import Grade, grade
from regionbook.paths import ROOT


def submissions(files: list[str]) -> list[Path]:
    """The notebooks that ``files`` name; a folder means all notebooks below it.

    Raises
    ------
    LessonError
        If a file does not exist or is no notebook, or there is none.
    """
    found: list[Path] = []
    for name in files:
        path = Path(name)
        if path.is_dir():
            found += sorted(p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
        elif path.suffix == ".ipynb" and path.is_file():
            found.append(path)
        else:
            raise nbs.LessonError(f"{name}: not a notebook (.ipynb) and not a folder")
    if not found:
        raise nbs.LessonError(f"no notebooks in {', '.join(files)}")
    return found


def solution_of(nb: object, path: Path, exercise: str | None, root: Path = ROOT) -> Path:
    """The solution that a submission belongs to: named, or the one that shares most of its graded cells.

    Raises
    ------
    LessonError
        If there is none, or two fit equally well.
    """
    solutions = [p for p in nbs.sources(root) if p.is_relative_to(root / "solutions")]
    if exercise:
        chosen = [p for p in nbs.select([exercise], root) if p in solutions]
        if len(chosen) != 1:
            raise nbs.LessonError(f"--exercise {exercise}: {len(chosen)} solutions are called so")
        return chosen[0]
    ids = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells} - {None}  # type: ignore[attr-defined]
    shared = {
        p: len(ids & set(re.findall(r'grade_id"?: "?([\w.-]+)', p.read_text(encoding="utf-8"))))
        for p in solutions
    }
    best = [p for p in solutions if shared[p] and shared[p] == max(shared.values())]
    same_name = [p for p in best if p.stem in path.stem]
    if len(best) != 1 and len(same_name) != 1:
        raise nbs.LessonError(f"{path.name}: cannot tell which exercise it is; say --exercise CHAPTER/N-name")
    return (same_name or best)[0] if len(same_name) == 1 else best[0]


def main(files: list[str], table: str | None, exercise: str | None, timeout: int) -> int:
    """Grade and print; return how many notebooks could not be graded."""
    rows: list[tuple[Path, str, Grade]] = []
    failed = 0
    paths = submissions(files)
    for number, path in enumerate(paths, 1):
        print(f"[{number}/{len(paths)}] {path}", flush=True)
        try:
            nb = nbformat.read(path, as_version=4)
            md = solution_of(nb, path, exercise)
            with tempfile.TemporaryDirectory() as folder:
                rows.append((path, nbs.label(md), grade(nb, nbs.read_text(md), Path(folder), timeout)))
        except (nbs.LessonError, ValueError, nbformat.reader.NotJSONError) as error:
            failed += 1
            print(f"  not graded: {error}")
    print()
    print(f"{'points':>11}  {'by hand':>7}  {'student':12}  file")
    for path, _, g in rows:
        open_points = sum(g.maximum[name] for name in g.by_hand)
        print(
            f"{g.total:>5g}/{sum(g.maximum.values()):<5g}  {open_points:>7g}  {g.student or '(shared)':12}  {path}"
        )
        for note in g.notes:
            print(f"{'':21}- {note}")
    if table:
        _write(table, rows)
        print(f"\nwritten: {table}")
    return failed


def _write(name: str, rows: list[tuple[Path, str, Grade]]) -> None:
    """One row a cell: easy to pivot, and the same columns whatever the exercise."""
    with Path(name).open(
        "w", newline="", encoding="utf-8-sig"
    ) as file:  # the mark makes Excel read it as UTF-8
        out = csv.writer(file)
        out.writerow(["file", "exercise", "student", "cell", "points", "maximum", "notes"])
        for path, exercise, g in rows:
            for cell, maximum in g.maximum.items():
                points = "" if g.points[cell] is None else f"{g.points[cell]:g}"
                note = "; ".join(n for n in g.notes if cell in n)
                out.writerow(
                    [
                        path,
                        exercise,
                        g.student,
                        cell,
                        points,
                        f"{maximum:g}",
                        note or ("read" if not points else ""),
                    ]
                )
