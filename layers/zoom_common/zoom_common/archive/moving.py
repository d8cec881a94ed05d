"""One run with one file: copies parts from Zoom into S3 until the time is over or the file is complete.

A run looks for an existing upload before it begins one. It stores size and checksum before it asks S3 to complete the
upload, and when the answer to that is lost, it compares them with the object in S3.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Protocol

from zoom_common.archive.content import BEGINNING, NotFinished, begins_wrong, combined, content_type, fault_of
from zoom_common.archive.downloads_client import Download, DownloadBroken, Link, LinkEnded, OutOfTime
from zoom_common.archive.ledger import LeaseLost, Ledger
from zoom_common.archive.model import ArchivedFile, ArchivedRecording, Doubt, FileState
from zoom_common.aws.s3 import ObjectForm, Part, S3Refused, StoredObject, Upload, composite_crc
from zoom_common.deadline import Deadline

MIB = 1024 * 1024
LEAST_PART = 32 * MIB
_MOST_PARTS = 9_000
# A run stops when this much of its time is left: enough to send a part that has been read.
RESERVE_SECONDS = 40.0
# After this many tries, a file that is shorter than Zoom states is stored as it is, and marked as doubtful.
_SHORT_TRIES = 3
_MOST_LINKS = 3


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


# Asks Zoom for a link to a file and the size it states now. Raises NotShown and GatewayError.
type Links = Callable[[ArchivedRecording, ArchivedFile, Deadline], tuple[Link, int | None]]


class Failed(Exception):
    """The run failed. `reason` is stored with the file and may be logged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Tools:
    """The collaborators of a run. Only tests set `least_part`: AWS takes no parts smaller than 5 MiB."""

    ledger: Ledger
    storage: Storage
    downloads: Downloads
    links: Links
    clock: Callable[[], float]
    least_part: int = LEAST_PART


class Run:
    """One worker's run with one file that it has leased."""

    def __init__(self, tools: Tools, recording: ArchivedRecording, file: ArchivedFile, deadline: Deadline) -> None:
        self.file = file
        self.bytes = 0
        self._of = tools
        self._storage = tools.storage
        self._recording = recording
        self._deadline = deadline
        self._link: Link | None = None
        self._part_seconds = 0.0

    def move(self) -> None:
        """Copy what is missing of the file. Raises OutOfTime when another run has to continue."""
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
        """End every upload for this file's key, also those of other workers and those that were never stored."""
        for key, upload_id, _ in list(self._storage.uploads(self.file.key)):
            if key == self.file.key:
                self._storage.abort(key, upload_id)

    def _begin(self) -> None:
        """Read the first part, which gives the file's size.

        Store a small file at once; begin an upload for a larger one.
        """
        size = self.file.declared or 0
        guessed = part_size(size, self._of.least_part)
        download = self._ask(0, guessed)
        total = download.total
        wanted = part_size(total if total is not None else size, self._of.least_part)
        if wanted != guessed and download.first == 0:
            download.close()  # The stated size was far from the real one.
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
        """Continue after the parts that S3 holds in full and in order."""
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
        """Copy part after part, then complete the upload."""
        size, at = len(buffer), sum(part.size for part in parts)
        while at != self.file.total:
            begun = self._deadline.remaining()
            if begun < RESERVE_SECONDS + self._part_seconds:
                raise OutOfTime  # A part that begins now would not be finished, and would be downloaded again.
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
        """Return whether an answer is the whole file, to be read from part to part, because Zoom ignores ranges."""
        return download.first == 0 and (download.length is None or download.length == self.file.total)

    def _line_up(self, download: Download, at: int, parts: Sequence[Part]) -> None:
        """Skip to byte `at` of an answer.

        When the answer is the whole file, the skipped part must equal the copied one.
        """
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
        """Start again, because Zoom has other content under the same name now."""
        self._storage.abort(self.file.key, self.file.upload_id)
        self._start_over()
        raise Failed("content_changed")

    def _start_over(self) -> None:
        self._note(upload_id=None, moved=None, total=None, part_size=None, etag=None, crc=None, checked=None)

    def _write_down(self, upload_id: str) -> None:
        try:
            self._note(upload_id=upload_id)
        except LeaseLost:
            self._storage.abort(self.file.key, upload_id)  # No other run knows of it.
            raise

    def _upload(self) -> str:
        """Return an upload of this key: one that an earlier run began and could not store, or a new one."""
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
        """S3 has an object already, or does not know the upload. Either can be the effect of a lost answer."""
        if refused.s3_code not in {"PreconditionFailed", "NoSuchUpload", "ConditionalRequestConflict"}:
            if self.file.upload_id:  # S3 refuses these parts, and would refuse them again.
                self._storage.abort(self.file.key, self.file.upload_id)
                self._start_over()
            raise refused
        if self._is_stored():
            return
        if refused.s3_code == "NoSuchUpload":
            self._start_over()
        raise Failed(f"s3_{refused.s3_code}")

    def _is_stored(self, parts: Sequence[Part] | None = None) -> bool:
        """Return whether S3 holds the object with the stored size and checksum.

        A store that has no checksum over the whole object is asked for the one over the checksums of the `parts`.
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
        """Return the CRC32 of the stored object, by reading it: an emulator has no checksum to compare with."""
        crc = 0
        for at in range(0, size, LEAST_PART):
            self._check_time()
            crc = zlib.crc32(self._storage.read(self.file.key, at, min(LEAST_PART, size - at)), crc)
        return crc

    def _finish(self) -> None:
        """Check the content in S3, and store the resulting state of the file."""
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
        """Raise Failed for some tries when Zoom sends fewer bytes than it announced: it may send the rest later."""
        declared = self.file.declared
        if declared is not None and total < declared and self.file.tries < _SHORT_TRIES:
            raise Failed("shorter_than_declared")

    def _check_beginning(self, body: memoryview, download: Download) -> None:
        wrong = begins_wrong(bytes(body[:BEGINNING]), self.file.extension, download.content_type)
        if wrong:
            download.close()
            raise Failed(wrong)

    def _ask(self, at: int, size: int) -> Download:
        """Ask for `size` bytes from byte `at` on. Get a new link when the last one has expired."""
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
    """Return the size of a file's parts in whole MiB: `least`, or more where there would be over 9,000 parts."""
    needed = -(-total // _MOST_PARTS)
    return least if needed <= least else -(-needed // MIB) * MIB


def crc_of(parts: Sequence[Part]) -> int:
    """Return the CRC32 of the joined parts."""
    return reduce(lambda crc, part: combined(crc, part.crc or 0, part.size), parts, 0)
