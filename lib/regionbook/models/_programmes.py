"""The linear programmes of a frontier: one small HiGHS model for all units, to which peers are added as they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

TOL = 1e-7
"""Tolerance of HiGHS: a score nearer to 1 counts as efficient, a weight below it as none."""
AT_ONCE = 8
"""Peers added a turn."""
_INF, _STATUS = highspy.kHighsInf, highspy.HighsModelStatus


@dataclass(frozen=True)
class Solved:
    """Solutions of n programmes, NaN where infeasible: `value` (n,), `share` (n × K: s/τ), `weights` (n × N: λ/τ),
    `slopes` (n × K): derivatives of the value with respect to the own values."""

    value: np.ndarray
    share: np.ndarray
    weights: sparse.csr_array
    slopes: np.ndarray


@dataclass(frozen=True)
class Programme:
    """min cost'(s, τ, φ) over λ, s, τ, φ ≥ 0, for own values z (K,) and a reference Z (N × K):

    Σⱼ λⱼ Zⱼₖ + signₖ sₖ zₖ = (φ if scaledₖ else τ) zₖ, or with `loose` ≤ for signₖ < 0 and ≥ for signₖ > 0;
    shares's + τ = 1; and Σⱼ λⱼ = τ ("vrs"), ≤ τ ("nirs") or free ("crs").
    """

    sign: np.ndarray
    cost: np.ndarray
    shares: np.ndarray
    scaled: np.ndarray
    returns: str
    loose: bool = False

    def solve(
        self,
        own: np.ndarray,
        reference: np.ndarray,
        names: Sequence[object],
        best: float | None = None,
        alone: bool = False,
    ) -> Solved:
        """One programme for each row of `own` (n × K) against `reference` (N × K).

        With `best`, the rows are those of the reference, and one whose value stays below `best` leaves it: what others
        dominate nobody needs as a peer. With `alone`, each row leaves it for its own programme only. A row with NaN has none.
        """
        (n, K), scale = own.shape, np.exp(np.log(reference).mean(axis=0))
        own, reference, tau = own / scale, reference / scale, K + self.scaled.astype(int)
        # whatever the size of a unit, its rows are near to 1: the tolerance of HiGHS is absolute
        size, sizes = (np.exp(np.log(z).mean(axis=1)) for z in (own, reference))
        own = own / size[:, None]
        pool = _Pool(self._model(K), np.c_[reference, np.ones(len(sizes))] / sizes[:, None])
        value, share, slopes = np.full(n, np.nan), np.full((n, K), np.nan), np.full((n, K), np.nan)
        weights = sparse.lil_array((n, len(reference)))
        for i in np.flatnonzero(~np.isnan(own).any(axis=1)).tolist():
            for k, z in enumerate(own[i].tolist()):
                pool.model.changeCoeff(k, k, self.sign[k] * z)
                pool.model.changeCoeff(k, tau[k], -z)
            pool.model.changeCoeff(K + 1, K, -1 / size[i])
            if alone:
                pool.use(i, False)
            if pool.optimal(names[i]):
                value[i] = pool.model.getInfo().objective_function_value
                solution = pool.model.getSolution()
                x = np.array(solution.col_value)
                share[i], peers = x[:K] / x[K], x[K + 2 :] / x[K]
                level = np.where(self.scaled, x[K + 1], x[K])
                slopes[i] = np.array(solution.row_dual)[:K] * (level - self.sign * x[:K]) / scale / size[i]
                at = np.flatnonzero(peers > TOL)
                members = np.array(pool.members, dtype=int)[at]
                weights[i, members] = peers[at] * size[i] / sizes[members]
            if alone:
                pool.use(i, True)
            elif best is not None and value[i] < best - TOL:
                pool.use(i, False)
        return Solved(value, share, weights.tocsr(), slopes)

    def _model(self, K: int) -> highspy.Highs:
        """Without peers; what stands for a unit's own values is 1."""
        A = np.zeros((K + 2, K + 2))  # balances, normalisation, sum of weights; s, τ, φ
        A[:K, :K] = np.eye(K)
        A[np.arange(K), K + self.scaled] = -1.0
        A[K, : K + 1] = np.r_[self.shares, 1.0]
        A[K + 1, K] = -1.0
        lp = highspy.HighsLp()
        lp.num_row_ = lp.num_col_ = K + 2
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.cost, np.zeros(K + 2), np.full(K + 2, _INF)
        lower = np.where(self.sign < 0, -_INF, 0.0) if self.loose else np.zeros(K)
        upper = np.where(self.sign > 0, _INF, 0.0) if self.loose else np.zeros(K)
        lp.row_lower_ = np.r_[lower, 1.0, 0.0 if self.returns == "vrs" else -_INF]
        lp.row_upper_ = np.r_[upper, 1.0, _INF if self.returns == "crs" else 0.0]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        filled = sparse.csc_array(A)
        lp.a_matrix_.start_, lp.a_matrix_.index_ = filled.indptr, filled.indices
        lp.a_matrix_.value_ = filled.data
        model = _Quiet()
        model.setOptionValue("primal_feasibility_tolerance", 1e-10)
        model.setOptionValue("dual_feasibility_tolerance", 1e-10)
        model.setOptionValue("threads", 1)
        model.setOptionValue("presolve", "off")
        model.passModel(lp)
        return model


class _Quiet(highspy.Highs):
    """HiGHS would print its name when callbacks are enabled, which happens before an option can be set."""

    def enableCallbacks(self) -> None:  # not needed here
        self.silent()


class _Pool:
    """A model and those units of the reference that are in it so far: `members`, in the order of their columns."""

    def __init__(self, model: highspy.Highs, columns: np.ndarray) -> None:
        K = columns.shape[1] - 1
        self.model, self.columns = model, columns
        self.rows = np.r_[np.arange(K), K + 1].astype(np.int32)
        self.members: list[int] = []
        self.place: dict[int, int] = {}
        self.free = np.ones(len(columns), dtype=bool)  # may be added

    def use(self, j: int, may: bool) -> None:
        """Let unit j be a peer, or not."""
        if j in self.place:
            self.model.changeColBounds(self.place[j], 0.0, _INF if may else 0.0)
        else:
            self.free[j] = may

    def optimal(self, name: object) -> bool:
        """Solve and add peers until none is called for; before a failure is believed, start from no basis."""
        anew = False
        while True:
            self.model.run()
            status, prices = self.model.getModelStatus(), None
            if status == _STATUS.kOptimal:
                prices = self.model.getSolution().row_dual
            elif status == _STATUS.kInfeasible:  # the proof prices the units as well
                prices = self.model.getDualRay()[2]  # type: ignore[attr-defined] # its stub lacks it
            if prices is not None and self._add(np.array(prices)[self.rows]):
                continue
            if status == _STATUS.kOptimal:
                return True
            if anew and status == _STATUS.kInfeasible:
                return False
            if anew:
                text = self.model.modelStatusToString(status)
                raise RuntimeError(f"the programme of {name!r} was not solved: {text}")
            self.model.clearSolver()
            anew = True

    def _add(self, y: np.ndarray) -> bool:
        """Whether there are units that pay at these prices of the rows; the best of them become members."""
        gain = np.where(self.free, self.columns @ y, 0.0)
        best = np.argpartition(-gain, min(AT_ONCE, len(gain) - 1))[:AT_ONCE]
        best = best[gain[best] > 1e-9 * np.abs(y).max()]
        for j in best.tolist():
            self.model.addCol(0.0, 0.0, _INF, len(y), self.rows, self.columns[j])
            self.place[j] = len(self.rows) + 1 + len(self.members)
            self.members.append(j)
        self.free[best] = False
        return len(best) > 0
