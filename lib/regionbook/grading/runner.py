"""Runs a student's cells, inside the sandbox: a command comes in, a reply goes out, one JSON a line.

Whoever reads the replies must believe nothing: the student's code runs in this process and can say what it likes.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO

from regionbook.grading import plain

_held: list[Any] = []
"""What references mean: objects that stay here."""


def new_shell() -> Any:
    """A shell for the cells."""
    os.environ["MPLBACKEND"] = "agg"
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.showtraceback = lambda *args, **kwargs: None  # type: ignore[method-assign]
    return made


def detached() -> tuple[BinaryIO, BinaryIO]:
    """Stdin and stdout for commands and replies; whoever prints or reads from now on, does so nowhere."""
    commands, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    return commands, replies


def fetch(modules: Iterable[str]) -> None:
    """Import modules beforehand; one that cannot be is left for the sheet that asks for it."""
    for name in modules:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def serve(shell: Any, commands: BinaryIO, replies: BinaryIO) -> None:
    """Answer commands until there are no more."""
    # the signal is ignored, if grading was started in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["__main__"] = shell.user_module
    for line in commands:
        try:
            reply = _answer(shell, json.loads(line))
            text = json.dumps(reply)
        except BaseException as error:  # also an interrupt, also SystemExit
            text = json.dumps({"error": _said(error)})
        replies.write(text.encode() + b"\n")
        replies.flush()


def _said(error: BaseException) -> list[str]:
    try:
        return [type(error).__name__, str(error)[:300]]
    except BaseException:
        return ["Exception", "an error that cannot be shown"]


def _answer(shell: Any, command: dict[str, Any]) -> dict[str, Any]:
    if command["op"] == "run":
        done = shell.run_cell(command["code"], store_history=False)
        error = done.error_before_exec or done.error_in_exec
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")  # as in a notebook
        return {"error": _said(error) if error is not None else None}
    if command["op"] == "take":
        return {"values": {name: _take(shell, name) for name in command["names"] if name in shell.user_ns}}
    on = _object(command["held"])
    if command["op"] == "attr":
        return {"value": plain.encode(getattr(on, command["name"]), _keep)}
    args, kwargs = (
        plain.decode(command[name], lambda number, kind: _object(number)) for name in ("args", "kwargs")
    )
    return {"value": plain.encode(on(*args, **kwargs), _keep)}


def _object(number: int) -> Any:
    if number < 0:
        raise ValueError("this value is too large to be copied")
    return _held[number]


def _take(shell: Any, name: str) -> Any:
    try:
        return plain.encode(shell.user_ns[name], _keep)
    except Exception:
        return {"t": "held", "v": -1, "type": "value that cannot be copied"}  # the judge's own stands for it


def _keep(x: Any) -> dict[str, Any]:
    _held.append(x)
    return {"t": "held", "v": len(_held) - 1, "type": type(x).__name__}


if __name__ == "__main__":  # without a warden: a system that cannot fork
    serve(new_shell(), *detached())
