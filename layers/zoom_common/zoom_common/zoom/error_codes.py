"""What Zoom's error codes mean to a caller: one table from Zoom's status and code to our reason and hint."""

from __future__ import annotations

from dataclasses import dataclass

SCOPES_MISSING = 4711


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
# Of a 401 (code 124) that is about the request: Zoom accepts the same token for another one.
REQUEST_AT_FAULT = ErrorMeaning(
    "zoom_rejected_request",
    "The connection is fine: Zoom accepts its token for other requests and refuses it for this one. Look at the path: "
    "a user-level connection names its own user as `me`, a Server-to-Server connection names users by id or e-mail "
    "address. Otherwise the app or the user may not make this request; Zoom says so with a 401 for some operations.",
)
_RATE = ErrorMeaning(
    "zoom_rate_limited", "Wait as long as Retry-After says. Zoom counts for the whole account, all apps."
)
_PLAN = ErrorMeaning(
    "plan_or_permission",
    "The Zoom account's plan or the user's role does not include this. The table of operations names the plan.",
)
_FULL = ErrorMeaning("registration_full", "As many have registered as the plan or the settings allow.")
_MEANINGS: dict[tuple[int, int], ErrorMeaning] = {
    (401, 124): _TOKEN,
    (400, 124): _TOKEN,
    (400, 200): _PLAN,
    (400, 300): ErrorMeaning(
        "zoom_found_invalid", "Zoom's message or `errors` name what is wrong. A page token ends after 15 minutes."
    ),
    (400, 1010): ErrorMeaning("unknown_user", "The user does not belong to the connected Zoom account."),
    (400, 1120): ErrorMeaning("invitation_pending", "The user has not accepted the invitation to the account yet."),
    (400, 2300): ErrorMeaning("unknown_route", "Zoom does not know this path."),
    (400, 3000): ErrorMeaning(
        "zoom_refused_for_now",
        "Often a webinar's id where a meeting's belongs, or the other way round; else see Zoom's message.",
    ),
    (400, 404): ErrorMeaning("registration_off", "Turn registration on first: settings.approval_type 0 or 1."),
    (400, 3027): ErrorMeaning("host_registers", "The host can not register for their own meeting or webinar."),
    (400, 3034): ErrorMeaning("work_email_wanted", "The meeting's host takes registrations from work addresses only."),
    (400, 3035): _FULL,
    (400, 3038): ErrorMeaning("registration_over", "The meeting or webinar is over: nobody can register any more."),
    (400, 3043): _FULL,
    (400, 3161): ErrorMeaning(
        "no_scheduling_rights", "This Zoom user may not host or schedule meetings: check licence and role."
    ),
    (400, 3303): ErrorMeaning("recording_in_progress", "The recording is not complete yet. Try again after it is."),
    (400, 4711): ErrorMeaning("missing_zoom_scopes"),
    (400, 4927): ErrorMeaning("not_live", "The meeting or webinar is not running, so there is nothing to stream."),
    (400, 12702): ErrorMeaning("too_long_ago", "Zoom tells of meetings of the last year only."),
    (403, 200): ErrorMeaning(
        "not_shared_with_you",
        "A user-level connection acts for its own user, as `me`. For others it needs an administrator's scopes.",
    ),
    (403, 2306): ErrorMeaning("not_yours", "This user may not see meetings that others schedule."),
    (404, 1001): ErrorMeaning(
        "unknown_user",
        "The user does not exist or is not in the connected Zoom account. Who registers for a meeting that does not "
        "exist is told the same.",
    ),
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


def meaning(status: int, code: int | None) -> ErrorMeaning:
    """What a refusal means. `code` is the number in its body, None without one."""
    if status == 429:  # noqa: PLR2004 - HTTP's own numbers
        return _RATE
    if status >= 500:  # noqa: PLR2004
        return ErrorMeaning("zoom_failed", "A fault inside Zoom. Reads may be repeated; after a change, look first.")
    known = _MEANINGS.get((status, code)) if code is not None else None
    if known is None and status == 401:  # noqa: PLR2004
        return _TOKEN
    return known or ErrorMeaning("zoom_refused")
