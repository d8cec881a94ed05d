"""The template after the SAM transform: some faults, like a circular reference, show only there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs

Template = dict[str, Any]

# W3045 wants AccessControl replaced, and the like: nothing is waived. Add an id with its reason, or fix the template.
WAIVED: dict[str, str] = {}


def test_cloudformation_gets_a_clean_template(transformed: Template, tmp_path: Path) -> None:
    """cfn-lint finds nothing in what CloudFormation will read, circular references included."""
    file = tmp_path / "transformed.json"
    file.write_text(json.dumps(transformed))
    matches = lint(file.read_text(), config=ManualArgs(ignore_checks=sorted(WAIVED), regions=["us-east-1"]))
    assert [f"{match.rule.id} {match.message} at {match.path}" for match in matches] == []


def test_sam_adds_no_role_of_its_own(template: Template, transformed: Template) -> None:
    """Every role in the stack is one we wrote: SAM's managed policies are wider than what a function needs."""
    roles = {name for name, r in transformed["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
    assert roles == {name for name, r in template["Resources"].items() if r["Type"] == "AWS::IAM::Role"}


def test_only_the_webhook_has_a_public_url(transformed: Template) -> None:
    """One function URL, and the permissions that AWS asks for an open one."""
    urls = [r["Properties"] for r in transformed["Resources"].values() if r["Type"] == "AWS::Lambda::Url"]
    assert [url["TargetFunctionArn"] for url in urls] == [{"Ref": "WebhookFunction"}]
    permitted = {
        r["Properties"]["Action"]
        for r in transformed["Resources"].values()
        if r["Type"] == "AWS::Lambda::Permission" and r["Properties"]["Principal"] == "*"
    }
    assert permitted == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
