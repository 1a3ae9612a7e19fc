"""The printed numbers of a paper, one row a number."""

import json
import re
from functools import cache

import pandas as pd

from regionbook.data import Published, each, papers, published
from regionbook.paths import data_file

KEY = ["table", "column", "term"]
STATISTICS = ["n", "mean", "sd", "min", "max"]
COUNTED = {"count", "year", "cities", "city-years", "pairs", "observations", "provinces"}
CODES = {"code", "dummy", "class", "rank", "named", "above national mean", "city cluster"}
"""Units of other.csv that are exact: numbers of something, and labels written as numbers."""
_WANTED = ["file", "table", "panel", "column", "term", "symbol", "printed_text", "paren_text", "paren_kind"]
_WANTED += ["stars", "rule", "low", "high"]
_PRINTED_TABLE = re.compile(r"^(?:Table )?(\d+(?:-table\d+)?)(?::.*)?$")


def _indicator_cells(p: Published) -> pd.DataFrame:
    rows = p.indicators[p.indicators["weight_pct_text"].ne("")]
    table = rows["note"].str.extract(r"Table (\d+)", expand=False).fillna(p.citation["indicator_table"])
    several = rows["period"].nunique() > 1
    term = rows["indicator_en"]
    for part in ("subdimension", "dimension", "index"):  # totals of dimensions have no indicator
        term = term.mask(term.eq(""), rows[part])
    column = "weight_pct" + ((" " + rows["period"]) if several else "")
    rows = rows.rename(columns={"weight_pct_text": "printed_text"})
    return rows.assign(table=table, column=column, term=term, file="indicators", rule="weight")


def _other_cells(p: Published) -> pd.DataFrame:
    cells = p.other[p.other["value"].notna()].rename(columns={"row": "term", "value_text": "printed_text"})
    table = cells["table"].str.extract(_PRINTED_TABLE, expand=False).fillna(cells["table"])
    exact = dict.fromkeys(COUNTED, "count") | dict.fromkeys(CODES, "code")
    rule = cells["unit"].map(exact | {"index of change": "change"}).fillna("statistic")
    rule = rule.mask(cells["column"].str.startswith("weight_pct"), "weight")
    cells = cells.assign(table=table, rule=rule, file="other")
    again = cells.groupby(KEY, sort=False).cumcount()
    return cells.assign(term=cells["term"] + again.map({0: ""}).fillna(" #" + (again + 1).astype(str)))


def _fit_rule(stat: str) -> str:
    name = stat.lower().replace("_", " ")
    if name in ("n", "units", "id"):
        return "count"
    if name == "n thresholds":  # what a test accepts: one more or fewer is another result
        return "code"
    if "critical value" in name:
        return "digits"
    if "r2" in name.split() or name.endswith(" r2"):
        return "r2"
    return "kp" if name.startswith(("kp ", "kleibergen")) else "statistic"


def _parts(p: Published) -> list[pd.DataFrame]:
    """Cells of each file, with the names that all share."""
    e = p.estimates[p.estimates["estimate_text"].ne("")].rename(columns={"estimate_text": "printed_text"})
    f = p.fit[p.fit["value"].notna()]
    with_p = f["p_value_text"].ne("").map({True: "p", False: ""})
    f = f.assign(file="fit", rule=f["stat"].map(_fit_rule), paren_kind=with_p)
    f = f.rename(columns={"stat": "term", "value_text": "printed_text", "p_value_text": "paren_text"})
    parts = [e.assign(file="estimates", rule="estimate"), f]
    for s in STATISTICS:
        part = p.descriptives[p.descriptives[f"{s}_text"].ne("")]
        part = part.rename(columns={"variable": "term", f"{s}_text": "printed_text"})
        rule = {"n": "count", "mean": "moment", "sd": "moment"}.get(s, "extreme")
        parts.append(part.assign(file="descriptives", rule=rule, column=s, low=part["min"], high=part["max"]))
    return [*parts, _indicator_cells(p), _other_cells(p)]


def _matching(cells: pd.DataFrame, patterns: pd.DataFrame, says: str, path: str) -> pd.Series:
    """What the first row (a name, or a pattern with ``*``) says of each cell, or an empty text."""
    found = pd.Series("", index=cells.index)
    for row in each(patterns):
        hit = cells["file"].eq(row.file)
        for key in KEY:
            pattern = ".*".join(map(re.escape, getattr(row, key).split("*")))
            hit &= cells[key].str.fullmatch(pattern)
        if not hit.any():
            place = f"{row.table}, {row.column}, {row.term}"
            raise ValueError(f"{path} names numbers that are not printed: {place}")
        found = found.mask(hit & found.eq(""), getattr(row, says))
    return found


def _list(slug: str, *path: str) -> pd.DataFrame:
    """Rows of one of our own lists of printed numbers that concern a paper."""
    frame = pd.read_csv(data_file(*path), dtype=str, keep_default_na=False)
    return frame[frame["slug"].eq(slug)]


def _named(p: Published) -> pd.DataFrame:
    """Every printed number under a name of its own, those printed twice included."""
    cells = pd.concat([c.reindex(columns=_WANTED) for c in _parts(p)], ignore_index=True)
    for c in ("panel", "paren_text", "paren_kind", "stars", "symbol"):
        cells[c] = cells[c].fillna("").astype(str)
    both = cells.duplicated([*KEY, "panel"]) & cells["file"].eq("fit")  # a statistic named like a regressor
    cells.loc[both, "term"] += " (statistic)"
    clash = cells.duplicated(KEY, keep=False) & cells["panel"].ne("")
    cells.loc[clash, "column"] = cells.loc[clash, "panel"] + ": " + cells.loc[clash, "column"]
    if cells.duplicated(KEY).any():
        twice = cells.loc[cells.duplicated(KEY), KEY]
        raise ValueError(f"{p.slug}: printed numbers without a name of their own: {twice}")
    return cells


def targets(slug: str) -> pd.DataFrame:
    """Targets of the calibration as the truth file lists them, each with the printed number that it is.

    A truth file may list numbers that were left free or only counted; they say so and are no targets.

    Returns
    -------
    pandas.DataFrame
        table, column and term as the truth file has them, and ``cell``: row of the printed numbers, or missing.
    """
    path = data_file("teaching", f"{slug}.truth.json")
    listed = json.loads(path.read_text(encoding="utf-8"))["targets"] if path.exists() else []
    listed = [t for t in listed if t.get("status", "imposed") == "imposed"]
    cells = _named(published(slug))
    symbols = _list(slug, "published", "symbols.csv").set_index("indicator_en")["symbol"]
    short = cells["term"].map(symbols).where(cells["symbol"].eq(""), cells["symbol"])
    names = {}
    for i, cell in enumerate(each(cells.assign(short=short))):
        if cell.file == "indicators":
            names[cell.table, cell.column.removeprefix("weight_pct").strip(), cell.short] = i
        else:
            names.setdefault((cell.table, cell.column, cell.term), i)
    frame = pd.DataFrame(listed, columns=KEY)
    frame["cell"] = [names.get((t.table, t.column, t.term)) for t in each(frame)]
    return frame


@cache
def _everything(slug: str) -> pd.DataFrame:
    p = published(slug)
    cells = _named(p)
    cells["printed"] = cells["printed_text"].astype(float)
    cells["printed_paren"] = pd.to_numeric(cells["paren_text"])
    cells["repeats"] = _matching(cells, _list(slug, "published", "repeats.csv"), "again", "repeats.csv")
    cells["inconsistent"] = _matching(cells, p.inconsistent, "reason", f"{slug}/inconsistent.csv")
    cells["not_computable"] = _matching(cells, p.not_computable, "reason", f"{slug}/not_computable.csv")
    beside = _matching(cells, _list(slug, "teaching", "imposed.csv"), "how", "imposed.csv")
    cells["imposed"] = beside.ne("") | cells.index.isin(targets(slug)["cell"].dropna())
    return cells


def cells_of(slug: str) -> pd.DataFrame:
    """The table that `printed_cells` copies: what is printed twice is in it once."""
    cells = _everything(slug)
    return cells[cells["repeats"].eq("")]


def repeats() -> dict[str, int]:
    """How many numbers each paper prints again: they are counted once."""
    return {slug: int(_everything(slug)["repeats"].ne("").sum()) for slug in papers().index}


def printed_cells(slug: str) -> pd.DataFrame:
    """Return every number that a paper prints, one row a number.

    The columns are file, table, panel, column, term; printed and printed_paren (floats, and as text), paren_kind, stars;
    rule (how a number of ours is judged, see `rules`); imposed (whether the teaching panel was calibrated to it);
    inconsistent and not_computable (why the paper contradicts it, or why nothing can be set beside it; else empty).

    Examples
    --------
    >>> cells = printed_cells("city-innovation")
    >>> cells.query("table == '4' and column == '2'")[["term", "imposed"]].to_numpy().tolist()
    [['digit', True], ['_cons', False], ['N', False], ['R2', False]]
    """
    return cells_of(slug).copy()


def table_cells(slug: str, table: str) -> pd.DataFrame:
    cells = cells_of(slug)
    here = cells[cells["table"].eq(table)]
    if here.empty:
        parts = {t: [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", t)] for t in cells["table"]}
        there = sorted(parts, key=lambda t: parts[t])
        raise ValueError(f"{slug} has no table {table!r}; its tables are {', '.join(there) or 'none'}.")
    return here
