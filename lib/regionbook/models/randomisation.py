"""Randomisation inference (安慰剂检验) for a staggered treatment: all placebo regressions in one matrix product."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from scipy import sparse

from ..index._checks import numbers, one_of, show
from ..shown import Part, Shown
from ._formula import Design, read_formula
from ._within import Sweep, rank_outside
from .cohorts import _Dates, _read_dates

STATISTICS = ["coefficient", "t_hc1", "t_cluster"]
MOST = 1_000_000
"""Assignments that are enumerated at most."""
CHUNK = 2**20
"""Cells × draws held at a time (8 MB a matrix)."""


@dataclass(frozen=True, repr=False)
class RandomisationTest(Shown):
    """What :func:`randomisation_test` returns.

    Attributes
    ----------
    observed : Series; `coefficient` of the treatment as it was, its `t_hc1` (robust) and `t_cluster`
    p : Series; share of the assignments, the observed one among them, whose absolute value is as large
    draws : DataFrame, assignments × (coefficient, t_hc1, t_cluster)
    assignments : "units", "cells", "all" or "given"
    contained : bool; the observed assignment is one of the draws; otherwise p = (1 + #)/(1 + draws)
    """

    observed: pd.Series
    p: pd.Series
    draws: pd.DataFrame
    assignments: str
    contained: bool

    @property
    def rejected(self) -> pd.Series:
        """Share of the draws with |t| > 1.96: 0.05 if the standard error were right."""
        return (self.draws[STATISTICS[1:]].abs() > 1.96).mean()

    def _shown(self) -> list[Part]:
        plain = "{:.4f}".format
        columns = {"observed": self.observed.map(plain), "s.d. of the draws": self.draws.std().map(plain)}
        columns |= {"|t| > 1.96 among them": self.rejected.map("{:.1%}".format), "p": self.p.map(plain)}
        note = f"{len(self.draws):,} assignments ({self.assignments})"
        return [pd.DataFrame(columns).loc[STATISTICS].fillna(""), note]


def randomisation_test(
    data: pd.DataFrame,
    formula: str,
    coefficient: str,
    dates: str,
    unit: str,
    time: str,
    *,
    assignments: str | pd.DataFrame = "units",
    draws: int = 999,
    seed: int | None = None,
) -> RandomisationTest:
    r"""Is the effect larger than what other units and dates would have given? A placebo test with its p value.

    Without any effect the outcomes would be the same had others been treated. So the treatment is dealt out anew,
    r = 1 … R, and the observed statistic ranked among those of the deals:

    .. math:: \hat\beta_r = \frac{d_r' M y}{d_r' M d_r}, \qquad
        p = \frac{1 + \#\{|\hat\beta_r| \ge |\hat\beta|\}}{1 + R}

    M takes out controls and fixed effects and is the same for every deal: all of them are one matrix product. Rank
    the clustered t rather than the coefficient when the panel is unbalanced or few are treated, as deals then differ
    in precision. It does not see that those chosen, large cities say, have other trends: random cities are not large.

    Parameters
    ----------
    data : DataFrame, one row a unit and year; may be unbalanced
    formula : str; as for `pyfixest.feols`: ``"y ~ reform + gov | city + year"``; effects may be index levels.
    coefficient : str; the treatment, 0 and 1
    dates : column; the unit's first treated year, 0 for never
    unit, time : column or index level; standard errors are clustered by `unit`
    assignments : "units", "cells", "all" or DataFrame
        ``"units"``: the dates are shuffled over the units; cohorts keep their sizes. ``"all"``: every such deal
        (13!/(1! 4! 1! 7!) = 51,480 of 13 cities with cohorts of one, four and one). ``"cells"``: treated cells are
        shuffled over all cells, to show that this is too narrow. A frame: dates, deal × unit, matched by label.
    draws, seed : int; for "units" and "cells"

    Returns
    -------
    RandomisationTest

    Raises
    ------
    TypeError, ValueError: as :func:`cohorts`; a deal without variation, too many of them, unknown units, no seed

    References
    ----------
    Fisher (1935), *The Design of Experiments*; Bertrand, Duflo and Mullainathan (2004), QJE 119; MacKinnon and Webb
    (2020), J. Econometrics 218, on ranking t. t as `pyfixest` has it: HC1 with n/(n − k), all effects counted;
    clustered with G/(G − 1)·(n − 1)/(n − k), effects within units not counted.
    """
    design = read_formula(data, formula)
    found = _read_dates(design.frame, dates, unit, time, coefficient)
    placebo = _Placebo(design, coefficient, found.unit)
    treatment = design.x[:, design.position(coefficient)]
    observed = placebo.statistics(treatment[:, None])[0]
    kind = assignments if isinstance(assignments, str) else "given"
    contained = kind == "all"
    if kind == "cells":
        drawn = _chunks(_shuffled(treatment, draws, seed), len(treatment))
        parts = [placebo.statistics(block.T) for block in drawn]
    else:
        first = _deals(found, assignments, draws, seed)
        if kind == "given":
            contained = bool((first == found.first).all(axis=1).any())
        parts = [placebo.statistics(found.treated(b).astype(float)) for b in _chunks(first, len(treatment))]
    simulated = np.concatenate(parts)
    _all_identified(simulated)
    extreme = (np.abs(simulated) >= np.abs(observed) * (1 - 1e-9)).sum(axis=0)
    added = 0 if contained else 1
    p = pd.Series((added + extreme) / (added + len(simulated)), STATISTICS)
    draws_of = pd.DataFrame(simulated, columns=STATISTICS)
    return RandomisationTest(pd.Series(observed, STATISTICS), p, draws_of, kind, contained)


def _all_identified(simulated: np.ndarray) -> None:
    lost = np.isnan(simulated[:, 0])
    if lost.any():
        raise ValueError(
            f"the treatment has no variation left in {int(lost.sum())} of {len(lost)} assignments (the first is "
            f"number {int(lost.argmax())}): the cells of those treated are missing; hand in the other assignments"
        )


def _chunks(draws: np.ndarray, cells: int) -> Iterator[np.ndarray]:
    return iter(np.array_split(draws, -(-len(draws) * cells // CHUNK)))


class _Placebo:
    """Everything but the treatment, taken out once."""

    def __init__(self, design: Design, coefficient: str, unit: np.ndarray) -> None:
        effects, (n, k) = list(design.effects.values()), design.x.shape
        self.sweep, groups = Sweep(effects, n), int(unit.max()) + 1
        free, counted = n - k - self.sweep.rank, k + rank_outside(effects, unit, n)
        if groups < 2 or free <= 0:
            raise ValueError(
                f"{n} rows of {groups} units are too few for {k} regressors, {self.sweep.rank} effects"
            )
        _, _, y, q = design.last(coefficient).swept()
        self.controls = q[:, :-1]  # orthonormal
        self.y = y - self.controls @ (self.controls.T @ y)
        self.member = sparse.csr_array((np.ones(n), (unit, np.arange(n))))
        self.hc1, self.cluster = n / free, groups / (groups - 1) * (n - 1) / (n - counted)

    def statistics(self, treatment: np.ndarray) -> np.ndarray:
        """Coefficient and both t (draws × 3) of each column (rows × draws); NaN without variation."""
        d = self.sweep(treatment)
        d -= self.controls @ (self.controls.T @ d)
        square = np.einsum("ij,ij->j", d, d)
        square[square <= 1e-10 * treatment.sum(axis=0)] = np.nan
        b = self.y @ d / square
        score = d * (self.y[:, None] - d * b)
        sums = self.member @ score
        columns = [b]
        with np.errstate(divide="ignore"):
            for factor, s in ((self.hc1, score), (self.cluster, sums)):
                columns.append(b * square / np.sqrt(factor * np.einsum("ij,ij->j", s, s)))
        return np.column_stack(columns)


def _shuffled(values: np.ndarray, draws: int, seed: int | None) -> np.ndarray:
    """`values` in `draws` random orders (draws × values)."""
    if draws < 1:
        raise ValueError(f"draws={draws!r} must be at least 1")
    if seed is None:
        raise ValueError("random assignments need a seed, for example seed=1")
    return np.random.default_rng(seed).permuted(np.tile(values, (draws, 1)), axis=1)


def _deals(found: _Dates, assignments: str | pd.DataFrame, draws: int, seed: int | None) -> np.ndarray:
    """First treated years (draws × units)."""
    if isinstance(assignments, pd.DataFrame):
        return _given(found, assignments)
    if assignments == "units":
        return _shuffled(found.first, draws, seed)
    one_of(("units", "cells", "all"), assignments=assignments)
    return _every(found.first)


def _given(found: _Dates, assignments: pd.DataFrame) -> np.ndarray:
    wrong = assignments.columns.symmetric_difference(found.labels)
    if len(wrong) or assignments.columns.has_duplicates:
        raise ValueError(
            f"assignments need one column for each of the {len(found.labels)} units; "
            f"{show(wrong[0]) if len(wrong) else 'one of them'} is unknown, absent or there twice"
        )
    return numbers(assignments, "assignments")[list(found.labels)].to_numpy()


def _every(first: np.ndarray) -> np.ndarray:
    """All different orders of `first` (draws × units): cohort after cohort takes its places among those left."""
    values, sizes = np.unique(first, return_counts=True)
    order = np.argsort(sizes)
    total, left = 1, len(first)
    for size in sizes[order]:
        total, left = total * comb(left, int(size)), left - int(size)
    if total > MOST:
        raise ValueError(
            f"{total:,} assignments are too many to enumerate; take assignments='units' and a seed"
        )
    deals = np.full((1, len(first)), values[order[-1]])
    free = np.arange(len(first))[None, :]
    for value, size in zip(values[order[:-1]], sizes[order[:-1]], strict=True):
        places = range(free.shape[1])
        picks = np.array(list(combinations(places, int(size))))
        others = np.array([[i for i in places if i not in pick] for pick in map(set, picks.tolist())])
        deals = np.repeat(deals, len(picks), axis=0)
        np.put_along_axis(deals, free[:, picks].reshape(len(deals), -1), value, axis=1)
        free = free[:, others].reshape(len(deals), -1)
    return deals
