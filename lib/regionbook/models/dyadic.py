"""Least squares and 2SLS for a panel of pairs, many columns at once, with errors that share a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from scipy import special

from ._pair_grid import PairGrid, Within, unit_codes
from ._within import Partialled
from .weak_instruments import EffectiveF, KleibergenPaap, effective_f_of, kleibergen_paap_of

Vcov = Literal["iid", "hetero", "pair", "two-way", "dyadic"]
KINDS: tuple[Vcov, ...] = ("iid", "hetero", "pair", "two-way", "dyadic")

_ABSORBED = 1e-12  # share of a regressor's sum of squares left by the effects, below which it is dropped
_COLLINEAR = 1e-9  # share of that left by the regressors before it
_BLOCK = 1024  # pairs worked on at a time, for the processor's cache


# ------------------------------------------------------------------------------------------------------------
# covariances from scores
# ------------------------------------------------------------------------------------------------------------


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


def _floor(v: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, bool]:
    """`v` with negative eigenvalues (after division by `scale`, so that units do not matter) set to zero."""
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
    matrix, floored = _floor(kappa * b @ (both - by_pair @ by_pair.T) @ b, scale)
    return DyadicCovariance(matrix, units, n, kappa, floored)


@dataclass(frozen=True)
class Meat:
    """Middle of a sandwich (k × k), what it is multiplied with, degrees of freedom of t, and that in words."""

    matrix: np.ndarray
    correction: float
    df: int
    text: str


def small_sample(groups: int, letter: str, n: int, left: int) -> tuple[float, str]:
    """G/(G−1)·(n−1)/(n−k) with n − k = `left`, and in words."""
    words = f"{letter}/({letter}−1)·(n−1)/(n−k)"
    if groups < 2 or left <= 0:
        return np.nan, f"{words} is not defined"
    factor = groups / (groups - 1) * (n - 1) / left
    return factor, f"{words} = {factor:.5f}, n−k = {left:,}"


def unit_counts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """In how many pairs each unit is, of those that are in any."""
    count = np.bincount(np.concatenate([first, second]))
    return count[count > 0]


def dyadic_sample(count: np.ndarray, n: int, left: int) -> tuple[float, str]:
    """P²/U·(n−1)/(n−k) from the number of pairs of each unit, and in words: see :func:`dyadic_cov`."""
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

    `swapped_part` are the sums over the rows in which the first column holds `high`, where this changes within pairs.
    `free` is n less the regressors and the effects that do not lie within pairs, `free_all` less all effects.
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


# ------------------------------------------------------------------------------------------------------------
# results
# ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DyadicFit:
    """One column of :func:`dyadic_panel`. Fits `rb.tables.regression_table` and `rb.compare`.

    Attributes
    ----------
    params : Series
    vcov : str
        Which covariance `std_errors`, `tstats`, `pvalues`, `table` use; ``using("dyadic")`` gives a copy with another.
    nobs, pairs, units, periods : int
        Of the rows used; units = 0 if only a pair id is known.
    r2 : float
        1 − SSR/SST about the overall mean, effects included: what most programs print.
    r2_within : float
        The same after the effects (also `rsquared`, for tables).
    dropped : dict
        Regressors left out, with the reason.
    singletons : int
        Rows left out because they stand alone in their pair or year.
    used : ndarray of bool
        Which rows of the data were used; None out of core.
    first_stage : DyadicFit or None
    """

    formula: str
    outcome: str
    effects: tuple[str, ...]
    params: pd.Series
    vcov: Vcov
    nobs: int
    pairs: int
    units: int
    periods: int
    r2: float
    r2_within: float
    dropped: dict[str, str]
    singletons: int
    bread: np.ndarray = field(repr=False)
    meats: Mapping[Vcov, Meat] = field(repr=False)
    used: np.ndarray | None = field(default=None, repr=False)
    first_stage: DyadicFit | None = field(default=None, repr=False)
    instruments: tuple[str, ...] = ()
    _partialled: Any = field(default=None, repr=False)

    def _meat(self, kind: Vcov | None) -> Meat:
        kind = kind or self.vcov
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not one of {', '.join(map(repr, KINDS))}")
        if kind not in self.meats:
            why = "the two unit columns: give units=(…, …)" if kind != "hetero" else "single rows"
            raise ValueError(f"errors {kind!r} need {why}")
        return self.meats[kind]

    def _cov(self, kind: Vcov | None, correction: bool) -> tuple[np.ndarray, bool]:
        meat = self._meat(kind)
        v = self.bread @ meat.matrix @ self.bread * (meat.correction if correction else 1.0)
        if not np.isfinite(v).all():
            return v, False
        return _floor(v, np.sqrt(np.diag(self.bread)))

    def cov(self, kind: Vcov | None = None, correction: bool = True) -> pd.DataFrame:
        """Covariance of the coefficients; `correction=False` leaves the small-sample factor out.

        "two-way" and "dyadic" subtract a matrix and may come out indefinite: negative eigenvalues are then set to
        zero, and `floored` and `notes` say so.
        """
        v, _ = self._cov(kind, correction)
        return pd.DataFrame(v, self.params.index, self.params.index)

    def se(self, kind: Vcov | None = None, correction: bool = True) -> pd.Series:
        """Standard errors: "iid", "hetero", "pair", "two-way" (by the two unit columns) or "dyadic"."""
        v, _ = self._cov(kind, correction)
        return pd.Series(np.sqrt(np.diag(v)), self.params.index, name="se")

    def floored(self, kind: Vcov | None = None) -> bool:
        """Whether a negative eigenvalue of the covariance was set to zero."""
        return self._cov(kind, True)[1]

    def correction(self, kind: Vcov | None = None) -> str:
        """The small-sample factor of a covariance, in words and as a number."""
        return self._meat(kind).text

    def using(self, kind: Vcov) -> DyadicFit:
        """The same column with other standard errors."""
        self._meat(kind)
        return replace(self, vcov=kind)

    @property
    def std_errors(self) -> pd.Series:
        return self.se().rename("std_error")

    @property
    def tstats(self) -> pd.Series:
        return (self.params / self.se()).rename("tstat")

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided, from t with the clusters (units) less one, or n − k, degrees of freedom."""
        t = self.tstats.abs()
        return pd.Series(2 * special.stdtr(self._meat(None).df, -t), t.index, name="pvalue")

    @property
    def rsquared(self) -> float:
        return self.r2_within

    @property
    def table(self) -> pd.DataFrame:
        """Estimate, standard error, t, p and the 95 % interval of each term."""
        se = self.se()
        half = special.stdtrit(self._meat(None).df, 0.975) * se
        return pd.DataFrame(
            {
                "estimate": self.params,
                "se": se,
                "t": self.params / se,
                "p": self.pvalues,
                "lower": self.params - half,
                "upper": self.params + half,
            }
        ).rename_axis("term")

    def tidy(self) -> pd.DataFrame:
        """`table` under the names of `pyfixest`."""
        names = ("Estimate", "Std. Error", "t value", "Pr(>|t|)", "2.5%", "97.5%")
        return self.table.set_axis(names, axis=1).rename_axis("Coefficient")

    def errors(self, kinds: Sequence[Vcov] = ("pair", "two-way", "dyadic")) -> pd.DataFrame:
        """Estimate, then standard error and t of each kind: how much a star depends on who may correlate."""
        parts = {("", "estimate"): self.params}
        for kind in kinds:
            se = self.se(kind)
            parts |= {(kind, "se"): se, (kind, "t"): self.params / se}
        return pd.DataFrame(parts).rename_axis("term")

    def wald(self, terms: Sequence[str], kind: Vcov | None = None) -> tuple[float, int, float]:
        """F of the hypothesis that all `terms` are zero, their number, and p."""
        absent = [term for term in terms if term not in self.params.index]
        if isinstance(terms, str) or absent or not len(terms):
            raise ValueError(f"terms must be a list of {list(self.params.index)}, got {terms!r}")
        b, v = self.params[list(terms)], self.cov(kind).loc[list(terms), list(terms)]
        f = float(b @ np.linalg.solve(v, b)) / len(terms)
        return f, len(terms), float(special.fdtrc(len(terms), self._meat(kind).df, f))

    def weak_instruments(self) -> tuple[KleibergenPaap, EffectiveF]:
        """Kleibergen–Paap statistics and effective F of a 2SLS column, clustered by pair.

        For dyadic errors take ``first_stage.wald([...], "dyadic")``; with one instrument it is the effective F.
        """
        if self._partialled is None:
            raise ValueError(
                f"{self.formula!r} has no instruments: write 'outcome ~ controls | effects | d ~ z'"
            )
        part, z = self._partialled
        return kleibergen_paap_of(part, z, "cluster"), effective_f_of(part, z, "cluster")

    @property
    def notes(self) -> list[str]:
        """What a reader of the numbers should know."""
        out = [f"{name} left out: {why}" for name, why in self.dropped.items()]
        if self.singletons:
            out.append(f"{self.singletons:,} rows left out: alone in their {' or '.join(self.effects)}")
        out += [
            f"{kind} covariance indefinite: negative eigenvalues set to zero"
            for kind in self.meats
            if self.floored(kind)
        ]
        return out

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        t = self.table
        return pd.DataFrame({"b": t["estimate"], "se": t["se"], "t": t["t"], "p": t["p"]}).rename_axis(
            "Coefficient"
        )

    @property
    def __maketables_depvar__(self) -> str:
        return self.outcome

    @property
    def __maketables_fixef_string__(self) -> str | None:
        return "+".join(self.effects)

    def _facts(self) -> dict[str, str]:
        units = f" of {self.units:,} units" if self.units else ""
        facts = {
            "formula": self.formula,
            "standard errors": f"{self.vcov}: {self.correction()}; t with {self._meat(None).df:,} degrees of freedom",
            "observations": f"{self.nobs:,}: {self.pairs:,} pairs{units}, {self.periods:,} periods",
            "R², within": f"{self.r2:.4f}, {self.r2_within:.4f}",
        }
        return facts | {f"note {i + 1}": text for i, text in enumerate(self.notes)}

    def __repr__(self) -> str:
        return "\n".join([self.table.round(4).to_string(), *(f"{k}: {v}" for k, v in self._facts().items())])

    def _repr_html_(self) -> str:
        facts = pd.DataFrame({"": self._facts()}).to_html(header=False)
        return f"{self.table.round(4).to_html()}{facts}"


# ------------------------------------------------------------------------------------------------------------
# formulas
# ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Columns:
    """Names in a formula: outcome, exogenous terms, effects; endogenous regressor and instruments or ""/()."""

    formula: str
    outcome: str
    exog: tuple[str, ...]
    effects: tuple[str, ...]
    endog: str = ""
    instruments: tuple[str, ...] = ()

    @property
    def terms(self) -> list[str]:
        names = [self.outcome, *([self.endog] if self.endog else []), *self.exog, *self.instruments]
        return list(dict.fromkeys(names))


def _terms(text: str, formula: str) -> tuple[str, ...]:
    out: list[str] = []
    for term in (part.strip() for part in text.split("+")):
        if term in ("0", "1", "-1") or not term:
            if term == "1":
                continue
            raise ValueError(
                f"formula {formula!r}: {term!r} is no regressor; the effects replace the constant"
            )
        if any(sign in term for sign in "()-^/"):
            raise ValueError(
                f"formula {formula!r}: {term!r}: only columns, products a:b and a*b are read; make the column "
                "beforehand"
            )
        if "*" in term:
            a, *more = (part.strip() for part in term.split("*"))
            if len(more) != 1:
                raise ValueError(f"formula {formula!r}: {term!r} has more than two factors; write them out")
            out += [a, more[0], f"{a}:{more[0]}"]
        else:
            out.append(":".join(part.strip() for part in term.split(":")))
    return tuple(dict.fromkeys(out))


def read_columns(formula: str, pair: str, time: str) -> Columns:
    """The names in "outcome ~ regressors | effects" or "outcome ~ regressors | effects | endogenous ~ instruments"."""
    if not isinstance(formula, str):
        raise TypeError(f"a formula is a string such as 'y ~ x | {pair} + {time}', got {formula!r}")
    parts = [part.strip() for part in formula.split("|")]
    if len(parts) not in (2, 3) or parts[0].count("~") != 1 or (len(parts) == 3 and parts[2].count("~") != 1):
        raise ValueError(
            f"formula {formula!r}: expected 'outcome ~ regressors | {pair} + {time}', for 2SLS with "
            "'| endogenous ~ instruments' behind"
        )
    outcome, right = (side.strip() for side in parts[0].split("~"))
    effects = tuple(part.strip() for part in parts[1].split("+"))
    if not set(effects) <= {pair, time} or len(set(effects)) < len(effects):
        raise ValueError(
            f"formula {formula!r}: the effects can be {pair!r}, {time!r} or both, not {parts[1]!r}"
        )
    endog = ""
    instruments: tuple[str, ...] = ()
    if len(parts) == 3:
        endog, z = (side.strip() for side in parts[2].split("~"))
        instruments = _terms(z, formula)
        if "+" in endog or not endog:
            raise ValueError(f"formula {formula!r}: one endogenous regressor is possible, got {endog!r}")
    exog = _terms(right, formula) if not (endog and right in ("", "1")) else ()
    twice = (
        {outcome} & {*exog, endog, *instruments}
        | ({endog} & {*exog, *instruments})
        | (set(exog) & set(instruments))
    )
    if twice:
        raise ValueError(f"formula {formula!r}: {sorted(twice)} stand in two places")
    if not exog and not endog:
        raise ValueError(f"formula {formula!r} has no regressor")
    return Columns(formula, outcome, exog, effects, endog, instruments)


# ------------------------------------------------------------------------------------------------------------
# estimation
# ------------------------------------------------------------------------------------------------------------


def independent(
    gram: np.ndarray, total: np.ndarray, names: Sequence[str], effects: Sequence[str]
) -> tuple[list[int], dict[str, str]]:
    """Which regressors to keep, one after the other, and why the others fall out.

    `gram` holds their products after the effects, `total` their sums of squares about the mean before.
    """
    keep: list[int] = []
    out: dict[str, str] = {}
    for j, name in enumerate(names):
        if gram[j, j] <= _ABSORBED * total[j]:
            what = " and ".join(f"{e} effects" for e in effects)
            out[name] = "constant" if total[j] == 0 else f"absorbed by the {what}"
            continue
        left = gram[j, j]
        if keep:
            block, cross = gram[np.ix_(keep, keep)], gram[keep, j]
            scale = np.sqrt(np.diag(block))
            cross = cross / scale
            left -= cross @ np.linalg.solve(block / np.outer(scale, scale), cross)
        if left <= _COLLINEAR * gram[j, j]:
            out[name] = f"collinear with {', '.join(names[i] for i in keep)}"
        else:
            keep.append(j)
    return keep, out


def inverse(gram: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix whose columns may have very different lengths."""
    scale = np.sqrt(np.diag(gram))
    return np.linalg.inv(gram / np.outer(scale, scale)) / np.outer(scale, scale)


@dataclass
class _Sample:
    """All that the columns with the same rows and effects share."""

    grid: PairGrid
    within: Within
    terms: list[str]
    effects: tuple[str, ...]

    def __post_init__(self) -> None:
        w = self.within
        v, (t, p) = len(self.terms), self.grid.shape
        raw = [self.grid.column(term) for term in self.terms]
        centre = [float(np.vdot(x, w.d)) / w.n for x in raw]  # the effects take it out; fewer digits are lost
        self.blocks = [slice(start, min(start + _BLOCK, p)) for start in range(0, p, _BLOCK)]
        self.z = [np.empty((v, t, here.stop - here.start)) for here in self.blocks]
        year_sums, means = np.zeros((v, t)), np.empty((v, p))
        self.total = np.zeros(v)
        for here, z in zip(self.blocks, self.z, strict=True):
            for i, x in enumerate(raw):
                np.subtract(x[:, here], centre[i], out=z[i])
            if not w.full:
                z *= w.d[:, here]
            year_sums += z.sum(axis=2)
            means[:, here] = z.sum(axis=1) * w.by_pair[here]
            self.total += np.einsum("vtp,vtp->v", z, z)
        self.total -= year_sums.sum(axis=1) ** 2 / w.n
        gamma, means = w.effects(year_sums, means)
        self.gram = np.zeros((v, v))
        for here, z in zip(self.blocks, self.z, strict=True):
            z -= gamma[:, :, None]
            z -= means[:, None, here]
            if not w.full:
                z *= w.d[:, here]
            flat = z.reshape(v, -1)
            self.gram += flat @ flat.T
        self.used = w.mask.ravel()[self.grid.at]

    def _pass(self, c: np.ndarray, residual: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, Any]:
        """SSR, Σ u u' over rows, scores by pair (k × P) and the swapped rows' part, with X = C'Z and e = r'Z."""
        k, p = c.shape[1], self.grid.shape[1]
        chosen = [int(np.flatnonzero(col)[0]) for col in c.T] if ((c != 0).sum(axis=0) == 1).all() else None
        needed = np.flatnonzero(residual)
        swap = self.grid.swapped
        by_pair = np.empty((k, p))
        part = np.empty((k, p)) if swap is not None and swap.ndim == 2 else None
        rows, ssr = np.zeros((k, k)), 0.0
        for here, z in zip(self.blocks, self.z, strict=True):
            e = residual[needed[0]] * z[needed[0]]
            for i in needed[1:]:
                e += residual[i] * z[i]
            x = z[chosen] if chosen is not None else np.tensordot(c.T, z, 1)
            x *= e
            by_pair[:, here] = x.sum(axis=1)
            if part is not None and swap is not None:
                part[:, here] = (x * swap[:, here]).sum(axis=1)
            u = x.reshape(k, -1)
            rows += u @ u.T
            ssr += float(np.vdot(e, e))
        return ssr, rows, by_pair, part

    def rows_of(self, names: Sequence[str]) -> np.ndarray:
        """n × V: variables after the effects, in the order of the pairs' blocks."""
        at = [self.terms.index(name) for name in names]
        parts = [z[at][:, self.within.mask[:, here]] for here, z in zip(self.blocks, self.z, strict=True)]
        return np.concatenate(parts, axis=1).T

    def fit(self, column: Columns, vcov: Vcov) -> DyadicFit:
        place = {term: i for i, term in enumerate(self.terms)}
        candidates = [*column.exog, *column.instruments]
        at = [place[name] for name in candidates]
        keep, dropped = independent(self.gram[np.ix_(at, at)], self.total[at], candidates, self.effects)
        kept = [candidates[i] for i in keep]
        if not column.endog:
            if not kept:
                why = "; ".join(f"{name}: {reason}" for name, reason in dropped.items())
                raise ValueError(f"formula {column.formula!r}: no regressor is left ({why})")
            return self._finish(column, column.outcome, kept, None, dropped, vcov)
        instruments = tuple(name for name in kept if name in column.instruments)
        if not instruments:
            why = "; ".join(f"{name}: {dropped[name]}" for name in column.instruments)
            raise ValueError(f"formula {column.formula!r}: no instrument is left ({why})")
        d = place[column.endog]
        if self.gram[d, d] <= _ABSORBED * self.total[d]:
            raise ValueError(
                f"formula {column.formula!r}: {column.endog!r} is absorbed by the {', '.join(self.effects)} effects"
            )
        first = self._finish(column, column.endog, kept, None, dropped, vcov)
        pi = np.zeros(len(self.terms))
        pi[[place[name] for name in kept]] = first.params[kept]
        exog = [name for name in kept if name in column.exog]
        fit = self._finish(column, column.outcome, [column.endog, *exog], pi, dropped, vcov)
        part = self._partialled(column.endog, exog, instruments)
        return replace(fit, first_stage=first, instruments=instruments, _partialled=part)

    def _partialled(
        self, endog: str, exog: list[str], instruments: tuple[str, ...]
    ) -> tuple[Partialled, Any]:
        """Endogenous regressor and instruments after everything else, as `weak_instruments` takes them."""
        place = {term: i for i, term in enumerate(self.terms)}
        columns = self.rows_of((endog, *instruments))
        if exog:
            x = self.rows_of(exog)
            at, of = [place[name] for name in exog], [place[name] for name in (endog, *instruments)]
            columns = columns - x @ np.linalg.solve(self.gram[np.ix_(at, at)], self.gram[np.ix_(at, of)])
        pairs = [np.nonzero(self.within.mask[:, here])[1] + here.start for here in self.blocks]
        cluster = pd.factorize(np.concatenate(pairs))[0]
        part = Partialled(
            columns, np.linalg.norm(columns, axis=0), self.within.beside_pairs + len(exog), cluster
        )
        return part, columns[:, 1:]

    def _finish(
        self,
        column: Columns,
        outcome: str,
        names: list[str],
        pi: np.ndarray | None,
        dropped: dict[str, str],
        vcov: Vcov,
    ) -> DyadicFit:
        place = {term: i for i, term in enumerate(self.terms)}
        at, y = [place[name] for name in names], place[outcome]
        k, n, w = len(names), self.within.n, self.within
        c = np.zeros((len(self.terms), k))
        c[at, range(k)] = 1.0
        if pi is not None:
            c[:, 0] = pi  # the endogenous regressor's fitted values
        xx = c.T @ self.gram @ c
        bread = inverse(xx)
        b = bread @ (c.T @ self.gram[y])
        residual = np.zeros(len(self.terms))
        residual[y] = 1.0
        residual[at] -= b
        free, free_all = n - k - w.beside_pairs, n - k - w.rank
        if free_all <= 0:
            raise ValueError(
                f"formula {column.formula!r}: {n} rows are too few for {k} regressors and {w.rank} effects"
            )
        ssr, rows, by_pair, part = self._pass(c, residual)
        factor = n / free_all
        words = f"n/(n−k) = {factor:.5f}, k with all effects"
        meats: dict[Vcov, Meat] = {
            "iid": Meat(ssr / n * xx, factor, free_all, words),
            "hetero": Meat(rows, factor, free_all, words),
        }
        used = w.used
        low, high, swap = self.grid.low, self.grid.high, self.grid.swapped
        if swap is not None and swap.ndim == 1:
            swap = swap[used]
        elif swap is not None:
            flips = np.count_nonzero(swap & w.mask, axis=0)[used]
            if ((flips == 0) | (flips == w.ti[used])).all():  # the order does not change in these rows
                swap, part = flips > 0, None
        clustered, units = clustered_meats(
            by_pair[:, used],
            None if low is None else low[used],
            None if high is None else high[used],
            swap,
            None if part is None else part[:, used],
            free,
            free_all,
            n,
        )
        return DyadicFit(
            formula=column.formula,
            outcome=outcome,
            effects=column.effects,
            params=pd.Series(b, names, name="parameter"),
            vcov=vcov,
            nobs=n,
            pairs=int(used.sum()),
            units=units,
            periods=int((w.nt > 0).sum()),
            r2=1 - ssr / self.total[y],
            r2_within=1 - ssr / float(self.gram[y, y]),
            dropped=dropped,
            singletons=w.singletons,
            bread=bread,
            meats=meats | clustered,
            used=self.used,
        )


@overload
def dyadic_panel(
    data: pd.DataFrame,
    formulas: str,
    *,
    units: Sequence[str] | None = ...,
    pair: str = ...,
    time: str = ...,
    vcov: Vcov = ...,
) -> DyadicFit: ...
@overload
def dyadic_panel(
    data: pd.DataFrame,
    formulas: Mapping[Any, str] | Sequence[str],
    *,
    units: Sequence[str] | None = ...,
    pair: str = ...,
    time: str = ...,
    vcov: Vcov = ...,
) -> dict[Any, DyadicFit]: ...
def dyadic_panel(
    data: pd.DataFrame,
    formulas: str | Mapping[Any, str] | Sequence[str],
    *,
    units: Sequence[str] | None = None,
    pair: str = "pair",
    time: str = "year",
    vcov: Vcov = "pair",
) -> DyadicFit | dict[Any, DyadicFit]:
    r"""Estimate one or many columns on a panel of pairs, with pair and time effects and five kinds of errors.

    .. math:: y_{pt} = x_{pt}'\beta + \lambda_p + \lambda_t + \varepsilon_{pt}

    by least squares, or 2SLS with one endogenous regressor. The effects are taken out exactly, also from an unbalanced
    panel, by solving one system of T − 1 equations a variable (no iteration); a variable is treated once for all
    columns that have the same rows. With u_pt = x̃_pt ε̂_pt and B = (X̃'X̃)⁻¹ the covariances are κ B M B:

    ========= ==================================== ============================================= ========
    vcov      M                                    κ                                             t with
    ========= ==================================== ============================================= ========
    "iid"     ε̂'ε̂/n X̃'X̃                            n/(n−k−all effects)                           the same
    "hetero"  Σ u u' over rows                     n/(n−k−all effects)                           the same
    "pair"    Σ S_p S_p' over G pairs              G/(G−1)·(n−1)/(n−k−a)                         G − 1
    "two-way" Σ A_c A_c' + Σ B_c B_c' − Σ S_o S_o' the same, G the fewer of units first, second  G − 1
    "dyadic"  Σ S_c S_c' − Σ S_p S_p'              P²/U·(n−1)/(n−k−a)                            C − 1
    ========= ==================================== ============================================= ========

    S_p, S_c: sums over the rows of pair p, of all pairs with unit c; A_c, B_c: with c in the first, second column;
    S_o: of an ordered pair. a = 1 + the year effects (pair effects lie within clusters and do not count; they do for
    "two-way" where the order of units changes within pairs), with year effects alone their number. P²/U: couples of
    pairs over those without a common unit, C(C−1)/((C−2)(C−3)) for all pairs of C units; why, says :func:`dyadic_cov`.
    "pair" and "two-way" are the defaults of `pyfixest`; `linearmodels` counts every pair effect unless told
    ``auto_df=False, count_effects=False, group_debias=True``.

    Parameters
    ----------
    data : DataFrame, one row a pair and time
        Columns or index levels.
    formulas : str, list or dict of str
        ``"Bal ~ net + net:firms + HSR | pair + year"``: columns and products ``a:b`` (``a*b`` adds both factors);
        effects: the pair, the time, or both. 2SLS as in `pyfixest`: ``"Bal ~ HSR | pair + year | net ~ iv"``.
        Rows with a missing value in a column of the formula are left out of that formula; so are rows alone in their
        pair or time (`singletons`), as `pyfixest` does.
    units : two columns
        Who makes up each pair, for "two-way" and "dyadic"; the order within a pair may change from row to row.
    pair, time : str
        Names in the formulas. Without a column `pair` the pairs are made from `units`.
    vcov : str
        The kind that tables show; the result has all of them.

    Returns
    -------
    DyadicFit, or dict of them
        With the keys of `formulas`, or "(1)", "(2)", … for a list. A regressor that the effects or regressors before it
        absorb is left out and named in `dropped`.

    Raises
    ------
    TypeError, ValueError
        Unknown or non-numeric columns, infinite values, a unit paired with itself, an unordered pair twice at one time,
        a pair id that stands for two pairs, formulas that cannot be read, no regressor or instrument left.

    References
    ----------
    Wansbeek and Kapteyn (1989), J. Econometrics 41, for the unbalanced two-way transformation; Cameron, Gelbach and
    Miller (2011), J. Business & Economic Statistics 29; Aronow, Samii and Assenova (2015), Political Analysis 23;
    Cameron and Miller (2014), "Robust inference for dyadic data", UC Davis.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b = np.triu_indices(20, 1)
    >>> rows = pd.MultiIndex.from_product([range(len(a)), range(2001, 2007)], names=["pair", "year"])
    >>> p, t = rows.get_level_values("pair").to_numpy(), rows.get_level_values("year").to_numpy() - 2001
    >>> panel = pd.DataFrame({"a": a[p], "b": b[p]}, rows)
    >>> for name in ("x", "e"):
    ...     city = rng.normal(size=(20, 6))
    ...     panel[name] = city[a[p], t] + city[b[p], t] + rng.normal(size=len(panel))
    >>> panel["y"] = 0.2 * panel["x"] + panel["e"]
    >>> fits = dyadic_panel(panel, ["y ~ x | year", "y ~ x | pair + year"], units=("a", "b"))
    >>> fits["(2)"].errors().round(3).iloc[0].to_list()
    [0.164, 0.037, 4.385, 0.073, 2.253, 0.097, 1.688]
    """
    single = isinstance(formulas, str)
    if isinstance(formulas, str):
        formulas = {"": formulas}
    elif not isinstance(formulas, Mapping):
        formulas = {f"({i + 1})": text for i, text in enumerate(formulas)}
    if not formulas:
        raise ValueError("formulas is empty")
    if vcov not in KINDS:
        raise ValueError(f"vcov={vcov!r} is not one of {', '.join(map(repr, KINDS))}")
    if vcov in ("two-way", "dyadic") and units is None:
        raise ValueError(f"vcov={vcov!r} needs the two unit columns: give units=(…, …)")
    columns = {key: read_columns(text, pair, time) for key, text in formulas.items()}
    grid = PairGrid(data, units, pair, time)

    rows = grid.rows()
    groups: dict[tuple[bytes, frozenset[str]], tuple[np.ndarray, list[Any]]] = {}
    for key, column in columns.items():
        seen = [s for s in map(grid.there, grid.factors(column.terms)) if s is not None]
        mask = np.logical_and.reduce(seen) if seen else rows
        if not mask.any():
            raise ValueError(f"formula {column.formula!r}: no row has all of its columns")
        groups.setdefault((mask.tobytes(), frozenset(column.effects)), (mask, []))[1].append(key)
    fits: dict[Any, DyadicFit] = {}
    for (_, effects), (mask, keys) in groups.items():
        terms = list(dict.fromkeys(term for key in keys for term in columns[key].terms))
        within = Within(mask, pairs=pair in effects, years=time in effects)
        if within.n == 0:
            raise ValueError(
                f"formula {columns[keys[0]].formula!r}: each row is alone in its {' or '.join(effects)}"
            )
        sample = _Sample(grid, within, terms, columns[keys[0]].effects)
        for key in keys:
            fits[key] = sample.fit(columns[key], vcov)
        grid.forget([term for term in terms if ":" in term])
    return fits[""] if single else {key: fits[key] for key in formulas}
