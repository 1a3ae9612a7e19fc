"""Tests of spatial panels against R (tests/data/oracles), an explicit transformation and other fits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regionbook import models

ORACLES = Path(__file__).parent / "data" / "oracles"
R = (
    pd.read_csv(ORACLES / "results" / "3_spatial.csv", dtype={"term": str})
    .set_index(["case", "quantity", "term"])["value"]
    .sort_index()
)
FORMULA = "y ~ x1 + x2"
LM = {
    "LM lag": "lm_lag",
    "robust LM lag": "rlm_lag",
    "LM error": "lm_error",
    "robust LM error": "rlm_error",
    "LM SARMA": "lm_sarma",
}
LR_WALD = {
    "LR: SDM against SAR": "lr_sdm_against_sar",
    "LR: SDM against SEM": "lr_sdm_against_sem",
    "Wald: SDM against SAR": "wald_sdm_against_sar",
    "Wald: SDM against SEM": "wald_sdm_against_sem",
}


def weights(name):
    links = pd.read_csv(ORACLES / "data" / f"w_{name}.csv")
    units = range(1, 61)
    wide = links.pivot(index="unit", columns="neighbour", values="binary")
    wide = wide.reindex(index=units, columns=units).fillna(0.0)
    return wide.div(wide.sum(axis=1), axis=0)


W = {name: weights(name) for name in ("contiguity", "knn")}
PANEL = {
    name: pd.read_csv(ORACLES / "data" / f"spatial_{name}.csv").set_index(["unit", "year"]) for name in W
}


def compare(table, names, case, rel):
    for ours, theirs in names.items():
        got = table.loc[ours]
        assert got["statistic"] == pytest.approx(R[case, theirs, "chi2"], rel=rel), ours
        assert got["df"] == R[case, theirs, "df"]
        assert got["p"] == pytest.approx(R[case, theirs, "p"], rel=max(rel, 1e-6) * 10, abs=1e-9)


@pytest.mark.reference
@pytest.mark.parametrize("matrix", W)
@pytest.mark.parametrize(
    ("effects", "lm", "lr"),
    [
        ("unit", "unit_command_ols", "unit_direct"),
        ("twoways", "twoway_command_ols", "twoway_direct"),
        ("none", "pooled_ols", None),
    ],
)
def test_direct_equals_r(matrix, effects, lm, lr):
    table = models.spatial_tests(
        PANEL[matrix], FORMULA, W[matrix], effects=effects, correction="direct"
    ).table
    compare(table, LM, f"{matrix}_{lm}", 1e-8)
    if lr:
        compare(table, LR_WALD, f"{matrix}_{lr}", 1e-8)


@pytest.mark.reference
@pytest.mark.parametrize("matrix", W)
def test_cross_section_equals_spatialreg(matrix):
    panel = PANEL[matrix]
    last = panel[panel.index.get_level_values("year") == 2018]
    table = models.spatial_tests(last, FORMULA, W[matrix], effects="none").table
    compare(table, LM, f"{matrix}_cross_ols", 1e-8)
    compare(table, LR_WALD, f"{matrix}_cross", 1e-5)


@pytest.mark.reference
@pytest.mark.parametrize(("effects", "case"), [("unit", "unit_leeyu"), ("twoways", "twoway_leeyu")])
@pytest.mark.parametrize("matrix", W)
def test_lee_yu_likelihood_tests_equal_r(matrix, effects, case):
    table = models.spatial_tests(PANEL[matrix], FORMULA, W[matrix], effects=effects).table
    compare(table, LR_WALD, f"{matrix}_{case}", 1e-8)


@pytest.mark.parametrize("effects", ["unit", "time", "twoways"])
@pytest.mark.parametrize("matrix", W)
def test_lee_yu_lm_equals_the_transformation_written_out(matrix, effects):
    """Data times orthonormal complements of the constants, W* = F'WF, then the textbook's formulas."""

    def complement(n):
        return np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]]))[0][:, 1:]

    ft = complement(8) if effects != "time" else np.eye(8)
    fn = complement(60) if effects != "unit" else np.eye(60)
    w = fn.T @ W[matrix].to_numpy() @ fn
    data = {c: fn.T @ PANEL[matrix][c].unstack("year").to_numpy() @ ft for c in ("y", "x1", "x2")}
    flat = {c: v.ravel(order="F") for c, v in data.items()}
    big = np.kron(np.eye(ft.shape[1]), w)
    x, y = np.column_stack([flat["x1"], flat["x2"]]), flat["y"]
    b = np.linalg.lstsq(x, y, rcond=None)[0]
    e = y - x @ b
    s2 = e @ e / len(e)
    tau = np.trace(big.T @ big + big @ big)
    wxb = big @ x @ b
    m = wxb - x @ np.linalg.lstsq(x, wxb, rcond=None)[0]
    j = m @ m / s2 + tau
    lag, error = e @ big @ y / s2, e @ big @ e / s2
    table = models.spatial_tests(PANEL[matrix], FORMULA, W[matrix], effects=effects).table["statistic"]
    assert table["LM lag"] == pytest.approx(lag**2 / j, rel=1e-9)
    assert table["LM error"] == pytest.approx(error**2 / tau, rel=1e-9)
    assert table["robust LM lag"] == pytest.approx((lag - error) ** 2 / (j - tau), rel=1e-8)
    robust = (error - tau / j * lag) ** 2 / (tau * (1 - tau / j))
    assert table["robust LM error"] == pytest.approx(robust, rel=1e-6)


def test_both_against_one_and_hausman_from_the_fits():
    panel, w = PANEL["contiguity"], W["contiguity"]
    tests = models.spatial_tests(panel, FORMULA, w)
    both, unit, time, random = (
        models.spatial_durbin(panel, FORMULA, w, effects=effects, correction="direct")
        for effects in ("twoways", "unit", "time", "random")
    )
    for less, name, df in ((unit, "unit", 7), (time, "time", 59)):
        row = tests.table.loc[f"LR: both against {name} effects"]
        assert row["statistic"] == pytest.approx(2 * (both.loglik - less.loglik))
        assert row["df"] == df
    keep = unit.params.index
    d = unit.params - random.params[keep]
    v = unit.cov - unit.sigma2 / random.sigma2 * random.cov.loc[keep, keep]
    row = tests.table.loc["Hausman: fixed against random"]
    assert row["statistic"] == pytest.approx(d @ np.linalg.inv(v) @ d, rel=1e-6)
    assert row["df"] == 5 and row["p"] < 0.01  # the panel's effects are correlated with x1
    assert "lee-yu" in tests._repr_html_()


def test_no_effects_and_another_log_determinant():
    panel, w = PANEL["knn"], W["knn"]
    plain = models.spatial_tests(panel, FORMULA, w, effects="none")
    assert plain.correction == "direct" and len(plain.table) == 9
    chebyshev = models.spatial_tests(panel, FORMULA, w, effects="time", logdet="chebyshev").table
    exact = models.spatial_tests(panel, FORMULA, w, effects="time").table
    np.testing.assert_allclose(chebyshev["statistic"], exact["statistic"], rtol=1e-7)


@pytest.mark.simulation
def test_size_of_the_lm_tests_under_no_spatial_term():
    rng = np.random.default_rng(3)
    w = W["contiguity"].loc[:25, :25]
    index = pd.MultiIndex.from_product([w.index, range(6)])
    rejected = []
    for _ in range(40):
        panel = pd.DataFrame(rng.normal(size=(150, 2)), index, columns=["y", "x"])
        p = models.spatial_tests(panel, "y ~ x", w, effects="unit").table["p"]
        rejected.append(p[["LM lag", "LM error", "LR: SDM against SAR", "Wald: SDM against SEM"]] < 0.05)
    assert (np.mean(rejected, axis=0) < 0.15).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"effects": "random"}, "effects='random'"),
        ({"correction": "leeyu"}, "correction='leeyu'"),
        ({"logdet": "mc"}, "logdet='mc'"),
        ({"w": W["contiguity"].loc[:59, :59]}, "missing in w"),
        ({"panel": PANEL["contiguity"].iloc[:-1]}, "balanced"),
    ],
)
def test_refuses(change, message):
    case = {"panel": PANEL["contiguity"], "formula": FORMULA, "w": W["contiguity"]}
    with pytest.raises(ValueError, match=message):
        models.spatial_tests(**(case | change))
