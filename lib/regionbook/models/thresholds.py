"""Frank's thresholds: how much of a coefficient must be bias, and how large the impact of a confounder."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ..shown import Part, Shown
from ._formula import read_formula
from ._sensitivity import Swept, check_regression, partial


@dataclass(frozen=True, repr=False)
class ConfoundingThreshold(Shown):
    """What :func:`confounding_threshold` returns.

    Attributes
    ----------
    significant : bool; then all numbers say what would invalidate the inference, else what would sustain it
    threshold : float; the estimate that is just significant, in the unit of the estimate
    bias : float; share of the estimate that must be bias, or by which it falls short of the threshold
    replaced : int; RIR: the same as a number of observations
    r, r_critical : float; partial correlation of treatment and outcome, observed and just significant
    itcv : float; impact threshold: the product of two partial correlations
    correlation : float; √|itcv|, each of the two correlations when they are equal
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

    def _shown(self) -> list[Part]:
        verb = "invalidate" if self.significant else "sustain"
        return [
            {
                f"t ({self.df} df), critical": f"{self.t:.3f}, {self.t_critical:.3f}",
                "just significant estimate": f"{self.threshold:.4g}",
                f"bias to {verb} the inference": f"{self.bias:.2%} ({self.replaced:,} observations)",
                f"impact threshold to {verb} (ITCV)": f"{self.itcv:.4f} = {self.correlation:.3f}²"
                if self.itcv >= 0
                else f"{self.itcv:.4f} = −{self.correlation:.3f}²",
            }
        ]


def confounding_threshold(
    estimate: float, se: float, n: int, covariates: int, *, alpha: float = 0.05
) -> ConfoundingThreshold:
    r"""Frank's two thresholds of a printed coefficient: share of bias (RIR) and impact (ITCV).

    With df = n − covariates − 2, t = estimate/se and t_c its two-sided critical value (with t's sign):

    .. math:: bias = 1 - \frac{t_c\, se}{estimate}, \qquad RIR = n \cdot bias

    .. math:: r = \frac{t}{\sqrt{t^2+df}},\quad r_c = \frac{t_c}{\sqrt{t_c^2+df}},\qquad
        ITCV = \frac{r-r_c}{1-|r_c|}

    ITCV is the smallest product r_vx·r_vy of a confounder v's partial correlations that brings r to r_c. If
    |t| < t_c the question is reversed: bias = 1 − estimate/(t_c se), ITCV = −(r_c − r)/(1 + |r_c|) (positive
    estimate). It is a threshold, not an influence: report :func:`confounder_impacts` with it.

    Parameters
    ----------
    estimate, se : float; the coefficient and its standard error, in the same unit
    n : int; observations
    covariates : int; other regressors and fixed effects: 279 for 280 cities, 9 for 10 years
    alpha : float; two-sided significance level

    Returns
    -------
    ConfoundingThreshold

    Raises
    ------
    ValueError: se not positive, n not above covariates + 3, alpha outside (0, 1), numbers not finite

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
    check_regression(estimate, se, df, alpha)
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


def confounder_impacts(data: pd.DataFrame, formula: str, coefficient: str) -> pd.DataFrame:
    r"""Impact of each observed covariate on a coefficient, the yardstick of the impact threshold.

    .. math:: impact_c = r_{xc\,|\,others}\; r_{yc\,|\,others}

    x is the treatment, y the outcome, others are the other covariates and the fixed effects (x is not
    partialled out of r_yc). R's konfound prints impacts of raw correlations instead.

    Parameters
    ----------
    data : DataFrame, one row an observation
    formula : str; as for `pyfixest.feols`: ``"inn ~ digit + gov | city + year"``; effects may be index levels
    coefficient : str; the treatment

    Returns
    -------
    DataFrame; by covariate, largest |impact| first: `treatment`, `outcome` (partial correlations), `impact`

    Raises
    ------
    TypeError, ValueError: unknown names, missing values, collinear regressors, no covariate, too few rows

    References
    ----------
    Frank (2000), as :func:`confounding_threshold`; konfound's impact table.
    """
    part = Swept(read_formula(data, formula), coefficient)
    treatment = partial(part.d, part.others)[0, 1:]
    outcome = partial(part.y, part.others)[0, 1:]
    columns = {"treatment": treatment, "outcome": outcome, "impact": treatment * outcome}
    table = pd.DataFrame(columns, pd.Index(part.names, name="covariate"))
    return table.sort_values("impact", key=abs, ascending=False)
