"""Personal panels: the same for a student everywhere, another for each student."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from regionbook.exercises import personal as module
from regionbook.exercises.personal import personal, personal_truth, seed, student_number


@pytest.fixture
def process(monkeypatch, tmp_path):
    """A stand-in for the simulator, and a cache of its own; the calls are kept."""
    calls = []

    def simulate(slug, *, seed, mode, jitter):
        calls.append((slug, seed, mode, jitter))
        flat = pd.DataFrame({"city": ["Wuhan", "Wuhan", "Beijing", "Beijing"], "year": [2009, 2008] * 2})
        return SimpleNamespace(
            panel=flat.assign(digit=np.random.default_rng(seed).random(4)), truth={"beta": seed}
        )

    def load(slug, source=None):
        """As `regionbook.data.load`, without the schema of a paper."""
        panel = source.set_index(["city", "year"]).sort_index()
        panel.attrs = {"slug": slug, "simulated": False, "source": "a data frame"}
        return panel

    monkeypatch.setattr("regionbook.data.load", load)
    fake = ModuleType("regionbook.simulate")
    fake.simulate, fake.PAPERS = simulate, {"city-innovation": ""}
    monkeypatch.setitem(sys.modules, "regionbook.simulate", fake)
    monkeypatch.setenv("REGIONBOOK_CACHE", str(tmp_path / "cache"))
    module._drawn.cache_clear()
    yield calls
    module._drawn.cache_clear()


def test_same_student_same_panel(process):
    first = personal("city-innovation", "20260001")
    first["digit"] = 0  # a student may do to it what she likes
    module._drawn.cache_clear()
    again = personal("city-innovation", 20260001)
    assert again["digit"].min() > 0
    assert again.attrs == {
        "student": "20260001",
        "slug": "city-innovation",
        "simulated": True,
        "source": "personal",
    }
    assert again.index.names == ["city", "year"]
    assert len(process) == 1  # the second came from the cache
    assert process[0][2:] == ("matched", module.JITTER)
    assert personal_truth("city-innovation", "20260001") == {"beta": process[0][1]}


def test_another_student_another_panel(process):
    one, two = personal("city-innovation", "20260001"), personal("city-innovation", "20260002")
    assert not np.allclose(one["digit"], two["digit"])


def test_without_a_cache_folder(process, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REGIONBOOK_CACHE", str(tmp_path / "file"))
    assert len(personal("city-innovation", "7")) == 4


def test_a_changed_process_is_not_read_from_the_cache(process, monkeypatch):
    personal("city-innovation", "20260001")
    module._drawn.cache_clear()
    monkeypatch.setattr(module, "_process_key", lambda: "other")
    personal("city-innovation", "20260001")
    assert len(process) == 2


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
