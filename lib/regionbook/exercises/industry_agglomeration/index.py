"""Answers to ``exercises/02-industry-agglomeration/1-index``."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from regionbook.exercises.check import answer
from regionbook.geo import knn
from regionbook.index import entropy_index, location_quotient
from regionbook.papers import prepare
from regionbook.papers.industry_agglomeration import indicators

SLUG = "industry-agglomeration"
LESSON = f"{SLUG}/1-index"
LAST = 2022


def _quotient(
    panel: pd.DataFrame, whole: str = "employment", weight: Literal["total", "mean"] = "total"
) -> pd.Series:
    return location_quotient(panel["digital_staff"], panel[whole], by="year", weight=weight)


def _in(values: pd.Series, year: int = LAST) -> pd.Series:
    return values.xs(year, level="year")


@answer(
    f"{LESSON}/hefei",
    decimals=3,
    hint="share of digital jobs in Hefei in 2022 over the share in all 280 cities of 2022 together.",
    mistakes={
        "you compare with the plain mean of the cities' shares; take sums over cities first, then the ratio.": (
            lambda panel: _in(_quotient(panel, weight="mean"))["Hefei"]
        ),
        "you compare with all years together; take the sums within 2022.": lambda panel: location_quotient(
            panel["digital_staff"], panel["employment"]
        )["Hefei", LAST],
        "that is Hefei's share of digital jobs in per cent, not yet compared with the country's.": lambda panel: (
            100 * _in(panel["digital_staff"] / panel["employment"])["Hefei"]
        ),
    },
)
def hefei(panel: pd.DataFrame) -> float:
    return float(_in(_quotient(panel))["Hefei"])


@answer(f"{LESSON}/below", hint="count the cities with a quotient below 1 in 2022.")
def below(panel: pd.DataFrame) -> int:
    return int((_in(_quotient(panel)) < 1).sum())


@answer(
    f"{LESSON}/gap",
    decimals=3,
    hint="N times the covariance (ddof=0) of employment share and quotient equals 1 minus the plain mean of 2022.",
    mistakes={
        "the covariance has still to be multiplied by the number of cities.": lambda panel: gap(panel) / 280,
        "you took all years; only 2022 is asked for.": lambda panel: 1 - float(_quotient(panel).mean()),
        "that is the mean; the gap to one is asked for.": lambda panel: float(_in(_quotient(panel)).mean()),
    },
)
def gap(panel: pd.DataFrame) -> float:
    return 1 - float(_in(_quotient(panel)).mean())


@answer(
    f"{LESSON}/per-head-mean",
    decimals=3,
    hint="the same formula with residents in place of employees, within each year; then the mean of all 2,800.",
    mistakes={
        "that is the mean with employees in the denominator.": lambda panel: float(_quotient(panel).mean())
    },
)
def per_head_mean(panel: pd.DataFrame) -> float:
    return float(_quotient(panel, "population").mean())


@answer(
    f"{LESSON}/per-head-rank",
    hint="rank(ascending=False) of the quotients of 2022; the largest has rank 1.",
    mistakes={
        "that is its rank with employees in the denominator.": lambda panel: _rank(_quotient(panel)),
    },
)
def per_head_rank(panel: pd.DataFrame) -> int:
    return _rank(_quotient(panel, "population"))


def _rank(values: pd.Series) -> int:
    return int(_in(values).rank(ascending=False)["Shenzhen"])


@answer(
    f"{LESSON}/equal-mean",
    decimals=3,
    hint="the mean over the 16 normalised indicators, then over the 2,800 rows.",
    mistakes={
        "that is the mean with entropy weights.": lambda panel: float(
            entropy_index(indicators(panel)).score.mean()
        ),
    },
)
def equal_mean(panel: pd.DataFrame) -> float:
    return float(entropy_index(indicators(panel)).normalised.mean(axis=1).mean())


@answer(
    f"{LESSON}/equal-correlation",
    decimals=3,
    hint="Spearman's correlation of the two indices over all 2,800 rows.",
    mistakes={
        "that is Pearson's correlation; ranks are asked for: method='spearman'.": lambda panel: _equal(
            panel, "pearson"
        )
    },
)
def equal_correlation(panel: pd.DataFrame) -> float:
    return _equal(panel, "spearman")


def _equal(panel: pd.DataFrame, method: str) -> float:
    index = entropy_index(indicators(panel))
    return float(index.score.corr(index.normalised.mean(axis=1), method=method))


@answer(
    f"{LESSON}/moran",
    decimals=2,
    hint="rb.geo.knn(codes, 5).transform('r'), then the slope of the neighbours' mean deviation on the deviation.",
    mistakes={
        "that is the Moran's I of 2022; 2013 is asked for.": lambda panel: _moran(panel, LAST),
        "that is the Moran's I of the index; take agglomeration.": lambda panel: _moran(
            panel, 2013, "new_productivity"
        ),
    },
)
def moran(panel: pd.DataFrame) -> float:
    return _moran(panel, 2013)


def _moran(panel: pd.DataFrame, year: int, name: str = "agglomeration") -> float:
    rows = prepare(SLUG, panel).xs(year, level="year").reset_index()
    value = pd.Series(rows[name].to_numpy(), rows["code"].astype(str))
    value = value - value.mean()
    graph = knn(value.index, 5).transform("r")
    around = pd.Series(graph.lag(value.reindex(graph.unique_ids)), graph.unique_ids).reindex(value.index)
    return float((value @ around) / (value @ value))


@answer(f"{LESSON}/slip-city", hint="the row with the largest value of traffic in prepare's panel.")
def slip_city(panel: pd.DataFrame) -> str:
    return str(_slip(panel)[0])


def _slip(panel: pd.DataFrame) -> tuple[str, int]:
    city, year = prepare(SLUG, panel)["traffic"].idxmax()
    return str(city), int(year)


@answer(
    f"{LESSON}/slip-sd",
    decimals=4,
    hint="replace the one value by the mean of the years before and after (or the one there is), then .std().",
    mistakes={
        "that is the standard deviation before the mend.": lambda panel: float(
            prepare(SLUG, panel)["traffic"].std()
        ),
    },
)
def slip_sd(panel: pd.DataFrame) -> float:
    traffic = prepare(SLUG, panel)["traffic"].copy()
    city, year = _slip(panel)
    beside = [traffic[city, y] for y in (year - 1, year + 1) if (city, y) in traffic.index]
    traffic.loc[(city, year)] = sum(beside) / len(beside)
    return float(traffic.std())


def _boom(panel: pd.DataFrame) -> pd.DataFrame:
    rows = panel.xs(LAST, level="year")
    more = rows["digital_staff"] * (1 + 0.5 * (rows["province"] == "Jiangsu"))
    before = location_quotient(rows["digital_staff"], rows["employment"])
    return pd.DataFrame({"before": before, "after": location_quotient(more, rows["employment"])})


@answer(
    f"{LESSON}/fallers",
    hint="compare the quotients of 2022 before and after; every city outside Jiangsu is compared with a higher share.",
)
def fallers(panel: pd.DataFrame) -> int:
    both = _boom(panel)
    return int((both["after"] < both["before"]).sum())


@answer(
    f"{LESSON}/hefei-change",
    decimals=2,
    unit="per cent",
    hint="100 * (after / before - 1) for Hefei; it is negative.",
    mistakes={"mind the sign: the quotient of Hefei falls.": lambda panel: -hefei_change(panel)},
)
def hefei_change(panel: pd.DataFrame) -> float:
    at = _boom(panel).loc["Hefei"]
    return float(100 * (at["after"] / at["before"] - 1))
