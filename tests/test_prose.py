"""Decimals in the prose of a lesson stand in an output, in its code or in print, so that they cannot drift apart.

A decimal is found if, rounded to its own digits, it is a number of the notebook's code, of `data/published/` (the
lesson's paper, and those that its code names), of a calculation that the prose spells out left of a sign of equality,
or of an output; 100 times as much or as little only in a sentence with "%" or "per cent". One or two significant digits must be
printed above the paragraph or in the cell that follows (a guess); longer ones anywhere, since puzzles come first.
What stands nowhere is listed in `prose.csv` with the reason.

This cannot see whole numbers, signs, words, pictures, or whether it is the right number that agrees. A last digit that
moves by one is noticed for a tenth of the decimals with one significant digit, 4 in 10 with two, 3 in 4 with three or
more; half of all. Numbers of a calculation must be found too.
"""

import csv
import json
import math
import re
from functools import cache

import numpy as np
import pytest

from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT

LESSONS = [md for md in nbs.sources() if md.parent.parent.name == "chapters"]
LISTED = list(csv.DictReader((ROOT / "tests/prose.csv").read_text(encoding="utf-8").splitlines()))
PUBLISHED = ROOT / "data/published"
NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+")
DECIMAL = re.compile(r"(?<!section )(?<![\w.,^])\d[\d,]*\.\d+(?!\d|\.\d)")
STOP = r"[.;?!|] |\n|</"
PLAIN = {  # LaTeX and typography to Python
    r"\\(?:left|right|big|[,;!:])|[$`]|\{,\}|(?<=\d),(?=\d{3})": "",
    r"\\sqrt\{([^{}]*)\}": r"sqrt(\1)",
    r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}": r"((\1)/(\2))",
    r"\\?\bln\s*([\d.]+)": r"log(\1)",
    r"\\ln\s*\(": "log(",
    r"\\(?:times|cdot)(?![a-z])|×|·": "*",
    r"−|–": "-",
    r"\^\{?([\d.]+)\}?": r"**\1",
    r"(?<=[\d)])\s*(?=log|sqrt)": "*",
}


def numbers(text):
    return {float(m[0].replace(",", "")) for m in NUMBER.finditer(re.sub("<[^>]+>", " ", text))}


def calculated(text):
    for pattern, plain in PLAIN.items():
        text = re.sub(pattern, plain, text)
    for left in re.split(r"=|≈|\\approx", text)[:-1]:
        left = re.search(r"(?:sqrt|log|(?<![a-z])e(?=\*)|[\d.+\-*/() ])*$", left)[0]
        while re.search(r"[\d)]\s*[-+*/]|sqrt|log", left):
            try:
                yield abs(float(eval(left.strip(), {"__builtins__": {}} | vars(math))))
                break
            except (SyntaxError, TypeError, ArithmeticError, ValueError):
                left = left[1:]


@cache
def in_print(slug):
    texts = (file.read_text(encoding="utf-8").replace(",", " ") for file in (PUBLISHED / slug).glob("*.csv"))
    return set().union(*map(numbers, texts))


def printed(cell):
    outs = [part for out in cell.get("outputs", []) for part in (out, out.get("data", {}))]
    kinds = "text", "text/plain", "text/html", "traceback"
    return numbers("\n".join("".join(part.get(kind, "")) for part in outs for kind in kinds))


def unfound(folder, cells):
    """Decimals of the prose that stand nowhere else, each with the words around it."""
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    prose = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    papers = {p.name for p in PUBLISHED.iterdir() if p.is_dir() and (p.name in code or p.name == folder[3:])}
    known = numbers(code).union(calculated(prose), *map(in_print, papers))
    everywhere = known.union(*map(printed, cells))
    for i, cell in enumerate(cells):
        known |= printed(cell)
        next_cell = next((printed(c) for c in cells[i:] if c["cell_type"] == "code"), set())
        text = re.split(r"^(?:## |\*\*)References", "".join(cell["source"]), flags=re.M)[0]
        text = re.sub(r"\]\([^)]*\)", "]", text) if cell["cell_type"] == "markdown" else ""
        for m in DECIMAL.finditer(text):
            value, short = float(m[0].replace(",", "")), len(re.sub(r"[.,]", "", m[0]).lstrip("0")) < 3
            sentence = re.split(STOP, text[: m.start()])[-1] + re.split(STOP, text[m.start() :])[0]
            scales = [1, 100, 0.01] if re.search("%|per cent", sentence) else [1]
            source = np.array([*(known | next_cell if short else everywhere)])[:, None] * scales
            if not (np.abs(source - value) <= 0.50001 * 10.0 ** -len(m[0].split(".")[1])).any():
                yield m[0], " ".join(text[max(0, m.start() - 60) : m.end() + 30].split())


@pytest.mark.parametrize("md", LESSONS, ids=nbs.label)
def test_every_decimal_stands_somewhere_else(md):
    cells = json.loads(md.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    missing = list(unfound(md.parent.name, cells))
    listed = {row["number"] for row in LISTED if row["lesson"] == f"{md.parent.name}/{md.stem}"}
    new = [f"{number} | {words}" for number, words in missing if number not in listed]
    assert not new, "print it in a cell above, correct it, or list it in tests/prose.csv:\n" + "\n".join(new)
    assert listed <= {number for number, _ in missing}, "take out of tests/prose.csv what is found"


def test_every_row_names_a_lesson_and_a_reason():
    known = {f"{md.parent.name}/{md.stem}" for md in LESSONS}
    assert all(row["lesson"] in known and row["number"] and row["reason"] for row in LISTED)


def test_a_changed_number_is_noticed():
    def prose(text):
        return {"cell_type": "markdown", "source": [text]}

    def code(*texts):
        return {"cell_type": "code", "source": [], "outputs": [{"data": {"text/html": texts}}]}

    def missed(*cells):
        return [number for number, _ in unfound("00-none", cells)]

    assert missed(
        prose("It is 0.0790, 7.9 %, [A](x.md) 1.23.\n## References\n9.9"), code("<td>0.0790</td>")
    ) == ["1.23"]
    assert missed(prose("It is 0.0791, 8.0 %."), code("<td>0.0790</td>")) == ["0.0791", "8.0"]
    assert missed(prose("It is 0.0790, or 7.90."), code("<td>0.0790</td>")) == ["7.90"]
    assert missed(prose("0.0790 may be a puzzle, 0.08 not."), code(), code("0.0790")) == ["0.08"]


def test_calculations_are_evaluated():
    said = r"0.9/1.1 = 0.82; $\frac{329}{\sqrt{330}}=18.1$; $-2\ln\!\big(1-\sqrt{1-0.05}\big) = 7.35$; "
    said += r"$(0.0143/0.0034)^2 \approx 17.7$; $773{,}145/43{,}660≈17.7$; ln 31 − ln 4 = 2.05, and p = 0.3."
    assert [round(value, 2) for value in calculated(said)] == [0.82, 18.11, 7.35, 17.69, 17.71, 2.05]


def test_a_changed_number_of_a_lesson_is_noticed():
    lesson = (ROOT / "chapters/02-industry-agglomeration/2b-geography.ipynb").read_text(encoding="utf-8")
    cells = json.loads(lesson.replace("direct effect of 0.0225", "direct effect of 0.0226"))["cells"]
    assert [number for number, _ in unfound("02-industry-agglomeration", cells)] == ["0.0226"]
