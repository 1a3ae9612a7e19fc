"""Simulated panel for `city-innovation` (Tang, Cai and Wang 2026): 196 cities, 2008-2021.

The order of creation is the order of causation in the story:

1. real cities and clusters, with orders of magnitude of population and GDP (``city-innovation.skeleton.csv``);
2. *digital technology* of a city, and its measurement ``digit`` = technology x filing intensity. Patents filed for
   subsidies raise ``digit`` but not innovation: the within estimator is biased towards zero by about one half, and
   an instrument unrelated to filing recovers the effect of technology;
3. controls, instruments (port distance from coordinates, telephones of 1984), cluster-level moderators;
4. the outcome, which reacts to technology, with another slope in each cluster;
5. the outcome is projected on the paper's coefficients (`_calibrate.match`);
6. the channels, an external index, and 25 indicators whose entropy index is the outcome.

Nothing here is real data except the cities' names, places and clusters.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from first_four._calibrate import Array, CalibrationError, zscore
from first_four._city_drivers import (
    PORT_UNIT_KM,
    PROXIES,
    Process,
    anchored_digit,
    calibrated_phones,
    draw_moderators,
    matched_controls,
    technology_given,
)
from first_four._city_indicators import draw_economy, draw_indicators
from first_four._city_outcome import Work, draw_channels, draw_outcome
from first_four._city_targets import (
    CONTROL_TERMS,
    GRID,
    SLUG,
    TABLE_6,
    YEARS,
    cities,
    estimate,
    goals,
    regressors,
)
from first_four._panel import Simulated, by_dictionary, first_that_fits, streams, write_world


def _assemble(
    rng: np.random.Generator, w: Work, raw: dict[str, Array], channels: dict[str, Array]
) -> pd.DataFrame:
    """All raw columns; totals are rounded so that the ratios computed from them are the simulated ones."""
    frame = cities()
    keys = frame.loc[
        np.repeat(frame.index, 14),
        ["code", "city", "city_zh", "cluster", "cluster_zh", "primate", "stage", "structure"],
    ]
    panel = keys.reset_index(drop=True)
    panel["year"] = np.tile(YEARS, GRID.units)
    new = dict(raw) | w.economy | w.levels | channels
    new |= {"digit": w.digit, "keywords": w.keywords}
    new |= {
        "port_distance": GRID.expand(w.instruments["IV_1"]),
        "phones_1984": GRID.expand(w.instruments["IV_2"]),
    }
    for k in ("cluster_density", "cluster_gdp", *PROXIES):
        new[k] = panel["cluster"].map(w.moderators[k]).to_numpy()
    gdp, pop, ris = w.economy["gdp"], w.economy["population"], channels["ris"]
    poor = zscore(-np.log(gdp / pop) + 0.5 * GRID.expand(rng.standard_normal(GRID.units)))
    primary = 0.01 + 0.34 / (1 + np.exp(1.5 - 1.1 * poor))
    new["output_1"] = np.round(primary * gdp)
    new["output_2"] = np.round((gdp - new["output_1"]) / (1 + ris))
    new["output_3"] = gdp - new["output_1"] - new["output_2"]
    new["rd_exp"] = np.round(channels["cap"] * raw["fiscal_exp"])
    new["new_firms"] = np.round(channels["ent"] * pop * 100)
    new["cap"], new["ris"], new["ent"] = (np.round(channels[k], 6) for k in TABLE_6)
    new["inn_1"] = np.round(channels["inn_1"], 4)
    panel = pd.concat([panel, pd.DataFrame(new, index=panel.index)], axis=1)
    return by_dictionary(SLUG, panel)


# ------------------------------------------------------------------------------------------------- entry points
STREAMS = ("goals", "treatment", "controls", "instruments", "moderators", "outcome", "channels", "indicators")


def simulate(seed: int = 2026) -> Simulated:
    """Simulate the panel of `city-innovation`; see `first_four.simulate`.

    A draw that cannot meet its targets is thrown away and drawn again, at most ten times.

    Raises
    ------
    CalibrationError
        If no draw meets its targets.
    """

    def draw(attempt: int) -> Simulated:
        rng = streams(STREAMS, seed, attempt)
        return _effects(rng, _causes(rng), seed, attempt)

    return first_that_fits(SLUG, seed, 10, draw)


def _causes(rng: dict[str, np.random.Generator]) -> Work:
    """All that stands before the outcome: treatment, controls, instruments, economy, moderators."""
    wanted, process = goals(), Process()
    port = np.round(cities()["port_km"].to_numpy() / PORT_UNIT_KM, 4)
    digit = anchored_digit(rng["treatment"])
    levels = matched_controls(rng["controls"], digit)
    Cw = GRID.within(regressors(levels))
    slope, _ = wanted.estimate["4", "3", "IV_2"]
    phones = calibrated_phones(rng["instruments"], digit, Cw, wanted_f=17.4, slope=slope)
    economy = draw_economy(rng["moderators"], levels["density"])
    moderators = draw_moderators(rng["moderators"])
    w = Work(process, wanted, digit, levels, economy, moderators, {"IV_1": port, "IV_2": phones})
    w.tech = technology_given(rng["treatment"], digit, w.Md, w.MI, process.filing_share)
    return w


def _effects(rng: dict[str, np.random.Generator], w: Work, seed: int, *attempt: int) -> Simulated:
    """Outcome, channels and indicators that follow from the causes, and the truth behind all of them."""
    y = draw_outcome(rng["outcome"], w)
    channels = draw_channels(rng["channels"], w)
    for left in reversed(range(TRIES)):
        raw, w.log["raked"] = draw_indicators(
            rng["indicators"], y, w.digit, w.levels["gov"], w.economy["population"], w.economy["gdp"]
        )
        panel = _assemble(np.random.default_rng([seed, len(STREAMS), *attempt]), w, raw, channels)
        table = estimate(panel)
        bad = _missed(table)
        if not bad:
            break
        if not left or any("Table 5 (2)" not in k for k in bad):  # nothing that other indicators would mend
            raise CalibrationError("; ".join(bad))
    return Simulated(panel, _truth(seed, attempt[0], w, table))


TRIES = 6
"""Draws of the indicators until their principal-component index has the printed slope."""
NOT_GATED = {("5", "2", "_cons"), ("5", "2", "R2")}
"""Numbers of the principal-component index that depend on its scale and zero, which are not printed."""


def _missed(table: pd.DataFrame) -> list[str]:
    """Targets that are not met: more than two printed errors away, or with another sign or other stars."""
    bad = []
    for r in table.to_dict("records"):
        key = (r["table"], r["column"], r["term"])
        if key in NOT_GATED:
            continue
        wrong = abs(r["reached"] - r["printed"]) > 2 * r["printed_se"]
        if key[2].startswith("digit"):  # all of them are printed with three stars
            wrong |= r["reached"] * r["printed"] < 0 or abs(r["reached"] / r["reached_se"]) < 2.576
        if wrong:
            bad.append(f"Table {key[0]} ({key[1]}) {key[2]} {r['reached']:.4f} instead of {r['printed']:.4f}")
    return bad


def _truth(seed: int, attempt: int, w: Work, table: pd.DataFrame) -> dict[str, Any]:
    """The truth file of a panel."""
    q, log = w.process, w.log
    listed = []
    for r in table.to_dict("records"):
        key = (r["table"], r["column"], r["term"])
        row = dict(zip(("table", "column", "term"), key, strict=True)) | {"printed": r["printed"]}
        if key in w.goals.estimate:
            row["aimed_at"] = round(w.goals.estimate[key][0], 6)
        row["reached"] = round(r["reached"], 6)
        row["within_2se"] = bool(abs(r["reached"] - r["printed"]) <= 2 * r["printed_se"])
        listed.append(row)
    return (
        {
            "data": "SIMULATED DATA for teaching. Names, places and clusters of cities are real, every number is made up.",
            "paper": SLUG,
            "seed": seed,
            "mode": "matched",
            "jitter": 0.0,
            "attempt": attempt,
            "beta": q.beta,
            "beta_by_cluster": log["beta_by_cluster"],
        }
        | {
            "process": {
                "outcome": "inn = city scale + common trend + beta_cluster * technology + controls + error",
                "treatment": "digit = technology + strategic filing; filing does not raise inn and is unrelated to the "
                "instruments, so the within estimator is biased towards zero and 2SLS is not",
                "filing_share": q.filing_share,
                "filing_meaning": "share of filing in the within variation of digit that the instruments do not explain",
                "error": f"first-order autoregression, persistence {q.noise_persistence}, larger in larger cities",
                "controls": dict(zip(CONTROL_TERMS, q.controls, strict=True)),
                "instruments": {
                    "IV_1": f"distance to the nearest port in {PORT_UNIT_KM:.0f} km, from coordinates, x (year - 2007)",
                    "IV_2": "telephones of 1984, historical size diluted by noise, x (year - 2007)",
                },
                "channels": "cap, ris and ent react to technology; they do not enter inn",
                "channel_effects": log["channel_effects"],
                "sci_share_and_pat_apply": "indicators of inn that overlap with cap and with digit, as in the paper",
                "slipped_decimals": "one city-year each of green and hc, three of hum",
            },
            "regressors": {
                "gov": "gov / 1000",
                "ln density": "ln(density)",
                "ln hum": "ln(1 + hum)",
                "ln fin": "ln(fin * 1e7)",
                "ln trans": "ln(trans * 1000)",
                "ln protect": "ln(protect)",
                "ln unemploy": "ln(unemploy * 10000)",
                "keywords": "keywords / 100",
            },
            "coupling": "100 * 2 * sqrt(u * v) / (u + v), u and v = pat_grant and gdp_growth scaled to [0, 1]",
            "digit_share_by_cluster": log["digit_share_by_cluster"],
        }
        | {
            "projection": "The structural outcome was moved, as little as possible, until the coefficients listed under "
            "targets hold: finite-sample coefficients equal the printed ones by construction. Bias and coverage are to "
            "be studied with drawn panels.",
            "before_projection": {k: round(v, 4) for k, v in log["structural"].items()},
            "moved": {k: round(v, 4) for k, v in log["moved"].items()},
            "indicators": {
                "sum_of_redundancies": round(log["raked"].total, 4),
                "largest_gap": float(f"{log['raked'].gap:.1e}"),
            },
            "targets": listed,
            "unreachable": [{"what": a, "reason": b} for a, b in UNREACHABLE],
        }
    )


UNREACHABLE = (
    (
        "Table 7, column 1, both coefficients exactly",
        "The within slope of Table 3 is digit + stage slope x m, with m the mean stage weighted by digit's variation. "
        "The printed pair asks for m = 1.77, three quarters of the variation in stage-2 clusters; with Beijing, "
        "Shanghai and Shenzhen in stage 1 it is near 1.16. -0.0340 is imposed, so that both are within two errors.",
    ),
    (
        "Table 5, column 5, constant exactly",
        "0.092 is imposed (1.5 printed errors above 0.0543); the printed number would take more residual variation "
        "than the printed standard error of digit leaves.",
    ),
    (
        "Table 4, constants and R2",
        "Both second stages have the same regressors and nearly the same slope, so constants and R2 must agree; printed "
        "-0.2711 and -0.4147, 0.6422 and 0.7633, the latter above least squares. First-stage constants and R2 fit "
        "a regression without city effects.",
    ),
    (
        "Table 4, standard error 0.0596 of the second stage with IV_1",
        "A robust error is about 0.025 here; clustering by city gives nearly 0.06, so the printed one may be clustered.",
    ),
    (
        "Table 6, column 1, standard error 0.0061",
        "Error, R2 and Table 2's standard deviation together ask for more variation within cities than there is in "
        "all. The error is 0.0057 here.",
    ),
    (
        "Table 3, column 1, standard error 0.0078 of ln hum",
        "No variable with Table 2's mean, standard deviation and maximum has enough variation; the least possible "
        "error is 0.0083 if ln hum is ln(1 + hum).",
    ),
    (
        "Table 5, column 2, standard error and constant",
        "Scale and zero of a principal-component score are not printed. With components of unit variance, eigenvalues "
        "above one, weighted by their eigenvalues, the slope is reached; t is between 40 and 50 instead of 20.9, because a "
        "score of the 25 indicators follows digit nearly as closely as their entropy index does.",
    ),
    (
        "tertiary as output_3/gdp",
        "Shares that agree with Table 2's ris get an entropy weight of about 0.6 per cent (1.1 at most if the primary "
        "share stays below 40 per cent), not the printed 1.6472. tertiary is a yearbook series of its own.",
    ),
    (
        "cap as the location quotient of eq. (3), ris as the weighted sum of eq. (4)",
        "Table 2's ranges are impossible for both; cap is rd_exp/fiscal_exp, ris is output_3/output_2.",
    ),
)


# ---------------------------------------------------------------------------------------------------- rival world
COAST: dict[str, Any] = {"beta": 0.085, "filing_share": 0.0, "direct": (-0.000118, 0.001557)}
"""The rival process: every patent is technology, and both instruments act on the outcome by themselves."""


def coast(seed: int, attempt: int) -> Simulated:
    """The world ``coast``: the causes of the shipped panel, another effect, invalid instruments.

    Without filing least squares is right but for the growth that the instruments bring along (0.100 for an effect of
    0.085), and 2SLS takes the direct effects for effects of digit. The direct effects are those with which both
    instruments find the printed coefficients.

    Parameters
    ----------
    seed, attempt : int
        Of the panel whose causes it shares; noise, channels and indicators are drawn anew.

    Raises
    ------
    CalibrationError
        If no draw meets the targets.
    """

    def draw(again: int) -> Simulated:
        w = _causes(streams(STREAMS, seed, attempt))
        w.process = replace(w.process, **COAST)
        w.tech = w.digit
        made = _effects(streams(STREAMS, seed, attempt, 1, again), w, seed, attempt, 1, again)
        made.truth["process"] |= {
            "outcome": "inn = city scale + common trend + beta_cluster * digit + direct effects of the instruments + "
            "controls + error",
            "treatment": "digit = technology, without any filing; coast and old towns gain on the others by themselves, so "
            "2SLS takes their growth for an effect of digit and least squares nearly finds the truth",
            "direct": dict(zip(w.instruments, w.process.direct, strict=True)),
            "channels": "cap, ris and ent react to digit; they do not enter inn",
        }
        made.truth["process"].pop("filing_meaning")
        return Simulated(made.panel, {"world": "coast"} | made.truth | {"oracle": w.log["oracle"]})

    return first_that_fits(SLUG, seed, 10, draw)


def write(folder: Path | str, seed: int = 2026) -> None:
    """Write the shipped files to a folder: panel and truth of `city-innovation`, and of its rival world."""
    made = simulate(seed)
    made.write(SLUG, folder)
    rival = coast(seed, made.truth["attempt"])
    write_world(f"{SLUG}.coast", rival.panel, rival.truth, made.panel, ["city", "year"], Path(folder))
