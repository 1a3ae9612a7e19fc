"""Ten more troubles of every kind that was silently wrong, beside those of `test_cases.py`."""

import warnings

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

import regionbook as rb
from regionbook.data import DataError, DataWarning
from test_cases import by_names, dyadic_error, dyads, load, panel, refused, tables

# --- 1 position for label ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        lambda t: {"years": t["years"].iloc[::-1]},
        lambda t: {"years": t["years"].sort_values("population")},
        lambda t: {"cities": t["cities"].sort_index()},
        lambda t: {"citations": t["citations"].astype({"citing": str, "cited": str})},
        lambda t: {"citations": t["citations"].iloc[::-1]},
    ],
)
def test_pairs_do_not_hang_on_the_order_of_rows(other):
    small = tables(8)
    right = by_names(rb.data.pair_panel(small))
    pd.testing.assert_series_equal(by_names(rb.data.pair_panel(small | other(small)))[right.index], right)


def test_flows_go_to_the_cities_of_their_name():
    small = tables(8)
    flows = rb.data.pair_panel(small)
    again = rb.data.pair_panel(small | {"cities": small["cities"].iloc[::-1]})
    key = ["L", "H", "year"]
    for name in ("DKF_HtoL", "DKF_LtoH", "TS", "IPP"):
        one, two = (
            p.reset_index().astype({"L": str, "H": str}).set_index(key)[name].sort_index()
            for p in (flows, again)
        )
        pd.testing.assert_series_equal(one, two, check_dtype=False)


def test_coupling_weights_are_matched_by_name():
    u = pd.DataFrame({"digital": [0.2, 0.5], "real": [0.8, 0.5]})
    right = rb.index.coupling_coordination(u, [0.3, 0.7])
    for weights in (pd.Series({"real": 0.7, "digital": 0.3}), {"real": 0.7, "digital": 0.3}):
        pd.testing.assert_frame_equal(rb.index.coupling_coordination(u, weights), right)
    with pytest.raises(ValueError, match="weights must be 2 numbers"):
        rb.index.coupling_coordination(u, {"reel": 0.7, "digital": 0.3})


def test_dyadic_covariance_refuses_another_index():
    d = dyads()
    e = (d["y"] - d["x"]).rename("e")
    right = rb.models.dyadic_cov(d["x"] * e, 1 / (d["x"] @ d["x"]), d["L"], d["H"])
    assert right.se[0] > 0
    with pytest.raises(ValueError, match="different indices"):
        rb.models.dyadic_cov(d["x"] * e, 1 / (d["x"] @ d["x"]), d["L"].iloc[::-1], d["H"])


def test_dyadic_covariance_matches_the_bread_by_name():
    d = dyads()
    x = d[["x", "y"]].assign(one=1.0)[["x", "one"]]
    scores, bread = x.mul(d["y"], axis=0), pd.DataFrame(np.linalg.inv(x.T @ x), x.columns, x.columns)
    right = rb.models.dyadic_cov(scores, bread, d["L"], d["H"])
    other = rb.models.dyadic_cov(scores, bread.iloc[::-1, ::-1], d["L"], d["H"])
    np.testing.assert_allclose(other.matrix, right.matrix)


def test_entropy_directions_are_matched_by_name():
    raw = pd.DataFrame(np.random.default_rng(0).random((9, 2)), columns=["good", "bad"])
    right = rb.index.entropy_index(raw, [1, -1]).score
    pd.testing.assert_series_equal(
        rb.index.entropy_index(raw, pd.Series({"bad": -1, "good": 1})).score, right
    )


# --- 2 the reader converts before the check looks ----------------------------------------------------


def csv(tmp_path, text, encoding="utf-8"):
    (tmp_path / "my.csv").write_bytes(text.encode(encoding))
    return tmp_path / "my.csv"


HEAD = "city,year,gdp\n"


@pytest.mark.parametrize(
    ("text", "encoding", "match"),
    [
        (HEAD + "München,2010,1\nÖrlinghausen,2010,2\n", "latin-1", "neither UTF-8 nor GB18030"),
        (HEAD + "臺北市,2010,1\n臺中市,2010,2\n高雄市,2010,2\n", "big5", "neither UTF-8 nor GB18030"),
        ("city,year,gdp,gdp \nHangzhou,2010,1,2\n", "utf-8", "column 'gdp' stands there 2 times"),
        (
            'city,year,gdp\n"Hangzhou,2010,1\nNingbo",2011,2\n',
            "utf-8",
            "a cell runs over several lines .row 2",
        ),
        (HEAD + '"Hangzhou"x,2010,1\n', "utf-8", "row 2: .* a quotation mark too many or too few"),
        (HEAD + 'Hangzhou,2010,"1\n', "utf-8", "a quotation mark too many or too few"),
        (HEAD + "Hangzhou,2010,59491.7,\nHangzhou,2011\n", "utf-8", "row 3: 2 cells"),
        (HEAD + "Hangzhou,2010,5²\n", "utf-8", "1 cell not a number .row 2: '5²'"),
        (HEAD + "Hangzhou,2010,1e999\n", "utf-8", "1 cell not a number .row 2: '1e999'"),
        (HEAD + "Hang\u200bzhou,2010,1\n", "utf-8", "characters that cannot be seen"),
        (HEAD + "º¼ÖÝÊÐ,2010,1\n", "utf-8", "text in another encoding"),
        (HEAD + "٢٠١٠,٢٠١٠,1\n", "utf-8", "column year: 1 cell not a number"),
    ],
)
def test_csv_that_was_read_otherwise(tmp_path, text, encoding, match):
    refused(csv(tmp_path, text, encoding), match)


def test_utf_16_is_read_and_said(tmp_path):
    with pytest.warns(DataWarning, match="not UTF-8; it was read as UTF-16"):
        assert load(csv(tmp_path, HEAD + "杭州市,2010,1\n", "utf-16"), "gdp").index[0] == ("杭州市", 2010)


def test_two_headings_alike_in_excel(tmp_path):
    book = Workbook()
    for row in (["city", "year", "gdp", "gdp"], ["Beijing", 2010, 1, 2]):
        book.active.append(row)
    book.save(tmp_path / "my.xlsx")
    refused(tmp_path / "my.xlsx", "column 'gdp' stands there 2 times")


def stata(tmp_path, version=118, **columns):
    how = (
        {"convert_dates": {"year": "ty"}} if "datetime" in str(columns.get("year", pd.Series()).dtype) else {}
    )
    panel(**columns).to_stata(tmp_path / "my.dta", write_index=False, version=version, **how)
    return tmp_path / "my.dta"


def test_stata_labels_are_no_numbers(tmp_path):
    coded = pd.Categorical(["few", "many"], ["few", "many"])
    with pytest.warns(
        DataWarning, match=r"column trademarks: its numbers were read, not their labels \('few', 'many'\)"
    ):
        assert load(stata(tmp_path, trademarks=coded), "gdp")["trademarks"].tolist() == [0, 1]


def test_stata_encode_keeps_the_numbers_in_its_labels(tmp_path):
    encoded = pd.Categorical(["70116900", "59491700"])
    assert load(stata(tmp_path, gdp=encoded), "gdp")["gdp"].tolist() == [70116900, 59491700]


def test_gbk_in_labels_and_in_other_columns_of_stata(tmp_path):
    garbled = "数据".encode("gb18030").decode("latin-1")
    with pytest.warns(DataWarning, match="column note holds GB18030 text"):
        own = load(stata(tmp_path, 117, note=[garbled] * 2), "gdp")
    assert set(own["note"]) == {"数据"}
    with pytest.warns(DataWarning, match="column note holds GB18030 text"):
        assert set(load(stata(tmp_path, note=pd.Categorical([garbled] * 2)), "gdp")["note"]) == {"数据"}


# --- 3 types of columns that the dictionary does not know --------------------------------------------

EXTRA = {
    "numbers as text": (["1", "2"], "int64", [1, 2]),
    "decimals": ([0.25, 1.5], "float64", [0.25, 1.5]),
    "numbers with a gap": ([0.5, None], "float64", [0.5, np.nan]),
    "whole floats": ([1.0, 2.0], "int64", [1, 2]),
    "codes with a zero in front": (["007", "012"], "str", ["007", "012"]),
    "long codes": (["91330100799655058B", "91330100799655058B"], "str", ["91330100799655058B"] * 2),
    "sixteen digits": (
        ["1234567890123456", "1234567890123457"],
        "str",
        ["1234567890123456", "1234567890123457"],
    ),
    "an error among numbers": (["1", "#REF!"], "str", ["1", "#REF!"]),
    "truth values": ([True, False], "bool", [True, False]),
    "text": (["a", "b"], "str", ["a", "b"]),
    "exponents": (["1e3", "2.5E-1"], "float64", [1000, 0.25]),
}


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".dta", ".parquet", "frame"])
@pytest.mark.parametrize("case", list(EXTRA))
def test_an_extra_column_is_typed_alike(tmp_path, case, ending):
    cells, kind, expected = EXTRA[case]
    if ending == ".dta" and kind == "bool":
        pytest.skip("Stata has no truth values")
    frame, path = panel(extra=cells), tmp_path / f"my{ending}"
    write = {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".xlsx": lambda: frame.to_excel(path, index=False),
        ".dta": lambda: frame.to_stata(path, write_index=False, version=118),
        ".parquet": lambda: frame.to_parquet(path),
        "frame": lambda: None,
    }
    write[ending]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own = load(frame if ending == "frame" else path, "gdp")["extra"]
    assert str(own.dtype).replace("object", "str") == kind
    np.testing.assert_array_equal(own.to_numpy(), np.array(expected, dtype=own.to_numpy().dtype))
    if kind == "str":
        assert any("extra (text" in str(w.message) for w in caught)


def test_what_makes_a_column_text_is_named(tmp_path):
    with pytest.warns(DataWarning, match=r"extra \(text, because of row 3: '#REF!'\)"):
        load(
            csv(
                tmp_path, "city,year,gdp,extra\nHangzhou,2010,1,1\nHangzhou,2011,1,#REF!\nHangzhou,2012,1,2\n"
            ),
            "gdp",
        )


# --- 4 equal types, other codes ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_categories_in_any_order(seed):
    r = np.random.default_rng(seed)
    orders = ["".join(r.permutation(list("ABCDEF" + "XYZ"[: r.integers(4)]))) for _ in "LH"]
    d = dyads(*orders)
    if seed % 2:
        d = d.set_index(["L", "H", "year"]).reset_index()
    assert dyadic_error(d) == pytest.approx(dyadic_error(dyads()), rel=1e-12)
    e = d["y"] - d["x"]
    own, right = (
        rb.models.dyadic_cov(d["x"] * e, 1 / (d["x"] @ d["x"]), f["L"], f["H"]).se for f in (d, dyads())
    )
    np.testing.assert_allclose(own, right)


# --- 5 identity of a place ---------------------------------------------------------------------------


def places(*names, **columns):
    """A row a name and year; a name with a span such as "A 2009 2010" has only these years."""
    rows = []
    for name in names:
        *words, first, last = name.split() if name[-1].isdigit() else [*name.split(), 2010, 2011]
        rows += [(" ".join(words), year) for year in range(int(first), int(last) + 1)]
    return pd.DataFrame(rows, columns=["city", "year"]).assign(gdp=5e6, **columns)


@pytest.mark.parametrize(
    ("frame", "match"),
    [
        (places("思茅市 2005 2006", "普洱市 2007 2008"), "one place under two names.*思茅市 and 普洱市"),
        (
            places("Xiangfan 2008 2009", "Xiangyang 2010 2011"),
            "one place under two names.*Xiangfan and Xiangyang",
        ),
        (places("铜仁地区 2008 2010", "铜仁市 2011 2012"), "铜仁地区 and 铜仁市"),
        (places("杭州 2008 2009", "杭州市 2010 2011"), "杭州 and 杭州市"),
        (places("Hangzhou 2008 2011", "杭州市 2008 2011"), "Hangzhou and 杭州市"),
        (places("City of Ahm 2008 2009", "City of Ahmm 2010 2011"), "City of Ahm and City of Ahmm"),
        (
            places("莱芜市", "济南市", "青岛市"),
            r"not on the map of about 2020 \(莱芜市 was merged into Jinan",
        ),
        (places("巢湖市", "合肥市"), "巢湖市 was split among Hefei"),
        (places("Hangzhou", "Ningbo", "Hangzou"), r"no name of geo.units\(\) \('Hangzou'\)"),
        (places("Hangzhou", code=[330100, 330200]), r"column code: .*Hangzhou: 330200, not 330100"),
        (places("Oz", code=[330100, 330200]), "column code: changes within a city .Oz"),
        (places("Oz", "Narnia", code=330100), "one code for two places. .Oz and Narnia"),
        (places("Beijing", code=110100), "Beijing: 110100, not 110000"),
    ],
)
def test_places_that_are_not_what_they_seem(frame, match):
    with pytest.warns(DataWarning, match=match):
        load(frame, "gdp", allow_gaps=True)


@pytest.mark.parametrize(
    "frame",
    [
        places("Hangzhou", "Ningbo", code=[330100, 330100, 330200, 330200]),
        places("铜仁市", code=522200),  # an old code of the same place
        places("莱芜市", "Oz 2010 2010", "Narnia 2010 2010", code=[370100, 370100, 999998, 999999]),
        places("Suzhou (Jiangsu) 2008 2009", "Fuzhou (Fujian) 2010 2011"),
    ],
)
def test_places_without_a_word(frame):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*(code|city|place)")
        load(frame, "gdp", allow_gaps=True)


@pytest.mark.parametrize(
    "place", [330100.0, np.float64(330100), "330100.0", "杭州市\u200b", " Hangzhou", "Ｈａｎｇｚｈｏｕ"]
)
def test_one_place_however_it_is_typed(place):
    assert rb.geo.codes([place]) == ["330100"]


@pytest.mark.parametrize("call", [rb.geo.contiguity, rb.geo.distances])
@pytest.mark.parametrize("twin", [330100, "Hangzhou", "杭州", "杭州市\u200b", 330100.0])
def test_the_same_place_twice_is_refused(call, twin):
    with pytest.raises(ValueError, match="are the same place"):
        call(["杭州市", "嘉兴市", twin])


# --- 6 one in a group, units -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return rb.load("city-innovation").reset_index()


def changed(frame, name, rows, value):
    d = frame.copy()
    d[name] = d[name].astype(object)
    d.loc[rows(d), name] = value
    return d


@pytest.mark.parametrize(
    ("name", "rows", "value", "match"),
    [
        (
            "cluster",
            lambda d: (d["city"] == "Tianjin") & (d["year"] > 2015),
            "Central Plains",
            "city .Tianjin",
        ),
        (
            "primate",
            lambda d: d["city"].isin(["Tianjin", "Tangshan"]),
            1,
            "more than one 1 in a cluster and year",
        ),
        (
            "primate",
            lambda d: (d["city"] == "Tianjin") & (d["year"] == 2010),
            1,
            "Beijing-Tianjin-Hebei 2010.;",
        ),
        ("stage", lambda d: (d["city"] == "Tianjin") & (d["year"] == 2010), 2, "column.* stage.*cluster"),
        ("structure", lambda d: d["city"] == "Tianjin", 1, "column.* structure.*cluster"),
        (
            "city_zh",
            lambda d: (d["city"] == "Tianjin") & (d["year"] == 2010),
            "天津",
            "city_zh.*city .Tianjin",
        ),
        ("cluster_zh", lambda d: d["city"] == "Tianjin", "中原", "cluster_zh.*cluster"),
        ("port_distance", lambda d: (d["city"] == "Tianjin") & (d["year"] == 2010), 400.0, "port_distance"),
        ("cluster_gdp", lambda d: d["city"] == "Tianjin", 7.0, "cluster_gdp.*cluster and year"),
        ("hightech_firms", lambda d: (d["city"] == "Tianjin") & (d["year"] == 2010), 7, "hightech_firms"),
    ],
)
def test_what_is_one_in_a_group(shipped, name, rows, value, match):
    with pytest.raises(DataError, match=match):
        load(changed(shipped, name, rows, value))


def test_a_treatment_date_that_moves():
    d = rb.load("information-consumption").reset_index()
    d.loc[(d["city"] == "Hangzhou") & (d["year"] > 2015), "demonstration_year"] += 1
    with pytest.raises(DataError, match=r"demonstration_year: more than one value in a city \(Hangzhou\)"):
        rb.load("information-consumption", d, required=["gdp"], allow_gaps=True)


@pytest.mark.parametrize(
    ("name", "rows", "factor", "match"),
    [
        ("gdp", lambda d: d["year"] < 2012, 1e-4, "in 2012 the typical value is 10,.00 times"),
        ("gdp", lambda d: d["year"] == 2012, 1e4, "in 2012 .* in 2013"),
        ("population", lambda d: d["year"] >= 2015, 1e4, "in 2015"),
        ("urban", lambda d: d["year"] >= 2015, 0.01, "in 2015 the typical value is 1/9"),
        (
            "gdp",
            lambda d: d["city"] == "Hangzhou",
            1e4,
            "the typical value of Hangzhou is .* that of the next place",
        ),
        (
            "gdp",
            lambda d: d["city"].isin(["Hangzhou", "Ningbo"]),
            1e-4,
            "the typical value of .*Hangzhou.* next place",
        ),
        ("gdp", lambda d: (d["city"] == "Hangzhou") & (d["year"] > 2015), 1e-4, "jumps .*Hangzhou 2016: 1/"),
        (
            "gdp",
            lambda d: (d["city"] == "Hangzhou") & (d["year"] == 2015),
            1e4,
            "Hangzhou 2015: .* Hangzhou 2016: 1/",
        ),
        ("fiscal_exp", lambda d: d["cluster"] == "Central Plains", 1e-4, "the typical value of"),
        ("area", lambda d: d["year"] >= 2020, 100, "in 2020"),
        ("green", lambda d: d["year"] >= 2020, 0.01, "in 2020"),
    ],
)
def test_units_by_year_and_by_place(shipped, name, rows, factor, match):
    d = shipped[["city", "year", "cluster", name]].astype({name: float})
    d.loc[rows(d), name] *= factor
    with pytest.warns(DataWarning, match=f"Column {name}: .*{match}"):
        load(d, name)


# --- 11 messages by cause ----------------------------------------------------------------------------


def short(error):
    text = str(error)
    assert len(text) < 4000 and len(text.splitlines()) <= 17, text[:500]
    return text


def in_rows(d, rows, change):
    return pd.concat([d.iloc[[i]].map(change) if i in rows else d.iloc[[i]] for i in range(len(d))])


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (
            lambda d: pd.concat([d, pd.DataFrame([[None] * d.shape[1]], columns=d.columns)]),
            "1 row empty .*: delete",
        ),
        (lambda d: in_rows(d, [3], lambda v: "万元"), "1 row with words where numbers are meant.*'万元'"),
        (
            lambda d: in_rows(d, range(0, 28, 4), lambda v: v if isinstance(v, str) else "—"),
            "7 rows with words where numbers are meant",
        ),
        (lambda d: d.map(lambda v: v if isinstance(v, str) else "x" * 10_000), "x{50}.*…"),
        (lambda d: d.rename(columns=lambda c: c * 300), "columns? missing"),
        (lambda d: d.map(lambda v: v if isinstance(v, str) else f"{v}元"), "not a number|words"),
        (lambda d: d.map(lambda v: v if isinstance(v, str) else -1e9), "beyond the minimum"),
        (lambda d: d.map(lambda v: f"{v} " if isinstance(v, str) else v), "blanks around the text"),
    ],
)
def test_one_cause_is_one_line(shipped, damage, match):
    with pytest.raises(DataError, match=match) as caught:
        load(damage(shipped.head(28).astype(object)))
    short(caught.value)


def test_a_word_for_no_data_is_one_problem(shipped):
    d = shipped.head(28).astype(object)
    d.iloc[5, 10:40] = "…"
    with pytest.raises(
        DataError, match="'…' stands in 30 columns where a number is meant .30 cells; first position 5"
    ) as caught:
        load(d)
    assert len(caught.value.problems) == 1


# --- a panel of no paper -------------------------------------------------------------------------------


def own(**more):
    """Two cities, two years, one number."""
    frame = {
        "city": ["Hangzhou"] * 2 + ["Ningbo"] * 2,
        "year": [2020, 2021] * 2,
        "gdp": ["1", "2", "3", "4.5"],
    }
    return pd.DataFrame(frame | more)


def test_own_panel_needs_unit_and_year_only(tmp_path):
    own().to_csv(tmp_path / "mine.csv", index=False)
    with pytest.warns(DataWarning, match=r"mine.csv: columns .* gdp \(number"):
        panel = rb.load(source=tmp_path / "mine.csv")
    assert panel.index.names == ["city", "year"] and panel.attrs["simulated"] is False
    assert panel["gdp"].tolist() == [1.0, 2.0, 3.0, 4.5]
    provinces = (
        own().rename(columns={"city": "province"}).replace({"Hangzhou": "Zhejiang", "Ningbo": "Jiangsu"})
    )
    with pytest.warns(DataWarning):
        assert rb.load(source=provinces).index.names == ["province", "year"]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (own().rename(columns={"city": "城市"}), "no column city; there are 城市, year, gdp: rename yours"),
        (own(year=[2020, 2020, 2020, 2021]), "there more than once"),
        (own(year=[2020, 2022, 2020, 2021]), "city-year.* absent"),
        (own(year=["2020", "twenty", "2020", "2021"]), "twenty"),
        (own(city=["Hangzhou", "", "Ningbo", "Ningbo"]), "empty"),
        (pd.concat([own()] * 2).assign(year=range(8), gdp=[*"1234567", "about 8"]), r"gdp.*'about 8'"),
    ],
)
def test_own_panel_is_refused(frame, words):
    with pytest.raises(DataError, match=words):
        rb.load(source=frame)


def test_own_panel_names_what_is_no_place_and_takes_no_world():
    several = ["Hangzhou", "Ningbo", "Wenzhou", "Jiaxing"]
    frame = pd.DataFrame({"city": [*several, "Springfield"], "year": [2020] * 5})
    with pytest.warns(DataWarning, match="Springfield"):
        rb.load(source=frame)
    for wrong in ({}, {"source": own(), "world": "trend"}, {"source": own(), "table": "nation"}):
        with pytest.raises(ValueError, match="Give the paper's name|leave one of them out"):
            rb.load(**wrong)
    with pytest.raises(DataError, match="no column income"):
        rb.load(source=own(), required=["income"])
    with pytest.raises(DataError, match="gdp: 1 cell empty"):
        rb.load(source=own(gdp=["1", "", "3", "4"]), required=["gdp"])
