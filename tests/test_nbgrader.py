"""The exported course, with nbgrader's own commands: two students, one of them right."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from regionbook.cli import __main__ as cli
from regionbook.cli import course
from regionbook.cli import notebooks as nbs
from regionbook.exercises.check import Right
from regionbook.paths import ROOT

NAME = "00-start-2-reading-a-paper"


def command(folder: Path, *words: str) -> str:
    """What an nbgrader command says, its errors and warnings included."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "lib"), "PYTHONWARNINGS": "ignore"}
    line = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def solved(folder: Path) -> nbformat.NotebookNode:
    """The sheet as handed out, with the solution's code in its answer cells."""
    sheet = nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    source = nbformat.read(folder / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell, right in zip(sheet.cells, source.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = right.source.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
    return sheet


@pytest.mark.skipif(os.name == "nt", reason="nbgrader has no exchange on Windows")
def test_a_course(tmp_path):
    """generate_assignment (again), the exchange, autograde, and generate_feedback take the folder as it is."""
    folder = tmp_path / "course"
    assert cli.main(["nbgrader", "solutions/00-start/2-reading-a-paper", "--to", str(folder)]) == 0
    sheet = (folder / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "YOUR ANSWER HERE 请在此作答" in sheet and "BEGIN SOLUTION" not in sheet and "HIDDEN" not in sheet
    assert "ERROR" not in command(folder, "generate_assignment", NAME, "--force")
    handed_in = folder / "submitted" / "mei" / NAME
    handed_in.mkdir(parents=True)
    shutil.copy(folder / "release" / NAME / f"{NAME}.ipynb", handed_in)
    exchange = [f"--Exchange.root={tmp_path / 'exchange'}", f"--Exchange.cache={tmp_path / 'cache'}"]
    home = tmp_path / "home"  # of a student on a hub, who is right
    for place in (home, tmp_path / "exchange"):
        place.mkdir()
        place.chmod(0o777)
    command(folder, "release_assignment", NAME, *exchange)
    command(home, "fetch_assignment", NAME, "--course=regionbook", *exchange)
    nbformat.write(solved(folder), home / NAME / f"{NAME}.ipynb")
    command(home, "submit", NAME, "--course=regionbook", *exchange)
    command(folder, "collect", NAME, *exchange)
    right = getpass.getuser()
    said = command(folder, "autograde", NAME)
    assert "ERROR" not in said and "cannot be converted" not in said
    said = command(folder, "generate_feedback", NAME)
    assert "ERROR" not in said and "cannot be converted" not in said
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "regionbook") as book:
        got = {who: book.find_submission(NAME, who).score for who in (right, "mei")}
    source = nbformat.read(folder / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    about = [cell.metadata.get("nbgrader", {}) for cell in source.cells]
    machine = sum(a["points"] for a in about if a.get("grade") and not a.get("solution"))
    assert got == {right: machine, "mei": 0.0} and machine > 0
    for who in got:
        assert (folder / "feedback" / who / NAME / f"{NAME}.html").is_file()


def test_a_right_answer_is_displayed_and_no_result():
    """A result of a cell would be read as points; a display is not."""
    from nbgrader.utils import determine_grade

    code = "from regionbook.exercises.check import Right\nRight('a/b/c')"
    about = {
        "grade": True,
        "solution": False,
        "points": 2,
        "grade_id": "x",
        "locked": True,
        "schema_version": 3,
    }
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, metadata={"nbgrader": about})])
    nbs.execute(nb, ROOT)
    assert [out.output_type for out in nb.cells[0].outputs] == ["display_data"]
    assert nb.cells[0].outputs[0].data["text/plain"] == repr(Right("a/b/c"))

    class Log:
        warnings: list[str] = []

        def warning(self, text, *rest):
            self.warnings.append(text)

    assert determine_grade(nb.cells[0], Log()) == (2.0, 2.0) and not Log.warnings


def test_course_bad_input(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(nbs.LessonError, match="is not empty and no nbgrader course: name a new folder"):
        course.nbgrader(["solutions/00-start/2-reading-a-paper"], str(tmp_path))
    with pytest.raises(nbs.LessonError, match="no exercise sheet among: chapters/00-start/2-reading-a-paper"):
        course.nbgrader(["chapters/00-start/2-reading-a-paper"], str(tmp_path / "new"))
