"""pyproject.toml, requirements.lock and environment.yml say the same."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from regionbook.paths import ROOT

FILE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = FILE["project"], FILE["dependency-groups"]
DIRECT = [Requirement(r) for r in PROJECT["dependencies"]]
EXTRAS = [Requirement(r) for r in PROJECT["optional-dependencies"]["test"]]  # "bert" stays out of the lock
CONDA_NAMES = {"python-duckdb": "duckdb", "ibis-duckdb": "ibis-framework"}
BY_PIP = {"diff-diff", "exactextract"}  # pip brings them with the project itself
LINES = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
FURTHER = {"site": "site/requirements.lock", "hub": "deploy/requirements.lock"}


def locked(lines):
    return [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]


LOCK = locked(LINES)
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PLATFORMS = [("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt")]


def environment(python, platform):
    names = dict(zip(("sys_platform", "platform_system", "os_name"), platform, strict=True))
    machine = {"linux": "x86_64", "darwin": "arm64", "win32": "AMD64"}[platform[0]]
    return names | {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda p: p[0])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_the_lock_holds_every_direct_dependency_once(python, platform):
    here = [r for r in LOCK if r.marker is None or r.marker.evaluate(environment(python, platform))]
    names = [canonicalize_name(r.name) for r in here]
    assert len(names) == len(set(names)), "a package stands in the lock twice for one machine"
    pinned = {canonicalize_name(r.name): str(r.specifier) for r in here}
    for wanted in DIRECT + EXTRAS:
        if wanted.marker is not None and not wanted.marker.evaluate(environment(python, platform)):
            continue
        pin = pinned.get(canonicalize_name(wanted.name))
        assert pin, f"{wanted.name} is not in requirements.lock"
        assert re.fullmatch(r"==[\w.!+]+", pin) and wanted.specifier.contains(pin[2:], prereleases=True), (
            wanted,
            pin,
        )


def test_the_lock_names_no_index():
    assert not [line for line in LINES if line.startswith("-") or "://" in line]
    assert {canonicalize_name(r.name) for r in LOCK} >= {"setuptools", "pip"} - {
        "pip"
    }  # the project is built with it


@pytest.mark.parametrize("group", FURTHER)
def test_a_further_lock_agrees_with_the_workbooks(group):
    lines = (ROOT / FURTHER[group]).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.startswith("-") or "://" in line]
    pins, known = ({canonicalize_name(r.name): str(r.specifier) for r in rs} for rs in (locked(lines), LOCK))
    assert {name: pin for name, pin in pins.items() if known.get(name, pin) != pin} == {}
    for wanted in map(Requirement, GROUPS[group]):
        pin = pins[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(pin.removeprefix("==")), wanted


def test_conda_says_what_pyproject_says():
    entries = [d for d in CONDA["dependencies"] if isinstance(d, str)]
    (pip,) = [d["pip"] for d in CONDA["dependencies"] if isinstance(d, dict)]
    assert pip == ["--editable ."]  # the project itself; nothing else has to come from elsewhere
    conda = {canonicalize_name(r.name): str(r.specifier) for r in map(Requirement, entries)}
    conda = {CONDA_NAMES.get(name, name): pin for name, pin in conda.items()}
    assert conda.pop("python") == str(Requirement(f"python{PROJECT['requires-python']}").specifier)
    assert conda.pop("pip") == ""
    assert conda.pop("setuptools") == ">=77"
    assert conda == {canonicalize_name(r.name): str(r.specifier) for r in DIRECT if r.name not in BY_PIP}
    assert CONDA["name"] == PROJECT["name"] and CONDA["channels"] == ["conda-forge", "nodefaults"]


def test_workbook_knows_the_same_pythons():
    text = (ROOT / "workbook.py").read_text(encoding="utf-8")
    oldest, newest = re.search(r"OLDEST, NEWEST = \((\d, \d+)\), \((\d, \d+)\)", text).groups()
    low, high = (tuple(map(int, v.split(", "))) for v in (oldest, newest))
    wanted = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert wanted.contains("{}.{}".format(*low)) and not wanted.contains(f"{low[0]}.{low[1] - 1}")
    assert wanted.contains("{}.{}".format(*high)) and not wanted.contains(f"{high[0]}.{high[1] + 1}")
