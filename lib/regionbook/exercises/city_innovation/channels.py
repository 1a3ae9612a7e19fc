"""Answers to ``exercises/01-city-innovation/3-channels-and-heterogeneity``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal_truth
from regionbook.index import entropy_index
from regionbook.models import permutation_test
from regionbook.papers.city_innovation import CONTROLS, indicators, prepare

LESSON = "city-innovation/3-channels-and-heterogeneity"
MODERATORS = ["stage", "size", "inn_infra", "structure"]
PATENTS = ["pat_apply", "pat_grant", "coupling"]


def _fit(panel: pd.DataFrame, right: str, left: str = "inn", controls: bool = True) -> Any:
    from linearmodels.panel import PanelOLS

    if "inn" not in panel:
        panel = prepare(panel)
    terms = " + ".join([right, *(CONTROLS if controls else [])])
    formula = f"{left} ~ {terms} + EntityEffects + TimeEffects"
    return PanelOLS.from_formula(formula, panel).fit(cov_type="unadjusted")


# 1 -- an interaction column and the effect that it implies
INFRA = ["digit", "digit:inn_infra"]


def _column(panel: pd.DataFrame) -> Any:
    return _fit(panel, " + ".join(INFRA))


@answer(
    f"{LESSON}/column",
    decimals=4,
    hint="inn on digit, digit:inn_infra, the seven CONTROLS, city and year effects.",
    mistakes={
        "these are the standard errors.": lambda panel: _column(panel).std_errors[INFRA],
        "the seven controls are missing.": lambda panel: _fit(
            panel, " + ".join(INFRA), controls=False
        ).params[INFRA],
    },
)
def column(panel: pd.DataFrame) -> pd.Series:
    return _column(panel).params[INFRA]


def _effect(panel: pd.DataFrame, covariance: bool = True) -> pd.Series:
    panel = prepare(panel)
    m = _column(panel)
    z = panel.loc[panel["cluster"] == "Pearl River Delta", "inn_infra"].iloc[0]
    V = m.cov.loc[INFRA, INFRA].to_numpy()
    if not covariance:
        V = np.diag(np.diag(V))
    at = np.array([1.0, z])
    return pd.Series({"effect": m.params[INFRA] @ at, "SE": np.sqrt(at @ V @ at)})


@answer(
    f"{LESSON}/effect",
    decimals=4,
    hint="effect = b1 + z b2 with z the infrastructure of the Pearl River Delta; SE from the delta method.",
    mistakes={
        "the variance of a sum has a covariance in it: 2 z Cov(b1, b2).": lambda panel: _effect(
            panel, covariance=False
        )
    },
)
def effect(panel: pd.DataFrame) -> pd.Series:
    return _effect(panel)


# 2 -- stage with dummies
def _dummies(panel: pd.DataFrame) -> pd.Series:
    panel = prepare(panel)
    for s in (2, 3):
        panel[f"digit_{s}"] = panel["digit"] * (panel["stage"] == s)
    return _fit(panel, "digit + digit_2 + digit_3").params


def _stage_coefficients(panel: pd.DataFrame) -> pd.Series:
    return _dummies(panel)[["digit", "digit_2", "digit_3"]].set_axis([1, 2, 3])


def _stage_linear(panel: pd.DataFrame) -> pd.Series:
    b = _fit(panel, "digit + digit:stage").params
    return pd.Series({s: b["digit"] + s * b["digit:stage"] for s in (1, 2, 3)})


@answer(
    f"{LESSON}/stages",
    decimals=3,
    hint="one regression with digit and two products, digit where stage is 2 and digit where stage is 3; then add up.",
    mistakes={
        "the coefficients of the products are differences from stage 1; add the coefficient of digit.": _stage_coefficients,
        "this is the linear code; use two dummies.": _stage_linear,
    },
)
def stages(panel: pd.DataFrame) -> pd.Series:
    b = _dummies(panel)
    return pd.Series({1: b["digit"], 2: b["digit"] + b["digit_2"], 3: b["digit"] + b["digit_3"]})


# 3 -- median split by size
def _halves(panel: pd.DataFrame) -> pd.DataFrame:
    panel = prepare(panel)
    sizes = panel.groupby("cluster")["size"].first()
    panel["large"] = (panel["size"] > sizes.median()).astype(int)
    return panel


def _city_median(panel: pd.DataFrame) -> float:
    panel = prepare(panel)
    large = panel["size"] > panel["size"].median()
    return float(_fit(panel[large], "digit").params["digit"] - _fit(panel[~large], "digit").params["digit"])


@answer(
    f"{LESSON}/split",
    decimals=3,
    hint="the median of the 19 cluster sizes; one regression for the clusters above it, one for the others.",
    mistakes={
        "small minus large; large minus small is asked for.": lambda panel: -split(panel),
        "that is the interaction in one regression; split the sample.": lambda panel: _fit(
            _halves(panel), "digit + digit:large"
        ).params["digit:large"],
        "you took the median over city-years; every cluster counts once.": _city_median,
    },
)
def split(panel: pd.DataFrame) -> float:
    panel = _halves(panel)
    large = panel["large"] == 1
    return float(_fit(panel[large], "digit").params["digit"] - _fit(panel[~large], "digit").params["digit"])


def _permutation(panel: pd.DataFrame, unit: str) -> float:
    formula = f"inn ~ digit + {' + '.join(CONTROLS)} | city + year"
    return permutation_test(prepare(panel), formula, "digit", "structure", unit, draws=999, seed=1).p


@answer(
    f"{LESSON}/permutation",
    decimals=3,
    hint='rb.models.permutation_test with group "structure", draws=999 and seed=1; which unit was given the label?',
    mistakes={
        "you shuffled cities; the label belongs to urban clusters.": lambda panel: _permutation(panel, "city")
    },
)
def permutation(panel: pd.DataFrame) -> float:
    return _permutation(panel, "cluster")


# 4 -- rank-size rule
def _sizes(panel: pd.DataFrame, measure: str = "gdp") -> np.ndarray:
    year = panel.xs(2021, level="year")
    return np.sort(year.loc[year["cluster"] == "Chengdu-Chongqing", measure].to_numpy(dtype=float))[::-1]


def _slope(sizes: np.ndarray) -> float:
    return float(np.polyfit(np.log(np.arange(1, len(sizes) + 1)), np.log(sizes), 1)[0])


def _inverse(panel: pd.DataFrame) -> float:
    sizes = _sizes(panel)
    return float(-np.polyfit(np.log(sizes), np.log(np.arange(1, len(sizes) + 1)), 1)[0])


@answer(
    f"{LESSON}/rank-size",
    decimals=3,
    hint="ln gdp on ln rank over all cities of the cluster in 2021; q is minus the slope.",
    mistakes={
        "q is minus the slope, a positive number.": lambda panel: _slope(_sizes(panel)),
        "you regressed rank on size; regress size on rank.": _inverse,
        "that is q of population; product is asked for.": lambda panel: -_slope(_sizes(panel, "population")),
    },
)
def rank_size(panel: pd.DataFrame) -> float:
    return -_slope(_sizes(panel))


# 5 -- an outcome without patents
def _outcomes(panel: pd.DataFrame) -> dict[str, pd.Series]:
    raw = indicators(panel)
    return {"inn": entropy_index(raw).score, "purged": entropy_index(raw.drop(columns=PATENTS)).score}


def _coefficients(panel: pd.DataFrame) -> pd.Series:
    ready = prepare(panel)
    return pd.Series(
        {
            k: _fit(ready.assign(outcome=y), "digit", "outcome").params["digit"]
            for k, y in _outcomes(panel).items()
        }
    )


@answer(
    f"{LESSON}/purged",
    decimals=3,
    hint="drop pat_apply, pat_grant and coupling, compute new entropy weights; then slope × sd(digit) / sd(outcome).",
    mistakes={"these are the plain coefficients; multiply by sd(digit) / sd(outcome).": _coefficients},
)
def purged(panel: pd.DataFrame) -> pd.Series:
    spread = pd.Series({k: y.std() for k, y in _outcomes(panel).items()})
    return _coefficients(panel) * panel["digit"].std() / spread


# 6 -- the truth
@answer(
    f"{LESSON}/truth",
    decimals=2,
    hint="19 implied effects b1 + b2 Z for each moderator, correlated with the 19 true ones (align by cluster name).",
    mistakes={
        "you correlated over city-years; every cluster counts once.": lambda panel: _truth(
            panel, each="city"
        ),
        "you correlated the moderator itself with the truth; take the implied effect.": lambda panel: _truth(
            panel, z=True
        ),
    },
)
def truth(panel: pd.DataFrame) -> pd.Series:
    return _truth(panel)


def _truth(panel: pd.DataFrame, each: str = "cluster", z: bool = False) -> pd.Series:
    ready = prepare(panel)
    beta = pd.Series(personal_truth("city-innovation", panel.attrs.get("student", ""))["beta_by_cluster"])
    out = {}
    for name in MODERATORS:
        b = _fit(ready, f"digit + digit:{name}").params
        rows = (
            ready.groupby("cluster")[name].first() if each == "cluster" else ready.set_index("cluster")[name]
        )
        implied = rows if z else b["digit"] + b[f"digit:{name}"] * rows
        out[name] = np.corrcoef(implied, beta[implied.index])[0, 1]
    return pd.Series(out)
