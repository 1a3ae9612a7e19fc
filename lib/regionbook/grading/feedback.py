"""What a student is given back: one HTML page, offline, with the points and what was said at each task."""

import re
from html import escape
from pathlib import Path

from regionbook.grading.points import Class, Row, tame

STYLE = """<style>
body{font:16px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .7rem;border-bottom:1px solid #bbb;text-align:left;
vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.note{background:#fff3d6;padding:.5rem 1rem}
svg text{font-size:11px}small{color:#555}
</style>"""


def page(title: str, body: str) -> str:
    """A whole HTML page that loads nothing from anywhere."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}{STYLE}</head><body><h1>{escape(title)}</h1>{body}</body></html>\n'


def table(heads: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """An HTML table of texts; ``numbers`` are columns that stand to the right."""

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
            got = row.hand.get((name, cell)) if cell in sheet.by_hand else sheet.points.get(cell)
            notes = "; ".join(said(text) for at, text in sheet.notes if at == cell)
            lines.append([cell, "to be read" if got is None else f"{got:g}", f"{most:g}", notes])
        loose = [
            f"{at}: {said(text)}" if at else said(text) for at, text in sheet.notes if at not in sheet.maximum
        ]
        points = row.points(name) or 0.0
        parts.append(f"<h2>{escape(name)}: {points:g} of {group.maximum(name):g}</h2>")
        if row.held.get(name) and not row.paid:
            why = "; ".join(row.held[name])
            parts.append(
                f'<p class="note">These points are held back until they are cleared up: {escape(tame(why))}.</p>'
            )
        parts.append(table(["task", "points", "of", "what was said"], lines, (1, 2)))
        parts += [f"<p><small>{escape(note)}</small></p>" for note in loose]
    missing = [name for name in group.maxima if name not in row.sheets]
    if missing:
        parts.append(f"<p>Not handed in: {escape(', '.join(missing))}.</p>")
    return page(f"{row.student.label or row.key}: {group.total(row):g} of {group.most:g}", "".join(parts))


def file_name(row: Row) -> str:
    """Name of a student's page: readable, safe on every system."""
    return re.sub(r"[^\w-]+", "-", f"{row.student.number}-{row.student.name}").strip("-")[:80] + ".html"


def write_feedback(group: Class, folder: Path) -> dict[str, Path]:
    """A page for each student who handed something in, by the row's key."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for row in group.rows:
        if row.sheets:
            made[row.key] = folder / file_name(row)
            made[row.key].write_text(feedback(row, group), encoding="utf-8", newline="\n")
    return made
