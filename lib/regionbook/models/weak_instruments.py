"""Weak-instrument statistics for one endogenous regressor, robust to heteroskedasticity and clusters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import linalg, sparse, special

from ..index._checks import numbers, one_of
from ..shown import Part, Shown
from ._within import (
    Sweep,
    between_0_and_1,
    clusters_of,
    codes,
    flat,
    known,
    orthonormal,
    rank_outside,
)

Cov = Literal["iid", "robust", "cluster"]
Names = Sequence[str]

STOCK_YOGO = pd.DataFrame(
    {
        0.10: [16.38, 19.93, 22.30, 24.58, 26.87],
        0.15: [8.96, 11.59, 12.83, 13.96, 15.09],
        0.20: [6.66, 8.75, 9.54, 10.26, 10.98],
        0.25: [5.53, 7.25, 7.80, 8.31, 8.84],
    },
    index=pd.RangeIndex(1, 6, name="instruments"),
).rename_axis(columns="maximal size of a 5% test")
"""Critical values of the first-stage F, 2SLS, one endogenous regressor, homoskedastic (Stock and Yogo 2005, Table 5.2)."""


class _Partialled:
    """Columns and instruments z (N × L) after exogenous variables and effects; A, and the codes of the G clusters.

    `correction` multiplies a covariance: N/(N−L−A), or clustered G/(G−1)·(N−1)/(N−L−A).
    """

    def __init__(
        self,
        data: pd.DataFrame,
        columns: list[str],
        instruments: Names,
        exog: Names,
        absorb: Names,
        cov: Cov,
        clusters: str | None,
    ) -> None:
        one_of(("iid", "robust", "cluster"), cov=cov)
        if (cov == "cluster") != (clusters is not None):
            raise ValueError("cov='cluster' and clusters=… belong together: give both or neither")
        frame = flat(data)
        named = {"outcome and endog": columns, "instruments": instruments, "exog": exog, "absorb": absorb}
        columns, instruments, exog, absorb = (known(frame, some, what) for what, some in named.items())
        if not instruments:
            raise ValueError("instruments is empty; at least one is needed")
        names = columns + instruments + exog
        if len(set(names)) < len(names):
            raise ValueError(f"a name is used twice among endog, instruments and exog: {names}")
        values = numbers(frame[names], "data").to_numpy()
        effects = [codes(frame, name, "absorb") for name in absorb]
        group = None if clusters is None else clusters_of(frame, clusters, "clusters")
        n, size, swept = len(frame), len(instruments), Sweep(effects, len(frame))
        if n - swept.rank - len(names) + 1 <= 0:
            raise ValueError(f"{n} rows are too few for {len(names) - 1} regressors and {swept.rank} effects")
        if group is not None and group.max() < size:
            raise ValueError(f"{group.max() + 1} clusters cannot give a covariance of {size} instruments")
        residuals, norms = swept(values), np.linalg.norm(values, axis=0)
        first, k = len(columns), len(columns) + size
        q = orthonormal(residuals[:, k:], norms[k:], exog)
        out = residuals[:, :k] - q @ (q.T @ residuals[:, :k])
        orthonormal(out[:, first:], norms[first:k], instruments)
        self.columns, self.z, self.n, self.clusters, self.cov = out[:, :first], out[:, first:], n, group, cov
        self.absorbed = rank_outside(effects, group, n) + len(exog)
        self.groups, free = 0 if group is None else int(group.max()) + 1, n - size - self.absorbed
        self.correction = self.groups / (self.groups - 1) * (n - 1) / free if self.groups else n / free

    def covariance(self, z: np.ndarray, e: np.ndarray, f: np.ndarray) -> np.ndarray:
        """N⁻¹ Σ (z e)(z f)' over observations or cluster sums; iid: (e'f/N)(z'z/N)."""
        if self.cov == "iid":
            return (e @ f / self.n) * (z.T @ z / self.n)
        a, b = z * e[:, None], z * f[:, None]
        if self.clusters is not None:
            sums = sparse.csr_array((np.ones(self.n), (self.clusters, np.arange(self.n))))
            a, b = sums @ a, sums @ b
        return a.T @ b / self.n


@dataclass(frozen=True, repr=False)
class KleibergenPaap(Shown):
    """What :func:`kleibergen_paap` returns.

    Attributes
    ----------
    lm, lm_df, lm_p : under-identification test, χ²(`lm_df`)
    wald : rank test in Wald form, χ²
    f : Wald F, compared with :data:`STOCK_YOGO`
    instruments, absorbed, n, clusters : L, A, N, G of the formulas (G = 0 without clusters)
    """

    lm: float
    lm_df: int
    lm_p: float
    wald: float
    f: float
    cov: str
    instruments: int
    absorbed: int
    n: int
    clusters: int

    def _shown(self) -> list[Part]:
        lm, wald = ("Anderson", "Cragg–Donald") if self.cov == "iid" else ("Kleibergen–Paap rk",) * 2
        facts = {f"{lm} LM": f"{self.lm:.4f} [p = {self.lm_p:.4f}]", f"{wald} Wald F": f"{self.f:.4f}"}
        rows = f"{self.n:,}" + (f" in {self.clusters} clusters" if self.clusters else "")
        return [facts | {"observations": rows}]


def kleibergen_paap(
    data: pd.DataFrame,
    endog: str,
    instruments: Sequence[str],
    exog: Sequence[str] = (),
    absorb: Sequence[str] = (),
    cov: Cov = "robust",
    clusters: str | None = None,
) -> KleibergenPaap:
    r"""Kleibergen–Paap rk LM and Wald F statistics for one endogenous regressor.

    d and Z (N × L) have the A exogenous columns (controls, effects, constant) partialled out;
    g = Z'd/N, v the residual of d on Z, S(e) the covariance of the scores e·z:

    .. math:: LM = N\, g' S(d)^{-1} g \sim \chi^2_L, \qquad Wald = N\, g' S(v)^{-1} g

    .. math:: F = \frac{Wald}{N}\frac{N-L-A}{L}, \quad\text{clustered}\quad
        F = \frac{Wald}{N-1}\frac{N-L-A}{L}\frac{G-1}{G}

    Parameters
    ----------
    data : DataFrame, one row an observation
    endog : str; the endogenous regressor
    instruments, exog : list of columns; excluded instruments, and controls that the second stage contains too
    absorb : list of columns or index levels; fixed effects, or none; a constant is always included
    cov : "iid", "robust" or "cluster"; "iid" gives Anderson's LM and the Cragg–Donald F
    clusters : column or index level; effects nested in them do not count in A, as in ivreghdfe

    Returns
    -------
    KleibergenPaap

    Raises
    ------
    TypeError, ValueError: unknown names, missing values, absorbed columns, too few rows or clusters

    References
    ----------
    Kleibergen and Paap (2006), J. Econometrics 133; small-sample terms of Stata's ivreg2
    (Baum, Schaffer and Stillman 2007).
    """
    part = _Partialled(data, [endog], instruments, exog, absorb, cov, clusters)
    d, z, size = part.columns[:, 0], part.z, part.z.shape[1]
    g = z.T @ d / part.n
    v = d - z @ np.linalg.solve(z.T @ z, z.T @ d)
    lm = part.n * float(g @ np.linalg.solve(part.covariance(z, d, d), g))
    wald = part.n * float(g @ np.linalg.solve(part.covariance(z, v, v), g))
    p, f = float(special.chdtrc(size, lm)), wald / part.correction / size
    return KleibergenPaap(lm, size, p, wald, f, cov, size, part.absorbed, part.n, part.groups)


@dataclass(frozen=True, repr=False)
class EffectiveF(Shown):
    """What :func:`effective_f` returns.

    Attributes
    ----------
    f : float; effective first-stage F
    critical : Series; 5 % critical value of `f` by tolerated bias τ (0.05 to 0.3).
    cov : str; errors of the first stage
    n : int; rows
    """

    f: float
    critical: pd.Series
    cov: str
    n: int

    def _shown(self) -> list[Part]:
        rows = {"effective F": f"{self.f:.4f}"}
        return [rows | {f"critical value, τ = {t:.0%}": f"{c:.2f}" for t, c in self.critical.items()}]


def effective_f(
    data: pd.DataFrame,
    endog: str,
    instruments: Sequence[str],
    exog: Sequence[str] = (),
    absorb: Sequence[str] = (),
    cov: Cov = "robust",
    clusters: str | None = None,
) -> EffectiveF:
    r"""Effective first-stage F of Montiel Olea and Pflueger, with its critical values.

    With Z'Z/N = Q, S the (small-sample corrected) covariance of the first-stage scores, W = Q^{-1/2} S Q^{-1/2}:

    .. math:: F_{eff} = \frac{d'Z(Z'Z)^{-1}Z'd}{\operatorname{tr} W}

    It tests whether the worst-case bias of 2SLS exceeds the share τ of its benchmark. Critical value of the
    simplified (conservative) procedure: with x = 1/τ,

    .. math:: K = \frac{(\operatorname{tr} W)^2 (1+2x)}{\operatorname{tr}(W'W)+2x\operatorname{tr}(W)\max\operatorname{eig} W},
        \qquad c = \chi^2_{0.95}(K;\, xK)/K

    With one instrument F_eff is the robust F and K = 1. pyfixest's `IV_Diag` does not partial the controls out of Z.

    Parameters
    ----------
    data, endog, instruments, exog, absorb, cov, clusters : as :func:`kleibergen_paap`

    Returns
    -------
    EffectiveF

    Raises
    ------
    TypeError, ValueError: as :func:`kleibergen_paap`

    References
    ----------
    Montiel Olea and Pflueger (2013), J. Business & Economic Statistics 31(3), 358–369.
    """
    part = _Partialled(data, [endog], instruments, exog, absorb, cov, clusters)
    d, q = part.columns[:, 0], np.linalg.qr(part.z)[0]
    z = q * np.sqrt(part.n)  # orthonormal instruments: Q = I, the statistic does not change
    v = d - q @ (q.T @ d)
    w = part.covariance(z, v, v) * part.correction
    trace, top = np.trace(w), np.linalg.eigvalsh(w)[-1]
    critical = {}
    for tau in (0.05, 0.10, 0.20, 0.30):
        x = 1 / tau
        k = trace**2 * (1 + 2 * x) / ((w * w).sum() + 2 * x * trace * top)
        critical[tau] = special.chndtrix(0.95, k, x * k) / k
    f = float((q.T @ d) @ (q.T @ d) / trace)
    return EffectiveF(f, pd.Series(critical, name="critical value").rename_axis("tau"), cov, part.n)


@dataclass(frozen=True, repr=False)
class AndersonRubin(Shown):
    """What :func:`anderson_rubin` returns.

    Attributes
    ----------
    statistic, df, p : F statistic of the null, its degrees of freedom, p-value
    intervals : tuple of (low, high); the confidence set: none (empty), one or more; ends may be infinite
    null, level : the tested value and the confidence level
    """

    statistic: float
    df: tuple[int, int]
    p: float
    intervals: tuple[tuple[float, float], ...]
    null: float
    level: float

    def __contains__(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.intervals)

    def __str__(self) -> str:
        def one(low: float, high: float) -> str:
            left = "(−∞" if np.isinf(low) else f"[{low:.4f}"
            return f"{left}, {'+∞)' if np.isinf(high) else f'{high:.4f}]'}"

        return " ∪ ".join(one(*pair) for pair in self.intervals) or "∅ (every value is rejected)"

    def _shown(self) -> list[Part]:
        test = f"Anderson–Rubin F({self.df[0]}, {self.df[1]}) of β = {self.null:g}"
        said = f"{self.statistic:.4f} [p = {self.p:.4f}]"
        return [{test: said, f"{self.level:.0%} confidence set": str(self)}]


def anderson_rubin(
    data: pd.DataFrame,
    outcome: str,
    endog: str,
    instruments: Sequence[str],
    exog: Sequence[str] = (),
    absorb: Sequence[str] = (),
    cov: Cov = "robust",
    clusters: str | None = None,
    null: float = 0.0,
    level: float = 0.95,
) -> AndersonRubin:
    r"""Anderson–Rubin test of β = `null` and the confidence set by its inversion.

    With g(β) = Z'(y − βd)/N and S(β) the (small-sample corrected) covariance of the scores of y − βd's residual on Z:

    .. math:: F(\beta) = \frac{N}{L}\, g(\beta)' S(\beta)^{-1} g(\beta) \sim F_{L,\,df}

    df = N − L − A, clustered G − 1. The ends of {β : F(β) ≤ c} solve the quadratic eigenvalue problem
    det[N g g' − cL S] = 0. A weak instrument gives an unbounded set.

    Parameters
    ----------
    outcome : str; y; for the others see :func:`kleibergen_paap`
    null : float
    level : float; between 0 and 1

    Returns
    -------
    AndersonRubin

    Raises
    ------
    TypeError, ValueError: as :func:`kleibergen_paap`; a level outside (0, 1)

    References
    ----------
    Anderson and Rubin (1949), Ann. Math. Stat. 20; Andrews, Stock and Sun (2019), Ann. Rev. Econ. 11.
    """
    between_0_and_1(level)
    if not np.isfinite(null):
        raise ValueError(f"null={null!r} must be a finite number")
    part = _Partialled(data, [outcome, endog], instruments, exog, absorb, cov, clusters)
    (y, d), z = part.columns.T, part.z
    n, size = z.shape
    df = part.groups - 1 if part.groups else n - size - part.absorbed
    scale = part.correction

    # β = centre + unit·b: near 2SLS, in units of its standard error, for well-scaled equations
    q = np.linalg.qr(z)[0]
    centre = (q.T @ y) @ (q.T @ d) / ((q.T @ d) @ (q.T @ d))
    unit = np.linalg.norm(y - centre * d) / np.linalg.norm(q.T @ d) / np.sqrt(n)
    y0, d0 = y - centre * d, unit * d
    z = q * np.sqrt(n)
    gy, gd = z.T @ y0 / n, z.T @ d0 / n
    uy, ud = y0 - q @ (q.T @ y0), d0 - q @ (q.T @ d0)
    syy, sdd = part.covariance(z, uy, uy) * scale, part.covariance(z, ud, ud) * scale
    syd = part.covariance(z, uy, ud) * scale
    syd = syd + syd.T

    def f(b: float) -> float:
        g = gy - b * gd
        return float(n / size * g @ np.linalg.solve(syy - b * syd + b * b * sdd, g))

    c = float(special.fdtri(size, df, level)) * size
    constant = n * np.outer(gy, gy) - c * syy
    linear = -n * (np.outer(gy, gd) + np.outer(gd, gy)) + c * syd
    square = n * np.outer(gd, gd) - c * sdd
    eye, zero = np.eye(size), np.zeros((size, size))
    roots = linalg.eigvals(np.block([[-linear, -constant], [eye, zero]]), linalg.block_diag(square, eye))
    roots = roots[np.isfinite(roots)]
    real = np.sort(roots.real[np.abs(roots.imag) < 1e-7 * (1 + np.abs(roots.real))])
    far = 1 + 2 * np.abs(real).max(
        initial=0
    )  # one value in each of the intervals between the ends, and beyond them
    between = np.convolve(np.r_[-far, real, far], [0.5, 0.5], "valid")
    accepted = np.diff(np.r_[0, [f(b) <= c / size for b in between], 0].astype(int))
    ends = centre + unit * np.r_[-np.inf, real, np.inf]
    intervals = tuple(zip(ends[accepted == 1].tolist(), ends[accepted == -1].tolist(), strict=True))
    statistic = f((null - centre) / unit)
    p = float(special.fdtrc(size, df, statistic))
    return AndersonRubin(statistic, (size, df), p, intervals, null, level)
