"""The formula of `pyfixest.feols`, read into arrays: "outcome ~ regressors | effect + effect"."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..index._checks import places, show
from ._within import Sweep, codes, flat, known, orthonormal


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
            known = ", ".join(self.names[:12]) + ", …" * (len(self.names) > 12)
            raise ValueError(f"coefficient {coefficient!r} is not in the formula; it has {known}")
        return self.names.index(coefficient)

    def last(self, coefficient: str) -> "Design":
        """The same design with one regressor behind all others."""
        j = self.position(coefficient)
        order = [*(i for i in range(len(self.names)) if i != j), j]
        return replace(self, x=self.x[:, order], names=[self.names[i] for i in order])

    def swept(self) -> tuple[Sweep, np.ndarray, np.ndarray, np.ndarray]:
        """What takes the effects out; regressors and outcome without them; an orthonormal basis of the former."""
        sweep = Sweep(list(self.effects.values()), len(self.y))
        x, y = sweep(self.x), sweep(self.y[:, None]).ravel()
        return sweep, x, y, orthonormal(x, np.linalg.norm(self.x, axis=0), self.names)


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
        raise ValueError(f"formula {formula!r}: expected 'outcome ~ regressors' and, if any, '| effects'")
    spec = Formula(main)
    used = known(frame, sorted(str(v) for v in spec.required_variables), f"formula {formula!r}")
    plain = frame.reset_index(drop=True)  # without labels, which each step would carry along
    if (missing := plain[used].isna().to_numpy()).any():
        where = places(pd.DataFrame(missing, frame.index, used))
        raise ValueError(f"the formula's columns have missing values: {where}; drop the rows first")
    for name in used:
        told = isinstance(plain[name].dtype, pd.CategoricalDtype)
        told = told or bool(re.search(rf"C\(\s*`?{re.escape(name)}\b", main))
        if not told and not pd.api.types.is_numeric_dtype(plain[name].dtype):
            raise TypeError(
                f"formula {formula!r}: column {name!r} is text (first value {show(plain[name].iloc[0])}); convert it "
                f"with pandas.to_numeric, or write C({name}) for one dummy a value"
            )
    matrices = spec.get_model_matrix(plain, na_action="ignore")
    names = list(matrices.rhs.columns)
    if "Intercept" not in names:
        raise ValueError(f"formula {formula!r}: a constant (or the effects) is always in it; take out the -1")
    y, x = matrices.lhs.to_numpy(float), matrices.rhs.to_numpy(float)
    if y.shape[1] != 1 or x.shape[1] == 1:
        raise ValueError(f"formula {formula!r}: expected one numeric outcome and at least one regressor")
    for part, columns in ((y, matrices.lhs.columns), (x, names)):
        if not np.isfinite(part).all():
            infinite = pd.DataFrame(~np.isfinite(part), index=frame.index, columns=columns)
            raise ValueError(f"not finite: {places(infinite)}; a logarithm of zero?")
    terms = [term.strip() for term in effects[0].split("+")] if effects else []
    coded = {term: codes(frame, term, "fixed effect") for term in terms}
    at = names.index("Intercept")
    return Design(frame, y.ravel(), np.delete(x, at, axis=1), names[:at] + names[at + 1 :], coded)
