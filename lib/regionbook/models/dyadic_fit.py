"""One estimated column of a panel of pairs, with every kind of error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import special

from ..index._checks import one_of
from ..shown import Part
from ._estimated import Estimated
from ._pair_meats import KINDS, Meat, Vcov, floor


@dataclass(frozen=True, repr=False)
class DyadicFit(Estimated):
    """One column of :func:`dyadic_panel`. Fits `rb.tables.regression_table` and `rb.compare`.

    Attributes
    ----------
    params : Series
    vcov : str; whose errors all tables use; ``using("dyadic")`` gives a copy with others
    nobs, pairs, units, periods : int; of the rows used; units = 0 if only a pair id is known
    r2 : float; 1 − SSR/SST about the overall mean, effects included: what most programs print
    r2_within : float; the same after the effects (also `rsquared`, for tables)
    dropped : dict; regressors left out, with the reason
    singletons : int; rows left out because they stand alone in their pair or year
    used : ndarray of bool; which rows of the data were used; None out of core
    first_stage : DyadicFit or None
    """

    formula: str
    outcome: str
    effects: tuple[str, ...]
    params: pd.Series
    vcov: Vcov
    nobs: int
    pairs: int
    units: int
    periods: int
    r2: float
    r2_within: float
    dropped: dict[str, str]
    singletons: int
    bread: np.ndarray = field(repr=False)
    meats: Mapping[Vcov, Meat] = field(repr=False)
    used: np.ndarray | None = field(default=None, repr=False)
    first_stage: DyadicFit | None = field(default=None, repr=False)

    def _meat(self, kind: Vcov | None) -> Meat:
        kind = kind or self.vcov
        one_of(KINDS, kind=kind)
        if kind not in self.meats:
            why = "the two unit columns: give units=(…, …)" if kind != "hetero" else "single rows"
            raise ValueError(f"errors {kind!r} need {why}")
        return self.meats[kind]

    def _cov(self, kind: Vcov | None, correction: bool) -> tuple[np.ndarray, bool]:
        meat = self._meat(kind)
        v = self.bread @ meat.matrix @ self.bread * (meat.correction if correction else 1.0)
        if not np.isfinite(v).all():
            return v, False
        return floor(v, np.sqrt(np.diag(self.bread)))

    def cov(self, kind: Vcov | None = None, correction: bool = True) -> pd.DataFrame:
        """Covariance of the coefficients; `correction=False` leaves the small-sample factor out.

        "two-way" and "dyadic" may come out indefinite: negative eigenvalues are then set to zero (`floored`).

        Parameters
        ----------
        kind : str, optional; "iid", "hetero", "pair", "two-way" or "dyadic"; left out, that of `vcov`
        correction : bool

        Returns
        -------
        DataFrame, k × k

        Raises
        ------
        ValueError: errors that need the two unit columns, or the single rows, where there are none
        """
        v, _ = self._cov(kind, correction)
        return pd.DataFrame(v, self.params.index, self.params.index)

    def se(self, kind: Vcov | None = None, correction: bool = True) -> pd.Series:
        """Standard errors, in the unit of the coefficients; `kind` and `correction` as in `cov`."""
        v, _ = self._cov(kind, correction)
        return pd.Series(np.sqrt(np.diag(v)), self.params.index, name="se")

    def floored(self, kind: Vcov | None = None) -> bool:
        """Whether a negative eigenvalue of the covariance (`kind` as in `cov`) was set to zero."""
        return self._cov(kind, True)[1]

    def correction(self, kind: Vcov | None = None) -> str:
        """The small-sample factor of a covariance (`kind` as in `cov`), in words and as a number."""
        return self._meat(kind).text

    def using(self, kind: Vcov) -> DyadicFit:
        """The same column with other standard errors (`kind` as in `cov`)."""
        self._meat(kind)
        return replace(self, vcov=kind)

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors of the kind `vcov`."""
        return self.se().rename("std_error")

    @property
    def _df(self) -> float:  # type: ignore[override]
        return self._meat(None).df

    @property
    def rsquared(self) -> float:
        """`r2_within`, under the name that tables ask for."""
        return self.r2_within

    @property
    def table(self) -> pd.DataFrame:
        """Estimate, standard error, t, p and the 95 % interval of each term."""
        b, se = self.params, self.se()
        half = special.stdtrit(self._df, 0.975) * se
        columns = {"estimate": b, "se": se, "t": b / se, "p": self.pvalues}
        columns |= {"lower": b - half, "upper": b + half}
        return pd.DataFrame(columns).rename_axis("term")

    def errors(self, kinds: Sequence[Vcov] = ("pair", "two-way", "dyadic")) -> pd.DataFrame:
        """Estimate, then standard error and t of each kind: how much a star depends on who may correlate.

        Parameters
        ----------
        kinds : list of str; as in `cov`

        Returns
        -------
        DataFrame; by regressor; columns ("", "estimate"), then (kind, "se") and (kind, "t")
        """
        parts = {("", "estimate"): self.params}
        for kind in kinds:
            se = self.se(kind)
            parts |= {(kind, "se"): se, (kind, "t"): self.params / se}
        return pd.DataFrame(parts).rename_axis("term")

    def wald(self, terms: Sequence[str], kind: Vcov | None = None) -> tuple[float, int, float]:
        """Wald test of the hypothesis that all `terms` are zero; of a first stage's instruments, their F.

        Parameters
        ----------
        terms : list of str; regressors
        kind : as in `cov`

        Returns
        -------
        f, number of terms, p

        Raises
        ------
        ValueError: a term that is no regressor
        """
        absent = [term for term in terms if term not in self.params.index]
        if isinstance(terms, str) or absent or not len(terms):
            raise ValueError(f"terms must be a list of {list(self.params.index)}, got {terms!r}")
        b, v = self.params[list(terms)], self.cov(kind).loc[list(terms), list(terms)]
        f = float(b @ np.linalg.solve(v, b)) / len(terms)
        return f, len(terms), float(special.fdtrc(len(terms), self._meat(kind).df, f))

    @property
    def notes(self) -> list[str]:
        """What a reader of the numbers should know."""
        out = [f"{name} left out: {why}" for name, why in self.dropped.items()]
        if self.singletons:
            out.append(f"{self.singletons:,} rows left out: alone in their {' or '.join(self.effects)}")
        floored = filter(self.floored, self.meats)
        return out + [f"{kind} covariance indefinite: negative eigenvalues set to zero" for kind in floored]

    @property
    def _absorbed(self) -> str | None:  # type: ignore[override]
        return "+".join(self.effects)

    def _shown(self) -> list[Part]:
        units = f" of {self.units:,} units" if self.units else ""
        facts = {
            "formula": self.formula,
            "standard errors": f"{self.vcov}: {self.correction()}; t with {self._df:,} degrees of freedom",
            "observations": f"{self.nobs:,}: {self.pairs:,} pairs{units}, {self.periods:,} periods",
            "R², within": f"{self.r2:.4f}, {self.r2_within:.4f}",
        }
        return [self.table.round(4), facts | {f"note {i + 1}": text for i, text in enumerate(self.notes)}]
