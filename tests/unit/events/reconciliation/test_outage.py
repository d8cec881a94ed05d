"""Two hours without webhooks, with the whole simulated Zoom: its deliveries, its retries, and what it reports.

`tests/e2e/test_events.py` does the same to the deployed stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.fakes.events import Clock
from tests.fakes.reconciling import FOUND_AGAIN, Room, Seen, name_of, reported, seen_of
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, NO_PERMISSION, AccessDenied
from zoom_simulator.testing import Answer, Endpoint, Json, Zoom

MINUTE = 60
# Whose connection it is. Zoom tells administrators more than others, and the whole account's app is one of them.
OWNER, JILL, ACCOUNT = "owner@zoom.example", "jill@zoom.example", "account"
ADMINISTRATORS = {OWNER, ACCOUNT}
OF_ADMINISTRATORS = {
    "report/users/meetings",
    "report/meetings/participants",
    "report/webinars",
    "report/webinars/participants",
}
NOT_SHOWN = {4711: MISSING_SCOPES, 200: NO_PERMISSION}


@dataclass
class Flaky(Endpoint):
    """An endpoint that can be out of order. `taken` are the bodies it has acknowledged."""

    down: bool = False
    taken: list[bytes] = field(default_factory=list)
    missed: list[bytes] = field(default_factory=list)

    async def post(self, url: str, headers: dict[str, str], body: bytes, timeout: float) -> Answer:  # noqa: ASYNC109
        if self.down:
            self.missed.append(body)
            return Answer(503)
        self.taken.append(body)
        return await super().post(url, headers, body, timeout)


class Day:
    """One working day of a person's, minute by minute. The same day has the same ids: the simulated Zoom is seeded."""

    def __init__(self, connected: str) -> None:
        self.connected = connected
        self.person = OWNER if connected == ACCOUNT else connected
        self.endpoint = Flaky()
        self.zoom = Zoom(endpoint=self.endpoint, awkward_uuids=True)
        self.zoom.connect(self.person)
        self.numbers: list[int] = []
        self.webinars: list[int] = []

    def passes(self, minutes: int) -> None:
        for _ in range(minutes):
            self.zoom.advance(MINUTE)

    def planned(self, topic: str, **more: Any) -> int:
        settings = {"auto_recording": "cloud"}
        number = int(self.zoom.meeting(topic=topic, settings=settings, duration=30, **more)["id"])
        self.numbers.append(number)
        return number

    def announced(self, topic: str, **more: Any) -> int:
        """A webinar with registration."""
        settings = {"auto_recording": "cloud", "approval_type": 0}
        number = int(self.zoom.webinar(topic=topic, settings=settings, duration=30, **more)["id"])
        self.zoom.act(number, "register", email="rose@elsewhere.example", first_name="Rose", last_name="R.")
        self.numbers.append(number)
        self.webinars.append(number)
        return number

    def lived(self, *, outage: bool) -> Day:
        """Before, across the begin of, during, across the end of, and after two hours without webhooks."""
        zoom, act = self.zoom, self.zoom.act
        kinds = {"series": {"type": 3}, "instant": {"type": 1}}
        before, into, within, out_of, after, series, instant = (
            self.planned(name, **kinds.get(name, {"start_time": "2026-11-18T12:00:00Z"}))
            for name in ("before", "into", "within", "out of", "after", "series", "instant")
        )
        show, course = self.announced("show", start_time="2026-11-18T12:00:00Z"), self.announced("course", type=6)
        self.held(before)
        self.held(course)
        self.opened(into)
        self.opened(series)
        self.closed(series)
        self.passes(5)
        self.endpoint.down = outage
        self.closed(into)
        for number in (within, series, series, instant, show, course, course):
            self.opened(number)
            act(number, "share", participant="Ada")
            act(number, "join", name="Ada")  # the same name, and nobody knows whether the same person
            self.passes(7)
            self.closed(number)
            self.passes(3)
        self.passes(60)
        self.opened(out_of)
        self.opened(course)
        self.passes(20)
        self.endpoint.down = False
        self.closed(out_of)
        self.closed(course)
        self.held(after)
        self.passes(90)  # what Zoom still repeats, it has repeated by now
        assert zoom.idle()
        return self

    def held(self, number: int) -> None:
        self.opened(number)
        self.closed(number)

    def opened(self, number: int) -> None:
        act = self.zoom.act
        act(number, "start")
        act(number, "join", host=True)
        self.passes(1)
        act(number, "join", name="Ada", email="ada@elsewhere.example", customer_key="k-ada")
        act(number, "join", email="basil@zoom.example")
        self.passes(2)
        if self.zoom.sim.state.meetings[number].registrants:
            act(number, "join", email="rose@elsewhere.example")
        act(number, "leave", participant="basil@zoom.example")
        self.passes(4)
        act(number, "join", email="basil@zoom.example")
        self.passes(1)

    def closed(self, number: int) -> None:
        self.zoom.act(number, "leave", participant="Ada")
        self.passes(1)
        self.zoom.act(number, "end")
        self.passes(2)

    # what the gateway asks

    def read(self, path: str) -> Mapping[str, Any] | None:
        answer = self.zoom.get(path)
        found: Json = answer.json()
        if found.get("code") in NOT_SHOWN:
            raise AccessDenied(NOT_SHOWN[found["code"]])
        return found if answer.status_code == 200 else None

    def rests(self) -> None:
        """Until all is two hours old; the token has died meanwhile."""
        self.passes(130)
        if self.connected == ACCOUNT:
            self.zoom.connect_account()
        else:
            self.zoom.connect(self.person)

    def room(self) -> Room:
        user = None if self.connected == ACCOUNT else self.zoom.user_id(self.person)
        seen = Seen(zoom_user_id=user, zoom_account_id="simulated-account")
        return Room(cast("Clock", self.zoom.wall), seen)  # one time for all


def views(room: Room, day: Day) -> dict[int, Any]:
    return {number: seen_of(room, number) for number in day.numbers}


@pytest.mark.parametrize("connected", [JILL, OWNER, ACCOUNT])
def test_a_day_with_an_outage_ends_like_a_day_without(connected: str) -> None:
    """State, recordings and attendance, minute for minute; and the late originals change nothing."""
    whole, broken = Day(connected).lived(outage=False), Day(connected).lived(outage=True)
    expected, room = whole.room(), broken.room()
    expected.deliver(whole.endpoint.taken)
    room.deliver(broken.endpoint.taken)
    lost = set(broken.endpoint.missed) - set(broken.endpoint.taken)
    assert {name_of(body) for body in lost} >= FOUND_AGAIN
    assert reported(views(room, broken), administrator=connected in ADMINISTRATORS) != reported(
        views(expected, whole), administrator=connected in ADMINISTRATORS
    )

    broken.rests()
    done = room.reconcile(broken)
    assert (done.complete, done.missing, done.partial) == (True, room.sent, {})
    assert set(done.unseen) == (set() if connected in ADMINISTRATORS else OF_ADMINISTRATORS)
    assert reported(views(room, broken), administrator=connected in ADMINISTRATORS) == reported(
        views(expected, whole), administrator=connected in ADMINISTRATORS
    )

    late = [body for body in broken.endpoint.missed if name_of(body) in FOUND_AGAIN]
    before, published = views(room, broken), [event.id for event in room.bus.events]
    room.deliver(late)
    assert views(room, broken) == before
    assert [event.id for event in room.bus.events] == published
    assert len(published) == len(set(published))
    ids = {event.id for event in expected.bus.events if event.detail_type in FOUND_AGAIN}
    assert {event.id for event in room.bus.events if event.detail_type in FOUND_AGAIN} == ids


@pytest.mark.parametrize("connected", [JILL, OWNER, ACCOUNT])
def test_without_an_outage_there_is_nothing_to_reconcile(connected: str) -> None:
    """Every event told what Zoom reports: nothing is told twice, or told otherwise."""
    whole = Day(connected).lived(outage=False)
    room = whole.room()
    room.deliver(whole.endpoint.taken)
    whole.rests()
    assert room.reconcile(whole).missing == 0


@pytest.mark.parametrize("reason", [NO_PERMISSION, MISSING_SCOPES])
def test_whom_zoom_shows_no_webinars_gets_all_the_rest(reason: str) -> None:
    """The add-on was given up, or the scopes were not granted: meetings and recordings are found, and it is said."""
    whole, broken = Day(JILL).lived(outage=False), Day(JILL).lived(outage=True)
    expected, room = whole.room(), broken.room()
    expected.deliver(whole.endpoint.taken)
    room.deliver(broken.endpoint.taken)
    if reason == NO_PERMISSION:
        broken.zoom.patch("/_sim/accounts/simulated-account", {"webinars": False})
    else:
        [app] = broken.zoom.sim.state.apps.values()
        app.scopes = [scope for scope in app.scopes if not scope.startswith("webinar:")]
    broken.rests()
    done = room.reconcile(broken)
    assert (done.complete, done.partial, done.unseen["users/webinars"]) == (True, {"webinars": reason}, reason)
    found, wanted = (reported(views(*each), administrator=False) for each in ((room, broken), (expected, whole)))
    for number in set(broken.numbers) - set(broken.webinars):
        assert found[number] == wanted[number]
    for number in broken.webinars:
        assert found[number][1] == wanted[number][1]
        assert found[number][2] != wanted[number][2]
