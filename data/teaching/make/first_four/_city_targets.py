"""What the simulator of `city-innovation` starts from: the paper's numbers, the cities, and how to re-estimate.

Printed numbers come from ``data/published/city-innovation``, cities and clusters from ``data/geo``, orders of
magnitude of the cities from ``data/teaching/city-innovation.skeleton.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from first_four._calibrate import Array, CalibrationError, Grid, residual
from regionbook import geo
from regionbook.index import entropy_index, pca_index
from regionbook.papers import city_innovation as paper
from regionbook.paths import data_file

SLUG = "city-innovation"
YEARS = np.arange(2008, 2022)
GRID = Grid(units=196, periods=14)
FE_DF = GRID.size - 195 - 13 - 1 - 8
"""Residual degrees of freedom of Table 3, column 2."""
CONTROLS = ("gov", "density", "hum", "fin", "trans", "protect", "unemploy")
CONTROL_TERMS = ("gov", "ln density", "ln hum", "ln fin", "ln trans", "ln protect", "ln unemploy")


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
COMPROMISES = {("7", "1", "digit:stage"): -0.0340, ("5", "5", "_cons"): 0.092}
"""Targets moved, within two printed standard errors, where the printed numbers cannot all hold (truth.json)."""


def goals() -> Printed:
    """The numbers that the panel is pulled to: the printed ones, but for `COMPROMISES`."""
    p = printed()
    moved = {key: (value, p.estimate[key][1]) for key, value in COMPROMISES.items()}
    return replace(p, estimate=p.estimate | moved)


# ------------------------------------------------------------------------------------------------------ cities
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
    frame["port_km"] = geo.port_distance(frame["city"])["km"].to_numpy()
    frame["primate"] = frame.index.isin(frame.groupby("cluster")["gdp"].idxmax()).astype(int)
    return frame


def position(city: str) -> int:
    """Position of a city, by its English name."""
    return int(np.flatnonzero(cities()["city"] == city)[0])


@cache
def _primate_rows() -> tuple[int, ...]:
    """Position of the primate city of each city's cluster."""
    frame = cities()
    row = pd.Series(frame.index[frame["primate"] == 1], frame.loc[frame["primate"] == 1, "cluster"])
    return tuple(frame["cluster"].map(row))


def to_primate(values: Array) -> Array:
    """Per cent of the value of the cluster's primate city in the same year."""
    return 100 * values / GRID.by_unit(values)[list(_primate_rows())].ravel()


# ---------------------------------------------------------------------------------------------- re-estimation
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


def constant_row(X: Array, to_slopes: Array) -> Array:
    """Row that gives the constant of a regression with city and year effects (first year as base) from its outcome."""
    first = (np.arange(len(X)) % GRID.periods == 0) / (len(X) / GRID.periods)
    return first - (first @ X) @ to_slopes


def winsorise(x: Array) -> Array:
    """Clip at the 1st and 99th percentile."""
    return np.clip(x, *np.percentile(x, [1, 99]))


@dataclass(frozen=True)
class TwoWay:
    """Slopes, conventional errors, constant and R-squared of a regression with city and year effects."""

    b: Array
    se: Array
    constant: float
    r2: float


def two_way(y: Array, X: Array) -> TwoWay:
    """Slopes, conventional errors, constant and R-squared as Stata's ``xtreg, fe`` with ``i.year`` prints them.

    Rows are in city-major order, 14 years a city.
    """
    grid = Grid(len(y) // 14, 14)
    Xw, yw = grid.within(X), grid.within(y)
    inverse = np.linalg.inv(Xw.T @ Xw)
    b = inverse @ (Xw.T @ yw)
    ssr = float(((yw - Xw @ b) ** 2).sum())
    df = grid.size - grid.units - grid.periods + 1 - X.shape[1]
    first = np.arange(grid.size) % 14 == 0
    return TwoWay(
        b,
        np.sqrt(ssr / df * np.diag(inverse)),
        float(y[first].mean() - X[first].mean(0) @ b),
        1 - ssr / float(((y - grid.unit_mean(y)) ** 2).sum()),
    )


def estimate(panel: pd.DataFrame) -> pd.DataFrame:
    """Tables 1-7 estimated from the raw columns, beside the printed numbers.

    Columns: table, column, term, printed, printed_se, reached, reached_se. Where no error is printed, ``printed_se``
    is half the tolerance of the calibration contract: half a percentage point for weights (table 1, per cent), 10 per
    cent for means and standard deviations (table 2), 0.05 for R-squared.
    """
    p = printed()
    frame = panel.set_index(["city", "year"])
    raw = paper.indicators(frame)
    index = entropy_index(raw)
    v = {k: c.to_numpy(float) for k, c in paper.prepare(frame).items() if c.dtype.kind in "fi"}
    inn, digit, C = v["inn"], v["digit"], np.column_stack([v[k] for k in paper.CONTROLS])
    pca = pca_index(raw)
    kept = pca.components.iloc[:, : pca.kept].to_numpy()
    lam = pca.eigenvalues.to_numpy()[: pca.kept]
    inn_2 = kept / kept.std(0) @ (lam / lam.sum())
    rows: list[tuple[str, str, str, float, float, float, float]] = []

    def add(table: str, column: str, term: str, value: Any, se: Any = np.nan) -> None:
        b, b_se = (p.r2[table, column], 0.025) if term == "R2" else p.estimate[table, column, term]
        rows.append((table, column, term, b, b_se, float(value), float(se)))

    for name, (mean, sd, _, _) in p.moments.items():
        x = v[name]
        rows.append(("2", "mean", name, mean, 0.05 * mean, float(x.mean()), np.nan))
        rows.append(("2", "sd", name, sd, 0.05 * sd, float(x.std(ddof=1)), np.nan))
    for symbol, target, value in zip(raw.columns, p.weights, index.weights, strict=True):
        rows.append(("1", "", symbol, 100 * target, 0.25, 100 * float(value), np.nan))
    X = np.column_stack([np.ones(len(inn)), digit, C])
    inverse = np.linalg.inv(X.T @ X)
    b = inverse @ (X.T @ inn)
    se = np.sqrt(((inn - X @ b) ** 2).sum() / (len(inn) - 9) * np.diag(inverse))
    for i, term in enumerate(("_cons", "digit", *CONTROL_TERMS)):
        add("3", "1", term, b[i], se[i])
    add("3", "1", "R2", 1 - ((inn - X @ b) ** 2).sum() / ((inn - inn.mean()) ** 2).sum())
    m = two_way(inn, X[:, 1:])
    add("3", "2", "R2", m.r2)
    for i, term in enumerate(("digit", *CONTROL_TERMS)):
        add("3", "2", term, m.b[i], m.se[i])
    add("3", "2", "_cons", m.constant)
    Cw = GRID.within(C)
    d, y = residual(GRID.within(digit), Cw), residual(GRID.within(inn), Cw)
    for name, first, second in (("IV_1", "1", "2"), ("IV_2", "3", "4")):
        z = residual(GRID.within(v[name]), Cw)
        pi, beta = z @ d / (z @ z), z @ y / (z @ d)
        hc = len(z) / FE_DF
        add("4", first, name, pi, np.sqrt(hc * ((z * (d - pi * z)) ** 2).sum()) / (z @ z))
        add("4", second, "digit", beta, np.sqrt(hc * ((z * (y - beta * d)) ** 2).sum()) / abs(z @ d))
    large = (
        ~panel["cluster"]
        .isin(panel.groupby("cluster")["code"].nunique().loc[lambda n: n <= 3].index)
        .to_numpy()
    )
    Cv = np.column_stack([winsorise(c) for c in C.T])
    five = {
        "1": (v["inn_1"], digit, C),
        "2": (inn_2, digit, C),
        "3": (inn, v["keywords"] / 100, C),
        "4": (inn[large], digit[large], C[large]),
        "5": (winsorise(inn), winsorise(digit), Cv),
    }
    jobs = [("5", k, y, x, c) for k, (y, x, c) in five.items()]
    jobs += [("6", column, v[name], digit, C) for name, column in TABLE_6.items()]
    jobs += [("7", column, inn, np.column_stack([digit, digit * v[k]]), C) for k, column in TABLE_7.items()]
    for table, column, y, x, c in jobs:
        m = two_way(y, np.column_stack([x, c]))
        add(table, column, "digit", m.b[0], m.se[0])
        if table == "7":
            term = "digit:" + next(k for k, j in TABLE_7.items() if j == column)
            add(table, column, term, m.b[1], m.se[1])
        add(table, column, "_cons", m.constant)
        add(table, column, "R2", m.r2)
    names = ["table", "column", "term", "printed", "printed_se", "reached", "reached_se"]
    return pd.DataFrame(rows, columns=names)
