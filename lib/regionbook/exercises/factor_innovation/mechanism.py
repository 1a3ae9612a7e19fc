"""Answers to the exercises of the third lesson: mediation, lags, random effects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal_truth
from regionbook.papers import prepare
from regionbook.papers.factor_innovation import CONTROLS

SLUG = "factor-innovation"
LESSON = f"{SLUG}/3-mechanism"
X = " + ".join(CONTROLS)
SECTORS = {"ID1": "3", "ID2": "4", "ID3": "5"}


def _data(panel: pd.DataFrame) -> pd.DataFrame:
    return prepare(SLUG, panel).query("year >= 2013")


def _printed() -> pd.Series:
    return published(SLUG).estimates.set_index(["table", "column", "term"])["estimate"]


def _gov(divide: bool = True) -> pd.Series:
    p = _printed()
    gap = {m: p["5", "1", "GOV"] - p["6", c, "GOV"] for m, c in SECTORS.items()}
    return pd.Series({m: g / p["6", SECTORS[m], m] if divide else g for m, g in gap.items()})


@answer(
    f"{LESSON}/implied",
    decimals=2,
    hint="for GOV: (Table 5 column 1 minus Table 6 column of the sector) / coefficient of the sector's mediator.",
    mistakes={
        "that is total minus direct; divide by the coefficient of the mediator.": lambda: _gov(False),
        "the order is total minus direct.": lambda: -_gov(),
    },
)
def implied() -> pd.Series:
    """Coefficients of GOV in the first stages that the paper does not print."""
    return _gov()


def _row(data: pd.DataFrame, formula: str, term: str, vcov: Any) -> tuple[float, float]:
    import pyfixest as pf

    row = pf.feols(f"{formula} + {X} | province + year", data.reset_index(), vcov=vcov).tidy().loc[term]
    return float(row["Estimate"]), float(row["Std. Error"])


def _sobel(panel: pd.DataFrame, m: str = "ID3", vcov: Any = None) -> pd.Series:
    data, how = _data(panel), vcov or {"CRV1": "province"}
    a, se_a = _row(data, f"{m} ~ FI", "FI", how)
    b, se_b = _row(data, f"RCD ~ FI + {m}", m, how)
    total, _ = _row(data, "RCD ~ FI", "FI", how)
    z = a * b / np.hypot(a * se_b, b * se_a)
    return pd.Series({"indirect": a * b, "share": a * b / total, "z": z})


@answer(
    f"{LESSON}/sobel",
    tolerance=0.01,
    hint="a from ID3 on FI, b from RCD on FI and ID3; the error is np.hypot(a * se_b, b * se_a), all clustered.",
    mistakes={
        "these are the numbers of ID, not of ID3.": lambda panel: _sobel(panel, "ID"),
        "the errors in z are conventional; cluster them by province.": lambda panel: _sobel(
            panel, vcov="iid"
        ),
    },
)
def sobel(panel: pd.DataFrame) -> pd.Series:
    """Indirect effect through ID3, its share of the total, and Sobel's z with clustered errors."""
    return _sobel(panel)


def _indirect(data: pd.DataFrame, m: str) -> float:
    w = data[["RCD", "FI", m, *CONTROLS]]
    w = w - w.groupby("province").transform("mean")
    w = w - w.groupby("year").transform("mean")
    a = np.linalg.lstsq(w[["FI", *CONTROLS]], w[m], rcond=None)[0][0]
    b = np.linalg.lstsq(w[[m, "FI", *CONTROLS]], w["RCD"], rcond=None)[0][0]
    return float(a * b)


def _without(panel: pd.DataFrame, m: str = "ID3") -> pd.Series:
    data = _data(panel)
    provinces = data.index.get_level_values("province")
    return pd.Series({p: _indirect(data[provinces != p], m) for p in provinces.unique()})


@answer(
    f"{LESSON}/jackknife",
    tolerance=0.01,
    hint="31 times: drop one province, demean both ways anew, a and b by least squares, keep a * b.",
    mistakes={
        "this is the result for ID1; ID3 is asked for.": lambda panel: _summary(_without(panel, "ID1")),
    },
)
def jackknife(panel: pd.DataFrame) -> pd.Series:
    """Least and largest indirect effect through ID3 when one province is left out, and the jackknife error."""
    return _summary(_without(panel))


def _summary(left_out: pd.Series) -> pd.Series:
    n = len(left_out)
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    return pd.Series({"lowest": left_out.min(), "highest": left_out.max(), "se": error})


@answer(
    f"{LESSON}/who",
    hint="the province whose absence moves the indirect effect through ID3 farthest from the estimate with all.",
)
def who(panel: pd.DataFrame) -> str:
    """The province on which the indirect effect through ID3 hangs most."""
    return str((_without(panel) - _indirect(_data(panel), "ID3")).abs().idxmax())


def _four(panel: pd.DataFrame, m: str = "ID2", term: str = "GAP") -> pd.Series:
    from linearmodels.panel import PanelOLS, RandomEffects

    data = _data(panel)[["RCD", "FI", m, *CONTROLS]]
    out = {}
    for name, rows in {
        "years": data - data.groupby("year").transform("mean") + data.mean(),
        "no years": data,
    }.items():
        formula = f"RCD ~ 1 + FI + {m} + {X}"
        fixed: Any = PanelOLS.from_formula(f"{formula} + EntityEffects", rows).fit()
        random: Any = RandomEffects.from_formula(formula, rows).fit()
        out[f"fixed, {name}"] = fixed.params[term]
        out[f"random, {name}"] = random.params[term]
    return pd.Series(out)


@answer(
    f"{LESSON}/four",
    tolerance=0.02,
    decimals=3,
    hint="PanelOLS with EntityEffects and RandomEffects, once on data - year means + mean, once on the data as they are.",
    mistakes={
        "these are the coefficients of ID3; those of GAP are asked for.": lambda panel: _four(
            panel, "ID3", "ID3"
        ),
        "these are the coefficients with ID2 as the mediator; take ID3.": lambda panel: _four(panel, "ID2"),
    },
)
def four(panel: pd.DataFrame) -> pd.Series:
    """GAP beside ID3: fixed and random effects, with and without year effects."""
    return _four(panel, "ID3")


def _correlation(panel: pd.DataFrame, m: str = "ID", within: bool = True) -> float:
    w = _data(panel)[["RCD", m, "FI", *CONTROLS]]
    if within:
        w = w - w.groupby("province").transform("mean")
        w = w - w.groupby("year").transform("mean")
    x = w[["FI", *CONTROLS]].to_numpy()
    left = [w[k] - x @ np.linalg.lstsq(x, w[k], rcond=None)[0] for k in ("RCD", m)]
    return float(np.corrcoef(left[0], left[1])[0, 1])


@answer(
    f"{LESSON}/rho",
    tolerance=0.01,
    hint="residuals of RCD on FI and of ID on FI (controls, both effects), then their correlation.",
    mistakes={
        "take out province and year effects first.": lambda panel: _correlation(panel, within=False),
        "that is the one of ID3; ID is asked for.": lambda panel: _correlation(panel, "ID3"),
    },
)
def rho(panel: pd.DataFrame) -> float:
    """Correlation of the two errors at which nothing passes through ID."""
    return _correlation(panel)


def _true(panel: pd.DataFrame) -> dict[str, Any]:
    return personal_truth(SLUG, panel.attrs.get("student", ""))


@answer(
    f"{LESSON}/truth",
    tolerance=0.02,
    decimals=3,
    hint="estimate a * b (one mediator at a time) minus first_stage[m] * mediator_effect of the truth.",
    mistakes={"the order is estimate minus truth.": lambda panel: -error_by_sector(panel)},
)
def error_by_sector(panel: pd.DataFrame) -> pd.Series:
    """Indirect effect estimated one at a time minus the true one, by sector."""
    t, data = _true(panel), _data(panel)
    return pd.Series({m: _indirect(data, m) - t["first_stage"][m] * t["mediator_effect"] for m in SECTORS})
