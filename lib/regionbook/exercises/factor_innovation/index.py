"""Answers to ``exercises/03-factor-innovation/1-index``."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.index import EntropyIndex, entropy_index
from regionbook.papers.factor_innovation import DIRECTIONS, INDICATORS, index, indicators

LESSON = "factor-innovation/1-index"


def _years(panel: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    return panel[panel.index.get_level_values("year").isin(range(first, last + 1))]


def _weights(panel: pd.DataFrame, name: str) -> pd.Series:
    return 100 * index(panel, name).row_weights.iloc[0]


def _at(values: pd.Series, key: Hashable) -> float:
    return float(values.to_dict()[key])


def _percent(parts: pd.Series) -> pd.Series:
    return 100 * parts / parts.sum()


# ---------------------------------------------------------------------------------- 1, a period


def _ruler_of_whole(panel: pd.DataFrame) -> pd.Series:
    return _percent(_theil(_years(index(panel, "ID").normalised, 2013, 2022)))


@answer(
    f"{LESSON}/period-weights",
    decimals=2,
    unit="per cent",
    hint="keep the rows of 2013 to 2022 first; then minimum, maximum and entropy over these 310 rows.",
    mistakes={
        "these are the weights of the whole period.": lambda panel: _weights(panel, "ID"),
        "the rows are right, but the ruler is that of 2003-2023: scale within the period.": _ruler_of_whole,
        "that is 2013 to 2023; the period of the tables ends in 2022.": lambda panel: _weights(
            _years(panel, 2013, 2023), "ID"
        ),
    },
)
def period_weights(panel: pd.DataFrame) -> pd.Series:
    return _weights(_years(panel, 2013, 2022), "ID")


# ---------------------------------------------------------------------------------- 2, a list


@answer(
    f"{LESSON}/above",
    hint="the mean of the 31 provinces in 2018 itself; a province is above it or not.",
)
def above(panel: pd.DataFrame) -> set[str]:
    score = index(panel, "FI").score.xs(2018, level="year")
    return set(score.index[score > score.mean()])


@answer(
    f"{LESSON}/core",
    hint="intersect the three printed lists of 2023, as they stand: & of Python sets.",
)
def core() -> set[str]:
    rows = published("factor-innovation").other
    rows = rows[rows["unit"].eq("above national mean")]
    names = rows["row"].str.extract(r"([A-Z].*)", expand=False)
    lists = [set(names[rows["column"].eq(f"{k} 2023")]) for k in ("FI", "ID", "RCD")]
    return set.intersection(*lists)


# ---------------------------------------------------------------------------------- 3, a direction


def _rcd(panel: pd.DataFrame, turned: bool = False, inverted: bool = False) -> EntropyIndex:
    raw = indicators(panel)[list(INDICATORS["RCD"])]
    if inverted:
        raw = raw.assign(E4=1 / raw["E4"])
    return entropy_index(raw, {**DIRECTIONS, "E4": -1 if turned else 1})


def _e4(panel: pd.DataFrame, **how: bool) -> float:
    return 100 * _at(_rcd(panel, **how).row_weights.iloc[0], "E4")


@answer(
    f"{LESSON}/e4-inverted",
    decimals=3,
    unit="per cent",
    hint="replace the column E4 by 1 / E4, leave it positive, leave the other 11 as they are.",
    mistakes={
        "that is E4 as it stands; take one over it.": _e4,
        "that is E4 turned round by equation (2); take 1 / E4 and equation (1).": lambda panel: _e4(
            panel, turned=True
        ),
        "both turned and inverted: these undo each other only roughly; take 1 / E4, positive.": lambda panel: (
            _e4(panel, turned=True, inverted=True)
        ),
    },
)
def e4_inverted(panel: pd.DataFrame) -> float:
    return _e4(panel, inverted=True)


@answer(
    f"{LESSON}/e4-turned",
    decimals=3,
    unit="per cent",
    hint="directions: S1, S3, S4 and E4 all -1.",
    mistakes={"that is E4 as a positive indicator.": _e4},
)
def e4_turned(panel: pd.DataFrame) -> float:
    return _e4(panel, turned=True)


# ---------------------------------------------------------------------------------- 4, growth and gaps


def _theil(z: pd.DataFrame) -> pd.Series:
    s = z / z.mean()
    return (s * np.log(s.where(s > 0, 1))).mean()


def _growth(z: pd.DataFrame) -> pd.Series:
    s = z.groupby("year").mean() / z.mean()
    return (s * np.log(s)).mean()


def _between(panel: pd.DataFrame, name: str) -> pd.Series:
    z = index(panel, name).normalised
    return _theil(z) - _growth(z)


@answer(
    f"{LESSON}/growth-share",
    decimals=3,
    hint="growth part of E2 over the Theil index of E2, whole period, scaled over all years.",
    mistakes={
        "that is the share in all 12 indicators together; only E2 is asked for.": lambda panel: float(
            _growth(index(panel, "RCD").normalised).sum() / _theil(index(panel, "RCD").normalised).sum()
        ),
    },
)
def growth_share(panel: pd.DataFrame) -> float:
    z = index(panel, "RCD").normalised[["E2"]]
    return _at(_growth(z) / _theil(z), "E2")


def _raw_theil(panel: pd.DataFrame) -> pd.Series:
    raw = indicators(panel)[list(INDICATORS["FI"])]
    return _percent(_theil(raw) - _growth(raw))


@answer(
    f"{LESSON}/between-weights",
    decimals=2,
    unit="per cent",
    hint="the between-province parts of the 11 indicators of FI, as shares of their sum, times 100.",
    mistakes={
        "these are the weights of the whole period, growth included.": lambda panel: _weights(panel, "FI"),
        "these are the weights from growth alone.": lambda panel: _percent(
            _growth(index(panel, "FI").normalised)
        ),
        "that is the split of the raw columns; scale them first.": _raw_theil,
    },
)
def between_weights(panel: pd.DataFrame) -> pd.Series:
    return _percent(_between(panel, "FI"))


# ---------------------------------------------------------------------------------- 5, levels


def _leap(panel: pd.DataFrame) -> tuple[float, float]:
    """Change of mean FI from 2022 to 2023, one ruler, weights by period: from the values, from the weights."""
    z = index(panel, "FI").normalised.groupby("year").mean()
    old = index(_years(panel, 2013, 2022), "FI").row_weights.iloc[0]
    new = index(_years(panel, 2023, 2023), "FI").row_weights.iloc[0]
    change = z.loc[2023] - z.loc[2022]
    middle = (z.loc[2023] + z.loc[2022]) / 2
    return float(((old + new) / 2 * change).sum()), float((middle * (new - old)).sum())


@answer(
    f"{LESSON}/from-weights",
    decimals=4,
    hint="sum over the 11 indicators: mean of z in the two years, times the change of the weight (not in per cent).",
    mistakes={
        "that is the part from the values; the other one is asked for.": lambda panel: _leap(panel)[0],
        "that is the whole change; only the part from the weights is asked for.": lambda panel: sum(
            _leap(panel)
        ),
    },
)
def from_weights(panel: pd.DataFrame) -> float:
    return _leap(panel)[1]


# ---------------------------------------------------------------------------------- 6, the printed page


@answer(
    f"{LESSON}/west-east",
    decimals=2,
    hint="(Y_E / N_E) / (Y_W / N_W) = r, solved for r, with the printed GDP of 2023 and people in the ratio of the census.",
    mistakes={
        "that is the ratio of GDP; divide by people.": lambda: _gdp("East") / _gdp("West"),
        "people are the wrong way round: East over West.": lambda: (
            _gdp("East") / _gdp("West") * 39.93 / 27.12
        ),
    },
)
def west_east() -> float:
    return _gdp("East") / _gdp("West") * 27.12 / 39.93


def _gdp(region: str) -> float:
    rows = published("factor-innovation").other
    here = rows["table"].eq("text intro") & rows["column"].eq("GDP 2023") & rows["row"].str.startswith(region)
    return float(rows.loc[here, "value"].item())
