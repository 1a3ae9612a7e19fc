"""Variables of Wang and Xu (2025): three entropy indices with their parts, and four controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.index import EntropyIndex, entropy_index

from . import redraw
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
METHODS = {
    "interactions (交互项)": r"FI:C\(|:FI\b",
    "difference-in-differences (双重差分)": r"\bpilot\b",
}
"""Method of `regionbook.catalogue` -> what tells in the code of these lessons that they use it."""

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


def _above_mean(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Provinces above the national mean, named and counted, and the national means."""
    lists = published("factor-innovation").other.query("table in ('text 二(三)2', 'text 二(三)3')")
    region = panel["region4"].groupby("province").first()
    found: dict[tuple[str, str, str], float] = {}
    for name in INDICATORS:
        level = panel[name].unstack("year")
        above = level > level.mean()
        whole, here = "text 二(三)2", "text 二(三)3"
        columns = {(here, f"{name} {t}"): above[t] for t in (2003, 2013, 2023)}
        columns[whole, f"{name} every year 2003-2023"] = above.all(axis=1)
        for (table, column), yes in columns.items():
            found[table, column, "number of provinces"] = yes.sum()
            by_region = yes.groupby(region).sum()
            for row in lists[lists["table"].eq(table) & lists["column"].str.startswith(column)]["row"]:
                for name_en in row.partition(" ")[::2]:  # "北京 Beijing", "East 东部"
                    if name_en in by_region:
                        found[table, f"{column} (number by region)", row] = by_region[name_en]
                    elif name_en in yes:
                        found[table, column, row] = yes[name_en]
    return found


def _national_levels(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Means over the provinces: of the indices, and of the parts of ID."""
    names = {"FI": "要素创新", "ID": "产业数字化", "RCD": "区域协调发展"}
    parts = {"ID1": "一产数字化", "ID2": "二产数字化", "ID3": "三产数字化", "ID": names["ID"]}
    found: dict[tuple[str, str, str], float] = {}
    for table, rows in (("text 二(三)1", names), ("text 二(二)3", parts)):
        for k, row in rows.items():
            mean = panel[k].groupby("year").mean()
            years = (2003, 2017, 2023) if k in ("ID2", "ID3") else (2003, 2023)
            found |= {(table, f"national level {t}", f"{row} {k}"): mean[t] for t in years}
    return found


def _weights_in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Sizes of the indices, weights that rise and fall, the largest ones and their ranks."""
    fi, rcd = "text 二(二)1", "text 二(二)2"
    year = panel.index.get_level_values("year")
    found: dict[tuple[str, str, str], float] = {
        ("text 二(一)", "number", "provinces"): panel.index.unique("province").size
    }
    weight = {}
    for name, place in (("FI", fi), ("RCD", rcd)):
        dimensions = {DIMENSIONS[k] for k in INDICATORS[name]}
        found[place, "number", f"{name} second-level indicators"] = len(dimensions)
        found[place, "number", f"{name} third-level indicators"] = len(INDICATORS[name])
        for t in (2003, 2023):
            weight[name, t] = index(panel[year == t], name).weights
        change = weight[name, 2023] - weight[name, 2003]
        found[place, "number 2003 to 2023", f"{name} indicators with rising weight"] = (change > 0).sum()
        found[place, "number 2003 to 2023", f"{name} indicators with falling weight"] = (change < 0).sum()
    rank = index(panel, "FI").weights.rank(ascending=False)
    named = {
        "技术市场交易额": "T3",
        "R&D经费内部支出": "T2",
        "国内发明专利申请受理数": "T1",
        "规模以上工业企业单位数": "T5",
    }
    for row, k in (named | {"R&D人员全时当量": "T4"}).items():
        found[fi, "among the five largest weights 2003-2023", row] = rank[k] <= 5
    named = {"居民人均可支配收入": "S2", "工业污染治理完成额": "N1", "人均GDP": "E1", "无害化处理能力": "N2"}
    named |= {"全社会固定资产投资额": "E2", "产业结构高级化": "E3"}
    for row, k in named.items():
        for t in (2003, 2023):
            if (row, t) not in (
                ("产业结构高级化", 2003),
                ("工业污染治理完成额", 2023),
            ):  # among the five of one year only
                found[rcd, f"rank of weight {t}", row] = weight["RCD", t].rank(ascending=False)[k]
    return found


def _digitised(total: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Size and growth of digitised industry: printed penetration rates times output of the sectors."""
    printed = published("factor-innovation").other.query("table == 'text intro'")
    rate = printed[printed["row"].str.contains("digital penetration")].pivot(
        index="row", columns="column", values="value"
    )
    now = rate["2023"].to_numpy() / 100
    before = now - rate["change 2022-2023"].to_numpy() / 100
    sectors = rate.index.str.extract("(primary|secondary|tertiary)", expand=False)
    outputs = total.rename(columns={"output_1": "primary", "output_2": "secondary", "output_3": "tertiary"})[
        sectors
    ]
    size = {2022: outputs.loc[2022] @ before / 1e4, 2023: outputs.loc[2023] @ now / 1e4}
    row = "产业数字化规模 scale of industrial digitisation, China"
    growth = 100 * (size[2023] / size[2022] - 1)
    return {("text intro", "2023", row): size[2023], ("text intro", "growth 2023", row): growth}


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives: output, weights, national means, who is above them."""
    intro, place = "text intro", "text 二(二)3"
    outputs = panel[["output_1", "output_2", "output_3"]]
    total = outputs.groupby("year").sum()
    by_region = outputs.sum(axis=1).groupby([panel["region4"], "year"]).sum().unstack("year") / 1e4
    step, sums = by_region.diff(axis=1), panel.groupby("year")[["tech_market", "investment"]].sum()
    rows = {
        "East": "East 东部",
        "Central": "Central 中部",
        "West": "West 西部",
        "Northeast": "Northeast 东北",
    }
    found = {(intro, f"GDP {t}", rows[r]): by_region.at[r, t] for r in rows for t in (2003, 2013, 2023)}
    found |= {
        (intro, f"GDP增加值 GDP increment {t}", rows[r]): step.at[r, t] for r in rows for t in (2013, 2023)
    }
    for k, row in (
        ("tech_market", "技术市场成交额 technology market turnover"),
        ("investment", "全社会固定资产投资 fixed-asset investment"),
    ):
        found |= {(intro, str(t), f"{row}, China"): sums.at[t, k] for t in (2003, 2023)}
    head = panel["gdp_pc"].groupby([panel["region4"], "year"]).mean()
    for r in ("Central", "West"):
        for t in (2003, 2023):
            found[intro, str(t), f"GDP per capita ratio East/{r}"] = head["East", t] / head[r, t]
    talent = panel["talent"].groupby("year").mean()
    row = "研究生学历就业占比 share of employed persons with a postgraduate degree, China"
    found |= {
        (intro, "2023", row): talent[2023],
        (intro, "change 2003-2023", row): talent[2023] - talent[2003],
    }
    gap, row = total["output_3"] - total["output_2"], "tertiary minus secondary scale (value added, national)"
    found |= {(place, str(t), row): gap[t] for t in (2014, 2023)}
    return found | _digitised(total) | _national_levels(panel) | _weights_in_text(panel) | _above_mean(panel)


def from_print() -> dict[tuple[str, str, str], float]:
    """Numbers of the text that follow from other printed figures: shares of regions, growth, size of digitisation."""
    intro = "text intro"
    printed = (
        published("factor-innovation")
        .other.query("table == @intro")
        .pivot(index="row", columns="column", values="value")
    )
    regions = ["East 东部", "Central 中部", "West 西部", "Northeast 东北"]
    found: dict[tuple[str, str, str], float] = {}
    for kind, share in (("GDP", "GDP share"), ("GDP增加值 GDP increment", "GDP increment share")):
        for t in (2003, 2013, 2023):
            of = printed.loc[regions, f"{kind} {t}"]
            found |= {(intro, f"{share} {t}", r): 100 * of[r] / of.sum() for r in regions}
    for row in (
        "技术市场成交额 technology market turnover, China",
        "全社会固定资产投资 fixed-asset investment, China",
    ):
        found[intro, "growth 2003-2023", row] = printed.at[row, "2023"] / printed.at[row, "2003"] - 1
    gdp = printed.loc[regions, "GDP 2023"].sum()
    step = printed.loc[regions, "GDP增加值 GDP increment 2023"].sum()
    found[intro, "2023", "GDP growth, China"] = 100 * step / (gdp - step)
    digital = printed.at["产业数字化规模 scale of industrial digitisation, China", "2023"]
    found[intro, "2023", "产业数字化占GDP比重 share of industrial digitisation in GDP, China"] = (
        100 * digital / gdp
    )
    return found


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


# ------------------------------------------------------------------------------------------------ a student's panel
_FLAT = ("K1", "E4", "S1", "S3", "S4", "N4")
"""Indicators that hardly vary and follow little."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`."""
    rng, data = np.random.default_rng([seed, 3]), further(prepare(panel))
    year = data.index.get_level_values("year").to_numpy()
    late = year >= FIRST_YEAR
    periods, n = len(np.unique(year[late])), data.index.unique("province").size
    fits = redraw.fits([c for c in TABLES if c.outcome == "RCD"], data)
    of_policy, y = redraw.factor(rng), data["RCD"].to_numpy()
    rows = redraw.binding(fits, ("5", "1"), CONTROLS)

    def draw() -> tuple[np.ndarray, float]:
        factor, path, part = redraw.factor(rng), np.zeros(len(y)), np.zeros(len(y))
        path[late] = 0.006 * np.tile(redraw.walk(rng, periods), n)
        part[late] = (factor - 1) * fits["5", "1"].sweep(y[late])  # all that moves RCD within provinces
        drawn = redraw.outcome(
            y, part, fits["5", "1"], rows, rng, goal=(factor - 1) * rows @ y, periods=periods,
            give=np.where(late, y, 0.0), path=path, lower=0.6 * y, upper=1.4 * y, mirrored=0.9,
        )  # fmt: skip
        return drawn, factor

    wanted, factor = redraw.first_steady(draw, fits["5", "1"], y)
    effect = round(of_policy * shipped["policy"]["effect"], 4)
    more = effect - shipped["policy"]["effect"]
    wanted, estimate = _before(data, wanted, shipped["policy"]["estimate"] + more, rng)
    new = _raked(panel, "RCD", wanted, np.zeros(len(INDICATORS["RCD"]), int), rng)
    parts = [["LI", "KI", "TI"].index(DIMENSIONS[k]) for k in INDICATORS["FI"]]
    new |= _raked(panel, "FI", data[["LI", "KI", "TI"]].to_numpy(), np.array(parts), rng)
    scaled = ("total_effect", "direct_effect", "effect_added_by_region")
    truth = redraw.truth_of(
        shipped, seed, "first_stage", "process", "regressors", factor=factor,
        policy=shipped["policy"] | {"effect": effect, "estimate": round(estimate, 4)},
        mediator_effect=round(factor * shipped["mediator_effect"], 4),
        **{k: {j: round(factor * b, 4) for j, b in shipped[k].items()} for k in scaled},
    )  # fmt: skip
    truth["process"]["controls"] = {k: round(factor * b, 4) for k, b in truth["process"]["controls"].items()}
    return panel.assign(**new), truth


def _raked(
    panel: pd.DataFrame, name: str, wanted: np.ndarray, part: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Raw columns of an index with noise of their own, whose scores are ``wanted`` and whose weights are as shipped."""
    year = panel.index.get_level_values("year").to_numpy()
    names, signs = list(INDICATORS[name]), np.array([DIRECTIONS.get(k, 1) for k in INDICATORS[name]])
    x = redraw.minmax(indicators(panel)[names].to_numpy(float) * signs)
    flat = np.isin(names, _FLAT)
    units, periods = panel.index.unique("province").size, len(np.unique(year))
    noise = 0.04 * redraw.ar1(rng, (units, periods, len(names)), 0.7).reshape(x.shape)
    x = redraw.rake(x, wanted, np.where(flat, 0.15, 1.0), _bend(x, year), part=part, noise=noise)
    new = {}
    for i, column in enumerate(INDICATORS[name].values()):
        old = panel[column]
        share = x[:, i] if signs[i] > 0 else 1 - x[:, i]
        new[column] = redraw.rounded(old.min() + (old.max() - old.min()) * share, old)
    return new


def _bend(x: np.ndarray, year: np.ndarray) -> Any:
    """What bends scaled indicators back to the weights that they have in each period of Table 2."""
    pieces = [year == 2003, (year > 2003) & (year < 2013), (year >= 2013) & (year < 2023), year == 2023]

    def weights(z: np.ndarray) -> np.ndarray:
        return (d := redraw.redundancy(redraw.minmax(z))) / d.sum()

    wanted = [weights(x[rows]) for rows in pieces]

    def bend(x: np.ndarray, live: bool) -> None:
        for rows, w in zip(pieces, wanted, strict=True) if live else ():
            low, span = x[rows].min(0), np.ptp(x[rows], 0)
            power = np.clip((w / weights(x[rows])) ** 0.5, 0.8, 1.25)
            x[rows] = low + span * redraw.minmax(x[rows]) ** power

    return bend


def _before(
    data: pd.DataFrame, wanted: np.ndarray, goal: float, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The outcome with years before the regressions that join it, and with a policy whose estimate is ``goal``."""
    year = data.index.get_level_values("year").to_numpy()
    units, late = data.index.unique("province").size, year >= FIRST_YEAR
    pilot = data["pilot"].to_numpy() == 1
    old, new = data["RCD"].to_numpy().reshape(units, -1), wanted.reshape(units, -1)
    first = int((~late).sum() / units)
    table, ago = np.log(new), np.arange(first, 0, -1) / first
    step = table[:, [first]] - np.log(old[:, [first]])
    own = 0.01 * np.cumsum(rng.standard_normal((units, first)), axis=1)[:, ::-1]
    table[:, :first] = np.log(old[:, :first]) + step * (1 - 0.7 * ago) + own - own.mean(1, keepdims=True)
    d = redraw.within([pd.factorize(data.index.get_level_values(k))[0] for k in data.index.names])
    treated = d((pilot & late).astype(float))

    def estimate() -> float:
        return float(treated @ table.ravel() / (treated @ treated))

    here = pilot.reshape(units, -1)[:, 0]
    table[here, :first] -= goal - estimate()
    return np.exp(table).ravel(), estimate()
