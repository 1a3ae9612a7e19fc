"""Checks of weights and of tables other than regressions: what must add up, multiply or grow."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np

from regionbook.auditing.paper import Finding, Paper
from regionbook.auditing.rounding import Number, agree, number, with_slack
from regionbook.data import decimals, each, groups


def check_weights(paper: Paper) -> Iterator[Finding]:
    """Weights add up to their dimension's printed total, and the totals to 100 (or 1)."""
    rows = paper.figures.indicators
    rows = rows[rows["weight_pct"].notna()]
    if rows.empty:
        return
    headings = paper.figures.other[paper.figures.other["column"].eq("weight_pct")]
    for (index, period), group in groups(rows, ["index", "period"]):
        named = re.search(r"Table (\d+)", group["note"].iloc[0])
        table = named[1] if named else paper.figures.citation["indicator_table"]
        column = f"weight_pct {period}"
        # a dropped final zero is no coarser rounding
        fine = min(number(t).half for t in group["weight_pct_text"])
        totals: list[Number] = []
        for dimension, part in groups(group, "dimension"):
            leaf = part["indicator_zh"].ne("")
            numbers = [replace(number(t), half=fine) for t in part.loc[leaf, "weight_pct_text"]]
            heading = [*part.loc[~leaf, "weight_pct_text"]]
            heading += [h.value_text for h in each(headings) if dimension.startswith(h.row)]
            if numbers and heading:
                total = number(heading[0])
                value, slack = with_slack(lambda *w: sum(w), numbers)
                if not agree(total, value, slack):
                    place = ("indicators", table, column, dimension)
                    found = f"{value:.{decimals(total.text)}f}"
                    words = f"its {len(numbers)} weights add up to this"
                    yield Finding.at(place, "weights", total, found, words)
            totals += [number(heading[0])] if heading else numbers
        value, slack = with_slack(lambda *w: sum(w), totals)
        whole = 100 if value > 2 else 1
        if abs(value - whole) > slack:
            words = "the printed weights of the dimensions do not add up"
            place = ("indicators", table, column, index)
            found = f"{value:.{decimals(totals[0].text)}f}"
            yield Finding.at(place, "weights", found, str(whole), words)


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

    def look(table: str, row: str, column: str) -> Number | None:
        if row.startswith("const "):
            return Number(float(row[6:]), 0.0, row[6:])
        return paper.other.get((table, row, column))

    for rule in each(paper.rules("identities")):
        named = [part.split("|") for part in rule.parts.split(";")]
        here = [(r, c) for t, r, c in paper.other if t == rule.table and rule.row in ("*", r)]
        several = "*" in (rule.row, rule.column)
        targets = [p for p in here if rule.column in ("*", p[1])] if several else [(rule.row, rule.column)]
        broken: list[Finding] = []
        tried = 0
        for row, column in targets:
            if row in _SUMMARY:
                continue
            found = [look(t or rule.table, r or row, c or column) for t, r, c in named]
            target = look(rule.table, row, column)
            numbers = [n for n in found if n is not None]
            if target is None or len(numbers) != len(found):
                if several:
                    continue
                lacking = f"{row!r}, {column!r}, {rule.parts!r}"
                raise ValueError(f"identities.csv: {paper.slug} has no figure for {lacking}")
            tried += 1
            value, slack = with_slack(partial(_scaled, rule.op, float(rule.scale or 1)), numbers)
            if not agree(target, value, slack):
                shown = " and ".join(n.text for n in numbers[:3]) + (" …" if len(numbers) > 3 else "")
                words = f"{rule.source}: {shown} give {value:.4g}"
                place = ("other", rule.table, column, row)
                broken.append(Finding.at(place, rule.op, target, f"{value:.4g}", words))
        if len(broken) > 3:
            first = broken[0]
            rows = "all rows" if len(broken) == tried else f"{len(broken)} rows"
            words = f"{len(broken)} of {tried} rows fail; first, {first.term}: {first.message}"
            yield replace(first, term=rows, message=words)
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
        value, slack = with_slack(_OPS["mean"], numbers)
        if not agree(mean, value, slack):
            n = len(numbers)
            gap = f"one more row of {mean.value * (n + 1) - value * n:.4g} would close the gap"
            words = f"mean of the {n} printed rows; {gap}"
            place = ("other", table, column, "mean")
            finding = Finding.at(place, "summary row", mean, f"{value:.4g}", words)
            halves.setdefault((table, column.split(":")[0]), []).append(finding)
        value, slack = with_slack(_OPS["ratio"], [sd, mean])
        if not agree(cv, value, slack):
            words = f"{sd.text} / {mean.text}"
            yield Finding.at(("other", table, column, "cv"), "summary row", cv, f"{value:.3f}", words)
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
        start, end = (paper.other.get((r.table, r.row, year)) for year in (span[2], span[3]))
        if start is None or end is None or start.value <= 0:
            continue
        years, printed = int(span[3]) - int(span[2]), number(r.value_text)
        yearly = "average annual" in r.column
        if yearly and "%" in r.unit:
            value, slack = with_slack(lambda a, b, y=years: 100 * ((b / a) ** (1 / y) - 1), [start, end])
        elif "times" in r.unit:
            value, slack = with_slack(lambda a, b: b / a - 1, [start, end])
        else:
            continue
        # a last digit cut off is no finding
        if not agree(replace(printed, half=2 * printed.half), value, slack):
            more = "" if yearly else "; the ratio is one more than the growth"
            words = f"from {start} to {end}{more}"
            yield Finding.at(("other", r.table, r.column, r.row), "growth", printed, f"{value:.2f}", words)


def check_twin_rows(paper: Paper) -> Iterator[Finding]:
    """Two years with the same Moran's I and the same Z: possible by chance, worth asking."""
    o = paper.figures.other
    for column in o.loc[o["column"].str.endswith("Moran's I"), "column"].unique():
        z = column.replace("Moran's I", "Z")
        rows = list(o.loc[o["column"].eq(column), "row"])
        table = o.loc[o["column"].eq(column), "table"].iloc[0]
        for a, b in combinations(rows, 2):
            pairs = [tuple(paper.other.get((table, r, c)) for c in (column, z)) for r in (a, b)]
            moran, z_value = pairs[0]
            if pairs[0] == pairs[1] and moran and z_value:
                words = f"I and Z ({z_value.text}) are the same in both years"
                yield Finding.at(("other", table, column, f"{a} and {b}"), "twin rows", moran, "", words)
