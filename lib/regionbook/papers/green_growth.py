"""Variables of Hu, Chen and Li (2025): TOPSIS of 11 indicators, a global index with bad outputs, spatial models, 2SLS."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import columns, published
from regionbook.index import TopsisIndex, topsis_index
from regionbook.models import sbm
from regionbook.paths import data_file

from . import redraw
from .ai_innovation import SHARE, winsorised
from .computed import LEVEL
from .declare import regressions
from .digital_real_integration import moran
from .redraw import Array

SLUG = "green-growth"

CONTROLS = ["finance", "gov", "shop", "struc", "pop"]
"""The five controls as the regressions use them."""
INDICATORS = columns(SLUG).query("role == 'indicator'")["column"].tolist()
"""Of NP, in the order of Table 2; all positive."""
INPUTS = ["investment", "tertiary_staff", "energy_intensity"]
OUTPUT = ["real_gdp"]
BAD = ["waste_water", "so2", "soot", "income_gap", "spending_gap", "unemployment"]
"""Measures of the frontier, in the order of Table 1."""
WINSORISED = ["IGG", "NP", *CONTROLS]
"""Cut at both ends by 1 % for Table 5 (1)."""


def index(panel: pd.DataFrame) -> TopsisIndex:
    """Return the TOPSIS index behind NP, with entropy weights over the whole panel.

    Examples
    --------
    >>> from regionbook.data import load
    >>> index(load("green-growth")).score.idxmax()[0]
    'Beijing'
    """
    return topsis_index(panel[INDICATORS].astype(float))


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with outcome, treatment, controls, instrument, groups, the measures of the frontier and green patents.

    IGG is the shipped index (`growth_index`): `regionbook.models.global_malmquist` gives it from `INPUTS`, `OUTPUT` and `BAD` in
    some seconds. Green patents are in logarithms to base 10 of one plus the count: the paper does not name the base, and
    the printed constants ask for it. `terrain` is relief times (year - 2010); which year counts as one changes nothing.
    """
    d, year = panel, panel.index.get_level_values("year").to_numpy()
    new: dict[str, Any] = {"IGG": d["growth_index"], "NP": 10 * index(d).score}
    new |= {
        "finance": (d["bank_deposits"] + d["bank_loans"]) / d["gdp"],
        "gov": d["fiscal_exp"] / d["gdp"],
        "shop": d["retail_sales"] / d["gdp"],
        "struc": d["tertiary"] / d["secondary"],
        "pop": 1e4 * d["population"] / d["land_area"],
        "terrain": d["relief"] * (year - 2010),
        "app": np.log10(1 + d["green_applied"]),
        "grant": np.log10(1 + d["green_granted"]),
        "energy_intensity": d["energy"] / d["real_gdp"],
        "income_gap": d["income_urban"] / d["income_rural"],
        "spending_gap": d["spending_urban"] / d["spending_rural"],
        "high_market": (d["market_index"] >= d["market_index"].median()) * 1,
        "member": (d["cluster"] != "none") * 1,
    }
    new |= {f"{k}_w": winsorised(new[k]) for k in WINSORISED}
    new["NP_lag"] = new["NP"].groupby(level=0, sort=False).shift()
    return panel.assign(**new)


def weights(panel: pd.DataFrame) -> pd.DataFrame:
    """Contiguity of the panel's cities, rows that add to one: what the effects of Table 10 imply. A city that has no neighbour
    among them is linked to the nearest. For the shipped cities the pairs are read from a file, which is faster."""
    first = panel.groupby(level="city", sort=False)["code"].first().astype(str)
    pairs = pd.read_csv(data_file("teaching", f"{SLUG}.neighbours.csv"), dtype=str)
    if set(first) == set(pairs["code"]):
        w = pd.crosstab(pairs["code"], pairs["neighbour"]).loc[first, first].to_numpy()
    else:
        from regionbook.geo import contiguity

        w = contiguity(first.tolist(), isolates="nearest").sparse.toarray()
    return pd.DataFrame(w / w.sum(axis=1, keepdims=True), first.index, first.index)


def printed_tables(data: pd.DataFrame, w: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """Return Table 9 as the prepared panel gives it, with rows and columns named as in print: Moran's I and its z by year.

    IGG is one everywhere in the first year, so that its first row is missing.
    """
    w = weights(data) if w is None else w
    parts: dict[str, pd.Series] = {}
    for name in ("NP", "IGG"):
        years = data.index.unique("year").sort_values()
        kept = data[name].groupby(level="year").std() > 0
        found = moran(data[data.index.get_level_values("year").isin(years[kept])], name, w).reindex(years)
        parts |= {f"{name} Moran's I": found["I"], f"{name} Z": found["z"]}
    return {"9": pd.DataFrame(parts).rename(index=str)}


TABLES = regressions(SLUG, CONTROLS)
"""The printed regressions. Conventional errors where F and R2 of Table 8 betray them, robust ones in Table 6 (2) and (3).
Table 4 (1) and (3) have effects of cities, whatever their last rows say. Which R2 Table 10 prints is not said."""


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives."""
    first = panel["IGG"].groupby(level="year").std().idxmin()
    cut = next(c for c in TABLES if c.key == ("5", "2"))
    left = panel.index.get_level_values("year").unique()
    kept = panel.reset_index().query(cut.sample)["year"].max()
    found = {
        ("rescaling of NP", "data"): round(float((panel["NP"] / index(panel).score).median()), 6),
        ("base year of the cumulated index", "index"): first,
        ("first excluded year", "robustness"): kept + 1,
        ("number of excluded years", "robustness"): left.max() - kept,
        ("winsorising at each tail", "robustness"): 100 * SHARE,
        ("constant added before the log of green patents", "mechanism"): round(
            float((10 ** panel["app"] - panel["green_applied"]).median()), 6
        ),
        ("excluded municipalities", "robustness"): panel["municipality"].groupby(level=0).first().sum(),
    }
    return {("prose", column, row): float(v) for (column, row), v in found.items()}


def from_print() -> dict[tuple[str, str, str], float]:
    """Numbers of the text that follow from other printed figures."""
    p = published(SLUG)
    morans = p.other[p.other["column"].str.endswith("Moran's I")]
    weakest = max(LEVEL[note.split("stars ")[1].split(";")[0].strip()] for note in morans["note"])
    dimensions = p.indicators.query("index.str.startswith('NP')")["dimension"].nunique()
    return {
        ("prose", "number of NP dimensions", "data"): dimensions,
        ("prose", "weakest significance of Moran's I over all years", "spatial"): weakest,
    }


# ------------------------------------------------------------------------------------------------ a student's panel
LEAST = 0.14
"""Score below which no city is drawn: with less, inputs and emissions would be those of no city."""


def frontier(panel: pd.DataFrame, knots: list[list[Any]]) -> pd.DataFrame:
    """Return the measures that the frontier of our panel needs for the output of each row of a prepared panel.

    `knots` (city and year, in the truth file) span it, from the smallest economies to the largest. Along them each measure is
    a convex function of output, so that the peers of any other unit are the two knots next to it in size.
    """
    at = panel.loc[[tuple(k) for k in knots], [*OUTPUT, *INPUTS, *BAD]]
    return pd.DataFrame(
        {k: np.interp(panel[OUTPUT[0]], at[OUTPUT[0]], at[k]) for k in (*INPUTS, *BAD)}, panel.index
    )


def closed_score(share: Array, lack: Array) -> Array:
    """Score of :func:`regionbook.models.sbm` below that frontier: from the shares of inputs and bad outputs (in this order) that
    it needs, and from what output lacks where an economy is smaller than the smallest knot, as a share."""
    m, q = len(INPUTS), len(BAD)
    return share[:, :m].mean(1) / (1 + (lack + (1 - share[:, m:]).sum(1)) / (1 + q))


def _shares(data: pd.DataFrame, knots: list[list[Any]]) -> tuple[Array, Array, Array]:
    """What the frontier needs at each row's output; its logarithmic share in what is used; what output lacks."""
    need = frontier(data, knots).to_numpy()
    lack = np.maximum(data.loc[tuple(knots[0]), OUTPUT[0]] / data[OUTPUT[0]].to_numpy(float) - 1, 0)
    return need, np.minimum(np.log(need / data[[*INPUTS, *BAD]].to_numpy(float)), 0.0), lack


def _moved(data: pd.DataFrame, knots: list[list[Any]], times: Array) -> dict[str, Array]:
    """Raw columns when the scores are multiplied by ``times``: each unit goes along its own ray to or from the frontier."""
    (need, logs, lack), y = _shares(data, knots), data[OUTPUT[0]].to_numpy(float)
    wanted = closed_score(np.exp(logs), lack) * times
    low, high = np.zeros(len(y)), np.full(len(y), 8.0)
    for _ in range(50):
        middle = (low + high) / 2
        above = closed_score(np.exp(logs * middle[:, None]), lack) > wanted
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    m = dict(zip([*INPUTS, *BAD], (need * np.exp(-logs * middle[:, None])).T, strict=True))
    fixed = times == 1
    new = {
        **{k: m[k] for k in ("investment", "tertiary_staff", "waste_water", "so2", "soot", "unemployment")},
        "energy": m["energy_intensity"] * y,
        **{f"{k}_urban": m[f"{k}_gap"] * data[f"{k}_rural"].to_numpy() for k in ("income", "spending")},
    }
    return {k: np.where(fixed, data[k], np.round(x, 5)) for k, x in new.items()}


def _smallest(new: pd.DataFrame, data: pd.DataFrame, knots: list[list[Any]]) -> float:
    """Index of the smallest knot, whose super-efficiency hangs on the redrawn cities below the second one."""
    at = pd.MultiIndex.from_tuples([tuple(k) for k in knots])
    near = data[(data[OUTPUT[0]] <= data.loc[at[1], OUTPUT[0]]) | data.index.isin(at)].index
    measures, first = [*INPUTS, *OUTPUT, *BAD], data.loc[[at[0]], "IGG"].iloc[0]
    before, after = (
        sbm(d.loc[near, measures], INPUTS, OUTPUT, BAD, returns="vrs", super_efficiency=True).score[at[0]]
        for d in (data, prepare(new))
    )
    return float(first * after / before)


def _held(data: pd.DataFrame, W: Array) -> tuple[redraw.Fit, Array, Array, Any, float]:
    """The main column; what a drawn outcome has to meet: rows, and how far each goes when the factor grows by one (slopes of NP
    by least squares, 2SLS and group, own and neighbours'; those of controls stay); score and value of rho."""
    kept = [*zip("45566", "42313", strict=True), *zip("7777", "1234", strict=True)]
    fits = {c.key: redraw.sampled(c, data) for c in TABLES if c.key in kept}
    main = fits["4", "4"]
    space, score, rho = redraw.durbin(main.y, data[["NP", *CONTROLS]].to_numpy(), W)
    rows, goal = list(space), list(space @ main.y * np.isin(np.arange(len(space)), [0, 1 + len(CONTROLS)]))
    for fit in fits.values():
        for k, row in zip(fit.column.regressors, fit.rows, strict=True):
            if k in ("NP", "NP_lag") or fit is main:
                rows.append(row)
                goal.append(float(row @ fit.y) if k in ("NP", "NP_lag") else 0.0)
    return main, np.array(rows), np.array(goal), score, rho


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`.

    IGG is drawn anew: the slopes of NP by least squares, 2SLS and group, own and neighbours', are the shipped ones times the
    student's factor. Inputs and bad outputs follow, so that the programmes give the new index. Cities on the frontier stay.
    """
    rng, data = np.random.default_rng([seed, 11]), prepare(panel)
    W = weights(panel).to_numpy()
    main, rows, goal, score, rho = _held(data, W)
    _, spread = redraw.spilling(W, rho)
    knots = shipped["knots"]
    city, year = (data.index.get_level_values(k) for k in (0, 1))
    held = city.isin([k[0] for k in knots]) | (year == year.min())
    y, low, high = main.y, main.y.min(), main.y.max()
    _, logs, lack = _shares(data, knots)
    worst = LEAST * y / closed_score(np.exp(logs), lack)
    best = data["IGG"].groupby(level=0).transform("max").to_numpy()
    give = np.where(held, 0.0, np.minimum(y - low, high - y).clip(0) ** 2 + 0.01)
    own = spread(
        float(main.rows[0] @ y) * (data["NP"] - data["NP"].groupby(level=0).transform("first")).to_numpy(),
        False,
    )

    def draw() -> tuple[Array, float]:
        factor = redraw.factor(rng)
        new = redraw.outcome(
            main, (factor - 1) * own, rng, rows, give=give, turn=0.4,
            lower=np.maximum(low, worst), upper=np.minimum(high, 1.08 * best), spread=spread, goal=(factor - 1) * goal, curved=score,
        )  # fmt: skip
        return new, factor

    y, factor = redraw.first_steady(draw, main)
    drawn = np.round(np.where(held, main.y, y), 6)
    new = panel.assign(growth_index=drawn, **_moved(data, knots, drawn / main.y))
    new.loc[tuple(knots[0]), "growth_index"] = np.round(_smallest(new, data, knots), 6)
    said = {
        k: round(float(shipped[k]) * factor, 6)
        for k in ("effect", "relief_direct", "attention", "neighbours")
    }
    said["direct"] = round(said["effect"] - (shipped["effect"] - shipped["direct"]), 6)
    truth = redraw.truth_of(
        shipped, seed, "process", "grants", "reliability", "rho", "knots", factor=factor, **said
    )
    return new, truth
