"""Answers to the exercises of the fifth lesson: who gains, what luck adds, a rival without flows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from regionbook.data import TABLES, pair_panel, published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal
from regionbook.models import DyadicFit, dyadic_panel
from regionbook.papers import prepare

SLUG = "knowledge-flows"
LESSON = f"{SLUG}/5-heterogeneity"
CONTROLS = "HSR + TS + IPP | pair + year"
GROUPS = ("East_East", "West_West", "ahead", "behind")


def _sample(panel: pd.DataFrame) -> pd.DataFrame:
    data = prepare(SLUG, panel)
    data = data[~data["extreme"]]
    ahead = data["East_dev"].fillna(0.0)
    return data.assign(ahead=ahead, behind=data["East_West"] - ahead, lnBal=np.log(data["Bal"]))


def _joint(panel: pd.DataFrame, main: str = "ahead + ") -> DyadicFit:
    slopes = " + ".join(f"lnDKF_net:{g}" for g in GROUPS)
    return dyadic_panel(_sample(panel), f"Bal ~ {slopes} + {main}{CONTROLS}", units=("a", "b"))


def _alone(panel: pd.DataFrame) -> pd.Series:
    """Slope of each group from a regression on the rows of that group."""
    data = _sample(panel)
    rows = {g: data[data[g] == 1] for g in GROUPS}
    return pd.Series(
        {g: dyadic_panel(r, f"Bal ~ lnDKF_net + {CONTROLS}").params["lnDKF_net"] for g, r in rows.items()}
    )


@answer(
    f"{LESSON}/groups",
    tolerance=0.004,
    hint="four products of lnDKF_net with the group dummies, no lnDKF_net alone, plus ahead, the three controls and both effects.",
    mistakes={
        "the dummy `ahead` changes within pairs; let it enter on its own, too.": lambda panel: _slopes(
            _joint(panel, "")
        ),
        "these are four separate regressions; put the four products into one.": lambda panel: _alone(panel),
    },
)
def groups(panel: pd.DataFrame) -> pd.Series:
    """Slope of net inflow in the four groups of pairs, in one regression."""
    return _slopes(_joint(panel))


def _slopes(fit: DyadicFit) -> pd.Series:
    return pd.Series({g: fit.params[f"lnDKF_net:{g}"] for g in GROUPS})


def _t(panel: pd.DataFrame, covariance: bool = True) -> pd.Series:
    fit = _joint(panel)
    one, two = "lnDKF_net:West_West", "lnDKF_net:East_East"
    gap = fit.params[one] - fit.params[two]
    out = {}
    for kind in ("pair", "dyadic"):
        v = fit.cov(kind)
        variance = v.loc[one, one] + v.loc[two, two] - 2 * covariance * v.loc[one, two]
        out[kind] = gap / np.sqrt(variance)
    return pd.Series(out)


@answer(
    f"{LESSON}/difference",
    tolerance=0.01,
    hint="variance of a difference: V11 + V22 - 2 V12, from fit.cov('pair') and fit.cov('dyadic').",
    mistakes={
        "the covariance of the two slopes is missing.": lambda panel: _t(panel, covariance=False),
        "the order is Centre/West less East.": lambda panel: -_t(panel),
    },
)
def difference(panel: pd.DataFrame) -> pd.Series:
    """The t statistic of West_West less East_East, by pair and dyadic."""
    return _t(panel)


def _printed() -> tuple[float, float, float, float]:
    e = published(SLUG).estimates.query("table == '5' and column == '3'").set_index("term")
    (b1, s1), (b2, s2) = (
        e.loc[k, ["estimate", "paren"]].astype(float) for k in ("lnDKF_net", "lnDKF_net:Gap_light")
    )
    return b1, s1, b2, s2


@answer(
    f"{LESSON}/wide",
    decimals=4,
    hint="the sum of both coefficients; |s1 - s2|; s1 + s2; the root of s2 squared less s1 squared.",
    mistakes={
        "the guess is that of independent *coefficients*; here the two *groups* are independent.": lambda: (
            wide() | {"guess": float(np.hypot(_printed()[1], _printed()[3]))}
        ),
    },
)
def wide() -> dict[str, float]:
    """Effect in wide-gap pairs and what its error may be, from the print of Table 5 (3)."""
    b1, s1, b2, s2 = _printed()
    return {
        "effect": b1 + b2,
        "least": abs(s1 - s2),
        "most": s1 + s2,
        "guess": float(np.sqrt(s2**2 - s1**2)),
    }


def _relative(panel: pd.DataFrame, dummy: str = "Gap_light", inverse: bool = False) -> pd.Series:
    formulas = {y: f"{y} ~ lnDKF_net*{dummy} + {CONTROLS}" for y in ("Bal", "lnBal")}
    out = {}
    for y, fit in dyadic_panel(_sample(panel), formulas).items():
        b, more = fit.params["lnDKF_net"], fit.params[f"lnDKF_net:{dummy}"]
        out[y] = b / (b + more) if inverse else (b + more) / b
    return pd.Series(out)


@answer(
    f"{LESSON}/relative",
    tolerance=0.01,
    hint="(coefficient of lnDKF_net + that of the product) / coefficient of lnDKF_net, once for Bal and once for lnBal.",
    mistakes={
        "that is other pairs over wide-gap pairs; turn it round.": lambda panel: _relative(
            panel, inverse=True
        ),
        "these are the quarters of 2000; take Gap_light.": lambda panel: _relative(panel, "Gap_light_2000"),
    },
)
def relative(panel: pd.DataFrame) -> pd.Series:
    """Slope in wide-gap pairs over slope in the others, in levels and in logs."""
    return _relative(panel)


def _tables(panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    student = panel.attrs.get("student", "")
    return {name: personal(SLUG, student, table=name) for name in TABLES[SLUG]}


def _development(years: pd.DataFrame, light: str) -> np.ndarray:
    """Light per head, array (city, year) from 2000 to 2019."""
    y = (years[light] / years["population"]).to_numpy()
    return y.reshape(len(years.index.levels[0]), -1)[:, :20]


def _film(panel: pd.DataFrame, light: str = "light") -> pd.Series:
    d = np.log(_development(personal(SLUG, panel.attrs.get("student", ""), table="years"), light))
    first, second = np.triu_indices(len(d), 1)
    d = d[first] - d[second]
    then, now = d[:, :-1], d[:, 1:]

    def rise(names: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
        sign = np.where(names <= 0, 1, -1)
        return float((np.exp(sign * end) - np.exp(sign * start)).mean())

    return pd.Series({"forward": rise(then, then, now), "backward": rise(now, now, then)})


@answer(
    f"{LESSON}/film",
    decimals=4,
    hint="forward: roles of t-1, ratio at t less ratio at t-1. Backward: roles of t, ratio at t-1 less ratio at t. Over all pairs, extreme or not.",
    mistakes={
        "the second sign is turned: going backwards the change is the ratio at t-1 less the one at t.": lambda panel: (
            film(panel) * [1, -1]
        ),
        "that is the rival's light; take `light`.": lambda panel: _film(panel, "light_rival"),
    },
)
def film(panel: pd.DataFrame) -> pd.Series:
    """Mean yearly rise of the ratio with the roles of the start, forwards and backwards in time."""
    return _film(panel)


def _rival(panel: pd.DataFrame, extreme: bool = False) -> pd.Series:
    tables = _tables(panel)
    rows = prepare(SLUG, pair_panel(tables, light="light_rival"))
    y = _development(tables["years"], "light_rival")
    less, more = (rows[k].cat.codes.to_numpy() for k in ("L", "H"))
    before = rows.index.get_level_values("year").to_numpy() - 2001
    rows["rise"] = rows["Bal"] - y[less, before] / y[more, before]
    if not extreme:
        rows = rows[~rows["extreme"]]
    formulas = {
        name: f"{y} ~ lnDKF_net + {CONTROLS}" for name, y in {"level": "Bal", "change": "rise"}.items()
    }
    return pd.Series({k: fit.params["lnDKF_net"] for k, fit in dyadic_panel(rows, formulas).items()})


@answer(
    f"{LESSON}/rival",
    decimals=4,
    hint="light per head of L and of H one year before the outcome, the same two cities; rise = Bal less their ratio.",
    mistakes={
        "the extreme pair-years are still in.": lambda panel: _rival(panel, extreme=True),
    },
)
def rival(panel: pd.DataFrame) -> pd.Series:
    """Slope of Bal and of its change on the net flow in the student's rival world."""
    return _rival(panel)
