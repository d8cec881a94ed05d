"""`make console-data`: fills the running local stack with a week of made-up work, to see the operator's console by.

Three tenants that begin with `seed-` get connections in every state, API keys, usage, events and dead letters. Numbers
are the same in every run, and a second run adds to them. To remove a tenant again: `make erase ARGS="seed-acme
--whole-tenant --yes"`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from ops.deployed import Deployed, deployed
from ops.key_table import STACK_FILE, NoStack
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential, issue
from zoom_common.aws.items import from_item
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.connections.store import to_values
from zoom_common.daily_counts import DELIVERIES, DUPLICATES, REFRESHES, DailyCounts
from zoom_common.errors import Conflict
from zoom_common.events.log.entries import LogEntry, recorded_item, unrouted
from zoom_common.gateway.usage import LiveUsage, Usage, day_of
from zoom_common.ratelimit.quotas import DAY, DailyStore

TENANTS = ("seed-acme", "seed-globex", "seed-initech")
_DAYS = 8
_STATES = (
    *((State.CONNECTED, None, 26), (State.REFRESH_FAILING, "zoom_error", 2), (State.PENDING, None, 2)),
    *((State.REAUTHORIZATION_REQUIRED, "invalid_grant", 2), (State.REAUTHORIZATION_REQUIRED, "app_deauthorized", 1)),
)
# By operation: calls on a usual day, and of a hundred of them those refused, over a limit, and failed.
_OPERATIONS = {
    "meetings.list": (900, 1, 0, 0),
    "meetings.create": (520, 4, 2, 1),
    "users.get": (480, 1, 0, 0),
    "meetings.get": (260, 3, 0, 0),
    "registrants.add": (140, 2, 1, 1),
    "recordings.list": (70, 1, 1, 0),
}
# By type: events on a usual day.
_TYPES = {
    "meeting.participant_joined": 40,
    "meeting.participant_left": 40,
    "meeting.started": 9,
    "meeting.ended": 9,
    "recording.completed": 5,
    "user.updated": 2,
}
_REFRESHES = {"refreshed": 300, "refresh_failing": 2, "reauthorization_required": 1}
_DELIVERIES = {"delivered": 210, "retried": 6, "failed": 1}


@dataclass(slots=True)
class Seed:
    """Writes to one stack's tables and queues. `chance` gives the same numbers in every run."""

    connections: Table
    events: Table
    coordination: Table
    now: float
    chance: random.Random

    def rows(self, client_id: str) -> None:
        """Write connections of every tenant, in every state. None is ever due, so nothing asks Zoom for them."""
        number, found = 0, []
        for tenant in TENANTS:
            for state, reason, many in _STATES:
                for _ in range(many):
                    number += 1
                    name, at = f"con_seed{number:04}", self.now - 3600 * number
                    made = _connection(tenant, name, state=state, reason=reason, client_id=client_id, at=at)
                    found.append(to_values(made))
        self.connections.put_all(found)

    def keys(self) -> None:
        """Write three keys of each tenant; one is limited, one revoked. A second run adds none."""
        store = ApiKeyStore(self.connections)
        for at, tenant in enumerate(TENANTS):
            for number, name in enumerate(("calendar sync", "nightly reports", "old build server")):
                name_of_key = "seed" + "abcdefgh"[at] * 4 + "abcd"[number] * 4
                made_at = self.now - DAY * (at + 2 * number)
                key = issue(
                    Credential.generate(key_id=name_of_key),
                    tenant=tenant,
                    name=name,
                    scopes=["meetings:read", "meetings:write"],
                    now=made_at,
                    requests_per_minute=600 if number == 1 else None,
                )
                try:
                    store.add(key)
                except Conflict:
                    continue
                if number == 2:  # noqa: PLR2004 - the last one
                    store.revoke(key.key_id, now=made_at + DAY / 2)

    def usage(self) -> None:
        """Add calls of the last days, and what they took from the daily limits."""
        store, today = LiveUsage(self.coordination), day_of(self.now)
        for day, busy in self._days(today):
            for tenant in TENANTS:
                for operation, (calls, refused, limited, failed) in _OPERATIONS.items():
                    made = int(calls * busy * self.chance.uniform(0.7, 1.3))
                    parts = [made * share // 100 for share in (refused, limited, failed)]
                    usage = Usage(day, tenant, "con_seed0001", operation, made, made + parts[2], sum(parts), *parts[1:])
                    store.begin(usage)()
        daily = DailyStore(self.coordination)
        for account, used in (("seed-account-1", 27_900), ("seed-account-2", 21_000), ("seed-account-3", 900)):
            daily.take(f"{account}#costly", period=int(self.now // DAY), limit=30_000, most=used)

    def log(self, app: str) -> None:
        """Add lines to the event log, without their events; some belong to nobody."""
        today, lines = day_of(self.now), []
        for day, busy in self._days(today):
            start_ms = int((self.now - DAY * (today - day).days) * 1000)
            for kind, usual in _TYPES.items():
                for number in range(max(1, int(usual * busy))):
                    entry = LogEntry(
                        owner=unrouted(app) if (kind, number) == ("user.updated", 0) else self.chance.choice(TENANTS),
                        event_id=f"evt_{self.chance.getrandbits(128):032x}",
                        key="",
                        app=app,
                        type=f"zoom.{kind}",
                        received_at_ms=start_ms - number,
                    )
                    line = recorded_item(entry, entry.received_at_ms, int(self.now) + 30 * DAY, int(self.now))
                    lines.append(from_item(line))
        self.events.put_all(lines)

    def counts(self) -> None:
        """Add duplicates, refreshes and deliveries by day."""
        for day, busy in self._days(day_of(self.now)):
            at = self.now - DAY * (day_of(self.now) - day).days
            counts = DailyCounts(table=self.coordination, clock=lambda at=at: at)  # type: ignore[misc]
            counts.add(*DUPLICATES, int(9 * busy) + 1)
            for kind, outcomes in ((REFRESHES, _REFRESHES), (DELIVERIES, _DELIVERIES)):
                for outcome, usual in outcomes.items():
                    counts.add(kind, outcome, int(usual * busy * self.chance.uniform(0.6, 1.4)))
            counts.write()

    def _days(self, today: date) -> list[tuple[date, float]]:
        """The last days with how busy each is: weekends are quiet."""
        days = [today - timedelta(days=back) for back in range(_DAYS)]
        return [(day, 0.25 if day.weekday() > 4 else 1.0) for day in days]  # noqa: PLR2004 - Friday


def main() -> int:
    """Fill the local stack. Returns the exit status: 1 when there is none."""
    try:
        stack = deployed(argparse.Namespace(stack_name=None, region=None, stack_file=STACK_FILE))
        seed = Seed(
            connections=Table(stack.client("dynamodb"), stack.resource("ConnectionsTable"), CONNECTIONS),
            events=Table(stack.client("dynamodb"), stack.resource("EventsTable"), EVENTS),
            coordination=Table(stack.client("dynamodb"), stack.resource("CoordinationTable"), COORDINATION),
            now=time.time(),
            chance=random.Random(7),
        )
    except NoStack as problem:
        print(problem, file=sys.stderr)
        return 1
    app = str(json.loads(STACK_FILE.read_text()).get("zoom_client_id", "seed-app"))
    steps: dict[str, Callable[[], None]] = {
        "connections": lambda: seed.rows(app),
        "API keys": seed.keys,
        "calls": seed.usage,
        "events": lambda: seed.log(app),
        "refreshes and deliveries": seed.counts,
        "dead letters": lambda: _dead_letters(stack),
    }
    for name, step in steps.items():
        step()
        print(f"{name}: done", flush=True)
    print('Open /app/console, as Otto Operator or with: make api-key ARGS="create --name console --operator"')
    return 0


def _dead_letters(stack: Deployed) -> None:
    for queue, body in (
        ("IngestDeadLetterQueue", {"event": "meeting.ended", "event_ts": 1}),
        ("EscrowDeadLetterQueue", {"action": "none", "tenant": TENANTS[0], "connection_id": "con_seed0001"}),
    ):
        stack.client("sqs").send_message(QueueUrl=stack.resource(queue), MessageBody=json.dumps(body))


def _connection(tenant: str, name: str, *, state: State, reason: str | None, client_id: str, at: float) -> Connection:
    return Connection(
        tenant=tenant,
        connection_id=name,
        owner="seed",
        kind=Kind.USER,
        state=state,
        reason=reason,
        client_id=client_id,
        zoom_user_id=f"{name}-user",
        zoom_account_id=f"seed-account-{1 + int(name[-1]) % 3}",
        scopes=frozenset(),
        api_url=None,
        grant_id=f"grant_{name}",
        version=1,
        access_expires_at=at,
        refresh_issued_at=at,
        created_at=at,
        authorized_at=at,
        state_changed_at=at,
        last_used_at=at,
        sealed_access=b"",
        sealed_refresh=b"",
    )


if __name__ == "__main__":
    sys.exit(main())
