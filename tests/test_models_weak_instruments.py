"""Weak-instrument statistics against R (tests/data/oracles), linearmodels, printed tables and simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from linearmodels.iv import IV2SLS
from scipy import stats

from regionbook import models

ORACLES = Path(__file__).parent / "data" / "oracles"
R = pd.read_csv(ORACLES / "results" / "2_instruments.csv", dtype={"term": str}).set_index(
    ["case", "quantity"]
)
PANEL = pd.read_csv(ORACLES / "data" / "iv_panel.csv").set_index(["unit", "year"])
CASES = [
    (f"{effects}_{kind}", ["z1", "z2", "z3"] if kind == "over" else ["z1"], absorb)
    for effects, absorb in (("pooled", []), ("twoway", ["unit", "year"]))
    for kind in ("over", "just")
]
COVS = {"iid": "iid", "hc": "robust", "cluster": "cluster"}


def reference(case: str, quantity: str) -> pd.Series:
    rows = R.loc[[(case, quantity)]]
    return rows.set_index(rows["term"].fillna(""))["value"]


def settings(instruments, absorb, cov):
    return {
        "instruments": instruments,
        "exog": ["x1", "x2"],
        "absorb": absorb,
        "cov": cov,
        "clusters": "unit" if cov == "cluster" else None,
    }


@pytest.mark.reference
@pytest.mark.parametrize(("case", "instruments", "absorb"), CASES)
@pytest.mark.parametrize("kind", COVS)
def test_kleibergen_paap_equals_r(case, instruments, absorb, kind):
    ours = models.kleibergen_paap(PANEL, "d", **settings(instruments, absorb, COVS[kind]))
    lm = reference(case, f"kp_rk_lm_{kind}")
    assert ours.lm == pytest.approx(lm["chi2"], rel=1e-9)
    assert ours.lm_df == lm["df"]
    assert ours.lm_p == pytest.approx(lm["p"], rel=1e-7)
    assert ours.wald == pytest.approx(reference(case, f"kp_rk_wald_{kind}")["chi2"], rel=1e-9)
    # effects nested in the clusters are not counted: the reference has both countings
    assert ours.f == pytest.approx(
        reference(case, f"kp_rk_wald_f_{kind}")[f"absorbed={ours.absorbed}"], rel=1e-9
    )


@pytest.mark.parametrize(("case", "instruments", "absorb"), CASES)
def test_robust_f_equals_first_stage_f(case, instruments, absorb):
    robust = models.kleibergen_paap(PANEL, "d", **settings(instruments, absorb, "robust"))
    assert robust.f == pytest.approx(reference(case, "weak_f_hc1").iloc[0], rel=1e-8)
    iid = models.kleibergen_paap(PANEL, "d", **settings(instruments, absorb, "iid"))
    assert iid.f == pytest.approx(reference(case, "weak_f_classical")["stat"], rel=1e-8)
    assert iid.lm == pytest.approx(len(PANEL) * reference(case, "first_stage_partial_r2").iloc[0], rel=1e-8)


@pytest.mark.parametrize("cov", ["iid", "robust", "cluster"])
def test_effective_f_with_one_instrument_is_the_robust_f(cov):
    choice = settings(["z2"], ["unit", "year"], cov)
    ours = models.effective_f(PANEL, "d", **choice)
    assert ours.f == pytest.approx(models.kleibergen_paap(PANEL, "d", **choice).f, rel=1e-10)
    # Montiel Olea and Pflueger (2013), one instrument: 37.42, 23.11, 15.06, 12.05 = (√(1/τ) + …)² of a χ²(1)
    np.testing.assert_allclose(ours.critical, [37.42, 23.11, 15.06, 12.05], atol=0.006)
    assert "τ = 10%" in ours._repr_html_()


def test_effective_f_by_its_formula():
    choice = settings(["z1", "z2", "z3"], [], "robust")
    ours = models.effective_f(PANEL, "d", **choice)
    first = IV2SLS.from_formula("d ~ 1 + x1 + x2 + z1 + z2 + z3", PANEL).fit(cov_type="robust", debiased=True)
    z = np.column_stack(
        [IV2SLS.from_formula(f"z{j} ~ 1 + x1 + x2", PANEL).fit().resids.to_numpy() for j in (1, 2, 3)]
    )
    pi, v = first.params[["z1", "z2", "z3"]].to_numpy(), first.cov.loc[["z1", "z2", "z3"], ["z1", "z2", "z3"]]
    assert ours.f == pytest.approx(pi @ z.T @ z @ pi / np.trace(v.to_numpy() @ z.T @ z), rel=1e-9)
    # homoskedastic and orthonormal: every weight is alike and F_eff is the first-stage F
    iid = models.effective_f(PANEL, "d", **settings(["z1", "z2", "z3"], [], "iid"))
    assert iid.f == pytest.approx(reference("pooled_over", "weak_f_classical")["stat"], rel=1e-8)


@pytest.mark.reference
def test_f_statistics_equal_pyfixest():
    """pyfixest leaves the controls in Z, so that its effective F with several instruments differs when there
    are any; without controls, and with one instrument, it is the same."""
    frame = PANEL.reset_index()
    for controls, names in (("1", ["z1", "z2", "z3"]), ("x1", ["z1"])):
        fit = pf.feols(f"y ~ {controls} | unit + year | d ~ {' + '.join(names)}", frame, vcov="hetero")
        fit.IV_Diag()
        choice = {"exog": [] if controls == "1" else [controls], "absorb": ["unit", "year"]}
        assert models.kleibergen_paap(PANEL, "d", names, **choice).f == pytest.approx(
            fit._f_stat_1st_stage, rel=1e-8
        )
        assert models.effective_f(PANEL, "d", names, **choice).f == pytest.approx(fit._eff_F, rel=1e-8)


@pytest.mark.reference
def test_stock_yogo_size_by_simulation():
    """Stock and Yogo's definition: at the boundary a nominal 5 % 2SLS t test rejects 10 % when ρ → 1.

    With one instrument and ρ = 1 the weak-instrument limit of t² is closed: with ν ~ N(μ, 1),
    (ν − μ)²·ν² / [ν − (ν − μ)]² = (ν − μ)² ν² / μ². Their tables are simulated, hence 4 %; the
    exact boundary of size 10 % is E[F] = 1 + μ² = 6.88 (Lee, McCrary, Moreira and Porter 2022).
    """
    nu = stats.norm.ppf((np.arange(400_000) + 0.5) / 400_000)
    for size, critical in models.STOCK_YOGO.loc[1].items():
        low, high = 0.5, 6.0
        for _ in range(40):
            mu = (low + high) / 2
            rejected = np.mean((nu * (nu + mu) / mu) ** 2 > stats.chi2.ppf(0.95, 1))
            low, high = (mu, high) if rejected > size else (low, mu)
        assert stats.ncx2.ppf(0.95, 1, mu**2) == pytest.approx(critical, rel=0.04)
        assert size != 0.10 or 1 + mu**2 == pytest.approx(6.88, abs=0.01)


# Anderson–Rubin -----------------------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize(("case", "instruments", "absorb"), CASES)
@pytest.mark.parametrize(("kind", "cov"), [("classical", "iid"), ("cluster", "cluster")])
def test_anderson_rubin_equals_r(case, instruments, absorb, kind, cov):
    ours = models.anderson_rubin(PANEL, "y", "d", **settings(instruments, absorb, cov))
    theirs = reference(case, f"anderson_rubin_f_{kind}").iloc[0]
    if cov == "cluster" and absorb:  # R counts the unit dummies too (59 + L columns), we do not (10 + L)
        theirs *= (400 - len(instruments) - 10) / (400 - len(instruments) - 59)
    assert ours.statistic == pytest.approx(theirs, rel=1e-8)


@pytest.mark.parametrize(("case", "instruments", "absorb"), CASES)
@pytest.mark.parametrize("cov", ["iid", "robust", "cluster"])
def test_anderson_rubin_ends_have_p_of_5_percent(case, instruments, absorb, cov):
    choice = settings(instruments, absorb, cov)
    ours = models.anderson_rubin(PANEL, "y", "d", **choice)
    assert np.isfinite(ours.intervals).all()
    for end in ours.intervals[0]:
        assert models.anderson_rubin(PANEL, "y", "d", **choice, null=end).p == pytest.approx(0.05, rel=1e-6)
    grid = np.linspace(-3, 4, 57)
    accepted = [models.anderson_rubin(PANEL, "y", "d", **choice, null=b).p >= 0.05 for b in grid]
    assert accepted == [b in ours for b in grid]


def simulate(rng, n=200, strength=1.0, instruments=1, beta=1.0, effect=0.9):
    z = rng.normal(size=(n, instruments))
    e = rng.normal(size=n)
    d = (
        strength * z.sum(axis=1) / np.sqrt(instruments)
        + effect * e
        + np.sqrt(1 - effect**2) * rng.normal(size=n)
    )
    frame = pd.DataFrame(z, columns=[f"z{j}" for j in range(instruments)])
    return frame.assign(d=d, y=beta * d + e * np.exp(0.3 * z[:, 0]))


def test_anderson_rubin_shapes():
    """A strong instrument gives an interval, a weak one rays or the line, wrong instruments the empty set."""
    rng = np.random.default_rng(5)
    shapes = set()
    for _ in range(60):
        frame = simulate(rng, strength=0.12)
        ours = models.anderson_rubin(frame, "y", "d", ["z0"])
        shapes.add(len(ours.intervals))
        first = models.kleibergen_paap(frame, "d", ["z0"])
        # bounded exactly if the first stage itself is significant at 5 %
        assert np.isfinite(ours.intervals).all() == (stats.f.sf(first.f, 1, 198) < 0.05)
    assert shapes == {1, 2}
    wrong = simulate(rng, instruments=2, strength=2)
    wrong["y"] += 3 * wrong["z0"]
    empty = models.anderson_rubin(wrong, "y", "d", ["z0", "z1"])
    assert empty.intervals == ()
    assert "every value is rejected" in empty._repr_html_()


@pytest.mark.parametrize("instruments", [1, 3])
@pytest.mark.simulation
def test_anderson_rubin_covers_at_its_rate_where_2sls_does_not(instruments):
    rng = np.random.default_rng(11)
    names = [f"z{j}" for j in range(instruments)]
    hits = tsls = 0
    draws = 400
    for _ in range(draws):
        frame = simulate(rng, n=600, strength=0.07, instruments=instruments)
        hits += 1.0 in models.anderson_rubin(frame, "y", "d", names)
        z, d, y = (frame[c].to_numpy() - frame[c].to_numpy().mean(axis=0) for c in (names, "d", "y"))
        fit = z @ np.linalg.lstsq(z, d, rcond=None)[0]
        b = fit @ y / (fit @ d)
        tsls += abs(b - 1) < 1.96 * np.sqrt((fit**2 * (y - b * d) ** 2).sum()) / (fit @ fit)
    assert hits / draws == pytest.approx(0.95, abs=0.025)
    assert tsls / draws < hits / draws - 0.02


# bad input ----------------------------------------------------------------------------------------


def with_missing():
    frame = PANEL.copy()
    frame.loc[(3, 2013), "z1"] = np.nan
    return frame


@pytest.mark.parametrize(
    ("data", "change", "error", "message"),
    [
        (PANEL, {"instruments": ["z9"]}, ValueError, r"\['z9'\] found neither"),
        (PANEL, {"instruments": "z1"}, TypeError, r"\['z1'\]"),
        (PANEL, {"instruments": []}, ValueError, "at least one"),
        (PANEL, {"exog": "x1"}, TypeError, "list of names"),
        (PANEL, {"absorb": ["city"]}, ValueError, "absorb"),
        (PANEL, {"exog": ["x1", "z1"]}, ValueError, "used twice"),
        (PANEL, {"cov": "hc1"}, ValueError, "'iid', 'robust', 'cluster'"),
        (PANEL, {"cov": "cluster"}, ValueError, "belong together"),
        (PANEL, {"clusters": "unit"}, ValueError, "belong together"),
        (PANEL.assign(one=1), {"cov": "cluster", "clusters": "one"}, ValueError, "one group"),
        (PANEL.assign(c=PANEL["x1"] > 0), {"cov": "cluster", "clusters": "c", "instruments": ["z1", "z2"]},
         ValueError, "2 clusters"),
        (with_missing(), {}, ValueError, r"row \(3, 2013\), column 'z1'"),
        (PANEL.assign(z1=1.0), {}, ValueError, "'z1' is constant or collinear"),
        (PANEL.assign(z1=PANEL.index.get_level_values("year") * 2.0), {}, ValueError, "'z1' is constant or"),
        (PANEL.assign(x3=PANEL["x1"] + PANEL["x2"]), {"exog": ["x1", "x2", "x3"]}, ValueError, "'x3' is constant or"),
        (PANEL.assign(z4=PANEL["z1"] * 2 - PANEL["x1"]), {"instruments": ["z1", "z4"]}, ValueError, "'z4' is"),
        (PANEL.assign(z1="far"), {}, TypeError, "'z1' is not numeric"),
        (PANEL.iloc[:8], {}, ValueError, "too few"),
        (PANEL.to_numpy(), {}, TypeError, "DataFrame"),
    ],
)  # fmt: skip
def test_refuses(data, change, error, message):
    choice = {"instruments": ["z1"], "exog": ["x1", "x2"], "absorb": ["unit", "year"]} | change
    for call in (
        lambda: models.kleibergen_paap(data, "d", **choice),
        lambda: models.effective_f(data, "d", **choice),
        lambda: models.anderson_rubin(data, "y", "d", **choice),
    ):
        with pytest.raises(error, match=message):
            call()


def test_anderson_rubin_refuses_its_own_arguments():
    for change in ({"level": 95}, {"null": np.inf}):
        with pytest.raises(ValueError, match=next(iter(change))):
            models.anderson_rubin(PANEL, "y", "d", ["z1"], **change)


def test_shown_in_a_notebook():
    shown = models.kleibergen_paap(PANEL, "d", **settings(["z1"], [], "cluster"))._repr_html_()
    assert "50 clusters" in shown
    assert "Kleibergen–Paap rk LM" in shown
    assert "[" in models.anderson_rubin(PANEL, "y", "d", ["z1"])._repr_html_()
