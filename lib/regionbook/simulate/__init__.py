"""Simulated teaching panels: one module a paper, one entry point."""

from __future__ import annotations

from importlib import import_module

from regionbook.simulate.city_innovation import Simulated

PAPERS = {"city-innovation": "city_innovation"}
"""Papers with a simulator, and the module that holds it."""
MODES = ("matched", "drawn")


def simulate(slug: str, seed: int = 2026, mode: str = "matched", jitter: float = 0.0) -> Simulated:
    """Simulate the teaching panel of a paper.

    Parameters
    ----------
    slug : str
        Short name of the paper, for example ``"city-innovation"``.
    seed : int
        Any non-negative integer; the shipped file has 2026.
    mode : {"matched", "drawn"}
        *matched*: finite-sample coefficients equal the paper's printed ones by construction. *drawn*: the structural
        process alone.
    jitter : float
        Size of the departure from the printed numbers, for a personal panel (matched mode only); 1 is a good value.

    Returns
    -------
    Simulated
        ``.panel`` with the columns of the shipped CSV and ``.truth``.

    Raises
    ------
    KeyError
        If no simulator exists for ``slug``.
    ValueError, TypeError
        If ``mode``, ``seed`` or ``jitter`` are not of the kinds above.

    Examples
    --------
    >>> simulate("city-innovation", seed=7, jitter=1.0).panel.shape
    (2744, 63)
    """
    if slug not in PAPERS:
        raise KeyError(f"no simulator for {slug!r}; there is one for: {', '.join(PAPERS)}")
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; expected one of {MODES}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise TypeError(f"seed is {seed!r}; expected a non-negative integer")
    if not (isinstance(jitter, (int, float)) and jitter >= 0):
        raise ValueError(f"jitter is {jitter!r}; expected a number that is not negative")
    return import_module(f"regionbook.simulate.{PAPERS[slug]}").simulate(seed, mode, float(jitter))
