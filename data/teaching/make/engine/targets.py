"""Printed numbers as cells of a contract: tier, imposed or free, tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .paper import Paper

CRITICAL = (1.645, 1.960, 2.576)
B_TOL, SE_TOL, R2_TOL, CONS_TOL = 0.08, 0.03, 0.05, 0.25
"""Aimed at: coefficients to 0.08 printed errors, errors to 3 %, 1 - R2 to 5 %, constants to a quarter of their error."""
CHEAP = 2.5
"""Tolerances of the cheap tier are wider by this."""
ROWS = ("ols", "poisson")
"""Estimators that the engine can impose."""


@dataclass(frozen=True)
class Cell:
    """One printed number, or one that we add (kind "own").

    `aim` is what the engine goes for (the print, unless `Paper.aims` says otherwise), `half` half a unit of the last
    printed digit, `half_se` what rounding leaves open of the standard error, relatively.
    """

    table: str
    column: str
    term: str
    kind: str  # coefficient, constant, R2, N, mean, sd, min, max, weight, own
    printed: float
    se: float = np.nan
    stars: int = 0
    half: float = 0.0
    half_se: float = 0.0
    tier: str = "binding"
    imposed: bool = True
    se_free: bool = False
    reason: str = ""
    aim: float = np.nan

    def __post_init__(self) -> None:
        if np.isnan(self.aim):
            object.__setattr__(self, "aim", self.printed)

    @property
    def guard(self) -> float:
        """Distance of the printed t to the next critical value, in standard errors: stars are lost beyond it."""
        return min(abs(abs(self.printed / self.se) - c) for c in CRITICAL) if self.se > 0 else np.inf

    def tolerances(self) -> tuple[float, float]:
        """Tolerance of the coefficient, and of the log of its error; tighter where a star is near its edge."""
        wide = 1.0 if self.tier == "binding" else CHEAP
        if not self.se > 0:
            return max(0.01 * abs(self.printed), 0.3 * self.half) * wide, np.inf
        near = max(0.15 * self.guard, 1e-3) if self.tier == "binding" else np.inf
        b = min(max(B_TOL * self.se, 0.3 * self.half) * wide, near * self.se)
        return b, min(max(SE_TOL, 0.3 * self.half_se) * wide, near / max(abs(self.printed / self.se), 1.0))


def half_unit(text: str) -> float:
    """Half a unit of the last printed digit.

    Examples
    --------
    >>> half_unit("0.140"), half_unit("5479")
    (0.0005, 0.5)
    """
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


def _lookup(free: Mapping[tuple[str, ...], str], *place: str) -> str:
    """Reason why a place is free, by its longest declared beginning; empty if it is not."""
    return next((free[place[:n]] for n in range(len(place), 0, -1) if place[:n] in free), "")


def _error(row: Any) -> tuple[float, float]:
    """Printed standard error, and its half unit relatively; missing where brackets hold a p value or nothing."""
    p, b = abs(row.paren), abs(row.estimate)
    if not p > 0 or row.paren_kind not in ("se", "t", "z") or (row.paren_kind != "se" and b == 0):
        return np.nan, 0.0
    if row.paren_kind == "se":
        return p, half_unit(row.paren_text) / p
    return b / p, half_unit(row.paren_text) / p + half_unit(row.estimate_text) / b


def cells(paper: Paper, printed: Any) -> list[Cell]:
    """Cells of the declared tables; `printed` is as `regionbook.published` gives it.

    Raises
    ------
    KeyError
        If a declared column has no printed coefficient, or a place in `Paper.free` or `Paper.aims` no declared column.
    """
    columns, out = {c.key: c for c in paper.tables}, []
    wrong = {(r.table, r.column, r.term): r.reason for r in printed.inconsistent.itertuples()}
    for place in (*paper.free, *paper.aims):
        if not any(key[: len(place)] == place[:2] for key in columns):
            raise KeyError(f"{paper.slug}: free or aims names {place}, which is no declared column")

    def status(key: tuple[str, str], term: str) -> tuple[bool, str]:
        reason = _lookup(paper.free, *key, term) or wrong.get((*key, term), "")
        if not reason and columns[key].estimator not in ROWS and key not in paper.polished:
            reason = f"the engine has no rows for the estimator {columns[key].estimator}"
        if not reason and columns[key].weights:
            reason = "the engine has no rows for weighted columns"
        return not reason, reason

    for r in printed.estimates.itertuples():
        key = (r.table, r.column)
        if key not in columns or r.term not in columns[key].coefficients or np.isnan(r.estimate):
            continue
        aimed, reason = status(key, r.term)
        kind = "constant" if r.term == "_cons" else "coefficient"
        if aimed and kind == "constant" and key not in paper.constants:
            aimed, reason = False, "constants are not aimed at"
        tier = "cheap" if kind == "constant" or r.term in paper.controls else "binding"
        tier = tier if aimed or kind == "constant" else "free"
        aim, beside = paper.aims.get((*key, r.term), (r.estimate, ""))
        error_free = paper.free.get((*key, r.term, "std_error"), "") if aimed else ""
        notes = [reason, beside, error_free and f"standard error free: {error_free}"]
        se, half_se = _error(r)
        head = (*key, r.term, kind, r.estimate, se, len(r.stars), half_unit(r.estimate_text), half_se)
        out.append(Cell(*head, tier, aimed, bool(error_free), "; ".join(filter(None, notes)), aim))
    missing = set(columns) - {(c.table, c.column) for c in out}
    if missing:
        raise KeyError(f"{paper.slug}: no coefficient is printed for {sorted(missing)}")
    for r in printed.fit.itertuples():
        key = (r.table, r.column)
        if key not in columns or r.stat not in ("N", "R2") or np.isnan(r.value):
            continue
        if r.stat == "N":
            out.append(Cell(*key, "N", "N", r.value, half=0.5, imposed=False, reason="a count of the story"))
        elif columns[key].r2 != "none":
            aimed, reason = status(key, "R2")
            more = {"tier": "cheap" if aimed else "free", "imposed": aimed, "reason": reason}
            out.append(Cell(*key, "R2", "R2", r.value, half=half_unit(r.value_text), **more))
    return out
