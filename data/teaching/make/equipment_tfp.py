"""equipment-tfp (Ming 2025): 6 provinces x 7 industries x 2002-2022, from which both Malmquist tables come out as printed.

Unknown are the logarithms of K, L and Y in 42 cells and 21 years, written as a level and yearly changes. Each distance is
the value of a small linear programme; its duals give the gradient. Gauss-Newton with the smallest weighted departure from
a plausible start removes the residuals; programmes have kinks, so it is repeated, and a unit that is on a frontier at both
ends has no gradient there: the start has to have the right units below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from engine import Paper
from engine.make import NOTICE, Drawn, _plain
from engine.report import HEAD
from threadpoolctl import threadpool_limits

from regionbook.data import published
from regionbook.geo import units
from regionbook.papers import equipment_tfp as paper
from regionbook.papers.redraw import ar1

SLUG = "equipment-tfp"
YEARS = np.arange(2002, 2023)
T = len(YEARS)
PROVINCES = ["Anhui", "Shanxi", "Jiangxi", "Henan", "Hubei", "Hunan"]
INDUSTRIES = ["C36", "C37", "C41", "C39", "C40", "C35", "C34"]
SHAPE = (T, 6, 7, 3)
"""Years, provinces, industries; K, L, Y."""
AXES = {"province": 2, "industry": 1}
"""Along which cells are added up."""
other = published(SLUG).other
PRINTED = {t: d.pivot(index="row", columns="column", values="value") for t, d in other.groupby("table") if t.isdigit()}  # fmt: skip
SPANS = [f"{y}-{y + 1}" for y in YEARS[:-1]]


def printed(table: str, names: list[str]) -> pd.DataFrame:
    """A printed table by unit (or by year), the units in our order."""
    d = PRINTED[table]
    return d.loc[[next(k for k in d.index if k.startswith(name)) for name in names]]


CELLS = {
    axis: np.log(PRINTED[t].loc[SPANS, [paper.labels(t)[k] for k in names]].to_numpy())
    for axis, t, names in (("province", "4", PROVINCES), ("industry", "6", INDUSTRIES))
}
MEANS = {"province": np.log(printed("3", PROVINCES)), "industry": np.log(printed("5", INDUSTRIES))}
ANNUAL = np.log(PRINTED["2"].loc[SPANS])


# ------------------------------------------------------------------------------------------------------ distances
def distances(own: np.ndarray, ref: np.ndarray, variable: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Output distances of n units to the frontier of n, for t pairs of years, by all corners of the dual programme.

    The output that is possible is the smallest cost of the inputs at prices at which no unit of the reference makes a
    profit; prices that may be smallest are those at which two units (three under variable returns), or one and a price of
    nought, just break even.

    Parameters
    ----------
    own, ref : array, t x n x 3
        K, L, Y.
    variable : bool
        Variable returns to scale.

    Returns
    -------
    value : array, t x n
        log D.
    by_own : array, t x n x 3, and by_ref : array, t x n x n x 3
        Its derivatives by the logarithms of the unit's own values and of those of each unit of the reference.
    """
    t, n, _ = own.shape
    scale = np.exp(np.log(ref).mean(1, keepdims=True))
    own, ref = own / scale, ref / scale
    x, rows = own[..., :2], np.concatenate([ref[..., :2], np.broadcast_to(np.eye(2), (t, 2, 2))], 1)
    if variable:
        x = np.concatenate([x, np.ones((t, n, 1))], 2)
        rows = np.concatenate([rows, np.broadcast_to(np.r_[np.ones(n), 0, 0][:, None], (t, n + 2, 1))], 2)
    k = x.shape[2]
    y = np.concatenate([ref[..., 2], np.zeros((t, 2))], 1)
    corners = np.array([s for s in combinations(range(n + 2), k) if s[0] < n])
    A = rows[:, corners]
    flat = np.abs(np.linalg.det(A)) < 1e-12
    inverse = np.linalg.inv(np.where(flat[..., None, None], np.eye(k), A))
    prices = np.einsum("tsij,tsj->tsi", inverse, y[:, corners])
    good = ~flat & (np.einsum("tsi,tji->tsj", prices, rows) - y[:, None] > -1e-9).all(2)
    cost = np.where(good[:, None], np.einsum("tni,tsi->tns", x, prices), np.inf)
    best, at = cost.argmin(2), np.arange(t)[:, None]
    most = cost[at, np.arange(n), best]
    v, weights = prices[at, best][..., :2], np.zeros((t, n, n + 2))
    np.put_along_axis(weights, corners[best], np.einsum("tnij,tni->tnj", inverse[at, best], x), 2)
    weights = weights[..., :n] / most[..., None]
    by_own = np.concatenate([-v * own[..., :2] / most[..., None], np.ones((t, n, 1))], 2)
    by_inputs = v[:, :, None] * weights[..., None] * ref[:, None, :, :2]
    by_ref = np.concatenate([by_inputs, -(weights * ref[:, None, :, 2])[..., None]], 3)
    return np.log(own[..., 2] / most), by_own, by_ref


def indices(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of TFPCH, EFFCH, PECH of n units (3 x T-1 x n) and their derivatives (3 x T-1 x n x T x n x 3) by the
    logarithms of their values Z (T x n x 3)."""
    n, pairs = Z.shape[1], np.arange(T - 1)
    each = np.arange(n)

    def one(s: int, t: int, variable: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Data of the years s later than the first of a pair against the frontier of those t later."""
        value, by_own, by_ref = distances(Z[s : s + T - 1], Z[t : t + T - 1], variable)
        J = np.zeros((T - 1, n, T, n, 3))
        J[pairs[:, None], each, (pairs + s)[:, None], each] += by_own
        J[pairs, :, pairs + t] += by_ref
        return value, J

    before, after, ahead, behind = one(0, 0), one(1, 1), one(1, 0), one(0, 1)
    first, last = one(0, 0, True), one(1, 1, True)
    parts = [
        (0.5 * (ahead[i] - before[i] + after[i] - behind[i]), after[i] - before[i], last[i] - first[i])
        for i in (0, 1)
    ]
    return np.array(parts[0]), np.array(parts[1])


def gaps(C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Printed less reached, in logarithms, and what the reached ones gain from log C: TFPCH of Tables 4 and 6; EFFCH and PECH
    of Tables 3 and 5, and by year of Table 2. TECHCH and SECH follow."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for by, axis in AXES.items():
        Z = C.sum(axis)
        value, J = indices(Z)
        share = C / np.expand_dims(Z, axis)

        def add(gap: np.ndarray, J: np.ndarray, axis: int = axis, share: np.ndarray = share) -> None:
            cells = np.expand_dims(J, axis - 4) * share
            found.append((gap.ravel(), cells.reshape(gap.size, -1)))

        add(CELLS[by] - value[0], J[0])
        for q, name in ((1, "EFFCH"), (2, "PECH")):
            add(MEANS[by][name].to_numpy() - value[q].mean(0), J[q].mean(0))
            if by == "province":
                add(ANNUAL[name].to_numpy() - value[q].mean(1), J[q].mean(1))
    return np.concatenate([a for a, _ in found]), np.vstack([b for _, b in found])


# ------------------------------------------------------------------------------------------------------------- fit
SIZE = {"province": [0.17, 0.07, 0.08, 0.25, 0.25, 0.18], "industry": [0.14, 0.24, 0.02, 0.16, 0.24, 0.12, 0.08]}  # fmt: skip
"""Shares of 2002. Instruments (C41) are the smallest: under variable returns the smallest unit is on the frontier."""
INTENSITY = np.array([0.05, 0.25, -0.15, 0.0, 0.2, -0.05, -0.1])
BELOW = {"province": [0, -0.60, -0.35, -0.2, 0, -0.1], "industry": [0, 0, -0.38, 0, 0, 0, -0.05]}
"""Where the start of 2002 is below the frontier: units whose printed EFFCH is above 1."""
FASTER = {"province": [0.01, -0.005, 0.01, 0.01, -0.01, 0], "industry": [0, -0.02, -0.01, -0.01, 0.04, 0, 0]}
"""Growth of inputs: electronics (C40) and Henan overtake, since the largest unit is on that frontier too."""
TOTAL = {"K": 1800.0, "L": 2.0e6, "Y": 2800.0}
"""Of 2002: 100 million yuan, persons, 100 million yuan."""
WEIGHTS = np.array([0.5, 0.3, 1.0])
"""How readily growth of K, L and Y departs from the start."""
ROUNDS, CLOSE = 60, 3e-4


def spread_out(by: str, sizes: dict[str, list[float]]) -> np.ndarray:
    """One value a province or industry on the grid of cells."""
    return np.array(sizes[by])[:, None] if by == "province" else np.array(sizes[by])[None, :]


def start(rng: np.random.Generator) -> np.ndarray:
    """Plausible cells: shares of 2002, growth of inputs that slows down, output from the printed productivity."""
    share = np.log(spread_out("province", SIZE) * spread_out("industry", SIZE)) + rng.normal(0, 0.25, (6, 7))
    below = spread_out("province", BELOW) + spread_out("industry", BELOW) + rng.normal(0, 0.05, (6, 7))
    base = np.stack([share + 0.5 * INTENSITY, share - 0.5 * INTENSITY, share + below], -1)
    base += np.log(list(TOTAL.values()))

    def path(years: list[int], growth: list[float]) -> np.ndarray:
        return np.interp(YEARS[1:], years, growth)[:, None, None]

    faster = spread_out("province", FASTER) + spread_out("industry", FASTER)
    late = (YEARS[1:] >= 2018)[:, None, None] * np.array([-0.04, 0, 0, 0, 0.01, -0.04, 0])
    K = path([2003, 2011, 2016, 2022], [0.12, 0.12, 0.09, 0.05]) + faster + rng.normal(0, 0.02, (T - 1, 6, 7))
    L = path([2003, 2011, 2014, 2022], [0.055, 0.055, 0.015, -0.01]) + faster + late
    L = L + rng.normal(0, 0.015, (T - 1, 6, 7))
    falling = MEANS["province"]["EFFCH"].to_numpy()[:, None] + MEANS["industry"]["EFFCH"].to_numpy()
    both = (CELLS["province"][:, :, None] + CELLS["industry"][:, None, :]) / 2
    Y = both + np.minimum(falling, 0) + 0.5 * (K + L)
    return base + np.concatenate([np.zeros((1, 6, 7, 3)), np.cumsum(np.stack([K, L, Y], -1), 0)])


def steps(first: np.ndarray, gap: np.ndarray, J: np.ndarray, now: np.ndarray) -> Iterator[np.ndarray]:
    """Moves of the cells to try: to the least weighted departure of level and growth from `first` that closes the gaps to
    first order, more and more damped and shortened."""
    weight = np.broadcast_to(WEIGHTS, SHAPE).copy()
    weight[0] = 2.0  # the level of 2002
    w = weight.reshape(T, -1)
    back = (now - first).reshape(T, -1)
    back = np.diff(back, axis=0, prepend=0.0)
    G = np.cumsum(J.reshape(len(J), T, -1)[:, ::-1], 1)[:, ::-1].reshape(len(J), -1)
    A = (G * w.ravel()) @ G.T
    goal, size = gap + G @ back.ravel(), np.trace(A) / len(A)
    for damp in (1e-6, 1e-4, 1e-3, 1e-2):
        price = np.linalg.solve(A + damp * size * np.eye(len(A)), goal)
        step = np.cumsum(w * (price @ G).reshape(T, -1) - back, 0).reshape(SHAPE)
        for part in (1.0, 0.5, 0.25, 0.1):
            yield part * min(1.0, 0.6 / np.abs(step).max()) * step


def fit(first: np.ndarray) -> tuple[np.ndarray, float]:
    """Logarithms of the cells, and the largest gap that is left."""
    now = first
    gap, J = gaps(np.exp(now))
    for _ in range(ROUNDS):
        if np.abs(gap).max() < CLOSE:
            break
        for step in steps(first, gap, J, now):
            new, slope = gaps(np.exp(now + step))
            if (new**2).sum() < 0.999 * (gap**2).sum():
                now, gap, J = now + step, new, slope
                break
        else:
            break
    return now, float(np.abs(gap).max())
