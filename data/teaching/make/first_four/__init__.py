"""Simulated teaching panels: one module a paper, one entry point."""

from __future__ import annotations

from importlib import import_module
from numbers import Integral, Real
from pathlib import Path

from first_four._panel import Simulated

PAPERS = {
    "city-innovation": "city_innovation",
    "industry-agglomeration": "industry_agglomeration",
    "factor-innovation": "factor_innovation",
    "knowledge-flows": "knowledge_flows",
}
"""Papers with a simulator, and the module that holds it."""
SLUGS = tuple(PAPERS)
MODES = ("matched", "drawn")


def simulate(slug: str, seed: int = 2026, mode: str = "matched", jitter: float = 0.0) -> Simulated:
    """Simulate the teaching panel of a paper.

    Parameters
    ----------
    slug : str
        Short name of the paper, for example ``"city-innovation"``.
    seed : int
        Any non-negative whole number; the shipped file has 2026.
    mode : {"matched", "drawn"}
        *matched*: finite-sample coefficients equal the paper's printed ones by construction. *drawn*: the structural
        process alone, nothing pulled to anything.
    jitter : float
        Size of the departure from the printed numbers, for a personal panel (matched mode only). At 1, as in
        `regionbook.personal`, the effect of digit has a standard deviation of about 8 per cent from student to student.

    Returns
    -------
    Simulated
        ``.panel`` with the columns of the shipped CSV and ``.truth``.

    Raises
    ------
    KeyError
        If no simulator exists for ``slug``.
    TypeError, ValueError
        If ``mode``, ``seed`` or ``jitter`` are not of the kinds above.

    Examples
    --------
    >>> simulate("city-innovation", seed=7, jitter=0.3).panel.shape
    (2744, 62)
    """
    module = _module(slug)
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; expected one of {MODES}")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise TypeError(f"seed is {seed!r}; expected a whole number that is not negative")
    if isinstance(jitter, bool) or not isinstance(jitter, Real) or not 0 <= jitter <= 2:
        raise ValueError(f"jitter is {jitter!r}; expected a number from 0 to 2")
    if jitter and mode == "drawn":
        raise ValueError(
            "jitter moves the targets of a matched panel; a drawn panel has none, so leave it at 0"
        )
    return import_module(module).simulate(int(seed), mode, float(jitter))


def write(slug: str, folder: Path | str) -> None:
    """Write the shipped teaching files of a paper (panel and truth, seed 2026) to a folder.

    Raises
    ------
    KeyError
        If no simulator exists for ``slug``.
    """
    import_module(_module(slug)).write(folder)


def _module(slug: str) -> str:
    if slug not in PAPERS:
        raise KeyError(f"no simulator for {slug!r}; there is one for: {', '.join(PAPERS)}")
    return f"first_four.{PAPERS[slug]}"
