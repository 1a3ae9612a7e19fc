"""What a lesson may weigh: words, code in sight, figures. The first five chapters are still to be split."""

import json
import re

import pytest

from regionbook.cli import notebooks as nbs

LIMITS = {"words": 2_000, "code lines": 150, "lines in a cell": 20, "figures": 5}
LESSONS = [md for md in nbs.sources() if md.parent.parent.name == "chapters" and md.parent.name >= "05"]


@pytest.mark.parametrize("md", LESSONS, ids=nbs.label)
def test_a_lesson_is_inside_the_limits(md):
    cells = json.loads(md.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    text = " ".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    code = [c for c in cells if c["cell_type"] == "code"]
    lines = [sum(bool(line.strip()) for line in "".join(c["source"]).splitlines()) for c in code]
    words = sum(bool(re.search("[A-Za-z]", word)) for word in text.split())
    figures = sum("image/png" in out.get("data", {}) for c in code for out in c["outputs"])
    has = dict(zip(LIMITS, (words, sum(lines), max(lines), figures), strict=True))
    assert all(has[k] <= limit for k, limit in LIMITS.items()), has
