"""The runbook as a program: every procedure has its blocks, somebody who runs them, and shell that parses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dev.drill import DIRECTORS
from dev.runbook import blocks, procedures

SHORTHANDS, FOUND = procedures()


def test_every_procedure_is_drilled() -> None:
    """No heading without a director, none left over, and nothing to do without a command."""
    assert set(FOUND) == set(DIRECTORS)
    assert [heading for heading, found in FOUND.items() if not found] == []


@pytest.mark.parametrize("heading", FOUND)
def test_every_block_is_shell(heading: str) -> None:
    """It parses, with the shorthands before it."""
    for block in FOUND[heading]:
        done = subprocess.run(["bash", "-n"], input=SHORTHANDS + block, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_blocks_in_lists_lose_their_indent(tmp_path: Path) -> None:
    """And other languages are not run."""
    page = "1. first\n\n   ```sh\n   one\n     two\n   ```\n\n```json\n{}\n```\n\n```sh\nthree\n```\n"
    assert blocks(page) == ["one\n  two\n", "three\n"]
    runbook = tmp_path / "runbook.md"
    runbook.write_text(f"# R\n\n## Procedures\n\n```sh\nid() {{ :; }}\n```\n\n### A\n\n{page}\n## Last\n\n### B\n")
    assert procedures(runbook) == ("id() { :; }\n", {"A": ["one\n  two\n", "three\n"]})
