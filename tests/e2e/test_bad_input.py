"""What is wrong is refused clearly, and changes nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import httpx
import pytest

from dev.waiting import wait_until
from ops.key_table import on_local_stack
from tests.fakes.waiting import CALL_SECONDS
from zoom_common.access.keys import Credential, issue

pytestmark = pytest.mark.e2e


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """A person's browser, without a credential."""
    with httpx.Client(timeout=CALL_SECONDS) as client:
        yield client


def at_zoom(api: httpx.Client, browser: httpx.Client) -> str:
    """Go through the gateway's own pages; the address of Zoom's consent page."""
    link = api.post("/auth/zoom/authorize", json={}).json()["authorize_url"]
    ticket = re.search(r'name="ticket" value="([^"]+)"', browser.get(link).text)
    assert ticket is not None
    return browser.post(link.partition("?")[0], data={"ticket": ticket[1]}).headers["location"]


def decide(browser: httpx.Client, consent: str, decision: str) -> str:
    """Allow or deny at Zoom; the address Zoom sends the browser back to."""
    form = {**dict(parse_qsl(urlsplit(consent).query)), "decision": decision, "user": "basil@zoom.example"}
    return browser.post(consent.partition("?")[0], data=form).headers["location"]


def connection_ids(api: httpx.Client) -> set[str]:
    return {connection["id"] for connection in api.get("/connections").json()["connections"]}


def key(stack: dict[str, Any], *, scopes: list[str], **given: Any) -> tuple[str, Credential]:
    credential = Credential.generate()
    about = {"tenant": stack["tenant"], "name": "test", "now": time.time()} | given
    on_local_stack(stack).add(issue(credential, scopes=scopes, **about))
    return credential.text().reveal(), credential


def test_an_unknown_ticket_gets_a_page_that_says_so(stack: dict[str, Any], browser: httpx.Client) -> None:
    """Nothing is consumed and nobody goes to Zoom."""
    page = browser.get(f"{stack['api_url']}/auth/zoom/start", params={"ticket": "x" * 43})
    assert page.status_code in {400, 404, 410}
    assert "text/html" in page.headers["content-type"]


def test_looking_at_the_link_consumes_nothing(api: httpx.Client, browser: httpx.Client) -> None:
    """A scanner may open the link; the person can still use it. Used once, it is spent."""
    link = api.post("/auth/zoom/authorize", json={}).json()["authorize_url"]
    assert browser.get(link).status_code == browser.get(link).status_code == 200
    form = {"ticket": dict(parse_qsl(urlsplit(link).query))["ticket"]}
    assert browser.post(link.partition("?")[0], data=form).status_code == 303
    assert browser.post(link.partition("?")[0], data=form).status_code in {400, 404, 410}


def test_denied_consent_stores_nothing(api: httpx.Client, browser: httpx.Client) -> None:
    """The person said no: a clear page, no connection."""
    before = connection_ids(api)
    answer = browser.get(decide(browser, at_zoom(api, browser), "deny"))
    assert answer.status_code < 500
    assert connection_ids(api) == before


def test_a_foreign_browser_can_not_finish(api: httpx.Client, browser: httpx.Client) -> None:
    """Without the cookie of the browser that started, the code is not used."""
    before = connection_ids(api)
    back = decide(browser, at_zoom(api, browser), "allow")
    with httpx.Client(timeout=CALL_SECONDS) as stranger:
        assert stranger.get(back).status_code == 400
        stranger.cookies.set("zoom-connect", "x" * 43)
        assert stranger.get(back).status_code == 400
    assert connection_ids(api) == before


def test_a_replayed_state_is_refused(api: httpx.Client, browser: httpx.Client) -> None:
    """The same answer from Zoom works once."""
    back = decide(browser, at_zoom(api, browser), "allow")
    assert browser.get(back, headers={"Accept": "application/json"}).status_code == 200
    assert browser.get(back, headers={"Accept": "application/json"}).status_code == 400


def test_no_header_is_the_gateways_own_401(stack: dict[str, Any], browser: httpx.Client) -> None:
    """The API itself refuses a request that names nobody."""
    assert browser.get(f"{stack['api_url']}/v2/users/me/meetings").status_code == 401


@pytest.mark.parametrize("credential", ["nonsense", "zk_aaaaaaaaaaaa_" + "A" * 43])
def test_a_wrong_key_is_124(stack: dict[str, Any], browser: httpx.Client, credential: str) -> None:
    """An unknown key and a malformed one look the same from outside."""
    answer = browser.get(f"{stack['api_url']}/connections", headers={"Authorization": f"Bearer {credential}"})
    assert answer.status_code == 401
    assert answer.json()["code"] == 124


def test_a_revoked_and_an_expired_key_are_124(stack: dict[str, Any], browser: httpx.Client) -> None:
    """Neither works any more, and the answer is Zoom's."""
    revoked, credential = key(stack, scopes=["*"])
    on_local_stack(stack).revoke(credential.key_id, now=time.time())
    past = time.time() - 100
    expired, _ = key(stack, scopes=["*"], now=past, valid_until=past + 10)
    for text in (revoked, expired):
        answer = browser.get(f"{stack['api_url']}/connections", headers={"Authorization": f"Bearer {text}"})
        assert (answer.status_code, answer.json()["code"]) == (401, 124)


def test_a_missing_scope_is_403_in_zooms_shape(stack: dict[str, Any], browser: httpx.Client) -> None:
    """The principal is known; what it may not do is named."""
    text, _ = key(stack, scopes=["meetings:read"])
    answer = browser.post(
        f"{stack['api_url']}/v2/users/me/meetings", json={"topic": "x"}, headers={"Authorization": f"Bearer {text}"}
    )
    assert answer.status_code == 403
    assert "meetings:write" in answer.json()["message"]


def test_another_tenant_sees_nothing(stack: dict[str, Any], api: httpx.Client, browser: httpx.Client) -> None:
    """A foreign connection is not there: 404, never 403."""
    text, _ = key(stack, scopes=["*"], tenant="stranger")
    headers = {"Authorization": f"Bearer {text}"}
    for connection in connection_ids(api):
        answer = browser.get(f"{stack['api_url']}/connections/{connection}", headers=headers)
        assert answer.status_code == 404
        answer = browser.get(
            f"{stack['api_url']}/v2/users/me/meetings", headers=headers | {"X-Zoom-Connection": connection}
        )
        assert answer.status_code == 404


def deliver(stack: dict[str, Any], body: bytes, *, secret: str, at: float) -> httpx.Response:
    """Deliver a webhook as Zoom does."""
    timestamp = str(int(at))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "x-zm-signature": f"v0={digest}",
        "x-zm-request-timestamp": timestamp,
        "content-type": "application/json",
    }
    return httpx.post(stack["webhook_url"], content=body, headers=headers, timeout=CALL_SECONDS)


def test_bad_missing_and_stale_signatures_are_401(stack: dict[str, Any]) -> None:
    """Zoom's word is taken only when it is Zoom's and fresh."""
    body = b'{"event":"meeting.started","event_ts":1,"payload":{}}'
    assert deliver(stack, body, secret="wrong", at=time.time()).status_code == 401
    assert deliver(stack, body, secret=stack["webhook_secret"], at=time.time() - 86400).status_code == 401
    assert httpx.post(stack["webhook_url"], content=body, timeout=CALL_SECONDS).status_code == 401


def test_malformed_json_with_a_good_signature_is_kept(stack: dict[str, Any]) -> None:
    """It is Zoom's word: accepted, kept apart, not on the subscriber's queue."""
    marker = uuid.uuid4().hex
    assert deliver(stack, f'{{"event": {marker}'.encode(), secret=stack["webhook_secret"], at=time.time()).is_success
    session = boto3.session.Session(stack["aws_access_key_id"], stack["aws_secret_access_key"])
    table = session.client("dynamodb", endpoint_url=stack["aws_endpoint_url"], region_name=stack["aws_region"])

    def items() -> list[str]:
        return [str(each) for each in table.scan(TableName=stack["events_table"])["Items"]]

    wait_until("the kept delivery", items, lambda found: any(marker in each for each in found))
    table.close()


def test_the_challenge_is_answered_for_zoom_only(stack: dict[str, Any]) -> None:
    """A signed challenge gets its hash; an unsigned one gets nothing to learn from."""
    body = json.dumps({"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": "abc"}}).encode()
    answer = deliver(stack, body, secret=stack["webhook_secret"], at=time.time())
    expected = hmac.new(stack["webhook_secret"].encode(), b"abc", hashlib.sha256).hexdigest()
    assert answer.json() == {"plainToken": "abc", "encryptedToken": expected}
    assert httpx.post(stack["webhook_url"], content=body, timeout=CALL_SECONDS).status_code == 401
