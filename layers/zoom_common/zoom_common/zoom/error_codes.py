"""Zoom's refusals for callers: maps status, code and the refused call to a reason and a hint.

Zoom's messages are in the language of a person and are never read.
"""

from __future__ import annotations

from dataclasses import dataclass

from zoom_common.zoom.rate_limits import Limit

# Zoom's list of errors has 4711 for a token without the scope. Older answers, still in the documents, have 4700.
# https://developers.zoom.us/docs/integrations/oauth-error-messages/
SCOPES_MISSING = frozenset({4700, 4711})

_CODE_404 = 404


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """A reason for programs, and what to do about it, for people."""

    reason: str
    hint: str | None = None


_TOKEN = ErrorMeaning(
    "zoom_rejected_token",
    "Your API key is fine. Zoom does not accept the connection's token, not even a fresh one: the person has to "
    "reconnect their Zoom account.",
)
# For a 401 (code 124) that is about the request, because Zoom accepts the same token for another one.
REQUEST_AT_FAULT = ErrorMeaning(
    "zoom_rejected_request",
    "The connection is fine: Zoom accepts its token for other requests and refuses it for this one. Look at the path: "
    "a user-level connection names its own user as `me`, a Server-to-Server connection names users by id or e-mail "
    "address. Otherwise the app or the user may not make this request; Zoom says so with a 401 for some operations.",
)
_RATE = ErrorMeaning(
    "zoom_rate_limited", "Wait as long as Retry-After says. Zoom counts for the whole account, all apps."
)
_RATES = {
    Limit.DAILY: ErrorMeaning(
        "zoom_rate_limited",
        "The account's requests of this kind are used up for today, by all its apps. Wait as long as Retry-After says.",
    ),
    Limit.PER_USER: ErrorMeaning(
        "zoom_rate_limited",
        "Zoom accepts 100 creates and updates of meetings and webinars from one user a day. This user's are used up "
        "until 00:00 UTC; other users are not affected.",
    ),
}
_PLAN = ErrorMeaning(
    "plan_or_permission",
    "The Zoom account's plan or the user's role does not include this. The table of operations names the plan.",
)
_FULL = ErrorMeaning("registration_full", "Registration is full: the plan or the settings allow no more people.")
_USER = ErrorMeaning("unknown_user", "The user does not exist or is not in the connected Zoom account.")
_SCOPES = ErrorMeaning("missing_zoom_scopes")
_REGISTRATION_OFF = ErrorMeaning("registration_off", "Turn registration on first: settings.approval_type 0 or 1.")
# Zoom answers this with 300 for meetings and with 3000 for webinars, and both codes have other meanings as well.
_PERHAPS_OFF = "Maybe registration is off: settings.approval_type 0 or 1 turns it on. Else see Zoom's message."
_WRONG_KIND = "Maybe a webinar's id was sent in place of a meeting's, or the other way round. Else see Zoom's message."
_STALE_PAGE = "A page token is valid for 15 minutes, for the same list and parameters. Otherwise start the list again."
_NOT_YOURS = (
    "It belongs to another user. A user-level connection reaches what is its own user's; for others the app needs an "
    "administrator's scopes."
)
_SAY_ME = "A user-level connection acts for its own user, as `me`. For others it needs an administrator's scopes."
_REGISTERS = "The meeting or webinar does not exist or has expired. For registrations, Zoom reports a missing user."
_MEANINGS: dict[tuple[int, int], ErrorMeaning] = {
    (401, 124): _TOKEN,
    (400, 124): _TOKEN,
    (400, 200): _PLAN,
    (400, 300): ErrorMeaning("zoom_found_invalid", "Zoom's message or `errors` name what is wrong."),
    (400, 1010): _USER,
    (400, 1120): ErrorMeaning("invitation_pending", "The user has not accepted the invitation to the account yet."),
    (400, 2300): ErrorMeaning("unknown_route", "Zoom does not know this path."),
    (400, 3000): ErrorMeaning("zoom_refused_for_now", "Zoom's message says why."),
    (400, 3027): ErrorMeaning("host_registers", "The host cannot register for their own meeting or webinar."),
    (400, 3034): ErrorMeaning("work_email_wanted", "The meeting's host accepts work addresses only."),
    (400, 3035): _FULL,
    (400, 3038): ErrorMeaning("registration_over", "The meeting or webinar is over: nobody can register any more."),
    (400, 3043): _FULL,
    (400, 3161): ErrorMeaning(
        "no_scheduling_rights", "This Zoom user may not host or schedule meetings: check licence and role."
    ),
    (400, 3303): ErrorMeaning("recording_in_progress", "The recording is not complete yet. Try again after it is."),
    (400, 4927): ErrorMeaning("not_live", "The meeting or webinar is not running, so there is nothing to stream."),
    (400, 12702): ErrorMeaning("too_long_ago", "Zoom reports meetings of the last year only."),
    (403, 200): ErrorMeaning(
        "not_shared_with_you",
        "The app, or the connected user's role, may not reach this. An administrator knows why.",
    ),
    (403, 2306): ErrorMeaning("not_yours", "This user may not see meetings that others schedule."),
    (404, 1001): _USER,
    (404, 3001): ErrorMeaning(
        "unknown_meeting", "It does not exist, has expired, or is not visible to this connection."
    ),
    (404, 3301): ErrorMeaning(
        "no_recording",
        "There is no recording, or Zoom is still processing it: that takes about as long as the meeting did. Wait for "
        "the event recording.completed.",
    ),
    (404, 3322): ErrorMeaning(
        "no_transcript", "There is no transcript, or not yet: wait for recording.transcript_completed."
    ),
    (409, 1005): ErrorMeaning("email_in_use", "Another Zoom user has this e-mail address."),
}


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """The properties of a call on which the meaning of its refusal depends.

    `path` is the operation's template. `names_user`: the path names a user by id or e-mail address instead of `me`.
    `is_account_level`: the connection is a Server-to-Server app's. `has_page_token`: the query has a `next_page_token`.
    `names_fields`: Zoom's answer lists fields in `errors`. `limit` is the limit that a 429 is about.
    """

    method: str = ""
    path: str = ""
    names_user: bool = False
    is_account_level: bool = False
    has_page_token: bool = False
    names_fields: bool = False
    limit: str | None = None

    @property
    def names_thing(self) -> bool:
        """Whether the path names something that belongs to a user, such as a meeting, by its id."""
        return "{" in self.path.replace("{userId}", "")

    @property
    def of_registrants(self) -> bool:
        """Whether the call is about the registrants of a meeting or webinar."""
        return "registrants" in self.path

    @property
    def registers(self) -> bool:
        """Whether the call registers somebody."""
        return self.method == "POST" and self.path.endswith("registrants")


def meaning(status: int, code: int | None, call: RefusedCall | None = None) -> ErrorMeaning:
    """Return the meaning of a refusal. `code` is the number in its body, None without one."""
    call = call or RefusedCall()
    if status == 429:  # noqa: PLR2004 - HTTP's own numbers
        return _RATES.get(Limit(call.limit), _RATE) if call.limit else _RATE
    if status >= 500:  # noqa: PLR2004
        return ErrorMeaning(
            "zoom_failed", "A fault inside Zoom. Repeat reads; after a change, check first if it was made."
        )
    if code in SCOPES_MISSING:
        return _SCOPES
    found = _MEANINGS.get((status, code)) if code is not None else None
    if found is None:
        return _TOKEN if status == 401 else _without_row(code, call)  # noqa: PLR2004
    hint = _hint(found, call)
    return found if hint is None else ErrorMeaning(found.reason, hint)


def _without_row(code: int | None, call: RefusedCall) -> ErrorMeaning:
    # 404 is also one of Zoom's codes: for a registration where registration is off, with HTTP status 400 or 404.
    return _REGISTRATION_OFF if code == _CODE_404 and call.registers else ErrorMeaning("zoom_refused")


def _hint(found: ErrorMeaning, call: RefusedCall) -> str | None:
    """Return a hint that fits this call better than the one in the table, or None."""
    is_other_user = call.names_user and not call.is_account_level
    match found.reason:
        case "zoom_found_invalid":
            return _hint_of_300(call)
        case "zoom_refused_for_now":
            return _hint_of_3000(call)
        case "unknown_user" if call.registers:
            return _REGISTERS
        case "unknown_user" | "not_shared_with_you" | "zoom_rejected_token" if is_other_user:
            return _SAY_ME if found is not _TOKEN else f"{_SAY_ME} Else: {_TOKEN.hint}"
        case "not_shared_with_you" if call.names_thing and not call.is_account_level:
            return _NOT_YOURS
        case _:
            return None


def _hint_of_300(call: RefusedCall) -> str | None:
    if call.names_fields:
        return None
    if call.has_page_token:
        return _STALE_PAGE
    return _PERHAPS_OFF if call.of_registrants else None


def _hint_of_3000(call: RefusedCall) -> str | None:
    if call.of_registrants:
        return None if call.names_fields else _PERHAPS_OFF
    return _WRONG_KIND if "Id}" in call.path and not call.path.startswith("/users") else None
