"""Figures of six conceptual articles of one issue (Regional Economic Review 2025, no. 4): what their own print implies."""

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


def from_print() -> dict[tuple[str, str, str], float]:
    """Return what is counted: stages of urbanisation since the reform (Table 1 of article 6), years between two figures."""
    patents = "invention patent applications 发明专利申请数"
    years = series("2-text patents", patents).index
    stages = figures().loc["6-table1", "period 时期"].index.str.endswith("first year").sum()
    return {
        ("6-text", "count", "stages since reform 改革开放以来"): stages,
        ("2-text patents", "years between", patents): years[-1] - years[0],
    }
