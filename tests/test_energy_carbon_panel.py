"""The panel of energy-carbon: identities, effects that are known, arithmetic on the print, the rival world, own data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from energy_carbon import NAMES, PAPER
from engine import draw

import regionbook as rb
from regionbook.comparison import printed_cells
from regionbook.exercises.personal import personal, personal_truth
from regionbook.models import tree_importances
from regionbook.papers import energy_carbon as paper

SLUG, RIVAL = "energy-carbon", "heavy-industry"
STUDENTS = [str(20260001 + k) for k in range(6)]


@pytest.fixture(scope="module")
def data():
    return rb.prepare(SLUG)


@pytest.fixture(scope="module")
def tables(data):
    return paper.printed_tables(data)


def effect_of_credit(data, *beside):
    """Two-way regression of the logarithm of energy intensity with what truly acts, clustered by province."""
    d = data.reset_index().assign(log=np.log(data["energy_efficiency"].to_numpy()))
    d["rich"], d["bend"] = np.log(d["gdp_pc"]), np.maximum(d["secondary"] - paper.BEND, 0)
    right = " + ".join(["green_credit", "bend", "rich", *beside])
    return pf.feols(f"log ~ {right} | province + year", d, vcov={"CRV1": "province"})


# ------------------------------------------------------------------------------------------------------ the panel
def test_thirty_provinces_of_the_map_and_plausible_columns(data):
    first = data.reset_index().drop_duplicates("province").set_index("code")
    of_map = rb.geo.units("province").loc[first.index.astype(str), "name_en"]
    assert of_map.tolist() == first["province"].tolist() == NAMES and len(data) == 600
    assert "Tibet" not in NAMES
    assert (data.select_dtypes("number") > 0).all(axis=None)
    for share in ("urban", "secondary", "fiscal_ratio", "green_credit", "green_industry", "heavy_share"):
        assert data[share].between(1, 95).all(), share
    total = data.groupby("year")[["energy_total", "carbon_total"]].sum()
    assert total["energy_total"].between(150_000, 700_000).all() and total["carbon_total"].iloc[-1] < 15_000
    log = np.log(data["energy_efficiency"])
    between = log.groupby("province").mean().var()
    assert (
        between
        > 3 * (log - log.groupby("province").transform("mean") - log.groupby("year").transform("mean")).var()
    )


def test_identities_hold_exactly(data):
    assert np.allclose(data["energy_efficiency"] * data["gdp_real"], data["energy_total"])
    assert np.allclose(data["carbon_efficiency"] * data["gdp_real"] / 100, data["carbon_total"])
    assert np.allclose(data["gdp_pc"] * data["population"], data["gdp_real"])
    factor = 100 * data["carbon_total"] / data["energy_total"]
    assert factor.between(1, 4.2).all()  # t of CO2 over t of coal


def test_features_and_a_target_that_is_none():
    for target in paper.TARGETS:
        assert len(paper.features(target)) == 14 and target not in paper.features(target)
        assert set(paper.printed(target).index[:-3]) < set(paper.features(target))
    with pytest.raises(ValueError, match="'co2' is no target; they are energy_total"):
        paper.features("co2")


# ----------------------------------------------------------------------------------------------------- known effects
def test_effects_are_found_where_they_are_and_nowhere_else(data):
    m, true = (
        effect_of_credit(data, "patents", "green_industry", "env_fiscal", "urban"),
        rb.truth(SLUG)["effects"],
    )
    low, high = m.confint().T.to_numpy()
    found = dict(zip(m.coef().index, zip(low, high, strict=True), strict=True))
    for name, key in {"green_credit": "green_credit", "bend": "bend", "rich": "gdp_pc"}.items():
        assert found[name][0] < true[key] < found[name][1], name
    for name in ("patents", "green_industry", "env_fiscal", "urban"):
        assert true[name] == 0 and found[name][0] < 0 < found[name][1], name


@pytest.mark.simulation
def test_the_effect_is_covered_in_other_draws():
    inside, shipped = [], paper.EFFECTS["green_credit"]
    for seed in range(1, 9):
        table = draw(PAPER, seed).panel.set_index(["province", "year"])
        low, high = effect_of_credit(paper.prepare(table)).confint().loc["green_credit"]
        inside.append(low < shipped < high)
    assert sum(inside) >= 6


def test_the_rival_world_has_the_same_columns_and_another_cause():
    shipped, rival = rb.load(SLUG), rb.load(SLUG, world=RIVAL)
    assert [k for k in shipped if not shipped[k].equals(rival[k])] == ["heavy_share"]
    one, two = (effect_of_credit(rb.prepare(SLUG, p), "heavy_share") for p in (shipped, rival))
    true = paper.EFFECTS["green_credit"]
    assert one.coef()["green_credit"] == pytest.approx(true, abs=2 * one.se()["green_credit"])
    assert abs(one.tstat()["heavy_share"]) < 2.5
    assert abs(two.coef()["green_credit"]) < 2 * two.se()["green_credit"] and two.tstat()["heavy_share"] > 10
    assert rb.truth(SLUG)["effects"]["green_credit"] == true
    assert rb.truth(SLUG, RIVAL)["effects"]["green_credit"] == 0
    assert two.coef()["heavy_share"] == pytest.approx(rb.truth(SLUG, RIVAL)["heavy_share"], abs=0.001)


# --------------------------------------------------------------------------------------------------------- the print
def test_every_number_of_tables_2_and_3_has_one_of_ours(tables):
    for name, found in tables.items():
        compared = rb.compare(SLUG, name, found)
        assert len(compared.cells) == 160 and compared.counts["not_attempted"] == 0
        assert compared.counts["imposed"] == 0
    cells = printed_cells(SLUG)
    assert cells["imposed"].sum() == 4  # first and last year, twice


def test_what_the_text_says_is_computed_contradicted_or_has_a_reason(data):
    marks = rb.compare_text(SLUG, data).cells.set_index(["column", "term"])
    assert not marks["mark"].eq("not_attempted").any()
    differs = marks[marks["mark"].isin(["differs", "close"])]
    assert differs.empty, differs


def test_leading_features_are_those_of_print_where_they_can_be(data):
    """Which feature leads by summed gain: that of print in two targets of four, and the pattern of green_industry in three."""
    rows, leads, finest = paper.training(data), [], []
    for target in paper.TARGETS:
        found = tree_importances(paper.boosted().fit(rows[paper.features(target)], rows[target]))
        leads.append(found["total_gain"].idxmax() == paper.completed(target)["total_gain"].idxmax())
        finest.append(
            (found["weight"].idxmax(), found["cover"].idxmin()) == ("green_industry", "green_industry")
        )
        assert found["weight"].idxmax() == "green_industry"
        assert found["weight"].sum() == pytest.approx(
            14 * paper.printed(target).loc["mean", "weight"], rel=0.25
        )
    assert sum(leads) >= 2 and sum(finest) >= 2


def test_the_fourteenth_row_closes_what_thirteen_leave_open():
    """With it weight × cover is total_cover in energy_total, and in the two halves with a stray 1 once it is taken off."""
    for target, one in {"energy_total": 0, "energy_efficiency": 1, "carbon_efficiency": 1}.items():
        rows = paper.completed(target)
        product = (rows["weight"] - one) * (rows["cover"] - one) / paper.powers(target)["total_cover"]
        assert np.abs(product - rows["total_cover"]).max() < 0.06, target  # 14 roundings of the mean
    assert paper.printed("energy_total").shape == (16, 5)


def test_the_two_slips_of_table_2_are_taken_back():
    printed, mended = paper.printed("energy_total"), paper.completed("energy_total")
    ratio = (printed["total_gain"] / mended["total_gain"]).dropna().round(1)
    assert ratio[ratio.ne(1)].round().to_dict() == {"green_investment": 100, "electricity": 10}
    for target in ("energy_efficiency", "carbon_total", "carbon_efficiency"):
        same = paper.printed(target).drop(index=paper.SUMMARY)
        assert paper.completed(target).loc[same.index].equals(same)


def test_listed_contradictions_hold_by_the_audit():
    found = rb.audit(SLUG)
    assert {"product", "summary row"} == set(found["kind"])
    listed = printed_cells(SLUG).query("inconsistent != ''")
    assert {(c.table, c.column.split(":")[0]) for c in listed.itertuples() if c.table in "23"} == {
        (t, y) for y, t in paper.TARGETS.items()
    }


# ------------------------------------------------------------------------------------------------------------- lmdi
def test_lmdi_adds_up_and_is_that_of_ang():
    """Ang (2005) has no rest: the example of two years by hand, ΔV = ΣL(V1, V0) ln(x1 / x0)."""
    at = pd.MultiIndex.from_tuples([("a", 0), ("a", 1), ("b", 0), ("b", 1)], names=["province", "year"])
    d = pd.DataFrame({"x": [2.0, 4.0, 5.0, 5.0], "y": [10.0, 5.0, 1.0, 3.0]}, at)
    d["v"] = d["x"] * d["y"]
    found = paper.lmdi(d, "v", ["x", "y"], 0, 1)
    assert found.loc["a"].tolist() == pytest.approx([20 * np.log(2), -20 * np.log(2)])  # V stays: L is V
    assert found.loc["b"].tolist() == pytest.approx([0, 10])
    with pytest.raises(ValueError, match="x × x is not v times a constant"):
        paper.lmdi(d, "v", ["x", "x"], 0, 1)
    with pytest.raises(ValueError, match="logarithms need positive values: v, x"):
        paper.lmdi(d.assign(x=[-2.0, 4, 5, 5], v=[-20.0, 20, 5, 15]), "v", ["x", "y"], 0, 1)


# --------------------------------------------------------------------------------------------------- students, own data
@pytest.mark.parametrize("student", STUDENTS)
def test_a_students_panel_has_its_own_effect(student):
    panel, truth = personal(SLUG, student), personal_truth(SLUG, student)
    d, true = rb.prepare(SLUG, panel), truth["effects"]["green_credit"]
    assert true == pytest.approx(truth["factor"] * paper.EFFECTS["green_credit"], abs=1e-6)
    m = effect_of_credit(d)
    assert m.coef()["green_credit"] == pytest.approx(true, abs=2.6 * m.se()["green_credit"])
    assert np.allclose(d["energy_efficiency"] * d["gdp_real"], d["energy_total"])
    kept = ["gdp", "gdp_real", "population", "interest_six", "patents", "heavy_share"]
    pd.testing.assert_frame_equal(panel[kept], rb.load(SLUG)[kept], check_dtype=False)
    assert d["green_industry"].between(1, 30).all()


def test_own_data_is_read_as_any_other_paper(data):
    raw = rb.load(SLUG)
    again = rb.prepare(SLUG, rb.load(SLUG, source=raw.reset_index()))
    assert np.allclose(again[list(paper.TARGETS)], data[list(paper.TARGETS)])
    with pytest.raises(ValueError, match="co2"):
        rb.load(SLUG, source=raw.reset_index().drop(columns="co2"))
