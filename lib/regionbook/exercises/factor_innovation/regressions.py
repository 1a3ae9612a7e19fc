"""Answers to the exercises of the second lesson: parts and wholes, units, stars, few clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal_truth
from regionbook.papers import prepare
from regionbook.papers.factor_innovation import CONTROLS, FIRST_YEAR

SLUG = "factor-innovation"
LESSON = f"{SLUG}/2-regressions"
PARTS = ["LI", "KI", "TI"]
CLUSTERS = {"1": 10, "2": 6, "3": 12, "4": 3, "5": 16, "6": 15}
"""Provinces in each column of Table 8."""


def _rows(panel: pd.DataFrame) -> pd.DataFrame:
    data = prepare(SLUG, panel)
    return data[data.index.get_level_values("year") >= FIRST_YEAR].reset_index()


def _feols(data: pd.DataFrame, outcome: str, terms: list[str]) -> Any:
    import pyfixest as pf

    return pf.feols(f"{outcome} ~ {' + '.join(terms)} | province + year", data, vcov={"CRV1": "province"})


def _slope(data: pd.DataFrame, outcome: str, terms: list[str]) -> float:
    """Coefficient of the first term."""
    return float(_feols(data, outcome, terms).coef()[terms[0]])


def _column_11(panel: pd.DataFrame) -> pd.Series:
    return _feols(_rows(panel), "RCD", ["FI", "LI", "KI", *CONTROLS]).coef()[["FI", "LI", "KI"]]


def _effects(panel: pd.DataFrame) -> pd.Series:
    b = _feols(_rows(panel), "RCD", ["FI", "LI", "TI", *CONTROLS]).coef()
    return pd.Series({"FI": b["FI"] + b["TI"], "LI": b["FI"] + b["LI"], "KI": b["FI"]})


@answer(
    f"{LESSON}/one-from-the-other",
    tolerance=0.01,
    hint="first the effect of a point of each part from column (10); then which part does FI carry in column (11)?",
    mistakes={
        "these are the effects of the parts; in column (11) LI and KI are differences from technology.": _effects,
        "these are the coefficients of column (10) themselves.": lambda panel: pd.Series(
            _feols(_rows(panel), "RCD", ["FI", "LI", "TI", *CONTROLS]).coef()[["FI", "LI", "TI"]].to_numpy(),
            ["FI", "LI", "KI"],
        ),
    },
)
def one_from_the_other(panel: pd.DataFrame) -> pd.Series:
    """Coefficients of column (11)."""
    return _column_11(panel)


def _stars_that_change(df: dict[str, float], table: str = "8") -> int:
    from scipy.stats import t as student

    cells = published(SLUG).estimates.query("table == @table and paren_kind == 'se'")
    ratio = (cells["estimate"] / cells["paren"]).abs()
    freedom = cells["column"].map(df).astype(float)
    n = sum((ratio > student.ppf(1 - q / 2, freedom)).astype(int) for q in (0.10, 0.05, 0.01))
    return int((n != cells["stars"].str.len()).sum())


@answer(
    f"{LESSON}/stars",
    hint="for each of the 36 cells count how many of the three normal bars |t| passes, and compare with the printed stars.",
    mistakes={
        "that is the number for t(30); take the normal distribution.": lambda: _stars_that_change(
            dict.fromkeys(CLUSTERS, 30.0)
        ),
        "that is the number for t(G − 1), which fits; take the normal distribution.": lambda: (
            _stars_that_change({k: g - 1.0 for k, g in CLUSTERS.items()})
        ),
    },
)
def stars() -> int:
    """Cells of Table 8 that would carry other stars with the normal distribution."""
    return _stars_that_change(dict.fromkeys(CLUSTERS, np.inf))


def _means_of_controls(outcome_of_all: bool = False) -> pd.Series:
    p = published(SLUG)
    mean = p.descriptives.set_index("variable")["mean"]
    keys = [("5", "1"), ("5", "2"), ("6", "1"), ("6", "2")]
    e = p.estimates.set_index(["table", "column", "term"])
    b = e["estimate"].unstack("term").fillna(0).loc[keys]
    y = np.array([mean["ID"] if k == ("6", "1") and not outcome_of_all else mean["RCD"] for k in keys])
    left = y - b["_cons"] - b["FI"] * mean["FI"] - b["ID"] * mean["ID"]
    return pd.Series(np.linalg.solve(b[CONTROLS], left), CONTROLS)


@answer(
    f"{LESSON}/means",
    tolerance=0.02,
    hint="mean of the outcome − constant − FI's share (− ID's share where ID is a regressor) = sum over the controls.",
    mistakes={
        "the outcome of Table 6, column 1, is ID, not RCD.": lambda: _means_of_controls(outcome_of_all=True),
    },
)
def means() -> pd.Series:
    """Means of the controls from four printed columns."""
    return _means_of_controls()


def _rescaled(panel: pd.DataFrame, power: int = 1) -> pd.Series:
    b = _feols(_rows(panel), "RCD", ["FI", *CONTROLS]).coef()
    here = panel[panel.index.get_level_values("year") >= FIRST_YEAR]
    width = {k: here[k].max() - here[k].min() for k in ("talent", "income_gap")}
    return pd.Series(
        {
            "FI_100": b["FI"] / 100.0**power,
            "talent": b["TAL"] / width["talent"] ** power,
            "income_gap": -b["GAP"] / width["income_gap"] ** power,
            "spending": b["GOV"],
        }
    )


@answer(
    f"{LESSON}/rescaled",
    tolerance=0.01,
    hint="beta of the rescaled variable = beta / (number by which a unit was stretched); GAP was turned round besides.",
    mistakes={
        "you multiplied where you have to divide: a larger number of units means a smaller effect of one.": (
            lambda panel: _rescaled(panel, -1)
        ),
        "the sign of income_gap: GAP is high where the gap is narrow.": lambda panel: _rescaled(panel).mul(
            pd.Series({"FI_100": 1, "talent": 1, "income_gap": -1, "spending": 1})
        ),
    },
)
def rescaled(panel: pd.DataFrame) -> pd.Series:
    """Coefficients of column (1) with FI times 100 and the raw controls."""
    return _rescaled(panel)


def _left_out(panel: pd.DataFrame) -> tuple[pd.Series, float]:
    """Coefficient of FI without each province, and with all."""
    data = _rows(panel)
    cube = np.stack(
        [data.pivot(index="province", columns="year", values=k).to_numpy() for k in ["RCD", "FI", *CONTROLS]],
        axis=2,
    )

    def slope(a: np.ndarray) -> float:
        w = (a - a.mean(0) - a.mean(1, keepdims=True) + a.mean((0, 1))).reshape(-1, a.shape[2])
        return float(np.linalg.lstsq(w[:, 1:], w[:, 0], rcond=None)[0][0])

    names = sorted(data["province"].unique())
    return pd.Series([slope(np.delete(cube, i, axis=0)) for i in range(len(names))], names), slope(cube)


def _jackknife(panel: pd.DataFrame, factor: float) -> pd.Series:
    without, b = _left_out(panel)
    return pd.Series({"se": np.sqrt(factor * ((without - b) ** 2).sum()), "largest": without.max()})


@answer(
    f"{LESSON}/jackknife",
    tolerance=0.005,
    hint="31 regressions, each without one province; sqrt(30/31 × sum of squared distances from the full estimate).",
    mistakes={
        "you divided by 30: that is the variance of a single value, not the jackknife's.": lambda panel: (
            _jackknife(panel, 1 / 30)
        ),
        "you divided by 31: jackknife values lie close together, so their sum of squares is not averaged.": (
            lambda panel: _jackknife(panel, 1 / 31)
        ),
        "that is CR1; leave out one province at a time.": lambda panel: pd.Series(
            {
                "se": _feols(_rows(panel), "RCD", ["FI", *CONTROLS]).se()["FI"],
                "largest": _left_out(panel)[0].max(),
            }
        ),
    },
)
def jackknife(panel: pd.DataFrame) -> pd.Series:
    """CR3 error of FI in column (1) and the largest estimate without a province."""
    return _jackknife(panel, 30 / 31)


@answer(
    f"{LESSON}/who", hint="the name in the index of the series without one province, where it is smallest."
)
def who(panel: pd.DataFrame) -> str:
    """Province without which FI's coefficient is smallest."""
    return str(_left_out(panel)[0].idxmin())


def _wild(panel: pd.DataFrame, terms: list[str], coefficient: str) -> float:
    from regionbook.models import wild_bootstrap

    formula = f"RCD ~ {' + '.join([*terms, *CONTROLS])} | province + year"
    return wild_bootstrap(_rows(panel), formula, coefficient, "province", seed=1).p


def _p(panel: pd.DataFrame, terms: list[str], coefficient: str) -> float:
    return float(_feols(_rows(panel), "RCD", [*terms, *CONTROLS]).pvalue()[coefficient])


@answer(
    f"{LESSON}/wild",
    tolerance=0.02,
    decimals=3,
    hint="the p value of TI beside FI and the controls: once from pyfixest by province, once from wild_bootstrap.",
    mistakes={
        "these are the p values of FI; TI is asked for.": lambda panel: pd.Series(
            {"CR1": _p(panel, ["FI", "TI"], "FI"), "wild": _wild(panel, ["FI", "TI"], "FI")}
        ),
        "that is TI without FI (column 9); take column (3).": lambda panel: pd.Series(
            {"CR1": _p(panel, ["TI"], "TI"), "wild": _wild(panel, ["TI"], "TI")}
        ),
    },
)
def wild(panel: pd.DataFrame) -> pd.Series:
    """P values of TI in column (3): CR1 with t(30), wild bootstrap."""
    return pd.Series({"CR1": _p(panel, ["FI", "TI"], "TI"), "wild": _wild(panel, ["FI", "TI"], "TI")})


@answer(
    f"{LESSON}/truth",
    tolerance=0.01,
    hint="regress each part on FI and the controls (both effects); weigh the true effects with these three slopes.",
    mistakes={
        "that is the plain average of the three effects; weigh them.": lambda panel: pd.Series(
            {"LI": 1 / 3, "KI": 1 / 3, "TI": 1 / 3, "target": sum(_tau(panel).values()) / 3}
        ),
        "these are the weights without the controls.": lambda panel: _target(panel, []),
    },
)
def truth(panel: pd.DataFrame) -> pd.Series:
    """Weights of the parts in column (1), and the average of the true effects that they make."""
    return _target(panel, CONTROLS)


def _tau(panel: pd.DataFrame) -> dict[str, float]:
    return dict(personal_truth(SLUG, panel.attrs.get("student", ""))["total_effect"])


def _target(panel: pd.DataFrame, controls: list[str]) -> pd.Series:
    data, tau = _rows(panel), _tau(panel)
    weights = {k: _slope(data, k, ["FI", *controls]) for k in PARTS}
    return pd.Series({**weights, "target": sum(tau[k] * w for k, w in weights.items())})
