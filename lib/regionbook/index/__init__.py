"""Composite indices and the ratios of regional economics, from raw indicators."""

from .coupling import coupling_coordination
from .entropy import EntropyIndex, entropy_index
from .location import location_quotient
from .pca import PCAIndex, pca_index
from .theil import TheilIndex, theil_index

__all__ = [
    "EntropyIndex",
    "PCAIndex",
    "TheilIndex",
    "coupling_coordination",
    "entropy_index",
    "location_quotient",
    "pca_index",
    "theil_index",
]
