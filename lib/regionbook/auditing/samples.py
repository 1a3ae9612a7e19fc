"""Checks of sample sizes and descriptives."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from regionbook.auditing.paper import Column, Finding, Paper
from regionbook.auditing.rounding import number
from regionbook.data import decimals, each


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
