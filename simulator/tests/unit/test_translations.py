"""Messages in other languages."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Json, Zoom
from zoom_simulator.translations import language_of, translator


def test_the_language_that_was_asked_for() -> None:
    """The first of Accept-Language, or the one that is forced."""
    assert language_of("de-DE,en;q=0.5") == "de"
    assert language_of("") == "en"
    assert language_of("de", forced="es") == "es"


def test_what_is_not_translated_stays_english() -> None:
    """Texts without a translation stay in English."""
    assert translator("es")("Never seen") == "Never seen"
    assert translator("nl")("No permission.") == "No permission."


@pytest.mark.parametrize("how", ["header", "switch"])
def test_refusals_are_localised(zoom: Zoom, how: str) -> None:
    """By the caller's header or for everybody; the code stays."""
    headers = {"Accept-Language": "es-ES"} if how == "header" else {}
    zoom.sim.behaviour.language = "es" if how == "switch" else ""
    refused = zoom.get("/v2/meetings/1", headers=headers).json()
    assert refused == {"code": 3001, "message": "La reunión no existe: 1."}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v2/meetings/123", None),
        ("GET", "/v2/nothing", None),
        ("POST", "/v2/users/me/meetings", {"type": 1, "schedule_for": "jill@zoom.example"}),
        ("GET", "/v2/users/me/meetings?next_page_token=x", None),
    ],
)
def test_in_one_language_every_message_is_another(zoom: Zoom, method: str, path: str, body: Json | None) -> None:
    """Code and status stay the same, what was put into the text too, and the text never."""
    plain = zoom.request(method, path, json=body)
    zoom.sim.behaviour.language = "xx"
    strange = zoom.request(method, path, json=body)
    assert (strange.status_code, strange.json()["code"]) == (plain.status_code, plain.json()["code"])
    assert strange.json()["message"] != plain.json()["message"]
    assert ("123" in strange.json()["message"]) == ("123" in plain.json()["message"])


def test_what_is_wrong_with_a_field_is_translated_too(zoom: Zoom) -> None:
    """The field's name is not."""
    zoom.sim.behaviour.language = "es"
    (error,) = zoom.post("/v2/users/me/meetings", {"type": 77}).json()["errors"]
    assert error == {"field": "type", "message": "Campo no válido."}
