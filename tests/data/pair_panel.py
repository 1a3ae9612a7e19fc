"""Make pair_panel.csv: what the panel of pairs, which is built and not shipped, must hold. Takes some seconds.

python tests/data/pair_panel.py
"""

from pathlib import Path

import numpy as np
import pandas as pd

import regionbook as rb


def checksums(panel: pd.DataFrame) -> pd.DataFrame:
    """Of each column: cells that are not empty, their sum, and the sum with weights that tell rows apart."""
    weights = np.modf(np.arange(len(panel)) * np.sqrt(2))[0]
    rows = {}
    for name, column in panel.items():
        x = column.cat.codes if isinstance(column.dtype, pd.CategoricalDtype) else column
        x = x.to_numpy(float)
        rows[name] = {"count": np.isfinite(x).sum(), "sum": np.nansum(x), "weighted": np.nansum(weights * x)}
    return pd.DataFrame(rows).T.astype({"count": int}).rename_axis("column")


if __name__ == "__main__":
    checksums(rb.load("knowledge-flows")).to_csv(Path(__file__).with_suffix(".csv"), float_format="%.12g")
