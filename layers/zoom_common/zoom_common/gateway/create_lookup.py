"""Finds what a create may have made when its answer was lost: meetings, webinars, registrants, panelists, users."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from zoom_common.errors import GatewayError
from zoom_common.gateway.context import Call
from zoom_common.gateway.http_client import ZoomApiClient
from zoom_common.zoom.api import zoom_code
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import named

# Zoom's clock and ours differ, and Zoom's `created_at` has whole seconds.
_SKEW = 5.0

_TEXTS = ("topic", "agenda", "password")

_NUMBERS = ("type", "duration")


def created_since(found: Mapping[str, Any], since: float, *, member: str = "created_at") -> bool:
    """Return whether it was created at `since` (epoch seconds) or later. Without a time of creation, return False."""
    created = instant(found.get(member), None)
    return created is not None and created >= since - _SKEW


def matches(asked: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Return whether `found`, from a list or a single read, has every value of `asked`, the body of a create."""
    same_texts = all(_same(asked.get(name), found.get(name), _text) for name in _TEXTS)
    same_numbers = all(_same(asked.get(name), found.get(name), _number) for name in _NUMBERS)
    return same_texts and same_numbers and _same_start(asked, found)


def _same_start(asked: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    start = instant(asked.get("start_time"), asked.get("timezone"))
    theirs = instant(found.get("start_time"), found.get("timezone"))
    # A series has the start of one of its dates, and a local time without a zone is in the host's zone. Neither is
    # compared.
    return start is None or theirs is None or "recurrence" in asked or int(start) == int(theirs)


def _same(asked: Any, found: Any, read: Any) -> bool:
    return asked in {None, ""} or found is None or read(asked) == read(found)


def _text(value: Any) -> str:
    return " ".join(str(value).split())


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def instant(value: Any, zone: Any) -> float | None:
    """Return the epoch seconds of an ISO time, local to the zone named `zone` without an offset. None if unreadable."""
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(str(zone))) if zone else None  # type: ignore[assignment]
    except (ValueError, OSError, KeyError):
        return None
    return None if when is None else when.timestamp()


_MOST_PAGES = 5
# Of people of one meeting, so that the latest of some thousands are found too. The call's deadline ends it before.
_MOST_PAGES_OF_PEOPLE = 40


class LookupInconclusive(Exception):
    """It cannot be decided whether it was made: it is in no list, the lists failed, or several entries match."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A search for what `call` may have made since `since` (epoch seconds). Methods raise LookupInconclusive."""

    client: ZoomApiClient
    call: Call
    since: float

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body of the create."""
        return json_object(self.call.body)

    def ask(self, name: str, ids: Mapping[str, str]) -> HttpResponse:
        """Return Zoom's answer to a single read, whatever its status."""
        return self._ask(self.call.derived(named(name), ids))

    def read(self, name: str, ids: Mapping[str, str]) -> HttpResponse:
        """Return Zoom's answer to a single read that succeeded."""
        return _succeeded(named(name), self.ask(name, ids))

    def listed(self, name: str, ids: Mapping[str, str], members: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the members of a list, page by page. Raises LookupInconclusive after too many pages without an end."""
        operation, token = named(name), ""
        most = _MOST_PAGES_OF_PEOPLE if members == _PEOPLE else _MOST_PAGES
        for page in range(1, most + 1):
            parameters = _page(operation, query, page, token)
            call = self.call.derived(operation, ids, urlencode(parameters, quote_via=quote))
            found = json_object(_succeeded(operation, self._ask(call)).body)
            yield from (each for each in found.get(members) or [] if isinstance(each, dict))
            token = str(found.get("next_page_token") or "")
            if not token and page >= int(found.get("page_count") or 0):
                return
        raise LookupInconclusive

    def _ask(self, call: Call) -> HttpResponse:
        try:
            return self.client.send(call)
        except GatewayError as error:
            call.stats.reason = error.reason
            raise LookupInconclusive from None


def json_object(text: bytes) -> dict[str, Any]:
    """The JSON object in `text`; an empty one when it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _page(operation: Operation, query: Mapping[str, str], page: int, token: str) -> dict[str, str]:
    taken = {each.name for each in operation.query}
    paging = {"page_size": "300", **({"next_page_token": token} if token else {})}
    if "next_page_token" not in taken:
        paging = {"page_size": "300", "page_number": str(page)}
    return {**query, **{name: value for name, value in paging.items() if name in taken}}


def _succeeded(operation: Operation, response: HttpResponse) -> HttpResponse:
    if response.status != operation.success:
        raise LookupInconclusive
    return response


_STATUSES = ("approved", "pending", "denied")

# https://developers.zoom.us/docs/api/users/: there is no such user, or they have not accepted the invitation.
_NO_USER = {1001, 1120}

_PEOPLE = "registrants"

_OF_A_REGISTRATION = ("join_url", "participant_pin_code")

_OF_A_USER = ("id", "email", "first_name", "last_name", "type")


def names_one(asked: Mapping[str, Any]) -> bool:
    """Return whether a registrant's body has an e-mail address."""
    return _address(asked) is not None


def names_user(asked: Mapping[str, Any]) -> bool:
    """Return whether a user's body has an e-mail address."""
    info = asked.get("user_info")
    return isinstance(info, dict) and names_one(info)


def names_many(member: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return a check that each person in the list `member` has an e-mail address."""
    return lambda asked: bool(_addresses(asked.get(member)))


def registrant(look: Lookup) -> HttpResponse | None:
    """Return the answer to a registration that exists, or None."""
    address = _address(look.body)
    found = _registered(look, [address] if address else []).get(address or "")
    return None if found is None else _answer(_about_meeting(look) | _registration(found))


def registrants(look: Lookup) -> HttpResponse | None:
    """Return the answer when all registrations exist, None when none does. Raises LookupInconclusive for some."""
    wanted = _addresses(look.body.get("registrants"))
    found = _registered(look, wanted)
    if not _all_or_none(wanted, found):
        return None
    return _answer({"registrants": [{"email": each} | _registration(found[each]) for each in wanted]})


def panelists(look: Lookup) -> HttpResponse | None:
    """Return the answer when all panelists exist, None when none does. Raises LookupInconclusive for some."""
    wanted = _addresses(look.body.get("panelists"))
    listed = look.listed("webinars.panelists.list", look.call.ids, "panelists")
    found = {address: each for each in listed if (address := _address(each)) is not None}
    if not _all_or_none(wanted, {each: found[each] for each in wanted if each in found}):
        return None
    return _answer({"id": look.call.ids["webinarId"]})


def user(look: Lookup) -> HttpResponse | None:
    """Return the answer for a user who exists or has been invited, or None."""
    info = look.body["user_info"]
    response = look.ask("users.get", {"userId": str(info["email"])})
    if response.status == 200:  # noqa: PLR2004 - HTTP's own number
        found: dict[str, Any] | None = json_object(response.body)
    elif zoom_code(response) in _NO_USER:
        invited = look.listed("users.list", {}, "users", status="pending")
        found = next((each for each in invited if _address(each) == _address(info)), None)
    else:
        raise LookupInconclusive
    if found is None or not created_since(found, look.since):
        return None
    return _answer({name: found[name] for name in _OF_A_USER if name in found})


def _registered(look: Lookup, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return those of `wanted` who have been registered since, by e-mail address."""
    missing, found = set(wanted), {}
    kind = look.call.operation.name.partition(".")[0]
    for status in _STATUSES:
        for each in look.listed(f"{kind}.registrants.list", look.call.ids, _PEOPLE, status=status):
            address = _address(each)
            if address in missing and created_since(each, look.since, member="create_time"):
                found[address] = each
        if missing == found.keys():
            break
    return found


def _registration(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"registrant_id": found.get("id")} | {name: found[name] for name in _OF_A_REGISTRATION if name in found}


def _about_meeting(look: Lookup) -> dict[str, Any]:
    kind = look.call.operation.name.partition(".")[0]
    try:
        about = json_object(look.read(f"{kind}.get", look.call.ids).body)
    except LookupInconclusive:  # the registration is what counts
        about = {}
    return {name: about[name] for name in ("id", "topic", "start_time") if name in about}


def _all_or_none(wanted: Iterable[str], found: Mapping[str, Any]) -> bool:
    missing = set(wanted) - found.keys()
    if missing and found:
        raise LookupInconclusive
    return not missing


def _addresses(people: Any) -> list[str]:
    """Return all e-mail addresses, or an empty list when a person has none."""
    found = [_address(each) for each in people if isinstance(each, dict)] if isinstance(people, list) else []
    return [] if None in found else [each for each in found if each is not None]


def _address(person: Mapping[str, Any]) -> str | None:
    address = person.get("email")
    return address.strip().lower() if isinstance(address, str) and address.strip() else None


def _answer(body: Mapping[str, Any]) -> HttpResponse:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpResponse(200, {"content-type": "application/json"}, text)


_INSTANT = 1

# These make links and numbers to join by. Making them twice does no harm, because both work.
HARMLESS_TWICE = frozenset(
    f"{kind}.{what}" for kind in ("meetings", "webinars") for what in ("invite_links", "sip_dialing")
)


@dataclass(frozen=True, slots=True)
class ListedAt:
    """Where to find what an operation makes: the list, the name of its members, the single read and its id's name."""

    listing: str
    members: str
    single: str
    identifier: str

    def named(self, asked: Mapping[str, Any]) -> bool:
        """Return whether it is ever listed. Instant meetings are not."""
        return asked.get("type") not in {_INSTANT, str(_INSTANT)}

    def find(self, look: Lookup) -> list[tuple[str, HttpResponse]]:
        """Return the ids and single reads of all that match the create and were created since."""
        asked = look.body
        user = {"userId": str(asked["schedule_for"])} if asked.get("schedule_for") else look.call.ids
        ids = dict.fromkeys(
            str(each["id"])
            for each in look.listed(self.listing, user, self.members, type="scheduled")
            if "id" in each and created_since(each, look.since) and matches(asked, each)
        )
        read = ((made, look.read(self.single, {self.identifier: made})) for made in ids)
        return [(made, response) for made, response in read if matches(asked, json_object(response.body))]


# Several meetings may match, so each is bound to the key that made it.
LISTED_AT = {
    "meetings.create": ListedAt("meetings.list", "meetings", "meetings.get", "meetingId"),
    "webinars.create": ListedAt("webinars.list", "webinars", "webinars.get", "webinarId"),
}

# An e-mail address identifies one person, so these are bound to no key.
_BY_ADDRESS: dict[str, tuple[Callable[[Mapping[str, Any]], bool], Callable[[Lookup], HttpResponse | None]]] = {
    **{
        name: found
        for kind in ("meetings", "webinars")
        for name, found in (
            (f"{kind}.registrants.add", (names_one, registrant)),
            (f"{kind}.registrants.batch", (names_many("registrants"), registrants)),
        )
    },
    "webinars.panelists.add": (names_many("panelists"), panelists),
    "users.create": (names_user, user),
}


def can_be_found(call: Call) -> bool:
    """Return whether what this create makes can be found at all."""
    name, asked = call.operation.name, json_object(call.body)
    if name in LISTED_AT:
        return LISTED_AT[name].named(asked)
    return name in _BY_ADDRESS and _BY_ADDRESS[name][0](asked)


def candidates(client: ZoomApiClient, call: Call, *, since: float) -> list[tuple[str | None, HttpResponse]]:
    """Return everything that matches the create `call` and was created since `since` (epoch seconds), as Zoom shows it.

    Each comes with its id where several may match, else with None. Raises LookupInconclusive.
    """
    if not can_be_found(call):
        raise LookupInconclusive
    look, name = Lookup(client, call, since), call.operation.name
    if name in LISTED_AT:
        return list(LISTED_AT[name].find(look))
    found = _BY_ADDRESS[name][1](look)
    return [] if found is None else [(None, found)]


def made_by(call: Call, response: HttpResponse) -> str | None:
    """Return the id of what a create made, if it is bound to the key."""
    if call.operation.name not in LISTED_AT or response.status != call.operation.success:
        return None
    made = json_object(response.body).get("id")
    return None if made is None else str(made)
