"""Every docstring's example runs and gives what it says."""

import doctest
import importlib
import pkgutil

import pytest

import regionbook

MODULES = [
    m.name for m in pkgutil.walk_packages(regionbook.__path__, "regionbook.") if "__main__" not in m.name
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
