"""A class of twelve from the hand-out to Moodle's file; what is held back, read back in, refused."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from regionbook.cli import __main__ as cli
from regionbook.cli import course, handout
from regionbook.cli import notebooks as nbs
from regionbook.grading import gradebook, points, results, roster
from regionbook.grading.feedback import write_feedback
from regionbook.grading.report import mistakes_of
from regionbook.grading.results import Result
from regionbook.paths import ROOT

SHEET = "13-yangtze-openness/1-index"
NAMES = [
    "Li Lei", "Han Mei", "王芳", "张伟", "李娜", "Wang Li", "Wang Lihua", "Ana Núñez", "O'Neill Kim", "陈 静", "Zhao Yun", "刘洋",
]  # fmt: skip
CELLS = {"index-check": 2.0, "bound-check": 2.0, "words": 4.0}


@pytest.fixture
def students(tmp_path):
    lines = [f"{name},2026{k:04d},u{k:02d}x,{k}@uni.example" for k, name in enumerate(NAMES, 1)]
    file = tmp_path / "students.csv"
    file.write_text("姓名,学号,账号,邮箱\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def sheet(k: int, **other) -> Result:
    """What grading says of student k: the first task right but for every third, the second for even ones."""
    got = {"index-check": 2.0 * (k % 3 > 0), "bound-check": 2.0 * (k % 2 == 0), "words": None}
    notes = [] if k % 3 else [("index-check", "NotYet: Not yet (还不对): that is trade alone.")]
    made = {
        "file": f"{NAMES[k - 1]}_{1000 + k}_assignsubmission_file/sheet {k}.ipynb",
        "folder": f"{NAMES[k - 1]}_{1000 + k}_assignsubmission_file",
        "student": f"2026{k:04d}", "exercise": SHEET, "points": got, "maximum": CELLS, "notes": tuple(notes),
        "answers": {"index-check": f"a{k}", "bound-check": f"b{k}"}, "code": {"index": f"c{k}", "bound": f"d{k}"},
        "seconds": 1.0 + k, "source": f"s{k}",
    }  # fmt: skip
    return Result(**{**made, **other})


def table(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))


def write(some: list[Result], folder: Path) -> Path:
    for r in some:
        results.write(r, folder)
    return folder


def group_of(some: list[Result], students: Path | None) -> points.Class:
    return points.gather(some, roster.read_roster(students) if students else [])


HAND = f"{SHEET} : words by hand /4"


def test_from_hand_out_to_moodle(students, tmp_path, capsys):
    """Hand out, collect, report, read, report again, fill in Moodle's worksheet."""
    assert cli.main(["handout", SHEET, "--to", str(tmp_path / "copy.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "copy.zip") as packed:
        handed_out = packed.namelist()
    assert f"regionbook/exercises/{SHEET}.ipynb" in handed_out
    kept = write([sheet(k) for k in range(1, 12)], tmp_path / "results")  # the last one hands in nothing
    out = tmp_path / "out"
    words = ["report", str(kept), "--roster", str(students), "--to", str(out)]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "12 students, 11 handed in, 0 held back, 0 files not graded" in said
    assert "11 wait for a reader" in said and "0 students in moodle.csv" in said
    first = table(out / "points.csv")
    assert [line["name"] for line in first] == NAMES and first[11][f"{SHEET} /8"] == ""
    assert [line[f"{SHEET} /8"] for line in first[:4]] == ["2", "4", "0", "4"]
    assert {line["to read"] for line in first[:11]} == {"4"}

    for k, line in enumerate(first[:11], 1):
        line[HAND] = f"{k % 5 * 0.9:g}".replace(".", "," if k % 2 else ".")
    with (out / "points.csv").open(
        "w", newline="", encoding="utf-8"
    ) as file:  # a spreadsheet of another country
        writer = csv.DictWriter(file, list(first[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(first)
    worksheet = tmp_path / "Grades.csv"
    heads = "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    lines = [
        f'Participant {1000 + k},"{name}",{k}@uni.example,Submitted for grading,,100.00,Yes,-,-,'
        for k, name in enumerate(NAMES, 1)
    ]
    last = ["Participant 1999,Somebody Else,x@uni.example,No submission,,100.00,Yes,-,-,"]
    heads += "Last modified (submission),Last modified (grade),Feedback comments"
    worksheet.write_text("\n".join([heads, *lines, *last]) + "\n", encoding="utf-8")
    assert cli.main([*words, "--moodle", str(worksheet)]) == 0
    said = capsys.readouterr().out
    assert "points of 8 are scaled to the assignment's 100" in said and "11 students in moodle.csv" in said
    assert "刘洋: no points yet" in said and "Somebody Else: nobody of this class" in said

    filled = table(out / "moodle-grades.csv")
    expected = [2.0 * (k % 3 > 0) + 2.0 * (k % 2 == 0) + k % 5 * 0.9 for k in range(1, 12)]
    assert [float(line["Grade"]) for line in filled[:11]] == pytest.approx(
        [12.5 * p for p in expected], abs=0.005
    )
    assert [line["Grade"] for line in filled[11:]] == ["", ""]
    assert (
        filled[0]["Feedback comments"] == f"{SHEET}: 2.9 / 8"
        and filled[0]["Identifier"] == "Participant 1001"
    )
    with zipfile.ZipFile(out / "moodle-feedback.zip") as packed:
        names = packed.namelist()
        page = packed.read(names[2]).decode("utf-8")
    for name in names:  # the form that Moodle's importer takes apart: name_participant_type_plugin
        assert re.fullmatch(r"[^_/]+_1\d{3}_assignfeedback_file/feedback\.html", name)
    assert (
        len(names) == 11 and "王芳 (20260003): 2.7 of 8" in page and "Not yet: that is trade alone." in page
    )
    assert [line[SHEET] for line in table(out / "moodle.csv")] == [f"{p:g}" for p in expected]

    report = (out / "report.html").read_text(encoding="utf-8")
    assert "<td>index-check</td><td>that is trade alone.</td>" in report
    assert 'class="n">3</td><td>' in report  # students 3, 6 and 9
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", report) and "<script" not in report
    for link in re.findall(r'href="([^"]+)"', report):
        assert (out / link).is_file()


def test_graded_for_real(students, tmp_path, capsys):
    """Two sheets as Moodle packs them, through the grader, into the class's tables: one right, one as handed out."""
    name = "00-start/2-reading-a-paper"
    sheet_text = (ROOT / "exercises" / f"{name}.ipynb").read_text(encoding="utf-8")
    nb = nbformat.reads(sheet_text, as_version=4)
    source = nbs.read_text(ROOT / "solutions" / f"{name}.md")
    for cell, right in zip(nb.cells, source.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "\n".join(line for line in right.source.splitlines() if "### " not in line)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("Han Mei_1002_assignsubmission_file/sheet.ipynb", nbformat.writes(nb))
        packed.writestr("王芳_1003_assignsubmission_file/作业.ipynb", sheet_text)
    kept, out = str(tmp_path / "results"), tmp_path / "out"
    words = ["grade", str(tmp_path / "all.zip"), "--results", kept, "--trust-the-code"]  # where no sandbox is
    assert cli.main(words) == 0
    assert cli.main(["report", kept, "--roster", str(students), "--to", str(out)]) == 0
    line = table(out / "points.csv")
    machine = next(h for h in line[0] if h.startswith(f"{name} /"))
    cells = [c.metadata.get("nbgrader", {}) for c in source.cells]
    assert float(line[1][machine]) == sum(
        c["points"] for c in cells if c.get("grade") and not c.get("solution")
    )
    assert line[2][machine] == "0" and line[0][machine] == "" and not any(row["held back"] for row in line)
    assert "12 students, 2 handed in" in capsys.readouterr().out


def test_what_a_students_copy_holds(tmp_path, capsys, monkeypatch):
    """Nothing of the solutions, of keys in the clear, of history; what is there starts, and says what it is."""
    copy = tmp_path / "copy"
    assert handout.handout([SHEET], str(copy)) == 0
    assert "What it cannot hide" in capsys.readouterr().out
    there = {file.relative_to(copy).as_posix() for file in copy.rglob("*") if file.is_file()}
    top = {name.partition("/")[0] for name in there}
    assert (
        not top & {"solutions", "tests", ".git", ".ci", ".venv", "my-work", "keys"} and "workbook.py" in top
    )
    assert {f"exercises/{SHEET}.ipynb", f"exercises/{SHEET}.keys.json", f"chapters/{SHEET}.md"} <= there
    assert not [n for n in there if "/make/" in n or "__pycache__" in n or re.search(r"/keys-\w+\.json$", n)]
    assert {n.split("/")[1] for n in there if n.startswith("exercises/")} == {
        "00-start",
        "13-yangtze-openness",
    }
    for name in there:
        if name.startswith("exercises/") or name == "README.md":
            text = (copy / name).read_text(encoding="utf-8")
            assert "BEGIN SOLUTION" not in text and "HIDDEN TESTS" not in text and str(ROOT) not in text
    code = "from regionbook.cli import doctor\nprint(*doctor.edition())\nimport regionbook as rb\n"
    code += "print(rb.load('yangtze-openness').shape)\n"
    code += "from regionbook.cli.__main__ import main\nprint(main(['grade', 'x.ipynb']))"
    env = {"PYTHONPATH": str(copy / "lib"), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, cwd=copy
    )
    assert "a student's copy (without solutions/: no grade, keys" in done.stdout and done.stdout.endswith(
        "1\n"
    )
    assert "`grade` needs the solutions" in done.stderr and "Nothing is wrong with the sheets" in done.stderr
    for words, to in [("is there already", copy), ("is the project itself", ROOT / "lib" / "copy")]:
        with pytest.raises(nbs.LessonError, match=words):
            handout.handout([], str(to))
    with pytest.raises(nbs.LessonError, match="no lesson is called 'nowhere'"):
        handout.handout(["nowhere"], str(tmp_path / "other"))


# --------------------------------------------------------------------------------------------------------- rosters


@pytest.mark.parametrize(
    ("raw", "number", "name"),
    [
        (b"name,id,number,email\nMei,m1,007,m@x.cn\n", "7", "Mei"),
        ("﻿姓名;学号\n李雷;２０２６\n".encode(), "2026", "李雷"),
        ("姓名\t学号\n李雷\t2026\n".encode("gb18030"), "2026", "李雷"),
        (b"First name,Surname,ID number\nAna,Li,A1\n", "A1", "Ana Li"),
        (b"name,number\nMei,20260001.0\n", "20260001", "Mei"),
        (b"20260001\n20260002\n", "20260001", ""),
        (b"whoever\n20260001\n\n", "20260001", ""),
    ],
)
def test_rosters(tmp_path, raw, number, name):
    file = tmp_path / "students.csv"
    file.write_bytes(raw)
    found = roster.read_roster(file)[0]
    assert (found.number, found.name) == (number, name)


def test_a_roster_of_a_spreadsheet(tmp_path):
    import pandas as pd

    file = tmp_path / "students.xlsx"
    pd.DataFrame({"姓名": ["李雷"], "学号": ["0123"]}).to_excel(file, index=False)
    assert roster.read_roster(file) == [roster.Student("123", "李雷")]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"number\n2026-1\n", "line 2: '2026-1' is not a student number"),
        (b"name,student\nMei\n", "line 2: no student number in column 2"),
        (b"number,name\n1,Mei\n\n01,Lei\n", "line 4: number 1 stands in line 2 already"),
        (
            b"who,what\nMei,1\n",
            "line 1: no heading says where the student numbers stand.*there are: who, what",
        ),
        (b"number\n2.026E+07\n", r"line 2: a spreadsheet has rounded 2\.026E\+07"),
        (b"number\n", "no student number in it"),
        (b"", "no student number in it"),
        (b"\x89PNG\0\0", "cannot be read as a table of text"),
    ],
)
def test_bad_rosters(tmp_path, raw, words):
    file = tmp_path / "students.csv"
    file.write_bytes(raw)
    with pytest.raises(roster.ListError, match=rf"(?s)students\.csv.*{words}"):
        roster.read_roster(file)
    with pytest.raises(roster.ListError, match="none.csv: cannot be read"):
        roster.read_roster(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("folder", "file", "whom"),
    [
        ("Li Lei_1001_assignsubmission_file", "a.ipynb", 1),
        ("leili_123_456", "sheet.ipynb", 1),  # Canvas: surname last, no blanks
        ("", "上交/20260003-王芳.ipynb", 3),
        ("王芳", "20260004.ipynb", 3),  # the label of the delivery counts first
        ("", "u05x - sheet.ipynb", 5),
        ("6@uni.example", "x.ipynb", 6),
        ("Wang Lihua", "x.ipynb", 7),  # not Wang Li
        ("Wang Li", "x.ipynb", 6),
        ("Ana Núñez", "x.ipynb", 8),
        ("", "sheet.ipynb", None),
        ("20260001 and 20260002", "x.ipynb", None),
    ],
)
def test_who_handed_in(students, folder, file, whom):
    listed = roster.read_roster(students)
    found = roster.owner(Result(file, folder), listed)
    assert found == (listed[whom - 1] if whom else None)


# ------------------------------------------------------------------------------------------------------- held back


def held(group: points.Class, k: int) -> str:
    row = next(r for r in group.rows if r.student.name == NAMES[k - 1])
    return "; ".join(w for some in row.held.values() for w in some)


def test_foreign_missing_doubled_numbers_are_not_paid(students):
    some = [sheet(1), sheet(2, student="20260001"), sheet(3, student=""), sheet(4, student="99"), sheet(5)]
    some.append(sheet(6, folder="", file="x.ipynb", student="77"))
    group = group_of(some, students)
    assert not held(group, 1) and not held(group, 5)
    assert "20260002" in held(group, 2) and "the panel of Li Lei (20260001), not of 20260002" in held(
        group, 2
    )
    assert "stated by Li Lei_1001_assignsubmission_file too" in held(group, 2)
    assert "no number in the sheet" in held(group, 3) and "nobody in the roster" in held(group, 4)
    by_number = {row.key: row for row in group.rows}
    assert "is stated by Han Mei_1002" in by_number["20260001"].notes[0]
    assert by_number["20260002"].points(SHEET) == 4 and by_number["20260002"].counted(SHEET) is None
    assert by_number["x.ipynb"].held and len(group.rows) == 13
    whole = group_of([replace(r, points=dict(CELLS)) for r in some], students)  # nothing left to read
    assert [row.key for row in whole.rows if gradebook.ready(row)] == ["20260001", "20260005"]
    free = points.gather(some, roster.read_roster(students), lambda exercise: False)  # all share one panel
    assert {row.key for row in free.rows if row.held} == {"x.ipynb"}


def test_two_without_a_name_who_state_one_number(students):
    """Nobody can tell whose it is: neither is paid."""
    some = [sheet(1, folder="", file="a.ipynb"), sheet(1, folder="", file="b.ipynb", source="other")]
    for listed in (students, None):
        group = group_of(some, listed)
        row = next(row for row in group.rows if row.sheets)
        why = "; ".join(row.held[SHEET])
        assert "is stated by b.ipynb too" in why and "2 files, the better one is shown" in why
    group = group_of([sheet(1), sheet(1, file="Li Lei_1001/copy.ipynb", folder="Li Lei_1001")], students)
    assert not held(group, 1)  # the same file twice, from one student


def test_held_points_are_paid_when_the_lecturer_says_so(students, tmp_path):
    kept = write([sheet(2, student="20260001"), sheet(1)], tmp_path / "results")
    arguments = (str(kept), str(students), str(tmp_path / "out"))
    file = tmp_path / "out" / "points.csv"
    assert course.report(*arguments) == 0
    line = table(file)[1]
    assert (line["total"], line["held back"], line[f"{SHEET} /8"]) == ("0", "4", "")
    file.write_text(f"student,pay held,{HAND}\n20260002,yes,3.5\n20260001,,1\n", encoding="utf-8")
    for _ in range(2):  # and again: what was read in stays
        assert course.report(*arguments) == 0
        line = table(file)[1]
        assert (line["total"], line["held back"], line["pay held"], line[HAND]) == ("7.5", "", "yes", "3.5")
        assert "the panel of Li Lei (20260001)" in line["why held"]
    page = next((tmp_path / "out" / "feedback").glob("20260002*")).read_text(encoding="utf-8")
    assert "Li Lei" not in page  # whose it was is no business of this student


def test_look_alikes_are_listed_and_nothing_more(students):
    wrong = tuple((cell, "NotYet: Not yet (还不对): look again.") for cell in CELLS)
    same = {
        "answers": {"index-check": "z", "bound-check": "z"},
        "notes": wrong,
        "code": {"index": "z", "bound": "y"},
    }
    some = [sheet(k) for k in range(3, 12)] + [sheet(1, **same), sheet(2, **same)]
    group = group_of(some, students)
    assert len(group.alike) == 2 and all(
        "Li Lei (20260001) and Han Mei (20260002)" in pair for pair in group.alike
    )
    assert "equal answers on different panels in bound-check, index-check" in group.alike[0]
    assert "2 of 2 answer cells have the same code" in group.alike[1]
    assert not held(group, 1) and not held(group, 2)
    left_out = {"points": dict.fromkeys(CELLS, 0.0), "notes": (("index-check", "NameError: name 'belt'"),)}
    some = [sheet(k) for k in range(3, 12)] + [sheet(k, **same | left_out | {"code": {}}) for k in (1, 2)]
    assert not group_of(some, students).alike
    everybody = [sheet(k, code={"index": "one", "bound": "line"}) for k in range(1, 12)]
    assert not group_of(everybody, students).alike


# ---------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("+1", "'+1"),
        ("@sum", "'@sum"),
        ("-2", "'-2"),
        ("＝1", "'＝1"),
        ("\t=1", "'=1"),
        ("a\x1b[2Jb\r\nc", "a[2Jb c"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("\u200b=1", "'=1"),
        ('a;=1+1; "@x;b', "a;'=1+1; \"'@x;b"),
        ("李雷", "李雷"),
    ],
)
def test_tables_are_tamed(text, safe):
    assert points.tame(text) == safe


def test_a_name_of_odd_bytes_does_not_stop_the_report(tmp_path):
    one = results.Result(
        "x\udcc0.ipynb", folder="\udcc0\udcee\x1b", exercise="a/1-b", points={"t": 1.0}, maximum={"t": 1.0}
    )
    (page,) = write_feedback(points.gather([one], []), tmp_path).values()
    assert "1 of 1" in page.read_text(encoding="utf-8") and "\x1b" not in page.read_text(encoding="utf-8")


def test_notes_stand_at_their_cell(students, tmp_path):
    bad = sheet(
        1, notes=(("bound-check", "=1+1"), ("index", "SyntaxError: \x1b[31mx"), ("", "a cell was deleted"))
    )
    points.write_points(group_of([bad, Result("mei.ipynb", failed="half a file")], students), tmp_path)
    first, second, third, last = table(tmp_path / "points-by-cell.csv")
    assert first["notes"] == "index: SyntaxError: [31mx; a cell was deleted"
    assert (second["cell"], second["notes"]) == ("bound-check", "'=1+1")
    assert (third["points"], third["by hand"]) == ("", "yes") and last["notes"] == "not graded: half a file"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("20260001,5,", "column '.*words by hand /4': 5 is over the maximum, 4"),
        ("20260001,good,", "'good' is not a number of points: write digits"),
        ("20260001,-1,", "'-1' is not a number of points"),
        ("20260001,nan,", "'nan' is not a number of points"),
        ("20260001,=4,", "'=4' is not a number of points"),
        ("31,3,", "line 2: '31' is nobody among these results or the roster"),
        ("20260002,3,", "handed in nothing here that a person has to read"),
        ("20260001,3,maybe", "column 'pay held': 'maybe': write yes"),
    ],
)
def test_hand_points_that_cannot_be(students, tmp_path, line, words):
    group = group_of([sheet(1)], students)
    file = tmp_path / "points.csv"
    file.write_text(f"student,{HAND},pay held\n{line}\n", encoding="utf-8")
    with pytest.raises(roster.ListError, match=f"points.csv: nothing was written. .*{words}"):
        points.read_hand(group, file)


def test_other_tables_than_points(students, tmp_path):
    group = group_of([sheet(1)], students)
    file = tmp_path / "points.csv"
    file.write_text("name,points\nLi,3\n", encoding="utf-8")
    with pytest.raises(roster.ListError, match="line 1: no column is called student"):
        points.read_hand(group, file)
    file.write_text("student,9-x/1-y : z by hand /4\n20260001,3\n", encoding="utf-8")
    with pytest.raises(roster.ListError, match="no such cell among these results"):
        points.read_hand(group, file)


def test_report_says_what_is_missing(tmp_path, students):
    with pytest.raises(FileNotFoundError, match="there is no folder of results"):
        course.report(str(tmp_path / "none"), None, str(tmp_path / "out"))
    (tmp_path / "results").mkdir()
    with pytest.raises(nbs.LessonError, match="no graded sheet in it"):
        course.report(str(tmp_path / "results"), None, str(tmp_path / "out"))
    write([sheet(1, exercise="99-none/1-x")], tmp_path / "results")
    with pytest.raises(nbs.LessonError, match="no solution '99-none/1-x' here"):
        course.report(str(tmp_path / "results"), str(students), str(tmp_path / "out"))


# ------------------------------------------------------------------------------------------------------ gradebooks


def test_canvas(students, tmp_path):
    """Header and row of points as Canvas's importer wants them; who has no points stays out."""
    done = [replace(sheet(k), points={**CELLS, "words": 1.5}) for k in (1, 3, 10)]
    group = group_of([*done, sheet(4)], students)
    assert gradebook.canvas(group, tmp_path / "canvas.csv") == []
    rows = list(csv.reader(io.StringIO((tmp_path / "canvas.csv").read_text(encoding="utf-8"))))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", SHEET]
    assert "Points Possible" in rows[1][0] and rows[1][1:] == ["", "", "", "", "8"]
    assert [row[0] for row in rows[2:]] == ["Li Lei", "王芳", "陈 静"] and rows[2][2:] == [
        "20260001",
        "u01x",
        "",
        "5.5",
    ]
    export = tmp_path / "export.csv"
    export.write_text(
        f"Student,ID,SIS Login ID,Section,Essay (7),{SHEET} (4711),Final Score\n"
        "    Points Possible,,,,10,8,(read only)\n"
        '"Lei, Li",901,,A,3,,\n静 陈,902,u10x,A,,2,\n"Test, Student",903,,A,,,\n张伟,904,,A,,,\n',
        encoding="utf-8",
    )
    told = gradebook.canvas(group, tmp_path / "canvas.csv", export)
    rows = list(csv.reader(io.StringIO((tmp_path / "canvas.csv").read_text(encoding="utf-8"))))
    assert rows[0] == ["Student", "ID", "SIS Login ID", "Section", f"{SHEET} (4711)"]
    assert rows[2:] == [["Lei, Li", "901", "", "A", "5.5"], ["静 陈", "902", "u10x", "A", "5.5"]]
    assert told == ["Test, Student: nobody of this class", "张伟: no points yet"]


def test_moodle_with_hidden_names(students, tmp_path):
    """Then the participant's number in the folder of what was handed in is all there is."""
    done = [replace(sheet(k), points={**CELLS, "words": 0.5 * k}) for k in (1, 2)]
    group = group_of(done, students)
    worksheet = tmp_path / "w.csv"
    worksheet.write_text(
        "Identifier,Status,Grade,Last modified (grade)\nParticipant 1002,,,-\nParticipant 7,,,-\n"
    )
    pages = {row.key: students for row in group.rows}
    told = gradebook.moodle_worksheet(group, worksheet, tmp_path, pages)
    assert [line["Grade"] for line in table(tmp_path / "moodle-grades.csv")] == ["5", ""]
    assert told == ["Participant 7 : nobody of this class"]


def test_other_files_than_gradebooks(students, tmp_path):
    group = group_of([sheet(1)], students)
    with pytest.raises(roster.ListError, match="this is no gradebook of Canvas"):
        gradebook.canvas(group, tmp_path / "canvas.csv", students)
    with pytest.raises(roster.ListError, match="this is no grading worksheet of Moodle"):
        gradebook.moodle_worksheet(group, students, tmp_path, {})


def test_mistakes_have_the_names_that_the_solution_gives():
    known = mistakes_of(nbs.read_text(ROOT / "solutions" / f"{SHEET}.md"))
    assert "that is trade alone." in known and len(known) == len(set(known)) > 5


def test_pages_escape_what_students_write(students, tmp_path):
    evil = "<script>alert(1)</script>"
    kept = write(
        [sheet(1, notes=(("index-check", evil),), points={**CELLS, "index-check": 0.0})], tmp_path / "r"
    )
    assert course.report(str(kept), str(students), str(tmp_path / "out")) == 0
    for page in (tmp_path / "out").rglob("*.html"):
        assert "<script" not in page.read_text(encoding="utf-8")
    assert json.loads((next(kept.glob("*.json"))).read_text(encoding="utf-8"))["notes"][0][1] == evil
