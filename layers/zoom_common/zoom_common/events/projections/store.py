"""The projections' records in the Events table, and how a tenant's meetings and users are read from them."""

from __future__ import annotations

import random
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import unquote

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import NotFound, Unavailable
from zoom_common.events.projections.occurrences import Planned
from zoom_common.events.projections.projectors import (
    DEFINITION,
    FILE,
    INSTANCE,
    LOBBY,
    NUMBER,
    RECORDING,
    REGISTRANT,
    USER,
    USERS,
    partition,
    session_sort,
)
from zoom_common.events.projections.record import Change, Record, Stamp
from zoom_common.events.projections.views import Instance, Meeting, user_view

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Zoom's own reports reach a year back; what it adds up to should not be forgotten sooner.
RETENTION_DAYS = 400

_TRIES = 8

_LONGEST_PAUSE = 0.2


class ProjectionStore:
    """Records by tenant, partition and sort key. Every method raises Unavailable when the table cannot be used."""

    OWNED_KEYS: ClassVar = {"projections": (r"[^#]+#(users|(meeting|connection)#.+)", r".+")}

    def __init__(
        self,
        events: Table,
        *,
        retention_days: int = RETENTION_DAYS,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._table = events
        self._retention = retention_days * 86_400
        self._pause = pause

    def apply(self, tenant: str, changes: Iterable[Change], stamp: Stamp, connection: str | None = None) -> None:
        """Merge the changes of one event. Doing it again, or after newer events, is safe."""
        for change in changes:
            self._apply(tenant, change, stamp, connection)

    def read(self, tenant: str, partition: str, prefix: str = "") -> dict[str, Record]:
        """The records of a partition whose sort keys begin with `prefix`, by sort key, read consistently."""
        return {item["sk"]["S"]: _record(item) for item in self._items(f"{tenant}#{partition}", prefix)}

    def page(
        self, tenant: str, partition: str, prefix: str, *, limit: int, after: str | None = None
    ) -> tuple[dict[str, Record], str | None]:
        """Up to `limit` records after the sort key `after`, and the sort key to go on after."""
        key = f"{tenant}#{partition}"
        start = {"ExclusiveStartKey": {"pk": {"S": key}, "sk": {"S": after}}} if after else {}
        answer = self._table.call("query", **_query(key, prefix), **start, Limit=limit)
        last = answer.get("LastEvaluatedKey")
        return {item["sk"]["S"]: _record(item) for item in answer["Items"]}, last["sk"]["S"] if last else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a record goes: the tenant's, for a person those whose key or content names them."""
        tenant, _, partition = str(item["pk"]).partition("#")
        if not target.owns(tenant):
            return False
        named = target.names([*partition.split("#"), *str(item["sk"]).split("#")])
        return target.whole_tenant or named or target.is_named_in_json(zlib.decompress(item["record"]))

    def _apply(self, tenant: str, change: Change, stamp: Stamp, connection: str | None) -> None:
        key = {"pk": {"S": f"{tenant}#{change.partition}"}, "sk": {"S": change.sort}}
        for attempt in range(_TRIES):
            item = self._table.call("get_item", Key=key, ConsistentRead=True).get("Item")
            known = _record(item) if item else Record()
            merged = known.merged(change, stamp, connection)
            if item and merged == known:
                return
            if self._put(key, merged, int(item["version"]["N"]) if item else 0):
                return
            self._pause(random.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))  # noqa: S311 - jitter
        raise Unavailable(reason="projection_contended")

    def _put(self, key: Mapping[str, Any], record: Record, seen: int) -> bool:
        """Write the next version; False when another worker did."""
        item = {
            **key,
            "record": {"B": zlib.compress(record.to_json().encode())},
            "version": {"N": str(seen + 1)},
            "expires_at": {"N": str(record.newest_ms // 1000 + self._retention)},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if seen:
            condition = {
                "ConditionExpression": "version = :seen",
                "ExpressionAttributeValues": {":seen": {"N": str(seen)}},
            }
        try:
            self._table.call("put_item", Item=item, **condition)
        except ConditionFailed:
            return False
        return True

    def _items(self, key: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        for page in self._table.pages("query", **_query(key, prefix)):
            yield from page["Items"]


def _query(key: str, prefix: str) -> dict[str, Any]:
    condition, values = "pk = :pk", {":pk": {"S": key}}
    if prefix:
        condition, values = f"{condition} AND begins_with(sk, :prefix)", {**values, ":prefix": {"S": prefix}}
    return {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, "ConsistentRead": True}


def _record(item: Mapping[str, Any]) -> Record:
    return Record.from_json(zlib.decompress(item["record"]["B"]))


_NUMBER = re.compile(r"[0-9]{1,20}")

_UUID = re.compile(r"[A-Za-z0-9+/]{20,40}={0,2}")

_NAME = re.compile(r"[\x21-\x7e]{1,120}")

# The connections whose events a caller may see; None for all of its tenant's.
type Reach = frozenset[str] | None


class Records(Protocol):
    """The stored projections."""

    def read(self, tenant: str, partition: str, prefix: str = "") -> dict[str, Record]:
        """Records by sort key."""
        ...


class MeetingReader:
    """One tenant's view, within a caller's reach. Methods raise NotFound for what no event told of, and Unavailable."""

    def __init__(self, records: Records, *, clock: Callable[[], float] | None = None) -> None:
        """`clock` tells epoch seconds; without it no meeting is assumed to be over because of its age."""
        self._records = records
        self._clock = clock

    def state(self, tenant: str, number: str, reach: Reach = None) -> dict[str, Any]:
        """The meeting's state with the live roster. A meeting is named by its number or the uuid of an instance."""
        meeting = self._meeting(tenant, number, reach)
        instances = meeting.instances()
        wanted = [instances[-1].uuid] if instances and (instances[-1].live or instances[-1].ended is None) else []
        lobby = meeting.lobby()
        return self._with_sessions(tenant, meeting, [*wanted, *([lobby] if lobby else [])]).state()

    def attendance(
        self,
        tenant: str,
        number: str,
        uuid: str | None = None,
        reach: Reach = None,
        *,
        occurrence: int | None = None,
        present_from: float | None = None,
    ) -> dict[str, Any]:
        """Who was in one instance (the one named, else the last one), or in one occurrence by its planned start."""
        meeting = self._meeting(tenant, number, reach)
        instances = meeting.instances()
        uuid = decoded_uuid(uuid) if uuid else None
        if uuid is None and occurrence is None and not is_number(number):
            uuid = decoded_uuid(number)
        open_ended = [each.uuid for each in instances if each.ended is None]
        if occurrence is None:
            chosen = _chosen(instances, uuid)
            meeting = self._with_sessions(tenant, meeting, {*open_ended, chosen.uuid})
            return meeting.attendance(chosen, present_from)
        meeting = self._with_sessions(tenant, meeting, open_ended)
        planned = meeting.planned() or [Planned(occurrence)]
        of = meeting.occurrences(planned)
        used = {name for name, plan in of.items() if plan is not None and plan.start == occurrence}
        found = self._with_sessions(tenant, meeting, used - {*open_ended}).occurrence(occurrence, present_from)
        if found is None:
            raise NotFound("No such occurrence is planned.", reason="unknown_occurrence", code=3001)
        return found

    def registrations(self, tenant: str, number: str, reach: Reach = None) -> list[dict[str, Any]]:
        """The registrants."""
        return self._with(tenant, self._meeting(tenant, number, reach), REGISTRANT).registrations()

    def recordings(self, tenant: str, number: str, reach: Reach = None) -> list[dict[str, Any]]:
        """The cloud recordings of every instance."""
        return self._with(tenant, self._meeting(tenant, number, reach), FILE).recordings()

    def user(self, tenant: str, user: str, reach: Reach = None) -> dict[str, Any]:
        """One user of the Zoom account."""
        found = self._records.read(tenant, USERS, USER + user) if _NAME.fullmatch(user) else {}
        record = found.get(USER + user)
        if record is None or not _visible([record], reach):
            raise NotFound("User does not exist.", reason="unknown_user", code=1001)
        return user_view(user, record)

    def _meeting(self, tenant: str, number: str, reach: Reach) -> Meeting:
        """What is known of the meeting itself: its definition, instances, recordings, who is waited for."""
        now = None if self._clock is None else int(self._clock() * 1000)
        unread = Meeting(self._number(tenant, number), {}, now)
        meeting = self._with(tenant, unread, DEFINITION, INSTANCE, LOBBY, RECORDING)
        if not _visible(meeting.records.values(), reach):
            raise NotFound("No event has told of this meeting.", reason="unknown_meeting", code=3001)
        return meeting

    def _number(self, tenant: str, name: str) -> str:
        """The number of the meeting that `name` names: itself, or the uuid of one of its instances."""
        if is_number(name):
            return _compact(name)
        uuid = decoded_uuid(name)
        found = self._records.read(tenant, partition(uuid), NUMBER) if _UUID.fullmatch(uuid) else {}
        if NUMBER not in found:
            raise NotFound("No event has told of this meeting.", reason="unknown_meeting", code=3001)
        return str(found[NUMBER].values["number"])

    def _with(self, tenant: str, meeting: Meeting, *prefixes: str) -> Meeting:
        records: Mapping[str, Record] = meeting.records
        for prefix in prefixes:
            records = {**records, **self._records.read(tenant, partition(meeting.number), prefix)}
        return Meeting(meeting.number, records, meeting.now)

    def _with_sessions(self, tenant: str, meeting: Meeting, uuids: Iterable[str]) -> Meeting:
        return self._with(tenant, meeting, *(session_sort(uuid) for uuid in uuids))


def _chosen(instances: list[Instance], uuid: str | None) -> Instance:
    found = [each for each in instances if uuid is None or each.uuid == uuid]
    if not found:
        raise NotFound("No such instance of the meeting is known.", reason="unknown_instance", code=3001)
    return found[-1]


def decoded_uuid(text: str) -> str:
    """Return a uuid that came raw, once or twice percent-encoded. It is base64: a space was a plus sign, "%" never is.

    https://developers.zoom.us/docs/api/using-zoom-apis/#meeting-id-and-uuid
    """
    once = unquote(text) if "%" in text else text
    twice = unquote(once) if "%" in once else once
    return twice.replace(" ", "+")


def _compact(number: str) -> str:
    return number.replace(" ", "").replace("-", "")  # as people write it


def is_number(name: str) -> bool:
    """Return whether a meeting is named by its number, also as people write it; else it is a uuid."""
    return _NUMBER.fullmatch(_compact(name)) is not None


def _visible(records: Iterable[Record], reach: Reach) -> bool:
    return any(reach is None or record.connections & reach for record in records)
