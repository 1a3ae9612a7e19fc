"""Outcome and channels of `city-innovation`: the structural draw and its projection on the printed tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from first_four._calibrate import (
    Array,
    Grid,
    Squares,
    Targets,
    match,
    minmax,
    residual,
    soft_floor,
    zscore,
)
from first_four._city_drivers import Process
from first_four._city_indicators import AT
from first_four._city_targets import (
    CONTROL_TERMS,
    FE_DF,
    GRID,
    TABLE_6,
    TABLE_7,
    Printed,
    cities,
    constant_row,
    position,
    printed,
    regressors,
    to_primate,
    winsorise,
)


@dataclass
class Work:
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


def _cluster_effects(w: Work, wanted: dict[str, float]) -> pd.Series:
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


def _scale_of_cities(rng: np.random.Generator, w: Work) -> Array:
    """Latent innovative scale of a city, mean one over the panel."""
    fin = zscore(GRID.by_unit(w.C[:, 3]).mean(1))
    size = zscore(np.log(cities()["gdp"].to_numpy()))
    luck = rng.standard_normal(GRID.units) * np.where(cities()["digital"] > 0.3, 0.2, 0.5)
    L = np.exp(0.68 * zscore(0.9 * fin + 0.3 * size) + luck)
    for leader in ("Shenzhen", "Beijing", "Shanghai"):
        L[position(leader)] *= 1.3
    return GRID.expand(L / L.mean())


def _keywords(rng: np.random.Generator, w: Work, sigma2: float) -> Array:
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


def _floor(w: Work) -> Array:
    """Least index that is compatible with a city's GDP per head, which is drawn before the outcome."""
    gdp_pc = w.economy["gdp"] / w.economy["population"]
    x = np.column_stack([minmax(gdp_pc), minmax(to_primate(gdp_pc))])
    return 1.25 * x @ printed().weights[[AT["gdp_pc"], AT["gdp_pc_ratio"]]]


def draw_outcome(rng: np.random.Generator, w: Work, matched: bool = True) -> Array:
    """Structural outcome and, if ``matched``, its projection on Tables 3, 4, 5 and 7."""
    p, q = w.goals, w.process
    b1, b2 = p.slopes("1"), p.slopes("2")
    slopes = {k: p.estimate["7", c, f"digit:{k}"][0] for k, c in TABLE_7.items()}
    effect = q.beta + _cluster_effects(w, slopes) * (q.beta / b2[0])
    w.log["beta_by_cluster"] = effect.round(4).to_dict()
    L = _scale_of_cities(rng, w)
    fixed = GRID.expand(cities()["cluster"].map(effect).to_numpy(float)) * w.tech + w.Cw @ np.array(
        q.controls
    )
    for strength, instrument in zip(q.direct, w.instruments.values(), strict=True):
        fixed = fixed + strength * GRID.within(GRID.expand(instrument) * GRID.trend)
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
    w.log["oracle"] = {
        "before_projection": _oracle(w, fixed + parts.sum(0)),
        "after": _oracle(w, result.values),
    }
    w.log["moved"] = _moved(w, result.structural, result.values)
    return result.values


def _within_story(w: Work, y: Array) -> dict[str, float]:
    """What the within estimator and 2SLS give for an outcome before any projection."""
    out = {"within": float(w.Md @ y / w.D)}
    return out | {f"2sls_{k}": float(z @ y / (z @ w.digit)) for k, z in w.MI.items()}


def _oracle(w: Work, y: Array) -> dict[str, float]:
    """Least squares of an outcome on true technology, and on the instruments where they act by themselves."""
    direct = [z for z, strength in zip(w.MI.values(), w.process.direct, strict=True) if strength]
    names = ["tech", *(k for k, strength in zip(w.MI, w.process.direct, strict=True) if strength)]
    X = np.column_stack([residual(GRID.within(w.tech), w.Cw), *direct])
    b = np.linalg.solve(X.T @ X, X.T @ y)
    return {k: float(f"{v:.4g}") for k, v in zip(names, b, strict=True)}


def _moved(w: Work, before: Array, after: Array) -> dict[str, float]:
    """How far the projection moved the outcome."""
    e = [residual(GRID.within(k), w.Xw) for k in (before, after)]
    return {
        "median_relative_change": float(np.median(np.abs(after - before) / after)),
        "correlation_of_residuals": float(np.corrcoef(e[0], e[1])[0, 1]),
    }


def draw_channels(rng: np.random.Generator, w: Work) -> dict[str, Array]:
    """Three channels and the external index: structural draw, and the printed slope, constant, error and R2."""
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
        effect = (
            b * w.process.beta / p.slopes("2")[0]
        )  # on technology; the printed one suffers from filing too
        w.log.setdefault("channel_effects", {})[name] = round(effect, 4)
        fixed = effect * w.tech
        draft = fixed + parts.sum(0)
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
