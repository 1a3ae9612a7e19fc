"""Estimate declared columns with the field's libraries: pyfixest, linearmodels, and the library's own for space and pairs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import _module, prepare
from .declare import SPATIAL, Column

FRAME = ["table", "column", "term", "estimate", "std_error", "t", "p", "N", "R2", "adj_R2"]


def variables(slug: str, panel: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the panel with every column that the paper's declared tables name: `prepare`, then the module's `further`.

    ``panel`` is as `regionbook.load` or `regionbook.personal` returns it; left out, the shipped teaching panel.
    """
    return with_further(slug, prepare(slug, panel))


def with_further(slug: str, prepared: pd.DataFrame) -> pd.DataFrame:
    """Return a prepared panel with the columns that the module's `further` adds."""
    return getattr(_module(slug), "further", lambda panel: panel)(prepared)


def _complete(column: Column, panel: pd.DataFrame) -> None:
    if lacking := [k for k in column.variables if k not in panel and k not in panel.index.names]:
        said = f"Table {column.table} ({column.column}): the panel lacks {', '.join(lacking)};"
        raise ValueError(f"{said} give one from regionbook.papers.estimation.variables")


def rows(column: Column, panel: pd.DataFrame) -> pd.DataFrame:
    """Rows of a column's sample on which none of its variables is missing, index levels as columns.

    A ValueError if the panel lacks a variable.
    """
    _complete(column, panel)
    flat = panel.reset_index() if any(panel.index.names) else panel
    return (flat.query(column.sample) if column.sample else flat).dropna(subset=list(column.variables))


def _swept(design: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Columns less their effects, plus their means."""
    if len(effects.columns) == 1:
        return design - design.groupby(effects.iloc[:, 0].to_numpy()).transform("mean") + design.mean()
    import pyfixest as pf

    short = design.set_axis([f"v{i}" for i in range(design.shape[1])], axis=1)
    codes = effects.set_axis([f"e{i}" for i in range(effects.shape[1])], axis=1)
    formula = f"{' + '.join(short)} ~ 1 | {' + '.join(codes)}"
    fits = pf.feols(formula, short.join(codes), vcov="iid", fixef_rm="none").to_list()
    return pd.DataFrame(dict(zip(design, (m.resid() for m in fits), strict=True))) + design.mean()


def _constant(column: Column, fit: Any, data: pd.DataFrame) -> tuple[float, float]:
    """Constant beside effects and its error: least squares on swept data, small sample as in `fit`."""
    taken = column.effects if column.constant == "mean" else column.effects[:1]
    groups = pd.DataFrame({k: data.groupby(k.split("^")).ngroup() for k in column.effects})
    left = groups.drop(columns=list(taken)).astype(str)
    dummies = pd.get_dummies(left, drop_first=True) if len(left.columns) else left
    names = list(fit.coef().index)
    factors = {k: data[k.split(":")].prod(axis=1) for k in (column.outcome, *names, *column.instruments)}
    at = _swept(pd.DataFrame(factors).join(dummies).astype(float), groups[list(taken)])
    outside = [*(k for k in (*names, *dummies) if k not in column.endogenous), *column.instruments]
    x, z = (at[k].assign(_one=1.0).to_numpy() for k in ([*names, *dummies], outside))
    y = at[column.outcome].to_numpy()
    hat = z @ np.linalg.lstsq(z, x, rcond=None)[0]
    bread = np.linalg.inv(hat.T @ x)
    b = bread @ (hat.T @ y)
    scores = hat * (y - x @ b)[:, None]
    if column.clusters:
        scores = pd.DataFrame(scores).groupby(data[column.clusters[0]].to_numpy()).sum().to_numpy()
    cov = bread if column.errors == "iid" else bread @ scores.T @ scores @ bread.T
    return b[-1], float(fit.se().iloc[0] * np.sqrt(cov[-1, -1] / cov[0, 0]))


def _fixest(column: Column, data: pd.DataFrame) -> tuple[pd.DataFrame, int, float, float]:
    """Least squares, 2SLS or Poisson regression (without units that never count) with pyfixest."""
    import pyfixest as pf
    from scipy import stats

    errors: Any = column.errors
    poisson, y = column.estimator == "poisson", data[column.outcome]
    if poisson and column.effects:
        data = data[y.groupby(data[column.effects[0]]).transform("sum") > 0]
    call = pf.fepois if poisson else pf.feols
    how = {"weights": column.weights} if column.weights else {}
    fit: Any = call(column.formula, data, vcov=errors, fixef_rm="none", **how)  # prints count single cells
    found = fit.tidy()[["Estimate", "Std. Error", "t value", "Pr(>|t|)"]]
    if poisson:
        return found, int(fit._N), np.nan, np.nan
    used = fit._data
    plain = all(k in used for term in found.index for k in term.split(":"))  # not i(year, …)
    if column.effects and plain:
        b, se = _constant(column, fit, used)
        df = used[column.clusters[0]].nunique() - 1 if column.clusters else len(used) - len(found)
        found.loc["Intercept"] = b, se, b / se, 2 * stats.t.sf(abs(b / se), df)
    y = used[column.outcome]
    about = y.mean()
    if column.r2 == "within":
        about = y.groupby([used[k] for k in column.effects[0].split("^")]).transform("mean")
    adjusted = float(fit._adj_r2) if column.r2 == "overall" else np.nan
    return found, int(fit._N), 1 - float((fit.resid() ** 2).sum() / ((y - about) ** 2).sum()), adjusted


def _random(column: Column, panel: pd.DataFrame) -> tuple[pd.DataFrame, int, float]:
    """Random effects of the units (Swamy and Arora) with linearmodels."""
    from linearmodels.panel import RandomEffects
    from scipy import stats

    x = pd.DataFrame({k: panel[k.split(":")].prod(axis=1) for k in column.regressors})
    clustered: dict[str, Any] = {"cov_type": "clustered", "cluster_entity": True, "group_debias": True}
    how = clustered if column.clusters else {}
    fit = RandomEffects(panel[column.outcome], x.assign(Intercept=1.0)).fit(**how)
    both = pd.DataFrame({"y": panel[column.outcome], "fitted": x @ fit.params[list(x)]})
    r2 = (both - both.groupby(level=0).transform("mean")).corr().iloc[0, 1] ** 2
    parts = (fit.params, fit.std_errors, fit.tstats, 2 * stats.norm.sf(fit.tstats.abs()))  # as xtreg, re
    return pd.DataFrame(dict(enumerate(parts))), int(fit.nobs), float(r2)


def inside(weights: Any, units: pd.Index) -> Any:
    """A matrix cut to the units of a sample, its rows standardised again; as it is if none is missing."""
    if not isinstance(weights, pd.DataFrame) or len(units) == len(weights):
        return weights
    block = weights.loc[units, units]
    return block.div(block.sum(axis=1), axis=0)


def _durbin(column: Column, panel: pd.DataFrame, weights: Any) -> tuple[pd.DataFrame, int, float]:
    """Spatial model with two-way effects, direct likelihood: coefficients and sigma2, or effects (delta method)."""
    from scipy import stats

    from regionbook.models import spatial_durbin

    w = inside(weights[column.space] if column.space else weights, panel.index.unique(0))
    formula = column.formula.partition("|")[0].strip()
    model: Any = SPATIAL[column.estimator]
    fit = spatial_durbin(panel, formula, w, model=model, correction="direct")
    r2 = float(fit.r2["overall" if column.r2 == "overall" else "within"])
    if column.r2 == "within":
        y = panel[column.outcome]
        r2 = 1 - float((fit.resids**2).sum() / ((y - y.groupby(level=0).transform("mean")) ** 2).sum())
    if column.effect:
        found = fit.impacts().xs(column.effect, level="effect")[["estimate", "se", "z", "p"]]
        return found.set_axis(range(4), axis=1), len(panel), r2
    parts = (fit.params, fit.std_errors, fit.tstats, fit.pvalues)
    found = pd.DataFrame(dict(enumerate(parts)))
    z = fit.sigma2 / fit.sigma2_se
    found.loc["sigma2"] = fit.sigma2, fit.sigma2_se, z, 2 * stats.norm.sf(z)
    return found, len(panel), r2


def _frame(column: Column, found: pd.DataFrame, n: int, r2: float, adjusted: float = np.nan) -> pd.DataFrame:
    there = {term: k for term, k in column.coefficients.items() if k in found.index}
    out = found.loc[list(there.values())].set_axis(["estimate", "std_error", "t", "p"], axis=1)
    r2 = np.nan if column.r2 == "none" else r2
    out = out.assign(table=column.table, column=column.column, term=list(there))
    out = out.assign(N=n, R2=r2, adj_R2=adjusted)
    return out[FRAME].reset_index(drop=True)


def estimate(column: Column, panel: pd.DataFrame, weights: Any = None) -> pd.DataFrame:
    """Estimate one declared column: one row a printed term, with N, R2 and adj_R2 (least squares only) of the column.

    ``panel`` is as `variables` returns it, ``weights`` are those of a spatial column, by name where it says which
    (`Column.space`). A ValueError if the panel lacks a variable.

    Examples
    --------
    >>> from regionbook.papers import city_innovation
    >>> found = estimate(city_innovation.TABLES[0], variables("city-innovation"))
    >>> found.set_index("term")["estimate"].round(4).head(2).to_dict()
    {'digit': 0.1545, 'gov': 3.0414}
    """
    if column.estimator == "pairs":
        return _pairs([column], panel)
    data = rows(column, panel)
    if column.estimator in ("ols", "poisson"):
        return _frame(column, *_fixest(column, data))
    if column.estimator in SPATIAL and weights is None:
        raise ValueError(f"Table {column.table} ({column.column}) is spatial: give weights")
    data = data.set_index(list(panel.index.names))
    found = _random(column, data) if column.estimator == "random" else _durbin(column, data, weights)
    return _frame(column, *found)


def _pairs(columns: Sequence[Column], panel: pd.DataFrame) -> pd.DataFrame:
    """All columns of a panel of pairs at once, its exact and fast way."""
    from regionbook.models import dyadic_panel

    for column in columns:
        _complete(column, panel)
    frames = []
    for sample in dict.fromkeys(c.sample for c in columns):
        here = [c for c in columns if c.sample == sample]
        needed = list(dict.fromkeys(["a", "b", *(k for c in here for k in c.variables)]))
        data = panel.loc[panel.eval(sample), needed] if sample else panel[needed]
        fits = dyadic_panel(data, {c.key: c.formula for c in here}, units=("a", "b"))
        for c, fit in ((c, fits[c.key]) for c in here):
            frames.append(_frame(c, fit.table[["estimate", "se", "t", "p"]], fit.nobs, fit.r2))
    return pd.concat(frames, ignore_index=True)


def declared(slug: str, table: str, column: str) -> Column:
    """Return the declaration of a printed column; a ValueError if there is none.

    >>> declared("city-innovation", "7", "2").regressors[:2]
    ('digit', 'digit:size')
    """
    of_table = {c.column: c for c in _module(slug).TABLES if c.table == table}
    if column not in of_table:
        there = f"its columns are {', '.join(of_table)}" if of_table else "no column of it is declared"
        raise ValueError(f"{slug}, Table {table} has no column {column!r} to estimate; {there}.")
    return of_table[column]


def estimates(
    slug: str,
    panel: pd.DataFrame | None = None,
    tables: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    weights: Any = None,
) -> pd.DataFrame:
    """Estimate the declared columns of a paper, or of some tables or columns only, one below the other (see `estimate`).

    Left out, ``panel`` is the shipped one (as `variables` returns it) and ``weights`` are the module's own.
    """
    paper = _module(slug)
    panel = variables(slug) if panel is None else panel
    asked = [c for c in paper.TABLES if tables is None or c.table in tables]
    asked = [c for c in asked if columns is None or c.column in columns]
    if weights is None and any(c.estimator in SPATIAL for c in asked):
        weights = paper.weights(panel)
    pairs = [c for c in asked if c.estimator == "pairs"]
    frames = [_pairs(pairs, panel)] if pairs else []
    frames += [estimate(c, panel, weights) for c in asked if c.estimator != "pairs"]
    return pd.concat(frames, ignore_index=True)
