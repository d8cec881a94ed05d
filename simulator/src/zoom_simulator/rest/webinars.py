"""Webinars: list, create, get, update, delete and end."""

from __future__ import annotations

from zoom_simulator.check import Field, check
from zoom_simulator.failures import ZoomError
from zoom_simulator.model import Json
from zoom_simulator.paging import page
from zoom_simulator.render import list_entry
from zoom_simulator.rest import scheduling
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation

NO_PLAN = (
    "Webinar plan is missing. You must subscribe to the webinar plan and enable webinars for this user in order to "
    "perform this action."
)


def require_plan(call: Call) -> None:
    """400/200 where the account has no webinars; plan and permission share the code."""
    if not call.sim.state.accounts[call.account_id].webinars:
        raise ZoomError(400, 200, NO_PLAN)


@operation("webinars.list", "GET", "/users/{userId}/webinars", label="Medium",
           scope="webinar:read:list_webinars", classic="webinar:read")  # fmt: skip
def list_webinars(call: Call) -> Reply:
    """A user's webinars."""
    require_plan(call)
    user = call.target_user()
    upcoming = call.text("type", "scheduled", ("scheduled", "upcoming")) == "upcoming"
    entries: list[tuple[float, Json]] = []
    for webinar in call.sim.world.meetings_of(user.id, "webinar"):
        if call.sim.meetings.expired(webinar):
            continue
        coming = scheduling.starts_of(webinar, call.now)
        starts: list[float | None] = list(coming if upcoming else coming[:1])
        if not upcoming and not coming:
            starts = [webinar.start]
        for start in starts:
            shown = list_entry(webinar, user, call.sim.base_url, start)
            entries.append((start or webinar.created_at, shown))
    chunk, about = page(call, scheduling.in_order(entries))
    return Reply(200, {**about, "webinars": chunk})


@operation("webinars.create", "POST", "/users/{userId}/webinars", label="Light",
           scope="webinar:write:webinar", classic="webinar:write")  # fmt: skip
def create_webinar(call: Call) -> Reply:
    """Schedule a webinar."""
    require_plan(call)
    webinar = scheduling.create(call, "webinar")
    return Reply(201, scheduling.shown(call, webinar))


@operation("webinars.get", "GET", "/webinars/{webinarId}", label="Light",
           scope="webinar:read:webinar", classic="webinar:read")  # fmt: skip
def get_webinar(call: Call) -> Reply:
    """One webinar."""
    require_plan(call)
    return Reply(200, scheduling.shown(call, call.target_meeting("webinar")))


@operation("webinars.update", "PATCH", "/webinars/{webinarId}", label="Light",
           scope="webinar:update:webinar", classic="webinar:write")  # fmt: skip
def update_webinar(call: Call) -> Reply:
    """Change a webinar, a series or one occurrence."""
    require_plan(call)
    scheduling.update(call, call.target_meeting("webinar"))
    return Reply(204)


@operation("webinars.delete", "DELETE", "/webinars/{webinarId}", label="Light",
           scope="webinar:delete:webinar", classic="webinar:write")  # fmt: skip
def delete_webinar(call: Call) -> Reply:
    """Delete a webinar, a series or one occurrence."""
    require_plan(call)
    scheduling.delete(call, call.target_meeting("webinar"))
    return Reply(204)


@operation("webinars.status", "PUT", "/webinars/{webinarId}/status", label="Light",
           scope="webinar:update:status", classic="webinar:write")  # fmt: skip
def change_status(call: Call) -> Reply:
    """End a webinar that is on; the answer is a 200 without a body."""
    require_plan(call)
    check(call.body, {"action": Field("string", required=True, allowed=("end",))})
    webinar = call.target_meeting("webinar")
    if webinar.live_uuid:
        call.sim.stage.end(webinar)
    return Reply(200)
