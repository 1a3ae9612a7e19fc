"""Command ``bench``: speed against peers, as ratios of times taken in one run on one machine.

A benchmark is a function marked with :func:`benchmark` that returns the seconds of ours and of the peer. A ratio
above one says how many times faster ours is.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

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


def main() -> int:
    """Print the table; return how many budgets are exceeded."""
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


@benchmark("personal panel", "a fresh city-year panel", budget=2.0)
def panel() -> Pair:
    """One draw of the process behind city-innovation."""
    from regionbook.simulate import simulate

    return best(lambda: simulate("city-innovation", seed=7, mode="matched", jitter=1.0)), None


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
