"""Exercises as handed out fail each of their checks; solutions pass, on personal panels too.

That solutions pass on the shipped panel is nbval's work (conftest.py): it runs them and compares their outputs.
"""

from __future__ import annotations

import re

import nbformat
import pytest

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises.check import registered

pytestmark = pytest.mark.lessons
SOLUTIONS = [md for md in nbs.sources() if lessons.exercise_of(md)]
STUDENT = "20260001"
CHECK = re.compile(r"""\bcheck\(\s*["']([^"']+)["']""")


@pytest.mark.parametrize("md", SOLUTIONS, ids=nbs.label)
def test_as_handed_out_every_check_fails(md):
    from nbgrader.utils import determine_grade, is_grade

    nb = nbformat.read(lessons.exercise_of(md), as_version=4)
    for cell in nb.cells:
        cell.metadata.tags = ["raises-exception"]
    nbs.execute(nb, md.parent)
    checks = [c for c in nb.cells if c.cell_type == "code" and CHECK.search(c.source)]
    assert checks, "an exercise sheet without a visible rb.check"
    passed = [c.source for c in checks if not any(o.output_type == "error" for o in c.outputs)]
    assert not passed, f"passes without an answer: {passed}"
    for cell in filter(is_grade, nb.cells):
        assert determine_grade(cell)[0] == 0, f"points without an answer: {cell.source}"


@pytest.mark.parametrize("md", [s for s in SOLUTIONS if "personal(" in s.read_text("utf-8")], ids=nbs.label)
def test_the_solution_passes_on_a_personal_panel(md):
    nb = nbs.read_text(md)
    cells = [c for c in nb.cells if c.cell_type == "code" and re.search(r'^student = ""', c.source, re.M)]
    assert len(cells) == 1, 'one cell of the sheet has to say: student = ""'
    cells[0].source = cells[0].source.replace('student = ""', f'student = "{STUDENT}"')
    nbs.execute(nb, md.parent)


@pytest.mark.parametrize("md", SOLUTIONS, ids=nbs.label)
def test_checks_are_registered_and_used(md):
    """Each check of a sheet has its answer, and each answer its check."""
    lesson = md.parent.name.partition("-")[2] + "/" + md.stem
    used = set(CHECK.findall(md.read_text(encoding="utf-8")))
    assert used and all(name.startswith(f"{lesson}/") for name in used), (
        f"checks of {md.name} are called {lesson}/..."
    )
    assert used == {name for name in registered(lesson.partition("/")[0]) if name.startswith(f"{lesson}/")}
