"""How results show themselves: HTML in a notebook, the same as text on a console."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import pandas as pd

Part: TypeAlias = pd.DataFrame | Mapping[str, str] | str
"""A table, facts by name, or a sentence."""


class Shown:
    """A result that shows `_shown()`; a dataclass with it needs ``repr=False``.

    >>> class Two(Shown):
    ...     def _shown(self):
    ...         return [{"observations": "12"}, "a note"]
    >>> print(Two().summary)
    observations: 12
    a note
    """

    def _shown(self) -> Sequence[Part]:
        raise NotImplementedError

    @property
    def summary(self) -> str:
        """What ``print`` shows: tables and facts as text."""
        return "\n".join(map(_text, self._shown()))

    def __repr__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return "".join(map(_html, self._shown()))


def _text(part: Part) -> str:
    if isinstance(part, pd.DataFrame):
        return part.to_string()
    return part if isinstance(part, str) else "\n".join(f"{name}: {value}" for name, value in part.items())


def _html(part: Part) -> str:
    if isinstance(part, pd.DataFrame):
        return str(part.to_html())
    return f"<p>{part}</p>" if isinstance(part, str) else pd.DataFrame({"": part}).to_html(header=False)
