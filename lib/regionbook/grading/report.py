"""One page on a class: distribution, hardest tasks, commonest mistakes by name, time, and what wants a lecturer's eye."""

import ast
from collections import defaultdict
from html import escape
from pathlib import Path
from statistics import mean, median
from typing import Any

from regionbook.grading.feedback import page, said, table
from regionbook.grading.points import Class, shown, tame


def mistakes_of(solution: Any) -> list[str]:
    """What a solution (a notebook) says of usual mistakes: the texts of its ``rb.mistake`` calls."""
    found: dict[str, None] = {}
    for cell in solution.cells:
        if cell.cell_type != "code" or "rb.mistake(" not in cell.source:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            called = isinstance(node, ast.Call) and ast.unparse(node.func) == "rb.mistake"
            texts = node.args[:1] if called else []  # type: ignore[attr-defined]
            found |= {str(text.value): None for text in texts if isinstance(text, ast.Constant)}
    return list(found)


def common(group: Class, mistakes: dict[str, list[str]]) -> list[tuple[int, str, str, str]]:
    """Mistakes by how many students made them: (students, exercise, task, text); those with a name first."""
    who: dict[tuple[bool, str, str, str], set[str]] = defaultdict(set)
    for row in group.rows:
        for name, sheet in row.sheets.items():
            for cell, text in sheet.notes:
                named = [m for m in mistakes.get(name, []) if m in text]
                if cell in sheet.maximum and not sheet.points.get(cell):
                    what = max(named, key=len) if named else said(text).split(": ")[-1][:120]
                    who[bool(named), name, cell, what].add(row.key)
    found = [(named, len(keys), name, cell, text) for (named, name, cell, text), keys in who.items()]
    return [rest for _, *rest in sorted(found, key=lambda f: (not f[0], -f[1], *f[2:]))]  # type: ignore[misc]


def bars(shares: list[float], title: str) -> str:
    """A histogram of shares between 0 and 1 in ten bins, as SVG with its numbers written out."""
    count = [0] * 10
    for share in shares:
        count[min(9, int(share * 10 + 1e-9))] += 1
    unit, parts = 120 / max(1, *count), []
    for k, n in enumerate(count):
        x, y = 50 * k + 4, 140 - n * unit
        parts.append(f'<rect x="{x}" y="{y:.1f}" width="42" height="{n * unit:.1f}" fill="#2166ac"/>')
        parts.append(f'<text x="{x + 21}" y="{y - 5:.1f}" text-anchor="middle">{n or ""}</text>')
        parts.append(f'<text x="{x + 21}" y="155" text-anchor="middle">{k * 10}–{k * 10 + 10}</text>')
    told = ", ".join(f"{k * 10} to {k * 10 + 10} per cent {n}" for k, n in enumerate(count) if n)
    about = f'role="img" aria-label="{escape(f"{title}: {told}")}"'
    return f'<svg viewBox="0 0 504 160" width="100%" {about}>{"".join(parts)}</svg>'


def tasks(group: Class) -> list[list[str]]:
    """Tasks from the hardest to the easiest: mean share of the points over who handed in, and who got none."""
    found = []
    for name, cells in group.maxima.items():
        for cell, most in cells.items():
            got = [p for row in group.rows if name in row.sheets and (p := row.got(name, cell)) is not None]
            if got and most:
                share, none = mean(got) / most, sum(p == 0 for p in got)
                found.append((share, [name, cell, f"{100 * share:.0f} %", f"{none} of {len(got)}"]))
    return [line for _, line in sorted(found)]


def report(group: Class, mistakes: dict[str, list[str]], pages: dict[str, Path]) -> str:
    """The page of the class, as HTML that loads nothing.

    ``mistakes`` are the texts of `mistakes_of` by exercise, ``pages`` the feedback pages by the row's key, linked from
    the list of students.
    """
    there = [row for row in group.rows if row.sheets]
    totals, waiting = [group.total(row) for row in there], sum(row.to_read() for row in there)
    parts = [f"<p>{len(group.rows)} students, {len(there)} handed in something."]
    parts.append(f"Points that count: median {median(totals):g}, mean {mean(totals):.1f}, of {group.most:g}.")
    if waiting:
        parts.append(f"{waiting:g} points wait for a reader: fill in the columns “by hand” of points.csv.")
    for name in group.maxima:
        got = [p for row in there if (p := row.counted(name)) is not None]
        most, seconds = group.maximum(name), [row.sheets[name].seconds for row in there if name in row.sheets]
        parts.append(
            f"<h2>{escape(name)}</h2><p>{len(got)} sheets that count; per cent of {most:g} points:</p>"
        )
        parts.append(bars([p / most for p in got], name))
        parts.append(f"<p>Time to run and judge a sheet: median {median(seconds):.0f} s,")
        parts.append(f"longest {max(seconds):.0f} s.</p>")
    known = [[f"{n}", name, cell, tame(text)] for n, name, cell, text in common(group, mistakes)[:25]]
    held = [(row, name) for row in there for name in row.held if not row.paid]
    why = [[row.label, shown(row.points(name)), tame("; ".join(row.held[name]))] for row, name in held]
    pairs = [[tame(pair)] for pair in group.alike]
    failed = [[tame(r.file), tame(r.failed)] for r in group.failed]
    heads = ["exercise", "task", "mean share of the points", "none"]
    parts += ["<h2>Hardest tasks first</h2>", table(heads, tasks(group), (2, 3))]
    heads = ["students", "exercise", "task", "what was said"]
    parts += ["<h2>Commonest mistakes</h2>", table(heads, known, (0,))]
    parts += ["<h2>Held back</h2><p>To pay it all the same, write yes in the column “pay held” of points.csv"]
    parts += ["and report again.</p>", table(["student", "points", "why"], why, (1,))]
    parts += ["<h2>For your eye</h2><p>No verdict: who worked side by side looks like this too.</p>"]
    parts += [table(["pair"], pairs), "<h2>Not graded</h2>", table(["file", "why"], failed)]
    lines = []
    for row in group.rows:
        name = escape(tame(row.label))
        if row.key in pages:
            name = f'<a href="feedback/{escape(pages[row.key].name)}">{name}</a>: {group.total(row):g}'
        said = row.notes if row.sheets else ["nothing handed in"]
        lines.append("; ".join([name, *(escape(tame(note)) for note in said)]))
    parts.append(f"<h2>Students</h2><ul><li>{'</li><li>'.join(lines)}</li></ul>")
    return page("Class report", " ".join(parts))
