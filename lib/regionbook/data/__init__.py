"""Load what the workbook ships: printed figures, teaching panels, their truth, and the user's own file."""

from typing import TYPE_CHECKING, Any

from regionbook import registry
from regionbook.data.errors import DataError, DataWarning
from regionbook.data.figures import Published, decimals, each, groups, papers, published, read_published
from regionbook.data.panel import load
from regionbook.data.raw import pair_panel, raw_tables
from regionbook.data.schema import (
    UNITS,
    Notice,
    RawTables,
    columns,
    notice,
)
from regionbook.data.worlds import truth, worlds

if TYPE_CHECKING:
    TABLES: dict[str, dict[str, list[str]]]
    BESIDE: dict[str, dict[str, None]]

__all__ = [
    "UNITS",
    "DataError",
    "DataWarning",
    "Notice",
    "Published",
    "RawTables",
    "columns",
    "decimals",
    "each",
    "groups",
    "load",
    "notice",
    "pair_panel",
    "papers",
    "published",
    "raw_tables",
    "read_published",
    "truth",
    "worlds",
]


def __getattr__(name: str) -> Any:
    """``TABLES`` and ``BESIDE`` of all papers, as `exercises` still asks for them."""
    if name not in ("TABLES", "BESIDE"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    panels = {slug: registry.handed_in(slug, "PANEL") for slug in registry.papers()}
    found = {slug: getattr(panel, name.lower()) for slug, panel in panels.items() if panel}
    return found if name == "TABLES" else {slug: dict.fromkeys(names) for slug, names in found.items()}
