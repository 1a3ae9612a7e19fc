"""Classes, colours and legends of a map's values."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from regionbook import look


def classify(
    frame: pd.DataFrame, scheme: str, k: int, bins: Sequence[float] | None, colors: str | Sequence[str] | None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Class number of every cell (NaN for no data), names and colours of the classes."""
    import matplotlib as mpl

    if scheme not in ("quantiles", "categories"):
        raise ValueError(f"scheme {scheme!r} is not known: use 'quantiles' or 'categories', or give bins.")
    is_number, is_truth = pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype
    numeric = all(is_number(kind) and not is_truth(kind) for kind in frame.dtypes)
    if scheme == "categories" or not numeric:
        stacked: Any = frame.stack() if frame.shape[1] > 1 else frame.iloc[:, 0]
        order = list(pd.Categorical(stacked.dropna()).categories)
        palette = list(look.PALETTE if colors is None or isinstance(colors, str) else colors)
        if not 1 <= len(order) <= len(palette):
            raise ValueError(f"{len(order)} categories but {len(palette)} colours: group them or pass a list")
        rank = {value: i for i, value in enumerate(order)}
        names = [f"{v:g}" if isinstance(v, float) else str(v) for v in order]
        return frame.apply(lambda c: c.map(rank).astype(float)), names, palette[: len(order)]

    known = frame.to_numpy(dtype=float)
    known = known[~np.isnan(known)]
    if known.size == 0 or np.isinf(known).any():
        what = "infinite numbers: drop them first" if known.size else "no number to draw"
        raise ValueError(f"values has {what}.")
    edges = edges_of(known, k, bins)
    classes = frame.apply(lambda c: pd.Series(np.searchsorted(edges, c), c.index).where(c.notna()))
    if colors is None or isinstance(colors, str):
        ramp = mpl.colormaps[colors or look.SEQUENTIAL](np.linspace(0.25, 1.0, len(edges)))
        palette = [mpl.colors.to_hex(c) for c in ramp]
    else:
        palette = list(colors)
        if len(palette) != len(edges):
            raise ValueError(f"{len(palette)} colours for {len(edges)} classes: give one colour a class.")
    return classes, _interval_names([known.min(), *edges]), palette


def edges_of(known: np.ndarray, k: int, bins: Sequence[float] | None) -> np.ndarray:
    """Upper bounds of the classes; a value belongs to the first class whose bound it does not exceed."""
    if bins is not None:
        edges = np.asarray(bins, dtype=float)
        if edges.ndim != 1 or edges.size == 0 or (np.diff(edges) <= 0).any() or edges[-1] < known.max():
            raise ValueError(f"bins must rise to {known.max():g}, the largest value; given {list(bins)}.")
        return edges
    if not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"k must be a positive whole number, not {k!r}.")
    k = min(int(k), len(np.unique(known)))
    if k == 1:
        return np.array([known.max()])
    return np.unique(np.quantile(known, np.linspace(0, 1, k + 1)[1:]))


def _interval_names(edges: Sequence[float]) -> list[str]:
    """Ranges such as 0.02–0.05, with just enough decimals to tell neighbouring bounds apart.

    >>> _interval_names([0, 2, 5]), _interval_names([-2, -1, 0])
    (['0–2', '2–5'], ['-2 to -1', '-1 to 0'])
    """
    gaps = np.diff(edges)
    gap = gaps[gaps > 0].min() if (gaps > 0).any() else abs(edges[0]) or 1.0
    whole = all(float(e).is_integer() for e in edges)
    decimals = 0 if whole else max(0, 1 - int(np.floor(np.log10(gap))))
    text = [f"{e:,.{decimals}f}" for e in edges]
    dash = " to " if min(edges) < 0 else "–"  # −0.6–−0.3 is hard to read
    return [a if a == b else f"{a}{dash}{b}" for a, b in pairwise(text)]
