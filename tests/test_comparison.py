"""Printed against own numbers: verdicts at their borders, records, and the scorecard."""

import json
import math

import nbformat
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import regionbook as rb
from regionbook.comparison import MIME, printed_cells, recorded, scorecard
from regionbook.data import papers
from regionbook.paths import data_file

CITY = "city-innovation"


def verdict(comparison, column, term):
    cells = comparison.cells
    return cells[(cells["column"] == column) & (cells["term"] == term)].iloc[0]


# --- printed numbers ---------------------------------------------------------------------------------


def test_every_printed_number_has_one_name():
    for slug in papers().index:
        cells = printed_cells(slug)
        assert not cells.duplicated(["table", "column", "term"]).any(), slug
        assert cells["printed"].notna().all(), slug


def test_counts_of_city_innovation():
    cells = printed_cells(CITY)
    assert cells["file"].value_counts().to_dict() == {
        "descriptives": 60, "estimates": 54, "fit": 42, "indicators": 25, "other": 5,
    }  # fmt: skip
    listed = cells[cells["inconsistent"].ne("")]
    assert set(zip(listed["table"], listed["column"], listed["term"], strict=True)) == {
        ("4", "1", "R2"), ("4", "3", "R2"), ("4", "2", "_cons"), ("4", "4", "_cons"), ("4", "2", "R2"),
        ("4", "4", "R2"), ("1", "weight_pct", "知识创造"),
    }  # fmt: skip


def test_printed_t_values_and_panels_are_kept_apart():
    cells = printed_cells("digital-real-integration")
    east = cells[cells["column"] == "East 东部地区: 1"]
    assert east["printed"].tolist() == [0.427]


# --- verdicts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("b", "se", "status", "reason"),
    [
        (0.0999, 0.0020, "reproduced", ""),
        (0.1038, 0.0020, "reproduced", ""),  # 1.95 printed errors away
        (0.1040, 0.0020, "differs", "2.05 printed standard errors away"),
        (0.0999, 0.0900, "differs", "no stars against ***"),
        (-0.0999, 0.0020, "differs", "other sign; 99.90 printed standard errors away"),
        (math.nan, 0.0020, "differs", "our value is not a finite number"),
    ],
)
def test_coefficient(b, se, status, reason):
    c = rb.compare(CITY, 3, {"2": {"digit": (b, se)}})
    cell = verdict(c, "2", "digit")
    assert cell["status"] == status
    assert cell["reason"] == reason


def test_p_value_decides_the_stars_where_it_is_given():
    c = rb.compare(CITY, 3, {"2": {"digit": (0.0999, 0.0020, 0.04)}})
    assert verdict(c, "2", "digit")["reason"] == "** against ***"


def test_brackets_with_t_values():
    """ai-innovation prints t: 0.2720 (5.59) has a standard error of 0.0487."""
    c = rb.compare("ai-innovation", 2, {"6": {"AI": (0.36, 0.05)}})
    cell = verdict(c, "6", "AI")
    assert cell["within_2se"] is True
    assert cell["own_shown"] == "0.3600*** (7.20)"
    assert (
        verdict(rb.compare("ai-innovation", 2, {"6": {"AI": (0.38, 0.05)}}), "6", "AI")["status"] == "differs"
    )


@pytest.mark.parametrize(
    ("column", "stat", "value", "status"),
    [
        ("2", "N", 2744, "paper"),
        ("1", "Kleibergen-Paap rk Wald F", 47.6, "reproduced"),
        ("1", "Kleibergen-Paap rk Wald F", 47.7, "differs"),
        ("1", "Kleibergen-Paap rk Wald F", 11.9, "differs"),
        ("1", "Stock-Yogo 10% critical value", 16.38, "reproduced"),
        ("1", "Stock-Yogo 10% critical value", 16.3801, "differs"),
    ],
)
def test_fit_statistics(column, stat, value, status):
    c = rb.compare(CITY, 4, {}, fit={column: {stat: value}})
    assert verdict(c, column, stat)["status"] == ("reproduced" if status == "paper" else status)


def test_r2_and_n():
    c = rb.compare(CITY, 3, {}, fit={"2": {"R2": 0.755, "N": 2743}})
    assert verdict(c, "2", "R2")["status"] == "reproduced"
    assert verdict(c, "2", "N")["reason"] == "not exactly equal"
    assert verdict(rb.compare(CITY, 3, {}, fit={"2": {"R2": 0.756}}), "2", "R2")["status"] == "differs"


def test_p_of_a_statistic_is_shown():
    c = rb.compare(CITY, 4, {}, fit={"3": {"Kleibergen-Paap rk LM": (13.0, 0.00031)}})
    assert verdict(c, "3", "Kleibergen-Paap rk LM")["own_shown"] == "13.0000 (0.0003)"


def test_what_the_paper_contradicts_stays_apart():
    c = rb.compare(CITY, 4, {"2": {"_cons": (-0.2711, 0.0431)}}, fit={"2": {"R2": 0.6422}})
    assert c.counts == {"reproduced": 0, "differs": 0, "paper_inconsistent": 2, "not_attempted": 2}
    assert "nearly agree" in verdict(c, "2", "_cons")["reason"]


def test_descriptives():
    own = pd.DataFrame(
        {"count": [2744], "mean": [0.0620], "std": [0.0600], "min": [0.0], "max": [0.5]}, index=["inn"]
    )
    c = rb.compare(CITY, 2, own)
    got = {k: verdict(c, k, "inn")["status"] for k in ("n", "mean", "sd", "min", "max")}
    assert got == {
        "n": "reproduced",
        "mean": "reproduced",
        "sd": "differs",
        "min": "differs",
        "max": "reproduced",
    }
    assert set(c.cells["status"]) == {"reproduced", "differs", "not_attempted"}
    zero = pd.DataFrame({"min": [0.00004]}, index=["digit"])  # printed 0.0000
    assert verdict(rb.compare(CITY, 2, zero), "min", "digit")["status"] == "reproduced"


def test_weights_by_symbol_and_their_dimensions():
    printed = rb.published(CITY).indicators["weight_pct"]
    symbols = pd.read_csv(data_file("published", "symbols.csv"))["symbol"]
    own = pd.Series(printed.to_numpy(), index=symbols)
    own["fdi_firms"] += 0.51
    own["papers"] -= 0.49
    c = rb.compare(CITY, 1, own)
    assert c.counts == {"reproduced": 27, "differs": 2, "paper_inconsistent": 1, "not_attempted": 0}
    assert verdict(c, "weight_pct", "创新资源")["own"] == pytest.approx(25.0480 + 0.51)
    with pytest.raises(ValueError, match=r"your weights add to 1.*multiply by 100"):
        rb.compare(CITY, 1, own / 100)


def test_weights_of_several_periods():
    periods = ["2003", "2004-2012", "2013-2022", "2023", "2003-2023"]
    cells = rb.comparison.printed_cells("factor-innovation").query("table == '3'")
    own = cells.pivot(index="term", columns="column", values="printed")
    own.loc["of no table"] = float("nan")  # empty here, empty there
    own.loc["value added of the primary sector", "weight_pct 2023"] += 0.6
    c = rb.compare("factor-innovation", 3, own)
    assert c.counts == {"reproduced": 14, "differs": 1, "paper_inconsistent": 0, "not_attempted": 0}
    assert set(c.cells["column"]) == {f"weight_pct {p}" for p in periods}
    with pytest.raises(ValueError, match=r"expected some of \['weight_pct 2003-2023'"):
        rb.compare("factor-innovation", 3, own.set_axis(range(5), axis=1))


# --- models ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"digit": rng.normal(size=500), "density": rng.uniform(1, 2, 500), "other": rng.normal(size=500)}
    )
    frame["inn"] = 0.1 * frame["digit"] + rng.normal(size=500) * 0.02
    return smf.ols("inn ~ digit + np.log(density) + other", frame).fit()


def test_model_names_columns_and_n(model):
    c = rb.compare(CITY, 3, {"ours": model}, columns={"ours": "2"}, names={"np.log(density)": "ln density"})
    assert verdict(c, "2", "digit")["own"] == model.params["digit"]
    assert verdict(c, "2", "ln density")["own_paren"] == model.bse["np.log(density)"]
    assert verdict(c, "2", "N")["own"] == 500
    assert "other" not in set(c.cells["term"])  # a regressor that the paper does not print
    assert verdict(c, "2", "gov")["status"] == "not_attempted"
    assert set(c.cells["column"]) == {"2"}


def test_notes_explain_what_differs(model):
    c = rb.compare(CITY, 3, {2: model}, notes={"N": "a small sample", ("2", "digit"): "not used"})
    assert verdict(c, "2", "N")["reason"] == "not exactly equal. a small sample"
    assert (
        "not used" not in verdict(c, "2", "digit")["reason"]
        or verdict(c, "2", "digit")["status"] == "differs"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("nix", 3, {}), {}, "Unknown paper"),
        ((CITY, 9, {}), {}, r"city-innovation has no table '9'; its tables are 1, 2, 3, 4, 5, 6, 7"),
        ((CITY, 3, {"8": {"digit": (1, 1)}}), {}, r"no column '8'; its columns are 1, 2"),
        ((CITY, 3, {"2": {"digits": (1, 1)}}), {}, r"prints no 'digits' in 2. Its terms are digit, gov"),
        ((CITY, 3, {"2": {"digit": 1}}), {}, r"'digit': give \(estimate, standard error\)"),
        ((CITY, 3, {}), {"fit": {"2": {"R3": 1}}}, "prints no 'R3' in 2"),
        ((CITY, 3, {}), {"notes": {"digits": "why"}}, "prints no 'digits' in any column"),
        ((CITY, 3, {"2": {"d": (1, 1)}}), {"names": {"d": "dig"}}, "prints no 'dig'"),
        ((CITY, 2, pd.DataFrame({"mean": [1.0]}, index=["nix"])), {}, "prints no 'nix' in mean"),
        ((CITY, 2, pd.DataFrame({"median": [1.0]}, index=["inn"])), {}, r"expected some of \['n', 'mean'"),
        ((CITY, 1, pd.Series({"nix": 100.0})), {}, "prints no 'nix'"),
        ((CITY, 3, {}), {}, "no number to compare. Give a model for one of the columns 1, 2"),
        ((CITY, 3, [1]), {}, "not list"),
        ((CITY, 3, {"2": "text"}), {}, "Cannot read estimates from str"),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rb.compare(*arguments, **options)


# --- what is shown and recorded ----------------------------------------------------------------------


def test_shown_and_recorded():
    c = rb.compare(CITY, 7, {"1": {"digit": (0.139123456789, 0.006), "digit:stage": (-0.05, 0.005)}})
    bundle = c._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", MIME}
    assert "0.1523*** (0.0082)" in bundle["text/plain"]
    assert "0.1391*** (0.0060)" in bundle["text/html"]
    assert "✗" in bundle["text/html"]
    records = bundle[MIME]
    assert json.loads(json.dumps(records)) == records
    assert [r["term"] for r in records] == ["digit", "digit:stage"]  # only what was attempted
    assert records[0] == {
        "slug": CITY, "table": "7", "column": "1", "term": "digit", "printed": 0.1523, "printed_paren": 0.0082,
        "own": 0.139123, "own_paren": 0.006, "sign_ok": True, "stars_ok": True, "within_2se": True,
        "status": "reproduced", "reason": "",
    }  # fmt: skip


def lesson(folder, name, *comparisons):
    cells = [
        nbformat.v4.new_code_cell(
            "rb.compare(...)",
            outputs=[nbformat.v4.new_output("execute_result", c._repr_mimebundle_(), execution_count=1)],
        )
        for c in comparisons
    ]
    path = folder / "01-city-innovation" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text"), *cells]), path)


def test_scorecard_counts_what_lessons_recorded(tmp_path):
    good = rb.compare(CITY, 3, {"2": {"digit": (0.1, 0.002), "gov": (3.0, 0.5)}})
    lesson(tmp_path, "1-index", good)
    lesson(tmp_path, "2-regressions", good, rb.compare(CITY, 4, {}, fit={"4": {"R2": 0.5}}))
    assert len(recorded(tmp_path)) == 5
    card = scorecard(json=True, chapters=tmp_path)
    assert json.loads(json.dumps(card)) == card
    assert list(card["papers"]) == list(papers().index)
    assert card["papers"][CITY] == {
        "printed": 186, "reproduced": 1, "differs": 1, "paper_inconsistent": 7, "not_attempted": 177,
    }  # fmt: skip
    assert sum(p["printed"] for p in card["papers"].values()) == len(card["cells"])
    assert set(card["cells"][0]) == {
        "slug", "table", "column", "term", "printed", "printed_paren", "own", "own_paren", "sign_ok", "stars_ok",
        "within_2se", "status", "reason",
    }  # fmt: skip
    table = scorecard(chapters=tmp_path)
    assert table.loc[CITY].tolist() == [186, 1, 1, 7, 177]


def test_conflicting_records_are_an_error(tmp_path):
    lesson(tmp_path, "1-a", rb.compare(CITY, 3, {"2": {"digit": (0.1, 0.002)}}))
    lesson(tmp_path, "2-b", rb.compare(CITY, 3, {"2": {"digit": (0.2, 0.002)}}))
    with pytest.raises(ValueError, match=r"digit is recorded as 0.1 .*1-a.ipynb.*0.2.*2-b.ipynb"):
        scorecard(chapters=tmp_path)


def test_records_of_numbers_that_are_not_printed(tmp_path):
    c = rb.compare(CITY, 3, {"2": {"digit": (0.1, 0.002)}})
    for change, message in (
        ({"printed": 0.5}, "older than the data"),
        ({"term": "nix"}, "no printed number"),
    ):
        bundle = c._repr_mimebundle_()
        bundle[MIME] = [{**bundle[MIME][0], **change}]
        output = nbformat.v4.new_output("display_data", bundle)
        (tmp_path / "01-x").mkdir(exist_ok=True)
        cell = nbformat.v4.new_code_cell("", outputs=[output])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "01-x" / "1.ipynb")
        with pytest.raises(ValueError, match=message):
            scorecard(chapters=tmp_path)


def test_scorecard_of_the_shipped_lessons():
    card = rb.scorecard(json=True)
    for slug, counts in card["papers"].items():
        assert counts["printed"] == len(printed_cells(slug))
        assert counts["printed"] == sum(v for k, v in counts.items() if k != "printed")


def test_a_wide_table_fits_a_laptop():
    """Eleven columns with brackets on the same line would be cut off; two columns need no second line."""
    wide = rb.compare("factor-innovation", 5, {}, fit={str(c): {"N": 341} for c in range(1, 12)})
    narrow = rb.compare(CITY, 3, {}, fit={"2": {"N": 2744}})
    assert "0.333***<br>(0.051)<br>" in wide._repr_html_() and "font-size:90%" in wide._repr_html_()
    assert "0.0999*** (0.0020)<br>" in narrow._repr_html_() and "font-size:90%;t" not in narrow._repr_html_()
