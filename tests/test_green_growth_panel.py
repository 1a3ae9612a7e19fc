"""The panel of green-growth: sample, both indices from raw columns, printed moments, worlds, students' panels, own data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from engine import CalibrationError
from engine.space import spread
from green_growth import (
    CLUSTERS,
    HEAVY,
    KNOTS,
    PAPER,
    Sample,
    Seen,
    between,
    choose,
    mean_row,
    settle,
)

import regionbook as rb
from regionbook.data import worlds
from regionbook.exercises.personal import seed
from regionbook.papers import green_growth as paper
from regionbook.papers.green_growth import BAD, CONTROLS, INPUTS, OUTPUT, closed_score, frontier, redrawn
from regionbook.paths import data_file

SLUG = "green-growth"
ALL = [None, "attenuation", "no-effect"]
X = " + ".join(CONTROLS)


@pytest.fixture(scope="module")
def panel():
    return rb.load(SLUG)


@pytest.fixture(scope="module")
def data(panel):
    return rb.prepare(SLUG, panel)


def slope(data: pd.DataFrame, formula: str, term: str = "NP", **how) -> float:
    return float(pf.feols(formula, data.reset_index(), **how).coef()[term])


def test_sample_is_the_printed_one(data):
    """Cities, years, groups of Table 7; members of the five agglomerations by the usual lists."""
    flat = data.reset_index()
    n = rb.published(SLUG).fit.query("stat == 'N'").set_index(["table", "column"])["value"]
    assert flat["city"].nunique() == 272 and (flat["year"].min(), flat["year"].max()) == (2011, 2022)
    for column, rows in zip(
        "1234", ("high_market == 1", "high_market == 0", "member == 1", "member == 0"), strict=True
    ):
        assert len(flat.query(rows)) == n["7", column]
    assert flat.query("municipality == 0")["city"].nunique() * 12 == n["5", "3"]
    sizes = flat.drop_duplicates("city")["cluster"].value_counts()
    assert sizes.drop("none").to_dict() == dict(zip(CLUSTERS, (13, 41, 9, 16, 28), strict=True))
    assert (
        not flat["city_zh"].isin(["伊春市", "铜仁市", "毕节市"]).any()
    )  # changed their rank, as the paper says


def test_cities_join_with_the_map(panel):
    real = pd.read_csv(data_file("geo", "units.csv")).set_index("code")
    cities = panel.reset_index().drop_duplicates("city").set_index("code")
    assert (
        real.loc[cities.index, "name_en"] == cities["city"]
    ).all() and cities.index.is_monotonic_increasing
    assert np.allclose(real.loc[cities.index, "area_km2"], cities["land_area"])


def test_neighbours_are_those_of_the_map(data):
    w = paper.weights(data)
    codes = data["code"].groupby(level=0, sort=False).first().astype(str)
    graph = rb.geo.contiguity(codes.tolist()).transform("r").sparse.toarray()
    assert np.array_equal(w.to_numpy(), graph) and np.allclose(w.sum(axis=1), 1)
    few = data[data["province"].isin(["Zhejiang", "Yunnan"])]  # another set of cities: from the map
    assert np.allclose(paper.weights(few).sum(axis=1), 1) and len(paper.weights(few)) == 16


def test_raw_columns_hang_together(panel):
    assert (panel["primary"] + panel["secondary"] + panel["tertiary"] == panel["gdp"]).all()
    assert (panel[["primary", "secondary", "tertiary"]] > 0).all(axis=None)
    budget = (panel["education_exp"] + panel["science_exp"]) / panel["fiscal_exp"]
    assert budget.between(0.05, 0.65).all()
    assert (panel["income_urban"] > panel["income_rural"]).all() and (
        panel["spending_urban"] > panel["spending_rural"]
    ).all()
    assert (panel["green_granted"] > panel["green_applied"]).mean() < 0.25
    for name in ("students", "digital_patents", "ai_firms", "green_applied", "green_granted"):
        assert panel[name].dtype == "int64"
    steps = np.log(panel[["gdp", "real_gdp", "population"]]).groupby(level=0).diff()
    assert steps.abs().max().max() < 0.2


@pytest.mark.parametrize("world", ALL)
def test_all_programmes_give_the_index(world):
    """3,264 programmes of super-efficiency with bad outputs on one frontier; 2011 = 1; eleven units span the frontier."""
    data = rb.prepare(SLUG, rb.load(SLUG, world=world))
    found = rb.models.global_malmquist(data, INPUTS, OUTPUT, BAD, returns="vrs")
    assert np.abs(found.index - data["IGG"]).max() < 5e-5 and not found.reasons
    knots = [tuple(k) for k in rb.truth(SLUG, world)["knots"]]
    assert len(knots) == KNOTS and set(found.scores.index[found.scores > 1 - 1e-7]) == set(knots)
    assert (data["IGG"].xs(2011, level="year") == 1).all()
    need = frontier(
        data, rb.truth(SLUG, world)["knots"]
    )  # the closed form agrees with the programmes off the frontier
    share = (need / data[[*INPUTS, *BAD]]).to_numpy()
    lack = np.maximum(data.loc[knots[0], "real_gdp"] / data["real_gdp"] - 1, 0).to_numpy()
    off = ~data.index.isin(knots)
    assert np.allclose(closed_score(share, lack)[off], found.scores[off], atol=1e-6)


def test_new_quality_is_topsis_of_the_indicators(data):
    t = paper.index(data)
    assert np.allclose(data["NP"], 10 * t.score) and t.weights.sum() == pytest.approx(1)
    assert t.weights["digital_patents"] > 5 * t.weights["broadband"]  # totals of size weigh, ratios hardly
    assert data["NP"].idxmax() == ("Beijing", 2022)


@pytest.mark.parametrize("world", ALL)
def test_table_3(world):
    data = rb.prepare(SLUG, rb.load(SLUG, world=world))
    for name, row in rb.published(SLUG).descriptives.set_index("variable").iterrows():
        x = data[name]
        assert x.mean() == pytest.approx(row["mean"], rel=0.01), name
        assert x.std() == pytest.approx(row["sd"], rel=0.01), name
        assert x.min() == pytest.approx(row["min"], abs=0.02) and x.max() == pytest.approx(
            row["max"], rel=0.01
        ), name


@pytest.mark.parametrize("world", ALL)
def test_table_9(world):
    """Moran's I to three digits; z within a tenth (our graph has some more links); no I in the year in which all are one."""
    found = paper.printed_tables(rb.prepare(SLUG, rb.load(SLUG, world=world)))["9"]
    other = (
        rb.published(SLUG).other.query("table == '9'").pivot(index="row", columns="column", values="value")
    )
    assert np.isnan(found.loc["2011", ["IGG Moran's I", "IGG Z"]]).all()
    for name in ("NP", "IGG"):
        kept = found.index[found[f"{name} Z"].notna()]
        assert np.allclose(
            found.loc[kept, f"{name} Moran's I"], other.loc[kept, f"{name} Moran's I"], atol=6e-4
        )
        assert np.allclose(found.loc[kept, f"{name} Z"], other.loc[kept, f"{name} Z"], rtol=0.1)


@pytest.mark.parametrize("world", ALL)
def test_every_imposed_number_of_the_binding_tier_is_met(world):
    targets = pd.DataFrame(rb.truth(SLUG, world)["targets"])
    binding = targets[targets["tier"].eq("binding") & targets["status"].ne("free")]
    assert len(binding) > 50 and (binding["verdict"] == "met").all()


def test_rival_worlds_have_other_outcomes_and_another_truth(panel):
    assert worlds(SLUG) == sorted(PAPER.worlds)
    drawn = {
        *INPUTS[:2],
        "energy",
        *BAD[:3],
        "income_urban",
        "spending_urban",
        "unemployment",
        "growth_index",
    }
    for world in worlds(SLUG):
        rival = rb.load(SLUG, world=world)
        assert {k for k in panel if not panel[k].equals(rival[k])} == drawn
        assert rb.truth(SLUG, world)["parameters"] == PAPER.worlds[world]
    effects = {w: rb.truth(SLUG, w)["effect"] for w in ALL}
    assert effects["no-effect"] == 0 < effects[None] < 0.25 < 1.1 < effects["attenuation"]


@pytest.mark.parametrize("world", ALL)
def test_what_tells_the_worlds_apart(world):
    """Least squares and 2SLS do not; a control, a second measure and cities that relief does not move do."""
    data, truth = rb.prepare(SLUG, rb.load(SLUG, world=world)), rb.truth(SLUG, world)
    printed = rb.published(SLUG).estimates.set_index(["table", "column", "term"])["estimate"]
    assert slope(data, f"IGG ~ NP + {X} | city + year") == pytest.approx(printed["4", "4", "NP"], abs=1e-3)
    assert slope(data, f"IGG ~ {X} | city + year | NP ~ terrain") == pytest.approx(
        printed["6", "3", "NP"], abs=2e-3
    )
    beside = slope(data, f"IGG ~ NP + attention + {X} | city + year")
    second = slope(data, f"IGG ~ {X} | city + year | NP ~ second_measure")
    light = data[~data["city_zh"].isin(list(HEAVY))]
    moved, passed = (slope(light, f"{y} ~ terrain + {X} | city + year", "terrain") for y in ("NP", "IGG"))
    if world == "no-effect":
        assert beside == pytest.approx(0, abs=2e-3)
        assert slope(data, f"IGG ~ NP + attention + {X} | city + year", "attention") == pytest.approx(
            truth["attention"], rel=0.01
        )
    else:
        assert beside == pytest.approx(printed["4", "4", "NP"], abs=2e-3)
        assert second == pytest.approx(truth["effect"], abs=3e-3)
        assert passed == pytest.approx(truth["effect"] * moved + truth["relief_direct"], abs=1e-4)
    if world is None:
        assert slope(data, f"IGG ~ NP + terrain + {X} | city + year") == pytest.approx(
            truth["effect"], abs=2e-3
        )
        through = truth["grants"] * slope(data, f"grant ~ NP + {X} | city + year")
        assert truth["effect"] - truth["direct"] == pytest.approx(through, rel=0.02)


def test_errors_of_one_instrument_differ(data):
    """Conventional, robust and clustered F of the same first stage."""
    flat = data.reset_index()

    def first(**how) -> float:
        return rb.models.kleibergen_paap(flat, "NP", ["terrain"], CONTROLS, ["city", "year"], **how).f

    printed = rb.published(SLUG).fit.query("stat == 'Kleibergen-Paap rk Wald F'")["value"].iloc[0]
    assert first(cov="robust") == pytest.approx(printed, rel=0.01)
    assert first(cov="iid") > 100 and first(cov="cluster", clusters="city") < 10


def test_six_cities_carry_most_of_the_weight(data):
    n = pf.feols(f"NP ~ {X} | city + year", data.reset_index()).resid() ** 2
    share = pd.Series(n, data.index).groupby(level=0).sum().sort_values(ascending=False) / n.sum()
    assert share.iloc[:6].sum() > 0.5 and {"Beijing", "Shenzhen", "Chongqing"} < set(share.index[:6])


def test_a_split_by_city_would_leave_more_variation_than_the_printed_errors(data):
    """Table 7 (1) and (2): net sums of squares of NP are s2 over the squared error; city-years lose variation between."""
    mean = data["market_index"].groupby(level=0).transform("mean")
    by_city = (mean >= mean.median()) * 1
    total = {}
    for name, group in (("city-year", data["high_market"]), ("city", by_city)):
        parts = [pf.feols(f"NP ~ {X} | city + year", data[group == g].reset_index()).resid() for g in (0, 1)]
        total[name] = sum(float((e**2).sum()) for e in parts)
    assert total["city-year"] < 0.8 * total["city"]


@pytest.mark.parametrize("student", ["20260001", "20260013", "137"])
def test_a_students_panel_keeps_both_indices(panel, student):
    """IGG and what it is computed from are drawn together; NP stays; slopes go with the factor."""
    own, truth = redrawn(panel, rb.truth(SLUG), seed(SLUG, student))
    data, before = rb.prepare(SLUG, own), rb.prepare(SLUG, panel)
    assert data["NP"].equals(before["NP"]) and not data["IGG"].equals(before["IGG"])
    found = rb.models.global_malmquist(data, INPUTS, OUTPUT, BAD, returns="vrs").index
    assert np.abs(found - data["IGG"]).max() < 5e-5
    wanted = truth["factor"] * slope(before, f"IGG ~ NP + {X} | city + year")
    assert slope(data, f"IGG ~ NP + {X} | city + year") == pytest.approx(wanted, rel=0.05)
    assert truth["effect"] == pytest.approx(truth["factor"] * rb.truth(SLUG)["effect"], abs=1e-5)


def test_settle_meets_rows_or_says_which_fail():
    rng = np.random.default_rng(0)
    y, give = rng.uniform(1, 2, Sample().swept(np.ones(3264)).size), between(0, 3)
    moved = settle(y, {"mean": mean_row(1.6), "spread": spread(0.2)}, give)
    assert moved.mean() == pytest.approx(1.6) and moved.std(ddof=1) == pytest.approx(0.2)
    with pytest.raises(CalibrationError, match=r"2 rows are not met together: .*(mean|again)"):
        settle(y, {"mean": mean_row(1.6), "again": mean_row(1.7)}, give, rounds=20)


def test_rows_agree_with_pyfixest(data):
    """Slope, residual sum of squares, robust error and R2 that the generator aims at are those of the field's library."""
    at = (data["member"] == 1).to_numpy()
    fit = Seen(Sample(at), data[["NP", *CONTROLS]].to_numpy())
    y = data["IGG"].to_numpy()
    theirs = pf.feols(f"IGG ~ NP + {X} | city + year", data[at].reset_index(), vcov="HC1", fixef_rm="none")
    assert fit.slope(0, float(theirs.coef()["NP"]))(y)[0] == pytest.approx(0, abs=1e-10)
    assert fit.squares(float((theirs.resid() ** 2).sum()))(y)[0] == pytest.approx(0, abs=1e-6)
    assert fit.robust(0, float(theirs.se()["NP"]))(y)[0] == pytest.approx(
        0, abs=1e-4 * theirs.se()["NP"] ** 2
    )
    assert fit.explained(r2(y, at, theirs.resid()))(y)[0] == pytest.approx(0, abs=1e-6)


def r2(y: np.ndarray, at: np.ndarray, e: np.ndarray) -> float:
    z = y[at].reshape(-1, 12)
    return 1 - float(e @ e) / float(((z - z.mean(1, keepdims=True)) ** 2).sum())


def test_the_largest_economy_has_to_be_at_its_best_last():
    y = np.tile(np.arange(1.0, 13.0), 272)
    with pytest.raises(CalibrationError, match="largest economy and at its best in the last year"):
        choose(y, np.ones((272, 12)))


@pytest.mark.parametrize("column", ["growth_index", "gdp", "energy", "income_rural", "secondary"])
def test_what_is_divided_by_or_logged_is_positive(column):
    own = rb.load(SLUG).reset_index()
    own.loc[5, column] = 0
    with pytest.raises(
        rb.data.DataError, match=rf"column {column}: 1 value beyond the minimum .*position 5: 0"
    ):
        rb.load(SLUG, source=own)


def test_own_data_without_our_two_columns_will_do():
    own = rb.load(SLUG).reset_index().drop(columns=["second_measure", "attention"])
    assert "second_measure" not in rb.prepare(SLUG, rb.load(SLUG, source=own))
