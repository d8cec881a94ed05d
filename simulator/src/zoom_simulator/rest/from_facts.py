"""Zoom's operations as the facts of its contracts describe them. Operations without code here are served from them.

`facts.json` holds names and types: paths, labels, scopes, what is required, and the form of each answer. An answer has
that form. What can be created, read, listed, updated and deleted at a path is stored; everything else is invented.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from zoom_simulator.rest.call import Label, Operation, Reply
from zoom_simulator.rest.resources import answer

LABELS: dict[str, Label] = {
    "LIGHT": "Light",
    "MEDIUM": "Medium",
    "HEAVY": "Heavy",
    "RESOURCE_INTENSIVE": "Resource-intensive",
}


@dataclass(frozen=True, kw_only=True)
class FactOperation(Operation):
    """An operation that is known by its facts only.

    `listed` are all its scopes; without granular ones any scope does.
    """

    listed: tuple[str, ...] = ()

    def accepted_scopes(self) -> tuple[str, ...]:
        """Return every scope that permits it; empty where that is not known."""
        if not self.scope:
            return ()
        masters = (f"{each.removesuffix(':admin')}:master" for each in self.listed)
        return (*self.listed, *masters)

    def admin_scopes(self) -> tuple[str, ...]:
        """Return the scopes that permit it for other people's resources."""
        return tuple(each for each in self.accepted_scopes() if each.endswith((":admin", ":master")))


@cache
def rows() -> tuple[FactOperation, ...]:
    """Return all operations of Zoom's contracts."""
    facts: dict[str, Any] = json.loads(Path(__file__).with_name("facts.json").read_text())
    return tuple(_row(fact) for fact in facts.values())


def _row(fact: dict[str, Any]) -> FactOperation:
    granular, classic = fact["granular"], fact["classic"]
    names = [each for each in granular if not each.endswith((":admin", ":master"))]
    scope = names[0] if names else granular[0].removesuffix(":admin") if granular else ""

    def handler(call: Any) -> Reply:
        return answer(call, fact)

    return FactOperation(
        name=fact["id"],
        method=fact["method"],
        path=fact["path"],
        label=LABELS[fact["label"] or "HEAVY"],
        scope=scope,
        classic=tuple(classic),
        handler=handler,
        admin_only=not names,
        media=fact.get("media", "application/json"),
        listed=(*granular, *classic),
    )
