"""The list of lessons and the map of methods are read from the lessons' texts."""

from __future__ import annotations

import re

import pytest

from regionbook import registry
from regionbook.catalogue import METHODS, lessons, method_map, needs, route
from regionbook.cli import notebooks as nbs
from regionbook.data import papers
from regionbook.paths import ROOT

LESSON = """# {title}

> **What you will be able to do.** See.
>
> **Time.** About {minutes} minutes.

```{{code-cell}} ipython3
# not a title
{code}
```
"""


@pytest.fixture
def book(tmp_path):
    def write(path, code="x = 1", title="A title", minutes=30):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(LESSON.format(title=title, minutes=minutes, code=code), encoding="utf-8")

    write("00-start/1-how-to-use.md", "rb.geo.choropleth(x)")
    write("01-city-innovation/1-index.md", "rb.index.entropy_index(x)\nrb.geo.choropleth(x)")
    write("01-city-innovation/2-regressions.md", "PanelOLS(y, x)", title="Which one?", minutes=45)
    write("02-knowledge-flows/1-maps.md", "rb.geo.choropleth(x)")
    return tmp_path


def test_lessons_are_listed_in_reading_order(book):
    shown = lessons(book)
    found = shown.table
    assert found["chapter"].tolist() == ["start", "city-innovation", "city-innovation", "knowledge-flows"]
    assert found["title"].tolist()[2] == "Which one?"
    assert found["minutes"].tolist() == [30, 30, 45, 30]
    assert '<a href="../01-city-innovation/2-regressions.ipynb">Which one?</a>' in shown._repr_html_()
    assert "Which one?" in repr(shown)


def test_a_further_notebook_keeps_its_letter(book):
    first = book / "01-city-innovation" / "1-index.md"
    first.with_name("1b-maps.md").write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
    shown = lessons(book)
    assert shown.table["number"].tolist() == [1, 1, "1b", 2, 1]
    assert "<td>city innovation 1b</td>" in shown._repr_html_() and "1b-maps.ipynb" in shown._repr_html_()
    used = method_map(book)
    assert used.table.loc[("Indices", "maps (地图)"), "city-innovation"] == "1, 1b"
    assert '<a href="../01-city-innovation/1b-maps.ipynb">1b</a>' in used._repr_html_()
    first.rename(first.with_name("1B-index.md"))
    with pytest.raises(ValueError, match=r"1B-index\.md: lessons are called NN-slug/N-name\.md"):
        lessons(book)


def test_the_map_says_what_the_code_does(book):
    shown = method_map(book)
    assert shown.table.loc[("Indices", "maps (地图)")].to_dict() == {
        "city-innovation": "1",
        "knowledge-flows": "1",
    }
    assert shown.table.loc[("Regressions", "two-way fixed effects (双向固定效应)"), "city-innovation"] == "2"
    assert "start" not in shown.table.columns and len(shown.table) == 3
    html = shown._repr_html_()
    assert '<a href="../01-city-innovation/2-regressions.ipynb">2</a>' in html and "maps (地图)" in repr(
        shown
    )


def test_what_a_lesson_needs_are_the_earlier_ones_that_it_links_to_and_what_these_need(book):
    one, two = (book / "01-city-innovation" / f"{name}.md" for name in ("1-index", "2-regressions"))
    last = book / "02-knowledge-flows" / "1-maps.md"
    for path, link in (
        (two, "1-index"),
        (last, "../01-city-innovation/2-regressions"),
        (one, "2-regressions"),
    ):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("minutes.", f"minutes. **You need** [that]({link}.ipynb)."), encoding="utf-8"
        )
    found = needs(lessons(book).table)
    assert found[last] == [one, two] and found[two] == [one]
    assert found[one] == []  # a link forward only says where something stands
    whole = route(9, 45, book)
    assert [f"{d['chapter'].iloc[0]} {d['number'].iloc[0]}" for d in whole] == [
        "start 1",
        "city-innovation 1",
        "city-innovation 2",
    ]
    assert (
        route(2, 60, book)[0]["minutes"].sum() == 60
    )  # the third, 45 minutes, no longer fits beside the map
    with pytest.raises(
        ValueError, match=r"2 sessions of 20 minutes do not hold the first lesson \(30 minutes\)"
    ):
        route(2, 20, book)


@pytest.mark.parametrize(("sessions", "minutes"), [(4, 90), (12, 90)])
def test_a_route_fits_and_holds_what_its_lessons_need(sessions, minutes):
    plan = route(sessions, minutes)
    assert len(plan) <= sessions and all(day["minutes"].sum() <= minutes for day in plan)
    read, before = [], needs(lessons().table)
    for day in plan:
        for path in day["path"]:
            assert set(before[path]) <= set(read), path
            read.append(path)


@pytest.mark.parametrize("read", [lessons, method_map])
def test_a_folder_without_lessons_is_refused(read, tmp_path):
    with pytest.raises(ValueError, match=r"no lessons \(NN-slug/N-name.md\) below"):
        read(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("missing", ["# A title", "**Time.**", "**What you will be able to do.**"])
def test_a_lesson_without_title_or_time_is_refused(book, missing):
    file = book / "01-city-innovation" / "1-index.md"
    file.write_text(file.read_text(encoding="utf-8").replace(missing, ""), encoding="utf-8")
    with pytest.raises(ValueError, match=r"1-index\.md: a lesson needs a heading"):
        lessons(book)


def test_every_lesson_here_is_in_it():
    here = lessons().table
    assert set(here["path"]) == {md for md in nbs.sources() if md.is_relative_to(ROOT / "chapters")}
    assert set(here["chapter"]) <= {"start", *papers().index, "what-thirteen-papers-taught"}
    assert list(method_map().table) == [c for c in here["chapter"].unique() if c in papers().index]


def test_how_much_is_compared_is_computed_and_not_claimed():
    """The start lesson takes the share from the scorecard; no sentence claims that every printed number is there."""
    claim = re.compile(
        r"(every|each) (printed )?number (that|stands|beside|is compared)|all (the )?printed numbers are",
        re.I,
    )
    texts = [
        ROOT / "README.md",
        ROOT / "chapters" / "glossary.md",
        *lessons().table["path"],
    ]
    for path in texts:
        prose = re.sub(r"^```\{code-cell\}.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        found = claim.search(prose)
        assert not found, f"{path.name}: {found and found.group()!r}"
    start = next(md for md in lessons().table["path"] if md.stem == "1-how-to-use")
    assert "rb.scorecard()" in start.read_text(encoding="utf-8")


def test_the_map_names_chapters_that_there_are():
    """A pattern for a chapter that does not exist would never be read."""
    assert set(METHODS["chapter"]) <= {"", *registry.papers()}
    assert METHODS[["group", "method", "pattern"]].ne("").all(axis=None)


def test_every_method_of_the_map_is_taught_somewhere():
    taught = set(method_map().table.index)
    named = set(METHODS[["group", "method"]].itertuples(index=False, name=None))
    assert taught == named, f"no lesson uses {named - taught}"
