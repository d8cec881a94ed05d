"""Finding what a create may have made, when nobody heard Zoom's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zoom_common.gateway import enrolment
from zoom_common.gateway.looking import Look, NotToBeFound, json_object
from zoom_common.gateway.sending import Sender, ZoomCall
from zoom_common.zoom import likeness
from zoom_common.zoom.wire import HttpResponse

__all__ = ["HARMLESS_TWICE", "PLACES", "NotToBeFound", "can_be_found", "candidates", "made_by"]

_INSTANT = 1
# What these make is an address to join by: whoever asks twice has two that work, and nothing is double at Zoom.
HARMLESS_TWICE = frozenset(
    f"{kind}.{what}" for kind in ("meetings", "webinars") for what in ("invite_links", "sip_dialing")
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where what an operation makes is found: the list, its members' name, the single read and its id's name."""

    listing: str
    members: str
    single: str
    identifier: str

    def named(self, asked: Mapping[str, Any]) -> bool:
        """Whether it is ever listed. Instant meetings are not."""
        return asked.get("type") not in {_INSTANT, str(_INSTANT)}

    def find(self, look: Look) -> list[tuple[str, HttpResponse]]:
        """Ids and single reads of all that is as it was asked for and was created since."""
        asked = look.asked
        user = {"userId": str(asked["schedule_for"])} if asked.get("schedule_for") else look.call.ids
        ids = dict.fromkeys(
            str(each["id"])
            for each in look.listed(self.listing, user, self.members, type="scheduled")
            if "id" in each and likeness.created_since(each, look.since) and likeness.is_like(asked, each)
        )
        read = ((made, look.read(self.single, {self.identifier: made})) for made in ids)
        return [(made, response) for made, response in read if likeness.is_like(asked, json_object(response.body))]


# Several meetings may be alike, so each belongs to the key that made it.
PLACES = {
    "meetings.create": Place("meetings.list", "meetings", "meetings.get", "meetingId"),
    "webinars.create": Place("webinars.list", "webinars", "webinars.get", "webinarId"),
}
# Whom an e-mail address names there is only one of: no key has to own it.
_BY_ADDRESS: dict[str, tuple[Callable[[Mapping[str, Any]], bool], Callable[[Look], HttpResponse | None]]] = {
    **{
        name: found
        for kind in ("meetings", "webinars")
        for name, found in (
            (f"{kind}.registrants.add", (enrolment.names_one, enrolment.registrant)),
            (f"{kind}.registrants.batch", (enrolment.names_many("registrants"), enrolment.registrants)),
        )
    },
    "webinars.panelists.add": (enrolment.names_many("panelists"), enrolment.panelists),
    "users.create": (enrolment.names_user, enrolment.user),
}


def can_be_found(call: ZoomCall) -> bool:
    """Whether what this create makes can be looked for at all."""
    name, asked = call.operation.name, json_object(call.body)
    if name in PLACES:
        return PLACES[name].named(asked)
    return name in _BY_ADDRESS and _BY_ADDRESS[name][0](asked)


def candidates(sender: Sender, call: ZoomCall, *, since: float) -> list[tuple[str | None, HttpResponse]]:
    """Everything that is as `call` wanted it and was created since `since` (epoch seconds), as Zoom shows it now.

    With an id where several may be alike, so that each can belong to one key. Raises NotToBeFound when that can not be
    said.
    """
    if not can_be_found(call):
        raise NotToBeFound
    look, name = Look(sender, call, since), call.operation.name
    if name in PLACES:
        return list(PLACES[name].find(look))
    found = _BY_ADDRESS[name][1](look)
    return [] if found is None else [(None, found)]


def made_by(call: ZoomCall, response: HttpResponse) -> str | None:
    """The id of what a create made, where keys own what they made."""
    if call.operation.name not in PLACES or response.status != call.operation.success:
        return None
    made = json_object(response.body).get("id")
    return None if made is None else str(made)
