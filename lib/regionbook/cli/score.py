"""Command ``scorecard``: every printed number, ours beside it, and the verdict."""

from __future__ import annotations

import json

import regionbook as rb


def scorecard(as_json: bool = False) -> int:
    """Print the scorecard that the lessons recorded."""
    if as_json:
        print(json.dumps(rb.scorecard(json=True), ensure_ascii=False, indent=1, allow_nan=False))
    else:
        print(rb.scorecard().to_string())
    return 0
