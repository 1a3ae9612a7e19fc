"""Variables of Cai and Xia (2025): digital patents of 290 cities, two batches of pilots, controls, channels."""

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from regionbook.index import pca_index

from . import redraw
from .declare import regressions
from .redraw import Array

CONTROLS = ["pgdp", "fiscal", "lnpop", "structure", "lnstudents"]
"""The five controls as the regressions use them."""
OUTCOMES = ["quantity", "quality"]
"""Utility models and inventions applied for, in 10,000."""
TIMES = {"quantity": 1.0, "quality": 1.2}
"""Outcome -> effect in log points, relative to that on quantity."""
CHANNELS = ["research", "start", "finance", "digital", "information"]
"""The five outcomes of Table 4, column by column."""
PATENTS = {"quantity": "utility_applied", "quality": "invention_applied"}
PATENTS |= {"quantity_grant": "utility_granted", "quality_grant": "invention_granted"}
"""Outcome -> raw count of patents."""
TELECOM = ["broadband_users", "mobile_users", "telecom_revenue"]
OPTIONAL = ["new_firms", "finance_index", "it_staff", *TELECOM]
"""Raw columns of channels that a panel may lack; the channel is then missing."""


def policies(d: Any) -> dict[str, Any]:
    """Return pilot and other policies as dummies of city-years, from raw columns (a frame, or a dict of arrays)."""
    start = np.select([d["batch"] == 1, d["batch"] == 2], [2014, 2015], 0) * (d["county_only"] == 0)
    v = {"pilot_year": start, "reform": ((start > 0) & (d["year"] >= start)) * 1}
    for name in ("demonstrate", "broadband", "smart_city"):
        begun = d["demonstration_year" if name == "demonstrate" else f"{name}_year"]
        v[name] = ((begun > 0) & (d["year"] >= begun)) * 1
    return v


def controls(d: Any) -> dict[str, Any]:
    """Return the five controls and the class of city size, from raw columns (a frame, or a dict of arrays)."""
    return {
        "pgdp": d["gdp"] / d["population"],
        "fiscal": d["fiscal_exp"] / d["gdp"],
        "lnpop": np.log(d["population"]),
        "structure": d["secondary_employment"] / d["employment"],
        "lnstudents": np.log(d["students"]),
        "size_class": np.digitize(d["population"], [100, 500, 1000]),
    }


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with outcomes, treatments, controls, channels and size classes.

    Patents are in 10,000; research is patents granted per 10,000 persons, start new firms per 1,000, digital the first
    principal component of broadband, mobile telephones and telecom revenue per head, scaled to 0-1 over the panel.
    `pilot_year` is the first treated year, 0 for a city that is never treated.
    """
    panel = panel.reindex(columns=[*panel, *(k for k in OPTIONAL if k not in panel)])
    d = panel.assign(year=panel.index.get_level_values("year"))
    people = d["population"]
    new = {y: d[count] / 1e4 for y, count in PATENTS.items()}
    new |= {"research": d["patents_granted"] / people, "start": d["new_firms"] / (10 * people)}
    new |= {"finance": d["finance_index"], "information": d["it_staff"] / (1e4 * d["employment"])}
    three = d[TELECOM].div(people, axis=0).dropna()
    score = pca_index(three, components=1).score if len(three) else pd.Series(np.nan, panel.index)
    new["digital"] = (score - score.min()) / (score.max() - score.min())
    return panel.assign(**policies(d), **controls(d), **new)


TABLES = regressions("information-consumption", CONTROLS)
"""The printed regressions; brackets hold t values by heteroskedasticity-robust errors."""


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives: pilots, the years that figure 1 shows."""
    cities = panel.groupby("city")[["batch", "pilot_year"]].first()
    areas, starts = cities["batch"].value_counts(), cities.groupby("batch")["pilot_year"].max()
    found = {
        ("prose: policy", "pilot cities in total", "both batches"): areas[1] + areas[2],
        ("prose: policy", "number of batches", "both batches"): (areas.index > 0).sum(),
        ("prose: placebo", "cities drawn as pseudo-treated", "design"): (cities["pilot_year"] > 0).sum(),
    }
    for batch, name in ((1, "first batch"), (2, "second batch")):
        found["prose: policy", "pilot areas", name] = areas[batch]
        found["prose: policy", "reform = 1 from", name] = starts[batch]
    mean = panel[panel["pilot_year"] > 0].groupby("year")[OUTCOMES].mean()
    falls = mean["quality"].diff()
    found["figure 1", "year of the peak", "quantity"] = mean["quantity"].idxmax()
    found["figure 1", "year of a short dip", "quality"] = falls.loc[:2022].idxmin()
    return {place: float(value) for place, value in found.items()}


# ------------------------------------------------------------------------------------------------ a student's panel
def lift(data: pd.DataFrame, truth: dict[str, Any]) -> pd.Series:
    """Log points by which the pilot moves quantity in each city-year, as a truth file says (quality: 1.2 times)."""
    year, f = data.index.get_level_values("year"), truth["factors"]
    years = np.where(data["reform"] == 1, year - data["pilot_year"] + 1, 0)
    ahead = (data["municipality"] == 1) | (data["demonstration_year"] > 0)
    more = data["region"].map(f) * np.where(ahead, f["demonstration city or municipality"], 1.0)
    return truth["log_effect"]["quantity"] * (1 - np.exp(-years / truth["ripening"])) * more


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`.

    Patents are drawn in logs, where the effect is; one projection, in which a cell moves in proportion to its level,
    then brings all printed columns in levels to what the changed effect implies. Grants follow applications. The
    composite `digital` stays as shipped.
    """
    rng, data = np.random.default_rng([seed, 5]), prepare(panel)
    grid = redraw.Grid(data)
    step = grid.full(lift(data, shipped))
    drawn, factor = _applications(grid, step, rng)
    for name, times in TIMES.items():
        fit = grid.fit(next(c for c in TABLES if c.outcome == f"{name}_grant"))
        start = fit.y * drawn[name] / np.where(grid.kept, grid.full(data[name]), 1.0)
        goal = fit.rows[:1] @ (fit.y * np.exp((factor - 1) * times * step) - start)
        drawn[f"{name}_grant"] = start + redraw.project(0 * start, fit.rows[:1], goal, start**2)
    channels = {}
    for name in ("research", "start", "finance", "information"):
        fit, channels[name] = grid.fit(next(c for c in TABLES if c.outcome == name)), redraw.factor(rng)
        part = (channels[name] - 1) * (fit.rows @ fit.y)[0] * grid.full(data["reform"])
        drawn[name] = redraw.outcome(fit, part, rng, turn=0.5, lower=0.7 * fit.y, upper=1.4 * fit.y)
    new = panel.assign(**_raw(panel, {k: v[grid.kept] for k, v in drawn.items()}))
    truth = redraw.truth_of(
        shipped, seed, "process", "ripening", "factors", "trend_gap", "leads_flat", "other_policies",
        factor=factor, factor_of_channels=channels,
        log_effect={k: round(b * factor, 4) for k, b in shipped["log_effect"].items()},
    )  # fmt: skip
    return new, truth | {"effect_on_the_treated": effects(prepare(new), truth)}


def _applications(grid: redraw.Grid, step: Array, rng: np.random.Generator) -> tuple[dict[str, Array], float]:
    """Both outcomes in levels and the factor of their effect; one that either outcome cannot hold is drawn again."""
    for _ in range(40):
        factor = redraw.factor(rng)
        with suppress(RuntimeError):
            return {y: _patents(grid, y, k * step, rng, factor) for y, k in TIMES.items()}, factor
    raise RuntimeError("no factor of the effect lets both outcomes keep their residuals")


def _patents(grid: redraw.Grid, name: str, step: Array, rng: np.random.Generator, factor: float) -> Array:
    """An outcome in levels whose effect is multiplied by a factor."""
    key = ("1", "2" if name == "quantity" else "4")
    fits = {c.key: grid.fit(c) for c in TABLES if c.outcome == name}
    main, rows, part = fits[key], redraw.binding(fits, key, CONTROLS), (factor - 1) * step
    y = main.y
    log = grid.fit(main.column, np.log(np.where(grid.kept, y, np.nan)))

    length = float(np.linalg.norm(main.residual(y)))

    def reach(start: Array, move: Array, share: float) -> Array:
        """As much of a move as brings the residual to a share of its length, at most all of it."""
        a, b = main.residual(y + start), main.residual(move)
        p, q, r = b @ b, a @ b, a @ a - (share * length) ** 2
        root = np.sign(share - 1) * np.sqrt(np.maximum(q * q - p * r, 0.0))
        return start + move * np.clip((-q + root) / p, 0.0, 1.0)

    def draw() -> tuple[Array, None]:
        z = redraw.outcome(log, part, rng, turn=0.35, path=0.05 * log.walk(rng) * grid.kept)
        effect, e = y * np.expm1(part), main.residual(y)
        calm = redraw.project(effect, rows, rows @ effect, y**2)
        quiet = redraw.project(-np.clip(e, -y / 3, y / 3), rows, 0 * rows[:, 0], y**2)
        loud = redraw.project(np.where(grid.kept, np.exp(z), 0.0) - y, rows, rows @ effect, y**2)
        calm = reach(calm, quiet, 0.97)
        return y + reach(calm, loud - calm, 1.03), None

    return redraw.first_steady(draw, main, tries=3)[0]


def effects(data: pd.DataFrame, truth: dict[str, Any]) -> dict[str, Any]:
    """Effects on the treated cells in log points and in 10,000 patents: the mean, and by years since the pilot."""
    treated = data[data["reform"] == 1]
    since, out = treated.index.get_level_values("year") - treated["pilot_year"], {}
    for name, times in TIMES.items():
        both = pd.DataFrame({"log": times * lift(treated, truth)})
        both["level"] = treated[name] * (1 - np.exp(-both["log"]))
        out[name] = {k: {"mean": both[k].mean()} | both[k].groupby(since).mean().to_dict() for k in both}
    return out


def _raw(panel: pd.DataFrame, drawn: dict[str, Array]) -> dict[str, Any]:
    """Raw columns that give the variables; what the panel lacks stays missing."""
    new: dict[str, Any] = {raw: np.round(1e4 * drawn[y]).astype(int) for y, raw in PATENTS.items()}
    people = panel["population"].to_numpy()
    digital = new["utility_granted"] + new["invention_granted"]
    new["patents_granted"] = np.maximum(np.round(drawn["research"] * people), digital).astype(int)
    new["new_firms"] = np.round(10 * drawn["start"] * people)
    new["it_staff"] = np.round(1e4 * drawn["information"] * panel["employment"].to_numpy())
    new["finance_index"] = np.round(drawn["finance"], 2)
    return {k: np.where(panel[k].isna(), np.nan, v) if panel[k].isna().any() else v for k, v in new.items()}
