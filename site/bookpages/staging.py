"""The folder of pages that Sphinx reads, laid out from the stored notebooks and the documents. Nothing is executed."""

import json
import os
import posixpath
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regionbook as rb
from bookpages.notebooks import page_of, read, sheet
from bookpages.written import api, home, paper_page, write
from regionbook.catalogue import lessons
from regionbook.data import papers
from regionbook.paths import ROOT

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/README.md",
    "chapters/glossary.md",
    "site/README.md",
]
_FENCED = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.M | re.S)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def lead_home(source: str, folder: str, out: Path, repository: str) -> str:
    """The text with links to what is no page here leading to the repository, or nowhere if it has no address."""

    def link(found: re.Match[str]) -> str:
        target, _, section = found[3].partition("#")
        place = posixpath.normpath(posixpath.join(folder, target))
        local = re.match(r"\w+:|#", found[3]) or (out / place).exists()
        if local or not (ROOT / place).exists():  # what points at nothing is for Sphinx to say
            return found[0]
        if not repository or place.startswith("solutions"):
            return found[2]
        return f"[{found[2]}]({repository}/blob/main/{place}{'#' * bool(section)}{section})"

    parts = _FENCED.split(source)[::2]
    code = [*(found[0] for found in _FENCED.finditer(source)), ""]
    return "".join(_LINK.sub(link, part) + kept for part, kept in zip(parts, code, strict=True))


def notebooks_of(out: Path, edition: str) -> None:
    """Lessons and sheets, for lecturers with their solutions and the instructors' pages.

    Raises
    ------
    ValueError
        If a solution has no place on its sheet.
    """
    for path in sorted(ROOT.glob("chapters/*/*.ipynb")):
        write(out / path.relative_to(ROOT), json.dumps(page_of(read(path)), ensure_ascii=False))
    for path in sorted(ROOT.glob("exercises/*/*.ipynb")):
        page = read(path)
        if edition == "lecturer":
            page = sheet(page, read(ROOT / "solutions" / path.relative_to(ROOT / "exercises")))
        write(out / path.relative_to(ROOT), json.dumps(page_of(page), ensure_ascii=False))
    if edition == "lecturer":
        for path in sorted(ROOT.glob("solutions/*/teaching.md")):
            write(out / path.relative_to(ROOT), path.read_text(encoding="utf-8"))


def stage(out: Path, edition: str = "student", repository: str = "") -> None:
    """Lay out the pages of an edition in an empty folder."""
    shutil.rmtree(out, ignore_errors=True)
    known = lessons().table
    notebooks_of(out, edition)
    for name in DOCUMENTS:
        write(out / name, (ROOT / name).read_text(encoding="utf-8"))
    shutil.copy(ROOT / "chapters/lesson.png", out / "chapters/lesson.png")
    cells = rb.scorecard(json=True)["cells"]
    for slug in dict.fromkeys([*known["chapter"], *papers().index]):
        paper_page(slug, known[known["chapter"] == slug], [c for c in cells if c["slug"] == slug], out)
    reference = [("Glossary 术语表", "chapters/glossary"), *api(out), ("The workbook", "README")]
    reference += [
        ("Data", "data/README"),
        ("Contributing", "CONTRIBUTING"),
        ("Changes", "CHANGELOG"),
        ("This site", "site/README"),
    ]
    home(known, out, reference)
    for path in out.rglob("*.md"):
        folder = path.relative_to(out).parent.as_posix()
        write(path, lead_home(path.read_text(encoding="utf-8"), folder, out, repository))


def setup(app: "Sphinx") -> dict[str, Any]:
    """Lay out the pages before Sphinx looks for them."""
    repository = app.config.html_theme_options["repository_url"]
    edition = os.environ.get("REGIONBOOK_EDITION", "student")
    app.connect("builder-inited", lambda app: stage(Path(app.srcdir), edition, repository))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
