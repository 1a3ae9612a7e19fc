"""Commands ``sync`` (text to notebooks to exercises) and ``run`` (execute lessons, write nothing)."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import nbformat

from regionbook.cli import agreed as agreement
from regionbook.cli import notebooks as nbs
from regionbook.cli import readme
from regionbook.exercises import record, seal
from regionbook.exercises.generate import exercise
from regionbook.paths import ROOT


class Progress:
    """One line that counts up on a terminal; one line a lesson elsewhere."""

    def __init__(self, title: str) -> None:
        self.title, self.live, self.start = title, sys.stdout.isatty(), time.perf_counter()

    def __call__(self, done: int, total: int) -> None:
        """Say that cell ``done`` of ``total`` is running."""
        if self.live:
            print(f"\r\x1b[K{self.title}  cell {done}/{total}", end="", flush=True)

    def close(self, result: str) -> None:
        """Finish the line with ``result`` and the time taken."""
        clear = "\r\x1b[K" if self.live else ""
        print(f"{clear}{self.title}  {result}, {time.perf_counter() - self.start:.1f} s", flush=True)


def exercise_of(md: Path, root: Path = ROOT) -> Path | None:
    """Where the exercise made from the solution ``md`` stands; None for a lesson."""
    if md.parent.parent != root / "solutions":
        return None
    return root / "exercises" / md.parent.name / f"{md.stem}.ipynb"


def sheet_of(md: Path) -> Any:
    """The exercise notebook that belongs to the solution ``md``, as it is handed out."""
    return exercise(nbs.canonical(nbs.read_text(md), md.stem), md.stem)


def keys_of(md: Path, root: Path = ROOT) -> Path | None:
    """Where the sealed keys of the solution ``md`` stand; None for a lesson, or a solution without ``rb.key``."""
    sheet = exercise_of(md, root)
    if not sheet or "rb.key(" not in md.read_text(encoding="utf-8"):
        return None
    return sheet.with_suffix(".keys.json")


def seal_keys(md: Path, root: Path = ROOT) -> bool:
    """Record and seal the keys of a solution if it, or data that it reads, changed; whether the file is new.

    An error if a cell of the solution fails, or keys and checks do not match.
    """
    path = keys_of(md, root)
    if not path:
        return False
    now = {"format": seal.FORMAT, "state": record.state(md)}
    if path.exists() and now.items() <= json.loads(path.read_text(encoding="utf-8")).items():
        return False
    try:
        found = record.recorded(md)
    except record.RecordError as error:
        raise nbs.LessonError(str(error)) from error
    sealed = {name: seal.seal(key, printed(md)) for name, key in found.items()}
    text = json.dumps({**now, "keys": sealed}, indent=1, sort_keys=True, ensure_ascii=False)
    nbs.write(text + "\n", path)
    return True


def printed(md: Path) -> str:
    """The words of a sheet as it is handed out."""
    return "\n".join(cell.source for cell in sheet_of(md).cells)


def sync(
    names: list[str],
    everything: bool = False,
    root: Path = ROOT,
    take: str = "",
    agreed: list[str] | None = None,
) -> int:
    """Bring notebooks and exercises in step with their texts; return how many could not be.

    A notebook that was edited apart from its text is refused until ``take`` says which counts, "text" or "notebook";
    an exercise of which text, solution or check changed alone, until ``agreed`` names its sheet.

    Without names those whose text says something else than the stored notebook are executed; with names these
    are, changed or not.
    """
    accepted = nbs.select(agreed, root) if agreed else []
    chosen = nbs.select(names, root) if names else nbs.sources(root)
    chosen += [md for md in accepted if md not in chosen]
    todo = [md for md in chosen if names or everything or nbs.in_step(md)]
    failed: list[Path] = []
    for number, md in enumerate(todo, 1):
        line = Progress(f"[{number}/{len(todo)}] {nbs.label(md, root)}")
        try:
            if take == "notebook" and md.with_suffix(".ipynb").exists():
                nbs.write(nbs.as_text(nbformat.read(md.with_suffix(".ipynb"), as_version=4)), md)
            elif take != "text" and (trouble := nbs.two_versions(md)):
                raise nbs.LessonError(trouble)
            if exercise_of(md, root) and md not in accepted:
                agreement.check(md, root)
            seal_keys(md, root)
            nb = nbs.read_text(md)
            nbs.execute(nb, md.parent, progress=line)
            nb = nbs.canonical(nb, md.stem)
        except nbs.LessonError as error:
            failed.append(md)
            line.close(f"FAILED\n{error}\n")
            continue
        nbs.write(nbs.dumps(nb), md.with_suffix(".ipynb"))
        nbs.write(nbs.as_text(nb), md)  # last, and after the notebook: its spelling is jupytext's
        line.close("written")
    made = 0
    for md in chosen:
        path = exercise_of(md, root)
        if path and md not in failed:
            if md not in todo:  # the data may have changed
                if md not in accepted:
                    agreement.check(md, root)
                seal_keys(md, root)
            agreement.keep(md, root)
            text = nbs.dumps(sheet_of(md))
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                nbs.write(text, path)
                made += 1
    readme.write(root)
    done = len(todo) - len(failed)
    idle = len(chosen) - len(todo)
    print(f"{done} executed, {idle} in step already, {made} exercises made, {len(failed)} failed")
    return len(failed)


def run(names: list[str], root: Path = ROOT) -> int:
    """Execute lessons without writing anything; return how many failed."""
    named = nbs.select(names, root) if names else nbs.sources(root)
    lessons = [md for md in named if md.parent.parent.name == "chapters"]
    chosen = lessons or named  # a slug means its lessons; a solution has to be named by its path
    failed = 0
    for number, md in enumerate(chosen, 1):
        line = Progress(f"[{number}/{len(chosen)}] {nbs.label(md, root)}")
        try:
            seconds = nbs.execute(nbs.read_text(md), md.parent, progress=line)
        except nbs.LessonError as error:
            failed += 1
            line.close(f"FAILED\n{error}\n")
        else:
            slowest = max(range(len(seconds)), key=seconds.__getitem__, default=0)
            line.close(f"ok (slowest cell: {slowest + 1} of {len(seconds)}, {max(seconds, default=0):.1f} s)")
    print(f"{len(chosen) - failed} of {len(chosen)} lessons run through")
    return failed
