"""Users: for now, the profile."""

from __future__ import annotations

from local.zoom.clock import iso
from local.zoom.model import Json, User
from local.zoom.rest.call import Call, Reply
from local.zoom.rest.operations import operation

ROLES = {"owner": ("0", "Owner"), "admin": ("1", "Admin"), "member": ("2", "Member")}


@operation("users.get", "GET", "/users/{userId}", label="Light", scope="user:read:user", classic="user:read user:write")
def get_user(call: Call) -> Reply:
    """One user."""
    return Reply(200, profile(call.target_user(), call.sim.base_url))


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
