"""Regression tables as the field prints them, and the one place where fitted models are read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pandas as pd

CONSTANTS = {"Intercept", "const", "_cons", "CONSTANT"}


@dataclass(frozen=True)
class ModelEstimates:
    """What a table needs of a fitted model."""

    frame: pd.DataFrame  # by term: estimate, se, p; a constant is called ``_cons``
    nobs: int
    r2: float | None  # of a model with absorbed effects the one net of these effects (within)


def model_estimates(model: Any) -> ModelEstimates:
    """Read coefficients, standard errors, p values and N from a result of linearmodels, pyfixest or statsmodels.

    Anything else, such as a model not fitted, is a TypeError.

    Examples
    --------
    >>> import pandas as pd, statsmodels.formula.api as smf
    >>> data = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": [1.0, 3, 5, 6]})
    >>> m = model_estimates(smf.ols("y ~ x", data).fit())
    >>> m.frame["estimate"].round(2).to_dict(), m.nobs
    ({'_cons': 1.2, 'x': 1.7}, 4)
    """
    if hasattr(model, "std_errors") and hasattr(model, "pvalues"):  # linearmodels
        columns, nobs, r2 = [model.params, model.std_errors, model.pvalues], model.nobs, model.rsquared
    elif callable(getattr(model, "tidy", None)):  # pyfixest
        tidy = model.tidy()
        columns, nobs = [tidy["Estimate"], tidy["Std. Error"], tidy["Pr(>|t|)"]], model._N
        r2 = model._r2_within if getattr(model, "_has_fixef", False) else getattr(model, "_r2", None)
    elif hasattr(model, "bse") and hasattr(model, "pvalues"):  # statsmodels
        columns, nobs = [model.params, model.bse, model.pvalues], model.nobs
        r2 = getattr(model, "rsquared", None)
    else:
        hint = " Call .fit() first." if callable(getattr(model, "fit", None)) else ""
        said = f"Cannot read estimates from {type(model).__name__}.{hint}"
        raise TypeError(f"{said} Give a fitted model of linearmodels, pyfixest or statsmodels.")
    frame = pd.concat([pd.Series(c).astype(float) for c in columns], axis=1, keys=["estimate", "se", "p"])
    frame.index = pd.Index(["_cons" if t in CONSTANTS else str(t) for t in frame.index], name="term")
    return ModelEstimates(frame, int(nobs), None if r2 is None or pd.isna(r2) else float(r2))


def _effect(table: pd.DataFrame, nobs: int, outcome: str) -> SimpleNamespace:
    """One kind of effect of a spatial model (estimate, se, z, p by variable), in the place of a fitted model."""
    names = {"estimate": "b", "se": "se", "z": "t", "p": "p"}
    coef = table[list(names)].rename(columns=names).rename_axis("Coefficient")
    return SimpleNamespace(
        params=table["estimate"], std_errors=table["se"], pvalues=table["p"], nobs=nobs, rsquared=None,
        __maketables_coef_table__=coef, __maketables_depvar__=outcome, __maketables_fixef_string__=None,
    )  # fmt: skip


def _effects(model: Any) -> dict[str, Any]:
    """The columns that a model takes, by what is added to its heading: three where it is a table of effects."""
    if not isinstance(model, pd.DataFrame) or list(model.index.names) != ["variable", "effect"]:
        return {"": model}
    if not {"nobs", "outcome"} <= model.attrs.keys():
        raise TypeError("This table of effects has lost its N on the way: give fit.impacts() itself.")
    kinds, said = model.index.unique("effect"), (model.attrs["nobs"], model.attrs["outcome"])
    return {kind: _effect(model.xs(kind, level="effect"), *said) for kind in kinds}


def stars(p: float) -> str:
    """Stars at 10, 5 and 1 %.

    >>> stars(0.004), stars(0.03), stars(0.07), stars(0.2)
    ('***', '**', '*', '')
    """
    return "***" if p < 0.01 else "**" if p < 0.05 else "*" if p < 0.1 else ""


# ---------------------------------------------------------------------------------------------------
# regression_table: a thin layer over maketables
# ---------------------------------------------------------------------------------------------------

_WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
"""Language -> the words of a table."""


@dataclass(frozen=True)
class RegressionTable:
    """A regression table to look at in a notebook or to write to LaTeX, Word or Excel."""

    frame: pd.DataFrame  # the cells as text; rows grouped in ``coef``, ``fe`` and ``stats``
    note: str
    _table: Any

    def __repr__(self) -> str:
        flat = self.frame.map(lambda cell: " ".join(str(cell).split()))
        flat.index = flat.index.get_level_values(-1)
        return f"{flat.to_string()}\n{self.note}"

    def _repr_html_(self) -> str:
        heads = self.frame.columns.to_frame(index=False).astype(str)
        cells_of = (
            "".join(f'<th style="text-align:center">{escape(v)}</th>' for v in heads[k]) for k in heads
        )
        top = "".join(f"<tr><th></th>{cells}</tr>" for cells in cells_of)
        body, before = "", ""
        for (group, label), row in zip(self.frame.index, self.frame.itertuples(index=False), strict=True):
            line = "border-top:1px solid" if group != before else ""
            before = group
            cells = "".join(
                f'<td style="text-align:center;padding:1px 10px;{line}">'
                f"{'<br>'.join(escape(part.strip()) for part in str(cell).split(chr(10)))}</td>"
                for cell in row
            )
            body += (
                f'<tr style="background:transparent"><th style="text-align:left;font-weight:normal;{line}">'
                f"{escape(str(label))}</th>{cells}</tr>"
            )
        return (
            '<table style="border-collapse:collapse;border-top:2px solid;border-bottom:2px solid">'
            f"<thead>{top}</thead><tbody>{body}</tbody></table>"
            f'<p style="font-size:90%">{escape(self.note)}</p>'
        )

    def to_latex(self, path: str | Path | None = None) -> str:
        """LaTeX source, written to `path` if there is one.

        It needs the packages booktabs, makecell, tabularx, threeparttable; xeCJK for Chinese.
        """
        source = str(self._table.make(type="tex"))
        if path is not None:
            Path(_target(path, ".tex")).write_text(source, encoding="utf-8", newline="\n")
        return source

    def to_word(self, path: str | Path) -> None:
        """Write a Word file."""
        self._table.save("docx", file_name=_target(path, ".docx"), show=False, replace=True)

    def to_excel(self, path: str | Path) -> None:
        """Write an Excel file: numbers as they are printed, brackets below them."""
        from openpyxl import Workbook
        from openpyxl.styles import Alignment

        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for level in range(self.frame.columns.nlevels):
            sheet.append(["", *(str(v) for v in self.frame.columns.get_level_values(level))])
        for (_, label), row in zip(self.frame.index, self.frame.itertuples(index=False), strict=True):
            parts = [[p.strip() for p in str(cell).split("\n")] for cell in row]
            for i in range(max(map(len, parts))):
                sheet.append([label if i == 0 else "", *(p[i] if i < len(p) else "" for p in parts)])
        for cells in sheet.iter_rows(min_col=2):
            for cell in cells:
                cell.alignment = Alignment(horizontal="center")
        sheet.append([self.note])
        sheet.column_dimensions["A"].width = 32
        book.save(_target(path, ".xlsx"))


def _target(path: str | Path, ending: str) -> str:
    path = Path(path)
    if path.suffix.lower() != ending:
        raise ValueError(f"{path.name}: give a file name that ends in {ending}.")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"No folder {path.absolute().parent} to write {path.name} into.")
    return str(path.absolute())


def regression_table(
    models: Mapping[str, Any] | Sequence[Any],
    *,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | str | None = None,
    lang: Literal["en", "zh"] = "en",
    stars: bool = True,
    se: Literal["paren", "t", "p"] = "paren",
    fe: Mapping[str, Sequence[bool | str]] | None = None,
    fit: Mapping[str, Sequence[Any]] | None = None,
    digits: int = 4,
    keep: Sequence[str] | None = None,
) -> RegressionTable:
    """Lay fitted models side by side as the field prints them.

    Parameters
    ----------
    models
        Fitted models of linearmodels, pyfixest, statsmodels or `rb.models`, mixed as you like; a mapping names the
        columns. Effects of a spatial model, ``fit.impacts()``, take three: direct, indirect, total.
    columns
        Heading of each model, in place of the mapping's names.
    labels
        Your name of a variable or of a fixed effect -> label; or a paper's slug to take them from its data dictionary.
    lang
        Language of the table's own words.
    stars
        Stars at 10, 5 and 1 %.
    se
        What stands in brackets: standard errors (``"paren"``), ``"t"`` or ``"p"`` values.
    fe
        Further rows of yes and no, e.g. ``{"Controls": [True, False]}``; absorbed effects are found by themselves.
    fit
        Further rows below N and R², e.g. ``{"Kleibergen-Paap F": [None, 24.6]}``; a row ``"R²"`` replaces ours.
    digits
        Decimals of coefficients and brackets.
    keep
        Show only these terms, in this order.

    Raises
    ------
    ValueError, TypeError
        Nothing to show, rows whose length is not the number of models, or something that is no fitted model.

    Examples
    --------
    >>> import pandas as pd, statsmodels.formula.api as smf
    >>> data = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": [1.0, 3, 5, 6]})
    >>> table = regression_table([smf.ols("y ~ x", data).fit()], digits=2)
    >>> table.frame.loc[("coef", "x")].iloc[0].split()
    ['1.70**', '(0.17)']
    """
    if isinstance(models, Mapping):
        columns = list(map(str, models)) if columns is None else columns
        models = list(models.values())
    given = [_effects(m) for m in ([models] if isinstance(models, pd.DataFrame) else models)]
    _check_table(given, lang, se, {})
    words: dict[str, Any] = _WORDS[lang]
    if columns is None and any(len(g) > 1 for g in given):
        columns = [""] * len(given)
    if columns is not None and len(columns) == len(given):
        kinds = [(c, k and words["kinds"][k]) for c, g in zip(columns, given, strict=True) for k in g]
        columns = [" · ".join(filter(None, (str(c), k))) for c, k in kinds]
    models = [m for g in given for m in g.values()]
    _check_table(models, lang, se, {"columns": columns, **(fe or {}), **(fit or {})})
    read = [model_estimates(m) for m in models]

    from maketables import ETable
    from maketables.extractors import get_extractor

    if isinstance(labels, str):
        from regionbook.data import columns as dictionary

        table = dictionary(labels)
        labels = dict(zip(table["column"], table[f"label_{lang}"], strict=True))
    named = dict.fromkeys(CONSTANTS, words["_cons"]) | dict(labels or {})

    absorbed = [(get_extractor(m).fixef_string(m) or "").replace(" ", "").split("+") for m in models]
    effects = [e for e in dict.fromkeys(e for a in absorbed for e in a) if e]
    told = {e: [words["yes" if e in a else "no"] for a in absorbed] for e in effects}
    yes_no = {_effect_name(e, named, words): row for e, row in told.items()}
    for label, row in (fe or {}).items():
        yes_no[label] = [words["yes" if v else "no"] if isinstance(v, bool) else v for v in row]
    numbers: dict[str, list[str]] = {words["N"]: [f"{m.nobs:,}" for m in read]}
    if any(m.r2 is not None for m in read):
        numbers[words["R2"]] = ["" if m.r2 is None else f"{m.r2:.{digits}f}" for m in read]
    for label, row in (fit or {}).items():
        numbers[label] = ["" if v is None else v if isinstance(v, str) else f"{v:,.{digits}f}" for v in row]

    bracket = {"paren": "se"}.get(se, se)
    star = "*" if stars else ""
    laid = ETable(
        models, coef_fmt=f"b:.{digits}f{star} \n ({bracket}:.{digits}f)", labels=named, show_fe=False, model_stats=[],
        custom_model_stats=yes_no | numbers, model_heads=_headings(columns), order=None, exact_match=True,
        keep=list(keep) if keep is not None else None,
        notes=_note(words, bracket, stars, bool(effects) and words["R2"] in numbers),
    )  # fmt: skip
    frame = laid.df.copy()
    groups = ["coef" if g == "coef" else "fe" if label in yes_no else "stats" for g, label in frame.index]
    frame.index = pd.MultiIndex.from_arrays([groups, frame.index.get_level_values(1)])
    return RegressionTable(frame, str(laid.notes), laid)


def _effect_name(effect: str, named: Mapping[str, str], words: Mapping[str, Any]) -> str:
    """Row of a fixed effect; that of ``a^b`` is named by both. A label that says what it is stays as it is."""
    label = named.get(effect)
    if label is None:
        parts = [named.get(e) or words["names"].get(e, e.capitalize()) for e in effect.split("^")]
        label = words["between"].join(parts)
    said = words["effects"].format("").strip().lower() in label.lower()
    return label if said else words["effects"].format(label)


def _headings(columns: Sequence[str] | None) -> list[str] | None:
    """The headings without the running numbers (1), (2), … that stand below them anyway."""
    if columns is None or any(not str(c).startswith(f"({i})") for i, c in enumerate(columns, 1)):
        return None if columns is None else list(map(str, columns))
    bare = [str(c)[len(f"({i})") :].strip() for i, c in enumerate(columns, 1)]
    return bare if any(bare) else None


def _check_table(models: list[Any], lang: str, se: str, rows: Mapping[str, Sequence[Any] | None]) -> None:
    if not models:
        raise ValueError("No models to show: give a list or a mapping of fitted models.")
    if lang not in _WORDS:
        raise ValueError(f"lang={lang!r}: the languages are {', '.join(_WORDS)}.")
    if se not in ("paren", "t", "p"):
        raise ValueError(f"se={se!r}: in brackets stand 'paren' (standard errors), 't' or 'p'.")
    for what, row in rows.items():
        if row is not None and len(row) != len(models):
            raise ValueError(f"{what!r} has {len(row)} entries for {len(models)} models.")


def _note(words: Mapping[str, Any], bracket: str, stars: bool, within: bool) -> str:
    parts = [words[bracket], *([words["stars"]] if stars else []), *([words["within"]] if within else [])]
    between, end = words["stop"]
    return between.join(parts) + end
