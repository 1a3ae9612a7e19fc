"""Invented patent abstracts for `knowledge-flows`: a grammar that knows which patents are digital.

The paper's note 1 prints how many patents two methods call digital (a concordance of IPC classes, a classifier of texts), how many
of 500 in one cell a reader finds unrelated, and the accuracy of the classifier. One abstract here stands for 5,000 patents:
the four cells are in that proportion (the fourth, which is not printed, is our choice), and so are reader and accuracy. What
the paper cannot know is known here: how many of the patents that only the classifier finds are digital.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from first_four import _knowledge_words as words

T = TypeVar("T")
K = TypeVar("K")
Pair = tuple[str, str]
"""Chinese and its English gloss."""

CELLS = {  # (listed class, flag of the paper's kind of classifier): (patents, digital ones among them)
    (True, True): (1374, 1360),
    (True, False): (229, 17),
    (False, True): (1382, 1216),
    (False, False): (2015, 43),
}
"""One abstract for 5,000 patents: 6,870,799; 1,146,112; 6,908,557; and 10 million that neither finds (not printed).
38 of 500 are 7.6 per cent of the second cell; 240 errors are 4.8 per cent of all."""

CASES = {  # (listed, flag, digital): share of each kind of text
    (True, True, True): {"plain": 0.93, "quiet": 0.03, "border": 0.04},
    (True, True, False): {"decoy": 0.7, "border": 0.3},
    (True, False, True): {"quiet": 0.6, "border": 0.4},
    (True, False, False): {"decoy": 0.86, "border": 0.14},
    (False, True, True): {"embedded": 0.9, "quiet": 0.05, "border": 0.05},
    (False, True, False): {"decoy": 0.8, "border": 0.2},
    (False, False, True): {"quiet": 0.75, "border": 0.25},
    (False, False, False): {"plain": 0.88, "decoy": 0.08, "border": 0.04},
}
ERA = {  # share of years up to 2000, 2001-2010, from 2011
    True: (0.14, 0.30, 0.56),
    False: (0.20, 0.32, 0.48),
}
TIER = {  # share of large, middle, small cities by kind of text
    ("plain", True): (0.55, 0.29, 0.16),
    ("embedded", True): (0.36, 0.34, 0.30),
    ("quiet", True): (0.06, 0.24, 0.70),
    ("border", True): (0.33, 0.34, 0.33),
    ("border", False): (0.33, 0.34, 0.33),
    ("decoy", False): (0.62, 0.28, 0.10),
    ("plain", False): (0.26, 0.36, 0.38),
}
YEARS = (range(1985, 2001), range(2001, 2011), range(2011, 2020))
COLUMNS = [
    "patent",
    "year",
    "city",
    "kind",
    "ipc",
    "ipc_listed",
    "flag",
    "abstract",
    "gloss",
    "digital",
    "case",
]


OLDER = 0.3
"""Chance that a sentence on computing is in the words of the era before."""


class Grammar:
    """Draws abstracts from one stream of uniform numbers."""

    def __init__(self, r: np.random.Generator):
        self.u = (u for _ in count() for u in r.random(10_000).tolist())

    def chance(self, p: float) -> bool:
        return next(self.u) < p

    def pick(self, items: Sequence[T]) -> T:
        return items[int(next(self.u) * len(items))]

    def weighted(self, shares: dict[K, float]) -> K:
        u, last = next(self.u), 0.0
        for key, share in shares.items():
            last += share
            if u < last:
                return key
        return next(reversed(shares))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return [x for _, x in sorted(((next(self.u), x) for x in items), key=lambda pair: pair[0])]

    def some(self, pool: Sequence[str], n: int) -> list[Pair]:
        return [self.filled(x) for x in self.shuffled(pool)[:n]]

    def filled(self, entry: str) -> Pair:
        """Slots: {s} a signal, {p} and {q} two parts, {m} a material."""
        i, j = int(next(self.u) * len(words.PARTS)), int(next(self.u) * (len(words.PARTS) - 1))
        p, q = words.PARTS[i].split("|"), words.PARTS[j + (j >= i)].split("|")
        s, m = self.pick(words.SIGNALS).split("|"), self.pick(words.MATTER).split("|")
        zh, en = (x.format(s=s[i], m=m[i], p=p[i], q=q[i]) for i, x in enumerate(entry.split("|")))
        return zh, en

    def computing(self, era: int, n: int) -> list[Pair]:
        """Sentences on computing, some in older words."""
        eras = [max(0, era - self.chance(OLDER)) for _ in range(n)]
        return [x for k in sorted(set(eras)) for x in self.some(words.DIGITAL_DOES[k], eras.count(k))]

    def steering(self, digital: bool) -> Pair:
        """Something is worked out and acted upon, by a computing device or by a person; half of the time nobody says by whom."""
        basis, act = self.filled(self.pick(words.BASIS)), self.filled(self.pick(words.ACTS))
        zh, en = self.pick(words.ACTORS[digital]).split("|") if self.chance(0.5) else ("", "it serves to")
        return f"{basis[0]}{zh}{act[0]}", f"{basis[1]}, {en} {act[1]}"

    def does(self, case: str, digital: bool, era: int) -> list[Pair]:
        """What the patent says that it does."""
        if digital and case != "quiet" and self.chance(0.03):  # an abstract that hardly says what is new
            return self.some(words.OTHER_DOES, 2) + self.some(words.BORDER_DOES, 1)
        if case == "plain" and digital:
            return self.computing(era, 2 + self.chance(0.5))
        if case == "embedded":
            return self.some(words.OTHER_DOES, 1 + self.chance(0.5)) + self.computing(
                era, 1 + self.chance(0.6)
            )
        if case == "quiet":
            return self.some(words.OTHER_DOES, 1) + [self.steering(True)]
        if case == "border":
            return self.some(words.OTHER_DOES, 1) + self.some(words.BORDER_DOES, 2)
        if self.chance(0.3 if case == "decoy" else 0.02):  # what the device beside it does
            return self.some(words.OTHER_DOES, 1) + self.computing(era, 1)
        return self.some(words.OTHER_DOES, 2) + ([self.steering(False)] if self.chance(0.2) else [])

    def abstract(
        self, case: str, digital: bool, listed: bool, era: int, large: bool
    ) -> tuple[str, str, str, str]:
        """IPC class, kind, abstract and its gloss."""
        pools: dict[str, Any]
        if case == "decoy":
            pools = words.DECOYS_LISTED if listed else words.DECOYS_OTHER
        else:
            pools = words.DIGITAL if listed else {k: [v] * 3 for k, v in words.THINGS.items()}
        ipc = self.pick(list(pools))
        if case in ("quiet", "border") and listed:  # a listed class, but not the words of its usual patents
            pool = words.THINGS[self.pick(list(words.THINGS))]
        else:
            pool = pools[ipc][era]
        thing, thing_en = self.pick(pool).split("|")
        body = self.shuffled(self.does(case, digital, era))
        ends = self.some(words.EFFECTS, 1 + self.chance(0.4))
        if case != "quiet" and self.chance(
            0.12 if digital else 0.55 if case == "decoy" else 0.2 if large else 0.06
        ):
            ends = self.some(words.HYPE[era], 1) + ends
        kind = "invention" if self.chance(0.7 if digital and listed else 0.3) else "utility model"
        zh = f"{'本发明' if kind == 'invention' else '本实用新型'}公开了一种{thing}。"
        en = f"{'An' if thing_en[0] in 'aeiou' else 'A'} {thing_en}. "
        if self.chance(0.5):
            problem, problem_en = self.pick(words.PROBLEMS).split("|")
            zh, en = f"{zh}{problem}。", f"{en}{problem_en}. "
        for part in (body, ends):
            zh += ",".join(x for x, _ in part) + "。"
            en += _sentence("; ".join(x for _, x in part)) + " "
        return ipc, kind, zh.replace(",", "\N{FULLWIDTH COMMA}"), en.rstrip()


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def patents(seed: int = 2026) -> pd.DataFrame:
    """5,000 abstracts with their labels, in the order of years; columns as in ``knowledge-flows.patents.columns.csv``."""
    r = np.random.default_rng([seed, 108])
    g = Grammar(r)
    rows = []
    for (listed, flag), (n, n_digital) in CELLS.items():
        for i in range(n):
            digital = i < n_digital
            case = g.weighted(CASES[listed, flag, digital])
            era = g.weighted(dict(enumerate(ERA[digital])))
            tier = g.weighted(dict(zip(words.CITIES, TIER[case, digital], strict=True)))
            year, city = g.pick(YEARS[era]), g.pick(words.CITIES[tier])
            ipc, kind, zh, en = g.abstract(case, digital, listed, era, tier == "large")
            rows.append((year, city, kind, ipc, int(listed), int(flag), zh, en, int(digital), case))
    frame = pd.DataFrame(rows, columns=COLUMNS[1:])
    frame = frame.iloc[r.permutation(len(frame))].sort_values("year", kind="stable").reset_index(drop=True)
    frame.insert(0, "patent", np.arange(1, len(frame) + 1))
    return frame
