"""Rows that Zoom takes thirty at a time: people who are registered for one meeting or webinar.

A batch may succeed in part, and is read row by row. Who is not in its answer is sent alone, so that each row has Zoom's
own answer; so are all rows where Zoom takes no batch (recurring meetings, a grant without its scope).
https://developers.zoom.us/docs/api/meetings/#tag/meetings/POST/meetings/{meetingId}/batch_registrants
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any
from urllib.parse import quote, urlencode

from zoom_common.deadline import Deadline
from zoom_common.errors import Forbidden, GatewayError, InvalidRequest, ZoomRefused
from zoom_common.gateway.context import Call
from zoom_common.gateway.create_lookup import json_object
from zoom_common.jobs.mapping import RowRequest
from zoom_common.jobs.model import Job, Row, RowState
from zoom_common.jobs.rows import CALL_SECONDS, RowCalls, Verdict
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.rate_limits import Limit

BATCH = 30
IN_BATCHES = frozenset({"email", "first_name", "last_name"})
_FOR_ALL = "auto_approve"
_STATUSES = ("approved", "pending", "denied")
_MANY = 2
# Zoom's answers that are about the token or the pace, and not about what was asked.
_NOT_ABOUT_ROWS = frozenset({401, 429})


@dataclass(frozen=True, slots=True)
class Registered:
    """Somebody whom Zoom lists for a meeting."""

    registrant_id: str
    status: str
    join_url: str | None

    @property
    def takes_part(self) -> bool:
        """Whether they are approved or wait for it."""
        return self.status != "denied"


def who_is_registered(read: Callable[[str], Mapping[str, Any]]) -> dict[str, Registered]:
    """Return everybody whom Zoom lists, by address. `read` gets a query string and returns a page, or raises."""
    found: dict[str, Registered] = {}
    for status in _STATUSES:
        token = ""
        while True:
            query = {"status": status, "page_size": "300", **({"next_page_token": token} if token else {})}
            page = read(urlencode(query, quote_via=quote))
            for each in page.get("registrants") or []:
                there = Registered(str(each.get("id")), status, each.get("join_url"))
                found.setdefault(fold(each.get("email")), there)
            token = str(page.get("next_page_token") or "")
            if not token:
                break
    return found


def fold(address: Any) -> str:
    """Return an address as addresses are compared."""
    return str(address or "").strip().casefold()


@dataclass(frozen=True, slots=True)
class Parcel:
    """Rows that go out together, with what each asks and over which connection. Without `requests`: one row alone."""

    rows: Sequence[Row]
    requests: Mapping[int, RowRequest] = field(default_factory=dict, repr=False)
    connection: str | None = None

    def body_of(self, row: Row) -> dict[str, Any]:
        """Return what a row says of its person."""
        return json_object(self.requests[row.number].body)

    @property
    def ids(self) -> Mapping[str, str]:
        """The ids of the path that all rows name."""
        return next(iter(self.requests.values())).ids


def parcels(rows: Iterable[tuple[Row, RowRequest, str | None]]) -> list[Parcel]:
    """Return rows, with their requests and connections, as what goes out together.

    A batch has one meeting, and takes an address and a name of each person; other rows go alone. No address is twice
    in a batch, because its answer is read by addresses.
    """
    groups: defaultdict[tuple[Any, ...], list[tuple[Row, RowRequest]]] = defaultdict(list)
    met: set[tuple[Any, ...]] = set()
    alone: list[Parcel] = []
    for row, request, connection in rows:
        body = json_object(request.body)
        place = (connection, *request.ids.values(), body.pop(_FOR_ALL, None))
        person = (*place, fold(body.get("email")))
        if request.query_string or body.keys() - IN_BATCHES or person in met:
            alone.append(Parcel([row]))
        else:
            groups[place].append((row, request))
        met.add(person)
    together = [
        Parcel([row for row, _ in some], {row.number: request for row, request in some}, place[0])
        for place, found in groups.items()
        for some in batched(found, BATCH, strict=False)
    ]
    return together + alone


@dataclass(slots=True)
class Batches:
    """Sends the parcels of one job. `batch` does for many what the job does for one; `listing` shows who is there."""

    job: Job
    batch: Operation
    listing: Operation
    _refused: set[tuple[str | None, ...]] = field(default_factory=set)

    @classmethod
    def of(cls, job: Job, operations: Mapping[str, Operation]) -> Batches | None:
        """Return what sends the rows of `job` together, or None where Zoom takes them one by one."""
        family, _, action = job.operation.rpartition(".")
        batch, listing = operations.get(f"{family}.batch"), operations.get(f"{family}.list")
        if action != "add" or batch is None or listing is None or job.dry_run:
            return None
        return cls(job, batch, listing)

    def attempt(
        self, calls: RowCalls, parcel: Parcel, claimed: Sequence[Row], again: Collection[int]
    ) -> tuple[list[Verdict], list[Row]]:
        """Try claimed rows. Return what it means for some of them, and the others, which have to be sent alone.

        `again` are numbers of rows for which an earlier try may have been carried out: Zoom is asked for them first.
        Never raises for what Zoom or the gateway answers.
        """
        place, verdicts, rest = (parcel.connection, *parcel.ids.values()), list[Verdict](), list(claimed)
        call = self._call(calls, parcel, self.listing)
        try:
            before = [row for row in claimed if row.number in again]
            there = who_is_registered(lambda query: self._page(calls, parcel, query)) if before else {}
            for row in before:
                each = there.get(fold(parcel.body_of(row).get("email")))
                if each is not None and each.takes_part:
                    verdicts.append(_registered(parcel, row, each.registrant_id, each.join_url))
                    rest.remove(row)
            if len(rest) < _MANY or place in self._refused:
                return verdicts, rest
            call = self._call(calls, parcel, self.batch, body=_body(parcel, rest))
            made = people_in(json_object(calls.send(call).body))
        except GatewayError as error:
            if not _is_about_rows(error):
                return verdicts + [
                    calls.meaning(self.job, row, call, error, again=row.number in again) for row in rest
                ], []
            if call.operation is self.batch:
                self._refused.add(place)
            return verdicts, rest
        except Exception as error:  # noqa: BLE001 - as for a row alone
            return verdicts + [calls.broken(self.job, row, call, error) for row in rest], []
        for row in list(rest):
            said = made.get(fold(parcel.body_of(row).get("email")))
            if said is not None:
                registrant = str(said.get("registrant_id") or said.get("id") or "")
                verdicts.append(_registered(parcel, row, registrant, said.get("join_url")))
                rest.remove(row)
        return verdicts, rest

    def _page(self, calls: RowCalls, parcel: Parcel, query_string: str) -> dict[str, Any]:
        return json_object(calls.send(self._call(calls, parcel, self.listing, query_string)).body)

    def _call(
        self, calls: RowCalls, parcel: Parcel, operation: Operation, query_string: str = "", body: bytes = b""
    ) -> Call:
        return Call(
            principal=self.job.principal,
            operation=operation,
            ids=parcel.ids,
            query_string=query_string,
            headers={} if parcel.connection is None else {"x-zoom-connection": parcel.connection},
            body=body,
            deadline=Deadline.after(CALL_SECONDS, clock=calls.monotonic),
        )


def _is_about_rows(error: GatewayError) -> bool:
    """Return whether each row should get an answer of its own: nothing was made, and waiting would change nothing."""
    if isinstance(error, ZoomRefused) and error.headers.get("x-zoom-limit") == Limit.PER_USER:
        return True
    if isinstance(error, ZoomRefused):
        return 400 <= error.status < 500 and error.status not in _NOT_ABOUT_ROWS  # noqa: PLR2004 - HTTP's own numbers
    return isinstance(error, InvalidRequest | Forbidden)


def _body(parcel: Parcel, rows: Iterable[Row]) -> bytes:
    people, body = [parcel.body_of(row) for row in rows], dict[str, Any]()
    for person in people:  # all of a parcel say the same
        body |= {_FOR_ALL: person.pop(_FOR_ALL)} if _FOR_ALL in person else {}
    return json.dumps({**body, "registrants": people}, ensure_ascii=False, separators=(",", ":")).encode()


def people_in(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the people whom Zoom registered, by address, out of its answer to a batch. It may lack some of them."""
    listed = answer.get("registrants")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {fold(each.get("email")): each for each in found}


def _registered(parcel: Parcel, row: Row, registrant: str, join_url: Any) -> Verdict:
    """Return that a row has succeeded, with the ids that a row alone would have."""
    ids = {"id": next(iter(parcel.ids.values())), "registrant_id": registrant}
    ids |= {"join_url": join_url} if isinstance(join_url, str) and join_url else {}
    return Verdict(replace(row, state=RowState.SUCCEEDED, status=201, ids=ids))
