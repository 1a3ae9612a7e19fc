"""Answers to ``exercises/01-city-innovation/1-index``."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.index import EntropyIndex, entropy_index, pca_index
from regionbook.papers.city_innovation import indicators

LESSON = "city-innovation/1-index"
PATENTS = ["pat_apply", "pat_grant"]
NOISE_SEED = 7


def _index(panel: pd.DataFrame, *, normalise: str = "pooled", weights: str = "pooled") -> EntropyIndex:
    return entropy_index(indicators(panel), normalise=normalise, weights=weights)


def _percent(raw: pd.DataFrame) -> pd.Series:
    return 100 * entropy_index(raw).row_weights.iloc[0]


def _at(values: pd.Series, key: Hashable) -> float:
    return float(values.to_dict()[key])


def _dimension_sums(weights: pd.Series) -> pd.Series:
    dimension = published("city-innovation").indicators["dimension"].str.split(" / ").str[1]
    return weights.groupby(dimension.set_axis(weights.index), sort=False).sum()


def _redundancy_sums(panel: pd.DataFrame) -> pd.Series:
    return _dimension_sums(_percent(indicators(panel)) * _index(panel).redundancy.to_numpy().sum())


@answer(
    f"{LESSON}/dimensions",
    decimals=2,
    unit="per cent",
    hint="min-max over all city-years, 0 ln 0 = 0, then the sum of 100 w over the five indicators of each dimension.",
    mistakes={"these are sums of d = 1 - e; divide by the sum of all 25 first.": _redundancy_sums},
)
def dimensions(panel: pd.DataFrame) -> pd.Series:
    return _dimension_sums(_percent(indicators(panel)))


def _hefei_by_year(panel: pd.DataFrame) -> float:
    return _at(_index(panel, normalise="year").score, ("Hefei", 2021))


def _hefei_own_weights(panel: pd.DataFrame) -> float:
    return _at(entropy_index(indicators(panel).loc[(slice(None), 2021), :]).score, ("Hefei", 2021))


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
    return _at(_index(panel).score, ("Hefei", 2021))


def _places(index: EntropyIndex) -> pd.Series:
    return index.score.unstack("year")[2021].rank(ascending=False)


@answer(f"{LESSON}/rank", hint="rank among the 196 cities of 2021, the best is 1: rank(ascending=False).")
def rank(panel: pd.DataFrame) -> int:
    return int(_at(_places(_index(panel)), "Hefei"))


def _growth(index: EntropyIndex) -> float:
    mean = index.score.groupby("year").mean()
    return _at(mean, 2021) / _at(mean, 2008)


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


def _logged(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(fdi_firms=np.log1p(raw["fdi_firms"]))


def _weight_of_fdi(raw: pd.DataFrame) -> float:
    return _at(_percent(raw), "fdi_firms")


@answer(
    f"{LESSON}/log-fdi",
    decimals=2,
    unit="per cent",
    hint="replace the column fdi_firms by np.log1p of itself and leave the other 24 as they are.",
    mistakes={
        "that is the weight without the logarithm.": lambda panel: _weight_of_fdi(indicators(panel)),
        "you took the logarithm after min-max scaling; take it of the raw count.": lambda panel: (
            _weight_of_fdi(_logged(_index(panel).normalised))
        ),
        "you logged all 25 columns; only fdi_firms is meant.": lambda panel: _weight_of_fdi(
            indicators(panel).apply(np.log1p)
        ),
    },
)
def log_fdi(panel: pd.DataFrame) -> float:
    return _weight_of_fdi(_logged(indicators(panel)))


@answer(
    f"{LESSON}/spearman",
    decimals=3,
    hint="pca_index(X) with its default number of components, all 2,744 city-years, method='spearman'.",
    mistakes={
        "that is Pearson's correlation; ranks are asked for: method='spearman'.": lambda panel: pca_index(
            indicators(panel)
        ).score.corr(_index(panel).score),
        "that is the first component only; take the score, which adds up the components kept.": lambda panel: (
            pca_index(indicators(panel), components=1).score.corr(_index(panel).score, method="spearman")
        ),
    },
)
def spearman(panel: pd.DataFrame) -> float:
    return pca_index(indicators(panel)).score.corr(_index(panel).score, method="spearman")


@answer(
    f"{LESSON}/slip-city", hint="look for the smallest value of hc, not of its ratio to the primate city."
)
def slip_city(panel: pd.DataFrame) -> str:
    return str(panel["hc"].unstack("year").min(axis=1).idxmin())


def _mended(panel: pd.DataFrame) -> pd.DataFrame:
    slipped = panel["hc"] == panel["hc"].min()
    return panel.assign(hc=panel["hc"].mask(slipped, 10 * panel["hc"]))


@answer(
    f"{LESSON}/slip-weight",
    decimals=3,
    unit="per cent",
    hint="multiply the one slipped value of hc by 10, compute all 25 indicators again, then the weights.",
    mistakes={
        "that is the weight before the mend.": lambda panel: _at(_percent(indicators(panel)), "hc_ratio"),
        "that is the weight of green coverage; hc_ratio is asked for.": lambda panel: _at(
            _percent(indicators(_mended(panel))), "green"
        ),
    },
)
def slip_weight(panel: pd.DataFrame) -> float:
    return _at(_percent(indicators(_mended(panel))), "hc_ratio")


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
    return _at(_percent(_with_noise(panel)), "noise")


@answer(
    f"{LESSON}/noise-place",
    hint="count the indicators that weigh more than noise, and add one: weights.rank(ascending=False).",
)
def noise_place(panel: pd.DataFrame) -> int:
    return int(_at(_percent(_with_noise(panel)).rank(ascending=False), "noise"))


def _gains(panel: pd.DataFrame) -> pd.Series:
    purged = entropy_index(indicators(panel).drop(columns=PATENTS))
    return _places(_index(panel)) - _places(purged)


@answer(f"{LESSON}/most-gained", hint="rank with patents minus rank without, in 2021; a gain is positive.")
def most_gained(panel: pd.DataFrame) -> int:
    return int(_gains(panel).max())


@answer(f"{LESSON}/most-lost", hint="rank without patents minus rank with them, in 2021.")
def most_lost(panel: pd.DataFrame) -> int:
    return int(-_gains(panel).min())
