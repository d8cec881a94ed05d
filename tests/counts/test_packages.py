"""Sizes, bytecode and what a start loads: all of it decided when something is built."""

from __future__ import annotations

import importlib.util
import io
import marshal
import sys
import zipfile
from pathlib import Path
from types import CodeType
from typing import Any

# PEP 552: bit 0 says "checked by hash or not at all", bit 1 says "checked".
_UNCHECKED_HASH = 1

# The packages beside Python's own and ours that a start may load. A package that is missing here costs every start.
_MAY_LOAD: dict[str, set[str]] = {
    "webhook": set(),
    "health": set(),
}
_AWS = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"}
_NEVER = {"aws_xray_sdk", "aws_lambda_powertools.event_handler", "aws_lambda_powertools.utilities.parser", "moto"}
_WEBHOOK_NEVER = {"aws_lambda_powertools", "boto3", "botocore", "pydantic", "requests", "urllib3", "cryptography"}
# Of the standard library: each of these is a tenth to a half of an empty handler's start.
_WEBHOOK_NEVER |= {"dataclasses", "email", "http", "importlib.metadata", "inspect", "ipaddress", "typing", "urllib"}
# What somebody waits for has light AWS clients; of botocore they load the exceptions and nothing that reads a model.
_WAITED_FOR = {
    "authorizer",
    "event_processor",
    "events",
    "meeting_sdk",
    "meetings",
    "oauth",
    "token",
    "token_refresh",
    "webhook",
    "webinars",
    "zoom_api",
}
_HEAVY = {"boto3", "s3transfer", "jmespath", "pydantic", "aws_lambda_powertools"} | {
    f"botocore.{name}" for name in ("client", "loaders", "model", "parsers", "serialize", "session")
}


def zipped(folder: Path) -> int:
    """The size of `folder` as an upload, in bytes."""
    upload = io.BytesIO()
    with zipfile.ZipFile(upload, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return upload.tell()


def test_the_layer_is_small(functions: Any) -> None:
    """The layer stays under 12 MB zipped: Lambda fetches and unpacks it before a first start."""
    assert zipped(functions.build.layer) <= 12_000_000


def test_a_function_is_one_small_file(functions: Any, function: str) -> None:
    """A function's own package is its handler with bytecode, and nothing else."""
    folder = functions.build.functions / function
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert files == {"handler.py", f"__pycache__/handler.{sys.implementation.cache_tag}.pyc"}
    assert zipped(folder) <= 32 * 1024


def test_every_module_has_bytecode_that_is_never_checked(functions: Any) -> None:
    """Lambda's disk is read-only and file times come from a zip, so the bytecode must be unchecked."""
    sources = [file for root in (functions.build.packages, functions.build.functions) for file in root.rglob("*.py")]
    kinds = {_kind(source) for source in sources}
    assert len(sources) > 100
    assert kinds == {(importlib.util.MAGIC_NUMBER, _UNCHECKED_HASH)}


def test_bytecode_names_the_place_lambda_unpacks_it_to(functions: Any) -> None:
    """A traceback points at /opt and /var/task, and at no machine that built."""
    ours = functions.build.packages / "zoom_common" / "errors.py"
    webhook = functions.build.functions / "webhook" / "handler.py"
    assert _code(ours).co_filename == "/opt/python/zoom_common/errors.py"
    assert _code(webhook).co_filename == "/var/task/handler.py"


def test_a_start_loads_nothing_it_does_not_need(functions: Any, function: str) -> None:
    """Powertools' resolver and parser, X-Ray and test tools are never loaded; some functions load nothing at all."""
    loaded = functions.imports(function)
    assert not {name for name in loaded if _under(name, _NEVER)}
    if function in _MAY_LOAD:
        foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"zoom_common", "handler"}
        assert foreign == _MAY_LOAD[function]


def test_powertools_waits_for_the_first_line_of_log(functions: Any, function: str) -> None:
    """No start pays for the logger: it comes with the first line."""
    assert not {name for name in functions.imports(function) if _under(name, {"aws_lambda_powertools"})}


def test_the_webhook_stays_with_the_standard_library(functions: Any) -> None:
    """The webhook's path through the layer imports neither pydantic, boto3, requests nor Powertools."""
    assert not {name for name in functions.imports("webhook") if _under(name, _WEBHOOK_NEVER)}


def test_where_somebody_waits_no_start_reads_a_service_model(functions: Any, function: str) -> None:
    """Neither boto3 nor pydantic nor Powertools is loaded with a function that answers a person, a program or Zoom."""
    if function in _WAITED_FOR:
        assert not {name for name in functions.imports(function) if _under(name, _HEAVY)}


def _under(name: str, roots: set[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _compiled(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source)))


def _kind(source: Path) -> tuple[bytes, int]:
    head = _compiled(source).read_bytes()[:8]
    return head[:4], int.from_bytes(head[4:8], "little")


def _code(source: Path) -> CodeType:
    code = marshal.loads(_compiled(source).read_bytes()[16:])  # noqa: S302 - our own build's
    assert isinstance(code, CodeType)
    return code
