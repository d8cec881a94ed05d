"""Which Zoom user ids stored events tell for an e-mail address. Only members that Zoom documents to be one person's.

A registrant's `id` is not a Zoom user id, and a participant's `user_id` is one session.
https://developers.zoom.us/docs/api/meetings/events/ and https://developers.zoom.us/docs/api/users/events/
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from zoom_common.events.log_items import content_of
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.users import PARTITION, USER

# Members that name one person together: the address, then the id.
_ANYWHERE = (("host_email", "host_id"), ("operator", "operator_id"))
_PARTICIPANT = (("email", "id"), ("email", "participant_user_id"))
_USER = (("email", "id"),)
_RECORD = (("host_email", "host_id"), ("email", "zoom_user_id"))


def zoom_user_ids(item: Mapping[str, Any], email: str) -> frozenset[str]:
    """Return the Zoom user ids that an item of the Events table tells for a case-folded e-mail address.

    The item has plain values, and an entry its whole `body`. What cannot be read tells nothing.
    """
    try:
        found = set(_in_record(item, email) if "record" in item else _in_entry(item, email))
    except (ValueError, TypeError, KeyError, RecursionError, zlib.error):
        return frozenset()
    return frozenset(each for each in found if each)


def _in_entry(item: Mapping[str, Any], email: str) -> Iterator[str]:
    document = json.loads(content_of(item) or b"{}")
    of_a_user = str(item.get("type", "")).startswith("zoom.user.")
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, dict):
            yield from _paired(value, _ANYWHERE, email)
            if name == "participant":
                yield from _paired(value, _PARTICIPANT, email)
            if of_a_user and name in {"object", "old_object"}:
                yield from _paired(value, _USER, email)
            waiting += value.items()


def _in_record(item: Mapping[str, Any], email: str) -> Iterator[str]:
    values = Record.from_json(zlib.decompress(item["record"])).values
    yield from _paired(values, _RECORD, email)
    if str(item["pk"]).endswith(f"#{PARTITION}"):
        yield from _paired(values | {"id": str(item["sk"]).removeprefix(USER)}, _USER, email)


def _paired(value: Mapping[str, Any], pairs: tuple[tuple[str, str], ...], email: str) -> Iterator[str]:
    for address, name in pairs:
        said, user = value.get(address), value.get(name)
        if isinstance(said, str) and said.casefold() == email and isinstance(user, str):
            yield user
