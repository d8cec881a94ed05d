"""Where a run keeps what it makes: `.local/bench`, beside nothing else's."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
BENCH = ROOT / ".local" / "bench"
PROGRAMS = Path(sys.executable).parent


class Failed(Exception):
    """A command of the run failed; the message ends with the last lines it printed."""


def architecture() -> str:
    """Lambda's name for this machine's processor."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def digest(paths: Iterable[Path], *words: str) -> str:
    """Changes with the content of any of `paths` (folders with all that is in them) and with `words`."""
    sha = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                sha.update(str(file.relative_to(path.parent)).encode() + b"\0" + file.read_bytes())
    return sha.hexdigest()


def is_made(folder: Path, mark: str) -> bool:
    """Whether `folder` was finished from the same input."""
    stamp = folder / ".made-from"
    return stamp.is_file() and stamp.read_text() == mark


def begin(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def finish(folder: Path, mark: str) -> None:
    """Remember what `folder` was made from."""
    (folder / ".made-from").write_text(mark)


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """What `command` prints, with the project's own programs first on PATH. Raises Failed."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "MAKE"))}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**found, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise Failed(f"{command[0]} failed:\n" + "\n".join(result.stdout.splitlines()[-15:]))
    return result.stdout
