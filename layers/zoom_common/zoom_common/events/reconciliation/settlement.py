"""Publishes `attendance.settled` once no more events of an occurrence are expected, or Zoom's report agrees."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoom_common.events.bus import CloudEvent, event_id, rfc3339, sequence_of
from zoom_common.events.log.entries import Admission, LogEntry
from zoom_common.events.log.store import EventLog

ATTENDANCE_SETTLED = "attendance.settled"

SOURCE = "/gateway/attendance"


@dataclass(frozen=True, slots=True)
class SettledPublisher:
    """Stores the event in the tenant's log, publishes it and marks it as finished. `clock` gives epoch seconds.

    `publish_all` raises NotPublished. After a crash in between, another try has the same id and content.
    """

    log: EventLog
    publish_all: Callable[[Sequence[CloudEvent]], None]
    clock: Callable[[], float]

    def publish(
        self, *, tenant: str, connection_id: str, app: str, attendance: dict[str, Any], content: str = ""
    ) -> bool:
        """Publish a settled attendance. Return whether it is published now or was before.

        The id is made of the instances and, for a later revision, of its content, so content that changes and changes
        back is published both times. Raises NotPublished and Unavailable.
        """
        entry = self._entry(tenant, connection_id, app, attendance, content)
        admitted = self.log.admit(entry)
        if admitted.entry is None:
            return admitted.outcome is Admission.FINISHED
        self.publish_all([admitted.entry.cloud_event])
        self.log.finish(admitted.entry)
        return True

    def _entry(self, tenant: str, connection_id: str, app: str, attendance: dict[str, Any], content: str) -> LogEntry:
        now_ms = int(self.clock() * 1000)
        number, uuids = attendance["id"], attendance["instances_used"]
        key = f"settled:{json.dumps([number, attendance.get('occurrence'), *uuids])}"
        if attendance["revision"] > 1:
            key += f":{attendance['revision']}:{content}"
        name = event_id(SOURCE, tenant, key)
        subject = f"{attendance.get('kind', 'meeting')}s/{number}"
        event = CloudEvent(
            id=name,
            source=SOURCE,
            type=ATTENDANCE_SETTLED,
            subject=subject,
            time=rfc3339(now_ms),
            tenant=tenant,
            connection_id=connection_id,
            uuid=uuids[0],
            sequence=sequence_of(now_ms, name),
            data=attendance,
        )
        entry = LogEntry(
            owner=tenant,
            event_id=name,
            key=key,
            app=app,
            type=ATTENDANCE_SETTLED,
            received_at_ms=now_ms,
            occurred_at_ms=now_ms,
            subject=subject,
            connection_id=connection_id,
            uuid=uuids[0],
        )
        return replace(entry, content=event.to_json().encode())
