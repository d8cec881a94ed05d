"""What a browser needs to join a meeting with Zoom's Meeting SDK: a signature, and a token if required."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import quote

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection
from zoom_common.deadline import Deadline
from zoom_common.errors import ConnectionUnusable, Forbidden, GatewayError, NotAllowed, ZoomRefused, ZoomScopesMissing
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Answer
from zoom_common.secret import Secret
from zoom_common.zoom.meeting_sdk import Role, SdkApp, Signature, sign

# Zoom's answers for a meeting that this connection may not read.
_NOT_THEIRS = frozenset({400, 403, 404})


class Kind(StrEnum):
    """The two kinds of tokens that the Meeting SDK accepts."""

    ZAK = "zak"  # the Zoom user is present, and may start their own meetings
    ON_BEHALF = "obf"  # another person joins; the Zoom user has to be in the meeting, and stay


class Caller(Protocol):
    """A gateway with or without a log. It finds a caller's connection and calls Zoom with it."""

    @property
    def select(self) -> Callable[[Principal, str | None], Connection]: ...  # noqa: D102

    def call(self, call: Call) -> Answer: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """A request to join. `lifetime` is in seconds; `connection` is as in the header X-Zoom-Connection."""

    meeting_number: str
    role: Role
    lifetime: int
    video_webrtc_mode: int | None = None
    connection: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCredentials:
    """The answer. A required token that is missing has a `refusal`. `outside` is None when it is not known."""

    sdk_key: str
    signature: Signature
    password: Secret | None
    outside: bool | None
    due: Kind | None
    token: Secret | None = field(default=None, repr=False)
    refusal: GatewayError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingAccess:
    """Returns the credentials for joining. `app_account` is the account that owns the app, empty when not known."""

    zoom: Caller
    app: Callable[[], SdkApp]
    app_account: str
    clock: Callable[[], float]

    def admit(self, principal: Principal, request: JoinRequest, deadline: Deadline) -> JoinCredentials:
        """Return signature and token. Raises NotAllowed, and for a host what the call for a ZAK raises."""
        scope = "meetings:write" if request.role is Role.HOST else "meetings:read"
        if not principal.may(scope):
            raise Forbidden([scope])
        connection = self.zoom.select(principal, request.connection)
        reads = _Reads(self.zoom, principal, connection, deadline)
        meeting = reads.meeting(request.meeting_number)
        hosts = meeting is not None and meeting.get("host_id") == connection.zoom_user_id is not None
        # A ZAK acts as its Zoom user, so people get one only over their own connection.
        if request.role is Role.HOST and not (hosts and (principal.is_key or _is_theirs(principal, connection))):
            raise NotAllowed("Only the host's own connection can start this meeting.", reason="not_the_host")
        outside = self._outside(connection) if meeting is not None else None
        due = _token_due(principal, connection, request.role, outside=outside)
        token, refusal = reads.token(due, request.meeting_number, meeting) if due else (None, None)
        if request.role is Role.HOST and refusal is not None:
            raise refusal  # a host's signature without a ZAK does not start the meeting
        app = self.app()
        return JoinCredentials(
            sdk_key=app.key,
            signature=sign(
                app,
                meeting_number=request.meeting_number,
                role=request.role,
                now=self.clock(),
                lifetime=request.lifetime,
                video_webrtc_mode=request.video_webrtc_mode,
            ),
            password=Secret(str(meeting["password"])) if meeting and meeting.get("password") else None,
            outside=outside,
            due=due,
            token=token,
            refusal=refusal,
        )

    def _outside(self, connection: Connection) -> bool | None:
        return connection.zoom_account_id != self.app_account if self.app_account else None


def _token_due(principal: Principal, connection: Connection, role: Role, *, outside: bool | None) -> Kind | None:
    if role is Role.HOST:
        return Kind.ZAK
    if outside is False:
        return None
    # A ZAK can start its user's meetings, so only that person's browser gets one. Guests join on behalf of the user.
    return Kind.ZAK if _is_theirs(principal, connection) else Kind.ON_BEHALF


def _is_theirs(principal: Principal, connection: Connection) -> bool:
    return principal.subject == connection.owner and not principal.is_key


@dataclass(frozen=True, slots=True)
class _Reads:
    """Reads at Zoom for one request to join, all over the same connection."""

    zoom: Caller
    principal: Principal
    connection: Connection
    deadline: Deadline

    def meeting(self, number: str) -> Mapping[str, Any] | None:
        """Return the meeting, or None when this connection may not read it."""
        try:
            return self._get(f"/v2/meetings/{number}")
        except (ZoomScopesMissing, ZoomRefused) as error:
            if error.status in _NOT_THEIRS:
                return None
            raise

    def token(
        self, kind: Kind, number: str, meeting: Mapping[str, Any] | None
    ) -> tuple[Secret | None, GatewayError | None]:
        """Return the token, or the error that prevented it."""
        user = self.connection.zoom_user_id or (meeting or {}).get("host_id")
        if user is None:
            return None, NotAllowed("No Zoom user of this connection is in the meeting.", reason="no_zoom_user")
        on_behalf = f"/v2/users/{quote(str(user), safe='')}/token?type=onbehalf&meeting_id={number}"
        try:
            return Secret(str(self._get("/v2/users/me/zak" if kind is Kind.ZAK else on_behalf)["token"])), None
        except (ZoomScopesMissing, ZoomRefused, ConnectionUnusable) as error:
            return None, error

    def _get(self, target: str) -> dict[str, Any]:
        call = Call.read(target, self.principal, self.deadline)
        # The scope to join is enough. The caller needs no scopes for the reads that joining requires.
        scopes = self.principal.scopes | {call.operation.gateway_scope}
        call.principal = replace(self.principal, scopes=scopes, connection=self.connection.connection_id)
        answer = self.zoom.call(call)
        content: dict[str, Any] = json.loads(answer.body)
        return content
