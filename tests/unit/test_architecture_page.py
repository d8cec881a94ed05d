"""docs/architecture.md shows the rooms that import-linter's contracts hold, and pages name modules that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "zoom_common" / "zoom_common"
PAGE = ROOT / "docs" / "architecture.md"


def pictured() -> list[set[str]]:
    """The lines of the page's picture below `functions`, each with the rooms that stand in it."""
    found = re.search(r"^```text\nfunctions .*?\n-+\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    names = [line.partition("  ")[0] for line in found[1].splitlines()]
    return [set(name.split(" | ")) for name in names]


def contracted() -> list[set[str]]:
    """The layers of import-linter's contract, from top to bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rooms,) = [each["layers"] for each in contracts if "zoom_common.zoom" in each.get("layers", [])]
    return [{name.strip().removeprefix("zoom_common.") for name in re.split("[|:]", layer)} for layer in rooms]


def test_the_picture_of_the_rooms_is_the_contract() -> None:
    """The same rooms in the same order."""
    assert pictured() == contracted()


def test_every_room_is_in_the_contract() -> None:
    """No package and no module of the layer is free to import what it likes."""
    rooms = {path.stem for path in LAYER.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__"} == set().union(*contracted())
