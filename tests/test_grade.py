"""Grading: points, cells that are gone or changed, endless ones, deliveries, the command, what is kept."""

from __future__ import annotations

import copy
import csv
import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile

import nbformat
import psutil
import pytest

from regionbook.cli import grading, lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises.generate import STUB, exercise
from regionbook.grading import delivery, results, sandbox, sheets, work
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


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A project with one solution."""
    root = tmp_path_factory.mktemp("sample") / "project"
    shutil.copytree(ROOT / "tests/sample", root)
    return root


@pytest.fixture(scope="module")
def desk(sample):
    """All that grades sheets of the sample: a class and one worker, in whatever sandbox this machine has."""
    md = sample / "solutions/01-sample/1-index.md"
    with sandbox.prepared() as place:
        kind = sandbox.choose(place, trust=True)
        school = work.Class({md: md.read_text(encoding="utf-8")}, sample, kind, place, 10)
        worker = work.Worker(kind, place, 10)
        yield school, worker
        worker.close()


@pytest.fixture
def grade(desk):
    def graded(nb, name="sheet.ipynb"):
        content = nb if isinstance(nb, bytes) else nbs.dumps(nb).encode()
        return desk[0].result(delivery.Handed(name, content), desk[1])

    return graded


def cell(nb, name):
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def said(result, at):
    return "; ".join(text for name, text in result.notes if name == at)


def test_what_is_handed_out(solution, handed_out):
    text = nbs.dumps(handed_out)
    for word in ("BEGIN SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "unequal", "Labelled axes"):
        assert word not in text and word in nbs.dumps(solution)
    assert "raise NotImplementedError" in cell(handed_out, "weights").source
    assert STUB in cell(handed_out, "read").source
    assert cell(handed_out, "weights-check").metadata.editable is False
    assert nbs.dumps(exercise(solution, MD.stem)) == text  # the same from run to run
    assert cell(solution, "weights").source.count("SOLUTION") == 2  # and the solution is left alone


# --- points ------------------------------------------------------------------------------------------


def test_untouched(handed_out, grade):
    r = grade(handed_out)
    assert r.points == {"weights-check": 0, "read": 0, "picture": None}
    assert r.maximum == {"weights-check": 2, "read": 3, "picture": 4}
    assert (r.total, r.by_hand, r.student, r.exercise) == (0, ["picture"], "", "01-sample/1-index")
    assert "NotImplementedError" in said(r, "weights-check") and not r.failed and not r.code


def test_right(handed_out, grade):
    """A warning is not a mistake, and a test cell pasted twice counts once."""
    cell(handed_out, "weights").source = RIGHT.replace("    p =", "    warnings.warn('careful')\n    p =")
    cell(handed_out, "read").source = "b, because it is more unequal."
    handed_out.cells.append(copy.deepcopy(cell(handed_out, "weights-check")))
    handed_out.cells[1].source = handed_out.cells[1].source.replace('student = ""', 'student = "0020260001"')
    before = nbs.dumps(handed_out)
    r = grade(handed_out)
    assert r.points == {"weights-check": 2, "read": None, "picture": None}
    assert (r.total, r.student, r.notes) == (2, "20260001", ())
    assert (
        nbs.dumps(handed_out) == before and set(r.code) == {"weights"} and set(r.answers) == {"weights-check"}
    )


def test_code_marks_see_through_names_and_comments(handed_out):
    own = sheets.Cell("code", RIGHT)
    other = sheets.Cell(
        "code",
        RIGHT.replace("p ", "share ").replace("(p)", "( share )").replace("p *", "share *") + "  # mine",
    )
    given = cell(handed_out, "weights").source
    assert sheets.code_mark(own, given) == sheets.code_mark(other, given) != ""
    assert sheets.code_mark(sheets.Cell("code", RIGHT.replace("1 - e", "2 - e")), given) != sheets.code_mark(
        own, given
    )
    assert (
        sheets.code_mark(sheets.Cell("code", "def f(:"), "")
        == sheets.code_mark(sheets.Cell("code", "x = 1"), "")
        == ""
    )


def test_hidden_tests_count_whatever_was_done_to_the_cell(handed_out, grade):
    cell(
        handed_out, "weights"
    ).source = "def entropy_weights(raw):\n    return pd.Series({'a': 0.5, 'b': 0.5})"
    check = cell(handed_out, "weights-check")
    check.source = "pass"
    check.metadata.nbgrader["points"] = 100
    r = grade(handed_out)
    assert (r.points["weights-check"], r.maximum["weights-check"]) == (0, 2)
    assert "AssertionError" in said(r, "weights-check")


def test_a_deleted_test_is_run_all_the_same(handed_out, grade):
    """VS Code lets one delete locked cells; the test stands where it stood, before later cells use the names anew."""
    cell(handed_out, "weights").source = RIGHT
    handed_out.cells.remove(cell(handed_out, "weights-check"))
    handed_out.cells.append(nbformat.v4.new_code_cell("entropy_weights = None"))
    r = grade(handed_out)
    assert r.points["weights-check"] == 2
    assert ("", "cell 'weights-check' was deleted") in r.notes


def test_a_test_turned_into_text_is_run_all_the_same(handed_out, grade):
    cell(handed_out, "weights").source = RIGHT
    check = cell(handed_out, "weights-check")
    check.cell_type, check.source = "markdown", "done"
    for name in ("outputs", "execution_count"):
        check.pop(name)
    assert grade(handed_out).points["weights-check"] == 2


def test_a_written_answer_that_was_emptied_is_none(handed_out, grade):
    cell(handed_out, "read").source = "\n"
    assert grade(handed_out).points["read"] == 0


# --- cells that do not end, or end everything --------------------------------------------------------


def test_an_endless_cell_costs_its_own_points(handed_out, grade):
    handed_out.cells.insert(2, nbformat.v4.new_code_cell("while True: pass"))
    cell(handed_out, "weights").source = RIGHT
    r = grade(handed_out)
    assert r.points["weights-check"] == 2
    assert "'while True: pass'" in said(r, "") and "stopped after 10 s" in said(r, "")


def test_a_function_that_will_not_be_stopped_gives_nothing(handed_out, grade):
    stubborn = """def entropy_weights(raw):
    import time
    while True:
        try:
            time.sleep(1)
        except KeyboardInterrupt:
            pass"""
    cell(handed_out, "weights").source = stubborn
    r = grade(handed_out)
    assert r.points["weights-check"] == 0
    assert "could not be stopped" in said(r, "weights-check")


@pytest.mark.parametrize(
    "code", ["import os; os._exit(0)", "import os\ndef entropy_weights(raw): os._exit(0)", "import sys; sys.exit()"],
    ids=["before", "inside", "exit"],
)  # fmt: skip
def test_what_ends_the_process_gives_nothing_and_costs_no_other(code, handed_out, grade):
    cell(handed_out, "weights").source = code
    r = grade(handed_out)
    assert r.points == {"weights-check": 0, "read": 0, "picture": None} and not r.failed


def test_an_error_before_the_test_is_named_where_it_counts(handed_out, grade):
    cell(handed_out, "weights").source = "def entropy_weights(raw:\n    return raw"
    r = grade(handed_out)
    assert r.points["weights-check"] == 0
    assert "in 'weights': SyntaxError: " in said(r, "weights-check")


def test_stopping_ends_all_and_keeps_what_is_done(desk, handed_out):
    """As Ctrl+C does: sheets that were running are neither kept nor left running."""
    endless = copy.deepcopy(handed_out)
    endless.cells.insert(2, nbformat.v4.new_code_cell("while True: pass"))
    sheets_ = [
        delivery.Handed(f"{k}.ipynb", nbs.dumps(nb).encode())
        for k, nb in enumerate([handed_out, endless, endless])
    ]
    kept, before = [], psutil.Process().children()
    running = work.side_by_side(dataclasses.replace(desk[0], timeout=600), sheets_, 2, kept.append)
    assert next(running).file == "0.ipynb"
    time.sleep(1)
    running.close()
    assert [r.file for r in kept] == ["0.ipynb"] and psutil.Process().children() == before


def test_what_the_sandbox_fetches(desk, tmp_path):
    """What the solution's own code imports on its way too, and nothing of the judge's."""
    md = tmp_path / "solutions/01-sample/1-index.md"
    md.parent.mkdir(parents=True)
    text = MD.read_text(encoding="utf-8")
    assert "wave" not in text and sheets.imports(MD) >= {"numpy", "pandas"}
    md.write_text(
        text.replace("    ### BEGIN SOLUTION", "    ### BEGIN SOLUTION\n    import wave"), encoding="utf-8"
    )
    start = desk[1].ask({"op": "start", "solution": str(md), "student": ""})
    rooms = {module.split(".")[0] for module in start["modules"]}
    assert "wave" in rooms and not rooms & {"jupytext", "nbformat", "jsonschema"}


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked on Windows")
def test_what_a_killed_grader_leaves(tmp_path, monkeypatch):
    """The next run takes its folder away; not that of a grader at work, of other users, nor what only has the name."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "from regionbook.grading import sandbox\nwith sandbox.prepared() as place: print(place.scratch, flush=True), input()"
    line = [sys.executable, "-c", code]
    env = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT / "lib")}
    mine = tmp_path / "regionbook-grading-week-4"
    mine.mkdir()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(line, env=env, text=True, **pipes) as grader:
        place = tmp_path / grader.stdout.readline().strip()
        deep = place / "work" / "a" / "b"
        deep.mkdir(parents=True)
        with sandbox.prepared():
            assert deep.exists()
        grader.kill()
    assert deep.exists()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with sandbox.prepared():
            assert deep.exists()
    with sandbox.prepared() as own:
        assert sorted(tmp_path.iterdir()) == sorted([mine, own.scratch])


@pytest.mark.parametrize(
    "line",
    [
        "%pip install -q six==1.16.0", "!pip uninstall -y six", "pip install six", "!{sys.executable} -m pip install six",
        "    %conda install six", "! python -m pip install six", "%%bash\npip install six", "!uv pip install six",
    ],
)  # fmt: skip
def test_lines_that_install(line):
    assert "install" not in sheets.INSTALLS.sub("pass", f"x = 1\n{line}\ny = 2")


@pytest.mark.parametrize(
    "line", ["pip = 3", "%matplotlib inline", "uv = 2", "pipeline = fit()", "# pip install x", "!ls"]
)
def test_lines_that_install_nothing(line):
    assert sheets.INSTALLS.sub("pass", line) == line


def test_nothing_is_installed_while_grading(handed_out, grade):
    cell(handed_out, "weights").source = "%pip install -q no-such-package-anywhere\n" + RIGHT
    r = grade(handed_out)
    assert r.points["weights-check"] == 2
    assert "was not run: nothing is installed here" in said(r, "weights-check")


# --- sheets that a program has changed ---------------------------------------------------------------


def test_names_lost(handed_out, grade):
    """Known by text and place: the tests, the answer in code, the answer in words."""
    cell(handed_out, "weights").source = "# my way\n" + RIGHT
    cell(handed_out, "read").source = "b, because it is more unequal."
    handed_out.cells.insert(3, nbformat.v4.new_code_cell("1 + 1"))
    for c in handed_out.cells:
        c.metadata = nbformat.NotebookNode({"vscode": {"languageId": "python"}})
        c.pop("id", None)
    r = grade(handed_out)
    assert r.points == {"weights-check": 2, "read": None, "picture": None}
    assert "matched with the hand-out by text and place" in said(r, "")


@pytest.mark.parametrize("odd", [7, "x", [1], {"grade_id": 5}, {"grade_id": ["weights"]}, None], ids=repr)
def test_metadata_of_another_type(odd, handed_out, grade):
    cell(handed_out, "weights").source = RIGHT
    cell(handed_out, "weights").metadata.nbgrader = odd
    assert grade(json.dumps(handed_out).encode()).points["weights-check"] == 2


def test_format_3_and_sources_in_lines(handed_out, grade):
    cell(handed_out, "weights").source = RIGHT
    old = nbformat.convert(copy.deepcopy(handed_out), 3)
    assert grade(nbformat.v3.nbjson.writes(old).encode()).points["weights-check"] == 2
    raw = json.loads(nbs.dumps(handed_out))
    for c in raw["cells"]:
        c["source"] = c["source"] if isinstance(c["source"], list) else c["source"].splitlines(True)
        c["metadata"]["colab"] = {"base_uri": "x"}
    assert grade(b"\xef\xbb\xbf" + json.dumps(raw).encode()).points["weights-check"] == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"[1]", b"{}", b'{"cells": 1}', b'{"cells": [1]}', '{"cells": "中文"}'.encode("gb18030"), b"[" * 100_000, b"---\nx"],
    ids=["empty", "list", "nothing", "number", "numbers", "gb18030", "deep", "text"],
)  # fmt: skip
def test_what_is_no_notebook_is_told_so(content, grade):
    assert "it is no notebook" in grade(content).failed


def test_a_notebook_of_no_exercise(grade):
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    assert "sheet.ipynb has no cell of any exercise: is it a lesson" in grade(lesson).failed


def test_a_number_that_is_none_is_told(handed_out, grade):
    handed_out.cells[1].source = handed_out.cells[1].source.replace('student = ""', 'student = "Li Lei"')
    assert "'Li Lei' is not a student number" in grade(handed_out).failed


# --- deliveries --------------------------------------------------------------------------------------


def zipped(files, flag=True):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["Li Lei_123_assignsubmission_file_/2-x.ipynb", "Mei_124_assignsubmission_file_/2-x.ipynb"], ["Li Lei", "Mei"]),
        (["Li Lei_123_assignsubmission_file_2-x.ipynb"], ["Li Lei"]),
        (["leili_17_2201_2-x.ipynb", "meihan_LATE_18_2202_2-x-1.ipynb"], ["leili", "meihan"]),
        (["assignment_5_export/submission_1/a.ipynb", "assignment_5_export/submission_2/a.ipynb"], ["submission_1", "submission_2"]),
        (["计量一班/20260001-李雷/作业/2-x.ipynb", "计量一班/20260002-韩梅梅/2-x.ipynb"], ["20260001-李雷", "20260002-韩梅梅"]),
        (["20260001-李雷-2-x.ipynb"], ["20260001-李雷-2-x"]),
        (["plain.ipynb", ".ipynb_checkpoints/plain-checkpoint.ipynb", "__MACOSX/._plain.ipynb"], [""]),
    ],
    ids=["moodle", "moodle-flat", "canvas", "gradescope", "chaoxing", "chaoxing-flat", "plain"],
)  # fmt: skip
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_deliveries(names, labels, packed, tmp_path):
    place = tmp_path / "handed-in"
    if packed:
        place = tmp_path / "handed-in.zip"
        place.write_bytes(zipped(dict.fromkeys(names, "{}")))
    else:
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text("{}")
    found = [h.loaded() for h in delivery.handed([str(place)])]
    assert [h.folder for h in found] == labels and all(h.content == b"{}" and not h.refused for h in found)


def test_zips_in_a_zip_and_chinese_windows(tmp_path):
    """雨课堂 packs each student's own zip; Chinese Windows writes names in GBK without a word."""
    inner = zipped({"作业.ipynb": "{}"})
    gbk = zipped({"20260001-XX.zip": inner}).replace(b"20260001-XX", "20260001-李".encode("gbk"))
    (tmp_path / "a.zip").write_bytes(gbk)
    (one,) = (h.loaded() for h in delivery.handed([str(tmp_path / "a.zip")]))
    assert (one.file, one.content) == ("a.zip/20260001-李.zip/作业.ipynb", b"{}")


def test_what_a_zip_may_not_do(tmp_path, monkeypatch):
    monkeypatch.setattr(delivery, "LARGEST", 1 << 20)
    nested = zipped({"1.zip": zipped({"2.zip": zipped({"3.zip": zipped({"x.ipynb": "{}"})})})})
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO(zipped({"../out.ipynb": "{}", "/root.ipynb": "{}", "C:/c.ipynb": "{}", "deep.zip": nested, "good.ipynb": "{}",
                             "bomb.ipynb": b" " * (2 << 20), "half.zip": nested[:60]}))  # fmt: skip
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "z.zip").write_bytes(out.getvalue())
    found = {
        h.file.rpartition("/")[2]: h
        for h in map(delivery.Handed.loaded, delivery.handed([str(tmp_path / "z.zip")]))
    }
    assert found.pop("good.ipynb").refused == ""
    for name in ("out.ipynb", "root.ipynb", "c.ipynb", "link.ipynb"):
        assert "leads out of it" in found.pop(name).refused
    assert (
        all(h.refused and not h.content for h in found.values()) and "unpacked" in found["bomb.ipynb"].refused
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["z.zip"]
    monkeypatch.setattr(delivery, "TOGETHER", 1 << 20)
    (only,) = delivery.handed([str(tmp_path / "z.zip")])
    assert "is it a bomb" in only.refused


def test_a_link_in_a_folder_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("{}")
    folder = tmp_path / "handed-in"
    folder.mkdir()
    (folder / "a.ipynb").symlink_to(tmp_path / "secret")
    (one,) = (h.loaded() for h in delivery.handed([str(folder)]))
    assert "link to another file" in one.refused and not one.content


def test_deliveries_that_are_none(tmp_path):
    (tmp_path / "notes.txt").write_text("read me")
    (tmp_path / "a.rar").write_text("x")
    (tmp_path / "empty").mkdir()
    for name, words in {
        "missing.ipynb": "not in",
        "notes.txt": "not a notebook",
        "a.rar": "unpack it",
        "empty": "no notebooks",
    }.items():
        with pytest.raises(delivery.NothingThere, match=words):
            delivery.handed([str(tmp_path / name)])


def test_a_damaged_zip_costs_nobody_else(tmp_path):
    good = zipped({"名.ipynb": json.dumps({"x": [k * 7919 % 1009 for k in range(999)]})})
    at = len(good) // 3
    damaged = good[:at] + b"\xff" * 200 + good[at + 200 :]
    wrong_name = good.replace("名".encode(), b"\xff\xfe\xfd")
    inside = {"a/1.zip": damaged, "b/2.zip": wrong_name, "c/3.zip": good}
    outer = bytearray(zipped(inside | {"d/4.zip": zipped({"x.ipynb": "{}"})}))
    outer[outer.index(b"d/4.zip") + 12 : outer.index(b"d/4.zip") + 40] = b"\xff" * 28
    for name, content in {"damaged": damaged, "wrong name": wrong_name, "outer": bytes(outer)}.items():
        (tmp_path / f"{name}.zip").write_bytes(content)
    found = [h.loaded() for h in delivery.handed([str(tmp_path)])]
    assert [h.folder for h in found if not h.refused] == ["outer.zip"] and len(found) == 6
    assert all("cannot be read" in h.refused for h in found if not h.content)


def test_two_files_of_one_name_in_a_zip(tmp_path):
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        for name, content in (("a/x.ipynb", "1"), ("a/x.ipynb", "2"), ("a\\x.ipynb", "3")):
            archive.writestr(name, content)
    (tmp_path / "z.zip").write_bytes(out.getvalue())
    found = [h.loaded() for h in delivery.handed([str(tmp_path / "z.zip")])]
    assert [h.content for h in found] == [b"1", b"2", b"3"] and len({h.file for h in found}) == 3


def test_what_is_handed_in_instead_of_a_notebook_is_told(tmp_path):
    moodle = "{}_{}_assignsubmission_file_/{}".format
    names = [
        moodle("Li", 1, "x.ipynb.json"),
        moodle("Wang", 2, "作业.rar"),
        moodle("Mei", 3, "x.html"),
        moodle("Mei", 3, "~$x.ipynb"),
    ]
    names += [moodle("Zhao", 4, "x.ipynb.txt"), moodle("Zhao", 4, "figure.pdf")]
    (tmp_path / "z.zip").write_bytes(zipped(dict.fromkeys(names, "{}")))
    found = delivery.handed([str(tmp_path / "z.zip")])
    assert {h.folder: h.refused.partition(",")[0] for h in found} == {
        "Li": "", "Wang": "it is no notebook", "Mei": "it is no notebook", "Zhao": "",
    } and len(found) == 4  # fmt: skip


def test_one_student_alone_does_not_say_who_it_is(tmp_path):
    inner = zipped({"Han Mei (20260002)/x.ipynb": "{}"})
    (tmp_path / "z.zip").write_bytes(zipped({"Li Lei_12_assignsubmission_file/x.zip": inner}))
    (one,) = delivery.handed([str(tmp_path / "z.zip")])
    assert one.folder == "Li Lei"


@pytest.mark.skipif(sys.platform != "linux", reason="pipes, and names of any bytes")
def test_pipes_and_names_in_gbk(tmp_path):
    os.mkfifo(tmp_path / "a.ipynb")
    (tmp_path / os.fsdecode("李雷.ipynb".encode("gbk"))).write_text("{}")
    pipe, named = (h.loaded() for h in delivery.handed([str(tmp_path)]))
    assert "no file at all" in pipe.refused and named.file.endswith("/李雷.ipynb") and named.content == b"{}"


# --- results -----------------------------------------------------------------------------------------


def test_results_are_kept_and_read_again(tmp_path):
    one = results.Result(
        "b/李雷 1.ipynb",
        "李雷",
        "1",
        "01-x/1-y",
        {"a": 1.5, "b": None},
        {"a": 2, "b": 3},
        (("a", "no"), ("", "x")),
    )
    two = results.Result("a.ipynb", failed="it is empty")
    for result in (one, two, one):
        results.write(result, tmp_path)
    assert results.read_all(tmp_path) == [two, one] and results.read(one.file, tmp_path) == one
    assert results.read("other.ipynb", tmp_path) is None
    assert results.name_of("a b.ipynb") != results.name_of("a-b.ipynb")
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(
        ValueError, match=r"broken.json: this is no result of `grade` .*grade the sheet again"
    ):
        results.read_all(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder of results"):
        results.read_all(tmp_path / "none")


# --- the command -------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path, handed_out, sample, monkeypatch):
    """A folder of two submissions to the sample, one of them no notebook inside; grading is of the sample."""
    folder = tmp_path / "handed-in"
    folder.mkdir()
    cell(handed_out, "weights").source = RIGHT
    nbs.write(nbs.dumps(handed_out), folder / "li-lei.ipynb")
    nbs.write("not JSON", folder / "mei.ipynb")

    def run(*files, **options):
        settings = {
            "table": str(tmp_path / "points.csv"),
            "folder": str(tmp_path / "results"),
            "trust": True,
            "workers": 2,
        }
        return grading.main([str(f) for f in files or [folder]], root=sample, **settings | options)

    run.folder, run.table = folder, tmp_path / "points.csv"
    return run


def rows(table):
    return list(csv.DictReader(table.open(encoding="utf-8-sig")))


def test_command_grades_and_grades_again_only_what_changed(course, capsys):
    assert course() == 1
    out = capsys.readouterr().out
    assert "mei.ipynb  not graded" in out and "    2/9" in out and "(shared)" in out and "[2/2]" in out
    found = rows(course.table)
    assert [(r["cell"], r["points"], r["maximum"]) for r in found] == [
        ("weights-check", "2", "2"), ("read", "0", "3"), ("picture", "", "4"), ("", "", ""),
    ]  # fmt: skip
    assert found[0]["exercise"] == "01-sample/1-index" and found[2]["notes"] == "read"
    assert found[3]["file"].endswith("mei.ipynb") and "it is no notebook" in found[3]["notes"]
    before = course.table.read_bytes()
    assert course() == 1
    out = capsys.readouterr().out
    assert "1 of 2 were graded before" in out and "li-lei.ipynb  2/9" not in out
    assert course.table.read_bytes() == before
    sheet = course.folder / "li-lei.ipynb"
    sheet.write_text(sheet.read_text().replace("(1 - e) /", "(2 - e) /"))
    assert course() == 1 and rows(course.table)[0]["points"] == "0"
    assert [r.file for r in results.read_all(course.table.parent / "results")] == [
        "handed-in/li-lei.ipynb",
        "handed-in/mei.ipynb",
    ]


def test_formulas_and_control_codes_are_words(course, capsys):
    evil = results.Result(
        "=x\n.ipynb", "@y", "\x1b[2J1", "01-x/1-y", {"a": 0.0}, {"a": 2.0}, (("a", "+1\u202e"), ("", "\t-2"))
    )
    grading.write(str(course.table), [evil])
    grading.show([evil])
    text = course.table.read_text(encoding="utf-8-sig")
    assert "\x1b" not in text + capsys.readouterr().out
    (row,) = rows(course.table)
    assert (row["file"], row["folder"], row["student"], row["notes"]) == (
        "'=x .ipynb",
        "'@y",
        "[2J1",
        "'+1; '-2",  # another country's Excel cuts there
    )


def test_one_broken_file_does_not_stop_the_others(course, capsys, monkeypatch):
    def stumble(self, *rest):
        raise RuntimeError("no kernel")

    monkeypatch.setattr(work.Worker, "grade", stumble)
    assert course() == 2
    out = capsys.readouterr().out
    assert "RuntimeError: no kernel" in out and len(rows(course.table)) == 2


def test_command_says_first_what_cannot_work(course, tmp_path, monkeypatch):
    """Before hours of grading, not after."""
    with pytest.raises(nbs.LessonError, match=r"--csv .*points.csv cannot be written .*is its folder there"):
        course(table=str(tmp_path / "nowhere" / "points.csv"))
    with pytest.raises(nbs.LessonError, match="--timeout 0: give the seconds"):
        course(timeout=0)
    with pytest.raises(nbs.LessonError, match="--workers 0: give how many"):
        course(workers=0)
    with pytest.raises(nbs.LessonError, match="no lesson is called '7-none'"):
        course(exercise="7-none")
    with pytest.raises(nbs.LessonError, match=r"missing.ipynb: not in /?\w"):
        course(tmp_path / "missing.ipynb")
    with pytest.raises(nbs.LessonError, match="needs the lecturer's copy"):
        grading.main(["x.ipynb"], root=tmp_path)
    monkeypatch.setattr(sandbox, "trouble", lambda kind, place: "not installed")
    with pytest.raises(nbs.LessonError, match="No sandbox on this computer, so nothing was graded"):
        course(trust=False)
    assert not (tmp_path / "results").exists()


def test_exercise_belongs_to_a_solution_only():
    assert lessons.exercise_of(ROOT / "chapters/01-x/1-y.md") is None
    assert lessons.exercise_of(ROOT / "solutions/01-x/1-y.md") == ROOT / "exercises/01-x/1-y.ipynb"
