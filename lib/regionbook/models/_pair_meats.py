"""Middles of the covariances of a panel of pairs, and their small-sample factors."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ._pair_rows import pair_codes

Vcov = Literal["iid", "hetero", "pair", "two-way", "dyadic"]
KINDS: tuple[Vcov, ...] = ("iid", "hetero", "pair", "two-way", "dyadic")


def sums_by(scores: np.ndarray, code: np.ndarray, size: int) -> np.ndarray:
    """k × `size`: columns of `scores` (k × m) added by code."""
    return np.stack([np.bincount(code, row, size) for row in scores])


def unit_meats(scores: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ S_c S_c' over units as first and as second, added; and over units in either place. `scores` is k × m."""
    size = int(max(first.max(), second.max())) + 1
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
    ordered: np.ndarray, first: np.ndarray, second: np.ndarray, free: int, free_two_way: int, n: int
) -> tuple[dict[Vcov, Meat], int]:
    """Meats "two-way" and "dyadic" from the scores summed by ordered pair (k × m), and the number of units.

    `free` is n less the regressors and the effects that do not lie within pairs, `free_two_way` that for "two-way".
    """
    pair = pair_codes(first, second)
    by_pair = sums_by(ordered, pair, int(pair.max()) + 1)
    apart, both = unit_meats(ordered, first, second)
    least = min(len(np.unique(first)), len(np.unique(second)))
    factor, words = small_sample(least, n, free_two_way)
    two_way = Meat(apart - ordered @ ordered.T, factor, least - 1, f"{words}, G = {least:,}, the fewer")
    once = np.unique(pair, return_index=True)[1]
    count = unit_counts(first[once], second[once])
    factor, words = dyadic_sample(count, n, free)
    dyadic = Meat(both - by_pair @ by_pair.T, factor, len(count) - 1, words)
    return {"two-way": two_way, "dyadic": dyadic}, len(count)
