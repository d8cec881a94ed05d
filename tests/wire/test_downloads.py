"""Downloads of Zoom's files over a real socket: ranges, redirects, bearers, and answers that are no part of a file."""

from __future__ import annotations

import re
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread

import pytest

from zoom_common.archive.downloads_client import DownloadBroken, DownloadClient, Link, LinkEnded
from zoom_common.secret import Secret

BODY = bytes(range(256)) * 40


@dataclass(slots=True)
class Site:
    """Zoom and its storage: two names of one server. `link` and `storage` are answers in place of the usual ones."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    heard: list[str] = field(default_factory=list)
    link: list[bytes] = field(default_factory=list)
    storage: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            waiting = b""
            while True:
                while b"\r\n\r\n" not in waiting:
                    more = connection.recv(65_536)
                    if not more:
                        return
                    waiting += more
                head, _, waiting = waiting.partition(b"\r\n\r\n")
                self.heard.append(head.decode())
                answer = self._answer(head.decode())
                connection.sendall(answer)
                if answer.endswith(b"!cut"):
                    return

    def _answer(self, head: str) -> bytes:
        if head.startswith("GET /rec/"):
            if self.link:
                return self.link.pop(0)
            place = f"http://localhost:{self.port}/file?proof=1"
            return f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
        if self.storage:
            return self.storage.pop(0)
        asked = re.search(r"range: bytes=(\d+)-(\d+)", head, re.IGNORECASE)
        assert asked is not None
        first, last = int(asked[1]), min(int(asked[2]), len(BODY) - 1)
        about = f'Content-Range: bytes {first}-{last}/{len(BODY)}\r\nETag: "e"\r\nContent-Length: {last - first + 1}'
        return f"HTTP/1.1 206 Partial Content\r\n{about}\r\n\r\n".encode() + BODY[first : last + 1]


def whole(body: bytes, *about: str, status: str = "200 OK") -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(body)}", *about))
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    Thread(target=made.serve, daemon=True).start()
    yield made
    made.listener.close()


@pytest.fixture
def client(site: Site) -> Iterator[DownloadClient]:
    made = DownloadClient(site.base)
    yield made
    made.close()


@pytest.fixture
def link(site: Site) -> Link:
    return Link(f"{site.base}/rec/download/1", Secret("bearer"))


def got(client: DownloadClient, link: Link, first: int, last: int) -> tuple[int, bytes, int | None]:
    download = client.get(link, first, last)
    buffer = memoryview(bytearray(len(BODY) + 9))
    read = download.fill(buffer, lambda: None)
    download.close()
    return download.first, bytes(buffer[:read]), download.total


def test_a_range_comes_from_storage_without_the_bearer(site: Site, link: Link, client: DownloadClient) -> None:
    """The bearer opens Zoom's link only; the next range goes to storage at once, over the same connection."""
    assert got(client, link, 10, 19) == (10, BODY[10:20], len(BODY))
    assert got(client, link, 20, 10**9) == (20, BODY[20:], len(BODY))
    opened, first, second = site.heard
    assert "authorization: Bearer bearer" in opened
    assert opened.startswith("GET /rec/")
    for each in (first, second):
        assert each.startswith("GET /file?proof=1")
        assert "authorization" not in each.lower()


def test_a_link_that_ends_is_asked_for_once_more_at_zoom(site: Site, link: Link, client: DownloadClient) -> None:
    """And when Zoom's own link has ended, somebody else has to fetch another."""
    got(client, link, 0, 9)
    site.storage.append(whole(b"<Error/>", status="403 Forbidden"))
    assert got(client, link, 0, 9) == (0, BODY[:10], len(BODY))
    site.storage.append(whole(b"", status="403 Forbidden"))
    site.link.append(whole(b"{}", status="401 Unauthorized"))
    with pytest.raises(LinkEnded):
        got(client, link, 0, 9)


def test_a_whole_file_for_a_range_is_recognized(site: Site, link: Link, client: DownloadClient) -> None:
    """It begins with byte 0, whatever was asked for."""
    site.storage.append(whole(BODY, "Content-Type: video/mp4", "Last-Modified: yesterday"))
    download = client.get(link, 500, 600)
    assert (download.first, download.total, download.content_type) == (0, len(BODY), "video/mp4")
    assert download.etag == "yesterday"
    assert download.skip(500, lambda: None) == zlib.crc32(BODY[:500])
    with pytest.raises(DownloadBroken):
        download.skip(len(BODY), lambda: None)
    download.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (whole(b"", status="503 Slow Down"), "http_503"),
        (whole(b"", status="416 Range Not Satisfiable"), "shorter_than_told"),
        (whole(b"x" * 10, "Content-Range: bytes 5-14/100", status="206 Partial Content"), "other_range"),
        (whole(b"x" * 10, status="206 Partial Content"), "other_range"),
        (whole(b"x", "Content-Encoding: gzip"), "encoded"),
        (b"!cut", "no_answer"),
    ],
)
def test_what_is_no_part_of_the_file_is_refused(
    site: Site, link: Link, client: DownloadClient, answer: bytes, reason: str
) -> None:
    """Answers that are not part of the file are refused, with a reason for the log."""
    site.storage += [answer, answer]
    with pytest.raises(DownloadBroken) as broken:
        got(client, link, 0, 9)
    assert broken.value.reason == reason


def test_a_body_that_breaks_off_is_shorter(site: Site, link: Link, client: DownloadClient) -> None:
    """What came is no more than what came: the caller counts."""
    site.storage.append(whole(BODY)[:200] + b"!cut")
    with_cut = client.get(link, 0, len(BODY) - 1)
    try:
        read = with_cut.fill(memoryview(bytearray(len(BODY))), lambda: None)
    except DownloadBroken as broken:
        read = -1
        reason = broken.reason
        assert reason == "cut"
    with_cut.close()
    assert read < len(BODY)


@pytest.mark.parametrize("place", ["ftp://files.example/x", "file:///etc/passwd"])
def test_a_redirect_stays_with_http(site: Site, link: Link, client: DownloadClient, place: str) -> None:
    """Whatever else Zoom's answer names."""
    site.link.append(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())
    with pytest.raises(DownloadBroken) as broken:
        got(client, link, 0, 9)
    assert broken.value.reason == "foreign_redirect"


def test_a_bearer_is_shown_to_zoom_only(site: Site) -> None:
    """A link to another host is not followed with it."""
    client = DownloadClient("https://api.zoom.us/v2")
    with pytest.raises(DownloadBroken) as broken:
        client.get(Link(f"{site.base}/rec/download/1", Secret("bearer")), 0, 9)
    assert broken.value.reason == "foreign_host"
    assert site.heard == []


def test_redirects_come_to_an_end(site: Site, link: Link, client: DownloadClient) -> None:
    """Those in a circle too."""
    site.link += [f"HTTP/1.1 302 Found\r\nLocation: {link.url}\r\nContent-Length: 0\r\n\r\n".encode()] * 9
    with pytest.raises(DownloadBroken) as broken:
        got(client, link, 0, 9)
    assert broken.value.reason == "endless_redirects"
