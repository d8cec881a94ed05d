"""The stored state of the simulated Zoom. Times are epoch seconds, UTC, unless a name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["meeting", "webinar"]


@dataclass
class Account:
    """A Zoom account: the unit of plans, limits and visibility."""

    id: str
    name: str
    owner_id: str
    plan: Literal["free", "pro", "business"] = "pro"
    webinars: bool = True
    shows_meetings_for_others: bool = True  # the account setting "Display meetings scheduled for others"
    timezone: str = "UTC"


@dataclass
class User:
    """A person in an account. `extra` holds profile fields that only travel."""

    id: str
    account_id: str
    email: str
    first_name: str
    last_name: str
    pmi: int
    created_at: float
    display_name: str = ""
    type: int = 2
    role: Literal["owner", "admin", "member"] = "member"
    status: Literal["active", "inactive", "pending"] = "active"
    timezone: str = "UTC"
    language: str = "en-US"
    use_pmi: bool = False
    leaving: bool = False  # a request to remove the person is being worked on
    host_key: str = "123456"
    extra: Json = field(default_factory=dict)
    settings: Json = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How others see the person."""
        return self.display_name or f"{self.first_name} {self.last_name}".strip()


@dataclass
class App:
    """An app of the Marketplace: a General app, a Server-to-Server app, or here both in one."""

    client_id: str
    client_secret: str
    account_id: str
    name: str = "Simulated app"
    redirect_uris: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    account_scopes: list[str] = field(default_factory=list)
    published: bool = False
    enabled: bool = True
    server_to_server: bool = True
    public: bool = False  # a client without a secret, which uses PKCE instead


@dataclass
class Grant:
    """One authorisation of one app by one user, or by an account (`user_id` of its owner, `level` account)."""

    id: str
    client_id: str
    account_id: str
    user_id: str
    scopes: list[str]
    created_at: float
    level: Literal["user", "account", "app"] = "user"
    revoked: str = ""  # the reason; empty while it lives


@dataclass
class Code:
    """An authorisation code waiting for its exchange."""

    value: str
    client_id: str
    user_id: str
    redirect_uri: str
    scopes: list[str]
    expires_at: float
    challenge: str = ""
    method: str = ""
    used: bool = False


@dataclass
class AccessToken:
    """A bearer."""

    value: str
    grant_id: str
    scopes: list[str]
    expires_at: float


@dataclass
class RefreshToken:
    """A refresh token; `superseded_at` is set once it has been rotated away."""

    value: str
    grant_id: str
    expires_at: float
    superseded_at: float | None = None


@dataclass
class Occurrence:
    """One date of a recurring meeting. The id is the first start in epoch milliseconds, and survives edits."""

    id: str
    start: float
    duration: int
    status: Literal["available", "deleted"] = "available"
    changes: Json = field(default_factory=dict)


@dataclass
class Registrant:
    """Somebody who registered. `occurrence_ids` is empty for the whole series."""

    id: str
    email: str
    first_name: str
    created_at: float
    join_url: str
    status: Literal["approved", "pending", "denied"]
    occurrence_ids: list[str] = field(default_factory=list)
    answers: Json = field(default_factory=dict)


@dataclass
class Meeting:
    """A scheduled meeting or webinar: the definition, not an occasion on which it was held."""

    id: int
    uuid: str
    kind: Kind
    account_id: str
    host_id: str
    topic: str
    type: int
    created_at: float
    duration: int
    timezone: str
    password: str
    start: float | None = None
    agenda: str = ""
    pmi: int = 0  # set when it is held in the host's personal room
    settings: Json = field(default_factory=dict)
    recurrence: Json | None = None
    occurrences: list[Occurrence] = field(default_factory=list)
    tracking_fields: list[Json] = field(default_factory=list)
    registrants: list[Registrant] = field(default_factory=list)
    panelists: list[Json] = field(default_factory=list)
    questions: Json = field(default_factory=dict)
    livestream: Json = field(default_factory=dict)
    recording_settings: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    creation_source: str = "open_api"
    deleted_at: float | None = None
    last_used_at: float = 0.0
    live_uuid: str = ""  # the instance that is on; empty while none is


@dataclass
class Visit:
    """One stay of one person: in the waiting room, or from joining to leaving."""

    user_id: str
    uuid: str
    name: str
    joined_at: float
    email: str = ""
    zoom_id: str = ""
    registrant_id: str = ""
    customer_key: str = ""
    phone_number: str = ""
    internal: bool = False
    public_ip: str = ""
    waiting: bool = False
    left_at: float | None = None
    left_reason: str = ""
    role: Literal["host", "co-host", "attendee"] = "attendee"
    room: str = ""  # the name of the breakout room the person is in
    room_user_id: str = ""  # the session number in that room
    sharing: Json = field(default_factory=dict)


@dataclass
class Instance:
    """One occasion on which a meeting was held."""

    uuid: str
    meeting_id: int
    shown_id: int  # the id that events carry: the personal meeting id where one was used
    kind: Kind
    account_id: str
    host_id: str
    topic: str
    type: int
    timezone: str
    duration: int
    started_at: float
    ended_at: float | None = None
    visits: list[Visit] = field(default_factory=list)
    rooms: dict[str, str] = field(default_factory=dict)  # breakout rooms: UUIDs by name
    tracking_fields: list[Json] = field(default_factory=list)
    shared: bool = False
    chatted: bool = False


@dataclass
class RecordingFile:
    """One file of a recording. Its bytes are made from its id when they are asked for."""

    id: str
    type: str
    extension: str
    recording_type: str
    size: int
    start: float
    end: float
    key: str
    status: str = "completed"
    deleted_at: float | None = None
    participant: str = ""


@dataclass
class Recording:
    """What was recorded of one instance."""

    uuid: str
    meeting_id: int
    account_id: str
    host_id: str
    topic: str
    type: int
    timezone: str
    duration: int
    start: float
    play_passcode: str
    password: str
    share_key: str
    shown_id: int = 0  # the id that events carry: the personal meeting id where one was used
    state: Literal["recording", "paused", "stopped", "processing", "completed"] = "recording"
    segments: list[list[float]] = field(default_factory=list)
    files: list[RecordingFile] = field(default_factory=list)
    trashed_at: float | None = None
    settings: Json = field(default_factory=dict)
    ready_at: float = 0.0
    transcript_at: float = 0.0


@dataclass
class DownloadToken:
    """Opens the files of one recording for a while."""

    value: str
    recording_uuid: str
    expires_at: float


@dataclass
class Subscription:
    """An app's event subscription."""

    id: str
    client_id: str
    url: str
    secret: str
    events: list[str] = field(default_factory=lambda: ["*"])
    name: str = "default"
    enabled: bool = True
    validated: bool = False
    failed_challenges: int = 0
    next_challenge_at: float = 0.0
    disabled_reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    scope: Literal["user", "account", "master_account"] = "account"
    user_ids: list[str] = field(default_factory=list)  # whose events, where the scope is user
    source: Literal["default", "openapi"] = "default"  # made in the build flow, or by API


@dataclass
class Attempt:
    """One try of a delivery and what came back."""

    at: float
    stamp: str
    signature: str
    status: int | None = None
    error: str = ""
    milliseconds: float = 0.0
    answer: str = ""


@dataclass
class Delivery:
    """One event for one subscription; the body never changes between attempts."""

    id: str
    subscription_id: str
    event: str
    body: str
    created_at: float
    tracking_id: str
    attempts: list[Attempt] = field(default_factory=list)
    state: Literal["queued", "sending", "retrying", "delivered", "failed", "refused", "dropped"] = "queued"
    next_at: float | None = None
    note: str = ""  # which fault made it what it is


@dataclass
class State:
    """The whole state, as it is stored in the state file."""

    accounts: dict[str, Account] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    meetings: dict[int, Meeting] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)
    download_tokens: dict[str, DownloadToken] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    # Stored by operations that are served from facts: by path, then by id. Settings of a path are under `path#` and "".
    resources: dict[str, dict[str, Json]] = field(default_factory=dict)
    signing_key: str = ""
