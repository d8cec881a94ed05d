"""The fields of a Zoom event: its name, time, users and subject.

https://developers.zoom.us/docs/api/webhooks/ ; the marketplace's `app_deauthorized` has another shape: no top-level
`event_ts`, no `object`. Unknown members of an event are accepted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from zoom_common.zoom.event_users import CASE_FOLDED, HOST_PATHS, OPERATOR_PATH, user_paths, values_at

DEAUTHORIZED = "app_deauthorized"

_NAME = re.compile(r"[\x21-\x7e]{1,120}")
_GMT = re.compile(r"GMT[0-9]{8}-[0-9]{6}")
_DEEPEST = 200
_INT64 = range(-(2**63), 2**63)
_LAST_MS = 253_402_300_799_999  # the end of the year 9999
_FIRST_IN_MS = 100_000_000_000  # March 1973 in milliseconds, the year 5138 in seconds: a smaller number is in seconds
_AHEAD_MS = 86_400_000

_HOSTED = frozenset({"meeting", "webinar", "recording"})
_FAMILIES = {"meeting": "meetings", "recording": "meetings", "webinar": "webinars", "user": "users", "group": "groups"}


class MalformedEvent(Exception):
    """The event is signed by Zoom and cannot be read. `reason` may be logged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ZoomEvent:
    """One event. `body` is Zoom's JSON, changed so that every JSON reader accepts it.

    It is content, so no repr shows it.
    """

    name: str
    body: dict[str, Any] = field(repr=False)

    @property
    def payload(self) -> dict[str, Any]:
        """Zoom's `payload`, or an empty object."""
        return _mapping(self.body.get("payload"))

    @property
    def object(self) -> dict[str, Any]:
        """The object that the event is about, or an empty one."""
        return _mapping(self.payload.get("object"))

    @property
    def occurred_at_ms(self) -> int | None:
        """When it happened at Zoom, in epoch milliseconds; None when the event does not state it."""
        for value in (
            self.body.get("event_ts"),
            self.payload.get("event_ts"),
            self.payload.get("deauthorization_time"),
        ):
            moment = _event_ts_ms(value)
            if moment is not None:
                return moment
        return None

    def occurred_by(self, received_at_ms: int) -> int:
        """Return when it happened, in epoch milliseconds, or when it was received if the event has no plausible time.

        With a clock that is days fast, the event would override everything that happens later.
        """
        return _believable(self.occurred_at_ms, received_at_ms)

    def true_since_by(self, received_at_ms: int) -> int:
        """Return when the event became true, where implausible times are replaced as in `occurred_by`."""
        return _believable(self.true_since_ms, received_at_ms)

    @property
    def true_since_ms(self) -> int | None:
        """When the event became true, in epoch milliseconds. It is the same for two deliveries of one event.

        `event_ts` is when Zoom sent the event. Twins have two of them, and an event read back from the REST API has
        none, but both state when someone joined, when the meeting ended or until when was recorded.
        """
        return max((moment for moment in map(epoch_ms, self._moments()) if moment), default=self.occurred_at_ms)

    @property
    def account_id(self) -> str | None:
        """The Zoom account of the event."""
        return identifier(self.payload.get("account_id"))

    @property
    def users(self) -> tuple[str, ...]:
        """Ids of the Zoom users that the event concerns, each once: the host first, the operator last."""
        return tuple(dict.fromkeys(self._users()))

    @property
    def folds_case(self) -> bool:
        """Whether Zoom writes the ids of users in lower case in this event."""
        return self.name in CASE_FOLDED

    @property
    def host(self) -> str | None:
        """The Zoom user who hosts the meeting, webinar or recording, if the event names them."""
        return next(filter(None, map(identifier, self._hosts())), None)

    @property
    def meeting_names(self) -> tuple[str, ...]:
        """The names of the meeting or webinar that it is about: the UUID of the instance first, then the number."""
        if self.name.partition(".")[0] not in _HOSTED:
            return ()
        return tuple(dict.fromkeys(filter(None, (self.instance, self._object_id()))))

    @property
    def instance(self) -> str | None:
        """The UUID of the instance of a meeting or webinar that the event is about."""
        for name in ("uuid", "meeting_uuid", "webinar_uuid"):
            for place in (self.object, self.payload):
                found = identifier(place.get(name))
                if found:
                    return found
        return None

    @property
    def subject(self) -> str | None:
        """The subject of the event as a path: `meetings/<id>`, `meetings/<id>/recordings`, `users/<id>`; or None."""
        if self.name == DEAUTHORIZED:
            user = identifier(self.payload.get("user_id"))
            return f"users/{user}" if user else None
        family = self.name.partition(".")[0]
        about = self._object_id() or (self.instance if family in {"meeting", "recording", "webinar"} else None)
        if about is None:
            return None
        path = f"{_FAMILIES.get(family, family)}/{about}"
        return f"{path}/recordings" if family == "recording" else path

    def _moments(self) -> Iterator[Any]:
        match self.name.partition(".")[2]:
            case "participant_joined":
                yield _mapping(self.object.get("participant")).get("join_time")
            case "participant_left":
                yield _mapping(self.object.get("participant")).get("leave_time")
            case "ended":
                yield self.object.get("end_time")
            case "completed" | "transcript_completed":
                files = self.object.get("recording_files")
                yield from (_mapping(file).get("recording_end") for file in (files if isinstance(files, list) else []))

    def _object_id(self) -> str | None:
        for name in ("id", "meeting_id", "webinar_id"):
            found = identifier(self.object.get(name))
            if found:
                return found
        return None

    def _hosts(self) -> Iterator[Any]:
        for path in HOST_PATHS:
            yield from values_at(self.payload, path)

    def _users(self) -> Iterator[str]:
        candidates = [*self._hosts()]
        for path in (*user_paths(self.name), OPERATOR_PATH):
            candidates += values_at(self.payload, path)
        candidates.append(self.body.get(OPERATOR_PATH))  # `user.settings_updated` has it outside its payload
        yield from filter(None, map(identifier, candidates))


def recording_file_name(file: Mapping[str, Any]) -> str:
    """Return the name of a recording file, the same in events and in the REST API, which has no id for some kinds."""
    name = identifier(file.get("id"))
    if name is None or file.get("file_type") in {"TIMELINE", "CC"}:
        return f"{file.get('file_type')}@{file.get('recording_start')}"
    return name


def is_unfinished(file: Mapping[str, Any]) -> bool:
    """Return whether a recording file has a status and is not completed. REST lists completed files."""
    status = file.get("status")
    return bool(status) and status != "completed"


def parse(body: bytes) -> ZoomEvent:
    """Return the event in a delivered body. Raises MalformedEvent."""
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
        clean = _portable(document, 0)
    except UnicodeDecodeError:
        raise MalformedEvent("not_utf8") from None
    except RecursionError:
        raise MalformedEvent("too_deep") from None
    except ValueError:
        raise MalformedEvent("not_json") from None
    if not isinstance(clean, dict):
        raise MalformedEvent("not_an_object")
    name = clean.get("event")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise MalformedEvent("no_name")
    return ZoomEvent(name, clean)


def identifier(value: object) -> str | None:
    """Return an id as text, whether Zoom sent it as a number or as text; None for any other value and for ""."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def epoch_ms(value: object) -> int | None:
    """Return a time in epoch milliseconds from Zoom's number, digits or date. Dates without a zone are UTC.

    Return None for what is no moment between 1970 and the year 9999: Zoom writes the year 1 for "never". The examples
    of chat messages in meetings have the form `GMT20220110-072010`.
    https://developers.zoom.us/docs/api/meetings/events/#tag/meeting/POSTmeeting.chat_message_sent
    """
    if isinstance(value, str) and not value.isascii():
        return None
    if isinstance(value, str) and not value.isdigit():
        return _date_ms(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return _in_range(int(value[:20]) if isinstance(value, str) else value)


def _event_ts_ms(value: object) -> int | None:
    """Read an `event_ts`, which old deliveries and some reported ones have in seconds or with a fraction."""
    moment = epoch_ms(int(value) if isinstance(value, float) else value)
    return moment * 1000 if moment is not None and moment < _FIRST_IN_MS and _is_number(value) else moment


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value.isdigit())


def _believable(moment: int | None, received_at_ms: int) -> int:
    return received_at_ms if moment is None or moment > received_at_ms + _AHEAD_MS else moment


def _in_range(moment: int) -> int | None:
    return moment if 0 < moment <= _LAST_MS else None


def _date_ms(text: str) -> int | None:
    if _GMT.fullmatch(text):
        text = f"{text[3:11]}T{text[12:]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _in_range(int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))


def _portable(value: Any, depth: int) -> Any:
    """Return the JSON with values that every reader accepts: 64-bit integers, no lone surrogates, a bounded depth.

    One larger number makes EventBridge refuse the event, and one lone surrogate makes DynamoDB refuse it.
    """
    if depth > _DEEPEST:
        raise MalformedEvent("too_deep")
    if isinstance(value, dict):
        return {_encodable(key): _portable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_portable(item, depth + 1) for item in value]
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, int) and value not in _INT64:
        return str(value)
    return value


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number
