"""Identifiers in Zoom's shapes."""

from __future__ import annotations

import base64
import re

from zoom_simulator.ids import Ids


def test_a_seed_gives_the_same_ids() -> None:
    """Two runs from one seed are alike, two seeds are not."""
    assert [Ids(1).uuid(), Ids(1).token()] == [Ids(1).uuid(), Ids(1).token()]
    assert Ids(1).opaque() != Ids(2).opaque()


def test_shapes() -> None:
    """Lengths and alphabets are those seen at Zoom."""
    ids = Ids(1)
    assert len(ids.opaque()) == 22
    assert len(base64.b64decode(ids.uuid())) == 16
    assert 10**10 < ids.meeting_number() < 10**11
    assert 10**9 < ids.personal_number() < 10**10
    assert re.fullmatch(r"[0-9a-f]{8}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{12}", ids.request_id())


def test_awkward_uuids_need_care() -> None:
    """They begin with a slash, hold two in a row, or begin with a plus, in turn."""
    ids = Ids(1)
    first, second, third = (ids.uuid(awkward=True) for _ in range(3))
    assert first.startswith("/")
    assert "//" in second
    assert third.startswith("+")
