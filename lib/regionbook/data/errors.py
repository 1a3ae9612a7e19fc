"""What is wrong with a file, and the words that say so."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5  # places named for one kind of problem; the rest is counted
_LISTED = 15  # kinds of problem in a message
_CELL = 60  # letters of a cell


class DataError(ValueError):
    """A file does not fit its schema; the message lists every kind of problem with its places."""

    def __init__(self, where: str, problems: Sequence[str]):
        self.where = where
        self.problems = tuple(problems)
        kinds = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        shown = [f"  - {p}" for p in problems[:_LISTED]]
        if (more := len(problems) - _LISTED) > 0:
            shown.append(f"  … and {more} more: `.problems` of this error has all")
        super().__init__("\n".join([f"{where}: {kinds}.", *shown]))


class DataWarning(UserWarning):
    """Something in a file is unusual but was not changed."""


@dataclass(frozen=True)
class Place:
    """How a user finds row number i (from 0) of the file again."""

    word: str
    first: int

    def __call__(self, i: int) -> str:
        return f"{self.word} {i + self.first}"


def some(places: Sequence[str]) -> str:
    """The first places, and how many more there are."""
    more = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f", and {more} more" if more > 0 else "")


def count(n: int, thing: str, things: str = "") -> str:
    """A number and its noun: 1 cell, 2 cells."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def cell(value: Any) -> str:
    """A cell as it stands in the file."""
    shown = repr(value.item() if hasattr(value, "item") else value)
    return shown if len(shown) <= _CELL else f"{shown[:_CELL]}…"


def by_cause(found: Iterable[tuple[str, str]]) -> list[str]:
    """Columns and what is wrong with them, columns with the same fault together."""
    columns: dict[str, list[str]] = {}
    for name, problem in found:
        columns.setdefault(problem, []).append(name)
    return [f"column{'s' if len(c) > 1 else ''} {some(c)}: {problem}" for problem, c in columns.items()]


def places_of(wrong: pd.Series, place: Place, values: Any = None, show: Callable = cell) -> list[str]:
    """Where a mask is true, each place with the value that stands there."""
    rows = wrong.to_numpy().nonzero()[0].tolist()
    return [place(i) + ("" if values is None else f": {show(values.iloc[i])}") for i in rows]


def did_you_mean(name: str, ready: Sequence[str]) -> str:
    """The nearest of the names that there are, as a question; nothing where none is near."""
    near = difflib.get_close_matches(str(name), ready, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def near_words(unknown: Iterable[Any], known: Iterable[str]) -> str:
    """For each unknown name the known ones that it may mean."""
    near = {u: difflib.get_close_matches(str(u), list(known), n=2) for u in unknown}
    return "".join(f" ({u!r}: {' or '.join(map(repr, n))}?)" for u, n in near.items() if n)


def unit_after(unit: str) -> str:
    """A unit after a number; in brackets where it begins with a number itself ("10,000 yuan")."""
    return f" ({unit})" if unit[:1].isdigit() else f" {unit}" if unit else ""
