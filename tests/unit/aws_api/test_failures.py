"""What is told of a failure of AWS, and what is not."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from zoom_common.aws_api.failures import translated
from zoom_common.errors import Conflict, Unavailable

REFUSED = ClientError({"Error": {"Code": "ValidationException", "Message": "the item jill@zoom.example"}}, "PutItem")
TAKEN = ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem")
SILENT = ConnectTimeoutError(endpoint_url="https://dynamodb/jill")


def conflict(error: Any) -> Conflict | None:
    """A condition that fails means something."""
    return Conflict("Taken.", reason="taken") if error.response["Error"]["Code"].startswith("Conditional") else None


@pytest.mark.parametrize("failure", [REFUSED, TAKEN, SILENT])
def test_a_failure_is_told_by_who_failed(failure: Exception) -> None:
    """Refusals and silence alike; nobody reads what the service quotes, in a log's traceback neither."""
    with pytest.raises(Unavailable) as told, translated("a_table"):
        raise failure
    assert told.value.reason == "a_table"
    assert "jill" not in "".join(traceback.format_exception(told.value))


def test_who_looks_at_the_cause_gets_it() -> None:
    """The authorizer names it, an operator reads it."""
    with pytest.raises(Unavailable) as told, translated("a_table", keep_cause=True):
        raise SILENT
    assert told.value.__cause__ is SILENT


def test_a_refusal_may_mean_something() -> None:
    """Others of the same call, and silence, do not."""
    with pytest.raises(Conflict), translated("a_table", conflict):
        raise TAKEN
    for failure in (REFUSED, SILENT):
        with pytest.raises(Unavailable), translated("a_table", conflict):
            raise failure


def test_what_is_not_of_aws_stays_as_it_is() -> None:
    """A mistake of ours is no outage."""
    mistake = KeyError("Item")
    with pytest.raises(KeyError) as seen, translated("a_table", conflict):
        raise mistake
    assert seen.value is mistake
