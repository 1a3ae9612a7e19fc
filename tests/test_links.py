"""Links and pictures of the documents and lessons point at something (local ones; the web is not asked)."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT

DOCUMENTS = [
    p
    for p in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "data" / "README.md",
        ROOT / "solutions" / "TEACHING.md",
    )
    if p.exists()
]
PAGES = DOCUMENTS + sorted(p for f in ("chapters", "solutions") for p in (ROOT / f).glob("*/*.md"))
LINK = re.compile(r"""!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|(?:src|href)=["']([^"']+)["']""")


def links(text: str) -> list[str]:
    """Local targets; code and formulas are no links."""
    text = re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.S | re.M)
    text = re.sub(r"\$\$.*?\$\$|`[^`\n]*`", "", text, flags=re.S)
    found = [a or b for a, b in LINK.findall(text)]
    return [t for t in found if not re.match(r"[a-z][a-z0-9+.-]*:|//", t)]


def anchor(heading: str) -> str:
    """The name that GitHub and JupyterLab give to a heading, in the spelling of GitHub."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"`|\*|_(?=\w)", "", heading).strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_resolve(page):
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in links(text):
        path, _, section = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or not file.is_relative_to(ROOT):
            broken.append(target)
        elif section and file.suffix == ".md":
            there = {anchor(h) for h in re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)}
            if section.lower() not in there:
                broken.append(target)
    assert not broken, f"point at nothing: {broken}"


def test_links_are_found():
    text = 'a [b](c.md "d") ![e](f.png)\n```\n[no](no.md)\n```\n`[no](no.md)` <img src="g.png"> [w](https://x.org) [h](#sec)'
    assert links(text) == ["c.md", "f.png", "g.png", "#sec"]
    assert anchor("Where `new` code goes") == "where-new-code-goes"


@pytest.mark.parametrize("md", nbs.sources(), ids=nbs.label)
def test_no_address_of_one_machine(md):
    """A path on the disk of the one who wrote the lesson helps nobody else."""
    assert not re.search(r"(?<![\w.])/(?:tmp|home|root|work|Users)/", md.read_text(encoding="utf-8"))
