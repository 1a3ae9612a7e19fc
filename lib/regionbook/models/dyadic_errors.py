"""Covariances of a panel of pairs, from the scores of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ._pair_grid import unit_codes

Vcov = Literal["iid", "hetero", "pair", "two-way", "dyadic"]
KINDS: tuple[Vcov, ...] = ("iid", "hetero", "pair", "two-way", "dyadic")


def _sums(scores: np.ndarray, code: np.ndarray, size: int) -> np.ndarray:
    """k × `size`: columns of `scores` (k × m) added by code."""
    return np.stack([np.bincount(code, row, size) for row in scores])


def _unit_meats(
    scores: np.ndarray, first: np.ndarray, second: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Σ S_c S_c' over units as first and as second, added; and over units in either place. `scores` is k × m."""
    a, b = _sums(scores, first, size), _sums(scores, second, size)
    both = a + b
    return a @ a.T + b @ b.T, both @ both.T


def floor(v: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, bool]:
    """A covariance without negative eigenvalues.

    Parameters
    ----------
    v : ndarray, k × k
    scale : ndarray, k
        What `v` is divided by before, row and column, so that units do not matter.

    Returns
    -------
    ndarray, k × k
    bool
        Whether there were any.
    """
    v = (v + v.T) / 2
    values, vectors = np.linalg.eigh(v / np.outer(scale, scale))
    if values[0] >= -1e-12 * max(values[-1], -values[0]):
        return v, False
    return (vectors * np.maximum(values, 0)) @ vectors.T * np.outer(scale, scale), True


@dataclass(frozen=True)
class DyadicCovariance:
    """What :func:`dyadic_cov` returns.

    Attributes
    ----------
    matrix : ndarray, k × k
    se : ndarray, k
    units, nobs : int
    correction : float
        What M was multiplied with.
    floored : bool
        A negative eigenvalue was set to zero.
    """

    matrix: np.ndarray
    units: int
    nobs: int
    correction: float
    floored: bool

    @property
    def se(self) -> np.ndarray:
        """Roots of the diagonal of `matrix`."""
        return np.sqrt(np.diag(self.matrix))


def dyadic_cov(
    scores: Any, bread: Any, first: Any, second: Any, *, absorbed: int = 0, correction: bool = True
) -> DyadicCovariance:
    r"""Dyadic-robust covariance of any estimator that solves Σ s_n = 0, in time linear in the rows.

    Two rows may correlate if their pairs share a unit. With S_c the sum of the scores of all rows whose pair contains
    unit c, S_p that of the rows of the unordered pair p, and B the inverse of the scores' derivative (X'X)⁻¹:

    .. math:: V = \kappa\, B M B, \qquad M = \sum_c S_c S_c' - \sum_p S_p S_p'

    The first sum counts two rows with one common unit once and two rows of the same pair twice; hence the second.
    Two-way clustering on the two columns misses the rows where a unit is first in one and second in the other, and
    changes with who is called first; it agrees where no unit ever stands in both columns.

    Parameters
    ----------
    scores : n × k
        x_n e_n, with x after the fixed effects; or one column: x after everything else, times e.
    bread : k × k
        (X'X)⁻¹ of the same x.
    first, second : n labels each
        The units of each row's pair; the order within a pair is of no account.
    absorbed : int
        Fixed effects that count in κ beside the k regressors; those within pairs do not (as elsewhere with clusters).
    correction : bool
        κ = P²/U · (n−1)/(n−k−absorbed), see Notes; False: κ = 1, as in the formula of Aronow, Samii and Assenova and in
        R's `dyadRobust` and `dcr`.

    Returns
    -------
    DyadicCovariance
        V may be indefinite: negative eigenvalues are then set to zero, and `floored` says so.

    Raises
    ------
    ValueError
        Shapes that do not fit, missing values, a unit paired with itself; with `correction`, U = 0.

    Notes
    -----
    There is no agreed small-sample factor. P pairs make P² couples (each pair with itself, too), U of which have no
    common unit. For a mean over P pairs where each pair is related to equally many others, as on a complete grid,
    E[M] = (U/P²) · variance, whatever the shared covariances: residuals add up to zero, so that their products over
    related pairs are minus those over unrelated ones, and those are what estimating the mean has cost. So P²/U makes the
    variance of a mean unbiased; with all pairs of C units it is C(C−1)/((C−2)(C−3)), about 1 + 4/C. The same argument
    with one-way clusters of one size gives their G/(G−1). For a slope both are approximations; (n−1)/(n−k) is taken over
    from one-way clusters. Stata's `dyadclust` adds one-way parts, each with Stata's factor for one-way clusters, which
    comes to about (n−1)/(n−k). All these go to one with C. With few units no factor is enough, for the variance is
    itself noisy (:func:`dyadic_size`).

    References
    ----------
    Fafchamps and Gubert (2007), J. Development Economics 83; Aronow, Samii and Assenova (2015), Political Analysis 23;
    Cameron and Miller (2014), "Robust inference for dyadic data", UC Davis.

    Examples
    --------
    >>> import pyfixest as pf
    >>> rng = np.random.default_rng(0)
    >>> a, b = np.triu_indices(30, 1)
    >>> city = rng.normal(size=(2, 30))
    >>> x, e = city[:, a] + city[:, b] + rng.normal(size=(2, len(a)))
    >>> m = pf.feols("y ~ x", pd.DataFrame({"x": x, "y": 0.5 * x + e}))
    >>> z = x - x.mean()  # the regressor after the others: here, the constant
    >>> v = dyadic_cov(z * m.resid(), 1 / (z @ z), a, b, absorbed=1)
    >>> m.se()["x"].round(3), v.se.round(3)
    (np.float64(0.048), array([0.109]))
    """
    s, b = np.asarray(scores, dtype=float), np.asarray(bread, dtype=float)
    s = s[:, None] if s.ndim == 1 else s
    b = b.reshape(1, 1) if b.ndim == 0 else b
    n, k = s.shape
    one, two = np.asarray(first), np.asarray(second)
    if b.shape != (k, k) or one.shape != (n,) or two.shape != (n,):
        raise ValueError(
            f"scores are {n} × {k}: expected a {k} × {k} bread and {n} labels each in first and second, got "
            f"{' × '.join(map(str, b.shape))}, {one.shape} and {two.shape}"
        )
    if not (np.isfinite(s).all() and np.isfinite(b).all()):
        raise ValueError(
            "scores and bread must be finite numbers; leave out the rows that the model left out"
        )
    one, two, labels = unit_codes(one, two, ("first", "second"), pd.RangeIndex(n))
    size = len(labels)
    key = np.minimum(one, two).astype(np.int64) * size + np.maximum(one, two)
    p, pairs = pd.factorize(key)
    by_pair = _sums(s.T, p, len(pairs))
    both = _unit_meats(by_pair, pairs // size, pairs % size, size)[1]
    units = len(np.unique(np.concatenate([one, two])))
    if correction and n - k - absorbed <= 0:
        raise ValueError(f"{n} rows are too few for {k} regressors and {absorbed} effects")
    kappa = 1.0
    if correction:
        kappa, _ = dyadic_sample(unit_counts(pairs // size, pairs % size), n, n - k - absorbed)
        if np.isnan(kappa):
            raise ValueError(
                "every two pairs share a unit: their scores add up to zero and say nothing of a variance"
            )
    scale = np.sqrt(np.abs(np.diag(b)))
    matrix, floored = floor(kappa * b @ (both - by_pair @ by_pair.T) @ b, scale)
    return DyadicCovariance(matrix, units, n, kappa, floored)


@dataclass(frozen=True)
class Meat:
    """Middle of a sandwich.

    Attributes
    ----------
    matrix : ndarray, k × k
    correction : float
        What it is multiplied with.
    df : int
        Degrees of freedom of t.
    text : str
        The correction in words.
    """

    matrix: np.ndarray
    correction: float
    df: int
    text: str


def small_sample(groups: int, letter: str, n: int, left: int) -> tuple[float, str]:
    """Small-sample factor G/(G−1)·(n−1)/(n−k) of clustered errors (as Stata's), and in words.

    Parameters
    ----------
    groups, n, left : int
        G, n and n − k.
    letter : str
        What stands for G in words.

    Returns
    -------
    float, str
        NaN where it is not defined.
    """
    words = f"{letter}/({letter}−1)·(n−1)/(n−k)"
    if groups < 2 or left <= 0:
        return np.nan, f"{words} is not defined"
    factor = groups / (groups - 1) * (n - 1) / left
    return factor, f"{words} = {factor:.5f}, n−k = {left:,}"


def unit_counts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """In how many pairs each unit is, of those that are in any.

    Parameters
    ----------
    first, second : ndarray of int, P
        Codes of both units of each pair.

    Returns
    -------
    ndarray of int, C
    """
    count = np.bincount(np.concatenate([first, second]))
    return count[count > 0]


def dyadic_sample(count: np.ndarray, n: int, left: int) -> tuple[float, str]:
    """Small-sample factor P²/U·(n−1)/(n−k) of dyadic errors, and in words: see :func:`dyadic_cov`.

    Parameters
    ----------
    count : ndarray of int, C
        Pairs of each unit.
    n, left : int
        n and n − k.

    Returns
    -------
    float, str
        NaN where it is not defined.
    """
    pairs = int(count.sum()) // 2
    unrelated = pairs**2 - (int((count.astype(np.int64) ** 2).sum()) - pairs)
    words, units = "P²/U·(n−1)/(n−k)", f"C = {len(count):,} units"
    if unrelated <= 0 or left <= 0:
        return np.nan, f"{words} is not defined, {units}"
    factor = pairs**2 / unrelated * (n - 1) / left
    return factor, (
        f"{words} = {factor:.5f}, n−k = {left:,}, P = {pairs:,} pairs, U = {unrelated:,} couples of pairs without a "
        f"common unit, {units}"
    )


def clustered_meats(
    by_pair: np.ndarray,
    low: np.ndarray | None,
    high: np.ndarray | None,
    swapped: np.ndarray | None,
    swapped_part: np.ndarray | None,
    free: int,
    free_all: int,
    n: int,
) -> tuple[dict[Vcov, Meat], int]:
    """Meats "pair", "two-way" and "dyadic" from the scores summed by pair (k × P), and the number of units.

    Parameters
    ----------
    by_pair : ndarray, k × P
    low, high : ndarray of int, P
        Codes of both units, the lower one first; None where only a pair id is known.
    swapped : ndarray of bool, P
        Pairs whose first column holds `high`.
    swapped_part : ndarray, k × P
        Where this changes within pairs: the sums over the rows in which the first column holds `high`.
    free, free_all, n : int
        n less the regressors and the effects that do not lie within pairs; less all effects; n.

    Returns
    -------
    dict of Meat
    int
        Units; 0 where they are not known.
    """
    pairs = by_pair.shape[1]
    inner = by_pair @ by_pair.T

    factor, words = small_sample(pairs, "G", n, free)
    out: dict[Vcov, Meat] = {"pair": Meat(inner, factor, pairs - 1, f"{words}, G = {pairs:,} pairs")}
    if low is None or high is None or swapped is None:
        return out, 0
    if swapped_part is None:
        first, second = np.where(swapped, high, low), np.where(swapped, low, high)
        ordered = by_pair
    else:  # each pair in both orders
        ordered = np.concatenate([by_pair - swapped_part, swapped_part], axis=1)
        first, second = np.concatenate([low, high]), np.concatenate([high, low])
        there = ordered.any(axis=0)
        ordered, first, second = ordered[:, there], first[there], second[there]
    size = int(max(low.max(), high.max())) + 1
    apart, both = _unit_meats(ordered, first, second, size)
    in_first, in_second = (np.bincount(code, minlength=size) > 0 for code in (first, second))
    least = int(min(in_first.sum(), in_second.sum()))
    factor, words = small_sample(least, "G", n, free if swapped_part is None else free_all)
    out["two-way"] = Meat(
        apart - ordered @ ordered.T, factor, least - 1, f"{words}, G = {least:,}, the smaller of the two"
    )
    units = int((in_first | in_second).sum())
    factor, words = dyadic_sample(unit_counts(low, high), n, free)
    out["dyadic"] = Meat(both - inner, factor, units - 1, words)
    return out, units
