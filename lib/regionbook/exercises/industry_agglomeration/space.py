"""Answers to the exercises of the fifth lesson: weights, admissible interval, spatial Durbin panel, effects."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from regionbook import geo
from regionbook.data import published
from regionbook.exercises.check import answer
from regionbook.models import spatial_durbin
from regionbook.papers import prepare
from regionbook.papers.industry_agglomeration import CONTROLS

SLUG = "industry-agglomeration"
LESSON = f"{SLUG}/5-space"
FORMULA = "new_productivity ~ agglomeration + " + " + ".join(CONTROLS)


def _cities(panel: pd.DataFrame) -> pd.Index:
    return panel.index.unique("city")


def _lag(panel: pd.DataFrame, year: int = 2022, transform: str = "r") -> float:
    cities = _cities(panel)
    x = prepare(SLUG, panel).xs(year, level="year")["agglomeration"].loc[cities]
    return float(pd.Series(geo.contiguity(cities).transform(transform).lag(x), cities)["Wuhan"])


@answer(
    f"{LESSON}/lag",
    hint="geo.contiguity(cities).transform('r').lag(x), with x of 2022 in the order of cities; take Wuhan.",
    mistakes={
        "that is the sum over the neighbours; divide the rows by their sums.": lambda panel: _lag(
            panel, transform="B"
        ),
        "that is Wuhan's own quotient; its neighbours are asked for.": lambda panel: float(
            prepare(SLUG, panel).loc[("Wuhan", 2022), "agglomeration"]
        ),
        "that is another year; take 2022.": lambda panel: _lag(panel, 2013),
    },
)
def lag(panel: pd.DataFrame) -> float:
    """Average quotient of Wuhan's neighbours in 2022."""
    return _lag(panel)


@cache
def _shipped_cities() -> pd.Index:
    from regionbook.data import load

    return _cities(load(SLUG))


def _ends(transform: str = "r") -> pd.Series:
    cities = _shipped_cities()
    both = {"contiguity": geo.contiguity(cities), "distance": geo.inverse_distance(cities)}
    return pd.Series(
        {
            name: 1 / np.linalg.eigvals(w.transform(transform).sparse.toarray()).real.min()
            for name, w in both.items()
        }
    )


@answer(
    f"{LESSON}/lower",
    tolerance=0.01,
    hint="row-standardise both with .transform('r'), take the smallest real part of the eigenvalues, and 1 over it.",
    mistakes={
        "these are the eigenvalues; the interval ends at one over them.": lambda: 1 / _ends(),
        "the rows do not add to one yet: .transform('r').": lambda: _ends("B"),
    },
)
def lower() -> pd.Series:
    """Lower ends of the admissible interval, row-standardised contiguity and inverse distance."""
    return _ends()


def _fit(panel: pd.DataFrame, correction: Any) -> Any:
    w = geo.contiguity(_cities(panel)).transform("r")
    return spatial_durbin(prepare(SLUG, panel), FORMULA, w, correction=correction)


def _printed(term: str) -> pd.Series:
    return published(SLUG).estimates.query("table == '5' and term == @term").iloc[0]


def _scaled(panel: pd.DataFrame, correction: str = "direct", by: str = "paren") -> pd.Series:
    m = _fit(panel, correction)
    ours = m.std_errors if by == "paren" else m.params
    s = float(_printed("W:agglomeration")[by]) / float(ours["W_agglomeration"])
    values = {
        "s": s,
        "rho": s * m.rho,
        "rho_se": s * m.std_errors["rho"],
        "theta": s * m.params["W_agglomeration"],
    }
    return pd.Series(values, dtype=float)


@answer(
    f"{LESSON}/scaled",
    tolerance=0.005,
    hint="fit once with rows that add to one; s is the printed error over yours, and rho, its error and theta grow with s.",
    mistakes={
        "this is the Lee-Yu fit; take correction='direct'.": lambda panel: _scaled(panel, "lee-yu"),
        "this s prints the coefficient; the standard error is asked for.": lambda panel: _scaled(
            panel, by="estimate"
        ),
        "these are the numbers with rows that add to one; weights divided by s multiply them by s.": lambda panel: (
            _scaled(panel)
            / _scaled(panel)["s"]
            * pd.Series({"s": _scaled(panel)["s"]}).reindex(["s", "rho", "rho_se", "theta"], fill_value=1.0)
        ),
    },
)
def scaled(panel: pd.DataFrame) -> pd.Series:
    """The scale that prints the error of W times agglomeration, and what it prints beside."""
    return _scaled(panel)


@cache
def _means() -> tuple[float, float]:
    provinces = geo.units("province").index[:31]
    v = geo.contiguity(provinces, isolates={"海南": "广东"}).transform("r").sparse.toarray()
    n, t = len(v), 10
    y = np.random.default_rng(1).normal(size=(4000, t, n)) @ np.linalg.inv(np.eye(n) - 0.4 * v).T

    def two_way(a: np.ndarray) -> np.ndarray:
        a = a - a.mean(axis=1, keepdims=True)
        return a - a.mean(axis=2, keepdims=True)

    vy, y = two_way(y @ v.T), two_way(y)
    rho = np.linspace(-0.6, 0.95, 776)
    yy, yv, vv = ((p * q).sum(axis=(1, 2))[:, None] for p, q in [(y, y), (y, vy), (vy, vy)])
    ssr = np.log(yy - 2 * rho * yv + rho**2 * vv)
    ln_det = np.log(1 - rho[:, None] * np.linalg.eigvals(v).real).sum(axis=1)
    direct = rho[np.argmax(-n * t / 2 * ssr + t * ln_det, axis=1)]
    lee_yu = rho[np.argmax((t - 1) * (-(n - 1) / 2 * ssr + ln_det - np.log(1 - rho)), axis=1)]
    return float(direct.mean()), float(lee_yu.mean())


@answer(
    f"{LESSON}/means",
    tolerance=0.03,
    hint="the cell of the lesson with N = 31 and T = 10; use thousands of samples, and a grid that reaches below zero.",
    mistakes={
        "the two are the wrong way round.": lambda: pd.Series(_means()[::-1], ["direct", "Lee–Yu"]),
    },
)
def means() -> pd.Series:
    """Means of the direct and the Lee-Yu estimates, 31 provinces, 10 periods, true rho 0.4."""
    return pd.Series(_means(), ["direct", "Lee–Yu"])


@answer(
    f"{LESSON}/turn",
    tolerance=0.005,
    hint="with row sums 1/s the total effect is (beta + theta/s)/(1 - rho/s); when is its numerator zero?",
    mistakes={
        "upside down: beta s + theta = 0.": lambda: 1 / turn(),
        "s is positive: theta is negative.": lambda: -turn(),
    },
)
def turn() -> float:
    """The scale at which the total effect implied by Table 5 is zero."""
    return float(-_printed("W:agglomeration")["estimate"] / _printed("agglomeration")["estimate"])


def _three(panel: pd.DataFrame, correction: str = "lee-yu", theta: float | None = None) -> pd.Series:
    m = _fit(panel, correction)
    w = geo.contiguity(_cities(panel)).transform("r").sparse.toarray()
    one = np.eye(len(w))
    b, t, r = m.params[["agglomeration", "W_agglomeration", "rho"]]
    s = np.linalg.inv(one - r * w) @ (b * one + (t if theta is None else theta) * w)
    direct, total = float(np.diag(s).mean()), float(s.sum(axis=1).mean())
    return pd.Series({"direct": direct, "indirect": total - direct, "total": total})


def _coefficients(panel: pd.DataFrame) -> pd.Series:
    b, t = _fit(panel, "lee-yu").params[["agglomeration", "W_agglomeration"]]
    return pd.Series({"direct": b, "indirect": t, "total": b + t})


@answer(
    f"{LESSON}/effects",
    tolerance=0.002,
    hint="S = inv(I - rho W) (beta I + theta W): mean of the diagonal, mean of the row sums, and their difference.",
    mistakes={
        "these are the coefficients; the effects also contain the echo through rho.": lambda panel: (
            _coefficients(panel)
        ),
        "this is the direct likelihood; take the Lee-Yu correction.": lambda panel: _three(panel, "direct"),
    },
)
def effects(panel: pd.DataFrame) -> pd.Series:
    """Direct, indirect and total effect of agglomeration, Lee-Yu."""
    return _three(panel)


@answer(
    f"{LESSON}/share",
    tolerance=0.005,
    hint="compute the indirect effect again with theta = 0 (same beta and rho), and divide it by the indirect effect.",
    mistakes={
        "that is the share of theta; the share of the reflected beta is one minus it.": lambda panel: (
            1 - share(panel)
        ),
        "upside down: the part without theta over the whole.": lambda panel: 1 / share(panel),
    },
)
def share(panel: pd.DataFrame) -> float:
    """Part of the indirect effect that is beta reflected by rho."""
    return float(_three(panel, theta=0.0)["indirect"] / _three(panel)["indirect"])
