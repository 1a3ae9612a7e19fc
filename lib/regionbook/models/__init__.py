"""Estimators and tests that no well-kept library of the field offers."""

from .weak_instruments import (
    STOCK_YOGO,
    AndersonRubin,
    EffectiveF,
    KleibergenPaap,
    anderson_rubin,
    effective_f,
    kleibergen_paap,
)

__all__ = [
    "STOCK_YOGO",
    "AndersonRubin",
    "EffectiveF",
    "KleibergenPaap",
    "anderson_rubin",
    "effective_f",
    "kleibergen_paap",
]
