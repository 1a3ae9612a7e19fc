"""Variables of Bi and Zhao (2025): eight conditions and an efficiency score of 31 provinces, as fuzzy sets."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.models import dea, qca

from . import redraw
from .declare import Column

SLUG = "digital-agriculture"
TABLES: list[Column] = []
"""No regression is printed: every number stands in other.csv and descriptives.csv, see `printed_tables`."""
CONTROLS: list[str] = []

CONDITIONS = ["DA", "DM", "C", "G", "A", "S", "E", "SC"]
OUTCOME = "Y"
CUT = 0.67
"""Consistency from which a row is sufficient: our choice, below the lowest row that the paper kept (0.675)."""
INPUTS = ["land", "labour", "machinery", "fertiliser", "electricity", "irrigation", "pesticide", "film"]
GOALS = {
    "C": {"phones": 300, "it_investment": 600, "cable": 60_000},
    "DA": {"it_use": 100, "traceability": 100},
    "DM": {"delivery": 120_000, "finance_index": 250, "taobao": 100, "transport_spending": 1_600, "online_sales": 100},
}  # fmt: skip
"""Composite -> indicator -> the value that counts as 100: our choice, since the paper prints no rule."""
SINGLE = {"G": "fiscal", "A": "agencies", "S": "keywords", "E": "gdp_per_head", "SC": "social_capital"}
FIRST, LAST = 2013, 2022
ANCHORS = ["full non-membership / 完全不隶属", "crossover / 交叉点", "full membership / 完全隶属"]


def anchors() -> dict[str, tuple[float, float, float]]:
    """Printed calibration anchors of the nine variables.

    Examples
    --------
    >>> anchors()["S"]
    (7.0, 8.0, 9.0)
    """
    t = published(SLUG).other.query("table == '3'").pivot(index="row", columns="column", values="value")
    return {str(k): (r[0], r[1], r[2]) for k, r in zip(t.index, t[ANCHORS].to_numpy().tolist(), strict=True)}


def printed_terms() -> dict[str, str]:
    """The six configurations of Table 5 as terms.

    Examples
    --------
    >>> printed_terms()["H3"]
    'DA*DM*~G*~A*S*E*SC'
    """
    sign = {"core_present": "", "core_absent": "~", "peripheral_present": "", "peripheral_absent": "~"}
    return _terms(sign)


def core_terms() -> list[str]:
    """What the core marks of Table 5 say by themselves: the terms that a parsimonious solution would have."""
    return list(dict.fromkeys(_terms({"core_present": "", "core_absent": "~"}).values()))


def _terms(sign: dict[str, str]) -> dict[str, str]:
    """Each configuration of Table 5 as a term of the conditions with one of these marks."""
    marks = published(SLUG).other.query("table == '5' and row in @CONDITIONS")
    table = marks.pivot(index="column", columns="row", values="value_text")[CONDITIONS]
    rows = ((str(h), row.items()) for h, row in table.iterrows())
    return {h: "*".join(sign[m] + k for k, m in row if m in sign) for h, row in rows}


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with the eight conditions and with output at prices of the first year, by province and year.

    A composite is the mean of its indicators, each as a percentage of a goal of ours (`GOALS`).
    """
    made = {k: sum(panel[n] / g for n, g in goals.items()) * 100 / len(goals) for k, goals in GOALS.items()}
    made |= {k: panel[n] for k, n in SINGLE.items()}
    made = {k: made[k] for k in CONDITIONS}
    return panel.assign(**made, output=panel["value_added"] / panel["price_level"])


def cross_section(data: pd.DataFrame) -> pd.DataFrame:
    """Return one row a province: conditions as means of 2013–2021, and Y, a DEA score of the means of 2014–2022.

    Y is 1/φ of an output-oriented programme under constant returns.

    Examples
    --------
    >>> from regionbook.data import load
    >>> cross_section(prepare(load("digital-agriculture"))).shape
    (31, 9)
    """
    years = data.index.get_level_values("year")
    early, late = data[years < LAST], data[years > FIRST]
    cases = early.groupby("province", sort=False)[CONDITIONS].mean()
    means = late.groupby("province", sort=False)[[*INPUTS, "output"]].mean()
    return cases.assign(Y=dea(means, INPUTS, ["output"]).efficiency)


def sets(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the memberships of `cross_section` by the printed anchors.

    Examples
    --------
    >>> from regionbook.data import load
    >>> sets(cross_section(prepare(load("digital-agriculture")))).round(3).max().max()
    np.float64(1.0)
    """
    return qca.calibrate(cases[[*CONDITIONS, OUTCOME]], anchors())


def by_year(data: pd.DataFrame) -> pd.DataFrame:
    """Return the sets of each province and year, relative to the nation, and `member`: membership in the six configurations.

    Each condition is divided by its national mean of the year and multiplied by that of 2013–2021, so that the printed anchors
    fit every year and common growth moves nobody.
    """
    mean = data[CONDITIONS].groupby("year").mean()
    relative = data[CONDITIONS] / mean.reindex(data.index, level="year") * mean.loc[: LAST - 1].mean()
    F = qca.calibrate(relative, {k: v for k, v in anchors().items() if k in CONDITIONS})
    return F.assign(member=qca.members(F, " + ".join(printed_terms().values())))


def printed_tables(data: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return Tables 3 (two of them: "3" and "3 anchors"), 4 and 5 as the prepared panel gives them, named as in print.

    The anchors are the quartiles of our 31 values, which the paper does not say of its own.
    """
    cases = cross_section(data)
    F = sets(cases)
    names = [*CONDITIONS, OUTCOME]
    moments = cases[names].agg(["mean", "std", "min", "max"]).T.rename(columns={"std": "sd"})
    quartiles = cases[names].quantile([0.25, 0.5, 0.75]).T.set_axis(ANCHORS, axis=1)
    both = {kind: qca.necessity(F, y, CONDITIONS) for kind, y in (("high", OUTCOME), ("low", f"~{OUTCOME}"))}
    parts = [t[["consistency", "coverage"]].add_prefix(f"{kind} TFP: ") for kind, t in both.items()]
    terms = printed_terms()
    fit = qca.sufficiency(F, OUTCOME, list(terms.values()))
    five = fit.iloc[:-1].set_axis(list(terms))[["consistency", "raw coverage", "unique coverage"]].T
    zh = {"consistency": "一致性", "raw coverage": "原始覆盖度", "unique coverage": "唯一覆盖度"}
    five.index = [f"{k} / {v}" for k, v in zh.items()]
    whole = fit.loc["solution", ["consistency", "raw coverage"]].to_numpy(float)
    both = pd.DataFrame(
        {"all": whole}, ["solution consistency / 解的一致性", "solution coverage / 解的覆盖性"]
    )
    five = pd.concat([five, both]).astype(float)
    return {"3": moments, "3 anchors": quartiles, "4": pd.concat(parts, axis=1), "5": five}


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives."""
    F = sets(cross_section(panel))
    solution = qca.solve(F, OUTCOME, CONDITIONS, consistency=CUT)
    found: dict[tuple[str, str], float] = {
        ("calibration", "set scores from"): round(float(F.min(axis=None)), 2),
        ("calibration", "set scores to"): round(float(F.max(axis=None)), 2),
        ("index", "number of condition indicators"): sum(map(len, GOALS.values())) + len(SINGLE),
        ("solution", "number of configurations"): len(solution.models[0]),
    }
    found |= {("index", f"number of indicators of {k}"): len(v) for k, v in GOALS.items()}
    found |= {("index", f"number of indicators of {k}"): 1 for k in SINGLE}
    return {("prose", column, row): float(v) for (row, column), v in found.items()}


# ------------------------------------------------------------------------------------------------ a student's panel
MOVED, NOISE, TRIES = 0.15, 0.03, 100
"""Standard deviation of the logarithm by which a student's values lie farther from the crossover or nearer to it; of fresh
noise in log output; draws of the former, ever smaller ones, until the same rows are sufficient."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones.

    Every province keeps its side of each crossover, farther from it or nearer, so that the truth table has the same rows; draws
    in which other rows are sufficient are drawn again. Output gets the effect times the student's factor, and noise.
    """
    rng = np.random.default_rng([seed, 11])
    factor, effect = redraw.factor(rng), shipped["effect"]
    data = prepare(panel)
    cases, there = cross_section(data), anchors()
    cross = pd.Series({k: a[1] for k, a in there.items()})
    rows = qca.truth_table(sets(cases), OUTCOME, CONDITIONS).rows[CONDITIONS].to_numpy()
    kept = _consistency(cases, rows, there) >= CUT
    for k in range(TRIES):
        far = np.exp(MOVED * 0.97**k * rng.standard_normal(cases.shape))
        new = cross + (cases - cross) * far
        new = new.clip(cases.min(), cases.max(), axis=1).assign(S=cases["S"])
        new["Y"] = new["Y"].clip(upper=0.985).where(cases["Y"] < 1 - 1e-6, cases["Y"])
        found = _consistency(new, rows, there)
        if ((found >= CUT) == kept).all() and np.abs(found - CUT).min() > 0.002:  # raw values will be rounded
            break
    made = panel.copy()
    ratio = (new / cases).reindex(panel.index, level="province")
    for name, of in {**GOALS, **{k: [v] for k, v in SINGLE.items()}}.items():
        for n in of:
            value = panel[n] * ratio[name]
            if name == "A":  # a share of 100: its shortfall is what grows or shrinks
                short = (100 - new["A"]) / (100 - cases["A"]).clip(lower=1e-9)
                value = 100 - (100 - panel[n]) * short.reindex(panel.index, level="province")
            made[n] = value.round().astype(int) if panel[n].dtype.kind == "i" else value.round(4)
    before, after = (_before(by_year(d)["member"]) for d in (data, prepare(made)))
    noise = NOISE * redraw.ar1(rng, (len(cases), panel.index.unique("year").size), 0.5).ravel()
    path = data["output"] * np.exp(effect * (factor * after - before) + noise)
    late = panel.index.get_level_values("year") > FIRST
    mean = [d[late].groupby("province").mean() for d in (data["output"], path)]
    level = (mean[0] / mean[1] * new["Y"] / cases["Y"]).reindex(panel.index, level="province")
    made["value_added"] = (path * level * panel["price_level"]).round(4)
    said = "Values nearer to the crossovers or farther on the same side; effect times the factor, fresh noise in output."
    more = {"factor": factor, "effect": factor * effect, "redrawn": said}
    return made, redraw.truth_of(shipped, seed, "process", "elasticities", **more)


def _consistency(cases: pd.DataFrame, rows: redraw.Array, there: dict[str, Any]) -> redraw.Array:
    """Of rows of a truth table; `sets` without its checks, since it is asked a hundred times."""
    low, cross, full = np.array([there[k] for k in (*CONDITIONS, OUTCOME)]).T
    d = cases[[*CONDITIONS, OUTCOME]].to_numpy() - cross
    F = 1 / (1 + np.exp(-3 * np.where(d > 0, d / (full - cross), d / (cross - low))))
    H = np.where(rows[:, None] == 1, F[:, :-1], 1 - F[:, :-1]).min(2)
    return np.asarray(np.minimum(H, F[:, -1]).sum(1) / H.sum(1))


def _before(member: pd.Series) -> pd.Series:
    """Membership of the year before; of the same year in the first."""
    return member.groupby("province").shift(1).fillna(member)
