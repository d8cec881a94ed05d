"""The life of meetings and webinars as Zoom tells it: deliveries about plans, instances, people and recordings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

START = 1_790_000_000
HOST = "host-1"
NUMBER = 85746065
TYPES = {"meeting": 2, "webinar": 5}


def iso(at: float) -> str:
    """A moment as Zoom writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Life:
    """Collects deliveries. `now` is in epoch seconds and passes when told to."""

    number: int = NUMBER
    host: str = HOST
    now: int = START
    deliveries: list[bytes] = field(default_factory=list)
    uuid: str = ""
    started_at: int = 0
    family: str = "meeting"

    def pass_by(self, seconds: int) -> None:
        self.now += seconds

    def plan(self, name: str, **fields: Any) -> None:
        """An event about the definition: here the id is a number."""
        self.send(name, {"object": {"id": self.number, "uuid": "plan", "host_id": self.host, **fields}})

    def start(self, uuid: str) -> None:
        self.uuid, self.started_at = uuid, self.now
        self.held(f"{self.family}.started")

    def end(self) -> None:
        self.held(f"{self.family}.ended", end_time=iso(self.now))

    def held(self, name: str, **fields: Any) -> None:
        """An event while a meeting is on: here the id is text."""
        about = {
            "id": str(self.number),
            "uuid": self.uuid,
            "host_id": self.host,
            "topic": "Stand-up",
            "type": TYPES[self.family],
            "start_time": iso(self.started_at),
            "timezone": "UTC",
            "duration": 60,
        }
        self.send(name, {"object": {**about, **fields}})

    def join(self, session: str, person: Mapping[str, str]) -> None:
        self._participant("joined", session, person, join_time=iso(self.now))

    def leave(self, session: str, person: Mapping[str, str]) -> None:
        self._participant("left", session, person, leave_time=iso(self.now), leave_reason="left the meeting")

    def recorded(self, *files: str, name: str = "recording.completed") -> None:
        listed = [
            {
                "id": file,
                "file_type": "MP4",
                "file_size": 7,
                "recording_end": iso(START + 5),
                "download_url": f"https://zoom.example/{file}?t={self.now}",
            }
            for file in files
        ]
        about = {"id": self.number, "uuid": self.uuid, "host_id": self.host, "recording_files": listed}
        self.send(name, {"object": about}, download_token="changes")

    def _participant(self, what: str, session: str, person: Mapping[str, str], **moment: str) -> None:
        known = {"user_id": session, "participant_user_id": "", "id": "", "email": "", "public_ip": "203.0.113.9"}
        self.held(f"{self.family}.participant_{what}", participant={**known, **person, **moment})

    def send(self, name: str, payload: dict[str, Any], **top: Any) -> None:
        body = {"event": name, "event_ts": self.now * 1000 + 250, "payload": {"account_id": "acc-1", **payload}, **top}
        self.deliveries.append(json.dumps(body).encode())
