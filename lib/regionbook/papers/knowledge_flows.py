"""Variables and columns of Ma, Zhang and Hu (2025): city pairs, flows of digital knowledge, moderators."""

import numpy as np
import pandas as pd

from regionbook.data.raw import raw_table
from regionbook.papers._knowledge_tables import PANEL as PANEL  # raw tables, how the panel is built

from ._knowledge_redraw import redrawn as redrawn
from .declare import regressions

CONTROLS = ["HSR", "TS", "IPP"]
"""High-speed rail link, technological similarity, number of demonstration cities for intellectual property."""

TABLES = regressions("knowledge-flows", CONTROLS)
"""The 22 printed regressions; `terms` names what is printed, since controls are not."""

MODELS = {column.key: column for column in TABLES}
"""Table and column -> `Column`."""
MODERATORS = {key: c.regressors[1].partition(":")[2] for key, c in MODELS.items() if key[0] != "1"}
"""Table and column -> column of the panel that the net flow is interacted with."""


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """Return `panel` with lnDKF_HtoL and lnDKF_LtoH = ln(1 + citations), and their difference lnDKF_net.

    Differences are taken in double precision: in single precision they cost the digits that small coefficients need.
    """
    inflow, outflow = (np.log1p(panel[k].to_numpy(float)) for k in ("DKF_HtoL", "DKF_LtoH"))
    return panel.assign(lnDKF_HtoL=inflow, lnDKF_LtoH=outflow, lnDKF_net=inflow - outflow)


def in_text(panel: pd.DataFrame | None = None) -> dict[tuple[str, str, str], float]:
    """Numbers of the text that the cities and their years give (the panel of pairs is not needed): sample, regions."""
    cities, by_year = (raw_table("knowledge-flows", name).reset_index() for name in ("cities", "years"))
    n, years = len(cities), by_year["year"]
    sample = "text 3.2-3.3: sample"
    found = {
        (sample, "count", "cities of prefecture level and above"): n,
        (sample, "count", "unordered city pairs"): n * (n - 1) / 2,
        (sample, "first year", "night-time light series"): years.min(),
        (sample, "last year", "night-time light series"): years.max(),
        (sample, "first year", "sample period"): years.min() + 1,  # regressors are those of the year before
        (sample, "last year", "sample period"): years.max() - 1,
    }
    region = by_year["city"].map(cities.set_index("city")["region"]).rename("region")
    sums = by_year.groupby([region, "year"])[["light", "population"]].sum()
    head = (sums["light"] / sums["population"]).unstack("year")
    ratios = (head / head.loc["West"]).rename(index={"Central": "Centre"})
    place = "text 3.2: per-capita income ratio of cities by region (cites 洪银兴 2022)"
    return found | {(place, str(t), str(r)): ratios.at[r, t] for t in (2000, 2019) for r in ratios.index}
