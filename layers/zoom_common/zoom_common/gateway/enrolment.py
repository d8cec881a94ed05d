"""Finding people by e-mail address: registrants, panelists and users whom a lost answer would have confirmed.

A meeting has one registration for an address, a webinar one panelist, Zoom one user: who is there is who was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from zoom_common.gateway.looking import Look, NotToBeFound, json_object
from zoom_common.zoom import likeness
from zoom_common.zoom.api import zoom_code
from zoom_common.zoom.wire import HttpResponse

_STATUSES = ("approved", "pending", "denied")
# https://developers.zoom.us/docs/api/users/: nobody of that name, or nobody who has accepted the invitation.
_NO_USER = {1001, 1120}
_OF_A_REGISTRATION = ("join_url", "participant_pin_code")
_OF_A_USER = ("id", "email", "first_name", "last_name", "type")


def names_one(asked: Mapping[str, Any]) -> bool:
    """Whether a registrant's body has an address."""
    return _address(asked) is not None


def names_user(asked: Mapping[str, Any]) -> bool:
    """Whether a user's body has an address."""
    info = asked.get("user_info")
    return isinstance(info, dict) and names_one(info)


def names_many(member: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether everybody in the list `member` has an address."""
    return lambda asked: bool(_addresses(asked.get(member)))


def registrant(look: Look) -> HttpResponse | None:
    """The answer to a registration that is there, or None."""
    address = _address(look.asked)
    found = _registered(look, [address] if address else []).get(address or "")
    return None if found is None else _answer(_about_meeting(look) | _registration(found))


def registrants(look: Look) -> HttpResponse | None:
    """The answer to registrations that are all there, or None when none is. NotToBeFound for some of them."""
    wanted = _addresses(look.asked.get("registrants"))
    found = _registered(look, wanted)
    if not _all_or_none(wanted, found):
        return None
    return _answer({"registrants": [{"email": each} | _registration(found[each]) for each in wanted]})


def panelists(look: Look) -> HttpResponse | None:
    """The answer to panelists who are all there, or None when none is. NotToBeFound for some of them."""
    wanted = _addresses(look.asked.get("panelists"))
    listed = look.listed("webinars.panelists.list", look.call.ids, "panelists")
    found = {address: each for each in listed if (address := _address(each)) is not None}
    if not _all_or_none(wanted, {each: found[each] for each in wanted if each in found}):
        return None
    return _answer({"id": look.call.ids["webinarId"]})


def user(look: Look) -> HttpResponse | None:
    """The answer to a user who is there, or has been invited, or None."""
    info = look.asked["user_info"]
    response = look.ask("users.get", {"userId": str(info["email"])})
    if response.status == 200:  # noqa: PLR2004 - HTTP's own number
        found: dict[str, Any] | None = json_object(response.body)
    elif zoom_code(response) in _NO_USER:
        invited = look.listed("users.list", {}, "users", status="pending")
        found = next((each for each in invited if _address(each) == _address(info)), None)
    else:
        raise NotToBeFound
    if found is None or not likeness.created_since(found, look.since):
        return None
    return _answer({name: found[name] for name in _OF_A_USER if name in found})


def _registered(look: Look, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Who of `wanted` has been registered since, by address."""
    missing, found = set(wanted), {}
    kind = look.call.operation.name.partition(".")[0]
    for status in _STATUSES:
        for each in look.listed(f"{kind}.registrants.list", look.call.ids, "registrants", status=status):
            address = _address(each)
            if address in missing and likeness.created_since(each, look.since, member="create_time"):
                found[address] = each
        if missing == found.keys():
            break
    return found


def _registration(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"registrant_id": found.get("id")} | {name: found[name] for name in _OF_A_REGISTRATION if name in found}


def _about_meeting(look: Look) -> dict[str, Any]:
    kind = look.call.operation.name.partition(".")[0]
    try:
        about = json_object(look.read(f"{kind}.get", look.call.ids).body)
    except NotToBeFound:  # the registration is what counts
        about = {}
    return {name: about[name] for name in ("id", "topic", "start_time") if name in about}


def _all_or_none(wanted: Iterable[str], found: Mapping[str, Any]) -> bool:
    missing = set(wanted) - found.keys()
    if missing and found:
        raise NotToBeFound
    return not missing


def _addresses(people: Any) -> list[str]:
    """Everybody's address, or none when somebody has none."""
    found = [_address(each) for each in people if isinstance(each, dict)] if isinstance(people, list) else []
    return [] if None in found else [each for each in found if each is not None]


def _address(person: Mapping[str, Any]) -> str | None:
    address = person.get("email")
    return address.strip().lower() if isinstance(address, str) and address.strip() else None


def _answer(body: Mapping[str, Any]) -> HttpResponse:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpResponse(200, {"content-type": "application/json"}, text)
