"""A solution becomes the exercise that is handed out, with nbgrader's own steps; no course, no database."""

import copy
from typing import Any

import nbformat

STUB = "YOUR ANSWER HERE 请在此作答"


def exercise(solution: Any, stem: str) -> Any:
    """The notebook to hand out: solutions replaced by stubs, hidden tests and mark schemes removed, cells locked.

    ``solution`` is in canonical form and is not changed; ``stem`` is its name without extension. nbgrader raises a
    ValidationError if a cell lacks a key, or two cells have the same ``grade_id``.
    """
    from nbgrader import preprocessors as p
    from traitlets.config import Config

    steps = [  # nbgrader's GenerateAssignment without header, test templates and gradebook
        p.LockCells,
        p.ClearSolutions,
        p.ClearOutput,
        p.CheckCellMetadata,
        p.ClearHiddenTests,
        p.ClearMarkScheme,
        p.ComputeChecksums,
        p.CheckCellMetadata,
    ]
    config = Config({"ClearSolutions": {"text_stub": STUB}})
    nb, resources = copy.deepcopy(solution), {"unique_key": stem, "metadata": {"name": stem}}
    for step in steps:
        nb, resources = step(config=config)(nb, resources)
    nbformat.validate(nb)
    return nb
