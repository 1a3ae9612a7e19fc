"""Fuzzy-set qualitative comparative analysis (模糊集定性比较分析).

A term is written ``"DA*~DM"``: DA present, DM absent. Membership in it is the smallest of its literals' memberships, in a sum
``"A + B*~C"`` the largest of its terms'. `data` are memberships between 0 and 1, one row a case; `outcome` is a column or ``"~Y"``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..index._checks import numbers, one_of, series, show
from ..shown import Part, Shown
from ._within import known

Array = np.ndarray
Kind = Literal["complex", "intermediate", "parsimonious"]
KINDS = ("complex", "intermediate", "parsimonious")
TOL, MOST, LIMIT = 1e-9, 10, 500
"""What counts as equal; conditions at most, since 3^k terms are enumerated; models listed at most."""


def calibrate(raw: Any, anchors: Any, *, at: float = 3.0, half: float = 0.0) -> Any:
    r"""Ragin's direct calibration: membership of a raw value by three anchors.

    .. math:: m = \frac{1}{1+e^{-z}}, \quad z = a\,\frac{x-q_c}{q_1-q_c} \text{ on the side of } q_1, \quad
        z = a\,\frac{x-q_c}{q_c-q_0} \text{ on that of } q_0

    Parameters
    ----------
    raw : Series, or DataFrame of one row a case
    anchors : (full non-membership q0, crossover qc, full membership q1), or a mapping of columns to such triples
        Falling anchors calibrate the opposite set.
    at : float; log-odds a at the outer anchors: 3 is fsQCA's (.9526), log(19) that of R's QCA (.95).
    half : float; added to a membership of one half, which belongs to no row of a truth table: often .001

    Returns
    -------
    Series, or DataFrame of the columns that `anchors` names

    Raises
    ------
    TypeError, ValueError: text or missing values, unknown columns, anchors that neither rise nor fall

    References
    ----------
    Ragin (2008), Redesigning Social Inquiry, chapter 5.

    Examples
    --------
    >>> calibrate(pd.Series([400.0, 550.0, 900.0]), (400, 550, 900)).round(4).tolist()
    [0.0474, 0.5, 0.9526]
    """
    if isinstance(raw, pd.DataFrame):
        known(raw, list(anchors), "anchors")
        return pd.DataFrame({k: calibrate(raw[k], a, at=at, half=half) for k, a in anchors.items()})
    x = series(raw, "raw")
    low, cross, full = map(float, anchors) if len(anchors) == 3 else (np.nan,) * 3
    if not (low < cross < full or low > cross > full):
        raise ValueError(
            f"anchors of {x.name!r}: {anchors} are not full non-membership, crossover, full membership, rising or falling"
        )
    d = x - cross
    m = 1 / (1 + np.exp(-at * np.where(d * (full - cross) > 0, d / (full - cross), d / (cross - low))))
    return pd.Series(m + half * (np.abs(m - 0.5) < TOL), x.index, name=x.name)


def members(data: pd.DataFrame, expression: str) -> pd.Series:
    """Membership of each case in a term or a sum of terms.

    Raises
    ------
    TypeError, ValueError: values outside 0 to 1, text, missing values; a name that is no column

    Examples
    --------
    >>> d = pd.DataFrame({"A": [0.8, 0.3], "B": [0.6, 0.1]}, ["p", "q"])
    >>> members(d, "A*~B + ~A").round(1).to_dict()
    {'p': 0.4, 'q': 0.7}
    """
    terms = [[k.strip() for k in term.split("*")] for term in str(expression).split("+")]
    F = _sets(data, list(dict.fromkeys(k.removeprefix("~") for term in terms for k in term)))
    found = [np.min([1 - F[k[1:]] if k.startswith("~") else F[k] for k in t], axis=0) for t in terms]
    return pd.Series(np.max(found, axis=0), F.index, name=expression)


def _sets(data: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Columns of memberships, once nothing is wrong with them."""
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"data must be a DataFrame with one row a case, not {type(data).__name__}")
    F = numbers(data[known(data, names, "sets")], "data")
    out = ((F < 0) | (F > 1)).to_numpy()
    if out.any():
        i, j = np.argwhere(out)[0]
        raise ValueError(
            f"{F.columns[j]!r} of {show(F.index[i])} is {F.iat[i, j]:g}: memberships lie between 0 and 1; calibrate the raw "
            "values first"
        )
    return F


def _fits(x: Array, y: Array) -> Array:
    """Consistency, PRI and coverage of sets x (cases in the last axis) for y; NaN where nobody is a member."""
    xy, both, size = np.minimum(x, y).sum(-1), np.minimum(np.minimum(x, y), 1 - y).sum(-1), x.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([xy / size, (xy - both) / (size - both), xy / y.sum() + 0 * size], -1)


def necessity(data: pd.DataFrame, outcome: str, conditions: Sequence[str]) -> pd.DataFrame:
    r"""Is a condition x, or its absence, there wherever the outcome y is? One row each.

    .. math:: \text{consistency} = \frac{\sum\min(x,y)}{\sum y}, \quad \text{coverage} = \frac{\sum\min(x,y)}{\sum x}, \quad
        \text{RoN} = \frac{\sum (1-x)}{\sum (1-\min(x,y))}

    Parameters
    ----------
    data, outcome, conditions : as :func:`truth_table`

    Returns
    -------
    DataFrame; RoN, the relevance of necessity, is near 0 for a condition that is nearly always there

    Raises
    ------
    TypeError, ValueError: as `members`

    References
    ----------
    Ragin (2006), Political Analysis 14; Schneider and Wagemann (2012), Set-Theoretic Methods, 9.2.1.
    """
    y, F = members(data, outcome), _sets(data, conditions)
    rows = {}
    for name in conditions:
        for label, x in ((name, F[name]), (f"~{name}", 1 - F[name])):
            xy = np.minimum(x, y)
            rows[label] = xy.sum() / y.sum(), xy.sum() / x.sum(), (1 - x).sum() / (1 - xy).sum()
    return pd.DataFrame.from_dict(rows, "index", columns=["consistency", "coverage", "RoN"])


def sufficiency(data: pd.DataFrame, outcome: str, terms: Sequence[str]) -> pd.DataFrame:
    r"""How nearly does each term h lie within the outcome y, and how much of it does it cover?

    .. math:: \text{consistency} = \frac{\sum\min(h,y)}{\sum h}, \quad \text{raw coverage} = \frac{\sum\min(h,y)}{\sum y}, \quad
        \text{PRI} = \frac{\sum\min(h,y) - \sum\min(h,y,1-y)}{\sum h - \sum\min(h,y,1-y)}

    Unique coverage is what the solution loses without the term.

    Parameters
    ----------
    data, outcome : as :func:`truth_table`
    terms : list of str

    Returns
    -------
    DataFrame; one row a term, and "solution" for all; `cases` have a membership above one half

    Raises
    ------
    ValueError: if there is no term; else as `members`

    References
    ----------
    Ragin (2006), Political Analysis 14; PRI: Schneider and Wagemann (2012), Set-Theoretic Methods, 9.1.
    """
    if not len(terms):
        raise ValueError("no terms: a solution has at least one")
    y, H = members(data, outcome).to_numpy(), np.array([members(data, t) for t in terms])
    rest = [np.delete(H, j, 0).max(0, initial=0) for j in range(len(H))]
    whole = np.vstack([H, H.max(0)])
    found = pd.DataFrame(_fits(whole, y), [*terms, "solution"], ["consistency", "PRI", "raw coverage"])
    found["unique coverage"] = [*(found["raw coverage"].iloc[-1] - _fits(np.array(rest), y)[:, 2]), np.nan]
    found["cases"] = [", ".join(map(str, data.index[h > 0.5 + TOL])) for h in whole]
    return found


@dataclass(frozen=True, repr=False)
class TruthTable(Shown):
    """What :func:`truth_table` returns.

    Attributes
    ----------
    data, outcome, conditions : as given
    rows : DataFrame, one row a combination that some case belongs to
        The conditions (1 or 0), n, consistency, PRI, out (1 sufficient, 0 not, "?" too few cases), cases.
    """

    data: pd.DataFrame
    outcome: str
    conditions: list[str]
    rows: pd.DataFrame

    def _shown(self) -> list[Part]:
        whole, seen = 2 ** len(self.conditions), int((self.rows["out"] != "?").sum())
        note = f"{seen} of {whole} combinations observed, {whole - seen} logical remainders"
        return [self.rows.round(3), note]


def truth_table(
    data: pd.DataFrame,
    outcome: str,
    conditions: Sequence[str],
    *,
    consistency: float = 0.8,
    pri: float = 0.0,
    frequency: int = 1,
) -> TruthTable:
    """Sort the cases into combinations of conditions, and say which combinations are sufficient.

    Parameters
    ----------
    data, outcome, conditions : memberships, one row a case; a column or its negation; at most ten columns
    consistency, pri : float; from which a combination is sufficient
    frequency : int; cases with a membership above one half, below which it is a remainder

    Returns
    -------
    TruthTable

    Raises
    ------
    TypeError, ValueError: as `members`; more than ten conditions; a membership of exactly one half

    References
    ----------
    Ragin (2008), Redesigning Social Inquiry, chapter 7.
    """
    if not 1 <= len(conditions) <= MOST and not isinstance(conditions, str):
        raise ValueError(f"give 1 to {MOST} conditions, not {len(conditions)}")
    F, y = _sets(data, conditions), members(data, outcome).to_numpy()
    names = list(F)
    edge = np.argwhere((F - 0.5).abs().to_numpy() < TOL)
    if len(edge):
        raise ValueError(
            f"{names[edge[0][1]]!r} of {show(F.index[edge[0][0]])} is exactly 0.5, so the case belongs to no row ({len(edge)} such "
            "membership(s)); decide on which side it is, or calibrate with half=0.001"
        )
    corner, place = np.unique(F.to_numpy() > 0.5, axis=0, return_inverse=True)
    fits = _fits(np.where(corner[:, None], F, 1 - F).min(2), y)
    rows = pd.DataFrame(corner.astype(int), columns=names)
    rows = rows.assign(n=np.bincount(place.ravel()), consistency=fits[:, 0], PRI=fits[:, 1])
    enough = (fits[:, 0] >= consistency - TOL) & (np.nan_to_num(fits[:, 1]) >= pri - TOL)
    rows["out"] = [("?" if n < frequency else int(e)) for n, e in zip(rows["n"], enough, strict=True)]
    rows["cases"] = [", ".join(map(str, F.index[place.ravel() == i])) for i in range(len(rows))]
    rows = rows.sort_values(["consistency", "n"], ascending=False, kind="stable", ignore_index=True)
    return TruthTable(data, outcome, names, rows)


# ---------------------------------------------------------------------------------------------------- minimisation
@lru_cache(maxsize=4)
def _grid(k: int) -> tuple[Array, Array, Array]:
    """All terms (-1 free, 0 absent, 1 present), which of the 2^k rows each contains, and the term with a condition set free."""
    terms = np.array(list(product([-1, 0, 1], repeat=k)), np.int8)
    rows = np.array(list(product([0, 1], repeat=k)), np.int8)
    inside: Any = (terms[:, None] == -1) | (terms[:, None] == rows)
    return terms, inside.all(2), np.arange(len(terms))[:, None] - (terms + 1) * 3 ** np.arange(k - 1, -1, -1)


def _primes(allowed: Array, on: Array, k: int) -> Array:
    """Terms that contain a row of `on` and allowed rows only, and that no shorter such term contains."""
    terms, inside, freed = _grid(k)
    implies: Array = np.asarray(inside[:, on].any(1))
    implies[implies] = ~(inside[implies] & ~allowed).any(1)
    return np.flatnonzero(implies)[~(implies[freed[implies]] & (terms[implies] >= 0)).any(1)]


def _covers(chart: Array) -> list[frozenset[int]]:
    """All smallest sets of terms that cover every row; chart is terms × rows."""
    found: dict[frozenset[int], None] = {}
    most = int(chart.sum(1).max())

    def grow(chosen: frozenset[int], left: Array, size: int) -> None:
        if not left.any():
            found[chosen] = None
        elif len(chosen) + -(-left.sum() // most) <= size and len(found) < LIMIT:
            hardest = np.flatnonzero(left)[chart[:, left].sum(0).argmin()]
            for t in np.flatnonzero(chart[:, hardest]):
                grow(chosen | {int(t)}, left & ~chart[t], size)

    for size in range(1, chart.shape[1] + 1):
        grow(frozenset(), np.ones(chart.shape[1], bool), size)
        if found:
            break
    return list(found)


def _models(states: Array, extra: Array, k: int) -> tuple[list[list[int]], Array]:
    """Models of the sufficient rows (state 1) with `extra` rows free to use, as numbers of terms; and the prime implicants."""
    on = states == 1
    prime = _primes(on | extra, on, k)
    return [prime[sorted(c)].tolist() for c in _covers(_grid(k)[1][prime][:, on])], prime


@dataclass(frozen=True, repr=False)
class Minimised(Shown):
    """What :func:`minimise` returns.

    Attributes
    ----------
    models : all lists of terms that fit the table equally well; more than one is model ambiguity
    primes : the prime implicants that they were chosen from
    fit : `sufficiency` of the first model
    """

    kind: str
    models: list[list[str]]
    primes: list[str]
    table: TruthTable

    @property
    def fit(self) -> pd.DataFrame:
        return sufficiency(self.table.data, self.table.outcome, self.models[0])

    def _shown(self) -> list[Part]:
        found = f"{len(self.models)} model(s) from {len(self.primes)} prime implicants"
        facts = {f"{self.kind} solution": found}
        return [facts | {f"M{i}": " + ".join(m) for i, m in enumerate(self.models[:8], 1)}, self.fit.round(3)]


def minimise(table: TruthTable, kind: Kind = "complex", expect: Mapping[str, int] | None = None) -> Minimised:
    """Shorten the sufficient rows of a truth table to the fewest terms: A*B + A*~B is A.

    All 3^k terms are enumerated, so that no prime implicant and no model is missed.

    Parameters
    ----------
    table : TruthTable
    kind : str
        "complex" uses observed rows only, "parsimonious" every remainder that makes a term shorter, "intermediate" the easy
        ones: for each complex term within a parsimonious one, the literals that `expect` speaks against are dropped, and the
        remainders inside are used.
    expect : mapping, for "intermediate"; condition -> 1 (presence should help) or 0 (absence)

    Returns
    -------
    Minimised

    Raises
    ------
    ValueError: no row is sufficient; an unknown kind, condition or expectation

    References
    ----------
    Ragin and Sonnett (2005), in Kropp and Minkenberg; Duşa (2019), QCA with R, chapter 8, whose package gives the same.

    Examples
    --------
    >>> d = pd.DataFrame({"A": [1, 1, 0, 0], "B": [1, 0, 1, 0], "Y": [1, 1, 0, 0]}, list("pqrs"), dtype=float)
    >>> minimise(truth_table(d, "Y", ["A", "B"])).models
    [['A']]
    """
    one_of(KINDS, kind=kind)
    names, k = table.conditions, len(table.conditions)
    states, rows = np.full(2**k, -1), table.rows[table.rows["out"] != "?"]
    states[rows[names].to_numpy() @ 2 ** np.arange(k - 1, -1, -1)] = rows["out"].astype(int)
    if not (states == 1).any():
        raise ValueError("no row of the truth table is sufficient: lower a cut-off, or there is no solution")
    odd = {n: v for n, v in (expect or {}).items() if n not in names or v not in (0, 1)}
    if odd or (kind == "intermediate") != (expect is not None):
        raise ValueError(
            f"kind={kind!r}, expect={expect!r}: 'intermediate', and it alone, needs conditions among {names} with 1 or 0"
        )
    found: dict[frozenset[int], None] = {}
    primes: set[int] = set()
    for extra in _extras(kind, states, names, expect or {}):
        models, prime = _models(states, extra & (states == -1), k)
        found |= dict.fromkeys(map(frozenset, models))
        primes |= set(prime.tolist())
    signed = {i: zip(_grid(k)[0][i], names, strict=True) for i in primes}
    text = {i: "*".join(("~", "")[v] + n for v, n in of if v >= 0) or "1" for i, of in signed.items()}
    told = sorted((sorted(text[i] for i in m) for m in found), key=lambda m: (len(m), m))
    return Minimised(kind, told, sorted(text.values()), table)


def _extras(kind: str, states: Array, names: list[str], expect: Mapping[str, int]) -> Iterable[Array]:
    """Rows that terms may contain beside the sufficient ones; for "intermediate" one set for each pair of models."""
    none, k = np.zeros(len(states), bool), len(names)
    if kind != "intermediate":
        return [none if kind == "complex" else ~none]
    terms, inside, _ = _grid(k)
    wish, easy = np.array([expect.get(n, -1) for n in names]), {}
    longs, shorts = (_models(states, extra, k)[0] for extra in (none, states == -1))
    for long, short in product(longs, shorts):
        extra = none.copy()
        for c, p in product(terms[long], terms[short]):
            if ((p == -1) | (p == c)).all():
                kept = np.where((p == -1) & (wish >= 0) & (c != wish), -1, c)
                extra |= inside[(kept + 1) @ 3 ** np.arange(k - 1, -1, -1)]
        easy[extra.tobytes()] = extra
    return easy.values()


# ------------------------------------------------------------------------------------------------------ robustness
def solve(
    data: pd.DataFrame,
    outcome: str,
    conditions: Sequence[str],
    kind: Kind = "complex",
    expect: Mapping[str, int] | None = None,
    **cuts: float,
) -> Minimised:
    """`truth_table` with the cut-offs given, then `minimise`; errors as there."""
    return minimise(truth_table(data, outcome, conditions, **cuts), kind, expect)  # type: ignore[arg-type]


def robustness(
    raw: pd.DataFrame,
    anchors: Mapping[str, Sequence[float]],
    outcome: str,
    conditions: Sequence[str],
    variants: Mapping[str, Mapping[str, Any]],
    *,
    drop: bool = True,
    **settings: Any,
) -> pd.DataFrame:
    """Solve again with other anchors and cut-offs, and without each case in turn.

    Parameters
    ----------
    raw, anchors : as for `calibrate`; a membership of exactly one half gets .001.
    variants : mapping; name -> what differs: `anchors` (those that do), or any of `settings`
    drop : bool; leave each case out too ("without …")
    settings : as for `solve`

    Returns
    -------
    DataFrame
        "as it is", each variant, each case left out: terms, models, consistency, coverage (of the first model), kept (share of
        the first terms found again, literal by literal), overlap (Σ min / Σ max of the memberships in both solutions).

    Raises
    ------
    TypeError, ValueError: as `calibrate` and `solve`; a later variant without sufficient row has 0 terms

    References
    ----------
    Oana and Schneider (2024), Sociological Methods & Research 53.
    """
    runs: dict[str, Mapping[str, Any]] = {"as it is": {}, **variants}
    runs |= {f"without {case}": {"leave": case} for case in raw.index} if drop else {}
    first: tuple[set[str], pd.Series] | None = None
    rows = {}
    for name, change in runs.items():
        given = {**settings, **change}
        cases = raw.index.drop(given.pop("leave")) if "leave" in given else raw.index
        sets = calibrate(raw.loc[cases], {**anchors, **given.pop("anchors", {})}, half=1e-3)
        try:
            found = solve(sets, outcome, conditions, **given)
        except ValueError as error:
            if first is None or "sufficient" not in str(error):
                raise
            rows[name] = 0, 0, np.nan, 0.0, 0.0, 0.0
            continue
        terms, fit = set(found.models[0]), found.fit.loc["solution"]
        h = members(sets, " + ".join(found.models[0]))
        first = first or (terms, h)
        both = np.minimum(h, first[1][cases]).sum() / np.maximum(h, first[1][cases]).sum()
        kept = len(first[0] & terms) / len(first[0])
        rows[name] = len(terms), len(found.models), fit["consistency"], fit["raw coverage"], kept, both
    heads = ["terms", "models", "consistency", "coverage", "kept", "overlap"]
    return pd.DataFrame.from_dict(rows, "index", columns=heads)


def placebo(
    data: pd.DataFrame,
    outcome: str,
    conditions: Sequence[str],
    *,
    permutations: int = 300,
    seed: int = 0,
    consistency: float = 0.8,
    pri: float = 0.0,
    frequency: int = 1,
) -> pd.DataFrame:
    """What complex solution does pure noise have? The outcome is dealt out to the cases anew, the conditions are kept.

    Parameters
    ----------
    data, outcome, conditions, consistency, pri, frequency : as for `truth_table`
    permutations, seed : int

    Returns
    -------
    DataFrame; by permutation: terms, consistency, coverage of the first model (0, missing, 0 without any)

    Raises
    ------
    TypeError, ValueError: as `truth_table`

    References
    ----------
    Marx (2010), Int. J. Multiple Research Approaches 4; Braumoeller (2015), Political Analysis 23: QCA and chance.
    """
    table, k = truth_table(data, outcome, conditions, frequency=frequency), len(conditions)
    F, y = data[table.conditions].to_numpy(float), members(data, outcome).to_numpy()
    rng = np.random.default_rng(seed)
    seen = table.rows.loc[table.rows["out"] != "?", table.conditions].to_numpy()
    place, M = seen @ 2 ** np.arange(k - 1, -1, -1), np.where(seen[:, None] == 1, F, 1 - F).min(2)
    rows = []
    for _ in range(permutations):
        noise, states = rng.permutation(y), np.full(2**k, -1)
        fits = np.nan_to_num(_fits(M, noise))
        states[place] = (fits[:, 0] >= consistency - TOL) & (fits[:, 1] >= pri - TOL)
        if not (states == 1).any():
            rows.append((0, np.nan, 0.0))
            continue
        terms = _grid(k)[0][_models(states, np.zeros(2**k, bool), k)[0][0]][:, None]
        h = np.where(terms == 1, F, np.where(terms == 0, 1 - F, 1.0)).min(2).max(0)
        rows.append((len(terms), *_fits(h, noise)[[0, 2]]))
    return pd.DataFrame(rows, columns=["terms", "consistency", "coverage"])
