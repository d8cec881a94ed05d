"""A new tenant with an API key and a connected person, on the local stack."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from dev.demo import Story
from ops.key_table import on_local_stack
from zoom_common.access.keys import Credential, issue


@dataclass(frozen=True)
class Newcomer:
    """Nobody else receives this tenant's events, and it receives no others."""

    stack: Mapping[str, Any] = field(repr=False)
    """The stack's data, with this tenant's key."""
    tenant: str
    email: str
    connection: str
    zoom_user: str

    def program(self) -> httpx.Client:
        """Return a program with the tenant's key."""
        headers = {"Authorization": f"Bearer {self.stack['api_key']}", "X-Zoom-Connection": self.connection}
        return httpx.Client(base_url=str(self.stack["api_url"]), headers=headers, timeout=100)


def newcomer(stack: Mapping[str, Any], name: str) -> Newcomer:
    """Return a new tenant and person. Their names begin with `name` and are different for every call."""
    tenant = f"{name}-{time.time_ns():x}"
    email = f"{tenant}@zoom.example"
    credential = Credential.generate()
    key = issue(credential, tenant=tenant, scopes=frozenset({"*"}), name=name, now=time.time())
    on_local_stack(stack).add(key)
    added = httpx.post(f"{stack['zoom_url']}/_sim/users", json={"email": email, "first_name": name}, timeout=10)
    added.raise_for_status()
    own = {**stack, "tenant": tenant, "api_key": credential.text().reveal()}
    with Story(own) as story:
        connection = story.connect(email)
    return Newcomer(own, tenant, email, connection, str(added.json()["id"]))
