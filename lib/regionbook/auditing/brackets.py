"""Checks of coefficients, brackets, stars and probabilities."""

import math
import re
from collections.abc import Iterator, Sequence

from regionbook.auditing.paper import Column, Finding, Paper, Term
from regionbook.auditing.rounding import Number
from regionbook.data import each

LEVELS = (0.10, 0.05, 0.01)


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
            words = f"|t| lies between {low:.2f} and {high:.2f}, the stars do not fit 10, 5 and 1 %{hint}"
            yield c.finding(x.name, "stars", x.stars or "none", "*" * k or "none", words)


def check_brackets(paper: Paper) -> Iterator[Finding]:
    """A printed t or z has the sign of its coefficient; a printed T equals estimate over standard error."""
    for c in paper.columns:
        for x in c.terms.values():
            if x.kind in ("t", "z") and x.paren and x.b.value * x.paren.value < 0:
                words = f"{x.kind} has another sign than its coefficient {x.b.text}"
                yield c.finding(x.name, "sign", x.paren, "the other sign", words)
        printed = c.fit.get("T")
        main = next((x for x in c.terms.values() if x.kind == "se"), None)
        if printed and main:
            low, high = main.t
            if printed.high < low or printed.low > high:
                words = f"{main.b.text} over its standard error is not the printed T"
                yield c.of_fit("T", "ratio", printed, f"{low:.2f} to {high:.2f}", words)


def check_probabilities(paper: Paper) -> Iterator[Finding]:
    """R² and p values lie in [0, 1]; adjusted R² is not above R²."""
    for r in each(paper.figures.fit):
        place = ("fit", r.table, r.column, r.stat)
        named_p = re.match(r"p\b", r.stat.lower()) is not None
        if named_p and not 0 <= r.value <= 1:
            yield Finding.at(place, "range", r.value_text, "0 to 1", "a p value cannot lie outside 0 to 1")
        if "R2" in r.stat and r.value > 1:
            yield Finding.at(place, "range", r.value_text, "at most 1", "R² above 1")
    for c in paper.columns:
        r2, adjusted = c.fit.get("R2"), c.fit.get("adj_R2")
        if r2 and adjusted and adjusted.low > r2.high:
            yield c.of_fit("adj_R2", "range", adjusted, f"at most {r2.text}", "adjusted R² above R²")


def check_parameters(paper: Paper) -> Iterator[Finding]:
    """A spatial autoregressive or error parameter of a row-standardised matrix lies in (-1, 1)."""
    for c in paper.columns:
        for x in c.terms.values():
            if x.name in ("rho", "lambda", f"W:{c.outcome}") and not -1 < x.b.value < 1:
                words = (
                    "the series I + ρW + ρ²W² + … diverges: outside the admissible range of a "
                    "row-standardised matrix"
                )
                yield c.finding(x.name, "range", x.b, "-1 to 1", words)
