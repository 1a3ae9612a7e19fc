"""Numbers of a paper's text that follow from other printed ones or from the size of its panel."""

from typing import Any

import pandas as pd

from regionbook.data import Published, published
from regionbook.paths import data_file

LEVEL = {"***": 1.0, "**": 5.0, "*": 10.0}
"""Stars -> significance level in per cent; without stars the one that is missed, 10."""
Place = tuple[str, str, str]
"""Table, column and row of other.csv."""


def computed(slug: str, panel: pd.DataFrame | None = None) -> dict[str, dict[Place, float]]:
    """Return the numbers of a paper that ``data/published/computed.csv`` says how to compute: source -> place -> number.

    A row's `formula` is a fact of the ``panel`` (see `size`), or arithmetic on printed numbers, which its `parts` name in
    turn a, b, c …: ``table|column|row`` of other.csv (also of a coefficient or a statistic), ``level
    table|column|term`` for the significance level behind the stars, ``distinct dimension`` for how many an index has.

    Examples
    --------
    >>> round(computed("equipment-tfp")["print"]["prose", "mean yearly growth of TECHCH", "conclusion 1"], 1)
    9.8
    """
    rows = pd.read_csv(data_file("published", "computed.csv"), dtype=str, keep_default_na=False)
    rows, p = rows[rows["slug"].eq(slug)], published(slug)
    facts = {} if panel is None else size(panel)
    printed = _printed(p)
    found: dict[str, dict[Place, float]] = {"panel": {}, "print": {}}
    for _, *place, formula, parts in rows.itertuples(index=False):
        if not parts:
            found["panel"] |= {tuple(place): facts[formula]} if facts else {}
            continue
        values = [printed[part] for part in parts.split("; ")]
        names = dict(zip("abcdefgh", values, strict=False))
        value = max(values) if formula == "max" else pd.eval(formula, local_dict=names)
        found["print"][tuple(place)] = value
    return found


def size(panel: pd.DataFrame) -> dict[str, float]:
    """Units, years, first and last year, and observations of a panel."""
    units, years = (panel.index.unique(k) for k in (0, 1))
    ends = {"first year": years.min(), "last year": years.max()}
    return {"units": len(units), "years": len(years), "observations": len(panel)} | ends


def _printed(p: Published) -> dict[str, Any]:
    """Every printed number, level and count that a part may name."""
    found: dict[str, Any] = {
        f"distinct {k}": p.indicators[k].nunique() for k in ("dimension", "subdimension")
    }
    for frame, row, value in (
        (p.fit, "stat", "value"),
        (p.estimates, "term", "estimate"),
        (p.other, "row", "value"),
    ):
        at = frame["table"] + "|" + frame["column"] + "|" + frame[row]
        found |= dict(zip(at, frame[value], strict=True))
    at = "level " + p.estimates["table"] + "|" + p.estimates["column"] + "|" + p.estimates["term"]
    return found | dict(zip(at, p.estimates["stars"].map(LEVEL).fillna(10.0), strict=True))
