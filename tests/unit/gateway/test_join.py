"""Joining a meeting: who is let in, as whom, and with which token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.gateway import NOW, connection
from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, Kind
from zoom_common.deadline import Deadline
from zoom_common.errors import ConnectionUnusable, Forbidden, NotAllowed, ZoomRefused, ZoomScopesMissing
from zoom_common.gateway import join
from zoom_common.gateway.context import Call
from zoom_common.gateway.join import JoinCredentials, JoinRequest, MeetingAccess
from zoom_common.gateway.service import Answer
from zoom_common.secret import Secret
from zoom_common.zoom.meeting_sdk import Role, SdkApp
from zoom_common.zoom.operations.table import filled

NUMBER = "85123456789"
PROGRAM = Principal("acme", "key:abcdefghijkl", frozenset({"meetings:read", "meetings:write"}))
OWNER = Principal("acme", "owner-1", frozenset({"meetings:read", "meetings:write"}))
MINE = {"id": int(NUMBER), "host_id": "zoom-user-1", "password": "pass"}
THEIRS = MINE | {"host_id": "zoom-user-2"}
UNKNOWN = ZoomRefused(404, b'{"code":3001}', zoom_code=3001, reason="zoom_refused")


@dataclass(slots=True)
class Zoom:
    """Answers by path: JSON, or an error to raise."""

    meeting: Mapping[str, Any] | Exception = field(default_factory=lambda: MINE)
    zak: str | Exception = "the-zak"
    obf: str | Exception = "the-obf"
    serves: Connection = field(default_factory=connection)
    asked: list[tuple[str, str, Principal]] = field(default_factory=list)

    def select(self, principal: Principal, requested: str | None) -> Connection:
        assert requested in {None, self.serves.connection_id}
        assert principal.tenant == self.serves.tenant
        return self.serves

    def call(self, asked: Call) -> Answer:
        assert (asked.operation.method, asked.body, dict(asked.headers)) == ("GET", b"", {})
        assert asked.deadline.remaining() > 0
        path = "/v2" + filled(asked.operation.path, asked.ids)
        self.asked.append((path, asked.query_string, asked.principal))
        if "/meetings/" in path:
            content = self.meeting
        else:
            token = self.zak if path.endswith("/zak") else self.obf
            content = token if isinstance(token, Exception) else {"token": token}
        if isinstance(content, Exception):
            raise content
        return Answer(200, {}, json.dumps(content).encode())


def admit(
    zoom: Zoom, principal: Principal = PROGRAM, role: Role = Role.ATTENDEE, *, app_account: str = ""
) -> JoinCredentials:
    doors = MeetingAccess(
        zoom=zoom,
        app=lambda: SdkApp("sdk-key", Secret("s" * 32)),
        app_account=app_account,
        clock=lambda: NOW,
    )
    wish = JoinRequest(meeting_number=NUMBER, role=role, lifetime=7200)
    return doors.admit(principal, wish, Deadline.after(5))


def revealed(admission: JoinCredentials) -> str | None:
    return admission.token.reveal() if admission.token else None


def test_the_host_gets_a_zak() -> None:
    """A host's signature opens nothing without one."""
    zoom = Zoom()
    admission = admit(zoom, role=Role.HOST)
    assert (admission.due, revealed(admission)) == (join.Kind.ZAK, "the-zak")
    assert [path for path, _, _ in zoom.asked] == [f"/v2/meetings/{NUMBER}", "/v2/users/me/zak"]
    assert admission.password == Secret("pass")


@pytest.mark.parametrize("meeting", [THEIRS, UNKNOWN], ids=["somebody elses", "unknown"])
def test_nobody_else_is_signed_in_as_host(meeting: Any) -> None:
    """Neither a participant nor a stranger; no ZAK is asked for."""
    zoom = Zoom(meeting=meeting)
    with pytest.raises(NotAllowed) as refused:
        admit(zoom, role=Role.HOST)
    assert (refused.value.status, refused.value.reason) == (403, "not_the_host")
    assert len(zoom.asked) == 1


def test_an_account_hosts_nothing() -> None:
    """A Server-to-Server connection is no Zoom user, even where a meeting has no host that could be compared."""
    zoom = Zoom(meeting={"id": 1}, serves=connection(kind=Kind.ACCOUNT, zoom_user_id=None))
    with pytest.raises(NotAllowed):
        admit(zoom, role=Role.HOST)


def test_hosting_takes_more_than_reading() -> None:
    """meetings:write, before anything is asked."""
    zoom = Zoom()
    with pytest.raises(Forbidden) as refused:
        admit(zoom, Principal("acme", "key:abcdefghijkl", frozenset({"meetings:read"})), role=Role.HOST)
    assert refused.value.scopes == ("meetings:write",)
    assert zoom.asked == []


def test_a_host_without_a_zak_gets_the_reason() -> None:
    """The reason is the answer."""
    missing = ZoomScopesMissing(["user:read:zak"], reconnect_url="https://x.example/reconnect")
    with pytest.raises(ZoomScopesMissing):
        admit(Zoom(zak=missing), role=Role.HOST)


def test_a_meeting_of_the_apps_own_account_needs_no_token() -> None:
    """Such a meeting can be joined without a token, as every meeting before March 2026."""
    admission = admit(Zoom(), app_account="zoom-account-1")
    assert (admission.outside, admission.due, admission.token) == (False, None, None)


def test_a_guest_of_an_outside_meeting_joins_on_behalf() -> None:
    """Never with a ZAK: that one could start the host's meetings."""
    zoom = Zoom(meeting=THEIRS)
    admission = admit(zoom, app_account="another-account")
    assert (admission.outside, admission.due, revealed(admission)) == (True, join.Kind.ON_BEHALF, "the-obf")
    assert zoom.asked[1][:2] == ("/v2/users/zoom-user-1/token", f"type=onbehalf&meeting_id={NUMBER}")


def test_a_person_joins_as_himself() -> None:
    """The owner of the connection, signed in: a ZAK is about nobody but them."""
    admission = admit(Zoom(meeting=THEIRS), OWNER)
    assert (admission.outside, admission.due, revealed(admission)) == (None, join.Kind.ZAK, "the-zak")


def test_an_operator_does_not_join_as_somebody_else() -> None:
    """`connections:all` reaches a connection; it does not make its owner's ZAK theirs."""
    operator = Principal("acme", "operator", frozenset({"meetings:read", "connections:all"}))
    assert admit(Zoom(), operator).due is join.Kind.ON_BEHALF


def test_an_operator_does_not_start_somebody_elses_meeting() -> None:
    """Nor host as them: their meeting, their connection, and still no ZAK, and Zoom is asked for none."""
    operator = Principal("acme", "operator", frozenset({"meetings:read", "meetings:write", "connections:all"}))
    zoom = Zoom()
    with pytest.raises(NotAllowed) as refused:
        admit(zoom, operator, role=Role.HOST)
    assert refused.value.reason == "not_the_host"
    assert all(not path.endswith("/zak") for path, _, _ in zoom.asked)
    assert revealed(admit(Zoom(), OWNER, role=Role.HOST)) == "the-zak"


def test_an_owner_named_like_a_key_gets_no_zak_for_guests() -> None:
    """What a program connected for itself is joined on behalf, too."""
    zoom = Zoom(serves=connection(owner=PROGRAM.subject))
    assert admit(zoom).due is join.Kind.ON_BEHALF


@pytest.mark.parametrize(
    "refusal",
    [
        ZoomScopesMissing(["user:read:token"]),
        ZoomRefused(400, b'{"code":300}', zoom_code=300, reason="zoom_refused"),
        ConnectionUnusable("reauthorization_required", reason="grant_rejected"),
    ],
)
def test_a_guest_gets_the_signature_and_the_reason_for_no_token(refusal: Any) -> None:
    """The meeting may be one that opens without; nobody can tell."""
    admission = admit(Zoom(obf=refusal))
    assert admission.token is None
    assert admission.refusal is refusal
    assert admission.signature.token


def test_zoom_being_down_is_not_a_strangers_meeting() -> None:
    """Only Zoom's word that the meeting is none of ours makes it so."""
    down = ZoomRefused(500, b"{}", zoom_code=None, reason="zoom_failed")
    with pytest.raises(ZoomRefused):
        admit(Zoom(meeting=down))


def test_calls_on_the_way_stay_with_the_connection_and_add_one_scope() -> None:
    """A caller with no users scope may join; what the gateway asks for that is bound to the one connection."""
    zoom = Zoom()
    admit(zoom, OWNER)
    asking = zoom.asked[1][2]
    assert (asking.subject, asking.tenant, asking.connection) == ("owner-1", "acme", "con_1")
    assert asking.scopes - OWNER.scopes == {"users:write"}


def test_an_account_joins_on_behalf_of_the_host() -> None:
    """A Server-to-Server connection speaks for the users of its account; without one there is no token."""
    account = connection(kind=Kind.ACCOUNT, zoom_user_id=None)
    zoom = Zoom(meeting=THEIRS, serves=account)
    assert revealed(admit(zoom)) == "the-obf"
    assert zoom.asked[1][0] == "/v2/users/zoom-user-2/token"
    lost = admit(Zoom(meeting=UNKNOWN, serves=account))
    assert lost.refusal is not None
    assert lost.refusal.reason == "no_zoom_user"


def test_nothing_secret_shows() -> None:
    """The log line of a request to join has no secret."""
    text = repr(admit(Zoom(), role=Role.HOST))
    assert "the-zak" not in text
    assert "'pass'" not in text
