"""How often an estimator's 95 % interval holds the truth in each world: ``python intervals.py free-trade-zones``.

Each draw is the story of a world drawn anew (cities, policy, shocks), before the engine pulls it to the print: what the
estimators do where nothing is imposed. Instructors quote the table, `intervals.csv` beside this file; its column `outcome`
says what is estimated: the scale of the outcome, the sample, or the slope.
"""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import diff_diff as dd
import numpy as np
import pandas as pd
import pyfixest as pf
from ai_innovation import TRUE
from engine import as_seen, frame
from free_trade_zones import INDICES, NEAR

import regionbook as rb

DRAWS = 60
TABLE = Path(__file__).with_name("intervals.csv")
Interval = tuple[float, float, float, float]
"""Estimate, both ends of its interval, truth."""
Found = Iterator[tuple[str, str, Interval]]
FOUND = ["estimate", "truth", "std_error", "coverage"]
"""Means over the draws; an error is a 3.92nd of the interval."""
KINDS = {"": {"CRV1": "city"}, ", HC1": "HC1"}


def around(b: float, se: float, true: float) -> Interval:
    """The usual interval."""
    return b, b - 1.96 * se, b + 1.96 * se, true


def information_consumption(panel: pd.DataFrame, columns: dict, truth: dict) -> Found:
    """Outcome, estimator, its interval; in logs and in levels, errors by city unless HC1 is said."""
    paper = rb.papers.information_consumption
    data = paper.prepare(panel)
    effects, data = paper.effects(data, truth)["quantity"], data.reset_index()
    controls = " + ".join(paper.CONTROLS)
    data = data.assign(
        level=data["quantity"], log=np.log(data["quantity"].clip(lower=1e-4)), g=data["pilot_year"]
    )
    estimators = {
        "Callaway–Sant'Anna": dd.CallawaySantAnna(estimation_method="reg", base_period="universal"),
        "imputation": dd.ImputationDiD(cluster="city"),
    }
    for y in ("level", "log"):
        true = effects[y]["mean"]
        for name, right in (("two-way", "reform"), ("two-way, controls", f"reform + {controls}")):
            m = pf.feols(f"{y} ~ {right} | city + year", data)
            for kind, errors in KINDS.items():
                yield y, name + kind, around(m.coef()["reform"], m.vcov(errors).se()["reform"], true)
        for name, e in estimators.items():
            f = e.fit(data, y, "city", "year", "g")
            yield y, name, around(f.overall_att, f.overall_se, true)


def free_trade_zones(panel: pd.DataFrame, columns: dict, truth: dict) -> Found:
    """Sample, estimator, its interval; of regressions as pyfixest has them, from t (by city: cities less 1 degrees).

    The 85 matched city-years with five controls, Hebei's eleven cities and all 13 without. The truth is what the zones do
    to the index of the sample's treated cells below the story's ceiling (`below_ceiling`).
    """
    paper = rb.papers.free_trade_zones
    data = paper.prepare(panel)
    done = frame(columns).assign(done=below_ceiling(columns)).set_index(["city", "year"])["done"]
    within = {"matched": data["matched"] == 1, "Hebei": data["province"] == "Hebei", "all": data["FTZ"] == 1}
    true = {k: float(done[inside & (data["FTZ"] == 1)].mean()) for k, inside in within.items()}
    data = data.reset_index().assign(g=lambda d: d["zone_year"], hundred=lambda d: d["relocated"] / 100)
    X, hebei = " + ".join(paper.CONTROLS), data[data["province"] == "Hebei"]
    matched = data[data["matched"] == 1]
    for sample, name, rows, right in (
        ("matched", "two-way", matched, f"FTZ + {X}"),
        ("matched", "beside relocated firms", matched, f"FTZ + hundred + {X}"),
        ("Hebei", "two-way", hebei, "FTZ"),
        ("all", "two-way", data, "FTZ"),
    ):
        m = pf.feols(f"lnHDQ ~ {right} | city + year", rows)
        for kind, errors in KINDS.items():
            low, high = m.vcov(errors).confint().loc["FTZ"]
            yield sample, name + kind, (m.coef()["FTZ"], low, high, true[sample])
    side = hebei.groupby(["city", hebei["year"] >= 2019])["lnHDQ"].mean().unstack()
    treated = (hebei.groupby("city")["zone"].max() == 1).loc[side.index].to_numpy()
    gain = (side[True] - side[False]).to_numpy()
    for name, method in (("deals of cities", deals), ("Conley–Taber", conley_taber)):
        yield "Hebei", name, (*method(gain, treated), true["Hebei"])
    group = dd.CallawaySantAnna(estimation_method="reg", base_period="universal")
    f = group.fit(hebei, "lnHDQ", "city", "year", "g")
    yield "Hebei", "Callaway–Sant'Anna", around(f.overall_att, f.overall_se, true["Hebei"])
    weighted = dd.SyntheticDiD(variance_method="placebo", n_bootstrap=200, seed=1)
    s = weighted.fit(hebei, "lnHDQ", "zone", "city", "year", post_periods=[2019, 2020, 2021, 2022])
    yield "Hebei", "synthetic DID", around(s.att, s.se, true["Hebei"])


def below_ceiling(columns: dict) -> np.ndarray:
    """Log points by which the zones move the index of each city-year in the story itself.

    An index ends at 100, so the story presses what lies above `NEAR` to a fifth, effects included; the truth file's effects
    are those before that. Beijing and Tianjin are set apart from it.
    """
    six, lift = (np.stack([columns[f"{start}{k}"] for k in INDICES]) for start in ("", "lift_"))
    before = np.where(six > NEAR, NEAR + (six - NEAR) / 0.2, six) - lift
    without = np.where(before > NEAR, NEAR + 0.2 * (before - NEAR), before)
    without = np.where(columns["province"] == "Hebei", without, six - lift)
    return np.asarray(np.log(np.exp(six).mean(axis=0) / np.exp(without).mean(axis=0)))


def deals(gain: np.ndarray, treated: np.ndarray) -> tuple[float, float, float]:
    """Difference of mean gains, and the effects that the test over all deals of the zones does not reject at 5 %.

    With an effect e taken out, a deal's difference a - c e is as large as the real one, b - e, for all e between
    (b - a) / (1 - c) and (b + a) / (1 + c).
    """
    n, few = len(gain), int(treated.sum())
    dealt = np.array([np.isin(range(n), s) for s in combinations(range(n), few)])
    dealt = dealt[(dealt != treated).any(axis=1)]  # the real deal is always as large as itself
    weights = dealt / few - ~dealt / (n - few)
    a, c = weights @ gain, weights @ treated
    b = float(gain[treated].mean() - gain[~treated].mean())
    low, high = np.sort([(b - a) / (1 - c), (b + a) / (1 + c)], axis=0)
    least = int(0.05 * (len(dealt) + 1))
    return b, np.sort(low)[least - 1], np.sort(high)[-least]


def conley_taber(gain: np.ndarray, treated: np.ndarray) -> tuple[float, float, float]:
    """The same difference; its noise is drawn from the gains of cities without a zone."""
    e = gain[~treated] - gain[~treated].mean()
    b = float(gain[treated].mean() - gain[~treated].mean())
    noise = np.random.default_rng(1).choice(e, (9999, treated.sum())).mean(axis=1)
    low, high = b - np.quantile(noise, [0.975, 0.025])
    return b, low, high


def ai_innovation(panel: pd.DataFrame, columns: dict, truth: dict) -> Found:
    """Slope, estimator, its interval; five controls but in "two-way", errors by city unless another kind is said.

    The true elasticity is what a regression of the true lift on true AI, which is in no file, finds; the true steps are
    the story's, at 39 and 484 firms as given. The world `smooth` has no steps.
    """
    paper, grid = rb.papers.ai_innovation, frame(columns)
    true, X = as_seen(TRUE, grid, "lift")["true_ai"], " + ".join(paper.CONTROLS)
    hidden = grid.set_index(["city", "year"])["true_ai"]
    data = paper.prepare(panel).assign(true_ai=hidden).reset_index()
    data = data.assign(s1=data["ai"] * (1 - data["ai_1"]), s2=data["ai"] * data["ai_3"])
    for name, formula, term in (
        ("two-way", "inn ~ ai | city + year", "ai"),
        ("two-way, controls", f"inn ~ ai + {X} | city + year", "ai"),
        ("province by year", f"inn ~ ai + {X} | city + province^year", "ai"),
        ("true AI", f"inn ~ true_ai + {X} | city + year", "true_ai"),
        ("true AI, province by year", f"inn ~ true_ai + {X} | city + province^year", "true_ai"),
        ("2SLS", f"inn ~ {X} | city + year | ai ~ iv", "ai"),
    ):
        m = pf.feols(formula, data)
        for kind, errors in KINDS.items():
            yield "elasticity", name + kind, around(m.coef()[term], m.vcov(errors).se()[term], true)
    for name, effects in (("city effects", "city"), ("city and year effects", "city + year")):
        m = pf.feols(f"inn ~ ai + s1 + s2 + {X} | {effects}", data)
        for kind, errors in (("", {"CRV1": "city"}), (", conventional", "iid")):
            se = m.vcov(errors).se()
            for term, cut, step in zip(("s1", "s2"), truth["thresholds"], truth["steps"], strict=False):
                yield f"step at {cut}", name + kind, around(m.coef()[term], se[term], step)


ESTIMATORS: dict[str, Callable[[pd.DataFrame, dict, dict], Found]] = {
    "information-consumption": information_consumption,
    "free-trade-zones": free_trade_zones,
    "ai-innovation": ai_innovation,
}
"""Paper -> what is estimated in each draw, from its panel, the story's columns and its truth."""


def table(slug: str, draws: int = DRAWS) -> pd.DataFrame:
    """Mean estimate, mean truth and coverage by world, outcome and estimator."""
    paper, rows = importlib.import_module(slug.replace("-", "_")).PAPER, []
    for world, parameters in {"shipped": {}, **paper.worlds}.items():
        for seed in range(draws):
            print(f"\r{slug}, {world}: {seed + 1} of {draws}", end="", file=sys.stderr)
            columns, truth = paper.story(np.random.default_rng(seed), **parameters)
            panel = paper.panel(columns).set_index(list(paper.index))
            for outcome, name, (b, low, high, true) in ESTIMATORS[slug](panel, columns, truth):
                rows.append((world, outcome, name, b, true, (high - low) / 3.92, low < true < high))
    print(file=sys.stderr)
    found = pd.DataFrame(rows, columns=["world", "outcome", "estimator", *FOUND])
    out = found.groupby(["world", "outcome", "estimator"], sort=False).mean().round(3).reset_index()
    return out.assign(slug=slug, draws=draws)[["slug", "draws", *out.columns]]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for slug in sys.argv[1:] or ESTIMATORS:
        new = table(slug)
        old = pd.read_csv(TABLE).query("slug != @slug") if TABLE.exists() else None
        pd.concat([old, new]).to_csv(TABLE, index=False)
        print(new.to_string(index=False))
