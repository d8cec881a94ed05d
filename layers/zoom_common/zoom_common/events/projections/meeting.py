"""All that events add up to of one meeting or webinar: its instances, who is there, and who was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoom_common.events.projections.attendance import Attendee, Session, attendees, covered, maybe_same, with_devices
from zoom_common.events.projections.keys import (
    DEFINITION,
    FILE,
    INSTANCE,
    LISTED,
    LOBBY,
    RECORDING,
    REGISTRANT,
    SESSION,
)
from zoom_common.events.projections.occurrences import SERIES, Held, Planned, belonging, planned_occurrences
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.session_projectors import WAITED_FOR_HOST, WAITING_FOR_HOST
from zoom_common.events.projections.settling import Group, report_view, settled_groups
from zoom_common.events.projections.views import (
    ABOUT,
    attendee_view,
    by_arrival,
    definition_view,
    iso,
    maybe_same_view,
    plan_view,
    recording_view,
    roster_view,
    share_view,
)

# No meeting lasts longer at Zoom (https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0067966); whoever
# waits for longer has gone.
LONGEST_MEETING_MS = 30 * 3_600_000

_SEVERAL = 2  # occurrences of a series, at least


@dataclass(frozen=True, slots=True)
class Instance:
    """One time a meeting was held. Only the last one can still run: a meeting never runs twice at once."""

    uuid: str
    record: Record
    last: bool = False
    before: int | None = None
    """When the next one began, in epoch milliseconds: this one was over by then."""
    now: int | None = None

    @property
    def started(self) -> int | None:
        """Since when, in epoch milliseconds. What `started` says counts before what others say."""
        values = self.record.values
        moment: int | None = values.get("start_event_ms") or values.get("started_ms")
        return moment

    @property
    def seen(self) -> int:
        """The first moment known of it, in epoch milliseconds."""
        return self.started or min((stamp[0] for stamp, _ in self.record.earliest.values()), default=0)

    @property
    def ended(self) -> int | None:
        """Until when, in epoch milliseconds; None where no event has a moment for it."""
        values = self.record.values
        moment: int | None = values.get("ended_ms") or values.get("end_event_ms")
        return None if moment is not None and values.get("last_start_ms", 0) > moment else moment

    @property
    def end_assumed(self) -> bool:
        """Whether it is over and no event says when."""
        return not self.live and (self.ended is None or not self.record.values.get("ended_ms"))

    @property
    def live(self) -> bool:
        """Whether it is on."""
        lost = self.now is not None and self.now - self.seen > LONGEST_MEETING_MS
        return self.last and not lost and self.ended is None and not self._ended_untimed

    @property
    def _ended_untimed(self) -> bool:
        values = self.record.values
        return bool(values.get("end_told")) and "ended_ms" not in values and "end_event_ms" not in values

    def end(self, sessions: Sequence[Session]) -> int | None:
        """When it ended, in epoch milliseconds: by its event, else with the last known moment; None while it runs."""
        if self.live or self.ended is not None:
            return self.ended
        seen = max([self.seen, *(moment for each in sessions for _, moment in each.record.marks)])
        return seen if self.before is None else max(self.seen, min(seen, self.before))


@dataclass(frozen=True, slots=True)
class Meeting:
    """All records of one meeting or webinar, by sort key, and the time in epoch milliseconds (None: not known)."""

    number: str
    records: Mapping[str, Record] = field(repr=False)
    now: int | None = None

    def instances(self) -> list[Instance]:
        """The times it was held, in order."""
        found = [Instance(uuid, record) for uuid, record in self._under(INSTANCE)]
        found.sort(key=lambda each: (each.seen, each.uuid))
        nexts = [each.seen for each in found[1:]]
        return [
            Instance(each.uuid, each.record, at == len(found), nexts[at - 1] if at < len(found) else None, self.now)
            for at, each in enumerate(found, 1)
        ]

    def sessions(self, uuid: str) -> list[Session]:
        """Everybody's sessions of one instance."""
        return with_devices([Session(name, record, uuid) for name, record in self._under(f"{SESSION}{uuid}#")])

    @property
    def definition(self) -> Record:
        """What is planned."""
        return self.records.get(DEFINITION, Record())

    def planned(self) -> list[Planned]:
        """What is planned and was planned, in order."""
        return planned_occurrences(self.definition)

    def occurrences(self, planned: Sequence[Planned]) -> dict[str, Planned | None]:
        """The planned occurrence of each instance by uuid, None for the unplanned."""
        held = [Held(each.uuid, each.seen, self.end(each)) for each in self.instances()]
        return belonging(planned, held)

    def lobby(self) -> str | None:
        """The uuid of the instance that people wait for: the last that has not begun, after the last that has."""
        begun = {each.uuid for each in self.instances()}
        since = max((each.seen for each in self.instances()), default=0)
        waited = [(record.values.get("since_ms") or 0, uuid) for uuid, record in self._under(LOBBY)]
        return max((each for each in waited if each[1] not in begun and each[0] > since), default=(0, None))[1]

    def state(self) -> dict[str, Any]:
        """What it is, whether it is on, and who is there."""
        definition = self.definition.values
        instances = self.instances()
        last = instances[-1] if instances else None
        about = {**(last.record.values if last else {}), **definition}
        live = last if last and last.live else None
        sessions = self.sessions(live.uuid) if live else []
        present = [each for each in sessions if each.present]
        return {
            "id": self.number,
            "kind": about.get("kind", "meeting"),
            "status": self._status(last),
            **{name: about[name] for name in ABOUT if name in about},
            "start_time": definition.get("start_time"),
            "definition": definition_view(definition),
            "instance": self.instance_view(last) if last else None,
            "instances_used": [last.uuid] if last else [],
            "participants_count": len(present),
            "participants": [roster_view(each) for each in by_arrival(present)],
            "waiting": [roster_view(each) for each in by_arrival(self._waiting(live))],
            "updated_at": iso(max((record.newest_ms for record in self.records.values()), default=None)),
        }

    def attendance(self, instance: Instance, present_from: float | None = None) -> dict[str, Any]:
        """Who was there in one instance and for how long, one entry for each person."""
        return {
            "id": self.number,
            **self.instance_view(instance),
            **self._about_instances([instance], self.occurrences(self.planned()), present_from),
        }

    def occurrence(self, start: int, present_from: float | None = None) -> dict[str, Any] | None:
        """Who was there in all instances of the occurrence planned for `start`; None when it was never planned.

        Where nothing planned is known, the caller's `start` counts.
        """
        planned = self.planned() or [Planned(start)]
        if start not in {each.start for each in planned}:
            return None
        of = self.occurrences(planned)
        used = self.held_in(start, of)
        return {
            "id": self.number,
            "occurrence": iso(start),
            "uuid": used[0].uuid if used else None,
            **self.held_view(used),
            **self._about_instances(used, of, present_from),
        }

    def held_in(self, start: int, of: Mapping[str, Planned | None]) -> list[Instance]:
        """Return the instances of the occurrence planned for `start`, in order; `of` is from `occurrences`."""
        return [each for each in self.instances() if (plan := of[each.uuid]) is not None and plan.start == start]

    def held_view(self, used: Sequence[Instance]) -> dict[str, Any]:
        """Whether and from when to when something was held in these instances."""
        live = any(each.live for each in used)
        ends = [] if live else [end for each in used if (end := self.end(each)) is not None]
        return {
            "status": "live" if live else "ended" if used else "scheduled",
            "start_time": iso(used[0].started) if used else None,
            "end_time": iso(max(ends, default=None)),
            **({"end_time_assumed": True} if any(each.end_assumed for each in used) else {}),
        }

    def people(self, used: Sequence[Instance]) -> list[Attendee]:
        """Return everybody who was in one of these instances, each once."""
        ends = {each.uuid: self.end(each) for each in used}
        return attendees([session for each in used for session in self.sessions(each.uuid)], ends)

    def length(self, used: Sequence[Instance]) -> int:
        """Return how many milliseconds these instances lasted; 0 while one of them runs."""
        if any(each.live for each in used):
            return 0
        return covered((each.seen, end) for each in used if (end := self.end(each)) is not None)

    def about(self, used: Sequence[Instance]) -> dict[str, Any]:
        """What it is, as planned and as held."""
        values = {**self.definition.values, **(used[0].record.values if used else {})}
        return {name: value for name, value in values.items() if name in {*ABOUT, "kind"}}

    def _about_instances(
        self, used: Sequence[Instance], of: Mapping[str, Planned | None], present_from: float | None
    ) -> dict[str, Any]:
        people, length = self.people(used), self.length(used)
        live = any(each.live for each in used)
        found = [
            {
                **attendee_view(each, live=live),
                **maybe_same_view(others),
                **({} if present_from is None else share_view(covered(each.spans()), length, present_from)),
            }
            for each, others in zip(people, maybe_same(people), strict=True)
        ]
        return {
            **self.about(used),
            "instances": [{**self.instance_view(each), **plan_view(of.get(each.uuid))} for each in self.instances()],
            "instances_used": [each.uuid for each in used],
            **report_view(self.records, [each.uuid for each in used]),
            **({} if present_from is None else {"present_from": present_from}),
            "participants": found,
        }

    def settled_groups(self, now_ms: int) -> list[Group]:
        """Return the occurrences and unplanned instances whose attendance is settled and not published as such."""
        return settled_groups(self.occurrences(self.planned()), self.records, now_ms)

    def settled(self, group: Group) -> dict[str, Any]:
        """What is published of an attendance that is settled: all of it but the people."""
        used = [each for each in self.instances() if each.uuid in group.uuids]
        return {
            "id": self.number,
            "revision": group.revision,
            **plan_view(group.planned),
            **self.held_view(used),
            **self.about(used),
            "instances_used": [each.uuid for each in used],
            "participants_count": len(self.people(used)),
            **report_view(self.records, [each.uuid for each in used]),
        }

    def instance_view(self, instance: Instance) -> dict[str, Any]:
        """One instance in short."""
        return {
            "uuid": instance.uuid,
            "status": "live" if instance.live else "ended",
            "start_time": iso(instance.started),
            "end_time": iso(self.end(instance)),
            **({"end_time_assumed": True} if instance.end_assumed else {}),
        }

    def registrations(self) -> list[dict[str, Any]]:
        """Registrants by id."""
        return [{"id": name, **record.values} for name, record in self._under(REGISTRANT)]

    def recordings(self) -> list[dict[str, Any]]:
        """The recording of each instance with its files."""
        return [
            recording_view(uuid, record, list(self._under(f"{FILE}{uuid}#"))) for uuid, record in self._under(RECORDING)
        ]

    def _under(self, prefix: str) -> list[tuple[str, Record]]:
        return [(sort[len(prefix) :], self.records[sort]) for sort in sorted(self.records) if sort.startswith(prefix)]

    def end(self, instance: Instance) -> int | None:
        """When an instance ended, in epoch milliseconds, by its event or assumed; None while it runs."""
        return instance.end(self.sessions(instance.uuid) if instance.ended is None else [])

    def _waiting(self, live: Instance | None) -> list[Session]:
        """Who waits to be let in; before it begins, for the host too."""
        if live:
            return [each for each in self.sessions(live.uuid) if each.waiting]
        uuid = self.lobby()
        return [each for each in self.sessions(uuid) if self._waits_early(each)] if uuid else []

    def _waits_early(self, session: Session) -> bool:
        marks = session.record.marks
        since = max((at for kind, at in marks if kind == WAITING_FOR_HOST), default=0)
        gone = any(kind == WAITED_FOR_HOST and at >= since for kind, at in marks)
        lost = self.now is not None and self.now - session.record.newest_ms > LONGEST_MEETING_MS
        return not lost and (session.waiting or (since > 0 and not gone))

    def _status(self, last: Instance | None) -> str:
        if last and last.live:
            return "live"
        if self.definition.values.get("exists") is False:
            return "deleted"
        return "scheduled" if last is None or self._goes_on(last) else "ended"

    def _goes_on(self, last: Instance) -> bool:
        """Return whether a series has another occurrence after the last instance.

        A meeting that is planned once has ended when it was held, also when it was held early. A series whose
        occurrences are not known yet goes on.
        """
        planned, end = self.planned(), self.end(last) or last.seen
        if len(planned) < _SEVERAL:
            about = {**last.record.values, **self.definition.values}
            return about.get("type") in SERIES and LISTED not in about
        plan = self.occurrences(planned)[last.uuid]
        return any(each.start > end and each != plan and (self.now is None or each.end >= self.now) for each in planned)
