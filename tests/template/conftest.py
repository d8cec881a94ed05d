"""The template as written, and as CloudFormation gets it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from ops import transformed as sam

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]


@pytest.fixture(scope="session")
def template() -> Template:
    """template.yaml, parsed, with short intrinsic functions in their long form."""
    parsed: Template = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


@pytest.fixture(scope="session")
def web_template() -> Template:
    """web/template.yaml, the web client's hosting, parsed in the same way."""
    parsed: Template = yaml_parse((ROOT / "web" / "template.yaml").read_text())
    return parsed


@pytest.fixture(scope="session")
def transform(template: Template) -> Callable[..., Template]:
    """The SAM transform, given parameters, with code that is already in a bucket: `changed` in another place."""

    @cache
    def made(parameters: tuple[tuple[str, str], ...], changed: str) -> Template:
        return sam.transform(template, dict(parameters), changed)

    return lambda parameters, changed="": made(tuple(parameters.items()), changed)


@pytest.fixture(scope="session")
def transformed(transform: Callable[..., Template]) -> Template:
    """What the SAM transform makes of it when nobody sets a parameter."""
    return transform({})
