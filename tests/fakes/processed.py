"""Deliveries through the processor into the projections, with nothing stubbed but the queue, the bus and the vault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.fakes.connection_stores import Memory
from tests.fakes.connections import connection
from tests.fakes.event_stores import Hosts, Log, Projections
from tests.fakes.events import APP, Bus, Clock, Counts, plenty, record
from zoom_common.connections.link_store import Claim
from zoom_common.connections.store import folded_item
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.zoom.event_redaction import Redaction
from zoom_common.zoom.events import parse

ORDERS = ("in order", "in reverse", "shuffled", "repeated and lost at first")


def arranged(deliveries: Sequence[Any], order: str) -> list[Any]:
    """The deliveries in an order, or with repeats and with half of them lost at first."""
    match order:
        case "in reverse":
            return list(reversed(deliveries))
        case "shuffled":
            return Random(len(deliveries)).sample(deliveries, k=len(deliveries))  # noqa: S311 - an order, no secret
        case "repeated and lost at first":
            return [*deliveries[1::2], *deliveries[1::2], *deliveries[::2], *deliveries]
    return list(deliveries)


def vault(user: str, account: str) -> Memory:
    """A person's connection, as linking stores it."""
    memory = Memory()
    ids = {"tenant": "acme", "connection_id": "con_a"}
    found = connection(**ids, client_id=APP, zoom_user_id=user, zoom_account_id=account)
    memory.put(found)
    memory.claims[APP, user] = Claim(**ids)
    memory.table.put(folded_item(found))
    return memory


def processed(deliveries: Sequence[Any], user: str, account: str) -> tuple[MeetingReader, Bus]:
    """What is known, and what was published, after these deliveries to a tenant that this user is connected to."""
    received = max(parse(json.dumps(each).encode()).true_since_ms or 0 for each in deliveries)
    clock, bus, projections = Clock(received / 1000 + 1), Bus(), Projections()
    processor = EventProcessor(
        log=Log(clock),
        connections=vault(user, account),
        hosts=Hosts(),
        projections=projections,
        publisher=bus,
        redaction=Redaction(),
        count=Counts().count,
        report=Counts().report,
    )
    for at, body in enumerate(deliveries):
        message = record(json.dumps(body).encode(), message=f"m-{at}", received_at_ms=received + at)
        assert processor.process([message], plenty()) == []
    return MeetingReader(projections, clock=clock), bus
