"""The factor-innovation panel: reproducible, calibrated to the printed tables, honest about its truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from first_four import _factor_fit as steps
from first_four import factor_innovation as sim
from first_four import simulate
from first_four._factor_targets import PERIODS, Column, fit, printed, provinces, table_columns
from linearmodels import RandomEffects

from regionbook import data, papers
from regionbook.papers import factor_innovation as paper
from regionbook.paths import data_file

SLUG = "factor-innovation"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return papers.prepare(SLUG)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return sim.estimate(data.load(SLUG).reset_index())


def sample(panel: pd.DataFrame) -> pd.DataFrame:
    return panel.reset_index().query("year >= 2013")


def test_regenerating_gives_the_shipped_file(tmp_path):
    sim.write(tmp_path)
    for ending in (".csv", ".truth.json", ".boom.truth.json"):
        name = SLUG + ending
        assert (tmp_path / name).read_bytes() == data_file("teaching", name).read_bytes(), name
    made = pd.read_parquet(tmp_path / f"{SLUG}.boom.parquet")
    pd.testing.assert_frame_equal(made, pd.read_parquet(data_file("teaching", f"{SLUG}.boom.parquet")))


def test_units_years_and_groups(panel):
    assert panel.shape[0] == 651
    assert panel.index.names == ["province", "year"]
    one = panel.groupby("province")[["region4", "north_south", "pilot"]].first()
    assert one["region4"].value_counts().to_dict() == {"East": 10, "Central": 6, "West": 12, "Northeast": 3}
    assert one["north_south"].value_counts().to_dict() == {"South": 16, "North": 15}
    assert not panel.isna().any().any()


def test_contract(table):
    """Weights within half a point, moments within 10 per cent, R2 within .05, coefficients within two errors."""
    far = table[(table["reached"] - table["printed"]).abs() > 2 * table["printed_se"]]
    assert far.empty, far
    regressions = table[table["reached_se"].notna()]
    assert len(regressions) == 195
    same = (regressions["printed_stars"] == regressions["reached_stars"]) & (
        np.sign(regressions["printed"]) == np.sign(regressions["reached"])
    )
    assert same.mean() > 0.90


def test_weights_of_all_periods_are_there(table):
    for number, count in (("1", 11), ("2", 12), ("3", 3)):
        rows = table[table["table"] == number]
        assert (rows["column"].value_counts()[list(PERIODS)] == count).all()
        assert (rows["column"] == "2003-2023").sum() == 3


def test_ranges_and_levels(panel):
    here = sample(panel)
    columns = {"TAL": "talent", "BASE": "debt", "GAP": "income_gap", "GOV": "spending"}
    for name, (_, _, low, high) in printed().moments.items():
        x = here[columns.get(name, name)]
        assert x.min() >= low - 1e-4 and x.max() <= high + 1e-4 or name == "ID"
    level = panel.groupby("year")[["FI", "ID", "RCD"]].mean()
    assert level.loc[2003].to_numpy() == pytest.approx([0.03, 0.04, 0.07], abs=0.005)
    assert level.loc[2023].to_numpy() == pytest.approx([0.24, 0.33, 0.31], abs=0.012)
    output = panel.groupby(["region4", "year"])[["output_1", "output_2", "output_3"]].sum().sum(axis=1)
    for key, value in printed().regional_gdp.items():
        assert output[key] == pytest.approx(value, rel=0.01)


def test_lists_above_the_mean(panel):
    wrong = 0
    for (index, year), names in printed().above.items():
        x = panel.xs(year, level="year")[index]
        above = set(x.index[x > x.mean()])
        wrong += len(names - above)
        if len(names) > 3:
            wrong += len(above - names)
    assert wrong <= 8  # of 9 lists; those of FI and RCD in 2013 contradict another list of the paper


def test_agrees_with_pyfixest_and_linearmodels(panel):
    here = sample(panel)
    arrays = {k: here[k].to_numpy() for k in steps.BASE}
    by = {(c.table, c.column): c for c in table_columns()}
    for key, rows in ((("5", "1"), here), (("8", "4"), here[here["region4"] == "Northeast"])):
        theirs = pf.feols(
            "RCD ~ FI + TAL + BASE + GAP + GOV | province + year", rows, vcov={"CRV1": "province"}
        )
        ours = fit(by[key], arrays)
        assert ours.b[:5] == pytest.approx(theirs.coef().to_numpy(), rel=1e-6)
        assert ours.se[:5] == pytest.approx(theirs.se().to_numpy(), rel=1e-6)
        assert ours.r2 == pytest.approx(theirs._r2, rel=1e-6)
    indexed = here.set_index(["province", "year"])
    x = indexed[["FI", "ID", "TAL", "BASE", "GAP", "GOV"]].assign(const=1.0)
    theirs = RandomEffects(indexed["RCD"], x).fit(cov_type="clustered", cluster_entity=True)
    ours = fit(by["7", "5"], arrays)
    assert ours.b == pytest.approx(theirs.params.to_numpy(), rel=0.02)
    assert ours.se == pytest.approx(theirs.std_errors.to_numpy(), rel=0.06)


def test_columns_10_and_11_are_one_regression(panel):
    assert np.allclose(panel["FI"], panel[["LI", "KI", "TI"]].sum(axis=1))
    arrays = {k: sample(panel)[k].to_numpy() for k in steps.BASE}
    ten, eleven = (
        fit(c, arrays) for c in table_columns() if (c.table, c.column) in (("5", "10"), ("5", "11"))
    )
    fi, li, ti = ten.b[:3]
    assert eleven.b[:3] == pytest.approx([fi + ti, li - ti, -ti], abs=1e-8)
    assert eleven.b[3:] == pytest.approx(ten.b[3:], abs=1e-8)


def test_total_is_direct_plus_product(panel):
    arrays = {k: sample(panel)[k].to_numpy() for k in steps.BASE}
    b = {(c.table, c.column): fit(c, arrays).b for c in table_columns()}
    assert b["5", "1"][0] == pytest.approx(b["6", "2"][0] + b["6", "1"][0] * b["6", "2"][1], abs=1e-9)


def test_policy_can_be_found(panel):
    truth = data.truth(SLUG)["policy"]
    frame = panel.reset_index()
    assert sorted(truth["provinces"]) == sorted(frame.loc[frame["pilot"] == 1, "province"].unique())
    frame["D"] = frame["pilot"] * (frame["year"] >= truth["year"])
    frame["log"] = np.log(frame["RCD"])
    m = pf.feols("log ~ D | province + year", frame, vcov={"CRV1": "province"})
    assert m.coef()["D"] == pytest.approx(truth["estimate"], abs=1e-3)
    assert abs(m.coef()["D"] - truth["effect"]) < 2 * m.se()["D"]
    assert m.coef()["D"] > 3 * m.se()["D"]


def test_truth_lists_targets_and_what_cannot_be_reached():
    truth = data.truth(SLUG)
    assert truth["seed"] == 2026 and truth["mode"] == "matched"
    assert all(t["within_2se"] for t in truth["targets"])
    assert all(set(u) == {"what", "reason"} for u in truth["unreachable"])
    assert set(data.columns(SLUG)["published"]) >= {"TAL", "value added of the primary sector"}


def test_gradients_are_those_of_finite_differences():
    """Coefficients and clustered errors of a lagged, a random-effects and a regional column."""
    shipped = sample(papers.prepare(SLUG))
    values = {k: shipped[k].to_numpy().copy() for k in steps.BASE}
    for k in ("ID1", "ID2", "ID3"):
        values[k] = papers.prepare(SLUG)[k].to_numpy().copy()
    lower, upper = dict.fromkeys(values, -1.0), dict.fromkeys(values, 2.0)
    state = steps.State(values, lower, upper, printed(), {})
    rng = np.random.default_rng(5)
    change = {k: 1e-6 * rng.standard_normal(len(x)) for k, x in values.items()}
    before = {k: x.copy() for k, x in values.items()}
    columns: list[Column] = [table_columns()[i] for i in (0, 11, 17, 24)]
    for c in columns:
        system = steps.System(state, steps.BASE)
        f = fit(c, state.sample())
        block = np.zeros((len(c.terms) + 1, system.size))
        steps.error_rows(system, c, f, block)
        predicted = block @ np.concatenate([change[k] for k in steps.BASE])
        ends = []
        for sign in (1, -1):
            state.values.update({k: before[k] + sign * change[k] for k in steps.BASE})
            ends.append(np.log(fit(c, state.sample()).se))
        state.values.update(before)
        measured = (ends[0] - ends[1]) / 2
        n = len(c.terms)
        assert predicted[:n] == pytest.approx(measured[:n], rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: simulate(SLUG, seed=-1), TypeError, "seed is -1"),
        (lambda: paper.index(data.load(SLUG), "GDP"), ValueError, "no index 'GDP'"),
        (lambda: papers.prepare(SLUG, data.load(SLUG).drop(columns="loans")), ValueError, "lacks loans"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_own_data_are_indexed_by_province():
    frame = data.load(SLUG).reset_index()
    again = data.load(SLUG, frame)
    assert again.index.names == ["province", "year"] and not again.attrs["simulated"]
    with pytest.raises(data.DataError, match="1 province-year absent"):
        data.load(SLUG, frame.drop(index=5))
    assert len(provinces()) == 31
