"""Published figures, teaching panels, and the user's own file."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import regionbook as rb
from regionbook.data import DataError, DataWarning, decimals, papers, read_published, schema
from regionbook.paths import DATA

SLUGS = list(papers().index)


# --- published ---------------------------------------------------------------------------------------


def test_all_papers_load():
    assert len(SLUGS) == 14
    for slug in SLUGS:
        p = rb.published(slug)
        assert p.slug == slug
        assert p.citation["title_zh"]
        assert p.citation["year"] in ("2025", "2026")
        assert len(p.other) > 0
        assert {f.name for f in (DATA / "published" / slug).glob("*.csv")} <= {
            f"{k}.csv"
            for k in [
                "estimates",
                "fit",
                "descriptives",
                "indicators",
                "other",
                "inconsistent",
                "not_computable",
            ]
        }


def test_numbers_keep_their_print():
    e = rb.published("city-innovation").estimates
    row = e[(e["table"] == "4") & (e["term"] == "IV_1")].iloc[0]
    assert (row["estimate"], row["estimate_text"], row["paren_text"]) == (-0.001, "-0.0010", "0.0002")
    assert decimals(row["estimate_text"]) == 4
    assert decimals("1.90e+7") == 2
    f = rb.published("city-innovation").fit
    words = f[f["stat"] == "city_FE"]
    assert words["value"].isna().all()
    assert set(words["value_text"]) == {"yes", "no"}


def test_missing_file_gives_an_empty_frame_with_columns():
    p = rb.published("equipment-tfp")
    assert p.estimates.empty
    assert {"table", "term", "estimate", "estimate_text"} <= set(p.estimates.columns)


def test_published_is_a_copy():
    estimates = rb.published("city-innovation").estimates
    estimates["estimate"] = 0.0
    assert rb.published("city-innovation").estimates["estimate"].abs().sum() > 1


def test_published_shows_its_citation():
    p = rb.published("city-innovation")
    assert "汤凯" in p._repr_html_()
    assert "Tang Kai" in repr(p)


def test_unknown_paper_lists_the_slugs():
    with pytest.raises(
        ValueError, match=r"Unknown paper 'city-inovation'.*Did you mean 'city-innovation'.*green-growth"
    ):
        rb.published("city-inovation")
    for call in (rb.load, rb.truth, rb.notice):
        with pytest.raises(ValueError, match="Unknown paper"):
            call("nix")


HEAD = "table,panel,column,column_label,sample,outcome,term,estimate,paren,paren_kind,stars,note\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("3,,1,a,s,y,x,0.1x,0.01,se,*,\n", r"row 2, column estimate: '0.1x' is not a number"),
        ("3,,1,a,s,y,x,0.1,0.01,se,****,\n", r"row 2, column stars: '\*\*\*\*' is none of"),
        ("3,,1,a,s,y,x,0.1,0.01,sd,*,\n", r"row 2, column paren_kind: 'sd' is none of"),
        ("3,,1,a,s,y,x,0.1,0.01,se,*,\n3,,1,a,s,y,x,0.2,0.01,se,*,\n", r"row 3.*stands there before"),
        ("3,,1,a,s,y,x,0.1,0.01,,*,\n", r"row 2, column paren_kind: empty"),
    ],
)
def test_broken_file_names_file_row_and_column(tmp_path, body, message):
    path = tmp_path / "paper" / "estimates.csv"
    path.parent.mkdir()
    path.write_text(HEAD + body, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_published(path, "estimates")
    assert caught.value.where == "paper/estimates.csv"


def test_wrong_columns_are_named(tmp_path):
    path = tmp_path / "fit.csv"
    path.write_text("table,column\n3,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"columns are \['table', 'column'\], expected"):
        read_published(path, "fit")


# --- teaching panel ----------------------------------------------------------------------------------


def test_shipped_panel():
    panel = rb.load("city-innovation")
    assert panel.index.names == ["city", "year"]
    assert panel.shape[0] == 196 * 14
    assert panel.index.is_unique
    assert panel.attrs == {"slug": "city-innovation", "simulated": True, "source": "shipped"}
    assert panel["code"].is_monotonic_increasing
    assert panel.loc[("Beijing", slice(2010, 2012)), "gdp"].shape == (3,)  # the index can be sliced
    assert panel.loc[(slice(None), 2010), :].shape[0] == 196
    assert list(panel.columns) == [
        c for c in rb.columns("city-innovation")["column"] if c not in ("city", "year")
    ]


def test_shipped_panel_passes_its_own_schema():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = rb.load("city-innovation", DATA / "teaching" / "city-innovation.csv")
    shipped = rb.load("city-innovation")
    assert own.attrs["simulated"] is False
    pd.testing.assert_frame_equal(own, shipped, check_dtype=False)


def test_truth_and_notice():
    assert isinstance(rb.truth("city-innovation"), dict)
    note = rb.notice("city-innovation")
    assert "not evidence" in repr(note)
    assert "Do not cite" in note._repr_html_()


def test_no_panel_yet():
    with pytest.raises(
        FileNotFoundError, match=r"No teaching panel for 'energy-carbon' yet.*city-innovation"
    ):
        rb.load("energy-carbon")


def test_options_of_own_data_need_a_source():
    with pytest.raises(ValueError, match="pass `source`"):
        rb.load("city-innovation", allow_gaps=True)


# --- own data, on a small schema ---------------------------------------------------------------------

SCHEMA = """column,label_en,label_zh,unit,role,dtype,minimum,maximum,published,note
code,code,代码,,key,int,100000,999999,,
city,city,城市,,key,str,,,,
year,year,年份,,key,int,1978,2100,,
gdp,gross product,地区生产总值,"10,000 yuan",total,float,0,,,
share,share,比重,%,indicator,float,0,100,,
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A teaching panel of two cities and three years, in a data folder of its own."""
    (tmp_path / "teaching").mkdir()
    frame = pd.DataFrame(
        {
            "code": [110000] * 3 + [120000] * 3,
            "city": ["Beijing"] * 3 + ["Tianjin"] * 3,
            "year": [2008, 2009, 2010] * 2,
            "gdp": [1.5, 2.5, 3.5, 1.0, 2.0, 3.0],
            "share": [10.0, 20, 30, 40, 50, 60],
        }
    )
    frame.to_csv(tmp_path / "teaching" / "city-innovation.csv", index=False)
    (tmp_path / "teaching" / "city-innovation.columns.csv").write_text(SCHEMA, encoding="utf-8")
    (tmp_path / "teaching" / "city-innovation.truth.json").write_text(json.dumps({"beta": 1}))
    real = schema.data_file
    monkeypatch.setattr(
        schema,
        "data_file",
        lambda *parts: tmp_path.joinpath(*parts) if parts[0] == "teaching" else real(*parts),
    )
    return frame


def load(source, **options):
    return rb.load("city-innovation", source, **options)


def write(frame, path):
    {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".xlsx": lambda: frame.to_excel(path, index=False),
        ".dta": lambda: frame.to_stata(path, write_index=False),
        ".parquet": lambda: frame.to_parquet(path, index=False),
    }[path.suffix]()
    return path


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".dta", ".parquet"])
def test_every_format_gives_the_same_panel(toy, tmp_path, ending):
    shuffled = toy.sample(frac=1, random_state=1).assign(extra=[f"note {i}" for i in range(6)])
    panel = load(write(shuffled, tmp_path / f"my{ending}"))
    expected = rb.load("city-innovation")
    pd.testing.assert_frame_equal(panel[expected.columns], expected, check_dtype=False)
    assert panel["extra"].iloc[0].startswith("note")
    assert panel.attrs["source"] == f"my{ending}"


def test_a_frame_indexed_by_city_and_year_is_fine(toy):
    assert load(toy.set_index(["city", "year"])).shape == (6, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8(toy, tmp_path, encoding):
    path = tmp_path / "my.csv"
    toy.replace({"Beijing": "北京", "Tianjin": "天津"}).to_csv(path, index=False, encoding=encoding)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(path).index.get_level_values("city")[0] == "北京"


def test_gb18030_is_read_and_said(toy, tmp_path):
    path = tmp_path / "my.csv"
    toy.replace({"Beijing": "北京", "Tianjin": "天津"}).to_csv(path, index=False, encoding="gb18030")
    with pytest.warns(DataWarning, match="my.csv is not UTF-8; it was read as GB18030"):
        assert load(path).index.get_level_values("city")[0] == "北京"


def broken(toy, **cells):
    """The toy as text, with cells replaced: column=(row from 0, text)."""
    frame = toy.astype(str)
    for column, (row, text) in cells.items():
        frame.loc[row, column] = text
    return frame


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            {"gdp": (1, "2,500")},
            r"column gdp: 1 cell not a number \(row 3: '2,500'\); write numbers without thousands",
        ),
        ({"gdp": (1, "n.a.")}, r"column gdp: 1 cell not a number \(row 3: 'n.a.'\)"),
        ({"gdp": (4, "")}, r"column gdp: 1 cell empty \(row 6\): fill it in, or name only the columns"),
        ({"gdp": (4, "-3")}, r"column gdp: 1 value beyond the minimum of 0 \(10,000 yuan\) \(row 6: -3\)"),
        ({"share": (0, "119.4")}, r"column share: 1 value beyond the maximum of 100 % \(row 2: 119.4\)"),
        ({"year": (0, "2008.5")}, r"column year: 1 cell not a whole number \(row 2: '2008.5'\)"),
        ({"year": (0, "2009")}, r"1 city-year there more than once \(row 3: Beijing 2009\): keep one row"),
        (
            {"year": (0, "2008年")},
            r"column year: 1 cell not a number \(row 2: '2008年'\); write the year as a whole",
        ),
        ({"city": (2, "Tianjin ")}, r"column city: blanks around the text \(row 4: 'Tianjin '\)"),
        ({"code": (5, "12")}, r"column code: 1 value beyond the minimum of 100000"),
        ({"city": (5, "")}, r"column city: 1 cell empty \(row 7\): fill it in$"),
    ],
)
def test_bad_cells_are_named(toy, tmp_path, cells, message):
    with pytest.raises(DataError, match=message):
        load(write(broken(toy, **cells), tmp_path / "my.csv"))


def test_all_problems_at_once(toy, tmp_path):
    frame = broken(toy, gdp=(0, "x"), share=(1, "200")).drop(columns="code")
    with pytest.raises(DataError) as caught:
        load(write(frame, tmp_path / "my.csv"))
    assert len(caught.value.problems) == 3
    assert str(caught.value).startswith("my.csv: 3 problems.")


def test_long_lists_are_cut_and_counted(toy, tmp_path):
    frame = pd.concat([toy] * 3, ignore_index=True).assign(gdp="x")
    with pytest.raises(DataError, match=r"18 cells not a number \(row 2: 'x', .*row 6: 'x', and 13 more\)"):
        load(write(frame, tmp_path / "my.csv"))


def test_missing_columns_suggest_yours(toy, tmp_path):
    frame = toy.rename(columns={"gdp": "GDP", "share": "比重", "code": "city_code"})
    with pytest.raises(DataError) as caught:
        load(write(frame, tmp_path / "my.csv"))
    message = str(caught.value)
    assert "gdp — gross product [10,000 yuan] (yours: 'GDP'?)" in message
    assert "(yours: '比重'?)" in message
    assert "(yours: 'city_code'?)" in message


def test_required_columns_only(toy, tmp_path):
    path = write(toy.drop(columns=["share", "code"]), tmp_path / "my.csv")
    assert list(load(path, required=["gdp"]).columns) == ["gdp"]
    with pytest.raises(
        ValueError, match=r"`required` names \['gpd'\], .*\('gpd': 'gdp'\?\); rb.columns lists them"
    ):
        load(path, required=["gpd"])


def test_empty_cells_beyond_the_required_are_kept_and_said(toy, tmp_path):
    path = write(broken(toy, share=(0, "")), tmp_path / "my.csv")
    with pytest.warns(DataWarning, match=r"column share: 1 cell empty \(row 2\); kept as missing"):
        assert np.isnan(load(path, required=["gdp"])["share"].iloc[0])


def test_gaps(toy, tmp_path):
    path = write(toy.drop(index=4), tmp_path / "my.csv")
    with pytest.raises(DataError, match=r"1 city-year absent \(Tianjin 2009\).*allow_gaps=True"):
        load(path)
    assert len(load(path, allow_gaps=True)) == 5


def test_unit_slip_is_pointed_at(toy, tmp_path):
    with pytest.warns(
        DataWarning, match=r"Column gdp: your median is 2.25e\+04.*Check that yours is in 10,000 yuan"
    ):
        panel = load(write(toy.assign(gdp=toy["gdp"] * 1e4), tmp_path / "my.csv"))
    assert panel["gdp"].max() == 3.5e4  # nothing was changed


@pytest.mark.parametrize("factor", [100, 0.01, 45, 0.02])
def test_a_per_cent_for_a_share_is_pointed_at(toy, tmp_path, factor):
    """Own data are not the teaching panel's, so a slip by a hundred may look like one by forty-five."""
    frame = toy.assign(gdp=toy["gdp"] * factor)
    with pytest.warns(DataWarning, match="Column gdp: your median is"):
        load(write(frame, tmp_path / "my.csv"))


@pytest.mark.parametrize("ending", [".xlsx", ".dta", ".parquet"])
def test_files_of_another_kind_than_they_say(toy, tmp_path, ending):
    toy.to_csv(tmp_path / f"my{ending}", index=False)
    with pytest.raises(
        DataError, match=rf"cannot be read as {ending} \(.*\): open it in its program and save it"
    ):
        load(tmp_path / f"my{ending}")


@pytest.mark.parametrize("source", [5, [1, 2], {"gdp": [1]}])
def test_sources_that_are_none(toy, source):
    with pytest.raises(ValueError, match=rf"`source` is a {type(source).__name__}: give the path of a .csv"):
        load(source)


def test_chinese_headings_are_recognised_and_can_be_renamed_at_once(toy):
    schema = rb.columns("city-innovation")
    own = toy.rename(columns=dict(zip(schema["column"], schema["label_zh"], strict=True)))
    with pytest.raises(DataError, match=r"Your headings are the dictionary's Chinese labels: .*\.rename\("):
        load(own)
    named = own.rename(columns=dict(zip(schema["label_zh"], schema["column"], strict=True)))
    pd.testing.assert_frame_equal(load(named), rb.load("city-innovation"))


def test_a_title_above_the_header(toy, tmp_path):
    path = tmp_path / "my.csv"
    path.write_text("Table 1,,,,\n" + toy.to_csv(index=False), encoding="utf-8")
    with pytest.raises(
        DataError, match=r"No heading is known; yours are 'Table 1', .*: the header has to be row 1"
    ):
        load(path)


def test_files_that_are_no_tables(toy, tmp_path):
    with pytest.raises(FileNotFoundError, match="No file"):
        load(tmp_path / "nix.csv")
    (tmp_path / "my.txt").write_text("a")
    with pytest.raises(ValueError, match=r"Cannot read my.txt: give a .csv, .xlsx, .dta or .parquet"):
        load(tmp_path / "my.txt")
    (tmp_path / "semi.csv").write_text("city;year;gdp\nBeijing;2008;1\n")
    with pytest.raises(DataError, match="separate the columns by commas"):
        load(tmp_path / "semi.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match="is empty"):
        load(tmp_path / "empty.csv")
    (tmp_path / "head.csv").write_text("city,year\n")
    with pytest.raises(DataError, match="no rows"):
        load(tmp_path / "head.csv")
    for body in ("Beijing,2008,1,2\nTianjin,2008,1,2,3\n", "Beijing,2008,1\nTianjin,2008,1\n"):
        (tmp_path / "ragged.csv").write_text("city,year\n" + body)
        with pytest.raises(DataError, match="no regular table"):
            load(tmp_path / "ragged.csv")
    (tmp_path / "binary.csv").write_bytes(bytes([0xFF, 0x00, 0x81, 0xFF]))
    with pytest.raises(DataError, match="neither UTF-8 nor GB18030"):
        load(tmp_path / "binary.csv")
    with pd.ExcelWriter(tmp_path / "two.xlsx") as book:
        toy.to_excel(book, sheet_name="a", index=False)
        toy.to_excel(book, sheet_name="b", index=False)
    with pytest.raises(DataError, match=r"2 filled sheets \(a, b\)"):
        load(tmp_path / "two.xlsx")


def test_twice_the_same_column(toy):
    with pytest.raises(DataError, match="column 'gdp' stands there 2 times"):
        load(pd.concat([toy, toy[["gdp"]]], axis=1))
