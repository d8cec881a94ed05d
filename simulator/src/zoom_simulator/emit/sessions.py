"""Events of meetings and webinars that are on: people, rooms, chats, calls, quality."""

from __future__ import annotations

from datetime import UTC, datetime

from zoom_simulator.emit.catalogue import both, event
from zoom_simulator.emit.scene import Scene
from zoom_simulator.hooks import bodies
from zoom_simulator.model import Json

REASON = "left the meeting"
CALLS = ("accepted", "missed", "rejected", "ringing")


@event(*both("started"), *both("ended"), itself=True)
def held(scene: Scene) -> Json:
    """It begins, or it is over."""
    shown = bodies.started(scene.instance, scene.host)
    shown.pop("end_time", None)
    if scene.name.endswith("ended"):
        shown["end_time"] = scene.when
        if scene.kind == "webinar":
            shown["practice_session"] = False
    return shown


def _about(scene: Scene, **extra: str) -> Json:
    return {**bodies.held(scene.instance), "participant": {**bodies.participant(scene.visit), **extra}}


@event(*both("participant_joined"), itself=True)
def joined(scene: Scene) -> Json:
    """Somebody joins."""
    return _about(scene, join_time=scene.when)


@event(*both("participant_left"), itself=True)
def left(scene: Scene) -> Json:
    """Somebody leaves."""
    return _about(scene, leave_time=scene.when, leave_reason=bodies.leave_reason(scene.visit, REASON))


@event(
    "meeting.participant_joined_waiting_room",
    "meeting.participant_admitted",
    "meeting.participant_left_waiting_room",
    "meeting.participant_put_in_waiting_room",
    itself=True,
)
def waiting_room(scene: Scene) -> Json:
    """Somebody comes to, or goes from, the waiting room."""
    return _about(scene, date_time=scene.when)


@event("meeting.participant_jbh_waiting", "meeting.participant_jbh_joined", itself=True)
def before_host(scene: Scene) -> Json:
    """Somebody is there before the host."""
    return bodies.before_host(scene.meeting, scene.visit)


@event("meeting.participant_jbh_waiting_left")
def gave_up(scene: Scene) -> Json:
    """Somebody waited for the host and went; here, and only here among them, the id is a number."""
    return bodies.before_host(scene.meeting, scene.visit) | {"id": scene.instance.shown_id}


@event(*both("sharing_started"), *both("sharing_ended"), itself=True)
def sharing(scene: Scene) -> Json:
    """Somebody shares the screen, or stops."""
    visit = bodies.sharer(scene.visit)
    visit["sharing_details"]["date_time"] = scene.when
    return {**bodies.held(scene.instance), "participant": visit}


@event("meeting.participant_joined_breakout_room", "meeting.participant_left_breakout_room", itself=True)
def breakout(scene: Scene) -> Json:
    """Somebody goes to, or comes from, a breakout room."""
    extra = {"join_time": scene.when}
    if "left" in scene.name:
        extra = {"leave_time": scene.when, "leave_reason": bodies.leave_reason(scene.visit, REASON)}
    return bodies.in_breakout_room(scene.instance, scene.sim.ids.uuid(), scene.visit, **extra)


@event("meeting.breakout_room_sharing_started", "meeting.breakout_room_sharing_ended", itself=True)
def breakout_sharing(scene: Scene) -> Json:
    """Somebody shares the screen in a breakout room, or stops."""
    visit = bodies.sharer(scene.visit)
    visit["sharing_details"]["date_time"] = scene.when
    room = scene.sim.ids.uuid()
    return {**bodies.held(scene.instance), "breakout_room_uuid": room, "participant": visit}


@event(*both("alert"), itself=True)
def alert(scene: Scene) -> Json:
    """Zoom notices trouble."""
    return {**bodies.held(scene.instance), "issues": ["Unstable audio quality"]}


@event(*both("participant_role_changed"), itself=True)
def role_changed(scene: Scene) -> Json:
    """Somebody becomes co-host."""
    return bodies.role_changed(scene.instance, scene.visit, "attendee", "co-host", scene.when)


@event(*both("participant_bind"))
def bound(scene: Scene) -> Json:
    """A telephone is tied to somebody in the meeting."""
    visit = scene.visit
    person: Json = {
        "user_id": visit.user_id,
        "bind_user_id": scene.sim.ids.session_number(),
        "user_name": visit.name,
        "id": visit.zoom_id,
        "participant_uuid": visit.uuid,
        "bind_participant_uuid": scene.sim.ids.participant_uuid(),
        "date_time": scene.when,
        "registrant_id": visit.registrant_id,
        "phone_number": visit.phone_number or "15550100",
        "join_time": scene.when,
    }
    shown = bodies.held(scene.instance)
    return {**shown, "type": 2 if scene.kind == "webinar" else shown["type"], "participant": person}


@event(*both("participant_feedback"))
def feedback(scene: Scene) -> Json:
    """Somebody says how it was."""
    said: Json = {
        "satisfied": False,
        "feedback_details": [{"id": "2", "name": "Poor audio quality"}],
        "comments": "An echo",
    }
    if scene.kind == "meeting":
        said["rating_quality"] = {"type": "2-point", "quality": "NOT GOOD"}
    person = {
        "participant_uuid": scene.visit.uuid,
        "participant_user_id": scene.visit.zoom_id,
        "user_name": scene.visit.name,
        "feedback": said,
    }
    return {"id": str(scene.instance.shown_id), "uuid": scene.instance.uuid, "participant": person}


def _message(scene: Scene) -> Json:
    moment = datetime.fromtimestamp(scene.now, UTC)
    return {
        "date_time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sender_session_id": scene.visit.user_id,
        "sender_name": scene.visit.name,
        "sender_email": scene.visit.email,
        "sender_type": "guest",
        "sender_context": scene.kind,
        "recipient_session_id": scene.sim.ids.session_number(),
        "recipient_name": scene.host.name,
        "recipient_email": scene.host.email,
        "recipient_type": "host",
        "recipient_context": scene.kind,
        "message_id": scene.sim.ids.secret(),
    }


@event(*both("chat_message_sent"), itself=True)
def chat_message(scene: Scene) -> Json:
    """Somebody writes in the chat."""
    message = _message(scene) | {"message_content": "Can everybody hear me?", "file_ids": []}
    return {"id": scene.instance.shown_id, "uuid": scene.instance.uuid, "chat_message": message}


@event(*both("chat_message_file_sent"))
def chat_file(scene: Scene) -> Json:
    """Somebody sends a file in the chat."""
    link = f"{scene.sim.base_url}/file/{scene.sim.ids.secret()}"
    message = _message(scene) | _file(scene) | {"download_url": link}
    return {
        f"{scene.kind}_id": scene.instance.shown_id,
        f"{scene.kind}_uuid": scene.instance.uuid,
        "chat_message_file": message,
    }


@event(*both("chat_message_file_downloaded"), form="operated")
def chat_file_downloaded(scene: Scene) -> Json:
    """Somebody fetches a file from the chat."""
    file = _file(scene) | {"file_owner_id": scene.host.id}
    return {
        "id": scene.instance.shown_id,
        "uuid": scene.instance.uuid,
        "host_account_id": scene.meeting.account_id,
        "chat_message_file": file,
    }


def _file(scene: Scene) -> Json:
    return {"file_id": scene.sim.ids.secret(), "file_name": "agenda.pdf", "file_size": 3966, "file_type": "pdf"}


@event(*(f"meeting.participant_phone_callout_{each}" for each in (*CALLS, "failed")))
def phone_call(scene: Scene) -> Json:
    """The meeting calls somebody's telephone (`failed` is new in September 2026: its shape is a guess)."""
    return _called(scene) | {"participant": {"invitee_name": scene.visit.name, "phone_number": 15_550_100}}


@event(*(f"meeting.participant_room_system_callout_{each}" for each in (*CALLS, "failed")))
def room_call(scene: Scene) -> Json:
    """The meeting calls a room."""
    shown = _called(scene) | {
        "message_id": scene.sim.ids.uuid(),
        "inviter_name": scene.host.name,
        "participant": {"call_type": "h323", "device_ip": "192.0.2.7"},
    }
    return {**shown, "reason_type": 1} if scene.name.endswith("failed") else shown


def _called(scene: Scene) -> Json:
    return {"id": scene.instance.shown_id, "uuid": scene.instance.uuid, "host_id": scene.host.id}


@event(
    "meeting.invitation_accepted",
    "meeting.invitation_dispatched",
    "meeting.invitation_rejected",
    "meeting.invitation_timeout",
    form="operated",
)
def invitation(scene: Scene) -> Json:
    """Somebody is called into the meeting through the app."""
    return {
        "id": str(scene.instance.shown_id),
        "uuid": scene.instance.uuid,
        "host_id": scene.host.id,
        "topic": scene.instance.topic,
        "participant": {"participant_user_id": scene.user.id, "email": scene.user.email},
    }


@event("meeting.device_tested")
def device_tested(scene: Scene) -> Json:
    """Somebody has tried camera and microphone."""
    result = {
        "user_id": scene.visit.user_id,
        "user_name": scene.visit.name,
        "camera_status": 1,
        "speaker_status": 1,
        "microphone_status": 1,
        "os": "mac",
    }
    return {"id": scene.instance.shown_id, "uuid": scene.instance.uuid, "test_result": result}


@event("meeting.live_streaming_started", "meeting.live_streaming_stopped", form="operated", itself=True)
def live_streaming(scene: Scene) -> Json:
    """It is streamed."""
    stream = bodies.live_stream(scene.meeting, scene.when)
    return {**bodies.held(scene.instance), "id": scene.instance.shown_id, "live_streaming": stream}


@event("meeting.risk_alert")
def risk_alert(scene: Scene) -> Json:
    """The link was found in public."""
    found = {
        "post_platform": "twitter",
        "social_link": "https://social.example/posts/1",
        "post_time": scene.when,
        "post_user": "somebody",
        "meeting_url": f"{scene.sim.base_url}/j/{scene.meeting.id}",
        "recommended_enable_settings": ["enablePassword", "enableWaitingRoom"],
        "recommended_disable_settings": ["enableMeetingChat"],
    }
    shown = {**bodies.held(scene.instance), "id": scene.instance.shown_id, "host_email": scene.host.email}
    del shown["duration"]
    return {**shown, "armn_details": found}


@event(*both("participant_data"), *both("participant_data_summary"))
def participant_data(scene: Scene) -> Json:
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
        "participant_id": scene.visit.user_id,
        "participant_user_id": scene.visit.zoom_id,
        "email": scene.visit.email,
        "data": [equipment],
    }
    return {"uuid": scene.instance.uuid, "id": str(scene.instance.shown_id), "participant": person}


@event("meeting.participant_data_connection_established")
def data_connection(scene: Scene) -> Json:
    """New in September 2026: its shape is a guess."""
    return _about(scene, date_time=scene.when)


@event(*both("participant_qos"), *both("participant_qos_summary"))
def quality(scene: Scene) -> Json:
    """How well somebody was heard (QSS)."""
    summary = scene.name.endswith("summary")
    details = {"avg_loss": "0.0%", "max_loss": "0.0%"}
    if summary:
        details |= {"min_bitrate": "6 kbps", "avg_bitrate": "9 kbps", "max_bitrate": "27 kbps"}
    else:
        details |= {"bitrate": "63 kbps", "latency": "134 ms", "jitter": "6 ms", "quality": "good"}
    measured: Json = {"type": "audio_input", "details": details}
    if not summary:
        measured["date_time"] = scene.when
    number = "participant_id" if summary else "user_id"
    person = {
        number: scene.visit.user_id,
        "participant_user_id": scene.visit.zoom_id,
        "email": scene.visit.email,
        "qos": [measured],
    }
    return {"uuid": scene.instance.uuid, "id": str(scene.instance.shown_id), "participant": person}


@event(*both("rtms_started"), *both("rtms_interrupted"), *both("rtms_stopped"), form="payload")
def realtime_media(scene: Scene) -> Json:
    """Realtime media streams: no account, and no object."""
    shown: Json = {
        f"{scene.kind}_uuid": scene.instance.uuid,
        "rtms_stream_id": scene.sim.ids.file_id().replace("-", ""),
    }
    if scene.name.endswith("started"):
        shown |= {"operator_id": scene.host.id, "server_urls": "wss://rtms.example:443"}
    elif scene.name.endswith("stopped"):
        shown["stop_reason"] = 1
    return shown


@event("meeting.rtms_concurrency_near_limit", form="payload")
def realtime_media_limit(_: Scene) -> Json:
    """Many streams at once."""
    return {"concurrency_limit": 2000, "concurrency_number": 1601, "percentage": 80}
