"""Lessons are tests: nbval runs each notebook of chapters/ and solutions/ and compares every stored text and table.

No ``--nbval`` flag is needed. Set aside: pictures, widget state, stderr, the time of day, random ids of tables, and
one unit in the last digit of a decimal number, which another processor may round the other way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile

from regionbook.cli.notebooks import same_but_for_rounding, steady
from regionbook.widgets import WIDGET

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # the same sums on every machine; also two workers share the cores
os.environ.pop("MPLBACKEND", None)  # kernels draw as they do in JupyterLab

FOLDERS = {"chapters", "solutions"}
CAPTURED = {"stream", "display_data", "execute_result", "clear_output"}


def comparable(outputs: list[Any]) -> list[NotebookNode]:
    """Stored or fresh outputs without what may differ from run to run or machine to machine."""
    kept = []
    for out in outputs:
        if out.output_type == "stream":
            if out.name == "stdout":
                kept.append(NotebookNode(output_type="stream", name="stdout", text=steady(out.text)))
        elif out.output_type in ("display_data", "execute_result"):
            drop = {k for k in out["data"] if k == WIDGET or k.startswith("image/")}
            if drop or (" at 0x" in out["data"].get("text/plain", "") and "text/html" in out["data"]):
                drop.add(
                    "text/plain"
                )  # <Figure size ...>, VBox(children=...), <Styler at 0x...>: a stand-in only
            data = {
                k: steady(v) if isinstance(v, str) else v for k, v in out["data"].items() if k not in drop
            }
            if data:
                kept.append(NotebookNode(output_type="display_data", data=data))
        elif out.output_type == "error":  # name and message, in cells tagged raises-exception
            kept.append(NotebookNode(output_type="error", ename=out.ename, evalue=out.evalue))
    return kept


class LessonKernel(RunningKernel):
    """A kernel that honours IPython's trailing semicolon, which nbval's ``store_history=False`` breaks."""

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


class LessonCell(IPyNbCell):
    def compare_outputs(self, test: list[Any], ref: list[Any], skip_compare: Any = None) -> bool:
        fresh, stored = comparable(test), comparable(ref)
        if same_but_for_rounding(
            *(json.dumps(o, sort_keys=True, ensure_ascii=False) for o in (fresh, stored))
        ):
            return True
        return super().compare_outputs(fresh, stored, skip_compare)  # says what differs


class Lesson(IPyNbFile):
    def setup(self) -> None:
        super().setup()
        self.kernel.__class__ = LessonKernel
        self.capturing: dict[str, str] = {}  # Output widget (comm id) -> the request whose output it takes

    def collect(self) -> Iterator[LessonCell]:
        for cell in super().collect():
            yield LessonCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )

    def get_kernel_message(self, timeout: float | None = None, stream: str = "iopub") -> Any:
        """Do the front end's part for Output widgets (interact): what they take is not the cell's."""
        while True:
            msg = super().get_kernel_message(timeout=timeout, stream=stream)
            content, kind = msg["content"], msg["msg_type"]
            if kind in ("comm_open", "comm_msg"):
                state = content["data"].get("state", {})
                if "msg_id" in state:  # only OutputModel has this key
                    self.capturing[content["comm_id"]] = state["msg_id"]
            elif kind in CAPTURED and msg["parent_header"].get("msg_id") in filter(
                None, self.capturing.values()
            ):
                continue
            return msg


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Lesson | None:
    if file_path.suffix != ".ipynb" or ".ipynb_checkpoints" in file_path.parts:
        return None
    root = parent.config.rootpath
    if file_path.is_relative_to(root) and file_path.relative_to(root).parts[0] in FOLDERS:
        return Lesson.from_parent(parent, path=file_path)
    return None
