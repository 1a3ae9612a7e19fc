"""Variables of Tang, Cai and Wang (2026): 25 indicators, two indices, controls, instruments, moderators."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import columns
from regionbook.index import coupling_coordination, entropy_index, pca_index

from . import redraw
from .declare import Column, regressions

CONTROLS = ["gov_k", "ln_density", "ln_hum", "ln_fin", "ln_trans", "ln_protect", "ln_unemploy"]
"""The seven controls as the regressions use them."""

TERMS = {"gov_k": "gov"} | {name: name.replace("_", " ") for name in CONTROLS[1:]}
"""Our column name -> the paper's symbol."""

PROXIES = ["edu_staff", "hightech_firms", "transport_staff", "it_staff", "loans"]
"""Five cluster-level proxies of innovation infrastructure (footnote to section 5.2.3 of the paper)."""


def _to_primate(values: pd.Series, panel: pd.DataFrame) -> pd.Series:
    """Per cent of the value that the primate city (首位城市) of the same cluster has in the same year."""
    keys = [panel["cluster"], panel.index.get_level_values("year")]
    primate = values.where(panel["primate"] == 1).groupby(keys).transform("max")
    return 100 * values / primate


def indicators(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the 25 indicators of Table 1, in its order, named as in the data dictionary, from the raw columns of `panel`.

    Monetary totals are in 10,000 yuan and population in 10,000 persons, so that their ratio is in yuan a head.
    The paper prints no formula for the coupling value (耦合值); ours is the coupling degree, in per cent, of
    patents granted and GDP growth, both min-max scaled over all city-years.

    Examples
    --------
    >>> from regionbook.data import load
    >>> indicators(load("city-innovation")).shape
    (2744, 25)
    """
    scaled = panel[["pat_grant", "gdp_growth"]].astype(float)
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min())
    coupling = 100 * coupling_coordination(scaled)["coupling"]
    return pd.DataFrame(
        {
            "edu_share": 100 * panel["edu_exp"] / panel["fiscal_exp"],
            "sci_share": 100 * panel["sci_exp"] / panel["fiscal_exp"],
            **panel[["sci_staff", "fdi_firms", "fdi_usd", "colleges", "teachers", "students", "papers"]],
            **panel[["pat_apply", "tech_market", "trademarks", "pat_grant"]],
            "st_trade_pc": panel["st_trade"] / panel["population"],
            "green": panel["green"],
            "gdp_pc": panel["gdp"] / panel["population"],
            "tertiary": panel["tertiary"],
            "library_pm": 100 * panel["library_books"] / panel["population"],
            "internet": panel["internet_users"] / panel["population"],
            "telecom": panel["telecom"],
            "urban": panel["urban"],
            "coupling": coupling,
            "gdp_pc_ratio": _to_primate(panel["gdp"] / panel["population"], panel),
            "edusci_ratio": _to_primate((panel["edu_exp"] + panel["sci_exp"]) / panel["population"], panel),
            "hc_ratio": _to_primate(panel["hc"], panel),
        }
    )


def _moderators(panel: pd.DataFrame) -> pd.DataFrame:
    """Size and innovation infrastructure of the 19 clusters.

    `size` is half the cluster's share in the sum of densities plus half its share in the sum of GDP (the paper
    prints the halves, not the scaling); `inn_infra` is the first principal component of five proxies, scaled to
    [0, 1].
    """
    one = panel.groupby("cluster")[["cluster_density", "cluster_gdp", *PROXIES]].first()
    density, gdp = (one[k] / one[k].sum() for k in ("cluster_density", "cluster_gdp"))
    size = (density + gdp) / 2
    score = pca_index(one[PROXIES], components=1).score
    return pd.DataFrame({"size": size, "inn_infra": (score - score.min()) / (score.max() - score.min())})


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with the outcome, controls, instruments and moderators.

    Logs are taken in raw yearbook units (deposits in 10,000 yuan, freight in 10,000 tonnes, unemployed in persons),
    ``ln(1 + hum)`` because `hum` is zero somewhere, and `gov` is divided by 1,000: with these the paper's pooled
    regression runs through the sample means (see the second lesson).
    """
    raw = indicators(panel)
    trend = panel.index.get_level_values("year") - 2007
    moderators = _moderators(panel)
    new = {
        "inn": entropy_index(raw).score,
        "gov_k": panel["gov"] / 1000,
        "ln_density": np.log(panel["density"]),
        "ln_hum": np.log1p(panel["hum"]),
        "ln_fin": np.log(1e7 * panel["fin"]),
        "ln_trans": np.log(1e3 * panel["trans"]),
        "ln_protect": np.log(panel["protect"]),
        "ln_unemploy": np.log(1e4 * panel["unemploy"]),
        "trend": trend,
        "IV_1": panel["port_distance"] * trend,
        "IV_2": panel["phones_1984"] * trend,
        "size": panel["cluster"].map(moderators["size"]),
        "inn_infra": panel["cluster"].map(moderators["inn_infra"]),
    }
    return panel.assign(**new)


def further(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the prepared `panel` with what Table 5 needs besides.

    Keywords in hundreds; the score of principal components with eigenvalues above 1, each at unit variance, weighted
    by their eigenvalues; the number of cities in the cluster; outcome, treatment and controls winsorised at 1 and 99
    per cent (``w_inn`` and so on).
    """
    pca = pca_index(indicators(panel))
    kept = pca.components.iloc[:, : pca.kept]
    eigenvalues = pca.eigenvalues.iloc[: pca.kept]
    tails = panel[["inn", "digit", *CONTROLS]]
    tails = tails.clip(tails.quantile(0.01), tails.quantile(0.99), axis=1)
    return panel.assign(
        keywords_100=panel["keywords"] / 100,
        inn_2=kept / kept.std() @ (eigenvalues / eigenvalues.sum()),
        cities_in_cluster=panel.groupby("cluster")["code"].transform("nunique"),
        **tails.add_prefix("w_"),
    )


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives: clusters, size of the index, classes of the clusters."""
    place, counted = "Sample (abstract, sections 1 and 3)", "Literature count behind Table 1 (section 3.3.1)"
    found = {(place, "value", "urban clusters (城市群)"): panel["cluster"].nunique()}
    found[counted, "value", "indicators of the final index"] = indicators(panel).shape[1]
    clusters = panel.groupby("cluster_zh")[["stage", "structure"]].first()
    for kind, place in (
        ("stage", "stage (footnote, section 5.2.1)"),
        ("structure", "spatial structure (footnote, section 5.2.4)"),
    ):
        found |= {(f"Cluster classification: {place}", kind, str(k)): v for k, v in clusters[kind].items()}
    return found


TABLES = regressions("city-innovation", CONTROLS, TERMS)
"""The printed regressions. Not declared: the Kleibergen-Paap statistics of Table 4 (tests, not coefficients)."""


# ------------------------------------------------------------------------------------------------ a student's panel
_TOTALS = columns("city-innovation").query("role == 'indicator' and column != 'green'")["column"].tolist()
"""Indicators that are raw columns and are redrawn."""
_RATIOS = {
    "edu_share": ("edu_exp", "fiscal_exp", 100),
    "sci_share": ("sci_exp", "fiscal_exp", 100),
    "st_trade_pc": ("st_trade", "population", 1),
    "library_pm": ("library_books", "population", 100),
    "internet": ("internet_users", "population", 1),
}
"""Indicator that is redrawn -> raw column, what it is divided by, times what."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`."""
    rng, data = np.random.default_rng([seed, 1]), prepare(panel)
    data = data.assign(keywords_100=data["keywords"] / 100)
    filed = Column("filed", "", f"digit ~ IV_1 + IV_2 + {' + '.join(CONTROLS)} | city + year")
    fits = redraw.fits([filed, *(c for c in TABLES if not c.sample and {*c.variables} <= {*data})], data)
    digit = fits["filed", ""].y
    tech = digit - shipped["process"]["filing_share"] * fits["filed", ""].residual(digit)
    channels, effects = {}, dict(shipped["process"]["channel_effects"])
    main = fits["3", "2"]
    y, mean = main.y, data["inn"].groupby("city").transform("mean").to_numpy()
    give, lower = np.where((y == y.max()) | (y == y.min()), 0.0, mean), np.maximum(y.min(), 0.7 * y)
    rows = redraw.binding({k: f for k, f in fits.items() if f.column.outcome == "inn"}, ("3", "2"), CONTROLS)

    def draw() -> tuple[np.ndarray, tuple[float, dict[str, float]]]:
        factor = redraw.factor(rng)
        effect = {k: round(b * factor, 4) for k, b in shipped["beta_by_cluster"].items()}
        added = pd.Series(effect) - pd.Series(shipped["beta_by_cluster"])
        part = data["cluster"].map(added).to_numpy(float) * tech
        path = 0.06 * y.mean() * main.walk(rng) * (mean / y.mean()) ** 0.3
        drawn = redraw.outcome(main, part, rng, rows, give=give, path=path, lower=lower, upper=y.max())
        return drawn, (factor, effect)

    wanted, (factor, by_cluster) = redraw.first_steady(draw, main)
    for key in (("5", "1"), ("6", "1"), ("6", "2"), ("6", "3")):
        fit, own = fits[key], redraw.factor(rng)
        name, v = fit.column.outcome, fit.y
        part = (own - 1) * effects[name] * tech
        effects[name] = round(own * effects[name], 4)
        path = 0.05 * v.std() * fit.walk(rng)
        channels[name] = redraw.outcome(fit, part, rng, path=path, lower=v.min(), upper=v.max())
    new = _with_index(panel, wanted) | _with_channels(panel, channels)
    truth = redraw.truth_of(
        shipped, seed, "process", "regressors", "coupling", "digit_share_by_cluster",
        factor=factor, beta=round(shipped["beta"] * factor, 4), beta_by_cluster=by_cluster,
    )  # fmt: skip
    truth["process"]["channel_effects"] = effects
    return panel.assign(**new), truth


def _with_index(panel: pd.DataFrame, wanted: np.ndarray) -> dict[str, Any]:
    """Raw columns whose entropy index is ``wanted``; coupling and spending per head follow from other columns."""
    raw = indicators(panel)
    at = {k: i for i, k in enumerate(raw)}
    low, span = raw.min().to_numpy(), (raw.max() - raw.min()).to_numpy()
    growth = panel["gdp_growth"].to_numpy()
    v = (growth - growth.min()) / (growth.max() - growth.min())
    head = (panel["fiscal_exp"] / panel["population"]).to_numpy()
    least = (1.05e4 * panel["digit"].to_numpy() - low[at["pat_apply"]]) / span[at["pat_apply"]]
    keys = pd.factorize(panel["cluster"].to_numpy() + panel.index.get_level_values("year").astype(str))[0]
    primate = panel["primate"].to_numpy() == 1
    first = np.empty(keys.max() + 1, int)
    first[keys[primate]] = np.flatnonzero(primate)

    def compute(x: np.ndarray, live: bool) -> None:
        apply = x[:, at["pat_apply"]]
        x[:, at["pat_apply"]] = np.clip(np.maximum(apply, least), 0, 1)
        u = x[:, at["pat_grant"]]
        x[:, at["coupling"]] = redraw.minmax(2 * np.sqrt(u * v) / (u + v))
        spent = sum(low[at[k]] + span[at[k]] * x[:, at[k]] for k in ("edu_share", "sci_share")) * head
        x[:, at["edusci_ratio"]] = redraw.minmax(spent / spent[first[keys]])

    give = np.array([k in _TOTALS or k in _RATIOS for k in raw], float)
    x = redraw.rake(redraw.minmax(raw.to_numpy(float)), wanted, give, compute)
    moved = {k: low[i] + span[i] * x[:, i] for k, i in at.items()}
    new = {k: redraw.unscaled(x[:, at[k]], panel[k]) for k in _TOTALS}
    return new | {c: np.round(moved[k] * panel[by] / times) for k, (c, by, times) in _RATIOS.items()}


def _with_channels(panel: pd.DataFrame, channels: dict[str, np.ndarray]) -> dict[str, Any]:
    """Raw columns that give the channels: spending on research, output of the sectors, new firms."""
    rest = panel["gdp"] - panel["output_1"]
    second = np.round(rest / (1 + channels["ris"]))
    return {
        "rd_exp": np.round(channels["cap"] * panel["fiscal_exp"]),
        "output_2": second,
        "output_3": rest - second,
        "new_firms": np.round(channels["ent"] * panel["population"] * 100),
        "inn_1": np.round(channels["inn_1"], 4),
    } | {k: np.round(channels[k], 6) for k in ("cap", "ris", "ent")}
