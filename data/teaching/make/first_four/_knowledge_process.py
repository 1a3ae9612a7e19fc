"""The process of `knowledge-flows`: flows between cities, light that follows them, and the tables that record both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from first_four import _knowledge_cities as cities
from first_four._calibrate import CalibrationError
from first_four._knowledge_cities import YEARS, Array, Process
from first_four._knowledge_fit import Grid, Key
from regionbook.data import published
from regionbook.papers import _knowledge_pairs as build
from regionbook.papers.knowledge_flows import MODELS

CELLS = 43_660 * 19
EXTREME = CELLS - 789_394
EMPTY_CITY_YEARS = 57
"""City-years without any patent, 2000-2018; technological similarity is missing for their pairs."""


@dataclass
class Flows:
    """Log intensities of citations without tilt, and the fixed randomness that turns them into counts.

    ``log`` is (2, pair, year): citations by `a` of `b`, by `b` of `a`, years 2000 to 2018 plus 2019.
    """

    log: npt.NDArray[np.float32]
    uniform: npt.NDArray[np.float32]
    silent: npt.NDArray[np.bool_]

    def counts(self, tilt: np.ndarray | None = None) -> np.ndarray:
        """floor(intensity + U): the mean of a count, and smooth in the intensity when U stays the same."""
        log = self.log if tilt is None else self.log + tilt
        out = np.floor(np.exp(np.minimum(log.astype(float), 9.0)) + self.uniform).astype(np.int32)
        out[self.silent] = 0
        return out


@dataclass
class World:
    """Everything but the tilt: raw tables, flows, what the cities' process was."""

    tables: dict[str, pd.DataFrame]
    flows: Flows
    inflow: Array
    log_y: Array
    log_y0: Array
    log_rival: Array


def net_inflow(expected: Array, n: int) -> tuple[Array, Array]:
    """Mean net inflow of each city over its partners, in log points of 1 + intensity, and the log of its gross inflow.

    ``expected`` is (2, pair, year): mean citations by `a` of `b` and by `b` of `a`.
    """
    a, b = build.pairs(n)
    log = np.log1p(expected)
    net = log[0] - log[1]  # inflow into a less outflow from a
    mean, gross = (np.empty((n, expected.shape[2])) for _ in range(2))
    for t in range(expected.shape[2]):
        mean[:, t] = np.bincount(a, net[:, t], n) - np.bincount(b, net[:, t], n)
        gross[:, t] = np.bincount(a, expected[0, :, t], n) + np.bincount(b, expected[1, :, t], n)
    return mean / (n - 1), np.log(gross + 1)


def demeaned(x: Array) -> Array:
    """Without means of cities and years."""
    x = x - x.mean(1, keepdims=True)
    return x - x.mean(0)


def world(rng: dict[str, np.random.Generator], q: Process, rival: bool = False) -> World:
    """Draw the cities, their lines, the intensities of flows, light, firms, endowments, imports.

    With ``rival`` light is that of the world in which flows and rail do nothing; firms and imports follow this light.
    """
    u = cities.units()
    n = len(u)
    v = cities.places(rng["places"], q)
    old = history(rng["history"], v)
    k = cities.knowledge(rng["knowledge"], v["base"], q)
    k["patents"] += q.old_networks * absorption(v, old)[:, None] * (np.arange(len(YEARS)) / 19) ** 2
    k["patents"] += q.behind * v["behind"][:, None] * (1 - q.reversion ** np.arange(len(YEARS)))
    patents = cities.patent_counts(rng["patents"], k["patents"], k["mix"], EMPTY_CITY_YEARS)
    lines = cities.rail(rng["rail"])
    index = pd.Index(u["name_en"], name="city")
    empty = patents.sum(2) == 0
    flows, expected = intensities(rng["flows"], k, lines, index, empty)
    net, gross = net_inflow(expected, n)
    log_y, log_y0, log_rival = light(rng["light"], q, v, demeaned(net), lines, index)
    shown = log_rival if rival else log_y
    table = pd.DataFrame({"code": u["code"], "city": u["name_en"], "city_zh": u["name_zh"], "province": u["province_en"],
                          "province_zh": u["province"], "region": u["region3"], "lon": u["lon"], "lat": u["lat"]})  # fmt: skip
    table = table.assign(population_2000=v["population_2000"], urban_2000=v["urban_2000"])
    growth = np.cumsum(0.004 + 0.006 * v["level"][:, None] + rng["people"].normal(0, 0.003, log_y.shape), 1)
    people = np.round(v["population_2000"][:, None] * np.exp(growth - growth[:, :1]))
    years = {
        "light": np.round(np.exp(shown) * people, 2),
        "light_rival": np.round(np.exp(log_rival) * people, 2),
        "population": people,
    }
    years |= {f"patents_{c}": patents[:, :, i] for i, c in enumerate(build.CLASSES)}
    years |= firms(rng["firms"], q, v, demeaned(gross), shown, empty)
    on = protection(rng["protection"], v)
    years["ipr_city"] = (YEARS >= on[:, None]).astype(float)
    table = table.assign(**old, **endowments(rng["endowments"], v, empty))
    frame = pd.DataFrame({"city": np.repeat(index, len(YEARS)), "year": np.tile(YEARS, n)})
    frame = frame.assign(**{c: x.ravel() for c, x in years.items()})
    less = np.log(years["light"] / years["population"])[:, :19]
    less = np.where(
        empty[:, :19], 0, n - 1 - less.argsort(0).argsort(0) - empty[:, :19].sum(0)
    )  # pair-years as L
    tables = {
        "cities": table.set_index("city"),
        "years": indexed(frame, index),
        "rail": lines,
        "imports": import_table(rng["imports"], v, less.sum(1)),
    }
    return World(tables, flows, net, shown, log_y0, log_rival)


def indexed(frame: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """Index a complete, sorted city-year table."""
    calendar = pd.Index(np.sort(frame["year"].unique()), name="year")
    return frame.drop(columns=["city", "year"]).set_axis(
        pd.MultiIndex.from_product([names, calendar], names=["city", "year"])
    )


def history(r: np.random.Generator, v: dict[str, Array]) -> dict[str, Array]:
    """Telephones of 1984, missing for many cities, and telegraph offices of 1907, none in many."""
    base, n = v["base"], len(v["base"])
    east = (cities.units()["region3"] == "East").to_numpy()
    offices = r.poisson(np.exp(0.25 + 0.25 * base + 0.35 * east)).astype(float)
    tel = (
        8.0
        + 0.3 * np.log(v["population_2000"] / 3e6)
        + 0.1 * base
        + 1.0 * np.log1p(offices)
        + r.normal(0, 0.2, n)
    )
    tel = np.round(np.exp(tel))
    tel[r.random(n) < np.where(base > np.quantile(base, 0.75), 0.05, 0.32)] = np.nan
    return {"telephones_1984": tel, "telegraph_1907": offices}


def absorption(v: dict[str, Array], old: dict[str, Array]) -> Array:
    """How much more a city comes to cite because of its old network: places that were dark and well connected."""
    rank = v["level"].argsort().argsort() / (len(v["level"]) - 1)
    wires = np.log1p(old["telegraph_1907"])
    return np.clip(wires - wires.mean(), -0.5, None) * np.clip(1 - rank, 0, 0.8)


def intensities(
    r: np.random.Generator,
    k: dict[str, Array],
    lines: pd.DataFrame,
    index: pd.Index,
    empty: npt.NDArray[np.bool_],
) -> tuple[Flows, Array]:
    """Gravity of citations: cited stock, citing patents, distance, technology, rail, old networks; gamma noise."""
    n, years = len(index), np.arange(2000, 2020)
    size = len(years)
    a, b = build.pairs(n)
    far = cities.distances()[a, b]
    mix = k["mix"] / np.sqrt((k["mix"] ** 2).sum(2, keepdims=True))
    near = np.empty((len(a), size), np.float32)
    for t in range(size):
        near[:, t] = np.einsum("ik,jk->ij", mix[:, t], mix[:, t])[a, b]
    linked = build.link_years(lines, index)[a, b][:, None] <= years
    same = (
        cities.units()["province_en"].to_numpy()[a] == cities.units()["province_en"].to_numpy()[b]
    ).astype(float)
    common = r.normal(0, 0.5, len(a)) - 0.35 * np.log(far / 1000 + 0.1) + 0.25 * same
    log = np.empty((2, len(a), size), np.float32)
    expected = np.empty((2, len(a), size))
    for d, (src, dst) in enumerate(((b, a), (a, b))):
        eta = -3.7 + common + r.normal(0, 0.35, len(a))
        x = (
            eta[:, None]
            + 0.75 * k["stock"][src, :size]
            + 0.70 * k["patents"][dst, :size]
            + 1.2 * near
            + 0.15 * linked
        )
        x = x + k["burst"][dst, :size]
        expected[d] = np.exp(np.minimum(x, 9.0))
        log[d] = x + np.log(np.maximum(r.gamma(4.0, 0.25, x.shape), 1e-6))
    uniform = r.random(log.shape, dtype=np.float32)
    silent = np.stack([empty[a, :size], empty[b, :size]])
    return Flows(np.round(log, 4), uniform, silent), expected


def light(
    r: np.random.Generator, q: Process, v: dict[str, Array], net: Array, lines: pd.DataFrame, index: pd.Index
) -> tuple[Array, Array, Array]:
    """Log light per head: with the effect of flows and rail, without any, and in the rival world."""
    n, size = len(index), len(YEARS)
    t = np.arange(size)
    shrink = 1 - (1 - np.log(q.east_2019) / np.log(q.east_2000)) * np.minimum(t, 19) / 19  # spread narrows

    def persistent(sd: float) -> Array:
        e = np.empty((n, size))
        e[:, 0] = r.normal(0, sd, n)
        for s in range(1, size):
            e[:, s] = q.persistence * e[:, s - 1] + r.normal(0, sd * np.sqrt(1 - q.persistence**2), n)
        return e

    e = persistent(q.sd_shock)
    path = -7.0 + 0.10 * t + v["level"][:, None] * shrink
    bare = path + e + r.normal(0, q.noise, (n, size))
    noise = r.normal(0, q.noise, (n, size))
    opened = (
        pd.Series(lines["opened"].to_numpy(), lines["city"])
        .groupby(level=0)
        .min()
        .reindex(index)
        .fillna(9999)
    )
    z = np.clip((v["level"] - v["level"].mean()) / v["level"].std(), -2, 2) / 2
    on = YEARS >= opened.to_numpy()[:, None]
    full = bare + q.siphon * z[:, None] * on
    full[:, 1:] += q.theta * net[:, : size - 1]
    regional(full, v, q)
    back = (
        q.rival_start * v["behind"][:, None] * q.reversion**t
    )  # behind their own level at first, then they return
    rival = path + persistent(q.sd_shock / 2) - back + noise
    regional(bare, v, q)
    regional(rival, v, q)
    return full, bare, rival


def regional(log_y: Array, v: dict[str, Array], q: Process) -> None:
    """Give East, Centre and West the ratios of light per head that the paper cites, along straight lines (in place)."""
    region = cities.units()["region3"].to_numpy()
    w = v["population_2000"]
    goal = {
        "East": (q.east_2000, q.east_2019),
        "Central": (q.central_2000, q.central_2019),
        "West": (1.0, 1.0),
    }
    t = np.minimum(np.arange(log_y.shape[1]), 19) / 19

    def level(name: str, year: int) -> float:
        here = region == name
        return float(np.log((np.exp(log_y[here, year]) * w[here]).sum() / w[here].sum()))

    base = [level("West", 0), level("West", 19)]
    for name, (first, last) in goal.items():
        off = [np.log(first) + base[0] - level(name, 0), np.log(last) + base[1] - level(name, 19)]
        log_y[region == name] += off[0] * (1 - t) + off[1] * t


def firms(
    r: np.random.Generator,
    q: Process,
    v: dict[str, Array],
    inflow: Array,
    log_y: Array,
    empty: npt.NDArray[np.bool_],
) -> dict[str, Array]:
    """New digital firms, which follow inflow after four years, and their registered capital in 10,000 yuan."""
    n, size = len(v["base"]), len(YEARS)
    t = np.arange(size)
    late = np.zeros((n, size))
    late[:, 4:] = inflow[:, : size - 4]
    log: Array = (
        5.35 + 0.55 * v["base"][:, None] + 0.17 * t + q.firms_lag4 * late + r.normal(0, 0.2, (n, size))
    )
    number = np.asarray(np.round(np.exp(log)), float)
    capital = np.asarray(np.round(np.exp(12.25 + 0.95 * (log - 6.8) + r.normal(0, 0.5, (n, size)))), float)
    dim = [i for i in np.argsort(log_y[:, 0]) if not empty[i].any()][1:4]  # nearly always L
    number[dim[0], 0] = 0  # no new firm at all in 2000, hence no logarithm
    capital[number == 0] = 0
    capital[dim[1], 0] = capital[dim[2], 1] = np.nan
    return {"digital_firms": number, "firm_capital": capital}


def protection(r: np.random.Generator, v: dict[str, Array]) -> Array:
    """Year in which a city became a demonstration city for intellectual property; 9999: never."""
    n = len(v["base"])
    return np.where(r.random(n) < 0.25 + 0.25 * (v["base"] > 0), r.integers(2012, 2020, n), 9999).astype(
        float
    )


def pair_years(there: npt.NDArray[np.bool_]) -> int:
    """Pair-years in which both cities are there; ``there`` is (city, year)."""
    k = there.sum(0).astype(np.int64)
    return int((k * (k - 1) // 2).sum())


def endowments(r: np.random.Generator, v: dict[str, Array], empty: npt.NDArray[np.bool_]) -> dict[str, Array]:
    """Loans, fixed assets, illiteracy, schooling, internet users of 2000, each with cities of its own missing.

    How many cities lack them follows from the printed N; which ones is the best of sixty lots for that N.
    """
    n, level, people = len(v["base"]), v["level"], v["population_2000"]
    small = np.argsort(np.argsort(people + 1e6 * level)) / n
    all_of_them = pair_years(~empty[:, :19])

    def without(number: int, printed: int, *xs: Array) -> None:
        goal = printed * all_of_them / 773_145
        best: tuple[float, npt.NDArray[np.integer]] | None = None
        for _ in range(60):
            out = r.choice(n, number, replace=False, p=(1.3 - small) / (1.3 - small).sum())
            there = ~empty[:, :19].copy()
            there[out] = False
            far = abs(pair_years(there) - goal)
            if best is None or far < best[0]:
                best = (far, out)
        for x in xs:
            x[best[1]] = np.nan  # type: ignore[index]

    loans: Array = np.round(0.45 * people * np.exp(0.80 * level + r.normal(0, 0.28, n)))
    assets: Array = np.round(0.35 * people * np.exp(1.15 * level + r.normal(0, 0.38, n)))
    illiteracy = np.asarray(
        np.round(np.clip(9.0 * np.exp(-0.35 * level + r.normal(0, 0.33, n)), 1.2, 45), 2), float
    )
    schooling = np.asarray(np.round(np.clip(7.3 + 0.62 * level + r.normal(0, 0.85, n), 3.5, 11.5), 2), float)
    percap = 0.015 * np.exp(0.6 * level + r.normal(0, 0.85, n))
    users: Array = np.round(people * percap)
    without(n - 285, 716_252, loans)
    without(n - 235, 487_379, assets)
    without(n - 286, 721_113, illiteracy, schooling)
    without(n - 266, 623_635, users)
    return {"loans_2000": loans, "assets_2000": assets, "illiteracy_2000": illiteracy, "schooling_2000": schooling,
            "internet_2000": users}  # fmt: skip


def import_table(r: np.random.Generator, v: dict[str, Array], less: npt.NDArray[np.integer]) -> pd.DataFrame:
    """Imports of 2000; which cities have none is the best of many lots for the printed N of Table 2 (3) and (4).

    ``less`` counts the pair-years in which a city is the less developed one (and both have patents).
    """
    n, total = len(less), int(less.sum())
    goals = np.array([707_268, 702_638]) * total / 773_145
    province = cities.units()["province_en"].to_numpy()
    codes = np.unique(province, return_inverse=True)[1]
    remote = np.flatnonzero(np.isin(province, ["Tibet", "Qinghai", "Xinjiang", "Ningxia", "Hainan"]))
    best: tuple[float, npt.NDArray[np.bool_]] | None = None
    for _ in range(600):
        one = r.choice(remote)  # the only city of its province with any imports
        absent = province == province[one]
        absent[one] = False
        weight = np.where(absent | (np.arange(n) == one), 0, less)
        order = np.argsort(-(weight / less.max() + r.normal(0, 0.35, n)))
        order = order[weight[order] > 0]
        absent[order[np.cumsum(less[order]) <= total - goals[0] - less[absent].sum()]] = True
        others = np.bincount(codes, ~absent)[codes] - ~absent
        got = np.array([less[~absent].sum(), less[~absent & (others > 0)].sum()])
        far = float(abs(got[0] - goals[0]) + 5 * abs(got[1] - got[0] - goals[1] + goals[0]))
        if best is None or far < best[0]:
            best = (far, absent)
    size = np.clip((np.log(v["population_2000"]) - 15) + v["level"], -2, 3)
    return cities.imports(r, size, best[1], np.exp(r.normal(0.25, 0.85, n)))  # type: ignore[index]


# ------------------------------------------------------------------------------------------- the sample
def printed_n() -> dict[Key, int]:
    """Printed numbers of observations."""
    f = published("knowledge-flows").fit
    return {(str(r.table), str(r.column)): int(r.value) for r in f[f["stat"] == "N"].itertuples()}


def membership(g: Grid) -> tuple[npt.NDArray[np.int64], list[Key]]:
    """Which columns a pair-year belongs to, as bits, and the columns: those with different rows."""
    bits = np.zeros(g["Bal"].shape, np.int64)
    rows: list[Key] = []
    seen: set[frozenset[str]] = set()
    for key in MODELS:
        names = frozenset(
            v for v in MODELS[key].variables if v in g and np.issubdtype(g[v].dtype, np.floating)
        )
        names = frozenset(v for v in names if not v.startswith("lnDKF"))
        member = np.ones(bits.shape, bool)
        for v in sorted(names):
            member &= ~np.isnan(g[v])
        if (names in seen) or any(np.array_equal(member, (bits >> i) & 1) for i in range(len(rows))):
            continue
        seen.add(names)
        bits += member.astype(np.int64) << len(rows)
        rows.append(key)
    return bits, rows


def extremes(g: Grid, jump: Array) -> npt.NDArray[np.bool_]:
    """The 40,146 extreme pair-years: the largest jumps of light, with bounds that make every printed N exact.

    The paper leaves out extreme values by a rule that it does not print. Here cells are sorted by ``jump``, the sum of
    both cities' absolute changes of log light per head; which columns a cell belongs to, by what is missing, makes its
    kind. From every kind the most extreme cells go; how many of each is the integer solution nearest to a common bound
    for which all 22 columns have their printed N. A cell that would stand alone with its pair in a column goes first, so
    that software which drops singletons has the same N.
    """
    bits, rows = membership(g)
    goals = printed_n()
    names, kind = np.unique(bits, return_inverse=True)
    kind = kind.ravel()
    size = np.bincount(kind)
    member = ((names[None, :] >> np.arange(len(rows))[:, None]) & 1).astype(float)
    drop = member @ size - np.array([goals[k] for k in rows])
    score = jump.copy()
    m = len(names)
    weight = 1 / np.sqrt(size + 1.0)
    for _ in range(6):
        flat = score.ravel()
        bound = np.partition(flat, flat.size - EXTREME)[flat.size - EXTREME]
        start = np.bincount(kind, flat >= bound, m)
        lowest = np.bincount(kind, np.isinf(flat), m)
        solved = milp(
            np.r_[np.zeros(m), weight],
            integrality=np.r_[np.ones(m), np.zeros(m)],
            bounds=Bounds(np.r_[lowest, np.zeros(m)], np.r_[size, np.full(m, np.inf)]),
            constraints=[
                LinearConstraint(np.c_[member, np.zeros_like(member)], drop, drop),
                LinearConstraint(np.c_[np.eye(m), -np.eye(m)], -np.inf, start),
                LinearConstraint(np.c_[np.eye(m), np.eye(m)], start, np.inf),
            ],
            options={"time_limit": 20, "mip_rel_gap": 1e-3},
        )
        if solved.x is None:
            raise CalibrationError(
                f"no extreme values give the printed N; to drop: {dict(zip(rows, drop, strict=True))}"
            )
        take = np.round(solved.x[:m]).astype(np.int64)
        order = np.lexsort((-flat, kind))
        place = np.empty(flat.size, np.int64)
        first = np.r_[0, np.cumsum(size)[:-1]]
        place[order] = np.arange(flat.size) - first[kind[order]]
        out = (place < take[kind]).reshape(jump.shape)
        alone = np.zeros(out.shape, bool)
        for i in range(len(rows)):
            left = (((bits >> i) & 1) == 1) & ~out
            alone |= left & (left.sum(1) == 1)[:, None]
        if not alone.any():
            return out
        score[alone] = np.inf
    raise CalibrationError("pairs with a single year remain")
