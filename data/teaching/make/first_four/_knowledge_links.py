"""Single citations for `knowledge-flows`: an extract of a register that gives the shipped counts after the paper's steps.

For ten cities and three years each count of the table of citations is spread over single pairs of invented patents. Then
come the layers that the paper drops: citations within a city, of patents that are not digital, by and of design patents,
and the second line of each citation by an invention that was published twice. The counts are taken as they are, so
nothing here changes another table.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

CITIES = {  # share of inventions among its patents without designs; share of inventions that are granted
    "Hangzhou": (0.60, 0.60),
    "Hefei": (0.55, 0.50),
    "Wuhu": (0.40, 0.25),
    "Luoyang": (0.45, 0.35),
    "Wuhan": (0.62, 0.62),
    "Changsha": (0.55, 0.50),
    "Shenzhen": (0.65, 0.70),
    "Chengdu": (0.58, 0.55),
    "Guiyang": (0.45, 0.35),
    "Lanzhou": (0.45, 0.30),
}
YEARS = (2010, 2011, 2012)
OLDEST = 1998
WITHIN = 15
"""Citations of a city's own digital patents, in per cent of those of all other cities' ones."""
KINDS = ["invention", "utility model", "design"]
LAYERS = {  # (design cites, what is cited): lines for one that counts, and how many more at the most where none counts
    (False, "digital"): (1.0, 0.0),
    (False, "other"): (0.8, 1.6),
    (False, "design, digital"): (0.04, 1.0),
    (True, "digital"): (0.05, 1.0),
    (True, "design, digital"): (0.05, 1.0),
    (True, "design, other"): (0.04, 1.0),
}
A_PATENT = 2.2
"""Citations that a citing patent makes of patents of these cities, on average."""
COLUMNS = [
    "citing",
    "cited",
    "citing_city",
    "cited_city",
    "year",
    "citing_kind",
    "cited_kind",
    "publication",
    "digital",
]


def links(seed: int, citations: pd.DataFrame) -> pd.DataFrame:
    """Every line of the extract, sorted by citing and cited patent; columns as in ``knowledge-flows.links.columns.csv``.

    Parameters
    ----------
    seed
        Seed of the invented patents.
    citations
        The counts: ``citing``, ``cited`` (cities), ``year``, ``citations``.

    Raises
    ------
    ValueError
        If a city of the extract cites nothing in one of its years.
    """
    r = np.random.default_rng([seed, 107])
    size = _sizes(r, citations)
    patents = _register(r, size)
    at = {key: rows.to_numpy() for key, rows in patents.groupby(["city", "year", "design"])["row"]}
    pools = {key: r.permutation(rows.to_numpy()) for key, rows in patents.groupby(["city", "class"])["row"]}
    applied = patents["year"].to_numpy()
    pairs = []
    for (layer, a, b, year), n in size.items():
        design, what = layer
        old = pools[b, what]
        old = old[applied[old] < year]
        pairs.append(_distinct(r, at[a, year, design], old, n))
    citing, cited = np.concatenate(pairs).T
    one, two = patents.iloc[citing], patents.iloc[cited]
    frame = pd.DataFrame(
        {
            "citing": one["patent"].to_numpy(np.int32),
            "cited": two["patent"].to_numpy(np.int32),
            "citing_city": pd.Categorical(one["city"], list(CITIES)),
            "cited_city": pd.Categorical(two["city"], list(CITIES)),
            "year": one["year"].to_numpy(np.int16),
            "citing_kind": pd.Categorical(one["kind"], KINDS),
            "cited_kind": pd.Categorical(two["kind"], KINDS),
            "digital": two["digital"].to_numpy(np.int8),
        }
    )
    twice = np.repeat(np.arange(len(frame)), 1 + one["granted"].to_numpy())
    second = np.r_[False, twice[1:] == twice[:-1]]
    frame = frame.iloc[twice].assign(
        publication=pd.Categorical.from_codes(second.astype(int), ["first", "second"])
    )
    return frame.sort_values(["citing", "cited", "publication"], kind="stable", ignore_index=True)[COLUMNS]


def _sizes(
    r: np.random.Generator, citations: pd.DataFrame
) -> dict[tuple[tuple[bool, str], str, str, int], int]:
    """Number of citations by (layer, citing city, cited city, year): the counts, and what is to be dropped."""
    c = citations[citations["year"].isin(YEARS) & citations["citing"].isin(list(CITIES))]
    c = c.astype({"citing": str, "cited": str})
    total = c.groupby(["citing", "year"])["citations"].sum()
    count = c.set_index(["citing", "cited", "year"])["citations"]
    out: dict[tuple[tuple[bool, str], str, str, int], int] = {}
    for year in YEARS:
        for a in CITIES:
            if (a, year) not in total.index:
                raise ValueError(f"{a} cites nothing in {year}: there is no extract without it")
            for b in CITIES:
                x = int(total[a, year]) * WITHIN // 100 if a == b else int(count.get((a, b, year), 0))
                for layer, (factor, more) in LAYERS.items():
                    n = int(factor * x + more * r.random())
                    if n:
                        out[layer, a, b, year] = n
    return out


def _register(
    r: np.random.Generator, size: dict[tuple[tuple[bool, str], str, str, int], int]
) -> pd.DataFrame:
    """Invented patents, a row each: those that cite, by city and year, and older ones that are cited only."""
    rows = []
    for city, (inventions, granted) in CITIES.items():
        received = sum(n for (_, _, b, _), n in size.items() if b == city)
        m = max(240, received // 4)
        years = OLDEST + ((YEARS[0] - OLDEST) * np.sqrt(r.random(m))).astype(int)
        designs = r.random(m) < 0.16
        designs[:8], designs[8:16] = True, False
        for year in YEARS:
            for design in (False, True):
                made = sum(n for (k, a, _, t), n in size.items() if (k[0], a, t) == (design, city, year))
                k = max(6, int(made / A_PATENT))
                years, designs = np.r_[years, np.full(k, year)], np.r_[designs, np.full(k, design)]
        u, v, w = r.random((3, len(years)))
        w[:16] = [0, 0, 0, 0, 1, 1, 1, 1] * 2  # four of each class, digital and not, in every city
        kind = np.where(designs, 2, np.where(u < inventions, 0, 1))
        rows.append(
            pd.DataFrame(
                {
                    "city": city,
                    "year": years,
                    "design": designs,
                    "kind": np.array(KINDS)[kind],
                    "granted": (kind == 0) & (v < granted),
                    "digital": w < np.where(designs, 0.25, 0.45),
                }
            )
        )
    frame = pd.concat(rows, ignore_index=True)
    frame = frame.iloc[r.permutation(len(frame))].sort_values("year", kind="stable", ignore_index=True)
    serial = frame.groupby("year").cumcount() + 1
    frame["patent"] = frame["year"] * 100_000 + serial
    what = frame["digital"].map({True: "digital", False: "other"})
    frame["class"] = what.where(~frame["design"], "design, " + what)
    frame["row"] = np.arange(len(frame))
    return frame


def _distinct(r: np.random.Generator, citing: np.ndarray, cited: np.ndarray, n: int) -> np.ndarray:
    """``n`` different pairs (citing, cited); some of either kind come more often than others."""
    found = np.empty((0, 2), np.int64)
    while len(found) < n:
        u = r.random((n, 2))
        more = np.column_stack(
            [
                citing[(len(citing) * u[:, 0]).astype(int)],
                cited[(len(cited) * u[:, 1] * u[:, 1]).astype(int)],
            ]
        )
        both = np.concatenate([found, more])
        _, first = np.unique(both, axis=0, return_index=True)
        found = both[np.sort(first)]
    return found[:n]
