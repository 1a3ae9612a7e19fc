"""What boosted trees (提升树) say of their features: five importances, and exact Shapley values (SHAP值) of each prediction."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..index._checks import numbers

Array = npt.NDArray[np.float64]
TYPES = ["weight", "gain", "cover", "total_gain", "total_cover"]


def _trees(model: Any) -> list[npt.NDArray[Any]]:
    """Nodes of each tree of a fitted `HistGradientBoostingRegressor`."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rounds = getattr(model, "_predictors", None)
    if rounds is None or not isinstance(model, HistGradientBoostingRegressor):
        found = f"{type(model).__name__}{' without .fit' if rounds is None else ''}"
        raise ValueError(f"model is a {found}: give scikit-learn's HistGradientBoostingRegressor, fitted")
    trees = [tree.nodes for found in rounds for tree in found]
    if any(nodes["is_categorical"].any() for nodes in trees):
        raise ValueError("a tree splits by sets of categories: fit with categorical_features=None")
    return trees


def _names(model: Any) -> list[str]:
    given = getattr(model, "feature_names_in_", None)
    return [f"x{j}" for j in range(model.n_features_in_)] if given is None else list(given)


def tree_importances(model: Any) -> pd.DataFrame:
    r"""Five importances of the features of boosted trees, as XGBoost's ``get_score`` defines and names them.

    Over the set :math:`S_j` of all splits on feature j: weight :math:`|S_j|`, total_gain :math:`\sum_{S_j} \Delta_s`,
    total_cover :math:`\sum_{S_j} n_s`, gain and cover their means, with

    .. math:: \Delta_s = \frac{G_L^2}{n_L + \lambda} + \frac{G_R^2}{n_R + \lambda} - \frac{G^2}{n + \lambda}

    of the sums G of residuals and the n rows of a node and of its two children.

    Parameters
    ----------
    model : HistGradientBoostingRegressor
        Fitted, with squared error; λ is its ``l2_regularization``. Squared error makes XGBoost's hessian the row count.

    Returns
    -------
    DataFrame, features × five; a feature without a split has nought in each

    Raises
    ------
    ValueError: a model that is another, not fitted, has another loss, or splits by sets of categories

    References
    ----------
    Chen, T. and Guestrin, C. (2016). XGBoost: a scalable tree boosting system. KDD 2016, equation 7.
    """
    trees = _trees(model)
    if model.loss != "squared_error":
        raise ValueError(f"covers are rows with loss='squared_error' only; the model has loss={model.loss!r}")
    splits = np.concatenate([nodes[nodes["is_leaf"] == 0] for nodes in trees])
    found = pd.DataFrame({k: splits[v] for k, v in {"total_gain": "gain", "total_cover": "count"}.items()})
    by = found.astype(float).groupby(splits["feature_idx"].astype(int))
    total = by.sum().assign(weight=by.size()).reindex(range(model.n_features_in_), fill_value=0.0)
    mean = total[["total_gain", "total_cover"]].div(total["weight"].clip(lower=1), axis=0)
    return total.join(mean.set_axis(["gain", "cover"], axis=1)).set_axis(_names(model))[TYPES]


@dataclass(frozen=True)
class TreeShap:
    """What :func:`tree_shap` returns.

    Attributes
    ----------
    values : DataFrame, rows of X × features; φ, in units of the outcome
    base : float; mean prediction by the trees' row counts; ``base + values.sum(axis=1)`` is the prediction
    """

    values: pd.DataFrame
    base: float


def tree_shap(model: Any, X: pd.DataFrame | Array) -> TreeShap:
    r"""Exact Shapley values of the predictions of boosted trees, with path-dependent expectations.

    The game of a row x is :math:`v(A)`, the prediction when features outside of A are unknown: at a split on one of them
    both branches count, by their share of the training rows. A leaf of value w is reached with
    :math:`\prod_{j \in A} p_j \prod_{j \notin A} q_j`, where p_j (0 or 1) says whether x passes all splits on j above the
    leaf and q_j is the product of the shares. The value of such a product is Owen's integral, a polynomial in t for which
    Gauss–Legendre nodes are exact:

    .. math:: \phi_i = \sum_{\text{leaves}} w (p_i - q_i) \int_0^1 \prod_{j \ne i} (t p_j + (1 - t) q_j)\, dt.

    Parameters
    ----------
    model : HistGradientBoostingRegressor; fitted; missing values go where the tree sends them
    X : DataFrame or array, rows × features; in the order of the fit (a frame: any order, and more)

    Returns
    -------
    TreeShap

    Raises
    ------
    ValueError: as `tree_importances` (any loss will do), or `X` lacks a feature

    References
    ----------
    Lundberg, S. et al. (2020). From local explanations to global understanding with explainable AI for trees. Nature
    Machine Intelligence 2, 56-67. Owen, G. (1972). Multilinear extensions of games. Management Science 18(5), 64-79.
    """
    trees, names = _trees(model), _names(model)
    if isinstance(X, pd.DataFrame):
        lacking = [k for k in names if k not in X]
        if lacking:
            raise ValueError(f"X lacks {', '.join(map(repr, lacking))}, on which the model was fitted")
        X = X[names]
    frame = pd.DataFrame(X)
    numbers(frame.fillna(0), "X")  # text and infinite values are refused; missing ones have their branch
    x = frame.to_numpy(float)
    if x.shape[1] != len(names):
        raise ValueError(f"X has {x.shape[1]} columns, the model was fitted on {len(names)}")
    phi, base = np.zeros_like(x), float(np.ravel(model._baseline_prediction)[0])
    for nodes in trees:
        ends = nodes[nodes["is_leaf"] == 1]
        base += float(ends["value"] @ ends["count"]) / nodes["count"][0]
        right = [_right(x[:, nodes["feature_idx"][k]], nodes[k]) for k in range(len(nodes))]
        for leaf, path in _paths(nodes):
            features = sorted({int(nodes["feature_idx"][k]) for k, _, _ in path})
            passed, q = np.ones((len(x), len(features)), bool), np.ones(len(features))
            for k, goes_right, share in path:
                j = features.index(int(nodes["feature_idx"][k]))
                passed[:, j] &= right[k] == goes_right
                q[j] *= share
            code, kind = np.unique(passed @ 2 ** np.arange(len(features)), return_inverse=True)
            p = (code[:, None] >> np.arange(len(features))) & 1  # rows that pass alike have the same values
            phi[:, features] += (nodes["value"][leaf] * _product_game(p.astype(float), q))[kind]
    return TreeShap(pd.DataFrame(phi, frame.index, names), base)


_nodes = cache(np.polynomial.legendre.leggauss)


def _product_game(p: Array, q: Array) -> Array:
    """Shapley values (rows × players) of the game in which A has the product of p (rows × players) in A and of q outside."""
    t, weight = _nodes((len(q) + 1) // 2)
    factors = p[..., None] * (1 + t) / 2 + q[:, None] * (1 - t) / 2
    ones = np.ones_like(factors[:, :1])
    before = np.cumprod(np.concatenate([ones, factors[:, :-1]], 1), 1)
    after = np.cumprod(np.concatenate([ones, factors[:, :0:-1]], 1), 1)[:, ::-1]
    return (p - q) * (before * after @ (weight / 2))


def _right(x: Array, node: Any) -> npt.NDArray[np.bool_]:
    """Which rows a split sends to the right."""
    return np.where(np.isnan(x), not node["missing_go_to_left"], x > node["num_threshold"])


def _paths(nodes: npt.NDArray[Any]) -> Iterator[tuple[int, list[tuple[int, bool, float]]]]:
    """Each leaf of a tree that is more than a root, with (split, whether to the right, share of its rows) above it."""
    stack: list[tuple[int, list[tuple[int, bool, float]]]] = [(0, [])]
    while stack:
        k, path = stack.pop()
        if nodes["is_leaf"][k]:
            if path:
                yield k, path
            continue
        for side in ("left", "right"):
            child = int(nodes[side][k])
            stack.append((child, [*path, (k, side == "right", nodes["count"][child] / nodes["count"][k])]))
