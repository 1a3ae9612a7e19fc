"""Verdicts: every cell estimated again from the file's columns by the field's libraries, never by the engine's estimator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from regionbook.papers.declare import Column
from regionbook.papers.estimation import estimate

from .paper import Grid, Paper, frame
from .rows import Numbers, Regression, Rows
from .targets import Cell

LEVELS = (0.10, 0.05, 0.01)
COEFFICIENT, ERROR, R2, WEIGHT, MOMENT = 2.0, 0.25, 0.05, 0.5, 0.10
"""The contract: within two printed errors; errors within 25 %; R2 within .05; weights within half a point and 25 % of
themselves; means and standard deviations within 10 %."""
HEAD = ["table", "column", "term", "kind", "tier", "status", "printed", "reached", "printed_se", "reached_se", "gap", "verdict", "note"]  # fmt: skip


def _with_logs(column: Column, data: pd.DataFrame) -> tuple[Column, pd.DataFrame]:
    """The column with its logs as columns of their own, which every library reads."""
    logs = re.findall(r"\blog\((\w+)\)", column.formula)
    plain = replace(column, formula=re.sub(r"\blog\((\w+)\)", r"log_\1", column.formula))
    return plain, data.assign(**{f"log_{k}": np.log(data[k]) for k in logs})


def _estimates(column: Column, data: pd.DataFrame, index: tuple[str, str]) -> pd.DataFrame:
    """Estimates by printed term, with N and R2."""
    column, data = _with_logs(column, data)
    return estimate(column, data.set_index(list(index))).set_index("term")


def _judge(cell: Cell, found: pd.DataFrame) -> dict[str, Any]:
    """Reached, gap and verdict of a cell of a regression."""
    if cell.kind in ("N", "R2"):
        reached = float(found[cell.kind].iloc[0])
        gap = reached - cell.printed
        return {"reached": reached, "gap": gap, "met": gap == 0 if cell.kind == "N" else abs(gap) <= R2}
    if cell.term not in found.index:
        return {"reached": np.nan, "gap": np.nan, "met": False, "why": "the library dropped it as collinear"}
    b, se = (float(found.loc[cell.term, k]) for k in ("estimate", "std_error"))
    if cell.kind == "own":
        gap = (b - cell.printed) / cell.se
        return {"reached": b, "reached_se": se, "gap": gap, "met": abs(gap) <= COEFFICIENT}
    stars = sum(float(found.loc[cell.term, "p"]) < level for level in LEVELS)
    gap = abs(b - cell.printed) / cell.se if cell.se > 0 else np.nan
    near = gap <= COEFFICIENT if cell.se > 0 else abs(b - cell.printed) <= 2 * cell.half
    same = stars == cell.stars and np.sign(b) == np.sign(cell.printed)
    close = not cell.se > 0 or abs(se / cell.se - 1) <= ERROR + cell.half_se
    met = near and (same and close if cell.tier != "cheap" else True)
    why = ", ".join(
        word
        for word, bad in (("coefficient", not near), ("stars", not same), ("error", not close))
        if bad and not met
    )
    return {"reached": b, "reached_se": se, "gap": gap, "met": met, "why": why, "same_stars": same}


def _numbers(row: Numbers, v: Grid) -> list[dict[str, Any]]:
    """The same for moments, weights and paths."""
    out = []
    for cell, aim, tol, reached in zip(row.cells, row.aim, row.tol, row.values(v), strict=True):
        gap = float(reached - aim)
        met = abs(gap) <= 3 * tol
        if cell.kind == "weight":
            met = abs(gap) <= min(WEIGHT, ERROR * abs(aim)) + cell.half
        elif cell.kind in ("mean", "sd"):
            met = abs(gap) <= MOMENT * abs(aim)
        out.append({"cell": cell, "reached": float(reached), "gap": gap, "met": met})
    return out


def on_grid(data: pd.DataFrame, index: tuple[str, str]) -> pd.DataFrame:
    """Rows for absent cells too, in unit-major order."""
    levels = [data[index[0]].unique(), np.sort(data[index[1]].unique())]
    every = pd.MultiIndex.from_product(levels, names=index)
    return data.set_index(list(index)).reindex(every).reset_index()


def verdicts(paper: Paper, data: pd.DataFrame, cells: Sequence[Cell], own: Sequence[Rows]) -> pd.DataFrame:
    """One row a cell: printed, reached, errors, verdict.

    Parameters
    ----------
    paper
        The declaration.
    data
        What the tables name, computed from the file.
    cells
        Printed cells.
    own
        Rows that are no printed regression.

    Returns
    -------
    pandas.DataFrame
        table, column, term, kind, tier (binding, cheap, free, own), status (imposed, free), printed, reached, printed_se,
        reached_se, gap (coefficients: printed errors; else a difference), verdict ("met", "missed"), note.
    """
    found: list[dict[str, Any]] = []
    for column in paper.tables:
        here = [c for c in cells if (c.table, c.column) == column.key]
        estimates = _estimates(column, data, paper.index)
        found += [{"cell": c} | _judge(c, estimates) for c in here]
    whole = on_grid(data, paper.index)
    v = {k: whole[k].to_numpy() for k in whole}
    computed = v | (paper.computed(v) if any(r.uses - set(v) for r in own) else {})
    for row in own:
        if isinstance(row, Regression):
            estimates = _estimates(row.column, data, paper.index)
            found += [{"cell": c} | _judge(c, estimates) for c in row.cells]
        elif isinstance(row, Numbers):
            found += _numbers(row, computed)
    rows = []
    for f in found:
        c = f["cell"]
        status = "count" if c.kind == "N" else "imposed" if c.imposed else "free"
        verdict = "met" if f["met"] else f"missed: {f['why']}" if f.get("why") else "missed"
        place = (c.table, c.column, c.term, c.kind, c.tier, status)
        rows.append(
            (*place, c.printed, f["reached"], c.se, f.get("reached_se", np.nan), f["gap"], verdict, c.reason)
        )
    out = pd.DataFrame(rows, columns=HEAD)
    return out.assign(
        same_stars=[f.get("same_stars", np.nan) for f in found],
        half=[f["cell"].half for f in found],
        half_se=[f["cell"].half_se for f in found],
    )


def broken(report: pd.DataFrame) -> pd.DataFrame:
    """Rows of the binding tier that are imposed or counted, and missed."""
    return report[(report["tier"] == "binding") & (report["status"] != "free") & (report["verdict"] != "met")]


def summary(report: pd.DataFrame, controls: bool = True) -> dict[str, float]:
    """Shares of the report: coefficients within 2 and .5 printed errors, sign and stars, errors, R2, N, moments, weights."""
    b = report[(report["kind"] == "coefficient") & (controls | (report["tier"] != "cheap"))]
    ratio = ((b["reached_se"] / b["printed_se"] - 1).abs() - b["half_se"])[
        b["printed_se"] > 0
    ]  # beyond rounding
    r2, weights = report[report["kind"] == "R2"], report[report["kind"] == "weight"]
    moments = report[report["kind"].isin(["mean", "sd"])]
    share = lambda s: round(float(s.mean()), 3) if len(s) else np.nan  # noqa: E731
    return {
        "coefficients": len(b),
        "all printed digits": share((b["reached"] - b["printed"]).abs() <= 1.05 * b["half"]),
        "within 2 errors": share(b["gap"] <= 2),
        "within .5 errors": share(b["gap"] <= 0.5),
        "sign and stars": share(b["same_stars"].astype(float)),
        "errors 10 %": share(ratio <= 0.10),
        "errors 25 %": share(ratio <= 0.25),
        "R2 .02": share(r2["gap"].abs() <= 0.02),
        "R2 .05": share(r2["gap"].abs() <= 0.05),
        "N": share(report.loc[report["kind"] == "N", "gap"] == 0),
        "moments": share(moments["verdict"] == "met"),
        "weights": share(weights["verdict"] == "met"),
        "largest weight gap": round(float(weights["gap"].abs().max()), 3) if len(weights) else np.nan,
        "own rows": share(report.loc[report["tier"] == "own", "verdict"] == "met"),
    }


def moved(paper: Paper, before: Grid, after: Grid) -> pd.DataFrame:
    """How far each column had to move from the story's draw, on the scale of its move.

    Returns
    -------
    pandas.DataFrame
        sd (root mean square of the move), beyond_one (share of cells with an absolute move above one), correlation with
        the draw on the same scale, largest_unit (share of the sum of squares that one unit takes).
    """
    unit = frame(before)[paper.index[0]].to_numpy()
    rows = []
    for name, move in paper.moves.items():
        x0, x1 = (_scale(move, np.asarray(v[name], float)) for v in (before, after))
        ok = np.isfinite(x0) & np.isfinite(x1)
        z = x1[ok] - x0[ok]
        total = pd.Series(z**2).groupby(unit[ok]).sum()
        same = float(np.corrcoef(x0[ok], x1[ok])[0, 1])
        rows.append(
            (
                name,
                np.sqrt((z**2).mean()),
                (np.abs(z) > 1).mean(),
                same,
                total.max() / max(total.sum(), 1e-300),
            )
        )
    return pd.DataFrame(rows, columns=["variable", "sd", "beyond_one", "correlation", "largest_unit"])


def _scale(move: Any, x: np.ndarray) -> np.ndarray:
    if np.isinf(move.lower):
        return x / np.nanstd(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(x - move.lower) - (0.0 if np.isinf(move.upper) else np.log(move.upper - x))
    return np.where(np.isfinite(y), y, np.nan)
