"""Exercises as handed out fail each of their checks; solutions pass, on personal panels too.

That solutions pass on the shipped panel is nbval's work (conftest.py): it runs them and compares their outputs.
"""

from __future__ import annotations

import json
import re

import nbformat
import pytest

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import record

pytestmark = pytest.mark.lessons
SOLUTIONS = [md for md in nbs.sources() if lessons.exercise_of(md)]
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


@pytest.mark.parametrize("student", ["20260001", "20260002"])
@pytest.mark.parametrize("md", [s for s in SOLUTIONS if "personal(" in s.read_text("utf-8")], ids=nbs.label)
def test_the_solution_passes_on_a_personal_panel(md, student):
    """Its hidden tests, the second ways to the answers, pass; and its keys can be taken."""
    text = md.read_text(encoding="utf-8")
    assert len(record.STUDENT.findall(text)) == 1, 'one cell of the sheet has to say: student = ""'
    assert record.record(md, student)


@pytest.mark.parametrize("md", SOLUTIONS, ids=nbs.label)
def test_each_check_has_its_key_and_an_assertion_of_its_own(md):
    """Each check of a sheet has its key, each key its check, and each check cell a second way to the answer."""
    lesson = md.parent.name.partition("-")[2] + "/" + md.stem
    text = md.read_text(encoding="utf-8")
    used = set(CHECK.findall(text))
    assert used and all(name.startswith(f"{lesson}/") for name in used), (
        f"checks of {md.name} are called {lesson}/..."
    )
    sealed = json.loads(lessons.keys_of(md).read_text(encoding="utf-8"))[
        "keys"
    ]  # as the solution recorded them
    assert used == set(sealed)
    for cell in nbs.read_text(md).cells:
        if cell.cell_type == "code" and CHECK.search(cell.source):
            hidden = cell.source.partition("### BEGIN HIDDEN TESTS")[2]
            assert re.search(r"^\s*(assert |np\.testing\.assert_)", hidden, re.M), (
                f"no assertion of its own: {cell.source}"
            )
