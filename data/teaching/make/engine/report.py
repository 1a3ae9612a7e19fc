"""Verdicts: every cell estimated again from the file's columns by the field's libraries, never by the engine's estimator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from regionbook.papers.declare import SPATIAL, Column
from regionbook.papers.estimation import estimate

from .paper import Grid, Paper, frame
from .rows import Numbers, Regression, Rows
from .targets import Cell

LEVELS = (0.10, 0.05, 0.01)
COEFFICIENT, ERROR, R2, WEIGHT, MOMENT = 2.0, 0.25, 0.05, 0.5, 0.10
"""The contract: within two printed errors; errors within 25 %; R2 within .05; weights within half a point and 25 % of
themselves; means and standard deviations within 10 %."""
HEAD = ["table", "column", "term", "kind", "tier", "status", "printed", "reached", "printed_se", "reached_se", "gap", "verdict", "note"]  # fmt: skip


def _estimates(column: Column, data: pd.DataFrame, paper: Paper) -> pd.DataFrame:
    """Estimates by printed term, with N and R2; logs are computed first, so that every library reads them."""
    logs = {f"log_{k}": np.log(data[k]) for k in re.findall(r"\blog\((\w+)\)", column.formula)}
    plain = replace(column, formula=re.sub(r"\blog\((\w+)\)", r"log_\1", column.formula))
    prepared = data.assign(**logs).set_index(list(paper.index))
    weights = paper.weights(prepared) if paper.weights and column.estimator in SPATIAL else None
    return estimate(plain, prepared, weights).set_index("term")


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
    good = {
        "coefficient": gap <= COEFFICIENT if cell.se > 0 else abs(b - cell.printed) <= 2 * cell.half,
        "stars": stars == cell.stars and np.sign(b) == np.sign(cell.printed),
        "error": cell.se_free or not cell.se > 0 or abs(se / cell.se - 1) <= ERROR + cell.half_se,
    }
    asked = ["coefficient"] if cell.tier == "cheap" else list(good)
    why = ", ".join(word for word in asked if not good[word])
    return {
        "reached": b,
        "reached_se": se,
        "gap": gap,
        "met": not why,
        "why": why,
        "same_stars": good["stars"],
    }


def _numbers(row: Numbers, v: Grid) -> list[dict[str, Any]]:
    """The same for moments, weights and paths."""
    out = []
    for cell, aim, tol, reached in zip(row.cells, row.aim, row.tol, row.values(v), strict=True):
        gap, allowed = float(reached - aim), 3 * tol
        if cell.kind == "weight":
            allowed = min(WEIGHT, ERROR * abs(aim)) + cell.half
        elif cell.kind in ("mean", "sd"):
            allowed = MOMENT * abs(aim)
        out.append({"cell": cell, "reached": float(reached), "gap": gap, "met": abs(gap) <= allowed})
    return out


def verdicts(paper: Paper, data: pd.DataFrame, cells: Sequence[Cell], own: Sequence[Rows]) -> pd.DataFrame:
    """One row a printed cell or row of `own`, from `data`, which holds what the tables name, computed from the file.

    Columns: table, column, term, kind, tier (binding, cheap, free, own), status (imposed, free, count), printed, reached,
    printed_se, reached_se, gap (coefficients: printed errors; else a difference), verdict ("met", "missed"), note,
    same_stars, half, half_se.
    """
    found: list[dict[str, Any]] = []
    groups = [(c, [k for k in cells if (k.table, k.column) == c.key]) for c in paper.tables]
    groups += [(row.column, row.cells) for row in own if isinstance(row, Regression)]
    for column, here in groups:
        estimates = _estimates(column, data, paper)
        found += [{"cell": c} | _judge(c, estimates) for c in here]
    levels = [data[paper.index[0]].unique(), np.sort(data[paper.index[1]].unique())]
    every = pd.MultiIndex.from_product(levels, names=paper.index)  # absent cells too, in unit-major order
    whole = data.set_index(list(paper.index)).reindex(every).reset_index()
    v = {k: whole[k].to_numpy() for k in whole}
    computed = v | (paper.computed(v) if any(r.uses - set(v) for r in own) else {})
    for row in own:
        found += _numbers(row, computed) if isinstance(row, Numbers) else []
    rows = []
    for f in found:
        c = f["cell"]
        status = "count" if c.kind == "N" else "imposed" if c.imposed else "free"
        verdict = "met" if f["met"] else f"missed: {f['why']}" if f.get("why") else "missed"
        place = (c.table, c.column, c.term, c.kind, c.tier, status, c.printed, f["reached"], c.se)
        more = (f.get("reached_se", np.nan), f["gap"], verdict, c.reason, f.get("same_stars", np.nan))
        rows.append((*place, *more, c.half, c.half_se))
    return pd.DataFrame(rows, columns=[*HEAD, "same_stars", "half", "half_se"])


def broken(report: pd.DataFrame) -> pd.DataFrame:
    """Rows of the binding tier that are imposed or counted, and missed."""
    return report[(report["tier"] == "binding") & (report["status"] != "free") & (report["verdict"] != "met")]


def _share(s: pd.Series) -> float:
    return round(float(s.mean()), 3) if len(s) else np.nan


def summary(report: pd.DataFrame) -> dict[str, float]:
    """Shares of the report: coefficients within 2 and .5 printed errors, sign and stars, errors, R2, N, moments, weights."""
    of = {k: report[report["kind"] == k] for k in ("coefficient", "R2", "N", "weight")}
    b, r2, weights = of["coefficient"], of["R2"], of["weight"]
    ratio = (b["reached_se"] / b["printed_se"] - 1).abs() - b["half_se"]  # beyond rounding
    ratio = ratio[b["printed_se"] > 0]
    return {
        "coefficients": len(b),
        "all printed digits": _share((b["reached"] - b["printed"]).abs() <= 1.05 * b["half"]),
        "within 2 errors": _share(b["gap"] <= 2),
        "within .5 errors": _share(b["gap"] <= 0.5),
        "sign and stars": _share(b["same_stars"].astype(float)),
        "errors 10 %": _share(ratio <= 0.10),
        "errors 25 %": _share(ratio <= 0.25),
        "R2 .02": _share(r2["gap"].abs() <= 0.02),
        "R2 .05": _share(r2["gap"].abs() <= 0.05),
        "N": _share(of["N"]["gap"] == 0),
        "moments": _share(report.loc[report["kind"].isin(["mean", "sd"]), "verdict"] == "met"),
        "weights": _share(weights["verdict"] == "met"),
        "largest weight gap": round(float(weights["gap"].abs().max()), 3) if len(weights) else np.nan,
        "own rows": _share(report.loc[report["tier"] == "own", "verdict"] == "met"),
    }


def moved(paper: Paper, before: Grid, after: Grid) -> pd.DataFrame:
    """How far each column had to move from the story's draw, on the scale of its move: sd (root mean square), beyond_one
    (share of cells with an absolute move above one), correlation with the draw, largest_unit (a unit's share of all).
    """
    unit, rows = frame(before)[paper.index[0]].to_numpy(), []
    for name, move in paper.moves.items():
        x0, x1 = (move.scale(v[name]) for v in (before, after))
        ok = np.isfinite(x0) & np.isfinite(x1)
        z = (x1[ok] - x0[ok]) / move.unit(before[name])
        largest = pd.Series(z**2).groupby(unit[ok]).sum().max() / max((z**2).sum(), 1e-300)
        same = float(np.corrcoef(x0[ok], x1[ok])[0, 1])
        rows.append((name, np.sqrt((z**2).mean()), (np.abs(z) > 1).mean(), same, largest))
    return pd.DataFrame(rows, columns=["variable", "sd", "beyond_one", "correlation", "largest_unit"])
