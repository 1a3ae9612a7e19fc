"""ln|I − ρW| and its derivatives."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import eigsh, splu

from ..index._checks import one_of

Method = Literal["auto", "exact", "chebyshev"]
Function = Callable[[Any], Any]

EXACT_UP_TO = 1500


class LogDet:
    """f(ρ) = ln|I − ρW| with f' = −tr G and f'' = −tr G², G = W(I − ρW)⁻¹.

    "exact": eigenvalues. "chebyshev": a Chebyshev series in ρ through sparse LU factorisations, local to the
    estimate.
    `low`, `high` bound the admissible interval of ρ; `sharp` says whether they are 1/ω_min and 1/ω_max themselves
    or the narrower bound ±1/(largest row or column sum).
    """

    def __init__(self, w: sparse.csr_array, method: Method = "auto") -> None:
        one_of(("auto", "exact", "chebyshev"), logdet=method)
        self.w, self.n = w.tocsc(), w.shape[0]
        self._solver: tuple[float, Any] = (np.nan, None)
        rows, columns = np.asarray(w.sum(axis=1)).ravel(), np.asarray(w.sum(axis=0)).ravel()
        self.row_standardised = bool(np.allclose(rows, 1, atol=1e-10, rtol=0))
        if method == "auto":  # LU of a dense matrix costs more than its eigenvalues
            method = "exact" if self.n <= EXACT_UP_TO or w.nnz > 0.05 * self.n**2 else "chebyshev"
        self.method = method
        symmetric = self._symmetric()
        bound = 1 / min(rows.max(), columns.max())
        self.low, self.high, self.sharp = -bound, bound, False
        if method == "exact":
            dense = np.linalg.eigvals if symmetric is None else np.linalg.eigvalsh
            self.values = values = dense((w if symmetric is None else symmetric).toarray())
            real = values.real[np.abs(values.imag) < 1e-9]
            self.low = 1 / real.min() if real.min() < -1e-9 else -1 / np.abs(values).max()
            self.high = 1 / real.max()
            self.sharp = True
        elif symmetric is not None:
            ends = eigsh(symmetric, 2, which="BE", return_eigenvectors=False, tol=1e-8)
            self.low, self.high, self.sharp = 1 / ends.min(), 1 / ends.max(), True

    def _symmetric(self) -> sparse.csr_array | None:
        """D W D⁻¹ if a diagonal D makes it symmetric (row-standardised symmetric weights), else None."""
        w = sparse.csr_matrix(self.w)  # a matrix, as sparse arrays have no fancy indexing to dense values
        transposed = w.T.tocsr()
        if (w.astype(bool) != transposed.astype(bool)).nnz:
            return None
        root = np.ones(self.n)
        count, part = csgraph.connected_components(w, directed=False)
        for c in range(count):
            order, parent = csgraph.breadth_first_order(w, np.flatnonzero(part == c)[0], directed=False)
            rest = order[1:]
            if len(rest):
                there = np.asarray(w[parent[rest], rest]).ravel()
                back = np.asarray(transposed[parent[rest], rest]).ravel()
                for j, i, q in zip(rest, parent[rest], np.sqrt(there / back), strict=True):
                    root[j] = root[i] * q
        out = sparse.csr_array(sparse.diags_array(root) @ w @ sparse.diags_array(1 / root))
        return (out + out.T) / 2 if abs(out - out.T).max() < 1e-10 * abs(out).max() else None

    def lu(self, r: float) -> Any:
        """Sparse LU factorisation of I − ρW."""
        # "chebyshev": similar to a positive definite or diagonally dominant matrix, needs no pivoting
        plain: dict[str, Any] = {"diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
        a = (sparse.eye_array(self.n) - r * self.w).tocsc()
        return splu(a, permc_spec="MMD_AT_PLUS_A", **(plain if self.method == "chebyshev" else {}))

    def solve(self, r: float, b: np.ndarray) -> np.ndarray:
        """(I − ρW)⁻¹b; the last ρ's solver is kept: a dense inverse where eigenvalues were taken, else LU."""
        solver = self._kept(r)
        return np.asarray(solver @ b if self.method == "exact" else solver.solve(b))

    def _kept(self, r: float) -> Any:
        if self._solver[0] != r:
            dense = self.method == "exact"
            self._solver = (r, np.linalg.inv(np.eye(self.n) - r * self.w.toarray()) if dense else self.lu(r))
        return self._solver[1]

    def _by_lu(self, r: float) -> float:
        return float(np.log(np.abs(self.lu(r).U.diagonal())).sum())

    def _by_values(self, r: Any, order: int) -> Any:
        at = np.atleast_1d(np.asarray(r, dtype=float))
        out = []
        for part in np.array_split(at, 1 + at.size * self.n // 2**20):
            inner = 1 - part[:, None] * self.values
            if order == 0:
                out.append(np.log(np.abs(inner)).sum(axis=1))
            else:
                out.append(-((self.values / inner) ** order).real.sum(axis=1))
        return np.concatenate(out) if np.ndim(r) else float(out[0][0])

    def near(self, low: float, high: float, nodes: int = 16) -> tuple[Function, Function, Function]:
        """f, f' and f'' on [low, high]; only "chebyshev" depends on the interval."""
        if self.method == "exact":
            return tuple(lambda r, k=k: self._by_values(r, k) for k in range(3))  # type: ignore[return-value]
        series = Chebyshev.interpolate(np.vectorize(self._by_lu), nodes - 1, domain=[low, high])
        return series, series.deriv(1), series.deriv(2)

    def everywhere(self) -> Function:
        """f on the whole interval, good enough to find where to look closer."""
        width = self.high - self.low
        return self.near(self.low + 0.002 * width, self.high - 0.002 * width, 32)[0]

    def row_total(self, r: float) -> tuple[float, float]:
        """h = 1'G1/n and h'(ρ)."""
        if self.row_standardised:
            return 1 / (1 - r), 1 / (1 - r) ** 2
        g = self.solve(r, self.w @ np.ones(self.n))
        return float(g.mean()), float(self.solve(r, self.w @ g).mean())

    def row_totals(self, r: np.ndarray, low: float, high: float) -> np.ndarray:
        """h at many ρ in [low, high]."""
        if self.row_standardised:
            return 1 / (1 - r)
        series = Chebyshev.interpolate(np.vectorize(lambda v: self.row_total(v)[0]), 23, domain=[low, high])
        return np.asarray(series(r))

    def frobenius(self, r: float, centred: bool) -> float:
        """‖G‖², or ‖JG‖² with J the centring matrix; dense."""
        g = self.w @ (self._kept(r) if self.method == "exact" else self.solve(r, np.eye(self.n)))
        return float((g * g).sum() - (self.n * (g.mean(axis=0) ** 2).sum() if centred else 0.0))
