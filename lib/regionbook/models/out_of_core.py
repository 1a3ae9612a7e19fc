"""The two-way within regression of pairs in a database: three passes, and no row leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
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

    1. Means by pair, and which years the pair has, as a bit mask; sums of x − x̄_p by year. The year effects γ follow
       from these sums and the number of pairs with each mask (a T × T system, solved here).
    2. x̃ = x − γ_t − (x̄_p − mean of γ over the pair's years) and the sums of products of all x̃, ỹ: the coefficients.
    3. Sums of x̃ε̂ by pair, then by unit: the covariances.

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
    TypeError, ValueError
        As :func:`dyadic_panel`; times that are not whole numbers, NaN (NULL is missing), other effects, instruments.

    References
    ----------
    See :func:`dyadic_panel`.
    """
    column = read_columns(formula, pair, time)
    ends = list(units or ())
    _check(table, column, ends, pair, time, vcov)
    base = _base(table, column.terms, ends, pair, time)
    first = _first_pass(base, formula, time, ends)
    inside = _without_effects(base, first)
    second = _products(inside, column)
    meats, units_used = _meats(inside, base.key, first, second, bool(ends))
    return DyadicFit(
        formula=formula,
        outcome=column.outcome,
        effects=column.effects,
        params=pd.Series(second.b, second.names, name="parameter"),
        vcov=vcov,
        nobs=first.n,
        pairs=first.pairs,
        units=units_used,
        periods=int((first.by_year > 0).sum()),
        r2=1 - second.ssr / second.spread[0],
        r2_within=1 - second.ssr / float(second.gram[0, 0]),
        dropped=second.dropped,
        singletons=first.singletons,
        bread=second.bread,
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


@dataclass(frozen=True)
class _Base:
    """The columns as numbers v0, v1, …, time t and key of the pair (pair, or low and high), without rows that lack one."""

    rows: ir.Table
    names: list[str]
    key: list[str]


def _base(table: ir.Table, terms: list[str], ends: list[str], pair: str, time: str) -> _Base:
    import ibis

    def product(term: str) -> Any:
        names = [term] if term in table.columns else term.split(":")
        out = table[names[0]].cast("float64")
        for name in names[1:]:
            out = out * table[name].cast("float64")
        return out

    v = [f"v{i}" for i in range(len(terms))]
    both = [table[end] for end in ends]
    keys = {"low": ibis.least(*both), "high": ibis.greatest(*both)} if ends else {"pair": table[pair]}
    rows = table.select(t=table[time].cast("int64"), **keys, **dict(zip(v, map(product, terms), strict=True)))
    rows = rows.filter([rows[name].notnull() for name in v])
    return _Base(rows, v, list(keys))


@dataclass(frozen=True)
class _FirstPass:
    """Means by pair, masks of their years, and the year effects that follow."""

    by_pair: ir.Table
    masks: pd.DataFrame
    """One row a set of years: mask, rows (years in it), pairs."""
    years: np.ndarray
    """Masks × periods, 0 or 1."""
    first: int
    gamma: np.ndarray
    """Periods × variables."""
    overall: np.ndarray
    by_year: np.ndarray
    pairs: int
    n: int
    solved: int
    singletons: int


def _first_pass(base: _Base, formula: str, time: str, ends: list[str]) -> _FirstPass:
    """By pair: means and the mask of its years; by year: sums of what is left."""
    import ibis

    rows, v, key = base.rows, base.names, base.key
    first, periods = _span(rows, formula, time)
    bit = ibis.literal(1, "int64") << (rows.t - first)
    means = {f"m{i}": rows[name].mean() for i, name in enumerate(v)}
    by_pair = rows.group_by(key).agg(rows=rows.count(), mask=bit.sum(), **means).cache()
    if ends and not by_pair.filter(by_pair.low == by_pair.high).limit(1).to_pandas().empty:
        raise ValueError(f"a unit is paired with itself in {ends}")
    joined = rows.join(by_pair.select(*key, *means), key)
    left = {f"r{i}": (joined[name] - joined[f"m{i}"]).sum() for i, name in enumerate(v)}
    sums = joined.group_by("t").agg(**left).to_pandas().set_index("t")
    total = {f"s{i}": (by_pair.rows * by_pair[f"m{i}"]).sum() for i in range(len(v))}
    masks = by_pair.group_by(["mask", "rows"]).agg(pairs=by_pair.count(), **total).to_pandas()
    years = (masks["mask"].to_numpy(np.int64)[:, None] >> np.arange(periods)) & 1
    if (years.sum(axis=1) != masks["rows"]).any():
        raise ValueError(f"a pair has more than one row at one {time}")
    single = masks["rows"].to_numpy() == 1  # alone in their pair: they say nothing
    singletons = int(masks.loc[single, "pairs"].sum())
    masks, years = masks[~single], years[~single]
    count = masks["pairs"].to_numpy(float)
    each = count / masks["rows"].to_numpy(float)
    by_year = years.T @ count
    n, pairs = int(by_year.sum()), int(count.sum())
    if (by_year == 1).any():
        raise ValueError(f"{time} {first + int((by_year == 1).argmax())} has a single row; leave it out")
    a = np.diag(by_year) - (years * each[:, None]).T @ years
    at = solved_years(a, by_year)
    r = sums.reindex(range(first, first + periods), fill_value=0.0).to_numpy(float)
    gamma = np.zeros((periods, len(v)))
    gamma[at] = np.linalg.solve(a[np.ix_(at, at)], r[at])
    overall = masks[list(total)].sum().to_numpy(float) / n
    return _FirstPass(by_pair, masks, years, first, gamma, overall, by_year, pairs, n, len(at), singletons)


def _span(rows: ir.Table, formula: str, time: str) -> tuple[int, int]:
    """First period, and how many there are to the last."""
    span = rows.agg(first=rows.t.min(), last=rows.t.max()).to_pandas().iloc[0]
    if pd.isna(span["first"]):
        raise ValueError(f"formula {formula!r}: no row has all of its columns")
    first, periods = int(span["first"]), int(span["last"] - span["first"]) + 1
    if periods > 62:
        raise ValueError(f"time {time!r} spans {periods} periods; at most 62 are possible")
    return first, periods


def _without_effects(base: _Base, one: _FirstPass) -> ir.Table:
    """Every row with its variables after the effects (v0, …) and about their means (d0, …)."""
    import ibis

    v, key = base.names, base.key
    effects = pd.DataFrame(one.gamma, columns=[f"g{i}" for i in range(len(v))])
    by_time = ibis.memtable(effects.assign(t=one.first + np.arange(len(effects))))
    mean = one.years @ one.gamma / one.masks["rows"].to_numpy(float)[:, None]
    of_mask = pd.DataFrame(mean, columns=[f"a{i}" for i in range(len(v))])
    by_mask = ibis.memtable(of_mask.assign(mask=one.masks["mask"].to_numpy(np.int64)))
    joined = one.by_pair.join(by_mask, "mask")
    shift = joined.select(*key, **{f"c{i}": joined[f"m{i}"] - joined[f"a{i}"] for i in range(len(v))})
    every = base.rows.select("t", *key, *v).join(by_time, "t").join(shift, key)
    within = {name: every[name] - every[f"g{i}"] - every[f"c{i}"] for i, name in enumerate(v)}
    about = {f"d{i}": every[name] - float(one.overall[i]) for i, name in enumerate(v)}
    return every.select(*key, **within, **about)


@dataclass(frozen=True)
class _SecondPass:
    """Products of what the effects leave, and the coefficients."""

    gram: np.ndarray
    spread: np.ndarray
    x: list[int]
    names: list[str]
    dropped: dict[str, str]
    bread: np.ndarray
    b: np.ndarray
    ssr: float


def _products(inside: ir.Table, column: Columns) -> _SecondPass:
    terms = column.terms
    size = len(terms)
    couples = list(combinations_with_replacement(range(size), 2))
    products = {f"p{i}_{j}": (inside[f"v{i}"] * inside[f"v{j}"]).sum() for i, j in couples}
    squares = {f"q{i}": (inside[f"d{i}"] * inside[f"d{i}"]).sum() for i in range(size)}
    found = inside.agg(**products, **squares).to_pandas().iloc[0]
    if not np.isfinite(found.to_numpy(float)).all():
        raise ValueError(f"formula {column.formula!r}: NaN or infinity in a column; missing is NULL")
    gram = _symmetric(found, couples, "p")
    spread = found[list(squares)].to_numpy(float)
    keep, dropped = independent(gram[1:, 1:], spread[1:], terms[1:], column.effects)
    if not keep:
        raise ValueError(f"formula {column.formula!r}: no regressor is left ({dropped})")
    x = [1 + i for i in keep]
    bread = inverse(gram[np.ix_(x, x)])
    b = bread @ gram[x, 0]
    ssr = float(gram[0, 0] - b @ gram[x, 0])
    return _SecondPass(gram, spread, x, [terms[i] for i in x], dropped, bread, b, ssr)


def _meats(
    inside: ir.Table, keys: list[str], one: _FirstPass, two: _SecondPass, by_unit: bool
) -> tuple[dict[Vcov, Meat], int]:
    """Scores by pair, then by unit: the middles of the covariances, and the number of units."""
    k, n = len(two.x), one.n
    residual = inside["v0"]
    for i, value in zip(two.x, two.b, strict=True):
        residual = residual - float(value) * inside[f"v{i}"]
    scored = inside.mutate(e=residual)
    sums = {f"s{i}": (scored[f"v{j}"] * scored.e).sum() for i, j in enumerate(two.x)}
    scores = scored.group_by(keys).agg(**sums).cache()
    couples = list(combinations_with_replacement(range(k), 2))
    products = {f"p{i}_{j}": (scores[f"s{i}"] * scores[f"s{j}"]).sum() for i, j in couples}
    inner = _symmetric(scores.agg(**products).to_pandas().iloc[0], couples, "p")

    free, free_all = n - k - one.solved - 1, n - k - one.pairs - one.solved
    factor, words = small_sample(one.pairs, n, free)
    xx, every = two.gram[np.ix_(two.x, two.x)], n / free_all
    meats: dict[Vcov, Meat] = {
        "iid": Meat(two.ssr / n * xx, every, free_all, f"n/(n−k) = {every:.5f}"),
        "pair": Meat(inner, factor, one.pairs - 1, f"{words}, G = {one.pairs:,} pairs"),
    }
    if not by_unit:
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
