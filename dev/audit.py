"""`make security`: checks the shipped packages for known vulnerabilities with pip-audit, and names unchecked ones.

With an index that mirrors packages without their advisories, pip-audit prints "No known vulnerabilities found" for what
it has skipped. Here these packages are named, and the command fails if `--strict` is given or `CI` is set.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ops.console import say
from ops.project import ROOT

PIP_AUDIT = "pip-audit==2.10.1"
SHIPPED = ROOT / "layers" / "zoom_common" / "requirements.txt"
_PIN = re.compile(r"[A-Za-z0-9][\w.\-\[\]]*==[\w.!+]+")


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of an audit. `unasked` are packages for which the index has no advisories."""

    known: tuple[str, ...]
    unasked: tuple[str, ...]
    looked_up: int


def read(report: str) -> Findings:
    """Return the findings in pip-audit's JSON. Raises ValueError for anything else."""
    known, unasked, looked_up = [], [], 0
    described = json.loads(report)
    for package in described["dependencies"] if isinstance(described, dict) else described:
        if "skip_reason" in package:
            unasked.append(package["name"])
            continue
        looked_up += 1
        for each in package["vulns"]:
            mended = ", ".join(each.get("fix_versions", [])) or "no version yet"
            known.append(f"{package['name']} {package['version']}: {each['id']}, mended in {mended}")
    return Findings(tuple(known), tuple(unasked), looked_up)


def unpinned(requirements: str) -> list[str]:
    """Return the lines of a requirements file that do not name exactly one version, or name no hash for it."""
    lines = re.sub(r"\\\n\s*", " ", requirements).splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [line.split()[0] for line in wanted if not _PIN.match(line) or "--hash=sha256:" not in line]


def _asked() -> str:
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "tool", "run", "--quiet", "--python", "3.13", "--from", PIP_AUDIT, "pip-audit"]
    command += [
        "--format",
        "json",
        "--require-hashes",
        "--disable-pip",
        "--progress-spinner",
        "off",
        "-r",
        str(SHIPPED),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _withdrawn() -> str:
    """Return the index's problems with the pinned files: one that is gone, yanked or has another hash."""
    uv = str(Path(sys.executable).with_name("uv"))
    with tempfile.TemporaryDirectory() as nowhere:
        command = [uv, "pip", "install", "--dry-run", "--quiet", "--refresh", "--target", nowhere, "--require-hashes"]
        command += ["--python", sys.executable, "--only-binary", ":all:", "-r", str(SHIPPED)]
        command += ["--python-platform", "x86_64-manylinux_2_28"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()


def main() -> int:
    """Return 1 for a known vulnerability or a loose pin; with `--strict` also when packages could not be checked."""
    parser = argparse.ArgumentParser(prog="python -m dev.audit", description="Known vulnerabilities of the layer.")
    parser.add_argument("--strict", action="store_true", default=bool(os.environ.get("CI")))
    strict = parser.parse_args().strict
    loose, said = unpinned(SHIPPED.read_text()), _withdrawn()
    for line in loose:
        say(f"Not pinned by version and hash: {line}")
    if said:
        say(f"The package index says of what is pinned:\n{said}")
    try:
        found = read(_asked())
    except (ValueError, KeyError, TypeError):
        found = Findings((), ("all",), 0)
    for each in found.known:
        say(f"Known vulnerability: {each}")
    if found.unasked:
        say(
            f"NOT AUDITED: {', '.join(found.unasked)}. The package index in use has no advisories of these: nobody "
            "knows here whether they are vulnerable. Run `make security` where pypi.org answers, as CI does. "
            "Checked all the same: every version is pinned with its hashes, and the index still has these files."
        )
    elif not found.known:
        say(f"{found.looked_up} packages looked up, no known vulnerability.")
    return int(bool(loose or found.known or said or (strict and found.unasked)))


if __name__ == "__main__":
    sys.exit(main())
