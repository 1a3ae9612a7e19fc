"""Least squares and just identified 2SLS with effects, with gradients in outcome, regressors and instruments; Poisson.

With everything swept of its effects (M), instruments Z (of least squares: X), ``A = (Z'X)^-1``, ``b = A Z'y``,
``e = y - X b`` and ``u_j = Z a_j'`` (row j of A), the variance of b_j is ``s2 u_j'u_j`` (iid), ``c sum (e u_j)^2`` (HC1) or
``c sum_g (sum_g e u_j)^2`` (CRV1), small sample factors as in pyfixest. Gradients follow by differentiating these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import qr

from regionbook.papers.declare import Column

from .paper import Array, CalibrationError


def codes(data: pd.DataFrame, name: str) -> Array:
    """Numbers of the groups of a column, or of columns joined by ^."""
    parts = data[[k.strip() for k in name.split("^")]]
    return parts.groupby(list(parts), sort=True).ngroup().to_numpy()


def _groups(code: Array) -> sparse.csr_matrix:
    one = np.ones(len(code))
    return sparse.csr_matrix((one, (np.arange(len(code)), code)))


class Design:
    """What of a declared "ols" or "poisson" column does not depend on the values: rows of the grid `data`, effects,
    degrees of freedom.
    """

    def __init__(self, column: Column, data: pd.DataFrame) -> None:
        where = f"Table {column.table} ({column.column})"
        if len(column.instruments) != len(column.endogenous):
            raise CalibrationError(f"{where}: the engine needs as many instruments as endogenous regressors")
        if len(column.clusters) > 1:
            raise CalibrationError(f"{where}: the engine clusters in one way, not by {column.clusters}")
        chosen = data.query(column.sample).index if column.sample else data.index
        kept = data.loc[chosen].dropna(subset=list(column.variables))
        if kept.empty:
            raise CalibrationError(f"{where}: no cell is in the sample {column.sample!r}")
        self.rows = data.index.get_indexer(kept.index)
        self.n, self.k = len(kept), len(column.regressors)
        effects = [codes(kept, name) for name in column.effects] or [np.zeros(self.n, int)]
        effects.sort(key=lambda c: -len(np.unique(c)))
        self.first = effects[0]
        self.G = _groups(self.first)
        self.count = np.asarray(self.G.sum(0)).ravel()
        self.Q, dummies = np.zeros((self.n, 0)), np.zeros((self.n, 0))
        if len(effects) > 1:
            dummies = np.hstack([(c[:, None] == np.unique(c)[1:]) * 1.0 for c in effects[1:]])
            q, r, _ = qr(self.sweep(dummies), mode="economic", pivoting=True)
            rank = int((np.abs(np.diag(r)) > 1e-9 * abs(r[0, 0])).sum())
            self.Q = q[:, :rank]
        self.errors = "CRV1" if column.clusters else str(column.errors)
        if self.errors not in ("iid", "HC1", "CRV1"):
            raise CalibrationError(f"{where}: errors {self.errors!r}; the engine knows iid, HC1 and CRV1")
        levels = [len(np.unique(c)) for c in effects]
        used, scale = self.k + sum(levels) - (len(levels) - 1), 1.0
        if self.errors == "CRV1":
            cluster = codes(kept, column.clusters[0])
            self.H = _groups(cluster)
            inside = [lv for lv, c in zip(levels, effects, strict=True) if _nested(c, cluster)]
            used += len(inside) - sum(inside) if column.effects else 0
            scale = self.H.shape[1] / (self.H.shape[1] - 1) * (self.n - 1)
        self.scale = {"iid": 1.0, "HC1": self.n, "CRV1": scale}[self.errors] / (self.n - used)
        about = codes(kept, column.effects[0]) if column.r2 == "within" and column.effects else None
        self.about = None if about is None else _groups(about)
        self.base = np.full(self.n, 1 / self.n)
        if column.constant == "base" and dummies.size:
            swept = self.sweep(dummies)
            self.base -= swept @ np.linalg.lstsq(swept.T @ swept, dummies.mean(0), rcond=None)[0]

    def sweep(self, D: Array) -> Array:
        """Less the means of the first effect."""
        return D - (self.G @ ((self.G.T @ D) / self.count[:, None]))

    def project(self, D: Array) -> Array:
        """Less all effects."""
        S = self.sweep(D)
        return S - self.Q @ (self.Q.T @ S)

    def centre(self, y: Array) -> Array:
        """What the total sum of squares of R2 is taken of."""
        if self.about is None:
            return y - y.mean()
        count = np.asarray(self.about.sum(0)).ravel()
        return y - self.about @ ((self.about.T @ y) / count)


def _nested(inner: Array, outer: Array) -> bool:
    return len(np.unique(np.stack([inner, outer]), axis=1).T) == len(np.unique(inner))


@dataclass
class Fit:
    """An estimated column and what its gradients need; arrays over the rows of its sample."""

    b: Array
    V: Array
    r2: float
    constant: float
    y: Array
    X: Array
    Xt: Array
    Zt: Array
    A: Array
    e: Array
    U: Array
    yc: Array
    ssr: float

    @property
    def se(self) -> Array:
        """Standard errors."""
        return np.sqrt(self.V)


def fit(d: Design, y: Array, X: Array, Z: Array | None = None) -> Fit:
    """Estimate from outcome (n), regressors (n x k) and instruments (n x k, exogenous regressors among them; without them
    least squares) on the rows of a design.
    """
    M = d.project(np.column_stack([y, X] + ([] if Z is None else [Z])))
    k = X.shape[1]
    yt, Xt = M[:, 0], M[:, 1 : k + 1]
    Zt = Xt if Z is None else M[:, k + 1 :]
    A = np.linalg.inv(Zt.T @ Xt)
    b = A @ (Zt.T @ yt)
    e = yt - Xt @ b
    U, ssr = Zt @ A.T, float(e @ e)
    if d.errors == "iid":
        V = d.scale * ssr * (U**2).sum(0)
    else:
        s = e[:, None] * U
        V = d.scale * ((s if d.errors == "HC1" else d.H.T @ s) ** 2).sum(0)
    yc = d.centre(y)
    constant, total = float(d.base @ (y - X @ b)), float(yc @ yc)
    return Fit(b, V, 1 - ssr / total if total else np.nan, constant, y, X, Xt, Zt, A, e, U, yc, ssr)


def values(f: Fit, picks: list[tuple[str, int]]) -> Array:
    """Coefficients ("b", j), logs of their errors ("se", j), log(1 - R2) ("r2", 0), the constant ("cons", 0)."""
    of = {"b": lambda j: f.b[j], "se": lambda j: 0.5 * np.log(f.V[j])}
    of |= {"r2": lambda j: np.log(1 - f.r2), "cons": lambda j: f.constant}
    return np.array([of[what](j) for what, j in picks])


def pull(
    d: Design, f: Fit, picks: list[tuple[str, int]], regressors: bool, instrumented: bool
) -> tuple[Array, Array | None, Array | None]:
    """Gradients of `values` in outcome (m x n), regressors and instruments (m x n x k; None where not asked for).

    Without instruments the gradient in Z is part of that in X.
    """
    m, n, k = len(picks), len(f.y), f.X.shape[1]
    gy, raw = np.zeros((m, n)), np.zeros((m, n))
    gX, gZ = (np.zeros((m, n, k)) if regressors else None for _ in "XZ")
    for i, (what, j) in enumerate(picks):
        alpha, beta, gamma = np.zeros(n), None, np.zeros(k)  # weights of de, du, db
        if what == "b":
            gamma[j] = 1.0
        elif what == "se":
            u, half = f.U[:, j], 0.5 / f.V[j]
            if d.errors == "iid":
                alpha, beta = half * d.scale * 2 * f.e * (u @ u), half * d.scale * 2 * f.ssr * u
            else:
                s = f.e * u
                q = 2 * half * d.scale * (s if d.errors == "HC1" else d.H @ (d.H.T @ s))
                alpha, beta = q * u, q * f.e
        elif what == "r2":
            alpha, raw[i] = 2 * f.e / f.ssr, -2 * f.yc / (f.yc @ f.yc)
        else:
            gamma, raw[i] = -(d.base @ f.X), d.base
        p = f.A.T @ (gamma - f.Xt.T @ alpha)
        gy[i] = alpha + f.Zt @ p
        if gX is not None and gZ is not None:
            gX[i], gZ[i] = -np.outer(gy[i], f.b), np.outer(f.e, p)
            if beta is not None:
                w = f.A @ (f.Zt.T @ beta)
                gX[i] -= np.outer(f.U[:, j], w)
                gZ[i] += np.outer(beta - f.Xt @ w, f.A[j])
    gy = d.project(gy.T).T + raw
    if gX is None or gZ is None:
        return gy, None, None
    gX, gZ = (
        d.project(g.transpose(1, 0, 2).reshape(n, -1)).reshape(n, m, k).transpose(1, 0, 2) for g in (gX, gZ)
    )
    for i, (what, _) in enumerate(picks):
        if what == "cons":
            gX[i] -= np.outer(d.base, f.b)
    return (gy, gX, gZ) if instrumented else (gy, gX + gZ, None)


def poisson(d: Design, y: Array, X: Array, rounds: int = 50) -> tuple[Array, Array]:
    """Poisson regression with effects by reweighted least squares; units without any count say nothing and are left out.

    Gives coefficients (k) and their derivatives in y (k x n): with fitted means mu and X swept of the effects with
    weights mu, ``(X' mu X)^-1 X'``.
    """
    there = (d.G @ (d.G.T @ y)) > 0
    y1, code = y[there], d.first[there]
    D = np.column_stack([X, d.Q])[there]
    G = _groups(np.unique(code, return_inverse=True)[1])
    mu, b = (y1 + y1.mean()) / 2, np.zeros(D.shape[1])
    eta = np.log(mu)
    for _ in range(rounds):
        S = np.column_stack([eta + (y1 - mu) / mu, D])
        S = S - G @ ((G.T @ (mu[:, None] * S)) / (G.T @ mu)[:, None])
        W = S[:, 1:] * mu[:, None]
        new = np.linalg.lstsq(W.T @ S[:, 1:], W.T @ S[:, 0], rcond=None)[0]
        eta, done = eta + (y1 - mu) / mu - S[:, 0] + S[:, 1:] @ new, np.abs(new - b).max() < 1e-10
        b, mu = new, np.exp(eta)
        if done:
            break
    else:
        raise CalibrationError("Poisson regression does not settle; is the outcome all but zero somewhere?")
    k, gradient = X.shape[1], np.zeros((X.shape[1], len(y)))
    gradient[:, there] = np.linalg.pinv(W.T @ S[:, 1:])[:k] @ S[:, 1:].T
    return b[:k], gradient
