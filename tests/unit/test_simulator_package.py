"""The simulated Zoom is a package of its own, and the repository uses what it publishes."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PUBLIC = {"zoom_simulator.testing"}
USERS = sorted(
    path
    for room in ("benchmarks", "dev", "functions", "layers", "ops", "tests")
    for path in (ROOT / room).rglob("*.py")
)


def imported(path: Path) -> set[str]:
    """Return the modules of the simulator that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return {name for name in found if name.partition(".")[0] == "zoom_simulator"}


def test_only_its_public_module_is_imported() -> None:
    """Whoever in this repository imports the simulator imports `zoom_simulator.testing`."""
    used = {str(path.relative_to(ROOT)): imported(path) for path in USERS if "zoom_simulator" in path.read_text()}
    assert PUBLIC in used.values()
    assert {name: modules - PUBLIC for name, modules in used.items() if modules - PUBLIC} == {}


def test_its_dependencies_are_the_locked_ones() -> None:
    """The simulator pins the versions that this repository's lock file pins."""
    project = tomllib.loads((ROOT / "simulator" / "pyproject.toml").read_text())["project"]
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE))
    pins = dict(re.sub(r"\[.*\]", "", each).split("==") for each in project["dependencies"])
    assert pins == {name: locked[name] for name in pins}
