"""The connection to S3. It sends bodies without copying them."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Mapping, Sequence

from zoom_common.aws.https import first_trusted


class HttpLine:
    """A kept-alive connection to `host`, without TLS for the scheme `http`. `contexts` are tried in turn."""

    def __init__(self, scheme: str, host: str, contexts: Sequence[Callable[[], ssl.SSLContext]]) -> None:
        self._host = host
        self._contexts = list(contexts) if scheme == "https" else []
        self._connection: http.client.HTTPConnection | None = None

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | bytearray | memoryview, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and read its whole answer. Raises OSError. Each wait ends after `seconds`."""
        try:
            connection = self._connection or self._connected(seconds)
            self._connection = connection
            connection.request(method, target, body=body, headers=dict(headers))
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if isinstance(error, OSError):
                raise
            raise ConnectionError(type(error).__name__) from None

    def close(self) -> None:
        """Close the connection. The next request connects again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self, seconds: float) -> http.client.HTTPConnection:
        if not self._contexts:
            return http.client.HTTPConnection(self._host, timeout=seconds)
        return first_trusted(self._contexts, lambda context: self._shaken(context, seconds))

    def _shaken(self, context: Callable[[], ssl.SSLContext], seconds: float) -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection(self._host, timeout=seconds, context=context())
        connection.connect()
        return connection
