"""Archived recordings of instances, their files, and the states of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from hashlib import sha256
from typing import Any, Self

RECORDING = "recording"
FILE = "file#"


class FileState(StrEnum):
    """The state of a file or of a whole recording."""

    PENDING = "pending"
    MOVING = "moving"
    KEPT = "kept"
    DOUBTFUL = "doubtful"
    """Stored, but different from what Zoom described. This copy is no reason to delete the recording at Zoom."""
    FAILED = "failed"


class Doubt(StrEnum):
    """The reason why a stored file with valid content is doubtful."""

    DECLARED_SIZE = "declared_size"
    """Zoom states another size than that of the file it sends."""


OPEN = frozenset({FileState.PENDING, FileState.MOVING})
IN_S3 = frozenset({FileState.KEPT, FileState.DOUBTFUL})


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """One file of a recording. Sizes are in bytes, times in epoch seconds, or in milliseconds if they end in `_ms`."""

    tenant: str
    recording_id: str
    file_id: str
    """Zoom's id of the file, or its type and begin where it has no id."""
    file_type: str = ""
    recording_type: str = ""
    kind: str = "other"
    extension: str = ""
    key: str
    storage_class: str
    cold_after_days: int | None = None
    declared: int | None = None
    """The size that Zoom announced."""
    begins: str = ""
    ends: str = ""
    host_id: str = ""
    host_email: str = field(default="", repr=False)
    state: FileState = FileState.PENDING
    reason: str = ""
    """The reason why the file is doubtful or has failed."""
    moved: int = 0
    total: int | None = None
    """The size of the file that Zoom sends."""
    part_size: int | None = None
    upload_id: str = ""
    etag: str = ""
    """The validator of Zoom's answer, an ETag or a date. Another validator means other content."""
    crc: int | None = None
    """The checksum of the whole object, stored before S3 is asked to complete it."""
    checked: int = 0
    """The byte up to which the boxes of a video were checked."""
    tries: int = 0
    """The number of successive runs that failed without any progress."""
    lease_owner: str = ""
    lease_until: float = 0.0
    cancelled: bool = False
    found_at: float = 0.0
    progress_at: float = 0.0
    finished_at: float | None = None

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the file in a stored item. Attributes of later versions are ignored."""
        known = {each.name: item[each.name] for each in fields(cls) if each.name in item}
        return cls(**known | {"state": FileState(item["state"])})

    def to_item(self) -> dict[str, Any]:
        """Return the file as an item of the table."""
        values = {name: value for name, value in asdict(self).items() if value not in ("", None, False)}
        values["state"] = str(self.state)
        return {"pk": partition(self.tenant, self.recording_id), "sk": f"{FILE}{self.file_id}", **values}

    @property
    def size(self) -> int | None:
        """The size as far as it is known: that of the file Zoom sends, else the announced one."""
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
    """The connections that reported or found the recording."""
    state: FileState = FileState.PENDING
    file_count: int = 0
    bytes: int = 0
    version: int = 0
    due_at: float | None = None
    announced: str = ""
    """The set of files that the last published event was about."""
    found_at: float = 0.0
    finished_at: float | None = None
    trashed_at: float | None = None
    gone_at: float | None = None
    """When it was permanently deleted at Zoom."""
    deleted_at: float | None = None
    """When it was deleted here. The document stays, so that the recording is not archived again."""

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the recording in a stored item. Attributes of later versions are ignored."""
        known = {each.name: item[each.name] for each in fields(cls) if each.name in item}
        return cls(**known | {"state": FileState(item["state"])})

    def to_item(self) -> dict[str, Any]:
        """Return the recording as an item of the table."""
        values = {name: value for name, value in asdict(self).items() if value not in ("", None)}
        values["state"] = str(self.state)
        return {"pk": partition(self.tenant, self.recording_id), "sk": RECORDING, **values}

    def to_list_entry(self) -> dict[str, Any]:
        """Return its entry in the tenant's list, with the fields that people search by."""
        names = ("tenant", "recording_id", "uuid", "meeting_id", "topic", "host_id", "host_email", "begun_ms",
                 "connections", "state", "file_count", "bytes")  # fmt: skip
        values = {name: value for name in names if (value := getattr(self, name)) != ""}
        values["state"] = str(self.state)
        return {"pk": list_partition(self.tenant), "sk": self.place, **values}

    @property
    def place(self) -> str:
        """Its position in the tenant's list: by the begin of the recording."""
        return f"{self.begun_ms:013}#{self.recording_id}"


def recording_id_of(tenant: str, uuid: str) -> str:
    """Return the id of an instance's recording: the same for every event and every list that names it."""
    return f"rec_{sha256(f'{tenant}\0{uuid}'.encode()).hexdigest()[:32]}"


def partition(tenant: str, recording_id: str) -> str:
    """Return the partition of a recording and its files."""
    return f"{tenant}#archive#{recording_id}"


def list_partition(tenant: str) -> str:
    """Return the partition of a tenant's list."""
    return f"{tenant}#archive-list"


def state_of(files: Sequence[ArchivedFile]) -> FileState:
    """Return the state of a recording: that of an open file if there is one, else the worst of its files."""
    states = {each.state for each in files}
    if states & OPEN:
        untouched = states <= {FileState.PENDING}
        return FileState.PENDING if untouched else FileState.MOVING
    worst = (FileState.FAILED, FileState.DOUBTFUL, FileState.KEPT)
    return next((state for state in worst if state in states), FileState.PENDING)
