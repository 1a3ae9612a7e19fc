"""The two-way within regression of pairs in a database: three passes, and no row leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations_with_replacement
from operator import mul, sub
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._pair_formula import Columns, independent, inverse, read_columns
from ._pair_meats import Meat, Vcov, dyadic_sample, small_sample
from ._pair_rows import solved_years
from .dyadic_fit import DyadicFit

if TYPE_CHECKING:
    import ibis.expr.types as ir


def dyadic_out_of_core(
    table: ir.Table,
    formula: str,
    *,
    units: Sequence[str] | None = None,
    pair: str = "pair",
    time: str = "year",
    vcov: Vcov = "pair",
) -> DyadicFit:
    r"""One column of :func:`dyadic_panel` for a table that does not fit into memory, as Ibis expressions.

    1. Means by pair, and which years the pair has, as a bit mask; the pairs with each mask give the T × T system of
       the year effects.
    2. By year: sums r of x − x̄_p and of products. The system gives the year effects γ, the products less r'γ those of
       all x̃, ỹ, and these the coefficients.
    3. Sums of x̃ε̂ by pair, x̃ = x − γ_t − (x̄_p − mean of γ over the pair's years), then by unit: the covariances.

    What comes back are T sums, some k × k sums, and one row a unit; DuckDB or a cluster's engine does the rest.

    Parameters
    ----------
    table : Ibis table, one row a pair and year
    formula : str; ``"y ~ x1 + x2 + x1:x2 | pair + year"``; both effects, no instruments
    units : two columns; for dyadic errors; then they make the pairs, else the column `pair`
    pair, time : str; the time must be whole numbers spanning at most 62
    vcov : "pair", "dyadic" or "iid"

    Returns
    -------
    DyadicFit; as from `dyadic_panel`, without "hetero" and "two-way" errors and `used`

    Raises
    ------
    TypeError, ValueError: as :func:`dyadic_panel`; times not whole, NaN, other effects, instruments

    References
    ----------
    See :func:`dyadic_panel`.
    """
    column, ends = read_columns(formula, pair, time), list(units or ())
    _check(table, column, ends, pair, time, vcov)
    first = _FirstPass(*_rows(table, column, ends, pair, time), column, ends, time)
    gram, spread, gamma = _products(first, column)
    keep, dropped = independent(gram[1:, 1:], spread[1:], column.terms[1:], column.effects)
    if not keep:
        raise ValueError(f"formula {formula!r}: no regressor is left ({dropped})")
    x = [1 + i for i in keep]
    xx, bread = gram[np.ix_(x, x)], inverse(gram[np.ix_(x, x)])
    b = bread @ gram[x, 0]
    ssr, inside = float(gram[0, 0] - b @ gram[x, 0]), _without_effects(first, gamma)
    meats, units_used = _meats(inside, first, x, b, ssr / first.n * xx)
    return DyadicFit(
        formula=formula,
        outcome=column.outcome,
        effects=column.effects,
        params=pd.Series(b, [column.terms[i] for i in x], name="parameter"),
        vcov=vcov,
        nobs=first.n,
        pairs=first.pairs,
        units=units_used,
        periods=int((first.by_year > 0).sum()),
        r2=1 - ssr / spread[0],
        r2_within=1 - ssr / float(gram[0, 0]),
        dropped=dropped,
        singletons=first.singletons,
        bread=bread,
        meats=meats,
    )


def _check(table: ir.Table, column: Columns, ends: list[str], pair: str, time: str, vcov: str) -> None:
    """What out of core cannot be done, and columns that the table does not have."""
    if set(column.effects) != {pair, time} or column.endog:
        raise ValueError(f"formula {column.formula!r}: out of core it takes both effects and no instruments")
    if len(ends) not in (0, 2):
        raise ValueError(f"units must name two columns, got {ends}")
    if vcov not in ("iid", "pair") and not (vcov == "dyadic" and ends):
        raise ValueError(f"vcov={vcov!r}: out of core there are 'pair', 'iid' and, with units, 'dyadic'")
    factors = {f for term in column.terms for f in ([term] if term in table.columns else term.split(":"))}
    absent = sorted({*factors, *ends, time, *([] if ends else [pair])} - set(table.columns))
    if absent:
        raise ValueError(f"{absent} are not columns of the table; it has {list(table.columns)}")
    if not table[time].type().is_integer():
        raise TypeError(f"time {time!r} must be whole numbers, not {table[time].type()}")


def _rows(
    table: ir.Table, column: Columns, ends: list[str], pair: str, time: str
) -> tuple[ir.Table, list[str], int, int]:
    """Complete rows, their columns as numbers v0, v1, … about their means, time t and key of the pair; the key's names
    (pair, or low and high), the first period, and how many there are to the last."""
    import ibis

    def product(term: str) -> Any:
        names = [term] if term in table.columns else term.split(":")
        return reduce(mul, (table[name].cast("float64") for name in names))

    values = {f"v{i}": product(term) for i, term in enumerate(column.terms)}
    both = [table[end] for end in ends]
    keys = {"low": ibis.least(*both), "high": ibis.greatest(*both)} if ends else {"pair": table[pair]}
    rows = table.select(t=table[time].cast("int64"), **keys, **values)
    rows = rows.filter([rows[name].notnull() for name in values])
    means = {f"m{name}": rows[name].mean() for name in values}
    found = rows.agg(first=rows.t.min(), last=rows.t.max(), **means).to_pandas().iloc[0]
    if pd.isna(found["first"]):
        raise ValueError(f"formula {column.formula!r}: no row has all of its columns")
    if not np.isfinite(found.to_numpy(float)).all():
        raise ValueError(f"formula {column.formula!r}: NaN or infinity in a column; missing is NULL")
    first, periods = int(found["first"]), int(found["last"] - found["first"]) + 1
    if periods > 62:
        raise ValueError(f"time {time!r} spans {periods} periods; at most 62 are possible")
    rows = rows.mutate(**{name: rows[name] - float(found[f"m{name}"]) for name in values})
    return rows, list(keys), first, periods


class _FirstPass:
    """Means by pair (m0, …), the sets of years that pairs have (`masks`; `years` as sets × periods), and counts.

    `a` is the system of the year effects in `solved`. A row alone in its pair says nothing and is left out.
    """

    def __init__(
        self,
        rows: ir.Table,
        key: list[str],
        first: int,
        periods: int,
        column: Columns,
        ends: list[str],
        time: str,
    ) -> None:
        import ibis

        self.rows, self.key, self.first, self.size = rows, key, first, len(column.terms)
        bit = ibis.literal(1, "int64") << (rows.t - first)
        means = {f"m{i}": rows[f"v{i}"].mean() for i in range(self.size)}
        by_pair = rows.group_by(key).agg(rows=rows.count(), mask=bit.sum(), **means).cache()
        if ends and not by_pair.filter(by_pair.low == by_pair.high).limit(1).to_pandas().empty:
            raise ValueError(f"a unit is paired with itself in {ends}")
        masks = by_pair.group_by(["mask", "rows"]).agg(pairs=by_pair.count()).to_pandas()
        years = (masks["mask"].to_numpy(np.int64)[:, None] >> np.arange(periods)) & 1
        if (years.sum(axis=1) != masks["rows"]).any():
            raise ValueError(f"a pair has more than one row at one {time}")
        more = masks["rows"].to_numpy() > 1
        self.by_pair = by_pair.filter(by_pair.rows > 1)
        self.singletons = int(masks.loc[~more, "pairs"].sum())
        self.masks, self.years = masks[more], years[more]
        count = self.masks["pairs"].to_numpy(float)
        self.by_year = self.years.T @ count
        self.n, self.pairs = int(self.by_year.sum()), int(count.sum())
        if (self.by_year == 1).any():
            raise ValueError(
                f"{time} {first + int((self.by_year == 1).argmax())} has a single row; leave it out"
            )
        each = count / self.masks["rows"].to_numpy(float)
        a = np.diag(self.by_year) - (self.years * each[:, None]).T @ self.years
        self.solved = solved_years(a, self.by_year)
        self.a = a[np.ix_(self.solved, self.solved)]


def _products(one: _FirstPass, column: Columns) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Products of the variables after both effects, their sums of squares about the mean, and the year effects."""
    size, (total, square) = one.size, ([f"{letter}{i}" for i in range(one.size)] for letter in "sq")
    joined = one.rows.join(one.by_pair.drop("rows", "mask"), one.key)
    left = [joined[f"v{i}"] - joined[f"m{i}"] for i in range(size)]
    couples = list(combinations_with_replacement(range(size), 2))
    products = {f"p{i}_{j}": (left[i] * left[j]).sum() for i, j in couples}
    sums = {name: part.sum() for name, part in zip(total, left, strict=True)}
    by_year = joined.group_by("t").agg(**sums, **products).to_pandas().set_index("t")
    within = _symmetric(by_year.sum(), couples, "p")
    r = by_year[total].reindex(one.first + one.solved, fill_value=0.0).to_numpy(float)
    gamma = np.zeros((len(one.by_year), size))
    gamma[one.solved] = np.linalg.solve(one.a, r)
    weighted = {name: (one.by_pair.rows * one.by_pair[f"m{i}"]).sum() for i, name in enumerate(total)}
    weighted |= {name: (one.by_pair.rows * one.by_pair[f"m{i}"] ** 2).sum() for i, name in enumerate(square)}
    between = one.by_pair.agg(**weighted).to_pandas().iloc[0].to_numpy(float)
    spread = np.diag(within) + between[size:] - between[:size] ** 2 / one.n
    return within - r.T @ gamma[one.solved], spread, gamma


def _without_effects(one: _FirstPass, gamma: np.ndarray) -> ir.Table:
    """Every row with its variables after both effects."""
    import ibis

    size = range(one.size)
    effects = pd.DataFrame(gamma, columns=[f"g{i}" for i in size])
    by_time = ibis.memtable(effects.assign(t=one.first + np.arange(len(effects))))
    mean = one.years @ gamma / one.masks["rows"].to_numpy(float)[:, None]
    of_mask = pd.DataFrame(mean, columns=[f"a{i}" for i in size])
    by_mask = ibis.memtable(of_mask.assign(mask=one.masks["mask"].to_numpy(np.int64)))
    joined = one.by_pair.join(by_mask, "mask")
    shift = joined.select(*one.key, **{f"c{i}": joined[f"m{i}"] - joined[f"a{i}"] for i in size})
    every = one.rows.join(by_time, "t").join(shift, one.key)
    return every.select(*one.key, **{f"v{i}": every[f"v{i}"] - every[f"g{i}"] - every[f"c{i}"] for i in size})


def _meats(
    inside: ir.Table, one: _FirstPass, x: list[int], b: np.ndarray, iid: np.ndarray
) -> tuple[dict[Vcov, Meat], int]:
    """Scores by pair, then by unit: the middles of the covariances, and the number of units."""
    k, n = len(x), one.n
    fitted = (float(value) * inside[f"v{i}"] for i, value in zip(x, b, strict=True))
    scored = inside.mutate(e=reduce(sub, fitted, inside["v0"]))
    sums = {f"s{i}": (scored[f"v{j}"] * scored.e).sum() for i, j in enumerate(x)}
    scores = scored.group_by(one.key).agg(**sums).cache()
    couples = list(combinations_with_replacement(range(k), 2))
    products = {f"p{i}_{j}": (scores[f"s{i}"] * scores[f"s{j}"]).sum() for i, j in couples}
    inner = _symmetric(scores.agg(**products).to_pandas().iloc[0], couples, "p")

    free, free_all = n - k - len(one.solved) - 1, n - k - one.pairs - len(one.solved)
    factor, words = small_sample(one.pairs, n, free)
    every = n / free_all
    meats: dict[Vcov, Meat] = {
        "iid": Meat(iid, every, free_all, f"n/(n−k) = {every:.5f}"),
        "pair": Meat(inner, factor, one.pairs - 1, f"{words}, G = {one.pairs:,} pairs"),
    }
    if len(one.key) == 1:
        return meats, 0
    s, count = _unit_scores(scores, k)
    factor, words = dyadic_sample(count, n, free)
    return meats | {"dyadic": Meat(s.T @ s - inner, factor, len(s) - 1, words)}, len(s)


def _unit_scores(scores: ir.Table, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the scores of all pairs with a unit (units × k), and how many pairs these are."""
    import ibis

    names = [f"s{i}" for i in range(k)]
    sides = (scores.select(*names, unit=scores[side]) for side in ("low", "high"))
    both = ibis.union(*sides, distinct=False)
    totals = {name: both[name].sum() for name in names}
    by_unit = both.group_by("unit").agg(pairs=both.count(), **totals).to_pandas()
    return by_unit[names].to_numpy(float), by_unit["pairs"].to_numpy()


def _symmetric(found: pd.Series, couples: list[tuple[int, int]], letter: str) -> np.ndarray:
    size = max(j for _, j in couples) + 1
    out = np.empty((size, size))
    for i, j in couples:
        out[i, j] = out[j, i] = float(found[f"{letter}{i}_{j}"])
    return out
