"""Keys are taken from a solution by running it."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

import regionbook as rb
from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import keys, record, seal
from regionbook.exercises.record import RecordError

SOLUTIONS = [md for md in nbs.sources() if lessons.keys_of(md)]
HEAD = "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n  language: python\n---\n\n"
SHEET = """
import regionbook as rb
student = ""  # your student number
number = 4 if not student else int(student)

rb.key("sample/1-x/n", tolerance=0.01, unit="yuan", hint=["the method", "the recipe"])
rb.mistake("that is twice it.", 2 * number)
rb.mistake("that is the answer itself on one panel.", 4)

rb.check("sample/1-x/n", number, panel=student)
"""


@pytest.fixture
def sheet(tmp_path, monkeypatch):
    monkeypatch.setenv("REGIONBOOK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "01-sample" / "1-x.md"
    path.parent.mkdir()

    def write(code=SHEET):
        cells = "\n\n".join(f"```{{code-cell}} ipython3\n{c}\n```" for c in code.strip().split("\n\n"))
        path.write_text(HEAD + cells + "\n", encoding="utf-8")
        return path

    return write


def test_what_a_sheet_says(sheet):
    found = record.record(sheet())["sample/1-x/n"]
    assert found.right == {"kind": "whole", "value": 4} and found.personal
    assert (found.tolerance, found.unit, found.hints) == (0.01, "yuan", ("the method", "the recipe"))
    assert found.mistakes == (
        ("that is twice it.", {"kind": "whole", "value": 8}),
    )  # the other one is right here
    own = record.record(sheet(), "7")["sample/1-x/n"]
    assert own.right["value"] == 7 and len(own.mistakes) == 2


def test_a_second_time_nothing_runs(sheet, monkeypatch):
    first = record.recorded(sheet())
    monkeypatch.setattr(record, "_run", lambda *given: pytest.fail("run again"))
    assert record.recorded(sheet()) == first
    with pytest.raises(pytest.fail.Exception):
        record.recorded(sheet(SHEET + "\n# changed"))


def test_a_failure_in_the_other_process_is_told(sheet):
    with pytest.raises(RecordError, match=r"^01-sample/1-x, code cell 4 \(1 / 0\) fails: ZeroDivisionError"):
        record.recorded(sheet(SHEET + "\n\n1 / 0"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (SHEET + "\n\n1 / 0", r"01-sample/1-x, code cell 4 \(1 / 0\) fails: ZeroDivisionError"),
        (SHEET.partition("rb.check")[0], "an rb.key but no rb.check of 'sample/1-x/n'"),
        ("import regionbook as rb\n\nrb.check('a/b/c', 1)", "an rb.check but no rb.key of 'a/b/c'"),
        ("import regionbook as rb\n\nrb.mistake('x', 1)", "has no rb.key before it"),
        (SHEET.replace("2 * number", "[number]"), "'that is twice it.' of 'sample/1-x/n' is a list"),
        (SHEET.replace("2 * number", "rb"), "module is no kind of answer"),
        (SHEET + "\n\nrb.key('sample/1-x/n')", "stands twice"),
    ],
)
def test_a_sheet_without_keys_is_refused_in_words(sheet, code, words):
    with pytest.raises(RecordError, match=words):
        record.record(sheet(code))
    assert rb.check.__module__ == "regionbook.exercises.check"


def test_outside_a_recorder_both_do_nothing_but_look_at_their_arguments():
    assert rb.key("a/b/c", hint="x") is None and rb.mistake("x", 1) is None
    with pytest.raises(ValueError, match="slug/lesson/name"):
        rb.key("beta")
    with pytest.raises(ValueError, match="between 0 and 0.5, not 1"):
        rb.key("a/b/c", tolerance=1)
    with pytest.raises(TypeError, match="whole number, not 0.5"):
        rb.key("a/b/c", decimals=0.5)
    with pytest.raises(TypeError, match="are texts"):
        rb.key("a/b/c", hint=[3])
    with pytest.raises(TypeError, match="message is a text"):
        rb.mistake(1, "x")


@pytest.mark.parametrize(
    "value",
    [
        pd.Series({"a": 1.5, "b": np.nan}),
        pd.Series([1, 2], [2008, 2009]),
        pd.Series({("Wuhan", 2008): 1.0, ("Beijing", 2008): 2.0}),
        pd.DataFrame({"mean": [1.0], "sd": [2.0]}, ["digit"]),
    ],
)
def test_a_table_keeps_its_names(value):
    again = keys.table(json.loads(json.dumps(keys.plain(value))))
    want = value.to_frame(0) if isinstance(value, pd.Series) else value
    assert again.index.tolist() == want.index.tolist() and again.columns.tolist() == want.columns.tolist()
    assert np.array_equal(again.to_numpy(), want.to_numpy(dtype=float), equal_nan=True)


@pytest.mark.parametrize("md", SOLUTIONS, ids=nbs.label)
def test_key_files_are_in_step(md):
    """Sealed from this solution and these data; run `workbook.py sync` if not."""
    stored = json.loads(lessons.keys_of(md).read_text(encoding="utf-8"))
    assert (stored["state"], stored["format"]) == (record.state(md), seal.FORMAT)
    assert set(stored["keys"]) == set(
        re.findall(r"""rb\.check\(\s*["']([^"']+)["']""", md.read_text(encoding="utf-8"))
    )
