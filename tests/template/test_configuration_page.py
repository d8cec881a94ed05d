"""docs/configuration.md has every parameter of the template, and the names of `.env`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ops.project import PARAMETERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
ROWS = re.findall(r"^\| ([`\w, ]*)\| (`[^|]+) \| ([^|]*)\| ", PAGE.read_text(), re.MULTILINE)


def names(cell: str) -> list[str]:
    """The names in a cell of the table."""
    return re.findall(r"`(\w+)`", cell)


def test_every_parameter_is_on_the_page(template: dict[str, Any]) -> None:
    """The page has every parameter exactly once and no other."""
    shown = [name for _, parameters, _ in ROWS for name in names(parameters)]
    assert sorted(shown) == sorted(template["Parameters"])


def test_the_names_of_dotenv_are_on_the_page() -> None:
    """Next to their parameters."""
    shown = {
        name: parameter
        for variables, parameters, _ in ROWS
        if names(variables)
        for name, parameter in zip(names(variables), names(parameters), strict=True)
    }
    assert shown == PARAMETERS


def test_simple_defaults_are_those_of_the_template(template: dict[str, Any]) -> None:
    """Where a cell names a value for each parameter and the template has one."""
    for _, parameters, cell in ROWS:
        values = re.findall(r"`([^`]*)`", cell)
        for name, value in zip(names(parameters), values, strict=False):
            default = str(template["Parameters"][name].get("Default", ""))
            assert default in (value, ""), name
