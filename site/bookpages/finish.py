"""What Sphinx and the theme leave to do: fonts, slides, previews in messages, the notebooks behind the download button."""

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools import subset
from sphinx.application import Sphinx

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


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """A preview for messages: title, first paragraph, first figure."""
    first = next((p.astext() for p in doctree.findall(nodes.paragraph)), "") if doctree else ""
    title = re.sub(r"<[^>]+>", "", context.get("title", ""))
    words = " ".join(first.split())
    words = words if len(words) < 200 else words[:197].rsplit(" ", 1)[0] + " …"
    picture = next((i["uri"] for i in doctree.findall(nodes.image)), "") if doctree else ""
    facts = {"og:type": "article", "og:site_name": "regionbook", "og:title": title, "og:description": words}


def bars(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """In docstrings |t| is a modulus, no substitution of reStructuredText."""
    lines[:] = [re.sub(r"(`+[^`]*`+)|\|", lambda found: found[1] or r"\|", line) for line in lines]


def finish(app: Sphinx, error: Exception | None) -> None:
    """Fonts, and the notebooks of the repository in place of those laid out for pages."""
    out = Path(app.outdir)
    if error:
        return
    for page in (out / "_sources").rglob("*.ipynb"):
        shutil.copy(ROOT / page.relative_to(out / "_sources"), page)
    font_of(sorted(out.rglob("*.html")), out / "_static" / FONT)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("autodoc-process-docstring", bars, priority=400)  # before napoleon
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
