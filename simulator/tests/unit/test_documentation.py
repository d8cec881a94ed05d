"""docs/reference.md lists everything there is, and the README's example works."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from zoom_simulator import cli
from zoom_simulator.behaviour import Behaviour
from zoom_simulator.control import accounts, meetings, system, webhooks
from zoom_simulator.faults import DELIVERY_EFFECTS, PRESETS, REQUEST_EFFECTS
from zoom_simulator.rest import table
from zoom_simulator.rest.call import Operation
from zoom_simulator.scenarios.actions import ACTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
FOR_FORMS = {  # buttons cannot DELETE
    "/_sim/faults/clear",
    "/_sim/faults/{fault}/remove",
    "/_sim/limits/reset",
    "/_sim/crowds/stop",
    "/_sim/subscriptions/{subscription}/remove",
}
ROUTES = sorted({route.path for part in (accounts, meetings, system, webhooks) for route in part.ROUTES} - FOR_FORMS)


@pytest.mark.parametrize("name", Behaviour().as_dict())
def test_switches(name: str) -> None:
    """By name, with their default."""
    value = getattr(Behaviour(), name)
    shown = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    if isinstance(value, tuple):
        shown = ",".join(map(str, value))
    assert f"| `{name}` | `{shown or '(empty)'}` |" in PAGE


@pytest.mark.parametrize("name", [*REQUEST_EFFECTS, *DELIVERY_EFFECTS, *PRESETS, *ACTIONS])
def test_faults_and_actions(name: str) -> None:
    """By name."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("row", table.rows(), ids=lambda row: row.name)
def test_operations(row: Operation) -> None:
    """With path, label and scope."""
    scope = f"{row.scope}:admin" if row.admin_only else row.scope
    assert f"| `{row.name}` | `{row.method} {row.path}` | {row.label} | `{scope}` |" in PAGE


@pytest.mark.parametrize("path", ROUTES)
def test_control_paths(path: str) -> None:
    """At least by their last word."""
    words = re.findall(r"/([a-z-]+)(?=/|$)", path)
    assert f"/{words[-1]}" in PAGE


def test_options() -> None:
    """Every one of the command line."""
    options = [
        action.option_strings[-1] for action in cli.parser()._actions if not isinstance(action, argparse._HelpAction)
    ]
    assert [option for option in options if f"`{option}" not in PAGE and f"{option} " not in PAGE] == []


def test_example_of_the_readme() -> None:
    """The Python of the README runs, and its assertions hold."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    found: dict[str, object] = {}
    exec(example, found)  # noqa: S102 - it is our own README
    assert found["meeting"]
