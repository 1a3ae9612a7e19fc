"""`compare`: a printed table and our own numbers, with a mark for each."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from regionbook.comparison.marks import FACTS, Number, judge, unjudged
from regionbook.comparison.own import of_declared, of_frame, of_models, of_weights
from regionbook.comparison.printed import KEY, cells_of, table_cells
from regionbook.comparison.table import Comparison, significant
from regionbook.data import decimals, each
from regionbook.tables import stars


def _shown(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if math.isfinite(value) else ""


def _own_row(cell: Any, own: Number) -> dict[str, Any]:
    """Our number as it is recorded and shown, with the bracket that the paper prints."""
    t = own.value / own.se if own.se else math.nan
    paren = {"t": t, "z": t, "p": own.p}.get(cell.paren_kind, own.se) if cell.rule == "estimate" else own.se
    bracket = _shown(paren, decimals(cell.paren_text)) if cell.paren_text else ""
    shown = _shown(own.value, decimals(cell.printed_text)) + (stars(own.p) if cell.rule == "estimate" else "")
    found = {"own": own.value, "own_paren": paren if bracket else math.nan, "own_se": own.se, "own_p": own.p}
    shown += f" ({bracket})" if bracket else ""
    return found | {"errors": own.errors, "source": own.source, "own_shown": shown}


def _row(cell: Any, own: Number | None, note: str) -> dict[str, Any]:
    row = {k: getattr(cell, k) for k in ("file", "rule", *KEY, "printed", "printed_paren")}
    bracket = f" ({cell.paren_text})" if cell.paren_text else ""
    row["printed_shown"] = f"{_shown(cell.printed, decimals(cell.printed_text))}{cell.stars}{bracket}"
    if own is None:
        empty = {"own_shown": "", "errors": "", "source": "", "note": ""}
        return row | dict.fromkeys(("own", "own_paren", "own_se", "own_p"), math.nan) | empty | unjudged(cell)
    exact = own._replace(**{k: significant(getattr(own, k), math.nan) for k in ("value", "se", "p")})
    verdict = judge(cell, exact)  # of the digits that are recorded, so that the scorecard finds the same
    note = note if verdict["mark"] in ("close", "differs") else ""
    verdict["reason"] = ". ".join(filter(None, (verdict["reason"], note)))
    return row | _own_row(cell, own) | {"note": note} | verdict


def side_by_side(
    slug: str,
    table: str,
    cells: pd.DataFrame,
    numbers: Mapping[tuple[str, str, str], Number],
    notes: Mapping[Any, str],
) -> Comparison:
    """Printed cells beside the numbers of ours by table, column and term."""
    rows = []
    for cell in each(cells):
        note = notes.get((cell.column, cell.term)) or notes.get(cell.term) or ""
        rows.append(_row(cell, numbers.get((cell.table, cell.column, cell.term)), note))
    frame = pd.DataFrame(rows)
    flags = list(FACTS)
    frame[flags] = frame[flags].astype(object).where(frame[flags].notna(), None)
    return Comparison(slug, table, frame)


def _refuse_strangers(place: str, cells: pd.DataFrame, named: Iterable[Any]) -> None:
    """Raise if a name, or (column, name), is not printed."""
    there = set(zip(cells["column"], cells["term"], strict=True))
    there |= {("any column", term) for term in cells["term"]}
    stray = sorted({k if isinstance(k, tuple) else ("any column", k) for k in named} - there)
    if stray:
        shown = "; ".join(f"{term!r} in {column}" for column, term in stray[:5])
        said = f"{place} prints no {shown}. Its terms are {', '.join(dict.fromkeys(cells['term']))};"
        raise ValueError(f"{said} its columns {', '.join(dict.fromkeys(cells['column']))}.")


def _typed_by_hand(own: Any, columns: Mapping[str, str], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Terms of models given as mappings: each must be printed, while a fitted model may hold more."""
    typed = ((str(k), str(t)) for k, m in own.items() if isinstance(m, Mapping) for t in m)
    return [(columns.get(k, k), names.get(t, t)) for k, t in typed]


def compare(
    slug: str,
    table: str | int,
    own: Mapping[Any, Any] | pd.DataFrame | pd.Series | list[str],
    *,
    columns: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    fit: Mapping[Any, Mapping[str, Any]] | None = None,
    notes: Mapping[Any, str] | None = None,
    calibrated: bool = True,
    panel: pd.DataFrame | None = None,
) -> Comparison:
    """Put a printed table and your own numbers side by side, with a mark for each number.

    *Free and reproduced* is a number that agrees though nothing was set to it, *imposed* one that the teaching panel was
    calibrated to. `rules` says when a number agrees and when it is close; otherwise it differs. A number that the paper
    itself contradicts is marked so, whatever ours is; terms that the paper does not print are left out. Shown last in a
    cell of a lesson the comparison also records its numbers for the scorecard.

    Parameters
    ----------
    slug, table
        Paper and number of the table.
    own
        Regressions: mapping of printed column to a fitted model (linearmodels, pyfixest, statsmodels) or to
        ``{term: (estimate, standard error)}`` with an optional p value. Descriptives: a frame with one row a
        variable and columns among n, mean, sd, min, max. Index weights: a series by symbol of the data
        dictionary; sums by dimension are compared too. Weights of several periods: a frame with one row a term
        and the printed columns. Any other printed table (of indices of change): a frame with its rows and columns.
        Columns whose like you have estimated in the open: a list of their printed names; they are estimated from
        `panel` as ``rb.papers.<slug>.TABLES`` declares them.
    columns
        Your key -> printed column, where the keys of ``own`` and ``fit`` are not the printed ones.
    names
        Your name of a term or variable -> printed name, e.g. ``{"I(gov / 1000)": "gov"}``.
    fit
        Printed column -> {printed statistic: value or (value, p)}; N is taken from the model.
    notes
        Why a number does not agree, by ``term`` or ``(column, term)``.
    calibrated
        False for data of your own, which nobody pulled to the print: no number counts as imposed.
    panel
        For a list of columns: the panel as `regionbook.prepare` returns it; left out, the shipped one.

    Raises
    ------
    ValueError
        Unknown paper, table, column, or a term named in ``names``, ``fit`` or ``notes`` that is not printed.

    Examples
    --------
    >>> import regionbook as rb
    >>> c = rb.compare("city-innovation", 7, {"1": {"digit": (0.139, 0.0078), "digit:stage": (-0.034, 0.005)}})
    >>> c.counts["imposed"], c.counts["not_attempted"]
    (2, 3)
    """
    table, names, notes = str(table), names or {}, notes or {}
    columns = {str(k): str(v) for k, v in (columns or {}).items()}
    place, cells = f"{slug}, Table {table}", table_cells(slug, table)
    named: list[Any] = [*notes]
    if isinstance(own, pd.DataFrame):
        numbers = of_frame(own, names, cells, place)
        named += numbers
    elif isinstance(own, pd.Series):
        numbers = of_weights(slug, own, names, cells, place)
        named += numbers
    elif isinstance(own, Mapping):
        numbers = of_models(own, columns, names, cells, place)
        named += _typed_by_hand(own, columns, names)
    elif isinstance(own, list):
        numbers = of_declared(slug, own, panel, cells)
    else:
        wanted = "a mapping of columns to models, a list of columns, a frame or a series"
        raise TypeError(f"{place}: give {wanted}, not {type(own).__name__}.")
    for key, stats in (fit or {}).items():
        for stat, value in stats.items():
            v, p = value if isinstance(value, tuple | list) else (value, math.nan)
            numbers[columns.get(str(key), str(key)), stat] = Number(float(v), float(p))
            named.append((columns.get(str(key), str(key)), stat))
    used = {t for _, t in numbers}
    _refuse_strangers(place, cells, [*named, *(t for t in names.values() if t in used)])
    asked = {c for c, _ in numbers}
    if not asked:
        raise ValueError(
            f"{place}: `own` and `fit` hold no number to compare. Give a model for one of the columns "
            f"{', '.join(dict.fromkeys(cells['column']))}, for example {{{cells['column'].iloc[0]!r}: model}}."
        )
    cells = cells[cells["column"].isin(asked)].assign(**({} if calibrated else {"imposed": False}))
    return side_by_side(slug, table, cells, {(table, c, t): n for (c, t), n in numbers.items()}, notes)


def compare_text(
    slug: str, panel: pd.DataFrame | None = None, *, notes: Mapping[Any, str] | None = None
) -> Comparison:
    """Put the numbers of a paper's text (other.csv) beside what its own figures or the teaching panel give.

    ``panel`` (as `regionbook.prepare` returns it; left out, the shipped one) and ``notes`` are as in `compare`. A notebook
    shows the tally by place and what does not agree; the long form is ``.cells``.

    Raises
    ------
    ValueError
        If the paper is unknown or has no lessons yet, or a number is computed that is not printed.

    Examples
    --------
    >>> c = compare_text("industry-agglomeration")
    >>> c.cells.query("term == 'cities'")["own"].item()
    280.0
    """
    from regionbook.papers import in_text

    cells = cells_of(slug)
    found = in_text(slug, panel)
    numbers = {place: Number(float(value), source=source) for place, (value, source) in found.items()}
    stray = sorted(set(numbers) - set(cells[KEY].itertuples(index=False, name=None)))
    if stray:
        raise ValueError(f"{slug} prints no {stray[0]}: its other numbers stand in other.csv.")
    shown = cells[cells["file"].eq("other") & ~cells["table"].str.fullmatch(r"\d+")]
    return side_by_side(slug, "text", shown, numbers, notes or {})
