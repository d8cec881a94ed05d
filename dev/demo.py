"""`make demo`: runs the whole story against the running gateway, step by step. Exit status 1 when a step fails."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from dev.event_queue import EventQueue, event_queue
from dev.waiting import Stalled, wait_until
from ops.console import moving, say
from ops.key_table import NoStack, local_stack
from ops.project import ROOT

PERSON = "jill@zoom.example"
# The events of one meeting's life that must come out of the queue, each at least this many times.
EXPECTED = {
    "zoom.meeting.created": 1,
    "zoom.meeting.updated": 1,
    "zoom.meeting.started": 1,
    "zoom.meeting.participant_joined": 3,
    "zoom.meeting.participant_left": 3,
    "zoom.meeting.ended": 1,
    "zoom.recording.completed": 1,
    "zoom.meeting.deleted": 1,
}


class Wrong(Exception):
    """A step had another result than expected."""


@dataclass(slots=True)
class Story:
    """One run of the story against the stack described by `stack`."""

    stack: Mapping[str, str]
    program: httpx.Client = field(init=False)
    browser: httpx.Client = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        key = {"Authorization": f"Bearer {self.stack['api_key']}"}
        self.program = httpx.Client(base_url=self.stack["api_url"], headers=key, timeout=100)
        self.browser = httpx.Client(timeout=100)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.close()
        self.browser.close()

    def run(self) -> None:
        """Run every step in order. Raises Wrong at the first that fails, and NoStack when the stack has stopped."""
        with event_queue(self.stack, "demo") as queue:
            with self.step("A person connects a Zoom account through the consent page"):
                self.program.headers["X-Zoom-Connection"] = self.connect()
            with self.step("A program creates, reads, lists and updates a meeting"):
                meeting = self.manage_meeting()
            with self.step("The meeting starts, people join and leave, it ends, a recording completes"):
                self.hold_meeting(meeting)
            with self.step("The program deletes the meeting"):
                expect(self.program.delete(f"/v2/meetings/{meeting}"), 204)
                gone = expect(self.program.get(f"/v2/meetings/{meeting}"), 404)
                check(gone.json()["code"] == 3001, "a deleted meeting reads as code 3001")  # noqa: PLR2004
            with self.step("Zoom's signed webhooks have arrived, and the events come out of a consumer's queue"):
                self.read_events(queue, meeting)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a numbered step and, on a terminal, the seconds that it takes."""
        self.steps += 1
        say(f"\n{self.steps}. {title}")
        started = time.monotonic()
        with moving(lambda: f"   {time.monotonic() - started:.0f} s ..."):
            yield

    def keep_recordings(self) -> None:
        """Turn the archive on if the stack has it, so that the recording of the story is archived."""
        if self.program.put("/archive/policy", json={}).is_success:
            show("recordings are archived from now on; people see them at", f"{self.stack['web_url']}archive")

    def check_rows(self) -> None:
        """Check three rows in bulk if the stack has jobs. One of them is wrong, and nothing is made."""
        rows = [{"topic": "Standup"}, {"topic": "Review", "duration": 45}, {"topic": "Retrospective", "type": 77}]
        made = self.program.post("/jobs", json={"operation": "meetings.create", "dry_run": True, "rows": rows})
        if made.is_success:
            show("three rows are checked in bulk; people see it at", f"{self.stack['web_url']}jobs/{made.json()['id']}")

    def connect(self, person: str | None = None) -> str:
        """Do the browser's steps of OAuth, as a person clicks through them. Return the connection's id."""
        link = expect(self.program.post("/auth/zoom/authorize", json={}), 201).json()["authorize_url"]
        show("the program asks for a link", link)
        page = expect(self.browser.get(link), 200).text
        ticket = found(re.search(r'name="ticket" value="([^"]+)"', page), "the page carries the ticket")
        to_zoom = expect(self.browser.post(link.partition("?")[0], data={"ticket": ticket}), 303).headers["location"]
        show("the person goes on to Zoom's consent page", to_zoom.partition("?")[0])
        expect(self.browser.get(to_zoom), 200)
        asked = dict(parse_qsl(urlsplit(to_zoom).query))
        check(asked["code_challenge_method"] == "S256", "PKCE with S256 is asked for")
        consent = {**asked, "decision": "allow", "user": person or PERSON}
        back = expect(self.browser.post(to_zoom.partition("?")[0], data=consent), 302).headers["location"]
        show("the person allows it, and Zoom sends the browser back", back.partition("?")[0])
        done = expect(self.browser.get(back, headers={"Accept": "application/json"}), 200).json()
        connection = expect(self.program.post("/auth/zoom/redeem", json={"code": done["code"]}), 200).json()
        check(connection["state"] == "connected", "the redeemed connection is connected")
        show("the program redeems the code", f"connection {connection['id']} is {connection['state']}")
        again = expect(self.program.post("/auth/zoom/redeem", json={"code": done["code"]}), 200).json()
        check(again["id"] == connection["id"], "asking again gives the same connection")
        show("the code is asked for again", "the same connection")
        return str(connection["id"])

    def manage_meeting(self) -> int:
        """Create, read, list and update a meeting. Return its id."""
        wanted = {
            "topic": "Quarterly review \u2014 \u00dcbersicht",
            "type": 2,
            "start_time": "2030-01-07T10:00:00Z",
            "duration": 45,
            "settings": {"auto_recording": "cloud"},
        }
        created = expect(self.program.post("/v2/users/me/meetings", json=wanted), 201).json()
        meeting = int(created["id"])
        check(created["topic"] == wanted["topic"], "the topic arrives as it was sent")
        show("POST /v2/users/me/meetings", f"201, meeting {meeting}")
        read = expect(self.program.get(f"/v2/meetings/{meeting}"), 200).json()
        check(read["duration"] == 45, "the meeting reads as it was created")  # noqa: PLR2004
        show(f"GET /v2/meetings/{meeting}", "200")
        listed = expect(self.program.get("/v2/users/me/meetings", params={"page_size": 300}), 200).json()["meetings"]
        check(meeting in {each["id"] for each in listed}, "the list has it")
        show("GET /v2/users/me/meetings", f"200, {len(listed)} in the list")
        expect(self.program.patch(f"/v2/meetings/{meeting}", json={"topic": "Quarterly review", "duration": 30}), 204)
        changed = expect(self.program.get(f"/v2/meetings/{meeting}"), 200).json()
        check((changed["topic"], changed["duration"]) == ("Quarterly review", 30), "the change is there")
        show(f"PATCH /v2/meetings/{meeting}", "204")
        refused = expect(self.program.post("/v2/users/me/meetings", json={"type": 77}), 400).json()
        check(refused["code"] == 300 and refused["errors"][0]["field"] == "type", "a bad type is named")  # noqa: PLR2004
        show("an impossible meeting is refused before it costs quota", json.dumps(refused["errors"][0]))
        return meeting

    def hold_meeting(self, meeting: int) -> None:
        """Hold the meeting with three people in the simulated Zoom."""
        life = f"{self.stack['zoom_url']}/_sim/meetings/{meeting}"
        expect(self.browser.post(f"{life}/start"), 200)
        for person in ({"host": True}, {"name": "Ada"}, {"name": "Grace"}):
            expect(self.browser.post(f"{life}/join", json=person), 200)
        show("in the meeting", "the host, Ada, Grace")
        for name in ("Ada", "Grace"):
            expect(self.browser.post(f"{life}/leave", json={"participant": name}), 200)
        expect(self.browser.post(f"{life}/end"), 200)
        show("ended", "the recording is being processed")
        expect(self.browser.get(f"{self.stack['zoom_url']}/_sim/idle", params={"timeout": 30}), 200)

    def read_events(self, queue: EventQueue, meeting: int) -> None:
        """Read the demo's own queue until every event of the meeting's life has come out, each once."""
        seen: dict[str, dict[str, Any]] = {}

        def missing() -> list[str]:
            for event in queue.receive(wait=2):
                if not _is_about(event, meeting):
                    continue
                check(event["id"] not in seen, f"{event['type']} comes out once")
                check(event["tenant"] == self.stack["tenant"], "the event names its tenant")
                seen[event["id"]] = event
                show(event["time"], event["type"])
            return sorted(_missing(seen.values()))

        try:
            wait_until("the queue to give everything", missing, lambda left: not left)
        except Stalled as stalled:
            raise Wrong(f"{stalled} were missing") from None


def expect(response: httpx.Response, status: int) -> httpx.Response:
    """Return the response if it has this status. Raises Wrong."""
    if response.status_code != status:
        request = response.request
        raise Wrong(f"{request.method} {request.url.path} answered {response.status_code}: {response.text[:300]}")
    return response


def check(outcome: bool, promise: str) -> None:  # noqa: FBT001 -- reads as a sentence
    """Raise Wrong unless the outcome is true."""
    if not outcome:
        raise Wrong(f"not true: {promise}")


def found(match: re.Match[str] | None, promise: str) -> str:
    """Return the first group of a match. Raises Wrong without a match."""
    if match is None:
        raise Wrong(f"not true: {promise}")
    return match.group(1)


def show(what: str, outcome: str) -> None:
    """Print one line of the story."""
    say(f"   {what}: {outcome}")


def _is_about(event: Mapping[str, Any], meeting: int) -> bool:
    return str(event["data"].get("payload", {}).get("object", {}).get("id")) == str(meeting)


def _missing(events: Any) -> set[str]:
    types = [event["type"] for event in events]
    return {name for name, times in EXPECTED.items() if types.count(name) < times}


def main() -> int:
    """Run the story against the stack in `.local/stack.json`, or the file named as the first argument."""
    folder = sys.argv[1] if len(sys.argv) > 1 else ".local"
    try:
        with Story(local_stack(ROOT / folder / "stack.json")) as story:
            story.keep_recordings()
            story.run()
            story.check_rows()
    except NoStack as problem:
        say(str(problem))
        return 1
    except (Wrong, httpx.HTTPError) as problem:
        say(f"\nThe story went wrong: {problem}")
        return 1
    say("\nThe whole story is true.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
