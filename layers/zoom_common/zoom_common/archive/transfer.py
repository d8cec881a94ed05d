"""Moves one file from Zoom into S3, however often it is interrupted.

A message of the queue names a file. Whoever works on it leases the file, moves as many parts as their time allows, and
lets the same message come back. S3's list of parts is what has been moved: a part counts when S3 tells its checksum.
The object appears at once and whole, when S3 has compared the CRC32 over all of it. Its boxes are then followed in S3
itself, and only then it counts as kept.

A crash may come between any two steps. Before an upload is begun, one that was begun already is looked for. Before S3
is asked to complete it, size and checksum are written down: after a lost answer, S3 is asked what it holds.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import batched
from typing import TYPE_CHECKING, Any, Protocol

from zoom_common.archive.content import BEGINNING, NotFinished, begins_wrong, combined, content_type, fault_of
from zoom_common.archive.discovery import FilePlace, NotShown
from zoom_common.archive.downloads_client import Download, DownloadBroken, Link, LinkEnded, OutOfTime
from zoom_common.archive.ledger import (
    OPEN,
    ArchivedFile,
    ArchivedRecording,
    Doubt,
    FileState,
    Leased,
    LeaseLost,
    Ledger,
)
from zoom_common.archive.settling import Settling
from zoom_common.aws.errors import translated
from zoom_common.aws.s3 import ObjectForm, Part, S3Refused, StoredObject, Upload, composite_crc
from zoom_common.deadline import Deadline
from zoom_common.errors import ConnectionUnusable, GatewayError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MIB = 1024 * 1024
LEAST_PART = 32 * MIB
_MOST_PARTS = 9_000
# A run stops when so much of its time is left: enough to send a part that has been read.
RESERVE_SECONDS = 40.0
# Longer than a run may take: whoever holds a lease that has ended is not at work any more.
LEASE_SECONDS = 330.0
MOST_TRIES = 12
# After so many tries a film that is shorter than Zoom says is taken as it is, and marked.
_SHORT_TRIES = 3
_MOST_LINKS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
_PASSING_PAUSE, _LOST_PAUSE = 120.0, 60.0
_LARGEST_BATCH = 10


class Storage(Protocol):
    """The bucket; see `aws.s3.Bucket`."""

    def put(self, key: str, body: memoryview, crc: int, form: ObjectForm) -> None: ...  # noqa: D102
    def begin_upload(self, key: str, form: ObjectForm) -> str: ...  # noqa: D102
    def put_part(self, key: str, upload_id: str, number: int, body: memoryview, crc: int) -> Part: ...  # noqa: D102
    def parts(self, key: str, upload_id: str) -> Upload: ...  # noqa: D102
    def complete(self, key: str, upload_id: str, parts: Sequence[Part], *, crc: int | None) -> None: ...  # noqa: D102
    def abort(self, key: str, upload_id: str) -> None: ...  # noqa: D102
    def uploads(self, prefix: str) -> Any: ...  # noqa: D102
    def head(self, key: str) -> StoredObject | None: ...  # noqa: D102
    def read(self, key: str, first: int, size: int) -> bytes: ...  # noqa: D102


class Downloads(Protocol):
    """Zoom's downloads; see `DownloadClient`."""

    def get(self, link: Link, first: int, last: int) -> Download: ...  # noqa: D102


# Asks Zoom for a link to a file and the size it tells now. Raises NotShown and GatewayError.
type Links = Callable[[ArchivedRecording, ArchivedFile, Deadline], tuple[Link, int | None]]


class Failed(Exception):
    """A run came to nothing: `reason` is stored with the file, and safe to log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Again:
    """The message has to come back, after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Moved:
    """What a run has counted: bytes from Zoom into S3, and whether the file is on its way still, kept or failed."""

    bytes: int
    state: FileState


@dataclass(slots=True, kw_only=True)
class Transfer:
    """Works on files, one at a time. Every method raises Unavailable for a later try.

    `owner` names this run; `count` gets numbers by name. `least_part` is for tests: AWS takes no smaller parts
    than 5 MiB.
    """

    ledger: Ledger
    settling: Settling
    storage: Storage
    downloads: Downloads
    links: Links
    clock: Callable[[], float]
    new_owner: Callable[[], str]
    report: Callable[[ArchivedFile, Moved], object]
    least_part: int = LEAST_PART

    def work(self, tenant: str, recording_id: str, file_id: str, deadline: Deadline) -> Again | None:
        """Work on a file as long as time allows. None: its message is done with."""
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
        # Counted before the work: a run that is killed has failed too.
        file = self.ledger.note(file, tries=file.tries + 1)
        run = _Run(self, recording, file, deadline)
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
                return Again(_PASSING_PAUSE)  # nobody's fault, and no sign that the file cannot be moved
            return self._failed(run, error.reason)
        else:
            state = run.file.state
        self.report(run.file, Moved(run.bytes, state))
        if state in OPEN:
            self.ledger.release(run.file)
            return Again(0.0)
        return None

    def _lost(self, file: ArchivedFile) -> Again | None:
        """Somebody else has the file: its message must not end with this run, which may be one that SQS repeated."""
        now = self.ledger.file(file.tenant, file.recording_id, file.file_id)
        return Again(_LOST_PAUSE) if now is not None and now.state in OPEN and not now.cancelled else None

    def _failed(self, run: _Run, reason: str) -> Again | None:
        """End a run that failed. Only runs in a row that made no progress count against a file."""
        file = run.file
        final = file.tries >= MOST_TRIES
        state = FileState.FAILED if final else FileState.MOVING
        if final:
            run.abort_uploads()
        changes: dict[str, object] = {"upload_id": None, "moved": None, "finished_at": self.clock()} if final else {}
        self.ledger.release(file, state=state, reason=reason, **changes)
        self.report(file, Moved(run.bytes, state))
        return None if final else Again(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (file.tries - 1)))


class _Run:
    """One worker's turn with one file, which it has leased."""

    def __init__(
        self, transfer: Transfer, recording: ArchivedRecording, file: ArchivedFile, deadline: Deadline
    ) -> None:
        self.file = file
        self.bytes = 0
        self._of = transfer
        self._storage = transfer.storage
        self._recording = recording
        self._deadline = deadline
        self._link: Link | None = None
        self._part_seconds = 0.0

    def move(self) -> None:
        """Move what is left of the file. Raises OutOfTime when that takes another turn."""
        if self.file.crc is not None and self._is_stored():
            self._finish()
            return
        if self.file.upload_id:
            try:
                self._continue(self._storage.parts(self.file.key, self.file.upload_id))
            except S3Refused as refused:
                if refused.s3_code != "NoSuchUpload":
                    raise
                self._start_over()
            else:
                return
        self._begin()

    def abort_uploads(self) -> None:
        """End every upload of this file's key: one of another worker, or one that was never written down."""
        for key, upload_id, _ in list(self._storage.uploads(self.file.key)):
            if key == self.file.key:
                self._storage.abort(key, upload_id)

    def _begin(self) -> None:
        """Read the first part, which says how large the file is: one part is stored at once, more are an upload."""
        size = self.file.declared or 0
        guessed = part_size(size, self._of.least_part)
        download = self._ask(0, guessed)
        total = download.total
        wanted = part_size(total if total is not None else size, self._of.least_part)
        if wanted != guessed and download.first == 0:
            download.close()  # the declared size was far off
            download = self._ask(0, wanted)
        buffer = memoryview(bytearray(wanted if total is None else min(wanted, total)))
        read = self._filled(download, buffer)
        self._check_beginning(buffer[:read], download)
        if total is None and read < wanted:
            total = read
        if total is not None and total < read:
            raise DownloadBroken("longer_than_told")
        self._note(total=total, part_size=wanted, etag=download.etag or None)
        if total is not None and total <= wanted:
            download.close()
            if read < total:
                raise DownloadBroken("cut")
            self._check_declared(total)
            self._put(buffer[:read])
            return
        if read < wanted:
            raise DownloadBroken("cut")
        if total is not None:
            self._check_declared(total)
        self._write_down(self._upload())
        parts = [self._sent(1, buffer)]
        self._go_on(parts, buffer, download)

    def _continue(self, upload: Upload) -> None:
        """Go on behind the parts that S3 holds, in order and whole."""
        size = self.file.part_size or self._of.least_part
        parts: list[Part] = []
        for part in upload.parts:
            whole = part.size == size or (self.file.total is not None and self._ends_with(part, size))
            if part.number != len(parts) + 1 or not whole or part.crc is None:
                break
            parts.append(part)
        self._go_on(parts, memoryview(bytearray(size)), None, full_object=upload.full_object)

    def _ends_with(self, part: Part, size: int) -> bool:
        return (part.number - 1) * size + part.size == self.file.total

    def _go_on(
        self, parts: list[Part], buffer: memoryview, download: Download | None, *, full_object: bool | None = None
    ) -> None:
        """Move part after part, then complete the upload."""
        size, at = len(buffer), sum(part.size for part in parts)
        while at != self.file.total:
            begun = self._deadline.remaining()
            if begun < RESERVE_SECONDS + self._part_seconds:
                raise OutOfTime  # a part that is begun now would be cut, and fetched again
            left = size if self.file.total is None else min(size, self.file.total - at)
            if download is None or download.first + (download.length or 0) < at + left:
                if download is not None and not self._streams(download):
                    download.close()
                    download = None
                if download is None:
                    download = self._ask(at, left)
                    self._line_up(download, at, parts)
            read = self._filled(download, buffer[:left])
            if read < left and self.file.total is not None:
                raise DownloadBroken("cut")
            if read:
                parts.append(self._sent(len(parts) + 1, buffer[:read]))
            at += read
            if read < left:
                self._note(total=at)
                self._check_declared(at)
            self._part_seconds = begun - self._deadline.remaining()
        if download is not None:
            download.close()
        self._complete(parts, full_object=full_object)

    def _streams(self, download: Download) -> bool:
        """Return whether an answer is the whole file, read on from part to part: Zoom ignores ranges then."""
        return download.first == 0 and (download.length is None or download.length == self.file.total)

    def _line_up(self, download: Download, at: int, parts: Sequence[Part]) -> None:
        """Make an answer begin at byte `at`. A whole file is read up to there, and has to be what was moved already."""
        if download.total is not None and self.file.total is not None and download.total != self.file.total:
            download.close()
            self._changed()
        if self.file.etag and download.etag and download.etag != self.file.etag:
            download.close()
            self._changed()
        if download.first == at:
            return
        if download.first != 0:
            download.close()
            raise DownloadBroken("other_range")
        if download.skip(at, self._check_time) != crc_of(parts):
            download.close()
            self._changed()

    def _changed(self) -> None:
        """Zoom has another content under the same name now: begin anew."""
        self._storage.abort(self.file.key, self.file.upload_id)
        self._start_over()
        raise Failed("content_changed")

    def _start_over(self) -> None:
        self._note(upload_id=None, moved=None, total=None, part_size=None, etag=None, crc=None, checked=None)

    def _write_down(self, upload_id: str) -> None:
        try:
            self._note(upload_id=upload_id)
        except LeaseLost:
            self._storage.abort(self.file.key, upload_id)  # nobody else knows of it
            raise

    def _upload(self) -> str:
        """Return an upload of this key: one that an earlier run began and could not write down, or a new one."""
        for key, upload_id, _ in self._storage.uploads(self.file.key):
            if key == self.file.key:
                return str(upload_id)
        return self._storage.begin_upload(self.file.key, self._form())

    def _sent(self, number: int, body: memoryview) -> Part:
        part = self._storage.put_part(self.file.key, self.file.upload_id, number, body, zlib.crc32(body))
        self.bytes += len(body)
        moved = (number - 1) * (self.file.part_size or 0) + len(body)
        self._note(moved=moved, tries=0, progress_at=self._of.clock(), reason=None)
        return part

    def _put(self, body: memoryview) -> None:
        crc = zlib.crc32(body)
        self._note(crc=crc)
        try:
            self._storage.put(self.file.key, body, crc, self._form())
        except S3Refused as refused:
            self._was_refused(refused)
        self.bytes += len(body)
        if not self._is_stored():
            raise Failed("not_confirmed")
        self._finish()

    def _complete(self, parts: Sequence[Part], *, full_object: bool | None) -> None:
        crc = crc_of(parts)
        if full_object is None:
            full_object = self._storage.parts(self.file.key, self.file.upload_id).full_object
        self._note(crc=crc)
        try:
            self._storage.complete(self.file.key, self.file.upload_id, parts, crc=crc if full_object else None)
        except S3Refused as refused:
            self._was_refused(refused)
        if not self._is_stored(None if full_object else parts):
            raise Failed("not_confirmed")
        self._finish()

    def _was_refused(self, refused: S3Refused) -> None:
        """S3 has an object already, or does not know the upload: both may mean that an answer was lost."""
        if refused.s3_code not in {"PreconditionFailed", "NoSuchUpload", "ConditionalRequestConflict"}:
            if self.file.upload_id:  # S3 refuses these parts, and would again
                self._storage.abort(self.file.key, self.file.upload_id)
                self._start_over()
            raise refused
        if self._is_stored():
            return
        if refused.s3_code == "NoSuchUpload":
            self._start_over()
        raise Failed(f"s3_{refused.s3_code}")

    def _is_stored(self, parts: Sequence[Part] | None = None) -> bool:
        """Return whether S3 holds the object whose size and checksum were written down.

        A store that gives no checksum over the whole object is asked for the one over the `parts`' checksums.
        """
        stored = self._storage.head(self.file.key)
        if stored is None or stored.size != self.file.total:
            return False
        if stored.crc is not None:
            return stored.crc == self.file.crc
        if stored.composite is not None and parts is not None:
            return stored.composite == composite_crc(parts)
        return stored.composite is not None and self._crc_in_storage(stored.size) == self.file.crc

    def _crc_in_storage(self, size: int) -> int:
        """Return the CRC32 of what is stored, by reading it: an emulator has no checksum to compare with."""
        crc = 0
        for at in range(0, size, LEAST_PART):
            self._check_time()
            crc = zlib.crc32(self._storage.read(self.file.key, at, min(LEAST_PART, size - at)), crc)
        return crc

    def _finish(self) -> None:
        """Follow the content in S3, and say what became of the file."""
        total = self.file.total or 0
        try:
            fault = fault_of(
                partial(self._storage.read, self.file.key),
                total,
                self.file.extension,
                at=self.file.checked,
                should_stop=lambda: not self._deadline.allows(RESERVE_SECONDS / 2),
            )
        except NotFinished as unfinished:
            self._note(checked=unfinished.at, tries=0, progress_at=self._of.clock())
            raise OutOfTime from None
        if self.file.upload_id:
            self.abort_uploads()
        sizes_agree = self.file.declared in {None, total}
        reason = fault or (None if sizes_agree else Doubt.DECLARED_SIZE)
        state = FileState.DOUBTFUL if reason else FileState.KEPT
        now = self._of.clock()
        self.file = self._of.ledger.release(
            self.file,
            state=state,
            reason=reason,
            moved=total,
            upload_id=None,
            tries=None,
            progress_at=now,
            finished_at=now,
        )

    def _check_declared(self, total: int) -> None:
        """Zoom serves less than it told of: it may serve the rest later. Raises Failed for some tries."""
        declared = self.file.declared
        if declared is not None and total < declared and self.file.tries < _SHORT_TRIES:
            raise Failed("shorter_than_declared")

    def _check_beginning(self, body: memoryview, download: Download) -> None:
        wrong = begins_wrong(bytes(body[:BEGINNING]), self.file.extension, download.content_type)
        if wrong:
            download.close()
            raise Failed(wrong)

    def _ask(self, at: int, size: int) -> Download:
        """Ask for `size` bytes from byte `at` on, by a new link where the last one has ended."""
        last: Exception = DownloadBroken("no_link")
        for _ in range(_MOST_LINKS):
            self._check_time()
            if self._link is None:
                self._link, declared = self._of.links(self._recording, self.file, self._deadline)
                if declared is not None and declared != self.file.declared:
                    self._note(declared=declared)
            try:
                return self._of.downloads.get(self._link, at, at + size - 1)
            except LinkEnded as ended:
                self._link, last = None, ended
        raise last

    def _filled(self, download: Download, buffer: memoryview) -> int:
        try:
            return download.fill(buffer, self._check_time)
        except (DownloadBroken, OutOfTime):
            download.close()
            raise

    def _check_time(self) -> None:
        if not self._deadline.allows(RESERVE_SECONDS):
            raise OutOfTime

    def _form(self) -> ObjectForm:
        days = self.file.cold_after_days
        tags = {} if days is None else {"cold-after-days": str(days)}
        return ObjectForm(content_type(self.file.extension), self.file.storage_class, tags)

    def _note(self, **changes: object) -> None:
        self.file = self._of.ledger.note(self.file, **changes)


def part_size(total: int, least: int) -> int:
    """Return how large the parts of a file are: `least`, or so much that there are at most 9,000, in whole MiB."""
    needed = -(-total // _MOST_PARTS)
    return least if needed <= least else -(-needed // MIB) * MIB


def crc_of(parts: Sequence[Part]) -> int:
    """Return the CRC32 of parts put together."""
    return reduce(lambda crc, part: combined(crc, part.crc or 0, part.size), parts, 0)


def to_message(tenant: str, recording_id: str, file_id: str) -> str:
    """Return the message that names a file."""
    return json.dumps({"tenant": tenant, "recording_id": recording_id, "file_id": file_id}, separators=(",", ":"))


def of_message(body: str) -> Mapping[str, str] | None:
    """Return what a message names, or None when it is none of ours."""
    try:
        found = json.loads(body)
        return {name: str(found[name]) for name in ("tenant", "recording_id", "file_id")}
    except (KeyError, TypeError, ValueError):
        return None


class TransferQueue:
    """The queue of files to move. A message is done with when its file is; until then it comes back by itself."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def enqueue(self, files: Sequence[FilePlace]) -> None:
        """Hand files to the workers. Raises Unavailable unless every message was taken."""
        for some in batched(files, _LARGEST_BATCH, strict=False):
            entries: Any = [{"Id": str(at), "MessageBody": to_message(*file)} for at, file in enumerate(some)]
            with translated("archive_queue_unavailable"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                raise Unavailable(reason="archive_queue_unavailable")

    def return_after(self, receipt: str, seconds: float) -> None:
        """Let a message come back in `seconds`. Raises Unavailable; then it comes after the queue's own time."""
        with translated("archive_queue_unavailable"):
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=round(min(seconds, _LONGEST_PAUSE))
            )
