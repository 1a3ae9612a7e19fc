"""The instructors' pages: a section for each sheet, and the points that the sheet gives."""

import re

import nbformat
import pytest

from regionbook.paths import ROOT

PAGES = sorted((ROOT / "solutions").glob("*/teaching.md"))


def points(sheet):
    """All points of a sheet, from its cells."""
    cells = nbformat.read(sheet, as_version=4).cells
    return sum(c.metadata.get("nbgrader", {}).get("points", 0) for c in cells)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_a_page_has_every_sheet_with_its_points(page):
    sections = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.M)[1:]
    by_number = {section.split()[0]: section for section in sections}
    for sheet in sorted(page.parent.glob("*.ipynb")):
        section = by_number[sheet.stem.split("-")[0]]
        total = re.search(r"\*\*Sheet\.\*\* (\d+) points", section)
        rows = re.findall(r"^\| points \|(.*)\|$", section, flags=re.M)
        if total:
            assert int(total[1]) == points(sheet), sheet.stem
        if rows:  # a cell such as "5 (3 written)" begins with its points
            assert sum(int(cell.split()[0]) for cell in rows[0].split("|")) == points(sheet), sheet.stem
