"""Who a session of a meeting belongs to."""

from __future__ import annotations

import pytest

from zoom_common.events.projections.attendance import Session
from zoom_common.events.projections.record import Record

KINDS = ["zoom_user_id", "registrant_id", "email", "customer_key"]


@pytest.mark.parametrize("place", range(len(KINDS)))
def test_a_person_is_known_by_the_surest_thing_that_zoom_says(place: int) -> None:
    """A user's id, a registrant's, an address, a customer key: the first that is not empty, whatever else is there."""
    said: dict[str, str] = dict.fromkeys(KINDS[:place], "") | {kind: f"the-{kind}" for kind in KINDS[place:]}
    record = Record(latest={name: ((1, "evt_1"), value) for name, value in said.items()})
    assert Session("s-1", record).person == (KINDS[place], f"the-{KINDS[place]}")


def test_a_guest_of_whom_nothing_is_known_is_a_person_of_their_session() -> None:
    """Two such guests are two persons."""
    assert Session("s-1", Record()).person == ("session", "s-1")
