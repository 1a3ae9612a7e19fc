"""The one engine that makes a paper's teaching panel: declared tables and a story in, panel, dictionary and truth out."""

from .fitted import best_start, draw_fitted, report, told, write_all
from .make import Drawn, draw, worlds, write_worlds
from .paper import CalibrationError, Grid, Move, Paper, frame
from .rows import Numbers, Told, as_seen, own_column, paths, weights
from .targets import Cell

__all__ = [
    "CalibrationError",
    "Cell",
    "Drawn",
    "Grid",
    "Move",
    "Numbers",
    "Paper",
    "Told",
    "as_seen",
    "best_start",
    "draw",
    "draw_fitted",
    "frame",
    "own_column",
    "paths",
    "report",
    "told",
    "weights",
    "worlds",
    "write_all",
    "write_worlds",
]
