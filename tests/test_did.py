"""Difference-in-differences: the libraries that lessons call against R's `did`, our placebo test, our matching."""

from itertools import combinations
from pathlib import Path

import diff_diff as dd
import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from regionbook import models

ORACLES = Path(__file__).parent / "data" / "oracles"
R_MATCHING = pd.read_csv(ORACLES / "results" / "4_matching.csv", dtype={"term": str})
COLUMNS = ("y", "id", "year", "g")


def r_matching(case, quantity):
    rows = R_MATCHING[(R_MATCHING["case"] == case) & (R_MATCHING["quantity"] == quantity)]
    return rows.set_index("term")["value"]


def staggered(sizes=(68, 36), never=186, seed=1):
    """Cities × 2003–2023, cohorts of 2014 and 2015 with effects that grow, autocorrelated errors."""
    rng = np.random.default_rng(seed)
    years = np.arange(2003, 2024)
    g = np.repeat([2014, 2015, 0], [*sizes, never])
    errors = rng.normal(scale=0.3, size=(len(g), 21))
    for t in range(1, 21):
        errors[:, t] += 0.8 * errors[:, t - 1]
    since = years - g[:, None]
    effect = np.where(
        (g[:, None] > 0) & (since >= 0), (0.2 + 0.1 * since) * np.where(g == 2014, 1.5, 0.7)[:, None], 0
    )
    y = rng.normal(size=(len(g), 1)) + 0.05 * np.arange(21) + effect + errors
    frame = pd.DataFrame(
        {"id": np.repeat(np.arange(len(g)), 21), "year": np.tile(years, len(g)), "y": y.ravel()}
    )
    frame["g"] = np.repeat(g, 21)
    frame["x"] = rng.normal(size=len(frame))
    frame["d"] = ((frame["g"] > 0) & (frame["year"] >= frame["g"])).astype(int)
    return frame


PANEL = staggered()
UNBALANCED = PANEL.sample(frac=0.9, random_state=0).sort_values(["id", "year"]).reset_index(drop=True)


def callaway_santanna(data, **options):
    options = {"estimation_method": "reg", "base_period": "universal"} | options
    return dd.CallawaySantAnna(**options).fit(data, *COLUMNS)


def group_time(frame):
    """ATT(g, t) and its standard error by differences of means, base g − 1, never treated as controls."""
    wide = frame.pivot(index="id", columns="year", values="y")
    first = frame.groupby("id")["g"].first()
    found = {}
    for g in sorted(set(first) - {0}):
        change = wide.sub(wide[g - 1], axis=0)
        for year in wide.columns.difference([g - 1]):
            one, other = change.loc[first == g, year], change.loc[first == 0, year]
            se = np.sqrt(one.var(ddof=0) / len(one) + other.var(ddof=0) / len(other))
            found[g, year] = one.mean() - other.mean(), se
    return pd.DataFrame(found, index=["effect", "se"]).T


# --- the libraries that lessons call ---------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize("base", ["varying", "universal"])
def test_callaway_santanna_is_what_r_prints_of_mpdta(base):
    counties = pd.read_csv(ORACLES / "data" / "mpdta.csv")
    long = counties.melt(["county", "first_treated"], var_name="year", value_name="employed").astype(int)
    long = long.assign(y=np.log(long["employed"])).rename(columns={"county": "id", "first_treated": "g"})
    printed = pd.read_csv(ORACLES / "results" / "10_did.csv", dtype={"term": str})
    printed = printed[printed["case"] == f"mpdta_{base}"].set_index(["quantity", "term"])["value"]
    fit = callaway_santanna(long, base_period=base)
    table = fit.to_dataframe().astype({"group": int, "time": int}).set_index(["group", "time"])["effect"]
    ours = {("att", f"{g}:{t}"): effect for (g, t), effect in table.items()}
    for kind, label, quantity in (("event_study", "event_time", "event"), ("group", "label", "group")):
        part = fit.aggregate(kind).to_dataframe()
        ours |= {(quantity, str(int(k))): b for k, b in zip(part[label], part["att"], strict=True)}
    ours = pd.Series(ours)
    assert len(printed) in (15, 22)
    np.testing.assert_allclose(ours[printed.index].astype(float), printed, atol=5.1e-5)
    sizes = counties["first_treated"].value_counts()
    after = table[[g <= t for g, t in table.index]]
    weights = sizes[after.index.get_level_values(0)].to_numpy()
    assert fit.overall_att == pytest.approx(np.average(after, weights=weights), abs=1e-12)
    assert fit.overall_att == pytest.approx(-0.039951, abs=5e-7)  # csdid, differences, moderndid
    assert fit.overall_se == pytest.approx(0.012034, abs=5e-7)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("sizes", "never", "sheet"),
    [((68, 36), 186, [0.643, 0.334, 0.012, 0.010]), ((68, 34), 188, [0.656, 0.322, 0.012, 0.010])],
)
def test_bacon_weights_are_those_of_the_sheet(sizes, never, sheet):
    panel = staggered(sizes, never)
    found = dd.BaconDecomposition().fit(panel, *COLUMNS)
    table = found.to_dataframe()
    assert list(table["comparison_type"]) == 2 * ["treated_vs_never"] + [
        "earlier_vs_later",
        "later_vs_earlier",
    ]
    np.testing.assert_allclose(table["weight"], sheet, atol=5.1e-4)
    twfe = pf.feols("y ~ d | id + year", panel).coef()["d"]
    assert (table["weight"] * table["estimate"]).sum() == pytest.approx(twfe, abs=1e-10)
    assert pf.event_study(panel, *COLUMNS, estimator="twfe").coef().iloc[0] == pytest.approx(twfe, abs=1e-10)
    means = panel.assign(after=panel["year"] >= 2014).groupby(["g", "after"])["y"].mean()
    first = means[2014, True] - means[2014, False] - means[0, True] + means[0, False]
    assert table["estimate"][0] == pytest.approx(first, abs=1e-10)


@pytest.mark.reference
def test_libraries_agree_on_one_panel():
    fit, own = callaway_santanna(PANEL), group_time(PANEL)
    theirs = fit.to_dataframe().set_index(["group", "time"]).loc[own.index]
    np.testing.assert_allclose(theirs["effect"].astype(float), own["effect"], atol=1e-10)
    np.testing.assert_allclose(theirs["se"].astype(float), own["se"], rtol=1e-8)
    events = fit.aggregate("event_study").to_dataframe().set_index("event_time")["att"]
    sun = dd.SunAbraham(cluster="id").fit(PANEL, *COLUMNS)
    saturated = pf.event_study(PANEL, *COLUMNS, estimator="saturated", cluster="id").aggregate()
    for k in (-4, 0, 3):
        by_size = [own.loc[(g, g + k), "effect"] for g in (2014, 2015)]
        assert events[k] == pytest.approx(np.average(by_size, weights=[68, 36]), abs=1e-10)
        assert sun.event_study_effects[k]["effect"] == pytest.approx(events[k], abs=1e-10)
        assert saturated.loc[k, "Estimate"] == pytest.approx(events[k], abs=1e-8)
        assert sun.event_study_effects[k]["se"] == pytest.approx(saturated.loc[k, "Std. Error"], rel=1e-6)


@pytest.mark.reference
@pytest.mark.parametrize("frame", [PANEL, UNBALANCED], ids=["balanced", "unbalanced"])
def test_imputation_is_two_stage_is_dummies_on_untreated_cells(frame):
    fits = [estimator(cluster="id").fit(frame, *COLUMNS) for estimator in (dd.ImputationDiD, dd.TwoStageDiD)]
    gardner = pf.event_study(frame, *COLUMNS, estimator="did2s", cluster="id")
    dummies = pd.get_dummies(frame[["id", "year"]].astype(str), dtype=float).to_numpy()
    untreated = frame["d"].to_numpy() == 0
    beta = np.linalg.lstsq(dummies[untreated], frame["y"][untreated], rcond=None)[0]
    own = (frame["y"] - dummies @ beta)[~untreated].mean()
    assert [f.overall_att for f in fits] == pytest.approx([own, own], abs=1e-7)
    assert gardner.coef().iloc[0] == pytest.approx(own, abs=1e-5)  # its first stage stops there
    assert gardner.se().iloc[0] == pytest.approx(fits[1].overall_se, rel=1e-5)


def test_what_lessons_say_of_an_unbalanced_panel():
    """Each choice is another estimate, and the decomposition no longer adds up."""
    full = UNBALANCED.groupby("id")["id"].transform("size") == 21
    with pytest.warns(UserWarning, match="[Uu]nbalanced"):
        default = callaway_santanna(UNBALANCED).overall_att
    with pytest.warns(UserWarning, match="repeated-cross-section"):
        sections = callaway_santanna(UNBALANCED, allow_unbalanced_panel=True).overall_att
    complete = callaway_santanna(UNBALANCED[full]).overall_att
    numbers = [default, sections, complete]
    assert np.diff(sorted(numbers)).min() > 1e-3
    with pytest.warns(UserWarning, match="balanced panel"):
        bacon = dd.BaconDecomposition().fit(UNBALANCED, *COLUMNS)
    assert bacon.decomposition_error > 1e-3
    assert models.cohorts(UNBALANCED, "g", "id", "year")["complete"].sum() == UNBALANCED[full]["id"].nunique()


def test_pyfixest_takes_dates_from_the_cells_that_are_there():
    """A city whose first treated year is missing changes its cohort in the saturated event study."""
    holes = PANEL[(PANEL["id"] != 103) | (PANEL["year"] != 2015)]
    names = pf.event_study(holes, *COLUMNS, estimator="saturated", cluster="id")._coefnames
    assert any("2016" in name for name in names)
    assert set(dd.SunAbraham(cluster="id").fit(holes, *COLUMNS).groups) == {2014, 2015}


@pytest.mark.reference
def test_local_projections_over_gaps():
    """Differences have to be by year; pyfixest takes the row before, whatever its year."""
    wide = UNBALANCED.set_index(["id", "year"])[["y", "d"]].unstack("year")
    change = pd.DataFrame({name: wide[name].diff(axis=1).stack(future_stack=True) for name in ("y", "d")})
    change["untreated"] = wide["d"].stack(future_stack=True) == 0
    clean = change[(change["d"] == 1) | change["untreated"]].dropna().reset_index()
    by_year = pf.feols("y ~ d | year", clean, vcov={"CRV1": "id"})
    found = dd.LPDiD(pre_window=2, post_window=1).fit(UNBALANCED, "y", "id", "year", "d")
    at_0 = found.to_dataframe().set_index("horizon").loc[0]
    assert at_0["coefficient"] == pytest.approx(by_year.coef()["d"], abs=1e-8)
    assert at_0["se"] == pytest.approx(by_year.se()["d"], rel=1e-3)
    options = {"vcov": {"CRV1": "id"}, "pre_window": 2, "post_window": 1, "att": False}
    fits = {
        n: pf.lpdid(f, *COLUMNS, **options).tidy()["Estimate"]
        for n, f in (("all", PANEL), ("gaps", UNBALANCED))
    }
    full = dd.LPDiD(pre_window=2, post_window=1).fit(PANEL, "y", "id", "year", "d").to_dataframe()
    name = "time_to_treatment::0"
    assert fits["all"][name] == pytest.approx(full.set_index("horizon").loc[0, "coefficient"], abs=1e-8)
    assert abs(fits["gaps"][name] - at_0["coefficient"]) > 1e-3


@pytest.mark.reference
def test_bounds_without_curvature_extend_a_line_through_the_leads():
    """FLCI at M = 0 is generalised least squares with a linear trend that is zero at e = −1."""
    es = callaway_santanna(PANEL).aggregate("event_study")
    found = dd.HonestDiD(method="smoothness", M=0, l_vec=np.r_[1.0, np.zeros(9)]).fit(es)
    e = np.asarray(es.vcov_index)
    b = es.att[~es.is_reference].astype(float)
    x = np.column_stack([(e[:, None] == np.arange(10)).astype(float), e + 1.0])
    inverse = np.linalg.inv(es.vcov)
    spread = np.linalg.inv(x.T @ inverse @ x)
    centre, half = (spread @ x.T @ inverse @ b)[0], 1.959964 * np.sqrt(spread[0, 0])
    assert [found.ci_lb, found.ci_ub] == pytest.approx([centre - half, centre + half], abs=1e-5)
    wider = dd.HonestDiD(method="smoothness", M=0.02, l_vec=np.r_[1.0, np.zeros(9)]).fit(es)
    assert wider.ci_lb < found.ci_lb and wider.ci_ub > found.ci_ub


@pytest.mark.reference
def test_power_of_the_pretest_is_a_normal_probability():
    """Roth (2022): the chance that some lead is significant when trends diverge by γ a year."""
    es = callaway_santanna(PANEL).aggregate("event_study")
    leads = [-5, -4, -3, -2]
    found = dd.PreTrendsPower(power=0.8).fit(es, pre_periods=leads)
    places = np.flatnonzero(np.isin(es.vcov_index, leads))
    cov = es.vcov[np.ix_(places, places)]
    box = stats.norm.ppf(0.975) * np.sqrt(np.diag(cov))

    def power(slope):
        normal = stats.multivariate_normal(slope * (np.array(leads) + 1), cov, seed=0)
        return 1 - normal.cdf(box, lower_limit=-box)

    assert power(found.mdv) == pytest.approx(0.8, abs=1e-4)
    assert found.power_at(0.02) == pytest.approx(power(0.02), abs=1e-4)


# --- cohorts ---------------------------------------------------------------------------------------------


def test_cohorts_count_units_and_cells():
    table = models.cohorts(UNBALANCED, "g", "id", "year", treatment="d", columns=["y", "x"])
    assert table.index.to_list() == [2014, 2015, "never"]
    assert table["units"].to_list() == [68, 36, 186]
    assert table["cells"].sum() == len(UNBALANCED) and table["treated"].sum() == UNBALANCED["d"].sum()
    full = UNBALANCED.groupby("id").size() == 21
    assert table["complete"].sum() == full.sum()
    as_levels = UNBALANCED.assign(d=UNBALANCED["d"] == 1).set_index(["id", "year"])
    pd.testing.assert_frame_equal(models.cohorts(as_levels, "g", "id", "year", treatment="d"), table)


def changed(**columns):
    return PANEL.assign(**columns)


def moved(year):
    """The cohort of 2014 starts in another year."""
    g = PANEL["g"].replace(2014, year)
    return changed(g=g, d=((g > 0) & (PANEL["year"] >= g)).astype(int))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (PANEL[PANEL["g"] > 0], ValueError, "no unit is never treated"),
        (PANEL[(PANEL["g"] != 2015) | (PANEL["id"] == 70)], ValueError, "cohort 2015 has 1 unit.*70"),
        (
            changed(d=PANEL["d"] * (PANEL["year"] < 2020)),
            ValueError,
            "for id 0 in year 2020.*must not switch off",
        ),
        (changed(g=PANEL["g"].where(PANEL["year"] < 2020, 0)), ValueError, "varies within id 0"),
        (changed(g=PANEL["g"].replace(0, np.nan)), ValueError, "missing value.*'g'"),
        (moved(2003), ValueError, "not after the first year 2003"),
        (moved(2030), ValueError, "up to the last 2023"),
        (changed(y=PANEL["y"].astype(str)), TypeError, "'y' is not numeric"),
        (changed(year=PANEL["year"].astype(str)), TypeError, "'year' is not numeric"),
        (changed(d=PANEL["d"].map({0: "no", 1: "yes"})), TypeError, "'d' is not numeric"),
        (changed(y=PANEL["y"].where(PANEL.index != 7)), ValueError, "row 7, column 'y'"),
        (changed(id=PANEL["id"].where(PANEL.index != 7)), ValueError, "unit 'id' is missing in row 7"),
        (pd.concat([PANEL, PANEL.iloc[[5]]]), ValueError, "id 0 has year 2008 more than once"),
        (PANEL.drop(columns="g"), ValueError, "'g'"),
        (PANEL.to_numpy(), TypeError, "DataFrame"),
    ],
)
def test_cohorts_refuse(data, error, message):
    with pytest.raises(error, match=message):
        models.cohorts(data, "g", "id", "year", treatment="d", columns=["y"])


# --- randomisation ---------------------------------------------------------------------------------------


SMALL = UNBALANCED[UNBALANCED["id"] % 5 == 0].reset_index(drop=True)
FORMULA = "y ~ d + x | id + year"


def loop(frame, deals, formula=FORMULA):
    """pyfixest on each deal: coefficient, t with HC1, t clustered."""
    rows = []
    for treated in deals:
        fit = pf.feols(formula, frame.assign(d=np.asarray(treated, dtype=float)), fixef_rm="none")
        t = [fit.vcov(kind).tstat()["d"] for kind in ("HC1", {"CRV1": "id"})]
        rows.append([fit.coef()["d"], *t])
    return np.array(rows)


@pytest.mark.reference
@pytest.mark.parametrize("frame", [PANEL[PANEL["id"] % 5 == 0], SMALL], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize("formula", [FORMULA, "y ~ d | id + year", "y ~ d + x | year"])
def test_placebos_equal_pyfixest_in_a_loop(frame, formula):
    ours = models.randomisation_test(frame, formula, "d", "g", "id", "year", draws=6, seed=3)
    first = frame.groupby("id", sort=False)["g"].first()
    dealt = np.random.default_rng(3).permuted(np.tile(first, (6, 1)), axis=1)
    starts = [frame["id"].map(dict(zip(first.index, deal, strict=True))) for deal in dealt]
    peers = loop(frame, [(g > 0) & (frame["year"] >= g) for g in starts], formula)
    np.testing.assert_allclose(ours.draws, peers, rtol=1e-7, atol=1e-8)
    observed = loop(frame, [frame["d"]], formula)[0]
    np.testing.assert_allclose(ours.observed, observed, rtol=1e-7)
    extreme = (np.abs(peers) >= np.abs(observed)).sum(axis=0)
    np.testing.assert_allclose(ours.p, (1 + extreme) / 7)


def test_given_deals_are_matched_by_label():
    first = SMALL.groupby("id")["g"].first()
    deals = pd.DataFrame([first.to_numpy(), np.roll(first, 1), np.roll(first, 7)], columns=first.index)
    ours = models.randomisation_test(
        SMALL, FORMULA, "d", "g", "id", "year", assignments=deals[first.index[::-1]]
    )
    starts = [SMALL["id"].map(deal) for _, deal in deals.iterrows()]
    peers = loop(SMALL, [(g > 0) & (SMALL["year"] >= g) for g in starts])
    np.testing.assert_allclose(ours.draws, peers, rtol=1e-7)
    larger = (np.abs(peers) >= np.abs(peers[0]) - 1e-9).sum(axis=0)
    assert ours.contained
    np.testing.assert_allclose(ours.p, larger / 3)
    without = models.randomisation_test(SMALL, FORMULA, "d", "g", "id", "year", assignments=deals[1:])
    assert not without.contained
    np.testing.assert_allclose(without.p, larger / 3)  # (1 + #)/(1 + 2): the observed deal is added


def few(units, counts, seed=0, rho=0.7):
    """Units × 2013–2022 without any effect; `counts` units start in each year."""
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(units, 10))
    for t in range(1, 10):
        errors[:, t] = rho * errors[:, t - 1] + np.sqrt(1 - rho**2) * errors[:, t]
    rows = pd.MultiIndex.from_product([range(units), range(2013, 2023)], names=["id", "year"])
    frame = pd.DataFrame({"y": errors.ravel(), "x": rng.normal(size=len(rows))}, rows).reset_index()
    starts = [year for year, n in counts.items() for _ in range(n)]
    frame["g"] = frame["id"].map(dict(enumerate(starts))).fillna(0).astype(int)
    return frame.assign(d=((frame["g"] > 0) & (frame["year"] >= frame["g"])).astype(int))


def test_every_deal_once():
    frame = few(6, {2015: 1, 2019: 2})
    ours = models.randomisation_test(frame, FORMULA, "d", "g", "id", "year", assignments="all")
    deals = {
        tuple(2015 if i == a else 2019 if i in pair else 0 for i in range(6))
        for a in range(6)
        for pair in combinations(set(range(6)) - {a}, 2)
    }
    assert len(ours.draws) == len(deals) == 60 and ours.contained
    given = pd.DataFrame(sorted(deals), columns=range(6))
    peer = models.randomisation_test(frame, FORMULA, "d", "g", "id", "year", assignments=given)
    for column in ours.draws:
        np.testing.assert_allclose(np.sort(ours.draws[column]), np.sort(peer.draws[column]), atol=1e-9)
    pd.testing.assert_series_equal(ours.p, peer.p)
    assert (
        ours.p["coefficient"]
        == (ours.draws["coefficient"].abs() >= abs(ours.observed.iloc[0]) - 1e-12).mean()
    )


def test_all_51_480_deals_of_thirteen_cities():
    ours = models.randomisation_test(
        few(13, {2015: 1, 2019: 4, 2020: 1}), FORMULA, "d", "g", "id", "year", assignments="all"
    )
    assert len(ours.draws) == 51_480 and not ours.draws.isna().to_numpy().any()
    assert ours.p.min() >= 1 / 51_480


def test_shuffled_cells_are_too_narrow():
    cities, cells = (
        models.randomisation_test(PANEL, FORMULA, "d", "g", "id", "year", assignments=kind, draws=200, seed=1)
        for kind in ("units", "cells")
    )
    assert cells.draws["coefficient"].std() < 0.5 * cities.draws["coefficient"].std()
    assert cities.rejected["t_hc1"] > 0.2 and cities.rejected["t_cluster"] < 0.1
    html = cities._repr_html_()
    assert "200 assignments (units)" in html and f"{cities.p['t_cluster']:.4f}" in html


@pytest.mark.simulation
def test_size_under_serial_correlation():
    """No effect, errors AR(0.8): HC1 rejects a multiple of 5 %, clustering and the ranked t do not."""
    p, t = [], []
    for seed in range(200):
        frame = few(40, {2016: 8, 2018: 6}, seed, rho=0.8)
        test = models.randomisation_test(frame, FORMULA, "d", "g", "id", "year", draws=99, seed=seed)
        p.append(test.p)
        t.append(test.observed[["t_hc1", "t_cluster"]].abs() > 1.96)
    size = pd.concat([(pd.DataFrame(p) <= 0.05).mean(), pd.DataFrame(t).mean().add_prefix("normal_")])
    assert size["normal_t_hc1"] > 0.2
    assert size["normal_t_cluster"] < 0.12
    assert size[["coefficient", "t_hc1", "t_cluster"]].between(0.02, 0.09).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"seed": None}, ValueError, "need a seed"),
        ({"draws": 0}, ValueError, "draws=0"),
        ({"assignments": "rows"}, ValueError, "'rows' is not one of"),
        ({"assignments": "all"}, ValueError, "too many to enumerate"),
        (
            {"assignments": pd.DataFrame([[0, 2015]], columns=[0, 5])},
            ValueError,
            "one column for each of the 58",
        ),
        (
            {"assignments": pd.DataFrame(0, [0], SMALL["id"].unique())},
            ValueError,
            "no variation left in 1 of 1",
        ),
        ({"coefficient": "x2"}, ValueError, "neither among the columns"),
        ({"data": SMALL.assign(d=SMALL["d"] * (SMALL["year"] < 2020))}, ValueError, "must not switch off"),
        ({"data": SMALL.assign(g=SMALL["g"].astype(str))}, TypeError, "'g' is not numeric"),
        ({"data": SMALL.assign(x=SMALL["x"].where(SMALL.index != 5))}, ValueError, "row 5, column 'x'"),
        ({"data": pd.concat([SMALL, SMALL.iloc[[5]]])}, ValueError, "more than once"),
        ({"formula": "y ~ d + g | id + year"}, ValueError, "'g' is constant or collinear"),
    ],
)
def test_randomisation_refuses(change, error, message):
    choice = {"data": SMALL, "formula": FORMULA, "coefficient": "d", "dates": "g", "draws": 9, "seed": 0}
    with pytest.raises(error, match=message):
        models.randomisation_test(**choice | {"unit": "id", "time": "year"} | change)


# --- matching --------------------------------------------------------------------------------------------


def matching_data(name):
    frame = pd.read_csv(ORACLES / "data" / ("lalonde.csv" if name == "lalonde" else "matching.csv"))
    if name == "simulated":
        return frame[["size", "income", "coast", "growth"]], frame["treated"], frame["outcome"]
    race = pd.get_dummies(frame["race"], prefix="race", prefix_sep="", dtype=int)
    plain = ["age", "educ", "married", "nodegree", "re74", "re75"]
    return race.join(frame[plain]), frame["treat"], frame["re78"]


def scores(name):
    x, treated, _ = matching_data(name)
    x = x.drop(columns="raceblack", errors="ignore")
    logit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=200).fit(x, treated)
    return pd.Series(logit.predict_proba(x)[:, 1], x.index), pd.Series(logit.coef_[0], x.columns)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["lalonde", "simulated"])
def test_scikit_learn_scores_are_those_of_r(name):
    score, slopes = scores(name)
    np.testing.assert_allclose(score, r_matching(name, "propensity"), atol=1e-6)
    printed = r_matching(name, "logit_coef").drop("(Intercept)")
    np.testing.assert_allclose(slopes[printed.index], printed, rtol=1e-6)


@pytest.mark.reference
@pytest.mark.parametrize("caliper", [False, True], ids=["all", "caliper"])
@pytest.mark.parametrize(("name", "k"), [("lalonde", 1), ("simulated", 1), ("simulated", 3)])
def test_matching_is_that_of_r(name, k, caliper):
    """`lalonde` has tied scores; R has its reference with ties shared for one neighbour only."""
    case = f"{name}_{'k3_' if k == 3 else ''}{'caliper_' if caliper else ''}with_replacement"
    x, treated, outcome = matching_data(name)
    score = scores(name)[0]
    width = 0.2 * score.std() if caliper else None
    if caliper:
        assert width == pytest.approx(r_matching(case, "caliper_width").iloc[0], rel=1e-6)
    weights = models.match_nearest(score, treated, neighbours=k, caliper=width)
    one, other = (np.average(outcome[treated == d], weights=weights[treated == d]) for d in (1, 0))
    expected = r_matching(case, "att_ties_averaged" if k == 1 else "att").iloc[0]
    assert one - other == pytest.approx(expected, rel=1e-8)
    assert weights[treated == 1].sum() == r_matching(case, "n")["treated"]
    assert weights[treated == 0].sum() == pytest.approx(r_matching(case, "n")["treated"])
    table = models.balance(x.assign(distance=score), treated, weights)
    before = r_matching(name, "balance_before").rename(lambda term: term.split(":")[0])
    np.testing.assert_allclose(table["smd"][before.index], before, rtol=1e-6)
    if name == "simulated":
        after = r_matching(case, "balance_after").rename(lambda term: term.split(":")[0])
        np.testing.assert_allclose(table["smd_after"][after.index], after, rtol=1e-5)
    pd.testing.assert_frame_equal(models.balance(x, treated), table.iloc[:-1, :3])


def test_ties_do_not_hang_on_the_order_of_rows():
    score = pd.Series([0.5, 0.6, 0.4, 0.4 + 1e-15, 0.6 - 1e-15, 0.9])
    treated = pd.Series([1, 0, 0, 0, 0, 0])
    assert models.match_nearest(score, treated).to_list() == [1, 0.25, 0.25, 0.25, 0.25, 0]
    assert models.match_nearest(score, treated, neighbours=3).to_list() == [1, 0.25, 0.25, 0.25, 0.25, 0]
    x, d, _ = matching_data("lalonde")
    lalonde = scores("lalonde")[0]
    mixed = lalonde.sample(frac=1, random_state=0)
    again = models.match_nearest(mixed, d[mixed.index])
    pd.testing.assert_series_equal(again.sort_index(), models.match_nearest(lalonde, d))


SCORE, SIDE = pd.Series([0.2, 0.5, 0.4, 0.9]), pd.Series([1, 1, 0, 0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"score": SCORE.astype(str)}, TypeError, "not numeric"),
        ({"score": SCORE.where(SCORE > 0.3)}, ValueError, "missing"),
        ({"score": SCORE.to_numpy()}, TypeError, "Series"),
        ({"treated": SIDE + 1}, ValueError, "0 or 1, it is 2 in row 0"),
        ({"treated": SIDE * 0}, ValueError, "both needed"),
        ({"treated": SIDE[::-1]}, ValueError, "another index"),
        ({"treated": [1, 1, 0, 0]}, TypeError, "Series"),
        ({"neighbours": 3}, ValueError, "neighbours=3"),
        ({"caliper": 0}, ValueError, "caliper=0"),
        ({"caliper": 0.01}, ValueError, "no treated row"),
    ],
)
def test_matching_refuses(change, error, message):
    with pytest.raises(error, match=message):
        models.match_nearest(**{"score": SCORE, "treated": SIDE} | change)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"covariates": pd.DataFrame({"x": list("abcd")})}, TypeError, "'x' is not numeric"),
        ({"covariates": pd.DataFrame({"x": [1, 1, 2, 3]})}, ValueError, "'x' does not vary"),
        ({"treated": SIDE.where(SIDE == 1)}, ValueError, "0 or 1"),
        ({"weights": pd.Series([1, 1, -1, 2])}, ValueError, "negative"),
        ({"weights": pd.Series([1, 1, 0, 0])}, ValueError, "some must be left"),
        ({"weights": pd.Series([1, 1, 1, 1], list("abcd"))}, ValueError, "another index"),
    ],
)
def test_balance_refuses(change, error, message):
    with pytest.raises(error, match=message):
        models.balance(**{"covariates": SCORE.to_frame("x"), "treated": SIDE} | change)
