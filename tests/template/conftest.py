"""The template as written, and as CloudFormation gets it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

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
def transform(template: Template, monkeypatch_session: pytest.MonkeyPatch) -> Callable[..., Template]:
    """The SAM transform, given parameters, with code that is already in a bucket: `changed` in another place."""
    monkeypatch_session.setenv("AWS_DEFAULT_REGION", "us-east-1")

    @cache
    def made(parameters: tuple[tuple[str, str], ...], changed: str) -> Template:
        packaged = copy.deepcopy(template)
        for name, resource in packaged["Resources"].items():
            properties = resource.get("Properties", {})
            for source in ("CodeUri", "ContentUri"):
                if source in properties:
                    properties[source] = f"s3://bucket/{name}-{'new' if name == changed else 'old'}"
        result: Template = Translator({}, Parser()).translate(packaged, parameter_values=dict(parameters))
        return result

    return lambda parameters, changed="": made(tuple(parameters.items()), changed)


@pytest.fixture(scope="session")
def transformed(transform: Callable[..., Template]) -> Template:
    """What the SAM transform makes of it when nobody sets a parameter."""
    return transform({})


@pytest.fixture(scope="session")
def monkeypatch_session() -> Any:
    """A monkeypatch for session fixtures."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
