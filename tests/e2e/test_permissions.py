"""What the functions asked of AWS while the other tests ran, judged by the roles that the template gives them on AWS.

The emulator evaluates no partition key and no encryption context, so that its own judgement is not enough.
"""

from __future__ import annotations

import os
import re

import pytest

from dev.deployed_template import deployment, statements
from dev.emulator import client_of
from tests.e2e.conftest import Gateway
from tests.fakes import asked
from tests.fakes.iam import allowed

pytestmark = pytest.mark.e2e


def test_every_request_is_allowed_on_aws(gateway: Gateway) -> None:
    """Under the transformed template's own roles, with all condition keys; what is new can be kept in `asked.json`."""
    stack = gateway.stack
    resources = client_of(stack, "cloudformation").describe_stack_resources(StackName=stack["stack_name"])[
        "StackResources"
    ]
    names = {each["PhysicalResourceId"].rpartition("/")[2]: each["LogicalResourceId"] for each in resources}
    on_aws = deployment()
    functions = on_aws.of_type("AWS::Lambda::Function").keys() - asked.NOT_RECORDED
    requests = asked.recorded(gateway.requests, names | {stack["event_bus"]: "EventBus"}, functions)
    # What belongs to an option exists here, and not in the stack with every option off.
    known = on_aws.template["Resources"].keys() | {"*"}
    found = [each for each in requests if re.split(r"[:/]", each.resource)[0] in known]
    assert found
    of_role = {role: list(statements(on_aws, role)) for role in {each.role for each in found}}
    refused = {each.shape for each in found if not allowed(each.request(on_aws), of_role[each.role])}
    assert refused == set()
    if "UPDATE_ASKED" in os.environ:
        asked.update(found)
