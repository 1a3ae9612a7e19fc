"""Wild cluster bootstrap-t for one coefficient, fast enough for a lesson."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ..index._checks import one_of
from ..shown import Part, Shown
from ._formula import Design, read_formula
from ._within import between_0_and_1, clusters_of, rank_outside

WEIGHTS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)]),
}


@dataclass(frozen=True, repr=False)
class WildBootstrap(Shown):
    """What :func:`wild_bootstrap` returns.

    Attributes
    ----------
    estimate, se, t : float; the coefficient, its clustered (CR1) standard error, and t of the null
    p : float; two-sided
    interval : (low, high); values of the coefficient that the same test does not reject
    t_draws : ndarray; the bootstrap's t statistics under the null
    clusters, weights, enumerated, level, null : `enumerated`: with all weight vectors p is exact
    """

    estimate: float
    se: float
    t: float
    p: float
    interval: tuple[float, float]
    t_draws: np.ndarray
    clusters: int
    weights: str
    enumerated: bool
    level: float
    null: float

    def _shown(self) -> list[Part]:
        kind = "all" if self.enumerated else "random"
        rows = {
            "estimate (clustered s.e.)": f"{self.estimate:.4f} ({self.se:.4f})",
            f"t of β = {self.null:g}": f"{self.t:.3f}",
            "bootstrap p": f"{self.p:.4f}",
            f"{self.level:.0%} interval": f"[{self.interval[0]:.4f}, {self.interval[1]:.4f}]",
            "clusters, draws": f"{self.clusters}, {len(self.t_draws):,} {kind} {self.weights}",
        }
        return [rows]


def wild_bootstrap(
    data: pd.DataFrame,
    formula: str,
    coefficient: str,
    cluster: str,
    *,
    weights: Literal["rademacher", "webb"] = "rademacher",
    draws: int = 9999,
    null: float = 0.0,
    level: float = 0.95,
    seed: int | None = None,
) -> WildBootstrap:
    r"""Restricted wild cluster bootstrap-t test of β = `null` in a least-squares or fixed-effects model.

    The model is estimated with β = null imposed (residuals ũ); the residuals of each cluster g are multiplied with
    one random v_g, and it is counted how often |t*| ≥ |t|:

    .. math:: y^*_{ig} = x_{ig}'\tilde\beta + v_g\,\tilde u_{ig}, \qquad t^* = (\hat\beta^* - \text{null})/se^*

    With a = M x / x'Mx, β̂* − null = Σ_h v_h Σ_{i∈h} a_i ũ_i and the cluster scores of t* are H v, H a G × G matrix.

    Parameters
    ----------
    data : DataFrame, one row an observation
    formula : str; as for `pyfixest.feols`: ``"inn ~ digit + gov | city + year"``; effects may be index levels
    coefficient : str; the regressor tested
    cluster : column or index level
    weights : "rademacher" or "webb"; ±1, or six points for about ten clusters and fewer
    draws : int; random weight vectors; when all 2^G (6^G) of them are not more, all are used
    null, level : float
    seed : int; needed unless all vectors are used

    Returns
    -------
    WildBootstrap
        p is the share of |t*| ≥ |t| (all vectors), or (1 + number)/(1 + draws). An end of `interval` is
        infinite if no value on that side is rejected (five clusters and fewer with "rademacher").

    Raises
    ------
    TypeError, ValueError: unknown names, missing values, a coefficient that the effects absorb, one cluster

    References
    ----------
    Cameron, Gelbach and Miller (2008), REStat 90; Roodman, Nielsen, MacKinnon and Webb (2019), Stata
    Journal 19, section 5, for the algorithm; Webb (2023) for the six points.
    """
    one_of(WEIGHTS, weights=weights)
    between_0_and_1(level)
    if draws < 1:
        raise ValueError(f"draws={draws!r} must be at least 1")
    design = read_formula(data, formula)
    group = clusters_of(design.frame, cluster, "cluster")
    groups = int(group.max()) + 1
    v, enumerated = _vectors(WEIGHTS[weights], groups, draws, seed)
    fitted = _Fitted(design, coefficient, group, v)
    estimate, se, t_draws = fitted.estimate, fitted.se, fitted.t_draws

    def p_value(delta: float) -> float:
        # a draw of equal signs gives t itself: a tolerance, lest rounding decides about it
        extreme = int((np.abs(t_draws(delta)) >= abs(delta) / se * (1 - 1e-9)).sum())
        return extreme / len(v) if enumerated else (1 + extreme) / (1 + len(v))

    def end(side: int) -> float:
        inside, outside = 0.0, se
        while p_value(side * outside) > 1 - level:
            inside, outside = outside, 2 * outside
            if outside > 1e6 * se:
                return side * np.inf
        while outside - inside > 1e-7 * se:
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if p_value(side * middle) > 1 - level else (inside, middle)
        return estimate + side * inside

    delta = null - estimate
    found = estimate, se, -delta / se, p_value(delta), (end(-1), end(1)), t_draws(delta)
    return WildBootstrap(*found, groups, weights, enumerated, level, null)


def _vectors(points: np.ndarray, groups: int, draws: int, seed: int | None) -> tuple[np.ndarray, bool]:
    """Weight vectors (draws × groups), and whether these are all that there are."""
    kinds = len(points)
    if kinds**groups <= draws:
        return points[np.arange(kinds**groups)[:, None] // kinds ** np.arange(groups) % kinds], True
    if seed is None:
        raise ValueError(f"{kinds}^{groups} weight vectors are more than draws={draws}: give a seed")
    return np.random.default_rng(seed).choice(points, size=(draws, groups)), False


class _Fitted:
    """The regression without any null, and t* of every draw of the weights `v` as a function of δ = null − estimate."""

    def __init__(self, design: Design, coefficient: str, group: np.ndarray, v: np.ndarray) -> None:
        n, groups = len(group), int(group.max()) + 1
        sweep, x, y, q = design.last(coefficient).swept()
        # q's last column is x after everything else, up to its length; the other columns span the controls
        others, direction = q[:, :-1], q[:, -1]
        length = direction @ x[:, -1]
        a, x = direction / length, direction * length  # the estimate is a'y
        y -= others @ (others.T @ y)
        self.estimate = float(a @ y)
        residual = y - self.estimate * x
        counted = rank_outside(list(design.effects.values()), group, n) + len(design.names)
        self.small = groups / (groups - 1) * (n - 1) / (n - counted)
        self.se = float(np.sqrt(self.small * (np.bincount(group, a * residual) ** 2).sum()))
        member = np.eye(groups)[group]

        def scores(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """β̂* − null and the cluster scores of t* when the restricted residual is `u`, for every draw."""
            parts = sweep(u[:, None] * member)
            parts -= q @ (q.T @ parts)
            h = np.stack([np.bincount(group, column) for column in (a[:, None] * parts).T], axis=1)
            return v @ np.bincount(group, a * u), v @ h.T

        # the restricted residual of null = estimate + δ is residual − δ x: one pass serves every null
        (self.by, sy), (self.bx, sx) = scores(residual), scores(x)
        self.squares = [(s * t).sum(axis=1) for s, t in ((sy, sy), (sy, sx), (sx, sx))]

    def t_draws(self, delta: float) -> np.ndarray:
        q0, q1, q2 = self.squares
        square = np.maximum(q0 - 2 * delta * q1 + delta**2 * q2, 1e-300)
        return (self.by - delta * self.bx) / np.sqrt(self.small * square)
