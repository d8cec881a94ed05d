"""Where a start's time goes: the modules that cost most to import, and the functions of a warm call that do."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path

from benchmarks.events import event_for
from benchmarks.figures import Section, Table
from benchmarks.scenario import lambda_environment
from benchmarks.sections import Run
from benchmarks.workspace import BENCH, HERE

_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)")
_PATHS = ("webhook", "meetings", "event_processor")
_WARM = ("webhook", "authorizer", "meetings", "event_processor")
_CALLS = 100
_LEAST = 0.02


def profile(run: Run) -> Section:
    """Imports of the hot paths, by package."""
    section = Section("profile", "Where the time goes", (HERE / "notes.md").read_text().strip())
    for name in _PATHS:
        shares = _imports(run, name)
        table = Table(f"Importing {name}", ("package", "share of the import"))
        table.rows += [(package, f"{share:.0%}") for package, share in shares if share >= _LEAST]
        section.tables.append(table)
    for name in _WARM:
        table = Table(f"One more call of {name}", ("package", "share of the processor time"))
        table.rows += [(each, f"{share:.0%}") for each, share in _warm(run, name).items() if share >= _LEAST]
        section.tables.append(table)
    return section


def _warm(run: Run, name: str) -> dict[str, float]:
    event = event_for(name)
    if event is None:
        raise LookupError(name)
    path = BENCH / f"profiled-{name}.json"
    path.write_bytes(event())
    build = run.made.ours
    environment = lambda_environment(name, run.servers, packages=build.packages)
    environment |= {"BENCHMARK_EVENT": str(path), "AWS_CA_BUNDLE": str(run.servers.authority.amazons)}
    result = subprocess.run(
        [run.made.python, HERE / "drivers" / "profiled.py", str(_CALLS)],
        cwd=build.functions / name,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(result.stdout)
    return found


def _imports(run: Run, name: str) -> list[tuple[str, float]]:
    spent: defaultdict[str, float] = defaultdict(float)
    rounds = [_timed(run, name) for _ in range(3)]
    for line in rounds[-1].splitlines():  # the files are in the page cache by then
        found = _LINE.match(line)
        if found:
            parts = found[2].split(".")
            package = ".".join(parts[:2]) if parts[0] == "zoom_common" else parts[0]
            spent[package] += float(found[1])
    whole = sum(spent.values())
    return sorted(((package, each / whole) for package, each in spent.items()), key=lambda pair: -pair[1])


def _timed(run: Run, name: str) -> str:
    build = run.made.ours
    environment = lambda_environment(name, run.servers, packages=build.packages)
    environment.pop("AWS_LAMBDA_INITIALIZATION_TYPE")
    code = "import awslambdaric.bootstrap, sys; print('--', file=sys.stderr, flush=True); import handler"
    result = subprocess.run(
        [str(run.made.python), "-X", "importtime", "-c", code],
        cwd=Path(build.functions / name),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stderr.partition("--\n")[2]
