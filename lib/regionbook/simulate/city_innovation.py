"""Simulated panel for `city-innovation` (Tang, Cai and Wang 2026): 196 cities, 2008-2021.

The order of creation is the order of causation in the story:

1. real cities and clusters, with orders of magnitude of population and GDP (``city-innovation.skeleton.csv``);
2. *digital technology* of a city, and its measurement ``digit`` = technology x filing intensity. Patents filed for
   subsidies raise ``digit`` but not innovation: the within estimator is biased towards zero by about one half, and
   an instrument unrelated to filing recovers the effect of technology;
3. controls, instruments (port distance from coordinates, telephones of 1984), cluster-level moderators;
4. the outcome, which reacts to technology, with another slope in each cluster;
5. *matched* mode only: the outcome is projected on the paper's coefficients (`_calibrate.match`);
6. the channels, an external index, and 25 indicators whose entropy index is the outcome.

Nothing here is real data except the cities' names, places and clusters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq, least_squares

from regionbook.simulate._calibrate import (
    Array,
    CalibrationError,
    Grid,
    Squares,
    Targets,
    marginal,
    match,
    minmax,
    residual,
    soft_floor,
    zscore,
)
from regionbook.simulate._city_indicators import AT, draw_economy, draw_indicators
from regionbook.simulate._city_targets import (
    CONTROL_TERMS,
    CONTROLS,
    FE_DF,
    GRID,
    SLUG,
    TABLE_6,
    TABLE_7,
    YEARS,
    Printed,
    cities,
    constant_row,
    estimate,
    goals,
    printed,
    regressors,
    to_primate,
    winsorise,
)

PORT_UNIT_KM = 150.0
"""Unit of ``port_distance``; the printed slope -0.0010 belongs to about this unit."""


@dataclass(frozen=True)
class Process:
    """Parameters of the data-generating process (what ``truth.json`` tells).

    Attributes
    ----------
    beta : float
        Effect on ``inn`` of digital technology worth 10,000 applications; average over clusters, weighted by their
        share in the within variation of digit.
    filing_share : float
        Share of strategic filing in the within variation of ``digit`` that the instruments do not explain.
    filing_sd : float
        Standard deviation of log filing intensity in the last year (drawn mode).
    filing_persistence, noise_persistence : float
        First-order autocorrelation of the passing part of filing and of the outcome error.
    controls : tuple
        Coefficients of the seven controls in the outcome.
    between, trend, noise : float
        Amplitudes of the outcome's between-city part, common trend (a standard deviation) and error.
    """

    beta: float = 0.197
    filing_share: float = 0.52
    filing_sd: float = 0.5
    filing_persistence: float = 0.5
    noise_persistence: float = 0.5
    controls: tuple[float, ...] = (-3.1662, -0.0293, -0.0022, 0.0002, -0.0002, -0.0036, -0.0006)
    between: float = 0.031
    trend: float = 0.006
    noise: float = 0.0067


# ------------------------------------------------------------------------------------------------- treatment
def _anchored_digit(rng: np.random.Generator) -> Array:
    """Measured digit around the cities' orders of magnitude: printed mean, SD and maximum, whole applications."""
    frame, t = cities(), (np.arange(14) - 13) / 13
    n, (mean, sd, _, top) = len(frame), printed().moments["digit"]
    small = 0.0036 * (frame["gdp"] / 2500) * np.exp(rng.normal(0, 0.6, n))
    end = frame["digital"].fillna(small).to_numpy()
    steady = np.where(frame["digital"] > 0.3, 0.3, 1.0)
    growth = 2.5 + 0.25 * steady * rng.standard_normal(n)
    raw = (end[:, None] * np.exp(growth[:, None] * t)).ravel()
    raw *= np.exp(0.20 * GRID.expand(steady) * GRID.ar1(rng, 0.5))
    last = _row("Shenzhen") * 14 + 13

    def measured(p: Array) -> Array:
        d = np.exp(p[0]) * raw ** np.exp(p[1])
        d = d / (1 + (d / top) ** 12) ** (1 / 12)
        d[last] = top
        return d

    fit = least_squares(lambda p: [measured(p).mean() / mean - 1, measured(p).std(ddof=1) / sd - 1], [0, 0])
    return np.round(measured(fit.x) * 1e4) / 1e4


def _forward_digit(
    rng: np.random.Generator, frame: pd.DataFrame, process: Process, giants: float
) -> tuple[Array, Array]:
    """Technology and measured digit as the process makes them: digit = technology x exp(filing intensity).

    The exponential of filing intensity has mean one and is unrelated to everything else (classical error).
    """
    grid, t = Grid(len(frame), 14), (np.arange(14) - 13) / 13
    small = 0.0036 * (frame["gdp"] / 2500) * np.exp(rng.normal(0, 0.6, len(frame)))
    end = frame["digital"].fillna(small).to_numpy() ** (1.19 * giants)
    end *= 0.105 / end.mean()
    growth = 2.8 + 0.25 * rng.standard_normal(len(frame))
    tech = (end[:, None] * np.exp(growth[:, None] * t)).ravel() * np.exp(0.1 * rng.standard_normal(grid.size))
    lasting = 0.8 * rng.standard_normal(len(frame))[:, None] * (1 + t)
    intensity = lasting + 0.6 * grid.by_unit(grid.ar1(rng, process.filing_persistence))
    variance = process.filing_sd**2 * ((0.8 * (1 + t)) ** 2 + 0.36)
    return tech, tech * np.exp(process.filing_sd * intensity - variance / 2).ravel()


def _row(city: str) -> int:
    """Position of a city."""
    return int(np.flatnonzero(cities()["city"] == city)[0])


def _technology_given(
    rng: np.random.Generator, digit: Array, Md: Array, MI: dict[str, Array], share: float
) -> Array:
    """True technology given measured digit and the instruments.

    Under classical filing error ``digit = technology + filing`` with filing unrelated to the instruments, the
    expectation of filing given both is a constant share of the part of digit that the instruments do not explain.
    """
    Z = np.column_stack(list(MI.values()))
    filing = share * residual(Md, Z) + 0.02 * digit * GRID.ar1(rng, 0.5)
    return digit - filing


# -------------------------------------------------------------------------------------------------- controls
DECIMALS = {"gov": 4, "density": 4, "hum": 4, "fin": 7, "trans": 3, "protect": 2, "unemploy": 4}


def _controls(rng: np.random.Generator, digit: Array) -> dict[str, Array]:
    """Levels of the controls with the printed moments; the shape of ``fin`` gives R2 of Table 3, column 1."""
    p, frame, n = printed(), cities(), GRID.units
    size = zscore(np.log(frame["gdp"].to_numpy()))
    rich = zscore(np.log((frame["gdp"] / frame["population"]).to_numpy()))
    crowd = zscore(np.log((frame["population"] / frame["area_km2"]).to_numpy()))
    noise = lambda: rng.standard_normal(n)  # noqa: E731
    s, m = GRID.score, p.moments
    # in monocentric clusters density and deposits grow less where digit grows more: the constant of Table 7 (4)
    lag = digit * GRID.expand((frame["structure"] == 0).to_numpy(float))
    levels = {
        "gov": marginal(s(rng, -0.6 * rich - 0.2 * size + 0.8 * noise(), 0.25, 0.21, 0.5), *m["gov"]),
        "density": marginal(
            s(rng, crowd + 0.2 * noise(), 0.01, 0.0080, 0.7) - 0.07 * lag, *m["density"], bend=0.15
        ),
        "trans": marginal(s(rng, 0.8 * size + noise(), 0.12, 0.36, 0.5), *m["trans"], bend=0.12),
        "protect": marginal(s(rng, -0.05 * size + noise(), 0.40, 0.60, 0.5), *m["protect"], from_above=True),
        "unemploy": marginal(s(rng, 0.9 * size + noise(), 0.02, 0.62, 0.2), *m["unemploy"], bend=-0.12),
    }
    # R&D personnel: a small base and three unit slips, which is what the printed SD and maximum say
    hum = GRID.expand(np.exp(0.8 * noise() + 0.3 * size)) * np.exp(0.2 * rng.standard_normal(GRID.size))
    slips = rng.choice(np.flatnonzero(GRID.expand(size) < 1), 3, replace=False)
    slipped = np.array([m["hum"][3], 4.0, 4.0])
    hum *= (m["hum"][0] * GRID.size - slipped.sum()) / hum.sum()
    hum[slips] = slipped
    hum[hum.argmin()] = 0
    levels["hum"] = hum
    score = s(rng, 0.97 * size + 0.25 * noise(), 0.22, 0.050, 0.5) - 0.2 * lag

    def with_bend(bend: float) -> Array:
        levels["fin"] = marginal(score, *m["fin"], bend=bend)
        return regressors(levels)

    def gap(bend: float) -> float:
        fitted = np.column_stack([digit, with_bend(bend)]) @ p.slopes("1")
        return float(np.var(fitted) / m["inn"][1] ** 2 - p.r2["3", "1"])

    low, high = -0.25, 0.25
    bend = (
        brentq(gap, low, high, xtol=1e-4)
        if gap(low) * gap(high) < 0
        else min((low, high), key=lambda b: abs(gap(b)))
    )
    with_bend(bend)
    return {k: np.round(levels[k], DECIMALS[k]) for k in CONTROLS}


def _forward_controls(rng: np.random.Generator, frame: pd.DataFrame) -> dict[str, Array]:
    """Controls from plain distributions with about the printed means and standard deviations (drawn mode)."""
    grid, m = Grid(len(frame), 14), printed().moments
    size = zscore(np.log(frame["gdp"].to_numpy()))
    links = {
        "gov": (-0.4, 0.25, 0.21),
        "density": (0.5, 0.01, 0.008),
        "hum": (0.3, 0.0, 0.1),
        "fin": (2.0, 0.22, 0.05),
        "trans": (0.8, 0.12, 0.36),
        "unemploy": (0.9, 0.02, 0.62),
        "protect": (0.0, 0.4, 0.6),
    }
    levels = {}
    for name, (link, trend, share) in links.items():
        g = zscore(grid.score(rng, link * size + rng.standard_normal(len(frame)), trend, share, 0.5))
        mean, sd, _, high = m[name]
        if name == "hum":
            mean, sd = 0.001, 0.001
        if name == "protect":
            mean = high - mean
        spread = np.sqrt(np.log(1 + (sd / mean) ** 2))
        value = np.exp(np.log(mean) - spread**2 / 2 + spread * g)
        levels[name] = np.maximum(high - value, 1.0) if name == "protect" else value
    return levels


# ----------------------------------------------------------------------------------------------- instruments
def _first_stage(z_city: Array, digit: Array, Cw: Array) -> tuple[Array, Array, Array]:
    """Residualised instruments (n, k), slopes and heteroskedasticity-robust F of several candidates at once."""
    z = residual(GRID.within(np.repeat(z_city, 14, axis=0) * GRID.trend[:, None]), Cw)
    d = residual(GRID.within(digit), Cw)
    zz = (z**2).sum(0)
    slope = (z.T @ d) / zz
    v = d[:, None] - z * slope
    return z, slope, slope**2 * zz**2 / ((z * v) ** 2).sum(0) * FE_DF / GRID.size


def _phones(frame: pd.DataFrame, noise: Array, dilution: Array | float) -> Array:
    """Telephones of 1984: the city's historical size, diluted by noise (units are set by the caller)."""
    history = zscore(np.log(frame["gdp"].to_numpy()))
    latent = (history[:, None] + noise[:, None] * dilution) / np.sqrt(1 + np.square(dilution))
    latent[(frame["city"] == "Shenzhen").to_numpy()] = 2.4
    return np.exp(0.8 * latent)


def _calibrated_phones(
    rng: np.random.Generator, digit: Array, Cw: Array, wanted_f: float, slope: float
) -> Array:
    """Telephones with the dilution that gives the wanted robust F and the unit that gives the wanted slope."""
    phones = _phones(cities(), rng.standard_normal(GRID.units), np.linspace(0, 12, 241))
    _, slopes, F = _first_stage(phones, digit, Cw)
    below = np.flatnonzero((F < wanted_f) & (slopes > 0))
    k = below[0] if len(below) else int(np.abs(np.log(F / wanted_f)).argmin())
    return np.round(phones[:, k] * slopes[k] / slope, 4)


# ------------------------------------------------------------------------------------------------ moderators
STANDING = {
    "Beijing-Tianjin-Hebei": (0.150, 0.22), "Yangtze River Delta": (0.150, 1.00), "Pearl River Delta": (0.100, 0.58),
    "Chengdu-Chongqing": (0.045, 0.30), "Middle reaches of the Yangtze": (0.060, 0.35),
    "Shandong Peninsula": (0.130, 0.36), "Guangdong-Fujian-Zhejiang coast": (0.050, 0.30),
    "Central Plains": (0.075, 0.12), "Guanzhong Plain": (0.060, 0.18), "Beibu Gulf": (0.015, 0.10),
    "Harbin-Changchun": (0.022, 0.20), "Central-southern Liaoning": (0.030, 0.16), "Central Shanxi": (0.018, 0.08),
    "Central Guizhou": (0.018, 0.10), "Central Yunnan": (0.015, 0.08), "Hohhot-Baotou-Ordos-Yulin": (0.012, 0.10),
    "Lanzhou-Xining": (0.014, 0.07), "Ningxia along the Yellow River": (0.010, 0.05),
    "Northern slope of Tianshan": (0.010, 0.02),
}  # fmt: skip
"""Size of a cluster (share of the 19) and standing of its innovation infrastructure (1 = highest).

The two are spread over the leading clusters so that the four printed interactions of Table 7 can hold at once.
"""
PROXIES = {
    "edu_staff": 190.0,
    "hightech_firms": 52000,
    "transport_staff": 130.0,
    "it_staff": 115.0,
    "loans": 42.0,
}
"""The five proxies and their level at standing 1: 10,000 persons, firms, 10,000 persons, 10,000 persons, trillion."""


def _moderators(rng: np.random.Generator) -> pd.DataFrame:
    """One row a cluster: density, GDP, the five proxies, and the two composed moderators."""
    out = cities().groupby("cluster")[["stage", "structure"]].first()
    size, standing = np.array([STANDING[k] for k in out.index]).T
    mix = np.exp(rng.normal(0, 0.15, len(out)))
    out["cluster_density"] = (size / mix * 7500).round(1)
    out["cluster_gdp"] = (size * mix * 560000).round(1)
    for name, level in PROXIES.items():
        values = level * standing * np.exp(rng.normal(0, 0.04, len(out)))
        out[name] = values.round() if level > 1000 else values.round(2)
    out["size"] = 0.5 * out["cluster_density"] / out["cluster_density"].sum()
    out["size"] += 0.5 * out["cluster_gdp"] / out["cluster_gdp"].sum()
    z = out[list(PROXIES)].apply(lambda c: (c - c.mean()) / c.std(ddof=0)).to_numpy()
    first = z @ np.linalg.svd(z)[2][0]
    out["inn_infra"] = minmax(first * np.sign(first @ standing))
    return out


# --------------------------------------------------------------------------------------------------- outcome
@dataclass
class _Work:
    """Everything that is passed from stage to stage of one simulation.

    Prefix M: residual of the two-way transformed variable on the controls (for interactions: on digit as well).
    """

    process: Process
    goals: Printed
    digit: Array
    levels: dict[str, Array]
    economy: dict[str, Array]
    moderators: pd.DataFrame
    instruments: dict[str, Array]
    keywords: Array = field(default_factory=lambda: np.zeros(0))
    tech: Array = field(default_factory=lambda: np.zeros(0))
    log: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.C = regressors(self.levels)
        self.X = np.column_stack([self.digit, self.C])
        self.Cw, self.Xw = GRID.within(self.C), GRID.within(self.X)
        self.Md = residual(GRID.within(self.digit), self.Cw)
        self.D = float(self.Md @ self.Md)
        cluster = cities()["cluster"]
        self.Z = {k: GRID.expand(cluster.map(self.moderators[k]).to_numpy(float)) for k in TABLE_7}
        self.MZ = {k: residual(GRID.within(self.digit * v), self.Xw) for k, v in self.Z.items()}
        self.MI = {
            k: residual(GRID.within(GRID.expand(v) * GRID.trend), self.Cw)
            for k, v in self.instruments.items()
        }


def _cluster_effects(w: _Work, wanted: dict[str, float]) -> pd.Series:
    """Deviation of each cluster's effect from the mean that yields the four printed interaction slopes.

    One interaction at a time, slope_k = (M Z_k d)'y / |M Z_k d|^2, is a linear map of the joint effects; the map is
    inverted (with a small ridge).
    """
    B = np.column_stack(list(w.MZ.values()))
    G = B.T @ B
    joint = np.linalg.solve(G + 1e-3 * np.diag(np.diag(G)), np.diag(G) * np.array([wanted[k] for k in w.MZ]))
    effect = w.moderators[list(w.MZ)].to_numpy(float) @ joint
    share = pd.Series(GRID.by_unit(w.Md**2).sum(1)).groupby(cities()["cluster"]).sum() / w.D
    w.log["digit_share_by_cluster"] = share.round(4).to_dict()
    return pd.Series(effect - share.to_numpy() @ effect, w.moderators.index)


def _scale_of_cities(rng: np.random.Generator, w: _Work) -> Array:
    """Latent innovative scale of a city, mean one over the panel."""
    fin = zscore(GRID.by_unit(w.C[:, 3]).mean(1))
    size = zscore(np.log(cities()["gdp"].to_numpy()))
    L = np.exp(0.68 * zscore(0.9 * fin + 0.3 * size) + 0.5 * rng.standard_normal(GRID.units))
    L[_row("Shenzhen")] *= 1.3
    return GRID.expand(L / L.mean())


def _keywords(rng: np.random.Generator, w: _Work, sigma2: float) -> Array:
    """Keyword count whose own coefficient has the printed error and whose regression has the printed constant."""
    p = w.goals
    b, se = p.estimate["5", "3", "digit"]
    raw = residual(GRID.within(0.6 * zscore(np.log(0.02 + w.digit)) + GRID.ar1(rng, 0.3)), w.Cw)
    net = raw * np.sqrt(sigma2 * (1 - p.r2["5", "3"]) / (1 - p.r2["3", "2"]) / se**2 / (raw @ raw))
    first = (np.arange(GRID.size) % 14 == 0) / GRID.units
    at_first = first @ w.C
    gamma0 = np.linalg.solve(w.Cw.T @ w.Cw, w.Cw.T @ w.digit)
    const_digit = first @ w.digit - at_first @ gamma0
    # constant of y on (k, C) = constant of y on (d, C) + b_d * const(d on C) - b * const(k on C)
    base = p.estimate["3", "2", "_cons"][0] + p.estimate["3", "2", "digit"][0] * const_digit
    wanted = (base - p.estimate["5", "3", "_cons"][0]) / b
    direction = np.linalg.solve(w.Cw.T @ w.Cw, at_first)
    level = GRID.expand(np.exp(0.4 * rng.standard_normal(GRID.units))) * 0.25 + 0.06 * GRID.standard_trend
    k = 0.35 * level / level.mean() + net
    gamma = direction * (first @ k - wanted - at_first @ np.linalg.solve(w.Cw.T @ w.Cw, w.Cw.T @ k))
    k = k + w.Cw @ (gamma / (at_first @ direction))
    return np.round(100 * np.maximum(k - min(k.min(), 0), 0))


def _floor(w: _Work) -> Array:
    """Least index that is compatible with a city's GDP per head, which is drawn before the outcome."""
    gdp_pc = w.economy["gdp"] / w.economy["population"]
    x = np.column_stack([minmax(gdp_pc), minmax(to_primate(gdp_pc))])
    return 1.25 * x @ printed().weights[[AT["gdp_pc"], AT["gdp_pc_ratio"]]]


def _outcome(rng: np.random.Generator, w: _Work, matched: bool) -> Array:
    """Structural outcome and, in matched mode, its projection on Tables 3, 4, 5 and 7."""
    p, q = w.goals, w.process
    b1, b2 = p.slopes("1"), p.slopes("2")
    slopes = {k: p.estimate["7", c, f"digit:{k}"][0] for k, c in TABLE_7.items()}
    effect = q.beta + _cluster_effects(w, slopes) * (q.beta / b2[0])
    w.log["beta_by_cluster"] = effect.round(4).to_dict()
    L = _scale_of_cities(rng, w)
    fixed = GRID.expand(cities()["cluster"].map(effect).to_numpy(float)) * w.tech + w.Cw @ np.array(
        q.controls
    )
    parts = np.array(
        [
            q.between * L,
            q.trend * GRID.standard_trend * L**0.1,
            q.noise * L**0.3 * GRID.ar1(rng, q.noise_persistence),
        ]
    )
    sigma2 = p.estimate["3", "2", "digit"][1] ** 2 * w.D
    w.keywords = _keywords(rng, w, sigma2)
    mean, sd, low, high = p.moments["inn"]
    lower, upper = np.maximum(low, _floor(w)), np.full(GRID.size, high)
    if not matched:
        y = fixed + parts.sum(0)
        return np.minimum(soft_floor(y + mean - y.mean(), lower, 0.1 * mean), 0.95)

    t = Targets()
    Xc = w.X - w.X.mean(0)
    for i, term in enumerate(("digit", *CONTROL_TERMS)):
        t.add(f"T3(1) {term}", Xc[:, i], Xc[:, i] @ (Xc @ b1))
        t.add(f"T3(2) {term}", w.Xw[:, i], w.Xw[:, i] @ (w.Xw @ b2))
    first = (np.arange(GRID.size) % 14 == 0) / GRID.units  # the constant is ybar_2008 - xbar_2008'b
    t.add("T3(2) constant", first, p.estimate["3", "2", "_cons"][0] + first @ w.X @ b2)
    for (k, z), column in zip(w.MI.items(), ("2", "4"), strict=True):
        t.add(f"T4 {k}", z, p.estimate["4", column, "digit"][0] * (z @ w.digit))
    for k, z in w.MZ.items():
        t.add(f"T7 digit x {k}", z, slopes[k] * (z @ z))
    large = (cities().groupby("cluster")["code"].transform("size") > 3).to_numpy()
    keep, some = np.repeat(large, 14), Grid(int(large.sum()), 14)
    row = np.zeros(GRID.size)
    Xs = some.within(w.X[keep])
    row[keep] = constant_row(w.X[keep], np.linalg.solve(Xs.T @ Xs, Xs.T))
    t.add("T5(4) constant", row, p.estimate["5", "4", "_cons"][0])
    Mk = residual(GRID.within(w.keywords / 100), w.Cw)
    t.add("T5(3) keywords", Mk, p.estimate["5", "3", "digit"][0] * (Mk @ Mk))
    Xv = np.column_stack([winsorise(c) for c in w.X.T])
    XvW = GRID.within(Xv)
    to_slopes = np.linalg.solve(XvW.T @ XvW, XvW.T)
    winsor_rows = np.vstack([to_slopes[0], constant_row(Xv, to_slopes)])
    winsor_values = np.array([p.estimate["5", "5", k][0] for k in ("digit", "_cons")])

    def winsorised(y: Array) -> tuple[Array, Array]:
        lo, hi = np.percentile(y, [1, 99])
        cut = (y <= lo) | (y >= hi)
        return np.where(cut, 0, winsor_rows), winsor_values - winsor_rows[:, cut] @ np.clip(y[cut], lo, hi)

    draft = fixed + parts.sum(0)
    lower[w.digit.argmax()] = high
    lower[draft.argmin()] = low
    upper[draft.argmin()] = low
    ssr = sigma2 * FE_DF
    squares = Squares((GRID.size - 1) * sd**2, ssr / (1 - p.r2["3", "2"]), ssr)
    result = match(
        GRID,
        fixed,
        parts,
        L**-0.5,
        t,
        (lower, upper),
        mean,
        squares,
        w.Xw,
        gain=(2.0, 0.8, 0.5),
        extra=winsorised,
    )
    w.log["structural"] = _within_story(w, fixed + parts.sum(0))
    w.log["moved"] = _moved(w, result.structural, result.values)
    return result.values


def _within_story(w: _Work, y: Array) -> dict[str, float]:
    """What the within estimator and 2SLS give for an outcome before any projection."""
    out = {"within": float(w.Md @ y / w.D)}
    return out | {f"2sls_{k}": float(z @ y / (z @ w.digit)) for k, z in w.MI.items()}


def _moved(w: _Work, before: Array, after: Array) -> dict[str, float]:
    """How far the projection moved the outcome."""
    e = [residual(GRID.within(k), w.Xw) for k in (before, after)]
    return {
        "median_relative_change": float(np.median(np.abs(after - before) / after)),
        "correlation_of_residuals": float(np.corrcoef(*e)[0, 1]),
    }


def _channels(rng: np.random.Generator, w: _Work, matched: bool) -> dict[str, Array]:
    """Three channels and the external index: structural draw plus, in matched mode, slope, constant, error and R2."""
    p = w.goals
    size = zscore(np.log(cities()["gdp"].to_numpy()))
    constant = constant_row(w.X, np.linalg.solve(w.Xw.T @ w.Xw, w.Xw.T))
    skew = {"cap": 1.5, "ris": 0.6, "ent": 1.2}
    out = {}
    for name in (*TABLE_6, "inn_1"):
        key = ("6", TABLE_6[name]) if name in TABLE_6 else ("5", "1")
        (b, se), r2 = p.estimate[(*key, "digit")], p.r2[key]
        if name == "inn_1":
            mean, low, high, L = 2.6, -9.0, 12.0, np.ones(GRID.size)
            parts = np.array([GRID.expand(size), 0.48 * GRID.standard_trend, 0.35 * GRID.ar1(rng, 0.6)])
            residual_ss = se**2 * w.D * FE_DF
            total = 2.2 * residual_ss / (1 - r2)
        else:
            mean, sd, low, high = p.moments[name]
            L = GRID.expand(np.exp(skew[name] * 0.8 * zscore(0.5 * size + rng.standard_normal(GRID.units))))
            L = L / L.mean()
            swing = np.exp(0.7 * GRID.ar1(rng, 0.4))
            swing = (swing - GRID.unit_mean(swing)) * L**0.3
            parts = np.array([0.7 * mean * L, 0.24 * mean * GRID.standard_trend * L**0.3, 0.4 * mean * swing])
            total = (GRID.size - 1) * sd**2
            residual_ss = min(se**2 * w.D * FE_DF, 0.88 * (1 - r2) * total)
        fixed = b * (w.process.beta / p.slopes("2")[0]) * w.tech
        draft = fixed + parts.sum(0)
        if not matched:
            out[name] = np.minimum(soft_floor(draft + mean - draft.mean(), low, 0.1 * mean), high)
            continue
        t = Targets()
        t.add(f"{name} digit", w.Md, b * w.D)
        t.add(f"{name} constant", constant, p.estimate[(*key, "_cons")][0])
        lower, upper = np.full(GRID.size, low), np.full(GRID.size, high)
        if name != "inn_1":
            upper[draft.argmin()], lower[draft.argmax()] = low, high
        squares = Squares(total, residual_ss / (1 - r2), residual_ss)
        result = match(
            GRID,
            fixed,
            parts,
            np.ones(GRID.size),
            t,
            (lower, upper),
            mean,
            squares,
            w.Xw,
            gain=(0.6, 0.5, 0.5),
        )
        out[name] = result.values
    return out


# ---------------------------------------------------------------------------------------------------- the panel
@dataclass(frozen=True)
class Simulated:
    """A simulated panel and the truth behind it.

    Attributes
    ----------
    panel : DataFrame
        The raw columns, in the order of the shipped CSV.
    truth : dict
        Parameters of the process, seed and mode, targets and what was reached; JSON-able.
    """

    panel: pd.DataFrame
    truth: dict[str, Any]


INTEGERS = [
    "gdp",
    "output_1",
    "output_2",
    "output_3",
    "fiscal_exp",
    "edu_exp",
    "sci_exp",
    "rd_exp",
    "st_trade",
    "library_books",
    "internet_users",
    "new_firms",
    "sci_staff",
    "fdi_firms",
    "fdi_usd",
    "colleges",
    "teachers",
    "students",
    "papers",
    "pat_apply",
    "tech_market",
    "trademarks",
    "pat_grant",
    "telecom",
    "keywords",
]
COLUMNS = [
    "code",
    "city",
    "city_zh",
    "cluster",
    "cluster_zh",
    "year",
    "primate",
    "population",
    "area",
    "gdp",
    "gdp_growth",
    "output_1",
    "output_2",
    "output_3",
    "fiscal_exp",
    "edu_exp",
    "sci_exp",
    "rd_exp",
    "st_trade",
    "library_books",
    "internet_users",
    "new_firms",
    "sci_staff",
    "fdi_firms",
    "fdi_usd",
    "colleges",
    "teachers",
    "students",
    "papers",
    "pat_apply",
    "tech_market",
    "trademarks",
    "pat_grant",
    "green",
    "tertiary",
    "telecom",
    "urban",
    "hc",
    "digit",
    "keywords",
    "gov",
    "density",
    "hum",
    "fin",
    "trans",
    "protect",
    "unemploy",
    "cap",
    "ris",
    "ent",
    "inn_1",
    "port_distance",
    "phones_1984",
    "stage",
    "structure",
    "cluster_density",
    "cluster_gdp",
    "edu_staff",
    "hightech_firms",
    "transport_staff",
    "it_staff",
    "loans",
]


def _assemble(
    rng: np.random.Generator, w: _Work, raw: dict[str, Array], channels: dict[str, Array]
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
    for k in INTEGERS:
        panel[k] = panel[k].astype("int64")
    return panel[COLUMNS]


# ------------------------------------------------------------------------------------------------- entry points
STREAMS = ("goals", "treatment", "controls", "instruments", "moderators", "outcome", "channels", "indicators")


def _streams(seed: int, attempt: int) -> dict[str, np.random.Generator]:
    """Independent random streams by name, so that a change in one part leaves the others alone."""
    return {k: np.random.default_rng([seed, i, attempt]) for i, k in enumerate(STREAMS)}


def simulate(seed: int = 2026, mode: str = "matched", jitter: float = 0.0) -> Simulated:
    """Simulate the panel of `city-innovation`; see `regionbook.simulate.simulate`.

    A draw that cannot meet its targets is thrown away and drawn again, at most ten times.

    Raises
    ------
    CalibrationError
        If no draw meets its targets.
    """
    trouble = "none"
    for attempt in range(10):
        try:
            return _simulate(seed, mode == "matched", jitter, attempt)
        except CalibrationError as error:
            trouble = str(error)
    raise CalibrationError(
        f"city-innovation, seed {seed}, jitter {jitter}: no draw meets its targets. Last: {trouble}"
    )


def _simulate(seed: int, matched: bool, jitter: float, attempt: int) -> Simulated:
    rng = _streams(seed, attempt)
    wanted, factor = goals(rng["goals"], jitter)
    process = replace(Process(), beta=round(Process.beta * factor, 4))
    port = np.round(cities()["port_km"].to_numpy() / PORT_UNIT_KM, 4)
    if matched:
        digit = _anchored_digit(rng["treatment"])
        levels = _controls(rng["controls"], digit)
        Cw = GRID.within(regressors(levels))
        first, first_se = wanted.estimate["4", "3", "IV_2"]
        phones = _calibrated_phones(rng["instruments"], digit, Cw, wanted_f=17.4, slope=first)
    else:
        tech, digit = _forward_digit(rng["treatment"], cities(), process, giants=1.0)
        digit = np.round(digit, 4)
        levels = {
            k: np.round(v, DECIMALS[k]) for k, v in _forward_controls(rng["controls"], cities()).items()
        }
        levels = {k: np.maximum(v, 10.0 ** -DECIMALS[k]) for k, v in levels.items()}
        phones = np.round(
            PHONES_UNIT * _phones(cities(), rng["instruments"].standard_normal(GRID.units), DILUTION)[:, 0], 4
        )
    economy = draw_economy(rng["moderators"], levels["density"])
    moderators = _moderators(rng["moderators"])
    w = _Work(process, wanted, digit, levels, economy, moderators, {"IV_1": port, "IV_2": phones})
    w.tech = _technology_given(rng["treatment"], digit, w.Md, w.MI, process.filing_share) if matched else tech
    y = _outcome(rng["outcome"], w, matched)
    channels = _channels(rng["channels"], w, matched)
    for attempt_here in range(TRIES if matched and not jitter else 1):
        raw, w.log["indicators"] = draw_indicators(
            rng["indicators"], y, digit, levels["gov"], economy["population"], economy["gdp"]
        )
        panel = _assemble(np.random.default_rng([seed, len(STREAMS), attempt]), w, raw, channels)
        table = estimate(panel)
        if not matched:
            break
        bad = _missed(table, wanted, jitter)
        if not bad:
            break
        if attempt_here == TRIES - 1 or jitter or any("Table 5 (2)" not in k for k in bad):
            raise CalibrationError("; ".join(bad))
    return Simulated(panel, _truth(seed, matched, jitter, attempt, w, table))


TRIES = 6
"""Draws of the indicators until their principal-component index has the printed slope."""
NOT_GATED = {("5", "2", "_cons"), ("5", "2", "R2")}
"""Numbers of the principal-component index that depend on its scale and zero, which are not printed."""


def _missed(table: pd.DataFrame, wanted: Printed, jitter: float) -> list[str]:
    """Targets that are not met: more than two printed errors away, or with another sign or other stars.

    A jittered panel is held to its own coefficients (three errors), not to R-squared, moments or ``inn_2``.
    """
    bad = []
    for r in table.itertuples():
        key = (r.table, r.column, r.term)
        if key in NOT_GATED or (jitter and (key[:2] == ("5", "2") or r.table == "2" or r.term == "R2")):
            continue
        aim = wanted.estimate[key][0] if jitter and key in wanted.estimate else r.printed
        slack = 2 if not jitter else 3
        wrong = abs(r.reached - aim) > slack * r.printed_se
        if r.term.startswith("digit"):
            wrong |= np.sign(r.reached) != np.sign(r.printed) or abs(r.reached / r.reached_se) < 2.576
        if wrong:
            bad.append(f"Table {r.table} ({r.column}) {r.term} {r.reached:.4f} instead of {aim:.4f}")
    return bad


def _truth(
    seed: int, matched: bool, jitter: float, attempt: int, w: _Work, table: pd.DataFrame
) -> dict[str, Any]:
    """The truth file of a panel."""
    q, log = w.process, w.log
    imposed = {k: v[0] for k, v in w.goals.estimate.items()}
    listed = [
        {
            "table": r.table,
            "column": r.column,
            "term": r.term,
            "printed": r.printed,
            **(
                {"aimed_at": round(imposed[key], 6)}
                if (key := (r.table, r.column, r.term)) in imposed
                else {}
            ),
            "reached": round(r.reached, 6),
            "within_2se": bool(abs(r.reached - r.printed) <= 2 * r.printed_se),
        }
        for r in table.itertuples()
    ]
    return (
        {
            "data": "SIMULATED DATA for teaching. Names, places and clusters of cities are real, every number is made up.",
            "paper": SLUG,
            "seed": seed,
            "mode": "matched" if matched else "drawn",
            "jitter": jitter,
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
                "channels": "cap, ris and ent react to technology in the same way; they do not enter inn",
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
        | (
            {
                "projection": "The structural outcome was moved, as little as possible, until the coefficients listed under "
                "targets hold: finite-sample coefficients equal the printed ones by construction. Bias and coverage are to "
                "be studied with drawn panels.",
                "before_projection": {k: round(v, 4) for k, v in log["structural"].items()},
                "moved": {k: round(v, 4) for k, v in log["moved"].items()},
                "indicators": log["indicators"],
                "targets": listed,
                "unreachable": [{"what": a, "reason": b} for a, b in UNREACHABLE],
            }
            if matched
            else {
                "nothing_projected": "Coefficients are what the process gives; they differ from the printed ones.",
                "estimates": listed,
            }
        )
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
        "A robust error is about 0.023 here; clustering by city gives about 0.05, so the printed one may be clustered.",
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
        "above one, weighted by their eigenvalues, the slope is reached; t is about 40 instead of 20.9, because a "
        "score of the 25 indicators follows digit nearly as closely as their entropy index does.",
    ),
    (
        "cap as the location quotient of eq. (3), ris as the weighted sum of eq. (4)",
        "Table 2's ranges are impossible for both; cap is rd_exp/fiscal_exp, ris is output_3/output_2.",
    ),
)


DILUTION = 5.0
"""Noise in the telephones of 1984, in standard deviations of historical size (drawn mode)."""
PHONES_UNIT = 0.33
"""Mean level of ``phones_1984`` in drawn mode."""


def draw(
    seed: int,
    cities_n: int = 196,
    *,
    process: Process | None = None,
    giants: float = 0.3,
    dilution: float = 0.5,
    beta_by_cluster: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Draw outcome, treatment, controls and instruments from the process alone (for Monte Carlo lessons).

    ``inn = a_i + w_t + beta * tech + controls + e`` and ``digit = tech * exp(filing)``. Nothing is projected, no
    indicator is built, nothing is cut off: the model is exactly linear in ``tech``.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    cities_n : int
        Number of cities: the 196 real ones, or that many drawn from them with replacement.
    process : Process, optional
        Parameters; the default is the shipped panel's process.
    giants : float
        Concentration of digital technology on a few cities. 1: as in the shipped panel, where one city carries half
        of the variation and large-sample formulas fail; 0.3: many cities count, and they hold.
    dilution : float
        Noise in the telephones of 1984, in standard deviations of historical size: 0.5 is a strong instrument, 5 about
        as weak as the paper's.
    beta_by_cluster : mapping, optional
        Effect by cluster; by default it is ``process.beta`` everywhere.

    Returns
    -------
    DataFrame
        Columns city (number), cluster, year, inn, digit, tech (not observed in reality), the seven controls in
        Table 2's units, port_distance, phones_1984; ``.attrs["beta"]``.

    Examples
    --------
    >>> draw(1, 50).shape
    (700, 15)
    """
    if isinstance(cities_n, bool) or not isinstance(cities_n, int) or cities_n < 10:
        raise ValueError(f"cities_n is {cities_n!r}; expected a whole number of at least 10")
    q, rng, frame = process or Process(), _streams(seed, 0), cities()
    if cities_n != len(frame):
        frame = frame.iloc[rng["goals"].choice(len(frame), cities_n)].reset_index(drop=True)
    grid = Grid(cities_n, 14)
    tech, digit = _forward_digit(rng["treatment"], frame, q, giants)
    levels = _forward_controls(rng["controls"], frame)
    phones = PHONES_UNIT * _phones(frame, rng["instruments"].standard_normal(cities_n), dilution)[:, 0]
    L = np.exp(
        0.68 * zscore(np.log(frame["gdp"].to_numpy())) + 0.5 * rng["outcome"].standard_normal(cities_n)
    )
    L = grid.expand(L / L.mean())
    effect = q.beta
    if beta_by_cluster is not None:
        effect = grid.expand(frame["cluster"].map(beta_by_cluster).to_numpy(float))
    inn = 0.02 + q.between * L + effect * tech + grid.within(regressors(levels)) @ np.array(q.controls)
    inn = (
        inn + q.trend * grid.standard_trend + q.noise * L**0.3 * grid.ar1(rng["outcome"], q.noise_persistence)
    )
    out = {"city": grid.expand(np.arange(cities_n)), "cluster": np.repeat(frame["cluster"].to_numpy(), 14)}
    out |= {"year": np.tile(YEARS, cities_n), "inn": inn, "digit": digit, "tech": tech}
    out |= {k: levels[k] for k in CONTROLS}
    out |= {
        "port_distance": grid.expand(frame["port_km"].to_numpy() / PORT_UNIT_KM),
        "phones_1984": grid.expand(phones),
    }
    panel = pd.DataFrame(out)
    panel.attrs["beta"] = q.beta
    return panel


def write(folder: Path | str, seed: int = 2026) -> None:
    """Write the shipped files ``city-innovation.csv`` and ``city-innovation.truth.json`` to a folder."""
    result = simulate(seed)
    result.panel.to_csv(Path(folder) / f"{SLUG}.csv", index=False, lineterminator="\n", float_format="%.10g")
    text = json.dumps(result.truth, indent=1, ensure_ascii=False)
    (Path(folder) / f"{SLUG}.truth.json").write_text(text + "\n", encoding="utf-8")
