"""What ``workbook.py bench`` measures: speed against peers, ratios of times taken in one run on one machine.

A benchmark is a function marked with :func:`benchmark` that returns the seconds of ours and of the peer. A ratio
above one says how many times faster ours is.
"""

from __future__ import annotations

import ctypes
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from libpysal.weights import W

Pair = tuple[float, float | None]


@dataclass(frozen=True)
class Result:
    """Seconds of ours and of the peer (None where a budget takes its place), their ratio, and what was compared."""

    name: str
    ours: float
    peer: float | None
    note: str
    budget: float | None

    @property
    def ratio(self) -> float | None:
        """How many times faster ours is."""
        return None if self.peer is None else self.peer / self.ours


_benchmarks: dict[str, tuple[Callable[[], Pair], str, float | None]] = {}
_full = False  # set by ``bench --full``: peers in full length, the largest sizes


def benchmark(
    name: str, note: str, budget: float | None = None
) -> Callable[[Callable[[], Pair]], Callable[[], Pair]]:
    """Register the function below; ``note`` says what is compared, ``budget`` how many seconds ours may take."""

    def register(function: Callable[[], Pair]) -> Callable[[], Pair]:
        _benchmarks[name] = (function, note, budget)
        return function

    return register


def best(function: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def measure() -> list[Result]:
    """Run all benchmarks."""
    results = []
    for name, (function, note, budget) in _benchmarks.items():
        print(f"  measuring {name} ...", file=sys.stderr, flush=True)
        ours, peer = function()
        results.append(Result(name, ours, peer, note, budget))
    return results


def main(full: bool = False) -> int:
    """Print the table; return how many budgets are exceeded. ``full`` measures what else is scaled or left out."""
    global _full
    _full = full
    results = measure()
    print(f"{'benchmark':24}{'ours':>10}{'peer':>10}{'ratio':>8}{'budget':>9}  what")
    over = 0
    for r in results:
        peer = "" if r.peer is None else f"{r.peer:.3f} s"
        ratio = "" if r.ratio is None else f"{r.ratio:.1f}"
        budget = "" if r.budget is None else f"{r.budget:g} s"
        late = r.budget is not None and r.ours > r.budget
        over += late
        print(
            f"{r.name:24}{r.ours:>8.3f} s{peer:>10}{ratio:>8}{budget:>9}  {r.note}{'  OVER BUDGET' if late else ''}"
        )
    return over


def _python(code: str) -> float:
    return best(lambda: subprocess.run([sys.executable, "-c", code], check=True))


@benchmark("import", "`import regionbook` beyond an empty Python; peer: `import pandas`", budget=0.3)
def importing() -> Pair:
    """Start-up of the library against that of pandas."""
    empty = _python("pass")
    return max(_python("import regionbook") - empty, 1e-3), _python("import pandas") - empty


@benchmark(
    "entropy index", "25 indicators x 2,744 city-years; peer: pymcdm.weights.entropy_weights (weights only)"
)
def entropy() -> Pair:
    """Scores, weights and normalised indicators against pymcdm's weights."""
    import numpy as np
    import pandas as pd
    from pymcdm.weights import entropy_weights

    from regionbook.index import entropy_index

    raw = pd.DataFrame(np.random.default_rng(1).gamma(2, 1, (2744, 25))).add_prefix("x")
    return best(lambda: entropy_index(raw)), best(lambda: entropy_weights(raw.to_numpy()))


def _spatial_panel(n: int) -> tuple[pd.DataFrame, W]:
    """Panel (10 periods, y and x1 to x3) on a Delaunay triangulation of random points, and its row-standardised W."""
    import numpy as np
    import pandas as pd
    from libpysal.weights import W
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import spsolve
    from scipy.spatial import Delaunay

    rng = np.random.default_rng(n)
    start, ends = Delaunay(rng.random((n, 2))).vertex_neighbor_vertices
    neighbours = {i: ends[start[i] : start[i + 1]].tolist() for i in range(n)}
    w = W(neighbours, id_order=list(range(n)), silence_warnings=True)
    w.transform = "r"
    x, noise = rng.normal(size=(3, 10, n)), rng.normal(size=(10, n))
    mean = np.tensordot([1, -0.5, 0.3], x, 1) + 0.5 * x[0] @ w.sparse.T + rng.normal(size=n) + noise
    y = spsolve((eye_array(n) - 0.4 * w.sparse).tocsc(), mean.T).T
    index = pd.MultiIndex.from_product([range(10), range(n)], names=["year", "unit"]).swaplevel()
    columns = {"y": y.ravel()} | {f"x{k + 1}": x[k].ravel() for k in range(3)}
    return pd.DataFrame(columns, index), w


def _both(n: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Fit with standard errors and effects on n units; the peer gets its regressors ready-made."""
    import numpy as np
    from spreg import Panel_FE_Lag

    from regionbook.models import spatial_durbin

    panel, w = _spatial_panel(n)
    x = panel[["x1", "x2", "x3"]].to_numpy()
    wx = np.concatenate([w.sparse @ part for part in np.split(x, 10)])
    y, both = panel[["y"]].to_numpy(), np.hstack([x, wx])

    def ours() -> object:
        return spatial_durbin(panel, "y ~ x1 + x2 + x3", w, effects="unit", correction="direct").impacts()

    return ours, lambda: Panel_FE_Lag(y, both, w)


@benchmark(
    "spatial Durbin",
    "SDM and its effects, 280 units x 10 years; peer: spreg.Panel_FE_Lag with WX added by hand, no effects",
)
def spatial() -> Pair:
    """Ours beside the peer at the size of a panel of cities."""
    ours, peer = _both(280)
    return best(ours), best(peer)


def _memory_of(function: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one call, and by how many MB it raised the process at most."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)  # give back what is free, and let the peak start anew
        Path("/proc/self/clear_refs").write_text("5")
    before, start = _memory("VmRSS"), time.perf_counter()
    function()
    return time.perf_counter() - start, _memory("VmHWM") - before


def _memory(name: str) -> float:
    """MB of this process now ("VmRSS") or at its peak ("VmHWM"); NaN where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if name in line) / 1024


@benchmark(
    "spatial Durbin, large",
    "SDM and its effects, 3,000 units x 10 years; its growth is printed above; peer (--full): spreg.Panel_FE_Lag",
    budget=30,
)
def spatial_growth() -> Pair:
    """Seconds and memory by number of units; the peer takes a quarter of a minute at the largest."""
    seconds = 0.0
    for n in (280, 1000, 3000):
        ours, peer = _both(n)
        seconds, more = _memory_of(ours)
        print(f"    {n:>5,} units: {seconds:.3f} s, {more:.0f} MB more", file=sys.stderr, flush=True)
    return seconds, best(peer, 1) if _full else None


def _city_panel() -> tuple[pd.DataFrame, str]:
    """196 units x 14 years in 19 clusters with a treatment and seven controls, and a formula."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    rows = pd.MultiIndex.from_product([range(196), range(2008, 2022)], names=["city", "year"])
    frame = pd.DataFrame(rng.normal(size=(len(rows), 7)), rows).add_prefix("x")
    city = rows.get_level_values("city").to_numpy()
    frame["digit"] = rng.lognormal(size=len(rows))
    frame["cluster"], frame["group"] = city % 19, (city % 19 < 9).astype(int)
    frame["inn"] = 0.1 * frame["digit"] + rng.normal(size=196)[city] + rng.normal(size=len(rows))
    return frame.reset_index(), "inn ~ digit + x0 + x1 + x2 + x3 + x4 + x5 + x6 | city + year"


@benchmark("wild bootstrap", "9,999 draws, 19 clusters; peer: pyfixest.feols on each draw (3 timed, scaled)")
def wild() -> Pair:
    """All draws at once against a regression for each."""
    import numpy as np
    import pyfixest as pf

    from regionbook.models import wild_bootstrap

    frame, formula = _city_panel()
    ours = best(lambda: wild_bootstrap(frame, formula, "digit", "cluster", draws=9999, seed=1))
    restricted = pf.feols(formula.replace("digit + ", ""), frame)
    fitted, residual = restricted.predict(), restricted.resid()
    signs = np.random.default_rng(1).choice([-1.0, 1.0], (3, 19))[:, frame["cluster"]]

    def loop() -> None:
        for v in signs:
            pf.feols(formula, frame.assign(inn=fitted + v * residual), vcov={"CRV1": "cluster"}).tstat()

    return ours, best(loop, 1) * 9999 / len(signs)


@benchmark(
    "permutation test", "999 deals of labels to cities; peer: two pyfixest.feols a deal (3 timed, scaled)"
)
def permutation() -> Pair:
    """All deals at once against two regressions for each."""
    import numpy as np
    import pyfixest as pf

    from regionbook.models import permutation_test

    frame, formula = _city_panel()
    ours = best(lambda: permutation_test(frame, formula, "digit", "group", unit="city", draws=999, seed=1))
    label = np.arange(196) % 19 < 9
    deals = np.random.default_rng(1).permuted(np.tile(label, (3, 1)), axis=1)[:, frame["city"]]

    def loop() -> None:
        for member in deals:
            for side in (member, ~member):
                pf.feols(formula, frame[side]).coef()

    return ours, best(loop, 1) * 999 / len(deals)


def _reform(units: int, years: range, starts: dict[int, int], rows: int) -> pd.DataFrame:
    """Units x years of which only `rows` are there, with four controls and cohorts of the sizes in `starts`."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    grid = pd.MultiIndex.from_product([range(units), years], names=["city", "year"])
    frame = pd.DataFrame(rng.normal(size=(len(grid), 5)), grid, ["y", "x0", "x1", "x2", "x3"]).reset_index()
    dates = np.repeat([*starts, 0], [*starts.values(), units - sum(starts.values())])
    frame["start"] = dates[frame["city"]]
    frame["reform"] = ((frame["start"] > 0) & (frame["year"] >= frame["start"])).astype(int)
    return frame.sample(rows, random_state=0).sort_index()


@benchmark(
    "500 placebos",
    "5,479 cells of 290 cities, b and two t; peer: linearmodels.PanelOLS on each (5 timed, scaled)",
    budget=10,
)
def placebos() -> Pair:
    """All deals of dates in one matrix product against a regression for each; the numbers have to be equal."""
    import numpy as np
    from linearmodels import PanelOLS

    from regionbook.models import randomisation_test

    frame = _reform(290, range(2003, 2024), {2014: 68, 2015: 34}, 5479)
    formula = "y ~ reform + x0 + x1 + x2 + x3 | city + year"

    def ours(draws: int = 500) -> pd.DataFrame:
        return randomisation_test(
            frame, formula, "reform", "start", "city", "year", draws=draws, seed=1
        ).draws

    first = frame.groupby("city", sort=False)["start"].first()
    deals = np.random.default_rng(1).permuted(np.tile(first, (5, 1)), axis=1)
    panel, found = frame.set_index(["city", "year"]), []

    def loop() -> None:
        for deal in deals:
            start = frame["city"].map(dict(zip(first.index, deal, strict=True))).to_numpy()
            x = panel[["x0", "x1", "x2", "x3"]].assign(
                reform=(start > 0) & (frame["year"].to_numpy() >= start)
            )
            fit = PanelOLS(panel["y"], x.astype(float), entity_effects=True, time_effects=True).fit(
                cov_type="robust"
            )
            found.append(fit.params["reform"])

    peer = best(loop, 1) * 500 / len(deals)
    apart = np.abs(ours(5)["coefficient"].to_numpy() - found).max()
    if apart > 1e-8:
        raise RuntimeError(f"ours and the peer's coefficients differ by {apart:.1e}")
    return best(ours), peer


@benchmark("51,480 assignments", "every deal of three dates to 6 of 13 cities x 10 years", budget=10)
def assignments() -> Pair:
    """All that could have been, enumerated; memory is printed above."""
    from regionbook.models import randomisation_test

    frame = _reform(13, range(2013, 2023), {2015: 1, 2019: 4, 2020: 1}, 130)
    call = partial(
        randomisation_test, frame, "y ~ reform + x0 | city + year", "reform", "start", "city", "year",
        assignments="all",
    )  # fmt: skip
    _, more = _memory_of(call)
    print(f"    {more:.0f} MB more", file=sys.stderr, flush=True)
    return best(call), None


@benchmark(
    "threshold bootstrap",
    "271 x 12, five controls, two thresholds, every value searched, 300 draws; peer: pyxthreg, if it is installed, compiled",
    budget=2.0,
)
def thresholds() -> Pair:
    """Both find the same thresholds; the peer draws multipliers of single rows where ours draws whole units."""
    import contextlib
    import io

    import numpy as np
    import pandas as pd

    from regionbook.models import threshold

    rng, n, periods = np.random.default_rng(0), 271, 12
    frame = pd.DataFrame(rng.normal(size=(n * periods, 8)), columns=["y", "r", "q", *"abcde"])
    frame["id"], frame["t"] = np.divmod(np.arange(len(frame)), periods)
    frame["y"] += frame["r"] * (1 + 0.3 * (frame["q"] > 0) + 0.3 * (frame["q"] > 1))
    formula = "y ~ r + a + b + c + d + e | id"
    call = partial(threshold, frame, formula, "r", "q", "id", "t", thresholds=2, draws=300, seed=0)
    try:
        from pyxthreg import ThresholdPanel
    except ImportError:
        return best(call), None

    def peer() -> Any:
        model = ThresholdPanel(frame, "y", ["r"], "q", [*"abcde"], "id", "t")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return model.fit(thnum=2, trim=0.01, grid=0, bs=300, nobslog=True, n_jobs=1).results["thresholds"]

    if not np.allclose(sorted(peer()), call().thresholds["value"]):
        raise RuntimeError("ours and the peer's thresholds differ")
    return best(call), best(peer, 1)


@benchmark(
    "frontier",
    "slacks-based scores, 3,264 units, 10 measures, pooled VRS; peer: one scipy linprog a unit, full reference (20, scaled)",
    budget=10,
)
def frontier() -> Pair:
    """Three inputs, a good and six bad outputs; the peer gets its matrices ready-made up to the unit's own values."""
    import numpy as np
    import pandas as pd
    from scipy.optimize import linprog

    from regionbook.models import sbm

    n, K, g = 3264, 10, np.repeat([1.0, -1.0, 1.0], [3, 1, 6])
    rng = np.random.default_rng(0)
    size, loading = rng.normal(size=(n, 1)), np.repeat([[0.8, 0.0, 1.0, 0.7, 0.0]], [1, 2, 1, 3, 3], axis=1)
    skill = rng.normal(size=(n, 1)) * np.where(g > 0, -0.3, 0.3)
    Z = np.exp(loading * size + skill + 0.3 * rng.normal(size=(n, K)))
    names = [f"z{k}" for k in range(K)]
    data = pd.DataFrame(Z, columns=names)
    A = np.zeros((K + 2, n + K + 1))
    A[:K, :n], A[:K, n : n + K], A[K + 1, :n] = Z.T, np.diag(g), 1
    cost = np.r_[np.zeros(n), -np.ones(3) / 3, np.zeros(7), 1]
    some = rng.choice(n, 20, replace=False)

    def peer() -> np.ndarray:
        found = []
        for z in Z[some]:
            B = A.copy()
            B[:K, :n] /= z[:, None]
            B[:K, -1], B[K, n + 3 :], B[K + 1, -1] = -1, [1 / 7] * 7 + [1], -1
            found.append(linprog(cost, A_eq=B, b_eq=np.eye(K + 2)[K], method="highs").fun)
        return np.array(found)

    scores = sbm(data, names[:3], names[3:4], names[4:], returns="vrs").score
    assert np.allclose(scores[some], peer(), atol=1e-8)
    ours = best(lambda: sbm(data, names[:3], names[3:4], names[4:], returns="vrs"), 1)
    return ours, best(peer, 1) * n / len(some)


@benchmark("pair panel", "829,540 pairs x years from the shipped tables; memory is printed above", budget=2.0)
def pairs() -> Pair:
    """Generation of the panel of pairs, and its memory."""
    from regionbook.data import pair_panel

    _, more = _memory_of(pair_panel)
    print(f"    {more:.0f} MB more (budget 1,000)", file=sys.stderr, flush=True)
    return best(pair_panel), None


@lru_cache(1)
def _models() -> tuple[str, dict[tuple[str, str], Any]]:
    """The paper whose panel is one of pairs, and its declared columns."""
    from regionbook import registry

    slug = next(slug for slug in registry.papers() if registry.handed_in(slug, "PANEL"))
    return slug, registry.handed_in(slug, "MODELS")


@lru_cache(1)
def _pairs() -> tuple[pd.DataFrame, dict[tuple[str, str], str]]:
    """The paper's sample and the formulas of its columns."""
    from regionbook.papers import prepare

    slug, models = _models()
    panel = prepare(slug)
    return panel[~panel["extreme"]], {key: model.formula for key, model in models.items()}


_SOME = (("1", "2"), ("2", "1"), ("5", "1"))


def _against(peer: Callable[[tuple[str, str]], tuple[pd.Series, pd.Series]]) -> Pair:
    """Seconds of all columns in one call and of a peer's loop; the numbers have to be equal to 1e-8."""
    from regionbook.models import dyadic_panel

    panel, formulas = _pairs()
    fits = dyadic_panel(panel, formulas, units=("a", "b"))
    ours = best(lambda: dyadic_panel(panel, formulas, units=("a", "b")))
    keys = list(formulas) if _full else list(_SOME)
    peer(keys[0])  # what is compiled or imported at the first call does not count
    start = time.perf_counter()
    found = {key: peer(key) for key in keys}
    seconds = (time.perf_counter() - start) * len(formulas) / len(keys)
    apart = 0.0
    for key, (params, errors) in found.items():
        fit = fits[key]
        apart = max(apart, abs(params[fit.params.index] - fit.params).max())
        apart = max(apart, abs(errors[fit.params.index] - fit.se("pair")).max())
    scaled = "" if _full else f", {len(keys)} of {len(formulas)} columns timed and scaled (--full: all)"
    print(f"    coefficients and errors differ by at most {apart:.0e}{scaled}", file=sys.stderr, flush=True)
    if apart > 1e-8:
        raise RuntimeError(f"ours and the peer's numbers differ by {apart:.1e}")
    return ours, seconds


@benchmark(
    "22 columns", "panel of pairs, all tables in one call; peer: a loop of linearmodels.PanelOLS", budget=4.0
)
def columns_linearmodels() -> Pair:
    """Its covariance counts no effects if asked to; ours counts the 19 of the years."""
    import numpy as np
    import pandas as pd
    from linearmodels import PanelOLS

    panel, models = _pairs()[0], _models()[1]

    def peer(key: tuple[str, str]) -> tuple[pd.Series, pd.Series]:
        model = models[key]
        rows = panel[list(model.variables)].dropna().astype(float)
        terms = {term: [rows[name] for name in term.split(":")] for term in model.regressors}
        x = pd.DataFrame(
            {term: parts[0] * parts[-1] if len(parts) > 1 else parts[0] for term, parts in terms.items()}
        )
        both = "pair" in model.effects
        fit = PanelOLS(rows[model.outcome], x, entity_effects=both, time_effects=True).fit(
            cov_type="clustered", cluster_entity=True, auto_df=False, count_effects=False, group_debias=True
        )
        free = len(rows) - x.shape[1]
        return fit.params, fit.std_errors * np.sqrt(free / (free - 19))

    return _against(peer)


@benchmark("22 columns, feols", "the same; peer: single calls of pyfixest.feols (lean)")
def columns_pyfixest() -> Pair:
    """With the settings that make it fastest."""
    import pyfixest as pf

    panel, formulas = _pairs()
    names = {name for text in formulas.values() for name in re.findall(r"\w+", text)}
    flat = panel.reset_index()[sorted(names)]
    flat = flat.astype({name: float for name in flat if name not in ("pair", "year")})

    def peer(key: tuple[str, str]) -> tuple[pd.Series, pd.Series]:
        fit = pf.feols(
            formulas[key], flat, vcov={"CRV1": "pair"}, lean=True, store_data=False, copy_data=False
        )
        return fit.coef(), fit.se()

    return _against(peer)


@benchmark("22 columns, growth", "all 296 cities; 100 and 200 are printed above")
def columns_growth() -> Pair:
    """Seconds and memory by number of cities."""
    from regionbook.models import dyadic_panel

    panel, formulas = _pairs()
    a, b = panel["a"].cat.codes.to_numpy(), panel["b"].cat.codes.to_numpy()
    seconds = 0.0
    for n in (100, 200, 296):
        part = panel[(a < n) & (b < n)]
        seconds, more = _memory_of(partial(dyadic_panel, part, formulas, units=("a", "b")))
        print(
            f"    {n} cities, {len(part):,} rows: {seconds:.3f} s, {more:.0f} MB more",
            file=sys.stderr,
            flush=True,
        )
    return seconds, None


@benchmark("out of core", "exact two-way within, pair and dyadic errors in DuckDB through Ibis", budget=120)
def out_of_core() -> Pair:
    """Pairs of 700 units x 19 years; with --full of 2,800, 70 million rows."""

    import ibis

    from regionbook.models import dyadic_out_of_core

    units = 2800 if _full else 700
    with tempfile.TemporaryDirectory() as folder:
        con = ibis.duckdb.connect(
            Path(folder) / "pairs.duckdb",
            memory_limit="2GB",
            temp_directory=folder,
            preserve_insertion_order=False,
        )
        start = time.perf_counter()
        con.raw_sql(f"""
            create table pairs as
            with u as (
                select (a.range * {units} + b.range)::int as pair, a.range::smallint as a, b.range::smallint as b,
                       t.range as t,
                       hash(a.range, b.range, t.range, 1) % 1000003 / 1000003 - 0.5 as u1,
                       hash(a.range, b.range, t.range, 2) % 1000003 / 1000003 - 0.5 as u2,
                       hash(a.range, b.range, t.range, 3) % 1000003 / 1000003 - 0.5 as u3,
                       hash(a.range, b.range, 4) % 1000003 / 1000003 - 0.5 as f
                from range({units}) a, range({units}) b, range(19) t
                where a.range < b.range and hash(a.range, b.range, t.range, 5) % 1000 >= 50)
            select pair, a, b, (2001 + t)::smallint as year, (u1 + f + 0.03 * t)::float as x1,
                   (u2 - f / 2 + 0.02 * t * f)::float as x2,
                   (0.0222 * x1 - 0.01 * x2 + 2 * f + 0.05 * t + 0.3 * u3)::float as y
            from u""")
        made = time.perf_counter() - start
        table = con.table("pairs")
        fits = []
        seconds, more = _memory_of(
            lambda: fits.append(dyadic_out_of_core(table, "y ~ x1 + x2 | pair + year", units=("a", "b")))
        )
        size = (Path(folder) / "pairs.duckdb").stat().st_size / 2**20
        con.disconnect()
    print(
        f"    {units:,} units, {fits[0].nobs:,} rows made in {made:.1f} s ({size:,.0f} MB); {seconds:.1f} s, "
        f"{more:.0f} MB more, peak {_memory('VmHWM'):.0f} MB (budget 4,000){'' if _full else '; --full: 2,800 units'}",
        file=sys.stderr,
        flush=True,
    )
    return seconds, None


@benchmark("personal panel", "a student's panel of every paper, drawn from the shipped one", budget=1.0)
def panel() -> Pair:
    """The slowest of the papers: read, redrawn, written."""
    from regionbook import registry
    from regionbook.exercises.personal import _draw

    slugs = [slug for slug in registry.papers() if registry.handed_in(slug, "redrawn")]
    with tempfile.TemporaryDirectory() as folder:
        seconds = {slug: best(partial(_draw, slug, "7", Path(folder))) for slug in slugs}
    print(f"    {', '.join(f'{k} {v:.2f} s' for k, v in seconds.items())}", file=sys.stderr, flush=True)
    return max(seconds.values()), None


@benchmark("rb.check", "the slowest of right and wrong, number and series, against a sealed key", budget=0.2)
def checking() -> Pair:
    """Answers to sealed keys, each looked at for the first time."""
    import pandas as pd

    from regionbook.exercises import keys, seal

    series = pd.Series([0.3783, 0.2152, 0.4065, 1.7], list("abcd"))
    slowest = 0.0
    for right, wrong in ((0.0312, 0.77), (series, 7 * series + [1, 5, 2, 4])):
        sealed = seal.seal(keys.Key("a/b/c", keys.plain(right), decimals=4), "a b c d")
        for given in (right, wrong):

            def once(sealed: dict = sealed, given: object = given) -> None:
                seal._slow.cache_clear()
                seal.judge_sealed(sealed, given)

            slowest = max(slowest, best(once))
    return slowest, None


@benchmark("choropleth", "the whole country, one map drawn and saved", budget=2.0)
def choropleth() -> Pair:
    """A map as lessons draw them."""
    import io

    import matplotlib
    import matplotlib.pyplot as plt
    import pandas as pd

    from regionbook import geo

    matplotlib.use("agg")
    places = geo.units("city").index
    values = pd.Series(range(len(places)), index=places, dtype=float)

    def draw() -> None:
        geo.choropleth(values)
        plt.savefig(io.BytesIO())
        plt.close("all")

    return best(draw), None
