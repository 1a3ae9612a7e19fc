"""Hold a user's table to the dictionary of a panel."""

import difflib
import re
import warnings
from collections.abc import Iterable, Sequence

import pandas as pd

from regionbook.data.errors import (
    DataError,
    DataWarning,
    Place,
    by_cause,
    cell,
    count,
    near_words,
    places_of,
    some,
    unit_after,
)
from regionbook.data.figures import is_number
from regionbook.data.files import regarbled
from regionbook.data.schema import UNITS, keys_of
from regionbook.data.watching import group_problems, identity

MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "."}
EXCEL_ERRORS = {"#DIV/0!", "#REF!", "#N/A", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}


def _suggest(name: str, label: pd.Series, given: Sequence[str]) -> str:
    """Columns of the file that may be the missing one: near in spelling, or equal to its label."""
    low = {g.strip().lower(): g for g in reversed(given)}
    words = [name.lower(), label["label_en"].lower(), label["label_zh"].lower()]
    near = [low[w] for w in words if w in low]
    near = near or [low[m] for m in difflib.get_close_matches(name.lower(), low, n=2, cutoff=0.75)]
    near = near or sorted((g for w, g in low.items() if len(name) > 2 and name.lower() in w), key=len)
    return f" (yours: {' or '.join(cell(n) for n in near[:3])}?)" if near else ""


def _text(column: pd.Series) -> pd.Series:
    """Cells as they were typed; what is missing is the empty text."""
    return column.astype(object).where(column.notna(), "").map(str).astype(str)


_HALF = {ord(full): ord(full) - 0xFEE0 for full in "０１２３４５６７８９．－＋"}


def _as_number(column: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Floats, a mask of the cells that are filled but not a number, and one of those with full-width digits."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.astype(float)
        return values, values.abs().eq(float("inf")), values.isna() & False
    typed = _text(column).str.strip()
    text = typed.map(lambda t: t if t.isascii() else t.translate(_HALF))
    number = is_number(text)
    values = text.where(number, "nan").astype(float)
    return values, ~number & ~text.isin(MISSING) | values.abs().eq(float("inf")), number & text.ne(typed)


def _typed(column: pd.Series, place: Place) -> tuple[pd.Series, str]:
    """A column that the dictionary does not know, typed alike whatever the format of its file, and how text was read.

    Numbers if each filled cell is one (a text with a zero in front or over 15 digits is a name), whole ones as integers;
    truth values; otherwise text.
    """
    values, bad, _ = _as_number(column)
    if not (given := pd.api.types.is_numeric_dtype(column)):
        text = _text(column)
        if text.str.strip().str.lower().isin(["true", "false"]).all():
            return text.str.strip().str.lower().eq("true"), "truth values"
        if bad.any() or values.isna().all() or text.str.contains(r"^\s*[+-]?(?:0[0-9]|[0-9]{16})").any():
            odd = places_of(bad, place, column) if 0 < bad.sum() < values.notna().sum() else []
            return text, f"text, because of {some(odd)}" if odd else "text"
    elif pd.api.types.is_bool_dtype(column):
        return column, ""
    whole = (values % 1 == 0).all() and (values.abs() < 2**53).all()
    return values.astype("int64") if whole else values, "" if given else "numbers"


def meant_as_numbers(column: pd.Series) -> bool:
    """Four filled cells of five are numbers, and some cell is not: a fault in numbers, rather than a column of text."""
    values, bad, _ = _as_number(column)
    return bool(values.isna().any() and values.notna().sum() >= 4 * bad.sum() and values.notna().any())


def _stray_rows(
    raw: pd.DataFrame, bad: pd.DataFrame, numbers: pd.DataFrame, place: Place
) -> tuple[pd.Series, list[str]]:
    """Rows that are no unit-year: empty ones, footnotes, a second row of headings; one problem each kind."""
    is_number = pd.api.types.is_numeric_dtype
    filled = raw.apply(lambda c: c.notna() if is_number(c) else ~_text(c).str.strip().isin(MISSING))
    n, problems, out = filled.sum(axis=1), [], pd.Series(False, raw.index)
    for rows, what in (
        (n == 0, "empty"),
        ((n == 1) & (filled.shape[1] > 2), "with one cell only, a note?"),
        (
            (bad.sum(axis=1) > 1) & numbers.isna().all(axis=1),
            "with words where numbers are meant, a heading?",
        ),
    ):
        if (rows := rows & ~out).any():
            out |= rows
            at = rows.to_numpy().nonzero()[0]
            first = [some([cell(v) for v in raw.iloc[i][filled.iloc[i]]][:3]) for i in at]
            cells = [
                ": ".join(filter(None, both)) for both in zip(places_of(rows, place), first, strict=True)
            ]
            problems.append(f"{count(len(cells), 'row')} {what} ({some(cells)}): delete what is no data")
    return out, problems


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
        raise DataError(where, [f"column {cell(c)} stands there {given.count(c)} times" for c in twice])
    if raw.empty:
        raise DataError(where, ["has a header but no rows"])
    one_of_several = keys is not None
    keys = keys_of(schema.index) if keys is None else keys
    needed = _needed(schema, keys, required)
    missing = [c for c in needed if c not in given]
    problems = [_missing_columns(missing, needed, given, schema, required is not None)] if missing else []
    known = [c for c in schema.index if c in given]
    frame, found, gone, said = _converted(raw, schema.loc[known], place, needed, keys, required is not None)
    problems += gone + by_cause(found)
    if set(keys) <= set(given) and ("year" not in keys or pd.api.types.is_integer_dtype(frame["year"])):
        panel = len(keys) == 2 and keys[1] == "year"
        unsure = any(name in keys for name, _ in found)  # then gaps are only its echo
        problems += _grid_problems(frame, place, allow_gaps or unsure or not panel, keys, one_of_several)
        problems += [] if problems else by_cause(group_problems(frame[known]))
    if problems:
        raise DataError(where, problems)
    for words in said + (identity(frame, keys) if keys[0] in UNITS else []):
        warnings.warn(f"{where}: {words}", DataWarning, stacklevel=3)
    return frame


def _converted(
    raw: pd.DataFrame, schema: pd.DataFrame, place: Place, needed: list[str], keys: list[str], named: bool
) -> tuple[pd.DataFrame, list[tuple[str, str]], list[str], list[str]]:
    """The table with its types; what is wrong with each column, rows that are no data, and what is to be said."""
    numbers = {name: _as_number(raw[name]) for name in schema.index if schema.at[name, "dtype"] != "str"}
    bad = pd.DataFrame({name: n[1] for name, n in numbers.items()}, index=raw.index)
    values = pd.DataFrame({name: n[0] for name, n in numbers.items()}, index=raw.index)
    stray, problems = _stray_rows(raw, bad, values, place)
    problems += _marks(raw, bad, place)
    new: dict[str, pd.Series] = {}
    found: list[tuple[str, str]] = []
    kept: list[tuple[str, str]] = []
    wide: list[tuple[str, str]] = []
    for name, rule in schema.iterrows():
        if name in numbers:
            full = numbers[name][2]
            new[name], faults = _checked_numbers(raw[name], values[name], bad[name] & ~stray, rule, place)
            empty = values[name].isna() & ~numbers[name][1] & ~stray
            if full.any():
                wide.append((name, f"full-width digits ({some(places_of(full, place, raw[name]))})"))
        else:
            new[name], empty, faults = _checked_text(raw[name], place)
            empty &= ~stray
        found += [(name, fault) for fault in faults]
        if empty.any():
            cells = places_of(empty, place)
            blank = f"{count(len(cells), 'cell')} empty ({some(cells)})"
            if name in needed:
                fewer = ", or name only the columns that you need in `required`"
                hint = "" if named or name in keys else fewer
                found.append((name, f"{blank}: fill {'it' if len(cells) == 1 else 'them'} in{hint}"))
            else:
                kept.append((name, blank))
    said = [f"{'; '.join(by_cause(kept))}; kept as missing."] if kept else []
    said += [f"{'; '.join(by_cause(wide))} were read as numbers."] if wide else []
    others = {name: _typed(raw[name], place) for name in raw if name not in new}
    new |= {name: column for name, (column, _) in others.items()}
    if words := [f"{name[:60]} ({word})" for name, (_, word) in others.items() if word]:
        said.append(f"columns that the dictionary does not know were read as {some(words)}.")
    return pd.DataFrame(new, index=raw.index), found, problems, said


def _marks(raw: pd.DataFrame, bad: pd.DataFrame, place: Place) -> list[str]:
    """A word that stands for "no data" in several columns: one problem; its cells leave the mask of bad ones."""
    if not bad.to_numpy().any():
        return []
    words = raw[list(bad)].astype(object).where(bad, None).map(lambda v: None if v is None else cell(v))
    problems = []
    for word in pd.unique(words[bad].to_numpy().ravel()):
        here = words.eq(word) & bad
        if isinstance(word, str) and (there := here.any()).sum() > 2:
            first = f"{places_of(here[there.idxmax()], place)[0]}, column {there.idxmax()}"
            cells = f"{count(int(here.to_numpy().sum()), 'cell')}; first {first}"
            what = f"{word} stands in {there.sum()} columns where a number is meant ({cells})"
            problems.append(f"{what}: leave cells without data empty")
            bad[list(bad)] = bad & ~here
    return problems


def _needed(schema: pd.DataFrame, keys: list[str], required: Iterable[str] | None) -> list[str]:
    """Columns that the table has to have."""
    if required is None:
        return list(schema.index[~schema["role"].str.contains("optional")])
    required = [required] if isinstance(required, str) else list(required)
    if unknown := [c for c in required if c not in schema.index]:
        near = near_words(unknown, schema.index)
        lists = "rb.columns lists them"
        raise ValueError(f"`required` names {unknown}, no columns of the dictionary{near}; {lists}.")
    return keys + [c for c in required if c not in keys]


def _missing_columns(
    missing: list[str], needed: list[str], given: list[str], schema: pd.DataFrame, named: bool
) -> str:
    """Which columns are missing, what they hold, and which of the user's may be meant."""
    spare = [g for g in given if g not in schema.index]
    rules = [schema.loc[c] for c in missing]
    told = [f"{r.name} — {r['label_en']} [{r['unit'] or 'text'}]{_suggest(r.name, r, spare)}" for r in rules]
    rest = f"; and {', '.join(missing[12:])}" if len(missing) > 12 else ""
    hint = "" if named else ". If you need fewer columns name them in `required`"
    if len(set(spare) & set(schema["label_zh"])) > 2:
        hint += (
            ". Your headings are the dictionary's Chinese labels: read the file with pandas, "
            "`.rename(columns=dict(zip(c['label_zh'], c['column'])))` with c = rb.columns(...), and pass the frame"
        )
    elif len(missing) == len(needed):
        yours = some([cell(g) for g in given])
        hint += f". No heading is known; yours are {yours}: the header has to be row 1"
    return f"{count(len(missing), 'column')} missing: {'; '.join(told[:12])}{rest}{hint}"


_UNSEEN = re.compile("[\x00-\x1f\x7f\xa0\xad\u200b-\u200f\u2028-\u202e\u2060\ufeff\ufffd]")


def _checked_text(column: pd.Series, place: Place) -> tuple[pd.Series, pd.Series, list[str]]:
    """The column as text, its empty cells, and what is wrong with it."""
    text = _text(column)
    empty = text.str.strip().isin(MISSING)
    different = pd.Series(text[~empty].unique(), dtype=object)
    problems = []
    for wrong, fault in (
        (lambda t: t != t.strip(), "blanks around the text ({}): remove them"),
        (lambda t: _UNSEEN.search(t.strip()), "characters that cannot be seen or read ({}): type them anew"),
        (lambda t: t in EXCEL_ERRORS, "an error of Excel ({}): mend the formula"),
        (lambda t: regarbled(t) != t, "text in another encoding ({}): save the file as UTF-8"),
    ):
        if loose := [t for t in different if wrong(t)]:
            problems.append(fault.format(some(places_of(text.isin(loose), place, text))))
    return text, empty, problems


def _checked_numbers(
    column: pd.Series, values: pd.Series, bad: pd.Series, rule: pd.Series, place: Place
) -> tuple[pd.Series, list[str]]:
    """The column as numbers, and what is wrong with it."""
    problems = []
    whole = rule["dtype"].startswith("int")
    fraction = (values % 1).fillna(0).ne(0)
    amount = not whole or pd.isna(rule["maximum"])  # may have decimals
    for mask, fault in ((bad, "not a number"), (fraction & ~amount, "not a whole number")):
        if cells := places_of(mask, place, column):
            typed = column[mask].astype(str)
            hint = ""
            if rule.name == "year":
                hint = "; write the year as a whole number such as 2015"
            elif typed.str.startswith("=").any():
                hint = "; a formula that was never calculated: open the file in Excel and save it"
            elif typed.isin(EXCEL_ERRORS).any():
                hint = "; an error of Excel: mend the formula or empty the cell"
            elif fault == "not a number" and typed.str.contains(r"\d").any():
                hint = "; write numbers without thousands separators or units, decimals with a point"
            problems.append(f"{count(len(cells), 'cell')} {fault} ({some(cells)}){hint}")
    for bound, mask in (("minimum", values < rule["minimum"]), ("maximum", values > rule["maximum"])):
        if mask.any():
            cells = places_of(mask, place, values, "{:g}".format)
            limit = f"the {bound} of {rule[bound]:g}{unit_after(rule['unit'])}"
            hint = f"allowed: {rule['unit']}" if rule["unit"] == "1 = yes" else "is the unit right?"
            problems.append(f"{count(len(cells), 'value')} beyond {limit} ({some(cells)}); {hint}")
    integers = whole and not bad.any() and (values % 1 == 0).all()
    return values.astype("int64") if integers else values, problems


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
            by = gaps.groupby(unit, sort=False)["year"]
            by_unit = by.agg(["min", "max", lambda y: some(list(map(str, y)))])
            cells = [f"{one} {y if b - a < 2 else f'{a}–{b}'}" for one, a, b, y in by_unit.itertuples()]
            out = f"leave the {'cities' if unit == 'city' else 'provinces'} out"
            remedy = f" or {out}" if one_of_several else f", {out}, or pass allow_gaps=True"
            if len(gaps) > 0.2 * len(full) and not one_of_several:
                remedy = " or, if it is unbalanced by nature, pass allow_gaps=True"
            absent = count(len(gaps), f"{unit}-year")
            problems.append(f"{absent} absent ({some(cells)}): complete the panel{remedy}")
    return problems
