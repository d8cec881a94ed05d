"""The function `oauth`: routes, pages and JSON over a vault in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.fakes.connections import START, connection
from tests.fakes.edge import LambdaContext
from tests.fakes.oauth_site import HANDLER, OAuthSite
from zoom_common.access.principal import Principal
from zoom_common.connections.model import State

SAMPLES = HANDLER.parents[2] / "events"
SCOPES = frozenset({"connections:read", "connections:write"})
PROGRAM = Principal("acme", "key:k1", SCOPES)
ADA = Principal("acme", "ada", SCOPES)


class Site(OAuthSite):
    """The function, and one browser and one program in front of it."""

    def ticket(self, body: Any = None, principal: Principal = PROGRAM) -> str:
        answer = self.ask("POST", "/auth/zoom/authorize", body or {}, principal=principal)
        assert answer["statusCode"] == 201, answer
        url: str = json.loads(answer["body"])["authorize_url"]
        return parse_qs(urlsplit(url).query)["ticket"][0]

    def to_zoom(self, ticket: str) -> tuple[dict[str, str], str]:
        answer = self.ask("POST", "/auth/zoom/start", urlencode({"ticket": ticket}))
        assert answer["statusCode"] == 303, answer
        asked = {name: each[0] for name, each in parse_qs(urlsplit(answer["headers"]["location"]).query).items()}
        self.zoom.codes["zoom-code"] = asked["code_challenge"]
        [cookie] = answer["cookies"]
        return {"code": "zoom-code", "state": asked["state"]}, cookie.partition(";")[0]

    def back(self, query: dict[str, str], cookie: str | None, **parts: Any) -> dict[str, Any]:
        cookies = [cookie] if cookie else []
        return self.ask("GET", "/auth/zoom/callback", query=urlencode(query), cookies=cookies, **parts)


@pytest.fixture
def site() -> Site:
    return Site(access_expires_at=START + 3000)


def test_the_whole_way_by_return_url(site: Site) -> None:
    """Asked for, looked at, started, consented, returned, redeemed: connected."""
    ticket = site.ticket({"return_url": "https://app.example/done", "owner": "<b>ada</b>"})
    page = site.ask("GET", "/auth/zoom/start", query=urlencode({"ticket": ticket}))
    assert page["statusCode"] == 200
    assert "acme" in page["body"]
    assert "&lt;b&gt;ada&lt;/b&gt;" in page["body"]
    assert "<b>" not in page["body"]
    query, cookie = site.to_zoom(ticket)
    returned = site.back(query, cookie)
    assert returned["statusCode"] == 303
    target = urlsplit(returned["headers"]["location"])
    assert (target.scheme, target.netloc, target.path) == ("https", "app.example", "/done")
    assert "Max-Age=0" in returned["cookies"][0]
    code = parse_qs(target.query)["code"][0]
    assert site.ask("POST", "/auth/zoom/redeem", {"code": code}, principal=PROGRAM)["statusCode"] == 400
    redeemed = site.ask("POST", "/auth/zoom/redeem", {"code": code, "owner": "<b>ada</b>"}, principal=PROGRAM)
    shown = json.loads(redeemed["body"])
    assert (redeemed["statusCode"], shown["state"], shown["owner"]) == (200, "connected", "<b>ada</b>")


def test_a_consent_page_names_key_and_person(site: Site) -> None:
    """The key by its name and the person by label: no id of ours."""
    program = replace(PROGRAM, name="Booking <app>")
    ticket = site.ticket({"owner": "user-42", "label": "Ada L."}, program)
    page = site.ask("GET", "/auth/zoom/start", query=urlencode({"ticket": ticket}))["body"]
    assert "<dt>Asked for by</dt><dd>Booking &lt;app&gt;</dd><dt>On behalf of</dt><dd>Ada L.</dd>" in page
    assert not any(internal in page for internal in ("key:k1", "user-42", "acme"))


@pytest.mark.parametrize("principal", [PROGRAM, ADA])
def test_a_consent_page_leaves_out_internal_ids(site: Site, principal: Principal) -> None:
    """A link for a key's own, or for the person who asked, has no second name to show."""
    page = site.ask("GET", "/auth/zoom/start", query=urlencode({"ticket": site.ticket(principal=principal)}))["body"]
    assert "<dd>acme</dd>" in page
    assert "On behalf of" not in page


def test_a_reconnecting_page_names_the_connection(site: Site) -> None:
    """By the label that it has."""
    site.ask("PATCH", "/connections/con_1", {"label": "Ada, sales"}, principal=PROGRAM)
    answer = site.ask("POST", "/connections/con_1/reconnect", {}, principal=PROGRAM)
    query = urlsplit(json.loads(answer["body"])["authorize_url"]).query
    assert "<dd>Ada, sales</dd>" in site.ask("GET", "/auth/zoom/start", query=query)["body"]


def test_the_label_of_a_link_is_the_programs_or_zooms(site: Site) -> None:
    """The page and the redeemed connection have the one that the program gave, else name and masked address."""
    for body, label in (({}, "Ada Lovelace (p•••@example.com)"), ({"label": "Ada"}, "Ada")):
        site.zoom.user_id = f"zoom-user-{len(body)}"
        query, cookie = site.to_zoom(site.ticket(body))
        page = site.back(query, cookie)["body"]
        assert f"<strong>{label}</strong>" in page
        code = page.partition('aria-label="One-time code">')[2].partition("<")[0]
        redeemed = json.loads(site.ask("POST", "/auth/zoom/redeem", {"code": code}, principal=PROGRAM)["body"])
        assert redeemed["label"] == label
    assert "person@example.com" not in str(site.memory.dynamodb.tables)


def test_a_program_sets_and_takes_away_a_label(site: Site) -> None:
    """It stands in the list and in the connection; null takes it away."""
    renamed = site.ask("PATCH", "/connections/con_1", {"label": " Ada, sales "}, principal=PROGRAM)
    assert (renamed["statusCode"], json.loads(renamed["body"])["label"]) == (200, "Ada, sales")
    [listed] = json.loads(site.ask("GET", "/connections", principal=PROGRAM)["body"])["connections"]
    assert listed["label"] == "Ada, sales"
    site.ask("PATCH", "/connections/con_1", {"label": None}, principal=PROGRAM)
    assert json.loads(site.ask("GET", "/connections/con_1", principal=PROGRAM)["body"])["label"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "label"),
        ({"label": ""}, "label"),
        ({"label": "   "}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"label": 7}, "label"),
        ({"label": "Ada <ada@example.com>"}, "label"),
        ({"label": "Ada", "owner": "bob"}, "owner"),
    ],
)
def test_a_wrong_label_changes_nothing(site: Site, body: Any, field: str) -> None:
    """400 names the field, and no whole e-mail address is kept."""
    before = dict(site.memory.items)
    answer = site.ask("PATCH", "/connections/con_1", body, principal=PROGRAM)
    assert answer["statusCode"] == 400
    assert [each["field"] for each in json.loads(answer["body"])["errors"]] == [field]
    assert site.memory.items == before


def test_labels_need_the_right_to_write(site: Site) -> None:
    """A key that may only read changes no label."""
    reader = Principal("acme", "key:k2", frozenset({"connections:read"}))
    assert site.ask("PATCH", "/connections/con_1", {"label": "x"}, principal=reader)["statusCode"] == 403


def test_a_refused_return_url_names_the_setting(site: Site) -> None:
    """Whoever runs the gateway knows where to allow it."""
    answer = site.ask("POST", "/auth/zoom/authorize", {"return_url": "https://other.example"}, principal=PROGRAM)
    [error] = json.loads(answer["body"])["errors"]
    assert error["field"] == "return_url"
    assert "RETURN_URLS" in error["message"]


def test_without_a_return_url_the_person_carries_the_code(site: Site) -> None:
    """A page shows it, or JSON for a client that asked for JSON; the trailing slash is tolerated."""
    query, cookie = site.to_zoom(site.ticket())
    page = site.ask("GET", "/auth/zoom/callback/", query=urlencode(query), cookies=[cookie])
    assert page["statusCode"] == 200
    assert "One step left" in page["body"]
    query, cookie = site.to_zoom(site.ticket())
    answer = json.loads(site.back(query, cookie, headers={"accept": "application/json"})["body"])
    assert site.ask("POST", "/auth/zoom/redeem", {"code": answer["code"]}, principal=PROGRAM)["statusCode"] == 200


def test_the_cookie_cannot_be_set_by_others(site: Site) -> None:
    """On https it carries the __Host- prefix; on plain http no browser would take that."""
    _, cookie = site.to_zoom(site.ticket())
    assert cookie.startswith("__Host-zoom-connect=")
    answer = site.ask("POST", "/auth/zoom/start", urlencode({"ticket": site.ticket()}))
    assert answer["cookies"][0].endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    plain = replace(site.module.settings(), public_base_url="http://localhost:3000")
    vars(site.module)["settings"] = lambda: plain
    answer = site.ask("POST", "/auth/zoom/start", urlencode({"ticket": site.ticket()}))
    assert answer["cookies"][0].startswith("zoom-connect=")
    assert "Secure" not in answer["cookies"][0]


def test_pages_are_self_contained(site: Site) -> None:
    """No script, nothing from elsewhere, not to be framed, and the style is the one whose hash is allowed."""
    page = site.ask("GET", "/auth/zoom/start", query=urlencode({"ticket": site.ticket()}))
    policy = page["headers"]["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert page["headers"]["referrer-policy"] == "same-origin"
    assert page["headers"]["cache-control"] == "no-store"
    assert '<html lang="en">' in page["body"]
    assert not any(word in page["body"] for word in ("<script", "http://", "https://", "onclick"))


@pytest.mark.parametrize(
    ("query", "status", "heading"),
    [
        ({"error": "access_denied"}, 400, "Nothing was connected"),
        ({"error": "<script>alert(1)</script>"}, 400, "Zoom did not allow the connection"),
        ({"code": "c"}, 400, "Start from the application"),
        ({"code": "c", "state": "s"}, 400, "This browser did not start the connection"),
    ],
)
def test_every_failure_is_a_page_or_json(site: Site, query: dict[str, str], status: int, heading: str) -> None:
    """Clear words of ours, nothing of the request repeated, nothing stored."""
    before = dict(site.memory.items)
    page = site.back(query, None)
    assert page["statusCode"] == status
    assert f"<h1>{heading}</h1>" in page["body"]
    assert "alert" not in page["body"]
    answer = site.back(query, None, headers={"accept": "application/json"})
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["reason"]
    assert site.memory.items == before


def test_a_foreign_cookie_and_a_replay(site: Site) -> None:
    """Another browser's callback fails and burns nothing; the right one works once."""
    query, cookie = site.to_zoom(site.ticket())
    assert site.back(query, "__Host-zoom-connect=foreign")["statusCode"] == 400
    assert site.back(query, cookie)["statusCode"] == 200
    assert site.back(query, cookie)["statusCode"] == 400


def test_unknown_tickets(site: Site) -> None:
    """Looking and starting both say so."""
    for answer in (
        site.ask("GET", "/auth/zoom/start"),
        site.ask("GET", "/auth/zoom/start", query="ticket=%00"),
        site.ask("POST", "/auth/zoom/start", "ticket=nope"),
        site.ask("POST", "/auth/zoom/start", "\udcff".encode("utf-8", "surrogatepass").decode("latin-1")),
    ):
        assert answer["statusCode"] == 404
        assert "does not work any more" in answer["body"]


def test_a_form_from_another_site(site: Site) -> None:
    """A page elsewhere cannot press the button."""
    ticket = site.ticket()
    headers = {"sec-fetch-site": "cross-site"}
    answer = site.ask("POST", "/auth/zoom/start", urlencode({"ticket": ticket}), headers=headers)
    assert answer["statusCode"] == 403
    site.to_zoom(ticket)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"origin": "https://gateway.example"}, 303),
        ({"origin": "https://gateway.example", "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://gateway.example"}, 403),
        ({"origin": "https://gateway.example.evil.example"}, 403),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, 403),
        ({"origin": "https://gateway.example", "sec-fetch-site": "same-site"}, 403),
    ],
)
def test_only_the_gateways_own_page_starts_a_link(site: Site, headers: dict[str, str], status: int) -> None:
    """A foreign origin is refused and leaves the ticket as it was; programs send none."""
    ticket = site.ticket()
    answer = site.ask("POST", "/auth/zoom/start", urlencode({"ticket": ticket}), headers=headers)
    assert answer["statusCode"] == status
    if status != 303:
        site.to_zoom(ticket)


def test_marketplace_installs_go_to_the_connect_page(site: Site) -> None:
    """Their code is never accepted."""
    configured = replace(site.module.settings(), connect_page_url="https://app.example/connect")
    vars(site.module)["settings"] = lambda: configured
    answer = site.back({"code": "zoom-code"}, None)
    assert (answer["statusCode"], answer["headers"]["location"]) == (303, "https://app.example/connect")
    assert site.zoom.requests == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"return_url": "https://app.example.evil.test/"}, 400),
        ({"return_url": 7}, 400),
        ({"owner": ""}, 400),
        ([], 201),
        ("{", 400),
        ('["a"]', 400),
    ],
)
def test_what_a_program_may_ask_for(site: Site, body: Any, status: int) -> None:
    """Bad input is named before there is a ticket."""
    answer = site.ask("POST", "/auth/zoom/authorize", body if body != [] else None, principal=PROGRAM)
    assert answer["statusCode"] == status


def test_a_person_connects_only_for_themselves(site: Site) -> None:
    """Another owner needs connections:all; a bound key makes no new connections."""
    answer = site.ask("POST", "/auth/zoom/authorize", {"owner": "bob"}, principal=ADA)
    assert answer["statusCode"] == 403
    assert site.ask("POST", "/auth/zoom/authorize", {"owner": "ada"}, principal=ADA)["statusCode"] == 201
    bound = replace(PROGRAM, connection="con_1")
    assert site.ask("POST", "/auth/zoom/authorize", {}, principal=bound)["statusCode"] == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/zoom/authorize"),
        ("POST", "/auth/zoom/redeem"),
        ("GET", "/connections"),
        ("POST", "/connections"),
        ("GET", "/connections/con_1"),
        ("DELETE", "/connections/con_1"),
        ("POST", "/connections/con_1/reconnect"),
    ],
)
def test_closed_routes(site: Site, method: str, path: str) -> None:
    """The answer is 401 without a principal, 403 without the scope, and 404 for another tenant."""
    assert site.ask(method, path, {})["statusCode"] == 401
    assert site.ask(method, path, {}, principal=Principal("acme", "key:k1", frozenset()))["statusCode"] == 403
    if "con_1" in path:
        other = Principal("beta", "key:k9", frozenset({"*"}))
        assert site.ask(method, path, {}, principal=other)["statusCode"] == 404
        assert site.ask(method, path, {}, principal=ADA)["statusCode"] == 404
    assert ("acme", "con_1") in site.memory.items


def test_a_connection_is_shown_without_its_tokens(site: Site) -> None:
    """State, reason, scopes, expiry, owner, Zoom user and times; never a token or an e-mail."""
    answer = site.ask("GET", "/connections/con_1", principal=PROGRAM)
    shown = json.loads(answer["body"])
    missing = shown.pop("missing_scopes")
    assert {"meeting:write:meeting", "user:read:user"} <= set(missing)
    assert "meeting:read:meeting" not in missing
    assert not any(scope.endswith(":admin") for scope in missing)
    assert shown == {
        "id": "con_1",
        "label": None,
        "state": "connected",
        "reason": None,
        "owner": "key:k1",
        "kind": "user",
        "zoom_client_id": "zoom-app",
        "of_another_app": False,
        "zoom_user_id": "zoom-user",
        "zoom_account_id": "zoom-account",
        "scopes": ["meeting:read:meeting"],
        "access_token_expires_at": "2027-01-15T08:50:00Z",
        "grant_expires_at": "2027-04-15T07:00:00Z",
        "created_at": "2027-01-15T07:00:00Z",
        "authorized_at": "2027-01-15T07:00:00Z",
        "state_changed_at": "2027-01-15T07:00:00Z",
        "last_used_at": "2027-01-15T07:59:00Z",
        "last_webhook_at": None,
        "reconnect_url": "https://gateway.example/connections/con_1/reconnect",
    }


def test_connections_are_listed_in_pages(site: Site) -> None:
    """A key sees the tenant's, a person their own, a bound key its one."""
    for number in range(2, 6):
        site.memory.put(connection(connection_id=f"con_{number}", owner="ada"))
    site.memory.put(connection(tenant="beta", connection_id="con_9", owner="ada"))

    def ids(query: str, principal: Principal) -> tuple[list[str], str]:
        answer = json.loads(site.ask("GET", "/connections", query=query, principal=principal)["body"])
        return [each["id"] for each in answer["connections"]], answer["next_page_token"]

    first, token = ids("page_size=3", PROGRAM)
    assert first == ["con_1", "con_2", "con_3"]
    assert ids(urlencode({"page_size": 3, "next_page_token": token}), PROGRAM) == (["con_4", "con_5"], "")
    assert ids("", ADA) == (["con_2", "con_3", "con_4", "con_5"], "")
    assert ids("owner=bob", ADA) == (["con_2", "con_3", "con_4", "con_5"], "")
    assert ids("", replace(PROGRAM, connection="con_4")) == (["con_4"], "")
    assert site.ask("GET", "/connections", query="page_size=0", principal=PROGRAM)["statusCode"] == 400


def test_disconnecting(site: Site) -> None:
    """Revoked at Zoom, deleted here, and unknown from then on."""
    answer = site.ask("DELETE", "/connections/con_1", principal=PROGRAM)
    assert json.loads(answer["body"]) == {
        "id": "con_1",
        "state": "disconnected",
        "revoked_at_zoom": True,
        "revoke_queued": False,
    }
    assert site.zoom.revoked == ["access-0"]
    assert site.ask("GET", "/connections/con_1", principal=PROGRAM)["statusCode"] == 404


def test_reconnecting_keeps_the_id(site: Site) -> None:
    """A link for an existing connection, and its owner stays its owner."""
    site.change(state=State.REAUTHORIZATION_REQUIRED, reason="invalid_grant", due_at=None)
    answer = site.ask("POST", "/connections/con_1/reconnect", principal=PROGRAM)
    ticket = parse_qs(urlsplit(json.loads(answer["body"])["authorize_url"]).query)["ticket"][0]
    query, cookie = site.to_zoom(ticket)
    code = json.loads(site.back(query, cookie, headers={"accept": "application/json"})["body"])["code"]
    shown = json.loads(site.ask("POST", "/auth/zoom/redeem", {"code": code}, principal=PROGRAM)["body"])
    assert (shown["id"], shown["state"], shown["owner"]) == ("con_1", "connected", "key:k1")


def test_a_code_of_somebody_else(site: Site) -> None:
    """Another tenant redeems nothing, and nothing changes."""
    query, cookie = site.to_zoom(site.ticket())
    code = json.loads(site.back(query, cookie, headers={"accept": "application/json"})["body"])["code"]
    other = Principal("beta", "key:k1", SCOPES)
    assert site.ask("POST", "/auth/zoom/redeem", {"code": code}, principal=other)["statusCode"] == 404
    for owner, status in (("eve", 404), (PROGRAM.subject, 200), (PROGRAM.subject, 200)):
        reply = site.ask("POST", "/auth/zoom/redeem", {"code": code, "owner": owner}, principal=PROGRAM)
        assert reply["statusCode"] == status


def test_kms_away_is_a_page_too(site: Site) -> None:
    """Our own faults look like a page to a person, with nothing about the inside."""
    query, cookie = site.to_zoom(site.ticket())
    site.kms.away = True
    page = site.back(query, cookie)
    assert page["statusCode"] == 503
    assert "This does not work right now" in page["body"]


def test_a_fault_of_ours_is_a_page_and_is_counted(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """The person sees a page as after any failure, and UnexpectedErrors rings: a role lacks a permission, say."""
    query, cookie = site.to_zoom(site.ticket())
    site.kms.refused = True
    assert site.back(query, cookie)["statusCode"] == 500
    assert '"UnexpectedErrors":1' in capsys.readouterr().out


EXPECTED = {
    "authorize": 201,
    "start-page": 404,
    "start": 404,
    "callback": 400,
    "callback-slash": 400,
    "callback-denied": 400,
    "redeem": 404,
    "connections-list": 200,
    "connections-show": 404,
    "connections-disconnect": 404,
    "connections-reconnect": 404,
}


def test_the_sample_events_are_true(site: Site) -> None:
    """One for each trigger, and each is understood."""
    answers = {
        sample.stem.removeprefix("oauth-"): site.module.handler(json.loads(sample.read_text()), LambdaContext())
        for sample in SAMPLES.glob("oauth-*.json")
    }
    assert {name: answer["statusCode"] for name, answer in answers.items()} == EXPECTED


GIVEN = {"grant_type": "account_credentials", "client_id": "s2s", "client_secret": "hush", "account_id": "zoom-account"}


def test_a_whole_account_is_connected_by_its_credentials(site: Site) -> None:
    """201 and the connection; given again 200 and the same one; the secret is in no answer."""
    site.zoom.account_apps = {"s2s:hush"}
    answer = site.ask("POST", "/connections", GIVEN, principal=PROGRAM)
    shown = json.loads(answer["body"])
    assert (answer["statusCode"], shown["kind"], shown["state"]) == (201, "account", "connected")
    assert (shown["zoom_account_id"], shown["zoom_user_id"], shown["grant_expires_at"]) == ("zoom-account", None, None)
    again = site.ask("POST", "/connections", GIVEN, principal=PROGRAM)
    assert (again["statusCode"], json.loads(again["body"])["id"]) == (200, shown["id"])
    assert "hush" not in answer["body"] + again["body"]
    reconnected = site.ask("POST", f"/connections/{shown['id']}/reconnect", {}, principal=PROGRAM)
    assert (reconnected["statusCode"], json.loads(reconnected["body"])["reason"]) == (409, "no_browser_needed")
    gone = site.ask("DELETE", f"/connections/{shown['id']}", principal=PROGRAM)
    assert json.loads(gone["body"])["revoked_at_zoom"] is False


@pytest.mark.parametrize(
    ("changes", "principal", "status"),
    [
        ({"client_secret": None}, PROGRAM, 400),
        ({"grant_type": "password"}, PROGRAM, 400),
        ({"client_id": "a#b"}, PROGRAM, 400),
        ({"client_secret": "wrong"}, PROGRAM, 400),
        ({"owner": "bob"}, ADA, 403),
        ({}, replace(PROGRAM, connection="con_1"), 409),
    ],
)
def test_what_account_credentials_must_be(
    site: Site, changes: dict[str, Any], principal: Principal, status: int
) -> None:
    """Whatever is wrong, nothing is stored and no secret is repeated."""
    site.zoom.account_apps = {"s2s:hush"}
    answer = site.ask("POST", "/connections", GIVEN | changes, principal=principal)
    assert answer["statusCode"] == status, answer
    assert len(site.memory.items) == 1
    assert "hush" not in answer["body"]
