"""Answers to the exercises of the third lesson: thresholds for confounders, and what they do not see."""

from __future__ import annotations

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal_truth
from regionbook.models import (
    ConfoundingThreshold,
    confounder_impacts,
    confounding_threshold,
    oster,
    oster_inputs,
    robustness_value,
)
from regionbook.papers import prepare
from regionbook.papers.industry_agglomeration import CONTROLS

SLUG = "industry-agglomeration"
LESSON = f"{SLUG}/3-sensitivity"
X = " + ".join(CONTROLS)
FORMULA = f"new_productivity ~ agglomeration + {X} | city + year"
EFFECTS = 279 + 9


def _baseline(panel: pd.DataFrame, cluster: str = "") -> tuple[float, float]:
    """Coefficient and error of column (4) of Table 3."""
    import pyfixest as pf

    vcov = {"CRV1": cluster} if cluster else "iid"
    row = pf.feols(FORMULA, prepare(SLUG, panel).reset_index(), vcov=vcov).tidy().loc["agglomeration"]
    return float(row["Estimate"]), float(row["Std. Error"])


def _threshold(panel: pd.DataFrame, cluster: str = "") -> ConfoundingThreshold:
    return confounding_threshold(*_baseline(panel, cluster), n=len(panel), covariates=6 + EFFECTS)


def _printed(covariates: int = 6 + EFFECTS) -> pd.DataFrame:
    rows = published(SLUG).estimates.query("table == '4' and term == 'agglomeration'").set_index("column")
    tests = [
        confounding_threshold(b, se, 2800, covariates)
        for b, se in zip(rows["estimate"], rows["paren"], strict=True)
    ]
    return pd.DataFrame(
        {"bias": [k.bias for k in tests], "itcv": [k.itcv for k in tests]}, index=rows.index.astype(str)
    )


@answer(
    f"{LESSON}/printed",
    tolerance=0.002,
    hint="one confounding_threshold for each column, with the printed coefficient and error, n=2800, covariates=6 + 279 + 9.",
    mistakes={
        "the 279 cities and 9 years use up degrees of freedom too.": lambda: _printed(6),
        "bias is asked for as a share from 0 to 1, not in per cent.": lambda: _printed() * [100, 1],
    },
)
def printed() -> pd.DataFrame:
    """Share of bias and ITCV of the six printed coefficients of Table 4."""
    return _printed()


def _benchmark(panel: pd.DataFrame, column: str = "impact") -> pd.Series:
    impacts = confounder_impacts(prepare(SLUG, panel), FORMULA, "agglomeration")
    largest = float(impacts[column].abs().max())
    return pd.Series({"impact": largest, "times": _threshold(panel).itcv / largest})


@answer(
    f"{LESSON}/benchmark",
    tolerance=0.005,
    hint="the largest |impact| of rb.models.confounder_impacts, and the ITCV divided by it.",
    mistakes={
        "that is the largest correlation with the outcome; an impact is a product of two.": lambda panel: (
            _benchmark(panel, "outcome")
        ),
        "that is the largest correlation with the treatment; an impact is a product of two.": lambda panel: (
            _benchmark(panel, "treatment")
        ),
    },
)
def benchmark(panel: pd.DataFrame) -> pd.Series:
    """Impact of the strongest control, and how many times as large the threshold is."""
    return _benchmark(panel)


def _province(panel: pd.DataFrame, critical_df: int | None = 26) -> pd.Series:
    from scipy import special

    estimate, error = _baseline(panel, "province")
    plain = _threshold(panel)
    t_c = 1.96 if critical_df is None else float(special.stdtrit(critical_df, 0.975))
    needed = t_c * error / _baseline(panel)[1]
    r_c = needed / np.sqrt(needed**2 + plain.df)
    return pd.Series({"bias": 1 - t_c * error / estimate, "itcv": (plain.r - r_c) / (1 - r_c)})


def _plugged(panel: pd.DataFrame) -> pd.Series:
    return pd.Series({"bias": _province(panel)["bias"], "itcv": _threshold(panel, "province").itcv})


@answer(
    f"{LESSON}/province",
    tolerance=0.003,
    hint="t_c has 26 degrees of freedom; r stays the conventional one, r_c comes from t_c times the ratio of the errors.",
    mistakes={
        "27 provinces leave 26 degrees of freedom; 1.96 is too small.": lambda panel: _province(panel, None),
        "the number of city-years minus the regressors is not the df of a t with 27 clusters.": lambda panel: (
            _province(panel, 2504)
        ),
        "for the itcv you put the clustered t into r; the correlation does not change with the error.": _plugged,
    },
)
def province(panel: pd.DataFrame) -> pd.Series:
    """Share of bias and ITCV (r kept) with errors by province."""
    return _province(panel)


@answer(
    f"{LESSON}/partner",
    tolerance=0.002,
    hint="the adjusted correlation is zero when r_vx * r_vy equals r_xy.",
    mistakes={
        "that takes only the stars away; the effect itself has to be zero.": lambda panel: (
            _threshold(panel).itcv / 0.3
        ),
        "that is the square root for equal correlations; here one of them is given.": lambda panel: float(
            np.sqrt(_threshold(panel).r)
        ),
    },
)
def partner(panel: pd.DataFrame) -> float:
    """Correlation with the outcome that makes the effect zero when that with the treatment is 0.3."""
    return _threshold(panel).r / 0.3


CUSTOMS = {
    "swept out": FORMULA,
    "years as controls": f"new_productivity ~ agglomeration + {X} + C(period) | city",
    "all as controls": f"new_productivity ~ agglomeration + {X} + C(period) + C(town)",
}


def _oster(panel: pd.DataFrame, r_max: float | None = 1.0) -> pd.Series:
    data = prepare(SLUG, panel)
    data["town"], data["period"] = data.index.get_level_values("city"), data.index.get_level_values("year")
    inputs = {name: oster_inputs(data, formula, "agglomeration") for name, formula in CUSTOMS.items()}
    return pd.Series({name: oster(**seven, r_max=r_max).delta for name, seven in inputs.items()})


@answer(
    f"{LESSON}/oster",
    tolerance=0.005,
    hint="oster(**oster_inputs(data, formula, 'agglomeration'), r_max=1).delta for each of the three formulas.",
    mistakes={"that is the 1.3 rule; R_max = 1 is asked for.": lambda panel: _oster(panel, None)},
)
def deltas(panel: pd.DataFrame) -> pd.Series:
    """Oster's δ with R_max = 1 for three ways to treat the effects."""
    return _oster(panel)


def _noise(panel: pd.DataFrame, effect: str = "direct") -> pd.Series:
    truth = personal_truth(SLUG, panel.attrs.get("student", ""))
    wanted = float(truth["impacts"]["direct"] if effect == "direct" else truth["beta"])
    estimate, se = _baseline(panel)
    share = 1 - estimate / wanted
    r2 = robustness_value(estimate, se, _threshold(panel).df).partial_r2
    return pd.Series({"share": share, "r2_outcome": r2 / (1 - r2) * share / (1 - share)})


@answer(
    f"{LESSON}/noise",
    tolerance=0.005,
    hint="share = 1 - estimate / direct effect; then the partial correlation of y and v given x, squared, with r_vy = 0 and r_vx² = share.",
    mistakes={
        "beta is the effect before it goes round through the neighbours; take impacts['direct'].": lambda panel: (
            _noise(panel, "beta")
        ),
    },
)
def noise(panel: pd.DataFrame) -> pd.Series:
    """Share of noise that explains the gap to the truth, and its partial R² with the outcome."""
    return _noise(panel)
