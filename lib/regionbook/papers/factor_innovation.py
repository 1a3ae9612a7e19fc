"""Variables of Wang and Xu (2025): three entropy indices with their parts, and four controls."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.index import EntropyIndex, entropy_index

from . import redraw
from .declare import regressions

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


def indicators(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the 26 indicators of Tables 1-3, in their order: L1 ... T5 (FI), E1 ... N4 (RCD), ID1, ID2, ID3 (ID).

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
    new: dict[str, pd.Series] = {}
    for name, parts in (("FI", ["LI", "KI", "TI"]), ("ID", list(INDICATORS["ID"])), ("RCD", [])):
        found = index(panel, name)
        new |= {name: found.score} | {k: found.dimension_scores[k] for k in parts}
    here = panel[panel.index.get_level_values("year") >= FIRST_YEAR]
    talent, gap = here["talent"], here["income_gap"]
    new["TAL"] = (panel["talent"] - talent.min()) / (talent.max() - talent.min())
    new["BASE"] = panel["debt"]
    new["GAP"] = (gap.max() - panel["income_gap"]) / (gap.max() - gap.min())
    return panel.assign(**new, GOV=panel["spending"])


def _levels(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """National means of the indices and of the parts of ID; provinces above them, by name, number and region."""
    region = panel["region4"].groupby("province").first()
    found: dict[tuple[str, str, str], float] = {}
    for name in (*INDICATORS, *INDICATORS["ID"]):
        level = panel[name].unstack("year")
        for place in ("text 二(三)1", "text 二(二)3"):
            found |= {(place, f"national level {t}", name): mean for t, mean in level.mean().items()}
        above = level > level.mean()
        columns = {("text 二(三)3", f"{name} {t}"): above[t] for t in above}
        columns["text 二(三)2", f"{name} every year 2003-2023"] = above.all(axis=1)
        for (table, column), yes in columns.items():
            found |= {(table, column, k): v for k, v in yes.items()}
            found[table, column, "number of provinces"] = yes.sum()
            counted = yes.groupby(region).sum().items()
            found |= {(table, f"{column} (number by region)", k): n for k, n in counted}
    return found


def _weights_in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Sizes of the indices, weights that rise and fall, the largest ones and their ranks."""
    year = panel.index.get_level_values("year")
    found: dict[tuple[str, str, str], float] = {}
    names = published("factor-innovation").indicators.set_index("symbol")["indicator_zh"].to_dict()
    names |= {"T2": "R&D经费内部支出", "T3": "技术市场交易额", "N1": "工业污染治理完成额"}  # as in the text
    for name, place in (("FI", "text 二(二)1"), ("RCD", "text 二(二)2")):
        second = {DIMENSIONS[k] for k in INDICATORS[name]}
        found[place, "number", f"{name} second-level indicators"] = len(second)
        found[place, "number", f"{name} third-level indicators"] = len(INDICATORS[name])
        weights = {t: index(panel[year == t], name).weights for t in (2003, 2023)}
        change = weights[2023] - weights[2003]
        found[place, "number 2003 to 2023", f"{name} indicators with rising weight"] = (change > 0).sum()
        found[place, "number 2003 to 2023", f"{name} indicators with falling weight"] = (change < 0).sum()
        for t, weight in weights.items():
            rank = weight.rank(ascending=False).items()
            found |= {(place, f"rank of weight {t}", names[k]): n for k, n in rank}
        rank = index(panel, name).weights.rank(ascending=False).items()
        found |= {(place, "among the five largest weights 2003-2023", names[k]): n <= 5 for k, n in rank}
    return found


def _printed_intro() -> pd.DataFrame:
    """Printed figures of the introduction: one row each, one column a year."""
    printed = published("factor-innovation").other.query("table == 'text intro'")
    return printed.pivot(index="row", columns="column", values="value")


def _output(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Output by region and sector; the digitised part of it, by printed penetration rates of the sectors."""
    intro, sectors = "text intro", {"output_1": "primary", "output_2": "secondary", "output_3": "tertiary"}
    outputs = panel[list(sectors)].rename(columns=sectors)
    total = outputs.groupby("year").sum()
    by_region = outputs.sum(axis=1).groupby([panel["region4"], "year"]).sum() / 1e4
    step = by_region.groupby("region4").diff()
    found = {(intro, f"GDP {t}", r): v for (r, t), v in by_region.items()}
    found |= {(intro, f"GDP增加值 GDP increment {t}", r): v for (r, t), v in step.items() if t > 2003}
    gap = (total["tertiary"] - total["secondary"]).items()
    row = "tertiary minus secondary scale (value added, national)"
    found |= {("text 二(二)3", str(t), row): v for t, v in gap}
    printed = _printed_intro()[["2023", "change 2022-2023"]].rename(lambda row: row.split()[-2])
    rate = printed.loc[total.columns] / 100
    size = total.loc[2023] @ rate["2023"] / 1e4
    before = total.loc[2022] @ (rate["2023"] - rate["change 2022-2023"]) / 1e4
    row = "产业数字化规模 scale of industrial digitisation, China"
    return found | {(intro, "2023", row): size, (intro, "growth 2023", row): 100 * (size / before - 1)}


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the prepared panel gives: output, weights, national means, who is above them."""
    intro = "text intro"
    found = _output(panel) | _levels(panel) | _weights_in_text(panel)
    sums = panel.groupby("year")[["tech_market", "investment"]].sum()
    talent = panel["talent"].groupby("year").mean()
    head = panel["gdp_pc"].groupby([panel["region4"], "year"]).mean().unstack("region4")
    for t in (2003, 2023):
        found[intro, str(t), "技术市场成交额 technology market turnover, China"] = sums.at[t, "tech_market"]
        found[intro, str(t), "全社会固定资产投资 fixed-asset investment, China"] = sums.at[t, "investment"]
        for r in ("Central", "West"):
            found[intro, str(t), f"GDP per capita ratio East/{r}"] = head.at[t, "East"] / head.at[t, r]
    row = "研究生学历就业占比 share of employed persons with a postgraduate degree, China"
    found[intro, "2023", row] = talent[2023]
    found[intro, "change 2003-2023", row] = talent[2023] - talent[2003]
    places = published("factor-innovation").other[["table", "column", "row"]].to_numpy().tolist()
    spelled = (((*p, row), (*p, k)) for *p, row in places for k in (row, *row.partition(" ")[::2]))
    return {place: found[ours] for place, ours in spelled if ours in found}  # "北京 Beijing" is our Beijing


def further(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the prepared `panel` with the regressors of the year before (``FI_lag``), which Table 7 uses."""
    names = ["FI", "ID", "ID1", "ID2", "ID3", *CONTROLS]
    return panel.join(panel.groupby("province")[names].shift(1).add_suffix("_lag"))


TABLES = regressions("factor-innovation", CONTROLS)
"""The printed regressions, two of them in the text only. Year effects are not told; constants and R2 need them."""


# ------------------------------------------------------------------------------------------------ a student's panel
_FLAT = ("K1", "E4", "S1", "S3", "S4", "N4")
"""Indicators that hardly vary and follow little."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth, from the shipped ones; see `regionbook.papers.redraw`."""
    rng, data = np.random.default_rng([seed, 3]), further(prepare(panel))
    fits = redraw.fits([c for c in TABLES if c.outcome == "RCD"], data)
    main, of_policy = fits["5", "1"], redraw.factor(rng)
    y, late = main.y, main.inside
    rows = redraw.binding(fits, ("5", "1"), CONTROLS)

    def draw() -> tuple[np.ndarray, float]:
        factor, part = redraw.factor(rng), np.zeros(len(y))
        part[late] = (factor - 1) * main.sweep(y[late])  # all that moves RCD within provinces
        drawn = redraw.outcome(
            main, part, rng, rows, goal=(factor - 1) * rows @ y, give=np.where(late, y, 0.0),
            path=0.006 * main.walk(rng), lower=0.6 * y, upper=1.4 * y, mirrored=0.9,
        )  # fmt: skip
        return drawn, factor

    wanted, factor = redraw.first_steady(draw, main)
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
    shares = np.where(signs > 0, x, 1 - x).T
    return {k: redraw.unscaled(v, panel[k]) for k, v in zip(INDICATORS[name].values(), shares, strict=True)}


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
