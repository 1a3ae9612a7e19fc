"""Every declared column of every paper, estimated anew from the shipped files, against the print and a second library.

The contract: each coefficient within two printed standard errors; of the main regressors also sign, stars and the error
within 25 per cent; R2 within 0.05; N exactly. Numbers that the paper contradicts (inconsistent.csv) are not compared;
what misses the contract stands with its reason in tests/data/declared_exceptions.csv, and nothing stands there in vain.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from linearmodels.iv import IV2SLS
from linearmodels.panel import PanelOLS

from regionbook.data import published
from regionbook.papers import _module
from regionbook.papers.declare import Column, column_of
from regionbook.papers.estimation import estimate, estimates, rows, variables
from regionbook.paths import data_file
from regionbook.registry import papers

SLUGS = papers()
DECLARED = [(slug, c) for slug in SLUGS for c in _module(slug).TABLES]
EXCEPTIONS = pd.read_csv(
    Path(__file__).parent / "data" / "declared_exceptions.csv", dtype=str, keep_default_na=False
)


@cache
def panel(slug: str) -> pd.DataFrame:
    return variables(slug)


@cache
def ours(slug: str) -> pd.DataFrame:
    return estimates(slug, panel(slug)).set_index(["table", "column", "term"]).sort_index()


@cache
def contradicted(slug: str) -> set[tuple[str, ...]]:
    at = pd.read_csv(data_file("published", slug, "inconsistent.csv"), dtype=str)
    return set(at[["table", "column", "term"]].itertuples(index=False, name=None))


def stars(p: float) -> str:
    return "*" * int(np.sum(p < np.array([0.1, 0.05, 0.01])))


def misses(slug: str, column: Column) -> set[tuple[str, str]]:
    """Terms and checks in which our estimate of a column misses the contract."""
    printed, fit = published(slug).estimates, published(slug).fit.dropna(subset="value")
    here = printed[(printed["table"] == column.table) & (printed["column"] == column.column)]
    found = ours(slug).loc[column.key]
    names = column.coefficients
    out = set()
    for row in here.itertuples():
        if (*column.key, row.term) in contradicted(slug):
            continue
        mine = found.loc[row.term]
        error = row.paren if row.paren_kind == "se" else abs(row.estimate / row.paren)
        if abs(mine["estimate"] - row.estimate) > 2 * error:
            out.add((row.term, "estimate"))
        if row.term == "_cons" or names[row.term].removesuffix("_lag") in _module(slug).CONTROLS:
            continue
        if mine["estimate"] * row.estimate <= 0:
            out.add((row.term, "sign"))
        if stars(mine["p"]) != row.stars:
            out.add((row.term, "stars"))
        if abs(mine["std_error"] / error - 1) > 0.25:
            out.add((row.term, "std_error"))
    for row in fit[(fit["table"] == column.table) & (fit["column"] == column.column)].itertuples():
        if row.stat == "N" and found["N"].iloc[0] != row.value:
            out.add(("", "N"))
        known = (*column.key, "R2") in contradicted(slug)
        if row.stat == "R2" and not known and not abs(found["R2"].iloc[0] - row.value) < 0.05:
            out.add(("", "R2"))
    return out


def excepted(slug: str, column: Column, miss: tuple[str, str]) -> pd.Series:
    asked = {"slug": slug, "table": column.table, "column": column.column}
    asked |= {"term": miss[0], "check": miss[1]}
    return pd.concat([EXCEPTIONS[k].isin([v, "*"]) for k, v in asked.items()], axis=1).all(axis=1)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("slug", "column"), DECLARED, ids=lambda k: k if isinstance(k, str) else "-".join(k.key)
)
def test_column_keeps_the_contract(slug, column):
    left = {miss for miss in misses(slug, column) if not excepted(slug, column, miss).any()}
    assert not left, ours(slug).loc[column.key]


def test_no_exception_stands_in_vain():
    used = pd.Series(False, EXCEPTIONS.index)
    for slug, column in DECLARED:
        for miss in misses(slug, column):
            used |= excepted(slug, column, miss)
    assert used.all(), EXCEPTIONS[~used]


@pytest.mark.parametrize("slug", SLUGS)
def test_every_printed_coefficient_is_declared_once(slug):
    printed = published(slug).estimates[["table", "column", "term"]].itertuples(index=False, name=None)
    declared = [(*c.key, term) for c in _module(slug).TABLES for term in c.coefficients]
    assert set(printed) <= set(declared)
    assert len(set(declared)) == len(declared)


# ------------------------------------------------------------------------------------------------ a second library
def both(slug: str, number: str) -> tuple[Column, pd.DataFrame, pd.DataFrame]:
    """A column, our estimates by coefficient, and its rows indexed for linearmodels."""
    table, _, name = number.partition("-")
    column = next(c for c in _module(slug).TABLES if c.key == (table, name))
    found = ours(slug).loc[column.key].rename(index=column.coefficients)
    data = rows(column, panel(slug)).set_index(list(panel(slug).index.names))
    return column, found, data


def regressors(column: Column, data: pd.DataFrame) -> pd.DataFrame:
    x = pd.DataFrame({k: data[k.split(":")].prod(axis=1) for k in column.regressors})
    return x.assign(Intercept=1.0)


@pytest.mark.parametrize("number", ["3-2", "5-5", "6-1", "7-2"])
def test_linearmodels_gives_the_same_with_conventional_errors(number):
    """Slopes, errors, constant of the first year and its error, R2 within cities."""
    column, found, data = both("city-innovation", number)
    years = pd.get_dummies(data.index.get_level_values("year"), drop_first=True, dtype=float)
    x = regressors(column, data).join(years.set_axis(data.index))
    theirs = PanelOLS(data[column.outcome], x, entity_effects=True).fit()
    np.testing.assert_allclose(found["estimate"], theirs.params[found.index], rtol=1e-6)
    np.testing.assert_allclose(found["std_error"], theirs.std_errors[found.index], rtol=1e-6)
    np.testing.assert_allclose(found["R2"], theirs.rsquared, rtol=1e-6)


@pytest.mark.parametrize("number", ["5-1", "7-2", "8-4"])
def test_linearmodels_gives_the_same_with_clustered_errors(number):
    """Slopes, errors, constant of the means and its error, R2; linearmodels does not count the effects of years."""
    column, found, data = both("factor-innovation", number)
    x = regressors(column, data)
    model = PanelOLS(data[column.outcome], x, entity_effects=True, time_effects=True)
    how = {"auto_df": False, "count_effects": False, "group_debias": True}
    theirs = model.fit(cov_type="clustered", cluster_entity=True, **how)
    n, k = x.shape
    counted = np.sqrt((n - k) / (n - k + 1 - data.index.get_level_values("year").nunique()))
    np.testing.assert_allclose(found["estimate"], theirs.params[found.index], rtol=1e-6)
    np.testing.assert_allclose(found["std_error"], counted * theirs.std_errors[found.index], rtol=1e-6)
    np.testing.assert_allclose(found["R2"], theirs.rsquared_inclusive, rtol=1e-6)


@pytest.mark.parametrize("number", ["4-2", "4-4"])
def test_linearmodels_gives_the_same_by_two_stages(number):
    """On data less their city means, with dummies of years, as Stata's xtivreg does inside."""
    column, found, data = both("city-innovation", number)
    years = pd.get_dummies(data.index.get_level_values("year"), drop_first=True, dtype=float)
    used = (
        regressors(column, data)
        .join(data[[column.outcome, *column.instruments]])
        .join(years.set_axis(data.index))
    )
    w = used - used.groupby("city").transform("mean") + used.mean()
    exogenous = w.drop(columns=[column.outcome, *column.endogenous, *column.instruments])
    theirs = IV2SLS(
        w[column.outcome], exogenous, w[list(column.endogenous)], w[list(column.instruments)]
    ).fit(cov_type="robust", debiased=True)
    n, k = len(w), len(theirs.params)
    counted = np.sqrt((n - k) / (n - k - data.index.unique("city").size + 1))
    np.testing.assert_allclose(found["estimate"], theirs.params[found.index], rtol=1e-6)
    np.testing.assert_allclose(found["std_error"], counted * theirs.std_errors[found.index], rtol=1e-6)
    np.testing.assert_allclose(found["R2"], theirs.rsquared, rtol=1e-6)


def test_pyfixest_gives_the_same_on_pairs():
    column, found, data = both("knowledge-flows", "4-4")
    theirs = pf.feols(column.formula, data.reset_index(), vcov={"CRV1": "pair"}, lean=True, copy_data=False)
    np.testing.assert_allclose(found["estimate"], theirs.coef()[found.index], rtol=1e-5)
    np.testing.assert_allclose(found["std_error"], theirs.se()[found.index], rtol=1e-5)
    assert theirs._r2 == pytest.approx(found["R2"].iloc[0], rel=1e-8)


@pytest.mark.parametrize(("column", "instrument"), [("1", "IV_1"), ("3", "IV_2")])
def test_first_stages_are_about_as_strong_as_printed(column, instrument):
    """With one instrument the Kleibergen-Paap F is the squared robust t."""
    fit = published("city-innovation").fit.query("stat == 'Kleibergen-Paap rk Wald F'").set_index("column")
    t = ours("city-innovation").loc[("4", column, instrument), "t"]
    assert 0.5 < t**2 / fit.loc[column, "value"] < 2


# ---------------------------------------------------------------------------------------------------- declarations
def test_a_formula_is_read_into_its_parts():
    formula = "y ~ {X} + i(year, pilot, ref=2012) | city + province^year | d ~ z + z2"
    row = {
        "table": "4",
        "column": "2",
        "formula": formula,
        "errors": "CRV1 city^year",
        "terms": "D = d",
        "r2": "",
    }
    c = column_of(row, ["a", "b"], {"a": "A"})
    assert (c.outcome, c.endogenous, c.instruments) == ("y", ("d",), ("z", "z2"))
    assert c.exogenous == ("a", "b", "i(year, pilot, ref=2012)")
    assert c.effects == ("city", "province^year") and c.clusters == ("city", "year")
    assert c.variables == ("y", "d", "a", "b", "year", "pilot", "z", "z2")
    assert list(c.coefficients) == ["D", "A", "b", "i(year, pilot, ref=2012)", "_cons"]
    pooled = column_of({"table": "1", "column": "1", "formula": "y ~ 1 + x | d ~ z", "terms": "x; W:x = W_x"})
    assert pooled.errors == "iid" and pooled.r2 == "overall" and pooled.terms == {"x": "x", "W:x": "W_x"}
    assert pooled.effects == () and pooled.regressors == ("d", "x")


def test_effects_of_two_columns_together_and_event_studies_are_estimated():
    """``province^year`` is the effect of a column that holds both; a term of an event study has no constant."""
    rng = np.random.default_rng(3)
    at = pd.MultiIndex.from_product([range(12), range(2010, 2016)], names=["city", "year"])
    data = pd.DataFrame(rng.normal(size=(72, 2)), at, ["y", "x"])
    data["province"] = data.index.get_level_values("city") % 3
    data["both"] = 10000 * data["province"] + data.index.get_level_values("year")
    data["pilot"] = (data.index.get_level_values("city") < 5).astype(int)
    how = {"errors": {"CRV1": "city"}, "r2": "within"}
    both = (Column("1", "1", f"y ~ x | city + {k}", **how) for k in ("province^year", "both"))
    together, made = (estimate(column, data) for column in both)
    pd.testing.assert_frame_equal(together, made)
    assert list(made["term"]) == ["x", "_cons"]
    years = estimate(Column("1", "2", "y ~ x + i(year, pilot, ref=2012) | city + year", **how), data)
    assert list(years["term"]) == ["x"] and years["N"].item() == 72


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"formula": "y ~ d + {X} | city"}, r"Table 3 \(2\): cannot read"),
        ({"formula": "y | city"}, "cannot read"),
        (
            {"formula": "y ~ d", "estimator": "gmm"},
            "estimator is 'gmm', expected one of ols, poisson, random",
        ),
        ({"formula": "y ~ d", "r2": "adjusted"}, "r2 is 'adjusted'"),
        ({"formula": "y ~ d", "r2": "within"}, "r2 is 'within', but 'y ~ d' has no effects"),
    ],
)
def test_bad_declarations_are_refused(what, words):
    with pytest.raises(ValueError, match=words):
        Column("3", "2", **what)


def test_bad_input_of_estimates():
    frame = pd.DataFrame({"inn": [1.0, 2.0], "city": [1, 1]})
    with pytest.raises(ValueError, match=r"Table 3 \(1\): the panel lacks digit"):
        estimate(Column("3", "1", "inn ~ digit"), frame)
    with pytest.raises(ValueError, match="is spatial: give weights"):
        estimate(Column("5", "1", "inn ~ city", estimator="durbin"), frame)
