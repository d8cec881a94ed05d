"""Whatever a caller sends and whatever Zoom answers: never a fault of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.edge import LambdaContext, http_event, never_counted
from tests.fakes.gateway import ScriptedZoom, World, principal
from tests.fakes.soak import times
from zoom_common.access.principal import Principal
from zoom_common.edge import zoom_api
from zoom_common.edge.http import guarded
from zoom_common.errors import NotFound
from zoom_common.gateway.participants import Participants
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.table import operations

TEXT = st.text(max_size=12) | st.sampled_from(["me", "123", "..", "/a//b+c==", "\ud83d\ude00", "%2F", "igz1.W10"])
IDS = st.sampled_from(["me", "123"]) | TEXT
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["id", "email", "created_at", "topic", "duration"]), JSON, max_size=3) | JSON
)
NAMES = sorted({each.name for row in operations() for each in row.query} | {"all", "from", "to", "access_token"})
MEMBERS = ("topic", "type", "start_time", "timezone", "recurrence", "settings", "email", "panelists", "registrants")
BODIES = st.dictionaries(
    st.sampled_from((*MEMBERS, "user_info", "custom_questions", "action")) | TEXT, JSON, max_size=4
).map(json.dumps) | st.text(max_size=20)
# Members that we read in Zoom's answers, with anything in them.
READ = (
    "next_page_token",
    "page_number",
    "page_count",
    "total_records",
    "meetings",
    "users",
    "registrants",
    "id",
    "code",
)
LISTS = st.dictionaries(
    st.sampled_from(["meetings", "registrants", "participants", "users", "webinars"]), ROWS, max_size=3
)
ANSWERED = LISTS | st.dictionaries(
    st.sampled_from((*READ, "participants", "errors", "created_at", "message")), JSON, max_size=5
)
OUTCOMES = st.one_of(
    st.sampled_from([NotSent(), AnswerLost()]),
    st.builds(
        HttpResponse,
        st.sampled_from([200, 200, 200, 201, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503]),
        st.dictionaries(
            st.sampled_from(["retry-after", "x-ratelimit-type", "x-ratelimit-remaining", "content-type"]),
            st.text(st.characters(codec="latin-1"), max_size=12) | st.sampled_from(["7", "2030-05-31T00:00:00Z", "-1"]),
            max_size=3,
        ),
        st.binary(max_size=12) | ANSWERED.map(lambda body: json.dumps(body).encode()),
    ),
)


@dataclass(slots=True)
class AnyZoom:
    """A Zoom that answers everything with the same."""

    outcome: HttpResponse | NotSent | AnswerLost

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ARG002 - the seam's signature
        request.url.encode("ascii")
        if isinstance(self.outcome, HttpResponse):
            return self.outcome
        raise self.outcome


class NoEvents:
    """A roster that has seen nothing."""

    def state(self, principal: Principal, number: str) -> dict[str, object]:  # noqa: ARG002 - the seam's signature
        raise NotFound

    attendance = state


@st.composite
def requests(draw: st.DrawFn) -> dict[str, object]:
    """A request for one of the operations, with anything in it."""
    operation = draw(st.sampled_from(operations()))
    path = operation.path
    while "{" in path:
        head, _, rest = path.partition("{")
        path = head + quote(draw(IDS).encode(errors="replace").decode(), safe="") + rest.partition("}")[2]
    query = "&".join(
        f"{draw(st.sampled_from(NAMES))}={quote(draw(TEXT).encode(errors='replace').decode())}"
        for _ in range(draw(st.integers(0, 3)))
    )
    query += draw(st.sampled_from(["", "&all=true", "&all=true&from=2030-01-01&to=2030-03-09"]))
    headers = draw(
        st.dictionaries(
            st.sampled_from(["idempotency-key", "if-none-match", "x-zoom-priority", "x-zoom-connection"]),
            st.text(st.characters(codec="ascii"), max_size=9) | st.just("*"),
            max_size=2,
        )
    )
    body = draw(BODIES) if operation.method != "GET" else None
    return http_event(operation.method, f"/v2{path}", query=query, headers=headers, body=body, principal=principal())


@given(event=requests(), outcome=OUTCOMES)
@settings(max_examples=times(300), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_no_request_and_no_answer_is_a_fault_of_ours(
    event: dict[str, object], outcome: HttpResponse | NotSent | AnswerLost
) -> None:
    """A status of Zoom's, or one that says what is the matter; 500 is Zoom's alone."""
    world = World(ScriptedZoom([]), World.of(scopes=frozenset()).connection)
    world.zoom = AnyZoom(outcome)  # type: ignore[assignment]
    handler = guarded(
        lambda request: zoom_api.answer(world.gateway(), request, lambda: Participants(NoEvents())), never_counted
    )
    answer = handler(event, LambdaContext())
    zooms_own = isinstance(outcome, HttpResponse) and outcome.status == 500
    assert answer["statusCode"] != 500 or zooms_own, answer
    json.dumps(answer)
