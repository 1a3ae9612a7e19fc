"""Variables of Zhao and Yang (2025): AI firms and patents of 271 cities, five controls, two mediators, thresholds."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from regionbook.data import published

from . import redraw
from .declare import regressions
from .redraw import Array

CONTROLS = ["eco", "huc", "edu", "fis", "gov"]
"""The five controls as the regressions use them."""
NAMES = {k: k.capitalize() for k in (*CONTROLS, "va", "ind")} | {"ai": "AI", "iv": "IV"}
"""Variable -> printed name."""
CUTS = {"ai": (np.log(39), np.log(484)), "va": (15.6482,), "ind": (2.1637,)}
"""Threshold variable -> printed thresholds; those of AI, 3.6636 and 6.1821, are logarithms of whole numbers."""
WINSORISED = ["inn", "ai", *CONTROLS]
SHARE = 0.01
"""Of each tail, in Table 3 (2)."""


def winsorised(values: pd.Series, share: float = SHARE) -> pd.Series:
    """Return the values with those beyond the quantiles ``share`` and ``1 - share`` set to these."""
    return values.clip(*values.quantile([share, 1 - share]))


def regimes(d: Any) -> dict[str, Any]:
    """Return 0/1 columns ``ai_1``, ``ai_2``, ``ai_3``, ``va_1`` …: in which regime of the printed thresholds a row is."""
    out: dict[str, Any] = {}
    for name, cuts in CUTS.items():
        where = np.searchsorted(np.array(cuts) + 1e-9, np.asarray(d[name]), side="left")
        out |= {f"{name}_{j + 1}": (where == j) * 1 for j in range(len(cuts) + 1)}
    return out


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with outcomes, AI, mediators, controls, instrument, groups, regimes and winsorised variables.

    Logarithms of counts and amounts are natural ones. `eco` is GDP per head in yuan, which is what Table 1 looks like
    (the paper defines it per area, `eco_area` here); `ind` is 1, 2 and 3 times the shares of the three sectors; `va` the
    province's e-commerce in 10,000 yuan times the city's share of its parcels. A city-year is high where its score is
    above the mean of the panel.
    """
    d, log = panel, np.log
    new: dict[str, Any] = {"inn": log(d["patents_granted"]), "inn1": log(d["patents_applied"])}
    new["ai"], new["iv"] = log(d["ai_firms"]), d["internet_users"] / d["population"]
    new["va"] = log(d["ecommerce_province"] * d["express"] / d["express_province"])
    sectors = d[["primary", "secondary", "tertiary"]]
    new["ind"] = sectors @ [1.0, 2.0, 3.0] / sectors.sum(axis=1)
    new["eco"], new["eco_area"] = log(d["gdp"] / d["population"]), log(d["gdp"] / d["land_area"])
    new["huc"] = log(d["students"] / d["population"])
    new["edu"] = log(d["education_exp"] + d["science_exp"])
    new["fis"], new["gov"] = d["fiscal_rev"] / d["fiscal_exp"], d["fiscal_exp"] / d["gdp"]
    new |= {f"{k}_high": (d[f"{k}_score"] > d[f"{k}_score"].mean()) * 1 for k in ("data", "infra")}
    new |= regimes(new) | {f"{k}_w": winsorised(new[k]) for k in WINSORISED}
    return panel.assign(**new)


TABLES = regressions("ai-innovation", CONTROLS, NAMES)
"""The printed regressions. Tables 2, 3, 6 and 7 have errors clustered by city, which is what their t values look like; the
paper says "robust". Table 5 has no effects of years, whatever its last rows say."""


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives: municipalities and the multipliers of the three sectors."""
    found = {
        ("text", "municipalities dropped", "section 4(2)"): panel["municipality"]
        .groupby(level=0)
        .first()
        .sum(),
        ("text", "winsorising level", "section 4(2)"): 100 * SHARE,
    }
    shares = panel[["primary", "secondary", "tertiary"]].div(panel["gdp"], axis=0)
    weights = np.linalg.lstsq(shares, panel["ind"], rcond=None)[0]
    for name, weight in zip(("primary", "secondary"), weights, strict=False):
        found["text", f"Ind multiplier: {name} share", "section 3(2)4"] = round(weight, 6)
    return {place: float(value) for place, value in found.items()}


def from_print() -> dict[tuple[str, str, str], float]:
    """The probability behind a printed statistic."""
    fit = published("ai-innovation").fit.set_index(["table", "column", "stat"])["value"]
    return {
        ("text", "Kleibergen-Paap rk LM p value", "section 4(3)"): float(
            chi2.sf(fit["4", "2", "KP_rk_LM"], 1)
        )
    }


# ------------------------------------------------------------------------------------------------ a student's panel
HIGHEST = 1.16
"""Largest factor of a student: beyond it most draws run into the printed range of patents, and their residual grows."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`.

    Patents granted are drawn anew: every slope of AI, by least squares, 2SLS and regime, is the shipped one times the
    student's factor; a projection brings all printed columns there. Applications follow grants. The searched thresholds
    need not be the printed ones any more.
    """
    rng, data = np.random.default_rng([seed, 7]), prepare(panel)
    factor = redraw.factor(rng)
    while factor > HIGHEST:
        factor = redraw.factor(rng)
    again = [("4", "3"), ("6", "1")]
    fits = {c.key: redraw.sampled(c, data) for c in TABLES if c.outcome == "inn" and c.key not in again}
    main = fits["2", "6"]
    rows, goal = [], []
    for key, fit in fits.items():
        for k, row in zip(fit.column.regressors, fit.rows, strict=True):
            if k.split(":")[0] == "ai" or key == main.column.key or k in ("va", "ind"):
                rows.append(row)
                goal.append((factor - 1) * float(row @ fit.y) if k.split(":")[0] == "ai" else 0.0)
    held, low, high = np.array(rows), main.y.min(), main.y.max()
    part = (factor - 1) * float(main.rows[0] @ main.y) * data["ai"].to_numpy()

    def draw() -> tuple[Array, float]:
        y = redraw.outcome(main, part, rng, held, turn=0.5, lower=low, upper=high, goal=np.array(goal))
        return y, factor

    y, _ = redraw.first_steady(draw, main)
    granted = np.round(np.exp(y)).astype(int)
    applied = np.round(panel["patents_applied"] * granted / panel["patents_granted"]).astype(int)
    truth = redraw.truth_of(
        shipped, seed, "process", "factors", "register_error", "direct_effect_of_the_instrument", "thresholds",
        "coefficients", factor=factor, elasticity=round(shipped["elasticity"] * factor, 4),
        steps=[round(k * factor, 4) for k in shipped["steps"]],
    )  # fmt: skip
    return panel.assign(patents_granted=granted, patents_applied=applied), truth
