"""Formulas of a panel of pairs, and which of their regressors can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Columns:
    """Names in a formula: outcome, exogenous terms, effects; endogenous regressor and instruments or ""/()."""

    formula: str
    outcome: str
    exog: tuple[str, ...]
    effects: tuple[str, ...]
    endog: str = ""
    instruments: tuple[str, ...] = ()

    @property
    def terms(self) -> list[str]:
        names = [self.outcome, *([self.endog] if self.endog else []), *self.exog, *self.instruments]
        return list(dict.fromkeys(names))


def _terms(text: str, formula: str) -> tuple[str, ...]:
    out: list[str] = []
    for term in (part.strip() for part in text.split("+")):
        if term in ("0", "1", "-1") or not term:
            if term == "1":
                continue
            raise ValueError(f"formula {formula!r}: {term!r} is no regressor; effects replace the constant")
        if any(sign in term for sign in "()-^/"):
            raise ValueError(
                f"formula {formula!r}: {term!r}: only columns, products a:b and a*b are read; make the column "
                "beforehand"
            )
        if "*" in term:
            a, *more = (part.strip() for part in term.split("*"))
            if len(more) != 1:
                raise ValueError(f"formula {formula!r}: {term!r} has more than two factors; write them out")
            out += [a, more[0], f"{a}:{more[0]}"]
        else:
            out.append(":".join(part.strip() for part in term.split(":")))
    return tuple(dict.fromkeys(out))


def read_columns(formula: str, pair: str, time: str) -> Columns:
    """The names in "outcome ~ regressors | effects" or "outcome ~ regressors | effects | endogenous ~ instruments"."""
    if not isinstance(formula, str):
        raise TypeError(f"a formula is a string such as 'y ~ x | {pair} + {time}', got {formula!r}")
    parts = [part.strip() for part in formula.split("|")]
    if len(parts) not in (2, 3) or parts[0].count("~") != 1 or (len(parts) == 3 and parts[2].count("~") != 1):
        said = f"formula {formula!r}: expected 'outcome ~ regressors | {pair} + {time}', for 2SLS with"
        raise ValueError(f"{said} '| endogenous ~ instruments' behind")
    outcome, right = (side.strip() for side in parts[0].split("~"))
    effects = tuple(part.strip() for part in parts[1].split("+"))
    if not set(effects) <= {pair, time} or len(set(effects)) < len(effects):
        raise ValueError(f"formula {formula!r}: the effects can be {pair!r}, {time!r} or both")
    endog = ""
    instruments: tuple[str, ...] = ()
    if len(parts) == 3:
        endog, z = (side.strip() for side in parts[2].split("~"))
        instruments = _terms(z, formula)
        if "+" in endog or not endog:
            raise ValueError(f"formula {formula!r}: one endogenous regressor is possible, got {endog!r}")
    exog = _terms(right, formula) if not (endog and right in ("", "1")) else ()
    places = [outcome, endog, *set(exog), *set(instruments)]
    if twice := {name for name in places if name and places.count(name) > 1}:
        raise ValueError(f"formula {formula!r}: {sorted(twice)} stand in two places")
    if not exog and not endog:
        raise ValueError(f"formula {formula!r} has no regressor")
    return Columns(formula, outcome, exog, effects, endog, instruments)


ABSORBED = 1e-12  # share of a regressor's sum of squares left by the effects, below which it is dropped
_COLLINEAR = 1e-9  # share of that left by the regressors before it


def independent(
    gram: np.ndarray, total: np.ndarray, names: Sequence[str], effects: Sequence[str]
) -> tuple[list[int], dict[str, str]]:
    """Which regressors to keep, one after the other, and why the others fall out.

    `gram` holds their products after the effects, `total` their sums of squares about the mean before.
    """
    keep: list[int] = []
    out: dict[str, str] = {}
    for j, name in enumerate(names):
        if gram[j, j] <= ABSORBED * total[j]:
            what = " and ".join(f"{e} effects" for e in effects)
            out[name] = "constant" if total[j] == 0 else f"absorbed by the {what}"
            continue
        left = gram[j, j]
        if keep:
            block, cross = gram[np.ix_(keep, keep)], gram[keep, j]
            scale = np.sqrt(np.diag(block))
            cross = cross / scale
            left -= cross @ np.linalg.solve(block / np.outer(scale, scale), cross)
        if left <= _COLLINEAR * gram[j, j]:
            out[name] = f"collinear with {', '.join(names[i] for i in keep)}"
        else:
            keep.append(j)
    return keep, out


def inverse(gram: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix whose columns may have very different lengths."""
    scale = np.sqrt(np.diag(gram))
    return np.linalg.inv(gram / np.outer(scale, scale)) / np.outer(scale, scale)
