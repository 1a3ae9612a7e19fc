"""Regression tables as the field prints them, and the one place where fitted models are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

CONSTANTS = {"Intercept", "const", "_cons", "CONSTANT"}


@dataclass(frozen=True)
class ModelEstimates:
    """What a table needs of a fitted model.

    Attributes
    ----------
    frame : pandas.DataFrame
        Indexed by term, columns ``estimate``, ``se``, ``p``. A constant is called ``_cons``.
    nobs : int
    """

    frame: pd.DataFrame
    nobs: int


def model_estimates(model: Any) -> ModelEstimates:
    """Read coefficients, standard errors, p values and N from a fitted model.

    Parameters
    ----------
    model
        A result of linearmodels, pyfixest or statsmodels.

    Raises
    ------
    TypeError
        Anything else, for example a model that was not fitted.

    Examples
    --------
    >>> import pandas as pd, statsmodels.formula.api as smf
    >>> data = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": [1.0, 3, 5, 6]})
    >>> m = model_estimates(smf.ols("y ~ x", data).fit())
    >>> m.frame["estimate"].round(2).to_dict(), m.nobs
    ({'_cons': 1.2, 'x': 1.7}, 4)
    """
    if hasattr(model, "std_errors") and hasattr(model, "pvalues"):  # linearmodels
        columns, nobs = [model.params, model.std_errors, model.pvalues], model.nobs
    elif callable(getattr(model, "tidy", None)):  # pyfixest
        tidy = model.tidy()
        columns, nobs = [tidy["Estimate"], tidy["Std. Error"], tidy["Pr(>|t|)"]], model._N
    elif hasattr(model, "bse") and hasattr(model, "pvalues"):  # statsmodels
        columns, nobs = [model.params, model.bse, model.pvalues], model.nobs
    else:
        hint = " Call .fit() first." if callable(getattr(model, "fit", None)) else ""
        raise TypeError(
            f"Cannot read estimates from {type(model).__name__}.{hint} "
            "Give a fitted model of linearmodels, pyfixest or statsmodels."
        )
    frame = pd.concat([pd.Series(c).astype(float) for c in columns], axis=1, keys=["estimate", "se", "p"])
    frame.index = pd.Index(["_cons" if t in CONSTANTS else str(t) for t in frame.index], name="term")
    return ModelEstimates(frame, int(nobs))


def stars(p: float) -> str:
    """Stars at 10, 5 and 1 %.

    >>> stars(0.004), stars(0.03), stars(0.07), stars(0.2)
    ('***', '**', '*', '')
    """
    return "***" if p < 0.01 else "**" if p < 0.05 else "*" if p < 0.1 else ""
