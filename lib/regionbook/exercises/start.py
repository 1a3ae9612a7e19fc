"""Answers to the exercises of the opening chapter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook import geo
from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.exercises.personal import personal_truth
from regionbook.papers import prepare
from regionbook.papers.city_innovation import CONTROLS

SLUG = "city-innovation"


def _printed(table: str, column: str, term: str) -> pd.Series:
    rows = published(SLUG).estimates.query("table == @table and column == @column and term == @term")
    return rows.iloc[0]


# ----------------------------------------------------------------------------------------------- 1 how to use


def _within(panel: pd.DataFrame, without: str | None = None) -> Any:
    from linearmodels.panel import PanelOLS

    data = prepare(SLUG, panel)
    if without:
        data = data.drop(index=without, level="city")
    formula = f"inn ~ digit + {' + '.join(CONTROLS)} + EntityEffects + TimeEffects"
    return PanelOLS.from_formula(formula, data).fit(cov_type="unadjusted")


def _pooled(panel: pd.DataFrame) -> float:
    import statsmodels.formula.api as smf

    return smf.ols(f"inn ~ digit + {' + '.join(CONTROLS)}", prepare(SLUG, panel)).fit().params["digit"]


@answer(
    "start/1-how-to-use/printed",
    decimals=4,
    mistakes={
        "That is column (2); column (1) has no fixed effects.": lambda: _printed("3", "2", "digit").estimate
    },
)
def printed() -> float:
    return _printed("3", "1", "digit").estimate


@answer(
    "start/1-how-to-use/effect",
    decimals=4,
    mistakes={
        "That is its standard error.": lambda panel: _within(panel).std_errors["digit"],
        "That is the regression without city and year effects.": _pooled,
    },
)
def effect(panel: pd.DataFrame) -> float:
    return _within(panel).params["digit"]


@answer(
    "start/1-how-to-use/error",
    decimals=4,
    mistakes={"That is the coefficient.": effect},
    hint="Conventional standard errors: cov_type='unadjusted'.",
)
def error(panel: pd.DataFrame) -> float:
    return _within(panel).std_errors["digit"]


@answer("start/1-how-to-use/giant", hint="Look at 2021 only, and at digit.")
def giant(panel: pd.DataFrame) -> str:
    return panel.xs(2021, level="year")["digit"].idxmax()


@answer(
    "start/1-how-to-use/without",
    decimals=4,
    mistakes={
        "That is the estimate with all cities.": effect,
    },
    hint="Drop all years of that city, keep the controls and both effects.",
)
def without(panel: pd.DataFrame) -> float:
    return _within(panel, without=giant(panel)).params["digit"]


def _truth(panel: pd.DataFrame) -> float:
    return personal_truth(SLUG, panel.attrs.get("student", ""))["beta"]


@answer(
    "start/1-how-to-use/ratio",
    decimals=2,
    mistakes={"Turned round: divide the truth by the estimate.": lambda panel: effect(panel) / _truth(panel)},
)
def ratio(panel: pd.DataFrame) -> float:
    return _truth(panel) / effect(panel)


@answer(
    "start/1-how-to-use/covered",
    hint="Is the distance between truth and estimate below 1.96 standard errors?",
)
def covered(panel: pd.DataFrame) -> bool:
    m = _within(panel)
    return bool(abs(_truth(panel) - m.params["digit"]) < 1.96 * m.std_errors["digit"])


@answer(
    "start/1-how-to-use/limit",
    tolerance=1e-6,
    hint="cov(x, u) is lam, and var(x) is var(z) + lam² var(u).",
    mistakes={
        "That is the bias; add the true slope, 1.": lambda: {k: k / (1 + k * k) for k in (0.0, 0.5, 2.0)}
    },
)
def limit() -> dict[float, float]:
    return {lam: 1 + lam / (1 + lam**2) for lam in (0.0, 0.5, 2.0)}


@answer(
    "start/1-how-to-use/worst", decimals=2, hint="Set the derivative of lam / (1 + lam²) to zero, or draw it."
)
def worst() -> float:
    return 1.0


# ----------------------------------------------------------------------------------------- 2 reading a paper


@answer(
    "start/2-reading-a-paper/t",
    decimals=2,
    mistakes={"Turned round: divide the estimate by its standard error.": lambda: 1 / first_stage_t()},
)
def first_stage_t() -> float:
    row = _printed("4", "1", "IV_1")
    return row.estimate / row.paren


@answer(
    "start/2-reading-a-paper/t-range",
    decimals=2,
    hint="Half a unit of the last printed digit is 0.00005; the smallest |t| has the smallest numerator and the "
    "largest denominator.",
)
def t_range() -> dict[str, float]:
    row, half = _printed("4", "1", "IV_1"), 0.5e-4
    size = abs(row.estimate)
    return {"smallest": (size - half) / (row.paren + half), "largest": (size + half) / (row.paren - half)}


@answer("start/2-reading-a-paper/total", decimals=4, hint="Five indicators have 知识创造 as their dimension.")
def total() -> float:
    table = published(SLUG).indicators
    return table.loc[table["dimension"].str.startswith("知识创造"), "weight_pct"].sum()


@answer(
    "start/2-reading-a-paper/gap",
    decimals=4,
    hint="The heading stands in .other, table 'Table 1: dimension weights'.",
)
def gap() -> float:
    other = published(SLUG).other
    heading = other.query("table == 'Table 1: dimension weights' and row == '知识创造'")["value"].item()
    return heading - total()


def _bound() -> pd.Series:
    d = published(SLUG).descriptives.set_index("variable")
    return np.sqrt(d["n"] / (d["n"] - 1) * (d["max"] - d["mean"]) * (d["mean"] - d["min"]))


@answer(
    "start/2-reading-a-paper/limit",
    tolerance=1e-4,
    mistakes={"That is the variance: take the root.": lambda: _bound() ** 2},
)
def sd_limit() -> pd.Series:
    return _bound()


@answer("start/2-reading-a-paper/second", hint="Divide the printed sd by its limit and leave hum out.")
def second() -> str:
    d = published(SLUG).descriptives.set_index("variable")
    return (d["sd"] / _bound()).drop("hum").idxmax()


@answer(
    "start/2-reading-a-paper/stage",
    decimals=4,
    mistakes={
        "Multiply the interaction by the code of the stage.": lambda: {k: _stage(1) for k in (1, 2, 3)}
    },
)
def stage() -> dict[int, float]:
    return {k: _stage(k) for k in (1, 2, 3)}


def _stage(code: int) -> float:
    return _printed("7", "1", "digit").estimate + code * _printed("7", "1", "digit:stage").estimate


@answer("start/2-reading-a-paper/drop", decimals=4, hint="Both stand in .fit, table 3, stat R2.")
def drop() -> float:
    r2 = published(SLUG).fit.query("table == '3' and stat == 'R2'").set_index("column")["value"]
    return r2["1"] - r2["2"]


@answer(
    "start/2-reading-a-paper/explanation",
    options=("the sample differs", "within R2", "adjusted R2", "rounding"),
    hint="N is the same in both columns; 208 more parameters cost little of an adjusted R² with 2,744 observations.",
)
def explanation() -> str:
    return "within R2"


# -------------------------------------------------------------------------------------- 3 three kinds of data


@answer("start/3-three-kinds-of-data/shanghai", tolerance=0.005, unit="trillion yuan")
def shanghai(panel: pd.DataFrame) -> float:
    return panel.loc[("Shanghai", 2021), "gdp"] / 1e8


@answer("start/3-three-kinds-of-data/per-head", tolerance=0.001, unit="yuan a head")
def per_head(panel: pd.DataFrame) -> float:
    row = panel.loc[("Shanghai", 2021)]
    return row["gdp"] / row["population"]


def _top_ten(panel: pd.DataFrame, column: str) -> float:
    last = panel.xs(2021, level="year")[column]
    return 100 * last.nlargest(10).sum() / last.sum()


@answer("start/3-three-kinds-of-data/top-ten", decimals=1, unit="per cent")
def top_ten(panel: pd.DataFrame) -> float:
    return _top_ten(panel, "digit")


@answer("start/3-three-kinds-of-data/top-ten-students", decimals=1, unit="per cent")
def top_ten_students(panel: pd.DataFrame) -> float:
    return _top_ten(panel, "students")


@answer("start/3-three-kinds-of-data/farthest", hint="The English name, as rb.geo.membership() has it.")
def farthest() -> str:
    members = geo.membership()
    return members.loc[geo.port_distance(members.index)["km"].idxmax(), "city"]


@answer("start/3-three-kinds-of-data/km", tolerance=0.002, unit="kilometres")
def km() -> float:
    return geo.port_distance(geo.membership().index)["km"].max()


@answer("start/3-three-kinds-of-data/rows", hint="The doubled row goes, no other does.")
def rows(panel: pd.DataFrame) -> int:
    return len(panel)


@answer(
    "start/3-three-kinds-of-data/repaired",
    tolerance=1e-9,
    hint="Set the four values that the colleague told you.",
)
def repaired(panel: pd.DataFrame) -> pd.Series:
    sent = panel.reset_index()
    for row, column, value in ((3, "gov", 1.72), (10, "protect", 40.0), (20, "urban", 61.5)):
        sent.loc[row, column] = value
    return sent[["gov", "protect", "urban", "digit"]].sum()


@answer("start/3-three-kinds-of-data/naive", decimals=4, mistakes={"That is the within estimate.": effect})
def naive(panel: pd.DataFrame) -> float:
    data = prepare(SLUG, panel)
    return float(np.polyfit(data["digit"], data["inn"], 1)[0])


@answer("start/3-three-kinds-of-data/true", tolerance=1e-6, hint="rb.personal_truth has the key 'beta'.")
def true(panel: pd.DataFrame) -> float:
    return _truth(panel)


@answer("start/3-three-kinds-of-data/compared", options=("smaller", "larger"))
def compared() -> str:
    return "larger"
