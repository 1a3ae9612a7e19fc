"""Draw a paper's panel, or a rival world of it, and write the files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from regionbook.data import published

from . import report as reporting
from .paper import CalibrationError, Grid, Paper, frame
from .rows import Rows, regressions
from .solver import System, blocks, solve
from .targets import cells

NOTICE = "SIMULATED DATA for teaching. Names and places are real, every number is made up."
DICTIONARY = ["column", "label_en", "label_zh", "unit", "role", "dtype", "minimum", "maximum", "published", "note"]  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A calibrated panel: the CSV's text, what the truth file holds, `report.verdicts` of it (`start` gives the same for
    the story alone), `report.moved`, and rounds, rows, unknowns, seconds of the solution.
    """

    paper: Paper
    world: str
    text: str
    truth: dict[str, Any]
    report: pd.DataFrame
    start: Callable[[], pd.DataFrame]
    moved: pd.DataFrame
    log: dict[str, Any]

    @property
    def panel(self) -> pd.DataFrame:
        """The panel as a reader of the file gets it."""
        return pd.read_csv(StringIO(self.text))

    def write(self, folder: Path | str, shipped: Drawn | None = None) -> None:
        """Write ``<slug>.csv``, ``<slug>.columns.csv`` and ``<slug>.truth.json``; of a rival world ``<slug>.<world>.parquet``
        with the columns in which it differs from `shipped`, and its truth.

        Raises
        ------
        CalibrationError
            If the dictionary is not that of the panel, or a rival world has other rows or no `shipped` beside it.
        """
        name = f"{self.paper.slug}.{self.world}" if self.world else self.paper.slug
        files = {"truth.json": json.dumps(self.truth, indent=1, ensure_ascii=False) + "\n"}
        if not self.world:
            words = dictionary(self.paper, self.panel).to_csv(index=False, lineterminator="\n")
            files |= {"csv": self.text, "columns.csv": words}
        else:
            keys, here = list(self.paper.index), self.panel
            there = pd.DataFrame(columns=keys) if shipped is None else shipped.panel
            if not here[keys].equals(there[keys]):
                raise CalibrationError(
                    f"{name}: rows are not those of the shipped panel; give the one of the same seed"
                )
            differ = [k for k in here if not here[k].equals(there[k])]
            path = Path(folder) / f"{name}.parquet"
            here[keys + differ].to_parquet(path, compression="zstd", compression_level=15, index=False)
        for end, text in files.items():
            (Path(folder) / f"{name}.{end}").write_text(text, encoding="utf-8", newline="\n")


def dictionary(paper: Paper, panel: pd.DataFrame) -> pd.DataFrame:
    """The data dictionary, one row a column of the panel, in its order.

    Raises
    ------
    CalibrationError
        If the declaration describes a column that the panel lacks, or leaves one out.
    """
    odd = set(panel) ^ set(paper.dictionary)
    if odd:
        raise CalibrationError(f"{paper.slug}: panel and dictionary differ in {', '.join(sorted(odd))}")
    rows = []
    for k in panel:
        kind = {"i": "int", "f": "float"}.get(panel[k].dtype.kind, "str")
        rows.append((k, *paper.dictionary[k][:4], kind, *paper.dictionary[k][4:]))
    return pd.DataFrame(rows, columns=DICTIONARY)


def draw(paper: Paper, seed: int, world: str = "", printed: Any = None, strict: bool = True) -> Drawn:
    """Draw the story, move its columns until the printed numbers hold, round, and estimate again from the file.

    The same seed gives the same bytes on the same kind of machine. `world` is a name in `Paper.worlds` (left out: the
    shipped one), `printed` what is used in place of ``data/published/<slug>``; if not `strict`, a broken contract is
    only reported.

    Raises
    ------
    CalibrationError
        If the binding tier is not met; the message lists each cell. Or if a declaration cannot be read.
    """
    if world and world not in paper.worlds:
        ready = ", ".join(paper.worlds) or "none"
        raise CalibrationError(f"{paper.slug} declares no world {world!r}; there are: {ready}")
    printed, began = published(paper.slug) if printed is None else printed, time.perf_counter()
    wanted, given = cells(paper, printed), paper.worlds[world] if world else {}
    with threadpool_limits(1):
        columns, truth = paper.story(np.random.default_rng([seed, 20]), **given)
        computed = paper.computed(columns)
        own = paper.own(computed, truth, printed) if paper.own else []
        rows: list[Rows] = [*regressions(paper, frame(computed), wanted), *own]
        final, log = dict(columns), {"rounds": 0, "rows": sum(len(r.aim) for r in rows), "unknowns": 0}
        for names in blocks(paper, columns, rows):
            final |= {k: start(columns, final) for k, start in paper.follows.items() if k in names}
            system = System(paper, final, names, rows)
            log["rounds"] += solve(system)
            log["unknowns"] += sum(int(np.isfinite(s.x0).sum()) for s in system.states)
            final |= {k: paper.moves[k].round(x) for k, x in system.columns(system.z).items()}
        final = paper.polish(final, rows) if paper.polish else final
        shipped = paper.panel(final) if paper.panel else _kept(paper, final)
        text = shipped.to_csv(index=False, lineterminator="\n", float_format="%.10g")
        log["seconds"] = round(time.perf_counter() - began, 1)
        data = pd.read_csv(StringIO(text))
        if paper.prepare:
            data = paper.prepare(data)
        elif paper.derive:
            data = frame(paper.computed({k: data[k].to_numpy() for k in data}))
        found = reporting.verdicts(paper, data, wanted, own)
    bad = reporting.broken(found)
    if strict and len(bad):
        lines = bad[["table", "column", "term", "printed", "reached", "printed_se", "reached_se", "verdict"]]
        raise CalibrationError(
            f"{paper.slug}, seed {seed}, world {world or 'shipped'}: {len(bad)} binding cells are missed:\n"
            f"{lines.to_string(index=False)}\nmend the story, free a cell that cannot hold (with its reason), or take another seed"
        )
    far = reporting.moved(paper, columns, final)
    head = {"data": NOTICE, "paper": paper.slug, "seed": seed, "world": world or "shipped"}
    truth = head | {"parameters": dict(given)} | truth | (paper.after(final) if paper.after else {})
    truth |= {"moved": far.to_dict("records"), "targets": found[reporting.HEAD].to_dict("records")}

    def story() -> pd.DataFrame:
        return reporting.verdicts(paper, _kept(paper, computed), wanted, own)

    return Drawn(paper, world, text, _plain(truth), found, story, far, log)


def write_worlds(paper: Paper, seed: int, folder: Path | str) -> None:
    """Write the panel of a seed, its dictionary, its rival worlds and their truths."""
    drawn, _ = worlds(paper, seed)
    for d in drawn.values():
        d.write(folder, drawn[""])


def _kept(paper: Paper, columns: Grid) -> pd.DataFrame:
    """Cells where some moving column is there."""
    table = frame(columns)
    there = table[[k for k in paper.moves if k in table]].notna().any(axis=1)
    return table[there].reset_index(drop=True)


def _plain(x: Any) -> Any:
    """Numbers that JSON knows, at seven digits; missing ones as null."""
    if isinstance(x, dict):
        return {str(k): _plain(a) for k, a in x.items()}
    if isinstance(x, list | tuple):
        return [_plain(a) for a in x]
    if isinstance(x, float | np.floating):
        return float(f"{x:.7g}") if np.isfinite(x) else None
    return x.item() if isinstance(x, np.generic) else x


def worlds(paper: Paper, seed: int, printed: Any = None, **how: Any) -> tuple[dict[str, Drawn], pd.DataFrame]:
    """The shipped world ("") and its rivals from one seed, by name; and how far the draw had to move in each: `report.moved`
    with the world and its number of broken binding cells.
    """
    drawn = {name: draw(paper, seed, name, printed, **how) for name in ("", *paper.worlds)}
    far = [
        d.moved.assign(world=name or "shipped", broken=len(reporting.broken(d.report)))
        for name, d in drawn.items()
    ]
    return drawn, pd.concat(far, ignore_index=True)
