"""Variables of Hu, Chen and Li (2025): TOPSIS of 11 indicators, a global index with bad outputs, spatial models, 2SLS."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.index import TopsisIndex, topsis_index

from . import redraw
from .ai_innovation import winsorised
from .declare import declaring, sample
from .digital_real_integration import moran
from .redraw import Array

SLUG = "green-growth"
QUESTION = (
    "Do new quality productive forces (新质生产力) of a city raise its inclusive green growth (包容性绿色增长), through green "
    "patents, where more than elsewhere, and at the expense of its neighbours?"
)
SAMPLE = (
    "272 cities, 2011–2022, 3,264 city-years, balanced. Outcome: a global Malmquist–Luenberger index with three inputs, one "
    "good and six bad outputs, multiplied up from 2011; treatment: entropy-weight TOPSIS of 11 indicators, times ten."
)
HEADLINE = [
    ("4", "1", "NP", "effect, said to be without fixed effects"),
    ("4", "4", "NP", "effect with controls, city and year effects"),
    ("6", "3", "NP", "the same by terrain relief times year: four times as large"),
    ("7", "1", "NP", "cities with more market"),
    ("7", "2", "NP", "cities with less market"),
    ("8", "3", "NP", "effect on green patents granted (log)"),
    ("10", "6", "NP", "effect on the neighbours"),
]
"""Table, column, term, meaning: the numbers that `regionbook.card` shows."""
METHODS = {"winsorising (缩尾)": r"\bwinsor|_w\b"}

CONTROLS = ["finance", "gov", "shop", "struc", "pop"]
"""The five controls as the regressions use them."""
INDICATORS = [
    "science_exp", "education_exp", "students", "broadband", "mobile_phones", "digital_finance", "digital_patents",
    "telecom", "postal", "innovation_index", "ai_firms",
]  # fmt: skip
"""Of NP, in the order of Table 2; all positive."""
INPUTS = ["investment", "tertiary_staff", "energy_intensity"]
OUTPUT = ["real_gdp"]
BAD = ["waste_water", "so2", "soot", "income_gap", "spending_gap", "unemployment"]
"""Measures of the frontier, in the order of Table 1."""
WINSORISED = ["IGG", "NP", *CONTROLS]
"""Cut at both ends by 1 % for Table 5 (1)."""


def index(panel: pd.DataFrame) -> TopsisIndex:
    """Return the TOPSIS index behind NP, with entropy weights over the whole panel.

    Examples
    --------
    >>> from regionbook.data import load
    >>> index(load("green-growth")).score.idxmax()
    ('Beijing', 2022)
    """
    return topsis_index(panel[INDICATORS].astype(float))


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with outcome, treatment, controls, instrument, groups, the measures of the frontier and green patents.

    IGG is the shipped index (`growth_index`): `regionbook.models.global_malmquist` gives it from `INPUTS`, `OUTPUT` and `BAD` in
    some seconds. Green patents are in logarithms to base 10 of one plus the count: the paper does not name the base, and
    the printed constants ask for it. `terrain` is relief times (year - 2010); which year counts as one changes nothing.
    """
    d, year = panel, panel.index.get_level_values("year").to_numpy()
    new: dict[str, Any] = {"IGG": d["growth_index"], "NP": 10 * index(d).score}
    new |= {
        "finance": (d["deposits"] + d["loans"]) / d["gdp"],
        "gov": d["fiscal_exp"] / d["gdp"],
        "shop": d["retail_sales"] / d["gdp"],
        "struc": d["tertiary"] / d["secondary"],
        "pop": 1e4 * d["population"] / d["land_area"],
        "terrain": d["relief"] * (year - 2010),
        "app": np.log10(1 + d["green_applied"]),
        "grant": np.log10(1 + d["green_granted"]),
        "energy_intensity": d["energy"] / d["real_gdp"],
        "income_gap": d["income_urban"] / d["income_rural"],
        "spending_gap": d["spending_urban"] / d["spending_rural"],
        "high_market": (d["market_index"] >= d["market_index"].median()) * 1,
        "member": (d["cluster"] != "none") * 1,
    }
    new |= {f"{k}_w": winsorised(new[k]) for k in WINSORISED}
    new["NP_lag"] = new["NP"].groupby(level=0, sort=False).shift()
    return panel.assign(**new)


def weights(panel: pd.DataFrame) -> pd.DataFrame:
    """Contiguity of the panel's cities, rows that add to one: what the effects of Table 10 imply. A city that has no neighbour
    among them is linked to the nearest."""
    from regionbook import geo

    cities = panel.index.unique("city")
    w = geo.contiguity([str(c) for c in panel["code"].unique()], isolates="nearest").transform("r")
    return pd.DataFrame(w.sparse.toarray(), cities, cities)


def printed_tables(data: pd.DataFrame, w: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """Return Table 9 as the prepared panel gives it, with rows and columns named as in print: Moran's I and its z by year.

    IGG is one everywhere in the first year, so that its first row is missing.
    """
    w = weights(data) if w is None else w
    parts = {}
    for name in ("NP", "IGG"):
        years = data.index.unique("year").sort_values()
        kept = data[name].groupby(level="year").std() > 0
        found = moran(data[data.index.get_level_values("year").isin(years[kept])], name, w).reindex(years)
        parts |= {f"{name} Moran's I": found["I"], f"{name} Z": found["z"]}
    return {"9": pd.DataFrame(parts).rename(index=str)}


_of = declaring(CONTROLS, r2="within", constant="base")
_model = "IGG ~ NP + {X} | city + year"
_space = {"estimator": "durbin", "r2": "none"}
_lags = {f"W:{k}": f"W_{k}" for k in ("NP", *CONTROLS)}
TABLES = [
    _of("4", "1", "IGG ~ NP | city", constant="mean"),
    _of("4", "2", "IGG ~ NP | city + year"),
    _of("4", "3", "IGG ~ NP + {X} | city", constant="mean"),
    _of("4", "4", _model),
    _of("5", "1", f"IGG_w ~ {' + '.join(f'{k}_w' for k in ('NP', *CONTROLS))} | city + year",
        terms={k: f"{k}_w" for k in ("NP", *CONTROLS)}),
    _of("5", "2", _model, sample="year <= 2019"),
    _of("5", "3", _model, sample="municipality == 0"),
    _of("6", "1", "IGG ~ NP_lag + {X} | city + year", terms={"L.NP": "NP_lag"}),
    _of("6", "2", "NP ~ terrain + {X} | city + year", errors="HC1"),
    _of("6", "3", "IGG ~ {X} | city + year | NP ~ terrain", errors="HC1"),
    _of("7", "1", _model, sample="high_market == 1"),
    _of("7", "2", _model, sample="high_market == 0"),
    _of("7", "3", _model, sample="member == 1"),
    _of("7", "4", _model, sample="member == 0"),
    _of("8", "1", _model),
    _of("8", "2", "app ~ NP + {X} | city + year"),
    _of("8", "3", "grant ~ NP + {X} | city + year"),
    _of("10", "1", _model, estimator="sem", r2="none"),
    _of("10", "2", _model, estimator="sar", r2="none", terms={"rho": "rho"}),
    _of("10", "3", _model, **_space, terms={"rho": "rho"}),
    _of("10", "4", _model, **_space, terms=_lags),
    *[_of("10", n, _model, **_space, effect=kind) for n, kind in zip("567", ("direct", "indirect", "total"), strict=True)],
]  # fmt: skip
"""The printed regressions. Conventional errors where F and R2 of Table 8 betray them, robust ones in Table 6 (2) and (3).
Table 4 (1) and (3) have effects of cities, whatever their last rows say. Which R2 Table 10 prints is not said."""


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives."""
    size = sample(panel, "prose")
    first = panel["IGG"].groupby(level="year").std().idxmin()
    cut = next(c for c in TABLES if c.key == ("5", "2"))
    left = panel.index.get_level_values("year").unique()
    kept = panel.reset_index().query(cut.sample)["year"].max()
    found = {
        ("number of cities", "abstract and section 3"): size["prose", "value", "cities"],
        ("first year", "abstract and section 3"): size["prose", "value", "first year"],
        ("last year", "abstract and section 3"): size["prose", "value", "last year"],
        ("balanced city-year observations", "data"): size["prose", "value", "observations"],
        ("rescaling of NP", "data"): round(float((panel["NP"] / index(panel).score).median()), 6),
        ("base year of the cumulated index", "index"): first,
        ("first excluded year", "robustness"): kept + 1,
        ("last excluded year", "robustness"): left.max(),
        ("number of excluded years", "robustness"): left.max() - kept,
        ("excluded municipalities", "robustness"): panel["municipality"].groupby(level=0).first().sum(),
    }
    return {("prose", column, row): float(v) for (column, row), v in found.items()}


def from_print() -> dict[tuple[str, str, str], float]:
    """Numbers of the text that follow from other printed figures."""
    p = published(SLUG)
    t = p.estimates.set_index(["table", "column", "term"])["stars"]
    level = {"***": 1.0, "**": 5.0, "*": 10.0}
    morans = p.other[p.other["column"].str.endswith("Moran's I")]
    weakest = max(level[note.split("stars ")[1].split(";")[0].strip()] for note in morans["note"])
    found = {
        ("number of NP dimensions", "data"): p.indicators.query("index.str.startswith('NP')")["dimension"].nunique(),
        ("significance of NP, Table 4 columns 2-4", "baseline"): max(level[t["4", k, "NP"]] for k in "234"),
        ("significance of NP by 2SLS, Table 6", "endogeneity"): level[t["6", "3", "NP"]],
        ("weakest significance of NP on app and grant", "mechanism"): max(level[t["8", k, "NP"]] for k in "23"),
        ("weakest significance of Moran's I over all years", "spatial"): weakest,
        ("significance of the direct effect, Table 10 column 5", "spatial"): level[t["10", "5", "NP"]],
    }  # fmt: skip
    return {("prose", column, row): float(v) for (column, row), v in found.items()}
