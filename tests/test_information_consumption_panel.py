"""The panel of information-consumption: what the paper prints about its sample, and how raw columns hang together."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest
from information_consumption import PAPER, prepare

import regionbook as rb
from regionbook.data import worlds
from regionbook.paths import data_file

SLUG = "information-consumption"
PATENTS = ["utility_applied", "invention_applied", "utility_granted", "invention_granted", "patents_granted"]
"""What a rival world draws anew."""


@pytest.fixture(scope="module")
def panel():
    return rb.load(SLUG)


def test_sample_is_the_printed_one(panel):
    """Cities, years, city-years by region, size class and mediator, municipalities, treated cities, as printed."""
    flat = prepare(panel.reset_index())
    n = rb.published(SLUG).fit.query("stat == 'N'").set_index(["table", "column"])["value"]
    said = rb.published(SLUG).other.set_index(["table", "row", "column"])["value"]
    sample = [said["prose: sample", "panel", k] for k in ("cities", "first year", "last year")]
    assert [flat["city"].nunique(), flat["year"].min(), flat["year"].max()] == sample
    assert len(flat) == n["1", "1"]
    for k, name in enumerate(("East", "Central", "West"), 1):
        assert (flat["region"] == name).sum() == n["5", str(k)]
    for k, size in enumerate((3, 2, 1), 1):
        assert (flat["size_class"] == size).sum() == n["6", str(k)]
    assert (flat["municipality"] == 0).sum() == n["2", "5"] and flat["matched"].sum() == n["3", "1"]
    for k, name in enumerate(("research", "start", "finance", "digital", "information"), 1):
        assert flat[name].notna().sum() == n["4", str(k)], name
    cities = flat.drop_duplicates("city")
    areas = [said["prose: policy", row, "pilot areas"] for row in ("first batch", "second batch")]
    assert [(cities["batch"] == k).sum() for k in (1, 2)] == areas
    treated = cities[cities["pilot_year"] > 0]
    assert len(treated) == said["prose: placebo", "design", "cities drawn as pseudo-treated"]
    first = [said["prose: policy", row, "reform = 1 from"] for row in ("first batch", "second batch")]
    assert [treated.loc[treated["batch"] == k, "pilot_year"].unique().tolist() for k in (1, 2)] == [
        [year] for year in first
    ]


def test_cities_join_with_the_map(panel):
    units = pd.read_csv(data_file("geo", "units.csv")).set_index("code")
    cities = panel.reset_index().drop_duplicates("city").set_index("code")
    real = units.loc[cities.index]
    assert (real["name_en"] == cities["city"]).all() and (real["region3"] == cities["region"]).all()


def test_raw_columns_hang_together(panel):
    assert (panel["patents_granted"] >= panel["utility_granted"] + panel["invention_granted"]).all()
    assert (panel["secondary_employment"] < panel["employment"]).all()
    assert (panel["urban_population"] <= panel["population"]).all()
    for name in PATENTS:
        assert (panel[name] == panel[name].round()).all() and panel[name].dtype == "int64"
    digital = prepare(panel.reset_index())["digital"]
    assert (digital.min(), digital.max()) == (0, 1)


def test_rival_worlds_draw_outcomes_and_channels_anew(panel):
    assert worlds(SLUG) == sorted(PAPER.worlds)
    for world in worlds(SLUG):
        rival = rb.load(SLUG, world=world)
        pd.testing.assert_index_equal(rival.index, panel.index)
        assert {k for k in panel if not panel[k].equals(rival[k])} == set(PATENTS)
        assert rb.truth(SLUG, world)["parameters"] == PAPER.worlds[world]
    effects = {w: rb.truth(SLUG, w)["effect_on_the_treated"]["quantity"]["log"]["mean"] for w in worlds(SLUG)}
    assert effects["no-effect"] == 0 < effects["diverging"] < 0.2 < effects["dynamic"]


@pytest.mark.parametrize("world", [None, "no-effect", "diverging", "dynamic"])
def test_every_imposed_number_of_the_binding_tier_is_met(world):
    """As the truth file says, whose numbers are pyfixest's from the file; two of them again."""
    targets = pd.DataFrame(rb.truth(SLUG, world)["targets"])
    binding = targets[targets["tier"].eq("binding") & targets["status"].ne("free")]
    assert len(binding) == 23 + 31 and (binding["verdict"] == "met").all()
    import pyfixest as pf

    flat = prepare(rb.load(SLUG, world=world).reset_index())
    for outcome, column in (("quantity", "2"), ("quality", "4")):
        m = pf.feols(f"{outcome} ~ reform + pgdp + fiscal + lnpop + structure + lnstudents | city + year",
                     flat, vcov="HC1")  # fmt: skip
        row = (
            targets[(targets["table"] == "1") & (targets["column"] == column)].set_index("term").loc["reform"]
        )
        assert m.coef()["reform"] == pytest.approx(row["reached"], rel=1e-4)
        assert m.se()["reform"] == pytest.approx(row["reached_se"], rel=1e-4)


# ------------------------------------------------------------------------------------------------------ own data
@pytest.mark.parametrize("lacking", ["new_firms", "finance_index", "it_staff", "mobile_users"])
def test_a_panel_may_lack_a_channel(lacking):
    own = rb.load(SLUG).drop(columns=lacking).reset_index()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rb.data.DataWarning)
        data = rb.prepare(SLUG, rb.load(SLUG, source=own, allow_gaps=True))
    gone = {"new_firms": "start", "finance_index": "finance", "it_staff": "information"}.get(
        lacking, "digital"
    )
    lost = data[["start", "finance", "information", "digital"]].isna().all()
    assert list(lost.index[lost]) == [gone] and data["reform"].notna().all()


def test_a_programme_that_changes_within_a_city_is_named():
    own = rb.load(SLUG)
    own.loc[("Beijing", 2018), "batch"] = 2
    with pytest.raises(rb.data.DataError, match=r"batch.*Beijing"):
        rb.load(SLUG, source=own.reset_index(), allow_gaps=True)


@pytest.mark.parametrize("column", ["population", "gdp", "employment", "students"])
def test_what_is_divided_by_or_logged_is_positive(column):
    own = rb.load(SLUG).reset_index()
    own.loc[5, column] = 0
    with pytest.raises(
        rb.data.DataError, match=rf"column {column}: 1 value beyond the minimum .*position 5: 0"
    ):
        rb.load(SLUG, source=own, allow_gaps=True)
