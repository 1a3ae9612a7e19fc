"""Printed against own numbers: verdicts at their borders, records, and the scorecard."""

import json
import math
import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from linearmodels.panel import PanelOLS

import regionbook as rb
from regionbook.comparison import MARKS, MIME, RULES, printed_cells, recorded, scorecard, targets
from regionbook.comparison.marks import Number, judge, printed_error
from regionbook.comparison.printed import _everything
from regionbook.comparison.table import _TINTS
from regionbook.data import decimals, papers
from regionbook.paths import data_file

CITY, INDUSTRY = "city-innovation", "industry-agglomeration"
FACTOR, FLOWS = "factor-innovation", "knowledge-flows"


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
        "descriptives": 60, "estimates": 54, "fit": 42, "indicators": 25, "other": 75,
    }  # fmt: skip


def test_printed_t_values_and_panels_are_kept_apart():
    cells = printed_cells("digital-real-integration")
    east = cells[cells["column"] == "East 1"]
    assert east["printed"].tolist() == [0.427]


def test_numbers_printed_twice_are_counted_once():
    """Each repetition has the value of the number that it repeats, and rho of an SDM stands in one file only."""
    repeated = pd.read_csv(data_file("published", "repeats.csv"), dtype=str)
    for r in repeated.itertuples(index=False):
        cells = _everything(r.slug).set_index(["file", "table", "column", "term"])
        one, other = cells.loc[(r.file, r.table, r.column, r.term)], cells.loc[tuple(r.again.split("|"))]
        digits = min(decimals(one.printed_text), decimals(other.printed_text))
        assert abs(one.printed) == pytest.approx(abs(other.printed), abs=0.5001 * 10.0**-digits), r
        assert one.repeats and not other.repeats, r
    left = pd.concat({s: printed_cells(s) for s in papers().index}, names=["slug"]).reset_index("slug")
    rho = left[left["term"].str.contains("rho") & left["file"].eq("fit")]
    assert rho.empty
    digits = left["printed_text"].str.replace("[-.]", "", regex=True).str.lstrip("0").str.len()
    same = left[(digits >= 3) & left["file"].isin(["estimates", "fit"])]
    twice = same[same.duplicated(["slug", "table", "panel", "column", "printed_text"], keep=False)]
    assert (
        not twice.groupby(["slug", "table", "panel", "column", "printed_text"])["file"].nunique().gt(1).any()
    )


# --- what the calibration was set to -----------------------------------------------------------------


@pytest.mark.parametrize(("slug", "n"), [(CITY, 113), (INDUSTRY, 67), (FACTOR, 348), (FLOWS, 43)])
def test_every_target_of_the_truth_file_is_a_printed_number(slug, n):
    found = targets(slug)
    assert len(found) == len(rb.truth(slug)["targets"]) == n
    assert found["cell"].notna().all(), found[found["cell"].isna()]
    assert found["cell"].is_unique
    cells = _everything(slug).loc[found["cell"]]
    assert cells["imposed"].all()
    # the truth file rescales weights so that each period adds to 100
    printed = np.array([t["printed"] for t in rb.truth(slug)["targets"]])
    scale = np.where(cells["file"].eq("indicators"), 0.005, 1e-9)
    assert (np.abs(printed - cells["printed"].to_numpy()) <= scale * np.abs(printed) + 1e-9).all()


def test_papers_without_a_panel_have_nothing_imposed():
    for slug in papers().index:
        with_panel = (
            CITY,
            INDUSTRY,
            FACTOR,
            FLOWS,
            "information-consumption",
            "ai-innovation",
            "free-trade-zones",
            "digital-real-integration",
            "equipment-tfp",
            "yangtze-openness",
            "green-growth",
        )
        assert printed_cells(slug)["imposed"].any() == (slug in with_panel), slug


def test_free_numbers_of_a_truth_file_are_no_targets():
    cells = printed_cells("information-consumption").set_index(["file", "table", "column", "term"])["imposed"]
    assert cells["estimates", "1", "2", "reform"] and cells["fit", "1", "2", "R2"]
    assert not cells["estimates", "3", "2", "reform"] and not cells["fit", "1", "2", "N"]


def test_free_numbers_of_the_tables():
    """What nothing was set to: little is left beside sample sizes."""
    free = {}
    for slug in (CITY, INDUSTRY, FACTOR, FLOWS):
        cells = printed_cells(slug)
        cells = cells[~cells["imposed"] & ~cells["rule"].isin(["count", "code"]) & cells["file"].ne("other")]
        free[slug] = cells["rule"].value_counts().to_dict()
    assert free == {
        CITY: {"estimate": 4, "r2": 4, "kp": 2, "digits": 2},
        INDUSTRY: {"r2": 1},
        FACTOR: {"estimate": 4},
        FLOWS: {"r2": 22},
    }


# --- rules and marks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("b", "se", "mark", "reason"),
    [
        (0.0999, 0.0020, "imposed", ""),
        (0.1038, 0.0020, "imposed", ""),  # 1.95 printed errors away
        (0.1040, 0.0020, "close", "2.05 printed standard errors away"),
        (0.1249, 0.0020, "differs", "12.50 printed standard errors away"),
        (0.0999, 0.0025, "imposed", ""),
        (0.0999, 0.0026, "close", "standard error 1.30 of the printed one"),
        (0.0999, 0.0900, "differs", "no stars against ***; standard error 45.00 of the printed one"),
        (-0.0999, 0.0020, "differs", "other sign; 99.90 printed standard errors away"),
        (math.nan, 0.0020, "differs", "our value is not a finite number"),
    ],
)
def test_coefficient(b, se, mark, reason):
    c = rb.compare(CITY, 3, {"2": {"digit": (b, se)}})
    cell = verdict(c, "2", "digit")
    assert (cell["mark"], cell["reason"], cell["imposed"]) == (mark, reason, True)


def test_close_is_no_wider_than_half_of_the_number():
    """The constant of Table 5 (2) is printed as 2.0942 (0.3768)."""
    for b, mark in ((1.2, "close"), (1.0, "differs")):  # 2.4 and 2.9 printed errors away
        assert (
            verdict(rb.compare(CITY, 5, {"2": {"_cons": (b, 0.3768, 0.001)}}), "2", "_cons")["mark"] == mark
        )


def test_your_own_data_are_not_calibrated():
    c = rb.compare(CITY, 3, {"2": {"digit": (0.0999, 0.0020)}}, calibrated=False)
    assert verdict(c, "2", "digit")["mark"] == "free_reproduced"
    assert "Calibrated" not in c._repr_html_()


def test_p_value_decides_the_stars_where_it_is_given():
    """** against *** is the same class at 5 %, * is not."""
    for p, mark, reason in ((0.04, "close", "** against ***"), (0.06, "differs", "* against ***")):
        cell = verdict(rb.compare(CITY, 3, {"2": {"digit": (0.0999, 0.0020, p)}}), "2", "digit")
        assert (cell["mark"], cell["reason"]) == (mark, reason)


def test_brackets_with_t_values():
    """ai-innovation prints t: 0.2720 (5.59) has a standard error of 0.0487."""
    c = rb.compare("ai-innovation", 2, {"6": {"AI": (0.36, 0.05)}}, calibrated=False)
    cell = verdict(c, "6", "AI")
    assert cell["within_2se"] is True and cell["mark"] == "free_reproduced"
    assert cell["se_ratio"] == pytest.approx(0.05 * 5.59 / 0.2720)
    assert cell["own_shown"] == "0.3600*** (7.20)"
    cell = verdict(rb.compare("ai-innovation", 2, {"6": {"AI": (0.28, 0.08)}}, calibrated=False), "6", "AI")
    assert (
        cell["mark"] == "close" and cell["reason"] == "standard error 1.64 of the printed one, printed as t"
    )


def _cell(**other):
    usual = {"rule": "estimate", "printed": 0.01, "printed_text": "0.0100", "stars": "***", "imposed": False}
    usual |= {"inconsistent": "", "not_computable": "", "low": math.nan, "high": math.nan}
    bracket = {"printed_paren": 0.001, "paren_text": "0.001", "paren_kind": "se"}
    return SimpleNamespace(**(usual | bracket | other))


def test_the_rounding_of_the_bracket_is_allowed_for():
    """0.001 stands for 0.0005 to 0.0015: errors from 0.75 of the one to 1.25 of the other agree."""
    assert printed_error(_cell()) == pytest.approx((0.0005, 0.001, 0.0015), rel=1e-6)
    for se, mark in ((0.0004, "free_reproduced"), (0.0018, "free_reproduced"), (0.0019, "close")):
        assert judge(_cell(), Number(0.01, se, 0.001))["mark"] == mark
    by_p = _cell(printed_paren=0.046, paren_text="0.046", paren_kind="p", stars="**")
    assert printed_error(by_p)[1] == pytest.approx(0.01 / 1.9954, rel=1e-4)
    assert math.isnan(printed_error(_cell(printed_paren=math.nan, paren_text="", paren_kind=""))[1])


def test_a_model_tells_the_kind_of_its_errors(model):
    robust = model.model.fit(cov_type="HC1")
    c = rb.compare(CITY, 3, {"2": robust}, names={"np.log(density)": "ln density"})
    cell = verdict(c, "2", "digit")
    assert cell["errors"] == "HC1" and "(ours: HC1)" in verdict(c, "2", "ln density")["reason"]


@pytest.mark.parametrize(
    ("column", "stat", "value", "mark"),
    [
        ("2", "N", 2744, "count"),
        ("2", "N", 2743, "differs"),
        ("1", "Kleibergen-Paap rk Wald F", 29.7, "free_reproduced"),  # printed 23.823
        ("1", "Kleibergen-Paap rk Wald F", 29.8, "close"),
        ("1", "Kleibergen-Paap rk Wald F", 11.9, "differs"),
        ("3", "Kleibergen-Paap rk Wald F", 17.4, "imposed"),
        ("1", "Stock-Yogo 10% critical value", 16.38, "free_reproduced"),
        ("1", "Stock-Yogo 10% critical value", 16.39, "differs"),
        ("2", "R2", 0.6422, "contradicted"),
    ],
)
def test_fit_statistics(column, stat, value, mark):
    c = rb.compare(CITY, 4, {}, fit={column: {stat: value}})
    assert verdict(c, column, stat)["mark"] == mark


def test_r2():
    for value, mark in ((0.755, "imposed"), (0.756, "close"), (0.81, "differs")):
        assert verdict(rb.compare(CITY, 3, {}, fit={"2": {"R2": value}}), "2", "R2")["mark"] == mark
    c = rb.compare(INDUSTRY, 5, {}, fit={"1": {"R2": 0.0652}})  # 0.0087 printed: near 0 only itself is near
    assert verdict(c, "1", "R2")["mark"] == "differs"


def test_p_of_a_statistic_is_shown():
    c = rb.compare(CITY, 4, {}, fit={"3": {"Kleibergen-Paap rk LM": (13.0, 0.00031)}})
    assert verdict(c, "3", "Kleibergen-Paap rk LM")["own_shown"] == "13.0000 (0.0003)"


def test_what_the_paper_contradicts_stays_apart():
    c = rb.compare(CITY, 4, {"2": {"_cons": (-0.2711, 0.0431)}}, fit={"2": {"R2": 0.6422}})
    assert {m: n for m, n in c.counts.items() if n} == {"contradicted": 2, "not_attempted": 2}
    assert "nearly agree" in verdict(c, "2", "_cons")["reason"]


def test_descriptives():
    """Minimum and maximum are not right anywhere inside the range: inn is printed from 0.0067 to 0.6483."""
    own = pd.DataFrame(
        {"count": [2744], "mean": [0.0620], "std": [0.0600], "min": [0.016], "max": [0.6]}, index=["inn"]
    )
    c = rb.compare(CITY, 2, own)
    got = {k: verdict(c, k, "inn")["mark"] for k in ("n", "mean", "sd", "min", "max")}
    assert got == {"n": "count", "mean": "imposed", "sd": "close", "min": "close", "max": "imposed"}
    far = pd.DataFrame({"min": [0.1], "max": [0.3]}, index=["inn"])
    assert [verdict(rb.compare(CITY, 2, far), k, "inn")["mark"] for k in ("min", "max")] == ["differs"] * 2
    zero = pd.DataFrame({"min": [0.00004]}, index=["digit"])  # printed 0.0000
    assert verdict(rb.compare(CITY, 2, zero), "min", "digit")["mark"] == "imposed"


def test_weights_by_symbol_and_their_dimensions():
    printed = rb.published(CITY).indicators["weight_pct"]
    listed = pd.read_csv(data_file("published", "symbols.csv")).query("slug == @CITY")
    symbols = listed["symbol"]
    own = pd.Series(printed.to_numpy(), index=symbols)
    own["fdi_firms"] += 0.51
    own["papers"] -= 0.49
    own["green"] = 0.03  # 0.0213 printed
    own["hc_ratio"] = 0.0  # 0.0095 printed
    c = rb.compare(CITY, 1, own)
    assert verdict(c, "weight_pct", "创新资源")["own"] == pytest.approx(25.0480 + 0.51)
    marks = c.cells.set_index("term")["mark"]
    terms = {"fdi_firms": "close", "papers": "imposed", "green": "close", "hc_ratio": "differs"}
    names = listed.set_index("symbol")["indicator_en"]
    assert {k: marks[names[k]] for k in terms} == terms
    with pytest.raises(ValueError, match=r"your weights add to 1.*multiply by 100"):
        rb.compare(CITY, 1, own / 100)


def test_weights_of_several_periods():
    periods = ["2003", "2004-2012", "2013-2022", "2023", "2003-2023"]
    cells = printed_cells("factor-innovation").query("table == '3'")
    own = cells.pivot(index="term", columns="column", values="printed")
    own.loc["of no table"] = float("nan")  # empty here, empty there
    own.loc["value added of the primary sector", "weight_pct 2023"] += 0.6
    c = rb.compare("factor-innovation", 3, own)
    assert {m: n for m, n in c.counts.items() if n} == {"imposed": 14, "close": 1}
    assert set(c.cells["column"]) == {f"weight_pct {p}" for p in periods}
    with pytest.raises(ValueError, match=r"expected some of \['weight_pct 2003-2023'"):
        rb.compare("factor-innovation", 3, own.set_axis(range(5), axis=1))


def test_each_rule_is_told():
    told = rb.rules()
    used = set().union(*(printed_cells(s)["rule"] for s in papers().index))
    assert set(told.index) == set(RULES) == used | {"arithmetic"}
    assert told["agrees"].ne("").all() and told["close"].ne("").all()


# --- the text of a paper -----------------------------------------------------------------------------


@pytest.mark.parametrize("slug", [CITY, INDUSTRY, FACTOR, FLOWS])
def test_every_number_of_the_text_is_computed_or_has_a_reason(slug):
    c = rb.compare_text(slug)
    left = c.cells[c.cells["mark"].eq("not_attempted")]
    assert left.empty, left[["table", "column", "term"]]
    assert c.cells.loc[c.cells["mark"].eq("not_computable"), "reason"].ne("").all()
    cells = printed_cells(slug).set_index(["table", "column", "term"])["not_computable"]
    assert not any(cells[r["table"], r["column"], r["term"]] for r in c.records), "computed after all"
    assert len(c.records) == c.cells["own"].notna().sum()


def test_arithmetic_on_print_has_a_narrow_rule():
    """The printed increments of 2023 are 4.77 % of GDP before; 5.25 % growth are printed."""
    cells = rb.compare_text(FACTOR).cells.set_index("term")
    cell = cells.loc["GDP growth, China"]
    assert cell["own"] == pytest.approx(100 * 5.69 / (125.09 - 5.69))
    assert (cell["mark"], cell["reason"]) == ("differs", "not within 3 % (the parts are rounded)")


def test_numbers_from_print_and_from_the_panel():
    cells = rb.compare_text(FLOWS).cells.set_index("term")
    share = cells.loc["hand audit of IPC-only patents"].query("column == 'share unrelated'").iloc[0]
    assert (share["own"], share["source"], share["mark"]) == (92.4, "print", "free_reproduced")
    ratio = cells[cells["column"].eq("2019")].loc["East"]
    assert (ratio["source"], ratio["mark"]) == ("panel", "imposed")


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
    assert verdict(c, "2", "gov")["mark"] == "not_attempted"
    assert set(c.cells["column"]) == {"2"}


def test_notes_explain_what_does_not_agree(model):
    c = rb.compare(
        CITY, 3, {2: model}, notes={"N": "a small sample", ("2", "R2"): "not used"}, fit={"2": {"R2": 0.7}}
    )
    assert verdict(c, "2", "N")["reason"] == "not exactly equal. a small sample"
    assert verdict(c, "2", "R2")["reason"] == verdict(c, "2", "R2")["note"] == ""


def test_declared_columns_are_estimated_as_the_lesson_does_it():
    """A list of columns and, for one of them, the model written out."""
    panel = rb.prepare(INDUSTRY)
    formula = f"rd_personnel ~ 1 + agglomeration + {' + '.join(rb.papers.industry_agglomeration.CONTROLS)}"
    years = panel.assign(period=panel.index.get_level_values("year").astype(str))
    model = PanelOLS.from_formula(f"{formula} + C(period) + EntityEffects", years).fit()
    shown = rb.compare(INDUSTRY, 4, {"1": model}, fit={"1": {"R2": model.rsquared}})
    c = rb.compare(INDUSTRY, 4, ["1", "2"], panel=panel)
    for term in ("agglomeration", "_cons", "R2", "N"):
        assert verdict(c, "1", term)["own"] == pytest.approx(verdict(shown, "1", term)["own"], rel=1e-6)
        assert verdict(c, "1", term)["own_se"] == pytest.approx(
            verdict(shown, "1", term)["own_se"], nan_ok=True
        )
    assert verdict(c, "2", "agglomeration")["errors"] == "iid" and set(c.cells["column"]) == {"1", "2"}


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
        ((CITY, 3, (1,)), {}, "not tuple"),
        ((CITY, 7, ["1", "9"]), {}, "has no column '9' to estimate; its columns are 1, 2, 3, 4"),
        ((CITY, 2, ["1"]), {}, "Table 2 has no column '1' to estimate; no column of it is declared"),
        ((CITY, 3, {"2": "text"}), {}, "Cannot read estimates from str"),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rb.compare(*arguments, **options)


# --- what is shown and recorded ----------------------------------------------------------------------


def test_shown_and_recorded():
    c = rb.compare(CITY, 7, {"1": {"digit": (0.139123456789, 0.006), "digit:stage": (-0.08, 0.005)}})
    bundle = c._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", MIME}
    assert "0.1523*** (0.0082)" in bundle["text/plain"]
    assert "0.1391*** (0.0060)" in bundle["text/html"]
    assert "✗" in bundle["text/html"]
    records = bundle[MIME]
    assert json.loads(json.dumps(records)) == records
    assert [r["term"] for r in records] == ["digit", "digit:stage"]  # only what was attempted
    assert records[0] == {
        "slug": CITY, "table": "7", "column": "1", "term": "digit", "printed": 0.1523, "own": 0.139123,
        "own_paren": 0.006, "own_se": 0.006, "own_p": records[0]["own_p"], "source": "panel", "mark": "close",
    }  # fmt: skip
    cell = verdict(c, "1", "digit")
    assert (cell["sign_ok"], cell["stars_ok"], cell["within_2se"], cell["imposed"]) == (
        True,
        True,
        True,
        True,
    )
    assert cell["se_ratio"] == pytest.approx(0.006 / 0.0082)


def test_captions_say_what_was_imposed_and_the_tolerances():
    c = rb.compare(CITY, 3, {"2": {"digit": (0.0999, 0.002)}}, fit={"2": {"N": 2744, "R2": 0.70}})
    for text in (repr(c), c._repr_html_()):
        assert "2 imposed =, 1 count #" in text
        assert "Calibrated to print: 2 of the 3 numbers compared were imposed." in text
        assert "R² within 0.05 and half of itself" in text and "Kleibergen" not in text
    text = rb.compare_text(FLOWS)._repr_html_()
    assert "free and reproduced ✓" in text and "text 3.1 note 1" in text and len(text) < 12_000


def test_marks_are_told_by_symbol_and_word_and_readable_in_grey():
    symbols, words = zip(*MARKS.values(), strict=True)
    assert len(set(symbols)) == len(set(words)) == len(MARKS)
    for style in _TINTS.values():
        back, front = (
            [int(h[i : i + 2], 16) for i in (0, 2, 4)]
            for h in (x * 2 if len(x) == 3 else x for x in re.findall("#([0-9a-f]+)", style))
        )
        grey = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in (back, front)]
        assert grey[0] - grey[1] > 130


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
    marks = dict.fromkeys(MARKS, 0)
    in_text = {"contradicted": 1, "not_computable": 24}
    assert card["papers"][CITY] == {"printed": 256} | marks | in_text | {
        "imposed": 1, "differs": 1, "contradicted": card["papers"][CITY]["contradicted"],
        "not_attempted": 256 - 2 - 24 - card["papers"][CITY]["contradicted"],
    }  # fmt: skip
    assert sum(p["printed"] for p in card["papers"].values()) == len(card["cells"])
    assert set(card["cells"][0]) == {
        "slug", "file", "rule", "table", "column", "term", "printed", "printed_paren", "own", "own_paren", "own_se",
        "own_p", "errors", "source", "sign_ok", "stars_ok", "within_2se", "se_ratio", "imposed", "mark", "reason",
    }  # fmt: skip
    table = scorecard(chapters=tmp_path)
    assert list(table) == ["printed", *MARKS] and list(table)[1] == "free_reproduced"
    assert table.loc[CITY].tolist() == list(card["papers"][CITY].values())


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
    for cell in card["cells"]:
        assert cell["mark"] != "free_reproduced" or not cell["imposed"]
    for slug in (CITY, INDUSTRY, FACTOR, FLOWS):
        assert card["papers"][slug]["not_attempted"] == 0, slug


def test_lessons_show_the_marks_that_the_scorecard_counts():
    """A rule or a list of the paper that changed since the lesson was executed asks for `sync`."""
    told = {(c["slug"], c["table"], c["column"], c["term"]): c for c in rb.scorecard(json=True)["cells"]}
    for notebook, entry in recorded():
        cell = told[entry["slug"], entry["table"], entry["column"], entry["term"]]
        assert cell["mark"] == entry["mark"], (
            f"{notebook}: {entry['table']}, {entry['column']}, {entry['term']}"
        )


def test_a_wide_table_fits_a_laptop():
    """Eleven columns with brackets on the same line would be cut off; two columns need no second line."""
    wide = rb.compare("factor-innovation", 5, {}, fit={str(c): {"N": 341} for c in range(1, 12)})
    narrow = rb.compare(CITY, 3, {}, fit={"2": {"N": 2744}})
    assert "0.333***<br>(0.051)<br>" in wide._repr_html_() and "font-size:90%" in wide._repr_html_()
    assert "0.0999*** (0.0020)<br>" in narrow._repr_html_() and "font-size:90%;t" not in narrow._repr_html_()
