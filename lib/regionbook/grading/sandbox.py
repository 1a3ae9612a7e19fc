"""The sandbox from outside: which kind works on this machine, and the line to a sheet that runs in it."""

import contextlib
import itertools
import json
import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regionbook.paths import ROOT

KINDS = ("bubblewrap", "landlock", "podman", "docker")
"""What is tried, in this order."""
IMAGE = "regionbook-grading"
"""Name of the container image, see ``deploy/Containerfile``."""
_NUMBERS = itertools.count()
PATIENCE = 5
"""Seconds that a cell has to react to an interrupt."""
INSIDE_ONLY = ("grading/__init__.py", "grading/plain.py", "grading/runner.py", "grading/warden.py", "grading/confine.py",
               "exercises/__init__.py", "exercises/personal.py", "exercises/keys.py")  # fmt: skip
"""Of the rooms that know answers or judge them, what the sandbox gets to see."""
CHECK = """
class NotYet(AssertionError): ...
class Right(str): ...
def check(exercise, answer=None, panel=None): return Right(f"(judged later) {exercise}")
"""
PROBE = """
import socket
found = []
for place in {places!r}:
    for way, name in (("r", place), ("w", place + ".{mark}")):
        try: open(name, way).close(); found.append("a cell could open " + name)
        except OSError: pass
try: socket.create_connection(("127.0.0.1", {port}), 2); found.append("a cell could call a program of this machine")
except OSError: pass
"""


class Dead(Exception):
    """The process that ran a sheet is no more, or gave no answer: why."""


class NoSandbox(Exception):
    """No kind of sandbox works on this machine, in words for the lecturer."""


@dataclass(frozen=True)
class Place:
    """Folders of one call of ``grade``: the library without answers, panels to read, work of the sheets."""

    scratch: Path

    @property
    def box(self) -> Path:
        """Library and data as the sandbox has them."""
        return self.scratch / "box"

    @property
    def panels(self) -> Path:
        """Students' panels, drawn by the judge, read by the sheets."""
        return self.scratch / "panels"


@contextlib.contextmanager
def prepared() -> Iterator[Place]:
    """A `Place`, taken away afterwards; and what graders left that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{IMAGE}-*"):
        with contextlib.suppress(OSError):
            if (left / "box").is_dir() and (free := _hold(left)):
                subprocess.run(["rm", "-rf", "--", left], check=False)  # however deep
                os.close(free)
    with tempfile.TemporaryDirectory(prefix=f"{IMAGE}-", ignore_cleanup_errors=True) as folder:
        held = 0
        with contextlib.suppress(OSError):  # a file system without locks
            held = _hold(Path(folder))
        place = Place(Path(folder))
        lib, inside = ROOT / "lib" / "regionbook", place.box / "lib" / "regionbook"
        left_out = shutil.ignore_patterns("cli", "exercises", "grading")
        shutil.copytree(lib, inside, ignore=left_out)
        for name in INSIDE_ONLY:
            (inside / name).parent.mkdir(exist_ok=True)
            shutil.copy2(lib / name, inside / name)
        (inside / "exercises" / "check.py").write_text(CHECK, encoding="utf-8")
        for part in (place.panels, place.scratch / "work"):
            part.mkdir()
        try:
            yield place
        finally:
            if held:
                os.close(held)


def _hold(folder: Path) -> int:
    """Lock a folder until this process ends; 0 on Windows. An OSError if another holds it, or it is another user's."""
    if sys.platform == "win32":
        return 0
    import fcntl

    at = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if os.fstat(at).st_uid != os.geteuid():
            raise PermissionError(folder)
        fcntl.flock(at, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(at)
        raise
    return at


class Line:
    """A process that answers one line of JSON with another.

    ``keep`` is what a reply may at most have, in bytes.
    """

    def __init__(self, command: list[str], keep: int, **how: Any) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, **how)
        self.replies: queue.Queue[bytes] = queue.Queue()
        self.keep, self.count = keep, 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        with contextlib.suppress(OSError, ValueError):
            while line := self.process.stdout.readline(self.keep):
                self.replies.put(line if line.endswith(b"\n") else b"")
        self.replies.put(b"")

    def tell(self, command: dict[str, Any]) -> int:
        """Send a command; its number. `Dead` if nobody listens."""
        assert self.process.stdin
        self.count += 1
        try:
            self.process.stdin.write(json.dumps(command | {"id": self.count}).encode() + b"\n")
            self.process.stdin.flush()
        except (OSError, ValueError) as error:
            raise Dead("ended") from error
        return self.count

    def hear(self, timeout: float) -> bytes | None:
        """The next reply, None if there is none in time; `Dead` if the process ended or talks without end."""
        try:
            line = self.replies.get(timeout=max(timeout, 0))
        except queue.Empty:
            return None
        if not line:
            self.close()
            raise Dead("ended")
        return line

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if stream:
                    stream.close()


class Box:
    """Where sheets of one worker run, one after the other, each shut in by itself."""

    def __init__(self, kind: str, place: Place) -> None:
        self.kind, self.place = kind, place
        self.line: Line | None = None
        self.warden = kind != "nothing" or hasattr(os, "fork")
        """Whether the process that is talked to stands outside of the sheet's own."""
        self.warm = self.warden and kind not in ("podman", "docker")
        """Whether it serves one sheet after the other."""
        self.fetched: set[str] = set()

    def new(self, modules: Iterable[str] = ()) -> None:
        """Make room for a new sheet, which will want these modules. `Dead` if the sandbox does not start."""
        if self.line and not self.warm:
            self.close()
        if not self.line:
            command, env = command_of(self.kind, self.place)
            self.line = Line(
                command, 64 << 20, env=env, cwd=self.place.scratch, start_new_session=os.name == "posix"
            )
            self.fetched = set()
        if self.warm and (more := set(modules) - self.fetched):
            self.fetched |= more
            self._reply(self.line.tell({"op": "fetch", "modules": sorted(more)}), 120)
        if self.warden:
            self._reply(self.line.tell({"op": "new"}), 120)

    def ask(self, command: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The runner's reply, with ``"stopped": True`` if the cell had to be interrupted.

        `Dead` if the runner is no more: it ended, took too much, or would not be interrupted.
        """
        if not self.line:
            raise Dead("ended")
        number, stopped = self.line.tell(command), False
        reply = self._reply(number, timeout, must=False)
        if reply is None and self.warden:
            self.line.tell({"op": "stop"})
            reply, stopped = self._reply(number, PATIENCE, must=False), True
        if reply is None:
            self.end()
            raise Dead(f"took more than {timeout:g} s and could not be stopped")
        if "dead" in reply:
            raise Dead(str(reply["dead"])[:300])
        return reply | {"stopped": stopped}

    def end(self) -> None:
        """Kill what runs and forget what it wrote."""
        try:
            if self.line and self.warm:
                self._reply(self.line.tell({"op": "end"}), 60)
            else:
                self.close()
        except Dead:
            self.close()

    def interrupt(self) -> None:
        """Let the warden end what runs, and go."""
        with contextlib.suppress(OSError, ValueError):
            if (line := self.line) and line.process.stdin:
                line.process.stdin.close()

    def close(self) -> None:
        """End the sandbox itself."""
        self.interrupt()
        if self.line:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.line.process.wait(10 if self.warden else 0)
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(self.line.process.pid, signal.SIGKILL)
            self.line.close()
            self.line = None

    def _reply(self, number: int, timeout: float, must: bool = True) -> dict[str, Any] | None:
        end = time.monotonic() + timeout
        assert self.line
        while (line := self.line.hear(end - time.monotonic())) is not None:
            mark, _, text = line.partition(b" ")
            if self.warden and mark != str(number).encode():
                continue  # an answer that comes too late
            try:
                return dict(json.loads(text if self.warden else line))
            except (ValueError, TypeError, RecursionError):
                self.end()
                raise Dead("gave an answer that is none") from None
        if must:
            self.close()
            raise Dead("the sandbox does not answer")
        return None


# ------------------------------------------------------------------------------------------------- kinds of sandbox


def command_of(kind: str, place: Place) -> tuple[list[str], dict[str, str]]:
    """How the warden (or, without fork, the runner) is started, and its environment: nothing of the lecturer's."""
    inside, container = kind in ("bubblewrap", "podman", "docker"), kind in ("podman", "docker")
    work = "/tmp" if inside else str(place.scratch / "work")
    lib, panels = ("/box/lib", "/panels") if inside else (str(place.box / "lib"), str(place.panels))
    env = {"HOME": work, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"PYTHONPATH": lib, "REGIONBOOK_CACHE": panels, "MPLBACKEND": "agg"}
    if not container:
        env["PATH"] = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    if not inside and not (place.box / "data").exists():  # the library looks for its data beside itself
        (place.box / "data").symlink_to(ROOT / "data", target_is_directory=True)
    read = [sys.base_prefix, sys.prefix, str(ROOT / "data"), str(place.box), panels]
    how = "container" if container else "namespaces" if inside else kind
    # limits do not bind root: with bubblewrap the runner becomes a user that nobody is
    as_root = how == "namespaces" and os.geteuid() == 0
    user = 64_000 + (31 * os.getpid() + next(_NUMBERS)) % 1000 if as_root else 0
    settings = {"how": how, "user": user, "work": work, "read": read}
    python = "python" if container else sys.executable
    start = [python, "-sP", "-m", "regionbook.grading.warden", json.dumps(settings)]
    if container:
        return [*_container(kind, place, env), *start], dict(os.environ)
    if inside:
        return [*_bubblewrap(place, env), *start], {"PATH": os.environ.get("PATH", "")}
    if not hasattr(os, "fork"):
        env |= {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        start = [python, "-sP", "-m", "regionbook.grading.runner"]
    return start, env


def _bubblewrap(place: Place, env: dict[str, str]) -> list[str]:
    """The system, the environment, library and data to read; memory for all that is written; no network."""
    line = shlex.split(
        "bwrap --unshare-pid --unshare-net --unshare-ipc --unshare-uts --die-with-parent --new-session"
    )
    line += ["--hostname", "sandbox", "--clearenv"]
    if os.geteuid() == 0:  # needs no namespace of users
        rights = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL", "SYS_PTRACE")
        line += ["--cap-drop", "ALL", *(word for right in rights for word in ("--cap-add", f"CAP_{right}"))]
    else:
        line += shlex.split(
            "--unshare-user --uid 1000 --gid 1000 --cap-add ALL"
        )  # given up before a cell runs
    line += ["--ro-bind", "/usr", "/usr"]
    for top in map(Path, ("/bin", "/lib", "/lib64", "/sbin")):
        if top.is_symlink():
            line += ["--symlink", str(top.readlink()), str(top)]
        elif top.exists():
            line += ["--ro-bind", str(top), str(top)]
    for file in ("/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/etc/alternatives"):
        line += ["--ro-bind-try", file, file]
    line += shlex.split("--proc /proc --dev /dev --dir /dev/shm --remount-ro /dev --tmpfs /tmp")
    bases = [sys.base_prefix] * (not sys.base_prefix.startswith("/usr"))
    own = any(ROOT.is_relative_to(base) for base in ("/usr", *bases))
    hide = ["--tmpfs", str(ROOT)] if own else []  # a project inside of what is shown
    bases += [sys.prefix] * (own or not sys.prefix.startswith("/usr"))
    for seen, there in (*((Path(base), base) for base in bases), *_shown(place)):
        if there == sys.prefix:
            line += hide
        for folder in reversed(Path(there).parents[:-1]):  # bubblewrap would close them to other users
            line += ["--perms", "0755", "--dir", str(folder)]
        line += ["--ro-bind", str(seen), there]
    for name, value in env.items():
        line += ["--setenv", name, value]
    return [*line, "--chdir", "/tmp", "--remount-ro", "/"]


def _shown(place: Place) -> tuple[tuple[Path, str], ...]:
    return (place.box / "lib", "/box/lib"), (ROOT / "data", "/box/data"), (place.panels, "/panels")


def _container(kind: str, place: Place, env: dict[str, str]) -> list[str]:
    """A container of its own for each sheet; its image holds the locked environment."""
    line = f"{kind} run --rm -i --network none --read-only --tmpfs /tmp:size=256m,mode=1777 --workdir /tmp".split()
    line += shlex.split(
        "--memory 4g --pids-limit 100 --cap-drop ALL --security-opt no-new-privileges --user 64000:64000"
    )
    for seen, there in _shown(place):
        line += ["--volume", f"{seen}:{there}:ro"]
    for name, value in env.items():
        line += ["--env", f"{name}={value}"]
    return [*line, IMAGE]


def choose(place: Place, trust: bool = False, kinds: Iterable[str] = KINDS) -> str:
    """The first of some kinds of sandbox that holds on this machine, found by trying to get out of it.

    Where none does, ``"nothing"`` with ``trust``, else a `NoSandbox` error.
    """
    why = []
    for kind in kinds:
        try:
            failed = trouble(kind, place)
        except (Dead, OSError) as error:
            failed = str(error)
        if not failed:
            return kind
        why.append(f"{kind}: {failed}")
    if trust:
        return "nothing"
    raise NoSandbox(
        "No sandbox on this computer, so nothing was graded: a student's code would run as you, with your files and your "
        f"network ({'; '.join(why)}).\n"
        "Linux: install bubblewrap (Debian, Ubuntu: `sudo apt install bubblewrap`). macOS, Windows: podman or Docker, and "
        f"the image of deploy/Containerfile (`podman build -t {IMAGE} -f deploy/Containerfile .`); or WSL. See "
        "solutions/TEACHING.md.\n"
        "For people whose code you would run yourself: `grade --trust-the-code`."
    )


def trouble(kind: str, place: Place) -> str:
    """Why a kind of sandbox cannot be used here, ``""`` if it can: a cell inside tries to read, write and call out."""
    import socket

    program = {"bubblewrap": "bwrap", "landlock": ""}.get(kind, kind)
    if program and not shutil.which(program):
        return "not installed"
    if kind == "landlock" and not sys.platform.startswith("linux"):
        return "Linux only"
    secret, mark = place.scratch / "secret", f"tried-{os.getpid()}"
    places = (secret, ROOT / "pyproject.toml", Path.home() / ".profile")
    secret.write_text("not to be read", encoding="utf-8")
    box = Box(kind, Place(place.scratch))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            box.new()
            code = PROBE.format(places=list(map(str, places)), port=listener.getsockname()[1], mark=mark)
            failed = box.ask({"op": "run", "code": code}, 60)["error"]
            found = box.ask({"op": "take", "names": ["found"]}, 60)["values"].get("found", {}).get("v")
        finally:
            box.close()
            for left in (secret, *(Path(f"{name}.{mark}") for name in places)):
                left.unlink(missing_ok=True)
    return f"it does not run a cell ({failed})" if failed or found is None else ", ".join(sorted(set(found)))
