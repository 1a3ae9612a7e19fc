"""One page on a class: distribution, hardest tasks, commonest mistakes by name, time, and what wants a lecturer's eye."""

import ast
from collections import defaultdict
from html import escape
from pathlib import Path
from statistics import mean, median
from typing import Any

from regionbook.grading.feedback import page, said, table
from regionbook.grading.points import Class, tame


def mistakes_of(solution: Any) -> list[str]:
    """What a solution (a notebook) says of usual mistakes: the texts of its ``rb.mistake`` calls."""
    found: dict[str, None] = {}
    for cell in solution.cells:
        if cell.cell_type != "code" or "rb.mistake(" not in cell.source:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            named = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "mistake"
            )
            if named and node.args and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                found[str(node.args[0].value)] = None  # type: ignore[attr-defined]
    return list(found)


def common(group: Class, mistakes: dict[str, list[str]]) -> list[tuple[int, str, str, str]]:
    """Mistakes by how many students made them: (students, exercise, task, text); those with a name first."""
    who: dict[tuple[bool, str, str, str], set[str]] = defaultdict(set)
    for row in group.rows:
        for name, sheet in row.sheets.items():
            for cell, text in sheet.notes:
                named = [m for m in mistakes.get(name, []) if m in text]
                if cell in sheet.maximum and not sheet.points.get(cell):
                    what = named[0] if named else said(text).split(": ")[-1][:120]
                    who[bool(named), name, cell, what].add(row.key)
    found = [(named, len(keys), name, cell, text) for (named, name, cell, text), keys in who.items()]
    return [rest for _, *rest in sorted(found, key=lambda f: (not f[0], -f[1], *f[2:]))]  # type: ignore[misc]


def bars(shares: list[float], title: str) -> str:
    """A histogram of shares between 0 and 1 in ten bins, as SVG with its numbers written out."""
    count = [0] * 10
    for share in shares:
        count[min(9, int(share * 10 + 1e-9))] += 1
    top = max(count, default=0) or 1
    parts = []
    for k, n in enumerate(count):
        high = 120 * n / top
        parts.append(
            f'<rect x="{k * 50 + 4}" y="{140 - high:.1f}" width="42" height="{high:.1f}" fill="#2166ac"/>'
        )
        parts.append(f'<text x="{k * 50 + 25}" y="{135 - high:.1f}" text-anchor="middle">{n or ""}</text>')
        parts.append(f'<text x="{k * 50 + 25}" y="155" text-anchor="middle">{k * 10}–{k * 10 + 10}</text>')
    said = f"{title}: " + ", ".join(
        f"{k * 10} to {k * 10 + 10} per cent {n}" for k, n in enumerate(count) if n
    )
    return f'<svg viewBox="0 0 504 160" width="100%" role="img" aria-label="{escape(said)}">{"".join(parts)}</svg>'


def tasks(group: Class) -> list[list[str]]:
    """Tasks from the hardest to the easiest: mean share of the points over who handed in, and who got none."""
    found = []
    for name, cells in group.maxima.items():
        for cell, most in cells.items():
            got = [
                row.hand.get((name, cell)) if cell in sheet.by_hand else sheet.points.get(cell, 0.0)
                for row in group.rows
                if (sheet := row.sheets.get(name))
            ]
            read = [p for p in got if p is not None]
            if read and most:
                none = sum(p == 0 for p in read)
                found.append(
                    (
                        mean(read) / most,
                        [name, cell, f"{100 * mean(read) / most:.0f} %", f"{none} of {len(read)}"],
                    )
                )
    return [line for _, line in sorted(found)]


def report(group: Class, mistakes: dict[str, list[str]], pages: dict[str, Path]) -> str:
    """The page of the class.

    Parameters
    ----------
    group
        The class, as `points.gather` and `points.read_hand` made it.
    mistakes
        By exercise the texts of `mistakes_of`.
    pages
        Feedback pages by the row's key; the list of students links to them.

    Returns
    -------
    str
        HTML that loads nothing.
    """
    there = [row for row in group.rows if row.sheets]
    held = [(row, name) for row in there for name in row.held if not row.paid]
    totals = [group.total(row) for row in there]
    open_points = sum(row.to_read() for row in there)
    parts = [
        f"<p>{len(group.rows)} students, {len(there)} handed in something, {len(group.failed)} files not graded."
    ]
    if totals:
        parts.append(
            f" Points that count: median {median(totals):g}, mean {mean(totals):.1f}, of {group.most:g}."
        )
    if open_points:
        parts.append(
            f" {open_points:g} points wait for a reader: fill in the columns “by hand” of points.csv."
        )
    parts.append("</p>")
    for name in group.maxima:
        got = [p for row in there if (p := row.counted(name)) is not None]
        parts.append(
            f"<h2>{escape(name)}</h2><p>{len(got)} sheets that count; per cent of {group.maximum(name):g} points:</p>"
        )
        parts.append(bars([p / group.maximum(name) for p in got], name))
        seconds = [sheet.seconds for row in there if (sheet := row.sheets.get(name))]
        parts.append(
            f"<p>Time to run and judge a sheet: median {median(seconds):.0f} s, longest {max(seconds):.0f} s.</p>"
        )
    parts.append("<h2>Hardest tasks first</h2>")
    parts.append(table(["exercise", "task", "mean share of the points", "none"], tasks(group), (2, 3)))
    parts.append("<h2>Commonest mistakes</h2>")
    known = [[f"{n}", name, cell, tame(text)] for n, name, cell, text in common(group, mistakes)[:25]]
    parts.append(
        table(["students", "exercise", "task", "what was said"], known, (0,)) if known else "<p>None.</p>"
    )
    parts.append("<h2>Held back</h2>")
    why = [
        [row.student.label or row.key, f"{row.points(n):g}", tame("; ".join(row.held[n]))] for row, n in held
    ]
    parts.append(table(["student", "points", "why"], why, (1,)) if why else "<p>Nothing.</p>")
    parts.append(
        "<p>Write yes in the column “pay held” of points.csv and report again, if you are content.</p>"
        if why
        else ""
    )
    parts.append("<h2>For your eye</h2><p>No verdict: pairs who worked side by side look like this too.</p>")
    parts.append(
        "".join(f"<p>{escape(tame(pair))}</p>" for pair in group.alike) or "<p>Nothing stands out.</p>"
    )
    if group.failed:
        parts.append("<h2>Not graded</h2>")
        parts.append(table(["file", "why"], [[tame(r.file), tame(r.failed)] for r in group.failed]))
    parts.append("<h2>Students</h2>")
    for row in group.rows:
        name = escape(tame(row.student.label or row.key))
        if row.key in pages:
            name = f'<a href="feedback/{escape(pages[row.key].name)}">{name}</a>: {group.total(row):g}'
        parts.append(
            f"<p>{name}{'' if row.sheets else ': nothing handed in'}{escape('; ' + '; '.join(row.notes)) if row.notes else ''}</p>"
        )
    return page("Class report", "".join(parts))
