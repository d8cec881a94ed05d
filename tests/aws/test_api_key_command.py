"""The command line for API keys, against a stack as the runner describes it and against one on AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from ops import api_keys
from zoom_common.access.authentication import authenticate
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential
from zoom_common.access.principal import Principal
from zoom_common.aws.table import Table

pytestmark = pytest.mark.aws

STACK: dict[str, Any] = {"aws_region": "eu-central-1", "tenant": "acme", "connections_table": "connections"}


@pytest.fixture(autouse=True)
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connections_table: str) -> Path:
    """A local stack, described in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".local" / "stack.json"
    path.parent.mkdir()
    path.write_text(json.dumps(STACK | {"connections_table": connections_table}))
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line; the answer is status, standard output and standard error."""

    def command(line: str) -> tuple[int, str, str]:
        status = api_keys.main(line.split())
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


@pytest.fixture
def caller(dynamodb: DynamoDBClient, connections_table: str) -> Any:
    """What the authorizer makes of a key."""
    store = ApiKeyStore(Table(dynamodb, connections_table))

    def call(key: str, now: float = 0) -> Any:
        return authenticate(f"Bearer {key.strip()}", store, now=now)

    return call


def test_a_made_key_works_and_is_all_of_standard_output(run: Any, caller: Any) -> None:
    """So that `key=$(make api-key ...)` holds the key and nothing else."""
    status, key, said = run(
        "create --tenant acme --scopes meetings:read,connections:write --name ci --connection con_1"
    )
    credential = Credential.parse(key.strip())
    assert status == 0
    assert credential is not None
    assert credential.secret.reveal() not in said
    scopes = frozenset({"meetings:read", "connections:write"})
    assert caller(key) == Principal("acme", f"key:{credential.key_id}", scopes, "con_1")


def test_keys_are_listed_without_secrets(run: Any) -> None:
    """With the tenant of the local stack when none is named."""
    _, key, _ = run("create --scopes * --name ci --expires-in 30")
    status, listed, _ = run("list")
    _, key_id, secret = key.strip().split("_", 2)
    assert status == 0
    assert key_id in listed
    assert "until" in listed
    assert secret not in listed


def test_a_rotated_key_has_two_secrets_and_a_revoked_one_none(run: Any, caller: Any) -> None:
    """As its owner sees it."""
    _, former, _ = run("create --scopes * --name ci")
    key_id = former.split("_")[1]
    _, current, _ = run(f"rotate {key_id} --overlap 1")
    assert former != current
    assert isinstance(caller(former), Principal)
    assert isinstance(caller(current), Principal)
    assert run(f"revoke {key_id}")[0] == 0
    assert not isinstance(caller(current), Principal)
    assert "revoked" in run("list")[1]


def test_a_key_has_the_limit_it_was_given(run: Any, caller: Any) -> None:
    """When it is made and later; a rotation keeps it; without a number it has none of its own."""
    _, key, _ = run("create --scopes * --name ci --requests-per-minute 120")
    key_id = key.split("_")[1]
    assert caller(key).requests_per_minute == 120
    status, out, said = run(f"limit {key_id} --requests-per-minute 7")
    assert (status, out, "7 times a minute" in said) == (0, "", True)
    (listed,) = [line for line in run("list")[1].splitlines() if key_id in line]
    assert " 7 " in listed
    _, renewed, _ = run(f"rotate {key_id}")
    assert caller(renewed).requests_per_minute == 7
    assert run(f"limit {key_id}")[0] == 0
    assert caller(renewed).requests_per_minute is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("create --scopes * --name ci --requests-per-minute 0", "requests_per_minute: A whole number from 1"),
        ("limit abcdefghijkl --requests-per-minute 700000", "requests_per_minute: A whole number from 1"),
        ("limit abcdefghijkl --requests-per-minute 7", "There is no such key."),
        ("create --scopes meetings --name ci", "scopes: At least one of: *, account:read"),
        ("create --tenant ACME --scopes * --name ci", "tenant: Lower-case letters"),
        ("create --scopes * --name ci --expires-in -1", "expires: A time to come."),
        ("revoke abcdefghijkl", "There is no such key."),
        ("rotate abcdefghijkl", "There is no such key."),
    ],
)
def test_a_mistake_gets_one_sentence(run: Any, line: str, said: str) -> None:
    """On standard error, with a status that scripts see."""
    status, out, err = run(line)
    assert (status, out) == (1, "")
    assert err.startswith(f"api-key: {said}")
    assert err.count("\n") == 1


def test_without_a_local_stack_it_says_how_to_get_one(run: Any, stack: Path) -> None:
    """A missing or incomplete file of the local stack leads to one sentence with the command to start it."""
    stack.write_text("{")
    assert "is not complete" in run("list")[2]
    stack.unlink()
    assert "make run" in run("list")[2]


def test_a_local_stack_that_has_stopped_is_said_to(run: Any, stack: Path) -> None:
    """The file outlives the stack."""
    stack.write_text(json.dumps(STACK | {"aws_endpoint_url": "http://127.0.0.1:1"}))
    status, _, err = run("list")
    assert status == 1
    assert "start it with `make run`" in err


def test_without_a_table_it_says_what_aws_said(run: Any, stack: Path) -> None:
    """The message has AWS's own text, because the operator has the credentials."""
    stack.write_text(json.dumps(STACK | {"connections_table": "gone"}))
    status, _, err = run("list")
    assert status == 1
    assert err.startswith("api-key: The key table does not answer: ")


class CloudFormation:
    """Stacks and their outputs, as DescribeStacks tells them."""

    outputs: ClassVar[dict[str, dict[str, str]]] = {
        "gateway": {"ConnectionsTable": "connections"},
        "other": {"Website": "bucket"},
    }

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's spelling
        if StackName not in self.outputs:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        outputs = self.outputs[StackName].items()
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs]}]}


class Session(boto3.session.Session):
    """A session in which CloudFormation is ours and the rest is moto's."""

    def client(self, service: str, **given: Any) -> Any:  # type: ignore[override]
        return CloudFormation() if service == "cloudformation" else super().client(service, **given)  # type: ignore[call-overload]


def test_a_stack_on_aws_is_found_by_its_name(run: Any, caller: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through its output; a stack that has none, or is none, is said to."""
    monkeypatch.setattr(boto3.session, "Session", Session)
    status, key, _ = run("create --stack-name gateway --tenant acme --scopes * --name ci")
    assert status == 0
    assert isinstance(caller(key), Principal)
    assert "has no output ConnectionsTable" in run("list --stack-name other --tenant acme")[2]
    assert "There is no stack nowhere in eu-central-1." in run("list --stack-name nowhere --tenant acme")[2]
    assert "Name the tenant" in run("list --stack-name gateway")[2]


@pytest.mark.parametrize(
    ("line", "scopes"),
    [
        ("--operator", {"operator:read", "operator:write"}),
        ("--operator read", {"operator:read"}),
        ("--operator write --scopes usage:read", {"operator:read", "operator:write", "usage:read"}),
    ],
)
def test_an_operators_key_is_made_by_name(run: Any, caller: Any, line: str, scopes: set[str]) -> None:
    """It may look at the whole stack, and act unless it is for reading."""
    status, key, _ = run(f"create --name on-call {line}")
    assert status == 0
    assert caller(key).scopes == scopes


@pytest.mark.parametrize("scopes", ["operator:read", "meetings:read,operator:write"])
def test_operators_scopes_are_not_given_in_passing(run: Any, scopes: str) -> None:
    """Nobody gets the whole stack by a list of scopes."""
    status, key, said = run(f"create --name ci --scopes {scopes}")
    assert (status, key) == (1, "")
    assert "--operator" in said


def test_a_key_without_scopes_is_refused_in_one_sentence(run: Any) -> None:
    """The sentence names those that there are."""
    status, key, said = run("create --name ci")
    assert (status, key) == (1, "")
    assert "meetings:read" in said
    assert "operator" not in said
