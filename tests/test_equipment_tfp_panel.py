"""The panel of equipment-tfp: series and sums, prices, Tables 2 to 6, one unit alone, worlds, the generator's programmes."""

from __future__ import annotations

import equipment_tfp as make
import numpy as np
import pandas as pd
import pytest

import regionbook as rb
from regionbook.exercises.personal import seed
from regionbook.papers import equipment_tfp as paper

SLUG = "equipment-tfp"
INPUTS, OUTPUT = paper.INPUTS, [paper.OUTPUT]


@pytest.fixture(scope="module")
def panel():
    return rb.load(SLUG)


@pytest.fixture(scope="module")
def data(panel):
    return rb.prepare(SLUG, panel)


@pytest.fixture(scope="module")
def tables(data):
    return paper.printed_tables(data)


def test_series(panel):
    assert len(panel) == 948 and panel.index.names == ["series", "year"]
    cells = panel.groupby(["province", "industry", "year"]).size()
    assert len(cells) == 6 * 7 * 21 and cells.max() == 2
    twice = cells[cells == 2].reset_index()
    assert set(twice["industry"]) == {"C37"} and set(twice["year"]) == set(range(2012, 2023))
    codes = rb.geo.codes(list(panel["province"].unique()), "province")
    assert [int(c) for c in codes] == panel["code"].unique().tolist()
    money = panel[["net_fixed_assets", "revenue", "value_added", "intermediate_inputs", "investment"]]
    assert (money > 0).all(axis=None) and panel["employment"].dtype == "int64"
    assert np.allclose(panel["value_added"] + panel["intermediate_inputs"], panel["revenue"])
    assert (panel["value_added"] / panel["revenue"]).between(0.15, 0.45).all()


def test_growth_of_cells_is_bounded(data):
    """The price of printing both tables: yearly changes of logarithms by cell and in total."""
    cells = data.groupby(["province", "industry", "year"])[[*INPUTS, *OUTPUT]].sum()
    change = np.log(cells).groupby(level=[0, 1]).diff().dropna()
    assert change["L"].abs().max() < 0.25
    assert change["K"].abs().max() < 0.45 and change["Y"].abs().max() < 0.5
    total = np.log(data.groupby("year")[[*INPUTS, *OUTPUT]].sum()).diff().dropna()
    assert total["K"].between(-0.01, 0.22).all() and total["L"].between(-0.05, 0.12).all()
    assert total["Y"].between(-0.09, 0.36).all()


def test_prices_are_chained(panel, data):
    row = ("Henan: metal products", 2004)
    changes = panel.loc["Henan: metal products", "producer_prices"]
    index = changes.loc[2003] / 100 * changes.loc[2004] / 100
    assert data.loc[row, "Y"] == pytest.approx(panel.loc[row, "revenue"] / index)
    first = data.xs(2002, level="year")
    assert np.allclose(first["Y"], first["revenue"]) and np.allclose(first["K"], first["net_fixed_assets"])
    split = ("Henan: motor vehicles", 2013)  # its prices begin with those of transport equipment
    assert data.loc[split, "revenue"] / data.loc[split, "Y"] == pytest.approx(
        (panel.loc["Henan: transport equipment", "producer_prices"] / 100).prod()
        * panel.loc["Henan: motor vehicles", "producer_prices"].loc[:2013].div(100).prod()
    )


@pytest.mark.parametrize("table", list("23456"))
def test_every_printed_index_is_reproduced(tables, table):
    found = rb.compare(SLUG, table, tables[table])
    cells = found.cells
    assert len(cells) == {"2": 105, "3": 30, "4": 120, "5": 35, "6": 140}[table]
    assert (cells["mark"] == "imposed").all() and (cells["rule"] == "change").all()
    assert (cells["own"] - cells["printed"]).abs().max() < 0.002


def test_one_unit_alone_is_always_efficient(data):
    """Item 1 of the sheet: the total of the six provinces cannot have the printed EFFCH."""
    whole = paper.totals(data.assign(all="centre"), "all")
    found = rb.models.malmquist(whole, INPUTS, OUTPUT).changes
    assert np.allclose(found[["EFFCH", "PECH", "SECH"]], 1)
    assert np.allclose(found["TECHCH"], found["TFPCH"])


def test_text_and_card(data):
    cells = rb.compare_text(SLUG, data).cells
    left = cells[cells["mark"].isin(["not_attempted", "differs"])]
    assert left["column"].tolist() == ["employment in general- and special-purpose equipment falls from"]
    headline = rb.card(SLUG).headline
    assert headline["printed"].iloc[0] == "1.109" and len(headline) == 7


def test_worlds_differ_in_value_added_only_and_in_truth(panel):
    rival = rb.load(SLUG, world="assembly")
    assert {k for k in panel if not panel[k].equals(rival[k])} == {"value_added", "intermediate_inputs"}
    ours, theirs = (rb.truth(SLUG, w)["true_change"]["mean"]["TFP"] for w in (None, "assembly"))
    assert ours > 1.08 and theirs < 1.06
    share = rival.groupby("year")[["value_added", "revenue"]].sum()
    share = share["value_added"] / share["revenue"]
    assert share[2022] < 0.5 * share[2002]


@pytest.mark.parametrize("world", [None, "assembly"])
def test_the_truth_follows_from_the_file(world):
    data, truth = rb.prepare(SLUG, rb.load(SLUG, world=world)), rb.truth(SLUG, world)["true_change"]
    assert paper.true_change(data)["mean"] == pytest.approx(truth["mean"], abs=2e-4)
    mean = truth["mean"]
    assert mean["TFP"] == pytest.approx(mean["technology"] * mean["efficiency"], abs=2e-4)
    assert min(truth["years"]["technology"].values()) > 0.999  # never back
    if world is None:
        revenue = rb.models.malmquist(paper.totals(data, "province"), INPUTS, OUTPUT).by_year["TFPCH"]
        assert np.log(revenue).mean() == pytest.approx(np.log(mean["TFP"]), abs=0.03)


def test_majorant_is_concave_and_above():
    y = pd.Series([0.0, 1.0, 0.5, 2.0, 2.0])
    found = paper._majorant(y)
    assert found == pytest.approx([0, 1, 1.5, 2, 2]) and (np.diff(found, 2) < 1e-12).all()


def test_a_students_frontier_moves_with_the_factor(panel, tables):
    for student in ("20260001", "137"):
        own, truth = paper.redrawn(panel, rb.truth(SLUG), seed(SLUG, student))
        mine = paper.printed_tables(rb.prepare(SLUG, own))
        gain = (np.log(mine["2"]) - np.log(tables["2"])).loc["mean / 均值"]
        wanted = (truth["factor"] - 1) * np.log(rb.truth(SLUG)["true_change"]["mean"]["TFP"])
        assert gain["TFPCH"] == pytest.approx(wanted, abs=0.006)
        assert abs(gain["EFFCH"]) < 0.006
        last = np.log(mine["4"]).mean(axis=1) - np.log(mine["6"]).mean(axis=1)
        assert last["2021-2022"] > 0.1  # the two answers stay apart


# ------------------------------------------------------------------------------------------------------- generator
def test_distances_are_those_of_the_library(data):
    Z = np.stack(
        [paper.totals(data, "industry").xs(y, level="year")[[*INPUTS, *OUTPUT]] for y in (2002, 2003, 2004)]
    )
    value, _ = make.indices(Z)
    names = data["industry"].unique()
    at = pd.MultiIndex.from_product([[2002, 2003, 2004], names], names=["year", "industry"])
    frame = pd.DataFrame(Z.reshape(-1, 3), at, [*INPUTS, *OUTPUT]).swaplevel()
    found = rb.models.malmquist(frame, INPUTS, OUTPUT).changes
    for k, name in enumerate(("TFPCH", "EFFCH", "PECH")):
        assert np.allclose(np.exp(value[k]), found[name].unstack(0)[list(names)], rtol=1e-6)


def test_gaps_have_their_gradient():
    first = make.start(np.random.default_rng(3))
    gap, J = make.gaps(np.exp(first))
    step = 1e-6 * np.random.default_rng(4).normal(size=first.shape)
    moved, _ = make.gaps(np.exp(first + step))
    assert np.allclose(gap - moved, J @ step.ravel(), atol=1e-9)
