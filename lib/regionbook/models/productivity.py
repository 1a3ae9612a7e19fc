"""Productivity over time from frontiers: Malmquist index (马氏指数), and a global index with bad outputs."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..index._checks import one_of, show
from ..shown import Part, Shown
from .frontier import Names, Orientation, Returns, positive, radial, sbm


def _geometric(table: pd.DataFrame, level: int) -> pd.DataFrame:
    """Geometric means over the other level; NaN where one is missing."""
    by = table.index.get_level_values(level)
    return np.exp(np.log(table).groupby(by).agg(lambda column: column.mean(skipna=False)))


@dataclass(frozen=True, repr=False)
class Productivity(Shown):
    """What :func:`malmquist` and :func:`global_malmquist` return in common.

    Attributes
    ----------
    changes : DataFrame, one row a unit and pair of years, under the later year; above 1 is better
    """

    changes: pd.DataFrame

    @property
    def by_unit(self) -> pd.DataFrame:
        """Geometric means over the years, one row a unit."""
        return _geometric(self.changes, 0)

    @property
    def by_year(self) -> pd.DataFrame:
        """Geometric means over the units, one row a year (the later one)."""
        return _geometric(self.changes, 1)

    def _shown(self) -> list[Part]:
        means = np.exp(np.log(self.changes).mean()).to_frame("geometric mean").T
        units, years = (self.changes.index.get_level_values(k).nunique() for k in (0, 1))
        return [means.map("{:.4f}".format), f"{units:,} units, {years:,} pairs of years"]


@dataclass(frozen=True, repr=False)
class Malmquist(Productivity):
    """What :func:`malmquist` returns.

    Attributes
    ----------
    changes : DataFrame; `EFFCH`, `TECHCH`, `PECH`, `SECH`, `TFPCH`
    distances : DataFrame, one row a unit and year
        D of the year's data against the frontier of the same year (`crs`, `vrs`), of the year before (`before`) and of the
        year after (`after`), the latter two under constant returns; NaN where there is no such year.
    """

    distances: pd.DataFrame


def malmquist(
    panel: pd.DataFrame, inputs: Names, outputs: Names, *, orientation: Orientation = "output"
) -> Malmquist:
    r"""Malmquist index of Färe, Grosskopf, Norris and Zhang, and what it is made of.

    With Dᵗ(s) the distance of the data of year s to the frontier of year t, constant returns, D_v variable returns:

    .. math:: EFFCH = \frac{D^{t+1}(t{+}1)}{D^t(t)},\quad
        TECHCH = \left[\frac{D^t(t{+}1)}{D^{t+1}(t{+}1)}\frac{D^t(t)}{D^{t+1}(t)}\right]^{1/2},\quad
        PECH = \frac{D_v^{t+1}(t{+}1)}{D_v^t(t)},\quad SECH = \frac{EFFCH}{PECH}

    and TFPCH = EFFCH · TECHCH. The frontier of a year is spanned by that year's units alone.

    Parameters
    ----------
    panel : DataFrame, indexed by unit and year, balanced, in any order
    inputs, outputs : list of columns; all values must be positive
    orientation : "output" or "input"; D is 1/φ, or θ: at most 1 within the frontier; more is better

    Returns
    -------
    Malmquist

    Raises
    ------
    TypeError, ValueError: another index, an unbalanced panel, fewer than two years; as :func:`dea`

    References
    ----------
    Färe, Grosskopf, Norris and Zhang (1994), American Economic Review 84, 66–83; DEAP 2.1 (Coelli 1996).

    Examples
    --------
    >>> rows = pd.MultiIndex.from_product([[1, 2], list("ABCDE")], names=["year", "firm"]).swaplevel()
    >>> deap = pd.DataFrame({"x": [2, 4, 3, 5, 6, 2, 4, 3, 5, 5], "y": [1, 2, 3, 4, 5, 1, 3, 4, 3, 5]}, rows)
    >>> malmquist(deap, ["x"], ["y"])
                     EFFCH  TECHCH    PECH    SECH   TFPCH
    geometric mean  0.8436  1.3333  0.9550  0.8833  1.1247
    5 units, 1 pairs of years
    """
    one_of(("output", "input"), orientation=orientation)
    Z, units, years = _balanced(panel, inputs, outputs, ())
    cube, m = Z.to_numpy().reshape(len(units), len(years), -1).swapaxes(0, 1), len(inputs)

    def distance(s: int, t: int, returns: str) -> np.ndarray:
        names = [(unit, years[s]) for unit in units]
        score = radial(cube[s], None if s == t else cube[t], m, orientation, returns, names).value
        return 1 / score if orientation == "output" else score

    T, none = len(years), np.full(len(units), np.nan)
    columns = {k: [distance(t, t, k) for t in range(T)] for k in ("crs", "vrs")}
    columns["before"] = [none, *(distance(t, t - 1, "crs") for t in range(1, T))]
    columns["after"] = [*(distance(t, t + 1, "crs") for t in range(T - 1)), none]
    d = pd.DataFrame({name: np.array(parts).T.ravel() for name, parts in columns.items()}, Z.index)
    last = d.groupby(level=0, sort=False).shift()
    efficiency, pure = d["crs"] / last["crs"], d["vrs"] / last["vrs"]
    technical = np.sqrt(d["before"] / d["crs"] * last["crs"] / last["after"])
    changes = pd.DataFrame({"EFFCH": efficiency, "TECHCH": technical, "PECH": pure})
    changes = changes.assign(SECH=efficiency / pure, TFPCH=efficiency * technical)
    return Malmquist(changes.drop(index=years[0], level=1), d)


@dataclass(frozen=True, repr=False)
class GlobalMalmquist(Productivity):
    """What :func:`global_malmquist` returns.

    Attributes
    ----------
    changes : DataFrame; `MLI`, and with `split` its parts `EC` and `BPC`
    scores : Series, one value a unit and year; ρ, or δ where super-efficient; NaN with its reason
    index : Series, one value a unit and year; score over that of the first year: the product of the changes
    reasons : dict; why a unit and year has no score
    """

    scores: pd.Series
    index: pd.Series
    reasons: dict[Any, str]

    def _shown(self) -> list[Part]:
        lost = [f"no score: {show(unit)}: {why}" for unit, why in self.reasons.items()]
        more = [f"and {len(lost) - 3} more without a score"] if lost[3:] else []
        return [*super()._shown(), *lost[:3], *more]


def global_malmquist(
    panel: pd.DataFrame,
    inputs: Names,
    outputs: Names,
    bad: Names = (),
    *,
    returns: Returns = "crs",
    super_efficiency: bool | Literal["inputs"] = True,
    split: bool = False,
) -> GlobalMalmquist:
    r"""Global Malmquist–Luenberger index: slacks-based scores against one frontier of all units and years.

    .. math:: MLI_{t-1,t} = \frac{\rho^G_t}{\rho^G_{t-1}} = EC \cdot BPC, \qquad EC = \frac{\rho^t_t}{\rho^{t-1}_{t-1}},
        \qquad index_t = \prod_{s \le t} MLI_{s-1,s} = \frac{\rho^G_t}{\rho^G_0}

    ρᴳ is the score of :func:`sbm` on the pooled frontier, ρᵗ on that of the year. This is the form of applications in
    China; Oh's own index has directional distances. A year without a score has no index either; later years do.

    Parameters
    ----------
    panel : DataFrame, indexed by unit and year, balanced, in any order
    inputs, outputs, bad, returns, super_efficiency : as :func:`sbm`
    split : bool; efficiency change EC and best-practice gap change BPC too

    Returns
    -------
    GlobalMalmquist

    Raises
    ------
    TypeError, ValueError: as :func:`malmquist` and :func:`sbm`

    References
    ----------
    Oh (2010), J. Productivity Analysis 34, 183–197; Pastor and Lovell (2005), Economics Letters 88, 266–271.

    Examples
    --------
    >>> rows = pd.MultiIndex.from_product([list("ABC"), [2020, 2021]], names=["city", "year"])
    >>> table = {"labour": [4, 4, 5, 4, 6, 6], "gdp": [2, 3, 4, 4, 3, 5], "waste": [2, 2, 3, 2, 4, 3]}
    >>> global_malmquist(pd.DataFrame(table, rows), ["labour"], ["gdp"], ["waste"]).index.round(3).to_list()
    [1.0, 1.667, 1.0, 1.591, 1.0, 2.019]
    """
    Z, units, years = _balanced(panel, inputs, outputs, bad)

    def score(part: pd.DataFrame) -> Any:
        return sbm(part, inputs, outputs, bad, returns=returns, super_efficiency=super_efficiency)

    pooled = score(Z)
    s, unit = pooled.score, Z.index.get_level_values(0)
    changes = (s / s.groupby(unit, sort=False).shift()).to_frame("MLI")
    reasons = dict(pooled.reasons)
    if split:
        parts = [score(Z.xs(year, level=1, drop_level=False)) for year in years]
        own = pd.concat([part.score for part in parts]).reindex(Z.index)
        for part in parts:
            own_year = {label: f"in its own year, {why}" for label, why in part.reasons.items()}
            reasons |= own_year | reasons
        changes["EC"] = own / own.groupby(unit, sort=False).shift()
        changes["BPC"] = changes["MLI"] / changes["EC"]
    first = s.xs(years[0], level=1).reindex(unit).to_numpy()
    return GlobalMalmquist(changes.drop(index=years[0], level=1), s, (s / first).rename("index"), reasons)


def _balanced(
    panel: pd.DataFrame, inputs: Names, outputs: Names, bad: Names
) -> tuple[pd.DataFrame, list, list]:
    """The measures, sorted by unit (as they come) and year, with units and years."""
    if isinstance(panel, pd.DataFrame) and panel.index.nlevels != 2:
        raise ValueError("panel must be indexed by unit and year, as panel.set_index(['city', 'year'])")
    Z = positive(panel, inputs, outputs, bad, "panel")
    level = Z.index.levels[1]
    if not pd.api.types.is_numeric_dtype(level):
        raise TypeError(
            f"the second level of the index must be years, got {show(level[0])}; the order is unit, year (swaplevel)"
        )
    units, years = list(Z.index.unique(0)), sorted(Z.index.unique(1))
    if len(years) < 2:
        raise ValueError(f"change needs two years at least; panel has {show(years[0])} only")
    whole = pd.MultiIndex.from_product([units, years], names=Z.index.names)
    absent = whole.difference(Z.index, sort=False)
    if len(absent):
        raise ValueError(
            f"panel is not balanced: {len(absent)} unit-year(s) absent, the first {show(absent[0])}; leave out the unit "
            "or the year"
        )
    return Z.reindex(whole), units, years
