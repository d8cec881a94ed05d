"""Compares what the hourly reconciliation leaves out: registrants, and recordings in Zoom's trash. For backfills.

Both only add events. An entry that is missing in a list is never taken for deleted, because Zoom does not list
cancelled registrations. https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}/registrants
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zoom_common.events.projections.keys import RECORDING, REGISTRANT, file_sort, partition
from zoom_common.events.projections.meeting import Meeting
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.missing_events import missing_registrations, missing_trashed
from zoom_common.events.reconciliation.zoom_reader import Row, ZoomReader
from zoom_common.zoom.events import epoch_ms, identifier

_STATUSES = ("approved", "pending", "denied")
# Meetings with automatic approval, and with manual approval. Others take no registrations.
_REGISTERS = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Compares for one tenant and one Zoom account. Methods raise what reading Zoom raises, and Unavailable."""

    projections: ProjectionStore
    tenant: str
    account_id: str
    reader: ZoomReader

    def registrations(self, family: str, number: str) -> list[bytes]:
        """Return the missing events about registrants of one meeting or webinar."""
        about = self.reader.get(f"/v2/{family}s/{number}")
        if not _takes_registrations(about):
            return []
        listed: dict[str, Row] = {}
        for status in _STATUSES:
            for row in self.reader.rows(f"/v2/{family}s/{number}/registrants?status={status}", "registrants"):
                listed.setdefault(str(row.get("id")), {"status": status, **row})
        records = self.projections.read(self.tenant, partition(number), REGISTRANT)
        known = Meeting(number, records)
        return missing_registrations(self.account_id, family, {"id": int(number), **about}, listed.values(), known)

    def trashed(self, user: str, since_ms: int, until_ms: int) -> Iterator[bytes]:
        """Yield the missing events about a user's recordings in the trash that began in a period.

        Zoom lists the whole trash, whatever period is asked for.
        https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/get/users/{userId}/recordings
        """
        for row in self.reader.rows(
            f"/v2/users/{user}/recordings?trash=true&trash_type=meeting_recordings", "meetings"
        ):
            number, uuid = identifier(row.get("id")), identifier(row.get("uuid"))
            if number and uuid and since_ms <= (epoch_ms(row.get("start_time")) or 0) < until_ms:
                read, place = self.projections.read, partition(number)
                records = read(self.tenant, place, RECORDING + uuid) | read(self.tenant, place, file_sort(uuid))
                yield from missing_trashed(self.account_id, row, Meeting(number, records))


def _takes_registrations(about: Row) -> bool:
    settings = about.get("settings")
    approval = settings.get("approval_type") if isinstance(settings, dict) else None
    return bool(about) and (approval in _REGISTERS or bool(about.get("registration_url")))
