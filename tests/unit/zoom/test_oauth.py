"""Zoom's OAuth as values."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from zoom_common.secret import Secret
from zoom_common.zoom import oauth
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.oauth import (
    App,
    AppAtFault,
    Endpoints,
    GrantRejected,
    TokenError,
    TokenUnavailable,
    TokenUnreadable,
)

NOW = 1_800_000_000.0
APP = App("client", Secret("s3cret"))
ZOOM = Endpoints()


def form(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((request.body or b"").decode(), strict_parsing=True).items()}


def answer(status: int, body: Any) -> HttpResponse:
    return HttpResponse(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_the_challenge_is_the_one_of_rfc_7636() -> None:
    """Appendix B of the RFC."""
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert oauth.pkce_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_authorize_url_names_its_method_and_no_scope() -> None:
    """Zoom's default method is `plain`, and scopes are the app's business."""
    url = oauth.authorize_url(
        ZOOM,
        client_id="client",
        redirect_uri="https://gw.example/auth/zoom/callback/",
        state=Secret("st&te"),
        verifier=Secret("v" * 43),
    )
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (parts.netloc, parts.path) == ("zoom.us", "/oauth/authorize")
    assert query == {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": "https://gw.example/auth/zoom/callback/",
        "state": "st&te",
        "code_challenge": oauth.pkce_challenge(Secret("v" * 43)),
        "code_challenge_method": "S256",
    }


@pytest.mark.parametrize("ending", ["", "/", "/authorize", "/token", "/token/", "/revoke"])
def test_the_setting_may_name_any_of_the_endpoints(ending: str) -> None:
    """The base is what is left."""
    assert Endpoints.parse(f"https://zoom.us/oauth{ending}").base_url == "https://zoom.us/oauth"


@pytest.mark.parametrize(
    ("request_", "path", "fields"),
    [
        (
            oauth.code_request(ZOOM, APP, code=Secret("c"), redirect_uri="https://x/y", verifier=Secret("v")),
            "token",
            {"grant_type": "authorization_code", "code": "c", "redirect_uri": "https://x/y", "code_verifier": "v"},
        ),
        (
            oauth.refresh_request(ZOOM, APP, Secret("r+/=")),
            "token",
            {"grant_type": "refresh_token", "refresh_token": "r+/="},
        ),
        (
            oauth.account_request(ZOOM, APP, "acc"),
            "token",
            {"grant_type": "account_credentials", "account_id": "acc"},
        ),
        (oauth.revoke_request(ZOOM, APP, Secret("a")), "revoke", {"token": "a"}),
    ],
)
def test_requests_keep_secrets_out_of_the_url(request_: HttpRequest, path: str, fields: dict[str, str]) -> None:
    """Basic credentials in a header, everything else in a form body, and nothing of it in a repr."""
    assert request_.url == f"https://zoom.us/oauth/{path}"
    assert request_.method == "POST"
    assert b64decode(request_.headers["Authorization"].removeprefix("Basic ")) == b"client:s3cret"
    assert request_.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form(request_) == fields
    assert "s3cret" not in repr(request_) + repr(APP)


def test_a_grant() -> None:
    """Expiry counts from the answer, scopes are a set, the regional host is Zoom's."""
    body = {
        "access_token": "a",
        "refresh_token": "r",
        "token_type": "bearer",
        "expires_in": 3599,
        "scope": "user:read:user meeting:read:meeting",
        "api_url": "https://api-eu.zoom.us",
    }
    grant = oauth.decipher_token(answer(200, body), NOW)
    assert (grant.access_token, grant.refresh_token) == (Secret("a"), Secret("r"))
    assert grant.expires_at == NOW + 3599
    assert grant.scopes == {"user:read:user", "meeting:read:meeting"}
    assert grant.api_url == "https://api-eu.zoom.us"


def test_an_account_grant_has_no_refresh_token() -> None:
    """Server-to-Server asks anew each time."""
    grant = oauth.decipher_token(answer(200, {"access_token": "a", "expires_in": 3600}), NOW)
    assert grant.refresh_token is None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"access_token": "a', {"access_token": ""}, {"access_token": "a", "expires_in": "soon"}],
)
def test_a_success_that_cannot_be_read(body: Any) -> None:
    """Zoom may have rotated: the outcome is unknown."""
    with pytest.raises(TokenUnreadable) as error:
        oauth.decipher_token(answer(200, body), NOW)
    assert not error.value.outcome_known


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, {"reason": "Invalid Token!", "error": "invalid_grant"}, GrantRejected, "invalid_grant"),
        (400, {"reason": "Invalid Token!", "error": "invalid_request"}, GrantRejected, "invalid_grant"),
        (401, {"error": "invalid_grant"}, GrantRejected, "invalid_grant"),
        (400, {"errorCode": 4741, "errorMessage": "..."}, GrantRejected, "revoked"),
        (400, {"code": "4735"}, GrantRejected, "owner_gone"),
        (400, {"error_code": 4733, "error": "invalid_grant"}, GrantRejected, "code_expired"),
        (
            400,
            {"reason": "Invalid client_id or client_secret", "error": "invalid_client"},
            AppAtFault,
            "invalid_client",
        ),
        (
            401,
            {"reason": "Invalid client_id or client_secret", "error": "invalid_client"},
            AppAtFault,
            "invalid_client",
        ),
        (401, b"", AppAtFault, "invalid_client"),
        (400, {"errorCode": 4717, "error": "invalid_grant"}, AppAtFault, "app_disabled"),
        (400, {"code": 4738}, AppAtFault, "app_disabled_by_admin"),
        (400, {"error": "unsupported_grant_type"}, AppAtFault, "unsupported_grant_type"),
        (403, b"<html>forbidden by a proxy</html>", TokenUnavailable, "unexpected_answer"),
        (400, {"code": 9999}, TokenUnavailable, "unexpected_answer"),
        (302, b"", TokenUnavailable, "unexpected_answer"),
    ],
)
def test_refusals(status: int, body: Any, kind: type[TokenError], reason: str) -> None:
    """Numbers before names, names before statuses, and never a text: those are localised."""
    with pytest.raises(kind) as error:
        oauth.decipher_token(answer(status, body), NOW)
    assert error.value.reason == reason
    assert "Invalid Token" not in str(error.value)


def test_5xx_may_have_happened_and_429_has_not() -> None:
    """The difference decides whether an intent stays open."""
    with pytest.raises(TokenUnavailable) as broken:
        oauth.decipher_token(answer(502, b""), NOW)
    assert not broken.value.outcome_known
    with pytest.raises(TokenUnavailable) as limited:
        oauth.decipher_token(HttpResponse(429, {"retry-after": "7"}, b""), NOW)
    assert (limited.value.outcome_known, limited.value.retry_after) == (True, 7.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("2030-03-17T17:46:50Z", 10.0), ("Sun, 17 Mar 2030 17:46:50 GMT", 10.0), ("x", None)],
)
def test_a_wait_is_read_in_every_form(value: str, seconds: float | None) -> None:
    """`Retry-After` is read as seconds, an ISO time or an HTTP date, as for the REST API."""
    with pytest.raises(TokenUnavailable) as limited:
        oauth.decipher_token(HttpResponse(429, {"retry-after": value}, b""), 1_900_000_000.0)
    assert limited.value.retry_after == seconds


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://api-us.zoom.us", "https://api-us.zoom.us"),
        ("https://acme.zoom.us/", "https://acme.zoom.us"),
        ("https://API-EU.zoom.us:443/v2", "https://api-eu.zoom.us"),
        ("http://api-us.zoom.us", None),
        ("https://zoom.us.evil.test", None),
        ("https://evilzoom.us", None),
        ("https://api-us.zoom.us@evil.test", None),
        ("https://api-us.zoom.us:8443", None),
        ("https://[", None),
        ("https://api.zoom.us:x", None),
        (7, None),
        (None, None),
    ],
)
def test_a_bearer_goes_to_zooms_hosts_only(url: object, trusted: str | None) -> None:
    """Whatever a token response says."""
    assert oauth.trusted_api_url(url) == trusted


def test_identity() -> None:
    """The user and the account, and nothing else that the profile holds."""
    request = oauth.identity_request("https://api.zoom.us/v2/", Secret("a"))
    assert request.url == "https://api.zoom.us/v2/users/me"
    user = oauth.decipher_identity(answer(200, {"id": "u", "account_id": "acc", "email": "p@example.com"}))
    assert (user.user_id, user.account_id) == ("u", "acc")


@pytest.mark.parametrize(
    "bad", [answer(401, {"code": 124}), answer(200, {}), answer(200, {"id": "", "account_id": "a"})]
)
def test_identity_that_is_none(bad: HttpResponse) -> None:
    """Nobody is connected as nobody."""
    with pytest.raises(TokenUnavailable):
        oauth.decipher_identity(bad)


def test_a_token_is_accepted_with_any_answer_but_401() -> None:
    """Zoom says "not for you" in many ways; a fault of its own says nothing."""
    base = "https://api.zoom.us/v2"
    sent = [oauth.acceptance_request(base, Secret("a"), of_account=each) for each in (False, True)]
    assert [each.url.removeprefix(base) for each in sent] == ["/users/me", "/users?page_size=1"]
    refused = [answer(401, {"code": 124}), answer(401, {})]
    accepted = [answer(200, {}), answer(400, {"code": 4711}), answer(403, {}), answer(404, {}), answer(429, {})]
    assert [oauth.decipher_acceptance(each) for each in (*refused, *accepted)] == [False] * 2 + [True] * 5
    with pytest.raises(TokenUnavailable):
        oauth.decipher_acceptance(answer(503, {}))
