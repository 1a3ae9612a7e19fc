"""Command ``data``: regenerate the teaching data and say whether a file changed."""

from __future__ import annotations

import importlib
import tempfile
import time
from pathlib import Path

import pandas as pd

from regionbook.cli.notebooks import LessonError
from regionbook.paths import DATA


def _same(shipped: Path, made: Path) -> bool:
    """Byte for byte; a Parquet file by its table, since its bytes depend on the version of pyarrow."""
    if shipped.read_bytes() == made.read_bytes():
        return True
    return shipped.suffix == ".parquet" and pd.read_parquet(shipped).equals(pd.read_parquet(made))


def data(names: list[str], check: bool = False, folder: Path = DATA / "teaching") -> int:
    """Regenerate; with ``check`` write nothing and return how many shipped files would change."""
    from regionbook.simulate import PAPERS

    for name in names:
        if name not in PAPERS:
            raise LessonError(f"no teaching data are simulated for {name!r}; there are: {', '.join(PAPERS)}")
    changed = 0
    for slug in names or list(PAPERS):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as draft:
            importlib.import_module(f"regionbook.simulate.{PAPERS[slug]}").write(Path(draft))
            made = sorted(Path(draft).iterdir())
            print(f"{slug}: drawn in {time.perf_counter() - start:.1f} s")
            for file in made:
                shipped, new = folder / file.name, file.read_bytes()
                if shipped.exists() and _same(shipped, file):
                    print(f"  {file.name}: unchanged")
                    continue
                changed += 1
                print(
                    f"  {file.name}: {'changed' if shipped.exists() else 'new'}{' (not written)' if check else ''}"
                )
                if not check:
                    folder.mkdir(parents=True, exist_ok=True)
                    shipped.write_bytes(new)
    return changed if check else 0
