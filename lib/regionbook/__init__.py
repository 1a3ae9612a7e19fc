"""Helper library of the workbook: data, printed numbers, comparison, checks.

``import regionbook as rb`` loads nothing else; each name is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regionbook import data, geo, index, models, papers, plots, tables, text, widgets
    from regionbook.auditing import audit
    from regionbook.catalogue import lessons, method_map
    from regionbook.comparison import compare, compare_text, rules, scorecard
    from regionbook.data import columns, load, notice, published, truth
    from regionbook.exercises.check import check
    from regionbook.exercises.keys import key, mistake
    from regionbook.exercises.personal import personal, personal_truth
    from regionbook.papers import card, prepare

__version__ = "0.1.0"

_SUBMODULES = ("data", "geo", "index", "models", "papers", "plots", "tables", "text", "widgets")
_HOME = {
    "audit": "auditing",
    "card": "papers",
    "check": "exercises.check",
    "columns": "data",
    "compare": "comparison",
    "compare_text": "comparison",
    "key": "exercises.keys",
    "lessons": "catalogue",
    "load": "data",
    "method_map": "catalogue",
    "mistake": "exercises.keys",
    "notice": "data",
    "personal": "exercises.personal",
    "personal_truth": "exercises.personal",
    "prepare": "papers",
    "published": "data",
    "rules": "comparison",
    "scorecard": "comparison",
    "truth": "data",
}

__all__ = [
    "audit",
    "card",
    "check",
    "columns",
    "compare",
    "compare_text",
    "data",
    "geo",
    "index",
    "key",
    "lessons",
    "load",
    "method_map",
    "mistake",
    "models",
    "notice",
    "papers",
    "personal",
    "personal_truth",
    "plots",
    "prepare",
    "published",
    "rules",
    "scorecard",
    "tables",
    "text",
    "truth",
    "widgets",
]


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
