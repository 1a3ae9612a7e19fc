"""Answers to the exercises of the third lesson: from tables of cities to a panel of pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from regionbook.papers import _knowledge_pairs as grid
from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal

SLUG = "knowledge-flows"
LESSON = f"{SLUG}/3-pairs"
YEARS = 19
"""Outcome years 2001 to 2019."""
TWO = ("Hangzhou", "Ningbo")
"""The pair of the first exercise."""


def _table(panel: pd.DataFrame, name: str) -> pd.DataFrame:
    """A raw table that belongs to the student's panel."""
    return personal(SLUG, panel.attrs.get("student", ""), table=name)


def _light(panel: pd.DataFrame) -> np.ndarray:
    """Light per head, array (city, 2000 to 2019)."""
    years = _table(panel, "years")
    return (grid.wide(years, "light") / grid.wide(years, "population"))[:, : YEARS + 1]


def _balance(panel: pd.DataFrame, judged: int = -1) -> np.ndarray:
    """Bal (pair, outcome year) with roles judged so many years off the outcome year, at the earliest in 2000."""
    y = _light(panel)
    a, b = grid.pairs(len(y))
    t = np.arange(1, YEARS + 1)
    at = np.maximum(t + judged, 0)
    ratio = y[a][:, t] / y[b][:, t]
    return np.where(y[a][:, at] <= y[b][:, at], ratio, 1 / ratio)


def _row(panel: pd.DataFrame) -> tuple[int, int, int]:
    cities = _table(panel, "cities").index
    first, second = sorted(int(cities.get_loc(k)) for k in TWO)
    return first, second, len(cities)


@answer(
    f"{LESSON}/row",
    hint="positions of both cities in the table of cities, the smaller one first, then the formula of the lesson.",
    mistakes={
        "that is the row of a list that contains each city with itself; start the triangle above the diagonal.": lambda panel: (
            _with_diagonal(panel)
        ),
        "one too many: rows are counted from zero.": lambda panel: row(panel) + 1,
    },
)
def row(panel: pd.DataFrame) -> int:
    """Row of the pair Hangzhou and Ningbo."""
    first, second, n = _row(panel)
    return int(grid.pair_number(np.array([first]), np.array([second]), n)[0])


def _with_diagonal(panel: pd.DataFrame) -> int:
    first, second, n = _row(panel)
    return first * n - first * (first - 1) // 2 + second - first


@answer(
    f"{LESSON}/overtaken",
    decimals=4,
    hint="light over population, roles from the year before, ratio L over H, then the mean of ratio > 1.",
    mistakes={
        "this is the ratio of a to b; orient each pair by its roles first.": lambda panel: _unoriented(panel),
        "the roles are two years old here; compare column t with column t-1.": lambda panel: _early(panel),
        "this is per cent; a share is asked for.": lambda panel: 100 * overtaken(panel),
    },
)
def overtaken(panel: pd.DataFrame) -> float:
    """Share of pair-years in which the less developed city overtakes."""
    return float((_balance(panel) > 1).mean())


def _unoriented(panel: pd.DataFrame) -> float:
    y = _light(panel)
    a, b = grid.pairs(len(y))
    return float((y[a, 1:] > y[b, 1:]).mean())


def _early(panel: pd.DataFrame) -> float:
    return float((_balance(panel, -2) > 1).mean())


@answer(
    f"{LESSON}/conventions",
    decimals=4,
    hint="one array says whether a is L; it takes column t, t-1 or always the first column of the light.",
    mistakes={
        "the last two are exchanged.": lambda panel: pd.Series(
            {
                "t-1": conventions(panel)["t-1"],
                "t": conventions(panel)["2000"],
                "2000": conventions(panel)["t"],
            }
        ),
    },
)
def conventions(panel: pd.DataFrame) -> pd.Series:
    """Mean of Bal with roles at t-1, at t, and of 2000."""
    means = {"t-1": -1, "t": 0, "2000": -YEARS - 1}
    return pd.Series({k: float(_balance(panel, judged).mean()) for k, judged in means.items()})


UNITS = {"one": 1, "ten": 10, "hundred": 100}


def _units(panel: pd.DataFrame, year: int = 2018) -> pd.Series:
    """Mean over standard deviation of the net inflow into L of one year, citations counted in ones, tens, hundreds."""
    y, cities = _light(panel)[:, year - 2000], _table(panel, "cities").index
    a, b = grid.pairs(len(y))
    ab, ba = (x[:, 0] for x in grid.counts(_table(panel, "citations"), cities, np.array([year])))
    less = y[a] <= y[b]
    inflow, outflow = np.where(less, ab, ba), np.where(less, ba, ab)
    net = {k: np.log1p(inflow / u) - np.log1p(outflow / u) for k, u in UNITS.items()}
    return pd.Series({k: float(v.mean() / v.std()) for k, v in net.items()})


@answer(
    f"{LESSON}/units",
    decimals=3,
    hint="ln(1 + citations / unit) for both flows of 2018, their difference, and its mean over its standard deviation.",
    mistakes={
        "the direction is turned round: the city that cites receives.": lambda panel: -_units(panel),
        "these are the flows of 2017; those of 2018 belong to the outcome of 2019.": lambda panel: _units(
            panel, 2017
        ),
    },
)
def units(panel: pd.DataFrame) -> pd.Series:
    """Mean over standard deviation of the net inflow of 2018, citations counted in ones, tens, hundreds."""
    return _units(panel)


def _printed_n(table: str, column: str) -> int:
    fit = published(SLUG).fit
    return int(fit.query("table == @table and column == @column and stat == 'N'")["value"].iloc[0])


@answer(
    f"{LESSON}/behind",
    hint="pairs = N divided by rows per pair (773,145/43,660); n(n-1)/2 = pairs; round to a whole number.",
    mistakes={
        "the rows per pair are not 19: 773,145 rows with controls are spread over 43,660 pairs.": lambda: (
            _root(_printed_n("2", "3") / YEARS)
        ),
        "n(n-1)/2, not n squared, is the number of pairs.": lambda: round(
            (_printed_n("2", "3") * 43_660 / _printed_n("1", "4")) ** 0.5
        ),
    },
)
def behind() -> int:
    """Cities behind Table 2 (3), the diversity of imports."""
    return _root(_printed_n("2", "3") * 43_660 / _printed_n("1", "4"))


def _root(pairs: float) -> int:
    return round((1 + (1 + 8 * pairs) ** 0.5) / 2)


def _undone(panel: pd.DataFrame, k: int) -> float:
    """Share of overtakings after which the order of the two is back to the old one k years later."""
    y = _light(panel)
    a, b = grid.pairs(len(y))
    ahead = y[a] > y[b]
    over = ahead[:, 1:] != ahead[:, :-1]
    last = YEARS - k
    back = ahead[:, k + 1 :] == ahead[:, :last]
    return float(back[over[:, :last]].mean())


@answer(
    f"{LESSON}/undone",
    decimals=3,
    hint="for each overtaking at t: is the city that was ahead at t-1 ahead again at t+k? Leave out overtakings whose t+k is after 2019.",
    mistakes={
        "these are the shares that last; those that are undone are asked for.": lambda panel: (
            1 - undone(panel)
        ),
    },
)
def undone(panel: pd.DataFrame) -> pd.Series:
    """Share of overtakings undone after 1, 3 and 5 years."""
    return pd.Series({f"after {k}": _undone(panel, k) for k in (1, 3, 5)})


def _lost(panel: pd.DataFrame, both_ends: bool = True) -> float:
    bal = _balance(panel)
    share = 1 - _printed_n("1", "1") / bal.size
    low, high = np.quantile(bal, [share / 2, 1 - share / 2] if both_ends else [0, 1 - share])
    out = (bal < low) | (bal > high)
    return float((out & (bal > 1)).sum() / (bal > 1).sum())


@answer(
    f"{LESSON}/trimmed",
    decimals=3,
    hint="the printed loss is a share of 829,540; cut half of it at each end of Bal, then count among the rows above one.",
    mistakes={
        "you have cut the upper end only; half of the loss belongs to each end.": lambda panel: _lost(
            panel, False
        ),
    },
)
def trimmed(panel: pd.DataFrame) -> float:
    """Share of the overtakings that go if Bal is trimmed at both ends down to the printed N."""
    return _lost(panel)


def _inventions(panel: pd.DataFrame, forgotten: str = "") -> pd.Series:
    """Share of inventions among the citing patents of each city's citations, after all steps but one."""
    d = _table(panel, "links")
    if forgotten != "once":
        d = d.drop_duplicates(["citing", "cited"])
    if forgotten != "designs":
        d = d[(d["citing_kind"] != "design") & (d["cited_kind"] != "design")]
    if forgotten != "digital":
        d = d[d["digital"] == 1]
    if forgotten != "within":
        d = d[d["citing_city"] != d["cited_city"]]
    return (d["citing_kind"] == "invention").groupby(d["citing_city"].astype(str)).mean()


@answer(
    f"{LESSON}/inventions",
    decimals=4,
    hint="four steps first, as in the lesson; then the mean of citing_kind == 'invention' by citing city.",
    mistakes={
        "granted inventions stand twice in the register: count each pair of patents once.": lambda panel: (
            _inventions(panel, "once")
        ),
        "design patents are still in it, as citing or as cited patents.": lambda panel: _inventions(
            panel, "designs"
        ),
        "the cited patents have to be digital.": lambda panel: _inventions(panel, "digital"),
        "citations within a city are still in it.": lambda panel: _inventions(panel, "within"),
    },
)
def inventions(panel: pd.DataFrame) -> pd.Series:
    """Share of each city's citations that inventions make."""
    return _inventions(panel)
