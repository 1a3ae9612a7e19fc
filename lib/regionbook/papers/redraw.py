"""Tools that draw a student's panel from the shipped one: effect times a factor, fresh noise, one projection, one raking.

Given the regressors, every coefficient of a linear regression is a linear function of the outcome. A paper's declared
columns are therefore rows ``G`` with ``b = G y``, and an outcome that was moved can be brought back to the coefficients
that the changed effect implies by one weighted projection. Arrays are in unit-major order, as the shipped panels are.
Nothing here iterates to a tolerance: the same seed gives the same panel everywhere.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .declare import Column

Array = npt.NDArray[np.float64]
WIDEST = 0.25
"""An effect lies at most this far, as a share of itself, from the shipped one."""


def factor(rng: np.random.Generator, least: float = 0.06) -> float:
    """A student's factor of an effect: from `least` to `WIDEST` above or below one."""
    return float(np.round(1 + rng.choice([-1, 1]) * rng.uniform(least, WIDEST), 3))


def ar1(rng: np.random.Generator, shape: tuple[int, ...], persistence: float) -> Array:
    """First-order autoregressions of unit variance along the second axis."""
    u = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        u[:, t] = persistence * u[:, t - 1] + np.sqrt(1 - persistence**2) * u[:, t]
    return u


def unscaled(share: Array, like: pd.Series) -> Array:
    """Values at these places between the ends of a shipped column, with as many decimals as it has.

    >>> unscaled(np.array([0, 0.4321, 1]), pd.Series([0.25, 3.1])).tolist()
    [0.25, 1.48, 3.1]
    """
    known = like.to_numpy(float)
    decimals = next(d for d in range(12) if np.allclose(known, np.round(known, d), rtol=0, atol=1e-9))
    return np.round(known.min() + (known.max() - known.min()) * share, decimals)


# ------------------------------------------------------------------------------------------------- printed columns
@dataclass(frozen=True)
class Fit:
    """A declared column seen from its outcome: k regressors, n rows of the panel, m of them in the sample."""

    column: Column
    rows: Array  # k x n: ``rows @ y`` are the coefficients
    X: Array  # m x k: regressors without the effects
    sweep: Callable[[Array], Array]  # takes the effects out of m values
    inside: npt.NDArray[np.bool_]  # n: whether a row is in the sample
    y: Array  # n: the shipped outcome
    periods: int  # of a unit in the sample

    def residual(self, y: Array) -> Array:
        """Residuals over all rows of the panel; zero outside the sample."""
        out = np.zeros(len(y))
        out[self.inside] = self.sweep(y[self.inside]) - self.X @ (self.rows @ y)
        return out

    def walk(self, rng: np.random.Generator) -> Array:
        """A path that all units share in the sample: a random walk with mean 0 and standard deviation 1."""
        path, out = np.cumsum(rng.standard_normal(self.periods)), np.zeros(len(self.y))
        out[self.inside] = np.tile((path - path.mean()) / path.std(), self.inside.sum() // self.periods)
        return out


def means(x: Array, codes: npt.NDArray[np.intp]) -> Array:
    """Means of the columns of ``x`` by group, repeated for the members of a group."""
    sums = np.stack([np.bincount(codes, column) for column in x.T], axis=1)
    return (sums / np.bincount(codes)[:, None])[codes]


def within(codes: Sequence[npt.NDArray[np.intp]]) -> Callable[[Array], Array]:
    """Deviation from the means of every effect, exact on a balanced sample."""

    def sweep(values: Array) -> Array:
        x = values.reshape(len(values), -1)
        x = x - x.mean(0)
        return (x - sum(means(x, k) for k in codes)).reshape(values.shape)

    return sweep


def fits(columns: Iterable[Column], data: pd.DataFrame) -> dict[tuple[str, str], Fit]:
    """See declared columns from their outcome (`sampled`), by table and column."""
    seen: dict[tuple[bytes, ...], Any] = {}
    return {column.key: sampled(column, data, seen) for column in columns}


def sampled(column: Column, data: pd.DataFrame, seen: dict[tuple[bytes, ...], Any] | None = None) -> Fit:
    """See one column from its outcome: least squares, just identified 2SLS or random effects, whatever its sample.

    The first effect is taken out by means, others as dummies. ``data`` is as
    `regionbook.papers.estimation.variables` returns it, in unit-major order. ``seen`` keeps the effects of a sample for the
    next column that has the same.
    """
    words = f"{column.sample} {column.formula}"
    flat = data.filter([k for k in data if k in words]).reset_index()
    inside = flat.eval(column.sample).to_numpy(bool) if column.sample else np.ones(len(flat), bool)
    present = flat[list(column.variables)].notna().all(axis=1)  # a lag lacks its first period
    inside = inside & present.to_numpy()
    here, random = flat[inside], column.estimator == "random"
    effects = data.index.names[:1] if random else column.effects
    seen, key = {} if seen is None else seen, (inside.tobytes(), *map(str.encode, effects))
    if key not in seen:
        codes = [here.groupby(k.split("^"), sort=False).ngroup().to_numpy() for k in effects]
        basis = np.zeros((len(here), 0))
        if len(codes) > 1:
            dummies = [pd.get_dummies(c, drop_first=True).to_numpy(float) for c in codes[1:]]
            u, size, _ = np.linalg.svd(
                np.hstack([d - means(d, codes[0]) for d in dummies]), full_matrices=False
            )
            basis = u[:, size > 1e-9 * size[0]]
        seen[key] = codes, basis
    codes, basis = seen[key]
    theta = _theta(column, here, codes[0]) if random else 1.0

    def sweep(values: Array) -> Array:
        x = values.reshape(len(values), -1)
        x = x - (means(x, codes[0]) if effects and not random else x.mean(0))
        x = x - theta * means(x, codes[0]) if random else x
        return (x - basis @ (basis.T @ x)).reshape(values.shape)

    def terms(names: Sequence[str]) -> Array:
        parts = ([here[k].to_numpy(float) for k in name.split(":")] for name in names)
        return sweep(np.column_stack([np.prod(part, axis=0) for part in parts]))

    X = terms(column.regressors)
    Z = terms([*column.instruments, *column.exogenous]) if column.instruments else X
    Z = Z / np.sqrt((Z**2).sum(0))
    rows = np.zeros((X.shape[1], len(flat)))
    rows[:, inside] = np.linalg.solve(Z.T @ X, sweep(Z).T)
    y, periods = flat[column.outcome].to_numpy(float), int(inside.sum() // data.index.levshape[0])
    return Fit(column, rows, X, sweep, inside, y, periods)


def _theta(column: Column, data: pd.DataFrame, unit: npt.NDArray[np.intp]) -> float:
    """Share of the units' means that random effects take out (Swamy and Arora)."""
    v = data[[column.outcome, *column.regressors]].to_numpy(float)
    middle = means(v, unit)
    squares = []
    for part, lost in ((v - middle, unit.max() + 1), (middle - v.mean(0), len(v) - unit.max())):
        e = part[:, 0] - part[:, 1:] @ np.linalg.lstsq(part[:, 1:], part[:, 0], rcond=None)[0]
        squares.append(e @ e / (len(v) - lost - len(column.regressors)))
    return float(1 - np.sqrt(squares[0] / squares[1]))


class Grid:
    """The panel on all units x years: an absent cell weighs nothing, so that the tools of `redraw` serve."""

    def __init__(self, data: pd.DataFrame) -> None:
        self.index = pd.MultiIndex.from_product(data.index.levels, names=data.index.names)
        self.data, self.kept = data.reindex(self.index), self.index.isin(data.index)
        self.periods = len(data.index.levels[1])
        self._seen: dict[tuple[bytes, ...], Any] = {}

    def full(self, column: pd.Series) -> Array:
        """A column on the grid, zero in absent cells."""
        return column.reindex(self.index).fillna(0.0).to_numpy(float)

    def fit(self, column: Column, y: Array | None = None) -> Fit:
        """A declared column with two-way effects, seen from its outcome or from ``y``."""
        one = sampled(column, self.data if y is None else self.data.assign(**{column.outcome: y}), self._seen)

        def swept(v: Array) -> Array:
            out = np.zeros(v.shape)
            out[one.inside] = one.sweep(v[one.inside])
            return out

        X = np.zeros((len(one.y), one.X.shape[1]))
        X[one.inside] = one.X
        every = np.ones(len(one.y), bool)
        return Fit(column, one.rows, X, swept, every, np.nan_to_num(one.y), self.periods)


def binding(fits: Mapping[tuple[str, str], Fit], main: tuple[str, str], controls: Sequence[str]) -> Array:
    """Rows that a projection respects: every coefficient of the main column, of the others those of no control."""
    kept = []
    for key, one in fits.items():
        own = [key == main or k.split("_lag")[0] not in controls for k in one.column.regressors]
        kept.append(one.rows[own])
    return np.vstack(kept)


def durbin(y: Array, X: Array, W: Array) -> tuple[Array, Callable[[Array], tuple[Array, float]], float]:
    """See a two-way spatial Durbin model (direct likelihood) from its outcome at the rho of a shipped outcome.

    Rows whose products with an outcome are the coefficients of the regressors, then of their lags; gradient and value of
    the score of that rho at an outcome, for `outcome`; and rho.
    """
    shape = len(W), -1
    units, periods = np.arange(len(y)) // (len(y) // len(W)), np.arange(len(y)) % (len(y) // len(W))
    sweep = within([units, periods])

    def lag(v: Array, weights: Array = W) -> Array:
        return (weights @ v.reshape(shape)).ravel()

    D = sweep(np.column_stack([X, *(lag(x) for x in X.T)]))
    H = np.linalg.solve(D.T @ D, D.T)
    omega, count = np.linalg.eigvals(W).real, len(y) // len(W)

    def left(v: Array) -> Array:
        return (u := sweep(v)) - D @ (H @ u)

    def score(y: Array, rho: float) -> tuple[Array, float]:
        e, late = left(y - rho * lag(y)), left(lag(y))
        trace = count * float((omega / (1 - rho * omega)).sum())
        inner = len(y) * late - 2 * trace * e
        gradient = inner - rho * lag(inner, W.T) + len(y) * lag(e, W.T)
        return gradient, float(len(y) * (e @ late) - trace * (e @ e))

    low, high = -0.9, 0.9
    for _ in range(40):  # the score falls in rho
        rho = (low + high) / 2
        low, high = (rho, high) if score(y, rho)[1] > 0 else (low, rho)
    rows = np.array([h - rho * lag(h, W.T) for h in H])
    return rows, lambda v: score(v, rho), rho


def spilling(W: Array, rho: float) -> tuple[Callable[[Array], Array], Callable[[Array, bool], Array]]:
    """Lag of values by W, and what lets them spill over, (I - rho W)^-1 v, or takes that out (True)."""
    inverse = np.linalg.inv(np.eye(len(W)) - rho * W)

    def lag(v: Array) -> Array:
        return (W @ v.reshape(len(W), -1)).ravel()

    def spread(v: Array, back: bool) -> Array:
        return v - rho * lag(v) if back else (inverse @ v.reshape(len(W), -1)).ravel()

    return lag, spread


# ------------------------------------------------------------------------------------------------------ an outcome
def fresh(e: Array, rng: np.random.Generator, mirrored: float = 0.5) -> Array:
    """Noise like the residuals ``e`` (units x periods): in part the units' own paths, mirrored by lot, else drawn anew.

    New draws have the persistence of the old residuals and their spread by unit and by period. Mirrored paths keep the
    errors that are clustered by unit.
    """
    rho = np.clip((e[:, 1:] * e[:, :-1]).sum() / (e[:, :-1] ** 2).sum(), 0, 0.95)
    by_unit = np.sqrt((e**2).mean(1, keepdims=True))
    by_period = np.sqrt((e**2).mean(0) / (e**2).mean())
    u = ar1(rng, e.shape, float(rho))
    mirror = rng.choice([-1.0, 1.0], (len(e), 1)) * e
    return np.sqrt(mirrored) * mirror + np.sqrt(1 - mirrored) * by_unit * by_period * u


def project(change: Array, rows: Array, goal: Array, give: Array) -> Array:
    """The change nearest to ``change`` for which ``rows @ change`` is ``goal``; cells move in proportion to ``give``."""
    size = np.sqrt(rows**2 @ give) + 1e-300
    A = rows / size[:, None]
    lift = np.linalg.lstsq((A * give) @ A.T, (goal - rows @ change) / size, rcond=1e-11)[0]
    return change + give * (lift @ A)


def outcome(
    main: Fit,
    part: Array,
    rng: np.random.Generator,
    rows: Array | None = None,
    *,
    give: Array | float = 1.0,
    path: Array | float = 0.0,
    turn: float = 0.9,
    mirrored: float = 0.5,
    lower: Array | float = -np.inf,
    upper: Array | float = np.inf,
    spread: Callable[[Array, bool], Array] = lambda v, back: v,
    goal: Array | None = None,
    curved: Callable[[Array], tuple[Array, float]] | None = None,
) -> Array:
    """Draw an outcome anew: the changed effect, a common path, a residual that is turned towards fresh noise.

    Parameters
    ----------
    main
        Column whose residual is turned and keeps its sum of squares, so that no t falls.
    part, path
        What the changed effect adds to the outcome; a common path that is added before the projection.
    rows, goal
        Coefficients that are in the end those of ``y + part``, see `binding` (left out, all of the column); how far each
        of them moves (left out, as far as ``part`` moves it).
    give, lower, upper
        How much each cell may move in the projection (zero holds it); bounds of the outcome.
    turn, mirrored
        Angle in radians between the old residual and the new one; see `fresh`.
    spread
        Lets noise spill over to neighbours or, ``back``, takes the spill-over out.
    curved
        A statistic that is to be zero: gradient and value at an outcome.
    """
    y, rows = main.y, main.rows if rows is None else rows
    give = np.broadcast_to(np.asarray(give, float), y.shape)
    part = part - part.mean()
    goal = rows @ part if goal is None else goal
    e = main.residual(y)
    new = np.zeros(len(y))
    new[main.inside] = fresh(spread(e, True)[main.inside].reshape(-1, main.periods), rng, mirrored).ravel()
    new = spread(new, False)
    start = project(part + path + (np.cos(turn) - 1) * e, rows, goal, give)
    noise = project(new, rows, 0 * goal, give)
    a, b = main.residual(y + start), main.residual(noise)
    p, q, r = float(b @ b), float(a @ b), float(a @ a - e @ e)
    change = start + (-q + max(q * q - p * r, 0.0) ** 0.5) / p * noise  # |a + c b| = |e|
    for _ in range(6):
        reached = y + change
        beyond = (reached < lower) | (reached > upper)  # compared before y is taken off again, which rounds
        bounded = np.where(beyond, np.clip(reached, lower, upper) - y, change)
        free = np.where(beyond, 0.0, give)
        if curved:
            gradient, value = curved(y + bounded)
            at = np.append(goal, gradient @ bounded - value)
            change = project(bounded, np.vstack([rows, gradient]), at, free)
        else:
            change = project(bounded, rows, goal, free)
    return np.clip(y + change, lower, upper)


STEADY = 0.05
"""How far the residual of a drawn outcome may be, as a share, from the length of the shipped one."""


def first_steady(draw: Callable[[], tuple[Array, Any]], main: Fit, tries: int = 40) -> tuple[Array, Any]:
    """The first draw whose residual in the main column is as long as the shipped one, so that no t falls.

    ``draw`` gives an outcome and what belongs to it, another one at each call. It can fail: a cell that is held at the
    maximum of an index pushes the projection into the others. A RuntimeError if none of ``tries`` draws is steady.
    """
    length, found = float(np.linalg.norm(main.residual(main.y))), []
    for _ in range(tries):
        wanted, said = draw()
        found.append(float(np.linalg.norm(main.residual(wanted))) / length)
        if abs(found[-1] - 1) < STEADY:
            return wanted, said
    raise RuntimeError(
        f"none of {tries} draws keeps its residual; their lengths are {np.round(found, 2)} of the shipped"
    )


# -------------------------------------------------------------------------------------------------- entropy indices
def minmax(values: Array) -> Array:
    """Scale each column to [0, 1]."""
    low = values.min(0)
    return (values - low) / (values.max(0) - low)


def redundancy(scaled: Array) -> Array:
    """Redundancy of min-max scaled columns; their shares in its sum are the entropy weights."""
    total = scaled.sum(0)
    logs = scaled * np.log(np.maximum(scaled, 1e-300))
    return 1 + (logs.sum(0) / total - np.log(total)) / np.log(len(scaled))


def rake(
    x: Array,
    wanted: Array,
    give: Array,
    compute: Callable[[Array, bool], None] = lambda x, live: None,
    *,
    part: npt.NDArray[np.intp] | None = None,
    noise: Array | float = 0.0,
    rounds: int = 60,
    live: int = 30,
) -> Array:
    """Move scaled indicators until their entropy index is ``wanted``; their weights stay what they are.

    A round multiplies the indicators of a row by ``rho**give``, with the rho that closes its gap to first order, and
    scales them to [0, 1] again; in the first ``live`` rounds a power then restores the weights.

    Parameters
    ----------
    x
        Scaled indicators of the shipped panel, one column each.
    wanted
        The index or, one column each, the scores of its parts.
    give
        How much an indicator follows; zero for those that are fixed or computed.
    compute
        Changes columns in place that depend on others; it is told whether the round is among the first ``live``.
    part
        Part of the index to which an indicator belongs; left out, all to one.
    noise
        Logarithmic noise that the moving indicators get beforehand, the less the nearer they are to their maximum.
    """
    moving = give > 0
    parts = np.zeros(x.shape[1], int) if part is None else part
    belongs = np.eye(parts.max() + 1)[parts]
    wanted = wanted.reshape(len(x), -1)
    d = redundancy(x)
    weights, total = d / d.sum(), d.sum()
    x = np.where(moving, minmax(x * np.exp(noise * (1 - x))), x)
    for k in range(rounds):
        d = redundancy(x)
        now = d / d.sum()
        gap = wanted - (x * now) @ belongs
        capped = (x > 1 - 1e-12) & (gap > 0)[:, parts]  # a column's maximum cannot grow
        rho = np.clip(gap / ((np.where(capped, 0, x) * now * give) @ belongs + 1e-12), -0.7, 0.7)
        x[:, moving] = minmax(x[:, moving] * np.exp(rho[:, parts] * give)[:, moving])
        if k < live:
            total *= float(np.exp(-0.5 * rho.mean()))
            power = np.sqrt(weights[moving] * total / redundancy(x[:, moving]))
            x[:, moving] **= np.clip(power, 0.7, 1.4)
        compute(x, k < live)
    return x


# ------------------------------------------------------------------------------------------------------------ truth
def truth_of(shipped: Mapping[str, Any], seed: int, *keys: str, **new: Any) -> dict[str, Any]:
    """The truth of a student's panel: what of the shipped one still holds (``keys``), and what is new."""
    said = (
        "The shipped panel drawn anew: effects times the student's factor, fresh noise with the residual's own spread and "
        "persistence, a common path of its own. One projection brings the coefficients to what the changed effect implies."
    )
    kept = {k: shipped[k] for k in ("data", "paper", *keys)}
    return json.loads(json.dumps(kept | {"seed": seed, "mode": "redrawn", "redrawn": said} | new))
