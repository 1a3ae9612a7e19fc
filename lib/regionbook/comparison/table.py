"""A printed table beside our own numbers, as a notebook shows and records it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from regionbook.comparison.verdicts import MARKS, STATUSES
from regionbook.data import each

MIME = "application/vnd.regionbook.compare+json"
ON_ONE_LINE = 124
"""Characters of a row that a laptop screen of 1366 pixels shows beside the list of files."""
_TINTS = {
    "reproduced": "background:#e3eefa;color:#111",
    "differs": "background:#ffe8cc;color:#111",
    "paper_inconsistent": "background:#ececec;color:#111",
    "not_attempted": "",
}


def significant(value: float) -> float | None:
    """Six significant digits: what is recorded must not depend on the machine."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


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
                "printed_paren": significant(c.printed_paren),
                "own": significant(c.own),
                "own_paren": significant(c.own_paren),
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
