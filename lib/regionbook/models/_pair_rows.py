"""The rows of a panel of pairs, and the exact two-way within transformation on them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from ..index._checks import show
from ._within import codes, flat, known, one_kind

_BLOCK = 1024  # pairs worked on at a time, for the processor's cache


class PairRows:
    """Rows of a frame in the order of their pairs; columns are read on demand, NaN where a value is missing.

    `order` puts a column of the frame into this order, `p` and `t` are the codes of pair and time of each row, `units`
    (2 × rows) those of its two units in the order of their columns, None where only a pair id is known.
    """

    def __init__(self, data: pd.DataFrame, units: Sequence[str] | None, pair: str, time: str) -> None:
        self.frame = flat(data)
        if not len(self.frame):
            raise ValueError("data has no rows")
        t = codes(self.frame, time, "time")
        self.units: np.ndarray | None = None
        if units is None:
            if pair not in self.frame.columns:
                raise ValueError(
                    f"data has no column {pair!r}: name the pairs' column with pair=… or, better, their two "
                    "units with units=(…, …), which dyadic errors need"
                )
            p = codes(self.frame, pair, "pair")
        else:
            p = self._pairs(units, pair)
        self._refuse_twice(p, t, units or [pair], time)
        self.order = np.argsort(p, kind="stable")
        self.p, self.t = p[self.order], t[self.order]
        self.units = None if self.units is None else self.units[:, self.order]
        self._columns: dict[str, np.ndarray] = {}
        self._missing: dict[str, np.ndarray] = {}

    def _pairs(self, units: Sequence[str], pair: str) -> np.ndarray:
        """Code of each row's pair; a column of pairs has to say the same."""
        names = known(self.frame, list(units) if not isinstance(units, str) else units, "units")
        if len(names) != 2 or names[0] == names[1]:
            raise ValueError(f"units must name two columns, got {names}")
        one, two = (self.frame[name] for name in names)
        first, second = unit_codes(one, two, names, self.frame.index)
        self.units = np.stack([first, second])
        p = pair_codes(first, second)
        if pair in self.frame.columns:
            given = codes(self.frame, pair, "pair")
            wrong = (_first(given, p) != given) | (_first(p, given) != p)
            if wrong.any():
                row = self.frame.iloc[where := int(wrong.argmax())]
                raise ValueError(
                    f"pair {show(row[pair])} in row {show(self.frame.index[where])} does not stand for one pair "
                    f"of {names[0]} and {names[1]} alone ({show(row[names[0]])}, {show(row[names[1]])})"
                )
        return p

    def _refuse_twice(self, p: np.ndarray, t: np.ndarray, names: Sequence[str], time: str) -> None:
        key = p * (t.max() + 1) + t
        again = pd.Series(key).duplicated().to_numpy()
        if again.any():
            at = int(again.argmax())
            who = " – ".join(show(self.frame[name].iloc[at]) for name in names)
            what = f"the pair {who}, in whichever order," if len(names) == 2 else f"pair {who}"
            rows = [show(self.frame.index[i]) for i in (int((key == key[at]).argmax()), at)]
            said = f"{what} has more than one row in {time} {show(self.frame[time].iloc[at])}:"
            raise ValueError(f"{said} rows {rows[0]} and {rows[1]}")

    def _factors(self, term: str) -> list[str]:
        return [term] if term in self.frame.columns else term.split(":")

    def column(self, term: str) -> np.ndarray:
        """Values of a column, or of a product "a:b" of columns."""
        one, *more = map(self._numbers, self._factors(term))
        for other in more:
            one = one * other
        return one

    def complete(self, terms: Sequence[str]) -> np.ndarray:
        """Which rows have all columns that the terms are made of."""
        out = np.ones(len(self.order), dtype=bool)
        for name in dict.fromkeys(name for term in terms for name in self._factors(term)):
            self._numbers(name)
            if name in self._missing:
                out &= ~self._missing[name]
        return out

    def _numbers(self, name: str) -> np.ndarray:
        if name in self._columns:
            return self._columns[name]
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
        self._columns[name] = values = values[self.order]
        if (missing := np.isnan(values)).any():
            self._missing[name] = missing
        return values


def _first(code: np.ndarray, by: np.ndarray) -> np.ndarray:
    """For each row the `code` of the first row of its group `by`."""
    out = np.empty(by.max() + 1, dtype=code.dtype)
    out[by[::-1]] = code[::-1]
    return out[by]


def pair_codes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """0, 1, 2, … for the pairs of two units in whichever order."""
    size = int(max(first.max(), second.max())) + 1
    return pd.factorize(np.minimum(first, second).astype(np.int64) * size + np.maximum(first, second))[0]


def unit_codes(
    first: pd.Series | np.ndarray, second: pd.Series | np.ndarray, names: Sequence[str], index: pd.Index
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of both unit columns on one list of labels; refuses missing units and a unit paired with itself."""
    a, b = pd.Series(first), pd.Series(second)
    kinds = [s.dtype for s in (a, b) if isinstance(s.dtype, pd.CategoricalDtype)]
    # two categorical types may be equal and yet count their categories in another order
    if len(kinds) == 2 and kinds[0].categories.equals(kinds[1].categories):
        one, two = a.cat.codes.to_numpy(np.int64), b.cat.codes.to_numpy(np.int64)
        labels = kinds[0].categories
    else:
        both, labels = pd.factorize(pd.concat([a.astype(object), b.astype(object)], ignore_index=True))
        one, two = np.split(both, 2)
    one_kind(labels, f"units {names[0]!r} and {names[1]!r}")
    for name, code in zip(names, (one, two), strict=True):
        if (code < 0).any():
            raise ValueError(f"unit {name!r} is missing in row {show(index[int((code < 0).argmax())])}")
    if (one == two).any():
        at = int((one == two).argmax())
        raise ValueError(f"unit {show(labels[one[at]])} is paired with itself in row {show(index[at])}")
    return one, two


class Within:
    r"""Exact within transformation of the rows `at`, in the order of their pairs, without iteration.

    With D the pairs × years of the rows, T_i and n_t its sums, r_t = Σ_i D_it (x_it − x̄_i):

    .. math:: \tilde x_{it} = x_{it} - \bar x_i - (\gamma_t - \bar\gamma_i), \qquad A\gamma = r, \quad
        A = \mathrm{diag}(n_t) - D'\,\mathrm{diag}(1/T_i)\,D

    A is singular (A·1 = 0), once for each set of years that no pair joins to the others: the first year of each set is
    the base, γ = 0. A pseudo-inverse would do the same less exactly: its cutoff may keep the null direction.
    """

    def __init__(self, p: np.ndarray, t: np.ndarray, mask: np.ndarray, pairs: bool, years: bool) -> None:
        groups = [p] * pairs + [t] * years
        at = np.flatnonzero(mask)
        while len(at):  # a row alone in its group says nothing; taking it out may leave another one alone
            alone = np.any([np.bincount(g[at])[g[at]] == 1 for g in groups], axis=0)
            if not alone.any():
                break
            at = at[~alone]
        self.at, self.n, self.singletons = at, len(at), int(mask.sum()) - len(at)
        if not self.n:
            return
        self.t, self.pairs, self.years = t[at], pairs, years
        self.starts = np.flatnonzero(np.diff(p[at], prepend=-1))
        self.rows = np.diff(self.starts, append=self.n)  # of each pair
        ends = [*self.starts[::_BLOCK], self.n]
        self.blocks = [
            (slice(a, b), self.starts[i * _BLOCK : (i + 1) * _BLOCK] - a)
            for i, (a, b) in enumerate(pairwise(ends))
        ]
        self.by_year = np.bincount(self.t).astype(float)
        self.periods, count = int((self.by_year > 0).sum()), len(self.rows)
        self.rank = count if pairs else self.periods
        self.beside_pairs = 1 if pairs else self.periods
        if pairs and years:
            self.d = np.zeros((count, len(self.by_year)))
            self.d[np.repeat(np.arange(count), self.rows), self.t] = 1.0
            a = np.diag(self.by_year) - (self.d.T / self.rows) @ self.d
            self.solved = solved_years(a, self.by_year)
            self.a = a[np.ix_(self.solved, self.solved)]
            self.rank += len(self.solved)
            self.beside_pairs += len(self.solved)

    def by_pair(self, z: np.ndarray) -> np.ndarray:
        """Sums of each row of z (V × rows) by pair."""
        return np.add.reduceat(z, self.starts, axis=1)

    def take_out(self, z: np.ndarray) -> None:
        """Leave of the variables z (V × rows) what the effects leave."""
        means = self.by_pair(z) / self.rows
        gamma = np.zeros((len(z), len(self.by_year)))
        if self.years:
            sums = np.stack([np.bincount(self.t, row) for row in z])
            if self.pairs:
                right = sums - means @ self.d
                gamma[:, self.solved] = np.linalg.solve(self.a, right[:, self.solved].T).T
                means -= gamma @ self.d.T / self.rows
            else:
                np.divide(sums, self.by_year, out=gamma, where=self.by_year > 0)
        for row, of_year, of_pair in zip(z, gamma, means, strict=True):
            if self.years:
                row -= of_year[self.t]
            if self.pairs:
                row -= np.repeat(of_pair, self.rows)


def solved_years(a: np.ndarray, rows_by_year: np.ndarray) -> np.ndarray:
    """Years whose effect is estimated: all with rows but the first of each connected set."""
    sets, label = sparse.csgraph.connected_components(sparse.csr_array(np.abs(a) > 1e-9), directed=False)
    base = {int((label == s).argmax()) for s in range(sets)}
    return np.array([t for t in range(len(a)) if rows_by_year[t] > 0 and t not in base], dtype=int)
