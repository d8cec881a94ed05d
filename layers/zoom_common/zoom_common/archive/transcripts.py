"""Transcripts and chats as people and programs read them: text, WebVTT, JSON turns with speakers, JSON messages. Pure.

Zoom writes the speaker in front of what a cue says: `Jill Chill: Welcome.` https://www.w3.org/TR/webvtt1/ says what a
cue is. A chat file has one message a line: the time since the start, the sender, and the text, between tabs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TIMES = re.compile(r"(?:(\d{2,}):)?(\d{2}):(\d{2})[.,](\d{3})\s+-->\s+(?:(\d{2,}):)?(\d{2}):(\d{2})[.,](\d{3})")
_SPEAKER = re.compile(r"([^:<>]{1,80}):\s+(.*)", re.DOTALL)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,80})>")
_TAGS = re.compile(r"</?[^>]{1,100}>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": "", "&amp;": "&"}
_MESSAGE = re.compile(r"(\d{2}:\d{2}:\d{2})\t\s*(?:From\s+)?(.{1,120}?)\s*:[ ]*\t(.*)")
# Pauses of one speaker that are shorter belong to one turn.
_TURN_MS = 4_000


@dataclass(frozen=True, slots=True)
class Cue:
    """Something said from `start` to `end`, in milliseconds since the recording began; `speaker` may be empty."""

    start: int
    end: int
    speaker: str
    text: str


def cues(webvtt: str) -> Iterator[Cue]:
    """Yield the cues of a WebVTT text; what is none is left out."""
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
    """Return who said what: cues of one speaker in a row are one turn, and a turn names the participant of that name.

    `participants` have `name`, and `user_id` and `email` where known. A name that two of them have is nobody's.
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
    """Return a transcript as text: a paragraph for each turn, with its speaker and begin."""
    paragraphs = []
    for turn in turns(webvtt):
        minutes, seconds = divmod(turn["start"] // 1000, 60)
        hours, minutes = divmod(minutes, 60)
        head = f"[{hours:02}:{minutes:02}:{seconds:02}]"
        paragraphs.append(f"{head} {turn['speaker']}: {turn['text']}" if turn["speaker"] else f"{head} {turn['text']}")
    return "\n\n".join(paragraphs) + ("\n" if paragraphs else "")


def messages(chat: str) -> list[dict[str, str]]:
    """Return the messages of a chat file. A line that begins no message belongs to the one before it."""
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
