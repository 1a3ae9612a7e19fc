"""Make threshold.csv: what the Python package pyxthreg 0.0.3 (after Stata's xthreg; MIT) finds in panels made here.

pip install pyxthreg==0.0.3; python tests/data/threshold.py
"""

from pathlib import Path

import numpy as np
import pandas as pd

CASES = [(seed, thresholds, two_way) for seed in (1, 2) for thresholds in (1, 2) for two_way in (False, True)]


def panel(seed: int, units: int = 60, periods: int = 8) -> pd.DataFrame:
    """Two regressors whose slopes change at -0.3 and 0.8 of q, a control; q has ties; effects of unit and period."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(units * periods, 5)).round(3), columns=["y", "r", "s", "x", "q"])
    frame["id"], frame["t"] = np.divmod(np.arange(len(frame)), periods)
    frame["q"] = frame["q"].round(2)
    slope = 1 + 0.8 * (frame["q"] > -0.3) - 1.2 * (frame["q"] > 0.8)
    frame["y"] += slope * frame["r"] + 0.5 * frame["s"] - 0.4 * frame["x"]
    frame["y"] += 0.1 * frame["id"] % 3 + 0.2 * frame["t"]
    return frame


def pyxthreg(frame: pd.DataFrame, thresholds: int, two_way: bool) -> dict[str, float]:
    from pyxthreg import ThresholdPanel

    fit = ThresholdPanel(frame, "y", ["r", "s"], "q", ["x"], "id", "t")
    how = {"thnum": thresholds, "trim": 0.05, "grid": 0, "bs": 1, "nobslog": True, "n_jobs": 1}
    found = fit.fit(**how, time_fe=two_way).results
    out = {f"threshold {j}": v for j, v in enumerate(sorted(found["thresholds"]), 1)}
    out |= {f"beta {j}": v for j, v in enumerate(np.ravel(found["beta"]))}
    out |= {f"se {j}": v for j, v in enumerate(np.ravel(found["se"]))}
    return out | {"ssr": found["ssrs"][-1], "F 1": found["boot_results"][0]["F_stat"]}


if __name__ == "__main__":
    rows = [
        (*case, quantity, value)
        for case in CASES
        for quantity, value in pyxthreg(panel(case[0]), *case[1:]).items()
    ]
    table = pd.DataFrame(rows, columns=["seed", "thresholds", "two_way", "quantity", "value"])
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.12g", lineterminator="\n")
