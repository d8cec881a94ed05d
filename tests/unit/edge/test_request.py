"""Reading HTTP API events."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from zoom_common.access.principal import Principal
from zoom_common.edge.request import LONGEST_BODY, Request
from zoom_common.errors import BodyTooLong, InvalidRequest


def read(**changes: Any) -> Request:
    """The request in an event with these top-level changes."""
    return Request.from_event(http_event() | changes)


def test_query_is_split_from_the_raw_string() -> None:
    """A comma inside a value stays; of a repeated name the first value counts; blank values are kept."""
    request = Request.from_event(http_event(query="next=a%2Cb,c&type=live&type=scheduled&empty="))
    assert request.query == {"next": "a,b,c", "type": "live", "empty": ""}
    assert request.query_string == "next=a%2Cb,c&type=live&type=scheduled&empty="


def test_a_stage_is_not_part_of_the_path() -> None:
    """A named stage is cut off the path, whole segments only."""
    about = http_event()["requestContext"] | {"stage": "dev"}
    assert read(rawPath="/dev/v2/users/me", requestContext=about).path == "/v2/users/me"
    assert read(rawPath="/dev", requestContext=about).path == "/"
    assert read(rawPath="/development/x", requestContext=about).path == "/development/x"


def test_an_encoded_path_arrives_as_it_is() -> None:
    """Escapes in the path are the operations table's business."""
    assert read(rawPath="/v2/meetings/%252Fabc%253D%253D").path == "/v2/meetings/%252Fabc%253D%253D"


def test_header_names_are_lower_case() -> None:
    """Function URLs and local runners do not agree on case."""
    assert Request.from_event(http_event(headers={"X-Zoom-Connection": "con_1"})).headers == {
        "x-zoom-connection": "con_1"
    }


def test_cookies_come_from_the_event_or_the_header() -> None:
    """A value may hold an equals sign; the first cookie of a name counts; what is no cookie is ignored."""
    assert read(cookies=["a=1=2", "b=", "a=3", "odd"]).cookies == {"a": "1=2", "b": ""}
    assert read(headers={"cookie": "a=1; b=2"}).cookies == {"a": "1", "b": "2"}


def test_a_base64_body_is_bytes_again() -> None:
    """Bytes that are no text survive the way in."""
    encoded = base64.b64encode(b"\xff\x00{").decode()
    assert read(body=encoded, isBase64Encoded=True).body == b"\xff\x00{"


def test_a_broken_base64_body_is_the_callers_error() -> None:
    """An event that says base64 and is not gives a 400, not a crash."""
    with pytest.raises(InvalidRequest):
        read(body="***", isBase64Encoded=True)


def test_an_event_without_optional_parts_is_read() -> None:
    """Null headers, no body and no authorizer are ordinary."""
    request = Request.from_event({"headers": None, "body": None, "requestContext": {"authorizer": None}})
    assert (request.method, request.path, request.body, request.principal) == ("GET", "/", b"", None)


def test_principal_and_denial_come_from_the_authorizer() -> None:
    """The authorizer's context becomes a principal or a reason."""
    principal = Principal("acme", "key:abc", frozenset({"meetings:read"}), "con_1")
    assert Request.from_event(http_event(principal=principal)).principal == principal
    assert Request.from_event(http_event(denied="expired_key")).denied == "expired_key"


def test_the_deadline_is_the_shorter_of_both() -> None:
    """A call ends before Lambda's time does, and before an HTTP API gives up."""
    assert Request.from_event(http_event(), LambdaContext(remaining_ms=5_000)).deadline.remaining() <= 4.5
    assert Request.from_event(http_event(), LambdaContext(remaining_ms=900_000)).deadline.remaining() <= 28.0
    assert Request.from_event(http_event(), LambdaContext(remaining_ms=100)).deadline.remaining() == 0.0


@pytest.mark.parametrize("body", ["", "{", "NaN", '{"a": Infinity}', "[" * 100_000, '"' + "\\ud8" + '"', "1" * 5_000])
def test_what_is_not_json_is_refused(body: str) -> None:
    """Malformed, non-standard and hostile documents give a 400."""
    with pytest.raises(InvalidRequest):
        Request.from_event(http_event("POST", body=body)).json()


def test_bytes_that_are_not_utf8_are_refused() -> None:
    """A body in another encoding gives a 400."""
    with pytest.raises(InvalidRequest):
        read(body=base64.b64encode(b'{"a": "\xe9"}').decode(), isBase64Encoded=True).json()


def test_a_form_is_not_json() -> None:
    """What curl sends by default is named, not guessed at."""
    form = http_event("POST", headers={"content-type": "application/x-www-form-urlencoded"}, body="{}")
    with pytest.raises(InvalidRequest, match="Content-Type: application/json"):
        Request.from_event(form).json()


@pytest.mark.parametrize("declared", ["application/json; charset=utf-8", "application/merge-patch+json", "text/json"])
def test_json_may_be_declared_in_several_ways(declared: str) -> None:
    """Every JSON type is read, as is a body of no declared type."""
    event = http_event("POST", headers={"Content-Type": declared}, body='{"topic": "\\u00e9"}')
    assert Request.from_event(event).json() == {"topic": "é"}
    assert Request.from_event(http_event("POST", body="[1]")).json() == [1]


def test_a_request_does_not_show_what_it_carries() -> None:
    """Cookies, queries, headers and bodies stay out of tracebacks and logs."""
    event = http_event("POST", query="code=hidden", headers={"a": "hidden"}, cookies=["c=hidden"], body="hidden")
    assert "hidden" not in repr(Request.from_event(event))


def test_a_body_that_lambda_would_not_take_is_413() -> None:
    """In Zoom's shape with the fix, before anybody reads it."""
    assert read(body="x" * LONGEST_BODY).body
    with pytest.raises(BodyTooLong) as refused:
        read(body="x" * (LONGEST_BODY + 1))
    assert (refused.value.status, refused.value.reason) == (413, "body_too_long")
    assert str(LONGEST_BODY) in str(refused.value.hint)
