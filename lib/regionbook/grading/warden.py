"""Stands at the door of the sandbox: has modules ready, and forks a runner for each sheet, shut in by itself.

``python -m regionbook.grading.warden '{"how": …}'`` reads commands from stdin and writes replies to stdout, one JSON a
line, each with the number of its command. ``fetch`` imports modules for all sheets to come; ``new`` starts a runner,
``end`` kills it with all that it started, ``stop`` interrupts its cell; all else is for the runner. This process never runs a student's code.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from regionbook.grading import confine, runner

LINE, TREE, DISK, MANY = 48 << 20, 4 << 30, 512 << 20, 100
"""Bytes: a reply; all processes of a sheet together; its files, where they are not in memory. Processes of a sheet."""
FOLDERS = {"/tmp": 256 << 20, "/dev/shm": 64 << 20}
SEEN = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/dev/urandom",
        "/dev/zero", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu")  # fmt: skip
"""What Landlock lets a cell read besides the environment, the library and the data."""


class Child:
    """A running sheet: its process, the line to it, and what is still unanswered."""

    def __init__(self, settings: dict[str, Any], shell: Any) -> None:
        self.settings, self.own = settings, settings["how"] == "namespaces"
        self.work = Path(settings["work"]) / f"sheet-{os.getpid()}-{time.monotonic_ns()}"
        self.pending: int | None = None
        self.buffer, self.dead = b"", ""
        self.line, theirs = socket.socketpair()
        told, tell = os.pipe()
        self.first = os.fork()
        if not self.first:
            self._inside(shell, theirs, tell)  # does not come back
        theirs.close()
        os.close(tell)
        self.pid = int(os.read(told, 32) or 0)
        os.close(told)
        self.line.settimeout(10)

    def _inside(self, shell: Any, line: socket.socket, tell: int) -> None:
        try:
            if self.own:
                confine.new_namespaces()
                if inner := os.fork():
                    os.write(tell, str(inner).encode())
                    os.waitpid(inner, 0)
                    os._exit(0)
                confine.fresh_folders(FOLDERS)
                self.work = Path("/tmp/work")
            else:
                os.write(tell, str(os.getpid()).encode())
            os.dup2(line.detach(), 3)
            os.closerange(4, 4096)
            self._shut_in()
            with os.fdopen(3, "rb", closefd=False) as commands, os.fdopen(3, "wb", closefd=False) as replies:
                runner.serve(shell, commands, replies)
        finally:
            os._exit(1)

    def _shut_in(self) -> None:
        """Folders, limits, rights: from here on the process has what the student's code will have."""
        user = self.settings["user"]
        os.setsid()
        (self.work / "home").mkdir(parents=True)
        os.environ.update(HOME=str(self.work / "home"), TMPDIR=str(self.work))
        os.chdir(self.work)
        for path in (self.work, self.work / "home") if user else ():
            path.chmod(0o777)  # in a folder of nobody else
        # without a user or a namespace of one's own the number counts all processes of the lecturer
        confine.limit(**({} if self.own or user else {"RLIMIT_NPROC": 2000}))
        if self.settings["how"] == "landlock":
            read = [*SEEN, *self.settings["read"], "/dev/null"]
            confine.landlock(read, [str(self.work), "/dev/null"])
        if self.settings["how"] != "nothing":
            confine.drop_rights(user)
            confine.filter_calls()

    def send(self, line: bytes) -> None:
        """Pass a command on."""
        try:
            self.line.sendall(line)
        except OSError:
            self.end("ended")

    def hear(self) -> bytes | None:
        """A whole reply, if there is one by now."""
        try:
            part = self.line.recv(1 << 20)
        except OSError:
            part = b""
        self.buffer += part
        if not part or len(self.buffer) > LINE:
            self.end("gave an answer that is too long" if part else "ended")
            return None
        line, found, rest = self.buffer.partition(b"\n")
        if not found:
            return None
        self.buffer = rest
        return line

    def watch(self) -> None:
        """End the sheet if it takes too much."""
        pids = below(os.getpid())
        if len(pids) > MANY:
            self.end("started too many processes")
        elif sum(memory(p, False) for p in pids) > TREE and sum(memory(p, True) for p in pids) > TREE:
            self.end("needed too much memory")
        elif not self.own:
            try:
                if sum(p.lstat().st_blocks for p in self.work.rglob("*")) * 512 > DISK:
                    self.end("wrote too much to disk")
            except FileNotFoundError:
                pass  # it comes and goes
            except (OSError, RecursionError):
                self.end("made folders in folders without end")

    def end(self, why: str) -> None:
        """Kill the runner with all that it started, and take its folder away."""
        if self.dead:
            return
        self.dead = why
        for _ in range(200):
            for pid in {self.pid, *([] if self.own else below(os.getpid()))}:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if not reap():
                break
            time.sleep(0.01)
        self.line.close()
        if not self.own:
            subprocess.run(["rm", "-rf", "--", self.work], check=False)  # however deep


def reap() -> bool:
    """Take leave of children that have ended; whether there are others."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
        return True
    return False


def below(pid: int) -> list[int]:
    """Processes that a process started, and those that these started."""
    parent = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            its = stat.read_text(errors="replace").rpartition(")")[2].split()
            parent[int(stat.parent.name)] = int(its[1])
    found = [pid]
    for one in found:
        found += [child for child, its in parent.items() if its == one]
    return found[1:]


def memory(pid: int, exact: bool) -> int:
    """Bytes of a process; exact: each page divided by how many share it, which takes longer to find out."""
    with contextlib.suppress(OSError):
        if not exact:
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return 0


class Warden:
    """Commands in, replies out, one sheet at a time."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings, self.child = settings, None
        self.commands, self.replies = runner.detached()
        # who started grading hears Ctrl+C, and ends this by closing stdin
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.shell = runner.new_shell()
        if settings["how"] in ("landlock", "nothing"):
            confine.adopt_orphans()

    child: Child | None

    def serve(self) -> None:
        """Answer until stdin ends."""
        buffer, looked = b"", 0.0
        while True:
            alive = self.child if self.child and not self.child.dead else None
            lines: list[Any] = [self.commands, *([alive.line] if alive else [])]
            ready = select.select(lines, [], [], 0.25 if alive else None)[0]
            if alive and alive.line in ready:
                self.answer(alive.hear())
            if self.commands in ready:
                part = os.read(self.commands.fileno(), 1 << 20)
                if not part:
                    break
                *whole, buffer = (buffer + part).split(b"\n")
                for line in whole:
                    self.obey(json.loads(line), line + b"\n")
            if alive and not alive.dead and time.monotonic() - looked > 0.2:
                looked = time.monotonic()
                alive.watch()
            if self.child and self.child.dead:
                self.answer(json.dumps({"dead": self.child.dead}).encode())
        if self.child:
            self.child.end("was ended")

    def answer(self, text: bytes | None) -> None:
        """Pass a runner's reply on: one a command, whatever it writes."""
        if text is not None and self.child and self.child.pending is not None:
            number, self.child.pending = self.child.pending, None
            self.say(number, text)

    def say(self, number: int, text: bytes = b"{}") -> None:
        """Reply to a command."""
        self.replies.write(b"%d %s\n" % (number, text))
        self.replies.flush()

    def obey(self, command: dict[str, Any], line: bytes) -> None:
        """Do what is asked for, or have the runner do it."""
        what, child = command["op"], self.child
        if what == "fetch":
            runner.fetch(command["modules"])
            self.say(command["id"])
        elif what in ("new", "end"):
            if child:
                child.end("was ended")
            self.child = Child(self.settings, self.shell) if what == "new" else None
            self.say(command["id"])
        elif what == "stop":
            if child and not child.dead:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGINT)
        elif child:
            child.pending = command["id"]
            if not child.dead:
                child.send(line)


if __name__ == "__main__":
    Warden(json.loads(sys.argv[1])).serve()
