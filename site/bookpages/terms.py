"""Links from lessons to the glossary: the first use of a term on a page leads to its meaning.

A term of several words is linked on every page, one of a single word from the lesson that explains it to the end of its
chapter: elsewhere the word may be an ordinary one.
"""

import re
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

GLOSSARY = "chapters/glossary"
KEPT = (
    nodes.reference,
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
)
"""No links in there."""


class Term(NamedTuple):
    """A row of the glossary: its anchor, Chinese, meaning, and the page that explains it."""

    anchor: str
    chinese: str
    meaning: str
    explained: str


def names(english: str) -> list[str]:
    """How a text may call a term: without what stands in brackets, each of two names by itself.

    >>> names("channel (mediator)"), names("city part / own part of a flow")
    (['channel'], ['city part', 'own part of a flow'])
    """
    plain = re.sub(r"\s*\([^)]*\)", "", english)
    return [name.strip() for name in plain.split(" / ")]


def glossary_of(doctree: nodes.document) -> dict[str, Term]:
    """Terms of the glossary's page by name in small letters; its rows get anchors."""
    found = {}
    for row in doctree.findall(nodes.row):
        cells = [cell.astext() for cell in row.children]
        if len(cells) != 4 or isinstance(row.parent, nodes.thead):
            continue
        anchor = "term-" + nodes.make_id(cells[0])
        row["ids"].append(anchor)
        target = next((x["reftarget"] for x in row.findall(addnodes.pending_xref)), "")
        page = re.sub(r"\.ipynb$", "", target.removeprefix("/"))
        page = page if page.startswith("chapters/") else f"chapters/{page}"
        for name in names(cells[0]):
            found[name.lower()] = Term(anchor, cells[1], cells[2], page)
    return found


def wanted(name: str, term: Term, page: str) -> bool:
    """Whether a page links a term."""
    if " " in name or "–" in name:
        return True
    return term.explained.rsplit("/", 1)[0] == page.rsplit("/", 1)[0] and page >= term.explained


def remember(app: Any, doctree: nodes.document) -> None:
    """Read the glossary before any page is written."""
    if app.env.docname == GLOSSARY:
        app.env.book_terms = glossary_of(doctree)


def merge(app: Sphinx, env: Any, docnames: set[str], other: Any) -> None:
    """Take the glossary over from the process that read it."""
    if hasattr(other, "book_terms"):
        env.book_terms = other.book_terms


def link(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link first uses on one page."""
    known: dict[str, Term] = getattr(app.env, "book_terms", {})
    here = {name: term for name, term in known.items() if wanted(name, term, page)}
    if not page.startswith(("chapters/", "exercises/")) or page == GLOSSARY or not here:
        return
    longest = "|".join(re.escape(name) for name in sorted(here, key=len, reverse=True))
    word = re.compile(rf"(?<![\w-])({longest})(s?)(?![\w-])", re.I)
    used: set[str] = set()
    address = app.builder.get_relative_uri(page, GLOSSARY)
    for text in list(doctree.findall(nodes.Text)):
        above, inside = text.parent, False
        while above is not None and not inside:
            inside, above = isinstance(above, KEPT), above.parent
        if inside:
            continue
        parts: list[nodes.Node] = []
        at = 0
        for found in word.finditer(text):
            term = here[found[1].lower()]
            if term.anchor in used:
                continue
            used.add(term.anchor)
            shown = nodes.reference(
                "", found[0], internal=True, refuri=f"{address}#{term.anchor}", classes=["term"],
                reftitle=f"{term.chinese}: {term.meaning}",
            )  # fmt: skip
            parts += [nodes.Text(text[at : found.start()]), shown]
            at = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-read", remember)
    app.connect("env-merge-info", merge)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
