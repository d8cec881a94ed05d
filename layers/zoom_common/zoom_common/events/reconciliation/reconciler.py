"""Compares a connection's events with what Zoom reports for two hours ago and older, and sends what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from zoom_common.deadline import Deadline
from zoom_common.events.log.index import LARGEST_PAGE, LogPage, LogQuery
from zoom_common.events.projections.projectors import (
    DEFINITION,
    INSTANCE,
    RECORDING,
    file_sort,
    partition,
    session_sort,
)
from zoom_common.events.projections.record import Change, Record, Stamp
from zoom_common.events.projections.views import Meeting
from zoom_common.events.reconciliation.past import Past, PastMeetings, PastWebinars, missing_recordings
from zoom_common.events.reconciliation.zoom_reader import Lists, Read, ZoomReader
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.events import epoch_ms, identifier
from zoom_common.zoom.operations.table import encoded_twice

SETTLED_SECONDS = 2 * 3600
LOOKBACK_SECONDS = 48 * 3600
# An instance that has been compared is not asked about again: the next run starts with what is new.
_COMPARED = "compared#"
# That Zoom does not show the list of webinars is remembered for less than half of the days looked back.
_REFUSED = "refused#webinars"
_ASK_AGAIN_SECONDS = 20 * 3600
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


class Projections(Protocol):
    """What the events add up to."""

    def read(self, tenant: str, partition: str, prefix: str = "") -> dict[str, Record]:
        """Records by sort key."""
        ...

    def apply(self, tenant: str, changes: Iterable[Change], stamp: Stamp, connection: str | None = None) -> None:
        """Merge changes."""
        ...


class Lines(Protocol):
    """The event log's lines."""

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        """One page."""
        ...


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it."""

    compared: int
    missing: int
    complete: bool
    """False when time ran out: the next run goes on."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """What Zoom does not show this connection, by path without ids, and why."""
    partial: Mapping[str, str] = field(default_factory=dict)
    """Which of meetings, webinars and recordings could not be found or not be compared in whole, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """One connection at a time. `send` takes deliveries that go the way of every delivery from then on."""

    projections: Projections
    lines: Lines
    send: Callable[[Sequence[Delivery]], None]
    clock: Callable[[], float]
    settled: float = SETTLED_SECONDS
    lookback: float = LOOKBACK_SECONDS

    def reconcile(self, connection: Connected, read: Read, deadline: Deadline) -> Reconciled:
        """Compare and send what is missing. Raises what `read` raises: nothing is half done, a later run repeats it.

        What `read` says is Unseen is left out, and told in what comes back.
        """
        sight = ZoomReader(read)
        lists = Lists(sight, connection.zoom_user_id, now=self.clock(), lookback=self.lookback)
        meetings = PastMeetings(lists, connection.zoom_account_id)
        webinars = PastWebinars(
            lists,
            connection.zoom_account_id,
            worth_asking=lambda: self._worth_asking(connection),
            refused=lambda: self._refused(connection),
        )
        told, tally = self._told(connection), _Tally()
        # Webinars last: should Zoom fail at them, all the rest has been told.
        complete = (
            self._held(connection, meetings, told["meeting"], deadline, tally)
            and self._recorded(connection, lists, deadline, tally)
            and self._held(connection, webinars, told["webinar"], deadline, tally)
        )
        reasons = (("meetings", meetings.why_not()), ("webinars", webinars.why_not()))
        partial = {what: why for what, why in (*reasons, ("recordings", lists.why_not_recorded())) if why}
        return Reconciled(tally.compared, tally.missing, complete, dict(sight.unseen), partial)

    def _held(self, connection: Connected, past: Past, told: Sequence[str], deadline: Deadline, tally: _Tally) -> bool:
        """Compare all instances of one kind; False when time ran out."""
        for number, uuid, started in self._instances(connection, past, told):
            if not deadline.allows(_RESERVE_SECONDS):
                return False
            found = self._compare(connection, past, number, uuid, started)
            if found is not None:
                tally.compared += 1
                tally.missing += found
        return True

    def _compare(self, connection: Connected, past: Past, number: str, uuid: str, started: int) -> int | None:
        """How many events were missing of one instance; None when it is not settled or was compared before."""
        tenant, place = connection.tenant, partition(number)
        before = self.projections.read(tenant, place, _COMPARED + uuid).get(_COMPARED + uuid)
        # One that began again after it was compared is compared again, should Zoom ever hold two under one UUID.
        if before and started <= before.values.get("ended_ms", started):
            return None
        known = Meeting(number, self._records(tenant, place, DEFINITION, INSTANCE, session_sort(uuid)))
        instance = past.instance(uuid, known, int((self.clock() - self.settled) * 1000))
        if instance is None:
            return None
        bodies = instance.missing(known)
        self._tell(connection, bodies)
        now_ms = int(self.clock() * 1000)
        said = {"at_ms": now_ms, "ended_ms": max(instance.ended_ms, started)}
        self.projections.apply(tenant, [Change(place, _COMPARED + uuid, said)], (now_ms, ""))
        return len(bodies)

    def _recorded(self, connection: Connected, lists: Lists, deadline: Deadline, tally: _Tally) -> bool:
        """Tell the recordings that nobody has told of, in whole or in part; False when time ran out."""
        for listed in lists.recorded:
            number, uuid = identifier(listed.get("id")), identifier(listed.get("uuid"))
            ended = [epoch_ms(file.get("recording_end")) or 0 for file in listed.get("recording_files") or []]
            if not number or not uuid or max(ended, default=0) / 1000 > self.clock() - self.settled:
                continue
            if not deadline.allows(_RESERVE_SECONDS):
                return False
            records = self._records(connection.tenant, partition(number), RECORDING + uuid, file_sort(uuid))
            known = Meeting(number, records)
            if missing_recordings(connection.zoom_account_id, listed, known):
                whole = lists.sight.get(f"/v2/meetings/{encoded_twice(uuid)}/recordings") or listed
                bodies = missing_recordings(connection.zoom_account_id, whole, known)
                self._tell(connection, bodies)
                tally.missing += len(bodies)
        return True

    def _instances(self, connection: Connected, past: Past, told: Sequence[str]) -> Iterator[tuple[str, str, int]]:
        """Number, UUID and last beginning of what may have been held in the period, each once."""
        seen: set[str] = set()
        for number in _each_once(told, past.numbers()):
            records = self.projections.read(connection.tenant, partition(number), INSTANCE)
            known = [(each.uuid, each.started or 0) for each in Meeting(number, records).instances()]
            times: dict[str, int] = {}
            for uuid, started in (*past.times(number), *known):
                times[uuid] = max(started, times.get(uuid, 0))
            for uuid, started in times.items():
                if uuid not in seen and started / 1000 > self.clock() - self.lookback:
                    seen.add(uuid)
                    yield number, uuid, started

    def _told(self, connection: Connected) -> Mapping[str, Sequence[str]]:
        """Numbers of the meetings and the webinars that events told of, by family."""
        query = LogQuery.within(
            now=self.clock(),
            retention_days=30,
            since_ms=int((self.clock() - self.lookback) * 1000),
            page_size=LARGEST_PAGE,
        )
        numbers: dict[str, dict[str, None]] = {"meeting": {}, "webinar": {}}
        while True:
            page = self.lines.search(connection.tenant, query, frozenset({connection.connection_id}))
            for line in page.lines:
                # Recordings of meetings and of webinars are listed alike.
                place, _, number = (line.subject or "").partition("/")
                if place in {"meetings", "webinars"} and number.isdigit():
                    numbers[place.removesuffix("s")][number] = None
            if page.after is None:
                return {family: list(found) for family, found in numbers.items()}
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

    def _tell(self, connection: Connected, bodies: Sequence[bytes]) -> None:
        now_ms = int(self.clock() * 1000)
        self.send([Delivery(connection.client_id, body, now_ms, reconciled=True) for body in bodies])


@dataclass(slots=True)
class _Tally:
    compared: int = 0
    missing: int = 0


def _of(connection: Connected) -> str:
    return f"connection#{connection.connection_id}"


def _each_once(*sources: Iterable[str]) -> Iterator[str]:
    """In order, and the later sources only when they are needed."""
    seen = set()
    for each in chain.from_iterable(sources):
        if each not in seen:
            seen.add(each)
            yield each
