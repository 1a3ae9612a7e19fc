"""An exercise says one thing three times: question, solution, check. Which of them changed alone since they last agreed?

``solutions/agreed.json`` keeps a fingerprint of each; `sync` compares, and asks before it takes the new state over.
"""

import ast
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT

SAID = re.compile(r"(?ms)^\s*### BEGIN SOLUTION$(.*?)^\s*### END SOLUTION$")
Parts = dict[str, dict[str, str]]


def parts(nb: Any) -> Parts:
    """Fingerprints of text, solution and check of each task of a solution, by the ``grade_id`` of the graded cell."""
    found: Parts = {}
    said: dict[str, str] = {}
    for cell in nb.cells:
        about = cell.metadata.get("nbgrader", {})
        if not about and cell.cell_type == "code" and "student = " in cell.source:
            said = {}  # what stands above is about the sheet
        elif about.get("solution"):
            own = "\n".join(SAID.findall(cell.source)) if cell.cell_type == "markdown" else cell.source
            said["solution"] = said.get("solution", "") + _without_hints(own)
            if cell.cell_type == "markdown":
                said["text"] = said.get("text", "") + SAID.sub("", cell.source)
        elif about.get("grade"):
            said["check"] = cell.source
        else:
            said["text"] = said.get("text", "") + cell.source
        if about.get("grade") or about.get("task"):
            words = {part: " ".join(text.split()) for part, text in said.items()}
            marks = {k: hashlib.sha256(v.encode()).hexdigest()[:8] for k, v in words.items()}
            found[about["grade_id"]] = marks
            said = {}
    return found


def _without_hints(code: str) -> str:
    """A solution without ``rb.key`` and ``rb.mistake``: hints may be reworded without a word to anybody."""
    lines = code.splitlines()
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except SyntaxError:  # words, or a cell of IPython
        return code
    for node in nodes:
        if isinstance(node, ast.Expr) and ast.unparse(node).startswith(("rb.key(", "rb.mistake(")):
            for k in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[k] = ""
    return "\n".join(lines)


def stored(root: Path = ROOT) -> dict[str, Parts]:
    """What was agreed, by sheet (``NN-slug/N-name``)."""
    file = root / "solutions" / "agreed.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def check(md: Path, root: Path = ROOT) -> None:
    """Raise a LessonError if one of text, solution and check of a task changed alone since they last agreed."""
    known, lone = stored(root).get(f"{md.parent.name}/{md.stem}", {}), []
    for task, its in parts(nbs.read_text(md)).items():
        before = known.get(task, {})
        changed = [part for part in before if its.get(part) != before[part]]
        if len(changed) == 1 < len(before):
            lone.append(f"of task {task!r} the {changed[0]}")
    if lone:
        raise nbs.LessonError(
            f"only one side changed: {'; '.join(lone)}. Do text, solution and check still say the same? Then "
            f"`workbook.py sync --agreed {nbs.label(md, root)}`; else change the others too"
        )


def keep(md: Path, root: Path = ROOT) -> None:
    """Take the state of a solution for agreed."""
    known, name, now = stored(root), f"{md.parent.name}/{md.stem}", parts(nbs.read_text(md))
    if known.get(name) != now:
        kept = {sheet: json.dumps(its, sort_keys=True) for sheet, its in sorted({**known, name: now}.items())}
        lines = ",\n".join(f"{json.dumps(sheet)}: {its}" for sheet, its in kept.items())
        nbs.write(f"{{\n{lines}\n}}\n", root / "solutions" / "agreed.json")
