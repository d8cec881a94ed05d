"""Who deploys may do what CloudFormation needs for this stack, through CloudFormation, and little else."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from dev.deployed_template import Deployment, deployment
from ops import deploy_policy
from ops.deploy_policy import LARGEST, LEFT_OUT, NAMES, UNNAMED, asked_by_handlers, documents, size, statements
from tests.fakes.iam import Request, allowed

STACK, REGION, ACCOUNT = "zoom-gateway-prod", "eu-central-1", "111122223333"
VIA = {"aws:CalledVia": ("cloudformation.amazonaws.com",)}


@cache
def policy() -> tuple[dict[str, Any], ...]:
    return tuple(statements(STACK, region=REGION))


@cache
def stack() -> Deployment:
    """The stack with the names that CloudFormation gives: the stack's, the logical id and something random."""
    made = deployment(Rollout="Canary10Percent10Minutes")
    physical = {name: f"{STACK}-{name}-1A2B3C4D5E6F" for name in made.template["Resources"]}
    secrets = {
        name: f"{name}-1A2B" for name, each in made.template["Resources"].items() if "Secret::" in f"{each['Type']}::"
    }
    return Deployment(made.template, made.parameters, {**physical, **secrets, "EventBus": STACK}, REGION, ACCOUNT)


def may(action: str, resource: str, **keys: Any) -> bool:
    return allowed(Request(action, resource, {**VIA, **keys}), policy())


ARNS = {
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::SQS::Queue": "sqs",
    "AWS::SNS::Topic": "sns",
    "AWS::Lambda::Function": "lambda",
    "AWS::Logs::LogGroup": "logs",
    "AWS::IAM::Role": "iam",
    "AWS::SecretsManager::Secret": "secretsmanager",
    "AWS::KMS::Key": "kms",
    "AWS::Events::EventBus": "events",
}


@pytest.mark.parametrize("kind", sorted(ARNS))
def test_every_resource_can_be_made_changed_and_deleted(kind: str) -> None:
    """What the handler of its type says it needs of its own service is allowed on the name that the resource gets."""
    needed = {action for action in asked_by_handlers([kind]) if action.startswith(f"{ARNS[kind]}:")}
    assert needed
    for name, resource in stack().template["Resources"].items():
        if resource["Type"] == kind:
            for action in needed - {"iam:PassRole", "iam:CreateServiceLinkedRole"}:
                where = "*" if action in UNNAMED else stack().arn(name).removesuffix(":*")
                assert may(action, where), (action, where)


def test_every_permission_of_every_handler_is_in_it_or_left_out_with_a_reason() -> None:
    """Nothing is forgotten: each service has names, and each action a statement."""
    types = {resource["Type"] for resource in stack().template["Resources"].values()}
    listed = {action for statement in policy() for action in statement["Action"]}
    assert asked_by_handlers(types) <= listed
    assert all(len(reason) > 10 and starts for reason, starts in LEFT_OUT.items())
    assert {action.partition(":")[0] for action in asked_by_handlers(types)} <= NAMES.keys()


def test_a_role_is_passed_to_the_services_that_take_one() -> None:
    """Lambda, Scheduler, CodeDeploy and Step Functions; a role of this stack, and to nobody else."""
    role = stack().arn("OauthRole")
    for service in ("lambda", "scheduler", "codedeploy", "states"):
        assert may("iam:PassRole", role, **{"iam:PassedToService": (f"{service}.amazonaws.com",)})
    assert not may("iam:PassRole", role, **{"iam:PassedToService": ("ec2.amazonaws.com",)})
    assert not may("iam:PassRole", role)
    other = f"arn:aws:iam::{ACCOUNT}:role/Administrator"
    assert not may("iam:PassRole", other, **{"iam:PassedToService": ("lambda.amazonaws.com",)})


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/other-stack-Role"),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/Administrator"),
        ("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{STACK}-OauthRole-1A2B"),
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/me"),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{STACK}-ConnectionsTable-1A2B"),
        (
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ZoomAppSecret-1A2B-AbCdEf",
        ),
        ("kms:GenerateDataKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"),
        ("sqs:DeleteQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:{STACK}-IngestQueue-1A2B"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other"),
        ("cloudformation:DeleteStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/other/1"),
    ],
)
def test_what_is_not_the_stacks_is_out_of_reach(action: str, resource: str) -> None:
    """Other stacks, users, items of tables, contents of secrets."""
    assert not may(action, resource)


def test_nothing_is_changed_around_cloudformation() -> None:
    """The same person cannot delete a table or write a role's policy by hand; a stack is changed by its own calls."""
    for action, name in (("dynamodb:DeleteTable", "ConnectionsTable"), ("iam:PutRolePolicy", "OauthRole")):
        request = Request(action, stack().arn(name))
        assert allowed(Request(request.action, request.resource, VIA), policy())
        assert not allowed(request, policy())
    change = Request("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1")
    assert allowed(change, policy())


def test_a_service_role_needs_no_caller() -> None:
    """CloudFormation assumes it: nobody is called via, and stacks are none of its business."""
    own = statements(STACK, region=REGION, service_role=True)
    assert allowed(Request("dynamodb:CreateTable", stack().arn("ConnectionsTable")), own)
    assert "cloudformation:" not in json.dumps([each["Action"] for each in own])


def test_each_document_fits_into_a_managed_policy() -> None:
    """6,144 characters; ten managed policies can be attached to a role or a person."""
    made = documents(statements("a-name-of-a-stack-that-is-rather-long", region="ap-southeast-2"))
    assert max(map(size, made)) <= LARGEST
    assert len(made) <= 10
    sids = [each["Sid"] for document in made for each in document["Statement"]]
    assert len(set(sids)) == len(sids)


def test_the_command_writes_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """One for each document, and the command that makes a policy of it."""
    monkeypatch.setattr("sys.argv", ["deploy-policy", "prod", "--folder", str(tmp_path)])
    assert deploy_policy.main() == 0
    files = sorted(tmp_path.glob("zoom-gateway-prod-deploy-*.json"))
    assert len(capsys.readouterr().out.splitlines()) == len(files)
    assert all(json.loads(file.read_text())["Version"] == "2012-10-17" for file in files)
