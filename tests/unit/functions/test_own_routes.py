"""Whatever a caller sends to a route of our own: an answer, never a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import batched
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.dynamodb_limits import refusal
from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.handlers import load
from tests.fakes.own_site import (
    CONNECTION,
    EVENT,
    MODULES,
    OTHER_CONNECTION,
    ROUTES,
    TENANT,
    VALID,
    OwnRoute,
    Slot,
    event_of,
    fill,
    own_site,
    slots,
)
from tests.fakes.soak import times
from zoom_common.access.principal import CONNECTION_ID, EVERY_SCOPE, OPERATOR_SCOPES, SCOPES, Principal
from zoom_common.edge.own_requests import log_tokens
from zoom_common.edge.request_fields import PageTokens

AUTHORIZER = load("authorizer")
ALL = frozenset({EVERY_SCOPE, *OPERATOR_SCOPES})
PROGRAM = Principal(TENANT, "key:abcdefghijkl", ALL)
PERSON = Principal(TENANT, "ada", SCOPES - {EVERY_SCOPE, "connections:all"})
BOUND = Principal(TENANT, "key:abcdefghijkl", ALL, connection=CONNECTION)
CALLERS = st.sampled_from([PROGRAM, PROGRAM, PROGRAM, PERSON, BOUND, Principal("t" * 63, "key:other", ALL), None])

LONG = 2000
TOKENS = [
    "YWJj",
    PageTokens("connections", TENANT, CONNECTION_ID).encode(CONNECTION),
    PageTokens("webhooks", TENANT, CONNECTION_ID).encode(CONNECTION),
    log_tokens(TENANT).encode(f"{1_790_000_000_000}#{EVENT}"),
    log_tokens(TENANT).encode(f"{'9' * 13}#{EVENT}"),
    log_tokens(TENANT).encode(f"{'0' * 13}#{EVENT}"),
]
IDS = [
    CONNECTION,
    OTHER_CONNECTION,
    "con_",
    "con_" + "a" * LONG,
    "a" * LONG,
    EVENT,
    "era_" + "0" * 32,
    "era_" + "0" * LONG,
]
NUMBERS = [
    "0",
    "1",
    "300",
    "301",
    "-1",
    "1e400",
    "NaN",
    "9" * 5000,
    "\u0661\u0662",
    "\u00b2",
    "85123456789",
    "\u0668" * 9,
]
DAYS = [
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-11-30",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2999-01-01T00:00:00Z",
    "2026-11-30T10:00:00Z",
    "2026-11-30T10:00:00.999999999Z",
    "1" * 5000,
]
ODD = [
    "",
    " ",
    "\0",
    "\ud800",
    "\udfff\ud800",
    "..",
    "a/b",
    "%2F",
    "%00",
    "\u00e9" * 1500,
    "\U0001f600" * 600,
    "*",
    "#",
    "null",
]
VALUES = [*TOKENS, *IDS, *NUMBERS, *DAYS, *ODD, "Basic \u00e9", "Basic YTpi"]
HOSTILE = st.sampled_from(VALUES) | st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([10**4000, 1e308, -1]) | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=4,
)
# Bodies that are no JSON objects, or ones that no parser should follow to their ends.
BODIES = st.one_of(JSON.map(json.dumps), HOSTILE, st.sampled_from(["[" * 100_000, '{"a":' * 900, "&" * 5000, "=&%"]))
# Headers that every route reads, and texts that nothing takes apart: odd texts are enough, a number or a day is none.
PLAIN_TEXTS = {"x-correlation-id", "x-forwarded-proto", "content-type", "account_id", "client_id", "client_secret"}


@pytest.fixture(scope="module", autouse=True)
def site() -> Iterator[None]:
    """One account for all tests."""
    with own_site():
        yield


@pytest.fixture(autouse=True)
def tables(site: None) -> None:  # noqa: ARG001 - the account comes first
    """New tables for each test: what one request left behind is part of what the next one meets, within a test."""
    fill()


def _query(condition: str, *, start: str | None = None, **values: str) -> dict[str, Any]:
    after = {} if start is None else {"ExclusiveStartKey": {"pk": {"S": values["a"]}, "sk": {"S": start}}}
    given_values = {f":{name}": {"S": value} for name, value in values.items()}
    return {"KeyConditionExpression": condition, "ExpressionAttributeValues": given_values, **after}


@cache
def read_by(route: OwnRoute) -> dict[Slot, str | None]:
    """What `route` reads; the same at every example."""
    return slots(route, PROGRAM)


@st.composite
def requests(draw: st.DrawFn, route: OwnRoute, known: dict[Slot, str | None]) -> dict[str, Any]:
    """A request to `route` from anybody, with one to three hostile values in what it reads; at times another body."""
    usual = {slot: value for slot, value in known.items() if value is not None}
    hostile = draw(st.dictionaries(st.sampled_from(sorted(known)), HOSTILE, min_size=1, max_size=3)) if known else {}
    members = {slot: draw(JSON) for slot in hostile if slot[0] == "body"}
    event = event_of(route, {**usual, **hostile, **members}, draw(CALLERS))
    if route.method != "GET" and draw(st.integers(0, 3)) == 0:
        event |= {"body": draw(BODIES), "isBase64Encoded": draw(st.booleans())}
    return event | {"cookies": draw(st.lists(HOSTILE, max_size=1))}


def asked(route: OwnRoute, event: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request, which is no fault of ours and has the shape that callers know."""
    answer: dict[str, Any] = MODULES[route.function].handler(event, LambdaContext())
    assert answer["statusCode"] < 500, answer
    assert answer["statusCode"] < 400 or is_error_of_ours(route, answer), answer
    json.dumps(answer).encode()
    return answer


def is_error_of_ours(route: OwnRoute, answer: Mapping[str, Any]) -> bool:
    """Zoom's shape with our members; a page for a browser; for `/oauth/token`, the shape of Zoom's token endpoint."""
    if answer["headers"]["content-type"].startswith("text/html"):
        return route.template.startswith("/auth/zoom/")
    body = json.loads(answer["body"])
    if route.template == "/oauth/token" and set(body) == {"reason", "error"}:
        return True
    texts = (body["message"], body["reason"], body["request_id"])
    errors = body.get("errors", [])
    return (
        isinstance(body["code"], int)
        and all(isinstance(each, str) for each in texts)
        and all(set(each) == {"field", "message"} for each in errors)
    )


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_value_in_any_field_is_a_fault_of_ours(route: OwnRoute) -> None:
    """Each hostile value alone in each place that the route reads, in a request that is else a good one."""
    known = read_by(route)
    usual = {slot: value for slot, value in known.items() if value is not None}
    for slot in sorted(known):
        for values in batched(ODD if slot[1] in PLAIN_TEXTS else VALUES, 10, strict=False):
            fill()  # a route may read all that the requests before have left behind
            for value in values:
                asked(route, event_of(route, {**usual, slot: value}, PROGRAM))


@pytest.mark.parametrize("route", ROUTES, ids=str)
@given(data=st.data())
@settings(max_examples=times(10), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_no_request_to_a_route_of_ours_is_a_fault_of_ours(route: OwnRoute, data: st.DataObject) -> None:
    """Several hostile values at once, other bodies, and other callers."""
    asked(route, data.draw(requests(route, read_by(route))))


@pytest.mark.parametrize(
    ("operation", "request_", "refused"),
    [
        ("GetItem", {"Key": {"pk": {"S": "a" * 2048}, "sk": {"S": "a" * 1024}}}, False),
        ("GetItem", {"Key": {"pk": {"S": "a" * 2049}, "sk": {"S": "a"}}}, True),
        ("GetItem", {"Key": {"pk": {"S": "a"}, "sk": {"S": "\u00e9" * 513}}}, True),
        ("PutItem", {"Item": {"pk": {"S": ""}, "sk": {"S": "a"}, "other": {"S": ""}}}, True),
        ("TransactWriteItems", {"TransactItems": [{"Delete": {"Key": {"pk": {"S": "a"}, "sk": {"S": ""}}}}]}, True),
        ("Query", _query("pk = :a AND begins_with(sk, :b)", a="t", b="con_"), False),
        ("Query", _query("pk = :a AND begins_with(sk, :b)", start="con_2", a="t", b="con_"), False),
        ("Query", _query("pk = :a AND begins_with(sk, :b)", start="abc", a="t", b="con_"), True),
        ("Query", _query("pk = :a AND begins_with(sk, :b)", a="t", b=""), True),
        ("Query", _query("pk = :a AND sk BETWEEN :b AND :c", a="t", b="1", c="1"), False),
        ("Query", _query("pk = :a AND sk BETWEEN :b AND :c", a="t", b="2", c="1"), True),
    ],
)
def test_the_tables_refuse_what_dynamodb_refuses(operation: str, request_: dict[str, Any], *, refused: bool) -> None:
    """Moto alone lets these through, and the tests above would find nothing."""
    assert (refusal(operation, request_) is not None) is refused


def test_every_field_is_found() -> None:
    """The watch sees what routes read in each place: without it the tests above would test nothing."""
    found = {(str(route), *slot) for route in ROUTES for slot in read_by(route)}
    assert found >= {
        ("GET /connections", "query", "next_page_token"),
        ("GET /webhooks", "query", "page_size"),
        ("GET /usage", "query", "to"),
        ("POST /events/replay", "body", "page_size"),
        ("POST /connections", "body", "owner"),
        ("POST /oauth/token", "header", "authorization"),
        ("POST /meetings/{meeting_id}/sdk-signature", "header", "x-zoom-connection"),
        ("GET /erasures/{erasure_id}", "path", "erasure_id"),
    }


@pytest.mark.parametrize(
    ("path", "query", "status", "named"),
    [
        ("/connections", "next_page_token=YWJj", 400, "next_page_token"),
        ("/connections", f"next_page_token={TOKENS[2]}", 400, "next_page_token"),
        ("/connections", f"page_size={'9' * 5000}", 400, "page_size"),
        ("/connections", "page_size=%D9%A1", 400, "page_size"),
        (f"/connections/{'a' * LONG}", "", 404, "connection_unknown"),
        (f"/connections/con_{'a' * LONG}", "", 404, "connection_unknown"),
        ("/webhooks", "next_page_token=YWJj", 400, "next_page_token"),
        ("/webhooks", f"page_size={'9' * 5000}", 400, "page_size"),
        (f"/erasures/{'a' * LONG}", "", 404, "erasure_unknown"),
        ("/usage", "to=0001-01-01", 400, "to"),
        ("/usage", "from=10000-01-01", 400, "from"),
        ("/events", f"next_page_token={TOKENS[1]}", 400, "next_page_token"),
        ("/events", f"page_size={'9' * 5000}", 400, "page_size"),
        (f"/events/{'a' * LONG}", "", 404, "unknown_event"),
        ("/events", "to=0001-01-01", 200, None),
        ("/events", "from=9999-12-31T23:59:59-14:00", 200, None),
    ],
)
def test_a_slip_of_the_caller_is_answered_as_one(path: str, query: str, status: int, named: str | None) -> None:
    """400 with the field that is wrong, 404 for an id that cannot exist; 503 and 500 would blame the gateway."""
    module = MODULES[{"connections": "oauth", "webhooks": "events"}.get(path.split("/")[1], path.split("/")[1])]
    answer = module.handler(http_event("GET", path, query=query, principal=PROGRAM), LambdaContext())
    body = json.loads(answer["body"])
    fields = [each["field"] for each in body.get("errors", [])]
    assert answer["statusCode"] == status
    assert named in [None, body.get("reason"), *fields]
    assert (fields == [named]) is (status == 400)


@pytest.mark.parametrize("header", ["", "a" * LONG, f"{CONNECTION},{OTHER_CONNECTION}", "con_"])
def test_a_connection_header_that_no_connection_can_have_is_refused(header: str) -> None:
    """By our own route, naming the header; the right one lets the caller in."""
    route = next(each for each in ROUTES if each.template.endswith("/sdk-signature"))
    event = event_of(route, {("header", "X-Zoom-Connection"): header}, PROGRAM)
    answer = asked(route, event)
    assert answer["statusCode"] == 400
    assert [each["field"] for each in json.loads(answer["body"])["errors"]] == ["X-Zoom-Connection"]
    assert asked(route, event_of(route, {("header", "X-Zoom-Connection"): CONNECTION}, PROGRAM))["statusCode"] == 200


def test_a_window_that_ends_before_it_starts_is_empty() -> None:
    """On one day: DynamoDB refuses such a range, so it is not asked."""
    query = "from=2099-01-01T12:00:00Z&to=2099-01-01T11:00:00Z"
    now = datetime.now(UTC)
    today = f"from={now:%Y-%m-%dT23:59:00Z}&to={now:%Y-%m-%dT00:00:00Z}"
    for each in (query, today):
        answer = MODULES["events"].handler(http_event("GET", "/events", query=each, principal=PROGRAM), LambdaContext())
        assert (answer["statusCode"], json.loads(answer["body"])["events"]) == (200, [])


def test_pages_of_connections_follow_one_another_by_their_tokens() -> None:
    """To the end of the list, whose token is empty."""
    found, token = [], ""
    for _ in range(2):
        event = http_event("GET", "/connections", query=f"page_size=1&next_page_token={token}", principal=PROGRAM)
        body = json.loads(MODULES["oauth"].handler(event, LambdaContext())["body"])
        found += [each["id"] for each in body["connections"]]
        token = body["next_page_token"]
    assert (found, token) == ([CONNECTION, OTHER_CONNECTION], "")


@pytest.mark.parametrize("account", ["con_" + "a" * LONG, "con_", "con_\u00e9"])
def test_a_sign_in_for_a_connection_that_cannot_exist_is_refused(account: str) -> None:
    """A bearer for it would fail at every call."""
    form = {name: VALID[name] for name in ("grant_type", "client_id", "client_secret")}

    def sign_in(account_id: str) -> dict[str, Any]:
        body = urlencode({**form, "account_id": account_id})
        answer = MODULES["token"].handler(http_event("POST", "/oauth/token", body=body), LambdaContext())
        return {"status": answer["statusCode"], **json.loads(answer["body"])}

    assert sign_in(CONNECTION)["status"] == 200
    assert sign_in(account) == {"status": 400, "reason": "Account does not exist", "error": "invalid_request"}


@given(
    st.dictionaries(
        st.sampled_from(["Authorization", "X-Correlation-Id"]),
        HOSTILE | st.sampled_from(VALUES).map("Bearer {}".format),
    )
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_authorizer_answers_whatever_the_headers(headers: dict[str, str]) -> None:
    """An error of its would be a 500 of API Gateway's."""
    verdict = AUTHORIZER.handler({"headers": headers}, LambdaContext())
    assert verdict["isAuthorized"] is True
    assert "denied" in verdict["context"]
