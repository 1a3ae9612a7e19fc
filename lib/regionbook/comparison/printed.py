"""The printed numbers of a paper, one row a number."""

from __future__ import annotations

import re
from functools import cache

import pandas as pd

from regionbook.data import Published, published

KEY = ["table", "column", "term"]
STATISTICS = ["n", "mean", "sd", "min", "max"]
_PRINTED_TABLE = re.compile(r"^(?:Table )?(\d+(?:-table\d+)?)(?::.*)?$")


def _indicator_cells(p: Published) -> pd.DataFrame:
    rows = p.indicators[p.indicators["weight_pct_text"].ne("")]
    table = rows["note"].str.extract(r"Table (\d+)", expand=False).fillna(p.citation["indicator_table"])
    several = rows["period"].nunique() > 1
    term = rows["indicator_en"]
    for part in ("subdimension", "dimension", "index"):  # totals of dimensions have no indicator
        term = term.mask(term.eq(""), rows[part])
    column = "weight_pct" + ((" " + rows["period"]) if several else "")
    cells = pd.DataFrame(
        {"table": table, "column": column, "term": term, "printed_text": rows["weight_pct_text"]}
    )
    return cells.assign(file="indicators", rule="weight")


def _other_cells(p: Published) -> pd.DataFrame:
    table = p.other["table"].str.extract(_PRINTED_TABLE, expand=False)
    rows = p.other[table.notna() & p.other["value"].notna()]
    cells = pd.DataFrame(
        {
            "table": table[rows.index],
            "column": rows["column"],
            "term": rows["row"],
            "printed_text": rows["value_text"],
        }
    )
    rule = rows["column"].map(lambda c: "weight" if c.startswith("weight_pct") else "tenth")
    again = cells.groupby(KEY, sort=False).cumcount()
    cells["term"] = cells["term"] + again.map({0: ""}).fillna(" #" + (again + 1).astype(str))
    return cells.assign(file="other", rule=rule)


def _fit_rule(stat: str) -> str:
    name = stat.lower().replace("_", " ")
    if name in ("n", "units"):
        return "exact"
    if "critical value" in name:
        return "digits"
    if "r2" in name.split() or name.endswith(" r2"):
        return "r2"
    if name.startswith(("kp ", "kleibergen")):
        return "factor2"
    return "tenth"


@cache
def cells_of(slug: str) -> pd.DataFrame:
    p = published(slug)
    e = p.estimates[p.estimates["estimate_text"].ne("")]
    f = p.fit[p.fit["value"].notna()]
    d = p.descriptives
    parts = [
        e.assign(file="estimates", rule="estimate").rename(
            columns={"estimate_text": "printed_text", "paren_text": "paren_text_"}
        ),
        f.assign(
            file="fit",
            rule=f["stat"].map(_fit_rule),
            paren_kind=f["p_value_text"].ne("").map({True: "p", False: ""}),
        ).rename(columns={"stat": "term", "value_text": "printed_text", "p_value_text": "paren_text_"}),
    ]
    for s in STATISTICS:
        part = d[d[f"{s}_text"].ne("")]
        rule = {"n": "exact", "mean": "tenth", "sd": "tenth"}.get(s, "extreme")
        parts.append(
            part.assign(file="descriptives", rule=rule, column=s).rename(
                columns={"variable": "term", f"{s}_text": "printed_text"}
            )[["table", "column", "term", "printed_text", "file", "rule", "min", "max"]]
        )
    parts += [_indicator_cells(p), _other_cells(p)]
    wanted = [
        "file",
        "table",
        "panel",
        "column",
        "term",
        "printed_text",
        "paren_text_",
        "paren_kind",
        "stars",
        "rule",
    ]
    cells = pd.concat([c.reindex(columns=[*wanted, "min", "max"]) for c in parts], ignore_index=True)
    cells = cells.rename(columns={"paren_text_": "paren_text"})
    for c in ("panel", "paren_text", "paren_kind", "stars"):
        cells[c] = cells[c].fillna("").astype(str)
    both = cells.duplicated([*KEY, "panel"]) & cells["file"].eq("fit")  # a statistic named like a regressor
    cells.loc[both, "term"] += " (statistic)"
    clash = cells.duplicated(KEY, keep=False) & cells["panel"].ne("")
    cells.loc[clash, "column"] = cells.loc[clash, "panel"] + ": " + cells.loc[clash, "column"]
    if cells.duplicated(KEY).any():
        raise ValueError(
            f"{slug}: printed numbers without a name of their own: {cells[cells.duplicated(KEY)][KEY]}"
        )
    cells["printed"] = cells["printed_text"].astype(float)
    cells["printed_paren"] = pd.to_numeric(cells["paren_text"])
    listed = p.inconsistent.set_index(["file", *KEY])["reason"]
    index = pd.MultiIndex.from_frame(cells[["file", *KEY]])
    stray = listed.index.difference(index)
    if len(stray):
        raise ValueError(f"{slug}/inconsistent.csv names numbers that are not printed: {list(stray)}")
    cells["inconsistent"] = listed.reindex(index).fillna("").to_numpy()
    return cells


def printed_cells(slug: str) -> pd.DataFrame:
    """Return every number of the printed tables of a paper: one row a number.

    Returns
    -------
    pandas.DataFrame
        file, table, panel, column, term, printed and printed_paren (floats, and as text), paren_kind, stars,
        rule (how a reproduction is judged), inconsistent (why the paper contradicts this number, or empty).

    Examples
    --------
    >>> cells = printed_cells("city-innovation")
    >>> cells.query("table == '4' and column == '2'")["term"].tolist()
    ['digit', '_cons', 'N', 'R2']
    """
    return cells_of(slug).copy()


def table_cells(slug: str, table: str) -> pd.DataFrame:
    cells = cells_of(slug)
    here = cells[cells["table"].eq(table)]
    if here.empty:
        there = sorted(
            set(cells["table"]), key=lambda t: [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", t)]
        )
        raise ValueError(f"{slug} has no table {table!r}; its tables are {', '.join(there) or 'none'}.")
    return here
