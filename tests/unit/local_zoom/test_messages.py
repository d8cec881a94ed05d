"""Messages in other languages."""

from __future__ import annotations

import pytest

from local.zoom.messages import language_of, translator
from tests.fakes.local_zoom import Zoom


def test_the_language_that_was_asked_for() -> None:
    """The first of Accept-Language, or the one that is forced."""
    assert language_of("de-DE,en;q=0.5") == "de"
    assert language_of("") == "en"
    assert language_of("de", forced="es") == "es"


def test_what_is_not_translated_stays_english() -> None:
    """Unknown texts and languages go through."""
    assert translator("es")("Never seen") == "Never seen"
    assert translator("xx")("No permission.") == "No permission."


@pytest.mark.parametrize("how", ["header", "switch"])
def test_refusals_are_localised(zoom: Zoom, how: str) -> None:
    """By the caller's header or for everybody; the code stays."""
    headers = {"Accept-Language": "es-ES"} if how == "header" else {}
    zoom.sim.behaviour.language = "es" if how == "switch" else ""
    refused = zoom.get("/v2/meetings/1", headers=headers).json()
    assert refused == {"code": 3001, "message": "La reunión no existe: 1."}
