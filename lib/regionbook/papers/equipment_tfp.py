"""Variables of Ming (2025): output and two inputs at constant prices, Malmquist indices of provinces and of industries."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.models import malmquist

from . import redraw
from .declare import Column
from .redraw import Array

SLUG = "equipment-tfp"
TABLES: list[Column] = []
"""No regression is printed: every number stands in other.csv, see `printed_tables`."""
CONTROLS: list[str] = []

INPUTS, OUTPUT, BASE = ["K", "L"], "Y", 2002
SHARE = 0.5
"""Elasticity of value added to capital, and to labour, in every world: set by us."""
RISING = "general- and special-purpose"


def chained(changes: pd.Series, by: str) -> pd.Series:
    """Return price indices, first year = 1, from those with the year before = 100: one for each value of the level `by`."""
    table = changes.groupby([by, "year"]).first().unstack("year")
    index = (table / 100).cumprod(axis=1)
    index = index.div(index.iloc[:, 0], axis=0).stack()
    at = pd.MultiIndex.from_arrays([changes.index.get_level_values(k) for k in (by, "year")])
    return pd.Series(index.reindex(at).to_numpy(), changes.index)


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with output Y and capital K at prices of 2002 (100 million yuan), L in persons, and, if there is value
    added, V at prices of 2002."""
    d = panel.set_index(["province", "industry"], append=True)
    output = chained(d["producer_prices"], "industry").to_numpy()
    assets = chained(d["investment_prices"], "province").to_numpy()
    real = {"K": panel["net_fixed_assets"] / assets, "L": panel["employment"], "Y": panel["revenue"] / output}
    data = panel.assign(**real)
    return data.assign(V=panel["value_added"] / output) if "value_added" in panel else data


def totals(data: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return K, L, Y (and V) added up over the series of each `by` ("province" or "industry") and year.

    Examples
    --------
    >>> from regionbook.data import load
    >>> totals(prepare(load("equipment-tfp")), "industry").shape
    (147, 4)
    """
    names = [k for k in (*INPUTS, OUTPUT, "V") if k in data]
    return data.groupby([by, "year"], sort=False)[names].sum()


def printed_tables(data: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return Tables 2 to 6 as the prepared panel gives them, with rows and columns named as in print.

    Examples
    --------
    >>> from regionbook.data import load
    >>> printed_tables(prepare(load("equipment-tfp")))["3"].loc["Shanxi 山西", "TFPCH"].round(2)
    np.float64(1.12)
    """
    found = {}
    for by, (means, cells) in {"province": ("3", "4"), "industry": ("5", "6")}.items():
        m = malmquist(totals(data, by), INPUTS, [OUTPUT])
        names = labels(cells)
        found[means] = m.by_unit.rename(index=names)
        found[cells] = m.changes["TFPCH"].unstack(0)[list(names)].rename(columns=names)
        found[cells].index = [f"{y - 1}-{y}" for y in found[cells].index]
        if by == "province":
            years = m.by_year.set_axis(found[cells].index)
            mean = np.exp(np.log(m.changes).mean()).rename("mean / 均值")
            found["2"] = pd.concat([years, mean.to_frame().T])
    return dict(sorted(found.items()))


def labels(table: str) -> dict[str, str]:
    """Name or code of a unit -> what heads its column in Table 4 (provinces) or 6 (industries)."""
    other = published(SLUG).other
    return {c.split()[0]: c for c in other.loc[other["table"] == table, "column"].unique()}


def true_change(data: pd.DataFrame) -> dict[str, Any]:
    r"""What truly happened: each cell makes value added :math:`V = A_{it} E_{ijt} K^{.5} L^{.5}`, with E at most 1.

    A, the technology of an industry, is the least concave path in logarithms above the best province so far, so that it
    never moves back; E is what remains. Changes of totals are means of the cells' logarithmic ones, weighted by value added.

    Returns
    -------
    dict
        `mean`: yearly change of TFP, technology and efficiency over all cells and years; `years`: the same by year;
        `provinces`, `industries`: TFP by unit and year; `technology`: by industry, mean.
    """
    cells = data.groupby(["industry", "province", "year"])[[*INPUTS, "V"]].sum()
    tfp = np.log(cells["V"]) - SHARE * np.log(cells["K"]) - (1 - SHARE) * np.log(cells["L"])
    wide, value = tfp.unstack("year"), cells["V"].unstack("year")
    best = wide.groupby("industry").max().cummax(axis=1)
    frontier = best.apply(lambda y: pd.Series(_majorant(y), y.index), axis=1)
    change = wide.diff(axis=1).iloc[:, 1:]
    moved = frontier.diff(axis=1).iloc[:, 1:].reindex(change.index, level="industry")
    weight = ((value + value.shift(axis=1)) / 2).iloc[:, 1:]

    def mean(x: pd.DataFrame, by: str | None = None) -> Any:
        if by is None:
            return np.exp((x * weight).sum() / weight.sum())
        return np.exp((x * weight).groupby(by).sum() / weight.groupby(by).sum())

    parts = {"TFP": mean(change), "technology": mean(moved), "efficiency": mean(change - moved)}
    return {
        "mean": {k: _geometric(x) for k, x in parts.items()},
        "years": {k: _rounded(x) for k, x in parts.items()},
        "provinces": {k: _rounded(x) for k, x in mean(change, "province").iterrows()},
        "industries": {k: _rounded(x) for k, x in mean(change, "industry").iterrows()},
        "technology": {k: _geometric(np.exp(x.diff().dropna())) for k, x in frontier.iterrows()},
    }


def _majorant(y: pd.Series) -> Array:
    """Least concave path above the values."""
    x, v = np.arange(len(y)), y.to_numpy(float)
    hull: list[int] = []
    for i in range(len(v)):
        while len(hull) > 1:
            a, b = hull[-2:]
            if (v[b] - v[a]) * (i - b) > (v[i] - v[b]) * (b - a):
                break
            hull.pop()
        hull.append(i)
    return np.interp(x, hull, v[hull])


def _geometric(x: pd.Series) -> float:
    return round(float(np.exp(np.log(x).mean())), 4)


def _rounded(x: pd.Series) -> dict[str, float]:
    return {str(k): round(float(v), 4) for k, v in x.items()}


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives."""
    years = panel.index.get_level_values("year")
    tables = printed_tables(panel)
    staff = panel[panel["industry"].isin(["C35", "C36"])].groupby("year")["L"].sum()
    split = panel.groupby("industry")["listed_as"].nunique().idxmax()
    by_name = panel[panel["industry"] == split].groupby("listed_as")
    first = by_name.apply(lambda d: d.index.unique("year").min())
    middle = tables["5"].rename(index=lambda k: k.split()[0]).loc[["C40", "C35"], "EFFCH"]
    two = tables["2"].loc[["2009-2010", "2010-2011"], "TFPCH"]
    found = {
        ("sample", "base year of deflators"): BASE,
        ("sample", "year of the split of transport equipment"): first.max(),
        ("sample", "years covered by the series, length"): years.max() - years.min(),
        ("section 2.5", f"employment in {RISING} equipment falls from"): staff.idxmax(),
        ("section 3.1: 2009-2011", "TFPCH, above"): _below(two.min()),
        ("section 3.2: mean", "TECHCH all provinces, above"): _below(tables["3"]["TECHCH"].min()),
        ("section 3.3: mean", "EFFCH communication and general-purpose, close to"): middle.mean(),
    }
    return {("prose", column, row): float(v) for (row, column), v in found.items()}


def _below(x: float) -> float:
    return float(np.floor(100 * x + 1e-6) / 100)


# ------------------------------------------------------------------------------------------------ a student's panel
NOISE = 0.02
"""Standard deviation of what a student's cells differ by beside the factor, in logarithms."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones.

    The true growth of TFP that all cells share is multiplied by the student's factor, so that the frontier of every year
    moves and no distance to it; then each cell gets noise of its own in output, and each province another size.
    """
    rng = np.random.default_rng([seed, 10])
    factor = redraw.factor(rng)
    years = pd.Series(shipped["true_change"]["years"]["TFP"])
    path = np.log(years).cumsum().rename(int).reindex(panel.index.unique("year"), fill_value=0.0)
    cell = pd.MultiIndex.from_frame(panel[["province", "industry"]])
    cells, provinces = cell.unique(), panel["province"].unique()
    noise = NOISE * redraw.ar1(rng, (len(cells), len(path)), 0.6)
    size = pd.Series(np.exp(rng.uniform(-0.05, 0.05, len(provinces))), provinces)
    at = cells.get_indexer(cell), path.index.get_indexer(panel.index.get_level_values("year"))
    grown = np.exp((factor - 1) * path.to_numpy()[at[1]] + noise[at])
    scale, new = panel["province"].map(size).to_numpy(), panel.copy()
    for name in ("revenue", "value_added", "intermediate_inputs"):
        new[name] = np.round(panel[name] * grown * scale, 4)
    for name in ("net_fixed_assets", "investment"):
        new[name] = np.round(panel[name] * scale, 4)
    new["employment"] = np.round(panel["employment"] * scale).astype(int)
    said = "The shipped panel with true growth times the student's factor, other sizes of provinces, and noise in each cell."
    more = {"factor": factor, "true_change": true_change(prepare(new)), "redrawn": said}
    return new, redraw.truth_of(shipped, seed, "process", "elasticity", **more)
