"""Command ``load``: what each lesson asks of a reader, beside the limits."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from regionbook.catalogue import lessons

LIMITS = {"words": 2_000, "code lines": 150, "lines in a cell": 20, "figures": 5, "terms": 8, "minutes": 45}
"""At most, in a lesson that is read in one sitting."""
_TERM = re.compile(r"\*\*[^*\n]+\*\*\s*[(（][一-鿿]")  # bold, with its Chinese name


def measured(notebook: Path) -> dict[str, int]:
    """What a lesson holds, counted in its notebook, outputs included.

    Words hold a letter; terms are those set in bold with a Chinese name behind. Minutes: 150 words, 12 lines of code or
    30 lines of output each, one for a figure and one and a half for a displayed formula.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    code = [c for c in cells if c["cell_type"] == "code"]
    lines = [sum(bool(line.strip()) for line in "".join(c["source"]).splitlines()) for c in code]
    outputs = [out for c in code for out in c["outputs"]]
    words = sum(bool(re.search("[A-Za-z]", word)) for word in text.split())
    figures = sum("image/png" in out.get("data", {}) for out in outputs)
    formulas = len(re.findall(r"\$\$.+?\$\$", text, re.S))
    minutes = words / 150 + sum(lines) / 12 + figures + 1.5 * formulas + sum(map(_lines, outputs)) / 30
    counts = (words, sum(lines), max(lines, default=0), figures, len(_TERM.findall(text)), round(minutes))
    return dict(zip(LIMITS, counts, strict=True))


def _lines(out: dict[str, Any]) -> int:
    data = out.get("data", {})
    if "text/html" in data:
        html = "".join(data["text/html"])
        return html.count("<tr") or len(re.findall("<p|<br", html)) + 1
    shown = "".join(data.get("text/plain", "") or out.get("text", "") or out.get("evalue", ""))
    return len(shown.splitlines())


def table() -> pd.DataFrame:
    """One row a lesson, by ``NN-slug/N-name``: `measured`, and the minutes that the lesson states."""
    rows = {}
    for lesson in lessons().table.itertuples():
        name = f"{lesson.path.parent.name}/{lesson.path.stem}"
        rows[name] = measured(lesson.path.with_suffix(".ipynb")) | {"stated": lesson.minutes}
    return pd.DataFrame(rows).T


def main() -> int:
    """Print the table; a number above its limit has an exclamation mark."""
    found = table()
    shown = found.astype(str)
    for what, limit in LIMITS.items():
        shown[what] = [f"{n} !" if n > limit else f"{n}  " for n in found[what]]
    limits = pd.DataFrame({k: f"{v}  " for k, v in LIMITS.items()} | {"stated": ""}, index=["limit"])
    print(pd.concat([shown, limits]).to_string())
    over = (found[list(LIMITS)] > pd.Series(LIMITS)).any(axis=1)
    print(f"{over.sum()} of {len(found)} lessons are above a limit.")
    return 0
