"""Compares what one connection's events told with what Zoom reports, two hours ago and older, and tells the rest.

Zoom repeats a delivery for 85 minutes; what has not arrived after two hours will not come by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.ingest_message import Delivery
from zoom_common.events.log_index_store import LogPage
from zoom_common.events.log_query import LARGEST_PAGE, LogQuery
from zoom_common.events.projections.meetings import INSTANCE, partition
from zoom_common.events.projections.participants import session_sort
from zoom_common.events.projections.record import Change, Record, Stamp
from zoom_common.events.projections.recordings import RECORDING, file_sort
from zoom_common.events.projections.views import Meeting
from zoom_common.events.reconciliation.reported import PastInstance, missing_recording
from zoom_common.zoom.events import epoch_ms, identifier

SETTLED_SECONDS = 2 * 3600
LOOKBACK_SECONDS = 48 * 3600
# An instance that has been compared is not asked about again: the next run starts with what is new.
_COMPARED = "compared#"
_RECURRING = frozenset({3, 8})
# Of an account this many people a round, others the next: with an hourly round, 9,600 within the two days looked back.
_MOST_HOSTS = 200
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


# One GET under /v2 through the gateway and its budget; None when Zoom says that there is no such thing to see.
type Read = Callable[[str], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it."""

    compared: int
    missing: int
    complete: bool
    """False when time ran out: the next run goes on."""


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
        """Compare and send what is missing. Raises what `read` raises: nothing is half done, a later run repeats it."""
        compared = missing = 0
        recorded = list(self._recorded(connection, read))
        for number, uuid in self._instances(connection, read, recorded):
            if not deadline.allows(_RESERVE_SECONDS):
                return Reconciled(compared, missing, complete=False)
            found = self._compare(connection, number, uuid, read)
            if found is not None:
                compared, missing = compared + 1, missing + found
        if not deadline.allows(_RESERVE_SECONDS):
            return Reconciled(compared, missing, complete=False)
        return Reconciled(compared, missing + self._recordings(connection, read, recorded), complete=True)

    def _compare(self, connection: Connected, number: str, uuid: str, read: Read) -> int | None:
        """How many events were missing of one instance; None when it is not settled or was compared before."""
        tenant, place = connection.tenant, partition(number)
        if self.projections.read(tenant, place, _COMPARED + uuid):
            return None
        about = read(f"/v2/past_meetings/{_once_more(uuid)}")
        ended = epoch_ms(about.get("end_time")) if about else None
        if about is None or ended is None or ended / 1000 > self.clock() - self.settled:
            return None
        rows = _participants(read, uuid)
        known = Meeting(number, self._records(tenant, place, INSTANCE, session_sort(uuid)))
        bodies = PastInstance(connection.zoom_account_id, {**about, "uuid": uuid}, rows).missing(known)
        self._tell(connection, bodies)
        now_ms = int(self.clock() * 1000)
        self.projections.apply(tenant, [Change(place, _COMPARED + uuid, {"at_ms": now_ms})], (now_ms, ""))
        return len(bodies)

    def _recorded(self, connection: Connected, read: Read) -> Iterator[Mapping[str, Any]]:
        """The cloud recordings of the period, as Zoom lists them."""
        for host in self._hosts(connection, read):
            yield from _pages(read, f"/v2/users/{host}/recordings?{self._period()}", "meetings")

    def _recordings(self, connection: Connected, read: Read, recorded: Iterable[Mapping[str, Any]]) -> int:
        """How many recordings nobody had told of, in whole or in part."""
        told = 0
        for listed in recorded:
            number, uuid = identifier(listed.get("id")), identifier(listed.get("uuid"))
            ended = [epoch_ms(file.get("recording_end")) or 0 for file in listed.get("recording_files") or []]
            if not number or not uuid or max(ended, default=0) / 1000 > self.clock() - self.settled:
                continue
            records = self._records(connection.tenant, partition(number), RECORDING + uuid, file_sort(uuid))
            known = Meeting(number, records)
            if missing_recording(connection.zoom_account_id, listed, known):
                whole = read(f"/v2/meetings/{_once_more(uuid)}/recordings") or listed
                bodies = missing_recording(connection.zoom_account_id, whole, known)
                self._tell(connection, bodies)
                told += len(bodies)
        return told

    def _instances(
        self, connection: Connected, read: Read, recorded: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[str, str]]:
        """Number and UUID of what may have been held in the period, each once."""
        seen = set()
        for number in self._candidates(connection, read, recorded):
            records = self.projections.read(connection.tenant, partition(number), INSTANCE)
            known = [(each.uuid, each.started or 0) for each in Meeting(number, records).instances()]
            answer = read(f"/v2/past_meetings/{number}/instances?{self._period()}") or {}
            reported = [
                (str(each["uuid"]), epoch_ms(each.get("start_time")) or 0) for each in answer.get("meetings", [])
            ]
            for uuid, started in (*reported, *known):
                if uuid not in seen and started / 1000 > self.clock() - self.lookback:
                    seen.add(uuid)
                    yield number, uuid

    def _candidates(self, connection: Connected, read: Read, recorded: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Meetings that events told of, that were recorded, that are planned for the period, or that recur."""
        seen = set()
        of_recordings = filter(None, (identifier(each.get("id")) for each in recorded))
        for number in (*self._told(connection), *of_recordings, *self._planned(connection, read)):
            if number not in seen:
                seen.add(number)
                yield number

    def _told(self, connection: Connected) -> Iterator[str]:
        token: str | None = ""
        while token is not None:
            asked = {"type": "meeting.*", "page_size": str(LARGEST_PAGE), "next_page_token": token}
            asked["from"] = datetime.fromtimestamp(self.clock() - self.lookback, UTC).isoformat()
            query = LogQuery.from_mapping(asked, now=self.clock(), retention_days=30)
            page = self.lines.search(connection.tenant, query, frozenset({connection.connection_id}))
            subjects = ((line.subject or "").split("/") for line in page.lines)
            yield from (parts[1] for parts in subjects if parts[0] == "meetings" and parts[1].isdigit())
            token = page.next_page_token

    def _planned(self, connection: Connected, read: Read) -> Iterator[str]:
        for kind in ("scheduled", "previous_meetings") if connection.zoom_user_id is not None else ():
            for meeting in _pages(read, f"/v2/users/me/meetings?type={kind}", "meetings"):
                start, number = epoch_ms(meeting.get("start_time")), identifier(meeting.get("id"))
                near = start is not None and abs(start / 1000 - self.clock()) < self.lookback
                if number and (near or meeting.get("type") in _RECURRING):
                    yield number
        # To administrators Zoom reports what was held, the instant meetings that no list has as well.
        for host in self._hosts(connection, read):
            for kind in ("past", "pastOne"):
                path = f"/v2/report/users/{host}/meetings?type={kind}&{self._period()}"
                numbers = (identifier(meeting.get("id")) for meeting in _pages(read, path, "meetings"))
                yield from filter(None, numbers)

    def _hosts(self, connection: Connected, read: Read) -> Sequence[str]:
        """Whose meetings these are: the person's own, or, of a whole account, those of everybody who held any."""
        if connection.zoom_user_id is not None:
            return ["me"]
        rows = _pages(read, f"/v2/report/users?type=active&{self._period()}", "users")
        active = sorted({quote(user, safe="") for row in rows if (user := identifier(row.get("id")))})
        first = int(self.clock() // 3600) * _MOST_HOSTS % max(1, len(active))
        return (active[first:] + active[:first])[:_MOST_HOSTS]

    def _period(self) -> str:
        days = (
            datetime.fromtimestamp(at, UTC).date().isoformat() for at in (self.clock() - self.lookback, self.clock())
        )
        return urlencode(dict(zip(("from", "to"), days, strict=True)))

    def _records(self, tenant: str, place: str, *prefixes: str) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for prefix in prefixes:
            found |= self.projections.read(tenant, place, prefix)
        return found

    def _tell(self, connection: Connected, bodies: Sequence[bytes]) -> None:
        now_ms = int(self.clock() * 1000)
        self.send([Delivery(connection.client_id, body, now_ms, reconciled=True) for body in bodies])


def _participants(read: Read, uuid: str) -> list[Mapping[str, Any]]:
    """Everybody's stays: of administrators from the report, which has the customer keys; else from the past meeting."""
    for place in ("report/meetings", "past_meetings"):
        rows = list(_pages(read, f"/v2/{place}/{_once_more(uuid)}/participants", "participants"))
        if rows:
            return rows
    return []


def _once_more(uuid: str) -> str:
    """A UUID in a path, encoded twice: it may hold slashes, and Zoom wants it so for some of those."""
    return quote(quote(uuid, safe=""), safe="")


def _pages(read: Read, path: str, name: str) -> Iterator[Mapping[str, Any]]:
    """All rows of a paged list. Raises Unavailable when Zoom's pages do not end."""
    token, joint = "", "&" if "?" in path else "?"
    for _ in range(200):
        page = read(f"{path}{joint}page_size=300" + (f"&next_page_token={quote(token, safe='')}" if token else ""))
        rows = (page or {}).get(name)
        yield from rows if isinstance(rows, list) else []
        token = str((page or {}).get("next_page_token") or "")
        if not token:
            return
    raise Unavailable(reason="endless_pages")
