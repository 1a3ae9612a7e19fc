"""What a solution says about its answers: ``rb.key`` and ``rb.mistake``, and the key that is recorded from it.

Both do nothing but when `regionbook.exercises.record` runs the sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

_recorder: Any = None
"""Where ``key`` and ``mistake`` report to while a solution is recorded."""


@dataclass(frozen=True)
class Key:
    """The answer of an exercise on one panel, and how to judge another answer by it (as `key` was told)."""

    exercise: str
    right: Mapping[str, Any]  # in plain form, see `plain`
    tolerance: float | None = None
    decimals: int | None = None
    unit: str = ""
    options: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    mistakes: tuple[tuple[str, Mapping[str, Any]], ...] = ()  # what to say, wrong answer in plain form
    personal: bool = True
    """Whether the sheet handed a panel to ``rb.check``, so that another panel may have another answer."""
    levels: tuple[str, ...] = ()
    """Sides of a series or frame (``index``, ``columns``) whose names are all of a level of that panel's index."""

    def as_dict(self) -> dict[str, Any]:
        """The key for a JSON file."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Key:
        """The key that `as_dict` gave."""
        lists = {name: tuple(stored[name]) for name in ("options", "hints", "levels")}
        mistakes = tuple((message, wrong) for message, wrong in stored["mistakes"])
        return cls(**{**stored, **lists, "mistakes": mistakes})


def key(
    exercise: str,
    *,
    tolerance: float | None = None,
    decimals: int | None = None,
    unit: str = "",
    options: Iterable[str] = (),
    hint: str | Iterable[str] = (),
) -> None:
    """Say in a solution how the answer of an exercise is judged; the next ``rb.check`` of it gives the right value.

    Parameters
    ----------
    exercise
        ``"slug/lesson/name"``.
    tolerance
        Relative difference that still is right; 0.001 if neither this nor ``decimals`` is given, 0 for whole numbers.
    decimals
        An answer that is right when rounded to so many decimals is right.
    unit
        Unit that is asked for, said when the answer is off by a power of ten.
    options
        For a text: all texts that one may choose from.
    hint
        The method, said after a second wrong answer; a second text, the recipe, after a third.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, or the name has another form.
    """
    hints = (hint,) if isinstance(hint, str) else tuple(hint)
    options = (options,) if isinstance(options, str) else tuple(options)
    if not isinstance(exercise, str) or len(exercise.split("/")) != 3:
        raise ValueError(f"an exercise is called 'slug/lesson/name', not {exercise!r}")
    if not all(isinstance(text, str) for text in (unit, *options, *hints)):
        raise TypeError(f"rb.key({exercise!r}): unit, options and hint are texts")
    if tolerance is not None and not (0 <= tolerance < 0.5):
        raise ValueError(f"rb.key({exercise!r}): tolerance is a share between 0 and 0.5, not {tolerance!r}")
    if decimals is not None and (isinstance(decimals, bool) or not isinstance(decimals, int)):
        raise TypeError(f"rb.key({exercise!r}): decimals is a whole number, not {decimals!r}")
    if _recorder:
        settings = {"tolerance": tolerance, "decimals": decimals, "unit": unit, "options": options}
        _recorder.key(exercise, settings | {"hints": tuple(h for h in hints if h)})


def mistake(message: str, wrong: Any) -> None:
    """Say in a solution what to tell who gives this usual wrong answer to the exercise of the last ``rb.key``.

    Parameters
    ----------
    message
        What is wrong, as a sentence; it follows "Not yet:".
    wrong
        The wrong answer, of the kind of the right one. Where it equals the right one on a panel, it is left out.

    Raises
    ------
    TypeError, ValueError
        If ``message`` is no text, ``wrong`` of a kind that no exercise asks for, or no ``rb.key`` stands before it.
    """
    if not isinstance(message, str):
        raise TypeError(f"rb.mistake(message, wrong): message is a text, not {message!r}")
    if _recorder:
        _recorder.mistake(message, wrong)


# ----------------------------------------------------------------------------------------------------- plain form


def plain(value: Any) -> dict[str, Any]:
    """An answer in the types of JSON, with its kind; a TypeError if an answer of this type cannot be asked for."""
    if isinstance(value, (bool, np.bool_)):
        return {"kind": "bool", "value": bool(value)}
    if isinstance(value, str):
        return {"kind": "text", "value": str(value)}
    if isinstance(value, (int, np.integer)):
        return {"kind": "whole", "value": int(value)}
    if isinstance(value, (float, np.floating)):
        return {"kind": "number", "value": float(value)}
    if isinstance(value, (set, frozenset)):
        return {"kind": "set", "value": sorted(map(str, value))}
    if isinstance(value, (list, tuple)):
        return {"kind": "list", "value": [str(v) for v in value]}
    if isinstance(value, (pd.Series, dict)):
        column = pd.Series(value)
        return {"kind": "series", "index": _labels(column.index), **_numbers(column.to_frame())}
    if isinstance(value, pd.DataFrame):
        names = {"index": _labels(value.index), "columns": _labels(value.columns)}
        return {"kind": "frame", **names, **_numbers(value)}
    known = "a number, a bool, a text, a set or list of texts, a series, dict or data frame of numbers"
    raise TypeError(f"{type(value).__name__} is no kind of answer: {known}")


def _labels(index: pd.Index) -> list[Any]:
    return [_label(name) for name in index.tolist()]


def _label(name: Any) -> Any:
    if isinstance(name, tuple):
        return [_label(part) for part in name]
    name = getattr(name, "item", lambda: name)()
    return name if isinstance(name, (str, int, float, bool)) else str(name)


def _numbers(table: pd.DataFrame) -> dict[str, Any]:
    whole = all(pd.api.types.is_integer_dtype(kind) for kind in table.dtypes)
    values = table.to_numpy(dtype=float, na_value=np.nan)
    return {"values": values.tolist(), "whole": whole}


def index(labels: list[Any]) -> pd.Index:
    """The index that stood in `plain` as ``labels``."""
    return pd.Index([tuple(name) if isinstance(name, list) else name for name in labels])


def table(value: Mapping[str, Any]) -> pd.DataFrame:
    """A plain series (as a table of one column) or frame with its labels."""
    columns = index(value["columns"]) if "columns" in value else pd.Index([0])
    values = np.array(value["values"], dtype=float).reshape(len(value["index"]), len(columns))
    return pd.DataFrame(values, index(value["index"]), columns)
