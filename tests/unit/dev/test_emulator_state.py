"""What the emulator has saved is found again when it answers at another port."""

from __future__ import annotations

from pathlib import Path

from dev import emulator
from dev.waiting import wait_until


def test_saved_queues_follow_the_port(tmp_path: Path) -> None:
    """Their URLs, wherever they stand; other addresses and other files stay as they are."""
    queue = "http://localhost:{port}/000000000000/ingest"
    kept = '{"zoom": "http://localhost:3001/oauth", "text": "http://localhost:4666/v2/users"}'
    (tmp_path / "sqs.json").write_text(
        f'{{"a": "{queue.format(port=4666)}", "b": "http://127.0.0.1:1/000000000000/q"}}'
    )
    (tmp_path / "other.json").write_text(kept)
    emulator.move(tmp_path, 4566)
    moved = f'{{"a": "{queue.format(port=4566)}", "b": "http://127.0.0.1:4566/000000000000/q"}}'
    assert (tmp_path / "sqs.json").read_text() == moved
    assert (tmp_path / "other.json").read_text() == kept


def test_unpacked_functions_of_earlier_runs_are_deleted_beside_the_start(tmp_path: Path) -> None:
    """Their folder is free at once, and what a killed run left half deleted goes as well."""
    folder, left = tmp_path / "emulator-tmp", tmp_path / "emulator-tmp-old-1"
    for each in (folder, left):
        (each / "code").mkdir(parents=True)
    emulator._discard(folder)
    assert not folder.exists()
    wait_until("the old folders to go", lambda: list(tmp_path.iterdir()), lambda found: found == [])
