"""The simulated panel of industry-agglomeration: its files, its calibration, its process."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from first_four import industry_agglomeration as simulator
from first_four import simulate, write
from first_four._agglomeration_targets import (
    GRID,
    SPLITS,
    cities,
    eigenvalues,
    lag,
    spatial_durbin,
    weights,
)

import regionbook as rb
from regionbook import geo
from regionbook.paths import data_file

SLUG = "industry-agglomeration"
OURS = ["agglomeration", "develop", "unemployed", "finance", "human", "traffic", "support"]


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return rb.papers.prepare(SLUG)


def test_shipped_files_are_what_the_simulator_writes(tmp_path):
    write(SLUG, tmp_path)
    for ending in (".csv", ".truth.json", ".hidden.truth.json"):
        made = (tmp_path / f"{SLUG}{ending}").read_bytes()
        assert made == data_file("teaching", f"{SLUG}{ending}").read_bytes()
    made = pd.read_parquet(tmp_path / f"{SLUG}.hidden.parquet")
    pd.testing.assert_frame_equal(made, pd.read_parquet(data_file("teaching", f"{SLUG}.hidden.parquet")))


def test_cities_follow_the_rule():
    units = geo.units("city")
    kept = set(cities()["city"])
    left = units[
        units["level"].isin(["municipality", "prefecture-level city"]) & ~units["name_en"].isin(kept)
    ]
    assert len(kept) == 280
    assert set(left["name_en"]) == {*simulator.LATE, *simulator.ALONE}


def test_neighbours_are_those_of_the_map():
    graph = geo.contiguity(cities()["code"]).transform("r")
    np.testing.assert_allclose(weights(), graph.sparse.toarray(), atol=1e-12)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(weights()).real), np.sort(eigenvalues()), atol=1e-7)


def test_raw_columns_obey_the_dictionary(panel):
    schema = rb.columns(SLUG).set_index("column")
    shipped = rb.load(SLUG)
    assert len(shipped) == 2800 and not shipped.isna().any().any()
    for name, rule in schema.iterrows():
        if rule["dtype"] in ("int", "float"):
            values = shipped.reset_index()[name]
            assert not (values < rule["minimum"]).any() and not (values > rule["maximum"]).any(), name
    added = shipped[["output_1", "output_2", "output_3"]].sum(axis=1)
    assert (added == shipped["gdp"]).all()
    assert (shipped["sci_exp"] + shipped["edu_exp"] < shipped["fiscal_exp"]).all()
    assert (shipped["exchanges"].unstack("year").diff(axis=1).iloc[:, 1:] >= 0).all().all()
    both = panel["agglomeration"] * panel["employment"]
    mean = both.groupby("year").sum() / panel["employment"].groupby("year").sum()
    np.testing.assert_allclose(mean, 1)  # a location quotient averages one, weighted by employment


def test_descriptives(panel):
    names = {"New-productivity": "new_productivity"}
    for row in rb.published(SLUG).descriptives.itertuples():
        x = panel[names.get(row.variable, row.variable)]
        assert x.mean() == pytest.approx(row.mean, rel=0.02), row.variable
        assert x.std() == pytest.approx(row.sd, rel=0.02), row.variable
        assert x.min() >= row.min - 1e-4 and x.max() <= row.max * 1.001, row.variable


def test_column_1_is_not_pooled_least_squares(panel):
    slope, constant = np.polyfit(panel["agglomeration"], panel["new_productivity"], 1)
    assert slope > 0.02 and constant < 0.02  # printed 0.0059 and 0.0312


def test_every_target_of_the_truth_file():
    truth = rb.truth(SLUG)
    assert all(t["within_2se"] for t in truth["targets"])
    assert {t["table"] for t in truth["targets"]} == {"2", "3", "4", "5"}
    assert len(truth["targets"]) == 67


def test_rho_follows_the_scale_of_the_weights(panel):
    y, X = panel["new_productivity"].to_numpy(), panel[OURS].to_numpy()
    plain, scaled = spatial_durbin(y, X), spatial_durbin(y, X, scale=10)
    assert scaled["rho"] == pytest.approx(10 * plain["rho"]) and scaled["own"] == pytest.approx(plain["own"])
    assert -1 < plain["rho"] < 0


def test_splits_go_as_the_paper_says():
    for name, s in rb.truth(SLUG)["median_splits"].items():
        assert (s["high"] > s["low"]) == (name in SPLITS[:4]), name
        high_t, low_t = s["high"] / s["high_se"], s["low"] / s["low_se"]
        assert (high_t > low_t) == (name in SPLITS[:4]), name


def test_instrument_escapes_the_misclassified_jobs():
    truth = rb.truth(SLUG)
    iv = truth["two_stage_least_squares"]
    assert iv["first_F"] > 100 and iv["estimate"] > 2.576 * iv["se"]
    assert iv["estimate"] == pytest.approx(iv["estimand"], abs=2e-5)
    assert truth["attenuated_beta"] == pytest.approx(0.0099)
    assert truth["impacts"]["total"] == pytest.approx(
        (truth["beta"] + truth["theta"]) / (1 - truth["rho"]), rel=1e-4
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_seeds_meet_the_targets(seed):
    truth = simulate(SLUG, seed=seed).truth
    assert truth["attempt"] <= 2 and all(t["within_2se"] for t in truth["targets"])


def test_lag_averages_the_neighbours():
    codes = cities()["code"].to_numpy()
    pairs = pd.read_csv(data_file("teaching", f"{SLUG}.neighbours.csv"))
    code = codes[0]
    near = set(pairs.loc[pairs["code"] == code, "neighbour"]) | set(
        pairs.loc[pairs["neighbour"] == code, "code"]
    )
    values = np.arange(GRID.size, dtype=float)
    expected = np.mean([values[10 * np.flatnonzero(codes == k)[0]] for k in near])
    assert lag(values)[0] == pytest.approx(expected)


def test_bad_input():
    with pytest.raises(TypeError, match="seed is -1"):
        simulate(SLUG, seed=-1)


def test_prepare_names_a_missing_column():
    with pytest.raises(ValueError, match="digital_staff"):
        rb.papers.prepare(SLUG, rb.load(SLUG).drop(columns="digital_staff"))
