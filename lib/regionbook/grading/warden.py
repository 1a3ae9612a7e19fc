"""Stands at the door of the sandbox: has all modules ready, and forks a runner for each sheet, shut in by itself.

``python -m regionbook.grading.warden '{"how": …}'`` reads commands from stdin and writes replies to stdout, one JSON a
line, each with the number of its command. ``fetch`` imports modules for all sheets to come; ``new`` starts a runner, ``end`` kills it with all that it started, ``stop``
interrupts its cell; all else is for the runner. This process never runs a student's code.
"""

import json
import os
import select
import shutil
import signal
import socket
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
        self.buffer, self.dead, self.resident = b"", "", 0
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
            fd = line.detach()
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            os.dup2(fd, 3)
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

    def send(self, number: int, line: bytes) -> None:
        """Pass a command on; what comes back is the reply to it."""
        self.pending = number
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
        """End the sheet if it takes too much memory or disk."""
        pids = [self.pid, *below(self.pid)]
        # shared pages count once, which takes longer to find out: only where it matters
        if len(pids) > MANY:
            self.end("started too many processes")
        elif sum(map(resident, pids)) > TREE and sum(map(share, pids)) > TREE:
            self.end("needed too much memory")
        elif not self.own and self.work.exists() and used(self.work) > DISK:
            self.end("wrote too much to disk")

    def end(self, why: str) -> None:
        """Kill the runner with all that it started, and take its folder away."""
        if self.dead:
            return
        self.dead = why
        for _ in range(200):
            try:
                os.kill(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
            found = [] if self.own else [pid for pid in below(os.getpid()) if pid != self.first]
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not (reap(self.first) or found):
                break
            time.sleep(0.01)
        self.line.close()
        if not self.own:
            shutil.rmtree(self.work, ignore_errors=True)


def reap(first: int) -> bool:
    """Whether the first process, or a child that was adopted, is still there."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def below(pid: int) -> list[int]:
    """Processes that a process started, and those that these started."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                found += [int(child), *below(int(child))]
    except OSError:
        pass
    return found


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


def share(pid: int) -> int:
    """Bytes of a process in memory, each page divided by how many share it; all of them where that is not told."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except OSError:
        return resident(pid)


def used(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except OSError:
                continue
    return total


def main(settings: dict[str, Any]) -> None:
    """Answer until stdin ends."""
    commands, replies = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl+C is for who started grading, who ends this by closing stdin
    shell = runner.shell_with(settings["modules"])
    if settings["how"] in ("landlock", "nothing"):
        confine.adopt_orphans()
    child: Child | None = None
    buffer, looked = b"", 0.0

    def say(number: int, text: bytes) -> None:
        replies.write(b"%d %s\n" % (number, text))
        replies.flush()

    while True:
        alive = child if child and not child.dead else None
        lines: list[Any] = [commands, *([alive.line] if alive else [])]
        ready = select.select(lines, [], [], 0.25 if alive else None)[0]
        if alive and alive.line in ready and (line := alive.hear()) is not None and alive.pending is not None:
            number, alive.pending = alive.pending, None  # one reply a command, whatever the runner writes
            say(number, line)
        if commands in ready:
            part = os.read(commands.fileno(), 1 << 20)
            if not part:
                break
            *lines, buffer = (buffer + part).split(b"\n")
            for line in lines:
                command = json.loads(line)
                if command["op"] == "fetch":
                    runner.fetch(command["modules"])
                    say(command["id"], b"{}")
                elif command["op"] in ("new", "end"):
                    if child:
                        child.end("was ended")
                    child = Child(settings, shell) if command["op"] == "new" else None
                    say(command["id"], b"{}")
                elif command["op"] == "stop" and child and not child.dead:
                    try:
                        os.kill(child.pid, signal.SIGINT)
                    except ProcessLookupError:
                        pass
                elif command["op"] != "stop" and child:
                    child.pending = command["id"]
                    if not child.dead:
                        child.send(command["id"], line + b"\n")
        if child and not child.dead and time.monotonic() - looked > 0.2:
            looked = time.monotonic()
            child.watch()
        if child and child.dead and child.pending is not None:
            number, child.pending = child.pending, None
            say(number, json.dumps({"dead": child.dead}).encode())
    if child:
        child.end("was ended")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
