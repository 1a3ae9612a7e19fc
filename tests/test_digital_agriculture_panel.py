"""The panel of digital-agriculture: provinces and years, Tables 3 to 5, solutions, worlds, a student's panel, the generator."""

from __future__ import annotations

import digital_agriculture as make
import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

import regionbook as rb
from regionbook.exercises.personal import seed
from regionbook.models import qca
from regionbook.papers import digital_agriculture as paper

SLUG = "digital-agriculture"
NAMES = [*paper.CONDITIONS, paper.OUTCOME]


@pytest.fixture(scope="module")
def panel():
    return rb.load(SLUG)


@pytest.fixture(scope="module")
def data(panel):
    return rb.prepare(SLUG, panel)


@pytest.fixture(scope="module")
def cases(data):
    return paper.cross_section(data)


@pytest.fixture(scope="module")
def F(cases):
    return paper.sets(cases)


@pytest.fixture(scope="module")
def tables(data):
    return paper.printed_tables(data)


def test_provinces_and_years(panel):
    assert panel.shape[0] == 310 and panel.index.names == ["province", "year"]
    assert panel.index.unique("year").tolist() == list(range(2013, 2023))
    codes = rb.geo.codes(list(panel.index.unique("province")), "province")
    assert [int(c) for c in codes] == panel["code"].unique().tolist()
    assert panel["keywords"].dtype == "int64" and panel["agencies"].max() <= 100
    assert (panel[[*paper.INPUTS, "value_added"]] > 0).all(axis=None)
    dictionary = rb.columns(SLUG).set_index("column")["published"]
    printed = set(rb.published(SLUG).indicators["indicator_en"])
    assert {v for v in dictionary if isinstance(v, str) and v} == printed


def test_composites_by_hand(panel, data):
    row, own = panel.loc[("Anhui", 2015)], data.loc[("Anhui", 2015)]
    assert own["DA"] == pytest.approx((row["it_use"] + row["traceability"]) / 2)
    parts = [row[k] / g for k, g in paper.GOALS["DM"].items()]
    assert own["DM"] == pytest.approx(100 * sum(parts) / 5)
    assert own["output"] == pytest.approx(row["value_added"] / row["price_level"])


def test_conditions_come_a_year_before_the_outcome(data, cases):
    assert cases.loc["Anhui", "E"] == pytest.approx(data.loc["Anhui"].loc[2013:2021, "E"].mean())
    late = data[data.index.get_level_values("year") > 2013]
    means = late.groupby("province", sort=False)[[*paper.INPUTS, "output"]].mean()
    score = rb.models.dea(means, paper.INPUTS, ["output"]).score
    assert np.allclose(cases["Y"], 1 / score)
    assert (cases["Y"] > 1 - 1e-6).sum() == 9


@pytest.mark.parametrize(("table", "cells"), [("3", 36), ("4", 64), ("5", 20)])
def test_every_printed_number_is_reproduced(tables, table, cells):
    found = rb.compare(SLUG, table, tables[table]).cells
    compared = found[found["own"].notna()]
    assert len(compared) == cells and (compared["mark"] == "imposed").all()
    if table != "3":
        assert (compared["own"] - compared["printed"]).abs().max() < 0.005


def test_the_complex_solution_is_the_printed_one(F):
    found = qca.solve(F, "Y", paper.CONDITIONS, consistency=paper.CUT)
    assert set(found.models[0]) == {"*".join(t.split("*")) for t in paper.printed_terms().values()}
    assert len(found.models) == 2  # what the print does not say
    table = found.table.rows
    assert (table["out"] == 1).sum() == 8 and len(table) == 29 and table["n"].sum() == 31


def test_core_marks_are_the_parsimonious_solution(F):
    found = qca.solve(F, "Y", paper.CONDITIONS, "parsimonious", consistency=paper.CUT)
    wanted = {frozenset(t.split("*")) for t in paper.core_terms()}
    assert [{frozenset(t.split("*")) for t in m} for m in found.models] == [wanted]


def test_printed_marks_are_read():
    terms = paper.printed_terms()
    assert terms["H5"] == "~DA*~DM*~C*G*~A*~S*~E*~SC" and len(terms) == 6
    assert paper.anchors()["Y"] == (0.464, 0.716, 1.0)


def test_text_and_card(data):
    cells = rb.compare_text(SLUG, data).cells
    assert not cells["mark"].isin(["not_attempted", "differs"]).any()
    ours = cells[(cells["source"] == "panel") & cells["own"].notna()]
    assert ours["mark"].isin(["imposed", "count"]).all()
    assert rb.card(SLUG).headline["printed"].iloc[0] == "0.816"


# --- worlds ------------------------------------------------------------------------------------------
def within(world, data=None):
    """Effect of last year's membership on log output, within provinces."""
    data = rb.prepare(SLUG, rb.load(SLUG, world=world)) if data is None else data
    before = paper.by_year(data)["member"].groupby("province").shift(1)
    logs = {k: np.log(data[k]) for k in [*paper.INPUTS, "output"]}
    frame = data.assign(**logs, before=before).reset_index()
    m = pf.feols(
        f"output ~ before + {' + '.join(paper.INPUTS)} | province + year", frame, vcov={"CRV1": "province"}
    )
    return m.coef()["before"], m.se()["before"]


def test_worlds_differ_in_value_added_only_and_print_the_same(panel, tables):
    rival = rb.load(SLUG, world="no-effect")
    assert {k for k in panel if not panel[k].equals(rival[k])} == {"value_added"}
    theirs = paper.printed_tables(rb.prepare(SLUG, rival))
    for table, ours in tables.items():
        assert np.allclose(ours, theirs[table], atol=1e-5, equal_nan=True)


def test_only_years_tell_the_worlds_apart():
    shipped, rival = within(None), within("no-effect")
    assert rb.truth(SLUG)["effect"] > 0 == rb.truth(SLUG, "no-effect")["effect"]
    assert shipped[0] == pytest.approx(rb.truth(SLUG)["effect"], abs=2 * shipped[1])
    assert abs(rival[0]) < 1.96 * rival[1] and shipped[0] > 8 * shipped[1]


@pytest.mark.parametrize("student", ["20260001", "137", "5", "20260002"])
def test_a_students_panel(panel, student):
    own, truth = paper.redrawn(panel, rb.truth(SLUG), seed(SLUG, student))
    assert truth["effect"] == pytest.approx(truth["factor"] * rb.truth(SLUG)["effect"])
    own = rb.load(SLUG, own.reset_index())
    data = rb.prepare(SLUG, own)
    sets = paper.sets(paper.cross_section(data))
    shipped = paper.sets(paper.cross_section(rb.prepare(SLUG, panel)))
    found = qca.solve(sets, "Y", paper.CONDITIONS, consistency=paper.CUT)
    assert set(found.models[0]) == set(paper.printed_terms().values())
    assert ((sets > 0.5) == (shipped > 0.5)).all(axis=None)
    assert 0.02 < (sets - shipped).abs().max(axis=None) < 0.4
    effect, error = within(None, data)
    assert effect == pytest.approx(truth["effect"], abs=max(3 * error, 0.06))
    pd.testing.assert_frame_equal(own[[*paper.INPUTS, "keywords"]], panel[[*paper.INPUTS, "keywords"]])


# --- generator ---------------------------------------------------------------------------------------
def test_numbers_of_the_fit_are_those_of_the_library(F):
    four, five, whole = make.numbers(F[NAMES].to_numpy())
    both = [qca.necessity(F, o, paper.CONDITIONS)[["consistency", "coverage"]] for o in ("Y", "~Y")]
    assert np.allclose(four, pd.concat(both, axis=1))
    fit = qca.sufficiency(F, "Y", list(paper.printed_terms().values()))
    assert np.allclose(five, fit[["consistency", "raw coverage", "unique coverage"]].iloc[:-1])
    assert np.allclose(whole, fit.loc["solution", ["consistency", "raw coverage"]].astype(float))


def test_memberships_and_their_inverse():
    rng = np.random.default_rng(1)
    m = rng.uniform(0.01, 0.99, (31, 9))
    assert np.allclose(make.memberships(make.raw_values(m)), m)
    cases = pd.DataFrame(make.raw_values(m), columns=NAMES)
    assert np.allclose(paper.sets(cases)[NAMES], m)


def test_counts_add_up():
    mean = np.round(9 * np.random.default_rng(2).uniform(5, 12, 31)) / 9
    found = make.counts(np.random.default_rng(3), mean)
    assert np.allclose(found[:, :-1].mean(1), mean) and found.dtype == int
