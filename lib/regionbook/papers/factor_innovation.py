"""Variables of Wang and Xu (2025): three entropy indices with their parts, and four controls."""

from __future__ import annotations

import pandas as pd

from regionbook.index import EntropyIndex, entropy_index

from .declare import Column, declaring

QUESTION = (
    "Does the upgrading of labour, capital and technology (要素创新, FI) raise regional coordinated development "
    "(区域协调发展, RCD), and does industrial digitisation (产业数字化, ID) carry part of the effect?"
)
SAMPLE = (
    "31 provinces; indices 2003–2023 (651 province-years), regressions 2013–2023 (341), balanced. Outcome, treatment "
    "and mediator are entropy-weight indices of 12, 11 and 3 indicators; FI and ID are the sums of their parts."
)
HEADLINE = [
    ("5", "1", "FI", "effect of FI on RCD, province and year fixed effects"),
    ("6", "1", "FI", "effect of FI on the mediator ID"),
    ("6", "2", "ID", "effect of ID on RCD beside FI"),
    ("6", "2", "FI", "effect of FI beside ID"),
    ("8", "1", "FI", "East"),
    ("8", "3", "FI", "West"),
]
"""Table, column, term, meaning: the numbers that `regionbook.card` shows."""

CONTROLS = ["TAL", "BASE", "GAP", "GOV"]
"""The four controls as the regressions use them."""

INDICATORS = {
    "FI": {
        "L1": "edu_exp", "L2": "tertiary_staff", "L3": "bachelor_share",
        "K1": "investment_growth", "K2": "loans", "K3": "finance_output",
        "T1": "patents", "T2": "rd_exp", "T3": "tech_market", "T4": "rd_staff", "T5": "firms",
    },
    "RCD": {
        "E1": "gdp_pc", "E2": "investment", "E3": "upgrading", "E4": "loan_deposit",
        "S1": "dependency", "S2": "income", "S3": "engel", "S4": "consumption_ratio",
        "N1": "pollution_investment", "N2": "treatment_capacity", "N3": "waste_used", "N4": "treatment_rate",
    },
    "ID": {"ID1": "output_1", "ID2": "output_2", "ID3": "output_3"},
}  # fmt: skip
"""Index -> symbol of the indicator in Tables 1-3 -> raw column."""

DIRECTIONS = {"S1": -1, "S3": -1, "S4": -1}
"""Negative indicators; the paper states no direction, these three are the natural ones."""

DIMENSIONS = {k: {"L": "LI", "K": "KI", "T": "TI"}[k[0]] for k in INDICATORS["FI"]}
DIMENSIONS |= {k: {"E": "economy", "S": "society", "N": "ecology"}[k[0]] for k in INDICATORS["RCD"]}
DIMENSIONS |= {k: k for k in INDICATORS["ID"]}
"""Symbol of an indicator -> its dimension."""

FIRST_YEAR = 2013
"""First year of the regressions; the controls are scaled over the years from it on."""

RAW = [c for columns in INDICATORS.values() for c in columns.values()]
RAW += ["talent", "debt", "income_gap", "spending"]
"""Raw columns that `prepare` reads."""


def indicators(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the 26 indicators of Tables 1-3, named by their symbols, from the raw columns of `panel`.

    Parameters
    ----------
    panel
        Indexed by province and year, as `regionbook.load` returns it.

    Returns
    -------
    pandas.DataFrame
        Rows of `panel`; columns L1 ... T5 (FI), E1 ... N4 (RCD), ID1, ID2, ID3 (ID), in the order of the tables.

    Examples
    --------
    >>> from regionbook.data import load
    >>> indicators(load("factor-innovation")).shape
    (651, 26)
    """
    return pd.DataFrame({k: panel[c] for names in INDICATORS.values() for k, c in names.items()})


def index(panel: pd.DataFrame, name: str) -> EntropyIndex:
    """Return one of the three entropy indices (``"FI"``, ``"RCD"``, ``"ID"``), equations (1)-(7) over all rows.

    Rows are province-years and weights those of the whole period; for the weights of a period give its rows only.

    Raises
    ------
    ValueError
        If there is no index of that name.

    Examples
    --------
    >>> from regionbook.data import load
    >>> index(load("factor-innovation"), "ID").weights.round(2).tolist()
    [0.28, 0.34, 0.38]
    """
    if name not in INDICATORS:
        raise ValueError(f"no index {name!r}; there are {', '.join(INDICATORS)}")
    names = list(INDICATORS[name])
    signs = {k: s for k, s in DIRECTIONS.items() if k in names}
    return entropy_index(indicators(panel)[names], signs or 1, dimensions={k: DIMENSIONS[k] for k in names})


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with FI = LI + KI + TI, ID = ID1 + ID2 + ID3, RCD and the controls TAL, BASE, GAP, GOV.

    TAL is `talent` scaled to [0, 1] by equation (1), GAP is `income_gap` scaled by the negative equation (2), both
    over 2013-2023: with these the constants of Tables 5 and 6 fit means that Table 4's units contradict. Year effects
    and lags are left to the regression.
    """
    parts = {name: index(panel, name) for name in INDICATORS}
    here = panel[panel.index.get_level_values("year") >= FIRST_YEAR]
    talent, gap = here["talent"], here["income_gap"]
    new = {"FI": parts["FI"].score}
    new |= {k: parts["FI"].dimension_scores[k] for k in ("LI", "KI", "TI")}
    new |= {"ID": parts["ID"].score} | {k: parts["ID"].dimension_scores[k] for k in ("ID1", "ID2", "ID3")}
    new |= {
        "RCD": parts["RCD"].score,
        "TAL": (panel["talent"] - talent.min()) / (talent.max() - talent.min()),
        "BASE": panel["debt"],
        "GAP": (gap.max() - panel["income_gap"]) / (gap.max() - gap.min()),
        "GOV": panel["spending"],
    }
    return panel.assign(**new)


def further(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the prepared `panel` with the regressors of the year before (``FI_lag``), which Table 7 uses."""
    names = ["FI", "ID", "ID1", "ID2", "ID3", *CONTROLS]
    return panel.join(panel.groupby("province")[names].shift(1).add_suffix("_lag"))


_of = declaring(CONTROLS, errors={"CRV1": "province"}, sample=f"year >= {FIRST_YEAR}")
_both, _few = "{X} | province + year", f"{' + '.join(CONTROLS[1:])} | province + year"
_five = {
    "1": f"FI + {_both}", "2": f"FI + {_few}", "3": f"FI + TI + {_both}", "4": f"FI + LI + {_both}",
    "5": f"FI + KI + {_both}", "6": f"FI + KI + {_few}", "7": f"LI + {_few}", "8": f"KI + {_few}",
    "9": f"TI + {_few}", "10": f"FI + LI + TI + {_both}", "11": f"FI + LI + KI + {_both}",
}  # fmt: skip
_mediators = ("ID", "ID1", "ID2", "ID3")
_pieces = [f"region4 == '{k}'" for k in ("East", "Central", "West", "Northeast")]
_pieces += [f"north_south == '{k}'" for k in ("South", "North")]


def _lagged(number: str, mediator: str) -> Column:
    terms = {k: f"{k}_lag" for k in ("FI", mediator, *CONTROLS)}
    formula = f"RCD ~ {' + '.join(terms.values())} | province + year"
    return _of("7", number, formula, sample=f"year > {FIRST_YEAR}", terms=terms)


TABLES = [
    *(_of("5", n, f"RCD ~ {right}") for n, right in _five.items()),
    _of("6", "1", f"ID ~ FI + {_both}"),
    *(_of("6", str(n), f"RCD ~ FI + {m} + {_both}") for n, m in enumerate(_mediators, 2)),
    *(_lagged(str(n), m) for n, m in enumerate(_mediators, 1)),
    *(
        _of("7", str(n), f"RCD ~ FI + {m} + {{X}}", estimator="random", r2="none")
        for n, m in enumerate(_mediators, 5)
    ),
    *(
        _of("8", str(n), f"RCD ~ FI + {_both}", sample=f"year >= {FIRST_YEAR} and {piece}")
        for n, piece in enumerate(_pieces, 1)
    ),
    *(
        _of(
            "text 三(五)",
            f"{name} with ID",
            f"RCD ~ FI + ID + {_both}",
            r2="none",
            sample=f"year >= {FIRST_YEAR} and {piece}",
        )
        for name, piece in (("West", _pieces[2]), ("South", _pieces[4]))
    ),
]
"""The printed regressions, two of them in the text only. Year effects are not told; constants and R2 need them."""
