"""Text to notebook to exercise: the machinery, tried on a small sample project (tests/sample)."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT
from regionbook.widgets import WIDGET

pytestmark = pytest.mark.lessons
KERNEL = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The sample project after a first sync."""
    root = tmp_path_factory.mktemp("project") / "sample"
    shutil.copytree(ROOT / "tests" / "sample", root)
    assert lessons.sync([], root=root) == 0
    return root


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def notebook(*outputs, source="x"):
    return new_notebook(cells=[new_code_cell(source, outputs=list(outputs))], metadata=KERNEL)


def display(**data):
    return new_output("display_data", data={k.replace("_", "/", 1): v for k, v in data.items()})


def test_a_second_sync_gives_equal_bytes(project, capsys):
    before = files(project)
    assert set(before) == {
        "chapters/01-sample/1-index.md",
        "chapters/01-sample/1-index.ipynb",
        "solutions/01-sample/1-index.md",
        "solutions/01-sample/1-index.ipynb",
        "exercises/01-sample/1-index.ipynb",
        "solutions/agreed.json",
    }
    assert lessons.sync([], everything=True, root=project) == 0
    assert files(project) == before
    capsys.readouterr()
    assert lessons.sync([], root=project) == 0
    assert "0 executed, 2 in step already" in capsys.readouterr().out
    source = ROOT / "tests" / "sample"
    assert all(
        before[name] == data for name, data in files(source).items()
    )  # the texts were canonical already


def test_what_is_stored(project):
    nb = nbformat.read(project / "chapters/01-sample/1-index.ipynb", as_version=4)
    kinds = [
        sorted(k for o in c.get("outputs", []) for k in o.get("data", [o.output_type])) for c in nb.cells
    ]
    assert "application/vnd.regionbook.compare+json" in sum(kinds, [])
    assert WIDGET not in sum(kinds, [])
    assert kinds[-2] == [
        "image/png",
        "text/html",
    ]  # the slider: a picture, and the text as an output of its own
    assert kinds[-1] == ["error"]
    assert set(nb.metadata) == {"kernelspec", "language_info"}
    assert len({c.id for c in nb.cells}) == len(nb.cells)


def test_a_changed_text_is_out_of_step_and_mended(project, tmp_path, capsys):
    root = tmp_path / "changed"
    shutil.copytree(project, root)
    md = root / "solutions/01-sample/1-index.md"
    assert nbs.in_step(md) == ""
    md.write_text(md.read_text().replace("Write your student number", "Type your student number"))
    assert "Type your student number" in nbs.in_step(md)
    ids = {c.source: c.id for c in nbformat.read(md.with_suffix(".ipynb"), as_version=4).cells}
    assert lessons.sync([], root=root) == 0
    assert "1 executed, 1 in step already, 1 exercises made" in capsys.readouterr().out
    assert nbs.in_step(md) == ""
    now = {c.source: c.id for c in nbformat.read(md.with_suffix(".ipynb"), as_version=4).cells}
    assert (
        sum(ids.get(source) != name for source, name in now.items()) == 1
    )  # only the changed cell has a new id


def test_a_notebook_saved_elsewhere_is_out_of_step(project, tmp_path):
    root = tmp_path / "saved"
    shutil.copytree(project, root)
    md = root / "chapters/01-sample/1-index.md"
    nb = nbformat.read(md.with_suffix(".ipynb"), as_version=4)
    nb.metadata["widgets"] = {}
    nbformat.write(nb, md.with_suffix(".ipynb"))
    assert "run it" in nbs.in_step(md)
    md.with_suffix(".ipynb").unlink()
    assert "missing" in nbs.in_step(md)


def test_a_failing_lesson_is_said_and_nothing_written(project, tmp_path, capsys):
    root = tmp_path / "failing"
    shutil.copytree(project, root)
    md = root / "chapters/01-sample/1-index.md"
    md.write_text(md.read_text().replace(":tags: [raises-exception]\n\n", ""))
    before = files(root)
    assert lessons.sync([], root=root) == 1
    out = capsys.readouterr().out
    assert "code cell 8 fails: ValueError: the sample wants this error" in out and "1 failed" in out
    assert files(root) == before


def test_run_writes_nothing(project, capsys):
    before = files(project)
    assert lessons.run(["solutions/01-sample/1-index"], root=project) == 0
    assert "solutions/01-sample/1-index  ok (slowest cell" in capsys.readouterr().out
    assert files(project) == before


def test_names(project):
    lesson, solution = nbs.sources(project)
    assert nbs.select(["sample"], project) == nbs.select(["01-sample"], project) == [lesson, solution]
    for name in ("chapters/01-sample/1-index.md", "chapters/01-sample/1-index.ipynb", str(lesson)):
        assert nbs.select([name], project) == [lesson]
    assert nbs.select(["solutions/01-sample"], project) == [solution]
    assert nbs.select(["1-index"], project) == nbs.select(["index"], project) == [lesson, solution]
    with pytest.raises(nbs.LessonError, match="no lesson is called 'no-such'; there are: sample"):
        nbs.select(["no-such"], project)


def test_readme_and_glossary_are_no_lessons(tmp_path):
    for name in (
        "chapters/README.md",
        "chapters/01-x/README.md",
        "chapters/01-x/glossary.md",
        "solutions/01-x/notes.md",
    ):
        nbs.write("# x\n", tmp_path / name)
    assert nbs.sources(tmp_path) == []
    assert lessons.sync([], root=tmp_path) == 0


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (new_output("stream", name="stderr", text="UserWarning: careful"), "must not write to stderr"),
        (
            new_output("stream", name="stdout", text="read /home/li/data.csv"),
            "changes from run to run: '/home/'",
        ),
        (display(text_plain="[<Line2D at 0x7f8e5c0d2a90>]"), "end the cell with ';'"),
        (
            display(text_plain="IntSlider()", **{"application_vnd.jupyter.widget-view+json": {}}),
            "regionbook.widgets",
        ),
    ],
)
def test_what_must_not_be_stored(output, words):
    with pytest.raises(nbs.LessonError, match="cell 1 ") as caught:
        nbs.canonical(notebook(output), "x")
    assert words in str(caught.value)


def test_a_text_without_header():
    with pytest.raises(nbs.LessonError, match="no header"):
        nbs.canonical(new_notebook(), "x")


def test_pictures_get_small_or_are_refused():
    from PIL import Image

    def png(pixels):
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG")
        return out.getvalue()

    ramp = np.linspace(0, 255, 400 * 600 * 3).reshape(400, 600, 3).astype("uint8")
    small = nbs.small_png(png(ramp))
    assert len(small) <= nbs.IMAGE_LIMIT
    assert nbs.small_png(small) == small  # once is enough: a second sync changes nothing
    noise = np.random.default_rng(1).integers(0, 255, (600, 900, 3), dtype="uint8")
    with pytest.raises(nbs.LessonError, match="draw it smaller"):
        nbs.small_png(png(noise))
    picture = display(
        image_png=base64.b64encode(png(ramp)).decode(), text_plain="<Figure size 640x480 with 1 Axes>"
    )
    stored = nbs.canonical(notebook(picture), "x").cells[0].outputs
    assert [sorted(o.data) for o in stored] == [["image/png"]]


def test_time_and_random_ids_are_taken_out():
    assert nbs.steady("Date: Sat, 21 Nov 2026\nTime: 10:20:30 end") == nbs.steady(
        "Date: Mon, 23 Nov 2026\nTime: 11:00:01 end"
    )
    assert nbs.steady("Sat, Nov 21 2026") == " " * 16  # linearmodels
    one, two = (f'<table id="T_{i}"><td id="T_{i}_row0">{3}</td>' for i in ("1a2b3", "9f8e7"))
    assert nbs.steady(one) == nbs.steady(two) != nbs.steady(one.replace(">3<", ">4<"))
    assert nbs.steady(nbs.steady(one)) == nbs.steady(one)
    assert nbs.steady("a ratio of 3:2, at 12:30") == "a ratio of 3:2, at 12:30"


def test_a_slow_cell_and_a_dead_kernel():
    with pytest.raises(nbs.LessonError, match="takes longer than 1 s"):
        nbs.execute(notebook(source="import time; time.sleep(30)"), ROOT, timeout=1)
    with pytest.raises(nbs.LessonError, match="kernel died"):
        nbs.execute(notebook(source="import os; os._exit(1)"), ROOT)


def test_nbval_compares_the_sample_strictly(project, tmp_path):
    """The project's own conftest.py passes what `sync` stored, and sees each kind of change."""
    root = tmp_path / "tested"
    shutil.copytree(project, root)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root)

    def pytest_says():
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n0",
            "-p",
            "no:cacheprovider",
            "--tb=no",
            "chapters",
        ]
        return subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.splitlines()[-1]

    assert pytest_says().startswith("8 passed")
    path = root / "chapters/01-sample/1-index.ipynb"
    text = path.read_text()
    changes = {
        "a number of a table": ('"internet    0.3783', '"internet    0.3785'),
        "a cell of an HTML table": ("<td>1.451</td>", "<td>1.453</td>"),
        "a printed line": ("sum of weights 1.0", "sum of weights 1.2"),
        "a recorded comparison": ('"own": 0.031', '"own": 0.033'),
        "the text of the slider": ("standard deviation <b>3.724", "standard deviation <b>3.726"),
        "an error's message": ('"evalue": "the sample wants this error"', '"evalue": "the sample wants"'),
    }
    for old, new in changes.values():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)
    assert pytest_says().startswith(f"{len(changes) - 1} failed")  # two of the changes are in one cell


ROUNDING = [
    ("<td>8.3127</td>", "<td>8.3128</td>", True),  # the same regression on two processors
    ("<td>8.3127</td>", "<td>8.3129</td>", False),
    ("<td>8.3127***</td>", "<td>8.3128**</td>", False),
    ("T_0a1b2c3d_row0: 9.9999", "T_ffffffff_row0: 10.0000", True),
    ("     9.99\nlonger", "    10.00\nlonger", True),
    ("0.00", "-0.00", True),
    ("−0.52 (0.10)", "−0.51 (0.10)", True),
    ("0.52", "-0.52", False),
    ("t = 8.32", "t = 8.3199", True),  # round(8.31995, 4)
    ("t = 8.32", "t = 8.3198", False),
    ("1.23e-05", "1.24e-05", True),
    ("1.23e-05", "1.23e-06", False),
    ('"own": 0.00214046', '"own": 0.00214044', True),  # six digits of a number that is good to five
    ('"own": 0.0021', '"own": 0.0023', False),
    ("2,800 cities", "2,801 cities", False),
    ("1,234.5", "1,234.6", True),
    ("1.0 2.0", "1.0", False),
    ("1.0 city", "1.0 cities", False),
]


@pytest.mark.parametrize(("one", "other", "same"), ROUNDING)
def test_only_rounding_is_forgiven(one, other, same):
    assert nbs.same_but_for_rounding(one, other) is same
    assert nbs.same_but_for_rounding(other, one) is same
