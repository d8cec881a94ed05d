"""docs/emulator.md lists every difference between the emulator and AWS that the template knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "emulator.md"
Template = dict[str, Any]
STAGE = {"IsLocal", "OnAws"}

# Types that the end-to-end tests use on the emulator, each with its behaviour.
REPRODUCED = {
    *("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration"),
    *("AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::DynamoDB::Table", "AWS::Events::EventBus"),
    *("AWS::Events::Rule", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::Lambda::Alias", "AWS::Lambda::EventSourceMapping"),
    *("AWS::Lambda::Function", "AWS::Lambda::LayerVersion", "AWS::Lambda::Permission", "AWS::Lambda::Url"),
    *("AWS::Lambda::Version", "AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::Scheduler::Schedule"),
    *("AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"),
}


def rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    assert found, heading
    return found[2:]


def named(heading: str) -> set[str]:
    return {name for row in rows(heading) for name in re.findall(r"`([^`]+)`", row[0])}


def differences(part: Any, name: str = "") -> Iterator[str]:
    """The properties whose value depends on whether the stack is on the emulator."""
    if isinstance(part, list):
        for each in part:
            yield from differences(each, name)
    elif isinstance(part, dict):
        if "Fn::If" in part and part["Fn::If"][0] in STAGE:
            yield name
        for key, value in part.items():
            yield from differences(value, name if key.startswith("Fn::") else key)


def test_every_difference_of_the_template_is_listed(template: Template) -> None:
    """By the property that differs, or the type that is only made on AWS; and nothing is listed that is gone."""
    resources = template["Resources"]
    found = {*differences(template["Globals"]), *differences(resources)}
    found |= {each["Type"] for each in resources.values() if each.get("Condition") in STAGE}
    assert named("Where the template differs on the emulator") == found


def test_every_type_is_used_or_listed(transform: Any) -> None:
    """Each resource type of the transformed template is used by the end-to-end tests, or stands on the page."""
    made = transform({"Stage": "prod", "Rollout": "Canary10Percent10Minutes"})
    types = {resource["Type"] for resource in made["Resources"].values()}
    listed = named("Resources that it stores and does not act upon")
    only_there = named("Where the template differs on the emulator") & types
    assert listed | only_there == types - REPRODUCED
    assert not listed & REPRODUCED


def test_every_line_says_what_stands_in() -> None:
    """A path or a command, or the line above; no cell is empty."""
    headings = re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(headings) == 3
    for heading in headings:
        for row in rows(heading):
            assert all(row), row
            last = row[-1]
            assert "`" in last or last.startswith(("the same", "checkov", "cfn-lint")), row
