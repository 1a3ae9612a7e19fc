"""The panel of free-trade-zones: the printed sample from a stated rule, raw columns that hang together, worlds, a second panel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from free_trade_zones import EVENTS, PAPER

import regionbook as rb
from regionbook.comparison.printed import printed_cells
from regionbook.data import worlds
from regionbook.papers import free_trade_zones as paper
from regionbook.papers.estimation import estimates
from regionbook.paths import data_file

SLUG = "free-trade-zones"
DRAWN = set(paper.recipe().query("indicator == numerator")["indicator"]) | {
    f"from_{k.lower()}" for k in paper.PARTNERS
}
"""What a rival world draws anew."""


@pytest.fixture(scope="module")
def panel():
    return rb.load(SLUG)


@pytest.fixture(scope="module")
def data(panel):
    return rb.prepare(SLUG, panel)


def test_zones_are_those_of_the_sheet(panel, data):
    first = panel["zone_year"].groupby("city").first()
    assert first[first > 0].to_dict() == {"Beijing": 2020, "Tianjin": 2015} | dict.fromkeys(
        ["Shijiazhuang", "Tangshan", "Baoding", "Langfang"], 2019
    )
    assert len(panel) == 130 and data["FTZ"].sum() == 27


def test_the_rule_keeps_the_printed_sample(data):
    """85 city-years, 11 treated, no Beijing, no Tianjin, and a caliper of 0.66: all computed, by another logit here."""
    import statsmodels.api as sm

    X = sm.add_constant((data[paper.CONTROLS] - data[paper.CONTROLS].mean()) / data[paper.CONTROLS].std())
    fit = sm.Logit(data["zone"], X).fit(disp=0, tol=1e-12, maxiter=100)
    score = np.asarray(X @ fit.params)
    np.testing.assert_allclose(data["log_odds"], score, rtol=1e-5, atol=1e-5)
    caliper, zone = score.std(ddof=1) / 4, (data["zone"] == 1).to_numpy()
    near = np.abs(score[zone][:, None] - score[~zone]) <= caliper
    kept = pd.Series(0, data.index)
    kept[zone], kept[~zone] = near.any(axis=1) * 1, near.any(axis=0) * 1
    assert (kept == data["matched"]).all()
    matched = data[data["matched"] == 1]
    assert (len(matched), matched["FTZ"].sum(), round(caliper, 2)) == (85, 11, 0.66)
    assert not {"Beijing", "Tianjin"} & set(matched.index.unique("city"))


def test_table_2_holds_in_the_matched_sample(data):
    matched = data[data["matched"] == 1]
    for name, row in rb.published(SLUG).descriptives.set_index("variable").iterrows():
        assert matched[name].mean() == pytest.approx(row["mean"], rel=0.1), name
        assert matched[name].std() == pytest.approx(row["sd"], rel=0.1), name


def test_indices_are_weighted_means_of_the_61_indicators(panel, data):
    """The recipe once more in plain words: goalposts, directions, equal weights at each level."""
    r, printed = paper.recipe(), rb.published(SLUG).indicators.query("index == 'HDQ'")
    assert len(r) == 61 and (r["indicator_zh"].to_numpy() == printed["indicator_zh"].to_numpy()).all()
    parts = {}
    for k in r.itertuples():
        x = k.times * panel[k.numerator] / (panel[k.denominator] if k.denominator else 1)
        share = np.log(x / k.low) / np.log(k.high / k.low) if k.log else (x - k.low) / (k.high - k.low)
        parts.setdefault((k.dimension, k.subdimension), []).append(share if k.direction == 1 else 1 - share)
    second = {k: sum(v) / len(v) for k, v in parts.items()}
    assert len(second) == 12
    for name in paper.INDICES:
        mine = [v for (dimension, _), v in second.items() if dimension == name]
        np.testing.assert_allclose(np.exp(data[name]), 100 * sum(mine) / len(mine), rtol=1e-9)
    np.testing.assert_allclose(np.exp(data["lnHDQ"]), np.exp(data[paper.INDICES]).mean(axis=1), rtol=1e-9)
    assert np.exp(data[paper.INDICES]).to_numpy().max() < 100


def test_linkage_is_the_weighted_degree(panel, data):
    into = (
        panel.xs(2020, level="year")[[f"from_{k.lower()}" for k in paper.PARTNERS]]
        .loc[paper.PARTNERS]
        .to_numpy()
    )
    assert (np.diag(into) == 0).all()
    degree = pd.Series((into.sum(axis=1) + into.sum(axis=0)) / 100, paper.PARTNERS)
    np.testing.assert_allclose(data["IL"].xs(2020, level="year").loc[paper.PARTNERS], degree)


def test_raw_columns_hang_together(panel):
    units = pd.read_csv(data_file("geo", "units.csv")).set_index("code")
    cities = panel.reset_index().drop_duplicates("city").set_index("code")
    assert (units.loc[cities.index, "name_en"] == cities["city"]).all()
    assert (panel["urban_population"] < panel["population"]).all()
    assert (panel["secondary"] + panel["tertiary"] < panel["gdp"]).all()
    for part, whole in (
        ("entrants", "firms"),
        ("exits", "firms"),
        ("entrants_capital", "capital"),
        ("exits_capital", "capital"),
    ):
        assert (panel[part] < panel[whole]).all(), part
    for k in EVENTS:
        one = "penalty" if k == "penalties" else k.removesuffix("s")
        assert (panel[f"{one}_breadth"] / 100 < panel[k] / panel["firms"]).all(), k
    growth = np.log(panel[["firms", "population", "gdp"]]).groupby("city").diff().dropna()
    assert (
        growth["firms"].abs().max() < 0.7
        and growth["population"].abs().max() < 0.05
        and growth["gdp"].min() > -0.25
    )


def test_rival_worlds_draw_indicators_and_stakes_anew(panel):
    assert worlds(SLUG) == sorted(PAPER.worlds)
    for world in worlds(SLUG):
        rival = rb.load(SLUG, world=world)
        pd.testing.assert_index_equal(rival.index, panel.index)
        differ = {k for k in panel if not panel[k].equals(rival[k])}
        assert differ <= DRAWN and len(differ) > 50
        assert rb.truth(SLUG, world)["parameters"] == PAPER.worlds[world]
    effects = {
        w: rb.truth(SLUG, w)["effect_on_the_treated"]["matched"]["lnHDQ"] for w in (None, *worlds(SLUG))
    }
    assert (
        effects["no-effect"] == 0 < effects["diverging"] < 0.06 < effects[None] < 0.21 < effects["spillover"]
    )


@pytest.mark.parametrize("world", [None, "no-effect", "diverging", "spillover"])
def test_every_imposed_number_of_the_binding_tier_is_met(world):
    """As the truth file says, whose numbers are pyfixest's from the file; two of them again."""
    targets = pd.DataFrame(rb.truth(SLUG, world)["targets"])
    binding = targets[targets["tier"].eq("binding") & targets["status"].ne("free")]
    assert len(binding) == 45 and (binding["verdict"] == "met").all()
    flat = rb.prepare(SLUG, rb.load(SLUG, world=world)).query("matched == 1").reset_index()
    for table, column, y in (("4", "5", "lnHDQ"), ("5", "7", "lnIL")):
        m = pf.feols(f"{y} ~ FTZ + fe + lnstru + urba + fdi + pgdp | city + year", flat, vcov="iid")
        row = (
            targets[(targets["table"] == table) & (targets["column"] == column)].set_index("term").loc["FTZ"]
        )
        assert m.coef()["FTZ"] == pytest.approx(row["reached"], rel=1e-4)
        assert m.se()["FTZ"] == pytest.approx(row["reached_se"], rel=1e-4)


def test_worlds_are_told_apart_by_what_their_truth_says():
    """Beside the relocated firms the zones keep their effect in the shipped world only; leads show diverging trends."""
    found, leads = {}, {}
    right = "fe + lnstru + urba + fdi + pgdp | city + year"
    for world in (None, *worlds(SLUG)):
        d = rb.prepare(SLUG, rb.load(SLUG, world=world)).reset_index().query("matched == 1")
        d = d.assign(before=((d["zone_year"] > 0) & (d["year"] < 2017)) * 1.0, moved=d["relocated"] / 100)
        found[world] = pf.feols(f"lnHDQ ~ FTZ + moved + {right}", d).coef()
        leads[world] = pf.feols(f"lnHDQ ~ FTZ + before + {right}", d).coef()["before"]
    assert abs(found["no-effect"]["FTZ"]) < 0.04 < 0.1 < found[None]["FTZ"]
    assert found["no-effect"]["moved"] > 0.09 > 0.06 > found[None]["moved"]
    assert leads["diverging"] < -0.06 < -0.03 < leads[None]


def test_every_printed_number_has_its_place(data):
    """Declared, described, computed in the text, contradicted, or not computable with a reason: nothing is left over."""
    cells = printed_cells(SLUG)
    left = cells[cells["inconsistent"].eq("") & cells["not_computable"].eq("")]
    declared = estimates(SLUG, data)
    known = set(declared[["table", "column", "term"]].itertuples(index=False, name=None))
    known |= {(t, c, "N") for t, c, _ in known}
    known |= {
        ("2", s, v)
        for s in ("n", "mean", "sd", "min", "max")
        for v in rb.published(SLUG).descriptives["variable"]
    }
    known |= {(t, c, r) for t, c, r in rb.papers.in_text(SLUG, data)}
    over = [k for k in left[["table", "column", "term"]].itertuples(index=False, name=None) if k not in known]
    assert not over
    said = rb.published(SLUG).other.set_index(["table", "column", "row"])["value"]
    for place, (value, _) in rb.papers.in_text(SLUG, data).items():
        assert value == pytest.approx(said[place], abs=0.005), place
    assert not {"differs", "close"} & set(rb.compare_text(SLUG, data).cells["mark"])


def test_the_larger_panel_recovers_its_truth():
    table, truth = rb.load(SLUG, table="nation"), rb.truth(SLUG)["nation"]
    assert table.index.levshape == (280, 10) and set(rb.columns(SLUG, "nation")["column"]) == {
        *table,
        *table.index.names,
    }
    first = table["zone_year"].groupby("city").first()
    assert first[first > 0].value_counts().to_dict() == {int(k): v for k, v in truth["cohorts"].items()}
    import diff_diff as dd

    d = table.reset_index().assign(g=lambda d: d["zone_year"])
    m = dd.ImputationDiD(cluster="city").fit(d, "lnHDQ", "city", "year", "g")
    assert abs(m.overall_att - truth["effect_on_the_treated"]) < 3 * m.overall_se < 0.05
    for wrong, words in (
        ({"table": "nations"}, "Did you mean 'nation'"),
        ({"table": "nation", "world": "spillover"}, "leave"),
    ):
        with pytest.raises(ValueError, match=words):
            rb.load(SLUG, **wrong)


def test_wanted_indices_and_linkage_are_reached(panel):
    """`steered` and `relinked` on another index; a linkage below a city's ties within Hebei is refused."""
    wanted = paper.indices(panel) * 0.97
    moved = paper.steered(panel, wanted)
    np.testing.assert_allclose(paper.indices(moved)[paper.INDICES], wanted, rtol=1e-3)
    link = paper.linkage(panel).to_numpy() * np.where(panel["province"] == "Hebei", 1.2, 1.0)
    new = paper.linkage(paper.relinked(panel, link))[panel["province"] == "Hebei"]
    np.testing.assert_allclose(new, link[panel["province"] == "Hebei"], atol=0.006)
    with pytest.raises(ValueError, match="below its ties within Hebei"):
        paper.relinked(panel, 0 * link)
