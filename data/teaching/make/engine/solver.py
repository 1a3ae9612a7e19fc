"""Move columns as little as possible until the rows hold: Gauss-Newton in the dual with Huber weights.

    min_z  sum_i huber((aim_i - value_i(x(z))) / tol_i) + z' S^-1 z,     x = bounds(x0, z)

S is block diagonal by column: prior variance of the move times an autoregressive kernel within units (moves are smooth
in time), some of it white, some common to all units. As many equations as rows; the unknowns never form a matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


class State:
    """A moving column: where it starts on the scale of its move, the prior of the moves."""

    def __init__(self, x0: Array, move: Move, periods: int) -> None:
        lag = np.abs(np.subtract.outer(np.arange(periods), np.arange(periods)))
        correlation = (1 - move.rough) * move.smooth**lag + move.rough * np.eye(periods)
        self.kernel = RELAX * move.size**2 * correlation
        self.x0, self.move, self.unit, self.start = x0, move, move.unit(x0), move.scale(x0)

    def value(self, z: Array) -> Array:
        """Column at the move z."""
        cap = self.move.cap
        return self.move.value(self.start + self.unit * (cap * np.tanh(z / cap) if cap else z))

    def slope(self, z: Array, x: Array) -> Array:
        """Derivative of the column in z, where it is x; nought in absent cells."""
        inner = 1 - np.tanh(z / self.move.cap) ** 2 if self.move.cap else 1.0
        return np.nan_to_num(self.unit * inner * self.move.slope(x))


class System:
    """Values and derivatives of rows in the moves of some columns, all other columns fixed.

    Raises
    ------
    CalibrationError
        If a moving column has values beyond its bounds.
    """

    def __init__(self, paper: Paper, columns: Grid, names: Sequence[str], rows: Sequence[Rows]) -> None:
        self.paper, self.fixed, self.names = paper, columns, list(names)
        self.cells = len(columns[paper.index[0]])
        units = len(np.unique(columns[paper.index[0]]))
        self.shape = units, self.cells // units
        self.states = [State(columns[k], paper.moves[k], self.shape[1]) for k in self.names]
        for k, s in zip(self.names, self.states, strict=True):
            low, high = np.nanmin(s.x0), np.nanmax(s.x0)
            slack = 1e-9 * (high - low)
            if low < s.move.lower - slack or high > s.move.upper + slack:
                raise CalibrationError(
                    f"{paper.slug}: the story's {k} lies in [{low:.6g}, {high:.6g}], outside its bounds "
                    f"[{s.move.lower:.6g}, {s.move.upper:.6g}]; mend the story or the bounds"
                )
        new = paper.computed(columns)
        self.derived = [k for k in new if k not in columns or new[k] is not columns[k]]
        self.reach = frozenset(self.names) | frozenset(self.derived)
        self.rows = [r for r in rows if r.uses & self.reach]
        self.aim = np.concatenate([np.zeros(0), *(r.aim for r in self.rows)])
        self.tol = np.concatenate([np.zeros(0), *(r.tol for r in self.rows)])
        self.z = np.zeros((len(self.names), self.cells))

    def columns(self, z: Array) -> Grid:
        """Moving columns at the moves z (columns x cells)."""
        return {k: s.value(a) for k, s, a in zip(self.names, self.states, z, strict=True)}

    def values(self, z: Array) -> Array:
        """Values of the rows."""
        v = self.paper.computed(self.fixed | self.columns(z))
        return np.concatenate([r.values(v) for r in self.rows])

    def jacobian(self, z: Array) -> tuple[Array, Array]:
        """Values, and derivatives in the moves (rows x columns x cells)."""
        x = self.columns(z)
        v, at, out = self.paper.computed(self.fixed | x), 0, []
        total: Gradients = {k: np.zeros((len(self.aim), len(v[k]))) for k in self.reach}
        for r in self.rows:
            values, g = r.pull(v, self.reach)
            for k, a in g.items():
                total[k][at : at + len(values)] += a
            out.append(values)
            at += len(values)
        J = np.stack([total[k] for k in self.names], 1)
        if self.derived:
            C, vjp = np.hstack([total[k] for k in self.derived]), self._tape(x)
            for i in np.flatnonzero(C.any(1)):
                J[i] += vjp(C[i])
        J *= np.stack([s.slope(*a) for s, *a in zip(self.states, z, x.values(), strict=True)])
        return np.concatenate(out), J

    def _tape(self, x: Grid) -> Callable[[Array], Array]:
        """What turns derivatives in derived arrays into such in the moving ones (autograd)."""
        try:
            import autograd.numpy as anp
            from autograd import make_vjp
        except ImportError as error:
            raise CalibrationError(
                f"{self.paper.slug} computes {', '.join(self.derived)} from moving columns; differentiating this needs "
                "autograd: pip install -r data/teaching/make/requirements.txt"
            ) from error

        def derived(moving):
            here = {k: moving[i] for i, k in enumerate(self.names)}
            new = self.paper.derive(anp, self.fixed | here)
            return anp.concatenate([new[k] for k in self.derived])

        return make_vjp(derived)(np.stack(list(x.values())))[0]

    def smooth(self, J: Array) -> Array:
        """J times the prior covariance S."""
        out = np.empty_like(J)
        for i, s in enumerate(self.states):
            own = J[:, i].reshape(len(J), *self.shape) @ s.kernel
            out[:, i] = (own + s.move.common * own.sum(1, keepdims=True)).reshape(len(J), -1)
        return out

    def penalty(self, z: Array) -> float:
        """z' S^-1 z."""
        total, units = 0.0, self.shape[0]
        for a, s in zip(z, self.states, strict=True):
            t, c = a.reshape(self.shape), s.move.common
            total += float((t * np.linalg.solve(s.kernel, t.T).T).sum())
            total -= (
                float(c / (1 + c * units) * (t.sum(0) @ np.linalg.solve(s.kernel, t.sum(0)))) if c else 0.0
            )
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
    """Levenberg-Marquardt; leaves the moves in the system and returns the number of rounds."""
    z, tol, aim = system.z, system.tol, system.aim
    if not system.rows:
        return 0

    def cost(values: Array, z: Array) -> float:
        r = np.abs((aim - values) / tol)
        return float(np.where(r < HUBER, r**2, HUBER * (2 * r - HUBER)).sum()) + system.penalty(z)

    best, slow, damping, done = cost(system.values(z), z), 0, 1.0, 0
    for _ in range(rounds):
        values, J = system.jacobian(z)
        r = (aim - values) / tol
        w = np.sqrt(np.minimum(1, HUBER / np.maximum(np.abs(r), 1e-12)))
        J *= (w / tol)[:, None, None]
        JS, J = system.smooth(J).reshape(len(J), -1), J.reshape(len(J), -1)
        G, flat = JS @ J.T, z.ravel()
        for _ in range(8):
            c = 1 + damping
            right = w * r + J @ flat / c
            step = JS.T @ cho_solve(cho_factor(G + c * np.eye(len(G))), right) - flat / c
            new = (flat + step * min(1.0, 1.5 / max(np.abs(step).max(), 1e-12))).reshape(z.shape)
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
    system.z = z
    return done
