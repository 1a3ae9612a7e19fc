"""A paper as columns of regression tables."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from regionbook.auditing.rounding import Number, number, t_range
from regionbook.data import Published, each, groups
from regionbook.paths import data_file


@dataclass(frozen=True)
class Finding:
    """One thing that cannot be, with its place."""

    file: str
    table: str
    column: str
    term: str
    kind: str
    printed: str
    expected: str
    message: str

    @classmethod
    def at(cls, place: Place, kind: str, *said: Text) -> Finding:
        """A finding from its place, kind, and what is printed, what was expected, and why."""
        return cls(*place, kind, *(str(part or "") for part in said))


Check = Callable[["Paper"], Iterator[Finding]]
Place = tuple[str, str, str, str]
"""File, table, column, term."""
Text = str | Number | None
"""A number stands for its print, None for nothing."""


@dataclass(frozen=True)
class Term:
    name: str
    b: Number
    paren: Number | None
    kind: str
    stars: str

    @property
    def t(self) -> tuple[float, float]:
        return t_range(self.b, self.paren, self.kind) if self.paren else (0.0, math.inf)

    @property
    def se(self) -> tuple[float, float]:
        if self.paren is None:
            return 0.0, math.inf
        if self.kind == "se":
            return max(self.paren.low, 0.0), self.paren.high
        low, high = self.t
        return abs(self.b.value) / high, abs(self.b.value) / low if low > 0 else math.inf


def _term(row: Any) -> Term:
    paren = number(row.paren_text) if row.paren_text else None
    return Term(row.term, number(row.estimate_text), paren, row.paren_kind, row.stars)


def _bare(term: str) -> str:
    return term.removeprefix("ln ")


_METHODS = {
    "first stage": "IV first stage",
    "second stage": "IV second stage",
    "random effect": "random effects",
}
_METHODS |= {"direct effect|直接效应|间接效应|总效应": "spatial effects", "matching": "matching"}
"""What the heading of a column holds, and the method that it tells; the first that fits."""
_OTHER_ROWS = "alternative (treatment|outcome|measure)|winsor|lag one|lagged"


def _about_effects(stat: str) -> str:
    """The words of a row that says which fixed effects are in; of another row, nothing."""
    low = stat.lower().replace("_", " ")
    return low if re.search(r"\bfe\b|fixed effects", low) else ""


@dataclass(frozen=True)
class Column:
    """One column of a regression table with what the table says about it."""

    table: str
    panel: str
    name: str
    label: str
    sample: str
    outcome: str
    terms: dict[str, Term]
    fit: dict[str, Number]
    words: dict[str, str]
    control_terms: frozenset[str]

    def finding(self, term: str, kind: str, *said: Text) -> Finding:
        """A coefficient of this column that cannot be."""
        return Finding.at(("estimates", self.table, self.name, term), kind, *said)

    def of_fit(self, stat: str, kind: str, *said: Text) -> Finding:
        """A statistic of this column that cannot be."""
        return Finding.at(("fit", self.table, self.name, stat), kind, *said)

    @cached_property
    def method(self) -> str:
        text = f"{self.panel} {self.label}".lower()
        for marks, method in _METHODS.items():
            if re.search(marks, text) and not (method == "IV first stage" and "mediat" in text):
                return method
        if "rho" in {*self.terms, *self.fit} or "lambda" in self.words or "W:" in {n[:2] for n in self.terms}:
            return "spatial"
        return "threshold" if any("I(" in n for n in self.terms) else "linear"

    @cached_property
    def key(self) -> tuple[str, str, str, str]:
        """Columns with the same key have the same outcome on the same rows."""
        n, other = self.fit.get("N"), re.search(_OTHER_ROWS, f"{self.panel} {self.label}")
        return self.outcome, self.sample, n.text if n else "", self.label if other else ""

    @cached_property
    def effects(self) -> frozenset[str]:
        """Fixed effects that the table says are in."""
        told = [_about_effects(stat) for stat, word in self.words.items() if word.lower() == "yes"]
        general = {"fe", "fixed", "effects", "and"}
        return frozenset().union(*(set(re.findall("[a-z]+", low)) - general or {"fe"} for low in told if low))

    @property
    def denies_effects(self) -> bool:
        """The table says that there are no fixed effects (not just nothing)."""
        told = [_about_effects(stat) for stat, word in self.words.items() if word.lower() == "no"]
        return not self.effects and any(told)

    @cached_property
    def core(self) -> frozenset[str]:
        """Regressors that are neither controls nor the constant."""
        return frozenset(self.terms) - self.control_terms - {"_cons"}

    @cached_property
    def controls(self) -> frozenset[str]:
        """Printed controls, or ALL where the table only says that they are in."""
        printed = frozenset(self.terms) & self.control_terms
        word = self.words.get("controls", self.words.get("control set", "")).lower()
        return printed or (frozenset(["ALL"]) if word == "yes" else frozenset())

    def has_controls_of(self, other: Column) -> bool:
        names = {_bare(n) for n in self.control_terms}
        every = "ALL" in self.controls or names <= {_bare(n) for n in self.controls}
        return every or other.controls <= self.controls

    def same_setting(self, other: Column) -> bool:
        """Same rows, same effects, same controls."""
        alike = (self.key, self.effects) == (other.key, other.effects)
        return alike and self.has_controls_of(other) and other.has_controls_of(self)


class Paper:
    """Printed figures of a paper, arranged for checking."""

    def __init__(self, figures: Published):
        self.slug = figures.slug
        self.figures = figures
        d = figures.descriptives
        texts = d.set_index("variable")[[f"{s}_text" for s in ("n", "mean", "sd", "min", "max")]]
        rows = {str(variable): row[row != ""].items() for variable, row in texts.iterrows()}
        self.described = {v: {s.removesuffix("_text"): number(t) for s, t in row} for v, row in rows.items()}
        names = d.loc[d["role"].str.contains("control"), "variable"]
        self.control_terms = frozenset(v for n in names for v in (n, f"ln {n}"))

    @cached_property
    def columns(self) -> list[Column]:
        fit = self.figures.fit
        found = []
        for (table, panel, name), rows in groups(self.figures.estimates, ["table", "panel", "column"]):
            rows = rows[rows["estimate_text"].ne("")]
            if rows.empty:
                continue
            stats = fit[(fit["table"] == table) & (fit["column"] == name) & (fit["panel"] == panel)]
            first = rows.iloc[0]
            said = first["column_label"], first["sample"], first["outcome"]
            terms = {r.term: _term(r) for r in each(rows)}
            numbers = {r.stat: number(r.value_text) for r in each(stats[stats["value"].notna()])}
            words = dict(zip(stats["stat"], stats["value_text"], strict=True))
            found.append(Column(table, panel, name, *said, terms, numbers, words, self.control_terms))
        return found

    @property
    def linear(self) -> list[Column]:
        return [c for c in self.columns if c.method == "linear"]

    @cached_property
    def other(self) -> dict[tuple[str, str, str], Number]:
        """The numbers of other.csv by table, row and column."""
        o = self.figures.other[self.figures.other["value"].notna()]
        keys = zip(o["table"], o["row"], o["column"], o["value_text"], strict=True)
        return {(t, r, c): number(text) for t, r, c, text in keys}

    def rules(self, name: str) -> pd.DataFrame:
        """Rows of data/published/definitions.csv or identities.csv that concern this paper."""
        frame = pd.read_csv(data_file("published", f"{name}.csv"), dtype=str, keep_default_na=False)
        return frame[frame["slug"] == self.slug]
