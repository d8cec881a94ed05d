"""Users: their settings, and the tokens that speak for them."""

from __future__ import annotations

from zoom_simulator.check import Field, check
from zoom_simulator.failures import ZoomError, invalid_token
from zoom_simulator.model import Json
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.user_settings import DEFAULTS, MEETING_AUTHENTICATION, RECORDING_AUTHENTICATION, security


@operation("users.settings", "GET", "/users/{userId}/settings", label="Medium", scope="user:read:settings",
           classic="user:read user:write")  # fmt: skip
def get_settings(call: Call) -> Reply:
    """A user's settings, all or one `option` of them."""
    user = call.target_user()
    options = ("", "meeting_authentication", "recording_authentication", "meeting_security")
    option = call.text("option", "", options)
    if option == "meeting_authentication":
        return Reply(200, MEETING_AUTHENTICATION)
    if option == "recording_authentication":
        return Reply(200, RECORDING_AUTHENTICATION)
    if option == "meeting_security":
        return Reply(200, {"meeting_security": security(user)})
    return Reply(200, {name: {**section, **user.settings.get(name, {})} for name, section in DEFAULTS.items()})


@operation("users.change_settings", "PATCH", "/users/{userId}/settings", label="Medium", scope="user:update:settings",
           classic="user:write")  # fmt: skip
def change_settings(call: Call) -> Reply:
    """Change settings; sections that do not exist are dropped without a word."""
    user = call.target_user()
    check(call.body, dict.fromkeys((*DEFAULTS, "meeting_security"), Field("object")))
    old: Json = {}
    new: Json = {}
    for name in (*DEFAULTS, "meeting_security"):
        given = call.body.get(name) or {}
        before = {**DEFAULTS.get(name, {}), **user.settings.get(name, {})}
        changed = {key: value for key, value in given.items() if before.get(key) != value}
        if changed:
            new[name] = changed
            old[name] = {key: before[key] for key in changed if key in before}
            user.settings[name] = {**user.settings.get(name, {}), **changed}
    if new:
        call.sim.account_events.user_settings_updated(user, call.caller, old, new)
    return Reply(204)


@operation("users.token", "GET", "/users/{userId}/token", label="Light", scope="user:read:token",
           classic="user:read user:write user_profile")  # fmt: skip
def user_token(call: Call) -> Reply:
    """A token that speaks for a user: `zak` starts meetings, `onbehalf` joins one the user is in."""
    user = call.target_user()
    kind = call.text("type", "token", ("token", "zak", "onbehalf"))
    seconds = call.number("ttl", 7200, 1, 90 * 86_400)
    if kind == "zak":
        return Reply(200, {"token": call.sim.user_tokens.zak(user, seconds, call.now)})
    if kind == "onbehalf":
        meeting_id = call.query.get("meeting_id", "")
        if meeting_id and call.sim.meetings.find(meeting_id) is None:
            raise ZoomError(400, 300, "Invalid meeting ID.")
        return Reply(200, {"token": call.sim.user_tokens.on_behalf(user, meeting_id, seconds, call.now)})
    return Reply(200, {"token": call.sim.user_tokens.session(user, seconds, call.now)})


@operation("users.zak", "GET", "/users/me/zak", label="Light", scope="user:read:zak", classic="user_zak:read")
def my_zak(call: Call) -> Reply:
    """The caller's own ZAK."""
    if call.principal.account_level and call.sim.behaviour.me_for_account_apps == "refuse":
        raise invalid_token()
    return Reply(200, {"token": call.sim.user_tokens.zak(call.caller, 7200, call.now)})
