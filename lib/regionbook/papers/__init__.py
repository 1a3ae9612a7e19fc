"""Variables of each paper, built from the raw columns of its panel: one module a paper.

A module declares its printed regressions (``TABLES``), its variables (``prepare``, ``further``), the numbers of its text
(``in_text``, ``from_print``) and a student's panel (``redrawn``, see `regionbook.papers.redraw`). Its card stands in ``data/published``: ``papers.csv`` has
question and sample, ``headlines.csv`` the numbers.
"""

import importlib
from dataclasses import dataclass
from html import escape
from types import ModuleType

import pandas as pd

from regionbook import registry
from regionbook.data import columns, load, published
from regionbook.paths import data_file


def __getattr__(name: str) -> ModuleType:
    """``regionbook.papers.city_innovation`` without importing it first."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def _module(slug: str) -> ModuleType:
    published(slug)  # knows which papers there are
    return registry.module(slug)


@dataclass(frozen=True)
class Card:
    """A paper at a glance: citation, question, sample, headline numbers as printed."""

    citation: str
    question: str
    sample: str
    headline: pd.DataFrame

    def __repr__(self) -> str:
        return f"{self.citation}\n{self.question}\n{self.sample}\n{self.headline.to_string(index=False)}"

    def _repr_html_(self) -> str:
        rows = (("Question", self.question), ("Sample", self.sample))
        told = "".join(f"<p><b>{name}.</b> {escape(text)}</p>" for name, text in rows)
        return f"<p>{escape(self.citation)}</p>{told}{self.headline.to_html(index=False, border=0)}"


def card(slug: str) -> Card:
    """Return the card that opens a paper's lessons, from ``data/published``; a ValueError if it has no lessons yet.

    Examples
    --------
    >>> card("city-innovation").headline["printed"].iloc[0]
    '0.0999*** (0.0020)'
    """
    _module(slug)
    printed = published(slug)
    c = printed.citation
    estimates = printed.estimates.set_index(["table", "column", "term"])
    others = printed.other.set_index(["table", "column", "row"])["value_text"]
    headlines = pd.read_csv(data_file("published", "headlines.csv"), dtype=str).query("slug == @slug")
    rows = []
    for _, *place, meaning in headlines.itertuples(index=False):
        if tuple(place) in others.index:  # a number of a table that is no regression
            shown = str(others.loc[tuple(place)])
        else:
            at = estimates.loc[tuple(place)]
            shown = f"{at.estimate_text}{at.stars} ({at.paren_text})"
        rows.append((meaning, "{} ({})".format(*place), shown))
    pages = f", {c['pages']}" if c["pages"] else ""
    return Card(
        f"{c['authors_zh']} ({c['authors_en']}), {c['year']}. {c['title_zh']} / {c['title_en']}. {c['journal']}{pages}.",
        c["question"],
        c["sample"],
        pd.DataFrame(rows, columns=["what the paper reports", "table (column)", "printed"]),
    )


def prepare(slug: str, panel: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the panel with the variables that the paper's regressions use.

    A chapter's first lesson builds each of them in the open; later lessons and the exercises start here. ``panel`` is as
    `regionbook.load` or `regionbook.personal` returns it (left out, the shipped teaching panel); it is copied.

    Raises
    ------
    ValueError
        If the paper is unknown or has no lessons yet, or `panel` is no data frame or lacks a column (the message names it).

    Examples
    --------
    >>> prepare("city-innovation")["inn"].between(0, 1).all()
    np.True_
    """
    paper = _module(slug)
    panel = load(slug) if panel is None else panel
    if not isinstance(panel, pd.DataFrame):
        raise ValueError(
            f"panel must be a data frame as rb.load({slug!r}) gives it, not {type(panel).__name__}"
        )
    try:
        return paper.prepare(panel)
    except KeyError as error:
        known = columns(slug).query("not role.str.endswith('optional')")["column"]
        missing = known[~known.isin([*panel, *panel.index.names])]
        raise ValueError(
            f"the panel lacks {', '.join(missing) or error}; give one that rb.load({slug!r}, source=…) has checked"
        ) from error


def in_text(slug: str, panel: pd.DataFrame | None = None) -> dict[tuple[str, str, str], tuple[float, str]]:
    """Numbers of a paper's text that can be computed: (table, column, row) of other.csv -> (value, "panel" or "print").

    The simple ones stand in ``data/published/computed.csv``; those that need code, in the paper's module.

    ``panel`` is as `prepare` returns it; left out, the shipped one. A ValueError if the paper has no lessons yet.

    Examples
    --------
    >>> in_text("knowledge-flows")["text 3.1 note 1: digital patents", "share unrelated", "hand audit of IPC-only patents"]
    (92.4, 'print')
    """
    from .computed import computed

    paper = _module(slug)
    if panel is None and hasattr(paper, "prepare") and not hasattr(paper, "PANEL"):
        panel = prepare(slug)  # else its tables or its print suffice
    found = computed(slug, panel)
    found["panel"] |= paper.in_text(panel) if hasattr(paper, "in_text") else {}
    found["print"] |= paper.from_print() if hasattr(paper, "from_print") else {}
    return {place: (float(v), source) for source, numbers in found.items() for place, v in numbers.items()}
