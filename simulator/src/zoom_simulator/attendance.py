"""Who was there and for how long, as past meetings and reports tell it."""

from __future__ import annotations

from zoom_simulator.clock import iso
from zoom_simulator.model import Instance, Json, Visit


def minutes(instance: Instance, now: float) -> int:
    """How long it lasted, in whole minutes, begun ones included."""
    return max(1, -(-int((instance.ended_at or now) - instance.started_at) // 60))


def total_minutes(instance: Instance, now: float) -> int:
    """The minutes of everybody together."""
    seconds = sum((visit.left_at or now) - visit.joined_at for visit in instance.visits)
    return -(-int(seconds) // 60)


def people(instance: Instance) -> int:
    """How many different people were there."""
    return len({visit.email or visit.zoom_id or visit.uuid for visit in instance.visits})


def record(visit: Visit, now: float, settled: bool) -> Json:  # noqa: FBT001 - one property of the answer
    """One stay as a list of participants shows it; `duration` is in seconds, and 0 until the numbers have settled."""
    left = visit.left_at or now
    return {
        "id": visit.zoom_id,
        "user_id": visit.user_id,
        "name": visit.name,
        "user_email": visit.email,
        "join_time": iso(visit.joined_at),
        "leave_time": iso(left),
        "duration": int(left - visit.joined_at) if settled else 0,
        "failover": False,
        "status": "in_waiting_room" if visit.waiting else "in_meeting",
    }
