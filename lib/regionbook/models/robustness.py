"""Robustness values and bounds by observed covariates, as sensemakr: thresholds, not measures of a confounder."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ..shown import Part, Shown
from ._formula import read_formula
from ._sensitivity import Swept, check_regression, partial


@dataclass(frozen=True, repr=False)
class Robustness(Shown):
    """What :func:`robustness_value` returns.

    Attributes
    ----------
    partial_r2 : float; of treatment and outcome given the covariates, 0 to 1
    rv : float; robustness value of the estimate: to take away the share `q` of it
    rv_alpha : float; robustness value of the inference: to make that no longer significant at `alpha`
    q, alpha, t, df
    """

    partial_r2: float
    rv: float
    rv_alpha: float
    q: float
    alpha: float
    t: float
    df: int

    def _shown(self) -> list[Part]:
        value = f"robustness value, q = {self.q:g}"
        facts = {"partial R² of treatment and outcome": self.partial_r2, value: self.rv}
        facts |= {f"{value}, α = {self.alpha:g}": self.rv_alpha}
        return [{f"t ({self.df} df)": f"{self.t:.3f}"} | {name: f"{v:.2%}" for name, v in facts.items()}]


def robustness_value(
    estimate: float, se: float, df: int, *, q: float = 1.0, alpha: float = 0.05
) -> Robustness:
    r"""Partial R² and robustness value of a coefficient, as sensemakr.

    With f = |t|/√df (partial R² = f²/(1 + f²)), f_c = t_c(df − 1)/√(df − 1):

    .. math:: RV = \tfrac12\left(\sqrt{g^4+4g^2}-g^2\right), \quad g = qf
        \ \text{(estimate)},\quad g = qf - f_c\ \text{(inference)}

    RV_α is 0 when g < 0, and ((qf)² − f_c²)/(1 + (qf)²) when qf > 1/f_c. Only a confounder that explains at least
    RV of the residual variance of treatment or outcome can take away the share q. RV is a function of t and df
    alone; :func:`benchmark_bounds` gives it a scale.

    Parameters
    ----------
    estimate, se : float; se is the conventional one: only with it is t²/(t² + df) a partial R²
    df : int; residual degrees of freedom, all fixed effects counted
    q : float; share of the estimate to explain away; 1 is all, above 1 turns the sign
    alpha : float; two-sided level of `rv_alpha`

    Returns
    -------
    Robustness

    Raises
    ------
    ValueError: se or q not positive, df below 2, alpha outside (0, 1], numbers not finite

    References
    ----------
    Cinelli and Hazlett (2020), J. Royal Statistical Society B 82(1), 39–67; R package sensemakr.

    Examples
    --------
    >>> darfur = robustness_value(0.09731582, 0.02325654, 783)
    >>> round(darfur.partial_r2, 3), round(darfur.rv, 3), round(darfur.rv_alpha, 3)
    (0.022, 0.139, 0.076)
    """
    check_regression(estimate, se, df, alpha, least=2)
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
    estimate: float, se: float, df: int, r2_treatment: float | np.ndarray, r2_outcome: float | np.ndarray
) -> dict[str, np.ndarray]:
    r"""Estimate, standard error and t if a confounder of the given strength had been controlled for.

    R²_D: share of the treatment's residual variance that the confounder explains (given the
    covariates); R²_Y: of the outcome's (given treatment and covariates):

    .. math:: |bias| = se\sqrt{df\,\frac{R^2_Y R^2_D}{1-R^2_D}}, \qquad
        se^* = se\sqrt{\frac{1-R^2_Y}{1-R^2_D}\,\frac{df}{df-1}}

    The bias is taken towards zero and beyond; the formula does not know its sign.

    Parameters
    ----------
    estimate, se, df : as :func:`robustness_value`; conventional standard error
    r2_treatment, r2_outcome : float or array; between 0 and 1 (r2_treatment below 1); arrays are broadcast

    Returns
    -------
    dict of ndarray; `estimate`, `se`, `t`

    Raises
    ------
    ValueError: a share outside its range, and as :func:`robustness_value`

    References
    ----------
    Cinelli and Hazlett (2020), section 3; as :func:`robustness_value`.

    Examples
    --------
    >>> new = bias_adjusted(0.09731582, 0.02325654, 783, 0.1, 0.1)
    >>> round(float(new["estimate"]), 4), round(float(new["t"]), 3)
    (0.0287, 1.234)
    """
    check_regression(estimate, se, df, 0.05, least=2)
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

    Fixed effects are swept out first, so all shares are of the variance within them.

    Parameters
    ----------
    data, formula, coefficient : as :func:`confounder_impacts`
    benchmarks : list of covariates, optional; all when omitted
    multiples : list of k

    Returns
    -------
    DataFrame; by covariate and multiple: both shares and, as :func:`bias_adjusted`, `estimate`, `se`, `t`

    Raises
    ------
    TypeError, ValueError: as :func:`confounder_impacts`; a benchmark that is no covariate, impossible multiples

    References
    ----------
    Cinelli and Hazlett (2020), section 4.4, as :func:`robustness_value`.
    """
    part = Swept(read_formula(data, formula), coefficient)
    if isinstance(benchmarks, str):
        raise TypeError(f"benchmarks must be a list of names, got the string; write [{benchmarks!r}]")
    chosen = part.names if benchmarks is None else list(benchmarks)
    unknown = [name for name in chosen if name not in part.names]
    if unknown:
        raise ValueError(f"benchmarks {unknown} are not covariates of the formula: {', '.join(part.names)}")
    if not all(np.isfinite(k) and k > 0 for k in multiples):
        raise ValueError(f"multiples={list(multiples)!r} must be positive numbers, for example [1, 2, 3]")
    treatment = partial(part.d, part.others)[0, 1:] ** 2
    with_y = partial(part.y, part.d, part.others)[0, 1:]
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
