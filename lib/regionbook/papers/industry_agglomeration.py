"""Variables of Zhao, Jiang and Xu (2026): location quotient, 16 indicators and their index, controls, channels."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import columns
from regionbook.index import entropy_index, location_quotient
from regionbook.paths import data_file

from . import redraw
from .declare import Column, regressions

CONTROLS = ["develop", "unemployed", "finance", "human", "traffic", "support"]
"""The six controls as the regressions use them."""

CHANNELS = ["rd_personnel", "patents_pc", "exchanges", "pilots", "tertiary_ratio", "labour_productivity"]
"""The six outcomes of Table 4, column by column."""

SPLITS = ["digital_words", "nqpf_words", "market", "integration", "fiscal_share", "staff_share"]
"""Grouping variables of the six median splits (section 5.1); high means government-led in the last two."""

TERMS = {"new_productivity": "New-productivity"}
"""Our column name -> the paper's symbol, where they differ."""

INDICATORS = columns("industry-agglomeration").query("role == 'indicator'")["column"].tolist()
"""The 16 indicators of Table 1, in its order."""


def indicators(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the 16 indicators of Table 1, in its order, as they stand in the panel.

    All count as positive (the marks of two are lost in our copy of the paper).

    Examples
    --------
    >>> from regionbook.data import load
    >>> indicators(load("industry-agglomeration")).shape
    (2800, 16)
    """
    return panel[INDICATORS].copy()


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with outcome, treatment, controls, channels, instrument and grouping variables.

    Units are those that fit Table 2: GDP per head in 10,000 yuan, students in 10,000, motorways in 10,000 km. Labour
    productivity (10,000 yuan a worker) is the sum over sectors of productivity times share in GDP, patents are per
    100,000 residents. The instrument is the distance to Hangzhou in 1,000 km times (year - 2012).
    """
    year = panel.index.get_level_values("year")
    gdp = panel["gdp"]
    parts = ((panel[f"output_{k}"], panel[f"workers_{k}"]) for k in ("1", "2", "3"))
    productivity = sum(output / workers / 1e4 * output / gdp for output, workers in parts)
    new = {
        "new_productivity": entropy_index(indicators(panel)).score,
        "agglomeration": location_quotient(panel["digital_staff"], panel["employment"], by="year"),
        "develop": gdp / panel["population"] / 1e4,
        "unemployed": panel["jobless"] / panel["population"] / 1e4,
        "finance": panel["loans"] / gdp,
        "human": panel["students"] / 1e4,
        "traffic": panel["motorway"] / 1e4,
        "support": (panel["sci_exp"] + panel["edu_exp"]) / panel["fiscal_exp"],
        "rd_personnel": panel["rd_staff"] / 1e4,
        "patents_pc": 10 * panel["pat_apply"] / panel["population"],
        "tertiary_ratio": panel["output_3"] / (panel["output_1"] + panel["output_2"]),
        "labour_productivity": productivity,
        "fiscal_share": panel["fiscal_exp"] / gdp,
        "staff_share": panel["gov_staff"] / panel["private_staff"],
        "trend": year - 2012,
        "distance_trend": panel["hangzhou_km"] / 1000 * (year - 2012),
    }
    return panel.assign(**new)


def weights(panel: pd.DataFrame) -> pd.DataFrame:
    """Contiguity weights of the panel's cities whose rows add to a tenth: a scale that can print Table 5's rho."""
    from regionbook import geo

    cities = panel.index.unique("city")
    return pd.DataFrame(geo.contiguity(cities).transform("r").sparse.toarray() / 10, cities, cities)


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives: Frank's thresholds for Table 3 (4)."""
    from regionbook.models import confounding_threshold
    from regionbook.papers.estimation import estimate

    column = next(c for c in TABLES if c.key == ("3", "4"))
    of = estimate(column, panel).set_index("term").loc["agglomeration"]
    others = len(CONTROLS) + sum(panel.index.unique(k).size - 1 for k in (0, 1))
    frank = confounding_threshold(of["estimate"], of["std_error"], n=len(panel), covariates=others)
    share = "share of observations to be replaced by zero-effect cases to invalidate the inference"
    thresholds = {
        share: 100 * frank.bias,
        "correlation of the omitted variable with the treatment": frank.correlation,
        "correlation of the omitted variable with the outcome": frank.correlation,
        "impact (product of the two correlations), ITCV": frank.itcv,
    }
    place = "Omitted-variable sensitivity, Frank (section 4.2)"
    return {(place, "value", k): v for k, v in thresholds.items()}


TABLES = regressions("industry-agglomeration", CONTROLS, TERMS)
"""The printed regressions. Columns 1 and 2 of Table 3 are random effects, as their five numbers show."""


# ------------------------------------------------------------------------------------------------ a student's panel
_FIXED = ("waste_rate", "sci_exp", "edu_exp")
"""Indicators that are not redrawn: two of them are part of the control `support`."""
_REDRAWN = ("rd_personnel", "patents_pc", "pilots", "tertiary_ratio", "labour_productivity")
"""Channels that are redrawn; exchanges are a stock of whole numbers that never falls."""


def _neighbours(panel: pd.DataFrame) -> np.ndarray:
    """Row-standardised contiguity of the panel's cities, from the shipped list of borders."""
    codes = panel["code"].groupby("city", sort=False).first()
    pairs = pd.read_csv(data_file("teaching", "industry-agglomeration.neighbours.csv"))
    at = pd.Series(range(len(codes)), codes.to_numpy())
    W = np.zeros((len(codes), len(codes)))
    W[at[pairs["code"]], at[pairs["neighbour"]]] = 1
    W += W.T
    return W / np.maximum(W.sum(1), 1)[:, None]


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`."""
    rng, data, W = np.random.default_rng([seed, 2]), prepare(panel), _neighbours(panel)
    lag, spread = redraw.spilling(W, shipped["rho"])
    moved = Column("moved", "", f"agglomeration ~ distance_trend + {' + '.join(CONTROLS)} | city + year")
    fits = redraw.fits([moved, *(c for c in TABLES if c.estimator != "durbin")], data)
    main, quotient = fits["3", "4"], fits["moved", ""].y
    signal = quotient - shipped["process"]["noise_share"] * fits["moved", ""].residual(quotient)
    score, weight = _score(data), fits["moved", ""].rows[0] * (signal - signal.mean())
    more = shipped["effect_by_score"]["heterogeneity"] * (score - weight @ score / weight.sum())
    whole_part = spread(shipped["beta"] * (1 + more) * signal + shipped["theta"] * lag(signal), False)

    y = main.y
    mine = {k: f for k, f in fits.items() if f.column.outcome == "new_productivity"}
    X = data[["agglomeration", *CONTROLS]].to_numpy(float)
    durbin, score_of_rho, _ = redraw.durbin(data["new_productivity"].to_numpy(), X, W)
    durbin = durbin[[0, X.shape[1]]]
    mean = data["new_productivity"].groupby("city").transform("mean").to_numpy()
    x = redraw.minmax(panel[INDICATORS].to_numpy(float))
    d = redraw.redundancy(x)
    fixed = np.isin(INDICATORS, _FIXED)
    alone = x[:, fixed] @ (d / d.sum())[fixed]
    rows = np.vstack([redraw.binding(mine, ("3", "4"), CONTROLS), durbin])

    def draw() -> tuple[np.ndarray, float]:
        factor = redraw.factor(rng)
        drawn = redraw.outcome(
            main, (factor - 1) * whole_part, rng, rows,
            give=np.where((y == y.max()) | (y == y.min()), 0.0, mean), path=0.0008 * main.walk(rng),
            lower=np.maximum(y.min(), np.maximum(1.2 * alone, 0.7 * y)), upper=y.max(), spread=spread, curved=score_of_rho,
        )  # fmt: skip
        return drawn, factor

    wanted, factor = redraw.first_steady(draw, main)
    x = redraw.rake(x, wanted, (~fixed).astype(float))
    new = {k: redraw.unscaled(v, panel[k]) for k, v in zip(INDICATORS, x.T, strict=True) if k not in _FIXED}
    channels = {}
    for fit in (f for f in fits.values() if f.column.outcome in _REDRAWN):
        v, whole = fit.y, fit.column.outcome == "pilots"
        own = (redraw.factor(rng) - 1) * (fit.rows[0] @ v) / (1 - shipped["process"]["noise_share"])
        channels[fit.column.outcome] = redraw.outcome(
            fit, own * signal, rng, lower=-0.45 if whole else 0.5 * v, upper=v.max(),
            path=0.0 if whole else 0.02 * v.std() * fit.walk(rng), turn=0.5 if whole else 0.9,
        )  # fmt: skip
    truth = redraw.truth_of(
        shipped, seed, "rho", "effect_by_score", "process", "weights_matrix", "cities", factor=factor,
        **{k: round(factor * shipped[k], 6) for k in ("beta", "attenuated_beta", "theta")},
        impacts={k: round(factor * v, 6) for k, v in shipped["impacts"].items()},
    )  # fmt: skip
    return panel.assign(**new, **_with_channels(panel, channels)), truth


def _score(data: pd.DataFrame) -> np.ndarray:
    """What makes the effect of a city-year larger: standardised logs of the grouping variables, government-led is less."""
    logs = np.log1p(data[SPLITS])
    signs = pd.Series([1, 1, 1, 1, -1, -1], SPLITS)
    score = ((logs - logs.mean()) / logs.std(ddof=0) * signs).sum(axis=1).to_numpy()
    return (score - score.mean()) / score.std()


def _with_channels(panel: pd.DataFrame, v: dict[str, np.ndarray]) -> dict[str, Any]:
    """Raw columns that give the channels: sectors add up to GDP, workers to labour productivity."""
    gdp = panel["gdp"]
    third = np.round(gdp * v["tertiary_ratio"] / (1 + v["tertiary_ratio"]))
    first = np.round((gdp - third) * panel["output_1"] / (panel["output_1"] + panel["output_2"]))
    output = {"1": first, "2": gdp - third - first, "3": third}
    each = {k: panel[f"output_{k}"] / panel[f"workers_{k}"] / 1e4 for k in output}
    more = v["labour_productivity"] / sum(each[k] * output[k] / gdp for k in output)
    return {
        "rd_staff": np.round(1e4 * v["rd_personnel"]),
        "pat_apply": np.round(v["patents_pc"] * panel["population"] / 10),
        "pilots": np.round(np.maximum(v["pilots"], 0)),
        **{f"output_{k}": x for k, x in output.items()},
        **{f"workers_{k}": np.round(x / 1e4 / (each[k] * more), 4) for k, x in output.items()},
    }
