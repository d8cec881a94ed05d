"""Content of files: whether it is of its kind, CRC32 over joined parts, transcripts and chats. Does no I/O.

An MP4 or M4A file is a sequence of boxes, and each states its size (ISO/IEC 14496-12, 4.2):
https://mpeg.chiariglione.org/standards/mpeg-4/iso-base-media-file-format
In a truncated file the sizes do not add up to the length of the file.

Zoom writes the speaker in front of the text of a cue: `Jill Chill: Welcome.` https://www.w3.org/TR/webvtt1/ defines
cues. A chat file has one message a line: the time since the start, the sender, and the text, between tabs.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_FILMS = frozenset({"MP4", "M4A"})
_HEADER = 16
_LEAST_BOX = 8
# Bytes of a file that are enough to recognize its kind.
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


def begins_wrong(beginning: bytes, extension: str, reported: str) -> str | None:
    """Return why the first bytes of a download cannot be the file, or None.

    `reported` is the answer's content type. Zoom has answered 200 with an HTML page, and with JSON that
    describes a refusal.
    """
    extension, kind = extension.upper(), reported.partition(";")[0].strip().lower()
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

    For an MP4 or M4A file, boxes are followed from byte `at`. Raises NotFinished when `should_stop` returns true before
    the end.
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
            # In fragmented files small boxes follow one another, so more is read at once; else only the header is
            # needed.
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
    """Return the length of a box.

    A length of 1 means that a 64-bit length follows the type; 0 means the rest of the file.
    """
    if len(header) < _LEAST_BOX:
        return None
    (length,) = struct.unpack(">I", header[:4])
    if length == 1:
        return int(struct.unpack(">Q", header[8:16])[0]) if len(header) == _HEADER else None
    return left if length == 0 else int(length)


_POLYNOMIAL = 0xEDB88320


def combined(first: int, second: int, length: int) -> int:
    """Return the CRC32 of two byte strings joined, from their CRC32s and the `length` of the second one.

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


# Transcripts and chats.
_TIMES = re.compile(r"(?:(\d{2,}):)?(\d{2}):(\d{2})[.,](\d{3})\s+-->\s+(?:(\d{2,}):)?(\d{2}):(\d{2})[.,](\d{3})")
_SPEAKER = re.compile(r"([^:<>]{1,80}):\s+(.*)", re.DOTALL)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,80})>")
_TAGS = re.compile(r"</?[^>]{1,100}>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": "", "&amp;": "&"}
_MESSAGE = re.compile(r"(\d{2}:\d{2}:\d{2})\t\s*(?:From\s+)?(.{1,120}?)\s*:[ ]*\t(.*)")
# Shorter pauses of one speaker do not end a turn.
_TURN_MS = 4_000


@dataclass(frozen=True, slots=True)
class Cue:
    """Something said from `start` to `end`, in milliseconds since the recording began; `speaker` may be empty."""

    start: int
    end: int
    speaker: str
    text: str


def cues(webvtt: str) -> Iterator[Cue]:
    """Yield the cues of a WebVTT text. Other blocks are skipped."""
    for block in re.split(r"\r?\n[ \t]*\r?\n", webvtt.lstrip("\ufeff").replace("\r\n", "\n")):
        lines = block.strip("\n").split("\n")
        at = next((place for place, line in enumerate(lines[:2]) if _TIMES.match(line.strip())), None)
        if at is None:
            continue
        found = _TIMES.match(lines[at].strip())
        text = "\n".join(lines[at + 1 :]).strip()
        if found is None or not text:
            continue
        speaker, said = _speaker(text)
        yield Cue(_ms(found.groups()[:4]), _ms(found.groups()[4:]), speaker, said)


def turns(webvtt: str, participants: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return who said what. Successive cues of one speaker are one turn, with the participant of that name.

    `participants` have `name`, and `user_id` and `email` where known. Where two have the same name, a turn names
    neither.
    """
    known = _by_name(participants)
    found: list[dict[str, Any]] = []
    for cue in cues(webvtt):
        last = found[-1] if found else None
        if last is not None and last["speaker"] == cue.speaker and cue.start - last["end"] <= _TURN_MS:
            last["end"], last["text"] = max(last["end"], cue.end), f"{last['text']} {cue.text}"
            continue
        turn: dict[str, Any] = {"start": cue.start, "end": cue.end, "speaker": cue.speaker, "text": cue.text}
        found.append(turn | ({"participant": known[_folded(cue.speaker)]} if _folded(cue.speaker) in known else {}))
    return found


def plain(webvtt: str) -> str:
    """Return a transcript as text: a paragraph for each turn, with its speaker and start."""
    paragraphs = []
    for turn in turns(webvtt):
        minutes, seconds = divmod(turn["start"] // 1000, 60)
        hours, minutes = divmod(minutes, 60)
        head = f"[{hours:02}:{minutes:02}:{seconds:02}]"
        paragraphs.append(f"{head} {turn['speaker']}: {turn['text']}" if turn["speaker"] else f"{head} {turn['text']}")
    return "\n\n".join(paragraphs) + ("\n" if paragraphs else "")


def messages(chat: str) -> list[dict[str, str]]:
    """Return the messages of a chat file. A line that begins no message belongs to the message before it."""
    found: list[dict[str, str]] = []
    for line in chat.lstrip("\ufeff").replace("\r\n", "\n").split("\n"):
        message = _MESSAGE.match(line)
        if message:
            found.append({"time": message[1], "sender": message[2], "text": message[3].strip()})
        elif found and line.strip():
            found[-1]["text"] += f"\n{line.rstrip()}"
    return found


def _speaker(text: str) -> tuple[str, str]:
    voice = _VOICE.match(text)
    if voice:
        return voice[1].strip(), _clean(text)
    found = _SPEAKER.match(text)
    return (found[1].strip(), _clean(found[2])) if found else ("", _clean(text))


def _clean(text: str) -> str:
    clean = _TAGS.sub("", text)
    for entity, meant in _ENTITIES.items():
        clean = clean.replace(entity, meant)
    return " ".join(clean.split())


def _ms(parts: Iterable[str | None]) -> int:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def _by_name(participants: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    ambiguous = set()
    for each in participants:
        name = _folded(str(each.get("name") or ""))
        about = {key: each[key] for key in ("name", "user_id", "email") if each.get(key)}
        if name in found and found[name] != about:
            ambiguous.add(name)
        if name:
            found[name] = about
    return {name: about for name, about in found.items() if name not in ambiguous}


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
