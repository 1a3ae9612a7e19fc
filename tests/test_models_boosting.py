"""Importances and Shapley values of boosted trees against the definition, the shap package and XGBoost's own counts."""

from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor

from regionbook.models import tree_importances, tree_shap

HERE = Path(__file__).parent / "data"


def boosted(rounds=100, depth=6, **more):
    return HistGradientBoostingRegressor(max_iter=rounds, max_depth=depth, learning_rate=0.3, max_leaf_nodes=None,
        min_samples_leaf=1, l2_regularization=1.0, early_stopping=False, **more)  # fmt: skip


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True, as_frame=True, scaled=False)


@pytest.mark.reference
def test_values_are_those_of_the_shap_package(diabetes):
    """tests/data/boosting.py made the file with shap 0.51.0 (TreeExplainer, path dependent) on scikit-learn's diabetes."""
    X, y = diabetes
    found, told = tree_shap(boosted(30, 5).fit(X, y), X.iloc[:25]), pd.read_csv(HERE / "boosting.shap.csv")
    assert np.abs(found.values.to_numpy() - told.drop(columns="base").to_numpy()).max() < 2e-5
    assert found.base == pytest.approx(told["base"].iloc[0], abs=2e-5)


@pytest.mark.reference
def test_importances_are_those_of_xgboost(diabetes):
    """The first trees, where nothing has been rounded apart yet: tests/data/boosting.py, xgboost-cpu 3.2.0, same settings."""
    X, y = diabetes
    told = pd.read_csv(HERE / "boosting.xgboost.csv", index_col=0)
    found = tree_importances(boosted(3, 3).fit(X, y))
    np.testing.assert_allclose(found, told.loc[found.index, found.columns], rtol=1e-5)


def expected(nodes, x, known, k=0):
    """Prediction of a tree when only `known` features are: the definition, node by node."""
    node = nodes[k]
    if node["is_leaf"]:
        return node["value"]
    sides, j = [int(node["left"]), int(node["right"])], node["feature_idx"]
    if j in known:
        right = not node["missing_go_to_left"] if np.isnan(x[j]) else x[j] > node["num_threshold"]
        return expected(nodes, x, known, sides[int(right)])
    return sum(nodes[s]["count"] / node["count"] * expected(nodes, x, known, s) for s in sides)


def test_values_are_those_of_the_definition_with_missing_values():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, 4))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1]) + np.isnan(X[:, 2])
    model = boosted(4, 5).fit(X, y)
    found, trees = tree_shap(model, X[:3]), [t.nodes for r in model._predictors for t in r]
    for row, x in enumerate(X[:3]):
        for i in range(4):
            others, value = [j for j in range(4) if j != i], 0.0
            for size in range(4):
                share = factorial(size) * factorial(3 - size) / factorial(4)
                for A in combinations(others, size):
                    value += share * sum(expected(t, x, {*A, i}) - expected(t, x, set(A)) for t in trees)
            assert found.values.iloc[row, i] == pytest.approx(value, abs=1e-6)


def test_they_add_up_to_the_prediction_and_splits_to_those_of_the_trees(diabetes):
    X, y = diabetes
    model = boosted(depth=None).fit(X, y)
    shap = tree_shap(model, X[list(X)[::-1]].iloc[:40])  # columns are found by name
    assert np.allclose(shap.base + shap.values.sum(axis=1), model.predict(X.iloc[:40]), atol=1e-3)
    found = tree_importances(model)
    leaves = sum(t.get_n_leaf_nodes() for r in model._predictors for t in r)
    assert found["weight"].sum() == leaves - 100
    assert np.allclose(found["gain"] * found["weight"], found["total_gain"])
    assert np.allclose(found["cover"] * found["weight"], found["total_cover"])


def test_a_feature_that_is_never_cut_has_nothing():
    X = pd.DataFrame({"a": np.arange(50.0), "b": 1.0})
    model = boosted(5).fit(X, X["a"])
    assert tree_importances(model).loc["b"].eq(0).all()
    assert tree_shap(model, X).values["b"].eq(0).all()


def test_bad_input(diabetes):
    X, y = diabetes
    with pytest.raises(ValueError, match="model is a GradientBoostingRegressor.*give scikit-learn's Hist"):
        tree_importances(GradientBoostingRegressor(n_estimators=2).fit(X, y))
    with pytest.raises(ValueError, match="without .fit"):
        tree_shap(HistGradientBoostingRegressor(), X)
    model = boosted(2).fit(X, y)
    with pytest.raises(ValueError, match="X lacks 'bmi'"):
        tree_shap(model, X.drop(columns="bmi"))
    with pytest.raises(ValueError, match="X has 3 columns, the model was fitted on 10"):
        tree_shap(model, X.to_numpy()[:, :3])
    with pytest.raises(ValueError, match="loss='absolute_error'"):
        tree_importances(boosted(2, loss="absolute_error").fit(X, y))
    sexes = boosted(3, categorical_features=[1]).fit(X.assign(sex=X["sex"] - 1), y)
    with pytest.raises(ValueError, match="sets of categories"):
        tree_importances(sexes)
