"""Rooms and arrows: who may import whom, who may reach outside, and that nothing happens at import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from zoom_common import __version__

ROOT = Path(__file__).parents[2]
ROOMS = ROOT / "layers" / "zoom_common" / "zoom_common"
MODULES = sorted(ROOMS.rglob("*.py"))
HANDLERS = sorted((ROOT / "functions").glob("*/*.py"))

# AWS's room, and the modules whose business is something outside: a key, a bus, a queue, a store, a connection.
AWS = ROOMS / "aws"
OUTSIDE = {"bus", "cipher", "client", "queue", "store", "transport"}
CLIENT_LIBRARIES = {"aiohttp", "boto3", "botocore", "http", "httpx", "requests", "socket", "urllib3"}
AT_IMPORT = {"client", "resource", "Session", "RequestsTransport", "getenv", "environ", "environb", "HTTPSConnection"}


def name_of(path: Path) -> str:
    """A test id that reads like the tree."""
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(path.read_text(), name_of(path))


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere when the code runs."""
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what it holds, without what only a type checker sees."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        for other in node.orelse:
            yield from _running(other)
        return
    yield node
    for each in ast.iter_child_nodes(node):
        yield from _running(each)


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs while a module is imported: not bodies of functions, but their defaults and decorators."""
    if isinstance(node, ast.Lambda) or _warms_up(node):
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for early in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            yield from _at_import(early)
        return
    yield node
    for each in ast.iter_child_nodes(node):
        yield from _at_import(each)


def _warms_up(node: ast.AST) -> bool:
    """The one thing that may happen at import: opening a connection while Lambda, and nobody else, starts the code."""
    return isinstance(node, ast.If) and "AWS_LAMBDA_INITIALIZATION_TYPE" in ast.dump(node.test)


def happenings(tree: ast.Module) -> set[str]:
    """Reads of the environment, and clients made, while the module is imported."""
    found = set()
    for node in _at_import(tree):
        reached = node.func if isinstance(node, ast.Call) else node
        name = getattr(reached, "attr", None) or getattr(reached, "id", None)
        environment = isinstance(node, ast.Attribute) and name in {"environ", "environb", "getenv"}
        if name in AT_IMPORT and (isinstance(node, ast.Call) or environment):
            found.add(str(name))
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_value(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchValue) and _is_text(pattern.value)


def test_arrows_point_downwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contracts of pyproject.toml hold: rooms in layers, Zoom's protocol pure, the simulated Zoom separate."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOMS.parent))
    monkeypatch.syspath_prepend(str(ROOT))
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_few_modules_reach_outside(path: Path) -> None:
    """Only AWS's room, a store, a cipher, a queue, a bus, a transport or a client imports a client library."""
    used = {name.partition(".")[0] for name in imports(parsed(path))} & CLIENT_LIBRARIES
    assert not used or path.parent == AWS or path.stem.rpartition("_")[2] in OUTSIDE


@pytest.mark.parametrize("path", [*MODULES, *HANDLERS], ids=name_of)
def test_only_awss_room_makes_boto3_clients(path: Path) -> None:
    """There is one place that decides about timeouts, tries and endpoints."""
    assert "boto3" not in {name.partition(".")[0] for name in imports(parsed(path))} or path == AWS / "clients.py"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_where_aws_is_stands_in_one_file(path: Path) -> None:
    """No other module spells a partition's suffix or an endpoint's variable; TLS knows whose names have which roots."""
    text = path.read_text()
    known = path in {AWS / "endpoints.py", AWS / "https.py"}
    assert known or not re.search(r"amazonaws\.(com|eu)|AWS_ENDPOINT_URL", text)


@pytest.mark.parametrize("path", [*MODULES, *HANDLERS], ids=name_of)
def test_no_code_compares_reasons(path: Path) -> None:
    """A decision goes by an error's type or by an enumeration: a reason is for the caller and the log."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Compare):
            compared = [each for each in (node.left, *node.comparators) if isinstance(each, ast.Attribute)]
            texts = [each for each in (node.left, *node.comparators) if _is_text(each)]
            assert not texts or all(each.attr != "reason" for each in compared), ast.unparse(node)
        if isinstance(node, ast.MatchClass):
            assert not ("reason" in node.kwd_attrs and any(map(_is_value, node.kwd_patterns))), ast.unparse(node)


@pytest.mark.parametrize("path", [*MODULES, *HANDLERS], ids=name_of)
def test_nothing_happens_at_import(path: Path) -> None:
    """No module reads the environment or makes a client before it is asked to."""
    assert happenings(parsed(path)) == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_environment_is_handed_in(path: Path) -> None:
    """Only a handler reads the process's environment; the layer is given a mapping.

    But for AWS's own clients, and for what stands before every handler and is none's business: what tells operators,
    also that a setting is missing.
    """
    if path == AWS / "clients.py" or path.stem == "observability":
        return
    read = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}
    assert read.isdisjoint({"environ", "environb", "getenv"})


@pytest.mark.parametrize("path", HANDLERS, ids=name_of)
def test_a_function_is_one_file_that_knows_no_other(path: Path) -> None:
    """It imports the standard library and the layer; nothing of a sibling, no client, nothing relative."""
    assert path.name == "handler.py"
    siblings = {folder.name for folder in (ROOT / "functions").iterdir()} | {
        "functions",
        "dev",
        "ops",
        "local",
        "tests",
    }
    used = {name.partition(".")[0] for name in imports(parsed(path))}
    assert used.isdisjoint(siblings | CLIENT_LIBRARIES | {""})


@pytest.mark.parametrize("path", [ROOMS / "__init__.py", *sorted(ROOMS.glob("*/__init__.py"))], ids=name_of)
def test_a_room_says_what_it_is_and_nothing_else(path: Path) -> None:
    """Its own file is a docstring, so that importing one module imports no other. The package has a version."""
    docstring, *rest = parsed(path).body
    assert isinstance(docstring, ast.Expr)
    assert [ast.unparse(each) for each in rest] == [f"__version__ = {__version__!r}"] * (path.parent == ROOMS)


def test_only_the_webhook_warms_up() -> None:
    """Zoom waits three seconds and not every delivery comes again; every other function starts cold and lazily."""
    warm = {path.parent.name for path in HANDLERS if any(_warms_up(node) for node in ast.walk(parsed(path)))}
    assert warm <= {"webhook"}


@pytest.mark.parametrize(
    ("source", "happens"),
    [
        ("import os\nTABLE = os.environ['TABLE']", {"environ"}),
        ("import os\ndef f(table=os.getenv('TABLE')): ...", {"getenv"}),
        ("class A:\n    client = boto3.client('s3')", {"client"}),
        ("session = Session()", {"Session"}),
        ("import os\ndef f():\n    return os.environ['TABLE']", set()),
        ("make = lambda: boto3.client('s3')", set()),
        ("class A:\n    client: str", set()),
    ],
)
def test_the_check_itself_sees(source: str, happens: set[str]) -> None:
    """What runs at import is told from what only stands there."""
    assert happenings(ast.parse(source)) == happens


def test_the_check_itself_sees_imports() -> None:
    """Inside functions too, but not what only a type checker reads."""
    source = "def f():\n    import boto3\nif TYPE_CHECKING:\n    import requests\nfrom urllib3 import util"
    assert set(imports(ast.parse(source))) == {"boto3", "urllib3"}
