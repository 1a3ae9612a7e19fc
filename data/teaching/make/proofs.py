"""What the engine reaches: city-innovation (Tables 3, 4, 7, 25 weights) and five papers that it makes.

    python data/teaching/make/proofs.py          # rewrites proofs.csv (shares) and proofs.cells.csv (every cell, seed 0)
    python data/teaching/make/proofs.py seeds    # rewrites seeds.csv (cells missed by three fits of their own)

in an environment that has the workbook and, for city-innovation, requirements.txt; half a minute to two minutes a draw.
"""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pandas as pd

HERE = Path(__file__).parent
CASES = {
    "information-consumption, all imposed": ("information_consumption", "", False, range(5)),
    "city-innovation": ("proof_city", "", True, range(5)),
    "information-consumption": ("information_consumption", "", True, range(2)),
    "information-consumption, no effect": ("information_consumption", "no-effect", True, range(2)),
    "free-trade-zones": ("free_trade_zones", "", True, range(20)),
    "ai-innovation": ("ai_innovation", "", True, range(20)),
    "digital-real-integration": ("digital_real_integration", "", True, (*range(18), 19)),  # 18: see `FAILS`
    "green-growth": ("green_growth", "", True, (*range(16), 17, 19)),  # 16 and 18: see `FAILS`
}
"""Module, world, whether the numbers of `FREE` are left free, seeds."""
FAILS = {"digital-real-integration": [18], "green-growth": [16, 18]}
"""Seeds of 0 to 19 that end in an error instead of a panel: their proof cannot be run."""
FITTED = ("yangtze_openness", "equipment_tfp", "digital_agriculture")
"""Modules whose cells are no regressions: only how many of the binding ones a seed misses is kept, in seeds.csv."""


def cells_of(made: ModuleType, seed: int) -> tuple[int, int]:
    """How many binding cells a module's panel has, and how many of them a seed misses."""
    from engine import draw

    drawn = made.draw(seed)[""] if hasattr(made, "draw") else draw(made.PAPER, seed, strict=False)
    binding = drawn.report.query("tier == 'binding' and status != 'free'")
    return len(binding), int((binding["verdict"] != "met").sum())


def fitted() -> None:
    """Rewrite seeds.csv: case, seed, binding cells of its tables, how many are missed, seconds."""
    rows = []
    for made in map(importlib.import_module, FITTED):
        for seed in range(20):
            start = time.perf_counter()
            rows.append((made.PAPER.slug, seed, *cells_of(made, seed), round(time.perf_counter() - start, 1)))
            print(*rows[-1], flush=True)
    columns = ["case", "seed", "binding", "missed", "seconds"]
    pd.DataFrame(rows, columns=columns).to_csv(HERE / "seeds.csv", index=False, lineterminator="\n")


def prove(case: str, seed: int) -> tuple[dict, pd.DataFrame]:
    """One row of shares, and the cells, from the file as pyfixest reads it."""
    from engine import draw
    from engine.report import broken, summary

    module, world, free, _ = CASES[case]
    paper = importlib.import_module(module).PAPER
    d = draw(paper if free else replace(paper, free={}), seed, world, strict=False)
    imposed = d.report[d.report["status"] != "free"]
    left = d.report[(d.report["status"] == "free") & (d.report["kind"] == "coefficient")]
    start = summary(d.start()) if seed == 0 else {}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    row = {"case": case, "seed": seed} | d.log | {"MB": memory} | summary(imposed)
    row |= {"binding missed": len(broken(d.report)), "free": len(left)}
    row |= {"free met": round(float((left["verdict"] == "met").mean()), 3) if len(left) else None}
    row |= {"largest sd of a move": round(float(d.moved["sd"].max()), 2)}
    row |= {"lowest correlation with the story": round(float(d.moved["correlation"].min()), 3)}
    row |= {f"story alone: {k}": start.get(k) for k in ("within 2 errors", "errors 10 %")}
    cells = d.report.drop(columns=["note", "half", "half_se"]).assign(case=case)
    return row, cells


def main() -> None:
    """Every case and seed in a process of its own, so that memory is that of one draw."""
    if sys.argv[1:] == ["seeds"]:
        fitted()
        return
    if len(sys.argv) == 4:
        row, cells = prove(sys.argv[1], int(sys.argv[2]))
        folder = Path(sys.argv[3])
        pd.DataFrame([row]).to_csv(folder / "row.csv", index=False)
        cells.to_csv(folder / "cells.csv", index=False, float_format="%.6g", lineterminator="\n")
        return
    import tempfile

    rows, first, one = [], [], {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for case, (*_, seeds) in CASES.items():
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, case, str(seed), folder]
                subprocess.run(command, check=True, env=os.environ | one)
                rows.append(pd.read_csv(Path(folder) / "row.csv"))
                print(rows[-1].iloc[0].to_dict(), flush=True)
                if seed == 0:
                    first.append(pd.read_csv(Path(folder) / "cells.csv", dtype={"table": str, "column": str}))
        pd.concat(rows).to_csv(HERE / "proofs.csv", index=False, lineterminator="\n")
        pd.concat(first).to_csv(
            HERE / "proofs.cells.csv", index=False, lineterminator="\n", float_format="%.6g"
        )


if __name__ == "__main__":
    main()
