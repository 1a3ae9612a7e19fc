"""Who is whose neighbour: contiguity, the nearest, and weights that fall with distance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from regionbook.geo.places import Place, Places, boundaries, codes, distances, points_of, unit_table

if TYPE_CHECKING:
    from libpysal.graph import Graph


def _graph(labels: pd.Index, matrix: np.ndarray) -> Graph:
    """Graph from a dense matrix with zero diagonal, in the order of labels; a row of zeros is an isolate."""
    from libpysal.graph import Graph

    matrix = matrix.copy()
    alone = ~matrix.any(axis=1)
    i, j = np.nonzero(matrix)
    i, j = np.append(i, np.flatnonzero(alone)), np.append(j, np.flatnonzero(alone))
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    return Graph.from_arrays(labels[i], labels[j], matrix[i, j])


def contiguity(
    places: Iterable[Place], isolates: Literal["error", "nearest", "keep"] | Mapping[Place, Place] = "error"
) -> Graph:
    r"""Neighbours that share a border, as binary weights :math:`w_{ij} = 1`.

    Queen and rook contiguity are the same here: no two units meet in a single point.

    Parameters
    ----------
    places : codes or names, all of city level or all of province level. Only borders among these count.
    isolates
        Places without a neighbour: ``"error"`` names them; ``"keep"`` leaves their rows zero; ``"nearest"`` links
        each to the nearest seat, a mapping such as ``{"Hainan": "Guangdong"}`` to the place given, both ways.

    Returns
    -------
    libpysal.graph.Graph; symmetric; ids are the places as given; ``.transform("r")``: rows add to 1

    Raises
    ------
    ValueError: for an unknown or repeated place, a mix of levels, an isolate that `isolates` does not settle

    Examples
    --------
    >>> from regionbook.geo import units
    >>> w = contiguity(units("province").index[:31], isolates={"海南": "广东"})
    >>> w.n, int(w.adjacency.sum()) // 2, w.isolates.tolist()
    (31, 69, [])
    """
    points = points_of(places if isinstance(places, pd.Index) else list(places))
    keys = codes(points.index)
    table = unit_table().loc[keys]
    if not (table.is_city.all() or table.is_province.all()):
        some = table.name_en[~table.is_city].iloc[0]
        raise ValueError(f"places mixes provinces ({some}) with cities: give one level only.")
    shapes = boundaries("city" if table.is_city.all() else "province").geometry.loc[keys]
    i, j = shapes.sindex.query(shapes, predicate="intersects")
    matrix = np.zeros((len(keys), len(keys)))
    matrix[i, j] = 1.0
    np.fill_diagonal(matrix, 0.0)

    alone = np.flatnonzero(~matrix.any(axis=1))
    if isinstance(isolates, Mapping):
        name = unit_table().name_en
        for a, b in zip(codes(isolates), codes(isolates.values()), strict=True):
            if a not in keys or b not in keys:
                raise ValueError(f"isolates links {name[a]} to {name[b]}, but one of them is not in places.")
            matrix[keys.index(a), keys.index(b)] = matrix[keys.index(b), keys.index(a)] = 1.0
    elif isolates == "nearest" and len(keys) > 1:
        km = distances(points).to_numpy(copy=True)
        np.fill_diagonal(km, np.inf)
        near = km[alone].argmin(axis=1)
        matrix[alone, near] = matrix[near, alone] = 1.0
    elif isolates not in ("error", "nearest", "keep"):
        raise ValueError(f'isolates must be "error", "nearest", "keep" or a mapping, not {isolates!r}.')
    left = table.name_en.to_numpy()[~matrix.any(axis=1)].tolist()
    if left and isolates != "keep":
        raise ValueError(
            f"No neighbour among the {len(keys)} places: {', '.join(left)}. "
            'Choose isolates="nearest", "keep" (rows of zeros) or a mapping such as {"Hainan": "Guangdong"}.'
        )
    return _graph(points.index, matrix)


def knn(places: Places, k: int) -> Graph:
    r"""The `k` nearest places by great-circle distance, as binary weights; not symmetric in general.

    Parameters
    ----------
    places : as in `distances`
    k : number of neighbours, from 1 to the number of places less one. Ties go to the place that stands first.

    Returns
    -------
    libpysal.graph.Graph; ids are the places as given, in that order

    Raises
    ------
    ValueError: if `k` is out of range, and as in `distances`
    """
    km = distances(places)
    n = len(km)
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= n - 1:
        raise ValueError(f"k must be a whole number from 1 to {n - 1} (places less one), not {k!r}.")
    far = km.to_numpy(copy=True)
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, :k]
    matrix = np.zeros((n, n))
    np.put_along_axis(matrix, near, 1.0, axis=1)
    return _graph(km.index, matrix)


def inverse_distance(places: Places, power: float = 1.0, *, cutoff_km: float | None = None) -> Graph:
    r"""Weights that fall with distance: :math:`w_{ij} = d_{ij}^{-p}` for :math:`i \ne j`, :math:`d` in km.

    Parameters
    ----------
    places : as in `distances`
    power : :math:`p` > 0
    cutoff_km : weights of pairs farther apart are zero. None: no cut-off.

    Returns
    -------
    libpysal.graph.Graph; symmetric, not standardised; ids are the places as given, in that order

    Raises
    ------
    ValueError: if `power` or `cutoff_km` is not positive, two places at one point; as in `distances`
    """
    for name, value in (("power", power), ("cutoff_km", cutoff_km)):
        if value is not None and not (isinstance(value, (int, float)) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {value!r}.")
    frame = distances(places)
    km = frame.to_numpy(copy=True)
    np.fill_diagonal(km, np.inf)
    if (km == 0).any():
        a, b = frame.index[np.argwhere(km == 0)[0]]
        raise ValueError(f"{a!r} and {b!r} are at one point, so the inverse has no value: move one of them.")
    weight = km**-power
    if cutoff_km is not None:
        weight[km > cutoff_km] = 0.0
    return _graph(frame.index, weight)
