"""Continuous integration repeats what failed once, and says so; nothing is repeated in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
LAST_RUN = Path("web/test-results/.last-run.json")

# Stands in for make: notes what it is asked for, then does what the file of that name says.
MAKE = """#!/bin/sh
echo "$@ [$SECOND_TRIES]" >> calls
[ -f "$1" ] || exit 0
. "./$1"
"""
FAILS_IN_TESTS = f"mkdir -p {LAST_FAILED.parent}; echo '{{}}' > {LAST_FAILED}; exit 2"
FAILS_IN_THE_BROWSER = f"""
mkdir -p {LAST_RUN.parent}; echo '{{"failedTests": ["a"]}}' > {LAST_RUN}
printf '  1 failed\\n    tests/join.spec.ts:12:1 \\342\\200\\272 joins \\342\\224\\200\\342\\224\\200\\n  9 passed\\n'
exit 1
"""
FLAKY = """
from pathlib import Path
def test_flaky():
    tried = Path(__file__).with_name("tried")
    first = not tried.exists()
    tried.touch()
    assert not first
def test_steady():
    pass
"""


@dataclass(frozen=True)
class Clone:
    """A folder with `.ci/run`, where make, npm and node are our own."""

    folder: Path

    def make(self, target: str, script: str) -> None:
        """Say what `make target` does."""
        (self.folder / target).write_text(script)

    def run(self) -> tuple[int, list[str]]:
        """The exit status of `.ci/run`, and what make was asked for."""
        environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CHROMIUM": "/bin/true"}
        status = subprocess.run([self.folder / ".ci/run"], env=environment, capture_output=True, check=False).returncode
        return status, (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    (tmp_path / "bin").mkdir()
    programs = {"make": MAKE, "npm": "#!/bin/sh\n", "node": "#!/bin/sh\nexit 1\n"}  # too old: no browser tests
    for name, script in programs.items():
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    return Clone(tmp_path)


def test_what_passes_is_not_repeated(clone: Clone) -> None:
    """One run of `make test` is all."""
    assert clone.run() == (0, ["test []"])


def test_what_failed_is_repeated_once(clone: Clone) -> None:
    """Only what failed is run again."""
    clone.make("test", FAILS_IN_TESTS)
    assert clone.run() == (0, ["test []", "test-failed []"])


def test_what_fails_twice_fails(clone: Clone) -> None:
    """There is no third try."""
    clone.make("test", FAILS_IN_TESTS)
    clone.make("test-failed", "exit 2")
    status, calls = clone.run()
    assert (status != 0, len(calls)) == (True, 2)


def test_what_stops_before_the_tests_fails(clone: Clone) -> None:
    """A lint error is not excused by what failed in an earlier run and would pass now."""
    clone.make("test", "exit 2")
    (clone.folder / LAST_FAILED).parent.mkdir(parents=True)
    (clone.folder / LAST_FAILED).write_text('{"tests/unit/test_old.py::test_old": true}')
    status, calls = clone.run()
    assert (status != 0, calls) == (True, ["test []"])


def test_a_second_try_in_the_browser_is_handed_to_pytest(clone: Clone) -> None:
    """Pytest's run is the last one, so it names the browser's second tries too."""
    (clone.folder / "bin" / "node").write_text("#!/bin/sh\nexit 0\n")
    clone.make("test-web", FAILS_IN_THE_BROWSER)
    status, calls = clone.run()
    assert status == 0
    assert [each for each in calls if not each.startswith("web/")] == [
        "test-web []",
        "test-web-failed []",
        "test [web: tests/join.spec.ts:12:1 \u203a joins]",
    ]


def test_pytest_names_a_second_try_right_above_its_last_line(tmp_path: Path) -> None:
    """The test that failed and then passed, and no other; the closing line stays the last one."""
    test = tmp_path / "test_it.py"
    test.write_text(FLAKY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "layers" / "zoom_common"), str(ROOT)])}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path), str(test)]
    first, second = (
        subprocess.run([*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        for more in ([], ["--last-failed"])
    )
    assert (first.returncode, second.returncode) == (1, 0), second.stdout + second.stderr
    assert "second try" not in first.stdout
    title, name, closing = second.stdout.splitlines()[-3:]
    assert "passed only at the second try" in title
    assert name == "test_it.py::test_flaky"
    assert "1 passed" in closing
