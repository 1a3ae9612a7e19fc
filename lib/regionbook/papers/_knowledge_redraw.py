"""A student's tables of `knowledge-flows`: light drawn anew, citations thinned, registers sampled; see `redraw`."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from . import _knowledge_pairs as pairs
from . import redraw

Array = npt.NDArray[np.float64]
Tables = Mapping[str, pd.DataFrame]
Truth = Mapping[str, Any]
LAST = 20
"""Number of years whose light the pairs use, 2000 to 2019."""
CALLED = ("whole", "named", "misfiled", "in passing", "homonym")
"""Kinds of firms that the keyword rule finds."""
KEPT = {"patents": 0.8, "firms": 0.85, "links": 0.9, "citations": 0.92}
"""Share of a register that a student gets."""


def redrawn(tables: Tables, shipped: Truth, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """A student's tables and their truth, from the shipped ones; tables that stay as they are are left out."""
    rng = np.random.default_rng([seed, 4])
    factor = redraw.factor(rng)
    firms, links = _some(tables["firms"], ["city", "year", "case"], "firm", rng), _links(tables["links"], rng)
    citations = _citations(tables["citations"], links, rng)
    years = _with_counts(tables["years"], firms)
    y = _light(dict(tables) | {"years": years, "citations": citations}, shipped, factor, rng)
    people = years["population"].to_numpy()
    rival = pairs.wide(years, "light_rival") / pairs.wide(years, "population")
    years["light"] = np.round(np.exp(y).ravel() * people, 2)
    years["light_rival"] = np.round(np.exp(_shaken(np.log(rival), rng)).ravel() * people, 2)
    patents = _some(tables["patents"], ["ipc_listed", "flag", "digital"], "patent", rng)
    made = {"years": years, "citations": citations, "extreme": _extreme(years, tables)}
    made |= {"patents": patents, "firms": firms, "links": links}
    theta = round(factor * shipped["theta"], 4)
    keys = ("theta_means", "pair_effect_means", "process")
    new = {"factor": factor, "theta": theta, "pair_effect": round(2 * theta / 295, 6)}
    truth = redraw.truth_of(shipped, seed, *keys, **new)
    truth["process"]["theta"] = theta
    return made, truth


# ------------------------------------------------------------------------------------------------------- registers
def _some(frame: pd.DataFrame, by: list[str], number: str, rng: np.random.Generator) -> pd.DataFrame:
    """A share of the rows of every group, in their order, with new numbers."""
    groups = frame.groupby(by, sort=False, observed=True).ngroup().to_numpy()
    order = np.lexsort((rng.random(len(frame)), groups))
    size = np.bincount(groups)
    place = np.arange(len(frame)) - np.repeat(np.cumsum(size) - size, size)
    keep = np.zeros(len(frame), bool)
    keep[order] = place < np.round(KEPT[f"{number}s"] * size)[groups[order]]
    return frame[keep].assign(**{number: np.arange(1, keep.sum() + 1)}).reset_index(drop=True)


def _with_counts(years: pd.DataFrame, firms: pd.DataFrame) -> pd.DataFrame:
    """City-years in which the register has the number of new firms and the capital that the rule finds in it."""
    found = firms[firms["case"].isin(CALLED)].groupby(["city", "year"])["capital"].agg(["size", "sum"])
    years = years.copy()
    columns = ["digital_firms", "firm_capital"]
    years.loc[found.index, columns] = found.to_numpy(float)
    return years.astype({c: years[c].dtype for c in columns})


def _links(links: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Some of the single citations; both lines of one go or stay together."""
    number = pd.factorize(links["citing"].to_numpy(np.int64) * 10**9 + links["cited"].to_numpy())[0]
    return links[(rng.random(number.max() + 1) < KEPT["links"])[number]].reset_index(drop=True)


def _citations(citations: pd.DataFrame, links: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Counts of which each citation stays with the same probability; where there are links, the counts of these."""
    count = rng.binomial(citations["citations"].to_numpy(), KEPT["citations"])
    d = links[(links["publication"] == "first") & (links["digital"] == 1)]
    d = d[(d["citing_kind"] != "design") & (d["cited_kind"] != "design")]
    names = citations["citing"].cat.categories

    def place(citing: pd.Series, cited: pd.Series, year: pd.Series) -> npt.NDArray[np.integer]:
        one, two = (pairs.place_of(k, names) for k in (citing, cited))
        return (one * len(names) + two) * 10_000 + year.to_numpy(np.int64)

    listed = links["citing_city"].cat.categories
    here = citations["citing"].isin(listed) & citations["cited"].isin(listed)
    here &= citations["year"].isin(links["year"].unique())
    found = pd.Series(place(d["citing_city"], d["cited_city"], d["year"])).value_counts()
    part = citations[here]
    count[here] = found.reindex(place(part["citing"], part["cited"], part["year"]), fill_value=0)
    citations = citations.assign(citations=count.astype(citations["citations"].dtype))
    return citations[count > 0].reset_index(drop=True)


# ----------------------------------------------------------------------------------------------------------- light
def _shaken(y: Array, rng: np.random.Generator, turn: float = 0.45) -> Array:
    """Log light per head (city x year) whose departures from city trends and year means are turned towards new ones."""
    t = np.arange(y.shape[1]) - (y.shape[1] - 1) / 2
    e = y - y.mean(0) - (y.mean(1) - y.mean())[:, None]
    e = e - np.outer(e @ t / (t @ t), t)
    return y + (np.cos(turn) - 1) * e + np.sin(turn) * redraw.fresh(e, rng)


def _light(tables: Tables, shipped: Mapping[str, Any], factor: float, rng: np.random.Generator) -> Array:
    """Log light per head in all years: the changed effect, fresh noise, and coefficients that move with the effect.

    Those of both flows in Table 1 (2) are brought to ``factor`` times the shipped ones by two steps of Newton's method
    in light alone; the steps are smooth over the years of a city.
    """
    reached = {(t["table"], t["column"], t["term"]): t["reached"] for t in shipped["targets"]}
    goal = factor * np.array([reached["1", "2", k] for k in ("lnDKF_HtoL", "lnDKF_LtoH")])
    counts = pairs.counts(tables["citations"], tables["cities"].index, np.arange(2000, 2000 + LAST))
    ab, ba = (np.log1p(k) for k in counts)
    y = _shaken(np.log(pairs.wide(tables["years"], "light") / pairs.wide(tables["years"], "population")), rng)
    net = _net_inflow(ab, ba, len(y))
    model = _model(ab[:, :-1], ba[:, :-1], len(y))
    y[:, 1 : 1 + net.shape[1]] += (factor - 1) * shipped["theta"] * net
    smooth = 0.8 ** np.abs(np.subtract.outer(np.arange(LAST), np.arange(LAST)))
    for _ in range(2):
        b, rows = model(y[:, :LAST])
        moved = rows @ smooth  # coefficients x cities x years
        square = np.einsum("kct,lct->kl", moved, rows)
        y[:, :LAST] += np.tensordot(np.linalg.solve(square, goal - b), moved, 1)
    return y


def _net_inflow(ab: Array, ba: Array, n: int) -> Array:
    """Mean net inflow of each city in each year over its partners, without means of cities and years."""
    a, b = pairs.pairs(n)
    net = np.stack([np.bincount(a, d, n) - np.bincount(b, d, n) for d in (ab - ba).T], axis=1) / (n - 1)
    net = net - net.mean(1, keepdims=True)
    return net - net.mean(0)


def _model(ab: Array, ba: Array, n: int) -> Callable[[Array], tuple[Array, Array]]:
    """What gives, for log light per head, the coefficients of both flows and their derivatives (city x year)."""
    a, b = pairs.pairs(n)

    def evaluate(y: Array) -> tuple[Array, Array]:
        one, two = y[a], y[b]
        less = one[:, :-1] <= two[:, :-1]  # a is the less developed city
        apart = one[:, 1:] - two[:, 1:]
        balance = np.exp(np.where(less, apart, -apart))
        sweep = _within(~_jumps(y, a, b))
        X = [sweep(np.where(less, ab, ba)), sweep(np.where(less, ba, ab))]
        weights = np.linalg.inv(np.array([[np.vdot(u, v) for v in X] for u in X]))
        values, rows = np.zeros(2), np.zeros((2, n, LAST))
        for k, w in enumerate(weights):
            share = (w[0] * X[0] + w[1] * X[1]) * balance
            values[k] = share.sum()
            share = np.where(less, share, -share)
            for t, column in enumerate(share.T):
                rows[k, :, t + 1] = np.bincount(a, column, n) - np.bincount(b, column, n)
        return values, rows

    return evaluate


def _within(mask: npt.NDArray[np.bool_]) -> Callable[[Array], Array]:
    """Exact within transformation of an unbalanced panel for pairs and years; zero outside ``mask``."""
    d = mask.astype(float)
    inverse = 1 / np.maximum(d.sum(1), 1)
    square = (np.diag(d.sum(0)) - d.T @ (d * inverse[:, None]))[1:, 1:]

    def sweep(x: Array) -> Array:
        x = np.where(mask, x, 0.0)
        mean = x.sum(1) * inverse
        gamma = np.r_[0.0, np.linalg.solve(square, (x.sum(0) - d.T @ mean)[1:])]
        mean -= (d @ gamma) * inverse
        return (x - mean[:, None] - gamma) * d

    return sweep


def _jumps(y: Array, a: Any, b: Any) -> npt.NDArray[np.bool_]:
    """The pair-years with the largest sum of both cities' absolute changes, as many as the paper leaves out."""
    change = np.abs(np.diff(y, axis=1))
    jump = np.round(change[a] + change[b], 9)
    return jump >= np.partition(jump.ravel(), jump.size - EXTREME)[jump.size - EXTREME]


EXTREME = 43_660 * 19 - 789_394
"""Pair-years that the paper leaves out."""


def _extreme(years: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """The table of extreme pair-years."""
    names = tables["cities"].index
    a, b = pairs.pairs(len(names))
    y = np.log(pairs.wide(years, "light") / pairs.wide(years, "population"))[:, :LAST]
    at, when = np.nonzero(_jumps(y, a, b))
    columns = {"a": pd.Categorical.from_codes(a[at], names), "b": pd.Categorical.from_codes(b[at], names)}
    return pd.DataFrame(columns | {"year": when + 2001}).astype(tables["extreme"].dtypes.to_dict())
