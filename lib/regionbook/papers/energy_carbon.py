"""Variables of Du (2025): four targets of energy and carbon control, fourteen features of each, five importances."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published
from regionbook.models import boosting

from . import redraw
from .declare import Column

SLUG = "energy-carbon"
TABLES: list[Column] = []
"""No regression is printed: importances stand in other.csv, see `printed_tables`."""
CONTROLS: list[str] = []

TARGETS = {"energy_total": "2", "energy_efficiency": "2", "carbon_total": "3", "carbon_efficiency": "3"}
"""Target -> table that prints its importances."""
POLICY = ["green_industry", "green_credit", "green_investment", "env_fiscal", "env_treatment"]
DRIVERS = [*POLICY, "electricity", "gdp_pc", "fiscal_ratio", "urban", "secondary", "patents"]
"""The eleven features that are no target, in the order of print."""
TYPES = boosting.TYPES
SUMMARY = ["mean", "sd", "cv"]

BEND = 47.0
"""Share of the secondary sector, in per cent, beyond which it raises credit and intensity: set by us."""
EFFECTS = {"green_credit": 0.012, "bend": 0.020, "gdp_pc": -0.10}
"""Effects on the logarithm of energy intensity in the shipped world: a point of credit's share, a point beyond the bend, the
logarithm of GDP per head. All other drivers have none. Set by us."""


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with the eleven drivers, in their units of print, and the four targets.

    Intensities and GDP per head use GDP at prices of 2003, so that energy_total = energy_efficiency × gdp_real and
    carbon_total = carbon_efficiency × gdp_real / 100 hold exactly; ratios of money use current prices.

    Examples
    --------
    >>> from regionbook.data import load
    >>> d = prepare(load("energy-carbon"))
    >>> bool(np.allclose(d["energy_efficiency"] * d["gdp_real"], d["energy_total"]))
    True
    """
    d, per_cent = panel, {}
    for name, (part, whole) in {
        "green_industry": ("fixed_investment_green", "fixed_investment"),
        "green_credit": ("interest_six", "interest_industry"),
        "green_investment": ("treatment_industrial", "gdp"),
        "env_fiscal": ("environmental_expenditure", "gdp"),
        "env_treatment": ("treatment_total", "gdp"),
        "fiscal_ratio": ("fiscal_revenue", "fiscal_expenditure"),
        "urban": ("urban_population", "population"),
        "secondary": ("secondary_value_added", "gdp"),
    }.items():
        per_cent[name] = 100 * d[part] / d[whole]
    real = d["gdp_real"]
    targets = {"energy_total": d["energy"], "energy_efficiency": d["energy"] / real}
    targets |= {"carbon_total": d["co2"], "carbon_efficiency": 100 * d["co2"] / real}
    return d.assign(**per_cent, gdp_pc=real / d["population"], **targets)


def features(target: str) -> list[str]:
    """The fourteen features of a target: eleven drivers and the other three targets."""
    if target not in TARGETS:
        raise ValueError(f"{target!r} is no target; they are {', '.join(TARGETS)}")
    return [*DRIVERS, *(k for k in TARGETS if k != target)]


def boosted(**settings: Any) -> Any:
    """scikit-learn's boosted trees with the defaults of XGBoost, which the article is guessed to have used.

    A hundred trees of depth 6, learning rate 0.3, λ = 1, leaves of a single row; `settings` replace some of them.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    usual: dict[str, Any] = {"max_iter": 100, "max_depth": 6, "learning_rate": 0.3, "l2_regularization": 1.0}
    usual |= {"min_samples_leaf": 1, "max_leaf_nodes": None, "early_stopping": False}
    return HistGradientBoostingRegressor(**(usual | settings))


def training(data: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Three quarters of the rows at random, as scikit-learn's ``train_test_split`` leaves them."""
    from sklearn.model_selection import train_test_split

    return train_test_split(data, random_state=seed)[0]


def printed_tables(data: pd.DataFrame, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Tables 2 and 3 of the default model on a random three quarters of the prepared panel, in the printed powers of ten."""
    rows, found = training(data, seed), {}
    for target in TARGETS:
        X = rows[features(target)]
        found[target] = boosting.tree_importances(boosted().fit(X, rows[target])) / powers(target)
    return _as_printed(found)


def _as_printed(found: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The two tables from the importances of each target, with the three rows below them; rows that are printed only."""
    tables: dict[str, list[pd.DataFrame]] = {}
    for target, table in TARGETS.items():
        full = found[target]
        below = pd.DataFrame({"mean": full.mean(), "sd": full.std(), "cv": full.std() / full.mean()}).T
        rows = pd.concat([full.loc[printed(target).index.drop(SUMMARY)], below])
        tables.setdefault(table, []).append(rows.add_prefix(f"{target}: "))
    return {table: pd.concat(parts, axis=1) for table, parts in tables.items()}


def powers(target: str) -> pd.Series:
    """Power of ten in the printed heading of each importance."""
    other = published(SLUG).other
    units = other[other["row"].eq("mean")].set_index("column")["unit"]
    power = units.str.extract(r"x10\^(\d+)$", expand=False).fillna("0").astype(int)
    return pd.Series([10.0 ** power[f"{target}: {k}"] for k in TYPES], TYPES)


def printed(target: str) -> pd.DataFrame:
    """Importances of a target as printed: thirteen features, then mean, sd and cv."""
    features(target)
    other = published(SLUG).other
    here = other[other["column"].str.startswith(f"{target}: ")]
    here = here.assign(kind=here["column"].str.partition(": ")[2])
    here = here[here["kind"].isin(TYPES)]
    wide = here.pivot(index="row", columns="kind", values="value")
    return wide.loc[here["row"].unique(), TYPES].rename_axis(index=None, columns=None)


def completed(target: str) -> pd.DataFrame:
    """Importances of a target with the fourteenth row, by arithmetic on the print, in powers of the headings.

    The row without print is what the printed mean of fourteen needs. Then a total gain that misses the product of weight
    and gain by a factor of ten or a hundred, while the other rows of its column do not, is replaced by that product.
    """
    p, scale = printed(target), powers(target)
    rows = p.drop(index=SUMMARY)
    (lost,) = set(features(target)) - set(rows.index)
    rows.loc[lost] = len(features(target)) * p.loc["mean"] - rows.sum()
    product = rows["weight"] * rows["gain"] * scale["gain"] / scale["total_gain"]
    slip = (rows["total_gain"] / product).drop(lost)
    slip = slip / slip.median()
    rows["total_gain"] = rows["total_gain"].mask(slip.gt(5) & rows["total_gain"].gt(1), product)
    return rows.loc[features(target)]


def counts(target: str) -> pd.DataFrame:
    """In how many of the five types a feature is among the first five and among the last three, by the completed print."""
    rank = completed(target).rank(ascending=False, method="min")
    return pd.DataFrame({"first 5": rank.le(5).sum(axis=1), "last 3": rank.ge(len(rank) - 2).sum(axis=1)})


def from_print() -> dict[tuple[str, str, str], float]:
    """Numbers of the text that follow from Table 1 and from the completed Tables 2 and 3."""
    p = published(SLUG)
    kinds = p.indicators["dimension"].value_counts()
    found: dict[tuple[str, str, str], float] = {
        ("text: 3(1)", "number of target dimensions", "targets"): len(TARGETS),
        ("text: 3(3)", "number of importance types", "XGBoost"): len(TYPES),
        ("text: 3(3)", "first table", "tables announced"): min(int(t) for t in TARGETS.values()),
        ("text: 3(3)", "last table", "tables announced"): max(int(t) for t in TARGETS.values()),
    }
    for name, n in kinds.items():
        if not str(name).endswith("dual control"):
            found["text: 3(2)", "number of indicators", str(name).partition(" ")[2]] = n
    said = p.other["column"].str.startswith("number of the 5 types")
    for row in p.other[said & p.other["row"].str.contains(": ")].itertuples():
        target, feature = row.row.split(": ")
        which = "first 5" if "first" in row.column else "last 3"
        found[row.table, row.column, row.row] = counts(target).loc[feature, which]
    return {at: float(v) for at, v in found.items()}


# ------------------------------------------------------------------------------------------------- parts of a change
def lmdi(data: pd.DataFrame, total: str, factors: Sequence[str], start: int, end: int) -> pd.DataFrame:
    r"""Split the change of a total that is a product of factors: logarithmic mean Divisia index (LMDI), additive.

    .. math:: \Delta_{x,i} = L(V_{i1}, V_{i0}) \ln(x_{i1} / x_{i0}), \qquad L(a, b) = (a - b) / \ln(a / b)

    Parameters
    ----------
    data : DataFrame, indexed by unit and year
    total, factors
        Column V and the columns whose product it is, up to a constant; else, or with a value that is not positive, a ValueError.
    start, end
        Years.

    Returns
    -------
    DataFrame, units × factors
        Their sum in a row is the unit's change of V.

    References
    ----------
    Ang, B. W. (2005). The LMDI approach to decomposition analysis: a practical guide. Energy Policy 33, 867-871.
    """
    part = data[[total, *factors]].astype(float)
    if not (part > 0).all(axis=None):
        bad = ", ".join(k for k in part if not (part[k] > 0).all())
        raise ValueError(f"logarithms need positive values: {bad}")
    ratio = part[total] / part[list(factors)].prod(axis=1)
    if not np.allclose(ratio, ratio.iloc[0], rtol=1e-6):
        ends = f"the ratio runs from {ratio.min():.4g} to {ratio.max():.4g}"
        raise ValueError(f"{' × '.join(factors)} is not {total} times a constant: {ends}")
    a, b = (part.xs(y, level=1) for y in (end, start))
    change, log = a - b, np.log(a / b)
    mean = (change[total] / log[total]).where(log[total].abs() > 1e-12, a[total])
    return log[list(factors)].mul(mean, axis=0)


# ------------------------------------------------------------------------------------------------- a student's panel
NOISE = 0.03
"""Standard deviation of what a student's intensities differ by beside the effect, in logarithms."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth: the effect of green credit times the student's factor, and fresh noise.

    Energy use moves by what the changed effect and the noise say, and CO2 and electricity with it, so that the identities
    stay; CO2, electricity and the features without an effect get noise of their own.
    """
    rng = np.random.default_rng([seed, 11])
    factor = redraw.factor(rng)
    units, years = (panel.index.unique(k) for k in panel.index.names)
    shape = (len(units), len(years))

    def noise(size: float) -> Any:
        return size * redraw.ar1(rng, shape, 0.7).ravel()

    credit = panel["interest_six"] / panel["interest_industry"]
    within = 100 * (credit - credit.groupby("province").transform("mean"))
    true = dict(shipped["effects"])
    grown = (factor - 1) * true["green_credit"] * within + noise(NOISE)
    new = panel.copy()
    for name, size, digits in (("energy", 0.0, 2), ("co2", 0.01, 3), ("electricity", 0.02, 2)):
        new[name] = (panel[name] * np.exp(grown + noise(size))).round(digits)
    for name in ("fixed_investment_green", "treatment_industrial", "treatment_total", "environmental_expenditure"):  # fmt: skip
        new[name] = (panel[name] * np.exp(noise(0.05))).round(3)
    true["green_credit"] = round(factor * true["green_credit"], 6)
    said = "The shipped panel with the effect of green credit times the student's factor, and other noise."
    return new, redraw.truth_of(shipped, seed, "process", factor=factor, effects=true, redrawn=said)
