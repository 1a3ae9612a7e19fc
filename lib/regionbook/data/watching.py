"""Watch what a cell alone does not show: the identity of places, what is one in a group, units by year and by place."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from regionbook.data.errors import DataWarning, cell, some, unit_after
from regionbook.data.schema import UNITS, keys_of, teaching_file
from regionbook.geo.places import KINDS, became, check_level, clean, meant
from regionbook.paths import data_file

_SLIP, _JUMP = np.log(30), np.log(100)


@cache
def _rules() -> pd.DataFrame:
    return pd.read_csv(data_file("teaching", "groups.csv"))


def group_problems(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Columns that break what the dictionary declares in ``groups.csv``: one value a group, or one row with 1."""
    found = []
    rules = [r for r in _rules().itertuples() if {r.column, *r.within.split()} <= set(frame)]
    group = {within: frame.groupby(within.split()).ngroup() for within in {r.within for r in rules}}
    for column, rule, within in ((r.column, r.rule, r.within) for r in rules):
        rows = pd.DataFrame({"group": group[within], "value": frame[column]}).query("group >= 0").dropna()
        rows = rows[rows["value"] == 1] if rule == "one" else rows[rows["value"] != ""].drop_duplicates()
        if (again := rows["group"].duplicated()).any():
            by = within.split()
            broken = frame.loc[again.index[again], by].drop_duplicates().astype(str)
            what = "more than one 1" if rule == "one" else "more than one value"
            names = some(broken.agg(" ".join, axis=1).tolist())
            words = f"{what} in a {' and '.join(by)} ({names}); there is to be one in each"
            found.append((column, words))
    return found


# --- places ------------------------------------------------------------------------------------------


def identity(frame: pd.DataFrame, keys: list[str]) -> list[str]:
    """What speaks against every name being one place and every place having one name and one code."""
    unit = keys[0]
    level = check_level(unit)
    names = frame[unit].drop_duplicates()
    one = {name: codes[0] for name in names if len(codes := meant(name, level)) == 1}
    of_name = {name: one.get(name) or became(name)[0] for name in names}
    said = []
    pairs: list[tuple[str, str]] = []
    if "code" in frame:
        given = frame[[unit, "code"]].dropna().drop_duplicates()
        pairs = [(name, str(int(number))) for name, number in given.itertuples(index=False, name=None)]
        now = {code: became(code)[0] or code for _, code in pairs}
        if wrong := [f"{n}: {c}, not {of_name[n]}" for n, c in pairs if of_name[n] and of_name[n] != now[c]]:
            said.append(f"column code: not the code of its {unit} in geo.units() ({some(wrong)})")
        if several := given[unit][given[unit].duplicated()].drop_duplicates().tolist():
            said.append(f"column code: changes within a {unit} ({some(several)})")
    by_code: dict[str, list[str]] = {}
    for name, code in [] if said else [*pairs, *of_name.items()]:  # else two names on one code are its echo
        by_code.setdefault(code or name, []).append(name)
    alike = [" and ".join(dict.fromkeys(group)) for group in by_code.values() if len(set(group)) > 1]
    alike += [f"{a} and {b}" for a, b in _succeeding(frame, unit) if not (of_name[a] and of_name[b])]
    if alike:
        said.append(f"column {unit}: one place under two names, or one code for two places? ({some(alike)})")
    there = {name for name, code in pairs if meant(code)}
    if gone := [history for name in names if name not in there and (history := became(name)[1])]:
        said.append(f"column {unit}: not on the map of about 2020 ({some(gone)})")
    strange = [cell(n) for n in names if not of_name[n] and n not in there and not became(n)[1]]
    if len(strange) < len(names) / 2 and strange:
        said.append(f"column {unit}: no name of geo.units() ({some(strange)}), though most are")
    return [f"{words}; nothing was changed." for words in said]


def _succeeding(frame: pd.DataFrame, unit: str) -> list[tuple[str, str]]:
    """Names that are spelled alike, the second of which begins after the first has ended."""
    if "year" not in frame:
        return []
    spans = frame.groupby(unit, sort=False)["year"].agg(["min", "max"])
    first, last = spans["min"].min(), spans["max"].max()
    partial = spans[(spans["min"] > first) | (spans["max"] < last)]
    plain = {name: re.sub(rf"[\W_]|{KINDS}", "", clean(name)).casefold() for name in partial.index}
    return [
        (a, b)
        for a, b in combinations(partial.sort_values("min").index, 2)
        if partial.at[a, "max"] < partial.at[b, "min"]
        and (plain[a] == plain[b] or difflib.SequenceMatcher(None, plain[a], plain[b]).ratio() >= 0.5)
    ]


# --- units -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Levels:
    """Logarithms of a panel's columns: typical values, steps from year to year, levels by place; the widest of both."""

    median: pd.Series
    step: pd.DataFrame  # by (place, year), missing in the first year of a place
    by_year: pd.DataFrame  # median step
    by_place: pd.DataFrame  # median level
    widest: pd.DataFrame  # columns × widest median step, step, stretch without any place


def _levels(frame: pd.DataFrame, names: list[str]) -> _Levels:
    rows = frame.set_index(keys_of(frame))[names].sort_index()
    values = rows.to_numpy(float)
    logs = pd.DataFrame(np.log(values, out=np.full_like(values, np.nan), where=values > 0), rows.index, names)
    step = logs.groupby(level=0).diff()
    by_year, by_place = step.groupby(level=1).median(), logs.groupby(level=0).median()
    gaps = pd.DataFrame(np.sort(by_place.to_numpy(), axis=0), columns=names).diff()
    widest = pd.DataFrame({i: d.abs().max() for i, d in enumerate((by_year, step, gaps))}).fillna(0)
    return _Levels(frame[names].median(), step, by_year, by_place, widest)


@cache
def _shipped(path: Path, names: tuple[str, ...]) -> _Levels:
    return _levels(pd.read_csv(path), list(names))


def warn_units(frame: pd.DataFrame, schema: pd.DataFrame, slug: str) -> None:
    """Point at columns whose unit seems to be another one than ours, or another one from some year on or in some places.

    A unit slips by a hundred and more; own data differ from the teaching panel besides. So what counts is a typical value
    more than thirty times ours, or than that of the year before; and steps and stretches without any place that are wide
    and much wider than any of the teaching panel's.
    """
    keys = schema.index.isin([*UNITS, "year"])
    measured = schema.index[schema["unit"].ne("") & schema["dtype"].ne("str") & ~keys]
    names = list(measured.intersection(frame.columns, sort=False))
    ours, own = _shipped(teaching_file(slug, ".csv"), tuple(names)), _levels(frame, names)
    limits = (1.5 * ours.widest).clip(lower=pd.Series([_SLIP, _JUMP, _SLIP]), axis=1)
    wide = own.widest.gt(limits).any(axis=1)
    for name in names:
        said, unit = [], schema.at[name, "unit"]
        a, b = ours.median[name], own.median[name]
        if a > 0 and b > 0 and not 1 / 30 < b / a < 30:
            said.append(f"your median is {b:.4g}, the teaching panel's {a:.4g}{unit_after(unit)}")
        said += _odd(own, name, *limits.loc[name]) if wide[name] else []
        if said:
            check = f"Check that yours is in {unit}; nothing was changed."
            warnings.warn(f"Column {name}: {'; '.join(said)}. {check}", DataWarning, stacklevel=3)


def _odd(own: _Levels, name: str, by_year: float, step: float, gap: float) -> Iterator[str]:
    """What is wider than these limits, in words."""
    middle = own.by_year[name]
    years = middle.index[middle.abs() > by_year]
    yield from (f"in {year} the typical value is {_times(middle[year])} the year before's" for year in years)
    far = own.step[name][own.step[name].abs() > step].drop(years, level=1, errors="ignore")
    if len(far):
        cells = [f"{place} {year}: {_times(log)}" for (place, year), log in far.items()]
        yield f"jumps from one year to the next ({some(cells)})"
    gaps = own.by_place[name].dropna().sort_values().diff().fillna(0)
    if len(gaps) > 4 and gaps.max() > gap:
        at = int(gaps.to_numpy().argmax())
        high = at >= len(gaps) / 2
        few = some([str(place) for place in (gaps.index[at:] if high else gaps.index[:at])])
        yield f"the typical value of {few} is {_times(gaps.max() if high else -gaps.max())} that of the next place"


def _times(log: float) -> str:
    size = f"{float(f'{np.exp(abs(log)):.3g}'):,.0f}"
    return f"{size} times" if log > 0 else f"1/{size} of"
