"""Command ``doctor``: what is missing on this machine, and how to mend it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from regionbook.paths import DATA, ROOT

Finding = tuple[bool, str]


def python() -> Iterator[Finding]:
    """The Python in use, and whether it is the project's own."""
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield good, f"Python {version}" if good else f"Python {version}: install Python 3.11, 3.12 or 3.13"
    own = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    yield True, f"environment {sys.prefix}" + ("" if own else " (not the project's own .venv)")


def locked() -> dict[str, str]:
    """Package and version of every line of ``requirements.lock`` that applies to this machine."""
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]
    return {r.name: str(r.specifier).removeprefix("==") for r in found if not r.marker or r.marker.evaluate()}


def packages() -> Iterator[Finding]:
    """Installed packages against the lock."""
    wrong = []
    for name, version in locked().items():
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            have = "nothing"
        if have != version:
            wrong.append(f"{name} {version} (there is: {have})")
    if wrong:
        some = ", ".join(wrong[:5]) + (" ..." if len(wrong) > 5 else "")
        yield (
            False,
            f"{len(wrong)} packages are not as locked: {some}. Delete the folder .venv and run workbook.py again",
        )
    else:
        yield True, f"{len(locked())} packages as locked"


def kernel() -> Iterator[Finding]:
    """The kernel that notebooks will use."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        yield False, "no Jupyter kernel 'python3': delete the folder .venv and run workbook.py again"
        return
    command = Path(spec.argv[0])
    same = not command.is_absolute() or command.resolve() == Path(sys.executable).resolve()
    yield (
        same,
        "Jupyter kernel python3"
        if same
        else (
            f"the Jupyter kernel 'python3' starts {command}, not {sys.executable}: "
            f"remove it with `jupyter kernelspec remove python3` or start JupyterLab with workbook.py"
        ),
    )


def chromium() -> str | None:
    """Path of a Chromium or Chrome for the end-to-end test."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    places = (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        os.path.expandvars(r"%ProgramFiles%\Google\Chrome\Application\chrome.exe"),
    )
    return next(filter(None, map(shutil.which, names)), None) or next(
        (p for p in places if Path(p).exists()), None
    )


def browser() -> Iterator[Finding]:
    """Chromium: only the end-to-end test wants it."""
    path = chromium()
    yield (
        True,
        path or "no Chromium or Chrome: only the end-to-end test needs one (it is skipped); lessons do not",
    )


def disk() -> Iterator[Finding]:
    """Free space where the project lies."""
    free = shutil.disk_usage(ROOT).free / 1e9
    yield (
        free > 0.5,
        f"{free:.1f} GB free" + ("" if free > 0.5 else ": free some, figures and caches need about 0.5 GB"),
    )


def font() -> Iterator[Finding]:
    """The Chinese font of the figures."""
    path = Path(__file__).parents[1] / "fonts" / "RegionbookSansSC.otf"
    good = path.is_file()
    yield (
        good,
        "Chinese font for figures"
        if good
        else f"{path} is missing: run `git checkout -- lib/regionbook/fonts`",
    )


def data() -> Iterator[Finding]:
    """The data folders that lessons read."""
    for folder in ("published", "geo", "teaching"):
        good = (DATA / folder).is_dir() and any((DATA / folder).iterdir())
        yield good, f"data/{folder}" if good else f"data/{folder} is empty: run `git checkout -- data`"


def lessons() -> Iterator[Finding]:
    """Stored notebooks against their texts."""
    from regionbook.cli import lessons, notebooks

    stale = [notebooks.label(md) for md in notebooks.sources() if notebooks.in_step(md)]
    for md in notebooks.sources():
        path = lessons.exercise_of(md)
        if path and not path.exists():
            stale.append(notebooks.label(path))
    yield (
        not stale,
        (
            f"changed since they were stored: {', '.join(stale)}. If you changed the text: workbook.py sync; "
            "if you only tried things out: nothing is wrong, `git checkout` brings the stored state back"
            if stale
            else f"{len(notebooks.sources())} lessons and solutions in step with their texts"
        ),
    )


def settings() -> Iterator[Finding]:
    """JupyterLab's settings for this project are readable."""
    folder = Path(__file__).parent / "jupyter"
    for file in sorted(folder.rglob("*.json")):
        json.loads(file.read_text(encoding="utf-8"))
    yield True, "JupyterLab settings"


CHECKS: list[Callable[[], Iterator[Finding]]] = [
    python, packages, kernel, settings, disk, font, data, lessons, browser,
]  # fmt: skip


def sizes(files: Iterable[Path] | None = None) -> dict[str, int]:
    """Lines of Python of each room of the library (of some files); ``root`` are the modules that stand in no room."""
    lib = Path(__file__).parents[1]
    lines: dict[str, int] = {}
    for file in sorted(lib.rglob("*.py") if files is None else files):
        parts = file.relative_to(lib).parts
        room = parts[0] if len(parts) > 1 else "root"
        lines[room] = lines.get(room, 0) + len(file.read_text(encoding="utf-8").splitlines())
    return lines


def main(size: bool = False) -> int:
    """Print every finding, or the size of the library; return how many need mending."""
    if size:
        lines = sizes()
        print(
            *(f"{n:>8,}  {room}" for room, n in lines.items()), f"{sum(lines.values()):>8,}  in all", sep="\n"
        )
        return 0
    bad = 0
    for check in CHECKS:
        for good, text in check():
            bad += not good
            print(f"{'ok  ' if good else 'MEND'}  {text}")
    print("\nAll is well." if not bad else f"\n{bad} to mend.")
    return bad
