"""Live streams of meetings and webinars."""

from __future__ import annotations

from functools import partial

from zoom_simulator.check import Field, check
from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError
from zoom_simulator.model import Json, Kind
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.scheduling import target
from zoom_simulator.webhooks import payloads

STREAM = {
    "page_url": Field("string", required=True, longest=1024),
    "stream_key": Field("string", required=True, longest=512),
    "stream_url": Field("string", required=True, longest=1024),
    "resolution": Field("string"),
}


def get_stream(kind: Kind, call: Call) -> Reply:
    """Where it is streamed to."""
    meeting = target(call, kind)
    names = ("page_url", "stream_key", "stream_url", "resolution")
    return Reply(200, {name: meeting.livestream.get(name, "") for name in names})


def set_stream(kind: Kind, call: Call) -> Reply:
    """Say where to stream to."""
    meeting = target(call, kind)
    check(call.body, STREAM)
    meeting.livestream |= {name: call.body[name] for name in STREAM if name in call.body}
    return Reply(204)


def change_stream(kind: Kind, call: Call) -> Reply:
    """Start or stop streaming; only a meeting that is on can be streamed."""
    meeting = target(call, kind)
    actions = ("start", "stop", "mode") if kind == "meeting" else ("start", "stop")
    check(call.body, {"action": Field("string", required=True, allowed=actions), "settings": Field("object")})
    if meeting.settings.get("encryption_type") == "e2ee":
        text = "End-to-end encrypted meetings currently do not support the livestreaming feature."
        raise ZoomError(400, 4400, text)
    if kind == "webinar" and not meeting.livestream.get("stream_url"):
        raise ZoomError(400, 3000, "The current webinar is not configured with a custom streaming service.")
    if not meeting.live_uuid:
        raise ZoomError(400, 4927, "Meeting {} has not started.", meeting.id)
    if kind == "meeting" and call.body["action"] != "mode":
        _announce(call, call.body["action"] == "start")
    return Reply(204)


def _announce(call: Call, started: bool) -> None:  # noqa: FBT001 - one of two events
    meeting = call.target_meeting()
    instance = call.sim.live.current(meeting)
    stream = payloads.live_stream(meeting, iso(call.now))
    payload: Json = {
        "account_id": meeting.account_id,
        **payloads.operator(call.caller),
        "object": {**payloads.held(instance), "id": instance.shown_id, "live_streaming": stream},
    }
    what = "started" if started else "stopped"
    call.sim.publisher.publish(f"meeting.live_streaming_{what}", payload, user_id=meeting.host_id)


ROWS = (
    ("livestream.get", "GET", "livestream", "read:livestream", get_stream),
    ("livestream.update", "PATCH", "livestream", "update:livestream", set_stream),
    ("livestream.status", "PATCH", "livestream/status", "update:livestream_status", change_stream),
)
KINDS: tuple[Kind, ...] = ("meeting", "webinar")
for _kind in KINDS:
    for _name, _method, _path, _scope, _handler in ROWS:
        operation(
            f"{_kind}s.{_name}",
            _method,
            f"/{_kind}s/{{{_kind}Id}}/{_path}",
            label="Light",
            scope=f"{_kind}:{_scope}",
            classic=f"{_kind}:{'read' if _method == 'GET' else 'write'}",
        )(partial(_handler, _kind))
