"""Checks of instruments and selection."""

import re
from collections.abc import Iterator
from itertools import combinations

from regionbook.auditing.paper import Column, Finding, Paper
from regionbook.auditing.rounding import Number, agree, number, with_slack
from regionbook.data import each


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
            words = f"the squared first-stage t of {x.name}: the two use different errors"
            yield c.of_fit(stat, "first stage", f, f"{low:.1f} to {high:.1f}", words)


def check_lm_p(paper: Paper) -> Iterator[Finding]:
    """The p value of the KP LM statistic is that of chi² with one degree of freedom (one instrument)."""
    from scipy.special import chdtrc

    for r in each(paper.figures.fit):
        if re.search("rk.LM", r.stat) and r.p_value_text:
            p, stat = number(r.p_value_text), number(r.value_text)
            if chdtrc(1, stat.high) > p.high or chdtrc(1, stat.low) < p.low:
                words = f"chi²(1) = {stat.text} has another p value"
                place = ("fit", r.table, r.column, r.stat)
                yield Finding.at(place, "p value", p, f"{chdtrc(1, stat.value):.5f}", words)


def check_iv_against_ols(paper: Paper) -> Iterator[Finding]:
    """2SLS with the regressors of a least-squares column has neither a higher R² nor a smaller error."""
    for iv in [c for c in paper.columns if c.method == "IV second stage"]:
        plain = [c for c in paper.linear if c.core == iv.core and c.same_setting(iv)]
        for ols in plain[:1]:
            if "R2" in iv.fit and "R2" in ols.fit and iv.fit["R2"].low > ols.fit["R2"].high:
                words = (
                    "least squares with the same regressors maximises R² "
                    f"and has {ols.fit['R2'].text} in Table {ols.table} ({ols.name})"
                )
                yield iv.of_fit("R2", "IV R2", iv.fit["R2"], f"at most {ols.fit['R2'].text}", words)
            for name in sorted(iv.core):
                if iv.terms[name].se[1] < ols.terms[name].se[0]:
                    words = (
                        "smaller standard error than least squares in "
                        f"Table {ols.table} ({ols.name}): the errors are of different types"
                    )
                    error, least = iv.terms[name].se[1], ols.terms[name].se[0]
                    yield iv.finding(name, "IV error", f"{error:.4f}", f"at least {least:.4f}", words)


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
        both = f"{a.name} and {b.name}"
        words = (
            f"columns {both} share outcome, rows, controls and effects, "
            f"and their slopes differ by {gap:.4f} at most"
        )
        scale = paper.described.get(name, {}).get("max")
        if "_cons" in a.terms and "_cons" in b.terms and scale:
            apart = abs(a.terms["_cons"].b.value - b.terms["_cons"].b.value)
            if apart > 10 * gap * scale.value:
                found = f"{a.terms['_cons'].b.text}, {b.terms['_cons'].b.text}"
                place = ("estimates", a.table, both, "_cons")
                yield Finding.at(place, "IV twins", found, "nearly equal", words)
        if "R2" in a.fit and "R2" in b.fit and abs(a.fit["R2"].value - b.fit["R2"].value) > 0.05:
            found = f"{a.fit['R2'].text}, {b.fit['R2'].text}"
            yield Finding.at(("fit", a.table, both, "R2"), "IV twins", found, "nearly equal", words)


def check_selection_ratio(paper: Paper) -> Iterator[Finding]:
    """The ratio of Altonji, Elder and Taber, b_full / (b_restricted - b_full), follows from printed columns."""
    for c in paper.columns:
        ratio = c.fit.get("selection_ratio")
        if ratio is None:
            continue
        full = c.terms[sorted(c.core)[0]]
        alike = [s for s in paper.linear if (s.outcome, s.sample) == (c.outcome, c.sample)]
        shorter = [s for s in alike if full.name in s.core and s.terms[full.name].b != full.b]
        implied = [with_slack(lambda f, r: f / (r - f), [full.b, s.terms[full.name].b]) for s in shorter]
        if implied and not any(agree(ratio, v, slack) for v, slack in implied):
            words = f"{full.b.text} and no printed coefficient of a shorter column give this ratio"
            expected = " or ".join(f"{v:.2f}" for v, _ in implied[:3])
            yield c.of_fit("selection_ratio", "ratio", ratio, expected, words)
