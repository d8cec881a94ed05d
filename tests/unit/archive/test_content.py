"""Whether a file is what its name says, and checksums of parts put together."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.archive.content import NotFinished, begins_wrong, combined, fault_of


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


FTYP = box(b"ftyp", b"isom\x00\x00\x02\x00")


def judged(body: bytes, extension: str = "MP4", at: int = 0) -> str | None:
    def read(first: int, size: int) -> bytes:
        return body[first : first + size]

    return fault_of(read, len(body), extension, at=at, should_stop=lambda: False)


@pytest.mark.parametrize(
    "film",
    [
        FTYP,
        FTYP + box(b"moov", b"x" * 99) + box(b"mdat", b"y" * 1000),
        FTYP + struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 116) + b"z" * 100,
        FTYP + struct.pack(">I", 0) + b"mdat" + b"z" * 100,
        FTYP + b"".join(box(b"moof", b"f" * 50) + box(b"mdat", b"d" * 500) for _ in range(2000)),
    ],
    ids=["smallest", "usual", "64-bit size", "to the end", "fragments"],
)
def test_boxes_that_add_up_are_a_film(film: bytes) -> None:
    """However their sizes are written, and however many there are."""
    assert judged(film) is None


@pytest.mark.parametrize(
    ("film", "fault"),
    [
        (b"", "not_a_film"),
        (box(b"mdat", b"x"), "not_a_film"),
        (FTYP + box(b"mdat", b"x" * 100)[:-1], "cut_short"),
        (FTYP + b"\x00\x00\x00", "broken_box"),
        (FTYP + struct.pack(">I", 3) + b"mdat", "broken_box"),
        (FTYP + box(b"mdat", b"x") + b"\x00" * 16, None),
    ],
)
def test_a_cut_film_is_found_out(film: bytes, fault: str | None) -> None:
    """A size of zero stands for all that is left; every other one has to be there."""
    assert judged(film) == fault


def test_a_walk_over_boxes_goes_on_where_it_stopped() -> None:
    """Time may be over at any box."""
    film = FTYP + b"".join(box(b"mdat", b"d" * 1000) for _ in range(20))
    at, stops = 0, [0]
    fault: str | None = "unknown"
    while fault == "unknown":
        asked = iter([False])
        try:
            fault = judge_in_time(film, at, lambda asked=asked: next(asked, True))  # type: ignore[misc]
        except NotFinished as unfinished:
            at = unfinished.at
            stops.append(at)
    assert fault is None
    assert len(stops) > 5
    assert stops == sorted(set(stops))


def judge_in_time(film: bytes, at: int, should_stop: Callable[[], bool]) -> str | None:
    return fault_of(lambda a, n: film[a : a + min(n, 16)], len(film), "MP4", at=at, should_stop=should_stop)


@pytest.mark.parametrize(
    ("body", "extension", "fault"),
    [
        (b"WEBVTT\n\n", "VTT", None),
        (b"\xef\xbb\xbfWEBVTT\n", "vtt", None),
        (b"", "VTT", "not_webvtt"),
        (b"1\n00:00", "VTT", "not_webvtt"),
        (b'{"timeline":[]}  ', "JSON", None),
        (b'{"timeline":[', "JSON", "not_json"),
        (b"anything", "TXT", None),
    ],
)
def test_texts_are_judged_by_their_kind(body: bytes, extension: str, fault: str | None) -> None:
    """WebVTT by its first line, JSON as a whole, others not at all."""
    assert judged(body, extension) == fault


@pytest.mark.parametrize(
    ("body", "extension", "reported", "wrong"),
    [
        (FTYP, "MP4", "video/mp4", None),
        (b"<html>Sign in</html>", "MP4", "text/html", "not_a_film"),
        (b'{"status":false,"errorCode":124}', "M4A", "", "not_a_film"),
        (b"", "MP4", "", "not_a_film"),
        (b"\n<!DOCTYPE html>", "TXT", "", "a_page"),
        (b"<Error><Code>AccessDenied</Code></Error>", "TXT", "application/xml", "a_page"),
        (b"hello", "TXT", "text/html; charset=utf-8", "a_page"),
        (b'{"status":false,"errorCode":124,"errorMessage":"Forbidden"}', "TXT", "", "a_refusal"),
        (b'{"status":false,"errorCode":124,"errorMessage":"Forbidden"}', "JSON", "", "not_json"),
        (b'{"timeline":[]}', "JSON", "", None),
        (b"", "TXT", "", None),
        (b"WEBVTT", "VTT", "text/vtt", None),
        (b"nothing", "VTT", "", "not_webvtt"),
    ],
)
def test_what_is_no_file_is_recognized_by_its_beginning(
    body: bytes, extension: str, reported: str, wrong: str | None
) -> None:
    """A page, or a refusal in JSON, with a 200."""
    assert begins_wrong(body, extension, reported) == wrong


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_checksums_of_parts_make_that_of_the_whole(first: bytes, second: bytes) -> None:
    """As if it had been read in one piece."""
    assert combined(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)
