"""SUEST and Chow test: fully interacted regressions of pyfixest (exact), textbook formulas, size and power."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

from regionbook import models

PANEL = pd.read_csv(Path(__file__).parent / "data" / "oracles" / "data" / "fe_balanced.csv")
PANEL["g"] = (PANEL["unit"] % 3 == 0).astype(int)
PANEL["moves"] = ((PANEL["unit"] + PANEL["year"] // 4) % 2).astype(int)  # cities change group
UNBALANCED = PANEL.sample(frac=0.8, random_state=0)
FORMULA = "y ~ x1 + x2 + x3 | unit + year"


def interacted(frame, group, effects, **choice):
    """Everything times the group, effects of each group's own."""
    effects = "+".join(f"{e}^{group}" for e in effects) or "0"
    formula = f"y ~ x1 + x2 + x3 + x1:{group} + x2:{group} + x3:{group}"
    formula += f" | {effects}" if effects != "0" else f" + {group}"
    return pf.feols(formula, frame, fixef_rm="none", **choice)


@pytest.mark.reference
@pytest.mark.parametrize("frame", [PANEL, UNBALANCED], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize(
    ("group", "cluster", "effects"),
    [
        ("g", "unit", ["unit", "year"]),
        ("g", "region", ["unit", "year"]),  # clusters with rows in both groups
        ("moves", "unit", ["unit", "year"]),
        ("g", "unit", ["year"]),
        ("g", "year", []),
    ],
)
def test_suest_equals_the_fully_interacted_regression(frame, group, cluster, effects):
    formula = "y ~ x1 + x2 + x3" + (" | " + " + ".join(effects) if effects else "")
    ours = models.suest_test(frame, formula, "x1", group, cluster=cluster)
    # G/(G − 1) and no other correction, as Stata's suest
    theirs = interacted(frame, group, effects, vcov={"CRV1": cluster}, ssc=pf.ssc(k_adj=False))
    assert ours.difference == pytest.approx(theirs.coef()[f"x1:{group}"], rel=1e-7)
    assert ours.se == pytest.approx(theirs.se()[f"x1:{group}"], rel=1e-7)
    assert ours.errors[0] == pytest.approx(theirs.se()["x1"], rel=1e-7)
    spans = frame.groupby(cluster)[group].nunique().max() > 1
    assert (abs(ours.covariance) > 1e-8) == spans
    assert ours.se**2 == pytest.approx((ours.errors**2).sum() - 2 * ours.covariance)
    assert ours.clusters == frame[cluster].nunique()


@pytest.mark.reference
def test_each_group_is_its_own_regression():
    ours = models.suest_test(PANEL, FORMULA, "x2", "g", cluster="unit")
    for g in (0, 1):
        alone = pf.feols(FORMULA, PANEL[PANEL["g"] == g], vcov={"CRV1": "unit"}, ssc=pf.ssc(k_adj=False))
        assert ours.coefficients[g] == pytest.approx(alone.coef()["x2"], rel=1e-8)
        clusters = (PANEL["g"] == g).sum() / 9
        factor = (clusters - 1) / clusters * 40 / 39  # all 40 cities count as clusters of the joint model
        assert ours.errors[g] == pytest.approx(alone.se()["x2"] * np.sqrt(factor), rel=1e-8)
    assert "χ²(1)" in ours._repr_html_()
    assert "1 − 0" in ours._repr_html_()


@pytest.mark.reference
@pytest.mark.parametrize("frame", [PANEL, UNBALANCED], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize("effects", [["unit", "year"], ["year"], []])
def test_chow_equals_the_wald_test_of_the_interactions(frame, effects):
    formula = "y ~ x1 + x2 + x3" + (" | " + " + ".join(effects) if effects else "")
    plain = models.chow_test(frame, formula, "g")
    fit = interacted(frame, "g", effects, vcov="iid")
    names = list(fit.coef().index)
    places = [names.index(f"x{j}:g") for j in (1, 2, 3)]
    delta, v = fit.coef().to_numpy()[places], fit._vcov[np.ix_(places, places)]
    # two groups have two redundant year dummies, pyfixest counts one: its n − K is one too small
    slip = plain.df[1] / (plain.df[1] - 1) if len(effects) == 2 else 1
    assert plain.f == pytest.approx(delta @ np.linalg.solve(v, delta) / 3 * slip, rel=1e-6)
    clustered = models.chow_test(frame, formula, "g", cluster="unit")
    fit = interacted(frame, "g", effects, vcov={"CRV1": "unit"})
    v = fit._vcov[np.ix_(places, places)]
    assert clustered.f == pytest.approx(delta @ np.linalg.solve(v, delta) / 3, rel=1e-6)
    assert clustered.df == (3, 39)
    np.testing.assert_allclose(clustered.slopes[1] - clustered.slopes[0], delta, rtol=1e-6)


@pytest.mark.reference
def test_chow_is_the_textbook_formula():
    """Residual sums of squares of least squares with dummies, own constants under the null."""

    def ssr(x, y):
        return float(np.sum((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2))

    def part(frame, names):
        return frame[names].to_numpy()

    names = ["x1", "x2", "x3"]
    groups = [PANEL[PANEL["g"] == g] for g in (0, 1)]
    own = sum(ssr(np.column_stack([np.ones(len(f)), part(f, names)]), f["y"].to_numpy()) for f in groups)
    both = np.column_stack([1 - PANEL["g"], PANEL["g"], part(PANEL, names)])
    common = ssr(both, PANEL["y"].to_numpy())
    ours = models.chow_test(PANEL, "y ~ x1 + x2 + x3", "g")
    assert ours.df == (3, 360 - 8)
    assert ours.f == pytest.approx((common - own) / 3 / (own / 352), rel=1e-9)
    assert "F(3, 352)" in ours._repr_html_()


@pytest.mark.simulation
@pytest.mark.parametrize(("gap", "draws"), [(0.0, 200), (0.8, 40)])
def test_size_and_power(gap, draws):
    """50 and 70 cities, serial correlation, unequal variances: the plain Chow test rejects too often."""
    rng = np.random.default_rng(4)
    rows = pd.MultiIndex.from_product([range(120), range(5)], names=["city", "year"])
    city = rows.get_level_values("city").to_numpy()
    trend = np.tile(np.arange(5) / 2 - 1, 120)
    second = city < 50
    rejected = np.zeros(3)
    for _ in range(draws):
        x = rng.normal(size=120)[city] * trend + rng.normal(size=600)
        error = rng.normal(size=120)[city] * trend + rng.normal(size=600)
        frame = pd.DataFrame({"x": x, "g": second}, rows)
        frame["y"] = (1 + gap * second) * x + (1 + second) * error
        tests = (
            models.suest_test(frame, "y ~ x | city + year", "x", "g", cluster="city"),
            models.chow_test(frame, "y ~ x | city + year", "g", cluster="city"),
            models.chow_test(frame, "y ~ x | city + year", "g"),
        )
        rejected += [test.p <= 0.05 for test in tests]
    suest, clustered, plain = rejected / draws
    assert clustered <= suest  # F and n − K against the normal distribution
    if gap:
        assert clustered > 0.9
    else:
        assert 0.02 <= clustered <= suest <= 0.10
        assert plain > 0.12


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"group": "year"}, ValueError, "two values, it has 9"),
        ({"group": "one"}, ValueError, "two values, it has 1"),
        ({"group": "hole"}, ValueError, "group 'hole' is missing in row 0"),
        ({"group": "size"}, ValueError, "size"),
        ({"group": "few"}, ValueError, "group 1 has 2 rows, too few"),
        ({"cluster": "province"}, ValueError, "province"),
        ({"cluster": "one"}, ValueError, "one group"),
        (
            {"formula": "y ~ only + x1 | unit + year"},
            ValueError,
            "in group 0: 'only' is constant or collinear",
        ),
        ({"formula": "y ~ x1 + x9"}, ValueError, r"\['x9'\]"),
        ({"data": PANEL.assign(x1=PANEL["x1"].where(PANEL.index != 5))}, ValueError, "row 5, column 'x1'"),
        ({"data": PANEL.to_numpy()}, TypeError, "DataFrame"),
    ],
)
@pytest.mark.parametrize("test", ["suest", "chow"])
def test_refuses(test, change, error, message):
    extra = {
        "one": 1,
        "hole": PANEL["g"].where(PANEL.index > 0),
        "few": (PANEL.index < 2).astype(int),
        "only": PANEL["x2"] * PANEL["g"],
    }
    choice = {"data": PANEL.assign(**extra), "formula": FORMULA, "group": "g", "cluster": "unit"} | change
    if isinstance(change.get("data"), pd.DataFrame | np.ndarray):
        choice["data"] = change["data"]
    with pytest.raises(error, match=message):
        if test == "suest":
            models.suest_test(**choice, coefficient="x1")
        else:
            models.chow_test(**choice)


def test_refuses_more():
    with pytest.raises(ValueError, match="'digit' is not in the formula"):
        models.suest_test(PANEL, FORMULA, "digit", "g", cluster="unit")
    frame = PANEL.assign(pair=PANEL["unit"] % 2)
    with pytest.raises(ValueError, match="2 clusters cannot give a covariance of 3"):
        models.chow_test(frame, FORMULA, "g", cluster="pair")
