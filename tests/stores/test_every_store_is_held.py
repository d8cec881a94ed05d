"""No store without a suite, and no imitation of a store: what a test uses in place of one is held to moto.

A store in memory is the store itself over `tests.fakes.dynamodb`, and may count, fail or look inside. Whoever answers
in a store's place by rules of their own would prove things about those rules.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_type_hints

import pytest

from tests.fakes import tables
from tests.stores import factories

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "zoom_common" / "zoom_common"

# Classes of the layer that are given a table or DynamoDB's client and are no stores, with what they are.
NO_STORES = {
    "Counters": "what daily calls and the throttle share",
    "_Vault": "a wiring of several stores",
    "Deletion": "a part of that job",
    "Erasure": "a job over all tables, held by tests/aws/test_erasure.py",
    "Table": "what stores are made of",
}
# Classes of tests with methods of a store's name that keep nothing: they answer as a test told them, or write down
# what they were asked.
SCRIPTED = {
    "Classroom": "a generated story of a meeting",
    "Counters": "notes which counts were begun and finished",
    "Everyone": "a vault in which every user is connected",
    "ScriptedLimiter": "a limiter that answers by a script",
    "StatusNotes": "two apps with known status",
    "Store": "two lines of usage for every day",
    "Zoom": "an HTTP client of the simulated Zoom",
    "Work": "the erasure job and its queue",
    "_Uncounted": "answers of Zoom that nobody counts",
}


def factory_functions() -> dict[str, type]:
    """The factories by name, with the store that each of them makes."""
    found = {}
    for name, function in inspect.getmembers(factories, inspect.isfunction):
        made = get_type_hints(function, vars(factories)).get("return")
        if function.__module__ == factories.__name__ and isinstance(made, type) and made.__module__ != "tests":
            found[name] = made
    return {name: made for name, made in found.items() if made.__module__.startswith("zoom_common.")}


@cache
def classes_of_tests() -> list[tuple[Path, ast.ClassDef]]:
    """Every class in the folder of tests, with its file."""
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text())
        found += [(path.relative_to(ROOT), each) for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
    return found


def methods(of: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """Its public methods."""
    return {each.name: each for each in of.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")}


def public(store: type) -> set[str]:
    """The names of a store's own public methods."""
    return {name for name, _ in inspect.getmembers(store, inspect.isfunction) if not name.startswith("_")}


STORES = {store.__name__: store for store in factory_functions().values()}
NAMES_OF_STORES = set(STORES) | {
    each.name for _, each in classes_of_tests() if any(ast.unparse(base) in STORES for base in each.bases)
}


def stores_of(of: ast.ClassDef) -> Iterator[type]:
    """The stores that it derives from, also by another class of tests."""
    for base in map(ast.unparse, of.bases):
        if base in STORES:
            yield STORES[base]
        elif base in NAMES_OF_STORES:
            yield from stores_of(next(each for _, each in classes_of_tests() if each.name == base))


def in_memory() -> Iterator[tuple[Path, ast.ClassDef]]:
    """The classes of tests that are stores: they derive from one, or from one that does."""
    for path, each in classes_of_tests():
        if any(ast.unparse(base) in NAMES_OF_STORES for base in each.bases):
            yield path, each


def test_every_store_of_the_layer_has_a_factory() -> None:
    """What is given a table or DynamoDB's client is a store, or says here what else it is."""
    found = set()
    for path in LAYER.rglob("*.py"):
        for each in ast.walk(ast.parse(path.read_text())):
            if isinstance(each, ast.ClassDef) and not ast.unparse(each).count("Protocol)"):
                made = [inner for inner in each.body if isinstance(inner, ast.FunctionDef) and inner.name == "__init__"]
                given = [argument.annotation for one in made for argument in one.args.args + one.args.kwonlyargs]
                given += [inner.annotation for inner in each.body if isinstance(inner, ast.AnnAssign)]
                words = {word for one in given if one for word in ast.unparse(one).replace("|", " ").split()}
                if words & {"Table", "DynamoDBClient"}:
                    found.add(each.name)
    assert {"ConnectionStore", "RefreshStore", "EventLog"} < found
    assert found - set(NO_STORES) <= set(STORES)


@pytest.mark.parametrize("name", factory_functions())
def test_every_factory_serves_a_suite(name: str) -> None:
    """A test of this folder makes its store there, over every DynamoDB that the folder has."""
    suites = [path for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name]
    assert any(f"factories.{name}(dynamodb" in path.read_text() for path in suites)


def test_stores_in_memory_are_those_that_the_suites_hold() -> None:
    """A class of the fakes that derives from a store is made by a factory, or adds nothing that a caller sees."""
    made = {type(each).__name__ for each in made_in_memory()}
    for path, each in in_memory():
        own = set(methods(each)) & set().union(*map(public, STORES.values()))
        if path.parts[1] == "fakes" and own:
            assert each.name in made, f"{path}: {each.name} answers for a store and no factory makes it"


def made_in_memory() -> Iterator[object]:
    """What the factories make over DynamoDB in memory."""
    client = tables.in_memory().client()
    extra = {"clock": lambda: 0.0, "retention_days": 1, "name": tables.EVENTS, "send": lambda _: None}
    for name in factory_functions():
        factory = getattr(factories, name)
        wanted = list(inspect.signature(factory).parameters)[1:]
        yield factory(client, **{each: extra[each] for each in wanted})


def test_a_store_in_memory_answers_as_the_store_does() -> None:
    """What it overrides it passes on: it may count or fail before, and look at the answer after."""
    for path, each in in_memory():
        inherited = set().union(*(public(store) for store in stores_of(each)))
        for name, method in methods(each).items():
            if name in inherited:
                assert f"super().{name}(" in ast.unparse(method), f"{path}: {each.name}.{name} imitates a store"


def test_nobody_imitates_a_store() -> None:
    """A class that is no store and has two methods of one keeps nothing, and says here what it does."""
    held, found = {each.name for _, each in in_memory()}, []
    for path, each in classes_of_tests():
        if path.parts[1] == "e2e":  # drives a deployed stack
            continue
        names = set(methods(each))
        alike = sorted(name for name, store in STORES.items() if len(names & public(store)) > 1)
        if alike and each.name not in held and each.name not in SCRIPTED:
            found.append(f"{path}: {each.name} looks like {alike}: use the one of tests/fakes, or say what it does")
    assert found == []
