"""Troubles that people of this field report in public, each with the smallest input that shows it.

`tests/data/cases/` holds the inputs that are files; the number in a test's name is the one of the report.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import regionbook as rb
from regionbook.data import DataError, DataWarning

CASES = Path(__file__).parent / "data" / "cases"


def load(source, *required, **options):
    return rb.load("city-innovation", source, required=list(required) or None, **options)


def panel(**columns):
    """A frame of own data on Hangzhou, 2010 and 2011, with columns added or replaced."""
    given = {"city": ["Hangzhou"] * 2, "year": [2010, 2011], "gdp": [59491700, 70116900]}
    return pd.DataFrame(given | columns)


def refused(source, match, *required, **options):
    with warnings.catch_warnings(), pytest.raises((DataError, ValueError), match=match) as caught:
        warnings.simplefilter("ignore")
        load(source, *(required or ["gdp"]), **options)
    return str(caught.value)


# --- position for label ------------------------------------------------------------------------------


def tables(n=12):
    t = rb.data.raw_tables("knowledge-flows")
    names = list(t["cities"].index[:n])
    c = t["citations"]
    c = c[c["citing"].isin(names) & c["cited"].isin(names)]
    return {"cities": t["cities"].loc[names], "years": t["years"].loc[names], "citations": c}


def by_names(p):
    """Bal by the names of both cities, whichever is the more developed, and the year."""
    year = p.index.get_level_values("year")
    sides = zip(p["L"].astype(str), p["H"].astype(str), year, strict=True)
    return p["Bal"].set_axis([f"{min(a, b)}|{max(a, b)}|{y}" for a, b, y in sides])


def test_a01_pair_panel_in_another_order():
    small = tables()
    right = by_names(rb.data.pair_panel(small))
    for other in (
        {"years": small["years"].sort_index(level=["year", "city"])},
        {"cities": small["cities"].iloc[::-1]},
        {"citations": small["citations"].sample(frac=1, random_state=1)},
        {
            "years": small["years"].sample(frac=1, random_state=2),
            "cities": small["cities"].sample(frac=1, random_state=3),
        },
    ):
        pd.testing.assert_series_equal(by_names(rb.data.pair_panel({**small, **other}))[right.index], right)


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("years", lambda d: d.iloc[1:], "table 'years' lacks"),
        ("years", lambda d: pd.concat([d, d.iloc[:1]]), "table 'years' has .* more than once"),
        ("cities", lambda d: d.iloc[1:], "table 'years' has cities that the table of cities does not have"),
        (
            "citations",
            lambda d: d.assign(citing=d["citing"].astype(str).replace("Beijing", "Peking")),
            "'Peking'",
        ),
        ("rail", lambda d: d, "table 'rail' has"),
    ],
)
def test_a01_tables_that_do_not_fit(table, change, message):
    small = tables()
    small[table] = change(small[table] if table in small else rb.data.raw_tables("knowledge-flows")[table])
    with pytest.raises(ValueError, match=message):
        rb.data.pair_panel(small)


# --- equal types, other codes ------------------------------------------------------------------------


def dyads(*orders):
    pairs = pd.DataFrame(
        [("A", "B"), ("A", "C"), ("B", "D"), ("C", "E"), ("D", "F"), ("E", "F")], columns=["L", "H"]
    )
    d = pd.concat([pairs.assign(year=y) for y in (2010, 2011, 2012)], ignore_index=True)
    r = np.random.default_rng(1)
    d["x"] = r.normal(size=len(d))
    d["y"] = d["x"] + r.normal(size=len(d))
    for name, order in zip("LH", orders, strict=False):
        d[name] = pd.Categorical(d[name], categories=list(order))
    return d


def dyadic_error(d):
    return float(rb.models.dyadic_panel(d, "y ~ x | year", units=("L", "H")).se("dyadic")["x"])


@pytest.mark.parametrize(
    "orders",
    [("ABCDEF", "ABCDEF"), ("ABCDEF", "ABCEDF"), ("FEDCBA", "ABCDEF"), ("ABCDEFZ", "ABCDEF"), ("ABCDEF",)],
)
def test_a02_categories_in_another_order(orders):
    assert dyadic_error(dyads(*orders)) == pytest.approx(dyadic_error(dyads()), rel=1e-12)


def test_a02_labels_of_two_types():
    d = dyads()
    d["L"] = d["L"].map("ABCDEF".index)
    d["H"] = d["H"].map("ABCDEF".index).astype(str)
    with pytest.raises(TypeError, match="units 'L' and 'H' mixes text"):
        dyadic_error(d)
    d["cluster"] = [1, "1"] * 9
    with pytest.raises(TypeError, match="cluster 'cluster' mixes text"):
        rb.models.wild_bootstrap(d, "y ~ x", "x", "cluster", seed=1)


# --- types of columns that the dictionary does not know ----------------------------------------------


def test_a03_an_extra_column_has_the_same_type_from_every_format():
    found = {}
    for ending in ("csv", "xlsx", "dta"):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found[ending] = load(CASES / f"a03.{ending}", "gdp", "digit")
        assert found[ending]["subsidy"].dtype == "int64" and found[ending]["result"].dtype == "float64"
        assert ending == "dta" or any("subsidy (numbers), result (numbers)" in str(w.message) for w in said)
        pd.testing.assert_frame_equal(found[ending], found["csv"])


FREE = "result ~ digit + subsidy | city + year"


@pytest.mark.parametrize(
    "model",
    [
        lambda p: rb.models.wild_bootstrap(p, FREE, "digit", "city", draws=99, seed=1),
        lambda p: rb.models.suest_test(p.assign(g=p["digit"] > 0.01), FREE, "digit", "g", cluster="city"),
        lambda p: rb.models.chow_test(p.assign(g=p["digit"] > 0.01), FREE, "g"),
    ],
)
def test_a03_models_refuse_text_for_a_number(model):
    p = load(CASES / "a03.dta", "gdp", "digit")
    with pytest.raises(TypeError, match="'subsidy' is text"):
        model(p.assign(subsidy=p["subsidy"].astype(str)))
    with pytest.raises(TypeError, match="'subsidy' is text"):
        model(p.assign(subsidy=p["subsidy"].astype(object)))


def test_a03_a_model_takes_what_is_called_categorical():
    p = load(CASES / "a03.dta", "gdp", "digit")
    as_text = p.assign(subsidy=p["subsidy"].astype(str))
    called = [
        rb.models.wild_bootstrap(data, formula, "digit", "city", draws=99, seed=1).se
        for data, formula in (
            (as_text, FREE.replace("subsidy", "C(subsidy)")),
            (as_text.astype({"subsidy": "category"}), FREE),
        )
    ]
    assert called[0] == pytest.approx(called[1])


# --- the reader converts before the check looks ------------------------------------------------------


def test_a04_two_headings_alike():
    refused(CASES / "a04.csv", "column 'gdp' stands there 2 times")


def test_a09_gbk_in_an_old_stata_file():
    with pytest.warns(DataWarning, match="column city holds GB18030 text: 'º¼ÖÝÊÐ' was read as '杭州市'"):
        assert load(CASES / "a09.dta", "gdp").index.tolist() == [("杭州市", 2010), ("杭州市", 2011)]


def test_a10_a_stata_year_with_the_format_of_years():
    assert load(CASES / "a10.dta", "gdp").index.tolist() == [("Hangzhou", 2010), ("Hangzhou", 2011)]


def test_a11_full_width_digits():
    with pytest.warns(
        DataWarning, match=r"column year: full-width digits \(row 2: '２０１０'\) were read as numbers"
    ):
        assert load(CASES / "a11.csv", "gdp").index.tolist() == [("Hangzhou", 2010)]


def test_a12_city_in_index_and_column():
    both = panel().set_index("city", drop=False)
    assert load(both, "gdp").index.tolist() == [("Hangzhou", 2010), ("Hangzhou", 2011)]
    refused(both.assign(city="Ningbo"), "'city' is in the index and among the columns, and they differ")


def test_a14_separators_and_decimal_commas():
    refused(CASES / "a14.csv", r"'city;year;gdp', with semicolons \(row 1\): separate the columns by commas")
    refused(CASES / "a14-sep.csv", "row 1 is 'sep=,'")
    refused(
        CASES / "a14-thousands.csv",
        "the header has 3 cells, but row 2: 5 cells; is there a comma in a number",
    )


def test_a15_errors_and_formulas_of_excel():
    said = refused(CASES / "a15.xlsx", r"row 2: '#DIV/0!'.*row 4: '=2\*C3'")
    assert "column trademarks: 1 cell not a number (row 3: '#REF!'); an error of Excel" in said


# --- identity of a place -----------------------------------------------------------------------------


def test_a06_codes_that_are_not_the_cities():
    with pytest.warns(
        DataWarning, match=r"not the code of its city in geo.units\(\) \(Beijing: 510100, not 110000"
    ):
        load(CASES / "a06.csv", "gdp", "code")


def test_a07_one_city_under_its_old_and_its_new_name():
    with pytest.warns(DataWarning, match="one place under two names.*襄樊市 and 襄阳市"):
        load(CASES / "a07.csv", "gdp", "code", allow_gaps=True)


@pytest.mark.parametrize(
    ("place", "history"),
    [
        ("莱芜市", r"was merged into Jinan 济南市 \(370100\) in 2019"),
        ("巢湖市", r"was split among Hefei .*, Wuhu .*, Ma'anshan .* in 2011"),
        ("思茅市", r"was renamed Pu'er 普洱市 \(530800\) in 2007"),
        (371200, "莱芜市 was merged into Jinan"),
        (341400, "巢湖市 was split among Hefei"),
    ],
)
def test_a16_retired_units(place, history):
    with pytest.raises(ValueError, match=history):
        rb.geo.codes([place], "city")


@pytest.mark.parametrize(
    "call", [rb.geo.contiguity, rb.geo.distances, rb.geo.port_distance, rb.geo.inverse_distance]
)
def test_a17_one_place_under_two_names(call):
    with pytest.raises(ValueError, match="'杭州市' and '330100' are the same place, Hangzhou"):
        call(["杭州市", "330100", "嘉兴市"])


# --- what is one in a group, units -------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return rb.load("city-innovation").reset_index()


def test_a19_two_primate_cities(shipped):
    d = shipped.copy()
    d.loc[d["city"] == "Tianjin", "primate"] = 1
    with pytest.raises(
        DataError, match="column primate: more than one 1 in a cluster and year .Beijing-Tianjin-Hebei 2008"
    ):
        load(d)


def test_a08_a_unit_that_changes_within_a_column(shipped):
    d = shipped[["city", "year", "gdp"]].astype({"gdp": float})
    d.loc[d["year"] >= 2017, "gdp"] /= 1e4
    with pytest.warns(
        DataWarning, match=r"Column gdp: in 2017 the typical value is 1/9,\d+ of the year before's"
    ):
        load(d, "gdp")


# --- messages ----------------------------------------------------------------------------------------


def test_a13_a_footnote_is_one_problem():
    with pytest.raises(DataError) as caught:
        load(CASES / "a13.xlsx")
    assert str(caught.value).splitlines()[1:] == [
        "  - 1 row with one cell only, a note? (row 16: '注：数据来源于城市统计年鉴'): delete what is no data"
    ]


# --- mended elsewhere --------------------------------------------------------------------------------


def test_a05_a_panel_read_back_is_no_yardstick(shipped):
    """There is no key to own data, so half of the years cannot be right by themselves."""
    half = shipped.query("year > 2012").set_index(["city", "year"])
    half.attrs = {}
    with pytest.raises(ValueError, match="no key to .* for your own data"):
        rb.check(
            "city-innovation/2-regressions/errors",
            pd.Series({"conventional": 0.1, "HC1": 0.1, "by city": 0.1}),
            half,
        )


def test_a20_the_right_city_in_chinese():
    assert "right" in str(rb.check("city-innovation/2-regressions/who", "深圳市"))
