"""Two stacks of one account and region, dev and prod: nothing of one is the other's.

Names that are not told are CloudFormation's own, with the stack's name and a random part; those are always apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.template import OURS, metrics_of, rendered, without_references

Template = dict[str, Any]
Transform = Callable[..., Template]

# Resources whose name has to differ only within the one that they belong to, and how they say which that is.
WITHIN = {
    "AWS::ApiGatewayV2::Authorizer": "ApiId",
    "AWS::ApiGatewayV2::Stage": "ApiId",
    "AWS::AppConfig::ConfigurationProfile": "ApplicationId",
    "AWS::Lambda::Alias": "FunctionName",
}
# Names of something else: of what is watched, of what AWS has, and of a domain that its owner has chosen.
NO_NAMES_OF_OURS = {"MetricName", "DeploymentConfigName", "DomainName"}
# Actions on what is no stack's, and the one that CodeDeploy looks for its alarms with.
OF_NO_STACK = (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "cloudwatch:DescribeAlarms")
# Kinds whose names are known to the whole account, not to a region of it.
GLOBAL = ("AWS::CloudFront::", "AWS::CloudWatch::Dashboard")


def named(resource: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Whatever calls the resource by a name: a property, or one of its configuration."""
    properties = resource.get("Properties", {})
    inner = (each for name, each in properties.items() if name.endswith("Config") and isinstance(each, dict))
    for part in (properties, *inner):
        for name, value in part.items():
            if name.endswith("Name") and name not in NO_NAMES_OF_OURS:
                yield name, value


def references(value: Any) -> set[str]:
    """The parameters, resources and pseudo parameters that a value is made of."""
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        return {value["Ref"]}
    if "Fn::GetAtt" in value:
        return {value["Fn::GetAtt"][0]}
    if "Fn::If" in value:
        return set().union(*map(references, value["Fn::If"][1:]))
    if isinstance(value.get("Fn::Sub"), str):
        return {each.split(".")[0] for each in re.findall(r"\$\{([\w:.]+)\}", value["Fn::Sub"])}
    return set()


def clashes(template: Template) -> set[tuple[str, str]]:
    """Resources, each with the property, that would have the same name in a second stack."""
    resources = template["Resources"]
    of_this_stack = {"AWS::StackName", "AWS::StackId", *resources}
    return {
        (logical, name)
        for logical, resource in resources.items()
        for name, value in named(resource)
        if not references(value) & of_this_stack
        if not references(resource["Properties"].get(WITHIN.get(resource["Type"], ""))) & resources.keys()
    }


def watched(template: Template) -> Iterator[tuple[str, str, Any]]:
    """Every metric that an alarm, a filter or a dashboard names: where, its namespace, and its dimensions' values."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            parts = [each["MetricStat"]["Metric"] for each in properties.get("Metrics", []) if "MetricStat" in each]
            for part in parts or [properties]:
                values = [each["Value"] for each in part.get("Dimensions", [])]
                yield name, without_references(part["Namespace"]), values
        elif resource["Type"] == "AWS::Logs::MetricFilter":
            for made in properties["MetricTransformations"]:
                yield name, without_references(made["MetricNamespace"]), []
        elif resource["Type"] == "AWS::CloudWatch::Dashboard":
            for namespace, _, dimensions in metrics_of(rendered(properties["DashboardBody"])):
                yield name, namespace, list(dimensions.values())


def test_functions_count_in_the_namespace_of_their_stack(transformed: Template) -> None:
    """Each function gets its own stack's namespace in the variable that the code and Powertools read."""
    functions = [r["Properties"] for r in transformed["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    configured = [function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] for function in functions]
    assert configured
    assert {without_references(each) for each in configured} == {OURS}


def test_alarms_filters_and_dashboards_look_at_their_own_stack(template: Template) -> None:
    """Our metrics by their namespace, AWS's by a resource of this stack."""
    seen = list(watched(template))
    assert {"AWS/Lambda", OURS} < {namespace for _, namespace, _ in seen}
    for name, namespace, values in seen:
        if namespace != OURS and name != "ThrottlesAlarm":  # concurrency is what stacks of an account share
            assert namespace.startswith("AWS/"), name
            assert values, name
            for value in values:
                of = {value.strip("<>").split(".")[0]} if isinstance(value, str) else references(value)
                assert of & template["Resources"].keys(), (name, value)


def test_saved_queries_read_their_own_logs(template: Template) -> None:
    """Also those that were saved for one function."""
    queries = [r for r in template["Resources"].values() if r["Type"] == "AWS::Logs::QueryDefinition"]
    assert queries
    for query in queries:
        assert query["Properties"]["LogGroupNames"]
        assert all(references(each) & template["Resources"].keys() for each in query["Properties"]["LogGroupNames"])


def test_the_namespace_is_nowhere_without_the_stack(template: Template) -> None:
    """Nor in a policy, a query, a description or whatever else is added."""
    written = json.dumps(template)
    assert len(re.findall("ZoomGateway", written)) == len(re.findall(r"ZoomGateway/\$\{AWS::StackName\}", written))


@pytest.mark.parametrize("rollout", ["off", "AllAtOnce"])
def test_no_name_is_taken_twice(transform: Transform, rollout: str) -> None:
    """As CloudFormation gets it: SAM, too, gives names. Exports are names of the account and region."""
    made = transform({"Rollout": rollout})
    assert clashes(made) == set()
    assert not any("Export" in output for output in made["Outputs"].values())


def test_what_the_whole_account_sees_is_named_by_region_too(template: Template) -> None:
    """The same stack in a second region, for the day the first is gone."""
    seen = 0
    for logical, resource in template["Resources"].items():
        if resource["Type"].startswith(GLOBAL):
            for name, value in named(resource):
                assert {"AWS::StackName", "AWS::Region"} <= references(value), (logical, name)
                seen += 1
    assert seen


def test_no_permission_reaches_a_stack_whose_name_begins_alike(template: Template) -> None:
    """`zoom-gateway-*` is zoom-gateway-prod's as well: each resource is one of this stack, but for what only looks.

    A name that is whole and has the stack's in it is this stack's too.
    """
    for name, resource in template["Resources"].items():
        for policy in resource["Properties"]["Policies"] if resource["Type"] == "AWS::IAM::Role" else ():
            for either in policy["PolicyDocument"]["Statement"]:
                statement = either["Fn::If"][1] if "Fn::If" in either else either
                reached = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                others = "aws:ResourceAccount" in statement.get("Condition", {}).get("StringNotEquals", {})
                if statement["Action"] not in OF_NO_STACK and not others:
                    for each in reached:
                        whole = "AWS::StackName" in references(each) and "*" not in json.dumps(each)
                        assert whole or references(each) & template["Resources"].keys(), (name, statement)


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::SQS::Queue", {"QueueName": "ingest"}),
        ("AWS::SQS::Queue", {"QueueName": {"Ref": "Stage"}}),
        ("AWS::SQS::Queue", {"QueueName": {"Fn::Sub": "${AWS::Region}-ingest"}}),
        ("AWS::CloudFront::OriginAccessControl", {"OriginAccessControlConfig": {"Name": "web"}}),
        ("AWS::AppConfig::ConfigurationProfile", {"Name": "parameters", "ApplicationId": "a1b2c3"}),
    ],
)
def test_the_check_itself_sees(kind: str, properties: dict[str, Any]) -> None:
    """A fixed name, one by stage or region alone, one of a configuration, one within something shared."""
    assert clashes({"Resources": {"Another": {"Type": kind, "Properties": properties}}})
