"""Variables of Liu and Yeerken (2025): an index of openness of 11 provinces along the Yangtze, and its dispersion."""

from typing import Any

import numpy as np
import pandas as pd

from regionbook.data import published

from . import redraw
from .declare import Column

SLUG = "yangtze-openness"
TABLES: list[Column] = []
"""The paper has no regression."""

REACHES = ("lower", "middle", "upper")
READINGS = {"mean": lambda t, i: (t + i) / 2, "root": lambda t, i: np.sqrt(t * i)}
READINGS |= {"half product": lambda t, i: t * i / 2}
"""Three readings of equation (1), of which the print keeps "T × I" and a 2. Only the first can give the printed figures."""
YEARS = (1993, 2022)


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with T = X²/GDP, I = F²/GDP and Z = (T + I)/2, equations (1) to (3), in trillion yuan of each year.

    ``arrived`` is the stock that yearly inflows add up to, by perpetual inventory with `LOSS` a year, and ``Z_arrived`` the
    index with it in place of the registered stock F; ``Z_real`` is Z over the price level.

    Examples
    --------
    >>> from regionbook.data import load
    >>> prepare(load("yangtze-openness"))["Z"].loc[("Shanghai", 2022)].round(3)
    np.float64(17.225)
    """
    d, mean = panel, READINGS["mean"]
    trade, stock = d["trade"] ** 2 / d["gdp"], d["fdi_registered"] ** 2 / d["gdp"]
    Z, arrived = mean(trade, stock), inventory(d["fdi_inflow"])
    new = {
        "Z_real": Z / d["price_level"],
        "arrived": arrived,
        "Z_arrived": mean(trade, arrived**2 / d["gdp"]),
    }
    return panel.assign(T=trade, I=stock, Z=Z, **new)


LOSS = 0.05
"""Share of a stock of foreign investment that is lost in a year: our choice, as in the panel's process."""
GROWTH = 0.12
"""Growth of inflows before the first year, which the first stock needs: our choice."""


def inventory(inflow: pd.Series) -> pd.Series:
    """Return stocks from yearly inflows by perpetual inventory: K_t = (1 - LOSS) K_{t-1} + inflow_t in each unit.

    The first stock is inflow (1 + GROWTH) / (GROWTH + LOSS), as if stock and inflow had always grown by GROWTH.
    `inflow` is indexed by unit and year; years without a gap.
    """
    wide = inflow.unstack("year").sort_index(axis=1)
    stock = wide.copy()
    stock.iloc[:, 0] = wide.iloc[:, 0] * (1 + GROWTH) / (GROWTH + LOSS)
    for k in range(1, wide.shape[1]):
        stock.iloc[:, k] = (1 - LOSS) * stock.iloc[:, k - 1] + wide.iloc[:, k]
    return stock.stack().reindex(inflow.index)


def dispersion(values: pd.Series, weights: pd.Series | None = None) -> float:
    """Return equation (4), a coefficient of variation: √Σ p (y - u)² / u, with p equal shares or `weights` over their sum.

    u is the mean with the same shares. Williamson (1965) weighs by population.

    Examples
    --------
    >>> dispersion(pd.Series([1.0, 3.0]))
    0.5
    """
    p = pd.Series(1.0, values.index) if weights is None else weights.reindex(values.index)
    p = p / p.sum()
    u = float((p * values).sum())
    return float(np.sqrt((p * (values - u) ** 2).sum()) / u)


def in_text(panel: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Numbers of Table 1 and of the text that the prepared panel gives.

    Printed "annual growth" is the gain in index points a year times 100. The gains of stages 1 to 3 are divided by the years
    of the stage, counted from the last year of the stage before; stage 4 in the same way misses its print.
    """
    wide = panel["Z"].unstack("year")
    reach = panel["reach"].groupby("province").first()
    rows = wide.groupby(reach).mean().rename("{} reaches".format).pipe(lambda d: pd.concat([wide, d]))
    belt = wide.mean()
    first, last = (panel[["Z", "T", "I"]].xs(y, level="year").mean() for y in YEARS)
    gain = 100 * (last - first) / (YEARS[1] - YEARS[0])
    found: dict[tuple[str, str, str], float] = {}
    for row in published(SLUG).other.itertuples():
        name = next((k for k in rows.index if str(row.row).endswith(f" {k}")), None)
        if row.table == "1":
            low, high = (rows.loc[name, y] for y in YEARS)
            value = (high - low) / (YEARS[1] - YEARS[0])
            if row.column.isdigit():
                value = rows.loc[name, int(row.column)]
            found[row.table, row.column, row.row] = value
        elif row.column == "provinces":
            kind = next((k for k in REACHES if row.row.startswith(k)), None)
            found[row.table, row.column, row.row] = reach.eq(kind).sum() if kind else len(reach)
        elif row.table == "text 三3":
            found[row.table, row.column, row.row] = dispersion(wide[int(row.column)])
    index = "Belt, comprehensive openness index Z"
    found |= {("text 三1", str(y), index): belt[y] for y in YEARS}
    found["text 三1", "increase 1993-2022", index] = belt[YEARS[1]] - belt[YEARS[0]]
    found["text 三1", "average annual increase 1993-2022", index] = gain["Z"]
    for row in published(SLUG).other.query("table == 'text 三1' and column.str.startswith('average annual growth')").itertuples():  # fmt: skip
        a, b = (int(y) for y in row.column.split()[-1].split("-"))
        stage, kind = "stage" in row.row, row.row.partition("index ")[2]
        start = max(a - 1, YEARS[0])
        value = 100 * (belt[b] - belt[start]) / (b - a + 1) if stage else gain[kind]
        found[row.table, row.column, row.row] = value
    return {at: float(v) for at, v in found.items()}


# ------------------------------------------------------------------------------------------------ a student's panel
NEAR = 0.08
"""Standard deviation of a student's log moves of the index about the shipped paths; nought at the ends."""


def redrawn(panel: pd.DataFrame, shipped: dict[str, Any], seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A student's panel and its truth: other paths of trade and stock between the first and last year, and inflows of which
    another share stands behind what was registered inland after 2014.

    The printed values are those of the shipped panel and hold in a student's first and last year only.
    """
    rng = np.random.default_rng([seed, 13])
    provinces = panel.index.unique("province")
    years = panel.index.unique("year")
    shape = (len(provinces), len(years))
    walk = redraw.ar1(rng, shape, 0.8)
    ends = np.linspace(0, 1, shape[1])
    bridge = walk - walk[:, :1] * (1 - ends) - walk[:, -1:] * ends
    move = np.exp(NEAR * bridge).ravel()
    share = float(np.round(rng.uniform(0.25, 0.9), 2))
    stock = panel["fdi_registered"] * move
    flow = inflows(stock, panel["reach"], share, rng).round(6)
    new = panel.assign(trade=(panel["trade"] * move).round(6), fdi_registered=stock.round(6), fdi_inflow=flow)
    said = "Paths of trade and registered stock between the ends; another share of inland funds arrived."
    return new, redraw.truth_of(shipped, seed, "process", share_arrived=share, redrawn=said)


def inflows(
    stock: pd.Series, reach: pd.Series, share: float, rng: np.random.Generator, since: int = 2014
) -> pd.Series:
    """Yearly inflows behind a registered stock: in full, but for a gain inland after `since`, of which `share` arrived.

    The stock that arrived is the registered one times a reading error of 3 per cent; a year's inflow is what perpetual
    inventory with `LOSS` needs.
    """
    wide = stock.unstack("year").sort_index(axis=1)
    inland = (reach.groupby("province").first() != "lower").reindex(wide.index).to_numpy()[:, None]
    base = wide[since].to_numpy()[:, None]
    late = (np.asarray(wide.columns) > since)[None, :] & (inland | (wide.index == "Anhui")[:, None])
    real = np.where(late, base + share * (wide - base), wide)
    flow = real.copy()
    flow[:, 1:] = real[:, 1:] - (1 - LOSS) * real[:, :-1]
    flow[:, 0] = real[:, 0] * (GROWTH + LOSS) / (1 + GROWTH)
    flow = np.maximum(flow, 0.002 * real) * np.exp(0.03 * rng.standard_normal(flow.shape))
    return pd.DataFrame(flow, wide.index, wide.columns).stack().reindex(stock.index)
