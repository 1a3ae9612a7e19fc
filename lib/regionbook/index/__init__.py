"""Composite indices and the ratios of regional economics, from raw indicators."""

from .coupling import coupling_coordination
from .entropy import EntropyIndex, entropy_index
from .location import location_quotient
from .pca import PCAIndex, pca_index
from .theil import TheilIndex, theil_index
from .topsis import TopsisIndex, topsis_index
