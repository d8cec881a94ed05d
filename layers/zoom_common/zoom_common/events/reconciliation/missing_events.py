"""One instance, recording or registration as Zoom reports it, and its missing events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoom_common.events.projections.attendance import Session
from zoom_common.events.projections.keys import REGISTRANT
from zoom_common.events.projections.meeting import Meeting
from zoom_common.events.projections.presence import JOINED, LEFT
from zoom_common.events.projections.views import iso
from zoom_common.zoom.events import epoch_ms, identifier, is_unfinished, recording_file_name

# A report and an event may differ by some seconds about one join.
_SAME_MOMENT_MS = 120_000

_LISTS = ("recording_files", "participant_audio_files")

# The reasons for which a file of a recording is unavailable, as the projection stores them.
_GONE = frozenset({"trashed", "deleted"})

_DECIDED = {"approved": "approved", "denied": "denied"}

type ReportRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PastInstance:
    """An instance of a meeting or webinar, as Zoom reports it."""

    account_id: str
    about: ReportRow = field(repr=False)
    participants: Sequence[ReportRow] = field(default=(), repr=False)
    family: str = "meeting"
    presumed_end_ms: int = 0
    """When it was presumably over, where Zoom reports neither its end nor any leave."""

    @property
    def ended_ms(self) -> int:
        """When it ended, in epoch milliseconds: as Zoom reports it, else at the last leave."""
        return epoch_ms(self._end_time) or self.presumed_end_ms

    @property
    def _end_time(self) -> Any:
        leaves = [moment for row in self.participants if (moment := epoch_ms(row.get("leave_time")))]
        return self.about.get("end_time") or iso(max(leaves, default=None))

    def missing(self, known: Meeting) -> list[bytes]:
        """Return the bodies of the events that `known` (its instance and sessions) lacks, oldest first."""
        uuid = str(self.about["uuid"])
        instance = next((each for each in known.instances() if each.uuid == uuid), None)
        found: list[tuple[int, bytes]] = []
        started = epoch_ms(self.about.get("start_time"))
        started_is_known = instance is not None and instance.record.values.get("start_told")
        if started is not None and not started_is_known:
            found.append((started, self._body("started", started)))
        sessions = {each.user_id: each for each in known.sessions(uuid)}
        for row in self.participants:
            found += self._stay(row, sessions.get(identifier(row.get("user_id")) or ""))
        if instance is None or instance.ended is None:
            # Where Zoom reports no end, the event has none either, so that subscribers see that it is not known.
            end = {"end_time": self._end_time} if self._end_time else {}
            found.append((self.ended_ms, self._body("ended", self.ended_ms, **end)))
        # A list that changed between two of its pages may contain a person twice.
        return list(dict.fromkeys(body for _, body in sorted(found, key=lambda each: each[0])))

    def _stay(self, row: ReportRow, session: Session | None) -> Iterable[tuple[int, bytes]]:
        if row.get("status") == "in_waiting_room" or not identifier(row.get("user_id")):
            return
        for kind, name in ((JOINED, "join_time"), (LEFT, "leave_time")):
            moment = epoch_ms(row.get(name))
            if moment is None or (session is not None and _near(moment, session.record.moments(kind))):
                continue
            # Events have whole seconds; the lists of webinars' participants have fractions of seconds.
            moment -= moment % 1000
            participant = {**_person(row), name: iso(moment)}
            yield moment, self._body(f"participant_{kind}", moment, participant=participant)

    def _body(self, what: str, moment: int, **more: Any) -> bytes:
        about = {
            key: self.about[key] for key in ("uuid", "host_id", "topic", "type", "start_time") if key in self.about
        }
        name = f"{self.family}.{what}"
        return _event(name, moment, self.account_id, {"id": str(self.about["id"]), **about, **more})


def missing_recordings(account_id: str, recording: ReportRow, known: Meeting) -> list[bytes]:
    """Return bodies of `recording.completed` for files that no event has named, oldest first; none when all are known.

    Zoom's API does not say how many events a recording had, so one event has all missing files. An exception: Zoom
    sends one event for each time that recording was started, so when some of these sets of files are known completely
    at all: then Zoom sends set by set, and so does this. A set with a file that is known in processing only is missing.
    """
    listed = [file for each in known.recordings() for file in each["recording_files"]]
    unfinished = {file.get("recording_start") for file in listed if is_unfinished(file)}
    known_files = {file["id"] for file in listed if file.get("recording_start") not in unfinished}
    files = [(kind, file) for kind in _LISTS for file in recording.get(kind) or []]
    missing = [(kind, file) for kind, file in files if recording_file_name(file) not in known_files]
    if not missing:
        return []
    begun = {file.get("recording_start") for _, file in missing}
    others = [file for _, file in files if file.get("recording_start") not in begun]
    untouched = all(
        recording_file_name(file) not in known_files for _, file in files if file.get("recording_start") in begun
    )
    if not (others and untouched):
        return [_recorded(account_id, recording, missing)]
    sets = sorted(begun, key=lambda start: epoch_ms(start) or 0)
    return [
        _recorded(account_id, recording, [each for each in missing if each[1].get("recording_start") == start])
        for start in sets
    ]


def _recorded(account_id: str, recording: ReportRow, files: Sequence[tuple[str, ReportRow]]) -> bytes:
    ends = [moment for _, file in files if (moment := epoch_ms(file.get("recording_end")))]
    about = {name: value for name, value in recording.items() if name not in {*_LISTS, "download_access_token"}}
    about |= type_as_number(about)
    if "recording_count" in about:
        about["recording_count"] = len(files)
    if "total_size" in about:
        about["total_size"] = sum(size for _, file in files if isinstance(size := file.get("file_size"), int))
    lists = {kind: [file for of, file in files if of == kind] for kind in _LISTS}
    moment = max(ends, default=0) or epoch_ms(recording.get("start_time")) or 0
    listed_files = {kind: listed for kind, listed in lists.items() if listed}
    return _event("recording.completed", moment, account_id, {**about, **listed_files})


def missing_trashed(account_id: str, recording: ReportRow, known: Meeting) -> list[bytes]:
    """Return the body of `recording.trashed` for files of a recording in Zoom's trash that are not known to be there.

    Zoom does not say when it was trashed, so the event is dated after everything known of the recording.
    """
    views = [each for each in known.recordings() if each["uuid"] == recording.get("uuid")]
    trashed = {file["id"] for view in views for file in view["recording_files"] if file.get("availability") in _GONE}
    files = [(kind, file) for kind in _LISTS for file in recording.get(kind) or []]
    missing = [(kind, file) for kind, file in files if recording_file_name(file) not in trashed]
    if not missing:
        return []
    about = {name: value for name, value in recording.items() if name not in {*_LISTS, "download_access_token"}}
    about |= type_as_number(about) | {kind: [file for of, file in missing if of == kind] for kind in _LISTS}
    ends = [moment for _, file in missing if (moment := epoch_ms(file.get("recording_end")))]
    newest = max((record.newest_ms for record in known.records.values()), default=0)
    moment = max([newest + 1, *ends])
    return [_event("recording.trashed", moment, account_id, {name: each for name, each in about.items() if each})]


def missing_registrations(
    account_id: str, family: str, about: ReportRow, listed: Iterable[ReportRow], known: Meeting
) -> list[bytes]:
    """Return the bodies of the missing events about registrants of one meeting or webinar.

    `listed` are the registrants that Zoom lists. A registrant who is not listed is not taken for cancelled. Zoom does
    not say when a registration was approved or denied, so such an event is dated a millisecond after everything known
    of the registrant.
    """
    records = {each["id"]: known.records[REGISTRANT + each["id"]] for each in known.registrations()}
    named = ("id", "host_id", "topic", "type", "start_time", "duration", "timezone")
    meeting = {name: about[name] for name in named if about.get(name) is not None}
    found = []
    for row in listed:
        name, status = identifier(row.get("id")), row.get("status")
        if name is None:
            continue
        record = records.get(name)
        if record is not None and record.values.get("status") in {None, status}:
            continue
        created = epoch_ms(row.get("create_time")) or epoch_ms(about.get("created_at")) or 0
        moment = created if record is None else max(created, record.newest_ms + 1)
        what = "created" if record is None else _DECIDED.get(str(status), "created")
        body = {**meeting, "registrant": dict(row)}
        found.append(_event(f"{family}.registration_{what}", moment, account_id, body))
    return found


def type_as_number(about: ReportRow) -> dict[str, int]:
    """Return `about` with `type` as a number, as in events. Lists of recordings have it as text."""
    kind = str(about.get("type"))
    return {"type": int(kind)} if kind.isdecimal() else {}


def _person(row: ReportRow) -> dict[str, Any]:
    person = {
        "user_id": str(row["user_id"]),
        "user_name": row.get("name", ""),
        "id": row.get("id", ""),
        "participant_user_id": row.get("id", ""),
        "email": row.get("user_email", ""),
        "registrant_id": row.get("registrant_id"),
        "customer_key": row.get("customer_key") or None,
    }
    return {name: value for name, value in person.items() if value is not None}


def _near(moment: int, seen: Iterable[int]) -> bool:
    return any(abs(moment - each) <= _SAME_MOMENT_MS for each in seen)


def _event(name: str, moment: int, account_id: str, about: dict[str, Any]) -> bytes:
    body = {"event": name, "event_ts": moment, "payload": {"account_id": account_id, "object": about}}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
