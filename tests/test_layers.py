"""Who may import whom."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from regionbook.cli import notebooks as nbs
from regionbook.paths import ROOT

LIB = ROOT / "lib" / "regionbook"
LAYERS = [
    {"paths", "registry", "look", "shown"},
    {"data", "geo"},
    {"index", "models"},
    {"papers"},
    {"auditing", "catalogue", "comparison", "tables", "plots", "widgets"},
    {"exercises"},
    {"grading"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MAY_USE = {
    "engine": {"data", "papers", "paths"},
    "first_four": {"paths", "data", "geo", "index", "papers"},
}
"""Package of authoring code -> the parts of the library that it may import."""


def imports() -> dict[str, set[str]]:
    """For each part of the library the parts that it imports, lazily or not."""
    found: dict[str, set[str]] = {}
    for file in LIB.rglob("*.py"):
        part = file.relative_to(LIB).with_suffix("").parts[0]
        if part == "__init__":
            continue  # names only, fetched when they are used
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
                if node.module == "regionbook":
                    names = [f"regionbook.{a.name}" for a in node.names]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
                assert part == "cli" or "regionbook" not in names, f"{file}: import the module that you need"
            found.setdefault(part, set()).update(
                n.split(".")[1] for n in names if n.startswith("regionbook.")
            )
    return {part: names - {part} for part, names in found.items()}


def test_every_part_has_a_layer():
    parts = {p.stem for p in LIB.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {
        "__init__"
    }
    assert parts <= set(RANK), "add it to LAYERS, where it belongs"


@pytest.mark.parametrize("part", sorted(imports()))
def test_imports_go_down(part):
    for other in imports()[part]:
        assert RANK[other] <= RANK[part], f"{part} imports {other}"


def test_no_circles():
    graph = imports()

    def below(part: str, path: tuple[str, ...]) -> None:
        assert part not in path, " -> ".join([*path, part])
        for other in graph.get(part, ()):
            below(other, (*path, part))

    for part in graph:
        below(part, ())


MAKES = [p.stem for p in ROOT.glob("data/*/make/*") if p.suffix == ".py" or (p / "__init__.py").exists()]


def imported(file: Path) -> set[str]:
    """Modules that a file imports, lazily or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return names


def test_authoring_stands_outside():
    """The library knows nothing of ``data/*/make``, which knows little of the library."""
    assert set(MAY_USE) <= set(MAKES)
    for file in LIB.rglob("*.py"):
        assert not {n.split(".")[0] for n in imported(file)} & set(MAKES), f"{file} imports authoring code"
    for package, parts in MAY_USE.items():
        for file in (ROOT / "data" / "teaching" / "make" / package).glob("*.py"):
            used = {n.split(".")[1] for n in imported(file) if n.startswith("regionbook.")}
            assert used <= parts, f"{file} imports {used - parts}"


@pytest.mark.parametrize("md", nbs.sources(), ids=nbs.label)
def test_lessons_never_import_authoring_code(md):
    code = "\n".join(c.source for c in nbs.read_text(md).cells if c.cell_type == "code")
    words = set(re.findall(r"^\s*(?:import|from)\s+(\w+)", code, flags=re.M))
    assert not words & set(MAKES)


def test_the_library_starts_at_once():
    """`import regionbook` fetches nothing heavy; names come when they are used, and wrong ones are refused."""
    code = """
import sys, regionbook as rb
heavy = {"numpy", "pandas", "matplotlib", "geopandas", "ipywidgets"} & set(sys.modules)
assert not heavy, heavy
assert set(rb.__all__) <= set(dir(rb))
try:
    rb.laod
except AttributeError as error:
    assert "load" in str(error)
else:
    raise SystemExit("rb.laod exists")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_names_are_there():
    import regionbook as rb

    for name in rb.__all__:
        assert getattr(rb, name).__doc__, name
