"""Command ``keys``: sealed keys to the students' own panels, to hand out where the solutions are not."""

import csv
import json
from pathlib import Path

from regionbook.cli import lessons
from regionbook.cli import notebooks as nbs
from regionbook.exercises import record, seal
from regionbook.exercises.personal import student_number

NUMBER = ("student", "student number", "number", "id", "学号")


def students(file: str) -> list[str]:
    """Student numbers of a list: the column called ``student`` (or 学号), else the first one.

    An error if the file cannot be read, holds no number, or a line is no number.
    """
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise nbs.LessonError(f"{file}: cannot be read as a list of students (CSV, UTF-8): {error}") from None
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    head = [cell.strip().casefold() for cell in rows[0]] if rows else []
    named = [place for place, cell in enumerate(head) if cell in NUMBER]
    place = named[0] if named else 0
    found: dict[str, None] = {}
    for line, row in enumerate(rows, 1):
        if line == 1 and (named or not any(map(str.isdigit, row[0]))):
            continue  # a heading
        try:
            number = student_number(row[place] if place < len(row) else "")
        except ValueError as error:
            raise nbs.LessonError(f"{file}, line {line}: {error}") from error
        if not number:
            raise nbs.LessonError(f"{file}, line {line}: no student number in column {place + 1}")
        found[number] = None
    if not found:
        raise nbs.LessonError(f"{file}: no student number in it; write one a line, below the word student")
    return list(found)


def keys(file: str, names: list[str], to: str) -> int:
    """Write ``TO/<chapter>/keys-<student>.json`` for each student of the list; return how many sheets failed."""
    numbers = students(file)
    sheets = [md for md in (nbs.select(names) if names else nbs.sources()) if lessons.keys_of(md)]
    sheets = [md for md in sheets if record.STUDENT.search(md.read_text(encoding="utf-8"))]
    if not sheets:
        raise nbs.LessonError(f"no sheet with panels of one's own among: {', '.join(names)}")
    failed = 0
    for count, number in enumerate(numbers, 1):
        line = lessons.Progress(f"[{count}/{len(numbers)}] keys of {number}")
        found: dict[Path, dict[str, object]] = {}
        for done, md in enumerate(sheets, 1):
            line(done, len(sheets))
            try:
                own = record.recorded(md, number)
            except record.RecordError as error:
                print(f"\n{error}")
                failed += 1
                continue
            printed = lessons.printed(md)
            kept = {name: seal.seal(key, printed) for name, key in own.items() if key.personal}
            found.setdefault(Path(to) / md.parent.name / f"keys-{number}.json", {}).update(kept)
        for path, sealed in found.items():
            old = json.loads(path.read_text(encoding="utf-8"))["keys"] if path.exists() else {}
            nbs.write(json.dumps({"keys": old | sealed}, sort_keys=True, ensure_ascii=False) + "\n", path)
        line.close(f"{sum(map(len, found.values()))} keys")
    print(f"written to {to}: each student's files belong into exercises/ of the student's workbook")
    return failed
