"""The two-way within regression of pairs in a database: three passes, and no row leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._pair_grid import solved_years
from .dyadic import DyadicFit, Meat, Vcov, dyadic_sample, independent, inverse, read_columns, small_sample

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

    1. Means by pair, and which years the pair has, as a bit mask; sums of x − x̄_p by year. The T − 1 year effects γ
       follow from these sums and the number of pairs with each mask (a T × T system, solved here).
    2. x̃ = x − γ_t − (x̄_p − mean of γ over the pair's years) and the sums of products of all x̃, ỹ: the coefficients.
    3. Sums of x̃ε̂ by pair, then by unit: the covariances.

    Each pass is a GROUP BY over joins with small tables, computed by the engine; what comes back are T sums, some
    k × k sums, and one row a unit. Nothing but Ibis is used: the same expressions run on DuckDB on a laptop
    (``ibis.duckdb.connect()``) and on the engines of a cluster or a warehouse (``ibis.pyspark``, ``ibis.bigquery``).

    Parameters
    ----------
    table : Ibis table, one row a pair and year
    formula : str
        ``"y ~ x1 + x2 + x1:x2 | pair + year"``; both effects, no instruments.
    units : two columns
        For dyadic errors; without a column `pair` they make the pairs.
    pair, time : str
        The time must be whole numbers spanning at most 62.
    vcov : "pair", "dyadic" or "iid"

    Returns
    -------
    DyadicFit
        As from `dyadic_panel`, without "hetero" and "two-way" errors and `used`.

    Raises
    ------
    TypeError, ValueError
        Unknown columns, a pair twice at one time, a unit paired with itself, times that are not whole numbers, NaN or
        infinity in a column (NULL is missing), other effects, instruments.

    References
    ----------
    See :func:`dyadic_panel`.

    Examples
    --------
    >>> import ibis
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"pair": np.repeat(range(50), 6), "year": np.tile(range(2001, 2007), 50)})
    >>> frame["x"] = rng.normal(size=300)
    >>> frame["y"] = 0.5 * frame["x"] + frame["pair"] + rng.normal(size=300)
    >>> fit = dyadic_out_of_core(ibis.memtable(frame), "y ~ x | pair + year")
    >>> float(fit.params["x"].round(3)), float(fit.se()["x"].round(3))
    (0.498, 0.056)
    """
    import ibis

    column = read_columns(formula, pair, time)
    if set(column.effects) != {pair, time} or column.endog:
        raise ValueError(f"formula {formula!r}: out of core it takes both effects and no instruments")
    terms = column.terms
    factors = {f for term in terms for f in ([term] if term in table.columns else term.split(":"))}
    ends = list(units or ())
    if len(ends) not in (0, 2):
        raise ValueError(f"units must name two columns, got {ends}")
    if vcov not in ("iid", "pair") and not (vcov == "dyadic" and ends):
        raise ValueError(f"vcov={vcov!r}: out of core there are 'pair', 'iid' and, with units, 'dyadic'")
    absent = sorted({*factors, *ends, time, *([] if ends else [pair])} - set(table.columns))
    if absent:
        raise ValueError(f"{absent} are not columns of the table; it has {list(table.columns)}")
    if not table[time].type().is_integer():
        raise TypeError(f"time {time!r} must be whole numbers, not {table[time].type()}")

    # 0. the columns, as numbers, without rows that lack one
    def product(term: str) -> Any:
        names = [term] if term in table.columns else term.split(":")
        out = table[names[0]].cast("float64")
        for name in names[1:]:
            out = out * table[name].cast("float64")
        return out

    v = [f"v{i}" for i in range(len(terms))]
    keys = {"pair": table[pair]} if pair in table.columns else {}
    if ends:
        keys |= {
            "low": ibis.least(*(table[e] for e in ends)),
            "high": ibis.greatest(*(table[e] for e in ends)),
        }
    key = ["pair"] if "pair" in keys else ["low", "high"]
    base = table.select(t=table[time].cast("int64"), **keys, **dict(zip(v, map(product, terms), strict=True)))
    base = base.filter([base[name].notnull() for name in v])

    span = base.agg(first=base.t.min(), last=base.t.max()).to_pandas().iloc[0]
    if pd.isna(span["first"]):
        raise ValueError(f"formula {formula!r}: no row has all of its columns")
    first, periods = int(span["first"]), int(span["last"] - span["first"]) + 1
    if periods > 62:
        raise ValueError(f"time {time!r} spans {periods} periods; at most 62 are possible")

    # 1. by pair: means and the mask of its years; by year: sums of what is left
    bit = ibis.literal(1, "int64") << (base.t - first)
    label = {name: base[name].min() for name in keys if name not in key}
    means = {f"m{i}": base[name].mean() for i, name in enumerate(v)}
    by_pair = base.group_by(key).agg(rows=base.count(), mask=bit.sum(), **label, **means).cache()
    if ends and not by_pair.filter(by_pair.low == by_pair.high).limit(1).to_pandas().empty:
        raise ValueError(f"a unit is paired with itself in {ends}")
    joined = base.join(by_pair.select(*key, *means), key)
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
    count = (masks["pairs"]).to_numpy(float)
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

    # 2. products of what the effects leave
    effects = ibis.memtable(
        pd.DataFrame(gamma, columns=[f"g{i}" for i in range(len(v))]).assign(t=first + np.arange(periods))
    )
    mean = years @ gamma / masks["rows"].to_numpy(float)[:, None]
    by_mask = ibis.memtable(
        pd.DataFrame(mean, columns=[f"a{i}" for i in range(len(v))]).assign(
            mask=masks["mask"].to_numpy(np.int64)
        )
    )
    joined = by_pair.join(by_mask, "mask")
    shift = joined.select(*key, *label, **{f"c{i}": joined[f"m{i}"] - joined[f"a{i}"] for i in range(len(v))})
    every = base.select("t", *key, *v).join(effects, "t").join(shift, key)
    inside = every.select(
        *keys,
        **{name: every[name] - every[f"g{i}"] - every[f"c{i}"] for i, name in enumerate(v)},
        **{f"d{i}": every[name] - float(overall[i]) for i, name in enumerate(v)},
    )
    couples = list(combinations_with_replacement(range(len(v)), 2))
    products = {f"p{i}_{j}": (inside[v[i]] * inside[v[j]]).sum() for i, j in couples}
    squares = {f"q{i}": (inside[f"d{i}"] * inside[f"d{i}"]).sum() for i in range(len(v))}
    found = inside.agg(**products, **squares).to_pandas().iloc[0]
    if not np.isfinite(found.to_numpy(float)).all():
        raise ValueError(f"formula {formula!r}: a column holds NaN or infinity; missing values must be NULL")
    gram = _symmetric(found, couples, "p")
    spread = found[list(squares)].to_numpy(float)
    keep, dropped = independent(gram[1:, 1:], spread[1:], terms[1:], column.effects)
    if not keep:
        raise ValueError(f"formula {formula!r}: no regressor is left ({dropped})")
    x = [1 + i for i in keep]
    k, names = len(x), [terms[i] for i in x]
    bread = inverse(gram[np.ix_(x, x)])
    b = bread @ gram[x, 0]
    ssr = float(gram[0, 0] - b @ gram[x, 0])

    # 3. scores by pair, then by unit
    residual = inside[v[0]]
    for i, value in zip(x, b, strict=True):
        residual = residual - float(value) * inside[v[i]]
    scored = inside.mutate(e=residual)
    scores = scored.group_by(list(keys)).agg(
        **{f"s{i}": (scored[v[j]] * scored.e).sum() for i, j in enumerate(x)}
    )
    scores = scores.cache()
    couples = list(combinations_with_replacement(range(k), 2))
    products = {f"p{i}_{j}": (scores[f"s{i}"] * scores[f"s{j}"]).sum() for i, j in couples}
    inner = _symmetric(scores.agg(**products).to_pandas().iloc[0], couples, "p")

    rank = pairs + len(at)
    free, free_all = n - k - len(at) - 1, n - k - rank
    factor, words = small_sample(pairs, "G", n, free)
    meats: dict[Vcov, Meat] = {
        "iid": Meat(ssr / n * gram[np.ix_(x, x)], n / free_all, free_all, f"n/(n−k) = {n / free_all:.5f}"),
        "pair": Meat(inner, factor, pairs - 1, f"{words}, G = {pairs:,} pairs"),
    }
    size = 0
    if ends:
        sides = [
            scores.select(unit=scores[side], **{f"s{i}": scores[f"s{i}"] for i in range(k)})
            for side in ("low", "high")
        ]
        both = ibis.union(*sides, distinct=False)
        sums_by_unit = {f"s{i}": both[f"s{i}"].sum() for i in range(k)}
        by_unit = both.group_by("unit").agg(pairs=both.count(), **sums_by_unit).to_pandas()
        s = by_unit[[f"s{i}" for i in range(k)]].to_numpy(float)
        size = len(s)
        factor, words = dyadic_sample(by_unit["pairs"].to_numpy(), n, free)
        meats["dyadic"] = Meat(s.T @ s - inner, factor, size - 1, words)
    return DyadicFit(
        formula=formula,
        outcome=column.outcome,
        effects=column.effects,
        params=pd.Series(b, names, name="parameter"),
        vcov=vcov,
        nobs=n,
        pairs=pairs,
        units=size,
        periods=int((by_year > 0).sum()),
        r2=1 - ssr / spread[0],
        r2_within=1 - ssr / float(gram[0, 0]),
        dropped=dropped,
        singletons=singletons,
        bread=bread,
        meats=meats,
    )


def _symmetric(found: pd.Series, couples: list[tuple[int, int]], letter: str) -> np.ndarray:
    size = max(j for _, j in couples) + 1
    out = np.empty((size, size))
    for i, j in couples:
        out[i, j] = out[j, i] = float(found[f"{letter}{i}_{j}"])
    return out
