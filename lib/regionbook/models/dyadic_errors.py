"""Dyadic-robust covariance of any estimator, and how often tests reject a true hypothesis when pairs share units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..shown import Part, Shown
from ._pair_meats import clustered_meats, floor
from ._pair_rows import unit_codes


@dataclass(frozen=True, repr=False)
class DyadicCovariance(Shown):
    """What :func:`dyadic_cov` returns.

    Attributes
    ----------
    matrix : ndarray, k × k
    se : ndarray, k
    units, nobs : int
    correction : float; what M was multiplied with
    floored : bool; a negative eigenvalue was set to zero
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

    def _shown(self) -> list[Part]:
        floor = "; a negative eigenvalue was set to zero" if self.floored else ""
        size = f"{self.nobs:,} of pairs among {self.units:,} units{floor}"
        return [{"standard errors": ", ".join(f"{v:.4g}" for v in self.se), "observations": size}]


def dyadic_cov(
    scores: Any, bread: Any, first: Any, second: Any, *, absorbed: int = 0, correction: bool = True
) -> DyadicCovariance:
    r"""Dyadic-robust covariance of any estimator that solves Σ s_n = 0, in time linear in the rows.

    Two rows may correlate if their pairs share a unit. With S_c the sum of the scores of all rows whose pair contains
    unit c, S_p that of the rows of the unordered pair p, and B the inverse of the scores' derivative (X'X)⁻¹:

    .. math:: V = \kappa\, B M B, \qquad M = \sum_c S_c S_c' - \sum_p S_p S_p'

    Two-way clustering on the two columns misses the rows where a unit is first in one and second in the other; it
    agrees where no unit ever stands in both columns.

    Parameters
    ----------
    scores : n × k; x_n e_n, with x after the fixed effects; or one column: x after everything else, times e
    bread : k × k; (X'X)⁻¹ of the same x
    first, second : n labels each; the units of each row's pair; the order within a pair is of no account
    absorbed : int; fixed effects that count in κ beside the k regressors; those within pairs do not
    correction : bool; κ = P²/U · (n−1)/(n−k−absorbed); else 1, as in R's `dyadRobust` and `dcr`

    Returns
    -------
    DyadicCovariance; V may be indefinite: negative eigenvalues are then set to zero, and `floored` says so

    Raises
    ------
    ValueError: shapes that do not fit, missing values, a unit paired with itself; with `correction`, U = 0

    Notes
    -----
    There is no agreed small-sample factor. P pairs make P² couples (each pair with itself, too), U of which have no
    common unit. For a mean over P pairs each related to equally many others, E[M] = (U/P²) · variance, so that P²/U makes
    it unbiased, as G/(G−1) does with one-way clusters; with all pairs of C units it is C(C−1)/((C−2)(C−3)). For a slope
    it is an approximation, and with few units no factor is enough (:func:`dyadic_size`).

    References
    ----------
    Fafchamps and Gubert (2007), J. Development Economics 83; Aronow, Samii and Assenova (2015), Political Analysis 23;
    Cameron and Miller (2014), "Robust inference for dyadic data", UC Davis.
    """
    rows = [v.index for v in (scores, first, second) if isinstance(v, (pd.Series, pd.DataFrame))]
    if any(not index.equals(rows[0]) for index in rows):
        raise ValueError("scores, first and second have different indices; align them first")
    if isinstance(scores, pd.DataFrame) and isinstance(bread, pd.DataFrame):
        bread = bread.loc[scores.columns, scores.columns]
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
        raise ValueError("scores and bread must be finite; leave out the rows that the model left out")
    one, two = unit_codes(one, two, ("first", "second"), pd.RangeIndex(n))
    if correction and n - k - absorbed <= 0:
        raise ValueError(f"{n} rows are too few for {k} regressors and {absorbed} effects")
    free = n - k - absorbed
    meats, units = clustered_meats(s.T, one, two, free, free, n)
    meat, kappa = meats["dyadic"].matrix, meats["dyadic"].correction if correction else 1.0
    if np.isnan(kappa):
        raise ValueError("every two pairs share a unit: their scores add to 0, whatever the variance")
    matrix, floored = floor(kappa * b @ meat @ b, np.sqrt(np.abs(np.diag(b))))
    return DyadicCovariance(matrix, units, n, kappa, floored)


def _draws(
    units: int, years: int, draws: int, shared: float, persistence: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Units of each pair (P each); regressor and error (draws × years × P each)."""
    first, second = np.triu_indices(units, 1)

    def variable() -> np.ndarray:
        city = rng.standard_normal((draws, years, units))
        for t in range(1, years):
            city[:, t] = persistence * city[:, t - 1] + np.sqrt(1 - persistence**2) * city[:, t]
        own = rng.standard_normal((draws, years, len(first)))
        return np.sqrt(shared / 2) * (city[..., first] + city[..., second]) + np.sqrt(1 - shared) * own

    return first, second, variable(), variable()


def _two_ways_out(v: np.ndarray) -> np.ndarray:
    by_pair, by_year, overall = (v.mean(axis=axis, keepdims=True) for axis in (1, 2, (1, 2)))
    return v - by_pair - by_year + overall


def dyadic_size(
    units: int = 20,
    *,
    years: int = 10,
    draws: int = 400,
    shared: float = 0.5,
    persistence: float = 0.5,
    seed: int,
) -> pd.DataFrame:
    r"""How often a true β = 0 is rejected, by kind of standard error, when pairs share units.

    All pairs of `units` × `years`, pair and year effects swept out, t tests as in :func:`dyadic_panel`. Regressor and
    error of the pair {a, b} are both, with independent η and c (of a unit, AR(1) with `persistence`), s = `shared`,

    .. math:: \sqrt{s/2}\,(c_{at} + c_{bt}) + \sqrt{1-s}\,\eta_{abt}

    Parameters
    ----------
    units, years, draws : int
    shared, persistence : float
    seed : int

    Returns
    -------
    DataFrame; by kind: share `rejected` at 5 %; `se_over_sd`, mean standard error over that of the estimates

    Raises
    ------
    ValueError: fewer than 4 units, 2 years or 2 draws; shares outside [0, 1]

    References
    ----------
    Aronow, Samii and Assenova (2015), Political Analysis 23, section 4, for such a study.
    """
    if units < 4 or years < 2 or draws < 2:
        raise ValueError(f"units={units}, years={years}, draws={draws}: at least 4, 2 and 2 are needed")
    if not (0 <= shared <= 1 and 0 <= persistence < 1):
        raise ValueError("shared must lie in [0, 1], persistence in [0, 1)")
    rng = np.random.default_rng(seed)
    pairs = units * (units - 1) // 2
    n = pairs * years
    at_once = max(1, min(draws, 2_000_000 // n))
    b_all, v_all = [], []
    for start in range(0, draws, at_once):
        first, second, *both = _draws(units, years, min(at_once, draws - start), shared, persistence, rng)
        x, y = map(_two_ways_out, both)
        xx = np.einsum("rtp,rtp->r", x, x)
        b = np.einsum("rtp,rtp->r", x, y) / xx
        scores = np.einsum("rtp,rtp->rp", x, y - b[:, None, None] * x)
        a_sums, b_sums = (scores @ np.eye(units)[code] for code in (first, second))
        inner, apart = (scores**2).sum(axis=1), (a_sums**2).sum(axis=1) + (b_sums**2).sum(axis=1)
        both = ((a_sums + b_sums) ** 2).sum(axis=1)
        m = {"pair": inner, "two-way": apart - inner, "dyadic": both - inner}
        b_all.append(b)
        v_all.append(np.stack(list(m.values())) / xx**2)
    estimates, raw = np.concatenate(b_all), np.concatenate(v_all, axis=1)
    groups = np.array([pairs, units - 1, units])
    few = groups / (groups - 1)
    few[2] = units * (units - 1) / ((units - 2) * (units - 3))
    factor = few * (n - 1) / (n - 1 - years)
    se = np.sqrt(np.maximum(raw * factor[:, None], 0))
    rejected = (np.abs(estimates) >= special.stdtrit(groups - 1, 0.975)[:, None] * se).mean(axis=1)
    ratio = se.mean(axis=1) / estimates.std(ddof=1)
    return pd.DataFrame({"rejected": rejected, "se_over_sd": ratio}, index=pd.Index(list(m), name="vcov"))
