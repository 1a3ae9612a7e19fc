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
from engine import Drawn, Paper, best_start, draw_fitted, report, told, write_all
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
    T, n = Z.shape[:2]
    pairs, each = np.arange(T - 1), np.arange(n)

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
SIZE = {"province": [0.20, 0.035, 0.075, 0.26, 0.25, 0.18], "industry": [0.14, 0.25, 0.02, 0.17, 0.22, 0.12, 0.08]}  # fmt: skip
"""Shares of 2002. Instruments (C41) are the smallest: under variable returns the smallest unit is on the frontier."""
INTENSITY = np.array([0.05, 0.25, -0.15, 0.0, 0.2, -0.05, -0.1])
BELOW = {"province": [0, -0.60, -0.35, -0.2, 0, -0.1], "industry": [0, 0, -0.38, 0, 0, 0, -0.05]}
"""Where the start of 2002 is below the frontier: units whose printed EFFCH is above 1."""
FASTER = {"province": [0.01, -0.005, 0.01, 0.01, -0.01, 0], "industry": [0, -0.02, -0.01, -0.01, 0.025, 0, 0]}
"""Growth of inputs: electronics (C40) and Henan overtake, since the largest unit is on that frontier too."""
TOTAL = {"K": 1800.0, "L": 2.0e6, "Y": 2800.0}
"""Of 2002: 100 million yuan, persons, 100 million yuan."""
WEIGHTS = np.array([0.25, 0.1, 1.0])
"""How readily growth of K, L and Y departs from the start."""
CAP = 0.4
"""A yearly change of a logarithm beyond it is held back more and more (not for ever: the print asks for some)."""
DRIFT = 1.4
"""How much of a printed EFFCH below 1 the start has: else its unit stays on the frontier."""
ROUNDS, CLOSE = 80, 3e-4


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
    Y = both + DRIFT * np.minimum(falling, 0) + 0.5 * (K + L)
    return base + np.concatenate([np.zeros((1, 6, 7, 3)), np.cumsum(np.stack([K, L, Y], -1), 0)])


def steps(J: np.ndarray, goal: np.ndarray, weight: np.ndarray, back: np.ndarray) -> Iterator[np.ndarray]:
    """Moves of the cells to try, more and more damped and shortened: the least weighted change of level and growth that
    closes `goal` to first order, after that which is taken `back`."""
    G = np.cumsum(J.reshape(len(J), T, -1)[:, ::-1], 1)[:, ::-1].reshape(len(J), -1)
    A = (G * weight.ravel()) @ G.T
    aim, size = goal + G @ back.ravel(), np.trace(A) / len(A)
    for damp in (1e-6, 1e-4, 1e-3, 1e-2):
        price = np.linalg.solve(A + damp * size * np.eye(len(A)), aim)
        step = np.cumsum(weight * (price @ G).reshape(T, -1) - back, 0).reshape(SHAPE)
        for part in (1.0, 0.5, 0.25, 0.1):
            yield part * min(1.0, 0.6 / np.abs(step).max()) * step


def fit(first: np.ndarray) -> tuple[np.ndarray, float]:
    """Logarithms of the cells, and the largest gap that is left.

    As long as it helps, each round goes to the least departure from `first`; then from where it stands.
    """
    weight = np.broadcast_to(WEIGHTS, SHAPE).copy()
    weight[0] = 2.0  # the level of 2002
    weight = weight.reshape(T, -1)
    least, now, near = 0.05 * weight, first, 1.0
    gap, J = gaps(np.exp(now))
    for _ in range(ROUNDS):
        if np.abs(gap).max() < CLOSE:
            break
        back = near * np.diff((now - first).reshape(T, -1), axis=0, prepend=0.0)
        for step in steps(J, gap, weight, back):
            new, slope = gaps(np.exp(now + step))
            if (new**2).sum() < 0.999 * (gap**2).sum():
                now, gap, J = now + step, new, slope
                break
        else:
            if not near:
                break
            near = 0.0
        growth = np.diff(now.reshape(T, -1), axis=0, prepend=now.reshape(T, -1)[:1])
        weight = np.where(np.abs(growth) > CAP, np.maximum(weight / 2, least), weight)
    return now, float(np.abs(gap).max())


# ------------------------------------------------------------------------------------------------------ raw columns
NAMES = {
    "C34": ("metal products", "金属制品业"),
    "C35": ("general-purpose equipment", "通用设备制造业"),
    "C36": ("special-purpose equipment", "专用设备制造业"),
    "C37": ("transport equipment", "交通运输设备制造业"),
    "C39": ("electrical machinery", "电气机械及器材制造业"),
    "C40": ("electronic equipment", "通信设备、计算机及其他电子设备制造业"),
    "C41": ("instruments", "仪器仪表及文化、办公用机械制造业"),
}
SPLIT = {"motor vehicles": "汽车制造业", "rail, ship and air": "铁路、船舶、航空航天和其他运输设备制造业"}
FROM = 2012
"""First year in which transport equipment is listed as two series."""
ASSETS = "102.0 105.5 101.6 101.5 103.9 108.9 97.6 103.6 106.6 101.1 100.3 100.5 98.2 99.4 105.8 105.4 102.6 100.9 104.0 101.5"  # fmt: skip
OUTPUT = "100.8 103.2 101.5 100.9 101.6 104.0 96.5 102.0 102.8 99.0 98.9 99.0 98.0 98.9 101.9 101.2 99.6 99.3 103.2 100.4"
"""Prices, the year before = 100, as they may have been: rounded general knowledge. Provinces and industries differ from it by
chance, industries also in trend."""
TREND = {"C34": 0.8, "C35": 0.0, "C36": 0.2, "C37": -0.8, "C39": 0.3, "C40": -2.0, "C41": -0.6}
VALUE = {"C34": 0.25, "C35": 0.28, "C36": 0.29, "C37": 0.26, "C39": 0.25, "C40": 0.24, "C41": 0.31}
"""Value added in revenue in 2002, and in the shipped world ever after."""
ASSEMBLY = {"C34": 0.04, "C35": 0.04, "C36": 0.045, "C37": 0.05, "C39": 0.045, "C40": 0.07, "C41": 0.03}
"""Yearly fall of its logarithm in the rival world: more and more is bought in."""
DEPRECIATION = 0.08


def prices(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Price indices, the year before = 100, one decimal: of assets (T x 6) and of output (T x 7); 100 in 2002."""
    out = []
    for text, trend in ((ASSETS, np.zeros(6)), (OUTPUT, np.array([TREND[k] for k in INDUSTRIES]))):
        common = np.array(text.split(), float)[:, None]
        moved = common + trend + 0.5 * ar1(rng, (len(trend), T - 1), 0.3).T
        out.append(np.round(np.vstack([np.full(len(trend), 100.0), moved]), 1))
    return out[0], out[1]


def invested(K: np.ndarray) -> np.ndarray:
    """Investment at constant prices that keeps up a smooth stock beside the jumping book values (T x cells)."""
    log, window = np.log(K), np.ones(7) / 7
    ends = np.vstack([np.repeat(log[:1], 3, 0), log, np.repeat(log[-1:], 3, 0)])
    stock = np.exp(np.stack([np.convolve(x, window, "valid") for x in ends.T], 1))
    growth = np.vstack([stock[1:2] / stock[:1], stock[1:] / stock[:-1]]) - 1
    return stock * np.maximum(growth + DEPRECIATION, 0.02) / (1 + growth)


def raw(c: np.ndarray, rng: np.random.Generator, assembly: bool) -> pd.DataFrame:
    """The panel: one row a series and year; where transport is split, its cell is the sum of two."""
    assets, output = prices(rng)
    real = np.exp(c)
    wobble = 0.03 * ar1(rng, (42, T), 0.7).reshape(6, 7, T).transpose(2, 0, 1)
    share = np.array([VALUE[k] for k in INDUSTRIES]) * np.exp(wobble)
    fall = np.array([ASSEMBLY[k] for k in INDUSTRIES]) * (YEARS - YEARS[0])[:, None]
    share = share * np.exp(-fall[:, None, :]) if assembly else share
    pk, py = ((p / 100).cumprod(0) for p in (assets, output))
    cars = np.clip(0.72 + 0.08 * ar1(rng, (6 * 3, T), 0.9).reshape(6, 3, T), 0.3, 0.92)  # of K, L, Y
    put_in = invested(real[..., 0].reshape(T, -1)).reshape(T, 6, 7) * pk[:, :, None]
    u = units("province").reset_index().set_index("name_en")
    rows = []
    for p, province in enumerate(PROVINCES):
        for i in np.argsort(INDUSTRIES):
            industry = INDUSTRIES[i]
            for t, year in enumerate(YEARS):
                K, L, Y = real[t, p, i] * (pk[t, p], 1.0, py[t, i])
                parts = {NAMES[industry]: np.ones(3)}
                if industry == "C37" and year >= FROM:
                    one = cars[p, :, t]
                    parts = dict(zip(SPLIT.items(), (one, 1 - one), strict=True))
                for (name, zh), of in parts.items():
                    k, staff, y = np.round(K * of[0], 4), round(L * of[1]), np.round(Y * of[2], 4)
                    value = np.round(y * share[t, p, i], 4)
                    rest = (value, y - value, put_in[t, p, i] * of[0])
                    where = (f"{province}: {name}", province, industry, name, zh, year)
                    rows.append((*where, k, staff, y, assets[t, p], output[t, i], *np.round(rest, 4)))
    d = pd.DataFrame(rows, columns=[k for k in DICTIONARY if k not in ("code", "province_zh")])
    d.insert(0, "code", d["province"].map(u["code"]).astype(int))
    d.insert(3, "province_zh", d["province"].map(u["name_zh"]))
    return d[list(DICTIONARY)]


DICTIONARY = {
    "code": ("six-digit code of the province", "省级代码", "", "key", 100000, 999999, "", "GB/T 2260; as in data/geo/units.csv"),
    "series": ("series: province and industry as listed", "序列", "", "key", "", "", "", ""),
    "province": ("province", "省份", "", "group", "", "", "", "unique English name as in data/geo/units.csv"),
    "province_zh": ("province (Chinese)", "省份（中文）", "", "group", "", "", "", ""),
    "industry": ("industry, GB/T 4754-2002", "行业代码", "", "group", "", "", "", "C37 from 2012 on is the sum of two series"),
    "listed_as": ("industry as the yearbook of the year lists it", "行业名称（英文）", "", "group", "", "", "", ""),
    "listed_as_zh": ("the same, Chinese", "行业名称", "", "group", "", "", "", ""),
    "year": ("year", "年份", "", "key", 1978, 2100, "", ""),
    "net_fixed_assets": ("net value of fixed assets", "固定资产净值", "100 million yuan", "input", 0.0001, "", "net value of fixed assets at 2002 prices", "current prices; a book value, not a stock"),
    "employment": ("average number of all employees", "全部从业人员年平均人数", "persons", "input", 1, "", "average yearly number of all persons employed in the industry", ""),
    "revenue": ("main-business revenue", "主营业务收入", "100 million yuan", "output", 0.0001, "", "main-business revenue at 2002 prices", "current prices; not value added"),
    "investment_prices": ("price index of fixed-asset investment, year before = 100", "固定资产投资价格指数", "year before = 100", "price", 50, 200, "", "by province; our choice, no longer published for the last years; 100 in 2002, the base"),
    "producer_prices": ("ex-factory producer price index, year before = 100", "工业生产者出厂价格指数", "year before = 100", "price", 50, 200, "", "by industry; our choice; 100 in 2002, the base"),
    "value_added": ("industrial value added", "工业增加值", "100 million yuan", "output, optional", 0.0001, "", "", "current prices; not in the paper, made by us: the worlds differ here"),
    "intermediate_inputs": ("intermediate inputs", "中间投入", "100 million yuan", "input, optional", 0, "", "", "revenue less value added"),
    "investment": ("investment in fixed assets", "固定资产投资", "100 million yuan", "input, optional", 0, "", "", "current prices; not in the paper, made by us: keeps up a smooth stock at a depreciation of 8 %"),
}  # fmt: skip
PAPER = Paper(
    SLUG,
    ("series", "year"),
    paper.TABLES,
    lambda rng: ({}, {}),
    {},
    worlds={"assembly": {"assembly": True}},
    dictionary=DICTIONARY,
)
SEED = 11
"""Of the shipped files: the first start closes every cell; others may end in a kink and start again."""


def targets(data: pd.DataFrame) -> pd.DataFrame:
    """Tables 2 to 6 as printed and as the file gives them: all imposed."""
    return report(
        told(
            *(
                (table, column, row, PRINTED[table].loc[row, column], value, 0.002)
                for table, found in paper.printed_tables(data).items()
                for (row, column), value in found.stack().items()
            )
        )
    )


def draw(seed: int = SEED) -> dict[str, Drawn]:
    """The panel and its rival from one fit."""

    def found(rng: np.random.Generator) -> tuple[tuple[np.ndarray, float], int]:
        cells, left = fit(start(rng))
        return (cells, left), int((np.abs(gaps(np.exp(cells))[0]) > 0.0018).sum())

    def make(given: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
        table = raw(cells, np.random.default_rng([seed, 1]), bool(given))
        data = paper.prepare(table.set_index(["series", "year"]))
        more = {"process": PROCESS, "elasticity": paper.SHARE, "true_change": paper.true_change(data)}
        return table, targets(data), more | {"largest_gap": left}

    with threadpool_limits(1):
        cells, left = best_start(found, seed, enough=8)
        return draw_fitted(PAPER, seed, make)


PROCESS = (
    "value added = A(industry, year) E(cell, year) K^0.5 L^0.5, E at most 1; revenue is value added over its share, which "
    "is about constant in the shipped world and falls in the world assembly"
)


def write(folder: Path | str) -> None:
    """Write the panel, its dictionary, its rival world and their truths."""
    write_all(draw(), folder)
