"""`make check` on the deployed stack: everything is fine, and what is not fine is named with what to do."""

from __future__ import annotations

import pytest

from ops import check
from tests.e2e.conftest import Gateway

pytestmark = pytest.mark.e2e


def look(gateway: Gateway, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    status = check.main(["local", "--stack-file", str(gateway.folder / "stack.json"), *more])
    return status, capsys.readouterr().out


def test_a_stack_that_works_has_nothing_to_mend(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """Sweep and rollup have run once, after the deploy; dead letters of other tests do not count here."""
    _, said = look(gateway, capsys)
    failed = [line for line in said.splitlines() if line.startswith("FAILED") and "dead letters" not in line]
    assert failed == [], said
    for part in ("signed challenge", "refuses a stranger", "API key works", "sweep ran", "redirect URI", "secret"):
        assert any(line.startswith("ok") and part in line for line in said.splitlines()), part


def test_a_wrong_key_and_a_wrong_address_are_named(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """The line says what to do, and make sees the failure."""
    status, said = look(gateway, capsys, "--key", "zgw_unknown")
    assert status == 1
    assert "FAILED  the API key works" in said
    assert "make api-key" in said
