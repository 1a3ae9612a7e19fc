"""Commands of maintainers: ``data`` makes the teaching data again and says what changed; ``bench``."""

import importlib
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import pandas as pd

from regionbook.cli.notebooks import LessonError, label, same_but_for_rounding, sources
from regionbook.paths import DATA, ROOT

MAKE = DATA / "teaching" / "make"
"""Authoring code; no part of the library."""


def _same(shipped: Path, made: Path) -> bool:
    """Byte for byte; a Parquet file by its table, since its bytes hang on pyarrow; a truth file but for rounding."""
    if shipped.read_bytes() == made.read_bytes():
        return True
    if shipped.suffix == ".json":  # estimates in it, whose last digit another order of adding moves
        return same_but_for_rounding(shipped.read_text(encoding="utf-8"), made.read_text(encoding="utf-8"))
    return shipped.suffix == ".parquet" and pd.read_parquet(shipped).equals(pd.read_parquet(made))


def outside(folder: Path, name: str) -> ModuleType:
    """A maintainers' module, which is no part of the library, from its folder; an error if it is not there."""
    if not any(folder.glob(f"{name}*")):
        raise LessonError(f"this copy came without {name} of {label(folder)}/ (for maintainers)")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module(name)


def bench(full: bool = False) -> int:
    """Command ``bench``: speed against peers; ``tests/bench.py`` measures."""
    return int(outside(ROOT / "tests", "bench").main(full))


def makers() -> dict[str, str]:
    """Papers whose shipped panels can be made here, and the module that does.

    The first four have a package of their own; each paper after them is a module ``<slug>.py`` beside the engine.
    """
    first: dict[str, str] = outside(MAKE, "first_four").PAPERS
    slugs = {file.stem.replace("_", "-"): file.stem for file in sorted(MAKE.glob("*.py"))}
    later = {slug: name for slug, name in slugs.items() if (DATA / "published" / slug).is_dir()}
    return {slug: f"first_four.{name}" for slug, name in first.items()} | later


def lessons_on(slug: str) -> list[str]:
    """Lessons and solutions that show the data of a paper: those of its chapter, and those that name it."""
    own = {md: md.parent.name.partition("-")[2] == slug for md in sources()}
    return [label(md) for md, its in own.items() if its or f'"{slug}"' in md.read_text(encoding="utf-8")]


def data(names: list[str], check: bool = False, folder: Path = DATA / "teaching") -> int:
    """Regenerate; with ``check`` write nothing and return how many shipped files would change.

    Stored notebooks do not follow by themselves, since `sync` compares texts: the command that executes them is printed.
    """
    papers = makers()
    for name in names:
        if name not in papers:
            raise LessonError(f"no teaching data are simulated for {name!r}; there are: {', '.join(papers)}")
    changed = 0
    stale: dict[str, None] = {}
    for slug in names or list(papers):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as draft:
            importlib.import_module(papers[slug]).write(Path(draft))
            made = sorted(Path(draft).iterdir())
            print(f"{slug}: drawn in {time.perf_counter() - start:.1f} s")
            for file in made:
                shipped, new = folder / file.name, file.read_bytes()
                if shipped.exists() and _same(shipped, file):
                    print(f"  {file.name}: unchanged")
                    continue
                changed += 1
                stale |= dict.fromkeys(lessons_on(slug))
                what = "changed" if shipped.exists() else "new"
                print(f"  {file.name}: {what}{' (not written)' if check else ''}")
                if not check:
                    folder.mkdir(parents=True, exist_ok=True)
                    shipped.write_bytes(new)
    if stale and not check:
        print("Stored outputs may show the old data; to execute these lessons again:\n  sync", *stale)
    return changed if check else 0
