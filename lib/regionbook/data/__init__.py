"""Load what the workbook ships: printed figures, teaching panels, their truth, and the user's own file."""

from regionbook.data.errors import DataError, DataWarning
from regionbook.data.figures import Published, decimals, each, groups, papers, published, read_published
from regionbook.data.panel import load
from regionbook.data.raw import pair_panel, raw_tables
from regionbook.data.schema import UNITS, Notice, RawTables, columns, notice
from regionbook.data.worlds import truth, worlds
