"""A balanced panel and its weights, matched by label, and the likelihood of the spatial models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import brentq

from ..index._checks import show
from ._formula import read_formula
from ._logdet import Function, LogDet
from ._within import orthonormal

LAGGED = ("slx", "sdm", "sdem")
PARAMETER = {"sar": "rho", "sdm": "rho", "sem": "lambda", "sdem": "lambda"}


def read_weights(w: Any) -> tuple[sparse.csr_array, pd.Index]:
    """The matrix and the labels of its rows; refused without labels, with a diagonal, or without a link."""
    if isinstance(w, pd.DataFrame):
        if not w.index.is_unique or not w.columns.is_unique or set(w.index) != set(w.columns):
            raise ValueError("w: a DataFrame needs the same labels, each once, as its rows and its columns")
        labels, matrix = w.index, sparse.csr_array(w[w.index].to_numpy(dtype=float))
    elif hasattr(w, "sparse"):  # libpysal: Graph has unique_ids, W has id_order
        labels = pd.Index(w.unique_ids if hasattr(w, "unique_ids") else w.id_order)
        matrix = sparse.csr_array(w.sparse, dtype=float, copy=True)
    else:
        raise TypeError(f"w must be a libpysal Graph or W or a DataFrame with labels, not {type(w).__name__}")
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise ValueError("w has negative, missing or infinite weights; weights are 0 or more")
    if matrix.diagonal().any():
        at = labels[int(np.flatnonzero(matrix.diagonal())[0])]
        raise ValueError(f"w: {show(at)} is its own neighbour; the diagonal must be zero")
    if matrix.nnz == 0:
        raise ValueError(f"w has no link among its {len(labels)} units")
    return matrix, labels


@dataclass(frozen=True)
class Stack:
    """A balanced panel sorted by period, then unit in the order of w; `rows` puts results back."""

    y: np.ndarray
    x: np.ndarray
    names: list[str]
    w: sparse.csr_array
    units: pd.Index
    periods: int
    rows: np.ndarray
    index: pd.MultiIndex

    def lag(self, a: np.ndarray) -> np.ndarray:
        """W times each period's block of `a` (NT × k)."""
        n, t = len(self.units), self.periods
        wide = a.reshape(t, n, -1).transpose(1, 0, 2).reshape(n, -1)
        return (self.w @ wide).reshape(n, t, -1).transpose(1, 0, 2).reshape(n * t, -1)

    def sweep(self, a: np.ndarray, effects: str, phi: float = 0.0) -> np.ndarray:
        """`a` less its means by unit, by period or both; "random" takes out the share 1 − φ of unit means."""
        a = a.reshape(self.periods, len(self.units), -1)
        if effects in ("unit", "twoways", "random"):
            a = a - (1 - phi) * a.mean(axis=0)
        if effects in ("time", "twoways"):
            a = a - a.mean(axis=1, keepdims=True)
        return a.reshape(-1, a.shape[-1])


def stack(panel: pd.DataFrame, formula: str, w: object) -> Stack:
    """Read panel and weights, compare their labels, and sort."""
    if not isinstance(panel, pd.DataFrame):
        raise TypeError(f"panel must be a pandas DataFrame, got {type(panel).__name__}")
    if panel.index.nlevels != 2:
        said = f"panel must be indexed by unit and period (2 levels), got {panel.index.nlevels};"
        raise ValueError(f"{said} use panel.set_index([unit, period])")
    if "|" in formula:
        raise ValueError(f"formula {formula!r}: effects are chosen with effects=…, not behind a bar")
    matrix, labels = read_weights(w)
    units, times = panel.index.get_level_values(0), panel.index.get_level_values(1)
    present = units.unique()
    unknown, unused = present.difference(labels, sort=False), labels.difference(present, sort=False)
    if len(unknown) or len(unused):
        both = (unknown, "of the panel are missing in w"), (unused, "of w are missing in panel")
        named = [
            (f"{len(s)} {text}", f"{', '.join(map(show, s[:3]))}{', …' * (len(s) > 3)}")
            for s, text in both
            if len(s)
        ]
        raise ValueError(
            f"units of panel's first index level and of w differ: {'; '.join(map('{0[0]} ({0[1]})'.format, named))}. "
            "Both need the same labels of the same type; build w for the panel's units only."
        )
    if times.isna().any():
        raise ValueError("panel's index has a missing period")
    calendar = times.unique().sort_values()
    n, t = len(labels), len(calendar)
    place = calendar.get_indexer(times) * n + labels.get_indexer(units)
    count = np.bincount(place, minlength=n * t)
    if (count != 1).any():
        bad = int(np.flatnonzero(count != 1)[0])
        raise ValueError(
            f"panel must be balanced: ({show(labels[bad % n])}, {show(calendar[bad // n])}) occurs {count[bad]} "
            f"times, {int((count != 1).sum())} such cells among {n} units × {t} periods; "
            "keep units with all periods (and build w for them), or fill the gaps deliberately"
        )
    design, order, index = read_formula(panel, formula), np.argsort(place), cast(pd.MultiIndex, panel.index)
    return Stack(design.y[order], design.x[order], design.names, matrix, labels, t, place, index)


class Transformed:
    """y, Wy, X, WX after the effects, and how the likelihood counts them.

    Lag first, then demean. With W1 = 1 this is Lee and Yu's transformation, as JW = JWJ.
    """

    def __init__(
        self, data: Stack, ld: LogDet, model: str, effects: str, correction: str, phi: float = 0.0
    ) -> None:
        x, names = data.x, list(data.names)
        if model in LAGGED:
            x = np.hstack([x, data.lag(x)])
            names += [f"W_{name}" for name in data.names]
        if effects in ("none", "random"):
            x, names = np.hstack([x, np.ones((len(x), 1))]), [*names, "_cons"]
        k = x.shape[1]
        z = data.sweep(np.hstack([data.y[:, None], data.lag(data.y), x, data.lag(x)]), effects, phi)
        big_n, t = len(data.units), data.periods
        leeyu = correction == "lee-yu"
        one_less, lost = (
            leeyu and effects in ("unit", "twoways"),
            int(leeyu and effects in ("time", "twoways")),
        )
        if lost and not ld.row_standardised:
            raise ValueError(
                "correction='lee-yu' with period effects needs weights whose rows add to one: give a row-standardised w, "
                "or correction='direct'"
            )
        if t < 2 and effects in ("unit", "twoways", "random"):
            raise ValueError(f"effects={effects!r} need at least two periods; the panel has {t}")
        blocks = t - one_less
        n = blocks * (big_n - lost)
        if n <= k + 1:
            raise ValueError(f"{n} observations net of effects are too few for {k} regressors")
        if np.linalg.norm(z[:, 0] - z[:, 0].mean()) <= 1e-9 * np.linalg.norm(data.y):
            raise ValueError(f"the outcome does not vary net of effects={effects!r}")
        columns = z[:, 2 : 2 + k]
        orthonormal(columns, np.linalg.norm(x, axis=0), names)
        scale = np.linalg.norm(columns, axis=0) / np.sqrt(n)
        self.y, self.wy, self.x, self.wx = z[:, 0], z[:, 1], columns / scale, z[:, 2 + k :] / scale
        self.names, self.scale, self.n, self.blocks, self.lost = names, scale, n, blocks, lost


def _log_likelihood(n: int, ssr: Any) -> Any:
    return -n / 2 * (np.log(2 * np.pi) + 1 + np.log(ssr / n))


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood peaks; f' and f'' of the log-determinant there."""

    loglik: float
    rho: float
    b: np.ndarray
    e: np.ndarray
    slope: float = 0.0
    curve: float = 0.0


def _concentrated(d: Transformed, model: str) -> Callable[[Any], tuple[Any, Any]]:
    """Sum of squares and its derivative as functions of ρ (or λ), β being the best for it."""
    k = d.x.shape[1]
    if PARAMETER[model] == "rho":
        q = np.linalg.qr(d.x)[0]
        e0, e1 = d.y - q @ (q.T @ d.y), d.wy - q @ (q.T @ d.wy)
        s00, s01, s11 = e0 @ e0, e0 @ e1, e1 @ e1

        def ssr(r: Any) -> tuple[Any, Any]:
            return s00 - 2 * r * s01 + r * r * s11, 2 * (r * s11 - s01)
    else:
        cross = np.column_stack([d.y, d.wy, d.x, d.wx])
        cross = cross.T @ cross
        x, wx = slice(2, 2 + k), slice(2 + k, 2 + 2 * k)
        xx = [cross[x, x], -cross[x, wx] - cross[wx, x], cross[wx, wx]]  # coefficients of 1, r, r²
        xy = [cross[x, 0], -cross[x, 1] - cross[wx, 0], cross[wx, 1]]
        yy = [cross[0, 0], -2 * cross[0, 1], cross[1, 1]]

        def ssr(r: Any) -> tuple[Any, Any]:
            r = np.asarray(r)
            r1, r2 = r[..., None], r[..., None, None]
            moment = xy[0] + r1 * xy[1] + r1**2 * xy[2]
            b = np.linalg.solve(xx[0] + r2 * xx[1] + r2**2 * xx[2], moment[..., None])[..., 0]
            value = yy[0] + r * yy[1] + r**2 * yy[2] - (moment * b).sum(axis=-1)
            # b is optimal: its own derivative drops out
            slope = yy[1] + 2 * r * yy[2] - 2 * (b * (xy[1] + 2 * r1 * xy[2])).sum(axis=-1)
            return value, slope + np.einsum("...i,...ij,...j->...", b, xx[1] + 2 * r2 * xx[2], b)

    return ssr


def maximise(d: Transformed, ld: LogDet, model: str) -> Maximum:
    """ρ as the root of the concentrated score, then β; ρ's optimum itself would be known to 1e-8 only."""
    if model not in PARAMETER:
        b = np.linalg.lstsq(d.x, d.y, rcond=None)[0]
        e = d.y - d.x @ b
        return Maximum(float(_log_likelihood(d.n, e @ e)), np.nan, b, e)
    ssr = _concentrated(d, model)

    def shift(r: Any) -> Any:
        return np.log(1 - r) if d.lost else 0.0

    width = ld.high - ld.low
    grid = ld.low + width * (1 - np.cos(np.pi * (np.arange(300) + 0.5) / 300)) / 2
    heights = _log_likelihood(d.n, ssr(grid)[0]) + d.blocks * (ld.everywhere()(grid) - shift(grid))
    centre, reach = grid[int(np.argmax(heights))], 0.01 * width
    margin = (1e-4 if ld.method == "chebyshev" else 1e-9) * width
    for _ in range(100):
        low, high = max(ld.low + margin, centre - reach), min(ld.high - margin, centre + reach)
        f, d1, d2 = ld.near(low, high)

        def score(r: float, d1: Function = d1) -> float:
            s, ds = ssr(r)
            return float(-d.n / 2 * ds / s + d.blocks * (d1(r) + (d.lost / (1 - r) if d.lost else 0.0)))

        up, down = score(high) >= 0, score(low) <= 0
        if not up and not down:
            break
        centre += reach if up else -reach
        if not ld.low < centre < ld.high:
            side = "upper" if up else "lower"
            said = "the likelihood has no maximum inside the interval of the spatial parameter"
            raise ValueError(f"{said} ({ld.low:.4f}, {ld.high:.4f}); it rises towards the {side} end")
    else:
        raise ValueError(f"no maximum of the likelihood was found around {centre:.4f}; is y constant?")
    r = float(brentq(score, low, high, xtol=1e-14, rtol=1e-14))
    xs, ys = (d.x, d.y - r * d.wy) if PARAMETER[model] == "rho" else (d.x - r * d.wx, d.y - r * d.wy)
    b = np.linalg.lstsq(xs, ys, rcond=None)[0]
    e = ys - xs @ b
    value = float(_log_likelihood(d.n, e @ e) + d.blocks * (f(r) - shift(r)))
    slope, curve = float(d1(r)), float(d2(r))
    if d.lost:
        slope, curve = slope + 1 / (1 - r), curve + 1 / (1 - r) ** 2
    return Maximum(value, r, b, e, slope, curve)


def inverse_information(
    d: Transformed, ld: LogDet, model: str, best: Maximum, information: str
) -> np.ndarray:
    """Covariance of (ρ, β, σ²); everything but one entry needs only f' = −tr G and f'' = −tr G²."""
    k, r, b, e = d.x.shape[1], best.rho, best.b, best.e
    s2 = float(e @ e) / d.n
    spatial = model in PARAMETER
    first = int(spatial)
    info = np.zeros((first + k + 1, first + k + 1))
    beta = slice(first, first + k)
    info[-1, -1] = d.n / (2 * s2**2)
    if not spatial:
        info[beta, beta] = d.x.T @ d.x / s2
        return np.linalg.inv(info)
    lag = PARAMETER[model] == "rho"
    xs = d.x if lag else d.x - r * d.wx
    info[beta, beta] = xs.T @ xs / s2
    if information == "expected":
        info[0, 0] = d.blocks * (ld.frobenius(r, bool(d.lost)) - best.curve)
        info[0, -1] = -d.blocks * best.slope / s2
        if lag:
            fitted = (d.x @ b).reshape(-1, ld.n)
            g = ld.solve(r, ld.w @ fitted.T).T
            if d.lost:
                g = g - g.mean(axis=1, keepdims=True)
            info[0, 0] += (g * g).sum() / s2
            info[0, beta] = d.x.T @ g.ravel() / s2
    else:  # minus the Hessian
        moved = d.wy if lag else d.wy - d.wx @ b
        info[0, 0] = -d.blocks * best.curve + moved @ moved / s2
        info[0, -1] = e @ moved / s2**2
        info[0, beta] = (d.x.T @ moved if lag else xs.T @ moved + d.wx.T @ e) / s2
    info[:, 0] = info[0]
    return np.linalg.inv(info)
