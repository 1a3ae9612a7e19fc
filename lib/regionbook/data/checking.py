"""Hold a user's table to the dictionary of a panel."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from regionbook.data.errors import DataError, DataWarning, Place, count, near_words, some, unit_after
from regionbook.data.figures import is_number
from regionbook.data.schema import UNITS, keys_of, teaching_file

MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "."}


def _suggest(name: str, label: pd.Series, given: Sequence[str]) -> str:
    """Columns of the file that may be the missing one: near in spelling, or equal to its label."""
    low = {g.strip().lower(): g for g in reversed(given)}
    words = [name.lower(), label["label_en"].lower(), label["label_zh"].lower()]
    near = [low[w] for w in words if w in low]
    near = near or [low[m] for m in difflib.get_close_matches(name.lower(), low, n=2, cutoff=0.75)]
    near = near or sorted((g for w, g in low.items() if len(name) > 2 and name.lower() in w), key=len)
    return f" (yours: {' or '.join(repr(n) for n in near[:3])}?)" if near else ""


def _cell(value: Any) -> str:
    return repr(value.item() if hasattr(value, "item") else value)


def _as_number(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Floats and a mask of the cells that are filled but not a number."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.astype(float)
        return values, values.abs().eq(float("inf"))
    text = column.map(lambda v: "" if v is None or v is pd.NA or v != v else str(v).strip()).astype(str)
    number = is_number(text)
    return pd.to_numeric(text.where(number)), ~number & ~text.isin(MISSING)


def checked(
    raw: pd.DataFrame,
    schema: pd.DataFrame,
    where: str,
    place: Place,
    required: Iterable[str] | None,
    allow_gaps: bool,
    keys: list[str] | None = None,
) -> pd.DataFrame:
    """Hold a user's table to the schema; raise one DataError with everything that is wrong."""
    problems: list[str] = []
    raw = raw.rename(columns=str)
    given = list(raw.columns)
    twice = sorted({c for c in given if given.count(c) > 1})
    if twice:
        raise DataError(where, [f"column {c!r} stands there {given.count(c)} times" for c in twice])
    if raw.empty:
        raise DataError(where, ["has a header but no rows"])

    given_keys = keys is not None
    keys = keys_of(schema.index) if keys is None else keys
    needed = list(schema.index[~schema["role"].str.contains("optional")])
    if required is not None:
        required = [required] if isinstance(required, str) else list(required)
        unknown = [c for c in required if c not in schema.index]
        if unknown:
            raise ValueError(
                f"`required` names {unknown}, which are no columns of the dictionary"
                + near_words(unknown, schema.index)
                + "; rb.columns lists them all."
            )
        needed = keys + [c for c in required if c not in keys]
    missing = [c for c in needed if c not in given]
    if missing:
        spare = [g for g in given if g not in schema.index]
        listed = [
            f"{c} — {schema.at[c, 'label_en']!s} [{str(schema.at[c, 'unit']) or 'text'}]"
            + _suggest(c, schema.loc[c], spare)
            for c in missing
        ]
        rest = f"; and {', '.join(missing[12:])}" if len(missing) > 12 else ""
        hint = "" if required is not None else ". If you need fewer columns name them in `required`"
        if len(set(spare) & set(schema["label_zh"])) > 2:
            hint += (
                ". Your headings are the dictionary's Chinese labels: read the file with pandas, "
                "`.rename(columns=dict(zip(c['label_zh'], c['column'])))` with c = rb.columns(...), and pass the frame"
            )
        elif len(missing) == len(needed):
            hint += f". No heading is known; yours are {some([repr(g) for g in given])}: the header has to be row 1"
        problems.append(f"{count(len(missing), 'column')} missing: {'; '.join(listed[:12])}{rest}{hint}")

    frame = raw.copy()
    for name in schema.index.intersection(raw.columns, sort=False):
        rule = schema.loc[name]
        column = raw[name]
        if rule["dtype"] == "str":
            text = column.map(lambda v: "" if v is None or v is pd.NA or v != v else str(v)).astype(str)
            empty = text.str.strip().isin(MISSING)
            loose = text.ne(text.str.strip()) & ~empty
            if loose.any():
                cells = [f"{place(i)}: {text.iloc[i]!r}" for i in loose.to_numpy().nonzero()[0].tolist()]
                problems.append(f"column {name}: blanks around the text ({some(cells)}): remove them")
            frame[name] = text
        else:
            values, bad = _as_number(column)
            empty = values.isna() & ~bad
            code = (
                rule["dtype"].startswith("int") and rule["maximum"] == rule["maximum"]
            )  # amounts may have decimals
            fraction = (values % 1 != 0) & values.notna() if code else bad & False
            for mask, fault in ((bad, "not a number"), (fraction, "not a whole number")):
                if mask.any():
                    cells = [
                        f"{place(i)}: {_cell(column.iloc[i])}" for i in mask.to_numpy().nonzero()[0].tolist()
                    ]
                    hint = (
                        "; write numbers without thousands separators or units"
                        if fault == "not a number" and column[mask].astype(str).str.contains(r"\d").any()
                        else ""
                    )
                    if name == "year":
                        hint = "; write the year as a whole number such as 2015"
                    problems.append(
                        f"column {name}: {count(len(cells), 'cell')} {fault} ({some(cells)}){hint}"
                    )
            unit = unit_after(rule["unit"])
            for bound, mask in (("minimum", values < rule["minimum"]), ("maximum", values > rule["maximum"])):
                if mask.any():
                    cells = [f"{place(i)}: {values.iloc[i]:g}" for i in mask.to_numpy().nonzero()[0].tolist()]
                    problems.append(
                        f"column {name}: {count(len(cells), 'value')} beyond the {bound} of "
                        f"{rule[bound]:g}{unit} ({some(cells)}); "
                        + (f"allowed: {rule['unit']}" if rule["unit"] == "1 = yes" else "is the unit right?")
                    )
            frame[name] = values
            if rule["dtype"].startswith("int") and not bad.any() and (values % 1 == 0).all():
                frame[name] = values.astype("int64")
        if empty.any():
            cells = [place(i) for i in empty.to_numpy().nonzero()[0].tolist()]
            found = f"column {name}: {count(len(cells), 'cell')} empty ({some(cells)})"
            if name in needed:
                names = name in keys or required is not None
                problems.append(
                    f"{found}: fill {'it' if len(cells) == 1 else 'them'} in"
                    + ("" if names else ", or name only the columns that you need in `required`")
                )
            else:
                warnings.warn(f"{where}: {found}; kept as missing.", DataWarning, stacklevel=3)

    if set(keys) <= set(given) and ("year" not in keys or pd.api.types.is_integer_dtype(frame["year"])):
        panel = len(keys) == 2 and keys[1] == "year"
        unsure = any(p.startswith(f"column {keys[0]}:") for p in problems)  # then gaps are only its echo
        problems += _grid_problems(frame, place, allow_gaps or unsure or not panel, keys, of_pairs=given_keys)
    if problems:
        raise DataError(where, problems)
    known = [c for c in schema.index if c in frame]
    return frame[known + [c for c in frame if c not in known]]


def _grid_problems(
    frame: pd.DataFrame, place: Place, allow_gaps: bool, keys: list[str], of_pairs: bool = False
) -> list[str]:
    """Unit-years that stand there twice, and those that are not there; a panel of pairs needs them all."""
    problems, unit = [], keys[0]
    again = frame.duplicated(keys)
    if again.any():
        cells = [
            f"{place(i)}: {' '.join(str(frame[k].iloc[i]) for k in keys)}"
            for i in again.to_numpy().nonzero()[0].tolist()
        ]
        problems.append(
            f"{count(len(cells), '-'.join(keys))} there more than once ({some(cells)}): keep one row of each"
        )
    if not allow_gaps:
        there = pd.MultiIndex.from_frame(frame[keys])
        years = range(int(frame["year"].min()), int(frame["year"].max()) + 1)
        full = pd.MultiIndex.from_product([frame[unit].unique(), years])
        gaps = full.difference(there, sort=False).to_frame(index=False, name=keys)
        if len(gaps):
            by_unit = gaps.groupby(unit, sort=False)["year"].agg(lambda y: " ".join(map(str, y)))
            cells = [f"{one} {years_}" for one, years_ in by_unit.items()]
            problems.append(
                f"{count(len(gaps), f'{unit}-year')} absent ({some(cells)}): complete the panel{',' if not of_pairs else ' or'} leave "
                f"the {'cities' if unit == 'city' else 'provinces'} out{'' if of_pairs else ', or pass allow_gaps=True'}"
            )
    return problems


def warn_units(frame: pd.DataFrame, schema: pd.DataFrame, slug: str) -> None:
    """Point at columns whose typical value is more than thirty times ours, or less than a thirtieth: units slip by
    a hundred and more, and own data differ from the teaching panel besides."""
    shipped = pd.read_csv(teaching_file(slug, ".csv"))
    for name in schema.index.intersection(frame.columns, sort=False):
        unit = str(schema.at[name, "unit"])
        if name in (*UNITS, "year") or not unit or schema.at[name, "dtype"] == "str":
            continue
        ours, yours = shipped[name].median(), frame[name].median()
        if ours > 0 and yours > 0 and not 1 / 30 < yours / ours < 30:
            warnings.warn(
                f"Column {name}: your median is {yours:.4g}, the teaching panel's {ours:.4g}{unit_after(unit)}. "
                f"Check that yours is in {unit}; nothing was changed.",
                DataWarning,
                stacklevel=3,
            )
