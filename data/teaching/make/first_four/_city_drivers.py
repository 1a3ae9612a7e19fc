"""What drives the outcome of `city-innovation`: technology and its measurement, controls, instruments, moderators.

``digit`` and the controls get the printed means, standard deviations and extremes, and technology is drawn given
``digit`` and the instruments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq, least_squares

from first_four._calibrate import Array, marginal, minmax, residual, zscore
from first_four._city_targets import CONTROLS, FE_DF, GRID, cities, position, printed, regressors

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
    noise_persistence : float
        First-order autocorrelation of the outcome error.
    controls : tuple
        Coefficients of the seven controls in the outcome.
    between, trend, noise : float
        Amplitudes of the outcome's between-city part, common trend (a standard deviation) and error.
    direct : tuple
        Effects of the two instruments on ``inn`` that do not pass through technology (zero: they are valid).
    """

    beta: float = 0.197
    filing_share: float = 0.52
    noise_persistence: float = 0.5
    controls: tuple[float, ...] = (-3.1662, -0.0293, -0.0022, 0.0002, -0.0002, -0.0036, -0.0006)
    between: float = 0.031
    trend: float = 0.006
    noise: float = 0.0067
    direct: tuple[float, float] = (0.0, 0.0)


# ------------------------------------------------------------------------------------------------- treatment
def anchored_digit(rng: np.random.Generator) -> Array:
    """Measured digit around the cities' orders of magnitude: printed mean, SD and maximum, whole applications."""
    frame, t = cities(), (np.arange(14) - 13) / 13
    n, (mean, sd, _, top) = len(frame), printed().moments["digit"]
    small = 0.0036 * (frame["gdp"] / 2500) * np.exp(rng.normal(0, 0.6, n))
    end = frame["digital"].fillna(small).to_numpy()
    steady = np.where(frame["digital"] > 0.3, 0.3, 1.0)
    growth = 2.5 + 0.25 * steady * rng.standard_normal(n)
    raw = (end[:, None] * np.exp(growth[:, None] * t)).ravel()
    raw *= np.exp(0.20 * GRID.expand(steady) * GRID.ar1(rng, 0.5))
    last = position("Shenzhen") * 14 + 13

    def measured(p: Array) -> Array:
        d = np.exp(p[0]) * raw ** np.exp(p[1])
        d = d / (1 + (d / top) ** 12) ** (1 / 12)
        d[last] = top
        return d

    fit = least_squares(lambda p: [measured(p).mean() / mean - 1, measured(p).std(ddof=1) / sd - 1], [0, 0])
    return np.round(measured(fit.x) * 1e4) / 1e4


def technology_given(
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


def matched_controls(rng: np.random.Generator, digit: Array) -> dict[str, Array]:
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


# ----------------------------------------------------------------------------------------------- instruments
def first_stage(z_city: Array, digit: Array, Cw: Array) -> tuple[Array, Array, Array]:
    """Residualised instruments (n, k), slopes and heteroskedasticity-robust F of several candidates at once."""
    z = residual(GRID.within(np.repeat(z_city, 14, axis=0) * GRID.trend[:, None]), Cw)
    d = residual(GRID.within(digit), Cw)
    zz = (z**2).sum(0)
    slope = (z.T @ d) / zz
    v = d[:, None] - z * slope
    return z, slope, slope**2 * zz**2 / ((z * v) ** 2).sum(0) * FE_DF / GRID.size


def draw_phones(frame: pd.DataFrame, noise: Array, dilution: Array | float) -> Array:
    """Telephones of 1984: the city's historical size, diluted by noise (units are set by the caller)."""
    history = zscore(np.log(frame["gdp"].to_numpy()))
    latent = (history[:, None] + noise[:, None] * dilution) / np.sqrt(1 + np.square(dilution))
    latent[(frame["city"] == "Shenzhen").to_numpy()] = 2.4
    return np.exp(0.8 * latent)


def calibrated_phones(
    rng: np.random.Generator, digit: Array, Cw: Array, wanted_f: float, slope: float
) -> Array:
    """Telephones with the dilution that gives the wanted robust F and the unit that gives the wanted slope."""
    phones = draw_phones(cities(), rng.standard_normal(GRID.units), np.linspace(0, 12, 241))
    _, slopes, F = first_stage(phones, digit, Cw)
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


def draw_moderators(rng: np.random.Generator) -> pd.DataFrame:
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
