"""Answers to the exercises of the fourth lesson: pairs that share a city, role swaps, what a coefficient mixes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal
from regionbook.models import dyadic_panel
from regionbook.papers import prepare
from regionbook.papers.knowledge_flows import MODELS

SLUG = "knowledge-flows"
LESSON = f"{SLUG}/4-regressions"
BASELINE = MODELS["1", "4"].formula
LOANS = MODELS["3", "1"].formula
YEAR = 2010


def _sample(panel: pd.DataFrame) -> pd.DataFrame:
    data = prepare(SLUG, panel)
    return data[~data["extreme"]]


def _net(data: pd.DataFrame, kinds: tuple[Any, ...], units: tuple[str, str], correction: bool) -> list[float]:
    fit = dyadic_panel(data, BASELINE, units=units)
    return [float(fit.se(kind, correction)["lnDKF_net"]) for kind in kinds]


def _errors(data: pd.DataFrame) -> pd.Series:
    kinds = ("pair", "two-way", "dyadic")
    return pd.Series(_net(data, kinds, ("a", "b"), True), list(kinds))


@answer(
    f"{LESSON}/errors",
    tolerance=0.002,
    hint="one call of rb.models.dyadic_panel with units=('a', 'b'), then fit.se(kind)['lnDKF_net'] three times.",
    mistakes={
        "the extreme pair-years are still in; take data[~data['extreme']].": lambda panel: _errors(
            prepare(SLUG, panel)
        ),
        "these are t statistics; standard errors are asked for.": lambda panel: (
            _coefficient(panel) / errors(panel)
        ),
    },
)
def errors(panel: pd.DataFrame) -> pd.Series:
    """Standard error of the net flow in column (4) of Table 1 by pair, two-way and dyadic."""
    return _errors(_sample(panel))


def _coefficient(panel: pd.DataFrame) -> float:
    return float(dyadic_panel(_sample(panel), BASELINE).params["lnDKF_net"])


def _pulls(panel: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    """Pull of each pair on the slope of Bal on the net flow in one year; the same added up by city; the cities."""
    rows = _sample(panel).xs(YEAR, level="year")
    x, y = (rows[k].to_numpy(float) - rows[k].mean() for k in ("lnDKF_net", "Bal"))
    pull = x * (y - (x @ y) / (x @ x) * x) / (x @ x)
    cities = rows["a"].cat.categories
    by_city = sum(np.bincount(rows[k].cat.codes, pull, minlength=len(cities)) for k in ("a", "b"))
    return pull, np.asarray(by_city), cities


@answer(
    f"{LESSON}/by-hand",
    tolerance=0.003,
    hint="pull = (x - mean) * residual / sum of (x - mean)²; add it by a and by b with np.bincount; "
    "dyadic² = sum of squares by city - sum of squares of the pulls.",
    mistakes={
        "the products of a pair with itself are counted twice; take the sum of squared pulls off once.": lambda panel: (
            _by_hand(panel, 0)
        ),
        "these are variances; take the square root.": lambda panel: _by_hand(panel, 1) ** 2,
    },
)
def by_hand(panel: pd.DataFrame) -> pd.Series:
    """Robust and dyadic error of a bivariate regression in one year, without small-sample factors."""
    return _by_hand(panel, 1)


def _by_hand(panel: pd.DataFrame, less: int) -> pd.Series:
    pull, by_city, _ = _pulls(panel)
    own = pull @ pull
    return pd.Series({"hetero": np.sqrt(own), "dyadic": np.sqrt(by_city @ by_city - less * own)})


def _shares(panel: pd.DataFrame) -> pd.Series:
    _, by_city, cities = _pulls(panel)
    return pd.Series(by_city**2 / (by_city @ by_city), cities).sort_values(ascending=False)


@answer(
    f"{LESSON}/who",
    hint="square the pulls added up by city, divide by their sum, and take the name with .idxmax().",
)
def who(panel: pd.DataFrame) -> str:
    """The city with the largest square of pulls."""
    return str(_shares(panel).index[0])


@answer(
    f"{LESSON}/share",
    tolerance=0.01,
    hint="the square of this city's sum of pulls over the sum of all cities' squares.",
    mistakes={"this is a per cent; a share is asked for.": lambda panel: 100 * share(panel)},
)
def share(panel: pd.DataFrame) -> float:
    """Its share."""
    return float(_shares(panel).iloc[0])


def _mixed(panel: pd.DataFrame) -> pd.DataFrame:
    """Pairs of an eastern and another city, with columns east and other."""
    rows = _sample(panel)
    rows = rows[rows["East_West"] == 1]
    table = personal(SLUG, panel.attrs.get("student", ""), table="cities")
    eastern = (table["region"] == "East").to_numpy()
    a, b = (rows[k].cat.codes.to_numpy() for k in ("a", "b"))
    return rows.assign(east=np.where(eastern[a], a, b), other=np.where(eastern[a], b, a))


def _two_way(panel: pd.DataFrame, correction: bool) -> pd.Series:
    rows = _mixed(panel)
    ab = _net(rows, ("two-way", "dyadic"), ("a", "b"), correction)
    sides = _net(rows, ("two-way",), ("east", "other"), correction)
    return pd.Series({"a, b": ab[0], "east, other": sides[0], "dyadic": ab[1]})


@answer(
    f"{LESSON}/two-way",
    tolerance=0.001,
    hint="two calls on the mixed pairs, units=('a', 'b') and units=('east', 'other'); fit.se('two-way', correction=False).",
    mistakes={
        "leave the small-sample factors out: correction=False.": lambda panel: _two_way(panel, True),
    },
)
def two_way(panel: pd.DataFrame) -> pd.Series:
    """Error of the net flow among mixed pairs: two-way by (a, b), by (east, other), dyadic; no factors."""
    return _two_way(panel, False)


def _fixed_roles(data: pd.DataFrame) -> np.ndarray:
    """Rows of pairs whose less developed city is the same in all years."""
    less = data["L"].cat.codes.to_numpy().reshape(-1, 19)
    return np.repeat((less == less[:, :1]).all(axis=1), 19)


def _loans(panel: pd.DataFrame) -> tuple[float, float, float]:
    data = prepare(SLUG, panel)
    used, fixed = ~data["extreme"].to_numpy(), _fixed_roles(data)
    samples = (data[used], data[used & fixed], data[used & ~fixed])
    one, two, three = (float(dyadic_panel(d, LOANS).params["lnDKF_net:Gap_k"]) for d in samples)
    return one, two, three


@answer(
    f"{LESSON}/swaps",
    tolerance=0.01,
    hint="L is a category: reshape its codes to pairs × 19 years, compare with the first column, "
    "and repeat the answer 19 times to have it by row.",
    mistakes={
        "'kept' holds the pairs that swap; the others are asked for.": lambda panel: pd.Series(
            {"all": _loans(panel)[0], "kept": _loans(panel)[2]}
        ),
    },
)
def swaps(panel: pd.DataFrame) -> pd.Series:
    """Interaction with the loan ratio: all pairs, and pairs that keep their roles."""
    one, two, _ = _loans(panel)
    return pd.Series({"all": one, "kept": two})


@answer(
    f"{LESSON}/rho",
    decimals=4,
    hint="the errors may grow by the factor |t|/2.58; square it, take one off, divide by 2 × 294.",
    mistakes={
        "the ratio in the formula is one of variances: square the ratio of the errors.": lambda: (
            (_printed_t() / 2.58 - 1) / 588
        ),
        "each pair has 2 × 294 relatives, 294 through each of its cities.": lambda: (
            ((_printed_t() / 2.58) ** 2 - 1) / 294
        ),
    },
)
def rho() -> float:
    """Correlation of related pulls at which Table 3 (1) loses its third star."""
    return ((_printed_t() / 2.58) ** 2 - 1) / 588


def _printed_t() -> float:
    estimates = published(SLUG).estimates
    row = estimates.query("table == '3' and column == '1' and term == 'lnDKF_net:Gap_k'").iloc[0]
    return abs(float(row["estimate"]) / float(row["paren"]))


def _split(panel: pd.DataFrame, turn: bool) -> pd.Series:
    data = prepare(SLUG, panel)
    less, more = (data[k].cat.codes.to_numpy().reshape(-1, 19) for k in ("L", "H"))
    net = data["lnDKF_net"].to_numpy().reshape(-1, 19)
    years = np.arange(19)
    size = len(data["L"].cat.categories)
    s = np.stack(
        [np.bincount(less[:, t], net[:, t], size) - np.bincount(more[:, t], net[:, t], size) for t in years],
        1,
    ) / (size - 1)
    city = (s[less, years] - s[more, years]).ravel()
    sign = np.where(less == less[:, :1], 1, -1).ravel() if turn else 1
    rows = pd.DataFrame(
        {
            "y": sign * np.log(data["Bal"]),
            "city": sign * city,
            "own": sign * (data["lnDKF_net"] - city),
        }
    )[~data["extreme"]]
    return dyadic_panel(rows, "y ~ city + own | pair + year").params


@answer(
    f"{LESSON}/parts",
    tolerance=0.01,
    decimals=4,
    hint="s: sums of the net flow by (L, year) minus sums by (H, year), over 295; city part = s of L - s of H; "
    "then multiply outcome and both parts by -1 where L is not the L of the first year.",
    mistakes={
        "these are the numbers with the roles as they are; hold them fixed.": lambda panel: _split(
            panel, False
        ),
    },
)
def parts(panel: pd.DataFrame) -> pd.Series:
    """Effect on ln Bal of the city part and the own part of the net flow, roles held fixed."""
    return _split(panel, True)
