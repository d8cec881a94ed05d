"""What programs in production send passes: kinds of requests, bodies that Zoom's contract allows, and its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract import facts
from tests.contract.test_operations_against_zoom import body_schema, merged
from tests.fakes.edge import LambdaContext, http_event, never_counted
from tests.fakes.gateway import World, answer, principal
from tests.fakes.soak import times
from zoom_common.connections.model import Kind
from zoom_common.edge import zoom_api
from zoom_common.edge.http import guarded
from zoom_common.errors import InvalidRequest
from zoom_common.zoom import api
from zoom_common.zoom.api import with_utc_start
from zoom_common.zoom.operations.model import JSON, Operation, Parameter, check_query, with_lowered_page_size
from zoom_common.zoom.operations.table import match, operations

SERIES = {"topic": "Standup", "type": 8, "start_time": "2030-01-07T10:00:00", "timezone": "Asia/Manila"}
UNSET_RECURRENCE = {
    "type": 1,
    "repeat_interval": 0,
    "weekly_days": "",
    "monthly_day": 0,
    "monthly_week": 0,
    "monthly_week_day": 0,
    "end_times": 0,
    "end_date_time": "",
}
CREATE, UPDATE = "POST /v2/users/me/meetings", "PATCH /v2/meetings/85000000001"
WEBINAR = "POST /v2/users/me/webinars"

BODIES: dict[str, tuple[str, Any]] = {
    "typed clients send every member, empty": (
        CREATE,
        {
            "type": 2,
            "schedule_for": "",
            "password": "",
            "template_id": None,
            "recurrence": UNSET_RECURRENCE,
            "tracking_fields": [],
            "settings": {"audio": "", "auto_recording": "", "registration_type": 0, "global_dial_in_countries": None},
        },
    ),
    "a series with members that are not set": (CREATE, {**SERIES, "recurrence": UNSET_RECURRENCE}),
    "forms send text for everything": (
        CREATE,
        {"type": "2", "duration": "30", "recurrence": {"type": "1", "repeat_interval": "1", "end_times": ""}},
    ),
    "forms send text for flags": (WEBINAR, {"type": "5", "settings": {"hd_video": "true", "registration_type": 0}}),
    "languages without an empty object send an empty list": (
        CREATE,
        {"type": 2, "settings": [], "recurrence": [], "tracking_fields": []},
    ),
    "a recurrence of an instant meeting": (CREATE, {"type": 1, "recurrence": {"type": 1}}),
    "a recurrence of another type, whatever is in it": (CREATE, {"type": 2, "recurrence": {"weekly_days": ["2"]}}),
    "both ends of a series": (
        CREATE,
        {**SERIES, "recurrence": {"type": 1, "end_times": 1, "end_date_time": "2030-05-01T00:00:00Z"}},
    ),
    "as many dates as Zoom makes": (CREATE, {**SERIES, "recurrence": {"type": 2, "weekly_days": 3, "end_times": 110}}),
    "numbers where text is meant": (CREATE, {"topic": 2030, "password": 123456, "agenda": 1.5}),
    "a list with nothing in it": (CREATE, {"settings": {"global_dial_in_countries": [""], "breakout_room": {}}}),
    "choices that Zoom does not know, inside settings": (
        UPDATE,
        {"settings": {"auto_recording": "nonsense", "approval_type": 9, "waiting_room_options": {"mode": "all"}}},
    ),
    "the personal meeting room, as it was read": (UPDATE, {"type": 4, "pmi": 1234567890, "duration": 0}),
    "a series of which no member is set": (CREATE, {**SERIES, "recurrence": {**UNSET_RECURRENCE, "type": 0}}),
    "days of the week as 0": (CREATE, {**SERIES, "recurrence": {**UNSET_RECURRENCE, "weekly_days": 0}}),
    "a time as Ruby prints it": (CREATE, {"start_time": "2030-01-07 10:00:00 UTC", "timezone": "CEST"}),
    "a time with its zone in brackets": (CREATE, {"start_time": "2030-01-07T10:00+01:00[Europe/Paris]"}),
    "an access list of recordings that Zoom does not know": (
        "PATCH /v2/meetings/85000000001/recordings/settings",
        {"share_recording": "everyone", "approval_type": 9, "password": 12345678},
    ),
    "numbers where required text is meant": (
        "POST /v2/meetings/85000000001/invite_links",
        {"attendees": [{"name": 2030}], "ttl": "7200"},
    ),
    "a name and an address from a form": (
        "POST /v2/webinars/85000000001/registrants",
        {"email": " jchill@example.com ", "first_name": 7, "phone": 15550100},
    ),
    "a registrant without a last name": (
        "POST /v2/meetings/85000000001/registrants",
        {"email": "jchill@example.com", "first_name": "Jill", "last_name": "", "zip": 94045, "custom_questions": []},
    ),
    "a user without a plan": (
        "PATCH /v2/users/me",
        {"type": 0, "timezone": "", "pmi": 0, "phone_numbers": [], "pronouns_option": 0},
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_kind_of_body_that_zoom_takes_passes(name: str) -> None:
    """Each is the kind of a request that some public program sends."""
    where, body = BODIES[name]
    api.check_body(_operation(where), json.dumps(body).encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_in_any_encoding_is_read(encoding: str) -> None:
    """With a byte order mark and without; a fault is found in all of them."""
    api.check_body(_operation(CREATE), '{"topic": "Gr\u00f6\u00dfe \U0001f600"}'.encode(encoding))
    with pytest.raises(InvalidRequest):
        api.check_body(_operation(CREATE), '{"type": 77}'.encode(encoding))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v2/users/me/recordings", "from=2030-01-01+00%3A00%3A00%2B00%3A00&to=2030-01-31+00%3A00%3A00%2B00%3A00"),
        ("/v2/users/me/recordings", "from=2030-01-01T10:00:00.123&to=2030-01-31T23:59:59Z"),
        ("/v2/users/me/recordings", "from=2030-01-01&page_size=300"),
        ("/v2/users/me/meetings", "type=past&page_size=1&sort_by=start_time"),
        ("/v2/users/me/webinars", "page_size=1000&page_number=1"),
        ("/v2/report/meetings/85000000001/participants", "page_size=1000&page_number=1"),
        ("/v2/users", "page_size=0&status="),
    ],
)
def test_a_kind_of_query_that_zoom_takes_passes(path: str, query: str) -> None:
    """Days with a time after them, page sizes above the maximum, blanks."""
    check_query(match("GET", path)[0].query, query)


@pytest.mark.parametrize(
    ("where", "body", "field"),
    [
        (UPDATE, {"type": "8", "recurrence": {"type": "2", "weekly_days": ["2", "4"]}}, "recurrence.weekly_days"),
        (CREATE, {"type": 77}, "type"),
        (CREATE, {"start_time": "tomorrow"}, "start_time"),
        (CREATE, {"settings": "none"}, "settings"),
        (CREATE, {"settings": {"alternative_hosts": ["jchill@example.com"]}}, "settings.alternative_hosts"),
        (CREATE, {"topic": "x" * 201}, "topic"),
        ("POST /v2/users", {"action": "", "user_info": None}, "action"),
        ("POST /v2/meetings/1/registrants", {"first_name": "Jill"}, "email"),
    ],
)
def test_what_zoom_is_sure_to_refuse_names_the_field(where: str, body: Any, field: str) -> None:
    """Before it costs quota."""
    with pytest.raises(InvalidRequest) as refusal:
        api.check_body(_operation(where), json.dumps(body).encode())
    assert [each.field for each in refusal.value.fields] == [field]


EVERYBODY = principal()
EVERY_ZOOM_SCOPE = frozenset(scope for each in operations() for scope in (*each.scopes.granular, *each.scopes.classic))

WITH_MODEL = [pytest.param(each, id=each.name) for each in operations() if each.model is not None]
WITH_BODY = [pytest.param(each, id=each.name) for each in operations() if each.media == JSON]
READ_AND_CHANGED = [
    pytest.param(each, id=each.name)
    for each in operations()
    if each.method == "PATCH" and each.media and f"GET {each.path}" in facts.FACTS["operations"]
]


# Texts whose form Zoom's schemas of answers do not state, by the names of their members.
NAMED = {
    "email": "jchill@example.com",
    "end_date_time": "2030-05-01T00:00:00Z",
    "password": "pass42",
    "start_time": "2030-01-07T10:00:00Z",
    "timezone": "Asia/Manila",
    "weekly_days": "2,4",
}

# Limits that Zoom's contract states in words only: at most every tenth month.
MOST = {"repeat_interval": 10}


def values(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Values that the schema allows for the member `name`."""
    if "enum" in schema or (schema.get("type") == "string" and name in NAMED):
        return st.sampled_from(schema.get("enum") or [NAMED[name]])
    if "properties" in schema:
        members = {each: values(merged(member), each) for each, member in schema["properties"].items()}
        required = {each: members.pop(each) for each in schema.get("required", ()) if each in members}
        return st.fixed_dictionaries(required, optional=members)
    if "items" in schema:
        least = schema.get("minItems", 0)
        return st.lists(values(merged(schema["items"])), min_size=least, max_size=max(least, 2))
    plain: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "boolean": st.booleans,
        "integer": lambda: st.integers(schema.get("minimum", 1), schema.get("maximum", MOST.get(name, 28))),
        "number": lambda: st.floats(0, 1000),
        "object": lambda: st.just({}),
        "array": lambda: st.just([]),
    }
    if schema["type"] in plain:
        return plain[schema["type"]]()
    is_formed = schema.keys() & {"format", "pattern", "shape", "default"}
    return st.just(facts.value(schema)) if is_formed else st.text(max_size=min(schema.get("maxLength", 20), 20))


def emptied(body: Any, schema: dict[str, Any], data: st.DataObject) -> Any:
    """`body` with some members that are not required replaced by what clients send for "not set"."""
    if not isinstance(body, dict) or "properties" not in schema:
        return body
    found = dict(body)
    for name, value in body.items():
        member = merged(schema["properties"].get(name, {"type": "string"}))
        unset: list[Any] = [None, ""] + [[]] * (member["type"] in {"array", "object"})
        unset += [0] * ("enum" in member and 0 not in member["enum"])
        if name not in schema.get("required", ()) and data.draw(st.booleans()):
            found[name] = data.draw(st.sampled_from(unset))
        else:
            found[name] = emptied(value, member, data)
    return found


@pytest.mark.parametrize("operation", WITH_BODY)
@settings(max_examples=times(15), deadline=None)
@given(data=st.data())
def test_no_body_that_the_contract_allows_is_refused(operation: Operation, data: st.DataObject) -> None:
    """Nor one in which members are empty instead of absent."""
    schema = body_schema(operation)
    body = data.draw(values(schema))
    for each in (body, emptied(body, schema, data)):
        api.check_body(operation, json.dumps(each).encode())


def respelled(body: Any, schema: dict[str, Any], data: st.DataObject, *, in_settings: bool = False) -> Any:
    """`body` with scalars in other types, as forms and loosely typed languages send them.

    Inside `settings` with choices that Zoom does not know as well.
    """
    if in_settings and "enum" in schema:
        return data.draw(st.sampled_from([body, "unheard_of", 99, ""]))
    if isinstance(body, dict):
        known = schema.get("properties", {})
        return {
            name: respelled(each, merged(known[name]), data, in_settings=in_settings or name == "settings")
            if name in known
            else each
            for name, each in body.items()
        }
    if isinstance(body, list) and "items" in schema:
        return [respelled(each, merged(schema["items"]), data, in_settings=in_settings) for each in body]
    others: list[Any] = []
    if isinstance(body, bool):
        others = [str(body).lower(), str(body), int(body), str(int(body))]
    elif isinstance(body, int):
        others = [str(body), float(body), f" {body} "]
    elif isinstance(body, str) and schema.keys() <= {"type", "maxLength", "minLength", "deprecated"}:
        others = [7, 1.5, True]
    return data.draw(st.sampled_from([body, *others]))


@pytest.mark.parametrize("operation", WITH_MODEL)
@settings(max_examples=times(15), deadline=None)
@given(data=st.data())
def test_scalars_pass_in_other_types(operation: Operation, data: st.DataObject) -> None:
    """Numbers and flags as text, text as numbers and flags, and unknown members are accepted."""
    schema = body_schema(operation)
    body = respelled(data.draw(values(schema)), schema, data)
    api.check_body(operation, json.dumps({**body, "unheard_of": {"x": [None]}}).encode())


LISTS = [pytest.param(each, id=each.name) for each in operations() if any(p.name == "page_size" for p in each.query)]
DATED = [pytest.param(each, id=each.name) for each in operations() if any(p.kind == "date" for p in each.query)]


@pytest.mark.parametrize("operation", LISTS)
def test_any_page_size_passes_and_none_reaches_zoom_above_its_maximum(operation: Operation) -> None:
    """Of every list."""
    others = "&".join(f"{each.name}={_any_value(each)}" for each in operation.query if each.required)
    for size in ("", "0", "1", "300", "1000", "99999"):
        query = f"{others}&page_size={size}"
        check_query(operation.query, query)
        (largest,) = (each.maximum for each in operation.query if each.name == "page_size")
        sent = dict(parse_qsl(with_lowered_page_size(operation.query, query))).get("page_size", "0")
        assert largest is None or int(sent) <= largest


@pytest.mark.parametrize("operation", DATED)
@pytest.mark.parametrize("rest", ["", "T00:00:00Z", " 00:00", "T23:59:59.999+02:00", "+00%3A00%3A00%2B00%3A00", "Z"])
def test_whatever_follows_a_day_passes(operation: Operation, rest: str) -> None:
    """In every parameter that is a day."""
    query = "&".join(
        f"{each.name}=2026-01-31{rest}" if each.kind == "date" else f"{each.name}={_any_value(each)}"
        for each in operation.query
        if each.required or each.kind == "date"
    )
    check_query(operation.query, query)


def _any_value(parameter: Parameter) -> str:
    return parameter.values[0] if parameter.values else "2026-01-31"


@pytest.mark.parametrize("operation", READ_AND_CHANGED)
@settings(max_examples=times(15), deadline=None)
@given(data=st.data())
def test_a_change_takes_back_what_a_read_gave(operation: Operation, data: st.DataObject) -> None:
    """Programs read, change one member and send all of it."""
    answer = merged(facts.operation("GET", operation.path)["responses"]["200"])
    complete = {**answer, "required": body_schema(operation).get("required", [])}
    api.check_body(operation, json.dumps(data.draw(values(complete))).encode())


CORPUS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("client_requests.json").read_text())


@pytest.mark.parametrize("case", [pytest.param(each, id=each.get("kind", each["request"])) for each in CORPUS])
def test_a_request_of_the_corpus_reaches_zoom_as_it_was_sent(case: dict[str, Any]) -> None:
    """Each has the form of a request that some public program builds. Only offsets and page sizes are rewritten."""
    method, path = case["request"].split()
    text = json.dumps(case["body"]) if "body" in case else None
    reads = [answer(200, b'{"users":[],"meetings":[]}')] * 40
    kind = Kind.USER if "/me" in path else Kind.ACCOUNT
    world = World.of(*(reads if method == "GET" else [answer(204)]), scopes=EVERY_ZOOM_SCOPE, kind=kind)
    gateway = world.gateway()
    handler = guarded(lambda request: zoom_api.answer(gateway, request), never_counted)
    event = http_event(method, path, body=text, query=case.get("query", ""), principal=EVERYBODY)
    found = handler(event, LambdaContext())
    assert found["statusCode"] in {200, 204}, found["body"]
    sent = world.zoom.sent[0]
    assert sent.method == method
    if text is not None:
        assert sent.body == with_utc_start(text.encode())


def _shared() -> list[dict[str, Any]]:
    """Return the requests of public programs that lie beside the repository, if they do."""
    for parent in Path(__file__).resolve().parents:
        file = parent / "shared/cases/client-requests.json"
        if file.exists():
            return list(json.loads(file.read_text())["cases"])
    return []


@pytest.mark.parametrize("case", [pytest.param(each, id=each["id"]) for each in _shared()])
def test_what_a_public_program_sends_gets_what_zoom_gives(case: dict[str, Any]) -> None:
    """What Zoom accepts is accepted and what it refuses is refused. Where nothing is known, both are right."""
    if case["zoom"] == "accepts":
        _check(case)
    elif case["zoom"] == "refuses":
        with pytest.raises(Exception, match=r"Validation Failed|does not serve"):
            _check(case)


def _check(case: dict[str, Any]) -> None:
    operation = match(case["method"], case["path"])[0]
    check_query(operation.query, case["query"])
    if case["body"] is not None:
        api.check_body(operation, json.dumps(case["body"]).encode())


def _operation(where: str) -> Operation:
    method, path = where.split()
    return match(method, path)[0]
