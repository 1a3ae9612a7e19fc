"""Middles of the covariances of a panel of pairs, and their small-sample factors."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Vcov = Literal["iid", "hetero", "pair", "two-way", "dyadic"]
KINDS: tuple[Vcov, ...] = ("iid", "hetero", "pair", "two-way", "dyadic")


def sums_by(scores: np.ndarray, code: np.ndarray, size: int) -> np.ndarray:
    """k × `size`: columns of `scores` (k × m) added by code."""
    return np.stack([np.bincount(code, row, size) for row in scores])


def unit_meats(
    scores: np.ndarray, first: np.ndarray, second: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Σ S_c S_c' over units as first and as second, added; and over units in either place. `scores` is k × m."""
    a, b = sums_by(scores, first, size), sums_by(scores, second, size)
    both = a + b
    return a @ a.T + b @ b.T, both @ both.T


def floor(v: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, bool]:
    """`v` (k × k) without negative eigenvalues once divided by `scale` (k), and whether there were any."""
    v = (v + v.T) / 2
    values, vectors = np.linalg.eigh(v / np.outer(scale, scale))
    if values[0] >= -1e-12 * max(values[-1], -values[0]):
        return v, False
    return (vectors * np.maximum(values, 0)) @ vectors.T * np.outer(scale, scale), True


@dataclass(frozen=True)
class Meat:
    """Middle of a sandwich (k × k), its small-sample factor also in words, and degrees of freedom of t."""

    matrix: np.ndarray
    correction: float
    df: int
    text: str


def small_sample(groups: int, n: int, left: int) -> tuple[float, str]:
    """Factor G/(G−1)·(n−1)/(n−k) of clustered errors (as Stata's), NaN where there is none, and in words."""
    words = "G/(G−1)·(n−1)/(n−k)"
    if groups < 2 or left <= 0:
        return np.nan, f"{words} is not defined"
    factor = groups / (groups - 1) * (n - 1) / left
    return factor, f"{words} = {factor:.5f}, n−k = {left:,}"


def unit_counts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """In how many pairs each unit is, of those that are in any."""
    count = np.bincount(np.concatenate([first, second]))
    return count[count > 0]


def dyadic_sample(count: np.ndarray, n: int, left: int) -> tuple[float, str]:
    """Factor P²/U·(n−1)/(n−k) of `dyadic_cov`, NaN where there is none, and in words, from the pairs of each unit."""
    pairs = int(count.sum()) // 2
    unrelated = pairs**2 - (int((count.astype(np.int64) ** 2).sum()) - pairs)
    words, units = "P²/U·(n−1)/(n−k)", f"C = {len(count):,} units"
    if unrelated <= 0 or left <= 0:
        return np.nan, f"{words} is not defined, {units}"
    factor = pairs**2 / unrelated * (n - 1) / left
    return factor, (
        f"{words} = {factor:.5f}, n−k = {left:,}, P = {pairs:,} pairs, U = {unrelated:,} couples of pairs without a "
        f"common unit, {units}"
    )


def clustered_meats(
    by_pair: np.ndarray,
    low: np.ndarray | None,
    high: np.ndarray | None,
    swapped: np.ndarray | None,
    swapped_part: np.ndarray | None,
    free: int,
    free_all: int,
    n: int,
) -> tuple[dict[Vcov, Meat], int]:
    """Meats "pair", "two-way" and "dyadic" from the scores summed by pair (k × P), and the number of units.

    `low`, `high` are the codes of both units (None where only a pair id is known), `swapped` the pairs whose first
    column holds `high`, `swapped_part` the sums over such rows where this changes within pairs; `free` is n less the
    regressors and the effects that do not lie within pairs, `free_all` less all effects.
    """
    pairs = by_pair.shape[1]
    inner = by_pair @ by_pair.T

    factor, words = small_sample(pairs, n, free)
    out: dict[Vcov, Meat] = {"pair": Meat(inner, factor, pairs - 1, f"{words}, G = {pairs:,} pairs")}
    if low is None or high is None or swapped is None:
        return out, 0
    if swapped_part is None:
        first, second = np.where(swapped, high, low), np.where(swapped, low, high)
        ordered = by_pair
    else:  # each pair in both orders
        ordered = np.concatenate([by_pair - swapped_part, swapped_part], axis=1)
        first, second = np.concatenate([low, high]), np.concatenate([high, low])
        there = ordered.any(axis=0)
        ordered, first, second = ordered[:, there], first[there], second[there]
    size = int(max(low.max(), high.max())) + 1
    apart, both = unit_meats(ordered, first, second, size)
    in_first, in_second = (np.bincount(code, minlength=size) > 0 for code in (first, second))
    least = int(min(in_first.sum(), in_second.sum()))
    factor, words = small_sample(least, n, free if swapped_part is None else free_all)
    out["two-way"] = Meat(
        apart - ordered @ ordered.T, factor, least - 1, f"{words}, G = {least:,}, the fewer"
    )
    units = int((in_first | in_second).sum())
    factor, words = dyadic_sample(unit_counts(low, high), n, free)
    out["dyadic"] = Meat(both - inner, factor, units - 1, words)
    return out, units
