"""events/: a sample for each trigger of each function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]
FUNCTIONS = sorted(handler.parent.name for handler in ROOT.glob("functions/*/handler.py"))


def samples(function: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in (ROOT / "events").glob(f"{function.replace('_', '-')}-*.json")]


def is_batch(event: dict[str, Any]) -> bool:
    return "Records" in event


def is_http(event: dict[str, Any]) -> bool:
    return "rawPath" in event


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_trigger_has_a_sample(template: Template, function: str) -> None:
    """HTTP, queues and schedules: what the template connects to a function can be tried with `sam local invoke`."""
    functions = of_type(template, "AWS::Serverless::Function")
    [(name, properties)] = [each for each in functions.items() if each[1]["CodeUri"] == f"functions/{function}"]
    found = samples(function)
    integrations = of_type(template, "AWS::ApiGatewayV2::Integration").values()
    if any(each["IntegrationUri"] == {"Fn::Sub": f"${{{name}.Arn}}:live"} for each in integrations):
        assert any(is_http(event) for event in found)
    if properties.get("Events"):
        assert any(is_batch(event) for event in found)
    schedules = of_type(template, "AWS::Scheduler::Schedule").values()
    for schedule in (each for each in schedules if each["Target"]["Arn"] == {"Fn::Sub": f"${{{name}.Arn}}:live"}):
        assert json.loads(schedule["Target"]["Input"]) in found
    assert found


def test_every_sample_is_some_functions() -> None:
    """No sample is left over from a function that is gone, and each is named after its function."""
    known = {file for name in FUNCTIONS for file in (ROOT / "events").glob(f"{name.replace('_', '-')}-*.json")}
    assert set((ROOT / "events").iterdir()) == known


def test_http_samples_name_routes_that_exist(template: Template) -> None:
    """The route key of a sample is one of the API's."""
    routes = {route["RouteKey"] for route in of_type(template, "AWS::ApiGatewayV2::Route").values()}
    named = {
        event["routeKey"]
        for function in FUNCTIONS
        if function not in {"authorizer", "webhook"}
        for event in samples(function)
        if is_http(event)
    }
    assert named <= routes, named - routes
