"""What a paper hands to the engine: tables, a structural story, bounds, and what is left free."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from regionbook.papers.declare import Column

if TYPE_CHECKING:
    from .rows import Rows

Array = np.ndarray
Grid = dict[str, Array]
"""Columns by name, on units x periods with the periods of a unit together; absent cells are missing."""


class CalibrationError(RuntimeError):
    """The binding tier of a paper's contract is not met, or a declaration cannot be read."""


@dataclass(frozen=True)
class Move:
    """How a column may move: additively, above a floor in logs, between bounds in log-odds (values on bounds stay).

    `size` is the prior standard deviation of the move on that scale (additive: in standard deviations), `smooth` the
    correlation of moves one period apart, `rough` the share of the prior variance that is white noise instead, `common`
    the prior variance of moves that all units share relative to the own ones, `cap` the largest absolute move (0: none),
    `decimals` the digits that are kept, or the function that rounds.
    """

    lower: float = -np.inf
    upper: float = np.inf
    size: float = 0.2
    smooth: float = 0.9
    rough: float = 0.02
    common: float = 0.0
    cap: float = 0.0
    decimals: int | Callable[[Array], Array] = 6

    def unit(self, x0: Array) -> float:
        """What a move of one is on the scale."""
        return float(np.nanstd(x0)) if np.isinf(self.lower) else 1.0

    def scale(self, x: Array) -> Array:
        """The column on the scale on which it moves."""
        if np.isinf(self.lower):
            return np.asarray(x, float)
        with np.errstate(divide="ignore"):
            y = np.log(np.maximum(x - self.lower, 0))
            return y if np.isinf(self.upper) else y - np.log(np.maximum(self.upper - x, 0))

    def value(self, y: Array) -> Array:
        """Back from the scale."""
        if np.isinf(self.lower):
            return y
        with np.errstate(over="ignore"):
            share = np.exp(y) if np.isinf(self.upper) else (self.upper - self.lower) / (1 + np.exp(-y))
        return self.lower + share

    def slope(self, x: Array) -> Array:
        """Derivative of `value` where it is x."""
        if np.isinf(self.lower):
            return np.ones_like(x)
        share = 1.0 if np.isinf(self.upper) else (self.upper - x) / (self.upper - self.lower)
        return (x - self.lower) * share

    def round(self, x: Array) -> Array:
        """Values as shipped."""
        return self.decimals(x) if callable(self.decimals) else np.round(x, self.decimals)


@dataclass(frozen=True)
class Paper:
    """Declaration of a paper for the engine.

    Attributes
    ----------
    slug : str
        Folder of the printed numbers under ``data/published``.
    index : tuple of str
        Columns that name unit and period.
    tables : sequence of Column
        The printed regressions.
    story : callable
        ``story(rng, **parameters)`` draws all columns in the order of causation; returns them and the truth
        (a dict that goes into the truth file).
    moves : mapping
        Column -> `Move`, for every column that the engine may move.
    follows : mapping
        Column -> function of the story's columns and of those calibrated so far (in the order of `moves`) that gives
        where it starts instead: grants follow applications.
    controls : collection of str
        Printed terms of the cheap tier; all other terms bind.
    free : mapping
        ``(table,)``, ``(table, column)``, ``(table, column, term)`` or ``(table, column, term, "std_error")`` -> why
        it is left out of the system. R2 and the constant have the terms ``R2`` and ``_cons``.
    aims : mapping
        ``(table, column, term)`` -> (value, reason), where the engine aims beside the print so that cells which cannot
        hold exactly together are all inside the contract.
    constants : collection of (table, column)
        Columns whose constant is imposed; elsewhere it is cheap and not aimed at.
    derive : callable
        ``derive(xp, columns)`` adds columns that are computed from moving ones (an index), or arrays of any length
        (its weights), with functions of ``xp`` alone; it is differentiated by autograd.
    own : callable
        ``own(columns, truth, printed)`` gives further `Rows`: moments, weights, yearly paths, invented regressions.
    polish : callable
        ``polish(columns, rows)`` changes the rounded columns once more (a search has to find printed thresholds).
    polished : collection of (table, column)
        Columns of estimators without rows (spatial ones) whose numbers `polish` imposes.
    weights : callable
        Prepared frame, indexed -> the matrices of spatial columns.
    panel : callable
        Columns -> the frame that is shipped; left out, all columns on cells where some moving column is there.
    prepare : callable
        The frame read back from the file -> the frame that the tables name; left out, `derive`.
    after : callable
        Final columns -> what the truth file adds (effects in units of the outcome, which hang on the calibrated values).
    worlds : mapping
        Name of a rival world -> parameters of `story` that differ there.
    dictionary : mapping
        Shipped column -> (label_en, label_zh, unit, role, minimum, maximum, published, note), as the file has them.
    """

    slug: str
    index: tuple[str, str]
    tables: Sequence[Column]
    story: Callable[..., tuple[Grid, dict[str, Any]]]
    moves: Mapping[str, Move]
    follows: Mapping[str, Callable[[Grid, Grid], Array]] = field(default_factory=dict)
    controls: Collection[str] = ()
    free: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    aims: Mapping[tuple[str, str, str], tuple[float, str]] = field(default_factory=dict)
    constants: Collection[tuple[str, str]] = ()
    derive: Callable[[Any, Grid], Grid] | None = None
    own: Callable[[Grid, dict[str, Any], Any], list[Rows]] | None = None
    polish: Callable[[Grid, list[Rows]], Grid] | None = None
    polished: Collection[tuple[str, str]] = ()
    weights: Callable[[pd.DataFrame], Any] | None = None
    panel: Callable[[Grid], pd.DataFrame] | None = None
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    after: Callable[[Grid], dict[str, Any]] | None = None
    worlds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dictionary: Mapping[str, tuple[str | float, ...]] = field(default_factory=dict)

    def computed(self, columns: Grid, xp: Any = np) -> Grid:
        """Columns with the derived ones."""
        return self.derive(xp, dict(columns)) if self.derive else dict(columns)


def frame(columns: Grid) -> pd.DataFrame:
    """The columns that have one value a cell, as a frame."""
    cells = max(len(x) for x in columns.values())
    return pd.DataFrame({k: x for k, x in columns.items() if len(x) == cells})
