"""Helper library of the workbook: data, printed numbers, comparison, checks.

``import regionbook as rb`` loads nothing else; each name is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regionbook import data, geo, index, models, papers, plots, tables, widgets
    from regionbook.auditing import audit
    from regionbook.catalogue import lessons, method_map
    from regionbook.comparison import compare, compare_text, rules, scorecard
    from regionbook.data import columns, load, notice, published, truth
    from regionbook.exercises.check import check
    from regionbook.exercises.keys import key, mistake
    from regionbook.exercises.personal import personal, personal_truth
    from regionbook.papers import card, prepare
    from regionbook.widgets import guess, guessed

__version__ = "0.1.0"

_SUBMODULES = ("data", "geo", "index", "models", "papers", "plots", "tables", "widgets")
_NAMES = {
    "auditing": ("audit",),
    "catalogue": ("lessons", "method_map"),
    "comparison": ("compare", "compare_text", "rules", "scorecard"),
    "data": ("columns", "load", "notice", "published", "truth"),
    "exercises.check": ("check",),
    "exercises.keys": ("key", "mistake"),
    "exercises.personal": ("personal", "personal_truth"),
    "papers": ("card", "prepare"),
    "widgets": ("guess", "guessed"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted([*_SUBMODULES, *_HOME])


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"regionbook.{name}")
    if name in _HOME:
        value = getattr(importlib.import_module(f"regionbook.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'regionbook' has no attribute {name!r}; there are: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
