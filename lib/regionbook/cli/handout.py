"""Commands ``handout``, what students get, and ``keys``, sealed keys to their own panels where the solutions are not."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import record, seal
from regionbook.grading.roster import ListError, read_roster
from regionbook.paths import ROOT

ALWAYS = (
    "workbook.py", "requirements.lock", "pyproject.toml", "environment.yml", "LICENSE", "CITATION.cff", "data/README.md",
    "chapters/*.md", "chapters/*.png", "chapters/00-start/*", "exercises/00-start/*", "lib/regionbook/**/*",
    "data/published/**/*", "data/geo/**/*", "data/teaching/**/*",
)  # fmt: skip
NEVER = {"make", "__pycache__", ".ipynb_checkpoints", "keys", "my-work"}
"""Folders that are in no student's copy: what made the data, caches, keys in the clear."""
STUDENTS = """# regionbook: a student's copy

You need Python 3.11, 3.12 or 3.13. In this folder:

    python3 workbook.py lab       sets everything up the first time (about 1.5 GB), then opens the start lesson
    python3 workbook.py doctor    says what is missing, and how to mend it

On Windows write `py workbook.py lab`. You work on copies, in `my-work/`; your sheets are in `my-work/exercises/`. Hand in
the `.ipynb` files that you filled in. If your lecturer gave you a student number for the sheets, put the file
`keys-<number>.json` that came with it into `exercises/<chapter>/` of this folder.

The data are simulated: they teach methods and are no evidence.

## Lessons

"""
OPEN = """What it cannot hide: an answer can be tried at home as often as one likes (few choices are soon found out); the
shared panel's results stand in the lessons; the process behind each panel is in data/teaching/*.truth.json, since
tasks compare with it; and whoever finds the whole workbook elsewhere has the solutions. Personal panels, written
answers and a talk about the code are what a grade can rest on."""


def files(names: list[str], root: Path = ROOT) -> Iterator[Path]:
    """What a student's copy holds, relative to the project; with names, of these chapters or lessons only."""
    chosen = nbs.select(names, root) if names else nbs.sources(root)
    wanted = [*ALWAYS]
    for md in chosen:
        wanted += [f"chapters/{md.parent.name}/{md.stem}.*", f"exercises/{md.parent.name}/{md.stem}.*"]
    wanted = list(dict.fromkeys(wanted))
    found = {file for pattern in wanted for file in root.glob(pattern) if file.is_file()}
    for file in sorted(found):
        part = file.relative_to(root)
        own = part.parts[0] == "exercises" and part.name.startswith("keys-")  # a student's, put there to try
        if not own and not NEVER & set(part.parts[:-1]) and part.suffix not in (".pyc", ".part"):
            yield part


def handout(names: list[str], to: str, root: Path = ROOT) -> int:
    """Write a student's copy to a new folder or ``.zip``: no solutions, no tests, no history, keys sealed only."""
    target = Path(to)
    if target.exists() and (target.is_file() or any(target.iterdir())):
        raise nbs.LessonError(f"{target} is there already: name a new folder, or a new .zip")
    if target.resolve().is_relative_to(root.resolve() / "lib") or target.resolve() == root.resolve():
        raise nbs.LessonError(f"{target} is the project itself: name a folder outside of it")
    parts = list(files(names, root))
    lines = [
        f"- [{nbs.read_text(root / part).cells[0].source.splitlines()[0].lstrip('# ')}]({part.with_suffix('.ipynb').as_posix()})"
        for part in parts
        if part.parts[0] == "chapters" and len(part.parts) == 3 and part.suffix == ".md"
    ]
    with tempfile.TemporaryDirectory() as draft:
        copy = Path(draft) / "regionbook" if target.suffix == ".zip" else target
        for part in parts:
            (copy / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / part, copy / part)
        nbs.write(STUDENTS + "\n".join(lines) + "\n", copy / "README.md")
        if target.suffix == ".zip":
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.make_archive(str(target.with_suffix("")), "zip", draft, "regionbook")
    sheets = sum(part.parts[0] == "exercises" and part.suffix == ".ipynb" for part in parts)
    print(f"{len(lines)} lessons and {sheets} sheets in {target}\n\n{OPEN}\n")
    print("Panels of their own: `workbook.py keys students.csv` makes the key files that go with it.")
    return 0


def students(file: str) -> list[str]:
    """Student numbers of a class list (see `regionbook.grading.roster`); an error if it is none."""
    try:
        return [student.number for student in read_roster(Path(file))]
    except ListError as error:
        raise nbs.LessonError(str(error)) from error


def keys(file: str, names: list[str], to: str) -> int:
    """Write ``TO/<chapter>/keys-<student>.json`` for each student of the list; return how many sheets failed."""
    numbers = students(file)
    sheets = [md for md in (nbs.select(names) if names else nbs.sources()) if lessons.keys_of(md)]
    sheets = [md for md in sheets if record.STUDENT.search(md.read_text(encoding="utf-8"))]
    if not sheets:
        raise nbs.LessonError(f"no sheet with panels of one's own among: {', '.join(names)}")
    failed = 0
    for count, number in enumerate(numbers, 1):
        line = lessons.Progress(f"[{count}/{len(numbers)}] keys of {number}")
        found: dict[Path, dict[str, object]] = {}
        for done, md in enumerate(sheets, 1):
            line(done, len(sheets))
            try:
                own = record.recorded(md, number)
            except record.RecordError as error:
                print(f"\n{error}")
                failed += 1
                continue
            printed = lessons.printed(md)
            kept = {name: seal.seal(key, printed) for name, key in own.items() if key.personal}
            found.setdefault(Path(to) / md.parent.name / f"keys-{number}.json", {}).update(kept)
        for path, sealed in found.items():
            old = json.loads(path.read_text(encoding="utf-8"))["keys"] if path.exists() else {}
            nbs.write(json.dumps({"keys": old | sealed}, sort_keys=True, ensure_ascii=False) + "\n", path)
        line.close(f"{sum(map(len, found.values()))} keys")
    print(f"written to {to}: each student's files belong into exercises/ of the student's workbook")
    return failed
