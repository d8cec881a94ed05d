"""Downloads parts of Zoom's files with http.client: ranges, redirects to other hosts, bearers for Zoom's hosts only.

Zoom accepts a bearer for a download link and redirects to a storage host, which refuses requests with a bearer:
https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/get/meetings/{meetingId}/recordings
Ranges and their answers: https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
"""

from __future__ import annotations

import http.client
import re
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from zoom_common.secret import Secret

# Only these hosts may receive a bearer of Zoom's.
_ZOOMS = (".zoom.us", ".zoom.com", ".zoomgov.com")
_MOST_REDIRECTS = 5
_WAIT_SECONDS = 20.0
_SLICE = 256 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_OK, _PARTIAL, _BEYOND = 200, 206, 416
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENDED = frozenset({401, 403, 404, 410})


class DownloadBroken(Exception):
    """The answer was incomplete, or Zoom's storage failed. A later try may work. `reason` may be logged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LinkEnded(DownloadBroken):
    """The link or its token has expired. A new link may work."""


class OutOfTime(Exception):
    """The time of the run is over."""


@dataclass(slots=True)
class Link:
    """Where a file is downloaded from, and the token for it. `resolved` is the address that redirects led to."""

    url: str = field(repr=False)
    token: Secret | None = None
    resolved: str = field(default="", repr=False)
    """The address of the last redirect. It is signed itself and needs no token."""


class Body(Protocol):
    """The body of an answer, read in order."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill a buffer as far as the body goes, and return the number of bytes. Raises DownloadBroken."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


@dataclass(slots=True)
class Download:
    """An answer to a range: its body begins with byte `first` of a file of `total` bytes (None when not stated)."""

    first: int
    length: int | None
    total: int | None
    etag: str
    content_type: str
    body: Body = field(repr=False)

    def fill(self, buffer: memoryview, check_time: Callable[[], None]) -> int:
        """Read into `buffer` until it is full or the body ends, and return the number of bytes.

        Raises DownloadBroken.
        """
        at = 0
        while at < len(buffer):
            check_time()
            read = self.body.readinto(buffer[at : at + _SLICE])
            if not read:
                break
            at += read
        return at

    def skip(self, size: int, check_time: Callable[[], None]) -> int:
        """Read and drop `size` bytes, and return their CRC32. Raises DownloadBroken when the body ends before."""
        scratch, crc, left = memoryview(bytearray(_SLICE)), 0, size
        while left:
            check_time()
            read = self.body.readinto(scratch[: min(_SLICE, left)])
            if not read:
                raise DownloadBroken("ended_early")
            crc, left = zlib.crc32(scratch[:read], crc), left - read
        return crc

    def close(self) -> None:
        """Stop reading."""
        self.body.close()


class DownloadClient:
    """Downloads over kept-alive connections. `api_host` is the host of Zoom's API, or of its substitute."""

    def __init__(self, api_base_url: str) -> None:
        self._api = urlsplit(api_base_url)
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def get(self, link: Link, first: int, last: int) -> Download:
        """Ask for the bytes from `first` to `last`, both included. The answer may hold more, or the whole file.

        Raises LinkEnded, and DownloadBroken for any other answer that is not part of the file.
        """
        if link.resolved:
            try:
                return self._got(link.resolved, None, first, last)
            except LinkEnded:
                link.resolved = ""  # The redirect's address has expired: ask Zoom for another.
        url, token = link.url, link.token
        for _ in range(_MOST_REDIRECTS):
            if token is not None and not self._is_zoom(url):
                raise DownloadBroken("foreign_host")
            answer = self._got(url, token, first, last)
            if not isinstance(answer.body, _Redirect):
                link.resolved = url if token is None else ""
                return answer
            target = urljoin(url, answer.body.location)
            same = _origin(target) == _origin(url)
            self._allow(url, target)
            url, token = target, token if same else None
        raise DownloadBroken("endless_redirects")

    def close(self) -> None:
        """Close all connections."""
        for each in self._connections.values():
            each.close()
        self._connections.clear()

    def _got(self, url: str, token: Secret | None, first: int, last: int) -> Download:
        headers = {"range": f"bytes={first}-{last}", "accept-encoding": "identity", "accept": "*/*"}
        if token is not None:
            headers["authorization"] = f"Bearer {token.reveal()}"
        connection, response = self._sent(url, headers)
        about = {name.lower(): value for name, value in response.getheaders()}
        body = _Answer(connection, response)
        if response.status in {_OK, _PARTIAL}:
            return _download(response.status, about, body, first)
        body.close()
        if response.status in _REDIRECTS and about.get("location"):
            return Download(0, None, None, "", "", _Redirect(about["location"]))
        if response.status in _ENDED:
            raise LinkEnded(f"http_{response.status}")
        raise DownloadBroken("shorter_than_told" if response.status == _BEYOND else f"http_{response.status}")

    def _sent(
        self, url: str, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        parts, origin = urlsplit(url), _origin(url)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        for last in (False, True):
            kept = None if last else self._connections.pop(origin, None)
            connection = kept or _connection(parts.scheme, parts.netloc)
            try:
                connection.request("GET", target, headers=dict(headers))
                response = connection.getresponse()
            except (OSError, ValueError, http.client.HTTPException):
                connection.close()
                if kept is None:
                    raise DownloadBroken("no_answer") from None
                continue  # The other side may have closed a kept-alive connection.
            self._connections[origin] = connection
            return connection, response
        raise DownloadBroken("no_answer")

    def _is_zoom(self, url: str) -> bool:
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc) == (self._api.scheme, self._api.netloc):
            return True
        return parts.scheme == "https" and f".{parts.hostname or ''}".endswith(_ZOOMS)

    def _allow(self, url: str, target: str) -> None:
        """Check a redirect. Raises DownloadBroken when it leaves TLS or HTTP."""
        before, after = urlsplit(url), urlsplit(target)
        if after.scheme != "https" and (after.scheme, before.scheme) != ("http", "http"):
            raise DownloadBroken("foreign_redirect")


def _download(status: int, about: Mapping[str, str], body: _Answer, asked: int) -> Download:
    """Return what an answer holds. A 200 is the whole file, also when a range was asked for."""
    length = about.get("content-length", "")
    size = int(length) if length.isdecimal() else None
    if about.get("content-encoding", "identity") != "identity":
        body.close()
        raise DownloadBroken("encoded")
    etag, kind = about.get("etag") or about.get("last-modified", ""), about.get("content-type", "")
    if status == _OK:
        return Download(0, size, size, etag, kind, body)
    found = _CONTENT_RANGE.fullmatch(about.get("content-range", ""))
    if found is None or int(found[1]) != asked:
        body.close()
        raise DownloadBroken("other_range")
    total = None if found[3] == "*" else int(found[3])
    return Download(asked, int(found[2]) - asked + 1, total, etag, kind, body)


@dataclass(slots=True)
class _Redirect:
    location: str = field(repr=False)

    def readinto(self, buffer: memoryview) -> int:  # noqa: ARG002 - a body that is empty
        return 0

    def close(self) -> None:
        """Do nothing: no connection is open."""


@dataclass(slots=True)
class _Answer:
    """A body. Its connection can be used again only when the body was read to its end."""

    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse

    def readinto(self, buffer: memoryview) -> int:
        try:
            return self.response.readinto(buffer)
        except (OSError, ValueError, http.client.HTTPException):
            self.close()
            raise DownloadBroken("cut") from None

    def close(self) -> None:
        if not self.response.isclosed():
            self.response.close()
            self.connection.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _connection(scheme: str, place: str) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(place, timeout=_WAIT_SECONDS, context=_public_roots())
    return http.client.HTTPConnection(place, timeout=_WAIT_SECONDS)


@cache
def _public_roots() -> ssl.SSLContext:
    """Return a TLS context with the roots that requests trusts, because any host may store Zoom's files."""
    import certifi  # noqa: PLC0415 - plain connections need none

    return ssl.create_default_context(cafile=certifi.where())
