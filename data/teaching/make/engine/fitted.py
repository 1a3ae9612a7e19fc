"""Papers whose numbers a fit of their own reaches: several starts of the fit, and the worlds drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from .make import NOTICE, Drawn, _plain
from .paper import Paper
from .report import HEAD

Fitted = TypeVar("Fitted")
Told = tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]


def best_start(
    fit: Callable[[np.random.Generator], tuple[Fitted, int]], seed: int, enough: int, starts: int = 8
) -> Fitted:
    """What `fit` returns from the start that misses fewest cells; one that misses at most `enough` ends the search.

    `fit` takes a generator of random numbers and returns its result and how many cells it misses. The first start is
    that of `seed` itself, the next are those of (seed, 1), (seed, 2), …
    """
    best: tuple[Fitted, int] | None = None
    for k in range(starts):
        found = fit(np.random.default_rng([seed, k] if k else seed))
        if best is None or found[1] < best[1]:
            best = found
        if best[1] <= enough:
            break
    assert best is not None
    return best[0]


def told(
    *rows: tuple[str, str, str, float, float, float], kind: str = "other", tier: str = "binding"
) -> list[tuple]:
    """Rows of a report from (table, column, row, printed, reached, largest gap allowed), all imposed."""
    return [
        (t, column, row, kind, tier, "imposed", printed, reached, None, None, reached - printed,
         "met" if abs(reached - printed) <= most else "missed", "")
        for t, column, row, printed, reached, most in rows
    ]  # fmt: skip


def report(rows: list[tuple]) -> pd.DataFrame:
    """The report of a panel from the rows of `told`."""
    return pd.DataFrame(rows, columns=HEAD)


def draw_fitted(paper: Paper, seed: int, make: Callable[[dict[str, Any]], Told]) -> dict[str, Drawn]:
    """The shipped world ("") and its rivals; `make` turns a world's parameters into panel, report and more of its truth."""
    out = {}
    for world, given in {"": {}, **paper.worlds}.items():
        panel, found, more = make(given)
        truth = {"data": NOTICE, "paper": paper.slug, "seed": seed, "world": world or "shipped"}
        truth |= {"parameters": dict(given)} | more | {"targets": found.to_dict("records")}
        text = panel.to_csv(index=False, lineterminator="\n", float_format="%.10g")
        out[world] = Drawn(paper, world, text, _plain(truth), found, pd.DataFrame, pd.DataFrame(), {})
    return out


def write_all(drawn: dict[str, Drawn], folder: Path | str) -> None:
    """Write the panel, its dictionary, its rival worlds and their truths."""
    for d in drawn.values():
        d.write(folder, drawn[""])
