"""What people see on a terminal while something slow runs, and what a pipe gets."""

from __future__ import annotations

import io
import threading
from contextlib import redirect_stdout

import pytest

from ops.console import moving, say, step


class Terminal(io.StringIO):
    """A terminal that remembers everything that was written to it."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """What somebody sees in the end: what was taken away is gone."""
        return [line.rpartition("\r\x1b[K")[2] for line in self.getvalue().removesuffix("\n").split("\n")]


def test_a_line_moves_while_the_block_runs_and_is_gone_afterwards() -> None:
    """It is written again and again, and whole lines stay above it."""
    asked, thrice = [0], threading.Event()

    def text() -> str:
        asked[0] += 1
        if asked[0] == 3:
            thrice.set()
        return f"{asked[0]} of many"

    with redirect_stdout(Terminal()) as terminal:
        with moving(text, every=0.001):
            say("a whole line")
            assert thrice.wait(60)
        say("the end")
    assert "1 of many" in terminal.getvalue()
    assert "2 of many" in terminal.getvalue()
    assert terminal.lines() == ["a whole line", "the end"]


def test_a_line_that_is_too_long_for_the_terminal_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that wraps would stay."""
    monkeypatch.setenv("COLUMNS", "20")
    with redirect_stdout(Terminal()) as terminal, moving(lambda: "x" * 100):
        pass
    assert "x" * 19 in terminal.getvalue()
    assert "x" * 20 not in terminal.getvalue()


def test_a_step_ends_as_one_line_on_a_terminal() -> None:
    """The line ends with the duration, or says that the step failed."""
    with redirect_stdout(Terminal()) as terminal:
        with step("Building"):
            pass
        with pytest.raises(ValueError, match="no"), step("Deploying"):
            raise ValueError("no")
    built, deployed = terminal.lines()
    assert built.startswith("  Building ....")
    assert built.endswith(" s")
    assert deployed.startswith("  Deploying ....")
    assert deployed.endswith(" failed")


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """The title stands there before the step starts, and nothing is ever written again."""
    with step("Building"), moving(lambda: "never seen"):
        assert capsys.readouterr().out.startswith("  Building ....")
    assert capsys.readouterr().out.endswith(" s\n")
