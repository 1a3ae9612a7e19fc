"""The engine that makes teaching panels, on a toy of 20 units and 6 years, and its estimator against the field's."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from engine import (
    CalibrationError,
    Cell,
    Move,
    Numbers,
    Paper,
    as_seen,
    draw,
    frame,
    own_column,
    paths,
    worlds,
)
from engine.estimator import Design, fit, poisson, pull, values
from engine.make import dictionary
from engine.report import summary

from regionbook.papers.declare import Column
from regionbook.papers.estimation import estimate

UNITS, YEARS = 20, 6


# ---------------------------------------------------------------------------------------------------------- toy
def story(rng, effect=0.3):
    """A pilot in half of the units raises a skewed outcome by a factor; w is a control, two cells are absent."""
    size, year = rng.normal(size=UNITS)[:, None], np.arange(YEARS)
    pilot = (np.argsort(np.argsort(-size[:, 0])) < 10)[:, None] & (year >= 3)
    w = 0.5 * size + rng.normal(size=(UNITS, YEARS)) * 0.5
    y = np.exp(0.5 * size + 0.1 * year + 0.2 * w + effect * pilot + 0.15 * rng.normal(size=(UNITS, YEARS)))
    y[3, 0] = y[7, 1] = np.nan
    c = {"y": y, "w": w, "x": pilot * 1.0, "lift": effect * pilot}
    c = {k: np.where(np.isfinite(y), a, np.nan).ravel() for k, a in c.items()}
    c |= {"unit": np.repeat([f"u{i:02d}" for i in range(UNITS)], YEARS), "year": np.tile(year, UNITS)}
    return c | {"odd": np.repeat(np.arange(UNITS) % 2, YEARS)}, {"effect": effect}


def own(v, truth, printed):
    """The effect in logs is the true one; paths stay."""
    column = Column("own", "log", "log(y) ~ x + w | unit + year")
    aim = as_seen(column, frame(v), "lift")["x"]
    return [own_column(column, frame(v), {"x": (aim, 0.05)}), *paths(v, ["y"], YEARS, tol=0.2)]


def of(table, number, formula, **more):
    """A column with a control and robust errors."""
    return Column(table, number, formula.replace("{X}", "w"), errors="HC1", **more)


TOY = Paper(
    "toy",
    ("unit", "year"),
    [
        of("1", "1", "y ~ x | unit + year"),
        of("1", "2", "y ~ x + {X} | unit + year"),
        of("2", "1", "y ~ x + {X} | unit + year", sample="odd == 1"),
    ],
    story,
    {"y": Move(0, size=0.3, decimals=4)},
    controls=["w"],
    free={("2",): "a sub-sample"},
    own=own,
    worlds={"no-effect": {"effect": 0.0}},
)
COEFFICIENTS = [
    ("1", "1", "x", "0.90", "0.18"),
    ("1", "2", "x", "0.85", "0.17"),
    ("1", "2", "w", "0.30", "0.12"),
]


def printed(*more, coefficients=COEFFICIENTS, r2=(("1", "1", "0.80"), ("1", "2", "0.82"))):
    """Printed numbers as `regionbook.published` gives them."""
    rows = []
    for table, column, term, b, se in [*coefficients, *more]:
        stars = "*" * sum(abs(float(b) / float(se)) > c for c in (1.66, 1.99, 2.64))
        rows.append((table, column, term, float(b), float(se), "se", stars, b, se))
    names = "table column term estimate paren paren_kind stars estimate_text paren_text"
    fits = [("1", n, "N", 118.0, "118") for n in "12"] + [(t, c, "R2", float(v), v) for t, c, v in r2]
    return SimpleNamespace(
        estimates=pd.DataFrame(rows, columns=names.split()),
        fit=pd.DataFrame(fits, columns=["table", "column", "stat", "value", "value_text"]),
        inconsistent=pd.DataFrame(columns=["file", "table", "column", "term", "reason"]),
        descriptives=pd.DataFrame(columns=["table", "variable", "mean", "sd"]),
    )


FREE = ("2", "1", "x", "0.50", "0.10")


@pytest.fixture(scope="module")
def drawn():
    return draw(TOY, 3, printed=printed(FREE))


def test_targets_are_met_by_pyfixest_from_the_file(drawn):
    data = drawn.panel.set_index(["unit", "year"])
    for table, column, term, b, se in COEFFICIENTS:
        declared = next(c for c in TOY.tables if c.key == (table, column))
        found = estimate(declared, data).set_index("term").loc[term]
        assert abs(found["estimate"] - float(b)) < 0.5 * float(se)
        assert abs(found["std_error"] / float(se) - 1) < 0.25
        assert found["N"] == 118
    assert summary(drawn.report)["within 2 errors"] > summary(drawn.start())["within 2 errors"]


def test_same_seed_same_bytes(drawn):
    again = draw(TOY, 3, printed=printed(FREE))
    assert again.text == drawn.text
    assert json.dumps(again.truth) == json.dumps(drawn.truth)
    assert draw(TOY, 4, printed=printed(FREE), strict=False).text != drawn.text


def test_free_numbers_stay_free(drawn):
    """Another print of a free number changes nothing; the truth says that it is free, and why."""
    other = draw(TOY, 3, printed=printed(("2", "1", "x", "5.00", "0.10")))
    assert other.text == drawn.text
    free = [t for t in drawn.truth["targets"] if t["table"] == "2"]
    assert [t["status"] for t in free] == ["free"]
    assert free[0]["tier"] == "free" and free[0]["note"] == "a sub-sample"


def test_truth_lists_every_printed_number(drawn):
    targets = pd.DataFrame(drawn.truth["targets"])
    status = targets.set_index(["table", "column", "term"])["status"].to_dict()
    wanted = {(t, c, term): "imposed" for t, c, term, *_ in COEFFICIENTS} | {("2", "1", "x"): "free"}
    wanted |= {("1", n, "N"): "count" for n in "12"} | {("1", n, "R2"): "imposed" for n in "12"}
    assert {k: v for k, v in status.items() if k[0] in "12"} == wanted
    assert set(targets.loc[targets["table"] == "own", "tier"]) == {"own"}
    row = targets[(targets["column"] == "2") & (targets["term"] == "w")].iloc[0]
    assert row["tier"] == "cheap" and row["printed_se"] == 0.12 and row["reached_se"] > 0


def test_a_column_starts_where_the_one_that_it_follows_ended(drawn):
    def both(rng, effect=0.3):
        c, truth = story(rng, effect)
        return c | {"half": c["y"] / 2}, truth

    moves = TOY.moves | {"half": Move(0, decimals=8)}
    led = replace(
        TOY, story=both, moves=moves, follows={"half": lambda v, now: v["half"] * now["y"] / v["y"]}
    )
    panel = draw(led, 3, printed=printed(FREE)).panel
    np.testing.assert_array_equal(panel["y"], drawn.panel["y"])
    np.testing.assert_allclose(panel["half"], panel["y"] / 2, atol=1e-8)


def test_contradictory_targets_fail_loudly():
    twice = replace(TOY, tables=[*TOY.tables[:2], of("3", "1", "y ~ x + {X} | unit + year")], free={})
    with pytest.raises(CalibrationError, match=r"binding cells are missed:\n(.*\n)+.*3 +1 +x"):
        draw(twice, 3, printed=printed(("3", "1", "x", "-0.80", "0.18")))


def test_two_worlds_print_the_same_table_from_another_truth():
    drawn, far = worlds(TOY, 3, printed=printed(FREE))
    b = {name: d.report.set_index(["table", "column", "term"]) for name, d in drawn.items()}
    for name in ("", "no-effect"):
        assert (b[name].loc[["1"], "verdict"] == "met").all()
    assert drawn[""].truth["effect"] == 0.3 and drawn["no-effect"].truth["effect"] == 0.0
    logs = [b[name].loc[("own", "log", "x"), "reached"] for name in ("", "no-effect")]
    assert logs[0] - logs[1] > 0.15
    moved = far.set_index("world")["sd"]
    assert moved["no-effect"] > moved["shipped"] > 0
    with pytest.raises(CalibrationError, match="no world 'half'; there are: no-effect"):
        draw(TOY, 3, "half", printed=printed(FREE))


def test_files(drawn, tmp_path):
    """A rival world is shipped as the columns in which it differs; without the shipped panel there is nothing to compare."""
    labels = {k: (k, k, "", "", 0, "", "", "") for k in drawn.panel}
    whole = replace(drawn, paper=replace(TOY, dictionary=labels))
    whole.write(tmp_path)
    rival = draw(whole.paper, 3, "no-effect", printed(FREE))
    rival.write(tmp_path, whole)
    ends = ["columns.csv", "csv", "no-effect.parquet", "no-effect.truth.json", "truth.json"]
    assert sorted(f.name for f in tmp_path.iterdir()) == [f"toy.{end}" for end in ends]
    other = pd.read_parquet(tmp_path / "toy.no-effect.parquet")
    assert list(other) == ["unit", "year", "y", "lift"]
    assert other["y"].equals(rival.panel["y"]) and not other["y"].equals(whole.panel["y"])
    assert json.loads((tmp_path / "toy.no-effect.truth.json").read_text())["parameters"] == {"effect": 0.0}
    with pytest.raises(CalibrationError, match="toy.no-effect: rows are not those of the shipped panel"):
        rival.write(tmp_path)
    assert (tmp_path / "toy.csv").read_text() == drawn.text
    assert pd.read_csv(tmp_path / "toy.columns.csv").set_index("column").loc["y", "minimum"] == 0
    with pytest.raises(CalibrationError, match="differ in .*lift"):
        dictionary(replace(TOY, dictionary={k: v for k, v in labels.items() if k != "lift"}), drawn.panel)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"moves": {"y": Move(1, decimals=4)}}, r"the story's y lies in \[.*outside its bounds"),
        ({"moves": {"q": Move()}}, "the story draws no q"),
        ({"free": {("9",): "?"}}, "no declared column"),
        ({"tables": [of("1", "1", "y ~ i(odd) + x | unit + year")], "free": {}}, "reads names, products"),
        (
            {"tables": [of("1", "1", "y ~ x | unit + year", sample="odd > 5")], "free": {}},
            "no cell is in the sample",
        ),
        ({"tables": [of("7", "1", "y ~ x | unit + year")], "free": {}}, "no coefficient is printed"),
    ],
)
def test_bad_declarations(change, message):
    with pytest.raises((CalibrationError, KeyError), match=message):
        draw(replace(TOY, **change), 3, printed=printed(FREE))


def test_a_freed_standard_error_is_not_judged_and_an_aim_beside_the_print_is_said():
    far = [(t, c, term, b, se if (c, term) != ("2", "x") else "0.01") for t, c, term, b, se in COEFFICIENTS]
    with pytest.raises(CalibrationError, match="missed: error"):
        draw(TOY, 3, printed=printed(FREE, coefficients=far))
    places = {("1", "2", "x", "std_error"): "of another kind"}
    freed = replace(TOY, free=TOY.free | places, aims={("1", "2", "x"): (0.86, "halfway")})
    targets = pd.DataFrame(draw(freed, 3, printed=printed(FREE, coefficients=far)).truth["targets"])
    row = targets.set_index(["table", "column", "term"]).loc[("1", "2", "x")]
    assert row["verdict"] == "met" and row["reached_se"] > 0.05
    assert row["note"] == "halfway; standard error free: of another kind"
    assert abs(row["reached"] - 0.86) < abs(row["reached"] - 0.85)


def test_a_number_the_paper_contradicts_is_not_aimed_at():
    wrong = printed(FREE)
    wrong.inconsistent.loc[0] = ["fit", "1", "2", "R2", "impossible beside column 1"]
    targets = pd.DataFrame(draw(TOY, 3, printed=wrong).truth["targets"]).set_index(
        ["table", "column", "term"]
    )
    assert targets.loc[("1", "2", "R2"), ["status", "note"]].tolist() == [
        "free",
        "impossible beside column 1",
    ]


def test_a_computed_index_moves_through_its_indicators():
    """Needs autograd, which only authors need: pip install -r data/teaching/make/requirements.txt"""
    pytest.importorskip("autograd")

    def parts(rng, effect=0.3):
        c, truth = story(rng, effect)
        c["a"] = 1 / (1 + np.exp(-np.log(c["y"])))
        c["b"] = 1 / (1 + np.exp(-rng.normal(size=len(c["y"]))))
        return {k: x for k, x in c.items() if k != "y"}, truth

    def index(xp, v):
        y = 2 * xp.sqrt(v["a"]) + v["b"] ** 2
        return v | {"y": y, "top": xp.stack([y[0], v["a"][1]])}

    def rows(v, truth, printed):
        cells = [Cell("own", "", "top", "own", x, tier="own") for x in v["top"]]
        return [Numbers("top", "value", v["top"] + 0.01, 0.001, cells)]

    moves = {k: Move(0, 1, size=0.3, decimals=5) for k in "ab"}
    indexed = replace(TOY, story=parts, derive=index, own=rows, moves=moves, tables=TOY.tables[:2], free={})
    small = [
        (t, c, term, f"{float(b) / 4:.3f}", f"{float(se) / 4:.3f}") for t, c, term, b, se in COEFFICIENTS
    ]
    done = draw(indexed, 3, printed=printed(coefficients=small, r2=()))
    assert set(done.moved["variable"]) == {"a", "b"}
    assert (done.moved["sd"] > 0).all()
    assert (done.report.loc[done.report["term"] == "top", "verdict"] == "met").all()


# ---------------------------------------------------------------------------------------------------- estimator
@pytest.fixture(scope="module")
def panel():
    """Unbalanced, two regressors, an instrument, provinces."""
    rng = np.random.default_rng(1)
    n, t = 40, 8
    d = pd.DataFrame({"city": np.repeat(np.arange(n), t), "year": np.tile(np.arange(t), n)})
    d["province"] = d["city"] // 5
    city = rng.normal(size=n)[d["city"]]
    d["z"] = rng.normal(size=n * t) + 0.1 * d["year"]
    d["w"] = rng.normal(size=n * t) + city
    shock = rng.normal(size=n * t)
    d["x"] = 0.8 * d["z"] + 0.5 * city + shock
    d["y"] = (
        1
        + 0.5 * d["x"]
        - 0.3 * d["w"] * d["x"]
        + city
        + 0.1 * d["year"]
        + 0.7 * shock
        + rng.normal(size=n * t)
    )
    d["count"] = rng.poisson(np.exp(0.3 * d["x"] + 0.3 * city))
    d.loc[rng.choice(n * t, 60, replace=False), ["y", "count"]] = np.nan
    return d


CASES = [
    "y ~ x + w + x:w | city + year",
    "y ~ x + w | city",
    "y ~ x + w",
    "y ~ x | city + province^year",
    "y ~ w | city + year | x ~ z",
]


def arrays(c, d, design):
    """Outcome, regressors and instruments on the rows of a design."""
    at = d.iloc[design.rows]

    def take(terms):
        return np.column_stack([at[k.split(":")].prod(axis=1) for k in terms])

    Z = take((*c.instruments, *c.exogenous)) if c.instruments else None
    return at[c.outcome].to_numpy(float), take(c.regressors), Z


@pytest.mark.parametrize("errors", ["iid", "HC1", {"CRV1": "city"}], ids=str)
@pytest.mark.parametrize("formula", CASES)
def test_estimator_agrees_with_pyfixest(panel, formula, errors):
    """On an unbalanced panel, to 1e-8."""
    c = Column("1", "1", formula, errors=errors)
    d = Design(c, panel)
    f = fit(d, *arrays(c, panel, d))
    m = pf.feols(formula, panel, vcov=errors, fixef_tol=1e-13, fixef_rm="none")
    keep = [k for k in m.coef().index if k != "Intercept"]
    b, se = (pd.Series(a, c.regressors)[keep] for a in (f.b, f.se))
    np.testing.assert_allclose(b, m.coef()[keep], rtol=1e-8)
    np.testing.assert_allclose(se, m.se()[keep], rtol=1e-8)
    y = panel[c.outcome].dropna()
    assert f.r2 == pytest.approx(1 - (m.resid() ** 2).sum() / ((y - y.mean()) ** 2).sum(), abs=1e-8)


def test_estimator_agrees_with_linearmodels(panel):
    from linearmodels.panel import PanelOLS

    c = Column("1", "1", "y ~ x + w | city + year", errors={"CRV1": "city"}, r2="within")
    d = Design(c, panel)
    f = fit(d, *arrays(c, panel, d))
    there = panel.dropna().set_index(["city", "year"])
    m = PanelOLS(there["y"], there[["x", "w"]], entity_effects=True, time_effects=True).fit(
        cov_type="clustered", cluster_entity=True, auto_df=False, count_effects=False
    )
    n, k = len(there), 2
    ours = (
        (n - 1) / (n - d.Q.shape[1] - 1 - k) * 40 / 39
    )  # small sample factor; theirs: n / (n - k), no groups
    np.testing.assert_allclose(f.b, m.params, rtol=1e-8)
    np.testing.assert_allclose(f.se / np.sqrt(ours), m.std_errors / np.sqrt(n / (n - k)), rtol=1e-8)


@pytest.mark.parametrize("constant", ["mean", "base"])
def test_constant_is_that_of_the_declared_estimate(panel, constant):
    c = Column("1", "1", "y ~ x + w | city + year", constant=constant)
    d = Design(c, panel)
    found = estimate(c, panel.set_index(["city", "year"])).set_index("term")
    assert fit(d, *arrays(c, panel, d)).constant == pytest.approx(found.loc["_cons", "estimate"], abs=1e-5)


@pytest.mark.parametrize("errors", ["iid", "HC1", {"CRV1": "city"}], ids=str)
@pytest.mark.parametrize("formula", [CASES[0], CASES[2], CASES[4]])
def test_gradients_are_those_of_finite_differences(panel, formula, errors):
    r2 = "within" if "|" in formula else "overall"
    c = Column("1", "1", formula, errors=errors, r2=r2, constant="base")
    d = Design(c, panel)
    y, X, Z = arrays(c, panel, d)
    picks = [("b", 0), ("se", X.shape[1] - 1), ("r2", 0), ("cons", 0)]
    gy, gX, gZ = pull(d, fit(d, y, X, Z), picks, True, Z is not None)
    rng, h = np.random.default_rng(2), 1e-5
    moves = [rng.normal(size=a.shape) if a is not None else None for a in (y, X, Z)]

    def at(s, which):
        new = [a if i != which or a is None else a + s * moves[i] for i, a in enumerate((y, X, Z))]
        return values(fit(d, *new), picks)

    for which, g in enumerate((gy, gX, gZ)):
        if g is not None:
            slope = (g * moves[which]).reshape(len(picks), -1).sum(1)
            np.testing.assert_allclose(slope, (at(h, which) - at(-h, which)) / (2 * h), rtol=2e-5, atol=1e-7)


def test_poisson_agrees_with_pyfixest_and_its_gradient_with_differences(panel):
    c = Column("1", "1", "count ~ x + w | city + year", estimator="poisson")
    d = Design(c, panel)
    y, X, _ = arrays(c, panel, d)
    b, g = poisson(d, y, X)
    m = pf.fepois(c.formula, panel, fixef_rm="none", iwls_tol=1e-12, fixef_tol=1e-12)
    np.testing.assert_allclose(b, m.coef(), atol=1e-8)
    move = y * np.random.default_rng(3).normal(size=len(y))
    h = 1e-5
    slope = (poisson(d, y + h * move, X)[0] - poisson(d, y - h * move, X)[0]) / (2 * h)
    np.testing.assert_allclose(g @ move, slope, rtol=1e-4)


@pytest.mark.parametrize(
    ("formula", "errors", "message"),
    [
        ("y ~ w | city | x ~ z + year", "iid", "as many instruments"),
        ("y ~ x | city", "HC3", "knows iid, HC1 and CRV1"),
        ("y ~ x | city", {"CRV1": "city + year"}, "clusters in one way"),
    ],
)
def test_what_the_estimator_refuses(panel, formula, errors, message):
    with pytest.raises(CalibrationError, match=message):
        Design(Column("1", "1", formula, errors=errors), panel)
