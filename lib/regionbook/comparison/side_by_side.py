"""`compare`: a printed table and our own numbers, with a verdict for each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from regionbook.comparison.own import of_frame, of_models, of_weights
from regionbook.comparison.printed import KEY, table_cells
from regionbook.comparison.table import Comparison
from regionbook.comparison.verdicts import judge
from regionbook.data import decimals, each
from regionbook.tables import stars


def _shown(value: float, digits: int) -> str:
    return "" if not math.isfinite(value) else f"{value:,.{digits}f}"


def compare(
    slug: str,
    table: str | int,
    own: Mapping[Any, Any] | pd.DataFrame | pd.Series,
    *,
    columns: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    fit: Mapping[Any, Mapping[str, Any]] | None = None,
    notes: Mapping[Any, str] | None = None,
) -> Comparison:
    r"""Put a printed table and your own numbers side by side, with a verdict for each number.

    A coefficient is **reproduced** if it has the printed sign and stars (10/5/1 %) and lies within two printed
    standard errors; :math:`R^2` within 0.05; N exactly; means and standard deviations within 10 %; extremes
    inside the printed range or within 10 %; weights within 0.5 points; Kleibergen–Paap statistics within a
    factor of 2; critical values to the printed digits; anything else within 10 %. Otherwise it **differs**.
    A number that the paper itself contradicts is **paper inconsistent**, whatever ours is.

    Parameters
    ----------
    slug, table
        Paper and number of the table.
    own
        Regressions: mapping of printed column to a fitted model (linearmodels, pyfixest, statsmodels) or to
        ``{term: (estimate, standard error)}`` with an optional p value. Descriptives: a frame with one row a
        variable and columns among n, mean, sd, min, max. Index weights: a series by symbol of the data
        dictionary; sums by dimension are compared too. Weights of several periods: a frame with one row a term
        and the printed columns.
    columns
        Your key -> printed column, where the keys of ``own`` and ``fit`` are not the printed ones.
    names
        Your name of a term or variable -> printed name, e.g. ``{"I(gov / 1000)": "gov"}``.
    fit
        Printed column -> {printed statistic: value or (value, p)}; N is taken from the model.
    notes
        Why a number differs, by ``term`` or ``(column, term)``.

    Returns
    -------
    Comparison
        Shown last in a cell of a lesson it also records the numbers for the scorecard. Terms of a model that
        the paper does not print are left out.

    Raises
    ------
    ValueError
        Unknown paper, table, column, or a term named in ``names``, ``fit`` or ``notes`` that is not printed.

    Examples
    --------
    >>> import regionbook as rb
    >>> c = rb.compare("city-innovation", 7, {"1": {"digit": (0.139, 0.006), "digit:stage": (-0.034, 0.005)}})
    >>> c.counts["reproduced"], c.counts["not_attempted"]
    (2, 3)
    """
    table, names, columns, notes = str(table), names or {}, columns or {}, notes or {}
    place = f"{slug}, Table {table}"
    cells = table_cells(slug, table)
    if isinstance(own, pd.DataFrame):
        numbers = of_frame(own, names, cells, place)
    elif isinstance(own, pd.Series):
        numbers = of_weights(slug, own, names, cells, place)
    elif isinstance(own, Mapping):
        numbers = of_models(own, columns, names, cells, place)
    else:
        raise TypeError(
            f"{place}: give a mapping of columns to models, a frame or a series, not {type(own).__name__}."
        )
    strict = not isinstance(own, Mapping)  # of a model only the printed terms count; a typed name must exist
    for key, stats in (fit or {}).items():
        for stat, value in stats.items():
            v, p = value if isinstance(value, tuple | list) else (value, math.nan)
            numbers[str(columns.get(str(key), str(key))), stat] = (float(v), float(p), math.nan)

    there = set(zip(cells["column"], cells["term"], strict=True))
    fit_columns = {k: str(columns.get(str(k), str(k))) for k in (fit or {})}
    typed = {(fit_columns[k], s) for k, stats in (fit or {}).items() for s in stats}
    typed |= set(numbers) if strict else set()
    if not strict:
        typed |= {
            (str(columns.get(str(k), str(k))), names.get(str(t), str(t)))
            for k, m in own.items()
            if isinstance(m, Mapping)
            for t in m
        }
    stray = sorted(k for k in typed if k not in there)
    used = {t for _, t in numbers}
    stray += sorted(("any column", t) for t in names.values() if t not in set(cells["term"]) and t in used)
    stray += sorted(
        k if isinstance(k, tuple) else ("any column", k)
        for k in notes
        if (k not in there if isinstance(k, tuple) else k not in set(cells["term"]))
    )
    if stray:
        shown = "; ".join(f"{term!r} in {column}" for column, term in stray[:5])
        raise ValueError(
            f"{place} prints no {shown}. Its terms are {', '.join(dict.fromkeys(cells['term']))}; "
            f"its columns {', '.join(dict.fromkeys(cells['column']))}."
        )

    asked = {c for c, _ in numbers}
    if not asked:
        raise ValueError(
            f"{place}: `own` and `fit` hold no number to compare. Give a model for one of the columns "
            f"{', '.join(dict.fromkeys(cells['column']))}, for example {{{cells['column'].iloc[0]!r}: model}}."
        )
    rows = []
    for cell in each(cells[cells["column"].isin(asked)]):
        digits, paren_digits = decimals(cell.printed_text), decimals(cell.paren_text)
        row = {k: getattr(cell, k) for k in ("file", *KEY, "printed", "printed_paren")}
        bracket = f" ({cell.paren_text})" if cell.paren_text else ""
        row["printed_shown"] = f"{_shown(cell.printed, digits)}{cell.stars}{bracket}"
        number = numbers.get((cell.column, cell.term))
        if number is None:
            verdict: dict[str, Any] = {"status": "not_attempted", "reason": ""}
            row |= {"own": math.nan, "own_paren": math.nan, "own_shown": ""}
            row |= {"sign_ok": None, "stars_ok": None, "within_2se": None}
        else:
            b, se, p = number
            paren = {"t": b / se if se else math.nan, "z": b / se if se else math.nan, "p": p}.get(
                cell.paren_kind, se
            )
            if cell.rule != "estimate":
                paren = se  # the p value of a test statistic
            verdict = judge(cell, b, p)
            mark = stars(p) if cell.rule == "estimate" else ""
            shown_paren = _shown(paren, paren_digits) if cell.paren_text else ""
            row |= {"own": b, "own_paren": paren if shown_paren else math.nan}
            row["own_shown"] = f"{_shown(b, digits)}{mark}" + (f" ({shown_paren})" if shown_paren else "")
        if cell.inconsistent:
            verdict |= {"status": "paper_inconsistent", "reason": cell.inconsistent}
        note = notes.get((cell.column, cell.term)) or notes.get(cell.term)
        if note and verdict["status"] == "differs":
            verdict["reason"] = f"{verdict['reason']}. {note}" if verdict["reason"] else note
        rows.append(row | verdict)
    frame = pd.DataFrame(rows)
    flags = ["sign_ok", "stars_ok", "within_2se"]
    frame[flags] = frame[flags].astype(object).where(frame[flags].notna(), None)
    return Comparison(slug, table, frame)
