"""Make dyadic_size.csv: how often a true hypothesis is rejected at 5 %. Takes half a minute.

python tests/data/dyadic_size.py
"""

from pathlib import Path

import pandas as pd

from regionbook.models import dyadic_size

DRAWS, SEED = 1000, 20260711
CASES = [(shared, units) for shared in (0.0, 0.5) for units in (20, 40, 80)]


def study(shared: float, units: int) -> pd.DataFrame:
    found = dyadic_size(units, draws=DRAWS, shared=shared, seed=SEED).reset_index()
    found.insert(0, "units", units)
    found.insert(0, "shared", shared)
    return found


if __name__ == "__main__":
    table = pd.concat([study(*case) for case in CASES])
    table.round(6).to_csv(Path(__file__).with_suffix(".csv"), index=False)
