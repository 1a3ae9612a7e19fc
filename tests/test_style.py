"""ruff (rules and layout) and mypy, with the settings of pyproject.toml."""

from __future__ import annotations

import subprocess
import sys

import pytest

from regionbook.paths import ROOT

PYTHON = ["lib", "site", "deploy", "tests", "workbook.py", "conftest.py"]


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", *PYTHON], ["ruff", "format", "--check", *PYTHON], ["mypy", "--no-error-summary"]],
    ids=["rules", "layout", "types"],
)
def test_style(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
