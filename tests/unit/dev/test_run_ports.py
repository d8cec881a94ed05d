"""Ports that cannot work are refused in one sentence, before anything starts."""

from __future__ import annotations

import pytest

from dev import run


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "9" * 5000, "\u0663000", "3000.0", ""])
def test_what_is_no_port_ends_the_program_with_one_sentence(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says which numbers are ports."""
    monkeypatch.setattr("sys.argv", ["make run", f"--port={port}"])
    with pytest.raises(SystemExit) as ended:
        run.main()
    said = str(ended.value)
    assert "is not a port: choose a whole number from 1 to 65535" in said
    assert "\n" not in said


def test_one_port_for_two_programs_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Otherwise the second program would fail minutes later."""
    folder = tmp_path_factory.mktemp("run")
    monkeypatch.setattr("sys.argv", ["make run", "--port=3990", "--aws-port=3990", f"--folder={folder}"])
    assert run.main() == 1
    assert "need three ports" in capsys.readouterr().out
