"""Webinars: list, create, get, update, delete and end."""

from __future__ import annotations

from zoom_simulator.check import Field, check, problems
from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError, validation_failed
from zoom_simulator.meetings.views import list_entry
from zoom_simulator.model import Json
from zoom_simulator.rest import scheduling
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page
from zoom_simulator.rest.scheduling import require_plan, target

MOST_PANELISTS = 100
PANELIST = {"email": Field("email", required=True), "name": Field("string", required=True)}


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
        call.sim.live.end(webinar)
    return Reply(200)


@operation("webinars.panelists.list", "GET", "/webinars/{webinarId}/panelists", label="Medium",
           scope="webinar:read:list_panelists", classic="webinar:read")  # fmt: skip
def list_panelists(call: Call) -> Reply:
    """Everybody on the panel."""
    webinar = target(call, "webinar")
    return Reply(200, {"total_records": len(webinar.panelists), "panelists": webinar.panelists})


@operation("webinars.panelists.add", "POST", "/webinars/{webinarId}/panelists", label="Medium",
           scope="webinar:write:panelist", classic="webinar:write")  # fmt: skip
def add_panelists(call: Call) -> Reply:
    """Invite people to the panel. Those who are on it already stay."""
    webinar = target(call, "webinar")
    people = call.body.get("panelists")
    if not isinstance(people, list) or not people:
        raise validation_failed(("panelists", "Invalid field."))
    found = [
        problem
        for number, person in enumerate(people)
        for problem in problems(person if isinstance(person, dict) else {}, PANELIST, f"panelists[{number}].")
    ]
    if found:
        raise validation_failed(*found)
    known = {each["email"].lower() for each in webinar.panelists}
    for person in people:
        if person["email"].lower() in known:
            continue
        if len(webinar.panelists) >= MOST_PANELISTS:
            raise ZoomError(400, 3000, "You have reached the limit for the number of panelists you can add.")
        known.add(person["email"].lower())
        link = f"{call.sim.base_url}/w/{webinar.id}?tk={call.sim.ids.secret()}"
        webinar.panelists.append({"id": call.sim.ids.opaque(), **person, "join_url": link})
    return Reply(201, {"id": str(webinar.id), "updated_at": iso(call.now)})


@operation("webinars.panelists.clear", "DELETE", "/webinars/{webinarId}/panelists", label="Light",
           scope="webinar:delete:panelist", classic="webinar:write")  # fmt: skip
def clear_panelists(call: Call) -> Reply:
    """Remove all panelists."""
    target(call, "webinar").panelists.clear()
    return Reply(204)


@operation("webinars.panelists.delete", "DELETE", "/webinars/{webinarId}/panelists/{panelistId}", label="Light",
           scope="webinar:delete:panelist", classic="webinar:write")  # fmt: skip
def delete_panelist(call: Call) -> Reply:
    """Remove a panelist. ZoomError 300 for a person who is not on the panel."""
    webinar = target(call, "webinar")
    wanted = call.params["panelistId"]
    left = [each for each in webinar.panelists if wanted not in (each["id"], each["email"])]
    if len(left) == len(webinar.panelists):
        raise ZoomError(400, 300, "Invalid panelist: {}.", wanted)
    webinar.panelists[:] = left
    return Reply(204)
