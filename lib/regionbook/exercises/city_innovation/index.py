"""Answers to ``exercises/01-city-innovation/1-index``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.index import EntropyIndex, entropy_index, pca_index
from regionbook.papers.city_innovation import indicators

LESSON = "city-innovation/1-index"
PATENTS = ["pat_apply", "pat_grant"]
NOISE_SEED = 7


def _index(panel: pd.DataFrame, **choices: str) -> EntropyIndex:
    return entropy_index(indicators(panel), **choices)


def _dimension_sums(weights: pd.Series) -> pd.Series:
    dimension = published("city-innovation").indicators["dimension"].str.split(" / ").str[1]
    return weights.groupby(dimension.set_axis(weights.index), sort=False).sum()


def _redundancy_sums(panel: pd.DataFrame) -> pd.Series:
    return _dimension_sums(100 * _index(panel).redundancy)


@answer(
    f"{LESSON}/dimensions",
    decimals=2,
    unit="per cent",
    hint="min-max over all city-years, 0 ln 0 = 0, then the sum of 100 w over the five indicators of each dimension.",
    mistakes={"these are sums of d = 1 - e; divide by the sum of all 25 first.": _redundancy_sums},
)
def dimensions(panel: pd.DataFrame) -> pd.Series:
    return _dimension_sums(100 * _index(panel).weights)


def _hefei_by_year(panel: pd.DataFrame) -> float:
    return _index(panel, normalise="year").score["Hefei", 2021]


def _hefei_own_weights(panel: pd.DataFrame) -> float:
    return entropy_index(indicators(panel).xs(2021, level="year")).score["Hefei"]


@answer(
    f"{LESSON}/score",
    decimals=4,
    hint="the row of Hefei in 2021 of Z @ w, with Z and w from all 2,744 rows.",
    mistakes={
        "minimum and maximum are those of 2021 only; take them over all years.": _hefei_by_year,
        "you used the rows of 2021 only; scale and weigh over all years, then pick the row.": _hefei_own_weights,
    },
)
def score(panel: pd.DataFrame) -> float:
    return _index(panel).score["Hefei", 2021]


@answer(f"{LESSON}/rank", hint="rank among the 196 cities of 2021, the best is 1: rank(ascending=False).")
def rank(panel: pd.DataFrame) -> int:
    return int(_index(panel).score.xs(2021, level="year").rank(ascending=False)["Hefei"])


def _growth(index: EntropyIndex) -> float:
    mean = index.score.groupby("year").mean()
    return mean[2021] / mean[2008]


@answer(
    f"{LESSON}/growth",
    decimals=3,
    hint="mean over the 196 cities in 2021, divided by that in 2008; the growth factor, not the growth rate.",
    mistakes={
        "that is the index by year; growth_pooled is the other one.": lambda panel: _growth(
            _index(panel, normalise="year")
        )
    },
)
def growth(panel: pd.DataFrame) -> float:
    return _growth(_index(panel))


@answer(
    f"{LESSON}/growth-by-year",
    decimals=3,
    hint="minimum and maximum by year, but one set of weights from all 2,744 rows (normalise='year' does just that).",
    mistakes={
        "that is the pooled index; take minimum and maximum within each year.": growth,
        "you let the weights differ by year too; only the minimum and maximum should.": lambda panel: _growth(
            _index(panel, normalise="year", weights="year")
        ),
    },
)
def growth_by_year(panel: pd.DataFrame) -> float:
    return _growth(_index(panel, normalise="year"))


def _logged(panel: pd.DataFrame) -> EntropyIndex:
    raw = indicators(panel)
    return entropy_index(raw.assign(fdi_firms=np.log1p(raw["fdi_firms"])))


def _log_of_z(panel: pd.DataFrame) -> float:
    z = _index(panel).normalised
    return float(100 * entropy_index(z.assign(fdi_firms=np.log1p(z["fdi_firms"]))).weights["fdi_firms"])


@answer(
    f"{LESSON}/log-fdi",
    decimals=2,
    unit="per cent",
    hint="replace the column fdi_firms by np.log1p of itself and leave the other 24 as they are.",
    mistakes={
        "that is the weight without the logarithm.": lambda panel: float(
            100 * _index(panel).weights["fdi_firms"]
        ),
        "you took the logarithm after min-max scaling; take it of the raw count.": _log_of_z,
        "you logged all 25 columns; only fdi_firms is meant.": lambda panel: float(
            100 * entropy_index(np.log1p(indicators(panel))).weights["fdi_firms"]
        ),
    },
)
def log_fdi(panel: pd.DataFrame) -> float:
    return float(100 * _logged(panel).weights["fdi_firms"])


@answer(
    f"{LESSON}/spearman",
    decimals=3,
    hint="pca_index(X) with its default number of components, all 2,744 city-years, method='spearman'.",
    mistakes={
        "that is Pearson's correlation; ranks are asked for: method='spearman'.": lambda panel: pca_index(
            indicators(panel)
        ).score.corr(_index(panel).score),
        "that is the first component only; take the score, which adds up the components kept.": lambda panel: pca_index(
            indicators(panel), components=1
        ).score.corr(_index(panel).score, method="spearman"),
    },
)
def spearman(panel: pd.DataFrame) -> float:
    return pca_index(indicators(panel)).score.corr(_index(panel).score, method="spearman")


@answer(f"{LESSON}/slip-city", hint="look for the smallest value of hc, not of its ratio to the primate city.")
def slip_city(panel: pd.DataFrame) -> str:
    return panel["hc"].idxmin()[0]


def _mended(panel: pd.DataFrame) -> pd.DataFrame:
    hc = panel["hc"].copy()
    hc[hc.idxmin()] *= 10
    return panel.assign(hc=hc)


@answer(
    f"{LESSON}/slip-weight",
    decimals=3,
    unit="per cent",
    hint="multiply the one slipped value of hc by 10, compute all 25 indicators again, then the weights.",
    mistakes={
        "that is the weight before the mend.": lambda panel: float(100 * _index(panel).weights["hc_ratio"]),
        "that is the weight of green coverage; hc_ratio is asked for.": lambda panel: float(
            100 * _index(_mended(panel)).weights["green"]
        ),
    },
)
def slip_weight(panel: pd.DataFrame) -> float:
    return float(100 * _index(_mended(panel)).weights["hc_ratio"])


def _with_noise(panel: pd.DataFrame) -> pd.DataFrame:
    raw = indicators(panel)
    return raw.assign(noise=np.exp(2 * np.random.default_rng(NOISE_SEED).normal(size=len(raw))))


@answer(
    f"{LESSON}/noise-weight",
    decimals=2,
    unit="per cent",
    hint="26 columns: the 25 indicators and noise; keep the seed that the task gives.",
)
def noise_weight(panel: pd.DataFrame) -> float:
    return float(100 * entropy_index(_with_noise(panel)).weights["noise"])


@answer(
    f"{LESSON}/noise-place",
    hint="count the indicators that weigh more than noise, and add one: weights.rank(ascending=False).",
)
def noise_place(panel: pd.DataFrame) -> int:
    return int(entropy_index(_with_noise(panel)).weights.rank(ascending=False)["noise"])


@answer(f"{LESSON}/winner", hint="compare the two ranks of each city in 2021; the largest positive rank before minus rank after.")
def winner(panel: pd.DataFrame) -> str:
    before = _index(panel).score.xs(2021, level="year").rank(ascending=False)
    purged = entropy_index(indicators(panel).drop(columns=PATENTS)).score
    return str((before - purged.xs(2021, level="year").rank(ascending=False)).idxmax())
