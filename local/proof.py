"""`make proof`: nothing lost, nothing twice, on the deployed stack, while workers are killed.

Thousands of deliveries, with duplicates, out of order, forged and stale, go to the running gateway's webhook. Meanwhile
processes of the event processor are killed at random. In the end the ids that came out of the integration queue must be
those of the genuine events, exactly. Exit status 1 when they are not.
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

from local.console import say
from local.demo import Story
from local.deployed import add_arguments, deployed
from local.key_table import local_stack
from zoom_common.events.envelope import event_id, source_of
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
    """What is sent. `genuine` ones have to come out; all others must not."""

    body: bytes = field(repr=False)
    genuine: bool = True
    secret: str = field(default="", repr=False)
    age: int = 0


@dataclass
class Outcome:
    """What happened, as it is counted."""

    answers: Counter[tuple[bool, int]] = field(default_factory=Counter)
    published: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    """Run the proof against the local stack and print the numbers."""
    parser = argparse.ArgumentParser(prog="python -m local.proof", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kill-every", type=float, default=8.0, help="seconds between two kills")
    parser.add_argument("--kill-minutes", type=float, default=5, help="how long workers are killed")
    parser.add_argument("--minutes", type=float, default=30, help="how long to wait for the last event")
    add_arguments(parser)
    arguments = parser.parse_args()
    stack = local_stack(arguments.stack_file)
    chance = random.Random(arguments.seed)
    with Story(stack) as story:
        connection = story.connect()
        user = story.program.get(f"/connections/{connection}").json()["zoom_user_id"]
    run = f"proof-{time.time_ns():x}"
    deliveries = list(_deliveries(arguments.deliveries, chance, run, user, str(stack["webhook_secret"])))
    expected = _expected(deliveries, str(stack["zoom_client_id"]), str(stack["tenant"]))
    say(f"{len(deliveries)} deliveries of {len(expected)} events, seed {arguments.seed}.")
    outcome, done = Outcome(), threading.Event()
    queue = deployed(arguments).client("sqs")
    helpers = [
        threading.Thread(target=_read, args=(queue, stack["integration_queue_url"], run, outcome, done)),
        threading.Thread(target=_kill, args=(arguments, chance, outcome, done)),
    ]
    for helper in helpers:
        helper.start()
    began = time.monotonic()
    try:
        _send_all(deliveries, str(stack["webhook_url"]), outcome)
        say(f"Sent in {time.monotonic() - began:.0f} s; {outcome.kills} workers killed so far. Waiting for the rest.")
        while len(outcome.published.keys() & expected) < len(expected):
            if time.monotonic() - began > arguments.minutes * 60:
                break
            time.sleep(1)
        time.sleep(30)  # what should not come, would come now
    finally:
        done.set()
        for helper in helpers:
            helper.join()
    return _report(deliveries, expected, outcome, time.monotonic() - began)


def _deliveries(number: int, chance: random.Random, run: str, user: str, secret: str) -> Iterator[Delivery]:
    """70 % genuine events, 20 % of them again, 6 % forged, 4 % too old; all out of order."""
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
    """The same event delivered again: as it was, or with what Zoom makes anew."""
    if chance.random() < 1 / 2:
        return body
    return json.dumps({**json.loads(body), "download_token": f"{chance.getrandbits(60):x}"}).encode()


def _expected(deliveries: Sequence[Delivery], app: str, tenant: str) -> set[str]:
    return {event_id(source_of(app), tenant, dedupe_key(parse(each.body))) for each in deliveries if each.genuine}


def _send_all(deliveries: Sequence[Delivery], url: str, outcome: Outcome) -> None:
    with httpx.Client(timeout=30, limits=httpx.Limits(max_connections=_SENDERS)) as client:

        def send(delivery: Delivery) -> None:
            for _ in range(_TRIES):  # as Zoom does, without its pauses: a 5xx comes again
                status = _send(client, url, delivery)
                with outcome.lock:
                    outcome.answers[delivery.genuine, status] += 1
                if status < httpx.codes.INTERNAL_SERVER_ERROR:
                    return
                time.sleep(0.5)

        with ThreadPoolExecutor(_SENDERS) as pool:
            for at, _ in enumerate(pool.map(send, deliveries), 1):
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


def _read(queue: Any, url: str, run: str, outcome: Outcome, done: threading.Event) -> None:
    """Take events off the integration queue and count those of this run, forged and stale ones as well."""
    while not done.is_set():
        answer = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        for message in messages:
            if run in message["Body"]:
                outcome.published[json.loads(message["Body"])["id"]] += 1
        if messages:
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
            queue.delete_message_batch(QueueUrl=url, Entries=entries)


def _kill(arguments: argparse.Namespace, chance: random.Random, outcome: Outcome, done: threading.Event) -> None:
    """Kill one process of the event processor after another, without warning, for some minutes."""
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


def _report(deliveries: Sequence[Delivery], expected: set[str], outcome: Outcome, seconds: float) -> int:
    lost, foreign = expected - outcome.published.keys(), outcome.published.keys() - expected
    again = sum(outcome.published.values()) - len(outcome.published)
    answers = ", ".join(f"{status} {'genuine' if genuine else 'not genuine'}: {count}"
                        for (genuine, status), count in sorted(outcome.answers.items()))  # fmt: skip
    say(f"{len(deliveries)} deliveries in {seconds:.0f} s; answers: {answers}")
    say(f"{outcome.kills} workers killed")
    say(f"{len(expected)} genuine events; {len(outcome.published)} ids came out, {again} of them more than once")
    say(f"lost: {len(lost)}; not genuine: {len(foreign)}")
    return 1 if lost or foreign else 0


if __name__ == "__main__":
    sys.exit(main())
