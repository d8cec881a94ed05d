"""docs/reference.md lists everything there is, and the README's example works."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

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


def not_shown(texts: Iterable[str]) -> list[str]:
    """Return the texts that the page lacks."""
    return [text for text in texts if text not in PAGE]


def switch_line(name: str) -> str:
    """Return how the page shows a switch: its name and its default."""
    value = getattr(Behaviour(), name)
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, tuple):
        shown = ",".join(map(str, value))
    return f"| `{name}` | `{shown or '(empty)'}` |"


def operation_line(row: Operation) -> str:
    """Return how the page shows an operation: path, label and scope."""
    scope = f"{row.scope}:admin" if row.admin_only else row.scope
    return f"| `{row.name}` | `{row.method} {row.path}` | {row.label} | `{scope}` |"


def test_switches() -> None:
    """Every switch stands there by name, with its default."""
    assert not_shown(map(switch_line, Behaviour().as_dict())) == []


def test_faults_and_actions() -> None:
    """Every fault and every action stands there by name."""
    assert not_shown(f"`{name}`" for name in (*REQUEST_EFFECTS, *DELIVERY_EFFECTS, *PRESETS, *ACTIONS)) == []


def test_operations() -> None:
    """The page has every operation with path, label and scope."""
    assert not_shown(map(operation_line, table.rows())) == []


def test_control_paths() -> None:
    """Every path of the control API stands there, at least by its last word."""
    assert not_shown("/" + re.findall(r"/([a-z-]+)(?=/|$)", path)[-1] for path in ROUTES) == []


def test_options() -> None:
    """The page has every option of the command line."""
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
