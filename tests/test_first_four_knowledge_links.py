"""The single citations: the paper's steps give the shipped counts, each forgotten step gives others."""

from __future__ import annotations

import pandas as pd
import pytest
from first_four import _knowledge_links as single
from first_four import knowledge_flows as sim

import regionbook as rb
from regionbook.paths import data_file

SLUG = "knowledge-flows"
STEPS = {
    "once": lambda d: d.drop_duplicates(["citing", "cited"]),
    "no design": lambda d: d[(d["citing_kind"] != "design") & (d["cited_kind"] != "design")],
    "digital": lambda d: d[d["digital"] == 1],
    "other city": lambda d: d[d["citing_city"] != d["cited_city"]],
}


@pytest.fixture(scope="module")
def links():
    return rb.load(SLUG, table="links")


def counts(frame, *leave_out):
    for name, step in STEPS.items():
        frame = frame if name in leave_out else step(frame)
    return frame.groupby(["citing_city", "cited_city", "year"], observed=False).size()


def shipped(citations):
    part = citations[citations["citing"].isin(single.CITIES) & citations["cited"].isin(single.CITIES)]
    part = part[part["year"].isin(single.YEARS)].astype({"citing": str, "cited": str})
    return part.set_index(["citing", "cited", "year"])["citations"].sort_index()


def positive(found):
    """Counts above zero with names as text."""
    found = found[found > 0].reset_index(name="citations").astype({"citing_city": str, "cited_city": str})
    return found.set_index(["citing_city", "cited_city", "year"])["citations"].sort_index()


def same(found, citations):
    one, two = positive(found), shipped(citations)
    return one.index.tolist() == two.index.tolist() and one.tolist() == two.tolist()


def test_regenerating_gives_the_shipped_file(tmp_path):
    sim.write_table("links", single.links(2026, rb.load(SLUG, table="citations")), tmp_path)
    made, there = tmp_path / f"{SLUG}.links.parquet", data_file("teaching", f"{SLUG}.links.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(made), pd.read_parquet(there))
    assert there.stat().st_size < 400_000 and len(pd.read_parquet(there)) < 60_000


def test_the_steps_give_the_shipped_counts(links):
    citations = rb.load(SLUG, table="citations")
    assert same(counts(links), citations)
    assert shipped(citations).index.get_level_values("citing").nunique() == len(single.CITIES)


@pytest.mark.parametrize(
    ("forgotten", "at_least"), [("once", 1.2), ("no design", 1.08), ("digital", 1.6), ("other city", 1.5)]
)
def test_each_forgotten_step_gives_visibly_more(links, forgotten, at_least):
    right, wrong = counts(links), counts(links, forgotten)
    assert (wrong >= right).all() and wrong.sum() > at_least * right.sum()
    by_city = (wrong - right).groupby("citing_city", observed=False).sum()
    assert (by_city > 0).all()


def test_other_readings_of_published_twice_are_wrong(links):
    rest = STEPS["other city"](STEPS["digital"](STEPS["no design"](links)))
    right = counts(links).sum()
    assert (
        rest["publication"] == "first"
    ).sum() == right  # every citation has a line of the first publication
    assert (rest["publication"] == "second").sum() < right / 2  # not every patent is published again
    assert len(rest.drop_duplicates("citing")) < 0.9 * right  # a patent cites more than one
    assert len(rest.drop_duplicates("cited")) < right / 2


def test_second_publications_are_of_inventions_and_repeat_the_first(links):
    second = links[links["publication"] == "second"]
    assert set(second["citing_kind"]) == {"invention"}
    first = links[links["publication"] == "first"]
    again = second.merge(first, on=["citing", "cited"], how="left", validate="one_to_one")
    assert again["publication_y"].notna().all()
    both = links.groupby("citing")["publication"].nunique()
    assert (links.groupby("citing")["cited"].nunique() * both == links.groupby("citing").size()).all()
    share = 100 * len(second) / len(first)
    doubled = (
        second.groupby("citing_city", observed=False).size()
        / first.groupby("citing_city", observed=False).size()
    )
    assert 20 < share < 45 and doubled["Shenzhen"] > 3 * doubled["Wuhu"]


def test_a_patent_is_one_patent(links):
    sides = [
        links[[f"{k}", f"{k}_city", f"{k}_kind"]].set_axis(["patent", "city", "kind"], axis=1).astype(str)
        for k in ("citing", "cited")
    ]
    patents = pd.concat(sides).drop_duplicates()
    assert patents["patent"].is_unique
    assert links.groupby("cited")["digital"].nunique().eq(1).all()
    assert (links["citing"] // 100_000 == links["year"]).all() and (links["citing"] > links["cited"]).all()
    assert set(links["citing"]) & set(links["cited"])


def test_dictionary(links):
    schema = rb.columns(SLUG, "links").set_index("column")
    assert list(links) == list(schema.index) == single.COLUMNS
    for column in schema.index[schema["minimum"].notna()]:
        assert links[column].between(*schema.loc[column, ["minimum", "maximum"]]).all()
    assert links.attrs["table"] == "links" and links.attrs["simulated"]
    assert "links" not in rb.data.raw_tables(SLUG)
    assert set(single.CITIES) <= set(rb.load(SLUG, table="cities").index)


def test_any_counts_are_met():
    rows = [(a, b, y, 1 + (i + 3 * j) % 40) for i, a in enumerate(single.CITIES) for j, b in enumerate(single.CITIES)
            for y in single.YEARS if a != b]  # fmt: skip
    small = pd.DataFrame(rows, columns=["citing", "cited", "year", "citations"])
    made = single.links(7, small)
    assert same(counts(made), small)
    assert not made.equals(single.links(8, small)) and made.equals(single.links(7, small))
    with pytest.raises(ValueError, match="Lanzhou cites nothing in 2011"):
        single.links(7, small[(small["citing"] != "Lanzhou") | (small["year"] != 2011)])
