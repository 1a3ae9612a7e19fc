"""Command ``site``: lessons, sheets, papers, glossary, library and slides as a static site. Nothing is executed.

The pages are laid out and made into HTML by the Sphinx project in ``site/``; it needs the packages of
``site/requirements.lock``, which ``workbook.py site`` installs beside the others when it is first called.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

from regionbook.cli.doctor import chromium
from regionbook.cli.notebooks import select
from regionbook.paths import ROOT

BUILD = ROOT / "build" / "site"
NEEDS = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_design", "sphinx_copybutton", "brotli")
MATH_DONE = "() => !window.MathJax || MathJax.startup.promise.then(() => true)"
SLIDES_DONE = "() => document.querySelector('.pdf-page')"
MARK = ".regionbook-site"
"""A file in every site that this command wrote: such a folder may be replaced, another one not."""


def site(
    to: str = "",
    edition: str = "student",
    open_it: bool = False,
    set_up: bool = False,
    pdf: list[str] | None = None,
) -> int:
    """Make the site, and of the named lessons PDFs; the exit code is 0 if all was made."""
    if not all(map(importlib.util.find_spec, NEEDS)):
        print("The packages of the site are not here. Run: python3 workbook.py site", file=sys.stderr)
        return 1
    if set_up:
        return 0
    lessons = None if pdf is None else select(pdf)  # a wrong name is told before the site is made
    target = Path(to).resolve() if to else BUILD / "html"
    if target.exists() and not (target / MARK).exists() and (not target.is_dir() or any(target.iterdir())):
        print(f"{target} is no site of this command: name an empty or a new folder.", file=sys.stderr)
        return 1
    start = time.monotonic()
    made = build(edition)
    if made is None:
        print("The site was not made; what stands above says why.", file=sys.stderr)
        return 1
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(made, target)
    pages = sum(1 for _ in target.rglob("*.html"))
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file()) / 1e6
    seconds = time.monotonic() - start
    print(f"{pages} pages, {size:.0f} MB, {seconds:.0f} s, {edition}'s edition: {target / 'index.html'}")
    if edition == "lecturer":
        print("It holds the solutions: do not publish it where students read.")
    if open_it:
        webbrowser.open((target / "index.html").as_uri())
    return 0 if lessons is None else print_pages(target, lessons)


def build(edition: str) -> Path | None:
    """Folder of finished HTML; None if Sphinx gave up."""
    shutil.rmtree(BUILD / edition, ignore_errors=True)
    pages = BUILD / edition / "pages"
    html = BUILD / edition / "made" / "html"  # a folder of pictures comes beside it
    pages.mkdir(parents=True)
    command = [sys.executable, "-P", "-m", "sphinx", "-q", "--keep-going", "-b", "html", "-j", "auto", "-E"]
    command += ["-c", str(ROOT / "site"), "-d", str(BUILD / edition / "trees"), str(pages), str(html)]
    env = os.environ | {"REGIONBOOK_EDITION": edition, "PYTHONUTF8": "1"}
    if subprocess.run(command, env=env, check=False).returncode:
        return None
    (html / MARK).touch()
    (html / ".nojekyll").touch()  # else GitHub's pages leave out folders that begin with _
    return html


def print_pages(html: Path, lessons: list[Path]) -> int:
    """A PDF of each lesson (A4) and of its slides, in the folder ``pdf`` of the site; by Chromium or Chrome."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        print("PDFs need Chromium or Chrome; none was found. Or print from your browser.", file=sys.stderr)
        return 1
    ways = (("chapters", "", "", MATH_DONE), ("slides", "?print-pdf", "-slides", SLIDES_DONE))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for lesson in (
            md.relative_to(ROOT / "chapters") for md in lessons if ROOT / "chapters" in md.parents
        ):
            for kind, query, end, done in ways:
                page.goto((html / kind / lesson.with_suffix(".html")).as_uri() + query)
                page.wait_for_function(done, timeout=60_000)
                target = html / "pdf" / f"{lesson.parent.name}-{lesson.stem}{end}.pdf"
                page.pdf(path=target, prefer_css_page_size=True, print_background=True)
                print(target)
    return 0
