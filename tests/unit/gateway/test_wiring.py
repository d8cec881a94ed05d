"""The real parts, put together."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fakes.gateway import connection
from zoom_common.aws import clients
from zoom_common.edge.zoom_api import ZoomApiSettings
from zoom_common.transport import RequestsTransport
from zoom_common.wiring.gateway import gateway


def test_a_gateway_is_wired_without_asking_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call leaves while the function starts; the reconnect link is the API's own, or the company's page."""
    monkeypatch.setattr(clients, "client", lambda service: SimpleNamespace(service=service))
    monkeypatch.setattr(clients, "impatient_dynamodb", lambda: SimpleNamespace(service="dynamodb"))
    settings = ZoomApiSettings("Connections", "key-1", "token_refresh", "https://gateway.example")
    wired = gateway(settings)
    assert isinstance(wired.client.http.transport, RequestsTransport)
    assert wired.client.api_base_url == "https://api.zoom.us/v2"
    assert wired.reconnect_url(connection()) == "https://gateway.example/connections/con_1/reconnect"
