"""The state file: written when the server stops, read when it starts, so that tokens and meetings survive."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from zoom_simulator.model import State

_STATE = TypeAdapter(State)


def load(path: Path) -> State | None:
    """The state in `path`; None when there is no such file. ValueError when it is not one."""
    if not path.exists():
        return None
    return _STATE.validate_json(path.read_bytes())


def save(path: Path, state: State) -> None:
    """Write the state; a crash on the way leaves the former file. Only the owner may read it: it holds tokens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(_STATE.dump_json(state))
    fresh.replace(path)
