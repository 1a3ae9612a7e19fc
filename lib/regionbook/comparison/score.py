"""The scorecard: what all stored lessons reproduce."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.comparison.printed import cells_of
from regionbook.comparison.table import MIME, significant
from regionbook.comparison.verdicts import STATUSES
from regionbook.data import each, papers
from regionbook.paths import ROOT


def recorded(chapters: Path | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Return what the stored lessons recorded: (notebook, entry), in the order of the notebooks."""
    chapters = chapters or ROOT / "chapters"
    found = []
    for path in sorted(chapters.glob("*/*.ipynb")):
        notebook = json_.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                found += [(path.name, entry) for entry in output.get("data", {}).get(MIME, [])]
    return found


def scorecard(json: bool = False, *, chapters: Path | None = None) -> Any:
    """Count over all papers which printed numbers the lessons reproduce.

    Computed only from what `compare` recorded in the stored notebooks below ``chapters``.

    Parameters
    ----------
    json
        Return ``{"papers": {slug: counts}, "cells": [...]}`` in place of the table of counts.
    chapters
        Another folder of lessons.

    Returns
    -------
    pandas.DataFrame or dict
        One row a paper: printed, reproduced, differs, paper_inconsistent, not_attempted.

    Raises
    ------
    ValueError
        Two lessons record different numbers for one printed number, or one that is not printed.
    """
    own: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}
    for notebook, entry in recorded(chapters):
        key = (entry["slug"], entry["table"], entry["column"], entry["term"])
        before = own.setdefault(key, (notebook, entry))
        if before[1]["own"] != entry["own"] or before[1]["status"] != entry["status"]:
            raise ValueError(
                f"{', '.join(key)} is recorded as {before[1]['own']} ({before[1]['status']}) in {before[0]} and "
                f"as {entry['own']} ({entry['status']}) in {notebook}: compare each printed number once."
            )
    entries = []
    for slug in papers().index:
        for c in each(cells_of(slug)):
            found = own.pop((slug, c.table, c.column, c.term), None)
            if found is not None:
                entry = found[1]
                if entry["printed"] != c.printed:
                    raise ValueError(
                        f"{slug}, Table {c.table}, {c.column}, {c.term}: the lesson is older than the data."
                    )
            else:
                status = "paper_inconsistent" if c.inconsistent else "not_attempted"
                entry = {
                    "slug": slug, "table": c.table, "column": c.column, "term": c.term, "printed": c.printed,
                    "printed_paren": significant(c.printed_paren), "own": None, "own_paren": None,
                    "sign_ok": None, "stars_ok": None, "within_2se": None, "status": status,
                    "reason": c.inconsistent,
                }  # fmt: skip
            entries.append(entry)
    if own:
        place, (notebook, _) = next(iter(own.items()))
        raise ValueError(
            f"{notebook} records {', '.join(place)}, which is no printed number: run the lesson again."
        )
    cells = pd.DataFrame(entries)
    counts = pd.crosstab(cells["slug"], cells["status"]).reindex(papers().index, fill_value=0)
    counts = counts.reindex(columns=list(STATUSES), fill_value=0)
    counts.insert(0, "printed", counts.sum(axis=1))
    if not json:
        return counts.rename_axis(index="paper", columns=None)
    return {
        "papers": {str(s): {k: int(v) for k, v in row.items()} for s, row in counts.iterrows()},
        "cells": entries,
    }
