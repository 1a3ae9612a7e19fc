"""What the simulators of all papers share: the result, random streams, the draw that is tried again, the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from first_four._calibrate import CalibrationError
from regionbook.paths import data_file


@dataclass(frozen=True)
class Simulated:
    """A simulated panel and the truth behind it.

    Attributes
    ----------
    panel : DataFrame
        The raw columns, in the order of the shipped CSV.
    truth : dict
        Parameters of the process, seed and mode, targets and what was reached; JSON-able.
    """

    panel: pd.DataFrame
    truth: dict[str, Any]

    def write(self, slug: str, folder: Path | str) -> None:
        """Write ``<slug>.csv`` and ``<slug>.truth.json`` to a folder."""
        self.panel.to_csv(
            Path(folder) / f"{slug}.csv", index=False, lineterminator="\n", float_format="%.10g"
        )
        write_truth(self.truth, Path(folder) / f"{slug}.truth.json")


def write_truth(truth: dict[str, Any], file: Path) -> None:
    """Write a truth file."""
    file.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def write_world(
    name: str,
    rival: pd.DataFrame,
    truth: dict[str, Any],
    shipped: pd.DataFrame,
    keys: list[str],
    folder: Path,
) -> None:
    """Write a rival world: the columns that differ from the shipped table, in Parquet, and its truth.

    Parameters
    ----------
    name : str
        ``<slug>.<world>``.
    rival, shipped : DataFrame
        The table in both worlds, rows in the same order.
    truth : dict
        Truth of the rival world.
    keys : list of str
        The columns that name a row.
    folder : Path
        Where to write.
    """
    if not rival[keys].equals(shipped[keys]):
        raise ValueError(f"{name}: rows are not those of the shipped table; they are matched by {keys}")
    moved = [c for c in shipped if not rival[c].equals(shipped[c])]
    rival[keys + moved].to_parquet(
        folder / f"{name}.parquet", compression="zstd", compression_level=15, index=False
    )
    write_truth(truth, folder / f"{name}.truth.json")


def streams(names: Sequence[str], seed: int, *attempt: int) -> dict[str, np.random.Generator]:
    """Independent random streams by name, so that a change in one part leaves the others alone."""
    return {name: np.random.default_rng([seed, i, *attempt]) for i, name in enumerate(names)}


def first_that_fits(slug: str, seed: int, attempts: int, draw: Callable[[int], Simulated]) -> Simulated:
    """The first of ``draw(0)``, ``draw(1)``, … that meets its targets, on one thread: the matrices are small.

    Raises
    ------
    CalibrationError
        If none of ``attempts`` does; the message holds the last reason.
    """
    trouble = "none"
    for attempt in range(attempts):
        try:
            with threadpool_limits(1):
                return draw(attempt)
        except CalibrationError as error:
            trouble = str(error)
    raise CalibrationError(f"{slug}, seed {seed}: no draw meets its targets. Last: {trouble}")


def by_dictionary(slug: str, panel: pd.DataFrame) -> pd.DataFrame:
    """The columns of ``data/teaching/<slug>.columns.csv``, in its order and with its types."""
    types = pd.read_csv(data_file("teaching", f"{slug}.columns.csv")).set_index("column")["dtype"]
    whole = types.index[types == "int"]
    return panel[list(types.index)].astype(dict.fromkeys(whole, "int64"))
