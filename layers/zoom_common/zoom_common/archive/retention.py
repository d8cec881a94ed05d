"""Ends copies of recordings: at Zoom once everything is proved to be in S3, and in S3 after the retention period.

The sweep works through the agenda. Each step reads the ledger again. The step that deletes at Zoom first checks Zoom's
list and every object in S3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from zoom_common.archive.discovery import FilePlace, files_at_zoom
from zoom_common.archive.ledger import LAST_MS, LOOK_AFTER_SECONDS, Duty, Ledger, Settling, next_duty, settle
from zoom_common.archive.model import OPEN, ArchivedFile, ArchivedRecording, FileState
from zoom_common.archive.policy import Policy
from zoom_common.aws.s3 import StoredObject
from zoom_common.errors import GatewayError, InternalError, Unavailable
from zoom_common.events.reconciliation.zoom_reader import AccessDenied

_DAY = 86_400.0
# After a fault, or when something at Zoom is not archived yet, the sweep looks again this much later.
_LATER_SECONDS = _DAY
# Uploads that no file refers to are ended when they are older than any run, lease or message can be.
_STRAY_SECONDS = 3 * _DAY
_WALK_PAGE = 100


class Storage(Protocol):
    """The bucket; see `aws.s3.Bucket`."""

    def head(self, key: str) -> StoredObject | None: ...  # noqa: D102
    def versions(self, prefix: str) -> Iterator[tuple[str, str]]: ...  # noqa: D102
    def delete(self, key: str, version: str) -> None: ...  # noqa: D102
    def uploads(self, prefix: str) -> Iterator[tuple[str, str, float]]: ...  # noqa: D102
    def abort(self, key: str, upload_id: str) -> None: ...  # noqa: D102


class AtZoom(Protocol):
    """A recording at Zoom, read over a connection that reported it. Methods raise GatewayError and AccessDenied."""

    def files(self, recording: ArchivedRecording) -> Mapping[str, Any] | None:
        """Return Zoom's list of its files, or None when Zoom has no such recording or has it in the trash."""
        ...

    def remove(self, recording: ArchivedRecording, *, for_ever: bool) -> None:
        """Move it to Zoom's trash, or delete it permanently. Repeating it is no error."""
        ...


class Outcome(StrEnum):
    """The result of one entry of the agenda."""

    WALKED = "walked"
    GONE = "gone"
    WAITING = "waiting"
    STUCK = "stuck"
    TRASHED = "trashed"
    DELETED_AT_ZOOM = "deleted_at_zoom"
    NOT_PROVED = "not_proved"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Works through the agenda. `enqueue` queues files for the workers; `clock` gives epoch seconds."""

    ledger: Ledger
    settling: Settling
    storage: Storage
    at_zoom: AtZoom
    enqueue: Callable[[Sequence[FilePlace]], object]
    clock: Callable[[], float]

    def sweep(self, should_stop: Callable[[], bool], note: Callable[[Outcome, Duty], object]) -> int:
        """Do what is due, and return how many entries were done. What fails is due again a day later.

        Raises Unavailable.
        """
        done = 0
        while not should_stop():
            duties = self.ledger.due(now=self.clock())
            if not duties:
                break
            for duty in duties:
                if should_stop():
                    return done
                note(self._carry_out(duty, should_stop), duty)
                done += 1
        return done

    def end_strays(self, should_stop: Callable[[], bool]) -> int:
        """End uploads that no file refers to, and return how many. A lifecycle rule of the bucket ends them too."""
        ended = 0
        for key, upload_id, begun in self.storage.uploads(""):
            if should_stop():
                break
            if begun < self.clock() - _STRAY_SECONDS:
                self.storage.abort(key, upload_id)
                ended += 1
        return ended

    def remove(self, tenant: str, recording_id: str) -> bool:
        """Delete every version of the copy here, and return whether there was one.

        The recording at Zoom is not touched. The recording's document stays without its files, so that the recording is
        not archived again. When a worker has a lease, the sweep deletes once more after that lease has ended.
        """
        now = self.clock()
        found = self.ledger.read(tenant, recording_id)
        if found is None or (found[0].deleted_at is not None and not found[1]):
            return False
        ends = {file.file_id: self.ledger.cancel(file, now=now) for file in found[1]}
        busy = max(ends.values(), default=now)

        def gone(recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> ArchivedRecording:  # noqa: ARG001
            emptied = replace(recording, topic="", host_email="", bytes=0, file_count=0)
            return replace(emptied, deleted_at=recording.deleted_at or now, due_at=busy + 1 if busy > now else None)

        settle(self.ledger, tenant, recording_id, gone)
        for file in found[1]:
            remove_objects(self.storage, file.key)
            if ends[file.file_id] <= now:
                self.ledger.forget(file)
        return True

    def _carry_out(self, duty: Duty, should_stop: Callable[[], bool]) -> Outcome:
        if duty.after is not None:
            return self._walk(duty, should_stop)
        found = self.ledger.read(duty.tenant, duty.recording_id)
        if found is None or duty.sort != _sort_of(found[0]):
            self.ledger.done(duty)  # It was erased, or has been planned for another time since.
            return Outcome.GONE
        recording, files = found
        if recording.deleted_at is not None:
            return self._look_again_at_deleted(recording, files)
        if any(file.state in OPEN for file in files):
            return self._stuck(recording, files)
        try:
            return self._finished(recording, files)
        except (GatewayError, AccessDenied) as error:
            if isinstance(error, InternalError):
                raise
            self._later(recording)
            return Outcome.NOT_PROVED

    def _walk(self, duty: Duty, should_stop: Callable[[], bool]) -> Outcome:
        """Plan a tenant's recordings again after a change of its policy. Continue later when the time is over."""
        after: str | None = duty.after or None
        while True:
            entries, after = self.ledger.page(
                duty.tenant, since_ms=0, until_ms=LAST_MS, limit=_WALK_PAGE, after=after, newest=False
            )
            for entry in entries:
                self.settling.settle(duty.tenant, entry["recording_id"])
            if after is not None and not should_stop():
                continue
            if after is not None:
                self.ledger.plan_walk(duty.tenant, at=self.clock() + 1, after=after)
            self.ledger.done(duty)
            return Outcome.WALKED

    def _look_again_at_deleted(self, recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> Outcome:
        for file in files:
            remove_objects(self.storage, file.key)
            self.ledger.forget(file)
        settle(self.ledger, recording.tenant, recording.recording_id, lambda each, _: replace(each, due_at=None))
        return Outcome.EXPIRED

    def _stuck(self, recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> Outcome:
        """Queue open files again, because their messages may have been lost. Repeating it does no harm."""
        now = self.clock()
        waiting = [file for file in files if file.state in OPEN]
        still = [file for file in waiting if max(file.progress_at, file.found_at) < now - LOOK_AFTER_SECONDS]
        self.enqueue([(file.tenant, file.recording_id, file.file_id) for file in waiting])
        settle(
            self.ledger,
            recording.tenant,
            recording.recording_id,
            lambda each, _: replace(each, due_at=now + LOOK_AFTER_SECONDS),
        )
        return Outcome.STUCK if still else Outcome.WAITING

    def _finished(self, recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> Outcome:
        policy, now = self.settling.policy_of(recording), self.clock()
        kept_at = recording.finished_at or recording.found_at
        if policy.retention_days is not None and kept_at + policy.retention_days * _DAY <= now:
            self.remove(recording.tenant, recording.recording_id)
            return Outcome.EXPIRED
        planned = next_duty(recording, policy)
        if planned is None or planned > now or recording.state is not FileState.KEPT:
            self.settling.settle(recording.tenant, recording.recording_id)
            return Outcome.WAITING
        if recording.trashed_at is None:
            return self._trash(recording, files, policy)
        return self._delete_at_zoom(recording, files)

    def _trash(self, recording: ArchivedRecording, files: Sequence[ArchivedFile], policy: Policy) -> Outcome:
        row = self.at_zoom.files(recording)
        if row is not None:
            if not policy.enabled or not self._proved(files, files_at_zoom(row)):
                self._later(recording)
                return Outcome.NOT_PROVED
            self.at_zoom.remove(recording, for_ever=False)
        self._store(recording, trashed_at=self.clock())
        return Outcome.TRASHED

    def _delete_at_zoom(self, recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> Outcome:
        if not self._proved(files, {file.file_id: None for file in files}):
            self._later(recording)
            return Outcome.NOT_PROVED
        if self.at_zoom.files(recording) is not None:  # Somebody has recovered it since, and decides about it.
            self._store(recording, gone_at=self.clock())
            return Outcome.WAITING
        self.at_zoom.remove(recording, for_ever=True)
        self._store(recording, gone_at=self.clock())
        return Outcome.DELETED_AT_ZOOM

    def _proved(self, files: Sequence[ArchivedFile], at_zoom: Mapping[str, int | None]) -> bool:
        """Return whether each file that Zoom lists is kept with that size, and S3 has it as it was stored."""
        kept = {file.file_id: file for file in files if file.state is FileState.KEPT}
        if not at_zoom or at_zoom.keys() - kept.keys() or len(kept) != len(files):
            return False
        if any(size not in {None, kept[name].total} for name, size in at_zoom.items()):
            return False
        stored = ((file, self.storage.head(file.key)) for file in files)
        return all(
            found is not None and found.size == file.total and (found.crc is None or found.crc == file.crc)
            for file, found in stored
        )

    def _store(self, recording: ArchivedRecording, **changes: Any) -> None:
        """Store what was done at Zoom, and plan the next step."""
        settle(
            self.ledger,
            recording.tenant,
            recording.recording_id,
            lambda each, _: replace(each, **changes),
        )
        self.settling.settle(recording.tenant, recording.recording_id)

    def _later(self, recording: ArchivedRecording) -> None:
        due = self.clock() + _LATER_SECONDS
        settle(self.ledger, recording.tenant, recording.recording_id, lambda each, _: replace(each, due_at=due))


def _sort_of(recording: ArchivedRecording) -> str:
    due = int(recording.due_at) if recording.due_at is not None else 0
    return f"{due:010}#{recording.tenant}#{recording.recording_id}"


def objects_of(storage: Storage, key: str) -> tuple[list[str], list[str]]:
    """Return the versions of an object, and the uploads of its key."""
    versions = [version for name, version in storage.versions(key) if name == key]
    return versions, [upload_id for name, upload_id, _ in storage.uploads(key) if name == key]


def remove_objects(storage: Storage, key: str) -> int:
    """Delete every version of an object and every upload of its key, and return how many there were."""
    versions, uploads = objects_of(storage, key)
    for version in versions:
        storage.delete(key, version)
    for upload_id in uploads:
        storage.abort(key, upload_id)
    return len(versions) + len(uploads)


@dataclass(frozen=True, slots=True)
class Copies:
    """Objects in S3 of stored files, for erasures. Methods take a file's item, and raise Unavailable."""

    ledger: Ledger
    storage: Storage
    clock: Callable[[], float]

    def count(self, item: Mapping[str, Any]) -> int:
        """Return the number of versions and uploads."""
        return sum(map(len, objects_of(self.storage, ArchivedFile.of_item(item).key)))

    def erase(self, item: Mapping[str, Any]) -> int:
        """Delete them, and return their number.

        Raises Unavailable while a worker has the file, because a copy finished afterwards would be found by nobody.
        """
        file, now = ArchivedFile.of_item(item), self.clock()
        busy = self.ledger.cancel(file, now=now) > now
        removed = remove_objects(self.storage, file.key)
        if busy:
            raise Unavailable(reason="archive_busy")
        return removed
