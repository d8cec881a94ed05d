"""Prints what a function's snapshot holds, and what two restores of it draw, load and open with one call each.

Runs in a function's folder with the runtime's own library of hooks. A restore is a child of the process that has
imported the handler; unlike a child, a restored environment has the very random numbers of its snapshot, so they are
put back.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import secrets
import sys
import uuid
from pathlib import Path
from typing import Any

from counter import Context  # type: ignore[import-not-found] # beside this file, when it runs


def sockets() -> list[str]:
    """Return the sockets that this process has open."""
    folder = Path("/proc/self/fd")
    links = (str(each.readlink()) for each in folder.iterdir() if each.is_symlink())
    return [link for link in links if link.startswith("socket:")]


def made() -> list[str]:
    """Return the kinds of what must not be in a snapshot and is alive."""
    kinds = {
        "Credentials",
        "Caller",
        "Connection",
        "JsonClient",
        "RequestsTransport",
        "SSLContext",
        "SSLSocket",
        "Secret",
    }
    return sorted({type(each).__name__ for each in gc.get_objects() if type(each).__name__ in kinds})


def call(handler: Any, event: Any) -> dict[str, Any]:
    """Make a call as the first one after a restore, and tell what it took."""
    hooks: Any = importlib.import_module("snapshot_restore_py")
    for hook, arguments, more in hooks.get_after_restore():
        hook(*arguments, **more)
    before = set(sys.modules)
    answer = handler(event, Context())
    return {
        "answer": json.dumps(answer),
        "loaded": sorted(set(sys.modules) - before),
        "drawn": [random.getrandbits(64), str(uuid.uuid4()), secrets.token_hex(8)],
        "sockets": len(sockets()),
    }


def restored(handler: Any, event: Any, state: Any) -> dict[str, Any]:
    """Make a call in a child, as an environment that begins with this process's memory."""
    read, write = os.pipe()
    if not os.fork():
        random.setstate(state)
        with os.fdopen(write, "w") as out:
            out.write(json.dumps(call(handler, event)))
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as found:
        told: dict[str, Any] = json.load(found)
    os.wait()
    return told


def main() -> None:
    """Take a snapshot, restore it twice, and print what was found."""
    out, sys.stdout = sys.stdout, sys.stderr
    sys.path.insert(0, str(Path.cwd()))
    importlib.import_module("awslambdaric.bootstrap")
    handler = importlib.import_module("handler").handler
    snapshot = {"made": made(), "sockets": sockets()}
    event = json.loads(Path(os.environ["COUNTED_EVENT"]).read_text())
    state = random.getstate()
    out.write(json.dumps({"snapshot": snapshot, "restores": [restored(handler, event, state) for _ in range(2)]}))


main()
