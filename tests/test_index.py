"""Index methods against R (tests/data/oracles), pymcdm, the paper's formulas, and bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pymcdm.methods
import pymcdm.normalizations
import pymcdm.weights
import pytest

from regionbook import index

ORACLES = Path(__file__).parent / "data" / "oracles"
INDICATORS = ["patents", "income", "broadband", "emissions", "coverage", "firms"]
R = pd.read_csv(ORACLES / "results" / "5_index.csv", dtype={"term": str})


def reference(case: str, quantity: str) -> pd.Series:
    rows = R[(R["case"] == case) & (R["quantity"] == quantity)]
    assert len(rows), (case, quantity)
    return rows.set_index("term")["value"]


def data(name: str) -> pd.DataFrame:
    return pd.read_csv(ORACLES / "data" / f"{name}.csv")


def close(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=tolerance, atol=1e-12)


@pytest.fixture
def cross() -> pd.DataFrame:
    return data("index_cross_section").set_index("unit")[INDICATORS]


@pytest.fixture
def panel() -> pd.DataFrame:
    return data("index_panel").set_index(["unit", "year"])[INDICATORS]


# entropy ------------------------------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize(
    ("case", "choice"),
    [
        ("zero", {}),
        ("shift_0.0001", {"zeros": "shift", "shift": 1e-4}),
        ("shift_0.01", {"zeros": "shift", "shift": 0.01}),
        ("shift_1", {"zeros": "shift", "shift": 1.0}),
        ("compressed_0.99_0.01", {"zeros": "compress", "shift": 0.01}),
    ],
)
def test_entropy_cross_section_equals_r(cross, case, choice):
    ours = index.entropy_index(cross, {"emissions": -1}, **choice)
    case = f"cross_entropy_{case}"
    for quantity, values in (
        ("entropy", ours.entropy),
        ("redundancy", ours.redundancy),
        ("weight", ours.weights),
    ):
        close(values, reference(case, quantity)[INDICATORS])
    close(ours.score, reference(case, "score"))


@pytest.mark.reference
def test_minmax_equals_r(cross):
    ours = index.entropy_index(cross, {"emissions": -1}).normalised
    for name in INDICATORS:
        close(ours[name], reference("cross_minmax", name))


@pytest.mark.reference
def test_entropy_pooled_panel_equals_r(panel):
    for case, choice in (("zero", {}), ("shift_0.0001", {"zeros": "shift", "shift": 1e-4})):
        ours = index.entropy_index(panel, {"emissions": -1}, **choice)
        close(ours.weights, reference(f"panel_pooled_entropy_{case}", "weight")[INDICATORS])
        close(ours.score, reference(f"panel_pooled_entropy_{case}", "score"))


@pytest.mark.reference
def test_entropy_by_year_equals_r(panel):
    ours = index.entropy_index(panel, {"emissions": -1}, normalise="year", weights="year")
    for year in ours.weights.index:
        case = f"panel_year_{year}_entropy_zero"
        close(ours.weights.loc[year], reference(case, "weight")[INDICATORS])
        close(ours.entropy.loc[year], reference(case, "entropy")[INDICATORS])
        close(ours.score.xs(year, level="year"), reference(case, "score"))


def test_key_series_is_the_same_as_the_level(panel):
    years = pd.Series(panel.index.get_level_values("year"), index=panel.index, name="y")
    a = index.entropy_index(panel, normalise="year", weights="year")
    b = index.entropy_index(panel, normalise=years, weights=years)
    pd.testing.assert_series_equal(a.score, b.score)


@pytest.mark.reference
def test_weights_equal_pymcdm(panel):
    """pymcdm takes the matrix as it is, and sets e = 0 for any column with a zero: hence the shift."""
    ours = index.entropy_index(panel, {"emissions": -1}, zeros="shift", shift=1e-3)
    theirs = pymcdm.weights.entropy_weights(ours.normalised.to_numpy())
    np.testing.assert_allclose(ours.weights, theirs, rtol=0, atol=1e-10)


def test_equations_1_to_7_of_the_factor_paper(panel):
    """王娟娟 (2025), eq. (1)-(7), term by term in plain loops; i is a province-year."""
    ours = index.entropy_index(panel, {"emissions": -1})
    m, n = panel.shape
    x = panel.to_numpy()
    z, redundancy = np.zeros((m, n)), []
    for j, name in enumerate(panel.columns):
        low, high = min(x[:, j]), max(x[:, j])
        for i in range(m):
            z[i, j] = ((high - x[i, j]) if name == "emissions" else (x[i, j] - low)) / (
                high - low
            )  # (1), (2)
        shares = [z[i, j] / sum(z[:, j]) for i in range(m)]  # (3)
        entropy = -sum(p * np.log(p) for p in shares if p > 0) / np.log(m)  # (4)
        redundancy.append(1 - entropy)  # (5)
    weights = [d / sum(redundancy) for d in redundancy]  # (6)
    close(ours.weights, weights, 1e-12)
    close(ours.score, [sum(weights[j] * z[i, j] for j in range(n)) for i in range(m)], 1e-12)  # (7)


@pytest.mark.reference
@pytest.mark.parametrize("given", [None, {k: 1.0 + j for j, k in enumerate(INDICATORS)}])
def test_topsis_equals_pymcdm(panel, given):
    """With entropy weights and with given ones; emissions count as bad."""
    ours = index.topsis_index(panel, {"emissions": -1}, weights=given)
    types = [-1 if k == "emissions" else 1 for k in panel]
    method = pymcdm.methods.TOPSIS(normalization_function=pymcdm.normalizations.minmax_normalization)
    theirs = method(panel.to_numpy(float), ours.weights.to_numpy(), np.array(types))
    close(ours.score, theirs)
    if given is None:
        close(ours.weights, index.entropy_index(panel, {"emissions": -1}).weights)
    else:
        close(ours.weights, np.arange(1, 7) / 21)
    assert ours.score.between(0, 1).all() and (100 * ours.weights).round(4).to_string(header=False) in repr(
        ours
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"patents": 1.0}, r"weights and indicators differ in \['broadband'.*one weight an indicator"),
        (dict.fromkeys(INDICATORS, 0.0), r"must be positive and finite; got \{'patents': 0.0"),
        (dict.fromkeys(INDICATORS, np.inf), "must be positive and finite"),
    ],
)
def test_topsis_refuses_weights(panel, weights, message):
    with pytest.raises(ValueError, match=message):
        index.topsis_index(panel, weights=weights)


def test_topsis_refuses_what_the_entropy_index_refuses(panel):
    with pytest.raises(ValueError, match="'firms' is constant"):
        index.topsis_index(panel.assign(firms=1.0))
    with pytest.raises(ValueError, match="missing"):
        index.topsis_index(panel.assign(firms=np.nan))


def test_dimensions_add_up(panel):
    groups = {name: "input" if name in ("firms", "broadband") else "output" for name in INDICATORS}
    ours = index.entropy_index(panel, dimensions=groups)
    assert ours.dimension_weights["input"] == pytest.approx(ours.weights[["firms", "broadband"]].sum())
    close(ours.dimension_scores.sum(axis=1), ours.score, 1e-12)
    yearly = index.entropy_index(panel, weights="year", dimensions=groups)
    close(yearly.dimension_weights.sum(axis=1), np.ones(4))
    assert list(yearly.dimension_weights.columns) == ["output", "input"]
    assert "dimension" in ours._repr_html_()
    assert "2018" in yearly._repr_html_()
    with pytest.raises(ValueError, match="no dimensions were given"):
        _ = index.entropy_index(panel).dimension_weights


def test_unit_of_measurement_does_not_matter(cross):
    scaled = cross * [1, 1e6, 1e-3, 1, 1, 7] + 5
    close(index.entropy_index(cross).score, index.entropy_index(scaled).score, 1e-7)


def broken(frame, row, column, value):
    out = frame.astype(float)
    out.loc[row, column] = value
    return out


@pytest.mark.parametrize(
    ("change", "choice", "error", "message"),
    [
        (lambda f: broken(f, 7, "income", np.nan), {}, ValueError, "1 missing value.*row 7, column 'income'"),
        (lambda f: broken(f, 9, "firms", np.inf), {}, ValueError, "infinite.*row 9, column 'firms'"),
        (lambda f: f.assign(firms=2), {}, ValueError, r"'firms' is constant \(2\)"),
        (lambda f: f.assign(firms="many"), {}, TypeError, "'firms' is not numeric.*'many'"),
        (lambda f: f.assign(firms=True), {}, TypeError, "'firms' is not numeric"),
        (lambda f: f.iloc[:1], {}, ValueError, "single row"),
        (lambda f: f.iloc[:0], {}, ValueError, "empty"),
        (lambda f: f["firms"], {}, TypeError, "DataFrame"),
        (lambda f: f[["firms", "firms"]], {}, ValueError, "more than once"),
        (lambda f: f, {"directions": {"smoke": -1}}, ValueError, "smoke"),
        (lambda f: f, {"directions": {"firms": 0}}, ValueError, "firms"),
        (lambda f: f, {"normalise": "year"}, ValueError, "no level of the index"),
        (lambda f: f, {"weights": pd.Series([1, 2])}, ValueError, "another index"),
        (lambda f: f, {"weights": "unit"}, ValueError, "single row"),
        (lambda f: f, {"zeros": "drop"}, ValueError, "'limit', 'shift', 'compress'"),
        (lambda f: f, {"zeros": "shift", "shift": 0}, ValueError, "shift"),
        (lambda f: f, {"zeros": "compress", "shift": 1}, ValueError, "shift"),
        (lambda f: f, {"dimensions": {"firms": "a"}}, ValueError, "does not place"),
        (
            lambda f: f.iloc[[0, 0, 1, 2]].reset_index(drop=True),
            {"weights": pd.Series([0, 0, 1, 1])},
            ValueError,
            "no indicator varies",
        ),
    ],
)
def test_entropy_refuses(cross, change, choice, error, message):
    with pytest.raises(error, match=message):
        index.entropy_index(change(cross), **choice)


def test_constant_within_a_year_is_named(panel):
    frame = panel.copy()
    frame.loc[frame.index.get_level_values("year") == 2019, "firms"] = 4
    with pytest.raises(ValueError, match="'firms' is constant within year 2019"):
        index.entropy_index(frame, normalise="year")


# principal components -----------------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize(
    ("case", "directions"), [("cross_pca", 1), ("cross_pca_negative_reversed", {"emissions": -1})]
)
def test_pca_equals_r(cross, case, directions):
    ours = index.pca_index(cross, directions, sign="largest")
    close(ours.eigenvalues, reference(case, "eigenvalue"))
    close(ours.explained, reference(case, "explained"))
    for name in ours.loadings:
        close(ours.vectors[name], reference(case, f"eigenvector_{name}")[INDICATORS], 1e-8)
        close(ours.loadings[name], reference(case, f"loading_{name}")[INDICATORS], 1e-8)
        close(ours.components[name], reference(case, f"score_{name}"), 1e-7)
    assert ours.kept == reference(case, "components_kept").iloc[0]
    close(ours.score, reference(case, "composite_eigenvalue_above_1"), 1e-7)


def test_pca_sign_convention_and_weights(cross):
    ours = index.pca_index(cross, components=6)
    z = (cross - cross.mean()) / cross.std()
    assert (ours.components.corrwith(z.mean(axis=1)) > 0).all()
    close(z @ ours.weights, ours.score, 1e-9)
    assert "weight" in ours._repr_html_()


def test_pca_number_of_components(cross):
    explained = index.pca_index(cross).explained.cumsum()
    assert index.pca_index(cross, components=2).kept == 2
    assert index.pca_index(cross, components=0.8).kept == int((explained < 0.8).sum()) + 1


@pytest.mark.parametrize(
    ("change", "choice", "message"),
    [
        (lambda f: f.assign(firms=1), {}, "'firms' is constant"),
        (lambda f: broken(f, 3, "income", np.nan), {}, "row 3, column 'income'"),
        (lambda f: f[["firms"]], {}, "2 indicators"),
        (lambda f: f.iloc[:2], {}, "3 rows"),
        (lambda f: f, {"components": 7}, "between 1 and"),
        (lambda f: f, {"components": 1.5}, "share"),
        (lambda f: f, {"components": "all"}, "eigenvalue>1"),
        (lambda f: f, {"sign": "first"}, "'mean', 'largest'"),
        (lambda f: f, {"directions": {"x": -1}}, "'x'"),
    ],
)
def test_pca_refuses(cross, change, choice, message):
    with pytest.raises(ValueError, match=message):
        index.pca_index(change(cross), **choice)


# location quotient --------------------------------------------------------------------------------


@pytest.mark.reference
def test_location_quotient_equals_r():
    sectors = data("sectors").set_index("unit")
    total = sectors.sum(axis=1)
    # R compares with the sector's share of all sectors in all units: the total weighting
    for name in sectors:
        close(index.location_quotient(sectors[name], total), reference("location_quotient", name))


def test_location_quotient_averages_one_each_year():
    rng = np.random.default_rng(0)
    rows = pd.MultiIndex.from_product([range(30), range(2008, 2012)], names=["city", "year"])
    whole = pd.Series(rng.lognormal(size=len(rows)), rows)
    part = whole * rng.uniform(size=len(rows))
    total = index.location_quotient(part, whole, by="year")
    weighted = (total * whole).groupby("year").sum() / whole.groupby("year").sum()
    close(weighted, np.ones(4), 1e-12)
    mean = index.location_quotient(part, whole, by="year", weight="mean")
    close(mean.groupby("year").mean(), np.ones(4), 1e-12)
    assert not np.allclose(total, mean)


@pytest.mark.parametrize(
    ("part", "whole", "choice", "message"),
    [
        ([1, 2, np.nan], [1, 2, 3], {}, "missing"),
        ([1, 2, 3], [1, 0, 3], {}, "whole must be positive; it is 0 in row 1"),
        ([1, -2, 3], [1, 2, 3], {}, "part must not be negative; it is -2 in row 1"),
        ([0, 0, 0], [1, 2, 3], {}, "zero in every row"),
        ([1, 2, 3], [1, 2, 3], {"weight": "median"}, "'total', 'mean'"),
        ([1, 2, 3], [1, 2, 3], {"by": "year"}, "no level of the index"),
        ([1, 2], [1, 2, 3], {}, "different indices"),
    ],
)
def test_location_quotient_refuses(part, whole, choice, message):
    with pytest.raises(ValueError, match=message):
        index.location_quotient(pd.Series(part), pd.Series(whole), **choice)


# coupling, Theil ----------------------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize(
    ("case", "columns", "choice"),
    [
        ("coupling_2_equal", 2, {}),
        ("coupling_2_0.6_0.4", 2, {"weights": [0.6, 0.4]}),
        ("coupling_3_equal", 3, {}),
    ],
)
def test_coupling_equals_r(case, columns, choice):
    ours = index.coupling_coordination(data("subsystems").iloc[:, 1 : columns + 1], **choice)
    close(ours["coupling"], reference(case, "coupling"))
    close(ours["coordination"], reference(case, "coordination"))


@pytest.mark.parametrize(
    ("values", "choice", "message"),
    [
        ([[0.5, 1.2]], {}, r"\[0, 1\]: row 0, column 1"),
        ([[0.5, 0.2], [0.0, 0.0]], {}, "row 1 is zero"),
        ([[0.5]], {}, "two subsystems"),
        ([[0.5, 0.2]], {"weights": [0.7, 0.7]}, "add up to 1"),
        ([[0.5, np.nan]], {}, "missing"),
    ],
)
def test_coupling_refuses(values, choice, message):
    with pytest.raises(ValueError, match=message):
        index.coupling_coordination(pd.DataFrame(values), **choice)


@pytest.mark.reference
@pytest.mark.parametrize(("case", "weighted"), [("theil_plain", False), ("theil_population", True)])
@pytest.mark.parametrize("kind", ["T", "L"])
def test_theil_equals_r(case, weighted, kind):
    frame = data("incomes").set_index("unit")
    population = frame["population"] if weighted else None
    ours = index.theil_index(frame["income"], population=population, by=frame["region"], kind=kind)
    theirs = reference(case, f"theil_{kind.lower()}")
    close([ours.total, ours.within, ours.between], theirs[["total", "within", "between"]])
    close(ours.by_group["theil"], reference(case, f"theil_{kind.lower()}_region")[ours.by_group.index])
    if kind == "T":
        close(ours.by_group["contribution"], reference(case, "theil_t_contribution")[ours.by_group.index])
    assert "within" in ours._repr_html_()


def test_theil_without_groups():
    assert index.theil_index(pd.Series([2.0, 2, 2])).total == 0
    assert index.theil_index(pd.Series([1.0, 2, 3])).between == pytest.approx(0)


@pytest.mark.parametrize(
    ("x", "choice", "message"),
    [
        ([1, 0, 2], {}, "x must be positive; it is 0 in row 1"),
        ([1, np.nan], {}, "missing"),
        ([1, 2], {"kind": "G"}, "'T', 'L'"),
        ([1, 2], {"population": pd.Series([1, -1])}, "population must be positive"),
        ([1, 2], {"population": pd.Series([1])}, "different indices"),
        ([1, 2], {"by": pd.Series(["a", None])}, "missing in row 1"),
    ],
)
def test_theil_refuses(x, choice, message):
    with pytest.raises(ValueError, match=message):
        index.theil_index(pd.Series(x), **choice)


# --- TOPSIS ------------------------------------------------------------------------------------------


def test_topsis_by_hand():
    """Distances to the best and to the worst case, by pencil: scaled values 1/9 and 1/4, 1/3 and 3/4."""
    from regionbook.index import topsis_index

    raw = pd.DataFrame({"patents": [0, 1, 3, 9], "smoke": [5.0, 4, 2, 1]}, index=list("ABCD"))
    score = topsis_index(raw, {"smoke": -1}, weights={"patents": 1, "smoke": 1}).score
    for case, a, b in (("B", 1 / 9, 1 / 4), ("C", 1 / 3, 3 / 4)):
        worst, best = np.hypot(a, b), np.hypot(1 - a, 1 - b)
        assert score[case] == pytest.approx(worst / (worst + best))
    assert score["A"] == 0 and score["D"] == 1
