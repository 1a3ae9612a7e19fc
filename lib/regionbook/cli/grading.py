"""Command ``grade``: points of handed-in notebooks, one file of results a sheet, and a table."""

import csv
import hashlib
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from regionbook.cli import notebooks as nbs
from regionbook.grading import delivery, results, sandbox, work
from regionbook.grading.points import tame
from regionbook.grading.results import Result
from regionbook.paths import ROOT

TRUST = """Without a sandbox: the students' code runs as you, with your files and your network."""


def main(
    files: list[str],
    table: str | None = None,
    exercise: str | None = None,
    timeout: int = 120,
    folder: str = "results",
    workers: int | None = None,
    trust: bool = False,
    root: Path = ROOT,
) -> int:
    """Grade what is missing or changed, print, keep; return how many notebooks could not be graded.

    Each result is kept in ``folder`` as it comes. An error if a file is missing, ``exercise`` means no solution, an option
    is no number of the kind, the table cannot be written, or there is no sandbox and ``trust`` is not given.
    """
    if timeout < 1:
        raise nbs.LessonError(f"--timeout {timeout}: give the seconds that a cell may take, at least 1")
    if workers is not None and workers < 1:
        raise nbs.LessonError(f"--workers {workers}: give how many sheets run side by side, at least 1")
    solutions = [md for md in nbs.sources(root) if md.is_relative_to(root / "solutions")]
    if not solutions:
        raise nbs.LessonError(f"no solutions/ in {root}: grading needs the lecturer's copy")
    chosen = named(exercise, solutions, root) if exercise else None
    try:
        there = delivery.handed(files)
    except delivery.NothingThere as error:
        raise nbs.LessonError(str(error)) from error
    if table:
        write(table, [])  # before hours of work: can it be written?
    known = [chosen] if chosen else solutions
    texts = {md: md.read_text(encoding="utf-8") for md in known}
    with sandbox.prepared() as place:
        try:
            kind = sandbox.choose(place, trust)
        except sandbox.NoSandbox as error:
            raise nbs.LessonError(str(error)) from error
        print(TRUST if kind == "nothing" else f"sandbox: {kind}", flush=True)
        school = work.Class(texts, root, kind, place, timeout, chosen)
        # each worker keeps the modules of its sheets in memory, and a judge
        found = graded(school, there, Path(folder), workers or min(os.cpu_count() or 1, len(there)), table)
    order = {handed.file: k for k, handed in enumerate(there)}
    found.sort(key=lambda result: order.get(result.file, -1))
    show(found)
    if table:
        write(table, found)
        print(f"\nwritten: {table}")
    if kind == "nothing":
        print(TRUST)
    return sum(bool(result.failed) for result in found)


def graded(
    school: work.Class, there: list[delivery.Handed], folder: Path, workers: int, table: str | None
) -> list[Result]:
    """The results of all files: kept ones that still hold, and new ones, kept as they come."""
    found: list[Result] = []
    total = len(there)

    def missing() -> Iterable[delivery.Handed]:
        for handed in map(delivery.Handed.loaded, there):
            old = results.read(handed.file, folder)
            if old and holds(old, handed, school):
                found.append(old)
            else:
                yield handed

    began, new = time.monotonic(), 0
    for result in work.side_by_side(school, missing(), workers, lambda r: results.write(r, folder)):
        found.append(result)
        new += 1
        left = (time.monotonic() - began) / new * (total - len(found))
        points = "not graded" if result.failed else f"{result.total:g}/{sum(result.maximum.values()):g}"
        time_left = f"{left / 60:.0f} min" if left > 90 else f"{left:.0f} s"
        rest = f", about {time_left} left" if left > 5 else ""
        line = f"[{len(found)}/{total}] {printable(result.file)}  {points}  {result.seconds:.1f} s{rest}"
        print(line, flush=True)
        if table:
            write(table, found)
    if total - new:
        print(f"{total - new} of {total} were graded before and have not changed")
    print(f"results: {folder}")
    return found


def holds(old: Result, handed: delivery.Handed, school: work.Class) -> bool:
    """Whether a kept result is that of this file, by this solution and this library."""
    md = school.root / "solutions" / f"{old.exercise}.md"
    if old.failed or not old.exercise or md not in school.texts:
        return False
    same = old.source == hashlib.sha256(handed.content).hexdigest() and old.folder == handed.folder
    return same and old.version == school.version(md)


def named(exercise: str, solutions: list[Path], root: Path = ROOT) -> Path:
    """The solution that ``--exercise`` names; an error if there is none, or more than one."""
    chosen = [p for p in nbs.select([exercise], root) if p in solutions]
    if len(chosen) != 1:
        raise nbs.LessonError(f"--exercise {exercise}: {len(chosen)} solutions are called so")
    return chosen[0]


def show(found: list[Result]) -> None:
    """The table on the terminal."""
    print(f"\n{'points':>11}  {'by hand':>7}  {'student':12}  file")
    for r in found:
        if r.failed:
            print(f"{'not graded':>11}  {'':7}  {'':12}  {printable(r.file)}\n{'':21}- {printable(r.failed)}")
            continue
        by_hand, most = (sum(r.maximum[name] for name in names) for names in (r.by_hand, r.maximum))
        who = printable(r.student) or "(shared)"
        print(f"{r.total:>5g}/{most:<5g}  {by_hand:>7g}  {who:12}  {printable(r.file)}")
        for cell, said in r.notes:
            print(f"{'':21}- {printable(f'{cell}: {said}' if cell else said)}")


def printable(text: object) -> str:
    """A `tame` text in the terminal's own characters: what a student wrote must not speak to it."""
    encoding = sys.stdout.encoding or "utf-8"
    return tame(str(text)).encode(encoding, "replace").decode(encoding)


def write(name: str, found: list[Result]) -> None:
    """One row a cell: easy to pivot, and the same columns whatever the exercise; one for a file without points."""
    lines = [["file", "folder", "exercise", "student", "cell", "points", "maximum", "notes"]]
    for r in found:
        who = [tame(r.file), tame(r.folder), tame(r.exercise), tame(r.student)]
        if r.failed:
            lines.append([*who, "", "", "", tame(f"not graded: {r.failed}")])
        for k, (cell, maximum) in enumerate(r.maximum.items()):
            points = "" if r.points[cell] is None else f"{r.points[cell]:g}"
            notes = [said for at, said in r.notes if at == cell] or (["read"] if not points else [])
            # what belongs to no graded cell stands in the file's first row
            notes += [] if k else [said for at, said in r.notes if at not in r.maximum]
            lines.append([*who, tame(cell), points, f"{maximum:g}", tame("; ".join(notes))])
    path = Path(name)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # the mark makes Excel read it as UTF-8
        with draft.open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file).writerows(lines)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        why = f"{error.strerror or error}): is its folder there, is it open in a spreadsheet?"
        raise nbs.LessonError(f"--csv {name} cannot be written ({why}") from error
