"""Wild cluster bootstrap against R's brute force (tests/data/oracles), a plain loop, pyfixest and simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

from regionbook import models

ORACLES = Path(__file__).parent / "data" / "oracles"
R = (
    pd.read_csv(ORACLES / "results" / "7_wild_bootstrap.csv")
    .set_index(["case", "quantity", "term"])["value"]
    .sort_index()
)
CROSS = pd.read_csv(ORACLES / "data" / "wild.csv")
PANEL = pd.read_csv(ORACLES / "data" / "fe_balanced.csv").set_index(["unit", "year"])
FORMULA = "y ~ x1 + x2 + x3 | unit + year"


@pytest.mark.reference
@pytest.mark.parametrize("name", ["x1", "x2"])
def test_all_sign_vectors_equal_r(name):
    case = f"cross_section_{name}"
    ours = models.wild_bootstrap(CROSS, "y ~ x1 + x2", name, "cluster", draws=256)
    assert ours.enumerated
    assert ours.estimate == pytest.approx(R[case, "coef"].iloc[0], rel=1e-9)
    assert ours.se == pytest.approx(R[case, "se_cr1"].iloc[0], rel=1e-9)
    assert ours.t == pytest.approx(R[case, "t"].iloc[0], rel=1e-9)
    assert ours.p == R[case, "p_rademacher_restricted_two_sided", "at_least"]
    theirs = R[case, "t_rademacher_restricted"]
    assert ours.t_draws.std(ddof=1) == pytest.approx(theirs["sd"], rel=1e-9)
    np.testing.assert_allclose(
        np.quantile(ours.t_draws, [0.025, 0.975]), theirs[["q0.025", "q0.975"]], rtol=1e-9
    )


@pytest.mark.reference
def test_all_webb_vectors_equal_r():
    ours = models.wild_bootstrap(CROSS, "y ~ x1 + x2", "x1", "cluster", weights="webb", draws=6**8)
    theirs = R["cross_section_x1", "p_webb_restricted_two_sided", "at_least"]
    assert ours.p == pytest.approx(theirs, abs=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["x1", "x2", "x3"])
def test_two_way_panel_equals_r_and_pyfixest(name):
    ours = models.wild_bootstrap(PANEL, FORMULA, name, "region")
    case = f"two_way_panel_{name}_k_slopes"
    assert ours.p == R[case, "p_rademacher_restricted_two_sided", "at_least"]
    # our t counts slopes and year effects (pyfixest's and reghdfe's rule), R's case the three slopes only
    n, factor = len(PANEL), (len(PANEL) - 3) / (len(PANEL) - 3 - 9)
    assert n == 360
    assert ours.t * np.sqrt(factor) == pytest.approx(R[case, "t"].iloc[0], rel=1e-9)
    fit = pf.feols(FORMULA, PANEL.reset_index(), vcov={"CRV1": "region"})
    assert ours.t == pytest.approx(fit.tstat()[name], rel=1e-8)
    assert ours.estimate == pytest.approx(fit.coef()[name], rel=1e-8)


def test_random_draws_equal_a_plain_loop():
    """Re-estimate the whole model with dummies for each draw, as the definition says."""
    null, draws = 0.3, 40
    ours = models.wild_bootstrap(PANEL, FORMULA, "x1", "region", draws=draws, null=null, seed=3)
    frame = PANEL.reset_index()
    dummies = pd.get_dummies(frame[["unit", "year"]].astype(str), dtype=float).to_numpy()
    controls = np.column_stack([frame[["x2", "x3"]], dummies])
    x, y = np.column_stack([frame["x1"], controls]), frame["y"].to_numpy()
    cluster = pd.factorize(frame["region"])[0]
    restricted = y - null * x[:, 0]
    fitted = controls @ np.linalg.lstsq(controls, restricted, rcond=None)[0]
    residual = restricted - fitted
    bread = np.linalg.pinv(x)[0]
    small = 8 / 7 * (len(y) - 1) / (len(y) - 3 - 9)
    v = np.random.default_rng(3).choice([-1.0, 1.0], size=(draws, 8))
    loop = []
    for weights in v:
        star = null * x[:, 0] + fitted + weights[cluster] * residual
        b = np.linalg.lstsq(x, star, rcond=None)[0]
        scores = np.bincount(cluster, bread * (star - x @ b))
        loop.append((b[0] - null) / np.sqrt(small * (scores**2).sum()))
    np.testing.assert_allclose(ours.t_draws, loop, rtol=1e-7)
    assert ours.p == (1 + (np.abs(loop) >= abs(ours.t)).sum()) / (draws + 1)


def test_interval_holds_what_the_test_does_not_reject():
    ours = models.wild_bootstrap(PANEL, FORMULA, "x3", "region", level=0.9)
    low, high = ours.interval
    width = high - low
    for value, rejected in (
        (low - 0.01 * width, True),
        (low + 0.01 * width, False),
        (high - 0.01 * width, False),
        (high + 0.01 * width, True),
    ):
        test = models.wild_bootstrap(PANEL, FORMULA, "x3", "region", null=value)
        assert (test.p <= 0.1) == rejected


def test_interval_is_unbounded_with_too_few_clusters():
    """2^5 vectors: the sample and its mirror alone are 2/32 > 5 %, nothing can be rejected."""
    five = CROSS[CROSS["cluster"] <= 5]
    ours = models.wild_bootstrap(five, "y ~ x1 + x2", "x1", "cluster")
    assert ours.interval == (-np.inf, np.inf)
    assert "all rademacher" in ours._repr_html_()


@pytest.mark.simulation
def test_size_with_few_unequal_clusters():
    """True β = 0, 12 clusters of unequal size, treatment at cluster level: t over-rejects, bootstrap does not."""
    rng = np.random.default_rng(2)
    sizes = np.array([4, 5, 6, 8, 10, 12, 14, 16, 20, 30, 40, 60])
    g = np.repeat(np.arange(12), sizes)
    wild = plain = 0
    draws = 300
    for _ in range(draws):
        x = rng.normal(size=12)[g] + 0.3 * rng.normal(size=len(g))
        y = (1 + 0.5 * np.abs(x)) * (rng.normal(size=12)[g] + rng.normal(size=len(g)))
        test = models.wild_bootstrap(
            pd.DataFrame({"g": g, "x": x, "y": y}), "y ~ x", "x", "g", draws=399, seed=1
        )
        wild += test.p <= 0.05
        plain += abs(test.t) > 1.96
    assert wild / draws < 0.085
    assert plain / draws > 0.12


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"coefficient": "x9"}, ValueError, "'x9' is not in the formula"),
        ({"cluster": "province"}, ValueError, "province"),
        ({"weights": "mammen"}, ValueError, "'rademacher', 'webb'"),
        ({"draws": 0}, ValueError, "draws=0"),
        ({"draws": 99}, ValueError, "give a seed"),
        ({"level": 95}, ValueError, "level=95"),
        ({"formula": "y ~ x1 + x9 | unit"}, ValueError, r"\['x9'\]"),
        ({"formula": "y ~ x1 | unit | x2 ~ x3"}, ValueError, "expected 'outcome ~ regressors'"),
        ({"formula": "y ~ 1 | unit"}, ValueError, "at least one regressor"),
        ({"formula": "y ~ x1 - 1"}, ValueError, "constant"),
        ({"formula": "y ~ x1 | unit + province"}, ValueError, "province"),
        ({"formula": "y ~ x1 + zero | unit"}, ValueError, "'zero' is constant or collinear"),
        ({"formula": "y ~ x1 + np.log(zero)"}, ValueError, "logarithm of zero"),
        ({"formula": "gap ~ x1"}, ValueError, r"missing values: row \(1, 2011\), column 'gap'"),
        ({"cluster": "zero"}, ValueError, "one group"),
        ({"data": [1, 2]}, TypeError, "DataFrame"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_refuses(change, error, message):
    gap = PANEL["y"].where(np.arange(len(PANEL)) > 0)
    choice = {
        "data": PANEL.assign(zero=0.0, gap=gap),
        "formula": FORMULA,
        "coefficient": "x1",
        "cluster": "region",
    }
    with pytest.raises(error, match=message):
        models.wild_bootstrap(**(choice | change))
