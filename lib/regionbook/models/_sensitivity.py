"""What the measures of sensitivity share: checks, display, and a regression after its fixed effects."""

from dataclasses import dataclass

import numpy as np

from ._formula import Design
from ._within import Sweep, orthonormal


def finite(**values: float) -> None:
    for name, value in values.items():
        if not np.isfinite(value):
            raise ValueError(f"{name}={value!r} must be a finite number")


def check_regression(estimate: float, se: float, df: float, alpha: float, least: int = 1) -> None:
    finite(estimate=estimate, se=se, df=df)
    if se <= 0:
        raise ValueError(f"se={se!r} must be positive; give the standard error, not t")
    if df < least:
        raise ValueError(f"df={df!r} residual degrees of freedom are too few")
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha={alpha!r} must lie between 0 and 1, for example 0.05")


@dataclass(frozen=True)
class Swept:
    """Outcome, treatment and the other regressors after the fixed effects, each of length one."""

    y: np.ndarray
    d: np.ndarray
    others: np.ndarray
    names: list[str]
    scale: tuple[float, float]
    df: int


def swept(design: Design, coefficient: str) -> Swept:
    j = design.position(coefficient)
    order = [*(i for i in range(len(design.names)) if i != j), j]
    sweep = Sweep(list(design.effects.values()), len(design.y))
    df = len(design.y) - sweep.rank - len(order)
    if df < 2:
        raise ValueError(
            f"{len(design.y)} rows are too few for {len(order)} regressors and {sweep.rank} effects"
        )
    if len(order) == 1:
        raise ValueError(f"the formula has no covariate beside {coefficient!r} to compare with")
    x, y = sweep(design.x[:, order]), sweep(design.y[:, None]).ravel()
    orthonormal(x, np.linalg.norm(design.x[:, order], axis=0), [design.names[i] for i in order])
    lengths, height = np.linalg.norm(x, axis=0), float(np.linalg.norm(y))
    if height <= 1e-9 * np.linalg.norm(design.y):
        raise ValueError("the outcome has no variation left after the fixed effects")
    x = x / lengths
    names = [design.names[i] for i in order[:-1]]
    return Swept(y / height, x[:, -1], x[:, :-1], names, (height, float(lengths[-1])), df)


def partial(*columns: np.ndarray) -> np.ndarray:
    """Correlation of each pair of columns given all the others."""
    x = np.column_stack(columns)
    precision = np.linalg.inv(x.T @ x)
    root = np.sqrt(np.diag(precision))
    return -precision / np.outer(root, root)
