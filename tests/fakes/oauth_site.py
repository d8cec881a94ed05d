"""The function `oauth` over a vault in memory."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

from tests.fakes.connections import World
from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.handlers import load
from zoom_common.connections.linking import Linking
from zoom_common.connections.redemption import Redemption
from zoom_common.wiring import vault
from zoom_common.wiring.vault import OAuthSettings

HANDLER = Path(__file__).parents[2] / "functions" / "oauth" / "handler.py"
ENVIRON = {
    "CONNECTIONS_TABLE": "connections",
    "COORDINATION_TABLE": "coordination",
    "DATA_KEY_ID": "data-key",
    "REFRESH_KEY_ID": "refresh-key",
    "ESCROW_QUEUE_URL": "escrow",
    "ZOOM_APP_SECRET_ARN": "arn",
    "PUBLIC_BASE_URL": "https://gateway.example/",
    "RETURN_URLS": "https://app.example, http://localhost:5000",
}


class OAuthSite(World):
    """The function with one connection behind it; `environ` adds to what it is told, `changes` are the connection's."""

    def __init__(self, environ: dict[str, str] | None = None, **changes: Any) -> None:
        super().__init__(**changes)
        self.module = load("oauth")
        reported = OAuthSettings.from_env(ENVIRON | (environ or {}))
        numbers = count(1)
        linking = Linking(
            store=self.links,
            connections=self.memory,
            placement=self.placement,
            queue=self.link_queue,
            cipher=self.cipher,
            zoom=self.oauth,
            credentials=self.credentials,
            redirect_uri=reported.redirect_uri,
            return_urls=reported.return_urls,
            clock=self.clock,
            new_secret=lambda: f"secret-{next(numbers)}",
            random_bits=lambda: next(numbers),
        )
        redemption = Redemption(
            store=self.links,
            connections=self.memory,
            cipher=self.cipher,
            outbox=self.outbox,
            clock=self.clock,
            chance=lambda: 0.5,
            sleep=self.clock.sleep,
        )
        wired = vault.Linked(self.memory, linking, redemption, self.disconnection, self.accounts)
        vars(self.module)["wiring"], vars(self.module)["settings"] = lambda: wired, lambda: reported

    def ask(self, method: str, path: str, body: Any = None, **parts: Any) -> dict[str, Any]:
        """One request; a body that is not text is sent as JSON."""
        if body is not None:
            parts["body"] = body if isinstance(body, str) else json.dumps(body)
        answer: dict[str, Any] = self.module.handler(http_event(method, path, **parts), LambdaContext())
        return answer
