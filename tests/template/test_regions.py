"""Where the template can be deployed, by the resource types that each region's CloudFormation knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import cfnlint
import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from ops import regions
from ops.console import Stop

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]
# cfn-lint brings the list of each region: https://github.com/aws-cloudformation/cfn-lint/tree/main/src/cfnlint/data
LISTS = Path(cfnlint.__file__).parent / "data" / "schemas" / "providers"
OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")


@pytest.fixture(scope="module")
def types(transform: Callable[..., Template]) -> set[str]:
    """The resource types of everything that can be switched on, as CloudFormation gets them."""
    made = transform({"Stage": "prod", "Rollout": "Canary10Percent10Minutes"})
    return {resource["Type"] for resource in made["Resources"].values()}


def missing(region: str, types: set[str]) -> set[str]:
    return types - set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region))


# cfn-lint has no list of them.
UNLISTED = {"me-south-1"}
# Every service of which a resource is made, as botocore names it.
SERVICES = (
    "apigatewayv2",
    "appconfig",
    "cloudwatch",
    "codedeploy",
    "dynamodb",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "stepfunctions",
)


@pytest.mark.parametrize("region", sorted(set(regions.COMMERCIAL) - UNLISTED))
def test_a_region_of_the_list_knows_every_type(region: str, types: set[str]) -> None:
    """A type that a region lacks would end its deploy half-way."""
    assert missing(region, types) == set()


def test_every_other_commercial_region_lacks_function_urls(types: set[str]) -> None:
    """So the list is whole: a region that gets function URLs fails this test, and is added."""
    known = {file.stem for file in LISTS.glob("*-*.json") if not file.stem.startswith(OTHER_PARTITIONS)}
    assert set(regions.COMMERCIAL) - UNLISTED <= known
    assert not UNLISTED & known
    for region in known - set(regions.COMMERCIAL):
        assert missing(region, types) == {"AWS::Lambda::Url"}, region


@pytest.mark.parametrize("region", sorted(UNLISTED))
@pytest.mark.parametrize("service", SERVICES)
def test_a_region_without_a_list_has_every_service(region: str, service: str) -> None:
    """The services are those that botocore lists, including global ones."""
    found = boto3.Session().get_available_regions(service)
    assert region in found or found in ([], ["aws-global"])


def test_every_service_of_the_template_is_looked_for(types: set[str]) -> None:
    """A type's second word is its service."""
    assert {each.split("::")[1].lower() for each in types} == set(SERVICES)


def test_the_sovereign_cloud_knows_every_type_that_the_linter_knows(types: set[str]) -> None:
    """The linter has no list of its own for it and takes the one of us-east-1, so this is no proof (docs/deploy.md)."""
    for region in regions.SOVEREIGN:
        assert missing(region, types) == set()


def test_a_list_can_miss_a_type() -> None:
    """The comparison is able to fail."""
    assert missing("us-east-1", {"AWS::No::Such"}) == {"AWS::No::Such"}


def test_names_of_services_follow_the_partition() -> None:
    """No ARN is written for one partition, and no address of AWS with one suffix only."""
    text = (ROOT / "template.yaml").read_text()
    assert "arn:aws:" not in text.replace("arn:aws[", "")
    principals = {"lambda", "scheduler", "events", "codedeploy", "apigateway", "cloudwatch", "states"}
    for line in (line for line in text.splitlines() if ".amazonaws.com" in line):
        named = any(f"{each}.amazonaws.com" in line for each in principals)  # the same in every partition
        assert named or "${AWS::URLSuffix}" in line, line


def test_another_region_is_refused_with_those_that_work() -> None:
    """Before anything is made there."""
    regions.check("eu-central-1")
    for region in ("us-gov-west-1", "ap-southeast-4", None):
        with pytest.raises(Stop) as stop:
            regions.check(region)
        assert "eu-central-1" in stop.value.fix


def test_the_guide_lists_the_same_regions() -> None:
    """docs/deploy.md says where it runs, and what is out of scope."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    section = page.partition("## Where it runs")[2].partition("\n## ")[0]
    for region in (*regions.COMMERCIAL, *regions.SOVEREIGN):
        assert f"`{region}`" in section, region
    assert "GovCloud" in section
    assert "China" in section
