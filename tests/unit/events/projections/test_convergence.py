"""Whatever order deliveries come in, however often, and what comes late: the projections end the same, and true."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.event_stores import Connection, Connections, Hosts, Log, Projections
from tests.fakes.events import APP, Bus, Clock, Counts, plenty, record
from tests.fakes.meeting_life import HOST, NUMBER, Life
from tests.fakes.soak import times
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.zoom.event_redaction import Redaction

PEOPLE = [
    {"participant_user_id": HOST, "id": HOST, "user_name": "Host", "email": "host@zoom.example"},
    {"registrant_id": "reg-1", "user_name": "Ada"},
    {"email": "grace@zoom.example", "user_name": "Grace"},
    {"user_name": "iPhone"},
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "update", "record", "trash", "restart"]),
        st.integers(0, 3),
        st.integers(0, 900),
    ),
    max_size=14,
)

# After all that happens: an event that claims to come from the future counts at the time of its receipt.
_RECEIVED_MS = 1_790_100_000_000


class Truth(Life):
    """A life that also keeps the minutes."""

    def __init__(self) -> None:
        super().__init__()
        self.present: dict[int, tuple[str, int]] = {}
        self.seconds: dict[tuple[str, str], int] = {}
        self.sessions = 0
        self.instances = 0

    def live(self, steps: Sequence[tuple[str, int, int]]) -> None:
        self.plan("meeting.created", topic="Stand-up", settings={"mute": False, "jbh_time": 5})
        self._begin()
        for what, who, seconds in steps:
            self.pass_by(seconds)
            self._step(what, who)
        self.finish()

    def finish(self) -> None:
        self.pass_by(60)
        for who in list(self.present):
            self._leave(who)
        self.end()

    def _step(self, what: str, who: int) -> None:
        match what:
            case "join" if who not in self.present:
                self.sessions += 1
                self.present[who] = f"s-{self.sessions}", self.now
                self.join(self.present[who][0], PEOPLE[who])
            case "leave" if who in self.present:
                self._leave(who)
            case "update":
                changed: dict[str, Any] = {"topic": f"T{self.now}"} if who % 2 else {"settings": {"mute": True}}
                self.plan("meeting.updated", **changed)
            case "record":
                self.recorded(f"file-{who}")
            case "trash":
                self.recorded(f"file-{who}", name="recording.trashed")
            case "restart":
                self.finish()
                self.pass_by(5)
                self._begin()

    def _begin(self) -> None:
        self.instances += 1
        self.start(f"u/{self.instances}==")

    def _leave(self, who: int) -> None:
        session, since = self.present.pop(who)
        name = PEOPLE[who]["user_name"]
        person = f"{name} {session}" if name == "iPhone" else name  # nothing tells two guests of one name apart
        self.seconds[self.uuid, person] = self.seconds.get((self.uuid, person), 0) + self.now - since
        self.leave(session, PEOPLE[who])


def project(bodies: Sequence[bytes]) -> Projections:
    """What is known after these deliveries, taken one by one through the processor."""
    projections, clock = Projections(), Clock()
    processor = EventProcessor(
        log=Log(clock),
        connections=Connections(users={(APP, HOST): Connection("acme", "con_a")}),
        hosts=Hosts(),
        projections=projections,
        publisher=Bus(),
        redaction=Redaction(),
        count=Counts().count,
        report=Counts().report,
    )
    for at, body in enumerate(bodies):
        assert processor.process([record(body, message=f"m-{at}", received_at_ms=_RECEIVED_MS + at)], plenty()) == []
    return projections


@settings(max_examples=times(60), deadline=None)
@given(steps=STEPS, chance=st.randoms(use_true_random=False))
def test_any_order_with_repeats_and_late_arrivals_ends_the_same(
    steps: list[tuple[str, int, int]], chance: Random
) -> None:
    """Permuted, duplicated, and with a third of the deliveries lost at first and repeated long after."""
    life = Truth()
    life.live(steps)
    in_order = project(life.deliveries)
    lost = [body for body in life.deliveries if chance.random() < 1 / 3]
    jumbled = [body for body in life.deliveries if body not in lost] + chance.sample(life.deliveries, k=len(lost))
    chance.shuffle(jumbled)
    assert project(jumbled + lost).records == in_order.records


@settings(max_examples=times(60), deadline=None)
@given(steps=STEPS, chance=st.randoms(use_true_random=False))
def test_attendance_is_what_happened(steps: list[tuple[str, int, int]], chance: Random) -> None:
    """Seconds by person and instance are those that were lived, from deliveries in any order."""
    life = Truth()
    life.live(steps)
    bodies = chance.sample(life.deliveries, k=len(life.deliveries))
    reader = MeetingReader(project(bodies))
    found: dict[tuple[str, str], int] = {}
    for at in range(1, life.instances + 1):
        seen = reader.attendance("acme", str(NUMBER), f"u/{at}==")
        assert seen["status"] == "ended"
        for person in seen["participants"]:
            name = person["name"] if person["name"] != "iPhone" else f"iPhone {person['sessions'][0]['user_id']}"
            found[seen["uuid"], name] = person["duration"]
    assert found == life.seconds


@settings(max_examples=times(40), deadline=None)
@given(steps=STEPS, chance=st.randoms(use_true_random=False))
def test_the_live_roster_is_who_is_there(steps: list[tuple[str, int, int]], chance: Random) -> None:
    """While a meeting is on: those who joined and have not left, whatever arrived first."""
    life = Truth()
    life.plan("meeting.created", topic="Stand-up")
    life._begin()
    for what, who, seconds in steps:
        life.pass_by(seconds + 1)
        life._step(what, who)
    bodies = chance.sample(life.deliveries, k=len(life.deliveries))
    state: dict[str, Any] = MeetingReader(project(bodies)).state("acme", str(NUMBER))
    assert state["status"] == "live"
    assert state["instance"]["uuid"] == life.uuid
    assert {each["user_id"] for each in state["participants"]} == {session for session, _ in life.present.values()}
    assert state["participants_count"] == len(life.present)
