"""How a number of ours is judged: one rule for each kind of printed number, and the marks that follow."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from regionbook.data import decimals, each
from regionbook.tables import stars

MARKS = {
    "free_reproduced": ("✓", "free and reproduced"),
    "close": ("≈", "close"),
    "differs": ("✗", "differs"),
    "contradicted": ("‡", "contradicted by the paper"),
    "imposed": ("=", "imposed"),
    "count": ("#", "count"),
    "not_computable": ("–", "not computable"),
    "not_attempted": ("·", "not attempted"),
}
"""Mark -> symbol and words. An imposed number that agrees is no success: the panel was made to give it."""


class Number(NamedTuple):
    """A number of ours: value, standard error, p value, kind of error, and whether it comes from panel or print."""

    value: float
    se: float = math.nan
    p: float = math.nan
    errors: str = ""
    source: str = "panel"


@dataclass(frozen=True)
class Rule:
    """How far a number may lie from the print, and when one that does not agree is close (never: it must be exact)."""

    what: str
    agrees: str
    close: str
    share: float
    points: float
    of_range: float

    def limit(self, cell: Any) -> float:
        """The smaller of a share of the number and of points (missing: not asked); at least a share of the range."""
        least = self.of_range * (cell.high - cell.low) if self.of_range > 0 else 0.0
        return max(float(np.nanmin([self.share * abs(cell.printed), self.points])), least)


def _last_digit(text: str) -> float:
    """Half a unit of the last printed digit."""
    return 0.5 * 10.0 ** -decimals(text) * (1 + 1e-9)


_RULES = pd.read_csv(Path(__file__).with_name("rules.csv"), keep_default_na=False, na_values=[""])
RULES = {str(name): Rule(*rule) for name, *rule in each(_RULES)}
"""Kind of printed number -> how it is judged."""


def rules() -> pd.DataFrame:
    """Return how each kind of printed number is judged.

    Examples
    --------
    >>> rules().loc["weight", "agrees"]
    'within 0.5 points and 25 % of itself'
    """
    told = {name: (r.what, r.agrees, r.close) for name, r in RULES.items()}
    columns = ["kind of number", "agrees", "close"]
    return pd.DataFrame.from_dict(told, "index", columns=columns).rename_axis("rule")


FACTS = ("sign_ok", "stars_ok", "within_2se", "se_ratio")
"""What is compared of a coefficient beside its value."""


def printed_error(cell: Any) -> tuple[float, float, float]:
    """Standard error behind the bracket: least, as printed and largest that rounding allows; NaN if none."""
    b, x = abs(cell.printed), abs(cell.printed_paren)
    db, dx = _last_digit(cell.printed_text), _last_digit(cell.paren_text or "0")
    if cell.paren_kind == "se" and x > 0:
        return max(x - dx, 0), x, x + dx
    if cell.paren_kind == "p" and 0 < x < 1:
        from scipy.special import ndtri

        t_low, x, t_high = (-ndtri(min(max(p, 1e-300), 1) / 2) for p in (x + dx, x, x - dx))
    elif cell.paren_kind in ("t", "z") and x > 0:
        t_low, t_high = x - dx, x + dx
    else:
        return math.nan, math.nan, math.nan
    return max(b - db, 0) / t_high, b / x, (b + db) / t_low if t_low > 0 else math.inf


def _coefficient(cell: Any, own: Number) -> tuple[str, list[str], dict[str, Any]]:
    """Verdict, faults and figures for a coefficient."""
    low, error, high = printed_error(cell)
    distance, given = abs(own.value - cell.printed), error > 0
    facts: dict[str, Any] = {
        "sign_ok": cell.printed == 0 or (own.value > 0) == (cell.printed > 0),
        "stars_ok": stars(own.p) == cell.stars,
        "within_2se": bool(distance <= 2 * error) if given else None,
        "se_ratio": own.se / error if given and own.se > 0 else None,
    }
    faults = [] if facts["sign_ok"] else ["other sign"]
    if not facts["stars_ok"]:
        faults.append(f"{stars(own.p) or 'no stars'} against {cell.stars or 'none'}")
    if given and not facts["within_2se"]:
        faults.append(f"{distance / error:.2f} printed standard errors away")
    elif not given and distance > max(RULES["estimate"].limit(cell), _last_digit(cell.printed_text)):
        faults.append("more than 10 % away")
    if facts["se_ratio"] is not None and not 0.75 * low <= own.se <= 1.25 * high:
        kind = "" if cell.paren_kind == "se" else f", printed as {cell.paren_kind}"
        ours = f" (ours: {own.errors})" if own.errors else ""
        faults.append(f"standard error {facts['se_ratio']:.2f} of the printed one{kind}{ours}")
    same = facts["sign_ok"] and (own.p < 0.05) == (cell.stars in ("**", "***"))
    size = abs(cell.printed)
    near = distance <= (max(2 * error, min(4 * error, 0.5 * size), 0.25 * size) if given else 0.2 * size)
    return ("agrees" if not faults else "close" if same and near else "differs"), faults, facts


def judge(cell: Any, own: Number) -> dict[str, Any]:
    """Mark of a number of ours, why it does not agree, and what was compared: signs, stars, errors."""
    facts: dict[str, Any] = dict.fromkeys(FACTS)
    by_arithmetic = own.source == "print" and RULES[cell.rule].close != "never"
    rule, distance = RULES["arithmetic" if by_arithmetic else cell.rule], abs(own.value - cell.printed)
    if not math.isfinite(own.value):
        verdict, faults = "differs", ["our value is not a finite number"]
    elif cell.rule == "estimate":
        verdict, faults, facts = _coefficient(cell, own)
    else:
        rounding = 0.0 if cell.rule in ("count", "code") else _last_digit(cell.printed_text)
        limit = max(rule.limit(cell), rounding)
        close = rule.close != "never" and distance <= 2 * limit
        verdict = "agrees" if distance <= limit else "close" if close else "differs"
        faults = [] if verdict == "agrees" else [f"not {rule.agrees}"]
    agreed = "imposed" if cell.imposed else "count" if cell.rule == "count" else "free_reproduced"
    mark, reason = agreed if verdict == "agrees" else verdict, "; ".join(faults)
    return facts | _marked(cell, mark, reason)


def unjudged(cell: Any) -> dict[str, Any]:
    """Mark of a printed number beside which nothing of ours stands, and why."""
    mark = "not_computable" if cell.not_computable else "not_attempted"
    return dict.fromkeys(FACTS) | _marked(cell, mark, cell.not_computable)


def _marked(cell: Any, mark: str, reason: str) -> dict[str, Any]:
    """The mark and its reason, unless the paper contradicts the number."""
    if cell.inconsistent:
        mark, reason = "contradicted", cell.inconsistent
    return {"imposed": bool(cell.imposed), "mark": mark, "reason": reason}
