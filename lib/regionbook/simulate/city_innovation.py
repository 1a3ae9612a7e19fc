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
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq, least_squares

from regionbook.paths import data_file
from regionbook.simulate._calibrate import (
    Array,
    CalibrationError,
    Grid,
    Squares,
    Targets,
    entropy_weights,
    fixed_effects_constant,
    marginal,
    match,
    minmax,
    redundancy,
    residual,
    soft_floor,
    tilt_to,
    zscore,
)

SLUG = "city-innovation"
YEARS = np.arange(2008, 2022)
GRID = Grid(units=196, periods=14)
FE_DF = GRID.size - 195 - 13 - 1 - 8
"""Residual degrees of freedom of Table 3, column 2."""
CONTROLS = ("gov", "density", "hum", "fin", "trans", "protect", "unemploy")
CONTROL_TERMS = ("gov", "ln density", "ln hum", "ln fin", "ln trans", "ln protect", "ln unemploy")
PORT_UNIT_KM = 150.0
"""Unit of ``port_distance``; the printed slope -0.0010 belongs to about this unit."""
SMALL_CLUSTERS = ("Central Guizhou", "Central Yunnan", "Northern Tianshan")


# ---------------------------------------------------------------------------------------------- printed numbers
@dataclass(frozen=True)
class Printed:
    """Numbers of the paper that serve as targets, read from ``data/published/city-innovation``."""

    estimate: dict[tuple[str, str, str], tuple[float, float]]
    r2: dict[tuple[str, str], float]
    moments: dict[str, tuple[float, float, float, float]]
    weights: Array

    def slopes(self, column: str) -> Array:
        """Coefficients of ``digit`` and the seven controls in Table 3."""
        return np.array([self.estimate["3", column, k][0] for k in ("digit", *CONTROL_TERMS)])


@cache
def printed() -> Printed:
    """Read the paper's numbers."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(data_file("published", SLUG, name), dtype={"table": str, "column": str})

    estimates, fit, moments = read("estimates.csv"), read("fit.csv"), read("descriptives.csv")
    weights = read("indicators.csv")["weight_pct"].to_numpy(float)
    fit = fit[fit["stat"] == "R2"]
    return Printed(
        {(r.table, r.column, r.term): (float(r.estimate), float(r.paren)) for r in estimates.itertuples()},
        {(r.table, r.column): float(r.value) for r in fit.itertuples()},
        {r.variable: (r.mean, r.sd, r.min, r.max) for r in moments.itertuples()},
        weights / weights.sum(),
    )


TABLE_6 = {"cap": "1", "ris": "2", "ent": "3"}
TABLE_7 = {"stage": "1", "size": "2", "inn_infra": "3", "structure": "4"}
STAGE_SLOPE = -0.0340
"""Imposed slope of digit x stage: both printed numbers of that column cannot hold on the real map (truth.json)."""


# ------------------------------------------------------------------------------------------------ the process
@dataclass(frozen=True)
class Process:
    """Parameters of the data-generating process (what ``truth.json`` tells).

    Attributes
    ----------
    beta : float
        Effect of digital technology (10,000 applications' worth) on ``inn``, average over clusters.
    filing : float
        Share of strategic filing in the within variation of ``digit`` that the instruments do not explain.
    filing_persistence, noise_persistence : float
        First-order autocorrelation of the passing part of filing and of the outcome error.
    controls : tuple
        Coefficients of the seven controls in the outcome.
    amplitudes : tuple
        Size of the outcome's between-city part, common trend and idiosyncratic part.
    """

    beta: float = 0.197
    filing: float = 0.52
    filing_persistence: float = 0.5
    noise_persistence: float = 0.5
    controls: tuple[float, ...] = (-3.1662, -0.0293, -0.0022, 0.0002, -0.0002, -0.0036, -0.0006)
    amplitudes: tuple[float, float, float] = (0.040, 0.0030, 0.010)


@cache
def cities() -> pd.DataFrame:
    """The 196 cities in order of their codes: names, cluster, stage, structure, place, size and port distance."""
    members = pd.read_csv(data_file("geo", "membership.csv"))
    units = pd.read_csv(data_file("geo", "units.csv"))[["code", "lon", "lat", "area_km2"]]
    anchors = pd.read_csv(data_file("teaching", f"{SLUG}.skeleton.csv")).drop(columns="city_zh")
    frame = members.merge(units, on="code", validate="1:1").merge(anchors, on="code", validate="1:1")
    if len(frame) != GRID.units:
        raise CalibrationError(f"expected {GRID.units} cities in data/geo/membership.csv, found {len(frame)}")
    frame = frame.sort_values("code", ignore_index=True)
    ports = pd.read_csv(data_file("geo", "ports.csv"))
    frame["port_km"] = great_circle(frame["lon"], frame["lat"], ports["lon"], ports["lat"]).min(1)
    frame["primate"] = frame.index.isin(frame.groupby("cluster")["gdp"].idxmax()).astype(int)
    return frame


def great_circle(lon: pd.Series, lat: pd.Series, to_lon: pd.Series, to_lat: pd.Series) -> Array:
    """Great-circle distances in km (haversine, radius 6371.0088 km) between two lists of points in degrees."""
    a, b, c, d = (np.radians(np.asarray(k, float)) for k in (lon, lat, to_lon, to_lat))
    h = np.sin((b[:, None] - d) / 2) ** 2 + np.cos(b)[:, None] * np.cos(d) * np.sin((a[:, None] - c) / 2) ** 2
    return 2 * 6371.0088 * np.arcsin(np.sqrt(h))


def _streams(seed: int) -> Any:
    """Independent random streams by name, so that a change in one part leaves the others alone."""
    names = ["treatment", "controls", "instruments", "outcome", "channels", "indicators", "jitter", "moderators"]
    return {k: np.random.default_rng([seed, i]) for i, k in enumerate(names)}


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


def _row(city: str) -> int:
    """Position of a city."""
    return int(np.flatnonzero(cities()["city"] == city)[0])


def _technology_given(rng: np.random.Generator, digit: Array, Md: Array, MI: dict[str, Array], share: float) -> Array:
    """True technology given measured digit and the instruments.

    Under classical filing error ``digit = technology + filing`` with filing unrelated to the instruments, the
    expectation of filing given both is a constant share of the part of digit that the instruments do not explain.
    """
    Z = np.column_stack(list(MI.values()))
    filing = share * residual(Md, Z) + 0.10 * digit * GRID.ar1(rng, 0.5)
    return digit - filing


# -------------------------------------------------------------------------------------------------- controls
def regressors(levels: dict[str, Array]) -> Array:
    """The seven controls as the regressions use them.

    ``gov/1000``, ``ln density``, ``ln(1+hum)`` and the logs of deposits (10,000 yuan), freight (10,000 tonnes), the
    treatment rate and the unemployed (persons). With Table 2's units of the last ones the printed constant of Table
    3, column 1 cannot come out (section 9 of the paper's sheet).
    """
    return np.column_stack(
        [
            levels["gov"] / 1000,
            np.log(levels["density"]),
            np.log1p(levels["hum"]),
            np.log(levels["fin"] * 1e7),
            np.log(levels["trans"] * 1e3),
            np.log(levels["protect"]),
            np.log(levels["unemploy"] * 1e4),
        ]
    )


DECIMALS = {"gov": 4, "density": 4, "hum": 4, "fin": 7, "trans": 3, "protect": 2, "unemploy": 4}


def _controls(rng: np.random.Generator, digit: Array) -> dict[str, Array]:
    """Levels of the controls with the printed moments; the shape of ``fin`` gives R2 of Table 3, column 1."""
    p, frame, n = printed(), cities(), GRID.units
    size = zscore(np.log(frame["gdp"].to_numpy()))
    rich = zscore(np.log((frame["gdp"] / frame["population"]).to_numpy()))
    crowd = zscore(np.log((frame["population"] / frame["area_km2"]).to_numpy()))
    noise = lambda: rng.standard_normal(n)  # noqa: E731
    s, m = GRID.score, p.moments
    levels = {
        "gov": marginal(s(rng, -0.6 * rich - 0.2 * size + 0.8 * noise(), 0.25, 0.21, 0.5), *m["gov"]),
        "density": marginal(s(rng, crowd + 0.2 * noise(), 0.01, 0.0080, 0.7), *m["density"], bend=0.15),
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
    score = s(rng, 0.97 * size + 0.25 * noise(), 0.22, 0.050, 0.5)

    def with_bend(bend: float) -> Array:
        levels["fin"] = marginal(score, *m["fin"], bend=bend)
        return regressors(levels)

    def gap(bend: float) -> float:
        fitted = np.column_stack([digit, with_bend(bend)]) @ p.slopes("1")
        return float(np.var(fitted) / m["inn"][1] ** 2 - p.r2["3", "1"])

    low, high = -0.25, 0.25
    bend = brentq(gap, low, high, xtol=1e-4) if gap(low) * gap(high) < 0 else min((low, high), key=lambda b: abs(gap(b)))
    with_bend(bend)
    return {k: np.round(levels[k], DECIMALS[k]) for k in CONTROLS}


# ----------------------------------------------------------------------------------------------- instruments
def _first_stage(z_city: Array, digit: Array, Cw: Array) -> tuple[Array, Array, Array]:
    """Residualised instruments (n, k), slopes and heteroskedasticity-robust F of several candidates at once."""
    z = residual(GRID.within(np.repeat(z_city, 14, axis=0) * GRID.trend[:, None]), Cw)
    d = residual(GRID.within(digit), Cw)
    zz = (z**2).sum(0)
    slope = (z.T @ d) / zz
    v = d[:, None] - z * slope
    return z, slope, slope**2 * zz**2 / ((z * v) ** 2).sum(0) * FE_DF / GRID.size


def _phones(rng: np.random.Generator, digit: Array, Cw: Array, wanted_f: float, slope: float) -> Array:
    """Telephones of 1984: historical size diluted by noise until the robust first-stage F fits."""
    history = zscore(np.log(cities()["gdp"].to_numpy()))
    noise = rng.standard_normal(GRID.units)
    dilution = np.linspace(0, 12, 241)
    latent = (history[:, None] + noise[:, None] * dilution) / np.sqrt(1 + dilution**2)
    latent[_row("Shenzhen")] = 2.4
    phones = np.exp(0.8 * latent)
    _, slopes, F = _first_stage(phones, digit, Cw)
    below = np.flatnonzero((F < wanted_f) & (slopes > 0))
    k = below[0] if len(below) else int(np.abs(np.log(F / wanted_f)).argmin())
    return np.round(phones[:, k] * slopes[k] / slope, 4)


# ------------------------------------------------------------------------------------- economy and moderators
S0 = 1.95
"""Sum of the 25 redundancies; not printed, pinned by the mean of the index."""
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
PROXIES = {"edu_staff": 190.0, "hightech_firms": 52000, "transport_staff": 130.0, "it_staff": 115.0, "loans": 42.0}
"""The five proxies and their level at standing 1: 10,000 persons, firms, 10,000 persons, 10,000 persons, trillion."""


def _economy(rng: np.random.Generator, density: Array) -> dict[str, Array]:
    """Population, GDP per head and GDP; the spread within clusters gives the weight of the ratio to the primate."""
    frame = cities()
    rich = zscore(np.log((frame["gdp"] / frame["population"]).to_numpy()))
    common = pd.Series(rich).groupby(frame["cluster"]).transform("mean").to_numpy()
    own, moves = rich - common, GRID.ar1(rng, 0.7)
    w = printed().weights
    target = S0 * w[[SYMBOLS.index("gdp_pc"), SYMBOLS.index("gdp_pc_ratio")]]

    def draw(spread: float) -> Array:
        score = GRID.expand(1.1 * common + spread * own) + 0.9 * GRID.standard_trend + 0.12 * moves
        x = tilt_to(score[:, None], target[:1])[:, 0]
        return np.round(14000 + (206000 - 14000) * x)

    def gap(spread: float) -> float:
        return float(redundancy(minmax(to_primate(draw(spread)))[:, None])[0] - target[1])

    gdp_pc = draw(brentq(gap, 0.05, 1.2, xtol=5e-3) if gap(0.05) * gap(1.2) < 0 else 0.3)
    area = GRID.expand(frame["area_km2"].to_numpy())
    population = np.round(density * area / 1000, 2)
    return {"population": population, "area": area, "gdp": np.round(gdp_pc * population)}


def to_primate(values: Array) -> Array:
    """Per cent of the value of the cluster's primate city in the same year."""
    frame = cities()
    row = pd.Series(frame.index[frame["primate"] == 1], frame.loc[frame["primate"] == 1, "cluster"])
    return 100 * values / GRID.by_unit(values)[frame["cluster"].map(row).to_numpy()].ravel()


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
    """Everything that is passed from stage to stage of one simulation."""

    process: Process
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
        self.MI = {k: residual(GRID.within(GRID.expand(v) * GRID.trend), self.Cw) for k, v in self.instruments.items()}


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
    w.log["moderator_means"] = {k: float(share @ w.moderators[k]) for k in w.MZ}
    w.log["interaction_cost"] = float((np.diag(G) * np.array(list(wanted.values()))) @ joint)
    return pd.Series(effect - share.to_numpy() @ effect, w.moderators.index)


def _scale_of_cities(rng: np.random.Generator, w: _Work) -> Array:
    """Latent innovative scale of a city, mean one over the panel."""
    fin = zscore(GRID.by_unit(w.C[:, 3]).mean(1))
    size = zscore(np.log(cities()["gdp"].to_numpy()))
    L = np.exp(0.68 * zscore(0.9 * fin + 0.3 * size) + 0.27 * rng.standard_normal(GRID.units))
    L[_row("Shenzhen")] *= 1.3
    return GRID.expand(L / L.mean())


def _keywords(rng: np.random.Generator, w: _Work, sigma2: float) -> Array:
    """Keyword count whose own coefficient has the printed error and whose regression has the printed constant."""
    p = printed()
    b, se = p.estimate["5", "3", "digit"]
    raw = residual(GRID.within(0.6 * zscore(np.log(0.02 + w.digit)) + GRID.ar1(rng, 0.3)), w.Cw)
    net = raw * np.sqrt(sigma2 * (1 - p.r2["5", "3"]) / (1 - p.r2["3", "2"]) / se**2 / (raw @ raw))
    first, _ = fixed_effects_constant(GRID, w.C, np.zeros(7))
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


def _winsorise(x: Array) -> Array:
    return np.clip(x, *np.percentile(x, [1, 99]))


def _outcome(rng: np.random.Generator, w: _Work, matched: bool) -> Array:
    """Structural outcome and, in matched mode, its projection on Tables 3, 4, 5 and 7."""
    p = printed()
    b1, b2 = p.slopes("1"), p.slopes("2")
    slopes = {k: p.estimate["7", c, f"digit:{k}"][0] for k, c in TABLE_7.items()}
    slopes["stage"] = STAGE_SLOPE
    attenuation = b2[0] / w.process.beta
    effect = w.process.beta + _cluster_effects(w, slopes) / attenuation
    w.log["beta_by_cluster"] = effect.round(4).to_dict()
    L = _scale_of_cities(rng, w)
    fixed = GRID.expand(cities()["cluster"].map(effect).to_numpy(float)) * w.tech + w.Cw @ np.array(w.process.controls)
    shapes = [L, GRID.standard_trend * 4 * L**0.4, L**0.75 * GRID.ar1(rng, w.process.noise_persistence)]
    parts = np.array(w.process.amplitudes)[:, None] * np.array(shapes)
    sigma2 = p.estimate["3", "2", "digit"][1] ** 2 * w.D
    w.keywords = _keywords(rng, w, sigma2)
    mean, sd, low, high = p.moments["inn"]
    if not matched:
        y = fixed + parts.sum(0)
        return np.minimum(soft_floor(y + mean - y.mean(), low, 0.1 * mean), 0.95)

    t = Targets()
    Xc = w.X - w.X.mean(0)
    for i, term in enumerate(("digit", *CONTROL_TERMS)):
        t.add(f"T3(1) {term}", Xc[:, i], Xc[:, i] @ (Xc @ b1))
        t.add(f"T3(2) {term}", w.Xw[:, i], w.Xw[:, i] @ (w.Xw @ b2))
    row, at_first = fixed_effects_constant(GRID, w.X, b2)
    t.add("T3(2) constant", row, p.estimate["3", "2", "_cons"][0] + at_first)
    for (k, z), column in zip(w.MI.items(), ("2", "4"), strict=True):
        t.add(f"T4 {k}", z, p.estimate["4", column, "digit"][0] * (z @ w.digit))
    for k, z in w.MZ.items():
        t.add(f"T7 digit x {k}", z, slopes[k] * (z @ z))
    Mk = residual(GRID.within(w.keywords / 100), w.Cw)
    t.add("T5(3) keywords", Mk, p.estimate["5", "3", "digit"][0] * (Mk @ Mk))
    Mw = residual(
        GRID.within(_winsorise(w.digit)), GRID.within(np.column_stack([_winsorise(c) for c in w.C.T]))
    )

    def winsorised(y: Array) -> tuple[Array, Array]:
        lo, hi = np.percentile(y, [1, 99])
        cut = (y <= lo) | (y >= hi)
        value = p.estimate["5", "5", "digit"][0] * (Mw @ Mw) - Mw[cut] @ np.clip(y[cut], lo, hi)
        return np.where(cut, 0, Mw)[None], np.array([value])

    lower, upper = np.full(GRID.size, low), np.full(GRID.size, high)
    draft = fixed + parts.sum(0)
    lower[w.digit.argmax()] = high
    upper[draft.argmin()] = low
    ssr = sigma2 * FE_DF
    squares = Squares((GRID.size - 1) * sd**2, ssr / (1 - p.r2["3", "2"]), ssr)
    result = match(
        GRID, fixed, parts, L**-0.3, t, (lower, upper), mean, squares, w.Xw, gain=(2.0, 0.8, 0.5), extra=winsorised
    )
    w.log["outcome"] = {
        "amplitudes": result.amplitudes.round(4).tolist(),
        "rounds": result.rounds,
        "miss": result.miss,
        "square_miss": result.square_miss,
    }
    return result.values


def _channels(rng: np.random.Generator, w: _Work, matched: bool) -> dict[str, Array]:
    """Three channels and the external index: structural draw plus, in matched mode, slope, constant, error and R2."""
    p = printed()
    size = zscore(np.log(cities()["gdp"].to_numpy()))
    first, _ = fixed_effects_constant(GRID, w.C, np.zeros(7))
    to_coefficients = np.linalg.solve(w.Xw.T @ w.Xw, w.Xw.T)
    constant_row = first - (first @ w.X) @ to_coefficients
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
        fixed = b / (p.slopes("2")[0] / w.process.beta) * w.tech
        draft = fixed + parts.sum(0)
        if not matched:
            out[name] = np.minimum(soft_floor(draft + mean - draft.mean(), low, 0.1 * mean), high)
            continue
        t = Targets()
        t.add(f"{name} digit", w.Md, b * w.D)
        t.add(f"{name} constant", constant_row, p.estimate[(*key, "_cons")][0])
        lower, upper = np.full(GRID.size, low), np.full(GRID.size, high)
        if name != "inn_1":
            upper[draft.argmin()], lower[draft.argmax()] = low, high
        squares = Squares(total, residual_ss / (1 - r2), residual_ss)
        result = match(
            GRID, fixed, parts, np.ones(GRID.size), t, (lower, upper), mean, squares, w.Xw, gain=(0.6, 0.5, 0.5)
        )
        w.log[name] = {"rounds": result.rounds, "miss": result.miss, "square_miss": result.square_miss}
        out[name] = result.values
    return out


# ------------------------------------------------------------------------------------------------ indicators
@dataclass(frozen=True)
class Indicator:
    """How one of the 25 indicators is drawn.

    ``low`` and ``high`` are the raw extremes, ``loads`` the loadings of its score on (log outcome, development, log
    digit, city noise, passing noise), ``give`` says how much it follows the correction that makes the index equal
    the outcome (0: computed or drawn beforehand).
    """

    symbol: str
    low: float = 0.0
    high: float = 0.0
    decimals: int = 0
    loads: tuple[float, float, float, float, float] | None = None
    give: float = 1.0


INDICATORS = (
    Indicator("edu_share", 8, 32, 3, (0.2, 0.3, 0.0, 0.7, 0.7), 0.3),
    Indicator("sci_share", 0.05, 16, 3, (0.6, 0.3, 0.1, 0.5, 0.4), 0.6),
    Indicator("sci_staff", 90, 760000, 0, (0.8, 0.2, 0.0, 0.4, 0.3)),
    Indicator("fdi_firms", 0, 9800, 0, (0.9, 0.0, 0.1, 0.4, 0.3)),
    Indicator("fdi_usd", 0, 3100000, 0, (0.8, 0.2, 0.0, 0.4, 0.4)),
    Indicator("colleges", 0, 94, 0, (0.7, 0.2, 0.0, 0.6, 0.1), 0.4),
    Indicator("teachers", 0, 71000, 0, (0.7, 0.2, 0.0, 0.5, 0.1), 0.4),
    Indicator("students", 0, 1300000, 0, (0.7, 0.2, 0.0, 0.5, 0.2), 0.4),
    Indicator("papers", 0, 99000, 0, (0.8, 0.0, 0.1, 0.5, 0.3)),
    Indicator("pat_apply", 20, 280000, 0, (0.8, 0.0, 0.5, 0.2, 0.2)),
    Indicator("tech_market", 0, 70000000, 0, (0.8, 0.0, 0.4, 0.4, 0.4)),
    Indicator("trademarks", 0, 320, 0, (0.8, 0.1, 0.0, 0.5, 0.3), 0.7),
    Indicator("pat_grant", 10, 199000, 0, (0.8, 0.0, 0.5, 0.2, 0.2)),
    Indicator("st_trade_pc", 0, 32000, 3, (0.7, 0.2, 0.3, 0.5, 0.5)),
    Indicator("green", give=0),
    Indicator("gdp_pc", give=0),
    Indicator("tertiary", 31, 84, 2, (0.6, 0.3, 0.0, 0.6, 0.3), 0.3),
    Indicator("library_pm", 20000, 12000000, 0, (0.7, 0.4, 0.0, 0.5, 0.4), 0.8),
    Indicator("internet", 90, 9800, 3, (0.6, 0.5, 0.0, 0.4, 0.4), 0.5),
    Indicator("telecom", 30000, 24000000, 0, (0.8, 0.2, 0.1, 0.4, 0.3)),
    Indicator("urban", 30, 100, 2, (0.5, 0.6, 0.0, 0.5, 0.1), 0.3),
    Indicator("coupling", give=0),
    Indicator("gdp_pc_ratio", give=0),
    Indicator("edusci_ratio", give=0),
    Indicator("hc_ratio", give=0),
)
SYMBOLS = [k.symbol for k in INDICATORS]


def coupling(grants: Array, growth: Array) -> Array:
    """Coupling degree in per cent of min-max scaled patents granted (u) and GDP growth (v), 200 sqrt(uv)/(u+v)."""
    u, v = minmax(grants), minmax(growth)
    return 200 * np.sqrt(u * v) / (u + v)


def derive(panel: pd.DataFrame) -> pd.DataFrame:
    """The 25 indicators from the raw columns of the panel, in the paper's order (what the lesson does by hand)."""
    v = {k: panel[k].to_numpy(float) for k in panel.columns if panel[k].dtype.kind in "fi"}
    v["edu_share"] = 100 * v["edu_exp"] / v["fiscal_exp"]
    v["sci_share"] = 100 * v["sci_exp"] / v["fiscal_exp"]
    v["st_trade_pc"] = v["st_trade"] / v["population"]
    v["gdp_pc"] = v["gdp"] / v["population"]
    v["library_pm"] = 100 * v["library_books"] / v["population"]
    v["internet"] = v["internet_users"] / v["population"]
    v["coupling"] = coupling(v["pat_grant"], v["gdp_growth"])
    v["gdp_pc_ratio"] = to_primate(v["gdp_pc"])
    v["edusci_ratio"] = to_primate((v["edu_exp"] + v["sci_exp"]) / v["population"])
    v["hc_ratio"] = to_primate(v["hc"])
    return pd.DataFrame({k: v[k] for k in SYMBOLS}, index=panel.index)


def _indicators(rng: np.random.Generator, w: _Work, y: Array) -> dict[str, Array]:
    """Raw columns behind the 25 indicators: printed weights, and an entropy index that equals ``y``."""
    weights = printed().weights
    at = {k: i for i, k in enumerate(SYMBOLS)}
    drawn = np.array([i for i, k in enumerate(INDICATORS) if k.loads])
    give = np.array([k.give for k in INDICATORS])
    low, span = np.array([k.low for k in INDICATORS]), np.array([k.high - k.low for k in INDICATORS])
    pop, gdp = w.economy["population"], w.economy["gdp"]
    gdp_pc, gov = gdp / pop, w.levels["gov"]
    ly, dev, dig = zscore(np.log(y)), zscore(np.log(gdp_pc)), zscore(np.log(0.002 + w.digit))

    # drawn beforehand: growth, greenery and schooling (one slipped decimal each, see the data dictionary)
    growth = 8.5 - 0.75 * (GRID.standard_trend * 4) + 1.8 * GRID.ar1(rng, 0.5) + GRID.expand(rng.normal(0, 1, GRID.units))
    growth = np.round(soft_floor(growth, -6.0, 1.0), 2)
    green = np.clip(40 + 1.5 * GRID.standard_trend + GRID.expand(rng.normal(0, 2.0, 196)) + 1.5 * GRID.ar1(rng, 0.6), 20, 71)
    green[rng.integers(GRID.size)] = 0.4
    relative = GRID.expand(np.where(cities()["primate"] == 1, 1.0, 0.93 + 0.035 * rng.standard_normal(196)))
    schooling = np.round(9.6 * relative * (1 + 0.02 * GRID.standard_trend) + 0.15 * GRID.ar1(rng, 0.5), 2)
    slip = rng.choice(np.flatnonzero(GRID.expand(cities()["primate"].to_numpy()) == 0))
    schooling[slip] = np.round(schooling[slip] / 10, 2)

    noise_city = GRID.expand(rng.standard_normal((GRID.units, 25)))
    noise_move = np.column_stack([GRID.ar1(rng, 0.5) for _ in range(25)])
    score = np.zeros((GRID.size, 25))
    for i in drawn:
        a, b, c, d, e = INDICATORS[i].loads or (0, 0, 0, 0, 0)
        score[:, i] = zscore(a * ly + b * dev + c * dig + d * noise_city[:, i] + e * noise_move[:, i])
    x = np.empty((GRID.size, 25))
    x[:, at["green"]], x[:, at["gdp_pc"]] = minmax(green), minmax(gdp_pc)
    x[:, at["gdp_pc_ratio"]], x[:, at["hc_ratio"]] = minmax(to_primate(gdp_pc)), minmax(to_primate(schooling))

    def compute() -> None:
        raw = low + span * x
        x[:, at["coupling"]] = minmax(coupling(raw[:, at["pat_grant"]], growth))
        x[:, at["edusci_ratio"]] = minmax(to_primate((raw[:, 0] + raw[:, 1]) * gov * gdp_pc))

    S = S0
    floor_apply = (w.digit * 1e4 * 1.05 - low[at["pat_apply"]]) / span[at["pat_apply"]]
    x[:, drawn] = tilt_to(score[:, drawn], weights[drawn] * S)
    compute()
    steps = 150
    for k in range(steps):
        we = entropy_weights(x)
        index = x @ we
        gap = y - index
        if np.abs(gap).max() < 2e-6:
            break
        log_rho = np.clip(gap / (x @ (we * give) + 1e-12), -0.7, 0.7)
        x[:, drawn] = minmax(x[:, drawn] * np.exp(log_rho[:, None] * give[drawn]))
        if k < 60:
            if k < 40:
                S *= np.exp(-0.5 * log_rho.mean())
            power = np.clip(np.sqrt(weights[drawn] * S / redundancy(x[:, drawn])), 0.7, 1.4)
            x[:, drawn] = x[:, drawn] ** power
        x[:, at["pat_apply"]] = np.clip(np.maximum(x[:, at["pat_apply"]], floor_apply), 0, 1)
        compute()
    w.log["indicators"] = {"sum_of_redundancies": float(S), "rounds": k + 1, "largest_gap": float(np.abs(gap).max())}

    raw = {k.symbol: np.round(k.low + (k.high - k.low) * x[:, i], k.decimals) for i, k in enumerate(INDICATORS) if k.loads}
    fiscal = np.round(gov / 10 * gdp)
    raw["fiscal_exp"] = fiscal
    raw["edu_exp"] = np.round(raw.pop("edu_share") / 100 * fiscal)
    raw["sci_exp"] = np.round(raw.pop("sci_share") / 100 * fiscal)
    raw["st_trade"] = np.round(raw.pop("st_trade_pc") * pop)
    raw["library_books"] = np.round(raw.pop("library_pm") * pop / 100)
    raw["internet_users"] = np.round(raw.pop("internet") * pop)
    raw |= {"gdp_growth": growth, "green": np.round(green, 2), "hc": schooling}
    return raw


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


INTEGERS = (
    "gdp output_1 output_2 output_3 fiscal_exp edu_exp sci_exp rd_exp st_trade library_books internet_users new_firms "
    "sci_staff fdi_firms fdi_usd colleges teachers students papers pat_apply tech_market trademarks pat_grant telecom "
    "keywords"
).split()
COLUMNS = (
    "code city city_zh cluster cluster_zh year primate population area gdp gdp_growth output_1 output_2 output_3 "
    "fiscal_exp edu_exp sci_exp rd_exp st_trade library_books internet_users new_firms sci_staff fdi_firms fdi_usd "
    "colleges teachers students papers pat_apply tech_market trademarks pat_grant green tertiary telecom urban hc "
    "digit keywords gov density hum fin trans protect unemploy cap ris ent inn_1 port_distance phones_1984 stage "
    "structure cluster_density cluster_gdp edu_staff hightech_firms transport_staff it_staff loans"
).split()


def _assemble(rng: np.random.Generator, w: _Work, raw: dict[str, Array], channels: dict[str, Array]) -> pd.DataFrame:
    """All raw columns; totals are rounded so that the ratios computed from them are the simulated ones."""
    frame = cities()
    keys = frame.loc[np.repeat(frame.index, 14), ["code", "city", "city_zh", "cluster", "cluster_zh", "primate", "stage", "structure"]]
    panel = keys.reset_index(drop=True)
    panel["year"] = np.tile(YEARS, GRID.units)
    new = dict(raw) | w.economy | w.levels | channels
    new |= {"digit": w.digit, "keywords": w.keywords}
    new |= {k: GRID.expand(v) for k, v in w.instruments.items()}
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


LAST: dict[str, Array] = {}


def simulate(seed: int = 2026, mode: str = "matched", jitter: float = 0.0) -> Simulated:
    """Simulate the panel of `city-innovation`; see `regionbook.simulate.simulate`."""
    rng, process, matched = _streams(seed), Process(), mode == "matched"
    digit = _anchored_digit(rng["treatment"])
    levels = _controls(rng["controls"], digit)
    Cw = GRID.within(regressors(levels))
    p = printed()
    instruments = {
        "port_distance": np.round(cities()["port_km"].to_numpy() / PORT_UNIT_KM, 4),
        "phones_1984": _phones(rng["instruments"], digit, Cw, float(4.1**2), p.estimate["4", "3", "IV_2"][0]),
    }
    economy = _economy(rng["moderators"], levels["density"])
    moderators = _moderators(rng["moderators"])
    w = _Work(process, digit, levels, economy, moderators, instruments)
    w.tech = _technology_given(rng["treatment"], digit, w.Md, w.MI, process.filing)
    y = _outcome(rng["outcome"], w, matched)
    channels = _channels(rng["channels"], w, matched)
    raw = _indicators(rng["indicators"], w, y)
    panel = _assemble(rng["channels"], w, raw, channels)
    LAST["y"] = y
    return Simulated(panel, {"seed": seed, "mode": mode, "log": w.log})


def write(folder: Path | str, seed: int = 2026) -> None:
    """Write the shipped files ``city-innovation.csv`` and ``.truth.json`` to a folder."""
    result = simulate(seed)
    result.panel.to_csv(Path(folder) / f"{SLUG}.csv", index=False, lineterminator="\n", float_format="%.10g")
    text = json.dumps(result.truth, indent=1, ensure_ascii=False)
    (Path(folder) / f"{SLUG}.truth.json").write_text(text + "\n", encoding="utf-8")
