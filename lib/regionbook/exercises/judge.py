"""Judge an answer: is it of the kind asked for (`fits`), and is it right for an open key, and if not, why (`judge`)."""

import contextlib
import functools
import math
import numbers
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from regionbook.exercises import keys
from regionbook.exercises.keys import Key

UNITS = {1: "ten", 2: "a hundred: a share is not a per cent", 3: "a thousand", 4: "ten thousand (万)"}
UNITS |= {6: "a million", 8: "a hundred million (亿)"}
Array = np.ndarray
SAME = 2e-3
"""Relative difference up to which an answer counts as a usual mistake."""
NOTHING = 1e-12
"""What is no larger is zero."""
LOOK = "look at the sample, the formula and the unit again."
THINK = "think again, then look at the figures once more."


class Fault(Exception):
    """What is wrong with an answer; ``open`` if nothing special is known, so that a hint may follow."""

    def __init__(self, text: str, open: bool = False) -> None:
        super().__init__(text)
        self.text, self.open = text, open


def judge(key: Key, given: Any) -> Fault | None:
    """What is wrong with ``given``, an answer of any type, by this open key; None if it is right."""
    try:
        return _by_value(key, fits(form_of(key), given))
    except Fault as fault:
        return fault


def form_of(key: Key, hide_labels: bool = False) -> dict[str, Any]:
    """What a sheet may know of an answer: its kind, how many names or which, whether values are missing.

    ``hide_labels`` leaves the names of a series or frame out, and gives their number only.
    """
    right, form = key.right, {"kind": key.right["kind"], "options": list(key.options)}
    if form["kind"] in ("set", "list"):
        form["count"] = len(set(right["value"]))
    if form["kind"] in ("series", "frame"):
        form["gaps"] = bool(np.isnan(keys.table(right)).any(axis=None))
        for side in ("columns", "index"):
            if side in right:
                form[side] = len(right[side]) if hide_labels else right[side]
    return form


def fits(form: Mapping[str, Any], given: Any) -> Any:
    """Bring an answer into the form asked for (see `form_of`); a `Fault` if it is not of that form.

    Gives a float, a bool, a text, a list of texts or a data frame (its names spelled and ordered as in ``form``).
    """
    if given is None or given is ...:
        raise Fault("nothing is filled in.")
    kind = form["kind"]
    if kind == "bool" and not isinstance(given, (bool, np.bool_)):
        raise Fault(f"True or False is asked for, you gave {_what(given)}.")
    if kind == "text":
        _check_text(form["options"], given)
    if kind in ("series", "frame"):
        return _table(form, given)
    if kind in ("set", "list"):
        return _list(form, given)
    return _number(given) if kind in ("number", "whole") else given


# -------------------------------------------------------------------------------------------------- kinds of answers


@functools.lru_cache(maxsize=4096)
def spelled(text: str) -> str:
    """A text as it is compared: no capitals, one blank, one kind of hyphen, half-width forms, places in English."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = " ".join(re.sub(r"\s*[-‐‑‒–—―−﹘﹣]+\s*", "-", plain).split())
    return plain if plain.isascii() else _in_english(plain)


def _in_english(text: str) -> str:
    from regionbook import geo

    levels: tuple[Literal["city", "province"], ...] = ("city", "province")
    for level in levels:
        with contextlib.suppress(ValueError):
            return str(geo.units(level).loc[geo.codes([text], level)[0], "name_en"]).casefold()
    return text


def name_of(label: Any) -> str:
    """A label as it is compared."""
    if isinstance(label, (tuple, list)):
        return "|".join(map(name_of, label))
    if isinstance(label, numbers.Real) and not isinstance(label, bool):
        return repr(float(label)).removesuffix(".0")
    return spelled(str(label))


def _check_text(options: Iterable[str], given: Any) -> None:
    one_of = f" (one of: {', '.join(options)})" if options else ""
    if not isinstance(given, str):
        raise Fault(f"a text is asked for{one_of}, you gave {_what(given)}.")
    if options and spelled(given) not in map(spelled, options):
        raise Fault(f"{given!r} cannot be chosen{one_of}.")


def _counted(want: int, got: int, what: str) -> None:
    """Say at once that there are far too many, before each is compared."""
    if got > want + 1000:
        raise Fault(f"{want} {what}s are asked for, you gave {got}.")


def _list(form: Mapping[str, Any], given: Any) -> list[str]:
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise Fault(f"a list of names is asked for, you gave {_what(given)}.")
    got = list(given)
    _counted(form["count"], len(got), "name")
    if odd := [g for g in got if not isinstance(g, str)]:
        raise Fault(f"a list of names is asked for; yours contains {odd[0]!r}.")
    if len(set(map(spelled, got))) < len(got):
        raise Fault("a name stands in your list twice.")
    return got


def _number(given: Any) -> float:
    if isinstance(given, numbers.Real) and not isinstance(given, (bool, np.bool_)):
        number = math.inf if isinstance(given, int) and given.bit_length() > 1023 else float(given)
        if math.isfinite(number):
            return number
        look = "look for a missing value, a division by zero or a logarithm of zero"
        raise Fault(f"your number is {number}: {look}.")
    if isinstance(given, str):
        raise Fault("a number is asked for; you gave a text: leave the quotation marks out.")
    if isinstance(given, (pd.Series, pd.DataFrame, np.ndarray, list, tuple, dict)):
        raise Fault(f"one number is asked for, you gave {_what(given)}: pick it, as in estimates['name'].")
    if hasattr(given, "params"):
        raise Fault(
            "one number is asked for, you gave a whole model result: pick from it, as in m.params['name']."
        )
    raise Fault(f"a number is asked for, you gave {_what(given)}.")


def _table(form: Mapping[str, Any], given: Any) -> pd.DataFrame:
    if form["kind"] == "frame":
        if isinstance(given, pd.DataFrame):
            return _labelled(form, given.copy(), column="columns", row="index")
        raise Fault(f"a table (data frame) is asked for, you gave {_what(given)}.")
    if isinstance(given, pd.DataFrame):
        column = f": pick the column, as in table[{given.columns[0]!r}]" if given.shape[1] else ""
        raise Fault(f"a series is asked for, you gave {_what(given)}{column}.")
    if isinstance(given, (pd.Series, dict)):
        return _labelled(form, pd.Series(given).to_frame(0), name="index")
    count = form["index"] if isinstance(form["index"], int) else len(form["index"])
    raise Fault(f"{count} numbers with their names are asked for (series or dict), you gave {_what(given)}.")


def _labelled(form: Mapping[str, Any], got: pd.DataFrame, **sides: str) -> pd.DataFrame:
    """Numbers beside their names, in the order of ``form`` where that knows the names."""
    for kind, side in sides.items():
        setattr(got, side, _labels(getattr(got, side), form[side], kind))
    if not isinstance(form["index"], int):
        columns = keys.index(form["columns"]) if "columns" in form else got.columns
        got = got.reindex(index=keys.index(form["index"]), columns=columns)
    for name, column in got.items():
        if column.dtype == bool or not pd.api.types.is_numeric_dtype(column):
            raise Fault(f"numbers are asked for; yours are {column.dtype}, such as {column.iloc[0]!r}.")
        odd = ~np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))
        if odd.any() and not form["gaps"]:
            raise Fault(_where(form, name) + _missing(odd, got.index))
    return got.astype(float)


def _where(form: Mapping[str, Any], column: Any) -> str:
    return f"column {column!r}: " if form["kind"] == "frame" else ""


def _missing(odd: np.ndarray, names: pd.Index) -> str:
    return f"{odd.sum()} of {len(odd)} values are missing or infinite, such as that of {names[odd][0]!r}."


def _labels(got: pd.Index, want: Any, kind: str) -> pd.Index:
    """The labels given, spelled as they are wanted where that is known."""
    _counted(want if isinstance(want, int) else len(want), len(got), kind)
    mine = [name_of(label) for label in got]
    if len(set(mine)) < len(mine):
        twice = next(label for label, name in zip(got, mine, strict=True) if mine.count(name) > 1)
        raise Fault(f"the {kind} {twice!r} stands in your answer twice.")
    if isinstance(want, int):
        if len(mine) == want:
            return got
        raise Fault(f"{want} {kind}s are asked for, you gave {len(mine)}.")
    wanted = dict(zip(map(name_of, want), keys.index(want), strict=True))
    missing = [label for name, label in wanted.items() if name not in mine]
    extra = [label for label, name in zip(got, mine, strict=True) if name not in wanted]
    if missing and extra:
        lacking = f"{missing[0]!r} is not among yours ({len(missing)} missing)"
        more = f"{extra[0]!r} does not belong ({len(extra)} too many)"
        raise Fault(f"{len(wanted)} {kind}s are asked for; {lacking}, and {more}.")
    if missing:
        raise Fault(f"{len(missing)} of {len(wanted)} {kind}s are missing, such as {missing[0]!r}.")
    if extra:
        raise Fault(f"{len(extra)} {kind}s are too many, such as {extra[0]!r}.")
    return pd.Index([wanted[name] for name in mine])


# ------------------------------------------------------------------------------------------------------------ values


def _by_value(key: Key, given: Any) -> Fault | None:
    kind = key.right["kind"]
    if kind in ("series", "frame"):
        return _tables(key, given)
    right: Any = key.right["value"]
    wrongs: list[tuple[str, Any]] = [(message, wrong["value"]) for message, wrong in key.mistakes]
    if kind in ("number", "whole"):
        of_one = [(m, np.array([float(w)])) for m, w in wrongs]
        return _values(key, np.array([given]), np.array([float(right)]), [None], of_one)
    how: dict[str, Callable[[Any], Any]] = {"bool": bool, "text": spelled, "list": _all_spelled}
    alike = how.get(kind, lambda names: set(_all_spelled(names)))
    mine, want = alike(given), alike(right)
    if mine == want:
        return None
    for message, wrong in wrongs:
        if mine == alike(wrong):
            return Fault(message)
    if kind in ("bool", "text"):
        return Fault(THINK, open=True)
    missing, extra = len(set(want) - set(mine)), len(set(mine) - set(want))
    if not missing and not extra:
        turned = mine == want[::-1]
        return Fault("the right names in another order" + (": yours is turned round." if turned else "."))
    said = f"of {len(set(want))} names {missing} are missing, and {extra} of yours do not belong."
    return Fault(said, open=True)


def _all_spelled(names: Iterable[str]) -> list[str]:
    return list(map(spelled, names))


def _tables(key: Key, given: pd.DataFrame) -> Fault | None:
    """Column by column."""
    right = keys.table(key.right)
    wrongs = [(m, keys.table(w).reindex_like(right)) for m, w in key.mistakes]
    for name in right.columns:
        where = _where(key.right, name)
        g, r = given[name].to_numpy(), right[name].to_numpy()
        names, keep = right.index, np.isfinite(r)
        if (odd := ~np.isfinite(g) & keep).any():
            return Fault(where + _missing(odd, names))
        if (odd := np.isfinite(g) & ~keep).any():
            return Fault(f"{where}the value of {names[odd][0]!r} cannot be computed, yet yours is given.")
        wrong = [(m, w[name].to_numpy()[keep]) for m, w in wrongs]
        if fault := _values(key, g[keep], r[keep], list(names[keep]), wrong):
            return Fault(where + fault.text, fault.open)
    return None


def near(key: Key, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether numbers ``a`` are right where ``b`` are, by tolerance and decimals of the key."""
    relative, absolute = tolerances(key)
    with np.errstate(all="ignore"):
        bound = np.maximum(relative * np.abs(b), absolute) * (1 + 1e-9) + NOTHING * (np.abs(b) <= NOTHING)
        return np.abs(a - b) <= np.maximum(bound, 4e-16 * np.abs(b))


def tolerances(key: Key) -> tuple[float, float]:
    """Relative and absolute difference up to which an answer is right."""
    whole = key.right["kind"] == "whole" or key.right.get("whole", False)
    if key.tolerance is None and key.decimals is None:
        return (0.0 if whole else 1e-3), 0.0
    return key.tolerance or 0.0, 0.0 if key.decimals is None else 0.501 * 10.0**-key.decimals


def forms(x: Any) -> dict[str, Any]:
    """What a number is often taken for, and what to say then."""
    with np.errstate(all="ignore"):
        return {
            "that is its logarithm; the level is asked for.": np.log(x),
            "that is its logarithm to base 10; the level is asked for.": np.log10(x),
            "that is ln(1 + x) of it; the level is asked for.": np.log1p(x),
            "that is the level; the logarithm is asked for.": np.exp(x),
            "that is its square (a variance, where a standard deviation is asked for?).": np.square(x),
            "that is its square root (a standard deviation, where a variance is asked for?).": np.sqrt(x),
            "that is one minus it.": np.subtract(1, x),
            "that is one divided by it.": np.divide(1, x),
        }


def _values(key: Key, g: Array, r: Array, names: list[Any], wrongs: list[tuple[str, Array]]) -> Fault | None:
    """The kind of mistake that turns ``r`` into ``g``, None if they agree."""
    good = near(key, g, r)
    if good.all():
        return None
    if _rounded(key, g, r):
        return Fault(f"right as far as {'it goes' if len(g) == 1 else 'they go'}; give more digits.")
    if known := _usual(key, g, r, wrongs):
        return Fault(known)
    if len(g) == 1:
        return Fault(LOOK, open=True)
    if np.allclose(np.sort(g), np.sort(r), rtol=SAME) and not np.allclose(g, r, rtol=SAME):
        return Fault("the right numbers stand beside the wrong names: look at the order.")
    if len(g) > 3 and np.ptp(g) > 0 and np.ptp(r) > 0 and np.corrcoef(g, r)[0, 1] > 1 - 1e-9:
        return Fault("right up to scale and centre: look at the normalisation.")
    bad = np.flatnonzero(~good)
    return Fault(f"{len(bad)} of {len(g)} values differ, such as that of {names[bad[0]]!r}.", open=True)


def _usual(key: Key, g: np.ndarray, r: np.ndarray, wrongs: list[tuple[str, np.ndarray]]) -> str:
    def looks(b: np.ndarray) -> bool:
        """Whether the answer is ``b``, more strictly than the exercise asks: a hint must not be wrong."""
        with np.errstate(all="ignore"):
            same = np.isfinite(b).all() and np.allclose(g, b, rtol=SAME, atol=0)
            return bool(same and not near(key, b, r).all())

    for message, wrong in wrongs:
        if looks(wrong):
            return message
    unit = f" Asked for: {key.unit}." if key.unit else ""
    if looks(-r):
        return "the size is right, the sign is not."
    for power, words in UNITS.items():
        for b, way in ((r * 10.0**power, "large"), (r / 10.0**power, "small")):
            if looks(b):
                return f"too {way} by a factor of {words}.{unit}"
            if looks(-b):
                return f"too {way} by a factor of {words}; the sign is wrong too.{unit}"
    return next((message for message, b in forms(r).items() if looks(b)), "")


def _rounded(key: Key, given: np.ndarray, right: np.ndarray) -> bool:
    """Whether the numbers given are the right ones, rounded to as many decimals as they are written with."""
    if key.right["kind"] == "whole" or key.right.get("whole"):
        return False
    places = (-int(Decimal(repr(float(x))).normalize().as_tuple().exponent) for x in given)
    half = 0.5 * 10.0 ** -max(0, *places)
    return bool((given != 0).all() and (np.abs(right - given) <= half * (1 + 1e-6)).all())


def _what(given: Any) -> str:
    """A few words for what was given."""
    if isinstance(given, pd.DataFrame):
        return f"a table of {given.shape[0]} rows and {given.shape[1]} columns"
    if isinstance(given, (pd.Series, np.ndarray, list, tuple, dict, set)):
        size = np.size(given) if isinstance(given, np.ndarray) else len(given)
        return f"a {type(given).__name__} of {size}"
    if isinstance(given, (str, numbers.Number)):
        return repr(given)
    return f"a {type(given).__name__}"
