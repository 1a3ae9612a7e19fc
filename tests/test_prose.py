"""Decimals in the prose of a lesson stand in an output, in its code or in print, so that they cannot drift apart.

A decimal is found if, rounded to its own digits, it is a number of the notebook's code, of `data/published/<paper>/`
(the lesson's paper, and those that its code names), of a calculation spelled out left of a sign of equality in the
same lesson, or of an output; as it stands, or 100 times as much or as little (per cent). A decimal of one or two
significant digits must be printed above its paragraph, a longer one anywhere in the notebook, since puzzles come
first. The rest is listed in `prose.csv` with a reason.

What this cannot see: whole numbers, signs and words; whether it is the *right* number that agrees. A last digit
that moves by one is noticed for nearly all decimals of four significant digits, but seldom for two: 0.5 is anywhere.
"""

from __future__ import annotations

import csv
import json
import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT

LESSONS = [md for md in nbs.sources() if md.parent.parent.name == "chapters"]
LISTED = list(csv.DictReader((ROOT / "tests/prose.csv").read_text(encoding="utf-8").splitlines()))
NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+")
DECIMAL = re.compile(r"(?<![\w.,/^])\d[\d,]*\.\d+(?!\d|\.\d)")
CALCULATION = re.compile(r"(?:sqrt|log|(?<![a-z])e(?=\*)|[\d.+\-*/() ])+$")
PLAIN = [  # LaTeX and typography to Python
    (r"\\(?:left|right|big|[,;!:])|[$`]", ""),
    (r"\{,\}|(?<=\d),(?=\d{3})", ""),
    (r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)"),
    (r"\\?\bln\s*([\d.]+)", r"log(\1)"),
    (r"\\ln\s*\(", "log("),
    (r"\\(?:times|cdot)\b|×|·", "*"),
    (r"−|–", "-"),
    (r"\^\{?([\d.]+)\}?|²", lambda m: f"**{m[1] or 2}"),
    (r"(?<=[\d)])\s*(?=log|sqrt)", "*"),
]


def numbers(text: str) -> set[float]:
    return {float(m[0].replace(",", "")) for m in NUMBER.finditer(re.sub("<[^>]+>", " ", text))}


def calculated(text: str) -> set[float]:
    """Values of the calculations that stand left of a sign of equality."""
    for pattern, plain in PLAIN:
        text = re.sub(pattern, plain, text)
    found = set()
    for left in re.split(r"=|≈|\\approx", text)[:-1]:
        sum_ = (m := CALCULATION.search(left)) and m[0].strip()
        while sum_ and re.search(r"[\d)]\s*[-+*/]|sqrt|log", sum_):
            try:
                found.add(abs(float(eval(sum_, {"__builtins__": {}, "sqrt": math.sqrt, "log": math.log, "e": math.e}))))
                break
            except (SyntaxError, TypeError, ArithmeticError, ValueError):
                sum_ = sum_[1:].lstrip()
    return found


@cache
def in_print(slug: str) -> frozenset[float]:
    files = (ROOT / "data/published" / slug).glob("*.csv")
    return frozenset().union(*(numbers(file.read_text(encoding="utf-8").replace(",", " ")) for file in files))


def printed(cell: dict) -> str:
    parts = []
    for out in cell.get("outputs", []):
        data = out.get("data", {})
        parts += [out.get("text", ""), *data.get("text/plain", ""), "\n", *data.get("text/html", ""), *out.get("traceback", "")]
    return "".join("".join(part) for part in parts)


def unfound(folder: str, cells: list[dict]) -> list[tuple[str, str]]:
    """Decimals of the prose that stand nowhere else, each with the words around it."""
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    said = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    papers = {p.name for p in (ROOT / "data/published").iterdir() if p.name in code or p.name == folder[3:]}
    known = numbers(code).union(calculated(said), *map(in_print, papers))
    everywhere = np.array(sorted(known.union(*(numbers(printed(c)) for c in cells))))
    missing = []
    for cell in cells:
        if cell["cell_type"] == "code":
            known |= numbers(printed(cell))
            continue
        above, text = np.array(sorted(known)), "".join(cell["source"])
        text = re.sub(r"\]\([^)]*\)", "]", re.split(r"^(?:## |\*\*)References", text, flags=re.M)[0])
        for m in DECIMAL.finditer(text):
            value, digits = float(m[0].replace(",", "")), len(m[0].split(".")[1])
            source = above if len(re.sub(r"[.,]", "", m[0]).lstrip("0")) < 3 else everywhere
            if not any(np.any(np.abs(source * k - value) <= 0.50001 * 10.0**-digits) for k in (1, 100, 0.01)):
                missing.append((m[0], " ".join(text[max(0, m.start() - 60) : m.end() + 30].split())))
    return missing


def cells_of(md: Path) -> list[dict]:
    return json.loads(md.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("md", LESSONS, ids=nbs.label)
def test_every_decimal_stands_somewhere_else(md):
    missing = unfound(md.parent.name, cells_of(md))
    listed = {row["number"] for row in LISTED if row["lesson"] == f"{md.parent.name}/{md.stem}"}
    new = [f"{number} | {words}" for number, words in missing if number not in listed]
    assert not new, "print it in a cell above, correct it, or list it in tests/prose.csv:\n" + "\n".join(new)
    assert listed <= {number for number, _ in missing}, "take these rows out of tests/prose.csv"
