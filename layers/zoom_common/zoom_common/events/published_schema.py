"""The form of published events, as an AsyncAPI document.

https://www.asyncapi.com/docs/reference/specification/v3.0.0

`docs/api/asyncapi.json` is generated from this module, and tests validate every published event against it.
"""

from __future__ import annotations

from typing import Any

from zoom_common import __version__

# Zoom's events that the gateway handles by name, by family. All others are published unchanged.
_HELD = (
    "created updated deleted permanently_deleted recovered started ended participant_joined participant_left "
    "participant_role_changed sharing_started sharing_ended registration_created registration_approved "
    "registration_denied registration_cancelled alert"
)
NAMED = {
    "meeting": f"{_HELD} participant_joined_waiting_room participant_left_waiting_room converted_to_webinar "
    "participant_put_in_waiting_room participant_admitted",
    "webinar": f"{_HELD} converted_to_meeting",
    "recording": "started paused resumed stopped completed transcript_completed trashed deleted recovered renamed",
    "user": "created updated deleted activated deactivated disassociated invitation_accepted signed_in signed_out",
}
CONNECTION_STATES = ("connected", "refresh_failing", "reauthorization_required", "disconnected")
# The archive's events about a recording when all its files are done.
ARCHIVE_TYPES = ("recording.archived", "recording.archive_failed")


def named_types() -> list[str]:
    """Return the CloudEvents types that the gateway handles by name."""
    zoom = [f"zoom.{family}.{name}" for family, names in NAMED.items() for name in names.split()]
    return sorted([*zoom, "zoom.app_deauthorized"])


def cloud_event_schema() -> dict[str, Any]:
    """Return the schema of one event in a queue's message. Readers must accept further attributes."""
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "tenant"],
        "anyOf": [{"required": ["data", "datacontenttype"]}, {"required": ["dataref"]}],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {
                **text,
                "pattern": "^evt_[0-9a-f]{32}$",
                "description": "The same each time the event is published. Store the ids that you have handled.",
            },
            "source": {
                **text,
                "pattern": "^/(zoom/.+|gateway/(connections|jobs|attendance|archive))$",
                "description": "The Zoom app that delivered it, by client id, or the gateway for its own events.",
            },
            "type": {
                **text,
                "pattern": (
                    "^(zoom\\..+|connection\\..+|registrant\\..+|attendance\\.settled|recording\\.archive(d|_failed))$"
                ),
                "description": "zoom. and Zoom's name. Names that are not listed here are published too.",
                "examples": [
                    *named_types(),
                    *(f"connection.{state}" for state in CONNECTION_STATES),
                    "registrant.registered",
                    "attendance.settled",
                    *ARCHIVE_TYPES,
                ],
            },
            "subject": {
                **text,
                "description": "The subject: meetings/{id}, meetings/{id}/recordings, users/{id}, ...",
            },
            "time": {**text, "format": "date-time", "description": "When it happened at Zoom, in UTC."},
            "datacontenttype": {"const": "application/json"},
            "tenant": {**text, "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
            "connectionid": {**text, "description": "The connection that received it."},
            "correlationid": {**text, "description": "The trace id of the delivery or request that caused it."},
            "uuid": {**text, "description": "The UUID of the instance of a meeting or webinar that it is about."},
            "sequence": {
                **text,
                "pattern": "^[0-9]{13,}-[0-9a-f]{12}$",
                "description": "Sorted as text, the order of one meeting's events. Not a count: gaps mean nothing.",
            },
            "reconciled": {
                "const": True,
                "description": "Whether it was made from Zoom's reports, because Zoom's own delivery did not arrive.",
            },
            "dataref": {
                **text,
                "description": "The address of the event with its data, which was too large for the bus.",
            },
            "data": {
                "type": "object",
                "description": "Zoom's body as it was delivered, without secrets and IP addresses.",
                "properties": {
                    "event": {"type": "string", "description": "Zoom's name of the event."},
                    "event_ts": {"description": "When Zoom wrote it, in epoch milliseconds."},
                    "payload": {"type": "object"},
                },
            },
        },
    }


def document() -> dict[str, Any]:
    """Return the whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Integrato Zoom events",
            "version": __version__,
            "description": "CloudEvents 1.0 on an SQS queue, at least once and in no order. Equal ids are one event.",
        },
        "channels": {
            "events": {
                "address": "IntegrationEventsQueue",
                "description": "The integration queue, and every queue that `make subscriber` adds.",
                "messages": {"cloudEvent": {"$ref": "#/components/messages/cloudEvent"}},
            }
        },
        "operations": {"receiveEvent": {"action": "receive", "channel": {"$ref": "#/channels/events"}}},
        "components": {
            "messages": {
                "cloudEvent": {
                    "contentType": "application/cloudevents+json",
                    "payload": {"$ref": "#/components/schemas/cloudEvent"},
                }
            },
            "schemas": {"cloudEvent": cloud_event_schema()},
        },
    }
