"""Simulated panel for `factor-innovation` (Wang and Xu 2025): 31 provinces, 2003-2023.

The order of creation:

1. sector output of the real provinces from orders of magnitude (``factor-innovation.skeleton.csv``), and with it the
   mediator ID; labour, capital and technology innovation from output and science; four controls;
2. the outcome RCD, which reacts to the parts of FI, to ID and to the controls, more strongly in some regions, and which
   a fictional policy raises from 2013 on in ten provinces drawn by lot;
3. all of these move, by as little as possible, until Tables 3-8 hold (`_factor_fit`);
4. 23 indicators with the printed weights of every period whose indices are the calibrated ones (`_factor_indicators`).

Nothing here is real data except the provinces' names and regions and the order of magnitude of their output.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from first_four._calibrate import Array, CalibrationError
from first_four._factor_drivers import (
    Process,
    as_used,
    controls,
    factor_innovation,
    local_boom,
    mediators,
    outcome,
    sector_output,
)
from first_four._factor_fit import TAL_MINIMUM, State, calibrate
from first_four._factor_indicators import shape, to_raw
from first_four._factor_targets import (
    CONTROLS,
    FI,
    FULL,
    ID,
    INDICES,
    PERIODS,
    POLICY_YEAR,
    RCD,
    SAMPLE,
    SHORT,
    SLUG,
    YEARS,
    Printed,
    clear,
    combine,
    fit,
    printed,
    provinces,
    stars,
    table_columns,
)
from first_four._panel import Simulated, by_dictionary, first_that_fits, streams, write_world
from regionbook.index import entropy_index
from regionbook.papers import factor_innovation as paper

STREAMS = ("goals", "output", "factors", "controls", "outcome", "indicators")
LEVELS = {"TAL": "talent", "BASE": "debt", "GAP": "income_gap", "GOV": "spending"}
"""Control -> raw column."""


def goals() -> Printed:
    """The numbers that the panel is pulled to: the printed ones, moved off critical values where stars would be in doubt."""
    p = printed()
    estimate = dict(p.estimate)
    for c in table_columns():
        for term in (*c.terms, "_cons"):
            b, se, star = p.estimate[c.table, c.column, term]
            if stars(b, se, c.stars_df) == star:
                estimate[c.table, c.column, term] = (*clear(b, se, c.stars_df), star)
    return replace(p, estimate=estimate)


def simulate(seed: int = 2026) -> Simulated:
    """Simulate the panel of `factor-innovation`; see `first_four.simulate`.

    A draw that cannot meet its targets is thrown away and drawn again, at most six times.

    Raises
    ------
    CalibrationError
        If no draw meets its targets.
    """

    def draw(attempt: int) -> Simulated:
        rng = streams(STREAMS, seed, attempt)
        return _built(rng, _drawn(rng), seed, attempt)

    return first_that_fits(SLUG, seed, 6, draw)


@dataclass
class Drawn:
    """What the indicators are made of: the process, its goal, all variables, outcome, treated provinces, and the estimate
    that the policy is to have."""

    process: Process
    goal: Printed
    unit: dict[str, tuple[float, float]]
    v: dict[str, Array]
    y: Array
    treated: Array
    want: float


def _drawn(rng: dict[str, np.random.Generator]) -> Drawn:
    """All variables of the regressions, pulled to the tables."""
    goal, process = goals(), Process()
    score, unit = mediators(sector_output(rng["output"]), goal)
    v = factor_innovation(rng["factors"]) | as_used(controls(rng["controls"])) | score
    y, treated = outcome(rng["outcome"], process, v, goal)
    v, y = _match(v, y, goal, unit)
    want = process.policy_effect * (1 + 0.05 * rng["outcome"].standard_normal())
    y = _before(np.maximum(y, 0.02), treated, goal, want)
    _lists(v, goal)
    return Drawn(process, goal, unit, v, np.clip(y, 0.012, 0.62), treated, want)


def _built(rng: dict[str, np.random.Generator], d: Drawn, seed: int, attempt: int) -> Simulated:
    """The panel with its indicators, and the truth behind it."""
    parts = {k: d.v[k] for k in ("LI", "KI", "TI")}
    x_fi, log_fi = shape(rng["indicators"], "FI", parts, d.goal)
    x_rcd, log_rcd = shape(rng["indicators"], "RCD", {"RCD": d.y}, d.goal)
    raw = {k: to_raw(k, z) for k, z in zip((*FI, *RCD), np.hstack([x_fi, x_rcd]).T, strict=True)}
    raw |= {k: np.round(d.unit[k][0] + d.unit[k][1] * d.v[k], 2) for k in ID}
    panel = _assemble(raw, _levels(d.v), d.treated)
    table = estimate(panel)
    if bad := missed(table):
        raise CalibrationError("; ".join(bad[:8]))
    return Simulated(panel, _truth(seed, attempt, d, table, {"FI": log_fi, "RCD": log_rcd}))


def _match(
    v: dict[str, Array], y: Array, goal: Printed, unit: dict[str, tuple[float, float]]
) -> tuple[dict[str, Array], Array]:
    """Calibrate 2013-2023, then join the years before to the moved ones."""
    state = _state(v, y, goal, unit)
    calibrate(state)
    out = dict(v)
    for k, new in state.values.items():
        out[k] = new if k in ID else _joined(k, y if k == "RCD" else v[k], new)
    return out, out.pop("RCD")


def _state(v: dict[str, Array], y: Array, goal: Printed, unit: dict[str, tuple[float, float]]) -> State:
    """Variables and outcome with their bounds, ready to be moved."""
    low, high = goal.moments["RCD"][2:]
    start = np.clip(y[SAMPLE], low + 0.004, high - 0.004)
    start[start.argmin()], start[start.argmax()] = low, high
    values = {k: v[k][SAMPLE] for k in ("LI", "KI", "TI", *CONTROLS)} | {k: v[k].copy() for k in ID}
    lower = dict.fromkeys([*values, "RCD"], 0.0)
    upper = {k: goal.whole[k] for k in ("LI", "KI", "TI", *ID)} | {"TAL": 1.0, "GAP": 1.0}
    for k in ("BASE", "GOV", "RCD"):
        lower[k], upper[k] = goal.moments[k][2:]
    return State(values | {"RCD": start}, lower, upper, goal, unit)


def _joined(k: str, old: Array, new: Array) -> Array:
    """The years before 2013, joined to the moved ones."""
    before = np.maximum(2013 - YEARS, 0) / 10
    first = new.reshape(31, 11)[:, :1]
    table = old.reshape(31, 21).copy()
    if k == "RCD":
        table += (first - table[:, 10:11]) * (1 - 0.68 * before)
    elif k in ("LI", "KI", "TI"):
        table *= (first / table[:, 10:11]) ** (1 - 0.7 * before)
    else:
        table += first - table[:, 10:11]
        table = np.clip(table, 0.001, None)
    table[:, 10:] = new.reshape(31, 11)
    return table.ravel()


def _levels(v: dict[str, Array]) -> dict[str, Array]:
    """Raw controls from those that the regressions use."""
    high, (g_low, g_high) = printed().moments["TAL"][3], printed().moments["GAP"][2:]
    return {
        "TAL": TAL_MINIMUM + v["TAL"] * (high - TAL_MINIMUM),
        "BASE": v["BASE"],
        "GAP": g_high - v["GAP"] * (g_high - g_low),
        "GOV": v["GOV"],
    }


def _list(x: Array, above: frozenset[str]) -> Array:
    """Put provinces on their side of the national mean in 2003, with a correction that fades until 2013."""
    table, wanted = x.reshape(31, 21).copy(), provinces()["name_en"].isin(above).to_numpy()
    for _ in range(30):
        m = table[:, 0].mean()
        low, high = np.where(wanted, 1.04 * m, 0), np.where(wanted, np.inf, 0.96 * m)
        ratio = np.clip(table[:, 0], low, high) / table[:, 0]
        if np.allclose(ratio, 1):
            break
        table *= ratio[:, None] ** np.maximum(1 - (YEARS - 2003) / 10, 0)
    return table.ravel()


def _nineteen(y: Array, named: frozenset[str]) -> frozenset[str]:
    """The 19 provinces with the highest RCD of 2003 in their regions; the paper names three and counts by region."""
    f = provinces()[["name_en", "region4"]].assign(y=y.reshape(31, 21)[:, 0])
    f = f.assign(named=f["name_en"].isin(named)).sort_values(["named", "y"], ascending=False)
    counts = {"East": 9, "Central": 5, "West": 2, "Northeast": 3}
    return frozenset(k for r, n in counts.items() for k in f.loc[f["region4"] == r, "name_en"].head(n))


def _lists(v: dict[str, Array], goal: Printed) -> None:
    """The same for FI, whose parts share the correction."""
    fi = v["LI"] + v["KI"] + v["TI"]
    ratio = _list(fi, goal.above["FI", 2003]) / fi
    for k in ("LI", "KI", "TI"):
        v[k] = v[k] * ratio


def did(y: Array, treated: Array) -> float:
    """Two-way fixed-effects estimate of the policy on ln RCD, all 651 province-years."""
    d = FULL.within(FULL.expand(treated.astype(float)) * np.tile(YEARS >= POLICY_YEAR, 31))
    return float(d @ FULL.within(np.log(y)) / (d @ d))


def _before(y: Array, treated: Array, goal: Printed, want: float) -> Array:
    """The years before 2013: the list of 2003, and a level of the treated that makes the policy's estimate ``want``."""
    table, early = y.reshape(31, 21).copy(), YEARS < POLICY_YEAR
    log = np.log(table)
    stand = (log - log.mean(0))[:, ~early].mean(1, keepdims=True)  # parallel paths of ln RCD but for noise
    noise = log[:, early] - log[:, early].mean(0)
    table[:, early] = np.exp(0.95 * stand + 0.25 * (noise - noise.mean(1, keepdims=True)))
    for k in range(4):
        off = did(table.ravel(), treated) - want
        table[np.ix_(treated, early)] *= np.exp(off)
        if k < 3:
            table = _list(table.ravel(), _nineteen(table.ravel(), goal.above["RCD", 2003])).reshape(31, 21)
        level = np.where(early, 0.071 + 0.0118 * (YEARS - 2003), table.mean(0))
        table *= level / table.mean(0)
    return table.ravel()


def _assemble(raw: dict[str, Array], levels: dict[str, Array], treated: Array) -> pd.DataFrame:
    """All raw columns in the order of the dictionary."""
    f = provinces()
    panel = f.loc[np.repeat(f.index, 21), ["code", "name_en", "name_zh", "region4", "north_south"]]
    panel = panel.rename(columns={"name_en": "province", "name_zh": "province_zh"}).reset_index(drop=True)
    panel["year"] = np.tile(YEARS, 31)
    panel["post2013"] = (panel["year"] >= 2013).astype(int)
    panel["pilot"] = np.repeat(treated.astype(int), 21)
    new = {c: raw[k] for names in paper.INDICATORS.values() for k, c in names.items()}
    new |= {c: np.round(levels[k], 5) for k, c in LEVELS.items()}
    panel = pd.concat([panel, pd.DataFrame(new)], axis=1)
    return by_dictionary(SLUG, panel)


# ---------------------------------------------------------------------------------------------- re-estimation
def estimate(panel: pd.DataFrame) -> pd.DataFrame:
    """Tables 1-8 estimated from the raw columns, beside the printed numbers.

    Columns: table, column, term, printed, printed_se, printed_stars, reached, reached_se, reached_stars. Where no
    error is printed, ``printed_se`` is half the tolerance: half a percentage point for weights (per cent), 10 per cent
    for means and standard deviations, 0.05 for R-squared.
    """
    p, frame = printed(), panel.set_index(["province", "year"])
    raw, done = paper.indicators(frame), paper.prepare(frame)
    v = {k: done[k].to_numpy(float) for k in ("LI", "KI", "TI", *ID, *CONTROLS, "RCD", "FI", "ID")}
    rows: list[tuple[Any, ...]] = []

    def add(table: str, column: str, term: str, goal: float, se: float, value: float) -> None:
        rows.append((table, column, term, goal, se, "", float(value), np.nan, ""))

    year = frame.index.get_level_values("year")
    at = 0
    for i, (name, symbols) in enumerate(INDICES.items()):
        signs = {k: s for k, s in paper.DIRECTIONS.items() if k in symbols} or 1
        for period, (first, last) in PERIODS.items():
            w = entropy_index(raw.loc[(year >= first) & (year <= last), list(symbols)], signs).weights
            for j, k in enumerate(symbols):
                add(str(i + 1), period, k, 100 * p.weights[period][at + j], 0.25, 100 * w[k])
        w = paper.index(frame, name).dimension_weights
        for k, x in w.items():
            key = {"economy": "RCD_E", "society": "RCD_S", "ecology": "RCD_N"}.get(str(k), str(k))
            add(str(i + 1), "2003-2023", key, 100 * p.whole[key], 0.25, 100 * float(x))
        at += len(symbols)
    table_4 = {"TAL": "talent", "BASE": "debt", "GAP": "income_gap", "GOV": "spending"}
    for k, (mean, sd, _, _) in p.moments.items():
        x = (frame[table_4[k]] if k in table_4 else done[k]).to_numpy(float)[SAMPLE]
        add("4", "mean", k, mean, 0.05 * mean, x.mean())
        add("4", "sd", k, sd, 0.05 * sd, x.std(ddof=1))
    short = {k: x[SAMPLE] for k, x in v.items()}
    for c in table_columns():
        f = fit(c, short)
        for term, b, se in zip((*c.terms, "_cons"), f.b, f.se, strict=True):
            goal, goal_se, star = p.estimate[c.table, c.column, term]
            rows.append(
                (c.table, c.column, term, goal, goal_se, star, float(b), float(se), stars(b, se, c.stars_df))
            )
        if (c.table, c.column) in p.r2:
            add(c.table, c.column, "R2", p.r2[c.table, c.column], 0.025, f.r2)
    names = "table column term printed printed_se printed_stars reached reached_se reached_stars"
    return pd.DataFrame(rows, columns=names.split())


MAIN = {"FI", "LI", "KI", "TI", *ID, "ID"}


def missed(table: pd.DataFrame) -> list[str]:
    """Targets not met: two printed errors away, or, for the main regressors, another sign or other stars."""
    bad = []
    for r in table.itertuples():
        wrong = abs(r.reached - r.printed) > 2 * r.printed_se
        if r.term in MAIN and np.isfinite(r.reached_se):
            wrong |= np.sign(r.reached) != np.sign(r.printed) or r.reached_stars != r.printed_stars
        if wrong:
            bad.append(
                f"Table {r.table} ({r.column}) {r.term} {r.reached:.4f}{r.reached_stars} instead of {r.printed:.4f}"
            )
    return bad


def _truth(seed: int, attempt: int, d: Drawn, table: pd.DataFrame, log: dict[str, Any]) -> dict[str, Any]:
    """The truth file of a panel."""
    q, names = d.process, provinces()["name_en"]
    listed = []
    for r in table.itertuples():
        one = {"table": r.table, "column": r.column, "term": r.term, "printed": r.printed}
        one |= {
            "reached": round(r.reached, 6),
            "within_2se": bool(abs(r.reached - r.printed) <= 2 * r.printed_se),
        }
        if np.isfinite(r.reached_se):
            one |= {"reached_se": round(r.reached_se, 6), "same_stars": r.reached_stars == r.printed_stars}
        listed.append(one)
    total = {
        k: round(b + q.mediator * sum(q.first_stage), 4)
        for k, b in zip(("LI", "KI", "TI"), q.direct, strict=True)
    }
    return {
        "data": "SIMULATED DATA for teaching. Names and regions of provinces are real, every number is made up.",
        "paper": SLUG,
        "seed": seed,
        "mode": "matched",
        "jitter": 0.0,
        "attempt": attempt,
        "total_effect": total,
        "direct_effect": dict(zip(("LI", "KI", "TI"), q.direct, strict=True)),
        "mediator_effect": q.mediator,
        "first_stage": dict(zip(ID, q.first_stage, strict=True)),
        "effect_added_by_region": q.regional,
        "policy": {
            "what": "a fictional programme, assigned by lot; column pilot marks its provinces",
            "year": POLICY_YEAR,
            "effect": q.policy_effect,
            "provinces": [str(k) for k in names[d.treated]],
            "estimate": round(did(d.y, d.treated), 4),
            "note": "ln RCD of the pilot provinces is higher by the effect from that year on, in the shipped years 2003-2023; "
            "after 2013 it is part of the province effects, so that Tables 5-8 do not see it",
        },
        "process": {
            "outcome": "RCD = province + year + direct effects of LI, KI, TI + region's addition x FI + mediator effect x ID "
            "+ controls + policy + error",
            "mediator": "ID_k = province + year + first_stage_k x FI + controls + error",
            "controls": dict(zip(CONTROLS, q.controls, strict=True)),
            "first_stage_controls": dict(zip(CONTROLS, q.first_stage_controls, strict=True)),
            "error": f"first-order autoregression, persistence {q.persistence}, standard deviation {q.noise}",
        },
        "regressors": {
            "TAL": "(talent - min) / (max - min) over 2013-2023",
            "BASE": "debt",
            "GAP": "(max - income_gap) / (max - min) over 2013-2023: high where the gap is narrow",
            "GOV": "spending",
            "lag one": "all regressors of the year before",
            "random effects": "no year effects, Swamy-Arora, errors clustered by province",
        },
        "calibration": "All variables of the regressions were moved, as little as possible, until the numbers listed "
        "under targets hold: finite-sample coefficients and clustered errors equal the printed ones by construction. "
        "Bias and coverage are to be studied with drawn panels.",
        "indicators": log,
        "targets": listed,
        "unreachable": [{"what": a, "reason": b} for a, b in UNREACHABLE],
    }


UNREACHABLE = (
    (
        "Table 4, minimum of TAL",
        f"-0.009 is impossible for a share; the least share here is {TAL_MINIMUM} per cent.",
    ),
    (
        "Table 7, constants of the lagged columns exactly",
        "With regressors of the year before, ybar - xbar'b of 2014-2023 is about 0.01 above the printed constants; "
        "these fit the mean of RCD over 2013-2022. They are targets with a wide tolerance.",
    ),
    (
        "Table 7, random effects",
        "Variance components, year effects and errors are not stated. Without year effects and with clustered errors "
        "the coefficients are reached; some controls have other stars.",
    ),
    (
        "Lists of provinces above the mean that contradict each other",
        "Hebei and Hunan (FI 2013), Hunan and Sichuan (RCD 2013) are above the mean in every year in one list and absent "
        "in another; the list of the year is followed.",
    ),
    (
        "GDP per head, East over West",
        "4.33 and 2.75 would need a West with more inhabitants than the East.",
    ),
    (
        "Prose results with ID in regional samples",
        "Coefficients without standard errors; they are not calibrated.",
    ),
)


# ---------------------------------------------------------------------------------------------------- rival world
BOOM: dict[str, Any] = {"mediator": 0.0, "boom": 0.12, "noise": 0.0165, "direct": (1.7172, 0.6292, 0.0952)}
"""The rival process: the total effects of the shipped one, none of them through the mediator."""


def boom(seed: int, attempt: int) -> Simulated:
    """The world ``boom``: digitisation does nothing, local booms raise it and the outcome alike.

    FI, ID and controls are those of the shipped panel. The outcome is drawn anew and moved until the tables hold; the
    coefficients that the process gives to ID (none) and to the booms, next to all that it contains, are targets too.

    Parameters
    ----------
    seed, attempt : int
        Of the panel whose causes it shares.

    Raises
    ------
    CalibrationError
        If no draw meets the targets.
    """
    shipped = _drawn(streams(STREAMS, seed, attempt))
    process = replace(shipped.process, **BOOM)
    v, goal = shipped.v, shipped.goal

    def draw(again: int) -> Simulated:
        rng = streams(STREAMS, seed, attempt, 1, again)["outcome"]
        cause = local_boom(rng, process, v)
        y, treated = outcome(rng, process, v, goal, cause, shipped.treated)
        state = _state(v, y, goal, shipped.unit)
        rows = _known(state.sample(), cause[SAMPLE])
        state.known = rows, np.array([0.0, process.noise * process.boom**0.5]), np.array([0.01, 0.0003])
        calibrate(state, ((("RCD",), 30),))
        y = _before(np.maximum(_joined("RCD", y, state.values["RCD"]), 0.02), treated, goal, shipped.want)
        d = replace(shipped, process=process, y=np.clip(y, 0.012, 0.62))
        made = _built(streams(STREAMS, seed, attempt), d, seed, attempt)
        found = [round(float(b), 4) for b in rows @ d.y[SAMPLE]]
        names = provinces()["name_en"]
        made.truth["process"] |= {
            "outcome": "RCD = province + year + direct effects of LI, KI, TI + region's addition x FI + controls + policy + "
            "local boom + error; ID has no effect",
            "mediator": "ID_k = province + year + first_stage_k x FI + controls + local boom + error",
            "boom_share": process.boom,
            "boom_meaning": "share of the local boom in the noise of ID and in that of RCD",
            "oracle": dict(zip(("ID", "boom"), found, strict=True)),
        }
        rounded = np.round(cause[SAMPLE].reshape(31, 11), 3).tolist()
        return Simulated(
            made.panel, {"world": "boom"} | made.truth | {"boom": dict(zip(names, rounded, strict=True))}
        )

    return first_that_fits(SLUG, seed, 6, draw)


def _known(v: dict[str, Array], cause: Array) -> Array:
    """Rows that give, from the outcome, the coefficients of ID and of a cause next to all that the process contains."""
    regions = np.repeat(provinces()["region4"].to_numpy(), 11)
    fi = combine(v, "FI")
    beside = [v[k] for k in ("LI", "KI", "TI", *CONTROLS)]
    beside += [fi * (regions == k) for k in ("Central", "West", "Northeast")]
    return np.linalg.pinv(SHORT.within(np.column_stack([combine(v, "ID"), cause, *beside])))[:2]


def write(folder: Path | str, seed: int = 2026) -> None:
    """Write the shipped files to a folder: panel and truth of `factor-innovation`, and of its rival world."""
    made = simulate(seed)
    made.write(SLUG, folder)
    rival = boom(seed, made.truth["attempt"])
    write_world(f"{SLUG}.boom", rival.panel, rival.truth, made.panel, ["province", "year"], Path(folder))
