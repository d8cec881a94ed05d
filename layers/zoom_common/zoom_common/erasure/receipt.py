"""What an erasure tells whoever asked for it: what was deleted, and what else ends when. It names nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoom_common.connections.view import iso
from zoom_common.erasure.queue import id_of
from zoom_common.erasure.records import KINDS, Record
from zoom_common.erasure_target import ErasureTarget

EXPIRES = {
    "point-in-time backups of both tables": "35 days",
    "events on their way, in queues and dead-letter queues": "14 days in each",
    "grants that are still to be revoked at Zoom, sealed, in the escrow queue": "14 days at most",
    "digests of what was made under an Idempotency-Key (Coordination)": "a day",
    "counts of calls by Zoom account, shared by its tenants, users by digest (Coordination)": "two days",
    "access tokens and reads in the memory of running functions": "useless at once, gone within the hour",
    "who hosts which meeting, by Zoom's ids (Events, when no connection of the tenant leads there)": (
        "EventRetentionDays"
    ),
    "logs (ids and reasons only)": "LogRetentionDays",
    "tombstones: digests that keep late events away": "45 days",
    "events that subscribers have read": "theirs to erase",
}


def receipt(record: Record) -> dict[str, Any]:
    """Return what was deleted and what else ends when, as JSON."""
    return {
        "id": record.erasure_id,
        "about": record.about,
        "state": str(record.state),
        "erased_at": iso(record.erased_at),
        "finished_at": iso(record.finished_at) if record.finished_at is not None else None,
        "deleted": dict(record.deleted),
        "expires": EXPIRES,
    }


def preview(target: ErasureTarget, counts: Mapping[str, int], *, complete: bool) -> dict[str, Any]:
    """Return what an erasure would delete now, as JSON. Not `complete`: there is more than could be read in time."""
    return {
        "dry_run": True,
        "id": id_of(target),
        "about": about(target),
        "complete": complete,
        "deleted": {kind: counts.get(kind, 0) for kind in KINDS},
        "expires": EXPIRES,
    }


def about(target: ErasureTarget) -> str:
    """Whether an erasure is about a person or a tenant."""
    return "tenant" if target.whole_tenant else "person"
