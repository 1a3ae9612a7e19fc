"""Answers to the exercises of the first lesson: which patents are digital."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd

from regionbook.data import published
from regionbook.exercises.check import answer

SLUG = "knowledge-flows"
LESSON = f"{SLUG}/1-patents"
LARGE = ["Beijing", "Shanghai", "Shenzhen", "Guangzhou", "Hangzhou", "Nanjing", "Wuhan", "Chengdu", "Xi'an",
         "Suzhou (Jiangsu)"]  # fmt: skip
DROPPED = ["餐饮业", "农业", "农副食品加工业", "道路运输业", "房地产业", "居民服务业"]
"""Industries of the register that the paper's screen drops."""
WHOLE = [
    "软件和信息技术服务业",
    "互联网和相关服务",
    "电信、广播电视和卫星传输服务",
    "计算机、通信和其他电子设备制造业",
]
WORDS = "软件|计算机|互联网|网络|数据|电子商务|通信|集成电路|数控|智能"


def _note() -> dict[str, float]:
    other = published(SLUG).other
    note = other[other["table"].str.contains("note 1: digital")]
    return dict(zip(note["row"] + "/" + note["column"], note["value"], strict=True))


def _least(found_in_audit: bool) -> float:
    note = _note()
    errors = (1 - note["classifier after training and fine-tuning/accuracy"] / 100) * 25e6
    only_class = note["IPC-identified but not found by the classifier/count"]
    audit = "hand audit of IPC-only patents/"
    wrong = only_class * (
        1 - note[audit + "judged unrelated to digital technology"] / note[audit + "sample drawn"]
    )
    only_model = note["classifier-identified but not in the IPC set/count"]
    return 1 - (errors - wrong * found_in_audit) / only_model


@answer(
    f"{LESSON}/least",
    decimals=3,
    hint="all errors of the model, less those already found by the audit, could sit in this one cell of 6.9 million.",
    mistakes={
        "some errors are already known: digital patents in the cell that was read by hand.": lambda: _least(
            False
        ),
        "that is the largest share that can be wrong; the share that is digital is asked for.": lambda: (
            1 - _least(True)
        ),
    },
)
def least() -> float:
    """Smallest share of digital patents among those that only the model finds, for 25 million patents."""
    return _least(True)


def _scores(truth: pd.Series, said: pd.Series) -> pd.Series:
    return pd.Series(
        {
            "accuracy": (truth == said).mean(),
            "precision": truth[said == 1].mean(),
            "recall": said[truth == 1].mean(),
        }
    )


@answer(
    f"{LESSON}/by-class",
    decimals=3,
    hint="precision looks at the patents that are called digital, recall at those that are.",
    mistakes={
        "precision and recall are exchanged.": lambda patents: by_class(patents)[
            ["accuracy", "recall", "precision"]
        ].set_axis(["accuracy", "precision", "recall"]),
        "that judges flag; the list of classes is ipc_listed.": lambda patents: _scores(
            patents["digital"], patents["flag"]
        ),
    },
)
def by_class(patents: pd.DataFrame) -> pd.Series:
    """Accuracy, precision and recall of the list of classes."""
    return _scores(patents["digital"], patents["ipc_listed"])


def _trained(patents: pd.DataFrame, longest: int) -> tuple[pd.DataFrame, pd.Series]:
    """The patents that were not read, and their probabilities."""
    found = _fitted(longest, _Table(patents))
    return patents.loc[found.index], found


class _Table:
    """A table as an argument of a cached function: equal if its texts are."""

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame
        self.key = hash(tuple(frame["abstract"]))

    def __hash__(self) -> int:
        return self.key

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Table) and self.key == other.key


@lru_cache(maxsize=8)
def _fitted(longest: int, table: _Table) -> pd.Series:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    patents = table.frame
    read = patents.sample(1500, random_state=2026)
    rest = patents.drop(read.index)
    counts = TfidfVectorizer(analyzer="char", ngram_range=(1, longest), min_df=3, sublinear_tf=True)
    m = make_pipeline(counts, LogisticRegression(C=10, max_iter=1000)).fit(read["abstract"], read["digital"])
    return pd.Series(m.predict_proba(rest["abstract"])[:, 1], rest.index)


def _choice(patents: pd.DataFrame, what: str) -> pd.Series:
    rest, p = _trained(patents, 3)
    for step in range(1, 20):
        s = _scores(rest["digital"], (p > step / 20).astype(int))
        if s[what] >= 0.95:
            break
    return pd.Series({"threshold": step / 20, "recall": s["recall"]})


@answer(
    f"{LESSON}/choice",
    tolerance=0.004,
    hint="for each threshold: of the patents whose probability is above it, which share is digital? Stop at the first 95 %.",
    mistakes={
        "that is the recall at a threshold of one half.": lambda patents: pd.Series(
            {
                "threshold": _choice(patents, "precision")["threshold"],
                "recall": _half(patents)["recall"],
            }
        ),
        "recall is the share found among all digital patents; you gave the precision.": lambda patents: (
            _precise(patents)
        ),
    },
)
def choice(patents: pd.DataFrame) -> pd.Series:
    """Smallest threshold with a precision of 95 per cent, and its recall."""
    return _choice(patents, "precision")


def _half(patents: pd.DataFrame) -> pd.Series:
    rest, p = _trained(patents, 3)
    return _scores(rest["digital"], (p > 0.5).astype(int))


def _precise(patents: pd.DataFrame) -> pd.Series:
    rest, p = _trained(patents, 3)
    cut = choice(patents)["threshold"]
    return pd.Series(
        {"threshold": cut, "recall": _scores(rest["digital"], (p > cut).astype(int))["precision"]}
    )


@answer(
    f"{LESSON}/neighbours",
    tolerance=0.001,
    hint="change ngram_range only; train on the 1,500, judge on the other 3,500.",
)
def neighbours(patents: pd.DataFrame) -> pd.Series:
    """Accuracy with runs of up to one, two and three characters."""
    out = {}
    for longest in (1, 2, 3):
        rest, p = _trained(patents, longest)
        out[str(longest)] = ((p > 0.5) == rest["digital"]).mean()
    return pd.Series(out)


def _place(patents: pd.DataFrame) -> pd.Series:
    return patents["city"].isin(LARGE).map({True: "large", False: "other"})


def _corrected(patents: pd.DataFrame, together: bool) -> pd.Series:
    place, hand = _place(patents), patents.sample(1000, random_state=1)
    out = {}
    for name in ("large", "other"):
        h = hand if together else hand[place[hand.index] == name]
        tpr, fpr = h["flag"][h["digital"] == 1].mean(), h["flag"][h["digital"] == 0].mean()
        out[name] = (patents["flag"][place == name].mean() - fpr) / (tpr - fpr)
    return pd.Series(out)


@answer(
    f"{LESSON}/corrected",
    decimals=3,
    hint="in each group: (share with flag 1 - FPR) / (TPR - FPR), both rates from the 1,000 patents of that group.",
    mistakes={
        "these are the shares called digital; the correction is still missing.": lambda patents: (
            patents["flag"].groupby(_place(patents)).mean()
        ),
        "you used the same two rates for both groups; estimate them in each.": lambda patents: _corrected(
            patents, True
        ),
        "these are the true shares, which nobody would know; correct the shares of flag.": lambda patents: (
            patents["digital"].groupby(_place(patents)).mean()
        ),
    },
)
def corrected(patents: pd.DataFrame) -> pd.Series:
    """Corrected share of digital patents in large and other cities."""
    return _corrected(patents, False)


def _more(firms: pd.DataFrame, kind: str) -> pd.Series:
    kept = ~firms["industry"].isin(DROPPED)
    found = kept & (firms["industry"].isin(WHOLE) | firms["scope"].str.contains(WORDS))
    word = kept & firms["scope"].str.contains("电脑")
    added = firms[word & ~found]
    longer = word if kind == "alone" else found | word
    digital = firms.loc[longer, "digital"] if kind == "precision" else added["digital"]
    return pd.Series(
        {
            "firms": longer.sum() if kind in ("all", "alone") else len(added),
            "digital": digital.mean(),
            "recall": longer[firms["digital"] == 1].mean(),
        }
    )


@answer(
    f"{LESSON}/more",
    decimals=3,
    hint="a firm is added if it is kept, has 电脑 in its scope and was not found before; recall is of all digital firms.",
    mistakes={
        "firms counts all that the longer list finds; only those that it adds are asked for.": lambda firms: (
            _more(firms, "all")
        ),
        "you replaced the list by the new word; the old words stay.": lambda firms: _more(firms, "alone"),
        "digital is the precision of the longer list; the share among the added firms is asked for.": lambda firms: (
            _more(firms, "precision")
        ),
    },
)
def more(firms: pd.DataFrame) -> pd.Series:
    """Firms that one more word adds, the share of digital ones among them, and the recall of the longer list."""
    return _more(firms, "added")
