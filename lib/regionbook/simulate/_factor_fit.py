"""Move a structural draw of `factor-innovation` until Tables 3 to 8 hold.

All variables of the regressions move, by as little as possible: outcome, mediators, treatment and controls. A printed
number is a function of them whose gradient is known, so that a few Gauss-Newton steps of a penalised least-squares
problem suffice. With the relative moves u (on the log-odds scale between a variable's bounds), prior variances S,
printed numbers in units of their tolerance and J their Jacobian, a step is ``u = S J'(J S J' + I)^-1 (r + J u)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from regionbook.simulate._calibrate import Array, Grid
from regionbook.simulate._factor_targets import (
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

    ``goal`` holds the numbers aimed at; ``gap`` converts the mediators into value added.
    """

    values: dict[str, Array]
    lower: dict[str, float]
    upper: dict[str, float]
    goal: Printed
    unit: dict[str, tuple[float, float]]
    start: dict[str, Array] = field(default_factory=dict)
    moves: dict[str, Array] = field(default_factory=dict)

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
    """Residuals and Jacobian, row by row, over the moving variables."""

    def __init__(self, state: State, names: tuple[str, ...]) -> None:
        self.state, self.names = state, names
        sizes = [len(state.values[k]) for k in names]
        self.offset = dict(zip(names, np.cumsum([0, *sizes[:-1]]), strict=True))
        self.size = sum(sizes)
        self.rows: list[Array] = []
        self.gaps: list[Array] = []

    def place(self, block: Array, name: str, rows: Array, gradient: Array) -> None:
        """Add a gradient with respect to a variable (or the sum that the name stands for) at sample rows."""
        for part in PARTS.get(name, (name,)):
            if part not in self.offset:
                continue
            at = np.flatnonzero(SAMPLE)[rows] if len(self.state.values[part]) == FULL.size else rows
            block[:, self.offset[part] + at] += gradient

    def add(self, gap: Array, block: Array, tolerance: Array | float) -> None:
        """Add rows with their residuals (target minus value)."""
        t = np.broadcast_to(np.asarray(tolerance, float), gap.shape)
        self.rows.append(block / t[:, None])
        self.gaps.append(gap / t)

    def block(self, k: int) -> Array:
        """Empty rows."""
        return np.zeros((k, self.size))

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
        J, r = np.vstack(self.rows), np.concatenate(self.gaps)
        w = np.sqrt(np.minimum(1, HUBER / np.maximum(np.abs(r), 1e-12)))
        spread, c = self.spread(), 1 + damping
        u = self.moves() / spread
        J = J * w[:, None] * (np.concatenate([self.state.slope(k) for k in self.names]) * spread)
        M = J @ J.T
        M[np.diag_indices_from(M)] += c
        return spread * (u + J.T @ cho_solve(cho_factor(M), w * r + J @ u / c) - u / c)

    def move(self, u: Array) -> None:
        """Give the variables their moves."""
        for k in self.names:
            a = self.offset[k]
            self.state.set(k, u[a : a + len(self.state.values[k])])


HUBER = 5.0
"""Residual, in tolerances, from which a printed number pulls with constant force only."""


def mean_and_sd(system: System, name: str, x: Array, mean: float, sd: float) -> None:
    """Rows for a mean and a standard deviation on the sample."""
    n, d = len(x), x - x.mean()
    s = x.std(ddof=1)
    block, rows = system.block(2), np.arange(n)
    system.place(block, name, rows, np.vstack([np.full(n, 1 / n), d / (s * (n - 1))]))
    system.add(np.array([mean - x.mean(), sd - s]), block, np.array([0.005 * mean, 0.01 * sd]))


def regression(system: System, c: Column, f: Fit) -> None:
    """Rows for the coefficients, errors and R-squared of a column."""
    p = system.state.goal
    terms = [*c.terms, "_cons"]
    want = np.array([p.estimate[c.table, c.column, t][:2] for t in terms])
    k, n = len(c.terms), len(f.y)
    block = system.block(k + 1)
    system.place(block, c.outcome, f.rows_y, f.slope_rows)
    for j, name in enumerate(c.terms):
        g = np.outer(f.gram_inverse[:, j], f.residual)
        if c.kind == "re":
            g = g - f.b[j] * f.slope_rows
        else:
            g = g - f.b[j] * f.slope_rows[:k]
            g = np.vstack([g, -f.b[j] / n - f.outcome_means @ g])
        system.place(block, name, f.rows_x, g)
    firm = np.array([1.0 if t in (*CONTROLS, "_cons") else MAIN for t in terms])
    tolerance = COEFFICIENT * want[:, 1] * firm
    if c.kind == "lag":
        tolerance[-1] *= 10
    system.add(want[:, 0] - f.b, block, tolerance)
    system.add(*error_rows(system, c, f, want[:, 1]), ERROR * firm)
    if (c.table, c.column) in p.r2:
        rss = float(f.residual @ f.residual)
        goal = np.log(1 - p.r2[c.table, c.column])
        block = system.block(1)
        d = f.y - f.y.mean()
        system.place(block, c.outcome, f.rows_y, (2 * f.residual / rss - 2 * d / f.total)[None])
        system.add(np.array([goal - np.log(rss / f.total)]), block, R2)


def error_rows(system: System, c: Column, f: Fit, want: Array) -> tuple[Array, Array]:
    """Gaps and gradients of the logarithms of clustered errors.

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
    block = system.block(k + 1)
    system.place(block, c.outcome, f.rows_y, w)
    eu = annihilate(u[: len(P)] * e) / total[: len(P)]
    cross = f.scores @ f.scores.T / total
    Pq = P - float(f.theta) * grid.unit_mean_rows(P) if re else P
    for j, name in enumerate(c.terms):
        g = np.zeros((k + 1, n))
        g[: len(P)] = f.gram_inverse[:, [j]] * eu - Pq * cross[: len(P), [j]] - f.b[j] * w[: len(P)]
        g[: len(P)] -= ((P * u[: len(P)]) @ P[j] / total[: len(P), 0])[:, None] * f.residual
        system.place(block, name, f.rows_x, g)
    return np.log(want / f.se), block


def entropy_rows(system: System, goal: Printed) -> None:
    """Rows for the weights of the three mediators, by period and over all years."""
    state = system.state
    whole = np.array([goal.whole[k] for k in ID])
    jobs = [(np.ones(FULL.size, bool), whole)]
    jobs += [(PERIOD_ROWS[p], w[-3:]) for p, w in goal.weights.items()]
    for rows, want in jobs:
        d, grad = np.zeros(3), []
        for i, k in enumerate(ID):
            x = state.values[k][rows]
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
        for i in range(3):
            block = system.block(1)
            for j, k in enumerate(ID):
                factor = ((i == j) - w[i]) / d.sum()
                block[0, system.offset[k] + np.flatnonzero(rows)] += factor * grad[j]
            system.add(np.array([want[i] - w[i]]), block, 0.0008)


def output_rows(system: System, goal: Printed) -> None:
    """Rows for regional output of three years and the national gap between tertiary and secondary output."""
    state, frame = system.state, provinces()
    year = np.tile(YEARS, 31)
    for (region, y), want in goal.regional_gdp.items():
        block, total = system.block(1), 0.0
        here = np.flatnonzero(np.repeat((frame["region4"] == region).to_numpy(), 21) & (year == y))
        for k in ID:
            low, per = state.unit[k]
            total += (low + per * state.values[k][here]).sum()
            block[0, system.offset[k] + here] = per
        system.add(np.array([want - total]), block, 0.004 * want)
    for y, want, slack in ((2014, 9679.40, 800.0), (2023, 203038.40, 800.0)):
        block, total = system.block(1), 0.0
        here = np.flatnonzero(year == y)
        for k, sign in (("ID2", -1.0), ("ID3", 1.0)):
            low, per = state.unit[k]
            total += sign * (low + per * state.values[k][here]).sum()
            block[0, system.offset[k] + here] = sign * per
        system.add(np.array([want - total]), block, slack)
    for y, k, want in (
        (2003, "ID1", 0.019), (2003, "ID2", 0.0115), (2003, "ID3", 0.0105), (2023, "ID1", 0.121),
        (2023, "ID2", 0.092), (2023, "ID3", 0.112), (2017, "ID2", 0.0705), (2017, "ID3", 0.0695),
    ):  # fmt: skip
        here = np.flatnonzero(year == y)
        block = system.block(1)
        block[0, system.offset[k] + here] = 1 / 31
        system.add(np.array([want - state.values[k][here].mean()]), block, 0.0006)
    x = combine(state.values, "ID")
    for y in (2003, 2013, 2023):
        rank_rows(system, "ID", x, y, goal.above["ID", y], full=True)


def rank_rows(
    system: System, name: str, x: Array, year: int, above: frozenset[str], full: bool = False
) -> None:
    """Rows for provinces on the wrong side of the national mean in a year (a margin of 3 per cent)."""
    here = np.arange(31) * 21 + (year - 2003) if full else np.arange(31) * 11 + (year - 2013)
    z, m = x[here], x[here].mean()
    wanted = provinces()["name_en"].isin(above).to_numpy()
    limit = m * np.where(wanted, 1.03, 0.97)
    wrong = np.flatnonzero(np.where(wanted, z < limit, z > limit))
    if len(wrong):
        block = system.block(len(wrong))
        g = np.full((len(wrong), 31), -1 / 31)
        g[np.arange(len(wrong)), wrong] += 1
        if full:
            for part in PARTS[name]:
                block[:, system.offset[part] + here] += g
        else:
            system.place(block, name, here, g)
        system.add(limit[wrong] - z[wrong], block, 0.02 * m)


def calibrate(state: State, joint: int = 32, single: int = 5) -> None:
    """Move the variables of ``state`` until the printed numbers hold.

    First the mediators alone (weights, regional output), then all variables, then the outcome; a stage ends early when
    two steps in a row gain less than 0.4 per cent.
    """
    for names, rounds in ((ID, 8), (BASE, joint), (("RCD",), single)):
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
    sums = {"FI": v["LI"] + v["KI"] + v["TI"], "ID": v["ID1"] + v["ID2"] + v["ID3"], "RCD": v["RCD"]}
    for name in ("FI", "ID", "RCD") if joint else ("RCD",):
        x, (mean, sd, low, high) = sums[name], p.moments[name]
        mean_and_sd(system, name, x, mean, sd)
        block = system.block(2)
        at = np.array([x.argmin(), x.argmax()])
        system.place(block, name, at, np.eye(2))
        system.add(np.array([low, high]) - x[at], block, np.array([0.0005, 0.003]))
        for year in (2013, 2023) if name != "ID" else ():
            rank_rows(system, name, x, year, p.above[name, year])
    here = np.arange(31) * 11 + 10
    for name, want in (("FI", 0.24), ("RCD", 0.31)):
        block = system.block(1)
        if name == "RCD" or joint:
            system.place(block, name, here, np.full((1, 31), 1 / 31))
            system.add(np.array([want - sums[name][here].mean()]), block, 0.001)
    if joint:
        for name, mean, sd in control_moments(p):
            mean_and_sd(system, name, v[name], mean, sd)
        for name, mean in (("LI", 0.039), ("KI", 0.034), ("TI", 0.088)):
            block = system.block(1)
            system.place(block, name, np.arange(341), np.full((1, 341), 1 / 341))
            system.add(np.array([mean - v[name].mean()]), block, 0.0008)
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
