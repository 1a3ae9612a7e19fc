"""The one engine that makes a paper's teaching panel: declared tables and a story in, panel, dictionary and truth out."""

from .make import Drawn, draw, worlds
from .paper import CalibrationError, Grid, Move, Paper, frame
from .rows import Numbers, Regression, as_seen, moments, own_column, paths, weights
from .targets import Cell, cells

__all__ = [
    "CalibrationError",
    "Cell",
    "Drawn",
    "Grid",
    "Move",
    "Numbers",
    "Paper",
    "Regression",
    "as_seen",
    "cells",
    "draw",
    "frame",
    "moments",
    "own_column",
    "paths",
    "weights",
    "worlds",
]
