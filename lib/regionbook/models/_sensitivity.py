"""What the measures of sensitivity share: checks, display, and a regression after its fixed effects."""

import numpy as np

from ._formula import Design
from ._within import Sweep


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


class Swept:
    """Outcome, treatment and the other regressors after the fixed effects, each of length one; `scale` of the first two."""

    def __init__(self, design: Design, coefficient: str) -> None:
        design = design.last(coefficient)
        (n, k), rank = design.x.shape, Sweep(list(design.effects.values()), len(design.y)).rank
        if n - rank - k < 2:
            raise ValueError(f"{n} rows are too few for {k} regressors and {rank} effects")
        if k == 1:
            raise ValueError(f"the formula has no covariate beside {coefficient!r} to compare with")
        _, x, y, _ = design.swept()
        lengths, height = np.linalg.norm(x, axis=0), float(np.linalg.norm(y))
        if height <= 1e-9 * np.linalg.norm(design.y):
            raise ValueError("the outcome has no variation left after the fixed effects")
        x = x / lengths
        self.y, self.d, self.others, self.names = y / height, x[:, -1], x[:, :-1], design.names[:-1]
        self.scale, self.df = (height, float(lengths[-1])), n - rank - k


def partial(*columns: np.ndarray) -> np.ndarray:
    """Correlation of each pair of columns given all the others."""
    x = np.column_stack(columns)
    precision = np.linalg.inv(x.T @ x)
    root = np.sqrt(np.diag(precision))
    return -precision / np.outer(root, root)
