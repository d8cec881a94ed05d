"""The development identity provider: made-up people, real tokens."""

from __future__ import annotations

import base64
import hashlib
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt as other_jwt
from joserfc.jwk import KeySet

from dev.identity import provider as identity
from dev.identity.app import application
from dev.identity.provider import Provider, load
from dev.workspace import Workspace
from tests.fakes.browser import Browser

BACK = "http://localhost:3000/app/signed-in"
VERIFIER = secrets.token_urlsafe(32)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "client_id": identity.CLIENT_ID,
    "redirect_uri": BACK,
    "response_type": "code",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "of-the-browser",
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    folder = Workspace(tmp_path_factory.mktemp("identity"))
    folder.write(identity.FILE, identity._made_up({}) | {"port": 3002})
    return load(folder, port=3002, redirect_uris=[BACK], audience="zoom-gateway", tenant="local")


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return Browser(application(provider), "http://localhost:3002")


def signed_in(browser: Browser, provider: Provider, number: int = 0) -> dict[str, str]:
    answer = browser.post("/authorize", params=ASKED, data={"person": provider.people[number].subject})
    assert answer.status_code == 303
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["of-the-browser"]
    return {"code": query["code"][0], "code_verifier": VERIFIER, "redirect_uri": BACK, "client_id": identity.CLIENT_ID}


def test_a_person_gets_a_token_that_another_library_reads(browser: Browser, provider: Provider) -> None:
    """Issuer, audience, tenant and scopes as the authorizer wants them, signed with the published key."""
    issued = browser.post("/token", data=signed_in(browser, provider)).json()
    keys = KeySet.import_key_set(browser.get("/jwks").json())
    token = other_jwt.decode(issued["access_token"], keys, algorithms=["RS256"])
    assert token.claims["iss"] == browser.get("/.well-known/openid-configuration").json()["issuer"]
    assert (token.claims["aud"], token.claims["tenant"]) == ("zoom-gateway", "local")
    assert "connections:all" not in token.claims["scope"]
    assert other_jwt.decode(issued["id_token"], keys, algorithms=["RS256"]).claims["name"] == "Dana Developer"


def test_the_operator_sees_every_account(browser: Browser, provider: Provider) -> None:
    """One of the two is scoped for more, so that both can be tried."""
    issued = browser.post("/token", data=signed_in(browser, provider, 1)).json()
    assert "connections:all" in issued["scope"].split()


@pytest.mark.parametrize(
    "change", [{"code_verifier": "another"}, {"redirect_uri": "http://localhost:3000/"}, {"client_id": "other"}]
)
def test_a_code_is_for_the_browser_that_asked(browser: Browser, provider: Provider, change: dict[str, str]) -> None:
    """PKCE, address and client have to agree; a failed try spends the code."""
    form = signed_in(browser, provider)
    assert browser.post("/token", data=form | change).status_code == 400
    assert browser.post("/token", data=form).status_code == 400


def test_a_code_works_once(browser: Browser, provider: Provider) -> None:
    """The second try gets nothing."""
    form = signed_in(browser, provider)
    assert [browser.post("/token", data=form).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/app/signed-in"},
        {"redirect_uri": BACK + "/../x"},
        {"client_id": "other"},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(browser: Browser, change: dict[str, Any]) -> None:
    """The fault is shown where it is, not redirected."""
    answer = browser.get("/authorize", params=ASKED | change)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_signing_out_goes_back_to_the_application_only(browser: Browser) -> None:
    """No open redirect."""
    home = browser.get("/signed-out", params={"post_logout_redirect_uri": "http://localhost:3000/app/"})
    assert home.headers["location"] == "http://localhost:3000/app/"
    for elsewhere in ("https://evil.example/", "http://localhost:3000.evil.example/app/", "http://localhost:30/"):
        answer = browser.get("/signed-out", params={"post_logout_redirect_uri": elsewhere})
        assert "location" not in answer.headers


def test_a_name_that_was_made_to_point_here_gets_nothing(provider: Provider) -> None:
    """DNS rebinding: the page elsewhere keeps its own host name."""
    assert Browser(application(provider), "http://evil.example:3002").get("/jwks").status_code == 400


def test_key_and_people_stay_from_run_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection's owner is still somebody after a restart; and nobody else of the machine reads the key."""
    monkeypatch.setattr(identity, "port_is_free", lambda _: True)
    folder = Workspace(tmp_path)
    first = identity.port(folder)
    written = (tmp_path / identity.FILE).read_bytes()
    assert (identity.port(folder), (tmp_path / identity.FILE).read_bytes()) == (first, written)
    assert (tmp_path / identity.FILE).stat().st_mode & 0o077 == 0


def test_people_of_an_earlier_version_may_what_this_one_lets_them(tmp_path: Path) -> None:
    """Their subjects stay, so that their connections are still theirs."""
    folder = Workspace(tmp_path)
    made = identity.load(folder, port=1, redirect_uris=[], audience="a", tenant="t")
    folder.write(
        identity.FILE, {"key": _pem(made), "key_id": "k", "people": [["dev-1", "Dana", "meetings:read", "old"]]}
    )
    [dana] = identity.load(folder, port=1, redirect_uris=[], audience="a", tenant="t").people
    assert (dana.subject, dana.name) == ("dev-1", "Dana Developer")
    assert "jobs:write" in dana.scopes.split()


def _pem(provider: Provider) -> str:
    return provider.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
