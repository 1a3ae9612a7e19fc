"""The linear programmes of a frontier, hundreds at once: a unit's differs from the next in the scale of its rows alone."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

BLOCK = 2**20
"""Programmes × columns held at a time (8 MB a copy)."""
TOL = 1e-9
BLAND, LAST = 80, 600
"""Turns after which columns enter by Bland's rule, which cannot cycle; after which HiGHS takes over."""


@dataclass(frozen=True)
class Solved:
    """`value` (n,), nan where infeasible; `peers` (n × columns of P) and `own` (n × columns of O): the solution."""

    value: np.ndarray
    peers: np.ndarray
    own: np.ndarray


def solve(
    P: np.ndarray, O: np.ndarray, c: np.ndarray, b: np.ndarray, D: np.ndarray, without: np.ndarray | None = None
) -> Solved:
    """For each row d of D, min c'z subject to diag(d) P λ + O z = b ≥ 0 and λ, z ≥ 0.

    The revised simplex method, a turn of all programmes at a time: the bases are small (one row a measure), so their
    inverses are taken anew each turn, and prices of all columns are one product of matrices. Columns enter by reduced cost
    over length, hence units of measurement do not matter. What does not end in a basis that is feasible and has no column
    left to enter, which proves the optimum, is solved again by HiGHS, and so is what looks infeasible.

    Parameters: P (r × N), O (r × q), c (q,), b (r,) or (n × r), D (n × r, positive), without (n,): the column of P that a
    programme may not use, or −1.
    """
    n, (r, N), q = len(D), P.shape, O.shape[1]
    b = np.broadcast_to(b, (n, r))
    without = np.full(n, -1) if without is None else without
    out = Solved(np.full(n, np.nan), np.zeros((n, N)), np.zeros((n, q)))
    step = max(1, BLOCK // (N + q))
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        basis, x, proved = _simplex(P, O, c, b[rows], D[rows], without[rows])
        z = np.zeros((len(rows), N + q + r))
        np.put_along_axis(z, basis, x, axis=1)
        good = rows[proved]
        out.peers[good], out.own[good] = z[proved, :N], z[proved, N : N + q]
        out.value[good] = out.own[good] @ c
        for k in rows[~proved]:
            bounds = [(0, 0 if j == without[k] else None) for j in range(N + q)]
            A = np.hstack([D[k][:, None] * P, O])
            found = linprog(np.r_[np.zeros(N), c], A_eq=A, b_eq=b[k], bounds=bounds, method="highs")
            if found.status == 0:
                out.value[k], out.peers[k], out.own[k] = found.fun, found.x[:N], found.x[N:]
            elif found.status != 2:
                raise RuntimeError(f"programme {k} was not solved: {found.message}")
    return out


def _simplex(
    P: np.ndarray, O: np.ndarray, c: np.ndarray, b: np.ndarray, D: np.ndarray, without: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Basis, its values, and whether they are proved optimal. Columns: peers, own, one artificial a row."""
    (n, r), N, q = D.shape, P.shape[1], O.shape[1]
    columns = np.hstack([P, O, np.eye(r)]).T
    cost = np.concatenate([np.zeros(N), c, np.zeros(r)])
    length, own_length = np.sqrt(D**2 @ P**2), np.linalg.norm(O, axis=0)
    length[without >= 0, without[without >= 0]] = np.inf
    basis, x, proved = np.tile(np.arange(N + q, N + q + r), (n, 1)), b.copy(), np.zeros(n, dtype=bool)
    active = np.arange(n)
    for turn in range(LAST):
        at, d = basis[active], D[active]
        B = (columns[at] * np.where((at < N)[:, :, None], d[:, None], 1.0)).transpose(0, 2, 1)
        try:
            inverse = np.linalg.inv(B)
        except np.linalg.LinAlgError:
            break
        x[active] = now = np.einsum("nij,nj->ni", inverse, b[active])
        artificial = at >= N + q
        first = (now * artificial).sum(axis=1) > TOL  # of the two phases
        y = np.einsum("ni,nij->nj", np.where(first[:, None], artificial, cost[at]), inverse)
        reduced = np.hstack(
            [-((y * d) @ P) / length[active], (np.where(first[:, None], 0.0, c) - y @ O) / own_length]
        )
        entering = (reduced < -TOL).argmax(axis=1) if turn > BLAND else reduced.argmin(axis=1)
        done = reduced[np.arange(len(active)), entering] >= -TOL
        proved[active[done & ~first]] = (now[done & ~first] > -TOL).all(axis=1)
        here = np.flatnonzero(~done)
        if not len(here):
            break
        active, entering, inverse, now = active[here], entering[here], inverse[here], now[here]
        column = columns[entering] * np.where((entering < N)[:, None], D[active], 1.0)
        way = np.einsum("nij,nj->ni", inverse, column)
        leaving, bounded = _leaving(way, now, artificial[here] & ~first[here, None], at[here], turn > BLAND)
        active, leaving, entering = active[bounded], leaving[bounded], entering[bounded]
        basis[active, leaving] = entering
    return basis, x, proved


def _leaving(
    way: np.ndarray, x: np.ndarray, stuck: np.ndarray, at: np.ndarray, bland: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The row that reaches zero first (an artificial one must stay there), and whether there is one."""
    small = TOL * np.abs(way).max(axis=1, keepdims=True)
    moves = (way > small) | (stuck & (np.abs(way) > small))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(moves, np.where(stuck, 0.0, np.maximum(x, 0) / way), np.inf)
    tied = ratio <= ratio.min(axis=1, keepdims=True) + 1e-12
    choice = np.where(tied & moves, -at if bland else np.abs(way), -np.inf)
    return choice.argmax(axis=1), moves.any(axis=1)
