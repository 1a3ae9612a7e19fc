"""Cohorts of a staggered treatment, after refusing what difference-in-differences cannot digest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..index._checks import numbers, show
from ._within import codes, flat, known


@dataclass(frozen=True)
class _Dates:
    """Unit code (n,), year (n,), the units' labels and each unit's first treated year, 0 for never."""

    unit: np.ndarray
    time: np.ndarray
    labels: pd.Index
    first: np.ndarray

    def treated(self, first: np.ndarray) -> np.ndarray:
        """Whether each row is treated (n × draws) if `first` (draws × units) were the dates."""
        start = first.T[self.unit]
        return (start > 0) & (self.time[:, None] >= start)


def _read_dates(
    frame: pd.DataFrame, dates: str, unit: str, time: str, treatment: str | None = None
) -> _Dates:
    """Dates of `frame`, which has its index levels as columns; `treatment` has to be what they say."""
    unit_code = codes(frame, unit, "unit")
    labels = pd.Index(pd.unique(frame[unit]), name=unit)
    both = numbers(frame[known(frame, [time, dates], "time and dates")], "data")
    twice = frame.duplicated([unit, time]).to_numpy()
    if twice.any():
        who, when = (show(frame[name].to_numpy()[twice][0]) for name in (unit, time))
        raise ValueError(f"{unit} {who} has {time} {when} more than once")
    start = both[dates].to_numpy()
    first = np.zeros(len(labels))
    first[unit_code[::-1]] = start[::-1]  # the first row of each unit
    varies = first[unit_code] != start
    if varies.any():
        fault = f"dates {dates!r} must be constant within a unit (0: never treated), it varies within"
        raise ValueError(f"{fault} {unit} {show(frame[unit].to_numpy()[varies][0])}")
    out = _Dates(unit_code, both[time].to_numpy(), labels, first)
    if treatment is not None:
        said = out.treated(first[None, :]).ravel()
        column = frame[known(frame, [treatment], "treatment")]
        boolean = pd.api.types.is_bool_dtype(column.dtypes.iloc[0])
        given = numbers(column.astype(float) if boolean else column, "data")[treatment]
        wrong = (given != said).to_numpy()
        if wrong.any():
            i = int(wrong.argmax())
            what, who, when, date = (show(frame[name].iloc[i]) for name in (treatment, unit, time, dates))
            raise ValueError(
                f"treatment {treatment!r} is {what} for {unit} {who} in {time} {when}, where {dates!r} = {date} says "
                f"{int(said[i])}: it must be 1 from the unit's date on and must not switch off"
            )
    return out


def cohorts(
    data: pd.DataFrame,
    dates: str,
    unit: str,
    time: str,
    *,
    treatment: str | None = None,
    columns: Sequence[str] = (),
    smallest: int = 2,
) -> pd.DataFrame:
    """Units and cells of each cohort; refuses a panel on which staggered difference-in-differences would mislead.

    Libraries let much of this pass, and each leaves out other cells of an unbalanced panel: call this first, and
    print what it gives beside what they give.

    Parameters
    ----------
    data : DataFrame, one row a unit and year
    dates : column; the unit's first treated year, 0 for never treated
    unit, time : column or index level
    treatment : column, optional; 0 and 1; has to be 1 from the unit's date on, and only then
    columns : list of columns; outcome and controls: numbers, none missing
    smallest : int; units that a cohort must have at least; a single one has no standard error of its own

    Returns
    -------
    DataFrame, one row a date, and ``never``: `units`, `complete` (in every year), `cells`, `treated` (rows)

    Raises
    ------
    TypeError, ValueError
        Text or missing values, a unit and year twice, dates that vary within a unit or leave no year before or
        after them, a treatment that the dates contradict or that switches off, no never-treated unit, a cohort
        below `smallest`.

    References
    ----------
    Callaway and Sant'Anna (2021), J. Econometrics 225, assumptions 1 to 5; Goodman-Bacon (2021), the same issue.

    Examples
    --------
    >>> panel = pd.DataFrame({"city": list("aabbccdd"), "year": [2014, 2015] * 4, "g": [2015] * 4 + [0] * 4})
    >>> cohorts(panel, "g", "city", "year")
           units  complete  cells  treated
    2015       2         2      4        2
    never      2         2      4        0
    """
    frame = flat(data)
    found = _read_dates(frame, dates, unit, time, treatment)
    if columns:
        numbers(frame[known(frame, columns, "columns")], "data")
    years, first = np.unique(found.time), found.first
    outside = (first != 0) & ((first <= years[0]) | (first > years[-1]))
    if outside.any():
        raise ValueError(
            f"{unit} {show(found.labels[outside][0])} has the date {first[outside][0]:g}, not after the first "
            f"year {years[0]:g} and up to the last {years[-1]:g}; a unit never treated has 0"
        )
    if (first != 0).all():
        raise ValueError(f"no unit is never treated ({dates!r} = 0): nothing to compare the last cohort with")
    rows = np.bincount(found.unit)
    full = rows == len(years)
    treated = np.bincount(found.unit, found.treated(first[None, :]).ravel())
    table = pd.DataFrame({"units": 1, "complete": full, "cells": rows, "treated": treated}).astype(int)
    names = [int(g) if float(g).is_integer() else float(g) for g in first]
    out = table.groupby(names).sum()
    small = out[(out["units"] < smallest) & (out.index != 0)]
    if len(small):
        members = [show(label) for label in found.labels[first == small.index[0]]]
        raise ValueError(
            f"cohort {small.index[0]} has {len(members)} unit(s), {', '.join(members)}, and smallest={smallest}: "
            "its standard error would not be one; join it to another cohort or leave it out"
        )
    return pd.concat([out.drop(index=0), out.loc[[0]].rename(index={0: "never"})])
