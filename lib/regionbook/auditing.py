"""Check printed tables against themselves: arithmetic that must hold whatever the data are.

The idea is that of statcheck for psychology (Nuijten et al. 2016, *Behavior Research Methods* 48, 1205–1226),
carried over to regression tables. Every check allows for rounding: a number printed as 0.0020 may be anything
from 0.00195 to 0.00205, and a finding is reported only if no such numbers fit. To add a check write a function
that takes a paper and yields findings, and put it into `CHECKS`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import Published, decimals, each, groups, papers, published
from regionbook.paths import data_file

LEVELS = (0.10, 0.05, 0.01)


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


Check = Callable[["Paper"], Iterator[Finding]]


# ---------------------------------------------------------------------------------------------------
# Rounding
# ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A printed number and the interval that it may stand for."""

    value: float
    half: float
    text: str

    @property
    def low(self) -> float:
        return self.value - self.half

    @property
    def high(self) -> float:
        return self.value + self.half


def number(text: str) -> Number:
    """Read a printed number.

    >>> n = number("0.0020")
    >>> round(n.low, 6), round(n.high, 6)
    (0.00195, 0.00205)
    """
    power = int(re.split("[eE]", text)[1]) if re.search("[eE]", text) else 0
    return Number(float(text), 0.5 * 10.0 ** (power - decimals(text)) * (1 + 1e-9), text)


def _with_slack(f: Callable[..., float], numbers: Sequence[Number]) -> tuple[float, float]:
    """Value of f and how far rounding of its arguments can move it (first order)."""
    values = [n.value for n in numbers]
    centre = f(*values)
    slack = 0.0
    for i, n in enumerate(numbers):
        moved = values.copy()
        moved[i] = n.value + n.half
        slack += abs(f(*moved) - centre)
    return centre, slack


def _agree(printed: Number, value: float, slack: float) -> bool:
    return abs(printed.value - value) <= printed.half + slack * (1 + 1e-9)


def _t_range(b: Number, paren: Number, kind: str) -> tuple[float, float]:
    """Smallest and largest |t| that the printed coefficient and bracket allow."""
    if kind in ("t", "z"):
        low, high = abs(paren.value) - paren.half, abs(paren.value) + paren.half
        return max(low, 0.0), high
    low_b, high_b = max(abs(b.value) - b.half, 0.0), abs(b.value) + b.half
    low_se = max(paren.value - paren.half, 0.0)
    return low_b / (paren.value + paren.half), high_b / low_se if low_se > 0 else math.inf


# ---------------------------------------------------------------------------------------------------
# A paper as columns of regression tables
# ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    name: str
    b: Number
    paren: Number | None
    kind: str
    stars: str

    @property
    def t(self) -> tuple[float, float]:
        return _t_range(self.b, self.paren, self.kind) if self.paren else (0.0, math.inf)

    @property
    def se(self) -> tuple[float, float]:
        if self.paren is None:
            return 0.0, math.inf
        if self.kind == "se":
            return max(self.paren.low, 0.0), self.paren.high
        low, high = self.t
        return abs(self.b.value) / high, abs(self.b.value) / low if low > 0 else math.inf


def _bare(term: str) -> str:
    return term.removeprefix("ln ")


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

    @cached_property
    def method(self) -> str:
        text = f"{self.panel} {self.label}".lower()
        for mark, method in (
            ("first stage", "IV first stage"),
            ("second stage", "IV second stage"),
            ("random effect", "random effects"),
            ("direct effect", "spatial effects"),
            ("直接效应", "spatial effects"),
            ("间接效应", "spatial effects"),
            ("总效应", "spatial effects"),
            ("matching", "matching"),
        ):
            if mark in text and not (mark == "first stage" and "mediat" in text):
                return method
        names = set(self.terms)
        if (
            "rho" in names
            or "rho" in self.fit
            or "lambda" in self.words
            or any(n.startswith("W:") for n in names)
        ):
            return "spatial"
        if any("I(" in n for n in names):
            return "threshold"
        return "linear"

    @cached_property
    def key(self) -> tuple[str, str, str, str]:
        """Columns with the same key have the same outcome on the same rows."""
        n = self.fit.get("N")
        other = re.search(
            "alternative (treatment|outcome|measure)|winsor|lag one|lagged", f"{self.panel} {self.label}"
        )
        return self.outcome, self.sample, n.text if n else "", self.label if other else ""

    @cached_property
    def effects(self) -> frozenset[str]:
        """Fixed effects that the table says are in."""
        found = set()
        for stat, word in self.words.items():
            low = stat.lower().replace("_", " ")
            if word.lower() == "yes" and re.search(r"\bfe\b|fixed effects", low):
                found |= {
                    w for w in re.findall(r"[a-z]+", low) if w not in ("fe", "fixed", "effects", "and")
                } or {"fe"}
        return frozenset(found)

    @property
    def denies_effects(self) -> bool:
        """The table says that there are no fixed effects (not just nothing)."""
        return not self.effects and any(
            word.lower() == "no" and re.search(r"\bfe\b|fixed effects", stat.lower().replace("_", " "))
            for stat, word in self.words.items()
        )

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
        return (
            self.key == other.key
            and self.effects == other.effects
            and self.has_controls_of(other)
            and other.has_controls_of(self)
        )


class Paper:
    """Printed figures of a paper, arranged for checking."""

    def __init__(self, figures: Published):
        self.slug = figures.slug
        self.figures = figures
        d = figures.descriptives
        self.described = {
            r.variable: {s: number(getattr(r, f"{s}_text")) for s in ("n", "mean", "sd", "min", "max")
                         if getattr(r, f"{s}_text")}
            for r in each(d)
        }  # fmt: skip
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
            found.append(
                Column(
                    table, panel, name, rows["column_label"].iloc[0], rows["sample"].iloc[0], rows["outcome"].iloc[0],
                    {r.term: Term(r.term, number(r.estimate_text), number(r.paren_text) if r.paren_text else None,
                                  r.paren_kind, r.stars) for r in each(rows)},
                    {s: number(v) for s, v, x in zip(stats["stat"], stats["value_text"], stats["value"], strict=True)
                     if x == x},
                    dict(zip(stats["stat"], stats["value_text"], strict=True)),
                    self.control_terms,
                )
            )  # fmt: skip
        return found

    @property
    def linear(self) -> list[Column]:
        return [c for c in self.columns if c.method == "linear"]

    def other(self, table: str, row: str, column: str) -> Number | None:
        """One figure of other.csv, or None if it is not there or no number."""
        return self._other.get((table, row, column))

    @cached_property
    def _other(self) -> dict[tuple[str, str, str], Number]:
        o = self.figures.other[self.figures.other["value"].notna()]
        keys = zip(o["table"], o["row"], o["column"], o["value_text"], strict=True)
        return {(t, r, c): number(text) for t, r, c, text in keys}

    def rules(self, name: str) -> pd.DataFrame:
        """Rows of data/published/definitions.csv or identities.csv that concern this paper."""
        frame = pd.read_csv(data_file("published", f"{name}.csv"), dtype=str, keep_default_na=False)
        return frame[frame["slug"] == self.slug]


# ---------------------------------------------------------------------------------------------------
# Coefficients and brackets
# ---------------------------------------------------------------------------------------------------


def _clusters(sample: str, n: Number | None) -> int | None:
    """Units of a panel, from the words of the sample or from N over years; None unless they are few."""
    words = re.search(r"(\d+) (?:provinces|cities)", sample)
    years = re.search(r"(\d{4})\s*[-–]\s*(\d{4})", sample)
    units = int(words[1]) if words else None
    if units is None and years and n is not None:
        t = int(years[2]) - int(years[1]) + 1
        units = int(n.value) // t if n.value % t == 0 else None
    return units if units is not None and 1 < units < 100 else None


def _stars_possible(term: Term, critical: Sequence[float]) -> bool:
    low, high = term.t
    bounds = [0.0, *critical, math.inf]
    k = len(term.stars)
    return high >= bounds[k] and low < bounds[k + 1]


def check_stars(paper: Paper) -> Iterator[Finding]:
    """Stars fit t or z at 10, 5 and 1 %, with normal or t(clusters - 1) critical values, whichever fits better."""
    from scipy.special import ndtri, stdtrit

    tables: dict[str, list[tuple[Column, Term]]] = {}
    for c in paper.columns:
        tables.setdefault(f"{c.table} {c.method}", []).extend((c, x) for x in c.terms.values() if x.paren)
    for rows in tables.values():
        normal = [float(-ndtri(a / 2)) for a in LEVELS]
        few = [_clusters(c.sample, c.fit.get("N")) for c, _ in rows]
        by_t = [[float(-stdtrit(g - 1, a / 2)) for a in LEVELS] if g else normal for g in few]
        wrong = {
            rule: [(c, x) for (c, x), crit in zip(rows, crits, strict=True) if not _stars_possible(x, crit)]
            for rule, crits in (("normal", [normal] * len(rows)), ("t", by_t))
        }
        if any(x.kind == "z" for _, x in rows):
            wrong.pop("t")
        for c, x in min(wrong.values(), key=len):
            low, high = x.t
            k = sum((low + high) / 2 >= v for v in normal)
            strict = [float(-ndtri(a / 2)) for a in (0.05, 0.01, 0.001)]
            hint = "; they fit 5, 1 and 0.1 %" if _stars_possible(x, strict) else ""
            yield Finding(
                "estimates", c.table, c.name, x.name, "stars", x.stars or "none", "*" * k or "none",
                f"|t| lies between {low:.2f} and {high:.2f}, the stars do not fit 10, 5 and 1 %{hint}",
            )  # fmt: skip


def check_brackets(paper: Paper) -> Iterator[Finding]:
    """A printed t or z has the sign of its coefficient; a printed T equals estimate over standard error."""
    for c in paper.columns:
        for x in c.terms.values():
            if x.kind in ("t", "z") and x.paren and x.b.value * x.paren.value < 0:
                yield Finding("estimates", c.table, c.name, x.name, "sign", x.paren.text, "the other sign",
                              f"{x.kind} has another sign than its coefficient {x.b.text}")  # fmt: skip
        printed = c.fit.get("T")
        main = next((x for x in c.terms.values() if x.kind == "se"), None)
        if printed and main:
            low, high = main.t
            if printed.high < low or printed.low > high:
                yield Finding("fit", c.table, c.name, "T", "ratio", printed.text, f"{low:.2f} to {high:.2f}",
                              f"{main.b.text} over its standard error is not the printed T")  # fmt: skip


def check_probabilities(paper: Paper) -> Iterator[Finding]:
    """R² and p values lie in [0, 1]; adjusted R² is not above R²."""
    for r in each(paper.figures.fit):
        named_p = re.match(r"p\b", r.stat.lower()) is not None
        if named_p and not 0 <= r.value <= 1:
            yield Finding("fit", r.table, r.column, r.stat, "range", r.value_text, "0 to 1",
                          "a p value cannot lie outside 0 to 1")  # fmt: skip
        if "R2" in r.stat and not (r.value <= 1 or r.value != r.value):
            yield Finding("fit", r.table, r.column, r.stat, "range", r.value_text, "at most 1", "R² above 1")
    for c in paper.columns:
        r2, adjusted = c.fit.get("R2"), c.fit.get("adj_R2")
        if r2 and adjusted and adjusted.low > r2.high:
            yield Finding("fit", c.table, c.name, "adj_R2", "range", adjusted.text, f"at most {r2.text}",
                          "adjusted R² above R²")  # fmt: skip


def check_parameters(paper: Paper) -> Iterator[Finding]:
    """A spatial autoregressive or error parameter of a row-standardised matrix lies in (-1, 1)."""
    for c in paper.columns:
        for x in c.terms.values():
            if x.name in ("rho", "lambda", f"W:{c.outcome}") and not -1 < x.b.value < 1:
                yield Finding("estimates", c.table, c.name, x.name, "range", x.b.text, "-1 to 1",
                              "the series I + ρW + ρ²W² + … diverges: outside the admissible range of a "
                              "row-standardised matrix")  # fmt: skip


# ---------------------------------------------------------------------------------------------------
# Sample sizes and descriptives
# ---------------------------------------------------------------------------------------------------


def check_n(paper: Paper) -> Iterator[Finding]:
    """N equals units times years where the table names both."""
    seen: dict[tuple[str, str], list[Column]] = {}
    for c in paper.columns:
        if "N" in c.fit:
            seen.setdefault((c.sample, c.fit["N"].text), []).append(c)
    for (sample, n), columns in seen.items():
        units = re.search(r"(?:^|[,:] )(\d+) (?:cities|provinces)", sample)
        years = re.search(r"(\d{4})\s*[-–]\s*(\d{4})", sample)
        if not units or not years:
            continue
        full = int(units[1]) * (int(years[2]) - int(years[1]) + 1)
        if float(n) != full:
            places = ", ".join(dict.fromkeys(f"{c.table} ({c.name})" for c in columns))
            yield Finding("fit", columns[0].table, columns[0].name, "N", "n", n, str(full),
                          f"{units[1]} units × {years[0]} make {full}; in {places}")  # fmt: skip


def check_moments(paper: Paper) -> Iterator[Finding]:
    """Minimum ≤ mean ≤ maximum, and the variance that these allow (Bhatia–Davis inequality)."""
    for variable, m in paper.described.items():
        if not {"mean", "min", "max"} <= set(m):
            continue
        low, mean, high = m["min"], m["mean"], m["max"]
        if not low.low <= mean.high or not mean.low <= high.high:
            yield Finding("descriptives", _table_of(paper, variable), "mean", variable, "moments", mean.text,
                          f"{low.text} to {high.text}", "mean outside the printed range")  # fmt: skip
        elif "sd" in m:
            n = m["n"].value if "n" in m else math.inf
            bound = math.sqrt(
                (high.high - mean.low) * (mean.high - low.low) * (n / (n - 1) if n < math.inf else 1)
            )
            if m["sd"].low > bound:
                yield Finding("descriptives", _table_of(paper, variable), "sd", variable, "moments", m["sd"].text,
                              f"at most {bound:.4g}", "no numbers in the printed range have this spread")  # fmt: skip


def _table_of(paper: Paper, variable: str) -> str:
    d = paper.figures.descriptives
    return str(d.loc[d["variable"] == variable, "table"].iloc[0])


def check_log_of_zero(paper: Paper) -> Iterator[Finding]:
    """A variable that enters in logarithms has a positive minimum."""
    logged = {x for c in paper.columns for x in c.terms if x.startswith("ln ")}
    for variable, m in paper.described.items():
        if f"ln {variable}" in logged and "min" in m and m["min"].value <= 0:
            yield Finding("descriptives", _table_of(paper, variable), "min", variable, "log", m["min"].text,
                          "above 0", f"the regressions use ln {variable}, which does not exist at 0 "
                          "(unless the print rounds a small number, or 1 was added)")  # fmt: skip


def check_extremes(paper: Paper) -> Iterator[Finding]:
    """A maximum more than 20 standard deviations above the mean: one observation rules the variable."""
    for variable, m in paper.described.items():
        if not {"mean", "sd"} <= set(m) or m["sd"].value <= 0:
            continue
        top, how = m.get("max"), "printed"
        if top is None:  # the mean of the min-max scaled variable gives the maximum (minimum taken as 0)
            table = _table_of(paper, variable)
            scaled = next((v for (t, r, c), v in paper._other.items()
                           if t == table and r.split()[0] == variable and "scaled mean" in c), None)  # fmt: skip
            if scaled is None or scaled.value <= 0:
                continue
            top, how = number(f"{m['mean'].value / scaled.value:.0f}"), "implied by the scaled mean"
        away = (top.value - m["mean"].value) / m["sd"].value
        if away > 20:
            share = (
                f", {top.value / (m['n'].value * m['mean'].value):.0%} of the sample total"
                if "n" in m
                else ""
            )
            yield Finding("descriptives", _table_of(paper, variable), "max", variable, "extreme", top.text, "",
                          f"the maximum ({how}) lies {away:.0f} standard deviations above the mean{share}")  # fmt: skip


def check_definitions(paper: Paper) -> Iterator[Finding]:
    """Printed moments agree with how the paper defines the variable (data/published/definitions.csv)."""
    for rule in each(paper.rules("definitions")):
        m = paper.described.get(rule.variable)
        if m is None:
            raise ValueError(f"definitions.csv: {paper.slug} describes no {rule.variable!r}")
        tests = [
            ("min", rule.minimum, lambda v, b: v.high < b, "at least"),
            ("max", rule.maximum, lambda v, b: v.low > b, "at most"),
            ("mean", rule.mean_maximum, lambda v, b: v.low > b, "at most"),
            ("max", rule.reaches, lambda v, b: v.high < b, "at least"),
        ]
        for moment, bound, broken, words in tests:
            if bound and moment in m and broken(m[moment], float(bound)):
                yield Finding("descriptives", _table_of(paper, rule.variable), moment, rule.variable, "definition",
                              m[moment].text, f"{words} {bound}", rule.source)  # fmt: skip
        if rule.whole:  # GRIM test: Brown and Heathers 2017
            n, mean = int(rule.n), m["mean"]
            total = round(mean.value * n)
            if not any(abs(s / n - mean.value) <= mean.half for s in (total - 1, total, total + 1)):
                yield Finding("descriptives", _table_of(paper, rule.variable), "mean", rule.variable, "whole numbers",
                              mean.text, f"{total / n:.{decimals(mean.text) + 1}f}",
                              f"{n} whole numbers cannot have this mean: {rule.source}")  # fmt: skip


# ---------------------------------------------------------------------------------------------------
# Columns against columns
# ---------------------------------------------------------------------------------------------------


def check_r2_nested(paper: Paper) -> Iterator[Finding]:
    """R² does not fall when regressors or effects are added on the same rows (rounding keeps the order)."""
    columns = [c for c in paper.columns if "R2" in c.fit and c.method in ("linear", "spatial", "threshold")]
    fallen: dict[tuple[str, str, str], list[Column]] = {}
    for big in columns:
        nested = [
            small for small in columns
            if small.method == "linear" and small is not big and small.key == big.key and small.key[2]
            and small.core <= {name.split(":I(")[0] for name in big.core}
            and small.effects <= big.effects and big.has_controls_of(small)
            and not (small.same_setting(big) and small.core == big.core)
            and small.fit["R2"].value > big.fit["R2"].value
        ]  # fmt: skip
        if nested:
            best = max(nested, key=lambda c: c.fit["R2"].value)
            fallen.setdefault((best.table, best.name, big.table), []).append(big)
    for (table, name, _), bigger in fallen.items():
        small = next(c for c in columns if (c.table, c.name) == (table, name))
        places = dict.fromkeys(f"{c.table} ({c.name}) {c.fit['R2'].text}" for c in bigger)
        yield Finding("fit", bigger[0].table, bigger[0].name, "R2", "R2 falls", bigger[0].fit["R2"].text,
                      f"at least {small.fit['R2'].text}",
                      f"Table {table} ({name}) with R² {small.fit['R2'].text} is nested in {', '.join(places)}: "
                      "not the same kind of R², or not the same model")  # fmt: skip


def check_r2_gain(paper: Paper) -> Iterator[Finding]:
    """One added regressor raises R² by about t²(1 - R²)/N; flagged if it is thirty times that."""
    columns = [c for c in paper.linear if "R2" in c.fit and "N" in c.fit]
    done = set()
    for small, big in product(columns, columns):
        added = big.core - small.core
        if not (small.core < big.core and len(added) == 1 and small.same_setting(big)):
            continue
        x = big.terms[next(iter(added))]
        gain = big.fit["R2"].low - small.fit["R2"].high
        room = 30 * x.t[1] ** 2 * (1 - big.fit["R2"].value) / big.fit["N"].value
        if gain > max(room, 0.002) and (big.table, big.name) not in done:
            done.add((big.table, big.name))
            yield Finding("fit", big.table, big.name, "R2", "R2 gain", big.fit["R2"].text,
                          f"near {small.fit['R2'].value + room / 30:.4f}",
                          f"{x.name} with |t| of {x.t[0]:.1f} to {x.t[1]:.1f} cannot lift R² from "
                          f"{small.fit['R2'].text} in Table {small.table} ({small.name})")  # fmt: skip


def check_r2_bivariate(paper: Paper) -> Iterator[Finding]:
    r"""With one regressor and no effects :math:`R^2=(b\,s_x/s_y)^2`."""
    for c in paper.linear:
        if len(c.core) != 1 or c.controls or not c.denies_effects or "R2" not in c.fit:
            continue
        x, sx = c.terms[next(iter(c.core))], paper.described.get(next(iter(c.core)), {}).get("sd")
        sy = paper.described.get(c.outcome, {}).get("sd")
        if sx is None or sy is None:
            continue
        value, slack = _with_slack(lambda b, s, r: (b * s / r) ** 2, [x.b, sx, sy])
        if not _agree(c.fit["R2"], value, slack):
            yield Finding("fit", c.table, c.name, "R2", "R2 of one regressor", c.fit["R2"].text, f"{value:.4f}",
                          "pooled least squares with this slope and the printed standard deviations gives another "
                          "R²: the column contains effects that the table denies, or another estimator")  # fmt: skip


def check_slope_scale(paper: Paper) -> Iterator[Finding]:
    """One standard deviation of a regressor does not move the outcome by more than its whole range."""
    for c in paper.linear:
        y = paper.described.get(c.outcome, {})
        for name, x in c.terms.items():
            sd = paper.described.get(name, {}).get("sd")
            if sd is None or not {"min", "max"} <= set(y):
                continue
            move, width = (abs(x.b.value) - x.b.half) * sd.low, y["max"].high - y["min"].low
            if move > width:
                yield Finding("estimates", c.table, c.name, name, "scale", x.b.text, f"at most {width / sd.value:.3g}",
                              f"one standard deviation ({sd.text}) moves {c.outcome} by {move:.3g}, more than its "
                              f"whole range {width:.3g}: the regression uses another unit than the table of "
                              "descriptives")  # fmt: skip


def check_mediation(paper: Paper) -> Iterator[Finding]:
    """In linear models on the same rows: total effect = direct effect + product of the two steps."""
    for first, second in product(paper.linear, paper.linear):
        m = first.outcome
        if first is second or m not in second.core or first.key[1:] != second.key[1:]:
            continue
        for x in sorted(first.core & second.core):
            totals = [
                c for c in paper.linear
                if c.key == second.key and c.core == second.core - {m} and c.has_controls_of(second)
            ]  # fmt: skip
            if not totals:
                continue
            parts = [second.terms[x].b, first.terms[x].b, second.terms[m].b]
            value, slack = _with_slack(lambda direct, a, b: direct + a * b, parts)
            if not any(_agree(c.terms[x].b, value, slack) for c in totals):
                direct, a, b = parts
                yield Finding("estimates", second.table, second.name, m, "mediation", totals[-1].terms[x].b.text,
                              f"{value:.4f}", f"{direct.text} + {a.text} × {b.text} = {value:.4f}, but the total "
                              f"effect of {x} is printed as {totals[-1].terms[x].b.text} (Table {totals[-1].table}, "
                              f"column {totals[-1].name})")  # fmt: skip


def check_effects_add_up(paper: Paper) -> Iterator[Finding]:
    """Direct and indirect effect add up to the total effect."""
    groups: dict[tuple[str, str], dict[str, Column]] = {}
    for c in paper.columns:
        text = f"{c.panel} {c.label}".lower()
        kind = next((k for k, marks in (("indirect", ("indirect", "间接")), ("direct", ("direct", "直接")),
                                        ("total", ("total effect", "总效应")))
                     if any(mark in text for mark in marks)), "")  # fmt: skip
        if kind:
            groups.setdefault((c.table, c.sample), {})[kind] = c
    for effects in groups.values():
        if len(effects) < 3:
            continue
        for name, total in effects["total"].terms.items():
            parts = [effects[k].terms[name].b for k in ("direct", "indirect") if name in effects[k].terms]
            if len(parts) == 2:
                value, slack = _with_slack(lambda a, b: a + b, parts)
                if not _agree(total.b, value, slack):
                    yield Finding("estimates", effects["total"].table, effects["total"].name, name, "sum",
                                  total.b.text, f"{value:.4f}", f"{parts[0].text} + {parts[1].text}")  # fmt: skip


def check_same_regression(paper: Paper) -> Iterator[Finding]:
    """Two columns with other regressors but the same R², constant and controls are one regression rewritten."""
    for a, b in combinations(paper.linear, 2):
        if a.table != b.table or not a.same_setting(b) or a.core == b.core:
            continue
        common = (set(a.terms) & set(b.terms)) - a.core
        equal = [n for n in common if abs(a.terms[n].b.value - b.terms[n].b.value) <= 2 * a.terms[n].b.half]
        if len(common) >= 3 and len(equal) == len(common) and a.fit.get("R2") == b.fit.get("R2"):
            yield Finding("estimates", b.table, b.name, "all", "same regression", f"({a.name}) and ({b.name})", "",
                          f"columns {a.name} and {b.name} agree in R², constant and all controls: the regressors "
                          "are linear combinations of one another")  # fmt: skip


def check_interactions(paper: Paper) -> Iterator[Finding]:
    r"""The mean of a moderator implied by the coefficients agrees with the one implied by the errors.

    With :math:`y=\beta_1x+\beta_2xz` the pooled slope is :math:`\beta_0=\beta_1+\beta_2 m` and
    :math:`se_1^2=se_0^2+m^2se_2^2`, where m is the mean of z weighted by the variance of x.
    """
    base = {
        next(iter(c.core)): c for c in sorted(paper.linear, key=lambda c: c.fit["N"].value if "N" in c.fit else 0)
        if len(c.core) == 1 and c.effects and (c.controls or not paper.control_terms)
    }  # fmt: skip
    for c in paper.linear:
        pairs = [n for n in c.core if ":" in n and n.split(":")[0] in c.core]
        if len(c.core) != 2 or len(pairs) != 1:
            continue
        x, z = pairs[0].split(":")[0], pairs[0]
        b0 = base.get(x)
        if b0 is None or b0.outcome != c.outcome:
            continue
        main, inter, pooled = c.terms[x], c.terms[z], b0.terms[x]
        if main.se[1] < 0.8 * pooled.se[0]:
            yield Finding("estimates", c.table, c.name, x, "interaction", main.paren.text if main.paren else "",
                          f"at least {pooled.se[0]:.4g}",
                          "the error of a slope at one value of the moderator is below that of the pooled slope "
                          f"in Table {b0.table} ({b0.name})")  # fmt: skip
            continue
        gap = (
            abs(pooled.b.value - main.b.value) - 2 * pooled.b.half,
            abs(pooled.b.value - main.b.value) + 2 * pooled.b.half,
        )
        slope = (abs(inter.b.value) - inter.b.half, abs(inter.b.value) + inter.b.half)
        if slope[0] <= 0 or inter.se[0] <= 0:
            continue
        by_b = max(gap[0], 0.0) / slope[1], gap[1] / slope[0]
        extra = [math.sqrt(max(s**2 - p**2, 0.0)) for s, p in zip(main.se, reversed(pooled.se), strict=True)]
        by_se = extra[0] / inter.se[1], extra[1] / inter.se[0]
        if by_se[0] > 3 * by_b[1] or by_b[0] > 3 * by_se[1]:
            yield Finding("estimates", c.table, c.name, z, "interaction", inter.paren.text if inter.paren else "",
                          f"near {extra[1] / by_b[1]:.4f}" if by_b[1] else "",
                          f"the moderator's mean is {by_b[0]:.2g} to {by_b[1]:.2g} by the coefficients and "
                          f"{by_se[0]:.2g} to {by_se[1]:.2g} by the standard errors")  # fmt: skip


# ---------------------------------------------------------------------------------------------------
# Instruments, thresholds, selection
# ---------------------------------------------------------------------------------------------------


def _stat(c: Column, pattern: str) -> tuple[str, Number] | None:
    return next(((s, n) for s, n in c.fit.items() if re.search(pattern, s.replace("_", " "))), None)


def check_kleibergen_paap(paper: Paper) -> Iterator[Finding]:
    """With one instrument the KP Wald F is the squared t of the first stage (5 % for degrees of freedom)."""
    last: Column | None = None
    for c in paper.columns:
        if c.method == "IV first stage":
            last = c
        found = _stat(c, "(KP|Kleibergen-Paap) rk Wald F")
        if not found or last is None or last.table != c.table or len(last.core) != 1:
            continue
        x = last.terms[next(iter(last.core))]
        low, high = 0.95 * x.t[0] ** 2, 1.05 * x.t[1] ** 2
        stat, f = found
        if not low <= f.value <= high:
            yield Finding("fit", c.table, c.name, stat, "first stage", f.text, f"{low:.1f} to {high:.1f}",
                          f"the squared first-stage t of {x.name}: the two use different errors")  # fmt: skip


def check_lm_p(paper: Paper) -> Iterator[Finding]:
    """The p value of the KP LM statistic is that of chi² with one degree of freedom (one instrument)."""
    from scipy.special import chdtrc

    for r in each(paper.figures.fit):
        if re.search("rk.LM", r.stat) and r.p_value_text:
            p, stat = number(r.p_value_text), number(r.value_text)
            if chdtrc(1, stat.high) > p.high or chdtrc(1, stat.low) < p.low:
                yield Finding("fit", r.table, r.column, r.stat, "p value", p.text, f"{chdtrc(1, stat.value):.5f}",
                              f"chi²(1) = {stat.text} has another p value")  # fmt: skip


def check_iv_against_ols(paper: Paper) -> Iterator[Finding]:
    """2SLS with the regressors of a least-squares column has neither a higher R² nor a smaller error."""
    for iv in [c for c in paper.columns if c.method == "IV second stage"]:
        plain = [c for c in paper.linear if c.core == iv.core and c.same_setting(iv)]
        for ols in plain[:1]:
            if "R2" in iv.fit and "R2" in ols.fit and iv.fit["R2"].low > ols.fit["R2"].high:
                yield Finding("fit", iv.table, iv.name, "R2", "IV R2", iv.fit["R2"].text,
                              f"at most {ols.fit['R2'].text}", "least squares with the same regressors maximises R² "
                              f"and has {ols.fit['R2'].text} in Table {ols.table} ({ols.name})")  # fmt: skip
            for name in sorted(iv.core):
                if iv.terms[name].se[1] < ols.terms[name].se[0]:
                    yield Finding("estimates", iv.table, iv.name, name, "IV error", f"{iv.terms[name].se[1]:.4f}",
                                  f"at least {ols.terms[name].se[0]:.4f}",
                                  "smaller standard error than least squares in "
                                  f"Table {ols.table} ({ols.name}): the errors are of different types")  # fmt: skip


def check_iv_twins(paper: Paper) -> Iterator[Finding]:
    """Second stages that differ only by the instrument agree in constant and R² if their slopes agree."""
    second = [c for c in paper.columns if c.method == "IV second stage" and len(c.core) == 1]
    for a, b in combinations(second, 2):
        if a.core != b.core or not a.same_setting(b):
            continue
        name = next(iter(a.core))
        slopes = a.terms[name].b, b.terms[name].b
        gap = abs(slopes[0].value - slopes[1].value) + slopes[0].half + slopes[1].half
        if gap > 0.05 * abs(slopes[0].value):
            continue
        words = f"columns {a.name} and {b.name} share outcome, rows, controls and effects, and their slopes differ by {gap:.4f} at most"
        scale = paper.described.get(name, {}).get("max")
        if "_cons" in a.terms and "_cons" in b.terms and scale:
            apart = abs(a.terms["_cons"].b.value - b.terms["_cons"].b.value)
            if apart > 10 * gap * scale.value:
                yield Finding("estimates", a.table, f"{a.name} and {b.name}", "_cons", "IV twins",
                              f"{a.terms['_cons'].b.text}, {b.terms['_cons'].b.text}", "nearly equal", words)  # fmt: skip
        if "R2" in a.fit and "R2" in b.fit and abs(a.fit["R2"].value - b.fit["R2"].value) > 0.05:
            yield Finding("fit", a.table, f"{a.name} and {b.name}", "R2", "IV twins",
                          f"{a.fit['R2'].text}, {b.fit['R2'].text}", "nearly equal", words)  # fmt: skip


def check_first_stage_twins(paper: Paper) -> Iterator[Finding]:
    """First stages that differ only by the instrument have R² that differ by what the instruments explain."""
    first = [
        c
        for c in paper.columns
        if c.method == "IV first stage" and len(c.core) == 1 and {"R2", "N"} <= set(c.fit)
    ]
    for a, b in combinations(first, 2):
        if not a.same_setting(b):
            continue
        t = max(c.terms[next(iter(c.core))].t[1] for c in (a, b))
        room = 10 * t**2 / a.fit["N"].value
        gap = abs(a.fit["R2"].value - b.fit["R2"].value)
        if gap > room:
            yield Finding("fit", a.table, f"{a.name} and {b.name}", "R2", "first-stage twins",
                          f"{a.fit['R2'].text}, {b.fit['R2'].text}", f"within about {room / 10:.3f}",
                          f"same outcome, rows, controls and effects; an instrument with |t| up to {t:.1f} explains "
                          "far less than the gap")  # fmt: skip


def check_selection_ratio(paper: Paper) -> Iterator[Finding]:
    """The ratio of Altonji, Elder and Taber, b_full / (b_restricted - b_full), follows from printed columns."""
    for c in paper.columns:
        ratio = c.fit.get("selection_ratio")
        if ratio is None:
            continue
        full = c.terms[sorted(c.core)[0]]
        shorter = [
            s for s in paper.linear
            if s.outcome == c.outcome and full.name in s.core and s.sample == c.sample and s.terms[full.name].b != full.b
        ]  # fmt: skip
        implied = [_with_slack(lambda f, r: f / (r - f), [full.b, s.terms[full.name].b]) for s in shorter]
        if implied and not any(_agree(ratio, v, slack) for v, slack in implied):
            yield Finding("fit", c.table, c.name, "selection_ratio", "ratio", ratio.text,
                          " or ".join(f"{v:.2f}" for v, _ in implied[:3]),
                          f"{full.b.text} and no printed coefficient of a shorter column give this ratio")  # fmt: skip


# ---------------------------------------------------------------------------------------------------
# Weights and other tables
# ---------------------------------------------------------------------------------------------------


def check_weights(paper: Paper) -> Iterator[Finding]:
    """Weights add up to their dimension's printed total, and the totals to 100 (or 1)."""
    rows = paper.figures.indicators
    rows = rows[rows["weight_pct"].notna()]
    if rows.empty:
        return
    headings = paper.figures.other[paper.figures.other["column"].eq("weight_pct")]
    for (index, period), group in groups(rows, ["index", "period"]):
        table = group["note"].str.extract(r"Table (\d+)")[0].iloc[0]
        table = table if isinstance(table, str) else paper.figures.citation["indicator_table"]
        fine = min(
            number(t).half for t in group["weight_pct_text"]
        )  # a dropped final zero is no coarser rounding
        totals: list[Number] = []
        for dimension, part in groups(group, "dimension"):
            leaf = part["indicator_zh"].ne("")
            numbers = [replace(number(t), half=fine) for t in part.loc[leaf, "weight_pct_text"]]
            heading = [*part.loc[~leaf, "weight_pct_text"]]
            heading += [
                v
                for r, v in zip(headings["row"], headings["value_text"], strict=True)
                if dimension.startswith(r)
            ]
            if numbers and heading:
                total = number(heading[0])
                value, slack = _with_slack(lambda *w: sum(w), numbers)
                if not _agree(total, value, slack):
                    yield Finding("indicators", table, f"weight_pct {period}", dimension, "weights", total.text,
                                  f"{value:.{decimals(total.text)}f}", f"its {len(numbers)} weights add up to this")  # fmt: skip
            totals += [number(heading[0])] if heading else numbers
        value, slack = _with_slack(lambda *w: sum(w), totals)
        whole = 100 if value > 2 else 1
        if abs(value - whole) > slack:
            yield Finding("indicators", table, f"weight_pct {period}", index, "weights",
                          f"{value:.{decimals(totals[0].text)}f}", str(whole),
                          "the printed weights of the dimensions do not add up")  # fmt: skip


_OPS: dict[str, Callable[..., float]] = {
    "sum": lambda *v: sum(v),
    "mean": lambda *v: sum(v) / len(v),
    "product": lambda *v: math.prod(v),
    "ratio": lambda a, b: a / b,
    "change": lambda a, b: b - a,
    "share": lambda a, *rest: a / (a + sum(rest)),
    "cv": lambda *v: float(np.std(v) / np.mean(v)),
    "same": lambda a: a,
}


def _scaled(op: str, scale: float, *values: float) -> float:
    return scale * _OPS[op](*values)


_SUMMARY = ("mean", "sd", "cv")


def check_identities(paper: Paper) -> Iterator[Finding]:
    """Sums, products, means and shares that the paper says hold (data/published/identities.csv)."""
    places = list(paper._other)

    def look(table: str, row: str, column: str) -> Number | None:
        if row.startswith("const "):
            return Number(float(row[6:]), 0.0, row[6:])
        return paper.other(table, row, column)

    for rule in each(paper.rules("identities")):
        if rule.row == "*":
            targets = [(r, rule.column) for t, r, c in places if t == rule.table and c == rule.column]
        elif rule.column == "*":
            targets = [(rule.row, c) for t, r, c in places if t == rule.table and r == rule.row]
        else:
            targets = [(rule.row, rule.column)]
        broken: list[Finding] = []
        tried = 0
        for row, column in targets:
            named = [part.split("|") for part in rule.parts.split(";")]
            found = [look(t or rule.table, r or row, c or column) for t, r, c in named]
            target = look(rule.table, row, column)
            numbers = [n for n in found if n is not None]
            if target is None or len(numbers) != len(found):
                if "*" in (rule.row, rule.column) and row not in _SUMMARY:
                    continue
                if row in _SUMMARY:
                    continue
                raise ValueError(
                    f"identities.csv: {paper.slug} has no figure for {row!r}, {column!r}, {rule.parts!r}"
                )
            if row in _SUMMARY:
                continue
            tried += 1
            value, slack = _with_slack(partial(_scaled, rule.op, float(rule.scale or 1)), numbers)
            if not _agree(target, value, slack):
                shown = " and ".join(n.text for n in numbers[:3]) + (" …" if len(numbers) > 3 else "")
                broken.append(
                    Finding("other", rule.table, column, row, rule.op, target.text, f"{value:.4g}",
                            f"{rule.source}: {shown} give {value:.4g}")
                )  # fmt: skip
        if len(broken) > 3:
            first = broken[0]
            yield replace(first, term="all rows" if len(broken) == tried else f"{len(broken)} rows",
                          message=f"{len(broken)} of {tried} rows fail; first, {first.term}: {first.message}")  # fmt: skip
        else:
            yield from broken


def _three_digits(n: Number) -> Number:
    """A long whole number that ends in zeros may be rounded to three digits (1160)."""
    zeros = len(n.text) - len(n.text.rstrip("0")) if n.text.isdigit() and len(n.text) > 3 else 0
    return replace(n, half=n.half * 10**zeros)


def check_summary_rows(paper: Paper) -> Iterator[Finding]:
    """Rows called mean and cv agree with the printed rows above them."""
    o = paper.figures.other
    halves: dict[tuple[str, str], list[Finding]] = {}
    for (table, column), part in groups(o[o["value"].notna()], ["table", "column"]):
        rows = dict(zip(part["row"], part["value_text"], strict=True))
        if not set(_SUMMARY) <= set(rows):
            continue
        mean, sd, cv = (_three_digits(number(rows[s])) for s in _SUMMARY)
        numbers = [number(v) for r, v in rows.items() if r not in _SUMMARY]
        value, slack = _with_slack(_OPS["mean"], numbers)
        if not _agree(mean, value, slack):
            one_more = mean.value * (len(numbers) + 1) - value * len(numbers)
            halves.setdefault((table, column.split(":")[0]), []).append(
                Finding("other", table, column, "mean", "summary row", mean.text, f"{value:.4g}",
                        f"mean of the {len(numbers)} printed rows; one more row of {one_more:.4g} would close the gap")
            )  # fmt: skip
        value, slack = _with_slack(_OPS["ratio"], [sd, mean])
        if not _agree(cv, value, slack):
            yield Finding("other", table, column, "cv", "summary row", cv.text, f"{value:.3f}",
                          f"{sd.text} / {mean.text}")  # fmt: skip
    for findings in halves.values():
        first = findings[0]
        yield replace(first, column=", ".join(f.column for f in findings))


def check_growth(paper: Paper) -> Iterator[Finding]:
    """A growth of k times is end / start - 1; an average annual growth in per cent is the compound rate."""
    o = paper.figures.other
    for r in each(o[o["value"].notna()]):
        span = re.search(r"(growth|increase) (\d{4})[-–](\d{4})$", r.column)
        if not span:
            continue
        start, end = paper.other(r.table, r.row, span[2]), paper.other(r.table, r.row, span[3])
        if start is None or end is None or start.value <= 0:
            continue
        years, printed = int(span[3]) - int(span[2]), number(r.value_text)
        yearly = "average annual" in r.column
        if yearly and "%" in r.unit:
            value, slack = _with_slack(lambda a, b, y=years: 100 * ((b / a) ** (1 / y) - 1), [start, end])
        elif "times" in r.unit:
            value, slack = _with_slack(lambda a, b: b / a - 1, [start, end])
        else:
            continue
        if not _agree(
            replace(printed, half=2 * printed.half), value, slack
        ):  # a last digit cut off is no finding
            yield Finding("other", r.table, r.column, r.row, "growth", printed.text, f"{value:.2f}",
                          f"from {start.text} to {end.text}"
                          + ("" if yearly else "; the ratio is one more than the growth"))  # fmt: skip


def check_twin_rows(paper: Paper) -> Iterator[Finding]:
    """Two years with the same Moran's I and the same Z: possible by chance, worth asking."""
    o = paper.figures.other
    for column in o.loc[o["column"].str.endswith("Moran's I"), "column"].unique():
        z = column.replace("Moran's I", "Z")
        rows = list(o.loc[o["column"].eq(column), "row"])
        table = o.loc[o["column"].eq(column), "table"].iloc[0]
        for a, b in combinations(rows, 2):
            pairs = [(paper.other(table, r, column), paper.other(table, r, z)) for r in (a, b)]
            moran, z_value = pairs[0]
            if pairs[0] == pairs[1] and moran and z_value:
                yield Finding("other", table, column, f"{a} and {b}", "twin rows", moran.text, "",
                              f"I and Z ({z_value.text}) are the same in both years")  # fmt: skip


CHECKS: tuple[Check, ...] = (
    check_stars,
    check_brackets,
    check_probabilities,
    check_parameters,
    check_n,
    check_moments,
    check_log_of_zero,
    check_extremes,
    check_definitions,
    check_r2_nested,
    check_r2_gain,
    check_r2_bivariate,
    check_slope_scale,
    check_mediation,
    check_effects_add_up,
    check_same_regression,
    check_interactions,
    check_kleibergen_paap,
    check_lm_p,
    check_iv_against_ols,
    check_iv_twins,
    check_first_stage_twins,
    check_selection_ratio,
    check_weights,
    check_identities,
    check_summary_rows,
    check_growth,
    check_twin_rows,
)


def audit(paper: str | Published | None = None) -> pd.DataFrame:
    """Check the printed tables of a paper against themselves.

    Parameters
    ----------
    paper
        Slug, or what `published` returned (also one that you changed); all papers if left out.

    Returns
    -------
    pandas.DataFrame
        One row a finding: slug, file, table, column, term, kind, printed, expected, message. A finding is a
        question to the authors, not a verdict: rounding is allowed for, but a table may leave out what would
        explain it.

    Raises
    ------
    ValueError
        Unknown slug.
    TypeError
        If `paper` is neither a slug nor printed figures.

    Examples
    --------
    >>> import regionbook as rb
    >>> rb.audit("knowledge-flows").query("kind == 'stars'")[["table", "column", "printed", "expected"]].values.tolist()
    [['3', '2', '**', '***']]
    """
    if paper is None:
        figures = [published(slug) for slug in papers().index]
    else:
        figures = [published(paper) if isinstance(paper, str) else paper]
    if not all(isinstance(f, Published) for f in figures):
        raise TypeError(f"Give a slug or what rb.published returned, not {type(paper).__name__}.")
    rows: list[dict[str, Any]] = []
    for f in figures:
        arranged = Paper(f)
        rows += [{"slug": f.slug, **asdict(finding)} for check in CHECKS for finding in check(arranged)]
    names = ["slug", "file", "table", "column", "term", "kind", "printed", "expected", "message"]
    return pd.DataFrame(rows, columns=names)
