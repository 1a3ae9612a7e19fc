"""The house: who knows a paper's name, and how a paper reaches the rooms below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from regionbook import registry
from regionbook.data import papers
from regionbook.paths import ROOT

LIB = ROOT / "lib" / "regionbook"
FILES = sorted(LIB.rglob("*.py"))
ROOMS_OF_PAPERS = ("papers", "simulate", "exercises")
GENERAL = [file for file in FILES if file.relative_to(LIB).parts[0] not in ROOMS_OF_PAPERS]
SLUGS = set(papers().index)


def name(file: Path) -> str:
    return file.relative_to(LIB).as_posix()


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of everything that is code: names, imports, strings that are no docstrings."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, f"{node.module} {' '.join(alias.name for alias in node.names)}"
        elif isinstance(node, ast.Import):
            yield node.lineno, " ".join(alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr


# --- papers ------------------------------------------------------------------------------------------


def slugs_in(tree: ast.AST) -> list[str]:
    known = SLUGS | {slug.replace("-", "_") for slug in SLUGS}
    return [f"line {line}: {slug}" for line, text in words(tree) for slug in known if slug in text]


def test_a_slug_is_found_wherever_it_stands():
    code = "from regionbook.papers.city_innovation import X\nload('knowledge-flows')\n"
    assert sorted(slugs_in(ast.parse(code))) == ["line 1: city_innovation", "line 2: knowledge-flows"]
    assert not slugs_in(ast.parse('"""An example on city-innovation."""\nload(slug)'))


@pytest.mark.parametrize("file", GENERAL, ids=name)
def test_no_general_room_knows_a_paper(file):
    found = slugs_in(tree_of(file))
    assert not found, "let papers/<slug>.py hand it in, see regionbook.registry"


def test_one_way_from_below_to_the_papers():
    """The registry asks a paper by its name; nobody else imports a module whose name is made up at run time."""
    above = ("exercises", "cli", "simulate")
    found = {
        name(file)
        for file in FILES
        for _, text in words(tree_of(file))
        if "import_module" in text and file.relative_to(LIB).parts[0] not in above
    }
    assert found == {"registry.py", "__init__.py", "papers/__init__.py"}


def test_the_registry_is_made_of_the_files():
    assert set(registry.papers()) <= SLUGS
    for slug in registry.papers():
        paper = registry.module(slug)
        assert paper.QUESTION and paper.HEADLINE, slug
    with pytest.raises(ValueError, match="'equipment-tfp' has no lessons yet"):
        registry.module("equipment-tfp")
    assert registry.handed_in("equipment-tfp", "PANEL") is None
