"""Estimators and tests that no well-kept library of the field offers."""

from .permutation import PermutationTest, permutation_test
from .spatial_durbin import SpatialPanel, admissible_interval, spatial_durbin
from .spatial_tests import SpatialTests, spatial_tests
from .weak_instruments import (
    STOCK_YOGO,
    AndersonRubin,
    EffectiveF,
    KleibergenPaap,
    anderson_rubin,
    effective_f,
    kleibergen_paap,
)
from .wild_bootstrap import WildBootstrap, wild_bootstrap

__all__ = [
    "STOCK_YOGO",
    "AndersonRubin",
    "EffectiveF",
    "KleibergenPaap",
    "PermutationTest",
    "SpatialPanel",
    "SpatialTests",
    "WildBootstrap",
    "admissible_interval",
    "anderson_rubin",
    "effective_f",
    "kleibergen_paap",
    "permutation_test",
    "spatial_durbin",
    "spatial_tests",
    "wild_bootstrap",
]
