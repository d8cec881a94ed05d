"""Where a run keeps what it makes: `.local/bench`, beside nothing else's."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


@contextlib.contextmanager
def making(folder: Path, mark: str) -> Iterator[bool]:
    """Whether `folder` has to be made, because it was not made from `mark` yet; it is empty then.

    One process makes, the others wait. A folder whose making failed is made again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".made-from"
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == mark:
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield True
        stamp.write_text(mark)


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
