"""Simulated tables for `knowledge-flows` (Ma, Zhang and Hu 2025): 296 cities, their flows, 43,660 pairs.

The order of creation:

1. cities: size, lasting light per head, knowledge stock, patenting, technology mix, endowments with their own gaps;
2. intensities of citations between any two cities, from stock, patenting, distance, technology and rail;
3. light per head: regions that converge, persistent shocks, rail, and the effect of a city's mean net inflow a year before;
4. the pair-years that count as extreme, so that all 22 printed numbers of observations hold;
5. the smallest tilt of the log intensities, oriented by the roles of each year, for which the 43
   printed coefficients hold. Light, roles, sample and R-squared stay as the process made them.

Nothing here is real data except names, codes, regions and coordinates, and the order of magnitude of some cities' size.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from first_four import _knowledge_firms as register
from first_four import _knowledge_fit as fitting
from first_four import _knowledge_links as single
from first_four import _knowledge_process as process
from first_four import _knowledge_texts as texts
from first_four._calibrate import CalibrationError
from first_four._knowledge_cities import Process
from first_four._knowledge_fit import Fit, Grid, Key, Target
from first_four._panel import Simulated, streams, write_truth
from regionbook.papers import _knowledge_pairs as build
from regionbook.papers.knowledge_flows import MODELS

SLUG = "knowledge-flows"
STREAMS = ("places", "knowledge", "patents", "rail", "history", "flows", "light", "people", "firms", "protection",
           "endowments", "imports", "goals")  # fmt: skip
ROUNDS = 9
RIVAL: dict[str, Any] = {"rounds": 14, "length": 0.6, "enough": 1.9}
"""How the rival world is tilted: more rounds, shorter steps."""


@dataclass(frozen=True)
class SimulatedTables(Simulated):
    """A simulated pair panel, its truth, and the raw tables it is built from."""

    tables: dict[str, pd.DataFrame]

    def write(self, slug: str, folder: Path | str) -> None:
        """Write every table and ``<slug>.truth.json`` to a folder."""
        for name, table in self.tables.items():
            write_table(name, table, Path(folder))
        write_truth(self.truth, Path(folder) / f"{slug}.truth.json")


def grid(w: process.World, counts: np.ndarray, light: str = "light") -> Grid:
    """All pair variables of a simulated world, the logs of the flows among them."""
    g, _ = build.build(w.tables, light, arrays={"flows": counts[:, :, :19]})
    return logs(g)


def logs(g: Grid) -> Grid:
    """Add ln(1 + count) of both flows and the difference (in place)."""
    g["lnDKF_HtoL"], g["lnDKF_LtoH"] = np.log1p(g["DKF_HtoL"]), np.log1p(g["DKF_LtoH"])
    g["lnDKF_net"] = g["lnDKF_HtoL"] - g["lnDKF_LtoH"]
    return g


def jumps(tables: dict[str, pd.DataFrame], g: Grid, light: str = "light") -> np.ndarray:
    """Sum of both cities' absolute changes of log light per head, array (pair, year)."""
    y = np.log(build.wide(tables["years"], light)[:, :20] / build.wide(tables["years"], "population")[:, :20])
    change, now = np.abs(np.diff(y, axis=1)), np.arange(19)
    return np.round(change[g["L"], now] + change[g["H"], now], 9)


def tilt_to_targets(
    w: process.World,
    g: Grid,
    goals: list[Target],
    rounds: int,
    tight: float = 0.003,
    length: float = 1.0,
    enough: float = 1.5,
) -> tuple[np.ndarray, dict[Key, Fit], dict[Key, Fit], list[dict[str, float]]]:
    """The smallest tilt of both log intensities, oriented by the roles, for which the coefficients hold.

    Gauss-Newton with analytic gradients: ``tilt += length * G'(GG' + ridge)^-1 (goal - b)``, clipped at 4 log points; the
    best round is kept; it ends when all are within ``enough`` printed errors. Returns the tilt (2, pair, year) of (H to L, L to H), the fits before and after, and a log of the rounds.
    """
    models = {k: MODELS[k] for k in dict.fromkeys(t.key for t in goals)}
    less = g["L"] == g["a"][:, None]
    tilt = np.zeros((2, *g["Bal"].shape), np.float32)
    estimator = fitting.Estimator(g, models)
    log: list[dict[str, float]] = []
    best: tuple[float, np.ndarray] = (np.inf, tilt)
    fits: dict[Key, Fit] = {}
    before: dict[Key, Fit] = {}
    for k in range(rounds + 1):
        apply(w, g, less, tilt)
        fits = estimator.fit(keep=True)
        before = fits if k == 0 else before
        rows = fitting.report(fits, goals)
        aims = np.array([aim(t, se) for t, _, se, _ in rows])
        gap = np.array([(b - x) / t.tolerance for (t, b, _, _), x in zip(rows, aims, strict=True)])
        wrong = sum(fitting.stars(b, se) != t.stars for t, b, se, _ in rows)
        far = float(np.abs([z for _, _, _, z in rows]).max())
        log.append(
            {"round": k, "largest": round(far, 3), "other_stars": wrong, "size": round(float(tilt.std()), 4)}
        )
        score = far + wrong
        if score < best[0]:
            best = (score, tilt)
        if k == rounds or (far < enough and wrong <= 1):
            break
        gradients = np.stack(
            [fitting.gradient(g, fits[t.key], t.regressor).ravel() / np.float32(t.tolerance) for t in goals]
        )
        for f in fits.values():
            f.x.clear()
        square = (gradients @ gradients.T).astype(float)
        ridge = tight**2 * np.trace(square) / len(square)
        step = (length * np.linalg.solve(square + ridge * np.eye(len(square)), -gap)).astype(np.float32)
        tilt = np.round(np.clip(tilt + (step @ gradients).reshape(tilt.shape), -4, 4), 3)
    if best[1] is not tilt:
        tilt = best[1]
        apply(w, g, less, tilt)
        fits = estimator.fit()
    return tilt, before, fits, log


def aim(t: Target, se: float) -> float:
    """Where to pull a coefficient: the print, or up to 1.2 printed errors away if the stars need it."""
    b = t.estimate
    if fitting.stars(b, se) == t.stars or not t.stars:
        return b
    bounds = {"*": (1.645, 1.96), "**": (1.96, 2.576), "***": (2.576, np.inf)}[t.stars]
    size = np.clip(abs(b), 1.04 * bounds[0] * se, 0.97 * bounds[1] * se)
    return float(np.sign(b) * np.clip(size, abs(b) - 1.2 * t.se, abs(b) + 1.2 * t.se))


def oriented(less: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Tilt of (citations by a of b, by b of a) from that of (H to L, L to H); none in 2019."""
    out = np.zeros((2, less.shape[0], 20), np.float32)
    out[0, :, :19] = np.where(
        less, tilt[0], tilt[1]
    )  # a is the less developed one: its citations are the inflow
    out[1, :, :19] = np.where(less, tilt[1], tilt[0])
    return out


def apply(w: process.World, g: Grid, less: np.ndarray, tilt: np.ndarray) -> None:
    """Redraw the flows with a tilt (in place)."""
    ab, ba = w.flows.counts(oriented(less, tilt))[:, :, :19]
    g["DKF_HtoL"], g["DKF_LtoH"] = np.where(less, ab, ba), np.where(less, ba, ab)
    logs(g)


def simulate(seed: int = 2026) -> SimulatedTables:
    """Simulate the tables of `knowledge-flows` and the panel of pairs; see `first_four.simulate`.

    Raises
    ------
    CalibrationError
        If the targets cannot be met.
    """
    with threadpool_limits(1):
        return _simulate(seed)


def _simulate(seed: int, rival: bool = False) -> SimulatedTables:
    rng, q = streams(STREAMS, seed), Process()
    w = process.world(rng, q, rival)
    g = grid(w, w.flows.counts())
    g["extreme"] = process.extremes(g, jumps(w.tables, g))
    goals = fitting.targets()
    less = g["L"] == g["a"][:, None]
    tilt, before, fits, log = tilt_to_targets(w, g, goals, **(RIVAL if rival else {"rounds": ROUNDS}))
    counts = w.flows.counts(oriented(less, tilt))
    if failed := fitting_failed(fitting.report(fits, goals)):
        raise CalibrationError("; ".join(failed))
    a, b = build.pairs(len(w.tables["cities"]))
    tables = dict(w.tables)
    tables["citations"] = citation_table(counts, a, b, tables["cities"].index)
    at, when = np.nonzero(g["extreme"])
    names = tables["cities"].index
    tables["extreme"] = pd.DataFrame(
        {
            "a": pd.Categorical.from_codes(a[at], names),
            "b": pd.Categorical.from_codes(b[at], names),
            "year": when + 2001,
        }
    )
    panel = build.frame(
        {k: v for k, v in g.items() if not k.startswith("lnDKF")}, np.arange(2001, 2020), names
    )
    truth = _truth(seed, q, goals, fits, log, before, w, g, counts)
    return SimulatedTables(panel, truth, tables)


def fitting_failed(rows: list[tuple[Target, float, float, float]]) -> list[str]:
    """Coefficients more than two printed errors from the print, or of another sign."""
    return [
        f"Table {t.key[0]} ({t.key[1]}) {t.term}: {b:.4f} instead of {t.estimate}"
        for t, b, _, z in rows
        if abs(z) > 2 or b * t.estimate < 0
    ]


def citation_table(counts: np.ndarray, a: np.ndarray, b: np.ndarray, names: pd.Index) -> pd.DataFrame:
    """Positive counts as a table sorted by citing city, cited city and year."""
    n = len(names)
    square = np.zeros((n, n, counts.shape[2]), np.int32)
    square[a, b], square[b, a] = counts
    citing, cited, year = np.nonzero(square)
    return pd.DataFrame(
        {
            "citing": pd.Categorical.from_codes(citing.astype(np.int16), names),
            "cited": pd.Categorical.from_codes(cited.astype(np.int16), names),
            "year": (year + 2000).astype(np.int16),
            "citations": square[citing, cited, year],
        }
    )


PLACEBO = {("1", "4"): MODELS["1", "4"]}


def baseline(
    tables: dict[str, pd.DataFrame], flows: np.ndarray, log_y: np.ndarray, extreme: np.ndarray
) -> float:
    """Coefficient of Table 1 (4) with other lights: same flows, same sample."""
    years = tables["years"].assign(other=np.exp(log_y).ravel() * tables["years"]["population"])
    g = logs(build.build({**tables, "years": years}, "other", arrays={"flows": flows[:, :, :19]})[0])
    g["extreme"] = extreme
    return round(fitting.Estimator(g, PLACEBO).fit()["1", "4"].at("lnDKF_net")[0], 4)


def _truth(
    seed: int, q: Process, goals: list[Target], fits: dict[Key, Fit], log: list[dict[str, float]],
    before: dict[Key, Fit], w: process.World, g: Grid, counts: np.ndarray,
) -> dict[str, Any]:  # fmt: skip
    """The truth file."""
    out: dict[str, Any] = {
        "data": "SIMULATED DATA for teaching. Names, regions and places of cities are real, every number is made up.",
        "paper": SLUG,
        "seed": seed,
        "mode": "matched",
        "jitter": 0.0,
        "factor": 1.0,
        "theta": q.theta,
        "theta_means": "causal: log light per head of a city is higher by theta one year after its mean expected net inflow "
        "over its 295 partners, ln(1 + citations that it makes) - ln(1 + citations that it receives), was higher by one",
        "pair_effect": round(2 * q.theta / 295, 6),
        "pair_effect_means": "causal: one log point more of net inflow in one pair alone raises the mean of its less "
        "developed city by 1/295 and lowers that of the other by as much, so that ln Bal of this pair rises by 2 theta / 295 "
        "(and the ratios of 588 other pairs move too)",
        "process": asdict(q)
        | {
            "outcome": "log light per head = trend + lasting level x shrinking spread + persistent shock + noise + siphon x "
            "rail + theta x net inflow of the year before (less city and year means); regions are set to their ratios",
            "flows": "log intensity = cited stock + citing patents + nearness + technology + rail + gamma noise; "
            "count = floor(intensity + U)",
            "firms": "log new digital firms follow gross inflow after four years, by firms_lag4, and not before",
            "instruments": "dark cities with many telegraph offices come to cite more (old_networks); telephones follow offices",
            "rival": "light_rival: no effect of flows or rail; cities that are behind return to their own level by themselves, "
            "while they come to cite more. Levels over years correlate, changes from year to year do not",
        },
    }
    out["calibration"] = (
        "Light, roles and sample are the process. The citations were tilted: the smallest change of the log intensities of "
        "H to L and L to H in each pair and year for which the coefficients under targets hold. The tilt uses the residual "
        "of light, so in these data flows partly anticipate catch-up: endogeneity that no theta stands for. Coefficients equal "
        "the printed ones by construction; for bias, size and coverage use drawn data."
    )
    rows = fitting.report(fits, goals)
    out["targets"] = [
        {
            "table": t.key[0], "column": t.key[1], "term": t.term, "printed": round(t.estimate, 6), "reached": round(b, 5),
            "reached_se": round(se, 5), "within_2se": bool(abs(z) <= 2), "same_stars": fitting.stars(b, se) == t.stars,
        }
        for t, b, se, z in rows
    ]  # fmt: skip
    out["rounds"] = log
    shipped = fits["1", "4"].at("lnDKF_net")[0]
    untilted = before["1", "4"].at("lnDKF_net")[0]
    plain = w.flows.counts()
    out["anatomy_of_the_coefficient"] = {
        "what": "lnDKF_net in Table 1 (4), same sample: what light without any effect of flows and rail gives, what theta and "
        "rail add, what the tilt adds",
        "no_effect": baseline(w.tables, plain, w.log_y0, g["extreme"]),
        "with_effect": round(untilted, 4),
        "shipped": round(shipped, 4),
        "no_effect_shipped_flows": baseline(w.tables, counts, w.log_y0, g["extreme"]),
        "rival_shipped_flows": baseline(w.tables, counts, w.log_rival, g["extreme"]),
    }
    out["fit"] = {
        f"{k[0]} ({k[1]})": {"n": f.n, "r2": round(f.r2, 4), "before_tilt": {n: round(float(x), 4) for n, x in
        zip(before[k].names, before[k].b, strict=True) if n.startswith("lnDKF")}} for k, f in sorted(fits.items())
    }  # fmt: skip
    out["extreme"] = {
        "cells": int(g["extreme"].sum()),
        "rule": "sum of both cities' absolute changes of log light per head; from each kind of cell, by what is missing, the "
        "largest go, with bounds that make every printed number of observations exact; a pair-year that would stand alone in "
        "a column goes too. The paper prints no rule.",
    }
    out["unreachable"] = [{"what": a, "reason": b} for a, b in UNREACHABLE]
    return out


UNREACHABLE = (
    (
        "Table 3 (2), two stars",
        "-0.0017 (0.0004) has a t of 4.25, which is three stars; whether two come out depends on the error.",
    ),
    (
        "Table 2 (4), error 0.0002; Table 3 (4), error 0.0003",
        "The errors of the other terms of these columns forbid them.",
    ),
    (
        "Table 5 (4), R-squared",
        "0.0089 above column (3) on the same rows and nearly the same regressors cannot happen.",
    ),
    (
        "103 eastern cities",
        "The sheet infers them from N; the eleven provinces have 101 in the list of 296. N holds.",
    ),
)


def reversion(seed: int) -> SimulatedTables:
    """The world ``reversion``: flows and rail do nothing, light is ``light_rival``, and the same tables are printed.

    Roles, the pair-years that are left out, firms and imports follow this light, and the citations are tilted until the
    coefficients hold.

    Raises
    ------
    CalibrationError
        If the targets cannot be met.
    """
    with threadpool_limits(1):
        made = _simulate(seed, rival=True)
    truth = made.truth
    truth["process"]["outcome"] = (
        "log light per head = trend + lasting level + persistent shock + noise - start behind one's own level x reversion^t; "
        "regions are set to their ratios. Neither flows nor rail act"
    )
    truth["process"]["theta"] = truth["process"]["siphon"] = 0.0
    none = {"theta": 0.0, "pair_effect": 0.0}
    anatomy = truth["anatomy_of_the_coefficient"]
    for name in ("no_effect", "no_effect_shipped_flows", "rival_shipped_flows"):
        anatomy.pop(name)
    anatomy["what"] = (
        "lnDKF_net in Table 1 (4): with untilted citations and light without any effect, and as shipped"
    )
    anatomy["without_tilt"] = anatomy.pop("with_effect")
    return SimulatedTables(made.panel, {"world": "reversion"} | truth | none, made.tables)


def write(folder: Path | str, seed: int = 2026) -> None:
    """Write the shipped files to a folder: raw tables and truth, and those tables that differ in the rival world."""
    folder = Path(folder)
    made = simulate(seed)
    made.write(SLUG, folder)
    write_table("patents", texts.patents(seed), folder)
    write_table("links", single.links(seed, made.tables["citations"]), folder)
    write_table("firms", register.firms(made.tables["years"], seed), folder)
    rival = reversion(seed)
    for name in ("citations", "extreme", "imports"):
        write_table(f"reversion.{name}", rival.tables[name], folder)
    years, shipped = rival.tables["years"], made.tables["years"]
    write_table(
        "reversion.years", years[[c for c in years if not years[c].equals(shipped[c])]].reset_index(), folder
    )
    write_truth(rival.truth, folder / f"{SLUG}.reversion.truth.json")


COMPACT = ("citations", "extreme", "firms", "imports", "links", "patents")
"""Tables that are written in Parquet."""


def write_table(name: str, table: pd.DataFrame, folder: Path) -> None:
    """One table: the large ones in Parquet, the others as CSV."""
    path = folder / f"{SLUG}.{name}"
    if name.startswith("reversion.") or name in COMPACT:
        table.to_parquet(
            path.with_name(path.name + ".parquet"), compression="zstd", compression_level=15, index=False
        )
        return
    flat = table.reset_index() if table.index.names != [None] else table
    flat.to_csv(path.with_name(path.name + ".csv"), index=False, lineterminator="\n", float_format="%.10g")
