"""Fuzzy-set QCA against R's QCA 3.25.1 (tests/data/qca.R made the values), and what it refuses."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regionbook.models import qca

DATA = Path(__file__).parent / "data"
R = pd.read_csv(DATA / "qca.csv", dtype={"term": str, "out": str})
SETS = {name: pd.read_csv(DATA / f"qca.{name}.csv", index_col=0) for name in ("lf", "cvf")}
"""LF: Lipset's 18 countries between the wars (Rihoux and Ragin 2009); CVF: ethnic protest (Cebotari and Vink 2013)."""
RUNS = [k for k, _ in R[R["kind"] == "row"].groupby(["data", "outcome", "cut", "n"], sort=False)]
EXPECT = {
    ("lf", "SURV", 0.8): "11111",
    ("lf", "SURV", 0.7): "11111",
    ("lf", "~SURV", 0.6): "00000",
    ("cvf", "PROTEST", 0.8): "11101",
    ("cvf", "PROTEST", 0.9): "11110",
    ("cvf", "~PROTEST", 0.8): "00000",
}


def given(run):
    """Table of a run, and what R found."""
    name, outcome, cut, n = run
    data = SETS[name]
    table = qca.truth_table(data, outcome, list(data)[:-1], consistency=cut, frequency=int(n))
    found = R[(R["data"] == name) & (R["outcome"] == outcome) & (R["cut"] == cut) & (R["n"] == n)]
    return table, found, list(data)[:-1]


def sorted_term(term):
    return "*".join(sorted(term.split("*"), key=lambda k: k.removeprefix("~")))


# --- R's QCA -----------------------------------------------------------------------------------------
@pytest.mark.reference
def test_calibration():
    for kind, rows in R[R["data"] == "calibrate"].groupby("kind"):
        anchors = tuple(map(float, kind.split()))
        x = pd.Series(rows["outcome"].astype(float).to_numpy(), name="DEV")
        found = qca.calibrate(x, anchors, at=np.log(19))
        assert np.allclose(found, rows["consistency"], atol=1e-8)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["lf", "cvf"])
def test_necessity(name):
    data = SETS[name]
    rows = R[(R["data"] == name) & (R["kind"] == "necessity")].set_index("term")
    found = qca.necessity(data, list(data)[-1], list(data)[:-1]).loc[rows.index]
    assert np.allclose(found, rows[["consistency", "coverage", "PRI"]], atol=1e-8)  # RoN stands under PRI


@pytest.mark.reference
@pytest.mark.parametrize("run", RUNS, ids=str)
def test_truth_table(run):
    table, found, names = given(run)
    rows = found[found["kind"] == "row"].set_index("term")
    ours = table.rows.set_index(table.rows[names].astype(str).agg("".join, axis=1)).loc[rows.index]
    assert len(rows) == len(table.rows)
    assert np.allclose(ours[["consistency", "PRI"]], rows[["consistency", "PRI"]], atol=1e-8)
    assert ours["n"].tolist() == rows["model"].astype(int).tolist()
    assert ours["out"].astype(str).tolist() == rows["out"].tolist()


@pytest.mark.reference
@pytest.mark.parametrize("kind", qca.KINDS)
@pytest.mark.parametrize("run", RUNS, ids=str)
def test_every_model_with_its_fit(run, kind):
    table, found, names = given(run)
    expect = dict(zip(names, map(int, EXPECT[run[:3]]), strict=True)) if kind == "intermediate" else None
    ours = qca.minimise(table, kind, expect).models
    theirs = found[found["kind"] == kind]
    wanted = {}
    for _, model in theirs.groupby("model"):
        rows = model[model["term"] != "solution"]
        wanted[frozenset(map(sorted_term, rows["term"]))] = model
    assert {frozenset(map(sorted_term, m)) for m in ours} == set(wanted)
    for m in ours:
        fit = qca.sufficiency(table.data, table.outcome, m)
        rows = wanted[frozenset(map(sorted_term, m))].assign(term=lambda d: d["term"].map(sorted_term))
        fit.index = [sorted_term(t) for t in fit.index]
        for r in rows.itertuples():
            if r.term != "solution":
                assert fit.loc[r.term, "consistency"] == pytest.approx(r.consistency, abs=1e-8)
                assert fit.loc[r.term, "PRI"] == pytest.approx(r.PRI, abs=1e-8)
                assert fit.loc[r.term, "raw coverage"] == pytest.approx(r.coverage, abs=1e-8)
                if len(m) > 1:
                    assert fit.loc[r.term, "unique coverage"] == pytest.approx(r.unique, abs=1e-8)
            else:
                assert fit.loc["solution", "consistency"] == pytest.approx(r.consistency, abs=1e-8)


def test_ambiguity_is_counted():
    """Four parsimonious models of ethnic protest at 0.8, as R prints them."""
    table, _, _ = given(("cvf", "PROTEST", 0.8, 1))
    assert len(qca.minimise(table, "parsimonious").models) == 4
    assert "4 model(s) from 6 prime implicants" in repr(qca.minimise(table, "parsimonious"))


# --- logic -------------------------------------------------------------------------------------------
def crisp(on, k, remainders=()):
    """Cases, one for each row that is no remainder, of a function of k conditions."""
    rows = [r for r in product([0, 1], repeat=k) if r not in remainders]
    d = pd.DataFrame(rows, columns=list("ABCDEF")[:k]).astype(float)
    return d.assign(Y=[float(r in on) for r in rows]), list(d)


def holds(term, row, names):
    return (
        all(row[names.index(x[-1])] == (0 if x[0] == "~" else 1) for x in term.split("*"))
        if term != "1"
        else True
    )


@pytest.mark.parametrize("seed", range(12))
def test_models_are_equivalent_minimal_and_complete(seed):
    """By brute force over all subsets of all implicants that nothing shorter implies."""
    rng = np.random.default_rng(seed)
    every = list(product([0, 1], repeat=3))
    kind = rng.choice(3, len(every), p=[0.3, 0.45, 0.25])  # 0 absent, 1 on, 2 remainder
    on = [r for r, s in zip(every, kind, strict=True) if s == 1] or [every[0]]
    off = [r for r, s in zip(every, kind, strict=True) if s == 0 and r not in on]
    left = [r for r in every if r not in on and r not in off]
    data, names = crisp(on, 3, left)
    found = qca.minimise(qca.truth_table(data, "Y", names, consistency=0.9), "parsimonious")
    terms = ["*".join(f"{'~' if v == 0 else ''}{n}" for n, v in zip(names, t, strict=True) if v is not None) or "1"
             for t in product([None, 0, 1], repeat=3)]  # fmt: skip
    clean = [t for t in terms if not any(holds(t, r, names) for r in off)]
    wide = {t: frozenset(r for r in every if holds(t, r, names)) for t in clean}
    prime = [t for t in clean if not any(wide[t] < wide[u] for u in clean)]
    use = [t for t in prime if any(r in wide[t] for r in on)]
    assert sorted(map(sorted_term, found.primes)) == sorted(map(sorted_term, use))
    covers = []
    for mask in range(1, 2 ** len(use)):
        chosen = [t for i, t in enumerate(use) if mask >> i & 1]
        if all(any(r in wide[t] for t in chosen) for r in on):
            covers.append(frozenset(chosen))
    least = min(map(len, covers))
    assert {frozenset(m) for m in found.models} == {c for c in covers if len(c) == least}


def test_everything_sufficient_is_the_constant():
    data, names = crisp(list(product([0, 1], repeat=2)), 2)
    found = qca.minimise(qca.truth_table(data, "Y", names))
    assert found.models == [["1"]]


def test_terms_and_sums():
    d = pd.DataFrame({"A": [0.8, 0.3], "B": [0.6, 0.1]}, ["p", "q"])
    assert qca.members(d, "~A").tolist() == pytest.approx([0.2, 0.7])
    assert qca.members(d, "A*B + ~A*~B").tolist() == pytest.approx([0.6, 0.7])


def test_calibration_conventions():
    x = pd.Series([1.0, 2.0, 3.0], list("abc"), name="x")
    assert qca.calibrate(x, (1, 2, 3)).round(4).tolist() == [0.0474, 0.5, 0.9526]
    assert qca.calibrate(x, (1, 2, 3), half=0.001)["b"] == pytest.approx(0.501)
    assert np.allclose(qca.calibrate(x, (3, 2, 1)), 1 - qca.calibrate(x, (1, 2, 3)))
    frame = qca.calibrate(pd.DataFrame({"x": x, "y": x, "z": "text"}), {"x": (1, 2, 3)})
    assert list(frame) == ["x"] and frame.index.tolist() == list("abc")


# --- robustness and noise ----------------------------------------------------------------------------
def raw():
    """Memberships turned back into raw values with anchors 0.05, 0.5, 0.95."""
    m = SETS["lf"].clip(0.01, 0.99)
    z = np.log(m / (1 - m)) / 3
    return 0.5 + 0.45 * z, dict.fromkeys(m, (0.05, 0.5, 0.95))


def test_robustness_by_hand():
    x, anchors = raw()
    names = list(x)[:-1]
    variants = {"cut .7": {"consistency": 0.7}, "n 2": {"frequency": 2}, "cut 1": {"consistency": 1.0}}
    variants["DEV higher"] = {"anchors": {"DEV": (0.05, 0.6, 0.95)}}
    found = qca.robustness(x, anchors, "SURV", names, variants, consistency=0.8)
    assert len(found) == 5 + 18 and found.loc["as it is", ["kept", "overlap"]].tolist() == [1.0, 1.0]
    assert found.loc["cut 1", ["terms", "coverage"]].tolist() == [0, 0.0]
    sets = qca.calibrate(x, anchors, half=0.001)
    loose = qca.solve(sets, "SURV", names, consistency=0.7).fit.loc["solution"]
    assert found.loc["cut .7", "consistency"] == pytest.approx(loose["consistency"])
    case = x.index[3]
    left = qca.solve(sets.drop(case), "SURV", names, consistency=0.8)
    assert found.loc[f"without {case}", "coverage"] == pytest.approx(left.fit.loc["solution", "raw coverage"])
    base = qca.members(sets, " + ".join(qca.solve(sets, "SURV", names, consistency=0.8).models[0]))
    other = qca.members(sets, " + ".join(qca.solve(sets, "SURV", names, consistency=0.7).models[0]))
    assert found.loc["cut .7", "overlap"] == pytest.approx(
        np.minimum(base, other).sum() / np.maximum(base, other).sum()
    )


def test_noise_is_what_a_permuted_outcome_gives():
    data, names = SETS["lf"], list(SETS["lf"])[:-1]
    found = qca.placebo(data, "SURV", names, permutations=20, seed=3, consistency=0.75, pri=0.3)
    rng = np.random.default_rng(3)
    for row in found.itertuples():
        shuffled = data.assign(SURV=rng.permutation(data["SURV"]))
        table = qca.truth_table(shuffled, "SURV", names, consistency=0.75, pri=0.3)
        if not (table.rows["out"] == 1).any():
            assert row.terms == 0 and np.isnan(row.consistency) and row.coverage == 0
            continue
        models = qca.minimise(table).models
        fits = [qca.sufficiency(shuffled, "SURV", m).loc["solution"] for m in models]
        assert row.terms == len(models[0])
        assert any(
            row.consistency == pytest.approx(f["consistency"])
            and row.coverage == pytest.approx(f["raw coverage"])
            for f in fits
        )
    pd.testing.assert_frame_equal(
        found, qca.placebo(data, "SURV", names, permutations=20, seed=3, consistency=0.75, pri=0.3)
    )


# --- bad input ---------------------------------------------------------------------------------------
LF, FIVE = SETS["lf"], list(SETS["lf"])[:-1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: qca.calibrate(LF["DEV"], (1, 3, 2)), ValueError, "anchors of 'DEV': .* rising or falling"),
        (lambda: qca.calibrate(LF["DEV"], (1, 2)), ValueError, "full non-membership, crossover, full membership"),
        (lambda: qca.calibrate(LF, {"GDP": (1, 2, 3)}), ValueError, r"anchors: \['GDP'\] found neither"),
        (lambda: qca.calibrate([1, 2], (1, 2, 3)), TypeError, "raw must be a pandas Series, got list"),
        (lambda: qca.calibrate(LF["DEV"].where(LF["DEV"] > 0.5), (0, 0.5, 1)), ValueError, "missing value"),
        (lambda: qca.members(LF * 2, "DEV"), ValueError, "'DEV' of 'AU' is 1.62: memberships lie between 0 and 1"),
        (lambda: qca.members(LF, "DEV*GDP"), ValueError, "GDP"),
        (lambda: qca.members(LF.to_numpy(), "DEV"), TypeError, "one row a case, not ndarray"),
        (lambda: qca.sufficiency(LF, "SURV", []), ValueError, "no terms"),
        (lambda: qca.truth_table(LF.replace(0.81, 0.5), "SURV", FIVE), ValueError, "'DEV' of 'AU' is exactly 0.5, so the case belongs to no row .*half=0.001"),
        (lambda: qca.truth_table(LF, "SURV", ["DEV", "DEV"]), ValueError, "column 'DEV' more than once"),
        (lambda: qca.truth_table(LF, "SURV", []), ValueError, "give 1 to 10 conditions, not 0"),
        (lambda: qca.truth_table(LF, "SURV", "DEV"), TypeError, "list of names"),
        (lambda: qca.solve(LF, "SURV", FIVE, consistency=1.0), ValueError, "no row of the truth table is sufficient"),
        (lambda: qca.solve(LF, "SURV", FIVE, "short"), ValueError, "kind='short' is not one of"),
        (lambda: qca.solve(LF, "SURV", FIVE, "intermediate"), ValueError, "expect=None: 'intermediate', and it alone"),
        (lambda: qca.solve(LF, "SURV", FIVE, "complex", {"DEV": 1}), ValueError, "'intermediate', and it alone"),
        (lambda: qca.solve(LF, "SURV", FIVE, "intermediate", {"DEV": 2}), ValueError, "with 1 or 0"),
        (lambda: qca.robustness(LF, dict.fromkeys(LF, (0.1, 0.5, 0.9)), "SURV", FIVE, {}, consistency=1.0), ValueError, "no row"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
