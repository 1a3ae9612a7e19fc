"""Real administrative units of China: codes, names, regions, clusters, distances, neighbours and maps.

A *place* is named by its six-digit code (``"330100"``), its English name (``"Hangzhou"``), its Chinese name
(``"杭州市"``) or the Chinese name without its kind (``"杭州"``). Weights are `libpysal.graph.Graph` objects, which
`esda` and `spreg` both take; they keep the order and the labels that you gave. What the files hold and where
they come from stands in ``data/README.md``.

Examples
--------
>>> great_circle("Beijing", "杭州市")  # doctest: +ELLIPSIS
1127...
>>> contiguity(["Shanghai", "Zhoushan", "Jiaxing"]).cardinalities.to_dict()
{'Shanghai': 2, 'Zhoushan': 1, 'Jiaxing': 1}
"""

from regionbook.geo.maps import choropleth
from regionbook.geo.places import (
    ALBERS,
    EARTH_RADIUS_KM,
    boundaries,
    codes,
    distances,
    great_circle,
    maritime,
    membership,
    port_distance,
    ports,
    units,
)
from regionbook.geo.weights import contiguity, inverse_distance, knn

__all__ = [
    "ALBERS",
    "EARTH_RADIUS_KM",
    "boundaries",
    "choropleth",
    "codes",
    "contiguity",
    "distances",
    "great_circle",
    "inverse_distance",
    "knn",
    "maritime",
    "membership",
    "port_distance",
    "ports",
    "units",
]
