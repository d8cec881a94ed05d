"""Events on the deployed stack: two hours without webhooks are made up for, and it shows whether webhooks come."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from botocore.config import Config

from dev.emulator import client_of
from dev.newcomer import Newcomer, newcomer
from dev.waiting import wait_until
from tests.fakes.events import Clock
from tests.fakes.reconciling import FOUND_AGAIN, Room, Seen, name_of, reported, seen_of
from tests.fakes.waiting import CALL_SECONDS, wait_until_delivered, wait_until_processed
from zoom_common.events.bus import event_id, source_of
from zoom_common.zoom.event_keys import dedupe_key
from zoom_common.zoom.events import parse

pytestmark = pytest.mark.e2e


@dataclass
class Company:
    """A tenant of its own with one person, the simulated Zoom's controls, and the operator's clients."""

    who: Newcomer
    program: httpx.Client
    zoom: httpx.Client

    def aws(self, service: Any) -> Any:
        return client_of(
            self.who.stack, service, config=Config(read_timeout=CALL_SECONDS, retries={"total_max_attempts": 1})
        )

    def resource(self, name: str) -> str:
        found = self.aws("cloudformation").describe_stack_resource(
            StackName=self.who.stack["stack_name"], LogicalResourceId=name
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def reconcile(self, **work: Any) -> dict[str, Any]:
        answer = self.aws("lambda").invoke(
            FunctionName=self.resource("ReconcileFunction"), Payload=json.dumps(work).encode()
        )
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        return found

    def act(self, meeting: int, action: str, **more: Any) -> None:
        answer = self.zoom.post(f"/meetings/{meeting}/{action}", json=more)
        assert answer.status_code == 200, answer.text

    def held(self, kind: str, *guests: str, **more: Any) -> int:
        """A meeting or webinar that took place, with people who came, left and came back."""
        wanted = {"topic": "Outage", "duration": 30, **more}
        wanted["start_time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        number = int(self.program.post(f"/v2/users/me/{kind}", json=wanted).json()["id"])
        self.act(number, "start")
        self.act(number, "join", host=True)
        for name in guests:
            self.act(number, "join", name=name)
        self.act(number, "leave", participant=guests[0])
        self.act(number, "join", name=guests[0])
        self.act(number, "end")
        return number

    def deliveries(self, meeting: int) -> list[dict[str, Any]]:
        """What Zoom made for its app's subscription about this meeting, the oldest first."""
        listed = self.zoom.get("/deliveries", params={"limit": "1000", "bodies": "1"}).json()["deliveries"]
        return [each for each in reversed(listed) if str(meeting) in each["body"]]

    def redelivered(self, deliveries: list[dict[str, Any]]) -> None:
        """Zoom delivers these late, again and again where the machine is too slow for its three seconds."""
        names = {each["id"] for each in deliveries}

        def missing() -> set[str]:
            listed = self.zoom.get("/deliveries", params={"limit": "1000"}).json()["deliveries"]
            left = {each["id"] for each in listed if each["state"] != "delivered"} & names
            for name in left:
                self.zoom.post(f"/deliveries/{name}/redeliver")
            wait_until_delivered(self.zoom)
            return left

        for name in names:
            self.zoom.post(f"/deliveries/{name}/redeliver")
        wait_until_delivered(self.zoom)
        wait_until("late deliveries", missing, lambda left: not left, progress=self.tries)
        self.drained()

    def tries(self) -> int:
        """How many deliveries Zoom has sent, whether or not they were accepted in time."""
        return int(self.zoom.get("/idle", params={"timeout": 0}).json()["sent"])

    def drained(self) -> None:
        """Zoom has delivered, and the processor has finished."""
        wait_until_delivered(self.zoom)
        wait_until_processed(self.aws("sqs"), self.resource("IngestQueue"))

    def seen(self, meeting: int) -> list[Any]:
        """State, recordings and attendance by the API, in the form of `seen_of`."""
        state, recordings, attendance = (
            self.program.get(f"/meetings/{meeting}/{what}") for what in ("state", "recordings", "attendance")
        )
        assert state.status_code == 200, state.text
        held = [attendance.json()] if attendance.status_code == 200 else []
        return [state.json(), recordings.json().get("meetings"), held]

    def log(self, meeting: int) -> dict[str, str]:
        """Types of the meeting's events by id."""
        page = self.program.get("/events", params={"meeting": str(meeting), "page_size": "300"}).json()
        assert page["next_page_token"] == ""
        return {each["id"]: each["type"].removeprefix("zoom.") for each in page["events"]}


@pytest.fixture(scope="module")
def company(gateway: Any) -> Iterator[Company]:
    who = newcomer(gateway.stack, "events")
    with (
        who.program() as program,
        httpx.Client(base_url=f"{gateway.stack['zoom_url']}/_sim", timeout=CALL_SECONDS) as zoom,
    ):
        yield Company(who, program, zoom)


@pytest.fixture
def silence(company: Company) -> Iterator[Callable[[], None]]:
    """No webhook of meetings, webinars and recordings is delivered; calling it ends that."""
    rules = [
        company.zoom.post("/faults", json={"target": f"webhooks.{name}.*", "effect": "drop"}).json()["id"]
        for name in ("meeting", "webinar", "recording")
    ]

    def end() -> None:
        while rules:
            company.zoom.delete(f"/faults/{rules.pop()}")

    yield end
    end()


def test_reconcile_finds_what_an_outage_swallowed(company: Company, silence: Callable[[], None]) -> None:
    """As if nothing had been: state, recordings, attendance and ids; and late originals change nothing."""
    meeting = company.held("meetings", "Ada", "Grace", type=2, settings={"auto_recording": "cloud"})
    numbers = [meeting, company.held("webinars", "Ada", type=5)]

    def recorded(found: list[dict[str, Any]]) -> bool:
        return any(each["event"] == "recording.completed" for each in found)

    wait_until("the recording's delivery", lambda: company.deliveries(meeting), recorded)
    made = [each for number in numbers for each in company.deliveries(number)]
    silence()
    assert {each["state"] for each in made} == {"dropped"}
    for number in numbers:
        assert company.program.get(f"/meetings/{number}/state").status_code == 404

    reply = company.reconcile(
        action="reconcile", tenant=company.who.tenant, connection_id=company.who.connection, settled_seconds=0
    )
    lost = [each for each in made if each["event"] in FOUND_AGAIN]
    assert reply["outcome"] == "reconciled", reply
    done = (reply["outcome"], reply["complete"], reply["missing"], reply["partial"])
    assert done == ("reconciled", True, len(lost), {})
    company.drained()

    # What no report tells of comes late, as it would from a subscription that was off: then nothing may differ.
    company.redelivered([each for each in made if each["event"] not in FOUND_AGAIN])
    bodies = [each["body"].encode() for each in made]
    room = Room(Clock(time.time()), Seen(zoom_user_id=company.who.zoom_user))
    room.deliver(bodies)
    source = source_of(str(company.who.stack["zoom_client_id"]))
    ids = {event_id(source, company.who.tenant, dedupe_key(parse(body))): name_of(body) for body in bodies}
    found = {number: (company.seen(number), company.log(number)) for number in numbers}
    for number, (seen, _) in found.items():
        expected = reported(seen_of(room, number), administrator=False)
        assert reported(seen, administrator=False) == expected
    assert {name: kind for _, log in found.values() for name, kind in log.items()} == ids
    marked = [company.program.get(f"/events/{name}").json() for name, kind in ids.items() if kind in FOUND_AGAIN]
    assert [each.get("reconciled") for each in marked] == [True] * len(lost)

    company.redelivered(lost)
    assert {number: (company.seen(number), company.log(number)) for number in numbers} == found

    later = {"settled_seconds": 0, "at": time.time() + 3 * 3600}
    settled = company.reconcile(
        action="reconcile", tenant=company.who.tenant, connection_id=company.who.connection, **later
    )
    assert (settled["missing"], settled["settled"]) == (0, len(numbers))
    listed = company.program.get("/events", params={"type": "attendance.settled"}).json()["events"]
    assert {each["subject"] for each in listed} == {f"meetings/{numbers[0]}", f"webinars/{numbers[1]}"}
    for each in listed:
        data = company.program.get(each["dataref"]).json()["data"]
        assert (data["report"], len(data["instances_used"])) == ({"status": "agrees", "differences": []}, 1)


def test_it_shows_whether_webhooks_come(company: Company) -> None:
    """Challenge, deliveries, refusals and the secrets' age, to the tenant, an hour or a minute old at most."""
    forged = httpx.post(
        str(company.who.stack["webhook_url"]),
        content=b'{"event":"meeting.started"}',
        headers={"x-zm-signature": "v0=" + "0" * 64, "x-zm-request-timestamp": str(int(time.time()))},
        timeout=CALL_SECONDS,
    )
    assert forged.status_code == 401
    subscriptions = company.zoom.get("/subscriptions").json()["subscriptions"]
    subscription = next(each for each in subscriptions if each["url"] == company.who.stack["webhook_url"])
    assert company.zoom.post(f"/subscriptions/{subscription['id']}/challenge").json()["valid"]
    company.zoom.post(f"/users/{company.who.email}/sign-in", json={})
    company.drained()
    assert company.reconcile(action="webhook_health")["apps"] >= 1

    answer = company.program.get("/webhooks")
    assert answer.status_code == 200, answer.text
    [shown] = answer.json()["connections"]
    assert (shown["id"], shown["zoom_client_id"]) == (
        company.who.connection,
        company.who.stack["zoom_client_id"],
    )
    for what in ("webhook", "verified", "challenge"):
        assert 0 <= shown[f"last_{what}_age_seconds"] <= 3600, what
    assert shown["challenge_overdue"] is False
    assert shown["secrets"]
    assert all(each["age_seconds"] >= 0 for each in shown["secrets"])
    refused = {each["reason"]: each["last_rejected_age_seconds"] for each in answer.json()["rejections"]}
    assert 0 <= refused["wrong_signature"] <= 3600
    assert str(company.who.stack["webhook_secret"]) not in answer.text
