"""`workbook.py`: sets itself up, says plainly what went wrong, and recovers. No network is needed."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def book(tmp_path, monkeypatch):
    """The script as a module, at home in a folder of its own with a short lock."""
    spec = importlib.util.spec_from_file_location("workbook", ROOT / "workbook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "requirements.lock").write_text(
        "# a lock\nalpha==1.0\n    # via x\nbeta==2.0 ; sys_platform != 'x'\n"
    )
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    home = {"ROOT": tmp_path, "VENV": tmp_path / ".venv", "LOCK": tmp_path / "requirements.lock"}
    home |= {"STAMP": tmp_path / ".venv" / "stamp.json", "LOG": tmp_path / ".venv" / "setup.log"}
    for name, path in home.items():
        monkeypatch.setattr(module, name, str(path))
    return module


@pytest.fixture
def fake(book, monkeypatch):
    """Steps of the set-up without pip: which were taken, and what the next ones shall print or fail with."""

    class Fake:
        steps: list[str] = []
        fails: dict[str, str] = {}
        interrupts: set[str] = set()

    fake = Fake()
    fake.steps = []

    def call(command, step, watch=None):
        fake.steps.append(step)
        if step == "Making .venv":
            python = Path(book.venv_python())
            python.parent.mkdir(parents=True, exist_ok=True)
            python.symlink_to(sys.executable)
        if step == "Installing packages":
            for line in ("Collecting alpha==1.0", "Collecting beta==2.0"):
                watch(line)
        if step in fake.fails:
            raise book.Trouble(book.explain(fake.fails[step], step))
        if step == "Installing packages":
            watch("Installing collected packages: alpha, beta")
        if step in fake.interrupts:
            raise KeyboardInterrupt

    monkeypatch.setattr(book, "call", call)
    monkeypatch.setattr(book, "remove_strays", lambda: fake.steps.append("strays"))
    monkeypatch.setattr(book, "hand_over", lambda line, env, folder: fake.steps.append(line[1:]) or 0)
    return fake


ALL = ["Making .venv", "Installing packages", "Installing the library"]


def test_parses_on_old_pythons():
    """It has to start there to say which Python is needed."""
    ast.parse((ROOT / "workbook.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = {
        name
        for node in ast.walk(ast.parse((ROOT / "workbook.py").read_text(encoding="utf-8")))
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [])
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 9), (3, 10, 4), (3, 14, 0)])
def test_wrong_python(book, monkeypatch, version):
    monkeypatch.setattr(book, "works", lambda name: "3.12" in name)
    with pytest.raises(
        book.Trouble, match=r"needs Python 3.11, 3.12 or 3.13; this is Python .*\nRun: \S+.*3\.12"
    ):
        book.check_python(version)
    monkeypatch.setattr(book, "works", lambda name: False)
    with pytest.raises(book.Trouble, match="Install one from python.org"):
        book.check_python(version)


def test_right_python(book):
    book.check_python((3, 11, 0))
    book.check_python((3, 13, 9))
    assert not book.works("no-such-python")
    assert book.works(sys.executable) or " " in sys.executable


def test_first_run_then_nothing_to_do(book, fake, capfd):
    assert book.main(["doctor"]) == 0
    assert fake.steps == [*ALL, ["-m", "regionbook.cli", "doctor"]]
    out, err = capfd.readouterr()
    assert (
        out == "" and "Installing 2 packages" in err and "Ready after" in err
    )  # stdout is the command's own
    fake.steps.clear()
    assert book.main(["doctor"]) == 0
    assert fake.steps == [["-m", "regionbook.cli", "doctor"]]
    assert capfd.readouterr() == ("", "")


def test_changed_lock_updates_in_place(book, fake):
    book.main(["doctor"])
    Path(book.LOCK).write_text("alpha==1.1\n")
    fake.steps.clear()
    book.main(["doctor"])
    assert fake.steps[:-1] == ["Installing packages", "strays", "Installing the library"]


def test_windows_line_ends_are_no_change(book, fake):
    book.main(["doctor"])
    lock = Path(book.LOCK)
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    fake.steps.clear()
    book.main(["doctor"])
    assert fake.steps == [["-m", "regionbook.cli", "doctor"]]


def test_changed_project_reinstalls_the_library_only(book, fake):
    book.main(["doctor"])
    (Path(book.ROOT) / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    fake.steps.clear()
    book.main(["doctor"])
    assert fake.steps[:-1] == ["Installing the library"]


@pytest.mark.parametrize("step", ["Making .venv", "Installing packages", "Installing the library"])
def test_interrupted_run_recovers(book, fake, step, capfd):
    fake.interrupts = {step}
    assert book.main(["doctor"]) == 130
    assert "Stopped." in capfd.readouterr().err
    fake.interrupts = set()
    fake.steps.clear()
    assert book.main(["doctor"]) == 0
    assert fake.steps[:-1] == ALL  # without a stamp nothing in the folder is trusted
    assert "made afresh" in capfd.readouterr().err


def test_interrupted_update_is_made_afresh(book, fake):
    book.main(["doctor"])
    Path(book.LOCK).write_text("alpha==1.1\n")
    fake.interrupts = {"Installing packages"}
    assert book.main(["doctor"]) == 130
    fake.interrupts = set()
    fake.steps.clear()
    assert book.main(["doctor"]) == 0
    assert fake.steps[:-1] == ALL


def test_update_without_network_keeps_the_old_environment(book, fake, capfd):
    book.main(["doctor"])
    Path(book.LOCK).write_text("alpha==1.1\n")
    fake.fails = {"Installing packages": "Failed to establish a new connection"}
    assert book.main(["doctor"]) == 1
    assert "network connection" in capfd.readouterr().err
    assert book.stamped()  # nothing was installed yet, so nothing is half-made


def test_broken_environments_are_made_afresh(book, fake):
    def steps():
        fake.steps.clear()
        assert book.main(["doctor"]) == 0
        return fake.steps[:-1]

    book.main(["doctor"])
    Path(book.STAMP).write_text("{ half")
    assert steps() == ALL
    Path(book.venv_python()).unlink()  # as after an upgrade of the system's Python
    assert steps() == ALL
    stamp = json.loads(Path(book.STAMP).read_text())
    Path(book.STAMP).write_text(json.dumps(stamp | {"root": "/moved"}))
    assert steps() == ALL
    Path(book.STAMP).write_text(json.dumps(stamp | {"python": ["3", "8"]}))
    assert steps() == ALL


def test_a_file_in_place_of_the_environment(book, fake):
    Path(book.VENV).write_text("not a folder")
    assert book.main(["doctor"]) == 0
    assert fake.steps[:-1] == ALL


def test_no_venv_module(book, fake, monkeypatch, capfd):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "ensurepip":
            raise ImportError("No module named 'ensurepip'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert book.main(["doctor"]) == 1
    assert "sudo apt install python3-venv" in capfd.readouterr().err
    monkeypatch.undo()


def test_too_little_space(book, fake, monkeypatch, capfd):
    with pytest.raises(book.Trouble, match=r"needs 2.0 GB of disk space; 0.5 GB are free"):
        book.check_space(0.5)
    monkeypatch.setattr(book, "NEEDS_GB", 1e9)
    assert book.main(["lab"]) == 1
    assert "Free some space" in capfd.readouterr().err
    assert fake.steps == []


@pytest.mark.skipif(
    os.name == "nt" or (hasattr(os, "geteuid") and os.geteuid() == 0), reason="root may write anywhere"
)
def test_folder_that_cannot_be_written(book, capfd):
    Path(book.ROOT).chmod(0o500)
    try:
        assert book.main(["doctor"]) == 1
    finally:
        Path(book.ROOT).chmod(0o700)
    assert "cannot be written" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        (
            "WARNING: Retrying ... [Errno -2] Name or service not known: Failed to establish a new connection",
            "network",
        ),
        ("HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url", "PIP_INDEX_URL"),
        (
            "ProxyError('Cannot connect to proxy.')\nERROR: No matching distribution found for alembic==1",
            "HTTPS_PROXY",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "PIP_CERT"),
        (
            "(from versions: 0.9)\nERROR: No matching distribution found for pyogrio==0.12",
            "no pyogrio==0.12 for",
        ),
        (
            "(from versions: none)\nERROR: No matching distribution found for pyogrio==0.12",
            "network connection",
        ),
        ("PermissionError: [Errno 13] Permission denied: '.venv'", "cannot be written"),
        ("OSError: [Errno 30] Read-only file system", "cannot be written"),
        (
            "HINT: This error might have occurred since this system does not have Windows Long Path support",
            "long paths",
        ),
        (
            "The virtual environment was not created successfully because ensurepip is not available.",
            "python3-venv",
        ),
        ("something new\nnobody knows", "its last words:\n    something new\n    nobody knows"),
    ],
)
def test_plain_sentences(book, words, mend):
    assert mend in book.explain(words, "Installing packages")


def test_call_logs_and_explains(book):
    Path(book.VENV).mkdir()
    seen = []
    book.call([sys.executable, "-c", "print('one'); print('two')"], "Step", seen.append)
    assert seen == ["one", "two"]
    with pytest.raises(book.Trouble, match="disk is full"):
        book.call([sys.executable, "-c", "import sys; sys.exit('No space left on device')"], "Step")
    assert "No space left" in Path(book.LOG).read_text()


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_ends_the_child_too(tmp_path):
    """A real interrupt during a real step: a word instead of a traceback, and nothing keeps running."""
    import signal

    code = textwrap.dedent(f"""
        import importlib.util, os, signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite runs in the background
        spec = importlib.util.spec_from_file_location("workbook", {str(ROOT / "workbook.py")!r})
        book = importlib.util.module_from_spec(spec); spec.loader.exec_module(book)
        book.VENV, book.LOG = {str(tmp_path)!r}, {str(tmp_path / "log")!r}
        child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        book.set_up = lambda: book.call([sys.executable, "-c", child], "Step", lambda pid: print(pid, flush=True))
        sys.exit(book.main(["doctor"]))
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped." in err and "Traceback" not in err
    for _ in range(50):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the step keeps running")


def test_commands_and_their_options(book, monkeypatch):
    lab, env = book.command_line("lab", ["--no-browser", "--port", "9"])
    assert lab[1:3] == ["-m", "jupyterlab"] and lab[-3:] == ["--no-browser", "--port", "9"]
    assert f"--ServerApp.root_dir={book.ROOT}" in lab
    assert env["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0].endswith("jupyter")
    start = Path(book.ROOT, *book.START.split("/"))
    start.parent.mkdir(parents=True)
    start.write_text("{}")
    assert f"--LabApp.default_url=/lab/tree/{book.START}" in book.command_line("lab", [])[0]
    assert book.command_line("test", ["-k", "x"])[0][1:] == ["-m", "pytest", "-k", "x"]
    assert book.command_line("scorecard", ["--json"])[0][1:] == [
        "-m",
        "regionbook.cli",
        "scorecard",
        "--json",
    ]
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    env = book.environment()
    assert "PYTHONPATH" not in env and env["PATH"].startswith(str(Path(book.venv_python()).parent))


def test_help_and_unknown_command(book, capfd):
    assert book.main([]) == 0
    out = capfd.readouterr().out
    assert all(command in out for command in book.COMMANDS)
    assert book.main(["tset"]) == 2
    assert "no command 'tset'" in capfd.readouterr().err


def test_every_command_is_known_behind():
    """What workbook.py passes on is what the command line knows."""
    from regionbook.cli.__main__ import parser

    known = next(a.choices for a in parser()._actions if a.dest == "command")
    text = (ROOT / "workbook.py").read_text(encoding="utf-8")
    commands = ast.literal_eval(text.partition("COMMANDS = ")[2].partition("\n")[0])
    assert set(commands) == set(known) | {"lab", "test"}
