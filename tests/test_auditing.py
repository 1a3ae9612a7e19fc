"""The audit finds every arithmetic slip that the notes on the papers list, and no more than it can explain."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import regionbook as rb
from regionbook.auditing import CHECKS, Paper, number
from regionbook.auditing.rounding import t_range, with_slack
from regionbook.data import DataError, papers
from regionbook.paths import data_file

HERE = Path(__file__).parent / "data"
LISTED = pd.read_csv(HERE / "section9.csv", dtype=str, keep_default_na=False)
FURTHER = pd.read_csv(HERE / "audit_further.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def findings():
    return rb.audit()


def matching(findings, wanted):
    f = findings[
        (findings["slug"] == wanted.slug)
        & (findings["kind"] == wanted.kind)
        & (findings["table"] == wanted.table)
    ]
    if wanted.column:
        f = f[f["column"].str.split(", ").map(lambda parts: wanted.column in parts)]
    if wanted.term:
        f = f[f["term"] == wanted.term]
    return list(f.index)


def test_every_findable_anomaly_is_found(findings):
    findable = LISTED[LISTED["findable"] == "yes"]
    missed = [tuple(r) for r in findable.itertuples(index=False) if not matching(findings, r)]
    assert missed == []
    assert len(findable) == 103
    assert LISTED.loc[LISTED["findable"] == "no", "why"].ne("").all()


def test_nothing_else_is_reported(findings):
    """Each finding is listed in the notes on the papers or explained in audit_further.csv: no false alarm."""
    explained = [i for table in (LISTED[LISTED["findable"] == "yes"], FURTHER) for r in table.itertuples(index=False)
                 for i in matching(findings, r)]  # fmt: skip
    rest = findings.drop(index=explained)
    assert rest.empty, rest.to_string()
    assert all(matching(findings, r) for r in FURTHER.itertuples(index=False))


def test_robust_first_stages_are_no_contradiction():
    """R² of first stages may differ by more than their robust t allow: by telephones F is 17 robust, 345 conventional."""
    import pyfixest as pf

    listed = rb.published("city-innovation").inconsistent
    assert not (listed["term"].eq("R2") & listed["column"].isin(["1", "3"])).any()
    assert "first-stage twins" not in set(rb.audit("city-innovation")["kind"])
    controls = " + ".join(rb.papers.city_innovation.CONTROLS)
    m = pf.feols(f"digit ~ IV_2 + {controls} | city + year", rb.prepare("city-innovation").reset_index())
    squared = [m.vcov(kind).tstat()["IV_2"] ** 2 for kind in ("hetero", "iid")]
    assert squared == pytest.approx([17.35, 344.9], rel=1e-3)


def test_right_critical_values():
    """With t(30) all stars of a paper with 31 clusters are right; the normal law would fault fourteen cells."""
    assert "stars" not in set(rb.audit("factor-innovation")["kind"])


def test_sums_that_hold_raise_nothing():
    """Direct + indirect = total, EFFCH x TECHCH = TFPCH (68 products) hold within rounding."""
    assert "sum" not in set(rb.audit("digital-real-integration")["kind"])
    assert rb.audit("equipment-tfp").empty


def test_one_paper_and_a_changed_one():
    p = rb.published("knowledge-flows")
    assert len(rb.audit(p)) == len(rb.audit("knowledge-flows")) == 4
    e = p.estimates.copy()
    at = e.index[(e["table"] == "1") & (e["column"] == "4")][0]
    e.loc[at, "stars"] = "*"
    changed = rb.audit(replace(p, estimates=e))
    new = changed[(changed["kind"] == "stars") & (changed["table"] == "1")]
    assert new[["column", "printed", "expected"]].to_numpy().tolist() == [["4", "*", "***"]]


def changed(slug, file, where, column, text):
    """A paper with one printed number changed."""
    p = rb.published(slug)
    frame = getattr(p, file).copy()
    rows = frame.index[frame[list(where)].eq(pd.Series(where)).all(axis=1)]
    assert len(rows) == 1
    frame.loc[rows[0], f"{column}_text"] = text
    frame.loc[rows[0], column] = float(text)
    return replace(p, **{file: frame})


@pytest.mark.parametrize(
    ("slug", "file", "where", "column", "text", "kind"),
    [
        ("ai-innovation", "estimates", {"table": "2", "column": "6", "term": "AI"}, "paren", "-5.59", "sign"),
        ("ai-innovation", "fit", {"table": "2", "column": "6", "stat": "R2"}, "value", "1.854", "range"),
        ("information-consumption", "fit", {"table": "1", "column": "1", "stat": "adj_R2"}, "value", "0.99", "range"),
        ("city-innovation", "fit", {"table": "6", "column": "1", "stat": "N"}, "value", "2745", "n"),
        ("city-innovation", "descriptives", {"variable": "ent"}, "mean", "0.9581", "moments"),
        ("city-innovation", "descriptives", {"variable": "ent"}, "sd", "0.4766", "moments"),
        ("city-innovation", "fit", {"table": "4", "column": "3", "stat": "Kleibergen-Paap rk Wald F"}, "value", "174.390",
         "first stage"),
        ("city-innovation", "fit", {"table": "4", "column": "3", "stat": "Kleibergen-Paap rk LM"}, "p_value", "0.0105",
         "p value"),
        ("digital-real-integration", "estimates", {"table": "6", "column": "3", "term": "lnDE"}, "estimate", "2.748", "sum"),
        ("factor-innovation", "estimates", {"table": "6", "column": "2", "term": "ID"}, "estimate", "0.317", "mediation"),
        ("equipment-tfp", "other", {"table": "2", "row": "2002-2003", "column": "TFPCH"}, "value", "1.317", "product"),
    ],
)  # fmt: skip
def test_a_planted_slip_is_found(slug, file, where, column, text, kind):
    before = rb.audit(slug)
    after = rb.audit(changed(slug, file, where, column, text))
    new = after.merge(before, how="left", indicator=True).query("_merge == 'left_only'")
    assert kind in set(new["kind"])


def test_rounding():
    n = number("0.0020")
    assert (n.low, n.high) == pytest.approx((0.00195, 0.00205))
    assert number("1.90e+7").half == pytest.approx(5e4)
    assert t_range(number("0.0010"), number("0.0002"), "se") == pytest.approx(
        (0.00095 / 0.00025, 0.00105 / 0.00015)
    )
    assert with_slack(lambda a, b: a + b, [number("0.1"), number("0.2")]) == pytest.approx((0.3, 0.1))


def test_every_check_runs_on_every_paper_and_says_what_it_does():
    for check in CHECKS:
        assert check.__doc__
    for slug in papers().index:
        paper = Paper(rb.published(slug))
        for check in CHECKS:
            for f in check(paper):
                assert f.table
                assert f.printed
                assert f.message


def test_bad_input():
    with pytest.raises(ValueError, match="Unknown paper 'nix'"):
        rb.audit("nix")
    with pytest.raises(TypeError, match="not int"):
        rb.audit(3)


# --- a table that a user typed -----------------------------------------------------------------------


def template(kind):
    return data_file("published", f"template.{kind}.csv")


def test_the_templates_pass_as_they_are():
    assert rb.audit(**{kind: template(kind) for kind in ("estimates", "fit", "descriptives")}).empty


def test_slips_in_a_typed_table_are_found(tmp_path):
    own = {kind: pd.read_csv(template(kind), dtype=str) for kind in ("estimates", "fit", "descriptives")}
    own["estimates"].loc[0, "stars"] = "*"
    own["fit"].loc[0, "value"] = "2745"
    own["descriptives"].loc[0, "sd"] = "0.9"
    found = rb.audit(**own)
    assert set(zip(found["file"], found["kind"], found["term"], strict=True)) >= {
        ("estimates", "stars", "digital"),
        ("fit", "n", "N"),
        ("descriptives", "moments", "innovation"),
    }
    for kind, frame in own.items():
        frame.to_csv(tmp_path / f"{kind}.csv", index=False)
    pd.testing.assert_frame_equal(rb.audit(**{kind: tmp_path / f"{kind}.csv" for kind in own}), found)


def test_a_few_columns_are_enough_and_numbers_may_be_numbers():
    row = {"column": 1, "term": "x", "estimate": 0.031, "paren": 0.0021, "paren_kind": "se", "stars": "*"}
    assert rb.audit(estimates=pd.DataFrame([row]))["expected"].tolist() == ["***"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda e: e.rename(columns={"estimate": "estimat"}),
            r"estimate missing.*\n.*unknown: estimat \('estimat': 'estimate'",
        ),
        (lambda e: e.assign(stars="†"), "row 2, column stars: '†' is none of"),
        (lambda e: e.assign(estimate="0.1x"), "row 2, column estimate: '0.1x' is not a number"),
        (lambda e: e.assign(paren_kind=""), "column paren_kind: empty beside a number in brackets"),
        (lambda e: pd.concat([e, e]), "stands there before"),
    ],
)
def test_a_typed_table_that_does_not_fit(change, message):
    with pytest.raises(DataError, match=message):
        rb.audit(estimates=change(pd.read_csv(template("estimates"), dtype=str)))


def test_a_paper_or_own_tables():
    with pytest.raises(ValueError, match="give a paper, or tables of your own, not both"):
        rb.audit("city-innovation", fit=template("fit"))
