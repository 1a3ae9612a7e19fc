"""Move a structural draw of `factor-innovation` until Tables 3 to 8 hold.

All variables of the regressions move, by as little as possible: outcome, mediators, treatment and controls. A printed
number is a function of them whose gradient is known, so that a few Gauss-Newton steps of a penalised least-squares
problem suffice. With the relative moves u (on the log-odds scale between a variable's bounds), prior variances S,
printed numbers in units of their tolerance and J their Jacobian, a step is ``u = S J'(J S J' + I)^-1 (r + J u)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from first_four._calibrate import Array, Grid
from first_four._factor_targets import (
    BASE,
    CONTROLS,
    FULL,
    ID,
    PARTS,
    PERIOD_ROWS,
    SAMPLE,
    YEARS,
    Column,
    Fit,
    Printed,
    combine,
    fit,
    provinces,
    table_columns,
)

MOVE = {"LI": 0.10, "KI": 0.10, "TI": 0.10, "ID1": 0.08, "ID2": 0.08, "ID3": 0.08} | {
    "TAL": 0.35, "BASE": 0.30, "GAP": 0.25, "GOV": 0.25, "RCD": 0.20,
}  # fmt: skip
"""Prior standard deviation of a relative move."""
COEFFICIENT, ERROR, R2 = 0.08, 0.04, 0.10
MAIN = 0.5
"""Tolerances: of a coefficient in printed errors, of an error relatively, of 1 - R2 relatively; main regressors have a part of them."""


@dataclass
class State:
    """The variables, each between its bounds; mediators on all 651 province-years, the others on 341.

    ``goal`` holds the numbers aimed at; ``unit`` converts the mediators into value added. ``known``: rows, values and
    tolerance of further linear targets of the outcome, what the process itself says.
    """

    values: dict[str, Array]
    lower: dict[str, float]
    upper: dict[str, float]
    goal: Printed
    unit: dict[str, tuple[float, float]]
    start: dict[str, Array] = field(default_factory=dict)
    moves: dict[str, Array] = field(default_factory=dict)
    known: tuple[Array, Array, Array] | None = None

    def __post_init__(self) -> None:
        for k, x in self.values.items():
            share = np.clip((x - self.lower[k]) / (self.upper[k] - self.lower[k]), 0, 1)
            with np.errstate(divide="ignore"):
                self.start[k] = np.log(share) - np.log1p(-share)
            self.moves[k] = np.zeros(len(x))

    def slope(self, k: str) -> Array:
        """Derivative of a variable with respect to its move; zero at the bounds, which are pinned."""
        x = self.values[k]
        return (x - self.lower[k]) * (self.upper[k] - x) / (self.upper[k] - self.lower[k])

    def set(self, k: str, move: Array) -> None:
        """Give a variable its move."""
        self.moves[k] = move
        with np.errstate(over="ignore"):
            share = 1 / (1 + np.exp(-(self.start[k] + move)))
        self.values[k] = self.lower[k] + (self.upper[k] - self.lower[k]) * share

    def sample(self) -> dict[str, Array]:
        """The variables on the 341 province-years of the regressions."""
        return {k: x[SAMPLE] if len(x) == FULL.size else x for k, x in self.values.items()}


class System:
    """Residuals and Jacobian, row by row, over the moving variables.

    The Jacobian is worked out at the first `step`: many systems are tried for their cost only. Further steps, with
    other dampings, use it again; the state must then be the one that the system was built at.
    """

    def __init__(self, state: State, names: tuple[str, ...]) -> None:
        self.state, self.names = state, names
        sizes = [len(state.values[k]) for k in names]
        self.offset = dict(zip(names, np.cumsum([0, *sizes[:-1]]), strict=True))
        self.size = sum(sizes)
        self.gaps: list[Array] = []
        self.tolerances: list[Array] = []
        self.gradients: list[Callable[[Array], None]] = []
        self.linear: tuple[Array, Array, Array] | None = None

    def place(self, block: Array, name: str, rows: Array, gradient: Array, full: bool = False) -> None:
        """Add a gradient with respect to a variable (or the sum that the name stands for).

        ``rows`` are positions in the sample of 341, or with ``full`` (mediators only) among the 651 province-years.
        """
        for part in PARTS.get(name, (name,)):
            if part not in self.offset:
                continue
            at = SAMPLE_ROWS[rows] if part in ID and not full else rows
            block[:, self.offset[part] + at] += gradient

    def add(self, gap: Array, gradient: Callable[[Array], None], tolerance: Array | float) -> None:
        """Add residuals (target minus value); ``gradient`` fills their rows of the Jacobian, which are zero."""
        t = np.broadcast_to(np.asarray(tolerance, float), gap.shape)
        self.gaps.append(gap / t)
        self.tolerances.append(t)
        self.gradients.append(gradient)

    def cost(self) -> float:
        """Huber loss of the residuals plus the square of the moves."""
        r = np.abs(np.concatenate(self.gaps))
        u = self.moves() / self.spread()
        return float(np.where(r < HUBER, r**2, HUBER * (2 * r - HUBER)).sum() + u @ u)

    def moves(self) -> Array:
        """Moves of all variables, one after the other."""
        return np.concatenate([self.state.moves[k] for k in self.names])

    def spread(self) -> Array:
        """Prior standard deviations of the moves."""
        return np.concatenate([np.full(len(self.state.values[k]), MOVE[k]) for k in self.names])

    def step(self, damping: float) -> Array:
        """Moves after a damped Gauss-Newton step (Levenberg and Marquardt, Huber weights)."""
        if self.linear is None:
            self.linear = self.linearised()
        (J, M, r), spread, c = self.linear, self.spread(), 1 + damping
        u = self.moves() / spread
        solved = cho_solve(cho_factor(M + c * np.eye(len(M))), r + J @ u / c)
        return spread * (u + J.T @ solved - u / c)

    def linearised(self) -> tuple[Array, Array, Array]:
        """Jacobian in prior deviations of the moves, its product with itself, and residuals, all Huber-weighted."""
        r = np.concatenate(self.gaps)
        w = np.sqrt(np.minimum(1, HUBER / np.maximum(np.abs(r), 1e-12)))
        scale = np.concatenate([self.state.slope(k) for k in self.names]) * self.spread()
        J, at = np.zeros((len(r), self.size)), 0
        for t, gradient in zip(self.tolerances, self.gradients, strict=True):
            rows = slice(at, at + len(t))
            gradient(J[rows])
            J[rows] /= t[:, None]
            J[rows] *= w[rows, None]
            J[rows] *= scale
            at = rows.stop
        return J, J @ J.T, w * r

    def move(self, u: Array) -> None:
        """Give the variables their moves."""
        for k in self.names:
            a = self.offset[k]
            self.state.set(k, u[a : a + len(self.state.values[k])])


SAMPLE_ROWS = np.flatnonzero(SAMPLE)
HUBER = 5.0
"""Residual, in tolerances, from which a printed number pulls with constant force only."""


def mean_and_sd(system: System, name: str, x: Array, mean: float, sd: float) -> None:
    """Rows for a mean and a standard deviation on the sample."""
    n, d = len(x), x - x.mean()
    s = x.std(ddof=1)
    gradient = np.vstack([np.full(n, 1 / n), d / (s * (n - 1))])
    system.add(
        np.array([mean - x.mean(), sd - s]),
        lambda block: system.place(block, name, np.arange(n), gradient),
        np.array([0.005 * mean, 0.01 * sd]),
    )


def regression(system: System, c: Column, f: Fit) -> None:
    """Rows for the coefficients, errors and R-squared of a column."""
    p = system.state.goal
    terms = [*c.terms, "_cons"]
    want = np.array([p.estimate[c.table, c.column, t][:2] for t in terms])
    firm = np.array([1.0 if t in (*CONTROLS, "_cons") else MAIN for t in terms])
    tolerance = COEFFICIENT * want[:, 1] * firm
    if c.kind == "lag":
        tolerance[-1] *= 10
    system.add(want[:, 0] - f.b, lambda block: coefficient_rows(system, c, f, block), tolerance)
    system.add(np.log(want[:, 1] / f.se), lambda block: error_rows(system, c, f, block), ERROR * firm)
    if (c.table, c.column) in p.r2:
        rss = float(f.residual @ f.residual)
        goal = np.log(1 - p.r2[c.table, c.column])
        d = f.y - f.y.mean()
        gradient = (2 * f.residual / rss - 2 * d / f.total)[None]
        system.add(
            np.array([goal - np.log(rss / f.total)]),
            lambda block: system.place(block, c.outcome, f.rows_y, gradient),
            R2,
        )


def coefficient_rows(system: System, c: Column, f: Fit, block: Array) -> None:
    """Fill in the gradients of the coefficients, the constant last."""
    k, n = len(c.terms), len(f.y)
    system.place(block, c.outcome, f.rows_y, f.slope_rows)
    for j, name in enumerate(c.terms):
        g = np.outer(f.gram_inverse[:, j], f.residual)
        if c.kind == "re":
            g = g - f.b[j] * f.slope_rows
        else:
            g = g - f.b[j] * f.slope_rows[:k]
            g = np.vstack([g, -f.b[j] / n - f.outcome_means @ g])
        system.place(block, name, f.rows_x, g)


def error_rows(system: System, c: Column, f: Fit, block: Array) -> None:
    """Fill in the gradients of the logarithms of clustered errors.

    With scores ``u_gk`` (sums over a province of ``P_ki e_i``) the squared error is ``q * sum_g u_gk**2``; both P and e
    depend on regressors and outcome. The gradient of the constant's error leaves the regressors out.
    """
    k, n, re = len(c.terms), len(f.y), c.kind == "re"
    grid = Grid(c.clusters, n // c.clusters)
    P = f.gram_inverse @ f.X.T
    rows = P if re else np.vstack([P, f.slope_rows[k]])
    e = f.inner

    def annihilate(z: Array) -> Array:
        if not re:
            z = grid.within(z.T).T
        z = z - (z @ f.X) @ P
        return z - float(f.theta) * grid.unit_mean_rows(z) if re else z

    u = np.repeat(f.scores, grid.periods, axis=1)
    total = (f.scores**2).sum(1)[:, None]
    w = annihilate(rows * u) / total
    system.place(block, c.outcome, f.rows_y, w)
    eu = annihilate(u[: len(P)] * e) / total[: len(P)]
    cross = f.scores @ f.scores.T / total
    Pq = P - float(f.theta) * grid.unit_mean_rows(P) if re else P
    for j, name in enumerate(c.terms):
        g = np.zeros((k + 1, n))
        g[: len(P)] = f.gram_inverse[:, [j]] * eu - Pq * cross[: len(P), [j]] - f.b[j] * w[: len(P)]
        g[: len(P)] -= ((P * u[: len(P)]) @ P[j] / total[: len(P), 0])[:, None] * f.residual
        system.place(block, name, f.rows_x, g)


def entropy_rows(system: System, goal: Printed) -> None:
    """Rows for the weights of the three mediators, by period and over all years."""
    whole = np.array([goal.whole[k] for k in ID])
    jobs = [(np.ones(FULL.size, bool), whole)]
    jobs += [(PERIOD_ROWS[p], w[-3:]) for p, w in goal.weights.items()]
    for rows, want in jobs:
        one_period(system, rows, want)


def one_period(system: System, rows: Array, want: Array) -> None:
    """Rows for the weights of the three mediators in some years."""
    d, grad = np.zeros(3), []
    for i, k in enumerate(ID):
        x = system.state.values[k][rows]
        low, high = x.argmin(), x.argmax()
        span = x[high] - x[low]
        z = np.maximum((x - x[low]) / span, 1e-12)
        T, L = z.sum(), (z * np.log(z)).sum()
        d[i] = 1 + (L / T - np.log(T)) / np.log(len(z))
        g = ((np.log(z) + 1) / T - L / T**2 - 1 / T) / np.log(len(z))
        g[low] = 0
        full = g / span
        full[high] -= g @ z / span
        full[low] -= g @ (1 - z) / span
        grad.append(full)
    w = d / d.sum()

    def gradient(block: Array) -> None:
        for j, k in enumerate(ID):
            factor = (np.eye(3)[:, [j]] - w[:, None]) / d.sum()
            system.place(block, k, np.flatnonzero(rows), factor * grad[j], full=True)

    system.add(want - w, gradient, 0.0008)


def output_rows(system: System, goal: Printed) -> None:
    """Rows for regional output of three years and the national gap between tertiary and secondary output."""
    state, year = system.state, np.tile(YEARS, 31)

    def total(here: Array, signs: dict[str, float], want: float, tolerance: float) -> None:
        """A sum of output over mediators, each with a sign, at province-years."""

        def gradient(block: Array) -> None:
            for k, sign in signs.items():
                system.place(block, k, here, np.full((1, len(here)), sign * state.unit[k][1]), full=True)

        value = 0.0
        for k, sign in signs.items():
            low, per = state.unit[k]
            value += sign * (low + per * state.values[k][here]).sum()
        system.add(np.array([want - value]), gradient, tolerance)

    for (region, y), want in goal.regional_gdp.items():
        total(
            np.flatnonzero(FULL.expand(in_region(region)) & (year == y)),
            dict.fromkeys(ID, 1.0),
            want,
            0.004 * want,
        )
    for y, want in ((2014, 9679.40), (2023, 203038.40)):
        total(np.flatnonzero(year == y), {"ID2": -1.0, "ID3": 1.0}, want, 800.0)
    for y, k, want in (
        (2003, "ID1", 0.019), (2003, "ID2", 0.0115), (2003, "ID3", 0.0105), (2023, "ID1", 0.121),
        (2023, "ID2", 0.092), (2023, "ID3", 0.112), (2017, "ID2", 0.0705), (2017, "ID3", 0.0695),
    ):  # fmt: skip
        mean_row(system, k, state.values[k], np.flatnonzero(year == y), want, 0.0006, full=True)
    x = combine(state.values, "ID")
    for y in (2003, 2013, 2023):
        rank_rows(system, "ID", x, y, goal.above["ID", y], full=True)


def mean_row(
    system: System, name: str, x: Array, rows: Array, want: float, tolerance: float, full: bool = False
) -> None:
    """Row for the mean of a variable at some rows."""
    gradient = np.full((1, len(rows)), 1 / len(rows))
    system.add(
        np.array([want - x[rows].mean()]),
        lambda block: system.place(block, name, rows, gradient, full),
        tolerance,
    )


@cache
def listed(names: frozenset[str]) -> Array:
    """Which of the 31 provinces have one of the names."""
    return provinces()["name_en"].isin(names).to_numpy()


@cache
def in_region(name: str) -> Array:
    """Which of the 31 provinces lie in a region."""
    return (provinces()["region4"] == name).to_numpy()


def rank_rows(
    system: System, name: str, x: Array, year: int, above: frozenset[str], full: bool = False
) -> None:
    """Rows for provinces on the wrong side of the national mean in a year (a margin of 3 per cent)."""
    here = np.arange(31) * 21 + (year - 2003) if full else np.arange(31) * 11 + (year - 2013)
    z, m = x[here], x[here].mean()
    wanted = listed(above)
    limit = m * np.where(wanted, 1.03, 0.97)
    wrong = np.flatnonzero(np.where(wanted, z < limit, z > limit))
    if len(wrong):
        g = np.full((len(wrong), 31), -1 / 31)
        g[np.arange(len(wrong)), wrong] += 1
        system.add(limit[wrong] - z[wrong], lambda block: system.place(block, name, here, g, full), 0.02 * m)


def extreme_rows(system: System, name: str, x: Array, low: float, high: float) -> None:
    """Rows for the smallest and the largest value."""
    at = np.array([x.argmin(), x.argmax()])
    system.add(
        np.array([low, high]) - x[at],
        lambda block: system.place(block, name, at, np.eye(2)),
        np.array([0.0005, 0.003]),
    )


STAGES = ((ID, 8), (BASE, 32), (("RCD",), 5))
"""Which variables move, and for how many rounds at most."""


def calibrate(state: State, stages: tuple[tuple[tuple[str, ...], int], ...] = STAGES) -> None:
    """Move the variables of ``state`` until the printed numbers hold.

    First the mediators alone (weights, regional output), then all variables, then the outcome; a stage ends early when
    two steps in a row gain less than 0.4 per cent.
    """
    for names, rounds in stages:
        damping, slow = (0.0 if names == ID else 3.0), 0
        system = build(state, names)
        best, kept = system.cost(), system.moves()
        for _ in range(rounds):
            system.move(system.step(damping))
            new = build(state, names)
            cost = new.cost()
            if cost < best:
                slow = slow + 1 if cost > 0.996 * best else 0
                damping, best, system, kept = damping / 3, cost, new, new.moves()
                if slow == 2:
                    break
            else:
                damping = 4 * max(damping, 0.1)
                system.move(kept)


def build(state: State, names: tuple[str, ...]) -> System:
    """Residuals and gradients of all printed numbers at the present values."""
    p, joint = state.goal, names == BASE
    system = System(state, names)
    if names != ("RCD",):
        entropy_rows(system, p)
        output_rows(system, p)
        if names == ID:
            return system
    v = state.sample()
    for c in table_columns():
        regression(system, c, fit(c, v))
    if state.known is not None:
        rows, values, tolerance = state.known
        gap, everywhere = values - rows @ v["RCD"], np.arange(v["RCD"].size)
        system.add(gap, lambda block: system.place(block, "RCD", everywhere, rows), tolerance)
    sums = {"FI": v["LI"] + v["KI"] + v["TI"], "ID": v["ID1"] + v["ID2"] + v["ID3"], "RCD": v["RCD"]}
    for name in ("FI", "ID", "RCD") if joint else ("RCD",):
        x, (mean, sd, low, high) = sums[name], p.moments[name]
        mean_and_sd(system, name, x, mean, sd)
        extreme_rows(system, name, x, low, high)
        for year in (2013, 2023) if name != "ID" else ():
            rank_rows(system, name, x, year, p.above[name, year])
    here = np.arange(31) * 11 + 10
    for name, want in (("FI", 0.24), ("RCD", 0.31)):
        if name == "RCD" or joint:
            mean_row(system, name, sums[name], here, want, 0.001)
    if joint:
        for name, mean, sd in control_moments(p):
            mean_and_sd(system, name, v[name], mean, sd)
        for name, mean in (("LI", 0.039), ("KI", 0.034), ("TI", 0.088)):
            mean_row(system, name, v[name], np.arange(341), mean, 0.0008)
    return system


def control_moments(p: Printed) -> list[tuple[str, float, float]]:
    """Mean and standard deviation of the controls as the regressions use them."""
    m = p.moments
    t, g = m["TAL"], m["GAP"]
    low = TAL_MINIMUM
    return [
        ("TAL", (t[0] - low) / (t[3] - low), t[1] / (t[3] - low)),
        ("BASE", *m["BASE"][:2]),
        ("GAP", (g[3] - g[0]) / (g[3] - g[2]), g[1] / (g[3] - g[2])),
        ("GOV", *m["GOV"][:2]),
    ]


TAL_MINIMUM = 0.021
"""Least share of postgraduates, per cent: the printed minimum is below zero, which no share can be."""
