"""Commands that report: doctor, bench, data, scorecard."""

from __future__ import annotations

import json
import re

import pytest

import bench
import regionbook as rb
from regionbook.cli import __main__ as cli
from regionbook.cli import doctor, readme, score, teaching
from regionbook.cli.notebooks import LessonError, label, select
from regionbook.comparison import MARKS
from regionbook.data import papers
from regionbook.paths import ROOT


def test_doctor_on_this_machine(capsys):
    for check in doctor.CHECKS:
        for good, text in check():
            assert isinstance(good, bool) and text
    assert len(doctor.locked()) > 100


def test_doctor_says_what_to_mend(monkeypatch, capsys):
    real = doctor.locked()
    monkeypatch.setattr(doctor, "locked", lambda: real | {"pandas": "0.1", "no-such-package": "1.0"})
    monkeypatch.setattr(doctor, "CHECKS", [doctor.packages])
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert "2 packages are not as locked: " in out and "no-such-package 1.0 (there is: nothing)" in out
    assert "Delete the folder .venv" in out and "1 to mend." in out


def test_doctor_sees_a_wrong_kernel(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    class Spec:
        argv = ["/elsewhere/python", "-m", "ipykernel_launcher"]

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda self, name: Spec)
    ((good, text),) = doctor.kernel()
    assert not good and "starts /elsewhere/python" in text

    def none(self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    ((good, text),) = doctor.kernel()
    assert not good and "no Jupyter kernel" in text


def test_bench_prints_ratios_and_budgets(monkeypatch, capsys):
    monkeypatch.setattr(bench, "_benchmarks", {})
    bench.benchmark("fast", "against a loop")(lambda: (0.5, 2.0))
    bench.benchmark("slow", "alone", budget=1.0)(lambda: (3.0, None))
    assert bench.main() == 1
    fast, slow = capsys.readouterr().out.splitlines()[1:]
    assert "4.0" in fast and "against a loop" in fast
    assert slow.endswith("OVER BUDGET")


def test_bench_stands_outside_the_library(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "_benchmarks", {"fast": (lambda: (0.5, 2.0), "against a loop", None)})
    assert cli.main(["bench"]) == 0 and "against a loop" in capsys.readouterr().out
    monkeypatch.setattr(teaching, "ROOT", tmp_path)
    assert cli.main(["bench"]) == 1
    assert "came without bench of" in capsys.readouterr().err


def test_bench_start_up(monkeypatch):
    ours, pandas = bench.importing()
    assert ours < pandas


def test_a_truth_file_made_again_may_be_rounded_otherwise(tmp_path):
    texts = (
        '{"n": 54, "se": 9.598761}',
        '{"n": 54, "se": 9.59876}',
        '{"n": 55, "se": 9.59876}',
        '{"n": 54, "se": 9.6}',
    )
    files = [tmp_path / f"{k}.truth.json" for k in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    assert [teaching._same(files[0], file) for file in files] == [True, True, False, False]


def test_data_says_what_changed(monkeypatch, tmp_path, capsys):
    from first_four import city_innovation

    assert teaching.makers()["information-consumption"] == "information_consumption"
    monkeypatch.setattr(teaching, "makers", lambda: {"city-innovation": "first_four.city_innovation"})
    text = ["1,2\n"]
    monkeypatch.setattr(
        city_innovation, "write", lambda folder: (folder / "city-innovation.csv").write_text(text[0])
    )
    assert teaching.data([], folder=tmp_path) == 0
    assert "city-innovation.csv: new" in capsys.readouterr().out
    assert teaching.data([], check=True, folder=tmp_path) == 0
    assert "unchanged" in (out := capsys.readouterr().out) and "sync" not in out
    text[0] = "1,3\n"
    assert teaching.data(["city-innovation"], check=True, folder=tmp_path) == 1
    assert "changed (not written)" in capsys.readouterr().out
    assert (tmp_path / "city-innovation.csv").read_text() == "1,2\n"
    assert teaching.data([], folder=tmp_path) == 0
    assert (tmp_path / "city-innovation.csv").read_text() == "1,3\n"
    told = capsys.readouterr().out.split("\n  sync ")[1].split()
    assert {"chapters/01-city-innovation/2-regressions", "solutions/01-city-innovation/2-regressions"} <= set(
        told
    )
    assert "chapters/04-knowledge-flows/1-patents" not in told
    assert [label(md) for md in select(told)] == told
    with pytest.raises(LessonError, match="no teaching data are simulated for 'x'"):
        teaching.data(["x"], folder=tmp_path)


def test_scorecard_json_is_nothing_but_json(capsys):
    assert cli.main(["scorecard", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert set(card) == {"papers", "cells", "rules", "repeats"}
    counts = card["papers"]["city-innovation"]
    assert counts.pop("printed") == sum(counts.values()) > 0
    assert list(counts)[0] == "free_reproduced"


def test_scorecard_names_what_is_not_reproduced(capsys):
    """The tally, the rules, then a line for each such number: where it stands, printed, ours, why."""
    assert cli.main(["scorecard"]) == 0
    text = capsys.readouterr().out
    card = rb.scorecard(json=True)["cells"]
    for mark in ("free_reproduced", "close", "differs", "contradicted"):
        there = [c for c in card if c["mark"] == mark]
        part = re.split(f"{MARKS[mark][1].capitalize()}: {len(there)}[^\n]*\n", text)[1]
        part = part.partition("\n\n")[0].splitlines()
        assert len(part) == len(there) > 0
        assert all(c["reason"] in line for c, line in zip(there, part, strict=True))
    assert "  city-innovation, Table 4, 1, _cons: printed " in text
    assert "weight: within 0.5 points and 25 % of itself" in text


def test_the_readme_is_in_step(tmp_path):
    """Between its markers README.md has what `sync` writes; papers without lessons share a line."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {found[2] for found in readme.PART.finditer(text)} == set(readme.PARTS)
    assert readme.written(text) == text, "run workbook.py sync"
    card = rb.scorecard()
    begun = int((card["not_attempted"] + card["not_computable"] < card["printed"]).sum())
    others = f"| {len(papers()) - begun} other"
    assert score.table().count("\n") == 2 + begun + (begun < len(papers()))
    assert (others in score.table()) == (begun < len(papers()))
    old = "a\n<!-- scorecard, written by sync -->\nold\n<!-- end of scorecard -->\nb\n"
    (tmp_path / "README.md").write_text(old, encoding="utf-8")
    readme.write(tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == old.replace("old\n", score.table())
    readme.write(tmp_path / "nowhere")


def test_errors_in_words(capsys):
    assert cli.main(["run", "no-such-lesson"]) == 1
    assert "no lesson is called 'no-such-lesson'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["no-such-command"])
