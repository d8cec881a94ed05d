"""How the modules of the package depend on each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "zoom_simulator"
Graph = dict[str, set[str]]


def name_of(path: Path) -> str:
    """Return a module's dotted name below the package; the package itself is empty."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of the package that a file imports, also in functions and for type checkers only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("zoom_simulator.") for alias in node.names if "zoom_sim" in alias.name)
        elif isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "zoom_simulator":
            module = str(node.module).partition(".")[2]
            for alias in node.names:
                inner = f"{module}.{alias.name}".strip(".")
                yield inner if inner in MODULES else module


def rooms(graph: Graph) -> Graph:
    """Return the same graph between rooms: packages, and modules that stand by themselves."""
    found: Graph = {}
    for name, targets in graph.items():
        room = name.partition(".")[0]
        found.setdefault(room, set()).update({each.partition(".")[0] for each in targets} - {room})
    return found


GRAPH: Graph = {name: set(imported(tree)) - {name} for name, tree in MODULES.items()}


def test_no_module_imports_itself_in_a_circle() -> None:
    """The modules have an order in which each imports earlier ones only."""
    assert len([*TopologicalSorter(GRAPH).static_order()]) >= len(MODULES)


def test_no_room_imports_itself_in_a_circle() -> None:
    """Neither do the rooms depend on each other in a circle."""
    assert len([*TopologicalSorter(rooms(GRAPH)).static_order()]) >= len(rooms(GRAPH))


def test_a_circle_would_be_found() -> None:
    """The check fails for a circle, and for one that only exists between rooms."""
    circle = {"a": {"b"}, "b": {"a"}}
    only_rooms = {"x.one": {"y.one"}, "y.two": {"x.two"}}
    for graph in (circle, rooms(only_rooms)):
        with pytest.raises(CycleError):
            list(TopologicalSorter(graph).static_order())


def nested_imports(tree: ast.Module) -> list[int]:
    """Return the lines of a module's imports that do not stand at its top level."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return [node.lineno for node in found if node not in tree.body]


def test_imports_stand_at_the_top() -> None:
    """No import hides in a function or in a condition."""
    found = {name: nested_imports(tree) for name, tree in MODULES.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_files_can_be_read_in_one_sitting() -> None:
    """No file is longer than 350 lines."""
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in SOURCE.rglob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > 350} == {}
