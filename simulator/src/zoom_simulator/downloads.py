"""Recording files: `/rec/download/...` needs a bearer and redirects to another host, which refuses requests with one.

The file itself is made from its id, the same bytes every time, of any size and from any place on, without being stored:
a small valid container, then noise in which every block is another one. Where there is room, a film begins with
fifteen seconds that players play (`film.mp4`: a bar that fills, a beep a second); its noise is in a box they skip.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import struct
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import urlsplit, urlunsplit

from zoom_simulator import asgi
from zoom_simulator.errors import ZoomError
from zoom_simulator.fault_responses import after, before
from zoom_simulator.faults import Rule
from zoom_simulator.model import Recording, RecordingFile
from zoom_simulator.simulator import Simulator

LINK_SECONDS = 3600
CHUNK = 65_536
NOISE = 1 << 20
LARGEST_BOX = 1 << 32
LONGEST_BOX_HEAD = 16
TYPES = {
    "MP4": "video/mp4",
    "M4A": "audio/mp4",
    "TXT": "text/plain; charset=utf-8",
    "VTT": "text/vtt; charset=utf-8",
    "JSON": "application/json",
}
OTHER_NAME = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}


class Downloads:
    """`/rec/...` as an ASGI application."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer one request under `/rec`."""
        await asgi.read_body(receive)
        _, _, kind, key = (*str(scope["path"]).split("/", 3), "")[:4]
        # The link and the storage behind it are two requests. A fault may affect both, or one of them.
        rules = self._sim.faults.strike_request("recordings.download", f"recordings.download.{kind}")
        if await before(rules, receive, send):
            return
        found = self._find(key)
        if found is None or kind not in ("download", "file", "play", "share"):
            await asgi.answer(
                send, 404, b"<html>This recording does not exist.</html>", [("content-type", "text/html")]
            )
        elif kind in ("play", "share"):
            page = f"<html><title>{found[0].topic}</title>A recording, if this were Zoom.</html>".encode()
            await asgi.answer(send, 200, page, [("content-type", "text/html; charset=utf-8")])
        elif kind == "download":
            await self._redirect(scope, send, *found)
        elif not await after(rules, send, b"".join(content(found[1], 0, min(found[1].size, CHUNK)))):
            await self._send_file(scope, send, found[1], {rule.effect: rule for rule in rules})

    async def _redirect(self, scope: asgi.Scope, send: asgi.Send, recording: Recording, each: RecordingFile) -> None:
        if not self._opens(asgi.header(scope, b"authorization"), recording):
            await self._forbid(send)
            return
        expiry = int(self._sim.clock.now()) + LINK_SECONDS
        parts = urlsplit(self._sim.base_url)
        host = self._sim.behaviour.download_host
        if not host:
            name = OTHER_NAME.get(parts.hostname or "", parts.hostname or "")
            host = f"{name}:{parts.port}" if parts.port else name
        location = urlunsplit(
            (parts.scheme, host, f"/rec/file/{each.key}", f"e={expiry}&s={self._seal(each, expiry)}", "")
        )
        await asgi.answer(send, 302, b"", [("location", location)])

    async def _send_file(
        self, scope: asgi.Scope, send: asgi.Send, each: RecordingFile, faults: dict[str, Rule]
    ) -> None:
        query = asgi.query(scope)
        expiry = query.get("e", "0")
        sealed = expiry.isdecimal() and hmac.compare_digest(self._seal(each, int(expiry)), query.get("s", ""))
        if not sealed or int(expiry) < self._sim.clock.now():
            await asgi.answer(
                send, 403, b"<Error><Code>AccessDenied</Code></Error>", [("content-type", "application/xml")]
            )
            return
        if asgi.header(scope, b"authorization"):  # the storage behind Zoom accepts only one credential
            text = b"<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>"
            await asgi.answer(send, 400, text, [("content-type", "application/xml")])
            return
        wanted = "" if "ignore_range" in faults else asgi.header(scope, b"range")
        size = min(each.size, faults["short"].bytes) if "short" in faults else each.size
        first, last, status = _range(wanted, size)
        if status == 416:  # noqa: PLR2004 - the number itself
            await asgi.answer(send, 416, b"", [("content-range", f"bytes */{size}")])
            return
        headers = [
            (b"content-type", TYPES.get(each.extension, "application/octet-stream").encode()),
            (b"content-length", str(last - first).encode()),
            (b"accept-ranges", b"bytes"),
            (b"etag", f'"{hashlib.sha256(each.id.encode()).hexdigest()[:32]}"'.encode()),
        ]
        if status != 200:  # noqa: PLR2004 - partial content says which part
            headers.append((b"content-range", f"bytes {first}-{last - 1}/{size}".encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        sent, most = 0, faults["cut"].bytes if "cut" in faults else last - first
        for part in content(each, first, last):
            body = part[: most - sent]
            await send({"type": "http.response.body", "body": body, "more_body": True})
            sent += len(body)
            if sent >= most and sent < last - first:
                await asgi.close(send, abort=False)
                return
        await send({"type": "http.response.body", "body": b""})

    def _opens(self, authorization: str, recording: Recording) -> bool:
        value = authorization.partition(" ")[2].strip()
        now = self._sim.clock.now()
        token = self._sim.state.download_tokens.get(value)
        if token is not None:
            return token.recording_uuid == recording.uuid and token.expires_at > now
        try:
            principal = self._sim.grants.principal(value, now)
        except ZoomError:
            return False
        if principal.account_level:
            return principal.grant.account_id == recording.account_id
        return principal.grant.user_id == recording.host_id

    async def _forbid(self, send: asgi.Send) -> None:
        if self._sim.behaviour.forbidden_download == "html":
            page = b"<html><title>Sign In</title>Sign in to watch this recording.</html>"
            await asgi.answer(send, 200, page, [("content-type", "text/html;charset=utf-8")])
            return
        body = json.dumps({"status": False, "errorCode": 124, "errorMessage": "Forbidden"}).encode()
        status = 200 if self._sim.behaviour.forbidden_download == "json" else 401
        await asgi.answer(send, status, body, [("content-type", "application/json;charset=UTF-8")])

    def _find(self, key: str) -> tuple[Recording, RecordingFile] | None:
        for recording in self._sim.state.recordings.values():
            if recording.trashed_at is not None:
                continue
            if recording.share_key == key and recording.files:
                return recording, recording.files[0]
            for each in recording.files:
                if each.key == key and each.deleted_at is None:
                    return recording, each
        return None

    def _seal(self, each: RecordingFile, expiry: int) -> str:
        secret = self._sim.state.signing_key.encode()
        return hmac.new(secret, f"{each.id}:{expiry}".encode(), hashlib.sha256).hexdigest()


def content(each: RecordingFile, first: int = 0, last: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from `first` up to `last` (not included), always the same ones, in chunks."""
    end = each.size if last is None else min(last, each.size)
    head = _head(each)[: each.size]
    if first < min(end, len(head)):
        yield head[first:end]
    at = max(first, len(head))
    while at < end:
        block, begin = divmod(at, CHUNK)
        part = _block(each, block)[begin : begin + end - at]
        yield part
        at += len(part)


def _head(each: RecordingFile) -> bytes:
    if each.extension in ("MP4", "M4A"):
        playable = _film()
        if each.size >= len(playable) + LONGEST_BOX_HEAD:
            return playable + _box_head(b"free", each.size - len(playable))
        brand = b"isom" if each.extension == "MP4" else b"M4A "
        box = struct.pack(">I", 24) + b"ftyp" + brand + struct.pack(">I", 512) + b"isommp42"
        return box + _box_head(b"mdat", max(8, each.size - len(box)))
    if each.extension == "VTT":
        return b"WEBVTT\r\n\r\n1\r\n00:00:00.000 --> 00:00:04.000\r\nJill Chill: Welcome, everybody.\r\n\r\n"
    if each.extension == "JSON":
        return b'{"timeline":[{"ts":"00:00:00.000","users":[]}]}'
    return b"00:00:05\tJill Chill:\tHello\r\n"


@cache
def _film() -> bytes:
    return files("zoom_simulator").joinpath("film.mp4").read_bytes()


def _box_head(kind: bytes, size: int) -> bytes:
    """Return the head of a box of `size` bytes. The size of a large one stands behind the type (ISO 14496-12)."""
    if size < LARGEST_BOX:
        return struct.pack(">I", size) + kind
    return struct.pack(">I", 1) + kind + struct.pack(">Q", size)


def _block(each: RecordingFile, number: int) -> bytes:
    """One block of a file, unlike its other blocks: a piece of the file's noise that begins elsewhere, and a number."""
    if each.extension in ("VTT", "TXT", "JSON"):
        return b" " * CHUNK
    begin = number * 40_503 % NOISE
    return struct.pack(">Q", number) + _noise(each.id)[begin : begin + CHUNK - 8]


@lru_cache(maxsize=16)
def _noise(name: str) -> bytes:
    return random.Random(name).randbytes(NOISE + CHUNK)


def _range(value: str, size: int) -> tuple[int, int, int]:
    """First byte, the byte after the last, and the status of a `Range` header."""
    unit, _, span = value.partition("=")
    begin, dash, end = span.partition("-")
    if unit != "bytes" or not dash or not (begin.isdecimal() or end.isdecimal()):
        return 0, size, 200
    if not begin:
        return max(0, size - int(end)), size, 206
    first = int(begin)
    last = min(size, int(end) + 1) if end.isdecimal() else size
    if first >= size:
        return 0, 0, 416
    return (first, last, 206) if first < last else (0, size, 200)
