"""Grading without a course: points, deleted cells, warnings, tampering, time-outs."""

from __future__ import annotations

import copy
import csv
import shutil

import nbformat
import pytest

from regionbook.cli import grading, lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import grade as grading_of
from regionbook.exercises.generate import STUB, exercise
from regionbook.exercises.grade import grade
from regionbook.paths import ROOT

pytestmark = pytest.mark.lessons
MD = ROOT / "tests/sample/solutions/01-sample/1-index.md"
RIGHT = """def entropy_weights(raw):
    p = raw / raw.sum()
    e = -(p * np.log(p)).sum() / np.log(len(p))
    return (1 - e) / (1 - e).sum()"""


@pytest.fixture(scope="module")
def solution():
    return nbs.canonical(nbs.read_text(MD), MD.stem)


@pytest.fixture
def handed_out(solution):
    return exercise(solution, MD.stem)


def cell(nb, name):
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def test_what_is_handed_out(solution, handed_out):
    text = nbs.dumps(handed_out)
    for word in ("BEGIN SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "unequal", "Labelled axes"):
        assert word not in text and word in nbs.dumps(solution)
    assert "raise NotImplementedError" in cell(handed_out, "weights").source
    assert STUB in cell(handed_out, "read").source
    assert cell(handed_out, "weights-check").metadata.editable is False
    assert nbs.dumps(exercise(solution, MD.stem)) == text  # the same from run to run
    assert cell(solution, "weights").source.count("SOLUTION") == 2  # and the solution is left alone


def test_untouched(solution, handed_out, tmp_path):
    g = grade(handed_out, solution, tmp_path)
    assert g.points == {"weights-check": 0, "read": 0, "picture": None}
    assert g.maximum == {"weights-check": 2, "read": 3, "picture": 4}
    assert (g.total, g.by_hand, g.student) == (0, ["picture"], "")
    assert any("weights-check: NotImplementedError" in note for note in g.notes)


def test_right(solution, handed_out, tmp_path):
    """A warning is not a mistake, and a test cell pasted twice counts once."""
    cell(handed_out, "weights").source = RIGHT.replace("    p =", "    warnings.warn('careful')\n    p =")
    cell(handed_out, "read").source = "b, because it is more unequal."
    handed_out.cells.append(copy.deepcopy(cell(handed_out, "weights-check")))
    handed_out.cells[1].source = handed_out.cells[1].source.replace('student = ""', 'student = "20260001"')
    before = nbs.dumps(handed_out)
    g = grade(handed_out, solution, tmp_path)
    assert g.points == {"weights-check": 2, "read": None, "picture": None}
    assert (g.total, g.student, g.notes) == (2, "20260001", [])
    assert nbs.dumps(handed_out) == before


def test_hidden_tests_count_whatever_was_done_to_the_cell(solution, handed_out, tmp_path):
    cell(
        handed_out, "weights"
    ).source = "def entropy_weights(raw):\n    return pd.Series({'a': 0.5, 'b': 0.5})"
    check = cell(handed_out, "weights-check")
    check.source = "pass"
    check.metadata.nbgrader["points"] = 100
    g = grade(handed_out, solution, tmp_path)
    assert (g.points["weights-check"], g.maximum["weights-check"]) == (0, 2)
    assert any("AssertionError" in note for note in g.notes)


def test_a_deleted_cell_is_named(solution, handed_out, tmp_path):
    handed_out.cells.remove(cell(handed_out, "weights-check"))
    g = grade(handed_out, solution, tmp_path)
    assert g.points["weights-check"] == 0
    assert "cell 'weights-check' was deleted" in g.notes


def test_a_deleted_test_is_run_all_the_same(solution, handed_out, tmp_path):
    """VS Code lets one delete locked cells; the test stands where it stood, before later cells use the names anew."""
    cell(handed_out, "weights").source = RIGHT
    handed_out.cells.remove(cell(handed_out, "weights-check"))
    handed_out.cells.append(nbformat.v4.new_code_cell("entropy_weights = None"))
    g = grade(handed_out, solution, tmp_path)
    assert g.points["weights-check"] == 2
    assert "cell 'weights-check' was deleted" in g.notes


@pytest.mark.parametrize(
    "line",
    [
        "%pip install -q six==1.16.0", "!pip uninstall -y six", "pip install six", "!{sys.executable} -m pip install six",
        "    %conda install six", "! python -m pip install six", "%%bash\npip install six", "!uv pip install six",
    ],
)  # fmt: skip
def test_lines_that_install(line):
    assert "install" not in grading_of.INSTALLS.sub("pass", f"x = 1\n{line}\ny = 2")


@pytest.mark.parametrize(
    "line", ["pip = 3", "%matplotlib inline", "uv = 2", "pipeline = fit()", "# pip install x", "!ls"]
)
def test_lines_that_install_nothing(line):
    assert grading_of.INSTALLS.sub("pass", line) == line


def test_nothing_is_installed_while_grading(solution, handed_out, tmp_path):
    cell(handed_out, "weights").source = "%pip install -q no-such-package-anywhere\n" + RIGHT
    g = grade(handed_out, solution, tmp_path)
    assert g.points["weights-check"] == 2
    assert any("was not run: nothing is installed here" in note for note in g.notes)


def test_an_endless_cell(solution, handed_out, tmp_path):
    cell(handed_out, "weights").source = "while True: pass"
    g = grade(handed_out, solution, tmp_path, timeout=15)
    assert g.points["weights-check"] == 0
    assert any(note.startswith("weights: ") for note in g.notes)


def test_a_test_that_will_not_be_stopped_gives_nothing(solution, handed_out, tmp_path, monkeypatch):
    monkeypatch.setattr(grading_of, "PATIENCE", 3)  # then it counts as lost
    stubborn = """def entropy_weights(raw):
    import time
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            time.sleep(1)
        except KeyboardInterrupt:
            pass"""
    cell(handed_out, "weights").source = stubborn
    g = grade(handed_out, solution, tmp_path, timeout=15)
    assert g.points["weights-check"] == 0
    assert "weights-check: CellTimeoutError; what follows was not run" in g.notes


def test_an_error_before_the_test_is_named(solution, handed_out, tmp_path):
    cell(handed_out, "weights").source = "def entropy_weights(raw:\n    return raw"
    g = grade(handed_out, solution, tmp_path)
    assert g.points["weights-check"] == 0
    assert any(note.startswith("weights: SyntaxError: ") for note in g.notes)


def test_a_test_turned_into_text_is_run_all_the_same(solution, handed_out, tmp_path):
    cell(handed_out, "weights").source = RIGHT
    check = cell(handed_out, "weights-check")
    check.cell_type, check.source = "markdown", "done"
    for name in ("outputs", "execution_count"):
        check.pop(name)
    assert grade(handed_out, solution, tmp_path).points["weights-check"] == 2


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("import os; os._exit(0)", "weights"),
        ("import os\ndef entropy_weights(raw): os._exit(0)", "weights-check"),
    ],
    ids=["before", "inside"],
)
def test_a_test_that_never_ended_gives_nothing(code, ends, solution, handed_out, tmp_path):
    cell(handed_out, "weights").source = code
    cell(handed_out, "weights-check").metadata["execution"] = {"shell.execute_reply": "2026-01-01T00:00:00Z"}
    g = grade(handed_out, solution, tmp_path)
    assert g.points["weights-check"] == 0
    assert any(note.startswith(f"{ends}: DeadKernelError") for note in g.notes)


def test_another_notebook(solution, tmp_path):
    with pytest.raises(ValueError, match="another exercise"):
        grade(nbformat.v4.new_notebook(metadata=solution.metadata), solution, tmp_path)


@pytest.fixture
def course(tmp_path, monkeypatch, handed_out):
    """A project with one solution and a folder of two submissions, one of them no notebook inside."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "tests/sample", root)
    folder = tmp_path / "handed-in"
    folder.mkdir()
    cell(handed_out, "weights").source = RIGHT
    nbs.write(nbs.dumps(handed_out), folder / "li-lei.ipynb")
    nbs.write("not JSON", folder / "mei.ipynb")
    monkeypatch.setattr(grading, "ROOT", root)
    monkeypatch.setattr(grading.solution_of, "__defaults__", (root,))
    monkeypatch.setattr(nbs.label, "__defaults__", (root,))
    return folder


def test_command(course, tmp_path, capsys):
    table = tmp_path / "points.csv"
    assert grading.main([str(course)], str(table), None, 60) == 1
    out = capsys.readouterr().out
    assert "mei.ipynb\n  not graded" in out and " not graded   " in out
    assert "    2/9" in out and "(shared)" in out and "li-lei.ipynb" in out
    rows = list(csv.DictReader(table.open(encoding="utf-8-sig")))
    assert [(r["cell"], r["points"], r["maximum"]) for r in rows] == [
        ("weights-check", "2", "2"),
        ("read", "0", "3"),
        ("picture", "", "4"),
        ("", "", ""),
    ]
    assert rows[0]["exercise"] == "solutions/01-sample/1-index" and rows[2]["notes"] == "read"
    assert rows[3]["file"].endswith("mei.ipynb")
    assert rows[3]["notes"].startswith("not graded: mei.ipynb is no notebook")


def test_one_broken_file_does_not_stop_the_others(course, tmp_path, capsys, monkeypatch):
    """What a file may hold, and what may happen: each is named, in the table too."""
    for name, body in {"a": "", "b": "[1]", "c": "{}", "d": '{"cells": []}'}.items():
        nbs.write(body, course / f"{name}.ipynb")
    (course / "e.ipynb").write_bytes('{"cells": "中文"}'.encode("gb18030"))
    shutil.copy(ROOT / "tests/sample/solutions/01-sample/1-index.md", course / "f.ipynb")

    def stumble(nb, *rest):
        raise RuntimeError("no kernel")

    monkeypatch.setattr(grading, "grade", stumble)
    table = tmp_path / "points.csv"
    assert grading.main([str(course)], str(table), None, 60) == 8
    out = capsys.readouterr().out
    assert "a.ipynb is no notebook (it is empty)" in out
    assert out.count("is no notebook (its content is not a notebook's): open it in JupyterLab") == 2 * 5
    assert out.count("d.ipynb is no notebook (it has no cells)") == 2
    assert "li-lei.ipynb\n  not graded: RuntimeError: no kernel" in out
    assert len(list(csv.DictReader(table.open(encoding="utf-8-sig")))) == 8


def test_command_bad_input(course, tmp_path):
    with pytest.raises(nbs.LessonError, match=r"missing.ipynb: not in /?\w"):
        grading.submissions([str(tmp_path / "missing.ipynb")])
    (tmp_path / "notes.txt").write_text("read me")
    with pytest.raises(nbs.LessonError, match="notes.txt: not a notebook"):
        grading.submissions([str(tmp_path / "notes.txt")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(nbs.LessonError, match="no notebooks in"):
        grading.submissions([str(tmp_path / "empty")])
    with pytest.raises(nbs.LessonError, match="x.ipynb has no cell of any exercise: is it a lesson"):
        grading.solution_of(nbformat.v4.new_notebook(), course / "x.ipynb", None)


def test_command_says_first_what_cannot_work(course, tmp_path):
    """Before hours of grading, not after."""
    with pytest.raises(nbs.LessonError, match=r"--csv .*points.csv cannot be written .*is its folder there"):
        grading.main([str(course)], str(tmp_path / "nowhere" / "points.csv"), None, 60)
    with pytest.raises(nbs.LessonError, match="--timeout 0: give the seconds"):
        grading.main([str(course)], None, None, 0)
    with pytest.raises(nbs.LessonError, match="no lesson is called '7-none'"):
        grading.main([str(course)], None, "7-none", 60)


def test_exercise_belongs_to_a_solution_only():
    assert lessons.exercise_of(ROOT / "chapters/01-x/1-y.md") is None
    assert lessons.exercise_of(ROOT / "solutions/01-x/1-y.md") == ROOT / "exercises/01-x/1-y.ipynb"


def test_keys_of_the_student_are_there_before_a_cell_needs_them(solution, monkeypatch):
    asked = []
    monkeypatch.setattr(grading.record, "recorded", lambda md, number: asked.append((md.stem, number)))
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('x = 1\nstudent = "2026"  # mine')])
    md = ROOT / "solutions/01-city-innovation/2-regressions.md"
    grading._ready(nb, md)
    grading._ready(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('student = ""')]), md)
    grading._ready(nb, MD)  # a sheet without keys
    assert asked == [("2-regressions", "2026")]
