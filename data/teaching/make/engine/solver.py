"""Move columns as little as possible until the rows hold: Gauss-Newton in the dual with Huber weights.

    min_z  sum_i huber((aim_i - value_i(x(z))) / tol_i) + z' S^-1 z,     x = bounds(x0, z)

S is block diagonal by column: prior variance of the move times an autoregressive kernel within units (moves are smooth
in time), some of it white, some common to all units. As many equations as rows; the unknowns never form a matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .paper import Array, CalibrationError, Grid, Move, Paper
from .rows import Gradients, Rows

HUBER = 4.0
"""Residuals beyond so many tolerances count linearly: contradictory targets bend and do not break."""
SLOW = 0.997
"""Three rounds that leave more than this share of the cost end it."""
RELAX = 40.0
"""Prior variances are multiplied by this: thousands of cells share a handful of printed numbers."""


@dataclass
class State:
    """A moving column: where it starts, how it may move, how far it has moved."""

    x0: Array
    move: Move
    kernel: Array
    z: Array

    @classmethod
    def of(cls, x0: Array, move: Move, periods: int) -> State:
        """At the start."""
        x0, lag = np.asarray(x0, float), np.abs(np.subtract.outer(np.arange(periods), np.arange(periods)))
        kernel = RELAX * move.size**2 * ((1 - move.rough) * move.smooth**lag + move.rough * np.eye(periods))
        return cls(x0, move, kernel, np.zeros(len(x0)))

    def value(self, z: Array) -> Array:
        """Column at the move z."""
        m = self.move
        z = m.cap * np.tanh(z / m.cap) if m.cap else z
        if np.isinf(m.lower):
            return self.x0 + np.nanstd(self.x0) * z
        if np.isinf(m.upper):
            return m.lower + (self.x0 - m.lower) * np.exp(z)
        share = np.clip((self.x0 - m.lower) / (m.upper - m.lower), 0, 1)
        with np.errstate(divide="ignore", over="ignore"):
            t = np.log(share) - np.log1p(-share) + z
            return m.lower + (m.upper - m.lower) / (1 + np.exp(-t))

    def slope(self, z: Array, x: Array) -> Array:
        """Derivative of the column in z."""
        m = self.move
        d = 1 - np.tanh(z / m.cap) ** 2 if m.cap else np.ones_like(x)
        if np.isinf(m.lower):
            return np.nanstd(self.x0) * d
        if np.isinf(m.upper):
            return (x - m.lower) * d
        return (x - m.lower) * (m.upper - x) / (m.upper - m.lower) * d


class System:
    """Values and derivatives of rows in the moves of some columns, all other columns fixed.

    Raises
    ------
    CalibrationError
        If a moving column is no array of the story, or has values beyond its bounds.
    """

    def __init__(self, paper: Paper, columns: Grid, names: Sequence[str], rows: Sequence[Rows]) -> None:
        self.paper, self.fixed, self.names = paper, columns, list(names)
        units = len(np.unique(columns[paper.index[0]]))
        self.shape = units, len(columns[paper.index[0]]) // units
        self.states = {k: State.of(columns[k], paper.moves[k], self.shape[1]) for k in self.names}
        for k, s in self.states.items():
            low, high = np.nanmin(s.x0), np.nanmax(s.x0)
            slack = 1e-9 * (high - low)
            if low < s.move.lower - slack or high > s.move.upper + slack:
                raise CalibrationError(
                    f"{paper.slug}: the story's {k} lies in [{low:.6g}, {high:.6g}], outside its bounds "
                    f"[{s.move.lower:.6g}, {s.move.upper:.6g}]; mend the story or the bounds"
                )
        self.derived = self._derived(columns)
        reach = frozenset(self.names) | frozenset(self.derived)
        self.reach, self.rows = reach, [r for r in rows if r.uses & reach]
        self.aim = np.concatenate([r.aim for r in self.rows]) if self.rows else np.zeros(0)
        self.tol = np.concatenate([r.tol for r in self.rows]) if self.rows else np.zeros(0)

    def _derived(self, columns: Grid) -> list[str]:
        """Arrays that `derive` adds or changes."""
        if self.paper.derive is None:
            return []
        new = self.paper.computed(columns)
        return [k for k in new if k not in columns or new[k] is not columns[k]]

    def columns(self, z: dict[str, Array]) -> Grid:
        """Moving columns at z."""
        return {k: s.value(z[k]) for k, s in self.states.items()}

    def values(self, z: dict[str, Array]) -> Array:
        """Values of the rows."""
        v = self.paper.computed(self.fixed | self.columns(z))
        return np.concatenate([r.values(v) for r in self.rows])

    def jacobian(self, z: dict[str, Array]) -> tuple[Array, Array]:
        """Values, and derivatives in the moves (rows x columns * cells)."""
        x = self.columns(z)
        v, back = self._tape(x)
        m, at, out = len(self.aim), 0, []
        total: Gradients = {k: np.zeros((m, len(v[k]))) for k in self.reach}
        for r in self.rows:
            values, g = r.pull(v, self.reach)
            for k, a in g.items():
                total[k][at : at + len(values)] += a
            out.append(values)
            at += len(values)
        if back is not None:
            back(total)
        flat = [np.nan_to_num(total[k] * self.states[k].slope(z[k], x[k])) for k in self.names]
        return np.concatenate(out), np.hstack(flat)

    def _tape(self, x: Grid):
        """Arrays at x, and what turns derivatives in derived arrays into such in the moving ones (autograd)."""
        v = self.paper.computed(self.fixed | x)
        if not self.derived:
            return v, None
        try:
            import autograd.numpy as anp
            from autograd import make_vjp
        except ImportError as error:
            raise CalibrationError(
                f"{self.paper.slug} computes {', '.join(self.derived)} from moving columns; differentiating this needs "
                "autograd: pip install -r data/teaching/make/requirements.txt"
            ) from error
        cells = len(self.fixed[self.paper.index[0]])

        def flat(z):
            here = {k: z[i * cells : (i + 1) * cells] for i, k in enumerate(self.names)}
            new = self.paper.derive(anp, self.fixed | here)
            return anp.concatenate([new[k] for k in self.derived])

        vjp, _ = make_vjp(flat)(np.concatenate([x[k] for k in self.names]))

        def back(total: Gradients) -> None:
            C = np.hstack([total[k] for k in self.derived])
            for i in np.flatnonzero(C.any(1)):
                g = vjp(C[i])
                for j, k in enumerate(self.names):
                    total[k][i] += g[j * cells : (j + 1) * cells]

        return v, back

    def smooth(self, J: Array) -> Array:
        """J times the prior covariance S."""
        units, periods = self.shape
        out, n = np.empty_like(J), units * periods
        for i, k in enumerate(self.names):
            block = J[:, i * n : (i + 1) * n].reshape(len(J), units, periods) @ self.states[k].kernel
            block = block + self.states[k].move.common * block.sum(1, keepdims=True)
            out[:, i * n : (i + 1) * n] = block.reshape(len(J), n)
        return out

    def penalty(self, z: dict[str, Array]) -> float:
        """z' S^-1 z."""
        total, units = 0.0, self.shape[0]
        for k, s in self.states.items():
            t, c = z[k].reshape(self.shape), s.move.common
            a = t.sum(0)
            total += float((t * np.linalg.solve(s.kernel, t.T).T).sum())
            total -= float(c / (1 + c * units) * (a @ np.linalg.solve(s.kernel, a))) if c else 0.0
        return total


def blocks(paper: Paper, columns: Grid, rows: Sequence[Rows]) -> list[list[str]]:
    """Moving columns that share no row are solved apart, each block with its own damping."""
    names = [k for k in paper.moves if k in columns]
    missing = [k for k in paper.moves if k not in columns]
    if missing:
        raise CalibrationError(f"{paper.slug}: the story draws no {', '.join(missing)}, which moves names")
    if paper.derive is not None:
        return [names]
    groups = [{k} for k in names]
    for r in rows:
        hit = [g for g in groups if g & r.uses]
        if len(hit) > 1:
            groups = [g for g in groups if not g & r.uses] + [set().union(*hit)]
    return [[k for k in names if k in g] for g in groups]


def solve(system: System, rounds: int = 60) -> int:
    """Levenberg-Marquardt; leaves the moves in the system's states and returns the number of rounds."""
    z = {k: s.z for k, s in system.states.items()}
    if not system.rows:
        return 0
    tol, aim, n = system.tol, system.aim, system.shape[0] * system.shape[1]

    def cost(values: Array, z: dict[str, Array]) -> float:
        r = np.abs((aim - values) / tol)
        return float(np.where(r < HUBER, r**2, HUBER * (2 * r - HUBER)).sum()) + system.penalty(z)

    best, slow, damping, done = cost(system.values(z), z), 0, 1.0, 0
    for _ in range(rounds):
        values, J = system.jacobian(z)
        r = (aim - values) / tol
        w = np.sqrt(np.minimum(1, HUBER / np.maximum(np.abs(r), 1e-12)))
        J *= (w / tol)[:, None]
        JS = system.smooth(J)
        G, flat = JS @ J.T, np.concatenate([z[k] for k in system.names])
        for _ in range(8):
            c = 1 + damping
            right = w * r + J @ flat / c
            step = JS.T @ cho_solve(cho_factor(G + c * np.eye(len(G))), right) - flat / c
            u = flat + step * min(1.0, 1.5 / max(np.abs(step).max(), 1e-12))
            new = {k: u[i * n : (i + 1) * n] for i, k in enumerate(system.names)}
            now = cost(system.values(new), new)
            if np.isfinite(now) and now < best:
                break
            damping = 4 * max(damping, 0.1)
        else:
            break
        slow = slow + 1 if now > SLOW * best else 0
        z, best, damping, done = new, now, damping / 4, done + 1
        if slow == 3:
            break
    for k, s in system.states.items():
        s.z = z[k]
    return done
