"""The person removes the app at Zoom."""

from __future__ import annotations

import pytest

from tests.fakes.connection_stores import MemoryTombstones
from tests.fakes.connections import START, World
from tests.fakes.zoom_oauth import CLIENT_ID
from zoom_common.connections.model import State
from zoom_common.connections.refresh.effects import Write
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.connections.tombstones import of_account, of_person, of_tenant, of_user
from zoom_common.errors import Unavailable
from zoom_common.events.connection_events import ConnectionUpdates, Deauthorization, to_event
from zoom_common.events.routing import Route
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.events import ZoomEvent

HERE, ELSEWHERE = Route("acme", "con_1"), Route("beta", "con_9")


class Removed(World):
    """A vault that hears of events."""

    def __init__(self) -> None:
        super().__init__()
        self.deauthorization = Deauthorization(connections=self.memory, outbox=lambda: self.outbox, clock=self.clock)
        self.tombstones = MemoryTombstones()
        self.notices = ConnectionUpdates(self.memory, self.deauthorization, self.tombstones, self.clock)

    def end(self, at: float = START, user: str = "zoom-user", app: str = CLIENT_ID) -> bool:
        return self.deauthorization.end(app, user, at=at)

    def hear(self, event: ZoomEvent, *routes: Route, reconciled: bool = False) -> list[Route] | None:
        received = int(START * 1000)
        delivery = Delivery(CLIENT_ID, b"", received_at_ms=received, request_id="r", reconciled=reconciled)
        return self.notices(event, delivery, list(routes))


def removed_at(moment: str, user: str = "zoom-user") -> ZoomEvent:
    """`app_deauthorized` as Zoom's documentation shows it: no `object`, and the time in a shape of its own."""
    payload = {"user_id": user, "account_id": "zoom-account", "client_id": CLIENT_ID, "event_ts": moment}
    return ZoomEvent("app_deauthorized", {"event": "app_deauthorized", "payload": payload})


def test_tokens_are_deleted_and_a_receipt_says_so() -> None:
    """Every copy goes, the person is asked to reconnect, and the change of state names what was deleted."""
    world = Removed()
    world.on_demand()
    assert world.end()
    item = world.item
    assert (item.state, item.reason) == (State.REAUTHORIZATION_REQUIRED, "app_deauthorized")
    assert (item.sealed_access, item.sealed_refresh, item.previous_refresh, dict(item.spares)) == (b"", b"", None, {})
    assert item.due_at is None
    [receipt] = world.published
    assert "refresh_token" in receipt["deleted"]
    assert receipt["reconnect_path"] == "/connections/con_1/reconnect"
    assert to_event(receipt).type == "connection.reauthorization_required"


def test_a_late_word_does_not_end_a_newer_grant() -> None:
    """The person has authorized again since: nothing changes."""
    world = Removed()
    assert not world.end(at=world.item.authorized_at - 1)
    assert (world.item.state, world.current, world.published) == (State.CONNECTED, "refresh-0", [])


def test_reported_twice() -> None:
    """The second delivery changes and publishes nothing."""
    world = Removed()
    assert world.end()
    world.clock.sleep(60)
    assert world.end()
    assert len(world.published) == 1


@pytest.mark.parametrize("stranger", [{"user": "another"}, {"app": "another-app"}])
def test_another_app_or_user_ends_nothing(stranger: dict[str, str]) -> None:
    """The app is that of the secret which verified the event, not the one named in it."""
    world = Removed()
    assert not world.end(**stranger)  # type: ignore[arg-type]
    assert world.item.state is State.CONNECTED


def test_a_refresh_under_way_brings_nothing_back() -> None:
    """Neither the pair it gets nor what it puts in escrow."""
    world = Removed()
    worker = world.worker("slow").until(Write)
    pair = worker.pair()
    assert pair is not None
    assert world.end()
    assert worker.finish().outcome is Outcome.CURRENT
    assert world.refresher.restore(pair) == "dropped"
    assert world.item.sealed_refresh == b""


def test_reconnected_between_reading_and_deleting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The new grant is looked at again, and is newer than the word."""
    world = Removed()
    seen = world.item
    world.change(grant_id="grant_2", authorized_at=START + 5)
    answers = [seen]
    found = world.memory.by_zoom_user
    monkeypatch.setattr(world.memory, "by_zoom_user", lambda *key: answers.pop() if answers else found(*key))
    assert not world.end(at=START)
    assert world.item.state is State.CONNECTED


@pytest.mark.parametrize("moment", ["2027-01-15 08:00:01", "2027-01-15T08:00:01Z"])
def test_zooms_times_of_removal(moment: str) -> None:
    """The example's form and ISO both count, in UTC."""
    world = Removed()
    world.hear(removed_at(moment))
    assert world.item.reason == "app_deauthorized"


def test_an_event_of_an_earlier_removal() -> None:
    """A removal that arrives hours late through the queue does not end the newer grant."""
    world = Removed()
    world.hear(removed_at("2027-01-15 01:00:00"), HERE)
    assert world.item.state is State.CONNECTED


def test_events_are_noted_now_and_then() -> None:
    """The first one, and then one in five minutes."""
    world = Removed()
    event = ZoomEvent("meeting.started", {"event": "meeting.started", "event_ts": 1, "payload": {"object": {}}})
    for _ in range(10):
        world.hear(event, HERE)
        world.clock.sleep(60)
    assert world.memory.writes == 2
    assert world.item.last_webhook_at == START + 300


def test_what_reconcile_made_is_no_webhook() -> None:
    """It goes where it belongs, and the connection has heard nothing."""
    world = Removed()
    event = ZoomEvent("meeting.started", {"event": "meeting.started", "event_ts": 1, "payload": {"object": {}}})
    assert world.hear(event, HERE, reconciled=True) == [HERE]
    assert world.item.last_webhook_at is None


def test_the_table_is_away() -> None:
    """The message comes back: a removal is not forgotten."""
    world = Removed()
    world.memory.faults["forget_tokens"] = 1
    with pytest.raises(Unavailable):
        world.hear(removed_at("2027-01-15 08:00:01"))
    world.hear(removed_at("2027-01-15 08:00:01"))
    assert world.item.reason == "app_deauthorized"


def joined(at: float, who: str = "ada") -> ZoomEvent:
    """Somebody has joined another's meeting."""
    seen = {"host_id": "host", "participant": {"id": who}}
    body = {"event": "meeting.participant_joined", "event_ts": int(at * 1000), "payload": {"object": seen}}
    return ZoomEvent("meeting.participant_joined", body)


def test_late_events_do_not_bring_an_erased_person_back() -> None:
    """What happened before the erasure goes nowhere in that tenant, also when the person only took part."""
    world = Removed()
    world.tombstones.put([of_person("acme", "ada")], now=START)
    assert world.hear(joined(START - 60), HERE) is None
    assert world.hear(joined(START - 60), HERE, ELSEWHERE) == [ELSEWHERE]
    assert world.hear(joined(START - 60, who="grace"), HERE) == [HERE]


def test_a_clock_of_zooms_that_is_ahead_brings_nobody_back() -> None:
    """A second's difference must not make news of what an erasure has just deleted."""
    world = Removed()
    world.tombstones.put([of_person("acme", "ada")], now=START)
    assert world.hear(joined(START + 2), HERE) is None


def test_what_happens_after_an_erasure_is_news() -> None:
    """Who comes back, comes back."""
    world = Removed()
    world.tombstones.put([of_person("acme", "ada")], now=START)
    assert world.hear(joined(START + 60), HERE) == [HERE]


def test_late_events_of_nobody_are_not_kept_apart() -> None:
    """After an erasure no connection leads to a tenant: the app and the user are remembered, by digest."""
    world = Removed()
    world.tombstones.put([of_user(CLIENT_ID, "host")], now=START)
    assert world.hear(joined(START - 60)) is None
    assert world.hear(joined(START + 60)) == []
    assert "host" not in repr(world.tombstones.kept)


def test_late_events_do_not_bring_an_erased_tenant_back() -> None:
    """Whomever they name. That a tenant stands is believed for a minute, less than an erasure takes to look again."""
    world = Removed()
    assert world.hear(joined(START - 60, who="anybody"), HERE) == [HERE]
    world.tombstones.put([of_tenant("acme")], now=START)
    assert world.hear(joined(START - 60, who="anybody"), HERE) == [HERE]
    world.clock.sleep(61)
    assert world.hear(joined(START - 60, who="anybody"), HERE) is None
    assert world.hear(joined(START - 60, who="anybody"), HERE, ELSEWHERE) == [ELSEWHERE]
    assert world.hear(joined(START + 60, who="anybody"), HERE) == [HERE]


def test_late_events_of_an_erased_account_are_not_kept_apart() -> None:
    """A whole account was connected, and its events name people nobody here has heard of."""
    world = Removed()
    world.tombstones.put([of_account(CLIENT_ID, "zoom-account")], now=START)
    late = joined(START - 60, who="anybody")
    late.payload["account_id"] = "zoom-account"
    assert world.hear(late) is None
    assert world.hear(joined(START - 60, who="anybody")) == []


def test_reconciliation_does_not_bring_an_erased_person_back() -> None:
    """What is read back from Zoom has no `event_ts`; when the person joined is what counts."""
    world = Removed()
    world.tombstones.put([of_person("acme", "ada")], now=START + 3600)
    seen = {"host_id": "host", "participant": {"id": "ada", "join_time": "2027-01-15T08:30:00Z"}}
    body = {"event": "meeting.participant_joined", "payload": {"object": seen}}
    assert world.hear(ZoomEvent("meeting.participant_joined", body), HERE) is None
    seen["participant"] = {"id": "ada", "join_time": "2027-01-15T09:30:00Z"}
    assert world.hear(ZoomEvent("meeting.participant_joined", body), HERE) == [HERE]
