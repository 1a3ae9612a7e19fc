"""Figures of six conceptual articles of one issue (Regional Economic Review 2025, no. 4): what their own print implies."""

from typing import Any

import pandas as pd

from regionbook.data import published

from .declare import Column

SLUG = "regional-concepts"
TABLES: list[Column] = []
"""The articles have no regression."""


def figures() -> "pd.Series[float]":
    """Return the printed numbers, indexed by table, row and column.

    Examples
    --------
    >>> float(figures()["6-text history", "urbanisation rate 城镇化率", "2020"])
    63.89
    """
    other = published(SLUG).other
    return other[other["value"].notna()].set_index(["table", "row", "column"])["value"].sort_index()


def series(table: str, row: str) -> "pd.Series[float]":
    """Return the yearly values of one row of other.csv, indexed by year.

    Examples
    --------
    >>> series("2-text trade", "exports 出口总额").to_dict()
    {1980: 181.2, 2023: 33790.44}
    """
    found = figures().loc[table, row]
    found = found[found.index.str.fullmatch(r"\d{4}")]
    return found.set_axis(found.index.astype(int))


def urbanisation() -> "pd.Series[float]":
    """Return the ten printed rates of China in per cent, indexed by year: the text's and those of Table 1 of article 6.

    Examples
    --------
    >>> urbanisation().index.tolist()
    [1978, 1991, 1992, 1995, 2001, 2002, 2010, 2011, 2012, 2020]
    """
    table, rate = figures().loc["6-table1"], "urbanisation rate 城镇化率"
    found = series("6-text history", rate).to_dict()
    for column, value in table.loc[rate].items():
        found[int(table["period 时期", f"{column} year"])] = value
    return pd.Series(found).sort_index()


def in_text(panel: Any = None) -> dict[tuple[str, str, str], float]:
    """Nothing is computed from a panel: the articles have none."""
    return {}


def from_print() -> dict[tuple[str, str, str], float]:
    """Return what other printed numbers imply: (table, column, row) of other.csv -> value in the printed unit.

    A growth "by k times" is the ratio less one, an average annual growth the compound rate.
    """
    found, printed = {}, figures()
    patents = "invention patent applications 发明专利申请数"
    trade, sold, world = "imports plus exports 进出口总额", "exports 出口总额", "world exports 全球出口总额"
    for table, row in (("2-text trade", trade), ("2-text trade", sold), ("2-text patents", patents)):
        ends = series(table, row)
        years = int(ends.index[-1] - ends.index[0])
        ratio = ends.iloc[-1] / ends.iloc[0]
        found[table, f"growth {ends.index[0]}–{ends.index[-1]}", row] = ratio - 1
        if row == patents:
            found[table, "years between", row] = years
        else:
            column = f"average annual growth {ends.index[0]}–{ends.index[-1]}"
            found[table, column, row] = 100 * (ratio ** (1 / years) - 1)
    units = {1980: 1.0, 2023: 10_000.0}  # world exports: 100 million, then trillion dollars
    for year, unit in units.items():
        share = series("2-text trade", sold)[year] / (series("2-text trade", world)[year] * unit)
        found["2-text trade", str(year), "China share of world exports"] = 100 * share
    county = "county-level urbanisation rate 县域城镇化率"
    gap = urbanisation()[2020] - printed["6-text counties", county, "2020"]
    found["6-text counties", "below the national rate by", county] = gap
    own = printed["6-table2", "苏红键（2022）", "2035"]
    found["6-text forecasts", "2035", "苏红键（2022） China"] = own
    periods = printed.loc["6-table1", "period 时期"].index.str.endswith("first year").sum()
    found["6-text", "count", "stages since reform 改革开放以来"] = periods
    return {at: float(v) for at, v in found.items()}
