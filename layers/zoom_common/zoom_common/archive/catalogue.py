"""The archive as people and programs read it: lists, one recording with links, transcripts, chats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from zoom_common.archive.content import content_type, messages, plain, turns
from zoom_common.archive.ledger import LAST_MS, Ledger
from zoom_common.archive.model import IN_S3, ArchivedFile, ArchivedRecording, FileState, recording_id_of, state_of
from zoom_common.archive.policy import readable
from zoom_common.errors import Conflict, NotFound
from zoom_common.events.bus import rfc3339

RECORDING_ID = re.compile(r"rec_[0-9a-f]{32}")
PLACE = re.compile(r"[0-9]{13}#rec_[0-9a-f]{32}")
STATES = tuple(FileState)
LINK_SECONDS = 300
# How many entries of the list one request reads while it searches for matches.
_MOST_READ = 3_000
_PAGE = 300
# A function's answer has at most 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LARGEST_TEXT = 4_000_000

# The connections whose recordings a caller may see; None for all of its tenant's.
type Reach = frozenset[str] | None


class Storage(Protocol):
    """The bucket; see `aws.s3.Bucket`."""

    def read(self, key: str, first: int, size: int) -> bytes: ...  # noqa: D102
    def link(self, key: str, *, seconds: int, file_name: str, content_type: str) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingQuery:
    """The query for a list. Times are epoch milliseconds of a recording's begin. A topic matches in part."""

    since_ms: int = 0
    until_ms: int = LAST_MS
    host: str | None = None
    meeting: str | None = None
    topic: str | None = None
    state: str | None = None
    uuid: str | None = None
    page_size: int = 30
    after: str | None = None

    def matches(self, entry: Mapping[str, Any], reach: Reach) -> bool:
        """Return whether an entry of the list matches, and the caller may see it."""
        return (
            (reach is None or bool(frozenset(entry.get("connections", ())) & reach))
            and self.host in {None, entry.get("host_id"), entry.get("host_email")}
            and self.meeting in {None, entry.get("meeting_id")}
            and self.state in {None, entry.get("state")}
            and (self.topic is None or self.topic.casefold() in str(entry.get("topic", "")).casefold())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Reads the archive. Raises Unavailable, and NotFound for what does not exist or the caller may not see."""

    ledger: Ledger
    storage: Storage
    participants: Callable[[ArchivedRecording], Iterable[Mapping[str, Any]]]
    """The participants, as far as events name them: `name`, `user_id`, `email`."""

    def page(self, tenant: str, query: RecordingQuery, reach: Reach) -> tuple[list[dict[str, Any]], str | None]:
        """Return recordings, newest first, and the place where the next page begins.

        A page may be shorter than asked for.
        """
        if query.uuid is not None:
            found = self.ledger.read(tenant, recording_id_of(tenant, query.uuid))
            entries = [found[0].to_list_entry()] if found is not None and found[0].deleted_at is None else []
            return [_listed(entry) for entry in entries if query.matches(entry, reach)], None
        wanted: list[dict[str, Any]] = []
        after, read = query.after, 0
        while read < _MOST_READ:
            entries, following = self.ledger.page(
                tenant, since_ms=query.since_ms, until_ms=query.until_ms, limit=_PAGE, after=after
            )
            for entry in entries:
                if query.matches(entry, reach):
                    wanted.append(_listed(entry))
                    if len(wanted) == query.page_size:
                        is_last = following is None and entry is entries[-1]
                        return wanted, None if is_last else str(entry["sk"])
            read, after = read + len(entries), following
            if after is None:
                break
        return wanted, after

    def one(self, tenant: str, recording_id: str, reach: Reach) -> dict[str, Any]:
        """Return a recording with its files. Each file that is in S3 has a link that expires in five minutes."""
        recording, files = self.find(tenant, recording_id, reach)
        shown = _listed(recording.to_list_entry()) | {
            # The state as of now; the entry in the list follows when the last file is settled.
            "state": str(state_of(files)),
            "type": recording.type,
            "timezone": recording.timezone,
            "duration": recording.duration,
            "found_at": _moment(recording.found_at),
            "finished_at": _moment(recording.finished_at),
            "at_zoom": _at_zoom(recording),
        }
        return shown | {"files": [self._file(recording, file) for file in sorted(files, key=_order)]}

    def find(self, tenant: str, recording_id: str, reach: Reach) -> tuple[ArchivedRecording, list[ArchivedFile]]:
        """Return a recording and its files as the ledger holds them."""
        found = self.ledger.read(tenant, recording_id) if RECORDING_ID.fullmatch(recording_id) else None
        visible = found is not None and (reach is None or found[0].connections & reach)
        if found is None or not visible or found[0].deleted_at is not None:
            raise NotFound("There is no such recording in the archive.", reason="recording_unknown", code=3301)
        return found

    def transcript(self, tenant: str, recording_id: str, reach: Reach, *, file_id: str | None, form: str) -> Any:
        """Return a transcript: one text for `text` and `vtt`, a list of turns with speakers per file for `json`."""
        recording, files = self._texts(tenant, recording_id, reach, "transcript", file_id)
        if form == "vtt":
            return self._read(files[0])
        if form == "text":
            return "\n".join(plain(self._read(file)) for file in files)
        people = list(self.participants(recording))
        shown = [
            {"file_id": file.file_id, "begins": file.begins, "turns": turns(self._read(file), people)} for file in files
        ]
        return {"id": recording.recording_id, "uuid": recording.uuid, "transcripts": shown}

    def chat(self, tenant: str, recording_id: str, reach: Reach) -> dict[str, Any]:
        """Return the messages of a recording's chats."""
        recording, files = self._texts(tenant, recording_id, reach, "chat", None)
        shown = [
            {"file_id": file.file_id, "begins": file.begins, "messages": messages(self._read(file))} for file in files
        ]
        return {"id": recording.recording_id, "uuid": recording.uuid, "chats": shown}

    def _texts(
        self, tenant: str, recording_id: str, reach: Reach, kind: str, file_id: str | None
    ) -> tuple[ArchivedRecording, Sequence[ArchivedFile]]:
        recording, files = self.find(tenant, recording_id, reach)
        wanted = [
            file
            for file in sorted(files, key=_order)
            if file.kind == kind and file.state in IN_S3 and file_id in {None, file.file_id}
        ]
        if not wanted:
            raise NotFound(f"The archive has no {kind} of this recording.", reason=f"{kind}_unknown", code=3322)
        if sum(file.total or 0 for file in wanted) > _LARGEST_TEXT:
            raise Conflict("Too large for one answer: download the file by its url.", reason="too_large")
        return recording, wanted

    def _read(self, file: ArchivedFile) -> str:
        return self.storage.read(file.key, 0, max(1, file.total or 0)).decode(errors="replace") if file.total else ""

    def _file(self, recording: ArchivedRecording, file: ArchivedFile) -> dict[str, Any]:
        kind = content_type(file.extension)
        shown: dict[str, Any] = {
            "id": file.file_id,
            "type": file.file_type,
            "recording_type": file.recording_type,
            "kind": file.kind,
            "extension": file.extension,
            "size": file.size,
            "declared_size": file.declared,
            "state": str(file.state),
            "moved": file.moved,
            "begins": file.begins,
            "ends": file.ends,
            "content_type": kind,
            "key": file.key,
            "url": None,
        }
        if file.state in IN_S3:
            name = f"{readable(recording.topic)} {file.recording_type or file.file_type}.{file.extension.lower()}"
            shown["url"] = self.storage.link(file.key, seconds=LINK_SECONDS, file_name=name, content_type=kind)
            shown["crc32"] = None if file.crc is None else f"{file.crc:08x}"
        return shown | ({"reason": file.reason} if file.reason else {})


def _listed(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": entry["recording_id"],
        "uuid": entry["uuid"],
        "meeting_id": entry.get("meeting_id", ""),
        "topic": entry.get("topic", ""),
        "host_id": entry.get("host_id", ""),
        "host_email": entry.get("host_email", ""),
        "start_time": rfc3339(int(entry["begun_ms"])),
        "connections": sorted(entry.get("connections", ())),
        "state": str(entry["state"]),
        "file_count": entry.get("file_count", 0),
        "size": entry.get("bytes", 0),
    }


def _order(file: ArchivedFile) -> tuple[str, str, str]:
    return file.begins, file.kind, file.file_id


def _at_zoom(recording: ArchivedRecording) -> dict[str, Any]:
    moments = {"trashed_at": recording.trashed_at, "deleted_at": recording.gone_at}
    return {name: _moment(at) for name, at in moments.items() if at is not None}


def _moment(at: float | None) -> str | None:
    return None if at is None else rfc3339(int(at * 1000))
