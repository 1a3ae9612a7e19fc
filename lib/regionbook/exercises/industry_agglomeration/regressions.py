"""Answers to the exercises of the second lesson: random effects, the calendar, Conley errors, instruments, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook import geo
from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.models import conley as conley_errors
from regionbook.models import kleibergen_paap
from regionbook.papers import prepare
from regionbook.papers.industry_agglomeration import CONTROLS

SLUG = "industry-agglomeration"
LESSON = f"{SLUG}/2-regressions"
X = " + ".join(CONTROLS)
Y = "new_productivity"


def _rows(panel: pd.DataFrame) -> pd.DataFrame:
    return prepare(SLUG, panel).reset_index()


def _feols(data: pd.DataFrame, formula: str, vcov: Any = "iid") -> Any:
    import pyfixest as pf

    return pf.feols(formula, data, vcov=vcov)


# ------------------------------------------------------------------------------------ between cities


def _printed(term: str) -> tuple[float, float]:
    e = published(SLUG).estimates.query("table == '3' and column == '1' and term == @term").iloc[0]
    return float(e["estimate"]), float(e["paren"])


def _between_cities(units: int = 280, square_mean: bool = True) -> float:
    moments = published(SLUG).descriptives.set_index("variable")
    mean_x = moments.loc["agglomeration", "mean"] if square_mean else 1.0
    slope_part = (mean_x * _printed("agglomeration")[1]) ** 2
    return float(
        units * (_printed("_cons")[1] ** 2 - slope_part) / moments.loc["New-productivity", "sd"] ** 2
    )


@answer(
    f"{LESSON}/between-cities",
    tolerance=0.03,
    hint="solve var(constant) = sigma2_u / 280 + mean(x)**2 * var(slope) for sigma2_u, and divide by the variance of y.",
    mistakes={
        "the variance of the slope is multiplied by the squared mean of x.": lambda: _between_cities(
            square_mean=False
        ),
        "there are 280 draws of the city part, not 2,800.": lambda: _between_cities(2800),
    },
)
def between_cities() -> float:
    """Share of the outcome's variance between cities that the printed error of the constant implies."""
    return _between_cities()


# ------------------------------------------------------------------------------------ random effects


def _quasi(panel: pd.DataFrame, outcome: str, theta: float | None = None) -> pd.Series:
    """theta and slope of a random-effects regression of `outcome` on agglomeration, by hand."""
    data = prepare(SLUG, panel)[[outcome, "agglomeration"]].set_axis(["y", "x"], axis=1)
    means = data.groupby("city").transform("mean")
    own = data - means
    t = data.groupby("city").size().iloc[0]
    n = len(data) // t
    if theta is None:
        b_within = (own["x"] @ own["y"]) / (own["x"] @ own["x"])
        s2_e = ((own["y"] - b_within * own["x"]) ** 2).sum() / (n * t - n - 1)
        average = data.groupby("city").mean()
        slope, level = np.polyfit(average["x"], average["y"], 1)
        s2_b = ((average["y"] - level - slope * average["x"]) ** 2).sum() / (n - 2)
        theta = 1 - np.sqrt(s2_e / (t * s2_b))
    part = data - theta * means
    return pd.Series({"theta": theta, "slope": np.polyfit(part["x"], part["y"], 1)[0]})


@answer(
    f"{LESSON}/random",
    tolerance=0.005,
    hint="theta from RandomEffects(...).fit().theta; then subtract theta times the city means and fit a line.",
    mistakes={
        "that slope is the within slope: subtract only the part theta of the city means.": lambda panel: (
            pd.Series(
                {
                    "theta": _quasi(panel, "tertiary_ratio")["theta"],
                    "slope": _quasi(panel, "tertiary_ratio", 1.0)["slope"],
                }
            )
        ),
        "that slope is pooled OLS: nothing has been subtracted.": lambda panel: pd.Series(
            {
                "theta": _quasi(panel, "tertiary_ratio")["theta"],
                "slope": _quasi(panel, "tertiary_ratio", 0.0)["slope"],
            }
        ),
        "the outcome is tertiary_ratio, not new_productivity.": lambda panel: _quasi(panel, Y),
    },
)
def random(panel: pd.DataFrame) -> pd.Series:
    """theta and slope of random effects of `tertiary_ratio` on agglomeration."""
    return _quasi(panel, "tertiary_ratio")


# ------------------------------------------------------------------------------------ the calendar


def _both(panel: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    data = _rows(panel)
    formula = f"labour_productivity ~ agglomeration + {X} | city"
    return _feols(data, formula).coef(), _feols(data, f"{formula} + year").coef()


@answer(
    f"{LESSON}/calendar",
    tolerance=0.005,
    hint="coefficient with city effects only minus coefficient with both effects, for each regressor.",
    mistakes={
        "the sign is turned round: it is (city effects only) minus (both).": lambda panel: -calendar(panel),
        "the outcome is labour_productivity, not new_productivity.": lambda panel: _imitated(panel),
    },
)
def calendar(panel: pd.DataFrame) -> pd.Series:
    """What each regressor imitates of the calendar when the outcome is labour productivity."""
    one, two = _both(panel)
    return one - two


def _imitated(panel: pd.DataFrame) -> pd.Series:
    data = _rows(panel)
    formula = f"{Y} ~ agglomeration + {X} | city"
    return _feols(data, formula).coef() - _feols(data, f"{formula} + year").coef()


# ------------------------------------------------------------------------------------ Conley


def _conley(panel: pd.DataFrame, cutoff: float = 400, outcome: str = "pilots", **how: Any) -> float:
    data = prepare(SLUG, panel)
    fit = conley_errors(data, f"{outcome} ~ agglomeration + {X} | city + year", cutoff, **how)
    return float(fit.table.loc["agglomeration", "se"])


@answer(
    f"{LESSON}/conley",
    tolerance=0.005,
    hint="rb.models.conley(data, formula, 400, kernel='uniform'), first without time=..., then with time='year'.",
    mistakes={
        "that is the Bartlett kernel, the default; give kernel='uniform'.": lambda panel: pd.Series(
            {"all years": _conley(panel), "same year": _conley(panel, time="year")}
        ),
        "the two have changed places: time='year' keeps to neighbours in the same year.": lambda panel: (
            conley(panel).set_axis(["same year", "all years"])
        ),
    },
)
def conley(panel: pd.DataFrame) -> pd.Series:
    """Conley error of agglomeration in Table 4 (4), uniform kernel to 400 km."""
    return pd.Series(
        {
            "all years": _conley(panel, kernel="uniform"),
            "same year": _conley(panel, kernel="uniform", time="year"),
        }
    )


# ------------------------------------------------------------------------------------ placebo


def _placebo(panel: pd.DataFrame, city: str = "Zhengzhou", by_city: bool = True) -> pd.Series:
    data = _rows(panel)
    place = data.drop_duplicates("city").set_index("city")["code"].astype(str)
    km = geo.distances(place.to_list(), [city])[city].set_axis(place.index)
    data["z"] = data["city"].map(km) / 1000 * (data["year"] - 2012)
    m = _feols(data, f"{Y} ~ {X} | city + year | agglomeration ~ z", {"CRV1": "city"}).coef()
    how: dict[str, Any] = {"cov": "cluster", "clusters": "city"} if by_city else {}
    f = kleibergen_paap(data, "agglomeration", ["z"], exog=CONTROLS, absorb=["city", "year"], **how).f
    return pd.Series({"2SLS": m["agglomeration"], "F": f})


@answer(
    f"{LESSON}/placebo",
    tolerance=0.01,
    hint="z = rb.geo.distances(codes, ['Zhengzhou']) / 1000 * (year - 2012); F from kleibergen_paap with cov='cluster', clusters='city'.",
    mistakes={
        "the F is robust, but not clustered by city.": lambda panel: _placebo(panel, by_city=False),
        "that is Hangzhou, not Zhengzhou.": lambda panel: _placebo(panel, "Hangzhou"),
    },
)
def placebo(panel: pd.DataFrame) -> pd.Series:
    """2SLS and clustered first-stage F with the distance to Zhengzhou."""
    return _placebo(panel)


# ------------------------------------------------------------------------------------ counts


def _poisson(panel: pd.DataFrame) -> float:
    import pyfixest as pf

    data = _rows(panel)
    for by in ("city", "year"):
        data = data[data.groupby(by)["pilots"].transform("sum") > 0]
    return float(pf.fepois(f"pilots ~ agglomeration + {X} | city + year", data).coef()["agglomeration"])


@answer(
    f"{LESSON}/poisson",
    tolerance=0.01,
    decimals=1,
    unit="per cent",
    hint="100 * (exp(0.5 * b) - 1), b the coefficient of agglomeration in pf.fepois.",
    mistakes={
        "that is for a rise of one, not of one half.": lambda panel: 100 * (np.exp(_poisson(panel)) - 1),
        "half of the effect of one is not the effect of one half: put 0.5 into the exponent.": lambda panel: (
            50 * (np.exp(_poisson(panel)) - 1)
        ),
        "that is 100 * 0.5 * b; the effect is multiplicative: exp(0.5 * b) - 1.": lambda panel: (
            50 * _poisson(panel)
        ),
    },
)
def poisson(panel: pd.DataFrame) -> float:
    """Per cent more pilot projects when the quotient rises by one half."""
    return float(100 * (np.exp(0.5 * _poisson(panel)) - 1))
