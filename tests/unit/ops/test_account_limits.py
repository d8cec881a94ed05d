"""Whether an AWS account has room for the stack, before anything is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from samcli.yamlhelper import yaml_parse

from ops import account_limits, first_deploy
from ops import deploy as aws_deploy
from ops.account_limits import Account
from ops.console import Stop
from tests.fakes.aws_client import client

CONFIGURED = {stage: {"deploy": {"parameters": {"stack_name": stage}}} for stage in aws_deploy.STAGES}
TEMPLATE: dict[str, Any] = yaml_parse((Path(__file__).parents[3] / "template.yaml").read_text())


def test_the_queues_together_may_take_their_maxima() -> None:
    """The sum follows EventConcurrency, which a parameter sets and the template defaults."""
    usual = account_limits.maxima(TEMPLATE, {})
    assert usual == 32
    assert account_limits.maxima(TEMPLATE, {"EventConcurrency": "100"}) == usual + 80
    assert account_limits.maxima(TEMPLATE, {"Subscriptions": "on"}) == usual + 40
    assert account_limits.reserved(TEMPLATE, {"WebhookReservedConcurrency": "7"}) == 7


@pytest.mark.parametrize(("quota", "enough"), [(10, False), (41, False), (42, True), (1000, True)])
def test_ten_executions_are_left_for_zoom(quota: int, *, enough: bool) -> None:
    """A new account has 10 and is refused with the request to make; 42 is just enough for the defaults."""
    found = Account(quota=quota, unreserved=quota)
    if enough:
        account_limits.check(found, queues=32, webhook=0)
        return
    with pytest.raises(Stop, match=f"has {quota} free concurrent executions") as stopped:
        account_limits.check(found, queues=32, webhook=0)
    assert stopped.value.fix.splitlines()[1].endswith("--quota-code L-B99A9384 --desired-value 42")


def test_what_other_stacks_reserve_is_not_ours() -> None:
    """The quota to ask for is counted from what is free, not from the quota."""
    with pytest.raises(Stop) as stopped:
        account_limits.check(Account(quota=1000, unreserved=30), queues=32, webhook=0)
    assert "--desired-value 1012" in stopped.value.fix


@pytest.mark.parametrize(("unreserved", "most"), [(10, 0), (100, 0), (120, 20)])
def test_a_reservation_that_aws_would_refuse_is_refused_in_a_sentence(unreserved: int, most: int) -> None:
    """100 executions can never be reserved; an account with fewer can reserve none."""
    with pytest.raises(Stop, match="cannot give WebhookReservedConcurrency=50") as stopped:
        account_limits.check(Account(quota=unreserved, unreserved=unreserved), queues=2, webhook=50)
    assert str(stopped.value).endswith(f"so that {most} is the most.")
    assert str(stopped.value).count(". ") == 0


def test_the_own_reservation_is_given_again() -> None:
    """What the webhook holds already is free for the webhook."""
    aws = client("lambda")
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 950}
    with Stubber(aws) as stub:
        stub.add_response("get_account_settings", {"AccountLimit": limit})
        stub.add_response("get_function_concurrency", {"ReservedConcurrentExecutions": 50}, {"FunctionName": "hook"})
        assert account_limits.account(aws, "hook") == Account(quota=1000, unreserved=1000)


def described(status: str) -> dict[str, Any]:
    parameter = {"ParameterKey": "EventConcurrency", "ParameterValue": "5"}
    stack = {"StackName": "s", "StackStatus": status, "CreationTime": 0, "Parameters": [parameter]}
    return {"Stacks": [stack]}


def test_a_first_deploy_that_failed_says_how_to_go_on() -> None:
    """ROLLBACK_COMPLETE takes no update: the stack has to be deleted, and the command is printed."""
    aws = client("cloudformation")
    stub = Stubber(aws)
    stub.add_response("describe_stacks", described("ROLLBACK_COMPLETE"))
    with stub, pytest.raises(Stop, match="ROLLBACK_COMPLETE") as stopped:
        aws_deploy.existing(aws, "s")
    assert stopped.value.fix.endswith("aws cloudformation delete-stack --stack-name s")


def test_a_stack_that_is_not_there_is_a_first_deploy() -> None:
    """CloudFormation says ValidationError of an unknown name, and REVIEW_IN_PROGRESS of an unused change set."""
    aws = client("cloudformation")
    with Stubber(aws) as stub:
        stub.add_client_error("describe_stacks", "ValidationError")
        stub.add_response("describe_stacks", described("REVIEW_IN_PROGRESS"))
        assert aws_deploy.existing(aws, "s") is None
        assert aws_deploy.existing(aws, "s") is None


def test_a_stack_that_is_there_is_known_with_its_parameters() -> None:
    """What the deploy does not say keeps its value, and counts as that."""
    aws = client("cloudformation")
    resource = {
        "LogicalResourceId": "WebhookFunction",
        "PhysicalResourceId": "hook",
        "ResourceType": "AWS::Lambda::Function",
        "ResourceStatus": "CREATE_COMPLETE",
        "Timestamp": 0,
    }
    with Stubber(aws) as stub:
        stub.add_response("describe_stacks", described("UPDATE_COMPLETE"))
        stub.add_response("describe_stack_resources", {"StackResources": [resource]})
        found = aws_deploy.existing(aws, "s")
    assert found == aws_deploy.Stack("s", "UPDATE_COMPLETE", {"EventConcurrency": "5"}, "hook")


def test_a_web_client_without_an_address_is_not_deployed() -> None:
    """Also where the stack has it on from an earlier release, whose address was its own."""
    with pytest.raises(Stop, match="needs PublicBaseUrl"):
        aws_deploy.check_web({}, aws_deploy.Stack("s", "UPDATE_COMPLETE", {"WebClient": "on", "PublicBaseUrl": ""}))
    aws_deploy.check_web({"WebClient": "on", "PublicBaseUrl": "https://d1.cloudfront.net"}, None)
    aws_deploy.check_web({}, None)


@pytest.mark.parametrize(
    ("stage", "first", "values", "expected"),
    [
        ("dev", True, {}, ["none"]),
        ("prod", True, {}, ["none", "on"]),
        ("prod", False, {}, ["on"]),
        ("prod", False, {"ProtectTables": "off"}, ["off"]),
    ],
)
def test_tables_are_protected_once_they_are_there(
    monkeypatch: pytest.MonkeyPatch, *, stage: str, first: bool, values: dict[str, str], expected: list[str]
) -> None:
    """A protected table would block the rollback of a first deploy: prod is protected by a second one."""
    asked: list[str] = []

    def deployed(_stage: str, reported: dict[str, str], *_others: object) -> int:
        asked.append(reported.get("ProtectTables", "none"))
        return 0

    monkeypatch.setattr(aws_deploy, "_sam_deploy", deployed)
    monkeypatch.setattr(first_deploy, "work_once", lambda *_: None)
    assert aws_deploy.deploy(stage, values, CONFIGURED, [], first=first) == 0
    assert asked == expected


@pytest.mark.parametrize(("status", "changed"), [("UPDATE_ROLLBACK_COMPLETE", True), ("UPDATE_COMPLETE", False)])
def test_a_release_after_a_rollback_is_another_attempt(status: str, *, changed: bool) -> None:
    """Its code is a version already, and Lambda publishes none twice: a number that functions are told is new."""
    values = aws_deploy.again({"ZoomPlan": "pro"}, aws_deploy.Stack("s", status, {}), now=1_800_000_000.5)
    assert values == {"ZoomPlan": "pro"} | ({"Attempt": "1800000000"} if changed else {})
    assert aws_deploy.again({"Attempt": "2"}, aws_deploy.Stack("s", status, {}), now=1.0) == {"Attempt": "2"}
    assert aws_deploy.again({}, None, now=1.0) == {}


def test_a_failed_first_deploy_protects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit status is what make sees."""
    asked: list[str] = []

    def failed(stage: str, *_others: object) -> int:
        asked.append(stage)
        return 1

    monkeypatch.setattr(aws_deploy, "_sam_deploy", failed)
    assert aws_deploy.deploy("prod", {}, {}, [], first=True) == 1
    assert asked == ["prod"]
