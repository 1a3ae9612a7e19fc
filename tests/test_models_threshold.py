"""Panel thresholds: against pyxthreg, pyfixest, Hansen's firms, brute force, and by simulation."""

import os
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

from regionbook.models import threshold

STORED = Path(__file__).parent / "data" / "threshold.csv"
PEER = pd.read_csv(STORED)
panel = runpy.run_path(str(STORED.with_suffix(".py")))["panel"]
EFFECTS = {False: "id", True: "id + t"}


def estimate(frame, two_way=False, formula="y ~ r + s + x", **how):
    how = {"draws": 0, "trim": 0.05} | how
    return threshold(
        frame, f"{formula} | {EFFECTS[two_way]}", how.pop("regressors", ["r", "s"]), "q", "id", "t", **how
    )


# --- against others' numbers -----------------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize(
    ("case", "rows"), list(PEER.groupby(["seed", "thresholds", "two_way"])), ids=lambda c: str(c)[:14]
)
def test_equals_pyxthreg(case, rows):
    """pyxthreg 0.0.3 forgets the dummies of periods when it divides by degrees of freedom: corrected here."""
    seed, thresholds, two_way = case
    peer = rows.set_index("quantity")["value"]
    ours = estimate(panel(seed), two_way, thresholds=thresholds, scale="T(N-1)")
    np.testing.assert_allclose(ours.thresholds["value"], peer.filter(like="threshold"), rtol=1e-12)
    assert ours.ssr == pytest.approx(peer["ssr"], rel=1e-10)
    assert ours.tests["F"][1] == pytest.approx(peer["F 1"], rel=1e-9)
    order = ["x", *(f"{k}[{j}]" for j in range(1, thresholds + 2) for k in "rs")]
    np.testing.assert_allclose(ours.table["estimate"][order], peer.filter(like="beta"), rtol=1e-9)
    free = ours.nobs - 60 - len(order)
    lost = np.sqrt(free / (free - 7)) if two_way else 1
    np.testing.assert_allclose(ours.table["se"][order], lost * peer.filter(like="se "), rtol=1e-9)


@pytest.mark.skipif("REGIONBOOK_FIRMS" not in os.environ, reason="Hansen's firms are not ours to hand on")
@pytest.mark.reference
def test_hansens_firms():
    """565 firms x 14 years. REGIONBOOK_FIRMS: `invest.rda` of the R package pdR 1.9.3 (CRAN), read with pyreadr.

    Stata's help of xthreg has F = 35.20 at 0.0154, with T(N - 1); every value searched, 0.0157 is better still. Hansen's own
    program (the R port in pdR) demeans and then drops the last year, which is not the within estimator: 0.0157, 32.65.
    """
    import pyreadr

    firms = next(iter(pyreadr.read_r(os.environ["REGIONBOOK_FIRMS"]).values())).to_numpy(float)
    now, before = firms.reshape(565, 15, 4)[:, 1:], firms.reshape(565, 15, 4)[:, :-1]
    frame = pd.DataFrame(before.reshape(-1, 4)[:, 1:], columns=["tobin", "c", "debt"])
    frame["y"] = now[:, :, 0].ravel()
    frame["id"], frame["t"] = np.divmod(np.arange(len(frame)), 14)
    formula = "y ~ c + tobin + I(tobin**2) + I(tobin**3) + debt + tobin:debt | id"
    fit = threshold(frame, formula, "c", "debt", "id", "t", thresholds=3, draws=0)
    np.testing.assert_allclose(fit.tests["F"], [32.82, 24.02, 13.65], atol=0.01)
    np.testing.assert_allclose(fit.tests["value"], [0.0157, 0.5400, 0.5123], atol=1e-4)
    stata = threshold(frame, formula, "c", "debt", "id", "t", draws=0, scale="T(N-1)")
    lr = stata.curves[0].loc[:0.0154].iloc[-1]
    assert stata.tests["F"][1] - lr == pytest.approx(35.20, abs=0.15)


@pytest.mark.reference
@pytest.mark.parametrize("two_way", [False, True])
def test_slopes_and_errors_equal_pyfixest(two_way):
    frame = panel(3)
    ours = estimate(frame, two_way, thresholds=[-0.3, 0.8])
    where = np.searchsorted([-0.3, 0.8], frame["q"], side="left")
    names = [f"{k}_{j}" for j in range(3) for k in "rs"]
    wide = frame.assign(**{f"{k}_{j}": frame[k] * (where == j) for j in range(3) for k in "rs"})
    peer = pf.feols(f"y ~ {' + '.join(names)} + x | {EFFECTS[two_way]}", wide, vcov="iid")
    np.testing.assert_allclose(ours.table["estimate"], peer.coef(), rtol=1e-7)
    np.testing.assert_allclose(ours.cov, peer._vcov, rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(ours.cov_cluster, peer.vcov({"CRV1": "id"})._vcov, rtol=1e-6, atol=1e-10)
    assert ours.tests.empty and ours.draws.empty
    assert ours.regimes["rows"].tolist() == np.bincount(where).tolist()


def swept(frame, columns, two_way):
    a = np.column_stack(columns).astype(float)
    out = a - pd.DataFrame(a).groupby(frame["id"].to_numpy()).transform("mean").to_numpy()
    if two_way:
        out -= pd.DataFrame(out).groupby(frame["t"].to_numpy()).transform("mean").to_numpy()
    return out


def slow(frame, two_way, cuts, y=None):
    """Sum of squares with these thresholds, by least squares."""
    where = np.searchsorted(sorted(cuts), frame["q"], side="left")
    split = [frame[k] * (where == j) for j in range(len(cuts) + 1) for k in "rs"]
    y1, *X = swept(frame, [frame["y"] if y is None else y, frame["x"], *split], two_way).T
    return float(np.sum((y1 - np.array(X).T @ np.linalg.lstsq(np.array(X).T, y1, rcond=None)[0]) ** 2))


@pytest.mark.parametrize("two_way", [False, True])
def test_every_value_is_searched_with_ties_together(two_way):
    frame = panel(4)
    fit = estimate(frame, two_way, thresholds=2)
    a, b = fit.thresholds["value"]
    for j, other in enumerate((b, a)):
        curve = fit.curves[j]
        assert curve.index.is_unique and curve.index.isin(frame["q"]).all()
        all_of = np.array([slow(frame, two_way, [c, other]) for c in curve.index])
        s = 60 * 7 - 7 * two_way
        np.testing.assert_allclose(curve, s * (all_of / all_of.min() - 1), atol=1e-7)
        assert curve.idxmin() == (a, b)[j] and fit.thresholds["low"][j + 1] <= (a, b)[j]
    least = int(np.ceil(0.05 * 480))
    allowed = [c for c in np.unique(frame["q"]) if (frame["q"] <= c).sum() >= least <= (frame["q"] > c).sum()]
    assert estimate(frame, two_way).curves[0].index.tolist() == allowed
    assert fit.regimes["rows"].min() >= least and fit.regimes["rows"].sum() == 480


def test_samples_of_whole_units_by_brute_force():
    frame = panel(5, units=12, periods=5)
    fit = estimate(frame, thresholds=2, draws=3, seed=8, trim=0.15)
    first = fit.tests["value"][1]
    rng = np.random.default_rng(8)
    rng.integers(12, size=(3, 12))  # those of the first test
    where = (frame["q"] > first).to_numpy()
    y, *X = swept(frame, [frame["y"], frame["x"], *[frame[k] * w for w in (~where, where) for k in "rs"]], False).T  # fmt: skip
    fitted = np.array(X).T @ np.linalg.lstsq(np.array(X).T, y, rcond=None)[0]
    residual = (y - fitted).reshape(12, 5)
    candidates = np.unique(frame["q"])

    def best(sample, cuts):
        def room(c):
            return np.bincount(np.searchsorted(sorted([*cuts, c]), frame["q"]), minlength=len(cuts) + 2).min()

        inside = [c for c in candidates if room(c) >= 9]
        return min((slow(frame, False, [*cuts, c], sample), c) for c in inside)

    for draw, units in enumerate(rng.integers(12, size=(3, 12))):
        sample = fitted + residual[units].ravel()
        before, after = slow(frame, False, [first], sample), best(sample, [first])[0]
        assert fit.draws[2][draw] == pytest.approx(48 * (before / after - 1), rel=1e-8)
    assert fit.tests["p"][2] == (fit.draws[2] >= fit.tests["F"][2]).mean()


def test_order_of_rows_and_index_do_not_matter():
    frame = panel(6)
    one = estimate(frame, draws=20, seed=1)
    other = estimate(
        frame.sample(frac=1, random_state=2).set_index(["id", "t"]).sort_index(), draws=20, seed=1
    )
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.tests, other.tests)
    shuffled = estimate(frame.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(one.thresholds, shuffled.thresholds)
    pd.testing.assert_frame_equal(one.cov_cluster, shuffled.cov_cluster)


def test_two_definitions_of_F():
    hansen, stata = (estimate(panel(1), scale=scale) for scale in ("N(T-1)", "T(N-1)"))
    assert stata.tests["F"][1] / hansen.tests["F"][1] == pytest.approx(59 * 8 / (60 * 7))
    assert stata.thresholds["high"][1] <= hansen.thresholds["high"][1]
    assert hansen.critical == pytest.approx(7.3523, abs=1e-4)  # Hansen (1999), section 4: 7.35 at 5 %


def test_shown_as_tables():
    fit = estimate(panel(1), draws=19, seed=0)
    html = fit._repr_html_()
    assert f"{fit.tests['F'][1]:.4f}" in html and "480 rows of 60 units" in html
    assert "<th>F</th>" in html and "<th>F</th>" not in estimate(panel(1), thresholds=[0.1])._repr_html_()


# --- simulation -------------------------------------------------------------------------------------------


def simulated(seed, jump, units=50, periods=8):
    """A slope that jumps at 0 of q; errors within units are correlated."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(units * periods, 3)), columns=["y", "r", "q"])
    frame["id"], frame["t"] = np.divmod(np.arange(len(frame)), periods)
    frame["q"] += 0.5 * frame["r"]
    errors = frame["y"].to_numpy(copy=True).reshape(units, periods)
    for t in range(1, periods):
        errors[:, t] += 0.5 * errors[:, t - 1]
    frame["y"] = (
        errors.ravel() + (1 + jump * (frame["q"] > 0)) * frame["r"] + rng.normal(size=units)[frame["id"]]
    )
    return frame


@pytest.mark.simulation
def test_size_power_and_interval():
    how = {"formula": "y ~ r", "regressors": "r", "draws": 99, "trim": 0.1}
    none = [estimate(simulated(s, 0.0), seed=s, **how).tests["p"][1] for s in range(120)]
    assert 0.015 < np.mean(np.array(none) <= 0.05) < 0.10
    jumps = [estimate(simulated(s, 1.0), seed=s, **how) for s in range(40)]
    assert np.mean([f.tests["p"][1] <= 0.05 for f in jumps]) > 0.95
    assert (
        np.mean([f.thresholds["low"][1] <= 0.02 and f.thresholds["high"][1] >= -0.02 for f in jumps]) > 0.85
    )
    assert abs(np.median([f.thresholds["value"][1] for f in jumps])) < 0.05
    again = [estimate(simulated(s, 1.0), seed=s, thresholds=2, **how).tests["p"][2] for s in range(60)]
    assert np.mean(np.array(again) <= 0.05) < 0.15


# --- bad input ----------------------------------------------------------------------------------------------

GOOD = panel(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": GOOD.drop(index=[3, 12])}, r"unbalanced: 2 of 60 units lack some of the 8 periods: 0, 1;"),
        ({"data": GOOD[GOOD["t"] == 0]}, r"60 unit\(s\) of 1 period\(s\)"),
        ({"data": GOOD[(GOOD["id"] > 2) | (GOOD["t"] == 0)]}, r"3 of 60 units .*: 0, 1, 2; leave them out"),
        ({"data": pd.concat([GOOD, GOOD.iloc[[5]]])}, r"id and t \(0, 5\) are there more than once"),
        ({"data": GOOD.assign(q=1.0)}, r"'q' is constant \(1\)"),
        ({"data": GOOD.assign(q=GOOD["q"].where(GOOD.index != 7))}, "row 7, column 'q'"),
        ({"data": GOOD.assign(x=GOOD["x"].where(GOOD.index != 7))}, "row 7, column 'x'"),
        ({"data": GOOD.assign(q=(GOOD.index < 2) * 1.0)}, "no threshold leaves both regimes 24 of 480 rows"),
        ({"data": GOOD.assign(q=(GOOD["q"] > 0) * 1.0), "thresholds": 2}, "no room for threshold 2"),
        ({"data": GOOD.assign(x=GOOD["id"])}, "'x' is constant or collinear"),
        ({"formula": "y ~ r + s + x | t"}, "expected the effects 'id', or 'id' and 't'"),
        ({"formula": "y ~ r + s + x"}, "expected the effects"),
        ({"regressors": "z"}, "coefficient 'z' is not in the formula"),
        ({"by": "z"}, "neither among the columns"),
        ({"thresholds": [5.0]}, r"regimes of \[480, 0\] rows, each needs 24; .* candidates from -1"),
        ({"thresholds": [0.1, 0.12]}, "each needs 24"),
        ({"thresholds": []}, r"thresholds=\[\]"),
        ({"thresholds": 0}, "1 threshold at least"),
        ({"draws": 10}, "a seed for draws"),
        ({"trim": 0.6}, "no threshold leaves both regimes 288"),
        ({"level": 95}, "between 0 and 1"),
        ({"scale": "NT"}, "'NT' is not one of"),
    ],
)
def test_refuses(change, message):
    choice = {"data": GOOD, "formula": "y ~ r + s + x | id", "regressors": ["r", "s"], "by": "q"}
    choice |= {"unit": "id", "time": "t", "draws": 0, "trim": 0.05}
    with pytest.raises(ValueError, match=message):
        threshold(**choice | change)


def test_refuses_text():
    with pytest.raises(TypeError, match="'q' is not numeric"):
        estimate(GOOD.assign(q=GOOD["q"].astype(str)))
