"""`make proof`: checks on the deployed stack that nothing is lost or doubled, while workers are killed.

Thousands of deliveries, with duplicates, out of order, forged and stale, are sent to the running gateway's webhook.
Meanwhile processes of the event processor are killed at random. In the end the published ids must be exactly those of
the genuine events, and so must the ids in the event log. The exit status is 1 when they are not.

The events are those of a tenant that nothing else uses, and come out of a queue that nothing else reads (a subscriber,
which is removed afterwards). So every event of that tenant counts, and no other event does.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from dev.newcomer import Newcomer, newcomer
from ops import subscriber
from ops.console import moving, say
from ops.deployed import Deployed, add_arguments, deployed
from ops.key_table import NoStack, local_stack
from zoom_common.events.bus import event_id, source_of
from zoom_common.zoom.event_keys import dedupe_key
from zoom_common.zoom.events import parse

NAMES = (
    "meeting.updated",
    "meeting.started",
    "meeting.participant_joined",
    "recording.completed",
    "user.deactivated",
    "meeting.invented_yesterday",
)
_SENDERS = 8
_TRIES = 20


@dataclass(frozen=True)
class Delivery:
    """A delivery to send. `genuine` ones have to be published, and all others must not be."""

    body: bytes = field(repr=False)
    genuine: bool = True
    secret: str = field(default="", repr=False)
    age: int = 0


@dataclass
class Outcome:
    """The counted results. `published` has digests of every published copy, by id."""

    answers: Counter[tuple[bool, int]] = field(default_factory=Counter)
    published: dict[str, list[str]] = field(default_factory=dict)
    logged: set[str] = field(default_factory=set)
    sent: int = 0
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    """Run the proof against the local stack and print the numbers."""
    parser = argparse.ArgumentParser(prog="python -m dev.proof", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kill-every", type=float, default=8.0, help="seconds between two kills")
    parser.add_argument("--kill-minutes", type=float, default=5, help="how long workers are killed")
    parser.add_argument("--minutes", type=float, default=30, help="how long to wait for the last event")
    add_arguments(parser)
    arguments = parser.parse_args()
    try:
        facts, stack = local_stack(arguments.stack_file), deployed(arguments)
    except NoStack as problem:
        say(str(problem))
        return 1
    somebody = newcomer(facts, "proof")
    queue = subscriber.add(stack, somebody.tenant, somebody.tenant, [])["QueueUrl"]
    try:
        return _prove(arguments, stack, somebody, queue)
    finally:
        subscriber.remove(stack, somebody.tenant)


def _prove(arguments: argparse.Namespace, stack: Deployed, somebody: Newcomer, queue_url: str) -> int:
    chance = random.Random(arguments.seed)
    deliveries = list(_deliveries(arguments.deliveries, chance, somebody))
    expected = _ids(somebody, [each.body for each in deliveries if each.genuine])
    say(f"{len(deliveries)} deliveries of {len(expected)} events, seed {arguments.seed}.")
    outcome, done, source = Outcome(), threading.Event(), source_of(str(somebody.stack["zoom_client_id"]))
    sqs = stack.client("sqs")
    helpers = [
        threading.Thread(target=_read, args=(sqs, queue_url, source, outcome, done)),
        threading.Thread(target=_kill, args=(arguments, chance, outcome, done)),
    ]
    for helper in helpers:
        helper.start()
    began = time.monotonic()
    end = began + arguments.minutes * 60
    try:
        with moving(lambda: _state(outcome, len(deliveries), len(expected), time.monotonic() - began)):
            _send_all(deliveries, str(somebody.stack["webhook_url"]), outcome)
            say(f"Sent in {time.monotonic() - began:.0f} s; {outcome.kills} workers killed so far. Waiting.")
            while expected - outcome.published.keys() and time.monotonic() < end:
                time.sleep(1)
            # An event that must not be published would come out by now, with the last messages under way.
            while _under_way(sqs, (stack.resource("IngestQueue"), queue_url)) and time.monotonic() < end:
                time.sleep(1)
            outcome.logged = _logged(somebody)
    finally:
        done.set()
        for helper in helpers:
            helper.join()
    return _report(deliveries, expected, _of_the_simulator(somebody), outcome, time.monotonic() - began)


def _state(outcome: Outcome, deliveries: int, events: int, seconds: float) -> str:
    """Return the state of the proof as one line of a terminal."""
    return (
        f"  {seconds:.0f} s: {outcome.sent} of {deliveries} sent, {len(outcome.published)} of {events} events out, "
        f"{outcome.kills} workers killed"
    )


def _deliveries(number: int, chance: random.Random, somebody: Newcomer) -> Iterator[Delivery]:
    """Yield 70 % genuine events, 20 % of them again, 6 % forged and 4 % too old ones, all out of order."""
    run, user, secret = somebody.tenant, somebody.zoom_user, str(somebody.stack["webhook_secret"])
    events = [_body(run, at, user) for at in range(number * 70 // 100)]
    found = [Delivery(body, secret=secret) for body in events]
    found += [Delivery(_twin(chance.choice(events), chance), secret=secret) for _ in range(number * 20 // 100)]
    forged = number * 6 // 100
    found += [Delivery(_body(f"forged-{run}", at, user), genuine=False, secret="guessed") for at in range(forged)]
    stale = number - len(found)
    found += [Delivery(_body(f"stale-{run}", at, user), genuine=False, secret=secret, age=6_000) for at in range(stale)]
    chance.shuffle(found)
    yield from found


def _body(run: str, at: int, user: str) -> bytes:
    name, stamp = NAMES[at % len(NAMES)], int(time.time() * 1000) - at * 7
    about: dict[str, Any] = {"id": 80_000_000 + at % 400, "uuid": f"{run}/{at}==", "host_id": user, "topic": f"T {at}"}
    match name:
        case "meeting.participant_joined":
            about |= {"id": str(about["id"]), "start_time": "2026-01-01T10:00:00Z"}
            about["participant"] = {"user_id": str(at), "user_name": "Ä", "join_time": "2026-01-01T10:00:00Z"}
        case "recording.completed":
            about["recording_files"] = [{"id": f"{run}-{at}", "file_type": "MP4", "download_url": "https://x/?t=1"}]
        case "user.deactivated":
            about = {"id": user, "email": f"{run}-{at}@zoom.example"}
    body = {"event": name, "event_ts": stamp, "payload": {"account_id": "a", "object": about}}
    return json.dumps(body, ensure_ascii=bool(at % 2)).encode()


def _twin(body: bytes, chance: random.Random) -> bytes:
    """Return the same event delivered again: unchanged, or with the parts that Zoom makes anew."""
    if chance.random() < 1 / 2:
        return body
    return json.dumps({**json.loads(body), "download_token": f"{chance.getrandbits(60):x}"}).encode()


def _ids(somebody: Newcomer, bodies: Sequence[bytes]) -> set[str]:
    source = source_of(str(somebody.stack["zoom_client_id"]))
    return {event_id(source, somebody.tenant, dedupe_key(parse(body))) for body in bodies}


def _of_the_simulator(somebody: Newcomer) -> set[str]:
    """Return the ids of the simulated Zoom's own events about this person, in case some are routed here."""
    asked = {"bodies": "1", "limit": "1000"}
    listed = httpx.get(f"{somebody.stack['zoom_url']}/_sim/deliveries", params=asked, timeout=60).json()["deliveries"]
    return _ids(somebody, [each["body"].encode() for each in listed if somebody.zoom_user in each["body"]])


def _logged(somebody: Newcomer) -> set[str]:
    """Return the ids of every event in the tenant's log that Zoom's app delivered."""
    found, token = set(), ""
    with somebody.program() as program:
        while True:
            answer = program.get("/events", params={"page_size": "300", "next_page_token": token})
            answer.raise_for_status()
            page = answer.json()
            found |= {each["id"] for each in page["events"] if each["type"].startswith("zoom.")}
            token = page["next_page_token"]
            if not token:
                return found


def _under_way(sqs: Any, urls: Sequence[str]) -> int:
    """Return how many messages wait in these queues, or are being processed."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = (sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls)
    return sum(int(number) for each in counts for number in each.values())


def _send_all(deliveries: Sequence[Delivery], url: str, outcome: Outcome) -> None:
    with httpx.Client(timeout=30, limits=httpx.Limits(max_connections=_SENDERS)) as client:

        def send(delivery: Delivery) -> None:
            for _ in range(_TRIES):  # As Zoom does, without its pauses: after a 5xx the delivery is sent again.
                status = _send(client, url, delivery)
                with outcome.lock:
                    outcome.answers[delivery.genuine, status] += 1
                if status < httpx.codes.INTERNAL_SERVER_ERROR:
                    return
                time.sleep(0.5)

        with ThreadPoolExecutor(_SENDERS) as pool:
            for at, _ in enumerate(pool.map(send, deliveries), 1):
                outcome.sent = at
                if at % 500 == 0:
                    say(f"  {at} sent, {len(outcome.published)} out, {outcome.kills} workers killed")


def _send(client: httpx.Client, url: str, delivery: Delivery) -> int:
    stamp = str(int(time.time()) - delivery.age)
    digest = hmac.new(delivery.secret.encode(), f"v0:{stamp}:".encode() + delivery.body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-zm-request-timestamp": stamp,
        "x-zm-signature": f"v0={digest}",
    }
    try:
        return client.post(url, content=delivery.body, headers=headers).status_code
    except httpx.HTTPError:
        return 599


def _read(sqs: Any, url: str, source: str, outcome: Outcome, done: threading.Event) -> None:
    """Take every event of the tenant off its queue, and count those with Zoom's app as their source."""
    while not done.is_set():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for message in messages:
            event = json.loads(message["Body"])
            if event["source"] == source:
                digest = hashlib.sha256(message["Body"].encode()).hexdigest()
                outcome.published.setdefault(event["id"], []).append(digest)
        if messages:
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def _kill(arguments: argparse.Namespace, chance: random.Random, outcome: Outcome, done: threading.Event) -> None:
    """Kill processes of the event processor, one after another and without warning, for some minutes."""
    place = str((arguments.stack_file.parent / "emulator-tmp").resolve())
    until = time.monotonic() + arguments.kill_minutes * 60
    while time.monotonic() < until and not done.wait(arguments.kill_every * chance.uniform(0.5, 1.5)):
        workers = list(_workers(place))
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
            outcome.kills += 1


def _workers(place: str) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if place in command and "EventProcessorFunction" in command and command.rstrip("\0").endswith("_worker.py"):
            yield int(process.name)


def _report(
    deliveries: Sequence[Delivery], expected: set[str], simulator: set[str], outcome: Outcome, seconds: float
) -> int:
    published = outcome.published
    lost, foreign = expected - published.keys(), published.keys() - expected - simulator
    logged_wrong = (outcome.logged - simulator) ^ expected
    again = {name: copies for name, copies in published.items() if len(copies) > 1}
    changed = [name for name, copies in again.items() if len(set(copies)) > 1]
    answers = ", ".join(f"{status} {'genuine' if genuine else 'not genuine'}: {count}"
                        for (genuine, status), count in sorted(outcome.answers.items()))  # fmt: skip
    say(f"{len(deliveries)} deliveries in {seconds:.0f} s; answers: {answers}")
    say(f"{outcome.kills} workers killed")
    say(f"{len(expected)} genuine events; {len(published.keys() & expected)} of them came out, {len(again)} repeatedly")
    say(f"lost: {len(lost)}; not genuine: {len(foreign)}; in the log too few or too many: {len(logged_wrong)}; "
        f"repeated with another content: {len(changed)}")  # fmt: skip
    exact = not (lost or foreign or logged_wrong or changed)
    say("Exact." if exact else "NOT exact.")
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
