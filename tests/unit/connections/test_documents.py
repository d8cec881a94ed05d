"""What the documents promise about faults and attacks is tested under the names they give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("document", ["connections.md", "threat-model-connections.md"])
def test_every_test_that_a_table_names_exists(document: str) -> None:
    """A fault or attack without its test is a promise without a proof."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / document).read_text()))
    tests = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 10
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_every_state_is_drawn() -> None:
    """The diagram knows every state of the model, and no other."""
    drawn = (ROOT / "docs" / "connections.md").read_text().partition("```mermaid")[2].partition("```")[0]
    states = set(re.findall(r"\b([a-z_]+) -->|--> ([a-z_]+):", drawn))
    model = (ROOT / "layers/zoom_common/zoom_common/connections/model.py").read_text()
    known = set(
        re.findall(
            r'^    [A-Z_]+ = "([a-z_]+)"', model.partition("class State")[2].partition("class Kind")[0], re.MULTILINE
        )
    )
    assert {name for pair in states for name in pair if name} == known
