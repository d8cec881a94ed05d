"""Faults on demand: rules that match an operation, and their effects on it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

REQUEST_EFFECTS = {
    "status": "answer with `status`, `code`, `message` or `body` instead of doing anything",
    "delay": "wait `seconds`, then go on as usual",
    "hang": "never answer; the connection is closed after `seconds`",
    "reset": "close the connection before anything happens",
    "lost_response": "do it, then close the connection instead of answering",
    "late_status": "do it, then answer with `status` instead of the result",
    "truncate": "do it, then send half of the answer and close the connection",
    "revoke": "end the grant behind the token first, so that the request is refused",
    "deauthorize": "the same, with `app_deauthorized`, as if the person had removed the app just then",
    "html": "answer with an HTML page and `status` instead of doing anything",
    "not_json": "do it, then answer 200 with a body that is not JSON",
    "cut": "send `bytes` of a recording's file, then close the connection",
    "ignore_range": "answer 200 with a whole file where a range was asked for",
    "short": "serve the first `bytes` of a recording's file as if they were all",
}
DELIVERY_EFFECTS = {
    "duplicate": "deliver it twice, same body and same request id",
    "reorder": "hold it back until the next delivery of the subscription has gone out",
    "late": "hold it back for `seconds`",
    "forge": "deliver a tampered copy with a bad signature as well",
    "stale": "deliver a copy as well that was signed `seconds` ago (default: two hours)",
    "drop": "never deliver it",
}
PRESETS: dict[str, dict[str, Any]] = {
    "429": {"effect": "status", "status": 429, "code": 429, "message": "You have reached the maximum per-second rate "
            "limit for this API. Try again later."},
    "500": {"effect": "status", "status": 500, "code": 500, "message": "Internal Server Error."},
    "502": {"effect": "html", "status": 502},
    "503": {"effect": "status", "status": 503, "code": 503, "message": "Service Unavailable."},
    "504": {"effect": "html", "status": 504},
    "slow": {"effect": "delay", "seconds": 5.0},
    "timeout": {"effect": "hang", "seconds": 60.0},
    "expired_token": {"effect": "status", "status": 401, "code": 124, "message": "Access token is expired."},
    "invalid_grant": {"target": "oauth.token*", "effect": "status", "status": 400,
                      "body": '{"reason":"Invalid Token!","error":"invalid_grant"}'},
    "lost_response": {"effect": "lost_response"},
    "stale": {"effect": "stale", "seconds": 7200.0},
    "late": {"effect": "late", "seconds": 60.0},
    "link_ended": {"target": "recordings.download.file", "effect": "status", "status": 403,
                   "body": "<Error><Code>AccessDenied</Code></Error>"},
    "forbidden_json": {"target": "recordings.download", "effect": "status", "status": 200,
                       "body": '{"status":false,"errorCode":124,"errorMessage":"Forbidden"}'},
    "sign_in_page": {"target": "recordings.download", "effect": "html", "status": 200},
    "cut": {"target": "recordings.download.file", "effect": "cut", "bytes": 100_000},
    "ignore_range": {"target": "recordings.download.file", "effect": "ignore_range"},
    "short": {"target": "recordings.download.file", "effect": "short", "bytes": 14_000},
}  # fmt: skip


@dataclass
class Rule:
    """One fault. `target` is a pattern over operation names.

    `meetings.create`, `oauth.token.refresh`, `webhooks.meeting.started`, `users.*`, `*` for every request and
    `webhooks.*` for every delivery.
    """

    id: str
    target: str
    effect: str
    user: str = ""  # only what this person's grants do (id or e-mail address); empty: everybody's
    status: int = 500
    code: int = 0
    message: str = ""
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 5.0
    bytes: int = 14_000
    count: int | None = None  # how often it fires; None: until it is removed
    skip: int = 0  # how many matches pass without effect first
    probability: float = 1.0
    seed: int | None = None
    seen: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def concerns(self, names: tuple[str, ...], people: tuple[str, ...]) -> bool:
        """Return whether a request or delivery with these names, for these people, matches."""
        return (not self.user or self.user in people) and any(fnmatchcase(name, self.target) for name in names)

    def strikes(self) -> bool:
        """Count a match, and return whether the fault takes effect on it."""
        self.seen += 1
        if self.seen <= self.skip or (self.count is not None and self.fired >= self.count):
            return False
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def spent(self) -> bool:
        """Return whether the rule is used up."""
        return self.count is not None and self.fired >= self.count

    def as_dict(self) -> dict[str, Any]:
        """The rule with its counters."""
        return asdict(self)


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self._next = 1

    def add(self, wanted: dict[str, Any]) -> Rule:
        """Put a rule in force. `fault` names a preset; every other key overrides it. ValueError says what is wrong."""
        values = dict(wanted)
        preset = str(values.pop("fault", ""))
        if preset in PRESETS:
            values = {**PRESETS[preset], **values}
        elif preset:
            values.setdefault("effect", preset)
        effect = values.get("effect", "")
        if effect not in REQUEST_EFFECTS and effect not in DELIVERY_EFFECTS:
            raise ValueError(f"no such fault: {effect or preset}")
        values.setdefault("target", "webhooks.*" if effect in DELIVERY_EFFECTS else "*")
        unknown = set(values) - {each.name for each in fields(Rule)}
        if unknown:
            raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
        if values.get("user") and effect in DELIVERY_EFFECTS:
            raise ValueError("user selects requests; a delivery has no user")
        values["id"] = str(self._next)
        self._next += 1
        rule = Rule(**values)
        self.rules[rule.id] = rule
        return rule

    def remove(self, rule_id: str) -> bool:
        """Take one rule out of force."""
        return self.rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Take all rules out of force."""
        self.rules.clear()

    def strike_request(self, *names: str, people: Callable[[], tuple[str, ...]] = tuple) -> list[Rule]:
        """Return the rules that take effect on a request. The request and its user may have several names each."""
        return list(self._strike(REQUEST_EFFECTS, names, people())) if self.rules else []

    def strike_delivery(self, event: str) -> list[Rule]:
        """Return the rules that take effect on a delivery."""
        return list(self._strike(DELIVERY_EFFECTS, (f"webhooks.{event}",), ())) if self.rules else []

    def _strike(self, effects: dict[str, str], names: tuple[str, ...], people: tuple[str, ...]) -> Iterator[Rule]:
        for rule in list(self.rules.values()):
            if rule.effect in effects and rule.concerns(names, people) and rule.strikes():
                yield rule


def numbers(values: dict[str, Any]) -> dict[str, Any]:
    """A rule's fields with numbers where forms and command lines have text."""
    wanted = {
        "status": int,
        "code": int,
        "count": int,
        "skip": int,
        "seed": int,
        "bytes": int,
        "seconds": float,
        "probability": float,
    }
    return {
        name: wanted[name](value) if name in wanted and isinstance(value, str) else value
        for name, value in values.items()
    }
