"""Damaged files: `rb.load` never returns a number that differs from the clean file's without saying so."""

import os
import warnings

import numpy as np
import pandas as pd
import pytest

import regionbook as rb
from regionbook.data import DataWarning

SLUG = "city-innovation"
NUMBERS = ["year", "code", "gdp", "population", "green", "trademarks", "digit", "subsidy"]
REQUIRED = ["gdp", "population", "green", "digit"]
FORMATS = (".csv", ".xlsx", ".dta", ".parquet")
JUNK = [
    "",
    "—",
    "n.a.",
    "NA",
    "#REF!",
    "#DIV/0!",
    "1,234",
    "1 234",
    "12%",
    "12万元",
    "1e999",
    "inf",
    "0x1F",
    "½",
    "5²",
    "=B2*2",
]


@pytest.fixture(scope="module")
def clean():
    panel = rb.load(SLUG).reset_index()
    panel = panel[panel["city"].isin(panel["city"].unique()[::25]) & panel["year"].between(2010, 2014)]
    panel = panel[["city", "city_zh", "cluster", *NUMBERS[:-1]]].reset_index(drop=True)
    return panel.assign(
        subsidy=np.arange(len(panel)) % 7 + 1, note=[f"source {i % 3}" for i in range(len(panel))]
    )


# --- damages of the table: each takes the table as objects and a generator, and gives the table back -----------------


def junk_cell(d, r):
    d.iat[r.integers(len(d)), r.integers(d.shape[1])] = JUNK[r.integers(len(JUNK))]
    return d


def unseen_characters(d, r):
    i, j = r.integers(len(d)), r.integers(d.shape[1])
    mark = ["\u200b", "\xa0", " ", "\ufeff", "\t", "\n"][r.integers(6)]
    d.iat[i, j] = f"{mark}{d.iat[i, j]}" if r.random() < 0.5 else f"{d.iat[i, j]}{mark}"
    return d


def full_width(d, r):
    i, name = r.integers(len(d)), r.choice(NUMBERS)
    if name in d:
        d.loc[d.index[i], name] = str(d[name].iloc[i]).translate({k: k + 0xFEE0 for k in range(0x2B, 0x3A)})
    return d


def heading(d, r):
    names = list(d.columns)
    i, j = r.choice(len(names), 2, replace=False)
    names[i] = [names[j], names[i].upper(), f" {names[i]}", "", f"{names[i]}\u200b"][r.integers(5)]
    return d.set_axis(names, axis=1)


def rows_gone(d, r):
    return d.drop(index=r.choice(d.index, r.integers(1, 4), replace=False))


def row_twice(d, r):
    again = d.iloc[[r.integers(len(d))]].copy()
    if r.random() < 0.5:
        again.iloc[0, r.integers(d.shape[1])] = 77
    return pd.concat([d, again])


def odd_row(d, r):
    row = [None] * d.shape[1]
    kind = r.integers(3)
    if kind == 1:
        row[r.integers(len(row))] = "注：数据来源于城市统计年鉴"
    elif kind == 2:
        row = ["万元"] * d.shape[1]
    at = r.integers(len(d) + 1)
    new = pd.DataFrame([row], columns=d.columns, dtype=object)
    return pd.concat([d.iloc[:at], new, d.iloc[at:]])


def column_sorted_alone(d, r):
    if "code" in d and d["code"].map(lambda v: isinstance(v, (int, np.integer))).all():
        d["code"] = sorted(d["code"], reverse=True)
    return d


def unit_slips(d, r):
    name = r.choice(["gdp", "population"])
    if name in d and "year" in d and d[[name, "year"]].map(np.isreal).all(axis=None):
        late = d["year"] >= 2013
        d.loc[late, name] = d.loc[late, name].astype(float) / 10_000
    return d


def old_name(d, r):
    if "city" in d and "year" in d and d["year"].map(np.isreal).all():
        early = (d["city"] == d["city"].iloc[0]) & (d["year"] < 2012)
        d.loc[early, "city"] = f"{d['city'].iloc[0]} city"
    return d


DAMAGES = [
    junk_cell, junk_cell, unseen_characters, full_width, heading, rows_gone, row_twice, odd_row, column_sorted_alone,
    unit_slips, old_name,
]  # fmt: skip


# --- damages of the file ---------------------------------------------------------------------------------------------


def csv_bytes(d, r):
    text = d.to_csv(index=False, lineterminator=str(r.choice(["\n", "\r\n"])))
    kind = r.integers(8)
    if kind < 3:
        at = int(r.integers(len(text)))
        sign = str(r.choice(list('",;\n\r\0')))
        text = text[:at] + sign + text[at:]
    elif kind == 3:
        at = text.index(",", int(r.integers(len(text) // 2)))
        text = text[:at] + text[at + 1 :]  # a comma less
    elif kind == 4:
        text = text[: text.rindex(",", 0, int(r.integers(len(text) // 2, len(text))))]  # broken off
    elif kind == 5:
        text = text.replace(",", str(r.choice([";", "\t", "|"])))
    encoding = str(r.choice(["utf-8", "utf-8-sig", "gb18030", "utf-16", "big5", "latin-1"]))
    raw = text.encode(encoding, "replace" if encoding == "big5" else "xmlcharrefreplace")
    if r.random() < 0.2:
        at = int(r.integers(len(raw)))
        raw = raw[:at] + bytes([int(r.integers(0x80, 0x100))]) + raw[at:]
    return raw


def stata_frame(d, r):
    """As much as Stata can hold: numbers where a column is all numbers, else text; sometimes labels and dates."""
    out = {}
    for name in d:
        cells = d[name]
        text = cells.map(lambda v: "" if v is None else str(v))
        numbers = pd.to_numeric(text, errors="coerce")
        out[name] = numbers if np.isfinite(numbers).all() and not text.str.contains("_").any() else text
    frame = pd.DataFrame(out)
    if r.random() < 0.3 and pd.api.types.is_numeric_dtype(frame.get("trademarks")):
        frame["trademarks"] = pd.Categorical(
            frame["trademarks"].map("kind {:g}".format)
        )  # labels before numbers
    if r.random() < 0.3 and pd.api.types.is_numeric_dtype(frame.get("gdp")):
        frame["gdp"] = pd.Categorical(frame["gdp"].map("{:.0f}".format))  # Stata's `encode`
    return frame


def write(d, path, r):
    """Write the table; False where the format cannot hold it."""
    twice = not d.columns.is_unique or "" in d.columns
    if path.suffix == ".csv":
        path.write_bytes(csv_bytes(d, r))
    elif path.suffix == ".xlsx":
        if d.map(lambda v: isinstance(v, str) and "\0" in v).any(axis=None):
            return False
        d.to_excel(path, index=False)
    elif path.suffix == ".dta":
        if twice or any(not n.isidentifier() or not n.isascii() for n in d.columns):
            return False
        frame = stata_frame(d, r)
        old = r.random() < 0.4
        if old:
            for name in frame.columns[[not pd.api.types.is_numeric_dtype(k) for k in frame.dtypes]]:
                frame[name] = frame[name].map(lambda t: t.encode("gb18030").decode("latin-1"))
        frame.to_stata(path, write_index=False, version=117 if old else 118)
    else:
        if twice:
            return False
        kinds = {c: "str" for c in d if d[c].map(type).nunique() > 1}
        frame = d.astype(kinds).infer_objects()
        if r.random() < 0.3:
            frame = frame.astype(dict.fromkeys(frame, "category"))
        if r.random() < 0.3 and {"city", "year"} <= set(frame):
            frame = frame.set_index(["city", "year"], drop=bool(r.random() < 0.5))
        frame.to_parquet(path)
    return True


# --- the property ----------------------------------------------------------------------------------------------------


def silent(clean, seed, folder):
    """Damage the clean table; what `load` got wrong without a word, as text, or nothing; and what came of it."""
    r = np.random.default_rng(seed)
    d = clean.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed).astype(object)
    names = []
    for damage in r.choice(len(DAMAGES), r.integers(0, 3), replace=False):
        names.append(DAMAGES[damage].__name__)
        d = DAMAGES[damage](d.copy(), r).astype(object)
    path = folder / f"{seed}{FORMATS[seed % 4]}"
    if not write(d, path, r):
        return "", "not written"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            own = rb.load(SLUG, path, required=REQUIRED, allow_gaps=bool(r.random() < 0.4))
        except ValueError as error:  # DataError is one
            return ("" if len(str(error)) < 5000 else f"seed {seed}: {len(str(error)):,} letters"), "refused"
        finally:
            path.unlink()
    said = " ".join(str(w.message) for w in caught if issubclass(w.category, DataWarning))
    right = clean.set_index(["city", "year"])
    wrong = []
    strange = own.index.difference(right.index)
    if len(strange) and "column city" not in said:
        wrong.append(f"rows {list(strange)[:3]}")
    both = own.index.intersection(right.index)
    for name in [n for n in NUMBERS[1:] if n in own]:
        ours = pd.to_numeric(own.loc[both, name], errors="coerce").astype(float)
        same = np.isclose(ours, right.loc[both, name].astype(float), rtol=1e-12, atol=0)
        if not same.all() and name not in said:
            wrong.append(f"{name}: {own.loc[both, name][~same].head(2).to_dict()}")
        if not pd.api.types.is_numeric_dtype(own[name]) and name not in said:
            wrong.append(f"{name} is {own[name].dtype}")
    return (f"seed {seed}, {path.suffix}, {names}: {'; '.join(wrong)}" if wrong else ""), "read"


def property_holds(clean, seeds, folder):
    found = [silent(clean, seed, folder) for seed in seeds]
    assert not [wrong for wrong, _ in found if wrong]
    kinds = pd.Series([kind for _, kind in found]).value_counts(normalize=True)
    assert (
        kinds["read"] > 0.2 and kinds["refused"] > 0.2
    )  # neither all of it is refused, nor nothing is damaged


def test_damaged_files(clean, tmp_path):
    property_holds(clean, range(60), tmp_path)


@pytest.mark.skipif(os.environ.get("REGIONBOOK_PROOF") != "1", reason="minutes: set REGIONBOOK_PROOF=1")
def test_many_damaged_files(clean, tmp_path):
    property_holds(clean, range(1000, 3400), tmp_path)
