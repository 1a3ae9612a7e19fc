"""What the papers hand in to the rooms below them.

A paper is a module ``papers/<slug>.py``; the registry is made of the files that are there. This is the one place
through which a room that stands below `papers` reaches what a paper declares, and it does so by name and when asked:
no room imports a paper.
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from regionbook.paths import DATA

_FOLDER = Path(__file__).parent / "papers"


def papers() -> list[str]:
    """Slugs of the papers that have a module, in alphabetical order.

    Examples
    --------
    >>> "city-innovation" in papers()
    True
    """
    slugs = sorted(file.stem.replace("_", "-") for file in _FOLDER.glob("*.py"))
    return [slug for slug in slugs if (DATA / "published" / slug).is_dir()]


def module(slug: str) -> ModuleType:
    """The module of a paper; a ValueError if there is none: the paper has no lessons yet."""
    if slug not in papers():
        raise ValueError(f"{slug!r} has no lessons yet")
    return importlib.import_module(f"regionbook.papers.{slug.replace('-', '_')}")


def handed_in(slug: str, name: str) -> Any:
    """What a paper declares under a name (``"PANEL"``, ``"TABLES"``); None if it declares no such thing.

    Examples
    --------
    >>> handed_in("knowledge-flows", "PANEL").needed
    {'years': 'city-years', 'citations': 'citations'}
    >>> handed_in("city-innovation", "PANEL")
    """
    return getattr(module(slug), name, None) if slug in papers() else None
