"""How often an estimator's 95 % interval holds the truth, in draws of each world: ``python intervals.py information-consumption``.

Each draw is a panel as a student gets it, from the shipped panel or from a rival world, with its own noise and its own
true effect; a draw that `redraw.first_steady` refuses is left out. The printed columns are held near the print, so the
rows in levels say how wrong the print may be, not how it varies. The table `intervals.csv` beside this file is what instructors quote.
"""

import contextlib
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import regionbook as rb
from regionbook import registry

DRAWS = 20
TABLE = Path(__file__).with_name("intervals.csv")
Interval = tuple[float, float, float]
"""Estimate, standard error, truth."""


def information_consumption(panel: pd.DataFrame, truth: dict) -> Iterator[tuple[str, str, Interval]]:
    """Outcome, estimator, its interval; in logs and in levels, errors by city unless HC1 is said."""
    import diff_diff as dd
    import pyfixest as pf

    data = rb.prepare("information-consumption", panel).reset_index()
    controls = " + ".join(rb.papers.information_consumption.CONTROLS)
    data = data.assign(
        level=data["quantity"], log=np.log(data["quantity"].clip(lower=1e-4)), g=data["pilot_year"]
    )
    estimators = {
        "Callaway–Sant'Anna": dd.CallawaySantAnna(estimation_method="reg", base_period="universal"),
        "imputation": dd.ImputationDiD(cluster="city"),
    }
    for y in ("level", "log"):
        true = truth["effect_on_the_treated"]["quantity"][y]["mean"]
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


def table(slug: str, worlds: list[str | None], draws: int = DRAWS) -> pd.DataFrame:
    """Mean estimate, mean truth and coverage by world, outcome and estimator."""
    draw, rows = registry.module(slug).redrawn, []
    for world in worlds:
        panel, truth = rb.load(slug, world=world), rb.truth(slug, world=world)
        for seed in range(draws):
            print(f"\r{slug}, {world or 'shipped'}: {seed + 1} of {draws}", end="", file=sys.stderr)
            with contextlib.suppress(RuntimeError):  # a draw that cannot keep its residual
                for outcome, name, (b, se, true) in ESTIMATORS[slug](*draw(panel, truth, seed)):
                    rows.append((world or "shipped", outcome, name, b, true, abs(b - true) < 1.96 * se))
    print(file=sys.stderr)
    found = pd.DataFrame(rows, columns=["world", "outcome", "estimator", "estimate", "truth", "coverage"])
    by = found.assign(draws=1.0).groupby(["world", "outcome", "estimator"], sort=False)
    out = by[["estimate", "truth", "coverage"]].mean().round(3).assign(draws=by.size()).reset_index()
    return out.assign(slug=slug)[["slug", *out.columns]]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for slug in sys.argv[1:] or ESTIMATORS:
        known = importlib.import_module(slug.replace("-", "_")).WORLDS
        new = table(slug, [None, *known])
        old = pd.read_csv(TABLE).query("slug != @slug") if TABLE.exists() else None
        pd.concat([old, new]).to_csv(TABLE, index=False)
        print(new.to_string(index=False))
