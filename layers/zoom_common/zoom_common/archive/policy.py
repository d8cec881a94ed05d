"""What a tenant, or one of its connections, wants archived: the settings, their checks and their store."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from zoom_common.aws.table import Table
from zoom_common.errors import FieldError, InvalidRequest

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Kinds of files by Zoom's `file_type`; everything else is `other`.
# https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording/get/meetings/{meetingId}/recordings
KIND_OF = {
    "MP4": "video",
    "M4A": "audio",
    "TRANSCRIPT": "transcript",
    "CC": "captions",
    "CHAT": "chat",
    "CHAT_MESSAGE": "chat",
    "TIMELINE": "timeline",
    "SUMMARY": "summary",
}
KINDS = (*dict.fromkeys(KIND_OF.values()), "other")
# Objects of these classes can be read within milliseconds, so that a link works at once.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
STORAGE_CLASSES = ("STANDARD", "INTELLIGENT_TIERING", "STANDARD_IA", "GLACIER_IR")
# The bucket has a lifecycle rule for each of these; objects name theirs in the tag TIER.
COLD_AFTER_DAYS = (30, 90, 180, 365)
TIER = "cold-after-days"
KEY_TEMPLATE = "{year}/{month}/{day}/{topic} {meeting_id} {time}/{type} {id}.{extension}"
PLACES = ("tenant", "connection", "host", "meeting_id", "topic", "year", "month", "day", "time", "kind", "type", "id",
          "extension")  # fmt: skip
_MOST_DAYS = 36_500
_LONGEST_TEMPLATE = 300
_LONGEST_PLACE = 80
_MEMBERS = ("enabled", "kinds", "key_template", "storage_class", "lifecycle", "retention_days", "at_zoom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is archived, and what happens to it. The defaults keep everything for ever and change nothing at Zoom."""

    enabled: bool = True
    kinds: Sequence[str] = KINDS
    key_template: str = KEY_TEMPLATE
    storage_class: str = "INTELLIGENT_TIERING"
    cold_after_days: int | None = None
    """Days after which S3 moves objects to GLACIER_IR."""
    retention_days: int | None = None
    """Days after which the copy here is deleted; None keeps it."""
    trash_after_days: int | None = None
    """Days after which a recording whose every file is kept goes into Zoom's trash; None keeps it at Zoom."""
    delete_after_days: int | None = None
    """Days in Zoom's trash after which it is deleted there for ever; None leaves that to Zoom."""

    @classmethod
    def of_request(cls, body: Mapping[str, Any]) -> Self:
        """Return the policy in a request's body. Every member may be left out. Raises InvalidRequest."""
        wrong = [FieldError(name, "Unknown field.") for name in sorted(map(str, body)) if name not in _MEMBERS][:20]
        at_zoom, more = _at_zoom(body.get("at_zoom"))
        cold, cold_wrong = _lifecycle(body.get("lifecycle"))
        found = cls(
            enabled=body.get("enabled", True),
            kinds=body.get("kinds", KINDS),
            key_template=body.get("key_template", KEY_TEMPLATE),
            storage_class=body.get("storage_class", cls().storage_class),
            cold_after_days=cold,
            retention_days=body.get("retention_days"),
            trash_after_days=at_zoom[0],
            delete_after_days=at_zoom[1],
        )
        wrong += [*more, *cold_wrong, *found._faults()]
        if wrong:
            raise InvalidRequest(wrong)
        return replace(found, kinds=tuple(kind for kind in KINDS if kind in found.kinds))

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the policy in a stored item."""
        return cls(
            enabled=bool(item["enabled"]),
            kinds=tuple(str(item["kinds"]).split(",")),
            key_template=str(item["key_template"]),
            storage_class=str(item["storage_class"]),
            **{name: item.get(name) for name in _DAYS},
        )

    def to_item(self) -> dict[str, Any]:
        """Return the policy as an item of the table. Days that are not set are left out."""
        days = {name: value for name in _DAYS if (value := getattr(self, name)) is not None}
        return {
            "enabled": self.enabled,
            "kinds": ",".join(self.kinds),
            "key_template": self.key_template,
            "storage_class": self.storage_class,
            **days,
        }

    def shown(self) -> dict[str, Any]:
        """Return the policy as `GET /archive/policy` returns it. `of_request` reads it."""
        at_zoom: dict[str, Any] = {"keep": True}
        if self.trash_after_days is not None:
            at_zoom = {"keep": False, "trash_after_days": self.trash_after_days}
            at_zoom |= {"delete_after_days": self.delete_after_days} if self.delete_after_days is not None else {}
        return {
            "enabled": self.enabled,
            "kinds": list(self.kinds),
            "key_template": self.key_template,
            "storage_class": self.storage_class,
            "lifecycle": None if self.cold_after_days is None else {"cold_after_days": self.cold_after_days},
            "retention_days": self.retention_days,
            "at_zoom": at_zoom,
        }

    def tags(self) -> dict[str, str]:
        """Return the tags of an object, which the bucket's lifecycle rules look for."""
        return {} if self.cold_after_days is None else {TIER: str(self.cold_after_days)}

    def _faults(self) -> list[FieldError]:
        wrong, enabled = [], cast("Any", self.enabled)  # A request may have held any JSON value.
        if not isinstance(enabled, bool):
            wrong.append(FieldError("enabled", "true or false."))
        if not _is_list_of(self.kinds, KINDS):
            wrong.append(FieldError("kinds", f"A list with one or more of: {', '.join(KINDS)}."))
        elif self.trash_after_days is not None and set(self.kinds) != set(KINDS):
            wrong.append(
                FieldError("kinds", "Only a recording that is archived whole goes into Zoom's trash: all kinds.")
            )
        if self.storage_class not in STORAGE_CLASSES:
            wrong.append(FieldError("storage_class", f"One of: {', '.join(STORAGE_CLASSES)}."))
        if self.retention_days is not None and not _is_days(self.retention_days):
            wrong.append(FieldError("retention_days", f"Whole days from 1 to {_MOST_DAYS}, or null."))
        fault = template_fault(self.key_template)
        return [*wrong, *([FieldError("key_template", fault)] if fault else [])]


_DAYS = ("cold_after_days", "retention_days", "trash_after_days", "delete_after_days")


def _is_days(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_DAYS


def _is_list_of(value: object, known: Sequence[str]) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(each, str) and each in known for each in value)


def _at_zoom(asked: Any) -> tuple[tuple[int | None, int | None], list[FieldError]]:
    """Return the days until the trash and until deletion, and the errors in `at_zoom`."""
    nothing: tuple[int | None, int | None] = (None, None)
    if asked is None or asked in ({}, "keep"):
        return nothing, []
    if not isinstance(asked, Mapping) or set(asked) - {"keep", "trash_after_days", "delete_after_days"}:
        return nothing, [FieldError("at_zoom", "An object with keep, or trash_after_days and delete_after_days.")]
    keep, trash, delete = asked.get("keep"), asked.get("trash_after_days"), asked.get("delete_after_days")
    wrong = [
        FieldError(f"at_zoom.{name}", f"Whole days from 1 to {_MOST_DAYS}.")
        for name, value in (("trash_after_days", trash), ("delete_after_days", delete))
        if value is not None and not _is_days(value)
    ]
    if keep is not None and not isinstance(keep, bool):
        wrong.append(FieldError("at_zoom.keep", "true or false."))
    elif keep is (trash is not None):
        wrong.append(FieldError("at_zoom.keep", "true without trash_after_days, false with it."))
    if delete is not None and trash is None:
        wrong.append(FieldError("at_zoom.delete_after_days", "Only together with trash_after_days: trash comes first."))
    return ((trash, delete), []) if not wrong else (nothing, wrong)


def _lifecycle(asked: Any) -> tuple[int | None, list[FieldError]]:
    days = asked.get("cold_after_days") if isinstance(asked, Mapping) and len(asked) == 1 else None
    if asked is None or (not isinstance(days, bool) and days in COLD_AFTER_DAYS):
        return days, []
    return None, [
        FieldError("lifecycle", f"null, or cold_after_days with one of {', '.join(map(str, COLD_AFTER_DAYS))}.")
    ]


def template_fault(template: object) -> str | None:  # noqa: PLR0911 - one for each fault
    """Return what is wrong with a key template, or None."""
    if not isinstance(template, str) or not 0 < len(template) <= _LONGEST_TEMPLATE or not template.isprintable():
        return f"A text of at most {_LONGEST_TEMPLATE} characters."
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:
        return "A brace that is not closed."
    names = [name for _, name, _, _ in parsed if name is not None]
    if any(spec or conversion for _, _, spec, conversion in parsed):
        return "Places have no formats: write {topic}."
    if unknown := [name for name in names if name not in PLACES]:
        return f"There is no {{{unknown[0]}}}. Places are: {', '.join(PLACES)}."
    if "id" not in names:
        return "{id} is missing: it keeps two files from having one name."
    literal = "".join(text for text, _, _, _ in parsed)
    if ".." in literal or "//" in template or template.startswith("/") or "\\" in literal:
        return "A path without '..', '//' or a slash at its start."
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """The parts of a file's key. `begun_ms` is when the recording began, in epoch milliseconds."""

    tenant: str
    connection: str
    host: str
    meeting_id: str
    uuid: str
    topic: str
    begun_ms: int
    file_id: str
    file_type: str
    """Zoom's `recording_type`, or its `file_type` where there is none."""
    kind: str
    extension: str

    def unique(self) -> str:
        """Return the part of the name that is different for every file: 80 bits of a digest of Zoom's id for it."""
        return sha256(f"{self.tenant}\0{self.uuid}\0{self.file_id}".encode()).hexdigest()[:20]

    def key(self, template: str) -> str:
        """Return the object's key, which always begins with the tenant. Keys have at most 1,024 bytes."""
        moment = datetime.fromtimestamp(self.begun_ms / 1000, UTC)
        places = {
            "tenant": self.tenant,
            "connection": self.connection,
            "host": self.host,
            "meeting_id": self.meeting_id,
            "topic": self.topic,
            "year": f"{moment:%Y}",
            "month": f"{moment:%m}",
            "day": f"{moment:%d}",
            "time": f"{moment:%Y-%m-%dT%H-%M-%SZ}",
            "kind": self.kind,
            "type": self.file_type,
            "extension": self.extension.lower(),
        }
        filled = template.format(**{name: readable(value) for name, value in places.items()}, id=self.unique())
        key = f"{self.tenant}/{filled}"
        return key if len(key.encode()) <= _LONGEST_KEY else f"{self.tenant}/{self.unique()}.{places['extension']}"


_UNSAFE = re.compile(r"[^\w .()@+=-]+|\.{2,}|_{2,}")
_LONGEST_BYTES = 120
_LONGEST_KEY = 1000


def readable(text: str) -> str:
    """Return `text` as a part of a path: letters of every script, digits and a few marks.

    Never empty, limited in length.
    """
    clean = _UNSAFE.sub("_", text).strip(" ._")[:_LONGEST_PLACE].strip(" ._")
    return clean.encode()[:_LONGEST_BYTES].decode(errors="ignore") or "_"


class PolicyStore:
    """Policies in the Events table: one for a tenant, one for each connection that has its own."""

    OWNED_KEYS: ClassVar = {"archive_policies": (r"[^#]+#archive-policy", r"policy|connection#.+")}

    def __init__(self, events: Table) -> None:
        self._table = events

    def put(self, tenant: str, policy: Policy, *, connection: str | None, now: float) -> None:
        """Store the policy of a tenant or of one of its connections. Raises Unavailable."""
        key = {"pk": f"{tenant}#archive-policy", "sk": _sort(connection)}
        self._table.put({**key, **policy.to_item(), "changed_at": now})

    def delete(self, tenant: str, connection: str) -> None:
        """Make a connection follow its tenant's policy again. Raises Unavailable."""
        self._table.delete(f"{tenant}#archive-policy", _sort(connection))

    def get(self, tenant: str, connection: str | None) -> Policy | None:
        """Return exactly the policy of a tenant, or of one connection; None when it has none. Raises Unavailable."""
        item = self._table.get(f"{tenant}#archive-policy", _sort(connection))
        return Policy.of_item(item) if item else None

    def effective(self, tenant: str, connection: str | None) -> Policy:
        """Return the policy that applies to a connection: its own, else the tenant's, else an inactive one."""
        own = self.get(tenant, connection) if connection is not None else None
        return own or self.get(tenant, None) or Policy(enabled=False)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a policy: with its tenant, or with the person's connection."""
        tenant = str(item["pk"]).partition("#")[0]
        if not target.owns(tenant):
            return False
        return target.whole_tenant or target.names([str(item["sk"]).partition("#")[2]])


def _sort(connection: str | None) -> str:
    return "policy" if connection is None else f"connection#{connection}"
