"""Spatial models of a balanced panel by maximum likelihood, with direct, indirect and total effects."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from scipy import special
from scipy.optimize import minimize_scalar

from ..index._checks import one_of, show
from ..shown import Part
from ._estimated import Estimated
from ._logdet import EXACT_UP_TO, LogDet, Method
from ._spatial import (
    LAGGED,
    PARAMETER,
    Stack,
    Transformed,
    inverse_information,
    maximise,
    read_weights,
    stack,
)
from ._within import between_0_and_1

Model = Literal["ols", "slx", "sar", "sem", "sdm", "sdem"]
Effects = Literal["none", "unit", "time", "twoways", "random"]
Correction = Literal["lee-yu", "direct"]
Information = Literal["expected", "observed"]


def admissible_interval(w: object) -> tuple[float, float]:
    r"""The values of ρ around zero for which I − ρW is invertible: (1/ω_min, 1/ω_max).

    ω are the real eigenvalues of W; row-standardised weights have ω_max = 1 and ω_min between −1 and 0. For more
    than 1,500 units with weights that no scaling makes symmetric: the narrower bound ±1/(largest row sum).

    Parameters
    ----------
    w : libpysal Graph or W, or square DataFrame

    Returns
    -------
    (low, high) : tuple of float

    Raises
    ------
    TypeError, ValueError: weights without labels, with a diagonal, negative values or no link

    References
    ----------
    LeSage and Pace (2009), Introduction to Spatial Econometrics, section 4.3.2.

    Examples
    --------
    >>> ring = pd.DataFrame(np.roll(np.eye(5), 1, axis=1) + np.roll(np.eye(5), -1, axis=1))
    >>> [round(float(end), 3) for end in admissible_interval(ring)], [
    ...     round(float(end), 3) for end in admissible_interval(ring / 2)]
    ([-0.618, 0.5], [-1.236, 1.0])
    """
    ld = LogDet(read_weights(w)[0])
    return float(ld.low), float(ld.high)


@dataclass(frozen=True, repr=False)
class SpatialPanel(Estimated):
    """What :func:`spatial_durbin` returns.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : Series
        Regressors by name, ``W_x`` for the lag of x, ``rho`` (lag) or ``lambda`` (error), ``_cons``. Normal p values.
    cov : DataFrame; inverse information of `params` (σ² is accounted for)
    rho : float; the spatial parameter, ρ or λ; NaN in "ols" and "slx"
    interval : (low, high); its admissible interval; `interval_sharp` is False where it is a safe bound
    sigma2, sigma2_se : float; SSR/n, n = N·T or what Lee and Yu's transformation leaves (`n_likelihood`)
    loglik, aic : float; with all constants; the count of parameters leaves the absorbed effects out
    nobs, units, periods : int
    rsquared : float; ``r2["residual"]``
    r2 : Series
        ``residual``: 1 − SSR/SST of y net of the effects. ``within``, ``between``, ``overall``: squared correlation
        of y with what the regressors alone predict, (I − ρW)⁻¹(Xβ + WXθ), in the three forms of Stata's `xtreg`
        (`xsmle` prints its R² under these names).
    resids : Series; on the panel's index
    model, effects, correction, information, logdet : str; what was done
    row_standardised : bool
    islands : list; units without neighbours
    phi : float; random effects: 1 − φ is the share of the unit means taken out
    """

    model: str
    effects: str
    correction: str
    information: str
    logdet: str
    params: pd.Series
    cov: pd.DataFrame
    sigma2: float
    sigma2_se: float
    loglik: float
    n_likelihood: int
    nobs: int
    units: int
    periods: int
    interval: tuple[float, float]
    interval_sharp: bool
    row_standardised: bool
    islands: list
    r2: pd.Series
    resids: pd.Series = field(repr=False)
    phi: float = np.nan
    _regressors: list[str] = field(default_factory=list, repr=False)
    outcome: str = ""
    _logdet: LogDet | None = field(default=None, repr=False)

    @property
    def std_errors(self) -> pd.Series:
        """Roots of the diagonal of `cov`."""
        return pd.Series(np.sqrt(np.diag(self.cov)), self.params.index, name="std_error")

    @property
    def rho(self) -> float:
        """The spatial parameter, ρ or λ; NaN where there is none."""
        name = PARAMETER.get(self.model)
        return float(self.params[name]) if name else np.nan

    @property
    def rsquared(self) -> float:
        """1 − SSR/SST of y net of the effects."""
        return float(self.r2["residual"])

    @property
    def aic(self) -> float:
        """−2 log-likelihood + 2 × parameters (σ² counts, absorbed effects do not)."""
        return -2 * self.loglik + 2 * (len(self.params) + 1 + (self.effects == "random"))

    @property
    def _absorbed(self) -> str | None:  # type: ignore[override]
        names = zip(self.resids.index.names, ("entity", "time"), strict=True)
        unit, time = (str(name or kind) for name, kind in names)
        return {"unit": unit, "time": time, "twoways": f"{unit}+{time}"}.get(self.effects)

    def impacts(self, draws: int = 0, seed: int | None = None, level: float = 0.95) -> pd.DataFrame:
        r"""Direct, indirect and total effects of each regressor (LeSage and Pace 2009).

        :math:`S_k = (I - \rho W)^{-1}(I\beta_k + W\theta_k)` holds ∂y_i/∂x_jk. Direct is the mean of its diagonal,
        total the mean of its row sums, indirect the difference.

        Parameters
        ----------
        draws : int
            0: standard errors by the delta method. Else: that many normal draws of the parameters (inside the
            admissible interval) give standard errors and the quantiles `lower` and `upper`; better near ρ = 1.
        seed : int; needed for draws
        level : float

        Returns
        -------
        DataFrame
            Rows (variable, effect); columns estimate, se, z, p, lower, upper; ``attrs``: nobs, outcome. `regression_table` takes it.

        Raises
        ------
        ValueError: no spillover, `draws` of 1 or below 0, draws without `seed`, `level` outside (0, 1)
        """
        if self.model in ("ols", "sem"):
            raise ValueError(f"model {self.model!r} has no spillover: its effects are the coefficients")
        between_0_and_1(level)
        if draws < 0 or draws == 1:
            raise ValueError(f"draws={draws!r} must be 0 (delta method) or at least 2")
        if draws and seed is None:
            raise ValueError(f"draws={draws} are random: give a seed")
        q, rho, drawn, sample = self._multipliers(draws, seed)
        names, v = list(self.params.index), self.cov.to_numpy()
        at = names.index("rho") if "rho" in names else None
        r = self.rho if at is not None else 0.0
        tail = (1 - level) / 2
        rows = {}
        for x, (kind, own) in product(self._regressors, {"direct": 1, "indirect": 0, "total": 1}.items()):
            i, j = names.index(x), names.index(f"W_{x}") if f"W_{x}" in names else None
            b, theta = self.params.iloc[i], self.params.iloc[j] if j is not None else 0.0
            g, slope = q[kind]
            estimate = float(b * (own + r * g) + theta * g)
            if draws:
                lag = sample[:, j] if j is not None else 0.0
                simulated = sample[:, i] * (own + rho * drawn[kind]) + lag * drawn[kind]
                se = float(simulated.std(ddof=1))
                lower, upper = np.quantile(simulated, [tail, 1 - tail])
            else:
                d = np.zeros(len(names))
                d[i] = own + r * g
                if j is not None:
                    d[j] = g
                if at is not None:
                    d[at] = b * (g + r * slope) + theta * slope
                se = float(np.sqrt(d @ v @ d))
                lower, upper = estimate + np.array([-1, 1]) * special.ndtri(1 - tail) * se
            z = estimate / se if se else np.nan
            rows[x, kind] = (estimate, se, z, 2 * special.ndtr(-abs(z)), lower, upper)
        index = pd.MultiIndex.from_tuples(rows, names=["variable", "effect"])
        columns = ["estimate", "se", "z", "p", "lower", "upper"]
        table = pd.DataFrame(list(rows.values()), index, columns=columns)
        table.attrs.update(nobs=self.nobs, outcome=self.outcome)
        return table

    def _multipliers(
        self, draws: int, seed: int | None
    ) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, np.ndarray], np.ndarray]:
        """Of G = W(I − ρW)⁻¹ the mean diagonal ("direct") and mean row sum ("total"), each with its slope in ρ.

        Beside them, where there are draws: ρ, both means and all parameters of each draw. "indirect" is the difference.
        """
        ld = cast(LogDet, self._logdet)
        n, width = ld.n, ld.high - ld.low

        def around(reach: float) -> tuple[float, float]:
            return max(ld.low + 1e-4 * width, self.rho - reach), min(ld.high - 1e-4 * width, self.rho + reach)

        def complete(direct: Any, total: Any) -> dict[str, np.ndarray]:
            direct, total = np.asarray(direct), np.asarray(total)
            return {"direct": direct, "indirect": total - direct, "total": total}

        spatial = PARAMETER.get(self.model) == "rho"
        q = complete([0.0, 0.0], [float(ld.w.sum()) / n, 0.0])
        if spatial:
            _, d1, d2 = ld.near(*around(0.006 * width))
            q = complete([-d1(self.rho) / n, -d2(self.rho) / n], ld.row_total(self.rho))
        if not draws:
            return q, np.empty(0), {}, np.empty((0, 0))
        sample = np.random.default_rng(seed).multivariate_normal(self.params, self.cov, draws)
        if not spatial:
            return q, np.zeros(draws), {kind: np.full(draws, g) for kind, (g, _) in q.items()}, sample
        at = list(self.params.index).index("rho")
        low, high = around(5.5 * float(self.std_errors["rho"]))
        sample = sample[(sample[:, at] > low) & (sample[:, at] < high)]
        rho = sample[:, at]
        d1 = ld.near(low, high, 24)[1]
        return q, rho, complete(-d1(rho) / n, ld.row_totals(rho, low, high)), sample

    def _shown(self) -> list[Part]:
        columns = {"coef": self.params, "s.e.": self.std_errors, "z": self.tstats, "p": self.pvalues}
        table = pd.DataFrame(columns)
        facts = {
            "model, effects": f"{self.model.upper()}, {self.effects} ({self.correction})",
            "σ² (s.e.)": f"{self.sigma2:.4g} ({self.sigma2_se:.2g})",
            "log-likelihood, AIC": f"{self.loglik:.3f}, {self.aic:.2f}",
            "R² residual; within, between, overall": "{:.4f}; {:.4f}, {:.4f}, {:.4f}".format(*self.r2),
            "observations": f"{self.nobs:,} = {self.units:,} units × {self.periods}",
        }
        if PARAMETER.get(self.model):
            least = "" if self.interval_sharp else "at least "
            facts[f"admissible {PARAMETER[self.model]}"] = least + "({:.4f}, {:.4f})".format(*self.interval)
            if self.logdet != "exact":
                facts["log-determinant"] = self.logdet
        if not self.row_standardised:
            facts["weights"] = "rows do not add to one"
        if self.islands:
            more = f" and {len(self.islands) - 5} more" if len(self.islands) > 5 else ""
            facts["without neighbours"] = ", ".join(map(show, self.islands[:5])) + more
        return [table.round(4), facts]


def spatial_durbin(
    panel: pd.DataFrame,
    formula: str,
    w: object,
    *,
    model: Model = "sdm",
    effects: Effects = "twoways",
    correction: Correction = "lee-yu",
    logdet: Method = "auto",
    information: Information | None = None,
) -> SpatialPanel:
    r"""Spatial Durbin model of a balanced panel, and its neighbours, by maximum likelihood.

    .. math:: y_t = \rho W y_t + X_t\beta + W X_t\theta + \mu + \alpha_t\iota + \varepsilon_t

    "sar" has θ = 0, "slx" ρ = 0, "sem" and "sdem" put the lag in the error, u = λWu + ε, without and with θ; "ols"
    has neither.

    With "direct" the effects are demeaned out and the log-likelihood is

    .. math:: -\tfrac{n}{2}\ln 2\pi\sigma^2 + T\ln|I-\rho W| - SSR/2\sigma^2, \qquad n = NT

    (Elhorst 2003; the default of most programs), biased by order 1/T and 1/N. "lee-yu" is the likelihood after an
    orthonormal transformation that removes the effects: n = N(T − 1) and (T − 1) ln|I − ρW|; two ways
    n = (N − 1)(T − 1) and (T − 1)[ln|I − ρW| − ln(1 − ρ)].

    Parameters
    ----------
    panel : DataFrame with index (unit, period), balanced
    formula : str; ``"y ~ x1 + x2"``; the constant is added where no effects absorb it
    w : libpysal Graph or W, or square DataFrame
        Weights with the units' labels, in any order. Used as they are: row-standardise with ``.transform("r")``.
    model : "sdm", "sar", "slx", "sem", "sdem" or "ols"
    effects : "twoways", "unit", "time", "none" or "random"; "random": of units (quasi-demeaning)
    correction : "lee-yu" or "direct"; makes no difference without fixed effects
    logdet : "auto", "exact" or "chebyshev"
        Eigenvalues, or sparse LU with a Chebyshev series; "auto": up to 1,500 units and for dense weights the first.
    information : "expected" or "observed"; for standard errors; default: the former up to 1,500 units

    Returns
    -------
    SpatialPanel

    Raises
    ------
    TypeError, ValueError: labels that differ, gaps, an unbalanced panel, absorbed columns; w for "lee-yu"

    References
    ----------
    Elhorst (2003), Int. Regional Science Review 26; Lee and Yu (2010), J. Econometrics 154; LeSage and Pace (2009).
    """
    one_of(("sdm", "sar", "slx", "sem", "sdem", "ols"), model=model)
    one_of(("twoways", "unit", "time", "none", "random"), effects=effects)
    one_of(("lee-yu", "direct"), correction=correction)
    one_of((None, "expected", "observed"), information=information)
    data = stack(panel, formula, w)
    ld, outcome = LogDet(data.w, logdet), formula.split("~")[0].strip()
    return _estimate(data, ld, model, effects, correction, information, outcome)


def _estimate(
    data: Stack,
    ld: LogDet,
    model: str,
    effects: str,
    correction: str,
    information: str | None = None,
    outcome: str = "",
) -> SpatialPanel:
    """`spatial_durbin` after the reading: several models share data and log-determinant."""
    information = information or ("expected" if ld.n <= EXACT_UP_TO else "observed")
    if effects in ("none", "random"):
        correction = "direct"
    phi = np.nan
    if effects == "random":

        def peak(p: float) -> float:  # ln|Ω| of the quasi-demeaned units adds N ln φ
            d = Transformed(data, ld, model, effects, correction, p)
            return -maximise(d, ld, model).loglik - ld.n * np.log(p)

        phi = float(minimize_scalar(peak, bounds=(1e-3, 1), method="bounded", options={"xatol": 1e-8}).x)
    d = Transformed(data, ld, model, effects, correction, 0.0 if np.isnan(phi) else phi)
    best = maximise(d, ld, model)
    v = inverse_information(d, ld, model, best, information)
    s2 = float(best.e @ best.e) / d.n
    scale = 1 / d.scale
    spatial = PARAMETER.get(model)
    names, values = d.names, best.b * scale
    if spatial:
        names, values, scale = [spatial, *names], np.append(best.rho, values), np.append(1.0, scale)
    order = sorted(range(len(names)), key=lambda i: 2 * (names[i] == "_cons") + (names[i] == spatial))
    kept = pd.Index([names[i] for i in order])
    params = pd.Series(values[order], kept, name="parameter")
    cov = pd.DataFrame((v[:-1, :-1] * np.outer(scale, scale))[np.ix_(order, order)], kept, kept)
    total = d.y - (d.y.mean() if effects in ("none", "random") else 0.0)
    r2 = {"residual": 1 - float(best.e @ best.e) / float(total @ total)}
    r2 |= _prediction_r2(data, ld, model, params.to_numpy())
    sums = np.asarray(data.w.sum(axis=1)).ravel()
    return SpatialPanel(
        model=model,
        effects=effects,
        correction=correction,
        information=information,
        logdet=ld.method,
        params=params,
        cov=cov,
        sigma2=s2,
        sigma2_se=float(np.sqrt(v[-1, -1])),
        loglik=best.loglik + (ld.n * float(np.log(phi)) if effects == "random" else 0.0),
        n_likelihood=d.n,
        nobs=len(data.y),
        units=ld.n,
        periods=data.periods,
        interval=(float(ld.low), float(ld.high)),
        interval_sharp=ld.sharp,
        row_standardised=ld.row_standardised,
        islands=data.units[sums == 0].tolist(),
        r2=pd.Series(r2),
        resids=pd.Series(best.e[data.rows], data.index, name="residual"),
        phi=phi,
        _regressors=data.names,
        outcome=outcome,
        _logdet=ld,
    )


def _prediction_r2(data: Stack, ld: LogDet, model: str, params: np.ndarray) -> dict[str, float]:
    """`params` are β, then θ where there is one, then ρ."""
    k = data.x.shape[1]
    x, slopes = data.x @ params[:k], 2 * k if model in LAGGED else k
    if slopes > k:
        x = x + data.lag(data.x @ params[k:slopes]).ravel()
    fitted = x.reshape(data.periods, ld.n)
    if PARAMETER.get(model) == "rho":
        fitted = ld.solve(float(params[slopes]), np.ascontiguousarray(fitted.T)).T
    y = data.y.reshape(data.periods, ld.n)

    def squared(a: np.ndarray, b: np.ndarray) -> float:
        a, b = a - a.mean(), b - b.mean()
        length = float((a * a).sum() * (b * b).sum())
        return float((a * b).sum()) ** 2 / length if length > 0 else np.nan

    ours, theirs = y.mean(axis=0), fitted.mean(axis=0)
    within, between = squared(y - ours, fitted - theirs), squared(ours, theirs)
    return {"within": within, "between": between, "overall": squared(y, fitted)}
