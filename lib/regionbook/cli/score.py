"""Command ``scorecard``: every printed number, ours beside it, and the mark."""

import json

import regionbook as rb
from regionbook.comparison import MARKS

LED_BY = """Free numbers first: nothing was set to them. Imposed ones agree because the simulated panels were
calibrated to print; they show that the steps are right and say nothing about China or about a paper."""
TOLD = ("free_reproduced", "close", "differs", "contradicted")
"""Marks whose numbers are listed one by one."""


def scorecard(as_json: bool = False) -> int:
    """Print the scorecard: the tally, the rules, then each number that is free, close, different or contradicted."""
    card = rb.scorecard(json=True)
    if as_json:
        print(json.dumps(card, ensure_ascii=False, indent=1, allow_nan=False))
        return 0
    print(LED_BY + "\n")
    print(rb.scorecard().rename_axis(None).to_string())
    print("\nWhen a number agrees, and when it is close:")
    for rule in card["rules"].values():
        print(f"  {rule['kind of number']}: {rule['agrees']}. Close: {rule['close']}.")
    for mark in TOLD:
        cells = [c for c in card["cells"] if c["mark"] == mark]
        symbol, word = MARKS[mark]
        by_arithmetic = sum(c["source"] == "print" for c in cells)
        of_print = f" ({by_arithmetic} by arithmetic on printed numbers)" if by_arithmetic else ""
        print(f"\n{symbol} {word.capitalize()}: {len(cells)}{of_print}")
        for c in cells:
            ours = "" if c["own"] is None else f", ours {c['own']:.4g}"
            place = f"Table {c['table']}" if c["table"][0].isdigit() else c["table"]
            reason = f". {c['reason']}" if c["reason"] else ""
            set_to = ", imposed" if c["imposed"] and c["mark"] != "contradicted" else ""
            place = f"{c['slug']}, {place}, {c['column']}, {c['term']}"
            print(f"  {place}: printed {c['printed']:g}{ours}{set_to}{reason}")
    return 0


def table() -> str:
    """The tally in Markdown: papers with lessons one by one, the others in one line."""
    card = rb.scorecard()
    begun = card["not_attempted"] + card["not_computable"] < card["printed"]
    rest = card[~begun].sum()
    rows = {f"`{slug}`": row for slug, row in card[begun].iterrows()}
    if count := int((~begun).sum()):
        rows[f"{count} other{'s' * (count > 1)}, no lessons yet"] = rest
    heads = ["", "printed", *(f"{word} {symbol}" for symbol, word in MARKS.values())]
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)]]
    lines += [[name, *(f"{n:,}" for n in row)] for name, row in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
