"""The formula of `pyfixest.feols`, read into arrays: "outcome ~ regressors | effect + effect"."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..index._checks import places, show
from ._within import codes, flat


@dataclass(frozen=True)
class Design:
    """Outcome (n,), regressors (n × k) without constant, their names, and the codes of each effect."""

    frame: pd.DataFrame
    y: np.ndarray
    x: np.ndarray
    names: list[str]
    effects: dict[str, np.ndarray]

    def position(self, coefficient: str) -> int:
        if coefficient not in self.names:
            raise ValueError(
                f"coefficient {coefficient!r} is not in the formula; it has {', '.join(self.names[:12])}"
                + (", …" if len(self.names) > 12 else "")
            )
        return self.names.index(coefficient)


def two_groups(design: Design, group: str) -> tuple[list[Any], np.ndarray]:
    """The two values of the column `group`, sorted, and its codes."""
    out = codes(design.frame, group, "group")
    names = sorted(pd.unique(design.frame[group]).tolist(), key=lambda value: (str(type(value)), value))
    if len(names) != 2:
        raise ValueError(f"group {group!r} must have two values, it has {len(names)}: {names[:5]}")
    return names, out


def read_formula(data: pd.DataFrame, formula: str) -> Design:
    """Design of `formula`; a row that cannot be used is an error, not dropped."""
    from formulaic import Formula

    frame = flat(data)
    main, *effects = [part.strip() for part in formula.split("|")]
    if len(effects) > 1 or main.count("~") != 1:
        raise ValueError(
            f"formula {formula!r}: expected 'outcome ~ regressors' or 'outcome ~ regressors | effects'"
        )
    spec = Formula(main)
    used = sorted(str(v) for v in spec.required_variables)
    absent = [v for v in used if v not in frame.columns]
    if absent:
        raise ValueError(
            f"formula {formula!r}: {absent} found neither among the columns nor the index levels of data"
        )
    missing = frame[used].isna()
    if missing.to_numpy().any():
        raise ValueError(
            f"the formula's columns have missing values: {places(missing)}; drop these rows beforehand"
        )
    for name in used:
        told = isinstance(frame[name].dtype, pd.CategoricalDtype) or re.search(
            rf"C\(\s*`?{re.escape(name)}\b", main
        )
        if not told and not pd.api.types.is_numeric_dtype(frame[name].dtype):
            raise TypeError(
                f"formula {formula!r}: column {name!r} is text (first value {show(frame[name].iloc[0])}); convert it "
                f"with pandas.to_numeric, or write C({name}) for one dummy a value"
            )
    matrices = spec.get_model_matrix(frame, na_action="ignore")
    if "Intercept" not in matrices.rhs:
        raise ValueError(
            f"formula {formula!r}: a constant (or the effects) always belongs to the model; take out the -1"
        )
    x = matrices.rhs.drop(columns="Intercept").astype(float)
    y = matrices.lhs.astype(float)
    if y.shape[1] != 1 or x.shape[1] == 0:
        raise ValueError(f"formula {formula!r}: expected one numeric outcome and at least one regressor")
    for part in (y, x):
        if not np.isfinite(part.to_numpy()).all():
            infinite = pd.DataFrame(~np.isfinite(part.to_numpy()), index=frame.index, columns=part.columns)
            raise ValueError(f"not finite: {places(infinite)}; a logarithm of zero?")
    terms = [term.strip() for term in effects[0].split("+")] if effects else []
    return Design(
        frame=frame,
        y=y.to_numpy().ravel(),
        x=x.to_numpy(),
        names=list(x.columns),
        effects={term: codes(frame, term, "fixed effect") for term in terms},
    )
