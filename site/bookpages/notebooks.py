"""Notebooks as web pages: what only JupyterLab reads is left out; solutions are folded below their cells."""

import ast
import json
import re
from html import escape, unescape
from pathlib import Path
from typing import Any, TypeAlias

Notebook: TypeAlias = dict[str, Any]
COMPARED = "application/vnd.regionbook.compare+json"
MOVES = (
    ":::{div} moves\nThe controls of this picture move in JupyterLab; here you see where they start.\n:::\n"
)
_TO_PAGE = re.compile(r'(href="(?!https?:)[^"#]+)\.ipynb((?:#[^"]*)?")')
_IN_HTML = re.compile(r"^(?:> ?)?<.*?(?=\n>?[ \t]*\n|\Z)", re.M | re.S)
_FORMULA = re.compile(r"\$([^$\n]+)\$")
_SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION\n?", re.M | re.S)


def read(path: Path) -> Notebook:
    """A notebook as it is stored."""
    found: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return found


def text_of(cell: dict[str, Any]) -> str:
    """Source of a cell as one text."""
    return "".join(cell["source"])


def markdown(source: str) -> dict[str, Any]:
    """A cell of text."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def spans(source: str) -> str:
    """The text with what stands inside of HTML blocks as a page needs it (Markdown does not look there): formulas, links."""

    def marked(formula: re.Match[str]) -> str:
        return rf'<span class="math notranslate nohighlight">\({escape(unescape(formula[1]), quote=False)}\)</span>'

    return _IN_HTML.sub(lambda block: _TO_PAGE.sub(r"\1.html\2", _FORMULA.sub(marked, block[0])), source)


def page_of(notebook: Notebook) -> Notebook:
    """A notebook as a web page can show it: without what only JupyterLab reads, with a word where a slider is missing."""
    cells = []
    for cell in notebook["cells"]:
        cell = {**cell, "metadata": {"tags": cell["metadata"].get("tags", [])}}
        cells.append(cell)
        if cell["cell_type"] == "markdown":
            cell["source"] = spans(text_of(cell))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(COMPARED, None)
            if "text/html" in data:
                data["text/html"] = _TO_PAGE.sub(r"\1.html\2", "".join(data["text/html"]))
        if cell["cell_type"] == "code" and "widgets.explore(" in text_of(cell):
            cells.append(markdown(MOVES))
    numbered = [{**cell, "id": f"c{k}"} for k, cell in enumerate(cells)]
    return {**notebook, "nbformat_minor": 5, "cells": numbered}


def answers(solved: Notebook) -> dict[str, str]:
    """grade_id -> the solution folded away: code without what it tells the checks, and the mistakes that they know."""
    found = {}
    for cell in solved["cells"]:
        name, body = cell["metadata"].get("nbgrader", {}).get("grade_id"), ""
        for indent, part in _SOLUTION.findall(text_of(cell) + "\n"):
            body += "".join(line.removeprefix(indent) + "\n" for line in part.rstrip().split("\n"))
        if not name or not body:
            continue
        if cell["cell_type"] == "markdown":
            found[name] = f"::::{{dropdown}} What a good answer says\n{body}\n::::\n"
            continue
        shown, known = without_keys(body)
        folded = f"```{{code-block}} python\n{shown}\n```\n" + "\n".join(f"- *{m}*" for m in known)
        found[name] = f"::::{{dropdown}} Solution{' and usual mistakes' * bool(known)}\n{folded}\n::::\n"
    return found


def without_keys(code: str) -> tuple[str, list[str]]:
    """Code without its calls of ``rb.key`` and ``rb.mistake``; what the latter say."""
    lines = code.split("\n")
    said: list[str] = []
    for node in reversed(ast.parse(code).body):
        call = node.value if isinstance(node, ast.Expr) else None
        name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
        if isinstance(call, ast.Call) and name in ("rb.key", "rb.mistake"):
            del lines[node.lineno - 1 : node.end_lineno]
            if name == "rb.mistake" and isinstance(call.args[0], ast.Constant):
                said.insert(0, str(call.args[0].value))
    return "\n".join(lines).strip(), said


def sheet(notebook: Notebook, solved: Notebook) -> Notebook:
    """An exercise sheet with each solution below its cell."""
    found, cells = answers(solved), []
    for cell in notebook["cells"]:
        cells.append(cell)
        folded = found.pop(cell["metadata"].get("nbgrader", {}).get("grade_id", ""), "")
        cells += [markdown(folded)] * bool(folded)
    if found:
        raise ValueError(f"Solutions without a place on the sheet: {', '.join(found)}. Run workbook.py sync.")
    return {**notebook, "cells": cells}
