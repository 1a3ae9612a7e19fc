"""Conley errors against another program's printed values, plain loops, their limits, and simulation."""

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
import statsmodels.formula.api as smf

from regionbook import geo, models
from regionbook.geo.places import haversine
from regionbook.models.conley import _meat

RNG = np.random.default_rng(20260)
RADIUS = geo.EARTH_RADIUS_KM / 6371.0  # the printed values take 6371 km


class Twister:
    """The 64-bit Mersenne Twister of C++ (std::mt19937_64), as the printed values were made with it."""

    def __init__(self, seed: int) -> None:
        self.state, self.at = [seed], 312
        for i in range(1, 312):
            last = self.state[-1]
            self.state.append((6364136223846793005 * (last ^ (last >> 62)) + i) % 2**64)

    def bits(self) -> int:
        s = self.state
        if self.at == 312:
            for k in range(312):
                y = (s[k] & 0xFFFFFFFF80000000) | (s[(k + 1) % 312] & 0x7FFFFFFF)
                s[k] = s[(k + 156) % 312] ^ (y >> 1) ^ (0xB5026F5AA96619E9 if y & 1 else 0)
            self.at = 0
        x = s[self.at]
        self.at += 1
        x ^= (x >> 29) & 0x5555555555555555
        x ^= (x << 17) & 0x71D67FFFEDA60000
        x ^= (x << 37) & 0xFFF7EEE000000000
        return (x ^ (x >> 43)) % 2**64

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * (self.bits() >> 11) / 2**53

    def scores(self, n: int) -> np.ndarray:
        return np.array([[self.between(-1, 1) * 1.7320508075688772 for _ in range(3)] for _ in range(n)])


# fastconley 0.11.1 (R. Bluhm; MIT), file stata/plugin/golden.txt: lower triangles of its spatial and serial sums
PRINTED = {
    "cross bartlett": [182.07821544674135, 53.481570050068498, 213.90712799651843]
    + [-36.386386489616442, 3.9013703407810563, 206.6466758739802],
    "cross uniform": [123.5020521856032, 58.171062864201687, 256.86569645414716]
    + [-75.363916288384061, -32.30556629915543, 225.54820080759299],
    "panel bartlett": [189.87964323313591, -2.1516694844596032, 202.46624845333477]
    + [17.989601302790305, -2.1906092668896608, 198.87492902590805],
    "panel uniform": [207.42123881839552, -6.2841821146401742, 207.85595425555724]
    + [13.178526087064256, -1.8134273264190968, 206.82574001761492],
    "serial lag 2": [-20.105223532350792, 11.065993501917657, -6.8351946329146358]
    + [-1.5900462410108709, -16.922484322196517, 12.569826950639275],
}


def test_the_generator_is_that_of_the_standard():
    """ISO C++, [rand.predef]: the 10,000th number of a default-constructed mt19937_64."""
    g = Twister(5489)
    assert [g.bits() for _ in range(10_000)][-1] == 9981545732273789042


@pytest.mark.reference
@pytest.mark.parametrize("kernel", ["bartlett", "uniform"])
def test_printed_cross_section(kernel):
    g, points, scores = Twister(101), [], []
    for _ in range(200):
        lat = g.between(25, 49)
        points.append((g.between(-124, -67), lat))
        scores.append(g.scores(1)[0])
    ours = _meat(np.array(scores), np.array(points), 500 * RADIUS, kernel=kernel)
    np.testing.assert_allclose(ours[np.tril_indices(3)], PRINTED[f"cross {kernel}"], rtol=1e-10)


@pytest.mark.reference
@pytest.mark.parametrize("kernel", ["bartlett", "uniform"])
def test_printed_panel(kernel):
    g = Twister(202)
    points = np.array([(g.between(-60, 60), g.between(-175, 175)) for _ in range(100)])[:, ::-1]
    ours = _meat(
        g.scores(200), np.tile(points, (2, 1)), 700 * RADIUS, time=np.repeat([1, 2], 100), kernel=kernel
    )
    np.testing.assert_allclose(ours[np.tril_indices(3)], PRINTED[f"panel {kernel}"], rtol=1e-10)


@pytest.mark.reference
def test_printed_serial_part():
    scores, unit, time = Twister(303).scores(200), np.repeat(range(40), 5), np.tile(range(5), 40)
    where = np.stack([100 + unit / 10, np.full(200, 30.0)], axis=1)
    both, space = (_meat(scores, where, 0, time=time, unit=unit, lags=lags) for lags in (2, 0))
    np.testing.assert_allclose((both - space)[np.tril_indices(3)], PRINTED["serial lag 2"], rtol=1e-9)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    n, years = 40, 6
    frame = pd.DataFrame(
        {
            "unit": np.repeat(range(n), years),
            "year": np.tile(range(2010, 2010 + years), n),
            "lon": np.repeat(RNG.uniform(100, 122, n), years),
            "lat": np.repeat(RNG.uniform(22, 42, n), years),
            "x": RNG.normal(size=n * years),
            "w": RNG.normal(size=n * years),
        }
    )
    frame["y"] = frame["x"] - frame["w"] + np.sin(frame["lon"]) + RNG.normal(size=len(frame))
    return frame


@pytest.mark.parametrize("gaps", [False, True], ids=["balanced", "gaps"])
@pytest.mark.parametrize(
    ("kernel", "serial_kernel", "lags"), [("bartlett", "uniform", 2), ("uniform", "bartlett", 3)]
)
def test_plain_loops(panel, kernel, serial_kernel, lags, gaps):
    data = panel.sample(150, random_state=1) if gaps else panel
    ours = models.conley(
        data,
        "y ~ x + w | unit + year",
        600,
        time="year",
        unit="unit",
        lags=lags,
        kernel=kernel,
        serial_kernel=serial_kernel,
    )
    dummies = pd.get_dummies(data[["unit", "year"]].astype(str), drop_first=True, dtype=float).assign(one=1.0)
    d = dummies.to_numpy()
    swept = data[["x", "w", "y"]].to_numpy() - d @ np.linalg.lstsq(d, data[["x", "w", "y"]], rcond=None)[0]
    x, y = swept[:, :2], swept[:, 2]
    b = np.linalg.solve(x.T @ x, x.T @ y)
    s = x * (y - x @ b)[:, None]
    k = {"bartlett": lambda z: max(1 - z, 0), "uniform": lambda z: float(z <= 1)}
    places = data[["lon", "lat"]].to_numpy()
    meat = np.zeros((2, 2))
    for i, (unit, year) in enumerate(zip(data["unit"], data["year"], strict=True)):
        for j, (other, then) in enumerate(zip(data["unit"], data["year"], strict=True)):
            weight = 0.0
            if year == then:
                km = haversine(*places[i], *places[j])
                weight = k[kernel](km / 600)
            elif unit == other and abs(year - then) <= lags:
                weight = k[serial_kernel](abs(year - then) / (lags + 1))
            meat += weight * np.outer(s[i], s[j])
    bread = np.linalg.inv(x.T @ x)
    counted = 2 + data["year"].nunique()
    expected = bread @ meat @ bread * len(data) / (len(data) - counted)
    assert ours.parameters == counted
    np.testing.assert_allclose(ours.cov, expected, rtol=1e-9)
    np.testing.assert_allclose(ours.table["estimate"], b, rtol=1e-9)


def test_no_neighbours_is_hc1(panel):
    ours = models.conley(panel, "y ~ x + w", 0, time="year").table["se"]
    hc1 = smf.ols("y ~ x + w", panel).fit(cov_type="HC1").bse
    np.testing.assert_allclose(ours, hc1[["x", "w"]], rtol=1e-10)


def test_limits_are_clustered_errors(panel):
    """All lags with equal weights, or places without dates: clustering by unit, up to G/(G-1)·(n-1)/n."""
    by_unit = pf.feols("y ~ x + w | unit + year", panel, vcov={"CRV1": "unit"}).se()
    n, g = len(panel), panel["unit"].nunique()
    target = by_unit / np.sqrt(g / (g - 1) * (n - 1) / n)
    formula = "y ~ x + w | unit + year"
    serial = models.conley(
        panel, formula, 0, time="year", unit="unit", lags=5, serial_kernel="uniform"
    ).table["se"]
    np.testing.assert_allclose(serial, target[["x", "w"]], rtol=1e-8)
    places = models.conley(panel, formula, 0).table["se"]
    np.testing.assert_allclose(places, target[["x", "w"]], rtol=1e-8)


def test_far_away_islands_are_clusters(panel):
    """Three islands, uniform kernel wider than an island: clustering by island."""
    island = panel["unit"] % 3
    data = panel.assign(island=island, lon=60.0 * island + panel["lon"] / 100, lat=panel["lat"] / 100)
    ours = models.conley(data, "y ~ x + w", 500, kernel="uniform").table["se"]
    clustered = smf.ols("y ~ x + w", data).fit(
        cov_type="cluster", cov_kwds={"groups": island, "use_correction": False}
    )
    factor = np.sqrt(len(data) / (len(data) - 3))
    np.testing.assert_allclose(ours, factor * clustered.bse[["x", "w"]], rtol=1e-9)


def test_everybody_a_neighbour(panel):
    """With equal weights to infinity the scores cancel: a cut-off can be too large."""
    everybody = models.conley(panel, "y ~ x + w", np.inf, kernel="uniform")
    assert everybody.neighbours == panel["unit"].nunique() - 1
    assert np.abs(everybody.cov.to_numpy()).max() < 1e-15


def test_across_the_date_line():
    points = np.array([[179.9, 0.0], [-179.9, 0.0], [0.0, 89.95], [180.0, 89.95]])
    one = np.ones((4, 1))
    pairs = _meat(one, points, 30, kernel="uniform")[0, 0]
    assert pairs == 4 + 2 * 2
    assert _meat(one, points, 10, kernel="uniform")[0, 0] == 4


def test_order_of_rows_does_not_matter(panel):
    how = {"time": "year", "unit": "unit", "lags": 2}
    first = models.conley(panel, "y ~ x + w | unit", 400, **how)
    again = models.conley(panel.sample(frac=1, random_state=2), "y ~ x + w | unit", 400, **how)
    np.testing.assert_allclose(again.cov, first.cov, rtol=1e-9)
    assert "neighbours on average" in first._repr_html_()


def test_index_levels_serve(panel):
    indexed = panel.set_index(["unit", "year"])
    ours = models.conley(indexed, "y ~ x | unit + year", 400, time="year", unit="unit", lags=1)
    flat = models.conley(panel, "y ~ x | unit + year", 400, time="year", unit="unit", lags=1)
    pd.testing.assert_frame_equal(ours.table, flat.table)


def test_coverage_under_spatial_correlation():
    """Regressor and error are smooth over space: HC1 covers far too rarely, Conley nearly as it should."""
    rng = np.random.default_rng(7)
    n, draws = 400, 300
    points = np.stack([rng.uniform(95, 125, n), rng.uniform(22, 45, n)], axis=1)
    km = haversine(points[:, 0][:, None], points[:, 1][:, None], points[:, 0], points[:, 1])
    root = np.linalg.cholesky(np.exp(-km / 150) + 1e-9 * np.eye(n))
    inside = {0: 0, 450: 0}
    for _ in range(draws):
        x, e = (root @ rng.normal(size=(n, 2))).T
        x = np.stack([np.ones(n), x], axis=1)
        b, bread = np.linalg.lstsq(x, e, rcond=None)[0], np.linalg.inv(x.T @ x)
        for cutoff in inside:
            v = bread @ _meat(x * (e - x @ b)[:, None], points, cutoff) @ bread
            inside[cutoff] += abs(b[1]) < 1.96 * np.sqrt(v[1, 1])
    assert inside[0] / draws < 0.85
    assert inside[450] / draws > 0.88
    assert inside[450] > inside[0] + 0.08 * draws


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"cutoff": -1}, ValueError, "must be a distance"),
        ({"cutoff": np.nan}, ValueError, "must be a distance"),
        ({"kernel": "epanechnikov"}, ValueError, "is not one of"),
        ({"coordinates": "lon"}, TypeError, "two column names"),
        ({"coordinates": ("lon", "latitude")}, ValueError, "latitude"),
        ({"coordinates": ("x", "year")}, ValueError, "longitude first"),
        ({"lags": 2}, ValueError, "needs time"),
        ({"lags": 1.5, "time": "year", "unit": "unit"}, ValueError, "whole number"),
        ({"lags": 1, "time": "w", "unit": "unit"}, ValueError, "whole numbers"),
        ({"lags": 1, "time": "same", "unit": "unit"}, ValueError, "two rows"),
        ({"time": "month"}, ValueError, "month"),
        ({"formula": "y ~ x + twice | unit"}, ValueError, "collinear"),
    ],
)
def test_refusals(panel, change, error, words):
    data = panel.assign(same=2020, twice=2 * panel["x"])
    given = {"formula": "y ~ x | unit", "cutoff": 300, **change}
    with pytest.raises(error, match=words):
        models.conley(data, **given)


def test_missing_coordinates_are_named(panel):
    with pytest.raises(ValueError, match="missing value"):
        models.conley(panel.assign(lon=panel["lon"].where(panel["unit"] > 0)), "y ~ x", 300)
