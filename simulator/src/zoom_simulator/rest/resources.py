"""Storage of operations that are served from facts: objects by the path that creates them, settings by their path."""

from __future__ import annotations

import re
from typing import Any

from zoom_simulator.errors import ZoomError, validation_failed
from zoom_simulator.model import Json
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.paging import page
from zoom_simulator.rest.shapes import laid_over, members, sample

NOT_FOUND = 404
# Parameters of a DELETE that name the things to delete.
SELECTORS = ("file_ids", "ids", "member_ids", "name_tag_ids")


def answer(call: Call, fact: Json) -> Reply:
    """Answer a call in the form of its facts, and remember what it changes. Raises ZoomError."""
    _check(call, fact)
    _find_parent(call)
    schema = fact.get("answer")
    match call.operation.method:
        case "GET":
            return Reply(fact["status"], _read(call, fact, fact["answer"]))
        case "POST":
            return Reply(fact["status"], _create(call, fact, schema))
        case "DELETE":
            _delete(call, fact)
        case _:
            _update(call, fact)
    return Reply(fact["status"], None if schema is None else sample(call.sim.ids, schema, call.now))


def _check(call: Call, fact: Json) -> None:
    missing = [name for name in fact.get("query", ()) if not call.query.get(name)]
    missing += [name for name in fact.get("required", ()) if name not in call.body]
    if missing:
        raise validation_failed(*((name, f"Invalid field: {name}.") for name in missing))


def _find_parent(call: Call) -> None:
    """Find the user, meeting or webinar that the path begins with. Raises ZoomError when there is none."""
    match call.operation.segments[:2]:
        case ("users", "{userId}"):
            call.target_user()
        case ("meetings", "{meetingId}"):
            call.target_meeting()
        case ("webinars", "{webinarId}"):
            call.target_meeting("webinar")


def _place(call: Call, template: str) -> str:
    """Return the path as the key of what is remembered; `me` and an address mean the same user as the id."""
    ids = {**call.params}
    if "userId" in ids and template.startswith("/users/{userId}"):
        ids["userId"] = call.target_user().id
    return call.account_id + re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], template)


def _collection(call: Call, fact: Json) -> tuple[dict[str, Json] | None, str]:
    """Return the things among which the last id of the path is, and that id; None where nothing creates any."""
    template, _, last = call.operation.path.rpartition("/")
    if not last.startswith("{") or not fact.get("creatable"):
        return None, ""
    return call.sim.state.resources.setdefault(_place(call, template), {}), call.params[last.strip("{}")]


def _read(call: Call, fact: Json, schema: Json) -> Any:
    things, key = _collection(call, fact)
    if things is not None:
        if key not in things:
            raise _missing(key)
        return laid_over(
            schema, sample(call.sim.ids, schema, call.now), _with_id(schema, call.operation.path, key, things[key])
        )
    found = sample(call.sim.ids, schema, call.now)
    if not isinstance(found, dict):
        return found
    place = _place(call, call.operation.path)
    found = laid_over(schema, found, call.sim.state.resources.get(place + "#", {}).get("", {}))
    name = _list_name(schema)
    if name is None or not fact.get("creatable"):
        return _paged(call, schema, found, name)
    kept = call.sim.state.resources.get(place, {})
    item = members(schema)[name]["items"]
    found[name] = [
        laid_over(item, sample(call.sim.ids, item, call.now), _with_id(item, fact["item"], key, thing))
        for key, thing in kept.items()
    ]
    return _paged(call, schema, found, name)


def _paged(call: Call, schema: Json, found: Json, name: str | None) -> Json:
    """Return one page of a list, with the members that describe it where the schema has them."""
    if name is None or not members(schema).keys() & {"next_page_token", "page_number"}:
        if name is not None and "total_records" in found:
            found["total_records"] = len(found[name])
        return found
    found[name], shown = page(call, found[name])
    asked = {each: call.query[each] for each in ("from", "to") if each in call.query}
    return found | {each: value for each, value in (shown | asked).items() if each in members(schema)}


def _create(call: Call, fact: Json, schema: Json | None) -> Any:
    made = None if schema is None else sample(call.sim.ids, schema, call.now)
    if not fact.get("creatable"):
        return made
    things = call.sim.state.resources.setdefault(_place(call, call.operation.path), {})
    several = next((each for name, each in call.body.items() if name in fact["lists"] and isinstance(each, list)), None)
    new = {_key(call, each): each if isinstance(each, dict) else {} for each in several or [call.body]}
    things |= new
    if not isinstance(made, dict) or schema is None:
        return made
    if several is not None:
        return laid_over(schema, made, {"ids": ",".join(new)})
    ((key, thing),) = new.items()
    return laid_over(schema, made, _with_id(schema, fact["item"], key, thing))


def _key(call: Call, thing: Any) -> str:
    """Return the id of a new thing: the one that it names, or a fresh one."""
    if isinstance(thing, dict):
        return str(thing.get("id") or call.sim.ids.opaque())
    return str(thing)


def _update(call: Call, fact: Json) -> None:
    things, key = _collection(call, fact)
    if things is None:
        place = _place(call, call.operation.path) + "#"
        call.sim.state.resources.setdefault(place, {}).setdefault("", {}).update(call.body)
        return
    if key not in things:
        raise _missing(key)
    things[key] |= call.body


def _delete(call: Call, fact: Json) -> None:
    things, key = _collection(call, fact)
    if things is not None:
        if things.pop(key, None) is None:
            raise _missing(key)
        return
    place = _place(call, call.operation.path)
    named = ",".join(call.query.get(name, "") for name in SELECTORS).split(",")
    kept = call.sim.state.resources.get(place, {})
    for each in [name for name in named if name] or list(kept):
        kept.pop(each, None)
    call.sim.state.resources.pop(place + "#", None)


def _with_id(schema: Json, template: str, key: str, thing: Json) -> Json:
    """Return a thing with its id, under the name that the form of the answer has for it."""
    words = re.findall(r"\{(\w+)\}$", template)
    names = ["id", *(re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower() for word in words)]
    known = members(schema)
    return {**thing, **{name: key for name in names if name in known and name not in thing}}


def _list_name(schema: Json) -> str | None:
    """Return the member that holds the list of an answer."""
    lists = [name for name, each in members(schema).items() if each.get("type") == "array" and "items" in each]
    return lists[0] if len(lists) == 1 else None


def _missing(key: str) -> ZoomError:
    return ZoomError(NOT_FOUND, 300, "Not found: {}.", key)
