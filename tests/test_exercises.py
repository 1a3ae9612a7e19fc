"""Exercises as handed out fail each of their checks; solutions pass, on personal panels too.

That solutions pass on the shipped panel is nbval's work (conftest.py): it runs them and compares their outputs.
"""

from __future__ import annotations

import ast
import builtins
import json
import re

import nbformat
import pytest

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import record
from regionbook.exercises.generate import exercise

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


def names(code: str) -> tuple[set[str], set[str]]:
    """Names that a cell reads, and names that it binds."""
    read, bound = set(), set()
    for node in ast.walk(ast.parse(re.sub(r"^[%!].*$", "", code, flags=re.M))):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return read - set(dir(builtins)), bound


def unknown_to_students(solution) -> dict[str, set[str]]:
    """By test: names that it reads and that stand neither in a cell nor in the text of the sheet as handed out so far."""
    known: set[str] = set()
    found = {}
    for handed, source in zip(exercise(solution, "sheet").cells, solution.cells, strict=True):
        if handed.cell_type == "markdown":
            for quoted in re.findall(r"`([^`]+)`", handed.source):
                known |= set(re.findall(r"[A-Za-z_]\w*", quoted))
            continue
        known |= set.union(*names(handed.source))
        about = source.metadata.get("nbgrader", {})
        if about.get("grade") and not about.get("solution"):
            read, bound = names(source.source)
            found[about["grade_id"]] = read - bound - known
    return {test: lost for test, lost in found.items() if lost}


@pytest.mark.parametrize("md", SOLUTIONS, ids=nbs.label)
def test_hidden_tests_use_only_what_a_sheet_asks_for(md):
    """A name of the solution's own may be called otherwise in a student's sheet, and would cost right answers their points."""
    assert not unknown_to_students(nbs.canonical(nbs.read_text(md), md.stem))


def test_a_name_of_the_solution_is_noticed():
    md = next(md for md in SOLUTIONS if md.stem == "4-hubs")
    solution = nbs.canonical(nbs.read_text(md), md.stem)
    cell = next(c for c in solution.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "worth-check")
    cell.source = cell.source.replace("### END HIDDEN TESTS", "assert best.fun > 0\n### END HIDDEN TESTS")
    assert unknown_to_students(solution) == {"worth-check": {"best"}}
