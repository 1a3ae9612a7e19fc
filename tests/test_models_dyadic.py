"""Panels of pairs against pyfixest, linearmodels, R's dyadRobust and sandwich, brute force, and simulation."""

import runpy
import warnings
from itertools import product
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from linearmodels import PanelOLS

from regionbook import models
from regionbook.models._pair_meats import dyadic_sample, unit_counts
from regionbook.models.dyadic_errors import _draws
from regionbook.tables import model_estimates, regression_table

DATA = Path(__file__).parent / "data"
R = (
    pd.read_csv(DATA / "oracles/results/9_dyadic.csv", dtype={"term": str})
    .fillna({"term": ""})
    .set_index(["case", "quantity", "term"])["value"]
    .sort_index()
)
DYADS = pd.read_csv(DATA / "oracles/data/dyads.csv")
TIGHT = pf.MapDemeaner(fixef_tol=1e-12, fixef_maxiter=100_000)
PYFIXEST = {
    "iid": "iid",
    "hetero": "hetero",
    "pair": {"CRV1": "pair"},
    "two-way": {"CRV1": "a+b"},
}


def pairs(units=16, years=6, keep=0.75, seed=0, flip=False):
    """Unbalanced panel, errors shared through units; with `flip` the order within a pair changes."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(units, 1)
    a, b = np.repeat(first, years), np.repeat(second, years)
    t = np.tile(np.arange(years), len(first))
    n = len(a)
    city = rng.normal(size=(4, units, years))
    frame = pd.DataFrame({"a": a, "b": b, "pair": np.repeat(np.arange(len(first)), years), "year": 2001 + t})
    for i, name in enumerate(("x", "w", "z")):
        frame[name] = city[i, a, t] + city[i, b, t] + rng.normal(size=n)
    frame["w"] += 0.6 * frame["z"]
    frame["e"] = city[3, a, t] + city[3, b, t] + rng.normal(size=n)
    frame["y"] = 0.5 * frame["x"] - 0.2 * frame["w"] + frame["e"] + 0.3 * frame["pair"] + 0.1 * t
    frame["fixed"] = rng.normal(size=len(first))[frame["pair"]]
    frame["double"] = 2 * frame["x"] - frame["w"]
    frame = frame[rng.random(n) < keep].sample(frac=1, random_state=seed)
    frame.loc[frame.index[:60], "z"] = np.nan
    if flip:
        swap = rng.random(len(frame)) < 0.3
        frame.loc[swap, ["a", "b"]] = frame.loc[swap, ["b", "a"]].to_numpy()
    return frame


PANEL, FLIPPED = pairs(), pairs(flip=True)
UNITS = ("a", "b")


def by_pyfixest(formula, frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what it drops
        return pf.feols(formula, frame, vcov="iid", demeaner=TIGHT)


@pytest.mark.reference
@pytest.mark.parametrize("frame", [PANEL, FLIPPED], ids=["ordered", "flipped"])
@pytest.mark.parametrize("effects", ["year", "pair", "pair + year"])
def test_equal_pyfixest(frame, effects):
    formulas = [
        f"y ~ x + w | {effects}",
        f"y ~ x + w + x:w + fixed + double | {effects}",
        f"y ~ x + z | {effects}",  # fewer rows
        f"y ~ x | {effects} | w ~ z",
    ]
    fits = models.dyadic_panel(frame, formulas, units=UNITS)
    for formula, fit in zip(formulas, fits.values(), strict=True):
        peer = by_pyfixest(formula, frame)
        for kind, vcov in PYFIXEST.items():
            peer.vcov(vcov)
            terms = list(fit.params.index)
            assert set(terms) == set(peer.coef().index) and set(fit.dropped) == set(peer._collin_vars)
            assert fit.nobs == peer._N
            np.testing.assert_allclose(fit.params, peer.coef()[terms], rtol=1e-8, atol=1e-10)
            if not fit.floored(kind):
                np.testing.assert_allclose(fit.se(kind), peer.se()[terms], rtol=1e-8)
                np.testing.assert_allclose(fit.using(kind).pvalues, peer.pvalue()[terms], atol=1e-8)
        if fit.first_stage is None:
            assert fit.r2 == pytest.approx(peer._r2, abs=1e-10)
            assert fit.r2_within == pytest.approx(peer._r2_within, abs=1e-10)
            by_hand = models.dyadic_cov(
                peer._scores,
                np.linalg.inv(peer._hessian),
                peer._data["a"],
                peer._data["b"],
                absorbed=1 if effects == "pair" else 6,
            )
            if not fit.floored("dyadic"):
                np.testing.assert_allclose(by_hand.se, fit.se("dyadic")[peer._coefnames], rtol=1e-7)


@pytest.mark.reference
def test_equal_linearmodels():
    """It keeps rows alone in their pair, which changes N but not β; with its debiasing set to ours."""
    frame = PANEL[PANEL.groupby("pair")["x"].transform("size") > 1].set_index(["pair", "year"])
    fit = models.dyadic_panel(frame, "y ~ x + w | pair + year", units=UNITS)
    peer = PanelOLS(frame["y"], frame[["x", "w"]], entity_effects=True, time_effects=True).fit(
        cov_type="clustered", cluster_entity=True, auto_df=False, count_effects=False, group_debias=True
    )
    np.testing.assert_allclose(fit.params, peer.params, rtol=1e-10)
    n, k, a = fit.nobs, 2, 6
    np.testing.assert_allclose(
        fit.se("pair"), peer.std_errors * np.sqrt((n - k) / (n - k - a)), rtol=1e-8
    )  # it does not count the year effects either then
    assert fit.r2 == pytest.approx(peer.rsquared_inclusive, abs=1e-10)
    counted = PanelOLS(frame["y"], frame[["x", "w"]], entity_effects=True, time_effects=True).fit(
        cov_type="unadjusted"
    )
    np.testing.assert_allclose(fit.se("iid"), counted.std_errors, rtol=1e-8)


@pytest.mark.reference
def test_equal_r():
    """R's dyadRobust and sandwich, no small-sample factors; see tests/data/oracles/README.md."""
    fits = models.dyadic_panel(
        DYADS, {"year": "y ~ x1 + x2 | year", "pair_year": "y ~ x1 + x2 | pair + year"}, units=UNITS
    )
    for case, fit in fits.items():
        assert fit.nobs == R[case, "n", ""]
        np.testing.assert_allclose(fit.params, R[case, "coef"], rtol=1e-10)
        for kind, name in {"dyadic": "dyadic", "pair": "pair", "two-way": "twoway", "hetero": "hc0"}.items():
            ours = fit.se(kind, correction=False)
            np.testing.assert_allclose(ours, R[case, f"se_{name}"], rtol=1e-9)
    m = pf.feols("y ~ x1 + x2", DYADS)
    free = models.dyadic_cov(m._scores, np.linalg.inv(m._hessian), DYADS["a"], DYADS["b"], correction=False)
    np.testing.assert_allclose(free.se[1:], R["constant", "se_dyadic"], rtol=1e-9)
    with_factor = models.dyadic_cov(m._scores, np.linalg.inv(m._hessian), DYADS["a"], DYADS["b"])
    assert with_factor.units == 14 and with_factor.nobs == 344
    once = np.unique(np.sort(DYADS[["a", "b"]].to_numpy(), axis=1), axis=0)
    shares = (once[:, None, :, None] == once[None, :, None, :]).any(axis=(2, 3))
    assert (with_factor.se / free.se) ** 2 == pytest.approx(shares.size / (~shares).sum() * 343 / 341)


@pytest.mark.parametrize("frame", [PANEL, FLIPPED], ids=["ordered", "flipped"])
def test_dyadic_meat_is_the_double_sum(frame):
    fit = models.dyadic_panel(frame, "y ~ x + w | pair + year", units=UNITS)
    used = frame[fit.used]
    dummies = pd.get_dummies(used[["pair", "year"]].astype(str), drop_first=True, dtype=float)
    full = np.column_stack([used[["x", "w"]], dummies, np.ones(len(used))])
    x = used[["x", "w"]].to_numpy()
    rest = full[:, 2:]
    x = x - rest @ np.linalg.lstsq(rest, x, rcond=None)[0]
    e = used["y"] - full @ np.linalg.lstsq(full, used["y"], rcond=None)[0]
    s = x * e.to_numpy()[:, None]
    a, b = used["a"].to_numpy(), used["b"].to_numpy()
    shares = (a[:, None] == a) | (a[:, None] == b) | (b[:, None] == a) | (b[:, None] == b)
    np.testing.assert_allclose(fit.meats["dyadic"].matrix, s.T @ shares @ s, rtol=1e-9)
    same = frame["pair"][fit.used].to_numpy()
    np.testing.assert_allclose(fit.meats["pair"].matrix, s.T @ (same[:, None] == same) @ s, rtol=1e-9)


def test_two_way_is_dyadic_where_no_unit_stands_in_both_columns():
    frame = PANEL[(PANEL["a"] < 8) & (PANEL["b"] >= 8)]
    fit = models.dyadic_panel(frame, "y ~ x | pair + year", units=UNITS)
    np.testing.assert_allclose(
        fit.se("two-way", correction=False), fit.se("dyadic", correction=False), rtol=1e-12
    )
    whole = models.dyadic_panel(PANEL, "y ~ x | pair + year", units=UNITS)
    assert not np.allclose(whole.se("dyadic", False), whole.se("two-way", False), rtol=0.1)


def test_the_factor_makes_the_variance_of_a_mean_unbiased():
    """E[M] is linear in the covariances of two related pairs, so that unit shocks and noise of pairs settle it."""
    units = 7
    first, second = np.triu_indices(units, 1)
    member = np.eye(units)[first] + np.eye(units)[second]
    n = len(first)
    shares = member @ member.T > 0
    residual = np.eye(n) - 1 / n
    factor = dyadic_sample(unit_counts(first, second), n, n - 1)[0]
    assert factor == pytest.approx(units * (units - 1) / ((units - 2) * (units - 3)))
    for omega in (member @ member.T, np.eye(n)):
        reported = (shares * (residual @ omega @ residual)).sum()
        assert factor * reported == pytest.approx(omega.sum())
    with pytest.raises(ValueError, match="every two pairs share a unit"):
        models.dyadic_cov(np.array([1.0, -2, 1]), 1.0, [0, 0, 1], [1, 2, 2])


def test_names_and_order_do_not_matter():
    formula = "y ~ x + w | pair + year"
    fit = models.dyadic_panel(PANEL, formula, units=UNITS)
    rng = np.random.default_rng(1)
    names = np.array([f"city {i}" for i in rng.permutation(16)])
    other = FLIPPED.assign(a=names[FLIPPED["a"]], b=names[FLIPPED["b"]]).drop(columns="pair")
    for frame in (
        other,
        other.astype({"a": "category", "b": "category"}),
        other.set_index(["a", "b", "year"]),
    ):
        again = models.dyadic_panel(frame.sample(frac=1, random_state=2), formula, units=UNITS)
        np.testing.assert_allclose(again.params, fit.params, rtol=1e-11)
        for kind in ("iid", "hetero", "pair", "dyadic"):
            np.testing.assert_allclose(again.se(kind), fit.se(kind), rtol=1e-10)
        assert not np.allclose(again.se("two-way"), fit.se("two-way"), rtol=1e-3)


def test_scale_does_not_matter():
    """A level of a million and a slope of a millionth lose no digits and drop no regressor."""
    fit = models.dyadic_panel(PANEL, "y ~ x + w | pair + year", units=UNITS, vcov="dyadic")
    scaled = PANEL.assign(x=1e6 + 1e-3 * PANEL["x"], w=1e8 * PANEL["w"], y=PANEL["y"] + 1e5)
    again = models.dyadic_panel(scaled, "y ~ x + w | pair + year", units=UNITS, vcov="dyadic")
    np.testing.assert_allclose(again.params * [1e-3, 1e8], fit.params, rtol=1e-6)
    np.testing.assert_allclose(again.tstats, fit.tstats, rtol=1e-6)
    assert again.dropped == {}


def test_years_that_no_pair_joins():
    """Two sets of years without a common pair: one more effect is lost than usual."""
    early = PANEL["pair"] % 2 == 0
    frame = PANEL[(early & (PANEL["year"] < 2004)) | (~early & (PANEL["year"] >= 2004))]
    fit = models.dyadic_panel(frame, "y ~ x + w | pair + year", units=UNITS)
    used = frame[fit.used]
    dummies = pd.get_dummies(used[["pair", "year"]].astype(str), dtype=float)
    full = np.column_stack([used[["x", "w"]], dummies])
    b, ssr, rank, _ = np.linalg.lstsq(full, used["y"], rcond=None)
    np.testing.assert_allclose(fit.params, b[:2], rtol=1e-9)
    assert fit.meats["iid"].df == len(used) - rank


def test_many_columns_are_the_single_ones():
    formulas = {
        ("1", "year"): "y ~ x | year",
        ("1", "both"): "y ~ x + w | pair + year",
        ("2", "z"): "y ~ x*z + w | pair + year",
        ("2", "other"): "e ~ x + w | pair + year",
    }
    fits = models.dyadic_panel(PANEL, formulas, units=UNITS, vcov="dyadic")
    assert list(fits) == list(formulas)
    for key, formula in formulas.items():
        alone = models.dyadic_panel(PANEL, formula, units=UNITS, vcov="dyadic")
        pd.testing.assert_frame_equal(alone.table, fits[key].table, rtol=1e-10)
        assert (alone.used == fits[key].used).all()
    assert list(fits["2", "z"].params.index) == ["x", "z", "x:z", "w"]


def test_two_stages():
    formula = "y ~ x | pair + year | w ~ z + e"
    fit = models.dyadic_panel(PANEL, formula, units=UNITS)
    first = fit.first_stage
    assert first.outcome == "w" and list(first.params.index) == ["x", "z", "e"]
    kp = models.kleibergen_paap(PANEL[fit.used], "w", ["z", "e"], ["x"], ["pair", "year"], "cluster", "pair")
    assert first.wald(["z", "e"])[0] == pytest.approx(kp.f, rel=1e-3)  # up to a small-sample factor
    one = models.dyadic_panel(PANEL, "y ~ x | pair + year | w ~ z", units=UNITS)
    f, size, p = one.first_stage.wald(["z"])
    effective = models.effective_f(PANEL[one.used], "w", ["z"], ["x"], ["pair", "year"], "cluster", "pair")
    assert (size, f) == (1, pytest.approx(effective.f, rel=1e-8)) and p < 0.01
    t = one.first_stage.using("dyadic").tstats["z"]
    assert one.first_stage.wald(["z"], "dyadic")[0] == pytest.approx(t**2)
    alone = models.dyadic_panel(PANEL, "y ~ 1 | pair + year | w ~ z", units=UNITS)
    assert list(alone.params.index) == ["w"]


def test_tables_read_it():
    fits = models.dyadic_panel(PANEL, ["y ~ x | year", "y ~ x + w + fixed | pair + year"], units=UNITS)
    fit = fits["(2)"]
    read = model_estimates(fit.using("dyadic"))
    assert read.frame.loc["x", "se"] == fit.se("dyadic")["x"] and read.nobs == fit.nobs
    table = regression_table({"pair": fit, "dyadic": fit.using("dyadic"), "year": fits["(1)"]})
    assert table.frame.xs("Pair fixed effects", level=1).iloc[0].tolist() == ["Yes", "Yes", "No"]
    assert f"({fit.se('dyadic')['x']:.4f})" in table.frame.loc[("coef", "x")].iloc[1]
    assert "fixed left out: absorbed by the pair" in repr(fit) and "fixed left out" in fit._repr_html_()
    assert fit.errors().columns.tolist() == [
        ("", "estimate"),
        *product(["pair", "two-way", "dyadic"], ["se", "t"]),
    ]
    assert "G = 120 pairs" in fit.correction() and "C = 16 units" in fit.correction("dyadic")


def test_a_negative_variance_is_floored_and_said():
    """Scores that cancel within units: pairs on a ring with alternating signs."""
    a = np.arange(6)
    b = (a + 1) % 6
    s = np.array([1.0, -1, 1, -1, 1, -1])
    v = models.dyadic_cov(s, 1.0, a, b)
    assert v.floored and v.se == 0
    assert not models.dyadic_cov(np.abs(s), 1.0, a, b).floored


@pytest.mark.simulation
def test_size():
    """The stored study (tests/data/dyadic_size.py) and a small run of it."""
    stored = pd.read_csv(DATA / "dyadic_size.csv").set_index(["shared", "units", "vcov"])
    script = runpy.run_path(str(DATA / "dyadic_size.py"))
    small = script["study"](0.5, 20).set_index(["shared", "units", "vcov"])
    pd.testing.assert_frame_equal(small, stored.loc[small.index], atol=2e-3)
    shared = stored.loc[0.5]["rejected"].unstack("units")
    assert (shared.loc["pair"] > 0.2).all() and shared.loc["pair", 80] > 0.4  # and more units make it worse
    assert shared.loc["dyadic"].is_monotonic_decreasing and shared.loc["dyadic", 80] < 0.085
    assert (shared.loc["two-way", [40, 80]] > shared.loc["dyadic", [40, 80]]).all()
    assert abs(stored.loc[(0.0, 80)]["rejected"] - 0.05).max() < 0.03


def test_the_study_tests_as_the_estimator():
    rng = np.random.default_rng(7)
    a, b, x, e = _draws(12, 4, 1, 0.5, 0.5, rng)
    frame = pd.DataFrame({"a": np.tile(a, 4), "b": np.tile(b, 4), "year": np.repeat(range(4), len(a))})
    frame["x"], frame["e"] = x.ravel(), e.ravel()
    fit = models.dyadic_panel(frame, "e ~ x | pair + year", units=UNITS)
    study = models.dyadic_size(12, years=4, draws=2, seed=7)
    rejected = {kind: bool(fit.using(kind).pvalues["x"] < 0.05) for kind in study.index}
    again = np.random.default_rng(7)
    _, _, x2, e2 = _draws(12, 4, 2, 0.5, 0.5, again)
    second = frame.assign(x=x2[0].ravel(), e=e2[0].ravel()), frame.assign(x=x2[1].ravel(), e=e2[1].ravel())
    for kind in study.index:
        ps = [
            models.dyadic_panel(f, "e ~ x | pair + year", units=UNITS, vcov=kind).pvalues["x"] for f in second
        ]
        assert study.loc[kind, "rejected"] == np.mean([p < 0.05 for p in ps])
    assert set(rejected) == {"pair", "two-way", "dyadic"}


def out_of_core(table, formula, **options):
    return models.dyadic_out_of_core(table, formula, units=UNITS, vcov="dyadic", **options)


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
@pytest.mark.parametrize("named", [True, False], ids=["pair", "units"])
def test_out_of_core_is_the_same(engine, named, tmp_path):
    """The same expressions on two engines."""
    frame = FLIPPED.reset_index(drop=True)
    formula = "y ~ x + z + fixed + x:z | pair + year"
    ours = models.dyadic_panel(frame, formula, units=UNITS, vcov="dyadic")
    connection = ibis.duckdb.connect() if engine == "duckdb" else ibis.sqlite.connect()
    table = connection.create_table("panel", frame if named else frame.drop(columns="pair"))
    fit = out_of_core(table, formula)
    np.testing.assert_allclose(fit.params, ours.params, rtol=1e-8)
    for kind in ("iid", "pair", "dyadic"):
        np.testing.assert_allclose(fit.se(kind), ours.se(kind), rtol=1e-8)
    for name in ("nobs", "pairs", "units", "periods", "singletons", "dropped", "effects"):
        assert getattr(fit, name) == getattr(ours, name), name
    assert fit.r2 == pytest.approx(ours.r2, abs=1e-10)
    assert fit.r2_within == pytest.approx(ours.r2_within, abs=1e-10)
    assert fit.correction("dyadic") == ours.correction("dyadic")
    with pytest.raises(ValueError, match="'hetero' need single rows"):
        fit.se("hetero")


def one_row(**changes):
    frame = PANEL.reset_index(drop=True).astype({"x": float})
    for name, value in changes.items():
        frame.loc[5, name] = value
    return frame


TWICE = pd.concat([PANEL, PANEL.iloc[[3]].rename(columns={"a": "b", "b": "a"})], ignore_index=True)


@pytest.mark.parametrize(
    ("frame", "formula", "options", "error", "message"),
    [
        (PANEL, "y ~ nope | pair + year", {}, ValueError, "'nope' found neither among the columns"),
        (PANEL, "y ~ x", {}, ValueError, r"expected 'outcome ~ regressors \| pair \+ year'"),
        (PANEL, "y ~ x | pair + city", {}, ValueError, "the effects can be 'pair', 'year' or both"),
        (PANEL, "y ~ log(x) | pair", {}, ValueError, "make the column beforehand"),
        (PANEL, "y ~ x + y | pair", {}, ValueError, r"\['y'\] stand in two places"),
        (PANEL, "y ~ x - 1 | pair", {}, ValueError, "only columns"),
        (PANEL, "y ~ x*w*z | pair", {}, ValueError, "more than two factors"),
        (PANEL, "y ~ x | pair | w + e ~ z", {}, ValueError, "one endogenous regressor"),
        (
            PANEL,
            "y ~ fixed | pair",
            {},
            ValueError,
            "no regressor is left .fixed: absorbed by the pair effects",
        ),
        (PANEL, "y ~ x | pair | w ~ fixed", {}, ValueError, "no instrument is left"),
        (PANEL, "y ~ x | pair | fixed ~ z", {}, ValueError, "'fixed' is absorbed"),
        (PANEL, 3, {}, TypeError, "'int' object is not iterable"),
        (PANEL, [3], {}, TypeError, "a formula is a string"),
        (PANEL, [], {}, ValueError, "formulas is empty"),
        (PANEL, "y ~ x | pair", {"vcov": "HC1"}, ValueError, "'HC1' is not one of 'iid'"),
        (PANEL, "y ~ x | pair", {"units": None, "vcov": "dyadic"}, ValueError, "needs the two unit columns"),
        (PANEL, "y ~ x | pair", {"units": ["a"]}, ValueError, "units must name two columns"),
        (PANEL, "y ~ x | pair", {"units": "ab"}, TypeError, "must be a list of names"),
        (PANEL, "y ~ x | pair", {"units": ("a", "c")}, ValueError, r"units: \['c'\] found neither"),
        (PANEL.drop(columns="pair"), "y ~ x | pair", {"units": None}, ValueError, "no column 'pair'"),
        (PANEL.drop(columns="year"), "y ~ x | pair", {}, ValueError, r"time: \['year'\] found neither"),
        (one_row(year=np.nan), "y ~ x | pair", {}, ValueError, "time 'year' is missing in row 5"),
        (one_row(a=np.nan), "y ~ x | pair", {}, ValueError, "unit 'a' is missing in row 5"),
        (one_row(x=np.inf), "y ~ x | pair", {}, ValueError, "'x' is infinite in row 5"),
        (
            PANEL.assign(b=PANEL["b"].where(PANEL["pair"] != 7, PANEL["a"])),
            "y ~ x | pair",
            {},
            ValueError,
            "is paired with itself in row",
        ),
        (
            TWICE.drop(columns="pair"),
            "y ~ x | pair",
            {},
            ValueError,
            "in whichever order, has more than one row",
        ),
        (TWICE, "y ~ x | pair", {"units": None}, ValueError, "has more than one row in year"),
        (
            PANEL.assign(pair=PANEL["pair"] // 2),
            "y ~ x | pair",
            {},
            ValueError,
            "does not stand for one pair",
        ),
        (PANEL.assign(pair=PANEL.index), "y ~ x | pair", {}, ValueError, "does not stand for one pair"),
        (PANEL.assign(x="text"), "y ~ x | pair", {}, TypeError, "'x' is not numeric"),
        (PANEL.assign(x=np.nan), "y ~ x | pair", {}, ValueError, "no row has all of its columns"),
        (PANEL.drop_duplicates("pair"), "y ~ x | pair", {}, ValueError, "each row is alone in its pair"),
        (PANEL[:0], "y ~ x | pair", {}, ValueError, "data has no rows"),
        (PANEL["x"], "y ~ x | pair", {}, TypeError, "must be a pandas DataFrame"),
    ],
)
def test_bad_input(frame, formula, options, error, message):
    with pytest.raises(error, match=message):
        models.dyadic_panel(frame, formula, **({"units": UNITS} | options))


def test_bad_requests():
    fit = models.dyadic_panel(PANEL, "y ~ x | pair")
    assert fit.units == 0
    with pytest.raises(ValueError, match="need the two unit columns"):
        fit.using("dyadic")
    with pytest.raises(ValueError, match="'HC3' is not one of"):
        fit.se("HC3")
    with pytest.raises(ValueError, match=r"terms must be a list of \['x'\]"):
        fit.wald(["w"])
    s, a, b = np.ones((4, 1)), [1, 2, 3, 4], [2, 3, 4, 1]
    with pytest.raises(ValueError, match="expected a 1 × 1 bread and 4 labels"):
        models.dyadic_cov(s, np.eye(2), a, b)
    with pytest.raises(ValueError, match="finite"):
        models.dyadic_cov(s * np.nan, [[1]], a, b)
    with pytest.raises(ValueError, match="paired with itself in row 0"):
        models.dyadic_cov(s, [[1]], a, a)
    with pytest.raises(ValueError, match="too few"):
        models.dyadic_cov(s, [[1]], a, b, absorbed=3)
    with pytest.raises(ValueError, match="at least 4, 2 and 2"):
        models.dyadic_size(3, seed=1)
    with pytest.raises(ValueError, match="shared must lie"):
        models.dyadic_size(10, shared=2, seed=1)


@pytest.mark.parametrize(
    ("formula", "options", "error", "message"),
    [
        ("y ~ x | year", {}, ValueError, "takes both effects"),
        ("y ~ x | pair + year | w ~ z", {}, ValueError, "no instruments"),
        ("y ~ nope | pair + year", {}, ValueError, r"\['nope'\] are not columns"),
        ("y ~ fixed | pair + year", {}, ValueError, "no regressor is left"),
        ("y ~ x | pair + year", {"vcov": "hetero"}, ValueError, "out of core there are"),
        ("y ~ x | pair + year", {"units": ["a"]}, ValueError, "two columns"),
        ("y ~ x | pair + name", {"time": "name"}, TypeError, "must be whole numbers"),
        ("y ~ x | pair + far", {"time": "far"}, ValueError, "at most 62"),
        ("y ~ gone | pair + year", {}, ValueError, "no row has all of its columns"),
        ("y ~ x | one + year", {"pair": "one"}, ValueError, "more than one row at one year"),
        ("y ~ bad | pair + year", {}, ValueError, "NaN or infinity"),
    ],
)
def test_bad_input_out_of_core(formula, options, error, message):
    frame = PANEL.reset_index(drop=True).assign(name="2001", far=lambda f: f["year"] * 40, one=1)
    table = ibis.memtable(frame).mutate(gone=ibis.null("float64"), bad=ibis.literal("nan").cast("float64"))
    with pytest.raises(error, match=message):
        models.dyadic_out_of_core(table, formula, **options)


def test_out_of_core_refuses_a_unit_with_itself():
    frame = PANEL.drop(columns="pair").assign(b=PANEL["b"].where(PANEL["pair"] != 7, PANEL["a"]))
    with pytest.raises(ValueError, match="paired with itself"):
        models.dyadic_out_of_core(ibis.memtable(frame), "y ~ x | pair + year", units=UNITS)
