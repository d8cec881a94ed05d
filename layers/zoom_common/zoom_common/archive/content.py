"""Whether a file is what its name says, and the CRC32 of parts put together. Pure.

A film is a row of boxes, each of which says its size: https://mpeg.chiariglione.org/standards/mpeg-4/iso-base-media-file-format
(ISO/IEC 14496-12, 4.2). Sizes that add up to the file's length are what a cut film does not have.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import lru_cache

_FILMS = frozenset({"MP4", "M4A"})
_HEADER = 16
_LEAST_BOX = 8
# How much of a file is enough to tell what it begins like.
BEGINNING = 64
# JSON files are read whole to be parsed; timelines of long meetings have some megabytes.
_LARGEST_JSON = 48 * 1024 * 1024
_PAGE = 256 * 1024

CONTENT_TYPES = {
    "MP4": "video/mp4",
    "M4A": "audio/mp4",
    "VTT": "text/vtt; charset=utf-8",
    "TXT": "text/plain; charset=utf-8",
    "JSON": "application/json",
    "CSV": "text/csv; charset=utf-8",
}


def content_type(extension: str) -> str:
    """Return the content type of a file by its extension."""
    return CONTENT_TYPES.get(extension.upper(), "application/octet-stream")


def begins_wrong(beginning: bytes, extension: str, told: str) -> str | None:
    """Return why the first bytes of a download cannot be the file, or None.

    `told` is the answer's content type. Zoom has answered 200 with an HTML page, and with JSON that
    describes a refusal.
    """
    extension, kind = extension.upper(), told.partition(";")[0].strip().lower()
    text = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
    if extension in _FILMS:
        return None if beginning[4:8] == b"ftyp" else "not_a_film"
    if not beginning:
        return None
    if kind == "text/html" or text[:14].lower().startswith((b"<!doctype html", b"<html", b"<?xml", b"<error>")):
        return "a_page"
    if extension == "VTT":
        return None if text.startswith(b"WEBVTT") else "not_webvtt"
    if extension == "JSON":
        return None if text[:1] in {b"{", b"["} and not _is_refusal(text) else "not_json"
    return "a_refusal" if text.startswith(b"{") and _is_refusal(text) else None


def _is_refusal(text: bytes) -> bool:
    return b'"errorCode"' in text[:BEGINNING] or text.startswith(b'{"status":false')


class NotFinished(Exception):
    """The check ran out of time: go on at byte `at`."""

    def __init__(self, at: int) -> None:
        super().__init__("not finished")
        self.at = at


def fault_of(
    read: Callable[[int, int], bytes], size: int, extension: str, *, at: int, should_stop: Callable[[], bool]
) -> str | None:
    """Return why a whole stored object is not of its kind, or None. `read` returns bytes by first byte and number.

    For a film, boxes are followed from byte `at`. Raises NotFinished when `should_stop` returns true before the end.
    """
    extension = extension.upper()
    if extension in _FILMS:
        return _film_fault(read, size, at, should_stop)
    if extension == "JSON" and size <= _LARGEST_JSON:
        try:
            json.loads(read(0, size))
        except (ValueError, RecursionError):
            return "not_json"
    if extension == "VTT":
        return begins_wrong(read(0, BEGINNING) or b" ", extension, "")
    return None


def _film_fault(read: Callable[[int, int], bytes], size: int, at: int, should_stop: Callable[[], bool]) -> str | None:
    page, begin = b"", 0
    if size == 0:
        return "not_a_film"
    while at < size:
        if not begin <= at <= begin + len(page) - min(_HEADER, size - at):
            if should_stop():
                raise NotFinished(at)
            # Small boxes follow one another in fragmented films; else a header is all that is wanted.
            page, begin = read(at, _PAGE if page and at - begin < 2 * _PAGE else _HEADER), at
        header = page[at - begin : at - begin + _HEADER]
        length = _box_size(header, size - at)
        if at == 0 and header[4:8] != b"ftyp":
            return "not_a_film"
        if length is None or length < _LEAST_BOX:
            return "broken_box"
        at += length
    return None if at == size else "cut_short"


def _box_size(header: bytes, left: int) -> int | None:
    """Return the length of a box: 1 stands for a 64-bit length behind the type, 0 for all that is left."""
    if len(header) < _LEAST_BOX:
        return None
    (length,) = struct.unpack(">I", header[:4])
    if length == 1:
        return int(struct.unpack(">Q", header[8:16])[0]) if len(header) == _HEADER else None
    return left if length == 0 else int(length)


_POLYNOMIAL = 0xEDB88320


def combined(first: int, second: int, length: int) -> int:
    """Return the CRC32 of two texts, one behind the other, by their CRC32s and the `length` of the second one.

    The arithmetic is that of zlib's crc32_combine: https://github.com/madler/zlib/blob/master/crc32.c
    """
    return _multiplied(_power(length), first) ^ second


@lru_cache(maxsize=16)
def _power(length: int) -> int:
    """Return x to the power of 8 * `length`, modulo the CRC's polynomial."""
    result, square = 1 << 31, 1 << 23  # one, and x to the power of eight
    while length:
        if length & 1:
            result = _multiplied(square, result)
        square = _multiplied(square, square)
        length >>= 1
    return result


def _multiplied(a: int, b: int) -> int:
    product, bit = 0, 1 << 31
    while a:
        if a & bit:
            product ^= b
            a ^= bit
        bit >>= 1
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
    return product
