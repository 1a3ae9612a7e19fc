"""Variables and cards of the papers."""

import numpy as np
import pandas as pd
import pytest

import regionbook as rb


@pytest.fixture(scope="module")
def panel():
    return rb.load("city-innovation")


@pytest.fixture(scope="module")
def prepared(panel):
    return rb.prepare("city-innovation", panel)


def test_prepare_keeps_the_panel_and_adds_to_it(panel, prepared):
    pd.testing.assert_frame_equal(prepared[panel.columns], panel)
    assert not prepared.drop(columns=panel.columns).isna().any().any()
    assert prepared.attrs["slug"] == "city-innovation"


def test_the_indicators_stand_in_the_order_of_table_1(panel):
    printed = rb.published("city-innovation").indicators
    dictionary = rb.columns("city-innovation").set_index("column")["published"]
    own = rb.papers.city_innovation.indicators(panel)
    assert len(own.columns) == len(printed) == 25
    for symbol, name in zip(own.columns, printed["indicator_en"], strict=True):
        if symbol in dictionary.index:  # a column of the file; the others are derived
            assert dictionary[symbol] == name


def test_indicators_by_hand(panel):
    own = rb.papers.city_innovation.indicators(panel).loc[("Wuhan", 2015)]
    row = panel.loc[("Wuhan", 2015)]
    assert own["edu_share"] == pytest.approx(100 * row["edu_exp"] / row["fiscal_exp"])
    assert own["gdp_pc"] == pytest.approx(row["gdp"] * 1e4 / (row["population"] * 1e4))
    u = (panel["pat_grant"] - panel["pat_grant"].min()) / np.ptp(panel["pat_grant"])
    v = (panel["gdp_growth"] - panel["gdp_growth"].min()) / np.ptp(panel["gdp_growth"])
    degree = 200 * np.sqrt(u * v) / (u + v)
    assert own["coupling"] == pytest.approx(degree[("Wuhan", 2015)])


def test_ratios_to_the_primate_city(panel):
    own = rb.papers.city_innovation.indicators(panel)
    primate = panel["primate"] == 1
    assert panel[primate].groupby("year").size().eq(19).all()
    for ratio in ("gdp_pc_ratio", "edusci_ratio", "hc_ratio"):
        np.testing.assert_allclose(own.loc[primate, ratio], 100)


def test_moderators_differ_by_cluster_only(prepared):
    for name in ("size", "inn_infra"):
        assert prepared.groupby("cluster")[name].nunique().eq(1).all()
    assert prepared.groupby("cluster")["size"].first().sum() == pytest.approx(1)
    assert prepared["inn_infra"].min() == 0 and prepared["inn_infra"].max() == 1


def test_card_shows_what_is_printed():
    card = rb.card("city-innovation")
    assert card.headline["printed"].iloc[0] == "0.0999*** (0.0020)"
    assert "汤凯" in card._repr_html_() and "196 cities" in repr(card)


def test_bad_input(panel, monkeypatch):
    with pytest.raises(ValueError, match="city-innovation"):
        rb.prepare("city-inovation")
    with monkeypatch.context() as patched, pytest.raises(ValueError, match="no lessons yet"):
        patched.setattr(rb.papers.registry, "papers", lambda: ["city-innovation"])
        rb.card("energy-carbon")
    with pytest.raises(ValueError, match="lacks gov, hum"):
        rb.prepare("city-innovation", panel.drop(columns=["gov", "hum"]))
    with pytest.raises(
        ValueError, match=r"panel must be a data frame as rb.load\('city-innovation'\) gives it, not list"
    ):
        rb.prepare("city-innovation", [1, 2])
    with pytest.raises(AttributeError, match="no_such_paper"):
        rb.papers.no_such_paper  # noqa: B018
