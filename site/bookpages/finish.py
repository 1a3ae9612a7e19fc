"""What Sphinx and the theme leave to do: fonts, slides, previews in messages, the notebooks behind the download button."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

from fontTools import subset
from sphinx.application import Sphinx

from bookpages.decks import deck, teaching
from bookpages.notebooks import read
from bookpages.written import entries
from regionbook.catalogue import lessons
from regionbook.cli.readme import chapter_name
from regionbook.look import FONT_FILE
from regionbook.paths import ROOT

FONT = "regionbook-sans-sc.woff2"
HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")


def font_of(pages: list[Path], target: Path) -> None:
    """The workbook's Chinese font with the characters that the pages use: 1.5 MB become a tenth."""
    used = {c for page in pages for c in HAN.findall(page.read_text(encoding="utf-8"))}
    options = subset.Options(flavor="woff2", desubroutinize=True, notdef_outline=True)
    font = subset.load_font(str(FONT_FILE), options)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=map(ord, used))
    cut.subset(font)
    subset.save_font(font, str(target), options)


def bars(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """In docstrings |t| is a modulus, no substitution of reStructuredText."""
    lines[:] = [re.sub(r"(`+[^`]*`+)|\|", lambda found: found[1] or r"\|", line) for line in entries(lines)]


def slides(out: Path, edition: str) -> None:
    """A deck for each lesson; in the lecturer's edition with the instructor's page for the speaker."""
    for row in lessons().table.itertuples():
        page = ROOT / "solutions" / row.path.parent.name / "teaching.md"
        known = teaching(page.read_text(encoding="utf-8")) if edition == "lecturer" and page.exists() else {}
        target = out / "slides" / row.path.parent.name / f"{row.path.stem}.html"
        chapter = f"{chapter_name(row.chapter)} {row.number}"
        made = deck(
            read(row.path.with_suffix(".ipynb")), chapter, out / "_images", known.get(str(row.number), "")
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(made, encoding="utf-8", newline="\n")


def button(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Slides beside the other buttons of a lesson."""
    if re.match(r"chapters/\d", page):
        context["header_buttons"].append({
            "type": "link", "url": context["pathto"](page.replace("chapters/", "slides/", 1) + ".html", 1),
            "icon": "fas fa-person-chalkboard", "tooltip": "Slides of this lesson", "label": "slides-button",
        })  # fmt: skip


def finish(app: Sphinx, error: Exception | None) -> None:
    """Fonts, and the notebooks of the repository in place of those laid out for pages."""
    out = Path(app.outdir)
    if error:
        return
    for page in (out / "_sources").rglob("*.ipynb"):
        shutil.copy(ROOT / page.relative_to(out / "_sources"), page)
    slides(out, os.environ.get("REGIONBOOK_EDITION", "student"))
    shutil.copy(ROOT / "chapters" / "lesson.png", out / "_static" / "lesson.png")
    font_of(sorted(out.rglob("*.html")), out / "_static" / FONT)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("autodoc-process-docstring", bars, priority=400)  # before napoleon
    app.connect("html-page-context", button, priority=502)  # after the theme's own
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
