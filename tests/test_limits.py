"""What a lesson may weigh."""

import json

import pytest

from regionbook.cli import load
from regionbook.cli import notebooks as nbs

LESSONS = [md for md in nbs.sources() if md.parent.parent.name == "chapters"]


@pytest.mark.parametrize("md", LESSONS, ids=nbs.label)
def test_a_lesson_is_inside_the_limits(md):
    has = load.measured(md.with_suffix(".ipynb"))
    assert all(has[k] <= limit for k, limit in load.LIMITS.items()), has


@pytest.mark.parametrize("md", LESSONS, ids=nbs.label)
def test_a_lesson_states_the_minutes_that_it_takes(md):
    found = load.table().loc[f"{md.parent.name}/{md.stem}"]
    assert abs(found["stated"] - found["minutes"]) <= 5, dict(found)


def test_what_is_counted(tmp_path):
    def cell(kind, source, *outputs):
        return {"cell_type": kind, "source": source.splitlines(keepends=True)} | (
            {"outputs": list(outputs)} if kind == "code" else {}
        )

    picture = {"data": {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure>"]}}
    rows = {"data": {"text/html": ["<table><tr></tr>\n", "<tr></tr></table>"]}}
    words = "word " * 148 + "a **term** (词) and **bold**, 12 34\n\n$$ x = 1 $$\n"
    cells = [
        cell("markdown", words),
        cell("code", "x = 1\n\nprint(x)\n", picture, {"text": ["1\n"] * 28}),
        cell("code", "y = 2\n" * 10, rows),
    ]
    path = tmp_path / "lesson.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    has = load.measured(path)
    assert has == {
        "words": 153,  # the formula's x counts
        "code lines": 12,
        "lines in a cell": 10,
        "figures": 1,
        "terms": 1,
        "minutes": 6,  # 1 each of words, code, figure and output, 1.5 for the formula
    }
    path.write_text(json.dumps({"cells": [cell("markdown", "none")]}), encoding="utf-8")
    assert load.measured(path)["lines in a cell"] == 0


def test_the_command_prints_every_lesson_and_the_limits(capsys):
    assert load.main() == 0
    printed = capsys.readouterr().out
    assert all(f"{md.parent.name}/{md.stem}" in printed for md in LESSONS)
    limit = next(line for line in printed.splitlines() if line.startswith("limit"))
    assert limit.split()[1:] == [str(v) for v in load.LIMITS.values()]
    above = [line for line in printed.splitlines() if " !" in line]
    assert printed.splitlines()[-1].startswith(f"{len(above)} of {len(LESSONS)} ")
