"""What there is to learn and where: lessons, and methods × papers, both read from the lessons' own texts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from regionbook import registry
from regionbook.data import each
from regionbook.paths import ROOT

METHODS = pd.read_csv(Path(__file__).with_name("methods.csv"), dtype=str, keep_default_na=False)
"""group, method, chapter, pattern: what the code of a lesson holds that uses the method, in that chapter only or, empty,
in any."""

_CHAPTER = re.compile(r"\d+-(.+)")
_NAME = re.compile(r"(\d+)([a-z]?)-.+")
_CODE = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.M | re.S)


@dataclass(frozen=True)
class Listing:
    """A list of lessons: a table, and what a terminal and a notebook show of it (here with links)."""

    table: pd.DataFrame
    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def _html(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _link(path: Path, words: object) -> str:
    """A link to a lesson, seen from another chapter."""
    return f'<a href="../{path.parent.name}/{path.stem}.ipynb">{escape(str(words))}</a>'


def lessons(folder: Path | None = None) -> Listing:
    """Return the list of lessons, read from the headings of their texts.

    Parameters
    ----------
    folder
        Where the chapters are; left out, this workbook's.

    Returns
    -------
    Listing
        ``.table``: one row a lesson: chapter (slug of the paper, or ``"start"``), number (of a further notebook a text,
        ``"2b"``), title, minutes, able (what a reader will be able to do), path.

    Raises
    ------
    ValueError
        If there is no lesson in `folder`, or one has no title or states no time.

    Examples
    --------
    >>> lessons().table.query("chapter == 'city-innovation'")["number"].tolist()
    [1, '1b', '1c', 2, '2b', '2c', 3, '3b', '3c', '3d']
    """
    folder = Path(folder or ROOT / "chapters")
    rows = []
    for md in sorted(folder.glob("[0-9]*/[0-9]*.md")):
        text = md.read_text(encoding="utf-8")
        title = re.search(r"^# (.+)$", re.sub(_CODE, "", text), re.M)
        minutes = re.search(r"\*\*Time\.\*\*\D*(\d+)", text)
        able = re.search(r"\*\*What you will be able to do\.\*\* (.+)$", text, re.M)
        if not title or not minutes or not able:
            raise ValueError(
                f"{md}: a lesson needs a heading '# …', a line '**What you will be able to do.** …' and one with "
                "'**Time.** 30 minutes.'"
            )
        chapter, lesson = _CHAPTER.fullmatch(md.parent.name), _NAME.fullmatch(md.stem)
        if not chapter or not lesson:
            raise ValueError(
                f"{md}: lessons are called NN-slug/N-name.md, further notebooks NN-slug/Nb-name.md"
            )
        number = lesson[1] + lesson[2] if lesson[2] else int(lesson[1])
        rows.append((chapter[1], number, title[1], int(minutes[1]), able[1], md))
    if not rows:
        raise ValueError(f"no lessons (NN-slug/N-name.md) below {folder}")
    table = pd.DataFrame(rows, columns=["chapter", "number", "title", "minutes", "able", "path"])
    shown = (
        f"<td>{escape(chapter.replace('-', ' '))} {number}</td><td style='text-align:left'>{_link(path, title)}</td>"
        f"<td>{minutes}</td>"
        for chapter, number, title, minutes, _, path in rows
    )
    text = table.drop(columns=["able", "path"]).to_string(index=False)
    return Listing(table, text, _html(["lesson", "", "minutes"], shown))


def method_map(folder: Path | None = None) -> Listing:
    """Return the map of methods × papers: in which lesson of which paper a method is used.

    It is read from the code of the lessons, so it cannot promise what they do not do. ``folder`` and errors are as in
    `lessons`; ``.table`` has rows (group, method), one column a paper, cells the numbers of the lessons, as text.

    Examples
    --------
    >>> method_map().table["city-innovation"][("Indices", "principal components (主成分分析)")]
    '1b, 2c, 3c'
    """
    known = lessons(folder).table
    known = known[known["chapter"].isin(registry.papers())]
    chapters = list(known["chapter"].unique())
    uses = methods_of(known)
    table: dict[tuple[str, str], dict[str, str]] = {}
    shown, last = [], ""
    for group, method in each(METHODS[["group", "method"]].drop_duplicates()):
        found = known[[method in uses[path] for path in known["path"]]]
        if found.empty:
            continue
        here = {c: found[found["chapter"] == c] for c in chapters}
        table[group, method] = {c: ", ".join(map(str, of["number"])) for c, of in here.items()}
        name = f"<b>{escape(group)}</b>" if group != last else ""
        cells = (", ".join(map(_link, of["path"], of["number"])) for of in here.values())
        centred = "".join(f"<td style='text-align:center'>{cell}</td>" for cell in cells)
        shown.append(f"<td>{name}</td><td style='text-align:left'>{escape(method)}</td>{centred}")
        last = group
    frame = pd.DataFrame(table).T
    return Listing(frame, frame.to_string(), _html(["", "method", *chapters], shown))


def methods_of(known: pd.DataFrame) -> dict[Path, set[str]]:
    """Path of a lesson -> names of the methods that its code uses; ``known`` is a table of `lessons`."""
    found: dict[Path, set[str]] = {}
    for path, chapter in zip(known["path"], known["chapter"], strict=True):
        code = "\n".join(_CODE.findall(path.read_text(encoding="utf-8")))
        here = METHODS[METHODS["chapter"].isin(["", chapter])]
        found[path] = {m for m, p in zip(here["method"], here["pattern"], strict=True) if re.search(p, code)}
    return found


def needs(known: pd.DataFrame) -> dict[Path, list[Path]]:
    """Path of a lesson -> everything that has to be read before it, in the order of the book.

    That is the earlier lessons to which its line "You need" links (a link forward only says where something stands), and what
    these need.
    """
    paths: list[Path] = list(known["path"])
    found: dict[Path, list[Path]] = {}
    for k, path in enumerate(paths):
        line = re.search(r"\*\*You need\*\*(.+)$", path.read_text(encoding="utf-8"), re.M)
        links = re.findall(r"\]\(([^)]+)\.ipynb\)", line[1] if line else "")
        linked = {(path.parent / f"{link}.md").resolve() for link in links}
        direct = [p for p in paths[:k] if p.resolve() in linked]
        every = {q for p in direct for q in (*found[p], p)}
        found[path] = [p for p in paths[:k] if p in every]
    return found


def route(sessions: int, minutes: int = 90, folder: Path | None = None) -> list[pd.DataFrame]:
    """Return a way through the workbook: which lessons in which session.

    The start comes first. Then, again and again, the lesson that adds most methods of the map for its minutes, with all that
    it needs (`needs`); further notebooks are left out. The order is that of the book.

    ``sessions`` and ``minutes`` say how many sessions, and how long each is; ``folder`` and its errors are as in `lessons`.
    There are at most as many frames as sessions, each with rows of the table of `lessons` in the order of reading. A
    ValueError if a session is shorter than the first lesson of the start.

    Examples
    --------
    >>> plan = route(4)
    >>> plan[0]["chapter"].iloc[0], all(day["minutes"].sum() <= 90 for day in plan)
    ('start', True)
    """
    known = lessons(folder).table
    before, uses = needs(known), methods_of(known)
    time: dict[Path, int] = dict(zip(known["path"], known["minutes"], strict=True))
    main = [p for p, number in zip(known["path"], known["number"], strict=True) if isinstance(number, int)]
    first = known["path"].iloc[0]
    if sessions < 1 or minutes < time[first]:
        raise ValueError(
            f"{sessions} sessions of {minutes} minutes do not hold the first lesson ({time[first]} minutes)"
        )
    chosen, best = [first], [first]
    while best:
        have = set().union(*(uses[p] for p in chosen))
        best, value = [], 0.0
        for path in main:
            more = [p for p in (*before[path], path) if p not in chosen]
            gain = len(set().union(*(uses[p] for p in more)) - have) if more else 0
            worth = gain / sum(time[p] for p in more) if more else 0.0
            if worth > value and len(_days({*chosen, *more}, time, minutes)) <= sessions:
                best, value = more, worth
        chosen += best
    return [
        known.set_index("path", drop=False).loc[day].reset_index(drop=True)
        for day in _days({*chosen}, time, minutes)
    ]


def _days(chosen: set[Path], time: dict[Path, int], minutes: int) -> list[list[Path]]:
    """Lessons, in the order of the book, put into sessions one after the other."""
    days: list[list[Path]] = [[]]
    for path in (p for p in time if p in chosen):
        if days[-1] and sum(time[p] for p in days[-1]) + time[path] > minutes:
            days.append([])
        days[-1].append(path)
    return days
