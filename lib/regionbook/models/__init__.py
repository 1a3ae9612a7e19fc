"""Estimators and tests that no well-kept library of the field offers."""

from .permutation import PermutationTest, permutation_test
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
    "WildBootstrap",
    "anderson_rubin",
    "effective_f",
    "kleibergen_paap",
    "permutation_test",
    "wild_bootstrap",
]
