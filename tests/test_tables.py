"""Reading fitted models, and regression tables in four formats."""

import docx
import numpy as np
import openpyxl
import pandas as pd
import pyfixest as pf
import pytest
import statsmodels.formula.api as smf
from linearmodels.iv import IV2SLS
from linearmodels.panel import PanelOLS

import regionbook as rb
from regionbook.tables import model_estimates, regression_table, stars


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product(
        [[f"city {i}" for i in range(20)], range(2008, 2016)], names=["city", "year"]
    )
    frame = pd.DataFrame({"digit": rng.normal(size=160), "gov": rng.normal(size=160)}, index=index)
    frame["z"] = frame["digit"] + rng.normal(size=160)
    frame["inn"] = 0.2 * frame["digit"] + 0.1 * frame["gov"] + rng.normal(size=160)
    return frame


@pytest.fixture(scope="module")
def models(panel):
    flat = panel.reset_index()
    return {
        "within": PanelOLS.from_formula("inn ~ 1 + digit + gov + EntityEffects + TimeEffects", panel).fit(),
        "feols": pf.feols("inn ~ digit + gov | city + year", flat, vcov="iid"),
        "ols": smf.ols("inn ~ digit + gov", flat).fit(),
        "2sls": IV2SLS.from_formula("inn ~ 1 + gov + [digit ~ z]", panel).fit(),
    }


def test_three_libraries_read_alike(models):
    """linearmodels and pyfixest fit the same within regression: the reader must give the same numbers."""
    a, b = model_estimates(models["within"]), model_estimates(models["feols"])
    both = ["digit", "gov"]
    np.testing.assert_allclose(a.frame.loc[both], b.frame.loc[both], rtol=1e-10)
    assert a.nobs == b.nobs == 160
    assert a.r2 == pytest.approx(b.r2, rel=1e-10)  # net of the effects in both
    ols = model_estimates(models["ols"])
    assert ols.frame.loc["_cons", "estimate"] == models["ols"].params["Intercept"]
    assert ols.r2 == models["ols"].rsquared
    assert model_estimates(models["2sls"]).frame.index.tolist() == ["_cons", "gov", "digit"]


def test_what_is_no_fitted_model():
    with pytest.raises(TypeError, match=r"OLS. Call .fit\(\) first"):
        model_estimates(smf.ols("y ~ x", pd.DataFrame({"x": [1.0, 2], "y": [1.0, 2]})))
    with pytest.raises(TypeError, match="Cannot read estimates from dict"):
        model_estimates({})


def test_stars_at_the_borders():
    assert [stars(p) for p in (0.0099, 0.01, 0.0499, 0.05, 0.0999, 0.1)] == ["***", "**", "**", "*", "*", ""]


def test_cells_rows_and_note(models):
    table = regression_table(
        models, fe={"Controls": [True, True, True, False]}, fit={"First-stage F": [None, None, None, 98.7]}
    )
    f = table.frame
    within = models["within"]
    estimate, error = f.loc[("coef", "digit")].iloc[0].split()
    assert estimate.rstrip("*") == f"{within.params['digit']:.4f}"
    assert error == f"({within.std_errors['digit']:.4f})"
    assert f.loc[("fe", "City fixed effects")].tolist() == ["Yes", "Yes", "No", "No"]
    assert f.loc[("fe", "Controls")].tolist() == ["Yes", "Yes", "Yes", "No"]
    assert f.loc[("stats", "N")].tolist() == ["160"] * 4
    assert f.loc[("stats", "R²")].iloc[0] == f.loc[("stats", "R²")].iloc[1] == f"{within.rsquared:.4f}"
    assert f.loc[("stats", "First-stage F")].tolist() == ["", "", "", "98.7000"]
    assert table.note.startswith("Standard errors in brackets. * p < 0.1")
    assert "within" in table.note


def test_options(models):
    table = regression_table(
        [models["within"], models["ols"]], columns=["(a)", "(b)"], lang="zh", labels={"digit": "数字技术"}, se="t",
        stars=False, digits=3, keep=["digit"],
    )  # fmt: skip
    f = table.frame
    assert f.loc["coef"].index.tolist() == ["数字技术"]
    t = models["ols"].tvalues["digit"]
    assert f.loc[("coef", "数字技术")].iloc[1].split() == [
        f"{models['ols'].params['digit']:.3f}",
        f"({t:.3f})",
    ]
    assert f.loc[("fe", "城市固定效应")].tolist() == ["是", "否"]
    assert table.note == "括号内为 t 值；含固定效应各列报告组内 R²。"


def test_labels_from_the_dictionary(models):
    f = regression_table([models["ols"]], labels="city-innovation", lang="zh").frame
    assert "数字技术" in f.loc["coef"].index


def test_notebook_output_is_the_same_each_time(models):
    """Stored notebooks are compared strictly: no random ids."""
    one, two = regression_table(models), regression_table(models)
    assert one._repr_html_() == two._repr_html_()
    assert "<td" in one._repr_html_()
    assert "digit" in repr(one)


def test_latex_word_excel(models, tmp_path):
    table = regression_table(models, labels={"digit": "数字技术"})
    assert r"\toprule" in table.to_latex()
    assert "数字技术" in table.to_latex()
    table.to_word(tmp_path / "t.docx")
    table.to_word(tmp_path / "t.docx")  # again
    cells = [c.text for r in docx.Document(str(tmp_path / "t.docx")).tables[0].rows for c in r.cells]
    assert any("数字技术" in c for c in cells)
    table.to_excel(tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    rows = [[c.value or "" for c in row] for row in sheet.iter_rows()]
    digit = next(i for i, r in enumerate(rows) if r[0] == "数字技术")
    assert rows[digit][1].startswith(f"{models['within'].params['digit']:.4f}")
    assert rows[digit + 1][1] == f"({models['within'].std_errors['digit']:.4f})"


def test_bad_input(models, tmp_path):
    ols = [models["ols"]]
    with pytest.raises(ValueError, match="No models to show"):
        regression_table([])
    with pytest.raises(TypeError, match="Cannot read estimates"):
        regression_table(["text"])
    with pytest.raises(ValueError, match="lang='fr'"):
        regression_table(ols, lang="fr")
    with pytest.raises(ValueError, match="se='z'"):
        regression_table(ols, se="z")
    with pytest.raises(ValueError, match="'Controls' has 2 entries for 1 models"):
        regression_table(ols, fe={"Controls": [True, True]})
    with pytest.raises(ValueError, match="'columns' has 0 entries"):
        regression_table(ols, columns=[])
    table = regression_table(ols)
    with pytest.raises(ValueError, match=r"ends in .docx"):
        table.to_word(tmp_path / "t.doc")
    with pytest.raises(FileNotFoundError, match="No folder"):
        table.to_excel(tmp_path / "nix" / "t.xlsx")


def test_public_name():
    assert rb.tables.regression_table is regression_table


# --- effects, headings, fixed effects ------------------------------------------------------------------


@pytest.fixture(scope="module")
def spatial(panel):
    cities = panel.index.get_level_values("city").unique()
    ring = np.roll(np.eye(20), 1, axis=1)
    w = pd.DataFrame((ring + ring.T) / 2, cities, cities)
    return rb.models.spatial_durbin(panel, "inn ~ digit + gov", w)


def test_effects_of_a_spatial_model_are_three_columns(spatial, models, tmp_path):
    effects = spatial.impacts()
    table = regression_table({"OLS": models["ols"], "SDM": effects}, lang="zh", digits=3)
    assert table.frame.columns.get_level_values(1).tolist() == [
        "OLS",
        *(f"SDM · {kind}" for kind in ("直接效应", "间接效应", "总效应")),
    ]
    cell = table.frame.loc[("coef", "digit")].iloc[2].split()
    row = effects.loc[("digit", "indirect")]
    assert cell == [f"{row['estimate']:.3f}{stars(row['p'])}", f"({row['se']:.3f})"]
    assert table.frame.loc[("stats", "观测值")].tolist() == ["160"] * 4
    alone = regression_table(effects, se="t")
    assert alone.frame.columns.get_level_values(1).tolist() == ["direct", "indirect", "total"]
    assert (
        alone.frame.loc[("coef", "gov")].iloc[0].split()[1] == f"({effects.loc[('gov', 'direct'), 'z']:.4f})"
    )
    alone.to_word(tmp_path / "effects.docx")
    assert (
        "indirect"
        in alone.to_latex(tmp_path / "effects.tex")
        == (tmp_path / "effects.tex").read_text(encoding="utf-8")
    )
    with pytest.raises(ValueError, match=r"effects.txt: give a file name that ends in .tex"):
        alone.to_latex(tmp_path / "effects.txt")


def test_a_frame_that_is_no_table_of_effects_is_no_model(panel):
    with pytest.raises(TypeError, match="DataFrame"):
        regression_table([panel])


def test_effects_without_their_n_and_an_unknown_language_are_said(spatial):
    effects = spatial.impacts()
    with pytest.raises(ValueError, match="lang='fr'"):
        regression_table(effects, lang="fr")
    effects.attrs.clear()
    with pytest.raises(TypeError, match="give fit.impacts\\(\\) itself"):
        regression_table(effects)


@pytest.mark.parametrize(
    ("columns", "heads"),
    [(["(1)", "(2)"], [["(1)", "(2)"]]), (["(1) OLS", "(2) FE"], [["OLS", "FE"], ["(1)", "(2)"]])],
)
def test_numbers_of_columns_stand_once(models, columns, heads):
    frame = regression_table([models["ols"], models["feols"]], columns=columns).frame
    levels = [frame.columns.get_level_values(i).tolist() for i in range(frame.columns.nlevels)]
    assert [level for level in levels if level != ["inn", "inn"]] == heads


def test_fixed_effects_take_labels(panel):
    flat = panel.reset_index().assign(region=lambda d: d["city"].str[-1])
    models = [pf.feols("inn ~ digit | city + region^year", flat, vcov="iid")]
    rows = lambda **k: regression_table(models, **k).frame.loc["fe"].index.tolist()  # noqa: E731
    assert rows() == ["City fixed effects", "Region–Year fixed effects"]
    assert rows(labels={"city": "Prefecture", "region^year": "Region-by-year fixed effects"}) == [
        "Prefecture fixed effects",
        "Region-by-year fixed effects",
    ]
    assert rows(lang="zh") == ["城市固定效应", "Region–年份固定效应"]


def test_results_show_themselves_in_a_few_lines(spatial, panel):
    """A console prints what a notebook shows, no wall of arrays."""
    flat = panel.reset_index()
    weights = rb.index.entropy_index(flat[["digit", "gov", "z"]].rank())
    for result in (spatial, weights, rb.models.kleibergen_paap(flat, "digit", ["z"], ["gov"], ["city"])):
        text = repr(result)
        assert text == result.summary and 2 <= len(text.splitlines()) <= 20 and len(text) < 2_000
    assert "W_digit" in repr(spatial) and "160 = 20 units × 8" in repr(spatial)
