"""The pass-through: paths without a row go to Zoom as they are, within the same budget and with the same token."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event, never_counted
from tests.fakes.gateway import World, answer
from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.connections.model import Kind, email_digest
from zoom_common.edge import pass_through as edge
from zoom_common.edge import zoom_api
from zoom_common.edge.http import guarded
from zoom_common.gateway.pass_through import LearnedLabels
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.model import RateLabel

MAY = Principal("acme", "key:1", frozenset({"zoom:read", "zoom:write"}))
GRAPH = b"\x89PNG\r\n\x1a\n\x00\xff"


@pytest.fixture(autouse=True)
def _nothing_learned() -> None:
    edge._learned.cache_clear()


def ask(
    world: World,
    method: str,
    path: str,
    *,
    on: bool = True,
    caller: Principal = MAY,
    headers: dict[str, str] | None = None,
    body: str | None = None,
    query: str = "",
) -> dict[str, Any]:
    """One request at the edge, and the answer's event with its JSON body read."""
    gateway = replace(world.gateway(), passes_on=on)
    handler = guarded(lambda request: zoom_api.answer(gateway, request), never_counted)
    event = http_event(method, path, headers=headers, body=body, query=query, principal=caller)
    found = handler(event, LambdaContext())
    if not found["isBase64Encoded"] and found["body"].startswith("{"):
        found["json"] = json.loads(found["body"])
    return found


def test_it_is_off_by_default() -> None:
    """An unknown path is answered 404 with a reason that does not speak for Zoom, and costs no call."""
    world = World.of()
    for path in ("/v2/phone/users", "/scim2/Users", "/v2/no/such/thing"):
        found = ask(world, "GET", path, on=False)
        assert found["statusCode"] == 404
        assert found["json"]["reason"] == "not_served_here"
        assert found["json"]["code"] == 404
        assert "ZoomPassThrough" in found["json"]["hint"]
    assert world.zoom.sent == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_scope_is_not_enough(method: str) -> None:
    """A key has to name zoom:read or zoom:write."""
    world = World.of()
    found = ask(world, method, "/v2/phone/users", caller=Principal("acme", "key:1", frozenset({"*"})))
    assert found["statusCode"] == 403
    assert found["json"]["missing_scopes"] == ["zoom:read" if method == "GET" else "zoom:write"]
    assert world.zoom.sent == []


def test_a_read_goes_out_as_it_came() -> None:
    """A read is sent with the connection's token and the raw path and query, in the rate budget of its family."""
    world = World.of(answer(200, b'{"users":[ ]}'))
    found = ask(world, "GET", "/v2/phone/users/a%2Fb@x.y+1", query="q=%2Fa&b=c+d&empty=")
    assert (found["statusCode"], found["body"]) == (200, '{"users":[ ]}')
    (sent,) = world.zoom.sent
    assert sent.url == "https://api.zoom.us/v2/phone/users/a%2Fb@x.y+1?q=%2Fa&b=c+d&empty="
    assert sent.headers["Authorization"] == "Bearer token-1"
    (cost,) = world.limiter.costs
    assert (cost.pool, cost.label) == ("phone", RateLabel.LIGHT)


@pytest.mark.parametrize("path", ["/v2/users/me", "/v2/users/me/no/such/thing"])
def test_an_account_has_no_me(path: str) -> None:
    """On no path of the pass-through either: 400 says what to send, without a call to Zoom."""
    world = World.of(kind=Kind.ACCOUNT)
    found = ask(world, "PUT", path, body="{}")
    assert found["statusCode"] == 400
    assert "no `me`" in found["json"]["errors"][0]["message"]
    assert world.zoom.sent == []


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("/v2/phone/users/JILL@example.com/call_logs", "/v2/phone/users/me/call_logs"),
        ("/v2/phone/users/jill%40example.com", "/v2/phone/users/me"),
        ("/v2/users/zoom-user-1/no/such/thing", "/v2/users/me/no/such/thing"),
        ("/v2/users/zoom-user-2/no/such/thing", "/v2/users/zoom-user-2/no/such/thing"),
        ("/v2/phone/sites/1/users/zoom-user-1", "/v2/phone/sites/1/users/zoom-user-1"),
        ("/v2/chat/zoom-user-1", "/v2/chat/zoom-user-1"),
    ],
)
def test_the_own_id_or_address_becomes_me_where_a_path_begins_with_a_user(path: str, out: str) -> None:
    """Everything else goes out as it came."""
    world = World.of(answer(200, b"{}"), own_email=email_digest("Jill@example.com"))
    assert ask(world, "GET", path)["statusCode"] == 200
    assert world.zoom.sent[0].url == f"https://api.zoom.us{out}"


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("/v2/chat/channels/a b", "/v2/chat/channels/a%20b"),
        ("/v2/chat/channels/é", "/v2/chat/channels/%C3%A9"),
        ("/v2/chat/channels/50%", "/v2/chat/channels/50%25"),
        ("/v2/chat/channels/%252Fx", "/v2/chat/channels/%252Fx"),
        ("/v2/chat//channels/", "/v2/chat//channels/"),
    ],
)
def test_escapes_stay_and_what_a_url_cannot_hold_is_encoded(path: str, out: str) -> None:
    """Nothing is tidied up."""
    world = World.of(answer(200, b"{}"))
    ask(world, "GET", path)
    assert world.zoom.sent[0].url == "https://api.zoom.us" + out


def test_a_header_gives_the_path_as_zoom_is_to_get_it() -> None:
    """API Gateway undoes one layer of escapes in a URL, and none in a header."""
    world = World.of(answer(200, b"{}"))
    found = ask(world, "GET", "/v2/chat/channels/a/b", headers={"x-zoom-raw-path": "/v2/chat/channels/a%2Fb"})
    assert found["statusCode"] == 200
    assert world.zoom.sent[0].url == "https://api.zoom.us/v2/chat/channels/a%2Fb"
    for raw in (
        "/v2/phone/users",
        "%2Fv2/chat/channels/a",
        "@evil.example/v2/chat/channels/a",
        "/v2/chat/channels/\xe9",
    ):
        other = ask(world, "GET", "/v2/chat/channels/a", headers={"x-zoom-raw-path": raw})
        assert (other["statusCode"], other["json"]["errors"][0]["field"]) == (400, "X-Zoom-Raw-Path")
    assert len(world.zoom.sent) == 1


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({}, "application/json, */*;q=0.9"),
        ({"accept": "*/*"}, "application/json, */*;q=0.9"),
        ({"accept": "text/csv"}, "text/csv"),
    ],
)
def test_json_is_asked_for_unless_the_caller_wants_something_else(said: dict[str, str], sent: str) -> None:
    """Without it Zoom answers some errors in XML."""
    world = World.of(answer(200, b"{}"))
    ask(world, "GET", "/v2/phone/users", headers=said)
    assert world.zoom.sent[0].headers["Accept"] == sent


@pytest.mark.parametrize(
    "path",
    [
        "/v2/users/me/tokens",
        "/v2/zoom_events/events/1/sessions/2/join_token",
        "/v2/crc/api_connectors/1/private_key",
        "/v2/users/me/%7Aak/x",
        "/v2/users/me/%257AAK/x",
        "/v2/marketplace/apps/1/rotate_client_secret",
        "/v2/users/1/zak;x=1/y",
        "/v2/oauth/x",
        "/scim2/Tokens",
        "/v2/chat/x%2Ftoken",
        "/v2/users/me/\uff5aak",
        "/v2/users/me/token.json",
    ],
)
def test_paths_of_credentials_are_denied_by_name(path: str) -> None:
    """However they are spelt, and whatever the key may."""
    world = World.of()
    found = ask(world, "GET", path)
    assert (found["statusCode"], found["json"]["reason"]) == (403, "credentials_not_served")
    assert world.zoom.sent == []


@pytest.mark.parametrize("spelt", ["", "/", "//", ";a=1", ".json", "%20", "%3Fa=1", "%2F", "%252F", "\\"])
@pytest.mark.parametrize("path", ["/v2/marketplace/apps", "/v2//Marketplace/%61pps", "/v2/marketplace%252Fapps"])
def test_an_app_is_not_made(path: str, spelt: str) -> None:
    """The answer would hold its secret; reading apps is served."""
    world = World.of(answer(200, b"{}"))
    assert ask(world, "POST", path + spelt)["statusCode"] == 403
    assert ask(world, "GET", path + spelt)["statusCode"] == 200


@pytest.mark.parametrize("path", ["/v2/phone/../users/x/y", "/v2/phone/%2e%2e/x", "/v2/x/%2F..%2Fz", "/v2/a/b%0d"])
def test_a_path_that_means_another_one_is_refused(path: str) -> None:
    """Somebody on the way might follow it to a path that is not served."""
    world = World.of()
    assert ask(world, "GET", path)["statusCode"] == 400
    assert world.zoom.sent == []


def test_a_delete_without_its_id_is_not_sent() -> None:
    """It would delete the whole list."""
    world = World.of()
    for path in ("/v2/phone/users/", "/v2/meetings/123456789/registrants/"):
        found = ask(world, "DELETE", path)
        assert (found["statusCode"], found["json"]["reason"]) == (404, "not_served_here")
    assert world.zoom.sent == []


def test_reads_are_repeated() -> None:
    """After a fault of Zoom's and after a lost answer."""
    world = World.of(answer(500), AnswerLost("x"), answer(200, b"{}"))
    assert ask(world, "GET", "/v2/rooms")["statusCode"] == 200
    assert len(world.zoom.sent) == 3


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (answer(500, b'{"code":500}'), 500),
        (AnswerLost("x"), 502),
        (NotSent("x"), 503),
        (answer(429, b'{"code":429}', retry_after="1"), 429),
        (answer(429, b'{"code":429}', x_ratelimit_type="Daily-limit"), 429),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_changes_are_sent_once(method: str, outcome: Any, status: int) -> None:
    """Changes of the pass-through are sent once, whatever the outcome."""
    world = World.of(outcome)
    assert ask(world, method, "/v2/rooms/1", body="{}")["statusCode"] == status
    assert len(world.zoom.sent) == 1


def test_a_refused_token_is_refreshed_once() -> None:
    """As for rows: Zoom has done nothing with the first request."""
    world = World.of(answer(401, b'{"code":124}'), answer(201, b"{}"))
    assert ask(world, "POST", "/v2/rooms", body="{}")["statusCode"] == 201
    assert [each.headers["Authorization"] for each in world.zoom.sent] == ["Bearer token-1", "Bearer token-2"]


def test_an_unknown_label_is_heavy_until_zoom_names_it() -> None:
    """The next call of the same kind of path takes from the label that the answer named."""
    world = World.of(answer(200, b"{}", x_ratelimit_category="LIGHT"), answer(200, b"{}"), answer(200, b"{}"))
    for path in ("/v2/new_family/things/12ab", "/v2/new_family/things/34cd", "/v2/new_family/other"):
        ask(world, "GET", path)
    assert [each.label for each in world.limiter.costs] == [RateLabel.HEAVY, RateLabel.LIGHT, RateLabel.HEAVY]


def test_refusals_teach_labels_too() -> None:
    """A 404 of Zoom's names its label as a success does."""
    world = World.of(answer(404, b'{"code":1}', x_ratelimit_category="Medium"), answer(200, b"{}"))
    ask(world, "GET", "/v2/new_family/a")
    ask(world, "GET", "/v2/new_family/a")
    assert [each.label for each in world.limiter.costs] == [RateLabel.HEAVY, RateLabel.MEDIUM]


def test_what_is_learned_is_bounded() -> None:
    """A program that asks for ever new paths does not fill the memory."""
    from zoom_common.zoom.pass_through import operation  # noqa: PLC0415 - this test alone needs it

    learned = LearnedLabels()
    for number in range(1100):
        word = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        learned.learn(operation("GET", f"/v2/new/{word}", learned={}), {"x-ratelimit-category": "Light"})
    assert len(learned.labels) == 1000


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", '{"a" : 1}'),
        ("application/x-www-form-urlencoded", "a=1&b=%2F"),
        ("multipart/form-data; boundary=xYz", '--xYz\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n--xYz--'),
        ("application/scim+json", "{}"),
    ],
)
def test_bodies_go_out_with_their_content_type(kind: str, body: str) -> None:
    """Byte for byte, without a word on what is in them."""
    world = World.of(answer(201, b"{}"))
    assert ask(world, "POST", "/v2/rooms", body=body, headers={"content-type": kind})["statusCode"] == 201
    (sent,) = world.zoom.sent
    assert (sent.body, sent.headers["Content-Type"]) == (body.encode(), kind)


def test_files_come_back_as_bytes() -> None:
    """Files are returned as bytes, with the headers that describe them."""
    headers = {"content-type": "image/png", "content-disposition": "attachment; filename=a.png", "set-cookie": "a=b"}
    world = World.of(HttpResponse(200, headers, GRAPH))
    found = ask(world, "GET", "/v2/phone/recording/download/1", headers={"range": "bytes=0-9"})
    assert found["isBase64Encoded"]
    assert found["headers"]["content-type"] == "image/png"
    assert found["headers"]["content-disposition"] == "attachment; filename=a.png"
    assert "set-cookie" not in found["headers"]
    assert world.zoom.sent[0].headers["Range"] == "bytes=0-9"


def test_a_redirect_is_handed_to_the_caller() -> None:
    """The gateway follows none, so no bearer leaves for another host."""
    world = World.of(HttpResponse(302, {"location": "https://files.example/x?sig=1"}))
    found = ask(world, "GET", "/v2/phone/recording/download/1")
    assert (found["statusCode"], found["headers"]["location"]) == (302, "https://files.example/x?sig=1")
    assert len(world.zoom.sent) == 1


def test_an_answer_that_lambda_cannot_pass_on_is_named() -> None:
    """With what to do about it, instead of a failure without a word."""
    world = World.of(HttpResponse(200, {"content-type": "video/mp4"}, too_long=True))
    found = ask(world, "GET", "/v2/phone/recording/download/1")
    assert (found["statusCode"], found["json"]["reason"]) == (502, "answer_too_long")
    assert "Range" in found["json"]["hint"]


def test_zooms_refusals_pass_as_for_rows() -> None:
    """Zoom's own bytes, with our reason beside them and the scopes that the catalogue knows."""
    world = World.of(answer(400, b'{"code":4711,"message":"scopes"}'))
    found = ask(world, "GET", "/v2/phone/users")
    assert found["statusCode"] == 400
    assert found["json"]["reason"] == "missing_zoom_scopes"
    assert found["json"]["missing_scopes"][0].startswith("phone:read")


def test_me_goes_out_for_every_kind_of_connection() -> None:
    """Ids are the caller's business."""
    world = World.of(answer(200, b"{}"), kind=Kind.ACCOUNT)
    assert ask(world, "GET", "/v2/phone/users/me")["statusCode"] == 200
    assert world.zoom.sent[0].url.endswith("/v2/phone/users/me")


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/v2/chat/users/me/files", "https://file.zoom.us/v2/chat/users/me/files"),
        ("/v2/zoom_events/files", "https://fileapi.zoom.us/v2/zoom_events/files"),
        ("/scim2/Users", "https://api.zoom.us/scim2/Users"),
    ],
)
def test_zooms_other_hosts_are_chosen_by_rule(path: str, url: str) -> None:
    """Callers name a path and never a host."""
    world = World.of(answer(201, b"{}"))
    ask(world, "POST", path, body="{}")
    assert world.zoom.sent[0].url == url


def test_another_host_never_gets_the_token_of_a_simulated_zoom() -> None:
    """Where the base URL is not at Zoom, everything goes there."""
    from zoom_common.secret import Secret  # noqa: PLC0415 - this test alone needs them
    from zoom_common.zoom.pass_through import build, operation  # noqa: PLC0415

    upload = operation("POST", "/v2/chat/users/me/files", learned={})
    for base, root in (
        ("http://localhost:3001/v2", "http://localhost:3001"),
        ("https://api.zoomgov.com/v2", "https://file.zoomgov.com"),
        ("https://zoom.us.example/v2", "https://zoom.us.example"),
    ):
        sent = build(upload, query_string="", headers={}, body=b"", base_url=base, token=Secret("t"))
        assert sent.url == f"{root}/v2/chat/users/me/files"


KEYED = {"idempotency-key": "k1", "content-type": "application/json"}


def test_a_key_gives_the_first_answer_again() -> None:
    """Zoom is asked once."""
    world = World.of(answer(201, b'{"id":1}'))
    for how in ("made", "replayed"):
        found = ask(world, "POST", "/v2/rooms", body='{"name":"a"}', headers=KEYED)
        assert (found["statusCode"], found["body"]) == (201, '{"id":1}')
        assert found["headers"]["idempotency-status"] == how
    assert len(world.zoom.sent) == 1


def test_a_key_is_for_one_path() -> None:
    """Another path of the same family is another request."""
    world = World.of(answer(201, b"{}"))
    ask(world, "POST", "/v2/phone/users", body="{}", headers=KEYED)
    found = ask(world, "POST", "/v2/phone/sites", body="{}", headers=KEYED)
    assert (found["statusCode"], found["json"]["reason"]) == (422, "idempotency_key_reused")


def test_what_may_have_been_made_is_never_adopted() -> None:
    """Nobody knows where to look, and a second create might make a second thing."""
    world = World.of(AnswerLost("x"))
    for _ in range(2):
        found = ask(world, "POST", "/v2/rooms", body="{}", headers=KEYED)
        assert (found["statusCode"], found["json"]["reason"]) == (502, "outcome_unknown")
        assert "new Idempotency-Key" in found["json"]["hint"]
    assert len(world.zoom.sent) == 1


def test_a_multipart_body_is_known_again_under_another_boundary() -> None:
    """Clients make one up for each try."""
    world = World.of(answer(201, b"{}"))
    for boundary in ("aaa111", "bbb222"):
        kind = f"multipart/form-data; boundary={boundary}"
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n--{boundary}--'
        found = ask(world, "POST", "/v2/rooms/files", body=body, headers={**KEYED, "content-type": kind})
        assert found["statusCode"] == 201
    assert len(world.zoom.sent) == 1


def test_a_redirected_create_made_nothing() -> None:
    """Its key is free again: 307 asks for the same request elsewhere."""
    moved = HttpResponse(307, {"location": "https://us.file.zoom.us/x", "content-length": "0"})
    world = World.of(moved, answer(201, b"{}"))
    statuses = [ask(world, "POST", "/v2/rooms", body="{}", headers=KEYED)["statusCode"] for _ in range(2)]
    assert statuses == [307, 201]


def test_metrics_have_few_names(capsys: pytest.CaptureFixture[str]) -> None:
    """The family and whether it reads; an unknown family is `other`."""
    world = World.of(*[answer(200, b"{}")] * 3)
    ask(world, "GET", "/v2/phone/users/secretary")
    ask(world, "PATCH", "/v2/contact_center/x/y")
    ask(world, "GET", "/v2/made-up-by-the-caller/1")
    lines = [json.loads(each) for each in io.StringIO(capsys.readouterr().out) if "zoom call" in each]
    names = [each["operation"] for each in lines]
    assert names == ["zoom.phone.read", "zoom.contact_center.write", "zoom.other.read"]
    assert observability.namespace()


def test_options_and_head_are_answered() -> None:
    """OPTIONS costs no call; HEAD is a GET without the body."""
    world = World.of(answer(200, b'{"a":1}'))
    options = ask(world, "OPTIONS", "/v2/phone/users")
    assert (options["statusCode"], "DELETE" in options["headers"]["allow"]) == (204, True)
    head = ask(world, "HEAD", "/v2/phone/users")
    assert (head["statusCode"], head["body"]) == (200, "")
    assert [each.method for each in world.zoom.sent] == ["GET"]


def test_a_method_that_no_row_has_is_passed_on() -> None:
    """Zoom may know it; without the pass-through it is 405."""
    world = World.of(answer(200, b"{}"))
    assert ask(world, "PUT", "/v2/users/me", body="{}", on=False)["statusCode"] == 405
    assert ask(world, "PUT", "/v2/users/me", body="{}")["statusCode"] == 200
