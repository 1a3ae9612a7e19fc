"""Values as plain JSON: `encode` runs beside the student's code, `decode` in the clean process. No pickle.

Numbers, texts, collections, arrays and tables are copied. Anything else stays where it is, and a reference goes out.
"""

import base64
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

KINDS = "biufcmM"
"""Kinds of numpy dtypes whose bytes may be handed over: no objects."""
DEEP, MANY, LONG = 16, 3_000_000, 10_000
"""Levels of nesting; numbers in one array or table; signs of a text."""
SCALARS: Any = (
    (bool, (bool, np.bool_)),
    (int, (int, np.integer)),
    (float, (float, np.floating, numbers.Real)),
    (str, str),
)


def encode(x: Any, keep: Callable[[Any], Any], depth: int = 0) -> Any:
    """A value in the types of JSON; ``keep`` makes the reference to what cannot be copied.

    A subclass of a plain type becomes that type. A ValueError if the value is nested too deeply, or too large.
    """
    if depth > DEEP:
        raise ValueError(f"nested more than {DEEP} levels deep")

    def down(v: Any) -> Any:
        return encode(v, keep, depth + 1)

    if x is None:
        return None
    for kind, plain in SCALARS:
        if isinstance(x, plain):
            return kind(x)
    if isinstance(x, (list, tuple, set, frozenset)):
        name = "tuple" if isinstance(x, tuple) else "list" if isinstance(x, list) else "set"
        return {"t": name, "v": [down(v) for v in x]}
    if isinstance(x, dict):
        return {"t": "dict", "v": [[down(k), down(v)] for k, v in dict.items(x)]}
    if isinstance(x, (np.ndarray, pd.Index, pd.Series, pd.DataFrame)) and x.size > MANY:
        raise ValueError(f"more than {MANY:,} values")
    if isinstance(x, np.ndarray):
        if x.dtype.kind not in KINDS:
            return down(x.tolist())
        raw = base64.b64encode(np.ascontiguousarray(x).tobytes()).decode()
        return {"t": "array", "dtype": x.dtype.str, "shape": list(x.shape), "raw": raw}
    if isinstance(x, pd.Index):
        levels = [down(_column(x.get_level_values(k))) for k in range(x.nlevels)]
        return {"t": "index", "names": [down(n) for n in x.names], "v": levels}
    if isinstance(x, pd.Series):
        return {"t": "series", "name": down(x.name), "index": down(x.index), "v": down(_column(x))}
    if isinstance(x, pd.DataFrame):
        columns = [down(_column(x.iloc[:, k])) for k in range(x.shape[1])]
        return {"t": "frame", "index": down(x.index), "columns": down(x.columns), "v": columns}
    return keep(x)


def _column(x: Any) -> Any:
    if not isinstance(x.dtype, np.dtype) and pd.api.types.is_numeric_dtype(
        x.dtype
    ):  # Int64, Float64, boolean
        return x.to_numpy(dtype=float, na_value=np.nan)
    return x.to_numpy()


def decode(j: Any, reference: Callable[[int, str], Any], depth: int = 0) -> Any:
    """The value; ``reference(number, type name)`` makes what stands for an object that stayed where it was.

    A ValueError, TypeError or KeyError if ``j`` is nothing that `encode` writes.
    """
    if depth > DEEP + 4:
        raise ValueError(f"nested more than {DEEP} levels deep")

    def down(v: Any) -> Any:
        return decode(v, reference, depth + 1)

    if isinstance(j, str) and len(j) > LONG:
        raise ValueError(f"a text of {len(j):,} signs; no answer has more than {LONG:,}")
    if j is None or type(j) in (bool, int, str, float):
        return np.float64(j) if type(j) is float else j
    kind = j["t"]
    if kind in ("list", "tuple", "set"):
        return {"list": list, "tuple": tuple, "set": set}[kind](down(v) for v in j["v"])
    if kind == "dict":
        return {down(k): down(v) for k, v in j["v"]}
    if kind == "array":
        dtype = np.dtype(str(j["dtype"]))
        if dtype.kind not in KINDS or len(j["raw"]) > MANY * 11:
            raise ValueError("not an array of numbers, or too large")
        return np.frombuffer(base64.b64decode(j["raw"]), dtype).reshape(j["shape"]).copy()
    if kind == "index":
        names, levels = [down(n) for n in j["names"]], [down(v) for v in j["v"]]
        many = len(levels) > 1
        return pd.MultiIndex.from_arrays(levels, names=names) if many else pd.Index(levels[0], name=names[0])
    if kind == "series":
        return pd.Series(down(j["v"]), index=down(j["index"]), name=down(j["name"]))
    if kind == "frame":
        index, columns = down(j["index"]), [down(v) for v in j["v"]]
        if {len(v) for v in columns} - {len(index)}:  # one number for all rows is what `encode` never writes
            raise ValueError("columns of other lengths than the index")
        frame = pd.DataFrame(dict(enumerate(columns)), index=index)
        return frame.set_axis(down(j["columns"]), axis="columns")
    if kind == "held":
        return reference(int(j["v"]), str(j["type"])[:60])
    raise ValueError(f"no such kind of value: {str(kind)[:60]!r}")
