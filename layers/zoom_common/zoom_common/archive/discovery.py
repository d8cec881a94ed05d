"""Finds recordings, from Zoom's events and from Zoom's lists, and queues their files for the workers.

A recording has several events: one for each time it was started, one for its transcript hours later, and some come
twice. Each event only adds files that are not known yet. Files without an id of Zoom's (timelines, captions) are
identified by their type and begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from zoom_common.archive.downloads_client import Link
from zoom_common.archive.ledger import LOOK_AFTER_SECONDS, Ledger, Settling
from zoom_common.archive.model import ArchivedFile, ArchivedRecording, Doubt, FileState, recording_id_of
from zoom_common.archive.policy import KIND_OF, FileName, Policy, PolicyStore
from zoom_common.connections.model import Connection
from zoom_common.connections.tombstones import Tombstones, of_person, of_tenant
from zoom_common.events.bus import CloudEvent
from zoom_common.events.reconciliation.zoom_reader import AccessDenied, Read, ZoomReader
from zoom_common.secret import Secret
from zoom_common.zoom.events import epoch_ms, identifier, is_unfinished, recording_file_name
from zoom_common.zoom.operations.table import encoded_twice

# Zoom's events that name files.
WITH_FILES = frozenset({"zoom.recording.completed", "zoom.recording.transcript_completed", "zoom.recording.recovered"})
# After these events Zoom's list of files is read again, because a summary may have been added to it.
WITHOUT_FILES = frozenset({"zoom.meeting.summary_completed", "zoom.meeting.summary_updated"})

LISTS = ("recording_files", "participant_audio_files")
_EXTENSIONS = {"TRANSCRIPT": "VTT", "CC": "VTT", "CHAT": "TXT", "TIMELINE": "JSON", "SUMMARY": "JSON"}
_LONGEST_NAME = 200
_TOKEN_SECONDS = 86_400

# Identifies a file: tenant, recording id, file id.
type FilePlace = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """The result of reading one recording: its id, the number of new files, and the number of all files."""

    recording_id: str
    new: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Registers recordings. `enqueue` queues files for the workers; `clock` gives epoch seconds. Raises Unavailable."""

    ledger: Ledger
    policies: PolicyStore
    settling: Settling
    tombstones: Tombstones
    enqueue: Callable[[Sequence[FilePlace]], object]
    clock: Callable[[], float]

    def register(
        self, tenant: str, connection_id: str, about: Mapping[str, Any], *, revive: bool = False
    ) -> Found | None:
        """Store a recording as one of Zoom's events or lists describes it; return None when it is not to be archived.

        Repeating it adds nothing. With `revive`, files that have failed are queued again.
        """
        policy = self.policies.effective(tenant, connection_id)
        recording = described(tenant, connection_id, about, now=self.clock())
        if not policy.enabled or recording is None or self._erased(recording):
            return None
        files = [file for file in listed(recording, connection_id, about, policy) if file.kind in policy.kinds]
        if not files:
            return None
        self.ledger.add(replace(recording, due_at=self.clock() + LOOK_AFTER_SECONDS))
        found = self.ledger.read(tenant, recording.recording_id)
        if found is None or found[0].deleted_at is not None:
            return None
        known = {file.file_id: file for file in found[1]}
        new = [file for file in files if file.file_id not in known and self.ledger.add_file(file)]
        again = [known[file.file_id] for file in files if self._again(known.get(file.file_id), file, revive=revive)]
        self.enqueue([(tenant, file.recording_id, file.file_id) for file in (*new, *again)])
        self.settling.settle(tenant, recording.recording_id, reported_by=connection_id)
        return Found(recording.recording_id, len(new), len(known) + len(new))

    def event(
        self, event: CloudEvent, content: Callable[[str, str], Mapping[str, Any] | None], read: Read
    ) -> Found | None:
        """Store the files that one of Zoom's events names; return None when there is nothing to archive.

        `content` returns the data of an event that came without it, by tenant and id. `read` reads at Zoom.
        """
        if event.connection_id is None or event.type not in WITH_FILES | WITHOUT_FILES:
            return None
        data = event.data if event.data is not None else content(event.tenant, event.id)
        about = _object(data)
        if event.type in WITH_FILES:
            return self.register(event.tenant, event.connection_id, about, revive=True)
        uuid = identifier(about.get("meeting_uuid")) or event.uuid
        return None if uuid is None else self.look(event.tenant, event.connection_id, uuid, read)

    def look(self, tenant: str, connection_id: str, uuid: str, read: Read, *, revive: bool = False) -> Found | None:
        """Read the files of one instance at Zoom and store what is new. Return None when Zoom shows none."""
        if not self.policies.effective(tenant, connection_id).enabled:
            return None
        try:
            row = read(recordings_path(uuid))
        except AccessDenied:
            return None
        return None if row is None else self.register(tenant, connection_id, row, revive=revive)

    def retry(self, file: ArchivedFile) -> bool:
        """Queue a failed file again, and return whether it had failed."""
        again = file.state is FileState.FAILED and self._pending(file)
        if again:
            self.enqueue([(file.tenant, file.recording_id, file.file_id)])
        return again

    def _again(self, known: ArchivedFile | None, reported: ArchivedFile, *, revive: bool) -> bool:
        """Store the size that Zoom states now. Return whether a known file has to be queued again."""
        if known is None:
            return False
        if known.state is FileState.PENDING:
            return True  # The message may have been lost before it was sent.
        if known.state is FileState.FAILED:
            return revive and self._pending(known)
        if reported.declared is not None and reported.declared != known.declared:
            self._declared(known, reported.declared)
        return False

    def _pending(self, file: ArchivedFile) -> bool:
        return self.ledger.revise(file, now=self.clock(), state=FileState.PENDING, tries=0, reason=None)

    def _declared(self, file: ArchivedFile, size: int) -> None:
        """Store another stated size. It can make a kept file doubtful, or a doubtful file kept."""
        changes: dict[str, object] = {"declared": size}
        if file.state is FileState.KEPT and size != file.total:
            changes |= {"state": FileState.DOUBTFUL, "reason": Doubt.DECLARED_SIZE}
        elif file.state is FileState.DOUBTFUL and file.reason == Doubt.DECLARED_SIZE and size == file.total:
            changes |= {"state": FileState.KEPT, "reason": None}
        self.ledger.revise(file, now=self.clock(), **changes)

    def _erased(self, recording: ArchivedRecording) -> bool:
        """Return whether the host, or the tenant, was erased since the recording was made."""
        names = [of_tenant(recording.tenant), of_person(recording.tenant, recording.host_id)]
        moments = (self.tombstones.erased_at(name) for name in names)
        return any(at is not None and recording.begun_ms / 1000 <= at for at in moments)


def described(tenant: str, connection_id: str, about: Mapping[str, Any], *, now: float) -> ArchivedRecording | None:
    """Return the recording that an event's object or a row of Zoom's lists describes.

    Return None when it names no instance.
    """
    uuid = identifier(about.get("uuid"))
    if uuid is None or len(uuid) > _LONGEST_NAME:
        return None
    begins = [about.get("start_time"), *(file.get("recording_start") for _, file in _files(about))]
    begun = next((moment for each in begins if (moment := epoch_ms(each)) is not None), int(now * 1000))
    duration = about.get("duration")
    return ArchivedRecording(
        tenant=tenant,
        recording_id=recording_id_of(tenant, uuid),
        uuid=uuid,
        meeting_id=identifier(about.get("id")) or "",
        topic=_text(about.get("topic")),
        host_id=_text(about.get("host_id")),
        host_email=_text(about.get("host_email")),
        type=_text(about.get("type")),
        timezone=_text(about.get("timezone")),
        duration=duration if isinstance(duration, int) else 0,
        begun_ms=begun,
        connections=frozenset({connection_id}),
        found_at=now,
    )


def listed(
    recording: ArchivedRecording, connection_id: str, about: Mapping[str, Any], policy: Policy
) -> Iterator[ArchivedFile]:
    """Yield each file that can be downloaded, once. Files that Zoom is still processing come with a later event."""
    seen: set[str] = set()
    for place, file in _files(about):
        name = file_name(file)
        if name in seen or not file.get("download_url") or is_unfinished(file):
            continue
        seen.add(name)
        file_type = _text(file.get("file_type")).upper()
        extension = (_text(file.get("file_extension")) or _EXTENSIONS.get(file_type, file_type) or "BIN").upper()
        kind = "audio" if place == "participant_audio_files" else KIND_OF.get(file_type, "other")
        recorded_as = _text(file.get("recording_type")) or ("participant_audio" if kind == "audio" else "")
        naming = FileName(
            tenant=recording.tenant,
            connection=connection_id,
            host=recording.host_id,
            meeting_id=recording.meeting_id,
            uuid=recording.uuid,
            topic=recording.topic,
            begun_ms=epoch_ms(file.get("recording_start")) or recording.begun_ms,
            file_id=name,
            file_type=recorded_as or file_type,
            kind=kind,
            extension=extension,
        )
        yield ArchivedFile(
            tenant=recording.tenant,
            recording_id=recording.recording_id,
            file_id=name,
            file_type=file_type,
            recording_type=recorded_as,
            kind=kind,
            extension=extension,
            key=naming.key(policy.key_template),
            storage_class=policy.storage_class,
            cold_after_days=policy.cold_after_days,
            declared=_size(file),
            begins=_text(file.get("recording_start")),
            ends=_text(file.get("recording_end")),
            host_id=recording.host_id,
            host_email=recording.host_email,
            found_at=recording.found_at,
        )


class NotShown(Exception):
    """Zoom does not show the file now. `reason` says why and may be logged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def link_of(read: Read, recording: ArchivedRecording, file: ArchivedFile) -> tuple[Link, int | None]:
    """Ask Zoom for a link and a token to download a file, and for the file's current size. Raises NotShown.

    The token opens this recording alone, for a day; plain access tokens are sometimes refused.
    https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/get/meetings/{meetingId}/recordings
    """
    path = f"{recordings_path(recording.uuid)}?include_fields=download_access_token&ttl={_TOKEN_SECONDS}"
    try:
        row = read(path)
    except AccessDenied as denied:
        raise NotShown(denied.reason) from None
    if row is None:
        raise NotShown("not_at_zoom")
    token = _text(row.get("download_access_token"))
    for _, each in _files(row):
        if file_name(each) == file.file_id and each.get("download_url"):
            return Link(str(each["download_url"]), Secret(token) if token else None), _size(each)
    raise NotShown("not_at_zoom")


def recordings_path(uuid: str) -> str:
    """Return the path of an instance's recordings in Zoom's API."""
    return f"/v2/meetings/{encoded_twice(uuid)}/recordings"


def files_at_zoom(row: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the names of all files that Zoom lists for a recording, with their sizes as Zoom states them."""
    return {file_name(file): _size(file) for _, file in _files(row)}


def file_name(file: Mapping[str, Any]) -> str:
    """Return the name by which a file is identified, short enough for a key of the table."""
    name = recording_file_name(file)
    return name if len(name) <= _LONGEST_NAME else sha256(name.encode()).hexdigest()


def backfill(
    discovery: Discovery, connection: Connection, reader: ZoomReader, user: str, *, since: date, until: date
) -> int:
    """Archive a user's recordings at Zoom from `since` to `until`: UTC days, both included, a month at most.

    Return how many files were new. Repeating it archives nothing twice, and queues files that have failed again. Raises
    what reading raises; `reader` then knows whether Zoom shows the list.
    """
    tenant, name = connection.tenant, connection.connection_id
    if not discovery.policies.effective(tenant, name).enabled:
        return 0
    path = f"/v2/users/{quote(user, safe='')}/recordings?from={since.isoformat()}&to={until.isoformat()}"
    new = 0
    for row in reader.rows(path, "meetings"):
        found = discovery.register(tenant, name, row, revive=True)
        new += found.new if found is not None else 0
        uuid = identifier(row.get("uuid"))
        if found is not None and found.new and uuid is not None:  # Zoom's list leaves out some kinds of files.
            whole = discovery.register(tenant, name, reader.get(recordings_path(uuid)))
            new += whole.new if whole is not None else 0
    return new


def _files(about: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place in LISTS:
        rows = about.get(place)
        for file in rows if isinstance(rows, list) else []:
            if isinstance(file, Mapping):
                yield place, file


def _size(file: Mapping[str, Any]) -> int | None:
    size = file.get("file_size")
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None


def _object(data: Mapping[str, Any] | None) -> Mapping[str, Any]:
    payload = (data or {}).get("payload")
    found = payload.get("object") if isinstance(payload, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _text(value: object) -> str:
    return str(value)[:500] if isinstance(value, str | int) and not isinstance(value, bool) else ""
