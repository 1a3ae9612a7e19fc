"""Tell a student right, wrong and why, without giving the answer away.

The key to the shared panel lies sealed beside the exercise sheet (``exercises/<chapter>/<lesson>.keys.json``). The key
to a personal panel comes from the solution where ``solutions/`` is there, else from a file ``keys-<student>.json`` in
the same folder or beside the notebook, which a lecturer made with ``workbook.py keys``.
"""

import difflib
import functools
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.exercises import judge, record, seal
from regionbook.exercises.judge import Fault
from regionbook.exercises.keys import Key
from regionbook.paths import ROOT


class NotYet(AssertionError):
    """A wrong answer. A notebook shows one line instead of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


@dataclass(frozen=True)
class Right:
    """A right answer, as a notebook shows it: displayed, never a cell's result, which nbgrader would take for points."""

    exercise: str

    def __repr__(self) -> str:
        return f"✓ right: {self.exercise}"

    def _repr_html_(self) -> str:
        return f'<span style="color:#1b7837"><b>✓ right</b></span>: {html.escape(self.exercise)}'

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)


_tries: dict[str, int] = {}
"""Wrong answers of this session, by exercise: the hints come in steps."""


def check(exercise: str, answer: Any, panel: pd.DataFrame | None = None) -> Right:
    """Say whether ``answer`` is right for this panel; if not, raise with a hint of the right kind.

    The first wrong answer tells what kind of fault it is, the second the method too, the third the recipe.

    Parameters
    ----------
    exercise
        ``"slug/lesson/name"``, as the exercise notebook has it.
    answer
        The student's answer.
    panel
        The panel that it was computed from, as ``regionbook.personal`` gave it; a personal one is judged against its
        own answer, as it was given, whatever was done to it since. Left out, the shipped panel.

    Raises
    ------
    NotYet
        If the answer is wrong, incomplete or of another type than was asked for.
    ValueError
        If there is no such exercise, or no key for this panel.

    Examples
    --------
    >>> import regionbook as rb
    >>> rb.check("city-innovation/1-index/rank", 24)  # doctest: +SKIP
    ✓ right: city-innovation/1-index/rank
    """
    if panel is not None and not isinstance(panel, pd.DataFrame):
        raise ValueError(f"panel must be the data frame that rb.personal gave, not {type(panel).__name__}")
    student = "" if panel is None else str(panel.attrs.get("student", ""))
    try:
        shared = sealed_keys(exercise)[exercise]
    except KeyError:
        raise ValueError(_unknown(exercise)) from None
    if panel is not None and not panel.attrs.get("simulated") and shared["personal"]:
        raise ValueError(f"there is no key to {exercise!r} for your own data: compare with the lesson")
    if not student or not shared["personal"]:
        fault = seal.judge_sealed(shared, answer)
    else:
        own = personal_key(exercise, student)
        fault = judge.judge(own, answer) if isinstance(own, Key) else seal.judge_sealed(own, answer)
        if fault and fault.open and not seal.judge_sealed(shared, answer):
            said = f"that is right for the panel that all share; yours is the panel of student {student}"
            fault = Fault(f"{said}: run the sheet from its first cell.")
    if fault:
        raise NotYet(f"Not yet (还不对): {_with_hint(exercise, fault, shared['hints'])}")
    return Right(exercise)


def _with_hint(exercise: str, fault: Fault, hints: list[str]) -> str:
    if not fault.open:
        return fault.text
    tries = _tries[exercise] = _tries.get(exercise, 0) + 1
    return " ".join([fault.text, *hints[: tries - 1][-1:]])


def _unknown(exercise: str) -> str:
    """What to say of an exercise without a key: the names that are near it."""
    slug = str(exercise).partition("/")[0]
    files = (ROOT / "exercises").glob("*/*.keys.json")
    there = sorted(name for file in files for name in _keys(file) if name.startswith(f"{slug}/"))
    if not there:
        return f"no exercises for {slug!r}; an exercise is called 'slug/lesson/name'"
    near = difflib.get_close_matches(str(exercise), there, n=3, cutoff=0.4) or there
    return f"there is no exercise {exercise!r}; is it one of: {', '.join(near)}?"


# --------------------------------------------------------------------------------------------------- finding a key


def sheet_of(exercise: str, root: Path = ROOT) -> Path | None:
    """Where the exercise sheet stands (``exercises/NN-slug/lesson``, without extension); None if there is none."""
    slug, _, rest = str(exercise).partition("/")
    lesson = rest.partition("/")[0]
    folders = [f for f in (root / "exercises").glob(f"*-{slug}") if f.name.partition("-")[2] == slug]
    return folders[0] / lesson if folders and lesson else None


def sealed_keys(exercise: str) -> Mapping[str, Any]:
    """Sealed keys to the shared panel, of all exercises of the sheet; empty if there are none."""
    sheet = sheet_of(exercise)
    return _keys(sheet.with_name(f"{sheet.name}.keys.json")) if sheet else {}


def personal_key(exercise: str, student: str) -> Key | Mapping[str, Any]:
    """The key to a student's panel: open from the solution, or sealed from the lecturer's file.

    Raises
    ------
    ValueError
        If neither is there, or the solution fails on this panel.
    """
    sheet = sheet_of(exercise)
    assert sheet is not None, exercise
    solution = ROOT / "solutions" / sheet.parent.name / f"{sheet.name}.md"
    if solution.exists():
        try:
            return record.recorded(solution, student)[exercise]
        except record.RecordError as error:
            raise ValueError(f"the solution gives no key to {exercise!r}: {error}") from error
    name = f"keys-{student}.json"
    beside, here = sheet.with_name(name), Path.cwd() / name
    handed = here if here.exists() and not beside.exists() else beside
    if exercise not in (found := _keys(handed)):
        raise ValueError(
            f"there is no key to {exercise!r} for the panel of student {student} here. Ask your lecturer for "
            f'{handed.name} and put it into exercises/{sheet.parent.name}/, or work with student = ""'
        )
    return found[exercise]


def _keys(file: Path) -> dict[str, Any]:
    return _parsed(file, file.stat().st_mtime_ns)["keys"] if file.exists() else {}


@functools.lru_cache(maxsize=64)
def _parsed(file: Path, changed: int) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))
