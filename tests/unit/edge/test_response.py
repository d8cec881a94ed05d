"""Writing answers, and the table from errors to answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from zoom_common import errors
from zoom_common.edge.response import Response, error_response, json_response
from zoom_common.errors import FieldError, GatewayError


def answered(error: GatewayError) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and JSON body of the answer to `error`."""
    response = error_response(error, "request-1")
    return response.status, dict(response.headers), json.loads(response.body)


def test_text_goes_out_as_text() -> None:
    """JSON and HTML are readable in the event."""
    assert json_response(200, {"topic": "é"}).to_event() == {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": '{"topic":"é"}',
        "isBase64Encoded": False,
    }
    assert Response(body=b"<p>", headers={"content-type": "text/html; charset=utf-8"}).to_event()["body"] == "<p>"


@pytest.mark.parametrize(
    ("body", "kind"), [(b"%PDF", "application/pdf"), (b"\xff", "text/plain"), (b"?", "")], ids=["pdf", "latin", "none"]
)
def test_other_bytes_go_out_in_base64(body: bytes, kind: str) -> None:
    """What is no text, or says so wrongly, arrives unchanged."""
    event = Response(body=body, headers={"content-type": kind}).to_event()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_an_empty_answer_has_an_empty_text() -> None:
    """A 204 is not base64 of nothing."""
    assert Response(204).to_event() == {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False}


def test_cookies_go_out_in_their_own_list() -> None:
    """Set-Cookie can not be joined by commas."""
    assert Response(cookies=["a=1; Path=/", "b=2"]).to_event()["cookies"] == ["a=1; Path=/", "b=2"]


def test_half_a_character_does_not_break_the_answer() -> None:
    """A lone surrogate from a caller's JSON is replaced, not a crash."""
    assert json_response(200, {"topic": "\ud83d"}).body == b'{"topic":"?"}'


def test_every_error_has_zooms_shape() -> None:
    """Each has a numeric code, a message, a reason and the request's id."""
    every: list[GatewayError] = [
        errors.InvalidRequest(),
        errors.Unauthenticated(),
        errors.Forbidden(["meetings:read"]),
        errors.NotFound(),
        errors.MethodNotAllowed(["GET"]),
        errors.Conflict("Choose.", reason="ambiguous"),
        errors.ConnectionUnusable("pending", reason="not_redeemed"),
        errors.TooManyRequests(3),
        errors.OutcomeUnknown(),
        errors.ZoomUnavailable(),
        errors.Unavailable(reason="table"),
    ]
    for error in every:
        status, headers, body = answered(error)
        assert status == error.status
        assert headers["content-type"] == "application/json"
        assert (body["code"], body["message"]) == (error.code, str(error))
        assert (body["reason"], body["request_id"]) == (error.reason, "request-1")


def test_fields_are_listed_as_zoom_lists_them() -> None:
    """A refused body says what is wrong, field by field."""
    status, _, body = answered(errors.InvalidRequest([FieldError("topic", "Too long.")]))
    assert (status, body["code"], body["message"]) == (400, 300, "Validation Failed.")
    assert body["errors"] == [{"field": "topic", "message": "Too long."}]


def test_a_missing_scope_is_named() -> None:
    """A 403 says which scope it takes."""
    status, _, body = answered(errors.Forbidden(["meetings:write"]))
    assert (status, body["code"], body["missing_scopes"]) == (403, 4711, ["meetings:write"])


def test_a_missing_zoom_scope_comes_with_a_way_out() -> None:
    """Zoom's own 400 and 4711, the scopes, and where the person can consent to them."""
    status, _, body = answered(errors.ZoomScopesMissing(["meeting:write:meeting"], reconnect_url="https://gw/r"))
    assert (status, body["code"], body["reconnect_url"]) == (400, 4711, "https://gw/r")
    assert body["missing_scopes"] == ["meeting:write:meeting"]


def test_errors_bring_the_headers_http_wants() -> None:
    """401 says how to authenticate, 405 what is allowed, 429 when to come back."""
    assert answered(errors.Unauthenticated())[1]["www-authenticate"] == "Bearer"
    assert answered(errors.MethodNotAllowed(["GET", "DELETE"]))[1]["allow"] == "GET, DELETE"
    assert answered(errors.TooManyRequests(3))[1]["retry-after"] == "3"


def test_a_decision_comes_with_its_choices() -> None:
    """A conflict carries what there is to decide, a hint is passed on, a reconnect link too."""
    ambiguous = errors.Conflict("Choose.", reason="connection_ambiguous", details={"connections": ["a", "b"]})
    assert answered(ambiguous)[2]["connections"] == ["a", "b"]
    assert answered(errors.OutcomeUnknown(hint="List them."))[2]["hint"] == "List them."
    lost = errors.ConnectionUnusable("reauthorization_required", reason="revoked", reconnect_url="https://gw/r")
    assert answered(lost)[2]["state"] == "reauthorization_required"
    assert answered(lost)[2]["reconnect_url"] == "https://gw/r"


def test_what_zoom_refused_stays_as_it_came_with_ours_behind_it() -> None:
    """Zoom's bytes go out under Zoom's status and type; reason, request id and hint follow."""
    body = b'{ "code":3001,  "message":"Meeting does not exist: 1.", "n": 90071992547409931234 }'
    refused = errors.ZoomRefused(404, body, zoom_code=3001, reason="unknown_meeting", hint="Check the id.")
    response = error_response(refused, "request-1")
    assert response.status == 404
    assert response.body.startswith(body.removesuffix(b" }"))
    assert json.loads(response.body) == {
        **json.loads(body),
        "reason": "unknown_meeting",
        "request_id": "request-1",
        "hint": "Check the id.",
    }
    assert response.headers["content-type"] == "application/json"
    typed = {"content-type": "application/json;charset=UTF-8"}
    refused = errors.ZoomRefused(404, body, zoom_code=3001, reason="zoom", headers=typed)
    assert error_response(refused, "request-1").headers["content-type"] == "application/json;charset=UTF-8"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"{oops"])
def test_what_is_no_json_object_gets_nothing_added(body: bytes) -> None:
    """The reason is in a header then."""
    response = error_response(errors.ZoomRefused(502, body, zoom_code=None, reason="zoom_failed"), "r")
    assert (response.body, response.headers["x-gateway-reason"]) == (body, "zoom_failed")


def test_zooms_own_members_win() -> None:
    """Where Zoom says `reason` itself, that is the one; an empty object is filled."""
    own = error_response(errors.ZoomRefused(400, b'{"reason":"theirs"}', zoom_code=None, reason="ours"), "r")
    assert json.loads(own.body) == {"reason": "theirs", "request_id": "r"}
    empty = error_response(errors.ZoomRefused(400, b"{}", zoom_code=None, reason="ours"), "r")
    assert json.loads(empty.body) == {"reason": "ours", "request_id": "r"}


def test_a_lack_of_scopes_at_zoom_says_which_and_where_to_get_them() -> None:
    """As the gateway's own preflight does."""
    refused = errors.ZoomRefused(400, b'{"code":4711,"message":"x"}', zoom_code=4711, reason="missing_zoom_scopes")
    refused.missing_scopes, refused.reconnect_url = ("meeting:read:meeting",), "https://gateway.example/reconnect"
    reported = json.loads(error_response(refused, "r").body)
    assert (reported["missing_scopes"], reported["reconnect_url"]) == (
        ["meeting:read:meeting"],
        "https://gateway.example/reconnect",
    )


def test_zooms_headers_go_on() -> None:
    """Zoom's headers are passed on, with the one that gives the reason."""
    refused = errors.ZoomRefused(
        429, b"{}", zoom_code=429, reason="zoom_daily_limit", hint="Wait.", headers={"retry-after": "60"}
    )
    assert error_response(refused, "r").headers == {
        "retry-after": "60",
        "x-gateway-reason": "zoom_daily_limit",
        "content-type": "application/json",
    }


def test_zooms_html_is_never_ours() -> None:
    """An error page of Zoom's edge is passed on as plain text; an empty body has no type."""
    page = errors.ZoomRefused(502, b"<html>", zoom_code=None, reason="zoom", headers={"content-type": "text/html"})
    assert error_response(page, "r").headers["content-type"] == "text/plain; charset=utf-8"
    empty = errors.ZoomRefused(500, b"", zoom_code=None, reason="zoom")
    assert "content-type" not in error_response(empty, "r").headers
