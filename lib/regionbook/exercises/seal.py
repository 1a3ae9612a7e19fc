"""Seal a key so that only an answer opens it.

The key lies encrypted in a box. Its secret lies behind *doors*: a door opens to a slow hash of a cell, and a cell holds
all answers near the right one, near a usual mistake, or near what the right one is often taken for (a logarithm, a
rounded value); signs and powers of ten share a cell. So whoever has an answer of these learns from `judge` what is
wrong with it, exactly; whoever reads the file learns nothing but the kind of answer.

A number's cell is its place on a logarithmic grid that repeats with each power of ten, so that the width tells nothing
of the size; with ``decimals`` besides on a linear one. A door stands for two neighbouring cells: no answer falls
between. A table is opened by one of a few of its cells.
"""

import base64
import functools
import hashlib
import hmac
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from regionbook.exercises import judge, keys
from regionbook.exercises.judge import Fault
from regionbook.exercises.keys import Key

COST = {"n": 2**12, "r": 8, "p": 1, "maxmem": 2**26}
"""Of scrypt: 10 to 20 ms a hash."""
FORMAT = f"2 {COST['n']} {COST['r']}"
"""Stands in each key file; where it differs, or the number is raised, `sync` seals anew."""
WINDOWS = 3
"""Cells of a table that open it."""


def seal(key: Key, printed: str = "") -> dict[str, Any]:
    """Lock a key away: a dictionary for a JSON file, the same whenever it is made.

    ``printed`` is the sheet as it is handed out: the names of a series or frame stand in the clear only if each of them
    stands in it, or they are a whole level of the panel's index.
    """
    sides = [side for side in ("index", "columns") if side in key.right and side not in key.levels]
    names = {judge.name_of(label) for side in sides for label in key.right[side]}
    seen = judge.spelled(printed)
    hidden = not all(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", seen) for name in names)
    windows, text = _windows(key), json.dumps(key.as_dict(), sort_keys=True)
    secret = hashlib.scrypt(text.encode(), salt=_salt(key.exercise, "secret"), dklen=16, **COST)
    locked = {
        "exercise": key.exercise,
        "form": judge.form_of(key, hidden),
        "hints": list(key.hints),
        "personal": key.personal,
        "grid": _grid(key),
        "windows": windows,
        "doors": sorted({_door(_slow(key.exercise, *at), secret) for at in _targets(key, windows)}),
        "box": _lock(text.encode(), secret),
    }
    if hidden:
        names_hash = _slow(key.exercise, "names", _names(keys.table(key.right)))
        locked["names"] = _tag(names_hash).hex()
    return locked


def judge_sealed(sealed: Mapping[str, Any], given: Any) -> Fault | None:
    """What is wrong with an answer of any type by a sealed key, None if it is right."""
    try:
        value = judge.fits(sealed["form"], given)
    except Fault as fault:
        return fault
    if key := unseal(sealed, value):
        return judge.judge(key, given)
    return Fault(_closed(sealed, value), open=True)


def unseal(sealed: Mapping[str, Any], given: Any) -> Key | None:
    """The key, if the answer (of the right form, as `judge.fits` gives it) opens it."""
    doors = {stored[:4]: stored[4:] for stored in map(base64.b64decode, sealed["doors"])}
    for hashed in _tries(sealed, given):
        if mask := doors.get(_tag(hashed)):
            secret = _xor(mask, _part(hashed, b"mask"))
            if (text := _unlock(sealed["box"], secret)) is not None:
                return Key.of(json.loads(text))
    return None


def _closed(sealed: Mapping[str, Any], given: Any) -> str:
    """What can be said of a wrong answer that opens nothing."""
    form = sealed["form"]
    if form["kind"] in ("bool", "text"):
        return judge.THINK
    if form["kind"] in ("set", "list"):
        if len(given) != form["count"]:
            return f"{form['count']} names are asked for, you gave {len(given)}."
        return "the number of names is right, but not all of them belong."
    if "names" in sealed and sealed["names"] != _tag(_slow(sealed["exercise"], "names", _names(given))).hex():
        return "these are not all of the names that are asked for."
    if form["kind"] in ("series", "frame"):
        table = _sorted(given)
        names = [[table.columns[c]] * (table.shape[1] > 1) + [table.index[r]] for r, c in sealed["windows"]]
        at = [" of ".join(map(repr, name)) for name in names]
        return f"several values differ, such as {'that' if len(at) == 1 else 'those'} of {', '.join(at)}."
    return judge.LOOK


# ------------------------------------------------------------------------------------------------------------- cells


def _grid(key: Key) -> list[float]:
    """Steps of the logarithmic grid in a power of ten (0: none) and width of the linear one (0: none)."""
    if key.right["kind"] in ("bool", "text", "set", "list"):
        return [0, 0.0]
    relative, absolute = judge.tolerances(key)
    step = -2.2 * math.log1p(-max(relative, judge.SAME))
    return [math.floor(math.log(10) / step), 2.2 * absolute]


def _beside(place: float) -> list[int]:
    """The cell of a place, and the neighbour that is nearer."""
    cell = math.floor(place)
    return [cell, cell + (1 if place - cell >= 0.5 else -1)]


def _cells(x: float, grid: list[float], linear: bool) -> list[str]:
    """Cells of a number that is looked for; the first is its own."""
    if linear:
        return [f"linear {c}" for c in _beside(x / grid[1])]
    if abs(x) <= judge.NOTHING:
        return ["zero"]
    return [f"log {c % int(grid[0])}" for c in _beside(math.log10(abs(x)) % 1.0 * grid[0])]


def _targets(key: Key, windows: list[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """Place and cell of all that opens a key."""
    kind, grid = key.right["kind"], _grid(key)
    values = [key.right, *(wrong for _, wrong in key.mistakes)]
    if not windows:
        yield from (("text", _text(kind, value["value"])) for value in values)
        return
    tables = [_sorted(keys.table(v) if "index" in v else v["value"]) for v in values]
    names = _names(tables[0]) if "index" in key.right else ""
    for number, (row, column) in enumerate(windows):
        x, place = float(tables[0].iat[row, column]), f"{names}\n{row} {column}"
        near = [x, *(float(other.iat[row, column]) for other in tables[1:])]
        exact: list[float] = []
        if not number:  # the first window also knows what a number is taken for
            near += filter(None, map(float, judge.forms(x).values()))
            mixed = tables[0].iloc[:, column].to_numpy()  # numbers that stand beside the wrong names
            exact += [round(x, digits) for digits in range(7)]
            exact += list(mixed if len(mixed) <= 12 else mixed[-1 - row :][:1])
            exact = list(filter(None, exact))  # a zero is nobody's rounded answer
        for linear, wanted, count in ((False, near, 2), (False, exact, 1), (True, [x] if grid[1] else [], 2)):
            for y in wanted:
                if math.isfinite(y):
                    yield from ((place, cell) for cell in _cells(y, grid, linear)[:count])
    if (z := _score(tables[0])) is not None:
        yield from ((f"{names}\nscore", str(c)) for c in _beside(z))


def _tries(sealed: Mapping[str, Any], given: Any) -> Iterator[bytes]:
    """Hashes of the cells of an answer, the likeliest first."""
    exercise, grid, windows = sealed["exercise"], sealed["grid"], sealed["windows"]
    if not windows:
        yield _slow(exercise, "text", _text(sealed["form"]["kind"], given))
        return
    table = _sorted(given)
    names = _names(table) if isinstance(given, pd.DataFrame) else ""
    for linear in (False, True) if grid[1] else (False,):
        for row, column in windows:
            x = float(table.iat[row, column])
            covered = linear and abs(x) * judge.SAME > grid[1]  # its tolerance is within a logarithmic cell
            if math.isfinite(x) and not covered:
                yield _slow(exercise, f"{names}\n{row} {column}", _cells(x, grid, linear)[0])
    if (z := _score(table)) is not None:
        yield _slow(exercise, f"{names}\nscore", str(math.floor(z)))


def _sorted(table: Any) -> pd.DataFrame:
    """Rows and columns in the order of their names; a number as a table of one cell."""
    if not isinstance(table, pd.DataFrame):
        return pd.DataFrame([[float(table)]])
    rows, columns = (np.argsort([judge.name_of(k) for k in side], kind="stable") for side in table.axes)
    return table.iloc[rows, columns]


def _windows(key: Key) -> list[tuple[int, int]]:
    """Places in a sorted table, spread over rows and columns, that have a number; none if none is asked for."""
    if "index" not in key.right:
        return [(0, 0)] if key.right["kind"] in ("number", "whole") else []
    filled = np.argwhere(np.isfinite(_sorted(keys.table(key.right)).to_numpy()).T)
    spread = np.linspace(0, len(filled) - 1, min(WINDOWS, len(filled))).astype(int)
    return [(int(row), int(column)) for column, row in filled[spread]]


def _score(table: pd.DataFrame) -> float | None:
    """Standardised first value of a longer series, in steps: what a change of scale and centre leaves alone."""
    x = table.iloc[:, 0].to_numpy(dtype=float)
    x = x[np.isfinite(x)]
    if len(x) < 4 or table.shape[1] > 1 or not np.ptp(x) > 0:
        return None
    return float((x[0] - x.mean()) / x.std() / 0.01)


def _names(table: pd.DataFrame) -> str:
    return "\n".join("\t".join(sorted(map(judge.name_of, side))) for side in (table.index, table.columns))


def _text(kind: str, value: Any) -> str:
    if kind in ("set", "list"):
        return "\n".join(sorted(map(judge.spelled, value)))
    return str(bool(value)) if kind == "bool" else judge.spelled(value)


# ------------------------------------------------------------------------------------------------------------- locks


def _salt(exercise: str, what: str) -> bytes:
    return hashlib.sha256(f"{exercise}\0{what}".encode()).digest()


@functools.lru_cache(maxsize=4096)
def _slow(exercise: str, what: str, cell: str) -> bytes:
    return hashlib.scrypt(cell.encode(), salt=_salt(exercise, what), dklen=32, **COST)


def _part(hashed: bytes, what: bytes) -> bytes:
    return hmac.digest(hashed, what, "sha256")


def _tag(hashed: bytes) -> bytes:
    return _part(hashed, b"tag")[:4]


def _door(hashed: bytes, secret: bytes) -> str:
    mask = _part(hashed, b"mask")
    return base64.b64encode(_tag(hashed) + _xor(secret, mask)).decode()


def _xor(text: bytes, stream: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def _lock(text: bytes, secret: bytes) -> str:
    small = zlib.compress(text, 9)
    small += bytes(-len(small) % 128)  # or the length would tell True from False
    hidden = _xor(small, hashlib.shake_256(secret).digest(len(small)))
    return base64.b64encode(hmac.digest(secret, hidden, "sha256")[:16] + hidden).decode()


def _unlock(box: str, secret: bytes) -> bytes | None:
    stored = base64.b64decode(box)
    mark, hidden = stored[:16], stored[16:]
    if not hmac.compare_digest(mark, hmac.digest(secret, hidden, "sha256")[:16]):
        return None
    return zlib.decompressobj().decompress(_xor(hidden, hashlib.shake_256(secret).digest(len(hidden))))
