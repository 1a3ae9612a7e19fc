"""Least squares and 2SLS for a panel of pairs, many columns at once, with errors that share a unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import pandas as pd

from ..index._checks import one_of
from ._pair_formula import ABSORBED, Columns, independent, inverse, read_columns
from ._pair_grid import PairGrid, Within
from ._pair_meats import KINDS, Meat, Vcov, clustered_meats
from .dyadic_fit import DyadicFit

_BLOCK = 1024  # pairs worked on at a time, for the processor's cache


@dataclass
class _Sample:
    """All that the columns with the same rows and effects share."""

    grid: PairGrid
    within: Within
    terms: list[str]
    effects: tuple[str, ...]

    def __post_init__(self) -> None:
        w = self.within
        self.place = {term: i for i, term in enumerate(self.terms)}
        v, (t, p) = len(self.terms), self.grid.shape
        raw = [self.grid.column(term) for term in self.terms]
        centre = [float(np.vdot(x, w.d)) / w.n for x in raw]  # the effects take it out; fewer digits are lost
        self.blocks = [slice(start, min(start + _BLOCK, p)) for start in range(0, p, _BLOCK)]
        self.z = [np.empty((v, t, here.stop - here.start)) for here in self.blocks]
        year_sums, means = np.zeros((v, t)), np.empty((v, p))
        self.total = np.zeros(v)
        for here, z in zip(self.blocks, self.z, strict=True):
            for i, x in enumerate(raw):
                np.subtract(x[:, here], centre[i], out=z[i])
            if not w.full:
                z *= w.d[:, here]
            year_sums += z.sum(axis=2)
            means[:, here] = z.sum(axis=1) * w.by_pair[here]
            self.total += np.einsum("vtp,vtp->v", z, z)
        self.total -= year_sums.sum(axis=1) ** 2 / w.n
        gamma, means = w.effects(year_sums, means)
        self.gram = np.zeros((v, v))
        for here, z in zip(self.blocks, self.z, strict=True):
            z -= gamma[:, :, None]
            z -= means[:, None, here]
            if not w.full:
                z *= w.d[:, here]
            flat = z.reshape(v, -1)
            self.gram += flat @ flat.T
        self.used = w.mask.ravel()[self.grid.at]

    def _pass(self, c: np.ndarray, residual: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, Any]:
        """SSR, Σ u u' over rows, scores by pair (k × P) and the swapped rows' part, with X = C'Z and e = r'Z."""
        k, p = c.shape[1], self.grid.shape[1]
        chosen = [int(np.flatnonzero(col)[0]) for col in c.T] if ((c != 0).sum(axis=0) == 1).all() else None
        needed = np.flatnonzero(residual)
        swap = self.grid.swapped
        by_pair = np.empty((k, p))
        part = np.empty((k, p)) if swap is not None and swap.ndim == 2 else None
        rows, ssr = np.zeros((k, k)), 0.0
        for here, z in zip(self.blocks, self.z, strict=True):
            e = residual[needed[0]] * z[needed[0]]
            for i in needed[1:]:
                e += residual[i] * z[i]
            x = z[chosen] if chosen is not None else np.tensordot(c.T, z, 1)
            x *= e
            by_pair[:, here] = x.sum(axis=1)
            if part is not None and swap is not None:
                part[:, here] = (x * swap[:, here]).sum(axis=1)
            u = x.reshape(k, -1)
            rows += u @ u.T
            ssr += float(np.vdot(e, e))
        return ssr, rows, by_pair, part

    def fit(self, column: Columns, vcov: Vcov) -> DyadicFit:
        candidates = [*column.exog, *column.instruments]
        at = [self.place[name] for name in candidates]
        keep, dropped = independent(self.gram[np.ix_(at, at)], self.total[at], candidates, self.effects)
        kept = [candidates[i] for i in keep]
        if not column.endog:
            if not kept:
                why = "; ".join(f"{name}: {reason}" for name, reason in dropped.items())
                raise ValueError(f"formula {column.formula!r}: no regressor is left ({why})")
            return self._finish(column, column.outcome, kept, None, dropped, vcov)
        if not set(kept) & set(column.instruments):
            why = "; ".join(f"{name}: {dropped[name]}" for name in column.instruments)
            raise ValueError(f"formula {column.formula!r}: no instrument is left ({why})")
        d = self.place[column.endog]
        if self.gram[d, d] <= ABSORBED * self.total[d]:
            gone = f"{column.endog!r} is absorbed by the {', '.join(self.effects)} effects"
            raise ValueError(f"formula {column.formula!r}: {gone}")
        first = self._finish(column, column.endog, kept, None, dropped, vcov)
        pi = np.zeros(len(self.terms))
        pi[[self.place[name] for name in kept]] = first.params[kept]
        exog = [name for name in kept if name in column.exog]
        fit = self._finish(column, column.outcome, [column.endog, *exog], pi, dropped, vcov)
        return replace(fit, first_stage=first)

    def _clustered(
        self, by_pair: np.ndarray, part: np.ndarray | None, free: int, free_all: int
    ) -> tuple[dict[Vcov, Meat], int]:
        """Meats of the clustered covariances, and the number of units, from the pairs that are used."""
        w, used = self.within, self.within.used
        low, high, swap = self.grid.low, self.grid.high, self.grid.swapped
        if swap is not None and swap.ndim == 1:
            swap = swap[used]
        elif swap is not None:
            flips = np.count_nonzero(swap & w.mask, axis=0)[used]
            if ((flips == 0) | (flips == w.ti[used])).all():  # the order does not change in these rows
                swap, part = flips > 0, None
        low, high = (None if ends is None else ends[used] for ends in (low, high))
        part = None if part is None else part[:, used]
        return clustered_meats(by_pair[:, used], low, high, swap, part, free, free_all, w.n)

    def _finish(
        self,
        column: Columns,
        outcome: str,
        names: list[str],
        pi: np.ndarray | None,
        dropped: dict[str, str],
        vcov: Vcov,
    ) -> DyadicFit:
        at, y = [self.place[name] for name in names], self.place[outcome]
        k, n, w = len(names), self.within.n, self.within
        c = np.zeros((len(self.terms), k))
        c[at, range(k)] = 1.0
        if pi is not None:
            c[:, 0] = pi  # the endogenous regressor's fitted values
        xx = c.T @ self.gram @ c
        bread = inverse(xx)
        b = bread @ (c.T @ self.gram[y])
        residual = np.zeros(len(self.terms))
        residual[y] = 1.0
        residual[at] -= b
        free, free_all = n - k - w.beside_pairs, n - k - w.rank
        if free_all <= 0:
            few = f"{n} rows are too few for {k} regressors and {w.rank} effects"
            raise ValueError(f"formula {column.formula!r}: {few}")
        ssr, rows, by_pair, part = self._pass(c, residual)
        factor = n / free_all
        words = f"n/(n−k) = {factor:.5f}, k with all effects"
        meats: dict[Vcov, Meat] = {
            "iid": Meat(ssr / n * xx, factor, free_all, words),
            "hetero": Meat(rows, factor, free_all, words),
        }
        clustered, units = self._clustered(by_pair, part, free, free_all)
        used = w.used
        return DyadicFit(
            formula=column.formula,
            outcome=outcome,
            effects=column.effects,
            params=pd.Series(b, names, name="parameter"),
            vcov=vcov,
            nobs=n,
            pairs=int(used.sum()),
            units=units,
            periods=int((w.nt > 0).sum()),
            r2=1 - ssr / self.total[y],
            r2_within=1 - ssr / float(self.gram[y, y]),
            dropped=dropped,
            singletons=w.singletons,
            bread=bread,
            meats=meats | clustered,
            used=self.used,
        )


@overload
def dyadic_panel(
    data: pd.DataFrame,
    formulas: str,
    *,
    units: Sequence[str] | None = ...,
    pair: str = ...,
    time: str = ...,
    vcov: Vcov = ...,
) -> DyadicFit: ...
@overload
def dyadic_panel(
    data: pd.DataFrame,
    formulas: Mapping[Any, str] | Sequence[str],
    *,
    units: Sequence[str] | None = ...,
    pair: str = ...,
    time: str = ...,
    vcov: Vcov = ...,
) -> dict[Any, DyadicFit]: ...
def dyadic_panel(
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
    data : DataFrame, one row a pair and time
        Columns or index levels.
    formulas : str, list or dict of str
        ``"Bal ~ net + net:firms + HSR | pair + year"``: columns and products ``a:b`` (``a*b`` adds both factors);
        effects: the pair, the time, or both. 2SLS as in `pyfixest`: ``"Bal ~ HSR | pair + year | net ~ iv"``.
        Rows with a missing value, or alone in their pair or time (`singletons`), are left out of that formula.
    units : two columns
        Who makes up each pair, for "two-way" and "dyadic"; the order within a pair may change from row to row.
    pair, time : str
        Names in the formulas. Without a column `pair` the pairs are made from `units`.
    vcov : str
        The kind that tables show; the result has all of them.

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

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b = np.triu_indices(20, 1)
    >>> rows = pd.MultiIndex.from_product([range(len(a)), range(2001, 2007)], names=["pair", "year"])
    >>> p, t = rows.get_level_values("pair").to_numpy(), rows.get_level_values("year").to_numpy() - 2001
    >>> panel = pd.DataFrame({"a": a[p], "b": b[p]}, rows)
    >>> for name in ("x", "e"):
    ...     city = rng.normal(size=(20, 6))
    ...     panel[name] = city[a[p], t] + city[b[p], t] + rng.normal(size=len(panel))
    >>> panel["y"] = 0.2 * panel["x"] + panel["e"]
    >>> fits = dyadic_panel(panel, ["y ~ x | year", "y ~ x | pair + year"], units=("a", "b"))
    >>> fits["(2)"].errors().round(3).iloc[0].to_list()
    [0.164, 0.037, 4.385, 0.073, 2.253, 0.097, 1.688]
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
    grid = PairGrid(data, units, pair, time)

    rows = grid.rows()
    groups: dict[tuple[bytes, frozenset[str]], tuple[np.ndarray, list[Any]]] = {}
    for key, column in columns.items():
        seen = [s for s in map(grid.there, grid.factors(column.terms)) if s is not None]
        mask = np.logical_and.reduce(seen) if seen else rows
        if not mask.any():
            raise ValueError(f"formula {column.formula!r}: no row has all of its columns")
        groups.setdefault((mask.tobytes(), frozenset(column.effects)), (mask, []))[1].append(key)
    fits: dict[Any, DyadicFit] = {}
    for (_, effects), (mask, keys) in groups.items():
        terms = list(dict.fromkeys(term for key in keys for term in columns[key].terms))
        within = Within(mask, pairs=pair in effects, years=time in effects)
        if within.n == 0:
            alone = f"each row is alone in its {' or '.join(effects)}"
            raise ValueError(f"formula {columns[keys[0]].formula!r}: {alone}")
        sample = _Sample(grid, within, terms, columns[keys[0]].effects)
        for key in keys:
            fits[key] = sample.fit(columns[key], vcov)
        grid.forget([term for term in terms if ":" in term])
    return fits[""] if single else {key: fits[key] for key in formulas}
