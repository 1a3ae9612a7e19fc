"""Real administrative units of China: codes, names, regions, clusters, distances, neighbours and maps.

A *place* is named by code (``"330100"``), English name (``"Hangzhou"``) or Chinese name (``"杭州市"``, ``"杭州"``).
"""

from regionbook.geo.maps import choropleth
from regionbook.geo.places import (
    ALBERS,
    EARTH_RADIUS_KM,
    boundaries,
    codes,
    distances,
    maritime,
    membership,
    port_distance,
    ports,
    units,
)
from regionbook.geo.weights import contiguity, inverse_distance, knn
