"""Personal panels: the same for a student everywhere, another for each student."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import regionbook as rb
from regionbook import registry
from regionbook.exercises import personal as module
from regionbook.exercises.personal import personal, personal_truth, seed, student_number

PAPERS = [slug for slug in registry.papers() if registry.handed_in(slug, "redrawn")]


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """A cache of its own; the draws are kept."""
    calls, draw = [], module._draw
    monkeypatch.setattr(module, "_draw", lambda *how: calls.append(how[:2]) or draw(*how))
    monkeypatch.setenv("REGIONBOOK_CACHE", str(tmp_path / "cache"))
    return calls


def test_same_student_same_panel(drawn):
    first = personal("city-innovation", "20260001")
    again = first.copy()
    first["digit"] = 0  # a student may do to it what she likes
    second = personal("city-innovation", 20260001)
    pd.testing.assert_frame_equal(second, again)
    assert second.attrs == {
        "student": "20260001",
        "slug": "city-innovation",
        "simulated": True,
        "source": "personal",
    }
    assert second.index.names == ["city", "year"]
    assert drawn == [("city-innovation", "20260001")]  # the second came from the cache
    draw = module._draw
    draw("city-innovation", "20260001", (folder := module.cache_folder()))
    anew = pd.read_parquet(folder / "city-innovation.panel.parquet").set_index(["city", "year"])
    pd.testing.assert_frame_equal(anew[list(again)], again, check_dtype=False)


def test_without_a_cache_folder(drawn, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REGIONBOOK_CACHE", str(tmp_path / "file"))
    assert len(personal("city-innovation", "7")) == 2744
    assert personal_truth("city-innovation", "7")["mode"] == "redrawn"


def test_a_changed_process_is_not_read_from_the_cache(drawn, monkeypatch):
    personal("city-innovation", "20260001")
    monkeypatch.setattr(module, "_process_key", lambda slug: "other")
    personal("city-innovation", "20260001")
    assert len(drawn) == 2


# ------------------------------------------------------------------------------------------------ what is redrawn
STUDENTS = ["20260001", "20260002"]


@pytest.fixture(scope="module", params=STUDENTS)
def student(request):
    return request.param


def effects(panel, tables):
    from regionbook.papers.estimation import estimates, variables

    slug = panel.attrs["slug"]
    found = estimates(slug, variables(slug, panel), tables=tables)
    return found.set_index(["table", "column", "term"])


def test_city_innovation(student):
    panel, shipped = personal("city-innovation", student), rb.load("city-innovation")
    truth = personal_truth("city-innovation", student)
    factor = truth["beta"] / rb.truth("city-innovation")["beta"]
    assert 0.04 < abs(factor - 1) < 0.26
    mine, theirs = (effects(p, ["3", "4", "7"]) for p in (panel, shipped))
    digit = [k for k in mine.index if k[2].startswith("digit")]
    # each coefficient moves with the effect, and no error grows
    scaled = theirs.loc[digit, "estimate"] * factor
    assert (mine.loc[digit, "estimate"] / scaled).between(0.8, 1.25).all()
    assert mine.at[("3", "2", "digit"), "estimate"] == pytest.approx(scaled["3", "2", "digit"], rel=0.05)
    for key in (("3", "2"), ("4", "2"), ("4", "4")):
        error = mine.at[(*key, "digit"), "std_error"] / theirs.at[(*key, "digit"), "std_error"]
        assert 0.8 < error < 1.25
    for column in "24":
        assert (
            1.7 < mine.at[("4", column, "digit"), "estimate"] / mine.at[("3", "2", "digit"), "estimate"] < 2.3
        )
    # identities of the raw columns, and weights
    assert (panel["output_1"] + panel["output_2"] + panel["output_3"] == panel["gdp"]).all()
    assert np.allclose(panel["rd_exp"] / panel["fiscal_exp"], panel["cap"], atol=1e-4)
    assert (panel["pat_apply"] >= np.floor(1e4 * panel["digit"])).all()
    weights = [
        rb.index.entropy_index(rb.papers.city_innovation.indicators(p)).weights for p in (panel, shipped)
    ]
    assert (weights[0] - weights[1]).abs().max() < 0.005
    kept = ["population", "area", "gdp", "fiscal_exp", "digit", "hc", "green", "phones_1984"]
    pd.testing.assert_frame_equal(panel[kept], shipped[kept], check_dtype=False)
    assert set(truth["beta_by_cluster"]) == set(rb.truth("city-innovation")["beta_by_cluster"])


def test_two_students_have_two_panels():
    one, two = (personal("city-innovation", s) for s in STUDENTS)
    assert (
        personal_truth("city-innovation", STUDENTS[0])["beta"]
        != personal_truth("city-innovation", STUDENTS[1])["beta"]
    )
    assert (one["papers"] != two["papers"]).mean() > 0.9


# ---------------------------------------------------------------------------------------------- numbers and seeds
@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("20260001", "20260001"),
        (20260001, "20260001"),
        (" 007 ", "7"),
        (7, "7"),
        ("２０２６", "2026"),
        ("a12", "A12"),
        ("", ""),
        ("0", "0"),
    ],
)
def test_student_number(given, number):
    assert student_number(given) == number


@pytest.mark.parametrize("given", ["Li Lei", "1.5", "x" * 33, True, 1.0, None, -3, "../x"])
def test_not_a_student_number(given):
    with pytest.raises(ValueError, match="student number"):
        student_number(given)


@pytest.mark.parametrize("draw", [personal, personal_truth])
def test_papers_without_a_process_are_refused_in_words(draw):
    with pytest.raises(ValueError, match=r"Unknown paper 'city-inovation'. Did you mean 'city-innovation'"):
        draw("city-inovation", "20260001")
    with pytest.raises(
        ValueError, match="no panels are drawn for 'green-growth' yet; there are some for: city-"
    ):
        draw("green-growth", "20260001")
    with pytest.raises(ValueError, match="is not a student number"):
        draw("city-innovation", "a-b")


def test_seed_is_the_same_on_every_machine():
    assert seed("city-innovation", "20260001") == 807188897
