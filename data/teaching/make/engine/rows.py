"""Rows of the system: a declared column, or a moment, path or value of one array. Each knows its values and gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from regionbook.papers.declare import Column

from . import estimator
from .paper import Array, CalibrationError, Grid, Paper
from .targets import CONS_TOL, R2_TOL, Cell

Gradients = dict[str, Array]
"""Array's name -> derivatives (rows x its length)."""


class Rows(Protocol):
    """What the solver needs of targets: values at the arrays `v`, and their derivatives in the moving arrays that occur."""

    cells: list[Cell]
    aim: Array
    tol: Array
    uses: frozenset[str]

    def values(self, v: Grid) -> Array: ...
    def pull(self, v: Grid, moving: frozenset[str]) -> tuple[Array, Gradients]: ...


# -------------------------------------------------------------------------------------------------- regressions
def factors(term: str) -> list[tuple[str, str]]:
    """(function, name) of each factor of a term: ``log(y)``, ``digit:size``.

    Examples
    --------
    >>> factors("log(y):size")
    [('log', 'y'), ('', 'size')]
    """
    out = []
    for part in (p.strip() for p in term.split(":")):
        inner = part[4:-1] if part.startswith("log(") and part.endswith(")") else part
        if not inner.isidentifier():
            raise CalibrationError(f"the engine reads names, products a:b and log(a), not {term!r}")
        out.append(("log" if inner != part else "", inner))
    return out


def _value(function: str, x: Array) -> Array:
    return np.log(x) if function else np.asarray(x, float)


class Regression:
    """Rows of a declared column: its imposed cells. Sample, effects and missing cells are taken from the grid `data` once."""

    def __init__(self, column: Column, data: pd.DataFrame, cells: Sequence[Cell]) -> None:
        self.column, self.d = column, estimator.Design(column, data)
        self.terms = [*column.regressors]
        self.instruments = [*column.instruments, *column.exogenous] if column.instruments else []
        names = [column.outcome, *self.terms, *self.instruments]
        self.uses = frozenset(k for term in names for _, k in factors(term))
        self.cells, self.picks = [], []
        aim, tol, at = [], [], column.coefficients
        for c in (c for c in cells if c.imposed):
            b_tol, se_tol = c.tolerances()
            if c.kind == "R2":
                new = [(("r2", 0), np.log(1 - c.printed), max(R2_TOL, 0.5 * c.half / (1 - c.printed)))]
            elif c.kind == "constant":
                new = [(("cons", 0), c.aim, max(CONS_TOL * c.se, c.half))]
            else:
                j = self.terms.index(at[c.term])
                new = [(("b", j), c.aim, b_tol)]
                if not c.se_free and c.se > 0 and column.estimator == "ols":
                    new.append((("se", j), np.log(c.se), se_tol))
            for pick, a, t in new:
                self.cells.append(c), self.picks.append(pick), aim.append(a), tol.append(t)
        self.aim, self.tol = np.array(aim), np.array(tol)

    def _arrays(self, v: Grid) -> tuple[Array, Array, Array | None]:
        terms = (self.column.outcome, *self.terms, *self.instruments)
        k, at = len(self.terms), self.d.rows
        y, *rest = (np.prod([_value(f, v[name])[at] for f, name in factors(term)], axis=0) for term in terms)
        return y, np.column_stack(rest[:k]), np.column_stack(rest[k:]) if self.instruments else None

    def fit(self, v: Grid) -> estimator.Fit:
        """Estimate with the engine's own estimator (least squares, 2SLS)."""
        return estimator.fit(self.d, *self._arrays(v))

    def _poisson(self, v: Grid) -> list[Array]:
        y, X, _ = self._arrays(v)
        return [a[[j for _, j in self.picks]] for a in estimator.poisson(self.d, y, X)]

    def values(self, v: Grid) -> Array:
        """Values at the arrays `v`."""
        if self.column.estimator == "poisson":
            return self._poisson(v)[0]
        return estimator.values(self.fit(v), self.picks)

    def pull(self, v: Grid, moving: frozenset[str]) -> tuple[Array, Gradients]:
        """Values and derivatives."""
        right = any(k in moving for term in (*self.terms, *self.instruments) for _, k in factors(term))
        if self.column.estimator == "poisson":
            if right:
                raise CalibrationError(f"{self.column.key}: a Poisson row moves its outcome only")
            b, g = self._poisson(v)
            return b, self._chain(v, moving, [(self.column.outcome, g)])
        f = self.fit(v)
        gy, gX, gZ = estimator.pull(self.d, f, self.picks, right, bool(self.instruments))
        parts = [(self.column.outcome, gy)]
        if gX is not None:
            parts += [(term, gX[:, :, j]) for j, term in enumerate(self.terms)]
        if gZ is not None:
            parts += [(term, gZ[:, :, j]) for j, term in enumerate(self.instruments)]
        return estimator.values(f, self.picks), self._chain(v, moving, parts)

    def _chain(self, v: Grid, moving: frozenset[str], parts: list[tuple[str, Array]]) -> Gradients:
        """Derivatives in terms to derivatives in arrays: products and logs."""
        out: Gradients = {}
        for term, g in parts:
            fs = factors(term)
            for i, (function, name) in enumerate(fs):
                if name in moving:
                    x = np.asarray(v[name], float)[self.d.rows]
                    slope = 1 / x if function else np.ones_like(x)
                    for j, (f, k) in enumerate(fs):
                        slope = slope if i == j else slope * _value(f, v[k])[self.d.rows]
                    full = out.setdefault(name, np.zeros((len(g), len(v[name]))))
                    full[:, self.d.rows] += g * slope
        return out


def regressions(paper: Paper, data: pd.DataFrame, cells: Sequence[Cell]) -> list[Regression]:
    """Rows of the printed tables, columns without an imposed cell left out."""
    of = {c.key: [k for k in cells if (k.table, k.column) == c.key and k.imposed] for c in paper.tables}
    return [Regression(c, data, of[c.key]) for c in paper.tables if of[c.key] and c.key not in paper.polished]


def own_column(
    column: Column, data: pd.DataFrame, aims: Mapping[str, tuple[float, float]], note: str = ""
) -> Regression:
    """Rows that we add: coefficients of a regression that the paper does not print (table "own" by custom; `note` says
    what for); `aims` gives each term's value, from the truth and not from a hand, and its tolerance.
    """
    made = Regression(column, data, [])
    own = {"tier": "own", "reason": note}
    made.cells = [Cell(*column.key, term, "own", aim, se=tol, **own) for term, (aim, tol) in aims.items()]
    made.picks = [("b", made.terms.index(term)) for term in aims]
    made.aim, made.tol = (np.array([pair[i] for pair in aims.values()]) for i in (0, 1))
    return made


def as_seen(column: Column, data: pd.DataFrame, effect: str) -> dict[str, float]:
    """What a regression makes of a true effect, by term: the column with the effect itself as outcome.

    For a log or a Poisson regression `effect` is the truth's shift of the log outcome; so the target of an own row
    comes from the truth.
    """
    rhs = column.formula.partition("~")[2]
    linear = replace(column, formula=f"{effect} ~{rhs}", estimator="ols", errors="iid")
    b = Regression(linear, data, []).fit({k: data[k].to_numpy() for k in data}).b
    return dict(zip(column.regressors, b.tolist(), strict=True))


# ------------------------------------------------------------------------------------------- one array's numbers
class Numbers:
    """Rows on one column or derived array: `what` names "mean", "sd", "min", "max" or "log min" for each row, or is
    "value" (the array itself) or "path" (log of the mean of each of the `periods` over the overall mean). `inside` says
    on which cells moments are taken; left out, on all.
    """

    def __init__(
        self,
        name: str,
        what: Sequence[str] | str,
        aim: Any,
        tol: Any,
        cells: list[Cell],
        periods: int = 0,
        inside: Array | None = None,
    ) -> None:
        self.name, self.what, self.periods, self.cells = name, what, periods, cells
        self.inside = True if inside is None else np.asarray(inside, bool)
        self.aim, self.tol = np.array(aim, float), np.broadcast_to(np.asarray(tol, float), np.shape(aim))
        self.uses = frozenset([name])

    def values(self, v: Grid) -> Array:
        """Values at the arrays `v`."""
        x = np.where(self.inside, np.asarray(v[self.name], float), np.nan)
        if self.what == "value":
            return x
        if self.what == "path":
            return np.log(np.nanmean(x.reshape(-1, self.periods), 0) / np.nanmean(x))
        of = {"mean": np.nanmean, "sd": lambda x: np.nanstd(x, ddof=1), "min": np.nanmin, "max": np.nanmax}
        of["log min"] = lambda x: np.log(np.nanmin(x))
        return np.array([of[k](x) for k in self.what])

    def pull(self, v: Grid, moving: frozenset[str]) -> tuple[Array, Gradients]:
        """Values and derivatives."""
        x = np.where(self.inside, np.asarray(v[self.name], float), np.nan)
        values = self.values(v)
        if self.name not in moving:
            return values, {}
        if self.what == "value":
            return values, {self.name: np.eye(len(x))}
        ok = np.isfinite(x)
        n, mean = ok.sum(), np.nanmean(x)
        if self.what == "path":
            year = np.tile(np.eye(self.periods), len(x) // self.periods) * ok
            total = year @ np.where(ok, x, 0.0)
            return values, {self.name: year / total[:, None] - ok / (n * mean)}
        g = np.zeros((len(self.what), len(x)))
        for i, k in enumerate(self.what):
            if k == "mean":
                g[i] = ok / n
            elif k == "sd":
                g[i] = np.where(ok, x - mean, 0.0) / ((n - 1) * values[i])
            else:
                at = np.nanargmax(x) if k == "max" else np.nanargmin(x)
                g[i, at] = 1 / x[at] if k == "log min" else 1.0
        return values, {self.name: g}


class Told(Numbers):
    """Numbers that a function of the columns gives: judged, never moved, since the story or `polish` meets them."""

    def __init__(self, told: Callable[[Grid], Array], aim: Any, tol: Any, cells: list[Cell]) -> None:
        super().__init__("", "value", aim, tol, cells)
        self.told, self.uses = told, frozenset()

    def values(self, v: Grid) -> Array:
        """Values at the arrays `v`."""
        return np.asarray(self.told(v), float)


def weights(printed: Any, name: str, tol: float = 0.04) -> Numbers:
    """Printed index weights in per cent; `name` is the derived array in the order of the printed indicators."""
    table = printed.indicators
    aim = table["weight_pct"].to_numpy(float)
    terms = zip(table["indicator_zh"], aim, strict=True)
    return Numbers(name, "value", aim, tol, [Cell("weights", "", str(k), "weight", w) for k, w in terms])


def paths(
    columns: Grid, names: Sequence[str], periods: int, tol: float = 0.1, flatten: float = 1.0
) -> list[Numbers]:
    """Yearly paths stay as the story drew them: a free direction would be used."""
    out = [Numbers(k, "path", np.zeros(periods), tol, [], periods) for k in names]
    own = {"se": tol, "tier": "own", "reason": "the story's yearly path"}
    for row in out:
        row.aim = flatten * row.values(columns)
        row.cells = [Cell("own", "path", f"{row.name} {t}", "own", a, **own) for t, a in enumerate(row.aim)]
    return out
