"""The environments a run needs, each made once from its pins: Lambda's runtime, the Python peers, the Node peers."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from benchmarks.workspace import BENCH, HERE, PROGRAMS, ROOT, digest, making, run

PEERS = HERE / "peers"
# What Lambda's own runtime has beside the interpreter, at the version the project develops against.
_RUNTIME = ("boto3", "botocore", "jmespath", "s3transfer", "python-dateutil", "six", "urllib3")
_RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")


def runtime() -> Path:
    """The interpreter of a Lambda: the real runtime interface client and boto3, with bytecode, and nothing else."""
    locks = [ROOT / "requirements-dev.txt", PEERS / "requirements.txt"]
    mark = digest(locks, sys.version)
    folder = BENCH / "runtime"
    python = folder / "bin" / "python"
    with making(folder, mark) as needed:
        if needed:
            run([sys.executable, "-m", "venv", "--without-pip", "--clear", folder])
            pins = _pins(locks[0], _RUNTIME) | _pins(locks[1], _RUNTIME_CLIENT)
            _install([f"{name}=={version}" for name, version in pins.items()], "--python", str(python), "--no-deps")
            run([python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder / "lib"])
    return python


def python_peers() -> Path:
    """zoomus, pyzoom and slack_bolt with what they need, as a folder for `sys.path`."""
    lock = PEERS / "requirements.txt"
    mark = digest([lock], sys.version)
    folder = BENCH / "python-peers"
    with making(folder, mark) as needed:
        if needed:
            _install(["--require-hashes", "--requirement", str(lock)], "--target", str(folder))
    return folder


def node_peers() -> Path | None:
    """A folder with the Node peers installed from their lock, or None without node and npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    sources = [PEERS / "package.json", PEERS / "package-lock.json"]
    mark = digest(sources)
    folder = BENCH / "node-peers"
    with making(folder, mark) as needed:
        if needed:
            for source in sources:
                shutil.copy(source, folder)
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
    return folder


def _install(arguments: list[str], *where: str) -> None:
    run([PROGRAMS / "uv", "pip", "install", "--quiet", *where, *arguments])


def _pins(lock: Path, names: tuple[str, ...]) -> dict[str, str]:
    found = dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE))
    return {name: found[name] for name in names}
