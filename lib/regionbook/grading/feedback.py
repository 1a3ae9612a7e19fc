"""What a student is given back: one HTML page, offline, with the points and what was said at each task."""

import re
from html import escape
from pathlib import Path

from regionbook.grading.points import Class, Row, loose, tame

STYLE = """<style>
body{font:16px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .7rem;border-bottom:1px solid #bbb;text-align:left;
vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.note{background:#fff3d6;padding:.5rem 1rem}
svg text{font-size:11px}small{color:#555}
</style>"""

HELD = (
    "These points are held back for now: the number in the sheet is missing or not yours, somebody else stated it too, "
    "or there are two files of one sheet. Your lecturer can clear it up with you."
)
"""Other students' names are nobody's business."""


def page(title: str, body: str) -> str:
    """A whole HTML page that loads nothing from anywhere."""
    title = tame(title)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}{STYLE}</head><body><h1>{escape(title)}</h1>{body}</body></html>\n'


def table(heads: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """An HTML table of texts; ``numbers`` are columns that stand to the right. Without rows, "Nothing."."""
    if not rows:
        return "<p>Nothing.</p>"

    def line(cells: list[str], tag: str) -> str:
        kinds = [f'{tag} class="n"' if k in numbers else tag for k in range(len(cells))]
        return "".join(f"<{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table><tr>{line(heads, 'th')}</tr>{body}</table>"


def said(text: str) -> str:
    """A note as a student may read it: without the name of the exception, tamed."""
    return tame(re.sub(r"^(?:NotYet: )?(?:✗ )?Not yet \(还不对\): ", "Not yet: ", text)).removeprefix("'")


def feedback(row: Row, group: Class) -> str:
    """The page of one student."""
    parts = []
    for name, sheet in row.sheets.items():
        lines = []
        for cell, most in sheet.maximum.items():
            got = row.got(name, cell)
            notes = "; ".join(said(text) for at, text in sheet.notes if at == cell)
            lines.append([cell, "to be read" if got is None else f"{got:g}", f"{most:g}", notes])
        points = row.points(name) or 0.0
        parts.append(f"<h2>{escape(name)}: {points:g} of {group.maximum(name):g}</h2>")
        if row.held.get(name) and not row.paid:
            parts.append(f'<p class="note">{HELD}</p>')
        parts.append(table(["task", "points", "of", "what was said"], lines, (1, 2)))
        parts += [f"<p><small>{escape(note)}</small></p>" for note in map(said, loose(sheet))]
    missing = [name for name in group.maxima if name not in row.sheets]
    if missing:
        parts.append(f"<p>Not handed in: {escape(', '.join(missing))}.</p>")
    return page(f"{row.label}: {group.total(row):g} of {group.most:g}", "".join(parts))


def write_feedback(group: Class, folder: Path) -> dict[str, Path]:
    """A page for each student who handed something in, by the row's key; their names are safe on every system."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    for row in group.rows:
        if row.sheets:
            name = re.sub(r"[^\w-]+", "-", f"{row.student.number}-{row.student.name}").strip("-")[:60]
            twin = folder / f"{name}.html" in made.values()
            made[row.key] = folder / (f"{name}-{len(made)}.html" if twin else f"{name}.html")
            made[row.key].write_text(feedback(row, group), encoding="utf-8", newline="\n")
    return made
