"""The invented patent abstracts: printed proportions, labels, personal samples, and the hooks that fetch them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from first_four import _knowledge_texts as texts
from first_four import _knowledge_words as words
from first_four import knowledge_flows as sim

import regionbook as rb
from regionbook.paths import data_file

SLUG = "knowledge-flows"


@pytest.fixture(scope="module")
def patents():
    return rb.load(SLUG, table="patents")


def test_regenerating_gives_the_shipped_file(tmp_path):
    sim.write_table("patents", texts.patents(2026), tmp_path)
    made, shipped = (
        tmp_path / f"{SLUG}.patents.parquet",
        data_file("teaching", f"{SLUG}.patents.parquet"),
    )
    pd.testing.assert_frame_equal(pd.read_parquet(made), pd.read_parquet(shipped))
    assert shipped.stat().st_size < 500_000


def test_cells_have_the_printed_proportions(patents):
    printed = rb.published(SLUG).other
    note = printed[printed["row"].isin(["hand audit of IPC-only patents"]) | printed["column"].eq("count")]
    value = note.set_index("row")["value"]
    ipc, bert = (
        value["identified through the IPC concordance table"],
        value["identified by the supervised BERT classifier"],
    )
    only_ipc = value["IPC-identified but not found by the classifier"]
    cells = patents.groupby(["ipc_listed", "flag"]).size()
    for cell, count in {(1, 1): ipc - only_ipc, (1, 0): only_ipc, (0, 1): bert - ipc + only_ipc}.items():
        assert cells[cell] == pytest.approx(count / 5000, abs=0.5)
    assert len(patents) == 5000
    unrelated = 1 - patents.query("ipc_listed == 1 and flag == 0")["digital"].mean()
    assert unrelated == pytest.approx(462 / 500, abs=0.003)
    assert (patents["flag"] == patents["digital"]).mean() == pytest.approx(0.9519, abs=0.0002)
    assert patents.query("ipc_listed == 0 and flag == 1")["digital"].mean() < 0.9


def test_dictionary_and_columns(patents):
    schema = rb.columns(SLUG, "patents").set_index("column")
    assert list(patents) == list(schema.index) == texts.COLUMNS
    assert patents["patent"].is_unique and patents["year"].is_monotonic_increasing
    for column in schema.index[schema["minimum"].notna()]:
        assert patents[column].min() >= schema.at[column, "minimum"]
    assert set(patents["city"]) <= set(rb.load(SLUG, table="cities").index)
    assert (patents["ipc"].isin(words.LISTED) == patents["ipc_listed"].astype(bool)).all()
    assert patents["ipc"].isin([*words.LISTED, *words.OTHER]).all()
    assert not patents["abstract"].str.contains(r"[a-z{}|]").any()
    assert patents["gloss"].str.fullmatch(r"[ -~]+").all()
    assert set(patents.query("digital == 1")["case"]) == {"plain", "embedded", "quiet", "border"}
    assert set(patents.query("digital == 0")["case"]) == {"plain", "decoy", "border"}


def test_quiet_texts_have_no_digital_word(patents):
    quiet = patents.query("case == 'quiet'")["abstract"].str.split("。", n=1).str[1]
    assert not quiet.str.contains("数据|程序固化|网络|微型计算机|算法|处理器|互联网").any()


def test_the_panel_of_pairs_does_not_need_them():
    assert "patents" not in rb.data.raw_tables(SLUG)
    with pytest.raises(ValueError, match="no table 'patents'"):
        rb.load(SLUG, {"patents": pd.DataFrame()})
    with pytest.raises(ValueError, match="Did you mean 'patents'"):
        rb.load(SLUG, table="patent")


def test_weights_and_shuffles():
    g = texts.Grammar(np.random.default_rng(1))
    drawn = pd.Series([g.weighted({"a": 0.8, "b": 0.2}) for _ in range(2000)])
    assert drawn.eq("a").mean() == pytest.approx(0.8, abs=0.03)
    assert sorted(g.shuffled("abcd")) == list("abcd")
