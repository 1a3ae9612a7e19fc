"""Command ``scorecard``: every printed number, ours beside it, and the verdict."""

from __future__ import annotations

import json

import regionbook as rb


def scorecard(as_json: bool = False) -> int:
    """Print the scorecard that the lessons recorded: the tally, then each number that is not reproduced, and why."""
    card = rb.scorecard(json=True)
    if as_json:
        print(json.dumps(card, ensure_ascii=False, indent=1, allow_nan=False))
        return 0
    print(rb.scorecard().rename_axis(None).to_string())
    for status, title in (
        ("differs", "Not reproduced"),
        ("paper_inconsistent", "Contradicted by the paper itself"),
    ):
        cells = [c for c in card["cells"] if c["status"] == status]
        print(f"\n{title}: {len(cells)}")
        for c in cells:
            ours = "" if c["own"] is None else f", ours {c['own']:.4g}"
            place = c["table"] if c["table"].startswith("text") else f"Table {c['table']}"
            print(
                f"  {c['slug']}, {place}, {c['column']}, {c['term']}: "
                f"printed {c['printed']:g}{ours}. {c['reason']}"
            )
    return 0
