"""Variables of Zhuang et al. (2025): an index of 15 indicators, patents of 30 provinces, spatial Durbin models."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from regionbook.data import columns, published
from regionbook.index import EntropyIndex, entropy_index

from . import redraw
from .declare import regressions
from .redraw import Array

SLUG = "digital-real-integration"

CONTROLS = ["lnPGDP", "lnFDI", "lnINPUT", "HUM"]
"""The four controls as the regressions use them."""
INDICATORS = columns(SLUG).query("role == 'indicator'").set_index("published")["column"].to_dict()
"""Number in the order of Table 2, x1 to x15 -> column; all positive."""
SCHOOLING = {"pri": 6, "mid": 9, "hig": 12, "uni": 16}
"""Years by level of schooling; the rest of the population counts as none."""
REGIONS = ("East", "Central", "West")


def index(panel: pd.DataFrame) -> EntropyIndex:
    """Return the index of digital-real integration: all indicators scaled and weighed over the whole panel, as they stand.

    Examples
    --------
    >>> from regionbook.data import load
    >>> index(load("digital-real-integration")).weights["finance_breadth"].round(2)
    np.float64(0.11)
    """
    return entropy_index(panel[list(INDICATORS.values())].astype(float))


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with the index, the outcome and the controls. Logarithms are natural ones; HUM is in years."""
    d, log = panel, np.log
    score = index(panel).score
    return panel.assign(
        lnINN=log(d["patents_granted"]),
        DE=score,
        lnDE=log(score),
        lnPGDP=log(d["gdp"] / d["population"] * 1e4),
        lnFDI=log(d["fdi_used"]),
        lnINPUT=log(d["rd_intramural"]),
        HUM=sum(years * d[k] for k, years in SCHOOLING.items()),
    )


def raw_weights(panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return equations (18) and (19): ``Wd``, 1/d² between capitals (d in km), and ``We``, each column of it times the
    province's mean GDP over the mean of all."""
    from regionbook.geo import distances

    first = panel.groupby(level="province", sort=False)[["code", "gdp"]].agg({"code": "first", "gdp": "mean"})
    km = distances([str(code) for code in first["code"]]).to_numpy(copy=True)
    np.fill_diagonal(km, np.inf)
    near = pd.DataFrame(km**-2.0, first.index, first.index)
    return {"Wd": near, "We": near * (first["gdp"] / first["gdp"].mean())}


def weights(panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return both matrices with rows that add to one, which the paper does not say and its Table 6 implies."""
    return {name: w.div(w.sum(axis=1), axis=0) for name, w in raw_weights(panel).items()}


def moran(panel: pd.DataFrame, name: str, w: pd.DataFrame) -> pd.DataFrame:
    """Return Moran's I of a variable by year: I, its expectation, z and two-sided p under normality.

    Examples
    --------
    >>> from regionbook.data import load
    >>> d = prepare(load("digital-real-integration"))
    >>> moran(d, "lnINN", weights(d)["Wd"])["I"].round(2).loc[2012]
    np.float64(0.28)
    """
    wide = panel[name].unstack("year").loc[w.index]
    z, W = (wide - wide.mean()).to_numpy(), w.to_numpy()
    n, total = len(W), W.sum()
    found = n / total * np.einsum("it,ij,jt->t", z, W, z) / (z**2).sum(0)
    s1 = ((W + W.T) ** 2).sum() / 2
    s2 = ((W.sum(0) + W.sum(1)) ** 2).sum()
    sd = np.sqrt((n**2 * s1 - n * s2 + 3 * total**2) / (total**2 * (n**2 - 1)) - 1 / (n - 1) ** 2)
    score = (found + 1 / (n - 1)) / sd
    columns = {"I": found, "expected": -1 / (n - 1), "z": score, "p": 2 * stats.norm.sf(np.abs(score))}
    return pd.DataFrame(columns, wide.columns)


TABLES = regressions(SLUG, CONTROLS)
"""The printed regressions: direct likelihood (σ² has a z that Lee and Yu's correction cannot give). In Table 8 the matrix is
cut to the region and standardised again, which is our reading."""


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives: the paths of the index, the numbering of provinces."""
    weight = index(panel).weights
    year, place = (panel.groupby(level=k, sort=False)["DE"].mean() for k in ("year", "province"))
    path = year.sort_index()
    growth, grown, late = path.diff(), path.iloc[-1] / path.iloc[0] - 1, 100 * weight.iloc[8:].sum()
    bend = max(path.index[2:-1], key=lambda y: growth.loc[y + 1 :].mean() - growth.loc[:y].mean())
    found = {
        ("Figure 1 (text)", "national mean of DE 全国平均", "2012"): path.iloc[0],
        ("Figure 1 (text)", "national mean of DE 全国平均", "2022"): path.iloc[-1],
        ("Figure 1 (text)", "growth, times (增长了4倍多)", "2022 against 2012"): grown,
        ("Figure 1 (text)", "year from which growth is faster", "slope"): bend,
        ("Figure 2 (text)", "mean DE 2012-2022", "广东 Guangdong (rank 1)"): place.max(),
        ("Figure 2 (text)", "mean DE 2012-2022", "青海 Qinghai (rank 30)"): place.min(),
        ("Figure 2 (text)", "ratio (20倍以上)", "Guangdong over Qinghai"): place.max() / place.min(),
        ("Text 三(二)", "share of the weights (接近50%)", "电子商务 + 数字普惠金融"): late,
        ("Text 三(一)", "count", "third-level indicators"): len(weight),
    }
    shares = panel[list(SCHOOLING)]
    years = np.linalg.lstsq(shares.assign(none=1 - shares.sum(axis=1)), panel["HUM"], rcond=None)[0]
    order = list(dict.fromkeys(panel.index.get_level_values("province")))
    for row in published(SLUG).other.itertuples():
        if row.column == "years of schooling":
            at = next((k for k, name in enumerate(SCHOOLING) if f"({name})" in row.row), len(SCHOOLING))
            found[row.table, row.column, row.row] = round(years[at], 6)
        elif row.table == "Figures 3-6 (text)":
            found[row.table, row.column, row.row] = 1 + order.index(row.row.partition(" ")[2])
    return {at: float(v) for at, v in found.items()}


def from_print() -> dict[tuple[str, str, str], float]:
    """Numbers of the text that follow from other printed figures."""
    other = published(SLUG).other
    worst = other[other["column"].str.endswith("P值")]["value"].max()
    return {("Text 五(二)", "significance level", "Moran's I of INN and DE"): 5.0 if worst <= 0.05 else 10.0}


# ------------------------------------------------------------------------------------------------ a student's panel
def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`.

    Patents are drawn anew: own and neighbours' effect of the index are the shipped ones times the student's factor, rho and
    the controls' coefficients stay.
    """
    rng, data = np.random.default_rng([seed, 9]), prepare(panel)
    W, X = weights(panel)["Wd"].to_numpy(), data[["lnDE", *CONTROLS]].to_numpy()
    main = redraw.sampled(replace(TABLES[0], estimator="ols"), data)
    rows, score, rho = redraw.durbin(main.y, X, W)
    lag, spread = redraw.spilling(W, rho)
    now, k = rows @ main.y, X.shape[1]
    part = main.sweep(spread(now[0] * X[:, 0] + now[k] * lag(X[:, 0]), False))  # levels stay
    goal = np.zeros(len(rows))
    goal[[0, k]] = now[[0, k]]

    def draw() -> tuple[Array, float]:
        factor = redraw.factor(rng)
        moved, to = (factor - 1) * part, (factor - 1) * goal
        y = redraw.outcome(main, moved, rng, rows, turn=0.5, spread=spread, goal=to, curved=score)
        return y, factor

    y, factor = redraw.first_steady(draw, main)
    new = {
        name: {k: round(v * (factor if k == "lnDE" else 1.0), 4) for k, v in shipped[name].items()}
        for name in ("beta", "theta")
    }
    truth = redraw.truth_of(shipped, seed, "process", "rho", "sigma2", "fault", factor=factor, **new)
    return panel.assign(patents_granted=np.round(np.exp(y)).astype(int)), truth
