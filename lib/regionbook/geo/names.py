"""Names on a map: which, where, and without overlap."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from regionbook import look
from regionbook.geo.places import ALBERS, KINDS, Level, Place, boundaries, codes, unit_table

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes


def merged(shapes: gpd.GeoSeries, groups: pd.Series, level: Level) -> gpd.GeoSeries:
    """Areas of groups of places."""
    groups = groups.set_axis(pd.Index(codes(groups.index, level)), axis=0).dropna()
    frame = shapes.loc[groups.index].to_frame("geometry")
    return frame.dissolve(groups.to_numpy(), method="coverage").geometry


def labels_of(
    values: pd.Series,
    which: int | str | Iterable[Place],
    language: str,
    level: Level,
    outlines: pd.Series | None,
) -> tuple[list[str], np.ndarray, bool]:
    """Names to write, where (n × 2, in ALBERS), and whether a dot marks the spot (seats) or not (areas)."""
    import geopandas as gpd

    shapes = boundaries(level).geometry
    if isinstance(which, str):
        if which != "outlines" or outlines is None:
            raise ValueError(
                f'which must be a number, places or "outlines" with outlines given, not {which!r}'
            )
        areas = merged(shapes, outlines, level)
        spots = areas.to_crs(ALBERS).representative_point()
        return [str(g) for g in areas.index], spots.get_coordinates().to_numpy(), False
    if isinstance(which, (int, np.integer)):
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            raise ValueError("which must be a list of places when the values are categories.")
        chosen = values.dropna().nlargest(int(which)).index.to_list()
    else:
        chosen = codes(which, level)
    table = unit_table().loc[chosen]
    if language == "zh":
        names = table.name_zh.str.replace(KINDS, "", regex=True)
    else:
        names = table.name_en.str.replace(r" \(.*\)", "", regex=True)
    if level == "province":
        spots = shapes.loc[chosen].to_crs(ALBERS).representative_point()
    else:
        spots = gpd.GeoSeries(gpd.points_from_xy(table.lon, table.lat), crs=4326).to_crs(ALBERS)
    return names.to_list(), spots.get_coordinates().to_numpy(), level == "city"


def write_names(ax: Axes, names: list[str], spots: np.ndarray, dots: bool) -> None:
    """Write each name in the first free place around its spot; a name that finds none is left out."""
    from matplotlib.patheffects import withStroke
    from matplotlib.transforms import Bbox

    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    frame = ax.get_window_extent(renderer)
    taken = [a.get_window_extent(renderer) for a in (ax.get_legend(), *ax.child_axes) if a is not None]
    pixels = figure.dpi / 72  # in one point
    metres = float(np.ptp(ax.get_xlim())) / frame.width * pixels
    around = [(1, 0.35), (-1, 0.35), (1, -0.35), (-1, -0.35), (0, 1), (0, -1)]
    rings = (4, 10, 18, 28)  # points
    if not dots:  # an area's name stands on it if it can, else above or below
        around, rings = [(0, -1), (0, 1), *around[:4]], (0, 10, 18, 28)
    offsets = [(r * dx, r * dy) for r in rings for dx, dy in around]

    for name, spot in zip(names, spots, strict=True):
        text = ax.annotate(
            name if dots else textwrap.fill(name, 16), spot, (0, 0), textcoords="offset points", ha="center", va="center",
            multialignment="center", linespacing=1.0, fontsize=7.5, fontfamily=look.font(), zorder=10,
            path_effects=[withStroke(linewidth=2, foreground="white")],
            snap=False,  # else characters of straight strokes only (营口) are pulled apart to whole pixels
        )  # fmt: skip
        size = text.get_window_extent(renderer).padded(1)
        for dx, dy in offsets:  # the text's centre moves by the offset and half its size
            half_x = np.sign(dx) * size.width / 2
            half_y = 0 if dx else np.sign(dy) * size.height / 2
            box = size.translated(dx * pixels + half_x, dy * pixels + half_y)
            inside = Bbox.intersection(box, frame)
            if inside is None or not np.allclose(inside.extents, box.extents):
                continue
            if not any(box.overlaps(other) for other in taken):
                break
        else:
            text.remove()
            continue
        text.set_position((dx + half_x / pixels, dy + half_y / pixels))
        taken.append(box)
        if dots:
            ax.scatter(spot[0], spot[1], s=6, color="#222222", edgecolor="white", linewidth=0.4, zorder=9)
        if max(abs(dx), abs(dy)) > 4:  # a thin line from the name to its spot
            ends = [spot[0], spot[0] + dx * metres], [spot[1], spot[1] + dy * metres]
            ax.plot(*ends, color="#222222", linewidth=0.5, linestyle="-", zorder=8)
