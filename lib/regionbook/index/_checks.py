"""Refuse what an index formula cannot digest, and say where it stands."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd


def show(label: object) -> str:
    """A row or column label as a reader writes it: numpy's numbers without their type."""
    if isinstance(label, tuple):
        return f"({', '.join(show(part) for part in label)})"
    return repr(label.item() if isinstance(label, np.generic) else label)


def one_of(allowed: Iterable[object], **choices: object) -> None:
    """Refuse a choice (a parameter's name and value) that is not allowed."""
    for name, value in choices.items():
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")


def places(bad: pd.DataFrame, limit: int = 3) -> str:
    """The first cells where `bad` is true, as "row …, column …", and how many there are in all."""
    cells = np.argwhere(bad.to_numpy())
    shown = [f"row {show(bad.index[r])}, column {show(bad.columns[c])}" for r, c in cells[:limit]]
    more = f" and {len(cells) - limit} more" if len(cells) > limit else ""
    return "; ".join(shown) + more


def numbers(data: pd.DataFrame, what: str) -> pd.DataFrame:
    """`data` as floats, after refusing text, duplicates of columns, missing and infinite values."""
    if not isinstance(data, pd.DataFrame):
        raise TypeError(
            f"{what} must be a pandas DataFrame, one column an indicator, not {type(data).__name__}"
        )
    if data.shape[1] == 0 or data.shape[0] == 0:
        raise ValueError(f"{what} is empty ({data.shape[0]} rows, {data.shape[1]} columns)")
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise ValueError(f"{what} has the column {twice!r} more than once")
    for name, dtype in data.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
            raise TypeError(
                f"{what}: column {name!r} is not numeric (dtype {dtype}, first value {show(data[name].iloc[0])}); "
                "convert it with pandas.to_numeric or leave it out"
            )
    missing = data.isna()
    if missing.to_numpy().any():
        said = f"{what} has {int(missing.to_numpy().sum())} missing value(s): {places(missing)};"
        raise ValueError(f"{said} drop these rows or fill them deliberately beforehand")
    values = data.astype(float)
    if np.isinf(values.to_numpy()).any():
        infinite = values.isin([np.inf, -np.inf])
        raise ValueError(f"{what} has infinite values: {places(infinite)}; a division by zero upstream?")
    return values


def series(data: pd.Series, what: str) -> pd.Series:
    """The same for one column."""
    if not isinstance(data, pd.Series):
        raise TypeError(f"{what} must be a pandas Series, got {type(data).__name__}")
    return numbers(data.to_frame(data.name if data.name is not None else what), what).iloc[:, 0]


def refuse(values: pd.Series, bad: pd.Series, what: str) -> None:
    """Say `what` is wrong with the first of the values that are bad."""
    at = bad.to_numpy()
    if at.any():
        raise ValueError(f"{what}; it is {values[at].iloc[0]:g} in row {show(values.index[at][0])}")


def signs(directions: int | Mapping, columns: pd.Index) -> pd.Series:
    """One +1 or -1 a column; a mapping names the exceptions and whatever it leaves out is positive."""
    if isinstance(directions, Mapping):
        unknown = [name for name in directions if name not in columns]
        if unknown:
            raise ValueError(f"directions names {unknown}, which are no columns; there are {list(columns)}")
        out = pd.Series([directions.get(name, 1) for name in columns], index=columns)
    else:
        out = pd.Series(directions, index=columns)
    wrong = out[~out.isin([1, -1])]
    if len(wrong):
        raise ValueError(f"directions must be +1 or -1, got {wrong.iloc[0]!r} for {wrong.index[0]!r}")
    return out.astype(int)


def keys(by: str | pd.Series, index: pd.Index, what: str) -> pd.Series:
    """The group of each row: `by` names an index level or is a Series with the same index."""
    if isinstance(by, pd.Series):
        if not by.index.equals(index):
            raise ValueError(f"{what}: the key Series {by.name!r} has another index than the data")
        out = by
    elif by in index.names:
        out = pd.Series(index.get_level_values(by), index=index, name=by)
    else:
        raise ValueError(f"{what}={by!r} is no Series and no level of the index ({list(index.names)})")
    if out.isna().any():
        row = show(out.index[out.isna().to_numpy()][0])
        raise ValueError(f"{what}: the key {out.name!r} is missing in row {row}")
    return out
