"""While answers move into the solutions: what a solution says agrees with the answer that is registered.

A solution takes part as soon as it says ``rb.key``. The values are compared by today's own `check`; the settings, the
messages of mistakes and what they compute are compared too.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import keys, record
from regionbook.exercises import registered as registry

pytestmark = pytest.mark.lessons
MIGRATED = [
    md
    for md in nbs.sources()
    if lessons.exercise_of(md)
    and "rb.key(" in md.read_text("utf-8")
    and any(
        name.startswith(f"{md.parent.name.partition('-')[2]}/{md.stem}/")
        for name in registry.registered(md.parent.name.partition("-")[2])
    )
]


def numbers(value):
    if value["kind"] in ("series", "frame"):
        return keys.table(value)
    return value["value"]


def same(one, other) -> bool:
    a, b = numbers(one), numbers(keys.plain(other))
    if isinstance(b, pd.DataFrame):
        return np.allclose(a.reindex_like(b), b, rtol=2e-3, atol=1e-9, equal_nan=True)
    return a == b if isinstance(b, (str, bool, list)) else bool(np.isclose(a, b, rtol=2e-3, atol=1e-9))


@pytest.mark.parametrize("student", ["", "20260001", "20260002"])
@pytest.mark.parametrize("md", MIGRATED, ids=nbs.label)
def test_the_solution_says_what_is_registered(md, student, monkeypatch):
    handed = {}

    class Both(record.Recorder):
        def check(self, exercise, answer, panel=None):
            handed[exercise] = (answer, panel)
            super().check(exercise, answer, panel)

    monkeypatch.setattr(record, "Recorder", Both)
    found = record.record(md, student)
    lesson = f"{md.parent.name.partition('-')[2]}/{md.stem}/"
    assert set(found) == {
        name for name in registry.registered(lesson.partition("/")[0]) if name.startswith(lesson)
    }
    for exercise, (answer, panel) in handed.items():
        key, known = found[exercise], registry._lookup(exercise)
        assert not registry.judged(exercise, answer, panel)
        right = registry._value(exercise, known.compute, panel)
        assert key.right["kind"] == keys.plain(right)["kind"], exercise
        if "whole" in key.right:
            assert key.right["whole"] == keys.plain(right)["whole"], exercise
        assert (key.tolerance, key.decimals, key.unit) == (known.tolerance, known.decimals, known.unit), (
            exercise
        )
        assert key.options == known.options, exercise
        messages = [m for m, _ in key.mistakes]
        for message, compute in known.mistakes.items():
            old = registry._value(exercise, compute, panel)
            if message in messages:
                assert same(dict(key.mistakes)[message], old), (exercise, message)
            else:
                assert same(key.right, old), f"{exercise}: the mistake {message!r} is lost"
