"""Spatial panel models against R (tests/data/oracles), spreg, plain matrix algebra and simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from libpysal import graph, weights

from regionbook import geo, models
from regionbook.tables import regression_table

ORACLES = Path(__file__).parent / "data" / "oracles"
R = (
    pd.read_csv(ORACLES / "results" / "3_spatial.csv", dtype={"term": str})
    .fillna({"term": ""})
    .set_index(["case", "quantity", "term"])["value"]
    .sort_index()
)
FORMULA = "y ~ x1 + x2"
SAMPLES = {
    "unit_direct": ("unit", "direct"),
    "unit_leeyu": ("unit", "lee-yu"),
    "twoway_direct": ("twoways", "direct"),
    "twoway_leeyu": ("twoways", "lee-yu"),
}


def binary(name):
    links = pd.read_csv(ORACLES / "data" / f"w_{name}.csv")
    units = range(1, 61)
    wide = links.pivot(index="unit", columns="neighbour", values="binary")
    return wide.reindex(index=units, columns=units).fillna(0.0)


def rows_to_one(w):
    return w.div(w.sum(axis=1), axis=0)


BINARY = {name: binary(name) for name in ("contiguity", "knn")}
W = {name: rows_to_one(w) for name, w in BINARY.items()}
PANEL = {
    name: pd.read_csv(ORACLES / "data" / f"spatial_{name}.csv").set_index(["unit", "year"]) for name in W
}
LAST = {name: p[p.index.get_level_values("year") == 2018] for name, p in PANEL.items()}


def ours(name):
    return name.replace("lag.", "W_").replace("(Intercept)", "_cons")


def check(fit, case, rel):
    """Everything that R gives for this model."""
    assert fit.loglik == pytest.approx(R[case, "loglik", ""], rel=min(rel, 1e-8))
    if (case, "sigma2") in R.index:
        assert fit.sigma2 == pytest.approx(R[case, "sigma2", ""], rel=rel)
    for quantity, values in {"coef": fit.params, "se": fit.std_errors}.items():
        theirs = R[case, quantity].rename(ours)
        np.testing.assert_allclose(values[theirs.index], theirs, rtol=rel, atol=rel)
    if (case, "impact_se_delta") in R.index:
        table = fit.impacts()
        table.index = [":".join(label) for label in table.index]
        for quantity, column in {"impact": "estimate", "impact_se_delta": "se"}.items():
            theirs = R[case, quantity]
            np.testing.assert_allclose(table.loc[theirs.index, column], theirs, rtol=rel, atol=rel)


@pytest.mark.reference
@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("matrix", W)
def test_panels_equal_r(matrix, sample):
    effects, correction = SAMPLES[sample]
    for model in ("ols", "slx", "sar", "sem", "sdm", "sdem"):
        case = f"{matrix}_{sample}_{model}"
        fit = models.spatial_durbin(
            PANEL[matrix], FORMULA, W[matrix], model=model, effects=effects, correction=correction
        )
        check(fit, case, 1e-7)
        assert fit.aic == pytest.approx(R[case, "aic", ""], rel=1e-9)
        assert fit.n_likelihood == R[case, "n_likelihood", ""]
        assert fit.nobs == 480 and len(fit.resids) == 480
        if model in ("sar", "sdm"):
            observed = models.spatial_durbin(
                PANEL[matrix],
                FORMULA,
                W[matrix],
                model=model,
                effects=effects,
                correction=correction,
                information="observed",
            )
            theirs = R[case, "se_observed_information"].rename(ours)
            np.testing.assert_allclose(observed.std_errors[theirs.index], theirs, rtol=1e-7)
            simulated = fit.impacts(20_000, seed=1)
            simulated.index = [":".join(label) for label in simulated.index]
            for quantity, column in {
                "impact_se_simulated": "se",
                "impact_simulated_q0.025": "lower",
                "impact_simulated_q0.975": "upper",
            }.items():
                theirs = R[case, quantity]
                slack = (0.06 if column == "se" else 0.15) * R[case, "impact_se_simulated"]
                assert (abs(simulated.loc[theirs.index, column] - theirs) < slack).all()


@pytest.mark.reference
@pytest.mark.parametrize("matrix", W)
def test_no_effects_equal_spatialreg(matrix):
    for model in ("sar", "sem", "sdm", "sdem"):
        fit = models.spatial_durbin(LAST[matrix], FORMULA, W[matrix], model=model, effects="none")
        check(fit, f"{matrix}_cross_{model}", 1e-5)
    for model in ("sar", "sem", "sdm"):
        fit = models.spatial_durbin(PANEL[matrix], FORMULA, W[matrix], model=model, effects="none")
        check(fit, f"{matrix}_pooled_{model}", 1e-5)


@pytest.mark.reference
def test_equals_spreg_with_durbin_terms_by_hand():
    """`Panel_FE_Lag` has unit effects, the direct form, and a log-likelihood without the division of SSR by NT."""
    import spreg

    panel, dense = PANEL["contiguity"], W["contiguity"]
    w = weights.full2W(dense.to_numpy(), ids=list(dense.index))
    long = panel.sort_index(level=["year", "unit"])
    x = long[["x1", "x2"]].to_numpy()
    lagged = np.concatenate([dense.to_numpy() @ x[t * 60 : (t + 1) * 60] for t in range(8)])
    theirs = spreg.Panel_FE_Lag(long[["y"]].to_numpy(), np.hstack([x, lagged]), w)
    fit = models.spatial_durbin(panel, FORMULA, dense, effects="unit", correction="direct")
    np.testing.assert_allclose(np.ravel(theirs.betas), fit.params, rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(theirs.vm)), fit.std_errors, rtol=1e-6)
    assert fit.sigma2 == pytest.approx(np.ravel(theirs.sig2)[0], rel=1e-6)
    assert fit.loglik == pytest.approx(np.ravel(theirs.logll)[0] + 480 / 2 * np.log(480), abs=1e-6)


@pytest.mark.reference
def test_random_effects_equal_spreg():
    """Its log-likelihood is higher by −N ln φ."""
    import spreg

    dense = W["contiguity"]
    long = PANEL["contiguity"].sort_index(level=["year", "unit"])
    w = weights.full2W(dense.to_numpy(), ids=list(dense.index))
    theirs = spreg.Panel_RE_Lag(long[["y"]].to_numpy(), long[["x1", "x2"]].to_numpy(), w)
    fit = models.spatial_durbin(PANEL["contiguity"], FORMULA, dense, model="sar", effects="random")
    const, x1, x2, rho, phi = np.ravel(theirs.betas)[:5]
    got = [fit.params["_cons"], fit.params["x1"], fit.params["x2"], fit.rho, fit.phi]
    np.testing.assert_allclose(got, [const, x1, x2, rho, phi], rtol=1e-4)


@pytest.mark.parametrize("model", ["sdm", "sdem", "sem"])
@pytest.mark.parametrize("matrix", W)
def test_chebyshev_series_equals_eigenvalues(matrix, model):
    both = [
        models.spatial_durbin(
            PANEL[matrix], FORMULA, W[matrix], model=model, logdet=logdet, information="observed"
        )
        for logdet in ("exact", "chebyshev")
    ]
    np.testing.assert_allclose(both[1].params, both[0].params, rtol=1e-9)
    np.testing.assert_allclose(both[1].cov, both[0].cov, rtol=1e-7, atol=1e-12)
    assert both[1].loglik == pytest.approx(both[0].loglik, rel=1e-11)
    if model == "sdm":
        for draws in (0, 500):
            a, b = (m.impacts(draws, seed=3) for m in both)
            np.testing.assert_allclose(b["se"], a["se"], rtol=1e-5)


@pytest.mark.parametrize("effects", ["unit", "twoways"])
@pytest.mark.parametrize("model", ["sem", "sdem", "sdm", "sar"])
def test_observed_information_is_minus_the_hessian(model, effects):
    """Second differences of the direct log-likelihood, written out with dense matrices; binary weights."""
    w = BINARY["contiguity"]
    panel = PANEL["contiguity"]
    fit = models.spatial_durbin(
        panel, FORMULA, w, model=model, effects=effects, correction="direct", information="observed"
    )
    a, identity = w.to_numpy(), np.eye(60)

    def by_year(column):  # 60 × 8, units in rows
        return panel[column].unstack("year").loc[w.index].to_numpy()

    y, x = by_year("y"), [by_year("x1"), by_year("x2")]
    if model in ("sdm", "sdem"):
        x += [a @ column for column in x]

    def loglik(theta):
        *b, r, s2 = theta
        inner = identity - r * a
        mean = sum(c * column for c, column in zip(b, x, strict=True))
        e = inner @ y - mean if model in ("sar", "sdm") else inner @ (y - mean)
        e = e - e.mean(axis=1, keepdims=True)
        if effects == "twoways":
            e = e - e.mean(axis=0)
        return 8 * np.linalg.slogdet(inner)[1] - 240 * np.log(2 * np.pi * s2) - (e**2).sum() / (2 * s2)

    at = np.append(fit.params, fit.sigma2)
    assert loglik(at) == pytest.approx(fit.loglik, rel=1e-10)
    step = 1e-4
    k = len(at)
    shift = step * np.eye(k)
    hessian = np.array(
        [
            [
                loglik(at + shift[i] + shift[j])
                - loglik(at + shift[i] - shift[j])
                - loglik(at - shift[i] + shift[j])
                + loglik(at - shift[i] - shift[j])
                for j in range(k)
            ]
            for i in range(k)
        ]
    ) / (4 * step**2)
    se = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    np.testing.assert_allclose(np.append(fit.std_errors, fit.sigma2_se), se, rtol=1e-4)


def dense_impacts(rho, b, theta, a):
    s = np.linalg.solve(np.eye(len(a)) - rho * a, b * np.eye(len(a)) + theta * a)
    direct, total = np.trace(s) / len(a), s.sum() / len(a)
    return np.array([direct, total - direct, total])


@pytest.mark.parametrize("w", [BINARY["contiguity"], BINARY["knn"], W["knn"]])
def test_impacts_equal_dense_matrices(w):
    """Also for weights whose rows do not add to one; gradient by differences."""
    fit = models.spatial_durbin(PANEL["knn"], FORMULA, w, correction="direct")
    use = ["rho", "x2", "W_x2"]
    at, a = fit.params[use].to_numpy(), w.to_numpy()
    table = fit.impacts().loc["x2"]
    np.testing.assert_allclose(table["estimate"], dense_impacts(*at, a), rtol=1e-9)
    step = 1e-6 * np.eye(3)
    gradient = np.array([(dense_impacts(*(at + s), a) - dense_impacts(*(at - s), a)) / 2e-6 for s in step])
    v = gradient.T @ fit.cov.loc[use, use].to_numpy() @ gradient
    np.testing.assert_allclose(table["se"], np.sqrt(np.diag(v)), rtol=1e-6)
    np.testing.assert_allclose(table["upper"] - table["estimate"], 1.959964 * table["se"], rtol=1e-6)
    simulated = fit.impacts(4000, seed=2).loc["x2"]
    np.testing.assert_allclose(simulated["se"], table["se"], rtol=0.12)
    np.testing.assert_allclose(simulated["lower"], table["lower"], atol=0.35 * table["se"].max())


def test_order_and_kind_of_weights_do_not_matter():
    panel, w = PANEL["contiguity"], W["contiguity"]
    fit = models.spatial_durbin(panel, FORMULA, w)
    shuffled = panel.sample(frac=1, random_state=1)
    order = w.sample(frac=1, random_state=2).index
    i, j = np.nonzero(w.loc[order, order].to_numpy())
    values = w.loc[order, order].to_numpy()[i, j]
    kinds = [
        w.loc[order, :],
        graph.Graph.from_arrays(order[i], order[j], values),
        weights.full2W(w.loc[order, order].to_numpy(), ids=list(order)),
    ]
    for kind in kinds:
        other = models.spatial_durbin(shuffled, FORMULA, kind)
        np.testing.assert_allclose(other.params, fit.params, rtol=1e-9)
        assert other.loglik == pytest.approx(fit.loglik, rel=1e-12)
        np.testing.assert_allclose(other.resids[panel.index], fit.resids, atol=1e-10)
        np.testing.assert_allclose(other.r2, fit.r2, rtol=1e-9)


def test_scaling_the_weights_scales_rho():
    """W/c has ρ·c and the interval times c: any ρ can be printed, and −2.1 may be inside."""
    panel, w = PANEL["contiguity"], W["contiguity"]
    plain, scaled = (models.spatial_durbin(panel, FORMULA, w / c, correction="direct") for c in (1.0, 8.0))
    assert scaled.rho == pytest.approx(8 * plain.rho, rel=1e-9)
    assert scaled.loglik == pytest.approx(plain.loglik, rel=1e-12)
    assert scaled.interval == pytest.approx([8 * end for end in plain.interval])
    np.testing.assert_allclose(scaled.impacts(), plain.impacts(), rtol=1e-8)
    assert plain.row_standardised and not scaled.row_standardised
    assert "rows do not add to one" in scaled._repr_html_()


@pytest.mark.parametrize("w", [*W.values(), *BINARY.values()])
def test_admissible_interval(w):
    values = np.linalg.eigvals(w.to_numpy())
    real = values.real[abs(values.imag) < 1e-9]
    assert models.admissible_interval(w) == pytest.approx((1 / real.min(), 1 / real.max()), rel=1e-9)


def test_real_cities():
    """−2.1086, as printed in a paper, is outside for row-standardised contiguity of China's cities."""
    cities = geo.units("city").index
    w = geo.contiguity(cities, isolates="nearest")
    low, high = models.admissible_interval(w.transform("r"))
    assert -2.1086 < low < -0.99 and high == pytest.approx(1)
    low, high = models.admissible_interval(w)
    assert -0.4 < low < 0 < high < 0.2
    alone = geo.contiguity(cities, isolates="keep")
    before = alone.adjacency.copy()
    index = pd.MultiIndex.from_product([cities, range(3)])
    panel = pd.DataFrame(np.random.default_rng(1).normal(size=(len(index), 2)), index, ["y", "x"])
    fit = models.spatial_durbin(panel, "y ~ x", alone, correction="direct")
    assert fit.islands == alone.isolates.to_list() != []
    pd.testing.assert_series_equal(alone.adjacency, before)


def test_islands_are_named():
    w = BINARY["contiguity"].copy()
    w.loc[7], w[7] = 0.0, 0.0
    rows = w.div(w.sum(axis=1).replace(0, 1), axis=0)
    fit = models.spatial_durbin(PANEL["contiguity"], FORMULA, rows, effects="unit")
    assert fit.islands == [7] and not fit.row_standardised
    assert "without neighbours" in fit._repr_html_()
    with pytest.raises(ValueError, match="rows add to one"):
        models.spatial_durbin(PANEL["contiguity"], FORMULA, rows)


def test_rho_below_minus_one_is_found():
    panel, w = PANEL["contiguity"], W["contiguity"]
    x = panel["x1"].unstack("year").loc[w.index]
    noise = np.random.default_rng(1).normal(size=x.shape)
    y = pd.DataFrame(np.linalg.solve(np.eye(60) + 1.6 * w.to_numpy(), x + noise), x.index, x.columns)
    chess = panel.assign(y=y.stack())
    for logdet in ("exact", "chebyshev"):
        fit = models.spatial_durbin(chess, FORMULA, w, logdet=logdet)
        assert -1.75 < fit.rho < -1.45 and fit.interval[0] < -1.85


def test_r2_forms():
    panel, w = PANEL["contiguity"], W["contiguity"]
    fit = models.spatial_durbin(panel, FORMULA, w)
    xb = panel[["x1", "x2"]].unstack("year").loc[w.index]
    mean = sum(fit.params[x] * xb[x] + fit.params[f"W_{x}"] * (w @ xb[x]) for x in ("x1", "x2"))
    fitted = np.linalg.solve(np.eye(60) - fit.rho * w.to_numpy(), mean.to_numpy())
    y = panel["y"].unstack("year").loc[w.index].to_numpy()
    assert fit.r2["overall"] == pytest.approx(np.corrcoef(y.ravel(), fitted.ravel())[0, 1] ** 2)
    assert fit.r2["between"] == pytest.approx(np.corrcoef(y.mean(axis=1), fitted.mean(axis=1))[0, 1] ** 2)
    assert (
        fit.rsquared == fit.r2["residual"] == pytest.approx(1 - fit.resids.var() / both_ways(y).var(ddof=1))
    )


def both_ways(y):
    return y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()


def test_regression_table_reads_it():
    panel, w = PANEL["contiguity"], W["contiguity"]
    fits = [
        models.spatial_durbin(panel, FORMULA, w, model=model, effects=effects)
        for model, effects in (("sdm", "twoways"), ("sem", "none"))
    ]
    frame = regression_table(fits, labels={"W_x1": "W × x1"}).frame
    assert frame.loc[("coef", "W × x1")].iloc[0].startswith(f"{fits[0].params['W_x1']:.4f}")
    assert frame.loc[("fe", "Unit fixed effects")].to_list() == ["Yes", "No"]
    assert frame.loc[("stats", "N")].to_list() == ["480", "480"]
    assert "SDM, twoways (lee-yu)" in fits[0]._repr_html_()


@pytest.mark.simulation
def test_lee_yu_is_nearly_unbiased_and_covers_where_direct_does_not():
    """60 × 8, ρ = 0.4, two-way effects: plain demeaning gives about 0.35 (500 draws in R: 0.346 and 0.386)."""
    from dataclasses import replace

    from regionbook.models._logdet import LogDet
    from regionbook.models._spatial import stack
    from regionbook.models.spatial_durbin import _estimate

    rng = np.random.default_rng(5)
    a = W["contiguity"].to_numpy()
    solve = np.linalg.inv(np.eye(60) - 0.4 * a)
    x = rng.normal(size=(60, 8))
    panel = pd.DataFrame({"y": x.ravel(), "x": x.ravel()}, PANEL["contiguity"].index)
    data = stack(panel + rng.normal(size=panel.shape), "y ~ x", W["contiguity"])
    x = data.x.reshape(8, 60).T  # as read: one draw of regressors for all
    ld = LogDet(data.w)
    truth = dense_impacts(0.4, 1.0, 0.5, a)
    rho, sigma2, covered = [], [], []
    for _ in range(100):
        effects = rng.normal(size=(60, 1)) + rng.normal(size=8)
        y = solve @ (x + 0.5 * a @ x + effects + rng.normal(size=x.shape))
        fits = [
            _estimate(replace(data, y=y.T.ravel()), ld, "sdm", "twoways", c) for c in ("direct", "lee-yu")
        ]
        rho.append([f.rho for f in fits])
        sigma2.append([f.sigma2 for f in fits])
        tables = [f.impacts() for f in fits] + [fits[1].impacts(800, seed=1)]
        covered.append([(t["lower"] < truth) & (truth < t["upper"]) for t in tables])
    direct, leeyu = np.mean(rho, axis=0)
    assert 0.325 < direct < 0.365 and 0.37 < leeyu < 0.415
    assert np.mean(sigma2, axis=0) == pytest.approx([0.86, 0.99], abs=0.03)
    share = np.mean(covered, axis=0)  # (direct, Lee–Yu, Lee–Yu simulated) × (direct, indirect, total effect)
    assert (share[1:] > 0.87).all()
    assert (share[0, 1:] < share[1, 1:] - 0.03).all()


CASE = {"panel": PANEL["contiguity"], "formula": FORMULA, "w": W["contiguity"]}
SMALL = W["contiguity"].loc[:59, :59]
LOOP = W["contiguity"].where(~np.eye(60, dtype=bool), 1.0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"panel": [1, 2]}, TypeError, "DataFrame"),
        ({"panel": PANEL["contiguity"].reset_index()}, ValueError, "indexed by unit and period"),
        ({"panel": PANEL["contiguity"].iloc[1:]}, ValueError, r"balanced: \(1, 2011\) occurs 0 times"),
        (
            {"panel": pd.concat([PANEL["contiguity"], PANEL["contiguity"].iloc[:1]])},
            ValueError,
            "occurs 2 times",
        ),
        (
            {"panel": PANEL["contiguity"].rename(index=str, level=0)},
            ValueError,
            "60 of the panel.*'1'.*60 of w",
        ),
        ({"w": SMALL}, ValueError, r"1 of the panel are missing in w \(60\)"),
        ({"panel": PANEL["contiguity"].drop(index=3)}, ValueError, r"1 of w are missing in panel \(3\)"),
        ({"w": W["contiguity"].to_numpy()}, TypeError, "labels"),
        ({"w": W["contiguity"].iloc[:, :59]}, ValueError, "same labels"),
        ({"w": -W["contiguity"]}, ValueError, "negative"),
        ({"w": LOOP}, ValueError, "1 is its own neighbour"),
        ({"w": 0 * W["contiguity"]}, ValueError, "no link among its 60"),
        ({"w": BINARY["contiguity"]}, ValueError, "rows add to one"),
        ({"formula": "y ~ x1 | unit"}, ValueError, "effects="),
        ({"formula": "y ~ x9"}, ValueError, "x9"),
        ({"formula": "y ~ x1 + one"}, ValueError, "'one' is constant or collinear"),
        ({"formula": "gap ~ x1"}, ValueError, "missing values"),
        ({"formula": "one ~ x1"}, ValueError, "does not vary"),
        ({"formula": "one ~ x1", "effects": "none"}, ValueError, "does not vary"),
        ({"model": "sac"}, ValueError, "model='sac'"),
        ({"effects": "both"}, ValueError, "effects='both'"),
        ({"correction": "leeyu"}, ValueError, "correction='leeyu'"),
        ({"logdet": "lu"}, ValueError, "logdet='lu'"),
        ({"information": "opg"}, ValueError, "information='opg'"),
        ({"panel": LAST["contiguity"]}, ValueError, "at least two periods"),
    ],
)
def test_refuses(change, error, message):
    case = CASE | change
    if isinstance(case["panel"], pd.DataFrame) and case["formula"] != FORMULA:
        gap = case["panel"]["y"].where(np.arange(len(case["panel"])) > 0)
        case["panel"] = case["panel"].assign(one=1.0, gap=gap)
    with pytest.raises(error, match=message):
        models.spatial_durbin(**case)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"level": 95}, "level=95"), ({"draws": -1}, "draws=-1"), ({"draws": 100}, "give a seed")],
)
def test_impacts_refuse(change, message):
    fit = models.spatial_durbin(**CASE)
    with pytest.raises(ValueError, match=message):
        fit.impacts(**change)


@pytest.mark.parametrize("model", ["ols", "sem"])
def test_models_without_spillovers_say_so(model):
    with pytest.raises(ValueError, match="no spillover"):
        models.spatial_durbin(**CASE, model=model).impacts()


@pytest.mark.parametrize(
    ("w", "error"), [(np.eye(2), TypeError), (pd.DataFrame(np.eye(2)), ValueError), (None, TypeError)]
)
def test_admissible_interval_refuses(w, error):
    with pytest.raises(error):
        models.admissible_interval(w)
