"""Theil's measures of inequality and their decomposition by region (泰尔指数)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ..shown import Part, Shown
from ._checks import keys, one_of, refuse, series


@dataclass(frozen=True, repr=False)
class TheilIndex(Shown):
    """What :func:`theil_index` returns.

    Attributes
    ----------
    total, within, between : float; `total` = `within` + `between`
    by_group : DataFrame; `share` (weight in `within`: of income, L: of population), `theil`, `contribution`
    """

    total: float
    within: float
    between: float
    by_group: pd.DataFrame

    def _shown(self) -> list[Part]:
        parts = {name: f"{getattr(self, name):.4f}" for name in ("total", "within", "between")}
        return [parts, self.by_group.round(4)]


def theil_index(
    x: pd.Series,
    *,
    population: pd.Series | None = None,
    by: str | pd.Series | None = None,
    kind: Literal["T", "L"] = "T",
) -> TheilIndex:
    r"""Theil T or L of a positive per-head quantity, split into within- and between-group parts.

    With population shares p, μ = Σ p x and income shares s = p x / μ:

    .. math:: T = \sum_i s_i \ln(x_i/\mu), \qquad L = \sum_i p_i \ln(\mu/x_i)

    .. math:: T = \sum_g s_g T_g + \sum_g s_g \ln(\mu_g/\mu), \qquad L = \sum_g p_g L_g + \sum_g p_g \ln(\mu/\mu_g)

    Parameters
    ----------
    x : Series; positive, per head
    population : Series, optional; positive weights with the same index; equal without
    by : index level or Series, optional; groups; without, everything is one group and `between` is 0
    kind : "T" or "L"

    Returns
    -------
    TheilIndex

    Raises
    ------
    TypeError, ValueError: values that are missing, infinite or not positive; different indices

    References
    ----------
    Theil (1967), *Economics and Information Theory*; Shorrocks (1980) for the decomposition.

    Examples
    --------
    >>> income = pd.Series([1.0, 2, 3, 6], list("abcd"))
    >>> region = pd.Series(["east", "east", "west", "west"], list("abcd"))
    >>> t = theil_index(income, by=region)
    >>> round(t.total, 4), round(t.within, 4), round(t.between, 4)
    (0.1874, 0.0566, 0.1308)
    """
    x = series(x, "x")
    p = pd.Series(1.0, index=x.index) if population is None else series(population, "population")
    if not p.index.equals(x.index):
        raise ValueError("x and population have different indices; align them first")
    refuse(x, x <= 0, "x must be positive")
    refuse(p, p <= 0, "population must be positive")
    one_of(("T", "L"), kind=kind)
    group = pd.Series("all", index=x.index, name="group") if by is None else keys(by, x.index, "by")
    p = p / p.sum()
    columns = {"p": p, "px": p * x, "x": x, "g": group}
    frame = pd.DataFrame({k: v.to_numpy() for k, v in columns.items()})
    sums = frame.groupby("g")[["p", "px"]].sum()
    mean, means = frame["px"].sum(), sums["px"] / sums["p"]
    own = frame["g"].map(means)
    logs = np.log(frame["x"] / own)
    if kind == "T":
        share, sign, inside = sums["px"] / mean, 1, frame["px"] / frame["g"].map(sums["px"]) * logs
    else:
        share, sign, inside = sums["p"], -1, -frame["p"] / frame["g"].map(sums["p"]) * logs
    theil = inside.groupby(frame["g"]).sum()
    within, between = float((share * theil).sum()), float(sign * (share * np.log(means / mean)).sum())
    total = within + between
    part = share * theil / total if total else 0.0
    by_group = pd.DataFrame({"share": share, "theil": theil, "contribution": part})
    return TheilIndex(total, within, between, by_group.rename_axis(str(group.name or "group")))
