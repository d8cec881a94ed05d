"""Panelists of webinars."""

from __future__ import annotations

from zoom_simulator.check import Field, problems
from zoom_simulator.clock import iso
from zoom_simulator.failures import ZoomError, validation_failed
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.registrants import target

MOST = 100
PERSON = {"email": Field("email", required=True), "name": Field("string", required=True)}


@operation("webinars.panelists.list", "GET", "/webinars/{webinarId}/panelists", label="Medium",
           scope="webinar:read:list_panelists", classic="webinar:read")  # fmt: skip
def list_panelists(call: Call) -> Reply:
    """Everybody on the panel."""
    webinar = target(call, "webinar")
    return Reply(200, {"total_records": len(webinar.panelists), "panelists": webinar.panelists})


@operation("webinars.panelists.add", "POST", "/webinars/{webinarId}/panelists", label="Medium",
           scope="webinar:write:panelist", classic="webinar:write")  # fmt: skip
def add_panelists(call: Call) -> Reply:
    """Invite people to the panel; who is on it already stays."""
    webinar = target(call, "webinar")
    people = call.body.get("panelists")
    if not isinstance(people, list) or not people:
        raise validation_failed(("panelists", "Invalid field."))
    found = [
        problem
        for number, person in enumerate(people)
        for problem in problems(person if isinstance(person, dict) else {}, PERSON, f"panelists[{number}].")
    ]
    if found:
        raise validation_failed(*found)
    known = {each["email"].lower() for each in webinar.panelists}
    for person in people:
        if person["email"].lower() in known:
            continue
        if len(webinar.panelists) >= MOST:
            raise ZoomError(400, 3000, "You have reached the limit for the number of panelists you can add.")
        known.add(person["email"].lower())
        link = f"{call.sim.base_url}/w/{webinar.id}?tk={call.sim.ids.secret()}"
        webinar.panelists.append({"id": call.sim.ids.opaque(), **person, "join_url": link})
    return Reply(201, {"id": str(webinar.id), "updated_at": iso(call.now)})


@operation("webinars.panelists.clear", "DELETE", "/webinars/{webinarId}/panelists", label="Light",
           scope="webinar:delete:panelist", classic="webinar:write")  # fmt: skip
def clear_panelists(call: Call) -> Reply:
    """Send the whole panel home."""
    target(call, "webinar").panelists.clear()
    return Reply(204)


@operation("webinars.panelists.delete", "DELETE", "/webinars/{webinarId}/panelists/{panelistId}", label="Light",
           scope="webinar:delete:panelist", classic="webinar:write")  # fmt: skip
def delete_panelist(call: Call) -> Reply:
    """Take one off the panel. ZoomError 300 for who is not on it."""
    webinar = target(call, "webinar")
    wanted = call.params["panelistId"]
    left = [each for each in webinar.panelists if wanted not in (each["id"], each["email"])]
    if len(left) == len(webinar.panelists):
        raise ZoomError(400, 300, "Invalid panelist: {}.", wanted)
    webinar.panelists[:] = left
    return Reply(204)
