"""Run a solution and take down what it hands to ``rb.check``: the solution is the only source of an answer.

``python -m regionbook.exercises.record SOLUTION.md STUDENT FILE`` does it in a process of its own; `recorded` starts
one and keeps what it found.
"""

import contextlib
import functools
import hashlib
import io
import itertools
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.exercises import keys
from regionbook.exercises.keys import Key
from regionbook.exercises.personal import cache_folder, digest, student_number
from regionbook.paths import ROOT

STUDENT = re.compile(r'^student = ""', re.M)
PATIENCE = 900
"""Seconds that a solution may take."""


class RecordError(Exception):
    """A solution from which no keys can be taken, in words for its author."""


class Recorder:
    """Takes the place of ``rb.check`` and hears ``rb.key`` and ``rb.mistake`` while a solution runs."""

    def __init__(self) -> None:
        self.settings: dict[str, Mapping[str, Any]] = {}
        self.mistakes: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        self.right: dict[str, dict[str, Any]] = {}
        self.last = ""

    def key(self, exercise: str, settings: Mapping[str, Any]) -> None:
        """What ``rb.key`` says."""
        if exercise in self.settings:
            raise ValueError(f"rb.key({exercise!r}) stands twice in the sheet")
        self.settings[exercise], self.mistakes[exercise], self.last = settings, [], exercise

    def mistake(self, message: str, wrong: Any) -> None:
        """What ``rb.mistake`` says."""
        if not self.last:
            raise ValueError(f"rb.mistake({message!r}, …) has no rb.key before it")
        self.mistakes[self.last].append((message, keys.plain(wrong)))

    def check(self, exercise: str, answer: Any, panel: Any = None) -> None:
        """What ``rb.check`` is handed."""
        right = keys.plain(answer)
        index = panel.index if isinstance(panel, pd.DataFrame) else pd.Index([])
        levels = [set(index.unique(k)) for k in range(index.nlevels)]
        sides = tuple(s for s in ("index", "columns") if s in right and set(keys.index(right[s])) in levels)
        self.right[exercise] = {"right": right, "personal": panel is not None, "levels": sides}

    def keys(self) -> dict[str, Key]:
        """The keys, by exercise; a mistake that is right on this panel is left out."""
        if lone := sorted(self.settings.keys() ^ self.right.keys()):
            what = "rb.key but no rb.check" if lone[0] in self.settings else "rb.check but no rb.key"
            raise ValueError(f"there is an {what} of {lone[0]!r}")
        found = {}
        for exercise, said in self.right.items():
            right, heard = said["right"], self.mistakes[exercise]
            mistakes = tuple((m, wrong) for m, wrong in heard if _content(wrong) != _content(right))
            for message, wrong in mistakes:
                if not _alike(wrong, right):
                    which = f"the mistake {message!r} of {exercise!r} is a {wrong['kind']}"
                    raise ValueError(f"{which} with other names than the right answer, a {right['kind']}")
            found[exercise] = Key(exercise, **said, **self.settings[exercise], mistakes=mistakes)
        return found


def _content(value: Mapping[str, Any]) -> dict[Any, Any]:
    """The values of an answer by their names."""
    if "index" not in value:
        return {"": value["value"]}
    table = keys.table(value)
    names = itertools.product(table.index, table.columns)
    return dict(zip(names, map(repr, table.to_numpy().ravel().tolist()), strict=True))


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two answers are of one kind and have the same names."""
    number = {one["kind"], other["kind"]} <= {"number", "whole"}
    return number or (one["kind"] == other["kind"] and _content(one).keys() == _content(other).keys())


@functools.lru_cache(maxsize=64)
def code_of(solution: str) -> list[Any]:
    """Code cells of a solution's text, parsed once for all students."""
    import jupytext

    return [c for c in jupytext.reads(solution, "md:myst").cells if c.cell_type == "code"]


def record(solution: Path, student: str = "") -> dict[str, Key]:
    """Run the code cells of a solution (MyST Markdown) in this process, and give the keys of its exercises.

    ``student`` takes the place of the sheet's own ``student = ""``; empty, the shared panel. A `RecordError` tells
    sheet, cell and error if a cell fails, a key lacks its check or a check its key.
    """
    sheet = f"{solution.parent.name}/{solution.stem}"
    cells = code_of(solution.read_text(encoding="utf-8"))
    if student and not any(STUDENT.search(c.source) for c in cells):
        student = ""  # a sheet without panels of one's own has the same answers for all
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown, **how: None}
    with _recording(solution.parent) as recorder:
        for number, cell in enumerate(cells, 1):
            source = STUDENT.sub(f'student = "{student}"', cell.source)
            name = cell.metadata.get("nbgrader", {}).get("grade_id") or source.strip().partition("\n")[0][:60]
            try:
                exec(compile(source, f"<{sheet}, cell {name}>", "exec"), names)
            except Exception as error:
                where = f"code cell {number} ({name}) fails" + (f" for student {student}" if student else "")
                raise RecordError(f"{sheet}, {where}: {type(error).__name__}: {error}") from error
        try:
            return recorder.keys()
        except ValueError as error:
            raise RecordError(f"{sheet}: {error}") from error


@contextlib.contextmanager
def _recording(folder: Path) -> Iterator[Recorder]:
    import matplotlib

    matplotlib.use("agg")
    rb: Any = sys.modules["regionbook"]  # where sheets fetch their check
    recorder, real, here = Recorder(), rb.check, Path.cwd()
    keys._recorder, rb.check = recorder, recorder.check
    os.chdir(folder)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield recorder
    finally:
        keys._recorder, rb.check = None, real
        os.chdir(here)


def recorded(solution: Path, student: str = "") -> dict[str, Key]:
    """The keys of a solution, as `record` gives them, from the cache folder or from a run in a process of its own."""
    student = student_number(student)
    tag = hashlib.sha256(f"{state(solution)} {library()} {student}".encode()).hexdigest()[:16]
    kept = cache_folder() / f"key-{solution.stem}-{tag}.json"
    try:
        stored = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = _run(solution, student)
        with contextlib.suppress(OSError):  # a full or read-only disk: the solution is run anew next time
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(f".{os.getpid()}.part")
            draft.write_text(json.dumps(stored), encoding="utf-8")
            draft.replace(kept)
    return {exercise: Key.of(key) for exercise, key in stored.items()}


def _run(solution: Path, student: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "regionbook.exercises.record", str(solution), student]
    path = os.pathsep.join(filter(None, [str(ROOT / "lib"), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    sheet = f"{solution.parent.name}/{solution.stem}"
    try:
        done = subprocess.run(command, env=env, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise RecordError(f"{sheet}: the solution takes longer than {PATIENCE} s") from None
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == 3:
        raise RecordError(said.splitlines()[-1])
    if done.returncode:
        raise RecordError(f"{sheet}: the solution's process ended with {done.returncode}: {said[-500:]}")
    return json.loads(done.stdout.decode("utf-8").splitlines()[-1])


def state(solution: Path) -> str:
    """Changes whenever the solution or the data it reads changes."""
    text = solution.read_text(encoding="utf-8")
    slugs = {p.parent.name for p in (ROOT / "data" / "published").glob("*/*.csv")}
    own = solution.parent.name.partition("-")[2]
    found = hashlib.sha256(text.encode())
    for slug in sorted(slug for slug in slugs if slug in text or slug == own):
        found.update(_data_of(slug).encode())
    return found.hexdigest()[:16]


@functools.lru_cache
def _data_of(slug: str) -> str:
    places = ("geo/membership*.csv", "geo/name_corrections.csv", "geo/ports.csv", "geo/units.csv")
    return digest(ROOT / "data", f"published/{slug}/*.csv", f"teaching/{slug}.*", *places)


@functools.cache
def library() -> str:
    """Changes whenever what a solution may call changes, and with it perhaps a personal panel or an estimate."""
    lib = ROOT / "lib" / "regionbook"
    above = {"exercises", "grading", "cli"}
    rooms = [f"{f.name}/**/*.py" for f in lib.iterdir() if f.is_dir() and f.name not in above]
    tables = digest(ROOT / "data", "teaching/regressions/*.csv", "published/computed.csv")
    code = digest(lib, "*.py", *rooms, "exercises/keys.py", "exercises/personal.py")
    return hashlib.sha256((code + tables).encode()).hexdigest()


if __name__ == "__main__":
    try:
        found = record(Path(sys.argv[1]), sys.argv[2])
    except RecordError as failed:
        print(failed, file=sys.stderr)
        sys.exit(3)
    print(json.dumps({exercise: key.as_dict() for exercise, key in found.items()}))
