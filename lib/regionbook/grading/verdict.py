"""Judges values in a process that never ran a student's code; commands by stdin, replies by stdout, one JSON a line.

``start`` runs what a sheet gives for a student's number and tells which names each test wants from the student; ``test``
runs a test of the solution, hidden part included, on the values that came out of the sandbox. While a test runs, a line
``{"ask": …}`` wants something of the sandbox: a call of a student's function, an attribute of a student's object.

Names that the sheet itself binds are computed here again. Nothing that a student's process says is believed but the
values of the names that were asked for, and these are plain.
"""

import ast
import builtins
import contextlib
import functools
import hashlib
import io
import json
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any, ClassVar

from regionbook.exercises import check, keys, personal, record
from regionbook.grading import plain, runner

ROOMY = 8 << 30
"""Bytes of address space of this process."""
MESSAGE = 600
"""Signs of what is said of a wrong answer."""
SOLUTION = re.compile(r"[ \t]*### BEGIN SOLUTION.*?### END SOLUTION", re.S)


class Held:
    """Stands for an object that stayed in the sandbox. It compares with nothing and is no number."""

    def __init__(self, number: int) -> None:
        self.__dict__["_number"] = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return ask({"op": "attr", "held": self._number, "name": name}, AttributeError)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        sent = {name: plain.encode(value, _reference) for name, value in (("args", args), ("kwargs", kwargs))}
        return ask({"op": "call", "held": self._number, **sent}, RuntimeError)

    def __bool__(self) -> bool:
        raise TypeError(f"a {type(self).__name__} is neither true nor false")

    def _compared(self, other: object) -> bool:
        raise TypeError(f"a {type(self).__name__} cannot be compared")

    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = _compared
    __hash__ = None  # type: ignore[assignment]


def held(number: int, kind: str) -> Held:
    """What stands for object ``number`` of the sandbox; messages name its type."""
    return type(re.sub(r"\W", "", kind) or "Held", (Held,), {})(number)


def _reference(x: Any) -> dict[str, Any]:
    if isinstance(x, Held):
        return {"t": "held", "v": x._number, "type": ""}
    raise TypeError(f"a {type(x).__name__} cannot be handed to the sheet")


def names(code: str) -> tuple[set[str], set[str]]:
    """Names that code reads from outside, and names that it binds."""
    read: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return {n for n in read - bound if not hasattr(builtins, n)}, bound


class Bench:
    """The sheet that is judged: what it gives, what its tests want, the keys of its student."""

    def __init__(self, solution: str, student: str) -> None:
        self.md, self.student = Path(solution), personal.student_number(student)
        self.steps = steps(self.md)
        self.space: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown, **how: None}
        self.done = 0
        self.keys: dict[str, keys.Key] = {}
        self.answers: list[Any] = []

    def given(self, cell: str) -> dict[str, Any]:
        """The names that the sheet's own cells bind before a test."""
        at = next(k for k, (test, _, _) in enumerate(self.steps) if test == cell)
        for test, code, _ in self.steps[self.done : at]:
            if not test:
                code = record.STUDENT.sub(f"student = {self.student!r}", code)
                with contextlib.suppress(Exception):  # it needs an answer: the test will say what it misses
                    exec(compile(code, "<given>", "exec"), self.space)
        self.done = max(self.done, at)
        return self.space

    def key(self, exercise: str) -> keys.Key:
        """The key to an exercise on this student's panel, from the solution, run in this process."""
        self.keys = self.keys or record.record(self.md, self.student)
        return self.keys[exercise]

    def hear(self) -> None:
        """Let ``rb.check`` take down what it is handed."""

        @functools.wraps(check.check)
        def heard(exercise: str, answer: Any, panel: Any = None) -> Any:
            try:
                self.answers.append([exercise, keys.plain(answer)])
            except TypeError:
                self.answers.append([exercise, type(answer).__name__])
            return check.check(exercise, answer, panel)

        sys.modules["regionbook"].check = heard  # type: ignore[attr-defined]

    def judge(self, cell: str, values: dict[str, Any]) -> dict[str, Any]:
        """What is wrong by a test (None: nothing), and the mark of what it was handed."""
        space = dict(self.given(cell))
        code, wanted = next((code, wanted) for test, code, wanted in self.steps if test == cell)
        taken = {name: plain.decode(values[name], held) for name in sorted(wanted & values.keys())}
        # and no other; what is too large to come out is what the sheet gave, if it gave it
        lost = {name for name, x in taken.items() if isinstance(x, Held) and x._number < 0}
        taken = {name: x for name, x in taken.items() if name not in lost & space.keys()}
        self.answers = []
        check._tries.clear()
        self.hear()
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                exec(compile(code, "<test>", "exec"), space | taken)
            verdict = None
        except Exception as error:
            verdict = f"{type(error).__name__}: {error}"[:MESSAGE]
        return {"verdict": verdict, "mark": mark(self.answers or sorted(values.items()))}


def mark(answer: Any) -> str:
    """Equal for equal plain answers; numbers count to ten digits."""

    def rounded(x: Any) -> Any:
        if isinstance(x, float):
            return f"{x:.10g}"
        if isinstance(x, dict):
            return {str(k): rounded(v) for k, v in x.items()}
        return [rounded(v) for v in x] if isinstance(x, (list, tuple)) else x

    return hashlib.sha256(json.dumps(rounded(answer), sort_keys=True, default=str).encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=64)
def steps(md: Path) -> list[tuple[str, str, frozenset[str]]]:
    """Given code ("") and tests of a solution, with the names that each test wants from the student.

    What stands in an answer's cell outside of the solution is given too. A name that it binds is still the student's, if
    the solution speaks of it or it is a function.
    """
    found: list[tuple[str, str, frozenset[str]]] = []
    known: set[str] = set()
    for cell in record.code_of(md.read_text(encoding="utf-8")):
        meta = cell.metadata.get("nbgrader", {})
        code = re.sub(r"^[%!].*$", "", cell.source, flags=re.M)
        test = meta.get("grade_id", "") if meta.get("grade") and not meta.get("solution") else ""
        spoken = {word for part in SOLUTION.findall(code) for word in re.findall(r"\w+", part)}
        spoken |= set(re.findall(r"def (\w+)", code)) if meta.get("solution") else set()
        try:
            code = SOLUTION.sub("", code)
            read, bound = names(code)
        except SyntaxError:  # nothing but the head of a function
            continue
        found.append((test, code, frozenset(read - known)))
        known |= set() if test else bound - spoken
    return found


# --------------------------------------------------------------------------------------------------- the line to it


def say(reply: dict[str, Any]) -> None:
    """One reply."""
    _line.replies.write(json.dumps(reply).encode() + b"\n")
    _line.replies.flush()


def ask(what: dict[str, Any], kind: type[Exception]) -> Any:
    """A value from the sandbox; ``kind`` is raised if it gives none."""
    say({"ask": what})
    reply = json.loads(_line.commands.readline())
    if reply.get("error") or "value" not in reply:
        raise kind(": ".join(map(str, reply.get("error") or ["no value"]))[:300])
    return plain.decode(reply["value"], held)


@functools.lru_cache(maxsize=4)
def _panel(slug: str, student: str, table: str | None) -> Any:
    return personal.personal(slug, student, table)


@functools.wraps(personal.personal)
def panel(slug: str, student: str | int = "", table: str | None = None) -> Any:
    """``rb.personal``, read once for solution, given cells and tests."""
    kept = _panel(slug, personal.student_number(student), table)
    copied = kept.copy()
    copied.attrs = dict(kept.attrs)
    return copied


def open_to_all(module: str) -> bool:
    """Whether the sandbox may fetch a module beforehand."""
    rooms = ("regionbook.exercises", "regionbook.grading", "regionbook.cli")
    wanted = module not in _line.own and not module.startswith((*rooms, "_", "encodings"))
    return wanted and sys.modules[module] is not None


class _line:
    commands: Any
    replies: Any
    seen: ClassVar[set[Path]] = set()
    own: frozenset[str] = frozenset()
    """Modules of this process itself, which no sheet wants: what a sheet imports is in its text."""


def answer(command: dict[str, Any], bench: Bench | None) -> tuple[dict[str, Any], Bench | None]:
    """The reply to a command, and the bench from now on."""
    if command["op"] == "start":
        bench = Bench(command["solution"], command["student"])
        check.personal_key = lambda exercise, student: bench.key(exercise)
        if bench.student and record.STUDENT.search(bench.md.read_text(encoding="utf-8")):
            bench.keys = record.record(bench.md, bench.student)
        elif bench.md not in _line.seen:
            _line.seen.add(bench.md)
            with contextlib.suppress(record.RecordError):
                record.record(bench.md)  # once, for the modules that its cells fetch on the way
        tests = {test: sorted(wanted) for test, _, wanted in bench.steps if test}
        bench.given(next(iter(tests)))
        for folder in Path(os.environ["REGIONBOOK_CACHE"]).glob("*"):
            folder.chmod(0o755)  # the sandbox reads it as another user
        modules = sorted(filter(open_to_all, sys.modules))
        return {"wanted": tests, "student": bench.student, "modules": modules}, bench
    assert bench
    return bench.judge(command["cell"], dict(command["values"])), bench


def main() -> None:
    """Answer until stdin ends."""
    import jupytext  # noqa: F401

    _line.own = frozenset(sys.modules)
    _line.commands, _line.replies = runner.detached()
    os.environ["MPLBACKEND"] = "agg"
    if os.name == "posix":
        import resource
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for who started grading
        resource.setrlimit(resource.RLIMIT_AS, (ROOMY, ROOMY))
    sys.modules["regionbook"].personal = panel  # type: ignore[attr-defined]
    bench = None
    for line in _line.commands:
        try:
            command = json.loads(line)
            reply, bench = answer(command, bench)
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:MESSAGE]}
        say(reply)


if __name__ == "__main__":
    main()
