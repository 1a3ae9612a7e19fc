"""A table that the user typed from any paper."""

from pathlib import Path
from typing import TypeAlias

import pandas as pd

from regionbook.data import DataError
from regionbook.data.errors import near_words
from regionbook.data.figures import FIGURES, Published, checked_figures
from regionbook.data.files import read_csv
from regionbook.paths import data_file

Source: TypeAlias = str | Path | pd.DataFrame | None

_TYPED = {
    "estimates": ["column", "term", "estimate", "paren", "paren_kind", "stars"],
    "fit": ["column", "stat", "value"],
    "descriptives": ["variable"],
}
"""What a user's own table of each kind has to have."""


def own_figures(estimates: Source, fit: Source, descriptives: Source) -> Published:
    """The user's own tables as the figures of a paper without a name."""
    given = {"estimates": estimates, "fit": fit, "descriptives": descriptives}
    citation = {"indicator_table": ""}
    return Published("", citation, **{kind: _typed(given.get(kind), kind) for kind in FIGURES})


def _typed(source: Source, kind: str) -> pd.DataFrame:
    """A table of figures that the user typed, as a file or a frame, held to the schema of its kind.

    Columns that one need not give are empty; ``table`` is 1. A frame's numbers are taken as they are written, so that
    0.0020 as a float has three decimals: give text, or a file, where the last zero counts.
    """
    wanted, where = FIGURES[kind]["columns"].split(), f"{kind} (data frame)"
    frame = pd.DataFrame() if source is None else source
    if not isinstance(frame, pd.DataFrame):
        where, frame = Path(frame).name, read_csv(Path(frame))
    frame = frame.reset_index(drop=True).astype(object)
    frame = frame.where(frame.notna(), "").astype(str)
    needed: list[str] = [] if source is None else [c for c in _TYPED[kind] if c not in frame]
    problems = [f"{', '.join(needed)} missing; needed are {', '.join(_TYPED[kind])}"] if needed else []
    if unknown := [c for c in frame if c not in wanted]:
        problems.append(
            f"unknown: {', '.join(unknown)}{near_words(unknown, wanted)}; there are {', '.join(wanted)}"
        )
    if problems:
        template = data_file("published", f"template.{kind}.csv")
        raise DataError(where, [f"columns {p}; {template} shows how to type a table" for p in problems])
    frame = frame.reindex(columns=wanted, fill_value="")
    return checked_figures(frame.replace({"table": {"": "1"}}), kind, where)
