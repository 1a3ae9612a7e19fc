"""free-trade-zones (Yan, Ye and Wang 2025): 13 cities x 2013-2022, 61 indicators, a network of capital stakes; 280 cities beside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from engine import CalibrationError, Cell, Grid, Move, Numbers, Paper, as_seen, frame, own_column, worlds
from engine.make import dictionary
from engine.rows import Rows

from regionbook.data import published
from regionbook.geo import distances, units
from regionbook.papers import free_trade_zones as paper
from regionbook.papers.declare import Column
from regionbook.papers.free_trade_zones import CONTROLS, INDICES, PARTNERS
from regionbook.papers.redraw import ar1

YEARS, HEBEI = np.arange(2013, 2023), slice(2, 13)
SHAPE = (13, len(YEARS))
LEADS = [f"lead{k}" for k in (2, 3, 4)]
OUTCOMES = ["lnIL", "vitality", "merchantable", "innovation", "synergism", "lnHDQ"]
"""What the engine moves, in this order; risk and elite take up what the index needs beside the other four."""

# ------------------------------------------------------------------------------------------------------- targets
_z = "z of Table 4 are no targets: errors 3.6 times as large in Table 5 (8), where column (7) allows 1.3"
FREE = {("4", str(c), term, "std_error"): _z for c in range(1, 6) for term in ["FTZ", *CONTROLS[:c]]}
FREE["1",] = "matching alone: a first look"
AIMS = {("5", "11", "FTZ"): (0.233, "three stars at z = 2.61 need t = 2.66 with 59 degrees of freedom")}
MOVES = {k: Move(size=0.15, smooth=0.7, rough=0.1, decimals=6) for k in OUTCOMES}


def own(v: Grid, truth: dict[str, Any], printed: Any) -> list[Rows]:
    """Moments of the matched sample; not printed: flat leads, the truth on all cells and beside the relocated firms."""
    inside, rows = v["matched"] == 1, []
    for r in printed.descriptives.set_index("variable").itertuples():
        cells = [Cell("2", what, r.Index, what, getattr(r, what)) for what in ("mean", "sd")]
        tol = (0.05 * r.sd, 0.02 * r.sd)
        rows.append(Numbers(r.Index, ("mean", "sd"), (r.mean, r.sd), tol, cells, inside=inside))
    data, X = frame(v), " + ".join(CONTROLS)
    wanted = [("all of Hebei", "FTZ | city + year", "province == 'Hebei'", ["FTZ"], 0.02)]
    if truth["leads_flat"]:
        beside = f"FTZ + relocated_100 + {X} | city + year"
        wanted.append(("beside relocated firms", beside, "matched == 1", ["FTZ", "relocated_100"], 0.01))
    for name, rhs, part, terms, tol in wanted:
        column = Column("own", name, f"lnHDQ ~ {rhs}", sample=part)
        seen = as_seen(column, data, "shift_lnHDQ")
        rows.append(own_column(column, data, {k: (seen[k], tol) for k in terms}, "the truth as it is seen"))
    if truth["leads_flat"]:
        column = Column(
            "own", "leads", f"lnHDQ ~ FTZ + {' + '.join([*LEADS, X])} | city + year", sample="matched == 1"
        )
        flat = "figure 2 shows no difference before the zones"
        rows.append(own_column(column, data, dict.fromkeys(LEADS, (0.0, 0.01)), flat))
    return rows


# ------------------------------------------------------------------------------------- raw columns to variables
def leads(d: Any) -> dict[str, Any]:
    """Leads of the zones, and relocated firms in hundreds."""
    until = np.where(d["zone_year"] > 0, d["zone_year"] - d["year"], 99)
    return {k: (until == int(k[4:])) * 1 for k in LEADS} | {"relocated_100": d["relocated"] / 100}


def prepare(d: pd.DataFrame) -> pd.DataFrame:
    """The paper's variables, and the leads."""
    return paper.prepare(d.set_index(["city", "year"])).reset_index().assign(**leads(d))


def raw(v: Grid) -> pd.DataFrame:
    """What is shipped: the story's raw columns, steered to the calibrated indices and linkage."""
    d = frame(v)
    six = np.exp(d[INDICES])
    rest = (6 * np.exp(d["lnHDQ"]) - six.sum(axis=1)) / 2
    six = six.assign(risk=six["risk"] + rest, elite=six["elite"] + rest)
    d = paper.relinked(paper.steered(d, six).set_index(["city", "year"]), np.exp(d["lnIL"]).to_numpy())
    d = d.reset_index()[list(DICTIONARY)]
    whole = [k for k in d.select_dtypes("number") if (d[k] % 1 == 0).all()]
    return d.astype(dict.fromkeys(whole, int))


# ---------------------------------------------------------------------------------------------------- controls
SKELETON = {
    "pgdp": "9.8 19.0 7.0 11.9 3.9 6.3 6.2 10.5 3.4 6.1 3.1 4.6 2.1 3.6 2.4 4.2 2.6 4.4 3.0 5.3 3.9 6.0 4.0 6.5 2.4 4.3",
    "urba": ".863 .876 .78 .85 .58 .71 .55 .65 .51 .65 .47 .60 .44 .55 .43 .58 .48 .67 .44 .57 .46 .55 .50 .67 .43 .57",
    "lnstru": "1.27 1.67 0 .5 -.05 .6 -.6 -.25 .2 .45 -.35 .05 -.3 .1 -.45 .35 -.05 .6 -.4 .35 -.3 .2 -.3 .65 -.3 .35",
    "fe": ".48 .50 .85 1.1 .6 .95 .6 .75 .6 .75 .55 .75 .55 .75 .45 .65 .6 .85 .6 .9 .55 .7 .55 .8 .5 .7",
    "fdi": "8.5 17.4 16.8 8.0 1.2 2.6 1.6 4.5 .7 1.4 .8 1.6 .3 .8 .55 1.1 .3 .6 .2 .45 .35 .9 .5 1.1 .2 .5",
    "population": "2125 2184 1410 1363 1050 1122 771 770 306 310 930 930 722 702 1100 1155 442 408 352 333 737 730 452 550 440 418",
    "registered": "1316 1427 1004 1167 1000 1070 747 755 293 303 1010 1060 770 800 1160 1210 468 460 379 380 750 780 440 500 448 455",
}
"""First and last year by city, in the order of `PARTNERS`: rounded general knowledge, a starting point only."""
NOISE = {
    "pgdp": (0.06, 0.12),
    "urba": (0.012, 0.03),
    "lnstru": (0.08, 0.15),
    "fe": (0.05, 0.07),
    "fdi": (0.2, 0.35),
}
"""Control -> size of a step of the draw, and scale on which it stays near the skeleton."""


def skeleton(name: str) -> np.ndarray:
    """Straight lines between the first and the last year; of GDP and investment in logs."""
    ends = np.array(SKELETON[name].split(), float).reshape(13, 2)
    ends = np.log(ends) if name in ("pgdp", "fdi") else ends
    return ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * np.arange(10) / 9


class Controls:
    """Controls drawn until the rule of `paper.matching` keeps the printed sample; Table 2's moments hold exactly in it."""

    def __init__(self, rng: np.random.Generator, zone_year: np.ndarray, printed: pd.DataFrame) -> None:
        self.rng, self.printed = rng, printed.loc[CONTROLS, ["mean", "sd", "min", "max"]].to_numpy()
        self.zone = np.repeat(zone_year > 0, 10)
        self.treated = ((zone_year[:, None] > 0) & (zone_year[:, None] <= YEARS)).ravel()
        self.lines = {k: skeleton(k) for k in CONTROLS}
        self.now = {k: self._near(k) for k in CONTROLS}
        self.cost = self._cost(self.now)

    def _near(self, name: str) -> np.ndarray:
        step, scale = NOISE[name]
        z = 0.7 * scale * self.rng.normal(size=(13, 1)) + 0.4 * step * ar1(self.rng, SHAPE, 0.8)
        z[:2] *= 0.2
        return self.lines[name] + z

    @staticmethod
    def stacked(x: Grid) -> np.ndarray:
        """City-years x controls, as the regressions have them."""
        return np.column_stack([(np.exp(x[k]) if k == "pgdp" else x[k]).ravel() for k in CONTROLS])

    def matched(self, X: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Matched cells, the caliper and by how many years zone cities are ahead of their matches, as `paper.matching` has them."""
        Z = np.column_stack([np.ones(len(X)), (X - X.mean(0)) / X.std(0)])
        b = np.zeros(Z.shape[1])
        for _ in range(30):
            p = 1 / (1 + np.exp(-np.clip(Z @ b, -30, 30)))
            step = np.linalg.solve((Z.T * (p * (1 - p))) @ Z + 1e-9 * np.eye(6), Z.T @ (self.zone - p))
            b = b + step
            if np.abs(step).max() < 1e-7:
                break
        score = Z @ b
        caliper = score.std(ddof=1) / 4
        near = np.abs(score[self.zone][:, None] - score[~self.zone]) <= caliper
        kept = np.zeros(len(X), bool)
        kept[self.zone], kept[~self.zone] = near.any(1), near.any(0)
        year = np.tile(YEARS, 13)
        gap = year[self.zone] - near @ year[~self.zone] / np.maximum(near.sum(1), 1)
        return kept, caliper, gap[near.any(1)].mean()

    def _cost(self, x: Grid) -> float:
        """Distance from 85 cells, 11 treated ones in three cities, no Beijing and Tianjin, a caliper of 0.66, Table 2."""
        X = self.stacked(x)
        kept, caliper, years = self.matched(X)
        if kept.sum() < 30:
            return 1e6
        grid, treated = kept.reshape(SHAPE), (kept & self.treated).reshape(SHAPE).sum(1)
        before = (kept & ~self.treated).reshape(SHAPE).sum(1)
        cost = 1.5 * abs(kept.sum() - 85) + 4 * abs(treated.sum() - 11) + 3 * grid[:2].sum()
        cost += 300 * max(0, abs(caliper - 0.66) - 0.003) + 6 * max(0, 3 - (treated > 0).sum())
        cost += (
            3 * max(0, abs(years) - 0.3)
            + 4 * ((before < 2) & (treated > 0)).sum()
            + 3 * max(0, 3 - grid[3].sum())
        )
        cost += 3 * np.maximum(0, 4 - np.delete(grid, [0, 1, 3], 0).sum(1)).sum()
        for v, (mean, sd, low, high) in zip(X[kept].T, self.printed, strict=True):
            z = (v - v.mean()) / v.std(ddof=1)
            for end, wanted in ((z.min(), low), (z.max(), high)):
                cost += max(
                    0, abs(end - (wanted - mean) / sd) - max(0.08 * abs(wanted), 0.008 * (high - low)) / sd
                )
            cost += 5 * max(0, abs(v.mean() - mean) / sd - 0.1) + 8 * max(
                0, abs(np.log(v.std(ddof=1) / sd)) - 0.06
            )
        return cost + 0.002 * sum((((x[k] - self.lines[k]) / NOISE[k][1]) ** 2).sum() for k in CONTROLS)

    def walk(self, steps: int = 2500) -> None:
        """Levels, slopes and wiggles of single cities of Hebei, kept where they bring the sample nearer (annealed)."""
        rng = self.rng
        for i in range(steps):
            name, city = CONTROLS[rng.integers(5)], rng.integers(2, 13)
            tilt = rng.normal() + rng.normal() * (np.arange(10) - 4.5) / 4.5 + 0.6 * ar1(rng, (1, 10), 0.6)[0]
            new = self.now[name].copy()
            new[city] += 0.6 * NOISE[name][0] * tilt
            cost = self._cost(self.now | {name: new})
            if cost <= self.cost or rng.random() < np.exp(
                (self.cost - cost) / (0.8 * (1 - i / steps) ** 2 + 1e-9)
            ):
                self.now, self.cost = self.now | {name: new}, cost

    def scaled(self) -> dict[str, np.ndarray]:
        """Controls with Table 2's means and standard deviations in the matched sample: no score moves by that."""
        X = self.stacked(self.now)
        here = X[self.matched(X)[0]]
        X = self.printed[:, 0] + (X - here.mean(0)) * self.printed[:, 1] / here.std(0, ddof=1)
        return {k: x.reshape(SHAPE) for k, x in zip(CONTROLS, X.T, strict=True)}


def economy(rng: np.random.Generator, x: dict[str, np.ndarray]) -> Grid:
    """Raw columns behind the controls."""
    c = {"population": np.round(skeleton("population") + ar1(rng, SHAPE, 0.9) * 3, 2)}
    c["registered_population"] = np.round(skeleton("registered") + ar1(rng, SHAPE, 0.9) * 2, 2)
    c["urban_population"] = np.round(x["urba"] * c["population"], 3)
    c["gdp"] = np.round(x["pgdp"] * c["population"], 2)
    primary = np.array([0.005, 0.013, 0.07, 0.08, 0.13, 0.11, 0.13, 0.12, 0.16, 0.18, 0.09, 0.07, 0.14])[
        :, None
    ]
    rest = (1 - primary * np.exp(0.05 * ar1(rng, SHAPE, 0.8))) * c["gdp"]
    c["secondary"] = np.round(rest / (1 + np.exp(x["lnstru"])), 2)
    c["tertiary"] = np.round(rest - rest / (1 + np.exp(x["lnstru"])), 2)
    deep = np.r_[4.6, 2.3, np.linspace(1.9, 1.5, 11)][:, None] * np.exp(
        0.02 * (YEARS - 2013) + 0.03 * ar1(rng, SHAPE, 0.8)
    )
    c["deposits"] = np.round(deep * c["gdp"], 2)
    c["loans"] = np.round(x["fe"] * c["deposits"], 2)
    c["fdi_used"] = np.round(1e5 * np.exp(x["fdi"]))
    return c


# -------------------------------------------------------------------------------------------------------- story
INDEX = {
    # rise 2013-2022, s.d. of cities and of noise, long-run effect, response to linkage, Beijing and Tianjin in 2022
    "lnIL": (1.35, 0.60, 0.34, 0.95, 0.0, 0, 0),
    "vitality": (1.00, 0.07, 0.11, 0.42, 0.14, 4.54, 4.40),
    "merchantable": (0.03, 0.05, 0.033, -0.02, 0.0, 3.86, 3.80),
    "risk": (-0.08, 0.04, 0.04, 0.10, 0.0, 3.95, 4.00),
    "innovation": (0.85, 0.08, 0.11, 0.28, 0.08, 4.55, 4.38),
    "elite": (0.08, 0.05, 0.04, 0.16, 0.0, 4.45, 4.30),
    "synergism": (1.00, 0.10, 0.16, 0.48, 0.22, 4.50, 4.33),
}
CONCAVE = (1 - np.exp(-np.arange(10) / 2.2)) / (1 - np.exp(-9 / 2.2))
"""Indices rise fast at first: Table 2's minima lie farther from the means than the maxima."""
NEAR = 4.35
"""Log index above which noise is damped."""
SLOPES = dict(zip(CONTROLS, (-0.257, -0.011, 0.652, 0.051, -0.010), strict=True))
"""What the controls do to every index: as printed in Table 4 (5)."""
HALF = {"risk": 4.03, "elite": 4.02}
"""Means of the two indices that the paper leaves out."""
AHEAD = 0.19
"""Log points by which cities with a zone are ahead from the start."""
RELOCATED = np.array([0, 340, 230, 240, 25, 25, 25, 300, 80, 40, 80, 310, 30])
RAMP = np.array([0.02, 0.05, 0.08, 0.11, 0.14, 0.18, 0.75, 0.95, 1.05, 1.10])
"""Firms that move in from Beijing: cities in the end, and the path."""


ZONES = {"Beijing": 2020, "Tianjin": 2015} | dict.fromkeys(
    ("Shijiazhuang", "Tangshan", "Baoding", "Langfang"), 2019
)
MONTHS = {2015: 4, 2019: 8, 2020: 9}
OTHERS = {
    "xiongan_year": (2017, ["Baoding"]),
    "airport_year": (2019, ["Beijing", "Langfang"]),
    "olympics_year": (2022, ["Beijing", "Zhangjiakou"]),
}


def matched_sample(rng: np.random.Generator, zone_year: np.ndarray, printed: pd.DataFrame) -> Grid:
    """City-years with controls of which the rule, on the rounded raw columns, keeps 85 with 11 treated ones."""
    for _ in range(9):
        draw = Controls(rng, zone_year, printed)
        draw.walk()
        c = {k: x.ravel() for k, x in economy(np.random.default_rng(1), draw.scaled()).items()}
        c |= {"city": np.repeat(PARTNERS, 10).astype(object), "zone_year": np.repeat(zone_year, 10)}
        v = frame(c | {"year": np.tile(YEARS, 13)})
        v = v.assign(**paper.controls(v))
        v = v.assign(**paper.matching(v))
        if v["matched"].sum() == 85 and v.loc[v["matched"] == 1, "FTZ"].sum() == 11:
            return {k: v[k].to_numpy() for k in v}
    raise CalibrationError(
        "free-trade-zones: no draw of the controls keeps 85 city-years, 11 of them treated"
    )


def story(
    rng: np.random.Generator,
    effect: float = 1.0,
    spill: float = 0.0,
    trend_gap: float = 0.0,
    relocation: float = 0.0,
    leads_flat: bool = True,
) -> tuple[Grid, dict[str, Any]]:
    """Controls, zones, linkage, six indices and the 61 indicators behind them.

    Parameters
    ----------
    effect
        Times the long-run effects of `INDEX`; Tianjin and Beijing, high already, get half and a third of it.
    spill
        Share of it that reaches cities without a zone from 2019 on, falling with the distance to the nearest zone.
    trend_gap
        Share of it by which Hebei's zone cities grow faster each year, zone or not.
    relocation
        Share of it that 100 firms bring which have moved in from Beijing.
    leads_flat
        Whether differences before the zones are held at nought, as figure 2 has them.
    """
    printed = published(paper.SLUG).descriptives.set_index("variable")
    u = units("city").reset_index().set_index("name_en", drop=False).loc[PARTNERS]
    zone_year = u.index.map(ZONES).fillna(0).to_numpy(int)
    c = matched_sample(rng.spawn(1)[0], zone_year, printed)
    more = {"code": u["code"].astype(int), "city_zh": u["name_zh"], "province": u["province_en"], "area_km2": u["area_km2"],
            "zone_month": pd.Series(zone_year).map(MONTHS).fillna(0).astype(int)}  # fmt: skip
    more |= {k: year * u.index.isin(where) for k, (year, where) in OTHERS.items()}
    c |= {k: np.repeat(np.asarray(x), 10) for k, x in more.items()}
    c["relocated"] = np.round(np.outer(RELOCATED, RAMP) * np.exp(0.2 * ar1(rng, SHAPE, 0.5))).ravel()
    far = distances(PARTNERS).to_numpy()[:, (zone_year == 2019)].min(1)
    exposure = effect * np.select([u.index == "Tianjin", u.index == "Beijing", zone_year > 0], [0.5, 0.33, 1.0], spill * np.exp(-far / 150))  # fmt: skip
    truth = {
        "process": "each log index = city + year + controls + response x noise of linkage + error + long-run effect x [exposure x "
        "(1 - exp(-(years since the zone + 1) / ripening)) + relocation x firms moved in / 100 + trend_gap x zone city x (year - 2018)]",
        "effect": {k: p[3] for k, p in INDEX.items()},
        "response_to_linkage": {k: p[4] for k, p in INDEX.items() if p[4]},
        "exposure": dict(zip(PARTNERS, np.round(exposure, 4).tolist(), strict=True)),
        "ripening": 1.5,
        "slopes": SLOPES,
        "relocation": relocation,
        "trend_gap": trend_gap,
        "leads_flat": leads_flat,
    }
    c |= outcomes(rng, c, truth, printed)
    c |= indicators(rng, c)
    c["IL"] = np.exp(c["lnIL"])
    c |= stakes(rng, c["IL"].reshape(SHAPE))
    return c | leads(c), truth


def outcomes(rng: np.random.Generator, c: Grid, truth: dict[str, Any], printed: pd.DataFrame) -> Grid:
    """Linkage and indices in logs, their true shifts; Table 2's means and standard deviations hold in the matched sample."""
    d, inside, capital = frame(c), c["matched"] == 1, np.repeat(np.arange(13) < 2, 10)
    steady = sum(b * (c[k] - c[k][inside].mean()) for k, b in SLOPES.items())
    ahead = c["zone_year"][::10] > 0
    out: Grid = {}
    other = truth["relocation"] * c["relocated"] / 100 + truth["trend_gap"] * (c["zone_year"] > 0) * (
        c["year"] - 2018
    )
    linked = np.zeros(SHAPE)
    for name, (rise, cities, noise, effect, response, *top) in INDEX.items():
        link, e, level = name == "lnIL", noise * ar1(rng, SHAPE, 0.5), rng.normal(size=13)
        linked = e if link else linked
        for group in (ahead, ~ahead):  # by so much zone cities are ahead from the start, and by no more
            level[group] -= level[group].mean()
        x = rise * (np.arange(10) / 9 if link else CONCAVE) + (cities * level + AHEAD * ahead)[:, None]
        x = (x + e + response * linked).ravel() + (0 if link else steady)
        moved = np.asarray(paper.lift(d, truth, name))
        shift = moved + np.where(capital, 0, effect * other)
        mean, sd = (
            printed.loc["IL" if link else name, ["mean", "sd"]] if name not in HALF else (HALF[name], None)
        )
        x = (_exp_fitted if link else _fitted)(x, shift, inside, mean, sd)
        if not link:  # an index ends at 100: where noise would lead near it, it is less
            x = np.where(x > NEAR, NEAR + 0.2 * (x - NEAR), x)
        if not link:  # Beijing and Tianjin rise as the others do, to where they are in 2022
            path = (x - shift).reshape(SHAPE)[2:][~ahead[2:]].mean(0)
            high = np.array(top)[:, None] + path - path[-1] + 0.01 * ar1(rng, (2, 10), 0.6)
            own = moved.reshape(SHAPE)[:2]
            x[capital] = (high + own - own[:, -1:]).ravel()
        out[name], out[f"lift_{name}"], out[f"shift_{name}"] = x, moved, shift
    six = np.exp(np.stack([out[k] for k in INDICES]))
    less = {k: six * np.exp(-np.stack([out[f"{k}_{n}"] for n in INDICES])) for k in ("lift", "shift")}
    out["lnHDQ"] = np.log(six.mean(0))
    return out | {f"{k}_lnHDQ": out["lnHDQ"] - np.log(x.mean(0)) for k, x in less.items()}


def _fitted(
    x: np.ndarray, shift: np.ndarray, inside: np.ndarray, mean: float, sd: float | None
) -> np.ndarray:
    """x + shift with this mean and standard deviation inside; cities, years and noise give way, the effect does not."""
    for _ in range(30 if sd is not None else 0):
        x = x * sd / (x + shift)[inside].std(ddof=1)
    return x + shift + mean - (x + shift)[inside].mean()


def _exp_fitted(x: np.ndarray, shift: np.ndarray, inside: np.ndarray, mean: float, sd: float) -> np.ndarray:
    """The same for the exponential."""
    spread = np.log1p((sd / mean) ** 2) ** 0.5
    for _ in range(60):
        y = _fitted(x, shift, inside, 0.0, spread)
        level = np.exp(y[inside])
        spread *= (sd / mean / (level.std(ddof=1) / level.mean())) ** 0.5
    return y + np.log(mean / level.mean())


EVENTS = (
    "penalties",
    "credit_events",
    "lawsuits",
    "guarantees",
    "mortgages",
    "patents",
    "trademarks",
    "software",
)
KIND = dict.fromkeys(("firms_per_head", "average_size"), "stock")
KIND |= dict.fromkeys(("entrants", "entrants_capital", "exits", "exits_capital"), "flow")
"""Stocks are calmer than their index, flows less so."""


def single(k: str) -> str:
    """One of these events, as the recipe names it."""
    return "penalty" if k == "penalties" else k.removesuffix("s")


def indicators(rng: np.random.Generator, c: Grid) -> Grid:
    """First shapes of the raw indicators: shares and rates scatter about their index, numbers are rates times size."""
    r = paper.recipe().set_index("indicator")

    def near(k: str, noise: float = 0.04) -> np.ndarray:
        v = np.exp(c[r.at[k, "dimension"]]).reshape(SHAPE) / 100
        calm = (np.column_stack([v[:, :1], v[:, :-1]]) + v + np.column_stack([v[:, 1:], v[:, -1:]])) / 3
        v = {"stock": calm, "flow": v + 1.2 * (v - calm)}.get(KIND.get(k, ""), v)
        s = v + noise * (rng.normal(size=(13, 1)) + 0.5 * ar1(rng, SHAPE, 0.8))
        s = np.clip(s if r.at[k, "direction"] > 0 else 1 - s, 0.04, 0.98).ravel()
        low, high = r.at[k, "low"], r.at[k, "high"]
        return low * (high / low) ** s if r.at[k, "log"] else low + (high - low) * s

    size = {
        "built_up_km2": np.round(
            0.95 * c["urban_population"] * np.exp(0.02 * ar1(rng, SHAPE, 0.9).ravel()), 1
        )
    }
    d = {k: near(k) for k in r.index[r["denominator"] == ""]}
    d["firms"] = near("firms_per_head") * c["population"]
    d["capital"] = near("average_size") * d["firms"] / 1e4
    for k in ("entrants", "entrants_capital", "exits", "exits_capital"):
        d[k] = near(k) / 100 * d[r.at[k, "denominator"]]
    for k in EVENTS:
        depth = near(f"{single(k)}_depth")
        d[k] = depth * d["firms"]
        d[f"{single(k)}_breadth"] = (
            100 * depth / np.exp(0.9 + 0.05 * ar1(rng, SHAPE, 0.8).ravel())
        )  # 2.5 cases a firm
    return d | size


def stakes(rng: np.random.Generator, link: np.ndarray) -> Grid:
    """Firms by the city where they are and the city that holds the stakes; Hebei's total is its linkage, in hundreds."""
    total, into = 100 * link, np.zeros((13, 13, 10))  # host, holder, year
    pull = np.exp(-distances(PARTNERS).to_numpy() / 200) * rng.lognormal(0, 0.3, (13, 13))
    for i in range(2, 13):
        for j in range(2, 13):
            if i != j:
                into[i, j] = np.floor(0.18 * np.minimum(total[i], total[j]) * pull[i, j] / pull[i, 2:].sum())
    left = total - into.sum(1) - into.sum(0)
    share = np.array([0.52, 0.16, 0.24, 0.08])[:, None] * rng.lognormal(0, 0.1, (4, 10))
    for i in range(2, 13):
        for (host, holder), s in zip(((i, 0), (i, 1), (0, i), (1, i)), share / share.sum(0), strict=True):
            into[host, holder] = np.round(s * np.maximum(left[i], 4))
    into[0, 1], into[1, 0] = (np.round(a * np.exp(0.16 * np.arange(10))) for a in (420, 900))
    return {f"from_{k.lower()}": into[:, j].ravel() for j, k in enumerate(PARTNERS)}


def after(v: Grid) -> dict[str, Any]:
    """Effects in log points on the treated: the matched 11 cells, Hebei's 16, all 27; and what the shift is made of."""
    hebei, out = np.repeat(np.arange(13) > 1, 10), {}
    for name, cells in (("matched", v["matched"] == 1), ("Hebei", hebei), ("all", np.ones(130, bool))):
        cells = cells & (v["FTZ"] == 1)
        out[name] = {k: float(v[f"lift_{k}"][cells].mean()) for k in ("lnHDQ", *INDEX)}
    return {"effect_on_the_treated": out}


FOLLOWS = {"lnHDQ": lambda v, now: np.log(np.mean([np.exp(now[k]) for k in INDICES], axis=0))}
"""The index starts from the indices as they are now."""
WORLDS = {
    "no-effect": {"effect": 0.0, "relocation": 0.46},
    "spillover": {"effect": 1.3, "spill": 0.6},
    "diverging": {"effect": 0.25, "trend_gap": 0.12, "leads_flat": False},
}


def words() -> dict[str, tuple[str | float, ...]]:
    """The dictionary: economy and policies as in the file beside this one, the raw indicators from print and recipe."""
    given = pd.read_csv(
        Path(__file__).with_suffix(".words.csv"), index_col="column", dtype=str, keep_default_na=False
    )
    d: dict[str, tuple[str | float, ...]] = {k: tuple(row) for k, row in given.T.items()}
    for k in paper.recipe().query("indicator == numerator").itertuples():
        head = (
            k.indicator_en,
            k.indicator_zh,
            k.unit,
            "indicator",
            0,
            100 if k.unit == "%" else "",
            k.indicator_en,
        )
        d[k.indicator] = (*head, f"{k.dimension}; how it enters: free-trade-zones.recipe.csv")
    for k in EVENTS:
        d[f"{single(k)}_breadth"] = (
            *d[f"{single(k)}_breadth"][:7],
            "share of firms concerned, our reading: below cases over firms",
        )
    for k, zh in zip(PARTNERS, units("city").set_index("name_en").loc[PARTNERS, "name_zh"], strict=True):
        said = (
            "firms in science and technology services here in which firms of that city hold stakes; IL is the sum over both "
            "directions and all cities over 100: our reading of an unnamed measure, whose two printed zeros fit whole firms"
        )
        d[f"from_{k.lower()}"] = (
            f"firms with capital of {k}",
            f"{zh}资本参股的科技服务业企业数",
            "firms",
            "network",
            0,
            "",
            "IL",
            said,
        )
    return d


WORDS = words()
DICTIONARY = {k: v for k, v in WORDS.items() if k not in ("region", "lnHDQ", *CONTROLS)}
PAPER = Paper(
    paper.SLUG, ("city", "year"), paper.TABLES, story, MOVES, follows=FOLLOWS, controls=CONTROLS, free=FREE, aims=AIMS,
    constants=[("4", str(c)) for c in range(1, 6)], own=own, panel=raw, prepare=prepare, after=after, worlds=WORLDS,
    dictionary=DICTIONARY,
)  # fmt: skip
SEED = 0
"""Of the shipped files."""


NATION = {
    "cohorts": {2015: 8, 2017: 14, 2019: 18, 2020: 10},
    "effect": 0.26,
    "ripening": 1.5,
    "ahead": 0.10,
    "noise": 0.05,
    "persistence": 0.6,
}
"""The larger panel: what adequate numbers of treated cities do. Its truth stands in the truth file under `nation`."""


def nation(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, Any]]:
    """280 cities, 50 of them with a zone in four cohorts, chosen on size; the same controls, slopes and shape of effect."""
    u = units("city").reset_index()
    u = u[
        u["level"].isin(["municipality", "prefecture-level city"])
        & ~u["province_en"].isin(["Tibet", "Hainan"])
    ]
    out = rng.choice(np.flatnonzero(~u["name_en"].isin(PARTNERS)), len(u) - 280, replace=False)
    u = u.drop(index=u.index[out]).reset_index(drop=True)
    n, t, east = len(u), np.arange(10) / 9, (u["region3"] == "East").to_numpy()
    size = (
        rng.normal(size=n)
        + 0.5 * east
        + 1.5 * u["name_en"].isin(["Beijing", "Tianjin", "Shanghai", "Guangzhou", "Shenzhen"])
    )
    size = np.asarray(size)
    start = np.zeros(n, int)
    start[np.argsort(-(size + rng.logistic(size=n)))[:50]] = rng.permutation(
        np.repeat(list(NATION["cohorts"]), list(NATION["cohorts"].values()))
    )
    z, e = size[:, None], lambda sd: sd * ar1(rng, (n, 10), 0.8)
    d = {"fe": 0.6 + 0.2 * t + 0.04 * z + e(0.08), "lnstru": -0.25 + 0.5 * t + 0.12 * z + e(0.15), "urba": 0.5 + 0.11 * t + 0.06 * z + e(0.03),
         "fdi": -0.7 + 0.5 * t + 0.7 * z + e(0.3), "pgdp": np.exp(1.3 + 0.5 * t + 0.25 * z + e(0.1))}  # fmt: skip
    since = np.where(start > 0, 1, np.nan)[:, None] * (YEARS - start[:, None])
    lift = NATION["effect"] * np.where(since >= 0, 1 - np.exp(-(since + 1) / NATION["ripening"]), 0.0)
    y = (
        3.5
        + 0.36 * CONCAVE
        + NATION["ahead"] * (start > 0)[:, None]
        + 0.06 * rng.normal(size=(n, 1))
        + sum(b * d[k] for k, b in SLOPES.items())
    )
    y = y + lift + NATION["noise"] * ar1(rng, (n, 10), NATION["persistence"])
    wide = {
        "code": u["code"].astype(int),
        "city": u["name_en"],
        "province": u["province_en"],
        "region": u["region3"],
        "zone_year": start,
    }
    long = {k: np.repeat(np.asarray(x), 10) for k, x in wide.items()} | {"year": np.tile(YEARS, n)}
    table = pd.DataFrame(long | {k: np.round(x, 4).ravel() for k, x in {**d, "lnHDQ": y}.items()})
    return table, NATION | {"slopes": SLOPES, "effect_on_the_treated": float(lift[since >= 0].mean())}


def write(folder: Path | str) -> None:
    """Write the panel, its dictionary, its rival worlds and their truths, and the larger panel."""
    drawn, _ = worlds(PAPER, SEED)
    table, drawn[""].truth["nation"] = nation(np.random.default_rng([SEED, 280]))
    for d in drawn.values():
        d.write(folder, drawn[""])
    table.to_parquet(
        Path(folder) / f"{paper.SLUG}.nation.parquet", compression="zstd", compression_level=15, index=False
    )
    beside = dictionary(replace(PAPER, dictionary={k: WORDS[k] for k in table}), table)
    beside.to_csv(Path(folder) / f"{paper.SLUG}.nation.columns.csv", index=False, lineterminator="\n")
