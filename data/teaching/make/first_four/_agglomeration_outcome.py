"""Outcome and channels of `industry-agglomeration`: the structural draw and its projection on the printed tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from first_four._agglomeration_drivers import R2_FE, SIGMA2, WITHIN, Process, path
from first_four._agglomeration_targets import (
    CHANNELS,
    CONTROLS,
    FE_DF,
    GRID,
    SPLITS,
    TERMS,
    W_SCALE,
    Printed,
    around_city,
    cities,
    constant_row,
    eigenvalues,
    lag,
    weights,
)
from first_four._calibrate import (
    Array,
    CalibrationError,
    Squares,
    Targets,
    match,
    residual,
    zscore,
)


@dataclass
class Work:
    """Everything that is passed from stage to stage of one simulation."""

    process: Process
    goals: Printed
    agglomeration: Array
    levels: dict[str, Array]
    groups: dict[str, Array]
    signal: Array = field(default_factory=lambda: np.zeros(0))
    hidden: Array | None = None
    log: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.C = np.column_stack([self.levels[k] for k in CONTROLS])
        self.X = np.column_stack([self.agglomeration, self.C])
        self.Cw, self.Xw = GRID.within(self.C), GRID.within(self.X)
        self.Md = residual(self.Xw[:, 0], self.Cw)
        self.D = float(self.Md @ self.Md)
        self.Mz = residual(GRID.within(distance_trend()), self.Cw)

    @property
    def score(self) -> Array:
        """Common score of the six grouping variables, standardised: where it is high the effect is large."""
        signs = dict(zip(SPLITS, (1, 1, 1, 1, -1, -1), strict=True))
        return zscore(np.sum([signs[k] * zscore(np.log1p(v)) for k, v in self.groups.items()], axis=0))

    @property
    def effect(self) -> Array:
        """Effect of true agglomeration in each city-year.

        Its average, weighted by the variation of agglomeration that the instrument moves, is ``process.beta``.
        """
        moved = self.Mz * GRID.within(self.signal)
        score = self.score
        return self.process.beta * (1 + self.process.heterogeneity * (score - moved @ score / moved.sum()))


def distance_trend() -> Array:
    """Great-circle distance to Hangzhou in 1,000 km times (year - 2012)."""
    return GRID.expand(cities()["km"].to_numpy() / 1000) * GRID.trend


def true_agglomeration(w: Work) -> Array:
    """Quotient without misclassified jobs, given the measured one.

    Under classical error, unrelated to the instrument, the expectation of the error given quotient and instrument is
    a constant share of the part that controls, effects and instrument do not explain.
    """
    return w.agglomeration - w.process.noise_share * residual(w.Md, w.Mz[:, None])


def hidden_cause(rng: np.random.Generator, w: Work, own: float, bypass: float) -> Array:
    """A cause that moves with the measured quotient, and more than it with the instrument.

    Net of controls and effects it is the quotient plus variation of its ``own`` (in standard deviations of the
    quotient), plus ``bypass`` times what the instrument moves of the quotient.
    """
    noise = residual(
        GRID.within(GRID.ar1(rng, w.process.noise_persistence)), np.column_stack([w.Cw, w.Md, w.Mz])
    )
    noise *= own * np.sqrt(w.D / (noise @ noise))
    return w.Md + noise + bypass * w.Mz * (w.Mz @ w.Md) / (w.Mz @ w.Mz)


def spread_out(values: Array, rho: float) -> Array:
    """Multiply by (I - rho W)^-1 in each year."""
    M = np.linalg.inv(np.eye(GRID.units) - rho * weights())
    return (M @ values.reshape(GRID.units, -1)).ravel()


def _between(w: Work, b2: Array, b3: Array) -> tuple[Array, float]:
    """Slopes between cities that make random effects of Table 3, column 2, come out; and the weight psi of between.

    With psi the ratio of the two variance components, random effects solve (W + psi B) b2 = W b3 + psi B b_between.
    psi itself depends on the residual variation between cities, so it is a fixed point.
    """
    around = around_city(w.X)
    mid = w.X - w.X.mean(0) - around
    Wx, B = around.T @ around, mid.T @ mid
    sigma2 = (WITHIN - float(b3 @ Wx @ b3)) / (GRID.size - GRID.units - len(b3))
    total = (GRID.size - 1) * w.goals.moments["New-productivity"][1] ** 2 - WITHIN

    def slopes(psi: float) -> Array:
        return np.linalg.solve(B, (Wx + psi * B) @ b2 - Wx @ b3) / psi

    def gap(log_psi: float) -> float:
        psi = float(np.exp(log_psi))
        b = slopes(psi)
        return total - float(b @ B @ b) - sigma2 / psi * (GRID.units - len(b3) - 1)

    if gap(np.log(0.03)) * gap(np.log(0.5)) > 0:
        raise CalibrationError("no weight of the between variation fits Table 3, column 2")
    psi = float(np.exp(brentq(gap, np.log(0.03), np.log(0.5))))
    return slopes(psi), psi


def _years(w: Work, b3: Array, b4: Array) -> tuple[Array, Array]:
    """Yearly means of the outcome and the coefficients of Table 3, column 3, that go with them.

    With effects of cities only, the year effects v load on the regressors: ``b3 = b4 + (X'X)^-1 X'v`` with X around
    the cities' means. v is the common path, with the variation that the printed R-squared of column 4 asks for, and
    small departures from it that bring b3 to the printed coefficients (a ridge regression in printed errors).
    """
    around = around_city(w.X)
    Wx = around.T @ around
    yearly = GRID.by_unit(np.arange(GRID.size)) % GRID.periods
    X_t = np.array([around[yearly.ravel() == t].mean(0) for t in range(GRID.periods)])
    M = np.linalg.solve(Wx, GRID.units * X_t.T)
    se = np.array([w.goals.estimate["3", "3", k][1] for k in TERMS])
    A = np.vstack([M / (0.2 * se[:, None]), np.eye(GRID.periods) / 0.0012])

    def departures(V: float) -> Array:
        return np.linalg.lstsq(
            A, np.r_[(b3 - b4 - M @ (V * path())) / (0.2 * se), np.zeros(GRID.periods)], rcond=None
        )[0]

    def means(V: float) -> Array:
        v = V * path() + departures(V)
        return v - v.mean() + X_t @ b4

    explained = float(b4 @ (w.Xw.T @ w.Xw) @ b4)

    def gap(V: float) -> float:
        return GRID.units * float((means(V) ** 2).sum()) + explained - R2_FE * WITHIN

    if gap(0.006) * gap(0.03) > 0:
        raise CalibrationError("no common path gives the printed R-squared of Table 3, column 4")
    V = float(brentq(gap, 0.006, 0.03))
    v = V * path() + departures(V)
    return means(V), b4 + M @ (v - v.mean())


def _levels_of_cities(rng: np.random.Generator, lasting: Array, mean: float) -> Array:
    """Lasting level of each city: log-normal, in the order of what the regressors say plus a draw of its own."""
    say = lasting[:: GRID.periods]
    say = say / say.std() + 0.5 * cities()["size"].to_numpy() + 0.4 * rng.standard_normal(GRID.units)
    normal = ndtri((np.argsort(np.argsort(say)) + 0.5) / GRID.units)
    level = np.exp(1.0 * normal)
    return GRID.expand(0.004 + (mean - 0.004) * level / level.mean())


def _growth(level: Array) -> Array:
    """How much more than the average a city follows the common path: more at a high level, but not by place.

    A quadratic surface in longitude, latitude and distance to Hangzhou is taken out, so that growth is related neither
    to the instrument nor to the growth of the neighbours.
    """
    frame = cities()
    place = np.column_stack([zscore(frame[k].to_numpy()) for k in ("lon", "lat", "km")])
    cross = np.column_stack([place[:, i] * place[:, j] for i in range(3) for j in range(i, 3)])
    Z = np.column_stack([np.ones(GRID.units), place, cross])
    load = level[:: GRID.periods] / level.mean()
    return GRID.expand(load - Z @ np.linalg.lstsq(Z, load, rcond=None)[0])


def _spatial_rows(w: Work, rho: float) -> tuple[Array, Any]:
    """Rows of the Durbin model's own and lag coefficient given rho, and the locally linear row of its score."""
    D = GRID.within(np.column_stack([w.X, lag(w.X)]))
    H = np.linalg.solve(D.T @ D, D.T)
    rows = np.array([h - rho * lag(h, transpose=True) for h in H[[0, len(TERMS)]]])
    omega = eigenvalues()
    trace = float((omega / (1 - rho * omega)).sum())
    R = lambda v: (u := GRID.within(v)) - D @ (H @ u)  # noqa: E731

    def score(y: Array) -> tuple[Array, Array]:
        Ly = lag(y)
        e, L = R(y - rho * Ly), R(Ly)
        value = GRID.size * (e @ L) - GRID.periods * trace * (e @ e)
        inner = GRID.size * L - 2 * GRID.periods * trace * e
        gradient = inner - rho * lag(inner, transpose=True) + GRID.size * lag(e, transpose=True)
        return gradient[None, :], np.array([gradient @ y - value])

    w.log["lag_error"] = float(np.sqrt(0.98 * SIGMA2 * FE_DF / GRID.size * (H[len(TERMS)] @ H[len(TERMS)])))
    return rows, score


def draw_outcome(rng: np.random.Generator, w: Work, floor: Array) -> Array:
    """Structural outcome, projected on Tables 3 and 5."""
    p, q = w.goals, w.process
    mean, sd, low, high = p.moments["New-productivity"]
    b2, b3, b4 = (p.slopes(k) for k in "234")
    mid = w.X - around_city(w.X)
    yearly, b3 = _years(w, b3, b4)
    slopes, w.log["psi"] = _between(w, b2, b3)
    lasting = mid @ slopes
    lasting -= lasting.mean()
    level = _levels_of_cities(rng, lasting, mean)
    acts = w.effect * w.signal + q.theta * lag(w.signal)
    own = acts + w.C @ np.array(q.controls)
    trend = 0.0129 * np.tile(path(), GRID.units)
    relative = level / mean
    e = 0.012 * relative**0.8 * GRID.ar1(rng, q.noise_persistence) + trend * _growth(relative**0.8)
    e = GRID.within(e)
    e *= np.sqrt(SIGMA2 * FE_DF / (e @ e))
    fixed = GRID.within(spread_out(own, q.rho)) + lasting
    parts = np.array([level - mean - lasting, trend, GRID.within(spread_out(e, q.rho))])
    lower, upper = np.maximum(low, floor), np.full(GRID.size, 0.48)
    t = Targets()
    for i, term in enumerate(TERMS):
        t.add(f"T3(4) {term}", w.Xw[:, i], w.Xw[:, i] @ (w.Xw @ b4))
        row = mid[:, i] - mid[:, i].mean()
        t.add(f"T3(2) {term}", row, row @ (mid @ slopes))
    for k in range(GRID.periods - 1):
        t.add(
            f"mean of {2013 + k}", (np.arange(GRID.size) % GRID.periods == k) / GRID.units, mean + yearly[k]
        )
    moved = w.signal if w.hidden is None else w.agglomeration
    w.log["estimand"] = float(w.Mz @ spread_out(acts, q.rho) / (w.Mz @ moved))
    if w.hidden is not None:  # next to the hidden cause the treatment has no effect
        t.add("treatment beside the hidden cause", residual(w.Md, residual(w.hidden, w.Cw)[:, None]), 0.0)
    t.add("2SLS", w.Mz, w.log["estimand"] * (w.Mz @ w.agglomeration))
    rho = p.estimate["5", "1", "W:New-productivity"][0] / W_SCALE
    rows, score = _spatial_rows(w, rho)
    t.add("T5 own", rows[0], p.estimate["5", "1", "agglomeration"][0])
    printed_lag = p.estimate["5", "1", "W:agglomeration"][0] / W_SCALE
    t.add("T5 lag", rows[1], max(printed_lag, -1.8 * w.log["lag_error"]))
    draft = fixed + parts.sum(0)
    lower[draft.argmax()] = upper[draft.argmax()] = high
    bottom = np.where(floor < 0.5 * low, draft, np.inf).argmin()
    lower[bottom] = upper[bottom] = low
    ssr = SIGMA2 * FE_DF
    result = match(
        GRID,
        fixed,
        parts,
        relative**-0.3,
        t,
        (lower, upper),
        mean,
        Squares((GRID.size - 1) * sd**2, ssr / (1 - R2_FE), ssr),
        w.Xw,
        gain=(1.0, 0.8, 0.5),
        extra=score,
    )
    w.log["rounds"] = result.rounds
    w.log["amplitudes"] = result.amplitudes.round(4).tolist()
    before, after = (residual(GRID.within(k), w.Xw) for k in (result.structural, result.values))
    w.log["moved"] = {
        "median_relative_change": float(np.median(np.abs(result.values - result.structural) / result.values)),
        "correlation_of_residuals": float(np.corrcoef(before, after)[0, 1]),
    }
    return result.values


# ------------------------------------------------------------------------------------------------ the channels
@dataclass(frozen=True)
class Channel:
    """How an outcome of Table 4 is drawn.

    Mean and highest value, size and skewness of the lasting differences between cities, what these go ``by`` and the
    lowest value as a share of the mean. ``whole`` counts are nudged to whole numbers, a ``stock`` never falls.
    """

    mean: float
    high: float
    lasting: float
    skew: float
    whole: bool = False
    stock: bool = False
    by: str = "size"
    low: float = 0.02


SHAPES = dict(
    zip(
        CHANNELS,
        (
            Channel(1.35, 40.0, 2.4, 1.0),
            Channel(120.0, 2600.0, 130.0, 0.8),
            Channel(0.1, 3.0, 0.1, 0.5, whole=True, stock=True),
            Channel(0.55, 25.0, 0.8, 1.0, whole=True),
            Channel(0.88, 6.0, 0.40, 0.4, by="rich", low=0.2),
            Channel(19.0, 95.0, 7.0, 0.5, by="rich", low=0.2),
        ),
        strict=True,
    )
)


def draw_channels(rng: np.random.Generator, w: Work) -> dict[str, Array]:
    """Outcomes of Table 4: structural draw and the printed slope, constant, error and R-squared."""
    p, out = w.goals, {}
    to_slopes = np.linalg.solve(w.Xw.T @ w.Xw, w.Xw.T)
    constant = constant_row(w.X, to_slopes)
    for column, (name, shape) in zip("123456", SHAPES.items(), strict=True):
        (b, se), r2 = p.estimate["4", column, "agglomeration"], p.r2["4", column]
        wanted_constant = p.estimate["4", column, "_cons"][0]
        ssr = se**2 * w.D * FE_DF
        around = ssr / (1 - r2)
        L = np.exp(shape.skew * zscore(cities()[shape.by].to_numpy() + 0.7 * rng.standard_normal(GRID.units)))
        L = GRID.expand(L / L.mean())
        e = GRID.within(L**0.5 * np.expm1(0.4 * GRID.ar1(rng, 0.3)))
        e *= np.sqrt(ssr / (e @ e))
        signal = b / (1 - w.process.noise_share) * GRID.within(w.signal)
        rise = np.sqrt(max(float(around - ssr - signal @ signal), 0.05 * ssr) / GRID.size) * np.tile(
            path(), GRID.units
        )
        if shape.stock:
            out[name] = _stock(rng, signal, w, constant, (b, wanted_constant, around, ssr))
            continue
        parts = np.array([shape.lasting * (L - 1) / L.std(), rise, e])
        t = Targets()
        t.add(f"{name} slope", w.Md, b * w.D)
        t.add(f"{name} constant", constant, wanted_constant)
        total = around + GRID.size * shape.lasting**2
        low = -0.45 if shape.whole else shape.low * shape.mean
        result = match(
            GRID,
            signal,
            parts,
            np.ones(GRID.size),
            t,
            (np.full(GRID.size, low), np.full(GRID.size, shape.high)),
            shape.mean,
            Squares(total, around, ssr),
            w.Xw,
            gain=(0.6, 0.5, 0.5),
            tolerance=1e-4,
        )
        out[name] = result.values
        if shape.whole:
            start = np.maximum(np.round(result.values), 0)
            out[name] = _nudge(start, w, constant, (b, wanted_constant, around, ssr), tails=False)
    return out


def _stock(
    rng: np.random.Generator,
    signal: Array,
    w: Work,
    constant: Array,
    wanted: tuple[float, ...],
) -> Array:
    """Exchanges opened so far: cities with much agglomeration open one earlier."""
    pull = GRID.by_unit(signal / signal.std() + 0.6 * GRID.expand(cities()["size"].to_numpy()))
    hazard = 0.006 * np.exp(0.6 * pull)
    opened = rng.random(hazard.shape) < hazard
    opened[:, 0] = False
    stock = np.minimum(2.0 * opened.cumsum(1), 2).ravel()
    return _nudge(stock, w, constant, wanted, tails=True)


def _nudge(
    y: Array,
    w: Work,
    constant: Array,
    wanted: tuple[float, ...],
    tails: bool,
    steps: int = 600,
) -> Array:
    """Add or take one unit at a time until slope, constant and the two sums of squares of a count are as wanted.

    ``tails`` moves a city-year together with all later years of the city, so that a stock stays a stock.
    """
    b, c, around, ssr = wanted
    T, y = GRID.periods, y.copy()
    Q = np.linalg.qr(w.Xw)[0]
    tail = (lambda v: GRID.by_unit(v)[:, ::-1].cumsum(1)[:, ::-1].ravel()) if tails else (lambda v: v)
    length = np.tile(np.arange(T, 0, -1.0) if tails else np.ones(T), GRID.units)
    own = length * (1 - length / T)  # sum of squares of a move around the city's mean
    slope_move, constant_move = tail(w.Md) / w.D, tail(constant)
    first = np.arange(GRID.size) % T == 0
    tolerance = np.array([0.02 * abs(b), 0.02 * abs(c), 0.004 * around, 0.004 * ssr])

    def misses(v: Array) -> Array:
        e = GRID.within(v)
        e = e - Q @ (Q.T @ e)
        a = around_city(v)
        return np.array([w.Md @ v / w.D - b, constant @ v - c, a @ a - around, e @ e - ssr])

    for _ in range(steps):
        miss = misses(y) / tolerance
        if (np.abs(miss) < 1).all():
            return y
        e = GRID.within(y)
        e = e - Q @ (Q.T @ e)
        gradient = (
            np.array([slope_move, constant_move, 2 * tail(around_city(y)), 2 * tail(e)]) / tolerance[:, None]
        )
        square = np.array([np.zeros(GRID.size), np.zeros(GRID.size), own, own * (1 - 1 / GRID.units)])
        square /= tolerance[:, None]
        before = np.where(first, 0, np.r_[0, y[:-1]])
        can_fall = (y - before >= 1) if tails else y >= 1
        can_rise = np.where(tails, y < 3, True) & ~(first & tails)
        best = (np.inf, 0, 0.0)
        for sign, allowed in ((1.0, can_rise), (-1.0, can_fall & ~(first & tails))):
            loss = ((miss[:, None] + sign * gradient + square) ** 2).sum(0)
            loss = np.where(allowed, loss, np.inf)
            j = int(loss.argmin())
            if loss[j] < best[0]:
                best = (float(loss[j]), j, sign)
        least, j, sign = best
        if least >= (miss**2).sum():
            break
        y[j : (j // T + 1) * T if tails else j + 1] += sign
    if (np.abs(miss) > 10).any():
        raise CalibrationError(f"a count misses its targets by {np.abs(miss).max():.1f} times the tolerance")
    return y
