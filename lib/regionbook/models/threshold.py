"""Panel threshold regression (面板门槛回归) after Hansen: every value searched, bootstrap by units, intervals from LR."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..index._checks import numbers, one_of, show
from ..shown import Part, Shown
from ._formula import read_formula
from ._within import between_0_and_1, codes, known, orthonormal

TESTED = ["value", "F", "p", "10%", "5%", "1%"]
BLOCK = 2**20
"""Cells × draws held at a time (8 MB)."""


@dataclass(frozen=True, repr=False)
class PanelThreshold(Shown):
    """What :func:`threshold` returns.

    Attributes
    ----------
    thresholds : DataFrame, one row a threshold in ascending order
        `value`, and the ends `low`, `high` of its interval (the accepted values need not be all between them).
    tests : DataFrame, one row a further threshold in the order of the search
        `value` found then, `F`, bootstrap `p`, critical values `10%`, `5%`, `1%`. Empty for given thresholds.
    table : DataFrame, one row a coefficient; `estimate`, `se`, `se_cluster`; ``x[j]``: slope of regime j
    cov, cov_cluster : DataFrame, coefficient × coefficient
    regimes : DataFrame, one row a regime; `above`, `up_to` (equal values belong here), `rows`
    curves : list of Series; LR at every candidate for a threshold, the others held; `critical` cuts it
    critical : float
    draws : DataFrame, draws × tests; F of the bootstrap samples
    ssr, r2_within, nobs, units
    """

    thresholds: pd.DataFrame
    tests: pd.DataFrame
    table: pd.DataFrame
    cov: pd.DataFrame
    cov_cluster: pd.DataFrame
    regimes: pd.DataFrame
    curves: list[pd.Series]
    critical: float
    draws: pd.DataFrame
    ssr: float
    r2_within: float
    nobs: int
    units: int

    def _shown(self) -> list[Part]:
        parts = [self.thresholds, *([self.tests] if len(self.tests) else []), self.table]
        note = f"{self.nobs:,} rows of {self.units:,} units; R² within {self.r2_within:.3f}"
        return [*(part.map(lambda v: f"{v:.4f}" if isinstance(v, float) else v) for part in parts), note]


def threshold(
    data: pd.DataFrame,
    formula: str,
    regressors: str | Sequence[str],
    by: str,
    unit: str,
    time: str,
    *,
    thresholds: int | Sequence[float] = 1,
    trim: float = 0.01,
    draws: int = 300,
    seed: int | None = None,
    level: float = 0.95,
    scale: str = "N(T-1)",
) -> PanelThreshold:
    r"""Does a slope change where another variable passes a value, at which, and how surely?

    .. math:: y_{it} = \mu_i + x_{it}'\varphi + \sum_j r_{it}'\beta_j\, 1(\gamma_{j-1} < q_{it} \le \gamma_j) + e_{it},
        \qquad F = s\,\frac{S_{j-1} - S_j}{S_j}, \qquad LR(\gamma) = s\,\frac{S(\gamma) - S(\hat\gamma)}{S(\hat\gamma)}

    S is the sum of squared residuals, smallest over *all* values of q that leave each regime its share of rows, ties
    together; s is N(T − 1), or T(N − 1). Thresholds are found one after the other, then each again with the others held
    until none moves. Without a threshold γ means nothing, so F follows no table: its distribution is that of samples
    with residuals of whole units drawn anew, of the model without the threshold tested and those before it held. The interval holds γ with
    LR(γ) ≤ −2 ln(1 − √level). A smooth change is "found" too: look at the curve, and beyond it.

    Parameters
    ----------
    data : DataFrame, one row a unit and period, balanced
    formula : str
        As for `pyfixest.feols`; effects are those of the unit, or of unit and time: ``"y ~ ai + gov | city + year"``.
    regressors : name or list of names; the r of the formula: those whose slopes differ by regime
    by : column; q, the threshold variable
    unit, time : column or index level
    thresholds : int or list of numbers; how many to search for, or the values, taken as given
    trim : float; share of all rows that each regime must have at least
    draws, seed : int; bootstrap samples of each test; 0: no p values
    level : float
    scale : "N(T-1)" (Hansen) or "T(N-1)" (xthreg); less T − 1 with effects of time

    Returns
    -------
    PanelThreshold

    Raises
    ------
    TypeError, ValueError
        Missing cells, text, an unbalanced panel or one of single periods, a unit and period twice, a regressor that is
        not in the formula or is collinear with the effects, a constant threshold variable, too few rows a regime, a
        given threshold outside the trimmed range, no seed.

    References
    ----------
    Hansen (1999), J. Econometrics 93, 345–368; Wang (2015), Stata Journal 15 (xthreg). Errors as in `pyfixest`: clustered
    by unit with G/(G − 1)·(n − 1)/(n − k), effects within units not counted.
    """
    between_0_and_1(level)
    one_of(("N(T-1)", "T(N-1)"), scale=scale)
    panel = _Panel(data, formula, [regressors] if isinstance(regressors, str) else regressors, by, unit, time)
    s = panel.N * (panel.T - 1) if scale == "N(T-1)" else panel.T * (panel.N - 1)
    search = _Search(panel, trim, s - (panel.T - 1) * panel.two_way)
    if isinstance(thresholds, (int, np.integer)):
        if thresholds < 1 or draws < 0 or (draws and seed is None):
            raise ValueError(f"{thresholds=}, {draws=}, {seed=}: 1 threshold at least, and a seed for draws")
        found, tests, drawn = search.sequence(int(thresholds), draws, np.random.default_rng(seed))
    else:
        found, tests, drawn = search.given(thresholds), [], []
    critical = float(-2 * np.log(1 - np.sqrt(level)))
    curves = [search.curve(found, j) for j in range(len(found))]
    inside = [c.index[c.to_numpy() <= critical] for c in curves]
    order, edges = range(1, len(found) + 1), [-np.inf, *found, np.inf]
    rows = {"value": found, "low": [i.min() for i in inside], "high": [i.max() for i in inside]}
    regimes = {"above": edges[:-1], "up_to": edges[1:], "rows": np.bincount(search.regime(found))}
    return PanelThreshold(
        thresholds=pd.DataFrame(rows, order),
        tests=pd.DataFrame(tests, range(1, len(tests) + 1), TESTED, dtype=float),
        regimes=pd.DataFrame(regimes, range(1, len(edges))),
        curves=curves,
        critical=critical,
        draws=pd.DataFrame(dict(enumerate(drawn, 1))),
        **_slopes(panel, search.split(found)),
    )


class _Panel:
    """Rows by unit, then time: outcome (n × 1), common regressors x, those by regime r, threshold variable q (n,)."""

    def __init__(
        self, data: pd.DataFrame, formula: str, names: Sequence[str], by: str, unit: str, time: str
    ) -> None:
        design = read_formula(data, formula)
        frame = design.frame
        if set(design.effects) not in ({unit}, {unit, time}):
            raise ValueError(f"formula {formula!r}: expected the effects {unit!r}, or {unit!r} and {time!r}")
        chosen = [design.position(name) for name in names]
        q = numbers(frame[known(frame, [by], "by")], "data")[by].to_numpy()
        who, when = codes(frame, unit, "unit"), codes(frame, time, "time")
        twice = frame.duplicated([unit, time]).to_numpy()
        if twice.any():
            cell = ", ".join(show(frame[name].to_numpy()[twice][0]) for name in (unit, time))
            raise ValueError(f"{unit} and {time} ({cell}) are there more than once")
        N, T = int(who.max()) + 1, int(when.max()) + 1
        periods = np.bincount(who)
        if (periods < T).any():
            short = [show(label) for label in pd.unique(frame[unit])[periods < T]]
            raise ValueError(
                f"the panel is unbalanced: {len(short)} of {N} units lack some of the {T} periods: {', '.join(short[:5])}"
                f"{', …' * (len(short) > 5)}; leave them out, or the periods that they lack"
            )
        if N < 2 or T < 2:
            raise ValueError(
                f"{N} unit(s) of {T} period(s): nothing left beside the effects; at least 2 of each"
            )
        if np.ptp(q) == 0:
            raise ValueError(f"the threshold variable {by!r} is constant ({q[0]:g})")
        order = np.lexsort((frame[time].to_numpy(), who))
        left = [j for j in range(len(design.names)) if j not in chosen]
        self.common, self.split = [design.names[j] for j in left], list(names)
        self.y, self.x, self.r = design.y[order, None], design.x[order][:, left], design.x[order][:, chosen]
        self.q, self.N, self.T, self.two_way = q[order], N, T, len(design.effects) == 2
        X = np.column_stack([self.x, self.r])
        orthonormal(self.within(X), np.linalg.norm(X, axis=0), [*self.common, *self.split])

    def within(self, a: np.ndarray) -> np.ndarray:
        """Less the means of units, and of periods."""
        a = a.reshape(self.N, self.T, -1)
        out = a - a.mean(axis=1, keepdims=True)
        return (out - out.mean(axis=0) if self.two_way else out).reshape(self.N * self.T, -1)


def _slopes(panel: _Panel, split: np.ndarray) -> dict[str, Any]:
    """Coefficients with both covariances, and the fit, at thresholds taken as known."""
    N, T, n = panel.N, panel.T, len(panel.q)
    names = [f"{k}[{j}]" for j in range(1, split.shape[1] // len(panel.split) + 1) for k in panel.split]
    X = np.hstack([split, panel.x])
    D, y, names = panel.within(X), panel.within(panel.y), names + panel.common
    orthonormal(D, np.linalg.norm(X, axis=0), names)
    bread = np.linalg.inv(D.T @ D)
    b = bread @ (D.T @ y)
    e = y - D @ b
    ssr, k = float((e**2).sum()), len(b)
    scores = (D * e).reshape(N, T, k).sum(axis=1)
    dummies = (T - 1) * panel.two_way
    meat = N / (N - 1) * (n - 1) / (n - k - 1 - dummies) * scores.T @ scores
    plain = ssr / (n - N - k - dummies) * bread
    both = [pd.DataFrame(v, names, names) for v in (plain, bread @ meat @ bread)]
    se, se_cluster = (np.sqrt(np.diag(v)) for v in both)
    table = pd.DataFrame({"estimate": b.ravel(), "se": se, "se_cluster": se_cluster}, names)
    about = panel.y.reshape(N, T) - panel.y.reshape(N, T).mean(axis=1, keepdims=True)
    fit = {"ssr": ssr, "r2_within": 1 - ssr / float((about**2).sum()), "nobs": n, "units": N}
    return {"table": table, "cov": both[0], "cov_cluster": both[1], **fit}


class _Search:
    """Fall in the sum of squares at all candidates at once.

    With z = r·1(q ≤ c), e the residual on D = M[x, r by the regimes so far], Q a basis of D and M the sweep of effects,
    the fall is g'A⁻¹g, g = z'e, A = z'Mz − z'QQ'z. M and Q are idempotent: z'e and z'Q are running sums over rows in the
    order of q, and z'Mz = Σrr' − Σ_i S_i S_i'/T (− Σ_t S_t S_t'/N + SS'/NT), S the running sums of r by unit and period.
    """

    def __init__(self, panel: _Panel, trim: float, s: int) -> None:
        self.panel, self.s, n, q = panel, s, len(panel.q), panel.q
        self.order = np.argsort(q, kind="stable")
        self.sorted = q[self.order]
        self.least = max(int(np.ceil(trim * n)), panel.r.shape[1] + 1)
        last = np.flatnonzero(np.append(self.sorted[1:] > self.sorted[:-1], True))  # ties enter together
        last = last[(last + 1 >= self.least) & (n - last - 1 >= self.least)]
        if not len(last):
            raise ValueError(
                f"no threshold leaves both regimes {self.least} of {n} rows: the threshold variable has "
                f"{len(np.unique(q))} values; lower trim={trim:g} or take another variable"
            )
        self.last, self.values, self.r = last, self.sorted[last], panel.r[self.order]
        unit, period = np.divmod(np.arange(n), panel.T)
        square = np.einsum("nk,nl->nkl", self.r, self.r).cumsum(axis=0)[last] - self._squares(unit) / panel.T
        if panel.two_way:
            S = self.r.cumsum(axis=0)[last]
            square += np.einsum("gk,gl->gkl", S, S) / n - self._squares(period) / panel.N
        self.square = square

    def _squares(self, group: np.ndarray) -> np.ndarray:
        """Σ_g S_g S_g' at each candidate: an entering row adds rP' + Pr' + rr', P its group's sum before it."""
        group = group[self.order]
        together = np.argsort(group, kind="stable")
        r, g = self.r[together], group[together]
        before = r.cumsum(axis=0) - r
        start = np.append(True, g[1:] != g[:-1])
        before -= before[start][np.cumsum(start) - 1]
        half = np.einsum("nk,nl->nkl", r, before + r / 2)
        out = np.empty_like(half)
        out[together] = half + half.transpose(0, 2, 1)
        return out.cumsum(axis=0)[self.last]

    def regime(self, found: Sequence[float]) -> np.ndarray:
        """0, 1, … for each row."""
        return np.searchsorted(np.sort(found), self.panel.q, side="left")

    def split(self, found: Sequence[float]) -> np.ndarray:
        """r by regime, raw (n × regressors · regimes)."""
        where = self.regime(found)
        return np.hstack([self.panel.r * (where == j)[:, None] for j in range(len(found) + 1)])

    def beside(self, found: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Basis Q of the model with the thresholds `found`, and A⁻¹ of one more at each candidate (0: not allowed)."""
        Q = np.linalg.qr(self.panel.within(np.hstack([self.panel.x, self.split(found)])))[0]
        zQ = np.einsum("nk,nl->nkl", self.r, Q[self.order]).cumsum(axis=0)[self.last]
        A = self.square - zQ @ zQ.transpose(0, 2, 1)
        edges = np.array([0, *np.searchsorted(self.sorted, np.sort(found), side="right"), len(self.sorted)])
        at = self.last + 1
        k = np.searchsorted(edges, at, side="left")
        allowed = (at - edges[k - 1] >= self.least) & (edges[k] - at >= self.least)
        allowed &= np.linalg.eigvalsh(A)[:, 0] > 1e-9 * np.trace(self.square, axis1=1, axis2=2)
        if not allowed.any():
            raise ValueError(
                f"no room for threshold {len(found) + 1}: each regime needs {self.least} rows; lower trim or thresholds"
            )
        inverse = np.zeros_like(A)
        inverse[allowed] = np.linalg.inv(A[allowed])
        return Q, inverse

    def falls(self, E: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Fall in the sum of squares (candidates × columns) for residuals E (n × columns)."""
        E = E[self.order]
        g = np.stack([(E * r[:, None]).cumsum(axis=0)[self.last] for r in self.r.T], axis=1)
        return np.einsum("gkb,gkl,glb->gb", g, inverse, g, optimize=True)

    def best(self, E: np.ndarray, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F of one more threshold and its value, for each column of residuals."""
        before, falls = np.einsum("nb,nb->b", E, E), self.falls(E, inverse)
        at = falls.argmax(axis=0)
        fall = falls[at, np.arange(E.shape[1])]
        return self.s * fall / (before - fall), self.values[at]

    def sequence(self, count: int, draws: int, rng: np.random.Generator) -> tuple:
        """Thresholds in ascending order, a test for each in the order found, F of the samples."""
        y, tests, drawn = self.panel.within(self.panel.y), [], []
        found: list[float] = []
        for j in range(count):
            Q, inverse = self.beside(found)
            fitted = Q @ (Q.T @ y)
            (F,), (value,) = self.best(y - fitted, inverse)
            stats = self._samples(y - fitted, found, draws, rng)
            p = (stats >= F).mean() if draws else np.nan
            tests.append([value, F, p, *np.quantile(stats if draws else [np.nan], [0.90, 0.95, 0.99])])
            drawn.append(stats)
            found.append(float(value))
            for _ in range(20 if j else 0):  # each again with the others held, until none moves
                before = found.copy()
                for i in range(j + 1):
                    Q, inverse = self.beside(found[:i] + found[i + 1 :])
                    found[i] = float(self.best(y - Q @ (Q.T @ y), inverse)[1][0])
                if found == before:
                    break
        return sorted(found), tests, drawn

    def _samples(self, e: np.ndarray, found: list[float], draws: int, rng: np.random.Generator) -> np.ndarray:
        """F beside `found` in samples of whole units' residuals; with thresholds held, slopes need not be put back."""
        N, T = self.panel.N, self.panel.T
        blocks, stats = e.reshape(N, T), [np.empty(0)]
        Q, inverse = self.beside(found)
        size = max(1, BLOCK // (N * T))
        for first in range(0, draws, size):
            rows = rng.integers(N, size=(min(size, draws - first), N))
            E = self.panel.within(blocks[rows].reshape(len(rows), N * T).T)
            stats.append(self.best(E - Q @ (Q.T @ E), inverse)[0])
        return np.concatenate(stats)

    def given(self, thresholds: Sequence[float]) -> list[float]:
        """Thresholds that are taken as known, in order; each regime has to have its rows."""
        found = sorted(float(c) for c in thresholds)
        counts = np.bincount(self.regime(found), minlength=len(found) + 1)
        if not found or not np.isfinite(found).all() or counts.min() < self.least:
            raise ValueError(
                f"thresholds={found}: regimes of {counts.tolist()} rows, each needs {self.least}; the threshold variable "
                f"has candidates from {self.values[0]:g} to {self.values[-1]:g}"
            )
        return found

    def curve(self, found: list[float], j: int) -> pd.Series:
        """LR of threshold j at every candidate, the others held."""
        Q, inverse = self.beside(found[:j] + found[j + 1 :])
        y = self.panel.within(self.panel.y)
        e = y - Q @ (Q.T @ y)
        ssr = (float((e**2).sum()) - self.falls(e, inverse).ravel())[inverse.any(axis=(1, 2))]
        values = pd.Index(self.values[inverse.any(axis=(1, 2))], name="threshold")
        return pd.Series(self.s * (ssr / ssr.min() - 1), values, name="LR")
