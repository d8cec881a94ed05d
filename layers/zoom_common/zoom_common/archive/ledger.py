"""What is known of every archived recording and its files, in the Events table, without an expiry.

A recording and its files share a partition, so that one query reads them together. An entry in the tenant's list leads
to the recording by time, and an entry in the agenda says when it has to be looked at again. All three change in one
transaction. A worker moves a file under a lease; every change of a file asks whether the lease is still its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Self

from zoom_common.aws.items import from_item
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import Unavailable

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

AGENDA = "archive-agenda"
_RECORDING = "recording"
_FILE = "file#"
_TRIES = 8
# A moment behind all that can be listed, in epoch milliseconds.
LAST_MS = 10**13 - 1


class FileState(StrEnum):
    """How far a file, or a whole recording, has come."""

    PENDING = "pending"
    MOVING = "moving"
    KEPT = "kept"
    DOUBTFUL = "doubtful"
    """Kept, but not as Zoom described it: nobody deletes it at Zoom because of this copy."""
    FAILED = "failed"


class Doubt(StrEnum):
    """Why a kept file is doubtful although its content is of its kind."""

    DECLARED_SIZE = "declared_size"
    """Zoom declares another size than it serves."""


OPEN = frozenset({FileState.PENDING, FileState.MOVING})
IN_S3 = frozenset({FileState.KEPT, FileState.DOUBTFUL})


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """One file of a recording. Sizes are in bytes, moments in epoch seconds unless they end in `_ms`."""

    tenant: str
    recording_id: str
    file_id: str
    """What Zoom calls it; for files without an id their type and begin."""
    file_type: str = ""
    recording_type: str = ""
    kind: str = "other"
    extension: str = ""
    key: str
    storage_class: str
    cold_after_days: int | None = None
    declared: int | None = None
    """The size that Zoom told of."""
    begins: str = ""
    ends: str = ""
    host_id: str = ""
    host_email: str = field(default="", repr=False)
    state: FileState = FileState.PENDING
    reason: str = ""
    """Why it is doubtful or has failed."""
    moved: int = 0
    total: int | None = None
    """The size that Zoom serves."""
    part_size: int | None = None
    upload_id: str = ""
    etag: str = ""
    """The validator of Zoom's answer, an ETag or a date: another one is another content."""
    crc: int | None = None
    """Of the whole object, written down before S3 is asked to complete it."""
    checked: int = 0
    """Up to which byte the boxes of a film were followed."""
    tries: int = 0
    """Runs in a row that failed without any progress."""
    lease_owner: str = ""
    lease_until: float = 0.0
    cancelled: bool = False
    found_at: float = 0.0
    progress_at: float = 0.0
    finished_at: float | None = None

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the file in a stored item; attributes of later versions are left out."""
        known = {each.name: item[each.name] for each in fields(cls) if each.name in item}
        return cls(**known | {"state": FileState(item["state"])})

    def to_item(self) -> dict[str, Any]:
        """Return the file as the table keeps it."""
        values = {name: value for name, value in asdict(self).items() if value not in ("", None, False)}
        values["state"] = str(self.state)
        return {"pk": partition(self.tenant, self.recording_id), "sk": f"{_FILE}{self.file_id}", **values}

    @property
    def size(self) -> int | None:
        """The size as far as it is known: what Zoom serves, else what Zoom told of."""
        return self.total if self.total is not None else self.declared


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedRecording:
    """One recording of one instance of a meeting or webinar."""

    tenant: str
    recording_id: str
    uuid: str
    meeting_id: str = ""
    topic: str = field(default="", repr=False)
    host_id: str = ""
    host_email: str = field(default="", repr=False)
    type: str = ""
    timezone: str = ""
    duration: int = 0
    begun_ms: int = 0
    connections: frozenset[str] = frozenset()
    """Those that told of it, or found it."""
    state: FileState = FileState.PENDING
    file_count: int = 0
    bytes: int = 0
    version: int = 0
    due_at: float | None = None
    announced: str = ""
    """Which set of files the last event on the bus was about."""
    found_at: float = 0.0
    finished_at: float | None = None
    trashed_at: float | None = None
    gone_at: float | None = None
    """When it was deleted at Zoom for ever."""
    deleted_at: float | None = None
    """When it was deleted here. The document stays, so that nobody archives the recording again."""

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the recording in a stored item; attributes of later versions are left out."""
        known = {each.name: item[each.name] for each in fields(cls) if each.name in item}
        return cls(**known | {"state": FileState(item["state"])})

    def to_item(self) -> dict[str, Any]:
        """Return the recording as the table keeps it."""
        values = {name: value for name, value in asdict(self).items() if value not in ("", None)}
        values["state"] = str(self.state)
        return {"pk": partition(self.tenant, self.recording_id), "sk": _RECORDING, **values}

    def to_list_entry(self) -> dict[str, Any]:
        """Return its entry in the tenant's list, with what people look for."""
        names = ("tenant", "recording_id", "uuid", "meeting_id", "topic", "host_id", "host_email", "begun_ms",
                 "connections", "state", "file_count", "bytes")  # fmt: skip
        values = {name: value for name in names if (value := getattr(self, name)) != ""}
        values["state"] = str(self.state)
        return {"pk": list_partition(self.tenant), "sk": self.place, **values}

    @property
    def place(self) -> str:
        """Where it stands in the tenant's list: by its begin."""
        return f"{self.begun_ms:013}#{self.recording_id}"


@dataclass(frozen=True, slots=True)
class Duty:
    """An entry of the agenda: a recording to look at, or, with `after`, a tenant's list to walk from there."""

    sort: str
    tenant: str
    recording_id: str
    after: str | None = None


def recording_id_of(tenant: str, uuid: str) -> str:
    """Return the id of an instance's recording: the same for every event and every list that tells of it."""
    return f"rec_{sha256(f'{tenant}\0{uuid}'.encode()).hexdigest()[:32]}"


def partition(tenant: str, recording_id: str) -> str:
    """Return the partition of a recording and its files."""
    return f"{tenant}#archive#{recording_id}"


def list_partition(tenant: str) -> str:
    """Return the partition of a tenant's list."""
    return f"{tenant}#archive-list"


def state_of(files: Sequence[ArchivedFile]) -> FileState:
    """Return the state of a recording: open while one of its files is, else the worst of them."""
    states = {each.state for each in files}
    if states & OPEN:
        untouched = states <= {FileState.PENDING}
        return FileState.PENDING if untouched else FileState.MOVING
    worst = (FileState.FAILED, FileState.DOUBTFUL, FileState.KEPT)
    return next((state for state in worst if state in states), FileState.PENDING)


class Leased(Exception):
    """Another worker has the file until `until` (epoch seconds)."""

    def __init__(self, until: float) -> None:
        super().__init__("leased")
        self.until = until


class LeaseLost(Exception):
    """The file has another worker now, or is gone: this one has nothing to say about it any more."""


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
                if item["sk"] == _RECORDING:
                    recording = ArchivedRecording.of_item(item)
                else:
                    files.append(ArchivedFile.of_item(item))
        return None if recording is None else (recording, files)

    def file(self, tenant: str, recording_id: str, file_id: str) -> ArchivedFile | None:
        """Return one file, or None."""
        item = self._table.get(partition(tenant, recording_id), f"{_FILE}{file_id}")
        return None if item is None else ArchivedFile.of_item(item)

    def add(self, recording: ArchivedRecording) -> None:
        """Store a recording that is new, with its entries in the list and the agenda. Else, leave what is there."""
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
        """Store a file that is new, and return whether it was."""
        try:
            self._table.transact([{"Put": self._table.to_put(file.to_item(), condition="attribute_not_exists(pk)")}])
        except ConditionFailed:
            return False
        return True

    def change(self, seen: ArchivedRecording, changed: ArchivedRecording) -> bool:
        """Store a recording that nobody has changed since it was `seen`, with both entries; False when somebody has."""
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
        """Take the file for one worker. Raises Leased while another has it, and LeaseLost when it is gone."""
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
        """Write down changes of a file that this worker has. None removes an attribute. Raises LeaseLost."""
        try:
            return self._note(file, "#lease_owner = :mine AND attribute_not_exists(#cancelled)", changes)
        except ConditionFailed:
            raise LeaseLost from None

    def release(self, file: ArchivedFile, **changes: object) -> ArchivedFile:
        """Write down changes of a file, and give it back. Raises LeaseLost."""
        return self.note(file, lease_owner=None, lease_until=None, **changes)

    def revise(self, file: ArchivedFile, *, now: float, **changes: object) -> bool:
        """Change a file that nobody works at and that is still in its state; return whether it was changed."""
        free = "#state = :was AND (attribute_not_exists(#lease_until) OR #lease_until <= :free)"
        try:
            self._note(file, free, changes, was=str(file.state), free=now)
        except ConditionFailed:
            return False
        return True

    def cancel(self, file: ArchivedFile, *, now: float) -> float:
        """Keep workers from a file that is to be deleted, and return when the last one's lease ends (or `now`)."""
        try:
            item = self._table.update(
                partition(file.tenant, file.recording_id),
                f"{_FILE}{file.file_id}",
                "SET #cancelled = :yes",
                condition="attribute_exists(#pk)",
                values={"yes": True},
            )
        except ConditionFailed:
            return now
        return max(now, float(item.get("lease_until", now)))

    def forget(self, file: ArchivedFile) -> None:
        """Delete a file's item."""
        self._table.delete(partition(file.tenant, file.recording_id), f"{_FILE}{file.file_id}")

    def page(
        self, tenant: str, *, since_ms: int, until_ms: int, limit: int, after: str | None = None, newest: bool = True
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return entries of the tenant's list that began in a span, and the place to go on after."""
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
        """Return the oldest duties of the agenda whose time has come."""
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
        """Put a walk over the tenant's list on the agenda, from its start or after a place."""
        duty = {"pk": AGENDA, "sk": f"{int(at):010}#{tenant}#walk", "tenant": tenant, "recording_id": "walk"}
        self._table.put({**duty, "after": after or ""})

    def done(self, duty: Duty) -> None:
        """Take a duty off the agenda."""
        self._table.delete(AGENDA, duty.sort)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an item goes: the tenant's, for a person those of recordings that they hosted."""
        if str(item["pk"]) == AGENDA:
            return target.whole_tenant and target.owns(item.get("tenant"))
        if not target.owns(str(item["pk"]).partition("#")[0]):
            return False
        return target.whole_tenant or target.names([item.get("host_id"), item.get("host_email")])

    def _note(
        self, file: ArchivedFile, condition: str, changes: Mapping[str, object], **values: object
    ) -> ArchivedFile:
        told = {name: str(value) if isinstance(value, StrEnum) else value for name, value in changes.items()}
        sets = ", ".join(f"#{name} = :{name}" for name, value in told.items() if value is not None)
        gone = ", ".join(f"#{name}" for name, value in told.items() if value is None)
        change = " ".join(part for part in (f"SET {sets}" if sets else "", f"REMOVE {gone}" if gone else "") if part)
        given = {name: value for name, value in told.items() if value is not None}
        if ":mine" in condition:
            given["mine"] = file.lease_owner
        return self._changed(file, change, condition, {**given, **values})

    def _changed(self, file: ArchivedFile, change: str, condition: str, values: dict[str, object]) -> ArchivedFile:
        item = self._table.update(
            partition(file.tenant, file.recording_id),
            f"{_FILE}{file.file_id}",
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
    """Bring a recording up to date with its files, however many workers do so at once; None when it is gone.

    `change` is given the recording and its files, and returns the recording as it should be.
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
