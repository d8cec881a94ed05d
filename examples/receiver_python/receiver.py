"""A receiver of the gateway's events: checks signatures, answers the verification, and handles each event once.

Run it behind HTTPS:  WEBHOOK_SECRET=whsec_... python receiver.py
It needs one library:  pip install standardwebhooks
"""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BODY = 1_100_000


def handle(event: dict[str, Any]) -> None:
    """Do your work here, or better: put the event into a queue of your own and return."""
    print(event["type"], event.get("subject", ""), event["id"], flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Answers within seconds: whatever takes longer belongs behind the answer."""

    def do_POST(self) -> None:
        """Check the signature over the raw body, and only then read it."""
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(min(length, LARGEST_BODY))
        try:
            event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.answer(401)
            return
        if event["type"] == "subscription.verification":  # yes, we want events
            self.answer(200, {"challenge": event["data"]["challenge"]})
            return
        if event["id"] not in SEEN:  # an event may come twice, always with the same id
            handle(event)
            SEEN.add(event["id"])
        self.answer(204)

    def answer(self, status: int, document: dict[str, Any] | None = None) -> None:
        """Send an answer, with a JSON document where there is one."""
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        if content:
            self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Write no access log."""


# In production: a table with the ids of the last days.
SEEN: set[str] = set()

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver)
    print("port", server.server_port, flush=True)
    server.serve_forever()
