"""The folder of a local run, by default `.local`. Everything that a run stores is below it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.console import Stop


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of one local run. Two runs need two folders and two sets of ports."""

    folder: Path

    @property
    def logs(self) -> Path:
        """The folder of the log files: one per process and per slow step."""
        return self.folder / "logs"

    @property
    def stack_file(self) -> Path:
        """The file with what programs need to talk to the running stack."""
        return self.folder / "stack.json"

    def path(self, name: str) -> Path:
        """Return a file or folder of this run. Its parent exists."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def log(self, name: str) -> Path:
        """Return the log file of `name`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{name}.log"

    def read(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file of this run, or an empty object when it is missing or incomplete."""
        try:
            content = json.loads(self.path(name).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file completely or not at all. It may hold local secrets, so only its owner can read it."""
        target = self.path(name)
        temporary = target.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        temporary.replace(target)

    def forget(self) -> None:
        """Remove what earlier runs stored. Their builds, their logs, and the lock of this run stay."""
        kept = {"build", "build-cache", "build.toml", "logs", "lock"}
        for each in self.folder.iterdir():
            if each.name in kept:
                continue
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one run. The lock ends with the process. Raises Stop when another run holds it."""
        with self.path("lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Stop(
                    "The gateway is already running from this folder.", "Use that one, or stop it with Ctrl-C first."
                ) from None
            yield
