"""What there is to learn and where: lessons, and methods × papers, both read from the lessons' own texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from regionbook import registry
from regionbook.paths import ROOT

METHODS: dict[str, dict[str, str | None]] = {
    "Indices": {
        "entropy weights (熵权法)": r"entropy_index|\.index\(panel",
        "principal components (主成分分析)": r"pca_index|\bPCA\(",
        "location quotient (区位熵)": r"location_quotient",
        "Theil index (泰尔指数)": r"theil",
        "maps (地图)": r"choropleth",
    },
    "Regressions": {
        "two-way fixed effects (双向固定效应)": r"PanelOLS|feols\(|dyadic_panel\(",
        "random effects, Hausman, Mundlak (随机效应)": r"RandomEffects|hausman|mundlak",
        "instruments (工具变量)": r"IV2SLS|kleibergen_paap|effective_f|anderson_rubin",
        "mediation (中介效应)": r"[Ss]obel",
        "counts: Poisson (泊松回归)": r"fepois",
        "difference-in-differences (双重差分)": None,
    },
    "Standard errors": {
        "clustered by unit (聚类稳健标准误)": r"CRV1|cov_type=\"clustered\"",
        "few clusters: wild bootstrap, randomisation": r"wild_bootstrap|CRV3",
        "spatial, Conley": r"conley",
        "dyadic-robust": r"dyadic_cov|\"dyadic\"",
    },
    "Groups": {
        "interactions (交互项)": None,
        "difference between groups: permutation, SUEST, Chow": r"permutation_test|suest_test|chow_test",
        "sensitivity to an omitted variable (ITCV, Oster)": r"confounding_threshold|robustness_value|oster\(",
    },
    "Space": {
        "Moran's I and weights (空间权重)": r"\bMoran\b|moran",
        "spatial Durbin model (空间杜宾模型)": r"spatial_durbin",
        "rasters and georeferencing (栅格)": r"rasterio|exact_extract",
        "pairs of cities (城市对)": r"pair_panel",
    },
    "Machines": {
        "text classification (文本分类)": r"TfidfVectorizer|LogisticRegression",
        "larger than memory": r"\bibis\b|duckdb",
        "audit of printed tables": r"rb\.audit\(",
        "Monte Carlo (蒙特卡洛模拟)": r"default_rng",
    },
}
"""Group -> method -> what the code of a lesson holds that uses it; None where only the variables of a paper tell.
``METHODS`` of ``papers/<slug>.py`` adds, method by method, what tells in the lessons of that paper."""

_NAME = re.compile(r"(\d+)-(.+)")
_CODE = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.M | re.S)


def _code(text: str) -> str:
    return "\n".join(_CODE.findall(text))


@dataclass(frozen=True)
class LessonList:
    """The lessons in reading order; in a notebook, a table of links."""

    table: pd.DataFrame
    """chapter (slug of the paper, or ``"start"``), number, title, minutes, able (what a reader will be able to do), path."""

    def __repr__(self) -> str:
        return self.table.drop(columns=["able", "path"]).to_string(index=False)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(chapter.replace('-', ' '))} {number}</td><td style='text-align:left'>"
            f'<a href="{_target(path)}">{escape(title)}</a></td><td>{minutes}</td></tr>'
            for chapter, number, title, minutes, _, path in self.table.itertuples(index=False)
        )
        return f"<table><thead><tr><th>lesson</th><th></th><th>minutes</th></tr></thead><tbody>{rows}</tbody></table>"


def lessons(folder: Path | None = None) -> LessonList:
    """Return the list of lessons, read from the headings of their texts.

    Parameters
    ----------
    folder
        Where the chapters are; left out, this workbook's.

    Raises
    ------
    ValueError
        If there is no lesson in `folder`, or one has no title or states no time.

    Examples
    --------
    >>> lessons().table.query("chapter == 'city-innovation'")["number"].tolist()
    [1, 2, 3]
    """
    folder = Path(folder or ROOT / "chapters")
    rows = []
    for md in sorted(folder.glob("[0-9]*/[0-9]*.md")):
        text = md.read_text(encoding="utf-8")
        title = re.search(r"^# (.+)$", re.sub(_CODE, "", text), re.M)
        minutes = re.search(r"\*\*Time\.\*\*\D*(\d+)", text)
        able = re.search(r"\*\*What you will be able to do\.\*\* (.+)$", text, re.M)
        if not title or not minutes or not able:
            raise ValueError(
                f"{md}: a lesson needs a heading '# …', a line '**What you will be able to do.** …' and one with "
                "'**Time.** 30 minutes.'"
            )
        chapter, lesson = _NAME.fullmatch(md.parent.name), _NAME.fullmatch(md.stem)
        if not chapter or not lesson:
            raise ValueError(f"{md}: lessons are called NN-slug/N-name.md")
        rows.append((chapter[2], int(lesson[1]), title[1], int(minutes[1]), able[1], md))
    if not rows:
        raise ValueError(f"no lessons (NN-slug/N-name.md) below {folder}")
    return LessonList(pd.DataFrame(rows, columns=["chapter", "number", "title", "minutes", "able", "path"]))


@dataclass(frozen=True)
class MethodMap:
    """Which lesson uses which method; in a notebook, a table of links."""

    table: pd.DataFrame
    """Rows (group, method), one column a chapter, cells the numbers of the lessons, as text."""
    links: pd.DataFrame
    """The same with links."""

    def __repr__(self) -> str:
        return self.table.to_string()

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(c)}</th>" for c in self.links.columns)
        body, last = "", ""
        for (group, method), row in self.links.iterrows():
            name = f"<b>{escape(group)}</b>" if group != last else ""
            cells = "".join(f"<td style='text-align:center'>{c}</td>" for c in row)
            body += f"<tr><td>{name}</td><td style='text-align:left'>{escape(method)}</td>{cells}</tr>"
            last = group
        return f"<table><thead><tr><th></th><th>method</th>{head}</tr></thead><tbody>{body}</tbody></table>"


def method_map(folder: Path | None = None) -> MethodMap:
    """Return the map of methods × papers: in which lesson of which paper a method is used.

    It is read from the code of the lessons, so it cannot promise what they do not do.

    Parameters
    ----------
    folder
        Where the chapters are; left out, this workbook's.

    Raises
    ------
    ValueError
        As in `lessons`.

    Examples
    --------
    >>> method_map().table["city-innovation"][("Indices", "principal components (主成分分析)")]
    '1, 2'
    """
    known = lessons(folder).table.query("chapter != 'start'")
    chapters = list(known["chapter"].unique())
    code = {path: _code(path.read_text(encoding="utf-8")) for path in known["path"]}
    table: dict[tuple[str, str], dict[str, str]] = {}
    links: dict[tuple[str, str], dict[str, str]] = {}
    for group, methods in METHODS.items():
        for method, pattern in methods.items():
            patterns = {c: _patterns(method, pattern, c) for c in chapters}
            uses = [
                any(re.search(p, code[path]) for p in patterns[chapter])
                for chapter, path in zip(known["chapter"], known["path"], strict=True)
            ]
            found = known[uses]
            if found.empty:
                continue
            for out, linked in ((table, False), (links, True)):
                out[group, method] = {c: _cells(found[found["chapter"] == c], linked) for c in chapters}
    return MethodMap(pd.DataFrame(table).T, pd.DataFrame(links).T)


def _patterns(method: str, general: str | None, chapter: str) -> list[str]:
    own = (registry.handed_in(chapter, "METHODS") or {}).get(method)
    return [pattern for pattern in (general, own) if pattern]


def _cells(found: pd.DataFrame, linked: bool) -> str:
    def one(number: int, path: Path) -> str:
        return f'<a href="{_target(path)}">{number}</a>' if linked else str(number)

    return ", ".join(one(n, p) for n, p in zip(found["number"], found["path"], strict=True))


def _target(path: Path) -> str:
    """Address of a lesson, seen from another chapter."""
    return f"../{path.parent.name}/{path.stem}.ipynb"
