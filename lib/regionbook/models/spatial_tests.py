"""The battery of tests with which papers choose a spatial panel model."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ..index._checks import one_of
from ..shown import Part, Shown
from ._logdet import LogDet, Method
from ._spatial import Stack, Transformed, stack
from .spatial_durbin import Correction, Effects, SpatialPanel, _estimate

Row = tuple[float, int]
SINGULAR = 1e-4
"""Hausman needs V_FE − V_RE to leave more than this share of V_FE in every direction; else what is left is rounding."""


@dataclass(frozen=True, repr=False)
class SpatialTests(Shown):
    """What :func:`spatial_tests` returns.

    Attributes
    ----------
    table : DataFrame; one row a test; columns statistic (χ²), df, p, null
    effects, correction : str
    """

    table: pd.DataFrame
    effects: str
    correction: str

    def _shown(self) -> list[Part]:
        t = self.table
        shown = t.assign(statistic=t["statistic"].map("{:.3f}".format), p=t["p"].map("{:.4f}".format))
        return [shown, f"effects: {self.effects}, likelihood: {self.correction}"]


def spatial_tests(
    panel: pd.DataFrame,
    formula: str,
    w: object,
    *,
    effects: Effects = "twoways",
    correction: Correction = "lee-yu",
    logdet: Method = "auto",
) -> SpatialTests:
    r"""LM, robust LM, LR, Wald and Hausman tests around the spatial Durbin model of a panel.

    With the residual e of the model without a spatial term, σ² = SSR/n, b its coefficients, M the residual maker,
    τ = T·tr(W'W + WW) and J = ‖M WXb‖²/σ² + τ:

    .. math:: LM_{lag} = \frac{(e'Wy/\sigma^2)^2}{J}, \quad LM_{error} = \frac{(e'We/\sigma^2)^2}{\tau}, \quad
        LM^*_{lag} = \frac{(e'Wy - e'We)^2/\sigma^4}{J - \tau}, \quad
        LM^*_{error} = \frac{(e'We - \tfrac{\tau}{J}\,e'Wy)^2/\sigma^4}{\tau(1 - \tau/J)}

    With "direct", W acts on the demeaned data (Elhorst); with "lee-yu" on the transformed data: blocks T − 1, and W
    centred if there are period effects. LR is 2(ln L_SDM − ln L). Wald tests θ = 0 (SAR) and θ + ρβ = 0 (SEM) in the
    SDM. "both" against "unit" and "time" effects: LR of the SDM's direct likelihoods. Hausman: SDM with fixed against
    random unit effects (no period effects), (b_F − b_R)'[V_F − V_R]⁻¹(b_F − b_R) over slopes and ρ, both V with the
    fixed model's σ²; NaN where V_F − V_R is not positive definite.

    Parameters
    ----------
    panel, formula, w, correction, logdet : as for :func:`spatial_durbin`
    effects : "twoways", "unit", "time" or "none"

    Returns
    -------
    SpatialTests

    Raises
    ------
    TypeError, ValueError: as for :func:`spatial_durbin`

    References
    ----------
    Anselin, Bera, Florax and Yoon (1996), Regional Science and Urban Economics 26; Debarsy and Ertur (2010), ibid. 40,
    for the transformed data; Elhorst (2010), Spatial Economic Analysis 5.
    """
    one_of(("twoways", "unit", "time", "none"), effects=effects)
    one_of(("lee-yu", "direct"), correction=correction)
    data = stack(panel, formula, w)
    ld = LogDet(data.w, logdet)
    if effects == "none":
        correction = "direct"

    def fit(model: str, effects: str = effects, correction: str = correction) -> SpatialPanel:
        return _estimate(data, ld, model, effects, correction)

    sdm, sar, sem = fit("sdm"), fit("sar"), fit("sem")
    rows: dict[str, tuple[Row, str]] = {}
    for name, row in _lm(data, ld, effects, correction).items():
        rows[name] = row, "no spatial " + ("term" if "SARMA" in name else "lag" if "lag" in name else "error")
    for name, small in (("SAR", sar), ("SEM", sem)):
        df = len(sdm.params) - len(small.params)
        rows[f"LR: SDM against {name}"] = (2 * (sdm.loglik - small.loglik), df), f"{name} suffices"
    for name, row in _wald(sdm, data).items():
        rows[f"Wald: SDM against {name}"] = row, f"{name} suffices"
    if effects == "twoways":
        both = sdm if correction == "direct" else fit("sdm", correction="direct")
        for single, df in (("unit", data.periods - 1), ("time", ld.n - 1)):
            less = fit("sdm", single, "direct").loglik
            rows[f"LR: both against {single} effects"] = (2 * (both.loglik - less), df), f"{single} suffices"
    if effects in ("unit", "twoways"):
        row = _hausman(fit("sdm", "unit", "direct"), fit("sdm", "random", "direct"))
        rows["Hausman: fixed against random"] = row, "random effects suffice"
    found = [(value, df, special.chdtrc(df, value), null) for (value, df), null in rows.values()]
    table = pd.DataFrame(found, pd.Index(rows, name="test"), ["statistic", "df", "p", "null"])
    return SpatialTests(table, effects, correction)


def _lm(data: Stack, ld: LogDet, effects: str, correction: str) -> dict[str, Row]:
    d = Transformed(data, ld, "ols", effects, correction)
    b = np.linalg.lstsq(d.x, d.y, rcond=None)[0]
    e = d.y - d.x @ b
    s2 = float(e @ e) / d.n
    w = data.w
    tau = float(w.multiply(w).sum() + w.multiply(w.T).sum())
    if d.lost:  # of F'WF, F the orthonormal complement of the constant
        tau -= float((np.asarray(w.sum(axis=0)) ** 2).sum()) / ld.n + 1
    tau *= d.blocks
    wxb = d.wx @ b if correction == "lee-yu" else data.lag(d.x @ b).ravel()
    resid = wxb - d.x @ np.linalg.lstsq(d.x, wxb, rcond=None)[0]
    j = float(resid @ resid) / s2 + tau
    lag, error = float(e @ d.wy) / s2, float(e @ data.lag(e).ravel()) / s2
    robust_lag, robust_error = (
        (lag - error) ** 2 / (j - tau),
        (error - tau / j * lag) ** 2 / (tau * (1 - tau / j)),
    )
    found = {"LM lag": (lag**2 / j, 1), "robust LM lag": (robust_lag, 1), "LM error": (error**2 / tau, 1)}
    return found | {"robust LM error": (robust_error, 1), "LM SARMA": (error**2 / tau + robust_lag, 2)}


def _wald(sdm: SpatialPanel, data: Stack) -> dict[str, Row]:
    names = list(sdm.params.index)
    own = [names.index(x) for x in data.names]
    lag = [names.index(f"W_{x}") for x in data.names]
    m, at = len(own), names.index("rho")
    p, v = sdm.params.to_numpy(), sdm.cov.to_numpy()
    zero = np.zeros((m, len(names)))
    zero[range(m), lag] = 1
    common = zero.copy()
    common[:, at] = p[own]
    common[range(m), own] = p[at]
    theta, factor = p[lag], p[lag] + p[at] * p[own]
    both = {"SAR": (zero, theta), "SEM": (common, factor)}
    return {name: (float(x @ np.linalg.solve(R @ v @ R.T, x)), m) for name, (R, x) in both.items()}


def _hausman(fixed: SpatialPanel, random: SpatialPanel) -> Row:
    keep = list(fixed.params.index)
    d = (fixed.params - random.params[keep]).to_numpy()
    m = (fixed.cov - fixed.sigma2 / random.sigma2 * random.cov.loc[keep, keep]).to_numpy()
    root = np.sqrt(np.diag(fixed.cov))
    if np.linalg.eigvalsh(m / np.outer(root, root)).min() < SINGULAR:
        return np.nan, len(keep)
    return float(d @ np.linalg.solve(m, d)), len(keep)
