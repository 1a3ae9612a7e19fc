"""Sheets: what was handed out, what was handed in, and which cell of the one is which of the other."""

import ast
import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regionbook.exercises import generate, record
from regionbook.exercises.personal import student_number

LARGEST, WORDS, CODE, NEAR, VALUES = 200 << 20, 20 << 20, 20_000, 4_000, 4_000_000
"""Bytes of a notebook; signs of its cells; of code that gets a mark; of cells that are compared; values in a file."""
INSTALLS = re.compile(
    r"""(?mx)^[ \t]* (?: [%!]{1,2} [ \t]* (?:\S+[ \t]+-m[ \t]+)? | (?=(?:pip|conda)[ \t]+(?:un)?install) )
    (?:pip3?|conda|mamba|micromamba|uv|poetry) \b .*$"""
)
"""Lines that install or remove packages: there is no network, and nothing to install into."""
NUMBER = re.compile(r"^student[ \t]*(?::[ \t]*\w+[ \t]*)?=([^\n#;]{1,80})", re.M)
ALIKE = 0.35
"""Similarity from which a cell without a name is taken for the one that stands at its place in the hand-out."""
LONG = 60
"""Signs of a student's code in a cell from which equal code says something."""


class Unreadable(Exception):
    """A file that is no sheet, in words for who handed it in."""


@dataclass(frozen=True)
class Cell:
    """A cell: its kind (``"code"`` or text), what stands in it, its ``grade_id`` if it has one."""

    kind: str
    source: str
    name: str = ""
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float = 0.0

    @property
    def graded(self) -> bool:
        """Whether there are points for it."""
        return self.grade or self.task

    @property
    def test(self) -> bool:
        """Whether the machine gives the points."""
        return self.grade and self.kind == "code" and not self.solution


@dataclass(frozen=True)
class Sheet:
    """An exercise: its label, its solution, and its cells as they are handed out."""

    label: str
    solution: Path
    cells: tuple[Cell, ...]

    @property
    def maximum(self) -> dict[str, float]:
        """Points by graded cell."""
        return {cell.name: cell.points for cell in self.cells if cell.graded}

    def test_of(self, name: str) -> str:
        """The graded cell that a cell serves: itself, or the next one of the hand-out; ``""`` if there is none."""
        names = [cell.name for cell in self.cells]
        after = self.cells[names.index(name) :] if name and name in names else ()
        return next((cell.name for cell in after if cell.graded), "")


def handed_out(solution: Path, label: str) -> Sheet:
    """The sheet that is made from a solution."""
    import jupytext

    nb = generate.exercise(jupytext.read(solution, fmt="md:myst"), solution.stem)
    cells = (_cell(cell.cell_type, cell.source, cell.metadata) for cell in nb.cells)
    return Sheet(label, solution, tuple(cells))


def imports(solution: Path) -> frozenset[str]:
    """Modules that a sheet imports, as its text says."""
    text = solution.read_text(encoding="utf-8")
    return frozenset(re.findall(r"^(?:import|from) ([\w.]+)", text, re.M))


def _cell(kind: Any, source: Any, metadata: Any) -> Cell:
    known = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    text = source if isinstance(source, str) else "".join(s for s in source or () if isinstance(s, str))
    text = text.replace("\r\n", "\n")
    if not isinstance(known, Mapping) or not isinstance(known.get("grade_id"), str):
        return Cell("code" if kind == "code" else "markdown", text)
    marks = {name: known.get(name) is True for name in ("grade", "solution", "task")}
    points = known.get("points", 0)
    points = float(points) if isinstance(points, (int, float)) and not isinstance(points, bool) else 0.0
    return Cell("code" if kind == "code" else "markdown", text, known["grade_id"], points=points, **marks)


def read(content: bytes) -> list[Cell]:
    """Cells of a notebook file of any format; outputs and what programs wrote beside are left.

    An `Unreadable` error if it is no notebook.
    """
    ask = "open it in JupyterLab; if that fails, ask for the file again"
    if len(content) > LARGEST or content.count(b",") + content.count(b"{") > VALUES:  # each costs memory
        most = f"{LARGEST >> 20} MB or {VALUES:,} values"
        raise Unreadable(f"the file has more than {most}: clear the outputs and hand in again")
    try:
        try:
            raw = json.loads(content)  # UTF-8, UTF-16 or UTF-32
        except UnicodeDecodeError:
            raw = json.loads(content.decode("gb18030"))  # an editor of a Chinese Windows
        sheets = raw.get("worksheets", [raw])
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        found = [
            _cell(cell.get("cell_type"), cell.get("source", cell.get("input", "")), cell.get("metadata"))
            for cell in cells
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        what = "its content is not a notebook's" if content.strip() else "it is empty"
        raise Unreadable(f"it is no notebook ({what}): {ask}") from None
    if not found:
        raise Unreadable(f"it is no notebook (it has no cells): {ask}")
    if sum(len(cell.source) for cell in found) > WORDS:
        raise Unreadable(
            f"its cells hold more than {WORDS >> 20} million signs: is there a picture or a table in the text?"
        )
    return found


def number_of(cells: Iterable[Cell]) -> str:
    """The first student number that a sheet states in so many words, in its one spelling; ``""`` for the shared panel.

    A ValueError if what it states is no student number.
    """
    for found in NUMBER.finditer("\n".join(cell.source for cell in cells if cell.kind == "code")):
        try:
            stated = ast.literal_eval(found[1].strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if number := student_number(stated if isinstance(stated, (str, int)) else str(stated)):
            return number
    return ""


def spelled_number(stated: Any) -> str:
    """A student number that a cell holds, in its one spelling if it is one."""
    try:
        return student_number(stated)
    except ValueError:
        return str(stated)


# ---------------------------------------------------------------------------------------------------- which is which


def same(text: str) -> str:
    """A cell's text as it is compared: no blanks at the ends of lines, no empty lines, one form of each sign."""
    lines = unicodedata.normalize("NFC", text).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


def solution_of(cells: list[Cell], file: str, texts: Mapping[Path, str]) -> Path:
    """The solution that a handed-in sheet belongs to: the one that shares most of its named cells, else of its text.

    ``texts`` are the solutions, by path. An `Unreadable` error if none fits, or two fit equally well.
    """
    names = {cell.name for cell in cells} - {""}
    lines = {line for cell in cells for line in same(cell.source).splitlines() if len(line) > 20}
    named = re.compile(r'grade_id"?: "?([\w.-]+)')
    shared = {md: len(names & set(named.findall(text))) for md, text in texts.items()}
    if max(shared.values(), default=0) < 2:  # names lost: by what is printed on it
        shared = {md: len(lines & set(same(text).splitlines())) for md, text in texts.items()}
        shared = {md: n for md, n in shared.items() if n > 5}
    best = [md for md, n in shared.items() if n and n == max(shared.values())]
    if not best:
        raise Unreadable(
            f"{Path(file).name} has no cell of any exercise: is it a lesson? Ask for the sheet as it was handed out, filled in"
        )
    said = "\n".join(cell.source for cell in cells)
    of_sheet = [md for md in best if f"chapters/{md.parent.name}/{md.stem}.ipynb" in said]
    for fitting in ([md for md in best if md.stem in Path(file).stem], of_sheet, best):
        if len(fitting) == 1:
            return fitting[0]
    raise Unreadable(f"{Path(file).name}: cannot tell which exercise it is; say --exercise CHAPTER/N-name")


def matched(cells: list[Cell], sheet: Sheet) -> tuple[list[Cell], list[str]]:
    """The handed-in cells with their names as the hand-out has them, tests as handed out; and what was lost or found.

    A name counts once, where it was filled in last; a cell without one is known by its text, else by its place. A test
    that is not there is put behind the cell that it follows in the hand-out; what was written into one is run before it.
    """
    own = {cell.name: cell for cell in sheet.cells if cell.name}
    last: dict[str, int] = {}
    for k, cell in enumerate(cells):
        if cell.name in own and (cell.name not in last or own[cell.name].test or not untouched(cell, sheet)):
            last[cell.name] = k
    known: dict[int, str] = {k: name for name, k in last.items()}
    before = len(known)
    by_text = {same(cell.source): name for name, cell in own.items()}
    for k, cell in enumerate(cells):
        name = by_text.get(same(cell.source), "")
        if name and name not in known.values() and k not in known:
            known[k] = name
    known |= _by_place(cells, sheet, known)
    found, notes = [], []
    for k, cell in enumerate(cells):  # kind, points and tests are not the student's to choose
        given = own.get(known.get(k, ""), Cell(cell.kind, ""))
        if given.test and same(cell.source) != same(given.source):
            notes.append(f"cell {given.name!r} was changed: it was run, and then the check as handed out")
            found.append(Cell(cell.kind, cell.source))
        found.append(given if given.test else replace(given, source=cell.source))
    if len(known) > before and before < len(own) / 2:
        notes.append(
            "a program dropped the names of its cells: they were matched with the hand-out by text and place"
        )
    for k, cell in enumerate(sheet.cells):
        if cell.name and cell.name not in known.values():
            notes.append(f"cell {cell.name!r} was deleted")
            if cell.test:
                there = {f.name for f in found}
                behind = next((c.name for c in reversed(sheet.cells[:k]) if c.name in there), "")
                at = next((j for j, f in enumerate(found, 1) if behind and f.name == behind), len(found))
                found.insert(at, cell)
    return found, notes


def _by_place(cells: list[Cell], sheet: Sheet, known: Mapping[int, str]) -> dict[int, str]:
    """Answers without a name, each by the place between two cells of the hand-out that are known."""
    places = {name: k for k, name in known.items()}
    texts = {same(cell.source): k for k, cell in enumerate(cells)}
    at = [places.get(cell.name, texts.get(same(cell.source), -1)) for cell in sheet.cells]
    found: dict[int, str] = {}
    for k, cell in enumerate(sheet.cells):
        if not cell.name or not cell.solution or at[k] >= 0:
            continue
        low = max((a for a in at[:k] if a >= 0), default=-1)
        high = min((a for a in at[k + 1 :] if a > low), default=len(cells))
        taken = known.keys() | found.keys()
        free = [j for j in range(low + 1, high) if cells[j].kind == cell.kind and j not in taken]
        alike = {
            j: difflib.SequenceMatcher(None, same(cell.source)[:NEAR], same(cells[j].source)[:NEAR]).ratio()
            for j in free[:50]
        }
        if alike and (len(free) == 1 or max(alike.values()) >= ALIKE):
            best = max(alike, key=lambda j: alike[j])
            found[best], at[k] = cell.name, best
    return found


def untouched(cell: Cell, sheet: Sheet) -> bool:
    """Whether a written answer is as it was handed out, or empty."""
    given = next(c for c in sheet.cells if c.name == cell.name)
    return same(cell.source) in ("", same(given.source), same(generate.STUB))


def unanswered(name: str, cells: list[Cell], sheet: Sheet) -> bool:
    """Whether neither a written answer's cell nor a new cell of text right below it says anything."""
    k = next((k for k, cell in enumerate(cells) if cell.name == name), -1)
    printed = {"", *(same(cell.source) for cell in sheet.cells)}
    below = [c for c in cells[k + 1 : k + 2] if c.kind != "code" and same(c.source) not in printed]
    return k < 0 or (untouched(cells[k], sheet) and not below)


def code_mark(cell: Cell, given: str) -> str:
    """Equal for equal code, however it is spaced, commented and its own names are called; ``""`` for a few lines."""
    if len(cell.source) > CODE:
        return ""
    try:
        tree = ast.parse(re.sub(r"^[ \t]*[%!].*$", "", cell.source, flags=re.M))
        there = ast.unparse(ast.parse(given)).splitlines()
        if sum(len(line.strip()) for line in ast.unparse(tree).splitlines() if line not in there) < LONG:
            return ""
        bound = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        called = {name: f"v{k}" for k, name in enumerate(dict.fromkeys(bound))}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = called.get(node.id, node.id)
        return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def state(solution: Path) -> str:
    """Changes whenever a sheet has to be graded again: the solution, its data or what it may call."""
    return f"{record.state(solution)}-{record.library()[:16]}"
