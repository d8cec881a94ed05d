"""A person signs in at the development provider, connects Zoom, and is signed into a meeting, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from dev.demo import Story
from tests.fakes.waiting import CALL_SECONDS

pytestmark = pytest.mark.e2e

DANA, OTTO = 0, 1


def token_of(gateway: Any, person: int) -> str:
    """Authorization code with PKCE, as a public client does it."""
    stack = gateway.stack
    subject = json.loads((gateway.folder / "identity.json").read_text())["people"][person][0]
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "client_id": stack["oidc_client_id"],
        "redirect_uri": f"{stack['web_url']}signed-in",
        "response_type": "code",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    issuer = stack["oidc_issuer"]
    back = httpx.post(f"{issuer}/authorize", params=asked, data={"person": subject}).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = asked | {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    return str(httpx.post(f"{issuer}/token", data=form).json()["access_token"])


def client(gateway: Any, person: int) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token_of(gateway, person)}"}
    return httpx.Client(base_url=gateway.stack["api_url"], headers=headers, timeout=CALL_SECONDS)


@pytest.fixture(scope="module")
def dana(gateway: Any) -> Iterator[httpx.Client]:
    """A person who has connected her Zoom."""
    with client(gateway, DANA) as person, httpx.Client(timeout=CALL_SECONDS) as browser:
        link = person.post("/auth/zoom/authorize", json={}).json()["authorize_url"]
        ticket = re.search(r'name="ticket" value="([^"]+)"', browser.get(link).text)
        assert ticket is not None
        consent = browser.post(link.partition("?")[0], data={"ticket": ticket[1]}).headers["location"]
        at_zoom = {"email": "dana@zoom.example", "first_name": "Dana", "last_name": "Developer", "type": 2}
        browser.post(f"{gateway.stack['zoom_url']}/_sim/users", json=at_zoom)
        form = {**dict(parse_qsl(urlsplit(consent).query)), "decision": "allow", "user": at_zoom["email"]}
        back = browser.post(consent.partition("?")[0], data=form).headers["location"]
        code = browser.get(back, headers={"accept": "application/json"}).json()["code"]
        connection = person.post("/auth/zoom/redeem", json={"code": code})
        assert connection.status_code == 200, connection.text
        yield person
        person.delete(f"/connections/{connection.json()['id']}")


@pytest.fixture
def others(gateway: Any) -> dict[str, Any]:
    """A connection of the same tenant that a program owns."""
    with Story(gateway.stack) as story:
        return {"id": story.connect()}


def test_a_person_reaches_what_is_theirs_and_an_operator_all(
    gateway: Any, dana: httpx.Client, api: httpx.Client, others: dict[str, Any]
) -> None:
    """The owner of a connection is the subject of the token; another person's is a 404."""
    (theirs,) = dana.get("/connections").json()["connections"]
    with client(gateway, OTTO) as otto:
        assert otto.get(f"/connections/{theirs['id']}").json()["owner"] == theirs["owner"]
    assert dana.get(f"/connections/{others['id']}").status_code == 404
    assert api.get(f"/connections/{others['id']}").status_code == 200


def test_a_token_that_was_touched_is_nobodys(gateway: Any) -> None:
    """The signature counts, through the deployed authorizer."""
    head, _, seal = token_of(gateway, DANA).split(".")
    body = json.dumps({"sub": "key:x", "aud": "zoom-gateway", "tenant": "local", "scope": "connections:all"})
    forged = f"{head}.{base64.urlsafe_b64encode(body.encode()).decode().rstrip('=')}.{seal}"
    answer = httpx.get(
        f"{gateway.stack['api_url']}/connections", headers={"Authorization": f"Bearer {forged}"}, timeout=CALL_SECONDS
    )
    assert (answer.status_code, answer.json()["code"]) == (401, 124)


def test_a_person_is_signed_into_their_own_meeting(gateway: Any, dana: httpx.Client) -> None:
    """A signature that another library verifies with the app's secret, and a ZAK from Zoom."""
    wanted = {"topic": "In the browser", "type": 2, "start_time": "2030-01-07T10:00:00Z", "duration": 30}
    meeting = dana.post("/v2/users/me/meetings", json=wanted)
    assert meeting.status_code == 201, meeting.text
    number = str(meeting.json()["id"])
    for role in (0, 1):
        answer = dana.post(f"/meetings/{number}/sdk-signature", json={"role": role})
        assert answer.status_code == 200, answer.text
        admission = answer.json()
        app = json.loads((gateway.folder / "simulated-app.json").read_text())
        key = OctKey.import_key(app["ZOOM_CLIENT_SECRET"])
        claims = jwt.decode(admission["signature"], key, algorithms=["HS256"]).claims
        assert (claims["mn"], claims["role"], claims["appKey"]) == (number, role, app["ZOOM_CLIENT_ID"])
        assert 1800 <= claims["exp"] - claims["iat"] <= 172_800
        assert admission["zak"]
        assert admission["password"] == meeting.json()["password"]
    foreign = dana.post("/meetings/99999999999/sdk-signature", json={"role": 1})
    assert (foreign.status_code, foreign.json()["reason"]) == (403, "not_the_host")
    dana.delete(f"/v2/meetings/{number}")


def test_a_program_gets_a_token_on_behalf_for_its_guests(gateway: Any, dana: httpx.Client, api: httpx.Client) -> None:
    """Never the ZAK: a guest could start the host's meetings with it."""
    assert gateway.stack["tenant"] == "local"
    (connection,) = [each["id"] for each in dana.get("/connections").json()["connections"]]
    wanted = {"topic": "With guests", "type": 2, "start_time": "2030-01-07T10:00:00Z", "duration": 30}
    number = dana.post("/v2/users/me/meetings", json=wanted).json()["id"]
    answer = api.post(
        f"/meetings/{number}/sdk-signature", json={}, headers={"X-Zoom-Connection": connection}, timeout=CALL_SECONDS
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["zak"] is None
    assert answer.json()["obf"]
    dana.delete(f"/v2/meetings/{number}")
