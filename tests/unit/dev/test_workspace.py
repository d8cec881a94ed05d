"""The folder of a local run."""

from __future__ import annotations

from pathlib import Path

from dev.workspace import Workspace


def test_forgetting_keeps_what_was_built_and_the_lock_of_this_run(tmp_path: Path) -> None:
    """A fresh run finds no connection, key or person of a former one, and builds nothing twice."""
    workspace = Workspace(tmp_path)
    for name in ("build", "build-cache", "logs", "emulator-state"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_text("x")
    for name in ("stack.json", "identity.json", "simulated-app.json", "zoom-state.json", "deployed.json"):
        workspace.write(name, {"left": "over"})
    (tmp_path / "elsewhere").symlink_to(tmp_path / "build")
    with workspace.locked():
        workspace.forget()
    assert {path.name for path in tmp_path.iterdir()} == {"build", "build-cache", "logs", "lock"}
    assert (tmp_path / "build" / "content").exists()
