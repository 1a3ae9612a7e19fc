"""Frank's thresholds (konfound's printed examples), sensemakr's numbers, Oster's exact solution."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

from regionbook import models

ORACLES = Path(__file__).parent / "data" / "oracles"
PANEL = pd.read_csv(ORACLES / "data" / "fe_balanced.csv")
FORMULA = "y ~ x1 + x2 + x3 | unit + year"
FRANK = pd.read_csv(ORACLES / "results" / "6_published.csv")
SENSEMAKR = pd.read_csv(ORACLES / "results" / "8_sensitivity.csv", keep_default_na=False)


def sensemakr(case):
    return SENSEMAKR[SENSEMAKR["case"] == case].set_index(["quantity", "term"])["value"].astype(float)


# Frank


@pytest.mark.reference
@pytest.mark.parametrize("case", FRANK["case"].unique())
def test_thresholds_equal_what_konfound_prints(case):
    rows = FRANK[FRANK["case"] == case]
    given = rows[rows["quantity"] == "input"].set_index("term")["value"]
    n, covariates = int(given["n"]), int(given["covariates"])
    ours = models.confounding_threshold(given["est"], given["se"], n, covariates)
    numbers = {
        "threshold": abs(ours.threshold),
        "percent_bias": 100 * ours.bias,
        "rir": ours.replaced,
        "itcv": ours.itcv,
        "impact_root": ours.correlation,
        "r": ours.r,
        "r_critical": ours.r_critical,
        "t_critical": abs(ours.t_critical),
        "df": ours.df,
    }
    for _, row in rows[rows["quantity"] == "formula"].iterrows():
        assert numbers[row["term"]] == pytest.approx(row["value"], rel=1e-10), row["term"]
    for _, row in rows[rows["quantity"] == "printed"].iterrows():
        digits = len(str(row["value"]).partition(".")[2])
        if (case, row["term"]) == ("konfound_2_0.4_100_3", "percent_bias"):
            digits, row["value"] = 1, 60.3  # an older release cut 60.295 to 60.29 instead of rounding
        assert round(numbers[row["term"]], digits) == row["value"], row["term"]
    assert ours.significant


@pytest.mark.reference
def test_thresholds_of_the_paper_on_agglomeration():
    """0.0100 (0.0010), n = 2,800: 81.07 % needs t = 10.36; ITCV 0.1681 lies between the two counts of effects."""
    few = models.confounding_threshold(0.0100, 0.0100 / 10.36, 2800, 6)
    many = models.confounding_threshold(0.0100, 0.0100 / 10.36, 2800, 6 + 279 + 9)
    assert round(many.bias, 4) == 0.8107
    assert few.itcv < 0.1681 < many.itcv
    assert many.replaced == 2270
    assert "to invalidate" in many._repr_html_()


def adjusted(r, product_of, ratio=1.0):
    """Partial correlation given a confounder whose correlations have this product and ratio."""
    rx, ry = np.sqrt(product_of * ratio), np.sqrt(product_of / ratio)
    return (r - rx * ry) / np.sqrt((1 - rx**2) * (1 - ry**2))


def test_impact_threshold_does_what_it_says():
    ours = models.confounding_threshold(2, 0.4, 100, 3)
    assert adjusted(ours.r, ours.itcv) == pytest.approx(ours.r_critical)
    # unequal correlations of the same product do less: the threshold is the smallest product
    assert adjusted(ours.r, ours.itcv, 1.5) > ours.r_critical
    mirror = models.confounding_threshold(-2, 0.4, 100, 3)
    assert (mirror.itcv, mirror.bias) == (-ours.itcv, ours.bias)


def test_estimate_that_is_not_significant_is_to_be_sustained():
    """konfound's rule: bias 1 − estimate/threshold, ITCV negative: the confounder must suppress."""
    ours = models.confounding_threshold(0.5, 0.4, 100, 3)
    assert not ours.significant
    assert ours.bias == pytest.approx(1 - 0.5 / ours.threshold)
    assert ours.itcv == pytest.approx((ours.r - ours.r_critical) / (1 + ours.r_critical))
    assert ours.itcv < 0
    # a confounder with correlations of opposite sign raises r to what is just significant
    k = -ours.itcv
    assert (ours.r + k) / (1 - k) == pytest.approx(ours.r_critical)
    assert "to sustain" in ours._repr_html_()


def residual(name, on):
    return pf.feols(f"{name} ~ {on} | unit + year", PANEL).resid()


@pytest.mark.reference
def test_impacts_are_partial_correlations():
    ours = models.confounder_impacts(PANEL, FORMULA, "x1")
    for c, other in (("x2", "x3"), ("x3", "x2")):
        x, y, v = (residual(name, other) for name in ("x1", "y", c))
        assert ours.loc[c, "treatment"] == pytest.approx(np.corrcoef(x, v)[0, 1], rel=1e-7)
        assert ours.loc[c, "outcome"] == pytest.approx(np.corrcoef(y, v)[0, 1], rel=1e-7)
    np.testing.assert_allclose(ours["impact"], ours["treatment"] * ours["outcome"])
    assert ours["impact"].abs().is_monotonic_decreasing


def test_impact_of_the_only_covariate_explains_its_omission():
    """Frank's formula with the impact of x2 turns the short partial correlation into the long one."""
    short = pf.feols("y ~ x1 | unit + year", PANEL).resid()
    assert short.size == len(PANEL)
    impact = models.confounder_impacts(PANEL, "y ~ x1 + x2 | unit + year", "x1").loc["x2"]
    long = pf.feols("y ~ x1 + x2 | unit + year", PANEL, vcov="iid")
    t, df = long.tstat()["x1"], 360 - 48 - 2
    x, y = (pf.feols(f"{name} ~ 1 | unit + year", PANEL).resid() for name in ("x1", "y"))
    r = np.corrcoef(x, y)[0, 1]
    root = np.sqrt((1 - impact["treatment"] ** 2) * (1 - impact["outcome"] ** 2))
    assert (r - impact["impact"]) / root == pytest.approx(t / np.sqrt(t**2 + df), rel=1e-7)


# sensemakr


@pytest.mark.reference
@pytest.mark.parametrize("case", ["darfur", "fe_balanced_twoways"])
def test_robustness_value_equals_sensemakr(case):
    theirs = sensemakr(case)
    estimate, se, df = (theirs[name, ""] for name in ("estimate", "se", "dof"))
    for q in (1.0, 0.5):
        ours = models.robustness_value(estimate, se, int(df), q=q)
        assert ours.partial_r2 == pytest.approx(theirs["r2yd_x", ""], rel=1e-9)
        assert ours.rv == pytest.approx(theirs["rv_q", f"q={q:g}"], rel=1e-9)
        assert ours.rv_alpha == pytest.approx(theirs["rv_qa", f"q={q:g}"], rel=1e-8)
    bounds = theirs["r2dz_x"].index
    for label in bounds:
        shares = theirs["r2dz_x", label], theirs["r2yz_dx", label]
        ours = models.bias_adjusted(estimate, se, int(df), *shares)
        for name in ("estimate", "se", "t"):
            assert ours[name] == pytest.approx(theirs[f"adjusted_{name}", label], rel=1e-9)


@pytest.mark.reference
def test_darfur_equals_the_printed_table():
    """Cinelli and Hazlett (2020): 0.097, t 4.18, df 783 give R² 2.2 %, RV 13.9 % and 7.6 %."""
    ours = models.robustness_value(0.097, 0.097 / 4.18, 783)
    assert (round(ours.partial_r2, 3), round(ours.rv, 3), round(ours.rv_alpha, 3)) == (0.022, 0.139, 0.076)
    assert "13.8" in ours._repr_html_()


@pytest.mark.reference
@pytest.mark.parametrize("case", ["direct_20_8", "direct_1.5_100"])
def test_robustness_value_at_the_edges(case):
    """A constraint that does not bind (tiny df), and an estimate that is not significant."""
    t, df = case.split("_")[1:]
    for term, value in sensemakr(case)["rv_qa"].items():
        ours = models.robustness_value(float(t), 1.0, int(df), q=float(term[2:]))
        assert ours.rv_alpha == pytest.approx(value, rel=1e-9)
    assert models.robustness_value(2.0, 1.0, 50, alpha=1.0).rv_alpha == pytest.approx(
        models.robustness_value(2.0, 1.0, 50).rv
    )


@pytest.mark.reference
def test_bounds_equal_sensemakr_with_dummies():
    theirs = sensemakr("fe_balanced_twoways")
    ours = models.benchmark_bounds(PANEL, FORMULA, "x1")
    assert len(ours) == 6
    names = {"r2_treatment": "r2dz_x", "r2_outcome": "r2yz_dx"}
    for (covariate, k), row in ours.iterrows():
        for name, value in row.items():
            expected = theirs[names.get(name, f"adjusted_{name}"), f"{k:g}x {covariate}"]
            assert value == pytest.approx(expected, rel=1e-7), (covariate, k, name)


def test_bounds_start_from_the_conventional_regression():
    fit = pf.feols(FORMULA, PANEL, vcov="iid")
    df = 360 - 40 - 8 - 3
    one = models.benchmark_bounds(PANEL, FORMULA, "x1", ["x3"], [1]).iloc[0]
    by_hand = models.bias_adjusted(
        fit.coef()["x1"], fit.se()["x1"], df, one["r2_treatment"], one["r2_outcome"]
    )
    assert one["t"] == pytest.approx(by_hand["t"], rel=1e-7)


def test_adjusted_estimate_is_that_of_the_regression_with_the_confounder():
    """Leave x2 out, then tell the formula x2's strength: it gives back the regression with x2."""
    short = pf.feols("y ~ x1 + x3 | unit + year", PANEL, vcov="iid")
    long = pf.feols(FORMULA, PANEL, vcov="iid")
    v, x = residual("x2", "x3"), residual("x1", "x3")
    r2_d = np.corrcoef(v, x)[0, 1] ** 2
    t, df = long.tstat()["x2"], 360 - 48 - 2
    r2_y = t**2 / (t**2 + df - 1)
    ours = models.bias_adjusted(short.coef()["x1"], short.se()["x1"], df, r2_d, r2_y)
    sides = [ours["estimate"], 2 * short.coef()["x1"] - ours["estimate"]]  # the formula has no sign
    assert min(abs(side - long.coef()["x1"]) for side in sides) < 1e-7
    assert ours["se"] == pytest.approx(long.se()["x1"], rel=1e-6)


@pytest.mark.reference
def test_robustness_value_lies_on_the_zero_contour():
    theirs = sensemakr("darfur")
    estimate, se = theirs["estimate", ""], theirs["se", ""]
    rv = models.robustness_value(estimate, se, 783)
    for sign in (1, -1):
        zero = models.bias_adjusted(sign * estimate, se, 783, rv.rv, rv.rv)
        assert zero["estimate"] == pytest.approx(0, abs=1e-12)
    edge = models.bias_adjusted(estimate, se, 783, rv.partial_r2, 1.0)
    assert edge["estimate"] == pytest.approx(0, abs=1e-12)
    for of in ("estimate", "t"):
        for term, value in theirs[f"grid_{of}"].items():
            shares = map(float, term.split(","))
            assert models.bias_adjusted(estimate, se, 783, *shares)[of] == pytest.approx(value, rel=1e-9)


# Oster


@pytest.mark.parametrize("seed", range(8))
def test_oster_recovers_delta_and_beta_of_a_population(seed):
    """Covariances of a known model, three observed covariates, one unobserved: no sampling, no formula of hers."""
    rng = np.random.default_rng(seed)
    observed = np.cov(rng.normal(size=(3, 50)))
    psi, with_x, beta = rng.normal(size=3), 0.4 * rng.normal(size=3), rng.normal()
    hidden, noise, delta = rng.uniform(0.2, 1), rng.uniform(0.2, 1), rng.uniform(0.3, 2)
    c = np.zeros((5, 5))  # x, three covariates, the index of the unobserved
    c[0, 0] = 3.0
    c[0, 1:4] = c[1:4, 0] = with_x
    c[1:4, 1:4] = observed
    c[0, 4] = c[4, 0] = delta * (psi @ with_x) / (psi @ observed @ psi) * hidden
    c[4, 4] = hidden
    assert np.linalg.eigvalsh(c).min() > 0
    effects = np.r_[beta, psi, 1]
    with_y, explained = c @ effects, effects @ c @ effects

    def regression(columns):
        b = np.linalg.solve(c[np.ix_(columns, columns)], with_y[columns])
        return b[0], b @ with_y[columns] / (explained + noise)

    inputs = (*regression([0]), *regression([0, 1, 2, 3]), explained + noise, 3.0)
    left = 3.0 - with_x @ np.linalg.solve(observed, with_x)
    r_max = explained / (explained + noise)
    ours = models.oster(*inputs, left, r_max=r_max, delta=delta, null=beta)
    assert ours.delta == pytest.approx(delta, rel=1e-8)
    assert min(abs(b - beta) for b in ours.solutions) < 1e-8


@pytest.mark.reference
def test_oster_of_breastfeeding_and_iq():
    """NLSY, as printed in the README of R's bate: β° 0.044, β̃ 0.017, R² 0.045 and 0.256, R_max 0.61."""
    sheet = 0.04447926, 0.04465201, 0.01740748, 0.255621, 0.9900242**2, 4.629618**2, 18.99883
    ours = models.oster(*sheet, r_max=0.61)
    beta0, r0, beta1, r1, yy, xx, left = sheet
    # the quadratic of δ = 1 in the units of the data, as printed in the paper
    theta = (0.61 - r1) * yy * (xx - left) - (r1 - r0) * yy * left - xx * left * (beta0 - beta1) ** 2
    four = 4 * (0.61 - r1) * yy * (beta0 - beta1) ** 2 * xx**2 * left
    roots = [(-theta + s * np.sqrt(theta**2 + four)) / (-2 * left * (beta0 - beta1) * xx) for s in (1, -1)]
    np.testing.assert_allclose(sorted(ours.solutions), sorted(beta1 - np.array(roots)), rtol=1e-9)
    assert ours.beta == pytest.approx(beta1 - max(roots))  # bias has the sign of β° − β̃
    assert "other solutions" in ours._repr_html_()
    # δ for β = 0 and β* are the same curve
    again = models.oster(*sheet, r_max=0.61, delta=ours.delta)
    assert min(abs(b) for b in again.solutions) < 1e-9


def test_oster_special_cases():
    inputs = models.oster_inputs(PANEL, FORMULA, "x1")
    none = models.oster(**inputs, r_max=inputs["r2_controlled"])
    assert none.beta == pytest.approx(inputs["controlled"])
    assert models.oster(**inputs, delta=0).beta == pytest.approx(inputs["controlled"])
    assert models.oster(**inputs).r_max == pytest.approx(min(1, 1.3 * inputs["r2_controlled"]))
    # proportional covariates (one of them), δ = 1: the short formula is exact when s → 1, near otherwise
    one = models.oster_inputs(PANEL, "y ~ x1 + x2 | unit + year", "x1")
    ours = models.oster(**one, r_max=one["r2_controlled"] + 0.02)
    gap = one["short"] - one["controlled"]
    short = one["controlled"] - gap * 0.02 / (one["r2_controlled"] - one["r2_short"])
    assert abs(ours.beta - short) < 0.1 * abs(gap)


@pytest.mark.reference
def test_oster_inputs_equal_pyfixest():
    ours = models.oster_inputs(PANEL, FORMULA, "x1")
    short = pf.feols("y ~ x1 | unit + year", PANEL)
    long = pf.feols(FORMULA, PANEL)
    assert ours["short"] == pytest.approx(short.coef()["x1"], rel=1e-8)
    assert ours["controlled"] == pytest.approx(long.coef()["x1"], rel=1e-8)
    assert ours["r2_short"] == pytest.approx(short._r2_within, rel=1e-7)
    assert ours["r2_controlled"] == pytest.approx(long._r2_within, rel=1e-7)
    within = pf.feols("x1 ~ 1 | unit + year", PANEL).resid()
    assert ours["var_treatment"] == pytest.approx(within.var(ddof=1), rel=1e-7)
    assert ours["var_residual"] == pytest.approx(residual("x1", "x2 + x3").var(ddof=1), rel=1e-7)


# bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"se": 0.0}, "se=0.0 must be positive"),
        ({"se": -0.4}, "must be positive"),
        ({"estimate": np.nan}, "estimate=nan must be a finite"),
        ({"n": 5}, "n above covariates"),
        ({"covariates": -1}, "covariates must be 0 or more"),
        ({"alpha": 5}, "alpha=5 must lie between"),
        ({"alpha": 1}, "alpha=1 must lie between"),
    ],
)
def test_threshold_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        models.confounding_threshold(**({"estimate": 2.0, "se": 0.4, "n": 100, "covariates": 3} | change))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.robustness_value(1, 0, 50), "se=0 must be positive"),
        (lambda: models.robustness_value(1, 1, 1), "df=1 residual"),
        (lambda: models.robustness_value(1, 1, 50, q=0), "q=0 must be a positive"),
        (lambda: models.robustness_value(1, 1, 50, alpha=5), "alpha=5"),
        (lambda: models.bias_adjusted(1, 1, 50, 1.0, 0.1), "r2_treatment"),
        (lambda: models.bias_adjusted(1, 1, 50, 0.1, 10), "r2_outcome"),
        (lambda: models.bias_adjusted(1, 1, 50, np.nan, 0.1), "r2_treatment"),
        (lambda: models.benchmark_bounds(PANEL, FORMULA, "x1", ["x9"]), r"\['x9'\] are not covariates"),
        (lambda: models.benchmark_bounds(PANEL, FORMULA, "x1", multiples=[0]), "must be positive numbers"),
        (lambda: models.benchmark_bounds(PANEL, FORMULA, "x1", ["x2"], [9]), "9 times as strong as 'x2'"),
        (lambda: models.confounder_impacts(PANEL, "y ~ x1 | unit", "x1"), "no covariate beside 'x1'"),
        (lambda: models.confounder_impacts(PANEL, FORMULA, "digit"), "'digit' is not in the formula"),
        (lambda: models.confounder_impacts(PANEL[:10], FORMULA, "x1"), "rows are too few"),
        (lambda: models.confounder_impacts(PANEL, "y ~ x1 + region | unit", "x1"), "'region' is constant"),
        (lambda: models.oster_inputs(PANEL.assign(y=PANEL["unit"]), FORMULA, "x1"), "no variation left"),
        (lambda: models.oster(1, 0.1, 0.5, 0.3, 1, 1, 0.8, r_max=0.2), "expected 0 ≤ r2_short"),
        (lambda: models.oster(1, 0.4, 0.5, 0.3, 1, 1, 0.8), "expected 0 ≤ r2_short"),
        (lambda: models.oster(1, 0.1, 0.5, 0.3, 1, 1, 0.8, r_max=1.3), "r_max ≤ 1"),
        (lambda: models.oster(1, 0.1, 0.5, 0.3, 1, 1, 1.2), "var_residual not above"),
        (lambda: models.oster(1, 0.1, 0.5, 0.3, 0, 1, 0.8), "variances must be positive"),
        (lambda: models.oster(np.inf, 0.1, 0.5, 0.3, 1, 1, 0.8), "short=inf must be a finite"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_benchmarks_are_a_list():
    with pytest.raises(TypeError, match="write"):
        models.benchmark_bounds(PANEL, FORMULA, "x1", "x2")
