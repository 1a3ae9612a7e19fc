"""digital-agriculture (Bi and Zhao 2025): 31 provinces x 2013-2022 whose fuzzy sets give Tables 3 to 5.

The truth-table rows come first: ten provinces in the printed terms, 21 in rows that leave the printed core marks as the only
parsimonious solution. Then 31 x 9 raw values, each on its side of its crossover, by least squares on the printed numbers:
64 of Table 4, 20 of Table 5, means and standard deviations of Table 3. Last the indicators, inputs and output behind them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from engine import Drawn, Paper, best_start, draw_fitted, report, told, write_all
from scipy.optimize import least_squares
from threadpoolctl import threadpool_limits

from regionbook.data import published
from regionbook.geo import units
from regionbook.models import dea, qca
from regionbook.papers import digital_agriculture as paper
from regionbook.papers.redraw import ar1

SLUG = paper.SLUG
YEARS = np.arange(paper.FIRST, paper.LAST + 1)
N, T, K = 31, len(YEARS), len(paper.CONDITIONS)
NAMES = [*paper.CONDITIONS, paper.OUTCOME]
PRINTED = published(SLUG)
MOMENTS = PRINTED.descriptives.set_index("variable").loc[NAMES]
ANCHOR = np.array([paper.anchors()[k] for k in NAMES])
"""9 x 3."""
LITERAL = {"": 1, "~": 0}


def vector(term: str) -> np.ndarray:
    """A term as -1 (free), 0, 1 for each condition."""
    there = {k.removeprefix("~"): LITERAL["~" if k.startswith("~") else ""] for k in term.split("*")}
    return np.array([there.get(k, -1) for k in paper.CONDITIONS], np.int8)


TERMS = np.array([vector(t) for t in paper.printed_terms().values()])
CORE = np.array([vector(t) for t in paper.core_terms()])
FIVE = PRINTED.other.query("table == '5' and value == value").set_index(["column", "row"])["value"]
FIT = np.array([[FIVE[h, k] for k in ("consistency / 一致性", "raw coverage / 原始覆盖度", "unique coverage / 唯一覆盖度")] for h in paper.printed_terms()])  # fmt: skip
WHOLE = np.array(
    [FIVE["all", "solution consistency / 解的一致性"], FIVE["all", "solution coverage / 解的覆盖性"]]
)
FOUR = PRINTED.other.query("table == '4'").pivot(index="row", columns="column", values="value")
FOUR = FOUR.loc[[s + k for k in paper.CONDITIONS for s in ("", "~")]]
FOUR = FOUR[[f"{o} TFP: {m}" for o in ("high", "low") for m in ("consistency", "coverage")]].to_numpy()

# ------------------------------------------------------------------------------------------------ truth-table rows
POSITIVE = np.array(
    [[1] * 8, [1] * 8, [1, 1, 1, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 0, 1, 1], [1, 1, 1, 0, 0, 1, 1, 1], [1, 1, 0, 0, 0, 1, 1, 1],
     *TERMS[3:4], *TERMS[4:5], *TERMS[4:5], *TERMS[5:6]]
)  # fmt: skip
"""Rows of ten provinces: two that are in H1 and H2, one in each alone, two in H3 so that C is free, one, two and one in the rest."""
RESIDUE = 21
HIGH = 5
"""Provinces with a high outcome and no printed path."""


def corners(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows (31 x 8) and whether the outcome is high: the negative ones are drawn until the printed core terms are the only
    parsimonious solution; rivals that cover many sufficient rows weigh most, and the totals of the conditions stay near a half.
    """
    terms, inside, _ = qca._grid(K)
    power = 2 ** np.arange(K - 1, -1, -1)
    on = np.unique(POSITIVE @ power)
    rows = (np.arange(2**K)[:, None] // power) % 2
    core = terms[[int((c + 1) @ 3 ** np.arange(K - 1, -1, -1)) for c in CORE]]
    free = np.flatnonzero(~inside[(core + 1) @ 3 ** np.arange(K - 1, -1, -1)].any(0))
    within = ((core[:, None] == -1) | (core[:, None] == terms[None])).all(2).any(0)
    rival = inside[:, on].any(1) & ~within
    weight, hits = inside[rival][:, on].sum(1) ** 2.0, inside[rival]
    need = np.where(MOMENTS_OF_SETS < 0.48, 15, 16) - POSITIVE.sum(0)

    def cost(at: np.ndarray) -> float:
        return float(weight[~hits[:, at].any(1)].sum() + 4 * np.abs(rows[at].sum(0) - need).sum())

    wanted = sorted(map(tuple, CORE.tolist()))
    for _ in range(200):
        at = rng.choice(free, RESIDUE, replace=False)
        c, heat = cost(at), 60.0
        for _ in range(1500):
            new = at.copy()
            new[rng.integers(RESIDUE)] = rng.choice(free)
            d = cost(new)
            if len(set(new)) == RESIDUE and (d < c or rng.random() < np.exp((c - d) / heat)):
                at, c = new, d
            heat *= 0.995
        states = np.full(2**K, -1)
        states[at], states[on] = 0, 1
        models, _ = qca._models(states, states == -1, K)
        if len(models) == 1 and sorted(map(tuple, terms[models[0]].tolist())) == wanted:
            break
    else:
        raise RuntimeError(
            "no rows leave the printed core marks as the only parsimonious solution: take another seed"
        )
    high = np.zeros(N, bool)
    high[: len(POSITIVE)] = True
    high[len(POSITIVE) + rng.choice(RESIDUE, HIGH, replace=False)] = True
    return np.vstack([POSITIVE, rows[at]]), high


def _sums() -> np.ndarray:
    """Mean memberships that Table 4 implies: coverage and consistency have the same numerator."""
    high = FOUR[::2, 0] / FOUR[::2, 1], FOUR[1::2, 0] / FOUR[1::2, 1]
    return high[0] / (high[0] + high[1])


MOMENTS_OF_SETS = _sums()


# ------------------------------------------------------------------------------------------------------------- fit
EDGE = 0.02
"""Least distance of a membership from one half."""
BELOW, ABOVE = 0.63, 0.69
"""Largest consistency of a row that is not sufficient; least of one that is (H5 apart: it is printed lower)."""
STRONG = [0, 2, 3, 4, 5, 6, 9]
"""Sufficient rows but for H5."""
EFFICIENT = 9
"""Provinces with Y = 1, the upper anchor and the maximum."""
SOFT = [0.2, 0.05, 0.01, 0.0]
"""Width over which the smaller of two memberships is rounded, from round to round."""
COUNTED = paper.CONDITIONS.index("S")


def memberships(x: np.ndarray) -> np.ndarray:
    """Sets of raw values (... x 31 x 9)."""
    low, cross, full = ANCHOR.T
    d = x - cross
    return 1 / (1 + np.exp(-3 * np.where(d >= 0, d / (full - cross), d / (cross - low))))


def raw_values(m: np.ndarray) -> np.ndarray:
    """The inverse of `memberships`."""
    low, cross, full = ANCHOR.T
    z = np.log(m / (1 - m)) / 3
    return cross + np.where(z >= 0, z * (full - cross), z * (cross - low))


def lesser(a: np.ndarray, b: np.ndarray, soft: float) -> np.ndarray:
    """The smaller of two values, rounded where they are near each other."""
    return np.minimum(a, b) if not soft else (a + b - np.sqrt((a - b) ** 2 + soft**2) + soft) / 2


def inside(F: np.ndarray, terms: np.ndarray, soft: float = 0.0) -> np.ndarray:
    """Memberships (... x terms x cases) of cases F (... x cases x 8) in terms."""
    cases, t = F[..., None, :, :], terms[:, None, :]
    literal = np.where(t == 1, cases, np.where(t == 0, 1 - cases, 1.0))
    if not soft:
        return literal.min(-1)
    return -soft / 2 * np.log(np.exp(-2 * literal / soft).sum(-1))


def numbers(m: np.ndarray, soft: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Table 4 (... x 16 x 4), Table 5 (... x 6 x 3) and the solution (... x 2) from memberships (... x 31 x 9)."""
    F, y = m[..., :K], m[..., K]
    X = np.stack([F, 1 - F], -1).reshape(*F.shape[:-1], 2 * K)
    four = []
    for o in (y, 1 - y):
        xy = lesser(X, o[..., None], soft).sum(-2)
        four += [xy / o.sum(-1)[..., None], xy / X.sum(-2)]
    H, o = inside(F, TERMS), y[..., None, :]
    total = y.sum(-1)
    xy, joint = lesser(H, o, soft).sum(-1), lesser(H.max(-2), y, soft).sum(-1)
    rest = np.stack([lesser(np.delete(H, k, -2).max(-2), y, soft).sum(-1) for k in range(len(TERMS))], -1)
    five = np.stack([xy / H.sum(-1), xy / total[..., None], (joint[..., None] - rest) / total[..., None]], -1)
    whole = np.stack([joint / H.max(-2).sum(-1), joint / total], -1)
    return np.stack(four, -1), five, whole


def residuals(m: np.ndarray, rows: np.ndarray, soft: float = 0.0) -> np.ndarray:
    """What the fit makes small (... x R): reached less printed, rows on the wrong side of the cut-off."""
    four, five, whole = numbers(m, soft)
    H, y = inside(m[..., :K], rows), m[..., None, :, K]
    consistency = np.minimum(H, y).sum(-1) / H.sum(-1)
    wrong = (
        np.maximum(consistency[..., len(POSITIVE) :] - BELOW, 0),
        np.maximum(ABOVE - consistency[..., STRONG], 0),
    )
    flat = (
        (1.0 * (four - FOUR)).reshape(*m.shape[:-2], -1),
        ((five - FIT) * np.minimum(0.1 / FIT, 3)).reshape(*m.shape[:-2], -1),
    )
    return np.concatenate([*flat, 1.5 * (whole - WHOLE), *wrong], -1)


def moments(x: np.ndarray) -> np.ndarray:
    """Means and standard deviations over the printed ones, less one (... x 18)."""
    return (
        np.concatenate(
            [x.mean(-2) / MOMENTS["mean"].to_numpy(), x.std(-2, ddof=1) / MOMENTS["sd"].to_numpy()], -1
        )
        - 1
    )


def least(
    f: Any,
    x: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    moves: np.ndarray,
    scale: np.ndarray,
    tries: int,
) -> np.ndarray:
    """Least squares over the cells that move, the derivative by differences of all cells at once."""

    def point(z: np.ndarray) -> np.ndarray:
        out = np.broadcast_to(x, (*z.shape[:-1], *x.shape)).copy()
        out[..., moves] = z * scale[moves]
        return out

    def slope(z: np.ndarray) -> np.ndarray:
        step = np.where(z + 1e-6 < high, 1e-6, -1e-6)
        return ((f(point(z + np.diag(step))) - f(point(z))) / step[:, None]).T

    low, high = lower[moves] / scale[moves] - 1e-9, upper[moves] / scale[moves] + 1e-9
    start = np.clip(x[moves] / scale[moves], low + 1e-9, high - 1e-9)
    return point(least_squares(lambda z: f(point(z)), start, slope, (low, high), max_nfev=tries, xtol=1e-9).x)


def stretch(x: np.ndarray, moves: np.ndarray) -> None:
    """Bring the farthest values to the ends of the printed range and what lies beyond the outer anchors to the printed standard
    deviation: memberships hardly change there."""
    low, _, full = ANCHOR.T
    for j, (least, most, sd) in enumerate(MOMENTS[["min", "max", "sd"]].to_numpy()):
        first, last = x[:, j].argmin(), np.where(moves[:, j], x[:, j], -np.inf).argmax()
        keep = x[:, j].copy()
        keep[first] = least
        moves[first, j] = False
        if j < K:
            keep[last], moves[last, j] = most, False

        def wide(
            k: float, keep: np.ndarray = keep, ends: tuple = (low[j], full[j], least, most), j: int = j
        ) -> np.ndarray:
            low, full, least, most = ends
            up = np.where(keep > full, np.minimum(full + k * (keep - full), 0.95 * most), keep)
            return np.where(
                moves[:, j],
                np.where((keep < low) & (j == COUNTED), np.maximum(low - k * (low - keep), 1.05 * least), up),
                keep,
            )

        grid = np.linspace(0, 40, 4001)
        best = min(grid, key=lambda k: abs(wide(k).std(ddof=1) / sd - 1))
        x[:, j] = wide(best)


def fit(rng: np.random.Generator, seed: int = 78, tries: int = 60) -> tuple[np.ndarray, np.ndarray, float]:
    """Raw values (31 x 9), rows and the largest gap to Tables 4 and 5. S is a mean of nine whole numbers: fixed half-way."""
    rows, high = corners(np.random.default_rng(seed))
    low, cross, full = ANCHOR.T
    side = np.column_stack([rows == 1, high])
    ends = memberships(MOMENTS[["min", "max"]].to_numpy().T)
    lower, upper = (
        np.where(side, 0.5 + EDGE, np.maximum(ends[0], 5e-4)),
        np.where(side, np.minimum(ends[1], 1 - 5e-4), 0.5 - EDGE),
    )
    step = 1 / (1 + np.exp(-1 / 3))
    lower[:, COUNTED] = np.where(side[:, COUNTED], step, lower[:, COUNTED])
    upper[:, COUNTED] = np.where(side[:, COUNTED], upper[:, COUNTED], 1 - step)
    m = lower + (upper - lower) * rng.uniform(0.25, 0.75, lower.shape)
    best = np.flatnonzero(high)[np.r_[0, 2, 3, 4, 5, 6, len(POSITIVE) : len(POSITIVE) + HIGH]][:EFFICIENT]
    moves, flat = np.ones(m.shape, bool), np.ones(m.shape)
    moves[best, K], m[best, K] = False, ends[1, K]
    for soft in SOFT:
        m = least(lambda q, soft=soft: residuals(q, rows, soft), m, lower, upper, moves, flat, tries)
    x = raw_values(np.clip(m, 1e-9, 1 - 1e-9))
    x[best, K] = 1.0
    lo, hi = raw_values(np.clip(lower, 1e-9, 1 - 1e-9)), raw_values(np.clip(upper, 1e-9, 1 - 1e-9))
    lo, hi = np.where(side, lo, MOMENTS["min"].to_numpy()), np.where(side, MOMENTS["max"].to_numpy(), hi)
    stretch(x, moves)
    x[:, COUNTED] = np.round(9 * x[:, COUNTED]) / 9
    moves[:, COUNTED] = False
    scale = np.broadcast_to((full - low) / 6, x.shape)
    for weight in (0.02, 0.05, 0.05):
        x = least(
            lambda q, w=weight: np.concatenate([residuals(memberships(q), rows), w * moments(q)], -1),
            x,
            lo,
            hi,
            moves,
            scale,
            tries,
        )
    four, five, whole = numbers(memberships(x))
    return (
        x,
        rows,
        float(max(np.abs(four - FOUR).max(), np.abs(five - FIT).max(), np.abs(whole - WHOLE).max())),
    )


# ---------------------------------------------------------------------------------------------------- raw columns
BY_INCOME = "Beijing Shanghai Jiangsu Tianjin Zhejiang Fujian Guangdong Inner_Mongolia Hubei Chongqing Shandong Shaanxi Anhui Hunan Liaoning Ningxia Xinjiang Sichuan Jiangxi Hainan Henan Jilin Shanxi Yunnan Qinghai Tibet Hebei Guizhou Guangxi Heilongjiang Gansu"
"""Provinces from rich to poor, roughly: they get the cases in the order of E."""
SOWN = {
    "Beijing": 100, "Tianjin": 430, "Hebei": 8200, "Shanxi": 3600, "Inner Mongolia": 8800, "Liaoning": 4200, "Jilin": 6100,
    "Heilongjiang": 14800, "Shanghai": 280, "Jiangsu": 7500, "Zhejiang": 2000, "Anhui": 8800, "Fujian": 1600, "Jiangxi": 5600,
    "Shandong": 10900, "Henan": 14700, "Hubei": 7900, "Hunan": 8300, "Guangdong": 4400, "Guangxi": 6100, "Hainan": 700,
    "Chongqing": 3400, "Sichuan": 9700, "Guizhou": 5500, "Yunnan": 6900, "Tibet": 270, "Shaanxi": 4200, "Gansu": 3800,
    "Qinghai": 560, "Ningxia": 1170, "Xinjiang": 6200,
}  # fmt: skip
"""Thousand hectares, rounded general knowledge: a starting point only."""
PER_HECTARE = {"land": 1, "labour": 0.14, "machinery": 6.2, "fertiliser": 330, "electricity": 0.055, "irrigation": 0.42, "pesticide": 9, "film": 14}  # fmt: skip
SHARE = {"land": 0.2, "labour": 0.2, "machinery": 0.1, "fertiliser": 0.15, "electricity": 0.1, "irrigation": 0.1, "pesticide": 0.075, "film": 0.075}  # fmt: skip
"""Elasticities of output: they add up to one, our choice."""
PER_LAND = 0.75
"""Output of an efficient province, 100 million yuan at prices of 2013 for a thousand hectares."""
PRICES = "0 1.5 1.8 2.2 0.4 1.6 6.5 4.8 0.6 1.5"
GROWTH = {"E": 0.06, "A": 0.0, "S": 0.0}
GROWING = 0.05
"""Yearly growth of all other conditions."""
BETA = 0.4
"""By how much log output rises a year after membership in the six configurations has gone from 0 to 1."""


def spread(
    rng: np.random.Generator, mean: np.ndarray, growth: float, noise: float, window: slice
) -> np.ndarray:
    """Yearly values (31 x 10) whose means over the window are given."""
    path = np.exp(growth * np.arange(T) + noise * ar1(rng, (N, T), 0.6))
    return path * (mean / path[:, window].mean(1))[:, None]


def counts(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Whole numbers a year whose first nine have the given sum over nine."""
    path = np.clip(mean[:, None] + 0.9 * ar1(rng, (N, T), 0.4), 3, 14)
    whole = np.round(path)
    for i, total in enumerate(np.round(9 * mean)):
        while (off := total - whole[i, :-1].sum()) != 0:
            t = np.argmax(np.sign(off) * (path[i, :-1] - whole[i, :-1]))
            whole[i, t] += np.sign(off)
    return whole.astype(int)


def conditions(rng: np.random.Generator, x: np.ndarray) -> dict[str, np.ndarray]:
    """The indicators (31 x 10 each): nine-year means of the conditions are those of the fit."""
    early, out = slice(0, T - 1), {}
    value = dict(zip(NAMES, x.T, strict=True))
    for k, goals in paper.GOALS.items():
        last = list(goals)[1]  # takes up the rounding of the others
        share = np.exp(
            rng.normal(
                0,
                [0.08 if n in ("phones", "finance_index", "transport_spending") else 0.3 for n in goals],
                (N, len(goals)),
            )
        )
        share *= (value[k] / 100 / share.mean(1))[:, None]
        for j, (n, goal) in enumerate(goals.items()):
            out[n] = np.round(spread(rng, share[:, j] * goal, GROWING, 0.05, early), DIGITS.get(n, 2))
        made = sum(out[n][:, early].mean(1) / g for n, g in goals.items()) * 100 / len(goals)
        out[last] = np.round(out[last] + ((value[k] - made) * len(goals) / 100 * goals[last])[:, None], 4)
    for k, n in paper.SINGLE.items():
        if k == "S":
            out[n] = counts(rng, value[k])
        elif k == "A":
            out[n] = np.round(100 - spread(rng, 100 - value[k], 0, 0.1, early), 3)
        else:
            out[n] = np.round(
                spread(rng, value[k], GROWTH.get(k, GROWING), 0.02 if k == "E" else 0.1, early), 3
            )
    return out


DIGITS = {"phones": 1, "cable": 0, "delivery": 0, "taobao": 0, "transport_spending": 0}


def inputs(rng: np.random.Generator, names: list[str]) -> dict[str, np.ndarray]:
    """The eight inputs (31 x 10 each)."""
    land, out = np.array([SOWN[k] for k in names], float), {}
    for n, each in PER_HECTARE.items():
        size = land * each * np.exp(rng.normal(0, 0 if n == "land" else 0.3, N))
        trend = {"labour": -0.03, "fertiliser": -0.02, "pesticide": -0.03, "electricity": 0.03}.get(n, 0.01)
        out[n] = np.round(spread(rng, size, trend, 0.02, slice(1, T)), 3)
    return out


def potential(means: pd.DataFrame, score: np.ndarray) -> np.ndarray:
    """Mean output that gives each province its score: the efficient ones make what a Cobb-Douglas function says, so that none
    lies below a mix of the others; the rest a share of what a mix of these could make."""
    log = sum(a * np.log(means[n] / PER_HECTARE[n]) for n, a in SHARE.items())
    best = score == 1
    output = np.where(best, PER_LAND * np.exp(log), 1e-3)
    found = dea(means.assign(output=output), paper.INPUTS, ["output"])
    return np.where(best, output, score * output * found.score)


def table(x: np.ndarray, seed: int, beta: float) -> pd.DataFrame:
    """The panel of a world: conditions and inputs are those of all worlds."""
    rng = np.random.default_rng([seed, 1])
    order = np.argsort(-x[:, paper.CONDITIONS.index("E")])
    names = [n.replace("_", " ") for n in BY_INCOME.split()]
    x = x[order]
    made = conditions(rng, x) | inputs(rng, names)
    u = units("province").reset_index().set_index("name_en").loc[names]
    at = {"province": np.repeat(names, T), "year": np.tile(YEARS, N)}
    d = pd.DataFrame(at | {k: v.ravel() for k, v in made.items()})
    d["price_level"] = np.tile(np.round(np.exp(np.cumsum(np.array(PRICES.split(), float)) / 100), 4), N)
    for k, values in {
        "code": u["code"].astype(int),
        "province_zh": u["name_zh"],
        "region": u["region4"],
    }.items():
        d[k] = np.repeat(values.to_numpy(), T)
    late = d[d["year"] > paper.FIRST].groupby("province", sort=False)[paper.INPUTS].mean()
    mean = potential(late, x[:, K])
    indexed = paper.prepare(d.assign(value_added=1.0).set_index(["province", "year"]))
    member = paper.by_year(indexed)["member"].to_numpy().reshape(N, T)
    before = np.column_stack([member[:, :1], member[:, :-1]])
    used = sum(a * np.log(made[n]) for n, a in SHARE.items())
    path = np.exp(
        used
        + 0.02 * np.arange(T)
        + beta * before
        + NOISE * ar1(np.random.default_rng([seed, PATH]), (N, T), 0.5)
    )
    real = path * (mean / path[:, 1:].mean(1))[:, None]
    d["value_added"] = np.round(real.ravel() * d["price_level"], 4)
    place = u["code"].astype(int).to_dict()
    return d.sort_values("province", key=lambda k: k.map(place), kind="stable")[list(DICTIONARY)].reset_index(
        drop=True
    )


NOISE, PATH = 0.04, 3
"""Spread of yearly noise in log output, and its seed."""

DICTIONARY = {
    "code": ("six-digit code of the province", "省级代码", "", "key", 100000, 999999, "", "GB/T 2260; as in data/geo/units.csv"),
    "province": ("province", "省份", "", "key", "", "", "", "unique English name as in data/geo/units.csv"),
    "province_zh": ("province (Chinese)", "省份（中文）", "", "key", "", "", "", ""),
    "region": ("region: East, Central, West, Northeast", "地区", "", "group", "", "", "", "not in the paper's analysis"),
    "year": ("year", "年份", "", "key", 1990, 2100, "", "conditions of the first nine, outcome of the last nine"),
    "phones": ("rural mobile phones per hundred households, year end", "农村每百户年末移动电话拥有量", "per 100 households", "indicator", 0.1, "", "rural mobile-phone ownership per million households, year end", "the print says million; C1"),
    "it_investment": ("fixed-asset investment in information transmission and software", "信息传输、软件业固定资产投资", "100 million yuan", "indicator", 0.0001, "", "fixed-asset investment in information transmission and software services", "C2"),
    "cable": ("length of long-distance optical cable", "长途光缆线路长度", "km", "indicator", 1, "", "length of long-distance optical cable", "C3"),
    "it_use": ("application rate of information technology in farming", "农业生产信息技术应用率", "%", "indicator", 0.01, 100, "application rate of information technology in crops, protected cultivation, livestock and aquaculture", "DA1"),
    "traceability": ("digital traceability of quality and safety", "质量安全追溯信息化水平", "%", "indicator", 0.01, 100, "level of digital quality-and-safety traceability in the same four branches", "DA2"),
    "delivery": ("length of rural delivery routes", "农村投递路线长度", "km", "indicator", 1, "", "length of rural delivery routes (resident population of the region)", "DM1"),
    "finance_index": ("rural digital inclusive finance index", "农村数字普惠金融指数", "", "indicator", 0.01, "", "rural digital inclusive finance index", "DM2"),
    "taobao": ("Taobao villages", "淘宝村数量", "villages", "indicator", 0, "", "number of Taobao villages in the year", "DM3"),
    "transport_spending": ("rural spending per head on transport and communication", "农村居民人均交通通信支出", "yuan", "indicator", 1, "", "rural per-capita spending on transport and communication", "DM4"),
    "online_sales": ("online sales of farm products", "农产品网上交易额", "100 million yuan", "indicator", 0.01, "", "online sales of farm products", "DM5"),
    "fiscal": ("county fiscal spending on rural digital development per rural resident", "县域财政投入（人均）", "yuan", "indicator", 0.01, "", "county fiscal spending on rural digital development per rural resident", "G; the print says 10,000 yuan"),
    "agencies": ("governments with an agency for rural informatisation", "信息化管理服务机构覆盖率", "%", "indicator", 1, 100, "whether (what share of) governments have an agency for rural informatisation", "A"),
    "keywords": ("keywords of the rural digital economy in the government work report", "政府工作报告关键词词频", "count", "indicator", 0, "", "count of rural digital-economy keywords in the government work report of the year", "S"),
    "gdp_per_head": ("GDP per head", "人均地区生产总值", "yuan", "indicator", 1, "", "GDP per head of the year", "E"),
    "social_capital": ("private capital in rural digital development per head", "人均社会资本投入", "yuan", "indicator", 0.01, "", "private (social) capital invested in rural digital development per head", "SC; the print says 10,000 yuan"),
    "land": ("sown area", "农作物总播种面积", "1,000 hectares", "input", 0.001, "", "land: total sown area of main crops", ""),
    "labour": ("persons employed in farming", "农林牧渔业从业人数", "10,000 persons", "input", 0.001, "", "labour: persons employed in farming, forestry, husbandry and fishery", ""),
    "machinery": ("power of farm machinery", "农业机械总动力", "1,000 kW", "input", 0.001, "", "machinery: total power of farm machinery", ""),
    "fertiliser": ("chemical fertiliser, pure weight", "农用化肥施用量（折纯）", "tonnes", "input", 0.001, "", "chemical fertiliser, pure weight", ""),
    "electricity": ("rural electricity use", "农村用电量", "100 million kWh", "input", 0.001, "", "rural electricity use", ""),
    "irrigation": ("effectively irrigated area", "有效灌溉面积", "1,000 hectares", "input", 0.001, "", "effectively irrigated area", ""),
    "pesticide": ("pesticide, physical weight", "农药施用实物量", "tonnes", "input", 0.001, "", "pesticide, physical weight", ""),
    "film": ("plastic film", "薄膜使用量", "tonnes", "input", 0.001, "", "plastic film used", ""),
    "value_added": ("value added of the primary sector", "第一产业增加值", "100 million yuan", "output", 0.0001, "", "output: value added of the primary sector", "current prices; the worlds differ here"),
    "price_level": ("price level, 2013 = 1", "价格水平", "", "price", 0.5, 5, "", "one for all provinces; our choice, no deflation is mentioned in print"),
}  # fmt: skip
PAPER = Paper(
    SLUG,
    ("province", "year"),
    paper.TABLES,
    lambda rng: ({}, {}),
    {},
    worlds={"no-effect": {"effect": 0.0}},
    dictionary=DICTIONARY,
)
ROWS, SEED = 78, 2
"""Seeds of the truth-table rows and of the fit, whose first start misses nothing; others take up to eight."""


def targets(data: pd.DataFrame) -> pd.DataFrame:
    """Tables 3 to 5 as printed and as the file gives them: all imposed but for the anchors, which are used and not reached."""
    found, rows = paper.printed_tables(data), []
    for c, tier in {"mean": "binding", "sd": "binding", "min": "cheap", "max": "cheap"}.items():
        each = [
            ("3", c, v, MOMENTS.loc[v, c], found["3"].loc[v, c], 0.1 * abs(MOMENTS.loc[v, c])) for v in NAMES
        ]
        rows += told(*each, kind=c if tier == "binding" else "other", tier=tier)
    for r in PRINTED.other.itertuples():
        if r.table in "45" and np.isfinite(r.value):
            rows += told((r.table, r.column, r.row, r.value, found[r.table].loc[r.row, r.column], 0.006))
    return report(rows)


def missed(x: np.ndarray) -> int:
    """How many printed numbers of Tables 3 to 5 raw values (31 x 9) miss."""
    four, five, whole = numbers(memberships(x))
    cells = np.concatenate([(a - b).ravel() for a, b in ((four, FOUR), (five, FIT), (whole, WHOLE))])
    return int((np.abs(cells) > 0.0055).sum() + (np.abs(moments(x)) > 0.095).sum())


def draw(seed: int = SEED) -> dict[str, Drawn]:
    """The panel and its rival from one fit."""

    def found(rng: np.random.Generator) -> tuple[tuple[np.ndarray, float], int]:
        x, _, left = fit(rng, ROWS)
        return (x, left), missed(x)

    def make(given: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
        effect = given.get("effect", BETA)
        d = table(x, seed, effect)
        more = {
            "process": PROCESS,
            "effect": effect,
            "elasticities": SHARE,
            "noise": NOISE,
            "largest_gap": left,
        }
        return d, targets(paper.prepare(d.set_index(["province", "year"]))), more

    with threadpool_limits(1):
        x, left = best_start(found, seed, enough=4)
        return draw_fitted(PAPER, seed, make)


PROCESS = (
    "means over the years are set so that the printed tables hold; within a province log output rises by `effect` in the year "
    "after its membership in the six printed configurations has gone from 0 to 1; in the world no-effect it does not"
)


def write(folder: Path | str) -> None:
    """Write the panel, its dictionary, its rival world and their truths."""
    write_all(draw(), folder)
