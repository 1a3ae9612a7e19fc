"""Variables of Yan, Ye and Wang (2025): pilot free trade zones, six indices of 13 cities from 61 indicators, linkage."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import columns, published
from regionbook.models import match_nearest
from regionbook.paths import data_file

from . import redraw
from .declare import regressions
from .redraw import Array

SLUG = "free-trade-zones"
BESIDE = {"nation": ["city", "year"]}
"""Tables beside the panel -> their keys: a second, larger panel with a known truth."""

CONTROLS = ["fe", "lnstru", "urba", "fdi", "pgdp"]
"""In the order in which Table 4 adds them."""
INDICES = ["vitality", "merchantable", "risk", "innovation", "elite", "synergism"]
"""The six first-level indices, in logarithms as the regressions use them."""
_NETWORK = columns(SLUG).query("role == 'network'")["column"].tolist()
PARTNERS = [name.removeprefix("from_").title() for name in _NETWORK]
"""Column ``from_<city>``: firms in science and technology services in which firms of that city hold stakes."""
NEIGHBOURS = 4
"""k is not printed; this is our choice."""
LATE = 2019
"""From here on a zone may be felt in cities without one."""


# ------------------------------------------------------------------------------------------------ the six indices
@cache
def recipe() -> pd.DataFrame:
    """How the 61 indicators become six indices; all of it ours, since the paper prints no recipe.

    One row an indicator, in the printed order: numerator, denominator and factor (columns of the panel; totals are taken
    relative to the size of the city, else the index would be one of size), whether the logarithm is taken, direction, the
    goalposts between which it is scaled, Chinese and English name, dimension, subdimension, and weight: equal within each
    subdimension, and these equal within each index. `digits` and `give` are for `steered`.
    """
    printed = published(SLUG).indicators.query("index == 'HDQ'").reset_index(drop=True)
    r = pd.read_csv(data_file("teaching", f"{SLUG}.recipe.csv"), keep_default_na=False)
    r = r.join(printed[["indicator_zh", "indicator_en", "unit", "subdimension"]])
    r["dimension"] = printed["dimension"].str.split().str[-1]
    inside = r.groupby(["dimension", "subdimension"])["indicator"].transform("size")
    parts = r.groupby("dimension")["subdimension"].transform("nunique")
    return r.assign(weight=1 / (inside * parts))


def scaled(d: pd.DataFrame) -> pd.DataFrame:
    """Return the 61 indicators of a panel, 0 at the worse goalpost and 1 at the better one."""
    r = recipe()
    x = d[r["numerator"]].to_numpy(float) * r["times"].to_numpy()
    divided = (r["denominator"] != "").to_numpy()
    x[:, divided] /= d[r.loc[divided, "denominator"]].to_numpy(float)
    low, high, log = (r[k].to_numpy(float) for k in ("low", "high", "log"))
    x, low, high = (np.where(log == 1, np.log(np.where(log == 1, v, 1.0)), v) for v in (x, low, high))
    share = (x - low) / (high - low)
    return pd.DataFrame(np.where(r["direction"] > 0, share, 1 - share), d.index, r["indicator"])


def indices(d: pd.DataFrame) -> pd.DataFrame:
    """Return the six indices of a panel on 0 to 100: weighted means of the scaled indicators."""
    r = recipe()
    weights = np.where(r["dimension"].to_numpy()[:, None] == INDICES, r[["weight"]], 0.0)
    return pd.DataFrame(100 * scaled(d).to_numpy() @ weights, d.index, INDICES)


def steered(d: pd.DataFrame, wanted: pd.DataFrame) -> pd.DataFrame:
    """Return raw columns that give the wanted indices: those of an index move together, each as far as the recipe gives.

    Ratios follow. The raw columns are rounded as the recipe says.
    """
    raw, d = recipe().query("indicator == numerator"), d.copy()
    for name in INDICES:
        moving = raw[raw["dimension"] == name]

        def shifted(u: Any, moving: pd.DataFrame = moving, d: pd.DataFrame = d) -> pd.DataFrame:
            new = {}
            for k in moving.itertuples():
                step = float(k.give) * k.direction * u
                x = d[k.indicator]
                new[k.indicator] = x * np.exp(step) if k.log else x + step * (k.high - k.low)
            return d.assign(**new)

        now = indices(d)[name]
        d = shifted((wanted[name] - now) / (indices(shifted(0.01))[name] - now) * 0.01)
    return d.assign(**{k.indicator: d[k.indicator].round(int(k.digits)) for k in raw.itertuples()})


# --------------------------------------------------------------------------------------- treatment, controls, match
def controls(d: Any) -> dict[str, Any]:
    """Return treatment and the five controls, from raw columns (a frame, or a dict of arrays)."""
    return {
        "zone": (d["zone_year"] > 0) * 1,
        "FTZ": ((d["zone_year"] > 0) & (d["year"] >= d["zone_year"])) * 1,
        "fe": d["loans"] / d["deposits"],
        "lnstru": np.log(d["tertiary"] / d["secondary"]),
        "urba": d["urban_population"] / d["population"],
        "fdi": np.log(d["fdi_used"] / 1e5),
        "pgdp": d["gdp"] / d["population"],
    }


def log_odds(d: pd.DataFrame) -> pd.Series:
    """Return the log-odds of being a city with a zone, by a logit on the five controls over all city-years."""
    from sklearn.linear_model import LogisticRegression

    X = (d[CONTROLS] - d[CONTROLS].mean()) / d[CONTROLS].std()
    fit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=200).fit(X, d["zone"])
    return pd.Series(fit.decision_function(X), index=d.index, name="log_odds")


def matching(d: pd.DataFrame) -> dict[str, pd.Series]:
    """Return log-odds, the weights of the three ways of Table 1, and the matched sample.

    Our reading of a paper that names neither covariates nor scale: cities with a zone (D_i = 1) against cities without,
    city-years pooled, calipers of a quarter of the standard deviation of the log-odds (Rosenbaum and Rubin 1985). The
    matched sample is what caliper matching uses: city-years that have somebody of the other kind within the caliper.
    """
    score = log_odds(d)
    caliper, every = 0.25 * score.std(), int((d["zone"] == 0).sum())
    weights = {
        "w_neighbours": match_nearest(score, d["zone"], neighbours=NEIGHBOURS),
        "w_caliper": match_nearest(score, d["zone"], neighbours=every, caliper=caliper),
        "w_both": match_nearest(score, d["zone"], neighbours=NEIGHBOURS, caliper=caliper),
    }
    return {"log_odds": score, **weights, "matched": (weights["w_caliper"] > 0) * 1}


def linkage(panel: pd.DataFrame) -> pd.Series:
    """Return IL: a city's weighted degree in the network of capital stakes, both directions, in hundreds of firms."""
    into = panel[_NETWORK].set_axis(PARTNERS, axis=1)
    out = into.groupby("year").sum().stack()
    return (into.sum(axis=1) + out.reorder_levels([1, 0]).loc[panel.index].to_numpy()) / 100


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with treatment, controls, six indices and lnHDQ (logs), linkage, log-odds and matched sample."""
    d = panel.assign(year=panel.index.get_level_values("year"))
    d = d.assign(**controls(d))
    six, link = indices(d), linkage(panel)
    new = {k: np.log(six[k]) for k in INDICES} | {"lnHDQ": np.log(six.mean(axis=1))}
    return d.drop(columns="year").assign(**new, IL=link, lnIL=np.log(link), **matching(d))


# --------------------------------------------------------------------------------------------------------- tables
_FURTHER = ("vitality", "merchantable", "innovation", "synergism")
TABLES = regressions(SLUG, CONTROLS)
"""The printed columns. Brackets hold z values of a kind that is not stated; ours are conventional errors."""


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel and the recipe give: codes, indicators, date, caliper."""
    tianjin = panel.loc["Tianjin"]
    found: dict[tuple[str, str, str], Any] = {
        ("text: 2.3", "first treated year", "time dummy: Tianjin"): tianjin.index[tianjin["FTZ"] == 1].min(),
        ("text: 2.2", "caliper", "matching"): 0.25 * panel["log_odds"].std(),
    }
    for table, row in (("text: 2.2", "D_i"), ("text: 2.3", "area dummy")):
        found[table, "value: zone set up", row] = panel["zone"].max()
        found[table, "value: no zone", row] = panel["zone"].min()
    for level, name in (("dimension", "first"), ("subdimension", "second"), ("indicator", "third")):
        found["text: 2.3", f"{name}-level indicators", "HDQ"] = recipe()[level].nunique()
    return {place: float(value) for place, value in found.items()}


def from_print() -> dict[tuple[str, str, str], float]:
    """How many ways of matching Table 1 prints."""
    ways = published(SLUG).estimates.query("table == '1'")["column"].nunique()
    return {("text: 2.2", "number of methods", "matching"): ways}


# ------------------------------------------------------------------------------------------------ a student's panel
def lift(d: Any, truth: dict[str, Any], name: str) -> Any:
    """Log points by which the zones move an index or lnIL in each city-year, as a truth file says."""
    since = d["year"] - np.where(d["zone_year"] > 0, d["zone_year"], LATE)
    ripe = np.where(since >= 0, 1 - np.exp(-(since + 1) / truth["ripening"]), 0.0)
    return truth["effect"][name] * ripe * d["city"].map(truth["exposure"]).to_numpy()


def relinked(panel: pd.DataFrame, wanted: Array) -> pd.DataFrame:
    """Return the panel with stakes that give Hebei's cities the wanted linkage: ties with Beijing and Tianjin give way."""
    years = panel.index.unique("year")
    into = panel[_NETWORK].to_numpy(float).reshape(13, len(years), 13)
    into = into.transpose(0, 2, 1).copy()  # host, holder, year
    gap = np.round(100 * np.asarray(wanted).reshape(13, -1)) - into.sum(1) - into.sum(0)
    for i in range(2, 13):
        ties = [(i, 0), (i, 1), (0, i), (1, i)]
        old = sum(into[k] for k in ties)
        for k in ties[1:]:
            into[k] = np.round(into[k] * np.maximum(old + gap[i], 0) / old)
        into[ties[0]] = old + gap[i] - sum(into[k] for k in ties[1:])
    if (into < 0).any():
        raise ValueError("a city's wanted linkage is below its ties within Hebei")
    stakes = into.transpose(0, 2, 1).reshape(-1, 13).astype(int).T
    return panel.assign(**dict(zip(_NETWORK, stakes, strict=True)))


HIGHEST = 4.6
"""Log of an index's end, nearly."""


def _turned(main: redraw.Fit, part: Array, rng: np.random.Generator, most: float) -> Array:
    """An outcome with the changed effect and fresh noise."""

    def draw() -> tuple[Array, None]:
        return redraw.outcome(main, part, rng, main.rows, turn=0.5, upper=most), None

    return redraw.first_steady(draw, main)[0]


def effect_on_index(d: Any, truth: dict[str, Any], times: float = 1.0) -> Array:
    """Log points by which the zones move the index: its level now against that without `times` their effects."""
    six = {k: np.asarray(d[k], float) for k in INDICES}
    less = [np.exp(x - times * lift(d, truth, k)) for k, x in six.items()]
    now = np.mean([np.exp(x) for x in six.values()], axis=0)
    return np.asarray(np.log(now / np.mean(less, axis=0)))


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`.

    Linkage, the four indices of Table 5 and lnHDQ get the zones' effects times a factor and fresh noise, and keep the
    coefficients that this implies; risk and elite take up what lnHDQ needs beside the four. Economy, zones and the
    matched sample stay.
    """
    rng, data = np.random.default_rng([seed, 6]), prepare(panel)
    grid = redraw.Grid(data[["FTZ", "matched", *CONTROLS, "lnIL", "lnHDQ", *INDICES]])
    factor, flat = redraw.factor(rng), data.reset_index()
    drawn: dict[str, Array] = {}
    for name in ("lnIL", *_FURTHER):
        main = grid.fit(next(c for c in TABLES if c.outcome == name))
        part = (factor - 1) * np.asarray(lift(flat, shipped, name))
        drawn[name] = _turned(main, part, rng, np.inf if name == "lnIL" else HIGHEST)
    now = data.assign(**drawn)
    fits = {c.key: grid.fit(c) for c in TABLES if c.table == "4"}
    rows = redraw.binding(fits, ("4", "5"), CONTROLS)
    start = np.log(np.exp(now[INDICES]).mean(axis=1)).to_numpy()
    goal = data["lnHDQ"].to_numpy() - effect_on_index(flat, shipped, 1 - factor)
    drawn["lnHDQ"] = start + redraw.project(0 * start, rows, rows @ (goal - start), np.ones(len(start)))
    six = np.exp(now[INDICES])
    rest = (6 * np.exp(drawn["lnHDQ"]) - six.sum(axis=1)) / 2
    six = six.assign(risk=six["risk"] + rest, elite=six["elite"] + rest)
    new = relinked(steered(panel, six), np.exp(drawn["lnIL"]))
    truth = redraw.truth_of(
        shipped, seed, "process", "response_to_linkage", "exposure", "ripening", "slopes", "relocation", "trend_gap",
        "leads_flat", factor=factor, effect={k: round(b * factor, 4) for k, b in shipped["effect"].items()},
    )  # fmt: skip
    return new[list(panel)], truth | {"effect_on_the_treated": effects(prepare(new), truth)}


def effects(data: pd.DataFrame, truth: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Mean effects in log points on the treated: the matched ones, those of Hebei, all 27."""
    flat = data.reset_index()
    moved = {"lnHDQ": effect_on_index(flat, truth)}
    moved |= {k: np.asarray(lift(flat, truth, k)) for k in truth["effect"]}
    zone, hebei = flat["FTZ"] == 1, flat["province"] == "Hebei"
    cells = {"matched": zone & (flat["matched"] == 1), "Hebei": zone & hebei, "all": zone}
    return {name: {k: float(v[at].mean()) for k, v in moved.items()} for name, at in cells.items()}
