"""Sealed keys: what opens them, what they say then, and that nothing in them can be read."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from regionbook.exercises import judge, keys, seal
from regionbook.exercises.keys import Key

NAME = "city-innovation/9-test/x"
WEIGHTS = pd.Series({"internet": 0.3783, "telecom": 0.2152, "staff": 0.4065})
PRINTED = "The weights of internet, telecom and staff."


@pytest.fixture(autouse=True, scope="module")
def cheap():
    """A fast hash: its cost is no part of what is tested."""
    dear = dict(seal.COST)
    seal.COST.update(n=2, r=1)
    seal._slow.cache_clear()
    yield
    seal.COST.update(dear)
    seal._slow.cache_clear()


def key_of(right, mistakes=(), **settings) -> Key:
    wrongs = tuple((message, keys.plain(wrong)) for message, wrong in mistakes)
    return Key(NAME, keys.plain(right), mistakes=wrongs, **settings)


def sealed(right, mistakes=(), printed=PRINTED, **settings):
    return json.loads(json.dumps(seal.seal(key_of(right, mistakes, **settings), printed)))


def said(locked, given) -> str:
    fault = seal.judge_sealed(locked, given)
    return fault.text if fault else ""


@pytest.mark.parametrize("tolerance", [None, 0.0, 1e-9, 1e-4, 0.003, 0.02, 0.1])
def test_all_within_the_tolerance_and_nothing_beyond(tolerance):
    """Hundreds of random answers at each tolerance: whatever the cell, an answer is judged exactly."""
    rng = np.random.default_rng(1)
    allowed = 1e-3 if tolerance is None else tolerance
    for right in rng.choice([-1, 1], 40) * 10 ** rng.uniform(-9, 9, 40):
        locked = sealed(float(right), tolerance=tolerance)
        for share in [*rng.uniform(-1, 1, 8), -0.999, 0.999]:
            assert not said(locked, right * (1 + share * allowed)), (right, share)
        for share in (-3, -1.01, 1.01, 3):
            if allowed:
                assert said(locked, right * (1 + share * allowed)), (right, share)


@pytest.mark.parametrize("decimals", [0, 2, 5])
def test_all_within_the_decimals_and_nothing_beyond(decimals):
    rng = np.random.default_rng(2)
    half = 0.5 * 10.0**-decimals
    for right in [0.0, half, *(rng.normal(size=40) * 10 ** rng.uniform(-decimals - 2, 3, 40))]:
        locked = sealed(float(right), decimals=decimals)
        assert not said(locked, round(right, decimals))
        for share in rng.uniform(-1, 1, 8):
            assert not said(locked, right + share * half), (right, share)
        for share in (-3, -1.01, 1.01, 3):
            assert said(locked, right + share * half), (right, share)


def test_tables_are_judged_as_exactly():
    rng = np.random.default_rng(3)
    for size in (2, 3, 7, 20):
        names = [f"name {i}" for i in range(size)]
        right = pd.Series(rng.normal(size=size) * 10 ** rng.uniform(-3, 3, size), names)
        locked = sealed(right, printed=" ".join(names), decimals=2 if size == 7 else None)
        assert not said(locked, right * (1 + rng.uniform(-1e-3, 1e-3, size) * (size != 7)))
        for name in names:  # one wrong value, wherever it stands, is found and named
            wrong = right.copy()
            wrong[name] += 1 + abs(wrong[name])
            assert repr(name) in said(locked, wrong) and f"1 of {size} values differ" in said(locked, wrong)
        assert "values differ" in said(locked, right * 1.7 + 3 * rng.uniform(1, 2, size))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (-3.5, "sign"),
        (350.0, "too large by a factor of a hundred"),
        (-0.35, "too small by a factor of ten; the sign is wrong too. Asked for: yuan."),
        (np.log(3.5), "that is its logarithm; the level"),
        (np.exp(3.5), "that is the level; the logarithm"),
        (3.5**2, "square (a variance"),
        (-2.5, "one minus it"),
        (1 / 3.5, "one divided by it"),
        (7.7, "That is its standard error."),
        (5.1, judge.LOOK),
    ],
)
def test_faults_of_a_number(given, words):
    locked = sealed(3.5, [("That is its standard error.", 7.7)], unit="yuan")
    assert words in said(locked, given)


def test_a_rounded_answer():
    locked = sealed(0.031247)
    for given in (0.03, 0.031, 0.0312):
        assert ("give more digits" in said(locked, given)) == (given != 0.0312 or 0.0312 < 0.031247 * 0.999)


def test_faults_of_a_series():
    locked = sealed(WEIGHTS, [("These are counts.", pd.Series({"internet": 3, "telecom": 4, "staff": 5}))])
    assert locked["form"]["index"] == list(WEIGHTS.index)
    assert not said(locked, WEIGHTS[::-1]) and not said(locked, WEIGHTS.to_dict())
    assert not said(locked, WEIGHTS.rename({"staff": "Ｓtaff "}))
    assert "a hundred" in said(locked, WEIGHTS * 100)
    assert "sign" in said(locked, -WEIGHTS)
    assert "These are counts." in said(locked, {"internet": 3, "telecom": 4, "staff": 5})
    assert "beside the wrong names" in said(locked, pd.Series(WEIGHTS.to_numpy()[::-1], WEIGHTS.index))
    assert "1 of 3 names are missing, such as 'staff'" in said(locked, WEIGHTS.drop("staff"))
    assert "such as that of 'telecom'" in said(locked, WEIGHTS.where(WEIGHTS > 0.3))


def test_normalisation():
    scores = pd.Series(np.random.default_rng(1).normal(size=10), [f"c{i}" for i in range(10)])
    locked = sealed(scores, printed=" ".join(scores.index))
    assert "normalisation" in said(locked, 5 * scores + 3)


def test_gaps():
    scores = pd.Series([np.nan, 2.0, np.nan, 4.0, np.nan], list("abcde"))
    locked = sealed(scores, printed="a b c d e")
    assert not said(locked, scores)
    assert "cannot be computed" in said(locked, scores.fillna(1.0))
    assert "missing or infinite, such as that of 'd'" in said(locked, scores.where(scores < 3))


def test_names_that_are_the_answer_are_hidden():
    top = pd.Series({"Beijing": 0.41, "Karamay": 0.37})
    locked = sealed(top, printed="Which two cities?")
    assert locked["form"]["index"] == 2
    assert not said(locked, top) and not said(locked, {"北京": 0.41, "克拉玛依市": 0.37})
    assert said(locked, {"Beijing": 0.9, "Karamay": 0.2}).startswith("several values differ")
    assert (
        said(locked, {"Beijing": 0.41, "Wuhan": 0.37}) == "these are not all of the names that are asked for."
    )
    assert "2 names are asked for" in said(locked, {"Beijing": 0.41})
    level = sealed(top, printed="", levels=("index",))
    assert level["form"]["index"] == ["Beijing", "Karamay"]


def test_frame():
    table = pd.DataFrame({"mean": [1.03, 2.04], "sd": [0.51, 0.72]}, index=["digit", "gov"])
    locked = sealed(table, printed="mean and sd of digit and gov")
    assert not said(locked, table[["sd", "mean"]].iloc[::-1])
    assert "column 'sd': that is its square" in said(locked, table.assign(sd=table["sd"] ** 2))
    assert "columns are missing, such as 'sd'" in said(locked, table[["mean"]])


def test_words():
    locked = sealed("between cities", [("That was last year's.", "no cities")])
    assert not said(locked, " Between  Cities ")
    assert (
        said(locked, "within cities") == judge.THINK and said(locked, "no cities") == "That was last year's."
    )
    locked = sealed("Urumqi–Changji")
    assert not said(locked, "urumqi - changji")
    assert not said(sealed("Shenzhen"), "深圳") and not said(sealed("深圳市"), "Shenzhen")
    locked = sealed(True, [("The other way.", False)])
    assert not said(locked, np.True_) and said(locked, False) == "The other way."
    assert said(sealed(False), True) == judge.THINK


def test_lists_of_names():
    locked = sealed({"Shenzhen", "Beijing"})
    assert not said(locked, ["beijing", "深圳"])
    assert said(locked, ["Beijing", "Wuhan"]) == "the number of names is right, but not all of them belong."
    assert said(locked, ["Beijing"]) == "2 names are asked for, you gave 1."
    locked = sealed(["Shenzhen", "Beijing", "Wuhan"], [("These are the last three.", ["A", "B", "C"])])
    assert not said(locked, ["Shenzhen", "Beijing", "Wuhan"])
    assert "another order: yours is turned round" in said(locked, ["Wuhan", "Beijing", "Shenzhen"])
    assert said(locked, ["A", "B", "C"]) == "These are the last three."


def test_whole_numbers_are_exact():
    locked = sealed(2744)
    assert not said(locked, 2744.0) and not said(locked, np.int64(2744))
    for wrong in (2745, 2743.9, 2744.0001):
        assert said(locked, wrong) == judge.LOOK
    assert "ten" in said(locked, 27440)
    assert said(sealed(3, [("none is left.", 0)]), 0) == "none is left."
    assert not said(sealed(0), 0) and said(sealed(0), 3) == judge.LOOK


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (0.09993492080955946, 0.00200033339033536),
        (2744, 27),
        ("Karamay", "Shenzhen"),
        ({"Karamay", "Wuhan"}, {"Lhasa", "Sanya"}),
        (["Karamay", "Wuhan"], ["Lhasa", "Sanya"]),
        (pd.Series({"Karamay": 0.41724, "Wuhan": 3773.2}), pd.Series({"Karamay": 0.83991, "Wuhan": 51.7})),
        (pd.DataFrame({"Lhasa": [0.41724]}, ["Wuhan"]), pd.DataFrame({"Lhasa": [0.7331]}, ["Wuhan"])),
    ],
)
def test_nothing_can_be_read(right, wrong):
    """Neither digits nor words of the answer and of a mistake, nor the mistake's message; nor a size."""
    text = json.dumps(sealed(right, [("that is the other thing.", wrong)]))
    box = re.compile(r'"(box|doors)": (\[[^]]*\]|"[^"]*")')
    clear = box.sub("", text).casefold()
    for value in (right, wrong):
        for word in re.findall(r"[A-Za-z]{4,}|\d+\.\d+|\d{3,}", str(value)):
            if word.casefold() not in ("name", "dtype", "float"):
                assert word.casefold() not in clear
    assert "the other thing" not in text
    if isinstance(right, float):
        small, large = (sealed(right * size, [("x", wrong * size)]) for size in (1e-6, 1e6))
        assert {k: v for k, v in small.items() if k not in ("box", "doors")} == {
            k: v for k, v in large.items() if k not in ("box", "doors")
        }


def test_lengths_tell_nothing():
    for some in ((True, False), (1.0, 1.0 / 3), ("Ya'an", "Qiandongnan Miao and Dong"), (3, 27_441)):
        lengths = {(len(locked["box"]), len(locked["form"])) for locked in map(sealed, some)}
        assert len(lengths) == 1


def test_the_same_each_time():
    assert sealed(0.0312) == sealed(0.0312) != sealed(0.0313)


def test_only_an_answer_opens_it():
    locked = sealed(0.0312, [("That is its standard error.", 0.5)])
    opened = [x for x in np.geomspace(1, 10, 400) if seal.unseal(locked, float(x))]
    assert 0 < len(opened) < 60
    broken = {**locked, "box": locked["box"][:-8] + "AAAAAAA="}
    assert seal.unseal(broken, 0.0312) is None
