"""Rooms and arrows: who may import whom, who may reach outside, and that nothing happens at import."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports
from samcli.yamlhelper import yaml_parse

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
    """A file's path in the repository."""
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(path.read_text(), name_of(path))


def breaking(paths: Iterable[Path], holds: Callable[[Path], bool]) -> list[str]:
    """The files for which a rule does not hold."""
    return [name_of(path) for path in paths if not holds(path)]


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere when the code runs."""
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def packages(path: Path) -> set[str]:
    """The top-level packages that a file imports; empty for a relative import."""
    return {name.partition(".")[0] for name in imports(parsed(path))}


def attributes(path: Path) -> set[str]:
    """The names of attributes that a file reads."""
    return {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}


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
    """What may happen at import, while Lambda, and nobody else, starts the code: the block that asks how it starts."""
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


def compares_reasons(node: ast.AST) -> bool:
    """Whether a piece of code compares an attribute `reason` with a text."""
    if isinstance(node, ast.Compare):
        sides = (node.left, *node.comparators)
        reads = (side for side in sides if isinstance(side, ast.Attribute))
        return any(map(_is_text, sides)) and any(side.attr == "reason" for side in reads)
    return isinstance(node, ast.MatchClass) and "reason" in node.kwd_attrs and any(map(_is_value, node.kwd_patterns))


def test_few_modules_reach_outside() -> None:
    """Only AWS's room, a store, a cipher, a queue, a bus, a transport or a client imports a client library."""
    inside = [path for path in MODULES if path.parent != AWS and path.stem.rpartition("_")[2] not in OUTSIDE]
    assert breaking(inside, lambda path: CLIENT_LIBRARIES.isdisjoint(packages(path))) == []


def test_only_awss_room_makes_boto3_clients() -> None:
    """One module decides about timeouts, tries and endpoints."""
    others = {*MODULES, *HANDLERS} - {AWS / "clients.py"}
    assert breaking(others, lambda path: "boto3" not in packages(path)) == []


def test_where_aws_is_stands_in_one_file() -> None:
    """No other module spells a partition's suffix or an endpoint's variable; TLS knows which names have which roots."""
    others = {*MODULES} - {AWS / "endpoints.py", AWS / "https.py"}
    assert breaking(others, lambda path: not re.search(r"amazonaws\.(com|eu)|AWS_ENDPOINT_URL", path.read_text())) == []


def test_no_code_compares_reasons() -> None:
    """A decision goes by an error's type or by an enumeration: a reason is for the caller and the log."""
    assert breaking([*MODULES, *HANDLERS], lambda path: not any(map(compares_reasons, ast.walk(parsed(path))))) == []


def test_nothing_happens_at_import() -> None:
    """No module reads the environment or makes a client before it is asked to."""
    assert breaking([*MODULES, *HANDLERS], lambda path: not happenings(parsed(path))) == []


def test_the_environment_is_handed_in() -> None:
    """Only a handler reads the process's environment; the layer is given a mapping.

    Two modules may: the one that makes AWS's own clients, and the one that reports to operators, which must also work
    when a setting is missing.
    """
    others = [path for path in MODULES if path != AWS / "clients.py" and path.stem != "observability"]
    assert breaking(others, lambda path: {"environ", "environb", "getenv"}.isdisjoint(attributes(path))) == []


def test_a_function_is_one_file_that_knows_no_other() -> None:
    """It imports the standard library and the layer; nothing of a sibling, no client, nothing relative."""
    assert {path.name for path in HANDLERS} == {"handler.py"}
    siblings = {folder.name for folder in (ROOT / "functions").iterdir()}
    foreign = siblings | {"functions", "dev", "ops", "local", "tests", ""} | CLIENT_LIBRARIES
    assert breaking(HANDLERS, lambda path: foreign.isdisjoint(packages(path))) == []


def test_a_room_says_what_it_is_and_nothing_else() -> None:
    """Its own file is a docstring, so that importing one module imports no other. The package has a version."""
    version = f"__version__ = {__version__!r}"
    rooms = {path: parsed(path).body for path in ROOMS.glob("**/__init__.py")}
    assert breaking(rooms, lambda path: isinstance(rooms[path][0], ast.Expr)) == []
    assert {name_of(path): [ast.unparse(each) for each in body[1:]] for path, body in rooms.items() if body[1:]} == {
        name_of(ROOMS / "__init__.py"): [version]
    }


def test_only_the_webhook_warms_up() -> None:
    """Zoom waits three seconds and not every delivery comes again; every other function starts cold and lazily.

    A snapshot is no exception: before it is taken, the functions that have one load modules and do nothing else.
    """
    warm = {path: node for path in HANDLERS for node in ast.walk(parsed(path)) if _warms_up(node)}
    assert {path.parent.name for path, node in warm.items() if not _only_loads(node)} <= {"webhook"}
    template = yaml_parse((ROOT / "template.yaml").read_text())["Resources"].values()
    snapshots = {each["Properties"]["CodeUri"] for each in template if "SnapStart" in each["Properties"]}
    assert {f"functions/{path.parent.name}" for path, node in warm.items() if _only_loads(node)} == snapshots


def _only_loads(node: ast.AST) -> bool:
    """Whether a block at import runs with SnapStart only, and is what `edge/snapshot.py` is there for."""
    return (
        isinstance(node, ast.If)
        and ast.unparse(node.test) == "os.environ.get('AWS_LAMBDA_INITIALIZATION_TYPE') == 'snap-start'"
        and [type(each) for each in node.body] == [ast.ImportFrom, ast.Expr]
        and ast.unparse(node.body[1]).startswith("snapshot.prepare(")
    )


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
