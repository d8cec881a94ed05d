"""The simulated Zoom stands by itself."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
NEEDED = {"httpx", "pydantic", "starlette", "uvicorn"}


def imported() -> set[str]:
    """Every module that its files import."""
    found: set[str] = set()
    for path in (ROOT / "local" / "zoom").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module))
    return found


def test_it_takes_four_packages_and_its_own_folder() -> None:
    """Nothing of the gateway, nothing else of this repository, and what its page says has to be installed."""
    others = {name for name in imported() if name.partition(".")[0] not in sys.stdlib_module_names}
    ours = {name for name in others if name.startswith("local.")}
    assert all(name.startswith("local.zoom") for name in ours)
    assert {name.partition(".")[0] for name in others - ours} == NEEDED
    page = (ROOT / "docs" / "simulated-zoom.md").read_text()
    (line,) = re.findall(r"pip install (.+)", page)
    assert set(line.split()) == NEEDED
