"""How strong would an omitted variable have to be? Frank's thresholds, sensemakr's bounds, Oster's δ.

None of these numbers says that a confounder exists or that it does not, and none measures one. Each is
a threshold to hold against what is known about the subject, or against the covariates that were observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from ._formula import Design, read_formula
from ._within import Sweep, orthonormal


def _finite(**values: float) -> None:
    for name, value in values.items():
        if not np.isfinite(value):
            raise ValueError(f"{name}={value!r} must be a finite number")


def _check_regression(estimate: float, se: float, df: float, alpha: float, least: int = 1) -> None:
    _finite(estimate=estimate, se=se, df=df)
    if se <= 0:
        raise ValueError(f"se={se!r} must be positive; give the standard error, not t")
    if df < least:
        raise ValueError(f"df={df!r} residual degrees of freedom are too few")
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha={alpha!r} must lie between 0 and 1, for example 0.05")


def _table(rows: dict[str, str]) -> str:
    return pd.DataFrame({"": rows}).to_html(header=False)


def _brief(result: object) -> str:
    """Six digits of each attribute: a notebook stores this text, and it must not depend on the machine."""
    parts = (
        f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value!r}"
        for name, value in vars(result).items()
        if not isinstance(value, tuple)
    )
    return f"{type(result).__name__}({', '.join(parts)})"


@dataclass(frozen=True)
class ConfoundingThreshold:
    """What :func:`confounding_threshold` returns.

    Attributes
    ----------
    significant : bool
        Whether |t| exceeds its critical value; then all numbers say what would invalidate the
        inference, otherwise what would sustain it.
    threshold : float
        The estimate that is just significant, in the unit of the estimate.
    bias : float
        Share (0 to 1) of the estimate that must be bias; not significant: by how much of the
        threshold it falls short.
    replaced : int
        RIR: the same as a number of observations.
    r, r_critical : float
        Partial correlation of treatment and outcome, observed and just significant.
    itcv : float
        Impact threshold: the product of two partial correlations.
    correlation : float
        √|itcv|, each of the two correlations when they are equal.
    t, t_critical, df
    """

    significant: bool
    threshold: float
    bias: float
    replaced: int
    r: float
    r_critical: float
    itcv: float
    correlation: float
    t: float
    t_critical: float
    df: int

    def __repr__(self) -> str:
        return _brief(self)

    def _repr_html_(self) -> str:
        verb = "invalidate" if self.significant else "sustain"
        return _table(
            {
                f"t ({self.df} df), critical": f"{self.t:.3f}, {self.t_critical:.3f}",
                "just significant estimate": f"{self.threshold:.4g}",
                f"bias to {verb} the inference": f"{self.bias:.2%} ({self.replaced:,} observations)",
                f"impact threshold to {verb} (ITCV)": f"{self.itcv:.4f} = {self.correlation:.3f}²"
                if self.itcv >= 0
                else f"{self.itcv:.4f} = −{self.correlation:.3f}²",
            }
        )


def confounding_threshold(
    estimate: float, se: float, n: int, covariates: int, *, alpha: float = 0.05
) -> ConfoundingThreshold:
    r"""Frank's two thresholds of a printed coefficient: share of bias (RIR) and impact (ITCV).

    With df = n − covariates − 2, t = estimate/se and t_c its two-sided critical value (with t's sign):

    .. math:: bias = 1 - \frac{t_c\, se}{estimate}, \qquad RIR = n \cdot bias

    .. math:: r = \frac{t}{\sqrt{t^2+df}},\quad r_c = \frac{t_c}{\sqrt{t_c^2+df}},\qquad
        ITCV = \frac{r-r_c}{1-|r_c|}

    A confounder v changes the partial correlation to (r − r_vx r_vy)/√((1 − r_vx²)(1 − r_vy²)), all
    given the covariates. ITCV is the smallest product r_vx·r_vy that brings it to r_c; it is smallest
    when both are √|ITCV|. If |t| < t_c the question is reversed: bias = 1 − estimate/(t_c se), ITCV =
    −(r_c − r)/(1 + |r_c|) (for a positive estimate).

    0.1681 is a threshold, not an influence. It says what an omitted variable would have to reach, not
    what any reaches: 0.17 is large beside covariates whose impact is 0.01 and small beside one of 0.3,
    so report :func:`confounder_impacts` with it. Likewise "81 % of the observations would have to be
    replaced" restates t and n: 1 − t_c/t is 0.81 for every t = 10.4, confounded or not. A clustered se
    lowers both numbers (and breaks the link of t with the correlation).

    Parameters
    ----------
    estimate, se : float
        The coefficient and its standard error, in the same unit.
    n : int
        Observations.
    covariates : int
        Other regressors without the constant. Fixed effects count: 279 for 280 cities, 9 for 10 years.
    alpha : float
        Two-sided significance level.

    Returns
    -------
    ConfoundingThreshold

    Raises
    ------
    ValueError
        se not positive, n not above covariates + 3, alpha outside (0, 1), numbers not finite.

    References
    ----------
    Frank (2000), Sociological Methods & Research 29(2), 147–194; Frank, Maroulis, Duong and Kelcey
    (2013), Educational Evaluation and Policy Analysis 35(4), 437–460; R and Stata package konfound.

    Examples
    --------
    >>> test = confounding_threshold(2, 0.4, n=100, covariates=3)
    >>> round(test.threshold, 3), round(test.bias, 4), test.replaced
    (0.794, 0.6029, 60)
    >>> round(test.itcv, 3), round(test.correlation, 3)
    (0.321, 0.566)
    """
    df = n - covariates - 2
    if covariates < 0 or df < 2:
        raise ValueError(
            f"n={n!r} and covariates={covariates!r}: covariates must be 0 or more and n above covariates + 3"
        )
    _check_regression(estimate, se, df, alpha)
    if alpha == 1:
        raise ValueError("alpha=1 must lie between 0 and 1, for example 0.05")
    sign = -1.0 if estimate < 0 else 1.0
    t, critical = estimate / se, sign * float(special.stdtrit(df, 1 - alpha / 2))
    significant = abs(t) > abs(critical)
    bias = 1 - critical / t if significant else 1 - t / critical
    r, r_critical = t / np.sqrt(t**2 + df), critical / np.sqrt(critical**2 + df)
    itcv = (r - r_critical) / (1 - abs(r_critical) if significant else 1 + abs(r_critical))
    return ConfoundingThreshold(
        significant=significant,
        threshold=critical * se,
        bias=float(bias),
        replaced=round(n * float(bias)),
        r=float(r),
        r_critical=float(r_critical),
        itcv=float(itcv),
        correlation=float(np.sqrt(abs(itcv))),
        t=t,
        t_critical=critical,
        df=int(df),
    )


@dataclass(frozen=True)
class _Within:
    """Outcome, treatment and the other regressors after the fixed effects, each of length one."""

    y: np.ndarray
    d: np.ndarray
    others: np.ndarray
    names: list[str]
    scale: tuple[float, float]
    df: int


def _within(design: Design, coefficient: str) -> _Within:
    j = design.position(coefficient)
    order = [*(i for i in range(len(design.names)) if i != j), j]
    sweep = Sweep(list(design.effects.values()), len(design.y))
    df = len(design.y) - sweep.rank - len(order)
    if df < 2:
        raise ValueError(
            f"{len(design.y)} rows are too few for {len(order)} regressors and {sweep.rank} effects"
        )
    if len(order) == 1:
        raise ValueError(f"the formula has no covariate beside {coefficient!r} to compare with")
    x, y = sweep(design.x[:, order]), sweep(design.y[:, None]).ravel()
    orthonormal(x, np.linalg.norm(design.x[:, order], axis=0), [design.names[i] for i in order])
    lengths, height = np.linalg.norm(x, axis=0), float(np.linalg.norm(y))
    if height <= 1e-9 * np.linalg.norm(design.y):
        raise ValueError("the outcome has no variation left after the fixed effects")
    x = x / lengths
    names = [design.names[i] for i in order[:-1]]
    return _Within(y / height, x[:, -1], x[:, :-1], names, (height, float(lengths[-1])), df)


def _partial(*columns: np.ndarray) -> np.ndarray:
    """Correlation of each pair of columns given all the others."""
    x = np.column_stack(columns)
    precision = np.linalg.inv(x.T @ x)
    root = np.sqrt(np.diag(precision))
    return -precision / np.outer(root, root)


def confounder_impacts(data: pd.DataFrame, formula: str, coefficient: str) -> pd.DataFrame:
    r"""Impact of each observed covariate on a coefficient, the yardstick of the impact threshold.

    .. math:: impact_c = r_{xc\,|\,others}\; r_{yc\,|\,others}

    x is the treatment, y the outcome, others are the other covariates and the fixed effects (x is not
    partialled out of r_yc). A covariate with impact above the ITCV would by itself, were it unobserved,
    have invalidated the inference. Omitted variables need not resemble the observed ones. (R's konfound
    prints impacts of raw correlations; those do not compare with an ITCV given covariates and effects.)

    Parameters
    ----------
    data : DataFrame, one row an observation
    formula : str
        As for `pyfixest.feols`: ``"inn ~ digit + gov | city + year"``; effects may be index levels.
    coefficient : str
        The treatment.

    Returns
    -------
    DataFrame
        By covariate: `treatment`, `outcome` (partial correlations, −1 to 1) and `impact`, their
        product; the largest |impact| first.

    Raises
    ------
    TypeError, ValueError
        Unknown names, missing or infinite values, collinear regressors, no covariate, too few rows.

    References
    ----------
    Frank (2000), as :func:`confounding_threshold`; konfound's impact table.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["x", "c", "y"])
    >>> frame["x"] += frame["c"]
    >>> frame["y"] += frame["x"] + frame["c"]
    >>> confounder_impacts(frame, "y ~ x + c", "x").round(2).loc["c"].to_dict()
    {'treatment': 0.7, 'outcome': 0.83, 'impact': 0.58}
    """
    part = _within(read_formula(data, formula), coefficient)
    treatment = _partial(part.d, part.others)[0, 1:]
    outcome = _partial(part.y, part.others)[0, 1:]
    table = pd.DataFrame(
        {"treatment": treatment, "outcome": outcome, "impact": treatment * outcome},
        index=pd.Index(part.names, name="covariate"),
    )
    return table.sort_values("impact", key=abs, ascending=False)


@dataclass(frozen=True)
class Robustness:
    """What :func:`robustness_value` returns.

    Attributes
    ----------
    partial_r2 : float
        Of treatment and outcome given the covariates, 0 to 1.
    rv : float
        Robustness value of the estimate: to take away the share `q` of it.
    rv_alpha : float
        Robustness value of the inference: to make that no longer significant at `alpha`.
    q, alpha, t, df
    """

    partial_r2: float
    rv: float
    rv_alpha: float
    q: float
    alpha: float
    t: float
    df: int

    def __repr__(self) -> str:
        return _brief(self)

    def _repr_html_(self) -> str:
        return _table(
            {
                f"t ({self.df} df)": f"{self.t:.3f}",
                "partial R² of treatment and outcome": f"{self.partial_r2:.2%}",
                f"robustness value, q = {self.q:g}": f"{self.rv:.2%}",
                f"robustness value, q = {self.q:g}, α = {self.alpha:g}": f"{self.rv_alpha:.2%}",
            }
        )


def robustness_value(
    estimate: float, se: float, df: int, *, q: float = 1.0, alpha: float = 0.05
) -> Robustness:
    r"""Partial R² and robustness value of a coefficient, as sensemakr.

    With f = |t|/√df (Cohen's f, partial R² = f²/(1 + f²)), f_c = t_c(df − 1)/√(df − 1):

    .. math:: RV = \tfrac12\left(\sqrt{g^4+4g^2}-g^2\right), \quad g = qf
        \ \text{(estimate)},\quad g = qf - f_c\ \text{(inference)}

    RV_α is 0 when g < 0, and ((qf)² − f_c²)/(1 + (qf)²) when qf > 1/f_c. A confounder that explains RV
    of the residual variance of both treatment and outcome takes away the share q of the estimate; one
    that explains less than RV of both cannot. A confounder that explains all of the outcome's residual
    variance needs only partial R² of the treatment's.

    RV is a threshold, not the strength of any confounder, and not a probability that the result holds.
    It is a function of t and df alone; only :func:`benchmark_bounds` gives it a scale.

    Parameters
    ----------
    estimate, se : float
        se is the conventional (equal variances) one: only with it is t²/(t² + df) a partial R².
    df : int
        Residual degrees of freedom, all fixed effects counted.
    q : float
        Share of the estimate to explain away; 1 is all, above 1 turns the sign.
    alpha : float
        Two-sided level of `rv_alpha`.

    Returns
    -------
    Robustness

    Raises
    ------
    ValueError
        se or q not positive, df below 2, alpha outside (0, 1], numbers not finite.

    References
    ----------
    Cinelli and Hazlett (2020), J. Royal Statistical Society B 82(1), 39–67; R package sensemakr.

    Examples
    --------
    >>> darfur = robustness_value(0.09731582, 0.02325654, 783)
    >>> round(darfur.partial_r2, 3), round(darfur.rv, 3), round(darfur.rv_alpha, 3)
    (0.022, 0.139, 0.076)
    """
    _check_regression(estimate, se, df, alpha, least=2)
    if not (np.isfinite(q) and q > 0):
        raise ValueError(f"q={q!r} must be a positive share of the estimate, for example 1")
    t = estimate / se
    f = q * abs(t) / np.sqrt(df)
    f_critical = float(special.stdtrit(df - 1, 1 - alpha / 2)) / np.sqrt(df - 1)

    def value(g: float) -> float:
        return float((np.sqrt(g**4 + 4 * g**2) - g**2) / 2) if g > 0 else 0.0

    inference = value(f - f_critical)
    if f > f_critical and f * f_critical > 1:
        inference = float((f**2 - f_critical**2) / (1 + f**2))
    return Robustness(float(t**2 / (t**2 + df)), value(f), inference, q, alpha, t, int(df))


def bias_adjusted(
    estimate: float,
    se: float,
    df: int,
    r2_treatment: float | np.ndarray,
    r2_outcome: float | np.ndarray,
) -> dict[str, np.ndarray]:
    r"""Estimate, standard error and t if a confounder of the given strength had been controlled for.

    R²_D: share of the treatment's residual variance that the confounder explains (given the
    covariates); R²_Y: of the outcome's (given treatment and covariates):

    .. math:: |bias| = se\sqrt{df\,\frac{R^2_Y R^2_D}{1-R^2_D}}, \qquad
        se^* = se\sqrt{\frac{1-R^2_Y}{1-R^2_D}\,\frac{df}{df-1}}

    The bias is taken in the direction that hurts: towards zero and beyond. A confounder may as well
    have hidden a larger effect; the formula does not know the sign.

    Parameters
    ----------
    estimate, se, df
        As :func:`robustness_value`; conventional standard error.
    r2_treatment, r2_outcome : float or array
        Between 0 and 1 (r2_treatment below 1); arrays are broadcast.

    Returns
    -------
    dict of ndarray
        `estimate`, `se`, `t`.

    Raises
    ------
    ValueError
        A share outside its range, and as :func:`robustness_value`.

    References
    ----------
    Cinelli and Hazlett (2020), section 3; as :func:`robustness_value`.

    Examples
    --------
    >>> new = bias_adjusted(0.09731582, 0.02325654, 783, 0.1, 0.1)
    >>> round(float(new["estimate"]), 4), round(float(new["t"]), 3)
    (0.0287, 1.234)
    """
    _check_regression(estimate, se, df, 0.05, least=2)
    d, y = np.asarray(r2_treatment, dtype=float), np.asarray(r2_outcome, dtype=float)
    for name, value, top in (("r2_treatment", d, np.all(d < 1)), ("r2_outcome", y, np.all(y <= 1))):
        if not (top and np.all(value >= 0)):
            raise ValueError(f"{name}={value!r}: a share between 0 and 1 is needed (r2_treatment below 1)")
    bias = se * np.sqrt(df * y * d / (1 - d))
    adjusted = np.sign(estimate) * (abs(estimate) - bias)
    error = se * np.sqrt((1 - y) / (1 - d) * df / (df - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"estimate": adjusted, "se": error, "t": np.divide(adjusted, error)}


def benchmark_bounds(
    data: pd.DataFrame,
    formula: str,
    coefficient: str,
    benchmarks: Sequence[str] | None = None,
    multiples: Sequence[float] = (1, 2, 3),
) -> pd.DataFrame:
    r"""What a confounder as strong as an observed covariate (or k times) would do to a coefficient.

    With R²_{D~c} and R²_{Y~c} the partial R² of covariate c with treatment (given the other covariates)
    and outcome (given the treatment too), a confounder k times as strong has

    .. math:: R^2_D = k\frac{R^2_{D\sim c}}{1-R^2_{D\sim c}}, \qquad
        R^2_Y \le \left(\frac{\sqrt k+\eta}{\sqrt{1-\eta^2}}\right)^2\frac{R^2_{Y\sim c}}{1-R^2_{Y\sim c}},
        \qquad \eta^2 = \frac{k R_{D\sim c}^4}{(1-kR^2_{D\sim c})(1-R^2_{D\sim c})}

    The bound is a comparison, not an estimate: it says "if the omitted variable is no stronger than c,
    then …", and whether it is not is a matter of subject knowledge. Fixed effects are swept out first,
    so all shares are of the variance within them.

    Parameters
    ----------
    data, formula, coefficient
        As :func:`confounder_impacts`.
    benchmarks : list of covariates, optional
        All when omitted.
    multiples : list of k

    Returns
    -------
    DataFrame
        By covariate and multiple: `r2_treatment`, `r2_outcome` (shares) and, as
        :func:`bias_adjusted` with conventional errors, `estimate`, `se`, `t`.

    Raises
    ------
    TypeError, ValueError
        As :func:`confounder_impacts`; a benchmark that is not a covariate, a multiple that is not
        positive or so large that the confounder would explain all of the treatment or outcome.

    References
    ----------
    Cinelli and Hazlett (2020), section 4.4, as :func:`robustness_value`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["x", "c", "y"])
    >>> frame["x"] += 0.3 * frame["c"]
    >>> frame["y"] += frame["x"] + 0.3 * frame["c"]
    >>> benchmark_bounds(frame, "y ~ x + c", "x", multiples=[1])["estimate"].round(2).to_dict()
    {('c', 1): 0.82}
    """
    part = _within(read_formula(data, formula), coefficient)
    if isinstance(benchmarks, str):
        raise TypeError(f"benchmarks must be a list of names, got the string; write [{benchmarks!r}]")
    chosen = part.names if benchmarks is None else list(benchmarks)
    unknown = [name for name in chosen if name not in part.names]
    if unknown:
        raise ValueError(f"benchmarks {unknown} are not covariates of the formula: {', '.join(part.names)}")
    if not all(np.isfinite(k) and k > 0 for k in multiples):
        raise ValueError(f"multiples={list(multiples)!r} must be positive numbers, for example [1, 2, 3]")
    treatment = _partial(part.d, part.others)[0, 1:] ** 2
    with_y = _partial(part.y, part.d, part.others)[0, 1:]
    r2, outcome = float(with_y[0] ** 2), with_y[1:] ** 2
    x = np.column_stack([part.d, part.others])
    slope = float(np.linalg.lstsq(x, part.y, rcond=None)[0][0])
    estimate = slope * part.scale[0] / part.scale[1]
    se = abs(estimate) * float(np.sqrt((1 - r2) / (r2 * part.df)))
    rows = []
    for name in chosen:
        d, y = (float(share[part.names.index(name)]) for share in (treatment, outcome))
        for k in multiples:
            r2_d = k * d / (1 - d)
            eta2 = k * d**2 / ((1 - k * d) * (1 - d)) if k * d < 1 else np.inf
            r2_y = (np.sqrt(k) + np.sqrt(eta2)) ** 2 / (1 - eta2) * y / (1 - y) if eta2 < 1 else np.inf
            if r2_d >= 1 or r2_y > 1:
                raise ValueError(
                    f"a confounder {k:g} times as strong as {name!r} would explain more than all of the "
                    f"{'treatment' if r2_d >= 1 else 'outcome'}; take a smaller multiple or leave it out"
                )
            rows.append({"covariate": name, "multiple": k, "r2_treatment": r2_d, "r2_outcome": r2_y})
    table = pd.DataFrame(rows).set_index(["covariate", "multiple"])
    shares = (table["r2_treatment"].to_numpy(), table["r2_outcome"].to_numpy())
    return table.assign(**bias_adjusted(estimate, se, part.df, *shares))


def contour_grid(
    estimate: float,
    se: float,
    df: int,
    *,
    limit: float = 0.4,
    points: int = 81,
    of: Literal["estimate", "t"] = "estimate",
) -> pd.DataFrame:
    """Adjusted estimate or t over a grid of confounder strengths, for a contour plot.

    Parameters
    ----------
    estimate, se, df
        As :func:`robustness_value`.
    limit : float
        Largest share on both axes, below 1.
    points : int
        Per axis.
    of : "estimate" or "t"

    Returns
    -------
    DataFrame
        Rows `r2_outcome`, columns `r2_treatment`, both from 0 to `limit`; plot with
        ``ax.contour(grid.columns, grid.index, grid)``. At no confounding (0, 0) t is t·√((df − 1)/df),
        as the confounder takes one degree of freedom.

    Raises
    ------
    ValueError
        limit outside (0, 1), fewer than two points, and as :func:`robustness_value`.

    Examples
    --------
    >>> contour_grid(0.09731582, 0.02325654, 783, limit=0.3, points=4).round(3).loc[0.1].tolist()
    [0.097, 0.029, -0.006, -0.037]
    """
    if not 0 < limit < 1 or points < 2:
        raise ValueError(f"limit={limit!r} must lie between 0 and 1 and points={points!r} be at least 2")
    if of not in ("estimate", "t"):
        raise ValueError(f"of={of!r} is not one of 'estimate', 't'")
    axis = np.round(np.linspace(0, limit, points), 12)
    values = bias_adjusted(estimate, se, df, axis[None, :], axis[:, None])[of]
    return pd.DataFrame(
        values, index=pd.Index(axis, name="r2_outcome"), columns=pd.Index(axis, name="r2_treatment")
    )


@dataclass(frozen=True)
class Oster:
    """What :func:`oster` returns.

    Attributes
    ----------
    delta : float
        δ at which the effect would be `null`.
    beta : float
        β*, the effect if selection on unobservables is `assumed_delta` times that on observables.
    solutions : tuple of float
        All real solutions for β*, the nearest to the controlled coefficient first.
    approximation : float
        β* of the textbook formula β̃ − δ(β° − β̃)(R_max − R̃)/(R̃ − R°).
    r_max, assumed_delta, null
    """

    delta: float
    beta: float
    solutions: tuple[float, ...]
    approximation: float
    r_max: float
    assumed_delta: float
    null: float

    def __repr__(self) -> str:
        return _brief(self)

    def _repr_html_(self) -> str:
        return _table(
            {
                "R² max": f"{self.r_max:.4f}",
                f"δ for β = {self.null:g}": f"{self.delta:.4f}",
                f"β* for δ = {self.assumed_delta:g}": f"{self.beta:.4f}",
                "other solutions": ", ".join(f"{b:.4f}" for b in self.solutions if b != self.beta) or "none",
            }
        )


def oster_inputs(data: pd.DataFrame, formula: str, coefficient: str) -> dict[str, float]:
    """The seven numbers that :func:`oster` needs, from the data.

    Parameters
    ----------
    data, formula, coefficient
        As :func:`confounder_impacts`. The short regression drops all covariates but keeps the fixed
        effects, which are taken out of everything: both R² and the variances are those within. To
        count effects as observed controls write them as regressors, ``C(province)``.

    Returns
    -------
    dict
        `short`, `r2_short` (without covariates), `controlled`, `r2_controlled` (with), `var_outcome`,
        `var_treatment`, `var_residual` (of the treatment given the covariates).

    Raises
    ------
    TypeError, ValueError
        As :func:`confounder_impacts`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["x", "c", "y"])
    >>> frame["x"] += frame["c"]
    >>> frame["y"] += frame["x"] + frame["c"]
    >>> round(oster(**oster_inputs(frame, "y ~ x + c", "x")).delta, 3)
    1.034
    """
    design = read_formula(data, formula)
    part = _within(design, coefficient)
    x = np.column_stack([part.d, part.others])
    slopes = np.linalg.lstsq(x, part.y, rcond=None)[0]
    left = part.d - part.others @ np.linalg.lstsq(part.others, part.d, rcond=None)[0]
    ratio = part.scale[0] / part.scale[1]
    rows = len(design.y) - 1
    return {
        "short": float(part.d @ part.y) * ratio,
        "r2_short": float(part.d @ part.y) ** 2,
        "controlled": float(slopes[0]) * ratio,
        "r2_controlled": 1 - float(np.sum((part.y - x @ slopes) ** 2)),
        "var_outcome": part.scale[0] ** 2 / rows,
        "var_treatment": part.scale[1] ** 2 / rows,
        "var_residual": float(left @ left) * part.scale[1] ** 2 / rows,
    }


def oster(
    short: float,
    r2_short: float,
    controlled: float,
    r2_controlled: float,
    var_outcome: float,
    var_treatment: float,
    var_residual: float,
    *,
    r_max: float | None = None,
    delta: float = 1.0,
    null: float = 0.0,
) -> Oster:
    r"""Oster's δ and bias-adjusted effect β*, the exact solution.

    β°, R° without covariates; β̃, R̃ with them; R_max with the unobservables too. δ is the ratio of
    selection on unobservables to selection on observables, Cov(X, W₂)/Var(W₂) = δ Cov(X, W₁)/Var(W₁),
    W₁ and W₂ the two indices of the outcome equation. In units of the standard deviations, d = (β° −
    β̃)σ_x/σ_y, a = R̃ − R°, m = R_max − R̃, s = var_residual/var_treatment, the bias u = (β̃ −
    β*)σ_x/σ_y solves

    .. math:: (\delta-1)s(1-s)u^3 + (\delta-2)sd\,u^2 + \left[\delta m(1-s)-as-sd^2\right]u + \delta md = 0

    .. math:: \delta(\beta) = \frac{u\left[as+sd^2+2sd\,u+s(1-s)u^2\right]}{md+m(1-s)u+sd\,u^2+s(1-s)u^3}

    Of several roots β* is the nearest to β̃ on the far side of β̃ from β° (unobservables move the
    estimate the way observables did); if none is there, the nearest. `approximation` holds for δ = 1
    and covariates that enter treatment and outcome in the same proportions, and is often quoted alone.

    |δ| > 1 is customarily called robust. It is a convention (observed controls were chosen first, so
    the rest should matter less), not a test, has no sampling error here, and depends entirely on R_max.
    A negative δ says that controls moved the estimate away from `null`.

    Parameters
    ----------
    short, r2_short, controlled, r2_controlled, var_outcome, var_treatment, var_residual : float
        From :func:`oster_inputs`. Variables of no concern (and fixed effects) belong in both
        regressions; then var_treatment is the variance given these. Do not mix a within R² with the
        variance of the raw outcome (Stata's `psacalc` after `xtreg, fe` does).
    r_max : float, optional
        Between r2_controlled and 1. Default min(1, 1.3·r2_controlled), Oster's rule from randomised
        studies; it refers to the R² in hand, so a within R² of 0.2 gives 0.26.
    delta : float
        Assumed for β*.
    null : float
        The effect for which δ is asked.

    Returns
    -------
    Oster

    Raises
    ------
    ValueError
        R² not in the order 0 ≤ r2_short ≤ r2_controlled ≤ r_max ≤ 1, variances not positive,
        var_residual above var_treatment, numbers not finite.

    References
    ----------
    Oster (2019), J. Business & Economic Statistics 37(2), 187–204, Propositions 2 and 3; Stata psacalc.

    Examples
    --------
    Months of breastfeeding and IQ (NLSY), the sheet of R's package bate:

    >>> sheet = 0.04447926, 0.04465201, 0.01740748, 0.255621, 0.9900242**2, 4.629618**2, 18.99883
    >>> result = oster(*sheet, r_max=0.61)
    >>> round(result.delta, 2), round(result.beta, 3)
    (0.37, -0.034)
    """
    if r_max is None:
        r_max = min(1.0, 1.3 * r2_controlled)
    _finite(short=short, r2_short=r2_short, controlled=controlled, r2_controlled=r2_controlled)
    _finite(r_max=r_max, delta=delta, null=null, var_outcome=var_outcome)
    if not 0 <= r2_short <= r2_controlled <= r_max <= 1:
        raise ValueError(
            f"expected 0 ≤ r2_short ≤ r2_controlled ≤ r_max ≤ 1, got {r2_short!r}, "
            f"{r2_controlled!r}, {r_max!r}"
        )
    if not (var_outcome > 0 and 0 < var_residual <= var_treatment < np.inf):
        raise ValueError(
            "variances must be positive and var_residual not above var_treatment, got "
            f"var_outcome={var_outcome!r}, var_treatment={var_treatment!r}, var_residual={var_residual!r}"
        )
    unit = float(np.sqrt(var_outcome / var_treatment))
    d, s = (short - controlled) / unit, var_residual / var_treatment
    a, m = r2_controlled - r2_short, r_max - r2_controlled

    u = (controlled - null) / unit
    top = u * (a * s + s * d**2 + 2 * s * d * u + s * (1 - s) * u**2)
    bottom = m * d + m * (1 - s) * u + s * d * u**2 + s * (1 - s) * u**3
    needed = float(np.divide(top, bottom)) if bottom else float("nan")

    cubic = [
        (delta - 1) * s * (1 - s),
        (delta - 2) * s * d,
        delta * m * (1 - s) - a * s - s * d**2,
        delta * m * d,
    ]
    roots = np.roots(cubic)
    real = roots.real[np.abs(roots.imag) <= 1e-9 * (1 + np.abs(roots))]
    real = real[np.argsort(np.abs(real))]
    same = real[real * np.sign(d) >= 0]
    bias = same[0] if len(same) else real[0] if len(real) else np.nan
    return Oster(
        delta=needed,
        beta=float(controlled - bias * unit),
        solutions=tuple(float(controlled - root * unit) for root in real),
        approximation=float(controlled - delta * d * m / a * unit) if a > 0 else float("nan"),
        r_max=r_max,
        assumed_delta=delta,
        null=null,
    )
