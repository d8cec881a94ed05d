"""Copies one file from Zoom into S3, with any number of interruptions.

A message of the queue names a file. A worker leases the file, copies as many parts as its time allows, and returns the
message to the queue. S3's list of parts records the progress: a part counts when S3 states its checksum. S3 compares
the CRC32 over the whole object before the object appears. Then its boxes are checked in S3, and the file counts as
kept.

A crash may come between any two steps; `moving` describes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from zoom_common.archive.discovery import FilePlace, NotShown
from zoom_common.archive.downloads_client import DownloadBroken, OutOfTime
from zoom_common.archive.ledger import Leased, LeaseLost, Settling
from zoom_common.archive.model import OPEN, ArchivedFile, ArchivedRecording, FileState
from zoom_common.archive.moving import Failed, Run, Tools
from zoom_common.aws.errors import translated
from zoom_common.aws.s3 import S3Refused
from zoom_common.deadline import Deadline
from zoom_common.errors import ConnectionUnusable, GatewayError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Longer than a run may take: after the lease has ended, its holder is not working any more.
LEASE_SECONDS = 330.0
MOST_TRIES = 12
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
_PASSING_PAUSE, _LOST_PAUSE = 120.0, 60.0
_LARGEST_BATCH = 10


@dataclass(frozen=True, slots=True)
class Again:
    """The message has to come back after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Moved:
    """The counts of a run: bytes copied from Zoom into S3, and whether the file is still under way, kept or failed."""

    bytes: int
    state: FileState


@dataclass(slots=True, kw_only=True)
class Transfer(Tools):
    """Works on files, one at a time. Every method raises Unavailable for a later try.

    `new_owner` returns a name for a run. `report` receives the run's result.
    """

    settling: Settling
    new_owner: Callable[[], str]
    report: Callable[[ArchivedFile, Moved], object]

    def work(self, tenant: str, recording_id: str, file_id: str, deadline: Deadline) -> Again | None:
        """Work on a file as long as time allows. Return None when its message can be deleted."""
        found = self.ledger.read(tenant, recording_id)
        file = next((each for each in found[1] if each.file_id == file_id), None) if found else None
        if found is None or file is None or file.cancelled:
            return None
        if file.state in OPEN:
            try:
                again = self._leased(found[0], file, deadline)
            except Leased as leased:
                return Again(max(1.0, leased.until - self.clock()))
            except LeaseLost:
                again = self._lost(file)
            if again is not None:
                return again
        self.settling.settle(tenant, recording_id)
        return None

    def _leased(  # noqa: PLR0911 - one for each way a run can end
        self, recording: ArchivedRecording, file: ArchivedFile, deadline: Deadline
    ) -> Again | None:
        now = self.clock()
        file = self.ledger.lease(file, owner=self.new_owner(), now=now, until=now + LEASE_SECONDS)
        # The try is counted before the work, because a run that is killed has failed too.
        file = self.ledger.note(file, tries=file.tries + 1)
        run = Run(self, recording, file, deadline)
        if file.tries > MOST_TRIES:
            return self._failed(run, file.reason or "interrupted")
        try:
            run.move()
        except OutOfTime:
            state = FileState.MOVING
        except (DownloadBroken, NotShown, Failed) as failure:
            return self._failed(run, failure.reason)
        except S3Refused as refused:
            return self._failed(run, f"s3_{refused.s3_code}")
        except GatewayError as error:
            if error.retryable and not isinstance(error, ConnectionUnusable):
                self.ledger.release(run.file, tries=run.file.tries - 1, reason=error.reason)
                return Again(_PASSING_PAUSE)  # Not the file's fault, and no sign that it cannot be copied.
            return self._failed(run, error.reason)
        else:
            state = run.file.state
        self.report(run.file, Moved(run.bytes, state))
        if state in OPEN:
            self.ledger.release(run.file)
            return Again(0.0)
        return None

    def _lost(self, file: ArchivedFile) -> Again | None:
        """Keep the message, because another run has the file, and that run may have the same message from SQS."""
        now = self.ledger.file(file.tenant, file.recording_id, file.file_id)
        return Again(_LOST_PAUSE) if now is not None and now.state in OPEN and not now.cancelled else None

    def _failed(self, run: Run, reason: str) -> Again | None:
        """End a run that failed. Only successive runs without progress count against a file."""
        file = run.file
        final = file.tries >= MOST_TRIES
        state = FileState.FAILED if final else FileState.MOVING
        if final:
            run.abort_uploads()
        changes: dict[str, object] = {"upload_id": None, "moved": None, "finished_at": self.clock()} if final else {}
        self.ledger.release(file, state=state, reason=reason, **changes)
        self.report(file, Moved(run.bytes, state))
        return None if final else Again(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (file.tries - 1)))


def to_message(tenant: str, recording_id: str, file_id: str) -> str:
    """Return the message that names a file."""
    return json.dumps({"tenant": tenant, "recording_id": recording_id, "file_id": file_id}, separators=(",", ":"))


def of_message(body: str) -> Mapping[str, str] | None:
    """Return the file that a message names, or None for another message."""
    try:
        found = json.loads(body)
        return {name: str(found[name]) for name in ("tenant", "recording_id", "file_id")}
    except (KeyError, TypeError, ValueError):
        return None


class TransferQueue:
    """The queue of files to copy. A message is deleted when its file is done; until then it returns by itself."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def enqueue(self, files: Sequence[FilePlace]) -> None:
        """Queue files. Raises Unavailable unless every message was taken."""
        for some in batched(files, _LARGEST_BATCH, strict=False):
            entries: Any = [{"Id": str(at), "MessageBody": to_message(*file)} for at, file in enumerate(some)]
            with translated("archive_queue_unavailable"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                raise Unavailable(reason="archive_queue_unavailable")

    def return_after(self, receipt: str, seconds: float) -> None:
        """Let a message come back in `seconds`.

        Raises Unavailable; then it comes back after the queue's visibility timeout.
        """
        with translated("archive_queue_unavailable"):
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=round(min(seconds, _LONGEST_PAUSE))
            )
