"""`sync` notices an exercise of which text, solution or check changed alone."""

from __future__ import annotations

import shutil

import pytest

from regionbook.cli import agreed, lessons
from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT

SHEET = "01-sample/1-index"


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "tests/sample", tmp_path / "p")
    agreed.keep(tmp_path / "p/solutions" / f"{SHEET}.md", tmp_path / "p")
    return tmp_path / "p"


def edit(project, *changes):
    md = project / "solutions" / f"{SHEET}.md"
    text = md.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    md.write_text(text, encoding="utf-8")
    return md


TEXT = ("gets the larger weight", "gets the smaller weight")
ANSWER = ("`b`: it is the more", "`a`: it is the less")
CODE = ("return (1 - e) / (1 - e).sum()", "return e / e.sum()")
CHECK = ("- 0.26) < 0.02", "- 0.5) < 0.02")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([TEXT], "of task 'read' the text"),
        ([ANSWER], "of task 'read' the solution"),
        ([CODE], "of task 'weights-check' the solution"),
        ([CHECK], "of task 'weights-check' the check"),
        ([CODE, TEXT], "of task 'weights-check' the solution; of task 'read' the text"),
    ],
)
def test_one_side_alone(project, changes, words):
    md = edit(project, *changes)
    before = agreed.stored(project)
    with pytest.raises(nbs.LessonError, match=rf"only one side changed: {words}.*sync --agreed solutions/01"):
        agreed.check(md, project)
    assert agreed.stored(project) == before
    agreed.keep(md, project)
    agreed.check(md, project)  # and not asked again
    assert agreed.stored(project) != before


@pytest.mark.parametrize(
    "changes",
    [
        [TEXT, ANSWER],
        [CODE, CHECK],
        [("    p = raw / raw.sum()", "    p =  raw / raw.sum()\n    rb.mistake('other words', 1.0)")],
        [
            (
                "    return (1 - e)",
                "    rb.key(\n        'a/b/c',\n        hint='in (brackets)')\n    return (1 - e)",
            )
        ],
        [("Write your student number into", "Please write your number into")],
        [("Text after the task.", "Other words.")],
    ],
)
def test_nothing_to_ask(project, changes):
    agreed.check(edit(project, *changes), project)


def test_sync_asks(project, capsys):
    edit(project, TEXT)
    assert lessons.sync(["1-index"], root=project) == 1
    assert "only one side changed: of task 'read' the text" in capsys.readouterr().out
    assert not (project / "exercises" / f"{SHEET}.ipynb").exists()
    assert lessons.sync([], root=project, agreed=[f"solutions/{SHEET}"]) == 0
    assert "smaller" in (project / "exercises" / f"{SHEET}.ipynb").read_text(encoding="utf-8")


def test_what_was_agreed_is_what_is_there():
    """`sync` writes it; a sheet that is not in it was never synchronised."""
    solutions = [md for md in nbs.sources() if lessons.exercise_of(md)]
    stored = agreed.stored()
    for md in solutions:
        name = f"{md.parent.name}/{md.stem}"
        assert stored[name] == agreed.parts(nbs.read_text(md)), f"run workbook.py sync {nbs.label(md)}"
    assert len(stored) == len(solutions), "a sheet is gone: take its line out of solutions/agreed.json"
