"""`zoom-simulator do ...`: drive a simulated Zoom that runs, through its control API."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from zoom_simulator.scenarios.actions import ACTIONS

READ = {
    "state",
    "users",
    "grants",
    "meetings",
    "subscriptions",
    "deliveries",
    "events",
    "faults",
    "behaviour",
    "crowds",
    "clock",
}
CHANGED = {"clock", "behaviour"}  # these are changed when they are given values, others are narrowed
EXAMPLES = """
examples:
  do meetings                                  what there is: state users grants meetings subscriptions
                                               deliveries events faults behaviour crowds clock
  do deliveries state=failed limit=5
  do schedule topic=Demo user=jill@zoom.example auto_recording=cloud
  do start 81234567890                         start join admit hold leave share unshare breakout return role
  do join 81234567890 name=Guest               record pause-recording resume-recording stop-recording register
  do leave 81234567890 participant=Guest       approve deny cancel chat alert end
  do fault 429 target=meetings.create count=2  a preset or an effect; `do faults` lists them
  do clear-faults
  do revoke jill@zoom.example                  or deauthorize, expire, sign-in, sign-out, accept,
                                               sign-out-everywhere, change-password
  do clock advance=3600                        or rate=60, set=2026-12-01T10:00:00Z
  do behaviour retry_scale=0.001
  do crowd seed=7 steps_per_minute=6000 seconds=30
  do script story.json                         {"steps": [{"at": 0, "action": "schedule", "as": "m"}, ...]}
  do event meeting.summary_completed           any event type by name; `do events` lists them
  do event app.custom payload='{"a": 1}'
  do redeliver DELIVERY
  do challenge SUBSCRIPTION
"""
PEOPLE = {"revoke", "deauthorize", "expire", "sign-in", "sign-out", "sign-out-everywhere", "change-password", "accept"}


def main(arguments: list[str]) -> int:
    """Run one command; the exit status says whether the simulator did it."""
    parser = argparse.ArgumentParser(
        prog="zoom-simulator do",
        description="Drive a simulated Zoom that runs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", default="http://localhost:3001", help="where it runs")
    parser.add_argument("command")
    parser.add_argument("words", nargs="*", metavar="WORD or NAME=VALUE")
    options = parser.parse_args(arguments)
    try:
        method, path, body = request_for(options.command, options.words)
        answer = httpx.request(method, options.url + path, json=body, timeout=30)
    except (ValueError, OSError) as problem:
        print(f"cannot do that: {problem}", file=sys.stderr)
        return 2
    except httpx.HTTPError as problem:
        print(f"no simulated Zoom at {options.url}: {problem}", file=sys.stderr)
        return 2
    print(json.dumps(answer.json(), indent=2, ensure_ascii=False))
    return 0 if answer.is_success else 1


def request_for(command: str, words: list[str]) -> tuple[str, str, dict[str, Any] | None]:
    """The control request of a command: method, path and body. ValueError for commands there are none of."""
    named = command in PEOPLE | set(ACTIONS) | {"fault", "event", "script", "redeliver", "challenge"}
    if named and not words:
        raise ValueError(f"{command} needs to know which")
    plain, rest = (words[:1], words[1:]) if named else ([], words)  # a UUID may well hold a "="
    values = {name: _value(text) for name, found, text in (word.partition("=") for word in rest) if found}
    if command in ACTIONS:
        return "POST", f"/_sim/meetings/{_quoted(plain[0])}/{command}", values
    if command in PEOPLE:
        return "POST", f"/_sim/users/{plain[0]}/{command}", values
    if command in READ and not (values and command in CHANGED):
        return "GET", f"/_sim/{command}" + (f"?{urlencode(values)}" if values else ""), None
    if command == "script":
        return "POST", "/_sim/scripts", json.loads(Path(plain[0]).read_text())
    return _other(command, plain, values)


def _other(command: str, plain: list[str], values: dict[str, Any]) -> tuple[str, str, dict[str, Any] | None]:
    first = plain[0] if plain else ""
    table: dict[str, tuple[str, str, dict[str, Any] | None]] = {
        "schedule": ("POST", "/_sim/meetings", values),
        "clock": ("POST", "/_sim/clock", values),
        "behaviour": ("PATCH", "/_sim/behaviour", values),
        "crowd": ("POST", "/_sim/crowds", values),
        "stop-crowds": ("DELETE", "/_sim/crowds", None),
        "fault": ("POST", "/_sim/faults", {"fault": first, **values}),
        "clear-faults": ("DELETE", "/_sim/faults", None),
        "reset-limits": ("DELETE", "/_sim/limits", None),
        "event": ("POST", "/_sim/events", {"event": first, **values}),
        "redeliver": ("POST", f"/_sim/deliveries/{_quoted(first)}/redeliver", None),
        "release": ("POST", "/_sim/deliveries/release", None),
        "challenge": ("POST", f"/_sim/subscriptions/{first}/challenge", None),
        "add-user": ("POST", "/_sim/users", values),
        "subscribe": ("POST", "/_sim/subscriptions", values),
        "save": ("POST", "/_sim/save", None),
    }
    if command not in table:
        raise ValueError(f"no such command: {command}")
    return table[command]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _quoted(text: str) -> str:
    return quote(text, safe="")
