"""The demo's story, on the real template with IAM enforced."""

from __future__ import annotations

from typing import Any

import pytest

from dev.demo import Story

pytestmark = pytest.mark.e2e


def test_the_whole_story_is_true(stack: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Connect, manage a meeting, hold it, and read its events, each once."""
    with Story(stack) as story:
        story.run()
    assert "zoom.recording.completed" in capsys.readouterr().out


def test_the_stack_file_says_what_programs_need(stack: dict[str, Any]) -> None:
    """Everything another program needs to use the stack stands in one file."""
    needed = {"api_url", "webhook_url", "webhook_secret", "zoom_url", "api_key", "tenant", "aws_endpoint_url"}
    needed |= {"aws_region", "stack_name", "integration_queue_url"}
    assert needed <= {name for name, value in stack.items() if value}
