"""`make web-deploy`: the web client's hosting beside a gateway's stack."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from ops import web_deploy
from ops.console import Stop
from tests.fakes.aws_client import client

GATEWAY: dict[str, Any] = {
    "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://a1.execute-api.eu-west-1.amazonaws.com"}],
    "Parameters": [{"ParameterKey": "WebIdentityOrigins", "ParameterValue": "https://id.example.com"}],
}
TOLD = [
    {"ParameterKey": "ApiDomain", "ParameterValue": "a1.execute-api.eu-west-1.amazonaws.com"},
    {"ParameterKey": "WebIdentityOrigins", "ParameterValue": "https://id.example.com"},
    {
        "ParameterKey": "StorageOrigins",
        "ParameterValue": "https://gateway-archive-1.s3.us-east-1.amazonaws.com https://gateway-jobs-1.s3.us-east-1.amazonaws.com",
    },
]


def resource(name: str, physical: str, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": physical,
        "ResourceType": "AWS::S3::Bucket",
        "ResourceStatus": status,
        "LastUpdatedTimestamp": 0,
    }


RESOURCES = [
    resource("JobsBucket", "gateway-jobs-1"),
    resource("ArchiveBucket", "gateway-archive-1"),
    resource("OtherBucket", "gateway-other-1"),
]


def described(**found: Any) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "StackStatus": "CREATE_COMPLETE", "CreationTime": 0, **found}]}


@pytest.mark.parametrize("there", [True, False])
def test_it_is_made_or_brought_up_to_date(*, there: bool) -> None:
    """By the same command, with the parameters of the gateway's stack, and its outputs come back."""
    aws = client("cloudformation")
    asked = {"StackName": "gateway-web", "TemplateBody": ANY, "Parameters": TOLD}
    stub = Stubber(aws)
    stub.add_response("describe_stacks", described(**GATEWAY), {"StackName": "gateway"})
    stub.add_response("list_stack_resources", {"StackResourceSummaries": RESOURCES}, {"StackName": "gateway"})
    if there:
        message = "No updates are to be performed."
        stub.add_client_error("update_stack", "ValidationError", message, expected_params=asked)
    else:
        message = "Stack [gateway-web] does not exist"
        stub.add_client_error("update_stack", "ValidationError", message, expected_params=asked)
        stub.add_response("create_stack", {"StackId": "id"}, asked)
        stub.add_response("describe_stacks", described(), {"StackName": "gateway-web"})
    outputs = [{"OutputKey": "WebOrigin", "OutputValue": "https://d1.cloudfront.net"}]
    stub.add_response("describe_stacks", described(Outputs=outputs), {"StackName": "gateway-web"})
    with stub:
        assert web_deploy.deploy(aws, "gateway") == {"WebOrigin": "https://d1.cloudfront.net"}
    stub.assert_no_pending_responses()


def test_pages_reach_no_bucket_of_a_capability_that_is_off() -> None:
    """A bucket that the stack no longer has is no origin."""
    aws = client("cloudformation")
    gone = {"StackResourceSummaries": [resource("ArchiveBucket", "gateway-archive-1", "DELETE_COMPLETE")]}
    stub = Stubber(aws)
    stub.add_response("list_stack_resources", gone, {"StackName": "gateway"})
    with stub:
        assert web_deploy.storage_origins(aws, "gateway") == ""


def test_a_stack_that_is_no_gateways_is_said() -> None:
    """Before anything is made."""
    with pytest.raises(Stop, match="not a gateway"):
        web_deploy.parameters({"Outputs": []})
