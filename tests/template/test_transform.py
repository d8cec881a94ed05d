"""The template after the SAM transform: some faults, like a circular reference, show only there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from samcli.yamlhelper import yaml_dump, yaml_parse

Template = dict[str, Any]
Transform = Callable[[dict[str, str]], Template]

# One of each kind: SAM makes another template where CodeDeploy does not watch.
STAGES = [
    {"Stage": "prod", "Rollout": "Canary10Percent10Minutes"},
    {"Stage": "prod", "Rollout": "Canary10Percent10Minutes", "Jobs": "on"},
    {"Stage": "local"},
    {"Stage": "local", "Jobs": "on"},
]

# What SAM reads itself, so that nothing of it is left in what CloudFormation gets.
READ_BY_SAM = {"W2001 Parameter Rollout not used.", "W7001 Mapping 'Watched' is defined but not used"}


@pytest.mark.parametrize("settings", STAGES, ids=str)
def test_cloudformation_gets_a_clean_template(transform: Transform, settings: dict[str, str]) -> None:
    """cfn-lint finds nothing in what CloudFormation will read, circular references included."""
    matches = lint(json.dumps(transform(settings)), config=ManualArgs(regions=["us-east-1"]))
    found = [f"{match.rule.id} {match.message}" for match in matches]
    assert [each for each in found if each not in READ_BY_SAM] == []


def test_equal_parts_are_written_out_by_sam(template: Template) -> None:
    """CloudFormation gets what `sam build` writes: no anchor, no alias, no merge key, and nothing lost on the way."""
    written = yaml_dump(template)
    assert not re.search(r"^\s*<<:|[:-] [&*][a-z]", written, re.MULTILINE)
    assert yaml_parse(written) == template


def test_sam_adds_no_role_of_its_own(template: Template, transformed: Template) -> None:
    """Every role in the stack is one we wrote: SAM's managed policies are wider than what a function needs."""
    roles = {name for name, r in transformed["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
    assert roles == {name for name, r in template["Resources"].items() if r["Type"] == "AWS::IAM::Role"}


def test_only_the_webhook_has_a_public_url(transformed: Template) -> None:
    """One function URL, and the permissions that AWS asks for an open one."""
    urls = [r["Properties"] for r in transformed["Resources"].values() if r["Type"] == "AWS::Lambda::Url"]
    assert [url["TargetFunctionArn"] for url in urls] == [{"Ref": "WebhookFunctionAliaslive"}]
    permitted = {
        r["Properties"]["Action"]
        for r in transformed["Resources"].values()
        if r["Type"] == "AWS::Lambda::Permission" and r["Properties"]["Principal"] == "*"
    }
    assert permitted == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
