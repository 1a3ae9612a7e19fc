"""Checks of sample sizes and descriptives."""

import math
import re
from collections.abc import Iterator

from regionbook.auditing.paper import Column, Finding, Paper, Text
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
            words = f"{units[1]} units × {years[0]} make {full}; in {places}"
            yield columns[0].of_fit("N", "n", n, str(full), words)


def check_moments(paper: Paper) -> Iterator[Finding]:
    """Minimum ≤ mean ≤ maximum, and the variance that these allow (Bhatia–Davis inequality)."""
    for variable, m in paper.described.items():
        if not {"mean", "min", "max"} <= set(m):
            continue
        low, mean, high = m["min"], m["mean"], m["max"]
        if not low.low <= mean.high or not mean.low <= high.high:
            words = "mean outside the printed range"
            yield _finding(paper, "mean", variable, "moments", mean, f"{low.text} to {high.text}", words)
        elif "sd" in m:
            of_sample = m["n"].value / (m["n"].value - 1) if "n" in m else 1
            bound = math.sqrt((high.high - mean.low) * (mean.high - low.low) * of_sample)
            if m["sd"].low > bound:
                words = "no numbers in the printed range have this spread"
                yield _finding(paper, "sd", variable, "moments", m["sd"], f"at most {bound:.4g}", words)


def _table_of(paper: Paper, variable: str) -> str:
    d = paper.figures.descriptives
    return str(d.loc[d["variable"] == variable, "table"].iloc[0])


def _finding(paper: Paper, moment: str, variable: str, kind: str, *said: Text) -> Finding:
    """A described moment that cannot be: what is printed, what was expected, and why."""
    return Finding.at(("descriptives", _table_of(paper, variable), moment, variable), kind, *said)


def check_log_of_zero(paper: Paper) -> Iterator[Finding]:
    """A variable that enters in logarithms has a positive minimum."""
    logged = {x for c in paper.columns for x in c.terms if x.startswith("ln ")}
    for variable, m in paper.described.items():
        if f"ln {variable}" in logged and "min" in m and m["min"].value <= 0:
            words = (
                f"the regressions use ln {variable}, which does not exist at 0 "
                "(unless the print rounds a small number, or 1 was added)"
            )
            yield _finding(paper, "min", variable, "log", m["min"], "above 0", words)


def check_extremes(paper: Paper) -> Iterator[Finding]:
    """A maximum more than 20 standard deviations above the mean: one observation rules the variable."""
    for variable, m in paper.described.items():
        if not {"mean", "sd"} <= set(m) or m["sd"].value <= 0:
            continue
        top, how = m.get("max"), "printed"
        if top is None:  # the mean of the min-max scaled variable gives the maximum (minimum taken as 0)
            table = _table_of(paper, variable)
            means = {(t, r.split()[0]): v for (t, r, c), v in paper.other.items() if "scaled mean" in c}
            scaled = means.get((table, variable))
            if scaled is None or scaled.value <= 0:
                continue
            top, how = number(f"{m['mean'].value / scaled.value:.0f}"), "implied by the scaled mean"
        away = (top.value - m["mean"].value) / m["sd"].value
        if away > 20:
            words = f"the maximum ({how}) lies {away:.0f} standard deviations above the mean"
            if "n" in m:
                words += f", {top.value / (m['n'].value * m['mean'].value):.0%} of the sample total"
            yield _finding(paper, "max", variable, "extreme", top, "", words)


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
        variable, source = rule.variable, rule.source
        for moment, bound, broken, words in tests:
            if bound and moment in m and broken(m[moment], float(bound)):
                expected = f"{words} {bound}"
                yield _finding(paper, moment, variable, "definition", m[moment], expected, source)
        if rule.whole:  # GRIM test: Brown and Heathers 2017
            n, mean = int(rule.n), m["mean"]
            total = round(mean.value * n)
            if not any(abs(s / n - mean.value) <= mean.half for s in (total - 1, total, total + 1)):
                words = f"{n} whole numbers cannot have this mean: {source}"
                nearest = f"{total / n:.{decimals(mean.text) + 1}f}"
                yield _finding(paper, "mean", variable, "whole numbers", mean, nearest, words)
