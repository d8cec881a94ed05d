"""One build of everything, an interpreter as Lambda has it, and a local server that counts, for the whole session."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import builds, environments
from benchmarks.authority import authority
from benchmarks.scenario import Servers, lambda_environment, servers
from benchmarks.workspace import BENCH

_LIST = """
import awslambdaric.bootstrap, json, sys
before = set(sys.modules)
import handler
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@dataclass(frozen=True, slots=True)
class Functions:
    """The build, and a way to run Python in one of its functions."""

    build: builds.Build
    python: Path
    servers: Servers

    def environment(self, name: str) -> dict[str, str]:
        """The function's variables, but nothing that makes it call anybody while it is imported."""
        variables = lambda_environment(name, self.servers, packages=self.build.packages)
        return {key: value for key, value in variables.items() if key != "AWS_LAMBDA_INITIALIZATION_TYPE"}

    def imports(self, name: str) -> frozenset[str]:
        """The modules that a start of `name` loads, beyond those of the runtime itself."""
        printed = subprocess.run(
            [self.python, "-c", _LIST],
            cwd=self.build.functions / name,
            env=self.environment(name),
            capture_output=True,
            text=True,
            check=True,
        )
        return frozenset(json.loads(printed.stdout.splitlines()[-1]))


@pytest.fixture(scope="session")
def functions() -> Iterator[Functions]:
    """The layer and all functions, built from the working tree as SAM builds them."""
    build = builds.ours(BENCH / "counts")
    trusted = authority(BENCH / "authority")
    with servers(trusted, plain=True) as started:
        yield Functions(build, environments.runtime(), started)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for a `function` once for each there is."""
    if "function" in metafunc.fixturenames:
        metafunc.parametrize("function", builds.function_names())
