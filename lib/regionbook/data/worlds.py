"""The truth behind a teaching panel, and rival worlds: another truth, the same printed tables."""

import json
from typing import Any

import pandas as pd

from regionbook.data.errors import did_you_mean
from regionbook.data.figures import known
from regionbook.data.schema import teaching_file
from regionbook.paths import data_file


def worlds(slug: str) -> list[str]:
    """Return the names of a paper's rival worlds, which `load` and `truth` take as ``world``; none where it has none.

    Examples
    --------
    >>> worlds("city-innovation")
    ['coast']
    """
    files = data_file("teaching").glob(f"{known(slug)}.*.truth.json")
    return sorted(f.name.split(".")[1] for f in files)


def known_world(slug: str, world: str) -> str:
    """``world``, if the paper has it; an error that names those that it has otherwise."""
    ready = worlds(slug)
    if world not in ready:
        said = f"{slug!r} has no world {world!r}.{did_you_mean(world, ready)} Its rival worlds are:"
        raise ValueError(f"{said} {', '.join(ready) or 'none'}; leave `world` out for the shipped panel.")
    return world


def in_world(panel: pd.DataFrame, slug: str, world: str, table: str = "") -> pd.DataFrame:
    """A shipped table with the columns in which a rival world differs; a table that is the same stays as it is.

    ``table`` is, of a panel of pairs, the name of the raw table.
    """
    ending = ".".join(["", known_world(slug, world), *filter(None, [table]), "parquet"])
    moved = panel.copy()
    if not table or data_file("teaching", f"{slug}{ending}").exists():
        other = pd.read_parquet(teaching_file(slug, ending))
        if panel.index.names == [None]:  # a list, such as citations: another length, all of it differs
            moved = other
        else:
            other = other.set_index(list(panel.index.names))
            moved[other.columns] = other.loc[panel.index]
    moved.attrs = panel.attrs | {"world": world}
    return moved


def truth(slug: str, world: str | None = None) -> dict[str, Any]:
    """Return what made a teaching panel, the shipped one or a rival ``world`` (`worlds`): parameters, seed, and targets with
    what was reached.

    Raises
    ------
    ValueError, FileNotFoundError
        If the paper or the world is unknown, or the paper has no teaching panel yet.

    Examples
    --------
    >>> truth("city-innovation")["beta"], truth("city-innovation", world="coast")["beta"]
    (0.197, 0.085)
    """
    part = "" if world is None else f".{known_world(slug, world)}"
    return json.loads(teaching_file(slug, f"{part}.truth.json").read_text(encoding="utf-8"))
