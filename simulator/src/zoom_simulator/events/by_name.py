"""Deliver an event by its name."""

from __future__ import annotations

from functools import partial

from zoom_simulator.events import accounts, live, scheduled
from zoom_simulator.events.catalogue import CATALOGUE, EventType
from zoom_simulator.events.context import EventContext, context
from zoom_simulator.model import Json, Meeting, User, Visit
from zoom_simulator.simulator import Simulator
from zoom_simulator.webhooks import payloads

FILLED_BY = (live, scheduled, accounts)  # importing them fills the catalogue
BARE = ("app_deauthorized",)  # no event_ts beside the payload


def rows() -> list[EventType]:
    """Return every event type, sorted by name."""
    return [CATALOGUE[name] for name in sorted(CATALOGUE)]


def emit(
    sim: Simulator,
    name: str,
    *,
    meeting: Meeting | None = None,
    user: User | None = None,
    visit: Visit | None = None,
    text: str = "",
) -> Json:
    """Deliver `name` with a body made for it and return its payload. ValueError when there is no such event.

    `text` is what was written, where the event is about a message.
    """
    row = CATALOGUE.get(name)
    if row is None:
        raise ValueError(f"no such event: {name}; give a payload to deliver an unknown event")
    about = context(sim, name, meeting, user or _somebody(sim))
    if visit is not None:
        about.visit = visit
    payload = _payload(row, about)
    if text and "chat_message" in payload.get("object", {}):
        payload["object"]["chat_message"]["message_content"] = text
    account_id = about.meeting.account_id
    if name in BARE:
        sim.publisher.publish_bare(name, payload, account_id=account_id)
        return payload
    token = partial(sim.recorder.token, about.recording) if row.download else None
    user_id = about.user.id if name.startswith(("user.", "group.", "app")) else about.meeting.host_id
    sim.publisher.publish(name, payload, user_id=user_id, account_id=account_id, download_token=token)
    return payload


def _payload(row: EventType, about: EventContext) -> Json:
    built = row.build(about)
    if row.form == "payload":
        return built
    operator = payloads.operator(about.host) if row.form == "operated" else {}
    account_id = about.user.account_id if row.name.startswith("user.") else about.meeting.account_id
    return {"account_id": account_id, **operator, "object": built}


def _somebody(sim: Simulator) -> User:
    people = [each for each in sim.state.users.values() if each.status == "active"]
    return next((each for each in people if each.role == "member"), people[0])
