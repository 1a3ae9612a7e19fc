"""The knowledge-flows tables: reproducible, calibrated to the printed tables, and what a user's own files must hold."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from first_four import _knowledge_fit as fitting
from first_four import knowledge_flows as sim

import regionbook as rb
from regionbook import data
from regionbook.data import DataError, DataWarning
from regionbook.papers import _knowledge_pairs as pairs
from regionbook.papers import knowledge_flows as kf
from regionbook.papers.estimation import estimate, estimates, rows
from regionbook.paths import data_file

SLUG = "knowledge-flows"
P, T = 43_660, 19


@pytest.fixture(scope="module")
def tables():
    return data.raw_tables(SLUG)


@pytest.fixture(scope="module")
def panel(tables):
    return rb.prepare(SLUG, data.pair_panel(tables))


@pytest.fixture(scope="module")
def fits(tables):
    g = sim.logs(pairs.build(tables)[0])
    return fitting.Estimator(g).fit()


# --- the shipped files ---------------------------------------------------------------------------------


@pytest.mark.simulation
def test_regenerating_gives_the_shipped_files(tmp_path):
    """The tilt of the citations sums millions of products, so that another processor ends at another tilt."""
    sim.write(tmp_path)
    made = sorted(tmp_path.iterdir())
    assert len(made) == 15
    cited = [f for f in made if "citations" in f.name]
    same_tilt = all(pd.read_parquet(f).equals(pd.read_parquet(data_file("teaching", f.name))) for f in cited)
    for file in made:
        shipped = data_file("teaching", file.name)
        if file.name.endswith("truth.json") and not same_tilt:
            new, old = (json.loads(k.read_text(encoding="utf-8")) for k in (file, shipped))
            assert new["process"] == old["process"] and all(t["within_2se"] for t in new["targets"])
        elif file.suffix != ".parquet":
            assert file.read_bytes() == shipped.read_bytes(), file.name
        elif same_tilt or not any(k in file.name for k in ("citations", "links")):
            pd.testing.assert_frame_equal(pd.read_parquet(file), pd.read_parquet(shipped))
        else:
            a, b = (pd.read_parquet(k) for k in (file, shipped))
            assert len(a) == pytest.approx(len(b), rel=0.02), file.name


def test_the_panel_of_pairs_is_everywhere_the_same(tables):
    """It is built on demand, so checksums stand in for the file (tests/data/pair_panel.py)."""
    folder = Path(__file__).parent / "data"
    stored = pd.read_csv(folder / "pair_panel.csv", index_col="column")
    checksums = runpy.run_path(str(folder / "pair_panel.py"))["checksums"]
    panel = data.pair_panel(tables)
    pd.testing.assert_frame_equal(checksums(panel), stored, rtol=1e-7)
    panel["TS"] = panel["TS"].to_numpy()[::-1]  # the same numbers in other rows
    with pytest.raises(AssertionError, match="weighted"):
        pd.testing.assert_frame_equal(checksums(panel), stored, rtol=1e-7)


def test_units_regions_and_dictionary(tables):
    cities = tables["cities"]
    units = pd.read_csv(data_file("geo", "units.csv")).set_index("name_en")
    assert len(cities) == 296 and cities["code"].is_monotonic_increasing
    assert (units.loc[cities.index, "code"].to_numpy() == cities["code"].to_numpy()).all()
    assert cities["region"].value_counts().to_dict() == {"East": 101, "Central": 100, "West": 95}
    lacking = cities.isna().sum()
    expected = {
        "loans_2000": 11,
        "assets_2000": 61,
        "illiteracy_2000": 10,
        "schooling_2000": 10,
        "internet_2000": 30,
    }
    assert {k: lacking[k] for k in expected} == expected
    assert lacking["telephones_1984"] > 40 and lacking["telegraph_1907"] == 0
    for name, table in tables.items():
        flat = table.reset_index() if table.index.names != [None] else table
        schema = rb.columns(SLUG, name).set_index("column")
        assert set(flat.columns) == set(schema.index)
        for column in schema.index[schema["minimum"].notna()]:
            assert flat[column].min() >= schema.at[column, "minimum"], column
    size = sum(f.stat().st_size for f in data_file("teaching").glob(f"{SLUG}*"))
    assert size < 3.5e6


def test_bal_is_the_ratio_of_shipped_light_per_head(tables, panel):
    years = tables["years"]
    y = (years["light"] / years["population"]).unstack("year").loc[tables["cities"].index]
    row = panel.loc[[(5, 2010), (20_000, 2001), (43_659, 2019)]]
    for (_, year), r in row.iterrows():
        low, high = sorted([r["a"], r["b"]], key=lambda c: y.at[c, year - 1])
        assert (r["L"], r["H"]) == (low, high)
        assert r["Bal"] == y.at[low, year] / y.at[high, year]
        flows = tables["citations"].query("citing == @low and cited == @high and year == @year - 1")
        assert r["DKF_HtoL"] == flows["citations"].sum()


def test_panel_is_a_lean_grid(panel):
    assert len(panel) == P * T and panel.index.names == ["pair", "year"]
    assert [*panel.index.names, *panel.columns][:-3] == rb.columns(SLUG)["column"].tolist()
    assert panel.memory_usage().sum() < 120 * 2**20
    assert (panel["Bal"].to_numpy().reshape(P, T)[7] == panel.loc[7, "Bal"].to_numpy()).all()
    a, b = pairs.pairs(296)
    assert (panel["a"].cat.codes.to_numpy().reshape(P, T)[:, 0] == a).all()
    assert (panel["b"].cat.codes.to_numpy().reshape(P, T)[:, 0] == b).all()


# --- calibration ---------------------------------------------------------------------------------------


def test_printed_numbers_of_observations(panel, fits):
    printed = rb.published(SLUG).fit.query("stat == 'N'")
    assert len(printed) == 22
    for r in printed.itertuples():
        column = kf.MODELS[r.table, r.column]
        used = rows(column, panel[["extreme", *column.variables]])
        assert len(used) == int(r.value) == fits[r.table, r.column].n
        assert used.groupby("pair").size().min() > 1  # no singletons: every software has this N


def test_the_generators_own_estimates_are_the_librarys(panel, fits):
    """Its columns serve to calibrate; `regionbook.papers.estimation` has them from another implementation."""
    found = estimates(SLUG, panel).set_index(["table", "column", "term"])
    for key, column in kf.MODELS.items():
        for term, name in column.terms.items():
            b, se = fits[key].at(name)
            assert found.loc[(*key, term), "estimate"] == pytest.approx(b, abs=1e-4 * se)
            assert found.loc[(*key, term), "std_error"] == pytest.approx(se, rel=1e-5)
        assert found.loc[key, "R2"].iloc[0] == pytest.approx(fits[key].r2, rel=1e-8)


# --- planted features -----------------------------------------------------------------------------------


def test_planted_features(panel, tables):
    assert 0.03 < (panel["Bal"] > 1).mean() < 0.12
    assert 0.25 < ((panel["DKF_HtoL"] == 0) & (panel["DKF_LtoH"] == 0)).mean() < 0.5
    swap = panel["L"].cat.codes.to_numpy().reshape(P, T)
    assert 0.03 < (swap[:, 1:] != swap[:, :-1]).mean() < 0.12
    patents = tables["years"].filter(like="patents_").sum(axis=1).unstack("year").loc[:, :2018]
    assert (patents == 0).sum().sum() > 40
    years, region = tables["years"], tables["cities"]["region"]
    by = years.join(region, on="city").groupby(["region", "year"])[["light", "population"]].sum()
    level = by["light"] / by["population"]
    west = level["West"]
    assert (level["East"] / west)[[2000, 2019]].to_numpy() == pytest.approx([2.4, 1.4], abs=0.02)
    assert (level["Central"] / west)[[2000, 2019]].to_numpy() == pytest.approx([1.2, 1.0], abs=0.02)
    total = tables["citations"].groupby("year")["citations"].sum()
    assert total[2018] > 20 * total[2000] and total[2000] < total[2005] < total[2010]


def test_flows_in_wide_gap_pairs_grow_most(panel):
    wide = panel["Gap_light"] == 1
    ends = panel.index.get_level_values("year")
    grew = {
        (gap, k): panel.loc[mask & (ends == 2019), k].sum() / panel.loc[mask & (ends == 2001), k].sum()
        for gap, mask in ((True, wide), (False, ~wide))
        for k in ("DKF_HtoL", "DKF_LtoH")
    }
    assert max(grew, key=grew.get) == (True, "DKF_HtoL")
    assert panel.loc[~wide, "DKF_HtoL"].sum() > panel.loc[wide, "DKF_HtoL"].sum()


def test_firms_follow_inflow_after_four_years(tables):
    inflow = (
        tables["citations"].groupby(["citing", "year"], observed=False)["citations"].sum().unstack("year")
    )
    x = np.log1p(inflow.stack()).rename_axis(["city", "year"])
    frame = pd.DataFrame({"firms": np.log(tables["years"]["digital_firms"].clip(lower=1))})
    for lag in range(1, 6):
        frame[f"lag{lag}"] = x.rename(index=lambda y, lag=lag: y + lag, level="year").reindex(frame.index)
    rows = frame.dropna().reset_index()
    t = pf.feols(
        "firms ~ lag1 + lag2 + lag3 + lag4 + lag5 | city + year", rows, vcov={"CRV1": "city"}
    ).tstat()
    assert t["lag4"] > 4 and t.drop("lag4").abs().max() < 2.6, t


@pytest.mark.parametrize("name", ["IV_tel", "IV_telegraph"])
def test_instruments_have_two_positive_stages(panel, name):
    rows = panel.loc[~panel["extreme"], ["lnDKF_net", "Bal", *kf.CONTROLS, name]].dropna().reset_index()
    rows[name] /= rows[name].std()
    for outcome in ("lnDKF_net", "Bal"):
        t = pf.feols(
            f"{outcome} ~ {name} + HSR + TS + IPP | pair + year", rows, vcov={"CRV1": "pair"}, lean=True
        ).tstat()
        assert t[name] > 1.7, outcome


def two_way(g, mask, change=False):
    """Coefficient of the net flow, pairs that never change roles, two-way effects; in levels or in changes."""
    y, x = g["Bal"][mask], g["lnDKF_net"][mask]
    if change:
        y, x = np.diff(y), np.diff(x)
    else:
        y, x = y - y.mean(1, keepdims=True), x - x.mean(1, keepdims=True)
    y, x = y - y.mean(0), x - x.mean(0)
    b = (x * y).sum() / (x * x).sum()
    return b, b / (np.sqrt(((x * (y - b * x)).sum(1) ** 2).sum()) / (x * x).sum())


def test_the_rival_world_has_a_coefficient_without_an_effect(tables):
    out = {}
    for light in ("light", "light_rival"):
        g = sim.logs(pairs.build(tables, light)[0])
        same = (g["L"] == g["L"][:, :1]).all(1)
        out[light] = [two_way(g, same), two_way(g, same, change=True)]
    assert all(t > 10 for _, t in out["light"])
    (level, t_level), (change, t_change) = out["light_rival"]
    assert level > 0.005 and t_level > 10
    assert change < 0.1 * level and change < 0.1 * out["light"][1][0]


def test_pairs_that_share_a_city_have_related_errors(tables):
    g = sim.logs(pairs.build(tables)[0])
    f = fitting.Estimator(g, {("1", "4"): kf.MODELS["1", "4"]}).fit(keep=True)["1", "4"]
    x = f.x[0] - sum(
        b * z
        for b, z in zip(
            np.linalg.lstsq(np.stack([v.ravel() for v in f.x[1:]], 1), f.x[0].ravel())[0],
            f.x[1:],
            strict=True,
        )
    )
    score = (x * f.e).sum(1)
    city = np.bincount(g["a"], score, 296) ** 2 + np.bincount(g["b"], score, 296) ** 2
    both = (np.bincount(g["a"], score, 296) + np.bincount(g["b"], score, 296)) ** 2
    assert both.sum() - (score**2).sum() > 3 * (score**2).sum() and city.sum() > 0


# --- truth, modes ----------------------------------------------------------------------------------------


def test_truth_says_what_is_causal():
    truth = rb.truth(SLUG)
    assert truth["pair_effect"] == pytest.approx(2 * truth["theta"] / 295, abs=1e-6)
    parts = truth["anatomy_of_the_coefficient"]
    assert abs(parts["no_effect"]) < 0.005 < parts["with_effect"]
    at = rb.published(SLUG).estimates.query("table == '1' and column == '4' and term == 'lnDKF_net'").iloc[0]
    assert abs(parts["shipped"] - at["estimate"]) < 2 * at["paren"]
    assert all(t["within_2se"] for t in truth["targets"]) and "tilt" in truth["calibration"]


# --- the user's own files ---------------------------------------------------------------------------------


@pytest.fixture
def own(tables):
    """Five cities, four years, as a user's files would hold them."""
    names = ["Beijing", "Tianjin", "Wuhan", "Chengdu", "Xi'an"]
    years = tables["years"].loc[(names, [2000, 2001, 2002, 2003]), ["light", "population"]].reset_index()
    c = tables["citations"]
    flows = c[c["citing"].isin(names) & c["cited"].isin(names) & c["year"].between(2000, 2002)]
    return {"years": years, "citations": flows.astype({"citing": str, "cited": str})}


def test_own_tables_build_the_same_pairs(own, tables, panel, tmp_path):
    p = rb.load(SLUG, (own["years"], own["citations"]))
    assert len(p) == 10 * 3 and not p.attrs["simulated"] and "TS" not in p and "Bal" in p
    mine = p.reset_index().query("a == 'Beijing' and b == 'Wuhan'").set_index("year")
    for c in ("Bal", "DKF_HtoL", "DKF_LtoH"):
        theirs = panel.reset_index().query("a == 'Beijing' and b == 'Wuhan'").set_index("year")[c]
        assert (mine[c] == theirs.loc[2001:2003]).all()
    for name, frame in own.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    again = rb.load(SLUG, tmp_path)
    pd.testing.assert_frame_equal(again, p)
    assert rb.load(SLUG, tmp_path, table="citations").equals(rb.load(SLUG, own, table="citations"))


def change(own, table, at, column, value):
    frame = own[table].copy()
    frame[column] = frame[column].astype(object)
    frame.loc[frame.index[at], column] = value
    return {**own, table: frame}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda o: change(o, "years", 2, "population", 0),
            r"years .*population: 1 value beyond the minimum of 1",
        ),
        (lambda o: change(o, "years", 3, "light", ""), r"column light: 1 cell empty \(position 3\)"),
        (lambda o: change(o, "years", 1, "light", "1,5"), r"not a number \(position 1: '1,5'\)"),
        (
            lambda o: {**o, "years": o["years"].drop(index=4)},
            "1 city-year absent .*complete the panel or leave the cities out$",
        ),
        (lambda o: change(o, "citations", 2, "citations", 1.5), "1 value not a whole number .*: give counts"),
        (
            lambda o: {**o, "years": o["years"].query("year == 2001")},
            "years: 2001 only: pairs need at least two years up to 2019",
        ),
        (lambda o: {**o, "years": pd.concat([o["years"], o["years"].iloc[:1]])}, "there more than once"),
        (lambda o: change(o, "citations", 0, "citing", "Atlantis"), "'Atlantis'"),
        (lambda o: change(o, "citations", 1, "citations", -2), "citations: 1 value beyond the minimum of 0"),
        (lambda o: change(o, "citations", 0, "citing", o["citations"]["cited"].iloc[0]), "within one city"),
        (lambda o: {**o, "citations": o["citations"].query("year != 2001")}, "no row at all for 2001"),
        (lambda o: {"years": o["years"]}, "table citations missing"),
    ],
)
def test_bad_rows_are_refused_with_their_place(own, spoil, words):
    with pytest.raises(DataError, match=words):
        rb.load(SLUG, spoil(own))


def test_columns_that_pairs_cannot_do_without(own):
    """Whatever is required."""
    bare = {**own, "years": own["years"].drop(columns="light")}
    with pytest.raises(DataError, match="1 column missing: light"):
        rb.load(SLUG, bare, required=["population"])
    with pytest.raises(
        ValueError, match=r"names \['lihgt'\], .*none of your tables .*\('lihgt': 'light'\?\)"
    ):
        rb.load(SLUG, own, required=["lihgt"])
    assert len(rb.load(SLUG, own, required="light")) == 30


def test_years_that_are_not_used_are_named(own):
    later = {name: t.assign(year=t["year"] + 18) for name, t in own.items()}
    with pytest.warns(
        DataWarning, match="the panel of pairs ends with 2019, as the paper's; 2020, 2021 not used"
    ):
        assert set(rb.load(SLUG, later).index.get_level_values("year")) == {2019}


def test_all_problems_at_once(own):
    bad = change(change(own, "years", 2, "population", 0), "citations", 1, "citations", -2)
    with pytest.raises(DataError) as error:
        rb.load(SLUG, bad)
    assert len(error.value.problems) == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rb.load(SLUG, table="city"), "Did you mean 'cities'"),
        (lambda: rb.load("city-innovation", table="cities"), "is one table"),
        (lambda: rb.load(SLUG, "file.csv"), "needs the city-years and the citations"),
        (lambda: rb.load(SLUG, {"flows": 1}), "no table 'flows'"),
        (lambda: rb.load(SLUG, allow_gaps=True), "for your own data"),
        (lambda: data.pair_panel(light="lux"), "no column 'lux'"),
        (lambda: data.raw_tables("city-innovation"), "is one table"),
        (lambda: estimate(kf.MODELS["1", "4"], pd.DataFrame({"extreme": [False]})), "lacks Bal"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# --- the functions ------------------------------------------------------------------------------------------


def test_pair_numbers():
    a, b = pairs.pairs(296)
    assert (pairs.pair_number(b, a, 296) == np.arange(P)).all()


def test_theil_by_hand():
    imports = pd.DataFrame(
        {
            "city": ["A"] * 3 + ["B"],
            "country": list("xyzx"),
            "hs2": [1, 1, 2, 1],
            "value": [1.0, 3.0, 5.0, 2.0],
        }
    )
    t = pairs.theil(imports)
    assert t["A", 1] == pytest.approx((0.5 * np.log(0.5) + 1.5 * np.log(1.5)) / 2)
    assert t["A", 2] == t["B", 1] == 0
    d = pairs.diversity(
        imports, pd.DataFrame({"province": ["p", "p", "p"]}, index=pd.Index(["A", "B", "C"], name="city"))
    )
    assert d.at["A", "own"] == pytest.approx(2 / t["A", 1]) and d["own"].isna().tolist() == [
        False,
        True,
        True,
    ]


def test_links_open_with_the_later_stop():
    rail = pd.DataFrame(
        {
            "line": ["1", "1", "2", "2"],
            "stop": [1, 2, 1, 2],
            "city": list("ABAC"),
            "opened": [2008, 2012, 2010, 2010],
        }
    )
    y = pairs.link_years(rail, pd.Index(list("ABC")))
    assert y[0, 1] == 2012 and y[0, 2] == 2010 and np.isinf(y[1, 2])
