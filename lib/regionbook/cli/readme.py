"""The parts of README.md that `sync` writes between their markers: lessons, routes through them, the scorecard."""

import re
from collections.abc import Callable
from pathlib import Path

from regionbook.catalogue import lessons, route
from regionbook.cli import score
from regionbook.data import papers
from regionbook.paths import ROOT

PART = re.compile(r"(<!-- (\w+), written by sync -->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def chapter_name(chapter: str) -> str:
    """What a reader calls the chapter of a slug."""
    words = chapter.replace("-", " ").capitalize()
    return re.sub(r"\b(ai|tfp)\b", lambda found: found.group().upper(), words, flags=re.IGNORECASE)


def _link(path: Path, words: str) -> str:
    return f"[{words}]({path.with_suffix('.ipynb').relative_to(ROOT).as_posix()})"


def lesson_list() -> str:
    """A row a chapter, with the paper behind it, its lessons and their minutes; folded, what each lesson teaches."""
    here, listed = lessons().table, papers()
    rows = ["| chapter | lessons | minutes, with further |", "|---|---|---|"]
    every = ["| lesson | minutes | you learn, first of all, to |", "|---|---|---|"]
    for chapter, of in here.groupby("chapter", sort=False):
        main: list[str] = []
        further: list[str] = []
        for number, title, minutes, able, path in of.drop(columns="chapter").itertuples(index=False):
            kept, words = (main, f"{number} {title}") if isinstance(number, int) else (further, str(number))
            kept.append(_link(path, words))
            first = re.split(r"[;.](?= |$)", able)[0]  # the lesson itself has the rest
            able = first[0].lower() + first[1:]
            every.append(
                f"| {chapter_name(chapter)} · {_link(path, f'{number} {title}')} | {minutes} | {able} |"
            )
        more = f"<br>further: {', '.join(further)}" if further else ""
        who = (
            (f"<br>{listed.at[chapter, 'authors_zh']} ({listed.at[chapter, 'year']})")
            if chapter in listed.index
            else ""
        )
        rows.append(
            f"| **{chapter_name(chapter)}**{who} | {'<br>'.join(main)}{more} | {of['minutes'].sum()} |"
        )
    rest = len(set(listed.index) - set(here["chapter"]))
    text = f"\nThe printed numbers of {rest} more papers are here already (`data/published/`), without chapters yet.\n"
    folded = "\n<details><summary>Every lesson: minutes, and what you learn</summary>\n\n"
    return "\n".join(rows) + f"\n{text if rest else ''}{folded}" + "\n".join(every) + "\n\n</details>\n"


def routes() -> str:
    """A day and a term: which lessons, in an order in which nothing comes before what it needs."""
    text = ""
    for title, word, sessions in (("One day", "session", 4), ("Twelve weeks", "week", 12)):
        text += f"\n**{title}**, {sessions} times 90 minutes of reading:\n\n| {word} | lessons | minutes |\n|---|---|---|\n"
        for k, day in enumerate(route(sessions), 1):
            names = [
                _link(path, f"{chapter_name(chapter)} {number}")
                for chapter, number, path in day[["chapter", "number", "path"]].itertuples(index=False)
            ]
            text += f"| {k} | {', '.join(names)} | {day['minutes'].sum()} |\n"
    return text


PARTS: dict[str, Callable[[], str]] = {"lessons": lesson_list, "routes": routes, "scorecard": score.table}
"""Name of a part, as its markers have it, and what writes it."""


def written(text: str) -> str:
    """The text with every part written anew."""
    return PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}{found[3]}", text)


def write(root: Path = ROOT) -> None:
    """Bring README.md in step; nothing where there is none, or while lessons contradict one another."""
    path = root / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        new = written(text)
    except ValueError as error:
        print(f"README.md stays as it is: {error}")
        return
    if text and new != text:
        path.write_text(new, encoding="utf-8", newline="\n")
