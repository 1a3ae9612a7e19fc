"""A printed table beside our own numbers, as a notebook shows and records it."""

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from regionbook.comparison.marks import MARKS, RULES
from regionbook.data import each

MIME = "application/vnd.regionbook.compare+json"
ON_ONE_LINE = 124
"""Characters of a row that a laptop screen of 1366 pixels shows beside the list of files."""
_TINTS = {
    "free_reproduced": "background:#cfe2f7;color:#111",
    "imposed": "background:#f4f4f4;color:#333",
    "count": "background:#f4f4f4;color:#333",
    "close": "background:#fff4d6;color:#111",
    "differs": "background:#f7c59f;color:#111",
    "contradicted": "background:#dcdcdc;color:#111",
}
_NUMBERS, _WORDS = ("own", "own_paren", "own_se", "own_p"), ("errors", "source", "note")


def significant(value: float | None, missing: Any = None) -> Any:
    """Six significant digits: what is recorded must not depend on the machine."""
    if value is None or not math.isfinite(value):
        return missing
    return float(f"{value:.6g}")


@dataclass(frozen=True)
class Comparison:
    """Printed and own numbers of one table; shown by a notebook, which thereby records them."""

    slug: str
    table: str
    cells: pd.DataFrame
    """One row a number: table, column, term, rule, printed, printed_paren; own, own_paren, own_se, own_p, errors (their
    kind), source ("panel" or "print"); sign_ok, stars_ok, within_2se, se_ratio; imposed, mark, reason, note; and the
    texts that are shown."""

    @property
    def counts(self) -> dict[str, int]:
        """How many numbers have which mark."""
        n = self.cells["mark"].value_counts()
        return {m: int(n.get(m, 0)) for m in MARKS}

    @property
    def records(self) -> list[dict[str, Any]]:
        """What the scorecard reads: one entry a number that was attempted; what is empty is left out."""
        found = []
        for row in self.cells[self.cells["own"].notna()].to_dict("records"):
            entry = {"slug": self.slug} | {k: row[k] for k in ("table", "column", "term", "printed")}
            own = {k: significant(row[k]) for k in _NUMBERS} | {k: row[k] for k in _WORDS}
            own = {k: v for k, v in own.items() if v not in (None, "")}
            found.append(entry | own | {"mark": row["mark"]})
        return found

    def _captions(self) -> tuple[str, str]:
        """Tally with what was imposed, and the tolerances of the kinds of numbers shown."""
        place = f"Table {self.table}" if self.table[0].isdigit() else self.table.capitalize()
        where = "Numbers in the text" if self.table == "text" else f"{place}, printed above, ours below"
        tally = ", ".join(f"{n} {MARKS[m][1]} {MARKS[m][0]}" for m, n in self.counts.items() if n)
        tried = self.cells[self.cells["own"].notna()]
        by_print = int((tried["mark"].eq("free_reproduced") & tried["source"].eq("print")).sum())
        if by_print:
            free = " ".join(MARKS["free_reproduced"][::-1])
            tally = tally.replace(free, f"{free} ({by_print} by arithmetic on the print)")
        imposed = int(tried["imposed"].sum())
        calibrated = f" Calibrated to print: {imposed} of the {len(tried)} numbers compared were imposed."
        kinds = {*tried["rule"], *(["arithmetic"] if tried["source"].eq("print").any() else [])}
        agree = "; ".join(f"{RULES[k].what} {RULES[k].agrees}" for k in RULES if k in kinds)
        return (
            f"{where}: {tally}.{calibrated if imposed else ''}",
            f"Agrees: {agree}. Close: the same message within about twice that (rb.rules()).",
        )

    def __repr__(self) -> str:
        if self.table == "text":
            return "\n".join([*self._captions(), self._tally().to_string()])
        rows = self.cells[["column", "term", "printed_shown", "own_shown", "mark", "reason"]]
        rows = rows.assign(mark=rows["mark"].map({m: symbol for m, (symbol, _) in MARKS.items()}))
        head = ["column", "term", "printed", "ours", "", "why"]
        return "\n".join([*self._captions(), rows.to_string(index=False, header=head, justify="left")])

    def _characters(self) -> int:
        """Width of the table with everything of a number on one line."""
        widths = self.cells[["printed_shown", "own_shown"]].map(lambda shown: len(shown or "")).max(axis=1)
        columns = widths.groupby(self.cells["column"]).max() + 4  # the mark, and space between columns
        return int(columns.sum()) + max(map(len, self.cells["term"]))

    def _grid(self) -> str:
        """Terms down, columns across, the print above ours."""
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
                symbol, word = MARKS[cell.mark]
                why = escape(f"{word}: {cell.reason}" if cell.reason else word)
                row += (
                    f'<td style="{style};{_TINTS.get(cell.mark, "")}" title="{why}">'
                    f"{cell.printed_shown.replace(' (', brackets)}"
                    f"<br><b>{(cell.own_shown or '—').replace(' (', brackets)}</b> {symbol}</td>"
                )
            body.append(f"<tr>{row}</tr>")
        return (
            f'<table style="border-collapse:collapse"><thead><tr><th></th>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table>"
        )

    def _tally(self) -> pd.DataFrame:
        """Places in the text down, marks across."""
        marks = [m for m, n in self.counts.items() if n]
        tally = pd.crosstab(self.cells["table"], self.cells["mark"])[marks]
        tally = tally.loc[list(dict.fromkeys(self.cells["table"]))].rename_axis(None)
        return tally.set_axis([" ".join(MARKS[m][::-1]) for m in marks], axis=1).replace(0, "")

    def _reasons(self) -> str:
        """Why a number does not agree, one line each; folded where there are many."""
        told = [c for c in each(self.cells) if c.mark in ("close", "differs", "contradicted") and c.reason]
        lines = [
            f"<li>{MARKS[c.mark][0]} ({escape(c.column)}) {escape(c.term)}: "
            + (f"{c.printed_shown}, ours {c.own_shown or '—'}. " if self.table == "text" else "")
            + f"{escape(c.reason)}</li>"
            for c in told
        ]
        if not lines:
            return ""
        listed = f'<ul style="font-size:90%;margin:.3em 0">{"".join(lines)}</ul>'
        if len(lines) <= 12:
            return listed
        return f"<details><summary>Why {len(lines)} do not agree</summary>{listed}</details>"

    def _repr_html_(self) -> str:
        tally, tolerances = map(escape, self._captions())
        caption = f'<p style="margin:.2em 0">{tally}<br><small>{tolerances}</small></p>'
        body = self._tally().to_html(border=0) if self.table == "text" else self._grid()
        return caption + body + self._reasons()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), MIME: self.records}
