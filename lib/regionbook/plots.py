"""The look of the workbook's figures, and the two plots that lessons draw again and again.

Three voices have the same mark everywhere: what the paper reports (open circle), what our simulated panel
gives (blue square) and what the truth is (red-rimmed diamond).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from regionbook import look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLE = Path(__file__).with_name("regionbook.mplstyle")
"""Sizes and colours of what is no data: seaborn's style "ticks" in the context "paper" written out (importing seaborn
takes a lesson's first cell seconds), and what differs from it."""


def use_style() -> None:
    """Set the workbook's look for all figures drawn from now on: font with Chinese, colours, sizes.

    Lines differ in colour and dash, so that they can be told apart in grey. `seaborn.set_theme` and
    `matplotlib.style.use` undo it: call this after them. A FileNotFoundError if the font is missing.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> use_style()
    >>> mpl.rcParams["font.family"]
    ['Regionbook Sans SC', 'DejaVu Sans']
    """
    import matplotlib as mpl
    from cycler import cycler

    dashes = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1))]
    mpl.rcParams.update(mpl.rc_params_from_file(STYLE, use_default_template=False))
    mpl.rcParams["font.family"] = look.font()
    mpl.rcParams["image.cmap"] = look.SEQUENTIAL
    mpl.rcParams["axes.prop_cycle"] = cycler(color=look.PALETTE) + cycler(linestyle=dashes)


def _axes(ax: Axes | None, height: float) -> Axes:
    """The axes given, or those of a new figure, 7 inches wide."""
    import matplotlib.pyplot as plt

    if ax is not None:
        return ax
    return plt.figure(figsize=(7.0, height), layout="constrained").add_subplot()


NORMAL = 1.959963984540054
"""97.5 % quantile of the normal distribution: half the width of a 95 % interval in standard errors."""


def _bounds(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Frame with estimate, low, high from a frame with estimate and se, or estimate, low and high."""
    if not isinstance(frame, pd.DataFrame) or "estimate" not in frame:
        raise ValueError(f"{name} must be a DataFrame with the column estimate, and se or low and high.")
    if frame.index.has_duplicates:
        raise ValueError(f"{name} has more than one row for {frame.index[frame.index.duplicated()][0]!r}.")
    out = frame[["estimate"]].astype(float)
    if {"low", "high"} <= set(frame):
        return out.assign(low=frame.low.astype(float), high=frame.high.astype(float))
    if "se" not in frame:
        raise ValueError(f"{name} needs the column se, or low and high; it has {list(frame.columns)}.")
    half = NORMAL * frame.se.astype(float)
    return out.assign(low=out.estimate - half, high=out.estimate + half)


def coefficient_plot(
    ours: pd.DataFrame,
    *,
    printed: pd.DataFrame | None = None,
    truth: pd.Series | None = None,
    title: str | None = None,
    label: str = "coefficient",
    ax: Axes | None = None,
) -> Axes:
    """Estimates with 95 % confidence intervals, one row a coefficient, in the marks of the three voices.

    Parameters
    ----------
    ours
        Indexed by the text of the row, with columns `estimate` and `se` (normal quantile), or `estimate`, `low` and
        `high` (an interval that is not symmetric).
    printed
        The same for the numbers that the paper reports.
    truth
        True values, indexed alike.
    title, label
        What the reader should see; name and unit of the horizontal axis.
    ax
        Axes to draw on, which are returned; None makes a figure.

    Raises
    ------
    ValueError
        For a frame without the columns or with repeated rows.

    Examples
    --------
    >>> ours = pd.DataFrame({"estimate": [0.1005, 0.195], "se": [0.002, 0.03]}, index=["OLS", "2SLS"])
    >>> ax = coefficient_plot(ours, truth=pd.Series({"OLS": 0.2, "2SLS": 0.2}))
    >>> [t.get_text() for t in ax.get_yticklabels()]
    ['OLS', '2SLS']
    """
    shown = {} if printed is None else {"paper": _bounds(printed, "printed")}
    shown["ours"] = _bounds(ours, "ours")
    if truth is not None:
        shown["truth"] = truth.to_frame("estimate").astype(float).assign(low=np.nan, high=np.nan)
    rows = list(dict.fromkeys(row for frame in (shown["ours"], *shown.values()) for row in frame.index))
    ax = _axes(ax, 1.1 + 0.42 * len(rows))
    ax.axvline(0, color="#888888", linewidth=0.8, linestyle="-")
    for i, (voice, frame) in enumerate(shown.items()):
        frame = frame.reindex(rows)
        y = np.arange(len(rows)) + 0.24 * (i - (len(shown) - 1) / 2)
        ax.hlines(y, frame.low, frame.high, color=look.VOICES[voice]["color"], linewidth=1.4, linestyle="-")
        ax.plot(frame.estimate, y, linestyle="none", markersize=6, **look.VOICES[voice])
    ax.set_yticks(range(len(rows)), [str(row) for row in rows])
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel=label)
    ax.grid(False, axis="y")
    return _finish(ax, title)


def marginal_effect_plot(
    params: pd.Series,
    cov: pd.DataFrame,
    *,
    main: str,
    interaction: str,
    moderator: Sequence[float] | pd.Series,
    printed: tuple[float, float] | None = None,
    title: str | None = None,
    label: str = "marginal effect",
    moderator_label: str = "moderator",
    ax: Axes | None = None,
) -> Axes:
    r"""Effect of a regressor over the values of its moderator, with a 95 % confidence band and where the data are.

    With :math:`y = \beta x + \delta\,(x \cdot z) + \dots`,

    .. math:: \frac{\partial y}{\partial x}(z) = \beta + \delta z, \qquad
              \operatorname{var} = V_{\beta\beta} + 2 z V_{\beta\delta} + z^2 V_{\delta\delta}

    (Brambor, Clark and Golder 2006; pointwise, normal quantile). A moderator with at most six values is drawn as points with intervals.

    Parameters
    ----------
    params, cov
        Coefficients by name, as `linearmodels` and `statsmodels` give them, and their covariance matrix.
    main, interaction
        Names of :math:`\beta` and :math:`\delta` in `params`.
    moderator
        Observed values of :math:`z`; they set the range and the histogram.
    printed
        :math:`(\beta, \delta)` that the paper reports.
    title, label, moderator_label
        What to see; names and units of the vertical and the horizontal axis.
    ax
        Axes to draw on, which are returned; None makes a figure.

    Raises
    ------
    ValueError
        If a name is not in `params` or `cov`, or `moderator` has missing values or only one value.

    Examples
    --------
    >>> names = ["digit", "digit:size"]
    >>> b = pd.Series([0.131, -0.27], names)
    >>> v = pd.DataFrame([[1e-5, 0], [0, 1e-3]], names, names)
    >>> z = np.linspace(0, 1, 50)
    >>> ax = marginal_effect_plot(b, v, main="digit", interaction="digit:size", moderator=z)
    >>> ax.get_xlabel()
    'moderator'
    """
    for name in (main, interaction):
        if name not in params.index or name not in cov.index or name not in cov.columns:
            raise ValueError(f"{name!r} is not in params and cov, which have {list(params.index)}.")
    z = np.asarray(moderator, dtype=float).ravel()
    values = np.unique(z)
    if np.isnan(z).any() or len(values) < 2:
        raise ValueError("moderator needs at least two different values and no missing ones.")
    few = len(values) <= 6
    at = values if few else np.linspace(values[0], values[-1], 101)
    beta, delta = float(params[main]), float(params[interaction])
    v = cov.loc[[main, interaction], [main, interaction]].to_numpy(dtype=float)
    effect = beta + delta * at
    variance = v[0, 0] + 2 * at * v[0, 1] + at**2 * v[1, 1]
    half = NORMAL * np.sqrt(variance)

    ax = _axes(ax, 4.2)
    ax.axhline(0, color="#888888", linewidth=0.8, linestyle="-")
    ours = look.VOICES["ours"]
    if few:
        ax.vlines(at, effect - half, effect + half, color=ours["color"], linewidth=1.4, linestyle="-")
        ax.plot(at, effect, linestyle="none", markersize=6, zorder=3, **ours)
        ax.set_xticks(at)
        ax.margins(x=0.2)
    else:
        ax.plot(at, effect, color=ours["color"], linestyle="-", label=ours["label"])
        ax.fill_between(at, effect - half, effect + half, color=ours["color"], alpha=0.18, linewidth=0)
        _histogram_below(ax, z)
    if printed is not None:
        line = {"linestyle": "none"} if few else {"linestyle": "--", "marker": ""}
        left = 0.04 * np.ptp(at) if few else 0.0
        ax.plot(at - left, printed[0] + printed[1] * at, **look.VOICES["paper"] | line)
    ax.set(xlabel=moderator_label, ylabel=label)
    return _finish(ax, title)


def _histogram_below(ax: Axes, z: np.ndarray) -> None:
    """Where the observations are: a histogram in the lowest sixth of the axes."""
    ax.set_xlim(z.min(), z.max())
    low, high = ax.get_ylim()
    ax.set_ylim(low - (high - low) / 5, high)
    twin = ax.twinx()
    counts, edges = np.histogram(z, bins=40)
    twin.stairs(counts, edges, fill=True, color="#BBBBBB")
    twin.set(ylim=(0, 6 * counts.max()), yticks=[])
    twin.spines[:].set_visible(False)
    twin.grid(False)
    twin.set_zorder(ax.get_zorder() - 1)
    ax.patch.set_visible(False)


def _finish(ax: Axes, title: str | None) -> Axes:
    """Title, below it the legend in one row where it covers nothing, and the font on every text."""
    font = look.font()  # on the texts themselves, so that Chinese shows without `use_style` too
    handles, names = ax.get_legend_handles_labels()
    order = [voice["label"] for voice in look.VOICES.values()]
    pairs = sorted(zip(names, handles, strict=True), key=lambda pair: order.index(pair[0]))
    ax.legend(
        [handle for _, handle in pairs], [name for name, _ in pairs], ncols=len(pairs), frameon=False, borderpad=0,
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, handletextpad=0.3, columnspacing=1.4,
        prop={"family": font, "size": 9},
    )  # fmt: skip
    ax.set_title(title or "", loc="left", pad=20, fontfamily=font)
    for text in (ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()):
        text.set_fontfamily(font)
    return ax
