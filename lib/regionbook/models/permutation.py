"""Permutation test of a coefficient difference between two groups (费舍尔组合检验)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..index._checks import show
from ..shown import Part, Shown
from ._formula import Design, read_formula, two_groups
from ._within import Sweep, codes, nested


@dataclass(frozen=True, repr=False)
class PermutationTest(Shown):
    """What :func:`permutation_test` returns.

    Attributes
    ----------
    coefficients : Series; the coefficient in each group's own regression
    difference : float; second group minus first
    p : float; two-sided: (1 + number of |draws| ≥ |difference|) / (1 + number of draws)
    draws : ndarray; differences after shuffling the labels, for a histogram
    units : Series; number of units by group
    """

    coefficients: pd.Series
    difference: float
    p: float
    draws: np.ndarray
    units: pd.Series

    def _shown(self) -> list[Part]:
        pairs = zip(self.coefficients.items(), self.units, strict=True)
        rows = {f"{name} ({size} units)": f"{b:.4f}" for (name, b), size in pairs}
        first, second = self.coefficients.index
        rows[f"{second} − {first}"] = f"{self.difference:.4f}"
        rows["permutation p"] = f"{self.p:.4f} ({len(self.draws):,} draws)"
        return [rows]


def permutation_test(
    data: pd.DataFrame, formula: str, coefficient: str, group: str, unit: str, *, draws: int = 999, seed: int
) -> PermutationTest:
    r"""Is a coefficient the same in two groups of units? Split-sample difference against shuffled labels.

    Each group has its own regression, with its own fixed effects and its own slopes of the controls.
    If groups do not matter, any other split of the units into groups of these sizes is as good:

    .. math:: \Delta = \hat\beta_2 - \hat\beta_1, \qquad
        p = \frac{1 + \#\{|\Delta^{(b)}| \ge |\Delta|\}}{1 + B}

    Labels move with whole units; give a larger `unit` (the urban cluster) when the label belongs to it. The null is
    that the groups have the same distribution, so a difference in variance alone can reject too. A draw needs no
    regression: it adds up cross-products of units anew.

    Parameters
    ----------
    data : DataFrame, one row an observation
    formula : str; as for `pyfixest.feols`: ``"inn ~ digit + gov | city + year"``; effects may be index levels
    coefficient : str; the regressor compared
    group : column; exactly two values, constant within `unit`; sorted, the second minus the first is tested
    unit : column or index level; what is shuffled
    draws, seed : int

    Returns
    -------
    PermutationTest

    Raises
    ------
    TypeError, ValueError: unknown names, gaps, not two groups, one that varies within a unit, no variation

    References
    ----------
    Cleary (1999), J. Finance 54(2), 673–692, for the test as Chinese applications cite it; Good (2005),
    *Permutation, Parametric, and Bootstrap Tests of Hypotheses*.
    """
    if draws < 1:
        raise ValueError(f"draws={draws!r} must be at least 1")
    design = read_formula(data, formula)
    units = codes(design.frame, unit, "unit")
    names = _two_groups(design, group, unit, units)
    second = (design.frame[group] == names[1]).to_numpy()
    cross = _CrossProducts(design, coefficient, units)
    label = second[cross.sort][cross.starts].astype(float)
    own = cross.difference(label[None, :])[:, 0]
    shuffled = np.random.default_rng(seed).permuted(np.tile(label, (draws, 1)), axis=1)
    blocks = [cross.difference(block) for block in np.array_split(shuffled, -(-draws // 500))]
    simulated = np.concatenate([b[1] - b[0] for b in blocks])
    observed = float(own[1] - own[0])
    extreme = int((np.abs(simulated) >= abs(observed) * (1 - 1e-9)).sum())
    index = pd.Index(names, name=group)
    found = pd.Series(own, index=index, name=coefficient), observed, (1 + extreme) / (1 + draws), simulated
    return PermutationTest(*found, pd.Series(np.bincount(label.astype(int)), index=index, name="units"))


def _two_groups(design: Design, group: str, unit: str, units: np.ndarray) -> list[Any]:
    """The two values of the group, which has to be constant within units."""
    names, labels = two_groups(design, group)
    if not nested(units, labels):
        spread = pd.Series(labels).groupby(units).nunique().to_numpy()
        row = show(design.frame[unit].to_numpy()[units == spread.argmax()][0])
        raise ValueError(f"group {group!r} varies within {unit} {row}; give a unit in which it does not")
    return names


class _CrossProducts:
    """Cross-products of regressor, outcome, controls and dummies by unit: a draw of labels only adds them up.

    `sort` puts rows in the order of their units, each of which begins at its place of `starts`.
    """

    def __init__(self, design: Design, coefficient: str, units: np.ndarray) -> None:
        design = design.last(coefficient)
        design.swept()  # refuses regressors that are collinear
        # effects within units do not depend on the labels and are swept once; the others become dummies
        inner = [e for e in design.effects.values() if nested(e, units)]
        outer = [np.eye(e.max() + 1)[e] for e in design.effects.values() if not nested(e, units)]
        norms = np.linalg.norm(design.x, axis=0)
        x = design.x / norms
        columns = np.column_stack([x[:, -1], design.y, x[:, :-1], *(outer or [np.ones((len(units), 1))])])
        if inner:
            columns = Sweep(inner, len(x))(columns)
        self.coefficient, self.length, self.width = coefficient, float(norms[-1]), columns.shape[1]
        self.sort = np.argsort(units, kind="stable")
        self.starts = np.searchsorted(units[self.sort], np.arange(units.max() + 1))
        products = np.stack([b.T @ b for b in np.split(columns[self.sort], self.starts[1:])])
        self.products = products.reshape(-1, self.width**2)

    def difference(self, member: np.ndarray) -> np.ndarray:
        """Coefficients outside and inside a group (2 × draws); `member` is draws × units."""
        inside = member @ self.products
        return np.stack([self.slopes(self.products.sum(axis=0) - inside), self.slopes(inside)])

    def slopes(self, cross: np.ndarray) -> np.ndarray:
        """The coefficient for each stack of cross-products, all else partialled out.

        The pseudo-inverse drops what a group lacks: one year dummy always, a control that never varies there.
        """
        cross = cross.reshape(-1, self.width, self.width)
        scale = np.sqrt(np.einsum("bii->bi", cross[:, 2:, 2:]))
        scale = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)[:, :, None]
        controls = cross[:, 2:, 2:] * scale * scale.swapaxes(1, 2)
        outside = cross[:, 2:, :2] * scale
        inverse = np.linalg.pinv(controls, rcond=1e-10, hermitian=True)
        left = cross[:, :2, :2] - outside.swapaxes(1, 2) @ inverse @ outside
        if (left[:, 0, 0] <= 1e-14).any():  # x has norm one over all rows, before any effect
            raise ValueError(
                f"{self.coefficient!r} has no variation left in one of the groups (or of the shuffled ones) after its "
                "controls and fixed effects: too few units, or a regressor that belongs to one group"
            )
        return left[:, 0, 1] / left[:, 0, 0] / self.length
