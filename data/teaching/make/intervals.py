"""How often an estimator's 95 % interval holds the truth in each world: ``python intervals.py information-consumption``.

Each draw is the story of a world drawn anew (cities, pilots, shocks), before the engine pulls it to the print: what the
estimators do where nothing is imposed. Instructors quote the table, `intervals.csv` beside this file.
"""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import regionbook as rb

DRAWS = 60
TABLE = Path(__file__).with_name("intervals.csv")
Interval = tuple[float, float, float]
"""Estimate, standard error, truth."""
FOUND = ["estimate", "truth", "std_error", "coverage"]
"""Means over the draws."""


def information_consumption(panel: pd.DataFrame, truth: dict) -> Iterator[tuple[str, str, Interval]]:
    """Outcome, estimator, its interval; in logs and in levels, errors by city unless HC1 is said."""
    import diff_diff as dd
    import pyfixest as pf

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
            m = pf.feols(f"{y} ~ {right} | city + year", data, vcov={"CRV1": "city"})
            b, se = m.coef()["reform"], m.se()["reform"]
            yield y, name, (b, se, true)
            yield y, f"{name}, HC1", (b, m.vcov("HC1").se()["reform"], true)
        for name, e in estimators.items():
            f = e.fit(data, y, "city", "year", "g")
            yield y, name, (f.overall_att, f.overall_se, true)


ESTIMATORS: dict[str, Callable] = {"information-consumption": information_consumption}
"""Paper -> what is estimated in each draw."""


def table(slug: str, draws: int = DRAWS) -> pd.DataFrame:
    """Mean estimate, mean truth and coverage by world, outcome and estimator."""
    paper, rows = importlib.import_module(slug.replace("-", "_")).PAPER, []
    for world, parameters in {"shipped": {}, **paper.worlds}.items():
        for seed in range(draws):
            print(f"\r{slug}, {world}: {seed + 1} of {draws}", end="", file=sys.stderr)
            columns, truth = paper.story(np.random.default_rng(seed), **parameters)
            panel = paper.panel(columns).set_index(list(paper.index))
            for outcome, name, (b, se, true) in ESTIMATORS[slug](panel, truth):
                rows.append((world, outcome, name, b, true, se, abs(b - true) < 1.96 * se))
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
