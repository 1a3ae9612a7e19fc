"""`audit`: all checks of one paper, or of all."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from regionbook.auditing import brackets, columns, instruments, samples, sums
from regionbook.auditing.paper import Check, Paper
from regionbook.auditing.typed import Source, own_figures
from regionbook.data import Published, papers, published

_KINDS = (brackets, samples, columns, instruments, sums)
_NAMED = (named for kind in _KINDS for named in vars(kind).items())
CHECKS: tuple[Check, ...] = tuple(function for name, function in _NAMED if name.startswith("check_"))
"""Every function of these files that is called ``check_…``."""


def audit(
    paper: str | Published | None = None,
    *,
    estimates: Source = None,
    fit: Source = None,
    descriptives: Source = None,
) -> pd.DataFrame:
    """Check printed tables against themselves: those of a paper here, or those that you typed from any other.

    Parameters
    ----------
    paper
        Slug, or what `published` returned (also one that you changed); all papers if all is left out.
    estimates, fit, descriptives
        Your own tables, each a CSV file or a data frame: one row a coefficient, a statistic of a column (``N``, ``R2``),
        a described variable. ``data/published/template.estimates.csv`` and so on show the columns. Type numbers as they
        are printed, in a frame as text: 0.0020 says more than 0.002.

    Returns
    -------
    pandas.DataFrame
        One row a finding: slug, file, table, column, term, kind, printed, expected, message. A finding is a
        question to the authors, not a verdict: rounding is allowed for, but a table may leave out what would
        explain it.

    Raises
    ------
    ValueError
        Unknown slug, or a paper beside tables of your own; as a `DataError` what is wrong with your tables, by row.
    TypeError
        If `paper` is neither a slug nor printed figures.

    Examples
    --------
    >>> import regionbook as rb
    >>> rb.audit("knowledge-flows").query("kind == 'stars'")[["table", "column", "printed", "expected"]].values.tolist()
    [['3', '2', '**', '***']]
    >>> row = {"column": "1", "term": "x", "estimate": "0.030", "paren": "0.010", "paren_kind": "se", "stars": "*"}
    >>> rb.audit(estimates=pd.DataFrame([row]))[["term", "printed", "expected"]].values.tolist()
    [['x', '*', '***']]
    """
    if any(table is not None for table in (estimates, fit, descriptives)):
        if paper is not None:
            raise ValueError("give a paper, or tables of your own, not both")
        figures = [own_figures(estimates, fit, descriptives)]
    elif paper is None:
        figures = [published(slug) for slug in papers().index]
    else:
        figures = [published(paper) if isinstance(paper, str) else paper]
    if not all(isinstance(f, Published) for f in figures):
        raise TypeError(f"Give a slug or what rb.published returned, not {type(paper).__name__}.")
    rows: list[dict[str, Any]] = []
    for f in figures:
        arranged = Paper(f)
        rows += [{"slug": f.slug, **asdict(finding)} for check in CHECKS for finding in check(arranged)]
    names = ["slug", "file", "table", "column", "term", "kind", "printed", "expected", "message"]
    return pd.DataFrame(rows, columns=names)
