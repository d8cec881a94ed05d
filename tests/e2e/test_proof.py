"""Nothing lost, nothing twice, on the deployed stack, while workers are killed. The long proof: `make soak` runs it.

`make test` runs the same proof without the emulator, in tests/unit/events/test_pipeline_proof.py. A killed worker's
messages are hidden for minutes, which is too long there.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT, Gateway

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.timeout(2 * 3600)]


def test_thousands_of_deliveries_come_out_exactly_while_workers_are_killed(gateway: Gateway) -> None:
    """Duplicates, forgeries and stale ones, out of order: the genuine events come out and into the log, each once."""
    proof = subprocess.run(
        [sys.executable, "-m", "dev.proof", f"--stack-file={gateway.folder / 'stack.json'}", "--minutes=60"],
        cwd=ROOT,
        env=gateway.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert proof.returncode == 0, proof.stdout[-3000:] + proof.stderr[-3000:]
    assert "Exact." in proof.stdout
