"""Requests to Zoom and its answers, as bytes."""

from __future__ import annotations

import json

import pytest

from zoom_common.errors import InvalidRequest, ZoomRefused
from zoom_common.secret import Secret
from zoom_common.zoom import api
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.table import match

BASE = "https://api.zoom.us/v2"
CREATE = match("POST", "/v2/users/me/meetings")[0]
GET = match("GET", "/v2/meetings/1")[0]


PICTURE = match("POST", "/v2/users/me/picture")[0]
FORM = "multipart/form-data; boundary=b0"
PARTS = b'--b0\r\nContent-Disposition: form-data; name="pic_file"; filename="a.png"\r\n\r\n\x89PNG\xff\r\n--b0--\r\n'


def built(
    method: str, path: str, *, query_string: str = "", body: bytes = b"", base: str = BASE, content_type: str = ""
) -> HttpRequest:
    """The request for a path of ours."""
    operation, ids = match(method, path)
    return api.build(
        operation,
        ids,
        query_string=query_string,
        body=body,
        base_url=base,
        token=Secret("t0k"),
        content_type=content_type,
    )


def test_a_body_goes_out_byte_for_byte() -> None:
    """Big numbers, escapes, spacing and text of any script are the caller's."""
    body = (
        '{ "topic": "Ünïcode \\u0041 \U0001f600", "settings": {"x": 123456789012345678901234567890}, "a":1.10}'.encode()
    )
    api.check_body(CREATE, body)
    assert built("POST", "/v2/users/me/meetings", body=body).body == body


def test_a_request_carries_token_and_type() -> None:
    """The token in its header only, the content type where there is content."""
    request = built("POST", "/v2/users/me/meetings", body=b"{}")
    assert request.headers["Authorization"] == "Bearer t0k"
    assert request.headers["Content-Type"] == "application/json"
    assert "t0k" not in request.url
    assert "Content-Type" not in built("GET", "/v2/meetings/1").headers


def test_an_upload_goes_out_byte_for_byte() -> None:
    """An upload is sent unchanged, with the caller's boundary."""
    api.check_body(PICTURE, PARTS, FORM)
    request = built("POST", "/v2/users/me/picture", body=PARTS, content_type=FORM)
    assert (request.body, request.headers["Content-Type"]) == (PARTS, FORM)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PARTS, ""),
        (PARTS, "application/json"),
        (PARTS, "multipart/form-data"),
        (PARTS, "multipart/form-data; boundary=other"),
        (PARTS, "multipart/mixed; boundary=b0"),
        (b"", FORM),
    ],
)
def test_an_upload_that_nobody_can_read_is_refused(body: bytes, content_type: str) -> None:
    """The message of the refusal has the fix."""
    with pytest.raises(InvalidRequest, match="multipart/form-data, with the boundary"):
        api.check_body(PICTURE, body, content_type)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/form-data; boundary="a b"', b"a b"),
        (
            "Multipart/Form-Data;charset=utf-8; Boundary=----WebKitFormBoundary7MA4Y+x; x=y",
            b"----WebKitFormBoundary7MA4Y+x",
        ),
        ("multipart/form-data; boundary=", None),
        ("text/plain; boundary=x", None),
    ],
)
def test_the_boundary_is_read_from_the_content_type(content_type: str, boundary: bytes | None) -> None:
    """Quoted or not, among other parameters."""
    assert api.multipart_boundary(content_type) == boundary


def test_a_member_that_zoom_requires_is_named() -> None:
    """Also of an operation without a model; everything else in the body is Zoom's to judge."""
    operation = match("PUT", "/v2/users/me/password")[0]
    with pytest.raises(InvalidRequest) as refusal:
        api.check_body(operation, b'{"Password": "x"}')
    assert [each.field for each in refusal.value.fields] == ["password"]
    api.check_body(operation, b'{"password": null, "more": [1]}')


def test_a_body_where_none_belongs_stays_behind() -> None:
    """Some clients send {} with every request."""
    assert built("DELETE", "/v2/meetings/1", body=b"{}").body is None
    assert built("POST", "/v2/users/me/meetings", body=b" ").body is None


def test_uuids_stand_on_the_wire_as_zoom_wants() -> None:
    """UUIDs are sent in Zoom's encoding, however they arrived."""
    assert built("GET", "/v2/meetings//ab//c==").url == f"{BASE}/meetings/%252Fab%252F%252Fc%253D%253D"
    assert built("GET", "/v2/meetings/ab%252Fc%253D%253D").url == f"{BASE}/meetings/ab%2Fc%3D%3D"


def test_a_query_goes_out_as_written() -> None:
    """Escapes are not escaped again; what may not stand in a URL is."""
    query = "next_page_token=a%2Bb%3D&x=1+2&empty="
    assert built("GET", "/v2/users/me/meetings", query_string=query).url == f"{BASE}/users/me/meetings?{query}"
    url = built("GET", "/v2/users/me/meetings", query_string="x=\u00fc y\r\nz#[a]&z=%2b%zz%").url
    assert url == f"{BASE}/users/me/meetings?x=%C3%BC%20y%0D%0Az%23%5Ba%5D&z=%2b%25zz%25"


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"1", b"{", b"\xff{}", b'{"a":NaN}', b"[" * 100_000, b"null", b'{"a":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """Anything but a JSON object is refused with Zoom's text, also when it is nested too deeply."""
    with pytest.raises(InvalidRequest) as refusal:
        api.check_body(CREATE, body)
    assert str(refusal.value) == "Request Body should be a valid JSON object."


def test_faults_are_reported_field_by_field() -> None:
    """All faults are reported at once, each with its field."""
    with pytest.raises(InvalidRequest) as refusal:
        api.check_body(CREATE, json.dumps({"type": 99, "settings": {"host_video": "loud"}}).encode())
    assert {each.field for each in refusal.value.fields} == {"type", "settings.host_video"}


def test_bodies_nobody_declares_are_not_read() -> None:
    """A GET has none to check."""
    api.check_body(GET, b"not json")
    api.check_body(CREATE, b"")


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_says_nothing(status: int) -> None:
    """The bytes are the caller's."""
    api.decipher(HttpResponse(status, {}, b'{"id":1}'))


def refused(status: int, body: bytes) -> ZoomRefused:
    """What an answer is deciphered to."""
    with pytest.raises(ZoomRefused) as refusal:
        api.decipher(HttpResponse(status, {}, body), headers={"retry-after": "1"})
    return refusal.value


def test_a_refusal_keeps_zooms_bytes() -> None:
    """Status, body and code are Zoom's; the reason is ours and never read from its words."""
    body = b'{"code":3001,"message":"La reuni\xc3\xb3n no existe."}'
    error = refused(404, body)
    assert (error.status, error.body, error.zoom_code, error.reason) == (404, body, 3001, "unknown_meeting")
    assert error.headers == {"retry-after": "1"}
    assert not error.retryable


@pytest.mark.parametrize(
    ("status", "body", "code", "reason", "retryable"),
    [
        (401, b'{"code":124}', 124, "zoom_rejected_token", False),
        (400, b'{"code":200}', 200, "plan_or_permission", False),
        (400, b'{"code":4711}', 4711, "missing_zoom_scopes", False),
        (400, b'{"code":999999}', 999999, "zoom_refused", False),
        (400, b'{"code":"300"}', None, "zoom_refused", False),
        (403, b"<html>", None, "zoom_refused", False),
        (429, b'{"code":429}', 429, "zoom_rate_limited", True),
        (500, b'{"code":500}', 500, "zoom_failed", True),
        (404, b"", None, "zoom_refused", False),
        (404, b"[1]", None, "zoom_refused", False),
    ],
)
def test_refusals_are_recognized_by_number(
    status: int, body: bytes, code: int | None, reason: str, *, retryable: bool
) -> None:
    """Status and code, never the message."""
    error = refused(status, body)
    assert (error.zoom_code, error.reason, error.retryable) == (code, reason, retryable)


@pytest.mark.parametrize(
    ("status", "body", "is_one"),
    [
        (200, b'{"id":1}', True),
        (204, b"", True),
        (201, b'{"id":1', False),
        (200, b"<html>", False),
        (302, b"", False),
        (404, b"<html>", True),
        (500, b'{"code":500}', True),
        (502, b"<html>Bad gateway", False),
        (500, b'["code"]', False),
    ],
)
def test_pages_of_proxies_are_no_answers(status: int, body: bytes, *, is_one: bool) -> None:
    """Neither is JSON that breaks off, or a redirect: Zoom's API has none."""
    assert api.is_answer(HttpResponse(status, {}, body)) is is_one


def test_an_empty_success_says_that_it_is_empty() -> None:
    """Else it broke off within its headers; 204 never has a body."""
    assert not api.is_answer(HttpResponse(200, {"date": "today"}))
    assert api.is_answer(HttpResponse(200, {"content-length": "0"}))
    assert api.is_answer(HttpResponse(200, {"transfer-encoding": "chunked"}))


def test_a_rejected_token_is_known_with_either_status() -> None:
    """Some operations answer 124 with a 400."""
    assert api.token_rejected(HttpResponse(401, {}, b'{"code":124}'))
    assert api.token_rejected(HttpResponse(401, {}, b""))
    assert api.token_rejected(HttpResponse(400, {}, b'{"code":124}'))
    assert not api.token_rejected(HttpResponse(400, {}, b'{"code":4711}'))


@pytest.mark.parametrize(
    ("body", "fix"),
    [
        (b"\x1f\x8b\x08\x00rest", "without Content-Encoding"),
        (b"topic=a&type=2", "Content-Type: application/json"),
        (b'{"topic":"\xff\xfe"}', "UTF-8"),
        (b"[1]", "one JSON object"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--', "JSON object"),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_the_fix(body: bytes, fix: str) -> None:
    """Compressed, a form, another encoding, a list: each in Zoom's shape."""
    with pytest.raises(InvalidRequest) as refused:
        api.parsed(body)
    assert (refused.value.status, refused.value.code) == (400, 300)
    assert fix in str(refused.value.hint)
