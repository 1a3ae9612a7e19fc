"""Principal-component index (主成分分析)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ..shown import Part, Shown
from ._checks import numbers, one_of, signs


@dataclass(frozen=True, repr=False)
class PCAIndex(Shown):
    """What :func:`pca_index` returns; components are named PC1, PC2, …

    Attributes
    ----------
    score : Series; Σ_k s_k PC_k, s_k = λ_k / Σ λ, over the kept components; mean zero, no bounds
    components : DataFrame, rows × all components
    eigenvalues, explained : Series; of the correlation matrix, and their share of the number of indicators
    vectors, loadings : DataFrame, indicators × components; unit eigenvectors a, and correlations a √λ
    kept : int; number of components in the score
    weights : Series; Σ_k s_k a_jk: what one standard deviation adds to the score; may be negative
    """

    score: pd.Series
    components: pd.DataFrame
    eigenvalues: pd.Series
    explained: pd.Series
    vectors: pd.DataFrame
    loadings: pd.DataFrame
    kept: int
    weights: pd.Series

    def _shown(self) -> list[Part]:
        table = self.loadings.iloc[:, : self.kept].assign(weight=self.weights)
        head = pd.DataFrame({"eigenvalue": self.eigenvalues, "explained": self.explained})
        head["cumulative"] = self.explained.cumsum()
        return [table.round(4), head.round(4)]


def pca_index(
    raw: pd.DataFrame,
    directions: int | Mapping[str, int] = 1,
    *,
    components: str | float = "eigenvalue>1",
    sign: Literal["mean", "largest"] = "mean",
) -> PCAIndex:
    r"""Composite of the leading principal components of the standardised indicators.

    With z standardised (sample standard deviation), R = z'z/(n − 1) = A Λ A',

    .. math:: PC_k = z a_k, \qquad S_i = \sum_{k \le K} \frac{\lambda_k}{\sum_{l \le K}\lambda_l} PC_{ik}

    Parameters
    ----------
    raw : DataFrame, rows × indicators
    directions : +1, -1 or mapping; -1 reverses an indicator before the analysis
    components : "eigenvalue>1" (Kaiser's rule), a number, or the share of variance to explain (0 to 1)
    sign : "mean" or "largest"; positive is the correlation with the indicators' mean, or the largest loading

    Returns
    -------
    PCAIndex

    Raises
    ------
    TypeError, ValueError: columns not of finite numbers, constant, too few; rows too few; odd `components`

    References
    ----------
    Jolliffe (2002), *Principal Component Analysis*, ch. 2–3; Kaiser (1960) for the rule.

    Examples
    --------
    >>> raw = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 4, 6, 9], "c": [1.0, 0, 1, 0]})
    >>> index = pca_index(raw)
    >>> index.explained.round(3).to_dict()
    {'PC1': 0.774, 'PC2': 0.224, 'PC3': 0.002}
    >>> index.kept
    1
    """
    x = numbers(raw, "raw")
    n, k = x.shape
    if n < 3 or k < 2:
        raise ValueError(f"principal components need at least 3 rows and 2 indicators, got {n} and {k}")
    one_of(("mean", "largest"), sign=sign)
    x = x * signs(directions, x.columns)
    flat = x.columns[x.max() == x.min()]
    if len(flat):
        raise ValueError(f"indicator {flat[0]!r} is constant and cannot be standardised; drop it")
    z = ((x - x.mean()) / x.std(ddof=1)).to_numpy()
    correlation = z.T @ z / (n - 1)
    values, vectors = np.linalg.eigh(correlation)
    values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]

    if isinstance(components, str):
        if components != "eigenvalue>1":
            raise ValueError(f"components={components!r}: expected 'eigenvalue>1', a number or a share")
        kept = max(1, int((values > 1).sum()))
    elif isinstance(components, (int, np.integer)) and not isinstance(components, bool):
        kept = int(components)
        if not 1 <= kept <= k:
            raise ValueError(f"components={components} must lie between 1 and the number of indicators, {k}")
    elif isinstance(components, float) and 0 < components < 1:
        kept = int(np.searchsorted(np.cumsum(values) / k, components - 1e-12) + 1)
    else:
        raise ValueError(f"components={components!r}: a share is a float between 0 and 1, a number an int")

    if sign == "mean":
        # cov(z a, mean of z) is proportional to the column sums of R A = Λ A, hence to those of A
        flip = vectors.sum(axis=0)
    else:
        flip = vectors[np.abs(vectors).argmax(axis=0), np.arange(k)]
    vectors = vectors * np.where(flip < 0, -1, 1)
    share = values[:kept] / values[:kept].sum()
    names = [f"PC{i + 1}" for i in range(k)]
    scores = z @ vectors
    return PCAIndex(
        score=pd.Series(scores[:, :kept] @ share, index=x.index, name="score"),
        components=pd.DataFrame(scores, index=x.index, columns=names),
        eigenvalues=pd.Series(values, index=names, name="eigenvalue"),
        explained=pd.Series(values / k, index=names, name="explained"),
        vectors=pd.DataFrame(vectors, index=x.columns, columns=names),
        loadings=pd.DataFrame(vectors * np.sqrt(values), index=x.columns, columns=names),
        kept=kept,
        weights=pd.Series(vectors[:, :kept] @ share, index=x.columns, name="weight"),
    )
