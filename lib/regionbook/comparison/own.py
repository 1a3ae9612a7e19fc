"""Our own numbers, whatever holds them, by printed column and term."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from regionbook.comparison.marks import Number
from regionbook.comparison.printed import STATISTICS
from regionbook.data import each, published
from regionbook.paths import data_file
from regionbook.tables import model_estimates

Numbers = dict[tuple[str, str], Number]
"""(Printed column, printed term) -> number of ours."""
Names = Mapping[str, str]


def _errors(model: Any) -> str:
    """Kind of standard errors, where the model tells."""
    kind = getattr(model, "_vcov_type_detail", None) or getattr(model, "cov_type", None)
    kind = kind or getattr(model, "_cov_type", None) or ""
    by = getattr(model, "_clustervar", None) if "CRV" in str(kind) else None
    return f"{kind} by {', '.join(by)}" if by else str(kind)


def of_model(model: Any, names: Names) -> dict[str, Number]:
    """Term -> number; N and fit statistics have a bare value."""
    if isinstance(model, Mapping):
        from scipy.special import ndtr

        out = {}
        for term, value in model.items():
            if not isinstance(value, tuple | list) or len(value) not in (2, 3):
                raise ValueError(f"{term!r}: give (estimate, standard error) or (…, p value), not {value!r}.")
            b, se = float(value[0]), float(value[1])
            p = float(value[2]) if len(value) == 3 else float(2 * ndtr(-abs(b / se)))
            out[names.get(term, term)] = Number(b, se, p)
        return out
    m, kind = model_estimates(model), _errors(model)
    rows = zip(m.frame.index, each(m.frame), strict=True)
    out = {names.get(t, t): Number(r.estimate, r.se, r.p, kind) for t, r in rows}
    return {**out, "N": Number(m.nobs)}


def of_models(
    own: Mapping[Any, Any], columns: Names, names: Names, cells: pd.DataFrame, place: str
) -> Numbers:
    """(Column, term) -> number of each model."""
    printed = list(dict.fromkeys(cells["column"]))
    named = {columns.get(str(key), str(key)): model for key, model in own.items()}
    for column in named:
        if column not in printed:
            raise ValueError(f"{place} has no column {column!r}; its columns are {', '.join(printed)}.")
    return {(c, term): value for c, m in named.items() for term, value in of_model(m, names).items()}


def of_declared(slug: str, wanted: Sequence[Any], panel: pd.DataFrame | None, cells: pd.DataFrame) -> Numbers:
    """(Column, term) -> number of printed columns, estimated as the paper's module declares them."""
    from regionbook.papers.estimation import declared, estimates, variables, with_further

    table = cells["table"].iloc[0]
    columns = [declared(slug, table, str(k)) for k in wanted]
    data = variables(slug) if panel is None else with_further(slug, panel)
    found = estimates(slug, data, [table], [c.column for c in columns])
    numbers: Numbers = {}
    for c in columns:
        kind = f"clustered by {', '.join(c.clusters)}" if c.clusters else str(c.errors)
        rows = found[found["column"] == c.column]
        numbers |= {(c.column, r.term): Number(r.estimate, r.std_error, r.p, kind) for r in each(rows)}
        numbers |= {(c.column, k): Number(float(rows[k].iloc[0])) for k in ("N", "R2", "adj_R2")}
    there = set(zip(cells["column"], cells["term"], strict=True))
    return {k: number for k, number in numbers.items() if k in there and not math.isnan(number.value)}


def of_frame(own: pd.DataFrame, names: Names, cells: pd.DataFrame, place: str) -> Numbers:
    """(Column, term) -> number of a frame with one row a variable or term."""
    own = own.rename(columns={"count": "n", "N": "n", "std": "sd"})
    periods = cells.loc[cells["file"].eq("indicators"), "column"].unique().tolist()
    expected = periods if len(periods) > 1 else STATISTICS
    if cells["file"].eq("other").all():  # a table that is neither regressions nor descriptives
        expected = cells["column"].unique().tolist()
    known = [c for c in own.columns if c in expected]
    if not known:
        raise ValueError(f"{place}: the frame has columns {list(own.columns)}, expected some of {expected}.")
    numbers = own[known].astype(float)
    there = set(zip(cells["column"], cells["term"], strict=True))
    cells_of = ((c, v, value) for c in known for v, value in numbers[c].items())
    pairs = {(str(c), names.get(str(v), str(v))): float(value) for c, v, value in cells_of}
    # an empty cell of the frame stands for an empty cell of the table
    return {k: Number(b) for k, b in pairs.items() if k in there or not math.isnan(b)}


def of_weights(slug: str, own: pd.Series, names: Names, cells: pd.DataFrame, place: str) -> Numbers:
    """Weights by symbol -> printed indicators, and their sums by dimension where these are printed."""
    weights = cells[cells["file"].eq("indicators")]
    columns = list(dict.fromkeys(weights["column"]))
    if len(columns) != 1:
        n = len(columns)
        raise ValueError(f"{place} prints weights of {n} periods: give a frame with columns {columns}.")
    printed_sum, own_sum = weights["printed"].sum(), float(own.sum())
    if abs(own_sum - printed_sum) > 0.2 * printed_sum:
        said = f"{place}: your weights add to {own_sum:.4g}, the printed ones to {printed_sum:.4g}:"
        raise ValueError(f"{said} give them on the same scale (per cent: multiply by 100).")
    symbols = pd.read_csv(data_file("published", "symbols.csv")).query("slug == @slug")
    names = {**dict(zip(symbols["symbol"], symbols["indicator_en"], strict=True)), **names}
    by_term = {names.get(str(k), str(k)): float(v) for k, v in own.items()}
    numbers = {(columns[0], term): Number(v) for term, v in by_term.items()}
    indicators = published(slug).indicators
    totals = indicators["indicator_en"].map(by_term).groupby(indicators["dimension"]).sum(min_count=1)
    for total in each(cells[cells["file"].eq("other") & cells["rule"].eq("weight")]):
        part = [v for d, v in totals.items() if str(d).startswith(total.term)]
        if len(part) == 1:
            numbers[total.column, total.term] = Number(float(part[0]))
    return numbers
