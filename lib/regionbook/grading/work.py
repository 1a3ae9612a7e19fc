"""Grade one sheet: its cells run in the sandbox, its tests where no student's code ran; and many sheets side by side."""

import hashlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regionbook.grading import sheets
from regionbook.grading.delivery import Handed
from regionbook.grading.results import Result
from regionbook.grading.sandbox import Box, Dead, Line, Place
from regionbook.grading.sheets import Cell, Sheet, Unreadable
from regionbook.paths import ROOT

BUDGET, AGAIN, CALLS, JUDGE, NOTES = 5, 2, 10_000, 300, 200
"""Total time of a sheet in time-outs; runs anew; questions of a test to the sandbox; seconds of a judgement; notes."""


@dataclass
class Run:
    """What became of a sheet's cells and tests so far."""

    verdicts: dict[str, str | None]
    """By test; None: passed."""
    marks: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    skip: set[int] = field(default_factory=set)


class Failed(Exception):
    """A sheet that cannot be judged, in words for the lecturer."""


class Worker:
    """One sheet at a time: a fresh sandbox for each, a judge for all."""

    def __init__(self, kind: str, place: Place, timeout: float, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()
        self.box, self.place, self.timeout = Box(kind, place), place, timeout
        self.judge: Line | None = None

    def interrupt(self) -> None:
        """Tell who waits for one of the processes, in another thread, that it ended."""
        self.box.interrupt()
        if judge := self.judge:
            judge.process.kill()

    def close(self) -> None:
        """End the processes."""
        self.box.close()
        if self.judge:
            self.judge.close()
            self.judge = None

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """A reply of the judge; what it asks of the sandbox is passed on. `Dead` if the sandbox is no more."""
        if self.stop.is_set():
            raise Dead("was stopped")
        if self.judge is None:
            env = os.environ | {"REGIONBOOK_CACHE": str(self.place.panels), "OMP_NUM_THREADS": "1"}
            there = filter(None, [str(ROOT / "lib"), os.environ.get("PYTHONPATH", "")])
            env["PYTHONPATH"] = os.pathsep.join(there)
            self.judge = Line([sys.executable, "-P", "-m", "regionbook.grading.verdict"], 48 << 20, env=env)
        try:
            self.judge.tell(command)
            end = time.monotonic() + JUDGE
            for _ in range(CALLS):
                line = self.judge.hear(end - time.monotonic())
                if line is None:
                    raise Dead(f"its test took more than {JUDGE} s")
                reply: dict[str, Any] = json.loads(line)
                if "ask" not in reply:
                    return reply
                self.judge.tell(self.box.ask(reply["ask"], self.timeout))
            raise Dead("its test asked too often")
        except Dead:
            self.judge.close()  # in the middle of a test
            self.judge = None
            raise

    def grade(self, sheet: Sheet, cells: list[Cell], student: str) -> Run:
        """Run a sheet's cells and judge its tests. `Failed` if the solution itself gives nothing for this student."""
        opening = {"op": "start", "solution": str(sheet.solution), "student": student}
        start = self._opened(opening)
        modules = {*start["modules"], *sheets.imports(sheet.solution)}  # fetched before any student's code
        tests = [cell.name for cell in sheet.cells if cell.test]
        run, end = Run(dict.fromkeys(tests, "not reached")), time.monotonic() + BUDGET * self.timeout
        for _ in range(1 + AGAIN):
            k = 0
            try:
                self.box.new(modules)
                for k, cell in enumerate(cells):
                    if time.monotonic() > end:
                        over = f"total time of {BUDGET * self.timeout:g} s is over; what follows was not run"
                        run.notes.append(("", over))
                        return run
                    if k not in run.skip and cell.kind == "code":
                        self._cell(run, sheet, cell, k, start)
                break
            except Dead as dead:
                self._lost(run, sheet, cells[k], k, dead)
                self._opened(opening)
            finally:
                self.box.end()
        return run

    def _opened(self, opening: dict[str, Any]) -> dict[str, Any]:
        try:
            start = self.ask(opening)
        except Dead as dead:
            raise Failed(f"the judge {dead}") from dead
        if start.get("error"):
            raise Failed(f"the solution gives no key: {start['error']}")
        return start

    def _cell(self, run: Run, sheet: Sheet, cell: Cell, k: int, start: Mapping[str, Any]) -> None:
        if cell.test:
            wanted = start["wanted"][cell.name]
            values = self.box.ask({"op": "take", "names": [*wanted, "student"]}, self.timeout).get("values")
            values = values if isinstance(values, dict) else {}
            stated = "" if "student" in wanted else sheets.spelled_number(values.pop("student", ""))
            if stated not in (start["student"], ""):
                said = "another student number stands here than at the top of the sheet"
                run.notes.append((cell.name, said))
            reply = self.ask({"op": "test", "cell": cell.name, "values": values})
            run.verdicts[cell.name] = reply.get("error") or reply.get("verdict")
            run.marks[cell.name] = str(reply.get("mark", ""))
        # of a test the part that the student had: its names may be used below
        reply = self.box.ask({"op": "run", "code": sheets.INSTALLS.sub("pass", cell.source)}, self.timeout)
        error, where = reply.get("error"), place_of(sheet, cell, k)
        if reply["stopped"]:
            run.notes.append((where[0], f"{where[1]}: stopped after {self.timeout:g} s"))
        elif (
            isinstance(error, list)
            and len(error) == 2
            and not cell.test
            and error[0] != "NotImplementedError"
        ):
            run.notes.append((where[0], f"{where[1]}: {error[0]}: {error[1]}"))

    def _lost(self, run: Run, sheet: Sheet, cell: Cell, k: int, dead: Dead) -> None:
        where = place_of(sheet, cell, k)
        run.notes.append((where[0], f"{where[1]}: {dead}; the rest was run again without this cell"))
        run.skip.add(k)
        if cell.test:
            run.verdicts[cell.name] = str(dead)


def place_of(sheet: Sheet, cell: Cell, k: int) -> tuple[str, str]:
    """The graded cell that a handed-in cell serves (``""``: none), and what to call it."""
    first = next(iter(cell.source.strip().splitlines()), "")[:60]
    return sheet.test_of(cell.name), f"in {cell.name!r}" if cell.name else f"in cell {k + 1} ({first!r})"


def points_of(run: Run, sheet: Sheet, cells: list[Cell]) -> dict[str, float | None]:
    """Points by graded cell: of tests from their verdicts, of written answers none if nothing was written, else None."""
    points: dict[str, float | None] = {}
    for cell in sheet.cells:
        if cell.test:
            points[cell.name] = cell.points if run.verdicts[cell.name] is None else 0.0
        elif cell.graded:
            points[cell.name] = None if cell.task or not sheets.unanswered(cell.name, cells, sheet) else 0.0
    return points


@dataclass(frozen=True)
class Class:
    """All that is graded in one call: the solutions, the sandbox, the time a cell may take."""

    texts: Mapping[Path, str]
    """Solutions and what stands in them."""
    root: Path
    kind: str
    place: Place
    timeout: float
    chosen: Path | None = None
    """The solution that all are sheets of, if that was said."""
    _sheets: dict[Path, Sheet] = field(default_factory=dict)

    def sheet(self, md: Path) -> Sheet:
        """The sheet of a solution."""
        if md not in self._sheets:
            label = md.relative_to(self.root / "solutions").with_suffix("").as_posix()
            self._sheets[md] = sheets.handed_out(md, label)
        return self._sheets[md]

    def version(self, md: Path) -> str:
        """What a result of this solution's sheet hangs on."""
        return f"{sys.modules['regionbook'].__version__} {sheets.state(md)}"

    def result(self, handed: Handed, worker: Worker) -> Result:
        """Grade one file; never raises for what a student sent."""
        began = time.monotonic()
        source = hashlib.sha256(handed.content).hexdigest()
        result = Result(handed.file, handed.folder, source=source)
        try:
            result = self._graded(handed, result, worker)
        except (Unreadable, Failed, ValueError) as error:
            result = replace(result, failed=str(error))
        except Dead as error:
            worker.close()
            result = replace(result, failed=f"its code ran in a sandbox that {error}; grade it again")
        except Exception as error:  # one student's file must not cost the others their points
            worker.close()
            result = replace(result, failed=f"{type(error).__name__}: {error}")
        return replace(result, seconds=round(time.monotonic() - began, 2))

    def _graded(self, handed: Handed, result: Result, worker: Worker) -> Result:
        if handed.refused:
            raise Unreadable(handed.refused)
        cells = sheets.read(handed.content)
        md = self.chosen or sheets.solution_of(cells, handed.file, self.texts)
        result = replace(result, version=self.version(md))
        sheet = self.sheet(md)
        cells, said = sheets.matched(cells, sheet)
        if not {c.name for c in cells if c.graded} - {s.split("'")[1] for s in said if "deleted" in s}:
            raise Unreadable("no graded cell of the exercise is in this notebook; is it of another exercise?")
        student = sheets.number_of(cells)
        run = worker.grade(sheet, cells, student)
        notes = [("", note) for note in said]
        for k, cell in enumerate(cells):
            where = place_of(sheet, cell, k)
            found = sheets.INSTALLS.findall(cell.source) if cell.kind == "code" else []
            notes += [
                (where[0], f"{where[1]}: {line.strip()!r} was not run: nothing is installed here")
                for line in found
            ]
        notes += [(test, verdict) for test, verdict in run.verdicts.items() if verdict]
        notes = list(dict.fromkeys(notes + run.notes))
        if len(notes) > NOTES:
            notes[NOTES:] = [("", f"and {len(notes) - NOTES:,} notes more")]
        given = {cell.name: cell.source for cell in sheet.cells}
        code = {c.name: sheets.code_mark(c, given[c.name]) for c in cells if c.kind == "code" and c.solution}
        return replace(
            result,
            student=student,
            exercise=sheet.label,
            points=points_of(run, sheet, cells),
            maximum=sheet.maximum,
            notes=tuple(notes),
            answers={cell: mark for cell, mark in run.marks.items() if mark},
            code={cell: mark for cell, mark in code.items() if mark},
        )


def side_by_side(
    school: Class, todo: Iterable[Handed], workers: int, kept: Callable[[Result], object]
) -> Iterator[Result]:
    """Grade files, ``workers`` at a time; results come as they are ready, each after ``kept`` took it."""
    free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    stop = threading.Event()
    staff = [Worker(school.kind, school.place, school.timeout, stop) for _ in range(workers)]
    for worker in staff:
        free.put(worker)

    def one(handed: Handed) -> Result:
        worker = free.get()
        try:
            result = school.result(handed, worker)
        finally:
            free.put(worker)
        if not stop.is_set():
            kept(result)
        return result

    pool = ThreadPoolExecutor(workers)
    try:
        source, running = iter(todo), set[Future[Result]]()
        while True:
            while len(running) <= workers and (handed := next(source, None)) is not None:
                running.add(pool.submit(one, handed))
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        stop.set()
        for worker in staff:
            worker.interrupt()
        pool.shutdown(wait=True, cancel_futures=True)
        for worker in staff:
            worker.close()
