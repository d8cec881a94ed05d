"""What holds for every resource of the template, whatever is added later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.deploy import NEEDED
from ops.project import PARAMETERS
from zoom_common.connections.cipher import SealKind

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]

# Each open route and why nobody has to present a key there.
OPEN_ROUTES = {
    "ANY /health": "says that it runs, and nothing else",
    "ANY /openapi.json": "says what the API offers, as its documents do",
    "ANY /openapi/{document}": "the same for one family",
    "POST /oauth/token": "key id and secret in the request are the credential",
    "GET /auth/zoom/start": "opened from a link; the ticket in it is the credential, and nothing is consumed",
    "POST /auth/zoom/start": "the ticket is the credential, and is consumed",
    "GET /auth/zoom/callback": "state and cookie are the credential",
    "GET /auth/zoom/callback/": "the same, for apps registered with a trailing slash",
    "POST /webhooks/zoom": "the signature over the raw body is the credential, as at the function URL",
}
# Actions that know no resource: AWS offers nothing narrower.
WITHOUT_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in template["Resources"].items() if r["Type"] == kind}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def either(value: Any) -> list[Any]:
    """What a value is, by whatever conditions."""
    if isinstance(value, dict) and "Fn::If" in value:
        return [found for branch in value["Fn::If"][1:] for found in either(branch)]
    return [value]


def role_statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for role, properties in of_type(template, "AWS::IAM::Role").items():
        for policy in properties["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield role, either(statement)[0]  # one that an option adds has nothing in its place


def test_every_route_asks_the_authorizer_but_the_listed_ones(template: Template) -> None:
    """A route is open only when it stands on the list above, with its reason."""
    routes = of_type(template, "AWS::ApiGatewayV2::Route")
    open_routes = {r["RouteKey"] for r in routes.values() if r["AuthorizationType"] != "CUSTOM"}
    assert open_routes == set(OPEN_ROUTES)
    assert all(r.get("AuthorizerId") for r in routes.values() if r["AuthorizationType"] == "CUSTOM")


def test_the_template_has_no_hidden_routes(template: Template) -> None:
    """Functions get no API events of SAM's own: those would be routes outside the list."""
    kinds = {
        event["Type"]
        for function in of_type(template, "AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
    }
    assert kinds <= {"SQS"}


def test_the_authorizer_keeps_answers_a_minute_at_most(template: Template) -> None:
    """A revoked key works for a minute at most, and answers are kept per credential."""
    (authorizer,) = of_type(template, "AWS::ApiGatewayV2::Authorizer").values()
    limits = template["Parameters"]["KeyCacheSeconds"]
    assert authorizer["AuthorizerResultTtlInSeconds"] == {"Fn::If": ["RemembersKeys", {"Ref": "KeyCacheSeconds"}, 0]}
    assert (limits["MinValue"], limits["Default"], limits["MaxValue"]) == (0, 60, 60)


def test_without_a_cache_the_authorizer_answers_requests_without_a_header(template: Template) -> None:
    """API Gateway needs an identity source for a cache; without one it asks the function about every request.

    Browsers of other origins ask without a credential before they send one.
    """
    (authorizer,) = of_type(template, "AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["IdentitySource"] == {"Fn::If": ["RemembersKeys", ["$request.header.Authorization"], []]}
    remembers, no_origins = template["Conditions"]["RemembersKeys"]["Fn::And"]
    assert remembers == {"Fn::Not": [{"Fn::Equals": [{"Ref": "KeyCacheSeconds"}, 0]}]}
    assert no_origins == {"Fn::Not": [{"Condition": "AllowsOrigins"}]}


def test_no_role_has_a_wildcard_action(template: Template) -> None:
    """Every action a function may take is named."""
    for role, statement in role_statements(template):
        for action in as_list(statement["Action"]):
            assert "*" not in action, (role, action)


def test_no_role_reaches_every_resource(template: Template) -> None:
    """Resource "*" is used only for actions that AWS cannot limit further."""
    for role, statement in role_statements(template):
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= WITHOUT_RESOURCE, role


def test_two_roles_may_use_the_refresh_key(template: Template) -> None:
    """Nobody but oauth and token_refresh can open a refresh token."""
    holders = {
        role
        for role, statement in role_statements(template)
        for resource in as_list(statement["Resource"])
        if resource == {"Fn::GetAtt": ["RefreshKey", "Arn"]}
    }
    assert holders == {"OauthRole", "TokenRefreshRole"}


def test_who_may_read_the_client_secret(template: Template) -> None:
    """Those who talk to Zoom's token endpoint, and who signs for the Meeting SDK where no other app does that."""
    holders = {
        (role, len(either(resource)))
        for role, statement in role_statements(template)
        for resource in as_list(statement["Resource"])
        if {"Fn::GetAtt": ["ZoomAppSecret", "Id"]} in either(resource)
    }
    assert holders == {("OauthRole", 1), ("TokenRefreshRole", 1), ("MeetingSdkRole", 2)}
    assert template["Resources"]["ZoomMeetingSdkSecret"]["Condition"] == "HasSdkKey"


def test_access_tokens_open_only_as_access_tokens_for_the_api_functions(template: Template) -> None:
    """A role that can not use RefreshKey opens ciphertexts of the kind `access` only, or signing secrets only."""
    signing = {"DeliverRole", "RedeliverRole"}
    for role, statement in role_statements(template):
        if "kms:Decrypt" in as_list(statement["Action"]) and role not in {"OauthRole", "TokenRefreshRole"}:
            kind = SealKind.SUBSCRIPTION if role in signing else SealKind.ACCESS
            condition = {"StringEquals": {"kms:EncryptionContext:kind": str(kind)}}
            assert statement["Condition"] == {"Fn::If": ["IsLocal", {"Ref": "AWS::NoValue"}, condition]}, role


def test_every_function_has_its_own_role_and_log(template: Template) -> None:
    """One role and one log group with retention per function."""
    functions = of_type(template, "AWS::Serverless::Function")
    roles = [str(f["Role"]) for f in functions.values()]
    logs = [f["LoggingConfig"]["LogGroup"]["Ref"] for f in functions.values()]
    assert len(set(roles)) == len(functions)
    assert len(set(logs)) == len(functions)


def test_every_log_group_forgets(template: Template) -> None:
    """No log is kept for ever."""
    groups = of_type(template, "AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_every_function_folder_is_deployed(template: Template) -> None:
    """One folder, one Lambda: none is forgotten, none is missing."""
    deployed = {f["CodeUri"] for f in of_type(template, "AWS::Serverless::Function").values()}
    assert deployed == {f"functions/{handler.parent.name}" for handler in ROOT.glob("functions/*/handler.py")}


def test_every_queue_has_a_dead_letter_queue(template: Template) -> None:
    """A message that can not be handled ends up where somebody can look at it."""
    queues = of_type(template, "AWS::SQS::Queue")
    targets = {
        q["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] for q in queues.values() if "RedrivePolicy" in q
    }
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True, name
        if name not in targets:
            assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, name
        else:
            assert queue["MessageRetentionPeriod"] == 1209600, name


def test_a_queue_hides_a_message_for_six_timeouts_of_its_reader(template: Template) -> None:
    """Lambda's own rule for SQS event sources: visibility of at least six function timeouts."""
    queues = of_type(template, "AWS::SQS::Queue")
    globals_ = template["Globals"]["Function"]
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        for event in function.get("Events", {}).values():
            queue = event["Properties"]["Queue"]["Fn::GetAtt"][0]
            timeout = function.get("Timeout", globals_["Timeout"])
            assert queues[queue]["VisibilityTimeout"] >= 6 * timeout, (name, queue)
            assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], (name, queue)


def test_every_queue_has_one_policy_about_itself(template: Template) -> None:
    """A policy is about one queue, SQS refuses a statement with two resources, and nobody comes without TLS.

    https://github.com/remind101/stacker_blueprints/pull/71
    """
    policies = list(of_type(template, "AWS::SQS::QueuePolicy").values())
    assert sorted(each["Queues"][0]["Ref"] for each in policies) == sorted(of_type(template, "AWS::SQS::Queue"))
    for policy in policies:
        (queue,) = policy["Queues"]
        statements = [either(each)[0] for each in policy["PolicyDocument"]["Statement"]]  # the emulator has no TLS
        assert all(each["Resource"] == {"Fn::GetAtt": [queue["Ref"], "Arn"]} for each in statements), queue
        denied = [each for each in statements if each["Effect"] == "Deny"]
        assert [(each["Principal"], each["Action"], each["Condition"]) for each in denied] == [
            ("*", "sqs:*", {"Bool": {"aws:SecureTransport": "false"}})
        ], queue


def test_no_queue_takes_every_execution_of_the_account(template: Template) -> None:
    """Each event source has a maximum, which is at least 2; Zoom's deliveries need what is left."""
    sources = [
        event["Properties"]
        for function in of_type(template, "AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
    ]
    assert sources
    for source in sources:
        for most in either(source["ScalingConfig"]["MaximumConcurrency"]):
            least = template["Parameters"][most["Ref"]]["MinValue"] if isinstance(most, dict) else most
            assert least >= 2, source["Queue"]


# Functions that may write to a queue they read, and why Lambda's limit of 16 rounds does not stop them.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion
ROUND_TRIPS = {
    "TokenRefreshFunction": "the sweep is started by a schedule; what goes to escrow was read from the refresh queue",
    "ReconcileFunction": "a round is handed out by a schedule; what is read from the queue sends nothing there",
    "ErasuresFunction": "work that is not finished gives its message back to the queue",
}


def longer_ways_round(functions: dict[str, dict[str, Any]], sends: dict[str, set[str]]) -> set[str]:
    """Functions that get back to their own queue through the queues of others."""
    readers = {
        event["Properties"]["Queue"]["Fn::GetAtt"][0]: name
        for name, function in functions.items()
        for event in function.get("Events", {}).values()
    }
    roles = {name: function["Role"]["Fn::GetAtt"][0] for name, function in functions.items()}
    starts = {
        name: {readers[queue] for queue in sends.get(role, ()) if queue in readers} - {name}
        for name, role in roles.items()
    }
    found = set()
    for name in functions:
        reached, ahead = set[str](), set(starts[name])
        while ahead:
            reached |= ahead
            ahead = {following for each in ahead for following in starts[each]} - reached
        if name in reached:
            found.add(name)
    return found


def test_functions_that_write_to_their_own_queue_are_known(template: Template) -> None:
    """Lambda stops a loop after 16 rounds, and nobody turns that off; a function that is new here needs a reason."""
    sends: dict[str, set[str]] = {}
    for role, statement in role_statements(template):
        if "sqs:SendMessage" in as_list(statement["Action"]):
            own = [each for each in as_list(statement["Resource"]) if "Fn::GetAtt" in each]
            sends.setdefault(role, set()).update(each["Fn::GetAtt"][0] for each in own)
    functions = of_type(template, "AWS::Serverless::Function")
    circular = {
        name
        for name, function in functions.items()
        for event in function.get("Events", {}).values()
        if event["Properties"]["Queue"]["Fn::GetAtt"][0] in sends.get(function["Role"]["Fn::GetAtt"][0], set())
    }
    assert circular == set(ROUND_TRIPS)
    assert longer_ways_round(functions, sends) == set()
    assert not any("RecursiveLoop" in function for function in functions.values())


def test_open_routes_have_limits_of_their_own(template: Template) -> None:
    """Strangers cannot use up what callers with a key are given; and a route exists before the stage limits it."""
    stage = template["Resources"]["HttpApiStage"]
    limits = {"ThrottlingBurstLimit": {"Ref": "OpenBurstLimit"}, "ThrottlingRateLimit": {"Ref": "OpenRateLimit"}}
    settings = dict(stage["Properties"]["RouteSettings"])
    # Zoom does not repeat a delivery that was answered with 429: it gets as much as all callers together.
    deliveries = {"ThrottlingBurstLimit": {"Ref": "ApiBurstLimit"}, "ThrottlingRateLimit": {"Ref": "ApiRateLimit"}}
    assert settings.pop("POST /webhooks/zoom") == deliveries
    assert settings == dict.fromkeys(OPEN_ROUTES.keys() - {"POST /webhooks/zoom"}, limits)
    routes = of_type(template, "AWS::ApiGatewayV2::Route")
    assert {routes[name]["RouteKey"] for name in stage["DependsOn"]} == set(OPEN_ROUTES)
    for limit in ("Burst", "Rate"):
        parameters = template["Parameters"]
        assert parameters[f"Open{limit}Limit"]["Default"] < parameters[f"Api{limit}Limit"]["Default"]


def test_every_table_is_encrypted_with_our_key(template: Template) -> None:
    """All three tables use DataKey, and items with an end leave by TTL."""
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert set(tables) == {"ConnectionsTable", "EventsTable", "CoordinationTable"}
    for table in tables.values():
        assert table["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


@pytest.mark.parametrize("name", ["ConnectionsTable", "EventsTable", "DataKey", "RefreshKey"])
def test_deleting_the_stack_deletes_no_tokens(template: Template, name: str) -> None:
    """Tables and keys that can not be made again outlive the stack."""
    resource = template["Resources"][name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_a_first_deploy_that_fails_leaves_nothing(template: Template) -> None:
    """Retain would keep what a rolled back create has made, and so would deletion protection, until it is asked for."""
    policies = {resource.get("DeletionPolicy") for resource in template["Resources"].values()}
    assert policies == {None, "Delete", "RetainExceptOnCreate"}
    assert template["Parameters"]["ProtectTables"]["Default"] == "off"
    for name in ("ConnectionsTable", "EventsTable"):
        protection = template["Resources"][name]["Properties"]["DeletionProtectionEnabled"]
        assert protection == {"Fn::If": ["ProtectsTables", True, False]}


@pytest.mark.parametrize("name", ["ConnectionsTable", "EventsTable"])
def test_what_can_not_be_made_again_is_backed_up(template: Template, name: str) -> None:
    """Point-in-time recovery is on where an item is the only copy."""
    table = template["Resources"][name]["Properties"]
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_secret_parameters_are_not_echoed(template: Template) -> None:
    """CloudFormation never shows a secret parameter's value."""
    for name, parameter in template["Parameters"].items():
        if "Secret" in name:
            assert parameter["NoEcho"] is True, name


def test_every_setting_has_a_parameter(template: Template) -> None:
    """Each name of .env is a parameter of the template."""
    assert set(PARAMETERS.values()) <= set(template["Parameters"])


def test_every_parameter_stands_in_one_group(template: Template) -> None:
    """So that nobody has to read forty of them to find the three that are needed."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert groups[0]["Parameters"] == list(NEEDED)


def test_every_resource_says_what_it_is_for() -> None:
    """A comment line stands above every resource."""
    resources = (ROOT / "template.yaml").read_text().partition("\nResources:\n")[2].partition("\nOutputs:\n")[0]
    lines = resources.splitlines()
    for number, line in enumerate(lines):
        if re.fullmatch(r"  [A-Za-z0-9]+:", line):
            assert lines[number - 1].startswith("  #"), line
