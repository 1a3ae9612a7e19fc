"""The 23 indicators behind FI and RCD: printed weights in four periods, and scores that equal the calibrated ones.

An indicator starts as its index times noise. Then three corrections alternate: all indicators of a province-year and
part move by one factor until the part has its score; within each period an indicator is bent (a power of its scaled
values) until its entropy weight in that period is the printed one; the years before 2013 are stretched until the
weights of the dimensions over all years are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from first_four._calibrate import Array, CalibrationError, entropy_weights, minmax, zscore
from first_four._factor_targets import (
    DIMENSION,
    FI,
    FULL,
    PERIOD_ROWS,
    RCD,
    YEARS,
    Printed,
    provinces,
)


@dataclass(frozen=True)
class Indicator:
    """How an indicator is drawn: raw extremes, decimals, direction, loadings.

    ``power`` of the score that it belongs to, ``science``, ``unit`` and ``passing`` noise; ``flat`` indicators hardly
    vary and do not follow the correction.
    """

    low: float
    high: float
    decimals: int = 2
    power: float = 1.0
    science: float = 0.0
    unit: float = 0.2
    passing: float = 0.06
    flat: bool = False
    negative: bool = False


INDICATORS = {
    "L1": Indicator(11.2, 3890.0, 2, 1.3, -0.1),
    "L2": Indicator(31.5, 3925.0, 2, 0.8, -0.1),
    "L3": Indicator(0.22, 34.6, 3, 0.9, 0.3),
    "K1": Indicator(-42.0, 66.0, 2, 0.1, 0.0, 0.1, 1.0, flat=True),
    "K2": Indicator(138.0, 272000.0, 1, 1.1, 0.0),
    "K3": Indicator(4.6, 12700.0, 2, 1.0, 0.1),
    "T1": Indicator(12, 251000, 0, 1.0, 0.1),
    "T2": Indicator(0.25, 4810.0, 3, 1.0, 0.0),
    "T3": Indicator(0.0, 8540.0, 3, 1.0, 0.6, 0.4, 0.15),
    "T4": Indicator(310, 1010000, 0, 0.9, -0.1),
    "T5": Indicator(52, 71600, 0, 0.8, -0.3, 0.3),
    "E1": Indicator(3686, 200300, 0, 0.9, 0.35),
    "E2": Indicator(134.0, 61700.0, 2, 1.2, -0.2),
    "E3": Indicator(0.50, 5.70, 4, 0.7, 0.6, 0.25),
    "E4": Indicator(0.42, 1.36, 4, 0.1, 0.0, 0.6, 0.5, flat=True),
    "S1": Indicator(19.3, 57.6, 3, 0.1, 0.2, 0.7, 0.4, flat=True, negative=True),
    "S2": Indicator(2090, 84900, 0, 0.9, 0.35),
    "S3": Indicator(18.6, 52.4, 3, 0.1, 0.3, 0.6, 0.5, flat=True, negative=True),
    "S4": Indicator(1.30, 5.15, 4, 0.1, 0.3, 0.7, 0.4, flat=True, negative=True),
    "N1": Indicator(0.02, 141.6, 3, 0.9, -0.2, 0.3, 0.25),
    "N2": Indicator(1.6, 1270.0, 2, 1.2, 0.0),
    "N3": Indicator(3.0, 27300.0, 1, 1.0, -0.5, 0.4),
    "N4": Indicator(11.5, 100.0, 2, 0.1, 0.2, 0.5, 0.5, flat=True),
}  # fmt: skip
FI_2003 = 0.0315
"""National mean of FI in 2003 (printed 0.03)."""
GIVE = {k: 0.15 if one.flat else 1.0 for k, one in INDICATORS.items()}


def _start(rng: np.random.Generator, symbols: tuple[str, ...], parts: list[Array]) -> Array:
    """First values of the scaled indicators."""
    science, x = FULL.expand(zscore(provinces()["science"].to_numpy())), []
    for k, part in zip(symbols, parts, strict=True):
        one = INDICATORS[k]
        noise = one.unit * FULL.expand(rng.standard_normal(31)) + one.passing * FULL.ar1(rng, 0.6)
        if one.flat:
            x.append(minmax(zscore(0.5 * zscore(np.log(part)) + 0.3 * one.science * science + noise)))
        else:
            x.append(minmax(part**one.power * np.exp(one.science * science + noise)))
    return np.column_stack(x)


def _bend(x: Array, wanted: dict[str, Array], strength: float) -> None:
    """Bend every column within each period towards its wanted weight."""
    for p, rows in PERIOD_ROWS.items():
        z = x[rows]
        low, span = z.min(0), np.ptp(z, 0)
        z = (z - low) / span
        power = (wanted[p] / entropy_weights(z)) ** strength
        x[rows] = low + span * z ** np.clip(power, 0.6, 1.7)


def _join(x: Array, follow: Array) -> None:
    """Give 2003 and 2023 the level and spread of the year beside them, apart from growth.

    Weights of a period do not change when its values are moved and stretched together.
    """
    table = x.reshape(31, 21, -1)
    for here, beside, further in ((0, 1, 2), (20, 19, 18)):
        z, near, far = table[:, here], table[:, beside], table[:, further]
        growth = np.where(follow, near.mean(0) / far.mean(0), 1.0)
        step = growth * near.std(0) / z.std(0)
        new = growth * near.mean(0) + (z - z.mean(0)) * step
        table[:, here] = 0.5 * z + 0.5 * np.clip(new, 1e-9, None)


def shape(
    rng: np.random.Generator,
    index: str,
    goals: dict[str, Array],
    goal: Printed,
    rounds: int = 160,
    tolerance: float = 4e-5,
) -> tuple[Array, dict[str, float]]:
    """Scaled indicators (651 x n) of an index whose partial scores are ``goals``.

    ``goals`` maps LI, KI and TI, or RCD, to scores; those of the years before 2013 may be stretched over time (in
    place), so that the dimensions have their whole-period weights.
    """
    symbols = FI if index == "FI" else RCD
    at = slice(0, 11) if index == "FI" else slice(11, 23)
    wanted = {p: w[at] for p, w in goal.weights.items()}
    dimension = np.array([DIMENSION[k] for k in symbols])
    member = np.array([DIMENSION[k] if index == "FI" else "RCD" for k in symbols])
    give = np.array([GIVE[k] for k in symbols])
    x = _start(rng, symbols, [goals[m] for m in member])
    early = np.tile(np.maximum(2013 - YEARS, 0), 31)
    live = rounds - 60
    for r in range(rounds):
        if r < live:
            _bend(x, wanted, 0.5)
            if r < live - 40:
                _join(x, give == 1)
            x[:] = minmax(x)
            now = entropy_weights(x)
            for d in np.unique(dimension):
                off = np.log(now[dimension == d].sum() / goal.whole[d])
                pace = np.clip(0.10 * off, -0.02, 0.02)
                if index == "FI":
                    mean = goals[d].reshape(31, 21)[:, 0].mean()
                    if 0.0015 < mean * np.exp(10 * pace) < 0.02:
                        goals[d] *= np.exp(pace * early)
                else:
                    x[:, (dimension == d) & (give == 1)] *= np.exp(pace * early)[:, None]
            if index == "FI":
                level = sum(g.reshape(31, 21)[:, 0].mean() for g in goals.values())
                for d in goals:
                    goals[d] *= (FI_2003 / level) ** (0.02 * early)
            x[:] = minmax(x)
        w = entropy_weights(x)
        worst = 0.0
        for d in np.unique(member):
            cols = member == d
            gap = goals[d] - x[:, cols] @ w[cols]
            worst = max(worst, float(np.abs(gap).max()))
            top = (
                x[:, cols] > 1 - 1e-12
            )  # the largest value of a column stays so, unless these alone are too much
            top &= ((gap > 0) | ((top * x[:, cols]) @ w[cols] < 0.9 * goals[d]))[:, None]
            follow = np.where(top, 0.0, give[cols])
            base = (follow * x[:, cols]) @ w[cols]
            rho = np.clip(gap / (base + 1e-9), -0.5, 0.5)
            x[:, cols] = np.minimum(x[:, cols] * np.exp(rho[:, None] * follow), 1)
        x[:] = minmax(x)
        if r > live and worst < tolerance:
            break
    if worst > 2e-3:
        raise CalibrationError(f"shape: partial scores of {index} missed by {worst:.1e}")
    return x, {"rounds": r + 1, "largest_gap": round(worst, 5)}


def period_weights(x: Array) -> dict[str, Array]:
    """Entropy weights by period, each scaled within the period."""
    return {p: entropy_weights(minmax(x[rows])) for p, rows in PERIOD_ROWS.items()}


def to_raw(k: str, z: Array) -> Array:
    """Raw values of an indicator from its scaled ones."""
    one = INDICATORS[k]
    low, high = (one.high, one.low) if one.negative else (one.low, one.high)
    return np.round(low + (high - low) * z, one.decimals)
