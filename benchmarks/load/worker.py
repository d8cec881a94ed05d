"""Some of the workers of a load, as one process: asks for one thing again and again with one client.

`python -m benchmarks.load.worker SETTINGS.json` says "ready" when it has one client per thread, reads from standard
input when to begin and to end (epoch seconds), and prints its calls as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.machine import give_priority_back

# One call: its status for the caller, and how often Zoom was asked for it, or None where the client does not say.
type Outcome = tuple[int, int | None]
type Client = Callable[[], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to read, from where, with what."""

    client: str
    threads: int
    user: str
    label: str
    pace: float
    zoom: str
    token: str
    meeting: str
    account: str
    plan: str
    dynamodb: str
    table: str
    oauth: tuple[str, str, str]

    @property
    def path(self) -> str:
        """What is asked for, below `/v2`: a light call or a medium one."""
        return f"/meetings/{self.meeting}" if self.label == "Light" else f"/users/{self.user}/meetings"


def ours(settings: Settings) -> Client:
    """The gateway as a function has it, one per thread as if each were a container; connection and token are given."""
    from benchmarks.load import gateway  # noqa: PLC0415 - each process pays for its own client only

    return gateway.client(settings)


def requests_loop(settings: Settings) -> Client:
    """The least anybody writes: one kept-alive session."""
    import requests  # noqa: PLC0415 - as above

    session = requests.Session()
    session.trust_env = False
    url, headers = f"{settings.zoom}{settings.path}", {"Authorization": f"Bearer {settings.token}"}
    return lambda: (session.get(url, headers=headers, timeout=20).status_code, 1)


def requests_retry(settings: Settings) -> Client:
    """What careful people write: the same session, with urllib3's own retries on 429, exponential and with jitter."""
    import requests  # noqa: PLC0415 - as above
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - as above
    from urllib3.util import Retry  # noqa: PLC0415 - as above

    session = requests.Session()
    session.trust_env = False
    policy = Retry(total=6, status_forcelist=[429], backoff_factor=0.5, backoff_jitter=0.5, raise_on_status=False)
    session.mount("http://", HTTPAdapter(max_retries=policy))
    url, headers = f"{settings.zoom}{settings.path}", {"Authorization": f"Bearer {settings.token}"}
    return lambda: (session.get(url, headers=headers, timeout=20).status_code, None)


def zoomus(settings: Settings) -> Client:
    """The client most Python programs use."""
    from zoomus import ZoomClient  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    oauth, key, secret = settings.oauth
    client = ZoomClient(key, secret, settings.account, base_uri=settings.zoom, oauth_uri=oauth)
    if settings.label == "Light":
        return lambda: (client.meeting.get(id=settings.meeting).status_code, 1)
    return lambda: (client.meeting.list(user_id=settings.user).status_code, 1)


def pyzoom(settings: Settings) -> Client:
    """The typed one, below its models: they do not know every field."""
    from pyzoom import ZoomClient  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    client = ZoomClient(settings.token, "", base_url=settings.zoom)
    return lambda: (client.raw.get(settings.path, raise_on_error=False).status_code, 1)


CLIENTS: dict[str, Callable[[Settings], Client]] = {
    "ours": ours,
    "requests": requests_loop,
    "requests with retries": requests_retry,
    "zoomus": zoomus,
    "pyzoom": pyzoom,
}


def work(client: Client, begin: float, end: float, found: list[tuple[float, float, int, int | None]]) -> None:
    """One worker: wait for the beginning, then call until the end. Each call: begin, end, status, requests to Zoom."""
    time.sleep(max(0.0, begin - time.time()))
    while (began := time.time()) < end:
        status, asked = client()
        found.append((began, time.time(), status, asked))


def main(path: str) -> None:
    """Run the workers of this process."""
    logging.disable(logging.CRITICAL)  # a peer that logs each refusal would measure its terminal
    reported: dict[str, Any] = json.loads(Path(path).read_text())
    settings = Settings(**reported | {"oauth": tuple(reported["oauth"])})
    if settings.client != "ours":
        give_priority_back()
    clients = [CLIENTS[settings.client](settings) for _ in range(settings.threads)]
    print("ready", flush=True)
    begin, end = map(float, sys.stdin.readline().split())
    found: list[tuple[float, float, int, int | None]] = []
    threads = [threading.Thread(target=work, args=(client, begin, end, found)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
