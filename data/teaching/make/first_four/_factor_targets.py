"""What the simulator of `factor-innovation` starts from: the paper's numbers, the provinces, how to re-estimate.

Printed numbers come from ``data/published/factor-innovation``, provinces and regions from ``data/geo``, orders of
magnitude of provincial output from ``data/teaching/factor-innovation.skeleton.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from scipy import special

from first_four._calibrate import Array, CalibrationError, Grid
from regionbook.paths import data_file

SLUG = "factor-innovation"
YEARS = np.arange(2003, 2024)
FULL, SHORT = Grid(units=31, periods=21), Grid(units=31, periods=11)
SAMPLE = np.tile(YEARS >= 2013, 31)
"""Rows of the regressions among the 651 province-years."""
POLICY_YEAR = 2013

FI = ("L1", "L2", "L3", "K1", "K2", "K3", "T1", "T2", "T3", "T4", "T5")
RCD = ("E1", "E2", "E3", "E4", "S1", "S2", "S3", "S4", "N1", "N2", "N3", "N4")
ID = ("ID1", "ID2", "ID3")
INDICES = {"FI": FI, "RCD": RCD, "ID": ID}
PERIODS = {"2003": (2003, 2003), "2004-2012": (2004, 2012), "2013-2022": (2013, 2022), "2023": (2023, 2023)}
PERIOD_ROWS = {p: np.tile((a <= YEARS) & (b >= YEARS), 31) for p, (a, b) in PERIODS.items()}
DIMENSION = {k: {"L": "LI", "K": "KI", "T": "TI"}[k[0]] for k in FI} | {k: "RCD_" + k[0] for k in RCD}
CONTROLS = ("TAL", "BASE", "GAP", "GOV")
PARTS = {"FI": ("LI", "KI", "TI"), "ID": ID}
BASE = ("LI", "KI", "TI", "ID1", "ID2", "ID3", "TAL", "BASE", "GAP", "GOV", "RCD")
"""Variables of which all regressors are sums; TAL and GAP as the regressions use them (0 to 1)."""


@cache
def provinces() -> pd.DataFrame:
    """The 31 provinces in order of their codes: names, regions, orders of magnitude of output."""
    units = pd.read_csv(data_file("geo", "units.csv"))
    units = units[units["region4"].notna() & (units["code"] % 10000 == 0)]
    frame = units.merge(pd.read_csv(data_file("teaching", f"{SLUG}.skeleton.csv")), on="code", validate="1:1")
    if len(frame) != 31:
        raise CalibrationError(f"expected 31 provinces, found {len(frame)}")
    return frame.sort_values("code", ignore_index=True)


@dataclass(frozen=True)
class Printed:
    """Numbers of the paper that serve as targets."""

    estimate: dict[tuple[str, str, str], tuple[float, float, str]]
    r2: dict[tuple[str, str], float]
    moments: dict[str, tuple[float, float, float, float]]
    weights: dict[str, Array]
    """By period: shares of the indicators in their index, in the order FI, RCD, ID."""
    whole: dict[str, float]
    """Share of a dimension in its index over all years."""
    regional_gdp: dict[tuple[str, int], float]
    """100 million yuan."""
    above: dict[tuple[str, int], frozenset[str]]
    """Provinces above the national mean, by index and year."""


@cache
def printed() -> Printed:
    """Read the paper's numbers."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(data_file("published", SLUG, name), dtype={"table": str, "column": str})

    estimates, fit, moments = read("estimates.csv"), read("fit.csv"), read("descriptives.csv")
    weights, other = read("indicators.csv"), read("other.csv")
    estimates = estimates[estimates["paren"].notna()].fillna({"stars": ""})
    fit = fit[fit["stat"] == "R2"]
    detail = weights[weights["symbol"].isin(FI + RCD + ID)].set_index(["period", "symbol"])["weight_pct"]
    by_period = {}
    for p in PERIODS:
        by_period[p] = np.concatenate(
            [v / v.sum() for v in (detail.loc[p].loc[list(s)].to_numpy(float) for s in INDICES.values())]
        )
    whole = weights[weights["period"] == "2003-2023"].set_index("symbol")["weight_pct"] / 100
    gdp = other[(other["table"] == "text intro") & other["column"].str.match(r"GDP \d{4}$")]
    names = other[(other["unit"] == "above national mean") & other["table"].eq("text 二(三)3")].copy()
    names["en"] = names["row"].str.replace(r"^[^A-Za-z]+", "", regex=True)
    above = {
        (str(k).split()[0], int(str(k).split()[1])): frozenset(g["en"])
        for k, g in names.groupby("column", sort=False)
    }
    above["ID", 2023] |= {"Anhui"}  # counted, not named
    return Printed(
        {
            (r.table, r.column, r.term): (float(r.estimate), float(r.paren), r.stars)
            for r in estimates.itertuples()
        },
        {(r.table, r.column): float(r.value) for r in fit.itertuples()},
        {r.variable: (r.mean, r.sd, r.min, r.max) for r in moments.itertuples()},
        by_period,
        whole.to_dict(),
        {(r.row.split()[0], int(r.column[-4:])): 1e4 * float(r.value) for r in gdp.itertuples()},
        above,
    )


# ---------------------------------------------------------------------------------------------- the columns
@dataclass(frozen=True)
class Column:
    """One printed regression: outcome, regressors, provinces, and how it is estimated (fe, lag, re)."""

    table: str
    column: str
    terms: tuple[str, ...]
    outcome: str = "RCD"
    kind: str = "fe"
    units: Array = field(default_factory=lambda: np.arange(31))

    @property
    def clusters(self) -> int:
        """Number of provinces."""
        return len(self.units)

    @property
    def stars_df(self) -> float:
        """Degrees of freedom of the t distribution behind the stars."""
        return np.inf if self.kind == "re" else self.clusters - 1


@cache
def table_columns() -> tuple[Column, ...]:
    """The 29 columns of Tables 5 to 8."""
    all_, few = CONTROLS, CONTROLS[1:]
    five = {
        "1": ("FI", *all_), "2": ("FI", *few), "3": ("FI", "TI", *all_), "4": ("FI", "LI", *all_),
        "5": ("FI", "KI", *all_), "6": ("FI", "KI", *few), "7": ("LI", *few), "8": ("KI", *few),
        "9": ("TI", *few), "10": ("FI", "LI", "TI", *all_), "11": ("FI", "LI", "KI", *all_),
    }  # fmt: skip
    out = [Column("5", k, t) for k, t in five.items()]
    out.append(Column("6", "1", ("FI", *all_), outcome="ID"))
    mediators = ("ID", *ID)
    out += [Column("6", str(i + 2), ("FI", m, *all_)) for i, m in enumerate(mediators)]
    out += [Column("7", str(i + 1), ("FI", m, *all_), kind="lag") for i, m in enumerate(mediators)]
    out += [Column("7", str(i + 5), ("FI", m, *all_), kind="re") for i, m in enumerate(mediators)]
    frame = provinces()
    splits = [("region4", k) for k in ("East", "Central", "West", "Northeast")]
    splits += [("north_south", k) for k in ("South", "North")]
    for i, (by, name) in enumerate(splits):
        units = np.flatnonzero(frame[by] == name)
        out.append(Column("8", str(i + 1), ("FI", *all_), units=units))
    return tuple(out)


def combine(v: dict[str, Array], name: str) -> Array:
    """A variable, or the sum of its parts."""
    return sum(v[k] for k in PARTS[name]) if name in PARTS else v[name]  # type: ignore[return-value]


@dataclass(frozen=True)
class Fit:
    """A regression with what is needed to differentiate it.

    ``slope_rows`` (k x n) gives the coefficients from the outcome, ``se`` is clustered by province, the constant is the
    last coefficient. ``rows_x`` and ``rows_y`` place regressors and outcome among the 341 province-years.
    """

    b: Array
    se: Array
    r2: float
    slope_rows: Array
    gram_inverse: Array
    residual: Array
    inner: Array
    outcome_means: Array
    scores: Array
    scale: float
    X: Array
    y: Array
    rows_x: Array
    rows_y: Array
    theta: Array | float
    total: float


def rows_of(units: Array, first: int, last: int) -> Array:
    """Positions of province-years ``first..last`` (0 = 2013) of some provinces among the 341."""
    return (units[:, None] * 11 + np.arange(first, last)[None]).ravel()


def fit(column: Column, v: dict[str, Array]) -> Fit:
    """Estimate a column as the paper presumably did.

    Fixed effects of province and year with errors clustered by province (Stata's ``reghdfe``: the constant is
    ``ybar - xbar'b``); lagged columns use all regressors of the year before; random effects (Swamy and Arora) have no
    year effects, errors clustered by province.
    """
    lag = column.kind == "lag"
    rows_x = rows_of(column.units, 0, 10 if lag else 11)
    rows_y = rows_of(column.units, 1 if lag else 0, 11)
    T, G = (10 if lag else 11), column.clusters
    X = np.column_stack([combine(v, k)[rows_x] for k in column.terms])
    y = combine(v, column.outcome)[rows_y]
    n, k = X.shape
    total = float(((y - y.mean()) ** 2).sum())
    grid = Grid(G, T)
    if column.kind == "re":
        theta = swamy_arora(X, y, grid)
        X1 = np.column_stack([X, np.ones(n)])
        Xs = X1 - theta * np.column_stack([grid.unit_mean(c) for c in X1.T])
        ys = y - theta * grid.unit_mean(y)
        A = np.linalg.inv(Xs.T @ Xs)
        P: Array = A @ Xs.T
        b: Array = P @ ys
        e: Array = ys - Xs @ b
        q = G / (G - 1) * (n - 1) / (n - k - 1)
        P_y = P - theta * grid.unit_mean_rows(P)
        ey = e - theta * grid.unit_mean(e)
        s = (P * e).reshape(k + 1, G, T).sum(2)
        return Fit(
            b, np.sqrt(q * (s**2).sum(1)), np.nan, P_y, A, ey, e, b, s, q, Xs, y, rows_x, rows_y, theta, total
        )
    Xw, yw = grid.within(X), grid.within(y)
    A = np.linalg.inv(Xw.T @ Xw)
    P = A @ Xw.T
    b = P @ yw
    e = yw - Xw @ b
    q = G / (G - 1) * (n - 1) / (n - k - T)
    constant = np.full(n, 1 / n) - X.mean(0) @ P
    rows = np.vstack([P, constant])
    s = (rows * e).reshape(k + 1, G, T).sum(2)
    return Fit(
        np.append(b, y.mean() - X.mean(0) @ b), np.sqrt(q * (s**2).sum(1)), 1 - float(e @ e) / total,
        rows, A, e, e, X.mean(0), s, q, Xw, y, rows_x, rows_y, 0.0, total,
    )  # fmt: skip


def swamy_arora(X: Array, y: Array, grid: Grid) -> float:
    """Share of the unit mean that random effects subtract (variance components of Swamy and Arora)."""
    Xd = X - np.column_stack([grid.unit_mean(c) for c in X.T])
    yd = y - grid.unit_mean(y)
    e = yd - Xd @ np.linalg.lstsq(Xd, yd, rcond=None)[0]
    k, N, T = X.shape[1], grid.units, grid.periods
    within = e @ e / (N * T - N - k)
    Xb = np.column_stack([np.ones(N), *(grid.by_unit(c).mean(1) for c in X.T)])
    yb = grid.by_unit(y).mean(1)
    u = yb - Xb @ np.linalg.lstsq(Xb, yb, rcond=None)[0]
    between = max(u @ u / (N - k - 1) - within / T, 0.0)
    return float(1 - np.sqrt(within / (T * between + within)))


def clear(b: float, se: float, df: float) -> tuple[float, float]:
    """Coefficient and error moved by at most 3 per cent, away from a critical value that their ratio nearly hits."""
    t = abs(b / se)
    for level in (0.1, 0.05, 0.01):
        ratio = t / (special.ndtri(1 - level / 2) if np.isinf(df) else special.stdtrit(df, 1 - level / 2))
        if 0.96 < ratio < 1.04:
            side = 1 if ratio >= 1 else -1
            return b * (1 + 0.008 * side), se * (1 - 0.03 * side)
    return b, se


def stars(b: float, se: float, df: float) -> str:
    """Stars at 10, 5 and 1 per cent, from the t distribution with ``df`` degrees (infinite: normal)."""
    t = -abs(b / se)
    p = 2 * (special.ndtr(t) if np.isinf(df) else special.stdtr(df, t))
    return "***" if p < 0.01 else "**" if p < 0.05 else "*" if p < 0.1 else ""
