"""A panel for each student: the same process, other numbers."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionbook.paths import ROOT

if TYPE_CHECKING:
    import pandas as pd

JITTER = 1.0
"""How far the parameters of a personal panel may lie from the published ones; see ``regionbook.simulate``."""


def personal(slug: str, student: str | int = "", table: str | None = None) -> pd.DataFrame:
    """The panel on which a student works.

    The same student number gives the same panel on every machine. The first call takes a few seconds; later ones
    read it from the user's cache folder.

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
        If ``student`` is not a student number, or no process for ``slug`` is known.

    Examples
    --------
    >>> import regionbook as rb
    >>> panel = rb.personal("city-innovation", "20260001")  # doctest: +SKIP
    """
    from regionbook.data import BESIDE, TABLES, load, pair_panel, raw_tables

    student = student_number(student)
    if student:
        _has_process(slug)
    if student and table in BESIDE.get(slug, {}):
        panel = _beside(slug, student, table)
        panel.attrs = {"slug": slug, "table": table, "simulated": True, "source": "personal"}
    elif student and slug in TABLES:
        tables = raw_tables(slug, _drawn_tables(slug, student))
        if table is not None and table not in tables:
            load(slug, table=table)  # says which tables there are
        panel = pair_panel(tables) if table is None else tables[table]
        panel.attrs |= {"simulated": True, "source": "personal"}
    elif table is not None:
        panel = load(slug, table=table)
    elif student:
        panel = load(slug, _drawn(slug, student)[0])
        panel.attrs |= {"simulated": True, "source": "personal"}
    else:
        panel = load(slug)
    panel.attrs["student"] = student
    return panel


def _beside(slug: str, student: str, table: str) -> pd.DataFrame:
    """A student's own table of those from which no panel is built."""
    from regionbook.data import load
    from regionbook.simulate import _knowledge_firms, _knowledge_links, _knowledge_texts

    number = seed(slug, student)
    if table == "links":
        return _knowledge_links.links(number, personal(slug, student, "citations"))
    if table == "firms":
        return _knowledge_firms.firms(load(slug, table="years"), number)
    return _knowledge_texts.patents(number)


def personal_truth(slug: str, student: str | int = "") -> dict[str, Any]:
    """The parameters behind a student's panel, in the form of ``regionbook.truth(slug)``.

    Raises
    ------
    ValueError
        As in `personal`.
    """
    student = student_number(student)
    if not student:
        from regionbook.data import truth

        return truth(slug)
    from regionbook.data import TABLES

    _has_process(slug)
    if slug in TABLES:
        return json.loads((_drawn_tables(slug, student) / f"{slug}.truth.json").read_text(encoding="utf-8"))
    return json.loads(json.dumps(_drawn(slug, student)[1]))  # a copy that may be changed


def _has_process(slug: str) -> None:
    from regionbook.data import published
    from regionbook.simulate import PAPERS

    if slug not in PAPERS:
        published(slug)  # says so if there is no such paper at all
        raise ValueError(f"no panels are drawn for {slug!r} yet; there are some for: {', '.join(PAPERS)}")


def student_number(student: str | int) -> str:
    """``student`` in its one spelling: no blanks, no leading zeros, capital letters, half-width digits.

    Raises
    ------
    ValueError
        If anything but digits and Latin letters is left, or more than 32 of them.
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


@functools.lru_cache(maxsize=8)
def _drawn(slug: str, student: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    import pandas as pd

    file = cache_folder() / f"{slug}-{_process_key()}-{seed(slug, student):08x}"
    frame, truth = file.with_suffix(".parquet"), file.with_suffix(".truth.json")
    if frame.exists() and truth.exists():
        return pd.read_parquet(frame), json.loads(truth.read_text(encoding="utf-8"))
    from regionbook.simulate import simulate

    made = simulate(slug, seed=seed(slug, student), mode="matched", jitter=JITTER)
    panel, parameters = made.panel, made.truth
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.part")
        panel.to_parquet(draft)
        truth.write_text(json.dumps(parameters), encoding="utf-8")
        draft.replace(frame)  # last, in one step: a half-written file is never read
    except OSError:
        pass  # a full or read-only disk: the panel is drawn anew next time
    return panel, parameters


def _drawn_tables(slug: str, student: str) -> Path:
    """Folder with a student's raw tables and their truth; the cache, or a temporary one if the cache cannot be written."""
    import tempfile

    ready = cache_folder() / f"{slug}-{_process_key()}-{seed(slug, student):08x}"
    if ready.is_dir():
        return ready
    if (slug, student) in _TEMPORARY:
        return Path(_TEMPORARY[slug, student].name)
    from regionbook.simulate import simulate

    made = simulate(slug, seed=seed(slug, student), mode="matched", jitter=JITTER)
    try:
        ready.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=ready.parent, prefix="draft-"))
        made.write(slug, draft)
        draft.rename(ready)  # last, in one step: a half-written folder is never read
    except OSError:
        if not ready.is_dir():  # no other process was faster: the disk is full or read-only
            keep = _TEMPORARY[slug, student] = tempfile.TemporaryDirectory(prefix="regionbook-")
            made.write(slug, keep.name)
            return Path(keep.name)
    return ready


_TEMPORARY: dict[tuple[str, str], Any] = {}
"""Tables of students where the cache cannot be written; they go when the session ends."""


@functools.cache
def _process_key() -> str:
    """Changes whenever a simulator or what it reads changes, so that no panel of an older process is used."""
    read = [
        "lib/regionbook/simulate/*.py",
        "lib/regionbook/pairs.py",
        "data/geo/*.csv",
        "data/published/*/*.csv",
    ]
    read += ["data/teaching/*.columns.csv", "data/teaching/*.skeleton.csv"]
    digest = hashlib.sha256(str(JITTER).encode())
    for file in sorted(file for pattern in read for file in ROOT.glob(pattern)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def cache_folder() -> Path:
    """Where personal panels are kept between sessions; ``REGIONBOOK_CACHE`` names another folder."""
    if named := os.environ.get("REGIONBOOK_CACHE"):
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("regionbook", appauthor=False))
