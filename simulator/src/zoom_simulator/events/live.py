"""Events of meetings and webinars that are on: people, rooms, chats, calls, quality."""

from __future__ import annotations

from datetime import UTC, datetime

from zoom_simulator.events.catalogue import both, event
from zoom_simulator.events.context import EventContext
from zoom_simulator.model import Json
from zoom_simulator.webhooks import payloads

REASON = "left the meeting"
CALLS = ("accepted", "missed", "rejected", "ringing")


@event(*both("started"), *both("ended"), itself=True)
def held(context: EventContext) -> Json:
    """It begins, or it is over."""
    shown = payloads.started(context.instance, context.host)
    shown.pop("end_time", None)
    if context.name.endswith("ended"):
        shown["end_time"] = context.when
        if context.kind == "webinar":
            shown["practice_session"] = False
    return shown


def _about(context: EventContext, **extra: str) -> Json:
    return {**payloads.held(context.instance), "participant": {**payloads.participant(context.visit), **extra}}


@event(*both("participant_joined"), itself=True)
def joined(context: EventContext) -> Json:
    """Somebody joins."""
    return _about(context, join_time=context.when)


@event(*both("participant_left"), itself=True)
def left(context: EventContext) -> Json:
    """Somebody leaves."""
    return _about(context, leave_time=context.when, leave_reason=payloads.leave_reason(context.visit, REASON))


@event(
    "meeting.participant_joined_waiting_room",
    "meeting.participant_admitted",
    "meeting.participant_left_waiting_room",
    "meeting.participant_put_in_waiting_room",
    itself=True,
)
def waiting_room(context: EventContext) -> Json:
    """Somebody comes to, or goes from, the waiting room."""
    return _about(context, date_time=context.when)


@event("meeting.participant_jbh_waiting", "meeting.participant_jbh_joined", itself=True)
def before_host(context: EventContext) -> Json:
    """Somebody is there before the host."""
    return payloads.before_host(context.meeting, context.visit)


@event("meeting.participant_jbh_waiting_left")
def gave_up(context: EventContext) -> Json:
    """Somebody waited for the host and went; here, and only here among them, the id is a number."""
    return payloads.before_host(context.meeting, context.visit) | {"id": context.instance.shown_id}


@event(*both("sharing_started"), *both("sharing_ended"), itself=True)
def sharing(context: EventContext) -> Json:
    """Somebody shares the screen, or stops."""
    visit = payloads.sharer(context.visit)
    visit["sharing_details"]["date_time"] = context.when
    return {**payloads.held(context.instance), "participant": visit}


@event("meeting.participant_joined_breakout_room", "meeting.participant_left_breakout_room", itself=True)
def breakout(context: EventContext) -> Json:
    """Somebody goes to, or comes from, a breakout room."""
    extra = {"join_time": context.when}
    if "left" in context.name:
        extra = {"leave_time": context.when, "leave_reason": payloads.leave_reason(context.visit, REASON)}
    return payloads.in_breakout_room(context.instance, context.sim.ids.uuid(), context.visit, **extra)


@event("meeting.breakout_room_sharing_started", "meeting.breakout_room_sharing_ended", itself=True)
def breakout_sharing(context: EventContext) -> Json:
    """Somebody shares the screen in a breakout room, or stops."""
    visit = payloads.sharer(context.visit)
    visit["sharing_details"]["date_time"] = context.when
    room = context.sim.ids.uuid()
    return {**payloads.held(context.instance), "breakout_room_uuid": room, "participant": visit}


@event(*both("alert"), itself=True)
def alert(context: EventContext) -> Json:
    """Zoom notices trouble."""
    return {**payloads.held(context.instance), "issues": ["Unstable audio quality"]}


@event(*both("participant_role_changed"), itself=True)
def role_changed(context: EventContext) -> Json:
    """Somebody becomes co-host."""
    return payloads.role_changed(context.instance, context.visit, "attendee", "co-host", context.when)


@event(*both("participant_bind"))
def bound(context: EventContext) -> Json:
    """A telephone is tied to somebody in the meeting."""
    visit = context.visit
    person: Json = {
        "user_id": visit.user_id,
        "bind_user_id": context.sim.ids.session_number(),
        "user_name": visit.name,
        "id": visit.zoom_id,
        "participant_uuid": visit.uuid,
        "bind_participant_uuid": context.sim.ids.participant_uuid(),
        "date_time": context.when,
        "registrant_id": visit.registrant_id,
        "phone_number": visit.phone_number or "15550100",
        "join_time": context.when,
    }
    shown = payloads.held(context.instance)
    return {**shown, "type": 2 if context.kind == "webinar" else shown["type"], "participant": person}


@event(*both("participant_feedback"))
def feedback(context: EventContext) -> Json:
    """Somebody says how it was."""
    said: Json = {
        "satisfied": False,
        "feedback_details": [{"id": "2", "name": "Poor audio quality"}],
        "comments": "An echo",
    }
    if context.kind == "meeting":
        said["rating_quality"] = {"type": "2-point", "quality": "NOT GOOD"}
    person = {
        "participant_uuid": context.visit.uuid,
        "participant_user_id": context.visit.zoom_id,
        "user_name": context.visit.name,
        "feedback": said,
    }
    return {"id": str(context.instance.shown_id), "uuid": context.instance.uuid, "participant": person}


def _message(context: EventContext) -> Json:
    moment = datetime.fromtimestamp(context.now, UTC)
    return {
        "date_time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sender_session_id": context.visit.user_id,
        "sender_name": context.visit.name,
        "sender_email": context.visit.email,
        "sender_type": "guest",
        "sender_context": context.kind,
        "recipient_session_id": context.sim.ids.session_number(),
        "recipient_name": context.host.name,
        "recipient_email": context.host.email,
        "recipient_type": "host",
        "recipient_context": context.kind,
        "message_id": context.sim.ids.secret(),
    }


@event(*both("chat_message_sent"), itself=True)
def chat_message(context: EventContext) -> Json:
    """Somebody writes in the chat."""
    message = _message(context) | {"message_content": "Can everybody hear me?", "file_ids": []}
    return {"id": context.instance.shown_id, "uuid": context.instance.uuid, "chat_message": message}


@event(*both("chat_message_file_sent"))
def chat_file(context: EventContext) -> Json:
    """Somebody sends a file in the chat."""
    link = f"{context.sim.base_url}/file/{context.sim.ids.secret()}"
    message = _message(context) | _file(context) | {"download_url": link}
    return {
        f"{context.kind}_id": context.instance.shown_id,
        f"{context.kind}_uuid": context.instance.uuid,
        "chat_message_file": message,
    }


@event(*both("chat_message_file_downloaded"), form="operated")
def chat_file_downloaded(context: EventContext) -> Json:
    """Somebody fetches a file from the chat."""
    file = _file(context) | {"file_owner_id": context.host.id}
    return {
        "id": context.instance.shown_id,
        "uuid": context.instance.uuid,
        "host_account_id": context.meeting.account_id,
        "chat_message_file": file,
    }


def _file(context: EventContext) -> Json:
    return {"file_id": context.sim.ids.secret(), "file_name": "agenda.pdf", "file_size": 3966, "file_type": "pdf"}


@event(*(f"meeting.participant_phone_callout_{each}" for each in (*CALLS, "failed")))
def phone_call(context: EventContext) -> Json:
    """The meeting calls somebody's telephone (`failed` is new in September 2026: its shape is a guess)."""
    return _called(context) | {"participant": {"invitee_name": context.visit.name, "phone_number": 15_550_100}}


@event(*(f"meeting.participant_room_system_callout_{each}" for each in (*CALLS, "failed")))
def room_call(context: EventContext) -> Json:
    """The meeting calls a room."""
    shown = _called(context) | {
        "message_id": context.sim.ids.uuid(),
        "inviter_name": context.host.name,
        "participant": {"call_type": "h323", "device_ip": "192.0.2.7"},
    }
    return {**shown, "reason_type": 1} if context.name.endswith("failed") else shown


def _called(context: EventContext) -> Json:
    return {"id": context.instance.shown_id, "uuid": context.instance.uuid, "host_id": context.host.id}


@event(
    "meeting.invitation_accepted",
    "meeting.invitation_dispatched",
    "meeting.invitation_rejected",
    "meeting.invitation_timeout",
    form="operated",
)
def invitation(context: EventContext) -> Json:
    """Somebody is called into the meeting through the app."""
    return {
        "id": str(context.instance.shown_id),
        "uuid": context.instance.uuid,
        "host_id": context.host.id,
        "topic": context.instance.topic,
        "participant": {"participant_user_id": context.user.id, "email": context.user.email},
    }


@event("meeting.device_tested")
def device_tested(context: EventContext) -> Json:
    """Somebody has tried camera and microphone."""
    result = {
        "user_id": context.visit.user_id,
        "user_name": context.visit.name,
        "camera_status": 1,
        "speaker_status": 1,
        "microphone_status": 1,
        "os": "mac",
    }
    return {"id": context.instance.shown_id, "uuid": context.instance.uuid, "test_result": result}


@event("meeting.live_streaming_started", "meeting.live_streaming_stopped", form="operated", itself=True)
def live_streaming(context: EventContext) -> Json:
    """It is streamed."""
    stream = payloads.live_stream(context.meeting, context.when)
    return {**payloads.held(context.instance), "id": context.instance.shown_id, "live_streaming": stream}


@event("meeting.risk_alert")
def risk_alert(context: EventContext) -> Json:
    """The link was found in public."""
    found = {
        "post_platform": "twitter",
        "social_link": "https://social.example/posts/1",
        "post_time": context.when,
        "post_user": "somebody",
        "meeting_url": f"{context.sim.base_url}/j/{context.meeting.id}",
        "recommended_enable_settings": ["enablePassword", "enableWaitingRoom"],
        "recommended_disable_settings": ["enableMeetingChat"],
    }
    shown = {**payloads.held(context.instance), "id": context.instance.shown_id, "host_email": context.host.email}
    del shown["duration"]
    return {**shown, "armn_details": found}


@event(*both("participant_data"), *both("participant_data_summary"))
def participant_data(context: EventContext) -> Json:
    """With what somebody was there (QSS)."""
    equipment = {
        "device": "Mac",
        "location": "Hamburg",
        "network_type": "Wifi",
        "microphone": "Built-in",
        "speaker": "Built-in",
        "camera": "Built-in",
        "data_center": "FRA",
        "connection_type": "UDP",
        "version": "6.10.0",
        "signaling_ip_address": "192.0.2.1",
    }
    person = {
        "participant_id": context.visit.user_id,
        "participant_user_id": context.visit.zoom_id,
        "email": context.visit.email,
        "data": [equipment],
    }
    return {"uuid": context.instance.uuid, "id": str(context.instance.shown_id), "participant": person}


@event("meeting.participant_data_connection_established")
def data_connection(context: EventContext) -> Json:
    """New in September 2026: its shape is a guess."""
    return _about(context, date_time=context.when)


@event(*both("participant_qos"), *both("participant_qos_summary"))
def quality(context: EventContext) -> Json:
    """How well somebody was heard (QSS)."""
    summary = context.name.endswith("summary")
    details = {"avg_loss": "0.0%", "max_loss": "0.0%"}
    if summary:
        details |= {"min_bitrate": "6 kbps", "avg_bitrate": "9 kbps", "max_bitrate": "27 kbps"}
    else:
        details |= {"bitrate": "63 kbps", "latency": "134 ms", "jitter": "6 ms", "quality": "good"}
    measured: Json = {"type": "audio_input", "details": details}
    if not summary:
        measured["date_time"] = context.when
    number = "participant_id" if summary else "user_id"
    person = {
        number: context.visit.user_id,
        "participant_user_id": context.visit.zoom_id,
        "email": context.visit.email,
        "qos": [measured],
    }
    return {"uuid": context.instance.uuid, "id": str(context.instance.shown_id), "participant": person}


@event(*both("rtms_started"), *both("rtms_interrupted"), *both("rtms_stopped"), form="payload")
def realtime_media(context: EventContext) -> Json:
    """Realtime media streams: no account, and no object."""
    shown: Json = {
        f"{context.kind}_uuid": context.instance.uuid,
        "rtms_stream_id": context.sim.ids.file_id().replace("-", ""),
    }
    if context.name.endswith("started"):
        shown |= {"operator_id": context.host.id, "server_urls": "wss://rtms.example:443"}
    elif context.name.endswith("stopped"):
        shown["stop_reason"] = 1
    return shown


@event("meeting.rtms_concurrency_near_limit", form="payload")
def realtime_media_limit(_: EventContext) -> Json:
    """Many streams at once."""
    return {"concurrency_limit": 2000, "concurrency_number": 1601, "percentage": 80}
