"""Answers to ``exercises/02-industry-agglomeration/4-groups``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from regionbook.exercises.check import answer
from regionbook.models import permutation_test, suest_test
from regionbook.papers import prepare
from regionbook.papers.industry_agglomeration import CONTROLS, SPLITS

SLUG = "industry-agglomeration"
LESSON = f"{SLUG}/4-groups"
X = " + ".join(CONTROLS)
F = f"new_productivity ~ agglomeration + {X} | city + year"


def _rows(panel: pd.DataFrame) -> pd.DataFrame:
    return prepare(SLUG, panel).reset_index()


def _slope(data: pd.DataFrame, vcov: Any = "iid") -> pd.Series:
    import pyfixest as pf

    seen = data["city"].map(data["city"].value_counts()) > 1
    return pf.feols(F, data[seen], vcov=vcov).tidy().loc["agglomeration"]


def _halves(data: pd.DataFrame, high: pd.Series, what: str = "Estimate") -> pd.Series:
    found = {name: _slope(data[high == value])[what] for name, value in (("low", False), ("high", True))}
    return pd.Series(found, dtype=float)


def _pooled(data: pd.DataFrame, split: str) -> pd.Series:
    return data[split] > data[split].median()


def _by_city(data: pd.DataFrame, split: str, year: int | None = None) -> pd.Series:
    """Label of each row's city: its mean over the years, or its value in one year, above the cities' median."""
    rows = data if year is None else data[data["year"] == year]
    value = rows.groupby("city")[split].mean()
    return data["city"].map(value > value.median())


@answer(
    f"{LESSON}/movers",
    hint="the label of a row is value > median of all 2,800 rows; count the cities that have both labels.",
)
def movers(panel: pd.DataFrame) -> int:
    data = _rows(panel)
    return int(_pooled(data, "integration").groupby(data["city"]).nunique().gt(1).sum())


@answer(
    f"{LESSON}/pooled",
    tolerance=0.01,
    hint="one regression a half, each with its own city and year effects and all six controls.",
    mistakes={
        "you cut the cities' means; here the 2,800 rows are cut at their median.": lambda panel: _halves(
            _rows(panel), _by_city(_rows(panel), "integration")
        ),
        "these are standard errors; the slopes are asked for.": lambda panel: _halves(
            _rows(panel), _pooled(_rows(panel), "integration"), "Std. Error"
        ),
    },
)
def pooled(panel: pd.DataFrame) -> pd.Series:
    data = _rows(panel)
    return _halves(data, _pooled(data, "integration"))


def _suest(panel: pd.DataFrame, split: str, year: int | None = None, cluster: str = "city") -> Any:
    data = _rows(panel)
    data["g"] = _by_city(data, split, year)
    return suest_test(data, F, "agglomeration", "g", cluster=cluster)


@answer(
    f"{LESSON}/first-year",
    tolerance=0.01,
    hint="label = a city's digital_words in 2013 above the median of the 280 values; suest_test by city; high minus low.",
    mistakes={
        "you labelled by the mean of ten years; take the value of 2013.": lambda panel: (
            _suest(panel, "digital_words").difference
        ),
        "mind the sign: high minus low.": lambda panel: -first_year(panel),
    },
)
def first_year(panel: pd.DataFrame) -> float:
    return float(_suest(panel, "digital_words", 2013).difference)


@answer(f"{LESSON}/first-year-z", tolerance=0.01, hint="the attribute z of the test, clusters are cities.")
def first_year_z(panel: pd.DataFrame) -> float:
    return float(_suest(panel, "digital_words", 2013).z)


@answer(
    f"{LESSON}/market",
    decimals=3,
    hint="permutation_test(data, F, 'agglomeration', 'g', 'province', seed=7): the label belongs to provinces.",
    mistakes={
        "you shuffled cities; all cities of a province share the index, so shuffle provinces.": lambda panel: (
            _permuted(panel, "city")
        ),
    },
)
def market(panel: pd.DataFrame) -> float:
    return _permuted(panel, "province")


def _permuted(panel: pd.DataFrame, unit: str) -> float:
    data = _rows(panel)
    data["g"] = _by_city(data, "market")
    return float(permutation_test(data, F, "agglomeration", "g", unit, seed=7).p)


def _errors(panel: pd.DataFrame) -> tuple[float, float]:
    """Conventional and clustered error of the difference by staff_share, cities kept in place."""
    data = _rows(panel)
    high = _by_city(data, "staff_share")
    conventional = np.hypot(*(_slope(data[high == value])["Std. Error"] for value in (False, True)))
    return float(conventional), float(_suest(panel, "staff_share").se)


@answer(
    f"{LESSON}/too-small",
    tolerance=0.01,
    hint="clustered error of the difference (SUEST by city) over the conventional one, root of two squared iid errors.",
    mistakes={"turn the ratio round: clustered over conventional.": lambda panel: 1 / too_small(panel)},
)
def too_small(panel: pd.DataFrame) -> float:
    conventional, clustered = _errors(panel)
    return clustered / conventional


@answer(
    f"{LESSON}/size",
    decimals=2,
    hint="the conventional z is the right z times the ratio: P(|N(0,1)| > 1.96 / ratio), as a share of one.",
    mistakes={
        "that is one tail; the test has two.": lambda panel: size(panel) / 2,
    },
)
def size(panel: pd.DataFrame) -> float:
    return float(2 * stats.norm.sf(1.96 / too_small(panel)))


@answer(
    f"{LESSON}/score",
    tolerance=0.02,
    hint="agglomeration * w with w the standardised mean score of the city, controls and years interacted with w too.",
    mistakes={
        "the controls and the years must be allowed to differ with w as well.": lambda panel: _interaction(
            panel, own=False
        )
    },
)
def score(panel: pd.DataFrame) -> float:
    return _interaction(panel)


def _interaction(panel: pd.DataFrame, own: bool = True) -> float:
    import pyfixest as pf

    data = _rows(panel)
    logs = np.log1p(data[SPLITS])
    z = (logs - logs.mean()) / logs.std()
    value = (z[SPLITS[:4]].sum(axis=1) - z[SPLITS[4:]].sum(axis=1)).groupby(data["city"]).mean()
    data["w"] = data["city"].map((value - value.mean()) / value.std())
    data["x_w"] = data["agglomeration"] * data["w"]
    more = [f"{c}:w" for c in CONTROLS] + ["i(year, w, ref=2013)"] if own else []
    formula = f"new_productivity ~ agglomeration + x_w + {' + '.join([X, *more])} | city + year"
    return float(pf.feols(formula, data).coef()["x_w"])
