"""Events of people, groups and apps."""

from __future__ import annotations

from zoom_simulator.clock import milliseconds
from zoom_simulator.emit.catalogue import event
from zoom_simulator.emit.scene import Scene
from zoom_simulator.hooks import account_events, bodies
from zoom_simulator.model import Grant, Json, User


def _owner(scene: Scene) -> User:
    return scene.sim.world.someone(scene.sim.state.accounts[scene.user.account_id].owner_id)


def _payload(scene: Scene, shown: Json, **extra: object) -> Json:
    return {"account_id": scene.user.account_id, **bodies.operator(_owner(scene)), **extra, "object": shown}


@event("user.created", form="payload", itself=True)
def created(scene: Scene) -> Json:
    """Somebody is added."""
    shown = {**account_events.basics(scene.user), "display_name": scene.user.name}
    return _payload(scene, shown, creation_type="create")


@event("user.updated", form="payload", itself=True)
def updated(scene: Scene) -> Json:
    """A profile changes."""
    shown, old = {"id": scene.user.id, "dept": "Cooking"}, {"id": scene.user.id, "dept": ""}
    return _payload(scene, shown, time_stamp=milliseconds(scene.now), old_object=old)


@event("user.deleted", "user.disassociated", "user.activated", "user.deactivated", form="payload", itself=True)
def changed(scene: Scene) -> Json:
    """Somebody comes or goes."""
    return _payload(scene, account_events.basics(scene.user))


@event("user.invitation_accepted", itself=True)
def accepted(scene: Scene) -> Json:
    """Somebody accepts an invitation to the account."""
    return account_events.basics(scene.user)


@event("user.signed_in", "user.signed_out", itself=True)
def signed(scene: Scene) -> Json:
    """Somebody signs in or out."""
    return scene.sim.account_events.sign_in(scene.user, "browser")


@event("user.settings_updated", form="payload", itself=True)
def settings(scene: Scene) -> Json:
    """A setting changes."""
    return _settings(scene, scene.user.id, "in_meeting", "chat")


@event("group.settings_updated", "group.lock_settings_updated", form="payload")
def group_settings(scene: Scene) -> Json:
    """A setting of a group changes, or is locked."""
    return _settings(scene, scene.sim.ids.opaque(), "recording", "cloud_recording")


def _settings(scene: Scene, target: str, section: str, name: str) -> Json:
    old = {"id": target, "settings": {section: {name: True}}}
    shown = {"id": target, "settings": {section: {name: False}}}
    return _payload(scene, shown, time_stamp=milliseconds(scene.now), old_object=old)


@event("user.personal_notes_updated", form="payload")
def notes(scene: Scene) -> Json:
    """Somebody's note changes; nobody is named as operator."""
    shown = {**_known(scene), "date_time": scene.when, "personal_notes": "Back at three"}
    return {"account_id": scene.user.account_id, "object": shown, "old_object": {"personal_notes": ""}}


@event("user.presence_status_updated")
def presence(scene: Scene) -> Json:
    """Somebody is away."""
    return {**_known(scene), "date_time": scene.when, "presence_status": "Away"}


@event("user.tsp_created", "user.tsp_deleted", form="payload")
def telephony(scene: Scene) -> Json:
    """Somebody's telephone conference is set up, or taken away."""
    return _payload(scene, {**_known(scene), "tsp_credentials": _tsp("123456789")})


@event("user.tsp_updated", form="payload")
def telephony_updated(scene: Scene) -> Json:
    """Somebody's telephone conference changes."""
    return _payload(scene, {**_known(scene), "tsp_credentials": _tsp("0125")}, old_object=_tsp("0130"))


def _tsp(code: str) -> Json:
    number = {"code": "1", "number": "5550100", "type": "toll"}
    return {"conference_code": code, "leader_pin": "123456", "dial_in_numbers": [number]}


def _known(scene: Scene) -> Json:
    return {"id": scene.user.id, "email": scene.user.email}


@event("group.created", "group.deleted", "group.updated", form="payload")
def group(scene: Scene) -> Json:
    """A group is made, renamed or deleted."""
    shown = {"id": scene.sim.ids.opaque(), "name": "Cooks"}
    extra = {"old_object": {**shown, "name": "Chefs"}} if scene.name.endswith("updated") else {}
    return _payload(scene, shown, **extra, time_stamp=milliseconds(scene.now))


@event("group.member_added", "group.member_deleted", "group.members_deleted", form="payload")
def members(scene: Scene) -> Json:
    """Somebody joins a group or leaves it (the samples and the contract spell the latter differently)."""
    shown = {"id": scene.sim.ids.opaque(), "members": [_known(scene)]}
    return _payload(scene, shown, time_stamp=milliseconds(scene.now))


@event("group.admin_added", "group.admin_deleted", form="payload")
def admins(scene: Scene) -> Json:
    """Somebody becomes administrator of a group, or is no more."""
    shown = {"id": scene.sim.ids.opaque(), "admins": [_known(scene)]}
    return _payload(scene, shown, time_stamp=milliseconds(scene.now))


@event("app.authorization_request_created", form="payload")
def app_requested(scene: Scene) -> Json:
    """Somebody asks the administrator for an app."""
    page = "https://app.example"
    return {
        "app_name": scene.sim.app.name,
        "app_type": "GeneralApp",
        "app_status": "published" if scene.sim.app.published else "development",
        "app_description": "What was asked for",
        "app_link": {
            "developer_documentation": f"{page}/docs",
            "developer_privacy_policy": f"{page}/privacy",
            "developer_support": f"{page}/support",
            "developer_terms_of_use": f"{page}/terms",
        },
        "app_scopes": scene.sim.app.scopes[:1],
        "requester_name": scene.user.name,
        "requester_department": str(scene.user.extra.get("dept", "")),
        "requester_user_groups": [],
        "request_reason": "I need it.",
    }


@event("app_deauthorized", form="payload", itself=True)
def deauthorized(scene: Scene) -> Json:
    """Somebody removes the app; by name, nothing is revoked."""
    grant = Grant("", scene.sim.app.client_id, scene.user.account_id, scene.user.id, [], scene.now)
    return scene.sim.account_events.deauthorization(grant)


@event("endpoint.url_validation", form="payload", itself=True)
def challenge(scene: Scene) -> Json:
    """A challenge whose answer nobody checks."""
    return {"plainToken": scene.sim.ids.opaque()}
