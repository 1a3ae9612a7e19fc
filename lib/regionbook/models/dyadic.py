"""Least squares and 2SLS for a panel of pairs, many columns at once, with errors that share a unit."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
import pandas as pd

from ..index._checks import one_of
from ._pair_formula import ABSORBED, Columns, independent, inverse, read_columns
from ._pair_meats import KINDS, Meat, Vcov, clustered_meats, small_sample
from ._pair_rows import PairRows, Within
from .dyadic_fit import DyadicFit


class _Sample:
    """All that the columns with the same rows and effects share: their terms after the effects."""

    def __init__(self, rows: PairRows, within: Within, terms: list[str], effects: tuple[str, ...]) -> None:
        self.rows, self.within, self.terms, self.effects = rows, within, terms, effects
        self.place = {term: i for i, term in enumerate(terms)}
        at = within.at
        self.z = np.empty((len(terms), within.n))
        for row, term in zip(self.z, terms, strict=True):
            row[:] = rows.column(term)[at]
            row -= row.mean()  # the effects take it out; fewer digits are lost
        self.total = np.einsum("vn,vn->v", self.z, self.z)
        within.take_out(self.z)
        self.gram = self.z @ self.z.T
        self.used = np.zeros(len(rows.order), dtype=bool)
        self.used[rows.order[at]] = True
        self.swapped: np.ndarray | None = None  # rows with the second order, where it changes within a pair
        if rows.units is not None:
            first, second = rows.units[:, at]
            self.first, self.second = first[within.starts], second[within.starts]
            swapped = (first != np.repeat(self.first, within.rows)).astype(float)
            if swapped.any():
                self.swapped, both = swapped, (self.first, self.second)
                self.there = np.append(np.full(len(both[0]), True), within.by_pair(swapped[None]) > 0)
                self.first, self.second = (np.append(*ends)[self.there] for ends in (both, both[::-1]))

    def fit(self, column: Columns, vcov: Vcov) -> DyadicFit:
        candidates = [*column.exog, *column.instruments]
        at = [self.place[name] for name in candidates]
        keep, dropped = independent(self.gram[np.ix_(at, at)], self.total[at], candidates, self.effects)
        kept = [candidates[i] for i in keep]
        if not column.endog:
            if not kept:
                why = "; ".join(f"{name}: {reason}" for name, reason in dropped.items())
                raise ValueError(f"formula {column.formula!r}: no regressor is left ({why})")
            return self._finish(column, column.outcome, kept, dropped, vcov)
        if not set(kept) & set(column.instruments):
            why = "; ".join(f"{name}: {dropped[name]}" for name in column.instruments)
            raise ValueError(f"formula {column.formula!r}: no instrument is left ({why})")
        d = self.place[column.endog]
        if self.gram[d, d] <= ABSORBED * self.total[d]:
            gone = f"{column.endog!r} is absorbed by the {', '.join(self.effects)} effects"
            raise ValueError(f"formula {column.formula!r}: {gone}")
        first = self._finish(column, column.endog, kept, dropped, vcov)
        exog = [name for name in kept if name in column.exog]
        return self._finish(column, column.outcome, [column.endog, *exog], dropped, vcov, first)

    def _scores(self, at: list[int], y: int, b: np.ndarray, c: np.ndarray) -> tuple[float, Any, Any, Any]:
        """SSR, Σ u u' over rows, sums of the scores u = xe by pair (k × P), and those of the swapped rows."""
        plain = np.array_equal(np.flatnonzero(c.any(axis=1)), np.sort(at))
        ssr, meat, sums, turned = 0.0, 0.0, [], []
        for here, starts in self.within.blocks:
            z = self.z[:, here]
            own = z[at]
            e = z[y] - b @ own
            u = (own if plain else c.T @ z) * e
            ssr += float(e @ e)
            meat = meat + u @ u.T
            sums.append(np.add.reduceat(u, starts, axis=1))
            if self.swapped is not None:
                turned.append(np.add.reduceat(u * self.swapped[here], starts, axis=1))
        return ssr, meat, np.hstack(sums), np.hstack(turned) if turned else None

    def _finish(
        self,
        column: Columns,
        outcome: str,
        names: list[str],
        dropped: dict[str, str],
        vcov: Vcov,
        first: DyadicFit | None = None,
    ) -> DyadicFit:
        """One regression; with a `first` stage, its fitted values stand for the first regressor."""
        at, y = [self.place[name] for name in names], self.place[outcome]
        k, w, n = len(names), self.within, self.within.n
        c = np.zeros((len(self.terms), k))  # regressors as mixtures of the terms
        c[at, range(k)] = 1.0
        if first is not None:
            c[:, 0] = 0.0
            c[[self.place[name] for name in first.params.index], 0] = first.params
        free, free_all = n - k - w.beside_pairs, n - k - w.rank
        if free_all <= 0:
            few = f"{n} rows are too few for {k} regressors and {w.rank} effects"
            raise ValueError(f"formula {column.formula!r}: {few}")
        xx = c.T @ self.gram @ c
        bread = inverse(xx)
        b = bread @ (c.T @ self.gram[y])
        ssr, meat, by_pair, swapped = self._scores(at, y, b, c)
        pairs, factor = by_pair.shape[1], n / free_all
        words = f"n/(n−k) = {factor:.5f}, k with all effects"
        by_factor, by_words = small_sample(pairs, n, free)
        meats: dict[Vcov, Meat] = {
            "iid": Meat(ssr / n * xx, factor, free_all, words),
            "hetero": Meat(meat, factor, free_all, words),
            "pair": Meat(by_pair @ by_pair.T, by_factor, pairs - 1, f"{by_words}, G = {pairs:,} pairs"),
        }
        units = 0
        if self.rows.units is not None:
            ordered, free_two_way = by_pair, free
            if self.swapped is not None:
                ordered, free_two_way = np.hstack([by_pair - swapped, swapped])[:, self.there], free_all
            more, units = clustered_meats(ordered, self.first, self.second, free, free_two_way, n)
            meats |= more
        return DyadicFit(
            formula=column.formula,
            outcome=outcome,
            effects=column.effects,
            params=pd.Series(b, names, name="parameter"),
            vcov=vcov,
            nobs=n,
            pairs=pairs,
            units=units,
            periods=w.periods,
            r2=1 - ssr / self.total[y],
            r2_within=1 - ssr / float(self.gram[y, y]),
            dropped=dropped,
            singletons=w.singletons,
            bread=bread,
            meats=meats,
            used=self.used,
            first_stage=first,
        )


@overload
def dyadic_panel(data: pd.DataFrame, formulas: str, **options: Any) -> DyadicFit: ...
@overload
def dyadic_panel(
    data: pd.DataFrame, formulas: Mapping[Any, str] | Sequence[str], **options: Any
) -> dict[Any, DyadicFit]: ...
def dyadic_panel(  # type: ignore[misc]  # the overloads leave the options to it
    data: pd.DataFrame,
    formulas: str | Mapping[Any, str] | Sequence[str],
    *,
    units: Sequence[str] | None = None,
    pair: str = "pair",
    time: str = "year",
    vcov: Vcov = "pair",
) -> DyadicFit | dict[Any, DyadicFit]:
    r"""Estimate one or many columns on a panel of pairs, with pair and time effects and five kinds of errors.

    .. math:: y_{pt} = x_{pt}'\beta + \lambda_p + \lambda_t + \varepsilon_{pt}

    by least squares, or 2SLS with one endogenous regressor. The effects are taken out exactly, also from an unbalanced
    panel, once for all columns that have the same rows. With u_pt = x̃_pt ε̂_pt and B = (X̃'X̃)⁻¹ the covariances are
    κ B M B:

    ========= ==================================== ============================================= ========
    vcov      M                                    κ                                             t with
    ========= ==================================== ============================================= ========
    "iid"     ε̂'ε̂/n X̃'X̃                            n/(n−k−all effects)                           the same
    "hetero"  Σ u u' over rows                     n/(n−k−all effects)                           the same
    "pair"    Σ S_p S_p' over G pairs              G/(G−1)·(n−1)/(n−k−a)                         G − 1
    "two-way" Σ A_c A_c' + Σ B_c B_c' − Σ S_o S_o' the same, G the fewer of units first, second  G − 1
    "dyadic"  Σ S_c S_c' − Σ S_p S_p'              P²/U·(n−1)/(n−k−a)                            C − 1
    ========= ==================================== ============================================= ========

    S_p, S_c: sums over the rows of pair p, of all pairs with unit c; A_c, B_c: with c in the first, second column;
    S_o: of an ordered pair. a = 1 + the year effects (pair effects lie within clusters and do not count; they do for
    "two-way" where the order of units changes within pairs), with year effects alone their number. P²/U:
    :func:`dyadic_cov`. "pair" and "two-way" are the defaults of `pyfixest`.

    Parameters
    ----------
    data : DataFrame, one row a pair and time; columns or index levels
    formulas : str, list or dict of str
        ``"Bal ~ net + net:firms + HSR | pair + year"``: columns and products ``a:b`` (``a*b`` adds both factors);
        effects: the pair, the time, or both. 2SLS as in `pyfixest`: ``"Bal ~ HSR | pair + year | net ~ iv"``.
        Rows with a missing value, or alone in their pair or time (`singletons`), are left out of that formula.
    units : two columns; who makes up each pair, in any order; for "two-way" and "dyadic"
    pair, time : str; names in the formulas. Without a column `pair` the pairs are made from `units`.
    vcov : str; the kind that tables show; the result has all of them

    Returns
    -------
    DyadicFit, or dict of them
        With the keys of `formulas`, or "(1)", "(2)", … for a list. A regressor that the effects or regressors before it
        absorb is left out and named in `dropped`.

    Raises
    ------
    TypeError, ValueError
        Unknown or non-numeric columns, infinite values, a unit paired with itself, a pair twice at one time, a pair id
        that stands for two pairs, formulas that cannot be read, no regressor or instrument left.

    References
    ----------
    Wansbeek and Kapteyn (1989), J. Econometrics 41, for the unbalanced two-way transformation; Cameron, Gelbach and
    Miller (2011), J. Business & Economic Statistics 29; Aronow, Samii and Assenova (2015), Political Analysis 23;
    Cameron and Miller (2014), "Robust inference for dyadic data", UC Davis.
    """
    single = isinstance(formulas, str)
    if isinstance(formulas, str):
        formulas = {"": formulas}
    elif not isinstance(formulas, Mapping):
        formulas = {f"({i + 1})": text for i, text in enumerate(formulas)}
    if not formulas:
        raise ValueError("formulas is empty")
    one_of(KINDS, vcov=vcov)
    if vcov in ("two-way", "dyadic") and units is None:
        raise ValueError(f"vcov={vcov!r} needs the two unit columns: give units=(…, …)")
    columns = {key: read_columns(text, pair, time) for key, text in formulas.items()}
    rows = PairRows(data, units, pair, time)

    groups: dict[tuple[bytes, frozenset[str]], tuple[np.ndarray, list[Any]]] = {}
    for key, column in columns.items():
        mask = rows.complete(column.terms)
        if not mask.any():
            raise ValueError(f"formula {column.formula!r}: no row has all of its columns")
        groups.setdefault((mask.tobytes(), frozenset(column.effects)), (mask, []))[1].append(key)
    fits: dict[Any, DyadicFit] = {}
    for (_, effects), (mask, keys) in groups.items():
        terms = list(dict.fromkeys(term for key in keys for term in columns[key].terms))
        within = Within(rows.p, rows.t, mask, pairs=pair in effects, years=time in effects)
        if within.n == 0:
            alone = f"each row is alone in its {' or '.join(effects)}"
            raise ValueError(f"formula {columns[keys[0]].formula!r}: {alone}")
        sample = _Sample(rows, within, terms, columns[keys[0]].effects)
        for key in keys:
            fits[key] = sample.fit(columns[key], vcov)
    return fits[""] if single else {key: fits[key] for key in formulas}
