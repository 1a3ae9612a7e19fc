"""The teaching panels of the first four papers: one module a paper, one entry point."""

from __future__ import annotations

from importlib import import_module
from numbers import Integral
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


def simulate(slug: str, seed: int = 2026) -> Simulated:
    """Simulate the teaching panel of a paper: finite-sample coefficients equal the printed ones by construction.

    Parameters
    ----------
    slug : str
        Short name of the paper, for example ``"city-innovation"``.
    seed : int
        Any non-negative whole number; the shipped file has 2026.

    Returns
    -------
    Simulated
        ``.panel`` with the columns of the shipped CSV and ``.truth``.

    Raises
    ------
    KeyError
        If no simulator exists for ``slug``.
    TypeError
        If ``seed`` is not of the kind above.
    """
    module = _module(slug)
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise TypeError(f"seed is {seed!r}; expected a whole number that is not negative")
    return import_module(module).simulate(int(seed))


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
