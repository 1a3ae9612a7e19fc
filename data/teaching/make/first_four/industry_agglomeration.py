"""Simulated panel for `industry-agglomeration` (Zhao, Jiang and Xu 2026): 280 cities, 2013-2022.

The order of creation is the order of causation in the story:

1. real cities, their borders and their distance to Hangzhou;
2. six controls, and the location quotient of digital jobs. Misclassified jobs move the measured quotient but not
   productive forces: least squares is biased towards zero by nearly one half; an instrument that only moves true
   agglomeration (the nearer to Hangzhou, the faster it grows) recovers the effect;
3. government and market variables; where a common leaning is high the effect is larger;
4. the outcome, a spatial Durbin process on contiguity with a true rho of -0.21;
5. treatment, controls and outcome are pulled to the paper's tables (`_calibrate.match`);
6. the channels, 16 indicators whose entropy index is the outcome, employment whose quotient is the treatment.

Nothing here is real data except the cities' names, places and borders.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from first_four._agglomeration_drivers import (
    WITHIN,
    Process,
    matched_agglomeration,
    matched_controls,
)
from first_four._agglomeration_indicators import (
    draw_economy,
    draw_groups,
    draw_indicators,
    draw_jobs,
    draw_sectors,
    least_index,
)
from first_four._agglomeration_outcome import (
    Work,
    draw_channels,
    draw_outcome,
    hidden_cause,
    true_agglomeration,
)
from first_four._agglomeration_targets import (
    ALONE,
    CHANNELS,
    GRID,
    LATE,
    SLUG,
    SPLITS,
    W_SCALE,
    YEARS,
    cities,
    eigenvalues,
    estimate,
    printed,
    split_effects,
    two_stage,
    weights,
)
from first_four._calibrate import Array, CalibrationError
from first_four._panel import Simulated, by_dictionary, first_that_fits, streams, write_world
from regionbook.papers import industry_agglomeration as paper


def _assemble(columns: dict[str, Array]) -> pd.DataFrame:
    """Keys and raw columns, in the order and with the types of the data dictionary."""
    frame = cities()
    keys = frame.loc[np.repeat(frame.index, GRID.periods), ["code", "city", "city_zh", "lon", "lat"]]
    panel = keys.reset_index(drop=True)
    panel["province"], panel["province_zh"], panel["region"] = (
        np.repeat(frame[k].to_numpy(), GRID.periods) for k in ("province_en", "province", "region4")
    )
    panel["year"] = np.tile(YEARS, GRID.units)
    panel["hangzhou_km"] = GRID.expand(np.round(frame["km"].to_numpy(), 1))
    panel = pd.concat([panel, pd.DataFrame(columns, index=panel.index)], axis=1)
    return by_dictionary(SLUG, panel)


def variables(panel: pd.DataFrame) -> dict[str, Array]:
    """Variables of the regressions, from the raw columns, under the names that `estimate` uses."""
    ready = paper.prepare(panel.set_index(["city", "year"]))
    names = {"New-productivity": "new_productivity"} | dict(zip(CHANNELS, paper.CHANNELS, strict=True))
    names |= {k: k for k in ("agglomeration", *paper.CONTROLS, *SPLITS, "distance_trend")}
    return {k: ready[v].to_numpy(float) for k, v in names.items()}


# ------------------------------------------------------------------------------------------------- entry points
STREAMS = ("goals", "controls", "treatment", "groups", "outcome", "channels", "indicators", "jobs")


def simulate(seed: int = 2026) -> Simulated:
    """Simulate the panel of `industry-agglomeration`; see `first_four.simulate`.

    A draw that cannot meet its targets is thrown away and drawn again, at most ten times.

    Raises
    ------
    CalibrationError
        If no draw meets its targets.
    """

    def draw(attempt: int) -> Simulated:
        rng = streams(STREAMS, seed, attempt)
        return _effects(rng, *_causes(rng), seed, attempt)

    return first_that_fits(SLUG, seed, 10, draw)


def _causes(rng: dict[str, np.random.Generator]) -> tuple[Work, dict[str, Array], dict[str, Array]]:
    """All that stands before the outcome: treatment, controls, economy and grouping variables."""
    levels = matched_controls(rng["controls"])
    agglomeration = matched_agglomeration(rng["treatment"], levels)
    economy = draw_economy(rng["groups"], levels)
    groups = draw_groups(rng["groups"], economy)
    w = Work(Process(), printed(), agglomeration, levels, {k: groups[k] for k in SPLITS})
    w.signal = true_agglomeration(w)
    return w, economy, groups


def _effects(
    rng: dict[str, np.random.Generator],
    w: Work,
    economy: dict[str, Array],
    groups: dict[str, Array],
    seed: int,
    attempt: int,
) -> Simulated:
    """Outcome, channels and indicators that follow from the causes, and the truth behind all of them."""
    y = draw_outcome(rng["outcome"], w, least_index(economy))
    channels = draw_channels(rng["channels"], w)
    raw, w.log["indicators"] = draw_indicators(rng["indicators"], y, economy, 2e-4)
    columns = raw | economy | draw_jobs(rng["jobs"], w.agglomeration)
    columns |= draw_sectors(rng["jobs"], economy, channels)
    columns |= {k: groups[k] for k in ("digital_words", "nqpf_words", "market", "integration")}
    columns |= {k: groups[k] for k in ("gov_staff", "private_staff")}
    columns |= {k: channels[k] for k in ("exchanges", "pilots")}
    columns["rd_staff"] = np.round(1e4 * channels["rd_staff"])
    columns["pat_apply"] = np.round(channels["patents_pc"] * economy["population"] / 10)
    panel = _assemble(columns)
    frame = variables(panel)
    table = estimate(frame)
    extras = {"two_stage": two_stage(frame), "splits": split_effects(frame)}
    if bad := _missed(table, extras):
        raise CalibrationError("; ".join(bad))
    return Simulated(panel, _truth(seed, attempt, w, table, extras))


def _stars(t: float) -> int:
    return int(np.searchsorted([1.645, 1.960, 2.576], abs(t)))


def _missed(table: pd.DataFrame, extras: dict[str, Any]) -> list[str]:
    """Targets that are not met: more than two printed errors away, or with another sign or other stars."""
    bad = []
    for r in table.itertuples():
        wrong = abs(r.reached - r.printed) > 2 * r.printed_se
        if np.isfinite(r.reached_se):
            wrong |= np.sign(r.reached) != np.sign(r.printed)
            wrong |= _stars(r.reached / r.reached_se) != _stars(r.printed / r.printed_se)
        if wrong:
            bad.append(f"Table {r.table} ({r.column}) {r.term} {r.reached:.4f} instead of {r.printed:.4f}")
    for name, s in extras["splits"].items():
        high_wins = name in SPLITS[:4]
        if (s["high"] > s["low"]) != high_wins:
            bad.append(f"split by {name}: {s['high']:.4f} above the median, {s['low']:.4f} below")
    if (
        extras["two_stage"]["estimate"] < 2.576 * extras["two_stage"]["se"]
        or extras["two_stage"]["first_F"] < 16
    ):
        bad.append(f"2SLS: {extras['two_stage']}")
    return bad


def true_impacts(process: Process) -> dict[str, float]:
    """Direct, indirect and total effect of true agglomeration under the process, averaged over cities."""
    M = np.linalg.inv(np.eye(GRID.units) - process.rho * weights())
    S = M @ (process.beta * np.eye(GRID.units) + process.theta * weights())
    direct, total = float(np.trace(S)) / GRID.units, float(S.sum()) / GRID.units
    return {"direct": round(direct, 6), "indirect": round(total - direct, 6), "total": round(total, 6)}


def _truth(seed: int, attempt: int, w: Work, table: pd.DataFrame, extras: dict[str, Any]) -> dict[str, Any]:
    """The truth file of a panel."""
    q = w.process
    listed = [
        {
            "table": r.table,
            "column": r.column,
            "term": r.term,
            "printed": r.printed,
            "reached": round(r.reached, 6),
            **({"reached_se": round(r.reached_se, 6)} if np.isfinite(r.reached_se) else {}),
            "within_2se": bool(abs(r.reached - r.printed) <= 2 * r.printed_se),
        }
        for r in table.itertuples()
    ]
    omega = eigenvalues()
    truth = {
        "data": "SIMULATED DATA for teaching. Names, places and borders of cities are real, every number is made up.",
        "paper": SLUG,
        "seed": seed,
        "mode": "matched",
        "jitter": 0.0,
        "attempt": attempt,
        "beta": q.beta,
        "attenuated_beta": round(q.beta * (1 - q.noise_share), 6),
        "theta": q.theta,
        "rho": q.rho,
        "impacts": true_impacts(q),
        "effect_by_score": {
            "formula": "effect = beta * (1 + heterogeneity * (score - c)), c: its mean over what the instrument moves; score = standardised sum of the standardised "
            "ln(1 + x) of the six grouping variables, the last two with a minus",
            "heterogeneity": q.heterogeneity,
        },
        "process": {
            "outcome": "y = rho W y + effect * true agglomeration + theta W true agglomeration + controls + city level "
            "+ common path + error; W row-standardised contiguity",
            "treatment": "measured quotient = true agglomeration + misclassified jobs, which do not raise the outcome "
            "and are unrelated to the instrument: least squares is biased towards zero by noise_share, 2SLS is not",
            "noise_share": q.noise_share,
            "noise_meaning": "share of misclassified jobs in the variation of the quotient that city, year, controls "
            "and instrument do not explain",
            "error": f"first-order autoregression, persistence {q.noise_persistence}, and city trends, both larger in "
            "cities with a high level",
            "controls": dict(zip(paper.CONTROLS, q.controls, strict=True)),
            "instrument": "distance to Hangzhou in 1,000 km x (year - 2012): agglomeration grows more slowly far away",
            "channels": "the six outcomes of Table 4 react to true agglomeration; they do not enter the outcome",
            "overlap": "sci_exp and edu_exp are indicators of the outcome and make up the control support, as in the "
            "paper",
            "slips": "one city-year each of unemployed and traffic, 24 standard deviations out, as in Table 2",
        },
        "weights_matrix": {
            "kind": "contiguity of the 280 cities, row-standardised",
            "links": int((weights() > 0).sum() // 2),
            "admissible_rho": [round(float(1 / omega.min()), 6), round(float(1 / omega.max()), 6)],
            "scale_that_prints_table_5": W_SCALE,
        },
        "cities": {"founded_late_or_no_series": LATE, "no_land_border_in_sample": ALONE},
        "two_stage_least_squares": extras["two_stage"]
        | {
            "estimand": round(w.log["estimand"], 6),
            "meaning": "The instrument moves neighbours together, so 2SLS without spatial terms estimates neither beta "
            "nor the direct effect but about the total effect of true agglomeration.",
        },
        "median_splits": extras["splits"],
    }
    return truth | {
        "projection": "Controls, treatment and outcome were moved, as little as possible, until the coefficients "
        "listed under targets hold: finite-sample coefficients equal the printed ones by construction, 2SLS equals "
        "its estimand. Bias and coverage are to be studied with drawn panels.",
        "implied": {
            "sum_of_squares_within_cities": WITHIN,
            "variance_ratio_psi": round(w.log["psi"], 4),
            "table_3_columns_1_and_2": "random effects (Swamy-Arora), R2 within cities",
        },
        "moved": {k: round(v, 4) for k, v in w.log["moved"].items()},
        "indicators": {k: round(v, 5) for k, v in w.log["indicators"].items()},
        "targets": listed,
        "unreachable": [{"what": a, "reason": b} for a, b in UNREACHABLE],
    }


UNREACHABLE = (
    (
        "Table 5, rho = -2.1086 with row-standardised or binary contiguity",
        "Outside (-1, 1) for row-standardised and (-0.32, 0.16) for binary weights of these cities. The panel has "
        "-0.21086 (0.029) with row-standardised weights, so weights divided by 10 print -2.1086 (0.29).",
    ),
    (
        "Table 5, W x agglomeration -0.0594 (0.0327) together with its star",
        "With weights divided by 10 the error is 0.017, and the printed coefficient would be significant at 1 per cent. "
        "Sign and star are kept; the coefficient is -0.030, within one printed error. An error of 0.0327 needs weights "
        "divided by about 20, with which rho would be -4.2: no single scale prints both errors.",
    ),
    ("Table 5, R2 0.0087", "Which R2 is printed is unknown; it is not a target."),
    (
        "Table 3, column 3, error 0.0002 of develop",
        "0.00025 here, on the border of rounding.",
    ),
    (
        "Table 4, column 3, constant and R2 exactly",
        "Exchanges are whole numbers that never fall; both are within a quarter of a printed error and 0.03.",
    ),
    (
        "Instrument, robustness, splits, Moran's I",
        "The paper prints no numbers; sign, significance and direction are as its text says.",
    ),
)


# ---------------------------------------------------------------------------------------------------- rival world
HIDDEN: dict[str, Any] = {"beta": 0.0092, "theta": -0.0034, "noise_share": 0.0}
"""Effects of the hidden cause, its own and its neighbours'; the quotient itself has none and is measured rightly."""
OWN, BYPASS = 1.98, 0.9
"""Variation of the hidden cause's own, and its further growth near Hangzhou; see `hidden_cause`."""


def hidden(seed: int, attempt: int) -> Simulated:
    """The world ``hidden``: agglomeration does nothing, a cause that nobody measured moves it and the outcome.

    Treatment, controls, grouping variables and economy are those of the shipped panel. The cause follows the instrument
    more than the quotient does, so that 2SLS is wrong as well; its effect differs by group as the shipped one does.

    Parameters
    ----------
    seed, attempt : int
        Of the panel whose causes it shares.

    Raises
    ------
    CalibrationError
        If no draw meets the targets.
    """

    def draw(again: int) -> Simulated:
        rng, new = streams(STREAMS, seed, attempt), streams(STREAMS, seed, attempt, 1, again)
        w, economy, groups = _causes(rng)
        w.process = replace(w.process, **HIDDEN)
        w.hidden = w.signal = hidden_cause(new["treatment"], w, OWN, BYPASS)
        made = _effects(new | {"jobs": rng["jobs"]}, w, economy, groups, seed, attempt)
        truth = made.truth
        none: dict[str, Any] = {"beta": 0.0, "attenuated_beta": 0.0, "theta": 0.0}
        none["impacts"] = dict.fromkeys(truth["impacts"], 0.0)
        truth["effect_by_score"]["formula"] = "as in the shipped world, of the hidden cause"
        truth["process"] |= {
            "outcome": "y = rho W y + effect * hidden cause + theta W hidden cause + controls + city level + common path + "
            "error; W row-standardised contiguity; agglomeration has no effect",
            "treatment": "the quotient is measured rightly; it moves with the hidden cause, of which it is a part",
            "instrument": truth["process"]["instrument"]
            + ", and so does the hidden cause, even more: not valid",
            "channels": "the six outcomes of Table 4 react to the hidden cause",
            "hidden_effect": w.process.beta,
            "hidden_theta": w.process.theta,
        }
        truth["process"].pop("noise_meaning")
        truth["two_stage_least_squares"]["meaning"] = (
            "2SLS finds what the hidden cause does near Hangzhou; agglomeration does nothing."
        )
        values = np.round(GRID.by_unit(w.hidden), 3).tolist()
        latent = {"hidden": dict(zip(cities()["city"], values, strict=True))}
        return Simulated(made.panel, {"world": "hidden"} | truth | none | latent)

    return first_that_fits(SLUG, seed, 10, draw)


def write(folder: Path | str, seed: int = 2026) -> None:
    """Write the shipped files to a folder: panel and truth of `industry-agglomeration`, and of its rival world."""
    made = simulate(seed)
    made.write(SLUG, folder)
    rival = hidden(seed, made.truth["attempt"])
    write_world(f"{SLUG}.hidden", rival.panel, rival.truth, made.panel, ["city", "year"], Path(folder))
