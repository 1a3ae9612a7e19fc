"""`audit`: all checks of one paper, or of all."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from regionbook.auditing.brackets import check_brackets, check_parameters, check_probabilities, check_stars
from regionbook.auditing.columns import (
    check_effects_add_up,
    check_interactions,
    check_mediation,
    check_r2_bivariate,
    check_r2_gain,
    check_r2_nested,
    check_same_regression,
    check_slope_scale,
)
from regionbook.auditing.instruments import (
    check_iv_against_ols,
    check_iv_twins,
    check_kleibergen_paap,
    check_lm_p,
    check_selection_ratio,
)
from regionbook.auditing.paper import Check, Paper
from regionbook.auditing.samples import (
    check_definitions,
    check_extremes,
    check_log_of_zero,
    check_moments,
    check_n,
)
from regionbook.auditing.sums import (
    check_growth,
    check_identities,
    check_summary_rows,
    check_twin_rows,
    check_weights,
)
from regionbook.data import Published, papers, published

CHECKS: tuple[Check, ...] = (
    check_stars,
    check_brackets,
    check_probabilities,
    check_parameters,
    check_n,
    check_moments,
    check_log_of_zero,
    check_extremes,
    check_definitions,
    check_r2_nested,
    check_r2_gain,
    check_r2_bivariate,
    check_slope_scale,
    check_mediation,
    check_effects_add_up,
    check_same_regression,
    check_interactions,
    check_kleibergen_paap,
    check_lm_p,
    check_iv_against_ols,
    check_iv_twins,
    check_selection_ratio,
    check_weights,
    check_identities,
    check_summary_rows,
    check_growth,
    check_twin_rows,
)


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
