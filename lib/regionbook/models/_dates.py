"""First treated years of a panel's units, checked against its rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..index._checks import numbers, show
from ._within import codes, known


@dataclass(frozen=True)
class Dates:
    """Unit code (n,), year (n,), the units' labels and each unit's first treated year, 0 for never."""

    unit: np.ndarray
    time: np.ndarray
    labels: pd.Index
    first: np.ndarray

    def treated(self, first: np.ndarray) -> np.ndarray:
        """Whether each row is treated (n × draws) if `first` (draws × units) were the dates."""
        start = first.T[self.unit]
        return (start > 0) & (self.time[:, None] >= start)


def read_dates(frame: pd.DataFrame, dates: str, unit: str, time: str, treatment: str | None = None) -> Dates:
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
    out = Dates(unit_code, both[time].to_numpy(), labels, first)
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
