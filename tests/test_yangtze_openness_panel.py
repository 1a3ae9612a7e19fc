"""The panel of yangtze-openness: Table 1, readings of the index, dispersion, convergence, the rival world, own data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from engine import draw
from engine.report import broken
from yangtze_openness import PAPER

import regionbook as rb
from regionbook.comparison import printed_cells
from regionbook.exercises.personal import personal, personal_truth
from regionbook.papers import yangtze_openness as paper

SLUG = "yangtze-openness"
STUDENTS = [str(20260001 + k) for k in range(8)]


@pytest.fixture(scope="module")
def data():
    return rb.prepare(SLUG)


@pytest.fixture(scope="module")
def ours(data):
    return paper.in_text(data)


def test_provinces_are_those_of_the_map_and_the_reaches_those_of_the_paper(data):
    first = data.reset_index().drop_duplicates("province").set_index("code")
    assert (
        rb.geo.units("province").loc[first.index.astype(str), "name_en"].to_numpy() == first["province"]
    ).all()
    assert len(data) == 330 and first["reach"].value_counts().to_dict() == {
        "lower": 4,
        "middle": 3,
        "upper": 4,
    }


def test_raw_columns_hang_together(data):
    assert (data[["trade", "fdi_registered", "fdi_inflow", "gdp", "population"]] > 0).all(axis=None)
    growth = np.log(data["gdp"].unstack()).diff(axis=1).iloc[:, 1:]
    assert growth.to_numpy().min() > -0.05 and growth.to_numpy().max() < 0.45
    assert (data["trade"] / data["gdp"]).max() < 2.7 and (data["fdi_registered"] / data["gdp"]).max() < 2.7
    assert data["population"].groupby("year").sum().between(45_000, 65_000).all()


def test_every_number_that_can_be_computed_is_and_the_rest_is_contradicted(ours):
    cells = printed_cells(SLUG)
    assert {(c.table, c.column, c.term) for c in cells.itertuples()} <= set(ours)
    assert cells["inconsistent"].ne("").sum() == 4 and cells["not_computable"].eq("").all()
    held = cells[cells["inconsistent"].eq("")]
    assert held["imposed"].all()  # nothing of Table 1 or of the text is free: the panel was made from it
    table = held[held["table"].eq("1")]
    reached = np.array([ours[tuple(k)] for k in table[["table", "column", "term"]].to_numpy()])
    assert np.abs(reached - table["printed"]).max() <= 0.00051


def test_the_belt_falls_in_the_printed_years_and_investment_leads_when_printed(data):
    belt = data[["Z", "T", "I"]].groupby("year").mean()
    falls = belt.index[belt["Z"].diff() < 0]
    assert set(falls) == {1997, 1998, 1999, 2009, 2016}
    lead = belt["I"] > belt["T"]
    assert lead.loc[:2000].all() and not lead.loc[2001:2015].any() and lead.loc[2016:].all()


def test_only_the_mean_reads_equation_1_as_printed(data):
    belt = {k: f(data["T"], data["I"]).groupby("year").mean() for k, f in paper.READINGS.items()}
    assert belt["mean"][2022] == pytest.approx(3.444, abs=0.001)
    assert belt["root"][2022] < 3.3 and belt["half product"][2022] > 5  # printed: 3.44


def test_the_gains_of_four_stages_cannot_all_hold(ours):
    """By print alone they add to more than the whole gain; ours meet the first three and miss the fourth."""
    stages = printed_cells(SLUG).query("term.str.contains('stage')")
    assert len(stages) == 4 and stages["inconsistent"].ne("").tolist() == [False, False, False, True]
    ends = stages["column"].str.extract(r"(\d{4})-(\d{4})").astype(int)
    whole = next(c.printed for c in printed_cells(SLUG).itertuples() if c.column == "increase 1993-2022")
    assert (stages["printed"] * (ends[1] - ends[0] + 1)).sum() / 100 > whole + 0.1
    reached = np.array([ours[tuple(k)] for k in stages[["table", "column", "term"]].to_numpy()])
    assert (np.abs(reached / stages["printed"] - 1) < 0.05).tolist() == [True, True, True, False]


def test_dispersion_agrees_with_scipy_and_with_williamson():
    from scipy.stats import variation

    x, n = pd.Series([1.0, 4.0, 2.5, 8.0]), pd.Series([3.0, 1.0, 1.0, 5.0])
    assert paper.dispersion(x) == pytest.approx(variation(x))
    repeated = np.repeat(x, n.astype(int))
    assert paper.dispersion(x, n) == pytest.approx(variation(repeated))


def test_inventory_of_a_stock_that_grows_steadily_is_that_stock():
    at = pd.MultiIndex.from_product([["a", "b"], range(2000, 2010)], names=["province", "year"])
    stock = pd.Series(np.outer([1, 3], 1.12 ** np.arange(10)).ravel(), at)
    flow = (stock - (1 - paper.LOSS) * stock / 1.12).rename("inflow")
    again = paper.inventory(flow.sample(frac=1, random_state=1))
    assert again.loc[stock.index].to_numpy() == pytest.approx(stock.to_numpy())


def test_the_rival_world_prints_the_same_and_the_gap_stays_open():
    """CV of the index with what arrived: as printed in the shipped panel, no lower than 2014 in the rival one."""
    found = {}
    for world in (None, "paper-funds"):
        d = rb.prepare(SLUG, rb.load(SLUG, world=world))
        found[world] = {
            k: [paper.dispersion(d[k].xs(y, level="year")) for y in (2014, 2022)] for k in ("Z", "Z_arrived")
        }
    assert found[None]["Z"] == found["paper-funds"]["Z"]
    assert found[None]["Z_arrived"][1] == pytest.approx(1.503, abs=0.01)
    before, after = found["paper-funds"]["Z_arrived"]
    assert after > before - 0.02
    assert rb.truth(SLUG)["share_arrived"] == 1 and rb.truth(SLUG, "paper-funds")["share_arrived"] == 0.25


@pytest.mark.parametrize("student", STUDENTS)
def test_a_students_panel_has_its_own_share_that_arrived(student):
    panel, truth, shipped = personal(SLUG, student), personal_truth(SLUG, student), rb.load(SLUG)
    d, share = rb.prepare(SLUG, panel), truth["share_arrived"]
    assert 0.25 <= share <= 0.9
    inland = d[(d["reach"] != "lower") | (d.index.get_level_values("province") == "Anhui")]
    gain = (
        inland[["fdi_registered", "arrived"]]
        .unstack()
        .T.groupby(level=0)
        .apply(lambda x: (x.iloc[-1] - x.loc[(x.name, 2014)]).sum())
    )
    assert gain["arrived"] / gain["fdi_registered"] == pytest.approx(share, abs=0.12)
    ends = [panel["trade"].xs(y, level="year") / shipped["trade"].xs(y, level="year") for y in (1993, 2022)]
    assert all(np.allclose(e, 1, atol=1e-4) for e in ends)
    assert np.allclose(panel["gdp"], shipped["gdp"])


def test_other_seeds_meet_the_contract():
    for seed in (1, 2, 3):
        assert broken(draw(PAPER, seed, strict=False).report).empty


def test_own_data_is_read_as_any_other_paper(data):
    raw = rb.load(SLUG)
    again = rb.load(SLUG, source=raw.reset_index())
    assert np.allclose(rb.prepare(SLUG, again)["Z"], data["Z"])
    with pytest.raises(ValueError, match="fdi_registered"):
        rb.load(SLUG, source=raw.reset_index().drop(columns="fdi_registered"))
