"""Printed numbers beside our own, with a mark for each, and the scorecard over all lessons."""

from regionbook.comparison.marks import MARKS, RULES, rules
from regionbook.comparison.printed import printed_cells, targets
from regionbook.comparison.score import recorded, scorecard
from regionbook.comparison.side_by_side import compare, compare_text
from regionbook.comparison.table import MIME, Comparison
