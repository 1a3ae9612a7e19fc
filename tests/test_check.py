"""`rb.check`: right, wrong and why, by an open key and by a sealed one; which key belongs to which panel."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from regionbook.exercises import check as module
from regionbook.exercises import judge, keys, record, seal
from regionbook.exercises.check import NotYet, Right, check
from regionbook.exercises.keys import Key

NAME = "city-innovation/9-test/x"
WEIGHTS = pd.Series({"internet": 0.3783, "telecom": 0.2152, "staff": 0.4065})


def key_of(right, mistakes=None, **settings) -> Key:
    wrongs = tuple((message, keys.plain(wrong)) for message, wrong in (mistakes or {}).items())
    return Key(NAME, keys.plain(right), mistakes=wrongs, **settings)


def said(key: Key, given) -> str:
    fault = judge.judge(key, given)
    return fault.text if fault else ""


# ----------------------------------------------------------------------------------------------------- by an open key


@pytest.mark.parametrize("given", [0.0312, 0.03121, np.float64(0.0312), np.float32(0.0312)])
def test_right_number(given):
    assert not said(key_of(0.0312), given)


def test_rounding_is_right_where_decimals_are_asked_for():
    assert not said(key_of(0.0312, decimals=3), 0.031)
    assert "0.0312" not in said(key_of(0.0312, decimals=3), 0.032)


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
    message = said(key_of(right), given)
    assert words in message
    assert str(right) not in message.replace(str(given), "")  # never the answer itself


def test_whole_numbers_are_exact():
    assert not said(key_of(196), 196.0)
    assert said(key_of(196), 195) == said(key_of(196), 196.1) == judge.LOOK


def test_zero_has_no_factors():
    assert not said(key_of(0.0, decimals=2), 0.004)
    assert "look at the sample" in said(key_of(0.0, decimals=2), 0.5)


def test_a_model_is_not_a_number():
    class Result:
        params = WEIGHTS

    assert "m.params" in said(key_of(0.0312), Result())


def test_usual_mistakes_come_first():
    key = key_of(
        0.5, {"That is its standard error.": 0.05, "no more than the answer": 0.5}, unit="yuan a head"
    )
    assert "standard error" in said(key, 0.05)
    assert "yuan a head" in said(key, 50.0)
    assert not said(key, 0.5)


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
        (WEIGHTS**1.5, "the first year only"),
    ],
)
def test_wrong_series(given, words):
    key = key_of(WEIGHTS, {"These are the weights of the first year only.": WEIGHTS**1.5})
    assert words in said(key, given)
    assert not said(key, WEIGHTS[::-1]) and not said(key, WEIGHTS.to_dict())


def test_series_up_to_scale_and_centre_and_with_gaps():
    scores = pd.Series(np.random.default_rng(1).normal(size=10))
    assert "normalisation" in said(key_of(scores), (scores - scores.mean()) / scores.std())
    gaps = scores.where(scores > 0)
    assert not said(key_of(gaps), gaps)
    assert "cannot be computed" in said(key_of(gaps), scores)


def test_frame():
    table = pd.DataFrame({"mean": [1.0, 2.0], "sd": [0.5, 0.7]}, index=["digit", "gov"])
    key = key_of(table)
    assert not said(key, table[["sd", "mean"]].iloc[::-1])
    assert "column 'sd': that is its square" in said(key, table.assign(sd=table["sd"] ** 2))
    assert "columns are missing, such as 'sd'" in said(key, table[["mean"]])
    assert "rows are missing, such as 'gov'" in said(key, table.iloc[:1])
    assert "a table (data frame)" in said(key, table["sd"])


def test_choice():
    key = key_of("between cities", options=("between cities", "within cities"))
    assert not said(key, " Between  Cities ")
    assert "think again" in said(key, "within cities")
    assert "one of: between cities, within cities" in said(key, "neither")
    assert "a text is asked for" in said(key, 3)
    key = key_of("Urumqi", {"That is the largest residual.": "Wuhan"}, options=("Urumqi", "Wuhan"))
    assert "largest residual" in said(key, "wuhan") and not said(key, "乌鲁木齐")


def test_yes_or_no():
    assert not said(key_of(True), np.True_)
    assert "think again" in said(key_of(True), False)
    assert "True or False" in said(key_of(True), "yes") and "True or False" in said(key_of(True), 1)


def test_names():
    key = key_of({"Shenzhen", "Beijing"})
    assert not said(key, ["beijing", "深圳市"]) and not said(key, pd.Index(["Beijing", "Shenzhen"]))
    assert "of 2 names 1 are missing, and 1 of yours do not belong" in said(key, ["Beijing", "Wuhan"])
    assert "twice" in said(key, ["Beijing", "Beijing"])
    assert "a list of names" in said(key, "Beijing") and "contains 3" in said(key, ["Beijing", 3])
    ranking = key_of(["Shenzhen", "Beijing", "Wuhan"])
    assert not said(ranking, ["Shenzhen", "Beijing", "Wuhan"])
    assert "another order: yours is turned round" in said(ranking, ["Wuhan", "Beijing", "Shenzhen"])
    assert "another order." in said(ranking, ["Beijing", "Shenzhen", "Wuhan"])


# ------------------------------------------------------------------------------------------------------ which key


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A project of one sheet, whose answer is 2 on the shared panel and 10 on that of student 20260001."""
    sheets = tmp_path / "exercises" / "01-city-innovation"
    sheets.mkdir(parents=True)
    shared = {
        NAME: seal.seal(key_of(2.0, hints=("the method.", "the recipe."))),
        "city-innovation/9-test/printed": seal.seal(
            Key("city-innovation/9-test/printed", keys.plain(3.0), personal=False)
        ),
    }
    (sheets / "9-test.keys.json").write_text(json.dumps({"keys": shared}))
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module.sheet_of, "__defaults__", (tmp_path,))
    monkeypatch.setattr(module, "_tries", {})
    return tmp_path


def panel(student="", simulated=True):
    table = pd.DataFrame({"digit": [0.0]})
    table.attrs = {"slug": "city-innovation", "student": student, "simulated": simulated}
    return table


def test_right(course):
    result = check(NAME, 2.0)
    assert result == Right(NAME) == check(NAME, 2.0, panel())
    assert "✓ right" in repr(result) and "✓ right" in result._repr_html_()


def test_hints_come_in_steps(course):
    texts = []
    for given in (1.7, -2.0, 1.7, None, 1.7, 1.7):
        with pytest.raises(NotYet) as caught:
            check(NAME, given)
        texts.append(str(caught.value).removeprefix("Not yet (还不对): "))
    assert texts[0] == judge.LOOK
    assert texts[1] == "the size is right, the sign is not." and texts[3] == "nothing is filled in."
    assert texts[2] == f"{judge.LOOK} the method."
    assert texts[4] == texts[5] == f"{judge.LOOK} the recipe."


def test_a_personal_panel_by_the_solution(course, monkeypatch):
    solution = course / "solutions" / "01-city-innovation" / "9-test.md"
    solution.parent.mkdir(parents=True)
    solution.write_text("")
    asked = []
    monkeypatch.setattr(record, "recorded", lambda *given: asked.append(given) or {NAME: key_of(10.0)})
    assert check(NAME, 10.0, panel("20260001"))
    assert asked == [(solution, "20260001")]
    with pytest.raises(
        NotYet, match="right for the panel that all share; yours is the panel of student 20260001"
    ):
        check(NAME, 2.0, panel("20260001"))
    assert check("city-innovation/9-test/printed", 3.0, panel("20260001"))  # hangs on no panel
    with pytest.raises(NotYet, match="the sign is not"):
        check(NAME, -10.0, panel("20260001"))

    def fails(*given):
        raise record.RecordError("cell 3 fails")

    monkeypatch.setattr(record, "recorded", fails)
    with pytest.raises(ValueError, match="the solution gives no key to .*: cell 3 fails"):
        check(NAME, 10.0, panel("20260001"))


def test_a_personal_panel_by_the_file_of_the_lecturer(course):
    with pytest.raises(
        ValueError, match=r"Ask your lecturer for keys-7.json and put it into exercises/01-city"
    ):
        check(NAME, 10.0, panel("7"))
    handed = {"keys": {NAME: seal.seal(key_of(10.0))}}
    (course / "exercises/01-city-innovation/keys-7.json").write_text(json.dumps(handed))
    assert check(NAME, 10.0, panel("7"))
    with pytest.raises(NotYet, match="a factor of a hundred"):
        check(NAME, 1000.0, panel("7"))


def test_own_data_have_no_key(course):
    with pytest.raises(ValueError, match="no key to .* for your own data"):
        check(NAME, 2.0, panel(simulated=False))
    with pytest.raises(ValueError, match="data frame that rb.personal gave, not list"):
        check(NAME, 2.0, [1, 2])


def test_unknown_exercise(course):
    with pytest.raises(ValueError, match="no exercise 'city-innovation/9-test/y'; is it one of: .*9-test/x"):
        check("city-innovation/9-test/y", 1)
    with pytest.raises(ValueError, match="no exercises for 'no-such-paper'"):
        check("no-such-paper/1/x", 1)


def test_a_notebook_shows_one_line():
    error = NotYet("Not yet: the sign is not.")
    assert error._render_traceback_() == ["✗ Not yet: the sign is not."]
    assert isinstance(error, AssertionError)
