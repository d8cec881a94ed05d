"""Asks Zoom once for a plan that no event has, and finds the hosts of events that do not name one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zoom_common.events.projections.keys import DEFINITION, partition
from zoom_common.events.projections.occurrences import plan_is_known
from zoom_common.events.projections.projectors import definition_changes
from zoom_common.events.projections.record import Change, Record
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.past import Past
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, ZoomReader
from zoom_common.events.routing import HostStore
from zoom_common.zoom.events import ZoomEvent

# Marks that Zoom was asked for the plan of a meeting.
_ASKED = "asked#plan"

# The members of Zoom's answer that are stored. A plan needs no links, passcodes or settings.
_TAKEN = ("topic", "type", "start_time", "timezone", "duration", "host_id", "recurrence", "occurrences")


@dataclass(frozen=True, slots=True)
class Plans:
    """Plans of one connection of the Zoom app `app` in a tenant. `clock` gives epoch seconds.

    Methods raise what reading Zoom raises, and Unavailable. They can be repeated.
    """

    projections: ProjectionStore
    hosts: HostStore
    tenant: str
    app: str
    account_id: str
    reader: ZoomReader
    clock: Callable[[], float]

    def ask(self, family: str, number: str, known: Record) -> Record:
        """Return the definition of a meeting or webinar. Where its plan is not known, add Zoom's answer.

        Zoom is asked once for each. https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}
        """
        place = partition(number)
        if plan_is_known(known) or self.projections.read(self.tenant, place, _ASKED):
            return known
        about = self.reader.get(f"/v2/{family}s/{number}?show_previous_occurrences=true")
        if not about and self.reader.unseen.get(f"{family}s") == MISSING_SCOPES:
            return known  # The person may grant the scope later.
        stamp = int(self.clock() * 1000), ""
        changes = definition_changes(self._event(family, number, about)) if about else []
        asked = Change(place, _ASKED, {"at_ms": stamp[0]})
        self.projections.apply(self.tenant, [*changes, asked], stamp)
        return self.projections.read(self.tenant, place, DEFINITION).get(DEFINITION, known)

    def find_hosts(self, *kinds: Past) -> None:
        """Store the hosts of meetings whose events did not name one, if they are in the person's lists."""
        wanted = self.hosts.wanted(self.app, self.account_id)
        for kind in kinds if wanted else ():
            for number in wanted & kind.planned.keys():
                self.hosts.learn(self.app, self._event(kind.family, number, kind.planned[number]))

    def _event(self, family: str, number: str, about: Mapping[str, Any]) -> ZoomEvent:
        """Return Zoom's answer as an update event."""
        taken = {name: about[name] for name in _TAKEN if name in about}
        payload = {"account_id": self.account_id, "object": {**taken, "id": number}}
        return ZoomEvent(f"{family}.updated", {"payload": payload})
