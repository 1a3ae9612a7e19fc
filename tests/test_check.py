"""`rb.check`: right, wrong and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from regionbook.exercises import check as module
from regionbook.exercises.check import NotYet, Right, answer, check, registered

WEIGHTS = pd.Series({"internet": 0.3783, "telecom": 0.2152, "staff": 0.4065})


@pytest.fixture(autouse=True)
def own_answers(monkeypatch):
    """An empty registry, so that the tests' exercises stay among themselves."""
    monkeypatch.setattr(module, "_answers", {})
    monkeypatch.setattr(module, "_right", {})


def register(right, **settings):
    answer("city-innovation/9-test/x", **settings)(lambda: right)


def said(given) -> str:
    with pytest.raises(NotYet) as caught:
        check("city-innovation/9-test/x", given)
    return str(caught.value)


@pytest.mark.parametrize("given", [0.0312, 0.03121, np.float64(0.0312), np.float32(0.0312)])
def test_right_number(given):
    register(0.0312)
    result = check("city-innovation/9-test/x", given)
    assert result == Right("city-innovation/9-test/x")
    assert "✓ right" in repr(result) and "✓ right" in result._repr_html_()


def test_rounding_is_right_where_decimals_are_asked_for():
    register(0.0312, decimals=3)
    assert check("city-innovation/9-test/x", 0.031)
    assert "0.0312" not in said(0.032)


@pytest.mark.parametrize(
    ("right", "given", "words"),
    [
        (0.0312, -0.0312, "sign"),
        (0.0312, 3.12, "too large by a factor of a hundred"),
        (3.12, 0.0312, "too small by a factor of a hundred: a share is not a per cent"),
        (0.0312, -3.12, "sign is wrong too"),
        (52.4, 524000.0, "ten thousand (万)"),
        (52.4, 0.0524, "a thousand"),
        (52.4, 52.4e8, "亿"),
        (52.4, np.log(52.4), "logarithm; the level"),
        (52.4, np.log10(52.4), "base 10"),
        (52.4, np.log1p(52.4), "ln(1 + x)"),
        (3.5, np.exp(3.5), "that is the level; the logarithm"),
        (3.5, 3.5**2, "square (a variance"),
        (3.5, 3.5**0.5, "square root"),
        (0.27, 0.73, "one minus it"),
        (0.27, 1 / 0.27, "one divided by it"),
        (0.031247, 0.031, "more digits"),
        (0.0312, 0.5, "look at the sample"),
        (0.0312, float("nan"), "nan"),
        (0.0312, float("inf"), "inf"),
        (0.0312, None, "nothing is filled in"),
        (0.0312, ..., "nothing is filled in"),
        (0.0312, "0.0312", "quotation marks"),
        (0.0312, True, "a number is asked for"),
        (0.0312, pd.Series([0.0312]), "one number is asked for, you gave a Series of 1"),
        (0.0312, [0.0312, 1], "a list of 2"),
        (0.0312, np.array([0.0312]), "a ndarray of 1"),
        (0.0312, 0.0312j, "a number is asked for"),
    ],
)
def test_wrong_number(right, given, words):
    register(right)
    message = said(given)
    assert words in message
    assert str(right) not in message.replace(str(given), "")  # never the answer itself


def test_whole_numbers_are_exact():
    register(196)
    assert check("city-innovation/9-test/x", 196.0)
    assert "look at the sample" in said(195)
    assert "look at the sample" in said(196.1)


def test_zero_has_no_factors():
    register(0.0, decimals=2)
    assert check("city-innovation/9-test/x", 0.004)
    assert "look at the sample" in said(0.5)


def test_a_model_is_not_a_number():
    register(0.0312)

    class Result:
        params = WEIGHTS

    assert "m.params" in said(Result())


def test_usual_mistakes_come_first_and_hints_last():
    register(
        0.5,
        mistakes={"That is its standard error.": lambda: 0.05, "no more than the answer": lambda: 0.5},
        hint="Mind the two fixed effects.",
        unit="yuan per person",
    )
    assert "standard error" in said(0.05)
    assert "fixed effects" in said(0.123)
    assert "yuan per person" in said(50.0)
    assert check("city-innovation/9-test/x", 0.5)


def test_right_series_in_any_order_and_as_dict():
    register(WEIGHTS)
    assert check("city-innovation/9-test/x", WEIGHTS[::-1])
    assert check("city-innovation/9-test/x", WEIGHTS.to_dict())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (WEIGHTS * 100, "too large by a factor of a hundred"),
        (-WEIGHTS, "sign"),
        (WEIGHTS.drop("staff"), "1 of 3 names are missing, such as 'staff'"),
        (WEIGHTS.rename({"staff": "people"}), "'people' does not belong"),
        (pd.concat([WEIGHTS, pd.Series({"x": 1.0})]), "too many"),
        (pd.concat([WEIGHTS, WEIGHTS]), "twice"),
        (WEIGHTS.where(WEIGHTS > 0.3), "missing or infinite, such as that of 'telecom'"),
        (pd.Series(WEIGHTS.to_numpy()[::-1], WEIGHTS.index), "beside the wrong names"),
        (WEIGHTS.round(2), "right as far as they go"),
        (WEIGHTS * [1.0015, 1, 1], "1 of 3 values differ"),
        (WEIGHTS + [0.1, 0, 0], "1 of 3 values differ, such as that of 'internet'"),
        (WEIGHTS.astype(str), "numbers are asked for"),
        (WEIGHTS.to_list(), "with their names"),
        (WEIGHTS.to_frame("w"), "table['w']"),
        (0.3783, "with their names"),
    ],
)
def test_wrong_series(given, words):
    register(WEIGHTS)
    assert words in said(given)


def test_series_up_to_scale_and_centre():
    scores = pd.Series(np.random.default_rng(1).normal(size=10))
    register(scores)
    assert "normalisation" in said((scores - scores.mean()) / scores.std())
    register_missing = scores.where(scores > 0)
    module._answers.clear()
    register(register_missing)
    assert check("city-innovation/9-test/x", register_missing)
    assert "cannot be computed" in said(scores)


def test_series_mistakes():
    register(WEIGHTS, mistakes={"These are the weights of the first year only.": lambda: WEIGHTS**1.5})
    assert "first year only" in said(WEIGHTS**1.5)


def test_frame():
    table = pd.DataFrame({"mean": [1.0, 2.0], "sd": [0.5, 0.7]}, index=["digit", "gov"])
    register(table)
    assert check("city-innovation/9-test/x", table[["sd", "mean"]].iloc[::-1])
    assert "column 'sd': that is its square" in said(table.assign(sd=table["sd"] ** 2))
    assert "columns are missing, such as 'sd'" in said(table[["mean"]])
    assert "rows are missing, such as 'gov'" in said(table.iloc[:1])
    assert "a table (data frame)" in said(table["sd"])


def test_choice():
    register("between cities", options=["between cities", "within cities"])
    assert check("city-innovation/9-test/x", " Between  Cities ")
    assert "think again" in said("within cities")
    assert "one of: between cities, within cities" in said("neither")
    assert "a text is asked for" in said(3)


def test_usual_mistakes_of_a_choice():
    register(
        "Urumqi", options=["Urumqi", "Wuhan"], mistakes={"That is the largest residual.": lambda: "Wuhan"}
    )
    assert "largest residual" in said("wuhan")


def test_yes_or_no():
    register(True)
    assert check("city-innovation/9-test/x", np.True_)
    assert "think again" in said(False)
    assert "True or False" in said("yes")
    assert "True or False" in said(1)


def test_names():
    register({"Shenzhen", "Beijing"})
    assert check("city-innovation/9-test/x", ["beijing", "Shenzhen"])
    assert check("city-innovation/9-test/x", pd.Index(["Beijing", "Shenzhen"]))
    assert "of 2 names 1 are missing, and 1 of yours do not belong" in said(["Beijing", "Wuhan"])
    assert "twice" in said(["Beijing", "Beijing"])
    assert "a list of names" in said("Beijing")
    assert "contains 3" in said(["Beijing", 3])


def test_ranking():
    register(["Shenzhen", "Beijing", "Wuhan"])
    assert check("city-innovation/9-test/x", ["Shenzhen", "Beijing", "Wuhan"])
    assert "another order: yours is turned round" in said(["Wuhan", "Beijing", "Shenzhen"])
    assert "another order." in said(["Beijing", "Shenzhen", "Wuhan"])


def test_own_data_are_judged_as_they_are():
    answer("city-innovation/9-test/x")(lambda panel: panel["digit"].mean())
    panel = pd.DataFrame({"digit": [1.0, 3.0]})
    assert check("city-innovation/9-test/x", 2.0, panel)
    with pytest.raises(ValueError, match="cannot be computed from this panel"):
        check("city-innovation/9-test/x", 2.0, panel.rename(columns={"digit": "x"}))
    with pytest.raises(ValueError, match="data frame that rb.personal gave"):
        check("city-innovation/9-test/x", 2.0, [1, 2])


def test_a_personal_panel_is_judged_untouched(monkeypatch):
    shipped = pd.DataFrame({"digit": [1.0, 3.0]})
    panels = {"": shipped, "20260001": shipped * 5}
    calls = []

    def personal(slug, student=""):
        calls.append((slug, student))
        panel = panels[student].copy()
        panel.attrs.update(slug=slug, student=student, simulated=True)
        return panel

    monkeypatch.setattr(module, "personal", personal)

    @answer("city-innovation/9-test/mean")
    def mean(panel):
        return panel["digit"].mean()

    panel = personal("city-innovation", "20260001")
    panel["digit"] = 0.0  # whatever a student did to it
    assert check("city-innovation/9-test/mean", 10.0, panel)
    assert check("city-innovation/9-test/mean", 2.0)
    with pytest.raises(NotYet):
        check("city-innovation/9-test/mean", 2.0, panel)
    assert calls.count(("city-innovation", "20260001")) == 2  # one of them by the test itself


def test_unknown_exercise():
    register(1)
    with pytest.raises(ValueError, match="no exercise 'city-innovation/9-test/y'; is it one of: .*9-test/x"):
        check("city-innovation/9-test/y", 1)
    with pytest.raises(ValueError, match="no exercises for 'no-such-paper'"):
        check("no-such-paper/1/x", 1)


def test_bad_registration():
    with pytest.raises(ValueError, match="slug/lesson/name"):
        answer("beta")
    register(1)

    def other():
        return 2

    with pytest.raises(ValueError, match="two answers"):
        answer("city-innovation/9-test/x")(other)


def test_a_notebook_shows_one_line():
    error = NotYet("Not yet: the sign is not.")
    assert error._render_traceback_() == ["✗ Not yet: the sign is not."]
    assert isinstance(error, AssertionError)


def test_registry_of_a_package(tmp_path, monkeypatch):
    """Answers may be spread over one module a lesson."""
    import regionbook.exercises as package

    folder = tmp_path / "two_lessons"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    text = (
        "from regionbook.exercises.check import answer\n@answer('two-lessons/{0}/n')\ndef n(): return {0}\n"
    )
    (folder / "first.py").write_text(text.format(1))
    (folder / "second.py").write_text(text.format(2))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    assert registered("two-lessons") == ["two-lessons/1/n", "two-lessons/2/n"]
    assert check("two-lessons/2/n", 2)
