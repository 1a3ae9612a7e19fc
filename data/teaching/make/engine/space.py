"""Rows of spatial panels, and the least change of an outcome that meets them: what `Paper.polish` of a spatial paper uses.

Given the spatial parameter the coefficients of a Durbin model are linear in the outcome; the score of that parameter,
the error variance, a variance and Moran's I are quadratic. Gauss-Newton on these, with the smallest step, replaces the
solver. Arrays are in unit-major order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .paper import Array, CalibrationError

Row = Callable[[Array], tuple[float, Array]]
"""Outcome -> what is to be zero, and its gradient."""


def centre(k: int) -> Array:
    """The matrix that takes means out."""
    return np.eye(k) - 1 / k


def linear(a: Array, b: float) -> Row:
    """a'y = b."""
    return lambda y: (float(a @ y - b), a)


def mean(n: int, target: float) -> Row:
    """The mean of all cells."""
    return linear(np.full(n, 1 / n), target)


def cell(n: int, at: int, target: float) -> Row:
    """One cell."""
    return linear(np.eye(n)[at], target)


def spread(target: float) -> Row:
    """The standard deviation of all cells."""
    return lambda y: (float(((y - y.mean()) ** 2).sum() - target**2 * (len(y) - 1)), 2 * (y - y.mean()))


def within(periods: int, target: float) -> Row:
    """The sum of squares about the means of units."""

    def row(y: Array) -> tuple[float, Array]:
        z = y.reshape(-1, periods)
        z = z - z.mean(1, keepdims=True)
        return float((z**2).sum() - target), 2 * z.ravel()

    return row


def moran(W: Array, periods: int, t: int, target: float) -> Row:
    """Moran's I of one period; rows of W add to one."""
    n = len(W)
    A = centre(n) @ ((W + W.T) / 2 - target * np.eye(n)) @ centre(n)

    def row(y: Array) -> tuple[float, Array]:
        z, g = y[t::periods], np.zeros(len(y))
        g[t::periods] = 2 * A @ z
        return float(z @ A @ z), g

    return row


class Durbin:
    """The two-way spatial Durbin model (direct likelihood) of some units, seen from the outcome at a given rho."""

    def __init__(
        self, W: Array, X: Array, units: Array, periods: int, rho: float, time: Array | None = None
    ) -> None:
        """`time` is what sweeps the years of a unit: its mean or, say, a straight line."""
        k, self.n = len(units), len(X)
        self.pick = (units[:, None] * periods + np.arange(periods)).ravel()
        lag = np.kron(W, np.eye(periods))
        M = np.kron(centre(k), centre(periods) if time is None else time)
        D = M @ np.hstack([X[self.pick], lag @ X[self.pick]])
        H = np.linalg.solve(D.T @ D, D.T)
        R = M - D @ H
        S = np.eye(k * periods) - rho * lag
        self.design, self.periods, self.cells = D, periods, k * periods
        self.coefficients = H @ S  # D is swept: so is H
        self.residual, self.late = R @ S, R @ lag
        self.trace = float(np.trace(W @ np.linalg.inv(np.eye(k) - rho * W)))

    def _put(self, g: Array) -> Array:
        out = np.zeros(self.n)
        out[self.pick] = g
        return out

    def slopes(self, wanted: Mapping[int, float]) -> list[Row]:
        """Coefficients by position: regressors, then their lags."""
        return [linear(self._put(self.coefficients[i]), b) for i, b in wanted.items()]

    def score(self) -> Row:
        """Rho is the maximum of the likelihood."""

        def row(y: Array) -> tuple[float, Array]:
            e, late, n, t = self.residual @ y[self.pick], self.late @ y[self.pick], self.cells, self.periods
            gradient = (
                n * (self.residual.T @ late + self.late.T @ e) - 2 * t * self.trace * self.residual.T @ e
            )
            return float(n * e @ late - t * self.trace * e @ e), self._put(gradient)

        return row

    def variance(self, sigma2: float) -> Row:
        """The error variance."""

        def row(y: Array) -> tuple[float, Array]:
            e = self.residual @ y[self.pick]
            return float(e @ e - self.cells * sigma2), self._put(2 * self.residual.T @ e)

        return row


def project(y: Array, rows: Sequence[Row], rounds: int = 100, least: float = 1e-11) -> Array:
    """The outcome near `y` on which all rows are zero.

    Raises
    ------
    CalibrationError
        If the rows are not met: they contradict each other, or the story is too far from them.
    """
    gap = np.inf
    for _ in range(rounds):
        values, gradients = map(np.array, zip(*(row(y) for row in rows), strict=True))
        size = np.linalg.norm(gradients, axis=1)
        F, G = values / size, gradients / size[:, None]
        gap = float(np.abs(F).max())
        if gap < least:
            return y
        step = G.T @ np.linalg.lstsq(G @ G.T, -F, rcond=1e-13)[0]
        y = y + step * min(1.0, 0.5 / np.abs(step).max())
    if gap > 1e-7:
        raise CalibrationError(f"{len(rows)} rows are not met together: the largest gap is {gap:.1e}")
    return y
