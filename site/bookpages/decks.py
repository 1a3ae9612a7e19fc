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
<script src="../../_static/mathjax/tex-chtml-full.js"></script></head>
<body><div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="../../_static/reveal/reveal.js"></script><script src="../../_static/reveal/notes.js"></script>
<script>
const fit = (s) => {{
  for (let size = 29; size > 12 && (s.scrollHeight > s.clientHeight || s.scrollWidth > s.clientWidth); size--)
    s.style.fontSize = size + "px";
}};
Reveal.on("ready", (e) => fit(e.currentSlide));
Reveal.on("slidechanged", (e) => fit(e.currentSlide));
Reveal.on("pdf-ready", () => document.querySelectorAll(".slides section").forEach(fit));
MathJax.startup.promise.then(() => MathJax.typesetPromise()).then(() =>
  Reveal.initialize({{hash: true, slideNumber: "c/t", width: 1280, height: 720, margin: 0.04, center: false,
                      display: "flex", transition: "none", plugins: [RevealNotes]}}));
</script></body></html>
"""
VOICE = "Simulated panels: they teach the method and are no evidence."
FORMULA = re.compile(r"\$\$.+?\$\$", re.S)
MATH = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.S)
GUESS = re.compile(r"^[^>#\n].*\*\*[^*\n]*guess[^*\n]*\*\*.*|^\*\*[^*\n]*guess[^*\n]*\*\*.*", re.I | re.M)
QUESTION = re.compile(r"([^\n]+)\n\s*((?:<details><summary>[A-E]\. .*?</details>\s*){2,})", re.S)
LABEL = re.compile(
    r"^(?:<details><summary>)?\s*(?:(?:<b>|\*+)(?:Check|Multiple)[^<*]*(?:</b>|\*+))?\s*|</summary>\s*$"
)
ABLE = re.compile(r"\*\*What you will be able to do\.\*\*\s*(.+)")
TAKEAWAYS = re.compile(r"> \*\*Key takeaways\.\*\*\s*(.+)")
SHEET = re.compile(r"\*\*Exercises:\*\*\s*(\[.+?\]\(.+?\))")
CHOICE = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", re.S)


def html(source: str) -> str:
    """Markdown as HTML; formulas are kept from it, links lose their target."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x02{len(kept) - 1}\x03"

    plain = re.sub(r"</?a\b[^>]*>", "", re.sub(r"(?<!!)\[([^\]]+)\]\([^)]+\)", r"\1", source))
    made = MarkdownIt("commonmark").enable("table").render(MATH.sub(keep, plain))
    return re.sub("\x02(\\d+)\x03", lambda found: escape(kept[int(found[1])], quote=False), made)


def slide(head: str, body: str, notes: str = "") -> str:
    """One slide: a heading, HTML, and Markdown for the speaker."""
    aside = f'<aside class="notes">{html(notes)}</aside>' if notes.strip() else ""
    return f"<section><h2>{html(head)[3:-5]}</h2>{body}{aside}</section>"


def shown(cell: dict[str, Any], images: Path, tables: bool = False) -> Iterator[str]:
    """Figures of a cell's outputs, the guess that it asks for, and on request its tables; pictures that the site has are
    only named."""
    asks = "rb.guess(" in text_of(cell)
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data:
            raw = base64.b64decode("".join(data["image/png"]))
            name = f"{hashlib.sha256(raw).hexdigest()}.png"
            inside = f"data:image/png;base64,{base64.b64encode(raw).decode()}"
            place = f"../../_images/{name}"
            yield f'<img alt="figure of the lesson" src="{place if (images / name).exists() else inside}">'
        elif (tables or asks) and "text/html" in data:
            yield f'<div class="table">{"".join(data["text/html"])}</div>'
        elif tables and "text" in output:
            yield f"<pre>{escape(''.join(output['text']))}</pre>"


def questions(source: str) -> Iterator[str]:
    """For each question of a text a slide that asks and one that answers; the line above the choices is the question."""
    for line, rest in QUESTION.findall(re.sub(r"^> ?", "", source, flags=re.M)):
        asked, choices = LABEL.sub("", line), CHOICE.findall(rest)
        yield slide("Check yourself", html(asked) + html("\n\n".join(choice for choice, _ in choices)))
        told = "\n\n".join(f"**{choice[:2]}** {answer.strip()}" for choice, answer in choices)
        yield slide("Check yourself", html(f"{asked}\n\n{told}"))


def opening(cells: list[dict[str, Any]], images: Path) -> tuple[str, str, list[str], int]:
    """Title, goals, slides of the puzzle, and the number of cells that they take."""
    used = next(k for k, cell in enumerate(cells) if ABLE.search(text_of(cell)))
    title, text = text_of(cells[0]).split("\n")[0].removeprefix("# "), ""
    slides: list[str] = []
    for cell in cells[: used + 1]:
        if cell["cell_type"] == "code":  # what it shows stands below the text that leads to it
            slides += [slide("The puzzle", text + part) for part in shown(cell, images, tables=True)]
            text = "" if slides else text
            continue
        told = re.sub(r"\A# .+\n", "", text_of(cell))
        text += html(re.split(r"^(?:> |#+ )", told, maxsplit=1, flags=re.M)[0])
    found = ABLE.search(text_of(cells[used]))
    goals = found[1].rstrip(".") if found else ""
    return title, goals, slides + [slide("The puzzle", text)] * bool(text), used


def formulas(text: str, head: str) -> list[str]:
    """A slide of each display formula with the paragraph that leads to it."""
    parts = re.split(r"\n\s*\n", re.sub(r"<details>.*?\n</details>", "", text, flags=re.S))
    slides = []
    for before, part in zip(["", *parts], parts, strict=False):
        if FORMULA.match(part.strip()):
            told = "" if before.startswith(("#", ">", "|", "<", "$", "-")) or len(before) > 500 else before
            slides.append(slide(head, html(f"{told}\n\n{part}")))
    return slides


def slides_of(notebook: Notebook, chapter: str, images: Path, notes: str = "") -> list[str]:
    """Slides of a lesson; ``notes`` are for the speaker of the first one."""
    cells = notebook["cells"]
    title, goals, puzzle, used = opening(cells, images)
    marked = any("slide" in cell["metadata"].get("tags", []) for cell in cells)
    first = (
        f'<h1>{html(title)[3:-5]}</h1><p class="chapter">{escape(chapter)}</p><p class="voice">{VOICE}</p>'
    )
    slides = [f'<section class="first">{first}<aside class="notes">{html(notes)}</aside></section>', *puzzle]
    points = (point[:1].upper() + point[1:] for point in re.split(r";\s*", goals))
    slides.append(slide("What you will be able to do", html("\n".join(f"- {point}" for point in points))))
    head = title
    for k, cell in enumerate(cells[used:], used):
        if cell["cell_type"] == "code":
            told = next((text_of(c).split("\n\n")[0] for c in cells[k:] if c["cell_type"] == "markdown"), "")
            told = "" if told.startswith(("<", "#", ">")) else told
            if not marked or "slide" in cell["metadata"].get("tags", []) or "rb.guess(" in text_of(cell):
                slides += [slide(head, figure, told) for figure in shown(cell, images, tables=marked)]
            continue
        for part in re.split(r"^(?=## )", text_of(cell), flags=re.M):
            found = re.match(r"## (.+)", part)
            head = found[1] if found else head
            slides += formulas(part, head)
            slides += [slide(head, html(guess)) for guess in GUESS.findall(part)]
            slides += questions(part)
            slides += [slide("To take away", html(away)) for away in TAKEAWAYS.findall(part)]
            slides += [slide("Your turn", html(sheet)) for sheet in SHEET.findall(part)]
    return slides


def teaching(text: str) -> dict[str, str]:
    """Sections of an instructor's page by the number of their lesson."""
    parts = re.split(r"^## (\w+) .*$", text, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def deck(notebook: Notebook, chapter: str, images: Path, notes: str = "") -> str:
    """The page of a lesson's slides."""
    title = text_of(notebook["cells"][0]).split("\n")[0].removeprefix("# ")
    return PAGE.format(
        title=escape(re.sub("[$*`]", "", title)),
        slides="\n".join(slides_of(notebook, chapter, images, notes)),
    )
