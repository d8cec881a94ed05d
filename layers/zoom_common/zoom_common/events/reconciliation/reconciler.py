"""Compares a connection's events with what Zoom reports for two hours ago and older, and sends what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Protocol

from zoom_common.deadline import Deadline
from zoom_common.events.log.index import LogPage
from zoom_common.events.log.query import LARGEST_PAGE, LogQuery
from zoom_common.events.projections.keys import (
    COMPARED,
    DEFINITION,
    INSTANCE,
    RECORDING,
    SETTLED,
    file_sort,
    partition,
    session_sort,
)
from zoom_common.events.projections.meeting import Instance, Meeting
from zoom_common.events.projections.record import Change, Record
from zoom_common.events.projections.settling import comparison, people_digest
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.missing_events import missing_recordings
from zoom_common.events.reconciliation.past import NotShown, Past, PastMeetings, PastWebinars
from zoom_common.events.reconciliation.plans import Plans
from zoom_common.events.reconciliation.zoom_reader import Lists, Read, ZoomReader
from zoom_common.events.routing import HostStore
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.events import epoch_ms, identifier
from zoom_common.zoom.operations.table import encoded_twice

SETTLED_SECONDS = 2 * 3600
LOOKBACK_SECONDS = 48 * 3600
# That Zoom does not show the list of webinars is remembered for less than half of the days looked back.
_REFUSED = "refused#webinars"
_ASK_AGAIN_SECONDS = 20 * 3600
# An instance that Zoom does not show although it could is waited for so long.
_REPORTED_MS = 24 * 3_600_000
# What one more instance may take; what is left waits for the next run.
_RESERVE_SECONDS = 30.0


class Connected(Protocol):
    """What is to be known of a connection."""

    @property
    def tenant(self) -> str: ...  # noqa: D102
    @property
    def connection_id(self) -> str: ...  # noqa: D102
    @property
    def client_id(self) -> str: ...  # noqa: D102
    @property
    def zoom_user_id(self) -> str | None: ...  # noqa: D102
    @property
    def zoom_account_id(self) -> str: ...  # noqa: D102


class Lines(Protocol):
    """The event log's lines."""

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        """One page."""
        ...


class SettledAttendance(Protocol):
    """Where settled attendance is published."""

    def publish(
        self, *, tenant: str, connection_id: str, app: str, attendance: dict[str, Any], content: str = ""
    ) -> bool:
        """Publish one; a later revision goes by its `content`. Return whether it is published. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it."""

    compared: int
    missing: int
    settled: int
    """How many occurrences and unplanned instances had their attendance published as settled."""
    complete: bool
    """False when time ran out: the next run goes on."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """What Zoom does not show this connection, by path without ids, and why."""
    partial: Mapping[str, str] = field(default_factory=dict)
    """Which of meetings, webinars and recordings could not be found or not be compared in whole, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """One connection at a time. `send` takes deliveries that go the way of every delivery from then on."""

    projections: ProjectionStore
    lines: Lines
    hosts: HostStore
    publisher: SettledAttendance
    send: Callable[[Sequence[Delivery]], None]
    clock: Callable[[], float]
    settled: float = SETTLED_SECONDS
    lookback: float = LOOKBACK_SECONDS

    def reconcile(self, connection: Connected, read: Read, deadline: Deadline) -> Reconciled:
        """Compare and send what is missing. Raises what `read` raises: nothing is half done, a later run repeats it.

        What Zoom does not show is left out and named in what comes back.
        """
        reader = ZoomReader(read)
        lists = Lists(reader, connection.zoom_user_id, now=self.clock(), lookback=self.lookback)
        meetings, webinars = self._kinds(connection, lists)
        plans = Plans(
            self.projections,
            self.hosts,
            connection.tenant,
            connection.client_id,
            connection.zoom_account_id,
            reader,
            self.clock,
        )
        plans.find_hosts(meetings, webinars)
        logged, tally = self._in_log(connection), _Tally()
        at = _Round(connection, plans, deadline, tally, logged.instances)
        # Webinars last: should Zoom fail at them, all the rest has been sent.
        complete = (
            self._held(at, meetings, logged.numbers["meeting"])
            and self._recorded(at, lists)
            and self._held(at, webinars, logged.numbers["webinar"])
        )
        reasons = (("meetings", meetings.why_not()), ("webinars", webinars.why_not()))
        partial = {what: why for what, why in (*reasons, ("recordings", lists.why_not_recorded())) if why}
        return Reconciled(tally.compared, tally.missing, tally.settled, complete, dict(reader.unseen), partial)

    def planned(self, connection: Connected, reader: ZoomReader) -> list[tuple[str, str]]:
        """Return family and number of the meetings and webinars that were planned for the period, and that recur.

        Raises what `read` raises.
        """
        lists = Lists(reader, connection.zoom_user_id, now=self.clock(), lookback=self.lookback)
        kinds = self._kinds(connection, lists)
        return sorted(
            (kind.family, number) for kind in kinds for number, row in kind.planned.items() if lists.in_period(row)
        )

    def _kinds(self, connection: Connected, lists: Lists) -> tuple[PastMeetings, PastWebinars]:
        webinars = PastWebinars(
            lists,
            connection.zoom_account_id,
            worth_asking=lambda: self._worth_asking(connection),
            refused=lambda: self._refused(connection),
        )
        return PastMeetings(lists, connection.zoom_account_id), webinars

    def _held(self, at: _Round, past: Past, logged: Sequence[str]) -> bool:
        """Compare all instances of one kind; False when time ran out."""
        seen: set[str] = set()
        for number in _each_once(logged, past.numbers()):
            instances = self._instances(at, past, number, seen)
            if not instances:
                continue
            for uuid, started in instances.items():
                if not at.deadline.allows(_RESERVE_SECONDS):
                    return False
                found = self._compare(at.connection, past, number, uuid, started)
                if found is not None:
                    at.tally.compared += 1
                    at.tally.missing += found
            at.tally.settled += self._settle(at, past.family, number)
        return True

    def _compare(self, connection: Connected, past: Past, number: str, uuid: str, started: int) -> int | None:
        """How many events were missing of one instance; None when it is not over or was compared before.

        An instance of which events were missing is compared again in the next round, when they have been processed, and
        one whose people have changed since.
        """
        tenant, place = connection.tenant, partition(number)
        records = self._records(tenant, place, DEFINITION, INSTANCE, session_sort(uuid), COMPARED + uuid)
        before = records.get(COMPARED + uuid, Record()).values
        # One that began again after it was compared is compared again, should Zoom ever hold two under one UUID.
        again = started > before.get("ended_ms", started)
        now_ms = int(self.clock() * 1000)
        known, settled_ms = Meeting(number, records, now_ms), now_ms - int(self.settled * 1000)
        people = _people(known, uuid)
        changed = before.get("people", people) != people
        if before and before.get("settled", True) and before.get("shown", True) and not again and not changed:
            return None
        try:
            instance = past.instance(uuid, known, settled_ms)
        except NotShown:
            held = [each for each in known.instances() if each.uuid == uuid]
            if held and held[0].record.values.get("kind") == past.family:
                denied = past.why_not() is not None
                self._without_report(connection, known, held[0], settled_ms if denied else now_ms - _REPORTED_MS)
            return None
        if instance is None:
            return None
        bodies = instance.missing(known)
        self._send(connection, bodies)
        held = [each for each in known.instances() if each.uuid == uuid]
        said = {
            "at_ms": now_ms,
            "ended_ms": max(instance.ended_ms, started),
            "shown": True,
            "people": people,
            "settled": not bodies or before.get("settled", False) or (bool(before) and not again),
            **comparison(known.people(held), instance.participants),
        }
        self.projections.apply(tenant, [Change(place, COMPARED + uuid, said)], (now_ms, ""))
        return len(bodies)

    def _without_report(self, connection: Connected, known: Meeting, held: Instance, until_ms: int) -> None:
        """Settle an instance that Zoom does not show, where it was over by `until_ms`.

        Should Zoom show it later, it is compared all the same.
        """
        ended = known.end(held)
        before, people = known.records.get(COMPARED + held.uuid, Record()).values, _people(known, held.uuid)
        if ended is not None and ended <= until_ms and (not before or before.get("people", people) != people):
            now_ms = int(self.clock() * 1000)
            said = {"at_ms": now_ms, "ended_ms": ended, "shown": False, "settled": True, "people": people}
            said |= comparison([], [])
            change = Change(partition(known.number), COMPARED + held.uuid, said)
            self.projections.apply(connection.tenant, [change], (now_ms, ""))

    def _settle(self, at: _Round, family: str, number: str) -> int:
        """Publish the attendance that is settled and was not published as it is now. Return how many."""
        connection = at.connection
        place, now_ms = partition(number), int(self.clock() * 1000)
        records = self._records(connection.tenant, place, DEFINITION, INSTANCE, COMPARED, SETTLED)
        instances = Meeting(number, records).instances()
        if any(each.record.values.get("kind") == family for each in instances):
            records[DEFINITION] = at.plans.ask(family, number, records.get(DEFINITION, Record()))
        open_ended = [each.uuid for each in instances if each.ended is None]
        records |= self._records(connection.tenant, place, *map(session_sort, open_ended))
        published = 0
        for group in Meeting(number, records, now_ms).settled_groups(now_ms):
            sessions = self._records(connection.tenant, place, *(session_sort(uuid) for uuid in group.uuids))
            attendance = Meeting(number, {**records, **sessions}, now_ms).settled(group)
            done = self.publisher.publish(
                tenant=connection.tenant,
                connection_id=connection.connection_id,
                app=connection.client_id,
                attendance=attendance,
                content=group.content,
            )
            if done:
                said = {"uuids": list(group.uuids), "revision": group.revision, "content": group.content}
                change = Change(place, group.sort, {"at_ms": now_ms, **said})
                self.projections.apply(connection.tenant, [change], (now_ms, ""))
                published += 1
        return published

    def _recorded(self, at: _Round, lists: Lists) -> bool:
        """Send the recordings that are missing, in whole or in part; False when time ran out."""
        connection = at.connection
        for listed in lists.recorded:
            number, uuid = identifier(listed.get("id")), identifier(listed.get("uuid"))
            ended = [epoch_ms(file.get("recording_end")) or 0 for file in listed.get("recording_files") or []]
            if not number or not uuid or max(ended, default=0) / 1000 > self.clock() - self.settled:
                continue
            if not at.deadline.allows(_RESERVE_SECONDS):
                return False
            records = self._records(connection.tenant, partition(number), RECORDING + uuid, file_sort(uuid))
            known = Meeting(number, records)
            if missing_recordings(connection.zoom_account_id, listed, known):
                whole = lists.reader.get(f"/v2/meetings/{encoded_twice(uuid)}/recordings") or listed
                bodies = missing_recordings(connection.zoom_account_id, whole, known)
                self._send(connection, bodies)
                at.tally.missing += len(bodies)
        return True

    def _instances(self, at: _Round, past: Past, number: str, seen: set[str]) -> dict[str, int]:
        """Last beginning, by UUID, of the times it may have been held in the period and that were not `seen`.

        With times before that which were compared, and whose people were changed by an event of the period.
        """
        records = self.projections.read(at.connection.tenant, partition(number), INSTANCE)
        known = [(each.uuid, each.started or 0) for each in Meeting(number, records).instances()]
        times: dict[str, int] = {}
        for uuid, started in (*past.times(number), *known):
            times[uuid] = max(started, times.get(uuid, 0))
        since_ms = (self.clock() - self.lookback) * 1000
        found = {
            uuid: started
            for uuid, started in times.items()
            if uuid not in seen
            and (started > since_ms or (uuid in at.logged and self._has_changed(at.connection, number, uuid, records)))
        }
        seen |= found.keys()
        return found

    def _has_changed(self, connection: Connected, number: str, uuid: str, instances: Mapping[str, Record]) -> bool:
        """Return whether an instance was compared and has other people since."""
        own = self._records(connection.tenant, partition(number), session_sort(uuid), COMPARED + uuid)
        before = own.get(COMPARED + uuid, Record()).values
        known = Meeting(number, {**instances, **own}, int(self.clock() * 1000))
        return "people" in before and before["people"] != _people(known, uuid)

    def _in_log(self, connection: Connected) -> _Logged:
        """What the connection's log is about."""
        query = LogQuery.within(
            now=self.clock(),
            retention_days=30,
            since_ms=int((self.clock() - self.lookback) * 1000),
            page_size=LARGEST_PAGE,
        )
        numbers: dict[str, dict[str, None]] = {"meeting": {}, "webinar": {}}
        instances = set()
        while True:
            page = self.lines.search(connection.tenant, query, frozenset({connection.connection_id}))
            for line in page.lines:
                # Recordings of meetings and of webinars are listed alike.
                place, _, number = (line.subject or "").partition("/")
                if place in {"meetings", "webinars"} and number.isdigit():
                    numbers[place.removesuffix("s")][number] = None
                if line.uuid:
                    instances.add(line.uuid)
            if page.after is None:
                return _Logged({family: list(found) for family, found in numbers.items()}, instances)
            query = replace(query, after=page.after)

    def _worth_asking(self, connection: Connected) -> bool:
        """Whether it is time to ask again for a list that Zoom did not show this connection."""
        record = self.projections.read(connection.tenant, _of(connection), _REFUSED).get(_REFUSED)
        return record is None or record.newest_ms / 1000 < self.clock() - _ASK_AGAIN_SECONDS

    def _refused(self, connection: Connected) -> None:
        now_ms = int(self.clock() * 1000)
        change = Change(_of(connection), _REFUSED, {"at_ms": now_ms})
        self.projections.apply(connection.tenant, [change], (now_ms, ""))

    def _records(self, tenant: str, place: str, *prefixes: str) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for prefix in prefixes:
            found |= self.projections.read(tenant, place, prefix)
        return found

    def _send(self, connection: Connected, bodies: Sequence[bytes]) -> None:
        now_ms = int(self.clock() * 1000)
        self.send([Delivery(connection.client_id, body, now_ms, reconciled=True) for body in bodies])


@dataclass(slots=True)
class _Tally:
    compared: int = 0
    missing: int = 0
    settled: int = 0


@dataclass(frozen=True, slots=True)
class _Logged:
    """Numbers of meetings and of webinars by family, and UUIDs of instances."""

    numbers: Mapping[str, Sequence[str]]
    instances: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class _Round:
    """What one round for one connection needs throughout."""

    connection: Connected
    plans: Plans
    deadline: Deadline
    tally: _Tally
    logged: AbstractSet[str]
    """UUIDs of the instances that the log of the period names."""


def _people(known: Meeting, uuid: str) -> str:
    """Return the digest of who was in an instance when; empty without an instance."""
    held = [each for each in known.instances() if each.uuid == uuid]
    return people_digest(known.people(held), held[0].started, known.end(held[0])) if held else ""


def _of(connection: Connected) -> str:
    return f"connection#{connection.connection_id}"


def _each_once(*sources: Iterable[str]) -> Iterator[str]:
    """In order, and the later sources only when they are needed."""
    seen = set()
    for each in chain.from_iterable(sources):
        if each not in seen:
            seen.add(each)
            yield each
