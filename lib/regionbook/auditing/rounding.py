"""A printed number as the interval that it may stand for."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regionbook.data import decimals


@dataclass(frozen=True)
class Number:
    """A printed number and the interval that it may stand for."""

    value: float
    half: float
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def low(self) -> float:
        return self.value - self.half

    @property
    def high(self) -> float:
        return self.value + self.half


def number(text: str) -> Number:
    """Read a printed number.

    >>> n = number("0.0020")
    >>> round(n.low, 6), round(n.high, 6)
    (0.00195, 0.00205)
    """
    power = int(re.split("[eE]", text)[1]) if re.search("[eE]", text) else 0
    return Number(float(text), 0.5 * 10.0 ** (power - decimals(text)) * (1 + 1e-9), text)


def with_slack(f: Callable[..., float], numbers: Sequence[Number]) -> tuple[float, float]:
    """Value of f and how far rounding of its arguments can move it (first order)."""
    values = [n.value for n in numbers]
    centre = f(*values)
    slack = 0.0
    for i, n in enumerate(numbers):
        moved = values.copy()
        moved[i] = n.value + n.half
        slack += abs(f(*moved) - centre)
    return centre, slack


def agree(printed: Number, value: float, slack: float) -> bool:
    return abs(printed.value - value) <= printed.half + slack * (1 + 1e-9)


def t_range(b: Number, paren: Number, kind: str) -> tuple[float, float]:
    """Smallest and largest |t| that the printed coefficient and bracket allow."""
    if kind in ("t", "z"):
        low, high = abs(paren.value) - paren.half, abs(paren.value) + paren.half
        return max(low, 0.0), high
    low_b, high_b = max(abs(b.value) - b.half, 0.0), abs(b.value) + b.half
    low_se = max(paren.value - paren.half, 0.0)
    return low_b / (paren.value + paren.half), high_b / low_se if low_se > 0 else math.inf
