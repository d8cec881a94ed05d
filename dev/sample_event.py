"""Prints a sample of a delivery with a current timestamp and signature, for `sam local invoke webhook --event -`.

python -m dev.sample_event events/webhook-meeting-started.json | sam local invoke WebhookFunction --event -
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

# The secret that signs the samples in `events/`. It is valid nowhere else.
SAMPLE_SECRET = "sample-webhook-secret"


def main(given: list[str] | None = None) -> int:
    """Print the sample to standard output."""
    parser = argparse.ArgumentParser(prog="python -m dev.sample_event", description=__doc__)
    parser.add_argument("sample", type=Path)
    parser.add_argument("--secret", default=SAMPLE_SECRET, help="the webhook's secret token")
    arguments = parser.parse_args(given)
    event = json.loads(arguments.sample.read_text())
    body = event["body"].encode()
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    stamp = str(int(time.time()))
    digest = hmac.new(arguments.secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    event["headers"] |= {"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={digest}"}
    json.dump(event, sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
