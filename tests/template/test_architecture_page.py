"""The table of functions in docs/architecture.md says what the template says."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
FUNCTION = "AWS::Serverless::Function"


def page() -> dict[str, tuple[set[str], set[str]]]:
    """The triggers and the keys of each function, as the page has them."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|([^|]*)\|$", PAGE.read_text(), re.MULTILINE)
    assert rows
    return {
        name: ({each.strip("`") for each in trigger.strip().split(", ")}, set(re.findall(r"`(\w+)`", keys)))
        for name, trigger, keys in rows
    }


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the template's resources of one type."""
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def functions(template: dict[str, Any]) -> dict[str, str]:
    """The name of each function's folder by its resource."""
    return {name: each["CodeUri"].rpartition("/")[2] for name, each in of_type(template, FUNCTION).items()}


def named(value: Any) -> str:
    """The function that an ARN in the template names."""
    found = re.search(r"\$\{(\w+)\.Arn\}", str(value))
    assert found
    return found[1]


def routes(template: dict[str, Any]) -> dict[str, set[str]]:
    """The paths of each function, `$default` among them."""
    integrations = of_type(template, "AWS::ApiGatewayV2::Integration")
    found: defaultdict[str, set[str]] = defaultdict(set)
    for route in of_type(template, "AWS::ApiGatewayV2::Route").values():
        target = re.search(r"\$\{(\w+)\}", str(route["Target"]))
        assert target
        function = named(integrations[target[1]]["IntegrationUri"])
        found[functions(template)[function]].add(route["RouteKey"].rpartition(" ")[2])
    return found


def triggers(template: dict[str, Any]) -> dict[str, set[str]]:
    """What else starts each function: queues, schedules, its URL, the API's authorizer, other functions."""
    names = functions(template)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, function in of_type(template, FUNCTION).items():
        queues = [each["Properties"]["Queue"] for each in function.get("Events", {}).values()]
        found[names[name]] |= {queue["Fn::GetAtt"][0] for queue in queues}
        if "FunctionUrlConfig" in function:
            found[names[name]].add("function URL")
    for name, schedule in of_type(template, "AWS::Scheduler::Schedule").items():
        found[names[named(schedule["Target"]["Arn"])]].add(name)
    for authorizer in of_type(template, "AWS::ApiGatewayV2::Authorizer").values():
        found[names[named(authorizer["AuthorizerUri"])]].add("authorizer of the HTTP API")
    for role, statements in roles(template).items():
        for each in statements:
            if "lambda:InvokeFunction" in actions(each) and not role.endswith("ScheduleRole"):
                found[names[named(each["Resource"])]].add("invocation")
    return found


def roles(template: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The statements of each role."""
    return {
        name: [
            each["Fn::If"][1] if "Fn::If" in each else each  # what an option adds
            for policy in role.get("Policies", [])
            for each in policy["PolicyDocument"]["Statement"]
        ]
        for name, role in of_type(template, "AWS::IAM::Role").items()
    }


def actions(statement: dict[str, Any]) -> list[Any]:
    """The actions of a statement; a condition of the template stays as it is."""
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


def decrypting(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """The statements of a role that let it decrypt."""
    return [each for each in roles(template)[role] if "kms:Decrypt" in actions(each)]


def keys(statement: dict[str, Any]) -> set[str]:
    """The keys that a statement is about."""
    resources = statement["Resource"]
    return {each["Fn::GetAtt"][0] for each in (resources if isinstance(resources, list) else [resources])}


def test_the_page_has_every_function(template: dict[str, Any]) -> None:
    """The page has every function of the template and no other."""
    assert set(page()) == set(functions(template).values())


def test_the_page_has_the_paths_of_every_function(template: dict[str, Any]) -> None:
    """Each route begins with a path of its function's row, and no path of a row is without a route."""
    for name, (shown, _) in page().items():
        paths = {each for each in shown if each.startswith(("/", "$"))}
        served = routes(template)[name]
        assert {route for route in served if not route.startswith(tuple(paths) or "-")} == set(), name
        assert {path for path in paths if not any(route.startswith(path) for route in served)} == set(), name


def test_the_page_has_the_other_triggers_of_every_function(template: dict[str, Any]) -> None:
    """Queues, schedules, invocations, the function URL, the authorizer."""
    for name, (shown, _) in page().items():
        others = {each for each in shown if not each.startswith(("/", "$"))}
        assert others == triggers(template)[name], name


def test_the_page_has_the_keys_of_every_function(template: dict[str, Any]) -> None:
    """Those with which its role may decrypt."""
    for resource, name in functions(template).items():
        statements = decrypting(template, resource.removesuffix("Function") + "Role")
        assert page()[name][1] == set().union(*map(keys, statements)), name


def test_who_may_not_use_the_refresh_key_opens_access_tokens_only(template: dict[str, Any]) -> None:
    """The permission is bound to the kind of the seal, except on the emulator, which has no such conditions."""
    for resource in functions(template):
        kind = "subscription_secret" if resource in {"DeliverFunction", "RedeliverFunction"} else "access_token"
        bound = {"StringEquals": {"kms:EncryptionContext:kind": kind}}
        for each in decrypting(template, resource.removesuffix("Function") + "Role"):
            if "RefreshKey" not in keys(each):
                assert each["Condition"]["Fn::If"][2] == bound, resource
