"""Hold a user's table to the dictionary of a panel."""

import difflib
import warnings
from collections.abc import Iterable, Sequence

import pandas as pd

from regionbook.data.errors import (
    DataError,
    DataWarning,
    Place,
    count,
    near_words,
    places_of,
    some,
    unit_after,
)
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


def _text(column: pd.Series) -> pd.Series:
    """Cells as they were typed; what is missing is the empty text."""
    return column.astype(object).where(column.notna(), "").map(str).astype(str)


def _as_number(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Floats and a mask of the cells that are filled but not a number."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.astype(float)
        return values, values.abs().eq(float("inf"))
    text = _text(column).str.strip()
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
    """Hold a user's table to the schema; raise one DataError with everything that is wrong.

    ``raw``, ``where`` and ``place`` are the table as it was read, the name of its file, and how a row of it is found
    again; ``schema`` the dictionary, indexed by column; ``keys`` the columns that name a row, where the table is one of
    several (left out, unit and year). Known columns come first, in the order and the types of the dictionary.
    """
    raw = raw.rename(columns=str)
    given = list(raw.columns)
    if twice := sorted({c for c in given if given.count(c) > 1}):
        raise DataError(where, [f"column {c!r} stands there {given.count(c)} times" for c in twice])
    if raw.empty:
        raise DataError(where, ["has a header but no rows"])
    one_of_several = keys is not None
    keys = keys_of(schema.index) if keys is None else keys
    needed = _needed(schema, keys, required)
    missing = [c for c in needed if c not in given]
    problems = [_missing_columns(missing, needed, given, schema, required is not None)] if missing else []
    frame = raw.copy()
    for name in schema.index.intersection(raw.columns, sort=False):
        rule = schema.loc[name]
        if rule["dtype"] == "str":
            frame[name], empty, found = _checked_text(raw[name], place)
        else:
            frame[name], empty, found = _checked_numbers(raw[name], rule, place)
        problems += [f"column {name}: {problem}" for problem in found]
        if empty.any():
            cells = places_of(empty, place)
            found_empty = f"column {name}: {count(len(cells), 'cell')} empty ({some(cells)})"
            if name in needed:
                named = name in keys or required is not None
                problems.append(
                    f"{found_empty}: fill {'it' if len(cells) == 1 else 'them'} in"
                    + ("" if named else ", or name only the columns that you need in `required`")
                )
            else:
                warnings.warn(f"{where}: {found_empty}; kept as missing.", DataWarning, stacklevel=3)
    if set(keys) <= set(given) and ("year" not in keys or pd.api.types.is_integer_dtype(frame["year"])):
        panel = len(keys) == 2 and keys[1] == "year"
        unsure = any(p.startswith(f"column {keys[0]}:") for p in problems)  # then gaps are only its echo
        problems += _grid_problems(frame, place, allow_gaps or unsure or not panel, keys, one_of_several)
    if problems:
        raise DataError(where, problems)
    known = [c for c in schema.index if c in frame]
    return frame[known + [c for c in frame if c not in known]]


def _needed(schema: pd.DataFrame, keys: list[str], required: Iterable[str] | None) -> list[str]:
    """Columns that the table has to have."""
    if required is None:
        return list(schema.index[~schema["role"].str.contains("optional")])
    required = [required] if isinstance(required, str) else list(required)
    if unknown := [c for c in required if c not in schema.index]:
        raise ValueError(
            f"`required` names {unknown}, which are no columns of the dictionary"
            + near_words(unknown, schema.index)
            + "; rb.columns lists them all."
        )
    return keys + [c for c in required if c not in keys]


def _missing_columns(
    missing: list[str], needed: list[str], given: list[str], schema: pd.DataFrame, named: bool
) -> str:
    """Which columns are missing, what they hold, and which of the user's may be meant."""
    spare = [g for g in given if g not in schema.index]
    rules = [schema.loc[c] for c in missing]
    listed = [
        f"{r.name} — {r['label_en']} [{r['unit'] or 'text'}]{_suggest(r.name, r, spare)}" for r in rules
    ]
    rest = f"; and {', '.join(missing[12:])}" if len(missing) > 12 else ""
    hint = "" if named else ". If you need fewer columns name them in `required`"
    if len(set(spare) & set(schema["label_zh"])) > 2:
        hint += (
            ". Your headings are the dictionary's Chinese labels: read the file with pandas, "
            "`.rename(columns=dict(zip(c['label_zh'], c['column'])))` with c = rb.columns(...), and pass the frame"
        )
    elif len(missing) == len(needed):
        yours = some([repr(g) for g in given])
        hint += f". No heading is known; yours are {yours}: the header has to be row 1"
    return f"{count(len(missing), 'column')} missing: {'; '.join(listed[:12])}{rest}{hint}"


def _checked_text(column: pd.Series, place: Place) -> tuple[pd.Series, pd.Series, list[str]]:
    """The column as text, its empty cells, and what is wrong with it."""
    text = _text(column)
    empty = text.str.strip().isin(MISSING)
    loose = places_of(text.ne(text.str.strip()) & ~empty, place, text)
    return text, empty, [f"blanks around the text ({some(loose)}): remove them"] if loose else []


def _checked_numbers(
    column: pd.Series, rule: pd.Series, place: Place
) -> tuple[pd.Series, pd.Series, list[str]]:
    """The column as numbers, its empty cells, and what is wrong with it."""
    values, bad = _as_number(column)
    problems = []
    whole = rule["dtype"].startswith("int")
    fraction = (values % 1).fillna(0).ne(0)
    amount = not whole or pd.isna(rule["maximum"])  # may have decimals
    for mask, fault in ((bad, "not a number"), (fraction & ~amount, "not a whole number")):
        if cells := places_of(mask, place, column):
            hint = ""
            if rule.name == "year":
                hint = "; write the year as a whole number such as 2015"
            elif fault == "not a number" and column[mask].astype(str).str.contains(r"\d").any():
                hint = "; write numbers without thousands separators or units"
            problems.append(f"{count(len(cells), 'cell')} {fault} ({some(cells)}){hint}")
    for bound, mask in (("minimum", values < rule["minimum"]), ("maximum", values > rule["maximum"])):
        if mask.any():
            cells = places_of(mask, place, values, "{:g}".format)
            limit = f"the {bound} of {rule[bound]:g}{unit_after(rule['unit'])}"
            hint = f"allowed: {rule['unit']}" if rule["unit"] == "1 = yes" else "is the unit right?"
            problems.append(f"{count(len(cells), 'value')} beyond {limit} ({some(cells)}); {hint}")
    integers = whole and not bad.any() and (values % 1 == 0).all()
    return values.astype("int64") if integers else values, values.isna() & ~bad, problems


def _grid_problems(
    frame: pd.DataFrame, place: Place, allow_gaps: bool, keys: list[str], one_of_several: bool
) -> list[str]:
    """Unit-years that stand there twice, and those that are not there; a panel built from several tables needs them all."""
    problems, unit = [], keys[0]
    again = frame.duplicated(keys)
    if again.any():
        cells = places_of(again, place, frame[keys].astype(str).agg(" ".join, axis=1), str)
        twice = count(len(cells), "-".join(keys))
        problems.append(f"{twice} there more than once ({some(cells)}): keep one row of each")
    if not allow_gaps:
        there = pd.MultiIndex.from_frame(frame[keys])
        years = range(int(frame["year"].min()), int(frame["year"].max()) + 1)
        full = pd.MultiIndex.from_product([frame[unit].unique(), years])
        gaps = full.difference(there, sort=False).to_frame(index=False, name=keys)
        if len(gaps):
            by_unit = gaps.groupby(unit, sort=False)["year"].agg(lambda y: " ".join(map(str, y)))
            cells = [f"{one} {years_}" for one, years_ in by_unit.items()]
            out = f"leave the {'cities' if unit == 'city' else 'provinces'} out"
            remedy = f" or {out}" if one_of_several else f", {out}, or pass allow_gaps=True"
            absent = count(len(gaps), f"{unit}-year")
            problems.append(f"{absent} absent ({some(cells)}): complete the panel{remedy}")
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
