"""The package stands by itself."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

from zoom_simulator import cli

PACKAGE = Path(__file__).parents[2]
SOURCE = PACKAGE / "src" / "zoom_simulator"
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
NEVER_IMPORTED = {"tzdata"}  # zoneinfo reads its files where the system has none


def imported() -> set[str]:
    """Return the top-level names that the package imports, at any depth of its code."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
    return found


def test_imports_are_declared() -> None:
    """The package imports the standard library, itself and its dependencies, and nothing of this repository."""
    declared = {re.split(r"[\[=]", each)[0] for each in PROJECT["dependencies"]}
    others = {name for name in imported() if name not in sys.stdlib_module_names}
    assert others - {"zoom_simulator"} == declared - NEVER_IMPORTED


def test_dependencies_are_pinned_to_what_is_tested() -> None:
    """Every dependency has one exact version, and it is the version that these tests run with."""
    pins = dict(re.sub(r"\[.*\]", "", each).split("==") for each in PROJECT["dependencies"])
    assert pins == {name: version(name) for name in pins}


def test_version() -> None:
    """The installed package has the version of its pyproject.toml."""
    assert version(PROJECT["name"]) == PROJECT["version"]


def test_command() -> None:
    """The installed package brings the command `zoom-simulator`."""
    (command,) = entry_points(group="console_scripts", name="zoom-simulator")
    assert command.load() is cli.main
