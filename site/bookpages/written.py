"""Pages that are written anew for each site: papers with their scorecard and audit, the library, the first page."""

import importlib
import re
from pathlib import Path
from typing import Any

import pandas as pd

import regionbook as rb
from regionbook import registry
from regionbook.cli.readme import chapter_name
from regionbook.comparison import MARKS
from regionbook.data import papers
from regionbook.paths import ROOT

ROOMS = {
    "data": "Panels, printed numbers, truth", "geo": "Places, distances, maps", "index": "Indices",
    "models": "Estimators and tests", "plots": "Figures", "tables": "Tables", "widgets": "Widgets",
}  # fmt: skip
START = "How to use the workbook, read a paper, and tell three kinds of data apart."
IMPOSED = (
    "Free ones lead: nothing was set to them. Imposed ones agree because the simulated panel was calibrated to print; they\n"
    "say nothing about China or about the paper. [How numbers are judged](../README.md#how-sure-can-you-be).\n\n"
)

SECTIONS = ("Parameters", "Returns", "Raises", "Attributes")


def entries(lines: list[str]) -> list[str]:
    """Entries of a docstring in one line, ``name : kind; meaning`` and ``ValueError: when``, in the two that napoleon reads."""
    out: list[str] = []
    inside = False
    for k, line in enumerate(lines):
        if k + 1 < len(lines) and re.fullmatch(r"-{3,}", lines[k + 1]):
            inside = line in SECTIONS
        apart = (
            re.fullmatch(r"(\S.* : .+?|[A-Z][^;:]*); (.+)|((?:\w+(?:Error|Warning),? ?)+): (.+)", line)
            if inside
            else None
        )
        out += [line] if apart is None else [apart[1] or apart[3], f"    {apart[2] or apart[4]}"]
    return out


def write(path: Path, text: str) -> None:
    """Write a page of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def html(frame: pd.DataFrame, kind: str = "") -> str:
    """A table of text as a page can hold it."""
    table = frame.to_html(index=False, border=0, na_rep="", classes="dataframe")
    return f'```{{raw}} html\n<div class="scroll {kind}">{table}</div>\n```\n'


def folded(summary: str, body: str) -> str:
    """A closed drop-down."""
    return f":::::{{dropdown}} {summary}\n{body}\n:::::\n"


def toctree(entries: list[tuple[str, str]], caption: str = "", depth: int = 1) -> str:
    """A hidden list of pages, which becomes a part of the sidebar."""
    lines = [":hidden:", f":maxdepth: {depth}", *([f":caption: {caption}"] if caption else []), ""]
    return "\n".join(
        ["", "```{toctree}", *lines, *(f"{name} </{page}>" for name, page in entries), "```", ""]
    )


def list_of_lessons(rows: pd.DataFrame, out: Path) -> tuple[str, list[tuple[str, str]]]:
    """Lessons of a chapter with minutes, slides and sheet; the same, sheets last, for the sidebar."""
    lines, inside, sheets = ["| | lesson | minutes | | |", "|---|---|--:|---|---|"], [], []
    for row in rows.itertuples():
        place = f"{row.path.parent.name}/{row.path.stem}"
        inside.append((f"{row.number} {row.title}", f"chapters/{place}"))
        slides, own = f'<a href="../slides/{place}.html">slides</a>', ""
        if (out / "exercises" / f"{place}.ipynb").exists():
            sheets.append((f"Exercises {row.number}", f"exercises/{place}"))
            own = f"[exercises](../exercises/{place}.ipynb)"
        lines.append(
            f"| {row.number} | [{row.title}](../chapters/{place}.ipynb) | {row.minutes} | {slides} | {own} |"
        )
    folder = rows["path"].iloc[0].parent.name
    if (out / f"solutions/{folder}/teaching.md").exists():
        sheets.append(("Teaching this chapter", f"solutions/{folder}/teaching"))
    return "\n".join(lines) + "\n\n", inside + sheets


def tally(cells: list[dict[str, Any]]) -> str:
    """What became of each printed number of a paper: counts, the telling ones one by one, the others folded away."""
    if not cells:
        return ""
    rows = pd.DataFrame(cells)
    counts = rows["mark"].value_counts()
    text = f"## Scorecard\n\n{len(rows):,} numbers are printed.\n\n"
    if set(counts.index) - {"not_attempted", "not_computable"}:
        heads = {f"{MARKS[m][1]} {MARKS[m][0]}": [f"{counts.get(m, 0):,}"] for m in MARKS}
        text += IMPOSED + html(pd.DataFrame(heads), "counts")
    for mark, (symbol, word) in MARKS.items():
        some = rows[rows["mark"] == mark]
        shown = pd.DataFrame({
            "table": some["table"], "column": some["column"], "row": some["term"],
            "printed": some["printed"].map("{:g}".format), "ours": some["own"].map("{:.4g}".format, na_action="ignore"),
            "remark": some["reason"],
        })  # fmt: skip
        if len(some):
            text += folded(f"{symbol} {word}: {len(some):,}", html(shown.loc[:, shown.ne("").any()]))
    return text


def audited(slug: str) -> str:
    """What the audit asks about the printed tables."""
    found = rb.audit(slug)
    text = "## Audit of the printed tables\n\n"
    if found.empty:
        return text + "The checks of `rb.audit` find nothing to ask.\n"
    text += (
        f"`rb.audit` compares the tables with themselves and has {len(found)} question{'s' * (len(found) > 1)}. A finding is a\n"
        "question to the authors, not a verdict: a table may leave out what would explain it.\n\n"
    )
    return text + html(found[["table", "column", "term", "kind", "printed", "expected", "message"]])


def paper_page(slug: str, rows: pd.DataFrame, cells: list[dict[str, Any]], out: Path) -> None:
    """The page of a chapter and its paper: card, lessons, scorecard, audit."""
    text = f"# {chapter_name(slug)}\n\n"
    if slug in registry.papers():
        text += f'```{{raw}} html\n<div class="paper scroll">{rb.card(slug)._repr_html_()}</div>\n```\n\n'
    elif slug in papers().index:
        p = papers().loc[slug]
        text += f"{p.authors_zh} ({p.authors_en}), {p.year}. {p.title_zh} / {p.title_en}. {p.journal}, {p.pages}.\n\n"
        text += "Its printed numbers are here; its lessons are to come.\n\n"
    if len(rows):
        shown, inside = list_of_lessons(rows, out)
        text += f"## Lessons\n\n{shown}{toctree(inside)}\n"
    if slug in papers().index:
        text += tally(cells) + audited(slug)
    write(out / "papers" / f"{slug}.md", text)


def api(out: Path) -> list[tuple[str, str]]:
    """Pages of the library, by room, from its docstrings."""
    pages = []
    for room, title in ROOMS.items():
        module = importlib.import_module(f"regionbook.{room}")
        text = f"# {title}\n\n```{{eval-rst}}\n.. automodule:: regionbook.{room}\n\n"
        for name, thing in vars(module).items():
            home = getattr(thing, "__module__", None) or ""
            if not name.startswith("_") and home.startswith(module.__name__) and callable(thing):
                kind = "autoclass" if isinstance(thing, type) else "autofunction"
                text += f".. {kind}:: regionbook.{room}.{name}\n" + "   :members:\n" * (kind == "autoclass")
        write(out / "api" / f"{room}.md", text + "```\n")
        pages.append((f"rb.{room}", f"api/{room}"))
    names = [name for name in rb.__all__ if callable(getattr(rb, name))]
    text = "# The library\n\n`import regionbook as rb` offers:\n\n```{eval-rst}\n"
    text += "".join(f".. autofunction:: regionbook.{name}\n" for name in names) + "```\n"
    write(out / "api" / "regionbook.md", text + toctree(pages))
    return [("Library", "api/regionbook")]


def home(known: pd.DataFrame, out: Path, reference: list[tuple[str, str]]) -> None:
    """The first page: what it is, a card for each chapter; its lists of pages make the sidebar."""
    about = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    text, picture = about.split("\n![")
    text += (
        "\n[Begin](chapters/00-start/1-how-to-use.ipynb) · [Glossary](chapters/glossary.md) · "
        "[Two commands](README.md) set everything up on your machine.\n\n:::::{grid} 1 2 2 3\n:gutter: 3\n"
    )
    begun = list(known["chapter"].unique())
    for slug in begun:
        rows = known[known["chapter"] == slug]
        question = papers()["question"].get(slug, START)
        foot = f"{len(rows)} lessons, {rows['minutes'].sum() / 60:.0f} hours"
        text += f"\n::::{{grid-item-card}} {chapter_name(slug)}\n:link: papers/{slug}\n:link-type: doc\n\n{question}\n\n:::{{card-footer}}\n{foot}\n:::\n::::\n"
    later = [slug for slug in papers().index if slug not in begun]
    text += (
        ":::::\n\n![" + picture + toctree([(chapter_name(s), f"papers/{s}") for s in begun], "Chapters", 2)
    )
    text += toctree([(chapter_name(s), f"papers/{s}") for s in later], "Papers to come") if later else ""
    write(out / "index.md", text + toctree(reference, "Reference"))
