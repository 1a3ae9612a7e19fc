"""Rival worlds: they load, print the same tables, and have another truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

import regionbook as rb
from regionbook.data import worlds
from regionbook.papers.estimation import estimates, variables

ALL = [(slug, world) for slug in ("city-innovation",) for world in worlds(slug)]


# --------------------------------------------------------------------------------------------------------- loading
@pytest.mark.parametrize(("slug", "world"), ALL)
def test_a_world_has_the_rows_and_columns_of_the_shipped_panel(slug, world):
    shipped, rival = rb.load(slug), rb.load(slug, world=world)
    assert rival.attrs == {"slug": slug, "simulated": True, "source": "shipped", "world": world}
    assert "world" not in shipped.attrs
    pd.testing.assert_index_equal(rival.index, shipped.index)
    pd.testing.assert_series_equal(rival.dtypes, shipped.dtypes)
    words = rb.columns(slug).set_index("column")
    for column in rival.select_dtypes("number"):
        low, high = words.loc[column, ["minimum", "maximum"]]
        assert not rival[column].isna().any(), column
        assert pd.isna(low) or rival[column].min() >= low, column
        assert pd.isna(high) or rival[column].max() <= high, column


def test_unknown_worlds_and_a_world_beside_own_data_are_told():
    with pytest.raises(ValueError, match="no world 'cost'. Did you mean 'coast'"):
        rb.load("city-innovation", world="cost")
    with pytest.raises(ValueError, match="Its rival worlds are: none"):
        rb.truth("free-trade-zones", "coast")
    with pytest.raises(ValueError, match="`world` .* is for the shipped panel"):
        rb.load("city-innovation", rb.load("city-innovation"), "coast")
    assert worlds("free-trade-zones") == []


# -------------------------------------------------------------------------------------------------- the same tables
def judged(slug: str, world: str | None) -> pd.DataFrame:
    """Each printed cell of the declared tables: coefficient within two printed errors, stars, error within 25 %."""
    found = estimates(slug, variables(slug, rb.load(slug, world=world)))
    cell = ["table", "column", "term"]
    printed = rb.published(slug).estimates.drop_duplicates(cell)
    both = printed.merge(found, on=cell, suffixes=("", "_own"), validate="1:1").set_index(cell)
    se = both["paren"].where(both["paren_kind"] == "se", (both["estimate"] / both["paren"]).abs())
    near = (both["estimate_own"] - both["estimate"]).abs() <= 2 * se
    stars = both["p"].map(lambda p: "*" * sum(p < level for level in (0.1, 0.05, 0.01)))
    return pd.DataFrame(
        {
            "coefficient": near & (both["estimate_own"] * both["estimate"] > 0),
            "stars": stars == both["stars"],
            "error": (both["std_error"] / se).between(0.75, 1.25),
        }
    )


CELLS = {"city-innovation": 45}
"""Printed cells, out of all declared ones, in which a panel agrees in coefficient, stars and standard error."""


@pytest.mark.parametrize(("slug", "world"), ALL)
def test_a_world_prints_the_same_tables(slug, world):
    shipped, rival = judged(slug, None), judged(slug, world)
    lost = shipped & ~rival
    assert not lost.any(axis=None), lost[lost.any(axis=1)]
    assert rival.all(axis=1).sum() >= CELLS[slug]


# --------------------------------------------------------------------------------------------------- city-innovation
def test_coast_has_the_printed_weights_and_moments():
    printed = rb.published("city-innovation")
    wanted = printed.indicators["weight_pct"].to_numpy()
    near = {}
    for world in (None, "coast"):
        panel = rb.load("city-innovation", world=world)
        index = rb.index.entropy_index(rb.papers.city_innovation.indicators(panel))
        near[world] = np.abs(100 * index.weights.to_numpy() - wanted)
        assert near[world].max() < 0.5
    assert ((near["coast"] < 0.25 * wanted) >= (near[None] < 0.25 * wanted)).all()
    data = rb.prepare("city-innovation", panel)
    for name, row in printed.descriptives.set_index("variable").iterrows():
        assert data[name].mean() == pytest.approx(row["mean"], rel=0.1), name
        assert data[name].std() == pytest.approx(row["sd"], rel=0.1), name


def test_coast_has_another_truth():
    """Least squares with the direct effects as regressors is right in this world, and 2SLS is wrong."""
    truth = rb.truth("city-innovation", "coast")
    panel = rb.prepare("city-innovation", rb.load("city-innovation", world="coast")).reset_index()
    controls = " + ".join(rb.papers.city_innovation.CONTROLS)
    known = pf.feols(f"inn ~ digit + IV_1 + IV_2 + {controls} | city + year", panel, vcov={"CRV1": "city"})
    assert known.coef()["digit"] == pytest.approx(truth["beta"], rel=0.02)
    for iv, direct in truth["process"]["direct"].items():
        assert known.coef()[iv] == pytest.approx(direct, rel=0.02)
    clustered = pf.feols(f"inn ~ digit + {controls} | city + year", panel, vcov={"CRV1": "city"})
    low, high = clustered.confint().loc["digit"]
    assert low < truth["beta"] < high
    for iv in ("IV_1", "IV_2"):
        two_stage = pf.feols(f"inn ~ {controls} | city + year | digit ~ {iv}", panel)
        assert two_stage.coef()["digit"] > 2 * truth["beta"]
    assert rb.truth("city-innovation")["beta"] > 2 * truth["beta"]


def test_coast_differs_in_what_follows_from_the_outcome_only():
    shipped, rival = rb.load("city-innovation"), rb.load("city-innovation", world="coast")
    same = [c for c in shipped if np.array_equal(shipped[c], rival[c])]
    assert {"digit", "port_distance", "phones_1984", "gov", "hum", "gdp", "population", "cluster"} <= set(
        same
    )
    oracle = rb.truth("city-innovation", "coast")["oracle"]
    assert oracle["before_projection"]["tech"] == pytest.approx(0.085, rel=0.1)
