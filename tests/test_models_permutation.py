"""Permutation test of a coefficient difference: pyfixest on the split samples, a plain loop, size and power."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

from regionbook import models

PANEL = pd.read_csv(Path(__file__).parent / "data" / "oracles" / "data" / "fe_balanced.csv")
PANEL["group"] = np.where(PANEL["unit"] % 3 == 0, "poly", "mono")
FORMULA = "y ~ x1 + x2 + x3 | unit + year"
UNBALANCED = PANEL.sample(frac=0.8, random_state=0)


def split(frame, labels, formula):
    return [pf.feols(formula, frame[labels == g], fixef_rm="none").coef()["x1"] for g in ("mono", "poly")]


@pytest.mark.reference
@pytest.mark.parametrize("frame", [PANEL, UNBALANCED], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize(
    "formula", [FORMULA, "y ~ x1 + x2", "y ~ x1 + x2 | year", "y ~ x1 + C(region) | year", "y ~ x1 | unit"]
)
def test_coefficients_equal_pyfixest_on_the_split_samples(frame, formula):
    ours = models.permutation_test(frame, formula, "x1", "group", "unit", draws=5, seed=0)
    np.testing.assert_allclose(ours.coefficients, split(frame, frame["group"], formula), rtol=1e-7)
    assert ours.difference == ours.coefficients["poly"] - ours.coefficients["mono"]
    assert ours.units.to_dict() == {"mono": 27, "poly": 13}


def test_draws_equal_a_plain_loop():
    ours = models.permutation_test(UNBALANCED, FORMULA, "x1", "group", "unit", draws=12, seed=4)
    units = UNBALANCED["unit"].drop_duplicates().to_list()  # the order in which units first appear
    label = np.array([float(u % 3 == 0) for u in units])
    shuffled = np.random.default_rng(4).permuted(np.tile(label, (12, 1)), axis=1)
    loop = []
    for row in shuffled:
        labels = UNBALANCED["unit"].map(dict(zip(units, np.where(row == 1, "poly", "mono"), strict=True)))
        first, second = split(UNBALANCED, labels, FORMULA)
        loop.append(second - first)
    np.testing.assert_allclose(ours.draws, loop, rtol=1e-6, atol=1e-9)
    assert ours.p == (1 + (np.abs(loop) >= abs(ours.difference)).sum()) / 13


def test_larger_units_keep_their_members_together():
    frame = PANEL.assign(group=np.where(PANEL["region"] <= 4, "mono", "poly"))
    ours = models.permutation_test(frame, FORMULA, "x1", "group", "region", draws=200, seed=1)
    np.testing.assert_allclose(ours.coefficients, split(frame, frame["group"], FORMULA), rtol=1e-7)
    assert ours.units.sum() == 8
    assert len(np.unique(ours.draws.round(12))) <= 70  # 8 over 4
    assert "8 over" not in ours._repr_html_()
    assert "permutation p" in ours._repr_html_()


@pytest.mark.simulation
@pytest.mark.parametrize(("gap", "low", "high"), [(0.0, 0.01, 0.1), (0.5, 0.7, 1.0)])
def test_size_and_power(gap, low, high):
    """Errors are serially correlated within a unit, which row-wise shuffling would not survive."""
    rng = np.random.default_rng(8)
    rows = pd.MultiIndex.from_product([range(40), range(6)], names=["city", "year"])
    city = rows.get_level_values("city").to_numpy()
    rejections, draws = 0, 200
    for _ in range(draws):
        x = rng.normal(size=40)[city] * np.tile(np.arange(6), 40) / 3 + rng.normal(size=240)
        slope = rng.normal(scale=0.3, size=40)[city]  # units differ in their slope too
        frame = pd.DataFrame({"x": x, "g": city < 16}, rows)
        frame["y"] = (1 + slope + gap * frame["g"]) * x + rng.normal(size=240)
        test = models.permutation_test(frame, "y ~ x | city + year", "x", "g", "city", draws=99, seed=1)
        rejections += test.p <= 0.05
    assert low <= rejections / draws <= high


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"group": "year"}, ValueError, "two values, it has 9"),
        ({"group": "late"}, ValueError, "varies within unit 1"),
        ({"group": "one"}, ValueError, "two values, it has 1"),
        ({"group": "hole"}, ValueError, "group 'hole' is missing in row 0"),
        ({"unit": "city"}, ValueError, "city"),
        ({"coefficient": "digit"}, ValueError, "not in the formula"),
        ({"draws": 0}, ValueError, "draws=0"),
        ({"formula": "y ~ x1 + late | unit + year"}, ValueError, "'late' is constant or collinear"),
        ({"formula": "y ~ only | unit + year", "coefficient": "only"}, ValueError, "'only' has no variation"),
        ({"data": PANEL.assign(x1=PANEL["x1"].where(PANEL.index != 5))}, ValueError, "row 5, column 'x1'"),
        ({"data": PANEL.to_numpy()}, TypeError, "DataFrame"),
    ],
)
def test_refuses(change, error, message):
    late = (PANEL["year"] > 2014).astype(int)
    extra = {
        "one": 1,
        "late": late,
        "hole": PANEL["group"].where(PANEL.index > 0),
        "only": PANEL["x2"] * (PANEL["group"] == "mono"),
    }
    choice = {
        "formula": FORMULA,
        "coefficient": "x1",
        "group": "group",
        "unit": "unit",
        "draws": 9,
        "seed": 0,
    }
    choice = {"data": PANEL.assign(**extra)} | choice | change
    with pytest.raises(error, match=message):
        models.permutation_test(**choice)
