"""Maps of the whole country with places coloured by value."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from regionbook import look
from regionbook.geo.classes import classify
from regionbook.geo.names import labels_of, merged, write_names
from regionbook.geo.places import (
    ALBERS,
    Level,
    Place,
    became,
    boundaries,
    check_level,
    codes,
    maritime,
    meant,
    unit_table,
)

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes

Values: TypeAlias = pd.Series | pd.DataFrame
MAIN = (-2.72e6, 2.58e6, 1.78e6, 5.97e6)  # frame of the main map in metres, ending south of Hainan
_SOUTH = (0.15e6, 2.2e6, 0.3e6, 2.75e6)  # frame of the inset
_CORNER = (1.90e6, 1.79e6, 0.67e6, 0.80e6)  # inset in the main frame: left, bottom, width, height
_DRAWN_M = 4000.0  # tolerance of the drawn outlines, about half a pixel of a page-wide map


def _drawn(level: Level) -> gpd.GeoSeries:
    """Outlines as they are drawn, in ALBERS."""
    import shapely

    shapes = boundaries(level).geometry.to_crs(ALBERS)
    shapes[:] = shapely.coverage_simplify(shapes.values, _DRAWN_M)
    return shapes


def _rings(shapes: gpd.GeoSeries) -> list[np.ndarray]:
    import shapely

    return [shapely.get_coordinates(r) for r in shapely.get_rings(shapely.get_parts(shapes.values))]


@cache
def _map_layers(level: Level) -> tuple[pd.Index, list[Any], list[np.ndarray], list[np.ndarray]]:
    """Codes and filled paths of the units, lines of the provinces and of the South China Sea, in ALBERS."""
    import shapely
    from matplotlib.path import Path

    shapes = _drawn("city")
    by_province = shapes.to_frame("geometry").dissolve(shapes.index.str[:2] + "0000", method="coverage")
    provinces = by_province.geometry
    if level == "province":
        shapes = provinces
    paths = []
    for polygon in shapely.orient_polygons(shapes.values):  # holes turn against their outline to stay empty
        rings = shapely.get_rings(shapely.get_parts(polygon))
        paths.append(Path.make_compound_path(*(Path(shapely.get_coordinates(r), closed=True) for r in rings)))
    lines = _rings(provinces)
    sea = [shapely.get_coordinates(p) for p in shapely.get_parts(maritime().geometry.to_crs(ALBERS).values)]
    return shapes.index, paths, lines, sea


def choropleth(
    values: Values,
    *,
    level: Level = "city",
    title: str | None = None,
    label: str | None = None,
    scheme: str = "quantiles",
    k: int = 5,
    bins: Sequence[float] | None = None,
    colors: str | Sequence[str] | None = None,
    labels: Literal["en", "zh"] | None = None,
    which: int | Literal["outlines"] | Iterable[Place] = 8,
    outlines: pd.Series | None = None,
    ax: Axes | None = None,
    unknown: Literal["raise", "warn"] = "raise",
) -> Axes | np.ndarray:
    """Map of the whole country with places coloured by value.

    Parameters
    ----------
    values
        Series indexed by code or name (`codes`); what is missing is drawn as "no data", text and truth values as
        categories. A DataFrame gives one map a column, with one classification and one legend for all.
    level : ``"city"`` or ``"province"``
    title : what the reader should see; over all maps of a DataFrame, whose columns' names stand over each
    label : heading of the legend: the variable and its unit
    scheme : ``"quantiles"``, or ``"categories"`` for codes that are numbers
    k : number of classes; fewer when there are fewer different values
    bins : rising upper bounds of the classes, the last at or above the largest value, for `scheme`, `k`
    colors : a matplotlib colour map for classes (default light to dark), or a list, one a class or category
    labels : language of place names on the map; None writes none
    which : what to name: that many of the largest values, places, or ``"outlines"`` (the groups)
    outlines : group of each place, indexed like `values`; groups (say, clusters) get a dark outline
    ax : axes to draw on (a Series only); None makes a figure, 7 inches wide
    unknown : ``"warn"`` draws the places that it knows and warns of the others, with what became of them

    Returns
    -------
    Axes, or an array of them for a DataFrame; in `ALBERS`: your own layers need ``.to_crs(rb.geo.ALBERS)``

    Raises
    ------
    ValueError: unknown or repeated places, no or infinite values, bins, colours or an option that do not fit
    """
    _check_options(values, labels, ax, unknown)
    frame = values.to_frame() if isinstance(values, pd.Series) else values
    if unknown == "warn":
        frame = frame[_known(frame.index, check_level(level))]
    frame = frame.set_axis(pd.Index(codes(frame.index, check_level(level))), axis=0)
    if frame.index.has_duplicates:
        name = unit_table().name_en[frame.index[frame.index.duplicated()][0]]
        raise ValueError(f"values has several rows for {name}: aggregate or select first (one year, say).")
    classes, names, palette = classify(frame, scheme, k, bins, colors)
    groups = _rings(merged(_drawn(level), outlines, level)) if outlines is not None else []

    axes = _panes(frame, values, title, ax)
    number = classes.reindex(_map_layers(level)[0])
    for column, one in zip(frame.columns, axes, strict=False):
        _draw(one, level, number[column].map(dict(enumerate(palette))), groups)
        if isinstance(values, pd.Series):
            one.set_title(title or "", fontfamily=look.font())
        else:
            one.set_title(str(column), loc="center", fontsize=10, fontfamily=look.font())
    if number.isna().any(axis=None):
        names, palette = [*names, "无数据" if labels == "zh" else "no data"], [*palette, look.NO_DATA]
    _legend(axes[0], names, palette, label, on_axes=isinstance(values, pd.Series))
    if labels is not None:
        for column, one in zip(frame.columns, axes, strict=False):
            write_names(one, *labels_of(frame[column], which, labels, level, outlines))
    return axes[0] if isinstance(values, pd.Series) else axes[: frame.shape[1]]


def _known(places: pd.Index, level: Level) -> np.ndarray:
    """Which places are one unit each; a warning names the others."""
    known = np.array([len(meant(place, level)) == 1 for place in places])
    if not known.any():
        raise ValueError(f"none of the {len(places)} places is a {level} that rb.geo.units() knows.")
    if not known.all():
        others = [f"{p} ({became(p)[1]})" if became(p)[1] else str(p) for p in places[~known]]
        more = f" and {len(others) - 8} more" if len(others) > 8 else ""
        warnings.warn(f"not on the map: {', '.join(others[:8])}{more}", stacklevel=3)
    return known


def _panes(frame: pd.DataFrame, values: Values, title: str | None, ax: Axes | None) -> np.ndarray:
    """Axes, one a column; the title of several maps stands over all."""
    import matplotlib.pyplot as plt

    if isinstance(values, pd.Series):
        own = ax if ax is not None else plt.figure(figsize=(7, 5.4), layout="constrained").add_subplot()
        return np.array([own])
    n = frame.shape[1]
    across = n if n <= 3 else 2 if n == 4 else 3
    down = -(-n // across)
    width = {1: 7.0, 2: 3.8}.get(across, 3.3)
    size = (across * width, down * width * 0.86 + 0.75)
    figure, grid = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
    axes = grid.ravel()
    for spare in axes[n:]:
        spare.set_axis_off()
    if title:
        text: dict[str, Any] = {"fontsize": plt.rcParams["axes.titlesize"], "fontfamily": look.font()}
        figure.suptitle(title, x=0.01, ha="left", **text)
    return axes


def _legend(ax: Axes, names: list[str], palette: list[str], label: str | None, on_axes: bool) -> None:
    """Legend of one map inside it, of several below the figure."""
    from matplotlib.patches import Patch

    font = look.font()
    patch: dict[str, Any] = {"edgecolor": "#999999", "linewidth": 0.4}
    handles = [Patch(facecolor=c, label=n, **patch) for c, n in zip(palette, names, strict=True)]
    how: dict[str, Any] = {"handles": handles, "title": label, "frameon": False}
    how |= {"prop": {"family": font, "size": 8}, "title_fontproperties": {"family": font, "size": 8.5}}
    if on_axes:
        legend: Any = ax.legend(loc="lower left", **how)
        legend._legend_box.align = "left"
    else:
        ax.figure.legend(loc="outside lower center", ncols=len(handles), **how)


def _check_options(values: object, labels: object, ax: object, unknown: str) -> None:
    if not isinstance(values, (pd.Series, pd.DataFrame)):
        kind = type(values).__name__
        raise ValueError(f"values must be a pandas Series or DataFrame indexed by code or name, not {kind}.")
    if isinstance(values, pd.DataFrame) and ax is not None:
        raise ValueError("ax takes one map: give a Series, or leave ax out for a DataFrame.")
    if isinstance(values.index, pd.MultiIndex):
        names = list(values.index.names)
        raise ValueError(f"values is indexed by {names}: select a year, or unstack it into columns.")
    if unknown not in ("raise", "warn"):
        raise ValueError(f'unknown must be "raise" or "warn", not {unknown!r}.')
    if labels not in (None, "en", "zh"):
        raise ValueError(f'labels must be None, "en" or "zh", not {labels!r}.')


def _draw(ax: Axes, level: Level, colour: pd.Series, groups: list[np.ndarray]) -> None:
    """Draw one map; places without a colour are grey and have no outline of their own."""
    from matplotlib.collections import LineCollection, PathCollection

    _, paths, lines, sea = _map_layers(level)
    face, edge = colour.fillna(look.NO_DATA), colour.where(colour.isna(), "white").fillna(look.NO_DATA)

    def paint(on: Axes, frame: tuple[float, float, float, float], scale: float) -> None:
        for layer in (
            PathCollection(paths, facecolors=face, edgecolors=edge, linewidths=0.3 * scale),
            LineCollection(lines, colors="#888888", linewidths=0.5 * scale),
            LineCollection(groups, colors="#222222", linewidths=1.0 * scale),
            LineCollection(sea, colors="#444444", linewidths=1.0),
        ):
            layer.set_in_layout(False)
            on.add_collection(layer, autolim=False)
        on.set(xlim=frame[:2], ylim=frame[2:], aspect="equal", xticks=[], yticks=[])
        on.grid(False)

    paint(ax, MAIN, 1.0)
    ax.spines[:].set_visible(False)
    ax.set_facecolor("none")
    corner = ax.inset_axes(_CORNER, transform=ax.transData)
    paint(corner, _SOUTH, 0.6)
    corner.spines[:].set(visible=True, color="#777777", linewidth=0.5)
    corner.set_facecolor("white")
