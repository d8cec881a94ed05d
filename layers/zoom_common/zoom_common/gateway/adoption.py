"""Finding what a create may have made, when nobody heard Zoom's answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from zoom_common.errors import GatewayError
from zoom_common.gateway.sending import Sender, ZoomCall
from zoom_common.zoom import likeness
from zoom_common.zoom.operations import OPERATIONS, Operation
from zoom_common.zoom.wire import HttpResponse

_BY_NAME = {each.name: each for each in OPERATIONS}
_INSTANT = 1
_MOST_PAGES = 5


class NotToBeFound(Exception):
    """Nobody can say whether it was made: it is never listed, could not be looked for, or several are alike."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where what an operation makes is found: the list, its members' name, the single read and its id's name."""

    listing: str
    members: str
    single: str
    identifier: str


PLACES = {
    "meetings.create": Place("meetings.list", "meetings", "meetings.get", "meetingId"),
    "webinars.create": Place("webinars.list", "webinars", "webinars.get", "webinarId"),
}


def can_be_found(call: ZoomCall) -> bool:
    """Whether what this create makes can be looked for at all. Instant meetings are never listed."""
    return call.operation.name in PLACES and _asked(call).get("type") not in {_INSTANT, str(_INSTANT)}


def candidates(sender: Sender, call: ZoomCall, *, since: float) -> list[tuple[str, HttpResponse]]:
    """Everything that is as `call` wanted it and was created since `since` (epoch seconds): ids, and single reads.

    Raises NotToBeFound when that can not be said.
    """
    if not can_be_found(call):
        raise NotToBeFound
    place, asked = PLACES[call.operation.name], _asked(call)
    ids = dict.fromkeys(
        str(each["id"])
        for each in _listed(sender, call, place, asked)
        if "id" in each and likeness.created_since(each, since) and likeness.is_like(asked, each)
    )
    read = ((made, _answer(sender, call.instead(_BY_NAME[place.single], {place.identifier: made}))) for made in ids)
    return [(made, response) for made, response in read if likeness.is_like(asked, _json(response))]


def _listed(sender: Sender, call: ZoomCall, place: Place, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ids = {"userId": str(asked["schedule_for"])} if asked.get("schedule_for") else call.ids
    token = ""
    for page in range(1, _MOST_PAGES + 1):
        query = {"type": "scheduled", "page_size": "300"} | ({"next_page_token": token} if token else {})
        if not _takes(_BY_NAME[place.listing], "next_page_token"):
            query |= {"page_number": str(page)}
            query.pop("next_page_token", None)
        listed = _json(_answer(sender, call.instead(_BY_NAME[place.listing], ids, urlencode(query, quote_via=quote))))
        yield from (each for each in listed.get(place.members) or [] if isinstance(each, dict))
        token = str(listed.get("next_page_token") or "")
        if not token and page >= int(listed.get("page_count") or 0):
            return
    raise NotToBeFound  # more than anybody lists while a caller waits


def _takes(operation: Operation, parameter: str) -> bool:
    return any(each.name == parameter for each in operation.query)


def _answer(sender: Sender, call: ZoomCall) -> HttpResponse:
    try:
        response = sender.send(call)
    except GatewayError:
        raise NotToBeFound from None
    if response.status != call.operation.success:
        raise NotToBeFound
    return response


def _asked(call: ZoomCall) -> dict[str, Any]:
    return _object(call.body)


def _json(response: HttpResponse) -> dict[str, Any]:
    return _object(response.body)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
