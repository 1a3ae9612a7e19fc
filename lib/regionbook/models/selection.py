"""Oster's δ: selection on unobservables against selection on observables; a threshold, not a measure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..shown import Part, Shown
from ._formula import read_formula
from ._sensitivity import Swept, finite


@dataclass(frozen=True, repr=False)
class Oster(Shown):
    """What :func:`oster` returns.

    Attributes
    ----------
    delta : float; δ at which the effect would be `null`
    beta : float; β*, the effect if selection on unobservables is `assumed_delta` times that on observables
    solutions : tuple of float; all real solutions for β*, the nearest to the controlled coefficient first
    r_max, assumed_delta, null
    """

    delta: float
    beta: float
    solutions: tuple[float, ...]
    r_max: float
    assumed_delta: float
    null: float

    def _shown(self) -> list[Part]:
        facts = {"R² max": self.r_max, f"δ for β = {self.null:g}": self.delta}
        facts |= {f"β* for δ = {self.assumed_delta:g}": self.beta}
        others = ", ".join(f"{b:.4f}" for b in self.solutions if b != self.beta) or "none"
        return [{name: f"{v:.4f}" for name, v in facts.items()} | {"other solutions": others}]


def oster_inputs(data: pd.DataFrame, formula: str, coefficient: str) -> dict[str, float]:
    """The seven numbers that :func:`oster` needs, from the data.

    Parameters
    ----------
    data, formula, coefficient
        As :func:`confounder_impacts`. Fixed effects are taken out of both regressions; to count them as
        observed controls write them as regressors, ``C(province)``.

    Returns
    -------
    dict; the arguments of :func:`oster`

    Raises
    ------
    TypeError, ValueError: as :func:`confounder_impacts`

    References
    ----------
    Oster (2019), as :func:`oster`.
    """
    design = read_formula(data, formula)
    part = Swept(design, coefficient)
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

    Of several roots β* is the nearest to β̃ on the far side of β̃ from β°; if none is there, the nearest.
    |δ| > 1 is called robust by convention; a negative δ says that controls moved the estimate away from `null`.

    Parameters
    ----------
    short, r2_short, controlled, r2_controlled, var_outcome, var_treatment, var_residual : float
        From :func:`oster_inputs`; all net of the fixed effects, or none (`psacalc` after `xtreg, fe` mixes them).
    r_max : float, optional; at least r2_controlled; default min(1, 1.3·r2_controlled), Oster's rule
    delta : float; assumed for β*
    null : float; the effect for which δ is asked

    Returns
    -------
    Oster

    Raises
    ------
    ValueError: R² not in the order 0 ≤ r2_short ≤ r2_controlled ≤ r_max ≤ 1, impossible variances

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
    finite(short=short, r2_short=r2_short, controlled=controlled, r2_controlled=r2_controlled)
    finite(r_max=r_max, delta=delta, null=null, var_outcome=var_outcome)
    if not 0 <= r2_short <= r2_controlled <= r_max <= 1:
        said = f"expected 0 ≤ r2_short ≤ r2_controlled ≤ r_max ≤ 1, got {r2_short!r},"
        raise ValueError(f"{said} {r2_controlled!r}, {r_max!r}")
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

    linear = delta * m * (1 - s) - a * s - s * d**2
    roots = np.roots([(delta - 1) * s * (1 - s), (delta - 2) * s * d, linear, delta * m * d])
    real = roots.real[np.abs(roots.imag) <= 1e-9 * (1 + np.abs(roots))]
    real = real[np.argsort(np.abs(real))]
    same = real[real * np.sign(d) >= 0]
    bias = same[0] if len(same) else real[0] if len(real) else np.nan
    return Oster(
        delta=needed,
        beta=float(controlled - bias * unit),
        solutions=tuple(float(controlled - root * unit) for root in real),
        r_max=r_max,
        assumed_delta=delta,
        null=null,
    )
