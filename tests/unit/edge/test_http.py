"""Routing, authorization, and what happens to errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.edge import LambdaContext, http_event, never_counted
from zoom_common.access.principal import Principal
from zoom_common.edge.http import Router, authorize, guarded
from zoom_common.edge.request import Request
from zoom_common.edge.response import Response, json_response
from zoom_common.errors import Forbidden, InternalError, NotFound, Unauthenticated, Unavailable
from zoom_common.settings import MissingSetting

READER = Principal("acme", "key:abc", frozenset({"connections:read"}))


@pytest.fixture
def router() -> Router:
    """A few routes, open and closed."""
    routes = Router(never_counted)

    @routes.route("GET", "/connections/{id}", scope="connections:read")
    def show(request: Request, principal: Principal, id: str) -> Response:  # noqa: A002, ARG001
        return json_response(200, {"id": id, "tenant": principal.tenant})

    @routes.route("DELETE", "/connections/{id}", scope="connections:write")
    def remove(request: Request, principal: Principal, id: str) -> Response:  # noqa: A002, ARG001
        return Response(204)

    @routes.route("GET", "/v1.0/open", scope=None)
    def greet(request: Request) -> Response:
        return json_response(200, {"query": dict(request.query)})

    return routes


def call(router: Router, **request: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON body of one request."""
    answer = router.handle(http_event(**request), LambdaContext())
    return answer["statusCode"], json.loads(answer["body"] or "{}")


def test_a_segment_arrives_decoded(router: Router) -> None:
    """What a template names is handed over by name, without its escapes."""
    assert call(router, path="/connections/con%20_1", principal=READER) == (200, {"id": "con _1", "tenant": "acme"})


def test_an_open_route_takes_anyone(router: Router) -> None:
    """Only a route that says so works without a principal."""
    assert call(router, path="/v1.0/open", query="a=1") == (200, {"query": {"a": "1"}})


def test_a_template_is_not_a_pattern(router: Router) -> None:
    """A dot in a template is a dot; a segment ends at a slash and is never empty."""
    for path in ("/v1x0/open", "/connections/a/b", "/connections/"):
        assert call(router, path=path, principal=READER)[0] == 404


def test_without_a_principal_every_path_is_401(router: Router) -> None:
    """A stranger learns nothing about which routes exist."""
    for method, path in (("GET", "/connections/1"), ("GET", "/nope"), ("PUT", "/v1.0/open")):
        status, body = call(router, method=method, path=path)
        assert (status, body["code"], body["message"]) == (401, 124, "Invalid access token.")


def test_an_unknown_path_is_zooms_404(router: Router) -> None:
    """Code 2300, as Zoom answers what it does not recognise."""
    status, body = call(router, path="/v3/users", principal=READER)
    assert (status, body["code"], body["message"]) == (404, 2300, "This API endpoint is not recognized.")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/users/me/meetings", "/v2/users/me/meetings"),
        ("/past_meetings/123/participants/", "/v2/past_meetings/123/participants"),
        ("/users/ada@example.com/meetings", "the same path under /v2"),
    ],
)
def test_a_path_without_v2_says_so(router: Router, path: str, meant: str) -> None:
    """What the caller sent is repeated only where it cannot name a person."""
    status, body = call(router, path=path, principal=READER)
    assert (status, body["code"], body["reason"]) == (404, 2300, "unknown_route")
    assert body["message"] == f"This API endpoint is not recognized. Did you mean {meant}?"


def test_a_known_path_with_another_method_is_405(router: Router) -> None:
    """The answer names the methods that work."""
    answer = router.handle(http_event("PUT", "/connections/1", principal=READER), LambdaContext())
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, "GET, DELETE")


def test_a_missing_scope_is_403(router: Router) -> None:
    """The principal is known and may not."""
    status, body = call(router, method="DELETE", path="/connections/1", principal=READER)
    assert (status, body["missing_scopes"]) == (403, ["connections:write"])


@pytest.mark.parametrize("reason", [None, "malformed_credential", "unknown_key", "wrong_secret", "of a later version"])
def test_denials_look_alike(router: Router, reason: str | None) -> None:
    """Nobody can find out which key ids exist."""
    status, body = call(router, path="/connections/1", denied=reason)
    assert (status, body["reason"]) == (401, "invalid_access_token")


def test_the_holder_of_an_ended_key_learns_it(router: Router) -> None:
    """Expired and revoked are said: only who knew the secret gets that far."""
    status, body = call(router, path="/connections/1", denied="expired_key")
    assert (status, body["code"], body["reason"]) == (401, 124, "expired_key")
    assert body["message"] == "Access token is expired."
    assert call(router, path="/connections/1", denied="revoked_key")[1]["reason"] == "revoked_key"


@pytest.mark.usefixtures("observed")
def test_a_key_store_that_is_down_is_503(router: Router) -> None:
    """Not knowing is not the caller's fault."""
    status, body = call(router, path="/connections/1", denied="unavailable")
    assert (status, body["reason"]) == (503, "key_store_unavailable")


def test_authorize_raises_what_the_table_maps() -> None:
    """Functions that route by themselves get the same three errors."""
    known = Request("GET", "/", principal=READER)
    assert authorize(known, "connections:read") is READER
    assert authorize(known, None) is READER
    with pytest.raises(Forbidden):
        authorize(known, "meetings:read")
    with pytest.raises(Unauthenticated):
        authorize(Request("GET", "/"), None)
    with pytest.raises(Unavailable):
        authorize(Request("GET", "/", denied="unavailable"), None)


def failing(error: Exception) -> Callable[[Request], Response]:
    """An answer that raises `error`."""

    def answer(request: Request) -> Response:  # noqa: ARG001
        raise error

    return answer


def test_an_unexpected_error_is_a_500_that_says_nothing(observed: Any) -> None:
    """The caller gets a fixed text; the log gets a type and a place; the message goes nowhere."""
    answer = guarded(failing(ValueError("refresh token abc")), never_counted)(http_event(), LambdaContext())
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"]) == {
        "code": 500,
        "message": "Something went wrong inside the gateway.",
        "reason": "internal_error",
        "request_id": "request-1",
    }
    [(level, _, fields)] = observed.lines
    assert (level, fields["error"], fields["request_id"]) == ("error", "ValueError", "request-1")
    assert fields["at"][-1].endswith(" answer")
    assert observed.counted == [("UnexpectedErrors", 1, {})]
    assert "abc" not in observed.text() + str(answer)


def test_what_aws_refuses_is_a_500_that_names_the_place_in_the_log(observed: Any) -> None:
    """A fault of ours rings the alarm for unexpected errors; the caller gets the same answer as for any of them."""
    fault = InternalError(where="connections_store_unavailable", cause="ValidationException")
    answer = guarded(failing(fault), never_counted)(http_event(), LambdaContext())
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        500,
        {
            "code": 500,
            "message": "Something went wrong inside the gateway.",
            "reason": "internal_error",
            "request_id": "request-1",
        },
    )
    [(level, _, fields)] = observed.lines
    assert (level, fields["where"], fields["cause"]) == (
        "error",
        "connections_store_unavailable",
        "ValidationException",
    )
    assert observed.counted == [("UnexpectedErrors", 1, {})]


def test_a_missing_setting_is_named_in_the_log(observed: Any) -> None:
    """A variable's name is no secret, and the one thing an operator has to know."""
    answer = guarded(failing(MissingSetting("CONNECTIONS_TABLE")), never_counted)(http_event(), LambdaContext())
    assert observed.lines[0][2]["setting"] == "CONNECTIONS_TABLE"
    assert "CONNECTIONS_TABLE" not in str(answer)


def test_faults_of_ours_are_logged_and_callers_errors_are_not(observed: Any) -> None:
    """A 503 leaves a line with its reason; a 404 leaves the access log to itself."""
    guarded(failing(Unavailable(reason="table")), never_counted)(http_event(), LambdaContext())
    guarded(failing(NotFound()), never_counted)(http_event(), LambdaContext())
    assert [(level, fields["reason"]) for level, _, fields in observed.lines] == [("warning", "table")]


def test_every_answer_has_the_security_headers() -> None:
    """Also errors; a route's own header wins; the request id is always there."""
    plain = guarded(failing(NotFound()), never_counted)(http_event(), LambdaContext())["headers"]
    assert plain["x-content-type-options"] == "nosniff"
    assert plain["cache-control"] == "no-store"
    assert plain["referrer-policy"] == "no-referrer"
    assert plain["content-security-policy"].startswith("default-src 'none'")
    assert plain["x-request-id"] == "request-1"
    own = guarded(lambda _: Response(headers={"cache-control": "max-age=60"}), never_counted)(
        http_event(), LambdaContext()
    )
    assert own["headers"]["cache-control"] == "max-age=60"


def test_https_is_pinned_only_where_it_is_spoken() -> None:
    """On a laptop, HSTS would lock the browser out of http://localhost."""
    answer = guarded(lambda _: Response(), never_counted)
    assert "strict-transport-security" not in answer(http_event(), LambdaContext())["headers"]
    secure = http_event(headers={"X-Forwarded-Proto": "https"})
    assert "strict-transport-security" in answer(secure, LambdaContext())["headers"]


ANY = st.none() | st.text(max_size=8) | st.booleans() | st.lists(st.text(max_size=8), max_size=3)
TEXTS = st.none() | st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "headers": TEXTS,
        "requestContext": st.none()
        | st.dictionaries(st.sampled_from(("authorizer", "http", "requestId", "stage")), ANY),
        **dict.fromkeys(("body", "cookies", "isBase64Encoded", "rawPath", "rawQueryString"), ANY),
    },
)


@given(event=EVENTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@pytest.mark.usefixtures("observed")
def test_every_event_is_answered(event: dict[str, Any]) -> None:
    """Whatever is missing from it or of another type than documented."""
    answer = guarded(lambda request: json_response(200, {"path": request.path}), never_counted)(event, LambdaContext())
    assert answer["statusCode"] in {200, 400, 500}
    assert json.loads(answer["body"])


def test_an_event_nobody_can_read_is_answered(observed: Any) -> None:
    """Even an event of the wrong shape gets an answer, under the invocation's id."""
    answer = guarded(lambda _: Response(), never_counted)({"requestContext": {"http": "odd"}}, LambdaContext())
    assert (answer["statusCode"], answer["headers"]["x-request-id"]) == (500, "invocation-1")
    assert len(observed.lines) == 1


@pytest.mark.parametrize(("sent", "echoed"), [("order-4711", "order-4711"), ("two words", None), ("", None)])
def test_a_callers_correlation_id_comes_back(router: Router, sent: str, echoed: str | None) -> None:
    """When it is fit for a log; else the request id, which every answer has, takes its place."""
    event = http_event("GET", "/v1.0/open", headers={"X-Correlation-Id": sent})
    answered = router.handle(event, LambdaContext())["headers"]
    assert answered.get("x-correlation-id") == echoed
    assert answered["x-request-id"]


@pytest.mark.parametrize("path", ["/connections/con_1/", "//connections//con_1", "/connections/con_1//"])
def test_slashes_that_people_type_do_not_count(router: Router, path: str) -> None:
    """At the start, at the end and in a row."""
    assert call(router, path=path, principal=READER) == (200, {"id": "con_1", "tenant": "acme"})


def test_a_head_is_a_get_without_its_body(router: Router) -> None:
    """With the same status and headers, and the same need of a key."""
    assert call(router, method="HEAD", path="/connections/con_1", principal=READER) == (200, {})
    assert call(router, method="HEAD", path="/connections/con_1")[0] == 401


def test_options_names_the_methods(router: Router) -> None:
    """To callers who are known."""
    event = http_event(method="OPTIONS", path="/connections/con_1", principal=READER)
    answer = router.handle(event, LambdaContext())
    assert (answer["statusCode"], answer["headers"]["allow"]) == (204, "GET, DELETE, OPTIONS")
    assert call(router, method="OPTIONS", path="/connections/con_1")[0] == 401


def test_a_browser_asks_without_a_key_whether_a_page_may_call(router: Router) -> None:
    """It reads the headers that API Gateway adds to a success, and takes anything else for a no."""
    asks = {"origin": "https://app.example.com", "access-control-request-method": "DELETE"}
    for path in ("/connections/con_1", "/v2/no/such/thing"):
        answer = router.handle(http_event(method="OPTIONS", path=path, headers=asks), LambdaContext())
        assert (answer["statusCode"], answer["body"]) == (204, "")
    assert router.handle(http_event(path="/connections/con_1", headers=asks), LambdaContext())["statusCode"] == 401
