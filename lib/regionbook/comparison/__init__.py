"""Printed numbers beside our own, with a verdict for each, and the scorecard over all lessons."""

from regionbook.comparison.printed import printed_cells
from regionbook.comparison.score import recorded, scorecard
from regionbook.comparison.side_by_side import compare
from regionbook.comparison.table import MIME, Comparison
from regionbook.comparison.verdicts import MARKS, STATUSES

__all__ = [
    "MARKS",
    "MIME",
    "STATUSES",
    "Comparison",
    "compare",
    "printed_cells",
    "recorded",
    "scorecard",
]
