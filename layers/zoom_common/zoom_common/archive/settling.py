"""Brings a recording up to date with its files: its state, what it says on the bus, and when it is looked at again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from zoom_common.archive.ledger import (
    IN_S3,
    OPEN,
    ArchivedFile,
    ArchivedRecording,
    FileState,
    Ledger,
    settle,
    state_of,
)
from zoom_common.archive.policy import Policy, PolicyStore
from zoom_common.events.bus import CloudEvent, event_id, rfc3339

SOURCE = "/gateway/archive"
ARCHIVED, ARCHIVE_FAILED = "recording.archived", "recording.archive_failed"
# How long a file may be on its way before the sweep looks at it: longer than any queue hides its message.
LOOK_AFTER_SECONDS = 6 * 3600.0
_DAY = 86_400.0

type PublishEvents = Callable[[Sequence[CloudEvent]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Settles recordings. `publish` raises Unavailable unless all events are on the bus; `clock` is epoch seconds."""

    ledger: Ledger
    policies: PolicyStore
    publish: PublishEvents
    clock: Callable[[], float]

    def settle(self, tenant: str, recording_id: str, *, told_by: str | None = None) -> ArchivedRecording | None:
        """Store what the files add up to, and return it; None when there is no such recording. Raises Unavailable.

        Once no file is on its way, the result is published, before it is stored that it was: a crash in between
        publishes the same event, with the same id, once more. `told_by` is a connection that told of the recording.
        """
        told = frozenset({told_by} if told_by else ())

        def settled(recording: ArchivedRecording, files: Sequence[ArchivedFile]) -> ArchivedRecording:
            return self._settled(replace(recording, connections=recording.connections | told), files)

        return settle(self.ledger, tenant, recording_id, settled)

    def policy_of(self, recording: ArchivedRecording) -> Policy:
        """Return the policy of the first connection that told of a recording, else the tenant's."""
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
    """Return when the policy wants something done about a recording that is not on its way, or None for never."""
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
    """Return the event about a recording of which no file is on its way. It has no links and no addresses of people."""
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
