"""Checks of columns against columns."""

import math
import re
from collections.abc import Iterator
from itertools import combinations, product

from regionbook.auditing.paper import Column, Finding, Paper
from regionbook.auditing.rounding import agree, with_slack


def _nested(small: Column, big: Column) -> bool:
    """Whether a linear column is another one less some regressors or effects, on the same rows."""
    if small is big or small.method != "linear" or small.key != big.key or not small.key[2]:
        return False
    fewer = small.core <= {name.split(":I(")[0] for name in big.core} and small.effects <= big.effects
    return fewer and big.has_controls_of(small) and not (small.same_setting(big) and small.core == big.core)


def check_r2_nested(paper: Paper) -> Iterator[Finding]:
    """R² does not fall when regressors or effects are added on the same rows (rounding keeps the order)."""
    columns = [c for c in paper.columns if "R2" in c.fit and c.method in ("linear", "spatial", "threshold")]
    fallen: dict[tuple[str, str, str], list[Column]] = {}
    for big in columns:
        nested = [c for c in columns if _nested(c, big) and c.fit["R2"].value > big.fit["R2"].value]
        if nested:
            best = max(nested, key=lambda c: c.fit["R2"].value)
            fallen.setdefault((best.table, best.name, big.table), []).append(big)
    for (table, name, _), bigger in fallen.items():
        small = next(c for c in columns if (c.table, c.name) == (table, name))
        places = dict.fromkeys(f"{c.table} ({c.name}) {c.fit['R2'].text}" for c in bigger)
        nested_in = f"Table {table} ({name}) with R² {small.fit['R2'].text} is nested in {', '.join(places)}"
        words = f"{nested_in}: not the same kind of R², or not the same model"
        least = f"at least {small.fit['R2'].text}"
        yield bigger[0].of_fit("R2", "R2 falls", bigger[0].fit["R2"], least, words)


def check_r2_gain(paper: Paper) -> Iterator[Finding]:
    """One added regressor raises R² by about t²(1 - R²)/N; flagged if it is thirty times that.

    The law holds for conventional errors. Robust ones can be several times as large (twenty times in variance for a
    heavy-tailed instrument), so a finding asks a question and proves nothing.
    """
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
            words = (
                f"{x.name} with |t| of {x.t[0]:.1f} to {x.t[1]:.1f} lifts R² from {small.fit['R2'].text} in "
                f"Table {small.table} ({small.name}) over thirty times as far as conventional errors allow"
            )
            near = f"near {small.fit['R2'].value + room / 30:.4f}"
            yield big.of_fit("R2", "R2 gain", big.fit["R2"], near, words)


def check_r2_bivariate(paper: Paper) -> Iterator[Finding]:
    r"""With one regressor and no effects :math:`R^2=(b\,s_x/s_y)^2`."""
    for c in paper.linear:
        if len(c.core) != 1 or c.controls or not c.denies_effects or "R2" not in c.fit:
            continue
        x = c.terms[next(iter(c.core))]
        sx, sy = (paper.described.get(name, {}).get("sd") for name in (x.name, c.outcome))
        if sx is None or sy is None:
            continue
        value, slack = with_slack(lambda b, s, r: (b * s / r) ** 2, [x.b, sx, sy])
        if not agree(c.fit["R2"], value, slack):
            words = (
                "pooled least squares with this slope and the printed standard deviations gives another "
                "R²: the column contains effects that the table denies, or another estimator"
            )
            yield c.of_fit("R2", "R2 of one regressor", c.fit["R2"], f"{value:.4f}", words)


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
                words = (
                    f"one standard deviation ({sd.text}) moves {c.outcome} by {move:.3g}, more than its "
                    f"whole range {width:.3g}: the regression uses another unit than the table of "
                    "descriptives"
                )
                yield c.finding(name, "scale", x.b, f"at most {width / sd.value:.3g}", words)


def check_mediation(paper: Paper) -> Iterator[Finding]:
    """In linear models on the same rows: total effect = direct effect + product of the two steps."""
    for first, second in product(paper.linear, paper.linear):
        m = first.outcome
        if first is second or m not in second.core or first.key[1:] != second.key[1:]:
            continue
        for x in sorted(first.core & second.core):
            alike = [c for c in paper.linear if (c.key, c.core) == (second.key, second.core - {m})]
            totals = [c for c in alike if c.has_controls_of(second)]
            if not totals:
                continue
            parts = [second.terms[x].b, first.terms[x].b, second.terms[m].b]
            value, slack = with_slack(lambda direct, a, b: direct + a * b, parts)
            if not any(agree(c.terms[x].b, value, slack) for c in totals):
                (direct, a, b), total = parts, totals[-1].terms[x].b.text
                words = (
                    f"{direct} + {a} × {b} = {value:.4f}, but the total effect of {x} is printed as {total} "
                    f"(Table {totals[-1].table}, column {totals[-1].name})"
                )
                yield second.finding(m, "mediation", total, f"{value:.4f}", words)


_EFFECTS = {"indirect": "indirect|间接", "direct": "direct|直接", "total": "total effect|总效应"}
"""Spatial effect -> what its column is called, the first that fits."""


def check_effects_add_up(paper: Paper) -> Iterator[Finding]:
    """Direct and indirect effect add up to the total effect."""
    groups: dict[tuple[str, str], dict[str, Column]] = {}
    for c in paper.columns:
        kinds = [k for k, marks in _EFFECTS.items() if re.search(marks, f"{c.panel} {c.label}".lower())]
        if kinds:
            groups.setdefault((c.table, c.sample), {})[kinds[0]] = c
    for effects in groups.values():
        if len(effects) < 3:
            continue
        for name, total in effects["total"].terms.items():
            parts = [effects[k].terms[name].b for k in ("direct", "indirect") if name in effects[k].terms]
            if len(parts) == 2:
                value, slack = with_slack(lambda a, b: a + b, parts)
                if not agree(total.b, value, slack):
                    words = f"{parts[0]} + {parts[1]}"
                    yield effects["total"].finding(name, "sum", total.b, f"{value:.4f}", words)


def check_same_regression(paper: Paper) -> Iterator[Finding]:
    """Two columns with other regressors but the same R², constant and controls are one regression rewritten."""
    for a, b in combinations(paper.linear, 2):
        if a.table != b.table or not a.same_setting(b) or a.core == b.core:
            continue
        common = (set(a.terms) & set(b.terms)) - a.core
        equal = [n for n in common if abs(a.terms[n].b.value - b.terms[n].b.value) <= 2 * a.terms[n].b.half]
        if len(common) >= 3 and len(equal) == len(common) and a.fit.get("R2") == b.fit.get("R2"):
            words = (
                f"columns {a.name} and {b.name} agree in R², constant and all controls: the regressors "
                "are linear combinations of one another"
            )
            yield b.finding("all", "same regression", f"({a.name}) and ({b.name})", "", words)


def check_interactions(paper: Paper) -> Iterator[Finding]:
    r"""The mean of a moderator implied by the coefficients agrees with the one implied by the errors.

    With :math:`y=\beta_1x+\beta_2xz` the pooled slope is :math:`\beta_0=\beta_1+\beta_2 m` and
    :math:`se_1^2=se_0^2+m^2se_2^2`, where m is the mean of z weighted by the variance of x.
    """
    plain = [c for c in paper.linear if len(c.core) == 1 and c.effects]
    plain = [c for c in plain if c.controls or not paper.control_terms]
    by_size = sorted(plain, key=lambda c: c.fit["N"].value if "N" in c.fit else 0)
    base = {next(iter(c.core)): c for c in by_size}
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
            words = (
                "the error of a slope at one value of the moderator is below that of the pooled slope "
                f"in Table {b0.table} ({b0.name})"
            )
            yield c.finding(x, "interaction", main.paren, f"at least {pooled.se[0]:.4g}", words)
            continue
        gap, slope = abs(pooled.b.value - main.b.value), abs(inter.b.value)
        if slope <= inter.b.half or inter.se[0] <= 0:
            continue
        least, most = max(gap - 2 * pooled.b.half, 0.0), gap + 2 * pooled.b.half
        by_b = least / (slope + inter.b.half), most / (slope - inter.b.half)
        extra = [math.sqrt(max(s**2 - p**2, 0.0)) for s, p in zip(main.se, reversed(pooled.se), strict=True)]
        by_se = extra[0] / inter.se[1], extra[1] / inter.se[0]
        if by_se[0] > 3 * by_b[1] or by_b[0] > 3 * by_se[1]:
            words = (
                f"the moderator's mean is {by_b[0]:.2g} to {by_b[1]:.2g} by the coefficients and "
                f"{by_se[0]:.2g} to {by_se[1]:.2g} by the standard errors"
            )
            near = f"near {extra[1] / by_b[1]:.4f}" if by_b[1] else ""
            yield c.finding(z, "interaction", inter.paren, near, words)
