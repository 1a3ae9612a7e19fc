"""What every figure of the workbook shares: the Chinese font, the colours and the marks of the three voices.

This module stands below `geo` and `plots`, so that both draw alike.
"""

from functools import cache
from pathlib import Path
from typing import Any

FONT_FILE = Path(__file__).parent / "fonts" / "RegionbookSansSC.otf"

PALETTE = ["#004488", "#DDAA33", "#BB5566", "#6699CC", "#997700", "#EE99AA", "#222222"]
"""Colours for categories: Paul Tol's high-contrast set, then his medium-contrast set; safe for the
colour-blind, and the first three are far apart in grey too (https://personal.sron.nl/~pault/)."""

SEQUENTIAL = "YlGnBu"
"""Colour map for ordered values, light to dark, so that it reads in grey."""

NO_DATA = "#F3F3F3"
"""Grey of places without a value, lighter than the lightest class."""

VOICES: dict[str, dict[str, Any]] = {
    "paper": {"label": "paper (printed)", "color": "#222222", "marker": "o", "markerfacecolor": "white"},
    "ours": {"label": "our simulated panel", "color": "#004488", "marker": "s", "markerfacecolor": "#004488"},
    "truth": {"label": "truth", "color": "#BB5566", "marker": "D", "markerfacecolor": "#DDAA33"},
}
"""Label, colour and mark of what the paper reports, what our panel gives, and what the truth is."""


@cache
def font() -> list[str]:
    """Make the workbook's Chinese font known to matplotlib and return the font families to use.

    The Chinese font stands first: in a text with a formula (``$...$``) matplotlib uses the first family only. A
    FileNotFoundError if the font file is not in ``lib/regionbook/fonts``.

    Examples
    --------
    >>> font()
    ['Regionbook Sans SC', 'DejaVu Sans']
    """
    from matplotlib import font_manager

    if not FONT_FILE.is_file():
        raise FileNotFoundError(
            f"The figures' font is missing at {FONT_FILE}: `git checkout` it or clone again."
        )
    font_manager.fontManager.addfont(str(FONT_FILE))
    return ["Regionbook Sans SC", "DejaVu Sans"]
