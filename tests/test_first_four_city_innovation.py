"""The simulated panel of `city-innovation`: shipped file, calibration, personal panels, drawn mode.

Everything about the shipped panel is computed anew from the CSV's raw columns with pyfixest and the library's index
functions, not with the simulator's own code. The reference values are the paper's printed numbers
(data/published/city-innovation). The regressions stand in test_tables_declared.py.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from first_four import SLUGS, simulate, write
from first_four._calibrate import (
    CalibrationError,
    Grid,
    Squares,
    Targets,
    entropy_weights,
    marginal,
    match,
    minmax,
    project,
    redundancy,
    tilt_to,
)

from regionbook.index import coupling_coordination, entropy_index
from regionbook.papers import city_innovation as paper
from regionbook.paths import data_file

SLUG = "city-innovation"
X = " + ".join(paper.CONTROLS)


def published(name: str) -> pd.DataFrame:
    return pd.read_csv(data_file("published", SLUG, f"{name}.csv"), dtype={"table": str, "column": str})


@cache
def estimates() -> dict[tuple[str, str, str], tuple[float, float]]:
    return {(r.table, r.column, r.term): (r.estimate, r.paren) for r in published("estimates").itertuples()}


@cache
def shipped() -> pd.DataFrame:
    return pd.read_csv(data_file("teaching", f"{SLUG}.csv"))


@cache
def prepared() -> pd.DataFrame:
    return paper.prepare(shipped().set_index(["city", "year"])).reset_index()


def two_way(outcome: str, terms: str, data: pd.DataFrame) -> pf.Feols:
    return pf.feols(f"{outcome} ~ {terms} + {X} | city + year", data, vcov="iid")


# ------------------------------------------------------------------------------------------------- shipped files
def test_regenerating_gives_the_shipped_files(tmp_path):
    write(SLUG, tmp_path)
    made = sorted(tmp_path.iterdir())
    world = [f"{SLUG}.coast.parquet", f"{SLUG}.coast.truth.json"]
    assert [k.name for k in made] == [*world, f"{SLUG}.csv", f"{SLUG}.truth.json"]
    rival, stored = pd.read_parquet(made.pop(0)), pd.read_parquet(data_file("teaching", world[0]))
    assert list(rival) == list(stored)
    numbers = rival.select_dtypes("number").columns
    np.testing.assert_allclose(rival[numbers], stored[numbers], rtol=1e-6, atol=1.01)
    made.pop(0)
    same = [k.read_bytes() == data_file("teaching", k.name).read_bytes() for k in made]
    if not all(same):  # another processor may round the last digit of a few cells otherwise
        new = pd.read_csv(made[0])
        assert list(new) == list(shipped())
        for column in new:
            if new[column].dtype.kind in "fi":
                np.testing.assert_allclose(
                    new[column], shipped()[column], rtol=1e-6, atol=1.01, err_msg=column
                )
            else:
                assert (new[column] == shipped()[column]).all()


def test_panel_has_the_dictionarys_columns_within_their_bounds():
    words = pd.read_csv(data_file("teaching", f"{SLUG}.columns.csv"))
    panel = shipped()
    assert list(panel) == list(words["column"])
    assert not panel.isna().any().any()
    kinds = {"int": "i", "float": "f", "str": "OUT"}
    for row in words.itertuples():
        column = panel[row.column]
        assert column.dtype.kind in kinds[row.dtype] or pd.api.types.is_string_dtype(column), row.column
        assert pd.isna(row.minimum) or column.min() >= row.minimum, row.column
        assert pd.isna(row.maximum) or column.max() <= row.maximum, row.column
    known = {
        *published("indicators")["indicator_en"],
        *published("descriptives")["variable"],
        "stage",
        "structure",
    }
    known |= {"inn_1", "IV_1", "IV_2", "size", "inn_infra"}
    assert set(words["published"].dropna()) <= known


def test_panel_is_balanced_and_clusters_are_the_papers():
    panel = shipped()
    assert (panel.groupby("city")["year"].apply(list) == [list(range(2008, 2022))] * 196).all()
    assert (panel.sort_values(["code", "year"]).index == panel.index).all()
    clusters = panel.groupby("cluster_zh").agg(
        cities=("city", "nunique"), stage=("stage", "first"), structure=("structure", "first")
    )
    assert len(clusters) == 19
    assert clusters.loc[clusters["cities"] <= 3, "cities"].sum() == 9
    assert (panel[panel["primate"] == 1].groupby("cluster")["city"].nunique() == 1).all()
    other = published("other")
    for name in ("stage", "structure"):
        told = other[other["column"] == name].query("unit == 'code'").set_index("row")["value"].astype(int)
        assert len(told) == 19
        assert (clusters[name] == told.reindex(clusters.index)).all()


def test_totals_agree_with_the_ratios():
    p = shipped()
    assert (p["output_1"] + p["output_2"] + p["output_3"] == p["gdp"]).all()
    assert (p["digit"] * 1e4 <= p["pat_apply"]).all()
    for column, value in {
        "gov": 10 * p["fiscal_exp"] / p["gdp"],
        "cap": p["rd_exp"] / p["fiscal_exp"],
        "ris": p["output_3"] / p["output_2"],
        "ent": p["new_firms"] / (100 * p["population"]),
        "density": 1000 * p["population"] / p["area"],
    }.items():
        np.testing.assert_allclose(p[column], value, rtol=2e-3, atol=1.5e-4, err_msg=column)
    # a regression on recomputed channels is the same to four digits
    data = prepared().assign(
        cap_own=p["rd_exp"] / p["fiscal_exp"], ent_own=p["new_firms"] / (100 * p["population"])
    )
    for column in ("cap", "ent"):
        a, b = (two_way(k, "digit", data).coef()["digit"] for k in (column, f"{column}_own"))
        assert round(a, 4) == round(b, 4)


def test_definitions_that_the_papers_ranges_contradict_are_visible():
    p = shipped()
    share = p.groupby("year")[["rd_exp", "fiscal_exp"]].transform("sum")
    location = (p["rd_exp"] / p["fiscal_exp"]) / (share["rd_exp"] / share["fiscal_exp"])
    weighted = (p["output_1"] + 2 * p["output_2"] + 3 * p["output_3"]) / p["gdp"]
    assert location.max() > 1 > p["cap"].max()
    assert weighted.between(1, 3).all()
    assert p["ris"].max() > 3 and p["ris"].min() < 1


def test_no_pile_up_and_the_index_is_in_the_printed_range():
    inn = prepared()["inn"]
    assert (inn < inn.min() + 1e-4).mean() < 0.001
    assert inn.min() == pytest.approx(0.0067, abs=2e-4)
    assert inn.max() == pytest.approx(0.6483, abs=2e-3)


# --------------------------------------------------------------------------------------------------- calibration
def test_entropy_weights_are_within_half_a_point():
    raw = paper.indicators(shipped().set_index(["city", "year"]))
    gap = 100 * entropy_index(raw).weights.to_numpy() - published("indicators")["weight_pct"].to_numpy()
    assert np.abs(gap).max() < 0.5


def test_coupling_is_the_librarys_coupling_degree():
    raw = shipped()[["pat_grant", "gdp_growth"]].astype(float)
    scaled = (raw - raw.min()) / (raw.max() - raw.min())
    own = 100 * coupling_coordination(scaled)["coupling"]
    np.testing.assert_allclose(own, paper.indicators(shipped().set_index(["city", "year"]))["coupling"])


def test_means_and_deviations_are_within_ten_per_cent():
    data = prepared()
    for row in published("descriptives").itertuples():
        x = data[row.variable]
        assert x.mean() == pytest.approx(row.mean, rel=0.1), row.variable
        assert x.std() == pytest.approx(row.sd, rel=0.1), row.variable
        assert x.max() == pytest.approx(row.max, rel=0.01), row.variable


def test_truth_tells_what_the_file_is():
    truth = json.loads(data_file("teaching", f"{SLUG}.truth.json").read_text(encoding="utf-8"))
    assert "SIMULATED" in truth["data"]
    assert (truth["seed"], truth["mode"], truth["jitter"]) == (2026, "matched", 0)
    assert truth["beta"] == 0.197
    assert set(truth["beta_by_cluster"]) == set(shipped()["cluster"])
    missed = {(k["table"], k["column"], k["term"]) for k in truth["targets"] if not k["within_2se"]}
    assert missed <= {("5", "2", "_cons"), ("5", "2", "R2")}
    assert len(truth["targets"]) > 100 and all(k["what"] and k["reason"] for k in truth["unreachable"])
    before = truth["before_projection"]  # the story is in the process, the projection only sharpens it
    assert 0.35 * truth["beta"] < before["within"] < 0.7 * truth["beta"]
    for iv in ("IV_1", "IV_2"):
        assert before[f"2sls_{iv}"] == pytest.approx(truth["beta"], rel=0.25)


def passes(seed: int) -> None:
    truth = simulate(SLUG, seed).truth
    missed = {(k["table"], k["column"], k["term"]) for k in truth["targets"] if not k["within_2se"]}
    assert missed <= {("5", "2", "_cons"), ("5", "2", "R2")}, seed


@pytest.mark.parametrize("seed", [1, 7])
def test_other_seeds_meet_the_targets(seed):
    passes(seed)


@pytest.mark.simulation
@pytest.mark.parametrize("seed", range(20))
def test_twenty_seeds_meet_the_targets(seed):
    passes(seed)


# ------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("no-such-paper",), KeyError, "no simulator"),
        ((SLUG, -1), TypeError, "seed"),
        ((SLUG, "7"), TypeError, "seed"),
        ((SLUG, True), TypeError, "seed"),
    ],
)
def test_bad_arguments_are_told(arguments, error, words):
    with pytest.raises(error, match=words):
        simulate(*arguments)


def test_writing_an_unknown_paper_is_told(tmp_path):
    assert SLUG in SLUGS
    with pytest.raises(KeyError, match="no simulator"):
        write("no-such-paper", tmp_path)


# --------------------------------------------------------------------------------------------------- the devices
def test_projection_meets_targets_inside_its_bounds():
    rng = np.random.default_rng(0)
    n = 300
    prior = np.clip(rng.lognormal(-3, 1, n), 0.011, 0.9)
    rows = rng.standard_normal((4, n))
    targets = rows @ np.clip(prior * rng.lognormal(0, 0.2, n), 0.02, 0.9)
    lower, upper = np.full(n, 0.01), np.full(n, 1.0)
    upper[3] = lower[3] = 0.5
    result = project(prior, np.ones(n), rows, targets, lower, upper)
    np.testing.assert_allclose(rows @ result.values, targets, atol=1e-7)
    assert result.values[3] == 0.5
    inside = np.delete(result.values, 3)
    assert (inside > 0.01).all() and (inside < 1).all()
    with pytest.raises(CalibrationError, match="not inside"):
        project(np.zeros(n), np.ones(n), rows, targets, lower, upper)


def test_match_reaches_coefficients_errors_and_r2_and_says_when_it_cannot():
    rng, grid = np.random.default_rng(1), Grid(40, 10)
    d = np.exp(0.5 * grid.ar1(rng, 0.8))
    dw = grid.within(d)
    targets = Targets()
    targets.add("slope", dw, 0.3 * (dw @ dw))
    parts = np.array(
        [grid.expand(rng.standard_normal(40)), 0.3 * grid.standard_trend, 0.5 * grid.ar1(rng, 0.3)]
    )
    bounds = np.full(400, -20.0), np.full(400, 30.0)
    residual_ss = 0.04**2 * (dw @ dw) * (400 - 40 - 9 - 1)
    squares = Squares(900.0, residual_ss / 0.4, residual_ss)
    result = match(grid, 0.3 * d, parts, np.ones(400), targets, bounds, 2.0, squares, dw[:, None])
    frame = pd.DataFrame({"y": result.values, "d": d, "i": grid.expand(np.arange(40)), "t": grid.trend})
    fit = pf.feols("y ~ d | i + t", frame, vcov="iid")
    assert fit.coef()["d"] == pytest.approx(0.3, abs=1e-6)
    assert fit.se()["d"] == pytest.approx(0.04, rel=1e-4)
    assert result.values.mean() == pytest.approx(2.0)
    impossible = Squares(residual_ss, 2 * residual_ss, 1.9 * residual_ss)
    with pytest.raises(CalibrationError, match="sums of squares"):
        match(grid, 0.3 * d, parts, np.ones(400), targets, bounds, 2.0, impossible, dw[:, None])


def test_marginal_and_tilt_and_weights():
    rng = np.random.default_rng(2)
    x = marginal(rng.standard_normal(3000), 85, 16, 0.24, 119.44, from_above=True)
    assert (x.mean(), x.std(ddof=1), x.min(), x.max()) == pytest.approx((85, 16, 0.24, 119.44), rel=5e-3)
    with pytest.raises(CalibrationError, match="missed"):
        marginal(rng.standard_normal(3000), 10, 60, 1, 20)
    scores = rng.standard_normal((2000, 3))
    wanted = np.array([0.02, 0.1, 0.2])
    tilted = tilt_to(scores, wanted)
    np.testing.assert_allclose(redundancy(tilted), wanted, rtol=1e-4)
    own = entropy_index(pd.DataFrame(scores, columns=list("abc")))
    np.testing.assert_allclose(entropy_weights(minmax(scores)), own.weights, rtol=1e-10)
