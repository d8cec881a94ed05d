"""Server-to-Server connections: credentials once, tokens for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.connections import START, World
from zoom_common.connections.cipher import Cipher, SealContext, SealKind
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.connections.refresh.effects import Write
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.connections.server_to_server import AccountRequest
from zoom_common.errors import Conflict, GatewayError, InvalidRequest, Unavailable, ZoomUnavailable
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import App

APP = App("s2s-app", Secret("s2s-secret"))
ASKED = AccountRequest(tenant="acme", owner="key:k1", app=APP, account_id="zoom-account")


class Company(World):
    """A vault without connections, and a Zoom that knows one Server-to-Server app."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.memory.items.clear()
        self.zoom.account_apps = {"s2s-app:s2s-secret"}

    def connect(self, **changes: Any) -> Connection:
        return self.accounts.connect(replace(ASKED, **changes))[0]

    def read(self, made: Connection) -> Connection:
        return self.memory.items[made.tenant, made.connection_id]

    def secret(self, made: Connection, kind: SealKind) -> str:
        sealed = made.sealed_access if kind is SealKind.ACCESS else made.sealed_refresh
        return self.cipher.open(sealed, SealContext(made.tenant, made.connection_id, kind)).reveal()


def test_credentials_are_given_once() -> None:
    """The connection works at once; the app's secret is sealed where a refresh token would be; it is announced."""
    company = Company()
    made, new = company.accounts.connect(ASKED)
    assert (new, made.state, made.kind, made.zoom_user_id) == (True, State.CONNECTED, Kind.ACCOUNT, None)
    assert company.secret(made, SealKind.ACCESS) == "account-1"
    assert company.secret(made, SealKind.REFRESH) == "s2s-secret"
    assert made.scopes == {"user:read:list_users:admin"}
    assert made.due_at is not None
    assert [change["state"] for change in company.published] == ["connected"]
    assert "s2s-secret" not in repr(made) + repr(ASKED)


def test_tokens_are_fetched_with_the_sealed_secret() -> None:
    """A refresh asks for another token of the account, and keeps the secret."""
    company = Company()
    made = company.connect()
    company.clock.sleep(3600)
    result = company.refresher.on_demand("acme", made.connection_id, seen_version=1, wait=0)
    now = company.read(made)
    assert (result.outcome, now.version, now.access_expires_at) == (Outcome.REFRESHED, 2, START + 7200)
    assert company.secret(now, SealKind.ACCESS) == "account-2"
    assert company.secret(now, SealKind.REFRESH) == "s2s-secret"


def test_several_tokens_at_once() -> None:
    """Another token of the same account ends none: two tenants and two refreshes stand beside each other."""
    company = Company()
    one, other = company.connect(), company.connect(tenant="beta", owner="key:k9")
    assert one.connection_id != other.connection_id
    assert {company.secret(each, SealKind.ACCESS) for each in (one, other)} == {"account-1", "account-2"}
    company.clock.sleep(3600)
    for each in (one, other):
        result = company.refresher.on_demand(each.tenant, each.connection_id, seen_version=1, wait=0)
        assert result.outcome is Outcome.REFRESHED


def test_given_again_the_credentials_are_replaced() -> None:
    """A new secret for the same app and account keeps the connection's id, and ends a re-authorization."""
    company = Company()
    made = company.connect()
    company.zoom.account_apps = {"s2s-app:rotated"}
    company.clock.sleep(3600)
    company.refresher.on_demand("acme", made.connection_id, seen_version=1, wait=0)
    refused = company.read(made)
    assert (refused.state, refused.reason) == (State.REAUTHORIZATION_REQUIRED, "invalid_client")
    renewed, new = company.accounts.connect(replace(ASKED, app=App("s2s-app", Secret("rotated"))))
    assert (new, renewed.connection_id, renewed.state) == (False, made.connection_id, State.CONNECTED)
    assert company.secret(company.read(made), SealKind.REFRESH) == "rotated"
    states = [change["state"] for change in company.published]
    assert states == ["connected", "reauthorization_required", "connected"]


def test_an_app_that_is_refused_for_a_while_is_tried_again() -> None:
    """It was switched off at Zoom, or Zoom was ill: the connection works again by itself, and the bus says so."""
    company = Company()
    made = company.connect()
    company.zoom.account_apps = set()
    company.clock.sleep(3600)
    company.refresher.on_demand("acme", made.connection_id, seen_version=1, wait=0)
    refused = company.read(made)
    assert refused.state is State.REAUTHORIZATION_REQUIRED
    assert refused.due_at is not None
    assert 900 <= refused.due_at - company.clock.now <= 950
    company.zoom.account_apps = {"s2s-app:s2s-secret"}
    company.clock.now = refused.due_at + 1
    assert company.refresher.when_due("acme", made.connection_id).outcome is Outcome.REFRESHED
    states = [change["state"] for change in company.published]
    assert states == ["connected", "reauthorization_required", "connected"]


def test_a_secret_that_zoom_refuses_is_asked_for_once() -> None:
    """There is no spare and no previous secret: one request, and the owner is asked."""
    company = Company()
    made = company.connect()
    company.zoom.account_apps = set()
    company.clock.sleep(3600)
    asked = len(company.zoom.requests)
    company.refresher.on_demand("acme", made.connection_id, seen_version=1, wait=0)
    assert len(company.zoom.requests) == asked + 1


def test_credentials_replaced_while_a_refresh_is_under_way() -> None:
    """What the refresh brings belongs to the former grant and is dropped."""
    company = Company()
    made = company.connect()
    worker = company.worker("slow", seen=company.read(made)).until(Write)
    renewed = company.connect()
    worker.finish()
    assert company.read(renewed).version == renewed.version


@pytest.mark.parametrize(
    ("fault", "changes", "refusal"),
    [
        (None, {"app": App("s2s-app", Secret("wrong"))}, InvalidRequest),
        (None, {"account_id": "another"}, InvalidRequest),
        ("never_sent", {}, ZoomUnavailable),
        ("lost_response", {}, ZoomUnavailable),
    ],
)
def test_nothing_is_stored_unless_zoom_agrees(
    fault: str | None, changes: dict[str, Any], refusal: type[GatewayError]
) -> None:
    """Wrong credentials are the caller's to correct, an outage is not; neither leaves anything behind."""
    company = Company()
    company.zoom.faults = [fault] if fault else []
    with pytest.raises(refusal) as raised:
        company.connect(**changes)
    assert company.memory.items == {}
    assert "s2s-secret" not in str(raised.value)


def test_kms_away() -> None:
    """Data keys come first: Zoom is not asked."""
    company = Company()
    company.kms.away = True
    with pytest.raises(Unavailable):
        company.connect()
    assert company.zoom.requests == []


def test_changed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh that came in between is not overwritten: the caller tries again."""
    company = Company()
    made = company.connect()
    monkeypatch.setattr(company.memory, "by_account", lambda *_: [replace(made, version=0)])
    with pytest.raises(Conflict):
        company.connect()


def test_disconnecting_revokes_nothing_and_leaves_nothing() -> None:
    """A Server-to-Server token has no grant of a person behind it; secret and token are deleted."""
    company = Company()
    made = company.connect()
    ended = company.disconnection.disconnect(made)
    assert (ended.revoked, ended.queued, company.memory.items, company.zoom.revoked) == (False, False, {}, [])


def test_the_secret_is_sealed_with_refresh_key() -> None:
    """A function without RefreshKey can not open it."""
    company = Company()
    made = company.connect()
    reader = Cipher(company.kms.client(), {SealKind.ACCESS: "data-key"})
    context = SealContext("acme", made.connection_id, SealKind.ACCESS)
    with pytest.raises(AssertionError):  # how the KMS of this test refuses a foreign key or context
        reader.open(made.sealed_refresh, context)
