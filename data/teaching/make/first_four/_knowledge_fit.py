"""Columns of Tables 1-5 on the grid of pairs and years, and the smallest tilt of the flows that brings them home.

The estimator is the exact within transformation of an unbalanced panel with pair and year effects: no iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from regionbook.data import published
from regionbook.papers.declare import Column
from regionbook.papers.knowledge_flows import MODELS

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Grid = dict[str, np.ndarray]
Key = tuple[str, str]

IMPLIED_SE = {("2", "4", "lnDKF_net"): 0.0020, ("3", "4", "lnDKF_net:Gap_l_schooling"): 0.0032}
"""Two printed errors cannot be meant (sheet of the paper); these follow from the other numbers of their columns."""


@dataclass(frozen=True)
class Target:
    """A printed coefficient: where it stands, the regressor, value, error, stars."""

    key: Key
    term: str
    regressor: str
    estimate: float
    se: float
    stars: str

    @property
    def tolerance(self) -> float:
        return IMPLIED_SE.get((*self.key, self.regressor), self.se)


def targets() -> list[Target]:
    """The 43 printed coefficients."""
    out = []
    for r in published("knowledge-flows").estimates.itertuples():
        key = (str(r.table), str(r.column))
        out.append(
            Target(key, r.term, MODELS[key].terms[r.term], float(r.estimate), float(r.paren), str(r.stars))
        )
    return out


def stars(b: float, se: float) -> str:
    """Stars at 10, 5 and 1 per cent."""
    return "*" * sum(abs(b / se) > q for q in (1.645, 1.960, 2.576))


class Within:
    """Exact within transformation for pairs and years: x - pair mean - (d - pair mean of d)'gamma."""

    def __init__(self, mask: Mask, pair_effects: bool = True):
        self.mask, self.pair_effects = mask, pair_effects
        self.d = mask.astype(float)
        self.length, self.width = self.d.sum(1), self.d.sum(0)
        self.inverse = np.divide(1.0, self.length, out=np.zeros_like(self.length), where=self.length > 0)
        self.a = (np.diag(self.width) - self.d.T @ (self.d * self.inverse[:, None]))[1:, 1:]

    def __call__(self, x: np.ndarray) -> Array:
        x = np.where(self.mask, x, 0.0)
        if not self.pair_effects:
            return (x - x.sum(0) / np.maximum(self.width, 1)) * self.d
        mean = x.sum(1) * self.inverse
        gamma = np.r_[0.0, np.linalg.solve(self.a, (x.sum(0) - self.d.T @ mean)[1:])]
        mean -= (self.d @ gamma) * self.inverse
        x -= mean[:, None]
        x -= gamma
        x *= self.d
        return x


@dataclass
class Fit:
    """One fitted column: coefficients, errors clustered by pair, N, R2, and what the gradient needs."""

    names: tuple[str, ...]
    b: Array
    se: Array
    n: int
    r2: float
    inverse: Array
    x: list[Array]
    e: Array

    def at(self, name: str) -> tuple[float, float]:
        j = self.names.index(name)
        return float(self.b[j]), float(self.se[j])


def value(g: Grid, name: str) -> np.ndarray:
    """A variable or a product of two as an array (pair, year)."""
    if ":" in name:
        one, two = name.split(":")
        return value(g, one) * value(g, two)
    v = g[name]
    return v if v.ndim == 2 else np.broadcast_to(v[:, None], g["Bal"].shape)


def blocks(size: int) -> Iterator[slice]:
    """Rows in portions that fit into a processor's cache: large temporary arrays cost more than the arithmetic."""
    return (slice(k, k + 1024) for k in range(0, size, 1024))


def combination(weights: Sequence[float] | Array, arrays: Sequence[Array]) -> Array:
    """Weighted sum of arrays (pair, year)."""
    out = np.empty_like(arrays[0])
    for rows in blocks(len(out)):
        out[rows] = sum(w * x[rows] for w, x in zip(weights, arrays, strict=True))
    return out


class Estimator:
    """All columns on one sample of pair-years; what does not depend on the flows is transformed once."""

    def __init__(self, g: Grid, models: dict[Key, Column] | None = None):
        self.g = g
        self.models = MODELS if models is None else models
        self.samples: dict[bytes, tuple[Mask, Within]] = {}
        self.where: dict[Key, bytes] = {}
        self.fixed: dict[tuple[bytes, str], Array] = {}
        self.products: dict[tuple[bytes, str, str], float] = {}
        for key, c in self.models.items():
            mask = ~g["extreme"]
            for v in c.variables:
                if (
                    g.get(v) is not None
                    and np.issubdtype(g[v].dtype, np.floating)
                    and not v.startswith("lnDKF")
                ):
                    mask &= ~np.isnan(g[v] if g[v].ndim == 2 else g[v][:, None])
            name = np.packbits(mask).tobytes() + bytes(str(c.effects), "ascii")
            self.where[key] = name
            if name not in self.samples:
                self.samples[name] = (mask, Within(mask, "pair" in c.effects))

    def n(self) -> dict[Key, int]:
        """Rows of each column."""
        return {k: int(self.samples[s][0].sum()) for k, s in self.where.items()}

    def fit(self, keep: bool = False) -> dict[Key, Fit]:
        """Fit every column; ``keep`` holds on to what gradients need."""
        out: dict[Key, Fit] = {}
        by: dict[bytes, list[Key]] = {}
        for key in self.models:
            by.setdefault(self.where[key], []).append(key)
        for name, keys in by.items():
            mask, within = self.samples[name]
            cache: dict[str, Array] = {}

            def moved(
                v: str, name: bytes = name, within: Within = within, cache: dict[str, Array] = cache
            ) -> Array:
                if v.startswith("lnDKF"):
                    if v not in cache:
                        cache[v] = within(value(self.g, v))
                    return cache[v]
                if (name, v) not in self.fixed:
                    self.fixed[name, v] = within(value(self.g, v))
                return self.fixed[name, v]

            fresh: dict[tuple[bytes, str, str], float] = {}

            def product(
                v: str,
                w: str,
                name: bytes = name,
                moved: Callable[[str], Array] = moved,
                fresh: dict[tuple[bytes, str, str], float] = fresh,
            ) -> float:
                v, w = sorted((v, w))
                known = fresh if "lnDKF" in v + w else self.products
                if (name, v, w) not in known:
                    known[name, v, w] = float(np.vdot(moved(v), moved(w)))
                return known[name, v, w]

            y = moved("Bal")
            raw = np.where(mask, self.g["Bal"], 0.0)
            n = int(mask.sum())
            total = float((raw**2).sum() - raw.sum() ** 2 / n)
            groups = int((within.length > 0).sum())
            for key in keys:
                names = tuple(
                    v
                    for v in self.models[key].regressors
                    if v.startswith("lnDKF") or product(v, v) > 1e-9 * n
                )
                x = [moved(v) for v in names]
                xx = np.array([[product(v, w) for w in names] for v in names], float)
                inverse: Array = np.linalg.inv(xx)
                b = inverse @ [product(v, "Bal") for v in names]
                e = combination([1.0, *-b], [y, *x])
                score = np.stack([np.einsum("pt,pt->p", p, e) for p in x], 1)
                absorbed = y.shape[1]
                small = groups / (groups - 1) * (n - 1) / (n - len(x) - absorbed)
                cov = inverse @ (score.T @ score) @ inverse * small
                r2 = 1 - float(np.vdot(e, e)) / total
                out[key] = Fit(
                    names, b, np.sqrt(np.diag(cov)), n, r2, inverse, x if keep else [], e if keep else y[:0]
                )
        return out


def gradient(g: Grid, f: Fit, regressor: str) -> npt.NDArray[np.float32]:
    """Derivative of a coefficient with respect to the log intensities of both flows, array (2, pair, year).

    With within-transformed X and residuals e, ``db = (X'X)^-1 (dX'e - X'dX b)``; the chain from the intensity to
    ln(1 + count) is count / (1 + count) on average.
    """
    j = f.names.index(regressor)
    out = np.empty((2, *f.e.shape), np.float32)
    flows = (("lnDKF_HtoL", "DKF_HtoL", 1.0), ("lnDKF_LtoH", "DKF_LtoH", -1.0))
    for rows in blocks(len(f.e)):
        w = sum(weight * x[rows] for weight, x in zip(f.inverse[j], f.x, strict=True))
        for d, (own, count, sign) in enumerate(flows):
            p: float | np.ndarray = 0.0
            q: float | np.ndarray = 0.0
            for k, name in enumerate(f.names):
                if name == own:
                    factor: float | np.ndarray = 1.0
                elif name == "lnDKF_net":
                    factor = sign
                elif name.startswith("lnDKF_net:"):
                    factor = sign * value(g, name.split(":")[1])[rows].astype(float)
                    factor[np.isnan(factor)] = 0
                else:
                    continue
                p = p + f.inverse[j, k] * factor
                q = q + f.b[k] * factor
            n = g[count][rows]
            # zero outside the sample, where e and w are
            out[d, rows] = (p * f.e[rows] - w * q) * (n / (1.0 + n))
    return out


def report(fits: dict[Key, Fit], goals: list[Target]) -> list[tuple[Target, float, float, float]]:
    """Target, coefficient, error, and distance from the target in (implied) printed errors."""
    out = []
    for t in goals:
        b, se = fits[t.key].at(t.regressor)
        out.append((t, b, se, (b - t.estimate) / t.tolerance))
    return out
