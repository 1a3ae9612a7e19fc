"""Devices that turn a simulated balanced panel into one whose estimates are known beforehand.

Three facts carry this module.

1. Given the regressors, every coefficient of a linear regression or of a just identified instrumental-variable
   regression is a **linear** function of the outcome, the constant of a dummy-variable regression included.
   A printed table is therefore a set of linear equations ``A y = b`` in the outcome, and `project` finds the
   outcome closest to a structural draw that satisfies all of them at once and stays inside its printed range.
2. Standard errors and R-squared are ratios of sums of squares. `match` tunes the amplitudes of three parts of
   the structural draw (between units, common over time, idiosyncratic) until these sums are right too.
3. The entropy weight of an indicator depends on the shape of its distribution only. `tilt` is a one-parameter
   family of shapes, `rake` makes the entropy index of many indicators equal a given outcome while the weights stay.

All arrays are in unit-major order: the periods of the first unit, then those of the second.
Every simulated panel that was passed through these devices reproduces printed numbers *by construction*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit

Array = NDArray[Any]


class CalibrationError(RuntimeError):
    """A set of targets could not be met; the message says which and by how much."""


# ------------------------------------------------------------------------------------------- balanced panels
@dataclass(frozen=True)
class Grid:
    """Shape of a balanced panel in unit-major order.

    Parameters
    ----------
    units, periods : int
        Number of units N and of periods T; vectors of the panel have length N*T.

    Examples
    --------
    >>> grid = Grid(units=2, periods=3)
    >>> grid.expand(np.array([1.0, 5.0])).tolist()
    [1.0, 1.0, 1.0, 5.0, 5.0, 5.0]
    >>> grid.within(np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """

    units: int
    periods: int

    @property
    def size(self) -> int:
        """Number of observations, N*T."""
        return self.units * self.periods

    @property
    def trend(self) -> Array:
        """Linear trend 1..T for every unit."""
        return np.tile(np.arange(1.0, self.periods + 1), self.units)

    @property
    def standard_trend(self) -> Array:
        """The trend with mean 0 and standard deviation 1."""
        return zscore(self.trend)

    def expand(self, values: Array) -> Array:
        """Repeat one value a unit over the periods."""
        return np.repeat(values, self.periods, axis=0)

    def by_unit(self, values: Array) -> Array:
        """The vector as an N x T table."""
        return values.reshape(self.units, self.periods)

    def unit_mean(self, values: Array) -> Array:
        """Mean of each unit, repeated over its periods."""
        return self.expand(self.by_unit(values).mean(1))

    def unit_mean_rows(self, rows: Array) -> Array:
        """`unit_mean` of each row of a k x n matrix."""
        blocks = rows.reshape(len(rows), self.units, self.periods)
        return np.repeat(blocks.mean(2), self.periods, axis=1)

    def within(self, values: Array) -> Array:
        """Two-way within transformation of a vector or of each column of a matrix."""
        z = values.reshape(self.units, self.periods, -1)
        z = z - z.mean(1, keepdims=True) - z.mean(0, keepdims=True) + z.mean((0, 1), keepdims=True)
        return z.reshape(values.shape)

    def ar1(self, rng: np.random.Generator, persistence: float) -> Array:
        """Stationary first-order autoregression with unit variance, independent between units."""
        e = rng.standard_normal((self.units, self.periods))
        for t in range(1, self.periods):
            e[:, t] = persistence * e[:, t - 1] + np.sqrt(1 - persistence**2) * e[:, t]
        return e.ravel()

    def score(
        self,
        rng: np.random.Generator,
        unit_part: Array,
        trend: float,
        within_share: float,
        persistence: float,
    ) -> Array:
        """Latent score: a unit part, a common trend and an autoregressive within part.

        ``within_share`` is the variance share of the within part; it decides the standard error that a regressor
        built from the score will have next to unit effects.
        """
        return (
            np.sqrt(1 - within_share) * self.expand(zscore(unit_part))
            + trend * self.standard_trend
            + np.sqrt(within_share) * self.ar1(rng, persistence)
        )


def zscore(values: Array) -> Array:
    """Mean 0, standard deviation 1."""
    return (values - values.mean()) / values.std()


def residual(values: Array, regressors: Array) -> Array:
    """Residual of a least-squares regression of ``values`` on the columns of ``regressors``."""
    X = regressors / np.sqrt((regressors**2).sum(0))
    return values - X @ np.linalg.solve(X.T @ X, X.T @ values)


def soft_floor(values: Array, floor: Array | float, scale: float) -> Array:
    """Smooth version of ``max(values, floor)``: always above the floor, equal to ``values`` well above it."""
    return floor + scale * np.logaddexp(0, (values - floor) / scale)


# --------------------------------------------------------------------------------------------- linear targets
class Targets:
    """A growing system ``A y = b`` of linear targets on an outcome.

    Examples
    --------
    >>> targets = Targets()
    >>> targets.add("mean", np.full(4, 0.25), 3.0)
    >>> targets.matrix.shape, targets.values.tolist(), targets.names
    ((1, 4), [3.0], ['mean'])
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._rows: list[Array] = []
        self._values: list[float] = []

    def add(self, name: str, row: Array, value: Any) -> None:
        """Add the target ``row @ y = value``."""
        self.names.append(name)
        self._rows.append(row)
        self._values.append(float(value))

    @property
    def matrix(self) -> Array:
        """The rows, k x n."""
        return np.array(self._rows)

    @property
    def values(self) -> Array:
        """The right-hand sides, length k."""
        return np.array(self._values)


@dataclass(frozen=True)
class Projection:
    """Outcome of `project`: the projected vector, its multipliers and the largest relative miss of a target."""

    values: Array
    multipliers: Array
    miss: float


def project(
    prior: Array,
    spread: Array,
    rows: Array,
    targets: Array,
    lower: Array,
    upper: Array,
    start: Array | None = None,
    tolerance: float = 1e-10,
) -> Projection:
    r"""Move a structural draw as little as possible so that linear targets hold and bounds are respected.

    The distance is entropic (Fermi-Dirac), so the solution lies strictly between the bounds and no observations
    pile up on them:

    .. math:: y(\lambda) = l + (u-l)\,\Lambda\bigl(\mathrm{logit}\tfrac{y_0-l}{u-l} + v \cdot A'\lambda\bigr)

    with the multipliers found by Newton's method on ``A y = b``.

    Parameters
    ----------
    prior : (n,) array
        Structural draw, strictly inside the bounds where these differ.
    spread : (n,) array
        Willingness v of each observation to move (on the log-odds scale).
    rows, targets : (k, n) and (k,) arrays
        The system ``A y = b``.
    lower, upper : (n,) arrays
        Bounds; an observation with equal bounds is pinned.
    start : (k,) array, optional
        Multipliers of an earlier solution with the *same* rows, to start from.

    Raises
    ------
    CalibrationError
        If a prior value is outside its bounds.

    Examples
    --------
    >>> n = 100
    >>> rows = np.full((1, n), 1 / n)
    >>> p = project(np.full(n, 0.3), np.ones(n), rows, np.array([0.5]), np.zeros(n), np.ones(n))
    >>> round(float(p.values.mean()), 6)
    0.5
    """
    free = upper > lower
    outside = free & ((prior <= lower) | (prior >= upper))
    if outside.any():
        raise CalibrationError(f"project: {outside.sum()} prior values are not inside their bounds")
    width, base, v = (upper - lower)[free], lower[free], spread[free]
    values = np.where(free, prior, lower)
    logit = np.log((prior[free] - base) / (upper[free] - prior[free]))
    A = rows[:, free]
    scale = np.sqrt((A**2 * (v * width)).sum(1))
    scale[scale == 0] = 1.0
    A = A / scale[:, None]
    b = (targets - rows[:, ~free] @ lower[~free]) / scale
    lam = np.zeros(len(b)) if start is None else start.copy()
    with np.errstate(over="ignore"):
        share = expit(logit + v * (lam @ A))
        gap = A @ (base + width * share) - b
        for _ in range(60):
            if np.abs(gap).max() < tolerance:
                break
            J = (A * (width * v * share * (1 - share))) @ A.T
            step = np.linalg.lstsq(J, gap, rcond=1e-14)[0]
            length = 1.0
            while True:
                new = lam - length * step
                share_new = expit(logit + v * (new @ A))
                gap_new = A @ (base + width * share_new) - b
                if np.linalg.norm(gap_new) < (1 - 1e-4 * length) * np.linalg.norm(gap) or length < 1e-5:
                    break
                length /= 2
            lam, share, gap = new, share_new, gap_new
            if length < 1e-5:
                break
    values[free] = base + width * share
    return Projection(values, lam, float(np.abs(gap).max()))


# ------------------------------------------------------------------------------------------ quadratic targets
@dataclass(frozen=True)
class Squares:
    """Three sums of squares of an outcome: total, around unit means, and residual of the two-way regression."""

    total: float
    around_unit_means: float
    residual: float


@dataclass(frozen=True)
class Match:
    """Outcome of `match`.

    ``structural`` is the draw before projection at the final amplitudes; ``miss`` the largest relative miss of a
    linear target, ``square_miss`` that of a sum of squares.
    """

    values: Array
    structural: Array
    amplitudes: Array
    rounds: int
    miss: float
    square_miss: float


def match(
    grid: Grid,
    fixed: Array,
    parts: Array,
    spread: Array,
    targets: Targets,
    bounds: tuple[Array, Array],
    mean: float,
    squares: Squares,
    regressors: Array,
    gain: tuple[float, float, float] = (0.5, 0.5, 0.5),
    extra: Callable[[Array], tuple[Array, Array]] | None = None,
    floor_scale: float = 0.1,
    rounds: int = 80,
    tolerance: float = 1e-6,
) -> Match:
    """Project ``fixed + amplitudes @ parts`` on linear targets and tune the amplitudes to the sums of squares.

    Parameters
    ----------
    grid : Grid
        Shape of the panel.
    fixed : (n,) array
        Part of the draw that is not rescaled: treatment effect and controls.
    parts : (3, n) array
        Between-unit part, common time part, idiosyncratic part.
    spread, targets, bounds
        See `project`; the mean is added as a target.
    mean : float
        Mean of the outcome.
    squares : Squares
        Wanted sums of squares. A residual sum of squares is ``se**2 * D * df`` for a regressor whose own residual
        sum of squares is D; the sum around unit means is ``residual / (1 - R2)`` for the within R-squared of
        Stata's ``xtreg, fe``, which counts period effects as explained.
    regressors : (n, k) array
        Two-way demeaned regressors of the regression that the residual belongs to.
    gain : three floats
        Power of target/actual by which each amplitude is corrected in a round. A half is exact for a sum of squares
        that stems from one part alone; more is faster where linear targets already pin most of it.
    extra : callable, optional
        Gives further rows and values from the last solution (for targets that are linear only locally); it is
        called in the first 15 rounds and then frozen.
    floor_scale : float
        Softness, in units of ``mean``, with which the draw is bent to stay inside the bounds.

    Raises
    ------
    CalibrationError
        If linear targets are missed, or the sums of squares end more than 2 per cent off.
    """
    lower, upper = bounds
    rows = np.vstack([targets.matrix, np.full(grid.size, 1 / grid.size)])
    values = np.append(targets.values, mean)
    free = upper > lower
    amp = np.ones(3)
    last: Array = np.zeros(0)
    lam: Array | None = None
    frozen: tuple[Array, Array] | None = None
    square_miss = np.inf
    soft = floor_scale * mean
    for k in range(rounds):
        draw = fixed + amp @ parts
        draw = draw + (mean - draw.mean())
        draw = soft_floor(draw, lower + 1e-3 * soft, soft)
        draw = -soft_floor(-draw, -(upper - 1e-3 * soft), soft)
        all_rows, all_values = rows, values
        if extra is not None and k >= 3:
            if k < 15 or frozen is None:
                frozen = extra(last)
            all_rows, all_values = np.vstack([rows, frozen[0]]), np.append(values, frozen[1])
        start = lam if lam is not None and len(lam) == len(all_values) else None
        solution = project(np.where(free, draw, lower), spread, all_rows, all_values, lower, upper, start)
        if solution.miss > 1e-6 and start is not None:
            solution = project(np.where(free, draw, lower), spread, all_rows, all_values, lower, upper)
        last, lam = solution.values, solution.multipliers
        now = Squares(
            ((last - mean) ** 2).sum(),
            ((last - grid.unit_mean(last)) ** 2).sum(),
            (residual(grid.within(last), regressors) ** 2).sum(),
        )
        ratio = np.array(
            [
                (squares.total - squares.around_unit_means) / (now.total - now.around_unit_means),
                (squares.around_unit_means - squares.residual) / (now.around_unit_means - now.residual),
                squares.residual / now.residual,
            ]
        )
        square_miss = float(np.abs(ratio - 1).max())
        if square_miss < tolerance and solution.miss < 1e-8 and k > 18:
            break
        amp = amp * np.clip(ratio, 0.5, 2) ** np.array(gain)
    if solution.miss > 1e-6 or square_miss > 0.02:
        raise CalibrationError(
            f"match: after {k + 1} rounds the linear targets are missed by {solution.miss:.1e} and the sums of "
            f"squares by {square_miss:.1%}"
        )
    return Match(last, draw, amp, k + 1, solution.miss, square_miss)


# -------------------------------------------------------------------------------------------------- marginals
def marginal(
    score: Array,
    mean: float,
    sd: float,
    minimum: float,
    maximum: float,
    bend: float = 0.0,
    from_above: bool = False,
) -> Array:
    """Map a latent score to a skewed positive variable with given mean, standard deviation, minimum and maximum.

    The map is increasing: ``exp(mu + sigma*h(g))`` with ``h(g) = (exp(bend*g) - 1)/bend``, bent smoothly to stay
    inside the range; mu and sigma are solved for. ``bend > 0`` makes the right tail of the log heavier,
    ``from_above`` mirrors the shape at the maximum (for rates that crowd near their upper end).

    Raises
    ------
    CalibrationError
        If mean and standard deviation are not reached to 0.5 per cent.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = marginal(rng.standard_normal(2000), mean=10, sd=12, minimum=0.2, maximum=250)
    >>> round(float(x.mean()), 2), round(float(x.std(ddof=1)), 2), float(x.min()), float(x.max())
    (10.0, 12.0, 0.2, 250.0)
    """
    g = zscore(score)
    h = np.expm1(bend * g) / bend if bend else g
    centre, low, high = (maximum - mean, 0.0, maximum - minimum) if from_above else (mean, minimum, maximum)
    h = -h if from_above else h
    bottom, top = h.argmin(), h.argmax()

    def shape(p: Array) -> Array:
        with np.errstate(over="ignore"):  # a trial step of the solver may be far off
            x = np.minimum(low + np.exp(p[0] + np.exp(p[1]) * h), 1e6 * high)
        x = x / (1 + (x / high) ** 8) ** 0.125
        x[bottom], x[top] = low, high
        return x

    def gaps(p: Array) -> list[float]:
        x = shape(p)
        return [x.mean() / centre - 1, x.std(ddof=1) / sd - 1]

    sigma = np.sqrt(np.log(1 + (sd / (centre - low)) ** 2))
    fit = least_squares(gaps, [np.log(centre - low) - sigma**2 / 2, np.log(sigma)], xtol=1e-10)
    if np.abs(fit.fun).max() > 5e-3:
        raise CalibrationError(
            f"marginal: mean and standard deviation missed by {fit.fun.round(4).tolist()} (relative)"
        )
    x = shape(fit.x)
    return maximum - x if from_above else x


# ------------------------------------------------------------------------------------------- entropy weighting
def minmax(values: Array) -> Array:
    """Scale each column to [0, 1]."""
    low = values.min(0)
    return (values - low) / (values.max(0) - low)


def redundancy(scaled: Array) -> Array:
    """Redundancy ``d_j = 1 - e_j`` of min-max scaled columns, e the normalised entropy of their shares."""
    total = scaled.sum(0)
    x_log_x = scaled * np.log(np.maximum(scaled, 1e-300))
    return 1 + (x_log_x.sum(0) / total - np.log(total)) / np.log(len(scaled))


def entropy_weights(scaled: Array) -> Array:
    """Pooled entropy weights of min-max scaled columns."""
    d = redundancy(scaled)
    return d / d.sum()


def tilt(score: Array, bend: Array) -> Array:
    """Increasing map of each column of scores onto [0, 1]; redundancy rises with ``bend`` from 0 towards 1."""
    u = score - score.min(0)
    top = u.max(0)
    bend = np.where(np.abs(bend) < 1e-9, 1e-9, bend)
    a = np.abs(bend)
    convex = (np.exp(a * (u - top)) - np.exp(-a * top)) / -np.expm1(-a * top)
    return np.where(bend > 0, convex, np.expm1(-a * u) / np.expm1(-a * top))


def tilt_to(score: Array, target: Array, steps: int = 34) -> Array:
    """`tilt` each column of scores by the bend that gives it the redundancy ``target`` (vectorised bisection)."""
    low, high = np.full(score.shape[1], -30.0), np.full(score.shape[1], 30.0)
    for _ in range(steps):
        middle = (low + high) / 2
        too_flat = redundancy(tilt(score, middle)) < target
        low, high = np.where(too_flat, middle, low), np.where(too_flat, high, middle)
    return tilt(score, (low + high) / 2)


@dataclass(frozen=True)
class Raked:
    """Outcome of `rake`: sum of the redundancies, rounds used, largest gap between index and target."""

    total: float
    rounds: int
    gap: float


def rake(
    x: Array,
    index: Array,
    weights: Array,
    give: Array,
    total: float,
    compute: Callable[[Array], None],
    steer: Callable[[Array, float], None] | None = None,
    live: int = 50,
    rounds: int = 80,
    tolerance: float = 5e-5,
) -> Raked:
    """Change min-max scaled indicators in place until their entropy index is ``index`` and the weights are given ones.

    A round multiplies the indicators of an observation by ``rho**give`` with the rho that closes the gap to first
    order and scales them to [0, 1] again. In the first ``live`` rounds a power then restores each redundancy to
    ``weight * total``; the sum of redundancies adapts, because it decides the mean of the index.

    Parameters
    ----------
    x : (n, k) array
        Scaled indicators, changed in place.
    index : (n,) array
        Target of the entropy index, inside (0, 1).
    weights : (k,) array
        Entropy weights, adding to one.
    give : (k,) array
        How much an indicator follows the correction; 0 for indicators that are fixed or computed.
    total : float
        Sum of the redundancies to start from.
    compute : callable
        Recomputes, in place, columns that depend on others.
    steer : callable, optional
        Called with ``x`` and ``total`` in live rounds, to steer the redundancies of computed columns.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> index = np.exp(rng.normal(-2, 0.6, 500)).clip(max=0.8)
    >>> scores = np.log(index)[:, None] + 0.3 * rng.standard_normal((500, 6))
    >>> weights = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    >>> x = tilt_to(scores, weights * 0.3)
    >>> result = rake(x, index, weights, np.ones(6), 0.3, compute=lambda x: None)
    >>> bool(np.allclose(x @ entropy_weights(x), index, atol=1e-4))
    True
    >>> entropy_weights(x).round(4).tolist()
    [0.3, 0.2, 0.2, 0.1, 0.1, 0.1]
    """
    moving = give > 0
    compute(x)
    for k in range(rounds):
        now = entropy_weights(x)
        gap = index - x @ now
        if k > live and np.abs(gap).max() < tolerance:
            break
        capped = (x > 1 - 1e-12) & (gap > 0)[:, None]  # a column's maximum cannot grow
        log_rho = np.clip(gap / (np.where(capped, 0, x) @ (now * give) + 1e-12), -0.7, 0.7)
        x[:, moving] = minmax(x[:, moving] * np.exp(log_rho[:, None] * give[moving]))
        if k < live:
            total *= float(np.exp(-0.5 * log_rho.mean()))
            if steer is not None:
                steer(x, total)
            x[:, moving] **= np.clip(np.sqrt(weights[moving] * total / redundancy(x[:, moving])), 0.7, 1.4)
        compute(x)
    return Raked(total, k + 1, float(np.abs(gap).max()))
