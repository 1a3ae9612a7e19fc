"""Text, notebook and exercise are in step (nothing is executed)."""

from __future__ import annotations

import pytest

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT

TEXTS = nbs.sources()
SOLUTIONS = [md for md in TEXTS if lessons.exercise_of(md)]


@pytest.mark.parametrize("md", TEXTS, ids=nbs.label)
def test_text_and_notebook(md):
    assert not nbs.in_step(md), nbs.in_step(md)


@pytest.mark.parametrize("md", SOLUTIONS, ids=nbs.label)
def test_exercise_is_generated_from_the_solution(md):
    made = lessons.exercise_of(md).read_text(encoding="utf-8")
    assert nbs.dumps(lessons.sheet_of(md)) == made, f"run `workbook.py sync {nbs.label(md)}`"
    for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME"):
        assert word not in made


def test_no_notebook_without_its_text():
    texts = {md.with_suffix(".ipynb") for md in TEXTS} | {lessons.exercise_of(md) for md in SOLUTIONS}
    stored = {
        p
        for folder in ("chapters", "solutions", "exercises")
        for p in (ROOT / folder).rglob("*.ipynb")
        if ".ipynb_checkpoints" not in p.parts
    }
    assert stored <= texts, f"made from no text: {sorted(stored - texts)}"


def test_every_lesson_is_listed():
    """A lesson's name tells its place: NN-slug/N-name; a letter marks a further notebook."""
    import re

    for md in TEXTS:
        assert re.fullmatch(
            r"\d\d-[a-z-]+/\d[a-z]?-[a-z0-9-]+\.md", md.relative_to(md.parents[1]).as_posix()
        ), md


@pytest.mark.parametrize("md", TEXTS, ids=nbs.label)
def test_figures_stay_small(md):
    """A stored figure stays under 60 kB; a notebook that one cannot open quickly teaches nobody."""
    assert md.with_suffix(".ipynb").stat().st_size < 2_000_000
