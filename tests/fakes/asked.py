"""What the functions ask of AWS: as the emulator recorded it, and in `asked.json`, by the template's own names.

`asked.json` has one request of each shape, a shape being a role, an action, a resource and a kind of partition key. The
end-to-end tests add what is new to it: `UPDATE_ASKED=1 .venv/bin/pytest tests/e2e`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dev.deployed_template import Deployment
from tests.fakes.iam import Request
from zoom_common.erasure.stores import STORES, TableName

FILE = Path(__file__).parents[1] / "template" / "asked.json"
LEADING, ENCLOSING, CONTEXT = "dynamodb:LeadingKeys", "dynamodb:EnclosingOperation", "kms:EncryptionContext:"
_TABLES: dict[str, TableName] = {
    "ConnectionsTable": TableName.CONNECTIONS,
    "EventsTable": TableName.EVENTS,
    "CoordinationTable": TableName.COORDINATION,
}


# The stack that is judged has everything that a stack can have.
OPTIONS = {"Subscriptions": "on", "Jobs": "on", "RecordingArchive": "on"}
# A queue that somebody subscribed, in an account of theirs. The tests have those that `make subscriber` makes.
SUBSCRIBERS_QUEUE, _SUBSCRIBERS_ACCOUNT = "SubscribersQueue", "999999999999"

# Parts of partition keys that are nobody's name.
_WORDS = frozenset({"archive-agenda", "archive-list", "archive-policy", "jobs.active"})


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One request of a role. `resource` is a logical id, with what follows it (`:live`, `/index/due`, `/object`)."""

    role: str
    action: str
    resource: str
    keys: Mapping[str, tuple[str, ...]]

    @property
    def shape(self) -> tuple[str, ...]:
        """What makes it another request than the others."""
        return (self.role, *self.question)

    @property
    def question(self) -> tuple[str, ...]:
        """The shape without who asks."""
        kinds = sorted({kind_of(self.resource, key) for key in self.keys.get(LEADING, ())})
        return (self.action, self.resource, *self.keys.get(ENCLOSING, ()), *self.keys.get(f"{CONTEXT}kind", ()), *kinds)

    def request(self, deployment: Deployment, *, without: str = "") -> Request:
        """The request as IAM gets it, without one of its keys where `without` says so."""
        found = re.match(r"\w+", self.resource)
        assert found, self
        if self.resource == SUBSCRIBERS_QUEUE:
            arn = f"arn:aws:sqs:{deployment.region}:{_SUBSCRIBERS_ACCOUNT}:subscriber"
            return Request(self.action, arn, {"aws:ResourceAccount": (_SUBSCRIBERS_ACCOUNT,)})
        arn = deployment.arn(found[0]) + self.resource[found.end() :]
        keys = {name: value for name, value in self.keys.items() if name != without}
        return Request(self.action, arn, {**keys, "aws:ResourceAccount": (deployment.account,)})

    def without_ids(self) -> Asked:
        """The same with other tenants, ids and digests, for the file."""
        keys = {
            name: tuple(sorted({"#".join(map(_plain, value.split("#"))) for value in values}))
            if name == LEADING
            else ("x",) * len(values)
            if name in {f"{CONTEXT}tenant", f"{CONTEXT}connection"}
            else values
            for name, values in self.keys.items()
        }
        return replace(self, keys=keys)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"role": self.role, "action": self.action, "resource": self.resource, "keys": dict(self.keys)}


def _plain(part: str) -> str:
    if re.fullmatch(r"[a-z]+|[\d-]+", part) or part in _WORDS:
        return part
    if digest := re.fullmatch(r"((?:rec|job|sub)_)?([0-9a-f]{24,})", part):
        return f"{digest[1] or ''}{'0' * len(digest[2])}"
    begins = part.partition(".")[0]
    return f"{begins}.x" if begins in {"hosts", "malformed", "unrouted"} else "x"


def kind_of(resource: str, key: str) -> str:
    """What a partition key is about: the name under which its store owns it; in Coordination, how it begins."""
    if resource not in _TABLES:
        return ""
    owned = (pair for store in STORES[_TABLES[resource]] for pair in store.OWNED_KEYS.items())
    found = next((kind for kind, (pk, _) in owned if re.fullmatch(pk, key, re.DOTALL)), "others")
    return found if found != "coordination" else key.partition("#")[0]


def known() -> list[Asked]:
    """Every request in `asked.json`."""
    return list(map(from_json, json.loads(FILE.read_text())))


def from_json(stored: Mapping[str, Any]) -> Asked:
    """A request as `to_json` wrote it."""
    return Asked(**{**stored, "keys": {name: tuple(values) for name, values in stored["keys"].items()}})


def recorded(file: Path, names: Mapping[str, str], functions: Container[str]) -> Iterator[Asked]:
    """What `functions` asked in a run. `names` has the logical id of each physical one; others are left out.

    The emulator goes on to write: a last line that has no end yet is left out too.
    """
    for line in file.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        found = json.loads(line)
        role, _, session = found["principal"].partition("/")
        if names.get(session, "") in functions:
            for check in found["checks"]:
                keys = {name: tuple(values) for name, values in check["keys"].items()}
                yield Asked(names[role], check["action"], _logical(check["resource"], names), keys)


def _logical(arn: str, names: Mapping[str, str]) -> str:
    if arn.startswith("arn:aws:states:"):  # CloudFormation knows state machines by their ARN
        return names[arn]
    if ":secret:" in arn:  # the ARN ends in six characters of Secrets Manager's, the name may be all that is known
        return names.get(arn) or names[arn.rpartition(":")[2].rpartition("-")[0]]
    name = re.split(r"[:/]", arn.split(":", 5)[-1].removeprefix("table/").removeprefix("key/"))
    if name[0] in {"function", "event-bus"}:
        name = name[1:]
    if arn.startswith("arn:aws:sqs:") and "subscriber-" in name[0]:
        return SUBSCRIBERS_QUEUE
    if arn.startswith("arn:aws:s3:"):  # an object's key begins with a folder of ours, or with a tenant
        folder = "/inputs" * (name[1:2] == ["inputs"])
        return names[name[0]] + f"{folder}/object" * (len(name) > 1)
    rest = arn.partition(name[0])[2]
    return names[name[0]] + rest


def update(found: Iterable[Asked]) -> None:
    """Add what is new to the file, without ids."""
    everything = {each.shape: each.without_ids() for each in found} | {each.shape: each for each in known()}
    lines = ",\n".join(json.dumps(everything[shape].to_json()) for shape in sorted(everything))
    FILE.write_text(f"[\n{lines}\n]\n")
