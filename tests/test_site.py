"""The site: what it is made of, and the finished pages in a real browser.

The pages are made once, from the stored outputs, if the packages of ``site/requirements.lock`` are here (``python3 workbook.py
site --set-up``). By default a browser visits a sample of them; ``REGIONBOOK_ALL_PAGES=1`` sends it to each page and deck.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from bookpages import decks, notebooks, staging, written
from regionbook.cli import site as command
from regionbook.cli.doctor import chromium
from regionbook.paths import ROOT

PACKAGES = all(map(importlib.util.find_spec, command.NEEDS))
needs_packages = pytest.mark.skipif(
    not PACKAGES, reason="the site's packages are not here: python3 workbook.py site --set-up"
)
CHROMIUM = chromium()
URL, REPOSITORY = "https://book.example.org", "https://github.com/example/regionbook"
SIZES = [(1366, 768), (390, 844)]
ALL = os.environ.get("REGIONBOOK_ALL_PAGES") == "1"
LINK = re.compile(r"""(?:href|src)="([^"]+)\"""")


def cell(source: str, kind: str = "markdown", **more: object) -> dict[str, object]:
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


# --- what it is made of ------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", sorted((ROOT / "site/vendor").iterdir()), ids=lambda f: f.name)
def test_what_is_vendored_has_its_licence(folder):
    assert "icense" in (folder / "LICENSE").read_text(encoding="utf-8")


def test_formulas_inside_of_html_are_marked():
    text = "An $a$ stays.\n\n<details><summary>Is $a<b$?</summary>\nNo, $b$.</details>\n\n$c$ stays."
    made = notebooks.spans(text)
    assert made.startswith("An $a$ stays.") and made.endswith("$c$ stays.")
    assert made.count(r'<span class="math') == 2 and r"\(a&lt;b\)" in made
    assert notebooks.spans('<p><a href="b.ipynb#c">b</a></p>') == '<p><a href="b.html#c">b</a></p>'


def test_entries_of_a_docstring_may_stand_in_one_line():
    """Kind and meaning become two lines where napoleon looks for them, and nowhere else."""
    text = ["One thing: another; more.", "", "Parameters", "----------", "score : Series (n,); in [0, 1]", "k : int",
            "    Not below 1; never above n.", "", "Raises", "------", "TypeError, ValueError: no score; k of 0", "",
            "Notes", "-----", "ValueError: is not an entry here"]  # fmt: skip
    apart = written.entries(text)
    assert apart[4:6] == ["score : Series (n,)", "    in [0, 1]"]
    assert apart[11:13] == ["TypeError, ValueError", "    no score; k of 0"]
    assert [line for line in text if line not in apart] == [text[4], text[10]] and len(apart) == len(text) + 2


def test_solutions_are_folded_without_their_keys():
    code = '### BEGIN SOLUTION\nb = fit(x)\nrb.key("a/b",\n       hint=["one", "two"])\nrb.mistake("that is a.", a)\n### END SOLUTION'
    place = {"nbgrader": {"grade_id": "one"}}
    solved = {"cells": [{**cell(code, "code"), "metadata": place}]}
    sheet = {"cells": [{**cell("# YOUR CODE HERE", "code"), "metadata": place}]}
    shown = notebooks.sheet(sheet, solved)["cells"][1]["source"]
    assert "python\nb = fit(x)\n```" in shown and "- *that is a.*" in shown and "rb." not in shown
    with pytest.raises(ValueError, match="without a place on the sheet: one"):
        notebooks.sheet({"cells": []}, solved)


def test_links_lead_to_pages_to_the_repository_or_nowhere(tmp_path):
    (tmp_path / "README.md").touch()
    text = "[a](README.md) [`b`](LICENSE#top) [c](https://x.org) [d](nowhere.md) [e](solutions)\n```\n[f](LICENSE)\n```"
    told = staging.lead_home(text, ".", tmp_path, REPOSITORY)
    there = f"[a](README.md) [`b`]({REPOSITORY}/blob/main/LICENSE#top) [c](https://x.org) [d](nowhere.md) e"
    assert told == there + "\n```\n[f](LICENSE)\n```"
    assert "] `b` [" in staging.lead_home("] [`b`](LICENSE) [", ".", tmp_path, "")


def test_a_deck_follows_its_lesson(tmp_path):
    asked = "<details><summary><b>Check yourself.</b> Why $a$?</summary>\n\n<details><summary>A. So.</summary>Right.</details>\n<details><summary>B. Not.</summary>No.</details>\n\n</details>"
    lesson = {
        "cells": [
            cell("# Why?\n\nA puzzle."),
            cell("x", "code", outputs=[{"output_type": "stream", "text": "7 of 9"}]),
            cell("Look.\n\n> **What you will be able to do.** Do this; say that."),
            cell("## Part\n\nTwo lines. **Your guess first:** which?\n\nWe need:\n\n$$ a^2 $$\n\n" + asked),
            cell("y", "code", outputs=[{"data": {"image/png": "iVBORw=="}}]),
            cell('rb.guess("y", "Up?")', "code", outputs=[{"data": {"text/html": "<b>Your guess.</b> Up?"}}]),
            cell("It rises.\n\n> **Key takeaways.** One. Two."),
        ]
    }
    slides = decks.slides_of(lesson, "Chapter 1", tmp_path, notes="Ten minutes.")
    heads = [re.sub("<[^>]+>", "", re.search(r"<h\d>(.*?)</h\d>", s)[1]) for s in slides]
    assert heads == ["Why?", "The puzzle", "The puzzle", "What you will be able to do", "Part", "Part", "Check yourself", "Check yourself", "Part", "Part", "To take away"]  # fmt: skip
    assert "Ten minutes." in slides[0] and "7 of 9" in slides[1] and "A puzzle." in slides[1]
    assert "We need:" in slides[4] and "$$ a^2 $$" in slides[4] and "Two lines." in slides[5]
    assert "Right." not in slides[6] and "Right." in slides[7]
    assert "data:image/png;base64,iVBORw==" in slides[8] and "It rises." in slides[8]
    assert "Your guess.</b> Up?" in slides[9]
    lesson["cells"][4]["outputs"] = []
    lesson["cells"][1]["metadata"] = {"tags": ["slide"]}
    assert "data:image" not in "".join(decks.slides_of(lesson, "Chapter 1", tmp_path))


def test_instructors_notes_by_lesson():
    assert decks.teaching("# Top\n\n## 1 One\n\na\n\n## 2b Two\n\nb\n") == {"1": "\n\na\n\n", "2b": "\n\nb\n"}


def test_every_number_of_a_paper_is_on_its_page():
    cells = [
        {"mark": "differs", "table": "3", "column": "1", "term": "x", "printed": 0.5, "own": 0.25, "reason": "why"},
        {"mark": "imposed", "table": "3", "column": "1", "term": "z", "printed": 2.0, "own": None, "reason": ""},
    ]  # fmt: skip
    page = written.tally(cells)
    assert "2 numbers are printed" in page and "differs: 1" in page and "imposed: 1" in page
    assert "<td>0.25</td>" in page and "<td>why</td>" in page and written.tally([]) == ""


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "NEEDS", ())
    monkeypatch.setattr(command, "build", lambda edition: pytest.fail("it was built"))
    (tmp_path / "mine.txt").write_text("mine")
    assert command.site(to=str(tmp_path)) == 1
    assert "no site of this command: name an empty or a new folder" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_missing_packages_are_told(capsys, monkeypatch):
    monkeypatch.setattr(command, "NEEDS", ("no_such_package",))
    assert command.site() == 1
    assert "Run: python3 workbook.py site" in capsys.readouterr().err


@needs_packages
def test_search_knows_both_scripts():
    from bookpages.search import Bilingual

    words = Bilingual({})
    assert words.split("双向固定效应 and fixed effects, 聚类") == [
        "双向", "向固", "固定", "定效", "效应", "and", "fixed", "effects", "聚类",
    ]  # fmt: skip
    assert words.word_filter("聚类") and words.stem("effects") == words.stem("effect")


@needs_packages
def test_terms_and_their_pages():
    from bookpages.terms import Term, names, wanted

    assert names("channel (mediator)") == ["channel"]
    assert names("city part / own part of a flow") == ["city part", "own part of a flow"]
    term = Term("term-bias", "偏误", "distance", "chapters/01-a/2-b")
    assert wanted("bias", term, "chapters/01-a/3-c") and not wanted("bias", term, "chapters/01-a/1-a")
    assert not wanted("bias", term, "chapters/02-a/3-c") and wanted("own bias", term, "chapters/02-a/3-c")


def test_the_lecturers_edition_has_every_solution(tmp_path):
    staging.notebooks_of(tmp_path, "lecturer")
    for sheet in sorted((tmp_path / "exercises").glob("*/*.ipynb")):
        cells = json.loads(sheet.read_text(encoding="utf-8"))["cells"]
        solved = notebooks.read(ROOT / "solutions" / sheet.relative_to(tmp_path / "exercises"))
        folded = [
            c for c in cells if c["cell_type"] == "markdown" and c["source"].startswith("::::{dropdown}")
        ]
        assert len(folded) == len(notebooks.answers(solved)) > 0
    assert len(list(tmp_path.glob("solutions/*/teaching.md"))) == len(
        list(ROOT.glob("solutions/*/teaching.md"))
    )


# --- the finished pages ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The student's edition, as it would be published."""
    if not PACKAGES:
        pytest.skip("the site's packages are not here: python3 workbook.py site --set-up")
    target = tmp_path_factory.mktemp("site") / "html"
    env = os.environ | {"REGIONBOOK_URL": URL, "REGIONBOOK_REPOSITORY": REPOSITORY}
    line = [sys.executable, "-P", "-m", "regionbook.cli", "site", "--to", str(target)]
    done = subprocess.run(line, env=env, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and "WARNING" not in done.stderr and "ERROR" not in done.stderr, done.stderr
    return target


def page_text(path: Path) -> str:
    """What a page says, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8"))))


def test_no_link_is_dead(made):
    pages = {
        path: path.read_text(encoding="utf-8") for path in made.rglob("*.html") if "_static" not in path.parts
    }
    ids = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    dead, seen = [], 0
    for path, text in pages.items():
        for link in set(LINK.findall(text)):
            if re.match(r"[a-z]+:|//", link):
                continue
            seen += 1
            place, _, section = unquote(unescape(link)).partition("#")
            target = (path.parent / place.split("?")[0]).resolve() if place else path
            if not target.exists() or section and target in ids and section not in ids[target]:
                dead.append(f"{path.relative_to(made)}: {link}")
    assert seen > 4000 and not dead, dead[:20]


def test_each_lesson_sheet_and_paper_has_a_page(made):
    for kind in ("chapters", "exercises"):
        for notebook in ROOT.glob(f"{kind}/*/*.ipynb"):
            place = notebook.relative_to(ROOT)
            assert (made / place.with_suffix(".html")).exists()
            assert (made / "_sources" / place).read_bytes() == notebook.read_bytes()  # the download
            if kind == "chapters":
                slides = made / "slides" / place.relative_to(kind).with_suffix(".html")
                assert slides.read_text(encoding="utf-8").count("<section") > 4
    for slug in written.papers().index:
        page = page_text(made / "papers" / f"{slug}.html")
        assert "Audit of the printed tables" in page and "numbers are printed" in page


def test_students_see_no_solution(made):
    for path in sorted(ROOT.glob("solutions/*/*.ipynb")):
        place = path.relative_to(ROOT / "solutions").with_suffix(".html")
        page = page_text(made / "exercises" / place)
        solved = "\n".join(notebooks.answers(notebooks.read(path)).values())
        sheet = notebooks.read(ROOT / "exercises" / path.relative_to(ROOT / "solutions"))
        given = re.sub(r"\s+", " ", "\n".join(map(notebooks.text_of, sheet["cells"])))
        lines = [re.sub(r"\s+", " ", line.strip()) for line in solved.splitlines() if len(line) > 50]
        assert lines and not [line for line in lines if line in page and line not in given], place
    assert not (made / "solutions").exists()


def test_words_lead_to_the_glossary(made):
    page = (made / "chapters/01-city-innovation/2-regressions.html").read_text(encoding="utf-8")
    links = re.findall(r'<a class="term[^"]*" href="([^"]+)" title="([^"]+)"', page)
    anchors = [link.partition("#")[2] for link, _ in links]
    assert "term-within-transformation" in anchors and len(anchors) == len(set(anchors)) > 10
    assert any("组内变换" in title for _, title in links)


def test_buttons_and_preview(made):
    page = (made / "chapters/01-city-innovation/2-regressions.html").read_text(encoding="utf-8")
    assert f"{URL}/_static/cards/chapters/01-city-innovation/2-regressions.png" in page
    assert (made / "_static/cards/chapters/01-city-innovation/2-regressions.png").stat().st_size > 8000
    assert (
        "mybinder.org/v2/gh/example/regionbook/main?urlpath=lab/tree/chapters/01-city-innovation/2-regressions.ipynb"
        in page
    )
    assert 'href="../../slides/01-city-innovation/2-regressions.html"' in page


def test_the_font_has_every_character(made):
    from fontTools.ttLib import TTFont

    from bookpages.finish import FONT, HAN

    fonts = [TTFont(made / "_static" / name) for name in (FONT, "noto-sans-sc/names.woff2")]
    there = {code for font in fonts for code in font.getBestCmap()}
    used = {c for path in made.rglob("*.html") for c in HAN.findall(path.read_text(encoding="utf-8"))}
    missing = {c for c in used if ord(c) not in there}
    assert len(used) > 500 and not missing
    assert (made / "_static" / FONT).stat().st_size < 400_000


# --- in a browser ------------------------------------------------------------------------------------

WAIT = "() => !window.MathJax || !MathJax.startup || MathJax.startup.promise.then(() => true)"
UNREAD = """() => {
    const found = [...document.querySelectorAll('mjx-merror, mjx-container [style*="red"]')].map(e => e.textContent);
    const walk = document.createTreeWalker(document.querySelector('article') || document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode())
        if (/\\$[^$\\s][^$]*\\$|\\\\[a-z]{2,}|\\\\\\(/i.test(node.data)
            && !node.parentElement.closest('code, pre, mjx-container, script, style, table, samp, .MathJax'))
            found.push(node.data.trim().slice(0, 80));
    return found;
}"""
"""Formulas that MathJax could not read or did not take for formulas."""
MISSING = """async (more) => {
    const family = getComputedStyle(document.querySelector('article') || document.body).fontFamily;
    const text = [...new Set((document.querySelector('article') || document.body).innerText + more)];
    const odd = text.filter(c => c.codePointAt(0) > 127 && !/\\s/u.test(c) && !/\\p{M}|\\p{Cf}/u.test(c));
    await document.fonts.load('24px "Regionbook Sans SC"', odd.join(''));
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [40, 40];
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    pen.font = '24px ' + family;
    const draw = c => { pen.clearRect(0, 0, 40, 40); pen.fillText(c, 6, 30); return pen.getImageData(0, 0, 40, 40).data.join(); };
    const box = draw(String.fromCodePoint(0x378));
    return odd.filter(c => draw(c) === box);
}"""
"""Characters of a page that come out as the box of a missing glyph; 0x378 is no character, so it draws that box."""


def visited(made: Path) -> list[str]:
    """Pages to visit: all, or the first lesson of each chapter and one page of each other kind."""
    names = sorted(p.relative_to(made).as_posix() for p in made.rglob("*.html") if "_static" not in p.parts)
    names = [n for n in names if not n.startswith("slides/")]
    if ALL:
        return names
    first = {n.split("/")[1]: n for n in reversed(names) if n.startswith("chapters/") and n.count("/") == 2}
    kinds = {n.split("/")[0]: n for n in names if n.count("/") and not n.startswith("chapters/")}
    return ["index.html", "README.html", "chapters/glossary.html", "chapters/08-digital-real-integration/3-durbin.html", *first.values(), *kinds.values()]  # fmt: skip


@pytest.fixture(scope="module")
def browser(made):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--allow-file-access-from-files"]
    with sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chrome
        chrome.close()


def opened(browser, size: tuple[int, int] = SIZES[0]):
    """A page of a browser that notes complaints and requests that leave the folder."""
    page = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("requestfailed", lambda r: said.append(f"failed: {r.url}"))
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:")) else said.append(f"left: {r.url}")
    )
    return page, said


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]} px")
def test_pages_in_a_browser(made, browser, size):
    page, said = opened(browser, size)
    wrong, formulas, missing = {}, 0, ["\u0378"]
    for name in visited(made):
        page.goto((made / name).as_uri())
        page.evaluate(WAIT)
        formulas += page.locator("mjx-container").count()
        found = said + page.evaluate(UNREAD)
        glyphs = page.evaluate(MISSING, "\u0378")
        assert "\u0378" in glyphs, "a missing glyph would not be seen"
        found += [f"no glyph: {c}" for c in glyphs if c not in missing]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("the page scrolls sideways")
        if found:
            wrong[name] = found
        said.clear()
    page.close()
    assert formulas > 300 and not wrong, wrong


@pytest.mark.parametrize("words", ["固定效应", "聚类", "weak instrument"])
def test_search_from_a_folder(made, browser, words):
    page, said = opened(browser)
    page.goto(f"{(made / 'search.html').as_uri()}?q={words}")
    page.locator("#search-results li a").first.wait_for(timeout=20_000)
    assert page.locator("#search-results li").count() >= 3 and not said
    page.close()


def test_slides_in_a_browser(made, browser):
    names = sorted(made.glob("slides/*/*.html"))
    page, said = opened(browser, (1280, 720))
    wrong = {}
    for deck in names if ALL else names[3::16]:
        page.goto(deck.as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()", timeout=30_000)
        found = said + page.evaluate(UNREAD.replace("'article'", "'.slides'"))
        for k in range(page.evaluate("Reveal.getTotalSlides()")):
            page.evaluate(f"Reveal.slide({k})")
            if page.evaluate("(s => s.scrollHeight > 720 || s.scrollWidth > 1280)(Reveal.getCurrentSlide())"):
                found.append(f"slide {k + 1} is too full")
        if found:
            wrong[deck.relative_to(made).as_posix()] = found
        said.clear()
    page.close()
    assert not wrong, wrong


def test_print_is_a4_with_whole_figures(made, browser):
    page, _ = opened(browser)
    page.goto((made / "chapters/01-city-innovation/2-regressions.html").as_uri())
    page.evaluate(WAIT)
    page.emulate_media(media="print")
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    boxes = {tuple(map(round, map(float, b.split()))) for b in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", pdf)}
    assert boxes == {(0, 0, 595, 842)}  # A4 in points
    assert page.locator(".bd-sidebar-primary").is_hidden()
    rule = "es => es.map(e => getComputedStyle(e).breakInside)"
    figures = page.locator("article img").evaluate_all(rule)
    assert len(figures) >= 3 and set(figures) == {"avoid"}
    page.close()
