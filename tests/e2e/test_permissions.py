"""What the functions asked of AWS while the other tests ran, judged by the roles that the template gives them on AWS.

The emulator evaluates no partition key and no encryption context, so that its own judgement is not enough.
"""

from __future__ import annotations

import os

import pytest

from dev.deployed_template import deployment, statements
from dev.emulator import client_of
from tests.e2e.conftest import Gateway
from tests.fakes import asked
from tests.fakes.iam import allowed

pytestmark = pytest.mark.e2e


def test_every_request_is_allowed_on_aws(gateway: Gateway, request: pytest.FixtureRequest) -> None:
    """Under the transformed template's own roles, with all condition keys; what is new can be kept in `asked.json`."""
    assert refused(gateway, request.config, "gateway/recorded") == set()


def refused(gateway: Gateway, config: pytest.Config, cached: str) -> set[tuple[str, ...]]:
    """Return the shapes of the gateway's requests that IAM would refuse on AWS.

    A run of what failed before (`--last-failed`) repeats few tests, so the requests of the run before, kept in pytest's
    cache under the name `cached`, are judged again with it.
    """
    stack, cache = gateway.stack, config.cache
    assert cache
    resources = client_of(stack, "cloudformation").describe_stack_resources(StackName=stack["stack_name"])[
        "StackResources"
    ]
    names = {each["PhysicalResourceId"].rpartition("/")[2]: each["LogicalResourceId"] for each in resources}
    on_aws = deployment(**asked.OPTIONS)
    functions = on_aws.of_type("AWS::Lambda::Function")
    found = list(asked.recorded(gateway.requests, names | {stack["event_bus"]: "EventBus"}, functions))
    assert found
    if config.getoption("lf"):
        found += map(asked.from_json, cache.get(cached, []))
    cache.set(cached, list({each.shape: each.without_ids().to_json() for each in found}.values()))
    of_role = {role: list(statements(on_aws, role)) for role in {each.role for each in found}}
    if "UPDATE_ASKED" in os.environ:
        asked.update(found)
    return {each.shape for each in found if not allowed(each.request(on_aws), of_role[each.role])}
