"""Keys to students' own panels, for who has no solutions."""

from __future__ import annotations

import json

import pytest

from regionbook.cli import handout, lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import keys, record, seal
from regionbook.paths import ROOT

MD = ROOT / "solutions/01-city-innovation/2-regressions.md"
NAME = "city-innovation/2-regressions/who"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("student\n007\n20260001\n", ["7", "20260001"]),
        ("name,学号\n李雷,２０２６\nMei,a1\n", ["2026", "A1"]),
        ("20260001\n20260002\n", ["20260001", "20260002"]),
        ("whoever\n20260001\n\n", ["20260001"]),
    ],
)
def test_lists(tmp_path, text, numbers):
    file = tmp_path / "students.csv"
    file.write_text("\ufeff" + text, encoding="utf-8")
    assert handout.students(str(file)) == numbers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("student\n2026-1\n", "line 2: '2026-1' is not a student number"),
        ("name,student\nMei\n", "line 2: no student number in column 2"),
        ("student\n", "no student number in it"),
    ],
)
def test_bad_lists(tmp_path, text, words):
    file = tmp_path / "students.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(nbs.LessonError, match=words):
        handout.students(str(file))
    with pytest.raises(nbs.LessonError, match="cannot be read"):
        handout.students(str(tmp_path / "none.csv"))


def test_files(tmp_path, monkeypatch, capsys):
    """One file a student and chapter, each with the student's own answers; what does not hang on the panel stays out."""
    asked = []

    def recorded(md, student):
        asked.append((md, student))
        if student == "3":
            raise record.RecordError("01-city-innovation/2-regressions, code cell 4 fails")
        printed = keys.Key(f"{NAME}-printed", keys.plain(1.0), personal=False)
        return {NAME: keys.Key(NAME, keys.plain(f"City {student}")), printed.exercise: printed}

    monkeypatch.setattr(record, "recorded", recorded)
    monkeypatch.setattr(lessons, "keys_of", lambda md, root=ROOT: md if md == MD else None)
    (tmp_path / "list.csv").write_text("student\n1\n2\n3\n")
    assert handout.keys(str(tmp_path / "list.csv"), [], str(tmp_path / "out")) == 1
    assert asked == [(MD, number) for number in "123"]
    assert "code cell 4 fails" in capsys.readouterr().out
    made = sorted((tmp_path / "out/01-city-innovation").iterdir())
    assert [f.name for f in made] == ["keys-1.json", "keys-2.json"]
    sealed = json.loads(made[1].read_text(encoding="utf-8"))["keys"]
    assert set(sealed) == {NAME}
    assert seal.judge_sealed(sealed[NAME], "city 2") is None and seal.judge_sealed(sealed[NAME], "city 1")
    with pytest.raises(nbs.LessonError, match="no lesson is called 'nowhere'"):
        handout.keys(str(tmp_path / "list.csv"), ["nowhere"], str(tmp_path))
