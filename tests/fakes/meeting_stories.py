"""Deliveries of meetings in the shapes that Zoom was measured to send, and generated stories made of them.

Made-up people. Measured in 2026: a new `user_id` at every move between rooms with `participant_uuid` kept; its leave
and join in one second, in either order; a `leave_reason` that says nothing. Reported: waiting-room events under
another `user_id` than the meeting's.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

HOST, ACCOUNT = "Host-Id-Of-Story", "Account-Of-Story"
START = 1_790_000_000

type Body = dict[str, Any]


def iso(at: int) -> str:
    """A moment as Zoom writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def delivered(body: Body) -> bytes:
    """The bytes of a delivery."""
    return json.dumps(body).encode()


@dataclass
class Story:
    """Writes deliveries in the order in which things happen. `now` is in epoch seconds."""

    number: str = "84000000001"
    now: int = START
    uuid: str = ""
    started_at: int = START
    deliveries: list[Body] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def send(self, name: str, *, shift: int = 54, **fields: Any) -> Body:
        about = {"id": self.number, "uuid": self.uuid, "host_id": HOST, "topic": "Class", "type": 2, "duration": 60}
        shown = {**about, "start_time": iso(self.started_at), "timezone": "UTC", **fields}
        body = {
            "event": name,
            "event_ts": self.now * 1000 + shift,
            "payload": {"account_id": ACCOUNT, "object": shown},
        }
        self.deliveries.append(body)
        return body

    def plan(self, start: int, **fields: Any) -> None:
        self.send("meeting.created", **{"start_time": iso(start), "uuid": "plan", **fields})

    def start(self, uuid: str | None = None) -> None:
        self.uuid = uuid or f"{self.number}Story{next(self.numbers):05d}=="
        self.started_at = self.now
        self.send("meeting.started")

    def end(self) -> None:
        self.send("meeting.ended", end_time=iso(self.now))

    def user_id(self) -> str:
        return str(16_777_216 + 1024 * next(self.numbers))

    def device(self) -> str:
        return f"{next(self.numbers):08X}-AAAA-BBBB-CCCC-0123456789AB"

    def person(self, what: str, who: Body, **fields: Any) -> Body:
        known = {"id": "", "participant_user_id": "", "email": "", "public_ip": "203.0.113.9"}
        return self.send(f"meeting.participant_{what}", participant={**known, **who, **fields})

    def join(self, who: Body) -> Body:
        return self.person("joined", who, join_time=iso(self.now))

    def leave(self, who: Body, reason: str = "left the meeting. Reason : left the meeting") -> Body:
        return self.person("left", who, leave_time=iso(self.now), leave_reason=reason)

    def at(self, what: str, who: Body) -> Body:
        return self.person(what, who, date_time=iso(self.now))

    def swap(self) -> None:
        """The last two deliveries arrive the other way round."""
        self.deliveries[-2:] = reversed(self.deliveries[-2:])


def person(number: str, device: str, name: str, **more: str) -> Body:
    """A participant; `zoom_id` is what a signed-in person has."""
    zoom_id = more.pop("zoom_id", "")
    return {
        "user_id": number,
        "participant_uuid": device,
        "user_name": name,
        "id": zoom_id,
        "participant_user_id": zoom_id,
        **more,
    }


PEOPLE: tuple[tuple[str, dict[str, str]], ...] = (
    ("Host", {"zoom_id": HOST, "email": "host@example.com"}),
    ("Nora", {"registrant_id": "reg-nora", "email": "Nora@Example.com", "customer_key": "ck-nora"}),
    ("Omar", {"customer_key": "ck-omar", "email": "omar@example.com"}),
    ("Guest", {}),
    ("Guest", {}),
    ("Two on one account", {"zoom_id": "shared-account"}),
    ("Other on that account", {"zoom_id": "shared-account"}),
)


@dataclass
class Classroom(Story):
    """A generated story: rooms, devices, renames, waiting rooms, reconnects, and hosts that drop."""

    chance: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - a story, no secret
    there: list[tuple[int, Body]] = field(default_factory=list)

    def live(self, steps: int) -> None:
        self.plan(self.now + 300)
        self.start()
        for _ in range(steps):
            self.now += self.chance.randint(1, 300)
            self.step()
        self.finish()
        self.now += 3 * 3600
        self.start()  # a click on the link long after
        self.arrive(self.chance.randrange(len(PEOPLE)))
        self.finish()

    def step(self) -> None:
        arrivals = [self.arrive_somebody, self.only_wait, self.arrive_by_waiting_room]
        moves = [self.move, self.move, self.rejoin, self.hold, self.hold_under_another_id]
        moves += [self.rename, self.depart, self.reconnect, self.phone]
        chosen = [*arrivals, *(moves if self.there else []), *([self.drop] if self.chance.random() < 0.1 else [])]
        self.chance.choice(chosen)()

    def finish(self) -> None:
        for _, who in self.there:
            self.now += self.chance.randint(1, 5)
            if self.chance.random() < 0.8:
                self.leave(who)  # of the others no leave is ever told
        self.there.clear()
        self.now += 1
        self.end()

    def arrive_somebody(self) -> None:
        self.arrive(self.chance.randrange(len(PEOPLE)))

    def arrive(self, of: int, device: str | None = None) -> None:
        who = self._somebody(of, device or self.device())
        self.there.append((of, who))
        self.join(who)

    def only_wait(self) -> None:
        who = self._somebody(3, self.device())
        self.at("joined_waiting_room", who)
        self.now += self.chance.randint(1, 300)
        self.at("left_waiting_room", who)
        self.leave(who, self.chance.choice(["Leave waiting room.", "left the meeting"]))

    def arrive_by_waiting_room(self) -> None:
        """The waiting room knows another `user_id` than the meeting."""
        device, of = self.device(), self.chance.randrange(len(PEOPLE))
        waiting = self._somebody(of, device)
        self.at("joined_waiting_room", waiting)
        self.now += self.chance.randint(1, 300)
        self.at("admitted", waiting)
        self.now += self.chance.randint(0, 2)
        self.arrive(of, device)

    def move(self) -> None:
        at, (of, who) = self._one()
        after = {**who, "user_id": self.user_id()}
        self.leave(who, self.chance.choice(["left the meeting", "joined breakout room"]))
        self.join(after)
        if self.chance.random() < 0.4:
            self.swap()
        self.there[at] = of, after

    def rejoin(self) -> None:
        """Leave and join of one second under one `user_id`."""
        _, (_, who) = self._one()
        self.leave(who)
        self.join(who)

    def hold(self) -> None:
        _, (_, who) = self._one()
        self.at("put_in_waiting_room", who)
        self.now += self.chance.randint(1, 300)
        self.at("admitted", who)

    def hold_under_another_id(self) -> None:
        """Put into the waiting room, at times with a leave, and let back in under another `user_id`."""
        at, (of, who) = self._one()
        if self.chance.random() < 0.5:
            self.leave(who)
        self.at("put_in_waiting_room", who)
        self.now += self.chance.randint(1, 300)
        waits, after = ({**who, "user_id": self.user_id()} for _ in range(2))
        self.at("admitted", self.chance.choice([waits, after]))
        self.now += self.chance.randint(0, 2)
        self.join(after)
        self.there[at] = of, after

    def rename(self) -> None:
        at, (of, who) = self._one()
        self.there[at] = of, {**who, "user_name": f"Renamed {next(self.numbers)}"}

    def phone(self) -> None:
        """Somebody dials in and binds the telephone to who is there: two devices, one person."""
        at, (of, who) = self._one()
        telephone = person(self.user_id(), self.device(), "+1555***00", phone_number=f"1555{at:04}")
        self.join(telephone)
        self.now += self.chance.randint(0, 20)
        bound = {"bind_user_id": who["user_id"], "bind_participant_uuid": who["participant_uuid"]}
        self.at("bind", {**telephone, **bound})
        self.there.append((of, telephone))

    def depart(self) -> None:
        at, (_, who) = self._one()
        self.there.pop(at)
        self.leave(who)

    def reconnect(self) -> None:
        at, (of, who) = self._one()
        self.there.pop(at)
        self.leave(who)
        self.now += self.chance.randint(1, 60)
        self.arrive(of)

    def drop(self) -> None:
        """The host's connection breaks; everybody is back in a new instance within minutes."""
        back = [of for of, _ in self.there]
        self.finish()
        self.now += self.chance.randint(30, 600)
        self.start()
        for of in back:
            self.now += self.chance.randint(1, 5)
            self.arrive(of)

    def _one(self) -> tuple[int, tuple[int, Body]]:
        at = self.chance.randrange(len(self.there))
        return at, self.there[at]

    def _somebody(self, of: int, device: str) -> Body:
        """With one identifier at least of those that the person has, not always the same ones."""
        name, identity = PEOPLE[of]
        kept = {kind: value for kind, value in identity.items() if self.chance.random() < 0.7}
        return person(self.user_id(), device, name, **kept)
