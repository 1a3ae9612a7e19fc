"""Grade a handed-in notebook against its solution; no course folder, no database.

Test cells are taken from the solution (hidden tests included), whatever the student did to them. The notebook is
executed on this machine: grade only notebooks of people whose code you would run.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

PROBE = "print(globals().get('student', ''))"


@dataclass(frozen=True)
class Grade:
    """Points of one notebook.

    Attributes
    ----------
    points
        Points by cell (``grade_id``); None where a person has to read the answer.
    maximum
        Points that each cell can give.
    student
        Student number that the notebook worked with.
    notes
        What happened besides: cells deleted, an error that stopped a test, a cell that took too long.
    """

    points: dict[str, float | None]
    maximum: dict[str, float]
    student: str = ""
    notes: list[str] = field(default_factory=list)

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
    resources: dict[str, Any] = {
        "unique_key": "submission",
        "metadata": {"path": str(folder), "name": "submission"},
    }
    nb, resources = DeduplicateIds()(copy.deepcopy(submission), resources)
    there = {_id(cell) for cell in nb.cells}
    graded = [name for name, cell in source.items() if utils.is_grade(cell) or utils.is_task(cell)]
    if not there & set(graded):
        raise ValueError("no graded cell of the solution is in this notebook; is it of another exercise?")
    notes = [f"cell {name!r} was deleted" for name in source if name not in there]
    for cell in nb.cells:
        if (known := source.get(_id(cell))) is not None:
            if utils.is_locked(known):
                cell.source = known.source
            checksum = cell.metadata.nbgrader.get("checksum")
            # points and kind are not the student's to choose
            cell.metadata.nbgrader = copy.deepcopy(known.metadata.nbgrader)
            if checksum and utils.is_solution(known):
                cell.metadata.nbgrader["checksum"] = checksum  # tells an untouched written answer
        cell.metadata.pop("execution", None)
    nb.cells.append(nbformat.v4.new_code_cell(PROBE))
    nb, resources = ClearOutput()(nb, resources)
    try:
        nb, resources = Execute(timeout=timeout, kernel_name="python3")(nb, resources)
    except (CellTimeoutError, DeadKernelError) as error:
        last = next((c for c in nb.cells if c.cell_type == "code" and not _finished(c)), nb.cells[-1])
        notes.append(f"{_id(last) or _first_line(last)}: {type(error).__name__}; what follows was not run")
    student = "".join(out.get("text", "") for out in nb.cells.pop().get("outputs", [])).strip()

    points: dict[str, float | None] = {}
    maximum: dict[str, float] = {}
    handed = {_id(cell): cell for cell in nb.cells}
    for name in graded:
        maximum[name] = float(source[name].metadata.nbgrader.points)
        cell = handed.get(name)
        if cell is None:
            points[name] = 0.0
            continue
        if utils.is_task(source[name]):
            points[name] = None
            continue
        if cell.cell_type == "code":  # a warning is not a mistake
            cell.outputs = [o for o in cell.outputs if not (o.output_type == "stream" and o.name == "stderr")]
            if not _finished(cell) and not utils.is_solution(source[name]):  # shows no error either
                points[name] = 0.0
                continue
        points[name] = utils.determine_grade(cell)[0]
        if points[name] == 0:
            notes += [
                f"{name}: {o.ename}: {o.evalue}".strip(": ") for o in cell.get("outputs", []) if "ename" in o
            ]
    slow = [
        name or _first_line(cell)
        for name, cell in ((_id(c), c) for c in nb.cells if c.cell_type == "code")
        if any(o.get("ename") == "CellTimeoutError" for o in cell.outputs)
    ]
    notes += [f"{name}: stopped after {timeout} s" for name in slow]
    return Grade(points, maximum, student, notes)


def _finished(cell: Any) -> bool:
    """Whether the kernel answered: a cell that ended the kernel, or came after it, shows no error either."""
    return "shell.execute_reply" in cell.metadata.get("execution", {})


def _first_line(cell: Any) -> str:
    return repr((cell.source.strip() or "an empty cell").splitlines()[0][:40])


def _id(cell: Any) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")
