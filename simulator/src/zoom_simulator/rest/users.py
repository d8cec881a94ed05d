"""Users: list, create, get, update, delete, status, settings, and tokens that act for them."""

from __future__ import annotations

from functools import partial

from zoom_simulator.check import Field, check
from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError, invalid_token, no_user, validation_failed
from zoom_simulator.model import Json, User
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page
from zoom_simulator.seed import new_user
from zoom_simulator.users import DEFAULTS, LICENCES, MEETING_AUTHENTICATION, RECORDING_AUTHENTICATION, security
from zoom_simulator.webhooks.account_events import comparable

ROLES = {"owner": ("0", "Owner"), "admin": ("1", "Admin"), "member": ("2", "Member")}
DAILY_CREATES = {"free": 50, "pro": 1_500, "business": 10_000}
CREATE = {
    "action": Field("string", required=True, allowed=("create", "autoCreate", "custCreate", "ssoCreate")),
    "user_info": Field("object", required=True),
}
INFO = {
    "email": Field("email", required=True, longest=128),
    "type": Field("integer", required=True, allowed=(1, 2, 4, 99)),
    "first_name": Field("string", longest=64),
    "last_name": Field("string", longest=64),
    "display_name": Field("string", longest=128),
    "password": Field("string", longest=32),
}
CHANGE = {
    "type": Field("integer", allowed=(1, 2, 4, 99)),
    "first_name": Field("string", longest=64),
    "last_name": Field("string", longest=64),
    "display_name": Field("string", longest=128),
    "timezone": Field("timezone"),
    "language": Field("string"),
    "pmi": Field("integer", lowest=1_000_000_000, highest=9_999_999_999),
    "use_pmi": Field("boolean"),
    "host_key": Field("string", longest=10),
    "dept": Field("string"),
    "company": Field("string", longest=255),
    "job_title": Field("string", longest=128),
    "location": Field("string", longest=256),
    "vanity_name": Field("string"),
    "pronouns": Field("string"),
    "phone_number": Field("string"),
    "phone_country": Field("string"),
    "manager": Field("email"),
    "cms_user_id": Field("string"),
    "cost_center": Field("string"),
    "custom_attributes": Field("array"),
    "phone_numbers": Field("array"),
}
OWN = ("type", "first_name", "last_name", "display_name", "timezone", "language", "use_pmi", "host_key")
TRANSFERS = ("meeting", "webinar", "recording")


@operation("users.list", "GET", "/users", label="Medium", scope="user:read:list_users",
           classic="user:read user:write", admin_only=True)  # fmt: skip
def list_users(call: Call) -> Reply:
    """The account's users of one status. Pending users have no id."""
    status = call.text("status", "active", ("active", "inactive", "pending"))
    role = call.query.get("role_id", "")
    found = [
        user
        for user in call.sim.world.users_of(call.account_id)
        if user.status == status and (not role or ROLES[user.role][0] == role)
    ]
    chunk, about = page(call, found, largest=call.sim.behaviour.users_page_size_max)
    with_key = "host_key" in call.query.get("include_fields", "")
    return Reply(200, {**about, "users": [_row(user, with_key=with_key) for user in chunk]})


@operation("users.create", "POST", "/users", label="Light", scope="user:write:user", classic="user:write",
           admin_only=True)  # fmt: skip
def create_user(call: Call) -> Reply:
    """Invite a user (`create`: pending until accepted), or provision one at once (every other action)."""
    check(call.body, CREATE)
    info = call.body["user_info"]
    check(info, INFO, "user_info.")
    account = call.sim.state.accounts[call.account_id]
    if call.body["action"] == "autoCreate" and not info.get("password"):
        raise validation_failed(("user_info.password", "Invalid parameter: password"))
    if not call.sim.limits.take_daily(call.now, DAILY_CREATES[account.plan], "users", account.id):
        raise ZoomError(429, 429, "You have reached the maximum daily rate limit for adding users.")
    if call.sim.world.user(info["email"]) is not None:
        raise ZoomError(409, 1005, 'Email "{}" has already been used.', info["email"])
    user = new_user(
        call.sim.ids,
        account,
        email=info["email"],
        first_name=info.get("first_name", ""),
        last_name=info.get("last_name", ""),
        now=call.now,
    )
    user.type = info["type"]
    user.display_name = info.get("display_name", "")
    user.status = "pending" if call.body["action"] == "create" else "active"
    call.sim.world.add_user(user)
    call.sim.account_events.user_created(user, call.caller, call.body["action"])
    answer = {name: getattr(user, name) for name in ("id", "email", "first_name", "last_name", "type")}
    return Reply(201, answer)


@operation("users.get", "GET", "/users/{userId}", label="Light", scope="user:read:user",
           classic="user:read user:write user_profile user_info:read")  # fmt: skip
def get_user(call: Call) -> Reply:
    """One user."""
    return Reply(200, profile(call.target_user(), call.sim.base_url))


@operation("users.update", "PATCH", "/users/{userId}", label="Light", scope="user:update:user",
           classic="user:write")  # fmt: skip
def update_user(call: Call) -> Reply:
    """Change a profile."""
    user = call.target_user()
    check(call.body, CHANGE)
    before = comparable(user)
    for name in OWN:
        if call.body.get(name) is not None:
            setattr(user, name, call.body[name])
    if call.body.get("pmi"):
        if call.sim.world.owner_of_pmi(call.body["pmi"]) not in (None, user):
            raise validation_failed(("pmi", "Invalid field."))
        call.sim.world.change_pmi(user, call.body["pmi"])
    user.extra |= {name: call.body[name] for name in CHANGE if name in call.body and name not in (*OWN, "pmi")}
    call.sim.account_events.user_updated(user, call.caller, before)
    return Reply(204)


@operation("users.delete", "DELETE", "/users/{userId}", label="Light", scope="user:delete:user",
           classic="user:write")  # fmt: skip
def delete_user(call: Call) -> Reply:
    """Delete a user, or only part with one (`disassociate`); meetings, webinars and recordings can be handed over."""
    user = call.target_user()
    action = call.text("action", "disassociate", ("disassociate", "delete"))
    if user.role == "owner":
        raise ZoomError(400, 200, "You cannot delete or unlink the account owner.")
    if user.leaving:
        text = "Too many concurrent requests. A request to disassociate this user has already been made."
        raise ZoomError(429, 429, text)
    _check_heir(call, user)
    seconds = call.sim.behaviour.disassociation_seconds
    if seconds:
        user.leaving = True
        call.sim.timetable.after(seconds, partial(_remove, call, user, action))
    else:
        _remove(call, user, action)
    return Reply(204)


def _remove(call: Call, user: User, action: str) -> None:
    operator = call.caller
    _transfer(call, user)
    for grant in call.sim.grants.living(user.id):
        call.sim.grants.end(grant, "the user is gone")
    call.sim.world.remove_user(user)
    call.sim.account_events.user_changed("deleted" if action == "delete" else "disassociated", user, operator)


@operation("users.status", "PUT", "/users/{userId}/status", label="Light", scope="user:update:status",
           classic="user:write")  # fmt: skip
def change_status(call: Call) -> Reply:
    """Activate or deactivate; a deactivated user's tokens stop working."""
    user = call.target_user()
    allowed = ("activate", "deactivate", "clock_in", "clock_out")
    check(call.body, {"action": Field("string", required=True, allowed=allowed)})
    action = call.body["action"]
    if action in ("clock_in", "clock_out"):
        return Reply(204)
    if user.role in ("owner", "admin"):
        raise ZoomError(400, 200, "Zoom Room and Admin users' status cannot be activated or deactivated.")
    user.status = "active" if action == "activate" else "inactive"
    call.sim.account_events.user_changed(f"{action}d", user, call.caller)
    return Reply(204)


def profile(user: User, base_url: str) -> Json:
    """A user as GET shows it."""
    role_id, role_name = ROLES[user.role]
    return {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.name,
        "email": user.email,
        "type": user.type,
        "role_name": role_name,
        "role_id": role_id,
        "pmi": user.pmi,
        "use_pmi": user.use_pmi,
        "personal_meeting_url": f"{base_url}/j/{user.pmi}",
        "timezone": user.timezone,
        "verified": 1,
        "dept": "",
        "created_at": iso(user.created_at),
        "user_created_at": iso(user.created_at),
        "last_login_time": iso(user.created_at),
        "pic_url": f"{base_url}/p/{user.id}",
        "jid": f"{user.id.lower()}@xmpp.zoom.us",
        "group_ids": [],
        "im_group_ids": [],
        "account_id": user.account_id,
        "account_number": int.from_bytes(user.account_id.encode()[:4]),
        "language": user.language,
        "status": user.status,
        "login_types": [1],
        "cluster": "us02",
        **user.extra,
    }


def _row(user: User, *, with_key: bool) -> Json:
    row: Json = {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.name,
        "email": user.email,
        "type": user.type,
        "pmi": user.pmi,
        "timezone": user.timezone,
        "verified": 1,
        "dept": str(user.extra.get("dept", "")),
        "created_at": iso(user.created_at),
        "user_created_at": iso(user.created_at),
        "last_login_time": iso(user.created_at),
        "language": user.language,
        "status": user.status,
        "role_id": ROLES[user.role][0],
        "group_ids": [],
        "im_group_ids": [],
    }
    if with_key:
        row["host_key"] = user.host_key
    if user.status == "pending":
        for name in ("id", "pmi", "last_login_time", "user_created_at"):
            del row[name]
    return row


def _heir(call: Call) -> User | None:
    email = call.query.get("transfer_email", "")
    return call.sim.world.user(email) if email else None


def _check_heir(call: Call, user: User) -> None:
    email, heir = call.query.get("transfer_email", ""), _heir(call)
    if email and (heir is None or heir.account_id != user.account_id):
        raise no_user(email)
    if heir is user:
        text = "The transfer-to email address cannot be the same as the unlinked or deleted user's email address."
        raise ZoomError(400, 300, text)


def _transfer(call: Call, user: User) -> None:
    wanted = [kind for kind in TRANSFERS if call.flag(f"transfer_{kind}")]
    heir = _heir(call)
    for kind in ("meeting", "webinar"):
        for meeting in list(call.sim.world.meetings_of(user.id, kind)):
            if meeting.live_uuid:
                call.sim.live.end(meeting)
            if heir is not None and kind in wanted:
                call.sim.world.change_host(meeting, heir.id)
            else:
                meeting.deleted_at = call.now
    if heir is not None and "recording" in wanted:
        for recording in call.sim.state.recordings.values():
            if recording.host_id == user.id:
                recording.host_id = heir.id


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
    """Change settings; unknown sections are ignored."""
    user = call.target_user()
    check(call.body, dict.fromkeys((*DEFAULTS, "meeting_security"), Field("object")))
    old: Json = {}
    new: Json = {}
    for name in (*DEFAULTS, "meeting_security"):
        given = call.body.get(name) or {}
        before = {**DEFAULTS.get(name, {}), **user.settings.get(name, {})}
        changed = {
            key: value
            for key, value in given.items()
            if before.get(key) != value and not (key in LICENCES and call.sim.behaviour.is_limited(user.type))
        }
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
    """A token that acts for a user: `zak` starts meetings, `onbehalf` joins one the user is in."""
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


@operation("users.schedulers", "GET", "/users/{userId}/schedulers", label="Medium", scope="user:read:list_schedulers",
           classic="user:read user:write user_profile")  # fmt: skip
def schedulers(call: Call) -> Reply:
    """Who may schedule for a user: here, nobody."""
    call.target_user()
    return Reply(200, {"schedulers": []})
