"""The invented firm registrations: the paper's rule gives the shipped counts, and errs as planted."""

from __future__ import annotations

import pandas as pd
import pytest
from first_four import _knowledge_firms as register
from first_four import knowledge_flows as sim

import regionbook as rb
from regionbook.paths import data_file

SLUG = "knowledge-flows"


@pytest.fixture(scope="module")
def firms():
    return rb.load(SLUG, table="firms")


@pytest.fixture(scope="module")
def years():
    return rb.load(SLUG, table="years")


def scores(firms, said):
    return firms.loc[said, "digital"].mean(), said[firms["digital"] == 1].mean()


def test_regenerating_gives_the_shipped_file(tmp_path, years):
    sim.write_table("firms", register.firms(years, 2026), tmp_path)
    shipped = data_file("teaching", f"{SLUG}.firms.parquet")
    made = pd.read_parquet(tmp_path / f"{SLUG}.firms.parquet")
    pd.testing.assert_frame_equal(made, pd.read_parquet(shipped))
    assert shipped.stat().st_size < 400_000 and len(made) < 15_000


def test_the_rule_gives_the_shipped_counts_and_capital(firms, years):
    found = firms[register.called(firms)].groupby(["city", "year"])["capital"].agg(["size", "sum"])
    assert len(found) == 6 and (firms["capital"] >= 3).all()
    shipped = years.loc[found.index, ["digital_firms", "firm_capital"]]
    assert (found.to_numpy() == shipped.to_numpy()).all()


def test_the_lists_are_those_of_the_paper(firms):
    assert len(register.SCREEN_SECTIONS) == 4 and len(register.SCREEN_DIVISIONS) == 16
    names = firms.groupby("industry")[["section", "industry_en"]].nunique()
    assert (names == 1).all(axis=None)
    assert set(firms["industry"]) == {*register.WHOLE, *register.MIXED, *register.ELSEWHERE}


@pytest.mark.parametrize("city", register.PLACES)
def test_errors_are_planted_by_city(firms, city):
    here = firms[firms["city"] == city]
    assert scores(here, register.called(here)) == pytest.approx(register.PLACES[city], abs=0.002)


def test_kinds_of_errors(firms):
    said = register.called(firms)
    for (flag, digital), shares in register.CASES.items():
        cell = firms[(said == flag) & (firms["digital"] == digital)]
        assert set(cell["case"]) == set(shares)
        for case, share in shares.items():
            assert cell["case"].eq(case).mean() == pytest.approx(share, abs=0.05)
    words = firms["scope"].str.contains("|".join(register.KEYWORDS))
    assert not words[firms["case"].isin(["quiet", "plain", "elsewhere"])].any()
    assert words[firms["case"].isin(["named", "in passing", "homonym", "outside"])].all()


def test_each_word_finds_something_and_one_costs_most(firms):
    precision, _ = scores(firms, register.called(firms))
    without = {}
    mixed = firms["industry"].isin(list(register.MIXED))
    for word in register.KEYWORDS:
        others = [w for w in register.KEYWORDS if w != word]
        said = register.called(firms) & ~(mixed & ~firms["scope"].str.contains("|".join(others)))
        assert said.sum() < register.called(firms).sum()
        without[word] = scores(firms, said)[0] - precision
    assert max(without, key=lambda w: without[w]) == "网络" and without["网络"] > 0.02
    assert min(without.values()) < 0


def test_dictionary_and_columns(firms):
    schema = rb.columns(SLUG, "firms").set_index("column")
    assert list(firms) == list(schema.index) == register.COLUMNS
    assert firms["firm"].is_unique and firms["year"].is_monotonic_increasing
    for column in schema.index[schema["minimum"].notna()]:
        assert firms[column].min() >= schema.at[column, "minimum"]
    assert not firms["scope"].str.contains(r"[a-z{}|;]").any()
    assert firms["gloss"].str.fullmatch(r"[ -~]+").all()


def test_the_panel_of_pairs_does_not_need_them():
    assert "firms" not in rb.data.raw_tables(SLUG)
    with pytest.raises(ValueError, match="no table 'firms'"):
        rb.load(SLUG, {"firms": pd.DataFrame()})
