"""Where the project's files are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Root of the project: the folder that holds ``lib/``, ``data/`` and ``chapters/``."""

DATA = ROOT / "data"
"""Published figures, geography and teaching panels."""


def data_file(*parts: str) -> Path:
    """Return the path of a shipped data file, or say plainly that the data folder is not there.

    Examples
    --------
    >>> data_file("published", "papers.csv").name
    'papers.csv'
    """
    if not DATA.is_dir():
        raise FileNotFoundError(
            f"No data folder at {DATA}. regionbook works from the project's own folder: install it with "
            "`python3 workbook.py` or `pip install -e .` inside a clone, not from a copied wheel."
        )
    return DATA.joinpath(*parts)
