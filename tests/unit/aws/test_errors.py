"""Which failures of AWS may pass, which are faults of ours, and what nobody gets to read."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from zoom_common.aws.errors import translated
from zoom_common.errors import Conflict, DependencyFailed, InternalError, Unavailable


def refusal(code: str, status: int = 400) -> ClientError:
    """What a client raises for a refusal; the message quotes what was to be stored."""
    response: Any = {
        "Error": {"Code": code, "Message": "the item jill@zoom.example"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "PutItem")


TAKEN = refusal("ConditionalCheckFailedException")
SILENT = ConnectTimeoutError(endpoint_url="https://dynamodb/jill")


def conflict(error: Any) -> Conflict | None:
    """A condition that fails means something."""
    return Conflict("Taken.", reason="taken") if error.response["Error"]["Code"].startswith("Conditional") else None


def raised(failure: Exception) -> DependencyFailed:
    """What comes out in the place of `failure`."""
    with pytest.raises(DependencyFailed) as caught, translated("a_table"):
        raise failure
    return caught.value


@pytest.mark.parametrize(
    "failure",
    [
        SILENT,
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        CredentialRetrievalError(provider="container", error_msg="jill"),
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("InternalServerError", 500),
        refusal("KMSInternalException", 500),
        refusal("503", 503),
    ],
)
def test_what_may_pass_is_unavailable(failure: BotoCoreError | ClientError) -> None:
    """No answer, throttling and AWS's own faults are Unavailable with the store's reason."""
    found = raised(failure)
    assert isinstance(found, Unavailable)
    assert (found.reason, found.status, found.retryable) == ("a_table", 503, True)


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (refusal("ValidationException"), "ValidationException"),
        (refusal("AccessDeniedException"), "AccessDeniedException"),
        (refusal("ResourceNotFoundException"), "ResourceNotFoundException"),
        (refusal("403", 403), "403"),
        (ParamValidationError(report="jill"), "ParamValidationError"),
        (NoCredentialsError(), "NoCredentialsError"),
    ],
)
def test_what_stays_is_a_fault_of_ours(failure: BotoCoreError | ClientError, cause: str) -> None:
    """Other refusals are an InternalError with the place and AWS's code, and are not tried again."""
    found = raised(failure)
    assert isinstance(found, InternalError)
    assert (found.where, found.cause) == ("a_table", cause)
    assert (found.reason, found.status, found.retryable) == ("internal_error", 500, False)


@pytest.mark.parametrize("failure", [refusal("ValidationException"), refusal("ThrottlingException"), SILENT])
def test_nobody_reads_what_aws_quotes(failure: Exception) -> None:
    """Texts of AWS's messages appear neither in our error nor in a traceback."""
    assert "jill" not in "".join(traceback.format_exception(raised(failure)))


def test_a_refusal_may_mean_something() -> None:
    """Others of the same call, and silence, do not."""
    with pytest.raises(Conflict), translated("a_table", conflict):
        raise TAKEN
    for failure in (refusal("ValidationException"), SILENT):
        with pytest.raises(DependencyFailed), translated("a_table", conflict):
            raise failure


def test_what_is_not_of_aws_stays_as_it_is() -> None:
    """A mistake in our own code is neither."""
    mistake = KeyError("Item")
    with pytest.raises(KeyError) as seen, translated("a_table", conflict):
        raise mistake
    assert seen.value is mistake
