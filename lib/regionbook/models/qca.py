"""Fuzzy-set qualitative comparative analysis (模糊集定性比较分析): calibration, necessity, truth table, minimisation, robustness.

A term is written as ``"DA*~DM"``: present DA and absent DM. A case's membership in it is the smallest of its literals, that in
a sum ``"A + B*~C"`` the largest of its terms.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..index._checks import numbers, one_of, series, show
from ..shown import Part, Shown
from ._within import known

Array = np.ndarray
Anchors = tuple[float, float, float]
Kind = Literal["complex", "intermediate", "parsimonious"]
KINDS = ("complex", "intermediate", "parsimonious")
TOL, MOST, LIMIT = 1e-9, 10, 500
"""What counts as equal; conditions at most (3^10 terms); models listed at most."""
FIT = ["consistency", "PRI", "raw coverage", "unique coverage"]


# ----------------------------------------------------------------------------------------------------- calibration
def calibrate(raw: Any, anchors: Any, *, at: float = 3.0, half: float = 0.0) -> Any:
    r"""Ragin's direct calibration: set membership by three anchors.

    .. math:: m(x) = \frac{1}{1+e^{-z}}, \qquad z = \begin{cases} a (x-q_c)/(q_1-q_c) & \text{towards } q_1 \\
        a (x-q_c)/(q_c-q_0) & \text{towards } q_0\end{cases}

    with a = `at` log-odds at the outer anchors: 3 (fsQCA, membership .9526) or log(19) (R's QCA, exactly .95).

    Parameters
    ----------
    raw : Series, or DataFrame of one row a case
    anchors : (full non-membership q0, crossover qc, full membership q1), or a mapping of columns to such triples
        Falling anchors calibrate the opposite set.
    half : float
        Added to a membership of exactly one half, which belongs to no row of a truth table: often .001.

    Returns
    -------
    Series or DataFrame
        Memberships in the columns that `anchors` names.

    Raises
    ------
    TypeError, ValueError
        Text or missing values, unknown columns, anchors that neither rise nor fall.

    References
    ----------
    Ragin (2008), Redesigning Social Inquiry, chapter 5.

    Examples
    --------
    >>> calibrate(pd.Series([400.0, 550.0, 900.0], name="DEV"), (400, 550, 900)).round(4).tolist()
    [0.0474, 0.5, 0.9526]
    """
    if isinstance(raw, pd.DataFrame):
        return pd.DataFrame(
            {k: calibrate(raw[k], anchors[k], at=at, half=half) for k in known(raw, list(anchors), "anchors")}
        )
    x = series(raw, "raw")
    low, cross, full = _triple(anchors, x.name)
    d = x - cross
    towards = np.sign(d) == np.sign(full - cross)
    m = 1 / (1 + np.exp(-at * np.where(towards, d / (full - cross), d / (cross - low))))
    return m + half * (np.abs(m - 0.5) < TOL)


def _triple(anchors: Any, name: Any) -> Anchors:
    try:
        low, cross, full = (float(a) for a in anchors)
    except (TypeError, ValueError):
        raise ValueError(
            f"anchors of {name!r}: give (full non-membership, crossover, full membership), not {anchors!r}"
        ) from None
    if not (low < cross < full or low > cross > full):
        raise ValueError(
            f"anchors of {name!r}: {low:g}, {cross:g}, {full:g} neither rise nor fall; the crossover lies between the others"
        )
    return low, cross, full


# -------------------------------------------------------------------------------------------------- sets and terms
def members(data: pd.DataFrame, expression: str) -> pd.Series:
    """Membership of each case in a term or a sum of terms.

    Raises
    ------
    TypeError, ValueError
        Values outside 0 to 1, text, missing values; a name that is no column.

    Examples
    --------
    >>> d = pd.DataFrame({"A": [0.8, 0.3], "B": [0.6, 0.1]}, ["p", "q"])
    >>> members(d, "A*~B").round(1).to_dict(), members(d, "A*~B + ~A").round(1).to_dict()
    ({'p': 0.4, 'q': 0.3}, {'p': 0.4, 'q': 0.7})
    """
    terms = [[k.strip() for k in term.split("*")] for term in str(expression).split("+")]
    F = _sets(data, dict.fromkeys(k.removeprefix("~") for term in terms for k in term))
    of = [[1 - F[k[1:]] if k.startswith("~") else F[k] for k in term] for term in terms]
    return pd.concat([pd.concat(term, axis=1).min(axis=1) for term in of], axis=1).max(axis=1).rename(expression)


def _sets(data: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Columns of memberships."""
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"data must be a DataFrame with one row a case, not {type(data).__name__}")
    F = numbers(data[known(data, list(names), "sets")], "data")
    out = (F < 0) | (F > 1)
    if out.to_numpy().any():
        case, name = out.stack().idxmax()
        raise ValueError(
            f"{name!r} of {show(case)} is {F.at[case, name]:g}: memberships lie between 0 and 1; calibrate the raw values first"
        )
    return F


def _fits(x: Array, y: Array) -> Array:
    """Consistency, PRI and coverage of sets x (cases in the last axis) for y; NaN where nobody is a member."""
    xy, both = np.minimum(x, y).sum(-1), np.minimum(np.minimum(x, y), 1 - y).sum(-1)
    size = x.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([xy / size, (xy - both) / (size - both), xy / y.sum() + 0 * size], -1)


def necessity(data: pd.DataFrame, outcome: str, conditions: Sequence[str]) -> pd.DataFrame:
    r"""Is a condition, or its absence, there wherever the outcome is?

    .. math:: \text{consistency} = \frac{\sum\min(x_i,y_i)}{\sum y_i}, \quad \text{coverage} = \frac{\sum\min(x_i,y_i)}{\sum x_i},
        \quad \text{RoN} = \frac{\sum (1-x_i)}{\sum (1-\min(x_i,y_i))}

    Parameters
    ----------
    data : DataFrame of memberships, one row a case
    outcome : str
        A column, or its negation ``"~Y"``.
    conditions : list of str
        Columns, or any terms and sums of them.

    Returns
    -------
    DataFrame
        Each condition and its negation: consistency, coverage, RoN (relevance of necessity, near 0 where a condition is
        there nearly always).

    References
    ----------
    Ragin (2006), Political Analysis 14; Schneider and Wagemann (2012), Set-Theoretic Methods, 9.2.1.
    """
    y, rows = members(data, outcome), {}
    for name in conditions:
        x = members(data, name)
        for label, of in ((name, x), (f"~{name}" if set(name).isdisjoint("*+~") else f"not ({name})", 1 - x)):
            xy = np.minimum(of, y)
            rows[label] = xy.sum() / y.sum(), xy.sum() / of.sum(), (1 - of).sum() / (1 - xy).sum()
    return pd.DataFrame.from_dict(rows, "index", columns=["consistency", "coverage", "RoN"])


def sufficiency(data: pd.DataFrame, outcome: str, terms: Sequence[str]) -> pd.DataFrame:
    r"""How nearly does each term lie within the outcome, how much of it does it cover, and which cases are in it?

    .. math:: \text{consistency} = \frac{\sum\min(h_i,y_i)}{\sum h_i}, \quad \text{raw coverage} = \frac{\sum\min(h_i,y_i)}{\sum y_i},
        \quad \text{PRI} = \frac{\sum\min(h_i,y_i) - \sum\min(h_i,y_i,1-y_i)}{\sum h_i - \sum\min(h_i,y_i,1-y_i)}

    Unique coverage is what the solution loses without the term.

    Returns
    -------
    DataFrame
        Each term, and "solution" for all together: consistency, PRI, raw coverage, unique coverage, cases (memberships above
        one half).

    Raises
    ------
    ValueError
        If there is no term.
    """
    if not len(terms):
        raise ValueError("no terms: a solution has at least one")
    y, H = members(data, outcome), pd.concat([members(data, t) for t in terms], axis=1)
    H["solution"] = H.max(axis=1)
    found = pd.DataFrame(_fits(H.T.to_numpy(), y.to_numpy()), H.columns, FIT[:3])
    whole, each = found["raw coverage"].iloc[-1], H.iloc[:, :-1]
    rest = [np.minimum(each.drop(columns=t).max(axis=1).fillna(0), y).sum() / y.sum() for t in terms]
    found["unique coverage"] = [*(whole - np.array(rest)), np.nan]
    found["cases"] = [", ".join(map(str, H.index[H[t] > 0.5 + TOL])) for t in H]
    return found


# ----------------------------------------------------------------------------------------------------- truth table
@dataclass(frozen=True, repr=False)
class TruthTable(Shown):
    """What :func:`truth_table` returns.

    Attributes
    ----------
    data, outcome, conditions
        As given.
    rows : DataFrame, one row a combination that some case belongs to
        The conditions (1 or 0), n, consistency, PRI, out (1: sufficient, 0: not, "?": too few cases), cases.
    """

    data: pd.DataFrame
    outcome: str
    conditions: list[str]
    rows: pd.DataFrame

    @property
    def remainders(self) -> int:
        """Combinations about which nothing was observed."""
        return int(2 ** len(self.conditions) - (self.rows["out"] != "?").sum())

    def _states(self) -> Array:
        """1, 0 or -1 (remainder) of all 2^k combinations."""
        out = np.full(2 ** len(self.conditions), -1)
        place = self.rows[self.conditions].to_numpy() @ _powers(2, len(self.conditions))
        out[place] = self.rows["out"].replace("?", -1).astype(int)
        return out

    def _shown(self) -> list[Part]:
        told = f"{len(self.rows)} of {2 ** len(self.conditions)} combinations hold a case, {self.remainders} are remainders"
        return [self.rows.round(3), told]


def truth_table(
    data: pd.DataFrame,
    outcome: str,
    conditions: Sequence[str],
    *,
    consistency: float = 0.8,
    pri: float = 0.0,
    frequency: int = 1,
) -> TruthTable:
    """Sort the cases into the combinations of conditions; a combination is sufficient from two cut-offs on.

    Parameters
    ----------
    data : DataFrame of memberships, one row a case
    outcome : str
        A column or its negation ``"~Y"``.
    conditions : list of str
    consistency, pri : float
        Least consistency and PRI of a sufficient row.
    frequency : int
        Cases (membership above one half) below which a row is a remainder.

    Raises
    ------
    TypeError, ValueError
        As `members`; more than ten conditions; a case with membership exactly one half (it is named).
    """
    names = known(data, list(conditions), "conditions")
    if not 1 <= len(names) <= MOST or len(set(names)) < len(names):
        raise ValueError(f"give 1 to {MOST} different conditions, not {names}")
    F, y = _sets(data, names), members(data, outcome).to_numpy()
    on_edge = (F - 0.5).abs() < TOL
    if on_edge.to_numpy().any():
        where = on_edge.stack()
        case, name = where.idxmax()
        raise ValueError(
            f"{name!r} of {show(case)} is exactly 0.5, so the case belongs to no row ({int(where.sum())} such membership(s)); "
            "decide on which side it is, or calibrate with half=0.001"
        )
    B = (F > 0.5).astype(int)
    rows = B.assign(case=B.index.map(str)).groupby(names, sort=False)["case"].agg(["size", ", ".join])
    rows = rows.set_axis(["n", "cases"], axis=1).reset_index()
    corner = rows[names].to_numpy()[:, None, :]
    M = np.where(corner == 1, F.to_numpy(), 1 - F.to_numpy()).min(2)
    rows[["consistency", "PRI"]] = _fits(M, y)[:, :2]
    enough = (rows["consistency"] >= consistency - TOL) & (rows["PRI"].fillna(0) >= pri - TOL)
    rows["out"] = np.where(rows["n"] < frequency, "?", enough.astype(int).astype(str))
    rows["out"] = rows["out"].map({"1": 1, "0": 0, "?": "?"})
    rows = rows.sort_values(["consistency", "n"], ascending=False, kind="stable", ignore_index=True)
    return TruthTable(data, outcome, names, rows[[*names, "n", "consistency", "PRI", "out", "cases"]])


# ---------------------------------------------------------------------------------------------------- minimisation
def _powers(base: int, k: int) -> Array:
    return base ** np.arange(k - 1, -1, -1)


@lru_cache(maxsize=4)
def _grid(k: int) -> tuple[Array, Array, Array]:
    """All terms (-1 free, 0 absent, 1 present), what rows each contains, and the term with condition j set free."""
    terms = np.array(list(product([-1, 0, 1], repeat=k)), np.int8)
    rows = np.array(list(product([0, 1], repeat=k)), np.int8)
    inside = np.ones((len(terms), len(rows)), bool)
    for j in range(k):
        inside &= (terms[:, j, None] == -1) | (terms[:, j, None] == rows[None, :, j])
    parent = np.arange(len(terms))[:, None] - (terms + 1) * _powers(3, k)
    return terms, inside, parent


def _primes(allowed: Array, k: int) -> Array:
    """Numbers of the terms that contain allowed rows only and that no shorter such term contains."""
    terms, inside, parent = _grid(k)
    implies = ~inside[:, ~allowed].any(1)
    longer = (implies[parent] & (terms >= 0)).any(1)
    return np.flatnonzero(implies & ~longer)


def _covers(chart: Array, irredundant: bool) -> list[tuple[int, ...]]:
    """All smallest sets (or all irredundant ones) of terms that cover every row; chart is terms × rows."""
    found: set[frozenset[int]] = set()
    most = int(chart.sum(1).max())

    def grow(chosen: frozenset[int], left: Array, size: float) -> None:
        if len(found) >= LIMIT:
            return
        if not left.any():
            if all(chart[list(chosen - {t})].any(0).sum() < chart.shape[1] for t in chosen):
                found.add(chosen)
        elif len(chosen) + -(-left.sum() // most) <= size:
            hardest = np.flatnonzero(left)[chart[:, left].sum(0).argmin()]
            for t in np.flatnonzero(chart[:, hardest]):
                grow(chosen | {int(t)}, left & ~chart[t], size)

    for size in [np.inf] if irredundant else range(1, chart.shape[1] + 1):
        grow(frozenset(), np.ones(chart.shape[1], bool), size)
        if found:
            break
    return sorted(tuple(sorted(s)) for s in found)


def _models(states: Array, extra: Array, k: int, irredundant: bool) -> tuple[list[tuple[int, ...]], list[int]]:
    """Models (numbers of terms) of the sufficient rows, with `extra` rows free to use, and the prime implicants in use."""
    on = states == 1
    prime = _primes(on | extra, k)
    prime = prime[_grid(k)[1][prime][:, on].any(1)]
    covers = _covers(_grid(k)[1][prime][:, on], irredundant)
    return [tuple(int(prime[t]) for t in c) for c in covers], prime.tolist()


@dataclass(frozen=True, repr=False)
class Minimised(Shown):
    """What :func:`minimise` returns.

    Attributes
    ----------
    kind : "complex", "intermediate" or "parsimonious"
    models : list of lists of terms
        All that fit the table equally well: more than one is model ambiguity.
    primes : list of str
        The prime implicants that cover some sufficient row.
    table : TruthTable
    """

    kind: str
    models: list[list[str]]
    primes: list[str]
    table: TruthTable

    @cached_property
    def fit(self) -> pd.DataFrame:
        """`sufficiency` of the first model."""
        return sufficiency(self.table.data, self.table.outcome, self.models[0])

    def _shown(self) -> list[Part]:
        facts = {f"{self.kind} solution": f"{len(self.models)} model(s) from {len(self.primes)} prime implicants"}
        return [facts | {f"M{i}": " + ".join(m) for i, m in enumerate(self.models[:8], 1)}, self.fit.round(3)]


def minimise(
    table: TruthTable,
    kind: Kind = "complex",
    expect: Mapping[str, int] | None = None,
    *,
    irredundant: bool = False,
) -> Minimised:
    """Shorten the sufficient rows of a truth table to the fewest terms: A*B + A*~B is A.

    "complex" uses observed rows only. "parsimonious" may use every remainder that makes a term shorter. "intermediate" uses
    those of them that `expect` makes easy: for each pair of a complex and a parsimonious term that contains it, the literals
    of the complex one that go against the expectation are dropped, and the remainders inside join the sufficient rows. All
    3^k terms are enumerated, so that every prime implicant and every model is found.

    Parameters
    ----------
    table : TruthTable
    kind : "complex", "intermediate" or "parsimonious"
    expect : mapping, for "intermediate"
        Condition -> 1 (its presence should help) or 0 (its absence); conditions left out: no expectation.
    irredundant : bool
        All models without a spare term, not only those with the fewest terms.

    Raises
    ------
    ValueError
        No row is sufficient; an unknown kind, condition or expectation.

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
    names, states = table.conditions, table._states()
    k, on, free = len(names), states == 1, states == -1
    if not on.any():
        raise ValueError("no row of the truth table is sufficient: lower a cut-off, or report that there is no solution")
    if (kind == "intermediate") != (expect is not None):
        raise ValueError(f"`expect` goes with kind='intermediate' and with it only; got {kind!r} and {expect!r}")
    odd = {n: v for n, v in (expect or {}).items() if n not in names or v not in (0, 1)}
    if odd:
        raise ValueError(f"expect: {odd}; give conditions among {names} the value 1 (presence) or 0 (absence)")
    found: dict[tuple[int, ...], None] = {}
    primes: dict[int, None] = {}
    for extra in _extras(kind, states, names, expect or {}, irredundant):
        models, used = _models(states, extra & free, k, irredundant)
        found |= dict.fromkeys(models)
        primes |= dict.fromkeys(used)
    text = {i: _text(_grid(k)[0][i], names) for i in primes}
    order = {i: (-int(_grid(k)[1][i][on].sum()), text[i]) for i in primes}
    models = [[text[i] for i in sorted(m, key=order.__getitem__)] for m in found]
    return Minimised(kind, sorted(models, key=lambda m: (len(m), m)), sorted(text.values()), table)


def _extras(
    kind: str, states: Array, names: list[str], expect: Mapping[str, int], irredundant: bool
) -> Iterable[Array]:
    """Rows beside the sufficient ones that terms may contain: one set, or one a pair of complex and parsimonious model."""
    none, k = np.zeros(len(states), bool), len(names)
    if kind != "intermediate":
        return [none if kind == "complex" else ~none]
    terms, inside, _ = _grid(k)
    wish = np.array([expect.get(n, -1) for n in names])
    easy: dict[bytes, Array] = {}
    for longs, shorts in product(_models(states, none, k, irredundant)[0], _models(states, ~none, k, irredundant)[0]):
        extra = none.copy()
        for c, p in product(terms[list(longs)], terms[list(shorts)]):
            if ((p == -1) | (p == c)).all():
                kept = np.where((p == -1) & (wish >= 0) & (c != wish), -1, c)
                extra |= inside[int((kept + 1) @ _powers(3, k))]
        easy[extra.tobytes()] = extra
    return easy.values()


def _text(term: Array, names: Sequence[str]) -> str:
    return "*".join(("" if v else "~") + n for v, n in zip(term, names, strict=True) if v >= 0) or "1"


# ------------------------------------------------------------------------------------------------------ robustness
def _solved(
    data: pd.DataFrame, outcome: str, conditions: Sequence[str], kind: Kind, expect: Any, **cuts: Any
) -> Minimised | None:
    """The solution, or None if no row is sufficient."""
    table = truth_table(data, outcome, conditions, **cuts)
    return minimise(table, kind, expect) if (table.rows["out"] == 1).any() else None


def robustness(
    raw: pd.DataFrame,
    anchors: Mapping[str, Anchors],
    outcome: str,
    conditions: Sequence[str],
    variants: Mapping[str, Mapping[str, Any]],
    *,
    drop: bool = True,
    kind: Kind = "complex",
    expect: Mapping[str, int] | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Solve again with other anchors and cut-offs, and with each case left out.

    Parameters
    ----------
    raw : DataFrame, one row a case
    anchors : mapping
        As for `calibrate`; memberships of exactly one half get .001.
    variants : mapping
        Name -> what differs: `anchors` (those that differ), `consistency`, `pri`, `frequency`.
    drop : bool
        Leave out each case in turn as well ("without …").
    settings
        `consistency`, `pri`, `frequency` of the first solution, and `at` of the calibration.

    Returns
    -------
    DataFrame
        "as it is", each variant, each case left out: sufficient rows, terms, models, consistency, coverage (of the first
        model), kept (share of the first terms that are found again, literal by literal), overlap (Σ min / Σ max of the
        memberships in both solutions: 1 for the same set of cases).

    References
    ----------
    Oana and Schneider (2024), Sociological Methods & Research 53.
    """
    at, out, base = float(settings.pop("at", 3.0)), {}, None
    runs = {"as it is": {}, **variants, **({f"without {c}": {"leave": c} for c in raw.index} if drop else {})}
    for name, change in runs.items():
        given = dict(change)
        cases = raw.index.drop(given.pop("leave")) if "leave" in given else raw.index
        sets = calibrate(raw.loc[cases], {**anchors, **given.pop("anchors", {})}, at=at, half=1e-3)
        found = _solved(sets, outcome, conditions, kind, expect, **{**settings, **given})
        if found is None:
            out[name] = 0, 0, 0, np.nan, 0.0, 0.0, 0.0
            continue
        terms, h = found.models[0], members(sets, " + ".join(found.models[0]))
        base = base or (set(terms), h)
        both, whole = np.minimum(h, base[1][cases]), np.maximum(h, base[1][cases])
        fit = found.fit.loc["solution"]
        rows = int((found.table.rows["out"] == 1).sum())
        kept, overlap = len(base[0] & set(terms)) / len(base[0]), both.sum() / whole.sum()
        out[name] = rows, len(terms), len(found.models), fit["consistency"], fit["raw coverage"], kept, overlap
    heads = ["sufficient rows", "terms", "models", "consistency", "coverage", "kept", "overlap"]
    return pd.DataFrame.from_dict(out, "index", columns=heads)


@dataclass(frozen=True, repr=False)
class Placebo(Shown):
    """What :func:`placebo` returns.

    Attributes
    ----------
    goal : Series
        Consistency and coverage that noise is to reach.
    draws : DataFrame, one row a permutation
        Terms, consistency, coverage of the solution; 0 terms, consistency missing and coverage 0 if no row is sufficient.
    """

    goal: pd.Series
    draws: pd.DataFrame

    @property
    def reached(self) -> pd.Series:
        """Share of the permutations with a consistency, a coverage, and both at least as large as the goal."""
        at_least = self.draws[list(self.goal.index)].fillna(0).round(9) >= self.goal.round(9)
        return pd.Series({**at_least.mean(), "both": at_least.all(axis=1).mean()})

    def _shown(self) -> list[Part]:
        table = pd.DataFrame({"goal": self.goal, "median of noise": self.draws.median(), "share reaching it": self.reached})
        return [table.reindex(["consistency", "coverage", "both", "terms"]).round(3).fillna("")]


def placebo(
    data: pd.DataFrame,
    outcome: str,
    conditions: Sequence[str],
    goal: Mapping[str, float],
    *,
    permutations: int = 300,
    seed: int = 0,
    kind: Kind = "complex",
    expect: Mapping[str, int] | None = None,
    **settings: Any,
) -> Placebo:
    """How often does pure noise have a solution this good? The outcome is dealt out to the cases anew, the rest is kept.

    Parameters
    ----------
    goal : mapping
        `consistency` and `coverage` to be reached.
    permutations, seed : int
    settings
        `consistency`, `pri`, `frequency` as for `truth_table`.

    Raises
    ------
    ValueError
        A goal without the two; as `truth_table`.

    References
    ----------
    Marx (2010), J. Mixed Methods Research 4; Braumoeller (2015), Political Analysis 23, on QCA and chance.
    """
    if set(goal) != {"consistency", "coverage"}:
        raise ValueError(f"goal: give consistency and coverage, not {sorted(goal)}")
    rng, y, rows = np.random.default_rng(seed), members(data, outcome).to_numpy(), []
    for _ in range(permutations):
        shuffled = data[list(conditions)].assign(_noise=rng.permutation(y))
        found = _solved(shuffled, "_noise", conditions, kind, expect, **settings)
        fit = found.fit.loc["solution"] if found else {"consistency": np.nan, "raw coverage": 0.0}
        rows.append((len(found.models[0]) if found else 0, fit["consistency"], fit["raw coverage"]))
    return Placebo(pd.Series(goal, dtype=float), pd.DataFrame(rows, columns=["terms", "consistency", "coverage"]))
