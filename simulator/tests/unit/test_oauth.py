"""Consent, codes, tokens, rotation, revocation."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from zoom_simulator.testing import CLIENT, REDIRECT, Json, Zoom

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {"response_type": "code", "client_id": CLIENT[0], "redirect_uri": REDIRECT, "state": "x y&z"}
DEAD = {"reason": "Invalid Token!", "error": "invalid_grant"}


def exchange(zoom: Zoom, code: str, **fields: str) -> Json:
    """Exchange a code; the answer's body."""
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    found: Json = zoom.form("/oauth/token", {**given, **fields}, auth=CLIENT).json()
    return found


def refresh(zoom: Zoom, token: str) -> Json:
    """Refresh; the answer's body."""
    found: Json = zoom.token_request(grant_type="refresh_token", refresh_token=token).json()
    return found


def works(zoom: Zoom, token: str) -> bool:
    """Whether this bearer is good."""
    return zoom.get("/v2/users/me", token=token).status_code == 200


def test_the_consent_page_can_be_read_and_posted() -> None:
    """It names the app, where one goes, everybody one can be, and carries every parameter."""
    page = Zoom().request("GET", "/oauth/authorize", params={**ASKED, "code_challenge": "abc"}).text
    for part in ("Simulated app", REDIRECT, "jill@zoom.example", 'value="allow"', 'value="deny"', "x y&amp;z", "abc"):
        assert part in page


def test_allowing_redirects_with_code_and_state(zoom: Zoom) -> None:
    """The state comes back as it was."""
    response = zoom.authorize(state="x y&z")
    assert response.status_code == 302
    parts = urlsplit(response.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT
    assert parse_qs(parts.query)["state"] == ["x y&z"]


def test_denying_redirects_with_an_error(zoom: Zoom) -> None:
    """No code is issued."""
    response = zoom.authorize(decision="deny")
    assert parse_qs(urlsplit(response.headers["location"]).query) == {"error": ["access_denied"], "state": ["xyz"]}
    assert len(zoom.sim.state.codes) == 1  # the one that connected Jill


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", "other"), ("redirect_uri", REDIRECT + "/"), ("redirect_uri", REDIRECT + "?a=b"),
        ("redirect_uri", "https://evil.example"), ("response_type", "token"), ("code_challenge_method", "S512"),
    ],
)  # fmt: skip
def test_bad_requests_get_a_page_and_no_redirect(field: str, value: str) -> None:
    """A redirect URI that does not match exactly gets a page and no redirect."""
    response = Zoom().authorize(**{field: value})
    assert response.status_code == 400
    assert "location" not in response.headers


def test_problems_come_as_json_for_programs() -> None:
    """Programs get errors as JSON in the form of Zoom's other hosts."""
    params = {**ASKED, "redirect_uri": "https://evil.example"}
    refused = Zoom().request("GET", "/oauth/authorize", params=params, headers={"Accept": "application/json"})
    assert refused.json()["errorCode"] == 4700


def test_forms_that_are_no_text_are_refused() -> None:
    """A form that is not text is refused with a page, and nothing crashes."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    refused = Zoom().request("POST", "/oauth/authorize", content=b"\xff\xfe", headers=headers)
    assert refused.status_code == 400


def test_only_active_people_can_allow(zoom: Zoom) -> None:
    """A pending user has no account to give access to."""
    zoom.connect_account()
    zoom.post("/v2/users", {"action": "create", "user_info": {"email": "p@zoom.example", "type": 1}})
    assert "error=access_denied" in zoom.authorize("p@zoom.example").headers["location"]


def test_https_only_where_that_is_switched_on() -> None:
    """As Zoom itself has it."""
    assert Zoom(https_redirects_only=True).authorize().status_code == 400


def test_loopback_with_pkce_may_use_any_port() -> None:
    """Any port is accepted only with PKCE, on 127.0.0.1, and for the registered path."""
    zoom = Zoom()
    zoom.sim.app.redirect_uris = ["http://127.0.0.1/cb"]
    assert zoom.authorize(redirect_uri="http://127.0.0.1:5123/cb", code_challenge="c").status_code == 302
    assert zoom.authorize(redirect_uri="http://127.0.0.1:5123/cb").status_code == 400
    assert zoom.authorize(redirect_uri="http://127.0.0.1:5123/other", code_challenge="c").status_code == 400


def test_a_token_answer_has_all_its_parts() -> None:
    """Scopes are separated by blanks, the API's host is said."""
    zoom = Zoom()
    answer = exchange(zoom, zoom.code())
    assert list(answer) == ["access_token", "token_type", "refresh_token", "expires_in", "scope", "api_url"]
    assert (answer["token_type"], answer["expires_in"], answer["api_url"]) == ("bearer", 3600, "http://zoom.test")
    assert "meeting:write:meeting" in answer["scope"].split()


def test_a_code_works_once_and_for_five_minutes() -> None:
    """Used or late it is an invalid grant."""
    zoom = Zoom()
    code, late = zoom.code(), zoom.code()
    assert "access_token" in exchange(zoom, code)
    assert exchange(zoom, code) == {"reason": f"Invalid authorization code {code}", "error": "invalid_grant"}
    zoom.wall.now += 300
    assert exchange(zoom, late)["error"] == "invalid_grant"


def test_the_redirect_uri_has_to_be_the_same() -> None:
    """The redirect URI has to be the same in the exchange of the code."""
    zoom = Zoom()
    assert exchange(zoom, zoom.code(), redirect_uri=REDIRECT + "/")["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("challenge", "method", "verifier", "good"),
    [
        (CHALLENGE, "S256", VERIFIER, True), (CHALLENGE, "S256", "w" * 64, False), (CHALLENGE, "S256", "", False),
        (VERIFIER, "plain", VERIFIER, True), (VERIFIER, "", VERIFIER, True), (CHALLENGE, "", VERIFIER, False),
    ],
)  # fmt: skip
def test_pkce(challenge: str, method: str, verifier: str, good: bool) -> None:  # noqa: FBT001 - the expectation
    """S256 and plain, and plain when no method is named."""
    zoom = Zoom()
    fields = {"code_challenge": challenge, **({"code_challenge_method": method} if method else {})}
    answer = exchange(zoom, zoom.code(**fields), code_verifier=verifier)
    assert ("access_token" in answer) == good
    assert good or answer["error"] == "invalid_grant"


@pytest.mark.parametrize("status", [400, 401])
def test_clients_prove_themselves(status: int) -> None:
    """With Basic authentication; the status of the refusal is reported both ways."""
    zoom = Zoom(invalid_client_status=status)
    response = zoom.token_request(auth=("client", "wrong"), grant_type="refresh_token", refresh_token="x")
    assert response.status_code == status
    assert response.json() == {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}


def test_garbage_in_the_basic_header_is_an_invalid_client() -> None:
    """An unreadable Basic header is answered as an invalid client, and nothing crashes."""
    response = Zoom().form("/oauth/token", {"grant_type": "x"}, headers={"Authorization": "Basic %%%"}, token="")
    assert response.json()["error"] == "invalid_client"


def test_unknown_grants_are_refused() -> None:
    """A grant type for another kind of app is refused."""
    assert Zoom().token_request(grant_type="password").json()["error"] == "unsupported_grant_type"


def test_a_refresh_rotates() -> None:
    """The new pair works, the old refresh token does not, the old access token lives out its hour."""
    zoom = Zoom()
    first = zoom.connect()
    second = refresh(zoom, first["refresh_token"])
    assert refresh(zoom, first["refresh_token"]) == DEAD
    assert works(zoom, second["access_token"])
    assert works(zoom, first["access_token"])
    assert "access_token" in refresh(zoom, second["refresh_token"])


def test_the_old_access_token_can_die_with_the_refresh() -> None:
    """Where that is switched on."""
    zoom = Zoom(old_access_token_survives_refresh=False)
    first = zoom.connect()
    refresh(zoom, first["refresh_token"])
    assert not works(zoom, first["access_token"])


def test_a_grace_lets_the_old_refresh_token_live_a_little() -> None:
    """The old refresh token works for the configured time after the first rotation."""
    zoom = Zoom(old_refresh_token_grace_seconds=60.0)
    first = zoom.connect()
    assert "access_token" in refresh(zoom, first["refresh_token"])
    zoom.wall.now += 59
    assert "access_token" in refresh(zoom, first["refresh_token"])
    zoom.wall.now += 2
    assert refresh(zoom, first["refresh_token"]) == DEAD


def test_a_clock_that_is_moved_back_revives_no_token() -> None:
    """What was rotated an hour from now is dead all the same."""
    zoom = Zoom()
    first = zoom.connect()
    zoom.post("/_sim/clock", {"advance": 3700})
    assert "access_token" in refresh(zoom, first["refresh_token"])
    zoom.post("/_sim/clock", {"advance": -3700})
    assert refresh(zoom, first["refresh_token"]) == DEAD


def test_lives_of_tokens() -> None:
    """An access token lives for an hour and a refresh token for ninety days."""
    zoom = Zoom()
    first = zoom.connect()
    zoom.wall.now += 3600
    expired = zoom.get("/v2/users/me")
    assert (expired.status_code, expired.json()) == (401, {"code": 124, "message": "Access token is expired."})
    zoom.wall.now += 90 * 86_400 - 3600 - 1
    second = refresh(zoom, first["refresh_token"])
    zoom.wall.now += 90 * 86_400
    assert refresh(zoom, second["refresh_token"]) == DEAD


def test_another_authorisation_supersedes_the_former() -> None:
    """One grant per user and app: the last issued wins, tokens of the former die; other users keep theirs."""
    zoom = Zoom()
    first, other = zoom.connect(), zoom.connect("owner@zoom.example")
    second = zoom.connect()
    assert refresh(zoom, first["refresh_token"]) == DEAD
    assert not works(zoom, first["access_token"])
    assert works(zoom, second["access_token"])
    assert works(zoom, other["access_token"])


def test_the_other_wording_of_a_refused_refresh() -> None:
    """Both errors were seen."""
    zoom = Zoom(refused_refresh_error="invalid_request")
    assert refresh(zoom, "nonsense") == {"reason": "Invalid Token!", "error": "invalid_request"}


def test_revoking_ends_the_grant() -> None:
    """By access or refresh token; a second time there is nothing left to revoke."""
    zoom = Zoom()
    first = zoom.connect()
    response = zoom.form("/oauth/revoke", {"token": first["access_token"]}, auth=CLIENT)
    assert (response.status_code, response.json()) == (200, {"status": "success"})
    assert refresh(zoom, first["refresh_token"]) == DEAD
    assert zoom.form("/oauth/revoke", {"token": first["access_token"]}, auth=CLIENT).status_code == 400
    assert zoom.deliver().names() == []  # apps in development are not notified


def test_a_published_app_learns_of_a_revocation() -> None:
    """The event has no top-level `event_ts` and no `object`, and its date is a text."""
    zoom = Zoom()
    zoom.sim.app.published = True
    token = zoom.connect()["access_token"]
    zoom.form("/oauth/revoke", {"token": token}, auth=CLIENT)
    (event,) = zoom.deliver().events("app_deauthorized")
    assert set(event.json) == {"event", "payload"}
    assert event.json["payload"]["user_id"] == zoom.user_id()
    assert event.json["payload"]["event_ts"] == "2026-11-18 11:06:40"


def test_server_to_server() -> None:
    """A Server-to-Server token lives for an hour, has no refresh token, and several can exist at once."""
    zoom = Zoom()
    first, second = zoom.connect_account(), zoom.connect_account()
    assert "refresh_token" not in first
    assert all(zoom.get("/v2/users", token=each["access_token"]).status_code == 200 for each in (first, second))


@pytest.mark.parametrize(
    ("account", "on", "reason"),
    [
        ("nobody", True, "Account does not exist"),
        ("simulated-account", False, "Account does not enabled the OAuth app type"),
    ],
)
def test_server_to_server_refusals(account: str, on: bool, reason: str) -> None:  # noqa: FBT001 - a case
    """Refusals of Server-to-Server requests have Zoom's texts."""
    zoom = Zoom()
    zoom.sim.app.server_to_server = on
    response = zoom.token_request(grant_type="account_credentials", account_id=account)
    assert response.json() == {"reason": reason, "error": "invalid_request"}


def test_admin_scopes_are_given_by_administrators_only() -> None:
    """A member cannot hand out what the member has not."""
    zoom = Zoom()
    member, owner = zoom.connect(), zoom.connect("owner@zoom.example")
    assert not any(scope.endswith(":admin") for scope in member["scope"].split())
    assert "report:read:meeting:admin" in owner["scope"].split()


def test_the_scope_parameter_narrows_or_is_refused() -> None:
    """2026 takes it, 2021 did not."""
    zoom = Zoom()
    answer = exchange(zoom, zoom.code(scope="meeting:read:meeting user:read:user"))
    assert set(answer["scope"].split()) == {"meeting:read:meeting", "user:read:user"}
    assert Zoom(scope_parameter="refuse").authorize(scope="meeting:read:meeting").status_code == 400


def test_a_required_scope_that_the_app_has_not_is_refused() -> None:
    """An optional one is passed over."""
    zoom = Zoom(scopes=("user:read:user",))
    assert zoom.authorize(scope="meeting:read:meeting").status_code == 400
    answer = exchange(zoom, zoom.code(scope="user:read:user", optional_scope="meeting:read:meeting"))
    assert answer["scope"] == "user:read:user"


def test_optional_scopes_can_be_left_out() -> None:
    """The page shows them with a tick, and what is unticked is not granted."""
    zoom = Zoom(scopes=("meeting:read:meeting", "user:read:user", "webinar:read:webinar"))
    fields = {"scope": "user:read:user", "optional_scope": "meeting:read:meeting webinar:read:webinar"}
    assert exchange(zoom, zoom.code(**fields))["scope"].split() == list(zoom.sim.app.scopes)
    asked = {"response_type": "code", "client_id": CLIENT[0], "redirect_uri": REDIRECT, **fields}
    page = zoom.get("/oauth/authorize?" + urlencode(asked), token="").text
    assert re.findall(r'name="optional" value="([^"]+)" checked', page) == fields["optional_scope"].split()
    answer = exchange(zoom, zoom.code(**fields, shown="1", optional="webinar:read:webinar"))
    assert answer["scope"].split() == ["user:read:user", "webinar:read:webinar"]
    answer = exchange(zoom, zoom.code(**fields, shown="1"))
    assert answer["scope"] == "user:read:user"


def test_granted_scopes_are_kept_where_that_is_asked_for() -> None:
    """Else another authorisation grants what it asks for, no more."""
    zoom = Zoom(scopes=("meeting:read:meeting", "user:read:user"))
    exchange(zoom, zoom.code(scope="user:read:user"))
    both = exchange(zoom, zoom.code(scope="meeting:read:meeting", include_granted_scopes="true"))
    assert both["scope"].split() == ["meeting:read:meeting", "user:read:user"]
    assert exchange(zoom, zoom.code(scope="meeting:read:meeting"))["scope"] == "meeting:read:meeting"


def test_a_public_client_needs_pkce_instead_of_a_secret() -> None:
    """A public client gets tokens with PKCE and without a secret, as at Zoom since April 2026."""
    zoom = Zoom()
    zoom.sim.app.public = True
    fields = {"client_id": CLIENT[0], "grant_type": "authorization_code", "redirect_uri": REDIRECT}
    code = zoom.code(code_challenge=CHALLENGE, code_challenge_method="S256")
    good = zoom.form("/oauth/token", {**fields, "code": code, "code_verifier": VERIFIER}, token="")
    bare = zoom.form("/oauth/token", {**fields, "code": zoom.code()}, token="")
    assert (good.status_code, bare.status_code) == (200, 400)


def test_a_disabled_app_can_do_nothing() -> None:
    """A disabled app gets no new tokens, and its old ones stop working."""
    zoom = Zoom()
    first = zoom.connect()
    zoom.patch("/_sim/apps/client", {"enabled": False})
    assert refresh(zoom, first["refresh_token"])["error"] == "invalid_client"
    assert not works(zoom, first["access_token"])
    assert zoom.authorize().status_code == 400


def test_a_deactivated_user_cannot_be_spoken_for() -> None:
    """Access and refresh tokens stop working."""
    zoom = Zoom()
    first = zoom.connect()
    zoom.connect_account()
    zoom.put("/v2/users/jill@zoom.example/status", {"action": "deactivate"})
    assert not works(zoom, first["access_token"])
    assert refresh(zoom, first["refresh_token"]) == DEAD
