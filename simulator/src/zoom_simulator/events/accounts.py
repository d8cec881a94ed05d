"""Events of people, groups and apps."""

from __future__ import annotations

from zoom_simulator.clock import milliseconds
from zoom_simulator.events.catalogue import event
from zoom_simulator.events.context import EventContext
from zoom_simulator.model import Grant, Json, User
from zoom_simulator.webhooks import account_events, payloads


def _owner(context: EventContext) -> User:
    return context.sim.world.someone(context.sim.state.accounts[context.user.account_id].owner_id)


def _payload(context: EventContext, shown: Json, **extra: object) -> Json:
    return {"account_id": context.user.account_id, **payloads.operator(_owner(context)), **extra, "object": shown}


@event("user.created", form="payload", itself=True)
def created(context: EventContext) -> Json:
    """Somebody is added."""
    shown = {**account_events.basics(context.user), "display_name": context.user.name}
    return _payload(context, shown, creation_type="create")


@event("user.updated", form="payload", itself=True)
def updated(context: EventContext) -> Json:
    """A profile changes."""
    shown, old = {"id": context.user.id, "dept": "Cooking"}, {"id": context.user.id, "dept": ""}
    return _payload(context, shown, time_stamp=milliseconds(context.now), old_object=old)


@event("user.deleted", "user.disassociated", "user.activated", "user.deactivated", form="payload", itself=True)
def changed(context: EventContext) -> Json:
    """Somebody comes or goes."""
    return _payload(context, account_events.basics(context.user))


@event("user.invitation_accepted", itself=True)
def accepted(context: EventContext) -> Json:
    """Somebody accepts an invitation to the account."""
    return account_events.basics(context.user)


@event("user.signed_in", "user.signed_out", itself=True)
def signed(context: EventContext) -> Json:
    """Somebody signs in or out."""
    return context.sim.account_events.sign_in(context.user, "browser")


@event("user.settings_updated", form="payload", itself=True)
def settings(context: EventContext) -> Json:
    """A setting changes."""
    return _settings(context, context.user.id, "in_meeting", "chat")


@event("group.settings_updated", "group.lock_settings_updated", form="payload")
def group_settings(context: EventContext) -> Json:
    """A setting of a group changes, or is locked."""
    return _settings(context, context.sim.ids.opaque(), "recording", "cloud_recording")


def _settings(context: EventContext, target: str, section: str, name: str) -> Json:
    old = {"id": target, "settings": {section: {name: True}}}
    shown = {"id": target, "settings": {section: {name: False}}}
    return _payload(context, shown, time_stamp=milliseconds(context.now), old_object=old)


@event("user.personal_notes_updated", form="payload")
def notes(context: EventContext) -> Json:
    """A person's note changes; the event has no operator."""
    shown = {**_known(context), "date_time": context.when, "personal_notes": "Back at three"}
    return {"account_id": context.user.account_id, "object": shown, "old_object": {"personal_notes": ""}}


@event("user.presence_status_updated")
def presence(context: EventContext) -> Json:
    """Somebody is away. The id is in lower case, as it was measured."""
    shown = _known(context)
    if context.sim.behaviour.lower_case_presence_ids:
        shown["id"] = shown["id"].lower()
    return {**shown, "date_time": context.when, "presence_status": "Away"}


@event("user.tsp_created", "user.tsp_deleted", form="payload")
def telephony(context: EventContext) -> Json:
    """Somebody's telephone conference is set up, or taken away."""
    return _payload(context, {**_known(context), "tsp_credentials": _tsp("123456789")})


@event("user.tsp_updated", form="payload")
def telephony_updated(context: EventContext) -> Json:
    """Somebody's telephone conference changes."""
    return _payload(context, {**_known(context), "tsp_credentials": _tsp("0125")}, old_object=_tsp("0130"))


def _tsp(code: str) -> Json:
    number = {"code": "1", "number": "5550100", "type": "toll"}
    return {"conference_code": code, "leader_pin": "123456", "dial_in_numbers": [number]}


def _known(context: EventContext) -> Json:
    return {"id": context.user.id, "email": context.user.email}


@event("group.created", "group.deleted", "group.updated", form="payload")
def group(context: EventContext) -> Json:
    """A group is made, renamed or deleted."""
    shown = {"id": context.sim.ids.opaque(), "name": "Cooks"}
    extra = {"old_object": {**shown, "name": "Chefs"}} if context.name.endswith("updated") else {}
    return _payload(context, shown, **extra, time_stamp=milliseconds(context.now))


@event("group.member_added", "group.member_deleted", "group.members_deleted", form="payload")
def members(context: EventContext) -> Json:
    """Somebody joins a group or leaves it (the samples and the contract spell the latter differently)."""
    shown = {"id": context.sim.ids.opaque(), "members": [_known(context)]}
    return _payload(context, shown, time_stamp=milliseconds(context.now))


@event("group.admin_added", "group.admin_deleted", form="payload")
def admins(context: EventContext) -> Json:
    """Somebody becomes administrator of a group, or is no more."""
    shown = {"id": context.sim.ids.opaque(), "admins": [_known(context)]}
    return _payload(context, shown, time_stamp=milliseconds(context.now))


@event("app.authorization_request_created", form="payload")
def app_requested(context: EventContext) -> Json:
    """Somebody asks the administrator for an app."""
    page = "https://app.example"
    return {
        "app_name": context.sim.app.name,
        "app_type": "GeneralApp",
        "app_status": "published" if context.sim.app.published else "development",
        "app_description": "What was asked for",
        "app_link": {
            "developer_documentation": f"{page}/docs",
            "developer_privacy_policy": f"{page}/privacy",
            "developer_support": f"{page}/support",
            "developer_terms_of_use": f"{page}/terms",
        },
        "app_scopes": context.sim.app.scopes[:1],
        "requester_name": context.user.name,
        "requester_department": str(context.user.extra.get("dept", "")),
        "requester_user_groups": [],
        "request_reason": "I need it.",
    }


@event("app_deauthorized", form="payload", itself=True)
def deauthorized(context: EventContext) -> Json:
    """Somebody removes the app; by name, nothing is revoked."""
    grant = Grant("", context.sim.app.client_id, context.user.account_id, context.user.id, [], context.now)
    return context.sim.account_events.deauthorization(grant)


@event("endpoint.url_validation", form="payload", itself=True)
def challenge(context: EventContext) -> Json:
    """A challenge; its answer is not checked."""
    return {"plainToken": context.sim.ids.opaque()}
