"""The list of pages at the side: chapters by part, and of the chapter one reads the lessons and sheets.

The theme makes the same from Sphinx's tables of contents, page by page, in a third of the whole time.
"""

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

Entries = list[tuple[str, str]]
PARTS: list[tuple[str, Entries]] = []
INSIDE: dict[str, Entries] = {}


def collect(app: Sphinx, env: Any) -> None:
    """Read the lists of pages from the first page and from those that it names."""
    PARTS.clear()
    INSIDE.clear()
    for tree in env.get_doctree("index").findall(addnodes.toctree):
        PARTS.append((tree["caption"], tree["entries"]))
        for _, page in tree["entries"]:
            INSIDE[page] = [e for t in env.get_doctree(page).findall(addnodes.toctree) for e in t["entries"]]


def show(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give a page its list."""

    def item(name: str, target: str, inner: str = "") -> str:
        here = " current active" if target == page else ""
        link = f'<a class="reference internal{here}" href="{context["pathto"](target)}">{escape(re.sub("[$*`]", "", name))}</a>'
        return f'<li class="toctree-l{1 + (not inner and target not in INSIDE)}{here}">{link}{inner}</li>'

    parts = []
    for caption, entries in PARTS:
        items = []
        for name, target in entries:
            inside = INSIDE[target]
            open_ = page == target or any(page == below for _, below in inside)
            inner = "".join(item(*entry) for entry in inside) if open_ else ""
            items.append(item(name, target, f"<ul>{inner}</ul>" if inner else ""))
        parts.append(f'<p class="caption"><span class="caption-text">{escape(caption)}</span></p>')
        parts.append(f'<ul class="nav bd-sidenav">{"".join(items)}</ul>')
    context["chapters"] = f'<div class="bd-toc-item navbar-nav">{"".join(parts)}</div>'


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("env-updated", collect)
    app.connect("html-page-context", show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
