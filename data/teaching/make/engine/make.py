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


@dataclass(frozen=True)
class Drawn:
    """A calibrated panel.

    Attributes
    ----------
    text : str
        The panel's CSV.
    truth : dict
        What the truth file holds.
    report : pandas.DataFrame
        As `report.verdicts`.
    start : callable
        Gives the same for the story alone.
    moved : pandas.DataFrame
        As `report.moved`.
    log : dict
        Rounds, rows of the system, unknowns, seconds.
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

    def write(self, folder: Path | str) -> None:
        """Write ``<slug>.csv``, ``<slug>.columns.csv`` and ``<slug>.truth.json``; a rival world as ``<slug>.<world>.…``."""
        name = f"{self.paper.slug}.{self.world}" if self.world else self.paper.slug
        truth = json.dumps(self.truth, indent=1, ensure_ascii=False) + "\n"
        for end, text in (("csv", self.text), ("truth.json", truth)):
            (Path(folder) / f"{name}.{end}").write_text(text, encoding="utf-8", newline="\n")
        if not self.world:
            text = dictionary(self.paper, self.panel).to_csv(index=False, lineterminator="\n")
            (Path(folder) / f"{name}.columns.csv").write_text(text, encoding="utf-8", newline="\n")


def dictionary(paper: Paper, panel: pd.DataFrame) -> pd.DataFrame:
    """The data dictionary: one row a column of the panel, in its order.

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
        en, zh, unit, role, note = paper.dictionary[k]
        kind = panel[k].dtype.kind
        move = paper.moves.get(k)
        low, high = (move.lower, move.upper) if move else (np.nan, np.nan)
        ends = ["" if not np.isfinite(x) else f"{x:g}" for x in (low, high)]
        rows.append((k, en, zh, unit, role, {"i": "int", "f": "float"}.get(kind, "str"), *ends, "", note))
    head = [
        "code",
        "label_en",
        "label_zh",
        "unit",
        "role",
        "dtype",
        "minimum",
        "maximum",
        "published",
        "note",
    ]
    return pd.DataFrame(rows, columns=head)


def draw(
    paper: Paper, seed: int, world: str = "", printed: Any = None, strict: bool = True, rounds: int = 60
) -> Drawn:
    """Draw the story, move its columns until the printed numbers hold, round, and estimate again from the file.

    Parameters
    ----------
    paper
        Declaration.
    seed
        A whole number; the same one gives the same bytes on the same kind of machine.
    world
        A name in `Paper.worlds`; left out, the shipped world.
    printed
        Printed numbers; left out, those of ``data/published/<slug>``.
    strict
        If false, a broken contract is only reported.
    rounds
        At most so many steps a block.

    Raises
    ------
    CalibrationError
        If the binding tier is not met; the message lists each cell. Or if a declaration cannot be read.
    """
    if world and world not in paper.worlds:
        raise CalibrationError(
            f"{paper.slug} declares no world {world!r}; there are: {', '.join(paper.worlds) or 'none'}"
        )
    printed, began = published(paper.slug) if printed is None else printed, time.perf_counter()
    wanted = cells(paper, printed)
    with threadpool_limits(1):
        given = paper.worlds[world] if world else {}
        columns, truth = paper.story(np.random.default_rng([seed, 20]), **given)
        computed = paper.computed(columns)
        own = paper.own(computed, truth, printed) if paper.own else []
        rows: list[Rows] = [*regressions(paper, frame(computed), wanted), *own]
        final, log = dict(columns), {"rounds": 0, "rows": sum(len(r.aim) for r in rows), "unknowns": 0}
        for names in [*blocks(paper, columns, rows), *([k] for k in paper.polish)]:
            system = System(paper, final, names, rows)
            log["rounds"] += solve(system, rounds)
            log["unknowns"] += sum(int(np.isfinite(s.x0).sum()) for s in system.states.values())
            final |= {k: paper.moves[k].round(s.value(s.z)) for k, s in system.states.items()}
        shipped = paper.panel(final) if paper.panel else _kept(paper, final)
        text = shipped.to_csv(index=False, lineterminator="\n", float_format="%.10g")
        log["seconds"] = round(time.perf_counter() - began, 1)
        data = _prepared(paper, pd.read_csv(StringIO(text)))
        found = reporting.verdicts(paper, data, wanted, own)
    bad = reporting.broken(found)
    if strict and len(bad):
        lines = bad[["table", "column", "term", "printed", "reached", "printed_se", "reached_se", "verdict"]]
        raise CalibrationError(
            f"{paper.slug}, seed {seed}, world {world or 'shipped'}: {len(bad)} binding cells are missed:\n"
            f"{lines.to_string(index=False)}\nmend the story, free a cell that cannot hold (with its reason), or take another seed"
        )
    far = reporting.moved(paper, columns, final)
    head = {
        "data": NOTICE,
        "paper": paper.slug,
        "seed": seed,
        "world": world or "shipped",
        "parameters": dict(given),
    }
    truth = (
        head | truth | {"moved": far.to_dict("records"), "targets": found[reporting.HEAD].to_dict("records")}
    )

    def start() -> pd.DataFrame:
        return reporting.verdicts(paper, _kept(paper, computed), wanted, own)

    return Drawn(paper, world, text, _plain(truth), found, start, far, log)


def _kept(paper: Paper, columns: Grid) -> pd.DataFrame:
    """Cells where some moving column is there."""
    table = frame(columns)
    there = table[[k for k in paper.moves if k in table]].notna().any(axis=1)
    return table[there].reset_index(drop=True)


def _prepared(paper: Paper, data: pd.DataFrame) -> pd.DataFrame:
    if paper.prepare:
        return paper.prepare(data)
    return frame(paper.computed({k: data[k].to_numpy() for k in data}))


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
    """The shipped world and its rivals from one seed, and how far the draw had to move in each.

    Returns
    -------
    drawn, distances
        Panels by name; one row a world and column: sd, beyond_one, correlation, largest_unit, and the world's number of
        broken binding cells.
    """
    drawn = {name: draw(paper, seed, name, printed, **how) for name in ("", *paper.worlds)}
    far = [
        d.moved.assign(world=name or "shipped", broken=len(reporting.broken(d.report)))
        for name, d in drawn.items()
    ]
    return drawn, pd.concat(far, ignore_index=True)
