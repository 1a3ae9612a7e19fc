"""Frontiers: radial scores, slacks-based measures with bad outputs, Malmquist and global indices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from regionbook.models import dea, global_malmquist, malmquist, sbm
from regionbook.models._programmes import Programme


def frame(columns: dict[str, list[float]], labels: str | list | None = None) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=list(labels or "ABCDEFGHIJKLMNOP"[:n]), dtype=float)


def drawn(n: int, seed: int, m: int = 2, s: int = 1, q: int = 0) -> tuple[pd.DataFrame, list, list, list]:
    """Units of which size explains most, and the names of inputs, outputs, bad outputs."""
    rng = np.random.default_rng(seed)
    values = np.exp(rng.normal(size=(n, 1)) + 0.4 * rng.normal(size=(n, m + s + q)))
    names = [f"x{k}" for k in range(m)], [f"y{k}" for k in range(s)], [f"b{k}" for k in range(q)]
    return pd.DataFrame(values, [f"u{i}" for i in range(n)], sum(names, [])), *names


# --- numbers of others -------------------------------------------------------------------------------

FLS = frame(
    {
        "x1": [5, 16, 16, 17, 18, 23, 25, 27, 37, 42, 5],
        "x2": [13, 12, 26, 15, 14, 6, 10, 22, 14, 25, 17],
        "y": [12, 14, 25, 26, 8, 9, 27, 30, 31, 26, 12],
    }
)
"""Eleven firms of Fried, Lovell and Schmidt; scores and slacks as computed with R in the tests of
DataEnvelopmentAnalysis.jl (test/dea.jl, javierbarbero/DataEnvelopmentAnalysis.jl)."""
FLS_SCORES = {
    (
        "input",
        "crs",
    ): "1 .6222896791 .8198562444 1 .3103709311 .5555555556 1 .7576690896 .8201058201 .4905660377 1",
    ("output", "crs"): "1 1.606968641 1.219726027 1 3.221951220 1.8 1 1.319837398 1.219354839 2.038461538 1",
    ("input", "vrs"): "1 .8699861687 1 1 .7116402116 1 1 1 1 .4931209269 1",
    ("output", "vrs"): "1 1.507518797 1 1 3.203947368 1 1 1 1 1.192307692 1",
}
FLS_SLACKS = {
    ("input", "crs"): {("F", "x1"): 4.444444444, ("I", "x1"): 1.640211640, ("K", "x2"): 4},
    ("output", "crs"): {("F", "x1"): 8, ("I", "x1"): 2, ("K", "x2"): 4},
    ("input", "vrs"): {("E", "y"): 2.698412698, ("K", "x2"): 4},
    ("output", "vrs"): {("J", "x1"): 5, ("J", "x2"): 11, ("K", "x2"): 4},
}


@pytest.mark.reference
@pytest.mark.parametrize("case", FLS_SCORES, ids="-".join)
def test_radial_scores_and_slacks_of_eleven_firms(case):
    result = dea(FLS, ["x1", "x2"], ["y"], orientation=case[0], returns=case[1])
    assert np.allclose(result.score, np.array(FLS_SCORES[case].split(), float), atol=1e-9)
    slacks = result.slacks.stack()
    printed = pd.Series(FLS_SLACKS[case]).reindex(slacks.index, fill_value=0.0)
    assert np.allclose(slacks, printed, atol=1e-6)


@pytest.mark.reference
def test_peers_of_eleven_firms():
    """The same source: firm 8 mixes firms 4 and 7, the last one can be replaced by the first."""
    peers = dea(FLS, ["x1", "x2"], ["y"], returns="crs").peers
    weights = peers.set_index("peer", append=True)["weight"]
    assert weights["H"].to_dict() == pytest.approx({"D": 1.3658536585, "G": 0.1512195122})
    assert weights["K"].to_dict() == pytest.approx({"A": 1.0})


TONE = frame({"x1": [4, 6, 8, 8, 2], "x2": [3, 3, 1, 1, 4], "y1": [2, 2, 6, 6, 1], "y2": [3, 3, 2, 1, 4]})
"""Tone (2001), Eur. J. Operational Research 130, p. 505."""
SIX = frame({"x1": [4, 7, 8, 4, 2, 10], "x2": [3, 3, 1, 2, 4, 1], "y": [1] * 6})
"""Six units as in Tone (2002), ibid. 143; scores of R's deaR 1.4.1 (model_sbmeff, model_sbmsupereff, model_supereff)."""


@pytest.mark.reference
def test_sbm_of_tone():
    roles = ["x1", "x2"], ["y1", "y2"]
    assert sbm(TONE, *roles).score.to_list() == pytest.approx([0.79798, 0.56818, 1, 0.66667, 1], abs=5e-6)
    above = sbm(TONE, *roles, super_efficiency=True).score  # deaR 1.4.1
    assert above.to_list() == pytest.approx([0.79798, 0.56818, 1.3333, 0.66667, 1.4545], abs=5e-5)


@pytest.mark.reference
def test_super_efficiency_of_six_units():
    roles = ["x1", "x2"], ["y"]
    assert sbm(SIX, *roles).score.to_list() == pytest.approx([0.8333, 0.6190, 1, 1, 1, 0.9], abs=5e-5)
    score = sbm(SIX, *roles, super_efficiency=True).score
    assert score[["C", "D", "E"]].to_list() == pytest.approx([1.125, 1.25, 1.5])
    radial = dea(SIX, *roles, orientation="input", super_efficiency=True).score
    assert radial[["C", "D", "E"]].to_list() == pytest.approx([1.1429, 1.25, 2], abs=5e-5)


def test_the_reference_of_super_efficiency_is_complete():
    """Without C, unit F is efficient and C's peer; on the efficient units alone C would get 1.5."""
    roles = ["x1", "x2"], ["y"]
    assert sbm(SIX.loc[list("CDE")], *roles, super_efficiency=True).score["C"] == pytest.approx(1.5)
    assert sbm(SIX, *roles, super_efficiency=True).peers.loc[["C"], "peer"].to_list() == ["F"]


EIGHT = frame({"x": [2, 4, 8, 12, 6, 14, 14, 9.412], "y": [1, 5, 8, 9, 3, 7, 9, 2.353]})
"""DataEnvelopmentAnalysis.jl, test/deaerg.jl (enhanced Russell graph measure, another name of the SBM)."""


@pytest.mark.reference
@pytest.mark.parametrize(
    "returns, scores, x, y",
    [
        ("crs", "1 .4 .8 .6 .4 .4 .514285714285650 .2", "", ""),
        ("vrs", "1 1 1 1 .4 .476190476190476 .857142857142857 .2", "2 7.33333333 2 5.412", "2 0 0 2.647"),
    ],
)
def test_sbm_of_eight_units(returns, scores, x, y):
    result = sbm(EIGHT, ["x"], ["y"], returns=returns)
    expected = np.array(scores.split(), float)
    if returns == "crs":
        expected[[0, 1]] = expected[[1, 0]]
    assert np.allclose(result.score, expected, atol=1e-9)
    if x:
        assert np.allclose(result.slacks["x"].iloc[4:], np.array(x.split(), float))
        assert np.allclose(result.slacks["y"].iloc[4:], np.array(y.split(), float), atol=1e-6)


def panel_of(x: list[list[float]], y: list[list[float]]) -> pd.DataFrame:
    """One input and one output by year, rows in an order that no one would choose."""
    T, n = np.shape(x)
    rows = pd.MultiIndex.from_product([range(2001, 2001 + T), list("ABCDE")[:n]], names=["year", "firm"])
    panel = pd.DataFrame({"x": np.ravel(x), "y": np.ravel(y)}, rows, dtype=float).swaplevel()
    return panel.sample(frac=1, random_state=1)


@pytest.mark.reference
def test_malmquist_of_deap():
    """DEAP's guide (Coelli 1996), fourth example: annual means."""
    panel = panel_of([[2, 4, 3, 5, 6], [2, 4, 3, 5, 5]], [[1, 2, 3, 4, 5], [1, 3, 4, 3, 5]])
    for orientation in ("output", "input"):
        mean = malmquist(panel, ["x"], ["y"], orientation=orientation).by_year.loc[2002]
        assert mean[["EFFCH", "TECHCH", "TFPCH"]].to_list() == pytest.approx(
            [0.8436, 1.3333, 1.1247], abs=5e-5
        )
        if orientation == "output":
            assert mean[["PECH", "SECH"]].to_list() == pytest.approx([0.9550, 0.8833], abs=5e-5)


@pytest.mark.reference
def test_malmquist_of_three_years():
    """DataEnvelopmentAnalysis.jl, test/malmquist.jl."""
    x = [[2, 3, 5, 4, 4], [1, 2, 4, 3, 4], [0.5, 1.5, 3, 2, 4]]
    y = [[1, 4, 6, 3, 5], [1, 4, 6, 3, 3], [2, 4, 6, 3, 1]]
    changes = malmquist(panel_of(x, y), ["x"], ["y"]).changes.unstack().sort_index()
    assert np.allclose(changes["TFPCH"], [[2, 4], [1.5, 4 / 3], [1.25, 4 / 3], [4 / 3, 1.5], [0.6, 1 / 3]])
    assert np.allclose(changes["EFFCH"].T[:1], [[4 / 3, 1, 0.8333333333, 0.8888888889, 0.4]])
    assert np.allclose(changes["EFFCH"].T[1:], [[2, 2 / 3, 2 / 3, 0.75, 1 / 6]])
    assert np.allclose(changes["TECHCH"], [1.5, 2.0])


# --- the programmes written in another way ------------------------------------------------------------


def by_targets(Z: np.ndarray, o: int, m: int, s: int, returns: str, over: str | None) -> float:
    """SBM of row o as a linear programme in targets T (times τ) instead of slacks, by scipy; `over`: super-efficiency."""
    n, K = Z.shape
    z, q, g = Z[o], K - m - s, np.repeat([1, -1, 1], [m, s, Z.shape[1] - m - s])
    numerator = np.repeat([1 / m, 0, 0], [m, s, q])
    if over == "inputs":
        numerator = np.repeat([1 / (m + q), 0, 1 / (m + q)], [m, s, q])
    denominator = np.where(numerator > 0, 0, 1 / (s if over == "inputs" else s + q)) * -g
    cost = np.r_[np.zeros(n), numerator / z, 0]  # Λ, T, τ
    normal = np.r_[np.zeros(n), denominator / z, 1 - denominator.sum()]
    least = np.hstack([g[:, None] * Z.T, -np.diag(g), np.zeros((K, 1))])  # ΛZ no worse than T
    own = np.hstack([np.zeros((K, n)), np.diag(g), -(g * z)[:, None]])  # T no worse than τz
    equal = [normal] + ([np.r_[np.ones(n), np.zeros(K), -1]] if returns == "vrs" else [])
    upper = [least, -own if over else own]
    if returns == "nirs":
        upper.append(np.r_[np.ones(n), np.zeros(K), -1][None])
    bounds = [(0, 0 if over and j == o else None) for j in range(n + K + 1)]
    A = np.vstack(upper)
    out = linprog(cost, A, np.zeros(len(A)), np.array(equal), [1, 0][: len(equal)], bounds, method="highs")
    return out.fun if out.status == 0 else np.nan


@pytest.mark.parametrize("returns", ["crs", "vrs", "nirs"])
@pytest.mark.parametrize("over", [False, True, "inputs"])
def test_bad_outputs_against_programmes_in_targets(returns, over):
    data, inputs, outputs, bad = drawn(30, 4, 2, 2, 2)
    rho = [by_targets(data.to_numpy(), o, 2, 2, returns, None) for o in range(30)]
    if over:
        name = "inputs" if over == "inputs" else "bads"
        rho = [
            by_targets(data.to_numpy(), o, 2, 2, returns, name) if r > 1 - 1e-7 else r
            for o, r in enumerate(rho)
        ]
    result = sbm(data, inputs, outputs, bad, returns=returns, super_efficiency=over)
    assert np.allclose(result.score, rho, atol=1e-8) and (result.score >= 1 - 1e-9).sum() >= 3


def test_tone_2003_nine_units():
    """The data of Tone (2003), p. 10, as in R's deaR (Tone2003); scores by the programme in targets."""
    data = frame({"x": [1] * 9, "good": [1, 2, 6, 8, 9, 5, 4, 6, 4], "bad": [1, 1, 2, 4, 7, 2, 3, 4, 6]})
    result = sbm(data, ["x"], ["good"], ["bad"], returns="vrs")
    assert np.allclose(
        result.score, [by_targets(data.to_numpy(), o, 1, 1, "vrs", None) for o in range(9)], atol=1e-9
    )
    assert result.score.index[result.score > 1 - 1e-9].to_list() == list("BCDE")


@pytest.mark.parametrize("orientation", ["output", "input"])
@pytest.mark.parametrize("returns", ["crs", "vrs", "nirs"])
def test_radial_scores_are_those_of_the_multiplier_programme(orientation, returns):
    """The dual, in prices: least cost of the inputs where outputs are worth 1, or the other way round."""
    data, inputs, outputs, _ = drawn(25, 7, 2, 2)
    data *= 10 ** np.random.default_rng(7).uniform(-2, 2, (25, 1))
    X, Y = data[inputs].to_numpy(), data[outputs].to_numpy()
    found = dea(data, inputs, outputs, orientation=orientation, returns=returns).score
    free = {"crs": (0, 0), "vrs": (None, None), "nirs": (0, None)}[returns]
    for o in range(25):
        if orientation == "output":
            cost, A, fixed = np.r_[X[o], 0, 0, 1], np.c_[-X, Y, -np.ones(25)], np.r_[0, 0, Y[o], 0]
        else:
            cost, A, fixed = np.r_[0, 0, -Y[o], 1], np.c_[-X, Y, -np.ones(25)], np.r_[X[o], 0, 0, 0]
        dual = linprog(cost, A, np.zeros(25), fixed[None], [1], [(0, None)] * 4 + [free], method="highs")
        assert abs(dual.fun) == pytest.approx(found.iloc[o], abs=1e-8)


# --- what must hold -----------------------------------------------------------------------------------


def test_units_of_measurement_and_order_do_not_matter():
    data, inputs, outputs, bad = drawn(40, 3, 2, 1, 2)
    other = (data * [1e-4, 3e5, 7.0, 1e6, 1e-3]).sample(frac=1, random_state=2)[data.columns[::-1]]
    for over in (False, True):
        a, b = (
            sbm(d, inputs, outputs, bad, returns="vrs", super_efficiency=over).score for d in (data, other)
        )
        assert np.allclose(a, b[a.index], atol=1e-8)
    a, b = (dea(d, inputs, outputs, returns="vrs") for d in (data, other))
    assert np.allclose(a.score, b.score[a.score.index], atol=1e-8)
    assert np.allclose(a.slacks["x1"] * 3e5, b.slacks["x1"][a.score.index], rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("seed", range(3))
def test_size_does_not_matter_under_constant_returns(seed):
    """Each unit some other number of times itself, a millionth to a million: a basis that is nearly feasible is not enough."""
    data, *roles = drawn(60, seed, 2, 1, 2)
    other = data * 10 ** np.random.default_rng(seed).uniform(-6, 6, (60, 1))
    a, b = (sbm(d, *roles, super_efficiency=True).score for d in (data, other))
    assert np.allclose(a, b, rtol=1e-9)
    a, b = (dea(d, *roles[:2]) for d in (data, other))
    assert np.allclose(a.score, b.score, rtol=1e-9)
    assert np.allclose(a.slacks / data[a.slacks.columns], b.slacks / other[b.slacks.columns], atol=1e-9)


def test_frontiers_are_nested():
    data, inputs, outputs, bad = drawn(50, 5, 2, 2, 1)
    for measure in (
        lambda r: dea(data, inputs, outputs, returns=r).efficiency,
        lambda r: dea(data, inputs, outputs, returns=r, orientation="input").efficiency,
        lambda r: sbm(data, inputs, outputs, bad, returns=r).score,
    ):
        crs, nirs, vrs = map(measure, ("crs", "nirs", "vrs"))
        assert (crs <= nirs + 1e-9).all() and (nirs <= vrs + 1e-9).all() and (crs < vrs - 1e-3).any()


def test_conventions():
    data, inputs, outputs, _ = drawn(30, 6)
    out, into = (dea(data, inputs, outputs, orientation=o) for o in ("output", "input"))
    assert (out.score >= 1 - 1e-9).all() and (into.score <= 1 + 1e-9).all() and into.score.name == "theta"
    assert np.allclose(out.distance * out.score, 1) and np.allclose(into.distance * into.score, 1)
    assert np.allclose(out.efficiency, into.efficiency)  # under constant returns
    slack = sbm(data, inputs, outputs).score
    assert (slack <= into.score + 1e-9).all()


def test_super_efficiency_is_for_the_efficient():
    data, inputs, outputs, bad = drawn(40, 8, 2, 1, 1)
    for returns in ("crs", "vrs"):
        plain = sbm(data, inputs, outputs, bad, returns=returns).score
        above = sbm(data, inputs, outputs, bad, returns=returns, super_efficiency=True).score
        efficient = plain > 1 - 1e-7
        assert (above[efficient] >= 1 - 1e-9).all() and np.array_equal(above[~efficient], plain[~efficient])
    plain, above = (dea(data, inputs, outputs, super_efficiency=s).score for s in (False, True))
    assert ((above < 1 + 1e-7) == (plain < 1 + 1e-7)).all()


@pytest.mark.parametrize("returns", ["crs", "vrs", "nirs"])
@pytest.mark.parametrize("orientation", ["output", "input"])
def test_targets_are_mixes_of_peers_and_efficient(returns, orientation):
    data, inputs, outputs, _ = drawn(40, 9, 2, 2)
    result = dea(data, inputs, outputs, orientation=orientation, returns=returns)
    assert np.allclose(mixes(result, data), result.targets, rtol=1e-5)
    score = result.score.to_numpy()[:, None]
    radial = np.hstack(
        [
            data[inputs] * (score if orientation == "input" else 1),
            data[outputs] * (score if orientation == "output" else 1),
        ]
    )
    assert np.allclose(radial - [1, 1, -1, -1] * result.slacks, result.targets) and (result.slacks >= 0).all(
        axis=None
    )
    again = sbm(result.targets, inputs, outputs, returns=returns, reference=data)
    assert np.allclose(again.score, 1, atol=1e-5)
    sums = result.peers["weight"].groupby(level=0).sum()
    assert (
        np.allclose(sums, 1, atol=1e-5) if returns == "vrs" else (returns == "crs" or (sums < 1 + 1e-5).all())
    )


def mixes(result, data: pd.DataFrame) -> pd.DataFrame:
    weighted = data.loc[result.peers["peer"]].mul(result.peers["weight"].to_numpy(), axis=0)
    return weighted.set_axis(result.peers.index).groupby(level=0).sum().reindex(data.index)


def test_scores_of_sbm_are_made_of_its_slacks():
    data, inputs, outputs, bad = drawn(40, 10, 2, 1, 2)
    result = sbm(data, inputs, outputs, bad, returns="vrs")
    assert np.allclose(mixes(result, data), result.targets, rtol=1e-5)
    for over, m, s in ((False, 2, 3), (True, 2, 3), ("inputs", 4, 1)):
        result = sbm(data, inputs, outputs, bad, returns="vrs", super_efficiency=over)
        share = result.slacks / data
        upper, lower = (inputs + bad, outputs) if over == "inputs" else (inputs, outputs + bad)
        rows = result.score > 1 + 1e-7 if over == "inputs" else slice(None)
        made = (1 - share[upper].sum(axis=1) / m) / (1 + share[lower].sum(axis=1) / s)
        assert np.allclose(made[rows], result.score[rows], atol=1e-6)
        assert ((share[result.score < 1] >= 0).all(axis=None)) and (share[result.score > 1] <= 0).all(
            axis=None
        )


@pytest.mark.parametrize("model", ["output", "input", "sbm", "super"])
def test_prices_are_derivatives(model):
    """The score as a function of the unit's own values, the frontier held, by central differences."""
    data, inputs, outputs, bad = drawn(60, 11, 2, 1, 1)

    def fit(units: pd.DataFrame, reference: pd.DataFrame):
        if model in ("output", "input"):
            return dea(units, inputs, outputs, orientation=model, returns="vrs", reference=reference)
        return sbm(units, inputs, outputs, bad, returns="vrs", reference=reference)

    if model == "super":  # without the unit, efficient or not
        whole = sbm(data, inputs, outputs, bad, returns="vrs", super_efficiency=True)
        unit = whole.score.idxmax()

        def fit(units, reference):
            return sbm(
                units.combine_first(data)[data.columns],
                inputs,
                outputs,
                bad,
                returns="vrs",
                super_efficiency=True,
            )
    else:
        whole = fit(data, data)
        unit = whole.score.sub(1).abs().idxmax()
    for column in whole.prices:
        step = 1e-5 * data.loc[unit, column]
        ends = []
        for way in (1, -1):
            moved = data.loc[[unit]].copy()
            moved[column] += way * step
            ends.append(fit(moved, data).score[unit])
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(
            whole.prices.loc[unit, column], rel=1e-4, abs=1e-7
        )


def drawn_panel(n: int = 8, T: int = 5, seed: int = 1, q: int = 0) -> tuple[pd.DataFrame, list, list, list]:
    data, *roles = drawn(n * T, seed, 2, 1, q)
    return data.set_index(
        pd.MultiIndex.from_product([range(n), range(2010, 2010 + T)], names=["city", "year"])
    ), *roles


def test_malmquist_is_the_product_of_its_parts():
    panel, inputs, outputs, _ = drawn_panel()
    result = malmquist(panel, inputs, outputs)
    c, d = result.changes, result.distances
    assert np.allclose(c["EFFCH"] * c["TECHCH"], c["TFPCH"]) and np.allclose(
        c["PECH"] * c["SECH"], c["EFFCH"]
    )
    assert (
        c.shape == (32, 5)
        and result.by_unit.shape == (8, 5)
        and result.by_year.index.to_list() == [2011, 2012, 2013, 2014]
    )
    assert np.allclose(result.by_unit.loc[3, "TFPCH"], np.exp(np.log(c.loc[3, "TFPCH"]).mean()))
    year = panel.xs(2012, level=1)
    assert np.allclose(d["crs"].xs(2012, level=1), dea(year, inputs, outputs).distance)
    before = dea(year, inputs, outputs, reference=panel.xs(2011, level=1)).distance
    assert np.allclose(d["before"].xs(2012, level=1), before) and d["before"].xs(2010, level=1).isna().all()
    shuffled = malmquist(panel.sample(frac=1, random_state=3), inputs, outputs)
    assert np.allclose(shuffled.changes.reindex(c.index), c)


def test_one_unit_has_no_efficiency_change():
    """A unit alone lies on its own frontier: all is technical change."""
    panel, inputs, outputs, _ = drawn_panel(1, 4)
    changes = malmquist(panel, inputs, outputs).changes
    assert np.allclose(changes[["EFFCH", "PECH", "SECH"]], 1) and np.allclose(
        changes["TFPCH"], changes["TECHCH"]
    )


@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_global_index_is_a_ratio_of_pooled_scores(returns):
    panel, *roles = drawn_panel(10, 4, 2, 2)
    result = global_malmquist(panel.sample(frac=1, random_state=1), *roles, returns=returns, split=True)
    pooled = sbm(panel, *roles, returns=returns, super_efficiency=True).score
    assert np.allclose(result.scores.reindex(pooled.index), pooled)
    c = result.changes.sort_index()
    steps = c["MLI"].groupby(level=0).cumprod()
    assert (
        np.allclose(result.index.reindex(steps.index), steps) and (result.index.xs(2010, level=1) == 1).all()
    )
    years = [
        sbm(panel.xs(t, level=1), *roles, returns=returns, super_efficiency=True).score for t in (2011, 2012)
    ]
    assert np.allclose(c["EC"].xs(2012, level=1), years[1] / years[0], equal_nan=True)
    known = c["EC"].notna()
    assert np.allclose((c["EC"] * c["BPC"])[known], c["MLI"][known])
    lost = {why for why in result.reasons.values() if why.startswith("in its own year, its b")}
    assert known.all() if returns == "crs" else (len(lost) == len(result.reasons) > 0 and not known.all())


# --- no solution ----------------------------------------------------------------------------------------


def test_infeasible_super_efficiency_is_nan_with_a_reason():
    data, inputs, outputs, bad = drawn(40, 12, 2, 1, 2)
    data.loc["u7", bad] /= 50
    result = sbm(data, inputs, outputs, bad, returns="vrs", super_efficiency=True)
    assert result.score.isna().sum() == 1 and np.isnan(result.score["u7"])
    assert np.isnan(by_targets(data.to_numpy(), 7, 2, 1, "vrs", "bads"))
    assert list(result.reasons) == ["u7"] and "its b" in result.reasons["u7"] and "'u7'" in result.summary
    assert result.targets.loc["u7"].isna().all() and "u7" not in result.peers.index
    assert sbm(data, inputs, outputs, bad, returns="vrs", super_efficiency="inputs").score["u7"] > 5
    assert sbm(data, inputs, outputs, bad, super_efficiency=True).score.notna().all()  # constant returns


def test_infeasible_years_are_named():
    panel, inputs, outputs, bad = drawn_panel(10, 3, 3, 2)
    panel.loc[(4, 2011), bad] /= 50
    result = global_malmquist(panel, inputs, outputs, bad, returns="vrs")
    assert list(result.reasons) == [(4, 2011)] and "(4, 2011)" in result.summary
    assert np.isnan(result.index[(4, 2011)]) and np.isfinite(result.index[(4, 2012)])
    assert result.changes["MLI"].isna().sum() == 2 and np.isnan(result.by_unit.loc[4, "MLI"])


def test_radial_programmes_without_solution():
    data, inputs, outputs, _ = drawn(20, 13)
    small = data.loc[["u3"]] / 1000
    result = dea(small, inputs, outputs, returns="vrs", reference=data)
    assert np.isnan(result.score["u3"]) and "at least" in result.reasons["u3"]
    large = dea(data.loc[["u3"]] * 1000, inputs, outputs, orientation="input", returns="vrs", reference=data)
    assert (
        np.isnan(large.score["u3"])
        and "its y0 is" in large.reasons["u3"]
        and "at most" in large.reasons["u3"]
    )
    assert dea(small, inputs, outputs, reference=data).score.notna().all()
    assert not dea(data, inputs, outputs, returns="vrs").reasons


def test_what_stops_without_an_answer_is_named():
    """Unbounded: nothing limits φ."""
    programme = Programme(np.ones(1), np.array([0, 0, -1.0]), np.zeros(1), np.array([False]), "crs")
    with pytest.raises(RuntimeError, match="programme of 'A' was not solved: Unbounded"):
        programme.solve(np.ones((1, 1)), np.ones((1, 1)), ["A"])


def test_degenerate_data():
    """Twins, a dominated copy, values of very different size."""
    twins = frame({"x": [2, 2, 4, 2e6, 3e-3], "y": [1, 1, 1, 1e6, 1e-3]})
    assert dea(twins, ["x"], ["y"]).score.to_list() == pytest.approx([1, 1, 2, 1, 1.5])
    assert sbm(twins, ["x"], ["y"], super_efficiency=True).score.to_list() == pytest.approx(
        [1, 1, 0.5, 1, 2 / 3]
    )


# --- bad input ------------------------------------------------------------------------------------------

GOOD = frame({"x": [2, 4, 3, 5], "y": [1, 2, 3, 4], "b": [1, 2, 1, 1]})


def changed(row: str, column: str, value: object) -> pd.DataFrame:
    data = GOOD.astype(object) if isinstance(value, str) else GOOD.copy()
    data.loc[row, column] = value
    return data


@pytest.mark.parametrize(
    "data, error, words",
    [
        (changed("B", "x", 0.0), ValueError, "row 'B', column 'x': 0 is not positive"),
        (changed("C", "y", -3.0), ValueError, "row 'C', column 'y': -3 is not positive"),
        (changed("C", "b", 0.0), ValueError, "row 'C', column 'b': 0 is not positive"),
        (changed("D", "y", np.nan), ValueError, "row 'D', column 'y'"),
        (changed("D", "y", np.inf), ValueError, "infinite values: row 'D', column 'y'"),
        (changed("A", "x", "many"), TypeError, "column 'x' is not numeric"),
        (GOOD.rename(index={"B": "A"}), ValueError, "'A' stands twice"),
        (GOOD.rename(index={"B": 1}), TypeError, "mixes text"),
        (GOOD.rename(index={"B": None}), ValueError, "a label is missing in the index"),
        (GOOD.drop(columns="b"), ValueError, r"bad: \['b'\] found neither"),
        (GOOD.to_numpy(), TypeError, "DataFrame"),
        (GOOD.iloc[:0], ValueError, "empty"),
    ],
)
def test_bad_data(data, error, words):
    with pytest.raises(error, match=words):
        sbm(data, ["x"], ["y"], ["b"])


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: dea(GOOD, "x", ["y"]), TypeError, "inputs must be a list"),
        (lambda: dea(GOOD, [], ["y"]), ValueError, "at least one input"),
        (lambda: dea(GOOD, ["x"], ["x"]), ValueError, "two roles"),
        (lambda: dea(GOOD, ["x"], ["y"], orientation="out"), ValueError, "orientation='out'"),
        (lambda: dea(GOOD, ["x"], ["y"], returns="drs"), ValueError, "returns='drs'"),
        (lambda: sbm(GOOD, ["x"], ["y"], super_efficiency="bads"), ValueError, "super_efficiency='bads'"),
        (lambda: dea(GOOD, ["x"], ["y"], reference=changed("B", "x", 0.0)), ValueError, "reference: row 'B'"),
        (lambda: dea(GOOD, ["x"], ["y"], reference=GOOD[["x"]]), ValueError, r"outputs: \['y'\]"),
        (
            lambda: sbm(GOOD, ["x"], ["y"], reference=GOOD, super_efficiency=True),
            ValueError,
            "give no reference",
        ),
        (lambda: dea(GOOD[:1], ["x"], ["y"], super_efficiency=True), ValueError, "one row"),
        (
            lambda: dea(GOOD.assign(x=2), ["x"], ["y"], orientation="input", returns="vrs"),
            ValueError,
            "'x' constant",
        ),
        (lambda: dea(GOOD.assign(y=2), ["x"], ["y"], returns="vrs"), ValueError, "every unit is efficient"),
    ],
)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()


PANEL = drawn_panel(4, 3)[0]


@pytest.mark.parametrize(
    "panel, error, words",
    [
        (PANEL.reset_index(), ValueError, "indexed by unit and year"),
        (PANEL.drop(index=(2, 2011)), ValueError, r"1 unit-year\(s\) absent, the first \(2, 2011\)"),
        (pd.concat([PANEL, PANEL[:1]]), ValueError, r"\(0, 2010\) stands twice"),
        (PANEL.xs(2010, level=1, drop_level=False), ValueError, "two years at least"),
        (PANEL.rename(index=lambda c: f"city {c}", level=0).swaplevel(), TypeError, "order is unit, year"),
        (
            PANEL.mask(PANEL == PANEL.iloc[4, 0], 0),
            ValueError,
            r"row \(1, 2011\), column 'x0': 0 is not positive",
        ),
        (
            PANEL.mask(PANEL == PANEL.iloc[4, 0]),
            ValueError,
            r"missing value\(s\): row \(1, 2011\), column 'x0'",
        ),
    ],
)
@pytest.mark.parametrize("index", [malmquist, global_malmquist])
def test_bad_panels(panel, error, words, index):
    with pytest.raises(error, match=words):
        index(panel, ["x0", "x1"], ["y0"])


def test_results_print_in_a_few_lines(capfd):
    data, inputs, outputs, bad = drawn(12, 14, 2, 1, 1)
    result = sbm(data, inputs, outputs, bad)
    assert (
        result.summary.startswith("CRS, slacks-based: 12 units, ") and len(result.summary.splitlines()) == 2
    )
    assert "output orientation" in dea(data, inputs, outputs).summary
    panel = malmquist(*drawn_panel()[:3])
    assert "8 units, 4 pairs of years" in panel.summary and "TFPCH" in panel._repr_html_()
    assert capfd.readouterr() == ("", "")  # HiGHS is silent
