"""A deck of slides for each lesson, from its text and stored outputs: nothing is executed, no figure is kept twice.

In this order: the puzzle, what one will be able to do, for each section its guess, its formulas and its figures (what the text
says of a figure is for the speaker, key S), the questions with their answers, what to take away. Where cells of a lesson carry
the tag ``slide``, these outputs are shown in place of all figures. ``?print-pdf`` behind the address, and the browser's
print, give a PDF.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from bookpages.notebooks import Notebook, text_of

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="../../_static/reveal/reveal.css"><link rel="stylesheet" href="../../_static/deck.css">
<script>MathJax = {{tex: {{inlineMath: [["$", "$"]], displayMath: [["$$", "$$"]]}}, options: {{enableMenu: false}}, startup: {{typeset: false}}}}</script>
<script src="../../_static/mathjax/tex-chtml.js"></script></head>
<body><div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="../../_static/reveal/reveal.js"></script><script src="../../_static/reveal/notes.js"></script>
<script>
MathJax.startup.promise.then(() => MathJax.typesetPromise()).then(() =>
  Reveal.initialize({{hash: true, slideNumber: "c/t", width: 1280, height: 720, margin: 0.04, center: false,
                      transition: "none", plugins: [RevealNotes]}}));
</script></body></html>
"""
FORMULA = re.compile(r"\$\$.+?\$\$", re.S)
MATH = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.S)
GUESS = re.compile(r"\*\*[^*\n]*guess[^*\n]*\*\*.*", re.I)
QUESTION = re.compile(r"<details><summary>(?:<b>)?Check yourself\.(?:</b>)?\s*(.*?)</summary>(.*?)\n</details>", re.S)
CHOICE = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", re.S)
LENGTHS = ((600, ""), (950, "long"), (10**6, "longer"))
"""Up to how many characters a slide keeps its size of letters."""


def html(source: str) -> str:
    """Markdown as HTML; formulas are kept from it, links lose their target."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x02{len(kept) - 1}\x03"

    plain = re.sub(r"(?<!!)\[([^\]]+)\]\([^)]+\)", r"\1", source)
    made = MarkdownIt("commonmark").enable("table").render(MATH.sub(keep, plain))
    return re.sub("\x02(\\d+)\x03", lambda found: escape(kept[int(found[1])], quote=False), made)


def slide(head: str, body: str, notes: str = "") -> str:
    """One slide: a heading, HTML, and Markdown for the speaker."""
    length = len(re.sub(r"<[^>]+>", "", body))
    size = next(name for most, name in LENGTHS if length <= most)
    aside = f'<aside class="notes">{html(notes)}</aside>' if notes.strip() else ""
    return f'<section class="{size}"><h2>{html(head)[3:-5]}</h2>{body}{aside}</section>'


def shown(cell: dict[str, Any], images: Path, tables: bool = False) -> Iterator[str]:
    """Figures of a cell's outputs, and on request its tables; pictures that the site has are only named."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data:
            raw = base64.b64decode("".join(data["image/png"]))
            name = f"{hashlib.sha256(raw).hexdigest()}.png"
            there = (images / name).exists()
            source = f"../../_images/{name}" if there else f"data:image/png;base64,{base64.b64encode(raw).decode()}"
            yield f'<img alt="" src="{source}">'
        elif tables and "text/html" in data:
            yield f'<div class="table">{"".join(data["text/html"])}</div>'
        elif tables and "text" in output:
            yield f"<pre>{escape(''.join(output['text']))}</pre>"


def questions(source: str) -> Iterator[str]:
    """For each question of a text a slide that asks and one that answers."""
    for asked, rest in QUESTION.findall(source):
        choices = CHOICE.findall(rest)
        yield slide("Check yourself", html(asked) + html("\n\n".join(choice for choice, _ in choices)))
        told = "\n\n".join(f"**{choice[:2]}** {answer.strip()}" for choice, answer in choices)
        yield slide("Check yourself", html(f"{asked}\n\n{told}"))


def opening(cells: list[dict[str, Any]], images: Path) -> tuple[str, str, list[str], int]:
    """Title, goals, slides of the puzzle, and the number of cells that they take."""
    title, goals, slides, k = "", "", [], 0
    for k, cell in enumerate(cells):
        source = text_of(cell)
        if cell["cell_type"] == "code":
            slides += [slide("The puzzle", part) for part in shown(cell, images, tables=True)]
            continue
        title = title or source.split("\n")[0].removeprefix("# ")
        told = re.split(r"^(?:> |#+ )", re.sub(r"\A# .+\n", "", source), maxsplit=1, flags=re.M)[0]
        slides += [slide("The puzzle", html(told))] if told.strip() else []
        able = re.search(r"\*\*What you will be able to do\.\*\*\s*(.+)", source)
        if able:
            goals = able[1].rstrip(".")
            break
    return title, goals, slides, k


def slides_of(notebook: Notebook, chapter: str, images: Path, notes: str = "") -> list[str]:
    """Slides of a lesson; ``notes`` are for the speaker of the first one."""
    cells = notebook["cells"]
    title, goals, puzzle, used = opening(cells, images)
    marked = any("slide" in cell["metadata"].get("tags", []) for cell in cells)
    first = f'<p class="chapter">{escape(chapter)}</p><p class="voice">Simulated panels: they teach the method and are no evidence.</p>'
    slides = [f'<section class="first"><h1>{html(title)[3:-5]}</h1>{first}<aside class="notes">{html(notes)}</aside></section>']
    points = "\n".join(f"- {point[0].upper()}{point[1:]}" for point in re.split(r";\s*", goals) if point)
    slides += [*puzzle, slide("What you will be able to do", html(points))]
    head, lead = title, ""
    for k, cell in enumerate(cells[used:], used):
        source = text_of(cell)
        if cell["cell_type"] == "code":
            told = text_of(cells[k + 1]).split("\n\n")[0] if k + 1 < len(cells) else ""
            wanted = not marked or "slide" in cell["metadata"].get("tags", [])
            figures = list(shown(cell, images, tables=marked)) if wanted else []
            if figures and lead:
                slides.append(slide(head, html(lead)))
                lead = ""
            slides += [slide(head, figure, "" if told.startswith(("<", "#")) else told) for figure in figures]
            continue
        for part in re.split(r"^(?=## )", source, flags=re.M):
            found = re.match(r"## (.+)", part)
            head = found[1] if found else head
            formulas = FORMULA.findall(re.sub(r"<details>.*?\n</details>", "", part, flags=re.S))
            slides += [slide(head, html("\n\n".join(formulas[:3])))] if formulas else []
            guess = GUESS.search(part)
            lead = guess[0] if guess else lead
            slides += questions(part)
            away = re.search(r"> \*\*Key takeaways\.\*\*\s*(.+)", part)
            slides += [slide("To take away", html(away[1]))] if away else []
    return slides


def teaching(text: str) -> dict[str, str]:
    """Sections of an instructor's page by the number of their lesson."""
    parts = re.split(r"^## (\w+) .*$", text, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def deck(notebook: Notebook, chapter: str, images: Path, notes: str = "") -> str:
    """The page of a lesson's slides."""
    title = text_of(notebook["cells"][0]).split("\n")[0].removeprefix("# ")
    return PAGE.format(title=escape(title), slides="\n".join(slides_of(notebook, chapter, images, notes)))
