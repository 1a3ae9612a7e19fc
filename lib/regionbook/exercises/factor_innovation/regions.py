"""Answers to the exercises of the fourth lesson: regions, few clusters, difference-in-differences."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.papers import prepare
from regionbook.papers.factor_innovation import CONTROLS

SLUG = "factor-innovation"
LESSON = f"{SLUG}/4-regions-and-design"
X = " + ".join(CONTROLS)
SPAN = 10.5
"""Years from the middle of 2003-2012 to the middle of 2013-2023."""


def _feols(data: pd.DataFrame, formula: str, vcov: Any = "iid") -> Any:
    import pyfixest as pf

    return pf.feols(formula, data, vcov=vcov)


def _fi(data: pd.DataFrame) -> tuple[float, float]:
    """Coefficient of FI in Table 5, column (1), and its error clustered by province."""
    row = _feols(data, f"RCD ~ FI + {X} | province + year", {"CRV1": "province"}).tidy().loc["FI"]
    return float(row["Estimate"]), float(row["Std. Error"])


# ------------------------------------------------------------------------------------------------ groups
def _gap(term: str = "FI", hypot: bool = True) -> pd.Series:
    p = published(SLUG).estimates.query("table == '8'").set_index(["column", "term"])[["estimate", "paren"]]
    (b2, s2), (b3, s3) = p.loc[("2", term)], p.loc[("3", term)]
    error = np.hypot(s2, s3) if hypot else s2 + s3
    return pd.Series({"difference": b2 - b3, "error": error, "t": (b2 - b3) / error})


@answer(
    f"{LESSON}/gap",
    decimals=3,
    hint="Central minus West; the samples are separate, so the variances add: np.hypot of the two errors.",
    mistakes={
        "variances add, not errors.": lambda: _gap("GOV", hypot=False),
        "that is the difference for FI; GOV is asked for.": lambda: _gap(),
        "the order is Central minus West.": lambda: _gap("GOV") * [-1, 1, -1],
    },
)
def gap() -> pd.Series:
    """Difference of GOV between Central and West, from print."""
    return _gap("GOV")


def _three(panel: pd.DataFrame) -> pd.DataFrame:
    data = prepare(SLUG, panel).query("year >= 2013").reset_index()
    return pd.DataFrame({r: _fi(data[data["region4"] == r]) for r in ("East", "Central", "West")}).T


def _equal(panel: pd.DataFrame, weighted: bool = True, df: int = 2) -> pd.Series:
    b, se = _three(panel)[0], _three(panel)[1]
    w = se**-2
    mean = (w * b).sum() / w.sum() if weighted else b.mean()
    W = float((w * (b - mean) ** 2).sum())
    return pd.Series({"W": W, "p": stats.chi2.sf(W, df)})


@answer(
    f"{LESSON}/equal",
    tolerance=0.01,
    hint="w = 1 / se**2; mean = (w * b).sum() / w.sum(); W = (w * (b - mean)**2).sum(); stats.chi2.sf(W, 2).",
    mistakes={
        "the mean has to be weighted with the precisions 1/se².": lambda panel: _equal(panel, weighted=False),
        "three slopes have two differences: two degrees of freedom.": lambda panel: _equal(panel, df=3),
    },
)
def equal(panel: pd.DataFrame) -> pd.Series:
    """Wald test of equal slopes of FI in East, Central, West."""
    return _equal(panel)


def _ladder(panel: pd.DataFrame, cut: str = "coast") -> pd.Series:
    data = prepare(SLUG, panel).query("year >= 2013").reset_index()
    data["coast"] = np.where(data["region4"] == "East", "East", "rest")
    own = " + ".join(f"i({cut}, {k})" for k in CONTROLS)
    net = pd.Series(_feols(data, f"FI ~ {own} | province + {cut}^year").resid())
    squares = (net**2).groupby(data[cut]).sum()
    weight = squares / squares.sum()
    return pd.Series(
        {
            "pooled": _fi(data)[0],
            "own years": float(_feols(data, f"RCD ~ FI + {X} | province + {cut}^year").coef()["FI"]),
            "own controls": float(_feols(data, f"RCD ~ FI + {own} | province + {cut}^year").coef()["FI"]),
            "weight": float(weight.iloc[0]),
        }
    )


@answer(
    f"{LESSON}/ladder",
    tolerance=0.005,
    hint="the function steps() of the lesson with cut='coast'; weight is the one of the East.",
    mistakes={"that is the cut into South and North.": lambda panel: _ladder(panel, "north_south")},
)
def ladder(panel: pd.DataFrame) -> pd.Series:
    """From the pooled slope to the mean of East and the rest, and the weight of the East."""
    return _ladder(panel)


# ------------------------------------------------------------------------------------------------ the programme
def _wide(panel: pd.DataFrame, column: str = "RCD", log: bool = True) -> tuple[pd.DataFrame, pd.Series]:
    full = prepare(SLUG, panel)
    y = full[column].unstack("year")
    return (np.log(y) if log else y), full.groupby("province")["pilot"].first().loc[y.index]


def _change(y: pd.DataFrame, first: int = 2003, year: int = 2013, last: int = 2023) -> pd.Series:
    return y.loc[:, year:last].mean(axis=1) - y.loc[:, first : year - 1].mean(axis=1)


def _did(z: pd.Series, treated: pd.Series) -> pd.Series:
    a, b = z[treated == 1], z[treated == 0]
    t = stats.ttest_ind(a, b, equal_var=False).statistic
    return pd.Series({"difference": a.mean() - b.mean(), "t": float(t)})


def _placebo(panel: pd.DataFrame, log: bool = True, last: int = 2012) -> pd.Series:
    y, treated = _wide(panel, log=log)
    return _did(_change(y, year=2008, last=last), treated)


@answer(
    f"{LESSON}/placebo",
    tolerance=0.01,
    decimals=4,
    hint="the mean of ln RCD over 2008-2012 minus that over 2003-2007, one number a province; then Welch's t.",
    mistakes={
        "the outcome is ln RCD.": lambda panel: _placebo(panel, log=False),
        "the years from 2013 on are treated; leave them out.": lambda panel: _placebo(panel, last=2023),
    },
)
def placebo(panel: pd.DataFrame) -> pd.Series:
    """Placebo programme of 2008 in the years before 2013."""
    return _placebo(panel)


def _few(panel: pd.DataFrame, pool: str = "others") -> pd.Series:
    y, treated = _wide(panel)
    z = _change(y)
    three = sorted(treated.index[treated == 1])[:3]
    kept = z[[*three, *treated.index[treated == 0]]] if pool == "others" else z
    values, total = kept.to_numpy(), kept.sum()
    sets = np.array(list(itertools.combinations(range(len(kept)), 3)))
    sums = values[sets].sum(axis=1)
    draws = np.abs(sums / 3 - (total - sums) / (len(kept) - 3))
    own = float(kept[three].mean() - kept.drop(three).mean())
    p = float(np.mean(draws >= abs(own) - 1e-12))
    return pd.Series({"estimate": own, "p": p, "smallest p": 1 / len(sets)})


@answer(
    f"{LESSON}/few",
    tolerance=0.005,
    decimals=4,
    hint="keep 3 + 21 provinces; itertools.combinations(range(24), 3) gives all sets of three.",
    mistakes={
        "the other seven pilots are treated too: leave them out of the comparison.": lambda panel: _few(
            panel, "all"
        ),
    },
)
def few(panel: pd.DataFrame) -> pd.Series:
    """Difference-in-differences with three treated provinces, tested against all sets of three."""
    return _few(panel)


def _breakdown(panel: pd.DataFrame, span: float = SPAN, first: int = 2003) -> pd.Series:
    y, treated = _wide(panel)
    past = y.loc[:, first:2012]
    t = past.columns.to_numpy() - past.columns.to_numpy().mean()
    slope = past @ t / (t @ t)
    a, b = slope[treated == 1], slope[treated == 0]
    gap = float(a.mean() - b.mean())
    error = float(np.hypot(a.std() / np.sqrt(len(a)), b.std() / np.sqrt(len(b))))
    did = _did(_change(y), treated)["difference"]
    return pd.Series({"needed": did / span, "pretrend": gap, "upper": gap + 2.045 * error})


@answer(
    f"{LESSON}/breakdown",
    tolerance=0.01,
    decimals=5,
    hint="needed = estimate / 10.5; slopes of ln RCD on the year over 2003-2012, one a province; upper = gap + 2.045 * error.",
    mistakes={
        "the middles of the two spells are 10.5 years apart.": lambda panel: _breakdown(panel, span=10.0),
    },
)
def breakdown(panel: pd.DataFrame) -> pd.Series:
    """Trend that would explain the estimate, the pre-trend, and the upper end of its interval."""
    return _breakdown(panel)
