"""Answers of chapters whose solutions do not yet say them; it goes with the last of them.

The answers of a paper's exercises stand in ``regionbook.exercises.<slug>`` (a module, or a package with one module a
lesson), each as a function of the panel that is marked with :func:`answer`::

    @answer("city-innovation/2-regressions/beta", decimals=3, mistakes={"That is its standard error.": std_error})
    def beta(panel):
        return fit(panel).params["digit"]

What the function returns says what is asked for: a number, a whole number (exact), a ``bool``, a text (one of several),
a series or dict of numbers, a data frame of numbers, a set of texts, or a list of texts in order.
"""

from __future__ import annotations

import importlib
import inspect
import math
import numbers
import pkgutil
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from regionbook.exercises.personal import personal

UNITS = {
    1: "ten",
    2: "a hundred: a share is not a per cent",
    3: "a thousand",
    4: "ten thousand (万)",
    6: "a million",
    8: "a hundred million (亿)",
}


class Unknown(Exception):
    """No answer is registered under this name; ``names`` are."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names


@dataclass(frozen=True)
class Answer:
    """A registered exercise; see :func:`answer`."""

    compute: Callable[..., Any]
    tolerance: float | None = None
    decimals: int | None = None
    unit: str = ""
    hint: str = ""
    options: tuple[str, ...] = ()
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


_answers: dict[str, Answer] = {}
_right: dict[
    tuple[str, str, str, str], Any
] = {}  # computed once for each exercise and panel that cannot change


def answer(
    exercise: str,
    *,
    tolerance: float | None = None,
    decimals: int | None = None,
    unit: str = "",
    hint: str = "",
    options: Iterable[str] = (),
    mistakes: Mapping[str, Callable[..., Any]] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the function below as the right answer of an exercise.

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
    hint
        Said when nothing more special is known about a wrong answer.
    options
        For a text: all texts that one may choose from.
    mistakes
        Usual wrong answers: what to say, and the function of the panel that computes it.

    Raises
    ------
    ValueError
        If the name has another form, or is taken.
    """
    if len(exercise.split("/")) != 3:
        raise ValueError(f"an exercise is called 'slug/lesson/name', not {exercise!r}")

    def register(compute: Callable[..., Any]) -> Callable[..., Any]:
        known = _answers.get(exercise)
        if known and (known.compute.__module__, known.compute.__qualname__) != (
            compute.__module__,
            compute.__qualname__,
        ):
            raise ValueError(
                f"exercise {exercise!r} has two answers: {known.compute.__name__}, {compute.__name__}"
            )
        _answers[exercise] = Answer(
            compute, tolerance, decimals, unit, hint, tuple(options), dict(mistakes or {})
        )
        return compute

    return register


def judged(exercise: str, answer: Any, panel: pd.DataFrame | None = None) -> str:
    """What is wrong with an answer, ``""`` if nothing.

    Raises
    ------
    Unknown
        If no such exercise is registered.
    ValueError
        If its answer cannot be computed from ``panel``.
    """
    known = _lookup(exercise)
    return _judge(known, answer, lambda compute: _value(exercise, compute, panel))


def registered(slug: str) -> list[str]:
    """Names of all exercises of a paper; empty if no exercises are registered for ``slug``."""
    name = f"regionbook.exercises.{slug.replace('-', '_')}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        module = None
    for part in pkgutil.iter_modules(getattr(module, "__path__", [])):
        importlib.import_module(f"{name}.{part.name}")
    return sorted(e for e in _answers if e.startswith(f"{slug}/"))


def _lookup(exercise: str) -> Answer:
    if exercise not in _answers:
        names = registered(str(exercise).partition("/")[0])
        if exercise not in _answers:
            raise Unknown(names)
    return _answers[exercise]


def _value(exercise: str, compute: Callable[..., Any], panel: pd.DataFrame | None) -> Any:
    """What ``compute`` gives for the panel; for a panel that ``personal`` gave, computed from it as it was given."""
    if not inspect.signature(compute).parameters:
        return compute()
    slug, student, table = exercise.partition("/")[0], "", None
    if panel is not None:
        if not isinstance(panel, pd.DataFrame):
            raise ValueError(
                f"panel must be the data frame that rb.personal gave, not {type(panel).__name__}"
            )
        if not panel.attrs.get("simulated"):  # the user's own data
            return _computed(exercise, compute, panel)
        slug, student, table = panel.attrs["slug"], panel.attrs.get("student", ""), panel.attrs.get("table")
    key = (exercise, f"{compute.__module__}.{compute.__qualname__}", f"{slug}.{table or ''}", student)
    if key not in _right or "<lambda>" in key[1]:
        _right[key] = _computed(exercise, compute, personal(slug, student, *([table] if table else [])))
    return _right[key]


def _computed(exercise: str, compute: Callable[..., Any], panel: pd.DataFrame) -> Any:
    try:
        return compute(panel)
    except Exception as error:
        raise ValueError(
            f"the answer to {exercise!r} cannot be computed from this panel: {error!r}"
        ) from error


# ------------------------------------------------------------------------------------------------------- judging


def _judge(known: Answer, given: Any, value: Callable[[Callable[..., Any]], Any]) -> str:
    """What is wrong with ``given``, ``""`` if nothing."""
    if given is None or given is ...:
        return "nothing is filled in."
    right = value(known.compute)
    if isinstance(right, (str, bool, np.bool_)):
        return _choice(known, given, right, value)
    if isinstance(right, (set, frozenset, list, tuple)):
        return _names(known, given, right)
    if isinstance(right, pd.DataFrame):
        return _frame(known, given, right, value)
    if isinstance(right, (pd.Series, dict)):
        return _series(known, given, right, value)
    return _number(known, given, right, value)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _choice(known: Answer, given: Any, right: Any, value: Callable[..., Any]) -> str:
    if isinstance(right, str):
        if not isinstance(given, str):
            return f"a text is asked for{_one_of(known)}, you gave {_what(given)}."
        if _plain(given) == _plain(right):
            return ""
        if known.options and _plain(given) not in map(_plain, known.options):
            return f"{given!r} cannot be chosen{_one_of(known)}."
    else:
        if not isinstance(given, (bool, np.bool_)):
            return f"True or False is asked for, you gave {_what(given)}."
        if bool(given) == bool(right):
            return ""
    for message, compute in known.mistakes.items():
        wrong = value(compute)
        if wrong != right and (_plain(given) == _plain(wrong) if isinstance(right, str) else given == wrong):
            return message
    return known.hint or "think again, then look at the figures once more."


def _one_of(known: Answer) -> str:
    return f" (one of: {', '.join(known.options)})" if known.options else ""


def _names(known: Answer, given: Any, right: Any) -> str:
    ordered = isinstance(right, (list, tuple))
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        return f"a list of names is asked for, you gave {_what(given)}."
    got = list(given)
    if odd := [g for g in got if not isinstance(g, str)]:
        return f"a list of names is asked for; yours contains {odd[0]!r}."
    names, want = [_plain(g) for g in got], [_plain(str(r)) for r in right]
    if len(set(names)) < len(names):
        return "a name stands in your list twice."
    if (names == want) if ordered else (set(names) == set(want)):
        return ""
    missing, extra = len(set(want) - set(names)), len(set(names) - set(want))
    if not missing and not extra:
        return "the right names in another order" + (
            ": yours is turned round." if names == want[::-1] else "."
        )
    said = f"of {len(set(want))} names {missing} are missing, and {extra} of yours do not belong."
    return f"{said} {known.hint}".strip()


def _number(known: Answer, given: Any, right: Any, value: Callable[..., Any]) -> str:
    if isinstance(given, (bool, np.bool_)) or not isinstance(given, numbers.Real):
        if isinstance(given, str):
            return "a number is asked for; you gave a text: leave the quotation marks out."
        if isinstance(given, (pd.Series, pd.DataFrame, np.ndarray, list, tuple, dict)):
            return (
                f"one number is asked for, you gave {_what(given)}: pick the value, as in estimates['name']."
            )
        if hasattr(given, "params"):
            return "one number is asked for, you gave a whole model result: pick from it, as in m.params['name']."
        return f"a number is asked for, you gave {_what(given)}."
    if not math.isfinite(given):
        return f"your number is {given}: look for a missing value, a division by zero or a logarithm of zero."
    whole = isinstance(right, numbers.Integral)
    said = _values(known, np.array([float(given)]), np.array([float(right)]), [None], value, exact=whole)
    rounded = not whole and _rounded(np.array([float(given)]), np.array([float(right)]))
    return "right as far as it goes; give more digits." if said and rounded else said


def _rounded(given: np.ndarray, right: np.ndarray) -> bool:
    """Whether the numbers given are the right ones, rounded to as many decimals as they are written with."""
    half = 0.5 * 10.0 ** -max(0, *map(_places, given))
    return bool((given != 0).all() and (np.abs(right - given) <= half * (1 + 1e-6)).all())


def _places(number: Any) -> int:
    """Decimals of a number as it is written."""
    return -int(Decimal(repr(float(number))).normalize().as_tuple().exponent)


def _series(known: Answer, given: Any, right: Any, value: Callable[..., Any]) -> str:
    want = pd.Series(right)
    if isinstance(given, pd.DataFrame):
        column = f": pick the column, as in table[{given.columns[0]!r}]" if given.shape[1] else ""
        return f"a series is asked for, you gave {_what(given)}{column}."
    if not isinstance(given, (pd.Series, dict)):
        return (
            f"{len(want)} numbers with their names are asked for (a series or dict), you gave {_what(given)}."
        )
    got = pd.Series(given)
    if said := _labels(got.index, want.index, "name"):
        return said
    return _numeric(
        known, got.reindex(want.index), want, value, lambda wrong: pd.Series(wrong).reindex(want.index)
    )


def _frame(known: Answer, given: Any, right: pd.DataFrame, value: Callable[..., Any]) -> str:
    if not isinstance(given, pd.DataFrame):
        return f"a table (data frame) is asked for, you gave {_what(given)}."
    if said := _labels(given.columns, right.columns, "column") or _labels(given.index, right.index, "row"):
        return said
    for name in right.columns:

        def column(wrong: pd.DataFrame, name: Any = name) -> pd.Series:
            return wrong[name].reindex(right.index)

        if said := _numeric(known, given[name].reindex(right.index), right[name], value, column):
            return f"column {name!r}: {said}"
    return ""


def _labels(got: pd.Index, want: pd.Index, kind: str) -> str:
    if got.has_duplicates:
        return f"the {kind} {got[got.duplicated()][0]!r} stands in your answer twice."
    missing, extra = want.difference(got, sort=False), got.difference(want, sort=False)
    if len(missing) and len(extra):
        return (
            f"{len(want)} {kind}s are asked for; {missing[0]!r} is not among yours ({len(missing)} missing), "
            f"and {extra[0]!r} does not belong ({len(extra)} too many)."
        )
    if len(missing):
        return f"{len(missing)} of {len(want)} {kind}s are missing, such as {missing[0]!r}."
    return f"{len(extra)} {kind}s are too many, such as {extra[0]!r}." if len(extra) else ""


def _numeric(
    known: Answer,
    got: pd.Series,
    want: pd.Series,
    value: Callable[..., Any],
    pick: Callable[[Any], pd.Series],
) -> str:
    if got.dtype == bool or not pd.api.types.is_numeric_dtype(got):
        return f"numbers are asked for; yours are {got.dtype}, such as {got.iloc[0]!r}."
    g, r = got.to_numpy(dtype=float, na_value=np.nan), want.to_numpy(dtype=float, na_value=np.nan)
    odd = ~np.isfinite(g) & np.isfinite(r)
    if odd.any():
        return (
            f"{odd.sum()} of {len(g)} values are missing or infinite, such as that of {want.index[odd][0]!r}."
        )
    keep = np.isfinite(r)
    if np.isfinite(g[~keep]).any():
        return (
            f"the value of {want.index[np.isfinite(g) & ~keep][0]!r} cannot be computed, yet yours is given."
        )

    def wrong(compute: Callable[..., Any]) -> Any:
        return pick(value(compute)).to_numpy(dtype=float)[keep]

    whole = pd.api.types.is_integer_dtype(want)
    said = _values(known, g[keep], r[keep], list(want.index[keep]), wrong, exact=whole)
    if said and not whole and _rounded(g[keep], r[keep]):
        return "right as far as they go; give more digits."
    return said


def _values(
    known: Answer, g: np.ndarray, r: np.ndarray, names: list[Any], value: Callable[..., Any], exact: bool
) -> str:
    """The kind of mistake that turns ``r`` into ``g``, ``""`` if they agree."""

    def near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if known.tolerance is None and known.decimals is None:
            relative = 0.0 if exact else 1e-3
        else:
            relative = known.tolerance or 0.0
        absolute = 0.0 if known.decimals is None else 0.501 * 10.0**-known.decimals
        return np.abs(a - b) <= np.maximum(relative * np.abs(b), absolute) + 1e-12

    def looks(b: np.ndarray) -> bool:
        """Whether the answer is ``b``, more strictly than the exercise asks: a hint must not be wrong."""
        with np.errstate(all="ignore"):
            return bool(
                np.isfinite(b).all() and np.allclose(g, b, rtol=2e-3, atol=0) and not near(b, r).all()
            )

    good = near(g, r)
    if good.all():
        return ""
    for message, compute in known.mistakes.items():
        wrong = np.atleast_1d(np.asarray(value(compute), dtype=float))
        if wrong.shape == g.shape and looks(wrong):
            return message
    unit = f" Asked for: {known.unit}." if known.unit else ""
    if looks(-r):
        return "the size is right, the sign is not."
    for power, words in UNITS.items():
        for b, way in ((r * 10.0**power, "large"), (r / 10.0**power, "small")):
            if looks(b):
                return f"too {way} by a factor of {words}.{unit}"
            if looks(-b):
                return f"too {way} by a factor of {words}; the sign is wrong too.{unit}"
    with np.errstate(all="ignore"):
        forms = {
            "that is its logarithm; the level is asked for.": np.log(r),
            "that is its logarithm to base 10; the level is asked for.": np.log10(r),
            "that is ln(1 + x) of it; the level is asked for.": np.log1p(r),
            "that is the level; the logarithm is asked for.": np.exp(r),
            "that is its square (a variance, where a standard deviation is asked for?).": r**2,
            "that is its square root (a standard deviation, where a variance is asked for?).": np.sqrt(r),
            "that is one minus it.": 1 - r,
            "that is one divided by it.": 1 / r,
        }
    for message, b in forms.items():
        if looks(b):
            return message
    if len(g) == 1:
        return known.hint or "look at the sample, the formula and the unit again."
    if np.allclose(np.sort(g), np.sort(r), rtol=2e-3) and not np.allclose(g, r, rtol=2e-3):
        return "the right numbers stand beside the wrong names: look at the order."
    if len(g) > 3 and np.ptp(g) > 0 and np.ptp(r) > 0 and np.corrcoef(g, r)[0, 1] > 1 - 1e-9:
        return "right up to scale and centre: look at the normalisation."
    bad = np.flatnonzero(~good)
    said = f"{len(bad)} of {len(g)} values differ, such as that of {names[bad[0]]!r}."
    return f"{said} {known.hint}".strip()


def _what(given: Any) -> str:
    """A few words for what was given."""
    if isinstance(given, pd.DataFrame):
        return f"a table of {given.shape[0]} rows and {given.shape[1]} columns"
    if isinstance(given, (pd.Series, np.ndarray, list, tuple, dict, set)):
        return (
            f"a {type(given).__name__} of {np.size(given) if isinstance(given, np.ndarray) else len(given)}"
        )
    if isinstance(given, (str, numbers.Number)):
        return repr(given)
    return f"a {type(given).__name__}"
