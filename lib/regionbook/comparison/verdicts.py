"""Whether a number of ours reproduces a printed one."""

from __future__ import annotations

import math
from typing import Any

from regionbook.data import decimals
from regionbook.tables import stars

STATUSES = ("reproduced", "differs", "paper_inconsistent", "not_attempted")
MARKS = {"reproduced": "✓", "differs": "✗", "paper_inconsistent": "‡", "not_attempted": "·"}


def _printed_se(cell: Any) -> float:
    """Standard error behind the bracket: itself, or |estimate / t|, or from the p value."""
    value, paren = cell.printed, cell.printed_paren
    if cell.paren_kind == "se":
        return paren
    if cell.paren_kind in ("t", "z") and paren != 0:
        return abs(value / paren)
    if cell.paren_kind == "p" and 0 < paren < 1:
        from scipy.special import ndtri

        return abs(value) / float(-ndtri(paren / 2))
    return math.nan


def judge(cell: Any, own: float, own_p: float) -> dict[str, Any]:
    """Sign, stars, distance, and what follows: reproduced or differs, with the reason."""
    out: dict[str, Any] = {"sign_ok": None, "stars_ok": None, "within_2se": None}
    printed = cell.printed
    if not math.isfinite(own):
        return {**out, "status": "differs", "reason": "our value is not a finite number"}
    if cell.rule == "estimate":
        out["sign_ok"] = printed == 0 or (own > 0) == (printed > 0)
        out["stars_ok"] = stars(own_p) == cell.stars
        se = _printed_se(cell)
        near = abs(own - printed) <= 0.1 * abs(printed)
        faults = [] if out["sign_ok"] else ["other sign"]
        if not out["stars_ok"]:
            faults.append(f"{stars(own_p) or 'no stars'} against {cell.stars or 'none'}")
        if math.isfinite(se) and se > 0:
            away = abs(own - printed) / se
            near = out["within_2se"] = bool(away <= 2)
            if not near:
                faults.append(f"{away:.2f} printed standard errors away")
        elif not near:
            faults.append("more than 10 % away")
        return {**out, "status": "reproduced" if not faults else "differs", "reason": "; ".join(faults)}
    half = 0.5 * 10.0 ** -decimals(cell.printed_text) * (1 + 1e-9)
    tenth = abs(own - printed) <= max(0.1 * abs(printed), half)
    ok, limit = {
        "exact": (own == printed, "exactly equal"),
        "digits": (abs(own - printed) <= half, "equal to the printed digits"),
        "r2": (abs(own - printed) <= 0.05, "within 0.05"),
        "factor2": (printed / 2 <= own <= printed * 2, "within a factor of 2"),
        "weight": (abs(own - printed) <= 0.5, "within 0.5 points"),
        "tenth": (tenth, "within 10 %"),
        "extreme": (tenth or cell.min <= own <= cell.max, "inside the printed range or within 10 %"),
    }[cell.rule]
    return {**out, "status": "reproduced" if ok else "differs", "reason": "" if ok else f"not {limit}"}
