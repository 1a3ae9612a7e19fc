"""`audit`: all checks of one paper, or of all."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from regionbook.auditing import brackets, columns, instruments, samples, sums
from regionbook.auditing.paper import Check, Paper
from regionbook.data import Published, papers, published

CHECKS: tuple[Check, ...] = tuple(
    function
    for kind in (brackets, samples, columns, instruments, sums)
    for name, function in vars(kind).items()
    if name.startswith("check_")
)
"""Every function of these files that is called ``check_…``."""


def audit(paper: str | Published | None = None) -> pd.DataFrame:
    """Check the printed tables of a paper against themselves.

    Parameters
    ----------
    paper
        Slug, or what `published` returned (also one that you changed); all papers if left out.

    Returns
    -------
    pandas.DataFrame
        One row a finding: slug, file, table, column, term, kind, printed, expected, message. A finding is a
        question to the authors, not a verdict: rounding is allowed for, but a table may leave out what would
        explain it.

    Raises
    ------
    ValueError
        Unknown slug.
    TypeError
        If `paper` is neither a slug nor printed figures.

    Examples
    --------
    >>> import regionbook as rb
    >>> rb.audit("knowledge-flows").query("kind == 'stars'")[["table", "column", "printed", "expected"]].values.tolist()
    [['3', '2', '**', '***']]
    """
    if paper is None:
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
