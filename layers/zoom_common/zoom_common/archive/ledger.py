"""The state of every archived recording and its files, in the Events table, without an expiry.

A recording and its files share a partition, so that one query reads them together. An entry in the tenant's list leads
to the recording by time, and an entry in the agenda says when it has to be looked at again. All three change in one
transaction. `Settling` brings a recording up to date with its files. A worker moves a file under a lease, and every
change of a file is conditional on that lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.archive.model import (
    FILE,
    IN_S3,
    OPEN,
    RECORDING,
    ArchivedFile,
    ArchivedRecording,
    FileState,
    list_partition,
    partition,
    state_of,
)
from zoom_common.archive.policy import Policy, PolicyStore
from zoom_common.aws.items import from_item
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import Unavailable
from zoom_common.events.bus import CloudEvent, event_id, rfc3339

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

AGENDA = "archive-agenda"
_TRIES = 8
# A time later than any that can be listed, in epoch milliseconds.
LAST_MS = 10**13 - 1
SOURCE = "/gateway/archive"
ARCHIVED, ARCHIVE_FAILED = "recording.archived", "recording.archive_failed"
# How long a file may be under way before the sweep looks at it: longer than any queue hides its message.
LOOK_AFTER_SECONDS = 6 * 3600.0
_DAY = 86_400.0

type PublishEvents = Callable[[Sequence[CloudEvent]], object]


@dataclass(frozen=True, slots=True)
class Duty:
    """An entry of the agenda: a recording to look at, or, with `after`, a place from which to walk a tenant's list."""

    sort: str
    tenant: str
    recording_id: str
    after: str | None = None


class Leased(Exception):
    """Another worker has the lease of the file until `until` (epoch seconds)."""

    def __init__(self, until: float) -> None:
        super().__init__("leased")
        self.until = until


class LeaseLost(Exception):
    """Another worker has the lease of the file by now, or the file is gone. This worker may not change it any more."""


class Ledger:
    """The archive's items. Every method raises Unavailable when the table cannot be used."""

    OWNED_KEYS: ClassVar = {
        "archive_recordings": (r"[^#]+#archive#rec_[0-9a-f]+", r"recording"),
        "archive_files": (r"[^#]+#archive#rec_[0-9a-f]+", r"file#.+"),
        "archive_list": (r"[^#]+#archive-list", r".+"),
        "archive_agenda": (AGENDA, r".+"),
    }

    def __init__(self, events: Table) -> None:
        self._table = events

    def read(self, tenant: str, recording_id: str) -> tuple[ArchivedRecording, list[ArchivedFile]] | None:
        """Return a recording with its files as they are now, or None."""
        recording, files = None, []
        condition = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition(tenant, recording_id)}},
            "ConsistentRead": True,
        }
        for page in self._table.pages("query", **condition):
            for item in map(from_item, page["Items"]):
                if item["sk"] == RECORDING:
                    recording = ArchivedRecording.of_item(item)
                else:
                    files.append(ArchivedFile.of_item(item))
        return None if recording is None else (recording, files)

    def file(self, tenant: str, recording_id: str, file_id: str) -> ArchivedFile | None:
        """Return one file, or None."""
        item = self._table.get(partition(tenant, recording_id), f"{FILE}{file_id}")
        return None if item is None else ArchivedFile.of_item(item)

    def add(self, recording: ArchivedRecording) -> None:
        """Store a new recording with its entries in the list and the agenda.

        A recording that exists is left as it is.
        """
        operations = [
            {"Put": self._table.to_put(recording.to_item(), condition="attribute_not_exists(pk)")},
            {"Put": self._table.to_put(recording.to_list_entry())},
            *self._agenda(None, recording),
        ]
        try:
            self._table.transact(operations)
        except ConditionFailed:
            return

    def add_file(self, file: ArchivedFile) -> bool:
        """Store a new file. Return False when the file exists already."""
        try:
            self._table.transact([{"Put": self._table.to_put(file.to_item(), condition="attribute_not_exists(pk)")}])
        except ConditionFailed:
            return False
        return True

    def change(self, seen: ArchivedRecording, changed: ArchivedRecording) -> bool:
        """Store a changed recording with both entries, if nobody has changed it since it was `seen`.

        Return whether it was stored.
        """
        after = replace(changed, version=seen.version + 1)
        entry: dict[str, Any] = {"Put": self._table.to_put(after.to_list_entry())}
        if after.deleted_at is not None:
            entry = {"Delete": self._table.to_delete(list_partition(after.tenant), after.place)}
        put = self._table.to_put(after.to_item(), condition="version = :seen", values={"seen": seen.version})
        try:
            self._table.transact([{"Put": put}, entry, *self._agenda(seen, after)])
        except ConditionFailed:
            return False
        return True

    def lease(self, file: ArchivedFile, *, owner: str, now: float, until: float) -> ArchivedFile:
        """Take the lease of a file for one worker.

        Raises Leased while another has it, and LeaseLost when the file is gone.
        """
        try:
            return self._changed(
                file,
                "SET #lease_owner = :owner, #lease_until = :until, #state = :moving",
                "attribute_exists(#pk) AND attribute_not_exists(#cancelled) AND #state IN (:pending, :moving) "
                "AND (attribute_not_exists(#lease_until) OR #lease_until <= :now OR #lease_owner = :owner)",
                {"owner": owner, "until": until, "now": now, "pending": "pending", "moving": "moving"},
            )
        except ConditionFailed as failed:
            if failed.item and not failed.item.get("cancelled") and failed.item.get("lease_until", 0.0) > now:
                raise Leased(float(failed.item["lease_until"])) from None
            raise LeaseLost from None

    def note(self, file: ArchivedFile, **changes: object) -> ArchivedFile:
        """Store changes of a file that this worker has leased. None removes an attribute. Raises LeaseLost."""
        try:
            return self._note(file, "#lease_owner = :mine AND attribute_not_exists(#cancelled)", changes)
        except ConditionFailed:
            raise LeaseLost from None

    def release(self, file: ArchivedFile, **changes: object) -> ArchivedFile:
        """Store changes of a file and end its lease. Raises LeaseLost."""
        return self.note(file, lease_owner=None, lease_until=None, **changes)

    def revise(self, file: ArchivedFile, *, now: float, **changes: object) -> bool:
        """Change a file that has no lease and is still in its state. Return whether it was changed."""
        free = "#state = :was AND (attribute_not_exists(#lease_until) OR #lease_until <= :free)"
        try:
            self._note(file, free, changes, was=str(file.state), free=now)
        except ConditionFailed:
            return False
        return True

    def cancel(self, file: ArchivedFile, *, now: float) -> float:
        """Stop further work on a file that is to be deleted. Return when the last lease ends, or `now` without one."""
        try:
            item = self._table.update(
                partition(file.tenant, file.recording_id),
                f"{FILE}{file.file_id}",
                "SET #cancelled = :yes",
                condition="attribute_exists(#pk)",
                values={"yes": True},
            )
        except ConditionFailed:
            return now
        return max(now, float(item.get("lease_until", now)))

    def forget(self, file: ArchivedFile) -> None:
        """Delete a file's item."""
        self._table.delete(partition(file.tenant, file.recording_id), f"{FILE}{file.file_id}")

    def page(
        self, tenant: str, *, since_ms: int, until_ms: int, limit: int, after: str | None = None, newest: bool = True
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return entries of the tenant's list that began in a period, and the place where the next page begins."""
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :since AND :until",
            "ExpressionAttributeValues": {
                ":pk": {"S": list_partition(tenant)},
                ":since": {"S": f"{max(0, since_ms):013}"},
                ":until": {"S": f"{max(0, until_ms):013}#~"},
            },
            "ScanIndexForward": not newest,
            "ConsistentRead": True,
            "Limit": limit,
        }
        if after is not None:
            request["ExclusiveStartKey"] = {"pk": {"S": list_partition(tenant)}, "sk": {"S": after}}
        answer = self._table.call("query", **request)
        last = answer.get("LastEvaluatedKey")
        return [from_item(item) for item in answer["Items"]], last["sk"]["S"] if last else None

    def due(self, *, now: float, limit: int = 100) -> list[Duty]:
        """Return the oldest entries of the agenda that are due."""
        answer = self._table.call(
            "query",
            KeyConditionExpression="pk = :pk AND sk <= :now",
            ExpressionAttributeValues={":pk": {"S": AGENDA}, ":now": {"S": f"{int(now):010}#~"}},
            ConsistentRead=True,
            Limit=limit,
        )
        found = map(from_item, answer["Items"])
        return [Duty(each["sk"], each["tenant"], each["recording_id"], each.get("after")) for each in found]

    def plan_walk(self, tenant: str, *, at: float, after: str | None = None) -> None:
        """Add a walk over the tenant's list to the agenda, from its start or from a place in it."""
        duty = {"pk": AGENDA, "sk": f"{int(at):010}#{tenant}#walk", "tenant": tenant, "recording_id": "walk"}
        self._table.put({**duty, "after": after or ""})

    def done(self, duty: Duty) -> None:
        """Delete an entry of the agenda."""
        self._table.delete(AGENDA, duty.sort)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes an item: the tenant's, or those of recordings that the person hosted."""
        if str(item["pk"]) == AGENDA:
            return target.whole_tenant and target.owns(item.get("tenant"))
        if not target.owns(str(item["pk"]).partition("#")[0]):
            return False
        return target.whole_tenant or target.names([item.get("host_id"), item.get("host_email")])

    def _note(
        self, file: ArchivedFile, condition: str, changes: Mapping[str, object], **values: object
    ) -> ArchivedFile:
        written = {name: str(value) if isinstance(value, StrEnum) else value for name, value in changes.items()}
        sets = ", ".join(f"#{name} = :{name}" for name, value in written.items() if value is not None)
        gone = ", ".join(f"#{name}" for name, value in written.items() if value is None)
        change = " ".join(part for part in (f"SET {sets}" if sets else "", f"REMOVE {gone}" if gone else "") if part)
        given = {name: value for name, value in written.items() if value is not None}
        if ":mine" in condition:
            given["mine"] = file.lease_owner
        return self._changed(file, change, condition, {**given, **values})

    def _changed(self, file: ArchivedFile, change: str, condition: str, values: dict[str, object]) -> ArchivedFile:
        item = self._table.update(
            partition(file.tenant, file.recording_id),
            f"{FILE}{file.file_id}",
            change,
            condition=condition,
            values=values,
        )
        return ArchivedFile.of_item(item)

    def _agenda(self, seen: ArchivedRecording | None, after: ArchivedRecording) -> Iterator[dict[str, Any]]:
        before, now = _duty_key(seen), _duty_key(after)
        if before is not None and before != now:
            yield {"Delete": self._table.to_delete(AGENDA, before)}
        if now is not None and before != now:
            about = {"tenant": after.tenant, "recording_id": after.recording_id}
            yield {"Put": self._table.to_put({"pk": AGENDA, "sk": now, **about})}


def _duty_key(recording: ArchivedRecording | None) -> str | None:
    if recording is None or recording.due_at is None:
        return None
    return f"{int(recording.due_at):010}#{recording.tenant}#{recording.recording_id}"


type Change = Callable[[ArchivedRecording, Sequence[ArchivedFile]], ArchivedRecording]


def settle(ledger: Ledger, tenant: str, recording_id: str, change: Change) -> ArchivedRecording | None:
    """Bring a recording up to date with its files; return it, or None when it is gone.

    Several workers may do so at once. `change` is given the recording and its files, and returns the recording as it
    should be.
    """
    for _ in range(_TRIES):
        found = ledger.read(tenant, recording_id)
        if found is None:
            return None
        recording, files = found
        wanted = change(recording, files)
        if wanted == recording or ledger.change(recording, wanted):
            return replace(wanted, version=recording.version)
    raise Unavailable(reason="archive_contended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Settles recordings. `publish` raises Unavailable unless all events are on the bus; `clock` is epoch seconds."""

    ledger: Ledger
    policies: PolicyStore
    publish: PublishEvents
    clock: Callable[[], float]

    def settle(self, tenant: str, recording_id: str, *, reported_by: str | None = None) -> ArchivedRecording | None:
        """Store the state that results from a recording's files, and return the recording, or None when there is none.

        When no file is under way any more, the result is published first and marked as published second, so a crash in
        between publishes the same event, with the same id, once more. `reported_by` is a connection whose event or list
        named the recording. Raises Unavailable.
        """
        connections = frozenset({reported_by} if reported_by else ())

        def settled(recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> ArchivedRecording:
            return self._settled(replace(recording, connections=recording.connections | connections), files)

        return settle(self.ledger, tenant, recording_id, settled)

    def policy_of(self, recording: ArchivedRecording) -> Policy:
        """Return the policy of the first connection that reported a recording, else the tenant's."""
        return self.policies.effective(recording.tenant, min(recording.connections, default=None))

    def _settled(self, recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> ArchivedRecording:
        now = self.clock()
        state = state_of(files)
        is_open = any(file.state in OPEN for file in files)
        finished = max((file.finished_at or 0.0 for file in files), default=0.0)
        settled = replace(
            recording,
            state=state,
            file_count=len(files),
            bytes=sum(file.total or 0 for file in files if file.state in IN_S3),
            finished_at=None if is_open or not files else finished or now,
        )
        if files and not is_open and recording.deleted_at is None:
            marks = "\n".join(sorted(f"{file.file_id} {file.state} {file.total}" for file in files))
            digest = sha256(marks.encode()).hexdigest()[:32]
            if digest != recording.announced:
                self.publish([to_event(settled, files, digest)])
                settled = replace(settled, announced=digest)
        return replace(settled, due_at=self._due(settled, is_open=is_open, now=now))

    def _due(self, recording: ArchivedRecording, *, is_open: bool, now: float) -> float | None:
        """Return when the sweep has to look at a recording next, or None when nothing is planned for it."""
        if recording.deleted_at is not None:
            return recording.due_at
        if is_open or recording.finished_at is None:
            planned = recording.due_at
            return (
                planned
                if planned is not None and now < planned <= now + LOOK_AFTER_SECONDS
                else now + LOOK_AFTER_SECONDS
            )
        return next_duty(recording, self.policy_of(recording))


def next_duty(recording: ArchivedRecording, policy: Policy) -> float | None:
    """Return when the policy next requires something for a recording with no file under way, or None for never."""
    kept_at = recording.finished_at or recording.found_at
    moments = []
    if policy.retention_days is not None:
        moments.append(kept_at + policy.retention_days * _DAY)
    if recording.state is FileState.KEPT and policy.trash_after_days is not None:
        if recording.trashed_at is None:
            moments.append(kept_at + policy.trash_after_days * _DAY)
        elif recording.gone_at is None and policy.delete_after_days is not None:
            moments.append(recording.trashed_at + policy.delete_after_days * _DAY)
    return min(moments, default=None)


def to_event(recording: ArchivedRecording, files: Sequence[ArchivedFile], digest: str) -> CloudEvent:
    """Return the event about a recording whose files are all done. It has no links and no e-mail addresses."""
    kind = ARCHIVE_FAILED if recording.state is FileState.FAILED else ARCHIVED
    at_ms = int((recording.finished_at or recording.found_at) * 1000)
    return CloudEvent(
        id=event_id(SOURCE, recording.tenant, f"{recording.recording_id}/{digest}"),
        source=SOURCE,
        type=kind,
        time=rfc3339(at_ms),
        tenant=recording.tenant,
        subject=f"archive/recordings/{recording.recording_id}",
        connection_id=min(recording.connections, default=None),
        uuid=recording.uuid,
        data={
            "id": recording.recording_id,
            "uuid": recording.uuid,
            "meeting_id": recording.meeting_id,
            "host_id": recording.host_id,
            "state": str(recording.state),
            "files": [_shown(file) for file in sorted(files, key=lambda file: file.file_id)],
        },
    )


def _shown(file: ArchivedFile) -> dict[str, object]:
    about: dict[str, object] = {"id": file.file_id, "type": file.recording_type or file.file_type, "size": file.size}
    about |= {"state": str(file.state), "key": file.key}
    return about | ({"reason": file.reason} if file.reason else {})
