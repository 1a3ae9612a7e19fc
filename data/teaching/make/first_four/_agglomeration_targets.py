"""What the simulator of `industry-agglomeration` starts from: printed numbers, the 280 cities, and how to re-estimate.

What the printed numbers imply, and the simulator therefore builds in: column (1) of Table 3 is a random-effects
regression whose R-squared is the one *within* cities. Then, and only then, its slope, its errors, the error of
``unemployed`` in columns (3) and (4), and the near-equality of R-squared in columns (2) and (3) hold together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from first_four._calibrate import Array, CalibrationError, Grid, residual, zscore
from regionbook import geo
from regionbook.paths import data_file

SLUG = "industry-agglomeration"
YEARS = np.arange(2013, 2023)
GRID = Grid(units=280, periods=10)
CONTROLS = ("develop", "unemployed", "finance", "human", "traffic", "support")
TERMS = ("agglomeration", *CONTROLS)
CHANNELS = ("rd_staff", "patents_pc", "exchanges", "pilots", "tertiary_ratio", "productivity")
"""The six outcomes of Table 4, in the order of its columns."""
SPLITS = ("digital_words", "nqpf_words", "market", "integration", "fiscal_share", "staff_share")
"""Grouping variables; above the median the effect is larger for the first four and smaller for the last two."""
LATE = [
    "Sansha",
    "Danzhou",
    "Lhasa",
    "Xigaze",
    "Qamdo",
    "Nyingchi",
    "Shannan",
    "Nagqu",
    "Haidong",
    "Turpan",
    "Hami",
]
"""Made prefecture-level cities after 2012, or (Lhasa) with gaps in the yearbooks throughout."""
ALONE = ["Haikou", "Sanya", "Xining", "Urumqi", "Karamay", "Zhoushan"]
"""Without a land border with any other city that is left."""
FE_DF = GRID.size - 279 - 9 - 1 - 7
"""Residual degrees of freedom of Table 3, column 4."""
W_SCALE = 10.0
"""Row-standardised weights divided by this number print the magnitudes of Table 5."""


# ---------------------------------------------------------------------------------------------- printed numbers
@dataclass(frozen=True)
class Printed:
    """Numbers of the paper that serve as targets, read from ``data/published/industry-agglomeration``."""

    estimate: dict[tuple[str, str, str], tuple[float, float]]
    r2: dict[tuple[str, str], float]
    moments: dict[str, tuple[float, float, float, float]]

    def slopes(self, column: str) -> Array:
        """Coefficients of agglomeration and the six controls in Table 3."""
        return np.array([self.estimate["3", column, k][0] for k in TERMS])


@cache
def printed() -> Printed:
    """Read the paper's numbers."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(data_file("published", SLUG, name), dtype={"table": str, "column": str})

    estimates, fit, moments = read("estimates.csv"), read("fit.csv"), read("descriptives.csv")
    fit = fit[fit["stat"] == "R2"]
    return Printed(
        {(r.table, r.column, r.term): (float(r.estimate), float(r.paren)) for r in estimates.itertuples()},
        {(r.table, r.column): float(r.value) for r in fit.itertuples()},
        {r.variable: (r.mean, r.sd, r.min, r.max) for r in moments.itertuples()},
    )


# ------------------------------------------------------------------------------------------------------ cities
@cache
def cities() -> pd.DataFrame:
    """The 280 cities in order of their codes.

    All municipalities and prefecture-level cities of ``data/geo/units.csv`` except those founded after 2012 or
    without yearbook series (`LATE`) and those without a land border with another city of the sample (`ALONE`).
    Size and income are orders of magnitude: from ``city-innovation.skeleton.csv`` where it has the city, else drawn.
    """
    units = pd.read_csv(data_file("geo", "units.csv"))
    units = units[units["level"].isin(["municipality", "prefecture-level city"])]
    frame = units[~units["name_en"].isin([*LATE, *ALONE])].sort_values("code", ignore_index=True)
    if len(frame) != GRID.units:
        raise CalibrationError(f"expected {GRID.units} cities in data/geo/units.csv, found {len(frame)}")
    frame = frame.rename(columns={"name_en": "city", "name_zh": "city_zh"})
    anchors = pd.read_csv(data_file("teaching", "city-innovation.skeleton.csv")).drop(columns="city_zh")
    frame = frame.merge(anchors, on="code", how="left", validate="1:1")
    rng = np.random.default_rng(0)
    people = np.exp(rng.normal(np.log(250), 0.45, len(frame)))
    income = np.exp(rng.normal(np.log(4.6), 0.3, len(frame)))
    frame["population"] = frame["population"].fillna(pd.Series(people)).round(0)
    frame["gdp"] = frame["gdp"].fillna(frame["population"] * income)
    frame["size"] = zscore(np.log(frame["gdp"].to_numpy()))
    frame["rich"] = zscore(np.log((frame["gdp"] / frame["population"]).to_numpy()))
    frame["km"] = geo.distances(frame["code"], to=["Hangzhou"]).to_numpy()[:, 0]
    return frame


@cache
def weights() -> Array:
    """Row-standardised contiguity of the 280 cities, from ``industry-agglomeration.neighbours.csv``."""
    pairs = pd.read_csv(data_file("teaching", f"{SLUG}.neighbours.csv"))
    row = pd.Series(np.arange(GRID.units), cities()["code"])
    W = np.zeros((GRID.units, GRID.units))
    i, j = row[pairs["code"]].to_numpy(), row[pairs["neighbour"]].to_numpy()
    W[i, j] = W[j, i] = 1.0
    return W / W.sum(1, keepdims=True)


@cache
def eigenvalues() -> Array:
    """Eigenvalues of the row-standardised weights (real, since contiguity is symmetric)."""
    W = weights()
    root = np.sqrt((W > 0).sum(1))
    return np.linalg.eigvalsh(W * root[:, None] / root)


def lag(values: Array, transpose: bool = False) -> Array:
    """Average of the neighbours, year by year, of a vector or of each column of a matrix."""
    W = weights().T if transpose else weights()
    return (W @ values.reshape(GRID.units, -1)).reshape(values.shape)


# ---------------------------------------------------------------------------------------------- re-estimation
def two_way(y: Array, X: Array) -> dict[str, Any]:
    """Slopes, conventional errors, constant and R-squared as Stata's ``xtreg, fe`` with ``i.year`` prints them."""
    Xw, yw = GRID.within(X), GRID.within(y)
    inverse = np.linalg.inv(Xw.T @ Xw)
    b = inverse @ (Xw.T @ yw)
    ssr = float(((yw - Xw @ b) ** 2).sum())
    df = GRID.size - GRID.units - GRID.periods + 1 - X.shape[1]
    first = np.arange(GRID.size) % GRID.periods == 0
    return {
        "b": b,
        "se": np.sqrt(ssr / df * np.diag(inverse)),
        "constant": float(y[first].mean() - X[first].mean(0) @ b),
        "r2": 1 - ssr / float(((y - GRID.unit_mean(y)) ** 2).sum()),
    }


def constant_row(X: Array, to_slopes: Array) -> Array:
    """Row that gives the constant of a regression with city and year effects (first year as base) from its outcome."""
    first = (np.arange(GRID.size) % GRID.periods == 0) / GRID.units
    return first - (first @ X) @ to_slopes


def around_city(values: Array) -> Array:
    """Deviation from the city's mean, for a vector or each column of a matrix."""
    z = values.reshape(GRID.units, GRID.periods, -1)
    return (z - z.mean(1, keepdims=True)).reshape(values.shape)


def city_effects(y: Array, X: Array) -> dict[str, Any]:
    """Regression with city effects only, as ``xtreg, fe`` prints it."""
    Xw, yw = around_city(X), around_city(y)
    inverse = np.linalg.inv(Xw.T @ Xw)
    b = inverse @ (Xw.T @ yw)
    ssr = float(((yw - Xw @ b) ** 2).sum())
    se = np.sqrt(ssr / (GRID.size - GRID.units - X.shape[1]) * np.diag(inverse))
    return {"b": b, "se": se, "constant": float(y.mean() - X.mean(0) @ b), "r2": 1 - ssr / float(yw @ yw)}


def random_effects(y: Array, X: Array) -> dict[str, Any]:
    """Random effects by Swamy and Arora's variance components; R-squared is the one within cities."""
    k = X.shape[1]
    Xw, yw = around_city(X), around_city(y)
    sigma2 = float((residual(yw, Xw) ** 2).sum()) / (GRID.size - GRID.units - k)
    Z = np.column_stack([np.ones(GRID.units), (X - Xw)[:: GRID.periods]])
    between = float((residual((y - yw)[:: GRID.periods], Z) ** 2).sum()) / (GRID.units - k - 1)
    theta = 1 - np.sqrt(min(sigma2 / (GRID.periods * between), 1.0))
    Q = np.column_stack([np.full(GRID.size, 1 - theta), X - theta * (X - Xw)])
    inverse = np.linalg.inv(Q.T @ Q)
    b = inverse @ (Q.T @ (y - theta * (y - yw)))
    ssr = float(((y - theta * (y - yw) - Q @ b) ** 2).sum())
    return {
        "b": b[1:],
        "se": np.sqrt(ssr / (GRID.size - k - 1) * np.diag(inverse))[1:],
        "constant": float(b[0]),
        "constant_se": float(np.sqrt(ssr / (GRID.size - k - 1) * inverse[0, 0])),
        "r2": float(np.corrcoef(Xw @ b[1:], yw)[0, 1] ** 2),
        "theta": float(theta),
    }


def spatial_durbin(y: Array, X: Array, scale: float = 1.0) -> dict[str, float]:
    """Two-way spatial Durbin model by maximum likelihood without bias correction, weights divided by ``scale``.

    Returns the coefficients of the first regressor, of its lag, rho and their errors (expected information).
    """
    n, T, k = GRID.size, GRID.periods, X.shape[1]
    D = GRID.within(np.column_stack([X, lag(X) / scale]))
    yw, Lw = GRID.within(y), GRID.within(lag(y) / scale)
    H = np.linalg.solve(D.T @ D, D.T)
    e0, e1 = yw - D @ (H @ yw), Lw - D @ (H @ Lw)
    omega = eigenvalues() / scale

    def score(rho: float) -> float:
        e = e0 - rho * e1
        return float(n * (e @ e1) / (e @ e) - T * (omega / (1 - rho * omega)).sum())

    rho = brentq(score, 0.999 / omega.min(), 0.999 / omega.max(), xtol=1e-12)
    b = H @ (yw - rho * Lw)
    s2 = float(((e0 - rho * e1) ** 2).sum() / n)
    inverse = np.linalg.inv(np.eye(GRID.units) - rho * weights() / scale)
    G = weights() / scale @ inverse
    g = omega / (1 - rho * omega)
    u = GRID.within((G @ (D @ b).reshape(GRID.units, -1)).ravel())
    m = len(b)
    info = np.zeros((m + 2, m + 2))
    info[:m, :m], info[:m, m] = D.T @ D / s2, D.T @ u / s2
    info[m, :m] = info[:m, m]
    info[m, m] = T * ((g**2).sum() + (G**2).sum()) + u @ u / s2
    info[m, m + 1] = info[m + 1, m] = T * g.sum() / s2
    info[m + 1, m + 1] = n / (2 * s2**2)
    se = np.sqrt(np.diag(np.linalg.inv(info)))
    return {
        "own": float(b[0]),
        "own_se": float(se[0]),
        "lag": float(b[k]),
        "lag_se": float(se[k]),
        "rho": float(rho),
        "rho_se": float(se[m]),
        "sigma2": s2,
    }


def two_stage(frame: dict[str, Array]) -> dict[str, float]:
    """2SLS with distance x trend: coefficient, its conventional error, first-stage coefficient and F."""
    C = GRID.within(np.column_stack([frame[k] for k in CONTROLS]))
    d, y, z = (
        residual(GRID.within(frame[k]), C) for k in ("agglomeration", "New-productivity", "distance_trend")
    )
    first, b = float(z @ d / (z @ z)), float(z @ y / (z @ d))
    s2 = float(((y - b * d) ** 2).sum()) / FE_DF
    F = first**2 * float(z @ z) / (float(((d - first * z) ** 2).sum()) / FE_DF)
    out = {"estimate": b, "se": np.sqrt(s2 * (z @ z)) / abs(z @ d), "first": first, "first_F": F}
    return {k: round(float(v), 5) for k, v in out.items()}


def split_effects(frame: dict[str, Array]) -> dict[str, dict[str, float]]:
    """Effect of agglomeration above and at or below the median of each grouping variable, with city and year effects."""
    city = np.repeat(np.arange(GRID.units), GRID.periods)
    year = np.tile(np.arange(GRID.periods), GRID.units)
    data = np.column_stack([frame[k] for k in ("New-productivity", *TERMS)])
    out: dict[str, dict[str, float]] = {}
    for name in SPLITS:
        high = frame[name] > np.median(frame[name])
        out[name] = {}
        for label, keep in (("high", high), ("low", ~high)):
            Z, c = data[keep], city[keep]
            n = np.bincount(c, minlength=GRID.units).clip(1)
            means = lambda A, c=c, n=n: (  # noqa: E731
                np.column_stack([np.bincount(c, k, minlength=GRID.units) for k in A.T]) / n[:, None]
            )[c]
            D = np.eye(GRID.periods)[year[keep]][:, 1:]
            Z, D = Z - means(Z), D - means(D)
            Z = Z - D @ np.linalg.lstsq(D, Z, rcond=None)[0]
            y, X = Z[:, 0], Z[:, 1:]
            inverse = np.linalg.inv(X.T @ X)
            b = inverse @ (X.T @ y)
            df = len(y) - len(np.unique(c)) - D.shape[1] - X.shape[1]
            s2 = float(((y - X @ b) ** 2).sum()) / df
            out[name][label] = round(float(b[0]), 5)
            out[name][f"{label}_se"] = round(float(np.sqrt(s2 * inverse[0, 0])), 5)
    return out


def estimate(frame: dict[str, Array]) -> pd.DataFrame:
    """Tables 2-5 estimated, beside the printed numbers.

    Columns: table, column, term, printed, printed_se, reached, reached_se. Where no error is printed, ``printed_se``
    is half the tolerance of the calibration contract (10 per cent of a moment, 0.05 of R-squared).
    """
    p = printed()
    rows: list[tuple[str, str, str, float, float, float, float]] = []

    def add(table: str, column: str, term: str, value: float, se: float = np.nan) -> None:
        b, b_se = (p.r2[table, column], 0.025) if term == "R2" else p.estimate[table, column, term]
        rows.append((table, column, term, b, b_se, float(value), float(se)))

    for name, (mean, sd, _, _) in p.moments.items():
        x = frame[name]
        rows.append(("2", "mean", name, mean, 0.05 * mean, float(x.mean()), np.nan))
        rows.append(("2", "sd", name, sd, 0.05 * sd, float(x.std(ddof=1)), np.nan))
    y, X = frame["New-productivity"], np.column_stack([frame[k] for k in TERMS])
    fits = (random_effects(y, X[:, :1]), random_effects(y, X), city_effects(y, X), two_way(y, X))
    for column, m in zip("1234", fits, strict=True):
        for term, b, se in zip(TERMS, m["b"], m["se"], strict=False):
            add("3", column, term, b, se)
        add("3", column, "_cons", m["constant"], m.get("constant_se", np.nan))
        add("3", column, "R2", m["r2"])
    for column, name in zip("123456", CHANNELS, strict=True):
        m = two_way(frame[name], X)
        add("4", column, "agglomeration", m["b"][0], m["se"][0])
        add("4", column, "_cons", m["constant"])
        add("4", column, "R2", m["r2"])
    s = spatial_durbin(y, X, W_SCALE)
    add("5", "1", "agglomeration", s["own"], s["own_se"])
    add("5", "1", "W:agglomeration", s["lag"], s["lag_se"])
    add("5", "1", "W:New-productivity", s["rho"], s["rho_se"])
    names = ["table", "column", "term", "printed", "printed_se", "reached", "reached_se"]
    return pd.DataFrame(rows, columns=names)
