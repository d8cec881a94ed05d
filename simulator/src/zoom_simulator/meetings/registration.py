"""Registration: who registered, for which dates, and how the host decided. Used by the REST API and by people."""

from __future__ import annotations

from collections.abc import Iterable

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock
from zoom_simulator.errors import ZoomError
from zoom_simulator.ids import Ids
from zoom_simulator.meetings.definitions import Meetings
from zoom_simulator.meetings.views import registers
from zoom_simulator.model import Json, Meeting, Registrant, User
from zoom_simulator.webhooks import payloads
from zoom_simulator.webhooks.publisher import Publisher

AUTOMATIC = 0
OUTCOMES = {"approve": ("approved", "approved"), "deny": ("denied", "denied"), "cancel": ("denied", "cancelled")}
ANSWERS = (
    "last_name", "address", "city", "state", "zip", "country", "phone", "comments", "custom_questions", "industry",
    "job_title", "no_of_employees", "org", "purchasing_time_frame", "role_in_purchase_process", "language",
)  # fmt: skip


class Registration:
    """The registration desk of meetings and webinars."""

    def __init__(
        self,
        *,
        meetings: Meetings,
        publisher: Publisher,
        clock: Clock,
        ids: Ids,
        behaviour: Behaviour,
        base_url: str,
    ) -> None:
        self._meetings = meetings
        self._publisher = publisher
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour
        self._base_url = base_url

    def check_open(self, meeting: Meeting) -> None:
        """Raise ZoomError when registration is disabled, closed or full."""
        if not registers(meeting):
            raise _not_enabled(meeting)
        now = self._clock.now()
        if meeting.settings.get("close_registration") and (meeting.start or now) < now:
            raise _over(meeting)
        if meeting.start is not None and self._meetings.end_of(meeting) <= now:
            raise _over(meeting)
        if self.places_left(meeting) <= 0:
            if meeting.kind == "meeting":
                raise ZoomError(400, 3043, "Meeting has reached maximum attendee capacity.")
            raise ZoomError(400, 3000, "You have reached the limit for the number of attendees you can add.")

    def places_left(self, meeting: Meeting) -> int:
        """How many more can be approved."""
        limit = int(meeting.settings.get("registrants_restrict_number") or self._behaviour.registrant_capacity)
        return limit - sum(each.status == "approved" for each in meeting.registrants)

    def add(
        self, meeting: Meeting, body: Json, *, occurrence_ids: list[str] | None = None, approve: bool | None = None
    ) -> Registrant:
        """Register a person. If they are registered already, their id stays.

        `approve` overrides the meeting's own rule.
        """
        automatic = meeting.settings.get("approval_type") == AUTOMATIC
        approved = automatic if approve is None else (approve or automatic)
        email = str(body["email"])
        known = next((each for each in meeting.registrants if each.email.lower() == email.lower()), None)
        answers = {name: body[name] for name in ANSWERS if body.get(name) is not None}
        if known is not None:
            known.first_name, known.answers = str(body["first_name"]), answers
            return known
        each = Registrant(
            id=self._ids.opaque(),
            email=email,
            first_name=str(body["first_name"]),
            created_at=self._clock.now(),
            join_url="",
            status="approved" if approved else "pending",
            occurrence_ids=list(occurrence_ids or []),
            answers=answers,
        )
        letter = "w" if meeting.kind == "webinar" else "j"
        each.join_url = f"{self._base_url}/{letter}/{meeting.pmi or meeting.id}?tk={self._ids.secret()}"
        meeting.registrants.append(each)
        self._announce(meeting, "created", each, None)
        return each

    def decide(self, meeting: Meeting, chosen: Iterable[Registrant], action: str, operator: User | None) -> None:
        """Approve, deny or cancel."""
        status, event = OUTCOMES[action]
        for each in chosen:
            each.status = status  # type: ignore[assignment]
            self._announce(meeting, event, each, operator)

    def remove(self, meeting: Meeting, each: Registrant, operator: User | None) -> None:
        """Remove a registrant."""
        meeting.registrants.remove(each)
        self._announce(meeting, "cancelled", each, operator)

    def _announce(self, meeting: Meeting, what: str, each: Registrant, operator: User | None) -> None:
        shown = payloads.registrant(each) if what == "created" else payloads.decided_registrant(each)
        payload: Json = {"account_id": meeting.account_id}
        if what != "created":
            payload |= payloads.operator(operator)
        payload["object"] = {**payloads.scheduled(meeting), "registrant": shown}
        dates = [one for one in meeting.occurrences if one.id in each.occurrence_ids] or meeting.occurrences
        if dates:
            payload["object"]["occurrences"] = [payloads.occurrence_reference(one) for one in dates]
        self._publisher.publish(f"{meeting.kind}.registration_{what}", payload, user_id=meeting.host_id)


def _not_enabled(meeting: Meeting) -> ZoomError:
    if meeting.kind == "webinar":
        return ZoomError(400, 3000, "This webinar does not have registration as required: {}.", meeting.id)
    return ZoomError(400, 300, "Registration has not been enabled for this meeting: {}.", meeting.id)


def _over(meeting: Meeting) -> ZoomError:
    if meeting.kind == "webinar":
        text = "Webinar is over, you cannot register now. If you have any questions, contact the webinar host."
    else:
        text = "Meeting is over, you can not register now. If you have any questions, please contact the Meeting host."
    return ZoomError(400, 3038, text)
