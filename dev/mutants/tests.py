"""Finds the tests that run a line of the layer, and whether they pass with a changed module."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dev.mutants.recorder import FOLDER, LAYER, ROOT
from ops.console import Stop

SUITES = ("tests/unit", "tests/stores", "tests/aws", "tests/wire")
_PRELOADED = (
    "boto3",
    "cryptography.fernet",
    "hypothesis",
    "jsonschema",
    "moto",
    "pydantic",
    "pytest_socket",
    "requests",
)
# pytest warns that modules imported before its start are not rewritten.
_QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_FLAGS = ("-x", "--continue-on-collection-errors", *_QUIET)


_LONGEST_TEST, _LONGEST = 10.0, 120.0
_PASSED, _NOT_RUN = "passed", "not run"


@dataclass(slots=True)
class Coverage:
    """Which tests run which lines, and how many seconds each test takes."""

    by_line: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    by_module: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)

    def tests(self, module: str, lines: Iterable[int], *, toplevel: bool) -> set[str]:
        """Return the tests to run for a statement.

        Code outside functions runs at import, so every test of the module counts, and so do the test files that name
        it.
        """
        if not toplevel:
            return set().union(*(self.by_line.get((module, line), set()) for line in lines))
        dotted = "zoom_common." + module.removesuffix(".py").replace("/", ".")
        room, _, name = dotted.rpartition(".")
        naming = {path for path in test_files() if _names(ROOT / path, dotted, room, name)}
        return self.by_module[module] | {test for test in self.seconds if test.partition("::")[0] in naming}


def _names(path: Path, dotted: str, room: str, name: str) -> bool:
    text = path.read_text()
    whole = "zoom_common.__path__" in text  # it reads every module
    return whole or f"from {dotted} import" in text or (f"from {room} import" in text and name in text)


def test_files() -> list[str]:
    """Return the test files that can kill a mutant, without those of the tools."""
    found = (path.relative_to(ROOT) for suite in SUITES for path in sorted((ROOT / suite).rglob("test_*.py")))
    return [str(path) for path in found if not path.is_relative_to("tests/unit/dev")]


def coverage(folder: Path) -> Coverage:
    """Return what each test runs.

    Record the test files that changed since the last time; all of them take some minutes.
    """
    known = folder / "files.json"
    seen: dict[str, str] = json.loads(known.read_text()) if known.exists() else {}
    now = {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in test_files()}
    changed = [path for path, digest in now.items() if seen.get(path) != digest]
    if changed:
        _record(changed, folder)
        known.write_text(json.dumps(now))
    return _read(folder, now)


def _record(files: list[str], folder: Path) -> None:
    for path in folder.glob("*.jsonl"):
        kept = [line for line in path.read_text().splitlines() if _file(json.loads(line)["test"]) not in files]
        path.write_text("".join(f"{line}\n" for line in kept))
    flags = ["-q", "-n", "2", "-p", "no:cacheprovider", "-p", "dev.mutants.recorder", "--continue-on-collection-errors"]
    with (folder / "record.log").open("w") as log:
        command = [sys.executable, "-m", "pytest", *flags, *files]
        subprocess.run(command, cwd=ROOT, env=os.environ | {FOLDER: str(folder)}, stdout=log, stderr=log, check=False)


def _file(test: str) -> str:
    return test.partition("::")[0]


def _read(folder: Path, files: dict[str, str]) -> Coverage:
    found = Coverage()
    for line in (line for path in sorted(folder.glob("*.jsonl")) for line in path.open()):
        record = json.loads(line)
        if _file(record["test"]) not in files:
            continue
        found.seconds[record["test"]] = record["seconds"]
        for module, lines in record["lines"].items():
            found.by_module[module].add(record["test"])
            for number in lines:
                found.by_line[module, number].add(record["test"])
    return found


def preload() -> None:
    """Import what the tests import besides our own code, so that each fork starts fast."""
    for name in _PRELOADED:
        importlib.import_module(name)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed source. Nothing on the disk changes."""

    def __init__(self, module: str, source: str) -> None:
        self._path = LAYER + module
        self._name = "zoom_common." + module.removesuffix(".py").replace("/", ".")
        self._source = source

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> Any:
        del path, target
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._path, "exec"), module.__dict__)  # noqa: S102 # that is what it is for


class _Only:
    """Runs only these tests, the quickest first, and records the first that fails."""

    def __init__(self, tests: set[str], seconds: dict[str, float]) -> None:
        self._tests = tests
        self._seconds = seconds
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self._tests), key=lambda i: self._seconds[i.nodeid])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.failed = self.failed or (report.nodeid if report.failed else "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or (report.nodeid if report.failed else "")


def failing(tests: set[str], seconds: dict[str, float], module: str = "", source: str = "") -> str:
    """Return the first of these tests that fails with this source for the module, or "" when all pass.

    "timeout" means that they did not end, "import" that they did not begin. Raises Stop when they do not begin although
    nothing was changed.
    """
    allowed = 60 + 3 * sum(seconds[test] for test in tests)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run(tests, seconds, module, source, writer)
    os.close(writer)
    with contextlib.closing(os.fdopen(reader)) as answer:
        if not _ends(child, time.monotonic() + allowed):
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timeout"
        found = answer.read()
    if found in {"", _NOT_RUN}:
        if not module:
            raise Stop("pytest could not run the tests of a mutant.", "Run make test first: it says why.")
        return "import"  # the changed module, or what imports it, cannot be imported
    return "" if found == _PASSED else found


def _ends(child: int, deadline: float) -> bool:
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return True
        time.sleep(0.05)
    return False


def _run(tests: set[str], seconds: dict[str, float], module: str, source: str, writer: int) -> None:
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    if module:
        sys.meta_path.insert(0, _Changed(module, source))
    only = _Only(tests, seconds)
    code: int = 3
    try:
        code = pytest.main([*_FLAGS, *sorted({_file(test) for test in tests})], plugins=[only])
    finally:
        os.write(writer, (only.failed or (_PASSED if code == 0 else _NOT_RUN)).encode())
        os._exit(0)


def stages(tests: set[str], seconds: dict[str, float], size: int = 4) -> Sequence[set[str]]:
    """Split tests into the files most likely to fail soon (many tests that take little time), and the rest.

    Tests that take longer than ten seconds are left out, and so are files beyond two minutes in all, because a survivor
    would then take many minutes.
    """
    tests = {test for test in tests if seconds[test] <= _LONGEST_TEST}
    files: dict[str, set[str]] = defaultdict(set)
    for test in tests:
        files[_file(test)].add(test)
    rank = sorted(files, key=lambda file: -len(files[file]) / (0.5 + sum(seconds[test] for test in files[file])))
    sums = list(itertools.accumulate(sum(seconds[test] for test in files[file]) for file in rank))
    within = [file for file, until in zip(rank, sums, strict=True) if until <= _LONGEST]
    parts = [within[:size], within[size:]]
    return [set().union(*(files[file] for file in part)) for part in parts if part]
