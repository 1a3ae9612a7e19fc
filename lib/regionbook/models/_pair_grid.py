"""A panel of pairs as a years × pairs grid, and the exact two-way within transformation on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from ..index._checks import show
from ._within import codes, flat, known, one_kind


class PairGrid:
    """Rows of a frame by (year, pair); columns are read on demand and kept as T × P arrays, zero where absent.

    `low`, `high` are the codes of a pair's two units, `swapped` (T × P, or P where it never changes) tells whether
    the first unit column holds `high`; all three are None if only a pair id is known.
    """

    def __init__(self, data: pd.DataFrame, units: Sequence[str] | None, pair: str, time: str) -> None:
        self.frame = flat(data)
        if not len(self.frame):
            raise ValueError("data has no rows")
        self.pair, self.time = pair, time
        self.low = self.high = self.swapped = None
        self.unit_labels: np.ndarray = np.empty(0)
        codes(self.frame, time, "time")  # refuses an unknown name and missing times
        t, self.years = pd.factorize(self.frame[time].to_numpy(), sort=True)
        p, count = self._pairs(units)
        self.shape = len(self.years), count
        self.at = t * count + p
        self._refuse_twice(p, t)
        if self._swap is not None:
            self.swapped = self._orientation(p)
        self._grids: dict[str, np.ndarray] = {}
        self._there: dict[str, np.ndarray | None] = {}

    def _pairs(self, units: Sequence[str] | None) -> tuple[np.ndarray, int]:
        """Code of each row's pair, and the number of pairs."""
        self._swap: np.ndarray | None = None
        if units is None:
            if self.pair not in self.frame.columns:
                raise ValueError(
                    f"data has no column {self.pair!r}: name the pairs' column with pair=… or, better, their two "
                    "units with units=(…, …), which dyadic errors need"
                )
            p = codes(self.frame, self.pair, "pair")
            return p, int(p.max()) + 1
        names = known(self.frame, list(units) if not isinstance(units, str) else units, "units")
        if len(names) != 2 or names[0] == names[1]:
            raise ValueError(f"units must name two columns, got {names}")
        one, two = (self.frame[name] for name in names)
        first, second, self.unit_labels = unit_codes(one, two, names, self.frame.index)
        self._swap = first > second
        size = len(self.unit_labels)
        key = np.minimum(first, second).astype(np.int64) * size + np.maximum(first, second)
        p, unique = pd.factorize(key)
        self.low, self.high = unique // size, unique % size
        if self.pair in self.frame.columns:
            given = codes(self.frame, self.pair, "pair")
            named = np.empty(len(unique), dtype=given.dtype)
            named[p] = given
            wrong = (named[p] != given) | pd.Series(named).duplicated().to_numpy()[p]
            if wrong.any():
                where = int(wrong.argmax())
                row = self.frame.iloc[where]
                raise ValueError(
                    f"pair {show(row[self.pair])} in row {show(self.frame.index[where])} does not stand for one pair "
                    f"of {names[0]} and {names[1]} alone ({show(row[names[0]])}, {show(row[names[1]])})"
                )
        return p, len(unique)

    def _refuse_twice(self, p: np.ndarray, t: np.ndarray) -> None:
        if np.bincount(self.at, minlength=1).max() < 2:
            return
        again = int(pd.Series(self.at).duplicated().to_numpy().argmax())
        before = int((self.at == self.at[again]).argmax())
        index = self.frame.index
        if self.low is not None and self.high is not None:
            one, two = (self.unit_labels[code[p[again]]] for code in (self.low, self.high))
            what = f"the pair {show(one)} – {show(two)}, in whichever order,"
        else:
            what = f"pair {show(self.frame[self.pair].iloc[again])}"
        said = f"{what} has more than one row in {self.time} {show(self.years[t[again]])}:"
        raise ValueError(f"{said} rows {show(index[before])} and {show(index[again])}")

    def _orientation(self, p: np.ndarray) -> np.ndarray:
        rows, flips = np.bincount(p), np.bincount(p, self._swap)
        if ((flips == 0) | (flips == rows)).all():
            return flips > 0
        grid = np.zeros(self.shape, dtype=bool)
        grid.ravel()[self.at] = self._swap
        return grid

    def column(self, term: str) -> np.ndarray:
        """T × P values of a column or a product "a:b" of columns; zero where missing."""
        if term not in self._grids:
            factors = [term] if term in self.frame.columns else term.split(":")
            if len(factors) == 1:
                values = self._numbers(term)
                missing = np.isnan(values)
                grid = np.zeros(self.shape[0] * self.shape[1])
                grid[self.at] = values
                self._there[term] = None
                if missing.any():
                    grid[self.at[missing]] = 0.0
                    there = np.zeros(len(grid), dtype=bool)
                    there[self.at[~missing]] = True
                    self._there[term] = there.reshape(self.shape)
                self._grids[term] = grid.reshape(self.shape)
            else:
                product = self.column(factors[0])
                for factor in factors[1:]:
                    product = product * self.column(factor)
                self._grids[term] = product
        return self._grids[term]

    def there(self, name: str) -> np.ndarray | None:
        """Where a column is not missing; None if wherever there is a row."""
        self.column(name)
        return self._there[name]

    def factors(self, terms: Sequence[str]) -> list[str]:
        """The columns that the terms are made of."""
        names = (n for term in terms for n in ([term] if term in self.frame.columns else term.split(":")))
        return list(dict.fromkeys(n.strip() for n in names))

    def forget(self, terms: Sequence[str]) -> None:
        for term in terms:
            self._grids.pop(term, None)

    def rows(self) -> np.ndarray:
        """T × P: whether there is a row."""
        out = np.zeros(self.shape, dtype=bool)
        out.ravel()[self.at] = True
        return out

    def _numbers(self, name: str) -> np.ndarray:
        if name not in self.frame.columns:
            raise ValueError(f"{name!r} found neither among the columns nor the index levels of data")
        column = self.frame[name]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            raise TypeError(
                f"column {name!r} is not numeric (dtype {column.dtype}, first value {show(column.iloc[0])}); make "
                "dummies of it beforehand"
            )
        values = column.to_numpy(dtype=float, na_value=np.nan)
        if np.isinf(values).any():
            row = self.frame.index[int(np.isinf(values).argmax())]
            raise ValueError(f"column {name!r} is infinite in row {show(row)}; a logarithm of zero?")
        return values


def unit_codes(
    first: pd.Series | np.ndarray, second: pd.Series | np.ndarray, names: Sequence[str], index: pd.Index
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of both unit columns on one list of labels; refuses missing units and a unit paired with itself."""
    a, b = pd.Series(first), pd.Series(second)
    kinds = [s.dtype for s in (a, b) if isinstance(s.dtype, pd.CategoricalDtype)]
    # two categorical types may be equal and yet count their categories in another order
    if len(kinds) == 2 and kinds[0].categories.equals(kinds[1].categories):
        one, two = a.cat.codes.to_numpy(np.int64), b.cat.codes.to_numpy(np.int64)
        labels = kinds[0].categories
    else:
        n = len(a)
        both, labels = pd.factorize(pd.concat([a.astype(object), b.astype(object)], ignore_index=True))
        one, two = both[:n], both[n:]
    one_kind(labels, f"units {names[0]!r} and {names[1]!r}")
    for name, code in zip(names, (one, two), strict=True):
        if (code < 0).any():
            raise ValueError(f"unit {name!r} is missing in row {show(index[int((code < 0).argmax())])}")
    if (one == two).any():
        at = int((one == two).argmax())
        raise ValueError(f"unit {show(labels[one[at]])} is paired with itself in row {show(index[at])}")
    return one, two, np.asarray(labels)


@dataclass
class Within:
    r"""Exact within transformation on the cells of `mask` (T × P), without iteration.

    With D the mask, T_i and n_t its sums, r_t = Σ_i D_ti (x_ti − x̄_i):

    .. math:: \tilde x_{ti} = x_{ti} - \bar x_i - (\gamma_t - \bar\gamma_i), \qquad A\gamma = r, \quad
        A = \mathrm{diag}(n_t) - D\,\mathrm{diag}(1/T_i)\,D'

    A is singular (A·1 = 0), once for each set of years that no pair joins to the others: the first year of each set is
    the base, γ = 0. A pseudo-inverse would do the same less exactly: its cutoff may keep the null direction.
    """

    mask: np.ndarray
    pairs: bool
    years: bool

    def __post_init__(self) -> None:
        mask = self.mask.copy()
        self.singletons = 0
        while True:  # a row alone in its group says nothing; taking it out may leave another one alone
            alone = np.zeros_like(mask)
            if self.pairs:
                alone |= mask & (mask.sum(axis=0) == 1)
            if self.years:
                alone |= mask & (mask.sum(axis=1) == 1)[:, None]
            if not alone.any():
                break
            self.singletons += int(alone.sum())
            mask &= ~alone
        self.mask = mask
        self.n = int(mask.sum())
        self.full = bool(mask.all())
        self.d = mask.astype(float)
        self.nt, self.ti = self.d.sum(axis=1), self.d.sum(axis=0)
        with np.errstate(divide="ignore"):
            self.by_pair = np.where(self.ti > 0, 1 / self.ti, 0.0)
            self.by_year = np.where(self.nt > 0, 1 / self.nt, 0.0)
        self.used = self.ti > 0
        count, periods = int(self.used.sum()), int((self.nt > 0).sum())
        self.solved: np.ndarray = np.empty(0, dtype=int)
        if self.pairs and self.years:
            self.a = np.diag(self.nt) - (self.d * self.by_pair) @ self.d.T
            self.solved = solved_years(self.a, self.nt)
            self.rank = count + len(self.solved)
            self.beside_pairs = len(self.solved) + 1
        else:
            self.rank = count if self.pairs else periods
            self.beside_pairs = 1 if self.pairs else periods

    def effects(self, year_sums: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Year effects (V × T) and pair effects (V × P) of V variables with these sums by year and means by pair."""
        gamma = np.zeros_like(year_sums)
        if not self.pairs:
            return year_sums * self.by_year, np.zeros_like(means)
        if self.years:
            r = year_sums - means @ self.d.T
            a = self.a[np.ix_(self.solved, self.solved)]
            gamma[:, self.solved] = np.linalg.solve(a, r[:, self.solved].T).T
            means = means - (gamma @ self.d) * self.by_pair
        return gamma, means


def solved_years(a: np.ndarray, rows_by_year: np.ndarray) -> np.ndarray:
    """Years whose effect is estimated: all with rows but the first of each connected set."""
    sets, label = sparse.csgraph.connected_components(sparse.csr_array(np.abs(a) > 1e-9), directed=False)
    base = {int((label == s).argmax()) for s in range(sets)}
    return np.array([t for t in range(len(a)) if rows_by_year[t] > 0 and t not in base], dtype=int)
