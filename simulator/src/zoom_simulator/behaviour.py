"""The switches. Where reports about Zoom disagree, or differ by plan and year, the simulator can do both."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args, get_type_hints

BASIC = 1  # the type of a user without a licence


@dataclass(slots=True)
class Behaviour:
    """How this Zoom behaves. Every field can be changed while it runs (`PATCH /_sim/behaviour`)."""

    # OAuth
    access_token_seconds: int = 3600
    refresh_token_seconds: int = 90 * 86_400
    code_seconds: int = 300
    old_refresh_token_grace_seconds: float = 0.0  # seen in 2026: minutes; documented: none
    old_access_token_survives_refresh: bool = True
    scope_parameter: Literal["accept", "refuse"] = "accept"  # 2021: "invalid scope"; 2026: accepted
    invalid_client_status: Literal[400, 401] = 400
    refused_refresh_error: Literal["invalid_grant", "invalid_request"] = "invalid_grant"  # both were seen
    https_redirects_only: bool = False  # Zoom refuses http://localhost; this one lives there
    reauthorisation_supersedes: bool = True
    api_url: str = ""  # empty: this server's own base
    # REST
    enforce_scopes: bool = True
    own_id_for_me: Literal["refuse", "accept"] = "refuse"  # user-level apps must say `me`
    me_for_account_apps: Literal["refuse", "accept"] = "refuse"  # Server-to-Server apps must not
    unknown_endpoint_status: Literal[400, 404] = 400
    invalid_token_status: Literal[400, 401] = 401  # the contract prints 400 in two places
    language: str = ""  # of all messages (es, de, fr, ja; xx changes every one); empty: that of Accept-Language
    page_token_seconds: int = 900
    users_page_size_max: Literal[300, 2000] = 2000  # the contract and the guide disagree
    page_size_above_maximum: Literal["lower", "refuse"] = "lower"  # programs in production rely on the first
    long_spans: Literal["last_month", "refuse"] = "last_month"  # reported since 2019: 200 with the last month only
    start_time_offset: Literal["honour", "ignore"] = "honour"  # reported: 10:00+01:00 is read as 10:00Z
    unknown_alternative_hosts: Literal["keep", "drop"] = "keep"  # reported: they are dropped silently
    basic_hosts: Literal["everything", "limited"] = "everything"  # limited: no cloud recording and no licences
    passcode_least_length: int = 0  # of the account's policy; a shorter one is refused
    errors_without_accept: Literal["json", "xml"] = "json"  # reported: XML unless Accept asks for JSON
    awkward_uuids: bool = False
    lone_meetings: Literal["empty", "not_found"] = "empty"  # past participants of a one-person meeting
    show_lone_meetings: bool = False  # the account setting "Show one person meetings"
    settle_seconds: float = 0.0  # after a big meeting, participants' durations are 0 for a while
    # Limits
    enforce_limits: bool = True
    limit_window: Literal["fixed", "sliding"] = "fixed"
    limit_scale: float = 1.0  # multiplies every allowance
    limit_headers: Literal["category", "full", "none"] = "category"  # on 200; 2026 shows the category only
    limit_headers_refused: Literal["category", "full", "none"] = "full"
    retry_after: Literal["zoom", "seconds", "http-date", "iso", "none"] = "zoom"  # zoom: ISO for a day, absent else
    per_second_code: Literal[429, 4001] = 429
    user_daily_limit: int = 100
    user_limit_counts_deletes: bool = False  # older documentation counts them
    disassociation_seconds: float = 0.0  # how long removing a user takes; another request for it gets a 429 till then
    registrant_capacity: int = 1000
    registrations_per_day: int = 3  # per registrant and meeting
    registrant_changes_per_day: int = 10
    # Webhooks
    delivery_timeout_seconds: float = 3.0
    retry_minutes: tuple[float, ...] = (5, 20, 60)
    retry_scale: float = 1.0
    revalidate_hours: float = 72.0
    challenge_on_save: bool = True
    failed_challenges_allowed: int = 6
    delivery_concurrency: int = 32
    stamp: Literal["wall", "simulated"] = "wall"  # the clock behind x-zm-request-timestamp
    client_id_header: bool = True  # reported, but not in the captures
    audience: Literal["account", "installed"] = "account"  # whose events reach an app
    unknown_fields: bool = False  # unknown fields in every event, because Zoom adds some every month
    twin_recordings: bool = False
    split_recordings: bool = False  # a recording.completed for every segment instead of one for all
    host_join_event: bool = True  # both were measured
    live_ids: Literal["text", "number"] = "text"  # object.id while a meeting is on; examples of early 2026: number
    room_moves_renew_sessions: bool = True  # measured: 40 moves of 40 are a leave and a join under a new user_id
    swapped_room_moves: bool = True  # measured: of 17 moves in 40 the join comes first; here of every second one
    left_after_waiting: bool = True  # the contract: a participant_left after waiting only, "Leave waiting room."
    waiting_room_user_ids: bool = False  # reported of Zoom Rooms: another user_id in the waiting room than after it
    lower_case_presence_ids: bool = True  # measured in two captures
    twin_shift_ms: int = 37  # how much later each further subscription of an app has the event_ts of one event
    ended_without_end_time: bool = False  # captures of 2019 and 2020
    events_without_event_ts: bool = False  # captures of 2019 and 2020
    updated_host_id: bool = False  # `updated` events carry what changed only; the examples show everything
    joined_at_field: Literal["join_time", "date_time"] = "join_time"  # the example says date_time
    participant_addresses: bool = True  # real ones carry public_ip and private_ip, undocumented
    unfinished_recording_end: Literal["empty", "null"] = "empty"
    login_type: Literal["number", "text"] = "number"
    deauthorised_event_ts: Literal["text", "number"] = "text"
    keep_deliveries: int = 2000
    # Recordings
    processing_seconds: float = 2.0
    transcripts: bool = False  # recording.transcript_completed, Business and higher
    transcript_seconds: float = 2.0
    recording_bytes: int = 65_536
    declared_bytes_percent: int = 100  # of what a file has; wrong declared sizes on good films are reported
    forbidden_download: Literal["401", "html", "json"] = "401"  # json: the refusal with a 200, saved as video by some
    download_host: str = ""  # empty: another name of this host, so that a redirect crosses hosts

    def is_limited(self, user_type: int) -> bool:
        """Return whether a user of this type has no cloud recording and no licences."""
        return user_type == BASIC and self.basic_hosts == "limited"

    def change(self, values: dict[str, Any]) -> None:
        """Set the named switches; ValueError names one that does not exist or cannot have that value."""
        hints = get_type_hints(Behaviour)
        for name, value in values.items():
            if name not in hints:
                raise ValueError(f"no such behaviour: {name}")
            setattr(self, name, _fitting(name, value, getattr(self, name), get_args(hints[name])))

    def change_text(self, values: dict[str, str]) -> None:
        """Like `change`, for values that come as text from a form or a command line."""
        typed: dict[str, Any] = {}
        for name, text in values.items():
            current = getattr(self, name, None)
            if isinstance(current, bool):
                typed[name] = _truth(name, text)
            elif isinstance(current, tuple):
                typed[name] = text.split(",")
            elif isinstance(current, int | float):
                typed[name] = _number(name, text, type(current))
            else:
                typed[name] = text
        self.change(typed)

    def as_dict(self) -> dict[str, Any]:
        """Every switch with its value."""
        return asdict(self)


def _truth(name: str, text: str) -> bool:
    truths = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}
    if text.lower() not in truths:
        raise ValueError(f"{name} is true or false, not {text}")
    return truths[text.lower()]


def _number(name: str, text: str, kind: type[int | float]) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} is a number, not {text}") from None


def _fitting(name: str, value: Any, current: Any, choices: tuple[Any, ...]) -> Any:
    if isinstance(current, tuple):
        return tuple(_measure(name, float(each)) for each in value)  # JSON has no tuples
    number = isinstance(current, float) and isinstance(value, int)
    if isinstance(value, bool) != isinstance(current, bool) or not (isinstance(value, type(current)) or number):
        raise ValueError(f"{name} is a {type(current).__name__}")
    if choices and value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(str, choices))}")
    return value if isinstance(value, str | bool) else _measure(name, value)


def _measure[Number: (int, float)](name: str, value: Number) -> Number:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} cannot be {value}")
    return value
