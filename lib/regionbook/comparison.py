"""Printed numbers beside our own, with a verdict for each, and the scorecard over all lessons."""

from __future__ import annotations

import json as json_
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.data import Published, decimals, each, papers, published
from regionbook.paths import ROOT, data_file
from regionbook.tables import model_estimates, stars

MIME = "application/vnd.regionbook.compare+json"
STATUSES = ("reproduced", "differs", "paper_inconsistent", "not_attempted")
ON_ONE_LINE = 124
"""Characters of a row that a laptop screen of 1366 pixels shows beside the list of files."""
MARKS = {"reproduced": "✓", "differs": "✗", "paper_inconsistent": "‡", "not_attempted": "·"}
_TINTS = {
    "reproduced": "background:#e3eefa;color:#111",
    "differs": "background:#ffe8cc;color:#111",
    "paper_inconsistent": "background:#ececec;color:#111",
    "not_attempted": "",
}
_KEY = ["table", "column", "term"]
_PRINTED_TABLE = re.compile(r"^(?:Table )?(\d+(?:-table\d+)?)(?::.*)?$")
_STATISTICS = ["n", "mean", "sd", "min", "max"]


# ---------------------------------------------------------------------------------------------------
# The printed numbers of a paper, one row a number
# ---------------------------------------------------------------------------------------------------


def _indicator_cells(p: Published) -> pd.DataFrame:
    rows = p.indicators[p.indicators["weight_pct_text"].ne("")]
    table = rows["note"].str.extract(r"Table (\d+)", expand=False).fillna(p.citation["indicator_table"])
    several = rows["period"].nunique() > 1
    term = rows["indicator_en"]
    for part in ("subdimension", "dimension", "index"):  # totals of dimensions have no indicator
        term = term.mask(term.eq(""), rows[part])
    column = "weight_pct" + ((" " + rows["period"]) if several else "")
    cells = pd.DataFrame(
        {"table": table, "column": column, "term": term, "printed_text": rows["weight_pct_text"]}
    )
    return cells.assign(file="indicators", rule="weight")


def _other_cells(p: Published) -> pd.DataFrame:
    table = p.other["table"].str.extract(_PRINTED_TABLE, expand=False)
    rows = p.other[table.notna() & p.other["value"].notna()]
    cells = pd.DataFrame(
        {
            "table": table[rows.index],
            "column": rows["column"],
            "term": rows["row"],
            "printed_text": rows["value_text"],
        }
    )
    rule = rows["column"].map(lambda c: "weight" if c.startswith("weight_pct") else "tenth")
    again = cells.groupby(_KEY, sort=False).cumcount()
    cells["term"] = cells["term"] + again.map({0: ""}).fillna(" #" + (again + 1).astype(str))
    return cells.assign(file="other", rule=rule)


def _fit_rule(stat: str) -> str:
    name = stat.lower().replace("_", " ")
    if name in ("n", "units"):
        return "exact"
    if "critical value" in name:
        return "digits"
    if "r2" in name.split() or name.endswith(" r2"):
        return "r2"
    if name.startswith(("kp ", "kleibergen")):
        return "factor2"
    return "tenth"


@cache
def _cells(slug: str) -> pd.DataFrame:
    p = published(slug)
    e = p.estimates[p.estimates["estimate_text"].ne("")]
    f = p.fit[p.fit["value"].notna()]
    d = p.descriptives
    parts = [
        e.assign(file="estimates", rule="estimate").rename(
            columns={"estimate_text": "printed_text", "paren_text": "paren_text_"}
        ),
        f.assign(
            file="fit",
            rule=f["stat"].map(_fit_rule),
            paren_kind=f["p_value_text"].ne("").map({True: "p", False: ""}),
        ).rename(columns={"stat": "term", "value_text": "printed_text", "p_value_text": "paren_text_"}),
    ]
    for s in _STATISTICS:
        part = d[d[f"{s}_text"].ne("")]
        rule = {"n": "exact", "mean": "tenth", "sd": "tenth"}.get(s, "extreme")
        parts.append(
            part.assign(file="descriptives", rule=rule, column=s).rename(
                columns={"variable": "term", f"{s}_text": "printed_text"}
            )[["table", "column", "term", "printed_text", "file", "rule", "min", "max"]]
        )
    parts += [_indicator_cells(p), _other_cells(p)]
    wanted = [
        "file",
        "table",
        "panel",
        "column",
        "term",
        "printed_text",
        "paren_text_",
        "paren_kind",
        "stars",
        "rule",
    ]
    cells = pd.concat([c.reindex(columns=[*wanted, "min", "max"]) for c in parts], ignore_index=True)
    cells = cells.rename(columns={"paren_text_": "paren_text"})
    for c in ("panel", "paren_text", "paren_kind", "stars"):
        cells[c] = cells[c].fillna("").astype(str)
    both = cells.duplicated([*_KEY, "panel"]) & cells["file"].eq("fit")  # a statistic named like a regressor
    cells.loc[both, "term"] += " (statistic)"
    clash = cells.duplicated(_KEY, keep=False) & cells["panel"].ne("")
    cells.loc[clash, "column"] = cells.loc[clash, "panel"] + ": " + cells.loc[clash, "column"]
    if cells.duplicated(_KEY).any():
        raise ValueError(
            f"{slug}: printed numbers without a name of their own: {cells[cells.duplicated(_KEY)][_KEY]}"
        )
    cells["printed"] = cells["printed_text"].astype(float)
    cells["printed_paren"] = pd.to_numeric(cells["paren_text"])
    listed = p.inconsistent.set_index(["file", *_KEY])["reason"]
    index = pd.MultiIndex.from_frame(cells[["file", *_KEY]])
    stray = listed.index.difference(index)
    if len(stray):
        raise ValueError(f"{slug}/inconsistent.csv names numbers that are not printed: {list(stray)}")
    cells["inconsistent"] = listed.reindex(index).fillna("").to_numpy()
    return cells


def printed_cells(slug: str) -> pd.DataFrame:
    """Return every number of the printed tables of a paper: one row a number.

    Returns
    -------
    pandas.DataFrame
        file, table, panel, column, term, printed and printed_paren (floats, and as text), paren_kind, stars,
        rule (how a reproduction is judged), inconsistent (why the paper contradicts this number, or empty).

    Examples
    --------
    >>> cells = printed_cells("city-innovation")
    >>> cells.query("table == '4' and column == '2'")["term"].tolist()
    ['digit', '_cons', 'N', 'R2']
    """
    return _cells(slug).copy()


# ---------------------------------------------------------------------------------------------------
# Verdicts
# ---------------------------------------------------------------------------------------------------


def _printed_se(cell: Any) -> float:
    """Standard error behind the bracket: itself, or |estimate / t|, or from the p value."""
    value, paren = cell.printed, cell.printed_paren
    if cell.paren_kind == "se":
        return paren
    if cell.paren_kind in ("t", "z") and paren != 0:
        return abs(value / paren)
    if cell.paren_kind == "p" and 0 < paren < 1:
        from scipy.special import ndtri

        return abs(value) / float(-ndtri(paren / 2))
    return math.nan


def _judge(cell: Any, own: float, own_p: float) -> dict[str, Any]:
    """Sign, stars, distance, and what follows: reproduced or differs, with the reason."""
    out: dict[str, Any] = {"sign_ok": None, "stars_ok": None, "within_2se": None}
    printed = cell.printed
    if not math.isfinite(own):
        return {**out, "status": "differs", "reason": "our value is not a finite number"}
    if cell.rule == "estimate":
        out["sign_ok"] = printed == 0 or (own > 0) == (printed > 0)
        out["stars_ok"] = stars(own_p) == cell.stars
        se = _printed_se(cell)
        near = abs(own - printed) <= 0.1 * abs(printed)
        faults = [] if out["sign_ok"] else ["other sign"]
        if not out["stars_ok"]:
            faults.append(f"{stars(own_p) or 'no stars'} against {cell.stars or 'none'}")
        if math.isfinite(se) and se > 0:
            away = abs(own - printed) / se
            near = out["within_2se"] = bool(away <= 2)
            if not near:
                faults.append(f"{away:.2f} printed standard errors away")
        elif not near:
            faults.append("more than 10 % away")
        return {**out, "status": "reproduced" if not faults else "differs", "reason": "; ".join(faults)}
    half = 0.5 * 10.0 ** -decimals(cell.printed_text) * (1 + 1e-9)
    tenth = abs(own - printed) <= max(0.1 * abs(printed), half)
    ok, limit = {
        "exact": (own == printed, "exactly equal"),
        "digits": (abs(own - printed) <= half, "equal to the printed digits"),
        "r2": (abs(own - printed) <= 0.05, "within 0.05"),
        "factor2": (printed / 2 <= own <= printed * 2, "within a factor of 2"),
        "weight": (abs(own - printed) <= 0.5, "within 0.5 points"),
        "tenth": (tenth, "within 10 %"),
        "extreme": (tenth or cell.min <= own <= cell.max, "inside the printed range or within 10 %"),
    }[cell.rule]
    return {**out, "status": "reproduced" if ok else "differs", "reason": "" if ok else f"not {limit}"}


def _shown(value: float, digits: int) -> str:
    return "" if not math.isfinite(value) else f"{value:,.{digits}f}"


def _significant(value: float) -> float | None:
    """Six significant digits: what is recorded must not depend on the machine."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


# ---------------------------------------------------------------------------------------------------
# compare
# ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Printed and own numbers of one table; shown by a notebook, which thereby records them.

    Attributes
    ----------
    slug, table : str
    cells : pandas.DataFrame
        One row a number: column, term, printed, printed_paren, own, own_paren, sign_ok, stars_ok, within_2se,
        status, reason, and the texts that are shown.
    """

    slug: str
    table: str
    cells: pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """How many numbers have which verdict."""
        n = self.cells["status"].value_counts()
        return {s: int(n.get(s, 0)) for s in STATUSES}

    @property
    def records(self) -> list[dict[str, Any]]:
        """What the scorecard reads: one entry a number that was attempted."""
        tried = self.cells[self.cells["own"].notna()]
        return [
            {
                "slug": self.slug,
                "table": c.table,
                "column": c.column,
                "term": c.term,
                "printed": c.printed,
                "printed_paren": _significant(c.printed_paren),
                "own": _significant(c.own),
                "own_paren": _significant(c.own_paren),
                "sign_ok": c.sign_ok,
                "stars_ok": c.stars_ok,
                "within_2se": c.within_2se,
                "status": c.status,
                "reason": c.reason,
            }
            for c in each(tried)
        ]

    def _caption(self) -> str:
        parts = [f"{n} {s.replace('_', ' ')} {MARKS[s]}" for s, n in self.counts.items() if n]
        return f"Table {self.table}, printed above, ours below: " + ", ".join(parts)

    def __repr__(self) -> str:
        rows = self.cells[["column", "term", "printed_shown", "own_shown", "status", "reason"]]
        rows = rows.assign(status=rows["status"].map(MARKS))
        text = rows.to_string(
            index=False, header=["column", "term", "printed", "ours", "", "why"], justify="left"
        )
        return f"{self._caption()}\n{text}"

    def _characters(self) -> int:
        """Width of the table with everything of a number on one line."""
        widths = self.cells[["printed_shown", "own_shown"]].map(lambda shown: len(shown or "")).max(axis=1)
        columns = widths.groupby(self.cells["column"]).max() + 4  # the mark, and space between columns
        return int(columns.sum()) + max(map(len, self.cells["term"]))

    def _repr_html_(self) -> str:
        columns, terms = list(dict.fromkeys(self.cells["column"])), list(dict.fromkeys(self.cells["term"]))
        by_place = {(c.term, c.column): c for c in each(self.cells)}
        pad, brackets = "8px", " ("
        if self._characters() > ON_ONE_LINE:  # brackets below, so that a small screen shows every column
            pad, brackets = "4px;font-size:90%", "<br>("
        style = f"padding:2px {pad};text-align:right;white-space:nowrap;line-height:1.35"
        head = "".join(
            f'<th style="{style};border-bottom:1px solid">'
            f"{f'({c})' if c.isdigit() else escape(c.removeprefix('weight_pct '))}</th>"
            for c in columns
        )
        body = []
        for term in terms:
            row = f'<th style="padding:2px 8px;text-align:left;font-weight:normal">{escape(term)}</th>'
            for column in columns:
                cell = by_place.get((term, column))
                if cell is None:
                    row += "<td></td>"
                    continue
                why = f' title="{escape(cell.reason)}"' if cell.reason else ""
                row += (
                    f'<td style="{style};{_TINTS[cell.status]}"{why}>{cell.printed_shown.replace(" (", brackets)}'
                    f"<br><b>{(cell.own_shown or '—').replace(' (', brackets)}</b> {MARKS[cell.status]}</td>"
                )
            body.append(f"<tr>{row}</tr>")
        told = [c for c in each(self.cells) if c.status in ("differs", "paper_inconsistent") and c.reason]
        notes = "".join(
            f"<li>{MARKS[c.status]} ({escape(c.column)}) {escape(c.term)}: {escape(c.reason)}</li>"
            for c in told
        )
        notes = f'<ul style="font-size:90%;margin:.3em 0">{notes}</ul>' if notes else ""
        return (
            f"<p>{escape(self._caption())}</p>"
            f'<table style="border-collapse:collapse"><thead><tr><th></th>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table>{notes}"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), MIME: self.records}


def _table_cells(slug: str, table: str) -> pd.DataFrame:
    cells = _cells(slug)
    here = cells[cells["table"].eq(table)]
    if here.empty:
        there = sorted(
            set(cells["table"]), key=lambda t: [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", t)]
        )
        raise ValueError(f"{slug} has no table {table!r}; its tables are {', '.join(there) or 'none'}.")
    return here


def _own_of_model(model: Any, names: Mapping[str, str]) -> dict[str, tuple[float, float, float]]:
    """Term -> (estimate, standard error, p value); N and fit statistics have a bare value."""
    if isinstance(model, Mapping):
        from scipy.special import ndtr

        out = {}
        for term, value in model.items():
            if not isinstance(value, tuple | list) or len(value) not in (2, 3):
                raise ValueError(f"{term!r}: give (estimate, standard error) or (…, p value), not {value!r}.")
            b, se = float(value[0]), float(value[1])
            p = float(value[2]) if len(value) == 3 else float(2 * ndtr(-abs(b / se)))
            out[names.get(term, term)] = (b, se, p)
        return out
    m = model_estimates(model)
    out = {
        names.get(t, t): (r.estimate, r.se, r.p) for t, r in zip(m.frame.index, each(m.frame), strict=True)
    }
    return {**out, "N": (m.nobs, math.nan, math.nan)}


def _own_of_models(
    own: Mapping[Any, Any],
    columns: Mapping[str, str],
    names: Mapping[str, str],
    cells: pd.DataFrame,
    place: str,
) -> dict[tuple[str, str], tuple[float, float, float]]:
    printed = list(dict.fromkeys(cells["column"]))
    numbers = {}
    for key, model in own.items():
        column = str(columns.get(str(key), str(key)))
        if column not in printed:
            raise ValueError(f"{place} has no column {column!r}; its columns are {', '.join(printed)}.")
        for term, value in _own_of_model(model, names).items():
            numbers[column, term] = value
    return numbers


def _own_of_frame(
    own: pd.DataFrame, names: Mapping[str, str], cells: pd.DataFrame, place: str
) -> dict[tuple[str, str], tuple[float, float, float]]:
    own = own.rename(columns={"count": "n", "N": "n", "std": "sd"})
    periods = cells.loc[cells["file"].eq("indicators"), "column"].unique().tolist()
    expected = periods if len(periods) > 1 else _STATISTICS
    known = [c for c in own.columns if c in expected]
    if not known:
        raise ValueError(f"{place}: the frame has columns {list(own.columns)}, expected some of {expected}.")
    numbers = own[known].astype(float)
    there = set(zip(cells["column"], cells["term"], strict=True))
    pairs = {
        (str(c), names.get(str(v), str(v))): value
        for c in known
        for v, value in zip(own.index, numbers[c].tolist(), strict=True)
    }  # an empty cell of the frame stands for an empty cell of the table
    return {k: (b, math.nan, math.nan) for k, b in pairs.items() if k in there or not math.isnan(b)}


def _own_of_weights(
    slug: str, own: pd.Series, names: Mapping[str, str], cells: pd.DataFrame, place: str
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Weights by symbol -> printed indicators, and their sums by dimension where these are printed."""
    weights = cells[cells["file"].eq("indicators")]
    columns = list(dict.fromkeys(weights["column"]))
    if len(columns) != 1:
        raise ValueError(
            f"{place} prints weights of {len(columns)} periods: give a frame with columns {columns}."
        )
    printed_sum, own_sum = weights["printed"].sum(), float(own.sum())
    if abs(own_sum - printed_sum) > 0.2 * printed_sum:
        raise ValueError(
            f"{place}: your weights add to {own_sum:.4g}, the printed ones to {printed_sum:.4g}: "
            "give them on the same scale (per cent: multiply by 100)."
        )
    symbols = pd.read_csv(data_file("published", "symbols.csv")).query("slug == @slug")
    names = {**dict(zip(symbols["symbol"], symbols["indicator_en"], strict=True)), **names}
    by_term = {names.get(str(k), str(k)): float(v) for k, v in own.items()}
    numbers = {(columns[0], term): (v, math.nan, math.nan) for term, v in by_term.items()}
    indicators = published(slug).indicators
    totals = indicators["indicator_en"].map(by_term).groupby(indicators["dimension"]).sum(min_count=1)
    for total in each(cells[cells["file"].eq("other") & cells["rule"].eq("weight")]):
        part = [v for d, v in totals.items() if str(d).startswith(total.term)]
        if len(part) == 1:
            numbers[total.column, total.term] = (float(part[0]), math.nan, math.nan)
    return numbers


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
    cells = _table_cells(slug, table)
    if isinstance(own, pd.DataFrame):
        numbers = _own_of_frame(own, names, cells, place)
    elif isinstance(own, pd.Series):
        numbers = _own_of_weights(slug, own, names, cells, place)
    elif isinstance(own, Mapping):
        numbers = _own_of_models(own, columns, names, cells, place)
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
        row = {k: getattr(cell, k) for k in ("file", *_KEY, "printed", "printed_paren")}
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
            verdict = _judge(cell, b, p)
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


# ---------------------------------------------------------------------------------------------------
# Scorecard
# ---------------------------------------------------------------------------------------------------


def recorded(chapters: Path | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Return what the stored lessons recorded: (notebook, entry), in the order of the notebooks."""
    chapters = chapters or ROOT / "chapters"
    found = []
    for path in sorted(chapters.glob("*/*.ipynb")):
        notebook = json_.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                found += [(path.name, entry) for entry in output.get("data", {}).get(MIME, [])]
    return found


def scorecard(json: bool = False, *, chapters: Path | None = None) -> Any:
    """Count over all papers which printed numbers the lessons reproduce.

    Computed only from what `compare` recorded in the stored notebooks below ``chapters``.

    Parameters
    ----------
    json
        Return ``{"papers": {slug: counts}, "cells": [...]}`` in place of the table of counts.
    chapters
        Another folder of lessons.

    Returns
    -------
    pandas.DataFrame or dict
        One row a paper: printed, reproduced, differs, paper_inconsistent, not_attempted.

    Raises
    ------
    ValueError
        Two lessons record different numbers for one printed number, or one that is not printed.
    """
    own: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}
    for notebook, entry in recorded(chapters):
        key = (entry["slug"], entry["table"], entry["column"], entry["term"])
        before = own.setdefault(key, (notebook, entry))
        if before[1]["own"] != entry["own"] or before[1]["status"] != entry["status"]:
            raise ValueError(
                f"{', '.join(key)} is recorded as {before[1]['own']} ({before[1]['status']}) in {before[0]} and "
                f"as {entry['own']} ({entry['status']}) in {notebook}: compare each printed number once."
            )
    entries = []
    for slug in papers().index:
        for c in each(_cells(slug)):
            found = own.pop((slug, c.table, c.column, c.term), None)
            if found is not None:
                entry = found[1]
                if entry["printed"] != c.printed:
                    raise ValueError(
                        f"{slug}, Table {c.table}, {c.column}, {c.term}: the lesson is older than the data."
                    )
            else:
                status = "paper_inconsistent" if c.inconsistent else "not_attempted"
                entry = {
                    "slug": slug, "table": c.table, "column": c.column, "term": c.term, "printed": c.printed,
                    "printed_paren": _significant(c.printed_paren), "own": None, "own_paren": None,
                    "sign_ok": None, "stars_ok": None, "within_2se": None, "status": status,
                    "reason": c.inconsistent,
                }  # fmt: skip
            entries.append(entry)
    if own:
        place, (notebook, _) = next(iter(own.items()))
        raise ValueError(
            f"{notebook} records {', '.join(place)}, which is no printed number: run the lesson again."
        )
    cells = pd.DataFrame(entries)
    counts = pd.crosstab(cells["slug"], cells["status"]).reindex(papers().index, fill_value=0)
    counts = counts.reindex(columns=list(STATUSES), fill_value=0)
    counts.insert(0, "printed", counts.sum(axis=1))
    if not json:
        return counts.rename_axis(index="paper", columns=None)
    return {
        "papers": {str(s): {k: int(v) for k, v in row.items()} for s, row in counts.iterrows()},
        "cells": entries,
    }
