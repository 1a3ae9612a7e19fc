"""Grade a handed-in notebook against its solution; no course folder, no database.

Test cells are taken from the solution (hidden tests included), whatever the student did to them. The notebook is
executed on this machine: grade only notebooks of people whose code you would run.
"""

import copy
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

INSTALLS = re.compile(
    r"""(?mx)^[ \t]* (?: [%!]{1,2} [ \t]* (?:\S+[ \t]+-m[ \t]+)? | (?=(?:pip|conda)[ \t]+(?:un)?install) )
    (?:pip3?|conda|mamba|micromamba|uv|poetry) \b .*$"""
)
"""Lines that install or remove packages: they would change the environment of all later sheets."""
PROBE = "print(globals().get('student', ''))"
QUIET = ["--HistoryManager.hist_file=:memory:", "--log-level=50"]
"""Arguments of the kernel: no history, and no warnings of its own between the lines of the command."""
PATIENCE = 60
"""Seconds that a kernel may take to say that it has stopped; a busy machine needs many."""


@dataclass(frozen=True)
class Grade:
    """Points of one notebook by cell (``grade_id``), and the student number that it worked with."""

    points: dict[str, float | None]  # None where a person has to read the answer
    maximum: dict[str, float]
    student: str = ""
    notes: list[str] = field(default_factory=list)
    """What happened besides: cells deleted, an error that stopped a test, a cell that took too long."""

    @property
    def total(self) -> float:
        """Points given by the machine."""
        return sum(p for p in self.points.values() if p is not None)

    @property
    def by_hand(self) -> list[str]:
        """Cells that a person has to read."""
        return [name for name, p in self.points.items() if p is None]


def grade(submission: Any, solution: Any, folder: Path, timeout: int = 120) -> Grade:
    """Grade one notebook.

    Parameters
    ----------
    submission, solution
        Notebooks; neither is changed. The solution is the source, with solutions and hidden tests.
    folder
        Working folder for the execution.
    timeout
        Seconds a cell may take; a longer one is stopped and counts as failed.

    Returns
    -------
    Grade

    Raises
    ------
    ValueError
        If not one graded cell of the solution is in the submission: it belongs to another exercise.
    """
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from nbgrader import utils
    from nbgrader.preprocessors import ClearOutput, DeduplicateIds, Execute

    source = {_id(cell): cell for cell in solution.cells if _id(cell)}
    about: dict[str, Any] = {"path": str(folder), "name": "submission"}
    resources = {"unique_key": "submission", "metadata": about}
    nb, resources = DeduplicateIds()(copy.deepcopy(submission), resources)
    there = {_id(cell) for cell in nb.cells}
    graded = [name for name, cell in source.items() if utils.is_grade(cell) or utils.is_task(cell)]
    if not there & set(graded):
        raise ValueError("no graded cell of the solution is in this notebook; is it of another exercise?")
    notes = [f"cell {name!r} was deleted" for name in source if name not in there]
    _put_back(nb, solution)
    for cell in nb.cells:
        if (known := source.get(_id(cell))) is not None:
            if utils.is_locked(known):
                cell.source, cell.cell_type = known.source, known.cell_type
                if known.cell_type == "code":  # a test turned into text has lost both
                    cell.setdefault("outputs", [])
                    cell.setdefault("execution_count", None)
            checksum = cell.metadata.nbgrader.get("checksum")
            # points and kind are not the student's to choose
            cell.metadata.nbgrader = copy.deepcopy(known.metadata.nbgrader)
            if checksum and utils.is_solution(known):
                cell.metadata.nbgrader["checksum"] = checksum  # tells an untouched written answer
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            for line in INSTALLS.findall(cell.source):
                notes.append(f"{_id(cell) or _first_line(cell)}: {line.strip()!r} was not run: nothing is installed here")
            cell.source = INSTALLS.sub("pass", cell.source)
    nb.cells.append(nbformat.v4.new_code_cell(PROBE))
    nb, resources = ClearOutput()(nb, resources)
    try:
        run = Execute(timeout=timeout, iopub_timeout=PATIENCE, kernel_name="python3", extra_arguments=QUIET)
        nb, resources = run(nb, resources)
    except (CellTimeoutError, DeadKernelError) as error:
        code = [c for c in nb.cells if c.cell_type == "code"]
        if isinstance(error, CellTimeoutError):  # the reply of this one was made up, it would not be stopped
            last = next((c for c in reversed(code) if _finished(c)), code[0])
            last.metadata.pop("execution", None)
        else:
            last = next((c for c in code if not _finished(c)), nb.cells[-1])
        notes.append(f"{_id(last) or _first_line(last)}: {type(error).__name__}; what follows was not run")
    student = "".join(out.get("text", "") for out in nb.cells.pop().get("outputs", [])).strip()

    handed = {_id(cell): cell for cell in nb.cells}
    maximum = {name: float(source[name].metadata.nbgrader.points) for name in graded}
    points: dict[str, float | None] = {}
    for name in graded:
        points[name], errors = _points(handed.get(name), source[name])
        notes += [f"{name}: {error}" for error in errors]
    for cell in nb.cells:  # what went wrong before a test, often the reason why it fails
        for out in cell.get("outputs", []):
            if out.get("ename") == "CellTimeoutError":
                notes.append(f"{_id(cell) or _first_line(cell)}: stopped after {timeout} s")
            elif "ename" in out and _id(cell) not in points and out.ename != "NotImplementedError":
                notes.append(f"{_id(cell) or _first_line(cell)}: {out.ename}: {out.evalue}"[:300])
    return Grade(points, maximum, student, notes)


def _put_back(nb: Any, solution: Any) -> None:
    """Put test cells that are not there behind the cell that they follow in the solution, or at the end."""
    from nbgrader import utils

    before = ""
    for cell in solution.cells:
        name = _id(cell)
        if name and utils.is_grade(cell) and not utils.is_solution(cell) and name not in map(_id, nb.cells):
            places = [k for k, other in enumerate(nb.cells, 1) if _id(other) == before]
            nb.cells.insert(places[0] if before and places else len(nb.cells), copy.deepcopy(cell))
        before = name or before


def _points(cell: Any, source: Any) -> tuple[float | None, list[str]]:
    """Points of an executed cell, None where a person has to read it; what its errors say if it has none."""
    from nbgrader import utils

    if cell is None:
        return 0.0, []
    if utils.is_task(source):
        return None, []
    if cell.cell_type == "code":  # a warning is not a mistake
        cell.outputs = [o for o in cell.outputs if not (o.output_type == "stream" and o.name == "stderr")]
        if not _finished(cell) and not utils.is_solution(source):  # shows no error either
            return 0.0, []
    points = utils.determine_grade(cell)[0]
    errors = [f"{o.ename}: {o.evalue}".strip(": ") for o in cell.get("outputs", []) if "ename" in o]
    return points, errors if points == 0 else []


def _finished(cell: Any) -> bool:
    """Whether the kernel answered: a cell that ended the kernel, or came after it, shows no error either."""
    return "shell.execute_reply" in cell.metadata.get("execution", {})


def _first_line(cell: Any) -> str:
    return repr((cell.source.strip() or "an empty cell").splitlines()[0][:40])


def _id(cell: Any) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")
