"""Answers to the exercises of the second lesson: fixed effects, standard errors, instruments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal_truth
from regionbook.papers import prepare
from regionbook.papers.city_innovation import CONTROLS

SLUG = "city-innovation"
LESSON = f"{SLUG}/2-regressions"
X = " + ".join(CONTROLS)


def _rows(panel: pd.DataFrame) -> pd.DataFrame:
    return prepare(SLUG, panel).reset_index()


def _feols(data: pd.DataFrame, formula: str, vcov: Any = "iid") -> Any:
    import pyfixest as pf

    return pf.feols(formula, data, vcov=vcov)


def _within(data: pd.DataFrame, vcov: Any = "iid") -> pd.Series:
    """The row of `digit` in column (2) of Table 3."""
    return _feols(data, f"inn ~ digit + {X} | city + year", vcov).tidy().loc["digit"]


def _2sls(data: pd.DataFrame, instruments: str, vcov: Any = "hetero") -> pd.Series:
    return _feols(data, f"inn ~ {X} | city + year | digit ~ {instruments}", vcov).tidy().loc["digit"]


def _errors(panel: pd.DataFrame, kinds: dict[str, Any]) -> pd.Series:
    data = _rows(panel)
    return pd.Series({name: _within(data, vcov)["Std. Error"] for name, vcov in kinds.items()})


@answer(
    f"{LESSON}/errors",
    tolerance=0.003,
    hint="three runs of the same pf.feols, with vcov='iid', 'hetero' and {'CRV1': 'city'}; take the column 'Std. Error'.",
    mistakes={
        "these are t statistics; standard errors are asked for.": lambda panel: pd.Series(
            {
                k: _within(_rows(panel), v)["t value"]
                for k, v in {"conventional": "iid", "HC1": "hetero", "by city": {"CRV1": "city"}}.items()
            }
        ),
        "the third one is clustered by urban cluster; cluster by city.": lambda panel: _errors(
            panel, {"conventional": "iid", "HC1": "hetero", "by city": {"CRV1": "cluster"}}
        ),
    },
)
def errors(panel: pd.DataFrame) -> pd.Series:
    """Conventional, HC1 and city-clustered error of column (2)."""
    return _errors(panel, {"conventional": "iid", "HC1": "hetero", "by city": {"CRV1": "city"}})


DF = 2744 - 195 - 13 - 1 - 8
"""Residual degrees of freedom of a column with both effects, digit and the controls."""


def _printed(table: str, column: str) -> tuple[float, float, float]:
    """Coefficient of digit, its error and R2 as printed."""
    p = published(SLUG)
    at = p.estimates.query("table == @table and column == @column and term == 'digit'").iloc[0]
    r2 = p.fit.query("table == @table and column == @column and stat == 'R2'")["value"].iloc[0]
    return float(at["estimate"]), float(at["paren"]), float(r2)


def _implied_error(r2_without: float) -> float:
    estimate, _, r2 = _printed("3", "2")
    return float(estimate / np.sqrt((r2 - r2_without) / (1 - r2) * DF))


@answer(
    f"{LESSON}/implied-error",
    decimals=5,
    hint="first the R2 without keywords, from their t in Table 5; then the t of digit from that R2 and the one of Table 3.",
    mistakes={
        "that is the t of digit; divide the coefficient by it.": lambda: (
            _printed("3", "2")[0] / _implied_error(_r2_controls())
        ),
        "the R2 of Table 5 contains the keywords; take out first what they add.": lambda: _implied_error(
            _printed("5", "3")[2]
        ),
    },
)
def implied_error() -> float:
    """Error of `digit` in Table 3 (2) that Table 5 (3) implies."""
    return _implied_error(_r2_controls())


def _r2_controls() -> float:
    estimate, error, r2 = _printed("5", "3")
    return r2 - (estimate / error) ** 2 * (1 - r2) / DF


def _weights(data: pd.DataFrame) -> pd.Series:
    left = pd.Series(_feols(data, f"digit ~ {X} | city + year").resid(), data["city"])
    share = (left**2).groupby(level=0).sum()
    return (share / share.sum()).sort_values(ascending=False)


@answer(
    f"{LESSON}/who", hint="the share of each city in the sum of squares of digit net of effects and controls."
)
def who(panel: pd.DataFrame) -> str:
    """The city with the largest share in the identifying variation."""
    return str(_weights(_rows(panel)).index[0])


@answer(
    f"{LESSON}/without",
    tolerance=0.01,
    hint="drop all 14 rows of the city, run column (2) again with vcov={'CRV1': 'city'}, and compute the shares anew.",
    mistakes={
        "these are the numbers of the whole sample.": lambda panel: _summary(_rows(panel)),
        "the error is the conventional one; cluster by city.": lambda panel: _summary(_rest(panel), "iid"),
    },
)
def without(panel: pd.DataFrame) -> pd.Series:
    """Column (2) without that city: coefficient, error by city, equivalent number of cities."""
    return _summary(_rest(panel))


def _rest(panel: pd.DataFrame) -> pd.DataFrame:
    data = _rows(panel)
    return data[data["city"] != _weights(data).index[0]]


def _summary(data: pd.DataFrame, vcov: Any = None) -> pd.Series:
    row = _within(data, vcov or {"CRV1": "city"})
    cities = 1 / (_weights(data) ** 2).sum()
    return pd.Series({"digit": row["Estimate"], "se": row["Std. Error"], "cities": cities})


def _sargan(panel: pd.DataFrame) -> tuple[float, float]:
    from linearmodels.iv import IV2SLS

    data = prepare(SLUG, panel)[["inn", "digit", *CONTROLS, "IV_1", "IV_2"]]
    data = data - data.groupby("city").transform("mean")
    data = data - data.groupby("year").transform("mean")
    model = IV2SLS(data["inn"], data[CONTROLS], data["digit"], data[["IV_1", "IV_2"]])
    m: Any = model.fit(cov_type="robust")  # declared as IVResults | OLSResults; only the first has .sargan
    return float(m.params["digit"]), float(m.sargan.pval)


@answer(
    f"{LESSON}/both",
    tolerance=0.01,
    hint="demean all columns both ways, then IV2SLS with both instruments; the test is m.sargan.pval.",
    mistakes={
        "the p value is that of sargan, not sargan.stat.": lambda panel: pd.Series(
            {"digit": _sargan(panel)[0], "p": _sargan_statistic(panel)}
        ),
    },
)
def both(panel: pd.DataFrame) -> pd.Series:
    """2SLS with both instruments and the p value of Sargan's test."""
    coefficient, p = _sargan(panel)
    return pd.Series({"digit": coefficient, "p": p})


def _sargan_statistic(panel: pd.DataFrame) -> float:
    from scipy.stats import chi2

    return float(chi2.isf(_sargan(panel)[1], 1))


def _beta(panel: pd.DataFrame) -> float:
    return float(personal_truth(SLUG, panel.attrs.get("student", ""))["beta"])


def _distance(panel: pd.DataFrame, fit: pd.Series) -> float:
    return float((fit["Estimate"] - _beta(panel)) / fit["Std. Error"])


@answer(
    f"{LESSON}/truth",
    tolerance=0.02,
    decimals=2,
    hint="(estimate - truth) / standard error, once for each estimator, each with its own error.",
    mistakes={
        "the order is estimate minus truth.": lambda panel: -truth(panel),
    },
)
def truth(panel: pd.DataFrame) -> pd.Series:
    """Distance from the truth in own standard errors: within (conventional) and 2SLS with IV_2 (robust)."""
    data = _rows(panel)
    return pd.Series(
        {"within": _distance(panel, _within(data)), "2SLS": _distance(panel, _2sls(data, "IV_2"))}
    )


def _first_stage(data: pd.DataFrame) -> float:
    return float(_feols(data, f"digit ~ IV_1 + {X} | city + year").coef()["IV_1"])


@answer(
    f"{LESSON}/exclusion",
    tolerance=0.005,
    hint="delta = (2SLS - least squares) times the first-stage coefficient of IV_1.",
    mistakes={
        "you divided by the first-stage coefficient; multiply.": lambda panel: (
            _gap(_rows(panel)) / _first_stage(_rows(panel))
        ),
        "that is the difference of the two estimates; it still has to be turned into an effect of IV_1.": lambda panel: (
            _gap(_rows(panel))
        ),
    },
)
def exclusion(panel: pd.DataFrame) -> float:
    """Direct effect of IV_1 on `inn` that would explain the whole difference of 2SLS and least squares."""
    data = _rows(panel)
    return _gap(data) * _first_stage(data)


def _gap(data: pd.DataFrame) -> float:
    return float(_2sls(data, "IV_1")["Estimate"] - _within(data)["Estimate"])
