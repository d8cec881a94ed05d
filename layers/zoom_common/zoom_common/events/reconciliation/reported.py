"""What Zoom's REST API reports, as the events that should have told it. Pure.

The events carry what their natural keys are made of, so that a late original and its reconstruction are one event.
https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/past_meetings/{meetingId}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoom_common.events.projections.attendance import Session
from zoom_common.events.projections.participants import JOINED, LEFT
from zoom_common.events.projections.views import Meeting
from zoom_common.zoom.events import epoch_ms, identifier, recording_file_name

# A report and an event may tell one join some seconds apart.
_SAME_MOMENT_MS = 120_000
_LISTS = ("recording_files", "participant_audio_files")

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PastInstance:
    """One time a meeting was held, as Zoom reports it."""

    account_id: str
    about: Row = field(repr=False)
    participants: Iterable[Row] = field(default=(), repr=False)

    def missing(self, known: Meeting) -> list[bytes]:
        """Bodies of the events that `known` (its instance and sessions) has not seen, oldest first."""
        uuid = str(self.about["uuid"])
        instance = next((each for each in known.instances() if each.uuid == uuid), None)
        found: list[tuple[int, bytes]] = []
        started, ended = epoch_ms(self.about.get("start_time")), epoch_ms(self.about.get("end_time"))
        told = instance is not None and instance.record.values.get("start_told")
        if started is not None and not told:
            found.append((started, self._body("meeting.started", started)))
        sessions = {each.user_id: each for each in known.sessions(uuid)}
        for row in self.participants:
            found += self._stay(row, sessions.get(identifier(row.get("user_id")) or ""))
        if ended is not None and (instance is None or instance.ended is None):
            found.append((ended, self._body("meeting.ended", ended, end_time=self.about["end_time"])))
        return [body for _, body in sorted(found, key=lambda each: each[0])]

    def _stay(self, row: Row, session: Session | None) -> Iterable[tuple[int, bytes]]:
        if row.get("status") == "in_waiting_room" or not identifier(row.get("user_id")):
            return
        for kind, name in ((JOINED, "join_time"), (LEFT, "leave_time")):
            moment = epoch_ms(row.get(name))
            if moment is None or (session is not None and _near(moment, session.record.moments(kind))):
                continue
            participant = {**_person(row), name: row[name]}
            yield moment, self._body(f"meeting.participant_{kind}", moment, participant=participant)

    def _body(self, name: str, moment: int, **more: Any) -> bytes:
        about = {
            key: self.about[key] for key in ("uuid", "host_id", "topic", "type", "start_time") if key in self.about
        }
        return _event(name, moment, self.account_id, {"id": str(self.about["id"]), **about, **more})


def missing_recording(account_id: str, recording: Row, known: Meeting) -> list[bytes]:
    """The body of a `recording.completed` with the files that nobody has told of; none when all are known."""
    told = {file["id"] for each in known.recordings() for file in each["recording_files"]}
    lists = {
        kind: [file for file in recording.get(kind) or [] if recording_file_name(file) not in told] for kind in _LISTS
    }
    if not any(lists.values()):
        return []
    ends = [moment for kind in _LISTS for file in lists[kind] if (moment := epoch_ms(file.get("recording_end")))]
    about = {name: value for name, value in recording.items() if name not in {*_LISTS, "download_access_token"}}
    if str(about.get("type")).isdecimal():
        about["type"] = int(about["type"])  # text in the REST API, a number in the event
    moment = max(ends, default=0) or epoch_ms(recording.get("start_time")) or 0
    return [_event("recording.completed", moment, account_id, {**about, **{k: v for k, v in lists.items() if v}})]


def _person(row: Row) -> dict[str, Any]:
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
