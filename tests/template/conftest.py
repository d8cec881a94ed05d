"""The template as written, and as CloudFormation gets it."""

from __future__ import annotations

import copy
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
def transformed(template: Template, monkeypatch_session: pytest.MonkeyPatch) -> Template:
    """What the SAM transform makes of it, with code that is already in a bucket."""
    monkeypatch_session.setenv("AWS_DEFAULT_REGION", "us-east-1")
    packaged = copy.deepcopy(template)
    for resource in packaged["Resources"].values():
        properties = resource.get("Properties", {})
        for source in ("CodeUri", "ContentUri"):
            if source in properties:
                properties[source] = "s3://bucket/key"
    translator = Translator({}, Parser())
    result: Template = translator.translate(packaged, parameter_values={})
    return result


@pytest.fixture(scope="session")
def monkeypatch_session() -> Any:
    """A monkeypatch for session fixtures."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
