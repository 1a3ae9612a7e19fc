"""What a paper declares: its printed regressions, as data that estimation, comparison, calibration and redraw read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from regionbook.paths import data_file

Names = Mapping[str, str]
Errors = str | Names
SPATIAL = {"durbin": "sdm", "sar": "sar", "sem": "sem"}
"""Estimator of a column -> model of `regionbook.models.spatial_durbin`."""
ESTIMATORS = ("ols", "poisson", "random", *SPATIAL, "pairs")
R2 = ("overall", "within", "correlation", "none")
EFFECTS = ("", "direct", "indirect", "total")


_FORMULA = re.compile(r"([^~|{]+)~([^~|{]*)(?:\|([^~|{]+))?(?:\|([^~|{]+)~([^~|{]+))?")
"""Outcome ~ regressors | effects | endogenous ~ instruments."""


def _split(text: str) -> tuple[str, ...]:
    """Terms of a side of a formula: at each plus that is in no bracket, without a lone constant."""
    terms = (term.strip() for term in re.split(r"\+(?![^()]*\))", text))
    return tuple(term for term in terms if term not in ("", "1"))


def _names(term: str) -> tuple[str, ...]:
    """Columns that a term uses: ``digit:size`` and ``i(year, pilot, ref=2012)`` use two."""
    return tuple(re.findall(r"\b[^\W\d]\w*\b(?!\s*[(=])", term))


@dataclass(frozen=True)
class Column:
    """One printed column: what is regressed on what, on which rows, with which errors."""

    table: str
    column: str
    formula: str
    """In pyfixest's language: ``"y ~ x + x:m | city + year"``, without effects ``"y ~ x"``, by instruments
    ``"y ~ x | city + year | d ~ z"``. Its names are columns of `regionbook.papers.estimation.variables`."""
    estimator: str = "ols"
    """``ols``: least squares or, with instruments, 2SLS, and ``poisson`` (both pyfixest); ``random``: effects of the
    first index level (linearmodels); ``durbin``, ``sar``, ``sem``: spatial Durbin, lag and error model with two-way effects, direct likelihood;
    ``pairs``: a panel of pairs (`regionbook.models.dyadic_panel`)."""
    errors: Errors = field(default="iid", hash=False)
    """As pyfixest takes them: ``"iid"``, ``"HC1"``, ``{"CRV1": "city"}``."""
    sample: str = ""
    """Rows, as a query of pandas; empty: all. Rows that lack a variable of the formula never count."""
    weights: str = ""
    """Column of the panel that weighs the rows (least squares), for instance by matching; empty: none."""
    space: str = ""
    """``durbin``: which of the paper's weights matrices, where `weights` of its module gives several by name."""
    effect: str = ""
    """``durbin``: ``direct``, ``indirect`` or ``total`` effects in place of coefficients."""
    terms: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Printed term -> coefficient, where the two differ (more may be listed)."""
    r2: str = "overall"
    """``overall``: one minus residual over total sum of squares; ``within``: the total about the means of the first
    effect (Stata's ``xtreg, fe``); ``correlation``: squared, within units (``xtreg, re``); ``none``: not printed."""
    constant: Literal["mean", "base"] = "mean"
    """What `_cons` is beside effects: that of the sample means (``reghdfe``, ``xtreg, fe``) or of the first level of
    the second effect (``xtreg, fe`` with dummies of years)."""

    def __post_init__(self) -> None:
        where = f"Table {self.table} ({self.column})"
        if not self._parts:
            raise ValueError(
                f"{where}: cannot read {self.formula!r}; expected 'outcome ~ regressors', behind it '| effects' and "
                "'| endogenous ~ instruments', with {X} filled in"
            )
        for name, value, known in (
            ("estimator", self.estimator, ESTIMATORS),
            ("r2", self.r2, R2),
            ("effect", self.effect, EFFECTS),
        ):
            if value not in known:
                raise ValueError(f"{where}: {name} is {value!r}, expected one of {', '.join(known)}")
        if self.r2 == "within" and not self.effects:
            raise ValueError(f"{where}: r2 is 'within', but {self.formula!r} has no effects; say 'overall'")

    @property
    def key(self) -> tuple[str, str]:
        """Table and column."""
        return self.table, self.column

    @property
    def _parts(self) -> list[str]:
        """The five parts of the formula, empty where there is none; an empty list if it cannot be read."""
        found = _FORMULA.fullmatch(self.formula)
        return [(part or "").strip() for part in found.groups()] if found else []

    @property
    def outcome(self) -> str:
        """Left side."""
        return self._parts[0]

    @property
    def exogenous(self) -> tuple[str, ...]:
        """Regressors that are their own instruments, constant not named."""
        return _split(self._parts[1])

    @property
    def effects(self) -> tuple[str, ...]:
        """Fixed effects; ``province^year`` is one of the two together."""
        return _split(self._parts[2])

    @property
    def endogenous(self) -> tuple[str, ...]:
        """Regressors with instruments; empty without."""
        return _split(self._parts[3])

    @property
    def instruments(self) -> tuple[str, ...]:
        """Excluded instruments; empty without."""
        return _split(self._parts[4])

    @property
    def regressors(self) -> tuple[str, ...]:
        """All regressors, the endogenous ones first."""
        return self.endogenous + self.exogenous

    @property
    def clusters(self) -> tuple[str, ...]:
        """Columns by which errors are clustered; empty without."""
        if isinstance(self.errors, str):
            return ()
        return tuple(name for value in self.errors.values() for name in _names(value))

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns of the panel in outcome, regressors, instruments and weights, each once."""
        terms = (self.outcome, *self.regressors, *self.instruments, self.weights)
        return tuple(dict.fromkeys(name for term in terms for name in _names(term)))

    @property
    def coefficients(self) -> dict[str, str]:
        """Printed term -> coefficient, for every regressor, the spatial terms and the constant ``_cons``."""
        printed = {ours: term for term, ours in self.terms.items()}
        names = (*self.regressors, *(k for k in printed if k not in self.regressors))
        return {printed.get(k, k): k for k in names} | {"_cons": "Intercept"}


def regressions(slug: str, controls: Sequence[str] = (), names: Names | None = None) -> list[Column]:
    """Return the printed regressions of a paper, one a row of ``data/teaching/regressions/<slug>.csv``.

    ``controls`` are what ``{X}`` in a formula stands for, ``names`` coefficient -> printed term where they differ.

    Examples
    --------
    >>> regressions("city-innovation", ["gov_k", "hum"])[1].formula
    'inn ~ digit + gov_k + hum | city + year'
    """
    rows = pd.read_csv(data_file("teaching", "regressions", f"{slug}.csv"), dtype=str, keep_default_na=False)
    return [column_of(row, controls, names or {}) for row in rows.to_dict("records")]


def column_of(row: Names, controls: Sequence[str] = (), names: Names | None = None) -> Column:
    """Return a column from its row of text: what is empty is the usual, errors are ``HC1`` or ``CRV1 city``, terms
    ``printed = coefficient; …`` (a name alone means both).

    Examples
    --------
    >>> row = {"table": "7", "column": "2", "formula": "inn ~ digit + {X} | city", "errors": "CRV1 city"}
    >>> column = column_of(row, ["gov_k", "hum"], {"gov_k": "gov"})
    >>> column.regressors, column.effects, column.errors, column.coefficients["gov"]
    (('digit', 'gov_k', 'hum'), ('city',), {'CRV1': 'city'}, 'gov_k')
    """
    said: dict[str, Any] = {k: v for k, v in row.items() if v}
    said["formula"] = said["formula"].replace("{X}", " + ".join(controls))
    kind, _, by = said.pop("errors", "iid").partition(" ")
    pairs = (term.partition(" = ") for term in filter(None, said.pop("terms", "").split("; ")))
    terms = {printed: ours or printed for printed, _, ours in pairs}
    column = Column(**said, errors={kind: by} if by else kind)
    common = {printed: ours for ours, printed in (names or {}).items() if ours in column.regressors}
    return replace(column, terms=common | terms)
