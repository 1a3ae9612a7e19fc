"""The scorecard: what all stored lessons reproduce, judged anew from the numbers that they recorded."""

import json as json_
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.comparison.marks import MARKS, Number, judge, rules, unjudged
from regionbook.comparison.printed import cells_of, repeats
from regionbook.comparison.table import MIME, significant
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


def _once(chapters: Path | None) -> dict[tuple[str, ...], tuple[str, dict[str, Any]]]:
    """Notebook and record of each printed number; an error if two lessons disagree."""
    own: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}
    for notebook, entry in recorded(chapters):
        key = (entry["slug"], entry["table"], entry["column"], entry["term"])
        before = own.setdefault(key, (notebook, entry))
        if any(before[1].get(k) != entry.get(k) for k in ("own", "own_se", "own_p")):
            raise ValueError(
                f"{', '.join(key)} is recorded as {before[1]['own']} in {before[0]} and as {entry['own']} in "
                f"{notebook}: compare each printed number once."
            )
    return own


def _entry(slug: str, cell: Any, record: dict[str, Any] | None) -> dict[str, Any]:
    """What the scorecard says of one printed number."""
    place = {"slug": slug, "table": cell.table, "column": cell.column, "term": cell.term}
    place |= {"file": cell.file, "rule": cell.rule, "printed": cell.printed}
    place["printed_paren"] = significant(cell.printed_paren)
    if record is None:
        nothing = dict.fromkeys(("own", "own_paren", "own_se", "own_p"))
        return {**place, **nothing, "errors": "", "source": "", **unjudged(cell)}
    if record["printed"] != cell.printed:
        where = f"{slug}, Table {cell.table}, {cell.column}, {cell.term}"
        raise ValueError(f"{where}: the lesson is older than the data.")
    own: dict[str, Any] = {k: record.get(k) for k in ("own", "own_paren", "own_se", "own_p")}
    own |= {"errors": record.get("errors", ""), "source": record["source"]}
    value, se, p = (float("nan" if own[k] is None else own[k]) for k in ("own", "own_se", "own_p"))
    verdict = judge(cell, Number(value, se, p, own["errors"], own["source"]))
    verdict["reason"] = ". ".join(filter(None, (verdict["reason"], record.get("note"))))
    verdict["se_ratio"] = significant(verdict["se_ratio"])
    return {**place, **own, **verdict}


def scorecard(json: bool = False, *, chapters: Path | None = None) -> Any:
    """Count over all papers what became of each printed number; the free ones come first.

    Computed from the numbers that `compare` recorded in the stored notebooks below ``chapters``, judged by `rules`. A
    number that the teaching panel was calibrated to is *imposed* and no success; a number printed twice counts once.

    Parameters
    ----------
    json
        Return ``{"papers": {slug: counts}, "cells": [...], "rules": ..., "repeats": ...}`` in place of the counts.
    chapters
        Another folder of lessons.

    Returns
    -------
    pandas.DataFrame or dict
        One row a paper: printed, free_reproduced, close, differs, contradicted, imposed, count, not_computable,
        not_attempted; the last eight add to the first.

    Raises
    ------
    ValueError
        Two lessons record different numbers for one printed number, or one that is not printed.
    """
    own = _once(chapters)
    entries = []
    for slug in papers().index:
        for cell in each(cells_of(slug)):
            _, record = own.pop((slug, cell.table, cell.column, cell.term), ("", None))
            entries.append(_entry(slug, cell, record))
    if own:
        place, (notebook, _) = next(iter(own.items()))
        where = ", ".join(place)
        raise ValueError(f"{notebook} records {where}, which is no printed number: run the lesson again.")
    cells = pd.DataFrame(entries)
    counts = pd.crosstab(cells["slug"], cells["mark"]).reindex(papers().index, fill_value=0)
    counts = counts.reindex(columns=list(MARKS), fill_value=0)
    counts.insert(0, "printed", counts.sum(axis=1))
    if not json:
        return counts.rename_axis(index="paper", columns=None)
    of_papers = {str(s): {k: int(v) for k, v in row.items()} for s, row in counts.iterrows()}
    told = {"repeats": repeats(), "rules": rules().to_dict("index"), "cells": entries}
    return {"papers": of_papers} | told
