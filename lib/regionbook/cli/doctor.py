"""Command ``doctor``: what is missing on this machine, and how to mend it."""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from regionbook.look import FONT_FILE
from regionbook.paths import DATA, ROOT

Finding = tuple[bool, str]
WITHOUT = {("Windows", "arm64"), ("Darwin", "x86_64")}
"""Systems and processors for which a locked package has no wheel (Windows on ARM; difference-in-differences on Intel Macs)."""
ELSEWHERE = "Use conda (conda env create -f environment.yml), Binder, or another machine"
AFRESH = "Delete the folder .venv and run workbook.py again"


def _found(good: bool, fine: str, mend: str) -> Finding:
    return good, fine if good else mend


def python() -> Iterator[Finding]:
    """The Python in use, and whether it is the project's own."""
    version = f"Python {'.'.join(map(str, sys.version_info[:3]))}"
    good = (3, 11) <= sys.version_info[:2] <= (3, 14)
    yield _found(good, version, f"{version}: install Python 3.11, 3.12 or 3.13 (3.14 is not checked)")
    own = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    yield True, f"environment {sys.prefix}" + ("" if own else " (not the project's own .venv)")


def locked() -> dict[str, str]:
    """Package and version of every line of ``requirements.lock`` that applies to this machine."""
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]
    return {r.name: str(r.specifier).removeprefix("==") for r in found if not r.marker or r.marker.evaluate()}


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "nothing"


def packages() -> Iterator[Finding]:
    """Installed packages against the lock."""
    have = {name: (version, _installed(name)) for name, version in locked().items()}
    wrong = [f"{name} {v} (there is: {there})" for name, (v, there) in have.items() if v != there]
    some = ", ".join(wrong[:5]) + (" ..." if len(wrong) > 5 else "")
    bad = f"{len(wrong)} packages are not as locked: {some}. {AFRESH}"
    yield _found(not wrong, f"{len(have)} packages as locked", bad)


def kernel() -> Iterator[Finding]:
    """The kernel that notebooks will use."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        command = Path(KernelSpecManager().get_kernel_spec("python3").argv[0])
    except NoSuchKernel:
        yield False, f"no Jupyter kernel 'python3'. {AFRESH}"
        return
    other = (
        f"the Jupyter kernel 'python3' starts {command}, not {sys.executable}: remove it with "
        "`jupyter kernelspec remove python3` or start JupyterLab with workbook.py"
    )
    same = not command.is_absolute() or command.resolve() == Path(sys.executable).resolve()
    yield _found(same, "Jupyter kernel python3", other)


def chromium() -> str | None:
    """Path of a Chromium or Chrome for the end-to-end test."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    places = (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        os.path.expandvars(r"%ProgramFiles%\Google\Chrome\Application\chrome.exe"),
    )
    return next(filter(None, map(shutil.which, (*names, *places))), None)


def browser() -> Iterator[Finding]:
    """Chromium: only the end-to-end test wants it."""
    yield True, chromium() or "no Chromium or Chrome: only the end-to-end test needs one, and is skipped"


def machine() -> Iterator[Finding]:
    """The processor, and the home folder."""
    system, word = platform.system(), 64 if sys.maxsize > 2**32 else 32
    name = f"{system} {platform.machine()}, {word} bit"
    lacking = word == 32 or (system, platform.machine().lower()) in WITHOUT
    yield _found(not lacking, name, f"{name}: some packages have no build for it. {ELSEWHERE}")
    gone = os.environ.get("REGIONBOOK_NO_HOME")
    home = f"the home folder {gone} cannot be written: settings and panels are kept in a temporary one until it is emptied"
    yield _found(not gone, f"home {Path.home()}", home)


def edition() -> Iterator[Finding]:
    """Whose copy this is."""
    parts = {"solutions": "grade, keys, report, handout, nbgrader", "tests": "test"}
    lacking = [f"without {name}/: no {does}" for name, does in parts.items() if not (ROOT / name).is_dir()]
    whose = "a lecturer's copy, with solutions" if (ROOT / "solutions").is_dir() else "a student's copy"
    yield True, f"{whose} ({'; '.join(lacking)})" if lacking else whose


def files() -> Iterator[Finding]:
    """Free space where the project lies, the figures' font, the data folders that lessons read."""
    free = f"{shutil.disk_usage(ROOT).free / 1e9:.1f} GB free"
    enough = shutil.disk_usage(ROOT).free > 5e8
    yield _found(enough, free, f"{free}: free some, figures and caches need about 0.5 GB")
    mend = f"{FONT_FILE} is missing: run `git checkout -- lib/regionbook/fonts`"
    yield _found(FONT_FILE.is_file(), "Chinese font for figures", mend)
    for folder in ("published", "geo", "teaching"):
        full = any((DATA / folder).glob("*"))
        yield _found(full, f"data/{folder}", f"data/{folder} is empty: run `git checkout -- data`")


def lessons() -> Iterator[Finding]:
    """Stored notebooks against their texts."""
    from regionbook.cli import lessons, notebooks

    texts = notebooks.sources()
    sheets = filter(None, map(lessons.exercise_of, texts))
    stale = [notebooks.label(md) for md in texts if notebooks.in_step(md)]
    for trouble in filter(None, map(notebooks.two_versions, texts)):
        yield False, trouble
    stale += [notebooks.label(sheet) for sheet in sheets if not sheet.exists()]
    mend = (
        f"changed since they were stored: {', '.join(stale)}. If you changed the text: workbook.py sync; if you ran a "
        "source in JupyterLab (lab --sources): `git checkout` brings the stored state back"
    )
    yield _found(not stale, f"{len(texts)} lessons and solutions in step with their texts", mend)


CHECKS = (edition, python, machine, packages, kernel, files, lessons, browser)


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
        lines["in all"] = sum(lines.values())
        print(*(f"{n:>8,}  {room}" for room, n in lines.items()), sep="\n")
        return 0
    bad = 0
    for check in CHECKS:
        for good, text in check():
            bad += not good
            print(f"{'ok  ' if good else 'MEND'}  {text}")
    print("\nAll is well." if not bad else f"\n{bad} to mend.")
    return bad
