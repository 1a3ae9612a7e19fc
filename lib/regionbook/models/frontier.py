"""Frontiers by data envelopment analysis (数据包络分析): radial scores, and slacks-based measures with bad outputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from ..index._checks import numbers, one_of, places, show
from ..shown import Part, Shown
from ._programmes import TOL, Programme, Solved
from ._within import known, one_kind

Returns = Literal["crs", "vrs", "nirs"]
Orientation = Literal["output", "input"]
Names = Sequence[str]


@dataclass(frozen=True, repr=False)
class Frontier(Shown):
    """What :func:`sbm` returns, and with a distance :func:`dea`.

    Attributes
    ----------
    score : Series, one value a unit; NaN where the programme has no solution
    peers : DataFrame, one row a unit and peer
        Indexed by unit: `peer` (its label) and `weight` λ. Several sets of peers may give the same score.
    slacks : DataFrame, unit × measure; too much of inputs and bad outputs, too little of outputs, after the score
    targets : DataFrame, unit × measure; where the unit would be without them
    prices : DataFrame, unit × measure; shadow prices: change of the score with one more of it
    reasons : dict; why a unit has no score
    model : str
    """

    score: pd.Series
    peers: pd.DataFrame
    slacks: pd.DataFrame
    targets: pd.DataFrame
    prices: pd.DataFrame
    reasons: dict[Any, str]
    model: str

    def _shown(self) -> list[Part]:
        s = self.score
        facts = {
            self.model: f"{len(s):,} units, {int((s.sub(1).abs() <= TOL).sum()):,} with score 1",
            "score": f"mean {s.mean():.4f}, from {s.min():.4f} to {s.max():.4f}",
        }
        if self.reasons:
            unit, why = next(iter(self.reasons.items()))
            facts["no score"] = f"{len(self.reasons):,} unit(s), {show(unit)}: {why}"
        return [facts]


@dataclass(frozen=True, repr=False)
class RadialFrontier(Frontier):
    """What :func:`dea` returns: a :class:`Frontier` whose score is Farrell's.

    Attributes
    ----------
    orientation : of the score: φ, by which all outputs could grow, or θ, to which all inputs could shrink
    """

    orientation: Orientation

    @property
    def distance(self) -> pd.Series:
        """Shephard's distance, 1/score: of outputs D = 1/φ ≤ 1, of inputs D = 1/θ ≥ 1."""
        return (1 / self.score).rename("distance")

    @property
    def efficiency(self) -> pd.Series:
        """1/φ or θ: at most 1 within the frontier in both orientations."""
        return (self.distance if self.orientation == "output" else self.score).rename("efficiency")


def dea(
    data: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    orientation: Orientation = "output",
    returns: Returns = "crs",
    reference: pd.DataFrame | None = None,
    super_efficiency: bool = False,
) -> RadialFrontier:
    r"""Radial efficiency: by how much could a unit grow in all outputs, or shrink in all inputs, at once?

    .. math:: \phi_o = \max\{\phi : \sum_j \lambda_j x_j \le x_o,\ \sum_j \lambda_j y_j \ge \phi y_o,\ \lambda \ge 0\}, \qquad
        \theta_o = \min\{\theta : \sum_j \lambda_j x_j \le \theta x_o,\ \sum_j \lambda_j y_j \ge y_o,\ \lambda \ge 0\}

    "crs" (CCR) as it stands, "vrs" (BCC) with Σλ = 1, "nirs" with Σλ ≤ 1. A second programme maximises the sum of the
    slacks, as shares of the unit's own values, with the score held: units of measurement do not matter.

    Parameters
    ----------
    data : DataFrame, one row a unit, its label in the index
    inputs, outputs : list of columns; all values must be positive
    orientation : "output" (φ) or "input" (θ)
    returns : "crs", "vrs" or "nirs"
    reference : DataFrame, optional; the units that span the frontier, if not those of `data`; same columns
    super_efficiency : bool; each against all others (Andersen and Petersen 1993): scores beyond 1

    Returns
    -------
    RadialFrontier

    Raises
    ------
    TypeError, ValueError: text, missing or not positive values, a unit twice, all efficient whatever they do

    References
    ----------
    Charnes, Cooper and Rhodes (1978), Eur. J. Operational Research 2; Banker, Charnes and Cooper (1984), Management
    Science 30. Solved by HiGHS (Huangfu and Hall 2018).

    Examples
    --------
    >>> firms = pd.DataFrame({"labour": [2, 4, 3, 5, 6], "revenue": [1, 2, 3, 4, 5]}, list("ABCDE"))
    >>> result = dea(firms, ["labour"], ["revenue"])
    >>> result.score.round(3).to_dict()
    {'A': 2.0, 'B': 2.0, 'C': 1.0, 'D': 1.25, 'E': 1.2}
    >>> result.peers.loc[["E"]].round(3).to_dict("records")
    [{'peer': 'C', 'weight': 2.0}]
    """
    one_of(("output", "input"), orientation=orientation)
    Z, R = _measures(data, inputs, outputs, (), returns, reference, bool(super_efficiency))
    side = list(outputs if orientation == "output" else inputs)
    if returns == "vrs" and (R[side].nunique() == 1).all() and (Z[side].nunique() == 1).all():
        raise ValueError(
            f"{', '.join(map(repr, side))} constant: with returns='vrs' and orientation={orientation!r} every unit is "
            "efficient whatever it does; turn the orientation or use returns='crs'"
        )
    own, m, turn = Z.to_numpy(), len(inputs), orientation == "input"
    ref = own if reference is None else R.to_numpy()
    against = None if reference is None else ref
    first = radial(own, against, m, orientation, returns, Z.index, super_efficiency)
    scaled, sign = (np.arange(own.shape[1]) < m) == turn, _sign(m, len(outputs))
    at = np.where(scaled, first.value[:, None], 1.0) * own
    additive = Programme(sign, np.r_[-np.ones_like(sign), 0, 0], 0 * sign, np.zeros_like(scaled), returns)
    second = additive.solve(at, ref, Z.index, alone=super_efficiency)
    tables = _tables(Z, R.index, at, sign, second.share, second.weights, first.slopes)
    reasons = _reasons(first.value, Z, R, outputs if turn else inputs, inputs, super_efficiency)
    model = f"{returns.upper()}, {orientation} orientation" + ", super-efficiency" * super_efficiency
    score = pd.Series(first.value, Z.index, name="theta" if turn else "phi")
    return RadialFrontier(score, *tables, reasons, model, orientation)


def radial(
    own: np.ndarray,
    reference: np.ndarray | None,
    m: int,
    orientation: str,
    returns: str,
    names: Sequence[object],
    alone: bool = False,
) -> Solved:
    """φ or θ as `value`, with the solutions and slopes; the first `m` columns are inputs."""
    K, turn = own.shape[1], -1.0 if orientation == "output" else 1.0
    scaled = (np.arange(K) < m) == (turn > 0)
    programme = Programme(_sign(m, K - m), np.r_[np.zeros(K + 1), turn], np.zeros(K), scaled, returns)
    best = turn if reference is None and not alone else None
    found = programme.solve(own, own if reference is None else reference, names, best, alone)
    return replace(found, value=turn * found.value, slopes=turn * found.slopes)


def sbm(
    data: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    bad: Sequence[str] = (),
    *,
    returns: Returns = "crs",
    super_efficiency: bool | Literal["inputs"] = False,
    reference: pd.DataFrame | None = None,
) -> Frontier:
    r"""Tone's slacks-based measure, with bad outputs and super-efficiency: ρ ≤ 1, and δ ≥ 1 for efficient units.

    .. math:: \rho_o = \min \frac{1 - \frac1m\sum_k s_k^-/x_{ko}}
        {1 + \frac1{s+q}\left(\sum_r s_r^+/y_{ro} + \sum_l s_l^b/b_{lo}\right)}, \qquad
        x_o = \sum_j\lambda_j x_j + s^-,\ y_o = \sum_j\lambda_j y_j - s^+,\ b_o = \sum_j\lambda_j b_j + s^b

    Super-efficiency: the others, without o, need not reach it, and the slacks say by how much they miss:

    .. math:: \delta_o = \min \frac{1 + \frac1m\sum_k s_k^-/x_{ko}}
        {1 - \frac1{s+q}\left(\sum_r s_r^+/y_{ro} + \sum_l s_l^b/b_{lo}\right)}, \qquad
        \sum_{j\ne o}\lambda_j x_j \le x_o + s^-,\ \sum\lambda_j y_j \ge y_o - s^+,\ \sum\lambda_j b_j \le b_o + s^b

    With "inputs" the slacks of bad outputs stand beside those of inputs, 1/(m + q) each, and those of outputs have 1/s.
    Without o, units that only o dominated are peers: all units remain in the reference, efficient or not. The
    programme has no solution where bad outputs of the others are so far above o's that the denominator cannot stay
    positive ("vrs"); such a unit gets NaN and a reason, never 1.

    Parameters
    ----------
    data, inputs, outputs, returns, reference : as :func:`dea`
    bad : list of columns; undesirable outputs, of which less is better
    super_efficiency : False, True (bad outputs in the denominator) or "inputs"; not beside a `reference`

    Returns
    -------
    Frontier

    Raises
    ------
    TypeError, ValueError: as :func:`dea`

    References
    ----------
    Tone (2001), Eur. J. Operational Research 130, 498–509; Tone (2002), ibid. 143, 32–41; Tone (2003), GRIPS Research
    Report I-2003-0005. As linear programmes by Charnes and Cooper (1962).

    Examples
    --------
    >>> columns = {"x1": [4, 6, 8, 8, 2], "x2": [3, 3, 1, 1, 4], "y1": [2, 2, 6, 6, 1], "y2": [3, 3, 2, 1, 4]}
    >>> tone = pd.DataFrame(columns, list("ABCDE"))
    >>> sbm(tone, ["x1", "x2"], ["y1", "y2"]).score.round(3).to_dict()
    {'A': 0.798, 'B': 0.568, 'C': 1.0, 'D': 0.667, 'E': 1.0}
    >>> sbm(tone, ["x1", "x2"], ["y1", "y2"], super_efficiency=True)
    CRS, slacks-based, super-efficiency: 5 units, 0 with score 1
    score: mean 0.9641, from 0.5682 to 1.4545
    """
    one_of((False, True, "inputs"), super_efficiency=super_efficiency)
    Z, R = _measures(data, inputs, outputs, bad, returns, reference, bool(super_efficiency))
    own, ref, m, s, q = Z.to_numpy(), R.to_numpy(), len(inputs), len(outputs), len(bad)
    K, kind = m + s + q, np.repeat([0, 1, 2], [m, s, q])
    above, below = (kind == 0) / m, (kind > 0) / (s + q)
    sign, never, model = _sign(m, s, q), np.zeros(K, dtype=bool), f"{returns.upper()}, slacks-based"
    programme = Programme(sign, np.r_[-above, 1, 0], below, never, returns)
    found = programme.solve(own, ref, Z.index, 1.0 if reference is None else None)
    if super_efficiency:
        if super_efficiency == "inputs":
            above, below = (kind != 1) / (m + q), (kind == 1) / s
        programme = Programme(-sign, np.r_[above, 1, 0], -below, never, returns, loose=True)
        high = found.value > 1 - TOL
        over = programme.solve(np.where(high[:, None], own, np.nan), ref, Z.index, alone=True)
        tall, weights = high[:, None], sparse.diags_array(1.0 - high) @ found.weights + over.weights
        share, slopes = np.where(tall, -over.share, found.share), np.where(tall, over.slopes, found.slopes)
        found = Solved(np.where(high, over.value, found.value), share, weights, slopes)
        model += ", super-efficiency"
    tables = _tables(Z, R.index, own, sign, found.share, found.weights, found.slopes)
    alone = bool(super_efficiency)
    reasons = _reasons(found.value, Z, R, bad if alone else list(Z), [*inputs, *bad], alone)
    return Frontier(pd.Series(found.value, Z.index, name="score"), *tables, reasons, model)


def _measures(
    data: pd.DataFrame, inputs: Names, outputs: Names, bad: Names, returns: str, reference: Any, alone: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The columns of the units and of the reference as numbers, once nothing is wrong with them."""
    one_of(("crs", "vrs", "nirs"), returns=returns)
    if alone and reference is not None:
        raise ValueError("super-efficiency leaves a unit out of its own reference set: give no reference")
    Z = positive(data, inputs, outputs, bad, "data")
    R = Z if reference is None else positive(reference, inputs, outputs, bad, "reference")
    if alone and len(Z) < 2:
        raise ValueError("super-efficiency compares a unit with others; data has one row")
    return Z, R


def positive(data: pd.DataFrame, inputs: Names, outputs: Names, bad: Names, what: str) -> pd.DataFrame:
    """Columns of inputs, outputs and bad outputs, all positive, one row a unit."""
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"{what} must be a pandas DataFrame with one row a unit, got {type(data).__name__}")
    groups = {"inputs": inputs, "outputs": outputs, "bad": bad}
    columns = [column for name, group in groups.items() for column in known(data, group, name)]
    if not len(inputs) or not len(outputs):
        raise ValueError("at least one input and one output are needed")
    if len(set(columns)) < len(columns):
        raise ValueError(f"a column has two roles among inputs, outputs and bad: {columns}")
    labels = data.index.to_frame(index=False)
    if labels.isna().to_numpy().any():
        lacking = show(data.index[labels.isna().any(axis=1)][0])
        raise ValueError(f"{what}: a label is missing in the index ({lacking})")
    for name in labels:
        one_kind(labels[name].to_numpy(), f"{what}: the index")
    if not data.index.is_unique:
        raise ValueError(f"{what}: {show(data.index[data.index.duplicated()][0])} stands twice")
    Z = numbers(data[columns], what)
    low = Z <= 0
    if low.to_numpy().any():
        value = Z.to_numpy()[low.to_numpy()][0]
        raise ValueError(
            f"{what}: {places(low)}: {value:g} is not positive, and shares of it have no meaning; leave the unit or the "
            "column out, or say what a small number in its place stands for"
        )
    return Z


def _sign(m: int, s: int, q: int = 0) -> np.ndarray:
    return np.repeat([1.0, -1.0, 1.0], [m, s, q])


def _tables(
    Z: pd.DataFrame,
    labels: pd.Index,
    at: np.ndarray,
    sign: np.ndarray,
    share: np.ndarray,
    weights: sparse.sparray,
    slopes: np.ndarray,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """`peers`, `slacks`, `targets`, `prices`; slacks are shares of `at`."""
    slack = at * np.where(np.abs(share) < TOL, 0.0, share)
    rows, columns, weight = sparse.find(weights)
    order = np.lexsort([columns, rows])
    peers = {"peer": labels.to_flat_index()[columns[order]], "weight": weight[order]}
    slacks, targets, prices = (pd.DataFrame(t, *Z.axes) for t in (slack, at - sign * slack, slopes))
    return pd.DataFrame(peers, Z.index[rows[order]]), slacks, targets, prices


def _reasons(
    value: np.ndarray, Z: pd.DataFrame, R: pd.DataFrame, columns: Names, less: Names, alone: bool
) -> dict[Any, str]:
    """For each unit without value: in which of `columns` it is farthest beyond all of R; in `less` small is good."""
    out: dict[Any, str] = {}
    for label in Z.index[np.isnan(value)]:
        unit, others = Z.loc[label], R.drop(index=[label]) if alone else R
        limit = {c: others[c].min() if c in less else others[c].max() for c in columns}
        beyond = {c: limit[c] / unit[c] if c in less else unit[c] / limit[c] for c in columns}
        worst = max(columns, key=lambda c: beyond[c])
        out[label] = f"no mix of the other units comes up to its {', '.join(columns)} together"
        if beyond[worst] > 1:
            side = "at least" if worst in less else "at most"
            out[label] = f"its {worst} is {unit[worst]:g}, that of the others {side} {limit[worst]:g}"
    return out
