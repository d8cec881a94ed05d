"""The routes of the template against the table of operations, and what the functions behind them are told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from zoom_common.edge.zoom_api import RosterSettings, ZoomApiSettings, budget_rules
from zoom_common.zoom.operations.table import operations, routes

Template = dict[str, Any]
FUNCTIONS = sorted({each.function for each in operations()})


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def function_of(template: Template, route: dict[str, Any]) -> str:
    """The folder of the function that a route leads to."""
    integration = re.search(r"\$\{(\w+)\}", route["Target"]["Fn::Sub"])
    assert integration is not None
    target = template["Resources"][integration[1]]["Properties"]["IntegrationUri"]["Fn::Sub"]
    function = re.fullmatch(r"\$\{(\w+)\.Arn\}:live", target)
    assert function is not None
    folder: str = template["Resources"][function[1]]["Properties"]["CodeUri"]
    return folder.removeprefix("functions/")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gets_the_routes_of_its_operations(template: Template, function: str) -> None:
    """All methods of them, so that a wrong one is answered in Zoom's shape; and no others."""
    declared = {
        each["RouteKey"]
        for each in resources(template, "AWS::ApiGatewayV2::Route").values()
        if function_of(template, each) == function
    }
    assert declared - {"ANY /scim2/{proxy+}"} == {f"ANY {route}" for route in routes(function)}


def test_other_addresses_of_zoom_have_one_function(template: Template) -> None:
    """The function with the whole table receives them, also paths with extra slashes."""
    others = [each for each in resources(template, "AWS::ApiGatewayV2::Route").values() if _is_other(each)]
    assert [function_of(template, each) for each in others] == ["zoom_api"]


def _is_other(route: dict[str, Any]) -> bool:
    return bool(route["RouteKey"] == "ANY /v2/{proxy+}")


def test_other_origins_are_off_by_default(template: Template) -> None:
    """A parameter lets pages of other origins in."""
    assert template["Parameters"]["CorsAllowedOrigins"]["Default"] == ""
    (api,) = resources(template, "AWS::ApiGatewayV2::Api").values()
    assert api["CorsConfiguration"]["Fn::If"][0] == "AllowsOrigins"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_configured_with_what_it_needs(template: Template, function: str) -> None:
    """Every variable without which it refuses to start."""
    configured = next(
        each["Environment"]["Variables"]
        for each in resources(template, "AWS::Serverless::Function").values()
        if each["CodeUri"] == f"functions/{function}"
    )
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()}
    environ = {name: defaults.get(value["Ref"], "a value") for name, value in shared.items() if "Ref" in value}
    settings = ZoomApiSettings.from_env(environ | dict.fromkeys(configured, "a value"))
    assert (settings.zoom_api_base_url, settings.coordination_table) == ("a value", "a value")
    assert settings.budget == budget_rules({})  # the code's own defaults are the template's
    if any(each.own for each in operations() if each.function == function):
        assert RosterSettings.from_env(dict.fromkeys(configured, "a value")).events_table == "a value"


def test_head_and_options_reach_every_route_that_is_read(template: Template) -> None:
    """Every read route accepts HEAD and OPTIONS, except pages that people open in a browser."""
    keys = {each["RouteKey"] for each in resources(template, "AWS::ApiGatewayV2::Route").values()}
    reads = {key for key in keys if key.startswith("GET ")}
    assert reads == {"GET /auth/zoom/start", "GET /auth/zoom/callback", "GET /auth/zoom/callback/", "GET /health/deep"}
