"""A panel for each student: the shipped one drawn anew."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionbook import registry
from regionbook.paths import ROOT

if TYPE_CHECKING:
    import pandas as pd


def personal(slug: str, student: str | int = "", table: str | None = None) -> pd.DataFrame:
    """The panel on which a student works.

    It is the shipped panel drawn anew (`regionbook.papers.redraw`): another effect, other noise. The same student number
    gives the same panel on every machine. The first call takes about a second; later ones read the user's cache folder.

    Parameters
    ----------
    slug
        The paper, such as ``"city-innovation"``.
    student
        Student number: digits, or digits and Latin letters. Left empty, the panel is the shipped one.
    table
        Of a panel of pairs (`knowledge-flows`): one of the student's raw tables instead of the panel.

    Returns
    -------
    pandas.DataFrame
        As ``regionbook.load(slug)``, with the student number in ``.attrs["student"]``.

    Raises
    ------
    ValueError
        If ``student`` is not a student number, or no panels of ``slug`` are drawn.

    Examples
    --------
    >>> import regionbook as rb
    >>> panel = rb.personal("city-innovation", "20260001")  # doctest: +SKIP
    """
    from regionbook.data import load

    student = student_number(student)
    if not student:
        panel = load(slug, table=table)
    else:
        panel = _own(slug, _drawn(slug, student), table)
        panel.attrs |= {"simulated": True, "source": "personal"}
    panel.attrs["student"] = student
    return panel


def _own(slug: str, folder: Path, table: str | None) -> pd.DataFrame:
    """The panel, or one raw table of it, from a student's folder; tables that are not there are the shipped ones."""
    import pandas as pd

    from regionbook.data import columns, raw
    from regionbook.data.schema import indexed, keys_of

    if not registry.handed_in(slug, "PANEL"):
        if table is not None:
            return raw.load_beside(slug, table)
        frame = pd.read_parquet(folder / f"{slug}.panel.parquet")
        kinds = columns(slug).set_index("column")["dtype"]
        whole = [c for c in frame if kinds.get(c) == "int" and frame[c].notna().all()]
        panel = indexed(frame.astype(dict.fromkeys(whole, "int64")), keys_of(kinds.index))
        panel.attrs = {"slug": slug}  # ours: nothing to check
        return panel
    if table is not None:
        raw.known_table(slug, table)

    def one(name: str) -> pd.DataFrame:
        return raw.raw_table(slug, name, folder if (folder / f"{slug}.{name}.parquet").exists() else None)

    tables = registry.handed_in(slug, "PANEL").tables
    return raw.pair_panel({name: one(name) for name in tables}, slug) if table is None else one(table)


def personal_truth(slug: str, student: str | int = "") -> dict[str, Any]:
    """The parameters behind a student's panel, in the form of ``regionbook.truth(slug)``; errors as in `personal`."""
    student = student_number(student)
    if not student:
        from regionbook.data import truth

        return truth(slug)
    return json.loads((_drawn(slug, student) / f"{slug}.truth.json").read_text(encoding="utf-8"))


def student_number(student: str | int) -> str:
    """``student`` in its one spelling: no blanks, no leading zeros, capital letters, half-width digits.

    A ValueError if anything but digits and Latin letters is left, or more than 32 of them.
    """
    if isinstance(student, bool) or not isinstance(student, (str, int)):
        raise ValueError(f'a student number is a text such as "20260001", not {student!r}')
    text = unicodedata.normalize("NFKC", str(student)).strip().upper()
    if text and not re.fullmatch(r"[0-9A-Z]{1,32}", text):
        raise ValueError(
            f'{student!r} is not a student number: use digits (and Latin letters) only, such as "20260001", or '
            '"" for the panel that everyone shares'
        )
    return text.lstrip("0") or text[:1]


def seed(slug: str, student: str) -> int:
    """The seed of a student's panel: a 32-bit number from the paper and the student number."""
    return int.from_bytes(hashlib.sha256(f"{slug}:{student}".encode()).digest()[:4], "big")


def _drawn(slug: str, student: str) -> Path:
    """Folder with a student's tables and their truth; in the cache, or a temporary one if the cache cannot be written."""
    from regionbook.data import published

    drawn = [paper for paper in registry.papers() if registry.handed_in(paper, "redrawn")]
    if slug not in drawn:
        published(slug)  # says so if there is no such paper at all
        raise ValueError(f"no panels are drawn for {slug!r} yet; there are some for: {', '.join(drawn)}")
    ready = cache_folder() / f"{slug}-{_process_key(slug)}-{seed(slug, student):08x}"
    if _whole(ready):
        return ready
    shutil.rmtree(ready, ignore_errors=True)  # a disk that was full, a sync client: drawn again
    if (slug, student) in _TEMPORARY:
        return Path(_TEMPORARY[slug, student].name)
    try:
        ready.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=ready.parent, prefix="draft-"))
        _draw(slug, student, draft)
        draft.rename(ready)  # last, in one step: a half-written folder is never read
    except OSError:
        if not _whole(ready):  # no other process was faster: the disk is full or read-only
            keep = _TEMPORARY[slug, student] = tempfile.TemporaryDirectory(prefix="regionbook-")
            _draw(slug, student, Path(keep.name))
            return Path(keep.name)
    return ready


def _whole(folder: Path) -> bool:
    """Whether the files of a student's folder are those that were written."""
    try:
        sums = json.loads((folder / SUMS).read_text(encoding="utf-8"))
        return all(digest(folder, name) == found for name, found in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


SUMS = "sums.json"
_TEMPORARY: dict[tuple[str, str], Any] = {}
"""Tables of students where the cache cannot be written; they go when the session ends."""


def _draw(slug: str, student: str, folder: Path) -> None:
    """Draw a student's tables from the shipped ones and write them, with their truth, to a folder."""
    from regionbook.data import load, raw, truth

    paper = registry.handed_in(slug, "PANEL")
    names = (*paper.tables, *paper.beside) if paper else ()
    shipped = {name: raw.raw_table(slug, name) for name in names} if paper else load(slug)
    made, parameters = registry.handed_in(slug, "redrawn")(shipped, truth(slug), seed(slug, student))
    for name, table in made.items() if paper else (("panel", made),):
        flat = table if table.index.names == [None] else table.reset_index()
        flat.attrs = {}
        flat.to_parquet(folder / f"{slug}.{name}.parquet")
    (folder / f"{slug}.truth.json").write_text(json.dumps(parameters), encoding="utf-8")
    sums = {file.name: digest(folder, file.name) for file in folder.glob(f"{slug}.*")}
    (folder / SUMS).write_text(json.dumps(sums), encoding="utf-8")


@functools.cache
def _process_key(slug: str) -> str:
    """Changes whenever what draws a panel or what it is drawn from changes, so that no older panel is used."""
    code = (f"lib/regionbook/{file}" for file in ("papers/*.py", "exercises/personal.py", "index/*.py"))
    return digest(ROOT, *code, f"data/teaching/{slug}.*", f"data/teaching/regressions/{slug}.csv")[:8]


def digest(folder: Path, *patterns: str) -> str:
    """Changes whenever a file in the folder that fits one of the patterns does."""
    found = hashlib.sha256()
    for file in sorted(file for pattern in patterns for file in folder.glob(pattern)):
        found.update(file.read_bytes())
    return found.hexdigest()


def cache_folder() -> Path:
    """Where personal panels are kept between sessions; ``REGIONBOOK_CACHE`` names another folder."""
    if named := os.environ.get("REGIONBOOK_CACHE"):
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("regionbook", appauthor=False))
