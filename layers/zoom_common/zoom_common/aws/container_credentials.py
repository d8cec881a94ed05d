"""The role's credentials where Lambda starts a function from a snapshot: it hands them out at an address of its own.

They are read when a request needs them first, so a snapshot holds none, and again some minutes before they end.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from zoom_common.aws.sigv4 import Credentials
from zoom_common.secret import Secret

ADDRESS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_AUTHORIZATION = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
# In seconds: how long before their end credentials are read again, the pause after a failure, the wait for an answer.
_AHEAD = 300.0
_PAUSE = 10.0
_ANSWER = 2.0
_OK = 200

type Fetch = Callable[[str, Mapping[str, str]], bytes]


def fetched(address: str, headers: Mapping[str, str]) -> bytes:
    """Return what an HTTP address of this machine answers to a GET. Raises OSError, without what it said."""
    place = urlsplit(address)
    line = HTTPConnection(place.hostname or "", place.port, timeout=_ANSWER)
    try:
        line.request("GET", place.path + (f"?{place.query}" if place.query else ""), headers=dict(headers))
        answer = line.getresponse()
        body = answer.read()
    except HTTPException:
        raise OSError("no credentials: unreadable answer") from None
    finally:
        line.close()
    if answer.status != _OK:
        raise OSError(f"no credentials: HTTP {answer.status}")
    return body


class ContainerCredentials:
    """Reads the address in `environ` when it is called, at most once for the life of what it answered.

    Where it cannot be read, the last credentials go on until they end. Raises OSError when there are none.
    """

    def __init__(self, environ: Mapping[str, str], clock: Callable[[], float], fetch: Fetch = fetched) -> None:
        self._environ = environ
        self._clock = clock
        self._fetch = fetch
        self._found: Credentials | None = None
        self._again_at = self._ends_at = 0.0

    def __call__(self) -> Credentials:
        """Return credentials that count now."""
        now = self._clock()
        if self._found is None or now >= self._again_at:
            self._read(now)
        if self._found is None:  # `_read` raises then
            raise OSError("no credentials")
        return self._found

    def _read(self, now: float) -> None:
        authorization = self._environ.get(_AUTHORIZATION)
        headers = {"authorization": authorization} if authorization else {}
        try:
            document = json.loads(self._fetch(self._environ[ADDRESS], headers))
            ends_at = datetime.fromisoformat(document["Expiration"]).timestamp()
            found = Credentials(document["AccessKeyId"], Secret(document["SecretAccessKey"]), Secret(document["Token"]))
        except (OSError, ValueError, KeyError, TypeError):
            if self._found is None or now >= self._ends_at:
                raise OSError("no credentials") from None
            self._again_at = now + _PAUSE
            return
        self._found, self._ends_at = found, ends_at
        self._again_at = max(ends_at - _AHEAD, now + _PAUSE)
