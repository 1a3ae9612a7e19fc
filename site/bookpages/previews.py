"""What a message shows of a page whose address it holds: title, first paragraph and, for lessons, a card with a figure.

Such previews need whole addresses: they are made if ``REGIONBOOK_URL`` says where the site will be.
"""

import os
import re
import textwrap
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image, ImageDraw, ImageFont
from sphinx.application import Sphinx

from regionbook.look import FONT_FILE

SIZE = (1200, 630)
URL = os.environ.get("REGIONBOOK_URL", "").rstrip("/")


def card(title: str, figure: Path | None, target: Path) -> None:
    """A picture with the title above the lesson's first figure."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    lines = textwrap.wrap(title, 44)[:3]
    for k, line in enumerate(lines):
        draw.text((50, 36 + 58 * k), line, font=ImageFont.truetype(str(FONT_FILE), 46), fill="#004488")
    draw.text((50, 582), "regionbook", font=ImageFont.truetype(str(FONT_FILE), 26), fill="#666666")
    if figure:
        top = 60 + 58 * len(lines)
        with Image.open(figure) as found:
            small = found.convert("RGB")
            small.thumbnail((SIZE[0] - 100, SIZE[1] - top - 60))
        picture.paste(small, ((SIZE[0] - small.width) // 2, top))
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(64, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tags for the head of a page."""
    if doctree is None:
        return
    words = next((p.astext() for p in doctree.findall(nodes.paragraph)), "")
    title = next((t.astext() for t in doctree.findall(nodes.title)), "regionbook")
    facts = {"og:type": "article", "og:site_name": "regionbook", "og:title": title}
    facts["og:description"] = textwrap.shorten(words, 200, placeholder=" …")
    context["metatags"] += f'<meta name="description" content="{escape(facts["og:description"])}">\n'
    if URL:
        facts["og:url"] = f"{URL}/{page}.html"
        name = f"_static/cards/{page}.png"
        if re.match(r"chapters/\d", page):
            sources = {
                target: source for source, target in app.builder.images.items()
            }  # files by their public name
            figures = (sources.get(Path(image["uri"]).name) for image in doctree.findall(nodes.image))
            first = next((Path(app.srcdir) / f for f in figures if f), None)
            card(title, first, Path(app.outdir) / name)
            facts["og:image"] = f"{URL}/{name}"
            context["metatags"] += '<meta name="twitter:card" content="summary_large_image">\n'
        else:
            facts["og:image"] = f"{URL}/_static/lesson.png"
    tags = (f'<meta property="{name}" content="{escape(text)}">\n' for name, text in facts.items())
    context["metatags"] += "".join(tags)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
