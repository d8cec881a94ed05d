"""How a release takes over: everybody calls an alias, CodeDeploy moves it, alarms move it back."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]
Transform = Callable[..., Template]


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def parameters_in(part: Any, template: Template) -> Iterator[str]:
    """The parameters that a part of the template depends on, through conditions too."""
    if isinstance(part, list):
        for each in part:
            yield from parameters_in(each, template)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "Ref":
                yield value
            elif key == "Fn::Sub" and isinstance(value, str):
                yield from re.findall(r"\$\{(\w+)\}", value)
            elif key == "Fn::If":
                yield from parameters_in(template["Conditions"][value[0]], template)
                yield from parameters_in(value[1:], template)
            else:
                yield from parameters_in(value, template)


def versions(transformed: Template) -> set[str]:
    return set(of_type(transformed, "AWS::Lambda::Version"))


def test_codedeploy_moves_every_function(transform: Transform) -> None:
    """Each alias has its deployment group, of the kind asked for, which goes back when an alarm rings."""
    made = transform({"Stage": "prod", "Rollout": "Canary10Percent10Minutes"})
    groups = of_type(made, "AWS::CodeDeploy::DeploymentGroup")
    aliases = of_type(made, "AWS::Lambda::Alias")
    assert len(aliases) == len(of_type(made, "AWS::Lambda::Function"))
    for name, alias in aliases.items():
        update = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        group = groups[update["DeploymentGroupName"]["Ref"]]["Properties"]
        assert "Canary10Percent10Minutes" in json.dumps(group["DeploymentConfigName"]), name
        assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["RolloutRole", "Arn"]}
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        function = alias["Properties"]["FunctionName"]["Ref"]
        configuration = group["AlarmConfiguration"]
        if "Fn::If" in configuration:  # its own alarm is there with the option only
            option, configuration, _ = configuration["Fn::If"]
            assert made["Resources"][f"{function.removesuffix('Function')}ErrorsAlarm"]["Condition"] == option
        watched = [each["Name"]["Ref"] for each in configuration["Alarms"]]
        own = f"{function.removesuffix('Function')}ErrorsAlarm"
        crashed = own if own in made["Resources"] else "ApiCrashesAlarm"  # which is about all that answer callers
        assert watched == [crashed, "UnexpectedErrorsAlarm"], name
        assert set(watched) <= of_type(made, "AWS::CloudWatch::Alarm").keys()


def test_codedeploy_may_move_every_function_and_no_other(transform: Transform) -> None:
    """A function that its role does not name can not be released, and a name with a star is another stack's too."""
    made = transform({})
    (policy,) = made["Resources"]["RolloutRole"]["Properties"]["Policies"]
    moving = policy["PolicyDocument"]["Statement"][1]
    assert "lambda:UpdateAlias" in moving["Action"]
    named = {each.get("Fn::If", [None, each])[1]["Fn::Sub"] for each in moving["Resource"]}
    assert named == {f"${{{name}.Arn}}*" for name in of_type(made, "AWS::Lambda::Function")}


def test_it_can_be_off(transform: Transform) -> None:
    """The value "off" works on the emulator, which has no CodeDeploy, and for a fix while an alarm is on."""
    made = transform({})
    assert not any(each["Type"].startswith("AWS::CodeDeploy::") for each in made["Resources"].values())
    assert of_type(made, "AWS::Lambda::Alias")
    assert not any("UpdatePolicy" in alias for alias in of_type(made, "AWS::Lambda::Alias").values())


def test_every_way_to_roll_out_says_whether_it_is_watched(template: Template) -> None:
    """A value without a line would end the deploy with a riddle."""
    watched = template["Mappings"]["Watched"]
    assert set(watched) == set(template["Parameters"]["Rollout"]["AllowedValues"])
    assert [name for name, each in watched.items() if each["Release"] != "true"] == ["off"]


@pytest.mark.parametrize("environment", ["default", "dev", "prod"])
def test_releases_on_aws_are_watched(template: Template, environment: str) -> None:
    """Whichever configuration is deployed; the guided deploy shows the first as what it proposes."""
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    overrides = dict(each.split("=", 1) for each in configured["parameter_overrides"])
    assert template["Mappings"]["Watched"][overrides["Rollout"]]["Release"] == "true"


@pytest.mark.parametrize("changed", ["MeetingsFunction", "ZoomCommonLayer"])
def test_new_code_is_a_new_version(transform: Transform, changed: str) -> None:
    """Of the function itself, and of the layer, in which most of the code is: then of every function."""
    before, after = versions(transform({})), versions(transform({}, changed))
    assert len(after - before) == (len(before) if changed == "ZoomCommonLayer" else 1)


def test_a_changed_parameter_is_a_new_version(template: Template) -> None:
    """SAM takes no notice of a parameter's value: a number that changes with it is in every function and version.

    In the function as well, because a version of an unchanged function is an error in CloudFormation.
    """
    shared = template["Globals"]["Function"]
    assert shared["Environment"]["Variables"]["SETTINGS"] == {"Ref": "Settings"}
    functions = of_type(template, "AWS::Serverless::Function").values()
    for function in functions:
        assert function["Properties"]["VersionDescription"] == {"Fn::Sub": "settings ${Settings}"}
    given = {
        *parameters_in(shared, template),
        *(n for f in functions for n in parameters_in(f["Properties"], template)),
    }
    content = template["Resources"]["Settings"]["Properties"]["Content"]["Fn::Sub"]
    kept = dict(re.findall(r"^(\w+)=\$\{(\w+)\}$", content, re.MULTILINE))
    assert all(name == value for name, value in kept.items())
    assert kept.pop("Attempt") == "Attempt"  # no function is told: it is there to make new versions
    unversioned = {"Rollout", "WebhookReservedConcurrency", "EventConcurrency"}  # of the function, whatever its version
    assert set(kept) == (given & template["Parameters"].keys()) - unversioned
    assert not any(template["Parameters"][name].get("NoEcho") for name in kept)


def test_nobody_calls_around_the_alias(template: Template, transformed: Template) -> None:
    """The API, its authorizer, queues, schedules, the function URL, and one function that calls another."""
    functions = of_type(template, "AWS::Serverless::Function")
    resources = template["Resources"].values()
    called = [
        each["Properties"]["IntegrationUri"] for each in resources if each["Type"] == "AWS::ApiGatewayV2::Integration"
    ]
    called += [each["Properties"]["Target"]["Arn"] for each in resources if each["Type"] == "AWS::Scheduler::Schedule"]
    variables = [function["Properties"]["Environment"]["Variables"] for function in functions.values()]
    called += [each["TOKEN_REFRESH_FUNCTION"] for each in variables if "TOKEN_REFRESH_FUNCTION" in each]
    assert called
    for target in called:
        assert re.fullmatch(r"\$\{\w+Function\.Arn\}:live", target["Fn::Sub"]), target
    uri = template["Resources"]["HttpApiAuthorizer"]["Properties"]["AuthorizerUri"]["Fn::Sub"]
    assert uri.endswith("/functions/${AuthorizerFunction.Arn}:live/invocations")
    sources = of_type(transformed, "AWS::Lambda::EventSourceMapping").values()
    targets = [each["Properties"]["FunctionName"] for each in sources]
    targets += [each["Properties"]["FunctionName"] for each in of_type(transformed, "AWS::Lambda::Permission").values()]
    targets += [each["Properties"]["TargetFunctionArn"] for each in of_type(transformed, "AWS::Lambda::Url").values()]
    assert {target["Ref"] for target in targets} <= of_type(transformed, "AWS::Lambda::Alias").keys()


def test_who_may_call_a_function_may_call_its_alias_only(template: Template) -> None:
    """IAM takes an alias for a resource of its own: without it the schedules and the refresh would be refused."""
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for policy in role["Properties"]["Policies"]:
            for either in policy["PolicyDocument"]["Statement"]:
                statement = either["Fn::If"][1] if "Fn::If" in either else either
                if statement["Action"] == "lambda:InvokeFunction":
                    assert re.fullmatch(r"\$\{\w+Function\.Arn\}:live", statement["Resource"]["Fn::Sub"]), name


def test_snapshots_are_an_option_of_functions_that_may_have_them(transform: Transform) -> None:
    """SnapStart goes without file systems, provisioned concurrency and large disks; elsewhere it is refused by AWS.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-runtimes
    """
    made = transform({})
    option = {"Fn::If": ["StartsFromSnapshots", {"ApplyOn": "PublishedVersions"}, {"Ref": "AWS::NoValue"}]}
    functions = of_type(made, "AWS::Lambda::Function")
    having = {name: each["Properties"] for name, each in functions.items() if "SnapStart" in each["Properties"]}
    assert len(having) == 6
    for properties in having.values():
        assert properties["SnapStart"] == option
        assert properties["Runtime"] == "python3.13"
        assert properties.keys().isdisjoint({"EphemeralStorage", "FileSystemConfigs", "ImageConfig"})
    assert not any(
        "ProvisionedConcurrencyConfig" in each["Properties"] for each in of_type(made, "AWS::Lambda::Alias").values()
    )
