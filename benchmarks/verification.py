"""Which deliveries each receiver believes: a table of cases, asked of the running functions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import deliveries
from benchmarks.runtime_api import Container, FunctionFailed, running
from benchmarks.variants import Variant

type Sign = Callable[..., bytes]

_HOURS = 3600
_ACCEPTED, _REFUSED, _FAILED = "accepts", "refuses", "fails"


@dataclass(frozen=True, slots=True)
class Case:
    """A delivery, and what a correct receiver does. The event is made with Zoom's or Slack's signature."""

    right: str
    name: str
    event: Callable[[Sign, dict[str, Any]], bytes]


def cases() -> Iterator[Case]:
    """Every case. Genuine ones are signed over the very bytes that arrive."""
    genuine, forged = partial(Case, "accepts"), partial(Case, "refuses")
    yield genuine("plain JSON", lambda sign, value: sign(_dense(value)))
    yield genuine("plain JSON, base64", lambda sign, value: sign(_dense(value), encoded=True))
    yield genuine("UTF-8 text", lambda sign, value: sign(_dense(value | {"note": "Zürich 🚒"})))
    yield genuine("UTF-8 text, base64", lambda sign, value: sign(_dense(value | {"note": "Zürich 🚒"}), encoded=True))
    yield genuine("escapes beside raw text", lambda sign, value: sign(_extended(value, r'"\ud83d\ude92 Zürich"')))
    yield genuine("escaped slashes", lambda sign, value: sign(_extended(value, r'"https:\/\/zoom.us\/j\/1"')))
    yield genuine("white space between tokens", lambda sign, value: sign(json.dumps(value, indent=1).encode()))
    yield genuine("integer beyond 2^53", lambda sign, value: sign(_extended(value, "9007199254740993")))
    yield genuine("1.0 and 1e3", lambda sign, value: sign(_extended(value, "[1.0,1e3]")))
    yield genuine("a key twice", lambda sign, value: sign(_extended(value, '1,"note":2')))
    yield genuine("number-like keys", lambda sign, value: sign(_extended(value, '{"b":1,"2":2,"1":1}')))
    yield genuine("header names in capitals", lambda sign, value: _capitals(sign(_dense(value))))
    yield forged("stamped two hours ago", lambda sign, value: sign(_dense(value), stamp=_ago(2 * _HOURS)))
    yield forged("stamped a year ago", lambda sign, value: sign(_dense(value), stamp=_ago(8760 * _HOURS)))
    yield forged("stamped in an hour", lambda sign, value: sign(_dense(value), stamp=_ago(-_HOURS)))
    yield forged("another secret", lambda sign, value: sign(_dense(value), secret="another"))  # noqa: S106
    yield forged("body changed in white space only", lambda sign, value: _respaced(sign(_dense(value))))
    yield forged("no signature", lambda sign, value: _without(sign(_dense(value)), "-signature"))
    yield forged("no timestamp", lambda sign, value: _without(sign(_dense(value)), "-timestamp"))


def answers(variants: Sequence[Variant]) -> dict[str, dict[str, str]]:
    """By case and variant: accepts, refuses or fails."""
    table: dict[str, dict[str, str]] = {case.name: {} for case in cases()}
    for variant in variants:
        slack = b"x-slack-signature" in variant.next_event()
        sign, value = (deliveries.slack, deliveries.MENTIONED) if slack else (deliveries.zoom, deliveries.STARTED)
        with running(variant.program) as container:
            for case in cases():
                table[case.name][variant.name] = _asked(container, case.event(sign, value))
    return table


def _asked(container: Container, event: bytes) -> str:
    try:
        status = container.invoke(event).value["statusCode"]
    except FunctionFailed:
        return _FAILED
    if status < 300:  # noqa: PLR2004 - HTTP's classes
        return _ACCEPTED
    return _REFUSED if status < 500 else _FAILED  # noqa: PLR2004


def _dense(value: Any) -> bytes:
    return deliveries.compact(value)


def _extended(value: dict[str, Any], note: str) -> bytes:
    """`value` with a field whose JSON text is exactly `note`."""
    return _dense(value)[:-1] + f',"note":{note}}}'.encode()


def _ago(seconds: int) -> int:
    return int(time.time()) - seconds


def _capitals(event: bytes) -> bytes:
    changed = json.loads(event)
    changed["headers"] = {name.title(): value for name, value in changed["headers"].items()}
    return json.dumps(changed).encode()


def _respaced(event: bytes) -> bytes:
    changed = json.loads(event)
    changed["body"] = changed["body"].replace(":", ": ", 1)
    return json.dumps(changed).encode()


def _without(event: bytes, ending: str) -> bytes:
    changed = json.loads(event)
    changed["headers"] = {name: value for name, value in changed["headers"].items() if not name.endswith(ending)}
    return json.dumps(changed).encode()
