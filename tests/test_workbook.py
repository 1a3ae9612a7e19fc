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
    home |= {"OLD": tmp_path / ".venv.old"}
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

    def call(command, step, watch=None, env=None):
        fake.steps.append(step)
        if step == "Making .venv":
            python = Path(book.venv_python())
            python.parent.mkdir(parents=True, exist_ok=True)
            python.symlink_to(sys.executable)
            Path(book.site_packages()).mkdir(parents=True, exist_ok=True)
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
    monkeypatch.setattr(book, "pip_environment", dict)
    monkeypatch.setattr(book, "remove_strays", lambda: fake.steps.append("strays"))
    monkeypatch.setattr(book, "hand_over", lambda line, env, folder: fake.steps.append(line[1:]) or 0)
    return fake


ALL = ["Making .venv", "Installing packages"]
DOCTOR = ["-P", "-m", "regionbook.cli", "doctor"]


def test_parses_on_old_pythons():
    """It has to start there to say which Python is needed."""
    ast.parse((ROOT / "workbook.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = {
        name
        for node in ast.walk(ast.parse((ROOT / "workbook.py").read_text(encoding="utf-8")))
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [])
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 9), (3, 10, 4), (3, 15, 0)])
def test_wrong_python(book, monkeypatch, version):
    monkeypatch.setattr(book, "works", lambda name: "3.12" in name)
    with pytest.raises(
        book.Trouble, match=r"needs Python 3.11, 3.12, 3.13 or 3.14; this is Python .*\nRun: \S+.*3\.12"
    ):
        book.check_python(version)
    monkeypatch.setattr(book, "works", lambda name: False)
    with pytest.raises(book.Trouble, match="Install one from python.org"):
        book.check_python(version)


def test_right_python(book, capsys):
    book.check_python((3, 11, 0))
    book.check_python((3, 13, 9))
    assert not capsys.readouterr().err
    book.check_python((3, 14, 0))
    assert "Python 3.14: every package has a wheel for it, but" in capsys.readouterr().err
    assert not book.works("no-such-python")
    assert book.works(sys.executable) or " " in sys.executable


def test_first_run_then_nothing_to_do(book, fake, capfd):
    assert book.main(["doctor"]) == 0
    assert fake.steps == [*ALL, DOCTOR]
    out, err = capfd.readouterr()
    assert (
        out == "" and "Installing 2 packages" in err and "Ready after" in err
    )  # stdout is the command's own
    fake.steps.clear()
    assert book.main(["doctor"]) == 0
    assert fake.steps == [DOCTOR]
    assert capfd.readouterr() == ("", "")


def test_changed_lock_updates_in_place(book, fake):
    book.main(["doctor"])
    Path(book.LOCK).write_text("alpha==1.1\n")
    fake.steps.clear()
    book.main(["doctor"])
    assert fake.steps[:-1] == ["Installing packages", "strays"]


@pytest.mark.parametrize("command", ["site", "hub"])
def test_a_command_brings_its_own_packages(book, fake, monkeypatch, tmp_path, command, capfd):
    """Its lock is installed once, and again after either lock has changed."""
    own = tmp_path / "own.lock"
    monkeypatch.setitem(book.FURTHER, command, str(own))
    assert book.main([command]) == 1
    assert "own.lock: copy that folder from the whole workbook" in capfd.readouterr().err
    own.write_text("gamma==1.0\n")
    step = f"Installing the {command}'s packages"
    fake.steps.clear()
    assert book.main([command, "--open"]) == 0
    hub = ["-m", "jupyterhub", "--config", str(Path(book.ROOT) / "deploy" / "jupyterhub_config.py")]
    line = hub if command == "hub" else ["-m", "regionbook.cli", "site"]
    assert fake.steps == [step, ["-P", *line, "--open"]]
    for lock, counted in ((None, 0), (own, 1), (Path(book.LOCK), 1)):
        if lock:
            lock.write_text(lock.read_text() + "delta==1.0\n")
        fake.steps.clear()
        book.main([command])
        assert fake.steps.count(step) == counted
    fake.steps.clear()
    book.main(["doctor"])
    assert step not in fake.steps


def test_windows_line_ends_are_no_change(book, fake):
    book.main(["doctor"])
    lock = Path(book.LOCK)
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    fake.steps.clear()
    book.main(["doctor"])
    assert fake.steps == [DOCTOR]


@pytest.mark.parametrize("step", [*ALL, "finishing"])
def test_interrupted_run_recovers(book, fake, step, capfd, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    fake.interrupts = {step}
    with monkeypatch.context() as m:
        if step == "finishing":
            m.setattr(book, "link_library", interrupt)
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
    Path(book.STAMP).write_text(json.dumps(stamp | {"python": ["3", "8"]}))
    assert steps() == ALL


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_another_spelling_of_the_folder_is_the_same_folder(book, fake, monkeypatch, tmp_path_factory):
    book.main(["doctor"])
    fake.steps.clear()
    other = tmp_path_factory.mktemp("else") / "other-name"
    other.symlink_to(book.ROOT)
    for name in ("ROOT", "VENV", "STAMP", "LOG", "LOCK", "OLD"):
        monkeypatch.setattr(book, name, getattr(book, name).replace(str(book.ROOT), str(other), 1))
    assert book.main(["doctor"]) == 0
    assert fake.steps == [DOCTOR]


def scripts(book):
    """Two scripts as pip writes them, and a program."""
    folder = Path(book.venv_python()).parent
    (folder / "tool").write_bytes(
        b"#!" + os.fsencode(book.venv_python()) + b"\nimport sys; print(sys.argv)\n"
    )
    (folder / "activate").write_bytes(b"VIRTUAL_ENV=" + os.fsencode(book.VENV) + b"\n")
    (folder / "program").write_bytes(b"\x00" + os.fsencode(book.VENV))
    return folder


@pytest.mark.skipif(os.name == "nt", reason="launchers are programs on Windows")
@pytest.mark.parametrize("name", ["moved", "学生 作业", "a" * 140])
def test_a_moved_folder_needs_no_network(book, fake, monkeypatch, tmp_path_factory, name, capfd):
    book.main(["doctor"])
    before = book.VENV
    scripts(book)
    fake.steps.clear()
    new = tmp_path_factory.mktemp("away") / name
    Path(book.ROOT).rename(new)
    for part in ("VENV", "STAMP", "LOG", "LOCK", "OLD", "ROOT"):
        monkeypatch.setattr(book, part, getattr(book, part).replace(str(book.ROOT), str(new), 1))
    assert book.main(["doctor"]) == 0
    assert fake.steps == [DOCTOR] and "comes along" in capfd.readouterr().err
    folder = Path(book.venv_python()).parent
    (folder / "tool").chmod(0o755)
    ran = subprocess.run([folder / "tool", "it runs"], capture_output=True, text=True, check=True)
    assert "it runs" in ran.stdout
    assert (folder / "activate").read_bytes() == b"VIRTUAL_ENV=" + os.fsencode(book.VENV) + b"\n"
    assert os.fsencode(before) in (folder / "program").read_bytes()  # left alone
    Path(new).rename(Path(before).parent)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize(
    "lock", ["alpha==1.0\nbeta==2.0\n", "alpha==1.1\n"], ids=["same lock", "another lock"]
)
def test_a_linked_environment_is_said_and_left_alone(book, fake, tmp_path, monkeypatch, capfd, lock):
    """It belongs to the folder that it lies in; until the link is gone nothing is run."""
    book.main(["doctor"])
    other, link = tmp_path / "other", Path(book.VENV)
    other.mkdir()
    link.rename(other / ".venv")
    link.symlink_to(other / ".venv", target_is_directory=True)
    stamp = json.loads(Path(book.STAMP).read_text()) | {"root": str(other)}
    Path(book.STAMP).write_text(json.dumps(stamp))
    (link / "bin" / "tool").write_text(f"#!{other}/.venv/bin/python\n")
    Path(book.LOCK).write_text(lock)

    def files():
        return {p: p.read_bytes() for p in (other / ".venv").rglob("*") if p.is_file() and not p.is_symlink()}

    before = files()
    fake.steps.clear()
    assert book.main(["doctor"]) == 1
    assert f"is a link to {other / '.venv'}, the environment of {other}" in capfd.readouterr().err
    assert fake.steps == [] and files() == before
    link.unlink()
    assert book.main(["doctor"]) == 0 and not link.is_symlink()
    assert fake.steps == [*ALL, DOCTOR] and files() == before


def test_the_library_is_linked_by_a_relative_path(book, fake):
    """Absolute ones with Chinese characters stop Python 3.11 and 3.12 under other locales."""
    book.main(["doctor"])
    site = Path(book.site_packages())
    (Path(book.ROOT) / "lib").mkdir()
    link = (site / "regionbook.pth").read_text(encoding="ascii").strip()
    assert not Path(link).is_absolute() and (site / link).samefile(Path(book.ROOT) / "lib")
    (site / "__editable__.regionbook-0.4.pth").write_text("/of/an/older/workbook")
    (site / "regionbook-0.4.dist-info").mkdir()
    book.link_library()
    assert [p.name for p in site.iterdir()] == ["regionbook.pth"]


def test_a_finished_environment_is_kept_until_the_new_one_is_whole(book, fake, capfd):
    book.main(["doctor"])
    mark = Path(book.VENV) / "mine.txt"
    mark.write_text("kept")
    stamp = json.loads(Path(book.STAMP).read_text())
    Path(book.STAMP).write_text(json.dumps(stamp | {"python": ["3", "8"]}))  # as on another system
    fake.fails = {"Installing packages": "Failed to establish a new connection"}
    assert book.main(["doctor"]) == 1
    assert mark.read_text() == "kept" and not Path(book.OLD).exists()
    fake.fails = {}
    assert book.main(["doctor"]) == 0
    assert not mark.exists() and not Path(book.OLD).exists()


def test_two_starts_take_turns(book, fake, tmp_path):
    """The second waits for the first; one that is killed gives the lock back."""
    code = f"""
import importlib.util, time
spec = importlib.util.spec_from_file_location("workbook", {str(ROOT / "workbook.py")!r})
book = importlib.util.module_from_spec(spec); spec.loader.exec_module(book)
book.ROOT = {str(tmp_path)!r}
with book.alone():
    print("mine", flush=True); time.sleep(60)
"""
    run = [sys.executable, "-c", code]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "mine\n"
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as second:
            assert "waiting for it" in second.stderr.readline()
            assert second.poll() is None
            first.kill()
            assert second.stdout.readline() == "mine\n"
            second.kill()


def test_pip_settings_of_the_user(book, tmp_path, monkeypatch, capfd):
    """The way to an index is used, what would install elsewhere is named and left."""
    (tmp_path / "pip.conf").write_text(
        "[install]\ntarget = elsewhere\n[global]\nrequire-hashes = true\nproxy = http://a:1\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_PREFIX", "/elsewhere")
    Path(book.VENV).mkdir()
    monkeypatch.setattr(book, "venv_python", lambda: sys.executable)
    env = {k: v for k, v in book.pip_environment().items() if k.startswith("PIP_")}
    assert env["PIP_INDEX_URL"] == "https://mirror.example/simple" and env["PIP_PROXY"] == "http://a:1"
    assert env["PIP_CONFIG_FILE"] == os.devnull
    assert not {"PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_HASHES"} & set(env)
    said = capfd.readouterr().err
    assert all(name in said for name in ("target", "prefix", "require-hashes"))


def test_files_named_like_pythons_own(tmp_path):
    """A student's random.py beside workbook.py is named, and not taken for Python's."""
    (tmp_path / "workbook.py").write_bytes((ROOT / "workbook.py").read_bytes())
    for name in ("random", "json", "email", "hashlib", "tempfile", "subprocess", "copy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    ran = subprocess.run(
        [sys.executable, "workbook.py", "help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0 and "one entry point" in ran.stdout
    ran = subprocess.run([sys.executable, "workbook.py", "lab"], cwd=tmp_path, capture_output=True, text=True)
    assert "json.py" in ran.stderr and "other names" in ran.stderr and "the wrong one" not in ran.stderr


def test_a_home_that_cannot_be_written(book, monkeypatch):
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("USERPROFILE", "/nonexistent")
    env = book.environment()
    assert Path(env["HOME"]).is_dir() and env["REGIONBOOK_NO_HOME"] == "/nonexistent"
    monkeypatch.setenv("HOME", str(Path(book.ROOT)))
    monkeypatch.setenv("USERPROFILE", str(Path(book.ROOT)))
    assert "REGIONBOOK_NO_HOME" not in book.environment()


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
        ("Could not fetch URL: the ssl module in Python is not available.", "conda activate"),
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
    assert lab[1:5] == ["-P", "-m", "regionbook.cli", "lab"] and lab[-3:] == ["--no-browser", "--port", "9"]
    assert env["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0].endswith("jupyter")
    with pytest.raises(book.Trouble, match="a student's copy of the workbook: the tests are in the whole"):
        book.command_line("test", [])
    Path(book.ROOT, "tests").mkdir()
    assert book.command_line("test", ["-k", "x"])[0][1:] == ["-P", "-m", "pytest", "-k", "x"]
    assert book.command_line("scorecard", ["--json"])[0][1:] == [
        "-P",
        "-m",
        "regionbook.cli",
        "scorecard",
        "--json",
    ]
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    env = book.environment()
    assert not {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} & set(env)
    assert env["PATH"].startswith(str(Path(book.venv_python()).parent))


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
    commands = ast.literal_eval(text.partition("COMMANDS = ")[2].partition(")")[0] + ")")
    assert set(commands) == set(known) | {"test", "hub"}
